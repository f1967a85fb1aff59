"""`make bench-budget`: several processes on one store, one login each for Stripe and NetSuite.

The stand-ins enforce the documented limits: Stripe's sandbox 25 calls a second, NetSuite 5 calls at
once. Prints one JSON document: how much of that was used, and how many 429s came of it. Other
limits: `--seconds 60 --workers 4`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tieout.core.errors import TieoutError
from tieout.core.ports import real_ports
from tieout.hub import Hub
from tieout.rest import Pace, Request, RestClient, TokenBased
from tieout.rest.transport import requests_send
from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.server import serve
from tieout.sandbox.stripe import StripeStandIn
from tieout.store import SharedBudget, open_store

STRIPE_A_SECOND, NETSUITE_AT_ONCE = 25, 5
NETSUITE_TAKES = 0.3  # seconds a call
CONFIG = """\
systems:
  stripe: {type: stripe, api_key: '${BENCH_KEY}', base_url: '%s', entities: [customer]}
"""


class Watched:
    """A stand-in that counts its answers; with `at_once`, calls take a while and crowd it."""

    def __init__(self, inner: Any, at_once: int = 0) -> None:
        self.inner, self.name, self.clock, self.at_once = inner, inner.name, inner.clock, at_once
        self.answers: Counter[int] = Counter()
        self.busy, self._inside, self._lock = 0.0, 0, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def noting(status: str, *rest: Any) -> Any:
            with self._lock:
                self.answers[int(status[:3])] += 1
            return start_response(status, *rest)

        if not self.at_once:
            return list(self.inner.wsgi(environ, noting))
        return self._crowded(environ, noting)

    def _crowded(self, environ: dict[str, Any], noting: Any) -> Iterable[bytes]:
        with self._lock:
            full = self._inside >= self.at_once
            self._inside += not full
        if full:
            status, headers, body = self.inner.error_answer(429)
            noting(f"{status} Too Many Requests", list(headers.items()))
            return [body]
        began = time.perf_counter()
        try:
            time.sleep(NETSUITE_TAKES)
            return list(self.inner.wsgi(environ, noting))
        finally:
            with self._lock:
                self._inside -= 1
                self.busy += time.perf_counter() - began


def work_on_stripe(folder: Path, until: float) -> int:
    """Calls as the connector makes them, through the hub, until the time is up."""
    calls = 0
    with Hub.open(folder / "config.yaml", os.environ) as hub:
        connector = hub.side("stripe").connector
        while time.time() < until:
            connector.get("customer", f"cus_{calls}")
            calls += 1
    return calls


def work_on_netsuite(folder: Path, until: float) -> int:
    told = json.loads((folder / "netsuite.json").read_text())
    ports = real_ports(requests_send())
    calls = 0
    with open_store(folder / "tieout.db", ports) as store:
        shared = SharedBudget(lambda: store.budgets, "netsuite")
        ports = replace(ports, budget=shared)
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        login = TokenBased(
            realm=told["account"], ports=ports, **{name: told[name] for name in names}
        )
        pace = Pace(
            50,
            50,
            ports=ports,
            concurrency=NETSUITE_AT_ONCE,
            credential="netsuite:" + told["account"],
        )
        client = RestClient(told["url"], ports=ports, auth=login, pace=pace)
        while time.time() < until:
            client.send(Request("GET", "/services/rest/system/v1/governanceLimits"))
            calls += 1
        shared.close()
    return calls


def measured(provider: str, workers: int, seconds: float) -> dict[str, Any]:
    """One run: the stand-in here, each worker a process of its own."""
    if provider == "stripe":
        watched = Watched(StripeStandIn(SandboxClock(), limits=True, api_key="sk_test_benchmark"))
    else:
        watched = Watched(NetSuiteStandIn(SandboxClock()), at_once=NETSUITE_AT_ONCE)
    with tempfile.TemporaryDirectory() as name, serve(watched) as running:
        folder = Path(name)
        (folder / "config.yaml").write_text(CONFIG % running.url)
        told = {**watched.credentials(), "url": running.url}
        (folder / "netsuite.json").write_text(json.dumps(told))
        open_store(folder / "tieout.db", real_ports()).close()
        calls = _run(provider, folder, workers, seconds, watched)
    used = calls.pop("in_time") / (STRIPE_A_SECOND * seconds)
    if provider == "netsuite":
        used = calls.pop("busy") / (NETSUITE_AT_ONCE * seconds)
    calls.pop("busy", None)
    return {"provider": provider, "workers": workers, "used_percent": round(100 * used, 1), **calls}


def _run(
    provider: str, folder: Path, workers: int, seconds: float, watched: Watched
) -> dict[str, Any]:
    """From the moment at which all workers are under way."""
    start = time.time() + 4.0
    words = [sys.executable, __file__, "--work", provider, str(folder), str(start + seconds + 1)]
    env = {**os.environ, "BENCH_KEY": "sk_test_benchmark"}
    processes = [subprocess.Popen(words, stdout=subprocess.PIPE, env=env) for _ in range(workers)]
    time.sleep(max(0.0, start - time.time()))
    before, busy = watched.answers.total(), watched.busy
    time.sleep(seconds)
    in_time, busy = watched.answers.total() - before, watched.busy - busy
    made = [int(process.communicate()[0].split()[-1]) for process in processes]
    answers = {str(status): count for status, count in sorted(watched.answers.items())}
    return {
        "in_time": in_time - watched.answers[429],
        "busy": busy,
        "calls": sum(made),
        "of_each_worker": made,
        "refused_429": watched.answers[429],
        "answers": answers,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", nargs=3)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    if given.work:
        provider, folder, until = given.work
        task = work_on_stripe if provider == "stripe" else work_on_netsuite
        try:
            print(task(Path(folder), float(until)))
        except TieoutError as error:
            sys.exit(f"{error.message} ({error.hint})")
        return
    stripe = measured("stripe", given.workers, given.seconds)
    print(f"  {stripe}", file=sys.stderr)
    netsuite = measured("netsuite", 2 * given.workers, given.seconds)
    print(f"  {netsuite}", file=sys.stderr)
    print(json.dumps({"seconds": given.seconds, "stripe": stripe, "netsuite": netsuite}, indent=2))


if __name__ == "__main__":
    main()
