"""Compiles rules into plain closures that read one field from a provider's record.

A reader takes (record, currency) and returns the canonical value, a `Partly`, or None. It is
compiled once per configured system and runs some fifty times per record: no reflection in here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec

from tieout.core.errors import InvalidRecord

from .codec import CODECS, Codec, Partly, wrong_type
from .forms import Context
from .paths import Get, first_getter, gather, getter
from .rules import NOTHING, Condition, Rule, Term

Reader = Callable[[dict[str, Any], str | None], Any]
# Whatever a malformed record can provoke in plain code that expects the documented shape.
BAD_SHAPE = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)

HOLE = re.compile(r"\{([^{}]+)\}")


def codec_of(rule: Rule, context: Context) -> Codec:
    """The codec of a rule, ready for one system."""
    return CODECS[rule.codec](rule.options, context)


def reader(rule: Rule, context: Context) -> Reader:
    """The rule as a function. `required` is not enforced here: a deleted stub has nothing."""
    read = _source(rule, context)
    if rule.default is not NOTHING:
        read = _or_default(read, rule.default)
    return _when(read, rule.when) if rule.when else read


def _source(rule: Rule, context: Context) -> Reader:
    if rule.constant is not NOTHING:
        constant = rule.constant
        return lambda record, currency: constant
    if rule.template:
        return _template(rule.template)
    if rule.choices:
        return _first_of(tuple(reader(choice, context) for choice in rule.choices))
    if rule.target.kind == "list":
        return _list(rule, context)
    codec = codec_of(rule, context)
    if rule.sum_of:
        return _sum(rule.sum_of, codec)
    return _path(rule.paths, codec)


def _path(paths: tuple[str, ...], codec: Codec) -> Reader:
    get, parse = first_getter(paths), codec.parse

    def read(record: dict[str, Any], currency: str | None) -> Any:
        value = get(record)
        return None if value is None else parse(value, currency)

    def read_key(record: dict[str, Any], currency: str | None) -> Any:
        value = record.get(key)
        return None if value is None else parse(value, currency)

    key = paths[0].replace("\\.", ".")
    plain_key = len(paths) == 1 and "." not in paths[0].replace("\\.", "")
    return read_key if plain_key else read


def _or_default(inner: Reader, default: Any) -> Reader:
    def read(record: dict[str, Any], currency: str | None) -> Any:
        value = inner(record, currency)
        return default if value is None else value

    return read


def _when(inner: Reader, conditions: tuple[Condition, ...]) -> Reader:
    tests = tuple((getter(each.path), each.values) for each in conditions)

    def read(record: dict[str, Any], currency: str | None) -> Any:
        for get, values in tests:
            if not _same(get(record), values):
                return None
        return inner(record, currency)

    return read


def _same(value: Any, values: tuple[Any, ...]) -> bool:
    """Equal in kind, too: 1 is not true."""
    return any(
        value == each and isinstance(value, bool) == isinstance(each, bool) for each in values
    )


def _first_of(readers: tuple[Reader, ...]) -> Reader:
    def read(record: dict[str, Any], currency: str | None) -> Any:
        for each in readers:
            value = each(record, currency)
            if value is not None:
                return value
        return None

    return read


def _template(text: str) -> Reader:
    pieces: list[str | Get] = []
    for position, piece in enumerate(HOLE.split(text)):
        pieces.append(getter(piece) if position % 2 else piece)
    head, only = pieces[0], pieces[1] if len(pieces) == 3 and pieces[2] == "" else None

    def read(record: dict[str, Any], currency: str | None) -> Any:
        found = []
        for piece in pieces:
            if isinstance(piece, str):
                found.append(piece)
            elif (value := piece(record)) is None:
                return None
            else:
                found.append(quote(str(value), safe=""))
        return "".join(found)

    def read_tail(record: dict[str, Any], currency: str | None) -> Any:
        value = only(record) if callable(only) else None
        if value.__class__ is str and value.isidentifier():
            return f"{head}{value}"
        return read(record, currency)

    return read if only is None else read_tail


def _sum(terms: tuple[Term, ...], codec: Codec) -> Reader:
    def read(record: dict[str, Any], currency: str | None) -> Any:
        total, found = Decimal(0), False
        for term in terms:
            for value in gather(term.steps, record):
                found = True
                total += term.sign * _exact(value)
        if not found:
            return None
        return codec.parse(int(total) if total == total.to_integral_value() else total, currency)

    return read


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise wrong_type(value, "a number to add up")
    return Decimal(value)


def _list(rule: Rule, context: Context) -> Reader:
    get = first_getter(rule.paths)
    empty: Any = None if rule.target.nullable else ()
    assert rule.target.element is not None
    build = builder(rule.target.element, rule.fields, context)

    def read(record: dict[str, Any], currency: str | None) -> Any:
        rows = get(record)
        if rows is None:
            return empty
        if type(rows) is not list:
            raise wrong_type(rows, "a list")
        built = []
        for row in rows:
            try:
                built.append(build(row, currency))
            except InvalidRecord as error:
                error.where = f"[{len(built)}]{'.' if error.where else ''}{error.where}"
                raise
        return tuple(built)

    return read


def builder(
    struct: type[msgspec.Struct], rules: Mapping[str, Rule], context: Context
) -> Callable[[Any, str | None], Any]:
    """A function that builds a nested struct from one object of a list."""
    constants = {
        name: rule.constant for name, rule in rules.items() if rule.constant is not NOTHING
    }
    readers = tuple(
        (name, reader(rule, context)) for name, rule in rules.items() if name not in constants
    )
    required = tuple(name for name, rule in rules.items() if rule.required)

    def build(row: Any, currency: str | None) -> Any:
        if type(row) is not dict:
            raise wrong_type(row, "an object")
        values = dict(constants)
        name = ""
        try:
            for name, read in readers:
                values[name] = read(row, currency)
        except InvalidRecord as error:
            error.where = name + error.where
            raise
        except BAD_SHAPE as error:
            raise InvalidRecord("has another shape than documented", where=name) from error
        for name, value in values.items():
            if value.__class__ is Partly:
                values[name] = value.value
        for name in required:
            if values[name] is None:
                raise InvalidRecord("is missing", where=name)
        return struct(**values)

    return build


def as_scalar(value: Any) -> Any:
    """A value as `custom` holds it: text, number, yes/no or null."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int):
        return value
    return str(value)
