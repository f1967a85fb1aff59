"""Small named values that must survive a restart. Never a secret."""

from __future__ import annotations

from .db import Database


class Meta:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, name: str) -> str | None:
        found: str | None = self._db.value("SELECT value FROM meta WHERE name = ?", (name,))
        return found

    def set(self, name: str, value: str) -> None:
        self._db.write(_SET, (name, value))


_SET = (
    "INSERT INTO meta (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
