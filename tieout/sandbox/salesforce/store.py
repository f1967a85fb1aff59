"""The org's records: one SQLite table a type of record, in memory.

Columns are the object's fields. Beside them `_deleted` holds when a record went to the recycle
bin, and the table `_deletions` what `getDeleted` tells of.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Context, Decimal
from typing import Any

from .cells import Cell, compare, guess_type, loader, stamp, value_of
from .fields import Field, SObject, read_field
from .ids import IdMaker, to_18

Row = dict[str, Any]

_BATCH = 5000
_DOUBLE = Context(prec=17)


class Total:
    """SUM and AVG without floating point."""

    def __init__(self) -> None:
        self.sum, self.count = Decimal(0), 0

    def step(self, cell: Any) -> None:
        if cell is not None:
            self.sum += Decimal(str(cell))
            self.count += 1

    def finalize(self) -> str | None:
        return format(self.sum, "f") if self.count else None


class Average(Total):
    def finalize(self) -> str | None:
        return format(self.sum / self.count, "f") if self.count else None


class Store:
    """Knows the objects and keeps their records. Not thread safe: its owner holds a lock."""

    def __init__(self, objects: dict[str, SObject], ids: IdMaker) -> None:
        self.ids = ids
        self.objects: dict[str, SObject] = {}
        self._lower: dict[str, SObject] = {}
        self._numbers: dict[tuple[str, str], Iterator[int]] = {}
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.db.create_collation("DECIMAL", compare)
        self.db.create_aggregate("decimal_sum", 1, Total)  # type: ignore[arg-type]
        self.db.create_aggregate("decimal_avg", 1, Average)  # type: ignore[arg-type]
        self.rates: dict[str, Decimal] = {}
        self.schema_changes = 0
        self.db.create_function("folded", 1, _folded, deterministic=True)
        self.db.create_function("to_corporate", 2, self._to_corporate)
        self.db.execute("CREATE TABLE _deletions (type TEXT, id TEXT PRIMARY KEY, at TEXT)")
        self.db.execute("CREATE INDEX _deletions_at ON _deletions (type, at)")
        for one in objects.values():
            self.add_object(one)

    def close(self) -> None:
        self.db.close()

    def read_rates(self) -> None:
        """Take the conversion rates as they are now; an org with one currency has none."""
        if "CurrencyType" in self.objects:
            rows = self.db.execute("SELECT IsoCode, ConversionRate FROM CurrencyType")
            self.rates = {code: Decimal(rate) for code, rate in rows}

    def _to_corporate(self, cell: str | None, code: str | None) -> str | None:
        return None if cell is None else format(self.corporate(Decimal(cell), code or ""), "f")

    def corporate(self, amount: Decimal, code: str) -> Decimal:
        """An amount in the corporate currency, with as many digits as a double has."""
        rate = self.rates.get(code, Decimal(1))
        return amount if rate == 1 else _DOUBLE.divide(amount, rate)

    def add_object(self, one: SObject) -> None:
        """Make its table and what finds its records quickly."""
        self.schema_changes += 1
        self.objects[one.name] = one
        self._lower[one.name.lower()] = one
        columns = ", ".join(_column(field) for field in one.stored)
        self.db.execute(f'CREATE TABLE "{one.name}" ({columns}, _deleted TEXT) WITHOUT ROWID')
        for field in one.stored:
            self._index(one, field)
        if "SystemModstamp" in one.fields:
            self.db.execute(f'CREATE INDEX "{one.name}.stamp" ON "{one.name}" (SystemModstamp, Id)')
        self.db.execute(
            f'CREATE INDEX "{one.name}.bin" ON "{one.name}" (_deleted) WHERE _deleted IS NOT NULL'
        )

    def _index(self, one: SObject, field: Field) -> None:
        points = field.type == "reference" and "User" not in field.refers_to
        if points or field.external_id or (field.id_lookup and field.type != "id"):
            self.db.execute(
                f'CREATE INDEX "{one.name}.{field.name}" ON "{one.name}" ("{field.name}")'
            )

    def add_field(self, one: SObject, field: Field) -> None:
        one.add(field)
        self.schema_changes += 1
        self.db.execute(f'ALTER TABLE "{one.name}" ADD COLUMN {_column(field)}')
        self._index(one, field)

    def find(self, name: str) -> SObject | None:
        """The object of that API name, without regard to case."""
        return self._lower.get(name.lower())

    def of_id(self, id: str) -> SObject | None:
        """The object whose records' ids open like this one."""
        return next((one for one in self.objects.values() if one.prefix == id[:3]), None)

    def row(self, one: SObject, id: str) -> Row | None:
        """One record as values, deleted ones too; `_deleted` tells. None if there is none."""
        cursor = self.db.execute(f'SELECT * FROM "{one.name}" WHERE Id = ?', (id,))
        return next(self._rows(one, cursor), None)

    def rows_where(self, one: SObject, column: str, value: Cell, limit: int = -1) -> list[Row]:
        """Living records whose column holds the value."""
        cursor = self.db.execute(
            f'SELECT * FROM "{one.name}" WHERE "{column}" = ? AND _deleted IS NULL '
            f"ORDER BY Id LIMIT {limit}",
            (value,),
        )
        return list(self._rows(one, cursor))

    def _rows(self, one: SObject, cursor: sqlite3.Cursor) -> Iterator[Row]:
        names = [column[0] for column in cursor.description]
        for cells in cursor:
            row = dict(zip(names, cells, strict=True))
            yield {
                name: value_of(one.fields[name], cell) if name in one.fields else cell
                for name, cell in row.items()
            }

    def insert(self, one: SObject, values: Row) -> None:
        """A record that the rules have passed; `values` holds its Id."""
        cells = _cells(one, values)
        marks = ", ".join("?" * len(cells))
        names = ", ".join(f'"{name}"' for name in cells)
        self.db.execute(
            f'INSERT INTO "{one.name}" ({names}) VALUES ({marks})', list(cells.values())
        )

    def update(self, one: SObject, id: str, values: Row) -> None:
        cells = _cells(one, values)
        changes = ", ".join(f'"{name}" = ?' for name in cells)
        if cells:
            self.db.execute(
                f'UPDATE "{one.name}" SET {changes} WHERE Id = ?', [*cells.values(), id]
            )

    def bury(self, one: SObject, id: str, at: str) -> None:
        """Into the recycle bin."""
        self.update(one, id, {"_deleted": at} | _flag(one, True))
        self.db.execute("INSERT OR REPLACE INTO _deletions VALUES (?, ?, ?)", (one.name, id, at))

    def dig_up(self, one: SObject, id: str) -> None:
        self.update(one, id, {"_deleted": None} | _flag(one, False))
        self.db.execute("DELETE FROM _deletions WHERE id = ?", (id,))

    def erase(self, one: SObject, id: str) -> None:
        """Out of the recycle bin; that it was deleted is still told."""
        self.db.execute(f'DELETE FROM "{one.name}" WHERE Id = ?', (id,))

    def empty_bin(self, before: str) -> None:
        """Erase what was deleted before that stamp."""
        for name in self.objects:
            self.db.execute(f'DELETE FROM "{name}" WHERE _deleted < ?', (before,))

    def deletions(self, one: SObject, start: str, end: str) -> list[tuple[str, str]]:
        """(id, when) of what was deleted in [start, end)."""
        return self.db.execute(
            "SELECT id, at FROM _deletions WHERE type = ? AND at >= ? AND at < ? ORDER BY at, id",
            (one.name, start, end),
        ).fetchall()

    def count(self, one: SObject) -> int:
        found = self.db.execute(f'SELECT count(*) FROM "{one.name}"').fetchone()
        return int(found[0])

    def next_number(self, one: SObject, field: Field) -> str:
        """The next value of an auto-number field."""
        key = (one.name, field.name)
        if key not in self._numbers:
            self._numbers[key] = itertools.count(100)
        head, _, rest = field.auto_number.partition("{")
        width = len(rest.rstrip("}"))
        return f"{head}{next(self._numbers[key]):0{width}d}"

    @contextmanager
    def undoable(self) -> Iterator[None]:
        """A savepoint: what happens inside is undone if an exception leaves it."""
        self.db.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO step")
            raise
        finally:
            self.db.execute("RELEASE step")

    def load(self, records: Iterable[tuple[SObject, Row]], fill: Callable[..., Row]) -> None:
        """Take over many records as the API serves them; `fill` gives what one left out.

        A field that isn't in the catalog becomes one. The same id again replaces the record.
        """
        self.db.execute("BEGIN")
        try:
            waiting: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
            for one, body in records:
                row = self._flat(one, body)
                row |= fill(one, row)
                key = (one.name, tuple(row))
                batch = waiting.setdefault(key, [])
                batch.append(row)
                if len(batch) >= _BATCH:
                    self._load_batch(one, waiting.pop(key))
            for (name, _), batch in waiting.items():
                self._load_batch(self.objects[name], batch)
        finally:
            self.db.execute("COMMIT")

    def _flat(self, one: SObject, body: Row) -> Row:
        row: Row = {}
        for name, value in body.items():
            field = one.fields.get(name) or one.find(name)
            if field is None:
                if name == "attributes" or isinstance(value, dict | list):
                    continue
                field = read_field(guess_type(name, value))
                self.add_field(one, field)
            if field.columns:
                row |= self._parts(one, field, value, body)
            else:
                row[field.name] = value
        return row

    def _parts(self, one: SObject, compound: Field, value: Any, body: Row) -> Row:
        """The parts that only the compound address tells."""
        stem = compound.name.removesuffix("Address")
        parts = value if isinstance(value, dict) else {}
        names = {stem + key[:1].upper() + key[1:]: each for key, each in parts.items()}
        return {
            name: each
            for name, each in names.items()
            if name not in body and one.find(name) is not None
        }

    def _load_batch(self, one: SObject, rows: list[Row]) -> None:
        plan = [(name, loader(one.fields[name])) for name in rows[0] if name in one.fields]
        names = [*(f'"{name}"' for name, _ in plan), "_deleted"]
        marks = ", ".join("?" * len(names))
        gone: list[tuple[str, str, str]] = []

        def cells() -> Iterator[list[Cell]]:
            for row in rows:
                made = [load(row[name]) for name, load in plan]
                deleted = stamp_of(row) if row.get("IsDeleted") is True else None
                if deleted:
                    gone.append((one.name, row["Id"], deleted))
                yield [*made, deleted]

        self.db.executemany(
            f'INSERT OR REPLACE INTO "{one.name}" ({", ".join(names)}) VALUES ({marks})', cells()
        )
        self.db.executemany("INSERT OR REPLACE INTO _deletions VALUES (?, ?, ?)", gone)


def _folded(cell: Any) -> Any:
    """A text without its case; NOCASE alone knows the letters of ASCII only."""
    return cell.casefold() if isinstance(cell, str) else cell


def stamp_of(row: Row) -> str:
    cell = loader(_STAMP)(row.get("SystemModstamp"))
    return str(cell)


def valid_id(text: Any) -> str | None:
    """The 18 characters, or None for what isn't an id."""
    try:
        return to_18(str(text))
    except ValueError:
        return None


def _cells(one: SObject, values: Row) -> dict[str, Cell]:
    return {
        name: loader(one.fields[name])(value) if name in one.fields else value
        for name, value in values.items()
    }


def _flag(one: SObject, deleted: bool) -> Row:
    return {"IsDeleted": deleted} if "IsDeleted" in one.fields else {}


def _column(field: Field) -> str:
    if field.type == "id":
        return f'"{field.name}" TEXT PRIMARY KEY'
    if field.is_number:
        return f'"{field.name}" TEXT COLLATE DECIMAL'
    if field.type == "boolean":
        return f'"{field.name}" INTEGER NOT NULL DEFAULT 0'
    if field.type == "int":
        return f'"{field.name}" INTEGER'
    blind = field.is_text and field.type != "reference" and not field.case_sensitive
    return f'"{field.name}" TEXT' + (" COLLATE NOCASE" if blind else "")


_STAMP = Field("SystemModstamp", "datetime")
__all__ = ["Row", "Store", "stamp", "valid_id"]
