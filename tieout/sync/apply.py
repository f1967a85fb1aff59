"""Outbox -> provider; the only caller of create, update and archive.

Each write is an operation whose key is stored before the first call. What became of a call that
got no answer is looked up before anything is sent again, so a write happens once or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from tieout.connectors.base import Can, Write
from tieout.core.errors import (
    ConfigError,
    InvalidRecord,
    StopRun,
    TieoutError,
    TryLater,
    UnknownOutcome,
)
from tieout.store import Operation, Store

from .booking import Booking, NotUnderstood
from .decide import UNLINKED
from .earlier import OUTDATED
from .flows import FlowSpec
from .golden import translated, typed_fields
from .items import WRITES, Errand, Item
from .planner import is_archived, moved
from .side import Side

BATCH = 20
LARGE_BATCH = 200  # of a target that takes many records with one call


@dataclass
class Applied:
    """What an apply did, in numbers of operations; `problems` are sentences for people."""

    confirmed: int = 0
    rejected: int = 0
    waiting: int = 0
    outdated: int = 0
    unknown: int = 0
    settled: int = 0  # of the confirmed: found to have taken place before
    problems: list[str] = field(default_factory=list)


OnOperation = Callable[[Operation, Applied], None]


class _NotYet(Exception):
    """A record that this one refers to is not there yet."""


def enqueue(store: Store, plan: str, *, run: str) -> None:
    """Turn the plan's writes into operations, each with its key; doing it again adds nothing."""
    wanted = {action.value for action in WRITES}
    items = (Item.of(each) for each in store.plans.decisions(plan) if each.action in wanted)
    while batch := list(islice(items, 500)):
        with store.transaction():
            store.outbox.renew([item.draft(plan, run) for item in batch])
    store.plans.mark(plan, "applied")


def apply(
    store: Store,
    sides: Mapping[str, Side],
    flows: Sequence[FlowSpec],
    *,
    run: str,
    on_operation: OnOperation = lambda operation, applied: None,
) -> Applied:
    """Carry out what waits in the outbox, oldest first; a rerun goes on where this one stopped.

    A refused record is set aside with its reason and the rest goes on. A wrong key or a provider
    that stays down ends the run for that target; its operations wait for the next run.
    """
    worker = _Worker(store, sides, flows, run, on_operation)
    store.own()
    store.outbox.strand()
    for target, side in sides.items():
        worker.serve(target, side)
    if isinstance(worker.first_error, ConfigError | StopRun):
        raise worker.first_error
    return worker.applied


_PRICED = frozenset({"unit_amount", "tiers", "items", "lines", "allocations"})


def _is_money(field: str) -> bool:
    return field.endswith("_minor") or field in _PRICED


# What must wait, with the reason; by id, because a long run may claim an operation again.
_Held = dict[str, tuple[Operation, str]]


def takes_batches(side: Side) -> bool:
    """Whether the target takes several records of some entity with one call."""
    return any(Can.BATCH in can for can in side.connector.can.values())


def _groups(claimed: Sequence[Operation], side: Side) -> Iterator[list[Operation]]:
    """Neighbours that may go with one call, each record at most once; all others alone."""

    def together(one: Operation) -> tuple[str, bool]:
        batch = one.action != "archive" and side.can(one.entity, Can.BATCH)
        return one.entity, batch

    for (_, batch), run in groupby(claimed, key=together):
        if batch:
            yield list(run)
        else:
            yield from ([one] for one in run)


class _Worker:
    def __init__(
        self,
        store: Store,
        sides: Mapping[str, Side],
        flows: Sequence[FlowSpec],
        run: str,
        on_operation: OnOperation,
    ) -> None:
        self.store, self.sides, self.run = store, sides, run
        self.all_flows, self.flows = list(flows), {flow.name: flow for flow in flows}
        self.on_operation = on_operation
        self.booking = Booking(store, sides, self.all_flows, run)
        self.applied = Applied()
        self.first_error: TieoutError | None = None

    def serve(self, target: str, side: Side) -> None:
        """Everything that is open for one target: first what may have happened, then the rest."""
        held: _Held = {}
        size = LARGE_BATCH if takes_batches(side) else BATCH
        try:
            self._settle_unknown(target, side)
            while claimed := self.store.outbox.claim(target, limit=size):
                done = 0
                for group in _groups(claimed, side):
                    done += len(group)
                    try:
                        self._group(group, side, held)
                    except (TryLater, ConfigError, StopRun) as error:
                        held |= {each.id: (each, error.message) for each in claimed[done:]}
                        raise
        except (TryLater, ConfigError, StopRun) as error:
            self.first_error = self.first_error or error
            self.applied.problems.append(f"{target}: {error.message}")
        finally:
            for operation, reason in held.values():
                self.store.outbox.release(operation, reason)
            self.applied.waiting += self._left(target)

    def _group(self, group: Sequence[Operation], side: Side, held: _Held) -> None:
        """Operations that go with one call, or one by itself. What must wait is put into `held`."""
        if len(group) > 1:
            self._many(group, side, held)
            return
        (operation,) = group
        try:
            self._one(operation, side)
        except _NotYet as error:
            held[operation.id] = (operation, str(error))
        except (TryLater, ConfigError, StopRun) as error:
            held[operation.id] = (operation, error.message)
            raise
        self.on_operation(operation, self.applied)

    def _many(self, group: Sequence[Operation], side: Side, held: _Held) -> None:
        """Several records of one entity with one call, each with an outcome of its own."""
        ready: list[tuple[Operation, Write]] = []
        for operation in group:
            try:
                write = self._made_ready(operation, side)
            except _NotYet as error:
                held[operation.id] = (operation, str(error))
                continue
            if write is None:
                self.on_operation(operation, self.applied)
            else:
                ready.append((operation, write))
        if not ready:
            return
        with self.store.transaction():
            for operation, _ in ready:
                self.store.outbox.mark_sent(operation)
        outcomes = self._call_many(group[0].entity, [write for _, write in ready], side)
        stopped: TieoutError | None = None
        for (operation, _), outcome in zip(ready, outcomes, strict=True):
            if isinstance(outcome, TryLater | ConfigError):
                held[operation.id] = (operation, outcome.message)
                stopped = stopped or outcome
                continue
            self._end(operation, side, outcome)
            self.on_operation(operation, self.applied)
        if stopped:
            raise stopped

    def _made_ready(self, operation: Operation, side: Side) -> Write | None:
        """What to send for an operation; None where it came to its end without a call."""
        errand, flow = Errand.of(operation), self.flows.get(operation.flow)
        if flow is None:
            self._reject(errand, "its flow is no longer in config.yaml")
            return None
        try:
            body = self._prepared(errand, side)
        except InvalidRecord as error:
            self._reject(errand, "; ".join(part for part in (error.message, error.hint) if part))
            return None
        return None if body is None else Write(body, errand.key, errand.target_id)

    def _call_many(
        self, entity: str, writes: Sequence[Write], side: Side
    ) -> Sequence[bytes | TieoutError]:
        try:
            return side.connector.write_many(entity, writes)
        except StopRun as error:
            lost = UnknownOutcome(error.message, where=error.where, hint=error.hint)
            return [lost] * len(writes)
        except (TryLater, ConfigError, UnknownOutcome) as error:
            return [error] * len(writes)

    def _end(self, operation: Operation, side: Side, outcome: bytes | TieoutError) -> None:
        """Confirmed, unknown or rejected."""
        errand, flow = Errand.of(operation), self.flows[operation.flow]
        try:
            if isinstance(outcome, TieoutError):
                raise outcome
            self._confirm(errand, side, flow, outcome)
        except (UnknownOutcome, StopRun) as error:
            self.applied.unknown += 1
            self._problem(errand, error.message)
            self.store.outbox.unknown(operation, error.message)
        except InvalidRecord as error:
            self._reject(errand, "; ".join(part for part in (error.message, error.hint) if part))

    def _left(self, target: str) -> int:
        return self.store.outbox.counts(target).get("pending", 0)

    def _settle_unknown(self, target: str, side: Side) -> None:
        """Look up what earlier calls, whose answers were lost, have done."""
        after = 0
        while listed := self.store.outbox.list("unknown", target, after=after):
            after = listed[-1].position
            for operation in listed:
                errand, flow = Errand.of(operation), self.flows.get(operation.flow)
                try:
                    body = self._look_up(errand, side)
                except (UnknownOutcome, InvalidRecord) as error:
                    self.applied.unknown += 1
                    self._problem(errand, error.message)
                    continue
                if body is None or flow is None:
                    self.store.outbox.release(operation)
                    continue
                self.applied.settled += 1
                self._confirm(errand, side, flow, body)

    def _one(self, operation: Operation, side: Side) -> None:
        """One operation to its end: confirmed, rejected or unknown."""
        errand, flow = Errand.of(operation), self.flows.get(operation.flow)
        if flow is None:
            self._reject(errand, "its flow is no longer in config.yaml")
            return
        try:
            self._attempt(errand, side, flow)
        except UnknownOutcome as error:
            self.applied.unknown += 1
            self._problem(errand, error.message)
            self.store.outbox.unknown(operation, error.message)
        except InvalidRecord as error:
            self._reject(errand, "; ".join(part for part in (error.message, error.hint) if part))

    def _prepared(self, errand: Errand, side: Side) -> dict[str, Any] | None:
        """The body to send; None where nothing is to be sent any more."""
        if self._is_there_already(errand):
            return None
        if self._is_outdated(errand):
            self.applied.outdated += 1
            with self.store.transaction():
                self.store.outbox.release(errand.operation)
                self.store.outbox.discard(errand.operation.id, OUTDATED)
            return None
        typed = self._typed(errand)
        return side.mapper.render(errand.entity, typed, creating=errand.action == "create")

    def _attempt(self, errand: Errand, side: Side, flow: FlowSpec) -> None:
        body = self._prepared(errand, side)
        if body is None:
            return
        self.store.outbox.mark_sent(errand.operation)
        answer = self._call(errand, side, body)
        self._confirm(errand, side, flow, answer)

    def _call(self, errand: Errand, side: Side, body: dict[str, Any]) -> bytes | None:
        """The call itself. An error that says "nothing happened" puts the operation back."""
        connector, entity, key = side.connector, errand.entity, errand.key
        try:
            if errand.action == "create":
                return connector.create(entity, body, key=key)
            assert errand.target_id is not None
            if errand.action == "update":
                return connector.update(entity, errand.target_id, body, key=key)
            return connector.archive(entity, errand.target_id, key=key)
        except StopRun as error:
            raise UnknownOutcome(error.message, where=error.where, hint=error.hint) from error

    def _look_up(self, errand: Errand, side: Side) -> bytes | None:
        """The record, if a write whose answer we never got did take place."""
        entity, connector = errand.entity, side.connector
        if errand.action == "create":
            if not side.can(entity, Can.FIND):
                raise UnknownOutcome(
                    f"{side.name} cannot tell whether {errand.key} was created",
                    hint=f"look there, then tieout ops retry {errand.operation.id}, or discard",
                )
            return connector.find(entity, errand.key)
        assert errand.target_id is not None
        body = connector.get(entity, errand.target_id)
        if body is None:
            return None
        record = side.parse(entity, body)
        if errand.action == "archive":
            return body if is_archived(record) else None
        names = tuple(errand.write)
        wanted = side.mapper.project(entity, self._typed(errand))
        held = {name: getattr(record, name) for name in names}
        return body if all(wanted.get(name) == held[name] for name in names) else None

    def _typed(self, errand: Errand) -> dict[str, Any]:
        """The fields to send, typed, with references in the target's ids."""
        links, source, target = self.store.links, errand.source, errand.target

        def translate(entity: str, id: str) -> str | None:
            return links.other(entity, source, id, target)

        fields = translated(errand.write, translate, moved(self.all_flows, target))
        missing = sorted(name for name, value in fields.items() if value is UNLINKED)
        if missing:
            raise _NotYet("waits for what it refers to: " + ", ".join(missing))
        return self._with_currency(errand, typed_fields(errand.entity, fields))

    def _with_currency(self, errand: Errand, fields: dict[str, Any]) -> dict[str, Any]:
        """An amount is spelt by its currency, also where that didn't change or has no field."""
        if "currency" in fields or not any(map(_is_money, fields)):
            return fields
        created = errand.target_id is None
        who = (errand.source, errand.source_id) if created else (errand.target, errand.target_id)
        record = self.store.records.get(errand.entity, *who)  # type: ignore[arg-type]
        currency = getattr(record, "currency", None)
        return {**fields, "currency": currency} if currency else fields

    def _is_outdated(self, errand: Errand) -> bool:
        version = self.store.records.version_of
        if version(errand.entity, errand.source, errand.source_id) != errand.source_seen:
            return True
        if errand.target_id is not None:
            return version(errand.entity, errand.target, errand.target_id) != errand.target_seen
        links = self.store.links
        link = links.of(errand.entity, errand.source, errand.source_id)
        return bool(link and links.members(errand.entity, link).get(errand.target))

    def _is_there_already(self, errand: Errand) -> bool:
        """A pull has meanwhile brought the very record that this operation was to create."""
        if errand.action != "create":
            return False
        entity, links = errand.entity, self.store.links
        id = links.other(entity, errand.source, errand.source_id, errand.target)
        record = self.store.records.get(entity, errand.target, id) if id else None
        if record is None or record.external_ids.get("tieout") != errand.key:
            return False
        with self.store.transaction():
            self.store.outbox.mark_sent(errand.operation)
            self.store.outbox.confirm(errand.operation, id)
            self.booking.audit(errand, record.id)
        self.applied.settled += 1
        self.applied.confirmed += 1
        return True

    def _confirm(self, errand: Errand, side: Side, flow: FlowSpec, body: bytes | None) -> None:
        try:
            self.booking.confirm(errand, side, flow, body)
        except NotUnderstood as error:
            self._problem(errand, f"written as {error.id}, but {error.message}")
            raise
        self.applied.confirmed += 1

    def _reject(self, errand: Errand, reason: str) -> None:
        self.applied.rejected += 1
        self._problem(errand, reason)
        self.store.outbox.reject(errand.operation, reason)

    def _problem(self, errand: Errand, reason: str) -> None:
        self.applied.problems.append(
            f"{errand.target} {errand.entity} (from {errand.source} {errand.source_id}): {reason}"
        )
