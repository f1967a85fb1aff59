"""Rows of Bulk API's CSV in the form in which REST tells the same records.

CSV knows text only: what a field holds is taken from describe, so that both ways of reading
give one record the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import to_decimal
from tieout.rest.json import encode_stable

from .schema import NUMBERS, Described

# Long text fields hold up to 131,072 characters, which may all be escaped.
LONGEST_CELL = 2**24
Row = dict[str, Any]


def read_csv(body: bytes) -> Iterator[dict[str, str]]:
    """The rows of a CSV answer; ValueError where one has another number of cells."""
    csv.field_size_limit(LONGEST_CELL)
    text = body.decode("utf-8-sig").replace("\x00", "")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(reader, None)
        if not names:
            raise ValueError("no header line")
        for cells in reader:
            if len(cells) != len(names):
                raise ValueError("a row breaks off")
            yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from None


def as_rest(row: Mapping[str, str], held: Described, data: str) -> Row:
    """A CSV row as the REST API tells it. `data` is the path of the API's version."""
    found: Row = {
        "attributes": {"type": held.name, "url": f"{data}/sobjects/{held.name}/{row.get('Id', '')}"}
    }
    for name, text in row.items():
        field = held.fields.get(name)
        kind = field.type if field else "string"
        try:
            found[name] = _READERS.get(kind, str)(text) if text != "" else None
        except (InvalidRecord, ValueError):
            found[name] = text  # left for the mapping to refuse, with the record's id
    return found


def encoded(row: Row, extra: Row) -> bytes:
    """A record as it is handed on."""
    return encode_stable({**row, **extra})


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _whole(text: str) -> int:
    """Whole numbers come as `3.0`, too."""
    number = to_decimal(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def _fraction(text: str) -> Any:
    """As REST writes it: always with a point."""
    return to_decimal(text if "." in text or "e" in text.lower() else f"{text}.0")


def _moment(text: str) -> str:
    return text.removesuffix("Z") + "+0000" if text.endswith("Z") else text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": _flag,
    "int": _whole,
    "long": _whole,
    "datetime": _moment,
    **dict.fromkeys(NUMBERS, _fraction),
}
