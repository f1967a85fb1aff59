"""Salesforce's refusals: a list of {message, errorCode, fields} and an HTTP status.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .wire import Answer


class Refusal(Exception):
    """Salesforce says no. `fields` are the API names concerned."""

    def __init__(
        self, code: str, message: str, fields: Sequence[str] | None = None, status: int = 400
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.fields = list(fields) if fields is not None else None

    @property
    def answer(self) -> Answer:
        """As a single-record call answers it."""
        return Answer(self.status, [self.as_rest()])

    def as_rest(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            shown["fields"] = self.fields
        return shown

    def as_item(self) -> dict[str, Any]:
        """As a collection call answers it, record by record."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}

    def as_bulk(self) -> str:
        """The text of an `sf__Error` cell."""
        return f"{self.code}:{self.message}:{','.join(self.fields or [])}--"


def session_invalid() -> Refusal:
    return Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def over_the_limit() -> Refusal:
    return Refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal("NOT_FOUND", message, status=404)


def is_deleted() -> Refusal:
    return Refusal("ENTITY_IS_DELETED", "entity is deleted", [], status=404)


def wrong_method(method: str, allowed: str) -> Refusal:
    return Refusal(
        "METHOD_NOT_ALLOWED",
        f"HTTP Method '{method}' not allowed. Allowed are {allowed}",
        status=405,
    )


def not_json(detail: str) -> Refusal:
    return Refusal("JSON_PARSER_ERROR", detail)


def no_such_column(name: str, type: str) -> Refusal:
    return Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {type}")


def not_writable(names: Sequence[str]) -> Refusal:
    return Refusal(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings "
        "of this field and verify that it is read/write for your profile or permission set.",
        list(names),
    )


def integrity(message: str, *fields: str) -> Refusal:
    return Refusal("FIELD_INTEGRITY_EXCEPTION", message, fields)


def bad_cross_reference(*fields: str) -> Refusal:
    return Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields)


def no_external_id(name: str) -> Refusal:
    return not_found(f"Provided external ID field does not exist or is not accessible: {name}")


def unexpected(error_id: str, status: int) -> Answer:
    """What stands in a 5xx."""
    code = {503: "SERVER_UNAVAILABLE"}.get(status, "UNKNOWN_EXCEPTION")
    text = (
        "An unexpected error occurred. Please include this ErrorId if you contact support: "
        f"{error_id}"
    )
    return Answer(status, [{"message": text, "errorCode": code}])
