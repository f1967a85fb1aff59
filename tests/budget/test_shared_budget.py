"""Workers with a store handle each, on one store, keep within one credential's limits together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from virtual_time import Strict, VirtualTime

from tieout.core.errors import RateLimited
from tieout.core.ports import Ports
from tieout.core.priority import Priority, priority
from tieout.rest import Learned, Pace, Pool
from tieout.sandbox.stripe.errors import ApiError
from tieout.sandbox.stripe.limits import Limits
from tieout.store import SharedBudget, Store, open_store

MakePace = Callable[..., Pace]


class Workers:
    """Makes paces as separate processes would have them: a store handle and a clock each."""

    def __init__(self, folder: Path) -> None:
        self.time = VirtualTime()
        self.folder = folder
        self.stores: list[Store] = []
        self.shared: list[SharedBudget] = []

    def pace(
        self, *rates: float, wrong_by: float = 0.0, reserve: int | None = None, **how: object
    ) -> Pace:  # type: ignore[override]
        from dataclasses import replace

        ports = self.time.ports(f"w{len(self.stores)}-", wrong_by=wrong_by)
        store = open_store(self.folder / "tieout.db", ports, alone=False)
        shared = SharedBudget(lambda: store.budgets, "stripe", reserve)
        self.stores.append(store)
        self.shared.append(shared)
        return Pace(*rates, ports=replace(ports, budget=shared), credential="c", **how)  # type: ignore[arg-type]

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


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_rate_is_used_and_never_exceeded(workers: Workers, count: int) -> None:
    """25 calls in any second, as Stripe allows; with 92 % of it and a burst of two."""
    provider = Strict(workers.time, 25, 1.0)
    paces = [workers.pace(23, 2) for _ in range(count)]
    latency = 0.02 if count == 1 else 0.1
    workers.time.run(*(calling(pace, provider, 60, latency) for pace in paces))
    assert provider.refused == 0
    expected = min(25.0, count / latency)
    assert len(provider.taken) / 60 >= 0.9 * expected
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
