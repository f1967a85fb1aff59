"""Outbox -> provider; the only caller of create, update and archive.

Each write is an operation whose key is stored before the first call. What became of a call that
got no answer is looked up before anything is sent again, so a write happens once or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.connectors.base import Can
from tieout.core.entities import Record
from tieout.core.errors import (
    ConfigError,
    InvalidRecord,
    NotFound,
    StopRun,
    TryLater,
    UnknownOutcome,
)
from tieout.store import Incoming, Operation, Store

from .decide import UNLINKED
from .flows import FlowSpec
from .golden import comparable, translated, typed_fields
from .match import key_for
from .pull import mark
from .side import Side


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


def enqueue(store: Store, plan: str) -> int:
    """Turn the plan's writes into outbox operations, each with its key; again adds nothing."""
    added = 0
    for items in store.plans.batches(plan, actions=("create", "update", "archive")):
        operations = [
            Operation.of_item(
                item,
                plan=plan,
                key=key_for(item.entity, item.source, item.source_id)
                if item.action == "create"
                else f"tieout-{plan}-{item.position}",
            )
            for item in items
        ]
        with store.transaction():
            added += store.outbox.put(operations)
    return added


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
    applied = Applied()
    worker = _Worker(store, sides, {flow.name: flow for flow in flows}, run, applied)
    for operation in store.outbox.open():
        if operation.target in worker.closed:
            applied.waiting += 1
            continue
        worker.carry_out(operation)
        on_operation(operation, applied)
    if worker.first_error:
        raise worker.first_error
    return applied


class _Worker:
    def __init__(
        self,
        store: Store,
        sides: Mapping[str, Side],
        flows: Mapping[str, FlowSpec],
        run: str,
        applied: Applied,
    ) -> None:
        self.store, self.sides, self.flows, self.run = store, sides, flows, run
        self.applied = applied
        self.closed: set[str] = set()  # targets that no more calls go to in this run
        self.first_error: ConfigError | StopRun | None = None

    def carry_out(self, operation: Operation) -> None:
        """One operation to its end: confirmed, rejected, unknown or waiting."""
        side, flow = self.sides.get(operation.target), self.flows.get(operation.flow)
        if side is None or flow is None:
            self._reject(operation, "its system or flow is no longer in config.yaml")
            return
        try:
            self._attempt(operation, side, flow)
        except _NotYet as error:
            self.applied.waiting += 1
            self.store.outbox.note(operation.id, str(error))
        except UnknownOutcome as error:
            self.applied.unknown += 1
            self._problem(operation, error.message)
            self.store.outbox.unknown(operation.id, error.message)
        except InvalidRecord as error:
            self._reject(operation, _sentence(error))
        except TryLater as error:
            self._close(operation, error.message)
        except (ConfigError, StopRun) as error:
            self.first_error = self.first_error or error
            self._close(operation, error.message)

    def _attempt(self, operation: Operation, side: Side, flow: FlowSpec) -> None:
        if operation.state in ("sent", "unknown"):
            if body := self._look_up(operation, side, flow):
                self.applied.settled += 1
                self._confirm(operation, side, flow, body)
                return
        elif self._is_outdated(operation):
            self.applied.outdated += 1
            self.store.outbox.discard(operation.id, "a side changed since the plan was made")
            return
        typed = self._typed(operation, flow)
        creating = operation.action == "create"
        body_to_send = side.mapper.render(operation.entity, typed, creating=creating)
        self.store.outbox.sent(operation.id)
        self._confirm(operation, side, flow, self._call(operation, side, body_to_send))

    def _call(self, operation: Operation, side: Side, body: dict[str, Any]) -> bytes | None:
        connector, entity, key = side.connector, operation.entity, operation.key
        if operation.action == "create":
            return connector.create(entity, body, key=key)
        assert operation.target_id is not None
        if operation.action == "update":
            return connector.update(entity, operation.target_id, body, key=key)
        return connector.archive(entity, operation.target_id, key=key)

    def _look_up(self, operation: Operation, side: Side, flow: FlowSpec) -> bytes | None:
        """The record, if a write whose answer we never got did take place."""
        if operation.action == "create":
            if not side.can(operation.entity, Can.FIND):
                raise UnknownOutcome(
                    f"{side.name} cannot tell whether {operation.key} was created",
                    hint=f"look there, then tieout ops retry|discard {operation.id}",
                )
            return side.connector.find(operation.entity, operation.key)
        assert operation.target_id is not None
        body = side.connector.get(operation.entity, operation.target_id)
        if body is None:
            return None
        record = side.parse(operation.entity, body)
        if operation.action == "archive":
            archived = record.deleted or getattr(record, "status", "") == "archived"
            return body if archived or getattr(record, "active", True) is False else None
        names = tuple(operation.write)
        wanted = self._comparable_write(operation, side, flow)
        return body if comparable(record, names, side.timezone) == wanted else None

    def _comparable_write(self, operation: Operation, side: Side, flow: FlowSpec) -> dict[str, Any]:
        projected = side.mapper.project(operation.entity, self._typed(operation, flow))
        return {name: projected.get(name) for name in operation.write}

    def _typed(self, operation: Operation, flow: FlowSpec) -> dict[str, Any]:
        """The fields to send, typed, with references in the target's ids."""
        links, source, target = self.store.links, operation.source, operation.target

        def translate(entity: str, id: str) -> str | None:
            return links.other(entity, source, id, target)

        required = frozenset(
            each.entity
            for each in self.flows.values()
            if each.writes and {each.left, each.right} == {source, target}
        )
        fields = translated(operation.write, translate, required)
        missing = sorted(name for name, value in fields.items() if value is UNLINKED)
        if missing:
            raise _NotYet("waits for what it refers to: " + ", ".join(missing))
        return typed_fields(operation.entity, fields)

    def _is_outdated(self, operation: Operation) -> bool:
        hash_of = self.store.records.hash
        source = hash_of(operation.entity, operation.source, operation.source_id)
        if source != operation.source_seen:
            return True
        if operation.target_id is None:
            link = self.store.links.of(operation.entity, operation.source, operation.source_id)
            taken = self.store.links.members(operation.entity, link) if link else {}
            return bool(taken.get(operation.target))
        target = hash_of(operation.entity, operation.target, operation.target_id)
        return target != operation.target_seen

    def _confirm(
        self, operation: Operation, side: Side, flow: FlowSpec, body: bytes | None
    ) -> None:
        """Store what the provider now has, link it, and remember what is agreed: all or nothing."""
        store, entity = self.store, operation.entity
        record = side.parse(entity, body) if body else None
        target_id = record.id if record else operation.target_id
        assert target_id is not None
        with store.transaction():
            if record and body:
                row = Incoming(record, body, store.next_seq(), side.mapping_version)
                store.records.put(entity, [row], run=self.run)
            else:
                store.records.delete(
                    entity, side.name, [target_id], seq=store.next_seq(), run=self.run
                )
            link = self._linked(operation, target_id)
            if record and not flow.profile.document:
                self._agree(link, operation, side, flow, record)
            flows = list(self.flows.values())
            mark(store, flows, side.name, entity, [target_id])
            mark(store, flows, operation.source, entity, [operation.source_id])
            store.outbox.confirm(operation.id, target_id)
            store.audit.append(
                "tieout",
                operation.action,
                f"{side.name} {entity} {target_id}",
                {
                    "operation": operation.id,
                    "plan": operation.plan,
                    "key": operation.key,
                    "before": operation.before,
                    "after": operation.write,
                },
            )
        self.applied.confirmed += 1

    def _linked(self, operation: Operation, target_id: str) -> str:
        links, entity = self.store.links, operation.entity
        known = links.of(entity, operation.source, operation.source_id)
        if known is None:
            members = {operation.source: operation.source_id, operation.target: target_id}
            return links.make(entity, members, f"created by tieout ({operation.id})")
        if links.of(entity, operation.target, target_id) is None:
            links.add(entity, known, operation.target, target_id, "created by tieout")
        return known

    def _agree(
        self, link: str, operation: Operation, side: Side, flow: FlowSpec, record: Record
    ) -> None:
        """Base takes the fields that are now equal on both sides, and no others."""
        source = self.store.records.get(operation.entity, operation.source, operation.source_id)
        if source is None:
            return
        ours = comparable(source, flow.fields, self.sides[source.system].timezone)
        ours = translated(
            ours,
            lambda entity, id: self.store.links.other(
                entity, operation.source, id, operation.target
            ),
            frozenset(),
        )
        theirs = comparable(record, flow.fields, side.timezone)
        equal = {name: value for name, value in theirs.items() if ours.get(name) == value}
        base = self.store.base.get(link, side.name) or {}
        self.store.base.put(link, side.name, {**base, **equal})

    def _reject(self, operation: Operation, reason: str) -> None:
        self.applied.rejected += 1
        self._problem(operation, reason)
        self.store.outbox.reject(operation.id, reason)

    def _close(self, operation: Operation, reason: str) -> None:
        """No more calls to this target in this run: each would end the same way."""
        self.closed.add(operation.target)
        self.applied.waiting += 1
        self._problem(operation, reason)
        self.store.outbox.note(operation.id, reason)

    def _problem(self, operation: Operation, reason: str) -> None:
        self.applied.problems.append(
            f"{operation.target} {operation.entity} (from {operation.source} "
            f"{operation.source_id}): {reason}"
        )


def _sentence(error: InvalidRecord) -> str:
    parts = [error.message, error.hint if not isinstance(error, NotFound) else ""]
    return "; ".join(part for part in parts if part)
