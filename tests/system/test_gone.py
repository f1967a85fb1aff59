"""Records that vanish: one is told of, many are a reason to ask."""

from __future__ import annotations

from typing import Any

import pytest
from two_stripes import World
from wire import Answer, as_json

EMPTY: dict[str, Any] = {"object": "list", "data": [], "has_more": False, "url": "/v1/x"}


@pytest.mark.parametrize("words", [("sync",), ("sync", "--full")], ids=" ".join)
def test_a_provider_that_suddenly_holds_nothing_archives_nothing(
    world: World, words: tuple[str, ...]
) -> None:
    world.seed(3, 3)
    world.run("sync", code=0)

    def nothing(method: str, path: str, number: int) -> Answer | None:
        return as_json(200, EMPTY) if method == "GET" and path.count("/") == 2 else None

    world.left.wire.on_request = nothing
    world.right.wire.asked.clear()
    world.run(*words)
    assert world.right.writes() == 0
    assert all(item["active"] for item in world.right.held("product"))
    world.left.wire.calm()
    world.run("sync", code=0)
    world.agree(["C000", "C001", "C002"], ["P000", "P001", "P002"])


def test_a_deleted_customer_is_a_question_for_a_person(world: World) -> None:
    """Stripe cannot archive a customer, so the plan does not promise it."""
    world.seed(3)
    world.run("sync", code=0)
    gone = next(item for item in world.left.held("customer") if item["name"] == "C001")
    world.left.delete(f"/v1/customers/{gone['id']}")
    world.right.wire.asked.clear()
    done = world.run("sync", "--json", code=3).document
    assert sum(each["deleted"] for each in done["pulled"]) == 1
    (item,) = done["plan"]["items"]
    assert item["action"] == "conflict"
    assert "cannot archive a customer in right" in item["reason"]
    assert world.right.writes() == 0
    there = next(item for item in world.right.held("customer") if item["name"] == "C001")
    world.right.delete(f"/v1/customers/{there['id']}")
    world.run("sync", code=0)
    for side in (world.left, world.right):
        assert side.names("customer") == ["C000", "C002"]


def test_a_record_deleted_at_the_target_is_a_question_for_a_person(world: World) -> None:
    world.seed(3)
    world.run("sync", code=0)
    gone = next(item for item in world.right.held("customer") if item["name"] == "C001")
    world.right.delete(f"/v1/customers/{gone['id']}")
    done = world.run("sync", code=3)
    assert "conflict" in done.out and "removed there" in done.out
    assert world.right.names("customer") == ["C000", "C002"]
    assert world.left.names("customer") == ["C000", "C001", "C002"]


def test_archiving_many_needs_a_person(world: World) -> None:
    """More than guard.max_archives: nothing is written until somebody says so."""
    world.config.write_text(world.config.read_text() + "guard: {max_archives: 2}\n")
    world.seed(0, 4)
    world.run("sync", code=0)
    for item in world.left.held("product"):
        world.left.delete(f"/v1/products/{item['id']}")
    done = world.run("sync", code=1)
    assert "guard.max_archives: 2" in done.err and "--accept-large" in done.err
    assert all(item["active"] for item in world.right.held("product"))
    plan = world.run("plan", "--json").document["plan"]
    world.run("apply", plan, "--accept-large", code=0)
    assert not any(item["active"] for item in world.right.held("product"))
    world.right.wire.asked.clear()
    world.run("sync", code=0)
    assert world.right.writes() == 0  # what is archived is not archived again
