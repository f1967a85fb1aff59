"""Requests and answers as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .. import wire
from ..wire import decode, encode

__all__ = ["RESOURCE", "Answer", "Request", "decode", "encode", "read_request"]

RESOURCE = "application/vnd.oracle.resource+json"


@dataclass(frozen=True)
class Request(wire.Request):
    """One call as it came in; `url` is the one really called, without its query."""

    raw_path: str = ""  # as it was written, which a signature covers

    @property
    def url(self) -> str:
        return self.base + self.raw_path

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key.lower() == name.lower()), default)

    def prefers(self, word: str) -> bool:
        wishes = self.header("prefer").lower().replace(";", ",").split(",")
        return word in {wish.strip() for wish in wishes}


@dataclass(frozen=True)
class Answer(wire.Answer):
    """What goes back, and what kind of content it is."""

    kind: str = "singular"


def read_request(environ: Mapping[str, Any]) -> Request:
    """The WSGI environment as a Request."""
    parts = wire.read_parts(environ)
    written = parts["path"]
    return Request(**{**parts, "path": unquote(written), "raw_path": written})
