"""A provider played by a WSGI application: reached without a network, on a clock that both share.

    bench = Bench(stand_in.wsgi, stand_in.clock, error_answer=stand_in.error_answer)
    connector = Acme(settings, bench.ports)
    bench.next("lost")                  # the next call takes effect, its answer never comes

Sleeping moves the clock, so a test that waits out a limit of a minute takes no time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlsplit

from werkzeug.test import Client

from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, NotSent, Ports

BASE_URL = "http://127.0.0.1:8"  # nothing listens there: the calls stay in this process
FAULTS = {
    "refused": "the connection is refused; nothing happens",
    "lost": "the request takes effect, its answer never comes",
    "401": "the provider's own 401; nothing happens",
    "429": "the provider's own 429; nothing happens",
    "500_before": "a 500 before anything happened",
    "500_after": "a 500 although the request took effect",
    "torn": "the answer breaks off half-way",
    "html": "a proxy answers 200 with a web page; nothing happens",
}
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
ErrorAnswer = Callable[[int], tuple[int, dict[str, str], bytes]]
_PAGE = b"<!DOCTYPE html><html><body>One moment, please</body></html>"


class Clock(Protocol):
    """The provider's clock."""

    def now(self) -> datetime: ...

    def move(self, seconds: float) -> None: ...


@dataclass
class Call:
    """One call as the provider saw it; `status` None where no answer came."""

    method: str
    path: str
    query: str
    status: int | None = None


@dataclass(frozen=True)
class _Fault:
    kind: str
    method: str
    path: str

    def hits(self, method: str, path: str) -> bool:
        return self.method in ("", method) and self.path in path


class Bench:
    """See the module. Safe to share between threads."""

    def __init__(
        self,
        app: Application,
        clock: Clock,
        *,
        base_url: str = BASE_URL,
        error_answer: ErrorAnswer | None = None,
        expire_tokens: Callable[[], None] | None = None,
    ) -> None:
        """`error_answer` gives the provider's own answer for a status, `expire_tokens` ends the
        life of every token that was handed out."""
        self.clock, self.base_url, self._app = clock, base_url, app
        self._error_answer = error_answer or _plain_error
        self.expire_tokens = expire_tokens
        self._faults: deque[_Fault] = deque()
        self._lock = threading.Lock()
        self._slept = 0.0
        self.struck = False  # whether a fault has hit since all was calm
        self.calls: list[Call] = []
        ids = count(1)
        self.ports = Ports(
            now=clock.now,
            monotonic=lambda: self._slept,
            sleep=self._sleep,
            random=lambda: 0.5,
            new_id=lambda: f"{next(ids):032}",
            send=self._send,
        )

    @property
    def slept(self) -> float:
        """Seconds that the connector has waited in all."""
        return self._slept

    def next(self, fault: str, *, times: int = 1, method: str = "", path: str = "") -> None:
        """The next `times` calls of this method, with this text in their path, go wrong."""
        if fault not in FAULTS:
            raise ValueError(f"unknown fault {fault!r}; known: {', '.join(FAULTS)}")
        with self._lock:
            self._faults.extend(_Fault(fault, method, path) for _ in range(times))

    def after(self, calls: int, fault: str) -> None:
        """So many calls go well, the one after them goes wrong."""
        with self._lock:
            self._faults.extend(_Fault("", "", "") for _ in range(calls))
        self.next(fault)

    def calm(self) -> None:
        """Nothing goes wrong any more, and the list of calls is empty again."""
        with self._lock:
            self._faults.clear()
            self.calls.clear()
            self.struck = False

    def count(self, method: str = "", path: str = "") -> int:
        """How many calls of this method had this text in their path."""
        return sum(each.method == method or not method for each in self.calls if path in each.path)

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self._slept += seconds
        self.clock.move(seconds)

    def _taken(self, method: str, path: str) -> str:
        for fault in self._faults:
            if fault.hits(method, path):
                self._faults.remove(fault)
                self.struck |= bool(fault.kind)
                return fault.kind
        return ""

    def _send(self, request: HttpRequest) -> HttpAnswer:
        parts = urlsplit(request.url)
        call = Call(request.method, parts.path, parts.query)
        with self._lock:
            self.calls.append(call)
            fault = self._taken(request.method, parts.path)
        if fault == "refused":
            raise NotSent("connection refused")
        if fault in ("401", "429", "500_before"):
            answer = _answer(*self._error_answer(int(fault[:3])))
        elif fault == "html":
            answer = _answer(200, {"Content-Type": "text/html"}, _PAGE)
        else:
            answer = self._ask(request, parts)
        if fault == "lost":
            raise AnswerLost("no answer came")
        if fault == "torn":
            raise AnswerLost("the answer broke off")
        if fault == "500_after":
            answer = _answer(*self._error_answer(500))
        call.status = answer.status
        return answer

    def _ask(self, request: HttpRequest, parts: Any) -> HttpAnswer:
        told = Client(self._app, use_cookies=False).open(
            parts.path,
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            method=request.method,
            headers=dict(request.headers),
            data=request.body,
        )
        return _answer(told.status_code, dict(told.headers.items()), told.get_data())


def _answer(status: int, headers: dict[str, str], body: bytes) -> HttpAnswer:
    return HttpAnswer(status, {name.lower(): value for name, value in headers.items()}, body)


def _plain_error(status: int) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, b'{"error": "by order of the test"}'
