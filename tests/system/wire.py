"""A stand-in whose requests and answers a test can watch, replace or cut short."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
OnRequest = Callable[[str, str, int], Answer | None]
OnAnswer = Callable[[str, str, Answer], Answer]


class Wire:
    """Stands before a stand-in. `on_request` may answer in its place; `on_answer` may change it.

    `asked` lists (method, path), oldest first. Faults of the sandbox work as before.
    """

    def __init__(self, stand_in: Any) -> None:
        self.inner = stand_in
        self.name = stand_in.name
        self.clock = stand_in.clock
        self.asked: list[tuple[str, str]] = []
        self.on_request: OnRequest | None = None
        self.on_answer: OnAnswer | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def calm(self) -> None:
        """Nothing is replaced any more, and what was asked is forgotten."""
        self.on_request = self.on_answer = None
        self.asked = []

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self._lock:
            self.asked.append((method, path))
            count = len(self.asked)
        answer = self.on_request(method, path, count) if self.on_request else None
        if answer is None:
            answer = self._inner_answer(environ)
            if self.on_answer:
                answer = self.on_answer(method, path, answer)
        status, headers, body = answer
        headers = {name: value for name, value in headers.items() if name != "Content-Length"}
        start_response(f"{status} Status", list(headers.items()))
        return [body]

    def _inner_answer(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> None:
            started[:] = [int(status.split()[0]), dict(headers)]

        body = b"".join(self.inner.wsgi(environ, start))
        return started[0], started[1], body


def as_json(status: int, content: Any, **headers: str) -> Answer:
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/json", **named}, json.dumps(content).encode()


def edit(answer: Answer, change: Callable[[dict[str, Any]], None]) -> Answer:
    """The answer with `change` made to each of its records (a list's elements, or itself)."""
    status, headers, body = answer
    content = json.loads(body, parse_float=Decimal)
    for record in content["data"] if content.get("object") == "list" else [content]:
        change(record)
    return status, headers, json.dumps(content, default=str).encode()
