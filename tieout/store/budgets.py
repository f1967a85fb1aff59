"""The calls of each credential, shared by every worker on this store.

A question is one short transaction: read the row, decide (`core/allowance.py`), replace it. It does
not need the lock of the one writing process, so a `check` beside a `sync` counts, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from tieout.core.allowance import State, hear, take
from tieout.core.budget import Ask, Grant, News
from tieout.core.errors import StopRun

from .db import Database, moment
from .place import is_running, process

log = logging.getLogger("tieout.store")
T = TypeVar("T")
ORPHANED_FOR = 2_000_000  # microseconds
_MARK = "@"  # between a lease and the process that holds it


@dataclass(frozen=True)
class KeptBudget:
    """A credential's state, and the wall clock's time at its `state.now`."""

    credential: str
    state: State
    updated_at: datetime

    def wall(self, at: int) -> datetime:
        """A moment of the budget's clock in ours."""
        return self.updated_at + timedelta(microseconds=at - self.state.now)


class Budgets:
    def __init__(self, db: Database) -> None:
        self._db = db

    def take(self, credential: str, ask: Ask, news: News) -> Grant:
        """A call, a portion of calls, or how long to wait before asking again."""

        def decide(state: State) -> Grant:
            hear(state, ask.at, news)
            if ask.places is not None and len(state.leases) >= ask.places:
                _end_orphaned(state)
            return take(state, ask)

        return self._change(credential, decide)

    def tell(self, credential: str, at: int, news: News) -> None:
        """What happened, without asking for anything."""
        self._change(credential, lambda state: hear(state, at, news))

    def list(self) -> list[KeptBudget]:
        found = self._db.rows(_LIST)
        return [KeptBudget(name, _state(text), moment(at)) for name, text, at in found]

    def _change(self, credential: str, change: Callable[[State], T]) -> T:
        while True:
            with self._db.transaction(beside=True) as connection:
                found = connection.execute(_READ, (credential,)).fetchone()
                state, turn = (_state(found[0]), found[1]) if found else (State(), 0)
                outcome = change(state)
                text = msgspec.json.encode(state).decode()
                values = (turn + 1, text, self._db.now(), credential, turn)
                sql = _REPLACE if found else _ADD
                if connection.execute(sql, values if found else values[:4]).fetchone():
                    return outcome


class SharedBudget:
    """The budget port of one system. While the store can't be written, the system's own process
    keeps count alone: the run itself will say what is wrong with the store."""

    def __init__(
        self, budgets: Callable[[], Budgets], system: str, reserve: int | None = None
    ) -> None:
        self._budgets, self._system, self._reserve = budgets, system, reserve
        self._alone: dict[str, State] = {}
        self._settle: list[Callable[[], None]] = []

    def take(self, credential: str, ask: Ask, news: News) -> Grant:
        lease = f"{ask.lease}{_MARK}{process()}" if ask.lease else ""
        ask = replace(ask, system=self._system, reserve=self._reserve, lease=lease)
        news = self._marked(news)
        try:
            return self._budgets().take(credential, ask, news)
        except StopRun as error:
            log.warning("the calls of %s are counted by this process alone: %s", credential, error)
            state = self._alone.setdefault(credential, State())
            hear(state, ask.at, news)
            return take(state, ask)

    def tell(self, credential: str, at: int, news: News) -> None:
        news = self._marked(news)
        try:
            self._budgets().tell(credential, at, news)
        except StopRun:
            hear(self._alone.setdefault(credential, State()), at, news)

    def _marked(self, news: News) -> News:
        if not news.released:
            return news
        return replace(news, released=tuple(f"{each}{_MARK}{process()}" for each in news.released))

    def when_closed(self, settle: Callable[[], None]) -> None:
        self._settle.append(settle)

    def close(self) -> None:
        """Everybody hands back what was granted and not used."""
        for settle in self._settle:
            settle()


def _end_orphaned(state: State) -> None:
    """Places held by a process that is gone end soon: its calls may still be under way there."""
    soon = state.now + ORPHANED_FOR
    for lease, end in state.leases.items():
        if end > soon and not is_running(lease.partition(_MARK)[2]):
            state.leases[lease] = soon


def _state(text: str) -> State:
    return msgspec.json.decode(text, type=State)


_READ = "SELECT state, turn FROM budgets WHERE credential = ?"
_REPLACE = (
    "UPDATE budgets SET turn = ?, state = ?, updated_at = ? WHERE credential = ? AND turn = ?"
    " RETURNING turn"
)
_ADD = (
    "INSERT INTO budgets (turn, state, updated_at, credential) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (credential) DO NOTHING RETURNING turn"
)
_LIST = "SELECT credential, state, updated_at FROM budgets ORDER BY credential"
