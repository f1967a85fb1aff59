"""Stripe -> NetSuite under fire: expired tokens, kills, lost answers; the books tie out after."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from two_stripes import Done, Launcher, Process, plain_env
from wire import Answer, Wire, as_json

from tieout.cli.demo_config import write_config
from tieout.cli.stand_ins import Started, company_of
from tieout.sandbox import Faults, SandboxClock, serve
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.stripe import StripeStandIn


def is_write(method: str, path: str) -> bool:
    """Whether a call makes or changes a record of NetSuite's."""
    return method in ("POST", "PUT", "PATCH") and "/record/" in path


def place(kind: str, entity: str, left: str | None, right: str | None) -> tuple[str | None, ...]:
    """Which record a break is about; of a duplicate only the second one."""
    return (kind, entity, None if kind == "duplicate" else left, right)


class Books:
    """A small company in both stand-ins and a folder with its config."""

    def __init__(self, folder: Path, launcher: Launcher, stack: ExitStack) -> None:
        clock = SandboxClock()
        self.company = company = company_of(1, 12, clock)
        self.folder, self.launcher, self.count = folder, launcher, 0
        started: dict[str, Started] = {}
        for name, made in (("stripe", StripeStandIn(clock)), ("netsuite", NetSuiteStandIn(clock))):
            made.load(company.stripe if name == "stripe" else company.netsuite)
            wire, faults = Wire(made), Faults(name=name)
            running = stack.enter_context(serve(wire, faults=faults))
            started[name] = Started(name, running, wire, faults)
        self.netsuite, self.faults = started["netsuite"].stand_in, started["netsuite"].faults
        self.secrets = {
            f"{name}.{key}": value
            for name, each in started.items()
            for key, value in each.announced["credentials"].items()
        }
        write_config(folder, started, company)

    def run(self, *words: str) -> Done:
        self.count += 1
        out, err = (self.folder / f"{self.count}.{name}" for name in ("out", "err"))
        job = {"words": words, "folder": str(self.folder), "env": plain_env()}
        pid = self.launcher.start({**job, "out": str(out), "err": str(err)})
        process = Process(pid, out, err)
        code = self.launcher.ask({"wait": pid})
        return Done(code, process.out.read_text(), process.err.read_text())

    def tie_out(self) -> None:
        """Everything recent was written once; only what was planted differs."""
        done = self.run("reconcile", "--fresh", "--json")
        assert done.code in (0, 3), done
        ops = json.loads(self.run("ops", "list", "--limit", "1000", "--json").out)
        assert {each["state"] for each in ops} == {"confirmed"}
        assert len(ops) == len(self.company.recent)
        breaks = json.loads(self.run("breaks", "list", "--limit", "1000", "--json").out)
        found = {place(b["kind"], b["entity"], b["left_id"], b["right_id"]) for b in breaks}
        planted = self.company.planted
        assert found == {place(p.kind, p.entity, p.left_id, p.right_id) for p in planted}

    def tokens(self) -> int:
        return sum("/auth/oauth2/" in path for _, path in self.netsuite.asked)

    def writes(self) -> list[tuple[str, str]]:
        return [asked for asked in self.netsuite.asked if is_write(*asked)]


@pytest.fixture
def books(tmp_path: Path, launcher: Launcher) -> Iterator[Books]:
    with ExitStack() as stack:
        made = Books(tmp_path, launcher, stack)
        yield made
        for file in tmp_path.glob("tieout.db*"):
            for name, secret in made.secrets.items():
                if any(word in name for word in ("api_key", "secret", "private_key")):
                    assert secret[:60].encode() not in file.read_bytes(), (name, file.name)


def test_a_token_that_expires_is_renewed_once_and_nothing_is_written_twice(books: Books) -> None:
    expired = {"o:errorDetails": [{"o:errorCode": "INVALID_LOGIN", "detail": "token expired"}]}
    written = 0

    def expire(method: str, path: str, number: int) -> Answer | None:
        nonlocal written
        if is_write(method, path):
            written += 1
            if written == 3:
                return as_json(401, expired, WWW_Authenticate='Bearer error="invalid_token"')
        return None

    books.netsuite.on_request = expire
    done = books.run("sync", "--json")
    applied = done.document["applied"]
    assert applied["problems"] == done.document["failures"] == [] and done.err == ""
    assert applied["confirmed"] == len(books.company.recent) > 3
    assert books.tokens() == 2
    books.netsuite.calm()
    again = books.run("sync", "--json")
    assert again.document["applied"]["confirmed"] == 0
    assert books.writes() == []
    books.tie_out()


def test_killed_after_each_write(books: Books) -> None:
    """Each process dies when NetSuite has done what it was asked and before it answers."""
    kills = 0

    def on_answer(method: str, path: str, answer: Answer) -> Answer:
        nonlocal kills
        if is_write(method, path) and answer[0] < 300:
            kills += 1
            books.launcher.kill(signal.SIGKILL)
        return answer

    books.netsuite.on_answer = on_answer
    for _ in range(2 * len(books.company.recent)):
        if books.run("sync").code != -signal.SIGKILL:
            break
    assert kills == len(books.company.recent)
    books.netsuite.calm()
    books.run("sync")
    assert books.writes() == []
    books.tie_out()


def test_a_netsuite_that_fails_in_every_way(books: Books) -> None:
    """However long it takes, in the end each record is there once, and nothing waits."""
    faults = ("500_before", "500_after", "lost_answer", "closed", "torn", "html", "502", "504")
    spec = ",".join(
        f"{kind}@{2 + 2 * place}@PUT@/services/rest/record/*" for place, kind in enumerate(faults)
    )
    books.faults.load(spec)
    for _ in range(6):
        applied = books.run("sync", "--json").document["applied"]
        if applied and not (applied["waiting"] or applied["unknown"]):
            break
    assert sum(books.faults.log.values()) >= 4
    books.faults.clear()
    books.netsuite.calm()
    books.run("sync")
    assert books.writes() == []
    books.tie_out()


def test_a_login_that_stays_refused_ends_with_where_and_what(books: Books) -> None:
    books.faults.load("401")
    done = books.run("sync")
    assert done.code == 2
    assert "systems.netsuite" in done.err and "401" in done.err
    assert len(books.netsuite.asked) <= 2
    books.faults.clear()
    assert books.run("sync", "--json").document["failures"] == []
    books.tie_out()
