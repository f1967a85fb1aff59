"""The trail of what was done and by whom. Rows can only be added, and each seals the one before:
whoever changes, removes or reorders a row breaks every hash after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from .db import CHUNK, Database, Row, moment
from .rows import text_of, value_of

START = b"\0" * 32


@dataclass(frozen=True)
class Entry:
    """One thing that was done. `n` counts from 1 without gaps."""

    n: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    hash: str


class Audit:
    def __init__(self, db: Database) -> None:
        self._db = db

    def append(
        self, actor: str, action: str, subject: str, details: Mapping[str, Any] | None = None
    ) -> int:
        """Adds a row, sealed with the hash of the one before; its number."""
        with self._db.transaction() as connection:
            last = connection.execute(_LAST).fetchone()
            n, before = (last[0] + 1, last[1]) if last else (1, START)
            row = (n, self._db.now(), actor, action, subject, text_of(details or {}))
            connection.execute(_APPEND, (*row, _seal(before, row)))
            connection.execute(_HEAD, (n,))
        return n

    def verify(self, head: tuple[int, str] | None = None) -> int | None:
        """The number of the first row that is wrong or missing; None if the trail is whole.

        A `head` noted elsewhere also betrays a trail whose hashes were all computed anew.
        """
        before, expected = START, 1
        for *row, hash in self._walk():
            if row[0] != expected or hash != _seal(before, row):
                return expected
            if head is not None and row[0] == head[0] and hash.hex() != head[1]:
                return expected
            before, expected = hash, expected + 1
        kept = self._db.value("SELECT value FROM sequences WHERE name = 'audit'") or 0
        length = max(kept, head[0] if head else 0)
        return expected if length >= expected else None

    def head(self) -> tuple[int, str]:
        """Number and hash of the last row: kept elsewhere, it proves that nothing was cut off."""
        last = self._db.row(_LAST)
        return (last[0], last[1].hex()) if last else (0, START.hex())

    def list(self, *, before: int | None = None, limit: int = 100) -> list[Entry]:
        """Newest first, from the one before number `before`."""
        return [_entry(row) for row in self._db.rows(_LIST, (before or 2**62, limit))]

    def _walk(self) -> Iterator[Row]:
        after = 0
        while rows := self._db.rows(_WALK, (after, CHUNK)):
            yield from rows
            after = rows[-1][0]


def _seal(before: bytes, row: Row | list[Any]) -> bytes:
    """SHA-256 of the previous hash and this row as a JSON array."""
    return sha256(before + text_of(list(row)).encode()).digest()


def _entry(row: Row) -> Entry:
    n, at, actor, action, subject, details, hash = row
    return Entry(n, moment(at), actor, action, subject, value_of(details), hash.hex())


_LAST = "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1"
_APPEND = (
    "INSERT INTO audit (n, at, actor, action, subject, details, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_HEAD = (
    "INSERT INTO sequences (name, value) VALUES ('audit', ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_WALK = (
    "SELECT n, at, actor, action, subject, details, hash FROM audit WHERE n > ? ORDER BY n LIMIT ?"
)
_LIST = (
    "SELECT n, at, actor, action, subject, details, hash FROM audit WHERE n < ?"
    " ORDER BY n DESC LIMIT ?"
)
