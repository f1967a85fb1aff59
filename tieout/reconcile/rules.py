"""What a reconciliation compares: one entity in two systems, and how far values may lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tieout.core.entities import ENTITIES, REFERENCES, fields_of
from tieout.core.errors import ConfigError

Value = str | int | bool
How = Literal["exact", "money", "date", "text", "reference", "allocations"]

# A document that was called off: it exists, but no money hangs on it.
DEAD = ("void", "canceled")


@dataclass(frozen=True)
class Comparison:
    """How two values of one field are held against each other.

    exact        the same value; those of one group in `same` count as one value.
    money        minor units, at most `tolerance_minor` apart; null is 0, a dead document's is 0.
    date         at most `tolerance_days` apart.
    text         without regard to case and to white space around and between words.
    reference    ids of `entity` that belong to one link.
    allocations  the same amounts on the same linked invoices.
    """

    kind: How = "exact"
    tolerance_minor: int = 0
    tolerance_days: int = 0
    same: tuple[tuple[str, ...], ...] = ()
    entity: str = ""

    def alike(self, value: object) -> object:
        """The first of the group that a value belongs to, or the value itself."""
        return next((group[0] for group in self.same if value in group), value)


@dataclass(frozen=True)
class FlowRule:
    """One entity between two systems.

    left_where, right_where  field -> values; a record is in the flow if its own side's hold, or
                             those of a record that it is linked with.
    real          statuses in which a record counts at all (a draft doesn't); () means all.
    fields        field -> comparison. `<x>_on` may name the calendar day of an `<x>_at` field.
    amount        the field that control totals add up; None where there is no money.
    dated         the field that puts a record into a month.
    starts_on     a record dated earlier counts only if it is linked.
    settle_minutes  a record updated this recently is in flight.
    extras        whether what only the right system has is a break.
    rivals        other systems that send the same entity to the right one, by flows of their own.
    first         of those flows and this one, this is the one that tells of right records that
                  belong to none of them.
    stale_hours   a write that has been open for longer is no longer "in flight".
    left_zone, right_zone  time zones of the accounts, for the calendar day of an instant.
    """

    name: str
    entity: str
    left: str
    right: str
    left_where: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    right_where: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    real: tuple[str, ...] = ()
    fields: Mapping[str, Comparison] = field(default_factory=dict)
    amount: str | None = None
    dated: str | None = None
    starts_on: date | None = None
    settle_minutes: int = 15
    extras: bool = True
    rivals: tuple[str, ...] = ()
    first: bool = True
    stale_hours: int = 24
    left_zone: str = "UTC"
    right_zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.entity not in ENTITIES:
            raise ConfigError(
                f"flow {self.name!r}: there is no entity {self.entity!r}",
                hint="entities: " + ", ".join(ENTITIES),
            )
        for name in (*self.left_where, *self.right_where, *self.fields, self.amount, self.dated):
            if name is not None and not known_field(self.entity, name):
                raise ConfigError(
                    f"flow {self.name!r}: {self.entity} has no field {name!r}",
                    hint="fields: " + ", ".join(fields_of(self.entity)) + ", custom.<name>",
                )

    @property
    def holds_money(self) -> bool:
        return self.amount is not None

    def zone(self, system: str) -> str:
        return self.left_zone if system == self.left else self.right_zone

    def where(self, system: str) -> Mapping[str, tuple[Value, ...]]:
        return self.left_where if system == self.left else self.right_where

    def other(self, system: str) -> str:
        return self.right if system == self.left else self.left


def known_field(entity: str, name: str) -> bool:
    """Whether an entity has a field of this name, a custom one or the day of an instant."""
    if name.startswith("custom."):
        return '"' not in name and len(name) > len("custom.")
    own = (*ENTITIES[entity].__struct_fields__,)
    return name in own or day_source(entity, name) is not None


def day_source(entity: str, name: str) -> str | None:
    """The instant whose calendar day `<x>_on` is, where the model has only `<x>_at`."""
    instant = name.removesuffix("_on") + "_at"
    own = ENTITIES[entity].__struct_fields__
    return instant if name.endswith("_on") and name not in own and instant in own else None


def usual(
    entity: str,
    name: str,
    *,
    tolerance_minor: int = 0,
    tolerance_days: int = 0,
    ignore_case: bool = False,
    same: tuple[tuple[str, ...], ...] = (),
) -> Comparison:
    """The comparison that suits a field by its name, with what config.yaml says about it."""
    if name in REFERENCES:
        return Comparison("reference", entity=REFERENCES[name])
    if name == "allocations":
        return Comparison("allocations", tolerance_minor=tolerance_minor, entity="invoice")
    if name.endswith("_minor"):
        return Comparison("money", tolerance_minor=tolerance_minor)
    if name.endswith(("_on", "_at")) and not name.startswith("custom."):
        return Comparison("date", tolerance_days=tolerance_days)
    if ignore_case or name == "email":
        return Comparison("text", same=same)
    return Comparison("exact", same=same)
