"""Stripe's event feed, read as a list of what to look at again.

Events are kept for 30 days, come newest first, may be listed a little late, and carry the object
as it was, in the account's API version. So only type and id are taken from them.
https://docs.stripe.com/api/events
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from tieout.rest import Request, RestClient

from .kinds import Kind, touched
from .listing import walk

OVERLAP_SECONDS = 600
KEPT_SECONDS = 28 * 86400  # two days less than Stripe keeps


class _Content(msgspec.Struct):
    object: dict[str, Any] = {}


class _Event(msgspec.Struct):
    created: int
    data: _Content
    account: str | None = None


_events = msgspec.json.Decoder(_Event)


@dataclass(frozen=True)
class Change:
    """A record to read again; `at` is the Unix second of its last event."""

    id: str
    at: int


def changes(rest: RestClient, kind: Kind, *, since: int, account: str | None) -> list[Change]:
    """Each record that has an event since that second, once, in the order of its last event.

    To go on after one of them, ask again with `since` = its `at`.
    """
    asked = Request(
        "GET", "/v1/events", (("created[gte]", since), *(("types[]", t) for t in kind.events))
    )
    found: dict[str, Change] = {}
    for listing in walk(rest, asked):
        for record in listing.records:
            try:
                event = _events.decode(record)
            except msgspec.DecodeError:
                continue  # without a time or an object it points at nothing
            if event.account not in (None, account):
                continue
            for id in touched(kind.entity, event.data.object):
                found.setdefault(id, Change(id, event.created))
    return sorted(reversed(found.values()), key=lambda change: change.at)
