"""Writes to make. Each has an idempotency key that is durable before the first call.

    pending --claim, mark_sent--> sent --confirm--> confirmed
       ^                           |---reject-----> rejected    the provider said no
       |---retry (a person)--------|---unknown----> unknown     look it up before a resend
                                   discard (a person) ends pending, rejected and unknown

A claim is a lease with a fence: `attempt` grows with each claim, and a step of an older holder
is refused with Conflict. Of one record in one target, only the oldest open write is handed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tieout.core.errors import Conflict, NotFound

from .db import Database, Row, maybe_moment, only, stamp
from .rows import text_of, value_of
from .sequence import Numbers

OPEN = ("pending", "sent", "unknown")


@dataclass(frozen=True)
class Draft:
    """A write to make. `key` makes it unique for ever; `body` are canonical fields to send,
    `before` what was there, both as JSON values."""

    key: str
    target: str
    entity: str
    action: str
    body: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] | None = None
    record_id: str | None = None
    link: str | None = None
    plan: str = ""
    flow: str = ""
    run: str = ""


@dataclass(frozen=True)
class Operation:
    """A write in the outbox. `record_id` is the id in the target, once it is known."""

    id: str
    position: int
    key: str
    plan: str
    flow: str
    target: str
    entity: str
    action: str
    record_id: str | None
    link: str | None
    state: str
    attempt: int
    body: dict[str, Any]
    before: dict[str, Any] | None
    error: str | None
    run: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    due_at: datetime | None


class Outbox:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._positions = Numbers(db, "outbox")

    # -- filling and claiming --------------------------------------------------------------

    def put(self, drafts: Iterable[Draft]) -> list[str]:
        """Keeps writes in order and returns their ids. A key that is there already keeps its
        operation: its id is returned and nothing is added."""
        ids = []
        with self._db.transaction() as connection:
            now = self._db.now()
            for draft in drafts:
                row = (self._db.ports.new_id(), self._positions.next(), *_draft_row(draft))
                made = connection.execute(_PUT, (*row, now, now)).fetchone()
                ids.append(made[0] if made else self._id_of(draft.key))
        return ids

    def renew(self, drafts: Iterable[Draft]) -> list[str]:
        """As `put`, but a write that was rejected or discarded is set up again with the new body.

        For a record that was refused and has been corrected since: its key stays what it was.
        """
        given = list(drafts)
        with self._db.transaction() as connection:
            ids = self.put(given)
            for draft in given:
                row = _draft_row(draft)
                connection.execute(_RENEW, (*row[1:], self._db.now(), draft.key, draft.plan))
        return ids

    def claim(
        self,
        target: str | None = None,
        *,
        plan: str | None = None,
        limit: int = 20,
        lease_seconds: int = 60,
    ) -> list[Operation]:
        """Pending writes in order, leased to the caller."""
        now = self._db.ports.now()
        due, until = stamp(now), stamp(now + timedelta(seconds=lease_seconds))
        with self._db.transaction() as connection:
            clause, values = only(o__target=target, o__plan=plan)
            sql = _CLAIM.format(only=clause)
            rows = connection.execute(sql, (until, due, *values, due, due, limit)).fetchall()
        return sorted(map(_operation, rows), key=lambda one: one.position)

    def extend(self, operation: Operation, *, lease_seconds: int = 60) -> None:
        """Keeps a claim for longer."""
        until = stamp(self._db.ports.now() + timedelta(seconds=lease_seconds))
        self._fenced(operation, ("pending", "sent"), "lease_until = ?", (until,))

    # -- steps of the claim's holder -------------------------------------------------------

    def mark_sent(self, operation: Operation) -> None:
        """Must be durable before the call is made: after a crash, "sent" means "perhaps"."""
        now = self._db.now()
        self._fenced(operation, ("pending",), "state = 'sent', error = NULL, sent_at = ?", (now,))

    def confirm(self, operation: Operation, record_id: str | None = None) -> None:
        """It took place; `record_id` is the id of what was made."""
        sets = "state = 'confirmed', error = NULL, record_id = COALESCE(?, record_id)"
        self._settle(operation, ("sent", "unknown"), sets, (record_id,))

    def reject(self, operation: Operation, error: str) -> None:
        """The provider refused it; nothing happened there."""
        states = ("pending", "sent", "unknown")
        self._settle(operation, states, "state = 'rejected', error = ?", (error,))

    def unknown(self, operation: Operation, error: str) -> None:
        """It may have taken place: it must be looked up before it is tried again."""
        sets = "state = 'unknown', lease_until = NULL, error = ?"
        self._fenced(operation, ("sent", "unknown"), sets, (error,))

    def release(
        self, operation: Operation, error: str | None = None, *, due_at: datetime | None = None
    ) -> None:
        """Back to pending: it surely did not take place. Not before `due_at`, if given."""
        sets = "state = 'pending', lease_until = NULL, error = COALESCE(?, error), due_at = ?"
        due = None if due_at is None else stamp(due_at)
        self._fenced(operation, ("pending", "sent", "unknown"), sets, (error, due))

    # -- after a crash, and for people -----------------------------------------------------

    def strand(self) -> int:
        """At the start of the one writing process: what was sent and never settled is unknown,
        and no lease is left."""
        with self._db.transaction() as connection:
            lost = connection.execute(_STRAND, (self._db.now(),)).fetchall()
            connection.execute("UPDATE outbox SET lease_until = NULL WHERE state = 'pending'")
        return len(lost)

    def retry(self, id: str) -> None:
        """A person asks for another try of what was rejected, discarded or is unknown."""
        states = ("rejected", "unknown", "discarded")
        self._judged(id, states, "state = 'pending', settled_at = NULL, due_at = NULL", ())

    def discard(self, id: str, reason: str) -> None:
        """A person decides that it will not be tried again."""
        sets = "state = 'discarded', error = ?, settled_at = ?"
        self._judged(id, ("pending", "rejected", "unknown"), sets, (reason, self._db.now()))

    # -- asking ----------------------------------------------------------------------------

    def get(self, id: str) -> Operation:
        row = self._db.row(_SELECT + " WHERE id = ?", (id,))
        if row is None:
            raise NotFound(f"no operation {id}", hint="list them: tieout ops list")
        return _operation(row)

    def by_key(self, key: str) -> Operation | None:
        row = self._db.row(_SELECT + " WHERE key = ?", (key,))
        return None if row is None else _operation(row)

    def list(
        self,
        state: str | None = None,
        target: str | None = None,
        *,
        plan: str | None = None,
        entity: str | None = None,
        link: str | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[Operation]:
        """In order, from the one after position `after`."""
        clause, values = only(state=state, target=target, plan=plan, entity=entity, link=link)
        sql = _SELECT + " WHERE position > ?" + clause + " ORDER BY position LIMIT ?"
        return [_operation(row) for row in self._db.rows(sql, (after, *values, limit))]

    def latest(self, link: str, entity: str, target: str) -> Operation | None:
        """The last write of one link in one target."""
        row = self._db.row(_LATEST, (link, entity, target))
        return None if row is None else _operation(row)

    def counts(self, target: str | None = None, *, plan: str | None = None) -> dict[str, int]:
        """state -> number."""
        clause, values = only(target=target, plan=plan)
        return dict(self._db.rows(_COUNTS.format(only=clause), values))

    def confirmed_between(
        self, since: datetime, until: datetime
    ) -> dict[tuple[str, str, str], int]:
        """(target, entity, action) -> how many writes took place from `since` to `until`."""
        rows = self._db.rows(_CONFIRMED, (stamp(since), stamp(until)))
        return {(target, entity, action): count for target, entity, action, count in rows}

    def pending_count(self, target: str | None = None) -> int:
        """Writes that are not settled: pending, sent or unknown."""
        counts = self.counts(target)
        return sum(counts.get(state, 0) for state in OPEN)

    # -- inside ----------------------------------------------------------------------------

    def _id_of(self, key: str) -> str:
        return str(self._db.value("SELECT id FROM outbox WHERE key = ?", (key,)))

    def _settle(
        self, operation: Operation, states: tuple[str, ...], sets: str, values: Row
    ) -> None:
        done = (*values, self._db.now())
        self._fenced(operation, states, sets + ", lease_until = NULL, settled_at = ?", done)

    def _fenced(
        self, operation: Operation, states: tuple[str, ...], sets: str, values: Row
    ) -> None:
        where = " AND attempt = ?"
        self._move(operation.id, states, sets, values, where, (operation.attempt,))

    def _judged(self, id: str, states: tuple[str, ...], sets: str, values: Row) -> None:
        self.get(id)
        # A person's step must not overtake a worker that holds it right now.
        where = " AND (lease_until IS NULL OR lease_until <= ?)"
        sets += ", lease_until = NULL, attempt = attempt + 1"
        self._move(id, states, sets, values, where, (self._db.now(),))

    def _move(
        self, id: str, states: tuple[str, ...], sets: str, values: Row, where: str, more: Row
    ) -> None:
        allowed = ", ".join(f"'{state}'" for state in states)
        sql = (
            f"UPDATE outbox SET {sets}, updated_at = ?"
            f" WHERE id = ? AND state IN ({allowed}){where} RETURNING id"
        )
        if not self._db.write(sql, (*values, self._db.now(), id, *more)):
            now = self.get(id)
            raise Conflict(
                f"operation {id} moved on meanwhile: it is {now.state}, attempt {now.attempt}",
                where=f"{now.target} {now.entity} {now.record_id or now.link or ''}".strip(),
                hint="look with `tieout ops show`, then decide again",
            )


def _draft_row(draft: Draft) -> Row:
    before: Mapping[str, Any] | None = draft.before
    return (
        *(draft.key, draft.plan, draft.flow, draft.target, draft.entity, draft.action),
        *(draft.record_id, draft.link, text_of(draft.body)),
        *(None if before is None else text_of(before), draft.run),
    )


def _operation(row: Row) -> Operation:
    values = list(row)
    values[12] = value_of(row[12])
    values[13] = None if row[13] is None else value_of(row[13])
    values[16:] = map(maybe_moment, row[16:])
    return Operation(*values)


_COLUMNS = (
    "id, position, key, plan, flow, target, entity, action, record_id, link, state, attempt, body,"
    " before, error, run, created_at, updated_at, sent_at, settled_at, due_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM outbox"
_LATEST = _SELECT + (" WHERE link = ? AND entity = ? AND target = ? ORDER BY position DESC LIMIT 1")
# All states are named so that (state, target) answers alone, without reading the rows.
_COUNTS = (
    "SELECT state, COUNT(*) FROM outbox WHERE state IN"
    " ('pending', 'sent', 'unknown', 'confirmed', 'rejected', 'discarded'){only} GROUP BY state"
)
_CONFIRMED = (
    "SELECT target, entity, action, COUNT(*) FROM outbox"
    " WHERE state = 'confirmed' AND settled_at BETWEEN ? AND ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
_PUT = (
    "INSERT INTO outbox (id, position, key, plan, flow, target, entity, action, record_id, link,"
    " body, before, run, state, attempt, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?)"
    " ON CONFLICT (key) DO NOTHING RETURNING id"
)
_RENEW = (
    "UPDATE outbox SET plan = ?, flow = ?, target = ?, entity = ?, action = ?, record_id = ?,"
    " link = ?, body = ?, before = ?, run = ?, state = 'pending', error = NULL, due_at = NULL,"
    " lease_until = NULL, settled_at = NULL, attempt = attempt + 1, updated_at = ?"
    " WHERE key = ? AND state IN ('rejected', 'discarded') AND plan <> ?"
)
_CLAIM = (
    "UPDATE outbox SET lease_until = ?, attempt = attempt + 1, updated_at = ?"
    " WHERE id IN (SELECT o.id FROM outbox o WHERE o.state = 'pending'{only}"
    " AND (o.lease_until IS NULL OR o.lease_until <= ?)"
    " AND (o.due_at IS NULL OR o.due_at <= ?)"
    " AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.entity = o.entity AND p.link = o.link"
    " AND p.target = o.target AND p.position < o.position"
    " AND p.state IN ('pending', 'sent', 'unknown'))"
    " ORDER BY o.position LIMIT ?) RETURNING " + _COLUMNS
)
_STRAND = (
    "UPDATE outbox SET state = 'unknown', lease_until = NULL, updated_at = ?,"
    " error = 'the process ended before the answer came' WHERE state = 'sent' RETURNING id"
)
