"""The contract between tieout and a provider.

A connector moves the provider's own records in and out. It never renames a field
(mappings/ does), never stores (store/ does) and never decides (sync/ does).

A third-party package brings its own through the entry point group `tieout.connectors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, Flag, auto
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tieout.core.errors import TieoutError
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
    BULK = auto()  # large amounts are read through the provider's bulk interface
    BATCH = auto()  # many records are written with one call, each with an outcome of its own
    PROVE = auto()  # a second look tells what a pull window must have brought


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


@dataclass(frozen=True)
class Window:
    """A pull that was read to its end, for which a proof is wanted.

    since  what `pull` was given: None for everything.
    began  when the window was opened, by our clock.
    """

    since: datetime | None
    began: datetime


class Method(Enum):
    """How a second look knows that nothing is missing."""

    COUNT = "count"  # the provider counted
    IDS = "ids"  # every id that the provider has, read another way than by `pull`
    FEED = "feed"  # the ids that the provider's own event feed names
    SWEEP = "sweep"  # what a filter by time of change leaves out was looked for apart
    OVERLAP = "overlap"  # the window reached back into the one before it


@dataclass(frozen=True)
class Evidence:
    """What one look at the provider says about a window. The engine holds it against the store.

    count    COUNT: living records, those only that were created up to `bound` where it is given
             (in the terms of the canonical `created_at`).
    bound    COUNT and IDS: records created later are left out of the comparison.
    ids      IDS, FEED, SWEEP: records that must be known to the store (or set aside by it). May
             come in any number of `Evidence`s of the same method, so that memory stays flat.
    whole    IDS: this is the last portion, and all of them together name every living record: what
             the store holds beyond them is gone.
    seconds  OVERLAP: how far the window reached back.
    note     the same in words for a person: "SELECT COUNT() of Account".
    """

    method: Method
    count: int | None = None
    bound: datetime | None = None
    ids: tuple[str, ...] = ()
    whole: bool = False
    seconds: int = 0
    note: str = ""


@dataclass(frozen=True)
class Write:
    """One record of a batch: `id` None creates, else the record of that id is updated."""

    record: Raw
    key: str
    id: str | None = None


class Settings(BaseModel):
    """A connector's own part of `systems.<name>` in config.yaml. Secrets are `SecretStr`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Connector(ABC):
    """One configured connection. Subclasses declare `name`, `can` and `Config`.

    mapping        the file of its mapping; None where it stands in `tieout/mappings/`. A connector
                   of another package ships its own, and registers the functions that it names.
    webhook_reply  (content type, body) of the answer to a webhook that was kept, where the
                   provider wants to read one.
    """

    name: ClassVar[str]
    can: ClassVar[Mapping[str, Can]]
    Config: ClassVar[type[Settings]]
    mapping: ClassVar[Path | None] = None
    webhook_reply: ClassVar[tuple[str, str]] = ("", "")

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

    def revision(self, entity: str, record: bytes) -> int | None:
        """The provider's own number of this state of a record, where it has one that only grows:
        a smaller one never overwrites a larger one, whichever was read later."""
        return None

    def find(self, entity: str, key: str) -> bytes | None:
        """The record that carries our key, or None: tells whether a lost write took place."""
        raise NotImplementedError

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        """Create once and return the record: the same `key` again returns the same record."""
        raise NotImplementedError

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        """Change the given fields and return the record as it is afterwards."""
        raise NotImplementedError

    def write_many(self, entity: str, writes: Sequence[Write]) -> list[bytes | TieoutError]:
        """Creates and updates with as few calls as possible; an outcome for each, in order.

        Each outcome is what `create` or `update` would have returned or raised: one bad record
        does not spoil the others. After a lost answer each one is an UnknownOutcome.
        """
        raise NotImplementedError

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        """A second look at the provider after a pull. Calls as few times as it can."""
        raise NotImplementedError

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Make it inactive (never a hard delete); what is left of it, or None."""
        raise NotImplementedError

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Touched]:
        """Verify, then say what changed. Raises AuthError on a bad signature."""
        raise NotImplementedError

    def webhook_kept(self, body: bytes) -> bytes:
        """What of a verified webhook may be stored: all of it, unless it holds a login."""
        return body
