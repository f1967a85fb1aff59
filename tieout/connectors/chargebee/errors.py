"""What Chargebee's refusals mean. https://apidocs.chargebee.com/docs/api/error-handling"""

from __future__ import annotations

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

_LIMITS = ("api_request_limit_exceeded", "third_party_api_request_limit_exceeded")
_DEFAULT_WAIT = 60.0


class NotEnabled(ConfigError):
    """The site lacks this operation: another Product Catalog, or a feature that is off."""


class Duplicate(Conflict):
    """Another record has this id (or another field that must be unique)."""


class BadState(Conflict):
    """The record's present state forbids the operation."""


class Replayed(UnknownOutcome):
    """A failed write's answer, given again: it never gets better under the same key."""


def explain(status: int, body: Any) -> str:
    """`code: message (field)` in Chargebee's own words."""
    if not isinstance(body, dict):
        return ""
    code = body.get("api_error_code") or body.get("error_code")
    message = body.get("message") or body.get("error_msg")
    text = ": ".join(str(part) for part in (code, message) if part)
    return f"{text} ({body['param']})" if text and body.get("param") else text


def judge(refusal: Refusal) -> Verdict | None:
    """Where Chargebee's code says more than the status."""
    body = refusal.body if isinstance(refusal.body, dict) else None
    if body is None:
        return _unreadable(refusal)
    code = str(body.get("api_error_code") or body.get("error_code") or "")
    words = f"answered {refusal.status}: {explain(refusal.status, body) or 'no reason'}"
    if refusal.status >= 500 and refusal.header("chargebee-idempotency-replayed").lower() == "true":
        hint = "look whether the record exists, then write with a new key"
        return Verdict(Replayed(f"{words}; Chargebee repeats this answer", hint=hint))
    return _by_code(refusal, code, words, str(body.get("type") or ""))


def _unreadable(refusal: Refusal) -> Verdict | None:
    """A gateway's page: what there is at Chargebee remains open."""
    if refusal.status in (400, 404) and refusal.answer.body.strip():
        words = f"answered {refusal.status} with something that is not JSON"
        hint = "check site and base_url (https://<site>.chargebee.com)"
        return Verdict(ProviderDown(words, hint=hint), Again.IF_SAFE)
    return None


def _by_code(refusal: Refusal, code: str, words: str, kind: str) -> Verdict | None:
    match code:
        case "site_not_found":
            return Verdict(ConfigError(words, hint="check `site`: a test site is <site>-test"))
        case "configuration_incompatible" | "api_restricted":
            hint = "the site has the other Product Catalog (set catalog: auto) or lacks the feature"
            return Verdict(NotEnabled(words, hint=hint))
        case "api_authentication_failed":
            return Verdict(AuthError(words, hint="check api_key, and that it is this site's"))
        case "api_authorization_failed" | "request_blocked":
            hint = "give the key more: Settings > Configure Chargebee > API Keys (not publishable)"
            return Verdict(AuthError(words, hint=hint))
        case "duplicate_entry":
            return Verdict(Duplicate(words, hint="look the existing record up and link it"))
        case "invalid_state_for_request":
            return Verdict(BadState(words, hint="read the record again; its state forbids this"))
        case "lock_timeout":
            return Verdict(TryLater(words), Again.ALWAYS)
    if refusal.status == 429 or code in _LIMITS:
        # Chargebee blocks until the rate has fallen; without Retry-After a minute is its window.
        wait = refusal.wait_seconds
        limited = RateLimited(words, wait_seconds=_DEFAULT_WAIT if wait is None else wait)
        return Verdict(limited, Again.ALWAYS)
    if refusal.status == 422:
        hint = "the idempotency key was used for another write: it is looked up first"
        return Verdict(UnknownOutcome(words, hint=hint))
    if code == "resource_not_found":
        return Verdict(NotFound(words))
    if kind == "payment":
        return Verdict(InvalidRecord(words, hint="the payment was refused"))
    return None
