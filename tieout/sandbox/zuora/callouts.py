"""Callouts: what happens is posted to an address with Basic authentication, and kept in a history.

https://docs.zuora.com/zuora-platform/extensibility/events-and-notifications/notifications/callout-notification-overview
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from .. import courier
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
_CODES = {"InvoicePosted": 1110, "SubscriptionCreated": 1210, "AmendmentProcessed": 1310}


@dataclass(frozen=True)
class _Callout:
    name: str
    record: Record
    body: bytes
    context: Body
    attempt: int = 1


class Callouts(courier.Courier[_Callout]):
    """Posts to `url`; nothing is sent while there is none."""

    name = "zuora-callouts"

    def __init__(self, books: Books, user: str, password: str, template: str) -> None:
        super().__init__(books.clock)
        self.books, self.template, self.url = books, template, ""
        self.history: list[Body] = []
        self._login = base64.b64encode(f"{user}:{password}".encode()).decode()

    def emit(self, name: str, record: Record) -> None:
        """Something happened; nothing is sent while no address is set."""
        if not self.url:
            return
        context = self._context(name, record)
        text = re.sub(r"<[\w.]+>", lambda m: str(context.get(m[0], "")), self.template)
        self.queue(_Callout(name, record, text.encode(), context), self.url)

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

    def deliver(self, parcel: _Callout) -> Iterable[tuple[int, _Callout]]:
        """Only a 2xx counts."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Basic {self._login}",
            "Zuora-Request-Id": _request_id(parcel),
        }
        code, _ = courier.post(self.url, parcel.body, headers, self.answer_within)
        self._note(parcel, code)
        if not 200 <= code < 300 and parcel.attempt < ATTEMPTS:
            due = self.clock.timestamp() + RETRY_SECONDS
            yield due, replace(parcel, attempt=parcel.attempt + 1)

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
