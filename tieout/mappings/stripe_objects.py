"""What all of Stripe's objects share: event envelopes, deleted stubs, whole amounts, references."""

from __future__ import annotations

from typing import Any

from tieout.core.errors import InvalidRecord

from .shown import shown

Raw = dict[str, Any]

# Events after which the object is gone. A subscription's means "canceled": it stays readable.
_GONE = {"customer", "product", "price", "plan", "invoice", "coupon", "invoiceitem"}


def opened(raw: Raw, *kinds: str) -> Raw:
    """The object itself, out of its event envelope if it came in one.

    Raises InvalidRecord for another kind of object. https://docs.stripe.com/api/events/object
    """
    if raw.get("object") == "event":
        inside = raw["data"]["object"]
        if type(inside) is not dict:
            raise InvalidRecord("is an event without an object")
        gone = str(raw.get("type", "")).removesuffix(".deleted")
        raw = {**inside, "deleted": True} if gone != raw.get("type") and gone in _GONE else inside
    kind = raw.get("object")
    if kind is not None and kind not in kinds:
        wanted = " or ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in kinds)
        raise InvalidRecord(f"is a Stripe {shown(kind)}, not {wanted}")
    return raw


def is_stub(raw: Raw, field: str) -> bool:
    """All that is left of a deleted object: {"id", "object", "deleted"}."""
    return raw.get("deleted") is True and field not in raw


def whole(raw: Raw, name: str) -> int:
    """An amount in Stripe's minor units; absent and null are 0. Raises InvalidRecord."""
    value = raw.get(name)
    if type(value) is int:
        return value
    if value is None:
        return 0
    raise InvalidRecord(f"{name}: {shown(value)} is not a whole number of minor units")


def total_of(rows: Any, name: str = "amount") -> int:
    """The sum of an amount over a list; null is an empty list."""
    return sum(whole(row, name) for row in rows) if rows else 0


def taxes_of(raw: Raw, *names: str) -> tuple[int, int]:
    """(all tax, the inclusive part of it) from the first list of these names that is there.

    `tax_behavior` tells inclusive since basil, `inclusive` before.
    """
    for name in names:
        rows = raw.get(name)
        if rows:
            tax = inside = 0
            for row in rows:
                amount = whole(row, "amount")
                tax += amount
                if row.get("tax_behavior") == "inclusive" or row.get("inclusive") is True:
                    inside += amount
            return tax, inside
        if rows is not None:
            return 0, 0
    return 0, 0


def id_of(reference: Any) -> str | None:
    """The id of a reference, expanded or not."""
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) and found else None
