"""What earlier writes of a record say about the next one."""

from __future__ import annotations

from tieout.store import Operation, Store

from .decide import Action
from .flows import FlowSpec
from .match import key_for

OUTDATED = "outdated: a side changed since the plan was made"


def held_up(
    store: Store,
    flow: FlowSpec,
    link: str | None,
    target: str,
    action: Action,
    source: str,
    source_id: str,
) -> tuple[Action, str] | None:
    """Why an earlier write of the same record keeps this one from being planned."""
    if action is Action.CREATE:
        key = key_for(flow.entity, source, source_id, target)
        earlier = store.outbox.by_key(key)
    else:
        earlier = store.outbox.latest(link, flow.entity, target) if link else None
    if earlier is None:
        return None
    return _verdict(store, earlier, flow, source, source_id, action)


def _verdict(
    store: Store, earlier: Operation, flow: FlowSpec, source: str, source_id: str, action: Action
) -> tuple[Action, str] | None:
    if earlier.state in ("pending", "sent", "unknown"):
        return Action.WAIT, f"an earlier write is {earlier.state} (operation {earlier.id})"
    if earlier.state == "confirmed":
        if action is not Action.CREATE:
            return None
        return Action.CONFLICT, f"was created as {earlier.record_id} and is gone there"
    now = store.records.version_of(flow.entity, source, source_id)
    unchanged = earlier.body.get("source_seen") == now and earlier.error != OUTDATED
    if unchanged:
        return (
            Action.CONFLICT,
            f"{earlier.state}: {earlier.error} (correct it, or tieout ops retry {earlier.id})",
        )
    return None
