"""A mapping's rules as checked values: what the YAML said, ready to be compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .paths import Step
from .targets import Target

NEVER, CREATE, UPDATE, ALWAYS = "never", "create", "update", "always"
WRITES = (NEVER, CREATE, UPDATE, ALWAYS)


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()  # where null is a value of its own


@dataclass(frozen=True)
class Term:
    """One addend of `sum_of`: its sign and its path, which may hold `*`."""

    sign: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Condition:
    """`when: {path: [values]}`; every path must hold one of its values."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Rule:
    """How one canonical field is read and written.

    Exactly one source: paths (the first that has a value), constant, template, sum_of, choices
    (the first rule that gives a value), or paths with `fields` for a list of objects.
    """

    target: Target
    paths: tuple[str, ...] = ()
    codec: str = "text"
    options: Mapping[str, Any] = field(default_factory=dict)
    constant: Any = NOTHING
    template: str = ""
    sum_of: tuple[Term, ...] = ()
    choices: tuple[Rule, ...] = ()
    fields: Mapping[str, Rule] = field(default_factory=dict)
    when: tuple[Condition, ...] = ()
    default: Any = NOTHING
    required: bool = False
    write: str = NEVER
    write_to: tuple[Step, ...] = ()

    def writes(self, creating: bool) -> bool:
        """Whether the field may be sent in a create or in an update."""
        return self.write == ALWAYS or self.write == (CREATE if creating else UPDATE)


@dataclass(frozen=True)
class EntityRules:
    """All rules of one entity. `common` has id, created_at, updated_at, deleted and url."""

    entity: str
    common: Mapping[str, Rule]
    fields: Mapping[str, Rule]
    external_ids: Mapping[str, Rule] = field(default_factory=dict)
    custom: Mapping[str, Rule] = field(default_factory=dict)
    metadata: tuple[str, ...] = ()
    metadata_write: str = NEVER
    prepare: str = ""
    finish: str = ""
    create: tuple[tuple[tuple[Step, ...], Any], ...] = ()
    ignore: tuple[str, ...] = ()
