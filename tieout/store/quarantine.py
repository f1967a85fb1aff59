"""Records that could not be used, set aside with the reason and the bytes, until they can."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .db import Database, Row, chunks, marks_for, moment


@dataclass(frozen=True)
class SetAside:
    """One record in quarantine. `times` counts how often it was refused."""

    entity: str
    system: str
    id: str
    reason: str
    raw: bytes
    mapping_version: str
    run: str
    first_at: datetime
    last_at: datetime
    times: int


class Quarantine:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(
        self,
        entity: str,
        system: str,
        id: str,
        reason: str,
        raw: bytes,
        mapping_version: str,
        run: str,
    ) -> None:
        """Sets a record aside, or notes that it was refused again."""
        now = self._db.now()
        told = (_printable(id), _printable(reason))
        self._db.write(_PUT, (system, entity, *told, raw, mapping_version, run, now, now))

    def list(
        self,
        entity: str | None = None,
        system: str | None = None,
        *,
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 100,
    ) -> list[SetAside]:
        """In order of (system, entity, id); `after` is that of the last one already seen."""
        rows = self._db.rows(_LIST, (entity, system, *after, limit))
        return [_set_aside(row) for row in rows]

    def clear(self, entity: str, system: str, id: str) -> None:
        self.clear_many(entity, system, [id])

    def clear_many(self, entity: str, system: str, ids: Iterable[str]) -> None:
        """Frees those of the ids that are here; one question a chunk where none is."""
        with self._db.transaction() as connection:
            if connection.execute(_ANY, (system, entity)).fetchone() is None:
                return
            for some in chunks(ids):
                sql = _CLEAR + marks_for(len(some)) + ")"
                connection.execute(sql, [system, entity, *map(_printable, some)])

    def count(self, entity: str | None = None, system: str | None = None) -> int:
        return int(self._db.value(_COUNT, (entity, system)))


def _set_aside(row: Row) -> SetAside:
    values = list(row)
    values[7:9] = map(moment, row[7:9])
    return SetAside(*values)


def _printable(text: str) -> str:
    """The text with what no database can keep written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


_PUT = (
    "INSERT INTO quarantine (system, entity, id, reason, body, mapping_version, run, first_at,"
    " last_at, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT (system, entity, id) DO UPDATE SET reason = excluded.reason,"
    " body = excluded.body, mapping_version = excluded.mapping_version, run = excluded.run,"
    " last_at = excluded.last_at, times = quarantine.times + 1"
)
_LIST = (
    "SELECT entity, system, id, reason, body, mapping_version, run, first_at, last_at, times"
    " FROM quarantine WHERE entity = COALESCE(?, entity) AND system = COALESCE(?, system)"
    " AND (system, entity, id) > (?, ?, ?) ORDER BY system, entity, id LIMIT ?"
)
_ANY = "SELECT 1 FROM quarantine WHERE system = ? AND entity = ? LIMIT 1"
_CLEAR = "DELETE FROM quarantine WHERE system = ? AND entity = ? AND id IN ("
_COUNT = (
    "SELECT COUNT(*) FROM quarantine"
    " WHERE entity = COALESCE(?, entity) AND system = COALESCE(?, system)"
)
