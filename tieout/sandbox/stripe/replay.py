"""Idempotency keys of POSTs, and how their misuse is refused.

https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

from ..replay import Encoded as Answer
from ..replay import Replays as Kept
from .errors import ApiError, bad_request

__all__ = ["Answer", "Replays"]


class Replays(Kept[Answer]):
    """Kept for a day. Refusals: 400 for another request under the same key, 409 in flight."""

    def too_long(self) -> ApiError:
        return bad_request(f"Idempotency keys have at most {self.longest} characters.")

    def used_otherwise(self, key: str) -> ApiError:
        return ApiError(
            400,
            f"The idempotency key '{key}' was first used with other parameters; a "
            "different request needs a key of its own.",
            type="idempotency_error",
        )

    def in_flight(self, key: str) -> ApiError:
        return ApiError(
            409,
            f"A request with the idempotency key '{key}' is still in progress; try again later.",
            type="idempotency_error",
            code="idempotency_key_in_use",
        )
