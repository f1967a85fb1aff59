"""JSON for the stand-in: numbers with a fraction stay decimals, never floats."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import msgspec

from ..wire import encode

__all__ = ["decode", "decode_any", "encode"]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def decode(raw: bytes | str) -> dict[str, Any]:
    """The object in these JSON bytes."""
    return cast("dict[str, Any]", _DECODER.decode(raw))


def decode_any(text: str) -> Any:
    """Whatever JSON value the text holds; ValueError when it holds none."""
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError as problem:
        raise ValueError(str(problem)) from None
