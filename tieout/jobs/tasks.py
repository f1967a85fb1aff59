"""What can be run: check, pull, plan, apply, sync, reconcile, report. Functions of (hub, key)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tieout.core.errors import ConfigError, StopRun, TieoutError, TryLater
from tieout.hub import Hub
from tieout.sync import guard
from tieout.sync.apply import Applied, OnOperation, apply, enqueue
from tieout.sync.decide import Action
from tieout.sync.plan import Planned, make_plan
from tieout.sync.pull import OnPage, Pulled, pull


@dataclass
class Synced:
    """One sync in numbers. `attention` counts what needs a person."""

    run: str
    pulled: list[Pulled] = field(default_factory=list)
    planned: Planned | None = None
    applied: Applied | None = None
    failures: list[TieoutError] = field(default_factory=list)

    @property
    def attention(self) -> int:
        clashes = self.planned.of(Action.CONFLICT) if self.planned else 0
        refused = self.applied.rejected + self.applied.unknown if self.applied else 0
        return clashes + refused + sum(each.quarantined for each in self.pulled)


class _Run:
    """A row in `runs` that always ends: done, failed or stopped."""

    def __init__(self, hub: Hub, job: str, detail: str) -> None:
        self.hub = hub
        self.id = hub.store.runs.start(job, detail)
        self.counts: dict[str, Any] = {}

    def finish(self, state: str) -> None:
        self.hub.store.runs.finish(self.id, state, self.counts)


@contextmanager
def run_of(hub: Hub, job: str, detail: str = "") -> Iterable[_Run]:  # type: ignore[misc]
    """Record that a job ran and how it ended; the error goes on."""
    run = _Run(hub, job, detail)
    try:
        yield run
    except BaseException as error:
        run.counts["error"] = getattr(error, "message", type(error).__name__)
        run.finish("failed")
        raise
    run.finish("done")


def pull_systems(
    hub: Hub,
    systems: Iterable[str] = (),
    *,
    entity: str | None = None,
    full: bool = False,
    since: datetime | None = None,
    on_page: OnPage = lambda pulled: None,
) -> tuple[list[Pulled], list[TieoutError]]:
    """Pull what the flows need. A provider that is down doesn't keep the others from being read."""
    names = list(systems) or list(hub.config.systems)
    done: list[Pulled] = []
    failures: list[TieoutError] = []
    with run_of(hub, "pull", " ".join(names)) as run:
        for name in names:
            try:
                for each in _wanted(hub, name, entity):
                    side = hub.side(name)
                    done.append(
                        pull(
                            hub.store,
                            side,
                            each,
                            hub.flows,
                            hub.ports,
                            run=run.id,
                            full=full,
                            since=since,
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


def _wanted(hub: Hub, system: str, entity: str | None) -> list[str]:
    known = hub.entities(system)
    if entity is None:
        return known
    if entity not in hub.side(system).connector.can:
        raise ConfigError(
            f"{system} ({hub.system(system).base.type}) has no {entity} records",
            where=hub.system(system).where,
            hint="see `tieout connectors list`",
        )
    return [entity]


def plan(hub: Hub, *, on_batch: Callable[[int], None] = lambda done: None) -> Planned:
    """Decide about everything that changed; nothing is written to any provider."""
    with run_of(hub, "plan") as run:
        planned = make_plan(
            hub.store, hub.sides(), hub.flows, hub.ports, run=run.id, on_batch=on_batch
        )
        run.counts = {
            "plan": planned.id,
            "looked_at": planned.looked_at,
            "writes": planned.writes,
            "conflicts": planned.of(Action.CONFLICT),
            "waiting": planned.of(Action.WAIT),
        }
    return planned


def apply_plan(
    hub: Hub,
    plan_id: str | None = None,
    *,
    accept_large: bool = False,
    on_operation: OnOperation = lambda operation, applied: None,
) -> Applied:
    """Carry out a stored plan (the latest if none is named) and what earlier runs left open."""
    found = hub.store.plans.get(plan_id) if plan_id else hub.store.plans.latest()
    if plan_id and found is None:
        raise ConfigError(f"there is no plan {plan_id!r}", hint="tieout plan makes one")
    with run_of(hub, "apply", found.id if found else "") as run:
        if found is not None:
            limits = guard.Limits(**hub.config.guard.model_dump())
            guard.check(
                [guard.Reach(**each) for each in found.reaches],
                limits,
                plan=found.id,
                accepted=accept_large,
            )
            enqueue(hub.store, found.id)
        applied = apply(hub.store, hub.sides(), hub.flows, run=run.id, on_operation=on_operation)
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
    synced = Synced(run="")
    synced.pulled, synced.failures = pull_systems(
        hub, systems, entity=entity, full=full, since=since, on_page=on_page
    )
    if synced.failures:
        return synced  # a plan on half-read systems would create what is only unread
    synced.planned = plan(hub, on_batch=on_batch)
    synced.applied = apply_plan(
        hub, synced.planned.id, accept_large=accept_large, on_operation=on_operation
    )
    return synced


__all__ = [
    "Path",
    "StopRun",
    "Synced",
    "apply_plan",
    "date",
    "plan",
    "pull_systems",
    "run_of",
    "sync",
]
