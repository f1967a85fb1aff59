"""Zuora's several forms of one thing, its figures and words; expectations reckoned by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieout.connectors.zuora.finding import mark_of, number_of
from tieout.core.errors import ConfigError, InvalidRecord
from tieout.mappings import load_mapping
from tieout.mappings.zuora_forms import read_payload

KEY = "0123456789abcdef0123456789abcdef"
MAPPING = load_mapping("zuora")
MAPPER = MAPPING.compile(system="z")
Raw = dict[str, Any]


def parse(entity: str, raw: Raw, **more: Any) -> Any:
    mapper = MAPPING.compile(system="z", **more) if more else MAPPER
    return mapper.parse(entity, json.loads(json.dumps(raw), parse_float=Decimal))


# one thing, several forms

QUERY_MEMO = {
    "id": "m1", "memoNumber": "CM1", "accountId": "a", "currency": "USD", "memoDate": "2026-01-05",
    "status": "Posted", "totalAmount": 11.0, "taxAmount": 1.0, "appliedAmount": 4.0,
    "refundAmount": 0.0, "balance": 7.0, "comments": "sorry", "reasonCode": "Goodwill",
    "invoiceId": "i1", "createdDate": "2026-01-05T08:00:00Z", "updatedDate": "2026-01-06T08:00:00Z",
    "reversed": False, "sourceType": "Invoice", "transferredToAccounting": "No",
}  # fmt: skip
V1_MEMO = {
    "id": "m1", "number": "CM1", "accountId": "a", "accountNumber": "A1", "currency": "USD",
    "creditMemoDate": "2026-01-05", "status": "Posted", "amount": 11, "taxAmount": 1,
    "appliedAmount": 4, "refundAmount": 0, "unappliedAmount": 7, "comment": "sorry",
    "reasonCode": "Goodwill", "referredInvoiceId": "i1", "createdDate": "2026-01-05 08:00:00",
    "updatedDate": "2026-01-06 08:00:00", "reversed": False, "sourceType": "Invoice",
    "transferredToAccounting": "No", "success": True,
}  # fmt: skip
V1_INVOICE = {
    "id": "i1", "invoiceNumber": "INV1", "accountId": "a", "currency": "EUR", "amount": "119.0",
    "amountWithoutTax": "100.0", "taxAmount": "19.0", "balance": "69.0", "paymentAmount": "50.0",
    "creditMemoAmount": "0.0", "adjustmentAmount": "0.0", "refundAmount": "0.0",
    "status": "Posted", "invoiceDate": "2026-01-05", "dueDate": "2026-02-04",
    "createdDate": "2026-01-05 08:00:00", "updatedDate": "2026-01-06 08:00:00", "discount": 0.0,
}  # fmt: skip
QUERY_INVOICE = {
    **V1_INVOICE, "amount": 119.0, "amountWithoutTax": 100.0, "taxAmount": 19.0, "balance": 69.0,
    "paymentAmount": 50.0, "creditMemoAmount": 0.0, "createdDate": "2026-01-05T08:00:00Z",
    "updatedDate": "2026-01-06T08:00:00Z",
}  # fmt: skip


def lowered(raw: Raw) -> Raw:
    return {name.lower(): value for name, value in raw.items()}


@pytest.mark.parametrize(
    "entity, forms",
    [
        ("credit_note", [QUERY_MEMO, V1_MEMO, lowered(QUERY_MEMO)]),
        ("invoice", [QUERY_INVOICE, V1_INVOICE, lowered(QUERY_INVOICE)]),
    ],
)
def test_all_forms_of_a_document_are_one_record(entity: str, forms: list[Raw]) -> None:
    first, *others = [parse(entity, form) for form in forms]
    assert all(other == first for other in others)


def test_a_subscription_is_the_same_nested_and_flat() -> None:
    head = {"accountId": "a", "status": "Active", "termType": "TERMED", "autoRenew": True,
            "currentTerm": 1, "currentTermPeriodType": "Year", "termStartDate": "2026-01-01",
            "termEndDate": "2027-01-01", "subscriptionStartDate": "2026-01-01",
            "currency": "USD", "version": 2, "id": "v2"}  # fmt: skip
    plan = {"id": "r1", "productId": "p1"}
    charge = {"id": "c1", "productRatePlanChargeId": "prc1", "name": "Seats", "quantity": 3,
              "billingPeriod": "Month", "chargedThroughDate": "2026-02-01"}  # fmt: skip
    nested = {
        **head,
        "subscriptionNumber": "S-1",
        "ratePlans": [
            {
                **plan,
                "ratePlanCharges": [
                    {
                        **charge,
                        "number": "C-1",
                        "type": "Recurring",
                        "model": "PerUnit",
                        "price": 9.5,
                    }
                ],
            }
        ],
    }
    flat = {
        **head,
        "name": "S-1",
        "ratePlans": [plan],
        "ratePlanCharges": [
            {
                **charge,
                "ratePlanId": "r1",
                "chargeNumber": "C-1",
                "chargeType": "Recurring",
                "chargeModel": "Per Unit Pricing",
            }
        ],
        "ratePlanChargeTiers": [{"ratePlanChargeId": "c1", "price": 9.5, "currency": "USD"}],
    }
    found = parse("subscription", nested)
    assert found == parse("subscription", flat)
    assert found.id == "S-1" and found.term_months == 12
    assert found.current_period_end_at == datetime(2026, 2, 1, tzinfo=UTC)
    item = found.items[0]
    assert (item.id, item.price_id, item.quantity, item.unit_amount) == ("C-1", "prc1", "3", "9.5")


# times


@pytest.mark.parametrize(
    "written, utc",
    [
        ("2026-07-01 12:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),  # v1: the tenant's zone
        ("2026-07-01T12:00:00.000+02:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00Z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00.17Z", datetime(2026, 7, 1, 10, 0, 0, 170000, tzinfo=UTC)),
        ("2026-07-01 10:00:00.000 UTC", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T18:00:00.000+0800", datetime(2026, 7, 1, 10, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_formats_of_times(written: str, utc: datetime) -> None:
    found = parse("product", {"id": "p", "updatedDate": written}, timezone="Europe/Berlin")
    assert found.updated_at == utc


def test_dates_are_the_tenant_s_and_not_shifted() -> None:
    raw = {**V1_INVOICE, "invoiceDate": "2026-01-05T00:00:00Z"}
    assert parse("invoice", raw, timezone="America/New_York").issued_on == date(2026, 1, 5)


# invoices


def items(*rows: Raw) -> Raw:
    return {"invoiceItems": list(rows)}


def test_discounts_lie_on_their_lines_and_periods_are_half_open() -> None:
    raw = {
        **V1_INVOICE, "amount": 90, "amountWithoutTax": 90, "taxAmount": 0, "balance": 90,
        "paymentAmount": 0,
        **items(
            {"id": "l1", "chargeAmount": 100, "chargeName": "Fee", "productId": "p",
             "productRatePlanChargeId": "c", "quantity": 2, "unitPrice": 50.0, "taxAmount": 0,
             "serviceStartDate": "2026-01-01", "serviceEndDate": "2026-01-31",
             "subscriptionNumber": "S-1", "processingType": "Charge"},
            {"id": "l2", "chargeAmount": -10, "appliedToInvoiceItemId": "l1",
             "subscriptionNumber": "S-1", "processingType": "Discount"},
        ),
    }  # fmt: skip
    found = parse("invoice", raw)
    (line,) = found.lines
    assert (found.subtotal_minor, found.discount_minor, found.total_minor) == (10000, 1000, 9000)
    assert (line.amount_minor, line.discount_minor, line.description) == (10000, 1000, "Fee")
    assert line.period_end_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert found.subscription_id == "S-1"


def test_processing_types_may_be_numbers_as_in_data_query() -> None:
    rows = [
        {"id": "1", "chargeamount": 10, "processingtype": 0},
        {"id": "2", "chargeamount": -1, "processingtype": 1, "appliedtoinvoiceitemid": "1"},
        {"id": "3", "chargeamount": 2, "processingtype": 3},
    ]
    found = parse("invoice", {**V1_INVOICE, **items(*rows)})
    assert [line.id for line in found.lines] == ["1"]
    assert found.discount_minor == 100


@pytest.mark.parametrize(
    "figures, expected",
    [
        # paid in part, and a credit memo: 100 - 30 - 20
        ({"paymentAmount": 30, "creditMemoAmount": 20, "balance": 50}, (3000, 2000, 0)),
        # refunded again: 100 - 100 + 40
        ({"paymentAmount": 100, "refundAmount": 40, "creditMemoAmount": 0, "balance": 40},
         (6000, 0, 0)),
        # an adjustment that credits, given without a sign, and one given with it
        ({"paymentAmount": 0, "adjustmentAmount": 25, "balance": 75}, (0, 0, -2500)),
        ({"paymentAmount": 0, "adjustmentAmount": -25, "balance": 75}, (0, 0, -2500)),
        # credit balance applied
        ({"paymentAmount": 0, "creditBalanceAdjustmentAmount": 60, "balance": 40}, (0, 6000, 0)),
        # v1 leaves out what credit memos took off
        ({"paymentAmount": 10, "balance": 70}, (1000, 2000, 0)),
    ],
)  # fmt: skip
def test_what_has_settled_an_invoice(figures: Raw, expected: tuple[int, int, int]) -> None:
    raw = {k: v for k, v in V1_INVOICE.items() if k not in ("creditMemoAmount", "adjustmentAmount")}
    raw |= {"amount": 100, "amountWithoutTax": 100, "taxAmount": 0, **figures}
    found = parse("invoice", raw)
    assert (found.paid_minor, found.credited_minor, found.adjustment_minor) == expected
    settled = found.total_minor + found.adjustment_minor - found.paid_minor - found.credited_minor
    assert found.balance_minor == settled


@pytest.mark.parametrize(
    "status, balance, expected",
    [("Draft", 10, "draft"), ("Posted", 10, "open"), ("Posted", 0, "paid"), ("Canceled", 0, "void"),
     ("Error", 10, "draft"), ("Generating", 10, "draft"), ("PendingForTax", 10, "draft"),
     ("CancelInProgress", 10, "draft")],
)  # fmt: skip
def test_statuses_of_invoices(status: str, balance: int, expected: str) -> None:
    found = parse("invoice", {**V1_INVOICE, "status": status, "balance": balance})
    assert found.status == expected
    assert (found.issued_on is None) == (expected == "draft")


@pytest.mark.parametrize(
    "currency, amount, minor", [("JPY", 467500.0, 467500), ("BHD", "1.234", 1234)]
)
def test_places_of_currencies(currency: str, amount: Any, minor: int) -> None:
    figures = {"amount": amount, "amountWithoutTax": amount, "balance": amount, "taxAmount": 0}
    raw = {**V1_INVOICE, "currency": currency, "paymentAmount": 0, **figures}
    assert parse("invoice", raw).total_minor == minor


def test_an_amount_with_too_many_places_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="more decimals than EUR"):
        parse("invoice", {**V1_INVOICE, "amount": "119.005"})


def test_a_debit_memo_is_an_invoice_of_another_kind_with_its_account_s_currency() -> None:
    raw = {
        "id": "d1", "memoNumber": "DM1", "accountId": "a", "memoDate": "2026-01-05",
        "dueDate": "2026-02-05", "status": "Posted", "totalAmount": 12.0, "taxAmount": 2.0,
        "totalAmountWithoutTax": 10.0, "balance": 2.0, "account": {"id": "a", "currency": "USD"},
        "paymentParts": [{"amount": 7}], "creditMemoParts": [{"amount": 3}],
        "debitMemoItems": [{"id": "x", "amount": 12, "amountWithoutTax": 10, "taxAmount": 2,
                            "taxMode": "TaxInclusive", "chargeName": "Late fee"}],
    }  # fmt: skip
    found = parse("invoice", raw)
    assert (found.kind, found.number, found.status, found.currency) == (
        "debit_memo", "DM1", "open", "USD",
    )  # fmt: skip
    assert (found.subtotal_minor, found.tax_minor, found.total_minor) == (1000, 200, 1200)
    assert (found.paid_minor, found.credited_minor, found.balance_minor) == (700, 300, 200)
    assert found.lines[0].amount_minor == 1000
    assert found.custom["currency_from"] == "account"


# memos, payments, refunds


@pytest.mark.parametrize(
    "figures, status",
    [
        ({"appliedAmount": 4, "balance": 7, "refundAmount": 0}, "issued"),
        ({"appliedAmount": 11, "balance": 0, "refundAmount": 0}, "applied"),
        ({"appliedAmount": 0, "balance": 0, "refundAmount": 11}, "refunded"),
    ],
)
def test_a_posted_memo_s_status_follows_its_money(figures: Raw, status: str) -> None:
    found = parse("credit_note", {**QUERY_MEMO, **figures})
    assert found.status == status
    assert found.balance_minor == found.total_minor - found.allocated_minor - found.refunded_minor


def test_allocations_add_up_per_invoice_and_what_was_unapplied_is_gone() -> None:
    rows = [
        {"invoiceId": "i1", "applyAmount": 5}, {"invoiceId": "i2", "applyAmount": 3},
        {"invoiceId": "i2", "applyAmount": -3}, {"debitMemoId": "d1", "applyAmount": 2},
    ]  # fmt: skip
    raw = {"id": "p", "amount": 10, "currency": "USD", "status": "Processed",
           "paymentApplications": rows}  # fmt: skip
    found = parse("payment", raw)
    assert [(a.invoice_id, a.amount_minor) for a in found.allocations] == [("i1", 500), ("d1", 200)]


def test_old_invoice_payments_are_allocations_too() -> None:
    raw = {"id": "p", "amount": 10, "currency": "USD", "status": "Processed",
           "invoicePayments": [{"invoiceid": "i1", "amount": 10, "paymentid": "p"}]}  # fmt: skip
    assert [a.amount_minor for a in parse("payment", raw).allocations] == [1000]


@pytest.mark.parametrize(
    "status, expected",
    [("Draft", "pending"), ("Processing", "pending"), ("Processed", "succeeded"),
     ("Posted", "succeeded"), ("Error", "failed"), ("Canceled", "canceled")],
)  # fmt: skip
def test_statuses_of_payments(status: str, expected: str) -> None:
    raw = {"id": "p", "amount": 1, "currency": "USD", "status": status, "referenceId": "ch_1",
           "effectiveDate": "2026-01-05", "gatewayResponseCode": "51", "gatewayResponse": "empty",
           "paymentParts": [{"invoiceId": "i", "amount": 1}]}  # fmt: skip
    found = parse("payment", raw)
    assert found.status == expected and found.gateway_id == "ch_1"
    assert (found.received_at is not None) == (expected == "succeeded")
    assert found.failure_code == ("51" if expected == "failed" else None)
    assert bool(found.allocations) == (expected not in ("failed", "canceled"))


@pytest.mark.parametrize(
    "type, method",
    [("CreditCard", "card"), ("ACH", "bank_debit"), ("BankTransfer", "bank_debit"),
     ("WireTransfer", "bank_transfer"), ("PayPal", "wallet"), ("Check", "check"), ("Cash", "cash"),
     ("Other", "other")],
)  # fmt: skip
def test_methods(type: str, method: str) -> None:
    base = {"id": "p", "amount": 1, "currency": "USD", "status": "Processed"}
    assert parse("payment", {**base, "paymentMethod": {"type": type}}).method == method
    assert parse("payment", {**base, "paymentmethod_type": type}).method == method


def test_a_refund_names_its_payment_by_its_application() -> None:
    raw = {"id": "r", "amount": 1, "account_currency": "JPY", "status": "Processed",
           "refundApplications": [{"paymentId": "p1", "creditMemoId": None}]}  # fmt: skip
    found = parse("refund", raw)
    assert (found.payment_id, found.amount_minor, found.currency) == ("p1", 1, "JPY")


def test_an_unknown_status_names_the_field_and_the_known_ones() -> None:
    with pytest.raises(InvalidRecord) as caught:
        parse("payment", {"id": "p", "amount": 1, "currency": "USD", "status": "Dreamt"})
    assert "field status" in caught.value.where
    assert "processed" in caught.value.hint


# customers, prices, subscriptions


def test_credit_is_all_that_is_not_used() -> None:
    raw = {"id": "a", "name": "Ada", "currency": "USD", "status": "Canceled", "balance": 50.0,
           "creditBalance": 1.0, "unappliedBalance": 2.0, "unappliedCreditMemoAmount": 3.0,
           "vATId": "DE1", "crmId": "001", "paymentTerm": "Due Upon Receipt",
           "billTo": {"address1": "1 St", "address2": "2nd", "postalCode": "1",
                      "country": "Germany",
                      "workEmail": "a@b.c"}}  # fmt: skip
    found = parse("customer", raw)
    assert (found.credit_minor, found.receivable_minor, found.status) == (600, 5000, "archived")
    assert (found.tax_id, found.payment_terms_days, found.email) == ("DE1", 0, "a@b.c")
    assert found.external_ids == {"salesforce": "001"}
    address = found.billing_address
    assert (address.line1, address.line2, address.country) == ("1 St", "2nd", "DE")


def test_contacts_of_a_bulk_load_are_found_by_id() -> None:
    contacts = [{"id": "c1", "workemail": "a@b.c"}, {"id": "c2", "address1": "Ship St"}]
    raw = {"id": "a", "name": "Ada", "billtoid": "c1", "soldtoid": "c2", "contacts": contacts}
    found = parse("customer", raw)
    assert found.email == "a@b.c" and found.shipping_address.line1 == "Ship St"


def charge(**more: Any) -> Raw:
    return {"id": "c", "name": "x", "chargeType": "Recurring", "billingPeriod": "Month", **more}


@pytest.mark.parametrize(
    "period, expected",
    [("Month", ("month", 1)), ("Quarter", ("month", 3)), ("Semi-Annual", ("month", 6)),
     ("Semi_Annual", ("month", 6)), ("Annual", ("year", 1)), ("Two_Years", ("year", 2)),
     ("Week", ("week", 1)), ("Specific_Months", ("month", 5)), ("Specific Days", ("day", 5))],
)  # fmt: skip
def test_billing_periods(period: str, expected: tuple[str, int]) -> None:
    raw = charge(billingPeriod=period, specificBillingPeriod=5, chargeModel="Flat Fee Pricing")
    found = parse("price", raw)
    assert (found.interval, found.interval_count) == expected


def test_tiers_of_several_models() -> None:
    rows = [
        {"tier": 2, "startingUnit": 11, "endingUnit": None, "price": 1.5, "priceFormat": "Per Unit",
         "currency": "USD"},
        {"tier": 1, "startingUnit": 0, "endingUnit": 10, "price": 20, "priceFormat": "Flat Fee",
         "currency": "USD"},
    ]  # fmt: skip
    found = parse("price", charge(chargeModel="Volume Pricing", productRatePlanChargeTiers=rows))
    assert (found.scheme, found.unit_amount, found.currency) == ("volume", None, "USD")
    steps = [(tier.up_to, tier.unit_amount, tier.flat_amount) for tier in found.tiers]
    assert steps == [("10", None, "20"), (None, "1.5", None)]
    over = [{"includedUnits": 100, "overagePrice": 0.05, "currency": "USD"}]
    raw = charge(chargeModel="Overage Pricing", chargeType="Usage", productRatePlanChargeTiers=over)
    found = parse("price", raw)
    assert (found.scheme, found.usage) == ("tiered", "metered")
    assert [(t.up_to, t.unit_amount) for t in found.tiers] == [("100", "0"), (None, "0.05")]


def test_a_charge_in_two_currencies_needs_one_of_them() -> None:
    rows = [{"currency": "USD", "price": 1}, {"currency": "EUR", "price": 2}]
    raw = charge(chargeModel="Per Unit Pricing", productRatePlanChargeTiers=rows)
    with pytest.raises(InvalidRecord, match="EUR, USD"):
        parse("price", raw)
    one = {**raw, "productRatePlanChargeTiers": rows[1:], "tieout_id": "c:EUR"}
    found = parse("price", one)
    assert (found.id, found.currency, found.unit_amount) == ("c:EUR", "EUR", "2")


@pytest.mark.parametrize(
    "more, status, cancel, ended",
    [
        ({"status": "Active", "autoRenew": True}, "active", None, None),
        ({"status": "Active", "autoRenew": False}, "non_renewing", 2027, None),
        ({"status": "Cancelled", "cancelledDate": "2026-06-01"}, "canceled", None, 2026),
        ({"status": "Expired"}, "canceled", None, 2027),
        ({"status": "Suspended", "autoRenew": True}, "paused", None, None),
        ({"status": "Pending Activation", "autoRenew": True}, "future", None, None),
        ({"status": "PendingAcceptance", "autoRenew": True}, "future", None, None),
        ({"status": "Draft", "autoRenew": True}, "incomplete", None, None),
    ],
)
def test_statuses_of_subscriptions(
    more: Raw, status: str, cancel: int | None, ended: int | None
) -> None:
    raw = {"id": "v", "name": "S", "termType": "TERMED", "termEndDate": "2027-01-01", **more}
    found = parse("subscription", raw)
    assert found.status == status
    assert (found.cancel_at and found.cancel_at.year) == cancel
    assert (found.ended_at and found.ended_at.year) == ended


def test_only_the_last_segment_and_no_removed_plan_is_an_item() -> None:
    plans = [{"id": "r1"}, {"id": "r2", "amendmentType": "RemoveProduct"}]
    rows = [
        {"id": "1", "ratePlanId": "r1", "chargeNumber": "C-1", "segment": 1, "quantity": 1},
        {"id": "2", "ratePlanId": "r1", "chargeNumber": "C-1", "segment": 2, "quantity": 5,
         "isLastSegment": True},
        {"id": "3", "ratePlanId": "r2", "chargeNumber": "C-2", "segment": 1, "quantity": 1},
    ]  # fmt: skip
    raw = {"name": "S", "status": "Active", "ratePlans": plans, "ratePlanCharges": rows}
    found = parse("subscription", raw)
    assert [(item.id, item.quantity) for item in found.items] == [("C-1", "5")]


# our key, overlays, payloads


def test_our_key_is_read_from_number_mark_and_field() -> None:
    account = {"id": "a", "name": "x", "accountNumber": number_of(KEY)}
    assert parse("customer", account).external_ids == {"tieout": KEY}
    paid = {"id": "p", "amount": 1, "currency": "USD", "status": "Processed",
            "comment": f"thanks {mark_of(KEY)}"}  # fmt: skip
    found = parse("payment", paid)
    assert found.external_ids == {"tieout": KEY} and found.custom["comment"] == "thanks"
    named = {"id": "a", "name": "x", "Ours__c": "k-1"}
    found = parse("customer", named, options={"key_field": "Ours__c"})
    assert found.external_ids == {"tieout": "k-1"} and "ours__c" not in found.custom


def test_an_overlay_reads_custom_fields_and_adds_words(tmp_path: Path) -> None:
    overlay = tmp_path / "more.yaml"
    overlay.write_text(
        "customer: {custom: {region: custom.region__c, rep: header.salesrepname}}\n"
        "payment: {fields: {method: {values: {ourwallet: wallet}}}}\n"
    )
    mapper = load_mapping("zuora", [overlay]).compile(system="z")
    found = mapper.parse(
        "customer", {"id": "a", "name": "x", "Region__c": "EU", "salesRepName": "Bo"}
    )
    assert found.custom["region"] == "EU" and found.custom["rep"] == "Bo"
    overlay.write_text("payment: {fields: {method: {values: {ourwallet: coins}}}}\n")
    with pytest.raises(ConfigError, match="coins"):
        load_mapping("zuora", [overlay])


def test_a_payload_is_taken_out_of_its_page_or_refused() -> None:
    one = read_payload(b'{"payments": [{"id": "p", "amount": 1}], "success": true}')
    assert one["id"] == "p"
    assert read_payload(b'{"data": [{"id": "a"}]}') == {"id": "a"}
    with pytest.raises(InvalidRecord, match="holds 2 records"):
        read_payload(b'{"data": [{"id": "a"}, {"id": "b"}]}')


# the way back


def body(entity: str, fields: Raw, *, creating: bool = True) -> Raw:
    return MAPPER.render(entity, fields, creating=creating)


INVOICE = {
    "customer_id": "a", "status": "open", "currency": "USD", "issued_on": "2026-01-01",
    "subtotal_minor": 1000, "discount_minor": 100, "tax_minor": 90, "total_minor": 990,
    "lines": [{"description": "Fee", "amount_minor": 1000, "discount_minor": 100, "tax_minor": 90,
               "period_start_at": "2026-01-01T00:00:00Z",
               "period_end_at": "2026-02-01T00:00:00Z"}],
}  # fmt: skip


def test_an_invoice_is_written_as_a_standalone_one() -> None:
    found = body("invoice", INVOICE)
    (item,) = found["invoiceItems"]
    assert found["status"] == "Posted" and item["amount"] == 10
    assert (item["serviceStartDate"], item["serviceEndDate"]) == ("2026-01-01", "2026-01-31")
    assert item["discountItems"][0]["amount"] == -1
    assert item["taxItems"][0]["taxAmount"] == Decimal("0.90")


def test_what_would_come_out_otherwise_is_not_sent() -> None:
    with pytest.raises(InvalidRecord, match=r"add up to 9\.90, its total is 9\.91"):
        body("invoice", {**INVOICE, "total_minor": 991})
    with pytest.raises(InvalidRecord, match="void"):
        body("invoice", {**INVOICE, "status": "void"})
    with pytest.raises(InvalidRecord, match="failed payment"):
        body("payment", {"amount_minor": 1, "currency": "USD", "status": "failed"})
    with pytest.raises(InvalidRecord, match="differ by 1"):
        lines = [{"account": "Cash", "debit_minor": 100}]
        body("journal_entry", {"currency": "USD", "lines": lines})


def test_payments_and_refunds_move_no_money() -> None:
    paid = body("payment", {"customer_id": "a", "currency": "USD", "amount_minor": 500,
                            "status": "succeeded", "method": "card", "gateway_id": "ch_1"},
                )  # fmt: skip
    assert (paid["type"], paid["paymentMethodType"], paid["referenceId"]) == (
        "External", "CreditCard", "ch_1",
    )  # fmt: skip
    back = body("refund", {"payment_id": "p", "currency": "USD", "amount_minor": 500,
                           "status": "succeeded"})  # fmt: skip
    assert back["type"] == "External" and back["totalAmount"] == 5


def test_clearing_a_field_of_an_account_sends_null() -> None:
    assert body("customer", {"email": None}, creating=False) == {
        "billToContact": {"workEmail": None}
    }
