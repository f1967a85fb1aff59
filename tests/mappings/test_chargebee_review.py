"""Chargebee payloads that differ from the official samples, with values worked out by hand.

Fields and enums are those of https://apidocs.chargebee.com/docs/api .
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tieout.core.entities import (
    Allocation,
    CreditNote,
    Customer,
    Invoice,
    Line,
    Price,
    Record,
    Tier,
)
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping
from tieout.reconcile import books

MAPPER = load_mapping("chargebee").compile(system="chargebee", timezone="UTC")
FIRST = 1767225600  # 2026-01-01 00:00 in UTC
MONTH_LATER = 1769904000  # 2026-02-01


def line(amount: int | None, **more: Any) -> dict[str, Any]:
    return {
        "id": "li_1", "object": "line_item", "entity_type": "plan_item_price", "entity_id": "p",
        "date_from": FIRST, "date_to": MONTH_LATER, "unit_amount": amount, "quantity": 1,
        "amount": amount, "tax_amount": 0, "discount_amount": 0,
        "item_level_discount_amount": 0, **more,
    }  # fmt: skip


def invoice(**more: Any) -> dict[str, Any]:
    return {
        "id": "1", "object": "invoice", "customer_id": "c", "status": "payment_due",
        "price_type": "tax_exclusive", "date": FIRST, "currency_code": "USD", "sub_total": 1000,
        "tax": 0, "total": 1000, "amount_paid": 0, "amount_adjusted": 0, "write_off_amount": 0,
        "credits_applied": 0, "amount_due": 1000, "line_items": [line(1000)], **more,
    }  # fmt: skip


def read(entity: str, raw: dict[str, Any]) -> Record:
    return MAPPER.parse(entity, raw)


def refused(entity: str, raw: dict[str, Any]) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        read(entity, raw)
    return caught.value


# --- amounts and documents


@pytest.mark.parametrize(
    "more, figures",
    [
        # subtotal, discount, tax, total, adjustment, paid, credited, written off, balance
        ({}, (1000, 0, 0, 1000, 0, 0, 0, 0, 1000)),
        (  # both lines hold their tax: 2 x 11.90 = 2 x (10.00 + 1.90)
            {"price_type": "tax_inclusive", "sub_total": 2380, "tax": 380, "total": 2380,
             "amount_due": 2380, "line_items": [line(1190, tax_amount=190)] * 2},
            (2000, 0, 380, 2380, 0, 0, 0, 0, 2380),
        ),
        (  # rounded down by three cents
            {"tax": 83, "total": 1080, "round_off_amount": -3, "amount_due": 1080,
             "line_items": [line(1000, tax_amount=83)]},
            (1000, 0, 83, 1083, -3, 0, 0, 0, 1080),
        ),
        (  # a payment, a credit note of another invoice, an adjustment note of its own
            {"amount_paid": 300, "credits_applied": 200, "amount_adjusted": 100, "amount_due": 400},
            (1000, 0, 0, 1000, 0, 300, 300, 0, 400),
        ),
        (  # the whole rest was written off: inside what was adjusted
            {"status": "paid", "amount_paid": 300, "amount_adjusted": 700,
             "write_off_amount": 700, "amount_due": 0},
            (1000, 0, 0, 1000, 0, 300, 0, 700, 0),
        ),
        (  # a prorated change: credit for the old plan
            {"sub_total": 500, "total": 500, "amount_due": 500,
             "line_items": [line(1000), line(-500, proration_mode="delta")]},
            (500, 0, 0, 500, 0, 0, 0, 0, 500),
        ),
        (  # nothing to pay
            {"status": "paid", "sub_total": 0, "total": 0, "amount_due": 0, "line_items": []},
            (0, 0, 0, 0, 0, 0, 0, 0, 0),
        ),
        (  # a discount of an item, told apart from those of the document
            {"total": 850, "amount_due": 850, "discounts": [
                {"amount": 100, "entity_type": "item_level_coupon"},
                {"amount": 50, "entity_type": "document_level_discount"}],
             "line_items": [line(1000, discount_amount=50, item_level_discount_amount=100)]},
            (1000, 150, 0, 850, 0, 0, 0, 0, 850),
        ),
    ],
)  # fmt: skip
def test_the_figures_of_an_invoice(more: dict[str, Any], figures: tuple[int, ...]) -> None:
    found = read("invoice", invoice(**more))
    assert isinstance(found, Invoice)
    assert figures == (
        found.subtotal_minor, found.discount_minor, found.tax_minor, found.total_minor,
        found.adjustment_minor, found.paid_minor, found.credited_minor,
        found.written_off_minor, found.balance_minor,
    )  # fmt: skip
    assert books.check(found) == []


@pytest.mark.parametrize(
    "wrong, where",
    [
        ({"sub_total": "1000"}, "invoice 1, field sub_total"),
        ({"total": 1000.5}, "invoice 1, field total"),
        ({"line_items": ["x"]}, "invoice 1, field line_items"),
        ({"discounts": "none"}, "invoice 1, field discounts"),
        ({"taxes": {"amount": 1}, "tax": None}, "invoice 1, field taxes"),
        ({"amount_paid": None, "linked_payments": [{"txn_status": "bounced"}]},
         "invoice 1, field txn_status"),
        ({"line_items": [line(None, amount_in_decimal="9.999")]},
         "invoice 1, field amount_in_decimal"),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_named_by_its_field(wrong: dict[str, Any], where: str) -> None:
    assert refused("invoice", invoice(**wrong)).where.startswith(where)


def test_a_status_of_a_refund_that_nobody_knows_sets_the_payment_aside() -> None:
    raw = {
        "id": "t", "object": "transaction", "type": "payment", "status": "success",
        "currency_code": "USD", "amount": 1000, "date": FIRST, "payment_method": "card",
        "linked_refunds": [{"txn_id": "r", "txn_amount": 500, "txn_status": "half_done"}],
    }  # fmt: skip
    error = refused("payment", raw)
    assert error.where == "payment t, field txn_status" and "late_failure" in error.hint


# --- customers


BALANCES = [
    {"promotional_credits": 100, "excess_payments": 200, "refundable_credits": 300,
     "currency_code": "USD", "balance_currency_code": "EUR"},
    {"promotional_credits": 70, "balance_currency_code": "JPY"},
]  # fmt: skip


def customer(**more: Any) -> Customer:
    found = read("customer", {"id": "c", "object": "customer", "company": "Co", **more})
    assert isinstance(found, Customer)
    return found


@pytest.mark.parametrize("own, credit", [("EUR", 600), ("JPY", 70), ("USD", 0)])
def test_credit_is_what_is_held_in_the_customers_own_currency(own: str, credit: int) -> None:
    found = customer(preferred_currency_code=own, balances=BALANCES, promotional_credits=100)
    assert (found.currency, found.credit_minor) == (own, credit)
    assert found.custom["credit_by_currency"] == "EUR:600,JPY:70"


def test_a_customer_of_several_currencies_without_one_of_his_own_is_not_set_aside() -> None:
    found = customer(balances=BALANCES, promotional_credits=100)
    assert (found.currency, found.credit_minor) == (None, None)
    assert found.custom["credit_by_currency"] == "EUR:600,JPY:70"


def test_a_single_balance_tells_the_customers_currency() -> None:
    found = customer(balances=BALANCES[:1])
    assert (found.currency, found.credit_minor) == ("EUR", 600)
    assert "credit_by_currency" not in found.custom


# --- prices


def test_the_name_of_a_price_is_its_external_name_or_its_name() -> None:
    plan = {
        "id": "gold", "object": "plan", "name": "Gold", "invoice_name": "Gold plan",
        "price": 5000, "currency_code": "EUR", "period": 1, "period_unit": "year",
        "pricing_model": "flat_fee", "status": "active",
    }  # fmt: skip
    found = read("price", plan)
    assert isinstance(found, Price)
    assert (found.name, found.unit_amount, found.scheme) == ("Gold", "50", "flat")
    assert found.custom["invoice_name"] == "Gold plan"


def test_a_tier_between_whole_units_is_not_sent() -> None:
    tiers = (Tier(up_to="10.5", unit_amount="1"), Tier(unit_amount="2"))
    fields = {"product_id": "i", "name": "n", "currency": "USD", "scheme": "tiered"}
    with pytest.raises(InvalidRecord) as caught:
        MAPPER.render("price", {**fields, "tiers": tiers}, creating=True)
    assert caught.value.where == "price, field tiers" and "10.5" in caught.value.message


# --- what is sent


def issued(**more: Any) -> dict[str, Any]:
    return {
        "kind": "invoice", "number": "I-1", "customer_id": "c", "status": "open",
        "currency": "USD", "issued_on": date(2026, 1, 1), "subtotal_minor": 999,
        "total_minor": 999, "balance_minor": 999,
        "lines": (Line(id="l", description="x", amount_minor=999),), **more,
    }  # fmt: skip


def test_rounding_is_sent_and_comes_back() -> None:
    fields = issued(adjustment_minor=1, balance_minor=1000)
    body = MAPPER.render("invoice", fields, creating=True)
    assert (body["total"], body["round_off"]) == (1000, 1)
    again = read("invoice", {
        "id": "I-1", "object": "invoice", "status": "payment_due", "currency_code": "USD",
        "date": body["date"], "sub_total": 999, "tax": 0, "total": body["total"],
        "round_off_amount": body["round_off"], "amount_due": 1000,
        "line_items": [line(999)],
    })  # fmt: skip
    assert isinstance(again, Invoice)
    assert (again.total_minor, again.adjustment_minor, again.balance_minor) == (999, 1, 1000)


@pytest.mark.parametrize("currency, minor", [("USD", 100), ("USD", -5000), ("KWD", 5)])
def test_an_adjustment_that_is_no_rounding_is_not_dropped(currency: str, minor: int) -> None:
    lines = (Line(id="l", description="x", amount_minor=990),)
    fields = issued(
        currency=currency, adjustment_minor=minor, subtotal_minor=990, total_minor=990, lines=lines
    )
    with pytest.raises(InvalidRecord) as caught:
        MAPPER.render("invoice", fields, creating=True)
    assert caught.value.where == "invoice, field adjustment_minor"


def test_discounts_of_lines_come_back_as_discounts() -> None:
    """2 lines of 10.00 and 5.00, the first with 1.00 off, and 0.50 off the whole."""
    lines = (
        Line(id="a", description="a", amount_minor=1000, discount_minor=100),
        Line(id="b", description="b", amount_minor=500),
    )
    fields = issued(subtotal_minor=1500, discount_minor=150, total_minor=1350, lines=lines)
    body = MAPPER.render("invoice", fields, creating=True)
    assert [row["amount"] for row in body["line_items"]] == [1000, 500]
    assert [row["amount"] for row in body["discounts"]] == [150]
    again = read("invoice", {**body, "object": "invoice", "sub_total": 1500, "amount_due": 1350})
    assert isinstance(again, Invoice) and books.check(again) == []
    assert (again.subtotal_minor, again.discount_minor, again.total_minor) == (1500, 150, 1350)


def test_a_surcharge_is_not_sent_as_a_discount() -> None:
    lines = (Line(id="a", description="a", amount_minor=1000),)
    fields = issued(subtotal_minor=1000, discount_minor=-50, total_minor=1050, lines=lines)
    with pytest.raises(InvalidRecord, match="surcharge"):
        MAPPER.render("invoice", fields, creating=True)


def test_an_invoice_of_nothing_is_paid() -> None:
    lines = (Line(id="l", description="free", amount_minor=0),)
    fields = issued(status="paid", subtotal_minor=0, total_minor=0, balance_minor=0, lines=lines)
    body = MAPPER.render("invoice", fields, creating=True)
    assert (body["status"], body["total"]) == ("paid", 0)


def note(**more: Any) -> dict[str, Any]:
    return {
        "customer_id": "c", "invoice_id": "I-1", "currency": "USD", "total_minor": 119,
        "issued_on": date(2026, 1, 1), "reason": "Waiver", **more,
    }  # fmt: skip


def test_a_voided_credit_note_is_not_imported_as_one_that_is_owed() -> None:
    paid = (Allocation(invoice_id="I-1", amount_minor=119),)
    body = MAPPER.render("credit_note", note(status="void", allocations=paid), creating=True)
    assert (body["status"], body["voided_at"], body["allocations"]) == ("voided", FIRST, [])
    back = {"id": "CN", "object": "credit_note", "amount_available": 119, **body}
    found = read("credit_note", back)
    assert isinstance(found, CreditNote)
    assert (found.status, found.balance_minor, found.total_minor) == ("void", 0, 119)


@pytest.mark.parametrize(
    "entity, fields",
    [
        ("credit_note", note(status="draft")),
        ("refund", {"payment_id": "p", "currency": "USD", "amount_minor": 1, "status": "failed"}),
        ("refund", {"payment_id": "p", "currency": "USD", "amount_minor": 1, "status": "pending"}),
        ("payment", {"customer_id": "c", "currency": "USD", "amount_minor": 1,
                     "status": "pending"}),
    ],
)  # fmt: skip
def test_what_did_not_happen_is_not_recorded(entity: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord) as caught:
        MAPPER.render(entity, fields, creating=True)
    assert caught.value.where == f"{entity}, field status"


def test_a_refund_that_succeeded_is_recorded() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fields = {"payment_id": "p", "currency": "USD", "amount_minor": 1, "status": "succeeded",
              "refunded_at": at}  # fmt: skip
    body = MAPPER.render("refund", fields, creating=True)
    assert (body["amount"], body["date"], body["payment_id"]) == (1, FIRST, "p")


def test_an_allocation_to_no_invoice_is_left_out() -> None:
    held = (Allocation(invoice_id=None, amount_minor=19), Allocation(invoice_id="I-1"))
    body = MAPPER.render("credit_note", note(status="issued", allocations=held), creating=True)
    assert (body["allocations"], body["status"]) == ([], "refund_due")
