"""The expressions of reconciliation's SQL: what counts, what it is worth, what may differ.

Names of tables and columns come from the model only; every value is bound. The words are those
that SQLite and PostgreSQL share, except JSON (`json_each`) and dates.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tieout.core.entities import ENTITIES, fields_of
from tieout.core.errors import ConfigError
from tieout.reconcile.rules import DEAD, Comparison, FlowRule, day_source

from .schema import columns

# Sums are taken in two halves, so that absurd amounts in a record cannot overflow 64 bits.
HALF = 1_000_000_000

# Fields that help to explain a difference, where an entity has them.
CONTEXT = ("status", "fee_minor", "refunded_minor", "tax_minor", "balance_minor", "customer_id")


class Terms:
    """SQL expressions of one flow; collects the values that they bind in `values`."""

    def __init__(self, rule: FlowRule) -> None:
        self.rule, self.entity = rule, rule.entity
        self.values: dict[str, Any] = {
            "entity": rule.entity,
            "left": rule.left,
            "right": rule.right,
        }
        self._columns = {column.name for column in columns(rule.entity)}

    def bind(self, value: Any) -> str:
        """The placeholder of a value; the same value has one placeholder."""
        for name, known in self.values.items():
            if known == value and type(known) is type(value):
                return ":" + name
        name = f"v{len(self.values)}"
        self.values[name] = value
        return ":" + name

    def among(self, expression: str, values: tuple[Any, ...]) -> str:
        """`expression IN (...)`; booleans are stored as 0 and 1."""
        bound = [self.bind(int(v) if isinstance(v, bool) else v) for v in values]
        return f"{expression} IN ({', '.join(bound)})"

    def has(self, name: str) -> bool:
        return name in self._columns

    # one record

    def field(self, alias: str, name: str, zone: str) -> str:
        """A field as a scalar; `custom.<name>` and the day of an instant included."""
        if name.startswith("custom."):
            path = self.bind(f'$."{name.removeprefix("custom.")}"')
            return f"json_extract({alias}.custom, {path})"
        if instant := day_source(self.entity, name):
            return self.day(f"{alias}.{self._known(instant)}", zone)
        return f"{alias}.{self._known(name)}"

    def day(self, instant: str, zone: str) -> str:
        """The calendar day of an instant in a time zone."""
        changes = offsets(zone)
        if len(changes) == 1:
            seconds = changes[0][1]
            if not seconds:
                return f"substr({instant}, 1, 10)"
            return f"date({instant}, {self.bind(f'{seconds} seconds')})"
        return f"date({instant}, {self._offset(instant, changes)})"

    def _offset(self, instant: str, changes: tuple[tuple[str, int], ...]) -> str:
        """Halving search, so that an instant is compared a few times, not once a year."""
        if len(changes) == 1:
            return self.bind(f"{changes[0][1]} seconds")
        middle = len(changes) // 2
        start = self.bind(changes[middle][0])
        before = self._offset(instant, changes[:middle])
        after = self._offset(instant, changes[middle:])
        return f"CASE WHEN {instant} < {start} THEN {before} ELSE {after} END"

    def month(self, alias: str, system: str) -> str:
        return f"substr({self.dated(alias, system)}, 1, 7)"

    def dated(self, alias: str, system: str) -> str:
        """The day that puts a record into a period; NULL without one."""
        name = self.rule.dated
        if name is None:
            return "NULL"
        if name.endswith("_at"):
            return self.day(f"{alias}.{self._known(name)}", self.rule.zone(system))
        return self.field(alias, name, self.rule.zone(system))

    def dead(self, alias: str) -> str:
        """Whether a document is called off."""
        if not self.has("status"):
            return "(1 = 0)"
        return f"(({self.among(f'{alias}.status', DEAD)}) IS TRUE)"

    def money(self, alias: str, name: str) -> str:
        """Minor units; null and what is void are 0."""
        if not self.has("status"):
            return f"COALESCE({alias}.{self._known(name)}, 0)"
        dead = self.among(f"{alias}.status", DEAD)
        return f"CASE WHEN {dead} THEN 0 ELSE COALESCE({alias}.{self._known(name)}, 0) END"

    def amount(self, alias: str) -> str:
        return self.money(alias, self.rule.amount) if self.rule.amount else "0"

    def currency(self, alias: str) -> str:
        return f"{alias}.currency" if self.has("currency") else "NULL"

    def label(self, alias: str) -> str:
        """What people call the record: its number, name or reference."""
        named = [f"{alias}.{name}, " for name in ("number", "name", "reference") if self.has(name)]
        return f"COALESCE({''.join(named)}{alias}.id, '')"

    def customer(self, alias: str) -> str:
        """The name of the customer that a record belongs to."""
        if not self.has("customer_id"):
            return "''"
        return (
            f"COALESCE((SELECT c.name FROM customer c WHERE c.system = {alias}.system"
            f" AND c.id = {alias}.customer_id), '')"
        )

    # what takes part

    def counts(self, alias: str, system: str) -> str:
        """Whether a record is in its system's control total."""
        mine = self._mine(alias) if self.rule.rivals and system == self.rule.right else ""
        return f"({self.stands(alias, system)}{mine})"

    def _mine(self, alias: str) -> str:
        """Of a right system that several systems send to: this flow's part of it."""
        own = self._linked(alias, (self.rule.left,))
        if not self.rule.first:
            return f" AND {own}"
        return f" AND ({own} OR NOT {self._linked(alias, self.rule.rivals)})"

    def _linked(self, alias: str, systems: tuple[str, ...]) -> str:
        """Whether a record has a partner in one of the systems, gone ones included."""
        return (
            "EXISTS (SELECT 1 FROM links k JOIN links n ON n.entity = :entity AND n.link = k.link"
            f" AND {self.among('n.system', systems)} WHERE k.entity = :entity"
            f" AND k.system = {alias}.system AND k.id = {alias}.id)"
        )

    def stands(self, alias: str, system: str) -> str:
        """Whether a record takes part at all, in this flow or in one that shares its target."""
        rule = self.rule
        parts = [f"{alias}.deleted = 0"]
        if rule.real:
            parts.append(self.among(f"{alias}.status", rule.real))
        if rule.where(rule.left) or rule.where(rule.right):
            own = self._where(alias, system)
            parts.append(f"({own} OR {self._mate(alias, system, scoped=True)})")
        if rule.starts_on and rule.dated:
            early = f"{self.dated(alias, system)} < {self.bind(rule.starts_on.isoformat())}"
            parts.append(f"(({early}) IS NOT TRUE OR {self._mate(alias, system, scoped=False)})")
        return f"(({' AND '.join(parts)}) IS TRUE)"

    def _where(self, alias: str, system: str) -> str:
        zone = self.rule.zone(system)
        parts = [
            self.among(self.field(alias, name, zone), values)
            for name, values in self.rule.where(system).items()
        ]
        return f"(({' AND '.join(parts)}) IS TRUE)" if parts else "(1 = 1)"

    def _mate(self, alias: str, system: str, *, scoped: bool) -> str:
        """Whether a record of the other side is linked with it, real and in its own scope."""
        other = self.rule.other(system)
        parts = []
        if scoped:
            parts = ["m.deleted = 0", self._where("m", other)]
            if self.rule.real:
                parts.append(self.among("m.status", self.rule.real))
        more = "".join(f" AND {part}" for part in parts)
        return (
            f"EXISTS (SELECT 1 FROM links k JOIN links n ON n.entity = :entity AND n.link = k.link"
            f" AND n.system = {self.bind(other)} JOIN {self.entity} m ON m.system = n.system"
            f" AND m.id = n.id WHERE k.entity = :entity AND k.system = {alias}.system"
            f" AND k.id = {alias}.id{more})"
        )

    def paired(self, alias: str, system: str) -> str:
        """Whether a living record of the other side is linked with it."""
        others: tuple[str, ...] = (self.rule.other(system),)
        if system == self.rule.right:
            others += self.rule.rivals
        return (
            f"EXISTS (SELECT 1 FROM links k JOIN links n ON n.entity = :entity AND n.link = k.link"
            f" AND {self.among('n.system', others)} JOIN {self.entity} m ON m.system = n.system"
            f" AND m.id = n.id AND m.deleted = 0 WHERE k.entity = :entity"
            f" AND k.system = {alias}.system AND k.id = {alias}.id)"
        )

    # references

    def link_of(self, alias: str, name: str, entity: str) -> str:
        """The link of the record that a reference names."""
        return (
            f"(SELECT k.link FROM links k WHERE k.entity = {self.bind(entity)}"
            f" AND k.system = {alias}.system AND k.id = {alias}.{self._known(name)})"
        )

    def counterpart_of(self, alias: str, name: str, entity: str, other: str) -> str:
        """The id, in the other system, of the record that a reference names."""
        return (
            f"(SELECT MIN(n.id) FROM links k JOIN links n ON n.entity = k.entity"
            f" AND n.link = k.link AND n.system = {self.bind(other)}"
            f" WHERE k.entity = {self.bind(entity)} AND k.system = {alias}.system"
            f" AND k.id = {alias}.{self._known(name)})"
        )

    def applied(self, alias: str, name: str, other: str) -> str:
        """Allocations as a JSON list of [invoice id, its link, its other id, minor units]."""
        return (
            "(SELECT json_group_array(json_array(json_extract(j.value, '$.invoice_id'), k.link,"
            " (SELECT MIN(n.id) FROM links n WHERE n.entity = 'invoice' AND n.link = k.link"
            f" AND n.system = {self.bind(other)}), json_extract(j.value, '$.amount_minor')))"
            f" FROM json_each({alias}.{self._known(name)}) j LEFT JOIN links k"
            f" ON k.entity = 'invoice' AND k.system = {alias}.system"
            " AND k.id = json_extract(j.value, '$.invoice_id'))"
        )

    def _applied_text(self, alias: str, name: str) -> str:
        return (
            "COALESCE((SELECT group_concat(t.link || ':' || t.minor) FROM (SELECT"
            " COALESCE(k.link, '?') AS link,"
            " SUM(json_extract(j.value, '$.amount_minor') / 1000000000) || '+' ||"
            " SUM(json_extract(j.value, '$.amount_minor') % 1000000000) AS minor"
            f" FROM json_each({alias}.{self._known(name)}) j LEFT JOIN links k"
            f" ON k.entity = 'invoice' AND k.system = {alias}.system"
            " AND k.id = json_extract(j.value, '$.invoice_id')"
            " GROUP BY 1 ORDER BY 1) t), '')"
        )

    # two records

    def differs(self) -> str:
        """True for every pair (l, r) whose fields may differ; a few that agree may pass too."""
        parts = [self._differs(name, how) for name, how in self.rule.fields.items()]
        if self.rule.amount:
            parts.append(f"{self.amount('l')} <> {self.amount('r')}")
            if self.has("currency"):
                parts.append("l.currency IS NOT r.currency")
        return "(" + " OR ".join(parts or ["1 = 0"]) + ")"

    def _differs(self, name: str, how: Comparison) -> str:
        if how.kind == "money":
            left, right = self.money("l", name), self.money("r", name)
            if not how.tolerance_minor:
                return f"{left} <> {right}"
            limit = self.bind(how.tolerance_minor)
            return f"({left}) - ({right}) > {limit} OR ({right}) - ({left}) > {limit}"
        if how.kind == "reference":
            column = self._known(name)
            one, two = self.link_of("l", name, how.entity), self.link_of("r", name, how.entity)
            return f"{one} IS NOT {two} OR (l.{column} IS NULL) <> (r.{column} IS NULL)"
        if how.kind == "allocations":
            return f"{self._applied_text('l', name)} <> {self._applied_text('r', name)}"
        left = self.field("l", name, self.rule.left_zone)
        right = self.field("r", name, self.rule.right_zone)
        if how.kind == "date":
            return self._dates_differ(left, right, how.tolerance_days)
        if how.kind == "text":
            return f"({left} IS NOT {right} AND lower(trim({left})) IS NOT lower(trim({right})))"
        return f"{self._grouped(left, how)} IS NOT {self._grouped(right, how)}"

    def _dates_differ(self, left: str, right: str, days: int) -> str:
        if not days:
            return f"substr({left}, 1, 10) IS NOT substr({right}, 1, 10)"
        apart = f"abs(julianday(substr({left}, 1, 10)) - julianday(substr({right}, 1, 10)))"
        return f"({left} IS NOT {right} AND COALESCE({apart} > {self.bind(days)}, 1 = 1))"

    def _grouped(self, expression: str, how: Comparison) -> str:
        whens = [
            f"WHEN {self.bind(value)} THEN {self.bind(group[0])}"
            for group in how.same
            for value in group[1:]
        ]
        return f"CASE {expression} {' '.join(whens)} ELSE {expression} END" if whens else expression

    def _known(self, name: str) -> str:
        if name not in self._columns:
            raise ConfigError(
                f"flow {self.rule.name!r}: {self.entity} has no field {name!r}",
                hint="fields: " + ", ".join(fields_of(self.entity)),
            )
        return name


def sum_halves(expression: str) -> str:
    """Two columns whose `high * HALF + low` is the exact sum."""
    return f"COALESCE(SUM(({expression}) / {HALF}), 0), COALESCE(SUM(({expression}) % {HALF}), 0)"


def _within(column: str, path: str) -> str:
    """The sum of one amount over a JSON list of one record."""
    value = f"json_extract(j.value, '$.{path}')"
    return (
        f"(SELECT COALESCE(SUM({value} / {HALF}) * {HALF} + SUM({value} % {HALF}), 0)"
        f" FROM json_each(x.{column}) j)"
    )


def _null_is_0(*names: str) -> list[str]:
    return [f"COALESCE(x.{name}, 0)" for name in names]


def _invoice() -> str:
    names = ("total_minor", "subtotal_minor", "discount_minor", "tax_minor", "balance_minor")
    total, subtotal, discount, tax, balance = _null_is_0(*names)
    more = ("adjustment_minor", "paid_minor", "credited_minor", "written_off_minor")
    adjustment, paid, credited, written_off = _null_is_0(*more)
    return (
        f"{total} <> {subtotal} - {discount} + {tax}"
        f" OR (x.status = 'void' AND {balance} <> 0)"
        " OR (x.status IS NOT 'void'"
        f" AND {balance} <> {total} + {adjustment} - {paid} - {credited} - {written_off})"
        f" OR (x.status = 'paid' AND {balance} <> 0) OR (x.status = 'open' AND {balance} = 0)"
        f" OR (x.lines <> '[]' AND {subtotal} <> {_within('lines', 'amount_minor')})"
    )


def _payment() -> str:
    amount, refunded = _null_is_0("amount_minor", "refunded_minor")
    applied = _within("allocations", "amount_minor")
    return (
        f"{refunded} > {amount} OR (x.allocations <> '[]' AND ({applied} > {amount} - {refunded}"
        f" OR (x.status IN ('failed', 'canceled') AND {applied} <> 0)))"
    )


def _credit_note() -> str:
    names = ("total_minor", "subtotal_minor", "balance_minor", "allocated_minor", "refunded_minor")
    total, subtotal, balance, allocated, refunded = _null_is_0(*names)
    return (
        f"(x.status IS NOT 'void' AND {balance} <> {total} - {allocated} - {refunded})"
        f" OR (x.status = 'void' AND {balance} <> 0)"
        f" OR (x.lines <> '[]' AND {subtotal} <> {_within('lines', 'amount_minor')})"
        f" OR (x.allocations <> '[]' AND {_within('allocations', 'amount_minor')} > {total})"
    )


def _payout() -> str:
    (amount,) = _null_is_0("amount_minor")
    net = "json_extract(j.value, '$.net_minor')"
    gross = "json_extract(j.value, '$.amount_minor')"
    fee = "COALESCE(json_extract(j.value, '$.fee_minor'), 0)"
    return (
        "x.lines <> '[]' AND x.automatic IS NOT 0 AND"
        f" ({amount} <> {_within('lines', 'net_minor')} OR EXISTS (SELECT 1 FROM"
        f" json_each(x.lines) j WHERE {gross} - {fee} <> {net}))"
    )


def _journal_entry() -> str:
    return f"{_within('lines', 'debit_minor')} <> {_within('lines', 'credit_minor')}"


def _price() -> str:
    return "x.tiers IS NOT NULL AND x.tiers <> '[]'"


_SUSPECTS: dict[str, Callable[[], str]] = {
    "invoice": _invoice,
    "payment": _payment,
    "credit_note": _credit_note,
    "payout": _payout,
    "journal_entry": _journal_entry,
    "price": _price,
}


def suspects(entity: str) -> str | None:
    """SELECT of the ids in system :system whose record contradicts itself; a superset of what
    `tieout.reconcile.books.check` finds. None for entities that have no identities."""
    if entity not in _SUSPECTS or entity not in ENTITIES:
        return None
    doubt = _SUSPECTS[entity]()
    return (
        f"SELECT x.id FROM {entity} x WHERE x.system = :system AND x.deleted = 0"
        f" AND ({doubt}) ORDER BY x.id"
    )


@cache
def offsets(zone: str) -> tuple[tuple[str, int], ...]:
    """(UTC instant from which it holds, seconds east of Greenwich), 1990 to 2060.

    The instants are text without a zone, so that they sort before the same second with one.
    """
    there = ZoneInfo(zone)

    def offset(moment: datetime) -> int:
        difference = moment.astimezone(there).utcoffset()
        return int(difference.total_seconds()) if difference else 0

    day, end = datetime(1990, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
    found = [("", offset(day))]
    while day < end:
        following = day + timedelta(days=1)
        if offset(following) != found[-1][1]:
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
                low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
            found.append((high.strftime("%Y-%m-%dT%H:%M:%S"), offset(high)))
        day = following
    return tuple(found)
