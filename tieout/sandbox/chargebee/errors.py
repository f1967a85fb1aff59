"""What Chargebee answers when it refuses: status, type, api_error_code, message, param.

https://apidocs.chargebee.com/docs/api/error-handling
"""

from __future__ import annotations

from typing import Any

NOT_ENABLED = (
    "This API operation is not enabled for this site. Please contact support@chargebee.com "
    "to get this enabled"
)
_TOO_MANY = (
    "Sorry, access has been blocked temporarily due to request count exceeding acceptable "
    "limits. Please try after some time."
)


class ApiError(Exception):
    """One refusal. `error_code` is the older, finer code that answers still carry."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        type: str | None = "invalid_request",
        error_code: str | None = None,
        param: str | None = None,
        cause: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        legacy = message.partition(" : ")[2] if param and " : " in message else message
        body = {
            "message": message,
            "type": type,
            "api_error_code": code,
            "param": param,
            "error_cause_id": cause,
            "error_code": error_code or code,
            "error_msg": legacy,
            "error_param": param,
            "http_status_code": status,
        }
        self.body: dict[str, Any] = {name: one for name, one in body.items() if one is not None}


def wrong_value(param: str, why: str, *, error_code: str = "param_wrong_value") -> ApiError:
    """400: this parameter's value cannot be."""
    return ApiError(
        400, "param_wrong_value", f"{param} : {why}", error_code=error_code, param=param
    )


def blank(param: str) -> ApiError:
    """400: a parameter that must be there is not."""
    return wrong_value(param, "cannot be blank", error_code="param_should_not_be_blank")


def invalid_request(message: str, *, param: str | None = None) -> ApiError:
    """400: the values do not go together."""
    return ApiError(400, "invalid_request", message, param=param)


def not_found(id: str, *, param: str | None = None) -> ApiError:
    """404: there is no such resource; `param` where a parameter named it."""
    return ApiError(404, "resource_not_found", f"{id} not found", param=param)


def no_such_path() -> ApiError:
    """404: the URL leads nowhere."""
    return ApiError(404, "resource_not_found", "Sorry, we couldn't find that resource")


def duplicate(param: str, value: str) -> ApiError:
    """400: an id that is taken already."""
    return ApiError(
        400,
        "duplicate_entry",
        f"{param} : The value {value} is already present.",
        error_code="param_not_unique",
        param=param,
    )


def resource_limit(message: str) -> ApiError:
    """400: there are as many as there may be."""
    return ApiError(400, "resource_limit_exhausted", message)


def read_only() -> ApiError:
    """403: the key may read, not write."""
    return ApiError(
        403,
        "api_authorization_failed",
        "Sorry, the api key does not have sufficient privileges for this operation.",
        type=None,
    )


def site_read_only() -> ApiError:
    """503: maintenance; reads still work."""
    message = "Sorry, your site is temporarily unavailable for write operations."
    return ApiError(503, "site_read_only_mode", message, type="operation_failed")


def no_such_site(name: str) -> ApiError:
    """404: the host name is another site's."""
    return ApiError(404, "site_not_found", f"Sorry, the site {name} was not found.", type=None)


def wrong_state(message: str, *, param: str | None = None) -> ApiError:
    """409: the state of the resource forbids it."""
    return ApiError(409, "invalid_state_for_request", message, param=param)


def not_enabled() -> ApiError:
    """400: an endpoint of the other product catalog."""
    return ApiError(
        400, "configuration_incompatible", NOT_ENABLED, type=None, error_code="api_restricted"
    )


def payment_failed(message: str, *, code: str = "payment_processing_failed") -> ApiError:
    """400: the gateway, or the lack of a card, said no."""
    cause = "gateway.general.decline" if code == "payment_processing_failed" else None
    return ApiError(400, code, message, type="payment", cause=cause)


def rate_limited(seconds: int | None) -> ApiError:
    """429; `seconds` until the window ends goes into Retry-After."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return ApiError(
        429, "api_request_limit_exceeded", _TOO_MANY, type="operation_failed", headers=headers
    )


def wrong_key() -> ApiError:
    """401: no key, or one that this site does not know."""
    return ApiError(
        401,
        "api_authentication_failed",
        "Sorry, authentication failed. Invalid api key",
        type=None,
        error_code="api_authentication_invalid_key",
        headers={"WWW-Authenticate": 'Basic realm="Chargebee API"'},
    )


def failure(status: int) -> ApiError:
    """A failure on Chargebee's side."""
    code = "internal_temporary_error" if status in (502, 503, 504) else "internal_error"
    message = "Sorry, something went wrong when trying to process the request."
    return ApiError(status, code, message, type="operation_failed")
