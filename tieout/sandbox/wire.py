"""What the stand-ins' HTTP has in common: JSON whose numbers stay exact, requests as they came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON; a Decimal becomes a number with exactly its own digits, `msgspec.Raw` goes in as is."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Any:
    """JSON read without a float anywhere. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


@dataclass(frozen=True)
class Request:
    """One call as it came in: `path` as it was written (escaped), header names lower-cased."""

    method: str
    base: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True)
class Answer:
    """What goes back; `content` is JSON-like, or bytes already encoded, or None."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else encode(self.content)


def read_parts(environ: Mapping[str, Any]) -> dict[str, Any]:
    """The WSGI environment as the fields of a Request."""
    told = str(environ.get("CONTENT_LENGTH") or "")
    length = int(told) if told.isascii() and told.isdigit() else 0
    headers = {
        key[5:].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    base = f"{environ.get('wsgi.url_scheme', 'http')}://{host}"
    query = str(environ.get("QUERY_STRING") or "")
    return {
        "method": str(environ["REQUEST_METHOD"]).upper(),
        "base": base,
        "path": _written_path(environ, base),
        "query": tuple(parse_qsl(query, keep_blank_values=True)),
        "headers": headers,
        "body": environ["wsgi.input"].read(length) if length else b"",
    }


def _written_path(environ: Mapping[str, Any], base: str) -> str:
    # A signature covers the path as it was written, so the decoded PATH_INFO is second choice.
    written = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    if written:
        return written.removeprefix(base).split("?", 1)[0]
    decoded = str(environ.get("PATH_INFO") or "/").encode("latin-1")
    return quote(decoded, safe="/:!~*'()$,;=@&+-._")
