"""Decisions, made for what changed and stored, so that a person sees them before they happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.core.ports import Ports
from tieout.store import Mark, Planned, Store

from .decide import Action
from .flows import FlowSpec
from .guard import Reach
from .items import WRITES, Item
from .planner import Planner
from .side import Side

BATCH = 500


@dataclass
class Outline:
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

    def add(self, item: Item) -> None:
        """Count one decision."""
        key = (item.target, item.entity, item.action)
        self.counts[key] = self.counts.get(key, 0) + 1
        if item.action == "create" and item.currency and item.amount_minor is not None:
            money = (item.target, item.entity, item.currency)
            self.money[money] = self.money.get(money, 0) + item.amount_minor

    def document(self) -> dict[str, Any]:
        """As kept with the plan."""
        return {
            "looked_at": self.looked_at,
            "counts": [[*key, count] for key, count in sorted(self.counts.items())],
            "money": [[*key, minor] for key, minor in sorted(self.money.items())],
            "linked": [[each.target, each.entity, each.linked] for each in self.reaches],
        }


def outline_of(store: Store, plan_id: str) -> Outline:
    """The numbers of a stored plan; NotFound if there is none."""
    plan = store.plans.get(plan_id)
    told = plan.details
    outline = Outline(plan.id, looked_at=told.get("looked_at", 0))
    outline.counts = {(t, e, a): count for t, e, a, count in told.get("counts", ())}
    outline.money = {(t, e, c): minor for t, e, c, minor in told.get("money", ())}
    linked = {(target, entity): count for target, entity, count in told.get("linked", ())}
    outline.reaches = _reaches(outline, lambda target, entity: linked.get((target, entity), 0))
    return outline


def make_plan(
    store: Store,
    sides: Mapping[str, Side],
    flows: Sequence[FlowSpec],
    ports: Ports,
    *,
    run: str,
    on_batch: Callable[[int], None] = lambda done: None,
) -> Outline:
    """Decide about everything that is marked, in the order in which entities depend on another.

    Costs what changed, not what there is. Decisions that need nothing clear their marks; what
    waits, clashes or is to be written stays marked until it has come to rest.
    """
    outline = Outline(id=ports.new_id()[:12])
    with store.transaction():
        _mark_where_rules_changed(store, flows)
        planner = Planner(store, sides, flows)
        decisions = _decisions(store, sides, flows, planner, outline, on_batch)
        store.plans.save(outline.id, decisions, run=run)
        _describe(store, outline)
    return outline


def make_healing_plan(
    store: Store,
    sides: Mapping[str, Side],
    flows: Sequence[FlowSpec],
    ports: Ports,
    places: Sequence[tuple[str, str, str]],
    *,
    run: str,
) -> Outline:
    """A plan for just these records, `places` being (flow, system, id), that a person wants mended.

    The owner's values win, and documents older than `starts_on` are created too. What cannot be
    mended by writing (an issued document that differs) gives no decision.
    """
    outline = Outline(id=ports.new_id()[:12])
    by_name = {flow.name: flow for flow in flows}
    with store.transaction():
        planner = Planner(store, sides, flows, healing=True)
        items = [
            item
            for name, system, id in places
            for item in planner.look_at(by_name[name], system, id) or ()
        ]
        for item in items:
            outline.add(item)
        outline.looked_at = len(places)
        store.plans.save(outline.id, [item.planned() for item in items], run=run)
        _describe(store, outline)
    return outline


def _describe(store: Store, outline: Outline) -> None:
    """Keep the plan's totals with it: the guard and the command line read them there."""
    outline.reaches = _reaches(outline, lambda target, entity: store.links.count(entity, target))
    store.plans.describe(outline.id, outline.document())


def _decisions(
    store: Store,
    sides: Mapping[str, Side],
    flows: Sequence[FlowSpec],
    planner: Planner,
    outline: Outline,
    on_batch: Callable[[int], None],
) -> Iterator[Planned]:
    for flow in flows:
        if not {flow.left, flow.right} <= set(sides):
            continue
        after: Mark | None = None
        while marks := store.marks.take(flow.name, limit=BATCH, after=after):
            settled = []
            planner.look_ahead(flow, [(mark.system, mark.id) for mark in marks])
            for mark in marks:
                items = planner.look_at(flow, mark.system, mark.id)
                if items is None:
                    settled.append(mark)
                    continue
                for item in items:
                    outline.add(item)
                    yield item.planned()
            store.marks.done(settled)
            # The other halves of pairs at rest need no look of their own.
            rested = store.marks.settle(flow.name, flow.entity, planner.at_rest())
            outline.looked_at += len(marks) + rested
            after = marks[-1]
            on_batch(outline.looked_at)


def _mark_where_rules_changed(store: Store, flows: Sequence[FlowSpec]) -> None:
    """A flow that is new or has other rules looks at all its records once."""
    for flow in flows:
        name = f"flow:{flow.name}"
        if store.meta.get(name) == flow.fingerprint():
            continue
        for system in (flow.left, flow.right):
            after = ""
            while ids := store.records.ids(flow.entity, system, after=after, limit=BATCH):
                store.marks.add(flow.name, flow.entity, ids, system=system)
                after = ids[-1]
        store.meta.set(name, flow.fingerprint())


def _reaches(outline: Outline, linked: Callable[[str, str], int]) -> list[Reach]:
    found = []
    for target, entity in sorted({key[:2] for key in outline.counts}):
        create, update, archive = (
            outline.counts.get((target, entity, action.value), 0)
            for action in (Action.CREATE, Action.UPDATE, Action.ARCHIVE)
        )
        found.append(Reach(target, entity, linked(target, entity), create, update, archive))
    return found
