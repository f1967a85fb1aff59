"""Values of a record as table columns hold them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .books import Body, decimal
from .oracle import digits, tagged

Row = dict[str, Any]


@lru_cache(maxsize=4096)
def local_text(moment: datetime, zone: ZoneInfo) -> str:
    return tagged(moment.astimezone(zone).replace(tzinfo=None))


def flag(value: Any) -> str:
    return "T" if value in (True, "T", "true") else "F"


def cell(value: Any) -> Any:
    """A body value as a column holds it."""
    if isinstance(value, dict):
        value = value.get("id", value.get("refName"))
    if isinstance(value, bool):
        return flag(value)
    if isinstance(value, Decimal):
        return digits(value)
    return value if value != "" else None


def custom_cells(values: Body, prefix: str) -> Row:
    return {
        key.lower(): cell(value) if not isinstance(value, list) else str(value)
        for key, value in values.items()
        if key.lower().startswith(prefix)
    }


def number_cell(value: Any) -> str | None:
    return None if value is None else digits(decimal(value))


def whole_cell(value: Any, default: Any = None) -> Any:
    text = str(value if value is not None else "")
    return int(text) if text.lstrip("-").isdigit() else default
