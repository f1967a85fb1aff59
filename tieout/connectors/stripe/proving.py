"""A second look after a pull. Stripe counts nothing, so ids are held against each other: what the
event feed names after a full pull, what the collection lists as created after a pull of changes.

A setting reads the whole list of ids once more after full pulls: that proves them, at the price of
as many calls again, and it finds what was deleted longer ago than Stripe keeps events.
"""

from __future__ import annotations

from collections.abc import Iterator

from tieout.rest import Request, RestClient

from ..base import Evidence, Method, Window
from .changes import OVERLAP_SECONDS, changes
from .kinds import CHARGES, Kind
from .listing import Head, head_of, walk

FEED_DAYS = 3  # of the event feed before a full pull


def prove(
    rest: RestClient, kind: Kind, window: Window, *, account: str | None, whole: bool
) -> Iterator[Evidence]:
    """Evidence in portions of a page."""
    began = int(window.began.timestamp())
    if window.since is not None:
        since = int(window.since.timestamp()) - OVERLAP_SECONDS
        yield from _listed(rest, kind, since, began)
        yield Evidence(Method.OVERLAP, seconds=OVERLAP_SECONDS)
    elif whole:
        yield from _listed(rest, kind, None, began)
        yield Evidence(Method.IDS, whole=True, note=_note(kind))
    else:
        since = began - FEED_DAYS * 86_400
        named = changes(rest, kind, since=since, account=account)
        note = f"event feed of the last {FEED_DAYS} days"
        yield Evidence(Method.FEED, ids=tuple(each.id for each in named), note=note)


def _listed(rest: RestClient, kind: Kind, since: int | None, until: int) -> Iterator[Evidence]:
    for path in (kind.path, kind.also) if kind.also else (kind.path,):
        asked = Request("GET", path, (*kind.params, ("created[lte]", until)))
        for listing in walk(rest, asked.with_params({"created[gte]": since})):
            heads = _heads(listing.records)
            own = [each.id for each in heads if path != CHARGES or not each.payment_intent]
            yield Evidence(Method.IDS, ids=tuple(own), note=_note(kind))


def _note(kind: Kind) -> str:
    return f"list of {kind.path.removeprefix('/v1/').replace('_', ' ')}"


def _heads(records: list[bytes]) -> Iterator[Head]:
    for record in records:
        try:
            yield head_of(record)
        except ValueError:
            continue  # the pull has set it aside for a person
