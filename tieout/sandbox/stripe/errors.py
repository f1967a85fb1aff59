"""What Stripe answers when it refuses: status, type, code, message, param.

https://docs.stripe.com/api/errors
"""

from __future__ import annotations

from typing import Any

_DOCS = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """One refusal. `validation` marks those made before the endpoint began to execute."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.validation = False
        error: dict[str, Any] = {}
        if code:
            error["code"] = code
            error["doc_url"] = _DOCS + code.replace("_", "-")
        error |= {name: value for name, value in more.items() if value is not None}
        error["message"] = message
        if param:
            error["param"] = param
        error["type"] = type
        self.body: dict[str, Any] = {"error": error}


def bad_request(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """400: the request cannot be carried out as it is."""
    return ApiError(400, message, code=code, param=param)


def missing(noun: str, id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """No such object: 404 where the path named it, 400 where a parameter did."""
    return ApiError(status, f"No such {noun}: '{id}'", code="resource_missing", param=param)


def declined(decline_code: str, *, charge: str | None = None, **more: Any) -> ApiError:
    """402: the card was declined; https://docs.stripe.com/declines/codes"""
    code = decline_code if decline_code in ("expired_card", "incorrect_cvc") else "card_declined"
    return ApiError(
        402,
        "Your card was declined." if code == "card_declined" else "Your card has expired.",
        type="card_error",
        code=code,
        decline_code=decline_code if code == "card_declined" else None,
        charge=charge,
        **more,
    )


def rate_limited(reason: str) -> ApiError:
    """429, as https://docs.stripe.com/rate-limits describes it."""
    return ApiError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason},
    )


def api_failure(status: int) -> ApiError:
    """A failure on Stripe's side."""
    return ApiError(status, "An unexpected error occurred on our side.", type="api_error")


def wrong_key(key: str) -> ApiError:
    """401; the message shows only the ends of the key, as Stripe's does."""
    shown = key if len(key) < 12 else f"{key[:8]}{'*' * min(len(key) - 12, 24)}{key[-4:]}"
    return ApiError(401, f"Invalid API Key provided: {shown}")
