"""The tables in SQLite, for queries: one column a field, kept in step with the books.

Numbers are text with a mark in front and a collation of their own, so that they stay exact.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

from .books import Books, Record
from .objects import CUSTOM, kinds

MARK = "\x01"


def in_order(left: str, right: str) -> int:
    """The collation NUM: marked numbers by value, everything else as text."""
    if left == right:
        return 0
    if left[:1] == MARK and right[:1] == MARK:
        one, other = Decimal(left[1:]), Decimal(right[1:])
        return (one > other) - (one < other)
    return (left > right) - (left < right)


def cell(value: Any) -> Any:
    """A field's value as a column holds it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | Decimal):
        return f"{MARK}{value:f}" if isinstance(value, Decimal) else f"{MARK}{value}"
    if isinstance(value, list | dict):
        return str(value)
    return value


class _Sum:
    def __init__(self) -> None:
        self.total: Decimal | None = None
        self.count = 0

    def step(self, value: str | None) -> None:
        if value is not None:
            self.total = (self.total or Decimal(0)) + Decimal(str(value).lstrip(MARK))
            self.count += 1

    def finalize(self) -> str | None:
        return None if self.total is None else f"{MARK}{self.total:f}"


class _Average(_Sum):
    def finalize(self) -> str | None:
        if self.total is None:
            return None
        return f"{MARK}{(self.total / self.count).quantize(Decimal('1e-9')).normalize():f}"


def _calculate(left: Any, sign: str, right: Any) -> str | None:
    if left is None or right is None:
        return None
    one, other = Decimal(str(left).lstrip(MARK)), Decimal(str(right).lstrip(MARK))
    result = one + other if sign == "+" else one - other if sign == "-" else one * other
    return f"{MARK}{result:f}"


class Mirror:
    """Whoever calls holds the tenant's lock."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.columns: dict[str, dict[str, str]] = {}  # table -> lower-case column -> spelling
        self.types: dict[str, dict[str, str]] = {}
        self._indexed: set[tuple[str, ...]] = set()
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.db.create_collation("NUM", in_order)
        self.db.create_aggregate("z_sum", 1, _Sum)  # type: ignore[arg-type]
        self.db.create_aggregate("z_avg", 1, _Average)  # type: ignore[arg-type]
        self.db.create_function("z_calc", 3, _calculate, deterministic=True)
        self.db.create_function("z_num", 1, lambda count: f"{MARK}{count}", deterministic=True)
        for table, kind in kinds().items():
            self.columns[table] = {low: name for low, (name, _) in kind.types.items()}
            self.types[table] = {low: type for low, (_, type) in kind.types.items()}
            self._create(table)

    def _create(self, table: str) -> None:
        listed = ", ".join(
            f'"{name}" {self._affinity(table, name)}' for name in self.columns[table]
        )
        self.db.execute(f'CREATE TABLE "{table}" ({listed}, "deleted" INTEGER, "_born" REAL)')
        self.db.execute(f'CREATE UNIQUE INDEX "key_{table}" ON "{table}" ("id")')

    def _affinity(self, table: str, name: str) -> str:
        type = self.types[table][name]
        if type == "boolean":
            return "INTEGER"
        return "TEXT COLLATE NUM" if type in ("number", "integer") or _custom(name) else "TEXT"

    def sync(self, table: str) -> None:
        """Bring one table in step."""
        self._learn(table)
        dirty, self.books.dirty[table] = self.books.dirty[table], {}
        if not dirty:
            return
        shelf, gone = self.books.shelves[table], self.books.gone[table]
        spelled = list(self.columns[table].values())
        marks = ", ".join("?" * (len(spelled) + 2))
        self.db.execute("BEGIN")
        lost = [(key,) for key in dirty if key not in shelf and key not in gone]
        self.db.executemany(f'DELETE FROM "{table}" WHERE "id" = ?', lost)
        self.db.executemany(
            f'INSERT OR REPLACE INTO "{table}" VALUES ({marks})',
            (
                _values(record, spelled)
                for key in dirty
                if (record := shelf.get(key) or gone.get(key)) is not None
            ),
        )
        self.db.execute("COMMIT")

    def _learn(self, table: str) -> None:
        known = self.columns[table]
        fresh = sorted(name for name in self.books.custom[table] if name.lower() not in known)
        if not fresh:
            return
        for name in fresh:
            known[name.lower()], self.types[table][name.lower()] = name, "string"
        # A new column goes before the two hidden ones: make the table anew.
        self.db.execute(f'DROP TABLE "{table}"')
        self._indexed = {index for index in self._indexed if index[0] != table}
        self._create(table)
        every = [*self.books.shelves[table], *self.books.gone[table]]
        self.books.dirty[table] = dict.fromkeys(every)

    def index(self, table: str, *names: str) -> None:
        """Make an index unless there is one."""
        key = (table, *names)
        if key not in self._indexed:
            self._indexed.add(key)
            listed = ", ".join(f'"{name}"' for name in names)
            self.db.execute(f'CREATE INDEX "{"_".join(key)}" ON "{table}" ({listed})')

    def close(self) -> None:
        self.db.close()


def _values(record: Record, spelled: list[str]) -> list[Any]:
    row = record.row
    values = [cell(row.get(name)) for name in spelled]
    values += [int(record.deleted is not None), record.born]
    return values


def _custom(name: str) -> bool:
    return name.endswith(tuple(suffix.lower() for suffix in CUSTOM))
