"""Callouts: what happens is posted to an address with Basic authentication, and kept in a history.

https://docs.zuora.com/zuora-platform/extensibility/events-and-notifications/notifications/callout-notification-overview
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ..faults import Faults
from .books import Books, Record
from .errors import invalid
from .reading import page
from .tenant import Call
from .times import parse
from .wire import Body

TEMPLATE = (
    '{"event":"<Event.Category>","eventId":"<Event.ID>","at":"<Event.Timestamp>",'
    '"objectId":"<Object.ID>","accountId":"<Account.ID>"}'
)
RETRY_SECONDS, ATTEMPTS = 3600, 3
_WITHIN = 10.0
_POLL = 0.1
_CODES = {"InvoicePosted": 1110, "SubscriptionCreated": 1210, "AmendmentProcessed": 1310}


@dataclass
class _Callout:
    name: str
    record: Record
    body: bytes
    context: Body
    due: float
    attempt: int = 1


class Callouts:
    """Owns the delivery thread."""

    def __init__(self, books: Books, user: str, password: str, template: str) -> None:
        self.books, self.template, self.url = books, template, ""
        self.faults = Faults()
        self.history: list[Body] = []
        self._login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._ready: deque[_Callout] = deque()
        self._late: list[_Callout] = []
        self._held: list[_Callout] = []
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = self._busy = False

    def emit(self, name: str, record: Record) -> None:
        """Something happened; nothing is sent while no address is set."""
        if not self.url:
            return
        context = self._context(name, record)
        text = re.sub(r"<[\w.]+>", lambda m: str(context.get(m[0], "")), self.template)
        now = self.books.clock.now().timestamp()
        made = _Callout(name, record, text.encode(), context, now)
        kinds = {
            one.kind for one in self.faults.strike("POST", urlsplit(self.url).path, webhook=True)
        }
        with self._wake:
            if "lost_webhook" in kinds:
                return
            if "reorder_webhook" in kinds:
                self._held.append(made)
                return
            self._ready.append(made)
            if "duplicate_webhook" in kinds:
                self._ready.append(made)
            self._ready.extend(self._held)
            self._held.clear()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="zuora-callouts", daemon=True
                )
                self._thread.start()
            self._wake.notify_all()

    def _context(self, name: str, record: Record) -> Body:
        owner = record.id if record.table == "account" else record.row.get("accountId")
        account = self.books.find("account", owner)
        number = account.row.get("accountNumber") if account else ""
        return {
            "<Event.Category>": name,
            "<Event.ID>": self.books.new_id(),
            "<Event.Timestamp>": self.books.now(),
            "<Object.ID>": record.id,
            "<Account.ID>": owner or "",
            "<Account.Number>": number,
        }

    def idle(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until nothing is left to send at once."""
        with self._wake:
            return self._wake.wait_for(
                lambda: not self._ready and not self._busy, timeout=timeout_seconds
            )

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=_WITHIN)

    def _run(self) -> None:
        while (one := self._next()) is not None:
            code = self._deliver(one)
            self._note(one, code)
            with self._wake:
                self._busy = False
                if not 200 <= code < 300 and one.attempt < ATTEMPTS:
                    one.attempt += 1
                    one.due = self.books.clock.now().timestamp() + RETRY_SECONDS
                    self._late.append(one)
                self._wake.notify_all()

    def _next(self) -> _Callout | None:
        with self._wake:
            while not self._closed:
                now = self.books.clock.now().timestamp()
                for one in [late for late in self._late if late.due <= now]:
                    self._late.remove(one)
                    self._ready.append(one)
                if self._ready:
                    self._busy = True
                    return self._ready.popleft()
                # The clock may be moved without notice, so waiting retries are looked at often.
                self._wake.wait(_POLL if self._late else None)
            return None

    def _deliver(self, one: _Callout) -> int:
        url = urlsplit(self.url)
        secure = url.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(url.hostname or "", url.port, timeout=_WITHIN)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Basic {self._login}",
            "Zuora-Request-Id": _request_id(one),
        }
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection.request("POST", target, body=one.body, headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _note(self, one: _Callout, code: int) -> None:
        self.history.append(
            {
                "responseCode": code,
                "requestUrl": self.url,
                "requestMethod": "POST",
                "eventCategory": _CODES.get(one.name, 1000),
                "notification": one.name,
                "attemptedNum": one.attempt,
                "createTime": self.books.now().removesuffix("Z"),
                "eventContext": one.context,
            }
        )

    def shown(self, call: Call) -> Body:
        """GET /v1/notification-history/callout: the last day's failures unless asked otherwise."""
        ask = call.request.param
        now = self.books.clock.now().timestamp()
        try:
            start = _moment(ask("startTime"), now - 86400)
            end = _moment(ask("endTime"), now)
        except ValueError:
            raise invalid("query", "'startTime' and 'endTime' must be date-times") from None
        failed = ask("failedOnly", "true").lower() != "false"
        found = [
            one
            for one in self.history
            if start <= _moment(one["createTime"], 0) <= end
            and not (failed and 200 <= one["responseCode"] < 300)
            and ask("objectId") in ("", one["eventContext"]["<Object.ID>"])
            and ask("eventCategory") in ("", str(one["eventCategory"]))
        ]
        return page(call, "calloutHistories", found, lambda one: one)


def _request_id(one: _Callout) -> str:
    """New for each attempt, so it is no key to find repeats by."""
    made = f"{one.context['<Event.ID>']}{one.attempt}"
    return hashlib.sha256(made.encode()).hexdigest()[:32]


def _moment(text: str, default: float) -> float:
    return parse(text, ZoneInfo("UTC")).timestamp() if text else default
