"""Holds all objects of one kind as the bytes that will be served, newest first to find.

Bytes rather than dicts: a page of a list is then one join, a snapshot costs nothing, and two
hundred thousand objects fit in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Key = tuple[int, int]
Fields = dict[str, Any]
Bounds = dict[str, int]


@dataclass(slots=True, eq=False)
class Row:
    """One object: its JSON, where it stands in lists, and the values it is filtered by."""

    id: str
    key: Key  # created (seconds), then order of arrival
    raw: bytes
    fields: Fields
    changed_at: int = 0  # seconds; searches see a change only after a while
    prior: bytes | None = None  # what searches see until then
    hidden: dict[str, Any] = field(default_factory=dict)  # served on request only


class _Order:
    """Rows sorted by key; sorting waits until somebody looks, so bulk loading is cheap."""

    __slots__ = ("_rows", "_sorted")

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, Row]] = []
        self._sorted = True

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        item = (*row.key, row)
        if self._rows and item[:2] < self._rows[-1][:2]:
            self._sorted = False
        self._rows.append(item)

    def remove(self, row: Row) -> None:
        rows = self.rows()
        at = bisect_left(rows, row.key)
        if at < len(rows) and rows[at][2].id == row.id:
            del rows[at]

    def rows(self) -> list[tuple[int, int, Row]]:
        if not self._sorted:
            self._rows.sort(key=lambda item: item[:2])
            self._sorted = True
        return self._rows


@dataclass(frozen=True)
class Ask:
    """What a list request wants."""

    limit: int = 10
    equal: dict[str, Any] = field(default_factory=dict)
    ranges: dict[str, Bounds] = field(default_factory=dict)
    created: Bounds = field(default_factory=dict)
    after: Key | None = None
    before: Key | None = None
    only: Callable[[Row], bool] | None = None


class Shelf:
    """The objects of one kind. Not locked: the account's lock guards it."""

    def __init__(self, indexed: frozenset[str]) -> None:
        self._indexed = indexed
        self._by_id: dict[str, Row] = {}
        self._order = _Order()
        self._indexes: dict[tuple[str, Any], _Order] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, id: str) -> Row | None:
        return self._by_id.get(id)

    def put(self, row: Row, *, listed: bool = True) -> None:
        """Add or replace. A row that is not `listed` is found by id only."""
        self.remove(row.id)
        self._by_id[row.id] = row
        if listed:
            self._order.add(row)
            for mark in self._marks(row):
                self._indexes.setdefault(mark, _Order()).add(row)

    def remove(self, id: str) -> None:
        row = self._by_id.pop(id, None)
        if row is None:
            return
        self._order.remove(row)
        for mark in self._marks(row):
            index = self._indexes.get(mark)
            if index is not None:
                index.remove(row)
                if not len(index):
                    del self._indexes[mark]

    def newest(self, equal: Fields | None = None) -> Iterator[Row]:
        """The rows with these field values, newest first."""
        equal = equal or {}
        for _, _, row in reversed(list(self._narrowest(equal))):
            if _matches(row, equal):
                yield row

    def page(self, ask: Ask) -> tuple[list[Row], bool]:
        """At most `ask.limit` rows, newest first, and whether there are more that way."""
        rows = self._narrowest(ask.equal)
        low, high = _span(rows, ask.created)
        if ask.after is not None:
            high = min(high, bisect_left(rows, ask.after))
        if ask.before is not None:
            low = max(low, bisect_left(rows, (ask.before[0], ask.before[1] + 1)))
        walk = range(low, high) if ask.before is not None else range(high - 1, low - 1, -1)
        found: list[Row] = []
        for at in walk:
            row = rows[at][2]
            if not _wanted(row, ask):
                continue
            if len(found) == ask.limit:
                return (found[::-1] if ask.before is not None else found), True
            found.append(row)
        return (found[::-1] if ask.before is not None else found), False

    def _narrowest(self, equal: Fields) -> list[tuple[int, int, Row]]:
        best = self._order
        for name, value in equal.items():
            if name in self._indexed:
                index = self._indexes.get((name, value))
                if index is None:
                    return []
                if len(index) < len(best):
                    best = index
        return best.rows()

    def _marks(self, row: Row) -> set[tuple[str, Any]]:
        marks: set[tuple[str, Any]] = set()
        for name in self._indexed & row.fields.keys():
            value = row.fields[name]
            values = value if isinstance(value, tuple) else (value,)
            marks |= {(name, one) for one in values if one is not None}
        return marks


def _span(rows: list[tuple[int, int, Row]], created: Bounds) -> tuple[int, int]:
    low, high = 0, len(rows)
    for name, moment in created.items():
        if name in ("gt", "gte"):
            low = max(low, bisect_left(rows, (moment + (name == "gt"), -(2**62))))
        else:
            high = min(high, bisect_left(rows, (moment + (name == "lte"), -(2**62))))
    return low, high


def _wanted(row: Row, ask: Ask) -> bool:
    return (
        _matches(row, ask.equal)
        and all(within(row.fields.get(name), bounds) for name, bounds in ask.ranges.items())
        and (ask.only is None or ask.only(row))
    )


def _matches(row: Row, equal: Fields) -> bool:
    for name, want in equal.items():
        have = row.fields.get(name)
        if have != want and not (isinstance(have, tuple) and want in have):
            return False
    return True


def within(value: Any, bounds: Bounds) -> bool:
    """Does a moment (or one of several) lie in `gt/gte/lt/lte` bounds? None never does."""
    values = value if isinstance(value, tuple) else (value,)
    return any(
        isinstance(one, int)
        and one > bounds.get("gt", one - 1)
        and one >= bounds.get("gte", one)
        and one < bounds.get("lt", one + 1)
        and one <= bounds.get("lte", one)
        for one in values
    )
