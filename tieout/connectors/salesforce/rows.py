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

from .schema import NUMBERS

# Long text fields hold up to 131,072 characters, which may all be escaped.
LONGEST_CELL = 2**24
Row = dict[str, Any]


def read_csv(body: bytes) -> Iterator[dict[str, str]]:
    """The rows of a CSV answer; ValueError where it is torn, or none."""
    csv.field_size_limit(LONGEST_CELL)
    text = body.decode("utf-8-sig").replace("\x00", "")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(reader, None)
        if not names or "Id" not in names:
            raise ValueError("no header line of a query")  # such as a gateway's page
        for cells in reader:
            if len(cells) != len(names):
                raise ValueError("a row breaks off")
            yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from None


def as_rest(row: Mapping[str, str], types: Mapping[str, str], object: str, data: str) -> Row:
    """A CSV row as the REST API tells it: typed, what belongs to a related record inside it.

    `types` tells the type of each column, `data` is the path of the API's version.
    """
    url = f"{data}/sobjects/{object}/{row.get('Id', '')}"
    found: Row = {"attributes": {"type": object, "url": url}}
    for name, text in row.items():
        value = _read(text, types.get(name, ""))
        relation, _, field = name.partition(".")
        if not field:
            found[name] = value
        elif value is not None:
            found[relation] = {**(found.get(relation) or {}), field: value}
        else:
            found.setdefault(relation, None)
    return found


def _read(text: str, kind: str) -> Any:
    if text == "":
        return None
    try:
        return _READERS.get(kind, str)(text)
    except (InvalidRecord, ValueError):
        return text  # left for the mapping to refuse, with the record's id


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
