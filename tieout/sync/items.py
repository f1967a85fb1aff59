"""One decision as a plan keeps and shows it, and as the outbox carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tieout.store import Draft, Operation, Planned

from .decide import Action
from .match import key_for

WRITES = (Action.CREATE, Action.UPDATE, Action.ARCHIVE)
SHOWN = (*WRITES, Action.CONFLICT, Action.WAIT)


@dataclass(frozen=True)
class Item:
    """What is to be done to `target`, and from which record it comes.

    write      field -> value as the source holds it (references in the source's ids).
    before     the target's values of the same fields.
    contested  field -> [what should be, what is there].
    *_seen     version numbers of both records when this was decided.
    """

    flow: str
    entity: str
    action: str
    source: str
    source_id: str
    target: str
    target_id: str | None
    link: str | None
    reason: str
    write: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    contested: dict[str, Any] = field(default_factory=dict)
    currency: str | None = None
    amount_minor: int | None = None
    source_seen: int | None = None
    target_seen: int | None = None
    position: int = 0

    def planned(self) -> Planned:
        """As a row of the plan."""
        return Planned(
            flow=self.flow,
            entity=self.entity,
            target=self.target,
            action=self.action,
            reason=self.reason,
            link=self.link,
            record_id=self.target_id,
            body={name: getattr(self, name) for name in _BODY},
        )

    @classmethod
    def of(cls, planned: Planned) -> Item:
        """Back from a row of the plan."""
        return cls(
            flow=planned.flow,
            entity=planned.entity,
            action=planned.action,
            target=planned.target,
            target_id=planned.record_id,
            link=planned.link,
            reason=planned.reason,
            position=planned.position,
            **planned.body,
        )

    def key(self, plan: str) -> str:
        """The idempotency key: of a record's making for ever the same, else of this plan."""
        if self.action == Action.CREATE.value:
            return key_for(self.entity, self.source, self.source_id, self.target)
        return f"tieout-{plan}-{self.position}"

    def draft(self, plan: str, run: str) -> Draft:
        """As an operation to be carried out."""
        return Draft(
            key=self.key(plan),
            target=self.target,
            entity=self.entity,
            action=self.action,
            body={name: getattr(self, name) for name in _CARRIED},
            before=self.before,
            record_id=self.target_id,
            link=self.link,
            plan=plan,
            flow=self.flow,
            run=run,
        )


_CARRIED = ("source", "source_id", "write", "source_seen", "target_seen")
_BODY = (*_CARRIED, "before", "contested", "currency", "amount_minor")


@dataclass(frozen=True)
class Errand:
    """An operation of the outbox with its body spelt out."""

    operation: Operation
    source: str
    source_id: str
    write: dict[str, Any]
    source_seen: int | None
    target_seen: int | None

    @classmethod
    def of(cls, operation: Operation) -> Errand:
        return cls(operation, **operation.body)

    @property
    def entity(self) -> str:
        return self.operation.entity

    @property
    def target(self) -> str:
        return self.operation.target

    @property
    def target_id(self) -> str | None:
        return self.operation.record_id

    @property
    def action(self) -> str:
        return self.operation.action

    @property
    def key(self) -> str:
        return self.operation.key
