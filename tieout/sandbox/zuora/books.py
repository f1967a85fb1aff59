"""The state of the tenant: records by kind, id, number and parent, and what was deleted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import SandboxClock
from .errors import not_found
from .objects import CUSTOM, Kind, kinds
from .times import stored
from .wire import Body

_DIGITS = 15  # before the point
KEPT_DELETED = timedelta(days=30)
_PREFIXES = {
    "account": "A", "invoice": "INV", "payment": "P-", "refund": "R-", "creditmemo": "CM",
    "debitmemo": "DM", "subscription": "A-S", "orders": "O-", "journalentry": "JE-",
    "rateplancharge": "C-", "product": "SKU-", "productrateplan": "PRP-",
    "productrateplancharge": "PRPC-",
}  # fmt: skip


@dataclass(slots=True)
class Record:
    """One row in Object Query's spelling. `verbatim` is the v1 document that it was loaded from."""

    table: str
    row: Body
    verbatim: bytes | None = None
    loaded: Body | None = None
    born: float = 0.0
    deleted: datetime | None = None

    @property
    def id(self) -> str:
        return str(self.row["id"])

    def amount(self, name: str) -> Decimal:
        return money(self.row.get(name))


@dataclass(frozen=True, slots=True)
class _Before:
    """A record as it was when an attempt began."""

    record: Record
    row: Body
    loaded: Body | None


def money(value: Any) -> Decimal:
    """A number as Zuora sends or takes it; None is 0. Raises ValueError."""
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool):
        raise ValueError(f"{value} is not a number")
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        raise ValueError(f"{value!r} is not a number") from None
    if not found.is_finite() or found.adjusted() > _DIGITS:
        raise ValueError(f"{value!r} is no number that can be kept")
    return found


class Books:
    """All records. Whoever calls holds the tenant's lock."""

    def __init__(self, clock: SandboxClock, rng: random.Random, timezone: str, user: str) -> None:
        self.clock, self.rng, self.user = clock, rng, user
        self.zone = ZoneInfo(timezone)
        self.shelves: dict[str, dict[str, Record]] = {table: {} for table in kinds()}
        self.gone: dict[str, dict[str, Record]] = {table: {} for table in kinds()}
        self.numbers: dict[str, dict[str, str]] = {table: {} for table in kinds()}
        # Dictionaries, not sets: the order must be the same in each run.
        self.dirty: dict[str, dict[str, None]] = {table: {} for table in kinds()}
        self.custom: dict[str, set[str]] = {table: set() for table in kinds()}
        self._children: dict[tuple[str, str], dict[Any, dict[str, None]]] = {}
        self._counters: dict[str, int] = {}
        self._attempts: list[dict[tuple[str, str], _Before | None]] = []

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """All of what is done within, or nothing where it raises. May stand in one another."""
        self._attempts.append({})
        try:
            yield
        except BaseException:
            self._take_back(self._attempts.pop())
            raise
        done = self._attempts.pop()
        if self._attempts:
            for place, before in done.items():
                self._attempts[-1].setdefault(place, before)

    def _note(self, table: str, id: str) -> None:
        """Remember how a record was before its first change in this attempt."""
        if not self._attempts or (table, id) in self._attempts[-1]:
            return
        held = self.shelves[table].get(id)
        before = None if held is None else _Before(held, dict(held.row), held.loaded)
        self._attempts[-1][table, id] = before

    def _take_back(self, done: dict[tuple[str, str], _Before | None]) -> None:
        outer, self._attempts = self._attempts, []  # for them, nothing has happened
        for table, id in done:
            self._forget(table, id)
        for before in done.values():
            if before is not None:
                record = before.record
                record.row, record.loaded, record.deleted = before.row, before.loaded, None
                self.put(record)
        self._attempts = outer

    def _forget(self, table: str, id: str) -> None:
        record, self.dirty[table][id] = self.shelves[table].get(id), None
        self.gone[table].pop(id, None)
        if record is not None:
            self._forget_parents(record)
            del self.shelves[table][id]
            self._unname(record)

    def now(self) -> str:
        return stored(self.clock.now().replace(microsecond=0))

    def today(self) -> str:
        return self.clock.now().astimezone(self.zone).date().isoformat()

    def new_id(self) -> str:
        """32 hex digits, as Zuora's ids."""
        return f"8ad0{self.rng.getrandbits(112):028x}"

    def next_number(self, table: str) -> str:
        """The next free number of a kind."""
        while True:
            self._counters[table] = count = self._counters.get(table, 0) + 1
            number = f"{_PREFIXES.get(table, 'N-')}{count:08d}"
            if number not in self.numbers[table]:
                return number

    def create(self, table: str, **values: Any) -> Record:
        """A new record with its audit fields and, where the kind has one, its number."""
        now, kind = self.now(), kinds()[table]
        row: Body = {
            "id": self.new_id(),
            "createdById": self.user,
            "createdDate": now,
            "updatedById": self.user,
            "updatedDate": now,
        }
        row.update(values)
        if kind.number and not row.get(kind.number):
            row[kind.number] = self.next_number(table)
        record = Record(table, row, born=self.clock.now().timestamp())
        self.put(record)
        return record

    def put(self, record: Record) -> None:
        """Take a record in, replacing one with its id."""
        table, kind = record.table, kinds()[record.table]
        self._note(table, record.id)
        former = self.shelves[table].get(record.id)
        if former is not None:
            self._forget_parents(former)
        self.shelves[table][record.id] = record
        if kind.number and record.row.get(kind.number):
            self._name(kind, record)
        for (child, name), index in self._children.items():
            if child == table:
                index.setdefault(record.row.get(name), {})[record.id] = None
        self._learn(record)
        self.dirty[table][record.id] = None

    def _name(self, kind: Kind, record: Record) -> None:
        number = str(record.row[kind.number])
        if kind.table == "subscription" and record.row.get("isLatestVersion") is False:
            self.numbers[kind.table].setdefault(number, record.id)
        else:
            self.numbers[kind.table][number] = record.id

    def _unname(self, record: Record) -> None:
        number = kinds()[record.table].number
        if number and self.numbers[record.table].get(str(record.row.get(number))) == record.id:
            del self.numbers[record.table][str(record.row[number])]

    def _learn(self, record: Record) -> None:
        found = {key for key in record.row if key.endswith(CUSTOM)}
        if found:
            self.custom[record.table] |= found

    def change(self, record: Record, **values: Any) -> None:
        """Set fields and move updatedDate."""
        self._note(record.table, record.id)
        if record.verbatim is not None and record.loaded is None:
            record.loaded = dict(record.row)
        self._forget_parents(record)
        record.row.update(values)
        record.row.update(updatedDate=self.now(), updatedById=self.user)
        self.put(record)

    def delete(self, record: Record) -> None:
        """Out of sight, but kept for `readDeleted`."""
        self._note(record.table, record.id)
        self._forget_parents(record)
        del self.shelves[record.table][record.id]
        self._unname(record)
        record.deleted = self.clock.now()
        record.row["updatedDate"] = self.now()
        self.gone[record.table][record.id] = record
        self.dirty[record.table][record.id] = None

    def purge(self) -> None:
        """Forget what was deleted 30 days ago."""
        oldest = self.clock.now() - KEPT_DELETED
        for table, shelf in self.gone.items():
            old = [key for key, one in shelf.items() if one.deleted and one.deleted < oldest]
            for key in old:
                del shelf[key]
                self.dirty[table][key] = None

    def _forget_parents(self, record: Record) -> None:
        for (child, name), index in self._children.items():
            if child == record.table:
                index.get(record.row.get(name), {}).pop(record.id, None)

    def children(self, table: str, name: str, value: Any) -> list[Record]:
        """The records of `table` whose field `name` is `value`, oldest first."""
        index = self._children.get((table, name))
        if index is None:
            index = {}
            for record in self.shelves[table].values():
                index.setdefault(record.row.get(name), {})[record.id] = None
            self._children[table, name] = index
        return [self.shelves[table][key] for key in index.get(value, ())]

    def find(self, table: str, key: Any) -> Record | None:
        """By id or number."""
        if not isinstance(key, str):
            return None
        shelf = self.shelves[table]
        found = shelf.get(key)
        return found if found is not None else shelf.get(self.numbers[table].get(key, ""))

    def get(self, table: str, key: Any) -> Record:
        """By id or number. Raises Refusal (404)."""
        found = self.find(table, key)
        if found is None:
            raise not_found(table, str(key))
        return found
