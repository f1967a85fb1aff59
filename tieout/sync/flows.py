"""A flow of config.yaml with the usual things of its entity filled in. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from tieout.config import Config, Flow
from tieout.core.entities import ENTITIES, Record
from tieout.core.errors import ConfigError

from .golden import day_of
from .profiles import DEAD, PROFILES, Profile


@dataclass(frozen=True)
class FlowSpec:
    """One entity between two systems: `left` is where records come from, `right` gets them."""

    flow: Flow
    profile: Profile
    types: tuple[tuple[str, str], ...]  # system name -> connector type, for ids held of each other

    @property
    def name(self) -> str:
        return self.flow.name

    @property
    def entity(self) -> str:
        return str(self.flow.entity)

    @property
    def left(self) -> str:
        return self.flow.from_

    @property
    def right(self) -> str:
        return self.flow.to

    @property
    def fields(self) -> tuple[str, ...]:
        """What is kept in agreement, or only compared where the flow is for documents."""
        return self.flow.fields or self.profile.fields

    @property
    def match(self) -> tuple[str, ...]:
        return self.flow.match or self.profile.match

    @property
    def writes(self) -> bool:
        return self.flow.mode == "sync"

    @property
    def flags(self) -> bool:
        return self.flow.both_changed == "flag"

    def owners(self, field: str) -> tuple[str, ...]:
        """Who owns a field: the sending system, unless config.yaml says otherwise."""
        return self.flow.owners.get(field, (self.left,))

    def sends(self, target: str) -> frozenset[str]:
        """The fields that `target` does not own."""
        return frozenset(name for name in self.fields if target not in self.owners(name))

    def names_of(self, system: str) -> tuple[str, ...]:
        """Under which names other systems may hold ids of `system`."""
        return (system, dict(self.types)[system])

    def other(self, system: str) -> str:
        return self.right if system == self.left else self.left

    def in_scope(self, record: Record) -> bool:
        """Whether the record takes part: its status is real and `where` of the flow holds."""
        wanted = {name: set(values) for name, values in self.flow.where.items()}
        if self.profile.statuses and "status" not in wanted:
            wanted["status"] = set(self.profile.statuses)
        return all(_value(record, name) in values for name, values in wanted.items())

    def may_create(self, record: Record, timezone: str, *, whenever: bool = False) -> str:
        """Empty, or why this record is not to be created on the other side.

        `whenever`: also when it is older than `starts_on`, because a person asked for it.
        """
        if not self.writes:
            return "this flow only compares"
        if record.deleted:
            return "it is deleted"
        if not self.in_scope(record):
            return "it is outside the flow's `where`"
        if getattr(record, "status", None) in DEAD:
            return f"it is {getattr(record, 'status', None)}"
        start = self.flow.starts_on
        dated = self._dated(record, timezone)
        if start and dated and dated < start and not whenever:
            return f"it is dated {dated}, before starts_on {start}"
        return ""

    def _dated(self, record: Record, timezone: str) -> date | None:
        name = self.profile.dated
        value = getattr(record, name) if name else record.created_at
        return value if value is None or type(value) is date else day_of(value, timezone)

    def fingerprint(self) -> str:
        """Changes when the flow's rules change, so that everything is decided anew."""
        return hashlib.sha256(self.flow.model_dump_json(by_alias=True).encode()).hexdigest()


def _value(record: Record, name: str) -> Any:
    if name.startswith("custom."):
        return record.custom.get(name.removeprefix("custom."))
    return getattr(record, name)


def flow_specs(config: Config) -> list[FlowSpec]:
    """All flows, in the order in which entities are moved."""
    order = list(ENTITIES)
    specs = [
        FlowSpec(
            flow,
            PROFILES[flow.entity],
            tuple((name, config.systems[name].base.type) for name in (flow.from_, flow.to)),
        )
        for flow in config.flows
    ]
    return sorted(specs, key=lambda spec: order.index(spec.entity))


def entities_to_pull(config: Config, system: str) -> list[str]:
    """What a sync reads from a system: config.yaml's list, else what the flows move."""
    named = config.systems[system].base.entities
    if unknown := [each for each in named if each not in ENTITIES]:
        raise ConfigError(
            f"systems.{system}.entities: {unknown[0]!r} is not an entity",
            where=config.systems[system].where,
            hint="entities: " + ", ".join(ENTITIES),
        )
    moved = {flow.entity for flow in config.flows if system in (flow.from_, flow.to)}
    return [entity for entity in ENTITIES if entity in (named or moved)]
