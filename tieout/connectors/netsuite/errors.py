"""What NetSuite's refusals mean.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156570709583.html
Texts are matched in English: the integration user's language must be English.
"""

from __future__ import annotations

import re
from typing import Any

from tieout.core.errors import (
    AuthError,
    Conflict,
    InvalidRecord,
    NotFound,
    ProviderDown,
    RateLimited,
    TryLater,
)
from tieout.rest import Again, Refusal, Verdict

_LIMITS = {"CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "WS_REQUEST_BLOCKED"}
_COLLISIONS = {"CANT_UPDATE_RECRD_HAS_CHANGED", "RCRD_HAS_BEEN_CHANGED"}
_LOGIN = {"INVALID_LOGIN", "INVALID_LOGIN_ATTEMPT", "INVALID_LOGIN_CREDENTIALS"}
_PERMISSION = {"INSUFFICIENT_PERMISSION", "USER_ERROR_PERMISSION", "FEATURE_DISABLED"}
_NO_TRANSACTION = "transaction type specified is incorrect"
_CLOSED = re.compile(r"\b(closed|locked)\b[^.]*\bperiod|\bperiod\b[^.]*\b(closed|locked)\b", re.I)
_TAKEN = re.compile(r"already exists|already (an|a) (item|entity|record) with|uniqueness", re.I)

LOGIN_HINT = (
    "check that `account` is the account id (1234567_SB1, not its host name), the keys, this "
    "machine's clock, and that the role may still log in; NetSuite tells the reason in Setup > "
    "Users/Roles > User Management > View Login Audit Trail"
)


def details(body: Any) -> list[dict[str, Any]]:
    """`o:errorDetails` of an error answer; [] if it is none."""
    found = body.get("o:errorDetails") if isinstance(body, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def explain(status: int, body: Any) -> str:
    """`CODE: detail (path)` in NetSuite's own words."""
    told = []
    for each in details(body):
        place = each.get("o:errorPath") or each.get("o:errorQueryParam") or ""
        words = f"{each.get('o:errorCode', '')}: {each.get('detail', '')}"
        told.append(f"{words} ({place})" if place else words)
    if told:
        return "; ".join(told)
    return str(body.get("title") or "") if isinstance(body, dict) else ""


def judge(refusal: Refusal) -> Verdict | None:
    """Where the code or the text says more than the status."""
    codes = {str(each.get("o:errorCode", "")).upper() for each in details(refusal.body)}
    text = " ".join(str(each.get("detail", "")) for each in details(refusal.body))
    words = f"answered {refusal.status}: {explain(refusal.status, refusal.body) or 'no reason'}"
    if refusal.status in (400, 404) and refusal.body is None and refusal.answer.body.strip():
        # A torn answer, or one of a gateway: whether there is such a record remains open.
        return Verdict(ProviderDown(f"{words} that can be read"), Again.IF_SAFE)
    if codes & _LIMITS or refusal.status == 429:
        limited = RateLimited(
            words,
            hint="other integrations share the account's calls: lower `concurrency`",
            wait_seconds=refusal.wait_seconds,
        )
        return Verdict(limited, Again.ALWAYS)
    if codes & _LOGIN or refusal.status == 401:
        return Verdict(AuthError(words, hint=LOGIN_HINT))
    if codes & _PERMISSION or refusal.status == 403:
        return Verdict(
            AuthError(words, hint="give the integration's role this permission in NetSuite")
        )
    if codes & _COLLISIONS:
        # Refused because of somebody else's edit at the same moment: nothing was saved.
        return Verdict(TryLater(words), Again.ALWAYS)
    if "NONEXISTENT_ID" in codes or _NO_TRANSACTION in text.lower():
        return Verdict(NotFound(words, hint="it was deleted, or it is of another type"))
    if refusal.status == 500:
        # Often a heavy query or a customer's script: sometimes it passes, sometimes never.
        return Verdict(ProviderDown(words), Again.IF_SAFE)
    if refusal.status == 400:
        return _refused(codes, text, words)
    return None


def _refused(codes: set[str], text: str, words: str) -> Verdict:
    if any(code.startswith("DUP_") for code in codes) or _TAKEN.search(text):
        return Verdict(Conflict(words, hint="look the existing record up and link it"))
    if _CLOSED.search(text):
        hint = "reopen the accounting period in NetSuite, or date the document in an open one"
        return Verdict(InvalidRecord(words, hint=hint))
    return Verdict(InvalidRecord(words, hint=_hint(text)))


def _hint(text: str) -> str:
    low = text.lower()
    if "please enter value" in low or "please configure" in low:
        return "the form makes fields mandatory: set them in config.yaml or an overlay"
    if "workflow" in low:
        return "a workflow in NetSuite locks the record"
    return "correct the record, its mapping or the account's setup"
