"""What the database engine complains about, said so that a person knows what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tieout.core.errors import StopRun

# Primary result codes: https://www.sqlite.org/rescode.html
_ADVICE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "the disk is full, nothing of this step was kept",
        "free some space, then run the same command again; it goes on where it stopped",
    ),
    sqlite3.SQLITE_BUSY: (
        "another program is holding the store",
        "close the other tieout or database tool, then run the same command again",
    ),
    sqlite3.SQLITE_LOCKED: (
        "a table of the store is locked",
        "close the other tieout or database tool, then run the same command again",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the store is damaged",
        "stop, keep a copy of the file, and restore the last backup; nothing was written",
    ),
    sqlite3.SQLITE_NOTADB: (
        "this file is not a tieout store",
        "check `store:` in config.yaml; the file was not touched",
    ),
    sqlite3.SQLITE_READONLY: (
        "the store may not be written",
        "check owner and mode of the file and of its folder",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk failed while the store was read or written",
        "check the disk and its mount, then run the same command again",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the store cannot be opened",
        "check that the folder exists and that this user may write to it",
    ),
    sqlite3.SQLITE_PERM: (
        "this user may not open the store",
        "check owner and mode of the file and of its folder",
    ),
    sqlite3.SQLITE_NOMEM: (
        "the database ran out of memory",
        "give the process more memory, then run the same command again",
    ),
}


def explained(error: sqlite3.Error, where: str) -> StopRun | None:
    """The error in our words, or None where it is a bug of ours that must show its traceback."""
    code = getattr(error, "sqlite_errorcode", None)
    advice = _ADVICE.get(code & 0xFF) if isinstance(code, int) else None
    if advice is None:
        return None
    return StopRun(f"{advice[0]} ({error})", where=where, hint=advice[1])


@contextmanager
def explaining(where: str) -> Iterator[None]:
    """Turns what a person can mend into StopRun; `where` is the store's path."""
    try:
        yield
    except sqlite3.Error as error:
        known = explained(error, where)
        if known is None:
            raise
        raise known from error
