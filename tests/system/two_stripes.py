"""Two Stripe stand-ins, a config that keeps them in agreement, and the real command."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from wire import Wire

from tieout.sandbox import Faults, Running, SandboxClock, serve
from tieout.sandbox.stripe import StripeStandIn

ROOT = Path(__file__).parents[2]
CANARIES = {
    "LEFT_KEY": "sk_test_CANARYleftkey00aa11bb22cc33",
    "RIGHT_KEY": "rk_test_CANARYrightkey44dd55ee66",
    "LEFT_HOOK": "whsec_CANARYlefthook77ff88",
    "RIGHT_HOOK": "whsec_CANARYrighthook99gg00",
}
CONFIG = """\
store: tieout.db
systems:
  left:
    type: stripe
    api_key: ${{LEFT_KEY}}
    webhook_secret: ${{LEFT_HOOK}}
    base_url: {left}
    calls_per_second: 1000
    endpoint_calls_per_second: 1000
  right:
    type: stripe
    api_key: ${{RIGHT_KEY}}
    webhook_secret: ${{RIGHT_HOOK}}
    base_url: {right}
    calls_per_second: 1000
    endpoint_calls_per_second: 1000
flows:
  - {{entity: customer, from: left, to: right, both_changed: flag}}
  - {{entity: product, from: left, to: right}}
"""


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Process:
    """A command that runs."""

    pid: int
    out: Path
    err: Path

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


class Launcher:
    """The process that starts the commands, see launcher.py."""

    def __init__(self) -> None:
        self.latest = 0
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            env={**plain_env(), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill(self, number: int) -> None:
        """Send a signal to the command that was started last."""
        os.kill(self.latest, number)

    def start(self, job: dict[str, Any]) -> int:
        """The pid of the command."""
        self.latest = self.ask(job)
        return self.latest

    def ask(self, job: dict[str, Any]) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.communicate(timeout=10)


@dataclass
class Side:
    """One stand-in with its faults."""

    wire: Wire
    running: Running
    faults: Faults
    key: str

    @property
    def url(self) -> str:
        return self.running.url

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Change something at the provider, as its own users do."""
        answer = requests.post(self.url + path, data=fields, auth=(self.key, ""), timeout=10)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def delete(self, path: str) -> None:
        answer = requests.delete(self.url + path, auth=(self.key, ""), timeout=10)
        assert answer.status_code == 200, answer.text

    def held(self, kind: str) -> list[dict[str, Any]]:
        """What the provider holds, read from its own state."""
        with self.wire.inner.account.lock:
            return list(self.wire.inner.account.all(kind))

    def names(self, kind: str) -> list[str]:
        return sorted(item["name"] for item in self.held(kind))

    def writes(self) -> int:
        return sum(method == "POST" for method, _ in self.wire.asked)


@dataclass
class World:
    """Two providers, a folder with a config, and `tieout` in a process of its own."""

    folder: Path
    left: Side
    right: Side
    env: dict[str, str]
    launcher: Launcher
    outside: Path  # where the commands' output is kept
    started: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def rewrite(self, old: str, new: str) -> int:
        """Change the config; the number of the first changed line."""
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def start(self, *words: str, **limits: Any) -> Process:
        """Run a command without waiting for it; `largest_file` limits what it may write."""
        self.started += 1
        out, err = (self.outside / f"{self.started}.{name}" for name in ("out", "err"))
        job = {"words": words, "folder": str(self.folder), "env": self.env, **limits}
        pid = self.launcher.start({**job, "out": str(out), "err": str(err)})
        return Process(pid, out, err)

    def finish(self, process: Process) -> Done:
        code = self.launcher.ask({"wait": process.pid})
        out, err = process.out.read_text(), process.err.read_text()
        self.said += [out, err]
        return Done(code, out, err)

    def run(self, *words: str, code: int | None = None, **limits: Any) -> Done:
        """Run a command to its end; `code` is the exit code that is expected."""
        done = self.finish(self.start(*words, **limits))
        assert "Traceback" not in done.err, done.err
        assert code is None or done.code == code, (done.code, done.out, done.err)
        return done

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the store as any SQL tool would."""
        with closing(sqlite3.connect(self.folder / "tieout.db")) as connection:
            return connection.execute(sql).fetchall()

    def seed(self, customers: int, products: int = 0) -> None:
        """Customers and products at the left provider, none of them at the right one."""
        for number in range(customers):
            self.left.post("/v1/customers", name=f"C{number:03}", email=f"c{number:03}@a.test")
        for number in range(products):
            self.left.post("/v1/products", name=f"P{number:03}")
        self.left.wire.asked.clear()

    def agree(self, customers: list[str], products: list[str] | None = None) -> None:
        """Both providers hold exactly these, each linked once and confirmed once."""
        for side in (self.left, self.right):
            assert side.names("customer") == sorted(customers)
            assert side.names("product") == sorted(products or [])
        count = len(customers) + len(products or [])
        assert self.ask("SELECT COUNT(*), COUNT(DISTINCT link) FROM links") == [(2 * count, count)]
        assert self.ask("SELECT COUNT(*) FROM outbox WHERE state <> 'confirmed'") == [(0,)]

    def leaks(self) -> list[str]:
        """Where a canary came out: what was printed, and every file of the folder."""
        found = []
        for name, secret in {**CANARIES, **self._more_secrets()}.items():
            core = secret.removeprefix("sk_test_").removeprefix("rk_test_").removeprefix("whsec_")
            found += [f"{name} in output" for text in self.said if core in text]
            for file in self.folder.rglob("*"):
                if file.is_file() and core.encode() in file.read_bytes():
                    found.append(f"{name} in {file.name}")
        return found

    def _more_secrets(self) -> dict[str, str]:
        return {name: self.env[name] for name in CANARIES if self.env[name]}


def side(stack: ExitStack, seed: int, key: str, hook: str) -> Side:
    stand_in = StripeStandIn(SandboxClock(), seed=seed, api_key=key, webhook_secret=hook)
    wire, faults = Wire(stand_in), Faults(name="stripe")
    running = stack.enter_context(serve(wire, faults=faults))
    return Side(wire, running, faults, key)


def plain_env() -> dict[str, str]:
    """Of our own surroundings only what a process needs, so that no setting changes a test."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**plain, "COLUMNS": "160", "NO_PROXY": "*"}
