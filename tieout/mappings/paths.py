"""Paths such as `parent.details.id` or `taxes.*.amount`: reading from and writing into records.

A step is a key of an object, a position in a list (`0`) or `*` for every element of a list. A
dot that belongs to a key is written `\\.`. A path that leads nowhere reads as None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tieout.core.errors import InvalidRecord

Step = str | int
Get = Callable[[dict[str, Any]], Any]

_SPLIT = re.compile(r"(?<!\\)\.")
_POSITION = re.compile(r"[0-9]{1,4}\Z")
EVERY = "*"


def steps_of(text: str) -> tuple[Step, ...]:
    """`lines.data.0.id` -> ("lines", "data", 0, "id"); ValueError where a step is empty."""
    parts = [part.replace("\\.", ".") for part in _SPLIT.split(text)]
    if any(not part or part != part.strip() for part in parts):
        raise ValueError(f"{text!r} is not a path: a step is empty or has spaces around it")
    first, *rest = parts
    return (first, *(int(part) if _POSITION.match(part) else part for part in rest))


def getter(text: str) -> Get:
    """A function that reads the path from a record; None where it leads nowhere."""
    steps = steps_of(text)
    if EVERY in steps:
        raise ValueError(f"{text!r}: '*' only works in sum_of")
    if len(steps) == 1:
        return _one_key(str(steps[0]))
    if len(steps) == 2 and isinstance(steps[1], str):
        return _two_keys(str(steps[0]), steps[1])
    return _many(steps)


def _one_key(key: str) -> Get:
    def get(record: dict[str, Any]) -> Any:
        return record.get(key)

    return get


def _two_keys(outer: str, inner: str) -> Get:
    def get(record: dict[str, Any]) -> Any:
        holder = record.get(outer)
        return holder.get(inner) if type(holder) is dict else None

    return get


def _many(steps: tuple[Step, ...]) -> Get:
    def get(record: dict[str, Any]) -> Any:
        value: Any = record
        for step in steps:
            if type(step) is str and type(value) is dict:
                value = value.get(step)
            elif type(step) is int and type(value) is list and step < len(value):
                value = value[step]
            else:
                return None
        return value

    return get


def first_getter(texts: tuple[str, ...]) -> Get:
    """The first of several paths whose value is neither null nor empty text."""
    getters = tuple(getter(text) for text in texts)
    if len(getters) == 1:
        return getters[0]

    def get(record: dict[str, Any]) -> Any:
        for each in getters:
            value = each(record)
            if value is not None and value != "":
                return value
        return None

    return get


def gather(steps: tuple[Step, ...], value: Any) -> list[Any]:
    """Every value that a path with `*` leads to, nulls left out."""
    for position, step in enumerate(steps):
        if step == EVERY:
            rows = value if isinstance(value, list) else []
            rest = steps[position + 1 :]
            return [found for row in rows for found in gather(rest, row)]
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return []
    return [] if value is None else [value]


def put(body: dict[str, Any], steps: tuple[Step, ...], value: Any) -> None:
    """Set a value in a body, making the objects and lists on the way."""
    holder: Any = body
    for step, following in pairwise(steps):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            _reserve(holder, step)
            if holder[step] is None:
                holder[step] = fresh
            holder = holder[step]
        else:
            holder = holder.setdefault(step, fresh)
        if type(holder) is not type(fresh):
            raise InvalidRecord(f"two rules write to {step!r} in different shapes")
    last = steps[-1]
    if isinstance(last, int):
        _reserve(holder, last)
    holder[last] = value


def _reserve(rows: list[Any], position: int) -> None:
    rows.extend([None] * (position + 1 - len(rows)))
