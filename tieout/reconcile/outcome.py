"""What a reconciliation came to: everything that reports, mail and dashboard tell. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from .breaks import Break, Life
from .totals import Proof, Total


@dataclass(frozen=True)
class FlowCount:
    """Records of one flow in numbers. `compared` = agreeing + differing pairs."""

    flow: str
    entity: str
    left_system: str
    right_system: str
    left: int
    right: int
    compared: int
    agreeing: int
    breaks: int
    in_flight: int


@dataclass(frozen=True)
class Kpis:
    """Percentages with two places, rounded down so that 100 means all.

    accuracy_percent   of the pairs and lone records judged, those without a break.
    money_percent      currency -> share of the money in the control totals without a break.
    quality_percent    of the records received, those that could be used.
    automated_percent  of everything handled, what needed no person.
    """

    accuracy_percent: Decimal
    quality_percent: Decimal
    automated_percent: Decimal
    money_percent: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """One reconciliation, proved: `proofs` have nothing unexplained.

    breaks     what needs a person: open and acknowledged, gravest first.
    waived     breaks that somebody accepted for a time.
    in_flight  mismatches that a pending write or the settle window will mend.
    lives      fingerprint -> state, first day, assignee of each break.
    new, resolved  how many breaks appeared and vanished since the last reconciliation.
    """

    at: datetime
    as_of: datetime | None
    totals: tuple[Total, ...]
    proofs: tuple[Proof, ...]
    flows: tuple[FlowCount, ...]
    breaks: tuple[Break, ...]
    waived: tuple[Break, ...]
    in_flight: tuple[Break, ...]
    kpis: Kpis
    lives: Mapping[str, Life] = field(default_factory=dict)
    new: int = 0
    resolved: int = 0
    run: str = ""

    @property
    def compared(self) -> int:
        """Pairs of records that were held against each other."""
        return sum(flow.compared for flow in self.flows)

    @property
    def currencies(self) -> list[str]:
        return sorted({proof.currency for proof in self.proofs if proof.currency})


def percent(part: int, whole: int) -> Decimal:
    """Share in percent, rounded down to two places; nothing of nothing is all of it."""
    if whole <= 0:
        return Decimal("100.00")
    return (Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
