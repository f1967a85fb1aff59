"""Decodes what Stripe's clients send: form fields with brackets, in the body or the query.

`items[0][price]=p&metadata[k]=v&expand[]=data.customer` becomes nested dicts and lists of
strings. https://docs.stripe.com/api says requests are form-encoded; brackets are the convention
its official libraries use.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import bad_request

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")
_MOST_FIELDS = 5_000


def decode(text: str) -> dict[str, Any]:
    """The nested parameters of a query string or form body. Raises ApiError (400)."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except (ValueError, UnicodeDecodeError):
        raise bad_request("The request's parameters could not be decoded as UTF-8.") from None
    root: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.match(key)
        if match is None:
            raise bad_request(f"Invalid parameter name: {key}", param=key)
        _place(root, [match[1], *_PART.findall(match[2])], value, key)
    return {name: _lists(value) for name, value in root.items()}


def _place(root: dict[str, Any], parts: list[str], value: str, key: str) -> None:
    spot = root
    for part in parts[:-1]:
        part = _next_index(spot, parts) if part == "" else part
        deeper = spot.setdefault(part, {})
        if not isinstance(deeper, dict):
            raise bad_request(f"Invalid parameter: {key} is both a value and a hash", param=key)
        spot = deeper
    last = parts[-1] or str(len(spot))
    spot[last] = value


def _next_index(spot: dict[str, Any], parts: list[str]) -> str:
    """`a[][x]=1&a[][y]=2` fills one element until a name comes again."""
    if not spot:
        return "0"
    newest = str(len(spot) - 1)
    taken = spot.get(newest)
    return str(len(spot)) if not isinstance(taken, dict) or parts[-1] in taken else newest


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(item) for name, item in value.items()}
