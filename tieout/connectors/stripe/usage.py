"""Metered usage: what each customer used of each meter, day by day.

Meters are read by customer, so the subscriptions tell whom to ask for. Summaries of a day change
while late events come in, which Stripe takes for 35 days.
https://docs.stripe.com/api/billing/meter-event-summary
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tieout.rest import Request, RestClient, json, segment

from ..base import Page
from .listing import Place, walk
from .resume import Resume

METERS = "/v1/billing/meters"
_DAY = 86_400
LATE_DAYS = 35


class _Item(msgspec.Struct):
    id: str
    price: dict[str, Any] = {}


class _Items(msgspec.Struct):
    data: list[_Item] = []


class _Subscription(msgspec.Struct):
    id: str
    customer: Any = None
    start_date: int | None = None
    ended_at: int | None = None
    items: _Items = msgspec.field(default_factory=_Items)


_subscriptions = msgspec.json.Decoder(_Subscription)


@dataclass(frozen=True)
class _Metered:
    """Whom to ask about which meter, and for whose sake."""

    customer: str
    meter: str
    subscription: str
    item: str
    start: int
    end: int


def usage(rest: RestClient, start: Resume, *, now: int) -> Iterator[Page]:
    """A page for each page of subscriptions; `start.since` 0 reads from their beginning."""
    names = _event_names(rest)
    asked = Request("GET", "/v1/subscriptions", {"status": "all"})
    for listing in walk(rest, asked, start.place) if names else ():
        records = []
        for body in listing.records:
            for each in _metered(_subscriptions.decode(body), start.since, now):
                if each.meter in names:
                    records += list(_summaries(rest, each, names[each.meter]))
        more = listing.has_more
        after = replace(start, place=listing.place) if more else Resume("end", since=start.since)
        yield Page(records, after.text())


def _event_names(rest: RestClient) -> Mapping[str, str]:
    found = {}
    for listing in walk(rest, Request("GET", METERS)):
        for body in listing.records:
            meter = json.decode(body)
            found[str(meter["id"])] = str(meter.get("event_name", ""))
    return found


def _metered(one: _Subscription, since: int, now: int) -> Iterator[_Metered]:
    first = max(since - LATE_DAYS * _DAY if since else 0, one.start_date or 0)
    start, end = first // _DAY * _DAY, -(-min(one.ended_at or now, now) // _DAY) * _DAY
    for item in one.items.data:
        meter = (item.price.get("recurring") or {}).get("meter")
        if isinstance(meter, str) and isinstance(one.customer, str) and start < end:
            yield _Metered(one.customer, meter, one.id, item.id, start, end)


def _summaries(rest: RestClient, of: _Metered, name: str) -> Iterator[bytes]:
    """A day's summary with what it does not say itself: customer, metric, subscription, item."""
    asked = Request(
        "GET",
        f"{METERS}/{segment(of.meter)}/event_summaries",
        {
            "customer": of.customer,
            "start_time": of.start,
            "end_time": of.end,
            "value_grouping_window": "day",
        },
    )
    told = {"customer": of.customer, "event_name": name}
    told |= {"subscription": of.subscription, "subscription_item": of.item}
    for listing in walk(rest, asked, Place()):
        for body in listing.records:
            yield json.encode({**json.decode(body), "tieout_usage": told})
