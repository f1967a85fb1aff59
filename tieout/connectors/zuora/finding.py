"""Our key in Zuora's records, and looking for the record that holds it.

Where Zuora lets us give a number (accounts, products, charges, subscriptions, invoices, usage), our
number is made of the key: a number is unique, so a second create is refused and not doubled. Where
it does not (payments, refunds, memos, journals, contacts), the key is marked in a comment. With
`key_field` it stands in a custom field, and records keep the numbers that they came with.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, timedelta

from tieout.core.errors import ConfigError, InvalidRecord, UnknownOutcome

from .bulk import quoted
from .kinds import Kind, Source
from .objectquery import UPDATED, Asked, since
from .reading import Tenant
from .rows import folded, text

LATELY = timedelta(hours=26)  # longer than Zuora keeps an idempotency key
_PLAIN_KEY = re.compile(r"[0-9a-f]{32}")
_SAFE = re.compile(r"[^A-Za-z0-9_.:-]")


def number_of(key: str) -> str:
    """Our number for a key: at most 32 characters of A-Z, 0-9 and -, as invoices want it.

    A key of 32 hex digits can be read back from it (TO-...), of another only a digest (TX-...).
    """
    if _PLAIN_KEY.fullmatch(key):
        return "TO-" + base64.b32encode(bytes.fromhex(key)).decode().rstrip("=")
    digest = hashlib.sha256(key.encode()).digest()[:16]
    return "TX-" + base64.b32encode(digest).decode().rstrip("=")


def mark_of(key: str) -> str:
    """`[tieout:<key>]`, to stand at the end of a comment."""
    return f"[tieout:{_SAFE.sub('_', key)[:64]}]"


def marked(comment: object, key: str) -> str:
    """A comment with our mark at its end, within the 255 characters of the shortest field."""
    mark = mark_of(key)
    told = "" if comment is None else str(comment)
    return f"{told[: 254 - len(mark)]} {mark}".strip()


class Finder:
    """Finds the record of an entity that carries a key: its id as Zuora has it, or None."""

    def __init__(self, tenant: Tenant, kind: Kind, sources: tuple[Source, ...]) -> None:
        self._tenant, self._kind, self._sources = tenant, kind, sources

    def find(self, key: str) -> str | None:
        """Asks Object Query, then Data Query. UnknownOutcome where neither can tell."""
        field = self._tenant.settings.key_field
        for source in self._sources:
            if field:
                found = self._equal(source, field.lower(), key)
            elif self._kind.marked:
                found = self._mentioned(source, self._kind.key_in, mark_of(key))
            elif source is self._sources[0]:
                found = self._equal(source, self._kind.key_in, number_of(key))
                if not found and self._kind.or_marked_in:
                    found = self._mentioned(source, self._kind.or_marked_in, mark_of(key))
            else:
                continue
            if found:
                return found
        return None

    def _equal(self, source: Source, field: str, value: str) -> str | None:
        if source.resource:
            asked = Asked(source.resource, (f"{field}.EQ:{value}",))
            try:
                rows = [folded(row) for row in self._tenant.query.page(asked).rows]
                ids = (text(row, source.id) for row in rows if text(row, field) == value)
                return next(ids, None)
            except InvalidRecord:
                pass  # not a field that can be filtered by
        return self._in_table(source, f"p.{field} = '{quoted(value)}'")

    def _mentioned(self, source: Source, field: str, mark: str) -> str | None:
        """Lately made ones are listed; older ones are searched for by Data Query."""
        if source.resource:
            moment = self._tenant.ports.now().astimezone(UTC) - LATELY
            for row in self._tenant.query.rows(Asked(source.resource, (since(moment),), UPDATED)):
                fields = folded(row)
                if mark in text(fields, field):
                    return text(fields, source.id)
        return self._in_table(source, f"p.{field} like '%{quoted(mark)}%'")

    def _in_table(self, source: Source, condition: str) -> str | None:
        if self._tenant.settings.data_query == "no":
            raise self._cannot_tell("data_query is off")
        sql = f"select p.id, p.{source.id} from {source.table} p where {condition}"
        if source.id == "id":
            sql = f"select p.id from {source.table} p where {condition}"
        try:
            return next(self._ids(source, sql), None)
        except (InvalidRecord, ConfigError) as error:
            raise self._cannot_tell(error.message) from None

    def _ids(self, source: Source, sql: str) -> Iterator[str]:
        for row in self._tenant.data.rows(source.table, sql):
            if id := text(row, source.id):
                yield id

    def _cannot_tell(self, reason: str) -> UnknownOutcome:
        return UnknownOutcome(
            f"whether Zuora has this {self._kind.entity} cannot be looked up: {reason}",
            hint="give `key_field` an indexed custom field, or look in Zuora",
        )
