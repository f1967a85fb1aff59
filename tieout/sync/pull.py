"""Provider -> mapping -> store, a page at a time; a killed pull goes on after its last page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from tieout.connectors.base import Can, Page, Window
from tieout.core.errors import InvalidRecord, StopRun
from tieout.core.ports import Ports
from tieout.store import Incoming, Store

from .certify import Question, certify
from .flows import FlowSpec
from .proof import CONTRADICTED, Statement
from .side import Side


@dataclass
class Pulled:
    """What one pull of one entity did; all are numbers of records but `pages`.

    verdict, told   how sure we are that nothing is missing, and why (sync/proof.py).
    """

    system: str
    entity: str
    full: bool
    pages: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    deleted: int = 0
    quarantined: int = 0
    reasons: list[str] = field(default_factory=list)  # of the first quarantined records
    verdict: str = ""
    told: str = ""


OnPage = Callable[[Pulled], None]
KEPT_REASONS = 5
MAX_DELETIONS = 20


def pull(
    store: Store,
    side: Side,
    entity: str,
    flows: Sequence[FlowSpec],
    ports: Ports,
    *,
    run: str,
    full: bool = False,
    since: datetime | None = None,
    max_deletions: int = MAX_DELETIONS,
    accept_large: bool = False,
    on_page: OnPage = lambda pulled: None,
) -> Pulled:
    """Read what changed (or all), store it page by page, mark what must be decided again.

    A window that was interrupted is finished first. The next window starts where this one
    began by our clock; connectors go back further by the overlap that their provider needs. Each
    window ends with its certificate; one that would bury more than `max_deletions` records stays
    open, with StopRun, until a person accepts it.
    """
    opened = _window(store, side, entity, ports, full=full, since=since)
    pulled = Pulled(side.name, entity, full=opened.since is None)
    pages = side.connector.pull(entity, since=opened.since, resume=opened.resume)
    for seq, page in _with_sequence(store, pages):
        with store.transaction():
            _keep(store, side, entity, flows, page, seq, run, pulled)
            store.cursors.page(side.name, entity, page.resume)
        pulled.pages += 1
        on_page(pulled)

    def keep(page: Page) -> None:
        with store.transaction():
            _keep(store, side, entity, flows, page, store.next_seq(), run, pulled)

    window = Window(opened.since, opened.began)
    question = Question(side, entity, window, opened.seq, max_deletions, accept_large)
    try:
        statement = certify(store, question, keep)
    except StopRun as error:
        with store.transaction():
            _testify(store, question, Statement(CONTRADICTED, error.message), run, pulled)
        raise
    with store.transaction():
        _testify(store, question, statement, run, pulled)
        store.cursors.finish(side.name, entity)
    return pulled


def _testify(
    store: Store, question: Question, statement: Statement, run: str, pulled: Pulled
) -> None:
    """Keep the window's certificate."""
    pulled.verdict, pulled.told = statement.verdict, statement.told
    store.certificates.put(
        question.side.name,
        question.entity,
        question.window.began,
        question.window.since,
        run=run,
        verdict=statement.verdict,
        told=statement.told,
        evidence=statement.evidence,
    )


@dataclass(frozen=True)
class _Window:
    since: datetime | None
    resume: str
    began: datetime
    seq: int


def _window(
    store: Store, side: Side, entity: str, ports: Ports, *, full: bool, since: datetime | None
) -> _Window:
    cursor = store.cursors.get(side.name, entity)
    if cursor and cursor.window_started_at and not full and since is None:
        began, seq = cursor.window_started_at, cursor.window_seq or 0
        return _Window(cursor.window_since, cursor.resume, began, seq)
    if not full and since is None and cursor and side.can(entity, Can.CHANGES):
        since = cursor.since
    began = ports.now()
    with store.transaction():
        seq = store.next_seq()
        store.cursors.start(
            side.name,
            entity,
            since,
            began,
            since is None,
            seq=seq,
            mapping_version=side.mapping_version,
        )
    return _Window(since, "", began, seq)


def _with_sequence(store: Store, pages: Iterator[Page]) -> Iterator[tuple[int, Page]]:
    """Number each page before it is asked for: an older answer can then never undo a newer one."""
    while True:
        seq = store.next_seq()
        page = next(pages, None)
        if page is None:
            return
        yield seq, page


def _keep(
    store: Store,
    side: Side,
    entity: str,
    flows: Sequence[FlowSpec],
    page: Page,
    seq: int,
    run: str,
    pulled: Pulled,
) -> None:
    rows = []
    for body in page.records:
        try:
            record = side.parse(entity, body)
        except InvalidRecord as error:
            set_aside(store, side, entity, body, error, run, pulled)
            continue
        revision = side.connector.revision(entity, body)
        rows.append(Incoming(record, body, seq, side.mapping_version, revision))
    changes = store.records.put(entity, rows, run=run)
    gone = store.records.delete(entity, side.name, page.deleted, seq=seq, run=run)
    mark(store, flows, side.name, entity, [*changes.new, *changes.changed, *gone])
    for id in changes.refused:
        pulled.quarantined += 1
        pulled.reasons.append(f"{side.name} {entity} {id}: no database can hold it")
    pulled.seen += len(page.records)
    pulled.new += len(changes.new)
    pulled.changed += len(changes.changed)
    pulled.unchanged += changes.unchanged
    pulled.stale += changes.stale
    pulled.deleted += len(gone)


def set_aside(
    store: Store,
    side: Side,
    entity: str,
    body: bytes,
    error: InvalidRecord,
    run: str,
    pulled: Pulled,
) -> None:
    """Quarantine one record with its reason and its bytes; the rest of the page goes on."""
    reason = f"{error.where}: {error.message}" if error.where else error.message
    id = id_in(body)
    store.quarantine.put(entity, side.name, id, reason, body, side.mapping_version, run)
    pulled.quarantined += 1
    if len(pulled.reasons) < KEPT_REASONS:
        pulled.reasons.append(f"{side.name} {entity} {id}: {reason}")


def id_in(body: bytes) -> str:
    """The id of a record that could not be mapped, as far as it can be told."""

    class OnlyId(msgspec.Struct):
        id: str | int | None = None

    try:
        return str(msgspec.json.decode(body, type=OnlyId).id or "?")
    except msgspec.MsgspecError:
        return "?"


def mark(
    store: Store, flows: Sequence[FlowSpec], system: str, entity: str, ids: Iterable[str]
) -> None:
    """These records changed: every flow that they take part in looks at them again."""
    touched = list(dict.fromkeys(ids))
    if not touched:
        return
    for flow in flows:
        if flow.entity == entity and system in (flow.left, flow.right):
            store.marks.add(flow.name, entity, touched, system=system)
