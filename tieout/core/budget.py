"""What a caller asks of a credential's budget, and what it is told: values and the port.

All moments and durations are whole microseconds. Moments are of the budget's own clock, which
only moves forward: every asker brings its own time, and the latest counts. So neither a wall clock
that is set back nor two machines that disagree can stall a budget or fill it twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from .priority import Priority

SECOND = 1_000_000


@dataclass(frozen=True)
class Limit:
    """A rate: one call each `interval` in the long run, `burst` at once. `name` "" is the whole
    credential's, any other that of a lane."""

    name: str
    interval: int
    burst: int


@dataclass(frozen=True)
class Window:
    """A pool: `calls` in any `seconds`. `daily`: a person's own limit, of one UTC day."""

    name: str
    calls: int
    seconds: int
    daily: bool = False


@dataclass(frozen=True)
class Told:
    """What the provider said about a pool. `total`: our own calls when the call that heard it was
    granted; later ones may be missing in `used`."""

    pool: str
    limit: int | None = None
    used: int | None = None
    remaining: int | None = None
    resets_in: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Refused:
    """The provider said "too fast" at a moment; `wait` is what it asked for, if it did."""

    at: int
    wait: int | None = None


@dataclass(frozen=True)
class News:
    """What happened since the last question, in the order in which it is taken in. Whoever tells
    has nothing in hand any more: `holder`."""

    holder: str = ""
    returned: int = 0  # calls that were granted and not made
    pools: tuple[str, ...] = ()  # those that they were counted in
    lanes: dict[str, int] = field(default_factory=dict)  # what a portion made of them
    answered: int = 0
    refused: tuple[Refused, ...] = ()
    told: tuple[Told, ...] = ()
    released: tuple[str, ...] = ()  # leases that are over
    works_again: bool = False  # a call that a person asked for went through

    def __bool__(self) -> bool:
        told = self.refused or self.told or self.released or self.lanes or self.works_again
        return bool(self.returned or self.answered or told)


@dataclass(frozen=True)
class Ask:
    """May I call?

    holder     who asks; one Pace of one process.
    at         the asker's time; waited: how long it has been asking for this call.
    ahead      how long a portion of calls may reach if nobody else calls.
    places     calls of the credential that may be under way at once; None for any number.
    lease      the name of the place taken, which ends by itself after `lease_for`.
    day        the UTC day as a number, and how long it still lasts.
    reserve    percent of every pool left to others; None for the default.
    """

    holder: str
    level: Priority
    at: int
    limit: Limit
    lane: Limit | None = None
    windows: tuple[Window, ...] = ()
    waited: int = 0
    ahead: int = 0
    places: int | None = None
    lease: str = ""
    lease_for: int = 0
    day: int = 0
    day_ends_in: int = 0
    reserve: int | None = None
    system: str = ""


@dataclass(frozen=True)
class Span:
    """A stretch of a limit's line that is the holder's: from `full_at` up to `end`."""

    limit: Limit
    full_at: int
    end: int


@dataclass(frozen=True)
class Grant:
    """`calls` 0: ask again after `wait`, because of `why`. Else the first call may go at `due`.

    span     of the whole credential's limit, for the calls after the first.
    lanes    the portion is for any lane, and they stand like this; None: for calls of no lane.
    totals   our calls of each pool so far, to be handed back with what an answer tells.
    pool     the used-up pool that makes us wait, if one does.
    probe    one call to see whether a used-up pool has calls again: tell at once what it heard.
    """

    now: int
    calls: int = 0
    wait: int = 0
    due: int = 0
    why: str = ""
    pool: str = ""
    probe: bool = False
    span: Span | None = None
    lanes: dict[str, int] | None = None
    totals: dict[str, int] = field(default_factory=dict)


class Budget(Protocol):
    """The budgets of all credentials, shared by all workers. One of these is of one system."""

    def take(self, credential: str, ask: Ask, news: News) -> Grant:
        """One call or a portion of calls, or how long to wait."""
        ...

    def tell(self, credential: str, at: int, news: News) -> None:
        """What happened, without asking for anything."""
        ...

    def when_closed(self, settle: Callable[[], None]) -> None:
        """`settle` is called before the store closes: it hands back what was not used."""
        ...
