"""Idempotency keys: the first answer to a POST or PATCH, failures included, is given again.

https://developer.zuora.com/docs/guides/idempotent-requests
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import INVALID, Refusal, refused
from .wire import Answer

_KEPT_SECONDS = 24 * 3600


@dataclass
class _Kept:
    fingerprint: tuple[str, str, bytes]
    until: float
    answer: Answer | None = None


class Replays:
    """Answers by key; has its own lock, as a key in flight must be seen by others."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, fingerprint: tuple[str, str, bytes], now: float) -> Answer | None:
        """The kept answer, or None: then go on and `finish`. Raises Refusal (400, 409, 422)."""
        if len(key) > 255:
            raise refused("", INVALID, "The idempotency key has more than 255 characters.", 400)
        with self._lock:
            self._kept = {name: one for name, one in self._kept.items() if one.until > now}
            kept = self._kept.get(key)
            if kept is None:
                self._kept[key] = _Kept(fingerprint, now + _KEPT_SECONDS)
                return None
            if kept.fingerprint != fingerprint:
                raise _mismatch()
            if kept.answer is None:
                raise refused("", 50, "A request with this idempotency key is in progress.", 409)
            return kept.answer

    def finish(self, key: str, answer: Answer | None) -> None:
        with self._lock:
            if answer is None:
                self._kept.pop(key, None)
            elif key in self._kept:
                self._kept[key].answer = answer


def _mismatch() -> Refusal:
    return refused("", INVALID, "The idempotency key was used with another request.", 422)
