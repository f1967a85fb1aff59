"""Planning costs what changed: queries and memory of a plan do not grow with the records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.paper import World, flow
from tieout.store import Draft
from tieout.sync import plan as planning
from tieout.sync.planner import Planner


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "store.db", [flow("customer"), flow("invoice")])
    made.left.page_size = made.right.page_size = 500
    yield made
    made.store.close()


def pairs(world: World, count: int) -> None:
    """That many customers and as many invoices, the same on both sides, linked and at rest."""
    for side in (world.left, world.right):
        for number in range(count):
            id = f"{side.system[0]}{number:04d}"
            side.put("customer", id, name=f"Name {number}", email=f"ap{number}@x.com")
            bill = {"number": f"INV-{number}", "customer_id": id, "status": "open"}
            money = {"currency": "USD", "total_minor": 100, "balance_minor": 100}
            side.put("invoice", id, **bill, **money, issued_on="2026-01-05")
    world.pull()
    world.plan()


def look_at_all_again(world: World) -> None:
    for spec in world.flows:
        world.store.meta.set(f"flow:{spec.name}", "other rules")


def selects_of_a_plan(world: World) -> int:
    asked: list[str] = []
    with world.store.transaction() as connection:
        connection.set_trace_callback(asked.append)
        world.plan()
        connection.set_trace_callback(None)
    # Numbers are drawn from the store in blocks of 1,000, so one more may be asked for.
    return sum(sql.startswith("SELECT") and "FROM sequences" not in sql for sql in asked)


def test_linked_pairs_are_read_by_the_batch(world: World, tmp_path: Path) -> None:
    pairs(world, 10)
    look_at_all_again(world)
    few = selects_of_a_plan(world)
    other = World(tmp_path / "other.db", [flow("customer"), flow("invoice")])
    other.left.page_size = other.right.page_size = 500
    pairs(other, 200)  # 400 marks of each flow: still one batch
    look_at_all_again(other)
    many = selects_of_a_plan(other)
    other.store.close()
    assert many == few


def test_both_halves_of_a_pair_are_counted_and_come_to_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH", 4)
    pairs(world, 10)
    look_at_all_again(world)
    outline = world.plan()
    assert outline.looked_at == 40  # 10 customers and 10 invoices on two sides
    assert (outline.counts, world.store.marks.count()) == ({}, 0)


def test_a_restless_pair_is_planned_once_though_its_halves_are_batches_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH", 4)
    pairs(world, 10)
    world.left.put("customer", "l0003", name="Renamed")
    world.pull()
    look_at_all_again(world)
    outline = world.plan()
    assert outline.counts == {("right", "customer", "update"): 1}
    left = [(m.system, m.id) for m in world.store.marks.take(world.flows[0].name)]
    assert left == [("left", "l0003"), ("right", "r0003")]


def test_two_systems_that_use_the_same_ids_keep_their_marks_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH", 1)
    for side in (world.left, world.right):
        side.put("customer", "1", name="Ada", email="ada@x.com", created_at=None)
    world.sync()
    world.left.put("customer", "1", name="Ada & Co")
    world.pull()
    look_at_all_again(world)
    assert world.plan().counts == {("right", "customer", "update"): 1}


def test_what_came_to_rest_is_forgotten_with_its_batch(world: World) -> None:
    pairs(world, 10)
    planner = Planner(world.store, world.sides(), world.flows)
    spec = world.flows[0]
    for number in range(10):
        planner.look_ahead(spec, [("left", f"l{number:04d}")])
        assert planner.look_at(spec, "left", f"l{number:04d}") is None
        assert planner.at_rest() == [("left", f"l{number:04d}"), ("right", f"r{number:04d}")]


def test_the_last_write_of_a_pair_decides_after_hundreds_of_earlier_ones(world: World) -> None:
    pairs(world, 1)
    link = world.store.links.of("customer", "left", "l0000")
    drafts = [
        Draft(f"k{n}", "right", "customer", "update", {"source_seen": 0}, link=link)
        for n in range(120)
    ]
    ids = world.store.outbox.put(drafts)
    for id in ids[:-1]:
        world.store.outbox.discard(id, "long ago")
    world.left.put("customer", "l0000", name="Renamed")
    world.pull()
    outline = world.plan()
    assert outline.counts == {("right", "customer", "wait"): 1}  # for k119, which is pending
