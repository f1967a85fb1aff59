"""Zuora's limit headers. https://developer.zuora.com/docs/guides/rate-limits

RateLimit-Limit: 2250000, 50000;w=60, 2250000;w=3600, 27000000;w=86400
RateLimit-Remaining: 2249000        of the window that ends first to be used up
RateLimit-Reset: 1200               seconds
Concurrency-Limit-Type: Default     with -Limit and -Remaining, on /v1 and /object-query
"""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core.ports import HttpAnswer
from tieout.rest import Learned, Pool

from .settings import ZuoraConfig

_WINDOWS = {60: "minute", 3600: "hour", 86400: "day"}


def pools(settings: ZuoraConfig) -> tuple[Pool, ...]:
    """Our own share of the tenant's calls."""
    minute = Pool("minute", settings.minute_calls, 60)
    day = settings.day_calls
    return (minute, Pool("day", day, 86400)) if day else (minute,)


def learn(answer: HttpAnswer) -> Iterator[Learned]:
    """What the headers say about the tenant's windows and its calls at once."""
    first, windows = _limits(answer.headers.get("ratelimit-limit", ""))
    remaining = _number(answer.headers.get("ratelimit-remaining", ""))
    reset = _number(answer.headers.get("ratelimit-reset", ""))
    for seconds, limit in windows.items():
        mine = limit == first
        yield Learned(
            _WINDOWS.get(seconds, f"{seconds}s"),
            limit=limit,
            remaining=remaining if mine else None,
            resets_in_seconds=float(reset) if mine and reset is not None else None,
        )
    kind = answer.headers.get("concurrency-limit-type", "")
    if kind:
        yield Learned(
            f"at once: {kind}"[:60],
            limit=_number(answer.headers.get("concurrency-limit-limit", "")),
            remaining=_number(answer.headers.get("concurrency-limit-remaining", "")),
        )


def _limits(header: str) -> tuple[int | None, dict[int, int]]:
    """The limit that counts now, and all by the length of their window in seconds."""
    first: int | None = None
    found: dict[int, int] = {}
    for part in header.split(","):
        told, _, window = part.strip().partition(";")
        limit, seconds = _number(told), _number(window.strip().removeprefix("w="))
        if limit is None:
            continue
        if seconds is None:
            first = limit
        else:
            found[seconds] = limit
    return first, found


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
