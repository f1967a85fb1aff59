"""What the report says, as ready texts: page, plain text, workbook and mail tell the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tieout.reconcile.breaks import SEVERITIES, Break
from tieout.reconcile.outcome import Outcome
from tieout.reconcile.totals import Proof

from . import words


@dataclass(frozen=True)
class Freshness:
    """One entity of one system: how many records, how many set aside, when last read, and how
    sure we are that none is missing (`verdict`, and `told` in a sentence)."""

    system: str
    entity: str
    records: int
    set_aside: int = 0
    pulled_at: datetime | None = None
    verdict: str = "unproven"
    told: str = ""


@dataclass(frozen=True)
class Complete:
    """How we know that nothing of one entity of one system is missing; all texts."""

    system: str
    entity: str
    verdict: str
    told: str


@dataclass(frozen=True)
class Written:
    """Writes of the day to one target; `money` is (currency, minor units) of what was created."""

    target: str
    entity: str
    action: str
    count: int
    money: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Context:
    """What the report tells beside the outcome. `timezone` is the reader's; `hosts` extends the
    provider hosts that ids are linked to; `page_url` is the dashboard's list of breaks."""

    title: str = "Daily reconciliation"
    timezone: str = "UTC"
    freshness: Sequence[Freshness] = ()
    written: Sequence[Written] = ()
    hosts: frozenset[str] = frozenset()
    page_url: str = ""


@dataclass(frozen=True)
class Kpi:
    name: str
    shown: str
    goal: str
    met: bool


@dataclass(frozen=True)
class TieRow:
    """One flow in one currency; all texts, `even` where both totals are the same."""

    flow: str
    entity: str
    left_system: str
    right_system: str
    currency: str
    left: str
    right: str
    difference: str
    breaks: str
    in_flight: str
    tolerated: str
    explained: str
    unexplained: str
    even: bool


@dataclass(frozen=True)
class Group:
    """Breaks of one kind with one likely cause."""

    title: str
    cause: str
    severity: str
    count: int
    share: int  # of the largest group's count, 0 to 100
    stakes: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One break."""

    fingerprint: str
    severity: str
    state: str
    kind: str
    entity: str
    title: str
    customer: str
    cause: str
    left_system: str
    right_system: str
    left_id: str
    right_id: str
    left_url: str
    right_url: str
    stake: str
    differences: tuple[tuple[str, str, str], ...]
    age: str
    age_days: int
    dated: str
    assignee: str
    note: str


@dataclass(frozen=True)
class Facts:
    """The whole report."""

    title: str
    made: str
    zone: str
    as_of: str
    headline: str
    proof: str
    good: bool
    kpis: tuple[Kpi, ...]
    tie: tuple[TieRow, ...]
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    waived: tuple[Row, ...]
    in_flight: str
    movement: str
    ages: tuple[tuple[str, int], ...]
    kinds: tuple[tuple[str, int], ...]
    freshness: tuple[tuple[str, str, str, str, str], ...]
    stale: bool
    written: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str, str, str, str, str], ...] = field(default=())
    page_url: str = ""
    complete: tuple[Complete, ...] = ()
    completeness: str = ""


KIND_WORDS = {
    "missing": "missing",
    "extra": "surplus",
    "differs": "differing",
    "duplicate": "duplicate",
    "stale": "overdue",
    "unbalanced": "contradictory",
    "receivable": "receivable off",
}
GOALS = {"accuracy": "99.5", "quality": "99", "automated": "90"}
STALE_HOURS = 26  # a day and a little: the daily pull did not come


def facts_of(outcome: Outcome, context: Context) -> Facts:
    """Everything that the report says, in the reader's words. Pure."""
    rows = tuple(_row(one, outcome, context) for one in outcome.breaks)
    return Facts(
        title=words.clean(context.title),
        made=words.clock(outcome.at if outcome.as_of is None else outcome.as_of, context.timezone),
        zone=context.timezone,
        as_of="" if outcome.as_of is None else words.clock(outcome.as_of, context.timezone),
        headline=_headline(outcome),
        proof=_proof(outcome),
        good=not outcome.breaks,
        kpis=_kpis(outcome),
        tie=tuple(_tie(proof, outcome) for proof in outcome.proofs),
        groups=_groups(outcome.breaks),
        rows=rows,
        waived=tuple(_row(one, outcome, context) for one in outcome.waived),
        in_flight=_in_flight(outcome),
        movement=_movement(outcome),
        ages=_ages(rows),
        kinds=_kinds(outcome.breaks),
        freshness=tuple(_fresh(each, outcome, context) for each in context.freshness),
        stale=any(_is_stale(each, outcome) for each in context.freshness),
        written=tuple(_written(each) for each in context.written),
        counts=_counts(outcome),
        page_url=context.page_url,
        complete=tuple(_complete(each) for each in context.freshness),
        completeness=_completeness(context.freshness),
    )


def _headline(outcome: Outcome) -> str:
    if not outcome.breaks:
        return "The systems tie out: nothing needs a person"
    need = "needs" if len(outcome.breaks) == 1 else "need"
    return f"{words.plural(len(outcome.breaks), 'break')} {need} a person"


def _proof(outcome: Outcome) -> str:
    wrong = [one for one in outcome.proofs if one.unexplained_minor]
    if wrong:
        left = words.sums((one.currency, one.unexplained_minor) for one in wrong)
        return "NOT explained: " + "; ".join(left)
    if not outcome.currencies:
        return "No money was compared"
    return f"Every cent explained: unexplained 0.00 in {words.listed(outcome.currencies)}"


def _kpis(outcome: Outcome) -> tuple[Kpi, ...]:
    told = outcome.kpis
    figures = (
        ("Accuracy", told.accuracy_percent, GOALS["accuracy"]),
        ("Data quality", told.quality_percent, GOALS["quality"]),
        ("Automated", told.automated_percent, GOALS["automated"]),
    )
    shares = tuple(
        Kpi(name, f"{figure} %", f"goal {goal} %", figure >= type(figure)(goal))
        for name, figure, goal in figures
    )
    pairs = Kpi("Pairs compared", f"{outcome.compared:,}", _agreeing(outcome), True)
    return (*shares, pairs)


def _agreeing(outcome: Outcome) -> str:
    return f"{sum(flow.agreeing for flow in outcome.flows):,} agree"


def _tie(proof: Proof, outcome: Outcome) -> TieRow:
    flow = next(each for each in outcome.flows if each.flow == proof.flow)

    def shown(minor: int) -> str:
        return words.amount(minor, proof.currency)

    return TieRow(
        flow=words.clean(proof.flow),
        entity=words.entity(flow.entity),
        left_system=flow.left_system,
        right_system=flow.right_system,
        currency=words.clean(proof.currency) or "none",
        left=shown(proof.left_minor),
        right=shown(proof.right_minor),
        difference=shown(proof.difference_minor),
        breaks=shown(proof.breaks_minor),
        in_flight=shown(proof.in_flight_minor),
        tolerated=shown(proof.tolerated_minor),
        explained=shown(proof.explained_minor),
        unexplained=shown(proof.unexplained_minor),
        even=not proof.difference_minor,
    )


def _groups(breaks: Sequence[Break]) -> tuple[Group, ...]:
    """By kind, entity and the head of the cause; most grave, then most numerous first."""
    found: dict[tuple[str, str, str], list[Break]] = {}
    for one in breaks:
        head = one.cause.partition(":")[0].partition(";")[0]
        found.setdefault((one.kind, one.entity, head), []).append(one)
    most = max((len(each) for each in found.values()), default=1)
    groups = [
        Group(
            title=f"{words.entity(entity)}, {KIND_WORDS.get(kind, kind)}",
            cause=words.shortened(words.clean(head), 120) or "no likely cause known",
            severity=min((one.severity for one in some), key=SEVERITIES.index),
            count=len(some),
            share=max(2, 100 * len(some) // most),
            stakes=tuple(words.sums((one.currency, one.stake_minor) for one in some))
            or ("no money",),
        )
        for (kind, entity, head), some in found.items()
    ]
    ranks: tuple[str, ...] = SEVERITIES
    return tuple(sorted(groups, key=lambda each: (ranks.index(each.severity), -each.count)))


def _row(one: Break, outcome: Outcome, context: Context) -> Row:
    life = outcome.lives.get(one.fingerprint)
    old = life.age_days(outcome.at) if life else 0
    hosts = words.PROVIDER_HOSTS | context.hosts
    entity = words.entity(one.entity)
    return Row(
        fingerprint=one.fingerprint,
        severity=one.severity,
        state=life.state if life else "open",
        kind=KIND_WORDS.get(one.kind, one.kind),
        entity=entity,
        title=words.shortened(words.clean(one.label or one.left_id or one.right_id), 60),
        customer=words.shortened(words.clean(one.customer), 60),
        cause=words.shortened(words.clean(one.cause), 300),
        left_system=one.left_system,
        right_system=one.right_system,
        left_id=words.shortened(words.clean(one.left_id), 60),
        right_id=words.shortened(words.clean(one.right_id), 60),
        left_url=words.safe_url(one.left_url, hosts),
        right_url=words.safe_url(one.right_url, hosts),
        stake=words.money(one.stake_minor, one.currency) if one.stake_minor else "",
        differences=tuple(
            (
                words.field(each.name),
                words.shortened(words.value(each.name, each.left, one.currency), 80),
                words.shortened(words.value(each.name, each.right, one.currency), 80),
            )
            for each in (() if one.kind == "duplicate" else one.differences)
        ),
        age=words.days(old),
        age_days=old,
        dated=one.dated or "",
        assignee=words.shortened(words.clean(life.assignee if life else ""), 60),
        note=words.shortened(words.clean(life.note if life else ""), 200),
    )


def _in_flight(outcome: Outcome) -> str:
    count = len(outcome.in_flight)
    if not count:
        return "Nothing is in flight."
    stakes = words.sums((one.currency, one.stake_minor) for one in outcome.in_flight)
    return (
        f"{words.plural(count, 'pair')} in flight ({', '.join(stakes) or 'no money'}): changed just"
        " now, or a write is on its way. Counted in the proof, not flagged."
    )


def _movement(outcome: Outcome) -> str:
    parts = [f"{outcome.new:,} new", f"{outcome.resolved:,} resolved"]
    if outcome.waived:
        parts.append(f"{len(outcome.waived):,} waived")
    return "Since the last report: " + ", ".join(parts)


_AGES = (("new", 0, 0), ("1 to 3 days", 1, 3), ("4 to 14", 4, 14), ("15 to 30", 15, 30))


def _ages(rows: Sequence[Row]) -> tuple[tuple[str, int], ...]:
    found = [
        (name, sum(first <= row.age_days <= last for row in rows)) for name, first, last in _AGES
    ]
    return (*found, ("older", sum(row.age_days > 30 for row in rows)))


def _kinds(breaks: Sequence[Break]) -> tuple[tuple[str, int], ...]:
    counts = {kind: sum(one.kind == kind for one in breaks) for kind in KIND_WORDS}
    return tuple((KIND_WORDS[kind], count) for kind, count in counts.items() if count)


def _is_stale(each: Freshness, outcome: Outcome) -> bool:
    if each.pulled_at is None:
        return True
    return (outcome.at - each.pulled_at).total_seconds() > STALE_HOURS * 3600


def _fresh(each: Freshness, outcome: Outcome, context: Context) -> tuple[str, str, str, str, str]:
    when = words.clock(each.pulled_at, context.timezone)
    late = f"{words.age(each.pulled_at, outcome.at)}{' - late' if _is_stale(each, outcome) else ''}"
    aside = f"{each.set_aside:,} set aside" if each.set_aside else ""
    return (each.system, words.entity(each.entity), f"{each.records:,}", aside, f"{when} ({late})")


def _complete(each: Freshness) -> Complete:
    told = words.shortened(words.clean(each.told), 300)
    return Complete(words.clean(each.system), words.entity(each.entity), each.verdict, told)


def _completeness(all_of: Sequence[Freshness]) -> str:
    """One sentence on all that was read."""
    if not all_of:
        return ""
    proven = sum(each.verdict == "proven" for each in all_of)
    wrong = sum(each.verdict == "contradicted" for each in all_of)
    sentence = f"{proven:,} of {words.plural(len(all_of), 'record set')} proven complete"
    return f"{sentence}, {wrong:,} contradicted" if wrong else sentence


def _written(each: Written) -> tuple[str, str]:
    count = words.plural(each.count, words.entity(each.entity))
    what = f"{count} {_PAST.get(each.action, each.action)}"
    stakes = words.sums(each.money)
    return f"{what} in {words.clean(each.target)}", ", ".join(stakes)


_PAST = {"create": "created", "update": "updated", "archive": "archived"}


def _counts(outcome: Outcome) -> tuple[tuple[str, str, str, str, str, str], ...]:
    return tuple(
        (
            words.clean(flow.flow),
            f"{flow.left:,}",
            f"{flow.right:,}",
            f"{flow.compared:,}",
            f"{flow.breaks:,}",
            f"{flow.in_flight:,}",
        )
        for flow in outcome.flows
    )
