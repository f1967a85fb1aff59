"""The conformance suite of connectors, on the small fake: every promise, entity by entity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from salesforce_fake import INSTANCE, LOGIN, MESSAGE, NOW, ORG, FakeSalesforce

from tieout.connectors.base import Connector
from tieout.connectors.salesforce import Salesforce
from tieout.core.entities import Allocation, ContractLine
from tieout.core.ports import HttpRequest
from tieout.testing import Bench, ConnectorContract, Webhook

OBJECTS = {
    "customer": "Account", "contact": "Contact", "product": "Product2", "price": "PricebookEntry",
    "opportunity": "Opportunity", "contract": "Order", "invoice": "TieOut_Invoice__c",
    "payment": "TieOut_Payment__c", "credit_note": "TieOut_Credit_Note__c",
}  # fmt: skip
BILLING = ("invoice", "payment", "credit_note")
ACCOUNT, INVOICE = "0015g00000acct0AAA", "a005g00000invo0AAA"


class FakeClock:
    """The fake's own time."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return NOW + self.passed

    def move(self, seconds: float) -> None:
        self.passed += timedelta(seconds=seconds)


class FakeBench(Bench):
    """The fake behind WSGI."""

    def __init__(self) -> None:
        self.fake = FakeSalesforce()
        self.fake.page = 2
        clock = FakeClock()
        self.fake.ports = replace(self.fake.ports, now=clock.now)
        super().__init__(self.wsgi, clock, base_url=LOGIN, expire_tokens=self.expire)

    def expire(self) -> None:
        self.fake.token += 1

    def wsgi(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["REQUEST_URI"].partition("?")[0]
        if environ["QUERY_STRING"]:
            path += f"?{environ['QUERY_STRING']}"
        base = LOGIN if "/oauth2/" in path else INSTANCE
        headers = {
            name[5:].replace("_", "-").title(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        headers["Content-Type"] = environ.get("CONTENT_TYPE", "")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = HttpRequest(environ["REQUEST_METHOD"], base + path, headers, body or None)
        answer = self.fake.send(request)
        start(f"{answer.status} x", list(answer.headers.items()))
        return [answer.body]


def rows(bench: Bench, entity: str) -> list[dict[str, Any]]:
    assert isinstance(bench, FakeBench)
    both = ["Contract", "Order"] if entity == "contract" else [OBJECTS[entity]]
    return [row for name in both for row in bench.fake.tables[name] if not row["IsDeleted"]]


class TestSalesforce(ConnectorContract):
    connector_class: ClassVar[type[Connector]] = Salesforce
    currency: ClassVar[str | None] = "USD"
    token_path: ClassVar[str] = "/services/oauth2/token"
    webhook_secrets: ClassVar[tuple[str, ...]] = ("webhook_token",)
    index_lag_seconds: ClassVar[float] = 0.0
    money: ClassVar[Sequence[tuple[str, Mapping[str, Any], str, int]]] = [
        (
            "opportunity",
            {"Id": "1", "Amount": 1500, "CurrencyIsoCode": "JPY"},
            "amount_minor",
            1500,
        ),
        ("opportunity", {"Id": "1", "Amount": 12, "CurrencyIsoCode": "EUR"}, "amount_minor", 1200),
        ("invoice", {"Id": "1", "Total__c": 2, "Currency__c": "BHD"}, "total_minor", 2000),
    ]
    unknown_words: ClassVar[Sequence[tuple[str, Mapping[str, Any], str]]] = [
        ("contract", {"Id": "1", "StatusCode": "Paused"}, "status"),
        ("opportunity", {"Id": "1", "Type": "Odd"}, "kind"),
        ("invoice", {"Id": "1", "Status__c": "lost"}, "status"),
    ]

    def new_bench(self) -> FakeBench:
        return FakeBench()

    def settings(self, bench: Bench) -> dict[str, Any]:
        return {
            "client_id": "3MVG9example",
            "client_secret": "the-secret-of-the-app",
            "base_url": bench.base_url,
            "webhook_token": "a-long-token",
            "organization_id": ORG,
            "objects": {entity: {"object": OBJECTS[entity]} for entity in BILLING},
        }

    def held(self, bench: Bench, entity: str) -> set[str]:
        return {row["Id"] for row in rows(bench, entity)}

    def fill(self, bench: Bench, entity: str) -> None:
        assert isinstance(bench, FakeBench)
        now = bench.fake.stamp()
        when = {"CreatedDate": now, "SystemModstamp": now}
        for n in range(5):
            name = "Contract" if entity == "contract" and n % 2 else OBJECTS[entity]
            more = {"StatusCode": "Draft"} if entity == "contract" else {}
            bench.fake.put(name, **when, **more)

    def touch(self, bench: Bench, entity: str) -> str:
        assert isinstance(bench, FakeBench)
        calm = [row for row in rows(bench, entity) if row["SystemModstamp"] != bench.fake.stamp()]
        row = calm[0]
        row["SystemModstamp"] = bench.fake.stamp()
        return str(row["Id"])

    def remove(self, bench: Bench, entity: str) -> str:
        id = self.touch(bench, entity)
        next(row for row in rows(bench, entity) if row["Id"] == id)["IsDeleted"] = True
        return id

    def fields(self, bench: Bench, entity: str, connector: Connector) -> dict[str, Any]:
        assert isinstance(bench, FakeBench)
        return dict(_fields(bench.fake)[entity])

    def changed(self, entity: str) -> dict[str, Any]:
        return {
            "customer": {"name": "New name", "phone": None},
            "contact": {"last_name": "Lovelace"},
            "product": {"name": "New plan", "active": False},
            "price": {"unit_amount": "12.5"},
            "opportunity": {"stage": "Closed Won", "amount_minor": 4200},
            "invoice": {"status": "paid", "balance_minor": 0},
            "payment": {"status": "failed"},
            "credit_note": {"status": "void"},
        }[entity]

    def webhook(self, bench: Bench) -> Webhook:
        body = MESSAGE.format(org=ORG).encode()
        other = MESSAGE.format(org="00D000000000001").encode()
        token = {"Tieout-Path-Token": "a-long-token"}
        touched = frozenset({("opportunity", "0065g0000000abCAAQ")})
        forged = (({}, body), ({"Tieout-Path-Token": "wrong"}, body), (token, other))
        return Webhook(token, body, touched, forged)


def _fields(fake: FakeSalesforce) -> dict[str, dict[str, Any]]:
    """A new record of each entity."""
    if not fake.tables["Pricebook2"]:
        fake.put("Pricebook2", Name="Standard", IsStandard=True)
    book = fake.tables["Pricebook2"][0]["Id"]
    product = "01t5g00000prod0AAA"
    money = {"currency": "USD", "customer_id": ACCOUNT}
    line = ContractLine(price_id=_entry(fake, book), quantity="2", unit_amount="9.5")
    return {
        "customer": {"name": "ACME", "phone": "1"},
        "contact": {"first_name": "Ada", "last_name": "King", "customer_id": ACCOUNT},
        "product": {"name": "Plan", "sku": "P1", "active": True},
        "price": {"product_id": product, "unit_amount": "9.5", "currency": "USD", "active": True},
        "opportunity": {
            **money, "name": "Deal", "stage": "New", "close_on": date(2026, 3, 31),
            "amount_minor": 123450,
        },
        "contract": {
            "kind": "order", "customer_id": ACCOUNT, "starts_on": date(2026, 2, 1),
            "status": "active", "lines": (line,),
        },
        "invoice": {
            **money, "number": "INV-1", "status": "open", "issued_on": date(2026, 1, 31),
            "total_minor": 1050, "balance_minor": 1050,
        },
        "payment": {
            **money, "amount_minor": 1050, "status": "succeeded",
            "allocations": (Allocation(invoice_id=INVOICE, amount_minor=1050),),
        },
        "credit_note": {**money, "number": "CN-1", "status": "issued", "total_minor": 100},
    }  # fmt: skip


def _entry(fake: FakeSalesforce, book: str) -> str:
    """The price of an order's line: of another product than a new price's."""
    found: Iterator[dict[str, Any]] = iter(fake.tables["PricebookEntry"])
    row = next(found, None) or fake.put("PricebookEntry", Pricebook2Id=book, UnitPrice=9.5)
    return str(row["Id"])
