"""Draws all of Stripe from the facts, in the order in which things were made."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from . import cash, stripe_credits, stripe_invoices, stripe_money, stripe_people
from .billing import Ledger
from .catalog import Catalog
from .events import customer_at, drawn_dispute, event, recent_feed
from .facts import Span

Object = dict[str, Any]
Typed = tuple[str, Object]


def draw(
    seed: int,
    catalog: Catalog,
    ledgers: list[Ledger],
    moved: list[cash.Movement],
    payouts: list[cash.Payout],
    span: Span,
) -> list[Typed]:
    """(type, object) pairs, oldest first; what belongs together stays together."""
    now = span.now
    rows = {one.id: cash.transaction(one, now) for one in moved}
    products = list(_catalog(catalog, ledgers))
    found: list[tuple[int, Typed]] = [(item["created"], (type, item)) for type, item in products]
    for ledger in ledgers:
        found += ledger_objects(ledger, now, rows)
    found += [(row["created"], ("balance_transaction", row)) for row in rows.values()]
    for payout in payouts:
        found.append((payout.created, ("payout", cash.payout(payout, now))))
        own = cash.own_transaction(payout, now)
        found.append((payout.created, ("balance_transaction", own)))
    rng = random.Random(f"{seed}:events")
    launched = [item for _, item in products if item["object"] in ("product", "price")]
    for happening in recent_feed(ledgers, payouts, rows, launched, now=now):
        found.append((happening[0], ("event", event(rng, happening))))
    found.sort(key=lambda one: one[0])
    return [one for _, one in found]


def _catalog(catalog: Catalog, ledgers: list[Ledger]) -> Iterator[Typed]:
    for one in [*catalog.products, catalog.launched]:
        yield "product", stripe_people.product(one, catalog)
    for price in catalog.prices.values():
        yield "price", stripe_people.price(price)
    for coupon in catalog.coupons:
        used = sum(
            1
            for ledger in ledgers
            for one in ledger.subscriptions
            if one.discount is not None and one.discount.coupon is coupon
        )
        yield "coupon", stripe_people.coupon(coupon, used)
    for tax in [*catalog.taxes.values(), catalog.no_tax]:
        yield "tax_rate", stripe_people.tax_rate(tax)


def ledger_objects(ledger: Ledger, at: int, rows: dict[str, Object]) -> Iterable[tuple[int, Typed]]:
    """One client's objects, each with the second in which it was made."""
    client = ledger.client
    if client.deleted is not None and client.deleted <= at:
        yield client.created, ("customer", stripe_people.deleted_customer(client))
        return
    yield client.created, ("customer", customer_at(ledger, at))
    for one in ledger.subscriptions:
        yield one.started, ("subscription", stripe_people.subscription(one))
    for entry in ledger.entries:
        yield (
            entry.created,
            ("customer_balance_transaction", stripe_money.balance_entry(entry)),
        )
    for bill in ledger.bills:
        for line in bill.lines:
            if line.invoice_item is not None:
                yield line.added, ("invoiceitem", stripe_invoices.invoice_item(line, bill))
        yield bill.created, ("invoice", stripe_invoices.invoice(bill, at))
        for line in bill.lines[stripe_invoices.EMBEDDED :]:
            yield bill.created, ("line_item", stripe_invoices.line_item(line, bill))
        for note in bill.credits:
            yield note.created, ("credit_note", stripe_credits.credit_note(note))
        for receipt in bill.receipts:
            yield receipt.created, ("payment_intent", stripe_money.payment_intent(receipt, at))
            yield receipt.created, ("invoice_payment", stripe_invoices.invoice_payment(receipt, at))
            for attempt in receipt.attempts:
                yield attempt.at, ("charge", stripe_money.charge(receipt, attempt, at))
            for back in receipt.refunds:
                yield back.created, ("refund", stripe_money.refund(back))
            if receipt.dispute is not None:
                made = receipt.dispute.created
                yield made, ("dispute", drawn_dispute(receipt, at, rows))
