"""Starts `tieout` commands in processes of their own, without paying for the imports each time.

Reads one JSON job a line. {"words": [...], "folder": ..., "env": {...}, "out": ..., "err": ...}
forks a process that runs the command and answers its pid; {"wait": pid} answers its exit status.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module

# `tieout --help` stays quick because these are imported late; here once is enough.
PRELOADED = (
    "tieout.cli.main", "tieout.cli.run", "tieout.cli.look", "tieout.cli.setup", "tieout.hub",
    "tieout.jobs.tasks", "tieout.jobs.queries", "tieout.jobs.reporting", "tieout.connectors.stripe",
    "tieout.connectors.netsuite", "tieout.mappings.stripe_forms", "rich.table", "requests",
)  # fmt: skip


def run(job: dict[str, object]) -> None:
    """In the forked process: become the command."""
    os.chdir(str(job["folder"]))
    os.environ.clear()
    os.environ.update(job["env"])  # type: ignore[call-overload]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(str(job[name]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
    if limit := job.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # type: ignore[arg-type]
    sys.argv = ["tieout", *job["words"]]  # type: ignore[misc]
    from tieout.__main__ import main

    main()


def serve() -> None:
    for name in PRELOADED:
        import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        if "wait" in job:
            _, status = os.waitpid(job["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
        elif pid := os.fork():
            print(pid, flush=True)
        else:
            run(job)


if __name__ == "__main__":
    serve()
