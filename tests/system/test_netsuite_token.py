"""Stripe -> NetSuite: a token that expires mid-run is renewed once, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from two_stripes import Done, Launcher, Process, plain_env
from wire import Answer, Wire, as_json

from tieout.cli.demo import write_config
from tieout.cli.stand_ins import Started, company_of
from tieout.sandbox import Faults, SandboxClock, serve
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.stripe import StripeStandIn


class Books:
    """A small company in both stand-ins and a folder with its config."""

    def __init__(self, folder: Path, launcher: Launcher, stack: ExitStack) -> None:
        clock = SandboxClock()
        company = company_of(1, 12, clock)
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

    def tokens(self) -> int:
        return sum("/auth/oauth2/" in path for _, path in self.netsuite.asked)

    def writes(self) -> list[tuple[str, str]]:
        return [
            (method, path)
            for method, path in self.netsuite.asked
            if method in ("POST", "PUT", "PATCH") and "/record/" in path
        ]


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
        if method == "POST" and "/record/" in path:
            written += 1
            if written == 3:
                return as_json(401, expired, WWW_Authenticate='Bearer error="invalid_token"')
        return None

    books.netsuite.on_request = expire
    done = books.run("sync", "--json")
    assert done.code == 0, (done.err, done.out[-2000:])
    assert done.document["applied"]["confirmed"] > 3
    assert books.tokens() == 2
    books.netsuite.calm()
    again = books.run("sync", "--json")
    assert again.code == 0, again.err
    assert again.document["applied"]["confirmed"] == 0
    assert books.writes() == []


def test_a_login_that_stays_refused_ends_with_where_and_what(books: Books) -> None:
    books.faults.load("401")
    done = books.run("sync")
    assert done.code == 2
    assert "systems.netsuite" in done.err and "401" in done.err
    assert len(books.netsuite.asked) <= 2
    books.faults.clear()
    assert books.run("sync").code == 0
