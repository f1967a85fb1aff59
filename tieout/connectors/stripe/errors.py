"""What Stripe's refusals mean. https://docs.stripe.com/error-low-level , /error-codes"""

from __future__ import annotations

import re
from typing import Any

from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    NotFound,
    ProviderDown,
    RateLimited,
    TryLater,
    UnknownOutcome,
)
from tieout.rest import Again, Refusal, Verdict

_PERMISSION = re.compile(r"rak_[a-z0-9_]+")


class Replayed(UnknownOutcome):
    """A failed write's answer, given again: it never gets better under the same key."""


def explain(status: int, body: Any) -> str:
    """`code: message (field)` in Stripe's own words."""
    error = _error(body)
    code = error.get("decline_code") or error.get("code") or error.get("type")
    text = ": ".join(str(part) for part in (code, error.get("message")) if part)
    return f"{text} ({error['param']})" if text and error.get("param") else text


def judge(refusal: Refusal) -> Verdict | None:
    """Where Stripe says more than the status code does."""
    verdict = _by_code(refusal)
    told = refusal.header("Stripe-Should-Retry").lower()
    if told == "true" and (verdict is None or verdict.again is not Again.NEVER):
        # 5xx included: with an idempotency key a repeat is safe, without one it stays unknown.
        again = Again.ALWAYS if refusal.status < 500 else Again.IF_SAFE
        return Verdict(verdict.error if verdict else _later(refusal), again)
    if told == "false":
        return Verdict(verdict.error, Again.NEVER) if verdict else _final(refusal)
    return verdict


def _by_code(refusal: Refusal) -> Verdict | None:
    error = _error(refusal.body)
    code, kind = error.get("code"), error.get("type")
    words = f"answered {refusal.status}: {explain(refusal.status, refusal.body) or 'no reason'}"
    if refusal.status >= 500 and refusal.header("Idempotent-Replayed").lower() == "true":
        return Verdict(
            Replayed(
                f"{words}; Stripe repeats this answer for as long as it keeps the key",
                hint="look whether the record exists, then write with a new key",
            )
        )
    if kind == "idempotency_error":
        return Verdict(
            UnknownOutcome(words, hint="the key was used for another write: look it up first")
        )
    if code == "lock_timeout":
        return Verdict(TryLater(words), Again.ALWAYS)
    match refusal.status:
        case 409:
            return Verdict(TryLater(words), Again.ALWAYS)
        case 424:
            return Verdict(ProviderDown(words), Again.IF_SAFE)
        case 402:
            return Verdict(InvalidRecord(words, hint="the payment was declined"))
        case 403:
            return Verdict(AuthError(words, hint=_permission_hint(words)))
        case 401:
            return Verdict(AuthError(words, hint="check api_key (sk_... or rk_...)"))
    if code == "resource_already_exists":
        return Verdict(Conflict(words))
    if code == "resource_missing" and "similar object exists in" in str(error.get("message")):
        return Verdict(ConfigError(words, hint="this key and this id are of different modes"))
    if code == "resource_missing":
        return Verdict(NotFound(words))
    return None


def _later(refusal: Refusal) -> TryLater:
    words = f"answered {refusal.status}: {explain(refusal.status, refusal.body) or 'try again'}"
    if refusal.status == 429:
        return RateLimited(words, wait_seconds=refusal.wait_seconds)
    return ProviderDown(words) if refusal.status >= 500 else TryLater(words)


def _final(refusal: Refusal) -> Verdict | None:
    """Not to be repeated. A write that ended in 5xx may still have happened."""
    if refusal.status < 500 and refusal.status != 429:
        return None
    error = _later(refusal)
    if refusal.status < 500 or refusal.request.is_read:
        return Verdict(error)
    return Verdict(UnknownOutcome(error.message, hint="it is looked up before it is tried again"))


def missing_permission(message: str) -> str:
    """The permission that Stripe's 403 names, "" if it names none."""
    found = _PERMISSION.search(message)
    return found.group() if found else ""


def _permission_hint(words: str) -> str:
    named = missing_permission(words)
    return (
        f"give the restricted key {named}" if named else "give the restricted key this permission"
    )


def _error(body: Any) -> dict[str, Any]:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
