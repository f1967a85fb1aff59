"""Writes: a create is an upsert by our external id, so that a repeat finds what is there.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tieout.core.errors import (
    ConfigError,
    InvalidRecord,
    ProviderDown,
    TieoutError,
    TryLater,
    UnknownOutcome,
)
from tieout.rest import Again, segment

from ..base import Raw, Write
from .errors import verdict_on
from .kinds import Part
from .org import Org
from .reading import Reading, one_of
from .rows import Row

MOST_AT_ONCE = 200
LOCK_TRIES = 4
_LOCK_WAIT_SECONDS = 2.0


class Writing:
    """Writes to one object. `part.key` is the external id field."""

    def __init__(self, org: Org, part: Part) -> None:
        self.org, self.part = org, part

    def upsert(self, body: Raw, key: str) -> str:
        """Create, or set the fields of what already carries the key; the record's id."""
        self.check_key_field()
        self.org.schema.check_body(self.part.object, body, creating=True)
        path = f"sobjects/{self.part.object}/{self.part.key}/{segment(key)}"
        try:
            told = self.org.library.call(path, method="PATCH", json=_bare(body))
        except ConfigError:
            if id := self._made_before(body, key):
                return id
            raise
        if isinstance(told, dict) and told.get("id"):
            return str(told["id"])
        found = one_of(Reading(self.org, self.part).by_key(key), key)  # 204 of older versions
        if found is None:
            raise UnknownOutcome(f"Salesforce did not say which record it made for {key}")
        return str(found["Id"])

    def _made_before(self, body: Raw, key: str) -> str | None:
        """The record of an earlier call with this key, where the body has fields that are set at
        creation only: their presence alone makes Salesforce refuse the upsert's second time."""
        held = self.org.schema.object(self.part.object).fields
        if all(name not in held or held[name].updatable for name in _bare(body)):
            return None
        row = one_of(Reading(self.org, self.part).by_key(key), key)
        return str(row["Id"]) if row else None

    def patch(self, id: str, body: Raw) -> None:
        """Change fields of a record."""
        self.org.schema.check_body(self.part.object, body, creating=False)
        path = f"sobjects/{self.part.object}/{segment(id)}"
        self.org.library.call(path, method="PATCH", json=_bare(body))

    def add(self, object: str, bodies: Sequence[Raw]) -> None:
        """Create child records, all or none of them."""
        for body in bodies:
            self.org.schema.check_body(object, body, creating=True)
        records = [_typed(object, body) for body in bodies]
        told = self.org.library.call(
            "composite/sobjects", method="POST", json={"allOrNone": True, "records": records}
        )
        for each in told or ():
            if not each.get("success"):
                raise verdict_on(each.get("errors") or [{}]).error

    def read_back(self, id: str) -> bytes:
        """What was written, as a pull would give it."""
        reading = Reading(self.org, self.part)
        rows = reading.by_ids([id])
        if not rows:
            raise ProviderDown(f"{self.part.object} {id} was written, but cannot be read back")
        return reading.whole(rows)[0]

    def check_key_field(self) -> None:
        """ConfigError unless the external id field is there."""
        field = self.org.schema.object(self.part.object).fields.get(self.part.key)
        if field is None or not field.external_id:
            problem = "has no field" if field is None else "does not use as External ID its field"
            raise ConfigError(
                f"{self.part.object} {problem} {self.part.key}",
                where=self.org.where,
                hint="create it (Text 255, External ID, Unique, case-sensitive) and give the "
                "permission set access; docs/providers/salesforce.md tells how",
            )

    # collections

    def many(self, writes: Sequence[Write]) -> list[bytes | TieoutError]:
        """Upserts and updates, 200 a call; an outcome for each, in order."""
        outcomes: dict[int, str | TieoutError] = {}
        for creating in (True, False):
            waiting = [n for n, each in enumerate(writes) if (each.id is None) is creating]
            waiting = self._fit(writes, waiting, creating, outcomes)
            for group in _groups(writes, waiting):
                outcomes |= self._group(writes, group, creating)
        return self._read_back_all([outcomes[n] for n in range(len(writes))])

    def _fit(
        self,
        writes: Sequence[Write],
        waiting: list[int],
        creating: bool,
        outcomes: dict[int, str | TieoutError],
    ) -> list[int]:
        """Those whose body can be sent; the others' outcome is the reason."""
        fit = []
        for n in waiting:
            try:
                if creating:
                    self.check_key_field()
                self.org.schema.check_body(self.part.object, writes[n].record, creating=creating)
                fit.append(n)
            except TieoutError as error:
                outcomes[n] = error
        return fit

    def _group(
        self, writes: Sequence[Write], group: list[int], creating: bool
    ) -> dict[int, str | TieoutError]:
        """One call, and further ones for records that were locked meanwhile."""
        found: dict[int, str | TieoutError] = {}
        for attempt in range(LOCK_TRIES):
            try:
                told = self._send(writes, group, creating)
            except TieoutError as error:
                return found | {n: _copy(error) for n in group}
            locked = []
            for n, each in zip(group, told, strict=True):
                outcome, again = _outcome(each, writes[n])
                if creating and isinstance(outcome, ConfigError):
                    outcome = self._made_before(writes[n].record, writes[n].key) or outcome
                found[n] = outcome
                if again:
                    locked.append(n)
            if not locked or attempt == LOCK_TRIES - 1:
                return found
            chance = self.org.ports.random()
            self.org.ports.sleep((chance + 0.5) * _LOCK_WAIT_SECONDS * 2**attempt)
            group = locked
        return found

    def _send(
        self, writes: Sequence[Write], group: list[int], creating: bool
    ) -> list[dict[str, Any]]:
        object, key = self.part.object, self.part.key
        path = f"composite/sobjects/{object}/{key}" if creating else "composite/sobjects"
        records = []
        for n in group:
            write = writes[n]
            name = {key: write.key} if creating else {"id": write.id}
            records.append(_typed(object, {**name, **_bare(write.record)}))
        body = {"allOrNone": False, "records": records}
        told = self.org.library.call(path, method="PATCH", json=body)
        if not isinstance(told, list) or len(told) != len(group):
            raise UnknownOutcome(
                "Salesforce did not tell the outcome of each record",
                hint="they are looked up before they are tried again",
            )
        return told

    def _read_back_all(self, outcomes: list[str | TieoutError]) -> list[bytes | TieoutError]:
        ids = [each for each in outcomes if isinstance(each, str)]
        reading = Reading(self.org, self.part)
        try:
            rows = reading.by_ids(list(dict.fromkeys(ids)))
            records = dict(zip((row["Id"] for row in rows), reading.whole(rows), strict=True))
            failure: TieoutError = ProviderDown("it was written, but cannot be read back")
        except TieoutError as error:
            records, failure = {}, error
        unknown = UnknownOutcome(f"written, but not read back: {failure.message}")
        return [
            each if isinstance(each, TieoutError) else records.get(each, unknown)
            for each in outcomes
        ]


def _outcome(told: dict[str, Any], write: Write) -> tuple[str | TieoutError, bool]:
    """The id or the error of one record, and whether it may be sent once more."""
    if told.get("success") is True:
        return str(told.get("id") or write.id or ""), False
    verdict = verdict_on([e for e in told.get("errors") or [{}] if isinstance(e, dict)])
    if isinstance(verdict.error, TryLater) and verdict.again is not Again.NEVER:
        return verdict.error, True
    return verdict.error, False


def _groups(writes: Sequence[Write], waiting: list[int]) -> list[list[int]]:
    """At most 200 each, and no record twice in one: Salesforce refuses both of them then."""
    groups: list[list[int]] = []
    names: list[set[str]] = []
    for n in waiting:
        name = writes[n].id or writes[n].key
        # What repeats a name goes after it, so the first group after the last one that has it.
        last = max((place for place, held in enumerate(names) if name in held), default=-1)
        place = next(
            (p for p in range(last + 1, len(groups)) if len(groups[p]) < MOST_AT_ONCE), None
        )
        if place is None:
            groups.append([])
            names.append(set())
            place = len(groups) - 1
        groups[place].append(n)
        names[place].add(name)
    return groups


def _typed(object: str, body: Raw) -> Raw:
    """`attributes` must come first, or Salesforce cannot read the record."""
    return {"attributes": {"type": object}, **_bare(body)}


def _bare(body: Raw) -> Raw:
    return {name: value for name, value in body.items() if name != "attributes"}


def _copy(error: TieoutError) -> TieoutError:
    """One error for each of several records: a message is completed where it is shown."""
    made = type(error)(error.message, where=error.where, hint=error.hint)
    if hasattr(error, "wait_seconds"):
        made.wait_seconds = error.wait_seconds  # type: ignore[attr-defined]
    return made


def only_object(parts: Sequence[Part], record: Raw) -> Part:
    """The object that a body is for: it names one where the entity has several."""
    told = record.get("attributes")
    name = told.get("type") if isinstance(told, dict) else None
    if name is None:
        return parts[0]
    for part in parts:
        if part.object == name:
            return part
    raise InvalidRecord(f"{name} is none of " + ", ".join(part.object for part in parts))


def lines_of(body: Raw, name: str) -> tuple[Raw, list[Row]]:
    """The body without its lines, and the lines."""
    held = body.get(name)
    rows = held.get("records") if isinstance(held, dict) else None
    return {key: value for key, value in body.items() if key != name}, list(rows or ())
