"""Stripe's webhook signature, and what an event says has changed.

https://docs.stripe.com/webhooks/signature : the header is `t=<unix>,v1=<hex>[,v1=...]`, v1 the
HMAC-SHA256 of `<t>.<raw body>` under the endpoint's whole `whsec_...` secret. While a secret is
being rolled there are several v1; other schemes (v0) prove nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from tieout.core.errors import AuthError, ConfigError, InvalidRecord
from tieout.rest import json

from ..base import Touched
from .kinds import concerned

TOLERANCE_SECONDS = 300
_LONGEST_HEADER = 8192


def verify(header: str, body: bytes, secrets: Sequence[str], now: float, *, where: str) -> None:
    """AuthError unless one v1 of the header fits one secret and was made within 5 minutes;
    ConfigError without a secret."""
    if not secrets:
        raise ConfigError(
            "a webhook came, but no webhook_secret is configured",
            where=where,
            hint="copy the signing secret from Stripe > Developers > Webhooks",
        )
    times, signatures = _parsed(header)
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or not signatures:
        raise AuthError("the webhook has no usable Stripe-Signature", where=where)
    expected = [
        hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest()
        for secret in secrets
    ]
    # Every pair is compared, so that the time taken tells nothing.
    fits = [
        hmac.compare_digest(mine.encode(), theirs.encode("utf-8", "surrogateescape"))
        for mine in expected
        for theirs in signatures
    ]
    if not any(fits):
        raise AuthError(
            "the webhook's signature does not match",
            where=where,
            hint="compare webhook_secret with Stripe > Developers > Webhooks",
        )
    if len(times[0]) > 12 or abs(now - int(times[0])) > TOLERANCE_SECONDS:
        raise AuthError(
            "the webhook's signature is older or newer than 5 minutes",
            where=where,
            hint="check this machine's clock; Stripe sends the event again",
        )


def read(body: bytes, *, account: str | None, live: bool | None, where: str) -> list[Touched]:
    """The records that a verified event speaks of; [] for what is not ours or not mapped."""
    try:
        event = json.decode(body)
    except ValueError:
        raise InvalidRecord("the webhook's body is not JSON", where=where) from None
    if not isinstance(event, dict) or event.get("object") != "event":
        return []  # a thin event of API v2 holds no object
    if _elsewhere(event, account, live):
        return []
    id, type_, content = event.get("id"), event.get("type"), event.get("data")
    if not isinstance(id, str) or not isinstance(type_, str) or not isinstance(content, dict):
        return []  # genuine, but it points at nothing
    return [
        Touched(id, entity, record) for entity, record in concerned(type_, content.get("object"))
    ]


def _elsewhere(event: Mapping[str, Any], account: str | None, live: bool | None) -> bool:
    """A Connect endpoint hears of all connected accounts, and a live one of test events, too."""
    theirs = event.get("account")
    if theirs is None:
        return False
    return theirs != account or (live is not None and event.get("livemode") is not live)


def header_of(headers: Mapping[str, str]) -> str:
    """The Stripe-Signature header, however it is spelled."""
    for name, value in headers.items():
        if name.lower() == "stripe-signature":
            return value
    return ""


def _parsed(header: str) -> tuple[list[str], list[str]]:
    """All `t` and all `v1` of the header."""
    if len(header) > _LONGEST_HEADER:
        return [], []
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    return times, [value for name, _, value in pairs if name == "v1"]
