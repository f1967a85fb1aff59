"""The request limit of a site: so many in each minute.

https://apidocs.chargebee.com/docs/api/error-handling
"""

from __future__ import annotations

import threading

from .errors import rate_limited


class Limits:
    """Counts requests in minutes of the sandbox clock."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._minute, self._taken = -1, 0

    def take(self, now: int) -> None:
        """Count one request. Raises ApiError (429) when it is one too many."""
        with self._lock:
            if now // 60 != self._minute:
                self._minute, self._taken = now // 60, 0
            self._taken += 1
            if self._taken > self._per_minute:
                raise rate_limited(60 - now % 60)
