"""Holds all objects of one kind as the bytes that will be served, with the orders of lists.

Bytes rather than dicts: a page of a list is then one join, and a hundred thousand objects fit in
memory. Reads by id see a change at once; lists see it when it is published.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .kinds import Kind

Object = dict[str, Any]
Position = tuple[Any, int]
_SMALL = 2_000
_FEW_NEW = 50


def _key(item: tuple[Any, int, Any]) -> Position:
    return item[:2]


@dataclass(slots=True, eq=False)
class Row:
    """One state of one object. `created` in milliseconds; `seq` is the order of arrival."""

    id: str
    seq: int
    created: int
    raw: bytes
    fields: Object

    def value(self, sort: str) -> Any:
        """What lists sorted by that attribute see; nothing sorts first."""
        if sort == "created":
            return self.created
        found = self.fields.get(sort)
        if found is None:
            return "" if sort in ("name", "id", "status") else 0
        return found


class _Order:
    """Rows sorted by one attribute. New ones wait until somebody looks: loading stays cheap."""

    __slots__ = ("_items", "_new", "_sort")

    def __init__(self, sort: str, rows: Iterator[Row]) -> None:
        self._sort = sort
        self._items = sorted((row.value(sort), row.seq, row) for row in rows)
        self._new: list[tuple[Any, int, Row]] = []

    def __len__(self) -> int:
        return len(self._items) + len(self._new)

    def add(self, row: Row) -> None:
        self._new.append((row.value(self._sort), row.seq, row))

    def remove(self, row: Row) -> None:
        at = self.place((row.value(self._sort), row.seq))
        if at < len(self._items) and self._items[at][1] == row.seq:
            del self._items[at]

    def place(self, position: Position) -> int:
        self._settle()
        return bisect_left(self._items, position, key=_key)

    def _settle(self) -> None:
        if len(self._new) > _FEW_NEW:
            self._items = sorted([*self._items, *self._new], key=_key)
        else:
            for item in self._new:
                insort(self._items, item, key=_key)
        self._new.clear()

    def rows(self, low: int, high: int, *, backwards: bool) -> Iterator[Row]:
        self._settle()
        walk = range(high - 1, low - 1, -1) if backwards else range(low, high)
        return (self._items[at][2] for at in walk)


@dataclass(frozen=True)
class Ask:
    """What a list request wants. `start` is the position of the first row of the page."""

    limit: int = 10
    sort: str = "created"
    descending: bool = False
    equal: tuple[tuple[str, tuple[Any, ...]], ...] = ()  # indexed attribute, wanted values
    ranges: tuple[tuple[str, int, int], ...] = ()  # timestamp attribute, first and last second
    wanted: Callable[[Row], bool] = lambda row: True
    start: Position | None = None


class Shelf:
    """The objects of one kind. Not locked: the site's lock guards it."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._current: dict[str, Row] = {}
        self._published: dict[str, Row] = {}
        self._waiting: deque[tuple[int, str, Row | None]] = deque()
        self._orders: dict[str, _Order] = {}
        self._marks: dict[tuple[str, Any], dict[str, Row]] = {}
        self._links: dict[tuple[str, Any], dict[str, Row]] = {}  # as `_marks`, of what is current
        self._seq = 0

    def __len__(self) -> int:
        return len(self._current)

    def get(self, id: str) -> Row | None:
        return self._current.get(id)

    def find(self, name: str, value: Any) -> Iterator[Row]:
        """Rows with this value of an indexed attribute, whether lists show them yet or not."""
        return iter(list(self._links.get((name, value), {}).values()))

    def all(self) -> Iterator[Row]:
        return iter(list(self._current.values()))

    def put(self, id: str, created: int, raw: bytes, fields: Object) -> Row | None:
        """Add or replace; what was there before. Lists are told by `announce`."""
        before = self._current.get(id)
        if before is None:
            self._seq += 1
        row = Row(
            id,
            before.seq if before else self._seq,
            before.created if before else created,
            raw,
            fields,
        )
        self._link(before, row)
        self._current[id] = row
        return before

    def drop(self, id: str) -> Row | None:
        """Remove; what was there before. Lists are told by `announce`."""
        before = self._current.pop(id, None)
        self._link(before, None)
        return before

    def reset(self, id: str, before: Row | None) -> None:
        """Take back what was not announced yet."""
        now = self._current.pop(id, None)
        self._link(now, before)
        if before is not None:
            self._current[id] = before

    def announce(self, id: str, visible: int | None) -> None:
        """Let lists show the present state from `visible` (ms) on; None: at once."""
        self._later(id, self._current.get(id), visible)

    def publish(self, now: int) -> None:
        """Let lists see what is due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, id, row = self._waiting.popleft()
            self._show(id, row)

    def page(self, ask: Ask) -> tuple[list[Row], Row | None]:
        """At most `ask.limit` rows, and the first row of the next page."""
        rows = islice(self._walk(ask), ask.limit + 1)
        found = list(rows)
        return found[: ask.limit], found[ask.limit] if len(found) > ask.limit else None

    def _link(self, before: Row | None, row: Row | None) -> None:
        if before is not None:
            for mark in self._marks_of(before):
                self._links[mark].pop(before.id, None)
        if row is not None:
            for mark in self._marks_of(row):
                self._links.setdefault(mark, {})[row.id] = row

    def _later(self, id: str, row: Row | None, visible: int | None) -> None:
        if visible is None and not self._waiting:
            self._show(id, row)
        else:
            self._waiting.append((visible or 0, id, row))

    def _show(self, id: str, row: Row | None) -> None:
        before = self._published.pop(id, None)
        if before is not None:
            for order in self._orders.values():
                order.remove(before)
            for mark in self._marks_of(before):
                self._marks[mark].pop(id, None)
        if row is None:
            return
        self._published[id] = row
        for order in self._orders.values():
            order.add(row)
        for mark in self._marks_of(row):
            self._marks.setdefault(mark, {})[id] = row

    def _marks_of(self, row: Row) -> Iterator[tuple[str, Any]]:
        for name in self.kind.indexed:
            value = row.fields.get(name)
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None:
                    yield name, one

    def _order(self, sort: str) -> _Order:
        if sort not in self._orders:
            self._orders[sort] = _Order(sort, iter(self._published.values()))
        return self._orders[sort]

    def _walk(self, ask: Ask) -> Iterator[Row]:
        few = self._few(ask)
        if few is not None:
            return self._walk_few(few, ask)
        order = self._order(ask.sort)
        low, high = 0, len(order)
        for name, first, last in ask.ranges:
            if name == ask.sort:
                low, high = max(low, order.place((first, 0))), order.place((last + 1, 0))
        if ask.start is not None and ask.descending:
            high = min(high, order.place((ask.start[0], ask.start[1] + 1)))
        elif ask.start is not None:
            low = max(low, order.place(ask.start))
        rows = order.rows(low, high, backwards=ask.descending)
        return (row for row in rows if ask.wanted(row))

    def _few(self, ask: Ask) -> list[Row] | None:
        """The rows worth looking at, where an index says that they are few."""
        best: list[Row] | None = None
        for name, values in ask.equal:
            if name == "id":
                return [self._published[one] for one in values if one in self._published]
            marks = [self._marks.get((name, one), {}) for one in values]
            if best is None or sum(map(len, marks)) < len(best):
                best = list({id: row for mark in marks for id, row in mark.items()}.values())
        for name, first, last in ask.ranges:
            if best is not None or name == ask.sort:
                continue
            order = self._order(name)
            low, high = order.place((first, 0)), order.place((last + 1, 0))
            if high - low < max(_SMALL, len(order) // 8):
                best = list(order.rows(low, high, backwards=False))
        return best

    def _walk_few(self, rows: list[Row], ask: Ask) -> Iterator[Row]:
        def position(row: Row) -> Position:
            return row.value(ask.sort), row.seq

        wanted = sorted(filter(ask.wanted, rows), key=position, reverse=ask.descending)
        for row in wanted:
            if ask.start is not None:
                here = position(row)
                if here > ask.start if ask.descending else here < ask.start:
                    continue
            yield row
