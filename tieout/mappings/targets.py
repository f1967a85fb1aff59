"""What the canonical model expects of each field: the type a codec has to give, and the choices."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

import msgspec

from tieout.core.entities import COMMON_FIELDS, ENTITIES, REFERENCES, Address

_DECIMALS = {"quantity", "up_to", "probability_percent", "discount_percent"}
_PRICES = {"unit_amount", "flat_amount"}
_REFERENCES = {*REFERENCES, "source_id", "item_id"}
_PLAIN = {str: "text", int: "integer", bool: "boolean", datetime: "instant", date: "day"}

# The codec of a rule that names none, by kind. A mapping's `defaults:` may set others.
DEFAULT_CODECS = {
    "text": "text",
    "integer": "integer",
    "boolean": "boolean",
    "decimal": "decimal",
    "price": "decimal",
    "reference": "ref",
    "currency": "currency",
    "language": "language",
    "address": "address",
    "choice": "enum",
    "day": "date",
    "scalar": "scalar",
}
KINDS = (*DEFAULT_CODECS, "amount", "instant")


@dataclass(frozen=True)
class Target:
    """A canonical field: its kind, its Python type, the words it may hold, its element type."""

    kind: str
    gives: type
    choices: tuple[str, ...] = ()
    element: type[msgspec.Struct] | None = None
    nullable: bool = True  # of a list: null where the provider has none, instead of empty


SCALAR = Target("scalar", object)
TEXT = Target("text", str)


@cache
def targets_of(struct: type[msgspec.Struct]) -> dict[str, Target]:
    """The fields of a canonical struct that a mapping may fill."""
    return {
        each.name: _target(each.name, each.type)
        for each in msgspec.structs.fields(struct)
        if each.name not in ("system", "external_ids", "custom")
    }


def entity_fields(entity: str) -> dict[str, Target]:
    """An entity's own fields, without those that every record has."""
    whole = targets_of(ENTITIES[entity])
    return {name: target for name, target in whole.items() if name not in COMMON_FIELDS}


def _target(name: str, annotation: Any) -> Target:
    arguments = typing.get_args(annotation)
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        inner = [each for each in arguments if each is not type(None)]
        return _target(name, inner[0])
    if typing.get_origin(annotation) is Literal:
        return Target("choice", str, choices=tuple(arguments))
    if typing.get_origin(annotation) is tuple:
        return Target("list", tuple, element=arguments[0], nullable=name == "tiers")
    if annotation is Address:
        return Target("address", Address)
    return Target(_kind(name, annotation), annotation)


def _kind(name: str, annotation: type) -> str:
    if name.endswith("_minor"):
        return "amount"
    if name in _DECIMALS:
        return "decimal"
    if name in _PRICES:
        return "price"
    if name in _REFERENCES:
        return "reference"
    if name in ("currency", "language"):
        return name
    return _PLAIN[annotation]
