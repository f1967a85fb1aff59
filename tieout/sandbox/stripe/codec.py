"""JSON for the stand-in: numbers with a fraction stay decimals, never floats."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import msgspec

from ..wire import encode

__all__ = ["decode", "embedded", "encode"]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def decode(raw: bytes) -> dict[str, Any]:
    """The object in these JSON bytes."""
    return cast("dict[str, Any]", _DECODER.decode(raw))


def embedded(raw: bytes) -> Any:
    """JSON that is put into other JSON without being read again."""
    return msgspec.Raw(raw)
