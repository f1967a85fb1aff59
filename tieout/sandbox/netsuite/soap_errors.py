"""Refusals in SOAP: faults of a whole request, and the status of one record.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3539420.html
"""

from __future__ import annotations

import re

from .errors import Refusal


class Problem(Exception):
    """One record's (or search's) status: isSuccess false with a code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Fault(Exception):
    """The whole request is refused: HTTP 500 with soapenv:Fault. `name` is the detail element."""

    def __init__(self, name: str, code: str, message: str) -> None:
        super().__init__(message)
        self.name, self.code, self.message = name, code, message

    @classmethod
    def schema(cls, message: str) -> Fault:
        """What the XML parser of the service refuses; it has no fault element of its own."""
        return cls("", "", f"org.xml.sax.SAXException: {message}")


def invalid_login() -> Fault:
    return Fault("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS", "Invalid login attempt.")


def no_login() -> Fault:
    said = "Your connection has timed out. Please log in again."
    return Fault("invalidSessionFault", "SESSION_TIMED_OUT", said)


def too_many_calls() -> Fault:
    said = "SuiteTalk concurrent request limit exceeded. Request blocked."
    return Fault("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED", said)


def too_many_records(most: int) -> Fault:
    said = f"The maximum number of records allowed for a single operation is {most}."
    return Fault("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED", said)


def no_such_record() -> Problem:
    return Problem("RCRD_DSNT_EXIST", "That record does not exist.")


_PREFIX = re.compile(r"^Error while accessing (a )?resource[.:] ?")
_CODES = (
    ("A customer record with this ID already exists", "UNIQUE_CUST_ID_REQD"),
    ("Uniqueness error", "DUP_ITEM"),
    ("This entity already exists", "DUP_ENTITY"),
    ("This record already exists", "DUP_RCRD"),
)


def as_problem(refusal: Refusal) -> Problem:
    """What REST would have refused, in SOAP's words."""
    told = refusal.answer.content["o:errorDetails"][0]
    text, code = _PREFIX.sub("", str(told["detail"])), str(told["o:errorCode"])
    for start, special in _CODES:
        if text.startswith(start):
            return Problem(special, text)
    if code == "NONEXISTENT_ID" or text.startswith("Transaction type specified"):
        return no_such_record()
    if code == "INVALID_CONTENT" and "Invalid Field Value" in text:
        return Problem("INVALID_KEY_OR_REF", text)
    return Problem(code if code == "INSUFFICIENT_PERMISSION" else "USER_ERROR", text)
