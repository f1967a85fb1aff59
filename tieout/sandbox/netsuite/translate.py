"""SuiteQL (Oracle's dialect) turned into SQLite's, on the syntax tree.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156257770590.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

logging.getLogger("sqlglot").setLevel(logging.ERROR)


class Unsupported(Exception):
    """The query is not something SuiteQL runs; the message is NetSuite's detail."""


UNSUPPORTED = "Invalid or unsupported search."


class _SuiteQL(Oracle):
    class Tokenizer(Oracle.Tokenizer):
        # SuiteQL has TOP, unlike Oracle, and no LIMIT.
        KEYWORDS: ClassVar[Any] = {**Oracle.Tokenizer.KEYWORDS, "TOP": TokenType.TOP}

    class Parser(Oracle.Parser):  # type: ignore[misc, valid-type]
        # Functions stay as written; what they mean is said in FUNCTIONS below.
        FUNCTIONS: ClassVar[Any] = {}
        NO_PAREN_FUNCTIONS: ClassVar[Any] = {}
        FUNCTION_PARSERS: ClassVar[Any] = {
            name: parser
            for name, parser in Oracle.Parser.FUNCTION_PARSERS.items()
            if name in ("CAST", "EXTRACT", "TRIM")
        }


class _Backticks(SQLite):
    # In SQLite a "quoted" name that is unknown silently becomes a string; `quoted` does not.
    class Tokenizer(SQLite.Tokenizer):
        IDENTIFIERS: ClassVar[Any] = ["`"]


FUNCTIONS = {
    "TO_CHAR": "ora_to_char",
    "TO_DATE": "ora_to_date",
    "TO_TIMESTAMP": "ora_to_date",
    "TO_NUMBER": "ora_to_number",
    "NVL": "coalesce",
    "COALESCE": "coalesce",
    "DECODE": "ora_decode",
    "CONCAT": "ora_joined",
    "ROUND": "ora_round",
    "TRUNC": "ora_trunc",
    "CEIL": "ora_ceil",
    "FLOOR": "ora_floor",
    "ABS": "ora_abs",
    "SIGN": "ora_sign",
    "MOD": "ora_mod",
    "GREATEST": "ora_greatest",
    "LEAST": "ora_least",
    "ADD_MONTHS": "ora_add_months",
    "LAST_DAY": "ora_last_day",
    "SYS_EXTRACT_UTC": "ora_to_utc",
    "SUM": "ora_sum",
    "AVG": "ora_avg",
    "MIN": "ora_min",
    "MAX": "ora_max",
    "LISTAGG": "ora_listagg",
    "COUNT": "count",
    "MONTHS_BETWEEN": "ora_months_between",
    "POWER": "ora_power",
    "UPPER": "ora_upper",
    "LOWER": "ora_lower",
    "INITCAP": "ora_initcap",
    "LPAD": "ora_lpad",
    "RPAD": "ora_rpad",
    "REGEXP_LIKE": "ora_regexp_like",
    "REGEXP_REPLACE": "ora_regexp_replace",
    "REGEXP_SUBSTR": "ora_regexp_substr",
    "LENGTH": "length",
    "SUBSTR": "ora_substr",
    "INSTR": "ora_instr",
    "REPLACE": "replace",
    "LTRIM": "ltrim",
    "RTRIM": "rtrim",
    "TRIM": "trim",
    "NULLIF": "nullif",
    "ROW_NUMBER": "row_number",
    "RANK": "rank",
    "DENSE_RANK": "dense_rank",
    "LAG": "lag",
    "LEAD": "lead",
    "FIRST_VALUE": "first_value",
    "LAST_VALUE": "last_value",
}
_NOW = {
    "sysdate": "ora_sysdate",
    "systimestamp": "ora_sysdate",
    "current_date": "ora_current",
    "current_timestamp": "ora_current",
    "localtimestamp": "ora_current",
}
_DATE_FUNCTIONS = {
    "ora_to_date",
    "ora_sysdate",
    "ora_current",
    "ora_add_months",
    "ora_last_day",
    "ora_to_utc",
    "ora_implicit_date",
    "ora_cast_date",
}
_TEXT_FUNCTIONS = {"ora_upper", "ora_lower", "ora_substr", "ora_to_char"}
_OPERATORS: dict[type[exp.Expr], str] = {
    exp.Add: "ora_plus",
    exp.Sub: "ora_minus",
    exp.Mul: "ora_times",
    exp.Div: "ora_divided",
    exp.DPipe: "ora_joined",
}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def parse(text: str, params: int) -> exp.Expr:
    """The query's tree, `?` named :p1, :p2, ... Raises Unsupported."""
    try:
        named, found = _name_placeholders(text)
        trees = sqlglot.parse(named, dialect=_SuiteQL)
    except (SqlglotError, RecursionError):
        raise Unsupported(UNSUPPORTED) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Select | exp.SetOperation):
        raise Unsupported(UNSUPPORTED)
    if found != params:
        raise Unsupported(f"The query has {found} parameters, {params} values were given.")
    return trees[0]


def _name_placeholders(text: str) -> tuple[str, int]:
    pieces, at, count = [], 0, 0
    for token in _SuiteQL().tokenize(text):
        if token.token_type == TokenType.PLACEHOLDER:
            count += 1
            pieces += [text[at : token.start], f":p{count}"]
            at = token.end + 1
        elif token.token_type == TokenType.LIMIT:
            raise Unsupported(UNSUPPORTED)
    return "".join([*pieces, text[at:]]), count


class Translator:
    """Rewrites a tree for the engine; knows the account's columns."""

    def __init__(self, columns: Mapping[str, Mapping[str, str]], show: Mapping[str, str]) -> None:
        self.columns = columns
        self.show = show
        self.kinds: dict[str, str] = {}
        for table in columns.values():
            self.kinds |= table

    def translate(self, tree: exp.Expr) -> tuple[str, dict[str, str]]:
        """(SQL for SQLite, alias -> table as the query names them). Raises Unsupported."""
        aliases = self._tables(tree)
        _name_columns(tree)
        for select in list(tree.find_all(exp.Select)):
            _join_outer(select)
            _limit_rows(select)
        tree = tree.transform(self._rewrite)
        return tree.sql(dialect=_Backticks, identify=True), aliases

    def _tables(self, tree: exp.Expr) -> dict[str, str]:
        local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        aliases: dict[str, str] = {}
        for identifier in tree.find_all(exp.Identifier):
            identifier.set("this", str(identifier.this).lower())
        for table in tree.find_all(exp.Table):
            name = table.name.lower()
            if name in local:
                continue
            if name not in self.columns or table.db:
                raise Unsupported(f"Invalid search type: {table.name}.")
            aliases[table.alias_or_name.lower()] = name
        return aliases

    def _rewrite(self, node: exp.Expr) -> exp.Expr:
        rule = self._rules.get(type(node))
        return rule(self, node) if rule is not None else node

    def _operator(self, node: exp.Expr) -> exp.Expr:
        return _call(_OPERATORS[type(node)], node.this, node.expression).transform(self._rewrite)

    def _negation(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node.this, exp.Literal):
            return node
        return _call("ora_negated", node.this).transform(self._rewrite)

    def _column(self, node: exp.Expr) -> exp.Expr:
        name = str(node.name).lower()
        known = name in _NOW and not node.args.get("table")
        return _call(_NOW[name]) if known else node

    def _now(self, node: exp.Expr) -> exp.Expr:
        return _call("ora_sysdate" if node.args.get("sysdate") else "ora_current")

    def _function(self, node: exp.Expr) -> exp.Expr:
        name = str(node.this)
        if name.startswith("ora_"):
            return node
        args = [each.transform(self._rewrite) for each in node.expressions]
        if name.upper() == "NVL2" and len(args) == 3:
            test = exp.Not(this=exp.Is(this=args[0], expression=exp.Null()))
            return exp.Case(ifs=[exp.If(this=test, true=args[1])], default=args[2])
        known = FUNCTIONS.get(name.upper())
        if known is None:
            raise Unsupported(UNSUPPORTED)
        return exp.Anonymous(this=known, expressions=args)

    def _builtin(self, node: exp.Expr) -> exp.Expr:
        call = node.expression
        if node.this.name.upper() != "BUILTIN" or not isinstance(call, exp.Anonymous):
            return node
        name, args = str(call.this).upper(), list(call.expressions)
        if not args:
            raise Unsupported(UNSUPPORTED)
        if name == "CONSOLIDATE":
            consolidated: exp.Expr = args[0].transform(self._rewrite)
            return consolidated
        if name not in ("DF", "CF", "HIERARCHY") or not isinstance(args[0], exp.Column):
            raise Unsupported(UNSUPPORTED)
        column = args[0]
        kind = self.show.get(column.name.lower(), "")
        if kind == "status":
            type_column = exp.column("type", table=column.args.get("table"))
            return _call(f"ora_status_{name.lower()}", type_column, column)
        return _call("ora_shown", exp.Literal.string(kind), column) if kind else column

    def _cast(self, node: exp.Expr) -> exp.Expr:
        to = node.args["to"].this
        inner = node.this.transform(self._rewrite)
        if to in (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, *_ZONED):
            literal = isinstance(node.this, exp.Literal)
            return _call("ora_cast_date", inner) if literal else inner
        if to in exp.DataType.TEXT_TYPES:
            return _call("ora_to_char", inner)
        if to in exp.DataType.INTEGER_TYPES:
            return _call("ora_round", inner)
        if to in exp.DataType.NUMERIC_TYPES:
            return _call("ora_to_number", inner)
        raise Unsupported(UNSUPPORTED)

    def _sorted_list(self, node: exp.Expr) -> exp.Expr:
        """LISTAGG(...) WITHIN GROUP (ORDER BY ...): the keys go into the call, each with a sign."""
        call, order = node.this, node.expression
        if not isinstance(call, exp.Anonymous) or str(call.this).upper() != "LISTAGG":
            raise Unsupported(UNSUPPORTED)
        args = [each.copy() for each in call.expressions]
        args += [exp.Literal.string("")] * (2 - len(args))
        for key in order.expressions:
            args += [exp.Literal.number(-1 if key.args.get("desc") else 1), key.this.copy()]
        return _call("ora_listagg", *(each.transform(self._rewrite) for each in args))

    def _date_literal(self, node: exp.Expr) -> exp.Expr:
        return _call("ora_cast_date", node.this)

    def _extract(self, node: exp.Expr) -> exp.Expr:
        part = exp.Literal.string(node.name or str(node.this))
        return _call("ora_extract", part, node.expression.transform(self._rewrite))

    def _comparison(self, node: exp.Expr) -> exp.Expr:
        left = node.this.transform(self._rewrite)
        right = node.expression.transform(self._rewrite)
        kinds = self._kind(left), self._kind(right)
        if isinstance(node.expression, exp.Tuple) or isinstance(node.this, exp.Tuple):
            return node
        if "date" in kinds:
            return type(node)(this=self._as_date(left), expression=self._as_date(right))
        if {*kinds} in ({"int"}, {"text"}, {"int", "literal"}, {"text", "literal"}):
            return type(node)(this=left, expression=right)
        return type(node)(this=_call("ora_compare", left, right), expression=exp.Literal.number(0))

    def _between(self, node: exp.Expr) -> exp.Expr:
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"])
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"])
        both = exp.And(this=self._comparison(low), expression=self._comparison(high))
        return exp.Paren(this=both)

    def _in(self, node: exp.Expr) -> exp.Expr:
        left = node.this.transform(self._rewrite)
        listed = [each.transform(self._rewrite) for each in node.expressions]
        kind = self._kind(left)
        if kind == "date":
            listed = [self._as_date(each) for each in listed]
        elif kind in ("other", "number") and listed:
            tests = [self._comparison(exp.EQ(this=left.copy(), expression=e)) for e in listed]
            return exp.Paren(this=exp.or_(*tests, copy=False))
        rewritten = node.copy()
        rewritten.set("this", left)
        rewritten.set("expressions", listed)
        if rewritten.args.get("query") is not None:
            rewritten.set("query", rewritten.args["query"].transform(self._rewrite))
        return rewritten

    def _ordered(self, node: exp.Expr) -> exp.Expr:
        inner = node.this.transform(self._rewrite)
        rewritten = node.copy()
        if self._kind(inner) in ("other", "number"):
            inner = exp.Collate(this=inner, expression=exp.Var(this="ORA"))
        rewritten.set("this", inner)
        return rewritten

    def _as_date(self, node: exp.Expr) -> exp.Expr:
        return node if self._kind(node) == "date" else _call("ora_implicit_date", node)

    def _kind(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Paren):
            return self._kind(node.this)
        if isinstance(node, exp.Column):
            kind = self.kinds.get(node.name.lower(), "other")
            return "text" if kind == "custom" else kind
        if isinstance(node, exp.Literal | exp.Placeholder) or (
            isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal)
        ):
            return "literal"
        if isinstance(node, exp.Anonymous):
            name = str(node.this)
            if name in _DATE_FUNCTIONS:
                return "date"
            return "text" if name in _TEXT_FUNCTIONS else "other"
        return "other"

    _rules: Mapping[type[exp.Expr], Callable[[Translator, exp.Expr], exp.Expr]]


_ZONED = (exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ)

Translator._rules = {
    **dict.fromkeys(_OPERATORS, Translator._operator),
    **dict.fromkeys(_COMPARISONS, Translator._comparison),
    exp.Neg: Translator._negation,
    exp.Column: Translator._column,
    exp.CurrentTimestamp: Translator._now,
    exp.CurrentDate: Translator._now,
    exp.Anonymous: Translator._function,
    exp.Dot: Translator._builtin,
    exp.Cast: Translator._cast,
    exp.WithinGroup: Translator._sorted_list,
    exp.DateStrToDate: Translator._date_literal,
    exp.StrToTime: Translator._date_literal,
    exp.Extract: Translator._extract,
    exp.Between: Translator._between,
    exp.In: Translator._in,
    exp.Ordered: Translator._ordered,
}


def _call(name: str, *args: Any) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(args))


def _name_columns(tree: exp.Expr) -> None:
    """Expressions without a name come back as expr1, expr2, ..."""
    select = tree
    while isinstance(select, exp.SetOperation):
        select = select.this
    number = 0
    for column in list(select.expressions):
        if isinstance(column, exp.Alias | exp.Column | exp.Star):
            continue
        number += 1
        column.replace(exp.alias_(column.copy(), f"expr{number}"))


def _join_outer(select: exp.Select) -> None:
    """Oracle's `a.id = b.id(+)` as a LEFT JOIN: the marked table may have no row."""
    where = select.args.get("where")
    parts = _conjuncts(where.this) if where is not None else []
    optional: dict[str, list[exp.Expr]] = {}
    for part in parts:
        marked = {c.table for c in part.find_all(exp.Column) if c.args.get("join_mark")}
        if len(marked) > 1:
            raise Unsupported(UNSUPPORTED)
        for table in marked:
            optional.setdefault(table, []).append(part)
    if not optional:
        return
    first = select.args.get("from_") or select.args["from"]
    sources = [first.this, *(join.this for join in select.args.get("joins") or [])]
    if any(join.args.get("on") is not None for join in select.args.get("joins") or []):
        raise Unsupported(UNSUPPORTED)
    inner = [source for source in sources if source.alias_or_name not in optional]
    outer = [source for source in sources if source.alias_or_name in optional]
    if not inner or len(outer) != len(optional):
        raise Unsupported(UNSUPPORTED)
    for column in select.find_all(exp.Column):
        column.set("join_mark", None)
    first.set("this", inner[0])
    joins = [exp.Join(this=source, kind="CROSS") for source in inner[1:]]
    for source in outer:
        tests = [part.copy() for part in optional[source.alias_or_name]]
        joins.append(exp.Join(this=source, side="LEFT", on=exp.and_(*tests, copy=False)))
    select.set("joins", joins)
    moved = [part for group in optional.values() for part in group]
    rest = [part for part in parts if not any(part is one for one in moved)]
    kept = exp.and_(*[part.copy() for part in rest], copy=False) if rest else None
    select.set("where", exp.Where(this=kept) if kept is not None else None)


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    return list(node.flatten()) if isinstance(node, exp.And) else [node]


def _limit_rows(select: exp.Select) -> None:
    """ROWNUM: a bound on rows taken before they are sorted, or a running number."""
    where = select.args.get("where")
    bound = None
    if where is not None:
        for part in _conjuncts(where.this):
            if isinstance(part, exp.LT | exp.LTE) and _is_rownum(part.this):
                bound = part
    for pseudo in list(select.find_all(exp.Column, exp.Pseudocolumn)):
        inside_where = bound is not None and pseudo.find_ancestor(exp.LT, exp.LTE) is bound
        if _is_rownum(pseudo) and not inside_where and pseudo.parent_select is select:
            number = exp.Anonymous(this="ROW_NUMBER", expressions=[])
            pseudo.replace(exp.Window(this=number))
    if bound is None:
        return
    count = bound.expression.copy()
    if isinstance(bound, exp.LT):
        count = exp.Sub(this=count, expression=exp.Literal.number(1))
    bound.replace(exp.true())
    _take_first(select, count)


def _is_rownum(node: Any) -> bool:
    return isinstance(node, exp.Column | exp.Pseudocolumn) and node.name.upper() == "ROWNUM"


def _take_first(select: exp.Select, count: exp.Expr) -> None:
    limit = exp.Limit(expression=_call("ora_whole", count))
    order = select.args.get("order")
    if order is None:
        select.set("limit", limit)
        return
    # Oracle numbers the rows before ORDER BY sees them.
    names = [column.alias_or_name for column in select.expressions]
    if any(isinstance(column, exp.Star) for column in select.expressions) or not all(names):
        raise Unsupported(UNSUPPORTED)
    inner = select.copy()
    inner.set("order", None)
    inner.set("limit", limit)
    keys = []
    for number, key in enumerate(order.expressions):
        inner.append("expressions", exp.alias_(key.this.copy(), f"sort_{number}"))
        again = key.copy()
        again.set("this", exp.column(f"sort_{number}"))
        keys.append(again)
    for name in ("where", "from_", "from", "joins", "group", "having", "with_", "with", "distinct"):
        select.set(name, None)
    select.set("expressions", [exp.column(name) for name in names])
    taken = exp.TableAlias(this=exp.to_identifier("taken"))
    select.from_(exp.Subquery(this=inner, alias=taken), copy=False)
    select.set("order", exp.Order(expressions=keys))
