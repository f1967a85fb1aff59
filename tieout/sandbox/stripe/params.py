"""Checks parameters against their specification (specs.py).

Types: `s` text (default), `i` integer, `b` boolean, `d` decimal, `l` list of texts, `m` metadata,
`x` anything (kept as sent), `r` a moment or a range of moments, `a/b/c` one of these words,
`{...}` a hash, `[...]` a list of hashes.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from ..specs import Field, compile_spec
from .errors import ApiError, bad_request

Params = dict[str, Any]
_RANGE = ("gt", "gte", "lt", "lte")
PAGING = "limit:i starting_after ending_before expand:l"


def check(sent: Params, spec: str) -> Params:
    """The parameters with their types; '' became None where it unsets. Raises ApiError (400)."""
    try:
        return _check_hash(sent, compile_spec(spec), "")
    except ApiError as refusal:
        refusal.validation = True
        raise


def _check_hash(sent: Params, fields: dict[str, Field], prefix: str) -> Params:
    unknown = [_named(prefix, name) for name in sent if name not in fields]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise bad_request(
            f"Received unknown parameter{plural}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    for name, field in fields.items():
        if field.required and name not in sent:
            param = _named(prefix, name)
            raise bad_request(
                f"Missing required param: {param}.", code="parameter_missing", param=param
            )
    return {name: _check(value, fields[name], _named(prefix, name)) for name, value in sent.items()}


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _check(value: Any, field: Field, name: str) -> Any:
    if value == "" and field.type != "x":
        return _check_empty(field, name)
    match field.type:
        case "x":
            return value
        case "{":
            return _check_hash(_hash(value, name), dict(field.inner), name)
        case "[":
            return [
                _check_hash(_hash(item, f"{name}[{at}]"), dict(field.inner), f"{name}[{at}]")
                for at, item in enumerate(_list(value, name))
            ]
        case "l":
            return [_text(item, f"{name}[{at}]") for at, item in enumerate(_list(value, name))]
        case "m":
            return _check_metadata(_hash(value, name), name)
        case "r":
            return _check_range(value, name)
    return _check_value(_text(value, name), field.type, name)


def _check_empty(field: Field, name: str) -> Any:
    if field.unsettable or field.type == "m":
        return {} if field.type == "m" else None
    raise bad_request(
        f"You passed an empty string for '{name}', which would unset it; '{name}' cannot be unset.",
        code="parameter_invalid_empty",
        param=name,
    )


def _check_value(text: str, type_: str, name: str) -> Any:
    if type_ == "s":
        if len(text) > 5000:
            raise bad_request(
                f"Invalid string: {text[:10]}...; must be at most 5000 characters",
                code="parameter_invalid_string",
                param=name,
            )
        return text
    if type_ == "i":
        return _integer(text, name)
    if type_ == "b":
        if text not in ("true", "false"):
            raise bad_request(f"Invalid boolean: {text}", param=name)
        return text == "true"
    if type_ == "d":
        return _decimal(text, name)
    words = type_.split("/")
    if text not in words:
        raise bad_request(
            f"Invalid {name}: must be one of {', '.join(words[:-1])}, or {words[-1]}", param=name
        )
    return text


def _integer(text: str, name: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise bad_request(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    return int(text)


def _decimal(text: str, name: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise bad_request(f"Invalid decimal: {text}", param=name)
    return number


def _check_range(value: Any, name: str) -> dict[str, int]:
    if isinstance(value, str):
        moment = _integer(value, name)
        return {"gte": moment, "lte": moment}
    bounds = _hash(value, name)
    for bound in bounds:
        if bound not in _RANGE:
            raise bad_request(
                f"Received unknown parameter: {name}[{bound}]",
                code="parameter_unknown",
                param=f"{name}[{bound}]",
            )
    return {bound: _integer(_text(text, name), name) for bound, text in bounds.items()}


def _check_metadata(sent: Params, name: str) -> dict[str, str]:
    """https://docs.stripe.com/metadata: 50 keys of 40 characters, values of 500."""
    for key, value in sent.items():
        if len(key) > 40:
            raise bad_request(f"Metadata keys have at most 40 characters: {key}", param=name)
        if len(_text(value, f"{name}[{key}]")) > 500:
            raise bad_request(
                f"Metadata values have at most 500 characters: {key}", param=f"{name}[{key}]"
            )
    if len(sent) > 50:
        raise bad_request("You can have up to 50 metadata keys.", param=name)
    return dict(sent)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise bad_request(f"Invalid string: {value}", param=name)
    return value


def _hash(value: Any, name: str) -> Params:
    if isinstance(value, list):  # keys that look like numbers are still keys of a hash
        return {str(at): item for at, item in enumerate(value)}
    if not isinstance(value, dict):
        raise bad_request("Invalid object", param=name)
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise bad_request("Invalid array", param=name)
    return value
