"""What a caller sends for a field: read, checked against the field's type and limits.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from .cells import moment_of, stamp
from .errors import Refusal, not_json
from .fields import Field
from .store import valid_id

_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def read_value(one: Field, sent: Any) -> Any:
    """The value as the rules work with it; None for null and for empty text. Raises Refusal."""
    if sent is None:
        if one.type == "boolean":
            raise _wrong(one, sent)
        return None
    if one.type == "boolean":
        return _flag(one, sent)
    if one.type == "int" or one.is_number:
        return _number(one, sent)
    if one.type in ("date", "datetime"):
        return _day(one, sent) if one.type == "date" else _instant(one, sent)
    if not isinstance(sent, str):
        raise _wrong(one, sent)
    return _text(one, sent.strip())


def _flag(one: Field, sent: Any) -> bool:
    if isinstance(sent, bool):
        return sent
    if isinstance(sent, str) and sent.lower() in ("true", "false", "1", "0"):
        return sent.lower() in ("true", "1")
    raise _wrong(one, sent)


def _number(one: Field, sent: Any) -> Any:
    if isinstance(sent, bool) or not isinstance(sent, int | Decimal | str):
        raise _wrong(one, sent)
    if sent == "":
        return None
    try:
        value = Decimal(sent)
    except InvalidOperation:
        raise _wrong(one, sent) from None
    if not value.is_finite():
        raise _wrong(one, sent)
    if one.type == "int":
        if value != value.to_integral_value():
            raise _wrong(one, sent)
        if abs(value) >= 2**31:
            raise _out_of_range(one, sent)
        return int(value)
    if abs(value) >= Decimal(10) ** (one.precision - one.scale):
        raise _out_of_range(one, sent)
    return value.quantize(Decimal(1).scaleb(-one.scale), ROUND_HALF_UP)


def _day(one: Field, sent: Any) -> str | None:
    if sent == "":
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(sent)):
            raise ValueError(sent)
        return date.fromisoformat(sent).isoformat()
    except ValueError:
        raise _wrong(one, sent) from None


def _instant(one: Field, sent: Any) -> str | None:
    if sent == "":
        return None
    try:
        if "T" not in str(sent):
            raise ValueError(sent)
        return stamp(moment_of(str(sent)))
    except ValueError:
        raise _wrong(one, sent) from None


def _text(one: Field, text: str) -> str | None:
    if not text:
        return None
    if one.type in ("id", "reference"):
        id = valid_id(text)
        if id is None:
            raise bad_id(one, text)
        return id
    if len(text) > one.length:
        raise Refusal(
            "STRING_TOO_LONG",
            f"{one.label}: data value too large: {text} (max length={one.length})",
            [one.name],
        )
    if one.type == "email" and not _EMAIL.fullmatch(text):
        raise Refusal(
            "INVALID_EMAIL_ADDRESS", f"{one.label}: invalid email address: {text}", [one.name]
        )
    if one.restricted:
        return _choice(one, text)
    return text


def _choice(one: Field, text: str) -> str:
    wanted = text.split(";") if one.type == "multipicklist" else [text]
    known = {value.lower(): value for value in one.values}
    unknown = next((each for each in wanted if each.lower() not in known), None)
    if unknown is not None:
        raise Refusal(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{one.label}: bad value for restricted picklist field: {unknown}",
            [one.name],
        )
    return ";".join(known[each.lower()] for each in wanted)


def bad_id(one: Field, text: str) -> Refusal:
    return Refusal("MALFORMED_ID", f"{one.label}: id value of incorrect type: {text}", [one.name])


def _out_of_range(one: Field, sent: Any) -> Refusal:
    return Refusal(
        "NUMBER_OUTSIDE_VALID_RANGE",
        f"{one.label}: value outside of valid range on numeric field: {sent}",
        [one.name],
    )


def _wrong(one: Field, sent: Any) -> Refusal:
    kind = {"datetime": "datetime", "int": "int", "boolean": "boolean", "date": "date"}.get(
        one.type, one.type if one.is_number else "string"
    )
    return not_json(
        f"Cannot deserialize instance of {kind} from {_token(sent)} value {_shown(sent)} or "
        "request may be missing a required field at [line:1, column:2]"
    )


def _token(sent: Any) -> str:
    if isinstance(sent, bool):
        return "VALUE_TRUE" if sent else "VALUE_FALSE"
    if sent is None:
        return "VALUE_NULL"
    if isinstance(sent, int):
        return "VALUE_NUMBER_INT"
    if isinstance(sent, Decimal):
        return "VALUE_NUMBER_FLOAT"
    return "VALUE_STRING" if isinstance(sent, str) else "START_OBJECT"


def _shown(sent: Any) -> str:
    return "{" if isinstance(sent, dict | list) else str(sent)
