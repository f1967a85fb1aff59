"""JSON as a person gives it in a file: exact numbers, and a clear reason where it is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from tieout.core.errors import InvalidRecord

from .shown import shown

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def decode_payload(body: bytes) -> Any:
    """The JSON value in a file, fractions as Decimal.

    Raises InvalidRecord for what is no JSON, and for an object that names a field twice: one of
    the two amounts would be lost, and nobody could say which (RFC 8259, section 4).
    """
    text = body.removeprefix(_BYTE_ORDER_MARK).strip()
    if not text:
        raise InvalidRecord("is empty", hint="give one JSON object")
    try:
        found = _decode(text)
        json.loads(text, object_pairs_hook=_once, parse_float=str, parse_int=str)
    except RecursionError:
        raise InvalidRecord("is nested too deeply for any record") from None
    except (msgspec.DecodeError, ValueError, ArithmeticError) as error:
        raise InvalidRecord(f"is not JSON that can be read: {error}") from None
    return found


def only_one(found: Any) -> dict[str, Any]:
    """The object, or the only one in a list. Raises InvalidRecord."""
    if isinstance(found, list):
        if len(found) != 1:
            raise InvalidRecord(f"holds {len(found)} records", hint="give one of them")
        found = found[0]
    if not isinstance(found, dict):
        raise InvalidRecord("is not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise InvalidRecord(f"names the field {shown(name)} twice in one object")
        seen.add(name)
