"""The rules of a budget, tried at random: no limit is ever exceeded, nothing is ever lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import VirtualTime

from tieout.core.allowance import State, hear, take
from tieout.core.budget import SECOND, Ask, Limit, News, Refused, Told, Window
from tieout.core.priority import Priority
from tieout.rest import Pace, Pool
from tieout.rest.portions import LocalBudget

DAY = 86_400


def most_in(window: float, times: list[float]) -> int:
    return max((sum(at <= t < at + window for t in times) for at in times), default=0)


@settings(max_examples=40, deadline=None)
@given(
    rate=st.integers(2, 60),
    burst=st.integers(1, 6),
    lane_rate=st.integers(1, 30),
    pool=st.integers(20, 200),
    workers=st.lists(
        st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.floats(0, 0.6)), max_size=25),
        min_size=1,
        max_size=4,
    ),
)
def test_workers_that_come_and_go_exceed_no_limit(
    rate: int,
    burst: int,
    lane_rate: int,
    pool: int,
    workers: list[list[tuple[str, float]]],
) -> None:
    time, budget = VirtualTime(), LocalBudget()
    calls: list[tuple[float, str]] = []

    def worker(number: int, steps: list[tuple[str, float]]) -> None:
        pace = Pace(
            rate,
            burst,
            ports=replace(time.ports(f"w{number}-"), budget=budget),
            credential="c",
            each_lane=lane_rate,
            pools=(Pool("p", pool, 10),),
        )
        for lane, pause in steps:
            time.sleep(pause)
            with pace.slot(lane):
                calls.append((time.seconds, lane))

    time.run(*(lambda n=n, s=s: worker(n, s) for n, s in enumerate(workers)))
    assert len(calls) == sum(map(len, workers))
    every = [at for at, _ in calls]
    lane_burst = max(1, -(-lane_rate * 8 // 100))
    for window in (0.3, 1.0, 3.0):
        assert most_in(window, every) <= burst + rate * window + 1e-6
        for lane in ("a", "b"):
            of_lane = [at for at, name in calls if name == lane]
            assert most_in(window, of_lane) <= lane_burst + lane_rate * window + 1e-6
    assert most_in(10.0, every) <= pool


def ask(at: int = 0, holder: str = "a", level: Priority = Priority.PUSH, **more: object) -> Ask:
    return Ask(holder, level, at, Limit("", SECOND // 10, 1), **more)  # type: ignore[arg-type]


def test_one_call_each_tenth_of_a_second() -> None:
    state = State()
    assert take(state, ask(0)).calls == 1
    waiting = take(state, ask(30_000))
    assert (waiting.calls, waiting.wait, waiting.why) == (0, 70_000, "turn")
    assert take(state, ask(100_000)).calls == 1


def test_a_lower_level_waits_while_a_higher_one_does() -> None:
    state = State()
    take(state, ask(0))
    assert take(state, ask(50_000, "b", Priority.WEBHOOK)).calls == 0
    held_back = take(state, ask(100_000, "c", Priority.BACKFILL))
    assert held_back.calls == 0
    assert take(state, ask(100_000, "b", Priority.WEBHOOK)).calls == 1


def test_waiting_makes_work_more_urgent() -> None:
    """Five steps of ten seconds lead from the last level to the first."""
    state = State()
    take(state, ask(0))
    assert take(state, ask(50_000, "b", Priority.PUSH)).calls == 0
    patient = take(state, ask(100_000, "c", Priority.BACKFILL, waited=50 * SECOND))
    assert patient.calls == 1


def test_of_one_level_who_waited_a_second_longer_goes_first() -> None:
    state = State()
    take(state, ask(0))
    assert take(state, ask(60_000, "b", waited=1_200_000)).calls == 0
    assert take(state, ask(100_000, "c")).calls == 0
    assert take(state, ask(100_000, "d", waited=500_000)).calls == 1  # not so much longer
    assert take(state, ask(200_000, "b", waited=1_340_000)).calls == 1
    assert take(state, ask(300_000, "c")).calls == 1


def test_refusals_without_a_time_pause_longer_and_longer() -> None:
    """The first only slows down; then one second, two, four, ... a minute at most."""
    state, pauses = State(now=10 * SECOND), []
    for n in range(1, 10):
        at = n * 200 * SECOND
        hear(state, at, News(refused=(Refused(at),)))
        pauses.append(max(0, state.paused_until - at) / SECOND)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    hear(state, 2000 * SECOND, News(answered=1))
    hear(state, 2100 * SECOND, News(refused=(Refused(2100 * SECOND),)))
    assert state.paused_until <= 2100 * SECOND


def test_a_refusal_for_ever_is_one_for_a_day() -> None:
    state = State()
    hear(state, SECOND, News(refused=(Refused(SECOND, 10**15),)))
    assert state.paused_until == SECOND + DAY * SECOND


def test_only_a_person_may_try_in_a_pause_and_success_ends_it() -> None:
    state = State()
    hear(state, SECOND, News(refused=(Refused(SECOND, 600 * SECOND),)))
    assert take(state, ask(2 * SECOND, level=Priority.WEBHOOK)).calls == 0
    assert take(state, ask(2 * SECOND, level=Priority.PERSON)).calls == 1
    hear(state, 3 * SECOND, News(answered=1))  # another worker's call, under way before
    assert take(state, ask(4 * SECOND)).calls == 0
    hear(state, 4 * SECOND, News(answered=1, works_again=True))
    assert take(state, ask(5 * SECOND)).calls == 1


def test_figures_told_count_calls_still_under_way() -> None:
    """Told 90 of 100 by a call granted as our 5th; 8 were granted since: 98, and 2 are left."""
    state, windows = State(), (Window("day", 100, DAY),)
    for n in range(13):
        take(state, ask(n * SECOND, windows=windows, reserve=0))
    hear(state, 13 * SECOND, News(told=(Told("day", 100, 90, total=5),)))
    made = [take(state, ask((14 + n) * SECOND, windows=windows, reserve=0)).calls for n in range(4)]
    assert made == [1, 1, 0, 0]


def test_a_fixed_window_begins_anew_when_the_provider_said() -> None:
    state, windows = State(), (Window("minute", 100, 60),)
    take(state, ask(0, windows=windows, reserve=0))
    hear(state, SECOND, News(told=(Told("minute", remaining=0, resets_in=20 * SECOND),)))
    stopped = take(state, ask(2 * SECOND, windows=windows, reserve=0))
    assert (stopped.calls, stopped.pool, stopped.wait) == (0, "minute", 19 * SECOND)
    assert take(state, ask(21 * SECOND, windows=windows, reserve=0)).calls == 1


def test_a_pool_used_up_by_others_is_looked_at_again() -> None:
    """A rolling day: nobody says when others' calls leave it, so one call asks each 15 minutes."""
    state, windows = State(), (Window("day", 1000, DAY),)
    take(state, ask(0, windows=windows))
    hear(state, SECOND, News(told=(Told("day", 1000, 999),)))
    stopped = take(state, ask(2 * SECOND, windows=windows))
    assert (stopped.calls, stopped.wait) == (0, 899 * SECOND)
    later = 901 * SECOND
    assert take(state, ask(later, windows=windows)).calls == 1
    assert take(state, ask(later + SECOND, windows=windows)).calls == 0  # one only


def test_a_limit_that_was_taken_out_of_the_settings_holds_nobody() -> None:
    state, once = State(), (Window("calls_per_day", 1, DAY, daily=True),)
    assert take(state, ask(0, windows=once, day=7)).calls == 1
    stopped = take(state, ask(SECOND, windows=once, day=7, day_ends_in=3600 * SECOND))
    assert (stopped.pool, stopped.wait) == ("calls_per_day", 3600 * SECOND)
    assert take(state, ask(2 * SECOND)).calls == 1
    take(state, ask(3 * DAY * SECOND))
    assert state.pools == {}


def test_two_logins_parts_with_pools_of_their_own_do_not_mix() -> None:
    """One part of a connector counts bulk jobs, another calls; both use one credential."""
    state = State()
    calls, jobs = (Window("calls", 100, DAY),), (Window("calls", 100, DAY), Window("jobs", 2, DAY))
    for n in range(5):
        assert take(state, ask(n * SECOND, windows=calls, reserve=0)).calls == 1
    made = [take(state, ask((5 + n) * SECOND, windows=jobs, reserve=0)).calls for n in range(3)]
    assert made == [1, 1, 0]
    hear(state, 9 * SECOND, News(returned=1, pools=("calls",)))
    assert take(state, ask(9 * SECOND, windows=jobs, reserve=0)).pool == "jobs"
    assert state.pools["calls"].total == 6


def test_the_look_at_a_used_up_pool_is_not_lost_while_it_waits_its_turn() -> None:
    """After 15 minutes one call may look; that its lane is busy for a moment changes nothing."""
    state, windows = State(), (Window("day", 1000, DAY),)
    slow = Limit("slow", 10 * SECOND, 1)
    take(state, ask(0, windows=windows, lane=slow))
    hear(state, SECOND, News(told=(Told("day", 1000, 999),)))
    at = state.pools["day"].told_at + 901 * SECOND
    hear(state, at, News(lanes={"slow": at + 5 * SECOND}))
    assert take(state, ask(at, windows=windows, lane=slow)).why == "turn"
    assert take(state, ask(at + 5 * SECOND, windows=windows, lane=slow)).probe


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("tbl"), st.integers(0, 400)), max_size=40))
def test_counts_never_fall_below_nothing(steps: list[tuple[str, int]]) -> None:
    state, windows, now = State(), (Window("w", 50, 60),), 0
    for kind, amount in steps:
        now += amount * 10_000
        if kind == "t":
            take(state, ask(now, windows=windows, ahead=SECOND // 4))
        elif kind == "b":
            hear(state, now, News(returned=amount, pools=("w",)))
        else:
            hear(state, now, News(told=(Told("w", used=amount),)))
        for pool in state.pools.values():
            assert min(pool.slices.values(), default=0) >= 0
            assert pool.used(now) >= pool.by_us(now) >= 0 <= pool.by_others(now)


@pytest.mark.parametrize("level", list(Priority))
def test_each_level_says_how_much_it_leaves(level: Priority) -> None:
    """Of 10,000 a day 2,000 are for others; of our 8,000: 0, 0, 0, 2, 5, 10 % kept back."""
    state = State()
    take(state, ask(0, windows=(Window("day", 10_000, DAY),)))
    expected = {0: 8000, 1: 8000, 2: 8000, 3: 7840, 4: 7600, 5: 7200}
    assert state.pools["day"].usable(level) == expected[level]
