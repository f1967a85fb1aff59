"""The event feed: what changed lately, each with a picture of the object at that moment.

https://docs.stripe.com/api/events: whole seconds, kept for 30 days.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from . import cash, stripe_credits, stripe_invoices, stripe_money, stripe_people
from .billing import Ledger
from .facts import Attempt, Bill, Receipt, Subscription, new_id
from .moments import DAY

Object = dict[str, Any]
Happening = tuple[int, str, Object, Object | None]  # when, type, object, previous attributes
API_VERSION = "2026-10-28.endive"
KEPT_DAYS = 30


def event(rng: random.Random, happening: Happening) -> Object:
    at, type, item, previous = happening
    content: Object = {"object": item}
    if previous is not None:
        content["previous_attributes"] = previous
    return {
        "id": new_id(rng, "evt_1"),
        "object": "event",
        "api_version": API_VERSION,
        "created": at,
        "data": content,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": type,
    }


class Feed:
    """Collects the happenings after `since` and up to `now`; earlier ones cost nothing."""

    def __init__(self, since: int, now: int) -> None:
        self.since, self.now = since, now
        self.happenings: list[Happening] = []

    def add(
        self,
        at: int | None,
        type: str,
        draw: Callable[[int], Object],
        previous: Object | None = None,
    ) -> None:
        if at is not None and self.since < at <= self.now:
            self.happenings.append((at, type, draw(at), previous))

    def in_order(self) -> list[Happening]:
        return sorted(self.happenings, key=lambda one: one[0])


def recent_feed(
    ledgers: Iterable[Ledger],
    payouts: Iterable[cash.Payout],
    rows: dict[str, Object],
    products: Iterable[Object],
    *,
    now: int,
    since: int | None = None,
) -> list[Happening]:
    """`rows`: balance transactions by id, as they are now. Oldest first."""
    feed = Feed(now - KEPT_DAYS * DAY if since is None else since, now)
    for one in products:
        _made(feed, one)
    for ledger in ledgers:
        _customer(feed, ledger)
        for subscription in ledger.subscriptions:
            _subscription(feed, subscription)
        for bill in ledger.bills:
            _bill(feed, bill)
            for receipt in bill.receipts:
                _receipt(feed, receipt, rows)
    for payout in payouts:
        _payout(feed, payout)
    return feed.in_order()


def _same(item: Object, at: int) -> Object:
    """An object that has not changed since it was made."""
    return item


def _made(feed: Feed, item: Object) -> None:
    feed.add(item["created"], f"{item['object']}.created", partial(_same, item))


def customer_at(ledger: Ledger, at: int) -> Object:
    """The customer with the credit balance and the debts of that moment."""
    balance = sum(one.amount for one in ledger.entries if one.created <= at)
    late = any(
        bill.status(at) == "open" and _is_late(bill, at)
        for bill in ledger.bills
        if bill.created <= at
    )
    return stripe_people.customer(ledger.client, delinquent=late, balance=balance)


def _is_late(bill: Bill, at: int) -> bool:
    if bill.due is not None:
        return bill.due < at
    return any(a.failure and a.at <= at for one in bill.receipts for a in one.attempts)


def _customer(feed: Feed, ledger: Ledger) -> None:
    client = ledger.client
    feed.add(client.created, "customer.created", lambda at: customer_at(ledger, at))
    feed.add(client.deleted, "customer.deleted", lambda at: customer_at(ledger, at))
    for entry in ledger.entries:
        before = {"balance": entry.ending - entry.amount}
        feed.add(entry.created, "customer.updated", lambda at: customer_at(ledger, at), before)


def _subscription(feed: Feed, one: Subscription) -> None:
    still: Object = {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
    }
    prefix = "customer.subscription"

    def fresh(at: int) -> Object:
        trial = one.trial_end is not None and at < one.trial_end
        status = {"status": "trialing" if trial else "active"}
        return {**stripe_people.subscription(one), **still, **status}

    def as_now(at: int) -> Object:
        return stripe_people.subscription(one)

    feed.add(one.started, f"{prefix}.created", fresh)
    if one.ended is None:
        feed.add(one.canceled, f"{prefix}.updated", as_now, still | {"cancellation_details": {}})
        if one.period[0] > one.started:
            feed.add(one.period[0], f"{prefix}.updated", as_now, {"latest_invoice": None})
    feed.add(one.ended, f"{prefix}.deleted", as_now)


def _bill(feed: Feed, bill: Bill) -> None:
    def draw(at: int) -> Object:
        return stripe_invoices.invoice(bill, at)

    feed.add(bill.created, "invoice.created", lambda at: stripe_invoices.invoice(bill, at - 1))
    feed.add(bill.finalized, "invoice.finalized", draw)
    if bill.due is not None:
        feed.add(bill.finalized, "invoice.sent", draw)
    for note in bill.credits:
        drawn = stripe_credits.credit_note(note)
        feed.add(note.created, "credit_note.created", partial(_same, drawn))
        feed.add(note.created, "invoice.updated", draw, {"amount_remaining": None})
    feed.add(bill.voided, "invoice.voided", draw)
    feed.add(bill.uncollectible, "invoice.marked_uncollectible", draw)
    feed.add(bill.paid_at(feed.now), "invoice.paid", draw)


def _receipt(feed: Feed, one: Receipt, rows: dict[str, Object]) -> None:
    def intent(at: int) -> Object:
        return stripe_money.payment_intent(one, at)

    feed.add(one.created, "payment_intent.created", lambda at: stripe_money.payment_intent(one, at))
    for attempt in one.attempts:
        outcome = "failed" if attempt.failure else "succeeded"
        _charge(feed, one, attempt, f"charge.{outcome}", attempt.at)
        name = "payment_failed" if attempt.failure else "succeeded"
        feed.add(attempt.at, f"payment_intent.{name}", intent)
        if attempt.failure:
            feed.add(
                attempt.at,
                "invoice.payment_failed",
                lambda at: stripe_invoices.invoice(one.bill, at),
            )
    feed.add(
        one.succeeded, "invoice_payment.paid", lambda at: stripe_invoices.invoice_payment(one, at)
    )
    feed.add(one.canceled, "payment_intent.canceled", intent)
    for back in one.refunds:
        feed.add(back.created, "refund.created", partial(_same, stripe_money.refund(back)))
        _charge(feed, one, one.attempts[-1], "charge.refunded", back.created)
    if one.dispute is not None:
        for at, type in _dispute_types(one):
            feed.add(at, f"charge.dispute.{type}", lambda at: drawn_dispute(one, at, rows))


def _charge(feed: Feed, one: Receipt, attempt: Attempt, type: str, at: int) -> None:
    feed.add(at, type, lambda at: stripe_money.charge(one, attempt, at))


def _dispute_types(one: Receipt) -> Iterator[tuple[int | None, str]]:
    dispute = one.dispute
    assert dispute is not None
    yield dispute.created, "created"
    yield dispute.created, "funds_withdrawn"
    if dispute.reinstated is not None:
        yield dispute.closed, "funds_reinstated"
    yield dispute.closed, "closed"


def drawn_dispute(one: Receipt, at: int, rows: dict[str, Object]) -> Object:
    """The dispute of a receipt with its balance transactions."""
    dispute = one.dispute
    assert dispute is not None
    moved = [dict(rows[id]) for id in (dispute.withdrawn, dispute.reinstated) if id in rows]
    return stripe_money.dispute(one, dispute, at, moved)


def _payout(feed: Feed, one: cash.Payout) -> None:
    def draw(at: int) -> Object:
        return cash.payout(one, at)

    feed.add(one.created, "payout.created", draw)
    feed.add(one.arrives, "payout.paid", draw)
    feed.add(one.arrives, "payout.reconciliation_completed", draw)
