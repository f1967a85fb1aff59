"""Large reads through Data Query: windows of updateddate, and what belongs to each record.

Records and their lines are results of their own, all sorted by the record's id and walked in
step, so memory holds one page. A window whose result reaches the limit of rows is too large.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tieout.core.errors import ConfigError, InvalidRecord, StopRun

from .complete import Lists
from .dataquery import DataQuery, Done, TooMuch
from .kinds import Child, Source
from .rows import Row, folded, text

log = logging.getLogger("tieout.zuora")

PAGE = 500
PARENT = "tieout_parent"
NO_TIME = -1  # as `low`: the rows that tell no updateddate


@dataclass(frozen=True)
class Part:
    """Some rows of a window with their children; `last` is the last id.

    end   the last part of the result.
    cut   the result was cut off after it: the window goes on beyond `last`.
    """

    rows: list[bytes]
    lists: Lists
    last: str
    end: bool = False
    cut: bool = False


class Bulk:
    """Reads one source. Times are Unix seconds."""

    def __init__(self, data: DataQuery, source: Source, *, most_rows: int) -> None:
        self._data, self._source, self._most = data, source, most_rows
        self._bare = False

    def window(self, low: int, high: int, after: str) -> Iterator[Part]:
        """What changed in [low, high) with an id beyond `after`.

        Raises TooMuch before the first part where the window must be made smaller.
        """
        smallest = low == NO_TIME or high - low <= 1
        yield from self._parts(self._where(low, high, after), after, smallest=smallest)

    def one(self, id: str) -> Part:
        """The record with this id, of which there may be none."""
        where = f"p.id = '{quoted(id)}'"
        if self._source.where:
            where += f" and {self._source.where}"
        return next(self._parts(where, "", smallest=True))

    def _parts(self, where: str, after: str, *, smallest: bool) -> Iterator[Part]:
        parents = self._result(where)
        cut = parents.rows is not None and parents.rows >= self._most
        if cut and not smallest:
            raise TooMuch(f"{parents.rows} rows of {self._source.table} in one window")
        found = {} if parents.rows == 0 else self._children(where, smallest=smallest)
        streams = {name: _InStep(name, self._data.lines(done)) for name, done in found.items()}
        rows: list[bytes] = []
        ids: list[str] = []
        for line in self._data.lines(parents):
            id = text(folded(line), "id")
            if ids and id < ids[-1]:
                raise StopRun(f"{self._source.table}: Data Query did not sort its rows")
            rows.append(line)
            ids.append(id)
            if len(rows) == PAGE:
                yield Part(rows, _taken(streams, ids), ids[-1])
                rows, ids = [], ids[-1:]
        yield Part(rows, _taken(streams, ids), ids[-1] if ids else after, True, cut)

    def _result(self, where: str) -> Done:
        """The records; without what is joined to them where this tenant's tables lack that."""
        table = self._source.table
        try:
            return self._data.run(table, self._parents(where, bare=self._bare))
        except TooMuch:
            raise
        except InvalidRecord as error:
            if self._bare or not self._source.join:
                raise
            log.info("%s is read without its joins: %s", table, error.message)
            self._bare = True
            return self._data.run(table, self._parents(where, bare=True))

    def _children(self, where: str, *, smallest: bool) -> dict[str, Done]:
        """Their results. What can't be had this way is left to Object Query."""
        found: dict[str, Done] = {}
        for child in self._source.children:
            try:
                done = self._data.run(child.table, self._owned(child, where))
            except TooMuch:
                if not smallest:
                    raise
                continue
            except (InvalidRecord, ConfigError) as error:
                if not child.resource and not child.legacy:
                    raise
                log.warning("%s: %s", child.table, error.message)
                continue
            if done.rows is None or done.rows < self._most:
                found[child.name] = done
            elif not smallest:
                raise TooMuch(f"{done.rows} rows of {child.table} in one window")
        return found

    # SQL (Trino). https://docs.zuora.com/en/zuora-platform/data/data-query

    def _parents(self, where: str, *, bare: bool) -> str:
        source = self._source
        if bare or not source.join:
            return f"select p.* from {source.table} p where {where} order by p.id"
        shown = f"p.*, {source.columns}"
        return f"select {shown} from {source.table} p {source.join} where {where} order by p.id"

    def _owned(self, child: Child, where: str) -> str:
        shown = f"c.*, p.id as {PARENT}"
        if child.columns:
            shown += f", {child.columns}"
        join = child.join.format(parent=self._source.table)
        return f"select {shown} from {child.table} c {join} where {where} order by p.id"

    def _where(self, low: int, high: int, after: str) -> str:
        if low == NO_TIME:
            where = "p.updateddate is null"
        else:
            where = f"p.updateddate >= {literal(low)} and p.updateddate < {literal(high)}"
        if after:
            where += f" and p.id > '{quoted(after)}'"
        return f"{where} and {self._source.where}" if self._source.where else where


class _InStep:
    """Children sorted by their parent's id, handed out parent by parent."""

    def __init__(self, name: str, lines: Iterator[bytes]) -> None:
        self._name, self._rows, self._last = name, (folded(line) for line in lines), ""
        self._next: Row | None = next(self._rows, None)

    def take(self, ids: Sequence[str]) -> dict[str, list[Row]]:
        """The rows of these parents, which come in ascending order."""
        found: dict[str, list[Row]] = {}
        wanted, end = set(ids), ids[-1] if ids else ""
        while self._next is not None and (owner := text(self._next, PARENT)) <= end:
            if owner < self._last:
                raise StopRun(f"{self._name}: Data Query did not sort its rows")
            self._last = owner
            row = {name: value for name, value in self._next.items() if name != PARENT}
            if owner in wanted:
                found.setdefault(owner, []).append(row)
            self._next = next(self._rows, None)
        return found


def _taken(streams: dict[str, _InStep], ids: Sequence[str]) -> Lists:
    return {name: stream.take(ids) for name, stream in streams.items()}


def literal(seconds: int) -> str:
    """`timestamp '2026-01-31 12:00:00 +00:00'`"""
    return f"timestamp '{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} +00:00'"


def quoted(value: str) -> str:
    """For a literal between single quotes."""
    return value.replace("'", "''")
