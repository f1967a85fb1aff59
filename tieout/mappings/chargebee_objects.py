"""What all of Chargebee's objects share: envelopes, deleted ones, whole amounts, custom fields."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import EXPONENTS, plain, to_decimal

from .choices import listed
from .exponents import provider_places
from .forms import Context
from .payload_text import decode_payload
from .shown import shown

Raw = dict[str, Any]
TABLE = "chargebee"
_STATUSES = (
    "in_progress", "success", "voided", "failure", "timeout", "needs_attention", "late_failure",
)  # fmt: skip


def opened(raw: Raw, *kinds: str) -> Raw:
    """The object itself, out of the answer, the row of a list or the event that it came in.

    Raises InvalidRecord for another kind of object, and for a page with several of them.
    https://apidocs.chargebee.com/docs/api/events
    """
    if "object" not in raw:
        raw = _only_row(raw) if "list" in raw else raw
        raw = raw["event"] if isinstance(raw.get("event"), dict) else raw
    if raw.get("object") == "event" or {"content", "event_type"} <= raw.keys():
        return _from_event(raw, kinds)
    kind = raw.get("object")
    if kind is None:
        found = _inside(raw, kinds)
        if found is not None:
            return opened(found, *kinds)
        if "id" not in raw:
            raise InvalidRecord(f"holds no {' or '.join(kinds)}")
    if kind is not None and kind not in kinds:
        raise InvalidRecord(f"is a Chargebee {shown(kind)}, not {_either(kinds)}")
    return raw


def _from_event(event: Raw, kinds: tuple[str, ...]) -> Raw:
    content = event.get("content")
    found = _inside(content if isinstance(content, dict) else {}, kinds)
    if found is None:
        raise InvalidRecord(f"is an event without {_either(kinds)}")
    gone = str(event.get("event_type", "")).removesuffix("_deleted")
    if gone != event.get("event_type") and gone == (found.get("object") or kinds[0]):
        return {**found, "deleted": True}
    return found


def _inside(holder: Raw, kinds: tuple[str, ...]) -> Raw | None:
    """The one object of these kinds in an answer or a row."""
    for kind in kinds:
        if isinstance(holder.get(kind), dict):
            return dict(holder[kind])
        rows = holder.get(f"{kind}s")
        if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict) and rows[0]:
            return dict(rows[0])
    return None


def _only_row(page: Raw) -> Raw:
    rows = page["list"]
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict):
        raise InvalidRecord("is a page of a list, not one record")
    return dict(rows[0])


def _either(kinds: Iterable[str]) -> str:
    return " or ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in kinds)


def is_deleted(raw: Raw) -> bool:
    """Catalog objects say it in their status."""
    return raw.get("deleted") is True or raw.get("status") == "deleted"


def whole(raw: Raw, name: str) -> int:
    """An amount in Chargebee's minor units; absent and null are 0. Raises InvalidRecord."""
    value = raw.get(name)
    if type(value) is int:
        return value
    if value is None:
        return 0
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return int(value)
    raise InvalidRecord(f"{shown(value)} is not a whole number of minor units", where=name)


def amount(raw: Raw, name: str, currency: str | None) -> int:
    """The same, from the `_in_decimal` twin (in major units) where there is no other."""
    exact = raw.get(f"{name}_in_decimal")
    if raw.get(name) is not None or exact in (None, ""):
        return whole(raw, name)
    minor = to_decimal(exact).scaleb(places(currency))
    if minor != minor.to_integral_value():
        raise InvalidRecord(
            f"{shown(exact)} has more places than {currency}", where=f"{name}_in_decimal"
        )
    return int(minor)


def unit(raw: Raw, name: str, currency: str | None) -> Any:
    """A unit price in Chargebee's minor units, with fractions where only its twin has them."""
    exact = raw.get(f"{name}_in_decimal")
    if exact in (None, ""):
        return raw.get(name)
    return plain(to_decimal(exact).scaleb(places(currency)))


def code_of(raw: Raw, context: Context) -> str | None:
    """The record's currency, or the system's."""
    code = raw.get("currency_code") or context.currency
    return code.upper() if isinstance(code, str) else None


def places(currency: str | None) -> int:
    """Decimal places of Chargebee's minor units; two for a currency that nobody knows."""
    return provider_places(TABLE, currency) if currency in EXPONENTS else 2


def rows_of(raw: Raw, name: str) -> list[Raw]:
    """The objects that a field lists; absent and null are none. Raises InvalidRecord."""
    rows = raw.get(name)
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidRecord(f"{shown(rows)} is not a list of objects", where=name)
    return rows


def succeeded(raw: Raw, name: str) -> list[Raw]:
    """Those of the linked transactions that moved money. Raises InvalidRecord for a new status."""
    return [row for row in rows_of(raw, name) if listed(row, "txn_status", *_STATUSES) == "success"]


def total_of(rows: Iterable[Raw], name: str = "amount") -> int:
    """The sum of an amount over a list."""
    return sum(whole(row, name) for row in rows)


def extras(raw: Raw) -> Raw:
    """Metadata and the site's own fields (`cf_...`), which stand beside all others."""
    found: Raw = {}
    for name in ("meta_data", "metadata"):
        held = raw.get(name)
        if isinstance(held, str):  # as it is sent
            held = decode_payload(held.encode()) if held.strip() else None
        if isinstance(held, dict):
            found |= held
    return found | {name: value for name, value in raw.items() if name.startswith("cf_")}


def _list(raw: Raw, name: str) -> list[Any]:
    rows = raw.get(name)
    return rows if isinstance(rows, list) else []


def our_key(raw: Raw) -> str | None:
    """Our key, wherever a write of ours has put it."""
    for held in (extras(raw).get("tieout_id"), raw.get("cf_tieout_id")):
        if isinstance(held, str) and held:
            return held
    notes = [row.get("note") for row in _list(raw, "notes") if isinstance(row, dict)]
    marks = (*notes, raw.get("note"), raw.get("reference_number"), raw.get("id"))
    return next((mark for mark in marks if is_key(mark)), None)


def is_key(text: Any) -> bool:
    """Whether a text is a key of ours: `tieout-<entity>-<system>-...`."""
    return isinstance(text, str) and text.startswith("tieout-") and text.count("-") > 2
