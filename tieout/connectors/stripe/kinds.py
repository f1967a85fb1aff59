"""Stripe's resources: where each entity is read, and which events tell that it changed.

No list filters by the time of change, so changes come from the event feed; an event names an
object, and `touched` says which records of ours that means.
https://docs.stripe.com/api , https://docs.stripe.com/api/events/types
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Can

_READ = Can.LIST | Can.CHANGES | Can.GET | Can.EVENTS | Can.PROVE
_WRITE = Can.FIND | Can.CREATE | Can.UPDATE


@dataclass(frozen=True)
class Kind:
    """One entity.

    path      its collection; a record lives at `<path>/<id>`.
    events    the types that concern it: at most 20, what one call to /v1/events may ask for.
    expand    what is embedded on request, spelled for a single record.
    params    what a complete listing must ask for.
    search    whether there is `<path>/search`.
    also      a second collection whose records belong to this entity, too.
    """

    entity: str
    path: str
    can: Can
    events: tuple[str, ...]
    expand: tuple[str, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    search: bool = False
    also: str = ""


def _types(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


CHARGES = "/v1/charges"
INTENTS = "/v1/payment_intents"

_KINDS = (
    Kind(
        "customer",
        "/v1/customers",
        _READ | _WRITE | Can.DELETIONS,
        _types("customer", "created updated deleted")
        + _types("customer.tax_id", "created updated deleted"),
        expand=("tax_ids",),
        search=True,
    ),
    Kind(
        "product",
        "/v1/products",
        _READ | _WRITE | Can.ARCHIVE | Can.DELETIONS,
        _types("product", "created updated deleted"),
        search=True,
    ),
    Kind(
        "price",
        "/v1/prices",
        _READ | _WRITE | Can.ARCHIVE | Can.DELETIONS,
        _types("price", "created updated deleted"),
        expand=("tiers",),
        search=True,
    ),
    Kind(
        "subscription",
        "/v1/subscriptions",
        _READ,
        _types(
            "customer.subscription",
            "created updated deleted paused resumed pending_update_applied"
            " pending_update_expired trial_will_end",
        ),
        expand=("discounts", "items.data.discounts"),
        params=(("status", "all"),),  # without it, canceled ones are left out
        search=True,
    ),
    Kind(
        "invoice",
        "/v1/invoices",
        _READ | _WRITE | Can.ARCHIVE | Can.DELETIONS,
        _types(
            "invoice",
            "created updated finalized finalization_failed paid payment_succeeded payment_failed"
            " payment_action_required overdue overpaid marked_uncollectible voided sent deleted",
        )
        + _types("invoice_payment", "paid")
        + _types("invoiceitem", "created deleted")
        + _types("credit_note", "created updated voided"),
        search=True,
    ),
    Kind(
        "payment",
        INTENTS,
        _READ,
        _types(
            "payment_intent",
            "amount_capturable_updated canceled created partially_funded payment_failed"
            " processing requires_action succeeded",
        )
        + _types("charge", "captured expired failed pending refunded succeeded updated")
        + _types("refund", "created updated failed")
        + _types("invoice_payment", "paid"),
        expand=("latest_charge.balance_transaction",),
        also=CHARGES,
    ),
    Kind(
        "credit_note",
        "/v1/credit_notes",
        _READ | _WRITE,
        _types("credit_note", "created updated voided"),
    ),
    Kind(
        "refund",
        "/v1/refunds",
        _READ,
        _types("refund", "created updated failed")
        + _types("charge.refund", "updated")
        + _types("credit_note", "created updated voided"),
    ),
    Kind(
        "dispute",
        "/v1/disputes",
        _READ,
        _types("charge.dispute", "created updated closed funds_withdrawn funds_reinstated"),
    ),
    Kind(
        "payout",
        "/v1/payouts",
        _READ,
        _types("payout", "created updated paid failed canceled reconciliation_completed"),
    ),
    Kind(
        "contract",
        "/v1/subscription_schedules",
        _READ,
        _types(
            "subscription_schedule",
            "created updated expiring completed canceled released aborted",
        ),
        expand=("phases.items.price",),
    ),
    # By customer and day, see usage.py; the meters' own events tell nothing of what was used.
    Kind("usage", "/v1/billing/meters", Can.LIST | Can.CHANGES, ()),
)

KINDS: Mapping[str, Kind] = {kind.entity: kind for kind in _KINDS}

# (entity, what the event's object is) -> where in that object the record's id stands; the first
# that is filled counts, and `*` steps into each element of a list.
_POINTERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("customer", "customer"): ("id",),
    ("customer", "tax_id"): ("customer", "owner.customer"),
    ("product", "product"): ("id",),
    ("price", "price"): ("id",),
    ("subscription", "subscription"): ("id",),
    ("invoice", "invoice"): ("id",),
    ("invoice", "invoice_payment"): ("invoice",),
    ("invoice", "invoiceitem"): ("invoice",),
    ("invoice", "credit_note"): ("invoice",),
    ("payment", "payment_intent"): ("id",),
    ("payment", "charge"): ("payment_intent", "id"),
    ("payment", "refund"): ("payment_intent", "charge"),
    ("payment", "invoice_payment"): ("payment.payment_intent", "payment.charge"),
    ("refund", "refund"): ("id",),
    ("refund", "credit_note"): ("refunds.*.refund", "refund"),
    ("credit_note", "credit_note"): ("id",),
    ("dispute", "dispute"): ("id",),
    ("payout", "payout"): ("id",),
    ("contract", "subscription_schedule"): ("id",),
}


def touched(entity: str, thing: Any) -> tuple[str, ...]:
    """The ids of the entity's records that an event's object speaks of; () if it names none."""
    if not isinstance(thing, dict):
        return ()
    for pointer in _POINTERS.get((entity, str(thing.get("object"))), ()):
        if found := tuple(dict.fromkeys(_ids(thing, pointer.split(".")))):
            return found
    return ()


def _ids(value: Any, path: list[str]) -> Iterator[str]:
    if path and path[0] == "*":
        for item in value if isinstance(value, list) else ():
            yield from _ids(item, path[1:])
    elif path:
        yield from _ids(value.get(path[0]) if isinstance(value, dict) else None, path[1:])
    elif isinstance(value, dict):  # an expanded reference
        yield from _ids(value.get("id"), path)
    elif isinstance(value, str) and value:
        yield value


def concerned(event_type: str, thing: Any) -> Iterator[tuple[str, str]]:
    """Every (entity, id) that an event speaks of."""
    for kind in _KINDS:
        if event_type in kind.events:
            yield from ((kind.entity, id) for id in touched(kind.entity, thing))
