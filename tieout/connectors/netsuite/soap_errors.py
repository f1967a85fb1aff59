"""What SOAP's refusals mean: faults of whole requests, and the status of one record.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3539420.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

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
from tieout.rest import Again, Refusal, Verdict
from tieout.rest.redact import one_line

from .errors import LOGIN_HINT

LIMITS = frozenset(
    {"WS_REQUEST_BLOCKED", "WS_CONCUR_SESSION_DISALLWD", "WS_EXCEEDED_CONCUR_USERS_ALLWD",
     "WS_EXCEEDED_MAX_CONCUR_ALLWD", "SSS_REQUEST_LIMIT_EXCEEDED", "CONCURRENCY_LIMIT_EXCEEDED"}
)  # fmt: skip
_LOGIN = frozenset(
    {"INVALID_LOGIN", "INVALID_LOGIN_ATTEMPT", "INVALID_LOGIN_CREDENTIALS", "INVALID_ACCT",
     "INVALID_ROLE", "SESSION_TIMED_OUT", "WS_LOG_IN_REQD", "LOGIN_DISABLED", "ROLE_REQUIRED",
     "USER_DISABLED", "INVALID_LOGIN_IP"}
)  # fmt: skip
_PERMISSION = frozenset(
    {"INSUFFICIENT_PERMISSION", "NOT_ENOUGH_PERMISSIONS", "PERMISSION_VIOLATION",
     "WS_PERMISSION_REQD", "WS_FEATURE_REQD", "OI_PERMISSION_REQD", "OI_FEATURE_REQD",
     "FEATURE_DISABLED", "FEATURE_UNAVAILABLE", "REQUIRED_FEATURE_IS_NOT_ENABLED",
     "INSUFFICIENT_FLD_PERMISSION"}
)  # fmt: skip
_LIMIT_FAULTS = ("exceededconcurrentrequestlimitfault", "exceededrequestlimitfault",
                 "exceededusagelimitfault")  # fmt: skip
_LOGIN_FAULTS = ("invalidcredentialsfault", "invalidsessionfault", "invalidaccountfault")
_MISSING = frozenset({"RCRD_DSNT_EXIST", "NONEXISTENT_ID", "NONEXISTENT_EXTERNAL_ID"})
_TAKEN = frozenset({"UNIQUE_CUST_ID_REQD", "UNIQUE_ITEM_ID_REQD", "NAME_ALREADY_IN_USE"})
_COLLISIONS = frozenset({"CANT_UPDATE_RECRD_HAS_CHANGED", "RCRD_HAS_BEEN_CHANGED"})
_CLOSED = frozenset({"CLOSED_TRAN_PRD", "TRAN_PRD_CLOSED", "TRAN_PERIOD_CLOSED"})
_ALREADY = re.compile(r"already exists|there is already an?\b|uniqueness error", re.I)


@dataclass(frozen=True)
class FaultText:
    """A soapenv:Fault: the detail's element in lower case, its code, and the words."""

    name: str
    code: str
    message: str


def fault_in(body: bytes) -> FaultText | None:
    """None where the answer is no fault or can't be read."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    fault = next((each for each in root.iter() if _name(each) == "Fault"), None)
    if fault is None:
        return None
    words = next((each.text or "" for each in fault.iter() if _name(each) == "faultstring"), "")
    for each in fault.iter():
        if _name(each).endswith("Fault") and each is not fault:
            told = {_name(one): (one.text or "").strip() for one in each}
            message = told.get("message") or words
            return FaultText(_name(each).lower(), told.get("code", ""), message)
    return FaultText("", "", words)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def judge(refusal: Refusal) -> Verdict | None:
    """A fault of the whole request, which comes with status 500; None where it is no fault."""
    fault = fault_in(refusal.answer.body)
    if fault is None:
        return None
    words = one_line(f"{fault.code or fault.name or 'refused'}: {fault.message}")
    if fault.code in LIMITS or fault.name in _LIMIT_FAULTS:
        hint = "other integrations share the account's calls: lower `concurrency`"
        limited = RateLimited(words, hint=hint, wait_seconds=refusal.wait_seconds)
        return Verdict(limited, Again.ALWAYS)
    if fault.code in _LOGIN or fault.name in _LOGIN_FAULTS:
        return Verdict(AuthError(words, hint=LOGIN_HINT))
    if fault.code in _PERMISSION or fault.name == "insufficientpermissionfault":
        return Verdict(AuthError(words, hint=_permission_hint(fault.message)))
    if fault.name == "invalidversionfault" or fault.code in (
        "INVALID_WS_VERSION", "UNSUPPORTED_WS_VERSION", "UPGRADE_WS_VERSION",
    ):  # fmt: skip
        return Verdict(ConfigError(words, hint="use the WSDL of a newer endpoint"))
    if fault.name in ("exceededrecordcountfault", "exceededrequestsizefault"):
        return Verdict(ConfigError(words, hint="lower `page_size`"))
    if fault.code == "USER_ERROR" or "SAXException" in fault.message:
        if refusal.request.is_read:  # no record is at fault
            return Verdict(ConfigError(words, hint="check `wsdl` and `page_size`"))
        return Verdict(InvalidRecord(words, hint="correct the record, its mapping or the WSDL"))
    return Verdict(ProviderDown(words), Again.IF_SAFE)


def refuse(status: Any) -> None:
    """Raises what a status with isSuccess false means; warnings are no refusal."""
    if status is None or status.isSuccess:
        return
    details = [each for each in status.statusDetail or () if each.type != "WARN"]
    codes = {str(each.code or "").upper() for each in details}
    words = "; ".join(one_line(f"{each.code}: {each.message}") for each in details) or "refused"
    raise sorted_out(codes, words)


def sorted_out(codes: set[str], words: str) -> TieoutError:
    """The error for the codes of a status."""
    if codes & LIMITS:
        return RateLimited(words, hint="other integrations share the account's calls")
    if codes & _LOGIN:
        return AuthError(words, hint=LOGIN_HINT)
    if codes & _PERMISSION:
        return AuthError(words, hint=_permission_hint(words))
    if codes & _MISSING:
        return NotFound(words, hint="it was deleted, or it is of another type")
    if codes & _COLLISIONS:
        return TryLater(words)
    if codes & _TAKEN or any(each.startswith("DUP_") for each in codes) or _ALREADY.search(words):
        return Conflict(words, hint="look the existing record up and link it")
    if codes & _CLOSED:
        hint = "reopen the accounting period in NetSuite, or date the document in an open one"
        return InvalidRecord(words, hint=hint)
    if "UNEXPECTED_ERROR" in codes:
        return ProviderDown(words)
    if "INVALID_JOB_ID" in codes or any(code.startswith("INVALID_SEARCH") for code in codes):
        return SearchRefused(words, hint="report it")
    return InvalidRecord(words, hint="correct the record, its mapping or the account's setup")


class SearchRefused(InvalidRecord):
    """A search that NetSuite can't carry out, or whose results it no longer holds."""


def _permission_hint(words: str) -> str:
    named = re.search(r"need (?:the |a higher level of the )?['\"]([^'\"]+)['\"]", words)
    if named:
        return f"give the integration's role the permission {named.group(1)!r} in NetSuite"
    return "give the integration's role this permission (and SOAP Web Services) in NetSuite"
