"""A second look at a window: the null sweep, the event feed, the overlap, every id once more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tieout.core.errors import InvalidRecord
from tieout.rest import Request, RestClient

from ..base import Evidence, Method, Window
from .feed import told
from .kinds import API, Kind, Source
from .listing import Head, head_of, is_gone, walk
from .site import Site

LAG_SECONDS = 300  # lists may be this much behind (documented as "up to 5 minutes")
OVERLAP_SECONDS = 600
KEPT_SINCE = 1475193600  # 2016-09-30: objects untouched since 2016-09-28 have no `updated_at`
# Objects that say when they were made. Of others a list, which may be five minutes behind, can't
# tell those that are gone from those that it does not show yet.
_CREATED = ("customer", "subscription", "invoice", "credit_note", "item_price", "usage", "dispute")


class Prover:
    """Looks once more at what a pull of one entity must have brought.

    days   how far back the feed is read after a pull of everything.
    """

    def __init__(self, rest: RestClient, kind: Kind, site: Site, *, days: int) -> None:
        self._rest, self._kind, self._days = rest, kind, days
        self._site, self._sources = site, site.sources(kind)
        self._events = site.types(kind.events)

    def evidence(self, window: Window) -> Iterator[Evidence]:
        """For a window of changes overlap, feed and sweep; for a whole pull every id as well."""
        if window.since is not None:
            yield Evidence(
                Method.OVERLAP,
                seconds=OVERLAP_SECONDS + LAG_SECONDS,
                note="updated_at, from before",
            )
        if self._events:
            yield from self._feed(window)
        if self._kind.entity != "contact":
            for source in self._sources:
                if source.updated:
                    yield from self._sweep(source)
        if window.since is None:
            yield from self._every_id(window)

    def _feed(self, window: Window) -> Iterator[Evidence]:
        """Ids of events that the pull must have covered, without what was deleted meanwhile."""
        until = _second(window.began) - LAG_SECONDS
        since = until - self._days * 86400
        if window.since is not None:
            since = min(_second(window.since) - LAG_SECONDS, until)
        note = "GET /events between the window's ends"
        gone = set[str]()
        deletions = tuple(type for type in self._events if type.endswith("_deleted"))
        if deletions:
            for page in told(self._rest, self._kind.entity, deletions, since, until):
                gone |= set(page.gone)
        for page in told(self._rest, self._kind.entity, self._events, since, until):
            ids = tuple(id for id in page.ids if id not in gone)
            yield Evidence(Method.FEED, ids=ids, note=note)

    def _sweep(self, source: Source) -> Iterator[Evidence]:
        """Rows that a filter by `updated_at` leaves out because they have none.

        Not every list's reference names the operator `is_present` for times; where it is refused,
        what was made before Chargebee kept that time is looked through.
        """
        if self._site.tells_absence:
            try:
                yield from self._rows_without(source, ("updated_at[is_present]", "false"))
                return
            except InvalidRecord:
                self._site.tells_absence = False
        older = (f"{source.made}[before]", str(KEPT_SINCE)) if source.made else None
        yield from self._rows_without(source, older)

    def _rows_without(self, source: Source, which: tuple[str, str] | None) -> Iterator[Evidence]:
        params = [*source.params, *([which] if which else [])]
        if source.include_deleted:
            params.append(("include_deleted", "true"))
        note = f"GET {source.path}" + (f"?{which[0]}={which[1]}" if which else "")
        for page in walk(self._rest, Request("GET", API + source.path, params), source.name):
            ids = tuple(head.id for head in _heads(page.records) if head.updated_at is None)
            yield Evidence(Method.SWEEP, ids=ids, note=note)

    def _every_id(self, window: Window) -> Iterator[Evidence]:
        """All living records, read again from the start and without the deleted ones."""
        dated = all(source.name in _CREATED for source in self._sources)
        contacts = self._kind.entity == "contact"  # known from lists alone
        bound = None if contacts else window.began - timedelta(seconds=LAG_SECONDS)
        note = "every list read once more, without deleted rows"
        last = len(self._sources) - 1
        for position, source in enumerate(self._sources):
            asked = Request("GET", API + source.path, source.params)  # in the order of creation
            for ids, ends in self._ids(asked, source, living=True):
                whole = ends and position == last and dated
                within = bound if dated else None
                yield Evidence(Method.IDS, ids=ids, bound=within, whole=whole, note=note)

    def _ids(
        self, asked: Request, source: Source, *, living: bool = False
    ) -> Iterator[tuple[tuple[str, ...], bool]]:
        for page in walk(self._rest, asked, source.name):
            heads = [head for head in _heads(page.records) if not (living and is_gone(head))]
            yield tuple(id for head in heads for id in self._of(head)), not page.offset

    def _of(self, head: Head) -> Iterator[str]:
        if self._kind.entity != "contact":
            yield head.id
            return
        for contact in head.contacts if isinstance(head.contacts, list) else ():
            id = contact.get("id") if isinstance(contact, dict) else None
            if isinstance(id, str) and id:
                yield id


def _heads(records: list[bytes]) -> Iterator[Head]:
    for record in records:
        try:
            yield head_of(record)
        except ValueError:
            continue  # it was set aside under no id


def _second(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
