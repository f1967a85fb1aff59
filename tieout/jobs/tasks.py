"""What can be run: check, pull, plan, apply, sync, reconcile, report. Functions of (hub, key)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from tieout.core.errors import ConfigError, TieoutError, TryLater
from tieout.core.priority import Priority, priority
from tieout.hub import Hub, Kept
from tieout.sync import guard
from tieout.sync.apply import Applied, OnOperation, apply, enqueue
from tieout.sync.decide import Action
from tieout.sync.plan import Outline, make_healing_plan, make_plan, outline_of
from tieout.sync.pull import OnPage, Pulled, mark, pull
from tieout.sync.remap import remap as map_again


@dataclass
class Synced:
    """One sync in numbers. `attention` counts what needs a person."""

    pulled: list[Pulled] = field(default_factory=list)
    outline: Outline | None = None
    applied: Applied | None = None
    failures: list[TieoutError] = field(default_factory=list)

    @property
    def attention(self) -> int:
        clashes = self.outline.conflicts if self.outline else 0
        refused = self.applied.rejected + self.applied.unknown if self.applied else 0
        return clashes + refused + sum(each.quarantined for each in self.pulled)


@dataclass
class Running:
    """A job under way: its run id, and the counts that the run will show."""

    id: str
    counts: dict[str, Any] = field(default_factory=dict)


@contextmanager
def run_of(hub: Hub, job: str, details: dict[str, Any] | None = None) -> Iterator[Running]:
    """Record that a job ran and how it ended; the error goes on."""
    hub.store.own()
    hub.store.runs.bury()
    running = Running(hub.store.runs.start(job, details or {}))
    try:
        yield running
    except BaseException as error:
        running.counts["error"] = getattr(error, "message", type(error).__name__)
        hub.store.runs.finish(running.id, "failed", running.counts)
        raise
    hub.store.runs.finish(running.id, "done", running.counts)


def pull_systems(
    hub: Hub,
    systems: Iterable[str] = (),
    *,
    entity: str | None = None,
    full: bool = False,
    since: datetime | None = None,
    accept_large: bool = False,
    on_page: OnPage = lambda pulled: None,
) -> tuple[list[Pulled], list[TieoutError]]:
    """Pull what the flows need. A provider that is down doesn't keep the others from being read."""
    names = list(systems) or list(hub.config.systems)
    for name in names:
        hub.system(name)
    done: list[Pulled] = []
    failures: list[TieoutError] = []
    with run_of(hub, "pull", {"systems": names}) as run:
        for name in names:
            try:
                _remap_if_changed(hub, name, run.id)
                for each in _wanted(hub, name, entity):
                    with priority(_urgency(hub, name, each, full=full, since=since)):
                        done.append(
                            pull(
                                hub.store,
                                hub.side(name),
                                each,
                                hub.flows,
                                hub.ports,
                                run=run.id,
                                full=full,
                                since=since,
                                max_deletions=hub.config.guard.max_deletions,
                                accept_large=accept_large,
                                on_page=on_page,
                            )
                        )
            except (ConfigError, TryLater) as error:
                failures.append(error)
        run.counts = {
            "pulled": [asdict(each) for each in done],
            "failures": [error.message for error in failures],
        }
    return done, failures


def _urgency(hub: Hub, system: str, entity: str, *, full: bool, since: datetime | None) -> Priority:
    """Reading everything gives way to whatever else calls the same provider."""
    cursor = hub.store.cursors.get(system, entity)
    if full or not hub.reads_changes(system, entity):
        return Priority.BACKFILL
    before = cursor and (cursor.window_since if cursor.open else cursor.since)
    return Priority.INCREMENTAL if since or before else Priority.BACKFILL


def _wanted(hub: Hub, system: str, entity: str | None) -> list[str]:
    if entity is None:
        return hub.entities(system)
    if entity not in hub.side(system).connector.can:
        raise ConfigError(
            f"{system} ({hub.system(system).base.type}) has no {entity} records",
            where=hub.system(system).where,
            hint="see `tieout connectors list`",
        )
    return [entity]


def _remap_if_changed(hub: Hub, system: str, run: str) -> None:
    """A mended mapping is applied to what we hold before anything new is read."""
    side, name = hub.side(system), f"mapping:{system}"
    known = hub.store.meta.get(name)
    if known == side.mapping_version:
        return
    if known is not None:
        for entity in hub.entities(system):
            map_again(hub.store, side, entity, hub.flows, run=run)
    hub.store.meta.set(name, side.mapping_version)


def remap(hub: Hub, systems: Iterable[str] = ()) -> list[Pulled]:
    """Map kept bytes again where another version of the mapping made the records."""
    names = list(systems) or list(hub.config.systems)
    done = []
    with run_of(hub, "remap", {"systems": names}) as run:
        for name in names:
            side = hub.side(name)
            for entity in hub.entities(name):
                done.append(map_again(hub.store, side, entity, hub.flows, run=run.id))
            hub.store.meta.set(f"mapping:{name}", side.mapping_version)
        run.counts = {"mapped": [asdict(each) for each in done]}
    return done


def plan(hub: Hub, *, on_batch: Callable[[int], None] = lambda done: None) -> Outline:
    """Decide about everything that changed; nothing is written to any provider."""
    with run_of(hub, "plan") as run:
        outline = make_plan(
            hub.store, hub.sides(), hub.flows, hub.ports, run=run.id, on_batch=on_batch
        )
        run.counts = {
            "plan": outline.id,
            "looked_at": outline.looked_at,
            "writes": outline.writes,
            "conflicts": outline.conflicts,
            "waiting": outline.of(Action.WAIT),
        }
    return outline


def heal(hub: Hub, broken: Kept) -> Outline:
    """A plan that mends one break; ConfigError where writing cannot mend it."""
    known = {flow.name for flow in hub.flows}
    if broken.flow not in known or broken.kind not in ("missing", "differs") or not broken.left_id:
        raise ConfigError(
            f"a break of kind {broken.kind} cannot be mended by writing",
            hint="correct it in the provider: void, credit or delete what is too much",
        )
    with run_of(hub, "heal", {"break": broken.fingerprint}) as run:
        place = (broken.flow, broken.left_system, broken.left_id)
        outline = make_healing_plan(
            hub.store, hub.sides(), hub.flows, hub.ports, [place], run=run.id
        )
        run.counts = {"plan": outline.id, "writes": outline.writes}
    if not outline.counts:
        raise ConfigError(
            "an issued document is never edited",
            where=f"{broken.entity} {broken.left_id} / {broken.right_id}",
            hint="correct it with a credit note or a void in the system that is wrong",
        )
    return outline


def link_by_hand(hub: Hub, entity: str, members: Sequence[tuple[str, str]], reason: str) -> str:
    """A person says that these records are the same thing; the link. Conflict if one has another.

    The flows look at them again.
    """
    store = hub.store
    with store.transaction():
        for system, id in members:
            if store.records.get(entity, system, id) is None:
                raise ConfigError(f"{system} has no {entity} {id} in the store", hint="tieout pull")
        known = [link for s, i in members if (link := store.links.of(entity, s, i))]
        link = known[0] if known else store.links.make(entity, members, reason)
        for system, id in members if known else ():
            other = store.links.of(entity, system, id)
            if other is None:
                store.links.add(entity, link, system, id, reason)
            elif other != link:
                store.links.merge(entity, link, other, reason)
        for system, id in members:
            mark(store, hub.flows, system, entity, [id])
        details = {"link": link, "reason": reason}
        store.audit.append("person", "merge", f"{entity} {members}", details)
    return link


def apply_plan(
    hub: Hub,
    plan_id: str | None = None,
    *,
    accept_large: bool = False,
    on_operation: OnOperation = lambda operation, applied: None,
) -> Applied:
    """Carry out a stored plan (the open one if none is named) and what earlier runs left open."""
    found = hub.store.plans.get(plan_id) if plan_id else hub.store.plans.latest("open")
    if found is not None and found.state == "superseded":
        raise ConfigError(
            f"plan {found.id} was made before the latest one",
            hint="tieout plan makes a new one; then tieout apply",
        )
    with run_of(hub, "apply", {"plan": found.id if found else None}) as run:
        if found is not None and found.state == "open":
            outline = outline_of(hub.store, found.id)
            told = hub.config.guard
            limits = guard.Limits(told.max_writes, told.max_update_percent, told.max_archives)
            guard.check(outline.reaches, limits, plan=found.id, accepted=accept_large)
            enqueue(hub.store, found.id, run=run.id)
        with priority(Priority.PUSH):
            applied = apply(
                hub.store, hub.sides(), hub.flows, run=run.id, on_operation=on_operation
            )
        run.counts = asdict(applied)
    return applied


def sync(
    hub: Hub,
    systems: Iterable[str] = (),
    *,
    entity: str | None = None,
    full: bool = False,
    since: datetime | None = None,
    accept_large: bool = False,
    on_page: OnPage = lambda pulled: None,
    on_batch: Callable[[int], None] = lambda done: None,
    on_operation: OnOperation = lambda operation, applied: None,
) -> Synced:
    """Pull, plan, apply: the same three steps that a person can take one by one."""
    synced = Synced()
    synced.pulled, synced.failures = pull_systems(
        hub,
        systems,
        entity=entity,
        full=full,
        since=since,
        accept_large=accept_large,
        on_page=on_page,
    )
    if synced.failures:
        return synced  # a plan on half-read systems would create what is only unread
    synced.outline = plan(hub, on_batch=on_batch)
    synced.applied = apply_plan(
        hub, synced.outline.id, accept_large=accept_large, on_operation=on_operation
    )
    return synced
