"""Questions that a person asks of an installation; answered from the store alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tieout.core.forecast import Standing, standing
from tieout.core.money import show as money
from tieout.hub import Hub, Kept
from tieout.sync.items import Item

SHOWN_ASIDE = 20
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
            proof = store.certificates.latest(system, entity)
            entities.append(
                {
                    "system": system,
                    "entity": entity,
                    "records": store.records.count(entity, system),
                    "quarantined": store.quarantine.count(entity, system),
                    "pulled_at": _time(cursor.since) if cursor else None,
                    "unfinished": bool(cursor and cursor.open),
                    "complete": proof.verdict if proof else "unproven",
                    "complete_because": proof.told if proof else "never read to the end",
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
        + sum(each["complete"] == "contradicted" for each in entities)
    )
    return {
        "entities": entities,
        "operations": operations,
        "breaks": breaks,
        "candidates": candidates,
        "budgets": budgets(hub),
        "set_aside": [
            {"system": e.system, "entity": e.entity, "id": e.id, "reason": e.reason}
            for e in store.quarantine.list(limit=SHOWN_ASIDE)
        ],
        "attention": attention,
    }


def budgets(hub: Hub) -> list[dict[str, Any]]:
    """Each credential's calls: what is used by whom, how long it lasts, until when it is paused."""
    now = hub.ports.now()
    return [
        shown(standing(kept.credential, kept.state, kept.updated_at, now))
        for kept in hub.store.budgets.list()
    ]


def shown(found: Standing) -> dict[str, Any]:
    """A credential's standing as JSON has it; times in UTC."""
    pools = [
        asdict(pool)
        | {
            "used_percent": pool.used_percent,
            "by_us_percent": pool.percent(pool.by_us),
            "by_others_percent": pool.percent(pool.by_others),
            "reserved_percent": pool.percent(pool.limit - pool.usable),
            "resets_at": _time(pool.resets_at),
            "lasts_until": _time(pool.lasts_until),
            "resumes_at": _time(pool.resumes_at),
        }
        for pool in found.pools
    ]
    told = {"systems": list(found.systems), "paused_until": _time(found.paused_until)}
    return asdict(found) | told | {"pools": pools}


def _time(value: Any) -> str | None:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else None


def explain(hub: Hub, kept: Kept) -> list[str]:
    """A break in lines of text: what differs, the likely cause, and how both sides came there."""
    told = [
        f"{kept.kind}: {kept.entity} {kept.left_system} {kept.left_id or '-'} / "
        f"{kept.right_system} {kept.right_id or '-'}",
        f"  state {kept.state}, {kept.severity}, first seen {kept.first_seen[:10]}",
    ]
    if kept.currency and kept.stake_minor:
        told.append(f"  at stake {money(kept.stake_minor, kept.currency)}")
    if kept.cause:
        told.append(f"  likely cause: {kept.cause}")
    told += [f"  {each['name']}: {each['left']} / {each['right']}" for each in kept.fields]
    for system, id in ((kept.left_system, kept.left_id), (kept.right_system, kept.right_id)):
        told += _how_it_came(hub, kept.entity, system, id)
    return told


def _how_it_came(hub: Hub, entity: str, system: str, id: str | None) -> list[str]:
    if id is None:
        return [f"{system}: has no such record"]
    store = hub.store
    link = store.links.of(entity, system, id)
    told = [f"{system} {id}: " + (f"link {link}" if link else "not linked")]
    for version in store.records.history(entity, system, id):
        seen = _time(version.known_at)
        changed = _time(version.record.updated_at) or "unknown"
        told.append(f"  version {version.version}, learnt {seen}, changed there {changed}")
    operations = store.outbox.list(entity=entity, link=link) if link else []
    for operation in operations:
        told.append(f"  {operation.action} by tieout: {operation.state} (operation {operation.id})")
    return told
