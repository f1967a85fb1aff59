"""Makes NetSuite wrong in known ways, one way a document, so that a reconciliation has work.

Documents are chosen by the seed. Whatever a mistake would drag along (an invoice left open by a
missing payment) is settled by a manual journal, as a bookkeeper would, so that one mistake is
one difference.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from . import cash
from .billing import Ledger
from .currencies import Currency
from .facts import Bill, Client, CreditNote, Receipt, Span
from .moments import DAY, month_of, on
from .netsuite_books import Books
from .planted import Planted

Object = dict[str, Any]
T = TypeVar("T")
_FULL_SIZE = 120
# Only what is so much older than the last two weeks is spoilt, so that whoever begins to write
# shortly before them (some documents are backdated by days) does not mend it by accident.
_MARGIN = 10 * DAY


class Scene:
    """What may still be spoilt, and what has been."""

    def __init__(
        self, seed: int, size: int, ledgers: list[Ledger], payouts: list[cash.Payout], books: Books
    ) -> None:
        self.rng = random.Random(f"{seed}:planted")
        self.size, self.books, self.span = size, books, books.span
        self.planted: list[Planted] = []
        self._used: set[str] = set()
        self.clients = [ledger.client for ledger in ledgers if ledger.client.id in books.customers]
        self.bills = [
            bill
            for ledger in ledgers
            for bill in ledger.bills
            if bill.id in books.invoices and not is_settling(bill, books) and self.is_old(bill)
        ]
        self.notes = [
            note
            for ledger in ledgers
            for bill in ledger.bills
            for note in bill.credits
            if note.id in books.memos and self.is_old(bill) and note.created < self.margin
        ]
        self.payouts = [
            one
            for one in payouts
            if one.id in books.deposits and one.arrives < self.span.cutoff - DAY
        ]

    @property
    def margin(self) -> int:
        return self.span.cutoff - _MARGIN

    def is_old(self, bill: Bill) -> bool:
        """Whether it and its payments are."""
        moments = [bill.issued, *(one.succeeded or 0 for one in bill.receipts)]
        return max(moments) < self.margin

    def many(self, count: int) -> int:
        """How many of a kind: `count` for 120 customers, slowly more or simply fewer."""
        if self.size <= _FULL_SIZE:
            return max(1, -(-count * self.size // _FULL_SIZE))
        return round(count * math.cbrt(self.size / _FULL_SIZE))

    def pick(self, candidates: Iterable[T], count: int) -> Iterator[T]:
        """At most `count` of them, at random. The caller claims what it really spoils."""
        pool = list(candidates)
        self.rng.shuffle(pool)
        return iter(pool[: self.many(count)])

    def free(self, *ids: str) -> bool:
        return not self._used.intersection(ids)

    def claim(self, *ids: str) -> None:
        self._used.update(ids)

    def note(
        self,
        kind: str,
        entity: str,
        left: str | None,
        right: str | None,
        currency: Currency,
        effect: int,
        text: str,
        *fields: str,
        right_currency: str | None = None,
    ) -> None:
        self.planted.append(
            Planted(kind, entity, left, right, fields, currency.code, effect, text, right_currency)
        )

    # Who may be spoilt

    def plain_bills(self) -> list[Bill]:
        """Invoices with at most one payment and nothing else on them, of a total above 0."""
        return [
            bill
            for bill in self.bills
            if not bill.credits
            and not bill.starting_balance
            and len(bill.receipts) <= 1
            and bill.total > 100
            and bill.voided is None
            and self.free(bill.id)
        ]

    def unpaid_bills(self) -> list[Bill]:
        """Those without a Stripe payment: open, uncollectible, or paid out of band."""
        return [bill for bill in self.plain_bills() if paid_by(bill) is None]

    def receipts(self) -> list[Receipt]:
        """Payments that alone settled a plain invoice."""
        found = [paid_by(bill) for bill in self.plain_bills()]
        return [
            one
            for one in found
            if one is not None and self.free(one.id) and not one.refunds and not one.dispute
        ]

    def refunded(self) -> list[CreditNote]:
        return [
            note
            for note in self.notes
            if note.refund is not None and self.free(note.id, note.refund.id)
        ]


def is_settling(bill: Bill, books: Books) -> bool:
    """Whether Stripe's last days changed what is open, which NetSuite has not seen yet."""
    if bill.voided is not None or bill.out_of_band is not None:
        return False
    return bill.remaining(books.span.now) != books.open_amount(bill)


def paid_by(bill: Bill) -> Receipt | None:
    return next((one for one in bill.receipts if one.succeeded is not None), None)


def transposed(minor: int, *, above: int = 0, below: int | None = None) -> int | None:
    """The amount with two neighbouring digits exchanged, between the bounds; None if none is."""
    digits = str(minor)
    for at in range(len(digits) - 2, -1, -1):
        swapped = int(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
        if swapped != minor and swapped > above and (below is None or swapped < below):
            return swapped
    return None


def plant_customers(scene: Scene) -> None:
    """Old e-mail addresses and old names. Customers matched by e-mail are left alone."""

    def eligible() -> list[Client]:
        return [
            one
            for one in scene.clients
            if one.email and not one.matched_by_email and scene.free(one.id)
        ]

    for client in scene.pick(eligible(), 3):
        scene.claim(client.id)
        record = scene.books.customers[client.id]
        record["email"] = "old." + record["email"]
        _note_customer(scene, client, "email", "e-mail address changed by the customer only")
    for client in scene.pick(eligible(), 2):
        scene.claim(client.id)
        record = scene.books.customers[client.id]
        field = "lastName" if client.is_person else "companyName"
        record[field] = f"{record[field]} II" if len(record[field]) < 80 else record[field][:60]
        _note_customer(scene, client, "name", "NetSuite still has another name")


def _note_customer(scene: Scene, client: Client, field: str, text: str) -> None:
    right = scene.books.customers[client.id]["id"]
    # Names are owned by the CRM where there is one; it knows no e-mail address of an account.
    left = client.account if client.account and field == "name" else client.id
    scene.note("differs", "customer", left, right, client.currency, 0, text, field)


def plant_payouts(scene: Scene) -> None:
    for payout in scene.pick(scene.payouts, 2):
        scene.claim(payout.id)
        record, currency = scene.books.deposits[payout.id], payout.currency
        short = min(scene.rng.randint(1, 300) * currency.step, payout.amount - 1)
        value = currency.decimal(payout.amount - short)
        record["total"] = record["other"]["items"][0]["amount"] = value
        text = f"the bank kept {currency.show(short)} of the payout"
        scene.note(
            "differs", "payout", payout.id, record["id"], currency, short, text, "amount_minor"
        )
    left = [one for one in scene.payouts if scene.free(one.id)]
    for payout in scene.pick(left, 1):
        scene.claim(payout.id)
        del scene.books.deposits[payout.id]
        text = "nobody booked the deposit of this payout"
        scene.note("missing", "payout", payout.id, None, payout.currency, payout.amount, text)


def other_month(day_second: int, span: Span) -> int:
    """The same document, booked a few days into the next month, or before the last one."""
    day, moved = on(day_second), day_second
    for shift in (*range(3, 40), *range(-3, -40, -1)):
        moved = day_second + shift * DAY
        if month_of(on(moved)) != month_of(day) and moved < span.now - DAY:
            break
    return moved
