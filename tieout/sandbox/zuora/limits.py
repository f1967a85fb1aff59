"""Rate limits of the tenant (minute, hour, day) and how many calls may fly at once.

https://developer.zuora.com/docs/guides/rate-limits
"""

from __future__ import annotations

import threading
from datetime import datetime

from .errors import Refusal, too_concurrent, too_many
from .wire import Request

PRODUCTION = {"minute": 50_000, "hour": 2_250_000, "day": 27_000_000}
API_SANDBOX = {"minute": 2_500, "hour": 5_000, "day": 10_000}
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_HIGH_VOLUME = ("/v1/accounts", "/v1/orders", "/v1/subscriptions", "/v1/orders/preview")


class Rates:
    """Counts in fixed windows; a refused call counts, too."""

    def __init__(self, limits: dict[str, int]) -> None:
        self.limits = limits
        self._counts: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def take(self, now: datetime) -> dict[str, str]:
        """The RateLimit headers of this call. Raises Refusal (429)."""
        second = int(now.timestamp())
        with self._lock:
            for name, size in _SECONDS.items():
                start = second - second % size
                begun, count = self._counts.get(name, (start, 0))
                self._counts[name] = (start, count + 1 if begun == start else 1)
            left = {name: limit - self._counts[name][1] for name, limit in self.limits.items()}
        tightest = min(left, key=lambda name: left[name] / self.limits[name])
        reset = _SECONDS[tightest] - second % _SECONDS[tightest]
        for name, rest in left.items():
            if rest < 0:
                raise Refusal(too_many(name, _SECONDS[name] - second % _SECONDS[name]))
        return self._headers(tightest, left[tightest], reset)

    def _headers(self, tightest: str, left: int, reset: int) -> dict[str, str]:
        policy = ", ".join(f"{self.limits[name]};w={_SECONDS[name]}" for name in self.limits)
        return {
            "RateLimit-Limit": f"{self.limits[tightest]}, {policy}",
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(reset),
        }


class Concurrency:
    """Calls in flight by type: default, high-volume transactions, Object Query."""

    def __init__(self, default: int) -> None:
        self.limits = {"Default": default, "High-volume transactions": 200, "Object Query": 80}
        self._flying = dict.fromkeys(self.limits, 0)
        self._lock = threading.Lock()

    def kind(self, request: Request) -> str:
        if request.path.startswith("/object-query"):
            return "Object Query"
        high = request.method == "POST" and request.path in _HIGH_VOLUME
        return "High-volume transactions" if high else "Default"

    def enter(self, kind: str) -> dict[str, str]:
        """Begin one call; the Concurrency-Limit headers. Raises Refusal (429)."""
        with self._lock:
            limit = self.limits[kind]
            if self._flying[kind] >= limit:
                raise Refusal(too_concurrent(limit))
            self._flying[kind] += 1
            left = limit - self._flying[kind]
        return {
            "Concurrency-Limit-Type": kind,
            "Concurrency-Limit-Limit": str(limit),
            "Concurrency-Limit-Remaining": str(left),
        }

    def leave(self, kind: str) -> None:
        with self._lock:
            self._flying[kind] -= 1
