"""The configuration of the demo: the template of `tieout init`, fitted to the stand-ins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from .templates import BILLERS, config_text

BACKDATED_DAYS = 5  # documents that the company dates back, at most
DOCUMENTS = ("invoice", "payment", "credit_note", "refund")
# What stands in the template in place of a secret -> the credential of the stand-in.
REFERENCES = {
    "${SALESFORCE_CLIENT_ID}": "salesforce_client_id",
    "${SALESFORCE_CLIENT_SECRET}": "salesforce_client_secret",
    "${STRIPE_API_KEY}": "stripe_api_key",
    "${STRIPE_WEBHOOK_SECRET}": "stripe_webhook_secret",
    "${CHARGEBEE_SITE}": "chargebee_site",
    "${CHARGEBEE_API_KEY}": "chargebee_api_key",
    "${CHARGEBEE_WEBHOOK_PASSWORD}": "chargebee_webhook_password",
    "${ZUORA_CLIENT_ID}": "zuora_client_id",
    "${ZUORA_CLIENT_SECRET}": "zuora_client_secret",
    "${ZUORA_WEBHOOK_PASSWORD}": "zuora_webhook_password",
    "${NETSUITE_ACCOUNT}": "netsuite_account",
    "${NETSUITE_CLIENT_ID}": "netsuite_client_id",
    "${NETSUITE_CERTIFICATE_ID}": "netsuite_certificate_id",
    "${file:netsuite-private.pem}": "netsuite_private_key",
}
ADDRESSES = {"${SALESFORCE_URL}": "salesforce", "${ZUORA_URL}": "zuora"}


def write_config(folder: Path, started: dict[str, Any], company: Any) -> Path:
    """config.yaml, mapping overlays and secret files for these stand-ins."""
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    secrets.chmod(0o700)
    for name, each in started.items():
        for key, value in each.announced["credentials"].items():
            file = secrets / f"{name}_{key}"
            file.write_text(value)
            file.chmod(0o600)
    billers = [each for each in BILLERS if each in started]
    (folder / "netsuite-overlay.yaml").write_text(_ledger_overlay(billers, "salesforce" in started))
    if "salesforce" in started:
        (folder / "salesforce-overlay.yaml").write_text(_crm_overlay(billers))
    config = folder / "config.yaml"
    text = _pointed_at(config_text(list(started)), started)
    config.write_text(_fitted(text, company, started))
    return config


def _ledger_overlay(billers: list[str], crm: bool) -> str:
    """NetSuite's fields in which an earlier integration left the ids of the other systems."""
    lines = ["# NetSuite fields in which an earlier integration left the other systems' ids."]
    sources = [*(["salesforce"] if crm else []), *billers]
    lines.append("customer: {external_ids: {" + _fields("custentity", sources) + "}}")
    lines.append("product: {external_ids: {" + _fields("custitem", ["stripe"]) + "}}")
    for entity in DOCUMENTS:
        lines.append(entity + ": {external_ids: {" + _fields("custbody", billers) + "}}")
    lines.append("payout: {external_ids: {" + _fields("custbody", ["stripe"]) + "}}")
    return "\n".join(lines) + "\n"


def _fields(prefix: str, systems: list[str]) -> str:
    return ", ".join(f"{name}: {prefix}_{name}_id" for name in systems)


def _crm_overlay(billers: list[str]) -> str:
    """Salesforce's fields that say who bills an account, and under which id."""
    lines = [
        "# Fields of ours: who bills an account, and its customer id there.",
        "customer:",
        "  custom: {billing_system: Billing_System__c}",
        "  external_ids:",
    ]
    for name in billers:
        lines.append(f"    {name}: {{path: Billing_Id__c, when: {{Billing_System__c: {name}}}}}")
    return "\n".join(lines) + "\n"


def _pointed_at(text: str, started: dict[str, Any]) -> str:
    """The template with its secrets read from files and its addresses those of the stand-ins."""
    for reference, file in REFERENCES.items():
        text = text.replace(reference, f"${{file:secrets/{file}}}")
    for reference, name in ADDRESSES.items():
        if name in started:
            text = text.replace(reference, started[name].running.url)
    for name, each in started.items():
        if name not in ADDRESSES.values():
            address = f"    type: {name}\n    base_url: {each.running.url}\n"
            text = text.replace(f"    type: {name}\n", address)
    return text


def _fitted(text: str, company: Any, started: dict[str, Any]) -> str:
    """What this company's books need: accounts, items, and since when tieout writes."""
    begins = (company.now - timedelta(days=14 + BACKDATED_DAYS)).date()
    for name, more in _own_settings(company, started):
        text = text.replace(f"    type: {name}\n", f"    type: {name}\n{more}")
    return (
        text.replace("    # custom_fields: [custentity_stripe_id, custitem_stripe_id, "
                     "custbody_stripe_id]", f"    custom_fields: [{_custom_fields(started)}]")
        .replace("    # mappings: netsuite-overlay.yaml ", "    mappings: netsuite-overlay.yaml ")
        .replace("    # mappings: salesforce-overlay.yaml", "    mappings: salesforce-overlay.yaml")
        .replace("    # where: {custom.billing_system", "    where: {custom.billing_system")
        .replace("# starts_on: 2026-01-01", f"starts_on: {begins}")
        .replace("max_writes: 1000", "max_writes: 100000")
        .replace("settle_minutes: 15 ", "settle_minutes: 0 ")
        .replace("  out: reports", "  out: .")
    )  # fmt: skip


def _own_settings(company: Any, started: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(connector type, lines): the demo must not take as long as the providers' limits would."""
    own = company.settings
    if "netsuite" in started:
        yield (
            "netsuite",
            (
                f'    subsidiary: "{own["subsidiary"]}"\n'
                f'    income_account: "{own["income_account"]}"\n'
                f'    bank_account: "{own["clearing_account"]}"\n'
                f'    item: "{_first_item(company)}"\n'
                "    calls_per_second: 500\n"
                "    payout_deposits: {field: custbody_stripe_id}\n"
                f'    options: {{tax_item: "{own["tax_item"]}", '
                f'discount_item: "{own["discount_item"]}"}}\n'
            ),
        )
    if "salesforce" in started:
        yield "salesforce", "    fields: {customer: [Billing_System__c, Billing_Id__c]}\n"
    if "chargebee" in started:
        yield "chargebee", "    calls_per_minute: 3000\n"
    if "stripe" in started:
        yield "stripe", "    calls_per_second: 500\n    endpoint_calls_per_second: 500\n"


def _custom_fields(started: dict[str, Any]) -> str:
    billers = [each for each in BILLERS if each in started]
    sources = [*(["salesforce"] if "salesforce" in started else []), *billers]
    names = [f"custentity_{name}_id" for name in sources] + ["custitem_stripe_id"]
    return ", ".join(names + [f"custbody_{name}_id" for name in billers])


def _first_item(company: Any) -> str:
    """What a line without a product is booked on (Stripe's credit note lines name none)."""
    return str(next(each["id"] for kind, each in company.netsuite if kind == "serviceSaleItem"))
