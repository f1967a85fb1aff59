"""The common case of reading a record, as straight-line Python made from the rules.

The closures of `readers.py` say what a rule means and where a bad record is bad. This is the
same without their calls, about three times as fast, for records in which nothing is odd: on any
surprise it raises, and the caller reads the record again the careful way. The source holds
nothing but our own words and numbered names; keys and texts of the YAML are bound as values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from .codec import CODECS, Codec, Partly
from .forms import Context
from .money_codecs import MOST_MINOR, MoneyMinor
from .paths import Step, steps_of
from .plain_codecs import MOST_COUNT, Boolean, DecimalText, Enum, Integer, Ref, Scalar, Text
from .readers import HOLE, as_scalar, codec_of, reader
from .rules import NOTHING, Condition, EntityRules, Rule
from .time_codecs import Epoch

# Codecs whose value may be a Partly, which the careful way deals with.
_MAY_LEAVE = {"currency", "country", "language", "address", "money_decimal"}


class Odd(Exception):
    """This record needs the careful way."""


class _Source:
    """Lines of a function under construction, and the values bound to its names."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.values: dict[str, Any] = {
            "Odd": Odd, "Partly": Partly, "E": {}, "L": [], "UTC": UTC,
            "instant": datetime.fromtimestamp,
        }  # fmt: skip
        self.head: list[str] = []
        self.body: list[str] = []
        self.holders: dict[tuple[tuple[Step, ...], type], str] = {}
        self.plain: dict[int, str] = {}

    def bind(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{len(self.values)}"
        self.values[name] = value
        return name

    def holder(self, steps: tuple[Step, ...], kind: type) -> str:
        """The object or list at a path; an empty one where there is none."""
        if not steps:
            return "r"
        found = self.holders.get((steps, kind))
        if found is None:
            value = self.lookup(steps)
            found = self.holders[(steps, kind)] = f"h{len(self.holders)}"
            empty = "E" if kind is dict else "L"
            self.head.append(f"{found} = {value}")
            self.head.append(f"if type({found}) is not {kind.__name__}: {found} = {empty}")
        return found

    def lookup(self, steps: tuple[Step, ...]) -> str:
        """An expression for the value at a path."""
        last = steps[-1]
        if isinstance(last, int):
            rows = self.holder(steps[:-1], list)
            return f"{rows}[{last}] if len({rows}) > {last} else None"
        return f"{self.holder(steps[:-1], dict)}.get({self.bind('k', last)})"

    def read(self, rule: Rule, name: str) -> None:
        """Statements that leave the rule's value in the variable `name`."""
        simple = rule.paths and not (rule.when or rule.fields)
        if rule.paths and rule.target.kind == "list" and not rule.when:
            self._list(rule, name)
        elif pages := _pages(rule):
            self._page(rule, pages, name)
        elif simple and rule.target.kind != "list" and rule.default is NOTHING:
            self._value(rule.paths, name)
            self._parse(codec_of(rule, self.context), name)
        else:
            self.body.append(f"{name} = {self.bind('f', reader(rule, self.context))}(r, c)")
        if may_leave(rule):
            self.body.append(f"if {name}.__class__ is Partly: raise Odd")
        if rule.required:
            self.body.append(f"if {name} is None: raise Odd")

    def _page(self, rule: Rule, pages: list[tuple[Condition, str, str]], name: str) -> None:
        """A link that ends with an id and depends on one flag: `url` in most mappings."""
        careful = f"{self.bind('f', reader(rule, self.context))}(r, c)"
        self.body.append(f"i = {self.lookup(steps_of(pages[0][2]))}")
        self.body.append(f"if type(i) is not str or not i.isidentifier(): {name} = {careful}")
        for condition, head, _ in pages:
            found = f"{self.lookup(steps_of(condition.path))} is {condition.values[0]!r}"
            self.body.append(f"elif {found}: {name} = {self.bind('u', head)} + i")
        self.body.append(f"else: {name} = None")

    def _value(self, paths: tuple[str, ...], name: str) -> None:
        for position, path in enumerate(paths):
            expression = self.lookup(steps_of(path))
            condition = f'if {name} is None or {name} == "": ' if position else ""
            self.body.append(f"{condition}{name} = {expression}")

    def _parse(self, codec: Codec, name: str) -> None:
        """The codec's usual case in line, its `parse` for any other."""
        parse = f"{self.bind('p', codec.parse)}({name}, c)"
        some = f"if {name} is not None"
        if type(codec) in (Text, Ref):
            line = f"{some} and (type({name}) is not str or not {name}): {name} = {parse}"
        elif type(codec) is Integer:
            usual = f"type({name}) is int and {-MOST_COUNT} < {name} < {MOST_COUNT}"
            line = f"{some} and not ({usual}): {name} = {parse}"
        elif isinstance(codec, Boolean):
            line = f"{some} and {name} is not True and {name} is not False: {name} = {parse}"
        elif type(codec) is MoneyMinor and codec.sign == 1:
            usual = self._usual_currency(codec)
            usual = f"{usual} and {-MOST_MINOR} < {name} < {MOST_MINOR}"
            line = f"{some} and not (type({name}) is int and {usual}): {name} = {parse}"
        elif type(codec) is Epoch and codec.seconds:
            line = f"{some}: {name} = instant({name}, UTC) if type({name}) is int else {parse}"
        elif type(codec) is DecimalText:
            line = f"{some}: {name} = str({name}) if type({name}) is int else {parse}"
        elif type(codec) is Enum:
            table = self.bind("t", codec.values)
            known = f"type({name}) is str and {name} in {table}"
            line = f"{some}: {name} = {table}[{name}] if {known} else {parse}"
        else:
            line = f"{some}: {name} = {parse}"
        self.body.append(line)

    def _usual_currency(self, codec: MoneyMinor) -> str:
        """A variable that tells whether amounts of the currency are taken as they are."""
        found = self.plain.get(id(codec.factors))
        if found is None:
            same = frozenset(code for code, rate in codec.factors.items() if rate == (1, 1))
            found = self.plain[id(codec.factors)] = f"u{len(self.plain)}"
            self.body.append(f"{found} = c in {self.bind('s', same)}")
        return found

    def _list(self, rule: Rule, name: str) -> None:
        assert rule.target.element is not None
        build = self.bind("b", row_builder(rule.target.element, rule.fields, self.context))
        self._value(rule.paths, name)
        empty = "None" if rule.target.nullable else "()"
        self.body.append(f"if {name} is None: {name} = {empty}")
        self.body.append(f"elif type({name}) is not list: raise Odd")
        self.body.append(f"else: {name} = tuple([{build}(x, c) for x in {name}])")

    def made(self, arguments: str, result: str) -> Callable[..., Any]:
        """The finished function. Its source holds no text of the YAML."""
        lines = [f"def read({arguments}):", *self.head, *self.body, f"return {result}"]
        source = "\n".join([lines[0], *(f"    {line}" for line in lines[1:])])
        scope = dict(self.values)
        exec(compile(source, "<mapping>", "exec"), scope)
        found: Callable[..., Any] = scope["read"]
        return found


def _is_flag(condition: Condition) -> bool:
    return len(condition.values) == 1 and isinstance(condition.values[0], bool)


def _pages(rule: Rule) -> list[tuple[Condition, str, str]]:
    """(condition, text, path at its end) of each choice of a rule, if it is made of such alone."""
    found = []
    for choice in rule.choices:
        pieces = HOLE.split(choice.template)
        flag = choice.when[0] if len(choice.when) == 1 else None
        if flag is None or len(pieces) != 3 or pieces[2] or not _is_flag(flag):
            return []
        found.append((flag, pieces[0], pieces[1]))
    same_end = len({path for _, _, path in found}) == 1
    return found if same_end and rule.default is NOTHING and not rule.when else []


def may_leave(rule: Rule) -> bool:
    """Third parties' codecs may, too."""
    foreign = CODECS[rule.codec].__module__.partition(".")[0] != "tieout"
    return foreign or rule.codec in _MAY_LEAVE or any(map(may_leave, rule.choices))


def row_builder(
    struct: type[msgspec.Struct], rules: Mapping[str, Rule], context: Context
) -> Callable[[Any, str | None], Any]:
    """A function that builds an element of a list from (object, currency)."""
    source = _Source(context)
    source.head.append("if type(r) is not dict: raise Odd")
    names = {}
    for position, (name, rule) in enumerate(rules.items()):
        names[name] = f"v{position}"
        source.read(rule, names[name])
    given = ", ".join(f"{name}={variable}" for name, variable in names.items())
    return source.made("r, c", f"{source.bind('S', struct)}({given})")


def record_reader(
    rules: EntityRules,
    struct: type[msgspec.Struct],
    context: Context,
    spread: Callable[[dict[str, Any], Any], None],
) -> Callable[[dict[str, Any]], Any]:
    """A function that builds the record of a prepared payload; raises on anything unusual.

    `spread` adds a metadata object to the custom fields.
    """
    source = _Source(context)
    names: dict[str, str] = {}
    source.body.append("c = None")
    if "currency" in rules.fields:
        names["currency"] = "v_currency"
        source.read(rules.fields["currency"], "v_currency")
        source.body.append("c = v_currency")
    default = source.bind("d", context.currency)
    source.body.append(f"if c is None: c = {default}")
    for name, rule in {**rules.common, **rules.fields}.items():
        if name not in names:
            names[name] = f"v{len(names)}"
            source.read(rule, names[name])
    if "deleted" in names:
        deleted = names["deleted"]
        source.body.append(f"if {deleted} is None: {deleted} = False")
    names["custom"] = _custom(source, rules, spread)
    names["external_ids"] = _external_ids(source, rules)
    names["system"] = source.bind("n", context.system)
    given = ", ".join(f"{name}={variable}" for name, variable in names.items())
    return source.made("r", f"{source.bind('S', struct)}({given})")


def _custom(
    source: _Source, rules: EntityRules, spread: Callable[[dict[str, Any], Any], None]
) -> str:
    source.body.append("custom = {}")
    for position, (name, rule) in enumerate(rules.custom.items()):
        variable = f"w{position}"
        source.read(rule, variable)
        value = variable
        if rule.constant is not NOTHING or rule.choices or not _is_scalar(rule, source.context):
            value = f"{source.bind('a', as_scalar)}({variable})"
        key = source.bind("k", name)
        source.body.append(f"if {variable} is not None: custom[{key}] = {value}")
    if rules.metadata:
        source._value(rules.metadata, "extra")
        source.body.append(f"if extra: {source.bind('m', spread)}(custom, extra)")
    return "custom"


def _is_scalar(rule: Rule, context: Context) -> bool:
    """Whether the codec's value may stand in `custom` as it is."""
    if rule.template:
        return True
    kinds = (Text, Ref, Scalar, Boolean, Integer, Enum, DecimalText, MoneyMinor)
    return isinstance(codec_of(rule, context), kinds)


def _external_ids(source: _Source, rules: EntityRules) -> str:
    source.body.append("outside = {}")
    for position, (name, rule) in enumerate(rules.external_ids.items()):
        variable = f"x{position}"
        source.read(rule, variable)
        key = source.bind("k", name)
        source.body.append(f"if {variable} is not None: outside[{key}] = str({variable})")
    return "outside"
