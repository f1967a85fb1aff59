"""Mistakes on invoices: keyed wrong, forgotten, typed twice, booked elsewhere."""

from __future__ import annotations

import copy
from typing import Any

from .currencies import CURRENCIES, exchange_rate
from .facts import Bill
from .moments import DAY, month_of, on, stamp
from .netsuite_books import import_time
from .netsuite_records import invoice
from .netsuite_setup import account, currency_ref
from .planting import Scene, other_month, paid_by, transposed

Object = dict[str, Any]


def plant_invoices(scene: Scene) -> None:
    """Scarce candidates (unpaid ones) first, so that a small company shows every kind."""
    _missing(scene)
    _wrong_currency(scene)
    _other_customer(scene)
    _wrong_total(scene)
    _not_voided(scene)
    _twice(scene)
    _other_date(scene)
    _typed_by_hand(scene)


def _missing(scene: Scene) -> None:
    for bill in scene.pick(scene.unpaid_bills(), 3):
        scene.claim(bill.id)
        del scene.books.invoices[bill.id]
        scene.books.journals.pop(bill.id, None)
        text = f"invoice {bill.number} was never booked"
        scene.note("missing", "invoice", bill.id, None, bill.currency, bill.total, text)


def _wrong_currency(scene: Scene) -> None:
    twins = {"USD": "EUR", "EUR": "USD"}
    bills = [bill for bill in scene.unpaid_bills() if bill.currency.code in twins]
    for bill in scene.pick(bills, 1):
        scene.claim(bill.id)
        record = scene.books.invoices[bill.id]
        typed = CURRENCIES[twins[bill.currency.code]]
        record["currency"] = currency_ref(typed)
        month = month_of(on(bill.issued))
        record["exchangeRate"] = exchange_rate(scene.books.seed, typed, month)
        text = f"typed in {typed.code}, the same figures: {typed.code} has them too many"
        scene.note(
            "differs", "invoice", bill.id, record["id"], bill.currency, bill.total, text,
            "currency", right_currency=typed.code,
        )  # fmt: skip


def _other_customer(scene: Scene) -> None:
    for bill in scene.pick(scene.unpaid_bills(), 2):
        record = scene.books.invoices[bill.id]
        others = [
            client
            for client in scene.clients
            if client.currency is bill.currency and client.id != bill.client.id
        ]
        if not others:
            continue
        scene.claim(bill.id)
        other = scene.rng.choice(others)
        record["entity"] = scene.books.customer_ref(other)
        text = f"booked on another customer ({other.name})"
        scene.note(
            "differs", "invoice", bill.id, record["id"], bill.currency, 0, text, "customer_id"
        )


def _wrong_total(scene: Scene) -> None:
    """Two digits exchanged: half on unpaid invoices, half on paid ones, which then look open."""
    fits = [bill for bill in scene.unpaid_bills() if not bill.out_of_band]
    unpaid = [bill for bill in fits if transposed(bill.total)]
    paid = [
        bill
        for bill in scene.plain_bills()
        if paid_by(bill) is not None and transposed(bill.total, above=bill.total)
    ]
    for bill in [*scene.pick(unpaid, 2), *scene.pick(paid, 2)]:
        scene.claim(bill.id)
        settled = paid_by(bill) is not None
        wrong = transposed(bill.total, above=bill.total if settled else 0)
        assert wrong is not None
        _rekey(scene, bill, wrong - bill.total)
        fields = ("total_minor", "balance_minor", "status")
        right = scene.books.invoices[bill.id]["id"]
        show = bill.currency.show
        text = f"keyed {show(wrong)} instead of {show(bill.total)}"
        scene.note(
            "differs", "invoice", bill.id, right, bill.currency, bill.total - wrong, text,
            *(fields if settled else fields[:2]),
        )  # fmt: skip


def _rekey(scene: Scene, bill: Bill, change: int) -> None:
    record, more = scene.books.invoices[bill.id], bill.currency.decimal(change)
    line = record["item"]["items"][0]
    line["amount"] += more
    line["rate"], line["quantity"] = line["amount"], 1
    for field in ("subtotal", "total", "amountRemaining"):
        record[field] += more
    if record["amountRemaining"]:
        record["status"] = {"id": "Open", "refName": "Open"}


def _not_voided(scene: Scene) -> None:
    void = [bill for bill in scene.bills if bill.voided is not None and scene.free(bill.id)]
    for bill in scene.pick(void, 3):
        scene.claim(bill.id)
        record = invoice(scene.books, bill, void=False)
        scene.books.invoices[bill.id] = record
        text = "voided in Stripe, still open in NetSuite"
        scene.note(
            "differs", "invoice", bill.id, record["id"], bill.currency, -bill.total, text,
            "total_minor", "balance_minor", "status",
        )  # fmt: skip


def _twice(scene: Scene) -> None:
    for count, bill in enumerate(scene.pick(scene.plain_bills(), 2)):
        scene.claim(bill.id)
        first = scene.books.invoices[bill.id]
        made = stamp(min(import_time(bill.finalized or 0) + 3 * DAY, scene.span.now - 60))
        double = copy.deepcopy(first) | {
            "id": scene.books.new_id(),
            "tranId": f"{bill.number}{'-1' if count % 2 else 'A'}",
            "createdDate": made,
            "lastModifiedDate": made,
            "amountPaid": bill.currency.decimal(0),
            "amountRemaining": first["total"],
            "status": {"id": "Open", "refName": "Open"},
        }
        scene.books.others.append(("invoice", double))
        text = f"invoice {bill.number} was booked twice"
        scene.note("duplicate", "invoice", bill.id, double["id"], bill.currency, -bill.total, text)


def _other_date(scene: Scene) -> None:
    for bill in scene.pick(scene.plain_bills(), 2):
        scene.claim(bill.id)
        record = scene.books.invoices[bill.id]
        day = on(other_month(bill.issued, scene.span))
        record["tranDate"] = day.isoformat()
        record["postingPeriod"] = scene.books.periods.ref(day)
        text = f"booked on {day.isoformat()}, in another month"
        scene.note("differs", "invoice", bill.id, record["id"], bill.currency, 0, text, "issued_on")


def _typed_by_hand(scene: Scene) -> None:
    for bill in scene.pick(scene.plain_bills(), 3):
        books, currency = scene.books, bill.currency
        total = currency.price(scene.rng.randint(40, 900) * 100)
        at = (bill.finalized or 0) + scene.rng.randint(0, 5) * DAY
        id, amount, zero = books.new_id(), currency.decimal(total), currency.decimal(0)
        line = copy.deepcopy(invoice(books, bill, void=False)["item"]["items"][0])
        line |= {"line": 1, "quantity": 1, "rate": amount, "amount": amount}
        line["description"] = "Consulting, as agreed by phone"
        record = books.header(currency, on(at), at + DAY, "invoice", id) | {
            "tranId": f"INV{id}",
            "dueDate": on(at + 30 * DAY).isoformat(),
            "entity": books.customer_ref(bill.client),
            "account": account("receivable"),
            "subtotal": amount,
            "taxTotal": zero,
            "total": amount,
            "amountPaid": zero,
            "amountRemaining": amount,
            "status": {"id": "Open", "refName": "Open"},
            "memo": "typed by hand",
            "item": {"items": [line]},
        }
        books.others.append(("invoice", record))
        scene.note("extra", "invoice", None, id, currency, -total, "typed by hand in NetSuite")
