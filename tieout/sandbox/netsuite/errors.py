"""NetSuite's refusals, in its own envelope.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156570709583.html
"""

from __future__ import annotations

from typing import Any

from .wire import Answer

_OLD = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html"
_RFC = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15."
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    429: "Bad Request",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Refusal(Exception):
    """NetSuite says no; carries the whole answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.content)
        self.answer = answer


def envelope(status: int, detail: str, code: str, *, kind: str = "", **where: str) -> Answer:
    """An error answer. `where`: path, url, header or query, each optional."""
    names = {
        "path": "o:errorPath",
        "url": "o:urlPath",
        "header": "o:errorHeader",
        "query": "o:errorQueryParam",
    }
    details: dict[str, Any] = {"detail": detail}
    details |= {names[key]: value for key, value in where.items()}
    details["o:errorCode"] = code
    content = {
        "type": kind or _section(status),
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "o:errorDetails": [details],
    }
    return Answer(status, content, kind="error")


def _section(status: int) -> str:
    return f"{_RFC}{5 if status < 500 else 6}.{status - (399 if status < 500 else 499)}"


def invalid_login(account: str, scheme: str = "") -> Refusal:
    answer = envelope(
        401,
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
        "Setup > Users/Roles > User Management > View Login Audit Trail.",
        "INVALID_LOGIN",
        kind=_OLD,
    )
    reason = "token_rejected" if scheme == "OAuth" else "invalid_token"
    answer.headers["WWW-Authenticate"] = (
        f'{scheme or "Bearer"} realm="{account}", error="{reason}", '
        'error_description="Invalid login attempt."'
    )
    return Refusal(answer)


def malformed_login(account: str) -> Refusal:
    said = "The request could not be understood by the server due to malformed syntax."
    answer = envelope(400, said, "INVALID_REQUEST", kind=_OLD)
    answer.headers["WWW-Authenticate"] = (
        f'Bearer realm="{account}", error="invalid_request", error_description="{said}"'
    )
    return Refusal(answer)


def malformed(detail: str = "", **where: str) -> Refusal:
    said = detail or "The request could not be understood by the server due to malformed syntax."
    return Refusal(envelope(400, said, "INVALID_REQUEST", **where))


def too_many() -> Answer:
    answer = envelope(
        429,
        "Concurrent request limit exceeded. Request blocked.",
        "CONCURRENCY_LIMIT_EXCEEDED",
        kind=_OLD,
    )
    answer.content["o:errorCode"] = "USER_ERROR"
    return answer


def unexpected(error_id: str, status: int = 500) -> Answer:
    return envelope(
        status,
        f"An unexpected error occurred. Error ID: {error_id}",
        "UNEXPECTED_ERROR",
        kind=_OLD,
    )


def no_such_record() -> Refusal:
    return Refusal(
        envelope(
            404,
            "The record instance does not exist. Provide a valid record instance ID.",
            "NONEXISTENT_ID",
        )
    )


def wrong_transaction_type() -> Refusal:
    """What a transaction that does not exist, or is of another type, is answered with."""
    return user_error("Transaction type specified is incorrect.")


def user_error(text: str) -> Refusal:
    return Refusal(envelope(400, f"Error while accessing a resource. {text}", "USER_ERROR"))


def invalid_reference(value: object, name: str, path: str) -> Refusal:
    return Refusal(
        envelope(
            400,
            f"Error while accessing resource: You have entered an Invalid Field Value {value} "
            f"for the following field: {name}",
            "INVALID_CONTENT",
            kind=f"{_OLD}#sec10.4.1",
            path=path,
        )
    )


def invalid_content(detail: str, path: str) -> Refusal:
    return Refusal(
        envelope(400, f"Error while accessing a resource. {detail}", "INVALID_CONTENT", path=path)
    )


def invalid_value(name: str, path: str) -> Refusal:
    said = f"Invalid value for the resource or sub-resource field '{name}'. Provide a valid value."
    return invalid_content(said, path)


def invalid_parameter(detail: str, query: str) -> Refusal:
    return Refusal(envelope(400, detail, "INVALID_PARAMETER", query=query))


def missing_value(label: str) -> Refusal:
    return user_error(f"Please enter value(s) for: {label}.")


def no_such_path() -> Refusal:
    return Refusal(envelope(404, "The resource was not found.", "NOT_FOUND"))


def wrong_method(method: str) -> Refusal:
    said = f"Method {method} is not allowed on this resource."
    return Refusal(envelope(405, said, "METHOD_NOT_ALLOWED"))
