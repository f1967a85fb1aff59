"""Outbound messages: SOAP that says which records to read again.

They carry no signature. What proves their sender is a secret in the address that only the org
knows, and the id of its organization.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_understanding.htm
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tieout.core.errors import AuthError, ConfigError, InvalidRecord

from ..base import Touched
from .ids import is_id, long_id

OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
TOKEN_HEADER = "tieout-path-token"  # as the receiver of webhooks tells the end of the path

# The only answer that counts as received: (content type, body).
ACK = (
    "text/xml",
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>",
)
_SESSION = re.compile(rb"(<(?:\w+:)?SessionId\b[^>]*>)[^<]*(</)")


def verify_token(headers: Mapping[str, str], token: str, *, where: str) -> None:
    """AuthError unless the secret of the address is the configured one, ConfigError where there
    is none: then it is not the sender who is wrong."""
    if not token:
        raise ConfigError(
            "a webhook came, but no webhook_token is configured",
            where=where,
            hint="make a long random one, and let the outbound message's address end with it",
        )
    given = next((v for name, v in headers.items() if name.lower() == TOKEN_HEADER), "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        raise AuthError(
            "the webhook's token does not match",
            where=where,
            hint="the address in Salesforce must end with webhook_token",
        )


def read(body: bytes, entities: Mapping[str, str], org: str, *, where: str) -> list[Touched]:
    """The records that a message speaks of; those of other objects are left out.

    `entities` tells the entity of an object's name, `org` the organization's id.
    """
    message = _message(body, where)
    sender = long_id((message.findtext(f"{OUTBOUND}OrganizationId") or "").strip())
    if not org or not hmac.compare_digest(sender.encode(), long_id(org).encode()):
        raise AuthError(
            "the webhook comes from another organization",
            where=where,
            hint="compare organization_id with Setup > Company Information",
        )
    touched = []
    for notification in message.findall(f"{OUTBOUND}Notification"):
        event = (notification.findtext(f"{OUTBOUND}Id") or "").strip()
        record = notification.find(f"{OUTBOUND}sObject")
        if event and record is not None:
            touched += _touched(event, record, entities)
    return touched


def without_session(body: bytes) -> bytes:
    """The message as it may be kept: a session id in it would be a login."""
    return _SESSION.sub(rb"\1\2", body)


def _message(body: bytes, where: str) -> Element:
    try:
        found: Any = fromstring(body, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise InvalidRecord(
            "the webhook's body is not XML that is safe to read", where=where
        ) from None
    message = found.find(f".//{OUTBOUND}notifications")
    if message is None:
        raise InvalidRecord("the webhook is no outbound message", where=where)
    result: Element = message
    return result


def _touched(event: str, record: Element, entities: Mapping[str, str]) -> list[Touched]:
    """A deleted record arrives empty: the next pull tells that."""
    name = record.get(_TYPE, "").rpartition(":")[2]
    ids = [e.text or "" for e in record if e.tag.rpartition("}")[2] == "Id"]
    id = ids[0].strip() if ids else ""
    if name not in entities or not is_id(id):
        return []
    return [Touched(event, entities[name], long_id(id))]
