"""Delivers what a stand-in has to say to the addresses that asked for it, from its own thread."""

from __future__ import annotations

import copy
import http.client
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from .clock import SandboxClock
from .faults import Faults

_POLL_SECONDS = 0.1
_ENDS_WITHIN = 10.0
Parcel = TypeVar("Parcel")


class Courier(ABC, Generic[Parcel]):
    """Owns the delivery thread. What a parcel is, and when it is sent again, each provider says."""

    name = "webhooks"
    answer_within = 10.0  # seconds

    def __init__(self, clock: SandboxClock) -> None:
        self.faults = Faults()
        self.clock = clock
        self._ready: deque[Parcel] = deque()
        self._retries: list[tuple[int, Parcel]] = []
        self._held: list[Parcel] = []
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._busy = False

    @abstractmethod
    def deliver(self, parcel: Parcel) -> Iterable[tuple[int, Parcel]]:
        """Send it once, in the delivery thread; what is to be sent again, each with the second of
        the sandbox clock when it is due."""

    def queue(self, parcel: Parcel, url: str) -> None:
        """Send it soon; webhook faults are drawn here."""
        path = urlsplit(url).path
        kinds = {rule.kind for rule in self.faults.strike("POST", path, webhook=True)}
        with self._wake:
            if "lost_webhook" in kinds:
                return
            if "reorder_webhook" in kinds:
                self._held.append(parcel)
                return
            self._ready.append(parcel)
            if "duplicate_webhook" in kinds:
                self._ready.append(copy.copy(parcel))
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

    @property
    def waiting(self) -> int:
        """How many parcels wait to be sent again."""
        with self._wake:
            return len(self._retries)

    def close(self) -> None:
        """Send no more."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=_ENDS_WITHIN)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            later = list(self.deliver(parcel))
            with self._wake:
                self._busy = False
                self._retries += later
                self._wake.notify_all()

    def _next(self) -> Parcel | None:
        with self._wake:
            while not self._closed:
                now = self.clock.timestamp()
                self._ready.extend(parcel for due, parcel in self._retries if due <= now)
                self._retries = [one for one in self._retries if one[0] > now]
                if self._ready:
                    self._busy = True
                    return self._ready.popleft()
                # The clock may be moved without notice, so waiting retries are looked at often.
                self._wake.wait(_POLL_SECONDS if self._retries else None)
            return None


def post(url: str, body: bytes, headers: Mapping[str, str], within: float) -> tuple[int, bytes]:
    """Post it once: status and body of the answer, (0, b"") without one. Follows no redirect."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=within)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
