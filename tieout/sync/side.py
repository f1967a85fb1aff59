"""One configured system, ready to be used: its connector, its mapping and its names."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.connectors.base import Can, Connector
from tieout.core.entities import Record
from tieout.mappings import Mapper


@dataclass(frozen=True)
class Side:
    """What pull, plan and apply need of one system."""

    name: str
    connector: Connector
    mapper: Mapper
    mapping_version: str
    timezone: str = "UTC"

    def can(self, entity: str, ability: Can) -> bool:
        """Whether the connector declares it, and the mapping knows the entity."""
        return ability in self.connector.can.get(entity, Can(0)) and entity in self.mapper.entities

    def parse(self, entity: str, body: bytes) -> Record:
        """The canonical record; InvalidRecord with the reason where it can't be mapped."""
        return self.mapper.parse_bytes(entity, body)
