"""Stripe's side of the cash: balance transactions, and the weekly automatic payouts they fill.

A payout takes every transaction of its currency that became available by the time it was made
and that no earlier payout took; their `net` adds up to its amount, to the last unit.
https://docs.stripe.com/payouts/reconciliation
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .currencies import CURRENCIES, Currency
from .facts import Bill, Receipt, Span, new_id
from .moments import DAY, add_months, midnight

Object = dict[str, Any]
_WEEKDAY = 0  # payouts are made on Mondays
_THURSDAY = 3  # 1 January 1970
_TRAVEL_DAYS = 2


@dataclass(slots=True)
class Movement:
    """One balance transaction, in its payment's own currency."""

    id: str
    currency: Currency
    kind: str
    category: str
    amount: int
    fee: int
    created: int
    available: int
    source: str | None
    about: str

    @property
    def net(self) -> int:
        return self.amount - self.fee


@dataclass(slots=True)
class Payout:
    id: str
    transaction: str
    currency: Currency
    created: int
    arrives: int
    movements: list[Movement] = field(default_factory=list)

    @property
    def amount(self) -> int:
        return sum(one.net for one in self.movements)


def movements(bills: Iterable[Bill], span: Span, seed: int) -> list[Movement]:
    """All balance transactions but the payouts' own, oldest first."""
    found = [one for bill in bills for receipt in bill.receipts for one in of_receipt(receipt)]
    found += _subscription_fees(span, seed)
    return sorted(found, key=lambda one: (one.created, one.id))


def of_receipt(receipt: Receipt) -> Iterator[Movement]:
    if receipt.succeeded is None:
        return
    currency = receipt.bill.currency
    charge, at = receipt.attempts[-1].charge, receipt.succeeded
    kind = "charge" if receipt.method == "card" else "payment"
    yield Movement(
        receipt.transaction, currency, kind, "charge", receipt.amount, receipt.fee, at,
        midnight(at) + 3 * DAY, charge, f"Payment for {receipt.bill.number}",
    )  # fmt: skip
    for one in receipt.refunds:
        kind = "refund" if receipt.method == "card" else "payment_refund"
        yield Movement(
            one.transaction, currency, kind, "refund", -one.amount, 0, one.created,
            one.created, one.id, f"REFUND FOR {receipt.bill.number}",
        )  # fmt: skip
    dispute = receipt.dispute
    if dispute is None:
        return
    yield Movement(
        dispute.withdrawn, currency, "adjustment", "dispute", -dispute.amount,
        currency.dispute_fee, dispute.created, dispute.created, dispute.id,
        f"Chargeback withdrawal for {charge}",
    )  # fmt: skip
    if dispute.reinstated is not None and dispute.closed is not None:
        yield Movement(
            dispute.reinstated, currency, "adjustment", "dispute_reversal", dispute.amount, 0,
            dispute.closed, dispute.closed, dispute.id, f"Chargeback reversal for {charge}",
        )  # fmt: skip


def _subscription_fees(span: Span, seed: int) -> Iterator[Movement]:
    """Stripe's own monthly bill, taken from the dollar balance."""
    rng = random.Random(f"{seed}:stripe-fees")
    at = span.start + 40 * DAY
    while at <= span.now:
        yield Movement(
            new_id(rng, "txn_1"), CURRENCIES["USD"], "stripe_fee", "fee",
            -rng.randint(700, 4_900), 0, at, at, None, "Billing - Usage Fee",
        )  # fmt: skip
        at = add_months(at, 1)


def payouts(moved: list[Movement], span: Span, seed: int) -> list[Payout]:
    """One a week and currency where there is something to pay out."""
    found: list[Payout] = []
    rng = random.Random(f"{seed}:payouts")
    for currency in CURRENCIES.values():
        waiting = [one for one in moved if one.currency is currency]
        waiting.sort(key=lambda one: (one.available, one.created, one.id))
        ready: list[Movement] = []
        taken = 0
        for monday in _mondays(span):
            while taken < len(waiting) and waiting[taken].available <= monday:
                ready.append(waiting[taken])
                taken += 1
            payout = Payout(
                new_id(rng, "po_1"), new_id(rng, "txn_1"), currency, monday,
                midnight(monday) + _TRAVEL_DAYS * DAY, ready,
            )  # fmt: skip
            if payout.amount > 0:
                found.append(payout)
                ready = []
    return sorted(found, key=lambda one: (one.created, one.id))


def _mondays(span: Span) -> Iterator[int]:
    """Mondays, 05:00 UTC."""
    first = midnight(span.start)
    first += (_WEEKDAY - first // DAY - _THURSDAY) % 7 * DAY
    return iter(range(first + 5 * 3_600, span.now + 1, 7 * DAY))


def transaction(one: Movement, at: int) -> Object:
    """https://docs.stripe.com/api/balance_transactions/object"""
    code = one.currency.lower
    fees = []
    if one.fee:
        about = "Dispute fee" if one.category == "dispute" else "Stripe processing fees"
        fees = [
            {
                "amount": one.fee,
                "application": None,
                "currency": code,
                "description": about,
                "type": "stripe_fee",
            }
        ]
    return {
        "id": one.id,
        "object": "balance_transaction",
        "amount": one.amount,
        "available_on": one.available,
        "balance_type": "payments",
        "created": one.created,
        "currency": code,
        "description": one.about,
        "exchange_rate": None,
        "fee": one.fee,
        "fee_details": fees,
        "net": one.net,
        "reporting_category": one.category,
        "source": one.source,
        "status": "available" if one.available <= at else "pending",
        "type": one.kind,
    }


def own_transaction(one: Payout, at: int) -> Object:
    """The payout's own row: what left the balance."""
    movement = Movement(
        one.transaction, one.currency, "payout", "payout", -one.amount, 0, one.created,
        one.arrives, one.id, "STRIPE PAYOUT",
    )  # fmt: skip
    return transaction(movement, at)


def payout(one: Payout, at: int) -> Object:
    """https://docs.stripe.com/api/payouts/object"""
    arrived = one.arrives <= at
    return {
        "id": one.id,
        "object": "payout",
        "amount": one.amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": one.arrives,
        "automatic": True,
        "balance_transaction": one.transaction,
        "created": one.created,
        "currency": one.currency.lower,
        "description": "STRIPE PAYOUT",
        "destination": f"ba_1AtlasBank{one.currency.code}000000000",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if arrived else "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid" if arrived else "in_transit",
        "trace_id": {"status": "supported" if arrived else "pending", "value": None},
        "type": "bank_account",
    }
