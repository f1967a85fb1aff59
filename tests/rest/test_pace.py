"""The rate is never exceeded, on a clock that only sleeping moves."""

from __future__ import annotations

import threading

import pytest
from fake_ports import Scripted
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core.errors import RateLimited
from tieout.rest import Pace


def most_in(window: float, times: list[float]) -> int:
    return max(sum(start <= t < start + window for t in times) for start in times)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.5, 50),
    st.integers(1, 10),
    st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate(rate: float, burst: int, pauses: list[float]) -> None:
    world = Scripted()
    pace = Pace(rate, burst, ports=world.ports)
    times = []
    for pause in pauses:
        world.seconds += pause if pause > 1 else 0
        with pace.slot():
            times.append(world.seconds)
    for window in (0.1, 1.0, 5.0):
        assert most_in(window, times) <= burst + rate * window + 1e-6 * len(times) + 1


def test_a_steady_stream_runs_at_the_rate() -> None:
    world = Scripted()
    pace = Pace(10, 1, ports=world.ports)
    for _ in range(101):
        with pace.slot():
            pass
    assert world.seconds == pytest.approx(10.0)


def test_a_lane_has_its_own_limit() -> None:
    world = Scripted()
    pace = Pace(100, 1, ports=world.ports, lanes={"search": 2}, each_lane=20)
    for _ in range(5):
        with pace.slot("search"):
            pass
    assert world.seconds == pytest.approx(2.0)


def test_parallel_calls_are_limited() -> None:
    world = Scripted()
    pace = Pace(1e6, 100, ports=world.ports, concurrency=2)
    inside, most, lock, release = 0, 0, threading.Lock(), threading.Event()

    def call() -> None:
        nonlocal inside, most
        with pace.slot():
            with lock:
                inside += 1
                most = max(most, inside)
                if inside == 2:
                    release.set()
            release.wait(5)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_threads_share_one_rate() -> None:
    world = Scripted()
    pace = Pace(10, 1, ports=world.ports)

    def call() -> None:
        for _ in range(10):
            with pace.slot():
                pass

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.seconds >= 3.9 - 1e-6


def test_a_refusal_halves_the_rate_and_success_brings_it_back() -> None:
    world = Scripted()
    pace = Pace(10, 1, ports=world.ports)
    pace.refused(2.0)
    pace.refused()  # the same moment: one refusal

    def spent() -> float:
        before = world.seconds
        with pace.slot():
            pass
        return world.seconds - before

    assert spent() == pytest.approx(2.0)
    assert spent() == pytest.approx(0.2)
    for _ in range(40):
        pace.answered()
    spent()
    assert spent() == pytest.approx(0.1)


def test_the_daily_budget_ends_at_midnight_utc() -> None:
    world = Scripted()
    pace = Pace(1000, 10, ports=world.ports, per_day=3)
    for _ in range(3):
        with pace.slot():
            pass
    with pytest.raises(RateLimited) as caught, pace.slot():
        pass
    assert caught.value.wait_seconds == pytest.approx(12 * 3600)  # the fake day is at noon
    world.seconds += 12 * 3600
    with pace.slot():
        pass
