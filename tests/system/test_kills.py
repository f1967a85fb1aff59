"""A sync that is killed at any moment: the next one goes on, and nothing happens twice."""

from __future__ import annotations

import signal
from itertools import count

import pytest
from two_stripes import World
from wire import Answer

CUSTOMERS = [f"C{number:03}" for number in range(3)]
PRODUCTS = ["P000"]


class Reaper:
    """Kills the running command at the nth request that either provider sees."""

    def __init__(self, world: World, *, after: bool) -> None:
        self.world, self.after = world, after
        self.pid = self.seen = self.at = 0
        for side in (world.left, world.right):
            side.wire.on_request = self.on_request
            side.wire.on_answer = self.on_answer

    def on_request(self, method: str, path: str, number: int) -> Answer | None:
        self.seen += 1
        if self.seen == self.at and not self.after:
            self.world.launcher.kill(signal.SIGKILL)
            return 500, {}, b""
        return None

    def on_answer(self, method: str, path: str, answer: Answer) -> Answer:
        if self.seen == self.at and self.after:
            self.world.launcher.kill(signal.SIGKILL)
        return answer

    def run(self, at: int, *words: str) -> int:
        self.seen, self.at = 0, at
        return self.world.run(*words).code


@pytest.mark.parametrize("after", [False, True], ids=["before_it_acts", "after_it_acted"])
def test_killed_at_each_request_of_a_first_sync(world: World, after: bool) -> None:
    """Each run is killed one request later than the one before, until one comes through."""
    world.seed(len(CUSTOMERS), len(PRODUCTS))
    reaper = Reaper(world, after=after)
    kills = 0
    for at in count(1):
        if reaper.run(at, "sync") == 0:
            break
        kills += 1
    assert kills >= 8
    world.agree(CUSTOMERS, PRODUCTS)
    assert reaper.run(0, "sync") == 0
    world.agree(CUSTOMERS, PRODUCTS)
    world.run("audit", "verify", code=0)


def test_killed_at_the_same_write_again_and_again(world: World) -> None:
    """The answer to each create is lost with the process, yet each customer is made once."""
    world.seed(len(CUSTOMERS))
    made = 0

    def on_answer(method: str, path: str, answer: Answer) -> Answer:
        nonlocal made
        if method == "POST":
            made += 1
            world.launcher.kill(signal.SIGKILL)
        return answer

    world.right.wire.on_answer = on_answer
    codes = [world.run("sync").code for _ in range(len(CUSTOMERS) + 1)]
    assert codes == [-signal.SIGKILL] * len(CUSTOMERS) + [0]
    assert made == len(CUSTOMERS)
    world.agree(CUSTOMERS)


def test_killed_while_updating(world: World) -> None:
    world.seed(3)
    world.run("sync", code=0)
    for item in world.left.held("customer"):
        world.left.post(f"/v1/customers/{item['id']}", name=item["name"] + " Ltd")
    reaper = Reaper(world, after=True)
    pulled = 2 + 2 + 6  # both event feeds of both providers, and the six customers
    for at in count(pulled + 1):
        if reaper.run(at, "sync") == 0:
            break
    assert at > pulled + 1
    world.agree(["C000 Ltd", "C001 Ltd", "C002 Ltd"])


def test_an_interrupt_ends_cleanly_and_the_next_run_goes_on(world: World) -> None:
    """Ctrl-C: exit code 130, a sentence instead of a traceback."""
    world.seed(3)

    def on_answer(method: str, path: str, answer: Answer) -> Answer:
        if method == "POST":
            world.launcher.kill(signal.SIGINT)
        return answer

    world.right.wire.on_answer = on_answer
    done = world.run("sync")
    assert done.code == 130
    assert "run it again" in done.err
    world.right.wire.on_answer = None
    world.run("sync", code=0)
    world.agree(CUSTOMERS[:3])
    states = [state for (state,) in world.ask("SELECT state FROM runs ORDER BY started_at, id")]
    assert "running" not in states


def test_killed_processes_leave_no_run_that_seems_to_go_on(world: World) -> None:
    world.seed(1)
    Reaper(world, after=False).run(1, "sync")
    world.run("sync", code=0)
    assert world.ask("SELECT COUNT(*) FROM runs WHERE state = 'running'") == [(0,)]
