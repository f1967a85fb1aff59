"""A second look at a window: the null sweep, the event feed, the overlap, every id once more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tieout.rest import Request, RestClient

from ..base import Evidence, Method, Window
from .feed import told
from .kinds import API, Kind, Source
from .listing import head_of, is_gone, walk
from .site import Site

LAG_SECONDS = 300  # lists may be this much behind (documented as "up to 5 minutes")
OVERLAP_SECONDS = 600
# Objects that say when they were made. Of others a list, which may be five minutes behind, can't
# tell those that are gone from those that it does not show yet.
_CREATED = ("customer", "subscription", "invoice", "credit_note", "item_price", "usage", "dispute")


class Prover:
    """Looks once more at what a pull of one entity must have brought.

    days   how far back the feed is read after a pull of everything.
    """

    def __init__(self, rest: RestClient, kind: Kind, site: Site, *, days: int) -> None:
        self._rest, self._kind, self._days = rest, kind, days
        self._sources = site.sources(kind)
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
        """Rows that a filter by `updated_at` leaves out because they have none."""
        params = [*source.params, ("updated_at[is_present]", "false")]
        if source.include_deleted:
            params.append(("include_deleted", "true"))
        note = f"GET {source.path}?updated_at[is_present]=false"
        for ids, _ in self._ids(Request("GET", API + source.path, params), source):
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
            ids = [id for record in page.records for id in self._of(record, living)]
            yield tuple(ids), not page.offset

    def _of(self, record: bytes, living: bool) -> Iterator[str]:
        try:
            head = head_of(record)
        except ValueError:
            return  # it was set aside under no id
        if living and is_gone(head):
            return
        if self._kind.entity != "contact":
            yield head.id
            return
        for contact in head.contacts if isinstance(head.contacts, list) else ():
            id = contact.get("id") if isinstance(contact, dict) else None
            if isinstance(id, str) and id:
                yield id


def _second(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
