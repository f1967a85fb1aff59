"""Tables of the canonical model, derived from its structs: the schema is the model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tieout.core.entities import COMMON_FIELDS, ENTITIES, fields_of

from .dialect import Dialect

# Fields that matching may ask for (records.find_by); each is indexed where an entity has it.
MATCH_FIELDS: tuple[str, ...] = (
    "email",
    "number",
    "tax_id",
    "name",
    "sku",
    "gateway_id",
    "reference",
)

# References that reconciliation and planning follow backwards.
_FOLLOWED = ("customer_id", "invoice_id", "payment_id")


@dataclass(frozen=True)
class Column:
    """`form` is text, integer, boolean (0/1) or json (lists, objects as JSON text)."""

    name: str
    form: str

    def ddl(self, dialect: Dialect) -> str:
        return f"{self.name} {dialect.integer if self.form in ('integer', 'boolean') else 'TEXT'}"


@cache
def columns(entity: str) -> tuple[Column, ...]:
    """The fields of an entity as columns, in the order of the model."""
    hints = get_type_hints(ENTITIES[entity])
    return tuple(Column(name, _form(hints[name])) for name in COMMON_FIELDS + fields_of(entity))


def _form(hint: Any) -> str:
    kinds = {get_origin(part) or part for part in _parts(hint)} - {type(None)}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds <= {str, Literal} or {kind.__name__ for kind in kinds} <= {"datetime", "date"}:
        return "text"
    return "json"


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)


def entity_tables(dialect: Dialect) -> list[str]:
    """CREATE statements for every entity's table and its indexes."""
    made = []
    for entity in ENTITIES:
        made.append(_create(entity, dialect))
        made += [
            f"CREATE INDEX {entity}_{name} ON {entity} (system, {index_expression(name)})"
            for name in _indexed(entity)
        ]
    return made


def _create(entity: str, dialect: Dialect) -> str:
    required = {"system", "id", "deleted"}
    parts = [
        column.ddl(dialect) + (" NOT NULL" if column.name in required else "")
        for column in columns(entity)
    ]
    parts.append("deleted_at TEXT")  # when we learnt that it is gone
    body = ",\n  ".join([*parts, "PRIMARY KEY (system, id)"])
    return f"CREATE TABLE {entity} (\n  {body}\n) {dialect.plain}"


def _indexed(entity: str) -> list[str]:
    own = fields_of(entity)
    return [name for name in (*MATCH_FIELDS, *_FOLLOWED) if name in own]


def index_expression(field: str) -> str:
    """E-mail addresses are the same whatever the case of their letters."""
    return f"lower({field})" if field == "email" else field
