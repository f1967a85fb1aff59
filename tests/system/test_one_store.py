"""The store under pressure: a full disk, two runs at once, a foreign or damaged file."""

from __future__ import annotations

import threading

from two_stripes import World
from wire import Answer


def test_a_full_disk_is_named_and_the_rerun_goes_on(world: World) -> None:
    """The limit on the size of a file stands for the disk's end; it is reached in the pull."""
    items = [{"object": "customer", "id": f"cus_{n:05}", "name": f"N{n:05}", "email": None,
              "created": 1_700_000_000 + n, "livemode": False, "metadata": {}}
             for n in range(1000)]  # fmt: skip
    world.left.wire.load(("customer", item) for item in items)
    done = world.run("pull", code=1, largest_file=1_000_000)
    assert "tieout.db" in done.err
    assert "full" in done.err or "disk" in done.err
    assert "fix" in done.err and "run" in done.err
    kept = world.ask("SELECT COUNT(*) FROM customer")[0][0]
    assert kept % 100 == 0 and kept < 1000  # whole pages only
    assert world.ask("PRAGMA integrity_check") == [("ok",)]
    world.run("pull", code=0)
    assert world.ask("SELECT COUNT(*) FROM customer") == [(1000,)]
    assert world.ask("SELECT COUNT(*) FROM runs WHERE state = 'running'") == [(0,)]


def test_a_disk_that_fills_up_between_writes_makes_nothing_twice(world: World) -> None:
    """Whatever the moment at which nothing more can be kept, the next run makes up for it."""
    world.seed(12)
    world.run("pull", code=0)
    size = (world.folder / "tieout.db").stat().st_size
    outcomes = {
        world.run("sync", largest_file=size + more).code
        for more in (0, 20_000, 60_000, 100_000, 150_000, 200_000)
    }
    assert outcomes & {1}
    world.run("sync", code=0)
    world.agree([f"C{number:03}" for number in range(12)])


def test_the_second_of_two_syncs_says_who_holds_the_store(world: World) -> None:
    world.seed(2)
    under_way, go_on = threading.Event(), threading.Event()

    def hold(method: str, path: str, number: int) -> Answer | None:
        under_way.set()
        go_on.wait(20)
        return None

    world.left.wire.on_request = hold
    first = world.start("sync")
    try:
        assert under_way.wait(20)
        second = world.run("sync", code=1)
        assert f"pid {first.pid}" in second.err
        for other in (("pull",), ("reconcile",), ("remap",), ("plan",)):
            assert f"pid {first.pid}" in world.run(*other, code=1).err
        assert world.run("status").code == 0  # looking is allowed beside it
        assert world.run("runs", "list", "--json").document[0]["state"] == "running"
    finally:
        go_on.set()
    assert world.finish(first).code == 0
    world.agree(["C000", "C001"])


def test_a_file_that_is_no_store_is_left_alone(world: World) -> None:
    (world.folder / "tieout.db").write_bytes(b"these are my notes, not a database" * 100)
    done = world.run("sync", code=1)
    assert "not a tieout store" in done.err and "tieout.db" in done.err
    assert (world.folder / "tieout.db").read_bytes().startswith(b"these are my notes")


def test_a_store_in_a_folder_that_is_not_there(world: World) -> None:
    world.rewrite("store: tieout.db", "store: nowhere/tieout.db")
    done = world.run("sync", code=1)
    assert "nowhere" in done.err and "folder" in done.err


def test_the_store_is_private(world: World) -> None:
    world.seed(1)
    world.run("sync", code=0)
    for file in world.folder.glob("tieout.db*"):
        assert file.stat().st_mode & 0o077 == 0, file
