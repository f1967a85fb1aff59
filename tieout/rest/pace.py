"""How fast a provider may be called: a token bucket, a limit on parallel calls, a daily budget.

One `Pace` belongs to one credential and may be shared by any number of clients and threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tieout.core.errors import RateLimited
from tieout.core.ports import Ports

_SLOWEST = 16.0  # after many refusals: a sixteenth of the configured rate
_RECOVERY = 0.97  # each answered call takes back a little of a slow-down


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
        self._ports, self._lock = ports, threading.Lock()
        self._main = _Bucket(1 / per_second, burst)
        self._lanes: dict[str, _Bucket] = {}
        self._lane_rates, self._each_lane = dict(lanes or {}), each_lane
        self._slots = threading.BoundedSemaphore(concurrency) if concurrency else None
        self._per_day, self._day, self._spent = per_day, ports.now().date(), 0
        self._factor, self._blocked_until, self._slowed_at = 1.0, 0.0, float("-inf")

    @contextmanager
    def slot(self, lane: str = "") -> Iterator[None]:
        """Waits for its turn and holds a place among the parallel calls; may raise RateLimited."""
        if self._slots:
            self._slots.acquire()
        try:
            self._wait(lane)
            yield
        finally:
            if self._slots:
                self._slots.release()

    def refused(self, wait_seconds: float | None = None) -> None:
        """The provider said: too fast. Halves the rate and holds everyone for `wait_seconds`."""
        with self._lock:
            now = self._ports.monotonic()
            # Calls in flight together are refused together: that is one refusal, not many.
            if now - self._slowed_at >= 1.0:
                self._factor = min(_SLOWEST, self._factor * 2)
                self._slowed_at = now
            self._blocked_until = max(self._blocked_until, now + (wait_seconds or 0.0))

    def learn(self, told: Iterable[Learned]) -> None:
        """What the provider said about its pools; counts for every call from now on."""

    def answered(self) -> None:
        """A call went through: after a slow-down, a little faster again."""
        if self._factor > 1.0:
            with self._lock:
                self._factor = max(1.0, self._factor * _RECOVERY)

    def _wait(self, lane: str) -> None:
        with self._lock:
            self._spend()
            now = self._ports.monotonic()
            buckets = [self._main, *self._lane(lane)]
            due = max(bucket.due(now, self._factor) for bucket in buckets)
            due = max(due, self._blocked_until)
            for bucket in buckets:
                bucket.take(due, self._factor)
        while (left := due - self._ports.monotonic()) > 0:
            self._ports.sleep(left)
            with self._lock:  # a refusal meanwhile holds those who were already waiting, too
                due = max(due, self._blocked_until)

    def _lane(self, lane: str) -> list[_Bucket]:
        rate = self._lane_rates.get(lane, self._each_lane if lane else None)
        if rate is None:
            return []
        if lane not in self._lanes:
            self._lanes[lane] = _Bucket(1 / rate, max(1, int(rate / 5)))
        return [self._lanes[lane]]

    def _spend(self) -> None:
        if self._per_day is None:
            return
        now = self._ports.now().astimezone(UTC)
        if now.date() != self._day:
            self._day, self._spent = now.date(), 0
        if self._spent >= self._per_day:
            midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
            raise RateLimited(
                f"today's budget of {self._per_day} calls is used up",
                hint="it starts again at 00:00 UTC; raise calls_per_day if the provider allows",
                wait_seconds=(midnight - now).total_seconds(),
            )
        self._spent += 1


class _Bucket:
    """The generic cell rate algorithm: one number says when the bucket will be full again."""

    def __init__(self, interval: float, burst: int) -> None:
        self._interval, self._burst, self._full_at = interval, burst, float("-inf")

    def due(self, now: float, factor: float) -> float:
        """When the next call may go. While slowed down, the burst shrinks with the rate."""
        slack = self._interval * (max(1.0, self._burst / factor) - 1)
        if factor > 1.0:
            slack = 0.0
        return max(now, self._full_at - slack)

    def take(self, at: float, factor: float) -> None:
        self._full_at = max(self._full_at, at) + self._interval * factor
