"""The `q` filter of record collections.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545222128.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from .books import Record, ref_id
from .catalog import RecordType
from .errors import Refusal, invalid_parameter

Test = Callable[[Record], bool]

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()\[\],]|[^\s()\[\],"]+)')
_LISTS = {"ANY_OF", "ANY_OF_NOT", "BETWEEN", "BETWEEN_NOT", "WITHIN", "WITHIN_NOT"}
_NUMBERS = {
    "EQUAL": lambda a, b: a == b,
    "GREATER": lambda a, b: a > b,
    "GREATER_OR_EQUAL": lambda a, b: a >= b,
    "LESS": lambda a, b: a < b,
    "LESS_OR_EQUAL": lambda a, b: a <= b,
}
_DATES = {
    "ON": lambda a, b: a == b,
    "AFTER": lambda a, b: a > b,
    "BEFORE": lambda a, b: a < b,
    "ON_OR_AFTER": lambda a, b: a >= b,
    "ON_OR_BEFORE": lambda a, b: a <= b,
}
_TEXTS = {
    "IS": lambda a, b: a == b,
    "CONTAIN": lambda a, b: b in a,
    "START_WITH": lambda a, b: a.startswith(b),
    "END_WITH": lambda a, b: a.endswith(b),
    "ENDWITH": lambda a, b: a.endswith(b),
}


def compile_filter(text: str, type: RecordType, timezone: str) -> Test:
    """A test for records. Raises Refusal when the filter cannot be read."""
    return _Parser(text, type, ZoneInfo(timezone)).parse()


def _refuse(text: str) -> Refusal:
    return invalid_parameter(f"Invalid query parameter 'q'. {text}", "q")


class _Parser:
    def __init__(self, text: str, type: RecordType, zone: ZoneInfo) -> None:
        self.tokens = _tokens(text)
        self.type, self.zone = type, zone
        self.at = 0

    def parse(self) -> Test:
        test = self._either()
        if self.at != len(self.tokens):
            raise _refuse(f"Unexpected '{self.tokens[self.at]}'.")
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._peek().upper() == "OR":
            self.at += 1
            tests.append(self._both())
        return lambda record: any(test(record) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._peek().upper() == "AND":
            self.at += 1
            tests.append(self._one())
        return lambda record: all(test(record) for test in tests)

    def _one(self) -> Test:
        if self._peek() == "(":
            self.at += 1
            test = self._either()
            self._expect(")")
            return test
        return self._condition(self._next(), self._next().upper())

    def _condition(self, name: str, operator: str) -> Test:
        spelled = {**self.type.spelling, "id": "id"}.get(name.lower(), name.lower())
        custom = spelled.startswith(self.type.custom_prefix)
        if spelled not in self.type.fields and spelled != "id" and not custom:
            raise _refuse(f"The field '{name}' cannot be used for filtering.")
        plain = operator.removesuffix("_NOT")
        kind = self.type.fields.get(spelled, "text")
        if plain == "EMPTY":
            test: Test = lambda record: _plain(record, spelled) in (None, "")  # noqa: E731
        else:
            values = self._values(operator)
            test = self._test(spelled, kind, plain, values)
        return (lambda record: not test(record)) if operator != plain else test

    def _values(self, operator: str) -> list[str]:
        if operator not in _LISTS or self._peek() != "[":
            return [_unquoted(self._next())]
        self.at += 1
        values = [_unquoted(self._next())]
        while self._peek() == ",":
            self.at += 1
            values.append(_unquoted(self._next()))
        self._expect("]")
        return values

    def _test(self, name: str, kind: str, operator: str, values: list[str]) -> Test:
        if operator in _DATES and kind in ("date", "datetime"):
            wanted = _user_date(values[0])
            compare = _DATES[operator]
            return lambda record: _holds(compare, self._day(record, name), wanted)
        if operator == "WITHIN" and kind in ("date", "datetime") and len(values) == 2:
            first, last = (_user_date(value) for value in values)
            inside = lambda day, _: first <= day <= last  # noqa: E731
            return lambda record: _holds(inside, self._day(record, name), first)
        if operator == "ANY_OF":
            return lambda record: str(_plain(record, name)) in values
        if operator in ("BETWEEN", "WITHIN") and len(values) == 2:
            low, high = sorted(_number(value) for value in values)
            return lambda record: _holds(lambda a, b: low <= a <= high, _figure(record, name), low)
        if operator in _NUMBERS:
            figure, compare = _number(values[0]), _NUMBERS[operator]
            return lambda record: _holds(compare, _figure(record, name), figure)
        if operator in _TEXTS:
            text, compare = values[0].lower(), _TEXTS[operator]
            return lambda record: _holds(compare, _words(record, name), text)
        raise _refuse(f"The operator '{operator}' cannot be used on the field '{name}'.")

    def _day(self, record: Record, name: str) -> date | None:
        text = str(record.body.get(name) or "")
        if not text:
            return None
        if len(text) == 10:
            return date.fromisoformat(text)
        # Day granularity, and the day is the account's.
        return datetime.fromisoformat(text).astimezone(self.zone).date()

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        if self.at >= len(self.tokens):
            raise _refuse("The condition is incomplete.")
        self.at += 1
        return self.tokens[self.at - 1]

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _refuse(f"'{token}' is missing.")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refuse("A quotation mark is missing.")
        found.append(match.group(1))
        at = match.end()
    return found


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _user_date(text: str) -> date:
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:\s.*)?", text)
    try:
        if match is None:
            raise ValueError
        return date(int(match.group(3)), int(match.group(1)), int(match.group(2)))
    except ValueError:
        raise _refuse(f"Invalid date value '{text}': it must be M/D/YYYY.") from None


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _refuse(f"'{text}' is not a number.") from None


def _plain(record: Record, name: str) -> Any:
    value = record.id if name == "id" else record.body.get(name)
    return ref_id(value) if isinstance(value, dict) else value


def _figure(record: Record, name: str) -> Decimal | None:
    try:
        return Decimal(str(_plain(record, name)))
    except InvalidOperation:
        return None


def _words(record: Record, name: str) -> str | None:
    value = _plain(record, name)
    if value is None:
        return "false" if record.type.fields.get(name) == "bool" else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).lower()


def _holds(compare: Callable[[Any, Any], bool], value: Any, wanted: Any) -> bool:
    return value is not None and compare(value, wanted)
