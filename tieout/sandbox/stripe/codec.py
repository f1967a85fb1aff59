"""JSON for the stand-in: numbers with a fraction stay decimals, never floats."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def encode(value: Any) -> bytes:
    """JSON bytes; Decimals become JSON numbers with their digits, `Embedded` bytes go in as is."""
    return _ENCODER.encode(value)


def decode(raw: bytes) -> dict[str, Any]:
    """The object in these JSON bytes."""
    return cast("dict[str, Any]", _DECODER.decode(raw))


def embedded(raw: bytes) -> Any:
    """JSON that is put into other JSON without being read again."""
    return msgspec.Raw(raw)
