"""Numbers that only grow, kept in blocks so that handing one out costs no write."""

from __future__ import annotations

import threading

from tieout.core.errors import StopRun

from .db import Database

BLOCK = 1000
_RESERVE = (
    "INSERT INTO sequences (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value ="
    " CASE WHEN sequences.value > excluded.value THEN sequences.value ELSE excluded.value END"
)


class Numbers:
    """`next()` is larger than every number handed out before, here or before a restart.

    The order of fetches hangs on it, so only the one writing process may draw numbers.
    """

    def __init__(self, db: Database, name: str) -> None:
        self._db, self._name = db, name
        self._turn = threading.Lock()
        self._last = self._end = 0
        self._epoch = -1

    def next(self) -> int:
        with self._turn:
            if self._last < self._end and self._epoch == self._db.rollbacks:
                self._last += 1
                return self._last
        # The database's turn comes before ours, always, so that two threads can't wait in a ring.
        with self._db.transaction() as connection, self._turn:
            if not self._db.alone:
                raise StopRun(
                    "this process opened the store beside the writing one, so it may not pull",
                    where=self._db.path,
                    hint="run it when no other tieout runs",
                )
            if self._last >= self._end or self._epoch != self._db.rollbacks:
                asked = "SELECT value FROM sequences WHERE name = ?"
                kept = connection.execute(asked, (self._name,)).fetchone()
                start = max(kept[0] if kept else 0, self._last)
                connection.execute(_RESERVE, (self._name, start + BLOCK))
                self._last, self._end, self._epoch = start, start + BLOCK, self._db.rollbacks
            self._last += 1
            return self._last
