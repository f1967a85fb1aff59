"""A machine whose clock is wrong: what it could miss, it refuses to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from two_stripes import World
from wire import Answer


def shift(world: World, hours: int) -> None:
    """Both providers live that many hours after us, in their answers and their records."""

    def dated(method: str, path: str, answer: Answer) -> Answer:
        now = datetime.now(UTC) + timedelta(hours=hours)
        return answer[0], {**answer[1], "Date": format_datetime(now, usegmt=True)}, answer[2]

    for side in (world.left, world.right):
        side.wire.clock.move(3600 * hours)
        side.wire.on_answer = dated


def test_a_clock_that_is_ahead_is_refused_before_changes_are_missed(world: World) -> None:
    shift(world, -2)
    world.seed(2)
    done = world.run("sync", code=2)
    assert "120 minutes ahead" in done.err and "NTP" in done.err
    assert "systems.left" in done.err
    assert world.right.writes() == 0
    shift(world, 2)
    world.left.wire.calm()
    world.right.wire.calm()
    world.run("sync", code=0)
    world.agree(["C000", "C001"])


def test_a_clock_that_is_behind_misses_nothing(world: World) -> None:
    shift(world, 2)
    world.seed(2)
    world.run("sync", code=0)
    for item in world.left.held("customer"):
        world.left.post(f"/v1/customers/{item['id']}", name=item["name"] + "!")
    world.run("sync", code=0)
    world.agree(["C000!", "C001!"])
