"""One call, before it has an address or credentials: a frozen value that is built up in steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tieout.core.errors import ConfigError, StopRun

from . import json as _json

Pairs = tuple[tuple[str, str], ...]
Named = Mapping[str, Any] | Iterable[tuple[str, Any]]

READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Request:
    """What to ask of a provider.

    path        "/v1/invoices", or an absolute URL on the client's own origin.
    params      query parameters: a mapping or pairs; True becomes "true", None is left out, a
                list repeats its name.
    json        anything JSON can say; Decimals are sent as exact numbers.
    form        a mapping, nested as you like: `{"items": [{"price": "p"}]}` is sent as
                `items[0][price]=p`; None is sent as an empty value.
    body        bytes sent as they are (with your own Content-Type header); or a function that
                makes them anew for each attempt, where a signature stands in them.
    idempotent  a repeat has no second effect: a read sent by POST, or a write with a key that
                the provider honours. GET, HEAD and OPTIONS always are.
    reads       changes nothing at the provider; by default what the method says.
    attempts    how often to try at most, where the client's own figure is too patient.
    """

    method: str
    path: str
    params: Named = ()
    json: Any = None
    form: Mapping[str, Any] | None = None
    body: bytes | Callable[[], bytes] | None = None
    headers: Named = ()
    idempotent: bool = False
    reads: bool | None = None
    attempts: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", self.method.upper())
        object.__setattr__(self, "params", as_pairs(self.params))
        object.__setattr__(self, "headers", as_pairs(self.headers))
        if sum(part is not None for part in (self.json, self.form, self.body)) > 1:
            raise ValueError("a request has one body: json, form or body")

    def with_params(self, several: Named = (), /, **named: Any) -> Request:
        """The same request with these parameters set; None takes one away."""
        return replace(self, params=_merged(as_pairs(self.params), several, named))

    def with_headers(self, several: Named = (), /, **named: Any) -> Request:
        """The same request with these headers set (case does not matter; `_` stands for `-`)."""
        spelled = {name.replace("_", "-"): value for name, value in named.items()}
        return replace(self, headers=_merged(as_pairs(self.headers), several, spelled, fold=True))

    @property
    def is_read(self) -> bool:
        """Whether the provider is left as it was."""
        return self.method in READS if self.reads is None else self.reads

    @property
    def may_repeat(self) -> bool:
        """Whether sending it twice does no more than sending it once."""
        return self.idempotent or self.is_read

    def content(self) -> tuple[bytes | None, str | None]:
        """The body's bytes and their Content-Type."""
        if self.json is not None:
            return _json.encode(self.json), "application/json"
        if self.form is not None:
            return urlencode(brackets(self.form)).encode(), "application/x-www-form-urlencoded"
        return (self.body() if callable(self.body) else self.body), None


def as_pairs(named: Named) -> Pairs:
    """Parameters in the order given, as text."""
    items = named.items() if isinstance(named, Mapping) else named
    found: list[tuple[str, str]] = []
    for name, value in items:
        if isinstance(value, list | tuple):
            found += [(name, as_text(item)) for item in value]
        elif value is not None:
            found.append((name, as_text(value)))
    return tuple(found)


def as_text(value: object) -> str:
    """A value as providers want it in a query or form: true, 12, 1.50."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        raise TypeError("a float is not exact: send an int, a Decimal or text")
    return str(value)


def brackets(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A nested form as flat pairs: `{"a": {"b": [1]}}` is `a[b][0]=1`; None and [] are empty."""
    found: list[tuple[str, str]] = []
    for name, value in form.items():
        _flatten(name, value, found)
    return found


def _flatten(name: str, value: object, found: list[tuple[str, str]]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _flatten(f"{name}[{key}]", inner, found)
    elif isinstance(value, list | tuple) and value:
        for position, inner in enumerate(value):
            _flatten(f"{name}[{position}]", inner, found)
    else:
        found.append((name, "" if value is None or value in ([], ()) else as_text(value)))


def _merged(old: Pairs, several: Named, named: Mapping[str, Any], fold: bool = False) -> Pairs:
    items = [*(several.items() if isinstance(several, Mapping) else several), *named.items()]
    spell = str.lower if fold else str
    gone = {spell(name) for name, _ in items}
    return (*((name, value) for name, value in old if spell(name) not in gone), *as_pairs(items))


def segment(id: object) -> str:
    """An id as one path segment: nothing in it can reach another path."""
    text = str(id)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} is no id")
    return quote(text, safe="")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what credentials are bound to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or {"https": 443}.get(scheme, 80)


def checked_base(base_url: str, *, where: str = "") -> str:
    """A base URL that may be given credentials; ConfigError otherwise.

    https, or http on this machine only (a sandbox): anything else would show the key to the
    network. No user name, query or fragment.
    """
    hint = "write it like https://api.example.com"
    try:
        parts = urlsplit(base_url.strip())
        scheme, host, _ = origin(base_url.strip())
    except ValueError:
        raise ConfigError(f"base_url {base_url!r} is not a URL", where=where, hint=hint) from None
    if scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigError(f"base_url {base_url!r} is not a URL", where=where, hint=hint)
    if parts.username or parts.password:
        raise ConfigError("base_url must not hold a user name", where=where, hint=hint)
    if scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(
            f"base_url {base_url!r} would send the credentials unencrypted",
            where=where,
            hint="use https:// (http:// is for a sandbox on this machine)",
        )
    return base_url.strip().rstrip("/")


def address(base_url: str, request: Request) -> str:
    """The full URL of a request; StopRun if it would leave the base URL's origin."""
    path = request.path
    if "://" in path or path.startswith("//") or "\\" in path:
        try:
            same = origin(path) == origin(base_url) and "@" not in urlsplit(path).netloc
        except ValueError:
            same = False
        if not same:
            raise StopRun(
                "the provider pointed to another host; the credentials stay here",
                hint=f"every address must begin with {base_url}",
            )
        url = path
    else:
        url = base_url + (path if path.startswith("/") else f"/{path}")
    if request.params:
        query = urlencode(as_pairs(request.params), quote_via=quote, safe="")
        url += ("&" if "?" in url else "?") + query
    return url
