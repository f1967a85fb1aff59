"""The five things that are not deterministic, gathered so that they can be replaced.

Time, randomness, ids, sleeping and the network reach the rest of tieout only through a
`Ports` value. A simulator or a test passes its own; `real_ports()` is what a person runs.
No other module may import `time`, `random`, `uuid` or call `datetime.now`
(`tests/test_ports.py` looks).
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .budget import Budget


@dataclass(frozen=True)
class HttpRequest:
    """One call as it goes over the wire. `timeout` is (connect, read) in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: tuple[float, float] = (5.0, 30.0)


@dataclass(frozen=True)
class HttpAnswer:
    """What came back. Header names are lower case; `body` is complete and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request never reached the provider (refused, unresolved, no TLS): repeating is safe."""


class AnswerLost(Exception):
    """The request may have reached the provider, but no complete answer came back."""


Send = Callable[[HttpRequest], HttpAnswer]


def _no_network(request: HttpRequest) -> HttpAnswer:
    raise NotSent(f"no network port was given, so {request.url} cannot be called")


@dataclass(frozen=True)
class Ports:
    """What one installation runs on. Every field can be replaced by a test.

    now         aware UTC wall clock; may jump.
    monotonic   seconds that only grow, for pacing and durations.
    sleep       waits that many seconds.
    random      a number in [0, 1).
    new_id      a fresh unique id, sortable strings not promised.
    send        one HTTP exchange; raises NotSent or AnswerLost.
    budget      the calls that each credential may make, shared by all workers; None keeps count
                in this process alone.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    new_id: Callable[[], str]
    send: Send = _no_network
    budget: Budget | None = None


def real_ports(send: Send = _no_network) -> Ports:
    """The machine's own clock, randomness and sleep; `send` comes from `tieout.rest`."""
    return Ports(
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        sleep=time.sleep,
        random=random.SystemRandom().random,
        new_id=lambda: uuid.uuid4().hex,
        send=send,
    )
