"""Pulls: everything without a filter first, then closed windows of what was changed.

Rows without `updated_at` are left out by the filter, so the first reading must not have one. A
window ends five minutes ago, for lists may be that much behind, and reaches back into the one
before it. https://apidocs.chargebee.com/docs/api/list-ops
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tieout.rest import Request, RestClient, json

from ..base import Page
from .complete import completed
from .feed import told
from .kinds import API, Kind, Source, freed
from .listing import Listing, head_of, is_gone, walk
from .proving import LAG_SECONDS, OVERLAP_SECONDS
from .resume import ALL, END, GONE, WINDOW, Resume

_DELETED = re.compile(rb'"deleted"\s*:\s*true')

Get = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Reader:
    """Reads one entity from its lists.

    gone   the event types that tell of deletions which no list shows.
    get    reads one record as it is now.
    """

    rest: RestClient
    kind: Kind
    sources: tuple[Source, ...]
    gone: tuple[str, ...]
    get: Get

    def pages(self, start: Resume) -> Iterator[Page]:
        """Every page from `start` on, each with where to go on after it."""
        while start.phase in (ALL, WINDOW) and start.source < len(self.sources):
            source = self.sources[start.source]
            for listing in walk(self.rest, self._asked(source, start), source.name, start.offset):
                after = replace(start, offset=listing.offset)
                if not listing.offset:
                    after = self._next(start)
                yield self._page(source, listing, after)
            start = self._next(start)
        if start.phase == GONE:
            yield from self._deletions(start)

    def _next(self, done: Resume) -> Resume:
        """What follows after a list has been read to its end."""
        if done.source + 1 < len(self.sources):
            return replace(done, source=done.source + 1, offset="")
        if done.phase == WINDOW and self.gone:
            return replace(done, phase=GONE, source=0, offset="")
        return Resume(END)

    def _asked(self, source: Source, start: Resume) -> Request:
        params = list(source.params)
        # Contacts of deleted customers are gone with them; only a window has to tell so.
        if source.include_deleted and not (self.kind.entity == "contact" and start.phase == ALL):
            params.append(("include_deleted", "true"))
        if start.phase == WINDOW:
            params.append(("updated_at[between]", f"[{start.since},{start.until}]"))
            if source.sort:
                params.append(("sort_by[asc]", source.sort))
        return Request("GET", API + source.path, params)

    def _page(self, source: Source, listing: Listing, after: Resume) -> Page:
        if self.kind.entity == "contact":
            return _contacts(listing.records, after)
        records = listing.records
        if source.name in ("invoice", "credit_note"):
            records = [completed(self.rest, source, record) for record in records]
        return Page(records, after.text(), tuple(self._freed(records)))

    def _freed(self, records: list[bytes]) -> Iterator[str]:
        """Ids under which deleted documents lived, unless another has taken the number since."""
        for record in records:
            if not _DELETED.search(record):
                continue
            try:
                head = head_of(record)
            except ValueError:
                continue
            id = freed(head.id) if head.deleted is True else None
            if id and self.get(id) is None:
                yield id

    def _deletions(self, start: Resume) -> Iterator[Page]:
        """What no list shows any more. Each is looked at: an id may have been used again."""
        types, entity = self.gone, self.kind.entity
        for page in told(self.rest, entity, types, start.since, start.until, start.offset):
            now = [(id, self.get(id)) for id in page.gone]
            after = replace(start, offset=page.offset) if page.offset else Resume(END)
            yield Page(
                [record for _, record in now if record is not None],
                after.text(),
                tuple(id for id, record in now if record is None),
            )


def window(since: int, now: int) -> Resume:
    """The closed window for what was changed since a pull that began at `since`."""
    until = now - LAG_SECONDS
    return Resume(WINDOW, since=min(since - LAG_SECONDS - OVERLAP_SECONDS, until), until=until)


def _contacts(customers: list[bytes], after: Resume) -> Page:
    """The contacts of some customers, each with its `customer_id`; deleted customers have none."""
    found: list[bytes] = []
    gone: list[str] = []
    for record in customers:
        try:
            head = head_of(record)
        except ValueError:
            continue  # it is set aside where customers are read
        for contact in head.contacts if isinstance(head.contacts, list) else ():
            if is_gone(head):
                gone += [contact["id"]] if _has_id(contact) else []
            else:
                found.append(_with_customer(contact, head.id))
    return Page(found, after.text(), tuple(gone))


def _has_id(contact: Any) -> bool:
    return isinstance(contact, dict) and isinstance(contact.get("id"), str)


def _with_customer(contact: Any, customer: str) -> bytes:
    held = contact if isinstance(contact, dict) else {"contact": contact}
    return json.encode({**held, "customer_id": customer})
