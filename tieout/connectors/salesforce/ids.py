"""Record ids: 15 case-sensitive characters, or 18 of which the last three spell their case."""

from __future__ import annotations

import re

_SHORT = re.compile(r"[A-Za-z0-9]{15}\Z")
_LONG = re.compile(r"[A-Za-z0-9]{18}\Z")
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(id: str) -> str:
    """The 18 characters of an id of 15; anything else as it is."""
    if not _SHORT.match(id):
        return id
    return id + "".join(_SIGNS[_capitals(id[start : start + 5])] for start in (0, 5, 10))


def is_id(text: str) -> bool:
    """Whether the text can stand in a query as an id."""
    return bool(_SHORT.match(text) or _LONG.match(text))


def _capitals(five: str) -> int:
    return sum(1 << place for place, sign in enumerate(five) if "A" <= sign <= "Z")
