"""Record ids: 15 case-sensitive characters, and the 18 that survive a case-blind system.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
"""

from __future__ import annotations

import re
import string

_CHECK = string.ascii_uppercase + "012345"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?")


def to_18(id: str) -> str:
    """The 18 characters of an id. Raises ValueError for what isn't one."""
    if not _SHAPE.fullmatch(id):
        raise ValueError(f"{id!r} is no record id")
    return id[:15] + checksum(id[:15])


def checksum(short: str) -> str:
    """Three characters; each tells which of five characters are capitals."""
    out = ""
    for start in (0, 5, 10):
        block = short[start : start + 5]
        out += _CHECK[sum(1 << place for place, char in enumerate(block) if "A" <= char <= "Z")]
    return out


class IdMaker:
    """Counts up, one sequence a key prefix, as an org does."""

    def __init__(self, pod: str = "dM", first: int = 200_000_000) -> None:
        self._pod, self._first = pod, first
        self._next: dict[str, int] = {}

    def make(self, prefix: str) -> str:
        number = self._next.get(prefix, self._first)
        self._next[prefix] = number + 1
        digits = ""
        while number:
            number, rest = divmod(number, 62)
            digits = _DIGITS[rest] + digits
        short = f"{prefix}{self._pod}0{digits:0>9}"
        return short + checksum(short)
