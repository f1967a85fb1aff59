"""Two paper systems that speak the canonical model: the engine is tested without any provider.

A `Paper` keeps its records in a dict, counts its calls, and can be told to misbehave.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tieout.config import Flow, Guard
from tieout.connectors.base import Account, Can, Connector, Page, Raw, Settings
from tieout.core.entities import ENTITIES, Record, fields_of
from tieout.core.errors import InvalidRecord
from tieout.core.ports import Ports
from tieout.store import Store, open_store
from tieout.sync.apply import Applied, apply, enqueue
from tieout.sync.flows import FlowSpec
from tieout.sync.plan import Outline, make_plan
from tieout.sync.profiles import PROFILES
from tieout.sync.pull import Pulled, pull
from tieout.sync.side import Side

ALL = (
    Can.LIST | Can.CHANGES | Can.GET | Can.FIND | Can.CREATE | Can.UPDATE | Can.ARCHIVE
    | Can.DELETIONS
)  # fmt: skip
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that moves a second with every look; ids that count."""

    def __init__(self) -> None:
        self.moment, self.ids = START, 0

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:012d}"

    def ports(self) -> Ports:
        return Ports(
            now=self.now,
            monotonic=lambda: self.moment.timestamp(),
            sleep=lambda seconds: None,
            random=lambda: 0.5,
            new_id=self.new_id,
        )


class Paper(Connector):
    """Records by (entity, id); `on_call` may raise before or after an effect."""

    name = "paper"
    can: Mapping[str, Can] = {entity: ALL for entity in ENTITIES}  # type: ignore[misc]
    Config = Settings
    page_size = 3

    def __init__(self, system: str, clock: Clock) -> None:
        self.system, self.clock = system, clock
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self.touched: dict[tuple[str, str], datetime] = {}
        self.gone: dict[tuple[str, str], datetime] = {}
        self.keys: dict[str, str] = {}
        self.calls: list[str] = []
        self.on_call: Callable[[str, str], None] = lambda when, what: None

    # what a person does there

    def put(self, entity: str, id: str, **fields: Any) -> None:
        held = self.records.get((entity, id), {"id": id, "created_at": "2026-01-01T00:00:00Z"})
        self.records[(entity, id)] = {**held, **json.loads(json.dumps(fields))}
        self.touched[(entity, id)] = self.clock.now()

    def drop(self, entity: str, id: str) -> None:
        del self.records[(entity, id)]
        self.gone[(entity, id)] = self.clock.now()

    # the connector

    def check(self) -> Account:
        return Account(self.system, self.system)

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        ids = sorted(
            id
            for (kind, id), when in self.touched.items()
            if kind == entity and (kind, id) in self.records and (since is None or when >= since)
        )
        deleted = tuple(
            id
            for (kind, id), when in self.gone.items()
            if kind == entity and since and when >= since
        )
        left = [id for id in ids if id > resume]
        while True:
            self._called("before", f"list {entity}")
            batch, left = left[: self.page_size], left[self.page_size :]
            bodies = [self._body(entity, id) for id in batch]
            yield Page(bodies, batch[-1] if batch else resume, () if left else deleted)
            if not left:
                return

    def get(self, entity: str, id: str) -> bytes | None:
        self._called("before", f"get {entity}")
        return self._body(entity, id) if (entity, id) in self.records else None

    def find(self, entity: str, key: str) -> bytes | None:
        self._called("before", f"find {entity}")
        id = self.keys.get(key)
        return self._body(entity, id) if id else None

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        self._called("before", f"create {entity}")
        if key not in self.keys:
            self.keys[key] = id = f"{self.system}-{len(self.records) + 1:04d}"
            self.put(entity, id, **record, external_ids={"tieout": key})
        self._called("after", f"create {entity}")
        return self._body(entity, self.keys[key])

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        self._called("before", f"update {entity}")
        self.put(entity, id, **record)
        self._called("after", f"update {entity}")
        return self._body(entity, id)

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        self._called("before", f"archive {entity}")
        self.put(entity, id, status="archived")
        self._called("after", f"archive {entity}")
        return self._body(entity, id)

    def _called(self, when: str, what: str) -> None:
        if when == "before":
            self.calls.append(what)
        self.on_call(when, what)

    def _body(self, entity: str, id: str) -> bytes:
        return json.dumps(self.records[(entity, id)]).encode()

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call.split()[0] in ("create", "update", "archive")]


class PaperMapper:
    """The canonical model as it is; a name that is no text is an invalid record."""

    entities = tuple(ENTITIES)

    def __init__(self, system: str) -> None:
        self.system = system

    def parse_bytes(self, entity: str, body: bytes) -> Record:
        raw = msgspec.json.decode(body)
        try:
            return msgspec.convert({**raw, "system": self.system}, ENTITIES[entity])
        except msgspec.ValidationError as error:
            raise InvalidRecord(str(error), where=f"{entity} {raw.get('id')}") from None

    def render(self, entity: str, fields: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        rendered: dict[str, Any] = msgspec.to_builtins(dict(fields))
        return rendered

    def project(self, entity: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def writable(self, entity: str, *, creating: bool) -> frozenset[str]:
        return frozenset(fields_of(entity))


def flow(entity: str, **settings: Any) -> FlowSpec:
    made = Flow.model_validate({"entity": entity, "from": "left", "to": "right", **settings})
    return FlowSpec(made, PROFILES[entity], (("left", "paper"), ("right", "ledger")))


@dataclass
class World:
    """Two systems, a store on disk and the flows between them."""

    path: Path
    flows: list[FlowSpec]
    clock: Clock = field(default_factory=Clock)
    guard: Guard = field(default_factory=Guard)

    def __post_init__(self) -> None:
        self.left, self.right = Paper("left", self.clock), Paper("right", self.clock)
        self.store: Store = open_store(self.path, self.clock.ports())

    def restart(self) -> None:
        """As after a kill: the store is opened anew, nothing else is remembered."""
        self.store.close()
        self.store = open_store(self.path, self.clock.ports())

    def sides(self) -> dict[str, Side]:
        return {
            each.system: Side(each.system, each, PaperMapper(each.system), "m1")  # type: ignore[arg-type]
            for each in (self.left, self.right)
        }

    def entities(self) -> list[str]:
        named = {spec.entity for spec in self.flows}
        return [entity for entity in ENTITIES if entity in named]

    def pull(self, **options: Any) -> list[Pulled]:
        return [
            pull(self.store, side, entity, self.flows, self.clock.ports(), run="r", **options)
            for side in self.sides().values()
            for entity in self.entities()
        ]

    def plan(self) -> Outline:
        return make_plan(self.store, self.sides(), self.flows, self.clock.ports(), run="r")

    def apply(self, outline: Outline | None = None) -> Applied:
        if outline is not None:
            enqueue(self.store, outline.id, run="r")
        return apply(self.store, self.sides(), self.flows, run="r")

    def sync(self) -> tuple[Outline, Applied]:
        self.pull()
        outline = self.plan()
        return outline, self.apply(outline)
