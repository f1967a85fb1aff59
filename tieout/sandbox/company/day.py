"""A day of business: what changes in Stripe after the company was built."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from . import cash, people, stripe_people
from .billing import Ledger, number_bill, number_notes
from .build import Company
from .events import customer_at, event, recent_feed
from .facts import Bill, Span
from .life import live
from .moments import DAY, HOUR
from .settle import credit, refund, settle, succeed, untouched
from .stripe_side import ledger_objects

Object = dict[str, Any]
Typed = tuple[str, Object]
Happening = tuple[int, str, Object, Object | None]


class _Day:
    """One day under way: who was touched, and events that no fact remembers."""

    def __init__(self, company: Company, rng: random.Random, begin: int, end: int) -> None:
        self.company, self.rng, self.begin, self.end = company, rng, begin, end
        # Only Stripe's clients move: the feed that is published is Stripe's.
        self.ledgers = [one for one in company.ledgers if one.client.biller == "stripe"]
        first = company.ledgers[0].span
        self.span = Span(first.start, end, first.cutoff)
        self.touched: dict[str, Ledger] = {}
        self.happenings: list[Happening] = []
        for ledger in company.ledgers:
            ledger.span = self.span

    def touch(self, ledger: Ledger) -> None:
        self.touched[ledger.client.id] = ledger

    def bills(self, wanted: Callable[[Bill], bool]) -> list[tuple[Ledger, Bill]]:
        return [
            (ledger, bill)
            for ledger in self.ledgers
            if ledger.client.deleted is None
            for bill in ledger.bills
            if wanted(bill)
        ]


def changes(
    company: Company,
    rng: random.Random,
    n: int,
    *,
    start: int | None = None,
    seconds: int = DAY,
) -> list[Typed]:
    """`n` business changes in the `seconds` after `start` (Unix; default: the company's now).

    Returns the new and changed Stripe objects, then the events about them, oldest first; load
    them into the stand-in as they are. The company itself moves on, so the next call continues.
    """
    begin = int(company.now.timestamp()) if start is None else start
    end = begin + max(seconds, n + 2)
    day = _Day(company, rng, begin, end)
    for count in range(n):
        at = begin + (end - begin) * (count + 1) // (n + 2)
        kinds = list(_KINDS)
        rng.shuffle(kinds)
        next(True for kind in [*kinds, _sign_up] if kind(day, at))
    return _published(day)


# Kinds of change: each says whether it found something to do


def _sign_up(day: _Day, at: int) -> bool:
    company, index = day.company, len(day.company.ledgers)
    own = random.Random(f"{company.seed}:client:{index}")
    client = people.build_client(own, index, at, company.catalog)
    # The subscription starts within two hours, the facts may not run ahead of the day's end.
    span = Span(day.span.start, max(day.end, at + 120), day.span.cutoff)
    ledger = live(client, company.catalog, span, own)
    ledger.span = day.span
    company.ledgers.append(ledger)
    day.ledgers.append(ledger)
    day.touch(ledger)
    return True


def _pay(day: _Day, at: int) -> bool:
    """Somebody pays an invoice that was open."""
    waiting = day.bills(
        lambda bill: (
            bill.status(at) == "open"
            and any(one.succeeded is None and one.amount > 0 for one in bill.receipts)
        )
    )
    if not waiting:
        return False
    ledger, bill = day.rng.choice(waiting)
    receipt = next(one for one in bill.receipts if one.succeeded is None)
    receipt.amount = min(receipt.amount, bill.remaining(at))
    succeed(ledger, receipt, at)
    for one in ledger.subscriptions:
        if one.status == "past_due" and one.id == (bill.subscription and bill.subscription.id):
            one.status = "active"
    day.touch(ledger)
    return True


def _bill_extra(day: _Day, at: int) -> bool:
    """A day of services, invoiced at once."""
    ledger = day.rng.choice(day.ledgers)
    client = ledger.client
    if client.deleted is not None or client.created > at or ledger.client.balance:
        return False
    price = ledger.catalog.price("SVC-DAY", None, client.currency)
    days = day.rng.randint(1, 5)
    line = ledger.line(price, days, (at, at), f"{price.product.name} × {days}")
    bill = ledger.bill("manual", at, [line], finalized=at + 30)
    number_bill(bill)
    settle(ledger, bill)
    day.touch(ledger)
    return True


def _refund(day: _Day, at: int) -> bool:
    paid = day.bills(
        lambda bill: (
            bill.status(at) == "paid"
            and at - 60 * DAY < (bill.paid_at(at) or 0) < at - HOUR
            and untouched(bill)
            and len(bill.lines) <= 10
        )
    )
    if not paid:
        return False
    ledger, bill = day.rng.choice(paid)
    refund(ledger, bill, at, day.rng.choice([None, 20, 50]))
    number_notes(bill)
    day.touch(ledger)
    return True


def _credit_open(day: _Day, at: int) -> bool:
    """A credit note on an invoice that nobody has paid yet."""
    waiting = day.bills(
        lambda bill: (
            bill.status(at) == "open"
            and not bill.credits
            and not bill.starting_balance
            and bill.amount_paid(at) == 0
        )
    )
    if not waiting:
        return False
    ledger, bill = day.rng.choice(waiting)
    credit(ledger, bill, "pre_payment", at, day.rng.randint(5, 30))
    number_notes(bill)
    bill.receipts[0].amount = bill.remaining(at)
    day.touch(ledger)
    return True


def _new_email(day: _Day, at: int) -> bool:
    ledger = day.rng.choice(day.ledgers)
    client = ledger.client
    if client.deleted is not None or client.email is None or client.created > at:
        return False
    before, client.email = client.email, f"team{day.rng.randint(1, 9)}.{client.email}"
    drawn = customer_at(ledger, at)
    day.happenings.append((at, "customer.updated", drawn, {"email": before}))
    day.touch(ledger)
    return True


def _more_seats(day: _Day, at: int) -> bool:
    """A few seats more, to be billed with the next invoice."""
    growing = [
        (ledger, one)
        for ledger in day.ledgers
        for one in ledger.subscriptions
        if one.status == "active" and one.ended is None and one.started < at
        and one.items[0].price.product.per_seat
    ]  # fmt: skip
    if not growing:
        return False
    ledger, one = day.rng.choice(growing)
    item = one.items[0]
    before, item.quantity = item.quantity, item.quantity + day.rng.randint(1, 5)
    drawn = stripe_people.subscription(one)
    previous = {"items": {"data": [{"id": item.id, "quantity": before}]}}
    day.happenings.append((at, "customer.subscription.updated", drawn, previous))
    day.touch(ledger)
    return True


_KINDS = (_sign_up, _pay, _bill_extra, _refund, _credit_open, _new_email, _more_seats)


def _published(day: _Day) -> list[Typed]:
    """Compare the touched clients' objects with what Stripe had; keep the company in step."""
    company = day.company
    rows = {item["id"]: item for type, item in company.stripe if type == "balance_transaction"}
    before = _replace(company, _fresh(day, rows))
    events: list[Typed] = [("event", event(day.rng, one)) for one in _told(day, rows, before)]
    company.stripe += events
    company.now = company.now.fromtimestamp(day.end, company.now.tzinfo)
    return [(type, item) for type, item, _ in before] + events


def _fresh(day: _Day, rows: dict[str, Object]) -> list[Typed]:
    """The touched clients' objects as they are by the day's end; `rows` gains their cash."""
    found: list[tuple[int, Typed]] = []
    for ledger in day.touched.values():
        for bill in ledger.bills:
            for receipt in bill.receipts:
                for one in cash.of_receipt(receipt):
                    if one.id not in rows:
                        rows[one.id] = cash.transaction(one, day.end)
                        found.append((one.created, ("balance_transaction", rows[one.id])))
        found += ledger_objects(ledger, day.end, rows)
    return [one for _, one in sorted(found, key=lambda one: one[0])]


def _replace(company: Company, fresh: list[Typed]) -> list[tuple[str, Object, Object | None]]:
    """(type, object, what it was before or None) of all that is new or changed."""
    places = {(type, item["id"]): place for place, (type, item) in enumerate(company.stripe)}
    found: list[tuple[str, Object, Object | None]] = []
    for type, item in fresh:
        place = places.get((type, item["id"]))
        if place is None:
            company.stripe.append((type, item))
            found.append((type, item, None))
        elif (old := company.stripe[place][1]) != item:
            company.stripe[place] = (type, item)
            found.append((type, item, old))
    return found


def _told(
    day: _Day, rows: dict[str, Object], changed: list[tuple[str, Object, Object | None]]
) -> list[Happening]:
    """The day's events. What changed along with others (a customer's debts) is told last."""
    feed = recent_feed(list(day.touched.values()), [], rows, [], now=day.end, since=day.begin)
    feed += day.happenings
    told = {one[2]["id"] for one in feed}
    for type, item, old in changed:
        if type == "customer" and old is not None and item["id"] not in told:
            previous = {name: value for name, value in old.items() if value != item.get(name)}
            feed.append((day.end, "customer.updated", item, previous))
    return sorted(feed, key=lambda one: one[0])
