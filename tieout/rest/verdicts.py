"""What a refusal means: the error it becomes, and whether the call may be sent once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    NotFound,
    ProviderDown,
    RateLimited,
    TieoutError,
    TryLater,
)
from tieout.core.ports import HttpAnswer

from .redact import one_line
from .request import Request


class Again(Enum):
    """Whether a refused call may be sent once more."""

    NEVER = "never"
    IF_SAFE = "if safe"  # it may have been carried out: only what can be repeated
    ALWAYS = "always"  # it was surely not carried out


@dataclass(frozen=True)
class Refusal:
    """An answer outside 2xx. `body` is its JSON, or None; `wait_seconds` its Retry-After."""

    request: Request
    answer: HttpAnswer
    body: Any
    wait_seconds: float | None = None

    @property
    def status(self) -> int:
        return self.answer.status

    def header(self, name: str) -> str:
        """A header's value, "" if it is absent."""
        return self.answer.headers.get(name.lower(), "")


@dataclass(frozen=True)
class Verdict:
    """The error to raise and whether to try again first. A judge returns one to overrule."""

    error: TieoutError
    again: Again = Again.NEVER


# (status, parsed body or None) -> the provider's own words; "" if it gave none.
Explain = Callable[[int, Any], str]
# Overrules what a refusal means, or returns None to leave it to the status.
Judge = Callable[[Refusal], Verdict | None]


def by_status(refusal: Refusal, words: str) -> Verdict:
    """The general rules of HTTP (RFC 9110), for what the provider's own judge left open."""
    status = refusal.status
    message = f"answered {status}" + (f": {one_line(words)}" if words else "")
    match status:
        case _ if 300 <= status < 400:
            return Verdict(_redirected(refusal))
        case 401:
            return Verdict(AuthError(message, hint="check the credentials of this system"))
        case 403:
            return Verdict(AuthError(message, hint="this login lacks a permission; add it there"))
        case 404 | 410:
            return Verdict(NotFound(message))
        case 407:
            return Verdict(ConfigError(message, hint="the proxy wants a login"))
        case 408:
            return Verdict(ProviderDown(message), Again.IF_SAFE)
        case 409 | 412:
            return Verdict(Conflict(message, hint="read the record again"))
        case 423 | 425:
            return Verdict(TryLater(message), Again.ALWAYS)
        case 429:
            limited = RateLimited(message, wait_seconds=refusal.wait_seconds)
            return Verdict(limited, Again.ALWAYS)
        case _ if status >= 500:
            return Verdict(ProviderDown(message), Again.IF_SAFE)
    return Verdict(InvalidRecord(message, hint="correct the record or its mapping"))


def _redirected(refusal: Refusal) -> ConfigError:
    try:
        host = urlsplit(refusal.header("location")).hostname or "another address"
    except ValueError:
        host = "another address"
    return ConfigError(
        f"answered {refusal.status}: moved to {host}",
        hint="redirects are not followed; set base_url to where the API is",
    )


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: a number or an HTTP date; None if it says none."""
    text = value.strip()
    if text.replace(".", "", 1).isdigit() and text.isascii():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
