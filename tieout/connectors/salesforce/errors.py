"""What Salesforce's refusals mean.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
)
from tieout.rest import Again, Refusal, Verdict
from tieout.rest.redact import one_line

DAILY_WAIT_SECONDS = 900.0
BUSY_WAIT_SECONDS = 5.0

_PERMISSION = {
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "CANNOT_EXECUTE_FLOW_TRIGGER_PERMISSION",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "FUNCTIONALITY_NOT_ENABLED",
    "OPERATION_TOO_LARGE",
}
_SETUP = {
    "INVALID_FIELD",
    "INVALID_TYPE",
    "MALFORMED_QUERY",
    "UNSUPPORTED_API_VERSION",
    "INVALID_API_VERSION",
    "INVALIDENTITY",
    "INVALID_ENTITY",
}
_BUSY = ("UNABLE_TO_LOCK_ROW", "TXN_SECURITY_METERING_ERROR", "CONCURRENT")
_OPEN = {"SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION"}
_TAKEN = {"DUPLICATE_VALUE", "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID"}
_GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}
_EDGE = (406, 420, 502, 503, 504)

PERMISSION_HINT = (
    "give the integration user's permission set this object and field (docs/providers/"
    "salesforce.md lists them)"
)


class StaleLocator(TryLater):
    """The position of a listing is no longer known there: go on after the last row."""


class OtherLimit(TryLater):
    """Not calls but something else is used up, such as the day's bulk jobs: other calls go on."""


class TooSlow(TryLater):
    """The query took longer than Salesforce allows: ask for less."""


def faults(body: Any) -> list[dict[str, Any]]:
    """The errors of an answer, in all their shapes: [{message, errorCode or statusCode}]."""
    rows = body if isinstance(body, list) else [body]
    return [row for row in rows if isinstance(row, dict)]


def code_of(fault: dict[str, Any]) -> str:
    """The error's code, upper case: REST and collections name it differently."""
    told = fault.get("errorCode") or fault.get("statusCode") or fault.get("exceptionCode")
    return str(told or "").upper()


def words_of(fault: dict[str, Any]) -> str:
    """`CODE: message (fields)` in Salesforce's own words."""
    told = fault.get("message") or fault.get("exceptionMessage")
    fields = fault.get("fields")
    place = f" ({', '.join(map(str, fields))})" if isinstance(fields, list) and fields else ""
    return f"{code_of(fault)}: {told or 'no reason given'}{place}"


def explain(status: int, body: Any) -> str:
    return "; ".join(words_of(each) for each in faults(body) if code_of(each))


def judge(refusal: Refusal) -> Verdict | None:
    """Where the code says more than the status."""
    status = refusal.status
    if status == 300:
        told = "several records carry this external id"
        hint = "make the key field unique in Salesforce, and merge the records"
        return Verdict(Conflict(told, hint=hint))
    if status == 410:
        told = f"answered 410: {explain(status, refusal.body) or 'this API version is gone'}"
        return Verdict(ConfigError(told, hint="set api_version to a version that the org has"))
    rows = [each for each in faults(refusal.body) if code_of(each)]
    if not rows:
        return _edge(refusal)
    return verdict_on(rows, f"answered {status}: ", status)


def _edge(refusal: Refusal) -> Verdict | None:
    """What stands in front of Salesforce answers without a body, or with a page."""
    torn = refusal.status in (400, 404) and refusal.body is None
    if refusal.status in _EDGE or (torn and refusal.answer.body.strip()):
        told = f"answered {refusal.status} without a reason"
        return Verdict(ProviderDown(told), Again.IF_SAFE)
    return None


def verdict_on(rows: Sequence[dict[str, Any]], before: str = "", status: int = 400) -> Verdict:
    """What the errors of one answer, or of one record of a collection, mean."""
    codes = {code_of(each) for each in rows}
    words = one_line(before + "; ".join(map(words_of, rows)), 600)
    passing = _passing(codes, words, status)
    return passing or _lasting(codes, words, status)


def _passing(codes: set[str], words: str, status: int) -> Verdict | None:
    if "REQUEST_LIMIT_EXCEEDED" in codes:
        return _limited(words)
    if "LIMIT_EXCEEDED" in codes:
        if "CONCURRENT" in words.upper():
            return _limited(words)
        return Verdict(OtherLimit(words, hint="Setup > System Overview shows the org's limits"))
    # A trigger's message may hide that it is a lock.
    if any(each in words.upper() for each in _BUSY):
        return Verdict(TryLater(words), Again.ALWAYS)
    if "QUERY_TIMEOUT" in codes:
        return Verdict(TooSlow(words))
    if "INVALID_QUERY_LOCATOR" in codes:
        return Verdict(StaleLocator(words))
    if codes & _OPEN or status >= 500:
        return Verdict(ProviderDown(words), Again.IF_SAFE)
    return None


def _limited(words: str) -> Verdict:
    """Too many calls at once passes in seconds; the day's calls come back in hours."""
    if "CONCURRENT" in words.upper():
        busy = RateLimited(
            words, hint="lower `concurrency`, or wait", wait_seconds=BUSY_WAIT_SECONDS
        )
        return Verdict(busy, Again.ALWAYS)
    return Verdict(
        RateLimited(
            words,
            hint="the org's calls of the last 24 hours are used up; Setup > System Overview "
            "shows by whom. They come back little by little",
            wait_seconds=DAILY_WAIT_SECONDS,
        )
    )


def _lasting(codes: set[str], words: str, status: int) -> Verdict:
    if status == 401 or "INVALID_SESSION_ID" in codes:
        hint = "the session was ended, or the user may no longer log in; run tieout check"
        return Verdict(AuthError(words, hint=hint))
    if codes & _PERMISSION or status == 403:
        return Verdict(AuthError(words, hint=PERMISSION_HINT))
    if codes & _SETUP or ("NOT_FOUND" in codes and "external id" in words.lower()):
        hint = f"the field or object is missing or hidden: {PERMISSION_HINT}"
        return Verdict(ConfigError(words, hint=hint))
    if codes & _TAKEN:
        return Verdict(Conflict(words, hint="look the existing record up and link it"))
    if status == 404 or codes & _GONE:
        return Verdict(NotFound(words, hint="it was deleted or merged, or is not visible to us"))
    return Verdict(InvalidRecord(words, hint=_hint(codes, words)))


def _hint(codes: set[str], words: str) -> str:
    place = re.search(r"\b(state|country)\b", words, re.I)
    if "FIELD_INTEGRITY_EXCEPTION" in codes and place:
        return "the org has state and country lists: set the mapping's option address_codes: true"
    if "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" in codes:
        return "add the value to the field's list in Salesforce, or map it to one that is there"
    return "correct the record, its mapping or the org's rules"
