"""Stores for the contract suite. A second backend joins by one more name in BACKENDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tieout.core.ports import Ports
from tieout.store import Store, open_store

BACKENDS = ["sqlite-file", "sqlite-memory"]


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ports(clock: Clock) -> Ports:
    numbers = count(1)
    return Ports(
        now=clock.now,
        monotonic=lambda: 0.0,
        sleep=lambda seconds: None,
        random=lambda: 0.5,
        new_id=lambda: f"id-{next(numbers):04d}",
    )


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> Iterator[Store]:
    path = tmp_path / "tieout.db" if request.param == "sqlite-file" else ":memory:"
    with open_store(path, ports) as opened:
        yield opened


@pytest.fixture
def reopen(tmp_path: Path, ports: Ports) -> Iterator[Callable[[], Store]]:
    """Opens the same file again; what is still open at the end is closed."""
    opened: list[Store] = []

    def again() -> Store:
        opened.append(open_store(tmp_path / "tieout.db", ports))
        return opened[-1]

    yield again
    for one in opened:
        one.close()
