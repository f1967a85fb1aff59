"""Which parameters an endpoint takes, in one line of text each.

A specification is a list of words: `name`, `name:type`; `!` after the name: required; `?`: an
empty string unsets it. `{...}` stands for a group of fields, `[...]` for a list of groups; what
other types there are, each provider says (without one: `s`, text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_WORD = re.compile(r"\s*([a-z_0-9]+)([!?]?)(?::([{\[]|[^\s}\]]+))?")


@dataclass(frozen=True)
class Field:
    """One parameter. `inner` are the fields of a group, or of each group in a list."""

    type: str
    required: bool = False
    unsettable: bool = False
    inner: tuple[tuple[str, Field], ...] = ()


@cache
def compile_spec(text: str) -> dict[str, Field]:
    """The fields that a specification names."""
    fields, end = _fields(text, 0)
    if text[end:].strip():
        raise ValueError(f"cannot read the parameter list at {text[end:]!r}")
    return dict(fields)


def _fields(text: str, at: int) -> tuple[tuple[tuple[str, Field], ...], int]:
    found: list[tuple[str, Field]] = []
    inner: tuple[tuple[str, Field], ...]
    while match := _WORD.match(text, at):
        name, flag, type_ = match[1], match[2], match[3] or "s"
        at = match.end()
        inner = ()
        if type_ in "{[":
            inner, at = _fields(text, at)
            at = text.index("}" if type_ == "{" else "]", at) + 1
        found.append((name, Field(type_, flag == "!", flag == "?", inner)))
    return tuple(found), at
