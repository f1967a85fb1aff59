"""Maps kept bytes again after a mapping changed: no provider is called.

What was set aside gets its chance too, so a mended overlay empties the quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence

from tieout.core.errors import InvalidRecord
from tieout.store import Incoming, Store

from .flows import FlowSpec
from .pull import Pulled, mark, set_aside
from .side import Side

BATCH = 500


def remap(store: Store, side: Side, entity: str, flows: Sequence[FlowSpec], *, run: str) -> Pulled:
    """Map everything of one entity that another version of the mapping made."""
    done = Pulled(side.name, entity, full=True)
    after = ""
    while rows := store.records.outdated(
        entity, side.name, side.mapping_version, after=after, limit=BATCH
    ):
        after = rows[-1][0]
        _again(store, side, entity, flows, [(body, seq) for _, body, seq in rows], run, done)
    place = ("", "", "")
    while aside := store.quarantine.list(entity, side.name, after=place, limit=BATCH):
        last = aside[-1]
        place = (last.system, last.entity, last.id)
        old = [each for each in aside if each.mapping_version != side.mapping_version]
        bodies = [(each.raw, store.next_seq()) for each in old]
        _again(store, side, entity, flows, bodies, run, done)
    return done


def _again(
    store: Store,
    side: Side,
    entity: str,
    flows: Sequence[FlowSpec],
    bodies: Sequence[tuple[bytes, int]],
    run: str,
    done: Pulled,
) -> None:
    with store.transaction():
        rows = []
        for body, seq in bodies:
            try:
                record = side.parse(entity, body)
            except InvalidRecord as error:
                set_aside(store, side, entity, body, error, run, done)
                continue
            rows.append(Incoming(record, body, seq, side.mapping_version))
        changes = store.records.put(entity, rows, run=run)
        mark(store, flows, side.name, entity, [*changes.new, *changes.changed])
    done.seen += len(bodies)
    done.new += len(changes.new)
    done.changed += len(changes.changed)
