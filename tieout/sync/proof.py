"""How sure are we that a pull window brought everything? Pure: looks in, a verdict out.

    proven        the provider's own count, or its whole list of ids, agrees with what we hold
    supported     nothing that was looked for is missing, but not everything was looked for
    unproven      there was no second look, or it failed
    contradicted  a second look says that something is missing, or too much, and it stays so

Deletions are inferred only from a proven window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.connectors.base import Method

PROVEN, SUPPORTED, UNPROVEN, CONTRADICTED = "proven", "supported", "unproven", "contradicted"
# From the weakest to the strongest statement about a whole report.
VERDICTS = (CONTRADICTED, UNPROVEN, SUPPORTED, PROVEN)


@dataclass(frozen=True)
class Look:
    """What one method said, held against the store.

    says     COUNT: the provider's count. Others: how many ids it named.
    here     COUNT: how many the store holds of these.
    fetched  ids that were missing and have been fetched since.
    missing  ids that are missing still.
    whole    IDS: the list was complete.
    seconds  OVERLAP: how far the window reached back.
    """

    method: Method
    note: str = ""
    says: int = 0
    here: int = 0
    fetched: int = 0
    missing: int = 0
    whole: bool = False
    seconds: int = 0

    @property
    def agrees(self) -> bool:
        """Whether nothing speaks against the window."""
        return self.says == self.here if self.method is Method.COUNT else not self.missing

    @property
    def proves(self) -> bool:
        """Whether it covers everything, and agrees."""
        covers = self.method is Method.COUNT or (self.method is Method.IDS and self.whole)
        return covers and self.agrees


@dataclass(frozen=True)
class Statement:
    """A verdict, its sentence, and the looks as plain values."""

    verdict: str
    told: str
    evidence: Sequence[Mapping[str, Any]] = field(default=())

    @property
    def is_proof(self) -> bool:
        return self.verdict == PROVEN


def weigh(looks: Iterable[Look], *, failure: str = "") -> Statement:
    """The verdict on all looks at one window. `failure`: why looking ended early, "" if not."""
    found = list(looks)
    evidence = [_plain(each) for each in found]
    told = "; ".join(_told(each) for each in found)
    # A list of every id names what is missing; a count beside it may only be a moment older.
    whole = [each for each in found if each.method is Method.IDS and each.whole]
    decisive = [each for each in whole if each.proves] or found
    if any(not each.agrees for each in decisive):
        return Statement(CONTRADICTED, told, evidence)
    if any(each.proves for each in found):
        return Statement(PROVEN, told, evidence)
    if failure:
        return Statement(UNPROVEN, "; ".join(filter(None, (told, failure))), evidence)
    if found:
        return Statement(SUPPORTED, told, evidence)
    return Statement(UNPROVEN, "no second look is possible here", evidence)


def _told(look: Look) -> str:
    name = look.note or _NAMES[look.method]
    if look.method is Method.COUNT:
        return f"{name}: {look.says:,} there, {look.here:,} here"
    if look.method is Method.OVERLAP:
        return f"{name}: {look.seconds:,} s"
    parts = [f"{look.says:,} looked for"]
    parts += [f"{look.fetched:,} were missing and fetched"] if look.fetched else []
    parts += [f"{look.missing:,} missing"] if look.missing else []
    return f"{name}: " + ", ".join(parts)


_NAMES = {
    Method.COUNT: "count",
    Method.IDS: "list of ids",
    Method.FEED: "event feed",
    Method.SWEEP: "sweep of what the change filter leaves out",
    Method.OVERLAP: "overlap with the window before",
}


def _plain(look: Look) -> dict[str, Any]:
    found: dict[str, Any] = {"method": look.method.value, "note": look.note}
    if look.method is Method.COUNT:
        return found | {"says": look.says, "here": look.here}
    if look.method is Method.OVERLAP:
        return found | {"seconds": look.seconds}
    more = {"says": look.says, "fetched": look.fetched, "missing": look.missing}
    return found | more | ({"whole": look.whole} if look.method is Method.IDS else {})


def weakest(verdicts: Iterable[str]) -> str:
    """The verdict on several windows together: a chain is as strong as its weakest link."""
    known = [VERDICTS.index(each) for each in verdicts if each in VERDICTS]
    return VERDICTS[min(known)] if known else UNPROVEN
