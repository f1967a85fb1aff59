"""SOQL turned into SQL over the store's tables, with a plan of how a row is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from .cells import digits, printer, shower
from .errors import Refusal
from .fields import Field, SObject
from .functions import aggregate_shower, applied
from .literals import edge, literal, next_whole_second, wrong_kind
from .periods import period
from .plan import Node, Select, Shown
from .soql import (
    AGGREGATES,
    Among,
    Both,
    Compare,
    Condition,
    Not,
    Operand,
    Query,
    Sorting,
    Value,
    malformed,
    pointed,
    unquoted,
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
        field = type.find(one.path[-1]) if isinstance(one, Operand) else None
        if field is not None and field.columns:
            raise Refusal("API_ERROR", "Selecting compound data not supported in Bulk Query")


class Scope:
    """One SELECT while it is compiled: its joins and its columns."""

    def __init__(self, compiler: Compiler, query: Query, type: SObject, level: int = 0) -> None:
        self.compiler, self.query, self.type = compiler, query, type
        self.prefix = "t" if level == 0 else f"s{level}"
        self.level = level
        self.joins: list[str] = []
        self.nodes: dict[tuple[str, ...], tuple[str, SObject]] = {(): (self.prefix, type)}
        self.columns: list[str] = []
        self.root = Node(type, 0, alias=self.prefix)
        self.params: list[Any] = []

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

    def _where(self) -> str:
        alive = "" if self.compiler.all_rows else f"{self.prefix}._deleted IS NULL"
        given = self._condition(self.query.where) if self.query.where is not None else ""
        return " AND ".join(f"({part})" for part in (alive, given) if part) or "1"

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

    def _stripped(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Without the alias, or the object's own name, in front."""
        own = {self.query.alias.lower(), self.query.source.lower()} - {""}
        if len(path) > 1 and path[0].lower() in own:
            return path[1:]
        return path

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

    def _condition(self, one: Condition) -> str:
        if isinstance(one, Both):
            return f" {one.word} ".join(f"({self._condition(part)})" for part in one.parts)
        if isinstance(one, Not):
            return f"NOT ifnull(({self._condition(one.inner)}), 0)"
        if isinstance(one, Among):
            return self._among(one)
        return self._compare(one)

    def _compare(self, one: Compare) -> str:
        sql, field = self._expression(one.left)
        self._filterable(one.left, field)
        if one.value.kind == "literal":
            return self._within(sql, one, field)
        if one.operator == "LIKE":
            return self._like(sql, one, field)
        if one.value.kind == "currency":
            return self._compare_money(one)
        value = self._bound(one.left, field, one.value)
        if one.value.kind == "datetime" and one.operator in ("<", ">="):
            value = next_whole_second(one.value.text)
        if field is not None and field.type == "boolean" and one.operator not in ("=", "!="):
            raise Refusal("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on boolean field")
        self.params.append(value)
        if one.operator in ("=", "!="):
            return f"{sql} IS {'NOT ' if one.operator == '!=' else ''}?"
        return f"{sql} {one.operator} ?"

    def _compare_money(self, one: Compare) -> str:
        """`Amount > EUR5000`: both sides in the corporate currency."""
        path = self._stripped(one.left.path)
        alias, type = (
            self._join(path[:-1], one.left.at) if len(path) > 1 else (self.prefix, self.type)
        )
        sql = self._corporate(alias, type, self._field(type, path[-1], one.left.at))
        amount = Decimal(one.value.text[3:])
        self.params.append(digits(self.compiler.store.corporate(amount, one.value.text[:3])))
        return f"({sql}) {one.operator} ?"

    def _like(self, sql: str, one: Compare, field: Field | None) -> str:
        if field is None or not field.is_text or field.type in ("id", "reference"):
            kind = field.type if field else "count"
            raise Refusal("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind} field")
        if one.value.kind != "string":
            raise wrong_kind(field, "string", enclosed=True)
        self.params.append(unquoted(one.value.text, pattern=True))
        return f"{sql} LIKE ? ESCAPE '\\'"

    def _within(self, sql: str, one: Compare, field: Field | None) -> str:
        word, kind = one.value.text, field.type if field else ""
        if kind not in ("date", "datetime"):
            raise malformed(pointed(self.query.text, one.left.at, f"unexpected token: '{word}'"))
        zone = self.compiler.zone
        try:
            days = period(word, one.value.number, self.compiler.now.astimezone(zone).date())
        except KeyError:
            raise malformed(
                pointed(self.query.text, one.left.at, f"unexpected token: '{word}'")
            ) from None
        start, end = (edge(day, kind, zone) for day in days)
        match one.operator:
            case "=":
                self.params += [start, end]
                return f"({sql} >= ? AND {sql} < ?)"
            case "!=":
                self.params += [start, end]
                return f"({sql} IS NULL OR {sql} < ? OR {sql} >= ?)"
            case "<" | ">=":
                self.params.append(start)
                return f"{sql} {one.operator} ?"
            case ">":
                self.params.append(end)
                return f"{sql} >= ?"
            case _:
                self.params.append(end)
                return f"{sql} < ?"

    def _among(self, one: Among) -> str:
        sql, field = self._expression(one.left)
        self._filterable(one.left, field)
        if one.query is not None:
            return self._semi_join(sql, one, one.query)
        if one.includes:
            return self._includes(sql, one)
        values = [self._bound(one.left, field, value) for value in one.values]
        found = [value for value in values if value is not None]
        self.params += found
        listed = f"{sql} IN ({', '.join('?' * len(found))})"
        has_null = len(found) < len(values)
        if one.negated:
            rest = f"ifnull(NOT ({listed}), 1)"
            return f"({rest} AND {sql} IS NOT NULL)" if has_null else rest
        return f"({listed} OR {sql} IS NULL)" if has_null else listed

    def _includes(self, sql: str, one: Among) -> str:
        tests = []
        for value in one.values:
            wanted = unquoted(value.text).split(";")
            self.params += [f"%;{each};%" for each in wanted]
            tests.append(" AND ".join([f"(';' || {sql} || ';') LIKE ?"] * len(wanted)))
        joined = " OR ".join(f"({test})" for test in tests)
        return f"NOT ifnull(({joined}), 0)" if one.negated else joined

    def _semi_join(self, sql: str, one: Among, query: Query) -> str:
        if self.level >= 1:
            raise malformed("Nesting of semi join sub-selects is not supported")
        if len(query.select) != 1 or not isinstance(query.select[0], Operand):
            raise malformed("semi join sub-selects must select exactly one field")
        type = self.compiler._source(query)
        inner = Scope(self.compiler, query, type, self.level + 1)
        column, _ = inner._expression(query.select[0])
        where = inner._where()
        self.params += inner.params
        limit = "" if query.limit is None else f" LIMIT {query.limit}"
        text = (
            f'SELECT {column} FROM "{type.name}" {inner.prefix} {" ".join(inner.joins)} '
            f"WHERE {where} AND {column} IS NOT NULL{limit}"
        )
        return f"ifnull({sql} {'NOT ' if one.negated else ''}IN ({text}), 0)"

    def _filterable(self, operand: Operand, field: Field | None) -> None:
        if field is not None and not field.filterable:
            shown = ".".join(operand.path)
            raise Refusal(
                "INVALID_FIELD",
                pointed(
                    self.query.text,
                    operand.at,
                    f"field '{shown}' can not be filtered in a query call",
                ),
            )

    def _bound(self, operand: Operand, field: Field | None, value: Value) -> Any:
        """The literal as the column holds it. Raises Refusal where the types disagree."""
        if field is None or operand.function in ("COUNT", "COUNT_DISTINCT"):
            return int(value.text)
        if operand.function.startswith("CALENDAR"):
            return int(value.text)
        if value.kind == "null":
            return None
        kind = "date" if operand.function == "DAY_ONLY" else field.type
        return literal(field, kind, value)


def _relation_name(sub: Select) -> str:
    return sub.parent_field.children if sub.parent_field else sub.query.source
