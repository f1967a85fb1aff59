"""What Zuora's refusals mean, whichever of its interfaces they come from.

v1 answers `{"success": false, "reasons": [{"code": 53100320, "message": ...}]}`, often with
status 200; the last two digits of the code are its category. CRUD answers
`[{"Success": false, "Errors": [{"Code": "INVALID_VALUE", ...}]}]`, Data Query
`{"code": 400, "message": ...}`. https://developer.zuora.com/docs/guides/error-handling
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from tieout.core.errors import (
    AuthError,
    Conflict,
    InvalidRecord,
    NotFound,
    ProviderDown,
    RateLimited,
    TieoutError,
    TryLater,
    UnknownOutcome,
)
from tieout.core.ports import HttpAnswer, HttpRequest, Send
from tieout.rest import Again, Refusal, Verdict, json
from tieout.rest.redact import one_line
from tieout.rest.request import as_pairs

_TAKEN = re.compile(
    r"already exist|exists already|already (been )?(used|taken|in use)|duplicate|unique", re.I
)
_WAIT = re.compile(r"retry after (\d{1,6}) seconds", re.I)
_LARGEST_REFUSAL = 64 * 1024
_ANSWERED = "x-tieout-answered"
_LOGIN, _MISSING, _LOCK, _INTERNAL, _LIMIT, _GATEWAY = (
    (10, 11),
    (40,),
    (50,),
    (60, 61),
    (70,),
    (99,),
)
_WORDS = {
    "LOCK_COMPETITION": 50,
    "REQUEST_EXCEEDED_LIMIT": 70,
    "REQUEST_EXCEEDED_RATE": 70,
    "SERVER_UNAVAILABLE": 61,
    "UNKNOWN_ERROR": 60,
    "TRANSACTION_TIMEOUT": 61,
    "TRANSACTION_TERMINATED": 61,
    "API_DISABLED": 10,
    "INVALID_SESSION": 11,
    "PERMISSION_DENIED": 10,
    "UNSUPPORTED_FEATURE": 30,
    "CANNOT_DELETE": 30,
    "DUPLICATE_VALUE": 20,
    "INVALID_ID": 40,
}


class Kept(UnknownOutcome):
    """A write was answered with a failure that Zuora repeats for as long as it keeps the key."""


@dataclass(frozen=True)
class Reason:
    """One reason of a refusal: its code as sent, its category (-1 if unknown), its words."""

    code: str
    category: int
    message: str


def honest(send: Send) -> Send:
    """A `Send` in whose answers a refusal with status 200 has the status 400."""

    def sent(request: HttpRequest) -> HttpAnswer:
        answer = send(request)
        if answer.status != 200 or len(answer.body) > _LARGEST_REFUSAL:
            return answer
        if b"uccess" not in answer.body or b"false" not in answer.body:
            return answer
        try:
            refused = _is_refusal(json.decode(answer.body))
        except ValueError:
            return answer
        if not refused:
            return answer
        return replace(answer, status=400, headers={**answer.headers, _ANSWERED: "200"})

    return sent


def _is_refusal(body: Any) -> bool:
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return False
    return first.get("success") is False or first.get("Success") is False


def reasons(body: Any) -> list[Reason]:
    """All reasons of a refusal, in whichever shape."""
    if isinstance(body, list):
        return [reason for each in body for reason in reasons(each)]
    if not isinstance(body, dict):
        return []
    rows = body.get("reasons") or body.get("Errors") or body.get("errors") or []
    found = (
        [_reason(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    )
    if not found and body.get("message"):
        found = [_reason({"code": body.get("code", ""), "message": body["message"]})]
    return found


def _reason(row: dict[str, Any]) -> Reason:
    code = str(row.get("code", row.get("Code", "")))
    message = str(row.get("message", row.get("Message", "")))
    category = _WORDS.get(code.upper(), -1)
    if code.isdecimal():
        category = int(code) % 100 if len(code) > 3 or int(code) < 100 else -1
        if len(code) == 8 and code.startswith("9"):
            category = 11
    return Reason(code, category, message)


def explain(status: int, body: Any) -> str:
    """`code: message` in Zuora's own words."""
    told = [f"{each.code}: {each.message}".strip(": ") for each in reasons(body)]
    return one_line("; ".join(told))


def judge(refusal: Refusal) -> Verdict | None:
    """Where the reasons say more than the status. None leaves it to the status."""
    verdict = _judged(refusal)
    if verdict is None or not _keyed(refusal):
        return verdict
    # Zuora keeps a failure under its key, too: what comes after it needs another key.
    if isinstance(verdict.error, ProviderDown):
        return Verdict(Kept(verdict.error.message, hint="it is looked up before it is sent again"))
    if verdict.again is Again.ALWAYS and refusal.status != 409:
        return Verdict(verdict.error)
    return verdict


def _keyed(refusal: Refusal) -> bool:
    names = {name.lower() for name, _ in as_pairs(refusal.request.headers)}
    return "idempotency-key" in names


def _judged(refusal: Refusal) -> Verdict | None:
    found, status = reasons(refusal.body), refusal.status
    words = explain(status, refusal.body) or "no reason given"
    words = f"answered {refusal.header(_ANSWERED) or status}: {words}"
    categories = {each.category for each in found}
    text = " ".join(each.message for each in found)
    if status == 429 or categories & set(_LIMIT):
        return _limited(refusal, words, text)
    if status == 401:
        return Verdict(AuthError(words, hint=_LOGIN_HINT))
    if status == 409 and _keyed(refusal):
        return Verdict(TryLater(f"{words} (the same write is still under way)"), Again.ALWAYS)
    if status == 422 and _keyed(refusal):
        return Verdict(UnknownOutcome(words, hint="the key was used for another write: look it up"))
    if categories & set(_LOCK):
        return Verdict(TryLater(words, hint="another process held the record"), Again.ALWAYS)
    if status >= 500 or categories & set(_INTERNAL):
        return Verdict(ProviderDown(words), Again.IF_SAFE)
    if status == 403 or categories & set(_LOGIN):
        return Verdict(AuthError(words, hint="give the OAuth client's user this permission"))
    if status == 404 or categories & set(_MISSING):
        return Verdict(NotFound(words))
    if not found and not 400 <= status < 429:
        return None
    return Verdict(_record_error(categories, text, words, refusal.request.is_read))


_LOGIN_HINT = "check client_id, client_secret and that base_url is this tenant's data centre"


def _record_error(categories: set[int], text: str, words: str, reads: bool) -> TieoutError:
    if categories & set(_GATEWAY) and not reads:
        return UnknownOutcome(words, hint="the gateway or tax engine failed: look it up in Zuora")
    if _TAKEN.search(text):
        return Conflict(words, hint="a record with this number exists: look it up and link it")
    return InvalidRecord(words, hint="correct the record, its mapping or Zuora's settings")


def _limited(refusal: Refusal, words: str, text: str) -> Verdict:
    """The minute's or the calls at once are waited for; an hour's or a day's limit is not."""
    told = _WAIT.search(text)
    wait = refusal.wait_seconds or (float(told.group(1)) if told else None)
    error = RateLimited(
        words, hint="the tenant's calls are shared by everything that uses it", wait_seconds=wait
    )
    long = wait is not None and wait > 130
    return Verdict(error, Again.NEVER if long else Again.ALWAYS)
