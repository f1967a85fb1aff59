"""Codecs of text, yes/no, numbers, choices, references and looked-up values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from tieout.core.errors import InvalidRecord
from tieout.core.money import plain, to_decimal

from .codec import (
    Checks,
    Codec,
    Options,
    is_count,
    is_texts,
    lookup_table,
    one_of,
    register,
    texts,
    wrong_type,
)
from .forms import Context
from .shown import shown


@register
class Text(Codec):
    """Text as received; empty text is null. `max` cuts what is sent, as the provider would."""

    name = "text"
    gives = str
    options: ClassVar[Checks] = {"max": is_count}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.max: int | None = options.get("max")

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is str:
            return value or None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return plain(value)
        raise wrong_type(value, "text")

    def render(self, value: Any, currency: str | None) -> Any:
        return str(value)[: self.max]


@register
class Scalar(Codec):
    """Whatever one value is: text, number, yes/no; a decimal becomes text, the rest JSON text."""

    name = "scalar"
    gives = object

    def parse(self, value: Any, currency: str | None) -> Any:
        if isinstance(value, str | int):
            return None if value == "" else value
        if isinstance(value, Decimal):
            return plain(value)
        return json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)

    def render(self, value: Any, currency: str | None) -> Any:
        return value


@register
class Boolean(Codec):
    """JSON true and false, or the provider's own words for them (`true:` and `false:`)."""

    name = "boolean"
    gives = bool
    options: ClassVar[Checks] = {"true": is_texts, "false": is_texts}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.yes, self.no = texts(options.get("true")), texts(options.get("false"))
        self.words = dict.fromkeys(self.yes, True) | dict.fromkeys(self.no, False)

    def parse(self, value: Any, currency: str | None) -> Any:
        if value is True or value is False:
            return value
        found = self.words.get(value) if isinstance(value, str) else None
        if found is None:
            raise wrong_type(value, "true or false")
        return found

    def render(self, value: Any, currency: str | None) -> Any:
        words = self.yes if value else self.no
        return words[0] if words else bool(value)


@register
class BooleanTF(Boolean):
    """NetSuite's "T" and "F" (and JSON booleans), written as "T" and "F"."""

    name = "boolean_tf"
    options: ClassVar[Checks] = {}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__({"true": ["T"], "false": ["F"]}, context)


MOST_COUNT = 2**63  # the store counts in 64 bits


@register
class Integer(Codec):
    """A whole number; digits as text are accepted."""

    name = "integer"
    gives = int

    def parse(self, value: Any, currency: str | None) -> Any:
        number = value if type(value) is int else to_decimal(value)
        if not -MOST_COUNT < number < MOST_COUNT or number != int(number):
            raise wrong_type(value, "a sensible whole number")
        return int(number)

    def render(self, value: Any, currency: str | None) -> Any:
        return int(value)


@register
class DecimalText(Codec):
    """A quantity, price or percentage in major units as an exact decimal string.

    `as: number` sends it as a JSON number, the default is text.
    """

    name = "decimal"
    gives = str
    options: ClassVar[Checks] = {"as": one_of("text", "number")}

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is int:
            return str(value)
        return None if value == "" else plain(value)

    def render(self, value: Any, currency: str | None) -> Any:
        text = plain(value)
        return Decimal(text) if self.given.get("as") == "number" else text


def _is_values(value: Any) -> str:
    fine = (
        isinstance(value, dict)
        and value
        and all(target is None or isinstance(target, str) for target in value.values())
    )
    return "" if fine else "must be a table: the provider's value: ours"


@register
class Enum(Codec):
    """A closed list: `values` gives ours for each of theirs; null means "none of ours".

    A value that isn't listed is refused. Back it goes to the first of theirs that means ours.
    """

    name = "enum"
    gives = str
    options: ClassVar[Checks] = {"values": _is_values}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.values: dict[str, str | None] = dict(options.get("values") or {})
        self.back: dict[str, str] = {}
        for theirs, ours in self.values.items():
            if ours is not None:
                self.back.setdefault(ours, theirs)

    def parse(self, value: Any, currency: str | None) -> Any:
        key = value if type(value) is str else _as_key(value)
        if key in self.values:
            return self.values[key]
        if key == "":
            return None
        raise InvalidRecord(
            f"{shown(value)} is not a value that the mapping knows",
            hint="known: " + ", ".join(self.values) + "; add it under `values` in an overlay",
        )

    def render(self, value: Any, currency: str | None) -> Any:
        theirs = self.back.get(value)
        if theirs is None:
            raise InvalidRecord(
                f"{shown(value)} has no counterpart there",
                hint="it has: " + ", ".join(self.back),
            )
        return {"true": True, "false": False}.get(theirs, theirs)


def _as_key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return plain(value)
    raise wrong_type(value, "one of a list of words")


@register
class Ref(Codec):
    """The id of another record of the same system, plain or inside an (expanded) object.

    `key` names the object's id field or fields (default id); `shape: object` sends
    `{key: id}` instead of the plain id.
    """

    name = "ref"
    gives = str
    options: ClassVar[Checks] = {"key": is_texts, "shape": one_of("id", "object")}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.keys = texts(options.get("key", "id"))
        self.as_object = options.get("shape") == "object"

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is str:
            return value or None
        if isinstance(value, Mapping):
            found = next((value[key] for key in self.keys if value.get(key) is not None), None)
            return None if found is None else self.parse(found, currency)
        if type(value) is int:
            return str(value)
        if isinstance(value, Decimal):
            return plain(value)
        raise wrong_type(value, "an id")

    def render(self, value: Any, currency: str | None) -> Any:
        return {self.keys[0]: str(value)} if self.as_object else str(value)


@register
class Lookup(Codec):
    """A value translated by a table that the connector (or --lookups) supplies."""

    name = "lookup"
    gives = str
    options: ClassVar[Checks] = {"table": is_texts}
    needs = ("table",)

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.table_name = str(options["table"])
        self.table = lookup_table(context, self.table_name)
        self.back = {ours: theirs for theirs, ours in reversed(self.table.items())}

    def parse(self, value: Any, currency: str | None) -> Any:
        key = Ref.parse(_BY_ID, value, currency)
        if key is None or key in self.table:
            return None if key is None else self.table[key]
        raise InvalidRecord(
            f"{shown(key)} is not in the lookup table {self.table_name!r}",
            hint=f'give lookups such as {{"{self.table_name}": {{"{key}": ...}}}}',
        )

    def render(self, value: Any, currency: str | None) -> Any:
        if value not in self.back:
            raise InvalidRecord(
                f"the lookup table {self.table_name!r} has nothing for {shown(value)}"
            )
        return self.back[value]


_BY_ID = Ref({"key": ["id", "internalId", "internalid"]}, Context("-"))
