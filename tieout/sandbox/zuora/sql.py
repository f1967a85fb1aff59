"""Data Query's SQL (Trino) and Export ZOQL, translated for the mirror.

https://docs.zuora.com/en/zuora-platform/data/data-query/data-query-help-section
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from . import times
from .mirror import MARK, Mirror
from .objects import find, visible

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_MATCHED = (*_COMPARED, exp.In, exp.Between)
_ALLOWED = (
    exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Coalesce, exp.Lower, exp.Upper,
    exp.Length, exp.Substring, exp.Concat, exp.Cast, exp.Case, exp.If, exp.And, exp.Or, exp.Xor,
    exp.CurrentDate, exp.CurrentTimestamp, exp.Trim, exp.Nullif, exp.Exists,
)  # fmt: skip
_SHOWN = {
    "string": "varchar", "number": "decimal(22,9)", "integer": "integer", "boolean": "boolean",
    "date": "date", "datetime": "timestamp with time zone",
}  # fmt: skip


class SqlProblem(Exception):
    """What a failed query says."""


@dataclass
class Dialect:
    """Who asks: Data Query is strict about types, Export ZOQL compares dates with text."""

    now: datetime
    zone: ZoneInfo
    settlement: bool
    zoql: bool = False
    read_deleted: bool = False


@dataclass
class Translated:
    sql: str
    columns: list[str]
    types: list[str]
    tables: list[str]


class Translator:
    """Translates one query."""

    def __init__(self, mirror: Mirror, dialect: Dialect) -> None:
        self.mirror, self.dialect = mirror, dialect
        self.tables: list[str] = []

    def translate(self, text: str) -> Translated:
        """Raises SqlProblem."""
        tree = self._parse(text)
        wants_deleted = any(one.name.lower() == "deleted" for one in tree.find_all(exp.Column))
        for select in list(tree.find_all(exp.Select)):
            self._select(select, wants_deleted)
        outer = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
        assert outer is not None
        columns = [one.alias_or_name or f"_col{n}" for n, one in enumerate(outer.expressions)]
        types = [one.meta.get("kind", "") for one in outer.expressions]
        return Translated(tree.sql(dialect="sqlite"), columns, types, self.tables)

    def _parse(self, text: str) -> exp.Expression:
        try:
            tree = sqlglot.parse_one(text.strip().rstrip(";"), read="trino")
        except sqlglot.errors.SqlglotError as problem:
            raise SqlProblem(f"line 1:1: mismatched input: {problem}") from None
        if not isinstance(tree, exp.Select | exp.Union):
            raise SqlProblem("line 1:1: only SELECT, SHOW and DESCRIBE are supported")
        return tree

    def _join_named(self, select: exp.Select) -> None:
        """Export ZOQL reads a related object by its name alone: `Account.Name` of an invoice."""
        source = select.args.get("from_") or select.args.get("from")
        if not self.dialect.zoql or source is None or select.args.get("joins"):
            return
        own = find(source.this.name) if isinstance(source.this, exp.Table) else None
        if own is None:
            return
        named = {one.table.lower() for one in select.find_all(exp.Column) if one.table}
        for name in sorted(named - {source.this.alias_or_name.lower()}):
            other = find(name)
            if other is None or f"{other.object.lower()}id" not in own.types:
                continue
            link = exp.column(f"{other.object}Id", table=source.this.alias_or_name)
            met = exp.EQ(this=link, expression=exp.column("Id", table=name))
            joined = exp.alias_(exp.to_table(other.object), name, table=True)
            select.join(joined, on=met, join_type="left", copy=False)

    def _select(self, select: exp.Select, wants_deleted: bool) -> None:
        self._join_named(select)
        scope = self._scope(select)
        self._expand_stars(select, scope)
        mine = [node for node in select.walk() if node.parent_select is select]
        for column in [node for node in mine if isinstance(node, exp.Column)]:
            self._resolve(column, scope, select)
        for node in mine:
            if isinstance(node, _MATCHED):
                self._compare(node)
        for one in select.expressions:
            one.meta["kind"] = _kind_of(one)
        self._name_outputs(select)
        for node in list(select.walk()):
            if node.parent_select is select:
                self._rewrite(node)
        for ordered in select.find_all(exp.Ordered):
            if ordered.parent_select is select and not isinstance(ordered.this, exp.Literal):
                inner = ordered.this
                ordered.set("this", exp.Collate(this=inner.copy(), expression=exp.var("NUM")))
        self._hide_deleted(select, scope, wants_deleted)

    def _scope(self, select: exp.Select) -> dict[str, str]:
        """Alias -> table, for the tables of this SELECT."""
        scope: dict[str, str] = {}
        source = select.args.get("from_") or select.args.get("from")
        found = [source.this] if source else []
        found += [join.this for join in select.args.get("joins") or []]
        for table in found:
            if isinstance(table, exp.Subquery):
                scope[table.alias.lower()] = ""
                continue
            kind = find(table.name)
            name = kind.table if kind else table.name.lower()
            exact = kind is not None and (self.dialect.zoql or table.name.lower() == kind.table)
            if kind is None or not exact:
                raise SqlProblem(f"Table owl.data.{table.name.lower()} does not exist")
            if not visible(name, self.dialect.settlement):
                raise SqlProblem("Service Temporarily Unavailable (LINK_30000007)")
            scope[(table.alias or table.name).lower()] = name
            self.tables.append(name)
            self.mirror.sync(name)
        return scope

    def _expand_stars(self, select: exp.Select, scope: dict[str, str]) -> None:
        listed: list[exp.Expression] = []
        for one in select.expressions:
            starred = isinstance(one, exp.Column) and isinstance(one.this, exp.Star)
            if not isinstance(one, exp.Star) and not starred:
                listed.append(one)
                continue
            for alias, table in scope.items():
                if starred and one.table.lower() != alias:
                    continue
                names = self.mirror.columns.get(table, {})
                listed += [exp.column(self._shown(table, name), table=alias) for name in names]
        select.set("expressions", listed)

    def _shown(self, table: str, name: str) -> str:
        if not self.dialect.zoql:
            return name
        spelled = self.mirror.columns[table][name]
        return spelled[:1].upper() + spelled[1:]

    def _resolve(self, column: exp.Column, scope: dict[str, str], select: exp.Select) -> None:
        name, alias = column.name.lower(), column.table.lower()
        if isinstance(column.this, exp.Star):
            return
        if self.dialect.zoql and alias and alias not in scope:
            name, alias = f"{alias}{name}", ""
        places = [alias] if alias else list(scope)
        for place in places:
            table = scope.get(place)
            if table == "" or (table and (name in self.mirror.columns[table] or name == "deleted")):
                kind = self.mirror.types[table].get(name, "boolean") if table else ""
                joined = self.dialect.zoql and place != next(iter(scope))
                shown = f"{column.table}.{column.name}" if joined else column.name
                column.meta.update(kind=kind, shown=shown)
                column.set("this", exp.to_identifier(name, quoted=True))
                column.set("table", exp.to_identifier(place, quoted=True))
                return
        if not column.table and name in {one.alias.lower() for one in select.expressions}:
            return
        raise SqlProblem(f"line 1:8: Column '{column.sql()}' cannot be resolved")

    def _compare(self, node: exp.Expression) -> None:
        sides = [node.this, node.expression] if isinstance(node, _COMPARED) else [node.this]
        if isinstance(node, exp.In):
            sides += node.expressions
        if isinstance(node, exp.Between):
            sides += [node.args["low"], node.args["high"]]
        kinds = {_kind_of(side) for side in sides if isinstance(side, exp.Column)} - {""}
        if not kinds:
            return
        kind = kinds.pop()
        for side in sides:
            self._check_side(side, kind, node)

    def _check_side(self, side: exp.Expression, kind: str, node: exp.Expression) -> None:
        if isinstance(side, exp.Cast) and isinstance(side.this, exp.Literal):
            self._literal(side, kind)
            return
        text = isinstance(side, exp.Literal) and side.is_string
        if text and kind == "boolean" and self.dialect.zoql:
            side.replace(exp.Literal.number(int(side.name.lower() == "true")))
        elif text and kind == "datetime" and self.dialect.zoql:
            side.replace(exp.Literal.string(self._instant(side.name)))
        elif text and kind != "string" and not self.dialect.zoql:
            sign = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
            shown = sign.get(type(node).__name__, "IN")
            raise SqlProblem(
                f"line 1:1: '{shown}' cannot be applied to {_SHOWN[kind]}, "
                f"varchar({len(side.name)})"
            )
        elif isinstance(side, exp.Literal) and not text and kind == "string":
            raise SqlProblem("line 1:1: '=' cannot be applied to varchar, integer")

    def _literal(self, cast: exp.Cast, kind: str = "") -> None:
        """timestamp '...' and date '...' as the text that the columns hold."""
        text, target = cast.this.name, cast.to.sql().upper()
        try:
            if target.startswith("TIMESTAMP") or kind == "datetime":
                if times.is_date(text):
                    text += " 00:00:00 +00:00"
                cast.replace(exp.Literal.string(self._instant(text)))
            elif target == "DATE":
                cast.replace(exp.Literal.string(text[:10]))
        except ValueError:
            raise SqlProblem(f"line 1:1: '{text}' is not a valid timestamp literal") from None

    def _instant(self, text: str) -> str:
        zone = self.dialect.zone if self.dialect.zoql else ZoneInfo("UTC")
        try:
            return times.stored(times.parse(text, zone))
        except ValueError:
            # `timestamp '2019-01-01 -07:00'`: a date with a zone
            date, _, offset = text.strip().partition(" ")
            return times.stored(times.parse(f"{date}T00:00:00{offset}", zone))

    def _name_outputs(self, select: exp.Select) -> None:
        named: list[exp.Expression] = []
        for one in select.expressions:
            if isinstance(one, exp.Column) and one.meta.get("shown"):
                alias = exp.to_identifier(one.meta["shown"], quoted=True)
                wrapped = exp.Alias(this=one.copy(), alias=alias)
                wrapped.meta["kind"] = one.meta.get("kind", "")
                named.append(wrapped)
            else:
                named.append(one)
        select.set("expressions", named)

    def _rewrite(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Func) and not isinstance(node, _ALLOWED):
            name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            raise SqlProblem(f"line 1:1: Function '{name.lower()}' not registered")
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            self._literal(node)
        elif isinstance(node, exp.Sum):
            node.replace(exp.Anonymous(this="z_sum", expressions=[node.this.copy()]))
        elif isinstance(node, exp.Avg):
            node.replace(exp.Anonymous(this="z_avg", expressions=[node.this.copy()]))
        elif isinstance(node, exp.Add | exp.Sub | exp.Mul):
            sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}[type(node)]
            parts = [node.this.copy(), exp.Literal.string(sign), node.expression.copy()]
            node.replace(exp.Anonymous(this="z_calc", expressions=parts))
        elif isinstance(node, exp.CurrentTimestamp):
            node.replace(exp.Literal.string(times.stored(self.dialect.now)))
        elif isinstance(node, exp.CurrentDate):
            node.replace(exp.Literal.string(self.dialect.now.date().isoformat()))
        elif isinstance(node, exp.Literal) and not node.is_string:
            owner = node.parent
            if isinstance(owner, _MATCHED) and not _against_flag(owner):
                node.replace(exp.Literal.string(f"{MARK}{node.name}"))

    def _hide_deleted(self, select: exp.Select, scope: dict[str, str], wanted: bool) -> None:
        if wanted and not self.dialect.read_deleted:
            return
        joins = {one.this.alias_or_name.lower(): one for one in select.args.get("joins") or []}
        for alias, table in scope.items():
            if not table:
                continue
            flag = exp.column("deleted", table=alias, quoted=True)
            value = exp.Literal.number(int(self.dialect.read_deleted))
            join = joins.get(alias)
            if join is not None and join.side == "LEFT" and join.args.get("on"):
                # A row without a partner has no flag, and is one of the result all the same.
                join.on(exp.EQ(this=flag, expression=value), copy=False)
            else:
                select.where(exp.EQ(this=flag, expression=value), copy=False)


def _against_flag(node: exp.Expr) -> bool:
    return any(column.meta.get("kind") == "boolean" for column in node.find_all(exp.Column))


def _kind_of(node: exp.Expression) -> str:
    if isinstance(node, exp.Alias | exp.Min | exp.Max | exp.Coalesce | exp.Paren):
        return _kind_of(node.this)
    if isinstance(node, exp.Boolean):
        return "boolean"
    return str(node.meta.get("kind", ""))


def describe(mirror: Mirror, table: str) -> list[dict[str, str]]:
    """The rows of DESCRIBE."""
    mirror.sync(table)
    types = mirror.types[table]
    found = [
        {"Column": name, "Type": _SHOWN[types[name]], "Extra": "", "Comment": ""} for name in types
    ]
    return [*found, {"Column": "deleted", "Type": "boolean", "Extra": "", "Comment": ""}]
