"""OAuth 1.0a signatures with HMAC-SHA256, as NetSuite's Token-Based Authentication uses them.

https://datatracker.ietf.org/doc/html/rfc5849#section-3.4
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1534941088.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

_PAIR = re.compile(r'([A-Za-z_]+)="([^"]*)"')


def escape(text: str) -> str:
    """RFC 3986 percent-encoding: only letters, digits and -._~ stay."""
    return quote(text, safe="-._~")


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """What is signed: method, URL without query, sorted oauth_* and query parameters."""
    parts = urlsplit(url)
    host, scheme = parts.netloc.lower(), parts.scheme.lower()
    default = {"http": ":80", "https": ":443"}.get(scheme, "")
    if default and host.endswith(default):
        host = host.removesuffix(default)
    pairs = sorted((escape(key), escape(value)) for key, value in parameters)
    joined = "&".join(f"{key}={value}" for key, value in pairs)
    return "&".join([method.upper(), escape(f"{scheme}://{host}{parts.path}"), escape(joined)])


def signature(text: str, consumer_secret: str, token_secret: str) -> str:
    """Base64 of the HMAC-SHA256 of `text`."""
    key = f"{escape(consumer_secret)}&{escape(token_secret)}".encode()
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def read_header(header: str) -> dict[str, str]:
    """The values of an `Authorization: OAuth ...` header, decoded."""
    return {key: unquote(value) for key, value in _PAIR.findall(header)}
