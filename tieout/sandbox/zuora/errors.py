"""Zuora's error bodies: the v1 envelope, the CRUD list, the Data Query and the limit shapes.

A v1 code is six digits of resource and two of category; the category says what to do.
https://developer.zuora.com/v1-api-reference/introduction/
"""

from __future__ import annotations

from .wire import Answer

INVALID, MISSING, RULE, NOT_FOUND, LOCKED, INTERNAL = 20, 21, 30, 40, 50, 60
PERMISSION, CREDENTIAL = 10, 11

# Six digits for each area; 590... and 531003 are the ones of Zuora's own examples.
AREAS = {
    "": 500000, "account": 500000, "contact": 500001, "subscription": 531003, "orders": 584900,
    "invoice": 592100, "payment": 594000, "refund": 595000, "creditmemo": 596000,
    "debitmemo": 597000, "journalentry": 560000, "accountingcode": 560100,
    "accountingperiod": 560200, "usage": 570000, "query": 596202,
}  # fmt: skip


class Refusal(Exception):
    """An answer that ends the work on a request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.content))
        self.answer = answer


def reasons(code: int, message: str, process: str = "A1B2C3D4E5F60718") -> dict[str, object]:
    """The v1 envelope of a failed call."""
    problem = {"code": code, "message": message}
    return {"success": False, "processId": process, "reasons": [problem]}


def refused(area: str, category: int, message: str, status: int = 200) -> Refusal:
    """A v1 refusal; older operations answer 200 with `success: false`."""
    return Refusal(Answer(status, reasons(AREAS.get(area, 500000) * 100 + category, message)))


def missing(area: str, name: str) -> Refusal:
    return refused(area, INVALID, f"'{name}' may not be empty")


def not_found(area: str, key: str) -> Refusal:
    return refused(area, NOT_FOUND, f"Cannot find entity by key: '{key}'.", 404)


def rule(area: str, message: str) -> Refusal:
    return refused(area, RULE, message)


def invalid(area: str, message: str) -> Refusal:
    return refused(area, INVALID, message)


def no_such_path(path: str) -> Refusal:
    return refused("", NOT_FOUND, f"The requested resource {path} was not found.", 404)


def wrong_method(method: str) -> Refusal:
    return refused("", 45, f"HTTP method {method} is not supported for this resource.", 405)


def unauthorized() -> Refusal:
    return Refusal(Answer(401, reasons(90000011, "this resource is protected, please sign in")))


def forbidden(what: str) -> Refusal:
    return refused("", PERMISSION, f"You do not have permission to access {what}.", 403)


def bad_query(message: str, status: int = 400) -> Refusal:
    """Object Query's refusal of a parameter."""
    return Refusal(Answer(status, reasons(50000020, message)))


def data_query_error(message: str, status: int = 400) -> Refusal:
    return Refusal(Answer(status, {"code": status, "message": message}))


def crud_errors(code: str, message: str, status: int = 400) -> Refusal:
    """The capitalised shape of /v1/object."""
    problem = {"Code": code, "Message": message}
    return Refusal(Answer(status, {"Success": False, "Errors": [problem]}))


def too_many(window: str, seconds: int) -> Answer:
    message = f"API Rate limit exceeded for the {window}, retry after {seconds} seconds"
    body = {"reasons": [{"code": 70, "message": message}]}
    return Answer(429, body, {"Retry-After": str(seconds)})


def too_concurrent(limit: int) -> Answer:
    message = f"The concurrent request limit of {limit} is exceeded, please retry later."
    return Answer(429, reasons(50000070, message), {"Retry-After": "120"})
