"""The only SQL of tieout: `Store` gathers the tables that an installation keeps.

Writes happen in transactions (`with store.transaction():`), which nest; reads outside of one see
what was last committed. One process writes; any number may read.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from tieout.core.ports import Ports

from .audit import Audit, Entry
from .base import Base
from .breaks import Breaks, Kept
from .budgets import Budgets, SharedBudget
from .candidates import Candidate, Candidates
from .certificates import Certificate, Certificates
from .cursors import Cursor, Cursors
from .db import Database
from .inbox import Inbox, Received
from .links import Link, Links
from .marks import Mark, Marks
from .meta import Meta
from .migrations import migrate
from .outbox import Draft, Operation, Outbox
from .plans import Plan, Planned, Plans
from .quarantine import Quarantine, SetAside
from .records import Changes, Incoming, Records, Version
from .runs import Run, Runs
from .sequence import Numbers

__all__ = [
    "Candidate",
    "Certificate",
    "Changes",
    "Cursor",
    "Draft",
    "Entry",
    "Incoming",
    "Kept",
    "Link",
    "Mark",
    "Operation",
    "Plan",
    "Planned",
    "Received",
    "Run",
    "SetAside",
    "SharedBudget",
    "Store",
    "Version",
    "open_store",
]


class Store:
    """One installation's memory. Made by `open_store`; safe to share between threads."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.meta = Meta(db)
        self.quarantine = Quarantine(db)
        self.records = Records(db, self.quarantine)
        self.cursors = Cursors(db)
        self.links = Links(db)
        self.candidates = Candidates(db)
        self.base = Base(db)
        self.marks = Marks(db)
        self.plans = Plans(db)
        self.outbox = Outbox(db)
        self.runs = Runs(db)
        self.audit = Audit(db)
        self.breaks = Breaks(db)
        self.inbox = Inbox(db)
        self.budgets = Budgets(db)
        self.certificates = Certificates(db)
        self._seq = Numbers(db, "fetch")

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """All or nothing; a nested one joins the outer. StopRun on a full disk, a foreign lock
        or a damaged file, and then nothing of it was kept."""
        return self.db.transaction()

    def snapshot(self) -> AbstractContextManager[sqlite3.Connection]:
        """Everything this thread reads inside is of one moment."""
        return self.db.snapshot()

    def next_seq(self) -> int:
        """A fetch number, larger than any before. Draw it before the request is sent."""
        return self._seq.next()

    def own(self) -> None:
        """Become the writing process now instead of at the first write; StopRun if another is."""
        self.db.own()

    def backup(self, target: str | Path) -> None:
        """A consistent copy of the whole store, private like the store itself."""
        self.db.backup(Path(target))

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_store(path: str | Path, ports: Ports, *, alone: bool = True) -> Store:
    """Opens a store, making or migrating it where needed; ":memory:" gives one that vanishes.

    `alone`: the first write takes the lock of the one writing process, or stops with the other's
    process id. With `alone=False` short writes (a person's note on a break) may go in beside it,
    but no pull. StopRun if a newer tieout made the store.
    """
    db = Database(path, ports, alone=alone)
    try:
        migrate(db)
        return Store(db)
    except BaseException:
        db.close()
        raise
