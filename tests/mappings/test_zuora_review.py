"""Zuora's rarer words, shapes and figures, after the v1 description; reckoned by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tieout.cli.main import cli
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping
from tieout.mappings.zuora_forms import read_payload, seen_on
from tieout.reconcile.books import check

Raw = dict[str, Any]
MAPPING = load_mapping("zuora")


def parse(entity: str, raw: Raw, *, today: str = "", **more: Any) -> Any:
    """What is found, after the canonical identities were checked."""
    decoded = read_payload(json.dumps(raw).encode())
    mapper = MAPPING.compile(system="z", **more)
    found = mapper.parse(entity, seen_on(decoded, today) if today else decoded)
    assert check(found) == []
    return found


def refusal(entity: str, raw: Raw, **more: Any) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        parse(entity, raw, **more)
    return caught.value


# customers, products, prices


def test_a_deleted_account_is_archived_and_keeps_what_zuora_called_it() -> None:
    found = parse("customer", {"id": "a", "name": "x", "status": "ACTIVE", "deleted": True})
    assert (found.deleted, found.status) == (True, "archived")
    assert found.custom["account_status"] == "ACTIVE"


@pytest.mark.parametrize(
    "told, hour",
    [
        ("2026-07-01 10:00:00", 17),  # v1: the tenant's zone, seven hours behind
        ("2026-07-01T10:00:00.000+02:00", 8),  # Actions
        ("2026-07-01T10:00:00.000-0400", 14),
        ("2026-07-01T10:00:00Z", 10),  # Object Query
        ("2026-07-01T10:00:00.00Z", 10),  # Data Query
        ("2026-07-01 10:00:00.000 UTC", 10),
        ("2026-07-01 10:00:00.000 +00:00", 10),
        ("2026-07-01 10:00:00.000 Asia/Tokyo", 1),
    ],
)
def test_times_in_all_their_forms(told: str, hour: int) -> None:
    raw = {"id": "a", "name": "x", "status": "Active", "updatedDate": told}
    found = parse("customer", raw, timezone="America/Los_Angeles")
    assert found.updated_at == datetime(2026, 7, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize("told", ["yesterday", "2026-07-01 10:00:00 Mars/Base", "2026-07-01 99:00"])
def test_a_time_that_cannot_be_read_is_refused(told: str) -> None:
    raw = {"id": "a", "name": "x", "status": "Active", "updatedDate": told}
    assert "field updated_at" in refusal("customer", raw).where


def test_the_company_code_of_a_tax_engine_is_no_tax_id() -> None:
    raw = {"basicInfo": {"id": "a", "name": "x", "status": "Active"},
           "taxInfo": {"companyCode": "AVALARA-1", "VATId": None}}  # fmt: skip
    assert parse("customer", raw).tax_id is None


@pytest.mark.parametrize(
    "end, active", [("2026-06-30", False), ("2026-07-01", True), (None, True), ("2030-01-01", True)]
)
def test_a_product_is_active_until_its_end(end: str | None, active: bool) -> None:
    raw = {"Id": "p", "Name": "x", "EffectiveStartDate": "2020-01-01", "EffectiveEndDate": end}
    assert parse("product", raw, today="2026-06-30").active is active
    assert parse("product", raw).active is None  # nobody said when it was read


CATALOGUE = {
    "id": "p", "sku": "S", "name": "API",
    "productRatePlans": [
        {"id": "rp", "name": "Plan", "effectiveEndDate": "2030-01-01", "productRatePlanCharges": [
            {"id": "c", "name": "Calls", "type": "Usage", "model": "PerUnit",
             "billingPeriod": "Quarter", "pricing": [{"currency": "BHD", "price": 0.0125}]},
        ]},
    ],
}  # fmt: skip


def test_a_charge_inside_its_product_is_the_price() -> None:
    found = parse("price", {"products": [CATALOGUE], "success": True}, today="2026-01-01")
    assert (found.id, found.product_id, found.name, found.active) == ("c", "p", "Calls", True)
    assert (found.unit_amount, found.currency, found.usage) == ("0.0125", "BHD", "metered")
    assert (found.interval, found.interval_count) == ("month", 3)  # usage is billed by quarter
    assert "0 charges" in refusal("price", {**CATALOGUE, "productRatePlans": []}).message


def test_the_tiers_of_a_capitalised_charge() -> None:
    tiers = [{"Currency": "EUR", "Price": 9.99, "PriceFormat": "Per Unit"}]
    raw = {"Id": "c", "Name": "x", "ChargeType": "Recurring", "ChargeModel": "Per Unit Pricing",
           "BillingPeriod": "Semi-Annual",
           "ProductRatePlanChargeTierData": {"ProductRatePlanChargeTier": tiers}}  # fmt: skip
    found = parse("price", raw)
    assert (found.currency, found.unit_amount, found.scheme) == ("EUR", "9.99", "per_unit")
    assert (found.interval, found.interval_count) == ("month", 6)


def test_a_charge_in_several_currencies_is_read_in_the_one_that_is_asked_for() -> None:
    tiers = [
        {"tier": 2, "startingUnit": 11, "price": 0.5},
        {"tier": 1, "endingUnit": 10, "price": 1},
    ]
    raw = {
        "id": "c",
        "name": "x",
        "type": "Recurring",
        "model": "Tiered",
        "billingPeriod": "Week",
        "pricing": [{"currency": "EUR", "tiers": tiers}, {"currency": "USD", "tiers": []}],
    }
    found = parse("price", raw, currency="EUR")
    assert (found.id, found.currency) == ("c:EUR", "EUR")
    assert [(tier.up_to, tier.unit_amount) for tier in found.tiers] == [("10", "1"), (None, "0.5")]
    assert "EUR, USD" in refusal("price", raw, currency="JPY").message


# subscriptions and orders

SUBSCRIPTION = {
    "id": "v3", "subscriptionNumber": "A-S1", "accountId": "a", "termType": "TERMED",
    "termStartDate": "2026-01-01", "termEndDate": "2027-01-01", "autoRenew": True,
    "status": "Active", "subscriptionStartDate": "2026-01-01",
}  # fmt: skip


def test_cancelled_for_a_day_to_come_goes_on_until_then() -> None:
    raw = {**SUBSCRIPTION, "status": "Cancelled", "cancelledDate": "2026-08-31"}
    until = datetime(2026, 8, 31, 4, tzinfo=UTC)  # midnight in New York
    before = parse("subscription", raw, today="2026-08-30", timezone="America/New_York")
    assert (before.status, before.auto_renew) == ("non_renewing", False)
    assert (before.cancel_at, before.ended_at) == (until, None)
    after = parse("subscription", raw, today="2026-08-31", timezone="America/New_York")
    assert (after.status, after.cancel_at, after.ended_at) == ("canceled", None, until)


def test_what_is_set_to_end_does_not_renew() -> None:
    found = parse("subscription", {**SUBSCRIPTION, "cancelledDate": "2026-08-31"})
    assert (found.status, found.auto_renew) == ("non_renewing", False)


def test_a_charge_is_billed_as_far_as_any_of_its_segments() -> None:
    charge = {"number": "C-1", "type": "Recurring", "model": "PerUnit", "billingPeriod": "Month"}
    segments = [
        {**charge, "segment": 1, "chargedThroughDate": "2026-03-01", "quantity": 1},
        {**charge, "segment": 2, "chargedThroughDate": None, "quantity": 2},
        {**charge, "number": "C-2", "segment": 1, "chargedThroughDate": "2026-04-01"},
        {**charge, "number": "C-3", "type": "Usage", "chargedThroughDate": "2026-02-01"},
    ]
    found = parse("subscription", {**SUBSCRIPTION, "ratePlans": [{"ratePlanCharges": segments}]})
    assert found.current_period_end_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert (found.items[0].id, found.items[0].quantity) == ("C-1", "2")
    assert found.items[2].interval == "month"


def test_out_of_term_is_over_since_the_term_s_end() -> None:
    found = parse("subscription", {**SUBSCRIPTION, "status": "OutOfTerm", "autoRenew": False})
    assert (found.status, found.ended_at) == ("canceled", datetime(2027, 1, 1, tzinfo=UTC))


def test_an_order_without_dates_of_its_own_takes_effect_when_it_is_signed() -> None:
    action = {"type": "CreateSubscription", "createSubscription": {
        "terms": {"initialTerm": {"period": 2, "periodType": "Year"}}}}  # fmt: skip
    raw = {"orderNumber": "O-1", "orderDate": "2026-01-05", "status": "Completed",
           "subscriptions": [{"subscriptionNumber": "S", "orderActions": [action]}]}  # fmt: skip
    found = parse("contract", {"success": True, "order": raw})
    assert (found.signed_on, found.starts_on) == (date(2026, 1, 5), date(2026, 1, 5))
    assert (found.term_months, found.custom["subscriptions"]) == (24, "S")


# documents

INVOICE = {
    "id": "i", "invoiceNumber": "INV1", "accountId": "a", "currency": "USD", "status": "Posted",
    "amount": 97.2, "amountWithoutTax": 90, "taxAmount": 7.2, "balance": 97.2,
    "invoiceDate": "2026-01-31",
}  # fmt: skip


def test_a_discount_that_only_the_header_tells() -> None:
    line = {"id": "l", "chargeAmount": 100, "taxAmount": 7.2, "processingType": "Charge"}
    found = parse("invoice", {**INVOICE, "discount": -10, "invoiceItems": [line]})
    assert (found.subtotal_minor, found.discount_minor, found.total_minor) == (10000, 1000, 9720)
    net = {**line, "chargeAmount": 90}  # already less the discount
    found = parse("invoice", {**INVOICE, "discount": -10, "invoiceItems": [net]})
    assert (found.subtotal_minor, found.discount_minor) == (9000, 0)


@pytest.mark.parametrize(
    "payment, paid",
    [(100, 8000), (80, 8000)],  # Invoice Settlement off, and on
)
def test_what_was_refunded_is_not_paid_any_more(payment: int, paid: int) -> None:
    raw = {**INVOICE, "amount": 100, "amountWithoutTax": 100, "taxAmount": 0, "balance": 20,
           "paymentAmount": payment, "refundAmount": 20, "creditMemoAmount": 0}  # fmt: skip
    assert parse("invoice", raw).paid_minor == paid
    del raw["creditMemoAmount"]  # as without Invoice Settlement
    assert (parse("invoice", raw).paid_minor, parse("invoice", raw).credited_minor) == (paid, 0)


def test_a_split_invoice_owes_nothing() -> None:
    found = parse("invoice", {**INVOICE, "status": "Split"})
    assert (found.status, found.balance_minor) == ("void", 0)


@pytest.mark.parametrize(
    "balance, status, paid", [(110, "open", 0), (60, "open", 5000), (0, "paid", 11000)]
)
def test_a_debit_memo_without_its_parts_counts_what_is_gone_as_paid(
    balance: int, status: str, paid: int
) -> None:
    raw = {"id": "d", "number": "DM1", "debitMemoDate": "2026-01-05", "currency": "USD",
           "status": "Posted", "amount": 110, "taxAmount": 10, "balance": balance,
           "beAppliedAmount": 110 - balance}  # fmt: skip
    found = parse("invoice", raw)
    assert (found.kind, found.status, found.paid_minor) == ("debit_memo", status, paid)


MEMO = {
    "id": "m", "number": "CM1", "accountId": "a", "currency": "USD", "status": "Posted",
    "creditMemoDate": "2026-01-05", "amount": 110, "taxAmount": 10, "appliedAmount": 50,
    "refundAmount": 20, "unappliedAmount": 40,
}  # fmt: skip


def test_the_tax_within_a_memo_item_and_its_allocations() -> None:
    item = {"id": "x", "amount": 110, "amountWithoutTax": 100, "taxMode": "TaxInclusive"}
    parts = [{"invoiceId": "i9", "amount": 50}]
    found = parse("credit_note", {**MEMO, "items": [item], "parts": parts})
    assert (found.lines[0].amount_minor, found.lines[0].tax_minor) == (10000, 1000)
    assert (found.status, found.balance_minor, found.subtotal_minor) == ("issued", 4000, 10000)
    assert [(a.invoice_id, a.amount_minor) for a in found.allocations] == [("i9", 5000)]


def test_taxes_of_versions_before_239() -> None:
    item = {"id": "x", "amount": 100, "creditTaxItems": [{"taxAmount": 6}, {"taxAmount": 4}]}
    assert parse("credit_note", {**MEMO, "items": [item]}).lines[0].tax_minor == 1000


def test_an_adjustment_that_charges_is_no_credit_note() -> None:
    raw = {"Id": "x", "AdjustmentNumber": "IA-1", "AdjustmentDate": "2026-01-01", "Amount": 5,
           "InvoiceId": "i", "Status": "Processed", "Currency": "USD"}  # fmt: skip
    assert "no credit note" in refusal("credit_note", {**raw, "Type": "Charge"}).message
    assert parse("credit_note", {**raw, "Type": "Credit"}).allocated_minor == 500


@pytest.mark.parametrize("entity", ["invoice", "credit_note"])
def test_all_of_a_draft_is_open(entity: str) -> None:
    raw = {"id": "x", "currency": "USD", "status": "Draft", "amount": 12.5, "taxAmount": 0}
    found = parse(entity, raw)
    assert (found.status, found.balance_minor, found.issued_on) == ("draft", 1250, None)


# payments


PAYMENT = {"id": "p", "amount": 10, "currency": "USD", "status": "Processed"}


@pytest.mark.parametrize(
    "type", ["SEPA", "Bacs", "Becs", "Becsnz", "PAD", "Autogiro", "Betalingsservice"]
)
def test_bank_debits_of_the_world(type: str) -> None:
    assert parse("payment", {**PAYMENT, "paymentMethod": {"type": type}}).method == "bank_debit"


def test_the_invoice_payments_of_a_capitalised_payment() -> None:
    one = {"InvoiceId": "i", "Amount": 10}
    raw = {"Id": "p", "Amount": 10, "Currency": "USD", "Status": "Processed",
           "EffectiveDate": "2016-10-20T00:00:00.000-07:00",
           "InvoicePaymentData": {"InvoicePayment": [one]}}  # fmt: skip
    found = parse("payment", raw)
    assert [(a.invoice_id, a.amount_minor) for a in found.allocations] == [("i", 1000)]
    assert found.received_at == datetime(2016, 10, 20, tzinfo=UTC)


# usage and journals


def test_usage_was_made_when_it_was_submitted() -> None:
    raw = {"id": "u", "quantity": 0.000000001, "startDateTime": "2026-01-01 00:00:00",
           "submissionDateTime": "2026-01-02 00:00:00", "unitOfMeasure": "GB"}  # fmt: skip
    found = parse("usage", raw, timezone="Asia/Tokyo")
    assert found.created_at == datetime(2026, 1, 1, 15, tzinfo=UTC)
    assert (found.quantity, found.metric) == ("0.000000001", "GB")


JOURNAL = {
    "number": "JE-1", "status": "Created", "journalEntryDate": "2026-01-31", "currency": "JPY",
    "homeCurrency": "USD",
    "journalEntryItems": [
        {"accountingCodeName": "AR", "type": "Debit", "amount": 1000, "homeCurrencyAmount": 7.12},
        {"accountingCodeName": "Sales", "type": "Credit", "amount": 1000,
         "homeCurrencyAmount": 7.12},
    ],
}  # fmt: skip


def test_an_entry_over_several_currencies_is_in_the_home_currency() -> None:
    own = parse("journal_entry", JOURNAL)
    assert (own.currency, own.lines[0].debit_minor) == ("JPY", 1000)
    home = parse("journal_entry", {**JOURNAL, "currency": None, "aggregateCurrency": True})
    assert (home.currency, home.lines[0].debit_minor, home.lines[1].credit_minor) == (
        "USD", 712, 712,
    )  # fmt: skip
    assert home.custom["currency_from"] == "home"
    unknown = refusal("journal_entry", {**JOURNAL, "status": "Dreamt"})
    assert "field status" in unknown.where and "Created" in unknown.hint


# what is refused


@pytest.mark.parametrize(
    "entity, raw, field",
    [
        ("invoice", {**INVOICE, "status": None}, "status"),
        ("invoice", {**INVOICE, "amount": None}, "total_minor"),
        ("payment", {**PAYMENT, "amount": ""}, "amount_minor"),
        ("payment", {"id": "p", "amount": 10, "currency": "USD"}, "status"),
        ("refund", {"id": "r", "status": "Processed", "currency": "USD"}, "amount_minor"),
        ("credit_note", {**MEMO, "amount": None, "taxAmount": None}, "total_minor"),
        ("usage", {"id": "u", "unitOfMeasure": "GB"}, "quantity"),
        ("subscription", {"id": "v", "name": "S"}, "status"),
        ("invoice", {**INVOICE, "invoiceItems": ["x"]}, "invoiceitems"),
        ("invoice", {**INVOICE, "invoiceItems": "x"}, "invoiceitems"),
        ("invoice", {**INVOICE, "invoiceDate": "2026-01-31st"}, "issued_on"),
        ("subscription", {**SUBSCRIPTION, "currentTerm": 1.5}, "currentterm"),
        ("customer", {"id": "a", "name": "x", "status": "Active", "billTo": [1]}, "billto"),
    ],
)
def test_what_is_missing_or_of_another_shape_is_refused_by_name(
    entity: str, raw: Raw, field: str
) -> None:
    assert f"field {field}" in refusal(entity, raw).where


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "processId": "1", "reasons": [{"code": 53100040, "message": "gone"}]},
        [{"Success": False, "Errors": [{"Code": "INVALID_VALUE", "Message": "gone"}]}],
    ],
)
def test_a_refusal_of_zuora_s_is_no_record(answer: Any) -> None:
    with pytest.raises(InvalidRecord, match=r"Zuora's refusal, not a record.*gone"):
        read_payload(json.dumps(answer).encode())


# the way back


@pytest.mark.parametrize(
    "unit, count, period",
    [
        ("month", 12, {"BillingPeriod": "Annual"}),
        ("year", 1, {"BillingPeriod": "Annual"}),
        ("year", 2, {"BillingPeriod": "Specific Months", "SpecificBillingPeriod": 24}),
        ("month", 2, {"BillingPeriod": "Specific Months", "SpecificBillingPeriod": 2}),
        ("week", 1, {"BillingPeriod": "Week"}),
        ("week", 2, {"BillingPeriod": "Specific Weeks", "SpecificBillingPeriod": 2}),
    ],
)
def test_billing_periods_without_a_name_are_counted(unit: str, count: int, period: Raw) -> None:
    told = {"currency": "USD", "scheme": "flat", "unit_amount": "5", "interval": unit,
            "interval_count": count}  # fmt: skip
    body = MAPPING.compile(system="z").render("price", told, creating=True)
    assert {name: value for name, value in body.items() if "BillingPeriod" in name} == period


def test_a_line_names_the_charge_without_the_currency_of_the_price() -> None:
    line = {"price_id": "c1:USD", "amount_minor": 500}
    told = {"customer_id": "a", "currency": "USD", "total_minor": 500, "lines": [line]}
    mapper = MAPPING.compile(system="z")
    invoice = mapper.render("invoice", {**told, "status": "draft"}, creating=True)
    assert invoice["invoiceItems"] == [{"productRatePlanChargeId": "c1", "amount": Decimal("5.00")}]
    memo = mapper.render("credit_note", {**told, "status": "issued"}, creating=True)
    assert memo["charges"] == [{"productRatePlanChargeId": "c1", "amount": Decimal("5.00")}]


def test_the_mandatory_fields_of_an_invoice_s_items_and_taxes() -> None:
    """PostInvoiceItemType and PostTaxationItemType of the v1 description."""
    told = {"customer_id": "a", "currency": "USD", "status": "open", "issued_on": "2026-01-31",
            "subtotal_minor": 500, "tax_minor": 40, "total_minor": 540,
            "lines": [{"description": "Fee", "amount_minor": 500}]}  # fmt: skip
    mapper = MAPPING.compile(system="z", options={"tax_code": "VAT"})
    (item,) = mapper.render("invoice", told, creating=True)["invoiceItems"]
    assert (item["serviceStartDate"], item["chargeName"]) == ("2026-01-31", "Fee")
    assert item["taxItems"] == [
        {"name": "Tax", "taxAmount": Decimal("0.40"), "taxMode": "TaxExclusive", "taxCode": "VAT",
         "taxRate": Decimal("0.40"), "taxRateType": "FlatFee", "taxDate": "2026-01-31"}
    ]  # fmt: skip


def test_the_command_reads_a_record_as_of_today(tmp_path: Path) -> None:
    file = tmp_path / "product.json"
    for end, active in (("2020-01-01", False), ("2999-12-31", True)):
        file.write_text(json.dumps({"Id": "p", "Name": "x", "EffectiveEndDate": end}))
        asked = ["map", "--connector", "zuora", "--entity", "product", str(file), "--json"]
        done = CliRunner().invoke(cli, asked)
        assert done.exit_code == 0 and json.loads(done.stdout)["active"] is active
