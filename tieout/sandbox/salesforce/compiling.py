"""SOQL turned into SQL over the store's tables, with a plan of how a row is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from .cells import printer, shower
from .errors import Refusal
from .fields import Field, SObject
from .filtering import Filters
from .functions import aggregate_shower
from .plan import Node, Select, Shown
from .soql import (
    AGGREGATES,
    Operand,
    Query,
    Sorting,
    malformed,
    pointed,
)
from .store import Store

# Functions that show a field otherwise, and group nothing.
_PLAIN = {"TOLABEL", "FORMAT", "CONVERTCURRENCY"}


@dataclass
class Compiler:
    """Compiles for one caller: `all_rows` shows deleted records, `bulk` refuses what Bulk does."""

    store: Store
    now: datetime
    zone: ZoneInfo
    all_rows: bool = False
    bulk: bool = False

    def compile(self, query: Query) -> Select:
        """Raises Refusal."""
        type = self._source(query)
        if self.bulk:
            _check_bulk(query, type)
        return Scope(self, query, type).select()

    def inner(self, query: Query, level: int) -> Scope:
        """The SELECT of a semi-join."""
        return Scope(self, query, self._source(query), level)

    def compile_children(self, query: Query, parent: SObject) -> Select:
        for type in self.store.objects.values():
            for one in type.fields.values():
                if parent.name in one.refers_to and one.children.lower() == query.source.lower():
                    scope = Scope(self, query, type)
                    select = scope.select()
                    select.parent_field = one
                    select.columns.append(f't."{one.name}"')
                    return select
        raise Refusal(
            "INVALID_TYPE",
            pointed(
                query.text,
                query.source_at,
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If "
                "you are attempting to use a custom relationship, be sure to append the '__r' "
                "after the custom relationship name. Please reference your WSDL or the describe "
                "call for the appropriate names.",
            ),
        )

    def _source(self, query: Query) -> SObject:
        type = self.store.find(query.source)
        if type is None:
            if self.bulk:
                raise Refusal(
                    "INVALIDENTITY", f"Entity '{query.source}' is not supported by the Bulk API."
                )
            raise Refusal(
                "INVALID_TYPE",
                pointed(
                    query.text,
                    query.source_at,
                    f"sObject type '{query.source}' is not supported. If you are attempting to "
                    "use a custom object, be sure to append the '__c' after the entity name. "
                    "Please reference your WSDL or the describe call for the appropriate names.",
                ),
            )
        return type


def _check_bulk(query: Query, type: SObject) -> None:
    if not type.bulk:
        raise Refusal("INVALIDENTITY", f"Entity '{type.name}' is not supported by the Bulk API.")
    grouped = query.group or any(
        isinstance(one, Operand) and one.function in AGGREGATES for one in query.select
    )
    if grouped:
        raise malformed("Aggregate Relationships not supported in Bulk Query")
    if query.offset:
        raise malformed("OFFSET clause not supported in Bulk Query")
    for one in query.select:
        if isinstance(one, Query):
            raise malformed("Nested queries not supported in Bulk Query")
        if isinstance(one, str) and one != "*STANDARD":
            raise malformed("FIELDS(ALL) and FIELDS(CUSTOM) not supported in Bulk Query")


class Scope(Filters):
    """What a SELECT shows, and in which order."""

    def select(self) -> Select:
        query = self.query
        functions = [one for one in query.select if isinstance(one, Operand) and one.function]
        plain = functions and all(one.function in _PLAIN for one in functions)
        aggregate = bool(query.group or (functions and not plain))
        count_only = query.select == functions and len(functions) == 1 and not functions[0].path
        self._bounds()
        if aggregate:
            self._aggregate_columns()
        else:
            self._columns()
        where = self._where()
        group = ", ".join(self._expression(one)[0] for one in query.group)
        if query.having is not None:
            group += f" HAVING {self._condition(query.having)}"
        if self.query.order and aggregate:
            order = ", ".join(self._sorting(one) for one in query.order)
        else:
            order = ", ".join([*(self._sorting(one) for one in query.order), "t.Id"])
        return Select(
            query,
            self.type,
            self.root,
            self.columns,
            self.joins,
            where,
            self.params,
            order,
            query.limit,
            query.offset,
            aggregate,
            count_only,
            group,
        )

    def _bounds(self) -> None:
        query = self.query
        if query.offset > 2000:
            raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        wide = {"*ALL", "*CUSTOM"} & {one for one in query.select if isinstance(one, str)}
        if wide and (query.limit is None or query.limit > 200):
            raise malformed("The SOQL FIELDS function must have a LIMIT of at most 200")

    def _columns(self) -> None:
        seen: set[str] = set()
        for one in self.query.select:
            if isinstance(one, Query):
                if self.level:
                    raise malformed("only root queries support child relationships")
                sub = self.compiler.compile_children(one, self.type)
                self.root.shown.append(Shown(_relation_name(sub), sub=sub))
            elif isinstance(one, str):
                for name in self._fields(one):
                    self._add((name,), 0, seen)
            else:
                converted = one.function == "CONVERTCURRENCY"
                self._add(self._stripped(one.path), one.at, seen, converted=converted)

    def _fields(self, kind: str) -> list[str]:
        return [
            one.name
            for one in self.type.fields.values()
            if kind == "*ALL" or one.custom == (kind == "*CUSTOM")
        ]

    def _add(
        self, path: tuple[str, ...], at: int, seen: set[str], *, converted: bool = False
    ) -> None:
        alias, type, node = self.prefix, self.type, self.root
        for depth, _ in enumerate(path[:-1], 1):
            alias, type = self._join(path[:depth], at)
            node = self._node(node, path[depth - 1], alias, type)
        one = self._field(type, path[-1], at)
        name = ".".join((*path[:-1], one.name)).lower()
        if name in seen:
            raise Refusal("INVALID_FIELD", f"duplicate field selected: {'.'.join(path)}")
        seen.add(name)
        if one.columns and self.compiler.bulk:
            raise Refusal("API_ERROR", "Selecting compound data not supported in Bulk Query")
        if one.columns:
            parts = {
                part: self._column(f'{alias}."{part}"') for part in self._compound_parts(type, one)
            }
            node.shown.append(Shown(one.name, one, parts=parts))
        else:
            sql = self._corporate(alias, type, one) if converted else f'{alias}."{one.name}"'
            place = self._column(sql)
            node.shown.append(Shown(one.name, one, place, show=shower(one), printed=printer(one)))

    @staticmethod
    def _compound_parts(type: SObject, one: Field) -> list[str]:
        stem = one.name.removesuffix("Address")
        codes = [stem + code for code in ("StateCode", "CountryCode")]
        return [*one.columns, *(name for name in codes if name in type.fields)]

    def _node(self, node: Node, relation: str, alias: str, type: SObject) -> Node:
        name = next(
            one.relationship
            for one in node.type.fields.values()
            if one.relationship.lower() == relation.lower()
        )
        found = node.child(name)
        if found is None:
            found = Node(type, self._column(f'{alias}."Id"'), alias=alias)
            node.shown.append(Shown(name, node=found))
        return found

    def _column(self, sql: str) -> int:
        self.columns.append(sql)
        return len(self.columns)  # the row's first column is the record's own id

    def _aggregate_columns(self) -> None:
        groups = [
            (one.function, tuple(part.lower() for part in self._stripped(one.path)))
            for one in self.query.group
        ]
        number = 0
        for one in self.query.select:
            if not isinstance(one, Operand):
                raise malformed("Grouped query cannot use child relationships in the SELECT list")
            path = tuple(part.lower() for part in self._stripped(one.path))
            if one.function not in AGGREGATES and (one.function, path) not in groups:
                shown = ".".join(one.path)
                raise malformed(
                    pointed(
                        self.query.text,
                        one.at,
                        f"Field must be grouped or aggregated: {shown}",
                    )
                )
            sql, field = self._expression(one)
            key = one.alias
            if not key and one.function:
                key, number = f"expr{number}", number + 1
            show = aggregate_shower(one, field)
            name = key or (field.name if field else one.path[-1])
            self.root.shown.append(Shown(name, field, self._column(sql), show=show))

    def _sorting(self, one: Sorting) -> str:
        alias = next(
            (
                each
                for each in self.query.select
                if isinstance(each, Operand) and each.alias and (each.alias,) == one.operand.path
            ),
            None,
        )
        sql, field = self._expression(alias or one.operand)
        way = " DESC" if one.descending else ""
        if field is not None and not one.operand.function and not field.nillable:
            return sql + way
        return f"{sql}{way} NULLS {'LAST' if one.nulls_last else 'FIRST'}"


def _relation_name(sub: Select) -> str:
    return sub.parent_field.children if sub.parent_field else sub.query.source
