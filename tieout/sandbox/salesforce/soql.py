"""SOQL read into a tree.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from .errors import Refusal


class Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "name" else ""


@dataclass(frozen=True)
class Value:
    """A literal. `kind`: string, number, date, datetime, bool, null, literal, currency."""

    kind: str
    text: str
    number: int = 0


@dataclass(frozen=True)
class Operand:
    """A field path, or a function of one (`COUNT()` has none)."""

    path: tuple[str, ...]
    function: str = ""
    alias: str = ""
    at: int = 0


@dataclass(frozen=True)
class Compare:
    left: Operand
    operator: str
    value: Value


@dataclass(frozen=True)
class Among:
    """IN, NOT IN (and INCLUDES, EXCLUDES of a multi-select picklist)."""

    left: Operand
    negated: bool
    values: tuple[Value, ...] = ()
    query: Query | None = None
    includes: bool = False


@dataclass(frozen=True)
class Not:
    inner: Condition


@dataclass(frozen=True)
class Both:
    parts: tuple[Condition, ...]
    word: str


Condition = Compare | Among | Not | Both


@dataclass(frozen=True)
class Sorting:
    operand: Operand
    descending: bool = False
    nulls_last: bool = False


@dataclass
class Query:
    """One SELECT. `select` holds operands, sub-selects, and FIELDS(...) as `*STANDARD`."""

    text: str
    select: list[Operand | Query | str] = field(default_factory=list)
    source: str = ""
    source_at: int = 0
    alias: str = ""
    where: Condition | None = None
    group: list[Operand] = field(default_factory=list)
    having: Condition | None = None
    order: list[Sorting] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0


FUNCTIONS = {
    "COUNT",
    "COUNT_DISTINCT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "CALENDAR_YEAR",
    "CALENDAR_MONTH",
    "CALENDAR_QUARTER",
    "DAY_ONLY",
    "TOLABEL",
    "FORMAT",
    "CONVERTCURRENCY",
}
AGGREGATES = {"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"}

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:\\.|[^'\\])*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d(?![\dT]))
    |(?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<op><=|>=|!=|<>|[=<>(),:])""",
    re.VERBOSE | re.DOTALL,
)
_CLAUSES = {"WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "USING"}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_COMPARISONS = {"=", "!=", "<>", "<", ">", "<=", ">="}


def unquoted(text: str, *, pattern: bool = False) -> str:
    """The characters between the quotes; a LIKE `pattern` keeps its escaped wildcards."""

    def char(found: re.Match[str]) -> str:
        mark = found.group(1)
        if mark[0] == "u" and len(mark) > 1:
            return chr(int(mark[1:], 16))
        if mark in "%_":
            return f"\\{mark}" if pattern else mark
        if mark == "\\" and pattern:
            return "\\\\"
        if mark not in "nrtbf\"'\\":
            raise malformed(f"Illegal escape sequence in string: \\{mark}")
        return _ESCAPES.get(mark, mark)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", char, text[1:-1], flags=re.DOTALL)


def malformed(message: str) -> Refusal:
    return Refusal("MALFORMED_QUERY", message)


def pointed(text: str, at: int, message: str) -> str:
    """A message with the place in the query, as Salesforce shows it."""
    start = max(0, at - 30)
    shown = text[start : at + 30].replace("\n", " ")
    return f"\n{shown}\n{' ' * (at - start)}^\nERROR at Row:1:Column:{at + 1}\n{message}"


def parse(text: str) -> Query:
    """Raises Refusal (MALFORMED_QUERY)."""
    return Parser(text).whole()


class Parser:
    """Reads tokens left to right; each method eats what its name says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.place = 0

    def _tokens(self) -> list[Token]:
        found, at = [], 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                shown = self.text[at]
                raise malformed(pointed(self.text, at, f"unexpected token: '{shown}'"))
            if match.lastgroup != "space":
                found.append(Token(str(match.lastgroup), match.group(), at))
            at = match.end()
        return [*found, Token("end", "<EOF>", len(self.text))]

    def whole(self) -> Query:
        query = self.query()
        if self.look.kind != "end":
            raise self.unexpected()
        return query

    @property
    def look(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.look
        self.place += 1
        return token

    def unexpected(self) -> Refusal:
        token = self.look
        shown = token.text if token.kind != "end" else "<EOF>"
        return malformed(pointed(self.text, token.at, f"unexpected token: '{shown}'"))

    def word(self, *words: str) -> bool:
        """Whether the next token is one of these words; then it is eaten."""
        if self.look.word in words:
            self.place += 1
            return True
        return False

    def sign(self, text: str) -> bool:
        if self.look.kind == "op" and self.look.text == text:
            self.place += 1
            return True
        return False

    def need(self, ok: bool) -> None:
        if not ok:
            raise self.unexpected()

    def query(self) -> Query:
        self.need(self.word("SELECT"))
        query = Query(self.text)
        query.select.append(self.selected())
        while self.sign(","):
            query.select.append(self.selected())
        self.need(self.word("FROM"))
        query.source_at = self.look.at
        query.source = self.name()
        self.word("AS")
        if self.look.kind == "name" and self.look.word not in _CLAUSES:
            query.alias = self.name()
        self.clauses(query)
        return query

    def clauses(self, query: Query) -> None:
        if self.word("USING"):
            self.need(self.word("SCOPE"))
            self.name()
        if self.word("WHERE"):
            query.where = self.condition()
        if self.word("WITH"):
            self.need(self.word("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"))
        if self.word("GROUP"):
            self.need(self.word("BY"))
            query.group.append(self.operand())
            while self.sign(","):
                query.group.append(self.operand())
            if self.word("HAVING"):
                query.having = self.condition()
        if self.word("ORDER"):
            self.need(self.word("BY"))
            query.order.append(self.sorting())
            while self.sign(","):
                query.order.append(self.sorting())
        if self.word("LIMIT"):
            query.limit = self.whole_number()
        if self.word("OFFSET"):
            query.offset = self.whole_number()
        while self.word("FOR"):
            self.need(self.word("VIEW", "REFERENCE"))

    def selected(self) -> Operand | Query | str:
        if self.sign("("):
            query = self.query()
            self.need(self.sign(")"))
            return query
        if self.look.word == "FIELDS" and self.tokens[self.place + 1].text == "(":
            self.place += 2
            kind = self.name().upper()
            if kind not in ("ALL", "STANDARD", "CUSTOM"):
                raise malformed(f"FIELDS function must have a keyword: {kind}")
            self.need(self.sign(")"))
            return f"*{kind}"
        operand = self.operand()
        if self.look.kind == "name" and self.look.word not in {"FROM"}:
            alias = self.name()
            return Operand(operand.path, operand.function, alias, operand.at)
        return operand

    def operand(self) -> Operand:
        token = self.look
        self.need(token.kind == "name")
        self.place += 1
        if token.word in FUNCTIONS and self.sign("("):
            if token.word == "COUNT" and self.sign(")"):
                return Operand((), "COUNT", "", token.at)
            inner = self.take()
            if inner.kind != "name":
                self.place -= 1
                raise self.unexpected()
            self.need(self.sign(")"))
            return Operand(tuple(inner.text.split(".")), token.word, "", inner.at)
        if self.look.text == "(":
            raise self.unexpected()
        return Operand(tuple(token.text.split(".")), "", "", token.at)

    def condition(self) -> Condition:
        """One AND or OR chain: mixing the two without brackets is refused."""
        parts = [self.term()]
        word = self.look.word if self.look.word in ("AND", "OR") else ""
        while word and self.word(word):
            parts.append(self.term())
        if self.look.word in ("AND", "OR"):
            raise self.unexpected()
        return Both(tuple(parts), word) if word else parts[0]

    def term(self) -> Condition:
        if self.word("NOT"):
            return Not(self.term())
        if self.sign("("):
            inner = self.condition()
            self.need(self.sign(")"))
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        left = self.operand()
        if self.look.kind == "op" and self.look.text in _COMPARISONS:
            operator = self.take().text
            return Compare(left, "!=" if operator == "<>" else operator, self.value())
        if self.word("LIKE"):
            return Compare(left, "LIKE", self.value())
        if self.word("INCLUDES", "EXCLUDES"):
            negated = self.tokens[self.place - 1].word == "EXCLUDES"
            return Among(left, negated, self.values(), includes=True)
        negated = self.word("NOT")
        self.need(self.word("IN"))
        if self.look.text == "(" and self.tokens[self.place + 1].word == "SELECT":
            self.place += 1
            query = self.query()
            self.need(self.sign(")"))
            return Among(left, negated, query=query)
        return Among(left, negated, self.values())

    def values(self) -> tuple[Value, ...]:
        self.need(self.sign("("))
        found = [self.value()]
        while self.sign(","):
            found.append(self.value())
        self.need(self.sign(")"))
        return tuple(found)

    def value(self) -> Value:
        token = self.take()
        if token.kind in ("string", "date", "datetime", "number"):
            return Value(token.kind, token.text)
        word = token.word
        if word in ("TRUE", "FALSE"):
            return Value("bool", word)
        if word == "NULL":
            return Value("null", "")
        if re.fullmatch(r"[A-Z]{3}\d+(\.\d+)?", token.text):
            return Value("currency", token.text)
        if re.fullmatch(r"[A-Z][A-Z0-9_]+", word):
            number = self.whole_number() if self.sign(":") else 0
            return Value("literal", word, number)
        self.place -= 1
        raise self.unexpected()

    def sorting(self) -> Sorting:
        operand = self.operand()
        descending = False
        if self.word("ASC", "DESC"):
            descending = self.tokens[self.place - 1].word == "DESC"
        last = False
        if self.word("NULLS"):
            self.need(self.word("FIRST", "LAST"))
            last = self.tokens[self.place - 1].word == "LAST"
        return Sorting(operand, descending, last)

    def whole_number(self) -> int:
        token = self.look
        self.need(token.kind == "number" and token.text.isdigit())
        self.place += 1
        return int(token.text)

    def name(self) -> str:
        self.need(self.look.kind == "name")
        return self.take().text
