"""Reads the two sides of a pair, asks `decide`, and turns the answer into an item of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tieout.connectors.base import Can
from tieout.core.entities import ENTITIES, REFERENCES, Record
from tieout.core.errors import InvalidRecord, StopRun
from tieout.store import Store

from .decide import UNLINKED, Action, Decision, Policy, decide
from .earlier import held_up
from .flows import FlowSpec
from .glance import Glance, Ids, glance_at
from .golden import (
    Translate,
    as_first_made,
    comparable,
    merged,
    normal,
    stored_fields,
    translated,
    typed_fields,
)
from .items import SHOWN, WRITES, Item
from .link import link_record
from .shared import SETTLED, earlier, fellows, left_to_first, still_needed
from .side import Side

_SHARED = (Action.UPDATE, Action.CONFLICT, Action.ARCHIVE)  # what other flows may have a say in
Place = tuple[str, str, str]  # flow, system, id


class Planner:
    """Decides pair by pair; remembers what this plan already creates."""

    def __init__(
        self,
        store: Store,
        sides: Mapping[str, Side],
        flows: Sequence[FlowSpec],
        *,
        healing: bool = False,
    ) -> None:
        """`healing`: a person asked for these records, so neither `starts_on` nor a first meeting
        keeps the owner's values from being written."""
        self.store, self.sides, self.flows = store, sides, flows
        self.healing = healing
        self._creating: dict[tuple[str, str, str], set[str]] = {}  # entity, source, target: ids
        self._seen: dict[Place, bool] = {}  # of this batch; True: at rest, nothing to do
        self._restless: set[Place] = set()  # of this plan: the other half of what is to be done
        self._glance = Glance()

    def look_ahead(self, flow: FlowSpec, places: Sequence[tuple[str, str]]) -> None:
        """Begin a batch of (system, id) places: what came to rest before is forgotten."""
        self._seen.clear()
        self._glance = glance_at(self.store, flow, places)

    def at_rest(self) -> list[tuple[str, str]]:
        """(system, id) of what this batch has found to be at rest, both halves of each pair."""
        return [(system, id) for (_, system, id), rests in self._seen.items() if rests]

    def look_at(self, flow: FlowSpec, system: str, id: str) -> list[Item] | None:
        """What is to be done about a record, in either of the flow's systems; None: nothing.

        An empty list says that the other half of the pair has been looked at in this plan and
        is not at rest.
        """
        place = (flow.name, system, id)
        if place in self._restless:
            return []
        known = self._seen.get(place)
        if known is not None:
            return None if known else []
        link, ids = self._glance.pairs.get((system, id)) or self._linked(flow, system, id)
        items = self._pair(flow, link, ids)
        for side, each in ids.items():
            if each:
                self._seen[(flow.name, side, each)] = not items
                if items and (side, each) != (system, id):
                    self._restless.add((flow.name, side, each))
        self._seen[place] = not items
        return items or None

    def _linked(self, flow: FlowSpec, system: str, id: str) -> tuple[str | None, Ids]:
        link, members = self._met(flow, system, id)
        kindred = [
            each
            for each in self.flows
            if each is not flow and each.entity == flow.entity and system in (each.left, each.right)
        ]
        if kindred and not (members.get(flow.left) and members.get(flow.right)):
            # A third system may know both halves: only then is it sure that one is missing.
            for other in kindred:
                link_record(self.store, other, system, id)
            link, members = self._met(flow, system, id)
        return link, {
            side: members[side][0] if members.get(side) else None
            for side in (flow.left, flow.right)
        }

    def _met(self, flow: FlowSpec, system: str, id: str) -> tuple[str | None, dict[str, list[str]]]:
        link = link_record(self.store, flow, system, id)
        return link, self.store.links.members(flow.entity, link) if link else {system: [id]}

    def _pair(self, flow: FlowSpec, link: str | None, ids: Mapping[str, str | None]) -> list[Item]:
        if ids[flow.left] is None or not flow.writes:
            return []  # reconciliation shows what only the right side has
        left = self._record(flow, flow.left, ids[flow.left])
        right = self._record(flow, flow.right, ids[flow.right])
        found = [self._toward(flow, link, flow.right, left, right, ids)]
        if right is not None and flow.sends(flow.left) and not flow.profile.document:
            found.append(self._toward(flow, link, flow.left, right, left, ids))
        return [each for each in found if each]

    def _record(self, flow: FlowSpec, system: str, id: str | None) -> Record | None:
        if id is None:
            return None
        if (system, id) in self._glance.records:
            return self._glance.records[system, id]
        return self.store.records.get(flow.entity, system, id)

    def _base(self, link: str | None, target: str) -> dict[str, Any] | None:
        if link is None:
            return None
        if (link, target) in self._glance.bases:
            return self._glance.bases[link, target]
        return self.store.base.get(link, target)

    def _toward(
        self,
        flow: FlowSpec,
        link: str | None,
        target: str,
        source: Record | None,
        actual: Record | None,
        ids: Mapping[str, str | None],
    ) -> Item | None:
        """The decision about one side of the pair, if it says more than "skip"."""
        side = self.sides[target]
        here = source if source is not None and not source.deleted else None
        there = actual if actual is not None and not actual.deleted else None
        if here is None and there is not None and is_archived(there):
            return None  # or the same archival would be planned by every run
        base = self._base(link, target)
        if there is None:
            if base is None and (here is None or self._keeps_out(flow, here)):
                return None
            golden = self._to_create(flow, target, here)
        else:
            golden = self._golden(flow, target, here, there)
        policy = self._policy(flow, side)
        held = comparable(there, flow.fields, side.timezone) if there else None
        decision = decide(golden, base, held, policy)
        if golden and held and decision.action in (Action.UPDATE, Action.CONFLICT):
            golden = self._projected(side, flow, golden, held)
            decision = decide(golden, base, held, policy)
        if link and decision.action in _SHARED:
            decision = self._shared(flow, link, target, decision, (golden, base, held, policy))
        decision = _possible(decision, side, flow.entity)
        if link and decision.agreed and not flow.profile.document:
            self._remember(link, target, base, decision)
        if decision.action not in SHOWN:
            return None
        return self._item(flow, link, target, decision, source, actual, ids)

    def _shared(
        self,
        flow: FlowSpec,
        link: str,
        target: str,
        decision: Decision,
        asked: tuple[Any, Any, Any, Policy],
    ) -> Decision:
        """The decision where other flows bring the same record to the same system."""
        members = self.store.links.members(flow.entity, link)
        alive = {
            system
            for system, ids in members.items()
            for record in [self.store.records.get(flow.entity, system, ids[0])]
            if record is not None and not is_archived(record)
        }
        brought = fellows(flow, self.flows, target, alive)
        if decision.action is Action.ARCHIVE:
            once = brought or not earlier(
                flow, self.flows, fellows(flow, self.flows, target, members)
            )
            return still_needed(decision, brought, target) if once else SETTLED
        golden, base, held, policy = asked
        taken = left_to_first(flow, self.flows, brought, target)
        narrowed = replace(policy, sends=policy.sends - taken)
        return decide(golden, base, held, narrowed) if taken else decision

    def _keeps_out(self, flow: FlowSpec, record: Record) -> str:
        zone = self.sides[record.system].timezone
        return flow.may_create(record, zone, whenever=self.healing)

    def _policy(self, flow: FlowSpec, side: Side) -> Policy:
        sends = flow.sends(side.name)
        if not flow.profile.document:
            sends &= side.mapper.writable(flow.entity, creating=False)
        return Policy(
            sends=sends,
            flag_clashes=flow.flags,
            document=flow.profile.document,
            creates=side.name == flow.right and side.can(flow.entity, Can.CREATE),
            overwrites=self.healing,
        )

    def _remember(
        self, link: str, target: str, base: dict[str, Any] | None, decision: Decision
    ) -> None:
        agreed = {**(base or {}), **decision.agreed}
        if agreed != base:
            self.store.base.put(link, target, agreed)

    # what should be

    def _to_create(self, flow: FlowSpec, target: str, here: Record | None) -> dict[str, Any] | None:
        """All that the target can be given of a new record."""
        if here is None:
            return None
        writable = self.sides[target].mapper.writable(flow.entity, creating=True)
        fields = {
            name: value
            for name, value in as_first_made(here).items()
            if name in writable and value is not None
        }
        return self._translated(here.system, target, fields)

    def _from_others(
        self, flow: FlowSpec, link: str | None, target: str, write: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What other flows would add to a new record at once: the CRM brings a customer's name, the
        biller its e-mail address. References are left to their own flow."""
        members = self.store.links.members(flow.entity, link) if link else {}
        writable = self.sides[target].mapper.writable(flow.entity, creating=True)
        found: dict[str, Any] = {}
        for other in self.flows:
            same = (other.entity, other.right) == (flow.entity, target) and other.writes
            if not same or other.left == flow.left or not members.get(other.left):
                continue
            record = self.store.records.get(flow.entity, other.left, members[other.left][0])
            held = stored_fields(record) if record is not None and not record.deleted else {}
            for name in other.fields:
                known = name in write or name in found or name in REFERENCES
                if not known and name in writable and held.get(name) is not None:
                    found[name] = held[name]
        return found

    def _golden(
        self, flow: FlowSpec, target: str, here: Record | None, there: Record
    ) -> dict[str, Any] | None:
        if here is None:
            return None
        other = here.system
        held = {
            other: comparable(here, flow.fields, self.sides[other].timezone),
            target: comparable(there, flow.fields, self.sides[target].timezone),
        }
        owners = {name: flow.owners(name) for name in flow.fields}
        chosen = merged(owners, flow.left, held)
        ours = {name: value for name, (holder, value) in chosen.items() if holder == target}
        theirs = {name: value for name, (holder, value) in chosen.items() if holder != target}
        return ours | self._translated(other, target, theirs)

    def _translated(self, source: str, target: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return translated(fields, self._translate(source, target), moved(self.flows, target))

    def _translate(self, source: str, target: str) -> Translate:
        def translate(entity: str, id: str) -> str | None:
            if id in self._creating.get((entity, source, target), ()):
                return f"new:{id}"
            if (entity, source, id, target) in self._glance.others:
                there = self._glance.others[entity, source, id, target]
            else:
                there = self.store.links.other(entity, source, id, target)
            return there or self._being_made(entity, source, id, target)

        return translate

    def _being_made(self, entity: str, source: str, id: str, target: str) -> str | None:
        """The stand-in id of what this plan creates in the target from a third system's record of
        the same link: a CRM's account, say, while the biller's invoice refers to its customer."""
        if not any(at == target and kind == entity for kind, _, at in self._creating):
            return None
        link = self.store.links.of(entity, source, id)
        members = self.store.links.members(entity, link) if link else {}
        for system, ids in members.items():
            made = self._creating.get((entity, system, target), set())
            if found := next((each for each in ids if each in made), None):
                return f"new:{found}"
        return None

    def _projected(
        self, side: Side, flow: FlowSpec, golden: dict[str, Any], held: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The golden values as the target would give them back, so that its own habits
        (truncation, upper case) do not look like changes."""
        known = set(ENTITIES[flow.entity].__struct_fields__)
        writable = side.mapper.writable(flow.entity, creating=False)
        differing = {
            name: value
            for name, value in golden.items()
            if value != held.get(name) and value is not UNLINKED and name in known & writable
        }
        try:
            back = side.mapper.project(flow.entity, typed_fields(flow.entity, differing))
        except InvalidRecord:
            return golden
        alike = {
            name: held.get(name)
            for name, value in back.items()
            if name in differing and normal(name, value) == held.get(name)
        }
        return golden | alike

    # the answer

    def _item(
        self,
        flow: FlowSpec,
        link: str | None,
        target: str,
        decision: Decision,
        source: Record | None,
        actual: Record | None,
        ids: Mapping[str, str | None],
    ) -> Item | None:
        source_system = flow.other(target)
        source_id = ids[source_system]
        assert source_id is not None
        action, reason = decision.action, decision.reason
        if action in WRITES:
            if waits := held_up(self.store, flow, link, target, action, source_system, source_id):
                action, reason = waits
            elif action is Action.CREATE and self._being_made(
                flow.entity, source_system, source_id, target
            ):
                return None  # another flow brings it; this one adds what it owns afterwards
            elif action is Action.CREATE:
                self._refuse_one_account(flow, source, target)
                made = self._creating.setdefault((flow.entity, source_system, target), set())
                made.add(source_id)
        write = _as_held(decision, source)
        if action is Action.CREATE:
            write |= self._from_others(flow, link, target, write)
        before = stored_fields(actual) if actual else {}
        amount = flow.profile.amount
        return Item(
            flow=flow.name,
            entity=flow.entity,
            action=action.value,
            source=source_system,
            source_id=source_id,
            target=target,
            target_id=ids[target],
            link=link,
            reason=reason,
            write=write,
            before={name: before[name] for name in write if name in before},
            contested={name: list(pair) for name, pair in decision.contested.items()},
            currency=getattr(source, "currency", None),
            amount_minor=getattr(source, amount) if source and amount else None,
            source_seen=self._version(flow.entity, source),
            target_seen=self._version(flow.entity, actual),
        )

    def _refuse_one_account(self, flow: FlowSpec, source: Record | None, target: str) -> None:
        """Two systems that read one account would copy its records into it again and again."""
        if source is None or source.created_at is None or len({t for _, t in flow.types}) > 1:
            return
        twin = self.store.records.get(flow.entity, target, source.id)
        if twin is not None and twin.created_at == source.created_at:
            raise StopRun(
                f"{source.system} and {target} read the same account: both hold "
                f"{flow.entity} {source.id}",
                where=f"systems.{target}",
                hint="give each system its own key; nothing was planned or written",
            )

    def _version(self, entity: str, record: Record | None) -> int | None:
        if record is None:
            return None
        return self.store.records.version_of(entity, record.system, record.id)


def is_archived(record: Record) -> bool:
    """Deleted or inactive: nothing is left to be archived."""
    return (
        record.deleted
        or getattr(record, "status", "") == "archived"
        or getattr(record, "active", None) is False
    )


def _possible(decision: Decision, side: Side, entity: str) -> Decision:
    """What the target's connector is not able to do is for a person; it is not planned."""
    if decision.action is Action.ARCHIVE and not side.can(entity, Can.ARCHIVE):
        verb = "archive"
    elif decision.action is Action.UPDATE and not side.can(entity, Can.UPDATE):
        verb = "change"
    else:
        return decision
    reason = f"{decision.reason}, but tieout cannot {verb} a {entity} in {side.name}: do it there"
    return replace(decision, action=Action.CONFLICT, reason=reason, write={})


def _as_held(decision: Decision, source: Record | None) -> dict[str, Any]:
    """The values to send, as the source holds them: references in the source's ids."""
    if source is None or not decision.write:
        return {}
    creating = decision.action is Action.CREATE
    held = as_first_made(source) if creating else stored_fields(source)
    return {name: held[name] for name in decision.write if name in held}


def moved(flows: Sequence[FlowSpec], target: str) -> frozenset[str]:
    """The entities that some flow brings to a system, from wherever: a CRM may own the customers
    whose invoices come from a biller."""
    return frozenset(
        flow.entity for flow in flows if flow.writes and target in (flow.left, flow.right)
    )
