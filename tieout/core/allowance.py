"""One credential's budget as a value, and the rules by which it is spent. Pure.

    rates    the generic cell rate algorithm: one number a limit: the moment when it is full again
    pools    calls in slices of the window, or what the provider says of them
    places   leases of the calls under way, each with an end of its own
    pauses   after a refusal, for everybody

A worker that is alone takes portions ahead: a stretch of time on the line of the credential's own
limit, and with it the lanes; it reports at its next question what it made of them. As soon as
another worker asks, portions shrink to a few milliseconds. Nothing is promised to those who must
wait: they ask again, and meanwhile hold back those with less urgent work.
"""

from __future__ import annotations

import msgspec

from .budget import SECOND, Ask, Grant, Limit, News, Refused, Span
from .pool import Pool, forget_idle, open_pool
from .priority import Priority

ALONE_FOR = 1 * SECOND  # nobody else asked for so long: portions may reach ahead
SHARED_FOR = 2 * SECOND
SHARED_AHEAD = 20_000
GRACE = 30_000  # how long a place in the queue is kept beyond its turn
POLL, PATIENT_POLL = 10_000, 50_000  # a place may come free at any time
PATIENCE = 10 * SECOND  # waiting so long makes work more urgent by one level
FAIRNESS = SECOND  # of one level, who waited so much longer goes first
NORMAL, SLOWEST = 1000, 16_000  # thousandths of the configured interval between calls
FIRST_PAUSE, LONGEST_PAUSE = SECOND, 60 * SECOND  # after refusals that name no time
LONGEST_REFUSAL = 24 * 3600 * SECOND  # whatever the provider asks for, we look again tomorrow
LONGEST_LEASE = 3600 * SECOND
FORGOTTEN = 60 * SECOND  # a lane that was full so long ago is like a new one
PLACES = "@"


class State(msgspec.Struct, omit_defaults=True):
    """What is kept of a credential. Moments are of the budget's own clock (`now`)."""

    now: int = 0
    systems: list[str] = []
    per_second: str = ""
    taker: str = ""
    taken_at: int = 0
    shared_until: int = 0
    full_at: dict[str, int] = {}
    lent_to: str = ""  # who has the lanes in hand, and for how long
    lent_until: int = 0
    lent_for: int = 0
    wanted: dict[str, dict[str, tuple[int, int]]] = {}  # limit -> holder -> (rank, until when)
    leases: dict[str, int] = {}
    places: int = 0
    pace: int = NORMAL
    refused_at: int = -ALONE_FOR
    refusals: int = 0
    paused_until: int = 0
    pools: dict[str, Pool] = {}


def hear(state: State, at: int, news: News) -> None:
    """Take in what happened elsewhere since the last question."""
    state.now = max(state.now, at)
    for name, pool in state.pools.items():
        if news.returned and (name in news.pools or not pool.configured):
            pool.give_back(news.returned, state.now)
    if state.lent_to == news.holder:
        state.lent_to = ""
    for lane, full_at in news.lanes.items():
        state.full_at[lane] = max(state.full_at.get(lane, 0), full_at)
    if news.answered:
        state.refusals = 0
        state.pace = max(NORMAL, int(state.pace * 0.97 ** min(news.answered, 500)))
    if news.works_again:
        state.paused_until = 0
    for refusal in news.refused:
        _refused(state, refusal)
    for told in news.told:
        open_pool(state.pools, told.pool, state.now).hear(told, state.now)
    for lease in news.released:
        state.leases.pop(lease, None)


def _refused(state: State, refusal: Refused) -> None:
    # Calls in flight together are refused together: that is one refusal, not many.
    fresh = state.now - state.refused_at >= SECOND
    if fresh:
        state.pace = min(SLOWEST, state.pace * 2)
        state.refused_at = state.now
        state.refusals = min(state.refusals + 1, 20)
    wait = refusal.wait
    if wait is None:  # it named no time: longer from refusal to refusal
        doubled = FIRST_PAUSE << max(0, state.refusals - 2)
        wait = min(LONGEST_PAUSE, doubled) if state.refusals > 1 else 0
    state.paused_until = max(state.paused_until, state.now + min(wait, LONGEST_REFUSAL))


def take(state: State, ask: Ask) -> Grant:
    """One call or a portion of calls, or how long to wait. Changes `state`."""
    now = state.now = max(state.now, ask.at)
    _tidy(state, ask)
    for window in ask.windows:
        open_pool(state.pools, window.name, now).configure(window, ask)
    waits = {name: pool.wait(now, ask) for name, pool in _pools_of(state, ask).items()}
    longest = max(waits, key=waits.__getitem__, default="")
    if longest and waits[longest]:
        return Grant(now, wait=waits[longest], why="pool", pool=longest, totals=_totals(state))
    if state.paused_until > now and ask.level > Priority.PERSON:
        return Grant(now, wait=state.paused_until - now, why="pause", totals=_totals(state))
    return _turn(state, ask)


def _turn(state: State, ask: Ask) -> Grant:
    """Rates, places and who goes first."""
    now = state.now
    limits = [_slowed(limit, state.pace) for limit in (ask.limit, ask.lane) if limit]
    ahead = ask.ahead if now >= state.shared_until else min(SHARED_AHEAD, ask.ahead)
    rank = ask.level * PATIENCE - ask.waited
    dues = {limit.name: _due(state, limit) for limit in limits}
    queue = {name: due for name, due in dues.items() if due > now + ahead}
    if ask.places is not None:
        dues[PLACES] = now
        if len(state.leases) >= ask.places:
            queue[PLACES] = now + min(PATIENT_POLL, POLL + ask.waited // 50)
    first = max(_outranked(state, name, ask.holder, rank) for name in dues)
    if queue or first > now:
        for name, due in queue.items():
            _want(state, name, ask.holder, rank, due + GRACE)
        if ask.places is not None:  # whoever goes first may have gone long before that
            first = min(first, now + POLL)
        turn = max([first, *queue.values()])
        return Grant(now, wait=max(turn - now, 1), why="turn", totals=_totals(state))
    return _granted(state, ask, limits, max(dues.values()), ahead)


def _granted(state: State, ask: Ask, limits: list[Limit], due: int, ahead: int) -> Grant:
    now, alone = state.now, state.now >= state.shared_until
    totals = _totals(state)
    probe = any(pool.used_up(now, ask.level) for pool in _pools_of(state, ask).values())
    whole = limits[0]
    count = _count(state, ask, whole, ahead) if alone or not ask.lane else 1
    end = max(state.full_at.get("", 0), now) + count * whole.interval
    for limit in limits:
        state.full_at[limit.name] = max(state.full_at.get(limit.name, 0), due) + limit.interval
    span = Span(whole, state.full_at[""], max(state.full_at[""], end))
    state.full_at[""] = span.end
    for pool in _pools_of(state, ask).values():
        pool.spend(count, now, probe=pool.used_up(now, ask.level))
    if ask.places is not None:
        state.places = ask.places
        state.leases[ask.lease] = now + min(ask.lease_for, LONGEST_LEASE)
    for waiting in state.wanted.values():
        waiting.pop(ask.holder, None)
    state.taker, state.taken_at = ask.holder, now
    lanes = None
    if alone and count > 1:
        state.lent_to, state.lent_until, state.lent_for = ask.holder, span.end, span.end - now
        lanes = {name: at for name, at in state.full_at.items() if name}
    return Grant(now, count, due=due, span=span, lanes=lanes, totals=totals, probe=probe)


def _count(state: State, ask: Ask, whole: Limit, ahead: int) -> int:
    """How many calls go with one grant. A place among the parallel calls is for one; and after a
    refusal each call is looked at."""
    if ask.places is not None or not ahead or state.pace > NORMAL:
        return 1
    pools = _pools_of(state, ask).values()
    shares = [pool.portion(state.now, ask) for pool in pools if pool.calls]
    return max(1, min([_room(state, whole, ahead), *shares]))


def _pools_of(state: State, ask: Ask) -> dict[str, Pool]:
    """Those in the asker's settings, and those that only answers told of."""
    wanted = {window.name for window in ask.windows}
    return {
        name: pool for name, pool in state.pools.items() if name in wanted or not pool.configured
    }


def _tidy(state: State, ask: Ask) -> None:
    now = state.now
    if state.taker not in ("", ask.holder) and state.taken_at > now - ALONE_FOR:
        state.shared_until = now + SHARED_FOR
    if state.lent_to and state.lent_for and now > state.lent_until:
        # Nobody told what became of that portion. If this asker's clock is far ahead, it may
        # still be in use: wait once for as long as it was.
        state.lent_until, state.lent_for = now + state.lent_for, 0
        state.full_at[""] = max(state.full_at.get("", 0), state.lent_until)
    if ask.system and ask.system not in state.systems:
        state.systems = sorted([*state.systems, ask.system])
    state.leases = {name: end for name, end in state.leases.items() if end > now}
    forget_idle(state.pools, now)
    state.wanted = {name: waiting for name, waiting in state.wanted.items() if waiting}
    if len(state.full_at) > 8:
        kept = {name: at for name, at in state.full_at.items() if at > now - FORGOTTEN}
        state.full_at = kept
    state.per_second = f"{SECOND / ask.limit.interval:.4g}"


def _slowed(limit: Limit, pace: int) -> Limit:
    """While slowed down, the burst goes first."""
    if pace <= NORMAL:
        return limit
    return Limit(limit.name, limit.interval * pace // NORMAL, 1)


def _due(state: State, limit: Limit) -> int:
    """When the next call may go."""
    full_at = state.full_at.get(limit.name, 0)
    if limit.name and state.lent_to:  # not told yet what was made of it: expect the worst
        full_at = max(full_at, state.lent_until + limit.burst * limit.interval)
    return max(state.now, full_at - (limit.burst - 1) * limit.interval)


def _room(state: State, limit: Limit, ahead: int) -> int:
    """How many calls may go until `ahead` from now."""
    full_at = max(state.full_at.get(limit.name, 0), state.now)
    free = state.now + ahead - full_at + (limit.burst - 1) * limit.interval
    return free // limit.interval + 1


def _outranked(state: State, name: str, holder: str, rank: int) -> int:
    """Until when somebody who goes first waits for the same limit; 0 if nobody does."""
    waiting = {who: it for who, it in state.wanted.get(name, {}).items() if it[1] > state.now}
    state.wanted[name] = waiting
    before = (until for its, until in waiting.values() if its + FAIRNESS <= rank)
    return max(before, default=0)


def _want(state: State, name: str, holder: str, rank: int, until: int) -> None:
    waiting = state.wanted.setdefault(name, {})
    until = min(until, state.now + SECOND)
    known = waiting.get(holder)
    waiting[holder] = (min(rank, known[0]), max(until, known[1])) if known else (rank, until)


def _totals(state: State) -> dict[str, int]:
    return {name: pool.total for name, pool in state.pools.items()}
