"""Idempotency keys of POSTs and PATCHes: failures, too, are given again.

https://developer.zuora.com/docs/guides/idempotent-requests
"""

from __future__ import annotations

from ..replay import Replays as Kept
from .errors import INVALID, Refusal, refused
from .wire import Answer


class Replays(Kept[Answer]):
    """Kept for a day. Refusals: 422 for another request under the same key, 409 in flight."""

    def too_long(self) -> Refusal:
        told = f"The idempotency key has more than {self.longest} characters."
        return refused("", INVALID, told, 400)

    def used_otherwise(self, key: str) -> Refusal:
        return refused("", INVALID, "The idempotency key was used with another request.", 422)

    def in_flight(self, key: str) -> Refusal:
        return refused("", 50, "A request with this idempotency key is in progress.", 409)
