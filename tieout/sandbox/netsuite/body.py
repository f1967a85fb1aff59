"""Reading a request body: names, types and references, or the refusal NetSuite answers with."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .books import Body, Books, Record
from .catalog import TYPES, Fields, RecordType, Sublist
from .errors import invalid_content, invalid_reference, invalid_value, malformed

_SILENT = {"id", "links", "refname", "totalresults", "count", "hasmore", "offset"}
_READ_ONLY = {
    "id",
    "lastModifiedDate",
    "createdDate",
    "dateCreated",
    "subtotal",
    "total",
    "taxTotal",
    "discountTotal",
    "amountPaid",
    "amountRemaining",
    "amountRemainingTotalBox",
    "applied",
    "unapplied",
    "pending",
    "balance",
    "overdueBalance",
    "unbilledOrders",
    "depositBalance",
    "aging",
    "daysOverdue",
    "status",
    "transactionNumber",
    "fullName",
}


@dataclass(frozen=True)
class Reader:
    """Turns a JSON body into clean fields and sublists for one record type."""

    books: Books
    type: RecordType
    names_must_exist: bool = False

    def read(self, given: Any) -> Body:
        """Clean values by documented name; a sublist becomes a list of lines, or None.

        Raises Refusal (INVALID_CONTENT with o:errorPath) for the first thing that is wrong.
        """
        if not isinstance(given, dict):
            raise malformed()
        clean: Body = {}
        for key, value in given.items():
            name = self.type.spelling.get(key.lower(), "")
            if name == "subsidiary" and self._refuses_subsidiary():
                raise _unknown(key)
            if name in self.type.sublists:
                clean[name] = self._sublist(self.type.sublists[name], value)
            elif name:
                if name not in _READ_ONLY:
                    clean[name] = self._value(self.type.fields[name], value, name, name)
            elif self._is_custom(key, self.type.custom_prefix):
                clean[key.lower()] = value
            elif self.names_must_exist and key.lower() not in _SILENT:
                raise _unknown(key)
        return clean

    def _refuses_subsidiary(self) -> bool:
        # An account that is not OneWorld has no such field on entities and transactions.
        return not self.books.one_world and self.type.group in ("entities", "transactions")

    def _is_custom(self, key: str, prefix: str) -> bool:
        return key.lower().startswith(prefix) and key.lower() in self.books.custom_fields

    def _sublist(self, sublist: Sublist, value: Any) -> list[Body] | None:
        items = value.get("items") if isinstance(value, dict) else value
        if items is None:
            return None
        if not isinstance(value, dict) or not isinstance(items, list):
            raise invalid_value(sublist.name, sublist.name)
        return [
            self._line(sublist, line, f"{sublist.name}.items[{index}]")
            for index, line in enumerate(items)
        ]

    def _line(self, sublist: Sublist, line: Any, path: str) -> Body:
        if not isinstance(line, dict):
            raise invalid_value(sublist.name, path)
        clean: Body = {}
        for key, value in line.items():
            name = sublist.spelling.get(key.lower(), "")
            if name:
                clean[name] = self._value(sublist.fields[name], value, name, f"{path}.{name}")
            elif self._is_custom(key, "custcol"):
                clean[key.lower()] = value
            elif self.names_must_exist and key.lower() not in _SILENT:
                raise _unknown(key, f"{path}.{key}")
        return clean

    def _value(self, kind: str, value: Any, name: str, path: str) -> Any:
        if value is None or kind == "any":
            return value
        if kind.startswith("ref:"):
            return self.reference(kind[4:], value, name, path)
        if name in ("id", "internalId") and isinstance(value, str):
            return value
        if not _FITS[kind](value):
            raise invalid_value(name, path)
        if name == "externalId" and "|" in value:
            raise invalid_value(name, path)
        return value

    def reference(self, target: str, value: Any, name: str, path: str) -> Body:
        """{"id", "refName"} of the record meant. Raises Refusal when there is none."""
        if not isinstance(value, dict):
            raise invalid_value(name, path)
        key = value.get("id")
        if key is None and isinstance(value.get("externalId"), str):
            key = f"eid:{value['externalId']}"
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            raise invalid_value(name, path)
        found = self.books.find(target, key)
        if found is None:
            raise invalid_reference(key, name, path)
        return {"id": found.id, "refName": name_of(found)}


def name_of(record: Record) -> str:
    """What NetSuite shows for a reference to this record."""
    body = record.body
    if record.type.is_transaction:
        return f"{record.type.label} #{body.get('tranId') or record.id}"
    if record.type is TYPES["account"]:
        number, words = body.get("acctNumber"), body.get("acctName") or record.id
        return f"{number} {words}" if number else str(words)
    if record.type is TYPES["customer"] and body.get("entityId"):
        # A numbered customer shows its number, then its name.
        code, company = str(body["entityId"]), str(body.get("companyName") or "")
        return code if not company or company in code else f"{code} {company}"
    names = ("entityId", "itemId", "name", "periodName", "companyName", "displayName", "symbol")
    return next((str(body[name]) for name in names if body.get(name)), record.id)


def amounts_in(fields: Fields) -> list[str]:
    return [name for name, kind in fields.items() if kind == "amount"]


def is_date(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_datetime(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


_FITS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "amount": _is_number,
    "number": _is_number,
    "bool": lambda value: isinstance(value, bool),
    "date": is_date,
    "datetime": _is_datetime,
    "choice": lambda value: isinstance(value, str | int | dict) and not isinstance(value, bool),
}


def _unknown(key: str, path: str = "") -> Exception:
    return invalid_content(f"Unknown reference or field '{key}'.", path or key)
