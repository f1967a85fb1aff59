"""One pair of records, judged: do they agree, and if not, which break is it? Pure.

The database hands over only pairs that may differ; the verdict is made here, on values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from .breaks import Break, Difference, Kind, severity_of
from .explain import likely_cause
from .rules import Comparison, FlowRule


@dataclass(frozen=True)
class Reference:
    """A record that another one names: its link, and its id in the other system, if it has one."""

    id: str | None
    link: str | None = None
    counterpart: str | None = None


@dataclass(frozen=True)
class Applied:
    """One allocation: an invoice and the minor units applied to it."""

    invoice: Reference
    minor: int


@dataclass(frozen=True)
class Side:
    """One record of a pair, as the database handed it over.

    counts        whether it takes part in its system's control total.
    amount_minor  what it adds to the total (0 for what is void).
    values        the compared fields: a scalar, a Reference, or a tuple of Applied.
    context       other fields that help to explain a difference.
    unsettled     it was changed so recently that the other side may not have it yet.
    """

    id: str
    counts: bool
    deleted: bool = False
    dead: bool = False
    currency: str | None = None
    amount_minor: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    customer: str = ""
    dated: str | None = None
    url: str | None = None
    unsettled: bool = False


@dataclass(frozen=True)
class Pair:
    """Two records of one link, or one alone.

    gone          id of a linked record that the store doesn't hold.
    surplus_of    this lone record is a second copy of that one, `surplus_why`.
    open_since    when the oldest write that is still open for either record was planned.
    refusal       what the provider said to the latest refused write.
    """

    link: str | None
    left: Side | None
    right: Side | None
    gone: str | None = None
    surplus_of: str = ""
    surplus_why: str = ""
    open_since: datetime | None = None
    refusal: str = ""

    @property
    def someone(self) -> Side:
        side = self.left or self.right
        assert side is not None
        return side


@dataclass(frozen=True)
class Verdict:
    """What a pair comes to. `found` None: it agrees, is within tolerance, or is no concern.

    effects  (currency, minor units) that it adds to left total - right total.
    """

    found: Break | None
    in_flight: bool
    effects: tuple[tuple[str, int], ...]


def judge(pair: Pair, rule: FlowRule, now: datetime) -> Verdict:
    """The one break that a pair is, or none."""
    kind, differences = _look(pair, rule)
    effects = _effects(pair)
    if kind is None:
        return Verdict(None, False, effects)
    if pair.open_since is not None:
        if now - pair.open_since <= timedelta(hours=rule.stale_hours):
            return Verdict(_break(pair, rule, kind, differences, effects), True, effects)
        kind = "stale"
    elif any(side is not None and side.unsettled for side in (pair.left, pair.right)):
        return Verdict(_break(pair, rule, kind, differences, effects), True, effects)
    return Verdict(_break(pair, rule, kind, differences, effects), False, effects)


def _look(pair: Pair, rule: FlowRule) -> tuple[Kind | None, tuple[Difference, ...]]:
    left, right = pair.left, pair.right
    if pair.surplus_of:
        sides = (pair.surplus_of, left.id) if left else (pair.surplus_of, pair.someone.id)
        return "duplicate", (Difference("same as", *sides),)
    there = right is not None and not right.deleted
    here = left is not None and not left.deleted
    if left is not None and right is not None and here and there:
        found = differences_of(left, right, rule)
        return ("differs" if found else None), found
    if left is not None and left.counts:
        return (None if left.dead else "missing"), ()
    if right is not None and right.counts:
        return (None if right.dead or not rule.extras else "extra"), ()
    return None, ()


def differences_of(left: Side, right: Side, rule: FlowRule) -> tuple[Difference, ...]:
    """The compared fields that differ beyond their tolerance; the status of one that counts
    while the other doesn't is always among them."""
    found = [
        Difference(name, _shown(how, left, name), _shown(how, right, name))
        for name, how in rule.fields.items()
        if not alike(how, left.values[name], right.values[name], void=(left.dead, right.dead))
        and not (how.kind == "allocations" and _taken_back(left, right, name))
    ]
    names = {each.name for each in found}
    if left.counts != right.counts and "status" not in names:
        statuses = [side.context.get("status") for side in (left, right)]
        found.append(Difference("status", *statuses))
    if rule.amount and left.currency != right.currency and "currency" not in names:
        found.append(Difference("currency", left.currency, right.currency))
    return tuple(found)


def _taken_back(left: Side, right: Side, name: str) -> bool:
    """Whether refunds explain how the applications of a payment differ. Some systems take a refund
    off the application, others book it against a credit note and leave the payment applied."""
    refunded = max(_refunded(left), _refunded(right))
    here, there = _by_link(left.values[name] or ()), _by_link(right.values[name] or ())
    apart = sum(abs(here[key] - there[key]) for key in {*here, *there})
    one_way = all(here[key] <= there[key] for key in {*here, *there}) or all(
        here[key] >= there[key] for key in {*here, *there}
    )
    return one_way and apart <= refunded


def _refunded(side: Side) -> int:
    return side.context.get("refunded_minor") or 0


def alike(how: Comparison, left: Any, right: Any, *, void: tuple[bool, bool]) -> bool:
    """Whether two values of a field agree. `void`: which side's document is called off."""
    if how.kind == "money":
        apart = worth(left, void[0]) - worth(right, void[1])
        return abs(apart) <= how.tolerance_minor
    if how.kind == "reference":
        return _same_thing(left, right)
    if how.kind == "allocations":
        return any(void) or _same_application(left or (), right or (), how.tolerance_minor)
    if left is None or right is None:
        return left is None and right is None
    if how.kind == "date":
        return _days_apart(left, right) <= how.tolerance_days
    if how.kind == "text":
        left, right = _folded(left), _folded(right)
    return how.alike(left) == how.alike(right)


def worth(minor: int | None, void: bool) -> int:
    """An amount as it is compared: null and what is called off are 0."""
    return 0 if void else minor or 0


def _same_thing(left: Reference, right: Reference) -> bool:
    """Where neither record has a counterpart, theirs is the break, not the reference to them."""
    if left.id is None or right.id is None:
        return left.id is None and right.id is None
    if left.link is not None and left.link == right.link:
        return True
    return left.counterpart is None and right.counterpart is None


def _same_application(
    left: tuple[Applied, ...], right: tuple[Applied, ...], tolerance_minor: int
) -> bool:
    """Invoices without a counterpart are breaks of their own and left out on both sides."""
    here, there = _by_link(left), _by_link(right)
    return all(abs(here[key] - there[key]) <= tolerance_minor for key in {*here, *there})


def _by_link(applied: tuple[Applied, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in applied:
        if each.invoice.link is not None and each.invoice.counterpart is not None:
            found[each.invoice.link] += each.minor
    return found


def _days_apart(left: str, right: str) -> int:
    try:
        return abs((date.fromisoformat(left[:10]) - date.fromisoformat(right[:10])).days)
    except ValueError:
        return 0 if left == right else 10**9


def _folded(value: Any) -> Any:
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def _shown(how: Comparison, side: Side, name: str) -> Any:
    """A compared value as a break keeps it: JSON values only."""
    value = side.values[name]
    if how.kind == "money":
        return worth(value, side.dead)
    if isinstance(value, Reference):
        return value.id
    if isinstance(value, tuple):
        return [{"invoice_id": each.invoice.id, "amount_minor": each.minor} for each in value]
    return value


def _effects(pair: Pair) -> tuple[tuple[str, int], ...]:
    effects: Counter[str] = Counter()
    if pair.left is not None and pair.left.counts:
        effects[pair.left.currency or ""] += pair.left.amount_minor
    if pair.right is not None and pair.right.counts:
        effects[pair.right.currency or ""] -= pair.right.amount_minor
    return tuple((currency, minor) for currency, minor in effects.items() if minor)


def _break(
    pair: Pair,
    rule: FlowRule,
    kind: Kind,
    differences: tuple[Difference, ...],
    effects: tuple[tuple[str, int], ...],
) -> Break:
    side = pair.someone
    (currency, effect), (other, other_effect) = _two(effects, side.currency)
    stake = stake_of(differences, rule, abs(effect) or abs(other_effect))
    return Break(
        flow=rule.name,
        kind=kind,
        entity=rule.entity,
        left_system=rule.left,
        right_system=rule.right,
        left_id=pair.left.id if pair.left else pair.gone,
        right_id=pair.right.id if pair.right else pair.gone,
        link=pair.link,
        currency=currency,
        effect_minor=effect,
        other_currency=other,
        other_minor=other_effect,
        stake_minor=stake,
        severity=severity_of(kind, currency, stake),
        differences=differences,
        cause=likely_cause(pair, rule, kind, differences),
        label=side.label,
        customer=side.customer or (pair.right.customer if pair.right else ""),
        dated=side.dated,
        left_url=pair.left.url if pair.left else None,
        right_url=pair.right.url if pair.right else None,
    )


def _two(
    effects: tuple[tuple[str, int], ...], fallback: str | None
) -> tuple[tuple[str | None, int], tuple[str | None, int]]:
    none: tuple[str | None, int] = (None, 0)
    first = effects[0] if effects else (fallback, 0)
    return (first[0] or None, first[1]), (effects[1] if len(effects) > 1 else none)


def stake_of(differences: tuple[Difference, ...], rule: FlowRule, effect_minor: int) -> int:
    """The largest amount that differs, not only the one that totals add up; minor units."""
    stake = effect_minor
    for each in differences:
        if each.name in rule.fields and rule.fields[each.name].kind == "money":
            stake = max(stake, abs(int(each.left) - int(each.right)))
    return stake
