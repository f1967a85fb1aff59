"""Requests and answers as values, and JSON whose numbers stay exact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

JSON = "application/json;charset=UTF-8"
CSV = "text/csv"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON; numbers that are already text (`double`) go in as they are."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Any:
    """JSON read without a float anywhere. Raises ValueError."""
    return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def double_text(value: Decimal) -> str:
    """A number as Java prints a double: `60000.0`, `0.25`, from ten million on `1.39E8`."""
    if not value:
        return "0.0"
    sign, digits, exponent = value.normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) + int(exponent) - 1
    if -4 < power < 7:
        shown = format(value.normalize().copy_abs(), "f")
        shown = shown if "." in shown else f"{shown}.0"
    else:
        shown = f"{text[0]}.{text[1:] or '0'}E{power}"
    return f"-{shown}" if sign else shown


def double(value: Decimal) -> Any:
    """The same, to be put into JSON."""
    return msgspec.Raw(double_text(value).encode())


@dataclass(frozen=True)
class Request:
    """One call as it came in; header names are lower-cased."""

    method: str
    base: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True)
class Answer:
    """What goes back; `content` is JSON-like, or bytes already encoded, or None."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media: str = JSON

    def encoded(self) -> bytes:
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else encode(self.content)


def read_request(environ: Mapping[str, Any]) -> Request:
    """The WSGI environment as a Request. The path stays as it was written (escaped)."""
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
    return Request(
        method=str(environ["REQUEST_METHOD"]).upper(),
        base=base,
        path=_written_path(environ, base),
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )


def within(request: Request, method: str, url: str, body: Any) -> Request:
    """A sub-request of a composite call: same caller, its own method, address and body."""
    path, _, query = url.partition("?")
    return Request(
        method=method.upper(),
        base=request.base,
        path=path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers={**request.headers, "content-type": "application/json"},
        body=b"" if body is None else encode(body),
    )


def path_parts(path: str) -> list[str]:
    """The segments, unescaped only after they were split: an external id may hold a slash."""
    return [unquote(part) for part in path.split("/") if part]


def _written_path(environ: Mapping[str, Any], base: str) -> str:
    written = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    if written:
        return written.removeprefix(base).split("?", 1)[0]
    decoded = str(environ.get("PATH_INFO") or "/").encode("latin-1")
    return quote(decoded, safe="/:!~*'()$,;=@&+-._")
