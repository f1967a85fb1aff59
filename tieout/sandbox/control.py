"""The sandbox's own path, `/_sandbox/...`, kept apart from every provider's name space.

GET    /_sandbox/requests   method, path and status of what was asked, oldest first
DELETE /_sandbox/requests   forget them
GET    /_sandbox/faults     how often each fault struck
POST   /_sandbox/faults     {"spec": "429@3"} replaces the faults
DELETE /_sandbox/faults     nothing goes wrong any more
GET    /_sandbox/clock      {"now": "2026-01-31T00:00:00+00:00"}
POST   /_sandbox/clock      {"advance_seconds": 60} or {"now": "2026-01-31T00:00:00Z"}
POST   /_sandbox/objects    {"objects": [["customer", {...}], ...]} loads state
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .clock import SandboxClock
from .faults import Faults

if TYPE_CHECKING:
    from .server import Application, Environ, StandIn, StartResponse

PREFIX = "/_sandbox/"
_KEPT = 100_000


class Control:
    """A WSGI application: answers the control path itself and logs what it passes on."""

    def __init__(self, stand_in: StandIn, faults: Faults, provider: Application) -> None:
        self._stand_in, self._faults, self._provider = stand_in, faults, provider
        self._requests: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(PREFIX):
            return self._answer(environ, start_response)
        return self._pass_on(environ, start_response)

    def _pass_on(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        entry: dict[str, Any] = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ["QUERY_STRING"],
            "status": None,  # stays None where the connection was broken instead of an answer
        }
        with self._lock:
            self._requests.append(entry)

        def noting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            entry["status"] = int(status.split(" ", 1)[0])
            return start_response(status, headers, *rest)

        return self._provider(environ, noting)

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, content = self._act(
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"].removeprefix(PREFIX).rstrip("/"),
                _read_json(environ),
            )
        except (ValueError, KeyError, TypeError) as problem:
            status, content = "400 Bad Request", {"error": str(problem)}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(content).encode()]

    def _act(self, method: str, name: str, sent: dict[str, Any]) -> tuple[str, Any]:
        match method, name:
            case "GET", "requests":
                with self._lock:
                    return "200 OK", {"requests": [dict(entry) for entry in self._requests]}
            case "DELETE", "requests":
                with self._lock:
                    self._requests.clear()
            case "GET", "faults":
                return "200 OK", {"injected": dict(self._faults.log)}
            case "POST", "faults":
                self._faults.load(str(sent["spec"]))
            case "DELETE", "faults":
                self._faults.clear()
            case "GET" | "POST", "clock":
                return self._move_clock(sent)
            case "POST", "objects":
                self._stand_in.load((str(kind), item) for kind, item in sent["objects"])
            case _:
                return "404 Not Found", {"error": f"the sandbox has no {method} {PREFIX}{name}"}
        return "200 OK", {"ok": True}

    def _move_clock(self, sent: dict[str, Any]) -> tuple[str, Any]:
        clock = getattr(self._stand_in, "clock", None)
        if not isinstance(clock, SandboxClock):
            return "404 Not Found", {"error": f"{self._stand_in.name} has no clock to move"}
        if "advance_seconds" in sent:
            clock.move(float(sent["advance_seconds"]))
        if "now" in sent:
            instant = datetime.fromisoformat(str(sent["now"]))
            clock.set(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
        return "200 OK", {"now": clock.now().isoformat()}


def _read_json(environ: Environ) -> dict[str, Any]:
    body = environ["wsgi.input"].read()
    sent = json.loads(body, parse_float=Decimal) if body else {}
    if not isinstance(sent, dict):
        raise ValueError("send one JSON object")
    return sent
