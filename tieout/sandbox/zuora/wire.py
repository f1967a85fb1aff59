"""Requests and answers as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from .. import wire
from ..wire import decode, encode

__all__ = ["Answer", "Body", "Request", "decode", "encode", "exact", "read_request"]

Body = dict[str, Any]


def exact(value: Any) -> Any:
    """A deep copy whose numbers are exact, so that the caller's objects stay the caller's."""
    if isinstance(value, dict):
        return {key: exact(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    return Decimal(repr(value)) if type(value).__name__ == "float" else value


@dataclass(frozen=True)
class Request(wire.Request):
    """One call as it came in."""

    fails_with: int | None = None  # a fault answers that instead, once all is done

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key.lower() == name.lower()), default)

    def params(self, name: str) -> list[str]:
        return [value for key, value in self.query if key.lower() == name.lower()]


@dataclass(frozen=True)
class Answer(wire.Answer):
    """What goes back, and its media type."""

    media: str = "application/json;charset=UTF-8"


def read_request(environ: Mapping[str, Any]) -> Request:
    """The WSGI environment as a Request."""
    parts = wire.read_parts(environ)
    parts["path"] = unquote(parts["path"])
    return Request(**parts, fails_with=environ.get("sandbox.answers"))
