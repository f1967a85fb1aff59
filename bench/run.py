"""`make bench`: pull -> map -> store of Stripe invoices, beside dlt pulling the same into SQLite.

Prints one JSON document: each way at 20,000 and 200,000 records (records/s, CPU seconds, peak
memory), their ratios from this very run, and what an incremental run after 100 changes costs.
Every measurement is a process of its own. `--quick` runs a tenth of the records.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WORK = HERE.parent / ".bench"
PEER = WORK / "peer"
PEER_PACKAGES = ["dlt[sqlalchemy]==1.31.0"]
CHANGED = 100


def peer_python() -> Path:
    """The interpreter of the peer's own environment, made at first use."""
    python = PEER / "bin" / "python"
    if not python.exists():
        print("installing dlt into .bench/peer (once) ...", file=sys.stderr)
        venv.create(PEER, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEER_PACKAGES], check=True)
    return python


@contextmanager
def server(records: int) -> Iterator[str]:
    """The local server in a process of its own; gives its address."""
    command = [sys.executable, str(HERE / "server.py"), "--records", str(records)]
    process = subprocess.Popen(
        [*command, "--changed", str(CHANGED)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def calls(url: str) -> int:
    with urllib.request.urlopen(f"{url}/calls") as answer:
        return int(json.load(answer)["calls"])


def measured(python: Path | str, script: str, url: str, folder: Path) -> dict[str, Any]:
    """Run one way in its own process and read the line it prints."""
    before = calls(url)
    done = subprocess.run(
        [str(python), str(HERE / script), url, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    found["calls"] = calls(url) - before
    print(f"  {found}", file=sys.stderr)
    return found


def main() -> None:
    sizes = [2_000, 20_000] if "--quick" in sys.argv else [20_000, 200_000]
    shutil.rmtree(WORK / "run", ignore_errors=True)
    result: dict[str, Any] = {"tieout": [], "dlt": [], "incremental_after_100_changes": []}
    for size in sizes:
        with server(size) as url:
            folder = WORK / "run" / f"tieout-{size}"
            result["tieout"].append(measured(sys.executable, "pull_tieout.py", url, folder))
            result["incremental_after_100_changes"].append(
                measured(sys.executable, "pull_tieout.py", url, folder)
            )
        with server(size) as url:
            folder = WORK / "run" / f"dlt-{size}"
            result["dlt"].append(measured(peer_python(), "pull_dlt.py", url, folder))
    result["verdict"] = verdict(result)
    print(json.dumps(result, indent=2))


def verdict(result: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Ratios inside this run."""
    ours, theirs = result["tieout"], result["dlt"]
    small, large = ours
    first, second = result["incremental_after_100_changes"]
    return {
        "dlt_cpu_over_tieout_cpu": [
            round(b["cpu_seconds"] / a["cpu_seconds"], 1) for a, b in zip(ours, theirs, strict=True)
        ],
        "dlt_wall_over_tieout_wall": [
            round(b["seconds"] / a["seconds"], 1) for a, b in zip(ours, theirs, strict=True)
        ],
        "memory_growth_percent": round(100 * (large["peak_mb"] / small["peak_mb"] - 1), 1),
        "incremental_calls": [first["calls"], second["calls"]],
        "incremental_seconds": [first["seconds"], second["seconds"]],
        "full_over_incremental_calls": round(large["calls"] / second["calls"], 1),
        "full_over_incremental_seconds": round(large["seconds"] / second["seconds"], 1),
    }


if __name__ == "__main__":
    main()
