"""The network: one HTTP exchange at a time over `requests`, with limits on time and size.

This is the only module that imports requests. It follows no redirect, keeps no cookie, reads
no .netrc, and says of every failure whether the request can have reached the provider.
"""

from __future__ import annotations

import re
import zlib
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tieout.core.errors import StopRun
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, NotSent, Send

from .request import origin

LARGEST_ANSWER = 64 * 1024 * 1024
_CHUNK = 256 * 1024
# TLS failures that happen before the first byte of the request is sent.
_HANDSHAKE = re.compile(
    r"CERTIFICATE|HANDSHAKE|WRONG_VERSION|HOSTNAME|UNKNOWN_PROTOCOL|UNSUPPORTED|doesn't match",
    re.I,
)


def requests_send(*, connections: int = 16, largest_answer: int = LARGEST_ANSWER) -> Send:
    """A `Send` over one pooled session; safe to share between threads.

    largest_answer: bytes after decompression; a bigger answer is a StopRun.
    """
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(_NoCookies())
    surroundings: dict[tuple[str, str, int], Any] = {}

    def send(request: HttpRequest) -> HttpAnswer:
        place = origin(request.url)
        if place not in surroundings:  # proxies and CA bundle of this machine, read once
            surroundings[place] = session.merge_environment_settings(
                request.url, {}, True, None, None
            )
        prepared = _prepared(request)
        try:
            answer = session.send(
                prepared,
                timeout=request.timeout,
                allow_redirects=False,
                **surroundings[place],
            )
        except requests.RequestException as error:
            raise _sorted_failure(error, request.url) from None
        with answer:
            if not answer.headers:  # cut off in its first line, which http.client lets pass
                raise AnswerLost(f"{_host(request.url)} broke off in the middle of its answer")
            return HttpAnswer(
                answer.status_code,
                {name.lower(): value for name, value in answer.headers.items()},
                _whole_body(answer, request.url, largest_answer),
            )

    return send


def _prepared(request: HttpRequest) -> requests.PreparedRequest:
    headers = {
        "User-Agent": "tieout",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        **request.headers,
    }
    try:
        # `auth` that does nothing keeps requests from looking into .netrc.
        prepared = requests.Request(
            request.method, request.url, headers, data=request.body, auth=_as_it_is
        ).prepare()
    except (requests.RequestException, ValueError) as error:
        raise NotSent(f"this is no address to call: {type(error).__name__}") from None
    return prepared


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _whole_body(answer: requests.Response, url: str, largest: int) -> bytes:
    """Reads to the end, unpacked in small steps so that a bomb is noticed while it unfolds."""
    parts, size = [], 0
    try:
        for chunk in answer.raw.stream(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > largest:
                answer.raw.close()
                raise StopRun(
                    f"{_host(url)} sent an answer of more than {largest // 1024 // 1024} MiB",
                    hint="read smaller pages, or check that base_url is the API's",
                )
            parts.append(chunk)
    except (urllib3.exceptions.HTTPError, zlib.error, OSError) as error:
        raise AnswerLost(
            f"{_host(url)} broke off in the middle of its answer ({type(error).__name__})"
        ) from None
    return b"".join(parts)


def _sorted_failure(error: requests.RequestException, url: str) -> NotSent | AnswerLost:
    host, reason = _host(url), _root(error)
    text = str(reason)
    if isinstance(error, requests.ConnectTimeout):
        return NotSent(f"{host} did not take the connection in time")
    if isinstance(error, requests.exceptions.ProxyError):
        return NotSent(f"the proxy in front of {host} refused the connection")
    if isinstance(error, requests.exceptions.SSLError):
        if _HANDSHAKE.search(text):
            return NotSent(f"the TLS connection to {host} could not be made: {_tls(text)}")
        return AnswerLost(f"the TLS connection to {host} broke")
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return NotSent(f"the host name {host} is not known (DNS)")
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return NotSent(f"{host} refused the connection or cannot be reached")
    if isinstance(error, requests.ReadTimeout):
        return AnswerLost(f"{host} did not answer in time")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return NotSent(f"{host or url!r} is no address to call")
    return AnswerLost(f"{host} closed the connection without an answer")


def _root(error: BaseException) -> BaseException:
    """The innermost reason that requests and urllib3 have wrapped."""
    for _ in range(6):
        inner = getattr(error, "reason", None) or next(
            (arg for arg in error.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            return error
        if isinstance(inner, urllib3.exceptions.NewConnectionError):
            return inner
        error = inner
    return error


def _tls(text: str) -> str:
    """The few words of OpenSSL that say what is wrong, without its source positions."""
    found = re.search(r"\]\s*([^()]+?)\s*(?:\(|$)", text)
    return found.group(1)[:120] if found else "the certificate or protocol was refused"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


class _NoCookies(DefaultCookiePolicy):
    """A session is shared by threads and must not carry a provider's state between calls."""

    def __init__(self) -> None:
        super().__init__(allowed_domains=[])
