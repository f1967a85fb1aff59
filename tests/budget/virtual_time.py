"""Workers on a clock that moves only when all of them sleep: exact, and without waiting."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from tieout.core.ports import Ports

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class VirtualTime:
    """One worker runs at a time, always the one that wakes first."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._numbers = count()
        self._over = threading.Event()
        self.failures: list[BaseException] = []

    def sleep(self, seconds: float) -> None:
        mine = threading.Event()
        heapq.heappush(self._sleepers, (self.seconds + max(seconds, 0), next(self._numbers), mine))
        self._next()
        assert mine.wait(60)

    def run(self, *workers: Callable[[], None]) -> None:
        """Until all of them have returned; the first failure is raised."""
        threads = []
        for worker in workers:
            go = threading.Event()
            heapq.heappush(self._sleepers, (self.seconds, next(self._numbers), go))
            thread = threading.Thread(target=self._worker, args=(worker, go), daemon=True)
            thread.start()
            threads.append(thread)
        self._over.clear()
        self._next()
        assert self._over.wait(120)
        if self.failures:
            raise self.failures[0]

    def ports(self, name: str = "w", *, wrong_by: float = 0.0) -> Ports:
        """What a worker runs on; `wrong_by`: its wall clock is off by so many seconds."""
        ids = count(1)
        return Ports(
            now=lambda: START + timedelta(seconds=self.seconds + wrong_by),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=lambda: f"{name}{next(ids)}",
        )

    def _worker(self, worker: Callable[[], None], go: threading.Event) -> None:
        assert go.wait(60)
        try:
            worker()
        except BaseException as error:
            self.failures.append(error)
        self._next()

    def _next(self) -> None:
        if not self._sleepers:
            self._over.set()
            return
        at, _, event = heapq.heappop(self._sleepers)
        self.seconds = max(self.seconds, at)
        event.set()


class Strict:
    """A provider that counts in the strictest way: so many calls in any `seconds`, no more."""

    def __init__(self, time: VirtualTime, calls: int, seconds: float) -> None:
        self.time, self.calls, self.seconds = time, calls, seconds
        self.taken: list[float] = []
        self.refused = 0

    def call(self, latency: float = 0.1) -> bool:
        """Arrives half a latency later; False for a 429."""
        self.time.sleep(latency / 2)
        now = self.time.seconds
        recent = sum(at > now - self.seconds for at in self.taken[-self.calls :])
        fine = recent < self.calls
        if fine:
            self.taken.append(now)
        self.refused += not fine
        self.time.sleep(latency / 2)
        return fine

    def most_within(self) -> int:
        return max(sum(at <= t < at + self.seconds for t in self.taken) for at in self.taken)
