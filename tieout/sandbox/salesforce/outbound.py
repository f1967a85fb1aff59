"""Outbound Messages: SOAP posts that are repeated until they are acknowledged.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from .. import courier
from ..clock import SandboxClock

FIRST_RETRY_SECONDS = 15
LONGEST_RETRY_SECONDS = 7200
GIVES_UP_AFTER_SECONDS = 24 * 3600
MOST_IN_ONE = 100
_ACK = re.compile(rb"<(?:\w+:)?Ack>\s*true\s*</(?:\w+:)?Ack>")
_RESPONSE = re.compile(rb"<(?:\w+:)?notificationsResponse[\s>]")


@dataclass(frozen=True)
class Subscription:
    """Where one type's messages go, and which fields they carry."""

    type: str
    url: str
    fields: tuple[str, ...]
    action: str


@dataclass
class Notice:
    """One notification: its own id and the record it is about."""

    id: str
    record: str
    born: int
    wait: int = FIRST_RETRY_SECONDS


@dataclass
class Parcel:
    subscription: Subscription
    notices: list[Notice] = field(default_factory=list)


# Gives the XML of a record's fields as they are now.
Show = Callable[[Subscription, str], list[tuple[str, str]]]


class Courier(courier.Courier[Parcel]):
    """What is not acknowledged is sent again, alone, out of order."""

    name = "salesforce-outbound"
    answer_within = 60.0

    def __init__(self, clock: SandboxClock, organization: str, host: str, show: Show) -> None:
        super().__init__(clock)
        self.dropped: list[Notice] = []
        self.delivered = 0
        self._organization, self._host, self._show = organization, host, show

    def send(self, parcel: Parcel) -> None:
        """Queue one post."""
        self.queue(parcel, parcel.subscription.url)

    def deliver(self, parcel: Parcel) -> Iterable[tuple[int, Parcel]]:
        """Only a 200 whose body says Ack true counts."""
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": '""',
            "User-Agent": "Jakarta Commons-HttpClient/3.1",
        }
        url, body = parcel.subscription.url, self._envelope(parcel)
        status, said = courier.post(url, body, headers, self.answer_within)
        if status == 200 and _RESPONSE.search(said) and _ACK.search(said):
            self.delivered += len(parcel.notices)
            return
        now = self.clock.timestamp()
        for notice in parcel.notices:
            due = now + notice.wait
            notice.wait = min(notice.wait * 2, LONGEST_RETRY_SECONDS)
            if due - notice.born > GIVES_UP_AFTER_SECONDS:
                self.dropped.append(notice)
            else:
                yield due, Parcel(parcel.subscription, [notice])

    def _envelope(self, parcel: Parcel) -> bytes:
        one, org = parcel.subscription, self._organization
        notices = "".join(
            f'<Notification><Id>{notice.id}</Id><sObject xsi:type="sf:{one.type}" '
            f'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{self._fields(one, notice)}'
            "</sObject></Notification>"
            for notice in parcel.notices
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
            '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
            f"<OrganizationId>{org}</OrganizationId><ActionId>{one.action}</ActionId>"
            '<SessionId xsi:nil="true"/>'
            f"<EnterpriseUrl>{self._host}/services/Soap/c/64.0/{org[:15]}</EnterpriseUrl>"
            f"<PartnerUrl>{self._host}/services/Soap/u/64.0/{org[:15]}</PartnerUrl>"
            f"{notices}</notifications></soapenv:Body></soapenv:Envelope>"
        ).encode()

    def _fields(self, one: Subscription, notice: Notice) -> str:
        shown = self._show(one, notice.record)
        return "".join(f"<sf:{name}>{escape(text)}</sf:{name}>" for name, text in shown)
