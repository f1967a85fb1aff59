"""Oracle's functions on text that SQLite lacks or means otherwise.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156257805177.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .oracle import BadValue, must_number, user_text

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "n": re.DOTALL, "x": re.VERBOSE, "c": 0}
_CLASSES = {
    "[:digit:]": r"\d",
    "[:alpha:]": "A-Za-z",
    "[:alnum:]": "A-Za-z0-9",
    "[:space:]": r"\s",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:punct:]": r"!-/:-@\[-`{-~",
}


def _whole(value: Any) -> int:
    return int(must_number(value))


def _text_or_none(text: str) -> str | None:
    # Oracle's empty text is null.
    return text or None


def upper(value: Any) -> str | None:
    return None if value is None else user_text(value).upper()


def lower(value: Any) -> str | None:
    return None if value is None else user_text(value).lower()


def initcap(value: Any) -> str | None:
    if value is None:
        return None
    return re.sub(r"[^\W_]+", lambda word: word.group().capitalize(), user_text(value))


def padded_left(value: Any, width: Any, fill: Any = " ") -> str | None:
    return _padded(value, width, fill, left=True)


def padded_right(value: Any, width: Any, fill: Any = " ") -> str | None:
    return _padded(value, width, fill, left=False)


def _padded(value: Any, width: Any, fill: Any, *, left: bool) -> str | None:
    if value is None or width is None or not fill:
        return None
    text, wanted = user_text(value), min(max(_whole(width), 0), 4000)
    missing = wanted - len(text)
    if missing <= 0:
        return _text_or_none(text[:wanted])
    pad = (str(fill) * missing)[:missing]
    return pad + text if left else text + pad


def position(value: Any, part: Any, start: Any = 1, nth: Any = 1) -> int | None:
    """INSTR: the nth place of `part` from `start`, counted from 1; 0 if there is none."""
    if value is None or part is None or start is None or nth is None:
        return None
    text, wanted, first = user_text(value), str(part), _whole(start)
    if not first:
        return 0
    places = [at + 1 for at in range(len(text)) if text.startswith(wanted, at)]
    if first > 0:
        found = [at for at in places if at >= first]
    else:
        found = [at for at in reversed(places) if at <= len(text) + first + 1]
    number = _whole(nth)
    return found[number - 1] if 0 < number <= len(found) else 0


def part_of(value: Any, start: Any, length: Any = 4000) -> str | None:
    """SUBSTR: from 1 (0 means the same), from the end where negative."""
    if value is None or start is None or length is None:
        return None
    text, first, count = user_text(value), _whole(start), _whole(length)
    at = first - 1 if first > 0 else first + len(text) if first else 0
    return _text_or_none(text[at : at + count]) if at >= 0 and count > 0 else None


def matches(value: Any, pattern: Any, flags: Any = "") -> int | None:
    if value is None or pattern is None:
        return None
    return int(_compiled(pattern, flags).search(user_text(value)) is not None)


def replaced(
    value: Any, pattern: Any, by: Any = "", start: Any = 1, nth: Any = 0, flags: Any = ""
) -> str | None:
    """REGEXP_REPLACE: all matches, or the nth one."""
    if value is None or pattern is None:
        return None
    text, at, number = user_text(value), max(_whole(start) - 1, 0), _whole(nth)
    pieces, end = [text[:at]], at
    for count, match in enumerate(_compiled(pattern, flags).finditer(text, at), 1):
        if number in (0, count):
            pieces += [text[end : match.start()], _filled(str(by or ""), match)]
            end = match.end()
    return _text_or_none("".join([*pieces, text[end:]]))


def _filled(text: str, match: re.Match[str]) -> str:
    r"""`\1` to `\9` as the groups of a match; a group that is not there is empty."""

    def group(reference: re.Match[str]) -> str:
        number = int(reference[1])
        return (match.group(number) or "") if number <= match.re.groups else ""

    return re.sub(r"\\(\d)", group, text)


def found_part(
    value: Any, pattern: Any, start: Any = 1, nth: Any = 1, flags: Any = "", group: Any = 0
) -> str | None:
    """REGEXP_SUBSTR: the nth match, or one group of it."""
    if value is None or pattern is None:
        return None
    matched = _compiled(pattern, flags).finditer(user_text(value), max(_whole(start) - 1, 0))
    match = _nth(matched, _whole(nth))
    number = _whole(group)
    if match is None or number > match.re.groups:
        return None
    return _text_or_none(match.group(number) or "")


def _nth(found: Iterator[re.Match[str]], number: int) -> re.Match[str] | None:
    return next((each for count, each in enumerate(found, 1) if count == number), None)


def _compiled(pattern: Any, flags: Any) -> re.Pattern[str]:
    text = str(pattern)
    for name, meant in _CLASSES.items():
        text = text.replace(name, meant)
    told = 0
    for sign in str(flags or ""):
        told |= _FLAGS.get(sign, 0)
    try:
        return re.compile(text, told)
    except re.error:
        raise BadValue(f"'{pattern}' is not a regular expression") from None


# name -> (number of arguments, -1 for any; function)
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "ora_upper": (1, upper),
    "ora_lower": (1, lower),
    "ora_initcap": (1, initcap),
    "ora_lpad": (-1, padded_left),
    "ora_rpad": (-1, padded_right),
    "ora_instr": (-1, position),
    "ora_substr": (-1, part_of),
    "ora_regexp_like": (-1, matches),
    "ora_regexp_replace": (-1, replaced),
    "ora_regexp_substr": (-1, found_part),
}
