"""SOQL's conditions as SQL. A comparison with null is true or false, never unknown.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_conditionexpression.htm
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .cells import digits
from .errors import Refusal
from .fields import Field
from .literals import edge, literal, next_whole_second, wrong_kind
from .names import Names
from .periods import period
from .soql import (
    Among,
    Both,
    Compare,
    Condition,
    Not,
    Operand,
    Query,
    Value,
    malformed,
    pointed,
    unquoted,
)


class Filters(Names):
    """WHERE and HAVING; parameters are collected in the order of their marks."""

    def _where(self) -> str:
        alive = "" if self.compiler.all_rows else f"{self.prefix}._deleted IS NULL"
        given = self._condition(self.query.where) if self.query.where is not None else ""
        return " AND ".join(f"({part})" for part in (alive, given) if part) or "1"

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
        if _beyond_ascii(field, [value]):
            sql, value = f"folded({sql})", value.casefold()
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
        wanted = unquoted(one.value.text, pattern=True)
        if _beyond_ascii(field, [wanted]):
            sql, wanted = f"folded({sql})", wanted.casefold()
        self.params.append(wanted)
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
        if _beyond_ascii(field, found):
            sql, found = f"folded({sql})", [value.casefold() for value in found]
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
        inner = self.compiler.inner(query, self.level + 1)
        column, _ = inner._expression(query.select[0])
        where = inner._where()
        self.params += inner.params
        limit = "" if query.limit is None else f" LIMIT {query.limit}"
        text = (
            f'SELECT {column} FROM "{inner.type.name}" {inner.prefix} {" ".join(inner.joins)} '
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


def _beyond_ascii(field: Field | None, values: list[Any]) -> bool:
    """Whether a comparison needs more than SQLite's own blindness for case."""
    blind = field is not None and field.is_text and not field.case_sensitive
    return blind and any(isinstance(value, str) and not value.isascii() for value in values)
