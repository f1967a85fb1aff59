"""What a batch of marked records needs of the store, read at once instead of record by record.

Only what cannot change while the batch is decided: pairs that are linked already, and links of
entities that the flow itself does not link. Everything else is asked of the store when it is
needed, so a glance never changes an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.core.entities import REFERENCES, Record
from tieout.store import Store

from .flows import FlowSpec
from .golden import NESTED_REFERENCES

Ids = dict[str, str | None]  # system -> id, for both systems of a flow


@dataclass
class Glance:
    """Linked pairs of one flow. Empty where nothing was read ahead.

    pairs     (system, id) -> its link and the ids of both halves.
    records   (system, id) -> the record, or None where the store has none.
    bases     (link, system) -> what was agreed, or None where they never met.
    others    (entity, system, id, target) -> the id there, or None where it is not linked.
    """

    pairs: dict[tuple[str, str], tuple[str, Ids]] = field(default_factory=dict)
    records: dict[tuple[str, str], Record | None] = field(default_factory=dict)
    bases: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)
    others: dict[tuple[str, str, str, str], str | None] = field(default_factory=dict)


def glance_at(store: Store, flow: FlowSpec, places: Sequence[tuple[str, str]]) -> Glance:
    """Read what the linked ones among `places`, (system, id) each, need to be decided about.

    A number of queries that hangs on the flow's fields only, not on how many places there are.
    """
    seen = Glance()
    _read_pairs(store, flow, places, seen)
    ids: dict[str, set[str]] = {flow.left: set(), flow.right: set()}
    for _, pair in seen.pairs.values():
        for system, id in pair.items():
            if id is not None:
                ids[system].add(id)
    for system, wanted in ids.items():
        found = store.records.many(flow.entity, system, wanted)
        seen.records.update(((system, id), found.get(id)) for id in wanted)
    links = {link for link, _ in seen.pairs.values()}
    for system in ids:
        agreed = store.base.many(links, system)
        seen.bases.update(((link, system), agreed.get(link)) for link in links)
    for system in ids:
        _read_others(store, flow, system, seen)
    return seen


def _read_pairs(
    store: Store, flow: FlowSpec, places: Sequence[tuple[str, str]], seen: Glance
) -> None:
    entity = flow.entity
    links: dict[tuple[str, str], str] = {}
    for system in (flow.left, flow.right):
        ids = [id for at, id in places if at == system]
        found = store.links.of_many(entity, system, ids)
        links.update(((system, id), link) for id, link in found.items())
    members = store.links.members_many(entity, set(links.values()))
    for place, link in links.items():
        there = members[link]
        if there.get(flow.left) and there.get(flow.right):
            seen.pairs[place] = (link, {each: there[each][0] for each in (flow.left, flow.right)})


def _read_others(store: Store, flow: FlowSpec, system: str, seen: Glance) -> None:
    """Whom the records of one side refer to, in the ids of the other side."""
    target = flow.other(system)
    wanted: dict[str, set[str]] = {}
    for (at, _), record in seen.records.items():
        if at == system and record is not None:
            for entity, id in _references(record, flow.fields):
                wanted.setdefault(entity, set()).add(id)
    for entity, ids in wanted.items():
        if entity == flow.entity:
            continue  # this very flow may link it between two looks
        found = store.links.translate(entity, system, ids, target)
        seen.others.update(((entity, system, id, target), found.get(id)) for id in ids)


def _references(record: Record, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(entity, id) of everything that the named fields of a record point to."""
    for name in names:
        value = getattr(record, name, None)
        if not value:
            continue
        if name in REFERENCES:
            yield REFERENCES[name], value
        elif name in NESTED_REFERENCES:
            for row in value:
                held = ((each, getattr(row, each)) for each in row.__struct_fields__)
                yield from ((REFERENCES[key], id) for key, id in held if key in REFERENCES and id)
