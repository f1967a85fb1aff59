"""One page of records on its way into the store: what is new, what changed, what is the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from tieout.core.entities import Record
from tieout.core.errors import InvalidRecord

from .db import Row, chunks, marks_for
from .rows import Shape, digest
from .schema import columns


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A record with what it says and where that came from. `raw` None keeps the stored bytes."""

    record: Record
    content: bytes
    content_hash: bytes
    source_hash: bytes
    seq: int
    raw: bytes | None
    mapping_version: str
    revision: int | None = None


@dataclass
class Outcome:
    """What writing a page did: ids, counts, and (id, reason) of what no column can hold."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    stale: int = 0
    unfit: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Batch:
    """Rows to write, gathered table by table."""

    records: list[Sequence[Any]] = field(default_factory=list)
    versions: list[Row] = field(default_factory=list)
    raws: list[Row] = field(default_factory=list)
    lookups: list[Row] = field(default_factory=list)
    first: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    clocks: list[Row] = field(default_factory=list)


class Page:
    """Writes records of one entity and system, inside a transaction that the caller opened.

    `new_ref` gives the number of a record never seen before.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        shape: Shape,
        system: str,
        *,
        now: str,
        run: str,
        new_ref: Callable[[], int],
    ) -> None:
        self._connection, self._shape, self._system = connection, shape, system
        self._now, self._run, self._new_ref = now, run, new_ref
        self._batch = _Batch()

    def write(self, ready: Sequence[Ready]) -> Outcome:
        """Each id at most once. Compares with what is stored and writes only what differs."""
        there = self._stored([one.record.id for one in ready])
        done = Outcome()
        for one in ready:
            kept = there.get(one.record.id)
            try:
                self._sort_in(one, kept, done)
            except InvalidRecord as error:
                done.unfit.append((one.record.id, error.message))
        self._forget_lookups(done.changed)
        self._flush()
        return done

    def _sort_in(self, one: Ready, kept: Row | None, done: Outcome) -> None:
        if kept is None:
            self._keep(one, self._new_ref(), 1)
            done.new.append(one.record.id)
            return
        _, ref, version, content_hash, source_hash, seq, updated_at, revision = kept
        # A list that lags behind may show an older state after a newer one was read.
        older = None not in (one.revision, revision) and one.revision < revision
        if one.seq < seq or older:
            done.stale += 1
        elif one.content_hash != content_hash:
            self._keep(one, ref, version + 1)
            done.changed.append(one.record.id)
        else:
            self._note(one, version)
            if one.raw is not None and one.source_hash != source_hash:
                self._batch.raws.append((ref, one.raw))
            ticked = msgspec.to_builtins(one.record.updated_at)
            if ticked != updated_at:
                self._batch.clocks.append((ticked, self._system, one.record.id))
            done.unchanged += 1

    def _keep(self, one: Ready, ref: int, version: int) -> None:
        record, batch = one.record, self._batch
        body = one.content if record.updated_at is None else self._shape.encode(record)
        row = self._shape.row(body)
        row.append(self._now if record.deleted else None)
        batch.records.append(row)
        batch.versions.append((ref, version, self._now, one.content_hash, self._run, body.decode()))
        if one.raw is not None:
            batch.raws.append((ref, one.raw))
        if record.external_ids:
            who = (self._system, self._shape.entity)
            batch.lookups += [
                (*who, name, value, record.id) for name, value in record.external_ids.items()
            ]
        if version == 1:
            ticked = msgspec.to_builtins(record.updated_at)
            batch.first.append(
                (
                    *(self._system, self._shape.entity, record.id, ref, one.content_hash),
                    *(one.source_hash, one.seq, ticked, one.mapping_version),
                    *(self._now, self._now, one.revision),
                )
            )
        else:
            self._note(one, version)

    def _note(self, one: Ready, version: int) -> None:
        ticked = msgspec.to_builtins(one.record.updated_at)
        self._batch.again.append(
            (
                *(version, one.content_hash, one.source_hash, one.seq, ticked),
                *(one.mapping_version, self._now, one.revision),
                *(self._system, self._shape.entity, one.record.id),
            )
        )

    def _stored(self, ids: Sequence[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for some in chunks(ids):
            values = [self._system, self._shape.entity, *some]
            for row in self._connection.execute(_guards(len(some)), values):
                found[row[0]] = row
        return found

    def _forget_lookups(self, changed: list[str]) -> None:
        who = (self._system, self._shape.entity)
        self._connection.executemany(_FORGET, [(*who, id) for id in changed])

    def _flush(self) -> None:
        batch, many = self._batch, self._connection.executemany
        many(_upsert(self._shape.entity), batch.records)
        many(_clock(self._shape.entity), batch.clocks)
        many(_VERSION, batch.versions)
        many(_RAW, batch.raws)
        many(_LOOKUP, batch.lookups)
        many(_FIRST, batch.first)
        many(_AGAIN, batch.again)
        self._batch = _Batch()


def prepared(
    shape: Shape,
    record: Record,
    raw: bytes,
    seq: int,
    mapping_version: str,
    revision: int | None = None,
) -> Ready:
    """A received record made ready to be compared. InvalidRecord if it cannot be stored."""
    content = shape.content(record)
    hashes = (digest(content), digest(raw))
    return Ready(record, content, *hashes, seq, raw, mapping_version, revision)


def buried(shape: Shape, record: Record, seq: int) -> Ready:
    """A record that is gone, ready to be written without touching its raw bytes."""
    content = shape.content(record)
    return Ready(record, content, digest(content), b"", seq, None, "")


_VERSION = (
    "INSERT INTO versions (ref, version, known_at, hash, cause, body) VALUES (?, ?, ?, ?, ?, ?)"
)
_RAW = (
    "INSERT INTO raw (ref, body) VALUES (?, ?) ON CONFLICT (ref) DO UPDATE SET body = excluded.body"
)
_LOOKUP = (
    "INSERT INTO external_ids (system, entity, name, value, id) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_FORGET = "DELETE FROM external_ids WHERE system = ? AND entity = ? AND id = ?"
_FIRST = (
    "INSERT INTO seen (system, entity, id, ref, version, content_hash, source_hash, seq,"
    " updated_at, mapping_version, first_seen_at, last_seen_at, revision)"
    " VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_AGAIN = (
    "UPDATE seen SET version = ?, content_hash = ?, source_hash = ?, seq = ?, updated_at = ?,"
    " mapping_version = ?, last_seen_at = ?, revision = COALESCE(?, revision)"
    " WHERE system = ? AND entity = ? AND id = ?"
)


@cache
def _guards(count: int) -> str:
    return (
        "SELECT id, ref, version, content_hash, source_hash, seq, updated_at,"
        " revision FROM seen"
        f" WHERE system = ? AND entity = ? AND id IN ({marks_for(count)})"
    )


@cache
def _clock(entity: str) -> str:
    return f"UPDATE {entity} SET updated_at = ? WHERE system = ? AND id = ?"


@cache
def _upsert(entity: str) -> str:
    names = [column.name for column in columns(entity)] + ["deleted_at"]
    fixed = {"system", "id", "deleted_at"}
    news = [f"{name} = excluded.{name}" for name in names if name not in fixed]
    news.append(
        "deleted_at = CASE WHEN excluded.deleted = 1"
        f" THEN COALESCE({entity}.deleted_at, excluded.deleted_at) END"
    )
    return (
        f"INSERT INTO {entity} ({', '.join(names)}) VALUES ({marks_for(len(names))})"
        f" ON CONFLICT (system, id) DO UPDATE SET {', '.join(news)}"
    )
