"""Chargebee's event feed, read for the ids that it names: an event's own content may be old.

https://apidocs.chargebee.com/docs/api/events
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from tieout.rest import Request, RestClient, json

from .kinds import API, concerned, freed
from .listing import walk


class _Event(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw(b"{}")
    event_type: str = ""


_events = msgspec.json.Decoder(_Event)


@dataclass(frozen=True)
class Told:
    """One page of events: the records that it names, those of them that went away, and `offset`."""

    ids: tuple[str, ...]
    gone: tuple[str, ...]
    offset: str


def told(
    rest: RestClient,
    entity: str,
    types: tuple[str, ...],
    since: int,
    until: int,
    offset: str = "",
) -> Iterator[Told]:
    """What events of these types between two Unix seconds (both included) say of an entity."""
    asked = Request(
        "GET",
        f"{API}/events",
        (
            ("occurred_at[between]", f"[{since},{until}]"),
            ("event_type[in]", json.encode(list(types)).decode()),
            ("sort_by[asc]", "occurred_at"),
        ),
    )
    for page in walk(rest, asked, "event", offset):
        ids, gone = dict[str, None](), dict[str, None]()
        for record in page.records:
            for id, deleted in _named(entity, record):
                ids[id] = None
                if deleted:
                    gone |= dict.fromkeys((id, freed(id) or id))
        yield Told(tuple(ids), tuple(gone), page.offset)


def _named(entity: str, record: bytes) -> Iterator[tuple[str, bool]]:
    try:
        event = _events.decode(record)
        content = json.decode(bytes(event.content))
    except (msgspec.DecodeError, ValueError):
        return  # without a content it points at nothing
    deleted = event.event_type.endswith("_deleted")
    # A deleted customer's event holds its subscriptions and invoices, too, which live on.
    subject = event.event_type.removesuffix("_deleted")
    for name, value in content.items() if isinstance(content, dict) else ():
        for concerns, id in concerned({name: value}):
            if concerns == entity:
                yield id, deleted and name == subject
