"""Paging schemes. Each is a generator that yields requests and is sent the answers, so it does
no I/O: a test drives it with plain dicts, `RestClient.pages` with a provider."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Any

from tieout.core.errors import StopRun
from tieout.core.ports import HttpAnswer

from .json import Json
from .request import Request

Paging = Generator[Request, Json, None]
LinkPaging = Generator[Request, HttpAnswer, None]

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


class LoopGuard:
    """Remembers the cursors of one listing and stops when one comes back."""

    def __init__(self, first: Request) -> None:
        self.path, self.seen = first.path, set[str]()

    def check(self, token: str) -> str:
        """The token itself; StopRun if this listing has already used it."""
        if token in self.seen:
            raise StopRun(
                f"{self.path}: the same cursor came back twice",
                hint="the provider is paging in a loop; what was read before is kept",
            )
        self.seen.add(token)
        return token


def cursor_pages(first: Request, *, cursor: str, param: str) -> Paging:
    """The answer's `cursor` field ("meta.next" goes deeper), sent back as `param`."""
    request, guard = first, LoopGuard(first)
    while True:
        token = dig((yield request), cursor)
        if token in (None, "", False):
            return
        request = first.with_params({param: guard.check(str(token))})


def offset_pages(
    first: Request,
    *,
    items: str,
    offset: str = "offset",
    limit: str = "limit",
    size: int = 100,
    more: str | None = None,
) -> Paging:
    """Counts the rows read. Ends at a short page, or where the field `more` says false.

    Rows that appear or vanish meanwhile shift the pages: use a cursor where there is one.
    """
    position = 0
    while True:
        answer = yield first.with_params({limit: size, offset: position})
        rows = dig(answer, items)
        count = len(rows) if isinstance(rows, Sequence) else 0
        position += count
        if not count or (not dig(answer, more) if more else count < size):
            return


def next_url_pages(first: Request, *, field: str) -> Paging:
    """The answer's `field` holds the next page's whole address (checked by the client)."""
    request, guard = first, LoopGuard(first)
    while True:
        address = dig((yield request), field)
        if not address:
            return
        request = _moved(first, guard.check(str(address)))


def link_pages(first: Request) -> LinkPaging:
    """RFC 8288 `Link: <...>; rel="next"`; drive it with `client.pages(p, send=client.send_raw)`."""
    request, guard = first, LoopGuard(first)
    while True:
        address = next_link((yield request).headers.get("link", ""))
        if not address:
            return
        request = _moved(first, guard.check(address))


def query_more_pages(first: Request, *, done: str = "done", next: str = "nextRecordsUrl") -> Paging:
    """Salesforce's and Zuora's way: `done` is false and `next` names where to go on."""
    request, guard = first, LoopGuard(first)
    while True:
        answer = yield request
        address = dig(answer, next)
        if dig(answer, done) is not False or not address:
            return
        request = _moved(first, guard.check(str(address)))


def next_link(header: str) -> str | None:
    """The address with rel="next" in a Link header."""
    for address, rest in _LINK.findall(header):
        for quoted, bare in _REL.findall(rest):
            if "next" in (quoted or bare).lower().split():
                return str(address)
    return None


def dig(answer: Any, path: str) -> Any:
    """The value at "a.b.c", or None where there is none."""
    for name in path.split("."):
        if not isinstance(answer, dict):
            return None
        answer = answer.get(name)
    return answer


def _moved(first: Request, address: str) -> Request:
    """The same request elsewhere. The new address carries its own query."""
    return Request(
        first.method,
        address,
        json=first.json,
        form=first.form,
        body=first.body,
        headers=first.headers,
        idempotent=first.idempotent,
        reads=first.reads,
    )
