"""All records of the account, held in memory, with their ids and who applies to whom."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..clock import SandboxClock
from .catalog import TYPES, RecordType, of_target
from .errors import user_error

Body = dict[str, Any]

_FIRST_ID = {"transactions": 1000, "entities": 500, "items": 300}
_DUPLICATE = {
    "entities": "This entity already exists.",
    "items": "Uniqueness error - there is already an item with that name or external id.",
}


@dataclass
class Record:
    """One record. `made` ones came in over the API; loaded ones are served as they were given."""

    type: RecordType
    id: str
    body: Body
    created: datetime
    modified: datetime
    made: bool = True
    factory: bool = False
    indexed: tuple[list[str], str] = field(default_factory=lambda: ([], ""))

    @property
    def external_id(self) -> str:
        return str(self.body.get("externalId") or "")

    def lines(self, sublist: str) -> list[Body]:
        """The lines of a sublist, the live list's copy; [] where there is none."""
        held = self.body.get(sublist)
        items = held.get("items") if isinstance(held, dict) else None
        return list(items or [])


@dataclass(frozen=True)
class Deletion:
    record: Record
    at: datetime


@dataclass
class Books:
    """The state. Whoever calls holds the stand-in's lock."""

    clock: SandboxClock
    rng: random.Random
    timezone: str = "America/Los_Angeles"
    one_world: bool = True
    touch_applied: bool = False
    allow_name_twice: bool = False
    custom_fields: set[str] = field(default_factory=set)
    by_type: dict[str, dict[str, Record]] = field(default_factory=dict)
    deletions: list[Deletion] = field(default_factory=list)
    dirty: dict[tuple[str, str], Record | None] = field(default_factory=dict)
    appliers: dict[str, dict[str, None]] = field(default_factory=dict)
    of_entity: dict[str, dict[str, None]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    _external: dict[tuple[str, str], Record] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_type = {one.name: {} for one in TYPES.values()}

    def all_of(self, type: RecordType) -> dict[str, Record]:
        return self.by_type[type.name]

    def find(self, target: str, key: object) -> Record | None:
        """By internal id, or `eid:<external id>`; `target` as in a field's kind."""
        text = str(key)
        for type in of_target(target):
            if text.startswith("eid:"):
                found = self.by_external(type.group, text[4:])
                if found is not None and found.type.name == type.name:
                    return found
            elif text in self.by_type[type.name]:
                return self.by_type[type.name][text]
        return None

    def by_external(self, group: str, external_id: str) -> Record | None:
        return self._external.get((group, external_id.lower()))

    def transactions(self) -> Iterator[Record]:
        for type in of_target("transaction"):
            yield from self.by_type[type.name].values()

    def new_id(self, type: RecordType) -> str:
        """The next free internal id of the type's group."""
        number = self._next.get(type.group, _FIRST_ID.get(type.group, 1))
        self._next[type.group] = number + 1
        return str(number)

    def next_number(self, type: RecordType) -> int:
        """Auto-generated document numbers count per record type."""
        self._numbers[type.name] = self._numbers.get(type.name, 0) + 1
        return self._numbers[type.name]

    def put(self, record: Record) -> None:
        """Hold a new or a changed record, and keep every index in step."""
        self.claim(record, record.external_id)
        before = self.by_type[record.type.name].get(record.id)
        if before is not None and before is not record:
            self._unindex(before)
        self.by_type[record.type.name][record.id] = record
        self._index(record)
        self._reserve(record)
        self.dirty[record.type.name, record.id] = record

    def claim(self, record: Record, external_id: str) -> None:
        """One external id, one record of its group. Raises Refusal."""
        if not external_id:
            return
        key = (record.type.group, external_id.lower())
        holder = self._external.get(key)
        if holder is not None and (holder.type.name, holder.id) != (record.type.name, record.id):
            raise user_error(_DUPLICATE.get(record.type.group, "This record already exists."))
        self._external[key] = record

    def release(self, record: Record, external_id: str) -> None:
        key = (record.type.group, external_id.lower())
        if self._external.get(key) is record:
            del self._external[key]

    def remove(self, record: Record, *, log: bool = True) -> None:
        self.by_type[record.type.name].pop(record.id, None)
        self.release(record, record.external_id)
        self._unindex(record)
        self.dirty[record.type.name, record.id] = None
        if log:
            self.deletions.append(Deletion(record, self.clock.now()))

    def drop_factory_set(self, type: RecordType) -> None:
        """Loaded records replace what a fresh account came with."""
        for record in [one for one in self.all_of(type).values() if one.factory]:
            self.remove(record, log=False)

    def reindex(self, record: Record) -> None:
        """After a body was changed in place."""
        self._unindex(record)
        self._index(record)
        self.dirty[record.type.name, record.id] = record
        if owner := record.indexed[1]:
            self.moved.add(owner)

    def touch(self, record: Record) -> None:
        record.modified = self.clock.now()
        record.body["lastModifiedDate"] = instant(record.modified)

    def _index(self, record: Record) -> None:
        if not record.type.is_transaction:
            return
        documents, owner = documents_of(record), entity_of(record)
        record.indexed = (documents, owner)
        for document in documents:
            self.appliers.setdefault(document, {})[record.id] = None
        if owner:
            self.of_entity.setdefault(owner, {})[record.id] = None

    def _unindex(self, record: Record) -> None:
        documents, owner = record.indexed
        for document in documents:
            self.appliers.get(document, {}).pop(record.id, None)
        self.of_entity.get(owner, {}).pop(record.id, None)

    def _reserve(self, record: Record) -> None:
        if record.id.isdigit():
            after = int(record.id) + 1
            start = _FIRST_ID.get(record.type.group, 1)
            self._next[record.type.group] = max(self._next.get(record.type.group, start), after)


def instant(moment: datetime) -> str:
    """A datetime as REST shows it: UTC, whole seconds, Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ref_id(value: Any) -> str:
    """The id in a reference, however it is written; '' for none."""
    if isinstance(value, dict):
        value = value.get("id", value.get("internalId"))
    return "" if value is None else str(value)


def entity_of(record: Record) -> str:
    return ref_id(record.body.get("entity") or record.body.get("customer"))


def applications(record: Record) -> list[tuple[str, Decimal, Body]]:
    """(document id, amount, line) of what this record is applied to; empty lines left out."""
    found = []
    for line in record.lines("apply"):
        amount = decimal(line.get("amount"))
        if line.get("apply") in (True, "T", "true") and amount:
            found.append((ref_id(line.get("doc")), amount, line))
    return found


def documents_of(record: Record) -> list[str]:
    """Every transaction that this one points at and that cannot be deleted before it."""
    if not record.type.is_transaction:
        return []
    found = [document for document, _, _ in applications(record)]
    found += [
        ref_id(line.get("id")) for line in record.lines("payment") if line.get("deposit") is True
    ]
    if origin := ref_id(record.body.get("createdFrom")):
        found.append(origin)
    return found


def decimal(value: Any) -> Decimal:
    """A number of a record as Decimal; 0 for what is absent or is no number."""
    if isinstance(value, Decimal):
        return value
    if value is None or value == "" or isinstance(value, bool):
        return Decimal(0)
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return Decimal(0)
