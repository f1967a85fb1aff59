"""Wires one installation: config.yaml -> store, connectors, mappings, flows.

Everything above this floor reaches store and connectors through a Hub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import BaseModel

from tieout.config import Config, System, config_schema, load_config
from tieout.connectors import connector_class, known_types
from tieout.connectors.base import Can
from tieout.core.entities import ENTITIES
from tieout.core.errors import ConfigError, InvalidRecord
from tieout.core.ports import Ports, real_ports
from tieout.mappings import Mapper, load_mapping
from tieout.mappings import Mapping as Rules
from tieout.mappings.payload_text import decode_payload
from tieout.store import Kept as Kept
from tieout.store import SharedBudget, Store, open_store
from tieout.sync.flows import FlowSpec, entities_to_pull, flow_specs
from tieout.sync.side import Side

PortsFor = Callable[[str], Ports]  # system name -> ports; each system has its own connections


def ports_of_this_machine(system: str = "") -> Ports:
    """Real clock, randomness and network, with connections of its own."""
    from tieout.rest.transport import requests_send  # slow to import; looking needs no network

    return real_ports(requests_send())


def settings_of(type_name: str) -> type[BaseModel]:
    """The settings model of a connector type; ConfigError where there is none."""
    return connector_class(type_name).Config


def schema_for_editors() -> dict[str, Any]:
    """JSON Schema of config.yaml with every installed connector's settings."""
    return config_schema({name: settings_of(name) for name in known_types()})


def known_connectors() -> list[str]:
    """Every connector type that is installed."""
    return known_types()


def abilities_known() -> list[str]:
    """Every ability that a connector can declare, in the order of the contract."""
    return [each.name.lower() for each in Can if each.name]


def capabilities() -> dict[str, dict[str, list[str]]]:
    """connector type -> entity -> what it can do, in words."""
    return {
        name: {
            entity: [each.name.lower() for each in Can if each in can and each.name]
            for entity, can in connector_class(name).can.items()
        }
        for name in known_types()
    }


def bare_mapper(
    type_name: str,
    *,
    timezone: str = "UTC",
    currency: str | None = None,
    lookups: Mapping[str, Any] | None = None,
    overlays: tuple[Path, ...] = (),
    options: Mapping[str, Any] | None = None,
) -> Mapper:
    """A mapping without a configured system, to try it on a file."""
    made = connector_class(type_name)
    return load_mapping(type_name, overlays, builtin=made.mapping).compile(
        system=type_name,
        timezone=timezone,
        currency=currency,
        lookups=lookups or {},
        options=options or {},
    )


def read_payload(type_name: str, body: bytes, *, today: str = "") -> dict[str, Any]:
    """One provider object from a file's bytes; some providers have forms other than JSON.

    `today` (YYYY-MM-DD) is for what depends on when a record was read, as after an end date.
    """
    connector_class(type_name)
    try:
        module = import_module(f"tieout.mappings.{type_name}_forms")
    except ModuleNotFoundError:
        module = None
    reader = getattr(module, "read_payload", None)
    found = reader(body) if reader else decode_payload(body)
    if not isinstance(found, dict):
        raise InvalidRecord("is not one JSON object", hint="give one provider object")
    seen_on = getattr(module, "seen_on", None)
    return seen_on(found, today) if seen_on and today else found


class Hub:
    """One installation. A context manager: leaving it closes the store."""

    def __init__(
        self,
        config: Config,
        ports: Ports,
        ports_for: PortsFor = ports_of_this_machine,
        *,
        offline: bool = False,
    ) -> None:
        self.config, self.ports, self._ports_for = config, ports, ports_for
        self._alone = not offline
        self._sides: dict[str, Side] = {}
        self._budgets: dict[str, SharedBudget] = {}
        self._mappings: dict[tuple[str, tuple[Path, ...]], Rules] = {}

    @classmethod
    def open(
        cls,
        path: Path,
        env: Mapping[str, str],
        *,
        ports: Ports | None = None,
        ports_for: PortsFor = ports_of_this_machine,
        offline: bool = False,
    ) -> Hub:
        """Load config.yaml; ConfigError lists everything that is wrong with it."""
        if not path.is_file():
            raise ConfigError(
                f"{path} is a folder, not a configuration"
                if path.is_dir()
                else f"there is no {path}",
                hint="tieout init writes one; or name yours: tieout --config FILE ...",
            )
        config = load_config(path, settings_of, env, offline=offline)
        flow_problems(config)
        if ports is None:
            ports = real_ports() if offline else ports_of_this_machine()
        return cls(config, ports, ports_for, offline=offline)

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "store" in self.__dict__:
            for budget in self._budgets.values():
                budget.close()
            self.store.close()

    @cached_property
    def store(self) -> Store:
        """The store of this installation, opened when it is first needed.

        Offline commands only look, or note what a person decided: they may run beside a sync.
        """
        return open_store(self.store_path, self.ports, alone=self._alone)

    @property
    def store_path(self) -> Path:
        return self.config.folder / self.config.store

    @cached_property
    def flows(self) -> list[FlowSpec]:
        return flow_specs(self.config)

    def system(self, name: str) -> System:
        """A configured system; ConfigError that lists the known names."""
        try:
            return self.config.systems[name]
        except KeyError:
            raise ConfigError(
                f"there is no system named {name!r} in {self.config.path}",
                hint="systems: " + ", ".join(self.config.systems),
            ) from None

    def side(self, name: str) -> Side:
        """A system ready for use: its connector and its compiled mapping."""
        if name not in self._sides:
            system = self.system(name)
            made = connector_class(system.base.type)
            ports = replace(self._ports_for(name), budget=self._budget(name))
            connector = made(system.settings, ports, where=system.where)
            if hasattr(connector, "currency"):  # it can tell whether one has to be named
                connector.currency = system.base.currency or ""
            mapping = self._mapping(system.base.type, system.overlays)
            lookups = getattr(connector, "lookups", None)
            mapper = mapping.compile(
                system=name,
                timezone=system.base.timezone,
                currency=system.base.currency,
                lookups=lookups() if callable(lookups) else {},
                options=system.base.options,
            )
            self._sides[name] = Side(name, connector, mapper, mapping.version, system.base.timezone)
        return self._sides[name]

    def _budget(self, name: str) -> SharedBudget:
        """The store's budgets as this system uses them; nothing is opened before the first call."""
        reserve = self.system(name).base.reserve_percent
        self._budgets[name] = SharedBudget(lambda: self.store.budgets, name, reserve)
        return self._budgets[name]

    def _mapping(self, type_name: str, overlays: tuple[Path, ...]) -> Rules:
        """Read once for all systems of a type; reading takes longer than compiling."""
        place = (type_name, overlays)
        if place not in self._mappings:
            builtin = connector_class(type_name).mapping
            self._mappings[place] = load_mapping(type_name, overlays, builtin=builtin)
        return self._mappings[place]

    def sides(self) -> dict[str, Side]:
        """Every system of config.yaml."""
        return {name: self.side(name) for name in self.config.systems}

    def reads_changes(self, system: str, entity: str) -> bool:
        """Whether a pull can ask for what changed, and need not read everything."""
        return self.side(system).can(entity, Can.CHANGES)

    def entities(self, system: str) -> list[str]:
        """What a sync pulls from a system."""
        can = connector_class(self.system(system).base.type).can
        wanted = entities_to_pull(self.config, system)
        return [each for each in wanted if Can.LIST in can.get(each, Can(0))]


def flow_problems(config: Config) -> None:
    """ConfigError where a flow needs what a connector does not declare."""
    order = list(ENTITIES)
    lines = []
    for flow in config.flows:
        for name, need in ((flow.from_, Can.LIST), (flow.to, Can.LIST)):
            system = config.systems[name]
            can = connector_class(system.base.type).can.get(flow.entity, Can(0))
            if need not in can:
                readable = [
                    each
                    for each, cans in connector_class(system.base.type).can.items()
                    if need in cans
                ]
                lines.append(
                    f"{config.path}: flow {flow.name!r}: {system.base.type} cannot list "
                    f"{flow.entity} records (it can: "
                    f"{', '.join(sorted(readable, key=order.index))})"
                )
    if lines:
        raise ConfigError("\n".join(lines), where=str(config.path))
