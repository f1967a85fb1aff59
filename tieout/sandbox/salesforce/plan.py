"""A compiled query: its SQL in parts, and how a row of it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as made_of
from typing import Any

from .fields import Field, SObject
from .soql import Query


@dataclass
class Shown:
    """One key of an answer: a cell, a compound's cells, a parent (`node`) or children (`sub`)."""

    key: str
    field: Field | None = None
    at: int = 0
    parts: dict[str, int] = made_of(default_factory=dict)
    node: Node | None = None
    sub: Select | None = None
    show: Callable[[Any], Any] = lambda cell: cell
    printed: Callable[[Any], str] = str


@dataclass
class Node:
    """A record in the answer: of which type, where its id stands, what of it is shown."""

    type: SObject
    id_at: int
    shown: list[Shown] = made_of(default_factory=list)
    alias: str = ""

    def child(self, key: str) -> Node | None:
        return next((one.node for one in self.shown if one.key == key and one.node), None)


@dataclass
class Select:
    """A compiled query. SQL parts carry their own parameters."""

    query: Query
    type: SObject
    root: Node
    columns: list[str]
    joins: list[str]
    where: str
    params: list[Any]
    order: str
    limit: int | None
    offset: int
    aggregate: bool = False
    count_only: bool = False
    group: str = ""
    parent_field: Field | None = None

    @property
    def source(self) -> str:
        return f'FROM "{self.type.name}" t {" ".join(self.joins)}'

    def ids_sql(self) -> str:
        limit = "" if self.limit is None else f" LIMIT {self.limit}"
        if self.offset:
            limit = f"{limit or ' LIMIT -1'} OFFSET {self.offset}"
        return f"SELECT t.Id {self.source} WHERE {self.where} ORDER BY {self.order}{limit}"

    def rows_sql(self, ids: str = "t.Id IN (SELECT value FROM json_each(?))") -> str:
        return f"SELECT {', '.join(['t.Id', *self.columns])} {self.source} WHERE {ids}"
