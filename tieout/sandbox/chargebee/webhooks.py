"""Delivers events to the configured URLs, with basic auth and retries, in the background.

https://www.chargebee.com/docs/2.0/webhook_settings.html
"""

from __future__ import annotations

import base64
import http.client
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..clock import SandboxClock
from ..faults import Faults

# 2 and 6 and 30 minutes, 1 and 5 hours, 1 and 2 days
RETRY_SECONDS = (120, 360, 1800, 3600, 18_000, 86_400, 172_800)
_ANSWER_WITHIN = 10.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Endpoint:
    """Where events go, and with which user and password."""

    id: str
    url: str
    user: str
    password: str
    types: frozenset[str]

    def takes(self, type: str) -> bool:
        return "*" in self.types or type in self.types


@dataclass
class Delivery:
    """One event on its way to one endpoint. `due` is in seconds of the sandbox clock."""

    event: str
    endpoint: Endpoint
    body: bytes
    due: int
    attempt: int = 0


Settled = Callable[[str, str, str], None]


class Courier:
    """Owns the delivery thread. `settled` is told (event, endpoint, webhook status)."""

    def __init__(self, clock: SandboxClock, settled: Settled) -> None:
        self.faults = Faults()
        self._clock, self._settled = clock, settled
        self._ready: deque[Delivery] = deque()
        self._retries: list[Delivery] = []
        self._held: list[Delivery] = []
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._busy = False

    def send(self, event: str, endpoint: Endpoint, body: bytes) -> None:
        """Queue one delivery; webhook faults are drawn here."""
        path = urlsplit(endpoint.url).path
        kinds = {rule.kind for rule in self.faults.strike("POST", path, webhook=True)}
        delivery = Delivery(event, endpoint, body, self._clock.timestamp())
        with self._wake:
            if "lost_webhook" in kinds:
                return
            if "reorder_webhook" in kinds:
                self._held.append(delivery)
                return
            self._ready.append(delivery)
            if "duplicate_webhook" in kinds:
                self._ready.append(Delivery(event, endpoint, body, delivery.due))
            self._ready.extend(self._held)
            self._held.clear()
            self._start()
            self._wake.notify_all()

    def idle(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until nothing is left to send at once; retries due later don't count."""
        with self._wake:
            return self._wake.wait_for(
                lambda: not self._ready and not self._busy, timeout=timeout_seconds
            )

    def close(self) -> None:
        """Send no more."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=_ANSWER_WITHIN)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="chargebee-webhooks", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            delivered = deliver(delivery)
            last = delivery.attempt >= len(RETRY_SECONDS)
            status = "succeeded" if delivered else "failed" if last else "re_scheduled"
            self._settled(delivery.event, delivery.endpoint.id, status)
            with self._wake:
                self._busy = False
                if not delivered and not last:
                    delivery.due = self._clock.timestamp() + RETRY_SECONDS[delivery.attempt]
                    delivery.attempt += 1
                    self._retries.append(delivery)
                self._wake.notify_all()

    def _next(self) -> Delivery | None:
        with self._wake:
            while not self._closed:
                now = self._clock.timestamp()
                for delivery in [one for one in self._retries if one.due <= now]:
                    self._retries.remove(delivery)
                    self._ready.append(delivery)
                if self._ready:
                    self._busy = True
                    return self._ready.popleft()
                # The clock may be moved without notice, so waiting retries are looked at often.
                self._wake.wait(_POLL_SECONDS if self._retries else None)
            return None


def deliver(delivery: Delivery) -> bool:
    """Post it once. Only a 2xx counts; a redirect is not followed."""
    endpoint = delivery.endpoint
    url = urlsplit(endpoint.url)
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    login = base64.b64encode(f"{endpoint.user}:{endpoint.password}".encode()).decode()
    connection = connect(url.hostname or "", url.port, timeout=_ANSWER_WITHIN)
    try:
        connection.request(
            "POST",
            url.path + (f"?{url.query}" if url.query else "") or "/",
            body=delivery.body,
            headers={
                "Content-Type": "application/json;charset=UTF-8",
                "User-Agent": "ChargeBee",
                "Authorization": f"Basic {login}",
            },
        )
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
