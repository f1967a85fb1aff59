"""The commented config.yaml and .env.example that `tieout init` writes."""

from __future__ import annotations

from tieout.core.errors import ConfigError

HEAD = """\
# tieout configuration. All settings: docs/config.md. Check it: tieout check
# Secrets never stand here: ${NAME} reads the environment, ${file:/run/secrets/x} a file.

store: tieout.db            # where records, plans, breaks and the audit trail are kept
timezone: UTC               # in which a day is a day, for reports

systems:
"""

SYSTEMS = {
    "stripe": """\
  stripe:
    type: stripe
    api_key: ${STRIPE_API_KEY}                # a restricted key: read, plus write where flows write
    webhook_secret: ${STRIPE_WEBHOOK_SECRET}  # whsec_..., for `tieout serve`
    timezone: UTC                             # decides which day an instant is; the same
                                              # for all systems whose documents are compared
""",
    "netsuite": """\
  netsuite:
    type: netsuite
    account: ${NETSUITE_ACCOUNT}              # e.g. 1234567 or 1234567_SB1
    client_id: ${NETSUITE_CLIENT_ID}          # OAuth 2.0 client credentials ...
    certificate_id: ${NETSUITE_CERTIFICATE_ID}
    private_key: ${file:netsuite-private.pem} # ... and the key of that certificate
    timezone: UTC
    # Fields in which NetSuite already holds Stripe's ids, if another integration filled them:
    # custom_fields: [custentity_stripe_id, custitem_stripe_id, custbody_stripe_id]
    # mappings: netsuite-overlay.yaml         # your own fields: docs/mappings.md
""",
}

ENVIRONMENT = {
    "stripe": """\
# Stripe: Developers > API keys > Create restricted key
STRIPE_API_KEY=
# Stripe: Developers > Webhooks > your endpoint > Signing secret
STRIPE_WEBHOOK_SECRET=
""",
    "netsuite": """\
# NetSuite: Setup > Company > Company Information > Account ID
NETSUITE_ACCOUNT=
# NetSuite: Setup > Integration > Manage Integrations > yours > Client ID
NETSUITE_CLIENT_ID=
# NetSuite: Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup > Certificate ID
NETSUITE_CERTIFICATE_ID=
# and the private key beside config.yaml as netsuite-private.pem, mode 0600
""",
}

FLOWS = """
# What is kept in agreement, from where to where. Issued documents are created once and then only
# compared: what differs becomes a break, which a person corrects with a credit note or a void.
flows:
  - entity: customer
    from: stripe
    to: netsuite
    match: [external_id, email]      # how records that nobody linked yet find each other
    owners: {name: stripe, email: stripe}
    both_changed: flag               # owner | newest | flag: ask a person
  - {entity: product, from: stripe, to: netsuite, match: [external_id, name]}
  - entity: invoice
    from: stripe
    to: netsuite
    match: [external_id, number]
    # starts_on: 2026-01-01          # older documents are compared, never created
    compare:
      status: {same: [[open, uncollectible]]}   # NetSuite keeps what is uncollectible open
  - entity: payment
    from: stripe
    to: netsuite
    # starts_on: 2026-01-01
  - entity: credit_note
    from: stripe
    to: netsuite
    match: [external_id, number]
    # starts_on: 2026-01-01
  - entity: refund
    from: stripe
    to: netsuite
    # starts_on: 2026-01-01
  - {entity: payout, from: stripe, to: netsuite, mode: compare}   # deposits are made by hand
"""

TAIL = """
guard:                      # a plan that does more than this stops and asks
  max_writes: 1000
  max_update_percent: 20
  max_archives: 20

reconcile:
  settle_minutes: 15        # records changed this recently are in flight, not broken

report:
  out: reports
  # email:
  #   to: [finance@example.com]
  #   from: tieout@example.com
  #   host: smtp.example.com
  #   user: tieout
  #   password: ${SMTP_PASSWORD}
"""


def config_text(systems: list[str]) -> str:
    """A working, commented config.yaml for these connector types."""
    _known(systems)
    flows = FLOWS if {"stripe", "netsuite"} <= set(systems) else "\nflows: []\n"
    return HEAD + "".join(SYSTEMS[name] for name in systems) + flows + TAIL


def env_text(systems: list[str]) -> str:
    """Which environment variables config.yaml expects, and where to find their values."""
    _known(systems)
    return "\n".join(ENVIRONMENT[name] for name in systems)


def _known(systems: list[str]) -> None:
    for name in systems:
        if name not in SYSTEMS:
            raise ConfigError(
                f"there is no template for {name!r}", hint="known: " + ", ".join(SYSTEMS)
            )
    if not systems:
        raise ConfigError("name at least one connector", hint="--connectors stripe,netsuite")
