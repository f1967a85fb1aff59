"""Reads the records of one object: by query or in bulk, what changed, and what is gone."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord, StopRun

from ..base import Page
from . import soql
from .bulk import Bulk, BulkRefused
from .deletions import Deletions
from .errors import StaleLocator, TooSlow
from .ids import long_id
from .kinds import Lines, Part
from .org import Org
from .resume import BULK, END, GONE, LINES, ROWS, Resume
from .rows import Row, as_rest, encoded

log = logging.getLogger("tieout.salesforce")

USUAL_KEY = "TieOut_Id__c"  # known to the mapping; another one is told with each record
# Fewer rows a query where the last one took too long.
_NARROWER = (2000, 200)
_STALE_AGAIN = 5  # locators that may be lost in a row before it is a fault


class Reading:
    """One object of one entity."""

    def __init__(self, org: Org, part: Part) -> None:
        self.org, self.part, self.settings = org, part, org.settings
        held = org.schema.object(part.object)
        self.columns = org.schema.columns(part.object, part.columns)
        found = {name: org.schema.field(held, name) for name in self.columns}
        self.types = {name: field.type for name, field in found.items() if field}
        missing = [name for name in ("Id", "SystemModstamp") if name not in self.columns]
        if missing:
            raise ConfigError(
                f"{part.object} shows no {missing[0]}",
                where=org.where,
                hint="give the permission set Read on the object",
            )
        app = org.instance if org.instance.startswith("https://") else ""
        self.extra: Row = {"tieout_org_url": app} if app else {}
        if part.key in self.columns and part.key != USUAL_KEY:
            self.extra["tieout_key_field"] = part.key

    # pulling

    def pages(self, since: datetime | None, start: Resume) -> Iterator[Page]:
        """All pages of the object, from where a pull stands."""
        if start.phase in (ROWS, BULK):
            yield from self._pages_of_rows(since, start)
        if since is None:
            return
        if self.part.lines and start.phase in (ROWS, BULK, LINES):
            after = start if start.phase == LINES else Resume(self.part.object, LINES)
            yield from self._touched(self.part.lines, since, after)
        if start.phase != END:
            gone = Deletions(self.org, self.part.object).since(self._reach(since))
            if gone:
                yield Page([], Resume(self.part.object, END).text(), gone)

    def _pages_of_rows(self, since: datetime | None, start: Resume) -> Iterator[Page]:
        if start.phase == BULK:
            try:
                yield from self._bulk(since, start)
                return
            except BulkRefused as error:
                log.warning("%s is read again from its start: %s", self.part.object, error)
                start = Resume(self.part.object)
        listing = self._listing(since, start)
        first = next(listing, None)
        if first is None:
            return
        total, rows, after = first
        if total >= self.settings.bulk_from and not start.id:
            listing.close()
            try:
                yield from self._bulk(since, start)
                return
            except BulkRefused as error:
                log.warning("%s is read by query, not in bulk: %s", self.part.object, error)
                listing = self._listing(since, start)
        else:
            yield self._page(rows, after)
        for _, rows, after in listing:
            yield self._page(rows, after)

    def _reach(self, since: datetime) -> datetime:
        """The start of a window: rows become visible later than their own stamp says."""
        return since.astimezone(UTC) - timedelta(seconds=self.settings.overlap_seconds)

    def _listing(
        self, since: datetime | None, start: Resume
    ) -> Generator[tuple[int, list[Row], Resume], None, None]:
        """(rows in all, rows, where to go on) page by page, by the row's own position.

        A position of ours outlives Salesforce's: a lost locator or a slow query costs a call.
        """
        after, narrower, stale = start, 0, 0
        while True:
            limit = _NARROWER[narrower - 1] if narrower else 0
            came = 0
            try:
                for answer in self.org.library.query(
                    self._query(since, after, limit), deleted=since is not None
                ):
                    rows = answer["records"]
                    came, stale = came + len(rows), 0
                    if rows:
                        after = self._after(rows[-1], since)
                        yield answer["totalSize"], rows, after
                if not limit or came < limit:
                    return
            except StaleLocator:
                stale += 1
                if stale > _STALE_AGAIN:
                    raise
            except TooSlow:
                narrower += 1
                if narrower > len(_NARROWER):
                    raise

    def _query(self, since: datetime | None, after: Resume, limit: int) -> str:
        where, order = [], "Id"
        if since is not None:
            where.append(f"SystemModstamp >= {soql.instant(self._reach(since))}")
            order = "SystemModstamp ASC, Id ASC"
        if after.id and since is not None:
            stamp, id = soql.stamp(after.stamp), soql.quoted(after.id)
            where.append(f"((SystemModstamp = {stamp} AND Id > {id}) OR SystemModstamp > {stamp})")
        elif after.id:
            where.append(f"Id > {soql.quoted(after.id)}")
        text = soql.select(self.columns, self.part.object, " AND ".join(where), order)
        return f"{text} LIMIT {limit}" if limit else text

    def _after(self, row: Row, since: datetime | None) -> Resume:
        stamp = row["SystemModstamp"] if since is not None else ""
        return Resume(self.part.object, ROWS, row["Id"], stamp)

    def _page(self, rows: Sequence[Row], after: Resume) -> Page:
        """Living rows as records, the others as ids. What was merged is told, too: the loser
        with the id of its winner, and the winner as it is now."""
        living = [row for row in rows if row.get("IsDeleted") is not True]
        dead = [row for row in rows if row.get("IsDeleted") is True]
        merged = [row for row in dead if row.get("MasterRecordId")]
        shown = {row["Id"] for row in living}
        winners = {long_id(row["MasterRecordId"]) for row in merged} - shown
        living += self.by_ids(sorted(winners))
        records = [*self.whole(living), *(encoded(row, self.extra) for row in merged)]
        return Page(records, after.text(), tuple(row["Id"] for row in dead))

    def _bulk(self, since: datetime | None, start: Resume) -> Iterator[Page]:
        bulk, at = Bulk(self.org), start
        where = f"SystemModstamp >= {soql.instant(self._reach(since))}" if since else ""
        if at.phase != BULK:
            text = soql.select(self.columns, self.part.object, where)
            job = bulk.start(text, deleted=since is not None)
            at = Resume(self.part.object, BULK, job=job)
            yield Page([], at.text())
        bulk.wait(at.job)
        while True:
            portion = bulk.portion(at.job, at.locator, self._as_rest)
            if portion.locator and portion.locator == at.locator:
                raise StopRun(
                    "Salesforce gave the same part of a bulk result twice",
                    where=self.org.where,
                    hint="what was read before is kept; run the command again",
                )
            after = replace(at, locator=portion.locator) if portion.locator else self._end(since)
            if portion.rows or not portion.locator:
                yield self._page(portion.rows, after)
            if not portion.locator:
                return
            at = after

    def _as_rest(self, row: dict[str, str]) -> Row:
        return as_rest(row, self.types, self.part.object, self.settings.data)

    def _end(self, since: datetime | None) -> Resume:
        """Where a pull stands once all rows of the object were read."""
        if since is None:
            return Resume(self.part.object, END)
        return Resume(self.part.object, LINES if self.part.lines else GONE)

    def _touched(self, lines: Lines, since: datetime, start: Resume) -> Iterator[Page]:
        """Documents of which a line was changed or deleted, for that need not touch them."""
        text = soql.select(
            [lines.parent],
            lines.object,
            f"SystemModstamp >= {soql.instant(self._reach(since))}"
            + (f" AND {lines.parent} > {soql.quoted(start.id)}" if start.id else ""),
            lines.parent,
        )
        waiting: dict[str, None] = {}
        for row in self.org.library.rows(text, deleted=True):
            waiting[row[lines.parent]] = None
            if len(waiting) > soql.IDS_A_QUERY:
                yield self._reread(list(waiting)[:-1])
                waiting = {row[lines.parent]: None}
        if waiting:
            yield self._reread(list(waiting))

    def _reread(self, ids: Sequence[str]) -> Page:
        after = Resume(self.part.object, LINES, ids[-1])
        return Page(self.whole(self.by_ids(ids)), after.text())

    # single records

    def by_ids(self, ids: Sequence[str]) -> list[Row]:
        """The living ones of these records."""
        found: list[Row] = []
        for some in soql.parts(ids):
            text = soql.select(self.columns, self.part.object, f"Id IN {soql.listed(some)}")
            found += self.org.library.rows(text)
        return found

    def by_key(self, key: str) -> list[Row]:
        """Those that carry exactly our key: SOQL itself compares without regard to case."""
        field = self.part.key
        if field not in self.columns:
            raise ConfigError(
                f"{self.part.object} has no field {field}, or it is hidden from us",
                where=self.org.where,
                hint="create it (Text 255, External ID, Unique, case-sensitive) and give the "
                "permission set access; docs/providers/salesforce.md tells how",
            )
        text = soql.select(self.columns, self.part.object, f"{field} = {soql.quoted(key)}")
        return [row for row in self.org.library.rows(text) if row.get(field) == key]

    def whole(self, rows: Sequence[Row]) -> list[bytes]:
        """The records of these rows, their lines with them."""
        lines = self.part.lines
        if lines is None or not rows:
            return [encoded(row, self.extra) for row in rows]
        held = self._lines(lines, [row["Id"] for row in rows])
        return [
            encoded(row, {**self.extra, lines.name: _listed(held.get(row["Id"]))}) for row in rows
        ]

    def _lines(self, lines: Lines, ids: Sequence[str]) -> dict[str, list[Row]]:
        columns = self.org.schema.columns(lines.object, lines.fields)
        found: dict[str, list[Row]] = {}
        for some in soql.parts(ids):
            where = f"{lines.parent} IN {soql.listed(some)}"
            text = soql.select(columns, lines.object, where, f"{lines.parent}, Id")
            for row in self.org.library.rows(text):
                found.setdefault(row[lines.parent], []).append(row)
        return found


def _listed(rows: list[Row] | None) -> dict[str, Any] | None:
    """As a sub-select tells child records; null where there are none."""
    return None if not rows else {"totalSize": len(rows), "done": True, "records": rows}


def one_of(rows: Sequence[Row], key: str) -> Row | None:
    """The only row; InvalidRecord where several carry our key."""
    if len(rows) > 1:
        shown = ", ".join(row["Id"] for row in rows[:5])
        raise InvalidRecord(
            f"several records carry the key {key}: {shown}",
            hint="make the key field unique in Salesforce, and merge them",
        )
    return rows[0] if rows else None
