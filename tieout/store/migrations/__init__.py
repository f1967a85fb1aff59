"""Numbered steps from an empty file to today's schema.

Each step is `NNNN_name.sql` in this folder, in the SQL that SQLite and PostgreSQL share; words in
braces are filled in by the dialect. A step that was ever released is never edited again. A new
field of the canonical model needs no step: its column is added at the next start.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tieout.core.entities import ENTITIES
from tieout.core.errors import StopRun

from ..db import Database
from ..dialect import Dialect
from ..schema import columns, entity_tables

if TYPE_CHECKING:  # slow to import, and an up-to-date store does not need it
    import sqlite_utils
    from sqlite_utils.migrations import Migrations

SET = "tieout"
TAKEN = "_sqlite_migrations"  # where sqlite-utils notes the steps that were taken


def steps() -> list[str]:
    """Names of all steps, in the order in which they are taken."""
    found = (entry.name for entry in files(__name__).iterdir())
    return sorted(name.removesuffix(".sql") for name in found if name.endswith(".sql"))


def statements(step: str, dialect: Dialect) -> list[str]:
    """The SQL of one step, ready for this database."""
    text = files(__name__).joinpath(step + ".sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    filled = "\n".join(lines).format(**dialect.words())
    found = [part.strip() for part in filled.split(";\n") if part.strip(" \n;")]
    if step == "0001_start":
        found += entity_tables(dialect) + dialect.guards("audit") + dialect.guards("versions")
    return [part.rstrip(";") for part in found]


def migrate(db: Database) -> list[str]:
    """Brings the store to today's schema and returns the steps taken.

    StopRun if a newer tieout made it. An up-to-date store is not written to.
    """
    with db.reading() as connection:
        applied = _applied(connection)
        _refuse_newer(db, applied, connection)
        due = [step for step in steps() if step not in applied]
        lacking = [] if due else _lacking(connection)
    if due:
        db.own()
        with db.transaction() as connection:
            _set(db.dialect, due).apply(_wrapped(connection))
            lacking = _lacking(connection)
    if lacking:
        with db.transaction() as connection:
            for entity, column in lacking:
                connection.execute("ALTER TABLE " + entity + " ADD COLUMN " + column)
    return due


def _set(dialect: Dialect, due: list[str]) -> Migrations:
    from sqlite_utils.migrations import Migrations

    known = Migrations(SET)
    for step in due:
        known(name=step)(_step(step, dialect))
    return known


def _step(step: str, dialect: Dialect) -> Callable[[Any], None]:
    def take(database: Any) -> None:
        for statement in statements(step, dialect):
            database.conn.execute(statement)

    return take


def _wrapped(connection: sqlite3.Connection) -> sqlite_utils.Database:
    import sqlite_utils

    return sqlite_utils.Database(connection, execute_plugins=False)


def _applied(connection: sqlite3.Connection) -> list[str]:
    if TAKEN not in _tables(connection):
        return []
    asked = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET,)
    )
    return [name for (name,) in asked]


def _tables(connection: sqlite3.Connection) -> set[str]:
    asked = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in asked}


def _columns(connection: sqlite3.Connection, entity: str) -> set[str]:
    asked = connection.execute("SELECT name FROM pragma_table_info(?)", (entity,))
    return {name for (name,) in asked}


def _refuse_newer(db: Database, applied: list[str], connection: sqlite3.Connection) -> None:
    unknown = sorted(set(applied) - set(steps()))
    for entity in ENTITIES if applied else ():
        ours = {column.name for column in columns(entity)} | {"deleted_at"}
        unknown += sorted(f"{entity}.{name}" for name in _columns(connection, entity) - ours)
    if unknown:
        raise StopRun(
            "a newer tieout made this store (unknown here: " + ", ".join(unknown[:5]) + ")",
            where=db.path,
            hint="update tieout, or restore the backup made before the update",
        )
    if not applied and _tables(connection):
        raise StopRun(
            "this database holds tables that are not tieout's",
            where=db.path,
            hint="choose another file for `store:` in config.yaml; this one was not touched",
        )


def _lacking(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """(table, column with its type) for fields that the model gained since the table was made."""
    found = []
    for entity in ENTITIES:
        there = _columns(connection, entity)
        for column in columns(entity):
            if there and column.name not in there:
                kind = "INTEGER" if column.form in ("integer", "boolean") else "TEXT"
                found.append((entity, f"{column.name} {kind}"))
    return found
