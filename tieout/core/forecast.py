"""How a credential's budget stands, and how long its pools last at the present rate. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .allowance import NORMAL, State
from .budget import SECOND
from .pool import DAY, HOUR, Pool
from .priority import Priority


@dataclass(frozen=True)
class PoolStanding:
    """One pool. Calls are numbers; `lasts_until` None: longer than the window, or nobody calls.

    usable         what we let ourselves and others use before we stop: the limit less the reserve.
    resumes_at     used up: then it goes on.
    """

    pool: str
    seconds: int
    limit: int
    usable: int
    used: int
    by_us: int
    by_others: int
    per_hour: int
    resets_at: datetime | None
    lasts_until: datetime | None
    resumes_at: datetime | None

    @property
    def used_percent(self) -> int:
        return self.percent(self.used)

    def percent(self, calls: int) -> int:
        """Of the whole limit, rounded to the nearest."""
        return (200 * calls + self.limit) // (2 * self.limit) if self.limit else 0


@dataclass(frozen=True)
class Standing:
    """One credential, as `tieout status` shows it."""

    credential: str
    systems: tuple[str, ...]
    calls_per_second: str
    slowed_down: bool
    calls_under_way: int
    calls_at_once: int | None
    paused_until: datetime | None
    pools: tuple[PoolStanding, ...]


def standing(credential: str, state: State, updated_at: datetime, now: datetime) -> Standing:
    """`updated_at` is our clock's time at `state.now`."""
    at = state.now + max(0, round((now - updated_at).total_seconds() * SECOND))

    def wall(moment: int) -> datetime:
        return updated_at + timedelta(microseconds=moment - state.now)

    pools = tuple(
        _pool(name, pool, at, wall(at), wall(pool.resets_at) if pool.resets_at > at else None)
        for name, pool in sorted(state.pools.items())
        if pool.calls
    )
    return Standing(
        credential,
        tuple(state.systems),
        state.per_second,
        state.pace > NORMAL,
        sum(end > at for end in state.leases.values()),
        state.places or None,
        wall(state.paused_until) if state.paused_until > at else None,
        pools,
    )


def _pool(
    name: str, pool: Pool, at: int, now: datetime, resets_at: datetime | None
) -> PoolStanding:
    pool.refresh(at)
    usable, used, rate = pool.usable(Priority.WEBHOOK), pool.used(at), pool.per_hour(at)
    if pool.daily:
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        resets_at = midnight
    end = resets_at or now + timedelta(seconds=pool.seconds)
    lasts = _lasts(now, usable - used, rate, end) if pool.seconds >= HOUR else None
    waits = pool.used_up_until - at
    return PoolStanding(
        name,
        pool.seconds,
        pool.calls,
        usable,
        used,
        min(pool.by_us(at), used),
        pool.by_others(at),
        round(rate),
        resets_at,
        lasts,
        now + timedelta(microseconds=waits) if waits > 0 else None,
    )


def _lasts(now: datetime, left: int, per_hour: float, end: datetime) -> datetime | None:
    """When `left` calls are used up, if that is before `end`."""
    if per_hour <= 0 or left / per_hour * HOUR > 366 * DAY:
        return None
    until = now + timedelta(seconds=max(0, left) / per_hour * HOUR)
    return until if until < end else None
