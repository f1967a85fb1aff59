"""Object Query: pages of rows of one resource, filtered, sorted and walked by cursor.

`GET /object-query/{resource}`: `filter[]=field.OP:value` (all must hold), one `sort[]`, `expand[]`
for single related objects. The cursor remembers the last sort value and id, so rows that appear
meanwhile shift nothing. Lists are never expanded here: they are cut at the page size without a
mark. https://developer.zuora.com/docs/guides/expand-filter-fields-sort
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from tieout.core.errors import ConfigError, InvalidRecord, NotFound, StopRun
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, json, segment

log = logging.getLogger("tieout.zuora")

IDS_A_CALL = 40  # with ids of 32 characters an address stays below 2,000
UPDATED = "updateddate"


@dataclass(frozen=True)
class Asked:
    """What to list. `expands` names single related objects only."""

    resource: str
    filters: tuple[str, ...] = ()
    sort: str = ""
    expands: tuple[str, ...] = ()

    def params(self, size: int, cursor: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("pageSize", size), ("includeNullFields", True)]
        found += [("filter[]", each) for each in self.filters]
        found += [("expand[]", each) for each in self.expands]
        if self.sort:
            found.append(("sort[]", f"{self.sort}.ASC"))
        if cursor:
            found.append(("cursor", cursor))
        return found


@dataclass(frozen=True)
class Rows:
    """One page: each row as Zuora's own bytes; `cursor` "" where it is the last one."""

    rows: list[bytes]
    cursor: str


class ObjectQuery:
    """Lists and reads for one tenant. Expansions that it refuses are left out and remembered."""

    def __init__(self, rest: RestClient, *, page_size: int) -> None:
        self._rest, self._size = rest, page_size
        self._plain: set[str] = set()

    def page(self, asked: Asked, cursor: str = "", *, size: int = 0) -> Rows:
        """One page. InvalidRecord where Zuora does not take the filter or the cursor."""
        size = size or self._size
        if not asked.expands or asked.resource in self._plain:
            return self._page(replace(asked, expands=()), cursor, size)
        try:
            return self._page(asked, cursor, size)
        except NotFound:
            raise
        except InvalidRecord as error:
            found = self._page(replace(asked, expands=()), cursor, size)
            log.info("%s are read without related objects: %s", asked.resource, error.message)
            self._plain.add(asked.resource)
            return found

    def _page(self, asked: Asked, cursor: str, size: int) -> Rows:
        path = f"/object-query/{asked.resource}"
        return self._rest.read(Request("GET", path, asked.params(size, cursor)), _page)

    def walk(self, asked: Asked, cursor: str = "") -> Iterator[Rows]:
        """All pages from the cursor on. StopRun if they run in a circle."""
        while True:
            page = self.page(asked, cursor)
            yield page
            if not page.cursor:
                return
            if page.cursor == cursor:
                raise StopRun(f"{asked.resource}: Zuora sent the same cursor twice")
            cursor = page.cursor

    def one(self, resource: str, id: str, expands: Sequence[str] = ()) -> bytes | None:
        """A row by its id (or its number, where the resource takes one)."""
        path = f"/object-query/{resource}/{segment(id)}"
        kept = () if resource in self._plain else tuple(expands)
        try:
            return self._rest.read(_whole(path, kept), _row)
        except NotFound:
            return None
        except InvalidRecord:
            if not kept:
                raise
        try:
            return self._rest.read(_whole(path, ()), _row)
        except NotFound:
            return None

    def rows(self, asked: Asked) -> Iterator[dict[str, Any]]:
        """All rows, decoded."""
        for page in self.walk(asked):
            for row in page.rows:
                found = json.decode(row)
                if isinstance(found, dict):
                    yield found

    def of(self, resource: str, field: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The rows whose field holds one of the ids, a few ids a call."""
        for first in range(0, len(ids), IDS_A_CALL):
            part = ids[first : first + IDS_A_CALL]
            yield from self.rows(Asked(resource, (among(field, part),)))

    def first(self, asked: Asked) -> dict[str, Any] | None:
        """The first row, or None."""
        for row in self.page(asked, size=2).rows:
            found = json.decode(row)
            return found if isinstance(found, dict) else None
        return None

    def refused(self, asked: Asked) -> str:
        """Why this may not be listed, "" if it may."""
        try:
            self.page(asked, size=2)
        except (InvalidRecord, ConfigError) as error:
            return error.message
        return ""


def since(moment: datetime) -> str:
    """The filter for what changed at or after a moment."""
    return f"{UPDATED}.GE:{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def among(field: str, values: Sequence[str]) -> str:
    return f"{field}.IN:[{','.join(values)}]"


def _whole(path: str, expands: Sequence[str]) -> Request:
    params = [("includeNullFields", "true"), *(("expand[]", each) for each in expands)]
    return Request("GET", path, params)


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    nextPage: str | None = None


_pages = msgspec.json.Decoder(_Page)


def _page(answer: HttpAnswer) -> Rows:
    try:
        found = _pages.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    return Rows([bytes(row) for row in found.data], found.nextPage or "")


def _row(answer: HttpAnswer) -> bytes:
    """One object as it is; some answers hold it in a list of one."""
    found = json.decode(answer.body)
    if not isinstance(found, dict):
        raise ValueError("this is no record")
    if isinstance(found.get("data"), list):
        rows = json.split_array(answer.body, "data")
        if not rows:
            raise NotFound("there is no such record")
        return rows[0]
    return answer.body
