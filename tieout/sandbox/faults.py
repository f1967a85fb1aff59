"""Things that go wrong between a client and a provider, on demand and repeatable.

A spec lists faults, comma-separated, each `KIND[:ARGUMENT][@WHEN]...`; groups for several
providers are separated by `;` and opened with `NAME:`.

    stripe:500_before@3,429:5@every:10,lost_answer@5@POST;netsuite:slow:2@p=0.05@/services/*

WHEN is the nth matching request (`@3`, or `@3..5`), every nth (`@every:10`), a probability
(`@p=0.05`), a method (`@POST`), a path with `*` (`@/v1/invoices*`), a bound (`@times:2`). Without
any it happens each time. The same seed and the same requests give the same faults.
"""

from __future__ import annotations

import fnmatch
import random
import re
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Application, Environ, StandIn, StartResponse

KINDS: dict[str, str] = {
    "401": "the login is refused, as if the token had expired",
    "429": "too many requests; the argument is Retry-After in seconds",
    "500_before": "the provider fails before it did anything",
    "502": "a gateway in front of the provider fails; nothing was done",
    "503": "the provider is down; nothing was done; the argument is Retry-After in seconds",
    "504": "a gateway gives up waiting, though the request took effect",
    "500_after": "the provider fails after the request took effect",
    "closed": "the connection breaks before the request takes effect",
    "lost_answer": "the connection breaks after the request took effect",
    "torn": "the answer breaks off half-way",
    "html": "a proxy answers 200 with an HTML page; nothing was done",
    "slow": "the answer takes that many seconds more (default 1)",
    "stale": "a read gives what the same read gave before",
    "duplicate_webhook": "a webhook is sent twice",
    "reorder_webhook": "a webhook is sent after the one that follows it",
    "lost_webhook": "a webhook is never sent",
}
ALIASES = {"500": "500_before", "timeout": "504"}
WEBHOOK_KINDS = frozenset(kind for kind in KINDS if kind.endswith("_webhook"))
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
_REASONS = {
    200: "OK", 401: "Unauthorized", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
_PAGE = b"<!DOCTYPE html><html><title>Please wait</title><body>One moment</body></html>"
_REMEMBERED = 2_000


@dataclass
class Rule:
    """One fault and when it strikes. `seen` counts the requests that its filters let through."""

    kind: str
    argument: float | None = None
    first: int | None = None
    last: int | None = None
    every: int | None = None
    probability: float | None = None
    method: str | None = None
    path: str | None = None
    times: int | None = None
    seen: int = field(default=0, compare=False)
    struck: int = field(default=0, compare=False)

    def strikes(self, method: str, path: str, chance: random.Random) -> bool:
        """Count this request, and say whether the fault hits it."""
        if self.method and method != self.method:
            return False
        if self.path and not fnmatch.fnmatchcase(path, self.path):
            return False
        self.seen += 1
        if self.times is not None and self.struck >= self.times:
            return False
        if self.first is not None and not self.first <= self.seen <= (self.last or self.first):
            return False
        if self.every is not None and self.seen % self.every:
            return False
        if self.probability is not None and chance.random() >= self.probability:
            return False
        self.struck += 1
        return True


def parse(spec: str, name: str = "") -> list[Rule]:
    """The rules in `spec` for the provider `name` (all groups when it is empty).

    Raises ValueError, with the list of known kinds, for a spec that cannot be read.
    """
    rules: list[Rule] = []
    for group in filter(None, (part.strip() for part in spec.split(";"))):
        head, colon, rest = group.partition(":")
        owner = ""
        if colon and re.fullmatch(r"[a-z][a-z_0-9]*", head) and head not in {*KINDS, *ALIASES}:
            owner, group = head, rest
        found = [_parse_rule(item.strip(), spec) for item in group.split(",") if item.strip()]
        if not found:
            raise _bad(spec, "a group without faults")
        if not (owner and name and owner != name):
            rules += found
    return rules


def _parse_rule(text: str, spec: str) -> Rule:
    what, *conditions = text.split("@")
    kind, _, argument = what.partition(":")
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise _bad(spec, f"unknown fault {what!r}")
    rule = Rule(kind)
    try:
        rule.argument = float(argument) if argument else None
        for condition in conditions:
            _apply_condition(rule, condition)
    except ValueError as problem:
        raise _bad(spec, f"{text!r}: {problem}") from None
    return rule


def _apply_condition(rule: Rule, text: str) -> None:
    if text in _METHODS:
        rule.method = text
    elif text.startswith("/"):
        rule.path = text
    elif text.startswith("every:"):
        rule.every = _positive(text[6:])
    elif text.startswith("times:"):
        rule.times = _positive(text[6:])
    elif text.startswith("p="):
        rule.probability = float(text[2:])
        if not 0 <= rule.probability <= 1:
            raise ValueError("a probability lies between 0 and 1")
    else:
        first, _, last = text.partition("..")
        rule.first = _positive(first)
        rule.last = _positive(last) if last else rule.first


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("requests are counted from 1")
    return number


def _bad(spec: str, why: str) -> ValueError:
    return ValueError(f"faults {spec!r}: {why}; known kinds: {', '.join(KINDS)}")


class Faults:
    """Injects faults into the exchange with one stand-in. Deterministic from `seed`.

    `log` counts what was injected, by kind. `add` and `load` may be called while it serves.
    """

    def __init__(self, spec: str = "", *, seed: int = 1, name: str = "") -> None:
        self.log: Counter[str] = Counter()
        self._name = name
        self._rules = parse(spec, name)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[str, list[tuple[str, str]], bytes]] = OrderedDict()

    def add(
        self,
        kind: str,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
        argument: float | None = None,
    ) -> None:
        """Let `kind` happen to the next `times` matching requests (None: from now on)."""
        kind = ALIASES.get(kind, kind)
        if kind not in KINDS:
            raise _bad(kind, f"unknown fault {kind!r}")
        with self._lock:
            self._rules.append(Rule(kind, argument, times=times, method=method, path=path))

    def load(self, spec: str) -> None:
        """Replace all rules by those in `spec`. Raises ValueError for a bad one."""
        rules = parse(spec, self._name)
        with self._lock:
            self._rules = rules

    def clear(self) -> None:
        """Nothing goes wrong any more; `log` is kept."""
        with self._lock:
            self._rules = []

    def strike(self, method: str, path: str, *, webhook: bool = False) -> list[Rule]:
        """The faults that hit this request (or this webhook delivery); they are logged."""
        with self._lock:
            hits = [
                rule
                for rule in self._rules
                if (rule.kind in WEBHOOK_KINDS) is webhook
                and rule.strikes(method, path, self._chance)
            ]
            self.log.update(rule.kind for rule in hits)
        return hits

    def wrap(self, stand_in: StandIn) -> Application:
        """The stand-in's WSGI application with these faults before and after it."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            hits = self.strike(environ["REQUEST_METHOD"], environ["PATH_INFO"])
            if not hits and not self._remembers():
                return stand_in.wsgi(environ, start_response)
            return _Struck(self, stand_in, hits).answer(environ, start_response)

        return application

    def _remembers(self) -> bool:
        return any(rule.kind == "stale" for rule in self._rules)

    def remember(
        self, url: str, answer: tuple[str, list[tuple[str, str]], bytes]
    ) -> tuple[str, list[tuple[str, str]], bytes] | None:
        """Keep the newest answer of a read, and hand back the one it replaces."""
        with self._lock:
            before = self._answers.get(url)
            self._answers[url] = answer
            self._answers.move_to_end(url)
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return before


class _Struck:
    """One request that faults hit."""

    def __init__(self, faults: Faults, stand_in: StandIn, hits: list[Rule]) -> None:
        self._faults, self._stand_in = faults, stand_in
        self._hits = {rule.kind: rule for rule in hits}

    def answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if "slow" in self._hits:
            seconds = self._hits["slow"].argument
            time.sleep(1.0 if seconds is None else seconds)
        if "closed" in self._hits:
            raise ConnectionResetError("fault: closed before the request took effect")
        for kind, status in _BEFORE.items():
            if kind in self._hits:
                return self._failure(status, self._hits[kind].argument, start_response)
        if "html" in self._hits:
            headers = [("Content-Type", "text/html; charset=utf-8")]
            start_response("200 OK", headers)
            return [_PAGE]
        return self._after(environ, start_response)

    def _after(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        for kind, code in _AFTER.items():
            if kind in self._hits:
                # For stand-ins that remember answers: this one, not theirs, is what was given.
                environ["sandbox.answers"] = code
        status, headers, body = _capture(self._stand_in.wsgi, environ)
        if environ["REQUEST_METHOD"] == "GET" and status.startswith("200"):
            url = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
            before = self._faults.remember(url, (status, headers, body))
            if "stale" in self._hits and before is not None:
                status, headers, body = before
        if "lost_answer" in self._hits:
            raise ConnectionResetError("fault: the answer was lost")
        for kind, code in _AFTER.items():
            if kind in self._hits:
                return self._failure(code, None, start_response)
        if "torn" in self._hits:
            headers = [pair for pair in headers if pair[0].lower() != "content-length"]
            headers.append(("Content-Length", str(max(len(body), 2))))
            body = body[: len(body) // 2]
        start_response(status, headers)
        return [body]

    def _failure(
        self, status: int, retry_after: float | None, start_response: StartResponse
    ) -> Iterable[bytes]:
        if status in (502, 504):
            # A gateway speaks for itself: its page is not the provider's.
            headers = {"Content-Type": "text/html"}
            body = f"<html><body><h1>{status} {_REASONS[status]}</h1></body></html>".encode()
        else:
            status, headers, body = self._stand_in.error_answer(status)
        if retry_after is not None:
            headers = {**headers, "Retry-After": f"{retry_after:g}"}
        start_response(f"{status} {_REASONS.get(status, 'Error')}", list(headers.items()))
        return [body]


_BEFORE = {"401": 401, "429": 429, "500_before": 500, "502": 502, "503": 503}
_AFTER = {"500_after": 500, "504": 504}


def _capture(
    application: Callable[..., Iterable[bytes]], environ: Environ
) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = ["500 Internal Server Error", []]

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        started[:] = [status, headers]

    body = b"".join(application(environ, start_response))
    return started[0], started[1], body
