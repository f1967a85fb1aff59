"""Object Query: filter, sort, fields, expand and the keyset cursor.

https://developer.zuora.com/docs/guides/expand-filter-fields-sort
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import times
from .books import Books, Record, money
from .errors import bad_query, no_such_path, not_found, wrong_method
from .mirror import Mirror, cell
from .objects import CUSTOM, Kind, find, kinds, visible
from .wire import Answer, Body, Request, decode, encode

ROOT = "/object-query"
_CUSTOM = tuple(ending.lower() for ending in CUSTOM)
LARGEST, USUAL = 99, 10
_OPERATORS = {
    "EQ": "=",
    "NE": "<>",
    "LT": "<",
    "GT": ">",
    "GE": ">=",
    "LE": "<=",
    "SW": "",
    "IN": "",
}
_PARAMETERS = {"pagesize", "cursor", "filter[]", "sort[]", "expand[]", "includenullfields"}
_TO_ONE = {
    "billto": "contact", "soldto": "contact", "shipto": "contact", "billtocontact": "contact",
    "soldtocontact": "contact", "shiptocontact": "contact", "invoiceowner": "account",
    "subscriptionowner": "account", "owneraccount": "account", "invoiceowneraccount": "account",
    "defaultpaymentmethod": "paymentmethod", "order": "orders", "soldtoinfo": "contact",
    "billtocontactsnapshot": "contactsnapshot", "soldtocontactsnapshot": "contactsnapshot",
    "shiptocontactsnapshot": "contactsnapshot",
}  # fmt: skip
_TO_MANY = {"credittaxationitems": "taxationitem", "debittaxationitems": "taxationitem"}


@dataclass
class Wish:
    """What a request asks for."""

    kind: Kind
    size: int = USUAL
    sort: str = "id"
    down: bool = False
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    expands: list[str] = field(default_factory=list)
    fields: dict[str, set[str]] = field(default_factory=dict)
    nulls: bool = False


class ObjectQuery:
    """Whoever calls holds the tenant's lock."""

    def __init__(self, books: Books, mirror: Mirror, *, settlement: bool, lag: float) -> None:
        self.books, self.mirror, self.settlement, self.lag = books, mirror, settlement, lag

    def answer(self, request: Request) -> Answer:
        """Everything below /object-query. Raises Refusal."""
        if request.method != "GET":
            raise wrong_method(request.method)
        path, _, key = request.path.removeprefix(ROOT + "/").partition("/")
        kind = find(path)
        if kind is None or kind.path != path:
            raise no_such_path(request.path)
        if not visible(kind.table, self.settlement):
            raise bad_query(f"{kind.object} requires the Invoice Settlement feature.", 400)
        wish = self._read(kind, request)
        if key:
            record = self.books.find(kind.table, key)
            if record is None or self._unborn(record):
                raise not_found(kind.table, key)
            return Answer(200, self._shown(record, wish))
        return self._page(wish, request.param("cursor"))

    def _unborn(self, record: Record) -> bool:
        return record.born > self.books.clock.now().timestamp() - self.lag and self.lag > 0

    def _page(self, wish: Wish, cursor: str) -> Answer:
        self.mirror.sync(wish.kind.table)
        self.mirror.index(wish.kind.table, *dict.fromkeys((wish.sort, "id")))
        conditions, values = [*wish.conditions, '"deleted" = 0'], list(wish.values)
        if self.lag > 0:
            conditions.append('"_born" <= ?')
            values.append(self.books.clock.now().timestamp() - self.lag)
        if cursor:
            condition, more = _after(wish, cursor)
            conditions.append(condition)
            values += more
        order = "DESC" if wish.down else "ASC"
        sql = (
            f'SELECT "id" FROM "{wish.kind.table}" WHERE {" AND ".join(conditions)} '
            f'ORDER BY "{wish.sort}" {order}, "id" {order} LIMIT ?'
        )
        found = self.mirror.db.execute(sql, (*values, wish.size + 1)).fetchall()
        shelf = self.books.shelves[wish.kind.table]
        records = [shelf[key] for (key,) in found]
        body: Body = {}
        if len(records) > wish.size:
            records.pop()
            body["nextPage"] = _cursor(wish, records[-1])
        body["data"] = [self._shown(record, wish) for record in records]
        return Answer(200, body)

    def _read(self, kind: Kind, request: Request) -> Wish:
        wish = Wish(kind)
        for name, value in request.query:
            low = name.lower()
            if low.endswith(".fields[]") or low == "fields[]":
                owner = low.removesuffix("fields[]").strip(".") or "."
                wish.fields.setdefault(owner.replace("_", ""), set()).update(
                    self._known_fields(kind, owner.replace("_", ""), name, value)
                )
            elif low not in _PARAMETERS and low:
                raise bad_query(f"Unknown query parameter: {name}")
        wish.size = _size(request.param("pageSize"))
        for text in request.params("filter[]"):
            self._filter(wish, text)
        for text in request.params("sort[]")[:1]:
            name, _, order = text.rpartition(".")
            if order not in ("ASC", "DESC") or "," in text:
                raise bad_query(f"Invalid sort: {text}")
            wish.sort, wish.down = self._field(kind, name), order == "DESC"
        for text in request.params("expand[]"):
            wish.expands += [self._expand(kind, one) for one in _words(text)]
        wish.nulls = request.param("includeNullFields").lower() == "true"
        return wish

    def _known_fields(self, kind: Kind, owner: str, parameter: str, text: str) -> list[str]:
        """The names after `fields[]=`. Raises Refusal for an object or a field that isn't one."""
        related = {step for path in kind.expands for step in path.split(".")}
        if owner in (".", kind.table, kind.object.lower()):
            meant: Kind | None = kind
        elif owner in related:
            meant = find(_TO_ONE.get(owner) or _TO_MANY.get(owner) or owner)
        else:
            raise bad_query(f"Unknown query parameter: {parameter}")
        wanted = [one.lower() for one in _words(text)]
        for one in wanted:
            if meant is not None and not self._has(meant, one):
                raise bad_query(f"Unsupported field: {one}")
        return wanted

    def _has(self, kind: Kind, name: str) -> bool:
        if name.endswith(_CUSTOM):
            return True
        return name in kind.types or name.replace("_", "") in kind.types

    def _expand(self, kind: Kind, text: str) -> str:
        name = text.lower().replace("_", "")
        if name not in kind.expands:
            raise bad_query(f"Unsupported expand: {text}")
        return name

    def _field(self, kind: Kind, name: str) -> str:
        low = name.lower()
        self.mirror._learn(kind.table)
        if low not in self.mirror.columns[kind.table]:
            low = low.replace("_", "")
        if low not in self.mirror.columns[kind.table]:
            raise bad_query(f"Unsupported field: {name}")
        return low

    def _filter(self, wish: Wish, text: str) -> None:
        left, colon, value = text.partition(":")
        name, _, operator = left.rpartition(".")
        if not colon or operator not in _OPERATORS or not name:
            raise bad_query(f"Invalid filter: {text}")
        column = self._field(wish.kind, name)
        type = self.mirror.types[wish.kind.table][column]
        if value == "null" and operator in ("EQ", "NE"):
            sign = "IS" if operator == "EQ" else "IS NOT"
            wish.conditions.append(f'"{column}" {sign} NULL')
            return
        if operator == "IN":
            if not (value.startswith("[") and value.endswith("]")):
                raise bad_query(f"Invalid filter: {text}")
            listed = [self._value(type, one, text) for one in _words(value[1:-1])]
            marks = ", ".join("?" * len(listed))
            wish.conditions.append(f'"{column}" {_folded(type)} IN ({marks})')
            wish.values += listed
            return
        if operator == "SW":
            if type != "string":
                raise bad_query(f"Operator SW is not supported for {name}")
            escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            wish.conditions.append(f"\"{column}\" LIKE ? ESCAPE '\\'")
            wish.values.append(escaped + "%")
            return
        if operator in ("LT", "GT", "GE", "LE") and type in ("string", "boolean"):
            raise bad_query(f"Operator {operator} is not supported for {name}")
        found = self._value(type, value, text)
        fold = _folded(type) if column != "id" and not column.endswith("id") else ""
        wish.conditions.append(f'"{column}" {_OPERATORS[operator]} ? {fold}')
        wish.values.append(found)
        if operator == "EQ" and column.endswith("id"):
            self.mirror.sync(wish.kind.table)
            self.mirror.index(wish.kind.table, column)

    def _value(self, type: str, text: str, whole: str) -> Any:
        try:
            if type in ("number", "integer"):
                return cell(Decimal(money(text)))
            if type == "boolean":
                return {"true": 1, "false": 0}[text.lower()]
            if type == "date":
                if not times.is_date(text):
                    raise ValueError(text)
                return text
            if type == "datetime":
                if "T" not in text or not (text.endswith("Z") or text[-6] in "+-"):
                    raise ValueError(text)
                return times.stored(times.parse(text, self.books.zone))
        except (ValueError, KeyError, IndexError):
            raise bad_query(f"Invalid value in filter: {whole}") from None
        return text

    def _shown(self, record: Record, wish: Wish) -> Body:
        kind = wish.kind
        wanted = wish.fields.get(kind.table) or wish.fields.get(kind.object.lower())
        body = _fields(record, kind, wanted or wish.fields.get("."), wish.nulls)
        for path in wish.expands:
            self._grow(body, record, kind, path.split("."), wish)
        return body

    def _grow(self, body: Body, record: Record, kind: Kind, path: list[str], wish: Wish) -> None:
        name = path[0]
        spelled = kind.relations.get(name)
        if spelled is None:
            return
        many, found = self._related(record, kind, name, spelled)
        found = [one for one in found if not self._unborn(one)][: wish.size]
        held = body.get(spelled)
        shown = held if isinstance(held, list) else [held] if isinstance(held, dict) else []
        if not shown:
            wanted = wish.fields.get(name)
            shown = [_fields(one, kinds()[one.table], wanted, wish.nulls) for one in found]
            if many or shown:
                body[spelled] = shown if many else shown[0]
        for one, inner in zip(found, shown, strict=False):
            if len(path) > 1:
                self._grow(inner, one, kinds()[one.table], path[1:], wish)

    def _related(
        self, record: Record, kind: Kind, name: str, spelled: str
    ) -> tuple[bool, list[Record]]:
        many = _TO_MANY.get(name) or (find(name) or Kind("", "", "", {}, {}, frozenset())).table
        listed = name.endswith("s") and f"{name}id" not in kind.types
        if not listed:
            table = _TO_ONE.get(name) or many
            key = record.row.get(f"{spelled}Id")
            one = self.books.shelves.get(table, {}).get(str(key))
            return False, [one] if one is not None else []
        if many not in self.books.shelves:
            return True, []
        owner = kind.object[:1].lower() + kind.object[1:] + "Id"
        return True, self.books.children(many, owner, record.id)


def _fields(record: Record, kind: Kind, wanted: set[str] | None, nulls: bool) -> Body:
    row, body = record.row, {}
    for low, (name, _) in kind.types.items():
        if wanted is not None and low not in wanted and low.replace("_", "") not in wanted:
            continue
        value = row.get(name)
        if value is not None or nulls:
            body[name] = value
    for name, value in row.items():
        if name.endswith(("__c", "__NS", "__QT")) and name.lower() not in kind.types:
            shown = wanted is None or name.lower() in wanted
            if shown and (value is not None or nulls):
                body[name] = value
    return body


def _size(text: str) -> int:
    if not text:
        return USUAL
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST:
        raise bad_query(f"pageSize must be between 1 and {LARGEST}.")
    return int(text)


def _words(text: str) -> Iterable[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _folded(type: str) -> str:
    return "COLLATE NOCASE" if type == "string" else ""


def _cursor(wish: Wish, last: Record) -> str:
    order = "DESC" if wish.down else "ASC"
    spelled = wish.kind.types.get(wish.sort, (wish.sort, ""))[0]
    parts = []
    if wish.sort != "id":
        upper = spelled[:1].upper() + spelled[1:]
        value = last.row.get(spelled)
        parts.append({"value": value, "orderBy": {"field": upper, "order": order}})
    parts.append({"value": last.id, "orderBy": {"field": "Id", "order": order}})
    return base64.b64encode(encode(parts)).decode()


def _after(wish: Wish, cursor: str) -> tuple[str, list[Any]]:
    """The condition for the rows behind the cursor; null sorts first."""
    try:
        parts = decode(base64.b64decode(cursor, validate=True))
        names = [part["orderBy"]["field"].lower() for part in parts]
        orders = {part["orderBy"]["order"] for part in parts}
        values = [cell(part["value"]) for part in parts]
    except (ValueError, binascii.Error, KeyError, TypeError, AttributeError):
        raise bad_query("Invalid cursor.") from None
    expected = ["id"] if wish.sort == "id" else [wish.sort, "id"]
    if names != expected or orders != {"DESC" if wish.down else "ASC"}:
        raise bad_query("Invalid cursor: it was made for another sort order.")
    sign = "<" if wish.down else ">"
    if len(values) == 1:
        return f'"id" {sign} ?', values
    column = f'"{wish.sort}"'
    if values[0] is None:
        beyond = "0" if wish.down else f"{column} IS NOT NULL"
        return f'({beyond} OR ({column} IS NULL AND "id" {sign} ?))', values[1:]
    nulls = f" OR {column} IS NULL" if wish.down else ""
    tail = f'({column} = ? AND "id" {sign} ?)'
    return f"({column} {sign} ?{nulls} OR {tail})", [values[0], values[0], values[1]]
