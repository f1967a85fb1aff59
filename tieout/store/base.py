"""What golden record and system last agreed on: the memory that tells "they changed it" from
"we changed it". Losing it is safe: records then meet as strangers, and a person is asked where
they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .db import Database, chunks, marks_for
from .rows import text_of, value_of


class Base:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, link: str, system: str) -> dict[str, Any] | None:
        """The agreed fields as plain JSON values (times and dates are text); None: never met."""
        text = self._db.value(_GET, (link, system))
        if text is None:
            return None
        fields: dict[str, Any] = value_of(text)
        return fields

    def many(self, links: Iterable[str], system: str) -> dict[str, dict[str, Any]]:
        """The agreed fields of those links that have any."""
        found: dict[str, dict[str, Any]] = {}
        for some in chunks(links):
            sql = _MANY + marks_for(len(some)) + ")"
            found.update(
                (link, value_of(text)) for link, text in self._db.rows(sql, [system, *some])
            )
        return found

    def put(self, link: str, system: str, fields: Mapping[str, Any]) -> None:
        """Replaces what was agreed; fields that are not given are forgotten."""
        self._db.write(_PUT, (link, system, text_of(dict(fields)), self._db.now()))

    def forget(self, link: str, system: str | None = None) -> None:
        self._db.write(_FORGET, (link, system))


_GET = "SELECT fields FROM base WHERE link = ? AND system = ?"
_MANY = "SELECT link, fields FROM base WHERE system = ? AND link IN ("
_PUT = (
    "INSERT INTO base (link, system, fields, agreed_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (link, system) DO UPDATE"
    " SET fields = excluded.fields, agreed_at = excluded.agreed_at"
)
_FORGET = "DELETE FROM base WHERE link = ? AND system = COALESCE(?, system)"
