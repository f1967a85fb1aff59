"""Outbound Messages: SOAP posts that are repeated until they are acknowledged.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm
"""

from __future__ import annotations

import http.client
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from ..clock import SandboxClock
from ..faults import Faults

FIRST_RETRY_SECONDS = 15
LONGEST_RETRY_SECONDS = 7200
GIVES_UP_AFTER_SECONDS = 24 * 3600
MOST_IN_ONE = 100
_ANSWER_WITHIN = 60.0
_POLL_SECONDS = 0.1
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
    due: int
    wait: int = FIRST_RETRY_SECONDS
    attempts: int = 0


@dataclass
class Parcel:
    subscription: Subscription
    notices: list[Notice] = field(default_factory=list)


# Gives the XML of a record's fields as they are now.
Show = Callable[[Subscription, str], list[tuple[str, str]]]


class Courier:
    """Owns the delivery thread. What is not acknowledged is sent again, alone, out of order."""

    def __init__(self, clock: SandboxClock, organization: str, host: str, show: Show) -> None:
        self.faults = Faults()
        self.dropped: list[Notice] = []
        self.delivered = 0
        self._clock, self._organization, self._host, self._show = clock, organization, host, show
        self._ready: deque[Parcel] = deque()
        self._retries: list[Parcel] = []
        self._held: list[Parcel] = []
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = self._busy = False

    def send(self, parcel: Parcel) -> None:
        """Queue one post; webhook faults are drawn here."""
        path = urlsplit(parcel.subscription.url).path
        kinds = {rule.kind for rule in self.faults.strike("POST", path, webhook=True)}
        with self._wake:
            if "lost_webhook" in kinds:
                return
            if "reorder_webhook" in kinds:
                self._held.append(parcel)
                return
            self._ready.append(parcel)
            if "duplicate_webhook" in kinds:
                self._ready.append(Parcel(parcel.subscription, list(parcel.notices)))
            self._ready.extend(self._held)
            self._held.clear()
            self._start()
            self._wake.notify_all()

    def idle(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until nothing is left to send at once; retries due later don't count."""
        with self._wake:
            return self._wake.wait_for(
                lambda: not self._ready and not self._busy, timeout=timeout_seconds
            )

    @property
    def waiting(self) -> int:
        """How many notifications wait to be sent again."""
        with self._wake:
            return sum(len(parcel.notices) for parcel in self._retries)

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="salesforce-outbound", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            acknowledged = post(parcel, self._envelope(parcel))
            with self._wake:
                self._busy = False
                if acknowledged:
                    self.delivered += len(parcel.notices)
                else:
                    self._later(parcel)
                self._wake.notify_all()

    def _later(self, parcel: Parcel) -> None:
        now = self._clock.timestamp()
        for notice in parcel.notices:
            notice.attempts += 1
            notice.due = now + notice.wait
            notice.wait = min(notice.wait * 2, LONGEST_RETRY_SECONDS)
            if notice.due - notice.born > GIVES_UP_AFTER_SECONDS:
                self.dropped.append(notice)
            else:
                self._retries.append(Parcel(parcel.subscription, [notice]))

    def _next(self) -> Parcel | None:
        with self._wake:
            while not self._closed:
                now = self._clock.timestamp()
                for parcel in [one for one in self._retries if one.notices[0].due <= now]:
                    self._retries.remove(parcel)
                    self._ready.append(parcel)
                if self._ready:
                    self._busy = True
                    return self._ready.popleft()
                # The clock may be moved without notice, so waiting retries are looked at often.
                self._wake.wait(_POLL_SECONDS if self._retries else None)
            return None

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


def post(parcel: Parcel, body: bytes) -> bool:
    """Post it once. Only a 200 whose body says Ack true counts."""
    url = urlsplit(parcel.subscription.url)
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(url.hostname or "", url.port, timeout=_ANSWER_WITHIN)
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '""',
        "User-Agent": "Jakarta Commons-HttpClient/3.1",
    }
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        said = answer.read()
        return answer.status == 200 and bool(_RESPONSE.search(said) and _ACK.search(said))
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
