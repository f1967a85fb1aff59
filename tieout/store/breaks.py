"""Mismatches and their lives: first seen, handled by a person, resolved when they are gone.

Written by a reconciliation (`record`) and by people (`change`). A break's fingerprint is the same
every day, so its note, its assignee and its age stay with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tieout.core.errors import ConfigError, NotFound
from tieout.reconcile.breaks import KINDS, SEVERITIES, Break, Difference, Life

from .db import Database, Row, chunks, marks_for, moment
from .rows import text_of, value_of

STATES = ("open", "acknowledged", "waived", "resolved")
_CHANGEABLE = ("state", "assignee", "note", "waived_until", "resolved_by")


@dataclass(frozen=True)
class Kept:
    """A break as the store keeps it. Times are ISO 8601 UTC text; amounts are minor units.

    `fields` holds what differs: [{name, left, right}, ...]; `details` label, customer, dated and
    the record pages of both sides. `stake_minor` is the money at stake, never negative.
    """

    fingerprint: str
    flow: str
    kind: str
    entity: str
    left_system: str
    right_system: str
    left_id: str | None
    right_id: str | None
    link: str | None
    state: str
    severity: str
    currency: str | None
    effect_minor: int
    stake_minor: int
    fields: list[dict[str, Any]]
    details: dict[str, Any]
    cause: str
    assignee: str | None
    note: str | None
    waived_until: str | None
    first_seen: str
    last_seen: str
    resolved_at: str | None
    resolved_by: str | None
    run: str

    @property
    def life(self) -> Life:
        until = date.fromisoformat(self.waived_until[:10]) if self.waived_until else None
        seen = (moment(self.first_seen), moment(self.last_seen))
        return Life(self.state, *seen, self.assignee, self.note, until)


@dataclass(frozen=True)
class Recorded:
    """What a reconciliation did to the breaks: fingerprints of each."""

    new: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()


class Breaks:
    def __init__(self, db: Database) -> None:
        self._db = db

    # -- a reconciliation ------------------------------------------------------------------

    def record(
        self,
        run: str,
        breaks: Iterable[Break],
        *,
        flows: Sequence[str],
        in_flight: Iterable[str] = (),
        today: date | None = None,
    ) -> Recorded:
        """Files what a run found in these flows, in one transaction.

        One that is there already keeps its first day, assignee and note; one that is gone is
        resolved, except where its fingerprint is `in_flight`; one that is back is open again. A
        waiver ends after its day, and when the break is about other money than was waived.
        """
        now = self._db.now()
        day = (today or moment(now).date()).isoformat()
        with self._db.transaction() as connection:
            before = {
                fingerprint: state
                for flow in flows
                for fingerprint, state in connection.execute(_STATES_OF, (flow,))
            }
            new, reopened = [], []
            for one in breaks:
                values = _values(one, run, now)
                connection.execute(_UPSERT, {**values, "today": day})
                known = before.pop(one.fingerprint, None)
                if known is None:
                    new.append(one.fingerprint)
                elif known == "resolved":
                    reopened.append(one.fingerprint)
            for fingerprint in in_flight:
                before.pop(fingerprint, None)
            resolved = [each for each, state in before.items() if state != "resolved"]
            connection.executemany(_RESOLVE, [(now, run, run, each) for each in resolved])
        return Recorded(tuple(new), tuple(reopened), tuple(resolved))

    def lives(self, fingerprints: Iterable[str]) -> dict[str, Life]:
        """fingerprint -> what became of it, for those that are kept."""
        found: dict[str, Life] = {}
        for some in chunks(fingerprints):
            sql = _SELECT + " WHERE fingerprint IN (" + marks_for(len(some)) + ")"
            for kept in map(_kept, self._db.rows(sql, some)):
                found[kept.fingerprint] = kept.life
        return found

    # -- looking ---------------------------------------------------------------------------

    def of_record(self, entity: str, system: str, id: str) -> list[Kept]:
        """Every break, resolved ones too, that a record has a part in; newest first."""
        rows = self._db.rows(_OF_RECORD, (entity, system, id, entity, system, id))
        return [_kept(row) for row in rows]

    def find(self, prefix: str) -> list[Kept]:
        """Those whose fingerprint starts so; twenty at most."""
        if not prefix or not set(prefix) <= set("0123456789abcdef"):
            return []
        return [_kept(row) for row in self._db.rows(_FIND, (prefix, prefix + "g"))]

    def get(self, fingerprint: str) -> Kept:
        """NotFound if there is none."""
        row = self._db.row(_SELECT + " WHERE fingerprint = ?", (fingerprint,))
        if row is None:
            raise NotFound(f"there is no break {fingerprint}", hint="tieout breaks list")
        return _kept(row)

    def counts(self) -> dict[str, int]:
        """State -> how many."""
        return {state: int(count) for state, count in self._db.rows(_COUNTS)}

    # -- people ----------------------------------------------------------------------------

    def change(self, fingerprint: str, **changes: str | None) -> Kept:
        """Sets state, assignee, note, waived_until or resolved_by; the break as it is then.

        ConfigError for a state that there isn't, and for a waiver without a last day.
        """
        unknown = sorted(set(changes) - set(_CHANGEABLE))
        state = changes.get("state")
        if unknown or (state is not None and state not in STATES):
            wrong = unknown[0] if unknown else f"state {state}"
            raise ConfigError(f"a break has no {wrong}", hint="states: " + ", ".join(STATES))
        if state == "waived":
            _check_day(changes.get("waived_until"))
        with self._db.transaction() as connection:
            kept = self.get(fingerprint)
            merged: Mapping[str, Any] = {name: getattr(kept, name) for name in _CHANGEABLE}
            values = {**merged, **changes, "fingerprint": fingerprint}
            if state is not None and state != "waived":
                values["waived_until"] = None
            values["resolved_at"] = self._db.now() if values["state"] == "resolved" else None
            connection.execute(_CHANGE, values)
        return self.get(fingerprint)

    def list(
        self,
        *,
        state: str | None = None,
        entity: str | None = None,
        flow: str | None = None,
        kind: str | None = None,
        limit: int = 1000,
    ) -> list[Kept]:
        """Gravest first, then most money at stake, then oldest."""
        values = (state, entity, flow, kind, limit)
        return [_kept(row) for row in self._db.rows(_LIST, values)]


def _check_day(text: str | None) -> None:
    try:
        date.fromisoformat((text or "")[:10])
    except ValueError:
        raise ConfigError(
            "a waiver needs its last day", hint="--until YYYY-MM-DD; the break reopens after it"
        ) from None


def _values(one: Break, run: str, now: str) -> dict[str, Any]:
    details = {
        "differences": [
            {"name": each.name, "left": each.left, "right": each.right} for each in one.differences
        ],
        "effect_minor": one.effect_minor,
        "stake_minor": one.stake_minor,
        "other_currency": one.other_currency,
        "other_minor": one.other_minor,
        "label": one.label,
        "customer": one.customer,
        "dated": one.dated,
        "left_url": one.left_url,
        "right_url": one.right_url,
    }
    return {
        "fingerprint": one.fingerprint,
        "flow": one.flow,
        "kind": one.kind,
        "entity": one.entity,
        "left_system": one.left_system,
        "right_system": one.right_system,
        "left_id": one.left_id,
        "right_id": one.right_id,
        "link": one.link,
        "severity": one.severity,
        "currency": one.currency,
        # Two amounts of 64 bits may lie further apart than a column can say; `fields` is exact.
        "effect_minor": max(-(2**63), min(2**63 - 1, one.effect_minor)),
        "fields": text_of(details),
        "cause": one.cause,
        "run": run,
        "now": now,
    }


def _kept(row: Row) -> Kept:
    values = dict(zip(_NAMES, row, strict=True))
    details = value_of(values.pop("fields"))
    values["effect_minor"] = details.pop("effect_minor")
    return Kept(
        **values,
        fields=details.pop("differences"),
        stake_minor=details.pop("stake_minor"),
        details=details,
    )


def as_break(kept: Kept) -> Break:
    """A kept break as a reconciliation would find it."""
    told = kept.details
    return Break(
        flow=kept.flow,
        kind=_one_of(kept.kind, tuple(KINDS)),
        entity=kept.entity,
        left_system=kept.left_system,
        right_system=kept.right_system,
        left_id=kept.left_id,
        right_id=kept.right_id,
        link=kept.link,
        currency=kept.currency,
        effect_minor=kept.effect_minor,
        other_currency=told.get("other_currency"),
        other_minor=told.get("other_minor") or 0,
        stake_minor=kept.stake_minor,
        severity=_one_of(kept.severity, SEVERITIES),
        differences=tuple(Difference(**each) for each in kept.fields),
        cause=kept.cause,
        label=told.get("label") or "",
        customer=told.get("customer") or "",
        dated=told.get("dated"),
        left_url=told.get("left_url"),
        right_url=told.get("right_url"),
    )


def _one_of(word: str, known: Sequence[Any]) -> Any:
    if word not in known:
        raise NotFound(f"a kept break says {word!r}", hint="a newer tieout wrote it; update")
    return word


_NAMES = (
    "fingerprint",
    "flow",
    "kind",
    "entity",
    "left_system",
    "right_system",
    "left_id",
    "right_id",
    "link",
    "state",
    "severity",
    "currency",
    "effect_minor",
    "fields",
    "cause",
    "assignee",
    "note",
    "waived_until",
    "first_seen",
    "last_seen",
    "resolved_at",
    "resolved_by",
    "run",
)
_SELECT = "SELECT " + ", ".join(_NAMES) + " FROM breaks"
_RANK = "CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END"
_LIST = (
    _SELECT + " WHERE state = COALESCE(?, state) AND entity = COALESCE(?, entity)"
    " AND flow = COALESCE(?, flow) AND kind = COALESCE(?, kind)"
    " ORDER BY " + _RANK + ", json_extract(fields, '$.stake_minor') DESC, first_seen, fingerprint"
    " LIMIT ?"
)
_OF_RECORD = (
    _SELECT + " WHERE (entity = ? AND left_system = ? AND left_id = ?)"
    " OR (entity = ? AND right_system = ? AND right_id = ?) ORDER BY last_seen DESC, fingerprint"
)
_FIND = _SELECT + " WHERE fingerprint >= ? AND fingerprint < ? ORDER BY fingerprint LIMIT 20"
_COUNTS = "SELECT state, COUNT(*) FROM breaks GROUP BY state"
_STATES_OF = "SELECT fingerprint, state FROM breaks WHERE flow = ?"
# A resolved one opens again; a waiver holds until its day is over, for the money it was given for.
_WAIVER_OVER = (
    "(breaks.state = 'waived' AND (breaks.waived_until < :today"
    " OR breaks.effect_minor <> excluded.effect_minor"
    " OR json_extract(breaks.fields, '$.stake_minor')"
    " <> json_extract(excluded.fields, '$.stake_minor')))"
)
_UPSERT = (
    "INSERT INTO breaks (fingerprint, flow, kind, entity, left_system, right_system, left_id,"
    " right_id, link, state, severity, currency, effect_minor, fields, cause, first_seen,"
    " last_seen, run) VALUES (:fingerprint, :flow, :kind, :entity, :left_system, :right_system,"
    " :left_id, :right_id, :link, 'open', :severity, :currency, :effect_minor, :fields, :cause,"
    " :now, :now, :run) ON CONFLICT (fingerprint) DO UPDATE SET"
    " state = CASE WHEN breaks.state = 'resolved' OR " + _WAIVER_OVER + " THEN 'open'"
    " ELSE breaks.state END,"
    " waived_until = CASE WHEN " + _WAIVER_OVER + " THEN NULL ELSE breaks.waived_until END,"
    " link = excluded.link, severity = excluded.severity, currency = excluded.currency,"
    " effect_minor = excluded.effect_minor, fields = excluded.fields, cause = excluded.cause,"
    " last_seen = excluded.last_seen, resolved_at = NULL, resolved_by = NULL, run = excluded.run"
)
_RESOLVE = (
    "UPDATE breaks SET state = 'resolved', resolved_at = ?, resolved_by = ?, run = ?"
    " WHERE fingerprint = ?"
)
_CHANGE = (
    "UPDATE breaks SET state = :state, assignee = :assignee, note = :note,"
    " waived_until = :waived_until, resolved_by = :resolved_by, resolved_at = :resolved_at"
    " WHERE fingerprint = :fingerprint"
)
