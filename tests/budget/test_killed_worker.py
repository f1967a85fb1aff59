"""A real process that is killed in the middle of a call, and another one that goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from virtual_time import VirtualTime

from tieout.core.ports import real_ports
from tieout.rest import Pace, Pool
from tieout.store import SharedBudget, open_store

ROOT = Path(__file__).parents[2]
WORKER = """
import sys
from dataclasses import replace
from tieout.core.ports import real_ports
from tieout.rest import Pace, Pool
from tieout.store import SharedBudget, open_store

store = open_store(sys.argv[1], real_ports(), alone=False)
ports = replace(real_ports(), budget=SharedBudget(lambda: store.budgets, "other"))
pace = Pace(100, 5, ports=ports, concurrency=1, credential="c", pools=(Pool("day", 1000, 86400),))
with pace.slot():
    print("calling", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(("elsewhere", "waits"), [(False, 2), (True, 60)])
def test_the_lease_of_a_killed_process_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool, waits: int
) -> None:
    """Soon where the process was seen to be gone; of another machine's nothing is known."""
    path = tmp_path / "tieout.db"
    open_store(path, real_ports()).close()
    other = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert other.stdout is not None and other.stdout.readline() == b"calling\n"
    other.kill()
    other.communicate()

    if elsewhere:
        monkeypatch.setattr("platform.node", lambda: "another-machine")
    time = VirtualTime()
    with open_store(path, time.ports()) as store:
        ports = replace(time.ports(), budget=SharedBudget(lambda: store.budgets, "mine"))
        pools = (Pool("day", 1000, 86_400),)
        pace = Pace(100, 5, ports=ports, concurrency=1, credential="c", pools=pools)

        def call() -> None:
            with pace.slot():
                pass

        time.run(call)
        (kept,) = store.budgets.list()
    assert time.seconds == pytest.approx(waits, abs=1)  # 60: the longest that a call may take
    assert kept.state.pools["day"].total == 2  # its call was made, as far as anybody knows
    assert kept.state.leases == {}
    assert kept.state.systems == ["mine", "other"]


def test_two_real_processes_never_lose_a_count(tmp_path: Path) -> None:
    """400 calls by four processes at once: the row counts 400, whoever wrote in between."""
    path = tmp_path / "tieout.db"
    open_store(path, real_ports()).close()
    calls = WORKER.replace("concurrency=1, ", "").replace("Pace(100, 5", "Pace(100000, 100")
    start = calls.index("with pace.slot()")
    script = calls[:start] + "for _ in range(100):\n    with pace.slot():\n        pass\n"
    script += "ports.budget.close()\nstore.close()\n"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", script, str(path)]
    others = [subprocess.Popen(words, env=env) for _ in range(4)]
    assert [other.wait(60) for other in others] == [0, 0, 0, 0]
    with open_store(path, real_ports()) as store:
        (kept,) = store.budgets.list()
    assert kept.state.pools["day"].total == 400
