"""The record API: writes that happen once, and reads that are never behind.

A create is an upsert by our external id (`PUT /record/v1/{type}/eid:{key}`): the only way in
which NetSuite recognises a repeat. On a record that exists an upsert would double its lines,
so that is looked at first.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156335203191.html
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tieout.core.errors import InvalidRecord, NotFound, ProviderDown, UnknownOutcome
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, segment
from tieout.rest.json import decode

from .kinds import Kind

Body = dict[str, Any]
RECORDS = "/services/rest/record/v1"
# Unknown fields would otherwise be ignored with a warning that nobody reads.
STRICT = {"X-NetSuite-PropertyNameValidation": "error"}
_LOCATION = re.compile(r"/record/v1/[^/]+/(-?\d+)/?(?:\?.*)?$", re.I)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


class Records:
    """One account's record API."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def get(self, type: str, id: str) -> bytes | None:
        """The whole record, sublists inline, as NetSuite's own bytes."""
        asked = Request(
            "GET", f"{RECORDS}/{type}/{segment(id)}", {"expandSubResources": True}, attempts=5
        )
        try:
            return self._rest.read(asked, _whole)
        except NotFound:
            return None

    def fields(self, type: str, id: str, *names: str) -> Body | None:
        """Some body fields of a record; None if there is none."""
        asked = Request("GET", f"{RECORDS}/{type}/{segment(id)}", {"fields": ",".join(names)})
        try:
            found = self._rest.send(asked)
        except NotFound:
            return None
        return found if isinstance(found, dict) else None

    def id_of(self, type: str, key: str) -> str | None:
        """The internal id of the record with this external id; None if there is none."""
        asked = Request("GET", f"{RECORDS}/{type}/eid:{checked(key)}", {"fields": "id"})
        try:
            # The official answer to `fields=` has those fields only; the whole one has its id.
            found = _id_in(self._rest.send(asked)) or _id_in(
                self._rest.send(replace(asked, params={}))
            )
        except NotFound:
            return None
        if found is None:
            raise ProviderDown(f"NetSuite shows {type} {key}, but not its internal id")
        return found

    def put(self, kind: Kind, type: str, key: str, body: Body) -> str:
        """Create under our external id; the internal id. Call only where there is none yet."""
        asked = Request("PUT", f"{RECORDS}/{type}/eid:{checked(key)}", json=body, headers=STRICT)
        return self._id_made(self._rest.read(asked, _saved), type, key)

    def post(self, type: str, body: Body, key: str) -> str:
        """Create where our key stands in a custom field of the body."""
        asked = Request("POST", f"{RECORDS}/{type}", json=body, headers=STRICT)
        made = _location(self._rest.read(asked, _saved))
        if made is None:
            raise UnknownOutcome(f"NetSuite did not say which record it made for {key}")
        return made

    def patch(self, kind: Kind, type: str, id: str, body: Body) -> None:
        """Change fields; sublists in the body replace those that are there."""
        replaced = [name for name in kind.sublists if name in body]
        params = {"replace": ",".join(replaced)} if replaced else {}
        path = f"{RECORDS}/{type}/{segment(id)}"
        self._rest.read(Request("PATCH", path, params, json=body, headers=STRICT), _saved)

    def _id_made(self, answer: HttpAnswer, type: str, key: str) -> str:
        made = _location(answer) or self.id_of(type, key)
        if made is None:
            raise UnknownOutcome(f"NetSuite did not say which record it made for {key}")
        return made


def checked(key: str) -> str:
    """An external id that NetSuite can hold; `|` separates values in its own lists."""
    if not _KEY.match(key):
        raise InvalidRecord(
            f"{key!r} cannot be an external id", hint="letters, digits, _ and - only"
        )
    return key


def _saved(answer: HttpAnswer) -> HttpAnswer:
    """A save answers without a body; a gateway's page with a 200 is none. ValueError then."""
    if answer.body.strip():
        decode(answer.body)
    return answer


def _whole(answer: HttpAnswer) -> bytes:
    """The record's bytes as they came. ValueError where they break off or are no record."""
    if not isinstance(decode(answer.body), dict):
        raise ValueError("this is no record")
    return answer.body


def _location(answer: HttpAnswer) -> str | None:
    found = _LOCATION.search(answer.headers.get("location", ""))
    return found.group(1) if found else None


def _id_in(found: Any) -> str | None:
    """The id of a record read with `fields=`, which may stand in its own link only."""
    if not isinstance(found, dict):
        return None
    if found.get("id") is not None:
        return str(found["id"])
    for link in found.get("links") or ():
        own = _LOCATION.search(str(link.get("href", ""))) if isinstance(link, dict) else None
        if own:
            return own.group(1)
    return None
