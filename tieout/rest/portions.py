"""Calls granted ahead, kept by this process; and a budget that is of this process alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tieout.core.allowance import State, hear, take
from tieout.core.budget import Ask, Grant, Limit, News, Span

Slot = tuple[int, dict[str, int]]  # when the call may go; our totals at the grant


@dataclass
class _Portion:
    left: int
    span: Span
    lanes: dict[str, int] | None
    totals: dict[str, int]

    def lane_due(self, lane: Limit | None) -> int:
        known = self.lanes or {}
        return _due(known.get(lane.name, 0), lane) if lane else 0

    def take(self, lane: Limit | None, now: int) -> int | None:
        """When the next call may go; None where the stretch is used up or has passed."""
        limit = self.span.limit
        due = max(now, _due(self.span.full_at, limit), self.lane_due(lane))
        full_at = max(self.span.full_at, due) + limit.interval
        if not self.left or full_at > self.span.end:
            return None
        self.span, self.left = Span(limit, full_at, self.span.end), self.left - 1
        if lane and self.lanes is not None:
            self.lanes[lane.name] = max(self.lanes.get(lane.name, 0), due) + lane.interval
        return due

    def passed(self, now: int) -> bool:
        return not self.left or now + self.span.limit.interval > self.span.end


def _due(full_at: int, limit: Limit) -> int:
    return full_at - (limit.burst - 1) * limit.interval


class Portions:
    """The portion in hand. Not safe between threads: its Pace sees to that."""

    def __init__(self) -> None:
        self._held: _Portion | None = None
        self._unused, self._lanes = 0, dict[str, int]()

    def take(self, lane: Limit | None, now: int) -> Slot | int | None:
        """A slot; or until when this lane alone must wait; or None where nothing is left."""
        held = self._held
        if held is None or (lane and held.lanes is None):
            return None
        due = held.take(lane, now)
        if due is not None:
            return due, held.totals
        if not held.passed(now) and held.lane_due(lane) > now:
            return held.lane_due(lane)
        self._drop()
        return None

    def put(self, grant: Grant) -> None:
        """What a grant has beyond its first call."""
        if grant.calls < 2 or grant.span is None:
            return
        if self._held:
            self._unused += grant.calls - 1
            return
        self._held = _Portion(grant.calls - 1, grant.span, grant.lanes, grant.totals)

    def give_up(self) -> tuple[int, dict[str, int]]:
        """Nothing more is made of it: how many calls were not made, and how the lanes stand."""
        self._drop()
        told = self._unused, self._lanes
        self._unused, self._lanes = 0, {}
        return told

    def _drop(self) -> None:
        if self._held:
            self._unused += self._held.left
            self._lanes |= self._held.lanes or {}
            self._held = None


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
