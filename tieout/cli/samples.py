"""Which provider objects a sample file holds, and of which type each is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Typed = tuple[str, dict[str, Any]]
Finder = Callable[[str, Any], Iterator[Typed]]


def objects_in(provider: str, stem: str, value: Any) -> Iterator[Typed]:
    """(type, object) of each object in a file's content; `stem` is the file's name.

    What has no id, or no type that can be told, is passed over.
    """
    return _FINDERS[provider](stem, value)


def _stripe(stem: str, value: Any) -> Iterator[Typed]:
    """Stripe's objects name their type."""
    if isinstance(value, dict) and value.get("object") and value.get("id"):
        yield str(value["object"]), value


def _netsuite(stem: str, value: Any) -> Iterator[Typed]:
    """The type is a word of the file's name; a list gives its items."""
    from tieout.sandbox.netsuite.catalog import TYPES

    known = {name.lower(): name for name in TYPES}
    words = re.split(r"[^a-z]+", stem.lower())
    kind = next((known[word] for word in words if word in known), None)
    listed = value.get("items") if isinstance(value, dict) else None
    for each in listed if isinstance(listed, list) else [value]:
        if kind and isinstance(each, dict) and each.get("id"):
            yield kind, each


def _salesforce(stem: str, value: Any) -> Iterator[Typed]:
    """Records name their type in `attributes`; queries list them under `records`."""
    if isinstance(value, list):
        for each in value:
            yield from _salesforce(stem, each)
    elif isinstance(value, dict):
        kind = (value.get("attributes") or {}).get("type")
        if isinstance(kind, str) and value.get("Id"):
            yield kind, value
        elif isinstance(value.get("records"), list):
            yield from _salesforce(stem, value["records"])


def _chargebee(stem: str, value: Any) -> Iterator[Typed]:
    from tieout.sandbox.chargebee.samples import objects_in as find

    return find(value)


def _zuora(stem: str, value: Any) -> Iterator[Typed]:
    """The type is the first word or two of the file's name; a page lists its objects."""
    words = stem.replace("-", "_").split("_")
    kind = "".join(words[:2]) if words[1:2] and words[1].rstrip("s") in _PARTS else words[0]
    rows = value.get("order", value) if isinstance(value, dict) else None
    listed = [each for each in (rows or {}).values() if isinstance(each, list)]
    single = isinstance(rows, dict) and (rows.get("id") or rows.get("number"))
    for each in [rows] if single or "basicInfo" in (rows or {}) else (listed or [[]])[0]:
        if isinstance(each, dict):
            yield kind.rstrip("s"), each


_PARTS = ("item", "part", "plan", "charge", "code", "period", "entrie", "memo")
_FINDERS: dict[str, Finder] = {
    "stripe": _stripe,
    "netsuite": _netsuite,
    "salesforce": _salesforce,
    "chargebee": _chargebee,
    "zuora": _zuora,
}
