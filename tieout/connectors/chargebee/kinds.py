"""Chargebee's resources: where each entity is read, in either Product Catalog, and its events.

https://apidocs.chargebee.com/docs/api , /docs/api/events
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Can

API = "/api/v2"

_READ = Can.LIST | Can.CHANGES | Can.GET | Can.EVENTS | Can.DELETIONS | Can.PROVE
_MAKE = Can.FIND | Can.CREATE


@dataclass(frozen=True)
class Source:
    """One list of Chargebee's whose rows belong to an entity.

    name             the key under which a row and a single answer hold the object.
    params           filters that every reading needs.
    sort             a time by which the list can be sorted, "" where it can't.
    updated          whether there is a filter `updated_at`.
    include_deleted  whether deleted rows can be asked for.
    made             a filter by when the thing was made, or dated; "" where there is none.
    """

    path: str
    name: str
    params: tuple[tuple[str, str], ...] = ()
    sort: str = ""
    updated: bool = True
    include_deleted: bool = True
    made: str = ""


@dataclass(frozen=True)
class Kind:
    """One entity.

    sources   the lists it is read from (Product Catalog 2.0 where that matters).
    older     the same in Product Catalog 1.0; () where it is no matter.
    events    the types that name one of its records.
    gone      the types that tell of a deletion which no list shows.
    type      of a transaction, where the entity is one type only.
    """

    entity: str
    can: Can
    sources: tuple[Source, ...]
    older: tuple[Source, ...] = ()
    events: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    type: str = ""


def _types(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{name}" for name in names.split())


def _transactions(type: str) -> Source:
    return Source("/transactions", "transaction", (("type[is]", type),), "updated_at", made="date")


CUSTOMERS = Source("/customers", "customer", sort="updated_at", made="created_at")
ITEMS = Source("/items", "item", sort="updated_at", include_deleted=False)
ITEM_PRICES = Source("/item_prices", "item_price", sort="updated_at", include_deleted=False)
PLANS = Source("/plans", "plan")
ADDONS = Source("/addons", "addon")
INVOICES = Source("/invoices", "invoice", sort="updated_at", made="date")
DISPUTES = Source("/disputes", "dispute", updated=False, include_deleted=False)
REVERSALS = _transactions("payment_reversal")
FAMILIES = Source("/item_families", "item_family", include_deleted=False)

_CUSTOMER = _types("customer", "created changed deleted moved_in moved_out")
_SUBSCRIPTION = _types(
    "subscription",
    "created created_with_backdating started activated activated_with_backdating changed "
    "changed_with_backdating trial_extended cancellation_scheduled cancelled "
    "canceled_with_backdating reactivated reactivated_with_backdating renewed items_renewed "
    "scheduled_cancellation_removed changes_scheduled scheduled_changes_removed deleted paused "
    "pause_scheduled scheduled_pause_removed resumed resumption_scheduled "
    "scheduled_resumption_removed",
)
_INVOICE = (
    *_types("pending_invoice", "created updated"),
    *_types("invoice", "generated generated_with_backdating updated deleted"),
)
_CREDIT_NOTE = _types("credit_note", "created created_with_backdating updated deleted")
_TRANSACTION = (
    *_types("transaction", "created updated deleted"),
    *_types("payment", "succeeded failed refunded initiated"),
    "refund_initiated",
)
_OLDER = (*_types("plan", "created updated deleted"), *_types("addon", "created updated deleted"))

_KINDS = (
    Kind("customer", _READ | _MAKE | Can.UPDATE, (CUSTOMERS,), events=_CUSTOMER),
    Kind("contact", Can.LIST | Can.CHANGES | Can.DELETIONS | Can.PROVE, (CUSTOMERS,)),
    Kind(
        "product",
        _READ | _MAKE | Can.UPDATE | Can.ARCHIVE,
        (ITEMS,),
        older=(PLANS, ADDONS),
        events=(*_types("item", "created updated deleted"), *_OLDER),
        gone=("item_deleted", "plan_deleted", "addon_deleted"),
    ),
    Kind(
        "price",
        _READ | _MAKE | Can.UPDATE | Can.ARCHIVE,
        (ITEM_PRICES,),
        older=(PLANS, ADDONS),
        events=(*_types("item_price", "created updated deleted"), *_OLDER),
        gone=("item_price_deleted", "plan_deleted", "addon_deleted"),
    ),
    Kind(
        "subscription",
        _READ | _MAKE,
        (Source("/subscriptions", "subscription", sort="updated_at", made="created_at"),),
        events=_SUBSCRIPTION,
    ),
    Kind(
        "invoice",
        _READ | _MAKE | Can.ARCHIVE,
        (INVOICES,),
        events=_INVOICE,
    ),
    Kind(
        "payment",
        _READ | _MAKE,
        (_transactions("payment"),),
        events=_TRANSACTION,
        type="payment",
    ),
    Kind(
        "credit_note",
        _READ | _MAKE | Can.ARCHIVE,
        (Source("/credit_notes", "credit_note", sort="date", made="date"),),
        events=_CREDIT_NOTE,
    ),
    Kind(
        "refund",
        _READ | _MAKE,
        (_transactions("refund"),),
        events=_TRANSACTION,
        type="refund",
    ),
    Kind("dispute", Can.LIST | Can.GET | Can.EVENTS | Can.PROVE, (DISPUTES,)),
    Kind(
        "usage",
        Can.LIST | Can.CHANGES | Can.GET | Can.PROVE | _MAKE,
        (Source("/usages", "usage", include_deleted=False, made="usage_date"),),
    ),
)

KINDS: Mapping[str, Kind] = {kind.entity: kind for kind in _KINDS}

# The objects in an event and the entities whose records they are; transactions go by their type.
_ENTITIES: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer",),
    "subscription": ("subscription",),
    "invoice": ("invoice",),
    "credit_note": ("credit_note",),
    "item": ("product",),
    "item_price": ("price",),
    "plan": ("product", "price"),
    "addon": ("product", "price"),
    "dispute": ("dispute",),
}
_BY_TYPE = {"payment": "payment", "refund": "refund", "payment_reversal": "dispute"}


# A deleted document gives its number free: CN-4 becomes CN-4_171000000014.
_FREED = re.compile(r"(.+)_[0-9]{9,15}")


def freed(id: str) -> str | None:
    """The id that a deleted document had in its life, where it was changed by the deletion."""
    found = _FREED.fullmatch(id)
    return found[1] if found else None


def concerned(content: Any) -> Iterator[tuple[str, str]]:
    """(entity, id) of every record of ours in an event's `content`, each once."""
    seen = set()
    for name, value in content.items() if isinstance(content, dict) else ():
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                continue
            kind, id = each.get("object") or name, each.get("id")
            for entity in _entities(kind, each):
                if isinstance(id, str) and id and (entity, id) not in seen:
                    seen.add((entity, id))
                    yield entity, id


def _entities(kind: Any, each: Mapping[str, Any]) -> tuple[str, ...]:
    if kind == "transaction":
        entity = _BY_TYPE.get(str(each.get("type")))
        return (entity,) if entity else ()
    return _ENTITIES.get(str(kind), ())
