"""A clock that only sleeping moves, and a network that answers from a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tieout.core.ports import HttpAnswer, HttpRequest, Ports

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
Step = HttpAnswer | Exception | Callable[[HttpRequest], HttpAnswer]


def answer(status: int = 200, body: Any = None, **headers: str) -> HttpAnswer:
    """An answer as the transport gives it; `body` is bytes or something to write as JSON."""
    packed = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, {"content-type": "application/json", **named}, packed)


class Scripted:
    """`ports` for a client; `sent` is what it sent, `slept` how long it waited each time."""

    def __init__(self, steps: Iterable[Step] = (), *, chance: float = 0.5) -> None:
        self.steps = list(steps)
        self.sent: list[HttpRequest] = []
        self.slept: list[float] = []
        self.seconds = 0.0
        self.lock = threading.Lock()
        ids = count(1)
        self.ports = Ports(
            now=lambda: START + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: chance,
            new_id=lambda: f"id{next(ids):06}",
            send=self.send,
        )

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.seconds += seconds

    def send(self, request: HttpRequest) -> HttpAnswer:
        with self.lock:
            self.sent.append(request)
            step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, HttpAnswer) else step(request)
