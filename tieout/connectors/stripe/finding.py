"""Looks for the record that carries our key in its metadata.

Stripe's search index lags by a minute, in an outage by an hour or more, so what was made lately
is listed. Where there is no search at all, everything is. https://docs.stripe.com/search
"""

from __future__ import annotations

from typing import Any

import msgspec

from tieout.core.errors import AuthError, InvalidRecord
from tieout.rest import Request, RestClient

from .kinds import Kind
from .listing import walk

KEY_FIELD = "tieout_id"
LATELY_SECONDS = 6 * 3600


class _Tagged(msgspec.Struct):
    id: str
    metadata: dict[str, Any] | None = None


_tagged = msgspec.json.Decoder(_Tagged)


def find(rest: RestClient, kind: Kind, key: str, *, now: int) -> str | None:
    """The id of the record with our key, or None."""
    if kind.search:
        return _listed(rest, kind, key, since=now - LATELY_SECONDS) or _searched(rest, kind, key)
    return _listed(rest, kind, key, since=None)


def _listed(rest: RestClient, kind: Kind, key: str, *, since: int | None) -> str | None:
    asked = Request("GET", kind.path, (*kind.params, ("created[gte]", since)))
    for listing in walk(rest, asked):
        for record in listing.records:
            if id := _match(record, key):
                return id
    return None


def _searched(rest: RestClient, kind: Kind, key: str) -> str | None:
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    asked = Request(
        "GET",
        f"{kind.path}/search",
        {"query": f"metadata['{KEY_FIELD}']:'{quoted}'", "limit": 100},
    )
    try:
        answer = rest.send(asked)
    except (InvalidRecord, AuthError):  # not offered to this account (merchants in India)
        return _listed(rest, kind, key, since=None)
    for found in answer["data"]:
        if (found.get("metadata") or {}).get(KEY_FIELD) == key:
            return str(found["id"])
    return None


def _match(record: bytes, key: str) -> str | None:
    try:
        found = _tagged.decode(record)
    except msgspec.DecodeError:
        return None
    return found.id if (found.metadata or {}).get(KEY_FIELD) == key else None
