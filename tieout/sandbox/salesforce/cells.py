"""Values between JSON, the tables and CSV.

A table cell holds text (ids, strings, dates, and numbers as exact decimal digits), an integer
(int and boolean fields) or NULL. An empty string is NULL: Salesforce doesn't tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from .fields import Field
from .wire import double, double_text

Cell = str | int | None

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def stamp(moment: datetime) -> str:
    """`2026-05-01T07:25:37.000+0000`: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def moment_of(text: str) -> datetime:
    """The instant of a stamp, or of any ISO 8601 text; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def digits(value: Decimal) -> str:
    """Plain digits, so that equal numbers are equal texts."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def loader(one: Field) -> Callable[[Any], Cell]:
    """What makes a cell of this field out of a value that the API serves."""
    if one.type == "boolean":
        return lambda value: int(value in (True, "true", 1))
    if one.type == "int":
        return lambda value: None if value is None or value == "" else int(Decimal(str(value)))
    if one.is_number:
        return lambda value: None if value is None or value == "" else digits(Decimal(str(value)))
    if one.type == "datetime":
        return _load_stamp
    return lambda value: None if value is None or value == "" else str(value)


def _load_stamp(value: Any) -> Cell:
    if value is None or value == "":
        return None
    text = str(value)
    return text if _STAMP.fullmatch(text) else stamp(moment_of(text))


def shower(one: Field) -> Callable[[Any], Any]:
    """What makes JSON of this field's cell."""
    if one.type == "boolean":
        return bool
    if one.is_number:
        return lambda cell: None if cell is None else double(Decimal(cell))
    return lambda cell: cell


def printer(one: Field) -> Callable[[Any], str]:
    """What makes a CSV cell of this field's cell."""
    if one.type == "boolean":
        return lambda cell: "true" if cell else "false"
    if one.is_number:
        return lambda cell: "" if cell is None else double_text(Decimal(cell))
    if one.type == "datetime":
        return lambda cell: "" if cell is None else f"{cell[:-5]}Z"
    return lambda cell: "" if cell is None else str(cell)


def value_of(one: Field, cell: Any) -> Any:
    """The cell as the rules work with it: Decimal, int, bool, str or None."""
    if one.type == "boolean":
        return bool(cell)
    if cell is not None and one.is_number:
        return Decimal(cell)
    return cell


def guess_type(name: str, value: Any) -> str:
    """The line that describes a field which was loaded and is not in the catalog."""
    if isinstance(value, bool):
        return f"{name} boolean"
    if isinstance(value, int | float | Decimal):
        return f"{name} double(18,2)"
    text = str(value or "")
    if _DAY.fullmatch(text):
        return f"{name} date"
    if _DAY.match(text[:10]) and text[10:11] == "T":
        return f"{name} datetime"
    return f"{name} textarea(32000)" if len(text) > 255 else f"{name} string(255)"


def compare(left: str, right: str) -> int:
    """The order of two numbers kept as text."""
    one, other = Decimal(left), Decimal(right)
    return (one > other) - (one < other)
