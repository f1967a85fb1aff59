"""Payload files: exact numbers, and refusals that say what is wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tieout.core.errors import InvalidRecord
from tieout.mappings.payload_text import decode_payload


def test_fractions_are_exact_and_a_byte_order_mark_is_no_fault() -> None:
    assert decode_payload(b'\xef\xbb\xbf {"a": 12.30, "b": {"a": 1}}') == {
        "a": Decimal("12.30"),
        "b": {"a": 1},
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b" \n", "is empty"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": "\\udc00"}', "is not JSON"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b'{"a": 1', "is not JSON"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b'{"total": 1, "x": {"y": 1}, "total": 2}', "names the field 'total' twice"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidRecord, match=reason):
        decode_payload(body)
