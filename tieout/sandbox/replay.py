"""Idempotency keys: the first answer to a request is kept and given again."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Encoded:
    """An answer as it was sent: HTTP status, headers of its own, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass
class _Kept(Generic[Answer]):
    fingerprint: Hashable
    until: float
    answer: Answer | None = None  # None while the first request is still being worked on


class Replays(ABC, Generic[Answer]):
    """Answers by key. Has its own lock: a key in flight must be seen while the books are busy.

    How long a key is kept and how it is refused, each provider says.
    """

    kept_seconds = 24 * 3600
    longest = 255

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept[Answer]] = {}

    @abstractmethod
    def too_long(self) -> Exception: ...

    @abstractmethod
    def used_otherwise(self, key: str) -> Exception:
        """The key came with another request before."""

    @abstractmethod
    def in_flight(self, key: str) -> Exception:
        """The first request with this key has not been answered yet."""

    def begin(self, key: str, fingerprint: Hashable, now: float) -> Answer | None:
        """The kept answer; None when the caller is the first and must `finish`.

        Raises what the three methods above give.
        """
        if len(key) > self.longest:
            raise self.too_long()
        with self._lock:
            self._forget(now)
            kept = self._kept.get(key)
            if kept is None:
                self._kept[key] = _Kept(fingerprint, now + self.kept_seconds)
                return None
            if kept.fingerprint != fingerprint:
                raise self.used_otherwise(key)
            if kept.answer is None:
                raise self.in_flight(key)
            return kept.answer

    def finish(self, key: str, answer: Answer | None) -> None:
        """Keep the answer; None when nothing was done, so the key is free again."""
        with self._lock:
            if answer is None:
                self._kept.pop(key, None)
            elif key in self._kept:
                self._kept[key].answer = answer

    def _forget(self, now: float) -> None:
        # Kept in order of arrival, so only the oldest need a look.
        for key in list(self._kept)[:64]:
            if self._kept[key].until > now:
                return
            if self._kept[key].answer is not None:
                del self._kept[key]
