"""Records as last received, every state they ever had, and the bytes they came from.

Written page by page: a page's rows, versions, raw bytes and lookup ids are one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from tieout.core.entities import ENTITIES, Record, fields_of
from tieout.core.errors import ConfigError, InvalidRecord

from .db import CHUNK, Database, Row, chunks, marks_for, moment
from .page import Page, Ready, buried, prepared
from .quarantine import Quarantine
from .rows import Shape, shape_of
from .schema import MATCH_FIELDS, columns, index_expression
from .sequence import Numbers


class Incoming(msgspec.Struct, frozen=True):
    """One record of a page: `seq` is `store.next_seq()` drawn before the request was sent,
    `revision` the provider's own number of this state, where it has one that only grows."""

    record: Record
    raw: bytes
    seq: int
    mapping_version: str = ""
    revision: int | None = None


@dataclass(frozen=True)
class Changes:
    """What a page did. `refused` are ids that no database can hold; they are in quarantine."""

    new: list[str]
    changed: list[str]
    unchanged: int
    stale: int
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """One state of a record, and when and by which run we learnt it."""

    version: int
    known_at: datetime
    hash: str
    cause: str
    record: Record


class Records:
    """The one table an entity that the canonical model describes, with its history."""

    def __init__(self, db: Database, quarantine: Quarantine) -> None:
        self._db, self._quarantine = db, quarantine
        self._refs = Numbers(db, "records")

    # -- writing ---------------------------------------------------------------------------

    def put(self, entity: str, rows: Sequence[Incoming], *, run: str) -> Changes:
        """Keeps one page. `rows` are of one system; of an id that comes twice, the latest counts.

        A row whose content is the same is only noted as seen; one fetched before the stored one
        is ignored. A record that cannot be stored is quarantined and named in `refused`.
        """
        if not rows:
            return Changes([], [], 0, 0)
        shape, system = shape_of(entity), rows[0].record.system
        latest = _latest(system, rows)
        ready, unfit = _prepared(shape, latest.values())
        with self._db.transaction() as connection:
            changes = self._page(connection, shape, system, run).write(ready)
            unfit += changes.unfit
            self._quarantine.clear_many(entity, system, [one.record.id for one in ready])
            for id, reason in unfit:
                row = latest[id]
                self._quarantine.put(entity, system, id, reason, row.raw, row.mapping_version, run)
        return Changes(
            changes.new,
            changes.changed,
            changes.unchanged,
            changes.stale + len(rows) - len(latest),
            tuple(id for id, _ in unfit),
        )

    def delete(
        self, entity: str, system: str, ids: Iterable[str], *, seq: int, run: str
    ) -> list[str]:
        """Marks records as gone and returns the ids that were alive until now.

        An id never seen leaves a tombstone, so that an older fetch cannot bring it to life.
        """
        shape, wanted = shape_of(entity), list(dict.fromkeys(ids))
        gone: list[str] = []
        with self._db.transaction() as connection:
            page = self._page(connection, shape, system, run)
            for some in chunks(wanted):
                known = self.many(entity, system, some)
                dead = [buried(shape, _dead(shape, known.get(id), system, id), seq) for id in some]
                changes = page.write(dead)
                gone += [id for id in changes.changed if not known[id].deleted]
        return gone

    def _page(self, connection: sqlite3.Connection, shape: Shape, system: str, run: str) -> Page:
        now = self._db.now()
        return Page(connection, shape, system, now=now, run=run, new_ref=self._refs.next)

    # -- reading ---------------------------------------------------------------------------

    def get(self, entity: str, system: str, id: str) -> Record | None:
        return self.many(entity, system, [id]).get(id)

    def many(self, entity: str, system: str, ids: Iterable[str]) -> dict[str, Record]:
        """The stored ones of these ids, deleted ones included."""
        shape, found = shape_of(entity), {}
        for some in chunks(ids):
            sql = _select(entity) + " AND id IN (" + marks_for(len(some)) + ")"
            for row in self._db.rows(sql, [system, *some]):
                record = shape.record(row)
                found[record.id] = record
        return found

    def scan(
        self,
        entity: str,
        system: str,
        *,
        after: str = "",
        where: Mapping[str, Sequence[Any]] | None = None,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Records in order of id, from the one after `after`; memory stays flat.

        `where` gives the allowed values of fields ({"status": ["open", None]}); deleted records
        come too unless {"deleted": [False]} says otherwise.
        """
        shape = shape_of(entity)
        clause, values = _conditions(entity, where or {})
        sql = _select(entity) + " AND id > ?" + clause + " ORDER BY id LIMIT ?"
        left = limit
        while left is None or left > 0:
            size = CHUNK if left is None else min(CHUNK, left)
            rows = self._db.rows(sql, [system, after, *values, size])
            yield from map(shape.record, rows)
            if len(rows) < size:
                return
            after = rows[-1][shape.names.index("id")]
            left = None if left is None else left - size

    def count(
        self, entity: str, system: str, *, where: Mapping[str, Sequence[Any]] | None = None
    ) -> int:
        clause, values = _conditions(entity, where or {})
        return int(self._db.value(_count(entity) + clause, [system, *values]))

    def ids(self, entity: str, system: str, *, after: str = "", limit: int = CHUNK) -> list[str]:
        """Ids of all records, deleted ones included, in order, from the one after `after`."""
        return _ids(self._db.rows(_IDS, (system, entity, after, limit)))

    def version_of(self, entity: str, system: str, id: str) -> int | None:
        """The number of the record's latest version: it grows with each change; None if unknown."""
        found: int | None = self._db.value(_VERSION_OF, (system, entity, id))
        return found

    def unseen_since(
        self, entity: str, system: str, seq: int, *, after: str = "", limit: int = CHUNK
    ) -> list[str]:
        """Living records that no fetch since `seq` has shown: after a full pull, they are gone."""
        rows = self._db.rows(_unseen(entity), (system, entity, after, seq, limit))
        return [id for (id,) in rows]

    def raw(self, entity: str, system: str, id: str) -> bytes | None:
        """The provider's bytes of the last accepted fetch."""
        found: bytes | None = self._db.value(_RAW, (system, entity, id))
        return found

    def outdated(
        self, entity: str, system: str, mapping_version: str, *, after: str = "", limit: int = CHUNK
    ) -> list[tuple[str, bytes, int]]:
        """(id, raw bytes, seq of its fetch) of living records mapped by another version, by id."""
        return self._db.rows(_outdated(entity), (system, entity, after, mapping_version, limit))

    def history(self, entity: str, system: str, id: str) -> list[Version]:
        """All states of a record, oldest first."""
        decode = shape_of(entity).decode
        return [
            Version(number, moment(known_at), hash.hex(), cause, decode(body))
            for number, known_at, hash, cause, body in self._db.rows(_HISTORY, (system, entity, id))
        ]

    def external(self, entity: str, system: str, name: str, value: str) -> list[str]:
        """Ids of living records whose `external_ids` say `name: value`."""
        return _ids(self._db.rows(_external(entity), (entity, system, name, value)))

    def find_by(self, entity: str, system: str, field: str, value: str) -> list[str]:
        """Ids of living records by a match field; the case of an e-mail's letters is ignored."""
        return sorted(_ids(self._db.rows(_find(entity, field), (system, value))))


_IDS = "SELECT id FROM seen WHERE system = ? AND entity = ? AND id > ? ORDER BY id LIMIT ?"
_VERSION_OF = "SELECT version FROM seen WHERE system = ? AND entity = ? AND id = ?"
_RAW = (
    "SELECT raw.body FROM seen JOIN raw ON raw.ref = seen.ref"
    " WHERE seen.system = ? AND seen.entity = ? AND seen.id = ?"
)
_HISTORY = (
    "SELECT v.version, v.known_at, v.hash, v.cause, v.body"
    " FROM seen s JOIN versions v ON v.ref = s.ref"
    " WHERE s.system = ? AND s.entity = ? AND s.id = ? ORDER BY v.version"
)


def _latest(system: str, rows: Sequence[Incoming]) -> dict[str, Incoming]:
    """The row that counts of each id."""
    found: dict[str, Incoming] = {}
    for row in rows:
        if row.record.system != system:
            raise ValueError(f"a page holds records of {system} and of {row.record.system}")
        before = found.get(row.record.id)
        if before is None or row.seq >= before.seq:
            found[row.record.id] = row
    return found


def _prepared(shape: Shape, rows: Iterable[Incoming]) -> tuple[list[Ready], list[tuple[str, str]]]:
    ready, unfit = [], []
    for row in rows:
        try:
            of = (row.seq, row.mapping_version, row.revision)
            ready.append(prepared(shape, row.record, row.raw, *of))
        except InvalidRecord as error:
            unfit.append((row.record.id, error.message))
    return ready, unfit


def _dead(shape: Shape, known: Record | None, system: str, id: str) -> Record:
    """The record as a dead one; a bare tombstone where it was never seen."""
    if known is None:
        return ENTITIES[shape.entity](system=system, id=id, deleted=True)
    return msgspec.structs.replace(known, deleted=True)


def _ids(rows: list[Row]) -> list[str]:
    return [id for (id,) in rows]


def _conditions(entity: str, where: Mapping[str, Sequence[Any]]) -> tuple[str, list[Any]]:
    """` AND status IN (?,?)` and the values to bind, for fields of the model only."""
    known = {column.name for column in columns(entity) if column.form != "json"}
    clauses, values = [], []
    for field, allowed in where.items():
        if field not in known:
            raise ConfigError(
                f"{entity} has no field {field!r} to filter by",
                hint="known: " + ", ".join(sorted(known)),
            )
        bound = [msgspec.to_builtins(value) for value in allowed if value is not None]
        choices = [f"{field} IN ({marks_for(len(bound))})"] if bound else []
        choices += [f"{field} IS NULL"] if None in allowed else []
        clauses.append(f" AND ({' OR '.join(choices) or '1 = 0'})")
        values += bound
    return "".join(clauses), values


@cache
def _select(entity: str) -> str:
    names = ", ".join(column.name for column in columns(entity))
    return f"SELECT {names} FROM {entity} WHERE system = ?"


@cache
def _count(entity: str) -> str:
    _known(entity)
    return f"SELECT COUNT(*) FROM {entity} WHERE system = ?"


@cache
def _unseen(entity: str) -> str:
    _known(entity)
    return (
        f"SELECT s.id FROM seen s JOIN {entity} r ON r.system = s.system AND r.id = s.id"
        " WHERE s.system = ? AND s.entity = ? AND s.id > ? AND s.seq < ? AND r.deleted = 0"
        " ORDER BY s.id LIMIT ?"
    )


@cache
def _outdated(entity: str) -> str:
    _known(entity)
    return (
        f"SELECT s.id, raw.body, s.seq FROM seen s JOIN raw ON raw.ref = s.ref"
        f" JOIN {entity} r ON r.system = s.system AND r.id = s.id AND r.deleted = 0"
        " WHERE s.system = ? AND s.entity = ? AND s.id > ? AND s.mapping_version <> ?"
        " ORDER BY s.id LIMIT ?"
    )


@cache
def _external(entity: str) -> str:
    _known(entity)
    return (
        f"SELECT x.id FROM external_ids x JOIN {entity} r ON r.system = x.system AND r.id = x.id"
        " WHERE x.entity = ? AND x.system = ? AND x.name = ? AND x.value = ? AND r.deleted = 0"
        " ORDER BY x.id"
    )


@cache
def _find(entity: str, field: str) -> str:
    if field not in MATCH_FIELDS or field not in fields_of(entity):
        raise ConfigError(
            f"{entity} records cannot be matched by {field!r}",
            hint="possible: " + ", ".join(f for f in MATCH_FIELDS if f in fields_of(entity)),
        )
    value = "lower(?)" if field == "email" else "?"
    # No ORDER BY: to spare the sort, SQLite would read the whole system in order of the key.
    return (
        f"SELECT id FROM {entity} WHERE system = ? AND {index_expression(field)} = {value}"
        " AND deleted = 0"
    )


def _known(entity: str) -> None:
    if entity not in ENTITIES:
        raise ConfigError(f"there is no entity {entity!r}", hint="known: " + ", ".join(ENTITIES))
