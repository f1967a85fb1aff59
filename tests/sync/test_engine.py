"""Pull, plan, apply between two paper systems: what is written, what is not, and what survives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sync.paper import World, flow
from tieout.core.errors import AuthError, InvalidRecord, ProviderDown, UnknownOutcome
from tieout.sync.plan import Outline, make_healing_plan


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(
        tmp_path / "store.db",
        [flow("customer"), flow("invoice"), flow("payment")],
    )
    yield made
    made.store.close()


def customer(world: World, id: str = "c1", **fields: Any) -> None:
    world.left.put("customer", id, **{"name": f"Name {id}", "email": f"{id}@x.com"} | fields)


def invoice(world: World, id: str = "i1", to: str = "c1", **fields: Any) -> None:
    values = {"number": id, "customer_id": to, "status": "open", "currency": "USD"}
    money = {"total_minor": 1000, "balance_minor": 1000, "issued_on": "2026-01-05"}
    world.left.put("invoice", id, **values | money | fields)


def made_there(world: World, entity: str) -> list[dict[str, Any]]:
    return [r for (kind, _), r in world.right.records.items() if kind == entity]


def test_new_records_are_created_once_with_their_references(world: World) -> None:
    customer(world)
    invoice(world)
    paid_in_full = [{"invoice_id": "i1", "amount_minor": 1000}]
    world.left.put(
        "payment",
        "p1",
        customer_id="c1",
        currency="USD",
        amount_minor=1000,
        status="succeeded",
        received_at="2026-01-06T10:00:00Z",
        allocations=paid_in_full,
    )
    outline, applied = world.sync()
    assert (outline.writes, applied.confirmed, applied.problems) == (3, 3, [])
    (there,) = made_there(world, "customer")
    (bill,) = made_there(world, "invoice")
    (paid,) = made_there(world, "payment")
    assert bill["customer_id"] == there["id"] and bill["total_minor"] == 1000
    assert paid["allocations"] == [{"invoice_id": bill["id"], "amount_minor": 1000}]
    assert outline.money == {
        ("right", "invoice", "USD"): 1000,
        ("right", "payment", "USD"): 1000,
    }


def test_a_second_run_writes_nothing(world: World) -> None:
    customer(world)
    invoice(world)
    world.sync()
    before = len(world.right.writes)
    for _ in range(2):
        outline, applied = world.sync()
        assert (outline.writes, applied.confirmed) == (0, 0)
    assert len(world.right.writes) == before
    assert world.store.marks.count() == 0


def test_a_plan_alone_writes_nothing(world: World) -> None:
    customer(world)
    world.pull()
    assert world.plan().writes == 1
    assert world.right.writes == []


def test_planning_costs_what_changed(world: World) -> None:
    for number in range(50):
        customer(world, f"c{number:02d}")
    world.sync()
    world.sync()
    customer(world, "c07", name="New name")
    world.pull()
    assert world.plan().looked_at == 1


def test_the_first_meeting_overwrites_nothing(world: World) -> None:
    customer(world, name="Ada Ltd")
    world.right.put("customer", "r1", name="Ada Limited", email="C1@X.com")
    outline, applied = world.sync()
    assert (outline.writes, outline.conflicts) == (0, 1)
    assert world.right.records[("customer", "r1")]["name"] == "Ada Limited"
    world.right.put("customer", "r1", name="Ada Ltd")  # a person settles it
    assert world.sync()[0].conflicts == 0
    customer(world, name="Ada & Co")  # from now on the owner's changes travel
    outline, applied = world.sync()
    assert applied.confirmed == 1
    assert world.right.records[("customer", "r1")]["name"] == "Ada & Co"


def test_a_change_on_the_other_side_is_put_right_by_the_owner(world: World) -> None:
    customer(world)
    world.sync()
    (there,) = made_there(world, "customer")
    world.right.put("customer", there["id"], name="Scribbled")
    world.sync()
    assert made_there(world, "customer")[0]["name"] == "Name c1"


def test_a_field_that_the_other_side_owns_travels_back(tmp_path: Path) -> None:
    world = World(tmp_path / "s.db", [flow("customer", owners={"email": ["right"]})])
    customer(world)
    world.sync()
    (there,) = made_there(world, "customer")
    world.right.put("customer", there["id"], email="books@x.com")
    world.sync()
    assert world.left.records[("customer", "c1")]["email"] == "books@x.com"
    assert world.sync()[0].writes == 0
    world.store.close()


def test_several_candidates_are_never_merged(world: World) -> None:
    customer(world)
    world.right.put("customer", "r1", name="One", email="c1@x.com")
    world.right.put("customer", "r2", name="Two", email="c1@x.com")
    world.pull()
    world.plan()
    assert world.store.links.count() == 0
    assert len(world.store.candidates.list()) == 2


def test_a_surplus_holder_of_our_id_goes_to_review(world: World) -> None:
    invoice(world)
    customer(world)
    for id in ("r1", "r2"):
        world.right.put("invoice", id, number="i1", external_ids={"left": "i1"}, total_minor=1000)
    world.pull()
    world.plan()
    assert world.store.links.other("invoice", "left", "i1", "right") == "r1"
    (candidate,) = world.store.candidates.list()
    assert candidate.right == ("right", "r2") and "surplus" in candidate.reason


def test_documents_are_never_edited(world: World) -> None:
    customer(world)
    invoice(world)
    world.sync()
    invoice(world, total_minor=2000)
    before = len(world.right.writes)
    outline, _ = world.sync()
    assert outline.writes == 0 and len(world.right.writes) == before


def test_drafts_void_and_old_documents_are_not_created(tmp_path: Path) -> None:
    world = World(tmp_path / "s.db", [flow("customer"), flow("invoice", starts_on="2026-01-01")])
    customer(world)
    invoice(world, "draft", status="draft")
    invoice(world, "void", status="void")
    invoice(world, "old", issued_on="2025-12-31")
    invoice(world, "new", issued_on="2026-01-01")
    world.sync()
    assert [each["number"] for each in made_there(world, "invoice")] == ["new"]
    world.store.close()


def test_an_invoice_waits_for_its_customer(world: World) -> None:
    invoice(world, to="later")
    outline, _ = world.sync()
    assert outline.counts == {("right", "invoice", "wait"): 1}
    customer(world, "later")
    world.sync()
    assert len(made_there(world, "invoice")) == 1


def test_a_deleted_customer_is_archived_there(world: World) -> None:
    customer(world)
    world.sync()
    world.left.drop("customer", "c1")
    _, applied = world.sync()
    assert applied.confirmed == 1
    assert made_there(world, "customer")[0]["status"] == "archived"


def test_a_refused_record_does_not_stop_the_others_and_is_not_tried_again(world: World) -> None:
    customer(world, "bad")
    customer(world, "good")

    def refuse(when: str, what: str) -> None:
        if when == "before" and what == "create customer" and len(world.right.writes) == 1:
            raise InvalidRecord("the period is closed", hint="open it")

    world.right.on_call = refuse
    _, applied = world.sync()
    assert (applied.confirmed, applied.rejected) == (1, 1)
    assert "the period is closed; open it" in applied.problems[0]
    world.right.on_call = lambda when, what: None
    outline, _ = world.sync()
    assert outline.conflicts == 1 and outline.writes == 0
    customer(world, "bad", name="Corrected")
    _, applied = world.sync()
    assert applied.confirmed == 1 and len(made_there(world, "customer")) == 2


def test_one_bad_record_is_set_aside_and_the_page_goes_on(world: World) -> None:
    customer(world, "a")
    customer(world, "b", name=["no", "text"])
    customer(world, "c")
    pulled = world.pull()
    assert sum(each.quarantined for each in pulled) == 1
    assert world.store.quarantine.count() == 1
    assert world.store.records.count("customer", "left") == 2
    customer(world, "b", name="Fine now")
    world.pull()
    assert world.store.quarantine.count() == 0


@pytest.mark.parametrize("lost", [UnknownOutcome, ProviderDown, Killed])
def test_a_lost_answer_makes_one_record(world: World, lost: type[BaseException]) -> None:
    customer(world)

    def lose(when: str, what: str) -> None:
        if (when, what) == ("after", "create customer"):
            world.right.on_call = lambda when, what: None
            raise lost("the answer was lost")

    world.right.on_call = lose
    try:
        world.sync()
    except Killed:
        world.restart()
    world.sync()
    world.sync()
    assert len(made_there(world, "customer")) == 1
    assert world.store.outbox.counts() == {"confirmed": 1}


def test_a_wrong_key_stops_the_target_and_loses_nothing(world: World) -> None:
    for number in range(3):
        customer(world, f"c{number}")

    def refuse(when: str, what: str) -> None:
        if what.startswith("create"):
            raise AuthError("the key was refused")

    world.right.on_call = refuse
    with pytest.raises(AuthError):
        world.sync()
    assert len(world.right.writes) == 1
    world.right.on_call = lambda when, what: None
    applied = world.apply()
    assert applied.confirmed == 3 and len(made_there(world, "customer")) == 3


def test_a_change_after_the_plan_makes_its_write_outdated(world: World) -> None:
    customer(world)
    world.pull()
    outline = world.plan()
    customer(world, name="Changed meanwhile")
    world.pull()
    applied = world.apply(outline)
    assert (applied.outdated, applied.confirmed) == (1, 0)
    world.sync()
    assert made_there(world, "customer")[0]["name"] == "Changed meanwhile"


def scenario(world: World) -> None:
    for number in range(3):
        customer(world, f"c{number}")
        invoice(world, f"i{number}", f"c{number}")


def calls_of_a_calm_run(tmp_path: Path) -> int:
    world = World(tmp_path / "calm.db", [flow("customer"), flow("invoice")])
    scenario(world)
    world.sync()
    count = len(world.left.calls) + 2 * len(world.right.calls)
    world.store.close()
    return count


def test_a_kill_at_any_call_costs_nothing_but_time(tmp_path: Path) -> None:
    """Die at every single provider call, before and after its effect, then run on."""
    points = calls_of_a_calm_run(tmp_path)
    assert points > 15
    died = 0
    for point in range(points):
        world = World(tmp_path / f"{point}.db", [flow("customer"), flow("invoice")])
        scenario(world)
        left = [point]

        def die(when: str, what: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1:
                raise Killed

        world.left.on_call = world.right.on_call = die
        try:
            world.sync()
        except Killed:
            died += 1
            world.restart()
        world.left.on_call = world.right.on_call = lambda when, what: None
        world.sync()
        outline, applied = world.sync()
        assert (outline.writes, applied.confirmed, outline.conflicts) == (0, 0, 0), point
        assert len(made_there(world, "customer")) == 3, point
        assert len(made_there(world, "invoice")) == 3, point
        assert world.store.audit.verify() is None
        world.store.close()
    assert died > 15


def test_a_killed_pull_goes_on_after_its_last_page(world: World) -> None:
    for number in range(10):
        customer(world, f"c{number}")
    seen = [0]

    def die(when: str, what: str) -> None:
        seen[0] += 1
        if seen[0] == 3:
            raise Killed

    world.left.on_call = die
    with pytest.raises(Killed):
        world.pull()
    world.left.on_call = lambda when, what: None
    world.restart()
    world.left.calls.clear()
    world.pull()
    assert world.left.calls.count("list customer") == 2  # pages 3 and 4, not 1 and 2
    assert world.store.records.count("customer", "left") == 10


def test_the_oldest_holder_of_our_id_is_the_original_whoever_comes_first(world: World) -> None:
    customer(world)
    for id, made in (("r10", "2026-01-02T00:00:00Z"), ("r9", "2026-01-01T00:00:00Z")):
        world.right.put(
            "customer", id, name="Name c1", external_ids={"left": "c1"}, created_at=made
        )
    world.pull()
    world.plan()
    assert world.store.links.other("customer", "left", "c1", "right") == "r9"
    assert [each.right for each in world.store.candidates.list()] == [("right", "r10")]


def heal(world: World, flow_name: str, id: str) -> Outline:
    place = (flow_name, "left", id)
    ports = world.clock.ports()
    return make_healing_plan(world.store, world.sides(), world.flows, ports, [place], run="r")


def test_healing_writes_the_owners_values_over_a_first_meeting(world: World) -> None:
    customer(world, name="Ada Ltd")
    world.right.put("customer", "r1", name="Ada Limited", email="c1@x.com")
    world.sync()
    outline = heal(world, "customer left > right", "c1")
    assert outline.writes == 1
    assert world.right.records[("customer", "r1")]["name"] == "Ada Limited"  # only planned
    assert world.apply(outline).confirmed == 1
    assert world.right.records[("customer", "r1")]["name"] == "Ada Ltd"
    assert world.sync()[0].conflicts == 0


def test_healing_creates_what_is_older_than_the_flow(tmp_path: Path) -> None:
    world = World(tmp_path / "s.db", [flow("customer"), flow("invoice", starts_on="2026-02-01")])
    customer(world)
    invoice(world)
    world.sync()
    assert made_there(world, "invoice") == []
    assert world.apply(heal(world, "invoice left > right", "i1")).confirmed == 1
    assert len(made_there(world, "invoice")) == 1
    world.store.close()


def test_healing_never_edits_a_document(world: World) -> None:
    customer(world)
    invoice(world)
    world.sync()
    invoice(world, total_minor=5)
    world.pull()
    assert heal(world, "invoice left > right", "i1").counts == {}


def test_a_payment_of_an_invoice_that_will_not_come_waits_in_the_plan(tmp_path: Path) -> None:
    flows = [flow("customer"), flow("invoice", starts_on="2026-02-01"), flow("payment")]
    world = World(tmp_path / "s.db", flows)
    customer(world)
    invoice(world)  # dated before the flow starts
    world.left.put(
        "payment",
        "p1",
        customer_id="c1",
        currency="USD",
        amount_minor=1000,
        status="succeeded",
        received_at="2026-02-02T00:00:00Z",
        allocations=[{"invoice_id": "i1", "amount_minor": 1000}],
    )
    outline, applied = world.sync()
    assert outline.counts[("right", "payment", "wait")] == 1
    assert applied.waiting == 0 and made_there(world, "payment") == []
    world.store.close()
