"""JSON without floats: decoding gives Decimals, encoding writes them as exact numbers.

Whole records are cut out of an answer as the provider's own bytes, not decoded and encoded.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

Json = Any

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_stable = msgspec.json.Encoder(decimal_format="number", order="sorted")


def decode(text: bytes | str) -> Json:
    """Plain values, every number with a fraction or exponent a Decimal; ValueError if torn."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None


def encode(value: Json) -> bytes:
    """Compact JSON in the order of the keys as given."""
    return _encoder.encode(value)


def encode_stable(value: Json) -> bytes:
    """Compact JSON with sorted keys: equal values give equal bytes."""
    return _stable.encode(value)


def split_array(body: bytes, field: str) -> list[bytes]:
    """The elements of a top-level array, each as its own bytes; ValueError if it isn't there.

    `split_array(b'{"data": [{"id": 1}, {"id": 2}]}', "data") == [b'{"id": 1}', b'{"id": 2}']`
    """
    try:
        found = _slicer(field).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no array {field!r} in the answer: {error}") from None
    return [bytes(element) for element in found.elements]


@lru_cache(maxsize=64)
def _slicer(field: str) -> msgspec.json.Decoder[Any]:
    shape = msgspec.defstruct(
        "Sliced", [("elements", list[msgspec.Raw], msgspec.field(name=field))]
    )
    return msgspec.json.Decoder(shape)
