"""Webhooks as received, durable before they are acknowledged. An event that comes twice is one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .db import Database, Row, moment
from .sequence import Numbers


@dataclass(frozen=True)
class Received:
    """One event in the inbox. `state` is new until something has looked at it."""

    n: int
    system: str
    event_id: str
    received_at: datetime
    headers: dict[str, str]
    body: bytes
    state: str


class Inbox:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._numbers = Numbers(db, "inbox")

    def keep(
        self, system: str, event_ids: Iterable[str], headers: Mapping[str, str], body: bytes
    ) -> int:
        """Keep the body under each event id; how many were new. Durable when it returns."""
        told, now, new = json.dumps(dict(headers), sort_keys=True), self._db.now(), 0
        with self._db.transaction() as connection:
            for event_id in dict.fromkeys(event_ids):
                row = (self._numbers.next(), system, event_id, now, told, body)
                new += len(connection.execute(_KEEP, row).fetchall())
        return new

    def list(self, state: str | None = None, *, after: int = 0, limit: int = 100) -> list[Received]:
        """In the order of arrival, from the one after number `after`."""
        return [_received(row) for row in self._db.rows(_LIST, (state, after, limit))]

    def counts(self) -> dict[str, int]:
        """state -> number."""
        return dict(self._db.rows("SELECT state, COUNT(*) FROM inbox GROUP BY state"))


def _received(row: Row) -> Received:
    n, system, event_id, at, headers, body, state = row
    return Received(n, system, event_id, moment(at), json.loads(headers), body, state)


_KEEP = (
    "INSERT INTO inbox (n, system, event_id, received_at, headers, body, state, attempt)"
    " VALUES (?, ?, ?, ?, ?, ?, 'new', 0) ON CONFLICT (system, event_id) DO NOTHING RETURNING n"
)
_LIST = (
    "SELECT n, system, event_id, received_at, headers, body, state FROM inbox"
    " WHERE state = COALESCE(?, state) AND n > ? ORDER BY n LIMIT ?"
)
