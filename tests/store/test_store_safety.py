"""The file: pragmas on every route, one writer, crashes, full disks, damage, newer schemas."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tieout.core.entities import Customer, Invoice
from tieout.core.errors import StopRun
from tieout.core.ports import Ports
from tieout.store import Incoming, Store, open_store
from tieout.store.db import Database
from tieout.store.migrations import migrate, statements, steps
from tieout.store.place import file_system

REPO = Path(__file__).parents[2]
PRAGMAS = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


def page(size: int, seq: int, prefix: str = "in") -> list[Incoming]:
    return [
        Incoming(Invoice(system="stripe", id=f"{prefix}_{seq:05d}_{n:03d}"), b"{}" * 500, seq, "m")
        for n in range(size)
    ]


def assert_safe(connection: sqlite3.Connection) -> None:
    for name, value in PRAGMAS.items():
        assert connection.execute(f"PRAGMA {name}").fetchone() == (value,), name
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] >= 5000


def test_every_route_to_a_connection_is_safe(reopen: Callable[[], Store]) -> None:
    store = reopen()
    with store.db.reading() as connection:
        assert_safe(connection)
    with store.snapshot() as connection:
        assert_safe(connection)
    with store.transaction() as connection:
        assert_safe(connection)
        with store.transaction() as nested, store.db.reading() as inside:
            assert nested is connection is inside
    assert_safe(store.db._connect())


def test_no_other_module_opens_a_connection() -> None:
    callers = [
        path.name
        for path in (REPO / "tieout").rglob("*.py")
        if "sandbox" not in path.parts and "sqlite3.connect" in path.read_text(encoding="utf-8")
    ]
    assert callers == ["db.py"]


def test_readers_cannot_write_but_may_use_temporary_tables(reopen: Callable[[], Store]) -> None:
    store = reopen()
    with store.db.reading() as connection:
        connection.execute("CREATE TEMP TABLE scratch (n INTEGER)")
        connection.execute("DROP TABLE temp.scratch")
    with pytest.raises(StopRun, match="may not be written"), store.db.reading() as connection:
        connection.execute("DELETE FROM meta")


def test_the_file_is_private(reopen: Callable[[], Store], tmp_path: Path) -> None:
    (tmp_path / "tieout.db").touch(mode=0o644)
    store = reopen()
    store.meta.set("a", "b")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.meta.set("a", "1")
        raise RuntimeError
    assert store.meta.get("a") is None


def test_a_failed_inner_transaction_undoes_only_itself(store: Store) -> None:
    with store.transaction():
        store.meta.set("outer", "1")
        with pytest.raises(RuntimeError), store.transaction():
            store.meta.set("inner", "1")
            raise RuntimeError
        store.meta.set("after", "1")
    assert [store.meta.get(n) for n in ("outer", "inner", "after")] == ["1", None, "1"]


def test_nobody_else_sees_an_open_transaction(reopen: Callable[[], Store]) -> None:
    store, seen = reopen(), []
    with store.transaction():
        store.meta.set("a", "1")
        assert store.meta.get("a") == "1"
        reader = threading.Thread(target=lambda: seen.append(store.meta.get("a")))
        reader.start()
        reader.join()
    assert seen == [None]
    assert store.meta.get("a") == "1"


def test_a_snapshot_stays_at_its_moment(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.meta.set("a", "1")
    with store.snapshot():
        writer = threading.Thread(target=lambda: store.meta.set("a", "2"))
        writer.start()
        writer.join()
        assert store.meta.get("a") == "1"
    assert store.meta.get("a") == "2"


def test_threads_share_a_store(store: Store) -> None:
    def work(name: str) -> None:
        for n in range(20):
            with store.transaction():
                drawn.append(store.next_seq())
                store.meta.set(f"{name}{n}", "x")

    drawn: list[int] = []
    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 80 and drawn == sorted(drawn)
    assert store.db.value("SELECT COUNT(*) FROM meta") == 80


def test_fetch_numbers_grow_over_restarts_and_rollbacks(reopen: Callable[[], Store]) -> None:
    store = reopen()
    drawn = [store.next_seq() for _ in range(1500)]
    with pytest.raises(RuntimeError), store.transaction():
        drawn += [store.next_seq() for _ in range(700)]
        raise RuntimeError
    drawn += [store.next_seq() for _ in range(10)]
    store.close()
    drawn += [reopen().next_seq()]
    assert all(a < b for a, b in pairwise(drawn))


# -- one writer ---------------------------------------------------------------------------------


def test_a_second_writer_is_refused_with_the_first_ones_pid(reopen: Callable[[], Store]) -> None:
    first, second = reopen(), reopen()
    first.meta.set("a", "1")
    with pytest.raises(StopRun, match=rf"another tieout is running \(pid {os.getpid()}\)") as told:
        second.meta.set("a", "2")
    assert "stop it" in told.value.hint and told.value.where.endswith(".lock")
    assert second.meta.get("a") == "1"  # reading goes on
    first.close()
    second.meta.set("a", "2")


def test_another_process_is_refused_too(reopen: Callable[[], Store], tmp_path: Path) -> None:
    store = reopen()
    store.own()
    code = (
        "import sys\nfrom tieout.core.errors import StopRun\n"
        "from tieout.core.ports import real_ports\nfrom tieout.store import open_store\n"
        "store = open_store(sys.argv[1], real_ports())\n"
        "try:\n    store.meta.set('a', '1')\nexcept StopRun as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "tieout.db")],
        capture_output=True, text=True, cwd=REPO, timeout=60, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == f"another tieout is running (pid {os.getpid()})"


def test_a_short_write_may_go_in_beside_but_no_pull(
    reopen: Callable[[], Store], tmp_path: Path, ports: Ports
) -> None:
    reopen().meta.set("a", "1")
    with open_store(tmp_path / "tieout.db", ports, alone=False) as beside:
        beside.meta.set("b", "2")
        assert beside.meta.get("b") == "2"
        with pytest.raises(StopRun, match="may not pull"):
            beside.next_seq()


# -- crashes, full disks, damage ----------------------------------------------------------------

CHILD = """
import sys
from tieout.core.entities import Invoice
from tieout.core.ports import real_ports
from tieout.store import Incoming, open_store

store = open_store(sys.argv[1], real_ports())
while True:
    seq = store.next_seq()
    rows = [Incoming(Invoice(system="stripe", id=f"in_{seq:06d}_{n:02d}", number=str(seq)),
                     b"x" * 3000, seq, "m") for n in range(50)]
    with store.transaction():
        store.records.put("invoice", rows, run="r")
        store.meta.set("done", str(seq))
    print(seq, flush=True)
"""


def test_kill_9_leaves_no_half_page(reopen: Callable[[], Store], tmp_path: Path) -> None:
    path, chance = tmp_path / "tieout.db", random.Random(7)
    acknowledged = 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPO
        )
        assert child.stdout is not None
        for _ in range(chance.randint(1, 12)):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        child.stdout.close()
        child.wait()

        store = reopen()  # the lock of the dead is free
        assert store.db.value("PRAGMA integrity_check") == "ok"
        rows = store.db.value("SELECT COUNT(*) FROM invoice")
        assert rows % 50 == 0
        for table in ("seen", "versions", "raw"):
            assert store.db.value(f"SELECT COUNT(*) FROM {table}") == rows, table
        assert int(store.meta.get("done") or 0) >= acknowledged
        assert store.next_seq() > acknowledged
        store.close()


def test_a_full_disk_keeps_nothing_of_the_page_and_says_what_to_do(
    reopen: Callable[[], Store], tmp_path: Path
) -> None:
    store = reopen()
    store.records.put("invoice", page(50, 1), run="r")
    pages = store.db._writer.execute("PRAGMA page_count").fetchone()[0]
    store.db._writer.execute(f"PRAGMA max_page_count={pages + 5}").fetchall()
    with pytest.raises(StopRun, match="disk is full") as told:
        store.records.put("invoice", page(500, 2), run="r")
    assert told.value.where == str(tmp_path / "tieout.db") and "free some space" in told.value.hint
    assert store.records.count("invoice", "stripe") == 50
    store.db._writer.execute("PRAGMA max_page_count=1000000").fetchall()
    assert len(store.records.put("invoice", page(500, 2), run="r").new) == 500
    assert store.db.value("PRAGMA integrity_check") == "ok"


def test_a_foreign_lock_is_explained(reopen: Callable[[], Store], tmp_path: Path) -> None:
    store = reopen()
    store.own()
    store.db._writer.execute("PRAGMA busy_timeout=0").fetchall()
    other = sqlite3.connect(tmp_path / "tieout.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StopRun, match="another program is holding the store"):
        store.meta.set("a", "1")
    other.close()
    store.meta.set("a", "1")


def test_a_backup_is_whole_private_and_never_overwrites(
    reopen: Callable[[], Store], tmp_path: Path, ports: Ports
) -> None:
    store = reopen()
    store.records.put("invoice", page(50, 1), run="r")
    store.backup(tmp_path / "copy.db")
    store.records.put("invoice", page(50, 2), run="r")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with open_store(tmp_path / "copy.db", ports) as copy:
        assert copy.records.count("invoice", "stripe") == 50
        assert copy.next_seq() > 0
    with pytest.raises(StopRun, match="already exists"):
        store.backup(tmp_path / "copy.db")


def test_a_damaged_file_is_explained(reopen: Callable[[], Store], tmp_path: Path) -> None:
    store = reopen()
    store.records.put("invoice", page(500, 1), run="r")
    store.close()
    path = tmp_path / "tieout.db"
    body = bytearray(path.read_bytes())
    for at in range(4096 * 60, len(body), 4096):
        body[at : at + 100] = b"\xff" * 100
    path.write_bytes(body)
    with pytest.raises(StopRun, match="damaged") as told:
        broken = reopen()
        list(broken.records.scan("invoice", "stripe"))
        broken.records.raw("invoice", "stripe", "in_00001_499")
    assert "restore the last backup" in told.value.hint


def test_another_kind_of_file_is_refused_untouched(tmp_path: Path, ports: Ports) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StopRun, match="not a tieout store"):
        open_store(path, ports)
    assert path.read_text() == "not a database " * 100


def test_a_strangers_database_is_refused(tmp_path: Path, ports: Ports) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE orders (id INTEGER)")
    other.close()
    with pytest.raises(StopRun, match="not tieout's"):
        open_store(tmp_path / "other.db", ports)


def test_a_missing_folder_is_explained(tmp_path: Path, ports: Ports) -> None:
    with pytest.raises(StopRun, match="cannot be opened"):
        open_store(tmp_path / "missing" / "tieout.db", ports)


# -- schema -------------------------------------------------------------------------------------


def test_a_store_of_a_newer_tieout_is_refused(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.db.write(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('tieout', '9999_future', '')"
    )
    store.close()
    with pytest.raises(StopRun, match="a newer tieout made this store") as told:
        reopen()
    assert "9999_future" in str(told.value) and "update tieout" in told.value.hint


def test_a_column_that_we_do_not_know_is_a_newer_tieouts(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.db.write("ALTER TABLE customer ADD COLUMN loyalty TEXT")
    store.close()
    with pytest.raises(StopRun, match=r"customer\.loyalty"):
        reopen()


def test_a_field_that_the_model_gained_becomes_a_column(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.records.put(
        "customer", [Incoming(Customer(system="s", id="1", name="Ada"), b"", 1, "m")], run="r"
    )
    store.db.write("ALTER TABLE customer DROP COLUMN payment_terms_days")
    store.close()
    store = reopen()
    assert store.records.get("customer", "s", "1") == Customer(system="s", id="1", name="Ada")
    record = Customer(system="s", id="1", name="Ada", payment_terms_days=30)
    store.records.put("customer", [Incoming(record, b"", 2, "m")], run="r")
    assert store.records.get("customer", "s", "1") == record


def test_an_up_to_date_store_is_opened_without_a_write(
    reopen: Callable[[], Store], tmp_path: Path, ports: Ports
) -> None:
    reopen().own()
    db = Database(tmp_path / "tieout.db", ports)
    assert migrate(db) == []  # the lock is held by another: a write would have been refused
    db.close()


def test_migrations_are_numbered_and_fill_their_words() -> None:
    assert [step[:4] for step in steps()] == [f"{n + 1:04d}" for n in range(len(steps()))]
    from tieout.store.dialect import SQLITE

    assert not [sql for sql in statements("0001_start", SQLITE) if "{" in sql]


def test_a_half_done_migration_leaves_nothing(
    tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tieout.store import migrations

    good = migrations.statements
    monkeypatch.setattr(
        migrations, "statements", lambda *a: [*good(*a), "CREATE TABLE meta (n INTEGER)"]
    )
    with pytest.raises(sqlite3.OperationalError):
        open_store(tmp_path / "tieout.db", ports)
    monkeypatch.setattr(migrations, "statements", good)
    open_store(tmp_path / "tieout.db", ports).close()


def test_the_file_system_is_read_from_the_mounts(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/share nfs4 rw 0 0\nbroken\n")
    (tmp_path / "share").mkdir()
    (tmp_path / "shared").mkdir()
    assert file_system(tmp_path / "share", mounts) == "nfs4"
    assert file_system(tmp_path / "shared", mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "missing") == ""
