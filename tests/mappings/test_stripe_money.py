"""The money of Stripe's documents, case by case: docs/providers/stripe.md has the reasoning."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tieout.core.entities import Allocation, CreditNote, Invoice, Payment, Payout
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

MAPPER = load_mapping("stripe").compile(system="s")
T0 = 1_700_000_000  # 2023-11-14 22:13:20 UTC


def invoice(**changes: Any) -> dict[str, Any]:
    """A finalized invoice over 10.00 with one line, nothing paid."""
    total = changes.get("total", 1000)
    due = changes.get("amount_due", total)
    paid = changes.get("amount_paid", 0)
    raw = {
        "id": "in_1", "object": "invoice", "livemode": True, "currency": "usd", "status": "open",
        "customer": "cus_1", "created": T0, "subtotal": 1000, "total": total, "amount_due": due,
        "amount_paid": paid, "amount_remaining": due - paid, "amount_overpaid": 0,
        "amount_shipping": 0, "shipping_cost": None, "starting_balance": 0, "ending_balance": 0,
        "pre_payment_credit_notes_amount": 0, "post_payment_credit_notes_amount": 0,
        "total_taxes": [], "total_discount_amounts": [], "total_pretax_credit_amounts": [],
        "status_transitions": {"finalized_at": T0, "paid_at": None, "voided_at": None},
        "lines": {"data": [line(1000)], "has_more": False, "object": "list"},
    }  # fmt: skip
    return {**raw, **changes}


def line(amount: int, **changes: Any) -> dict[str, Any]:
    raw = {
        "id": "il_1", "object": "line_item", "amount": amount, "currency": "usd", "quantity": 1,
        "description": "Plan", "discount_amounts": [], "taxes": [],
        "period": {"start": T0, "end": T0 + 60},
        "pricing": {"type": "price_details", "unit_amount_decimal": str(amount),
                    "price_details": {"price": "price_1", "product": "prod_1"}},
        "parent": {"type": "subscription_item_details", "invoice_item_details": None,
                   "subscription_item_details": {"proration": False, "subscription": "sub_1"}},
    }  # fmt: skip
    return {**raw, **changes}


def read(raw: dict[str, Any], **options: Any) -> Invoice:
    record = load_mapping("stripe").compile(system="s", **options).parse("invoice", raw)
    assert isinstance(record, Invoice)
    return record


def tax(amount: int, behavior: str = "exclusive") -> list[dict[str, Any]]:
    return [{"amount": amount, "tax_behavior": behavior, "taxable_amount": 1}]


def holds(record: Invoice) -> bool:
    """The identities of domain/entities.md."""
    sums = [record.subtotal_minor, record.discount_minor, record.tax_minor, record.total_minor,
            record.adjustment_minor, record.paid_minor, record.credited_minor,
            record.balance_minor]  # fmt: skip
    subtotal, discount, taxes, total, adjustment, paid, credited, balance = (x or 0 for x in sums)
    lines = sum(each.amount_minor or 0 for each in record.lines)
    whole = total == subtotal - discount + taxes and lines == subtotal
    return whole and (record.status == "void" or balance == total + adjustment - paid - credited)


# name: (changes, expected: subtotal, discount, tax, adjustment, paid, credited, balance)
CASES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "open": ({}, (1000, 0, 0, 0, 0, 0, 1000)),
    "partly paid": ({"amount_paid": 400}, (1000, 0, 0, 0, 400, 0, 600)),
    "exclusive tax": (
        {"total": 1190, "total_taxes": tax(190), "lines": {"data": [line(1000, taxes=tax(190))]}},
        (1000, 0, 190, 0, 0, 0, 1190),
    ),
    "inclusive tax: net of it": (
        {"total_taxes": tax(160, "inclusive"),
         "lines": {"data": [line(1000, taxes=tax(160, "inclusive"))]}},
        (840, 0, 160, 0, 0, 0, 1000),
    ),
    "inclusive tax before basil": (
        {"total_taxes": None, "total_tax_amounts": [{"amount": 160, "inclusive": True}], "tax": 160,
         "lines": {"data": [line(1000, taxes=None,
                                 tax_amounts=[{"amount": 160, "inclusive": True}])]}},
        (840, 0, 160, 0, 0, 0, 1000),
    ),
    "inclusive tax on what a discount leaves": (  # 8.00 with 1.28 inside
        {"total": 800, "total_discount_amounts": [{"amount": 200, "discount": "di_1"}],
         "total_taxes": tax(128, "inclusive"),
         "lines": {"data": [line(1000, taxes=tax(128, "inclusive"),
                                 discount_amounts=[{"amount": 200, "discount": "di_1"}])]}},
        (872, 200, 128, 0, 0, 0, 800),
    ),
    "discount and exclusive tax": (
        {"total": 963, "total_discount_amounts": [{"amount": 100, "discount": "di_1"}],
         "total_taxes": tax(63)},
        (1000, 100, 63, 0, 0, 0, 963),
    ),
    "item discounts already taken off the subtotal": (  # then the lines' sum is the subtotal
        {"subtotal": 900, "total": 900,
         "total_discount_amounts": [{"amount": 100, "discount": "di_1"}],
         "lines": {"data": [line(1000, discount_amounts=[{"amount": 100, "discount": "di_1"}])],
                   "has_more": False}},
        (1000, 100, 0, 0, 0, 0, 900),
    ),
    "billing credits before tax": (
        {"total": 700, "total_pretax_credit_amounts": [
            {"amount": 300, "type": "credit_balance_transaction"}]},
        (1000, 300, 0, 0, 0, 0, 700),
    ),
    "shipping is a line, its tax in the total of taxes": (
        {"total": 1595, "total_taxes": tax(95), "amount_shipping": 500,
         "shipping_cost": {"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595}},
        (1500, 0, 95, 0, 0, 0, 1595),
    ),
    "shipping, its tax kept apart": (
        {"total": 1595, "total_taxes": [], "amount_shipping": 500,
         "shipping_cost": {"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595}},
        (1500, 0, 95, 0, 0, 0, 1595),
    ),
    "shipping with inclusive tax": (
        {"total": 1500, "total_taxes": tax(80, "inclusive"), "amount_shipping": 500,
         "shipping_cost": {"amount_subtotal": 500, "amount_tax": 80, "amount_total": 500}},
        (1420, 0, 80, 0, 0, 0, 1500),
    ),
    "customer credit covers a part": (
        {"starting_balance": -300, "ending_balance": 0, "amount_due": 700},
        (1000, 0, 0, 0, 0, 300, 700),
    ),
    "customer credit covers all": (
        {"starting_balance": -1500, "ending_balance": -500, "amount_due": 0, "status": "paid"},
        (1000, 0, 0, 0, 0, 1000, 0),
    ),
    "a draft foretells the credit": (
        {"starting_balance": -300, "ending_balance": None, "amount_due": 700, "status": "draft"},
        (1000, 0, 0, 0, 0, 300, 700),
    ),
    "debt is carried in": (  # ruling: counts in adjustment
        {"starting_balance": 200, "ending_balance": 0, "amount_due": 1200},
        (1000, 0, 0, 200, 0, 0, 1200),
    ),
    "too small to charge: carried over": (
        {"subtotal": 30, "total": 30, "lines": {"data": [line(30)]}, "ending_balance": 30,
         "amount_due": 0, "status": "paid"},
        (30, 0, 0, -30, 0, 0, 0),
    ),
    "credit used up and the rest too small": (
        {"subtotal": 60, "total": 60, "lines": {"data": [line(60)]}, "starting_balance": -20,
         "ending_balance": 40, "amount_due": 0, "status": "paid"},
        (60, 0, 0, -40, 0, 20, 0),
    ),
    "negative total goes to the customer's balance": (
        {"subtotal": -500, "total": -500, "lines": {"data": [line(-500)]},
         "ending_balance": -500, "amount_due": 0, "status": "paid"},
        (-500, 0, 0, 500, 0, 0, 0),
    ),
    "a credit note before payment": (  # lowers amount_due, too
        {"pre_payment_credit_notes_amount": 300, "amount_due": 700},
        (1000, 0, 0, 0, 0, 300, 700),
    ),
    "credit note, credit and payment together": (
        {"starting_balance": -100, "ending_balance": 0, "pre_payment_credit_notes_amount": 300,
         "amount_due": 600, "amount_paid": 600, "status": "paid"},
        (1000, 0, 0, 0, 600, 400, 0),
    ),
    "a credit note after payment leaves the invoice": (
        {"post_payment_credit_notes_amount": 200, "amount_paid": 1000, "status": "paid"},
        (1000, 0, 0, 0, 1000, 0, 0),
    ),
    "paid outside Stripe": (
        {"amount_paid": 1000, "status": "paid", "paid_out_of_band": True},
        (1000, 0, 0, 0, 1000, 0, 0),
    ),
    "paid outside Stripe, shown apart": (
        {"amount_paid": 0, "amount_paid_off_stripe": 1000, "amount_remaining": 0,
         "status": "paid"},
        (1000, 0, 0, 0, 1000, 0, 0),
    ),
    "paid outside Stripe, not shown at all": (
        {"amount_paid": 0, "amount_remaining": 1000, "status": "paid"},
        (1000, 0, 0, 0, 1000, 0, 0),
    ),
    "overpaid: the rest is the customer's credit": (
        {"amount_paid": 1200, "amount_remaining": 0, "amount_overpaid": 200, "status": "paid"},
        (1000, 0, 0, 200, 1200, 0, 0),
    ),
    "overpaid, told without the rest": (
        {"amount_paid": 1000, "amount_overpaid": 200, "status": "paid"},
        (1000, 0, 0, 0, 1000, 0, 0),
    ),
    "void": ({"status": "void"}, (1000, 0, 0, 0, 0, 0, 0)),
    "uncollectible still owes": ({"status": "uncollectible"}, (1000, 0, 0, 0, 0, 0, 1000)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_invoice_adds_up(case: str) -> None:
    changes, expected = CASES[case]
    record = read(invoice(**changes))
    found = (record.subtotal_minor, record.discount_minor, record.tax_minor,
             record.adjustment_minor, record.paid_minor, record.credited_minor,
             record.balance_minor)  # fmt: skip
    assert found == expected
    assert holds(record)
    assert record.written_off_minor is None


def test_a_document_that_contradicts_itself_keeps_doing_so() -> None:
    record = read(invoice(total=1234))
    assert (record.subtotal_minor, record.discount_minor, record.total_minor) == (1000, 0, 1234)
    assert not holds(record)
    wrong_balance = read(invoice(amount_remaining=999))
    assert wrong_balance.balance_minor == 999 and not holds(wrong_balance)


def test_shipping_becomes_a_line() -> None:
    changes, _ = CASES["shipping is a line, its tax in the total of taxes"]
    last = read(invoice(**changes)).lines[-1]
    assert (last.id, last.amount_minor, last.tax_minor, last.quantity) == ("shipping", 500, 95, "1")


def test_a_line_of_today_and_one_of_before_basil_mean_the_same() -> None:
    old = {
        "id": "il_1", "amount": 1000, "description": "Plan", "quantity": 1, "proration": False,
        "period": {"start": T0, "end": T0 + 60}, "tax_amounts": [], "discount_amounts": [],
        "price": {"id": "price_1", "product": "prod_1", "unit_amount_decimal": "1000"},
        "subscription": "sub_1",
    }  # fmt: skip
    older = {**old, "price": None, "plan": {"id": "price_1", "product": "prod_1", "amount": 1000}}
    lines = [read(invoice(lines={"data": [each]})).lines for each in (line(1000), old, older)]
    assert lines[0] == lines[1] == lines[2]
    assert (lines[0][0].price_id, lines[0][0].product_id) == ("price_1", "prod_1")
    assert lines[0][0].unit_amount == "10"


def test_dates_count_in_the_accounts_time_zone() -> None:
    raw = invoice(effective_at=None, due_date=T0 + 3600)
    assert (read(raw).issued_on, read(raw).due_on) == (date(2023, 11, 14), date(2023, 11, 14))
    there = read(raw, timezone="Europe/Berlin")
    assert (there.issued_on, there.due_on) == (date(2023, 11, 14), date(2023, 11, 15))
    assert read(raw, timezone="Asia/Tokyo").issued_on == date(2023, 11, 15)
    assert read(invoice(effective_at=86400)).issued_on == date(1970, 1, 2)
    assert read(invoice(status="draft")).issued_on is None


def test_references_may_be_expanded_and_the_subscription_sits_in_the_parent() -> None:
    parent = {"type": "subscription_details", "subscription_details": {"subscription": {"id": "s"}}}
    record = read(invoice(customer={"id": "cus_9", "object": "customer"}, parent=parent))
    assert (record.customer_id, record.subscription_id) == ("cus_9", "s")
    assert read(invoice(subscription="sub_old")).subscription_id == "sub_old"


def test_currencies_with_other_exponents_at_stripe() -> None:
    krona = invoice(currency="isk", subtotal=50000, total=50000, lines={"data": [line(50000)]})
    record = read(krona)
    assert (record.currency, record.total_minor, record.balance_minor) == ("ISK", 500, 500)
    assert record.lines[0].amount_minor == 500 and record.lines[0].unit_amount == "500"
    yen = read(invoice(currency="jpy"))
    assert (yen.total_minor, yen.lines[0].unit_amount) == (1000, "1000")
    with pytest.raises(InvalidRecord) as caught:
        read({**krona, "total": 50050})
    assert caught.value.where == "invoice in_1, field total_minor"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"total": "1000"}, "invoice in_1"),
        ({"total": None}, "invoice in_1, field total_minor"),
        ({"status": "half_paid"}, "invoice in_1, field status"),
        ({"currency": None}, "invoice in_1"),
        ({"lines": {"data": "none"}}, "invoice in_1"),
        ({"lines": {"data": [{"id": "il", "amount": 1.5}]}}, "invoice in_1"),
        ({"status_transitions": "x"}, "invoice in_1"),
        ({"created": "today"}, "invoice in_1, field created_at"),
    ],
)
def test_a_bad_invoice_is_set_aside_with_its_place(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read({**invoice(), **changes})
    assert caught.value.where.startswith(where)


def note(**changes: Any) -> CreditNote:
    raw = {
        "id": "cn_1", "object": "credit_note", "currency": "usd", "status": "issued",
        "type": "post_payment", "subtotal": 500, "total": 500, "discount_amount": 0,
        "invoice": "in_1", "customer": "cus_1", "created": T0, "effective_at": None,
        "number": "N-CN-1", "refunds": [], "out_of_band_amount": None, "total_taxes": [],
        "pre_payment_amount": 0, "post_payment_amount": 500, "lines": {"data": []},
    }  # fmt: skip
    record = MAPPER.parse("credit_note", {**raw, **changes})
    assert isinstance(record, CreditNote)
    return record


@pytest.mark.parametrize(
    ("changes", "status", "allocated", "refunded", "on_invoice"),
    [
        ({"type": "pre_payment", "pre_payment_amount": 500}, "applied", 500, 0, 500),
        ({"refunds": [{"refund": "re_1", "amount_refunded": 500}]}, "refunded", 0, 500, 0),
        ({"out_of_band_amount": 500}, "refunded", 0, 500, 0),
        ({"customer_balance_transaction": "cbtxn_1"}, "applied", 500, 0, 0),
        (
            {"type": "mixed", "pre_payment_amount": 200, "post_payment_amount": 300,
             "refunds": [{"refund": "re_1", "amount_refunded": 100}], "out_of_band_amount": 50},
            "refunded", 350, 150, 200,  # 1.50 of the 3.00 went to the customer's balance
        ),
        ({"refund": "re_1", "refunds": None}, "refunded", 0, 500, 0),
        (
            {"refund": "re_1", "refunds": None, "customer_balance_transaction": {"amount": -200}},
            "refunded", 200, 300, 0,
        ),
        ({"status": "void", "type": "pre_payment"}, "void", 0, 0, 0),
    ],
)  # fmt: skip
def test_where_a_credit_notes_money_went(
    changes: dict[str, Any], status: str, allocated: int, refunded: int, on_invoice: int
) -> None:
    record = note(**changes)
    assert (record.status, record.allocated_minor, record.refunded_minor) == (
        status, allocated, refunded,
    )  # fmt: skip
    assert record.balance_minor == 0
    expected = (Allocation(invoice_id="in_1", amount_minor=on_invoice),) if on_invoice else ()
    assert record.allocations == expected


def test_a_credit_note_is_net_of_inclusive_tax() -> None:
    rows = [{"id": "cnli", "amount": 500, "taxes": tax(80, "inclusive"), "unit_amount": 500}]
    record = note(total_taxes=tax(80, "inclusive"), lines={"data": rows})
    assert (record.subtotal_minor, record.tax_minor, record.total_minor) == (420, 80, 500)
    assert record.lines[0].amount_minor == 420 and record.issued_on == date(2023, 11, 14)


def intent(**changes: Any) -> dict[str, Any]:
    charge = {
        "id": "ch_1", "object": "charge", "amount": 1000, "amount_captured": 1000,
        "amount_refunded": 0, "captured": True, "created": T0, "currency": "eur",
        "status": "succeeded", "payment_method_details": {"type": "sepa_debit", "sepa_debit": {}},
        "balance_transaction": {"id": "txn_1", "created": T0 + 86400, "currency": "eur",
                                "fee": 35, "net": 965, "amount": 1000},
    }  # fmt: skip
    raw = {
        "id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_received": 1000,
        "currency": "eur", "status": "succeeded", "customer": "cus_1", "created": T0 - 60,
        "latest_charge": {**charge, **changes.pop("charge", {})}, "last_payment_error": None,
        "tieout_invoice_payments": [allocation("in_1", 1000)],
    }  # fmt: skip
    return {**raw, **changes}


def allocation(invoice: str, amount: int, status: str = "paid", at: int = T0) -> dict[str, Any]:
    return {"id": f"inpay_{invoice}", "invoice": invoice, "amount_paid": amount,
            "amount_requested": amount, "status": status,
            "status_transitions": {"paid_at": at}}  # fmt: skip


def paid(raw: dict[str, Any]) -> Payment:
    record = MAPPER.parse("payment", raw)
    assert isinstance(record, Payment)
    return record


def test_a_payment_with_everything_expanded() -> None:
    record = paid(intent())
    assert (record.id, record.gateway_id, record.method) == ("pi_1", "ch_1", "bank_debit")
    assert (record.amount_minor, record.fee_minor, record.refunded_minor) == (1000, 35, 0)
    # A debit succeeds days after the charge was made: the balance transaction knows when.
    assert record.received_at == datetime.fromtimestamp(T0 + 86400, UTC)
    assert record.allocations == (Allocation(invoice_id="in_1", amount_minor=1000),)


def test_a_charge_payload_is_the_same_payment() -> None:
    whole = intent()
    charge = {**whole["latest_charge"], "payment_intent": "pi_1", "customer": "cus_1",
              "tieout_invoice_payments": whole["tieout_invoice_payments"]}  # fmt: skip
    first, second = paid(whole), paid(charge)
    skip = {"created_at", "url"}
    for name in first.__struct_fields__:
        if name not in skip:
            assert getattr(first, name) == getattr(second, name), name


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "processing"}, "pending"),
        ({"status": "requires_capture"}, "pending"),
        ({"status": "requires_action"}, "pending"),
        ({"status": "requires_confirmation"}, "pending"),
        ({"status": "requires_payment_method"}, "pending"),
        ({"status": "requires_payment_method", "last_payment_error": {"code": "x"}}, "failed"),
        ({"status": "canceled"}, "canceled"),
    ],
)
def test_a_payment_that_has_not_succeeded_allocates_nothing(
    changes: dict[str, Any], status: str
) -> None:
    record = paid(intent(**changes))
    assert (record.status, record.received_at, record.allocations) == (status, None, ())


def test_allocations_never_exceed_what_was_kept() -> None:
    rows = [allocation("in_2", 400, at=T0 + 5), allocation("in_1", 600),
            allocation("in_3", 100, "open"), allocation("in_4", 100, "canceled")]  # fmt: skip
    record = paid(intent(tieout_invoice_payments=rows, charge={"amount_refunded": 250}))
    assert record.refunded_minor == 250
    assert record.allocations == (  # in the order of payment; the refund comes off the last
        Allocation(invoice_id="in_1", amount_minor=600),
        Allocation(invoice_id="in_2", amount_minor=150),
    )


def test_a_fee_in_another_currency_is_kept_apart() -> None:
    settled = {"created": T0, "currency": "isk", "fee": 1200, "amount": 1, "net": 1}
    record = paid(intent(charge={"balance_transaction": settled}))
    assert record.fee_minor is None
    assert record.custom["settlement_currency"] == "ISK"
    assert record.custom["settlement_fee_minor"] == 12


def test_a_capture_in_part_is_no_refund() -> None:
    captured = {"amount_captured": 600, "amount_refunded": 400}
    record = paid(intent(amount_received=600, charge=captured, tieout_invoice_payments=[]))
    assert (record.amount_minor, record.refunded_minor) == (600, 0)
    more = {"amount_captured": 600, "amount_refunded": 500}
    assert paid(intent(amount_received=600, charge=more)).refunded_minor == 100


def test_an_authorisation_that_was_released_was_never_paid() -> None:
    charge = {"id": "ch_2", "object": "charge", "amount": 1000, "amount_captured": 0,
              "amount_refunded": 1000, "captured": False, "refunded": True, "currency": "eur",
              "status": "succeeded", "created": T0}  # fmt: skip
    record = paid(charge)
    assert (record.id, record.status, record.refunded_minor) == ("ch_2", "canceled", 0)


def test_an_unlisted_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRecord) as caught:
        paid(intent(charge={"payment_method_details": {"type": "barter"}}))
    assert caught.value.where == "payment pi_1, field method"
    assert "sepa_debit" in caught.value.hint


def moved(id: str, category: str, amount: int, fee: int = 0, **changes: Any) -> dict[str, Any]:
    return {"id": id, "object": "balance_transaction", "reporting_category": category,
            "amount": amount, "fee": fee, "net": amount - fee, "currency": "eur",
            "source": f"src_{id}", "type": category, **changes}  # fmt: skip


def payout(*rows: dict[str, Any]) -> Payout:
    raw = {"id": "po_1", "object": "payout", "amount": 2280, "currency": "eur", "status": "paid",
           "arrival_date": 1700006400, "automatic": True, "created": T0,
           "trace_id": {"status": "supported", "value": "TRACE1"},
           "statement_descriptor": "STRIPE", "tieout_balance_transactions": list(rows)}  # fmt: skip
    record = MAPPER.parse("payout", raw)
    assert isinstance(record, Payout)
    return record


def test_a_payout_is_the_sum_of_its_lines_without_its_own_row() -> None:
    record = payout(
        moved("t1", "charge", 3000, 117, source={"id": "ch_1", "object": "charge"}),
        moved("t2", "refund", -500),
        moved("t3", "fee", -3),
        moved("t4", "dispute", -1000, 1500),
        moved("t5", "dispute_reversal", 1000, -1500),
        moved("t6", "other_adjustment", -100),
        moved("t7", "payout", -2280, source="po_1", type="payout"),
    )
    assert [each.kind for each in record.lines] == [
        "charge", "refund", "fee", "dispute", "dispute", "adjustment",
    ]  # fmt: skip
    assert sum(each.net_minor or 0 for each in record.lines) == record.amount_minor == 2280
    assert record.lines[0].source_id == "ch_1" and record.lines[0].fee_minor == 117
    assert record.arrives_on == date(2023, 11, 15)  # ruling: midnight UTC means the date
    assert record.reference == "TRACE1"


def test_an_earlier_payout_that_came_back_is_a_line_like_others() -> None:
    back = moved("t1", "payout_reversal", 2280, source="po_0", type="payout_failure")
    assert [each.kind for each in payout(back).lines] == ["transfer"]


def test_a_payout_line_of_an_unknown_kind_or_currency_is_refused() -> None:
    with pytest.raises(InvalidRecord) as caught:
        payout(moved("t1", "moon_dust", 5))
    assert caught.value.where == "payout po_1, field lines[0].kind"
    with pytest.raises(InvalidRecord, match="another currency"):
        payout(moved("t1", "charge", 5, currency="usd"))
