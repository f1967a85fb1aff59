"""Requests and answers as values, and JSON whose numbers stay exact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

RESOURCE = "application/vnd.oracle.resource+json"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON; a Decimal becomes a number with exactly its own digits."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Any:
    """JSON read without a float anywhere. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


@dataclass(frozen=True)
class Request:
    """One call as it came in; `url` is the one really called, without its query."""

    method: str
    base: str
    path: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    @property
    def url(self) -> str:
        return self.base + self.raw_path

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key.lower() == name.lower()), default)

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def prefers(self, word: str) -> bool:
        wishes = self.header("prefer").lower().replace(";", ",").split(",")
        return word in {wish.strip() for wish in wishes}


@dataclass(frozen=True)
class Answer:
    """What goes back; `content` is JSON-like, or bytes already encoded, or None."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "singular"

    def encoded(self) -> bytes:
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else encode(self.content)


def read_request(environ: Mapping[str, Any]) -> Request:
    """The WSGI environment as a Request. Header names are lower-cased."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    headers = {
        key[5:].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    base = f"{environ.get('wsgi.url_scheme', 'http')}://{host}"
    query = str(environ.get("QUERY_STRING") or "")
    raw_path = _raw_path(environ, base)
    return Request(
        method=str(environ["REQUEST_METHOD"]).upper(),
        base=base,
        path=unquote(raw_path),
        raw_path=raw_path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )


def _raw_path(environ: Mapping[str, Any], base: str) -> str:
    # A signature covers the path as it was written, so the decoded PATH_INFO is second choice.
    written = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    if written:
        return written.removeprefix(base).split("?", 1)[0]
    decoded = str(environ.get("PATH_INFO") or "/").encode("latin-1")
    return quote(decoded, safe="/:!~*'()$,;=@&+-._")
