"""Proofs of completeness: what a second look at the provider said about each pull window.

The comparisons that a proof needs are made here, in the database, so that memory stays flat.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from tieout.core.entities import ENTITIES
from tieout.core.errors import ConfigError

from .db import CHUNK, Database, Row, chunks, marks_for, maybe_moment, moment, only, stamp


@dataclass(frozen=True)
class Certificate:
    """One window's statement.

    verdict   `proven`, `supported`, `unproven` or `contradicted` (sync/proof.py).
    told      the same in a sentence.
    evidence  what each look said: {"method", "note", "says", "here", ...}.
    """

    system: str
    entity: str
    began_at: datetime
    since: datetime | None
    issued_at: datetime
    run: str
    verdict: str
    told: str
    evidence: Sequence[Mapping[str, Any]] = ()


class Certificates:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(
        self,
        system: str,
        entity: str,
        began_at: datetime,
        since: datetime | None,
        *,
        run: str,
        verdict: str,
        told: str,
        evidence: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keeps a window's certificate; a second one of the same window replaces the first."""
        window = (system, entity, stamp(began_at), None if since is None else stamp(since))
        said = (self._db.now(), run, verdict, told, json.dumps(list(evidence)))
        self._db.write(_PUT, (*window, *said))

    def latest(self, system: str, entity: str) -> Certificate | None:
        found = self.list(system, entity, limit=1)
        return found[0] if found else None

    # -- what the store holds against what the provider says ----------------------------------

    def count(
        self, system: str, entity: str, *, bound: datetime | None = None, seen_since: int = 0
    ) -> int:
        """Living records and those set aside, created up to `bound`, fetched since `seen_since`."""
        limit = None if bound is None else stamp(bound)[:19]
        values = (system, entity, seen_since, limit, limit)
        return int(self._db.value(_count(entity), values)) + self._aside(system, entity)

    def _aside(self, system: str, entity: str) -> int:
        """Records set aside of which no usable version is held."""
        return int(self._db.value(_aside(entity), (system, entity)))

    def unknown(self, system: str, entity: str, ids: Iterable[str]) -> list[str]:
        """Those that the store neither holds as living nor has set aside, in the order given."""
        wanted = list(dict.fromkeys(ids))
        known: set[str] = set()
        for some in chunks(wanted):
            marks = marks_for(len(some))
            for sql in (_living(entity), _ASIDE):
                rows = self._db.rows(sql + f" AND id IN ({marks})", (system, entity, *some))
                known.update(id for (id,) in rows)
        return [id for id in wanted if id not in known]

    def list_anew(self, system: str, entity: str) -> None:
        """Begin a list of the provider's ids, forgetting what was left of an earlier one."""
        self._db.write("DELETE FROM listed WHERE system = ? AND entity = ?", (system, entity))

    def note_listed(self, system: str, entity: str, ids: Iterable[str]) -> None:
        self._db.write_many(_NOTE, [(system, entity, id) for id in ids])

    def unlisted(
        self,
        system: str,
        entity: str,
        *,
        bound: datetime | None = None,
        after: str = "",
        limit: int = CHUNK,
    ) -> list[str]:
        """Living records, created up to `bound`, that the provider did not list; in order."""
        limit_text = None if bound is None else stamp(bound)[:19]
        values = (system, entity, after, limit_text, limit_text, limit)
        return [id for (id,) in self._db.rows(_unlisted(entity), values)]

    def list(
        self, system: str | None = None, entity: str | None = None, *, limit: int = 100
    ) -> list[Certificate]:
        """Newest window first."""
        clause, values = only(system=system, entity=entity)
        rows = self._db.rows(_LIST.format(only=clause), (*values, limit))
        return [_certificate(row) for row in rows]


def _certificate(row: Row) -> Certificate:
    return Certificate(
        system=row[0],
        entity=row[1],
        began_at=moment(row[2]),
        since=maybe_moment(row[3]),
        issued_at=moment(row[4]),
        run=row[5],
        verdict=row[6],
        told=row[7],
        evidence=json.loads(row[8]),
    )


_COLUMNS = "system, entity, began_at, since, issued_at, run, verdict, told, evidence"
_PUT = (
    f"INSERT INTO certificates ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (system, entity, began_at) DO UPDATE SET since = excluded.since,"
    " issued_at = excluded.issued_at, run = excluded.run, verdict = excluded.verdict,"
    " told = excluded.told, evidence = excluded.evidence"
)
_LIST = (
    f"SELECT {_COLUMNS} FROM certificates WHERE 1 = 1{{only}}"
    " ORDER BY began_at DESC, system, entity LIMIT ?"
)
_NOTE = "INSERT INTO listed (system, entity, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ASIDE = "SELECT id FROM quarantine WHERE system = ? AND entity = ?"
# Texts of instants differ in their fractions of a second, so whole seconds are compared.
_EARLY = "(? IS NULL OR r.created_at IS NULL OR substr(r.created_at, 1, 19) <= ?)"


def _known(entity: str) -> str:
    if entity not in ENTITIES:
        raise ConfigError(f"there is no entity {entity!r}", hint="known: " + ", ".join(ENTITIES))
    return entity


@cache
def _count(entity: str) -> str:
    return (
        f"SELECT COUNT(*) FROM seen s JOIN {_known(entity)} r ON r.system = s.system"
        " AND r.id = s.id WHERE s.system = ? AND s.entity = ? AND s.seq >= ?"
        f" AND r.deleted = 0 AND {_EARLY}"
    )


@cache
def _aside(entity: str) -> str:
    return (
        "SELECT COUNT(*) FROM quarantine q WHERE q.system = ? AND q.entity = ? AND NOT EXISTS"
        f" (SELECT 1 FROM {_known(entity)} r WHERE r.system = q.system AND r.id = q.id"
        " AND r.deleted = 0)"
    )


@cache
def _living(entity: str) -> str:
    return (
        f"SELECT id FROM {_known(entity)} WHERE deleted = 0 AND system = ?"
        f" AND ? = '{_known(entity)}'"
    )


@cache
def _unlisted(entity: str) -> str:
    return (
        f"SELECT r.id FROM {_known(entity)} r WHERE r.system = ? AND r.deleted = 0"
        " AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.system = r.system AND l.entity = ?"
        f" AND l.id = r.id) AND r.id > ? AND {_EARLY} ORDER BY r.id LIMIT ?"
    )
