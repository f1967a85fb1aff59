"""A client's two years: signs up, is billed, grows, buys extras, and perhaps leaves."""

from __future__ import annotations

import random

from .billing import Ledger, number_bill, number_notes
from .catalog import Catalog
from .facts import Bill, Client, Discount, Item, Line, Price, Span, Subscription, new_id
from .moments import DAY, HOUR, add_months
from .settle import farewell, settle

_TRIAL_DAYS = 30
# One in so many clients gets bills with more lines than Stripe embeds in an invoice.
_METERED_EVERY = 19


def live(client: Client, catalog: Catalog, span: Span, rng: random.Random) -> Ledger:
    """Everything that happened with one client until now, as facts."""
    ledger = Ledger(client, catalog, span, rng)
    if client.deleted is not None:
        return ledger
    subscription = _subscribe(ledger)
    _first_bill(ledger, subscription)
    _go_on(ledger, subscription)
    _extras(ledger)
    farewell(ledger)
    _number(ledger)
    return ledger


def _subscribe(ledger: Ledger) -> Subscription:
    client, rng, span = ledger.client, ledger.rng, ledger.span
    interval = "year" if rng.random() < 0.3 else "month"
    start = client.created + rng.randint(60, 2 * HOUR)
    start = min(start, span.now - 60)
    trial = client.index % 11 == 4 and start < span.cutoff - DAY
    end = add_months(start, 12 if interval == "year" else 1)
    subscription = Subscription(
        id=new_id(rng, "sub_1"),
        client=client,
        items=[
            Item(new_id(rng, "si_", 14), price, quantity, start)
            for price, quantity in _choose(ledger, interval, start)
        ],
        interval=interval,
        started=start,
        anchor=start + _TRIAL_DAYS * DAY if trial else start,
        trial_end=start + _TRIAL_DAYS * DAY if trial else None,
        period=(start, start + _TRIAL_DAYS * DAY) if trial else (start, end),
    )
    if rng.random() < 0.16:
        coupon = rng.choice(ledger.catalog.coupons)
        subscription.discount = Discount(new_id(rng, "di_1"), coupon, start)
    ledger.subscriptions.append(subscription)
    return subscription


def _choose(ledger: Ledger, interval: str, start: int) -> list[tuple[Price, int]]:
    rng, catalog, currency = ledger.rng, ledger.catalog, ledger.client.currency
    plan = rng.choice(["ATLAS-START", "ATLAS-TEAM", "ATLAS-TEAM", "ATLAS-BIZ", "ATLAS-ENT"])
    seats = rng.randint(2, 60) if plan in ("ATLAS-TEAM", "ATLAS-BIZ") else 1
    chosen = [(catalog.price(plan, interval, currency), seats)]
    if rng.random() < 0.3:
        chosen.append((catalog.price("SUPPORT-247", interval, currency), 1))
    if rng.random() < 0.2:
        chosen.append((catalog.price("DATA-RES", interval, currency), rng.randint(1, 3)))
    if _sold(ledger, start) and rng.random() < 0.5:
        chosen.append((catalog.price("AUDIT-TRAIL", interval, currency), 1))
    return chosen


def _sold(ledger: Ledger, at: int) -> bool:
    """Whether the new product could be bought then; it was put up in Stripe first."""
    return ledger.client.biller == "stripe" and at > ledger.catalog.launched.created


def _first_bill(ledger: Ledger, subscription: Subscription) -> None:
    start = subscription.started
    lines = ledger.item_lines(subscription, subscription.period)
    if subscription.trial_end is not None:
        for line in lines:
            line.amount = line.unit = 0
            line.description = f"Trial period for {line.product.name}"
        if subscription.trial_end > ledger.span.now:
            subscription.status = "trialing"
    bill = ledger.bill(
        "subscription_create", start, lines, subscription=subscription, finalized=start
    )
    settle(ledger, bill)


def _go_on(ledger: Ledger, subscription: Subscription) -> None:
    """Period after period, until now or until the client leaves."""
    rng, span = ledger.rng, ledger.span
    cycle = 12 if subscription.interval == "year" else 1
    leaving = 0.16 if cycle == 12 else 0.035
    count, start, end = 0, *subscription.period
    while end <= span.now and subscription.ended is None:
        if rng.random() < leaving:
            _leave(subscription, end, rng)
            return
        extra = _grow(ledger, subscription, start, end) if rng.random() < 0.12 else []
        count += 1
        start, end = end, add_months(subscription.anchor, cycle * count)
        if end <= start:  # the first period after a trial
            count, end = count + 1, add_months(subscription.anchor, cycle * (count + 1))
        subscription.period = (start, end)
        if ledger.client.index % _METERED_EVERY == 7 and rng.random() < 0.5:
            extra += _metered(ledger, start)
        bill = ledger.bill(
            "subscription_cycle",
            start,
            [*extra, *ledger.item_lines(subscription, (start, end))],
            subscription=subscription,
            finalized=start + HOUR + rng.randint(5, 400),
        )
        settle(ledger, bill)
    if subscription.ended is None and rng.random() < 0.07 and subscription.status == "active":
        subscription.cancel_at = subscription.period[1]
        subscription.canceled = span.now - rng.randint(HOUR, 9 * DAY)
        subscription.canceled = max(subscription.canceled, subscription.started)
        subscription.cancel_reason = "cancellation_requested"


def _leave(subscription: Subscription, end: int, rng: random.Random) -> None:
    subscription.status = "canceled"
    subscription.cancel_at = subscription.ended = end
    subscription.canceled = max(end - rng.randint(1, 20) * DAY, subscription.started)
    subscription.cancel_reason = "cancellation_requested"


def _grow(ledger: Ledger, subscription: Subscription, start: int, end: int) -> list[Line]:
    """More seats from some moment on; billed with the next invoice."""
    rng = ledger.rng
    seats = [item for item in subscription.items if item.price.product.per_seat]
    if not seats or subscription.trial_end == end:
        return []
    item, more = seats[0], rng.randint(1, 12)
    at = rng.randint(start + HOUR, end - HOUR)
    lines = ledger.proration(item, more, at, end, start)
    item.quantity += more
    return lines


def _metered(ledger: Ledger, at: int) -> list[Line]:
    """A line for each workspace that used more than its allowance."""
    rng = ledger.rng
    price = ledger.catalog.price("USAGE-OVER", None, ledger.client.currency)
    month = (at - 30 * DAY, at)
    return [
        ledger.line(price, rng.randint(40, 9000), month, f"Overage, workspace {name}-{number:02d}")
        for number, name in enumerate(
            rng.choices(["berlin", "kyōto", "austin", "manama", "ops"], k=rng.randint(9, 16)), 1
        )
    ]


def _extras(ledger: Ledger) -> None:
    """One-off invoices written by hand, and a draft that nobody has sent yet."""
    client, rng, span = ledger.client, ledger.rng, ledger.span
    price = ledger.catalog.price("SVC-DAY", None, client.currency)
    subscription = ledger.subscriptions[0]
    last = min(subscription.ended or span.now, span.now)
    # A hand-written bill must not come between a goodwill credit and its use.
    if client.index % 6 == 2 and not ledger.entries and last - client.created > 20 * DAY:
        at = rng.randint(client.created + 10 * DAY, last - DAY)
        settle(ledger, _manual(ledger, price, at, rng.randint(1, 6), at + rng.randint(60, DAY)))
    if client.index % 12 == 6:
        at = rng.randint(span.now - 5 * DAY, span.now - HOUR)
        if at > client.created:
            _manual(ledger, price, at, rng.randint(1, 3), None)


def _manual(ledger: Ledger, price: Price, at: int, days: int, finalized: int | None) -> Bill:
    line = ledger.line(price, days, (at, at), f"{price.product.name} × {days}")
    return ledger.bill("manual", at, [line], finalized=finalized)


def _number(ledger: Ledger) -> None:
    """Numbers run in the order of finalisation; a credit note's continues its invoice's."""
    finalized = [bill for bill in ledger.bills if bill.finalized is not None]
    for bill in sorted(finalized, key=lambda bill: bill.finalized or 0):
        number_bill(bill)
        number_notes(bill)
