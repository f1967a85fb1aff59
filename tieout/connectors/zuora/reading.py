"""A pull from start to end: Object Query first, Data Query for what is much, then what others
touched and what was deleted. Every page says where to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tieout.core.errors import ConfigError, InvalidRecord
from tieout.core.ports import Ports

from ..base import Page
from .bulk import NO_TIME, Bulk
from .complete import Completer, Known
from .dataquery import DataQuery, NoTable, TooMuch
from .kinds import Kind, Source
from .objectquery import UPDATED, Asked, ObjectQuery, Rows, among
from .objectquery import since as changed_since
from .resume import BULK, END, GONE, ROWS, TOUCHED, Resume
from .rows import folded, text
from .settings import ZuoraConfig

log = logging.getLogger("tieout.zuora")

FIRST_SECOND = int(datetime(2007, 1, 1, tzinfo=UTC).timestamp())  # before any tenant
AHEAD_SECONDS = 3600  # Zuora's clock may be ahead of ours
TOUCHED_A_PAGE = 40

Pages = Generator[Page, None, Resume | None]


@dataclass(frozen=True)
class Tenant:
    """What reading and writing share: the two ways to ask, and what is known of the tenant.

    journals  completes rows of the journal with their lines.
    """

    query: ObjectQuery
    data: DataQuery
    settings: ZuoraConfig
    ports: Ports
    known: Known
    journals: Callable[[Sequence[bytes]], list[bytes]]


class Reading:
    """Reads one entity of one tenant."""

    def __init__(self, kind: Kind, sources: Sequence[Source], tenant: Tenant) -> None:
        self.kind, self.sources, self._tenant = kind, tuple(sources), tenant
        self._settings = tenant.settings

    def pull(self, since: datetime | None, start: Resume) -> Iterator[Page]:
        """All pages from `start` on."""
        overlap = timedelta(minutes=self._settings.overlap_minutes)
        back = None if since is None else since.astimezone(UTC) - overlap
        if start.phase in (ROWS, BULK):
            for number in range(start.source, len(self.sources)):
                place = start if number == start.source else Resume(source=number)
                yield from self._source(self.sources[number], back, place)
            start = Resume(TOUCHED)
        if back is None:
            return
        if start.phase == TOUCHED:
            for number in range(start.source, len(self.sources)):
                after = start.id if number == start.source else ""
                yield from self._touched(number, back, after)
            start = Resume(GONE)
        if start.phase == GONE:
            gone = self._gone(back - timedelta(days=1))
            if gone:
                yield Page([], Resume(END).text(), gone)

    def completed(self, source: Source, rows: Sequence[bytes]) -> list[bytes]:
        """These rows as records."""
        if source.table == "journalentry":
            return self._tenant.journals(rows)
        return self._completer(source).page(rows)

    def single(self, source: Source, id: str) -> list[bytes]:
        """The record with this id where only Data Query knows its source."""
        bulk = Bulk(self._tenant.data, source, most_rows=self._settings.bulk_rows)
        part = bulk.one(id)
        return self._completer(source).page(part.rows, part.lists)

    # what changed, or everything

    def _source(self, source: Source, back: datetime | None, place: Resume) -> Iterator[Page]:
        if place.phase == ROWS and source.resource and not self._starts_in_bulk(back, place):
            handed_over = yield from self._rows_or_bulk(source, back, place)
            if handed_over is None:
                return
            place = handed_over
        try:
            yield from self._bulk(source, back, place)
        except NoTable as error:
            if self._settings.data_query == "yes" or not source.resource:
                raise
            log.warning("%s; Object Query goes on", error.message)
            yield from self._rows(source, back, replace(place, phase=ROWS), hand_over=False)

    def _starts_in_bulk(self, back: datetime | None, place: Resume) -> bool:
        """With `data_query: yes` a whole load does; what is much goes over later otherwise."""
        return self._settings.data_query == "yes" and back is None and not place.cursor

    def _rows_or_bulk(self, source: Source, back: datetime | None, place: Resume) -> Pages:
        allowed = self._settings.data_query != "no"
        try:
            return (yield from self._rows(source, back, place, hand_over=allowed))
        except InvalidRecord as error:
            if not allowed:
                raise
            log.warning("%s cannot be listed by date: %s", source.resource, error.message)
            return place

    def _rows(
        self, source: Source, back: datetime | None, place: Resume, *, hand_over: bool
    ) -> Pages:
        """By Object Query; the place to go on in bulk once it has been much."""
        completer, cursor, page = self._completer(source), place.cursor, None
        asked = self._asked(source, back, "" if cursor else place.seen)
        if cursor:
            page, asked = self._again(source, asked, place)
        while True:
            page = page or self._tenant.query.page(asked, cursor)
            seen = _last_seen(page) or place.seen
            place = replace(
                place, cursor=page.cursor, seen=seen, count=place.count + len(page.rows)
            )
            after = place if page.cursor else Resume(source=place.source + 1)
            records = completer.page(page.rows)
            yield Page(records, after.text(), self._replaced(records, back))
            if not page.cursor:
                return None
            if hand_over and place.count >= self._settings.bulk_from and _seconds(seen):
                return self._bulk_place(place.source, _seconds(seen))
            cursor, page = page.cursor, None

    def _again(self, source: Source, asked: Asked, place: Resume) -> tuple[Rows, Asked]:
        """The page of a saved cursor, or the one that begins at its time where it is refused."""
        try:
            return self._tenant.query.page(asked, place.cursor), asked
        except InvalidRecord as error:
            if not place.seen:
                raise
            log.info("%s: %s; reading goes on by time", source.resource, error.message)
            asked = replace(asked, filters=(f"{UPDATED}.GE:{place.seen}",))
            return self._tenant.query.page(asked), asked

    def _asked(self, source: Source, back: datetime | None, seen: str) -> Asked:
        filters = (f"{UPDATED}.GE:{seen}",) if seen else (changed_since(back),) if back else ()
        return Asked(source.resource, filters, UPDATED, source.expands)

    def _completer(self, source: Source) -> Completer:
        return Completer(self._tenant.query, self.kind, source, self._tenant.known)

    def _replaced(self, records: Sequence[bytes], back: datetime | None) -> tuple[str, ...]:
        """A price that has come to be sold in several currencies is no longer one record."""
        if self.kind.entity != "price" or back is None:
            return ()
        ids = (text(folded(each), "tieout_id") for each in records if b'"tieout_id"' in each)
        return tuple(dict.fromkeys(id.partition(":")[0] for id in ids))

    # in bulk

    def _bulk_place(self, source: int, low: int) -> Resume:
        until = int(self._tenant.ports.now().timestamp()) + AHEAD_SECONDS
        return Resume(BULK, source, low=low, high=until, until=until)

    def _bulk(self, source: Source, back: datetime | None, place: Resume) -> Iterator[Page]:
        if place.phase != BULK:
            low = int(back.timestamp()) if back else FIRST_SECOND
            place = self._bulk_place(place.source, _seconds(place.seen) or low)
        bulk = Bulk(self._tenant.data, source, most_rows=self._settings.bulk_rows)
        while place.phase == BULK:
            try:
                place = yield from self._window(bulk, source, back, place)
            except TooMuch as error:
                middle = (place.low + place.high) // 2
                if place.low == NO_TIME or middle <= place.low:
                    raise
                log.info("%s: the window is halved (%s)", source.table, error.message)
                place = replace(place, high=middle, id="")

    def _window(
        self, bulk: Bulk, source: Source, back: datetime | None, place: Resume
    ) -> Generator[Page, None, Resume]:
        completer, after = self._completer(source), place
        for part in bulk.window(place.low, place.high, place.id):
            after = replace(place, id=part.last)
            if part.end and not part.cut:
                after = _next_window(place, whole=back is None)
            if source.table == "journalentry":
                records = self._tenant.journals(part.rows)
            else:
                records = completer.page(part.rows, part.lists)
            yield Page(records, after.text(), self._replaced(records, back))
        return after

    # what others touched

    def _touched(self, number: int, back: datetime, after: str) -> Iterator[Page]:
        """The records of which a line, tier or application has changed by itself."""
        source = self.sources[number]
        ids = sorted(self._parents(source, back)) if source.resource else []
        left = [id for id in ids if id > after]
        for first in range(0, len(left), TOUCHED_A_PAGE):
            part = left[first : first + TOUCHED_A_PAGE]
            asked = Asked(source.resource, (among("id", part),), expands=source.expands)
            rows = [row for page in self._tenant.query.walk(asked) for row in page.rows]
            records = self._completer(source).page(rows)
            place = Resume(TOUCHED, number, id=part[-1])
            yield Page(records, place.text(), self._replaced(records, back))

    def _parents(self, source: Source, back: datetime) -> set[str]:
        found: set[str] = set()
        for resource, field in source.touched_by:
            asked = Asked(resource, (changed_since(back),), UPDATED)
            try:
                found |= {text(folded(row), field) for row in self._tenant.query.rows(asked)}
            except (InvalidRecord, ConfigError) as error:
                self._tenant.known.missing(resource, error.message)
        return found - {""}

    # what was deleted

    def _gone(self, since: datetime) -> tuple[str, ...]:
        """Ids of rows deleted since. Zuora tells them for 30 days, Data Query only."""
        if self._settings.data_query == "no":
            return ()
        moment = f"timestamp '{since:%Y-%m-%d %H:%M:%S} +00:00'"
        found: list[str] = []
        for source in self.sources:
            table, field = source.table, source.id
            shown = field if field == "id" else f"id, {field}"
            sql = f"select {shown} from {table} where updateddate >= {moment}"
            try:
                rows = list(self._tenant.data.rows(table, sql, deleted=True))
                found += [text(row, field) for row in rows]
                if self.kind.entity == "price":
                    found += self._gone_currencies(moment)
            except (InvalidRecord, ConfigError) as error:
                log.warning("deletions of %s go unnoticed: %s", table, error.message)
        return self._not_alive(tuple(dict.fromkeys(id for id in found if id)))

    def _gone_currencies(self, moment: str) -> list[str]:
        table = "productrateplanchargetier"
        sql = f"select productrateplanchargeid, currency from {table} where updateddate >= {moment}"
        rows = self._tenant.data.rows(table, sql, deleted=True)
        return [f"{text(r, 'productrateplanchargeid')}:{text(r, 'currency')}" for r in rows]

    def _not_alive(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """One version of a subscription, or an order that was made anew, may be left."""
        source = self.sources[0] if self.sources else None
        if source is None or source.id == "id" or not source.resource or not ids:
            return ids
        rows = self._tenant.query.of(source.resource, source.id, ids)
        alive = {text(folded(row), source.id) for row in rows}
        return tuple(id for id in ids if id not in alive)


def _next_window(place: Resume, *, whole: bool) -> Resume:
    """The window after this one, twice as wide; at the end what tells no time, then done."""
    if place.low == NO_TIME or (place.high >= place.until and not whole):
        return Resume(source=place.source + 1)
    if place.high >= place.until:
        return replace(place, low=NO_TIME, high=0, id="")
    width = max(1, 2 * (place.high - place.low))
    high = min(place.until, place.high + width)
    return replace(place, low=place.high, high=high, id="")


def _last_seen(page: Rows) -> str:
    """The updatedDate of the last row that has one."""
    for row in reversed(page.rows):
        if seen := text(folded(row), UPDATED):
            return seen
    return ""


def _seconds(shown: str) -> int:
    """A time with its zone as Unix seconds; 0 where it can't be told."""
    try:
        moment = datetime.fromisoformat(shown)
    except ValueError:
        return 0
    return int(moment.timestamp()) if moment.tzinfo else 0
