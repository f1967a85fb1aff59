"""Connections and transactions: one writer, any number of readers, the same safety on each.

Every connection, whatever it is for, comes from `_connect`, so that none can lack a pragma.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tieout.core.errors import StopRun
from tieout.core.ports import Ports

from .dialect import SQLITE, Dialect
from .failures import explaining
from .place import WriterLock, prepare

Row = tuple[Any, ...]
T = TypeVar("T")

MEMORY = ":memory:"
CHUNK = 500  # rows read, or values bound, at a time
BUSY_MILLISECONDS = 10_000
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables and RETURNING

# FULL, because with NORMAL a power cut loses acknowledged rows (https://www.sqlite.org/wal.html).
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=OFF",  # some builds zero what they free, which only costs time here
    "PRAGMA cache_size=-16000",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=33554432",
)


class Database:
    """One SQLite store. `alone` takes the writer's lock before the first write."""

    def __init__(
        self, path: str | Path, ports: Ports, *, alone: bool = True, dialect: Dialect = SQLITE
    ) -> None:
        self.ports, self.dialect, self.alone = ports, dialect, alone
        self.path = str(path)
        self.in_memory = self.path == MEMORY
        self._turn = threading.RLock()
        self._local = threading.local()
        self._idle: list[sqlite3.Connection] = []
        self._depth = 0
        self.rollbacks = 0  # how often a whole transaction was undone
        self._closed = False
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StopRun(
                f"SQLite {sqlite3.sqlite_version} is too old for the store",
                where="the sqlite3 module of this Python",
                hint="use a Python with SQLite 3.37 or newer",
            )
        if not self.in_memory:
            prepare(Path(self.path))
        self._lock = None if self.in_memory else WriterLock(Path(self.path))
        self._writer = self._connect()

    # -- reading ---------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from: that of this thread's transaction or snapshot, if it is in
        one; else one that nobody else uses, opened read-only (temporary tables are allowed)."""
        current: sqlite3.Connection | None = getattr(self._local, "connection", None)
        with explaining(self.path):
            if current is not None:
                yield current
            elif self.in_memory:
                with self._turn:
                    yield self._writer
            else:
                connection = self._borrow()
                try:
                    yield connection
                finally:
                    self._give_back(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """All that this thread reads inside is of one moment, whatever others write meanwhile."""
        if getattr(self._local, "connection", None) is not None:
            yield self._local.connection
            return
        with self.reading() as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM meta LIMIT 1").fetchall()
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None
                connection.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with self.reading() as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        with self.reading() as connection:
            found: Row | None = connection.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None if there is no row."""
        found = self.row(sql, values)
        return None if found is None else found[0]

    # -- writing ---------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, beside: bool = False) -> Iterator[sqlite3.Connection]:
        """All or nothing. A nested one joins the outer; if it fails, only its part is undone.

        `beside`: a short write that every process may make, whichever is the writing one."""
        with self._turn, explaining(self.path):
            if self._depth:
                with self._savepoint() as connection:
                    yield connection
                return
            if self.alone and not beside:
                self.own()
            before = getattr(self._local, "connection", None)
            self._writer.execute(self.dialect.begin)
            self._depth, self._local.connection = 1, self._writer
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self.rollbacks += 1
                # A full disk may have rolled back already.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._depth, self._local.connection = 0, before

    @contextmanager
    def _savepoint(self) -> Iterator[sqlite3.Connection]:
        name = "level" + str(self._depth)
        self._writer.execute("SAVEPOINT " + name)
        self._depth += 1
        try:
            yield self._writer
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK TO " + name)
                self._writer.execute("RELEASE " + name)
            raise
        else:
            self._writer.execute("RELEASE " + name)
        finally:
            self._depth -= 1

    def write(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """One statement in a transaction; what its RETURNING gives."""
        if self.writes_here:  # a statement that fails undoes itself: no savepoint is needed
            with self.reading() as connection:
                return connection.execute(sql, values).fetchall()
        with self.transaction() as connection:
            return connection.execute(sql, values).fetchall()

    def write_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            with self.transaction() as connection:
                connection.executemany(sql, rows)

    def own(self) -> None:
        """Become the one writing process, or StopRun with the other's process id."""
        if self._lock is not None:
            self._lock.take()

    @property
    def writes_here(self) -> bool:
        """Is this thread inside a transaction?"""
        return self._depth > 0 and getattr(self._local, "connection", None) is self._writer

    def backup(self, target: Path) -> None:
        """A consistent copy while others read and write; StopRun if the target exists."""
        if target.exists():
            raise StopRun(
                "the backup file already exists", where=str(target), hint="choose another name"
            )
        prepare(target)
        with (
            explaining(str(target)),
            closing(sqlite3.connect(target)) as copy,
            self.reading() as connection,
        ):
            connection.backup(copy)

    # -- life ------------------------------------------------------------------------------

    def now(self) -> str:
        return stamp(self.ports.now())

    def close(self) -> None:
        with self._turn, explaining(self.path):
            if self._closed:
                return
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()
            if self._lock is not None:
                self._lock.release()

    def _connect(self, *, readonly: bool = False) -> sqlite3.Connection:
        with explaining(self.path):
            target = Path(self.path).resolve().as_uri() + "?mode=ro" if readonly else self.path
            connection = sqlite3.connect(
                target,
                uri=readonly,
                isolation_level=None,  # we say BEGIN ourselves
                check_same_thread=False,  # `_turn` and `_borrow` keep threads apart
                cached_statements=256,
            )
            for pragma in _PRAGMAS:
                connection.execute(pragma).fetchall()
            return connection

    def _borrow(self) -> sqlite3.Connection:
        if self._closed:
            raise StopRun("the store is closed", where=self.path, hint="report it")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect(readonly=True)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= 8:
            connection.close()
        else:
            self._idle.append(connection)


def stamp(moment: datetime) -> str:
    """A moment of our own clock as text of one width, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def maybe_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists of CHUNK at most."""
    source = iter(values)
    while some := list(islice(source, CHUNK)):
        yield some


def only(**given: Any) -> tuple[str, list[Any]]:
    """` AND state = ? AND link = ?` and the values to bind, for the columns that are given.

    Not `state = COALESCE(?, state)`: no index can serve that. The names are ours, never a
    caller's; `o__state` stands for `o.state`.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    clauses = [f" AND {name.replace('__', '.')} = ?" for name in asked]
    return "".join(clauses), list(asked.values())


def marks_for(count: int) -> str:
    """`?,?,?` for that many bound values."""
    return ",".join("?" * count)
