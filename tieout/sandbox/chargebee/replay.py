"""Idempotency keys of POSTs, and how their misuse is refused.

https://apidocs.chargebee.com/docs/api/v1/idempotency
"""

from __future__ import annotations

from ..replay import Encoded as Answer
from ..replay import Replays as Kept
from .errors import ApiError

__all__ = ["Answer", "Replays"]


class Replays(Kept[Answer]):
    """Kept for 30 minutes. Refusals: 422 for another request under the same key, 429 in flight."""

    kept_seconds = 30 * 60
    longest = 100

    def too_long(self) -> ApiError:
        return ApiError(
            400, "invalid_request", f"Idempotency keys have at most {self.longest} characters."
        )

    def used_otherwise(self, key: str) -> ApiError:
        return ApiError(
            422,
            "unable_to_process_request",
            "The idempotency key was used before with a different request.",
        )

    def in_flight(self, key: str) -> ApiError:
        return ApiError(
            429,
            "lock_timeout",
            "A request with this idempotency key is being processed.",
            type="operation_failed",
        )
