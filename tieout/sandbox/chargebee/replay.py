"""Idempotency keys: the first answer to a POST is kept and given again.

https://apidocs.chargebee.com/docs/api/v1/idempotency
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import ApiError

_KEPT_SECONDS = 30 * 60
_LONGEST = 100


@dataclass(frozen=True)
class Answer:
    """What was answered: HTTP status, headers of the answer's own, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass
class _Kept:
    fingerprint: bytes
    until: int
    answer: Answer | None = None  # None while the first request is still being worked on


class Replays:
    """Answers by key. Has its own lock: a key in flight must be seen while the site is busy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def begin(self, key: str, fingerprint: bytes, now: int) -> Answer | None:
        """The kept answer; None when the caller is the first and must `finish`.

        Raises ApiError: 422 for another request under the same key, 429 for one in flight.
        """
        if len(key) > _LONGEST:
            raise ApiError(
                400, "invalid_request", f"Idempotency keys have at most {_LONGEST} characters."
            )
        with self._lock:
            self._forget(now)
            kept = self._kept.get(key)
            if kept is None:
                self._kept[key] = _Kept(fingerprint, now + _KEPT_SECONDS)
                return None
            if kept.fingerprint != fingerprint:
                raise ApiError(
                    422,
                    "unable_to_process_request",
                    "The idempotency key was used before with a different request.",
                )
            if kept.answer is None:
                raise ApiError(
                    429,
                    "lock_timeout",
                    "A request with this idempotency key is being processed.",
                    type="operation_failed",
                )
            return kept.answer

    def finish(self, key: str, answer: Answer | None) -> None:
        """Keep the answer; None when nothing was done, so the key is free again."""
        with self._lock:
            if answer is None:
                self._kept.pop(key, None)
            elif key in self._kept:
                self._kept[key].answer = answer

    def _forget(self, now: int) -> None:
        # Kept in order of arrival, so only the oldest need a look.
        for key in list(self._kept)[:64]:
            if self._kept[key].until > now:
                return
            if self._kept[key].answer is not None:
                del self._kept[key]
