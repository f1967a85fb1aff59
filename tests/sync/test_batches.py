"""A target that takes many records with one call: each has its own outcome, none happens twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.sync.paper import ALL, Paper, World, flow
from tieout.connectors.base import Can, Write
from tieout.core.entities import ENTITIES
from tieout.core.errors import AuthError, InvalidRecord, ProviderDown, TieoutError, UnknownOutcome


class Killed(BaseException):
    """The process dies here."""


class Wholesale(Paper):
    """Takes batches; a name that begins with "bad" is refused, one with "busy" comes too early."""

    can = {entity: ALL | Can.BATCH for entity in ENTITIES}  # type: ignore[misc]  # noqa: RUF012

    def write_many(self, entity: str, writes: Sequence[Write]) -> list[bytes | TieoutError]:
        self._called("before", f"batch {len(writes)}")
        found = [self._one(entity, each) for each in writes]
        self._called("after", f"batch {len(writes)}")
        return found

    def _one(self, entity: str, write: Write) -> bytes | TieoutError:
        name = str(write.record.get("name"))
        if name.startswith("bad"):
            return InvalidRecord(f"{name} is refused")
        if name.startswith("busy"):
            return ProviderDown("UNABLE_TO_LOCK_ROW")
        if write.id is None:
            id = self.keys.setdefault(write.key, f"{self.system}-{len(self.keys) + 1:04d}")
            self.put(entity, id, **write.record, external_ids={"tieout": write.key})
        else:
            id = write.id
            self.put(entity, id, **write.record)
        return self._body(entity, id)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "store.db", [flow("customer"), flow("invoice")])
    made.right = Wholesale("right", made.clock)
    yield made
    made.store.close()


def fill(world: World, *names: str) -> None:
    for name in names:
        world.left.put("customer", f"c-{name}", name=name, email=f"{name}@x.com")


def there(world: World) -> list[str]:
    return sorted(r["name"] for (kind, _), r in world.right.records.items() if kind == "customer")


def test_many_records_go_with_one_call(world: World) -> None:
    fill(world, *(f"n{number:03d}" for number in range(450)))
    _, applied = world.sync()
    assert (applied.confirmed, applied.problems) == (450, [])
    sizes = [call for call in world.right.calls if call.startswith("batch")]
    assert sizes == ["batch 200", "batch 200", "batch 50"]
    assert world.sync()[0].writes == 0


def test_updates_go_with_one_call_too(world: World) -> None:
    fill(world, "ada", "bob")
    world.sync()
    world.left.put("customer", "c-ada", name="Ada L.")
    world.left.put("customer", "c-bob", name="Bob M.")
    _, applied = world.sync()
    assert applied.confirmed == 2 and there(world) == ["Ada L.", "Bob M."]
    assert world.right.calls[-1] == "batch 2"


def test_one_refused_record_does_not_spoil_the_others(world: World) -> None:
    fill(world, "ada", "bad one", "bob")
    _, applied = world.sync()
    assert (applied.confirmed, applied.rejected) == (2, 1)
    assert there(world) == ["ada", "bob"]
    assert any("bad one is refused" in each for each in applied.problems)


def test_one_that_came_too_early_waits_and_the_rest_is_kept(world: World) -> None:
    fill(world, "ada", "busy one", "bob")
    _, applied = world.sync()
    assert (applied.confirmed, applied.waiting) == (2, 1)
    world.left.put("customer", "c-busy one", name="calm one")
    world.sync()
    world.sync()
    assert there(world) == ["ada", "bob", "calm one"]


def test_a_lost_answer_is_looked_up_record_by_record(world: World) -> None:
    """The call took effect, its answer did not come."""
    fill(world, "ada", "bob", "cleo")

    def lose(when: str, what: str) -> None:
        if when == "after" and what.startswith("batch"):
            raise UnknownOutcome("no answer")

    world.right.on_call = lose
    _, applied = world.sync()
    assert (applied.confirmed, applied.unknown) == (0, 3)
    world.right.on_call = lambda when, what: None
    applied = world.apply()
    assert (applied.confirmed, applied.settled) == (3, 3)
    assert there(world) == ["ada", "bob", "cleo"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_call_each_record_is_made_once(world: World, when: str) -> None:
    fill(world, "ada", "bob", "cleo")

    def kill(at: str, what: str) -> None:
        if at == when and what.startswith("batch"):
            raise Killed

    world.right.on_call = kill
    with pytest.raises(Killed):
        world.sync()
    world.restart()
    world.right.on_call = lambda when, what: None
    world.apply()
    world.sync()
    assert there(world) == ["ada", "bob", "cleo"]


def test_a_refused_login_leaves_everything_for_the_next_run(world: World) -> None:
    fill(world, "ada", "bob")

    def refuse(when: str, what: str) -> None:
        if when == "before" and what.startswith("batch"):
            raise AuthError("the key was refused")

    world.right.on_call = refuse
    world.pull()
    with pytest.raises(AuthError):
        world.apply(world.plan())
    assert there(world) == []
    world.right.on_call = lambda when, what: None
    assert world.apply().confirmed == 2


def test_records_that_refer_to_each_other_wait_for_the_second_call(world: World) -> None:
    fill(world, "ada")
    values = {"status": "open", "currency": "USD", "total_minor": 5, "balance_minor": 5}
    world.left.put("invoice", "i1", number="i1", customer_id="c-ada", issued_on="2026-01-05",
                   **values)  # fmt: skip
    _, applied = world.sync()
    assert applied.confirmed == 2
    (bill,) = [r for (kind, _), r in world.right.records.items() if kind == "invoice"]
    assert bill["customer_id"] == "right-0001"
