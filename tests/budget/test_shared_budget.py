"""Workers with a store handle each, on one store, keep within one credential's limits together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from virtual_time import Strict, VirtualTime

from tieout.core.errors import RateLimited
from tieout.core.priority import Priority, priority
from tieout.rest import Learned, Pace, Pool
from tieout.sandbox.stripe.errors import ApiError
from tieout.sandbox.stripe.limits import Limits
from tieout.store import SharedBudget, Store, open_store

DAY = 86_400


class Workers:
    """Makes paces as separate processes would have them: a store handle and a clock each."""

    def __init__(self, folder: Path) -> None:
        self.time = VirtualTime()
        self.folder = folder
        self.stores: list[Store] = []

    def pace(
        self,
        rate: float,
        burst: int = 1,
        *,
        wrong_by: float = 0.0,
        reserve: int | None = None,
        **how: Any,
    ) -> Pace:
        ports = self.time.ports(f"w{len(self.stores)}-", wrong_by=wrong_by)
        store = open_store(self.folder / "tieout.db", ports, alone=False)
        self.stores.append(store)
        shared = SharedBudget(lambda: store.budgets, "stripe", reserve)
        return Pace(rate, burst, ports=replace(ports, budget=shared), credential="c", **how)

    def close(self) -> None:
        for store in self.stores:
            store.close()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path)
    yield made
    made.close()


def calling(pace: Pace, provider: Strict, until: float, latency: float = 0.1) -> Callable[[], None]:
    def work() -> None:
        while provider.time.seconds < until:
            with pace.slot():
                provider.call(latency)

    return work


# -- rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_rate_is_used_and_never_exceeded(workers: Workers, count: int) -> None:
    """25 calls in any second, as Stripe allows; with 92 % of it and a burst of two."""
    provider = Strict(workers.time, 25, 1.0)
    paces = [workers.pace(23, 2) for _ in range(count)]
    latency = 0.02 if count == 1 else 0.05
    workers.time.run(*(calling(pace, provider, 60, latency) for pace in paces))
    assert provider.refused == 0
    assert len(provider.taken) / 60 >= 0.9 * 25
    assert provider.most_within() <= 25


def test_the_stand_in_with_stripes_limits_never_refuses(workers: Workers) -> None:
    limits, refused, calls = Limits(), 0, 0
    paces = [workers.pace(23, 2, each_lane=23.0) for _ in range(4)]

    def work(pace: Pace, endpoint: str) -> Callable[[], None]:
        def run() -> None:
            nonlocal refused, calls
            while workers.time.seconds < 60:
                with pace.slot(endpoint):
                    workers.time.sleep(0.03)
                    try:
                        limits.take(endpoint, workers.time.ports().now())
                        calls += 1
                    except ApiError:
                        refused += 1
                    workers.time.sleep(0.05)

        return run

    workers.time.run(*(work(pace, f"GET /{n % 2}") for n, pace in enumerate(paces)))
    assert refused == 0
    assert calls / 60 >= 0.9 * 25


def test_lanes_are_shared_too(workers: Workers) -> None:
    """A live account: 80 in all, 23 of each endpoint, whichever worker calls it."""
    endpoints = {name: Strict(workers.time, 25, 1.0) for name in ("list", "get", "events")}
    whole = Strict(workers.time, 100, 1.0)
    paces = [workers.pace(80, 7, each_lane=23.0) for _ in range(3)]

    def work(pace: Pace, order: list[str]) -> Callable[[], None]:
        def run() -> None:
            while workers.time.seconds < 10:
                for name in order:
                    with pace.slot(name):
                        whole.call(0.004)
                        endpoints[name].call(0.004)

        return run

    orders = (["list", "get"], ["get", "events"], ["list", "list", "events"])
    workers.time.run(*(work(*pair) for pair in zip(paces, orders, strict=True)))
    assert whole.refused == 0
    assert [each.refused for each in endpoints.values()] == [0, 0, 0]
    assert len(whole.taken) / 10 > 50  # the three of them are the bottleneck: 69 at most


def test_one_worker_alone_uses_all_its_lanes(workers: Workers) -> None:
    pace = workers.pace(80, 7, each_lane=23.0)

    def run() -> None:
        while workers.time.seconds < 20:
            for name in ("list", "get", "events"):
                with pace.slot(name):
                    calls[name] = calls.get(name, 0) + 1

    calls: dict[str, int] = {}
    workers.time.run(run)
    assert all(22.5 * 20 <= each <= 23 * 20 + 2 for each in calls.values()), calls


def test_a_worker_that_comes_later_gets_its_share_at_once(workers: Workers) -> None:
    provider = Strict(workers.time, 25, 1.0)
    first, second = workers.pace(23, 2), workers.pace(23, 2)
    waited: list[float] = []

    def late() -> None:
        workers.time.sleep(10.01)
        began = workers.time.seconds
        with second.slot():
            waited.append(workers.time.seconds - began)
            provider.call()

    workers.time.run(calling(first, provider, 20, 0.01), late)
    assert provider.refused == 0
    assert waited[0] < 0.6


def test_a_portion_costs_few_transactions(workers: Workers) -> None:
    """A pull of 1,000 calls a second asks the store about four times a second."""
    pace = workers.pace(1000, 80, each_lane=1000.0)

    def run() -> None:
        for _ in range(3000):
            with pace.slot("list"):
                pass

    workers.time.run(run)
    turns = workers.stores[0].db.value("SELECT turn FROM budgets")
    assert workers.time.seconds == pytest.approx(3.0, rel=0.05)
    assert turns <= 20


# -- who goes first ------------------------------------------------------------------------------


def test_urgent_work_goes_first_and_the_rest_is_not_forgotten(workers: Workers) -> None:
    provider = Strict(workers.time, 25, 1.0)
    taken: dict[Priority, int] = {}

    def work(pace: Pace, level: Priority) -> Callable[[], None]:
        def run() -> None:
            with priority(level):
                while workers.time.seconds < 35:
                    with pace.slot():
                        provider.call(0.01)
                        taken[level] = taken.get(level, 0) + 1

        return run

    levels = [Priority.BACKFILL, Priority.BACKFILL, Priority.PUSH, Priority.PUSH]
    workers.time.run(*(work(workers.pace(10, 1), level) for level in levels))
    assert taken[Priority.PUSH] > 0.9 * sum(taken.values())
    assert taken[Priority.BACKFILL] >= 1
    assert sum(taken.values()) >= 0.9 * 10 * 35


def test_a_webhook_waits_for_one_call_at_most_behind_a_back_fill(workers: Workers) -> None:
    provider = Strict(workers.time, 25, 1.0)
    waits: list[float] = []

    def back_fill(pace: Pace) -> Callable[[], None]:
        def run() -> None:
            with priority(Priority.BACKFILL):
                calling(pace, provider, 30, 0.01)()

        return run

    def refresh(pace: Pace) -> None:
        with priority(Priority.WEBHOOK):
            for _ in range(20):
                workers.time.sleep(1.0)
                began = workers.time.seconds
                with pace.slot():
                    waits.append(workers.time.seconds - began)

    paces = [workers.pace(10, 1) for _ in range(5)]
    fills = [back_fill(pace) for pace in paces[:4]]
    workers.time.run(*fills, lambda: refresh(paces[4]))
    assert max(waits) <= 0.15


# -- pools ---------------------------------------------------------------------------------------


def test_a_minute_pool_is_used_and_never_exceeded(workers: Workers) -> None:
    provider = Strict(workers.time, 150, 60)
    paces = [workers.pace(50, 5, pools=(Pool("minute", 150, 60),)) for _ in range(3)]
    workers.time.run(*(calling(pace, provider, 600) for pace in paces))
    assert provider.refused == 0
    assert len(provider.taken) >= 0.9 * 150 * 10


class Fixed:
    """A provider that counts in fixed windows and tells in headers; others use it as well."""

    def __init__(self, time: VirtualTime, limit: int, seconds: float) -> None:
        self.time, self.limit, self.seconds = time, limit, seconds
        self.window, self.used, self.refused, self.ours = 0.0, 0, 0, 0

    def count(self, *, ours: bool) -> bool:
        window = self.time.seconds // self.seconds
        if window != self.window:
            self.window, self.used = window, 0
        fine = self.used < self.limit
        self.used += fine
        self.ours += ours and fine
        self.refused += ours and not fine
        return fine

    def headers(self) -> Learned:
        ends = (self.window + 1) * self.seconds - self.time.seconds
        return Learned(
            "minute", self.limit, remaining=self.limit - self.used, resets_in_seconds=ends
        )


def test_what_others_use_is_learnt_from_headers(workers: Workers) -> None:
    """Nobody configured the limit right, and somebody else takes a third of it."""
    provider = Fixed(workers.time, 300, 60)
    paces = [workers.pace(50, 5, reserve=10, pools=(Pool("minute", 10_000, 60),)) for _ in range(4)]

    def work(pace: Pace) -> Callable[[], None]:
        def run() -> None:
            while workers.time.seconds < 595:
                with pace.slot():
                    workers.time.sleep(0.05)
                    provider.count(ours=True)
                    told = provider.headers()
                    workers.time.sleep(0.05)
                    pace.learn([told])

        return run

    def other() -> None:
        while workers.time.seconds < 595:
            workers.time.sleep(0.6)
            provider.count(ours=False)

    workers.time.run(*(work(pace) for pace in paces), other)
    assert provider.refused == 0
    # Of 300 a minute 30 are never touched, and the other's 100 come on top of what we stop at.
    assert provider.ours >= 0.9 * (300 - 30 - 100) * 10


def test_a_daily_pool_keeps_its_reserve_and_says_when_it_goes_on(workers: Workers) -> None:
    """1,000 calls a day of which others have used 500: at 800 we stop, for 20 % stay theirs."""
    pools = (Pool("day", 1000, DAY),)
    first, second = workers.pace(50, 5, pools=pools), workers.pace(50, 5, pools=pools)
    used, made = 500, 0

    def run(pace: Pace) -> Callable[[], None]:
        def work() -> None:
            nonlocal used, made
            with pytest.raises(RateLimited) as stopped, priority(Priority.PUSH):
                while True:
                    with pace.slot():
                        workers.time.sleep(0.05)
                        used, made = used + 1, made + 1
                        pace.learn([Learned("day", 1000, used=used)])
            errors.append(stopped.value)

        return work

    errors: list[RateLimited] = []
    workers.time.run(run(first), run(second))
    assert 290 <= made <= 301
    assert "day calls is used up until" in errors[0].message
    assert errors[0].wait_seconds == pytest.approx(900, abs=60)  # it looks again: 1/96 of a day
    workers.time.run(lambda: workers.time.sleep(1000))
    used = 400  # others' calls have left the window
    with first.slot():
        first.learn([Learned("day", 1000, used=used)])
    for _ in range(50):
        workers.time.run(lambda: first.slot().__enter__())


def test_back_fill_leaves_the_last_of_a_daily_pool_to_urgent_work(workers: Workers) -> None:
    """Of 1,000: 200 for others, and of our 800 the last 80 are not for reading everything again."""
    pace = workers.pace(1000, 50, pools=(Pool("day", 1000, DAY),))

    def used_up(level: Priority) -> int:
        made = 0

        def run() -> None:
            nonlocal made
            with pytest.raises(RateLimited), priority(level):
                while True:
                    with pace.slot():
                        made += 1

        workers.time.run(run)
        return made

    assert used_up(Priority.BACKFILL) == 720
    assert used_up(Priority.RECONCILIATION) == 40
    assert used_up(Priority.INCREMENTAL) == 24
    assert used_up(Priority.PUSH) == 16
    assert used_up(Priority.WEBHOOK) == 0


def test_a_rolling_day_goes_on_when_the_oldest_calls_leave_it(workers: Workers) -> None:
    pace = workers.pace(1000, 50, reserve=0, pools=(Pool("day", 96, DAY),))
    errors: list[RateLimited] = []

    def run() -> None:
        with priority(Priority.PUSH):
            for _ in range(96):
                with pace.slot():
                    workers.time.sleep(600)  # spread over sixteen hours
            try:
                with pace.slot():
                    pass
            except RateLimited as error:
                errors.append(error)
                workers.time.sleep(error.wait_seconds or 0)
            with pace.slot():
                pass

    workers.time.run(run)
    # The first call was at 12:00 and counts with its slice of 15 minutes: until 12:15 tomorrow.
    assert workers.time.seconds == pytest.approx(DAY + 900, abs=1)
    assert "until 12:15 UTC" in errors[0].message


def test_a_refusal_stops_every_worker_until_the_time_it_names(workers: Workers) -> None:
    first, second = workers.pace(10), workers.pace(10)
    at: list[float] = []

    def refused() -> None:
        with first.slot():
            first.refused(30.0)
        with first.slot():
            at.append(workers.time.seconds)

    def other() -> None:
        workers.time.sleep(1.0)
        with second.slot():
            at.append(workers.time.seconds)

    workers.time.run(refused, other)
    assert min(at) >= 30.0 and max(at) < 31.0


def test_a_long_pause_is_told_and_ends_by_itself(workers: Workers) -> None:
    first, second = workers.pace(10), workers.pace(10)
    first.refused(7200.0)
    with pytest.raises(RateLimited) as caught, second.slot():
        pass
    assert caught.value.wait_seconds == pytest.approx(7200)
    assert "until 14:00 UTC" in caught.value.message  # the virtual day begins at noon
    workers.time.seconds = 7201
    with second.slot():
        pass


# -- places --------------------------------------------------------------------------------------


class Crowded:
    """A provider that takes so many calls at once, like NetSuite."""

    def __init__(self, time: VirtualTime, places: int) -> None:
        self.time, self.places = time, places
        self.inside, self.refused, self.calls, self.busy = 0, 0, 0, 0.0

    def call(self, seconds: float) -> None:
        if self.inside >= self.places:
            self.refused += 1
            return
        self.inside += 1
        self.time.sleep(seconds)
        self.inside -= 1
        self.calls += 1
        self.busy += seconds


def test_places_are_shared_and_kept_busy(workers: Workers) -> None:
    provider = Crowded(workers.time, 5)
    paces = [workers.pace(50, 50, concurrency=5) for _ in range(8)]

    def work(pace: Pace) -> Callable[[], None]:
        def run() -> None:
            while workers.time.seconds < 60:
                with pace.slot():
                    provider.call(0.3)

        return run

    workers.time.run(*(work(pace) for pace in paces))
    assert provider.refused == 0
    assert provider.busy / (5 * 60) >= 0.9


def test_places_are_shared_fairly(workers: Workers) -> None:
    provider, calls = Crowded(workers.time, 5), [0] * 12
    paces = [workers.pace(50, 50, concurrency=5) for _ in calls]

    def work(number: int) -> Callable[[], None]:
        def run() -> None:
            while workers.time.seconds < 30:
                with paces[number].slot():
                    provider.call(0.3)
                    calls[number] += 1

        return run

    workers.time.run(*(work(number) for number in range(len(calls))))
    assert provider.refused == 0
    assert provider.busy / (5 * 30) >= 0.9
    assert min(calls) > 0.5 * sum(calls) / len(calls), calls


def test_the_place_of_a_worker_that_died_comes_free(workers: Workers) -> None:
    first, second = workers.pace(50, 50, concurrency=1), workers.pace(50, 50, concurrency=1)
    first.covers(40)
    dead = first.slot()
    dead.__enter__()  # and it is never heard of again
    got: list[float] = []

    def other() -> None:
        with second.slot():
            got.append(workers.time.seconds)

    workers.time.run(other)
    assert 45 <= got[0] <= 60.2  # a minute at least, or as long as a call may take


# -- clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong_by", [-86_400.0, -600.0, 600.0, 86_400.0, 5e8])
def test_a_wrong_clock_neither_stalls_nor_floods(workers: Workers, wrong_by: float) -> None:
    provider = Strict(workers.time, 25, 1.0)
    minute = (Pool("minute", 900, 60),)
    right = workers.pace(23, 2, pools=minute)
    wrong = workers.pace(23, 2, pools=minute, wrong_by=wrong_by)

    def late() -> None:
        workers.time.sleep(20)
        calling(wrong, provider, 120, 0.05)()

    workers.time.run(calling(right, provider, 120, 0.05), late)
    assert provider.refused == 0
    # Within the minute pool's 855 less 1/60: both of them together, half a pool more at the start.
    assert len(provider.taken) >= 0.85 * 855 * 2


def test_a_clock_set_back_does_not_give_the_days_calls_again(workers: Workers) -> None:
    today, yesterday = workers.pace(100, per_day=3), workers.pace(100, per_day=3, wrong_by=-DAY)

    def run() -> None:
        for pace in (today, yesterday, today):
            with pace.slot():
                pass
        for pace in (yesterday, today):
            with pytest.raises(RateLimited, match="today's budget of 3"), pace.slot():
                pass

    workers.time.run(run)


# -- what is kept --------------------------------------------------------------------------------


def test_what_was_granted_and_not_used_goes_back(workers: Workers) -> None:
    ports = workers.time.ports()
    store = open_store(workers.folder / "tieout.db", ports)
    shared = SharedBudget(lambda: store.budgets, "s")
    pace = Pace(
        100, 5, ports=replace(ports, budget=shared), credential="c", pools=(Pool("d", 10_000, DAY),)
    )
    for _ in range(4):
        with pace.slot():
            pass
    (kept,) = store.budgets.list()
    assert kept.state.pools["d"].total > 4
    shared.close()
    (kept,) = store.budgets.list()
    assert kept.state.pools["d"].total == 4
    assert kept.state.lent_to == ""
    assert kept.state.systems == ["s"]
    store.close()


def test_a_store_that_cannot_be_written_stops_nobody(workers: Workers) -> None:
    ports = workers.time.ports()
    store = open_store(workers.folder / "tieout.db", ports)
    shared = SharedBudget(lambda: store.budgets, "s")
    pace = Pace(10, ports=replace(ports, budget=shared), credential="c")
    store.db._writer.execute("PRAGMA query_only=ON")

    def run() -> None:
        for _ in range(21):
            with pace.slot():
                pass

    workers.time.run(run)
    assert workers.time.seconds == pytest.approx(2.0)
    store.close()
