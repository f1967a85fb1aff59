"""Requests and answers as values, and JSON whose numbers stay exact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

Body = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON; a Decimal becomes a number with exactly its own digits."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Any:
    """JSON read without a float anywhere. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def exact(value: Any) -> Any:
    """A deep copy whose numbers are exact, so that the caller's objects stay the caller's."""
    if isinstance(value, dict):
        return {key: exact(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    return Decimal(repr(value)) if type(value).__name__ == "float" else value


@dataclass(frozen=True)
class Request:
    """One call as it came in. Header names are lower-cased."""

    method: str
    base: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    fails_with: int | None = None  # a fault answers that instead, once all is done

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key.lower() == name.lower()), default)

    def params(self, name: str) -> list[str]:
        return [value for key, value in self.query if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True)
class Answer:
    """What goes back; `content` is JSON-like, or bytes already encoded, or None."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media: str = "application/json;charset=UTF-8"

    def encoded(self) -> bytes:
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else encode(self.content)


def read_request(environ: Mapping[str, Any]) -> Request:
    """The WSGI environment as a Request."""
    told = str(environ.get("CONTENT_LENGTH") or "")
    length = int(told) if told.isascii() and told.isdigit() else 0
    headers = {
        key[5:].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    raw = str(environ.get("REQUEST_URI") or environ.get("PATH_INFO") or "/")
    return Request(
        method=str(environ["REQUEST_METHOD"]).upper(),
        base=f"{environ.get('wsgi.url_scheme', 'http')}://{host}",
        path=unquote(raw.split("?", 1)[0]),
        query=tuple(parse_qsl(str(environ.get("QUERY_STRING") or ""), keep_blank_values=True)),
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
        fails_with=environ.get("sandbox.answers"),
    )
