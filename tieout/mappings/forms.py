"""Named pure functions for what no path can express, and the context that a mapping runs in.

`prepare: stripe.invoice` in a mapping names a function that turns the provider's record into
the form which the rules read; `finish: stripe.invoice_body` one that completes a rendered body.
They live in `<type>_forms.py` beside the mapping; a third-party connector registers its own
before its mapping is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any


@dataclass(frozen=True)
class Context:
    """What one configured system adds to a mapping.

    system     the name in config.yaml.
    zone       the account's time zone.
    currency   upper-case ISO code for records that name none, or None.
    lookups    tables by name, such as {"currency": {"1": "USD"}}.
    options    the mapping's own options, with their defaults filled in.
    """

    system: str
    zone: tzinfo = UTC
    currency: str | None = None
    lookups: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


Prepare = Callable[[dict[str, Any], Context], dict[str, Any]]
# (rendered body, the canonical fields it came from, context, creating) -> body
Finish = Callable[[dict[str, Any], Mapping[str, Any], Context, bool], dict[str, Any]]

PREPARE: dict[str, Prepare] = {}
FINISH: dict[str, Finish] = {}


def prepares(name: str) -> Callable[[Prepare], Prepare]:
    """Register a function under the name that `prepare:` uses. It must not change its input."""

    def register(function: Prepare) -> Prepare:
        PREPARE[name] = function
        return function

    return register


def finishes(name: str) -> Callable[[Finish], Finish]:
    """Register a function under the name that `finish:` uses."""

    def register(function: Finish) -> Finish:
        FINISH[name] = function
        return function

    return register
