"""The jobs say how urgent their calls are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tieout.core.ports import real_ports
from tieout.core.priority import Priority, current_priority, priority
from tieout.hub import Hub
from tieout.jobs import tasks

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = (
    "systems:\n  s: {type: stripe, api_key: '${KEY}', entities: [customer], reserve_percent: 35}\n"
)


@dataclass
class World:
    hub: Hub
    seen: list[Priority]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A hub whose pulls and applies only note how urgent they are."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    seen: list[Priority] = []
    for name in ("pull", "apply"):
        real = getattr(tasks, name)

        def noting(*given: Any, real: Any = real, **more: Any) -> Any:
            seen.append(current_priority())
            if real is tasks_pull:
                return tasks.Pulled("s", "customer", full=True)
            return real(*given, **more)

        monkeypatch.setattr(tasks, name, noting)
    hub = Hub.open(tmp_path / "config.yaml", {"KEY": "sk_test_1"}, ports=real_ports())
    with hub:
        yield World(hub, seen)


tasks_pull = tasks.pull


def test_reading_everything_is_less_urgent_than_what_changed(world: World) -> None:
    tasks.pull_systems(world.hub)  # never read before
    tasks.pull_systems(world.hub, since=SINCE)
    store = world.hub.store
    store.cursors.start("s", "customer", None, SINCE, True)
    tasks.pull_systems(world.hub)  # a first pull that was cut short
    store.cursors.finish("s", "customer")
    tasks.pull_systems(world.hub)
    tasks.pull_systems(world.hub, full=True)
    back_fill, changes = Priority.BACKFILL, Priority.INCREMENTAL
    assert world.seen == [back_fill, changes, back_fill, changes, back_fill]


def test_a_push_is_more_urgent(world: World) -> None:
    tasks.apply_plan(world.hub)
    assert world.seen == [Priority.PUSH]
    assert current_priority() is Priority.INCREMENTAL


def test_levels_nest() -> None:
    with priority(Priority.BACKFILL):
        with priority(Priority.WEBHOOK):
            assert current_priority() is Priority.WEBHOOK
        assert current_priority() is Priority.BACKFILL


def test_the_configured_reserve_reaches_the_budget(world: World) -> None:
    budget = world.hub._budget("s")
    assert budget._reserve == 35
