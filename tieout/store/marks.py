"""What must be decided again. A mark carries a generation that is never reused: only the mark
that was taken is cleared, so that a change which comes meanwhile is not lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .db import Database
from .records import Changes
from .sequence import Numbers


@dataclass(frozen=True)
class Mark:
    """One thing to decide in a flow: record `id` of `system`, or link `id` where it is ""."""

    flow: str
    entity: str
    system: str
    id: str
    generation: int


class Marks:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._generations = Numbers(db, "marks")

    def add(self, flow: str, entity: str, ids: Iterable[str], *, system: str = "") -> int:
        """Marks records of a system, or links where no system is given; how many."""
        with self._db.transaction():
            now = self._db.now()
            rows = [(flow, entity, system, id, self._generations.next(), now) for id in ids]
            self._db.write_many(_ADD, rows)
        return len(rows)

    def add_for_changed(self, flow: str, entity: str, system: str, changes: Changes) -> int:
        """Marks what a page brought: call it in the transaction of `records.put`."""
        return self.add(flow, entity, [*changes.new, *changes.changed], system=system)

    def take(self, flow: str, *, limit: int = 500, after: Mark | None = None) -> list[Mark]:
        """Marks in a steady order, from the one after `after`. They stay until `done`."""
        key = ("", "", "") if after is None else (after.entity, after.system, after.id)
        return [Mark(*row) for row in self._db.rows(_TAKE, (flow, *key, limit))]

    def done(self, marks: Iterable[Mark]) -> None:
        """Clears marks that were not set again since they were taken."""
        self._db.write_many(
            _DONE, [(m.flow, m.entity, m.system, m.id, m.generation) for m in marks]
        )

    def settle(self, flow: str, entity: str, places: Iterable[tuple[str, str]]) -> int:
        """Clears the marks of (system, id) places, whatever set them; how many there were.

        Only in the transaction that looked at these records: no mark can come meanwhile.
        """
        with self._db.transaction() as connection:
            rows = [(flow, entity, system, id) for system, id in places]
            return connection.executemany(_SETTLE, rows).rowcount if rows else 0

    def count(self, flow: str | None = None) -> int:
        return int(self._db.value(_COUNT, (flow,)))

    def clear(self, flow: str) -> None:
        """Forgets a flow's marks, for one that was removed from the configuration."""
        self._db.write("DELETE FROM marks WHERE flow = ?", (flow,))


_ADD = (
    "INSERT INTO marks (flow, entity, system, id, generation, marked_at)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (flow, entity, system, id) DO UPDATE"
    " SET generation = excluded.generation, marked_at = excluded.marked_at"
)
_TAKE = (
    "SELECT flow, entity, system, id, generation FROM marks"
    " WHERE flow = ? AND (entity, system, id) > (?, ?, ?) ORDER BY entity, system, id LIMIT ?"
)
_DONE = (
    "DELETE FROM marks WHERE flow = ? AND entity = ? AND system = ? AND id = ? AND generation = ?"
)
_SETTLE = "DELETE FROM marks WHERE flow = ? AND entity = ? AND system = ? AND id = ?"
_COUNT = "SELECT COUNT(*) FROM marks WHERE flow = COALESCE(?, flow)"
