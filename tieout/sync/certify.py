"""The second look after a pull: asks the provider, holds it against the store, mends, testifies.

What the provider names and we lack is fetched on the spot. What we hold and the provider no longer
has is buried, but only after a proven window, each one asked for again where they are few, and
never more than `guard.max_deletions` at once without a person's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tieout.connectors.base import Can, Evidence, Method, Page, Window
from tieout.core.errors import StopRun, TieoutError
from tieout.core.priority import Priority, priority
from tieout.store import Store

from .proof import PROVEN, Look, Statement, weigh
from .side import Side

MAX_FETCHED = 500  # of one window; beyond it the pull itself is wrong, and a full one is due
MAX_ASKED = 200  # so many that seem gone are asked for once more, one by one
CHUNK = 500
# Stores one page of the window and says how many records it buried.
Keep = Callable[[Page], None]


@dataclass(frozen=True)
class Question:
    """The window that is to be proven.

    seq           the fetch number drawn when it was opened.
    max_deletions of records that are found to be gone; above it a person is asked.
    """

    side: Side
    entity: str
    window: Window
    seq: int
    max_deletions: int
    accept_large: bool = False

    @property
    def full(self) -> bool:
        return self.window.since is None


def certify(store: Store, question: Question, keep: Keep) -> Statement:
    """Prove the window as far as the provider allows, and bury what a proof shows to be gone.

    StopRun, and nothing buried, where too much would be. A provider that fails meanwhile leaves
    the window unproven; the pull itself is not undone.
    """
    if not question.side.can(question.entity, Can.PROVE):
        return weigh(())
    looks, failure = _looks(store, question, keep)
    statement = weigh(looks, failure=failure)
    gone = _gone(store, question, looks) if statement.is_proof else []
    if gone:
        statement = _bury(store, question, keep, gone, statement)
    store.certificates.list_anew(question.side.name, question.entity)
    return statement


def _looks(store: Store, question: Question, keep: Keep) -> tuple[list[Look], str]:
    found: dict[tuple[Method, str], Look] = {}
    store.certificates.list_anew(question.side.name, question.entity)
    try:
        with priority(Priority.RECONCILIATION):
            for evidence in question.side.connector.prove(question.entity, question.window):
                key = (evidence.method, evidence.note)
                found[key] = _add(found.get(key), _look(store, question, keep, evidence))
    except StopRun:
        raise
    except TieoutError as error:
        return list(found.values()), f"the second look failed: {error.message}"
    return list(found.values()), ""


def _add(before: Look | None, now: Look) -> Look:
    """Several portions of one look."""
    if before is None or now.method in (Method.COUNT, Method.OVERLAP):
        return now
    return Look(
        now.method,
        now.note,
        says=before.says + now.says,
        fetched=before.fetched + now.fetched,
        missing=before.missing + now.missing,
        whole=before.whole or now.whole,
    )


def _look(store: Store, question: Question, keep: Keep, evidence: Evidence) -> Look:
    system, entity, method = question.side.name, question.entity, evidence.method
    if method is Method.OVERLAP:
        return Look(method, evidence.note, seconds=evidence.seconds)
    if method is Method.COUNT:
        here = store.certificates.count(
            system,
            entity,
            bound=evidence.bound,
            seen_since=question.seq if question.full else 0,
        )
        return Look(method, evidence.note, says=evidence.count or 0, here=here)
    if method is Method.IDS:
        store.certificates.note_listed(system, entity, evidence.ids)
    lacking = store.certificates.unknown(system, entity, evidence.ids)
    fetched, missing = _fetch(question, keep, lacking)
    return Look(
        method,
        evidence.note,
        says=len(evidence.ids),
        fetched=fetched,
        missing=missing,
        whole=evidence.whole,
    )


def _fetch(question: Question, keep: Keep, ids: Sequence[str]) -> tuple[int, int]:
    """Read what we lack, now: (fetched, still missing). One that is gone by now lacks nothing."""
    if len(ids) > MAX_FETCHED or not question.side.can(question.entity, Can.GET):
        return 0, len(ids)
    bodies = [question.side.connector.get(question.entity, id) for id in ids]
    there = [body for body in bodies if body is not None]
    if there:
        keep(Page(there, ""))
    return len(there), 0


# -- what is gone there ----------------------------------------------------------------------


def _gone(store: Store, question: Question, looks: Sequence[Look]) -> list[str]:
    """Living records that the proven window shows to be gone. A whole list of ids names them; a
    count does after a full pull: what it did not bring is not there."""
    system, entity = question.side.name, question.entity
    if any(each.method is Method.IDS and each.proves for each in looks):
        return list(_all_unlisted(store, question))
    if not question.full:
        return []
    return list(_all_unseen(store, system, entity, question.seq))


def _all_unlisted(store: Store, question: Question) -> Iterator[str]:
    after, began = "", question.window.began
    name, entity = question.side.name, question.entity
    while some := store.certificates.unlisted(name, entity, bound=began, after=after, limit=CHUNK):
        yield from some
        after = some[-1]


def _all_unseen(store: Store, system: str, entity: str, seq: int) -> Iterator[str]:
    after = ""
    while some := store.records.unseen_since(entity, system, seq, after=after, limit=CHUNK):
        yield from some
        after = some[-1]


def _bury(
    store: Store, question: Question, keep: Keep, gone: Sequence[str], statement: Statement
) -> Statement:
    """Mark them as deleted; those that turn out to be there after all are stored instead."""
    system, entity = question.side.name, question.entity
    if len(gone) > question.max_deletions and not question.accept_large:
        held = store.certificates.count(system, entity)
        raise StopRun(
            f"{len(gone):,} of {held:,} {entity} records seem to be gone from {system}, more than "
            f"guard.max_deletions: {question.max_deletions} ({statement.told})",
            where=f"{system} {entity}",
            hint="nothing was deleted here. If they really are gone: tieout pull "
            f"{system} --entity {entity} --accept-large; else look at the login's permissions",
        )
    dead, alive = list(gone), list[bytes]()
    if len(gone) <= MAX_ASKED and question.side.can(entity, Can.GET):
        asked = {id: question.side.connector.get(entity, id) for id in gone}
        dead = [id for id, body in asked.items() if body is None]
        alive = [body for body in asked.values() if body is not None]
    keep(Page(alive, "", tuple(dead)))
    told = f"{statement.told}; {len(dead):,} gone there"
    return Statement(PROVEN, told, statement.evidence)
