"""The configuration of the demo: the template of `tieout init`, fitted to the stand-ins."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from .templates import config_text

BACKDATED_DAYS = 5  # documents that the company dates back, at most

OVERLAY = """\
# NetSuite fields in which an earlier integration left Stripe's ids.
customer: {external_ids: {stripe: custentity_stripe_id}}
product: {external_ids: {stripe: custitem_stripe_id}}
invoice: {external_ids: {stripe: custbody_stripe_id}}
payment: {external_ids: {stripe: custbody_stripe_id}}
credit_note: {external_ids: {stripe: custbody_stripe_id}}
refund: {external_ids: {stripe: custbody_stripe_id}}
payout: {external_ids: {stripe: custbody_stripe_id}}
"""


def write_config(folder: Path, started: dict[str, Any], company: Any) -> Path:
    """config.yaml, mapping overlay and secret files for these stand-ins."""
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    secrets.chmod(0o700)
    for name, each in started.items():
        for key, value in each.announced["credentials"].items():
            file = secrets / f"{name}_{key}"
            file.write_text(value)
            file.chmod(0o600)
    (folder / "netsuite-overlay.yaml").write_text(OVERLAY)
    config = folder / "config.yaml"
    text = _pointed_at(config_text(list(started)), started)
    config.write_text(_fitted(text, company))
    return config


def _pointed_at(text: str, started: dict[str, Any]) -> str:
    """The template with its secrets read from files and its addresses those of the stand-ins."""
    for reference, file in (
        ("${STRIPE_API_KEY}", "stripe_api_key"),
        ("${STRIPE_WEBHOOK_SECRET}", "stripe_webhook_secret"),
        ("${NETSUITE_ACCOUNT}", "netsuite_account"),
        ("${NETSUITE_CLIENT_ID}", "netsuite_client_id"),
        ("${NETSUITE_CERTIFICATE_ID}", "netsuite_certificate_id"),
        ("${file:netsuite-private.pem}", "netsuite_private_key"),
    ):
        text = text.replace(reference, f"${{file:secrets/{file}}}")
    for name, each in started.items():
        address = f"    type: {name}\n    base_url: {each.running.url}\n"
        text = text.replace(f"    type: {name}\n", address)
    return text


def _fitted(text: str, company: Any) -> str:
    """What this company's books need: accounts, items, and since when tieout writes."""
    own = company.settings
    begins = (company.now - timedelta(days=14 + BACKDATED_DAYS)).date()
    netsuite = (
        f'    subsidiary: "{own["subsidiary"]}"\n'
        f'    income_account: "{own["income_account"]}"\n'
        f'    bank_account: "{own["clearing_account"]}"\n'
        f'    item: "{_first_item(company)}"\n'
        "    calls_per_second: 500\n"
        "    payout_deposits: {field: custbody_stripe_id}\n"
        f'    options: {{tax_item: "{own["tax_item"]}", discount_item: "{own["discount_item"]}"}}\n'
    )
    quick = "    calls_per_second: 500\n    endpoint_calls_per_second: 500\n"
    return (
        text.replace("    type: stripe\n", f"    type: stripe\n{quick}")
        .replace("    # custom_fields: [", netsuite + "    custom_fields: [")
        .replace("    # mappings: netsuite-overlay.yaml ", "    mappings: netsuite-overlay.yaml ")
        .replace("# starts_on: 2026-01-01", f"starts_on: {begins}")
        .replace("max_writes: 1000", "max_writes: 100000")
        .replace("settle_minutes: 15 ", "settle_minutes: 0 ")
        .replace("  out: reports", "  out: .")
    )


def _first_item(company: Any) -> str:
    """What a line without a product is booked on (Stripe's credit note lines name none)."""
    return str(next(each["id"] for kind, each in company.netsuite if kind == "serviceSaleItem"))
