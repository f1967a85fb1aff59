"""Control totals, and the proof that every cent between them is explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tieout.core.errors import StopRun

from .rules import DEAD


@dataclass(frozen=True)
class Total:
    """Records of one system that count in a flow, added up by the database.

    `minor` is the sum in minor units of `currency` ('' where a record names none); what is void
    counts as a record, but adds no money. `period` is `YYYY-MM`, '' without a date.
    """

    flow: str
    system: str
    entity: str
    currency: str
    period: str
    status: str
    count: int
    minor: int

    @property
    def dead(self) -> bool:
        return self.status in DEAD


@dataclass(frozen=True)
class Proof:
    """left - right of one flow and currency, and what explains it; minor units throughout.

    breaks_minor     effects of breaks, waived ones too.
    in_flight_minor  effects of what a pending write or the settle window will mend.
    tolerated_minor  what the flow's tolerances let pass.
    """

    flow: str
    currency: str
    left_minor: int
    right_minor: int
    breaks_minor: int = 0
    in_flight_minor: int = 0
    tolerated_minor: int = 0

    @property
    def difference_minor(self) -> int:
        return self.left_minor - self.right_minor

    @property
    def explained_minor(self) -> int:
        return self.breaks_minor + self.in_flight_minor + self.tolerated_minor

    @property
    def unexplained_minor(self) -> int:
        return self.difference_minor - self.explained_minor


Effects = Mapping[str, int]  # currency -> minor units


def sums(totals: Iterable[Total], system: str) -> Counter[str]:
    """Currency -> minor units of one system."""
    found: Counter[str] = Counter()
    for total in totals:
        if total.system == system:
            found[total.currency] += total.minor
    return found


def proofs(
    flow: str,
    left: Effects,
    right: Effects,
    breaks: Effects,
    in_flight: Effects,
    tolerated: Effects,
) -> list[Proof]:
    """One proof a currency that occurs anywhere; whether it holds is for `prove` to say."""
    found = {*left, *right, *breaks, *in_flight, *tolerated}
    return [
        Proof(
            flow,
            currency,
            left.get(currency, 0),
            right.get(currency, 0),
            breaks.get(currency, 0),
            in_flight.get(currency, 0),
            tolerated.get(currency, 0),
        )
        for currency in sorted(found)
    ]


def prove(found: Iterable[Proof]) -> None:
    """StopRun if a single cent between two totals is not explained.

    The totals come from SUM in the database, the effects from the walk over the records: a
    record that the walk lost, or counted twice, shows here.
    """
    wrong = [one for one in found if one.unexplained_minor]
    if wrong:
        raise StopRun(
            "the totals do not tie out: "
            + "; ".join(
                f"{one.flow}: {one.unexplained_minor} minor units of"
                f" {one.currency or 'no currency'} unexplained"
                for one in wrong
            ),
            hint="nothing was filed; report it with the store, this is a fault of tieout",
        )


def prove_counts(flow: str, left_paired: int, right_paired: int) -> None:
    """StopRun unless both sides have the same number of records in pairs."""
    if left_paired != right_paired:
        raise StopRun(
            f"{flow}: {left_paired} records of the left side are in pairs,"
            f" but {right_paired} of the right side",
            hint="nothing was filed; report it with the store, this is a fault of tieout",
        )
