"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from tieout.core.errors import StopRun

Place = TypeVar("Place")


def written(place: object) -> str:
    """A dataclass of texts and whole numbers, for `Page.resume`."""
    return msgspec.json.encode(place).decode()


def read_back(text: str, type: type[Place], known: Callable[[Place], bool], *, where: str) -> Place:
    """The place that `written` wrote; StopRun for any other text, or one that is not `known`."""
    try:
        found: Place | None = msgspec.json.decode(text, type=type)
    except (msgspec.DecodeError, UnicodeEncodeError):
        found = None
    if found is None or not known(found):
        raise StopRun(
            "the saved position of this pull cannot be read",
            where=where,
            hint="start over with --full",
        )
    return found
