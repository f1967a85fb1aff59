"""A break: one mismatch between two systems, with the money at stake. Pure values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from tieout.core.money import EXPONENTS

Kind = Literal["missing", "extra", "differs", "duplicate", "stale", "unbalanced", "receivable"]
Severity = Literal["critical", "high", "medium", "low"]

KINDS: dict[Kind, str] = {
    "missing": "the left system has it, the right one lacks it",
    "extra": "the right system has it, the left one lacks it",
    "differs": "both have it, with different values",
    "duplicate": "one system has it twice",
    "stale": "a write to mend it has been waiting for too long",
    "unbalanced": "a record contradicts itself",
    "receivable": "what a customer owes differs, though every document agrees",
}

# Whole currency units from which a difference is grave; by the currency's decimal places, so
# that a thousand yen are not taken for a thousand dollars.
_GRAVE = {0: 1_000_000, 2: 10_000, 3: 3_000, 4: 300}
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Difference:
    """One field that differs. Amounts are minor units; other values as the store holds them."""

    name: str
    left: Any
    right: Any


@dataclass(frozen=True)
class Break:
    """One mismatch of one pair of records.

    effect_minor   what it adds to (left total - right total) in `currency`: 0 without money.
    other_currency, other_minor  the second effect where the two sides differ in currency.
    stake_minor    the money that a person should care about, never negative; may be more than
                   the effect (a wrong balance under a right total).
    """

    flow: str
    kind: Kind
    entity: str
    left_system: str
    right_system: str
    left_id: str | None
    right_id: str | None
    link: str | None = None
    currency: str | None = None
    effect_minor: int = 0
    other_currency: str | None = None
    other_minor: int = 0
    stake_minor: int = 0
    severity: Severity = "low"
    differences: tuple[Difference, ...] = ()
    cause: str = ""
    label: str = ""
    customer: str = ""
    dated: str | None = None
    left_url: str | None = None
    right_url: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same from day to day while it is the same mismatch of the same records."""
        named = [self.flow, self.kind, self.entity, self.left_id, self.right_id]
        if self.kind == "receivable":
            named.append(self.currency)
        text = json.dumps(named, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def effects(self) -> Iterator[tuple[str, int]]:
        """(currency, minor units) that this adds to left total - right total."""
        if self.effect_minor:
            yield self.currency or "", self.effect_minor
        if self.other_minor:
            yield self.other_currency or "", self.other_minor


@dataclass(frozen=True)
class Life:
    """What became of a break since it was first seen. `state`: open, acknowledged, waived or
    resolved; a waiver ends with the day `waived_until`."""

    state: str
    first_seen: datetime
    last_seen: datetime
    assignee: str | None = None
    note: str | None = None
    waived_until: date | None = None

    def age_days(self, now: datetime) -> int:
        return max(0, (now - self.first_seen).days)


def severity_of(kind: Kind, currency: str | None, stake_minor: int) -> Severity:
    """How soon a person should look: by the money at stake; without money, by the kind."""
    if not stake_minor:
        return "medium" if kind in ("duplicate", "stale", "unbalanced") else "low"
    places = EXPONENTS.get(currency or "", 2)
    units = abs(stake_minor) // 10**places
    grave = _GRAVE[places]
    if units >= grave:
        return "critical"
    if units >= grave // 10:
        return "high"
    return "medium" if units >= grave // 1000 else "low"


def by_weight(one: Break) -> tuple[int, int, str, str, str]:
    """Sort key: gravest first, then most money (of any currency, coarsely), then by name."""
    places = EXPONENTS.get(one.currency or "", 2)
    weight = one.stake_minor * _GRAVE[2] // (10**places * _GRAVE[places])
    return (
        SEVERITIES.index(one.severity),
        -weight,
        one.flow,
        one.left_id or "",
        one.right_id or "",
    )
