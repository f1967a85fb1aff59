"""Rows as they pass through: their fields whatever the spelling, and lists put into them.

Object Query spells `invoiceId`, Data Query `invoiceid`, CRUD `InvoiceId`: names are compared in
lower case. A row keeps Zuora's own bytes; what belongs to it is added at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tieout.rest import json

Row = dict[str, Any]


def folded(row: bytes | Mapping[str, Any]) -> Row:
    """The fields by name in lower case; {} for what is no object."""
    found = json.decode(row) if isinstance(row, bytes) else row
    if not isinstance(found, Mapping):
        return {}
    return {str(name).lower(): value for name, value in found.items()}


def text(row: Row, name: str) -> str:
    """A field as text, "" where it is absent or null."""
    value = row.get(name)
    return "" if value is None else str(value)


def with_lists(row: bytes, added: Mapping[str, Any]) -> bytes:
    """The row's own bytes with more fields at its end."""
    if not added:
        return row
    more = b",".join(json.encode(name) + b":" + json.encode(value) for name, value in added.items())
    head = row.rstrip()[:-1].rstrip()
    return head + (b"" if head.endswith(b"{") else b",") + more + b"}"


def grouped(rows: Iterable[Mapping[str, Any]], by: str) -> dict[str, list[Row]]:
    """Rows by the value of a field (in lower case), in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        owner = text(folded(row), by)
        if owner:
            found.setdefault(owner, []).append(dict(row))
    return found


def is_current(row: Row) -> bool:
    """Whether a version of a subscription is the latest, as far as it is told."""
    return text(row, "islatestversion").lower() not in ("false", "0")


def amount(value: Any) -> Decimal:
    """A number of money, 0 for what is none."""
    try:
        return Decimal(str(value)) if value not in (None, "") else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
