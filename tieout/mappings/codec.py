"""What a codec is: one kind of provider value, read into the canonical form and written back.

Law: `parse(render(x)) == x` for every canonical x that the provider can hold, and
`render(parse(y))` means what y meant. Codecs see neither null nor absent values; the mapper
settles those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tieout.core.errors import InvalidRecord

from .forms import Context
from .shown import shown

Options = Mapping[str, Any]
Check = Callable[[Any], str]  # what is wrong with an option's value; "" if nothing
Checks = Mapping[str, Check]


class Partly:
    """A value of which a part was not understood and is kept as received.

    left     what goes to `custom`, by suffix: {"country": "Narnia"} becomes
             `custom.<field>_country`, the empty suffix `custom.<field>`.
    """

    __slots__ = ("left", "value")

    def __init__(self, value: Any, left: Mapping[str, Any]) -> None:
        self.value = value
        self.left = left


class Codec:
    """Base of all codecs. `gives` is the canonical type, `options` what YAML may set."""

    name: ClassVar[str]
    gives: ClassVar[type]
    options: ClassVar[Checks] = {}
    needs: ClassVar[tuple[str, ...]] = ()  # options that must be given

    def __init__(self, options: Options, context: Context) -> None:
        self.given = options
        self.context = context

    def parse(self, value: Any, currency: str | None) -> Any:
        """The canonical value of what the provider sent. Raises InvalidRecord."""
        raise NotImplementedError

    def render(self, value: Any, currency: str | None) -> Any:
        """What the provider is sent for a canonical value. Raises InvalidRecord."""
        raise NotImplementedError


CODECS: dict[str, type[Codec]] = {}


def register(codec: type[Codec]) -> type[Codec]:
    """Make a codec known under its name. Third parties may add theirs before loading."""
    CODECS[codec.name] = codec
    return codec


def lookup_table(context: Context, name: Any) -> dict[str, str]:
    """A lookup as {their value: ours}; rows such as {"id": "1", "symbol": "USD"} are one, too."""
    rows = context.lookups.get(str(name)) or {}
    if isinstance(rows, Mapping):
        return {str(theirs): str(ours) for theirs, ours in rows.items()}
    found = {}
    for row in rows:
        words = {str(key).lower(): value for key, value in row.items()}
        ours = next(
            (words[key] for key in ("symbol", "isocode", "code", "name") if key in words), None
        )
        theirs = words.get("id", words.get("internalid"))
        if ours is not None and theirs is not None:
            found[str(theirs)] = str(ours)
    return found


def wrong_type(value: Any, wanted: str) -> InvalidRecord:
    """The complaint about a value of another kind than documented."""
    return InvalidRecord(f"{shown(value)} is not {wanted}")


def one_of(*words: str) -> Check:
    """An option that takes one of some words."""
    known = ", ".join(words)
    return lambda value: "" if value in words else f"{value!r} is not one of {known}"


def is_flag(value: Any) -> str:
    return "" if isinstance(value, bool) else f"{value!r} is not true or false"


def is_count(value: Any) -> str:
    fine = isinstance(value, int) and not isinstance(value, bool)
    return "" if fine else f"{value!r} is not a whole number"


def is_text(value: Any) -> str:
    return "" if isinstance(value, str) and value else f"{value!r} is not text"


def is_texts(value: Any) -> str:
    rows = value if isinstance(value, list) else [value]
    fine = bool(rows) and all(isinstance(row, str) and row for row in rows)
    return "" if fine else f"{value!r} is not text or a list of texts"


def texts(value: Any) -> tuple[str, ...]:
    """An option that may be one text or several, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value or ())
