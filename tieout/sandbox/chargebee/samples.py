"""Finds the objects in what Chargebee answers or sends: lists, answers, events, bare objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .kinds import KINDS
from .shelf import Object

_INSIDE_ONLY = frozenset({"card", "contact"})


def objects_in(value: Any) -> Iterator[tuple[str, Object]]:
    """(kind, object) for each object of a kind of its own in a JSON value.

    Every object names its kind in `object`. An event comes before the objects it tells of. Cards
    and contacts that don't say whose they are stay where they stand.
    """
    if isinstance(value, list):
        for one in value:
            yield from objects_in(one)
        return
    if not isinstance(value, dict):
        return
    kind = value.get("object")
    if kind in KINDS and (kind not in _INSIDE_ONLY or "customer_id" in value):
        yield kind, value
        if kind == "event":
            yield from objects_in(value.get("content"))
        return
    for one in value.values():
        yield from objects_in(one)


def catalog_of(value: Any) -> int | None:
    """The product catalog that a JSON value comes from: 1 or 2; None where it does not show."""
    if isinstance(value, list):
        return next((found for one in value if (found := catalog_of(one))), None)
    if not isinstance(value, dict):
        return None
    if value.get("object") in ("plan", "addon") or "plan_id" in value:
        return 1
    if value.get("object") in ("item", "item_price", "subscription_item"):
        return 2
    return catalog_of(list(value.values()))
