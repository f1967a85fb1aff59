"""SOQL's literals as table cells hold them.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_valueliterals.htm
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from .cells import digits, moment_of, stamp
from .errors import Refusal
from .fields import Field
from .soql import Value, malformed, unquoted
from .store import valid_id


def literal(field: Field, kind: str, value: Value) -> Any:
    if kind in ("id", "reference"):
        if value.kind != "string":
            raise wrong_kind(field, "string", enclosed=True)
        text = unquoted(value.text)
        found = valid_id(text)
        if found is None and text:
            raise Refusal("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
        return found
    if kind == "boolean":
        if value.kind != "bool":
            raise wrong_kind(field, "boolean")
        return int(value.text == "TRUE")
    if kind == "int" or field.is_number:
        if value.kind != "number":
            raise wrong_kind(field, "int" if kind == "int" else "double")
        number = Decimal(value.text)
        return int(number) if kind == "int" and number == int(number) else digits(number)
    if kind in ("date", "datetime"):
        if value.kind != kind:
            raise wrong_kind(field, "dateTime" if kind == "datetime" else "date")
        return value.text if kind == "date" else stamp(_moment(value.text))
    if value.kind != "string":
        raise wrong_kind(field, "string", enclosed=True)
    return unquoted(value.text) or None


def _moment(text: str) -> datetime:
    try:
        return moment_of(text)
    except ValueError:
        raise malformed(f"line 1:0 invalid datetime '{text}'") from None


def next_whole_second(text: str) -> str:
    """Stamps are whole seconds, so what is not before 37.5 is not before 38."""
    moment = _moment(text)
    return stamp(moment + timedelta(seconds=1) if moment.microsecond else moment)


def wrong_kind(field: Field, kind: str, *, enclosed: bool = False) -> Refusal:
    how = "be enclosed in quotes" if enclosed else "not be enclosed in quotes"
    return Refusal(
        "INVALID_FIELD",
        f"value of filter criterion for field '{field.name}' must be of type {kind} and should "
        f"{how}",
    )


def edge(day: date, kind: str, zone: ZoneInfo) -> str:
    if kind == "date":
        return day.isoformat()
    return stamp(datetime.combine(day, time(), zone).astimezone(UTC))
