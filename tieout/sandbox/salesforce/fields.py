"""What an object's field is: its type, its limits, who may set it, how describe shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

TEXTUAL = {
    "id",
    "reference",
    "string",
    "textarea",
    "picklist",
    "multipicklist",
    "phone",
    "email",
    "url",
    "combobox",
}
NUMBERS = {"currency", "double", "percent"}


@dataclass(frozen=True)
class Field:
    """`columns` are the parts of a compound field; `formula` marks a value that is computed."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    default: str | None = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    refers_to: tuple[str, ...] = ()
    relationship: str = ""
    children: str = ""
    cascade: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    name_field: bool = False
    filterable: bool = True
    formula: bool = False
    auto_number: str = ""
    compound: str = ""
    columns: tuple[str, ...] = ()

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def is_text(self) -> bool:
        return self.type in TEXTUAL

    @property
    def is_number(self) -> bool:
        return self.type in NUMBERS


_WORDS = re.compile(r'"[^"]*"|\S+')
_PLAIN = {
    "required": {"required": True, "nillable": False},
    "ro": {"createable": False, "updateable": False},
    "fixed": {"updateable": False},
    "noinsert": {"createable": False},
    "filled": {"nillable": False},
    "restricted": {"restricted": True},
    "external": {"external_id": True, "id_lookup": True},
    "unique": {"unique": True},
    "exact": {"case_sensitive": True},
    "lookup": {"id_lookup": True},
    "name": {"name_field": True},
    "nofilter": {"filterable": False},
    "formula": {"formula": True, "createable": False, "updateable": False},
    "cascade": {"cascade": True},
}


def read_fields(text: str) -> dict[str, Field]:
    """Fields from lines of `Name type(size) [word ...] ["Label"]`.

    Words: required, ro (never set by a caller), fixed (at creation only), filled (never null),
    restricted, external, unique, exact (case counts), lookup, name, nofilter, formula, cascade,
    `=value` (default), `in:a|b` (picklist), `of:Compound`, `auto:A-{0000}`,
    `to:Type.Relationship/Children`.
    """
    found = (read_field(line) for line in text.strip().splitlines() if line.strip())
    return {one.name: one for one in found}


def read_field(line: str) -> Field:
    """One such line. Raises ValueError for a word that isn't known."""
    name, kind, *words = _WORDS.findall(line)
    type, _, size = kind.rstrip(")").partition("(")
    one = _sized(Field(name, type, label=_label(name)), size)
    for word in words:
        one = _with(one, word)
    return one


def _sized(one: Field, size: str) -> Field:
    if one.type in NUMBERS:
        whole, _, scale = (size or "18,2").partition(",")
        return replace(one, precision=int(whole), scale=int(scale or 0))
    usual = {"id": 18, "reference": 18, "picklist": 255, "phone": 40, "email": 80, "url": 255}
    if one.type in TEXTUAL:
        return replace(one, length=int(size or usual.get(one.type, 255)))
    if one.type == "boolean":
        return replace(one, nillable=False, default="false")
    return one


def _with(one: Field, word: str) -> Field:
    if word in _PLAIN:
        return replace(one, **_PLAIN[word])  # type: ignore[arg-type]
    mark, rest = word[:1], word[1:]
    if mark == '"':
        return replace(one, label=rest[:-1])
    if mark == "=":
        return replace(one, default=rest.strip('"'))
    key, _, value = word.partition(":")
    value = value.replace("_", " ") if key == "in" else value
    match key:
        case "in":
            return replace(one, values=tuple(value.split("|")))
        case "of":
            return replace(one, compound=value)
        case "auto":
            return replace(one, auto_number=value, createable=False, updateable=False)
        case "to":
            targets, _, children = value.partition("/")
            types, _, relation = targets.partition(".")
            return replace(
                one,
                refers_to=tuple(filter(None, types.split(","))),
                relationship=relation,
                children=children,
            )
    raise ValueError(f"{one.name}: {word!r} is not a word for a field")


def _label(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name.removesuffix("__c"))
    return f"{words} ID".replace(" Id ID", " ID") if name.endswith("Id") else words


@dataclass
class SObject:
    """One type of record and its fields, by their API name."""

    name: str
    prefix: str
    fields: dict[str, Field]
    label: str = ""
    plural: str = ""
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    mergeable: bool = False
    replicateable: bool = True
    bulk: bool = True
    by_lower: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.label = self.label or _label(self.name)
        self.plural = self.plural or f"{self.label}s"
        self.index()

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    def index(self) -> None:
        """Names are found without regard to case."""
        self.by_lower = {name.lower(): one for name, one in self.fields.items()}

    def find(self, name: str) -> Field | None:
        return self.by_lower.get(name.lower())

    def add(self, one: Field) -> None:
        self.fields[one.name] = one
        self.by_lower[one.name.lower()] = one

    @property
    def stored(self) -> list[Field]:
        """The fields that are columns; a compound field is made of its parts."""
        return [one for one in self.fields.values() if not one.columns]

    @property
    def name_field(self) -> Field | None:
        return next((one for one in self.fields.values() if one.name_field), None)
