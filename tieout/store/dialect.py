"""Where SQLite and PostgreSQL differ, as plain values; all other SQL is written once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """The words of one database engine.

    `integer` holds 64 bits. `clustered` closes a CREATE TABLE whose rows lie in the order of the
    primary key, `plain` one whose rows lie in the order of arrival. `append_only` are the
    statements that forbid UPDATE and DELETE; `{table}` is filled in.
    """

    name: str
    integer: str
    blob: str
    clustered: str
    plain: str
    begin: str
    append_only: tuple[str, ...]

    def words(self) -> dict[str, str]:
        """What the placeholders of a migration file stand for."""
        return {
            "integer": self.integer,
            "blob": self.blob,
            "clustered": self.clustered,
            "plain": self.plain,
        }

    def guards(self, table: str) -> list[str]:
        return [statement.format(table=table) for statement in self.append_only]


# STRICT makes SQLite refuse a text in a money column: https://www.sqlite.org/stricttables.html
SQLITE = Dialect(
    name="sqlite",
    integer="INTEGER",
    blob="BLOB",
    clustered="STRICT, WITHOUT ROWID",
    plain="STRICT",
    begin="BEGIN IMMEDIATE",
    append_only=(
        "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
        " BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
        "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
        " BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
    ),
)
