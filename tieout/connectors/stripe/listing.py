"""Stripe's lists: pages of raw records, newest first, walked by the id of the last one.

https://docs.stripe.com/api/pagination : `starting_after` names a record; when that record has
been deleted meanwhile, Stripe answers 400 `resource_missing`, and the walk goes back one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tieout.core.errors import NotFound, StopRun
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient

PAGE_SIZE = 100
HAS_MORE = re.compile(rb'has_more"\s*:\s*true')


class _List(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


class Head(msgspec.Struct):
    """What is looked at in a record while it passes through."""

    id: str
    created: Any = None
    customer: Any = None
    payment_intent: Any = None
    deleted: Any = None
    automatic: Any = None
    reconciliation_status: Any = None


_lists = msgspec.json.Decoder(_List)
_heads = msgspec.json.Decoder(Head)


@dataclass(frozen=True)
class Place:
    """Where a walk stands: the last ids read, newest knowledge first, and the last `created`."""

    after: tuple[str, ...] = ()
    created: int | None = None


@dataclass(frozen=True)
class Listing:
    """One page. `nested_more` tells that some record in it has a list cut off at ten."""

    records: list[bytes]
    has_more: bool
    place: Place = field(default_factory=Place)
    nested_more: bool = False


def walk(rest: RestClient, request: Request, place: Place = Place()) -> Iterator[Listing]:
    """Every page from `place` on. StopRun if the list runs in a circle."""
    request = request.with_params(limit=PAGE_SIZE)
    while True:
        listing, place = _page(rest, request, place)
        yield listing
        if not listing.has_more:
            return
        if listing.place.after[:1] == place.after[:1]:
            raise StopRun(
                f"{request.path}: Stripe sent the same page twice", hint="try again later"
            )
        place = listing.place


def _page(rest: RestClient, request: Request, place: Place) -> tuple[Listing, Place]:
    while True:
        after = place.after[0] if place.after else None
        asked = request.with_params(starting_after=after)
        if after is None and place.created is not None:
            # All remembered cursors are gone: go on from the last record's second.
            asked = asked.with_params({"created[lte]": place.created})
        try:
            return rest.read(asked, lambda answer, old=place: _parsed(answer, old)), place  # type: ignore[misc]
        except NotFound:
            if after is None:
                raise
            place = Place(place.after[1:], place.created)


def _parsed(answer: HttpAnswer, old: Place) -> Listing:
    try:
        found = _lists.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    records = [bytes(raw) for raw in found.data]
    heads = _last_heads(records)
    ids = (*(head.id for head in heads), *old.after)[:2]
    created = next((head.created for head in heads if isinstance(head.created, int)), old.created)
    more = sum(1 for _ in HAS_MORE.finditer(answer.body))
    return Listing(records, found.has_more, Place(ids, created), more > int(found.has_more))


def _last_heads(records: list[bytes]) -> list[Head]:
    """The last two usable records, last one first: a spoilt one must not stop the walk."""
    heads: list[Head] = []
    for record in reversed(records):
        try:
            heads.append(head_of(record))
        except ValueError:
            continue
        if len(heads) == 2:
            break
    return heads


def head_of(record: bytes) -> Head:
    """The record's id; ValueError if it is no JSON object or has none."""
    return _heads.decode(record)
