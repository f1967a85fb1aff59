"""The NetSuite connector wired to the stand-in, which was written without it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client

from tieout.connectors.netsuite import NetSuite, NetSuiteConfig
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, Ports
from tieout.mappings import Mapper, load_mapping
from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.netsuite import NetSuiteStandIn

START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)


class Bench:
    """A connector wired to a stand-in without a network, and a clock that both share."""

    def __init__(
        self, login: str = "oauth2", stand_in: NetSuiteStandIn | None = None, **more: Any
    ) -> None:
        self.clock = stand_in.clock if stand_in else SandboxClock(START)
        self.stand_in = stand_in or NetSuiteStandIn(self.clock, seed=3)
        self.http = Client(self.stand_in.wsgi)
        self.lose_next = ""
        self.seconds = 0.0
        ids = count(1)
        self.ports = Ports(
            now=self.clock.now,
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=lambda: f"{next(ids):032}",
            send=self.send,
        )
        given = self.stand_in.credentials()
        names = ("client_id", "certificate_id", "private_key")
        if login == "tba":
            names = ("consumer_key", "consumer_secret", "token_id", "token_secret")  # type: ignore[assignment]
        settings: Any = {name: given[name] for name in names} | more
        self.ns = NetSuite(
            NetSuiteConfig(account=given["account"], base_url="http://127.0.0.1:8", **settings),
            self.ports,
        )
        self.mapper = mapper()

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.clock.move(seconds)

    def send(self, request: HttpRequest) -> HttpAnswer:
        parts = urlsplit(request.url)
        told = self.http.open(
            parts.path,
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            method=request.method,
            headers=dict(request.headers),
            data=request.body,
        )
        if self.lose_next and request.method == self.lose_next:
            self.lose_next = ""
            raise AnswerLost("the answer was lost")
        headers = {name.lower(): value for name, value in told.headers.items()}
        return HttpAnswer(told.status_code, headers, told.get_data())

    def made(self, entity: str, fields: dict[str, Any], key: str) -> Any:
        body = self.mapper.render(entity, fields, creating=True)
        return self.mapper.parse_bytes(entity, self.ns.create(entity, body, key=key))

    def pulled(self, entity: str, since: datetime | None = None) -> dict[str, Any]:
        pages = list(self.ns.pull(entity, since=since))
        found = [self.mapper.parse_bytes(entity, body) for page in pages for body in page.records]
        self.gone = tuple(id for page in pages for id in page.deleted)
        return {record.id: record for record in found}


def mapper(**more: Any) -> Mapper:
    return load_mapping("netsuite").compile(system="ns", timezone="America/Los_Angeles", **more)


def sell(bench: Bench) -> Bench:
    """A customer, a product, and an invoice of 110.00 for both."""
    customer = bench.made("customer", {"name": "Böll & Söhne", "currency": "USD"}, "tieout-c1")
    product = bench.made("product", {"name": "Seat", "sku": "SEAT"}, "tieout-p1")
    bench.customer, bench.product = customer.id, product.id  # type: ignore[attr-defined]
    bench.invoice = bench.made(  # type: ignore[attr-defined]
        "invoice",
        {
            "number": "A-1",
            "customer_id": customer.id,
            "currency": "USD",
            "issued_on": START.date(),
            "total_minor": 11000,
            "lines": [
                {"product_id": product.id, "quantity": "2", "unit_amount": "50",
                 "amount_minor": 10000},
                {"product_id": product.id, "amount_minor": 1000},
            ],
        },
        "tieout-i1",
    )  # fmt: skip
    return bench


def pay(bench: Any, minor: int, applied: int, key: str = "tieout-pay1") -> Any:
    return bench.made(
        "payment",
        {
            "customer_id": bench.customer,
            "currency": "USD",
            "amount_minor": minor,
            "received_at": bench.clock.now(),
            "allocations": [{"invoice_id": bench.invoice.id, "amount_minor": applied}],
        },
        key,
    )
