"""Mistakes on payments, credit memos and refunds."""

from __future__ import annotations

import copy
from typing import Any

from .facts import CreditNote, Receipt
from .moments import DAY, on, stamp
from .netsuite_journals import settle_by_journal
from .netsuite_records import invoice
from .netsuite_setup import account
from .planting import Scene, transposed

Object = dict[str, Any]


def plant_payments(scene: Scene) -> None:
    _crossed(scene)
    _short(scene)
    _missing(scene)
    _twice(scene)
    _other_date(scene)


def plant_credits(scene: Scene) -> None:
    _credit_missing(scene)
    _refund_missing(scene)
    _refund_amount(scene)
    _credit_total(scene)
    _credit_extra(scene)


def _take(scene: Scene, one: Receipt) -> Object:
    scene.claim(one.id, one.bill.id)
    return scene.books.payments[one.id]


def _crossed(scene: Scene) -> None:
    """Two equal payments of one client, each applied to the other's invoice: both balances hold."""
    pairs: dict[tuple[str, int], list[Receipt]] = {}
    for one in scene.receipts():
        pairs.setdefault((one.bill.client.id, one.amount), []).append(one)
    couples = [(some[0], some[1]) for some in pairs.values() if len(some) > 1]
    for first, second in scene.pick(couples, 1):
        left, right = _take(scene, first), _take(scene, second)
        left["apply"], right["apply"] = right["apply"], left["apply"]
        for one, record in ((first, left), (second, right)):
            text = "applied to another invoice of the same customer"
            scene.note(
                "differs", "payment", one.id, record["id"], one.bill.currency, 0, text,
                "allocations",
            )  # fmt: skip


def _short(scene: Scene) -> None:
    """The bank kept a fee; the bookkeeper booked what arrived and wrote the rest off."""
    wires = [one for one in scene.receipts() if one.method != "card"]
    for one in scene.pick([one for one in wires if one.amount > 6_000] or wires, 2):
        currency = one.bill.currency
        fee = min(currency.price(1_500), one.amount // 2 // currency.step * currency.step)
        if not fee:
            continue
        record, value = _take(scene, one), currency.decimal(one.amount - fee)
        record["payment"] = record["total"] = record["applied"] = value
        record["apply"]["items"][0]["amount"] = value
        settle_by_journal(scene.books, one.bill, fee, on(one.succeeded or 0), against="fees")
        text = f"booked short by a bank fee of {currency.show(fee)}"
        scene.note(
            "differs", "payment", one.id, record["id"], currency, fee, text,
            "amount_minor", "allocations",
        )  # fmt: skip


def _missing(scene: Scene) -> None:
    for one in scene.pick(scene.receipts(), 3):
        _take(scene, one)
        del scene.books.payments[one.id]
        settle_by_journal(scene.books, one.bill, one.amount, on(one.succeeded or 0))
        text = "never booked; a manual journal settled its invoice"
        scene.note("missing", "payment", one.id, None, one.bill.currency, one.amount, text)


def _twice(scene: Scene) -> None:
    for one in scene.pick(scene.receipts(), 1):
        first, id = _take(scene, one), scene.books.new_id()
        made = stamp(min((one.succeeded or 0) + 4 * DAY, scene.span.now - 60))
        double = copy.deepcopy(first) | {
            "id": id,
            "tranId": f"PYMT{id}",
            "createdDate": made,
            "lastModifiedDate": made,
            "applied": one.bill.currency.decimal(0),
            "unapplied": first["payment"],
            "apply": {"items": []},
        }
        scene.books.others.append(("customerPayment", double))
        text = "booked twice, the second time on account"
        scene.note("duplicate", "payment", one.id, id, one.bill.currency, -one.amount, text)


def _other_date(scene: Scene) -> None:
    old = [one for one in scene.receipts() if (one.succeeded or 0) + 12 * DAY < scene.span.now]
    for one in scene.pick(old, 1):
        record = _take(scene, one)
        day = on((one.succeeded or 0) + scene.rng.randint(2, 9) * DAY)
        record["tranDate"] = day.isoformat()
        record["postingPeriod"] = scene.books.periods.ref(day)
        text = f"booked on {day.isoformat()}, when it reached the bank"
        scene.note(
            "differs", "payment", one.id, record["id"], one.bill.currency, 0, text, "received_at"
        )


# Credit memos and refunds


def _credit_missing(scene: Scene) -> None:
    """Only credit that nothing used: a used one would leave an invoice open."""
    unused = [
        note
        for note in scene.notes
        if note.kind == "balance"
        and not scene.books.memos[note.id]["apply"]["items"]
        and scene.free(note.id)
    ]
    for note in scene.pick(unused, 1):
        scene.claim(note.id)
        del scene.books.memos[note.id]
        text = f"credit note {note.number} was never booked"
        scene.note("missing", "credit_note", note.id, None, note.bill.currency, note.total, text)


def _refund_missing(scene: Scene) -> None:
    for note in scene.pick(scene.refunded(), 2):
        refund = note.refund
        assert refund is not None
        scene.claim(note.id, refund.id)
        del scene.books.refunds[refund.id]
        _spend(scene, note, 0)
        text = "the money went back, NetSuite does not know"
        scene.note("missing", "refund", refund.id, None, note.bill.currency, refund.amount, text)


def _refund_amount(scene: Scene) -> None:
    fits = [
        note
        for note in scene.refunded()
        if note.refund and transposed(note.refund.amount, below=note.refund.amount)
    ]
    for note in scene.pick(fits, 1):
        refund, currency = note.refund, note.bill.currency
        assert refund is not None
        wrong = transposed(refund.amount, below=refund.amount) or 0
        scene.claim(note.id, refund.id)
        record = scene.books.refunds[refund.id]
        record["total"] = record["apply"]["items"][0]["amount"] = currency.decimal(wrong)
        _spend(scene, note, wrong)
        text = f"keyed {currency.show(wrong)} instead of {currency.show(refund.amount)}"
        effect = refund.amount - wrong
        scene.note(
            "differs", "refund", refund.id, record["id"], currency, effect, text, "amount_minor"
        )


def _spend(scene: Scene, note: CreditNote, spent: int) -> None:
    """Correct how much of a credit memo is used, after its refund changed."""
    record, currency = scene.books.memos[note.id], note.bill.currency
    record["applied"] = currency.decimal(spent)
    record["unapplied"] = record["total"] - record["applied"]
    record["status"] = {"id": "Open", "refName": "Open"}


def _credit_total(scene: Scene) -> None:
    fits = [note for note in scene.refunded() if transposed(note.total, above=note.total)]
    for note in scene.pick(fits, 2):
        currency, record = note.bill.currency, scene.books.memos[note.id]
        wrong = transposed(note.total, above=note.total) or 0
        scene.claim(note.id, note.refund.id if note.refund else note.id)
        more = currency.decimal(wrong - note.total)
        line = record["item"]["items"][0]
        line["amount"] += more
        line["rate"], line["quantity"] = line["amount"], 1
        record["subtotal"] += more
        record["total"] += more
        record["unapplied"] += more
        record["status"] = {"id": "Open", "refName": "Open"}
        refund = scene.books.refunds.get(note.refund.id) if note.refund else None
        if refund is not None:
            refund["apply"]["items"][0]["total"] = record["total"]
        text = f"keyed {currency.show(wrong)} instead of {currency.show(note.total)}"
        effect = note.total - wrong
        scene.note(
            "differs", "credit_note", note.id, record["id"], currency, effect, text, "total_minor"
        )


def _credit_extra(scene: Scene) -> None:
    for bill in scene.pick(scene.plain_bills(), 1):
        books, currency = scene.books, bill.currency
        total = currency.price(scene.rng.randint(10, 90) * 100)
        id, amount, at = books.new_id(), currency.decimal(total), (bill.finalized or 0) + DAY
        line = copy.deepcopy(invoice(books, bill, void=False)["item"]["items"][0])
        line |= {"line": 1, "quantity": 1, "rate": amount, "amount": amount}
        record = books.header(currency, on(at), at + DAY, "creditMemo", id) | {
            "entity": books.customer_ref(bill.client),
            "account": account("receivable"),
            "subtotal": amount,
            "taxTotal": currency.decimal(0),
            "total": amount,
            "applied": currency.decimal(0),
            "unapplied": amount,
            "status": {"id": "Open", "refName": "Open"},
            "memo": "goodwill, typed by hand",
            "item": {"items": [line]},
            "apply": {"items": []},
        }
        books.others.append(("creditMemo", record))
        scene.note("extra", "credit_note", None, id, currency, -total, "typed by hand in NetSuite")
