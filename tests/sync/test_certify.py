"""A second look after each pull: what is missing is fetched, what is gone is buried, or asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sync.paper import ALL, Paper, World, flow
from tieout.connectors.base import Can, Evidence, Method, Window
from tieout.core.entities import ENTITIES
from tieout.core.errors import ProviderDown, StopRun
from tieout.store import Certificate
from tieout.sync.pull import Pulled, pull

Prove = Callable[["Honest", str, Window], Iterator[Evidence]]


def living(paper: Paper, entity: str) -> list[str]:
    return sorted(id for kind, id in paper.records if kind == entity)


def by_count(paper: Honest, entity: str, window: Window) -> Iterator[Evidence]:
    yield Evidence(Method.COUNT, count=len(living(paper, entity)))


def by_ids(paper: Honest, entity: str, window: Window) -> Iterator[Evidence]:
    ids = living(paper, entity)
    for at in range(0, len(ids), 2):
        yield Evidence(Method.IDS, ids=tuple(ids[at : at + 2]))
    yield Evidence(Method.IDS, whole=True)


class Honest(Paper):
    """Can be asked a second time; `hidden` are records that its lists forget."""

    can = {entity: ALL | Can.PROVE for entity in ENTITIES}  # type: ignore[misc]  # noqa: RUF012

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.hidden: set[str] = set()
        self.how: Prove = by_count

    def pull(self, entity: str, **options: Any) -> Iterator[Any]:
        kept = dict(self.records)
        self.records = {key: r for key, r in kept.items() if key[1] not in self.hidden}
        pages = list(super().pull(entity, **options))
        self.records = kept
        yield from pages

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        self._called("before", f"prove {entity}")
        yield from self.how(self, entity, window)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "store.db", [flow("customer")])
    made.left = Honest("left", made.clock)
    yield made
    made.store.close()


def read(world: World, **options: Any) -> Pulled:
    side = world.sides()["left"]
    ports = world.clock.ports()
    return pull(world.store, side, "customer", world.flows, ports, run="r", **options)


def certificate(world: World) -> Certificate:
    found = world.store.certificates.latest("left", "customer")
    assert found is not None
    return found


def fill(world: World, count: int) -> None:
    for number in range(count):
        world.left.put("customer", f"c{number:03d}", name=f"N{number}")


def alive(world: World) -> set[str]:
    return {
        each.id for each in world.store.records.scan("customer", "left", where={"deleted": [False]})
    }


def test_a_count_that_agrees_proves_a_window(world: World) -> None:
    fill(world, 7)
    assert read(world).verdict == "proven"
    told = certificate(world)
    assert (told.verdict, told.since) == ("proven", None)
    assert told.evidence == [{"method": "count", "note": "", "says": 7, "here": 7}]


def test_records_set_aside_are_not_missing(world: World) -> None:
    fill(world, 3)
    world.left.put("customer", "odd", name=5)
    pulled = read(world)
    assert (pulled.quarantined, pulled.verdict) == (1, "proven")


def test_a_row_that_the_list_forgot_is_told(world: World) -> None:
    fill(world, 7)
    world.left.hidden = {"c003"}  # type: ignore[attr-defined]
    assert read(world).verdict == "contradicted"
    assert certificate(world).told == "count: 7 there, 6 here"


def test_a_list_of_ids_brings_what_the_pull_forgot(world: World) -> None:
    fill(world, 7)
    world.left.hidden = {"c003", "c006"}  # type: ignore[attr-defined]
    world.left.how = by_ids  # type: ignore[attr-defined]
    pulled = read(world)
    assert (pulled.verdict, pulled.new) == ("proven", 7)
    assert certificate(world).told == "list of ids: 7 looked for, 2 were missing and fetched"
    assert len(alive(world)) == 7


def test_what_a_proven_full_pull_did_not_bring_is_gone(world: World) -> None:
    fill(world, 5)
    read(world)
    del world.left.records["customer", "c001"]  # without a word
    assert read(world).verdict == "contradicted"  # of the changes, none tells it
    assert "c001" in alive(world)
    assert read(world, full=True).deleted == 1
    assert alive(world) == {"c000", "c002", "c003", "c004"}
    assert certificate(world).told.endswith("1 gone there")


def test_ids_tell_what_is_gone_without_a_full_pull(world: World) -> None:
    fill(world, 5)
    world.left.how = by_ids  # type: ignore[attr-defined]
    read(world)
    del world.left.records["customer", "c004"]
    assert read(world).deleted == 1
    assert "c004" not in alive(world)


def test_nothing_is_buried_without_a_proof(world: World) -> None:
    fill(world, 5)
    read(world)

    def mistaken(paper: Honest, entity: str, window: Window) -> Iterator[Evidence]:
        yield Evidence(Method.COUNT, count=5)

    del world.left.records["customer", "c004"]
    world.left.how = mistaken  # type: ignore[attr-defined]
    assert read(world, full=True).verdict == "contradicted"
    assert "c004" in alive(world)


def test_one_that_seems_gone_but_answers_is_kept(world: World) -> None:
    """A list and a count that both forget a record are overruled by the record itself."""
    fill(world, 5)
    read(world)

    def forgetful(paper: Honest, entity: str, window: Window) -> Iterator[Evidence]:
        yield Evidence(Method.COUNT, count=4)

    world.left.hidden = {"c002"}  # type: ignore[attr-defined]
    world.left.how = forgetful  # type: ignore[attr-defined]
    pulled = read(world, full=True)
    assert (pulled.verdict, pulled.deleted) == ("proven", 0)
    assert "c002" in alive(world)


def test_a_sweep_that_would_delete_too_much_stops_and_asks(world: World) -> None:
    """As when a login lost its permissions: an empty list, and a count of nothing."""
    fill(world, 30)
    read(world)
    world.left.records.clear()
    with pytest.raises(
        StopRun, match=r"30 of 30 customer records seem to be gone from left"
    ) as told:
        read(world, full=True)
    assert "--accept-large" in told.value.hint
    assert len(alive(world)) == 30 and certificate(world).verdict == "contradicted"
    with pytest.raises(StopRun):  # it stays so, however often it is run
        read(world)
    assert read(world, accept_large=True).deleted == 30
    assert alive(world) == set() and certificate(world).verdict == "proven"


def test_a_provider_that_fails_at_the_second_look_leaves_the_window_unproven(world: World) -> None:
    fill(world, 3)

    def down(paper: Honest, entity: str, window: Window) -> Iterator[Evidence]:
        yield Evidence(Method.OVERLAP, seconds=600)
        raise ProviderDown("answered 503")

    world.left.how = down  # type: ignore[attr-defined]
    assert (read(world).verdict, len(alive(world))) == ("unproven", 3)
    assert "the second look failed: answered 503" in certificate(world).told
    cursor = world.store.cursors.get("left", "customer")
    assert cursor is not None and not cursor.open


def test_a_connector_that_offers_no_proof_leaves_windows_unproven(world: World) -> None:
    world.left = Paper("left", world.clock)
    fill(world, 2)
    assert read(world).verdict == "unproven"


def test_what_was_created_after_the_bound_is_left_out(world: World) -> None:
    fill(world, 3)
    late = (world.clock.moment + timedelta(days=1)).isoformat()
    world.left.put("customer", "late", name="Late", created_at=late)

    def bounded(paper: Honest, entity: str, window: Window) -> Iterator[Evidence]:
        yield Evidence(Method.COUNT, count=3, bound=window.began)

    world.left.how = bounded  # type: ignore[attr-defined]
    assert read(world).verdict == "proven"


def test_killed_before_the_certificate_the_window_is_proven_by_the_next_run(world: World) -> None:
    fill(world, 4)

    class Killed(BaseException):
        pass

    def kill(when: str, what: str) -> None:
        if what.startswith("prove"):
            raise Killed

    world.left.on_call = kill
    with pytest.raises(Killed):
        read(world)
    assert world.store.certificates.latest("left", "customer") is None
    world.restart()
    world.left.on_call = lambda when, what: None
    assert read(world).verdict == "proven"
