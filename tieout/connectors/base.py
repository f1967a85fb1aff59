"""The contract between tieout and a provider.

A connector moves the provider's own records in and out. It never renames a field
(mappings/ does), never stores (store/ does) and never decides (sync/ does).

A third-party package brings its own through the entry point group `tieout.connectors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Flag, auto
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tieout.core.ports import Ports

Raw = dict[str, Any]


class Can(Flag):
    """What a connector is able to do with one entity. What it doesn't declare is not called."""

    LIST = auto()  # read all records
    CHANGES = auto()  # read those changed since a moment
    GET = auto()  # read one by its id
    FIND = auto()  # by our key, kept in the record: settles an UnknownOutcome
    CREATE = auto()
    UPDATE = auto()
    ARCHIVE = auto()
    DELETIONS = auto()  # a pull since a moment also tells what is gone
    EVENTS = auto()  # the provider tells us, by webhook


@dataclass(frozen=True)
class Page:
    """One page of a pull.

    records   each one record as JSON bytes: the provider's own bytes where it sends whole
              records, the connector's encoding (stable key order) where it joined several answers.
    resume    hand this back to `pull` to go on after this page; a plain string.
    deleted   ids that the provider says are gone.
    """

    records: list[bytes]
    resume: str
    deleted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Touched:
    """What a webhook told us: this record changed, go and read it."""

    event_id: str
    entity: str
    id: str


@dataclass(frozen=True)
class Account:
    """Who we are at the provider, and what is missing for the flows to work."""

    name: str
    id: str
    live: bool | None = None
    problems: tuple[str, ...] = ()


class Settings(BaseModel):
    """A connector's own part of `systems.<name>` in config.yaml. Secrets are `SecretStr`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Connector(ABC):
    """One configured connection. Subclasses declare `name`, `can` and `Config`."""

    name: ClassVar[str]
    can: ClassVar[Mapping[str, Can]]
    Config: ClassVar[type[Settings]]

    @abstractmethod
    def __init__(self, settings: Any, ports: Ports, *, where: str = "") -> None:
        """`settings` is an instance of `Config`; `where` names the system in errors."""

    @abstractmethod
    def check(self) -> Account:
        """Log in, read one thing, return who we are there. Raises AuthError."""

    @abstractmethod
    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        """Pages, oldest change first where the provider can. Save `resume` after storing a page.

        `since` is when the last complete pull began, by our clock; the connector goes back
        further by as much overlap as its provider needs. None reads everything.
        """

    @abstractmethod
    def get(self, entity: str, id: str) -> bytes | None:
        """The record as it is now, as JSON bytes; None if the provider has none."""

    def find(self, entity: str, key: str) -> bytes | None:
        """The record that carries our key, or None: tells whether a lost write took place."""
        raise NotImplementedError

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        """Create once and return the record: the same `key` again returns the same record."""
        raise NotImplementedError

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        """Change the given fields and return the record as it is afterwards."""
        raise NotImplementedError

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Make it inactive (never a hard delete); what is left of it, or None."""
        raise NotImplementedError

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Touched]:
        """Verify, then say what changed. Raises AuthError on a bad signature."""
        raise NotImplementedError
