"""Callouts: what an administrator of the tenant has set up to be posted to us.

There is no signature of Zuora's own. A callout proves itself by a basic login, and by an HMAC
over the raw body where the template has one. Its content is whatever the template says; the
template of docs/providers/zuora.md names event, object and numbers. Only which records to read
again is taken from it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from tieout.core.errors import AuthError, ConfigError, InvalidRecord
from tieout.rest import json

from ..base import Touched
from .rows import text
from .settings import ZuoraConfig

# https://docs.zuora.com : parent and event category codes of standard events
CATEGORIES = {
    "1110": "invoice",
    "1140": "invoice",
    "1210": "subscription",
    "1220": "subscription",
    "1230": "subscription",
    "1310": "subscription",
    "1810": "subscription",
}
# In this order: the first word that the event's name holds says what it is about.
_WORDS = (
    ("creditmemo", "credit_note"),
    ("debitmemo", "invoice"),
    ("billingrun", ""),
    ("billrun", ""),
    ("journalentry", "journal_entry"),
    ("paymentmethod", ""),
    ("refund", "refund"),
    ("payment", "payment"),
    ("invoice", "invoice"),
    ("amendment", "subscription"),
    ("rateplancharge", "subscription"),
    ("subscription", "subscription"),
    ("renewal", "subscription"),
    ("order", "contract"),
    ("contact", "contact"),
    ("account", "customer"),
    ("usage", "usage"),
    ("product", "product"),
)
_NUMBERS = {
    "subscription": ("subscriptionnumber", "subscriptionname"),
    "contract": ("ordernumber",),
    "journal_entry": ("journalentrynumber",),
}


def verify(headers: Mapping[str, str], body: bytes, settings: ZuoraConfig, *, where: str) -> None:
    """AuthError unless the callout proves itself by everything that is configured.

    ConfigError where nothing is: it is not the sender who is wrong.
    """
    password = settings.webhook_password.get_secret_value().strip()
    secret = settings.webhook_hmac_secret.get_secret_value().strip()
    if not password and not secret:
        raise ConfigError(
            "a callout came, but neither webhook_password nor webhook_hmac_secret is configured",
            where=where,
            hint="set webhook_password, and the same in the callout's basic authentication",
        )
    told = {name.lower(): value for name, value in headers.items()}
    if password and not _same_login(told.get("authorization", ""), settings.webhook_user, password):
        raise AuthError(
            "the callout's user name or password does not match",
            where=where,
            hint="compare webhook_user and webhook_password with the callout in Zuora",
        )
    if secret and not _same_digest(
        told.get(settings.webhook_hmac_header.lower(), ""), body, secret
    ):
        raise AuthError(
            f"the callout's {settings.webhook_hmac_header} does not match its body",
            where=where,
            hint="HMAC-SHA256 over the raw body under webhook_hmac_secret, hex or base64",
        )


def _same_login(header: str, user: str, password: str) -> bool:
    expected = base64.b64encode(f"{user}:{password}".encode())
    kind, _, given = header.strip().partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), expected)
    return same and kind.lower() == "basic"


def _same_digest(header: str, body: bytes, secret: str) -> bool:
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    given = header.strip().removeprefix("sha256=").encode("utf-8", "surrogateescape")
    hexed = hmac.compare_digest(given.lower(), digest.hex().encode())
    packed = hmac.compare_digest(given, base64.b64encode(digest))
    return hexed or packed


def read(body: bytes, *, where: str) -> list[Touched]:
    """The records that a verified callout speaks of; [] for what is not mapped."""
    try:
        told = json.decode(body)
    except ValueError:
        raise InvalidRecord(
            "the callout's body is not JSON",
            where=where,
            hint="use the template of docs/providers/zuora.md",
        ) from None
    fields = _fields(told)
    entity = entity_of(text(fields, "event") or text(fields, "eventcategory"))
    if entity is None:
        return []
    numbers = (text(fields, name) for name in _NUMBERS.get(entity, ()))
    id = next((number for number in numbers if number), text(fields, "objectid"))
    event = text(fields, "eventid")
    mark = f"{event}-{id}" if event else hashlib.sha256(body).hexdigest()
    found = [Touched(mark, entity, id)] if id else []
    account = text(fields, "accountid")
    if account and entity in ("invoice", "payment", "refund", "credit_note"):
        found.append(Touched(f"{mark}-account", "customer", account))
    return found


def entity_of(event: str) -> str | None:
    """What an event is about, by its category's number or name; None if nothing of ours."""
    if event in CATEGORIES:
        return CATEGORIES[event]
    low = "".join(sign for sign in event.lower() if sign.isalpha())
    return next((entity or None for word, entity in _WORDS if word in low), None)


def _fields(told: Any) -> dict[str, Any]:
    """The template's fields, letters only: `<Object.ID>`, `ObjectId` and `objectId` are one."""
    if not isinstance(told, dict):
        return {}
    return {"".join(s for s in str(k).lower() if s.isalnum()): value for k, value in told.items()}
