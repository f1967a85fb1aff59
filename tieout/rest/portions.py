"""Calls granted ahead, kept by this process; and a budget that is of this process alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tieout.core.allowance import State, hear, take
from tieout.core.budget import Ask, Grant, News, Span


@dataclass
class _Portion:
    left: int
    spans: list[Span]
    totals: dict[str, int]

    def due(self, now: int) -> int | None:
        """When the next call may go; None where the stretch is used up or has passed."""
        due = now
        for span in self.spans:
            due = max(due, span.full_at - (span.limit.burst - 1) * span.limit.interval)
        moved = [self._moved(span, due) for span in self.spans]
        if not self.left or any(span.full_at > span.end for span in moved):
            return None
        self.spans, self.left = moved, self.left - 1
        return due

    @staticmethod
    def _moved(span: Span, due: int) -> Span:
        return Span(span.limit, max(span.full_at, due) + span.limit.interval, span.end)


class Portions:
    """By lane. Not safe between threads: its Pace sees to that."""

    def __init__(self) -> None:
        self._of: dict[str, list[_Portion]] = {}
        self._unused = 0

    def take(self, lane: str, now: int) -> tuple[int, dict[str, int]] | None:
        """(when the call may go, our totals at the grant), or None where nothing is left."""
        held = self._of.get(lane)
        while held:
            due = held[0].due(now)
            if due is not None:
                return due, held[0].totals
            self._unused += held.pop(0).left
        return None

    def put(self, lane: str, grant: Grant) -> None:
        """What a grant has beyond its first call."""
        if grant.calls > 1:
            portion = _Portion(grant.calls - 1, list(grant.spans), grant.totals)
            self._of.setdefault(lane, []).append(portion)

    def clear(self) -> int:
        """Everything is given up; how many calls were not made."""
        left = sum(each.left for held in self._of.values() for each in held) + self._unused
        self._of, self._unused = {}, 0
        return left

    def expired(self, now: int) -> int:
        """How many calls were not made while they could be, since the last question."""
        for held in self._of.values():
            for portion in [each for each in held if _passed(each, now)]:
                held.remove(portion)
                self._unused += portion.left
        left, self._unused = self._unused, 0
        return left


def _passed(portion: _Portion, now: int) -> bool:
    return any(now + span.limit.interval > span.end for span in portion.spans)


class LocalBudget:
    """The budget of one Pace that shares with nobody."""

    def __init__(self) -> None:
        self._state, self._lock = State(), threading.Lock()

    def take(self, credential: str, ask: Ask, news: News) -> Grant:
        with self._lock:
            hear(self._state, ask.at, news)
            return take(self._state, ask)

    def tell(self, credential: str, at: int, news: News) -> None:
        with self._lock:
            hear(self._state, at, news)

    def when_closed(self, settle: Callable[[], None]) -> None:
        """Nothing closes: what is counted here ends with the process."""
