"""The merged view of a linked pair under the ownership policy. Pure.

References stay in the id space of the system that a value came from until `translated`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tieout.core.entities import ENTITIES, REFERENCES, Record, fields_of

from .decide import UNLINKED

Translate = Callable[[str, str], str | None]  # (entity, id) -> id in the other system, or None
NESTED_REFERENCES = {"allocations", "lines", "items"}


def stored_fields(record: Record) -> dict[str, Any]:
    """A record's own fields as JSON values, the form in which plans and operations keep them."""
    whole = msgspec.to_builtins(record)
    return {name: whole[name] for name in fields_of(str(record.__struct_config__.tag))}


def as_first_made(record: Record) -> dict[str, Any]:
    """The fields to create the record with elsewhere: `stored_fields`, but a payment is applied
    in whole. What was refunded since follows as a refund of its own, against a credit note."""
    fields = stored_fields(record)
    told = record.custom.get("allocations_before_refunds")
    if "allocations" in fields and told:
        pairs = [each.rpartition(":") for each in str(told).split(",")]
        fields["allocations"] = [
            {"invoice_id": id, "amount_minor": int(minor)} for id, _, minor in pairs
        ]
    return fields


def typed_fields(entity: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields with their types back, as the mapping renders them."""
    typed = msgspec.convert({"system": "-", "id": "-", **stored}, ENTITIES[entity])
    return {name: getattr(typed, name) for name in stored}


def comparable(record: Record, names: tuple[str, ...], timezone: str) -> dict[str, Any]:
    """The named fields as JSON values that are equal where their meaning is.

    `<x>_on` may name the calendar day of an `<x>_at` field.
    """
    found: dict[str, Any] = {}
    for name in names:
        if name in record.__struct_fields__:
            found[name] = normal(name, getattr(record, name))
        elif name.startswith("custom."):
            found[name] = record.custom.get(name.removeprefix("custom."))
        elif name.endswith("_on"):
            instant = getattr(record, name.removesuffix("_on") + "_at", None)
            day = day_of(instant, timezone)
            found[name] = day.isoformat() if day else None
    return found


def day_of(instant: datetime | None, timezone: str) -> date | None:
    """The calendar day of an instant in the business's time zone."""
    return instant.astimezone(ZoneInfo(timezone)).date() if instant else None


def normal(name: str, value: Any) -> Any:
    """A value as it takes part in comparisons: e-mail addresses ignore case, allocations order."""
    if value is None:
        return None
    if name == "email":
        return str(value).strip().casefold()
    if name == "allocations":
        pairs = [(each.invoice_id or "", each.amount_minor or 0) for each in value]
        return [{"invoice_id": id, "amount_minor": minor} for id, minor in sorted(pairs)]
    return msgspec.to_builtins(value)


def merged(
    owners: Mapping[str, tuple[str, ...]],
    default_owner: str,
    sides: Mapping[str, Mapping[str, Any]],
) -> dict[str, tuple[str, Any]]:
    """For each field: (the system it came from, its value).

    The first owner that has a value wins; where none has, the first owner's emptiness counts.
    """
    names = [name for side in sides.values() for name in side]
    chosen: dict[str, tuple[str, Any]] = {}
    for name in dict.fromkeys(names):
        candidates = [each for each in owners.get(name, (default_owner,)) if each in sides]
        if not candidates:
            continue
        holder = next((s for s in candidates if sides[s].get(name) is not None), candidates[0])
        chosen[name] = (holder, sides[holder].get(name))
    return chosen


def translated(
    fields: Mapping[str, Any], translate: Translate, required: frozenset[str]
) -> dict[str, Any]:
    """The fields with every reference in the target's id space.

    A reference that the target lacks becomes UNLINKED where its entity is in `required` (a flow
    will bring it), and is left out (None) where nothing would ever bring it.
    """

    def one(name: str, value: Any) -> Any:
        entity = REFERENCES[name]
        if value is None:
            return None
        there = translate(entity, value)
        return there if there or entity not in required else UNLINKED

    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name in REFERENCES:
            found[name] = one(name, value)
        elif name in NESTED_REFERENCES and isinstance(value, list | tuple):
            found[name] = _nested(value, one)
        else:
            found[name] = value
    return found


def _nested(rows: Sequence[Any], one: Callable[[str, Any], Any]) -> Any:
    """Rows with their references translated; UNLINKED as a whole if one of them waits."""
    out = []
    for row in rows:
        new = {key: one(key, value) if key in REFERENCES else value for key, value in row.items()}
        if any(value is UNLINKED for value in new.values()):
            return UNLINKED
        out.append(new)
    return out
