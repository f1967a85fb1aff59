"""Draws the clients that Chargebee bills, in the order in which things were made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import chargebee_money as money
from . import chargebee_people as people
from . import ids
from .billing import Ledger
from .catalog import Catalog
from .facts import Bill, CreditNote, Span
from .moments import DAY

Object = dict[str, Any]
Typed = tuple[str, Object]
Dated = tuple[int, Typed]
Moment = tuple[int | None, str, Callable[[], Object]]
_EVENT_DAYS = 90  # as long as a site's feed is looked back into here


def draw(seed: int, catalog: Catalog, ledgers: list[Ledger], span: Span) -> list[Typed]:
    """(kind, object) pairs, oldest first; events of the last 90 days among them."""
    found: list[Dated] = list(_catalogue(catalog, ledgers, span))
    for ledger in ledgers:
        found += _of_client(ledger, seed, span)
        found += _events(ledger, seed, span)
    found.sort(key=lambda one: one[0])
    return [typed for _, typed in found]


def _catalogue(catalog: Catalog, ledgers: list[Ledger], span: Span) -> Iterator[Dated]:
    yield span.start, ("item_family", people.family(span.start))
    for product in catalog.products:
        yield product.created, ("item", people.item(product))
    for price in catalog.prices.values():
        if price.product is not catalog.launched:
            yield price.product.created, ("item_price", people.item_price(price))
    for coupon in catalog.coupons:
        used = sum(
            1
            for ledger in ledgers
            for one in ledger.subscriptions
            if one.discount is not None and one.discount.coupon is coupon
        )
        yield coupon.created, ("coupon", people.coupon(coupon, used))


def _of_client(ledger: Ledger, seed: int, span: Span) -> Iterator[Dated]:
    client, now = ledger.client, span.now
    yield client.created, ("customer", people.customer(client))
    if not client.sends_invoices:
        yield client.created, ("payment_source", people.payment_source(client))
        yield client.created, ("card", people.card(client))
    for one in ledger.subscriptions:
        yield one.started, ("subscription", people.subscription(one, ledger, now))
    for bill in ledger.bills:
        yield bill.created, ("invoice", money.invoice(bill, now, seed))
        for payment in money.payments(bill, now, seed):
            yield payment["date"], ("transaction", payment)
        for note in bill.credits:
            if note.created > now:
                continue
            yield note.created, ("credit_note", money.credit_note(note, seed))
            if note.refund is not None and note.refund.created <= now:
                back = money.refund(note.refund, note, seed)
                yield note.refund.created, ("transaction", back)


def _events(ledger: Ledger, seed: int, span: Span) -> Iterator[Dated]:
    """What happened lately, each with the objects as they were then."""
    since = span.now - _EVENT_DAYS * DAY
    customer = people.customer(ledger.client)
    moments: list[Moment] = [(ledger.client.created, "customer_created", dict)]
    for bill in ledger.bills:
        moments += _of_bill(bill, seed)
    for at, type, content in moments:
        if at is not None and since < at <= span.now:
            yield at, ("event", _event(at, type, {**content(), "customer": customer}))


def _of_bill(bill: Bill, seed: int) -> Iterator[Moment]:
    def shown(at: int) -> Object:
        return {"invoice": money.invoice(bill, at, seed)}

    if bill.finalized is not None:
        made = bill.finalized
        yield made, "invoice_generated", lambda: shown(made)
    if bill.voided is not None:
        gone = bill.voided
        yield gone, "invoice_updated", lambda: shown(gone)
    for receipt in bill.receipts:
        for attempt in receipt.attempts:
            type = "payment_failed" if attempt.failure else "payment_succeeded"
            yield attempt.at, type, _paid(bill, attempt.at, seed)
    for note in bill.credits:
        yield note.created, "credit_note_created", _noted(bill, note, seed)


def _paid(bill: Bill, at: int, seed: int) -> Callable[[], Object]:
    def content() -> Object:
        latest = [one for one in money.payments(bill, at, seed) if one["date"] == at]
        return {"transaction": latest[0], "invoice": money.invoice(bill, at, seed)}

    return content


def _noted(bill: Bill, note: CreditNote, seed: int) -> Callable[[], Object]:
    def content() -> Object:
        drawn = money.credit_note(note, seed)
        return {"credit_note": drawn, "invoice": money.invoice(bill, note.created, seed)}

    return content


def _event(at: int, type: str, content: Object) -> Object:
    parts = ("transaction", "credit_note", "invoice", "subscription", "customer")
    about = next(content[name]["id"] for name in parts if name in content)
    return {
        "id": ids.chargebee_id(f"{type}:{about}:{at}", "ev_"),
        "occurred_at": at,
        "source": "scheduled_job",
        "object": "event",
        "api_version": "v2",
        "content": content,
        "event_type": type,
        "webhook_status": "not_configured",
    }
