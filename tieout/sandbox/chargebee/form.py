"""Decodes what Chargebee's clients send: form fields, with a list's index after the name.

`subscription_items[item_price_id][0]=p&coupon_ids[1]=c&billing_address[city]=Walnut` becomes
nested dicts and lists of strings. https://apidocs.chargebee.com/docs/api
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import ApiError, wrong_value

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")
_MOST_FIELDS = 20_000
_LARGEST_INDEX = 5_000


def decode(text: str) -> dict[str, Any]:
    """The nested parameters of a query string or form body. Raises ApiError (400)."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except (ValueError, UnicodeDecodeError):
        raise ApiError(400, "invalid_request", "The parameters cannot be read.") from None
    root: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.match(key)
        if match is None:
            raise wrong_value(key, "is not a parameter name")
        _place(root, [match[1], *_PART.findall(match[2])], value, key)
    return root


def _place(root: dict[str, Any], parts: list[str], value: str, key: str) -> None:
    spot = root
    if len(parts) > 1 and parts[-1].isdigit():
        _place_in_list(root, parts, value, key)
        return
    for part in parts[:-1]:
        deeper = spot.setdefault(part, {})
        if not isinstance(deeper, dict):
            raise wrong_value(key, "is both a value and a list")
        spot = deeper
    spot[parts[-1]] = value


def _place_in_list(root: dict[str, Any], parts: list[str], value: str, key: str) -> None:
    """`name[field][index]` is a field of the list's element, `name[index]` the element itself."""
    index = int(parts[-1])
    if index > _LARGEST_INDEX:
        raise wrong_value(key, "has too large an index")
    rows = root.setdefault(parts[0], Rows())
    if not isinstance(rows, Rows):
        raise wrong_value(key, "is both a value and a list")
    if len(parts) == 2:
        rows[index] = value
        return
    row = rows.setdefault(index, {})
    if not isinstance(row, dict):
        raise wrong_value(key, "is both a value and a list")
    _place(row, parts[1:-1], value, key)


class Rows(dict[int, Any]):
    """The elements of a list by their index, which may have gaps."""
