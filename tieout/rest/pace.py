"""How fast a provider may be called: rates, calls at once, pools; waits its turn, then calls.

One `Pace` belongs to one credential and may be shared by any number of clients and threads. With
a `credential` and a budget in its ports it shares these limits with all other workers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil

from tieout.core.budget import SECOND, Ask, Budget, Grant, Limit, News, Refused, Told, Window
from tieout.core.errors import RateLimited
from tieout.core.ports import Ports
from tieout.core.priority import Priority, current_priority

from .portions import LocalBudget, Portions, Slot

LONGEST_WAIT_SECONDS = 90.0  # waits longer than this are told, not slept through
AHEAD = SECOND // 4
OWN_DAY = "calls_per_day"
_LANE_BURST = 0.08  # seconds' worth of a lane's rate: with 92 % of a limit, never above it


@dataclass(frozen=True)
class Pool:
    """So many calls in any window of so many seconds, of the whole credential."""

    name: str
    calls: int
    seconds: int


@dataclass(frozen=True)
class Learned:
    """What an answer's headers say about a pool: whatever is known of it, else None."""

    pool: str
    limit: int | None = None
    used: int | None = None
    remaining: int | None = None
    resets_in_seconds: float | None = None


class Pace:
    """Never more than `burst + per_second * t` calls in any t seconds.

    concurrency  calls under way at once; None for no limit.
    per_day      calls per UTC day; then RateLimited until midnight.
    lanes        further limits by name, calls a second: `{"search": 12}`; a call names its lane.
    each_lane    the limit of every lane not named in `lanes`; None for none.
    credential   names the login whose budget all workers share, such as "salesforce:00D..": no
                 secret. "" keeps the budget to this process.
    pools        limits over longer windows: `(Pool("minute", 150, 60), Pool("day", 15000, 86400))`.
    """

    def __init__(
        self,
        per_second: float,
        burst: int = 1,
        *,
        ports: Ports,
        concurrency: int | None = None,
        per_day: int | None = None,
        lanes: Mapping[str, float] | None = None,
        each_lane: float | None = None,
        credential: str = "",
        pools: tuple[Pool, ...] = (),
    ) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a pace needs per_second > 0 and burst >= 1")
        self.credential, self.pools = credential, pools
        self._ports, self._per_day = ports, per_day
        self._main = Limit("", _interval(per_second), burst)
        self._lane_rates, self._each_lane = dict(lanes or {}), each_lane
        self._windows = tuple(Window(pool.name, pool.calls, pool.seconds) for pool in pools)
        if per_day is not None:
            self._windows += (Window(OWN_DAY, per_day, 86_400, daily=True),)
        self._concurrency = concurrency
        self._slots = threading.BoundedSemaphore(concurrency) if concurrency else None
        self._longest_call = 60 * SECOND
        self._shared = ports.budget if credential else None
        self._budget: Budget = self._shared or LocalBudget()
        self._holder = ports.new_id() if self._shared else ""
        self._began, self._leases = (ports.now(), ports.monotonic()), 0
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._portions, self._here = Portions(), threading.local()
        self._shift, self._refusals, self._probing = 0, 0, False
        self._news = News()
        if self._shared:
            self._shared.when_closed(self._settle)

    @contextmanager
    def slot(self, lane: str = "") -> Iterator[None]:
        """Waits for its turn and holds a place among the parallel calls; may raise RateLimited."""
        if self._slots:
            self._slots.acquire()
        lease = self._lease()
        try:
            self._wait(lane, lease)
            yield
        finally:
            if lease:
                self._tell(News(released=(lease,)))
            if self._slots:
                self._slots.release()

    def refused(self, wait_seconds: float | None = None) -> None:
        """The provider said: too fast. Halves the rate and holds everyone for `wait_seconds`."""
        with self._lock:
            now = self._now()
            wait = None if wait_seconds is None else round(wait_seconds * SECOND)
            self._refusals += 1
            self._hand_back()
        self._tell(News(refused=(Refused(now, wait),)))

    def learn(self, told: Iterable[Learned]) -> None:
        """What the provider said about its pools; counts for every call from now on."""
        at_once = False
        for each in told:
            with self._lock:
                at_once |= self._hear(each)
        if at_once and self._shared:
            self._tell(News())

    def answered(self) -> None:
        """A call went through: after a slow-down, a little faster again."""
        with self._lock:
            again = self._news.works_again or current_priority() is Priority.PERSON
            answered = self._news.answered + 1
            self._news = replace(self._news, answered=answered, works_again=again)

    def covers(self, seconds: float) -> None:
        """A call may take so long: its place is kept for it, even if nobody is heard of."""
        self._longest_call = max(self._longest_call, round((seconds + 5.0) * SECOND))

    # -- waiting ---------------------------------------------------------------------------

    def _wait(self, lane: str, lease: str) -> None:
        began, limit = self._now(), self._lane(lane)
        while True:
            before = self._refusals
            with self._lock:
                found = self._portions.take(limit, self._now())
            if found is None:
                found = self._ask(limit, lease, began)
            if isinstance(found, tuple):
                due, self._here.totals = found
                self._sleep_until(due)
                if self._refusals == before:
                    return
                with self._lock:  # a refusal meanwhile holds those who were already waiting, too
                    self._news = replace(self._news, returned=self._news.returned + 1)
            elif found is not None:
                self._sleep_until(found)

    def _sleep_until(self, due: int) -> None:
        while (left := due - self._now()) > 0:
            self._ports.sleep(left / SECOND)

    def _ask(self, lane: Limit | None, lease: str, began: int) -> Slot | int | None:
        """One at a time, so that threads of a process use what is theirs before they want more."""
        alone = self._asking.acquire(timeout=2.0)
        try:
            with self._lock:
                if found := self._portions.take(lane, self._now()):
                    return found
                news, now = self._take_news(), self._now()
            question = self._question(lane, lease, now, began)
            grant = self._budget.take(self.credential, question, news)
            with self._lock:
                # Another machine's clock may be ahead; whoever is behind follows it.
                self._shift += max(0, grant.now - self._now())
                if grant.calls:
                    self._probing |= grant.probe
                    self._portions.put(grant)
                    return grant.due, grant.totals
        finally:
            if alone:
                self._asking.release()
        if grant.wait > LONGEST_WAIT_SECONDS * SECOND:
            raise self._used_up(grant)
        self._ports.sleep(grant.wait / SECOND)
        return None

    def _question(self, lane: Limit | None, lease: str, now: int, began: int) -> Ask:
        wall = self._ports.now().astimezone(UTC)
        midnight = datetime(wall.year, wall.month, wall.day, tzinfo=UTC) + timedelta(days=1)
        return Ask(
            self._holder,
            current_priority(),
            now,
            self._main,
            lane,
            self._windows,
            waited=now - began,
            ahead=AHEAD,
            places=self._concurrency if lease else None,
            lease=lease,
            lease_for=self._longest_call,
            day=wall.toordinal(),
            day_ends_in=round((midnight - wall).total_seconds() * SECOND),
        )

    def _lane(self, lane: str) -> Limit | None:
        rate = self._lane_rates.get(lane, self._each_lane if lane else None)
        if rate is None:
            return None
        return Limit(lane, _interval(rate), max(1, ceil(rate * _LANE_BURST)))

    def _lease(self) -> str:
        """A place among the calls of all workers; "" where this process counts for itself."""
        if not (self._shared and self._concurrency):
            return ""
        with self._lock:
            self._leases += 1
            return f"{self._holder}.{self._leases}"

    def _used_up(self, grant: Grant) -> RateLimited:
        seconds = grant.wait / SECOND
        until = self._ports.now().astimezone(UTC) + timedelta(seconds=seconds)
        at = until.strftime("%H:%M UTC" if seconds < 43_200 else "%Y-%m-%d %H:%M UTC")
        if grant.pool == OWN_DAY:
            message = f"today's budget of {self._per_day} calls is used up"
            hint = "it starts again at 00:00 UTC; raise calls_per_day if the provider allows"
        elif grant.pool:
            message = f"what tieout may use of the {grant.pool} calls is used up until {at}"
            hint = f"nothing is lost: run it again after {at}; tieout status shows who used them"
        else:
            message = f"the provider wants no calls until {at}"
            hint = f"nothing is lost: run it again after {at}; if it works again: tieout check"
        return RateLimited(message, hint=hint, wait_seconds=seconds)

    # -- news ------------------------------------------------------------------------------

    def _hear(self, each: Learned) -> bool:
        """Whether the other workers must know at once."""
        resets = each.resets_in_seconds
        told = Told(
            each.pool,
            each.limit,
            each.used,
            each.remaining,
            None if resets is None else round(resets * SECOND),
            getattr(self._here, "totals", {}).get(each.pool),
        )
        older = tuple(known for known in self._news.told if known.pool != each.pool)
        self._news = replace(self._news, told=(*older, told))
        left = _left(each)
        if left is not None and left <= max(50, (each.limit or 0) // 10):
            self._hand_back()  # no call may go on what was handed out before
        at_once = self._probing or (left is not None and left <= 0)
        self._probing = False
        return at_once

    def _hand_back(self) -> None:
        left, lanes = self._portions.give_up()
        self._news = replace(
            self._news,
            returned=self._news.returned + left,
            pools=tuple(window.name for window in self._windows),
            lanes={**self._news.lanes, **lanes},
        )

    def _take_news(self) -> News:
        self._hand_back()
        news, self._news = replace(self._news, holder=self._holder), News()
        return news

    def _tell(self, more: News) -> None:
        with self._lock:
            news, now = self._take_news(), self._now()
        together = replace(news, refused=more.refused, released=more.released)
        self._budget.tell(self.credential, now, together)

    def _settle(self) -> None:
        """What was not used goes back, what was heard is kept, before the store closes."""
        with self._lock:
            self._hand_back()
            news = self._news
        if news:
            self._tell(News())

    def _now(self) -> int:
        """The budget's time: the wall clock of the start, moved on by what cannot jump."""
        wall, steady = self._began
        passed = self._ports.monotonic() - steady
        return round(wall.timestamp()) * SECOND + round(passed * SECOND) + self._shift


def _interval(per_second: float) -> int:
    return max(1, ceil(SECOND / per_second - 1e-6))


def _left(told: Learned) -> int | None:
    if told.remaining is None and told.limit is not None and told.used is not None:
        return told.limit - told.used
    return told.remaining
