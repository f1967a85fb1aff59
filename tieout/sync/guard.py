"""Refuses a plan that changes far too much. Pure: counts in, objections out."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.core.errors import StopRun


@dataclass(frozen=True)
class Reach:
    """What a plan would do to one target's records of one entity."""

    target: str
    entity: str
    linked: int
    creates: int = 0
    updates: int = 0
    archives: int = 0

    @property
    def writes(self) -> int:
        return self.creates + self.updates + self.archives


@dataclass(frozen=True)
class Limits:
    max_writes: int
    max_update_percent: int
    max_archives: int


# Below this many updates a percentage says nothing: 1 of 3 records is 33 %.
FEW_UPDATES = 10


def objections(reaches: list[Reach], limits: Limits) -> list[str]:
    """Each reason, in words, why a person should look before this plan is applied."""
    found = []
    writes = sum(reach.writes for reach in reaches)
    if writes > limits.max_writes:
        found.append(f"{writes} writes, more than guard.max_writes: {limits.max_writes}")
    archives = sum(reach.archives for reach in reaches)
    if archives > limits.max_archives:
        found.append(f"{archives} archivals, more than guard.max_archives: {limits.max_archives}")
    for reach in reaches:
        if reach.updates <= FEW_UPDATES:
            continue
        percent = 100 * reach.updates // max(reach.linked, 1)
        if percent > limits.max_update_percent:
            found.append(
                f"{reach.updates} of {reach.linked} linked {reach.entity} records in "
                f"{reach.target} would be updated ({percent} %), more than "
                f"guard.max_update_percent: {limits.max_update_percent}"
            )
    return found


def check(reaches: list[Reach], limits: Limits, *, plan: str, accepted: bool) -> None:
    """StopRun with every objection, unless a person has accepted this plan."""
    found = objections(reaches, limits)
    if found and not accepted:
        raise StopRun(
            "the plan changes more than the guard allows: " + "; ".join(found),
            where=f"plan {plan}",
            hint=f"look at it (tieout plan), then tieout apply {plan} --accept-large",
        )
