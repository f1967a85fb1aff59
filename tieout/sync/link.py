"""Finds, for records that nobody linked yet, what they are in the other system; keeps why.

In order: our own key on either side, ids the systems hold of each other, then the flow's match
rules. One candidate links; several, or a candidate that is taken, go to the review list.
"""

from __future__ import annotations

from collections.abc import Sequence

from tieout.core.entities import Record
from tieout.store import Store

from .flows import FlowSpec
from .match import Claim, claims_by_id, key_for, oldest_first


def link_record(store: Store, flow: FlowSpec, system: str, id: str) -> str | None:
    """The link of this record in this flow, made now if its partner can be told; else None."""
    entity, other = flow.entity, flow.other(system)
    known = store.links.of(entity, system, id)
    if known and store.links.members(entity, known).get(other):
        return known
    record = store.records.get(entity, system, id)
    if record is None or record.deleted:
        return known
    partners, reason = _partners(store, flow, record, other)
    free = [each for each in partners if _is_free(store, flow, each, system)]
    if not free:
        return known
    if reason.strong and system != flow.left and len(free) == 1:
        # Several of our side may hold the same id: seen from the left, the oldest of them wins.
        link_record(store, flow, free[0].system, free[0].id)
        return store.links.of(entity, system, id)
    if len(free) > 1 and not reason.strong:
        _review(store, flow, record, free, f"{len(free)} candidates by {reason.reason}")
        return known
    partner, *surplus = sorted(free, key=oldest_first)
    if not reason.strong and _rivals(store, flow, record, partner, reason.reason):
        _review(store, flow, record, free, f"several records share this {reason.reason}")
        return known
    for each in surplus:
        _review(store, flow, record, [each], f"surplus: {reason.reason} again")
    return _join(store, flow, known, record, partner, reason.reason)


def _join(
    store: Store, flow: FlowSpec, known: str | None, record: Record, partner: Record, reason: str
) -> str:
    theirs = store.links.of(flow.entity, partner.system, partner.id)
    if known and theirs:
        if not join_links(store, flow.entity, known, theirs, reason):
            _review(store, flow, record, [partner], f"{reason}: each is linked with others already")
        return known
    if known:
        store.links.add(flow.entity, known, partner.system, partner.id, reason)
        return known
    if theirs:
        store.links.add(flow.entity, theirs, record.system, record.id, reason)
        return theirs
    members = [(record.system, record.id), (partner.system, partner.id)]
    return store.links.make(flow.entity, members, reason)


def join_links(store: Store, entity: str, kept: str, other: str, reason: str) -> bool:
    """Make one link of two that name different systems' records of the same thing; False, and
    nothing done, where both have a record of one system: a person must tell which is meant."""
    if kept == other:
        return True
    here, there = (store.links.members(entity, link) for link in (kept, other))
    if here.keys() & there.keys():
        return False
    store.links.merge(entity, kept, other, reason)
    return True


def _is_free(store: Store, flow: FlowSpec, candidate: Record, system: str) -> bool:
    """Not yet linked to a record of `system`."""
    theirs = store.links.of(flow.entity, candidate.system, candidate.id)
    return not theirs or not store.links.members(flow.entity, theirs).get(system)


def _partners(
    store: Store, flow: FlowSpec, record: Record, other: str
) -> tuple[list[Record], Claim]:
    """Records of the other system that may be this one, by the first rule that finds any."""
    by_id = _by_ids(store, flow, record, other)
    if by_id:
        return by_id, Claim("ids held of each other", strong=True)
    for rule in flow.match:
        if rule == "external_id":
            continue
        value = getattr(record, rule, None)
        if not value:
            continue
        ids = store.records.find_by(flow.entity, other, rule, str(value))
        found = _alive(store, flow.entity, other, ids)
        if found:
            return found, Claim(rule, strong=False)
    return [], Claim("", strong=False)


def _by_ids(store: Store, flow: FlowSpec, record: Record, other: str) -> list[Record]:
    entity = flow.entity
    ids: list[str] = []
    for name in flow.names_of(other):  # this record names its partner
        if name in record.external_ids:
            ids.append(record.external_ids[name])
    for name in flow.names_of(record.system):  # a partner names this record
        ids += store.records.external(entity, other, name, record.id)
    key = key_for(entity, record.system, record.id, other)
    ids += store.records.external(entity, other, "tieout", key)
    found = _alive(store, entity, other, list(dict.fromkeys(ids)))
    return found or _holders_of_our_key(store, flow, record, other)


def _holders_of_our_key(store: Store, flow: FlowSpec, record: Record, other: str) -> list[Record]:
    """The record that ours was created from: the key that it carries names it."""
    key = record.external_ids.get("tieout")
    if not key:
        return []
    operation = store.outbox.by_key(key)
    ids = [str(operation.body["source_id"])] if operation else []
    return [
        each
        for each in _alive(store, flow.entity, other, ids)
        if claims_by_id(each, flow.entity, flow.names_of(other), record.id, record)
    ]


def _alive(store: Store, entity: str, system: str, ids: Sequence[str]) -> list[Record]:
    found = store.records.many(entity, system, ids)
    return [record for record in found.values() if not record.deleted]


def _rivals(store: Store, flow: FlowSpec, record: Record, partner: Record, rule: str) -> bool:
    """Whether another record of our own side has as good a claim to the partner."""
    value = getattr(partner, rule, None)
    ids = store.records.find_by(flow.entity, record.system, rule, str(value))
    rivals = _alive(store, flow.entity, record.system, [each for each in ids if each != record.id])
    return any(_is_free(store, flow, each, partner.system) for each in rivals)


def _review(
    store: Store, flow: FlowSpec, record: Record, candidates: list[Record], why: str
) -> None:
    for each in candidates:
        pair = {record.system: record.id, each.system: each.id}
        left, right = ((side, pair[side]) for side in (flow.left, flow.right))
        store.candidates.put(flow.entity, left, right, why)
