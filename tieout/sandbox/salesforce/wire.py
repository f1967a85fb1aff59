"""Requests and answers as values, and numbers as Java prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from .. import wire
from ..wire import decode, encode

__all__ = ["Answer", "Request", "decode", "encode"]

JSON = "application/json;charset=UTF-8"
CSV = "text/csv"


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
class Request(wire.Request):
    """One call as it came in."""

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)


@dataclass(frozen=True)
class Answer(wire.Answer):
    """What goes back; `double` makes numbers that go in as they are."""

    media: str = JSON


def read_request(environ: Mapping[str, Any]) -> Request:
    """The WSGI environment as a Request."""
    return Request(**wire.read_parts(environ))


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
