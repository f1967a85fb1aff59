"""Canonical records to rows and back, without a detour through Python objects.

A record is encoded once; decoding that text into a flat twin of its struct gives the column
values, with lists and objects left as slices of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from tieout.core.entities import ENTITIES, Record
from tieout.core.errors import InvalidRecord

from .schema import columns

# Sorted keys and exact numbers: the same record gives the same text on every machine.
_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def text_of(value: Any) -> str:
    """Any JSON value as text with sorted keys."""
    return _encoder.encode(value).decode()


def value_of(text: str) -> Any:
    """JSON text as plain values; numbers with a point are Decimals."""
    return _values.decode(text)


_values = msgspec.json.Decoder(float_hook=Decimal)


def digest(content: bytes) -> bytes:
    return sha256(content).digest()[:16]


class Shape:
    """How one entity's records become rows. Made once an entity (`shape_of`)."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.names = tuple(column.name for column in columns(entity))
        self._kind = ENTITIES[entity]
        self._json = [at for at, column in enumerate(columns(entity)) if column.form == "json"]
        self._times = [
            at for at, column in enumerate(columns(entity)) if column.name.endswith("_at")
        ]
        self._flags = [at for at, column in enumerate(columns(entity)) if column.form == "boolean"]
        self._flat = msgspec.json.Decoder(_flat_twin(entity))
        self._records = msgspec.json.Decoder(self._kind, float_hook=Decimal)

    def encode(self, record: Record) -> bytes:
        """The whole record as JSON. InvalidRecord for text that no database can keep."""
        try:
            body = _encoder.encode(record)
        except (UnicodeEncodeError, ValueError, TypeError, OverflowError) as error:
            raise InvalidRecord(
                f"the record cannot be stored: {error}",
                where=_place(record),
                hint="correct the value in the provider; the record is set aside until then",
            ) from None
        if b"\\u0000" in body and b"\\u0000" in body.replace(b"\\\\", b""):
            raise InvalidRecord(
                "a text of the record holds a NUL character",
                where=_place(record),
                hint="remove the character in the provider",
            )
        return body

    def content(self, record: Record) -> bytes:
        """All that the record says, as JSON; a mere new `updated_at` is no change of it."""
        if record.updated_at is None:
            return self.encode(record)
        return self.encode(msgspec.structs.replace(record, updated_at=None))

    def row(self, body: bytes) -> list[Any]:
        """Column values in the order of `names`. InvalidRecord for what no column can hold."""
        try:
            values = list(msgspec.structs.astuple(self._flat.decode(body)))
        except msgspec.DecodeError as error:
            raise InvalidRecord(f"the record cannot be stored: {error}") from None
        for at in self._json:
            raw = values[at]
            values[at] = None if raw is None else bytes(raw).decode()
        for at in self._times:
            if values[at] is not None and not values[at].endswith("Z"):
                raise InvalidRecord(f"{self.names[at]} {values[at]} is not given in UTC")
        return values

    def record(self, row: Sequence[Any]) -> Record:
        """The record of a row that was selected in the order of `names`."""
        values: dict[str, Any] = dict(zip(self.names, row, strict=True))
        for at in self._flags:
            if row[at] is not None:
                values[self.names[at]] = bool(row[at])
        for at in self._json:
            if row[at] is None:
                del values[self.names[at]]  # the model's default
            else:
                values[self.names[at]] = msgspec.Raw(row[at].encode())
        values["entity"] = self.entity
        return self.decode(_encoder.encode(values))

    def decode(self, body: str | bytes) -> Record:
        found: Record = self._records.decode(body)
        return found


@cache
def shape_of(entity: str) -> Shape:
    return Shape(entity)


def _flat_twin(entity: str) -> type[msgspec.Struct]:
    # An integer column holds 64 bits.
    number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    types: dict[str, Any] = {"text": str | None, "integer": number | None, "boolean": bool | None}
    fields = [(column.name, types.get(column.form, msgspec.Raw)) for column in columns(entity)]
    return msgspec.defstruct(f"Flat_{entity}", fields, frozen=True)


def _place(record: Record) -> str:
    return ascii(f"{record.system} {type(record).__struct_config__.tag} {record.id}")
