"""The smallest provider there can be, for trying the server and the faults."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tieout.sandbox import SandboxClock

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Echo:
    """Answers with what it was asked; counts what took effect."""

    name = "echo"

    def __init__(self) -> None:
        self.clock = SandboxClock(START)
        self.effects = 0
        self.loaded: list[Any] = []

    def credentials(self) -> dict[str, str]:
        return {"api_key": "k"}

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.effects += environ["REQUEST_METHOD"] == "POST"
        body = environ["wsgi.input"].read().decode()
        answer = {"path": environ["PATH_INFO"], "query": environ["QUERY_STRING"], "body": body}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def load(self, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        self.loaded += list(objects)

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        return status, {"Content-Type": "application/json"}, b'{"error":"echo"}'
