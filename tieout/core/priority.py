"""Who goes first when calls are scarce: the work at hand says it, the pace of a credential asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Priority(IntEnum):
    """Lower numbers first."""

    PERSON = 0  # somebody asks whether it works again: goes although the provider said to wait
    WEBHOOK = 1  # a person has just changed it and looks at the other system
    PUSH = 2  # decided, shown, promised
    INCREMENTAL = 3
    RECONCILIATION = 4  # proofs and second looks
    BACKFILL = 5  # everything: it takes long anyway


_CURRENT: ContextVar[Priority] = ContextVar("priority", default=Priority.INCREMENTAL)


def current_priority() -> Priority:
    """That of the work which this thread does now."""
    return _CURRENT.get()


@contextmanager
def priority(level: Priority) -> Iterator[None]:
    """All calls inside are made at this level. A new thread starts at INCREMENTAL: set it there."""
    before = _CURRENT.set(level)
    try:
        yield
    finally:
        _CURRENT.reset(before)
