"""The daily question: do the systems agree, to the cent, and what does a person have to mend?

Reads one snapshot of the store, walks each flow, proves the totals, files the breaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from tieout.core.money import EXPONENTS
from tieout.core.ports import Ports
from tieout.reconcile import books
from tieout.reconcile.breaks import Break, Difference, by_weight, severity_of
from tieout.reconcile.compare import Pair, Verdict, judge
from tieout.reconcile.outcome import FlowCount, Kpis, Outcome, percent
from tieout.reconcile.rules import FlowRule, usual
from tieout.reconcile.totals import Proof, Total, proofs, prove, prove_counts, sums
from tieout.store import Store
from tieout.store.breaks import Breaks, Recorded
from tieout.store.pairs import Owed, Pairs

from .flows import FlowSpec

BATCH = 500
OnFlow = Callable[[FlowCount], None]


def flow_rules(
    flows: Sequence[FlowSpec], zones: Mapping[str, str], *, settle_minutes: int = 15
) -> list[FlowRule]:
    """What the flows of config.yaml compare. `zones`: system -> time zone of its account."""
    return [_rule(flow, zones, settle_minutes, _siblings(flow, flows)) for flow in flows]


def _siblings(flow: FlowSpec, flows: Sequence[FlowSpec]) -> list[FlowSpec]:
    """The flows that send the same entity to the same system, this one included."""
    return [each for each in flows if (each.entity, each.right) == (flow.entity, flow.right)]


def _rule(
    flow: FlowSpec, zones: Mapping[str, str], settle_minutes: int, siblings: Sequence[FlowSpec]
) -> FlowRule:
    where = dict(flow.flow.where)
    statuses = where.pop("status", flow.profile.statuses)
    return FlowRule(
        name=flow.name,
        entity=flow.entity,
        left=flow.left,
        right=flow.right,
        left_where=where,
        right_where=where,
        real=tuple(map(str, statuses)),
        fields={name: usual(flow.entity, name, **_limits(flow, name)) for name in flow.fields},
        amount=flow.profile.amount,
        dated=flow.profile.dated,
        settle_minutes=settle_minutes,
        rivals=tuple(dict.fromkeys(each.left for each in siblings if each.left != flow.left)),
        first=siblings[0] is flow,
        extras=flow.profile.document,  # other customers and products are the system's own business
        left_zone=zones.get(flow.left, "UTC"),
        right_zone=zones.get(flow.right, "UTC"),
    )


def _limits(flow: FlowSpec, name: str) -> dict[str, Any]:
    told = flow.flow.compare.get(name)
    return told.model_dump() if told else {}


@dataclass
class _Walk:
    """What the walk over one flow has found so far. Effects: currency -> minor units."""

    rule: FlowRule
    totals: list[Total] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    in_flight: list[Break] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    flying: Counter[str] = field(default_factory=Counter)
    tolerated: Counter[str] = field(default_factory=Counter)
    touched: set[str] = field(default_factory=set)  # links of customers whose documents differ
    left_alone: int = 0
    right_alone: int = 0
    half: int = 0  # pairs in which one side counts and the other, though there, doesn't
    apart: int = 0  # pairs of two that count and don't agree

    def take(self, pair: Pair, verdict: Verdict) -> None:
        """Add one pair that the database handed over."""
        left = pair.left is not None and pair.left.counts
        right = pair.right is not None and pair.right.counts
        self.left_alone += left and not right
        self.right_alone += right and not left
        found = verdict.found
        account = self.tolerated
        if found is not None:
            account = self.flying if verdict.in_flight else self.broken
            (self.in_flight if verdict.in_flight else self.breaks).append(found)
            self.apart += left and right
            self.half += bool(pair.left and pair.right and found.differences)
        for currency, minor in verdict.effects:
            account[currency] += minor
        if found is not None or verdict.effects:
            self._touch(pair)

    def _touch(self, pair: Pair) -> None:
        for side in (pair.left, pair.right):
            link = side.context.get("customer_link") if side else None
            if link:
                self.touched.add(link)

    def of(self, system: str) -> int:
        """How many records of one side count."""
        return sum(total.count for total in self.totals if total.system == system)

    def proofs(self) -> list[Proof]:
        """The count proof is made at once; the money proofs are handed back."""
        rule = self.rule
        prove_counts(
            rule.name, self.of(rule.left) - self.left_alone, self.of(rule.right) - self.right_alone
        )
        if not rule.holds_money:
            return []
        left, right = sums(self.totals, rule.left), sums(self.totals, rule.right)
        return proofs(rule.name, left, right, self.broken, self.flying, self.tolerated)

    def count(self) -> FlowCount:
        rule = self.rule
        paired = self.of(rule.left) - self.left_alone
        return FlowCount(
            flow=rule.name,
            entity=rule.entity,
            left_system=rule.left,
            right_system=rule.right,
            left=self.of(rule.left),
            right=self.of(rule.right),
            compared=paired + self.half - self.apart,
            agreeing=paired - self.apart,
            breaks=len(self.breaks),
            in_flight=len(self.in_flight),
        )


def reconcile(
    store: Store,
    rules: Sequence[FlowRule],
    ports: Ports,
    *,
    as_of: datetime | None = None,
    run: str = "",
    check_books: bool = True,
    on_flow: OnFlow = lambda count: None,
) -> Outcome:
    """Compare, prove, file. StopRun, and nothing filed, if a cent stays unexplained.

    `as_of` (an aware instant) compares what was known then, by today's links, and files nothing.
    `check_books=False` leaves out level 3, which reads every record once more.
    """
    now = ports.now()
    at = as_of or now
    with store.snapshot():
        walks = []
        for rule in rules:
            walks.append(_walk(store, rule, now, as_of))
            on_flow(walks[-1].count())
        if check_books and as_of is None:
            _add_books(store, walks)
            _add_receivables(store, walks)
        shown = [proof for walk in walks for proof in walk.proofs()]
        prove(shown)
    filed = Recorded() if as_of else _file(store, walks, run)
    return _outcome(store, walks, shown, filed, at, as_of, run)


def _walk(store: Store, rule: FlowRule, now: datetime, as_of: datetime | None) -> _Walk:
    walk = _Walk(rule)
    with Pairs(store.db).reading(rule, now, as_of=as_of) as reading:
        walk.totals = reading.totals()
        for pair in reading.pairs():
            walk.take(pair, judge(pair, rule, as_of or now))
    return walk


# -- level 3 ---------------------------------------------------------------------------------


def _add_books(store: Store, walks: Sequence[_Walk]) -> None:
    """Records that contradict themselves; told with the break that they have already, if any."""
    done: set[tuple[str, str]] = set()
    known = {
        (one.entity, system, id): (walk, at)
        for walk in walks
        for at, one in enumerate(walk.breaks)
        for system, id in ((one.left_system, one.left_id), (one.right_system, one.right_id))
        if id is not None
    }
    for walk in walks:
        entity = walk.rule.entity
        for system in (walk.rule.left, walk.rule.right):
            if (entity, system) in done:
                continue
            done.add((entity, system))
            for id, findings in _contradictions(store, walk.rule, system):
                if place := known.get((entity, system, id)):
                    where, at = place
                    where.breaks[at] = _also(where.breaks[at], system, findings)
                else:
                    walk.breaks.append(_unbalanced(walk.rule, system, id, findings))


def _contradictions(
    store: Store, rule: FlowRule, system: str
) -> Iterator[tuple[str, list[books.Finding]]]:
    ids = Pairs(store.db).contradicting(rule.entity, system)
    for some in _batches(ids):
        records = store.records.many(rule.entity, system, some)
        for id, record in records.items():
            if rule.real and getattr(record, "status", None) not in rule.real:
                continue
            if findings := books.check(record):
                yield id, findings


def _batches(ids: Iterator[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for id in ids:
        some.append(id)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def _unbalanced(rule: FlowRule, system: str, id: str, findings: Sequence[books.Finding]) -> Break:
    first = findings[0]
    stake = max(abs(each.off_minor) for each in findings)
    here = system == rule.left
    return Break(
        flow=rule.name,
        kind="unbalanced",
        entity=rule.entity,
        left_system=rule.left,
        right_system=rule.right,
        left_id=id if here else None,
        right_id=None if here else id,
        currency=first.currency,
        stake_minor=stake,
        severity=severity_of("unbalanced", first.currency, stake),
        differences=tuple(
            Difference(each.rule, each.expected_minor, each.found_minor) for each in findings
        ),
        cause=f"in {system}: " + "; ".join(each.message for each in findings),
    )


def _also(one: Break, system: str, findings: Sequence[books.Finding]) -> Break:
    told = f"{system} contradicts itself: " + "; ".join(each.message for each in findings)
    return replace(one, cause=f"{one.cause}; {told}" if one.cause else told)


def _add_receivables(store: Store, walks: Sequence[_Walk]) -> None:
    """What customers owe, where no document of theirs already tells why it differs."""
    for walk in walks:
        if walk.rule.entity != "invoice":
            continue
        credits = next((each for each in walks if _credits_of(each.rule, walk.rule)), None)
        sides = {walk.rule.left, walk.rule.right}
        told = [each for each in walks if {each.rule.left, each.rule.right} == sides]
        touched = {link for each in told for link in each.touched}
        rule = credits.rule if credits else None
        for owed in Pairs(store.db).owed(walk.rule, rule):
            if owed.link not in touched and owed.left_id and owed.right_id:
                walk.breaks.append(_receivable(walk.rule, owed))


def _credits_of(rule: FlowRule, invoices: FlowRule) -> bool:
    return rule.entity == "credit_note" and (rule.left, rule.right) == (
        invoices.left,
        invoices.right,
    )


def _receivable(rule: FlowRule, owed: Owed) -> Break:
    stake = abs(owed.left_minor - owed.right_minor)
    return Break(
        flow=rule.name,
        kind="receivable",
        entity="customer",
        left_system=rule.left,
        right_system=rule.right,
        left_id=owed.left_id,
        right_id=owed.right_id,
        link=owed.link,
        currency=owed.currency or None,
        stake_minor=stake,
        severity=severity_of("receivable", owed.currency, stake),
        differences=(Difference("receivable_minor", owed.left_minor, owed.right_minor),),
        cause="open balances differ although no compared field of a document does",
        label=owed.name,
        customer=owed.name,
    )


# -- the result ------------------------------------------------------------------------------


def _file(store: Store, walks: Sequence[_Walk], run: str) -> Recorded:
    flying = [one.fingerprint for walk in walks for one in walk.in_flight]
    return Breaks(store.db).record(
        run,
        (one for walk in walks for one in walk.breaks),
        flows=[walk.rule.name for walk in walks],
        in_flight=flying,
    )


def _outcome(
    store: Store,
    walks: Sequence[_Walk],
    shown: Sequence[Proof],
    filed: Recorded,
    at: datetime,
    as_of: datetime | None,
    run: str,
) -> Outcome:
    found = sorted((one for walk in walks for one in walk.breaks), key=by_weight)
    lives = Breaks(store.db).lives(one.fingerprint for one in found)
    waived = [
        one
        for one in found
        if (life := lives.get(one.fingerprint)) is not None and life.state == "waived"
    ]
    aside = {one.fingerprint for one in waived}
    breaks = [one for one in found if one.fingerprint not in aside]
    counts = tuple(walk.count() for walk in walks)
    return Outcome(
        at=at,
        as_of=as_of,
        totals=tuple(total for walk in walks for total in walk.totals),
        proofs=tuple(shown),
        flows=counts,
        breaks=tuple(breaks),
        waived=tuple(waived),
        in_flight=tuple(one for walk in walks for one in walk.in_flight),
        kpis=_kpis(store, walks, counts, len(found), len(breaks)),
        lives=lives,
        new=len(filed.new),
        resolved=len(filed.resolved),
        run=run,
    )


def _kpis(
    store: Store, walks: Sequence[_Walk], counts: Sequence[FlowCount], found: int, open_breaks: int
) -> Kpis:
    agreeing = sum(count.agreeing for count in counts)
    places = {
        (walk.rule.entity, system) for walk in walks for system in (walk.rule.left, walk.rule.right)
    }
    good = sum(store.records.count(entity, system) for entity, system in places)
    aside = sum(store.quarantine.count(entity, system) for entity, system in places)
    writes = store.outbox.counts()
    stuck = writes.get("rejected", 0) + writes.get("unknown", 0)
    asked = open_breaks + store.candidates.count() + aside + stuck
    return Kpis(
        accuracy_percent=percent(agreeing, agreeing + found),
        money_percent=_money_shares(walks),
        quality_percent=percent(good, good + aside),
        automated_percent=percent(agreeing, agreeing + asked),
    )


def _money_shares(walks: Sequence[_Walk]) -> dict[str, Decimal]:
    """Currency -> share of the money on either side that no break touches."""
    whole: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for walk in walks:
        if not walk.rule.holds_money:
            continue
        for total in walk.totals:
            if total.system == walk.rule.left:
                whole[total.currency] += abs(total.minor)
        for one in walk.breaks:
            for currency, minor in one.effects():
                broken[currency] += abs(minor)
                whole[currency] += -minor if minor < 0 else 0
    return {
        currency: percent(max(0, whole[currency] - broken[currency]), whole[currency])
        for currency in sorted(whole)
        if currency in EXPONENTS
    }
