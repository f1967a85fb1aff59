"""Chargebee's webhooks: basic authentication is all there is, so only ids are taken from them.

https://apidocs.chargebee.com/docs/api/webhooks : there is no signature. The body is the event;
what it names is read again.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from tieout.core.errors import AuthError, ConfigError, InvalidRecord
from tieout.rest import json

from ..base import Touched
from .kinds import concerned, freed

_LONGEST_HEADER = 4096


def verify(headers: Mapping[str, str], user: str, password: str, *, where: str) -> None:
    """AuthError unless the request carries the configured user name and password.

    ConfigError where none are configured: that is not the sender's fault.
    """
    if not user or not password:
        raise ConfigError(
            "a webhook came, but no webhook_user and webhook_password are configured",
            where=where,
            hint="set them in config.yaml and in Chargebee > Settings > Webhooks",
        )
    given = _credentials(headers)
    wanted = f"{user}:{password}".encode()
    if given is None or not hmac.compare_digest(given, wanted):
        raise AuthError(
            "the webhook's user name or password does not match",
            where=where,
            hint="compare webhook_user and webhook_password with Chargebee > Settings > Webhooks",
        )


def read(body: bytes, *, where: str) -> list[Touched]:
    """The records that a verified event speaks of; [] for what is not ours or not mapped."""
    try:
        event = json.decode(body)
    except ValueError:
        raise InvalidRecord("the webhook's body is not JSON", where=where) from None
    if not isinstance(event, dict) or not isinstance(event.get("id"), str):
        return []
    version = event.get("api_version")
    if version not in (None, "v2"):
        raise InvalidRecord(
            f"the webhook speaks API {str(version)[:10]}, not v2",
            where=where,
            hint="set its API version to V2 in Chargebee > Settings > Webhooks",
        )
    content, gone = event.get("content"), str(event.get("event_type", "")).endswith("_deleted")
    named = [
        (entity, each)
        for entity, id in concerned(content)
        for each in (id, freed(id) if gone else None)
        if each
    ]
    return [Touched(event["id"], entity, id) for entity, id in named]


def _credentials(headers: Mapping[str, str]) -> bytes | None:
    """`user:password` of a basic Authorization header, however it is spelled."""
    value = next((v for name, v in headers.items() if name.lower() == "authorization"), "")
    scheme, _, packed = value.strip().partition(" ")
    if scheme.lower() != "basic" or len(value) > _LONGEST_HEADER:
        return None
    try:
        return base64.b64decode(packed.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
