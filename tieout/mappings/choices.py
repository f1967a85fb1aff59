"""Values that decide over other fields: only known ones are let through."""

from __future__ import annotations

from typing import Any

from tieout.core.errors import InvalidRecord

from .shown import shown


def listed(raw: dict[str, Any], name: str, *known: str) -> Any:
    """A choice that decides over other fields, null included. Raises InvalidRecord for others."""
    value = raw.get(name)
    if value is not None and value not in known:
        raise InvalidRecord(
            f"{shown(value)} is not a value that the mapping knows",
            where=name,
            hint="known: " + ", ".join(known),
        )
    return value
