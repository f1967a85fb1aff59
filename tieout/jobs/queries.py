"""Questions that a person asks of an installation; answered from the store alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tieout.hub import Hub
from tieout.sync.items import Item

NEEDS_A_PERSON = ("rejected", "unknown")


def plan_items(hub: Hub, plan_id: str) -> Iterator[Item]:
    """The decisions of a plan, in order."""
    return (Item.of(each) for each in hub.store.plans.decisions(plan_id))


def status(hub: Hub) -> dict[str, Any]:
    """Freshness per system and entity, open writes, breaks, candidates; `attention`: a sum."""
    store = hub.store
    entities: list[dict[str, Any]] = []
    for system in hub.config.systems:
        for entity in hub.entities(system):
            cursor = store.cursors.get(system, entity)
            entities.append(
                {
                    "system": system,
                    "entity": entity,
                    "records": store.records.count(entity, system),
                    "quarantined": store.quarantine.count(entity, system),
                    "pulled_at": _time(cursor.since) if cursor else None,
                    "unfinished": bool(cursor and cursor.open),
                }
            )
    operations = store.outbox.counts()
    breaks = store.breaks.counts()
    candidates = store.candidates.count()
    attention = (
        sum(operations.get(state, 0) for state in NEEDS_A_PERSON)
        + breaks.get("open", 0)
        + candidates
        + sum(each["quarantined"] for each in entities)
    )
    return {
        "entities": entities,
        "operations": operations,
        "breaks": breaks,
        "candidates": candidates,
        "attention": attention,
    }


def _time(value: Any) -> str | None:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else None
