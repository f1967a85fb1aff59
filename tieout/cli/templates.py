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
    "salesforce": """\
  salesforce:
    type: salesforce
    base_url: ${SALESFORCE_URL}               # My Domain: https://acme.my.salesforce.com
    client_id: ${SALESFORCE_CLIENT_ID}        # external client app, client credentials flow ...
    client_secret: ${SALESFORCE_CLIENT_SECRET}
    # username: integration@acme.example      # ... or JWT bearer: instead of client_secret, with
    # private_key: ${file:salesforce-private.pem}
    # organization_id: 00D...                 # refuses a sandbox by mistake
    # webhook_token: ${SALESFORCE_WEBHOOK_TOKEN}
    # currency: USD                           # single-currency orgs: records do not name it
    timezone: UTC
    # mappings: salesforce-overlay.yaml       # your own fields: docs/mappings.md
    # objects:                                # billing records: docs/providers/salesforce.md
    #   invoice: {object: TieOut_Invoice__c}
    #   payment: {object: TieOut_Payment__c}
    #   credit_note: {object: TieOut_Credit_Note__c}
""",
    "stripe": """\
  stripe:
    type: stripe
    api_key: ${STRIPE_API_KEY}                # a restricted key: read, plus write where flows write
    webhook_secret: ${STRIPE_WEBHOOK_SECRET}  # whsec_..., for `tieout serve`
    timezone: UTC                             # decides which day an instant is; the same
                                              # for all systems whose documents are compared
""",
    "chargebee": """\
  chargebee:
    type: chargebee
    site: ${CHARGEBEE_SITE}                   # acme of acme.chargebee.com; a test site is acme-test
    api_key: ${CHARGEBEE_API_KEY}             # read-only (all data); full-access where flows write
    webhook_user: tieout                      # basic authentication, for `tieout serve`
    webhook_password: ${CHARGEBEE_WEBHOOK_PASSWORD}
    timezone: UTC                             # the site's: decides on what day an invoice falls
    # catalog: auto                           # Product Catalog: auto | 1 | 2
    # calls_per_minute: 90                    # 60 % of 150; Performance has 1000, Enterprise 3500
    # item_family: default                    # for products that flows create
    # mappings: chargebee-overlay.yaml        # your own fields: docs/mappings.md
""",
    "zuora": """\
  zuora:
    type: zuora
    base_url: ${ZUORA_URL}                    # your data centre's: docs/providers/zuora.md
    client_id: ${ZUORA_CLIENT_ID}
    client_secret: ${ZUORA_CLIENT_SECRET}
    webhook_user: tieout                      # basic authentication of callouts
    webhook_password: ${ZUORA_WEBHOOK_PASSWORD}
    timezone: UTC                             # the tenant's: v1 shows times in it
    # mappings: zuora-overlay.yaml            # your own fields: docs/mappings.md
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
    "salesforce": """\
# Salesforce: Setup > My Domain, with https://
SALESFORCE_URL=
# Salesforce: Setup > External Client App Manager > yours > OAuth settings: key and secret
SALESFORCE_CLIENT_ID=
SALESFORCE_CLIENT_SECRET=
""",
    "chargebee": """\
# Chargebee: the first part of your address, such as acme-test
CHARGEBEE_SITE=
# Chargebee: Settings > Configure Chargebee > API Keys and Webhooks > API Keys
CHARGEBEE_API_KEY=
# Chargebee: a long random text, the same under Webhooks > yours > basic authentication
CHARGEBEE_WEBHOOK_PASSWORD=
""",
    "zuora": """\
# Zuora: the address of your data centre, such as https://rest.eu.zuora.com
ZUORA_URL=
# Zuora: Settings > Administration > Manage Users > yours > New OAuth Client
ZUORA_CLIENT_ID=
ZUORA_CLIENT_SECRET=
# Zuora: a long random text, the same in the callout's basic authentication
ZUORA_WEBHOOK_PASSWORD=
""",
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

FLOWS_HEAD = """
# What is kept in agreement, from where to where. Issued documents are created once and then only
# compared: what differs becomes a break, which a person corrects with a credit note or a void.
flows:
"""
BILLERS = ("stripe", "chargebee", "zuora")
# With a CRM that owns the customers, and without one.
_OWNED = """\
  - entity: customer                 # {crm} owns the customers: whom {biller} bills
    from: {crm}
    to: {biller}
    fields: [name]
    # where: {{custom.billing_system: [{biller}]}}   # by a field of yours: docs/mappings.md
    both_changed: flag               # owner | newest | flag: ask a person
"""
_KEPT = """\
  - entity: customer
    from: {crm}
    to: {ledger}
    fields: [name]
    both_changed: flag
"""
_MAILS = """\
  - {{entity: customer, from: {biller}, to: {ledger}, fields: [email], both_changed: flag}}
"""
_CUSTOMER = """\
  - entity: customer
    from: {biller}
    to: {ledger}
    match: [external_id, email]      # how records that nobody linked yet find each other
    owners: {{name: {biller}, email: {biller}}}
    both_changed: flag               # owner | newest | flag: ask a person
"""
_DOCUMENTS = """\
  - {{entity: product, from: {biller}, to: {ledger}, match: [external_id, name]}}
  - entity: invoice
    from: {biller}
    to: {ledger}
    match: [external_id, number]
    # starts_on: 2026-01-01          # older documents are compared, never created
    compare:
      status: {{same: [[open, uncollectible]]}}   # NetSuite keeps what is uncollectible open
  - entity: payment
    from: {biller}
    to: {ledger}
    # starts_on: 2026-01-01
  - entity: credit_note
    from: {biller}
    to: {ledger}
    match: [external_id, number]
    # starts_on: 2026-01-01
  - entity: refund
    from: {biller}
    to: {ledger}
    # starts_on: 2026-01-01
"""
_PAYOUTS = """\
  - {entity: payout, from: stripe, to: netsuite, mode: compare}   # deposits are made by hand
"""


def flows_text(systems: list[str]) -> str:
    """The flows that such a set of systems usually has; none where nothing keeps the books."""
    billers = [each for each in BILLERS if each in systems]
    crm = "salesforce" if "salesforce" in systems else ""
    ledger = "netsuite" if "netsuite" in systems else ""
    parts = []
    for biller in billers if crm else ():
        parts.append(_OWNED.format(crm=crm, biller=biller))
    if crm and ledger:
        parts.append(_KEPT.format(crm=crm, ledger=ledger))
    for biller in billers if ledger else ():
        parts.append((_MAILS if crm else _CUSTOMER).format(biller=biller, ledger=ledger))
        parts.append(_DOCUMENTS.format(biller=biller, ledger=ledger))
    if {"stripe", "netsuite"} <= set(systems):
        parts.append(_PAYOUTS)
    return FLOWS_HEAD + "".join(parts) if parts else "\nflows: []\n"


TAIL = """
guard:                      # a plan that does more than this stops and asks
  max_writes: 1000
  max_update_percent: 20
  max_archives: 20
  max_deletions: 20         # so many records may be found to be gone at a provider at once

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
    return HEAD + "".join(SYSTEMS[name] for name in systems) + flows_text(systems) + TAIL


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
