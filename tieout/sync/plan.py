"""Decisions, made for what changed and stored, so that a person sees them before they happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.connectors.base import Can
from tieout.core.entities import ENTITIES, Record
from tieout.core.errors import InvalidRecord
from tieout.core.ports import Ports
from tieout.store import Item, Mark, Store

from .decide import UNLINKED, Action, Decision, Policy, decide
from .flows import FlowSpec
from .golden import Translate, comparable, merged, normal, stored_fields, translated, typed_fields
from .guard import Reach
from .link import link_record
from .side import Side

BATCH = 500
WRITES = {Action.CREATE, Action.UPDATE, Action.ARCHIVE}
SHOWN = WRITES | {Action.CONFLICT, Action.WAIT}


@dataclass
class Planned:
    """A stored plan in numbers. `money` adds up what would be created, in minor units."""

    id: str
    looked_at: int = 0
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)  # target, entity, action
    money: dict[tuple[str, str, str], int] = field(default_factory=dict)  # target, entity, currency
    reaches: list[Reach] = field(default_factory=list)

    def of(self, *actions: Action) -> int:
        """How many decisions of these kinds."""
        names = {action.value for action in actions}
        return sum(count for (_, _, action), count in self.counts.items() if action in names)

    @property
    def writes(self) -> int:
        return self.of(*WRITES)

    @property
    def conflicts(self) -> int:
        return self.of(Action.CONFLICT)


def make_plan(
    store: Store,
    sides: Mapping[str, Side],
    flows: Sequence[FlowSpec],
    ports: Ports,
    *,
    run: str,
    on_batch: Callable[[int], None] = lambda done: None,
) -> Planned:
    """Decide about everything that is marked, in the order in which entities depend on another.

    Costs what changed, not what there is. Decisions that need nothing clear their marks; what
    waits, clashes or is to be written stays marked until it has come to rest.
    """
    planned = Planned(id=ports.new_id()[:12])
    with store.transaction():
        _remark_where_rules_changed(store, flows)
        store.plans.start(planned.id, run)
    planner = _Planner(store, sides, flows, planned)
    for flow in flows:
        if not {flow.left, flow.right} <= set(sides):
            continue
        after = ""
        while marks := store.marks.take(flow.name, limit=BATCH, after=after):
            with store.transaction():
                planner.batch(flow, marks)
            after = marks[-1].place
            on_batch(planned.looked_at)
    planned.reaches = _reaches(store, planned)
    with store.transaction():
        store.plans.finish(planned.id, _summary(planned))
    return planned


def _remark_where_rules_changed(store: Store, flows: Sequence[FlowSpec]) -> None:
    for flow in flows:
        name = f"flow:{flow.name}"
        if store.meta.get(name) != flow.fingerprint():
            for system in (flow.left, flow.right):
                store.marks.add_all(flow.name, flow.entity, system)
            store.meta.set(name, flow.fingerprint())


def _summary(planned: Planned) -> dict[str, Any]:
    return {
        "looked_at": planned.looked_at,
        "counts": [[*key, count] for key, count in sorted(planned.counts.items())],
        "money": [[*key, minor] for key, minor in sorted(planned.money.items())],
    }


def _reaches(store: Store, planned: Planned) -> list[Reach]:
    found = []
    for target, entity in sorted({key[:2] for key in planned.counts}):
        count = {a: planned.counts.get((target, entity, a.value), 0) for a in WRITES}
        found.append(
            Reach(
                target,
                entity,
                linked=store.links.count(entity, target),
                creates=count[Action.CREATE],
                updates=count[Action.UPDATE],
                archives=count[Action.ARCHIVE],
            )
        )
    return found


class _Planner:
    """Decides pair by pair; remembers what this plan already creates."""

    def __init__(
        self,
        store: Store,
        sides: Mapping[str, Side],
        flows: Sequence[FlowSpec],
        planned: Planned,
    ) -> None:
        self.store, self.sides, self.flows, self.planned = store, sides, flows, planned
        self.creating: set[tuple[str, str, str, str]] = set()  # entity, source, id, target
        self.seen: set[tuple[str, str, str]] = set()  # flow, system, id
        self.restless: set[tuple[str, str, str]] = set()  # of these, what is not settled yet

    def batch(self, flow: FlowSpec, marks: Sequence[Mark]) -> None:
        settled: list[Mark] = []
        items: list[Item] = []
        for mark in marks:
            place = (flow.name, mark.system, mark.id)
            if place in self.seen:
                settled += [] if place in self.restless else [mark]
                continue
            found = self._look_at(flow, mark.system, mark.id)
            self.planned.looked_at += 1
            items += found
            if not found:
                settled.append(mark)
        self.store.plans.add(self.planned.id, items)
        self.store.marks.done(flow.name, settled)

    def _look_at(self, flow: FlowSpec, system: str, id: str) -> list[Item]:
        """What is to be done about this record, in either of the flow's systems."""
        link = link_record(self.store, flow, system, id)
        members = self.store.links.members(flow.entity, link) if link else {system: [id]}
        ids = {side: (members.get(side) or [None])[0] for side in (flow.left, flow.right)}
        for side, each in ids.items():
            if each:
                self.seen.add((flow.name, side, each))
        left = self._record(flow, flow.left, ids[flow.left])
        right = self._record(flow, flow.right, ids[flow.right])
        if ids[flow.left] is None:
            return []  # known to the right side only: reconciliation shows it as extra
        if not flow.writes:
            return []
        items = [self._toward(flow, link, flow.right, left, right, ids)]
        if right is not None and flow.sends(flow.left) and not flow.profile.document:
            items.append(self._toward(flow, link, flow.left, right, left, ids))
        found = [each for each in items if each]
        if found:
            self.restless |= {(flow.name, s, i) for s, i in ids.items() if i}
        return found

    def _record(self, flow: FlowSpec, system: str, id: str | None) -> Record | None:
        return self.store.records.get(flow.entity, system, id) if id else None

    def _toward(
        self,
        flow: FlowSpec,
        link: str | None,
        target: str,
        source: Record | None,
        actual: Record | None,
        ids: Mapping[str, str | None],
    ) -> Item | None:
        """The decision about one side of the pair, stored if it says more than "skip"."""
        side = self.sides[target]
        zone = side.timezone
        sends = flow.sends(target) & side.mapper.writable(flow.entity, creating=False)
        policy = Policy(
            sends=flow.sends(target) if flow.profile.document else sends,
            flag_clashes=flow.flags,
            document=flow.profile.document,
            creates=target == flow.right and side.can(flow.entity, Can.CREATE),
        )
        there = actual if actual is not None and not actual.deleted else None
        here = source if source is not None and not source.deleted else None
        base = self.store.base.get(link, target) if link else None
        if there is None:
            golden, reason = self._to_create(flow, target, here, source)
            if reason and base is None:
                return None
        else:
            golden = self._golden(flow, target, here, there)
        actual_fields = comparable(there, flow.fields, zone) if there else None
        decision = decide(golden, base, actual_fields, policy)
        if decision.action in (Action.UPDATE, Action.CONFLICT) and golden and actual_fields:
            golden = self._projected(side, flow, golden, actual_fields)
            decision = decide(golden, base, actual_fields, policy)
        if link and decision.agreed and not flow.profile.document:
            self.store.base.put(link, target, {**(base or {}), **decision.agreed})
        if decision.action not in SHOWN:
            return None
        return self._item(flow, link, target, decision, source, actual, ids)

    def _to_create(
        self, flow: FlowSpec, target: str, here: Record | None, source: Record | None
    ) -> tuple[dict[str, Any] | None, str]:
        """All that the target can be given of a new record, or why it is not created."""
        if here is None or source is None:
            return None, "gone"
        reason = flow.may_create(here, self.sides[here.system].timezone)
        if reason:
            return None, reason
        writable = self.sides[target].mapper.writable(flow.entity, creating=True)
        fields = {name: value for name, value in stored_fields(here).items() if name in writable}
        return self._translated(flow, here.system, target, fields), ""

    def _golden(
        self, flow: FlowSpec, target: str, here: Record | None, there: Record
    ) -> dict[str, Any] | None:
        if here is None:
            return None
        other = here.system
        sides = {
            other: comparable(here, flow.fields, self.sides[other].timezone),
            target: comparable(there, flow.fields, self.sides[target].timezone),
        }
        owners = {name: flow.owners(name) for name in flow.fields}
        chosen = merged(owners, flow.left, sides)
        ours = {name: value for name, (holder, value) in chosen.items() if holder == target}
        theirs = {name: value for name, (holder, value) in chosen.items() if holder != target}
        return ours | self._translated(flow, other, target, theirs)

    def _translated(
        self, flow: FlowSpec, source: str, target: str, fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        required = frozenset(
            each.entity
            for each in self.flows
            if each.writes and {each.left, each.right} == {source, target}
        )
        return translated(fields, self._translate(source, target), required)

    def _translate(self, source: str, target: str) -> Translate:
        def translate(entity: str, id: str) -> str | None:
            if (entity, source, id, target) in self.creating:
                return f"new:{id}"
            return self.store.links.other(entity, source, id, target)

        return translate

    def _projected(
        self, side: Side, flow: FlowSpec, golden: dict[str, Any], actual: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The golden values as the target would give them back, so that its own habits
        (truncation, upper case) do not look like changes."""
        differing = {
            name: value
            for name, value in golden.items()
            if value != actual.get(name)
            and value is not UNLINKED
            and name in ENTITIES[flow.entity].__struct_fields__
        }
        try:
            back = side.mapper.project(flow.entity, typed_fields(flow.entity, differing))
        except InvalidRecord:
            return golden
        return golden | {
            name: actual.get(name)
            for name, value in back.items()
            if name in differing and _same(name, value, actual.get(name))
        }

    def _item(
        self,
        flow: FlowSpec,
        link: str | None,
        target: str,
        decision: Decision,
        source: Record | None,
        actual: Record | None,
        ids: Mapping[str, str | None],
    ) -> Item:
        source_system = flow.other(target)
        write = self._to_write(decision, source)
        before = {
            name: value
            for name, value in (stored_fields(actual) if actual else {}).items()
            if name in write
        }
        amount_name = flow.profile.amount
        currency = getattr(source, "currency", None)
        amount = getattr(source, amount_name) if source and amount_name else None
        self._count(flow, target, decision.action, currency, amount)
        source_id = ids[source_system]
        assert source_id is not None
        if decision.action is Action.CREATE:
            self.creating.add((flow.entity, source_system, source_id, target))
        return Item(
            flow=flow.name,
            entity=flow.entity,
            action=decision.action.value,
            source=source_system,
            source_id=source_id,
            target=target,
            target_id=ids[target],
            link=link,
            reason=decision.reason,
            write=write,
            before=before,
            contested={name: list(pair) for name, pair in decision.contested.items()},
            currency=currency,
            amount_minor=amount,
            source_seen=self._version(flow.entity, source),
            target_seen=self._version(flow.entity, actual),
        )

    def _to_write(self, decision: Decision, source: Record | None) -> dict[str, Any]:
        """The values to send, as the source holds them: references in the source's ids."""
        if source is None or not decision.write:
            return {}
        held = stored_fields(source)
        return {name: held[name] for name in decision.write if name in held}

    def _version(self, entity: str, record: Record | None) -> str | None:
        if record is None:
            return None
        return self.store.records.hash(entity, record.system, record.id)

    def _count(
        self, flow: FlowSpec, target: str, action: Action, currency: str | None, amount: int | None
    ) -> None:
        key = (target, flow.entity, action.value)
        self.planned.counts[key] = self.planned.counts.get(key, 0) + 1
        if action is Action.CREATE and currency and amount is not None:
            money = (target, flow.entity, currency)
            self.planned.money[money] = self.planned.money.get(money, 0) + amount


def _same(name: str, typed: Any, actual: Any) -> bool:
    return bool(normal(name, typed) == actual)
