"""Possible links that a person must judge: never a silent merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieout.core.errors import NotFound

from .db import Database, Row, moment
from .links import Member
from .rows import text_of, value_of


@dataclass(frozen=True)
class Candidate:
    """`state` is open, linked or refused; `details` says what speaks for and against."""

    id: str
    entity: str
    left: Member
    right: Member
    reason: str
    details: dict[str, Any]
    state: str
    made_at: datetime


class Candidates:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(
        self,
        entity: str,
        left: Member,
        right: Member,
        reason: str,
        details: Mapping[str, Any] | None = None,
    ) -> str:
        """Files a pair and returns its id. A pair that a person has judged keeps the verdict."""
        made = (self._db.ports.new_id(), entity, *left, *right, reason, text_of(details or {}))
        return str(self._db.write(_PUT, (*made, self._db.now()))[0][0])

    def list(
        self, state: str | None = "open", entity: str | None = None, *, limit: int = 500
    ) -> list[Candidate]:
        """Oldest first; `state` None lists all."""
        return [_candidate(row) for row in self._db.rows(_LIST, (state, entity, limit))]

    def get(self, id: str) -> Candidate:
        row = self._db.row(_GET, (id,))
        if row is None:
            raise NotFound(f"no possible link {id}", hint="list them: tieout links review")
        return _candidate(row)

    def count(self) -> int:
        """Pairs that wait for a person."""
        return int(self._db.value("SELECT COUNT(*) FROM candidates WHERE state = 'open'"))

    def resolve(self, id: str, state: str, by: str) -> Candidate:
        """Notes a person's verdict, "linked" or "refused"; the caller makes the link."""
        if not self._db.write(_RESOLVE, (state, self._db.now(), by, id)):
            raise NotFound(f"no possible link {id}", hint="list them: tieout links review")
        return self.get(id)


def _candidate(row: Row) -> Candidate:
    return Candidate(
        id=row[0],
        entity=row[1],
        left=(row[2], row[3]),
        right=(row[4], row[5]),
        reason=row[6],
        details=value_of(row[7]),
        state=row[8],
        made_at=moment(row[9]),
    )


_SELECT = (
    "SELECT id, entity, left_system, left_id, right_system, right_id, reason, details, state,"
    " made_at FROM candidates"
)
_GET = _SELECT + " WHERE id = ?"
_LIST = _SELECT + (
    " WHERE state = COALESCE(?, state) AND entity = COALESCE(?, entity)"
    " ORDER BY made_at, id LIMIT ?"
)
_PUT = (
    "INSERT INTO candidates (id, entity, left_system, left_id, right_system, right_id, reason,"
    " details, state, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)"
    " ON CONFLICT (entity, left_system, left_id, right_system, right_id) DO UPDATE"
    " SET reason = excluded.reason, details = excluded.details RETURNING id"
)
_RESOLVE = (
    "UPDATE candidates SET state = ?, resolved_at = ?, resolved_by = ? WHERE id = ? RETURNING id"
)
