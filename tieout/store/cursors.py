"""How far each system and entity was read: a pull goes on at its last page, not at the start.

`since` is the start of the last window that was read to its end. While a window is open,
`window_started_at` is set and `resume` is the page to go on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tieout.core.errors import StopRun

from .db import Database, Row, maybe_moment, stamp


@dataclass(frozen=True)
class Cursor:
    """`since` None: never read to the end. An open window reads changes since `window_since`
    (None: everything); `window_seq` is the fetch number drawn when it was opened, so that a full
    pull can tell what it has not seen (`records.unseen_since`)."""

    system: str
    entity: str
    since: datetime | None
    window_started_at: datetime | None
    window_since: datetime | None
    window_seq: int | None
    resume: str
    full: bool
    pages: int
    mapping_version: str
    finished_at: datetime | None

    @property
    def open(self) -> bool:
        return self.window_started_at is not None


class Cursors:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, system: str, entity: str) -> Cursor | None:
        row = self._db.row(_GET, (system, entity))
        return None if row is None else _cursor(row)

    def list(self) -> list[Cursor]:
        return [_cursor(row) for row in self._db.rows(_LIST)]

    def start(
        self,
        system: str,
        entity: str,
        since: datetime | None,
        window_started_at: datetime,
        full: bool,
        *,
        seq: int | None = None,
        mapping_version: str = "",
    ) -> None:
        """Opens a window, giving up one that was left open."""
        began, read_from = stamp(window_started_at), None if since is None else stamp(since)
        values = (system, entity, began, read_from, seq, int(full), mapping_version)
        self._db.write(_START, values)

    def page(self, system: str, entity: str, resume: str) -> None:
        """Notes that everything before `resume` is stored: call it in the page's transaction."""
        self._need(self._db.write(_PAGE, (resume, system, entity)), system, entity)

    def finish(self, system: str, entity: str) -> None:
        """Closes the window; the next pull reads what changed since this one began."""
        self._need(self._db.write(_FINISH, (self._db.now(), system, entity)), system, entity)

    def reset(self, system: str, entity: str | None = None) -> None:
        """Forgets how far was read, so that the next pull reads everything."""
        self._db.write(_RESET, (system, entity))

    def _need(self, changed: Sequence[Row], system: str, entity: str) -> None:
        if not changed:
            raise StopRun(
                f"no pull of {system} {entity} is under way",
                where=self._db.path,
                hint="report it; the next sync starts this pull again",
            )


def _cursor(row: Row) -> Cursor:
    return Cursor(
        system=row[0],
        entity=row[1],
        since=maybe_moment(row[2]),
        window_started_at=maybe_moment(row[3]),
        window_since=maybe_moment(row[4]),
        window_seq=row[5],
        resume=row[6],
        full=bool(row[7]),
        pages=row[8],
        mapping_version=row[9],
        finished_at=maybe_moment(row[10]),
    )


_LIST = (
    "SELECT system, entity, since, window_started_at, window_since, window_seq, resume,"
    " full_pull, pages, mapping_version, finished_at FROM cursors ORDER BY system, entity"
)
_GET = _LIST.replace("ORDER BY system, entity", "WHERE system = ? AND entity = ?")
_START = (
    "INSERT INTO cursors (system, entity, window_started_at, window_since, window_seq, full_pull,"
    " mapping_version, resume, pages) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0)"
    " ON CONFLICT (system, entity) DO UPDATE SET window_started_at = excluded.window_started_at,"
    " window_since = excluded.window_since, window_seq = excluded.window_seq,"
    " full_pull = excluded.full_pull, mapping_version = excluded.mapping_version,"
    " resume = '', pages = 0"
)
_PAGE = (
    "UPDATE cursors SET resume = ?, pages = pages + 1"
    " WHERE system = ? AND entity = ? AND window_started_at IS NOT NULL RETURNING system"
)
_FINISH = (
    "UPDATE cursors SET since = window_started_at, window_started_at = NULL,"
    " window_since = NULL, window_seq = NULL, resume = '', finished_at = ?"
    " WHERE system = ? AND entity = ? AND window_started_at IS NOT NULL RETURNING system"
)
_RESET = "DELETE FROM cursors WHERE system = ? AND entity = COALESCE(?, entity)"
