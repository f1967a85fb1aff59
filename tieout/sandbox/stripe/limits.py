"""Request limits of a sandbox account: 25 a second altogether, and 25 for each endpoint.

https://docs.stripe.com/rate-limits
"""

from __future__ import annotations

import threading
from datetime import datetime

from .errors import rate_limited


class _Bucket:
    __slots__ = ("_left", "_seen")

    def __init__(self, now: datetime, size: float) -> None:
        self._left, self._seen = size, now

    def take(self, now: datetime, per_second: float) -> bool:
        passed = max((now - self._seen).total_seconds(), 0.0)
        self._left = min(self._left + passed * per_second, per_second)
        self._seen = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Limits:
    """Token buckets on the sandbox clock; a burst of one second's worth is let through."""

    def __init__(self, per_second: float = 25, search_per_second: float = 20) -> None:
        self._per_second, self._search_per_second = per_second, search_per_second
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, endpoint: str, now: datetime) -> None:
        """Count one request. Raises ApiError (429) when it is one too many."""
        rate = self._search_per_second if endpoint.endswith("/search") else self._per_second
        with self._lock:
            if not self._bucket("", now, self._per_second).take(now, self._per_second):
                raise rate_limited("global-rate")
            if not self._bucket(endpoint, now, rate).take(now, rate):
                raise rate_limited("endpoint-rate")

    def _bucket(self, name: str, now: datetime, size: float) -> _Bucket:
        return self._buckets.setdefault(name, _Bucket(now, size))
