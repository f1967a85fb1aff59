"""Chargebee's money in canonical terms: currencies, taxes, discounts, write-offs, odd documents.

Payloads are written from https://apidocs.chargebee.com/docs/api ; figures by hand.
"""

from __future__ import annotations

from typing import Any

import pytest

from tieout.core.entities import Allocation, CreditNote, Invoice, Payment
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

MAPPER = load_mapping("chargebee").compile(system="chargebee", timezone="Europe/Berlin")


def line(amount: int | None = 1000, **more: Any) -> dict[str, Any]:
    about = {"id": "li_1", "entity_type": "adhoc", "quantity": 1, "unit_amount": amount}
    given = {} if amount is None else {"amount": amount}
    return {**about, **given, "tax_amount": 0, "discount_amount": 0, **more}


def invoice(**more: Any) -> Invoice:
    raw = {
        "id": "7", "object": "invoice", "customer_id": "c1", "status": "payment_due",
        "price_type": "tax_exclusive", "date": 1769814000, "currency_code": "USD",
        "sub_total": 1000, "tax": 0, "total": 1000, "amount_paid": 0, "amount_adjusted": 0,
        "write_off_amount": 0, "credits_applied": 0, "amount_due": 1000,
        "line_items": [line()], **more,
    }  # fmt: skip
    found = MAPPER.parse("invoice", raw)
    assert isinstance(found, Invoice)
    return found


def adds_up(found: Invoice) -> bool:
    subtotal, total = found.subtotal_minor or 0, found.total_minor or 0
    tax, discount = found.tax_minor or 0, found.discount_minor or 0
    settled = (found.paid_minor or 0) + (found.credited_minor or 0) + (found.written_off_minor or 0)
    return (
        total == subtotal - discount + tax
        and sum(each.amount_minor or 0 for each in found.lines) == subtotal
        and found.balance_minor == total + (found.adjustment_minor or 0) - settled
    )


@pytest.mark.parametrize(
    "currency, sent, minor, unit",
    [
        ("USD", 1234, 1234, "12.34"),
        ("EUR", 5, 5, "0.05"),
        ("JPY", 1234, 1234, "1234"),  # no decimals: as it is
        ("KRW", 1500, 1500, "1500"),
        ("XAF", 10, 10, "10"),
        ("XOF", 10, 10, "10"),
        ("VND", 50000, 50000, "50000"),
        ("KWD", 1234, 12340, "12.34"),  # two of its three places, times 100
        ("BHD", 100, 1000, "1"),
        ("OMR", 1, 10, "0.01"),
        ("HUF", 100, 100, "1"),
        ("TWD", 100, 100, "1"),
        ("CLF", 100, 10000, "1"),
    ],
)
def test_minor_units_follow_chargebees_own_places(
    currency: str, sent: int, minor: int, unit: str
) -> None:
    found = invoice(
        currency_code=currency, sub_total=sent, total=sent, amount_due=sent, line_items=[line(sent)]
    )
    assert (found.total_minor, found.balance_minor) == (minor, minor)
    assert found.lines[0].amount_minor == minor and found.lines[0].unit_amount == unit
    body = MAPPER.render("refund", {"amount_minor": minor, "currency": currency}, creating=True)
    assert body["amount"] == sent


def test_what_cannot_be_sent_in_two_places_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="exactly"):
        MAPPER.render("refund", {"amount_minor": 1005, "currency": "KWD"}, creating=True)


def test_fractions_of_a_cent_come_in_major_units() -> None:
    exact = line(None, unit_amount=None, amount_in_decimal="12.50", quantity_in_decimal="2.5",
                 unit_amount_in_decimal="5.0000")  # fmt: skip
    found = invoice(sub_total=1250, total=1250, amount_due=1250, line_items=[exact])
    assert found.lines[0].amount_minor == 1250
    assert (found.lines[0].quantity, found.lines[0].unit_amount) == ("2.5", "5")
    rounded = line(33, unit_amount=33, amount_in_decimal="0.3333", unit_amount_in_decimal="0.3333")
    found = invoice(sub_total=33, total=33, amount_due=33, line_items=[rounded])
    assert (found.lines[0].amount_minor, found.lines[0].unit_amount) == (33, "0.3333")
    with pytest.raises(InvalidRecord, match="more places"):
        invoice(line_items=[line(None, amount_in_decimal="0.3333")])


def test_tax_on_top() -> None:
    found = invoice(
        tax=190, total=1190, amount_due=1190, taxes=[{"name": "VAT", "amount": 190}],
        line_items=[line(1000, tax_amount=190, is_taxed=True)],
    )  # fmt: skip
    assert (found.subtotal_minor, found.tax_minor, found.total_minor) == (1000, 190, 1190)
    assert found.lines[0].tax_minor == 190 and adds_up(found)


@pytest.mark.parametrize("stated", [1190, 1000], ids=["with tax", "net"])
def test_tax_inside_prices_is_taken_out(stated: int) -> None:
    """Whether the subtotal of such a document is gross or net, ours is net."""
    found = invoice(
        price_type="tax_inclusive", sub_total=stated, tax=190, total=1190, amount_due=1190,
        line_items=[line(1190, tax_amount=190)],
    )  # fmt: skip
    assert (found.subtotal_minor, found.tax_minor, found.total_minor) == (1000, 190, 1190)
    assert found.lines[0].amount_minor == 1000 and adds_up(found)
    assert found.lines[0].unit_amount == "11.9"  # what was agreed


def test_tax_inside_discounted_prices() -> None:
    found = invoice(
        price_type="tax_inclusive", sub_total=1190, tax=171, total=1071, amount_due=1071,
        discounts=[{"amount": 119, "entity_type": "document_level_coupon"}],
        line_items=[line(1190, tax_amount=171, discount_amount=119)],
    )  # fmt: skip
    assert (found.subtotal_minor, found.discount_minor, found.tax_minor) == (1019, 119, 171)
    assert adds_up(found)


@pytest.mark.parametrize("stated", [1000, 900], ids=["before", "after"])
def test_discounts_of_an_item(stated: int) -> None:
    """Whether or not they are off the subtotal already, ours is before all discounts."""
    found = invoice(
        sub_total=stated, total=850, amount_due=850,
        discounts=[
            {"amount": 100, "entity_type": "item_level_discount"},
            {"amount": 50, "entity_type": "document_level_coupon"},
        ],
        line_items=[line(1000, discount_amount=150, item_level_discount_amount=100)],
    )  # fmt: skip
    assert (found.subtotal_minor, found.discount_minor, found.total_minor) == (1000, 150, 850)
    assert found.lines[0].discount_minor == 150 and adds_up(found)


def test_promotional_credits_lower_the_total_like_a_discount() -> None:
    found = invoice(
        total=700, amount_due=700,
        discounts=[{"amount": 300, "entity_type": "promotional_credits"}],
        line_items=[line(1000, discount_amount=300)],
    )  # fmt: skip
    assert (found.discount_minor, found.credited_minor) == (300, 0) and adds_up(found)


def test_rounding_is_an_adjustment() -> None:
    found = invoice(
        sub_total=999, total=1000, round_off_amount=1, line_items=[line(999)], amount_due=1000
    )
    assert (found.total_minor, found.adjustment_minor, found.balance_minor) == (999, 1, 1000)
    assert found.custom["rounded_total_minor"] == 1000 and adds_up(found)


def test_withheld_tax_is_an_adjustment() -> None:
    found = invoice(
        status="paid", amount_paid=900, amount_due=0, linked_taxes_withheld=[{"amount": 100}]
    )
    assert (found.paid_minor, found.adjustment_minor, found.balance_minor) == (900, -100, 0)
    assert adds_up(found)


def test_withheld_tax_that_was_booked_as_paid_is_no_second_term() -> None:
    found = invoice(
        status="paid", amount_paid=1000, amount_due=0, linked_taxes_withheld=[{"amount": 100}]
    )
    assert (found.paid_minor, found.adjustment_minor) == (1000, 0) and adds_up(found)


def test_a_write_off_is_inside_what_was_adjusted() -> None:
    found = invoice(
        status="paid", amount_adjusted=600, write_off_amount=500, amount_paid=300,
        credits_applied=100, amount_due=0,
    )  # fmt: skip
    assert (found.written_off_minor, found.credited_minor, found.paid_minor) == (500, 200, 300)
    assert adds_up(found)


def test_a_failed_attempt_is_no_payment() -> None:
    """Where the paid amount itself is not told, only attempts that succeeded count."""
    rows = [
        {"txn_id": "t1", "applied_amount": 1000, "txn_status": "failure"},
        {"txn_id": "t2", "applied_amount": 400, "txn_status": "success"},
        {"txn_id": "t3", "applied_amount": 600, "txn_status": "in_progress"},
    ]
    found = invoice(amount_paid=None, amount_due=None, linked_payments=rows)
    assert (found.paid_minor, found.balance_minor) == (400, 600) and adds_up(found)


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ("pending", "draft"), ("posted", "open"), ("payment_due", "open"),
        ("not_paid", "uncollectible"), ("voided", "void"), ("paid", "paid"),
    ],
)  # fmt: skip
def test_every_status_of_an_invoice(theirs: str, ours: str) -> None:
    found = invoice(status=theirs)
    assert found.status == ours
    assert found.balance_minor == (0 if theirs == "voided" else 1000)
    # 2026-01-30 23:00 in UTC is the 31st in Berlin
    assert str(found.issued_on) == ("None" if theirs == "pending" else "2026-01-31")
    assert found.number == "7"


def test_a_consolidated_invoice_names_no_subscription_unless_all_lines_do() -> None:
    one = [line(500, subscription_id="s1"), line(500, subscription_id="s1")]
    assert invoice(line_items=one).subscription_id == "s1"
    two = [line(500, subscription_id="s1"), line(500, subscription_id="s2")]
    assert invoice(line_items=two).subscription_id is None


@pytest.mark.parametrize(
    "kind, product, price",
    [
        ("plan", "x", "x"), ("addon", "x", "x"), ("plan_setup", "x", "x"),
        ("plan_item_price", None, "x"), ("addon_item_price", None, "x"),
        ("charge_item_price", None, "x"), ("adhoc", None, None),
    ],
)  # fmt: skip
def test_what_a_line_sold(kind: str, product: str | None, price: str | None) -> None:
    sold = invoice(line_items=[line(entity_type=kind, entity_id="x", proration_mode="delta")])
    (only,) = sold.lines
    assert (only.product_id, only.price_id, only.proration) == (product, price, True)


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({"status": "frozen"}, "status"),
        ({"price_type": "tax_free"}, "price_type"),
        ({"line_items": [line(entity_type="gift")]}, "entity_type"),
        ({"total": "12"}, "total"),
        ({"total": None}, "total_minor"),
        ({"line_items": 5}, ""),
    ],
)
def test_what_is_not_known_sets_the_invoice_aside(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        invoice(**wrong)
    assert field in f"{caught.value.where} {caught.value.message}" and "7" in caught.value.where


def test_an_unknown_currency_is_set_aside_with_what_was_received() -> None:
    with pytest.raises(InvalidRecord):
        invoice(currency_code="QQQ")


# --- credit notes


def note(**more: Any) -> CreditNote:
    raw = {
        "id": "CN-1", "object": "credit_note", "type": "refundable", "status": "refund_due",
        "reference_invoice_id": "7", "currency_code": "USD", "date": 1769814000,
        "sub_total": 1000, "total": 1190, "amount_allocated": 0, "amount_refunded": 0,
        "amount_available": 1190, "taxes": [{"name": "VAT", "amount": 190}],
        "line_items": [line(1000, tax_amount=190)], **more,
    }  # fmt: skip
    found = MAPPER.parse("credit_note", raw)
    assert isinstance(found, CreditNote)
    return found


@pytest.mark.parametrize(
    "theirs, allocated, refunded, available, ours",
    [
        ("refund_due", 0, 0, 1190, "issued"),
        ("refund_due", 1000, 0, 190, "issued"),
        ("refunded", 0, 1190, 0, "refunded"),
        ("refunded", 1190, 0, 0, "applied"),  # ruling: status from money
        ("adjusted", 1190, 0, 0, "applied"),
        ("adjusted", 190, 1000, 0, "refunded"),
    ],
)
def test_the_status_of_a_credit_note_follows_its_money(
    theirs: str, allocated: int, refunded: int, available: int, ours: str
) -> None:
    found = note(status=theirs, amount_allocated=allocated, amount_refunded=refunded,
                 amount_available=available)  # fmt: skip
    assert found.status == ours
    assert (found.allocated_minor, found.refunded_minor, found.balance_minor) == (
        allocated, refunded, available
    )  # fmt: skip
    assert (found.subtotal_minor, found.tax_minor, found.total_minor) == (1000, 190, 1190)


def test_a_voided_credit_note_owes_nothing() -> None:
    found = note(status="voided")
    assert (found.status, found.balance_minor, found.allocations) == ("void", 0, ())


def test_where_a_note_went_without_the_totals() -> None:
    found = note(
        amount_allocated=None, amount_refunded=None, amount_available=None,
        allocations=[{"invoice_id": "8", "allocated_amount": 190},
                     {"invoice_id": "9", "allocated_amount": 0}],
        linked_refunds=[{"applied_amount": 600, "txn_status": "success"},
                        {"applied_amount": 400, "txn_status": "failure"}],
    )  # fmt: skip
    assert (found.allocated_minor, found.refunded_minor, found.balance_minor) == (190, 600, 400)
    assert found.allocations == (Allocation(invoice_id="8", amount_minor=190),)
    assert found.status == "issued"


def test_a_note_with_tax_inside_and_a_discount() -> None:
    found = note(
        price_type="tax_inclusive", sub_total=1290, total=1190,
        discounts=[{"amount": 100, "entity_type": "document_level_discount"}],
        line_items=[line(1290, tax_amount=190, discount_amount=100)],
    )  # fmt: skip
    assert (found.subtotal_minor, found.tax_minor, found.custom["discount_minor"]) == (
        1100, 190, 100
    )  # fmt: skip


def test_an_unknown_status_of_a_note_is_set_aside() -> None:
    with pytest.raises(InvalidRecord) as caught:
        note(status="lost")
    assert "refund_due" in caught.value.hint


# --- payments


def payment(**more: Any) -> Payment:
    raw = {
        "id": "t1", "object": "transaction", "type": "payment", "status": "success",
        "currency_code": "USD", "amount": 1000, "date": 100, "payment_method": "card",
        "linked_invoices": [
            {"invoice_id": "8", "applied_amount": 400, "applied_at": 20},
            {"invoice_id": "7", "applied_amount": 600, "applied_at": 10},
        ],
        "linked_refunds": [], **more,
    }  # fmt: skip
    found = MAPPER.parse("payment", raw)
    assert isinstance(found, Payment)
    return found


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ("success", "succeeded"), ("in_progress", "pending"), ("needs_attention", "pending"),
        ("voided", "canceled"), ("failure", "failed"), ("timeout", "failed"),
        ("late_failure", "failed"),
    ],
)  # fmt: skip
def test_every_status_of_a_payment(theirs: str, ours: str) -> None:
    found = payment(status=theirs, error_code="c", error_text="t")
    assert found.status == ours
    assert len(found.allocations) == (2 if ours == "succeeded" else 0)
    assert (found.received_at is not None) is (ours == "succeeded")
    assert found.failure_code == ("c" if ours == "failed" else None)


def test_refunds_come_off_the_last_allocation() -> None:
    found = payment(linked_refunds=[
        {"txn_id": "r1", "txn_status": "success", "txn_amount": 500},
        {"txn_id": "r2", "txn_status": "failure", "txn_amount": 500},
    ])  # fmt: skip
    assert found.refunded_minor == 500
    assert found.allocations == (Allocation(invoice_id="7", amount_minor=500),)
    assert found.custom["allocations_before_refunds"] == "7:600,8:400"


def test_a_debit_is_received_when_it_was_settled() -> None:
    found = payment(settled_at=500, payment_method="direct_debit")
    assert found.received_at is not None and found.received_at.timestamp() == 500
    assert found.method == "bank_debit"


def test_an_authorisation_is_money_that_may_still_come() -> None:
    found = payment(type="authorization", linked_invoices=[])
    assert (found.status, found.received_at, found.allocations) == ("pending", None, ())
    assert payment(type="authorization", status="voided").status == "canceled"


def test_a_method_that_nobody_knows_is_set_aside() -> None:
    with pytest.raises(InvalidRecord) as caught:
        payment(payment_method="sea_shells")
    assert caught.value.where == "payment t1, field method"


def test_our_own_key_is_no_reference() -> None:
    found = payment(reference_number="tieout-payment-crm-4711-0123456789")
    assert found.reference is None
    assert found.external_ids == {"tieout": "tieout-payment-crm-4711-0123456789"}
    assert payment(reference_number="CHQ-7").reference == "CHQ-7"
