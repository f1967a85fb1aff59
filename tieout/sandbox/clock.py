"""The sandbox's clock: the wall clock, or one that stands still until it is moved."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Tells the stand-ins what time it is. The only reader of wall time in the sandbox.

    Without `start` it follows the wall clock, plus whatever it was moved by. With `start` it
    stands at that instant and moves only when told to.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("the clock needs an instant with a time zone, e.g. UTC")
        self._lock = threading.Lock()
        self._start = start.astimezone(UTC) if start else None
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        with self._lock:
            return self._now()

    def timestamp(self) -> int:
        """The present instant in whole seconds since 1970."""
        return int(self.now().timestamp())

    def move(self, seconds: float) -> None:
        """Go forward (or back, when negative) by that many seconds."""
        with self._lock:
            self._offset += timedelta(seconds=seconds)

    def set(self, instant: datetime) -> None:
        """Make it `instant` now."""
        if instant.tzinfo is None:
            raise ValueError("the clock needs an instant with a time zone, e.g. UTC")
        with self._lock:
            self._offset += instant - self._now()

    def _now(self) -> datetime:
        return (self._start or datetime.now(UTC)) + self._offset
