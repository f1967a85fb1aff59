"""Two systems side by side: totals by SUM, and a stream of the pairs that do not agree.

A left join and an anti join through the links, in the order of ids; only what may differ reaches
Python, so memory does not grow with the number of records. Read inside `store.snapshot()`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any

from tieout.core.entities import fields_of
from tieout.reconcile.compare import Applied, Pair, Reference, Side
from tieout.reconcile.rules import FlowRule
from tieout.reconcile.totals import Total

from .db import Database, Row, moment, stamp
from .outbox import OPEN
from .pair_sql import CONTEXT, HALF, Terms, sum_halves, suspects
from .schema import columns


@dataclass(frozen=True)
class Owed:
    """What a customer owes on both sides, in minor units, by open documents."""

    link: str
    currency: str
    left_minor: int
    right_minor: int
    left_id: str | None
    right_id: str | None
    name: str


class Pairs:
    def __init__(self, db: Database) -> None:
        self._db = db

    @contextmanager
    def reading(
        self, rule: FlowRule, now: datetime, *, as_of: datetime | None = None
    ) -> Iterator[Reading]:
        """One flow's two sides, as of one moment; `as_of`: as they were known then.

        Temporary tables live until the snapshot ends; nothing is written to the store.
        """
        with self._db.snapshot() as connection:
            reading = Reading(connection, rule, as_of or now, past=as_of is not None)
            reading.prepare()
            yield reading
            reading.clear()

    def contradicting(self, entity: str, system: str) -> Iterator[str]:
        """Ids of living records that may contradict themselves (`reconcile.books` decides)."""
        sql = suspects(entity)
        if sql is None:
            return
        with self._db.snapshot() as connection:
            for (id,) in connection.execute(sql, {"system": system}):
                yield id

    def owed(self, invoices: FlowRule, credits: FlowRule | None) -> Iterator[Owed]:
        """Linked customers whose open balances differ between the two sides, per currency."""
        terms = Terms(invoices)
        parts = [_balances(terms, invoices, "balance_minor")]
        if credits is not None:
            more = Terms(credits)
            more.values = terms.values  # one set of bound values
            parts.append(_balances(more, credits, "-x.balance_minor"))
        parts.append(_held_credit(terms, invoices))
        with self._db.snapshot() as connection:
            sql = _OWED.format(documents=" UNION ALL ".join(parts))
            for link, currency, left, right, *ids in connection.execute(sql, terms.values):
                yield Owed(link, currency, int(left), int(right), *ids)


class Reading:
    """The two sides of one flow. Made by `Pairs.reading`."""

    def __init__(
        self, connection: sqlite3.Connection, rule: FlowRule, at: datetime, *, past: bool
    ) -> None:
        self._connection, self.rule, self.at, self._past = connection, rule, at, past
        self._terms = Terms(rule)
        self._left = _Shape(self._terms, "l", rule.left)
        self._right = _Shape(self._terms, "r", rule.right)
        self._crowded = False
        self._surplus: dict[str, dict[str, tuple[str, str]]] = {rule.left: {}, rule.right: {}}

    # -- before and after ------------------------------------------------------------------

    def prepare(self) -> None:
        """The short lists that the walk looks things up in."""
        values = {**self._terms.values, "at": stamp(self.at)}
        run = self._connection.execute
        if self._past:
            self._as_known_then(values)
        for sql in _TEMPORARY:
            run(sql)
        for sql in (_CROWD, _WRITING, _WRITING_SOURCE, _WRITING_LINK, _REFUSED, _REFUSED_SOURCE):
            run(sql, values)
        self._crowded = run("SELECT 1 FROM crowded LIMIT 1").fetchone() is not None
        self._oldest_pull(values)
        for system in (self.rule.left, self.rule.right):
            self._surplus[system] = dict(self._find_surplus(system))

    def clear(self) -> None:
        for table in ("crowded", "writing", "refused"):
            self._connection.execute("DROP TABLE temp." + table)
        if self._past:
            self._connection.execute("DROP TABLE temp." + self.rule.entity)

    def _as_known_then(self, values: dict[str, Any]) -> None:
        """A temporary table of the entity's name hides the one of today."""
        entity = self.rule.entity
        fields = [
            f"json_extract(v.body, '$.{column.name}') AS {column.name}"
            for column in columns(entity)
            if column.name not in ("system", "id")
        ]
        self._connection.execute(_THEN.format(entity=entity, fields=", ".join(fields)), values)
        self._connection.execute(_THEN_KEY.format(entity=entity))

    def _oldest_pull(self, values: dict[str, Any]) -> None:
        """What changed after the other side was last read cannot be told from what differs."""
        rule = self.rule
        seen = [] if self._past else self._connection.execute(_PULLED, values).fetchall()
        known = min([self.at, *(moment(since) for (since,) in seen)])
        known = max(known, self.at - timedelta(hours=rule.stale_hours))
        self._settled = stamp(known - timedelta(minutes=rule.settle_minutes))[:19]
        # A clock that is far ahead must not keep a record in flight for ever.
        self._horizon = stamp(self.at + timedelta(hours=rule.stale_hours))[:19]

    # -- totals ----------------------------------------------------------------------------

    def totals(self) -> list[Total]:
        """Level 0: counts and exact sums, by the database, without looking at links."""
        rule, found = self.rule, []
        for system in (rule.left, rule.right):
            for currency, period, status, count, high, low in self._rows(self._totals(system)):
                minor = high * HALF + low
                total = Total(
                    rule.name, system, rule.entity, currency, period, status, count, minor
                )
                found.append(total)
        return found

    def _totals(self, system: str) -> str:
        terms = self._terms
        status = "x.status" if terms.has("status") else "''"
        return (
            f"SELECT COALESCE({terms.currency('x')}, ''), COALESCE({terms.month('x', system)}, ''),"
            f" COALESCE({status}, ''), COUNT(*), {sum_halves(terms.amount('x'))}"
            f" FROM {self.rule.entity} x WHERE x.system = {terms.bind(system)}"
            f" AND {terms.counts('x', system)} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )

    # -- the walk --------------------------------------------------------------------------

    def pairs(self) -> Iterator[Pair]:
        """Every record that counts and is not in a pair that agrees, each exactly once."""
        yield from self._joined()
        yield from self._alone()
        if self._crowded:
            yield from self._crowds()

    def _joined(self) -> Iterator[Pair]:
        terms, rule = self._terms, self.rule
        left, right = (terms.counts("l", rule.left), terms.counts("r", rule.right))
        crowd = " AND NOT EXISTS (SELECT 1 FROM crowded w WHERE w.link = a.link)"
        sql = (
            f"SELECT a.link, b.id, {self._around('l.id', 'r.id', 'a.link')},"
            f" {self._left.select}, {self._right.select} FROM {rule.entity} l"
            " LEFT JOIN links a ON a.entity = :entity AND a.system = l.system AND a.id = l.id"
            " LEFT JOIN links b ON b.entity = :entity AND b.link = a.link AND b.system = :right"
            f" LEFT JOIN {rule.entity} r ON r.system = :right AND r.id = b.id"
            f" WHERE l.system = :left AND ({left} <> {right}"
            f" OR ({left} AND {right} AND {terms.differs()}))"
            f"{crowd if self._crowded else ''} ORDER BY l.id"
        )
        width = len(self._left)
        for link, other_id, since, refusal, *values in self._rows(sql):
            here = self._side(self._left, values[:width])
            there = self._side(self._right, values[width:])
            yield self._pair(link, here, there, other_id, since, refusal)

    def _alone(self) -> Iterator[Pair]:
        """Right records that count and have no left partner in the store."""
        terms, rule = self._terms, self.rule
        crowd = " AND NOT EXISTS (SELECT 1 FROM crowded w WHERE w.link = b.link)"
        sql = (
            f"SELECT b.link, a.id, {self._around('NULL', 'r.id', 'b.link')}, {self._right.select}"
            f" FROM {rule.entity} r"
            " LEFT JOIN links b ON b.entity = :entity AND b.system = r.system AND b.id = r.id"
            " LEFT JOIN links a ON a.entity = :entity AND a.link = b.link AND a.system = :left"
            f" LEFT JOIN {rule.entity} l ON l.system = :left AND l.id = a.id"
            f" WHERE r.system = :right AND l.id IS NULL AND {terms.counts('r', rule.right)}"
            f"{crowd if self._crowded else ''} ORDER BY r.id"
        )
        for link, other_id, since, refusal, *values in self._rows(sql):
            there = self._side(self._right, values)
            yield self._pair(link, None, there, other_id, since, refusal)

    def _pair(
        self,
        link: str | None,
        left: Side | None,
        right: Side | None,
        gone: str | None,
        since: str | None,
        refusal: str | None,
    ) -> Pair:
        surplus = ("", "")
        if left is None or right is None:
            lone = left or right
            assert lone is not None
            system = self.rule.left if left else self.rule.right
            surplus = self._surplus[system].get(lone.id, surplus)
        return Pair(
            link=link,
            left=left,
            right=right,
            gone=gone if left is None or right is None else None,
            surplus_of=surplus[0],
            surplus_why=surplus[1],
            open_since=moment(since) if since else None,
            refusal=refusal or "",
        )

    def _around(self, left: str, right: str, link: str) -> str:
        """Open and refused writes of either record."""
        of = (
            f"((w.system = :left AND w.id = {left}) OR (w.system = :right AND w.id = {right})"
            f" OR (w.system = '' AND w.id = {link}))"
        )
        return (
            f"(SELECT MIN(w.since) FROM writing w WHERE {of}),"
            f" (SELECT MAX(w.error) FROM refused w WHERE {of})"
        )

    # -- links with several records of one system --------------------------------------------

    def _crowds(self) -> Iterator[Pair]:
        """Records of a crowded link are paired in order; who is left over is there twice."""
        left = groupby(self._members(self.rule.left), key=itemgetter(0))
        right = groupby(self._members(self.rule.right), key=itemgetter(0))
        for link, here, there in _side_by_side(left, right):
            yield from self._crowd(link, here, there)

    def _members(self, system: str) -> Iterator[Row]:
        shape = self._left if system == self.rule.left else self._right
        alias = shape.alias
        ids = [f"{alias}.id" if shape is each else "NULL" for each in (self._left, self._right)]
        around = self._around(ids[0], ids[1], "k.link")
        order = f"{alias}.deleted, {alias}.created_at, {alias}.id"
        sql = (
            f"SELECT k.link, {around}, {shape.select} FROM crowded w"
            " JOIN links k ON k.entity = :entity AND k.link = w.link"
            f" AND k.system = {self._terms.bind(system)} JOIN {self.rule.entity} {alias}"
            f" ON {alias}.system = k.system AND {alias}.id = k.id ORDER BY k.link, {order}"
        )
        for link, since, refusal, *values in self._rows(sql):
            yield link, since, refusal, self._side(shape, values)

    def _crowd(self, link: str, here: list[Row], there: list[Row]) -> Iterator[Pair]:
        ordered = [sorted(each, key=lambda row: not row[3].counts) for each in (here, there)]
        first = tuple(rows[0][3] if rows else None for rows in ordered)
        for one, two in zip_longest(*ordered):
            left, right = (row[3] if row else None for row in (one, two))
            since = min((row[1] for row in (one, two) if row and row[1]), default=None)
            refusal = next((row[2] for row in (one, two) if row and row[2]), None)
            pair = self._pair(link, left, right, None, since, refusal)
            lone, original = (left, first[0]) if right is None else (right, first[1])
            surplus = left is None or right is None
            if surplus and lone is not None and original is not None and lone is not original:
                pair = Pair(
                    link, left, right, None, original.id, "the same link", pair.open_since, ""
                )
            if any(side is not None and side.counts for side in (left, right)):
                yield pair

    # -- records of one system that are there twice ------------------------------------------

    def _find_surplus(self, system: str) -> Iterator[tuple[str, tuple[str, str]]]:
        """id -> (id of the original, why) for records without a partner that repeat another."""
        for sql, why in self._twice(system):
            rows = self._rows(sql)
            original, same = "", None
            for id, paired, mine, _, *key in rows:
                if key != same:
                    original, same = id, key
                elif mine and not paired:
                    yield id, (original, why)

    def _twice(self, system: str) -> Iterator[tuple[str, str]]:
        terms, entity, own = self._terms, self.rule.entity, fields_of(self.rule.entity)
        here = terms.bind(system)
        living = f"{terms.stands('x', system)} AND NOT {terms.dead('x')}"
        mine = terms.counts("x", system)
        chosen = f"x.id, {terms.paired('x', system)} AS paired, {mine}, x.created_at"
        if "number" in own and self.rule.amount and terms.has("currency"):
            key = f"x.number, x.currency, x.{self.rule.amount}"
            yield (
                f"SELECT {chosen}, {key} FROM (SELECT number FROM {entity} WHERE system = {here}"
                " AND number <> '' GROUP BY number HAVING COUNT(*) > 1) n"
                f" JOIN {entity} x ON x.system = {here} AND x.number = n.number"
                f" WHERE {living} ORDER BY {key}, paired DESC, x.created_at, x.id",
                "the same number, currency and total",
            )
        yield (
            f"SELECT {chosen}, e.name, e.value FROM (SELECT name, value FROM external_ids"
            f" WHERE system = {here} AND entity = :entity"
            " GROUP BY name, value HAVING COUNT(*) > 1) n"
            f" JOIN external_ids e ON e.system = {here} AND e.entity = :entity"
            " AND e.name = n.name AND e.value = n.value"
            f" JOIN {entity} x ON x.system = {here} AND x.id = e.id WHERE {living}"
            " ORDER BY e.name, e.value, paired DESC, x.created_at, x.id",
            "the same external id",
        )

    # -- rows to values ----------------------------------------------------------------------

    def _rows(self, sql: str) -> Iterator[Row]:
        return iter(self._connection.execute(sql, self._terms.values))

    def _side(self, shape: _Shape, values: Sequence[Any]) -> Side | None:
        if values[0] is None:
            return None
        updated = (values[shape.updated_at] or "")[:19]
        return shape.side(values, unsettled=self._settled < updated <= self._horizon)


class _Shape:
    """How one side of a pair is selected and read back."""

    updated_at = 10

    def __init__(self, terms: Terms, alias: str, system: str) -> None:
        rule = terms.rule
        self.alias, self._rule = alias, rule
        other = rule.other(system)
        parts = [
            f"{alias}.id",
            terms.counts(alias, system),
            f"{alias}.deleted",
            terms.dead(alias),
            terms.currency(alias),
            terms.amount(alias),
            terms.label(alias),
            terms.customer(alias),
            terms.dated(alias, system),
            f"{alias}.url",
            f"COALESCE({alias}.updated_at, {alias}.created_at)",
            f"{alias}.external_ids <> '{{}}'",
        ]
        self._context = [name for name in CONTEXT if terms.has(name)]
        parts += [f"{alias}.{name}" for name in self._context]
        if "customer_id" in self._context:
            parts.append(terms.link_of(alias, "customer_id", "customer"))
            parts.append(terms.counterpart_of(alias, "customer_id", "customer", other))
        for name, how in rule.fields.items():
            if how.kind == "allocations":
                parts.append(terms.applied(alias, name, other))
                continue
            parts.append(terms.field(alias, name, rule.zone(system)))
            if how.kind == "reference":
                parts.append(terms.link_of(alias, name, how.entity))
                parts.append(terms.counterpart_of(alias, name, how.entity, other))
        self.select = ", ".join(parts)
        self._width = len(parts)

    def __len__(self) -> int:
        return self._width

    def side(self, row: Sequence[Any], *, unsettled: bool) -> Side:
        told = iter(row)
        id, counts, deleted, dead, currency, amount, label, customer, dated, url = (
            next(told) for _ in range(10)
        )
        next(told)  # updated_at
        context: dict[str, Any] = {"keyed": bool(next(told))}
        context.update((name, next(told)) for name in self._context)
        if "customer_id" in self._context:
            context["customer_link"] = next(told)
            context["customer_unlinked"] = next(told) is None and bool(context["customer_id"])
        values: dict[str, Any] = {}
        for name, how in self._rule.fields.items():
            value = next(told)
            if how.kind == "reference":
                value = Reference(value, next(told), next(told))
            elif how.kind == "allocations":
                value = _applied(value)
            values[name] = value
        return Side(
            id=id,
            counts=bool(counts),
            deleted=bool(deleted),
            dead=bool(dead),
            currency=currency,
            amount_minor=amount,
            values=values,
            context=context,
            label=str(label),
            customer=customer,
            dated=dated,
            url=url,
            unsettled=unsettled,
        )


def _applied(text: str) -> tuple[Applied, ...]:
    return tuple(
        Applied(Reference(invoice, link, other), minor or 0)
        for invoice, link, other, minor in json.loads(text)
    )


Group = Iterator[tuple[str, Iterator[Row]]]


def _side_by_side(left: Group, right: Group) -> Iterator[tuple[str, list[Row], list[Row]]]:
    """Both sides' rows of each link; both come in the order of links."""

    def following(groups: Group) -> tuple[str, list[Row]] | None:
        found = next(groups, None)
        return None if found is None else (found[0], list(found[1]))

    here, there = following(left), following(right)
    while here or there:
        link = min(each[0] for each in (here, there) if each)
        mine = here[1] if here and here[0] == link else []
        theirs = there[1] if there and there[0] == link else []
        yield link, mine, theirs
        here = following(left) if mine else here
        there = following(right) if theirs else there


def _balances(terms: Terms, rule: FlowRule, balance: str) -> str:
    parts = []
    for system in (rule.left, rule.right):
        value = balance if balance.startswith("-") else f"x.{balance}"
        parts.append(
            "SELECT x.system AS system, x.customer_id AS customer_id, x.currency AS currency,"
            f" COALESCE({value}, 0) AS minor FROM {rule.entity} x"
            f" WHERE x.system = {terms.bind(system)} AND x.balance_minor <> 0"
            f" AND {terms.counts('x', system)} AND NOT {terms.dead('x')}"
        )
    return " UNION ALL ".join(parts)


def _held_credit(terms: Terms, rule: FlowRule) -> str:
    """Credit that a system keeps on the customer rather than on a document, as less owed (debt
    carried there as more). Credit notes that it counts in as well are not counted twice."""
    notes = (
        "COALESCE((SELECT SUM(n.balance_minor) FROM credit_note n WHERE n.system = x.system"
        " AND n.customer_id = x.id AND n.currency = x.currency AND n.deleted = 0), 0)"
    )
    beyond = f"CASE WHEN x.credit_minor > {notes} THEN {notes} - x.credit_minor ELSE 0 END"
    return (
        "SELECT x.system AS system, x.id AS customer_id, x.currency AS currency,"
        f" CASE WHEN x.credit_minor < 0 THEN -x.credit_minor ELSE {beyond} END AS minor"
        f" FROM customer x WHERE x.system IN ({terms.bind(rule.left)}, {terms.bind(rule.right)})"
        " AND x.credit_minor <> 0 AND x.currency IS NOT NULL AND x.deleted = 0"
    )


_TEMPORARY = (
    "CREATE TEMP TABLE crowded (link TEXT NOT NULL PRIMARY KEY)",
    "CREATE TEMP TABLE writing (system TEXT NOT NULL, id TEXT NOT NULL, since TEXT NOT NULL,"
    " PRIMARY KEY (system, id)) WITHOUT ROWID",
    "CREATE TEMP TABLE refused (system TEXT NOT NULL, id TEXT NOT NULL, error TEXT,"
    " PRIMARY KEY (system, id)) WITHOUT ROWID",
)
_CROWD = (
    "INSERT INTO crowded (link) SELECT link FROM links WHERE entity = :entity"
    " AND system IN (:left, :right) GROUP BY link, system HAVING COUNT(*) > 1"
    " ON CONFLICT DO NOTHING"
)
_OPEN = (
    " FROM outbox o WHERE o.entity = :entity AND o.target IN (:left, :right)"
    " AND o.created_at <= :at AND (o.state IN ('"
    + "', '".join(OPEN)
    + "') OR o.settled_at > :at) AND "
)
_KEEP = " GROUP BY 1, 2 ON CONFLICT (system, id) DO NOTHING"
_WRITING = (
    "INSERT INTO writing (system, id, since) SELECT o.target, o.record_id, MIN(o.created_at)"
    + _OPEN
    + "o.record_id IS NOT NULL"
    + _KEEP
)
_WRITING_SOURCE = (
    "INSERT INTO writing (system, id, since) SELECT json_extract(o.body, '$.source'),"
    " json_extract(o.body, '$.source_id'), MIN(o.created_at)"
    + _OPEN
    + "json_extract(o.body, '$.source_id') IS NOT NULL"
    " AND json_extract(o.body, '$.source') IS NOT NULL" + _KEEP
)
_WRITING_LINK = (
    "INSERT INTO writing (system, id, since) SELECT '', o.link, MIN(o.created_at)"
    + _OPEN
    + "o.link IS NOT NULL"
    + _KEEP
)
_REJECTED = (
    " FROM outbox o WHERE o.entity = :entity AND o.target IN (:left, :right)"
    " AND o.state = 'rejected' AND o.settled_at <= :at AND "
)
_REFUSED = (
    "INSERT INTO refused (system, id, error) SELECT o.target, o.record_id, MAX(o.error)"
    + _REJECTED
    + "o.record_id IS NOT NULL"
    + _KEEP
)
_REFUSED_SOURCE = (
    "INSERT INTO refused (system, id, error) SELECT json_extract(o.body, '$.source'),"
    " json_extract(o.body, '$.source_id'), MAX(o.error)"
    + _REJECTED
    + "json_extract(o.body, '$.source_id') IS NOT NULL"
    " AND json_extract(o.body, '$.source') IS NOT NULL" + _KEEP
)
_PULLED = (
    "SELECT since FROM cursors WHERE entity = :entity AND system IN (:left, :right)"
    " AND since IS NOT NULL"
)
_THEN = (
    "CREATE TEMP TABLE {entity} AS SELECT s.system AS system, s.id AS id, {fields}"
    " FROM seen s JOIN versions v ON v.ref = s.ref AND v.version ="
    " (SELECT MAX(p.version) FROM versions p WHERE p.ref = s.ref AND p.known_at <= :at)"
    " WHERE s.entity = :entity AND s.system IN (:left, :right)"
)
_THEN_KEY = "CREATE INDEX temp.{entity}_then ON {entity} (system, id)"


def _owed_by(side: str) -> str:
    parts = (f"SUM(CASE WHEN d.system = {side} THEN d.minor {half} ELSE 0 END)" for half in _HALVES)
    high, low = parts
    return f"{high} * {HALF} + {low}"


def _member(side: str, column: str) -> str:
    return (
        f"(SELECT MIN({column}) FROM links n LEFT JOIN customer c ON c.system = n.system"
        f" AND c.id = n.id WHERE n.entity = 'customer' AND n.link = k.link AND n.system = {side})"
    )


_HALVES = (f"/ {HALF}", f"% {HALF}")
_OWED = (
    f"SELECT k.link, COALESCE(d.currency, ''), {_owed_by(':left')} AS here,"
    f" {_owed_by(':right')} AS there, {_member(':left', 'n.id')}, {_member(':right', 'n.id')},"
    f" COALESCE({_member(':left', 'c.name')}, '') FROM ({{documents}}) d"
    " JOIN links k ON k.entity = 'customer' AND k.system = d.system AND k.id = d.customer_id"
    " GROUP BY 1, 2 HAVING here <> there ORDER BY 1, 2"
)
