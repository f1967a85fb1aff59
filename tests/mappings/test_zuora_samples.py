"""Zuora's official samples: each maps, or is listed here with the reason why not.

The expected values were read off the payloads by hand, after domain/entities.md ("ruling").
"""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping
from tieout.mappings.zuora_forms import read_payload

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "zuora" / "samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="the official samples are not beside the repository"
)
MAPPING = load_mapping("zuora")
MAPPER = MAPPING.compile(system="zuora")

ENTITY_OF = {
    "account_get.json": "customer",
    "catalog_products_page.json": "product",
    "contact_create_response.json": "contact",
    "contact_get.json": "contact",
    "creditmemos_page.json": "credit_note",
    "debitmemo_get.json": "invoice",
    "invoice_get.json": "invoice",
    "journal_entry_get.json": "journal_entry",
    "object_query_accounts_last_page.json": "customer",
    "order_get.json": "contract",
    "payment_create_response.json": "payment",
    "payments_page.json": "payment",
    "product_rate_plans_of_product.json": "price",
    "refund_get.json": "refund",
    "subscription_get.json": "subscription",
    "usage_page.json": "usage",
    "warehouse_account.csv": "customer",
    "warehouse_contact.csv": "contact",
    "warehouse_invoice.csv": "invoice",
    "warehouse_order.csv": "contract",
    "warehouse_payment.csv": "payment",
    "warehouse_product.csv": "product",
    "warehouse_subscription.csv": "subscription",
}
NOT_MAPPED = {
    "account_create_response.json": "ids of what was made, not the record",
    "accounting_codes.json": "the chart of accounts is not in the model",
    "accounting_periods.json": "not in the model",
    "action_create_response.json": "ids of what was made",
    "action_query_401.json": "an error answer",
    "aqua_job_completed.json": "a job",
    "aqua_job_submitted.json": "a job",
    "async_job.json": "a job",
    "billing_documents_page.json": "a summary across kinds of documents",
    "callout_history_page.json": "the feed, not a record",
    "creditmemo_items_page.json": "lines of their memo",
    "data_query_400.json": "an error answer",
    "data_query_completed.json": "a job",
    "data_query_submitted.json": "a job",
    "describe_object_fields.xml": "a description of fields",
    "error_429_rate_limit_body.json": "an error answer",
    "error_v1_envelope.json": "an error answer",
    "event_trigger_create_response.json": "a setting",
    "invoice_application_parts.json": "applications of their invoice",
    "invoice_items_page.json": "lines of their invoice",
    "invoice_post_bulk.json": "outcomes of a bulk write",
    "invoice_taxation_items.json": "tax of a line",
    "oauth_token_response.json": "a login",
    "object_query_empty_page.json": "an empty page",
    "order_create_response.json": "numbers of what was made",
    "payment_parts.json": "allocations of their payment",
    "warehouse_amendment.csv": "a change of a subscription, not a record",
    "warehouse_invoice_item.csv": "lines of their invoice",
    "warehouse_invoice_payment.csv": "allocations of their payment",
    "warehouse_product_rate_plan.csv": "a price is one of its charges",
    "warehouse_rate_plan_charge.csv": "items of their subscription",
    "action_query_response.json": "an adjustment by Actions, which map as credit notes: see below",
}
CURRENCY = {"refund_get.json": "USD"}  # v1's refund has none; the connector adds the account's


def rows(name: str) -> list[dict[str, Any]]:
    """The records in a sample: of a page each one, of a table each line."""
    path = SAMPLES / name
    if name.endswith(".csv"):
        with path.open(newline="") as lines:
            return [dict(row) for row in csv.DictReader(lines)]
    try:
        return [read_payload(path.read_bytes())]
    except InvalidRecord:  # several on a page
        import json
        from decimal import Decimal

        page = json.loads(path.read_bytes(), parse_float=Decimal)
        return next(value for value in page.values() if isinstance(value, list))


def parsed(name: str) -> list[Any]:
    mapper = MAPPING.compile(system="zuora", currency=CURRENCY.get(name))
    return [mapper.parse(ENTITY_OF[name], row) for row in rows(name)]


def test_every_sample_is_known() -> None:
    names = {path.name for path in SAMPLES.iterdir()} - {"SOURCES.md"}
    assert names == ENTITY_OF.keys() | NOT_MAPPED.keys()


def test_every_sample_of_ours_maps(capsys: pytest.CaptureFixture[str]) -> None:
    count = sum(len(parsed(name)) for name in ENTITY_OF)
    with capsys.disabled():
        print(f"\n{count} records of {len(ENTITY_OF)} Zuora samples mapped; not mapped:")
        for name, reason in NOT_MAPPED.items():
            print(f"  {name}: {reason}")
    assert count >= len(ENTITY_OF)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> Any:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


EXPECTED: dict[str, dict[str, Any]] = {
    "account_get.json": {
        "id": "402892c74c9193cd014c91d35b0a0132", "name": "Test", "status": "active",
        "currency": "USD", "payment_terms_days": 30, "email": "contact@example.com",
        "credit_minor": 0, "receivable_minor": 0, "billing_address": None, "external_ids": {},
        "custom.account_number": "A00000001", "custom.auto_pay": True,
    },
    "contact_get.json": {
        "first_name": "peter", "last_name": "parker", "email": "work.mail@example.com",
        "phone": "3432", "customer_id": "72756e2061726e642026206465736572742075", "role": None,
    },
    "contact_create_response.json": {
        "email": "kuhiroll@example.com", "phone": "123213",  # no work ones: personal, mobile
    },
    "catalog_products_page.json": {
        "name": "ABC", "sku": "SKU-00000987", "description": None, "active": None,
        "custom.effective_end": "2020-01-01",
    },
    "product_rate_plans_of_product.json": {
        "id": "40289f4664641276016464740dd0001c", "name": "New Component", "currency": "USD",
        "scheme": "flat", "unit_amount": "100", "interval": "month", "interval_count": 1,
        "usage": "licensed", "tiers": None,
    },
    "invoice_get.json": {
        "kind": "invoice", "number": "INV00000001", "status": "open", "currency": "USD",
        "issued_on": date(2022, 10, 31), "due_on": date(2022, 11, 30), "subtotal_minor": 70000,
        "discount_minor": 0, "tax_minor": 0, "total_minor": 70000, "paid_minor": 0,
        "credited_minor": 0, "adjustment_minor": 0, "balance_minor": 70000,
        "created_at": at(2022, 12, 8, 19, 49, 16), "updated_at": at(2022, 12, 8, 19, 51, 23),
        "external_ids": {"netsuite": "string"}, "custom.complexity__c": "Middle",
        "memo": None,
    },
    "debitmemo_get.json": {
        "kind": "debit_memo", "number": "DM00000001", "status": "draft", "total_minor": 10000,
        "issued_on": None,  # a draft
        "balance_minor": 10000, "paid_minor": 0, "credited_minor": 0, "memo": "This is a comment",
    },
    "creditmemos_page.json": {
        "number": "CM00000002", "status": "draft", "currency": "USD", "total_minor": 2300,
        "subtotal_minor": 2300, "tax_minor": 0, "balance_minor": 2300, "allocated_minor": 0,
        "refunded_minor": 0, "invoice_id": None, "reason": "Correcting invoice error",
        "issued_on": None,
    },
    "payments_page.json": {
        "amount_minor": 4410, "status": "succeeded", "currency": "USD", "refunded_minor": 0,
        "received_at": at(2017, 3, 1), "gateway_id": None, "method": None, "reference": None,
    },
    "refund_get.json": {
        "amount_minor": 400, "status": "succeeded", "reason": "Standard Refund",
        "payment_id": "4028905f5a87c0ff015a889ddfb800c0", "credit_note_id": None,
        "refunded_at": at(2017, 3, 1),
    },
    "subscription_get.json": {
        "id": "A-S00007412", "number": "A-S00007412", "status": "active", "auto_renew": True,
        "currency": "USD", "started_at": at(2017, 1, 1), "term_months": 12, "cancel_at": None,
        "customer_id": "8a8082c45aa81b51015ad64396090f5c", "items.0.id": "C-00032238",
        "items.0.price_id": "8a8082c45aa81b51015ad5a655c00e8f", "items.0.unit_amount": "100",
        "items.0.product_id": "8a8082c45aa81b51015ad5a2d07d0e89", "items.0.interval": "year",
        "items.0.interval_count": 1, "items.0.quantity": "1", "items.1.discount_minor": 1000,
        "items.1.unit_amount": None, "items.2.unit_amount": "9",
    },
    "order_get.json": {
        "kind": "order", "id": "O-00000282", "status": "active", "currency": "USD",
        "signed_on": date(2018, 10, 1), "starts_on": date(2018, 12, 1), "total_minor": 1000000,
        "lines.0.quantity": "2", "lines.0.unit_amount": "5000", "lines.0.description": "webcam",
        "created_at": at(2018, 12, 13, 17, 21, 43),
    },
    "usage_page.json": {
        "subscription_id": "A-S00000224", "metric": "Ads", "quantity": "100", "item_id": None,
        "starts_at": at(2023, 1, 15), "custom.timeofuse__c": "Off-Peak",
    },
    "journal_entry_get.json": {
        "id": "JE-00000001", "posted_on": date(2016, 1, 31), "currency": "USD", "deleted": False,
        "lines.0.account": "Deferred Revenue", "lines.0.debit_minor": 42408,
        "lines.0.credit_minor": None, "lines.1.credit_minor": 42408,
        "lines.1.account": "Professional Services Revenue",
    },
    "warehouse_account.csv": {
        "name": "Test Name 1", "status": "active", "payment_terms_days": 0, "deleted": False,
    },
    "warehouse_invoice.csv": {
        "number": "INV00000030", "status": "paid", "total_minor": 7036, "subtotal_minor": 6500,
        "tax_minor": 536, "paid_minor": 7036, "credited_minor": 0, "balance_minor": 0,
        "currency": "USD", "custom.reversed": False,
    },
    "warehouse_payment.csv": {
        "amount_minor": 46750000, "currency": "AUD", "status": "succeeded",
        "received_at": at(2015, 1, 17),
    },
    "warehouse_subscription.csv": {
        "id": "A-S00000019", "status": "incomplete", "term_months": 36,
    },
}  # fmt: skip


def value_at(record: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(record, tuple):
            record = record[int(part)]
        elif isinstance(record, dict):
            record = record.get(part)
        else:
            record = getattr(record, part)
    return record


CASES = [(name, path) for name, fields in EXPECTED.items() for path in fields]


@pytest.mark.parametrize("name, path", CASES)
def test_a_field_has_the_value_that_stands_in_the_payload(name: str, path: str) -> None:
    assert value_at(parsed(name)[0], path) == EXPECTED[name][path]


def test_an_adjustment_by_actions_is_a_credit_note() -> None:
    mapper = MAPPING.compile(system="zuora", currency="USD")
    raw = read_payload((SAMPLES / "action_query_response.json").read_bytes())
    note = mapper.parse("credit_note", raw)
    assert (note.total_minor, note.allocated_minor, note.balance_minor) == (120, 120, 0)  # type: ignore[union-attr]
    assert note.updated_at == at(2016, 10, 20, 3, 46, 14)  # given as 05:46:14+02:00


@pytest.mark.parametrize("name", [n for n in ENTITY_OF if not n.startswith("warehouse")])
def test_no_field_of_a_sample_is_unknown(name: str) -> None:
    assert MAPPER.unknown_fields(ENTITY_OF[name], rows(name)[0]) == []
