"""What ran: one row a job execution, with its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieout.core.errors import NotFound

from .db import Database, Row, maybe_moment, moment
from .rows import text_of, value_of


@dataclass(frozen=True)
class Run:
    """`state` is running until `finish` says otherwise (done, failed, attention, died)."""

    id: str
    job: str
    started_at: datetime
    finished_at: datetime | None
    state: str
    counts: dict[str, Any]
    details: dict[str, Any]


class Runs:
    def __init__(self, db: Database) -> None:
        self._db = db

    def start(self, job: str, details: Mapping[str, Any] | None = None) -> str:
        """Begins a run and returns its id, which every row it causes will name."""
        id = self._db.ports.new_id()
        self._db.write(_START, (id, job, self._db.now(), text_of(details or {})))
        return id

    def progress(self, id: str, counts: Mapping[str, Any]) -> None:
        """Shows how far a run is; replaces the counts."""
        self._db.write("UPDATE runs SET counts = ? WHERE id = ?", (text_of(counts), id))

    def finish(self, id: str, state: str, counts: Mapping[str, Any] | None = None) -> None:
        """Ends a run; without counts those of the last `progress` stay."""
        told = None if counts is None else text_of(counts)
        self._db.write(_FINISH, (self._db.now(), state, told, id))

    def bury(self) -> int:
        """Marks runs that a crash left running as died; only the one writing process may ask."""
        return len(self._db.write(_BURY, (self._db.now(),)))

    def list(self, job: str | None = None, *, limit: int = 50) -> list[Run]:
        """Newest first."""
        return [_run(row) for row in self._db.rows(_LIST, (job, limit))]

    def show(self, id: str) -> Run:
        row = self._db.row(_SHOW, (id,))
        if row is None:
            raise NotFound(f"no run {id}", hint="list them: tieout runs list")
        return _run(row)


def _run(row: Row) -> Run:
    return Run(
        id=row[0],
        job=row[1],
        started_at=moment(row[2]),
        finished_at=maybe_moment(row[3]),
        state=row[4],
        counts=value_of(row[5]),
        details=value_of(row[6]),
    )


_START = (
    "INSERT INTO runs (id, job, started_at, state, counts, details)"
    " VALUES (?, ?, ?, 'running', '{}', ?)"
)
_FINISH = "UPDATE runs SET finished_at = ?, state = ?, counts = COALESCE(?, counts) WHERE id = ?"
_BURY = "UPDATE runs SET finished_at = ?, state = 'died' WHERE state = 'running' RETURNING id"
_SELECT = "SELECT id, job, started_at, finished_at, state, counts, details FROM runs"
_LIST = _SELECT + " WHERE job = COALESCE(?, job) ORDER BY started_at DESC, id LIMIT ?"
_SHOW = _SELECT + " WHERE id = ?"
