"""Looks for the record that was made under our key.

Where Chargebee takes an id of ours, it is made of the key: one call tells. What it numbers itself
carries the key elsewhere: payments and refunds as `reference_number`, which can be searched;
invoices, whose id is their number, in a custom field or a note, so the latest are looked through.
"""

from __future__ import annotations

import hashlib
from typing import Any

from tieout.core.errors import NotFound
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, json, segment

from .kinds import API, Source
from .listing import head_of, single, walk

# https://apidocs.chargebee.com/docs/api : the longest id, by kind of object.
_LONGEST_ID = {"item": 100, "item_price": 100, "transaction": 40}
_LONGEST_REFERENCE = 100
STEPS = "-of-"  # ends the id of a payment that takes several steps, followed by their number


def own_id(name: str, key: str, *, room: int = 0) -> str:
    """The id under which a record with our key is made: the key, or a hash where it is too long."""
    longest = _LONGEST_ID.get(name, 50) - room
    return key if len(key) <= longest else hashed(key)


def hashed(key: str) -> str:
    """31 characters that stand for a key of any length."""
    return "tieout-" + hashlib.sha256(key.encode()).hexdigest()[:24]


def reference(key: str) -> str:
    """Our key as the reference number of a transaction."""
    return key if len(key) <= _LONGEST_REFERENCE else hashed(key)


def read(rest: RestClient, source: Source, id: str) -> bytes | None:
    """One object by its id; None if there is none."""

    def parsed(answer: HttpAnswer) -> bytes:
        return single(answer, source.name)

    try:
        return rest.read(Request("GET", f"{API}{source.path}/{segment(id)}"), parsed)
    except NotFound:
        return None


def listed(rest: RestClient, source: Source, **filters: str) -> bytes | None:
    """The first object of a list that the filters let through."""
    params = {**dict(source.params), **{_spelled(name): text for name, text in filters.items()}}
    for page in walk(rest, Request("GET", API + source.path, params), source.name):
        if page.records:
            return page.records[0]
    return None


def _spelled(name: str) -> str:
    """`reference_number` asks for `reference_number[is]`."""
    return f"{name}[is]"


def invoice_of(
    rest: RestClient, source: Source, key: str, *, field: str | None, since: int
) -> bytes | None:
    """The invoice that carries our key, changed after that Unix second; newest first."""
    asked = Request(
        "GET",
        API + source.path,
        (("updated_at[after]", since), ("sort_by[desc]", "updated_at")),
    )
    for page in walk(rest, asked, source.name):
        for record in page.records:
            if key.encode() in record and carries(json.decode(record), key, field=field):
                return record
    return None


def carries(record: Any, key: str, *, field: str | None) -> bool:
    """Whether an object holds our key, wherever `writing` may have put it."""
    marks = {
        *(_metadata(record, name).get("tieout_id") for name in ("meta_data", "metadata")),
        record.get("reference_number"),
        record.get("note"),
        *(note.get("note") for note in record.get("notes") or () if isinstance(note, dict)),
        record.get(field) if field else None,
    }
    return key in marks


def _metadata(record: Any, name: str) -> dict[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def steps_left(record: bytes) -> bool:
    """Whether this is a payment whose allocations were not all made."""
    id, _, planned = head_of(record).id.rpartition(STEPS)
    if not id or not planned.isdigit():
        return False
    return len(json.decode(record).get("linked_invoices") or ()) < int(planned)
