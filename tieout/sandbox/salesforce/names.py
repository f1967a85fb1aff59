"""Names in one SELECT: fields found on their objects, parents joined in as they are met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Refusal
from .fields import Field, SObject
from .functions import applied
from .plan import Node
from .soql import Operand, Query, malformed, pointed

if TYPE_CHECKING:
    from .compiling import Compiler


class Names:
    """One SELECT while it is compiled. `level` is 1 inside a semi-join."""

    def __init__(self, compiler: Compiler, query: Query, type: SObject, level: int = 0) -> None:
        self.compiler, self.query, self.type = compiler, query, type
        self.prefix = "t" if level == 0 else f"s{level}"
        self.level = level
        self.joins: list[str] = []
        self.nodes: dict[tuple[str, ...], tuple[str, SObject]] = {(): (self.prefix, type)}
        self.columns: list[str] = []
        self.root = Node(type, 0, alias=self.prefix)
        self.params: list[Any] = []

    def _stripped(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Without the alias, or the object's own name, in front."""
        own = {self.query.alias.lower(), self.query.source.lower()} - {""}
        if len(path) > 1 and path[0].lower() in own:
            return path[1:]
        return path

    def _join(self, path: tuple[str, ...], at: int) -> tuple[str, SObject]:
        key = tuple(part.lower() for part in path)
        if key in self.nodes:
            return self.nodes[key]
        alias, type = self._join(path[:-1], at) if len(path) > 1 else (self.prefix, self.type)
        for one in type.fields.values():
            target = self.compiler.store.find(one.refers_to[0]) if one.refers_to else None
            if one.relationship.lower() == key[-1] and target is not None:
                made = f"{self.prefix}_{len(self.nodes)}"
                self.joins.append(
                    f'LEFT JOIN "{target.name}" {made} ON {made}.Id = {alias}."{one.name}"'
                )
                self.nodes[key] = (made, target)
                return made, target
        raise Refusal(
            "INVALID_FIELD",
            pointed(
                self.query.text,
                at,
                f"Didn't understand relationship '{path[-1]}' in field path. If you are "
                "attempting to use a custom relationship, be sure to append the '__r' after the "
                "custom relationship name. Please reference your WSDL or the describe call for "
                "the appropriate names.",
            ),
        )

    def _field(self, type: SObject, name: str, at: int) -> Field:
        found = type.find(name)
        if found is None:
            raise Refusal(
                "INVALID_FIELD",
                pointed(
                    self.query.text,
                    at,
                    f"No such column '{name}' on entity '{type.name}'. If you are attempting to "
                    "use a custom field, be sure to append the '__c' after the custom field name. "
                    "Please reference your WSDL or the describe call for the appropriate names.",
                ),
            )
        return found

    def _expression(self, one: Operand) -> tuple[str, Field | None]:
        if not one.path:
            return "count(*)", None
        path = self._stripped(one.path)
        alias, type = self._join(path[:-1], one.at) if len(path) > 1 else (self.prefix, self.type)
        field = self._field(type, path[-1], one.at)
        if field.columns:
            raise malformed(f"field '{field.name}' can not be filtered in a query call")
        column = f'{alias}."{field.name}"'
        if one.function in ("SUM", "AVG", "MIN", "MAX") and field.type == "currency":
            column = self._corporate(alias, type, field)
        return applied(one.function, column, field), field

    def _corporate(self, alias: str, type: SObject, field: Field) -> str:
        """An amount in the corporate currency, where records have their own."""
        if field.type != "currency":
            raise malformed(f"convertCurrency can't be used with field {field.name}")
        column = f'{alias}."{field.name}"'
        if "CurrencyIsoCode" not in type.fields:
            return column
        self.compiler.store.read_rates()
        return f'to_corporate({column}, {alias}."CurrencyIsoCode") COLLATE DECIMAL'
