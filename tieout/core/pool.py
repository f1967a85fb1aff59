"""One pool of calls: what we used of it, what the provider says, what may still be used by whom."""

from __future__ import annotations

import msgspec

from .budget import SECOND, Ask, Told, Window
from .priority import Priority

HOUR, DAY = 3600, 86_400
LENGTHS = {"second": 1, "minute": 60, "hour": HOUR, "day": DAY}
# Percent of a pool that is left to whoever else uses the login; short windows refill at once.
RESERVE_LONG, RESERVE_SHORT = 20, 5
# Percent of what we may use in a window of an hour or more that is kept for more urgent work.
KEPT_BACK = {
    Priority.PERSON: 0,
    Priority.WEBHOOK: 0,
    Priority.PUSH: 0,
    Priority.INCREMENTAL: 2,
    Priority.RECONCILIATION: 5,
    Priority.BACKFILL: 10,
}
LOOKS = 3
PROBES = 96  # looks at a pool that others have used up, in one window


class Pool(msgspec.Struct, omit_defaults=True):
    """`slices` counts our calls by the slice of the window in which they were granted."""

    began: int
    calls: int = 0  # what the provider allows; 0 while unknown
    seconds: int = DAY
    reserve: int = RESERVE_LONG
    daily: bool = False
    configured: bool = False  # by somebody; else only heard of
    used_at: int = 0
    day: int = 0
    today: int = 0
    total: int = 0  # our calls, ever
    slices: dict[int, int] = {}
    others: dict[int, tuple[int, int]] = {}  # by slice: (when, how many calls others had made)
    told_used: int = -1
    told_total: int = 0
    told_at: int = 0
    told_limit: int = 0
    since: int = 0  # the window began then, where the provider told when it ends
    resets_at: int = 0
    used_up_until: int = 0

    # -- what is known ---------------------------------------------------------------------

    def configure(self, window: Window, ask: Ask) -> None:
        """Settings may have changed since it was stored."""
        self.calls, self.configured = self.told_limit or window.calls, True
        if window.seconds != self.seconds:
            self.slices, self.others = {}, {}  # counted in slices of another length
        self.seconds, self.daily = window.seconds, window.daily
        if window.daily:
            self.reserve = 0
        elif ask.reserve is not None:
            self.reserve = ask.reserve
        else:
            self.reserve = RESERVE_LONG if window.seconds >= HOUR else RESERVE_SHORT
        # A clock that is behind does not give the day's calls a second time; one that was far
        # ahead does not keep them for ever.
        if window.daily and not self.day - 1 <= ask.day <= self.day:
            self.today = 0 if ask.day > self.day else self.today
            self.day = ask.day

    def hear(self, told: Told, now: int) -> None:
        """An answer's figures replace our own guess from here on."""
        if told.limit:
            self.told_limit = self.calls = told.limit
        used = told.used
        if used is None and told.remaining is not None and self.calls:
            used = self.calls - told.remaining
        if told.resets_in is not None and told.resets_in >= 0:
            self.resets_at = now + told.resets_in
            self.since = max(0, self.resets_at - self.seconds * SECOND)
        if used is not None:
            self.told_used, self.told_at = max(0, used), now
            self.told_total = self.total if told.total is None else min(told.total, self.total)
            self.used_up_until = 0
            self.others.setdefault(self._slice(now), (now, self.by_others(now)))
        self.refresh(now)

    def usable(self, level: Priority) -> int:
        """How many calls of the window may be used up before work of this level must stop."""
        left = self.calls - self.calls * self.reserve // 100
        kept = KEPT_BACK[level] if self.seconds >= HOUR else 0
        return left - left * kept // 100

    def used(self, now: int) -> int:
        """By everybody, as far as we know."""
        told = self.told_used + self.total - self.told_total if self._told(now) else 0
        return max(self.by_us(now), told)

    def by_us(self, now: int) -> int:
        if self.daily:
            return self.today
        return sum(n for _, n in self._live(now))

    def by_others(self, now: int) -> int:
        return max(0, self.used(now) - self.by_us(now))

    def per_hour(self, now: int) -> float:
        """How fast the pool goes, by the last four slices and the present one."""
        oldest = self._slice(now) - 4
        passed = now - max(oldest * self._length, self.began)
        recent = sum(n for at, n in self.slices.items() if at >= oldest)
        ours = recent / passed if passed > 0 else 0.0
        seen = [pair for at, pair in sorted(self.others.items()) if at >= oldest]
        at, before = seen[0] if seen else (now, 0)
        told = max(at, self.told_at)
        theirs = max(0, self.by_others(now) - before) / (told - at) if told > at else 0.0
        return (ours + theirs) * SECOND * HOUR

    # -- spending --------------------------------------------------------------------------

    def wait(self, now: int, ask: Ask) -> int:
        """0, or how long until work of this level may go on."""
        self.refresh(now)
        if not self.used_up(now, ask.level):
            self.used_up_until = 0
            return 0
        resume = self._resume(now, self.usable(ask.level), ask)
        if resume <= now:  # only others stand in the way: look again, with one call
            return 0
        self.used_up_until = resume
        return resume - now

    def used_up(self, now: int, level: Priority) -> bool:
        return self.calls > 0 and self.used(now) >= self.usable(level)

    def portion(self, now: int, ask: Ask) -> int:
        """How many calls may be handed out at once: fewer as the end comes near, and one by one
        until the first answers had a chance to tell how much is left."""
        if not (self.daily or self._told(now)) and self.total < LOOKS:
            return 1
        return max(1, (self.usable(ask.level) - self.used(now)) // 20)

    def spend(self, count: int, now: int, *, probe: bool = False) -> None:
        if probe:
            self.told_at = now  # the next look is a while away
        place, self.used_at = self._slice(now), now
        self.slices[place] = self.slices.get(place, 0) + count
        self.total += count
        self.today += count if self.daily else 0

    def give_back(self, count: int, now: int) -> None:
        """Calls that were granted and not made; only what was granted lately can come back."""
        for place in (self._slice(now), self._slice(now) - 1):
            back = min(count, self.slices.get(place, 0))
            if back:
                self.slices[place] -= back
                self.total -= back
                self.today -= min(back, self.today)
                count -= back

    # -- parts -----------------------------------------------------------------------------

    def _resume(self, now: int, usable: int, ask: Ask) -> int:
        if self.daily:
            return now + ask.day_ends_in
        if self.resets_at > now:
            return self.resets_at
        if self.by_us(now) < usable and self._told(now):
            return self.told_at + max(SECOND, self.seconds * SECOND // PROBES)
        left, window = self.by_us(now), self.seconds * SECOND
        for place, calls in sorted(self._live(now)):
            left -= calls
            if left < usable:
                return (place + 1) * self._length + window
        return now + window

    def refresh(self, now: int) -> None:
        """Forgets what was of an earlier window."""
        if self.resets_at and now >= self.resets_at:  # a new window, of which nothing is known
            self.since, self.resets_at = self.resets_at, 0
            self.told_used, self.told_at = -1, 0
            self.others = {}
        oldest = (now - self.seconds * SECOND) // self._length
        if len(self.slices) > self._parts:
            self.slices = {at: n for at, n in self.slices.items() if at >= oldest}
        if len(self.others) > self._parts:
            self.others = {at: seen for at, seen in self.others.items() if at >= oldest}

    def _live(self, now: int) -> list[tuple[int, int]]:
        """The slices that count: (place, our calls). One that began in the window counts whole."""
        since, length = max(now - self.seconds * SECOND, self.since), self._length
        return [(at, n) for at, n in self.slices.items() if (at + 1) * length > since]

    def _told(self, now: int) -> bool:
        fresh = now - self.told_at < self.seconds * SECOND
        return self.told_used >= 0 and fresh

    @property
    def _parts(self) -> int:
        return 96 if self.seconds >= HOUR else 60

    @property
    def _length(self) -> int:
        return self.seconds * SECOND // self._parts

    def _slice(self, now: int) -> int:
        return now // self._length


def forget_idle(pools: dict[str, Pool], now: int) -> None:
    """A pool that is in nobody's settings any more leaves after two windows."""
    for name, pool in list(pools.items()):
        last = max(pool.began, pool.used_at, pool.told_at)
        if now - last > 2 * pool.seconds * SECOND:
            del pools[name]


def open_pool(pools: dict[str, Pool], name: str, now: int) -> Pool:
    """The pool of that name, made where it is new."""
    if name not in pools:
        seconds = LENGTHS.get(name, DAY)  # of one that is only heard of, its name tells
        reserve = RESERVE_LONG if seconds >= HOUR else RESERVE_SHORT
        pools[name] = Pool(now, seconds=seconds, reserve=reserve)
    return pools[name]
