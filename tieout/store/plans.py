"""Plans: decisions in order, stored before anything is written, shown and then applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from tieout.core.errors import NotFound

from .db import CHUNK, Database, Row, chunks, maybe_moment, moment
from .rows import text_of, value_of


@dataclass(frozen=True)
class Planned:
    """One decision. `target` is the system to write to; `body` holds what the decision needs to
    be shown and applied (fields to write, contested fields, what is there now), as JSON values."""

    flow: str
    entity: str
    target: str
    action: str
    reason: str
    link: str | None = None
    record_id: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    position: int = 0


@dataclass(frozen=True)
class Plan:
    """`state` is open, applied, superseded or refused; `counts` is action -> number."""

    id: str
    made_at: datetime
    state: str
    run: str
    counts: dict[str, int]
    details: dict[str, Any]
    applied_at: datetime | None


class Plans:
    def __init__(self, db: Database) -> None:
        self._db = db

    def save(
        self,
        id: str,
        decisions: Iterable[Planned],
        *,
        run: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> Plan:
        """Keeps a plan whole or not at all; decisions may be a generator. Open plans that were
        made before are superseded."""
        positions, counts = count(1), dict[str, int]()
        with self._db.transaction() as connection:
            connection.execute("UPDATE plans SET state = 'superseded' WHERE state = 'open'")
            made = (id, self._db.now(), run, text_of(details or {}))
            connection.execute(_SAVE, made)
            for some in chunks(decisions):
                for one in some:
                    counts[one.action] = counts.get(one.action, 0) + 1
                rows = [_decision_row(id, next(positions), one) for one in some]
                connection.executemany(_DECISION, rows)
            connection.execute("UPDATE plans SET counts = ? WHERE id = ?", (text_of(counts), id))
        return self.get(id)

    def get(self, id: str) -> Plan:
        row = self._db.row(_GET, (id,))
        if row is None:
            raise NotFound(f"no plan {id}", hint="make one: tieout plan")
        return _plan(row)

    def decisions(
        self, id: str, *, after: int = 0, action: str | None = None, limit: int | None = None
    ) -> Iterator[Planned]:
        """In order, from the one after position `after`; memory stays flat."""
        left = limit
        while left is None or left > 0:
            size = CHUNK if left is None else min(CHUNK, left)
            rows = self._db.rows(_DECISIONS, (id, after, action, size))
            yield from map(_planned, rows)
            if len(rows) < size:
                return
            after, left = rows[-1][0], None if left is None else left - size

    def latest(self, state: str | None = None) -> Plan | None:
        found = self.list(state, limit=1)
        return found[0] if found else None

    def list(self, state: str | None = None, *, limit: int = 50) -> list[Plan]:
        """Newest first."""
        return [_plan(row) for row in self._db.rows(_LIST, (state, limit))]

    def describe(self, id: str, details: Mapping[str, Any]) -> None:
        """Replaces what is kept with the plan as a whole (its totals)."""
        self._db.write("UPDATE plans SET details = ? WHERE id = ?", (text_of(details), id))

    def mark(self, id: str, state: str) -> None:
        """Sets the state; "applied" notes the time."""
        done = self._db.now() if state == "applied" else None
        if not self._db.write(_MARK, (state, done, id)):
            raise NotFound(f"no plan {id}", hint="make one: tieout plan")


def _decision_row(plan: str, position: int, one: Planned) -> Row:
    return (
        *(plan, position, one.flow, one.entity, one.target, one.action, one.reason),
        *(one.link, one.record_id, text_of(one.body)),
    )


def _planned(row: Row) -> Planned:
    position, *told, body = row
    return Planned(*[*told, value_of(body), position])


def _plan(row: Row) -> Plan:
    return Plan(
        id=row[0],
        made_at=moment(row[1]),
        state=row[2],
        run=row[3],
        counts=value_of(row[4]),
        details=value_of(row[5]),
        applied_at=maybe_moment(row[6]),
    )


_SELECT = "SELECT id, made_at, state, run, counts, details, applied_at FROM plans"
_GET = _SELECT + " WHERE id = ?"
_LIST = _SELECT + " WHERE state = COALESCE(?, state) ORDER BY made_at DESC, id DESC LIMIT ?"
_SAVE = (
    "INSERT INTO plans (id, made_at, state, run, counts, details) VALUES (?, ?, 'open', ?, '{}', ?)"
)
_DECISION = (
    "INSERT INTO decisions (plan, position, flow, entity, target, action, reason, link,"
    " record_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DECISIONS = (
    "SELECT position, flow, entity, target, action, reason, link, record_id, body FROM decisions"
    " WHERE plan = ? AND position > ? AND action = COALESCE(?, action) ORDER BY position LIMIT ?"
)
_MARK = "UPDATE plans SET state = ?, applied_at = COALESCE(?, applied_at) WHERE id = ? RETURNING id"
