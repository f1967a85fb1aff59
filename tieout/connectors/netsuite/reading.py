"""Reads headers and what belongs to them, and joins both into the unified form.

The form is described in tieout/mappings/netsuite_forms.py; it holds NetSuite's own column names
and texts, so that what was kept can be mapped again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tieout.core.errors import ConfigError
from tieout.rest.json import encode_stable

from .clock import FORMAT, QueryClock
from .kinds import (
    ADDRESSES,
    APPLICATIONS,
    DELETED,
    JOURNAL_LINES,
    LINES,
    PRICES,
    Kind,
    configured,
)
from .pricing import prices
from .resume import ROWS, TOUCHED, Resume
from .settings import NetSuiteConfig
from .suiteql import MOST_ROWS, Listing, Row, Select, SuiteQl

log = logging.getLogger("tieout.netsuite")

IDS_A_QUERY = 500  # Oracle takes at most 1,000 in one IN list
_TIMES = ("lastmodifieddate", "createddate", "datecreated")
_CHANGED = f"TO_CHAR(t.lastmodifieddate, '{FORMAT}')"
_SINCE = f"lastmodifieddate >= TO_TIMESTAMP(?, '{FORMAT}')"

_NOT_HERE = frozenset({"*"})


class Reading:
    """Reads one entity. `clock` translates times."""

    def __init__(self, ql: SuiteQl, kind: Kind, settings: NetSuiteConfig, clock: QueryClock):
        self.ql, self.kind, self.settings, self.clock = ql, kind, settings, clock
        self.select, self.condition = configured(kind, settings)
        memo = settings.payout_deposits.memo_contains if kind.entity == "payout" else ""
        self.params = (*kind.params, *((memo,) if memo else ()))

    # headers

    def all(self, start: Resume) -> Iterator[tuple[list[Row], Resume]]:
        """Everything, by internal id."""
        after, more = start, True
        while more:
            listing = self._headers("t.id > ?", (str(after.id),), "t.id")
            if listing.rows:
                after = Resume(ROWS, int(listing.rows[-1]["id"]))
                yield listing.rows, after
            more = listing.has_more and bool(listing.rows)

    def changed(self, since: datetime, start: Resume) -> Iterator[tuple[list[Row], Resume]]:
        """What was modified since, oldest change first."""
        literal = self.clock.literal(since)
        after, more = start, True
        while more:
            where = f"t.{_SINCE}"
            params: tuple[str, ...] = (literal,)
            if after.shown:
                where += f" AND ({_CHANGED} > ? OR ({_CHANGED} = ? AND t.id > ?))"
                params = (literal, after.shown, after.shown, str(after.id))
            listing = self._headers(where, params, f"{_CHANGED}, t.id")
            if listing.rows:
                last = listing.rows[-1]
                after = Resume(ROWS, int(last["id"]), last["lastmodifieddate"])
                yield listing.rows, after
            more = listing.has_more and bool(listing.rows)

    def touched(self, since: datetime, start: Resume) -> Iterator[tuple[list[Row], Resume]]:
        """What others' changes show on: documents that a changed receipt is applied to, and the
        open ones of its customer, which it may have been taken off."""
        literal = self.clock.literal(since)
        marks = ", ".join("?" for _ in self.kind.touched_by)
        receipts = f"x.type IN ({marks}) AND x.{_SINCE}"
        where = (
            "(t.id IN (SELECT l.previousdoc FROM nexttransactionlinelink l JOIN transaction x "
            f"ON x.id = l.nextdoc WHERE {receipts})"
        )
        params: tuple[str, ...] = (*self.kind.touched_by, literal)
        left = f"t.{self.kind.left} <> 0"
        where += (
            f" OR ({left} AND t.entity IN (SELECT x.entity FROM transaction x WHERE {receipts}))"
        )
        params += (*self.kind.touched_by, literal)
        if self._deleted(since, self.kind.touched_gone):
            where += f" OR {left}"
        where += ") AND t.id > ?"
        after = start if start.phase == TOUCHED else Resume(TOUCHED)
        more = True
        while more:
            listing = self._headers(where, (*params, str(after.id)), "t.id")
            if listing.rows:
                after = Resume(TOUCHED, int(listing.rows[-1]["id"]))
                yield listing.rows, after
            more = listing.has_more and bool(listing.rows)

    def one(self, id: str) -> list[Row]:
        return self._headers("t.id = ?", (id,), "t.id").rows

    def by_field(self, field: str, value: str) -> list[Row]:
        """Those whose custom field holds this value."""
        return self._headers(f"UPPER(t.{field}) = UPPER(?)", (value,), "t.id").rows

    def _headers(self, where: str, params: tuple[str, ...], order: str) -> Listing:
        return self.ql.ask(
            self.select,
            f"{self.kind.where}{self.condition} AND {where}",
            (*self.params, *params),
            order,
            limit=self.settings.page_size,
        )

    # deletions

    def gone(self, since: datetime) -> tuple[str, ...]:
        """Ids deleted since, by deletedrecord (permission Setup > Deleted Records)."""
        return self._deleted(since, self.kind.gone)

    def _deleted(self, since: datetime, names: str) -> tuple[str, ...]:
        where = f"t.deleteddate >= TO_TIMESTAMP(?, '{FORMAT}')"
        rows = self._walk(DELETED, where, (self.clock.literal(since),), "recordid", "type")
        try:
            found = {row["recordid"] for row in rows if re.fullmatch(names, _letters(row["type"]))}
        except ConfigError as error:
            log.warning("deletions in NetSuite go unnoticed: %s", error.message)
            return ()
        return tuple(sorted(found))

    # what belongs to headers

    def whole(self, rows: Sequence[Row]) -> list[bytes]:
        """The records of these headers in the unified form, as stable JSON."""
        ids = [row["id"] for row in rows]
        if self.kind.entity == "price":
            return self._prices(rows, ids)
        lists = {name: self._list(name, ids) for name in self.kind.lists}
        return [self._record(row, lists) for row in rows]

    def _prices(self, rows: Sequence[Row], ids: Sequence[str]) -> list[bytes]:
        entries: dict[str, list[Row]] = {}
        for part in _parts(ids):
            where = f"t.item IN ({_marks(part)})"
            for entry in self._walk(PRICES, where, part, "item", "pricelevel"):
                entries.setdefault(entry["item"], []).append(entry)
        found: list[bytes] = []
        for row in rows:
            found += prices(self._times(row), entries.get(row["id"], ()))
        return found

    def _times(self, row: Row) -> dict[str, Any]:
        """The row with its times in UTC and where people see the account."""
        record: dict[str, Any] = dict(row)
        for name in _TIMES:
            if name in record:
                record[name] = self.clock.utc(record[name])
        if self.settings.app:
            record["app"] = self.settings.app
        return record

    def _record(self, row: Row, lists: dict[str, dict[str, list[Row]] | None]) -> bytes:
        record = self._times(row)
        for name, found in lists.items():
            if found is not None:
                record["lines" if name == "accounts" else name] = found.get(row["id"], [])
        return encode_stable(record)

    def _list(self, name: str, ids: Sequence[str]) -> dict[str, list[Row]] | None:
        if name == "addresses":
            return self._addresses(ids)
        if name == "applications":
            return self._applications(ids)
        if name == "accounts":
            book = str(self.settings.accounting_book)
            return self._owned(JOURNAL_LINES, "transaction", ids, " AND g.accountingbook = ?", book)
        return self._owned(LINES, "transaction", ids)

    def _owned(
        self, select: Select, owner: str, ids: Sequence[str], also: str = "", *params: str
    ) -> dict[str, list[Row]]:
        """The rows by owner, in order of their ids."""
        found: dict[str, list[Row]] = {}
        for part in _parts(ids):
            where = f"t.{owner} IN ({_marks(part)}){also}"
            for row in self._walk(select, where, (*part, *params), owner, "id"):
                found.setdefault(row[owner], []).append(_without(row, owner))
        return found

    def _applications(self, ids: Sequence[str]) -> dict[str, list[Row]]:
        """Link rows from either end; all lines of one pair of documents come together."""
        found: dict[str, list[Row]] = {}
        for mine, other in (("previousdoc", "nextdoc"), ("nextdoc", "previousdoc")):
            for part in _parts(ids):
                where = f"t.{mine} IN ({_marks(part)})"
                for row in self._walk(APPLICATIONS, where, part, mine, other):
                    found.setdefault(row[mine], []).append(row)
        return found

    def _addresses(self, ids: Sequence[str]) -> dict[str, list[Row]] | None:
        """Default addresses; None where this account shows no address book in SuiteQL."""
        for select in ADDRESSES:
            if self.ql.dropped.get(select.name) == _NOT_HERE:
                continue
            try:
                return self._address_rows(select, ids)
            except ConfigError:
                self.ql.dropped[select.name] = _NOT_HERE
        return None

    def _address_rows(self, select: Select, ids: Sequence[str]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for part in _parts(ids):
            where = (
                f"t.entity IN ({_marks(part)}) "
                "AND (t.defaultbilling = 'T' OR t.defaultshipping = 'T')"
            )
            for row in self._walk(select, where, part, "entity", "addressbookaddress"):
                kept = _without(row, "entity", "addressbookaddress")
                found.setdefault(row["entity"], []).append(kept)
        return found

    def _walk(
        self, select: Select, where: str, params: tuple[str, ...], first: str, second: str
    ) -> Iterator[Row]:
        """All rows in order of two columns, which need not tell every row from every other."""
        order = f"t.{first}, t.{second}"
        after, given = "", params
        while True:
            listing = self.ql.ask(select, where + after, given, order, limit=MOST_ROWS)
            rows = listing.rows
            if listing.has_more and rows:
                rows = _whole_pairs(rows, first, second)
            yield from rows
            if not listing.has_more or not rows:
                return
            last = rows[-1]
            after = f" AND (t.{first} > ? OR (t.{first} = ? AND t.{second} > ?))"
            given = (*params, last[first], last[first], last[second])


def _parts(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(ids), IDS_A_QUERY):
        yield tuple(ids[first : first + IDS_A_QUERY])


def _marks(part: Sequence[str]) -> str:
    return ", ".join("?" for _ in part)


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _whole_pairs(rows: list[Row], mine: str, other: str) -> list[Row]:
    """Without the last pair, which may go on; all of them where there is only one pair."""
    last = (rows[-1][mine], rows[-1][other])
    kept = [row for row in rows if (row[mine], row[other]) != last]
    return kept or rows


def _letters(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())
