"""Connectors by type name; a module is imported when its connector is first used."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from tieout.core.errors import ConfigError

from .base import Connector

BUILT_IN = {
    "chargebee": "tieout.connectors.chargebee:Chargebee",
    "netsuite": "tieout.connectors.netsuite:NetSuite",
    "salesforce": "tieout.connectors.salesforce:Salesforce",
    "stripe": "tieout.connectors.stripe:Stripe",
    "zuora": "tieout.connectors.zuora:Zuora",
}


def known_types() -> list[str]:
    """Every connector type that config.yaml may name, ours and installed packages'."""
    outside = {point.name for point in entry_points(group="tieout.connectors")}
    return sorted(BUILT_IN.keys() | outside)


def connector_class(type_name: str) -> type[Connector]:
    """The class for a type; ConfigError that lists the known ones if there is none."""
    if target := BUILT_IN.get(type_name):
        module, _, name = target.partition(":")
        found = getattr(import_module(module), name)
    else:
        points = entry_points(group="tieout.connectors", name=type_name)
        if not points:
            raise ConfigError(
                f"there is no connector of type {type_name!r}",
                hint="known types: " + ", ".join(known_types()),
            )
        found = next(iter(points)).load()
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise ConfigError(f"connector {type_name!r} is not a tieout Connector")
    return found
