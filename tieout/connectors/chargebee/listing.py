"""Chargebee's lists: pages of raw objects, each taken out of the row that names its kind.

https://apidocs.chargebee.com/docs/api/list-ops : `next_offset` goes back whole as `offset`, all
other parameters must stay the same, and the last page has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from tieout.core.errors import InvalidRecord, StopRun
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient

PAGE_SIZE = 100


class _List(msgspec.Struct):
    rows: list[dict[str, msgspec.Raw]] = msgspec.field(name="list")
    next_offset: str | None = None


class Head(msgspec.Struct):
    """What is looked at in an object while it passes through."""

    id: str
    type: Any = None
    status: Any = None
    deleted: Any = None
    updated_at: Any = None
    line_items_next_offset: Any = None
    contacts: Any = None


_lists = msgspec.json.Decoder(_List)
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_heads = msgspec.json.Decoder(Head)


@dataclass(frozen=True)
class Listing:
    """One page; `offset` is "" on the last one."""

    records: list[bytes]
    offset: str


def walk(rest: RestClient, request: Request, name: str, offset: str = "") -> Iterator[Listing]:
    """Every page from `offset` on. StopRun if the list runs in a circle.

    An offset that Chargebee no longer takes begins the list anew.
    """
    request, seen = request.with_params(limit=PAGE_SIZE), set[str]()
    while True:
        try:
            page = _page(rest, request, name, offset)
        except InvalidRecord as error:
            if not offset or seen or "offset" not in error.message:
                raise
            offset = ""
            page = _page(rest, request, name, offset)
        yield page
        if not page.offset:
            return
        if page.offset in seen or page.offset == offset:
            raise StopRun(
                f"{request.path}: Chargebee sent the same offset twice", hint="try again later"
            )
        seen.add(page.offset)
        offset = page.offset


def _page(rest: RestClient, request: Request, name: str, offset: str) -> Listing:
    asked = request.with_params(offset=offset or None)

    def parsed(answer: HttpAnswer) -> Listing:
        found = _decoded(_lists, answer.body)
        # A row without its object is passed on whole, for the mapping to refuse.
        rows = [bytes(row[name]) if name in row else msgspec.json.encode(row) for row in found.rows]
        return Listing(rows, found.next_offset or "")

    return rest.read(asked, parsed)


def single(answer: HttpAnswer, name: str) -> bytes:
    """The object in a single answer; ValueError where the body is torn or holds none."""
    found = _decoded(_objects, answer.body)
    if name not in found:
        raise ValueError(f"no {name!r} in the answer")
    record = bytes(found[name])
    head_of(record)
    return record


def head_of(record: bytes) -> Head:
    """The record's id and the like; ValueError if it is no JSON object or has none."""
    found: Head = _decoded(_heads, record)
    return found


def is_gone(head: Head) -> bool:
    """Whether it is a deleted object: catalog objects say so in their status."""
    return head.deleted is True or head.status == "deleted"


def _decoded(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
