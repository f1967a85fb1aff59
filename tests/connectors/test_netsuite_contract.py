"""NetSuite keeps the promises of every connector, over REST and over SOAP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tieout.connectors.base import Connector
from tieout.connectors.netsuite import NetSuite
from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.netsuite import NetSuiteStandIn, saving
from tieout.sandbox.netsuite.catalog import ITEMS, TYPES
from tieout.testing.bench import BASE_URL, Bench
from tieout.testing.contract import ConnectorContract

WSDL = (
    Path(__file__)
    .parents[3]
    .joinpath("shared", "providers", "netsuite", "wsdl", "netsuite-wsdl-2023_2.tgz")
)
START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
USD = {"id": "1", "refName": "USA"}
HOME = {"id": "1", "refName": "Parent Company"}
TYPE = {
    "customer": "customer",
    "contact": "contact",
    "product": "serviceSaleItem",
    "price": "serviceSaleItem",
    "invoice": "invoice",
    "payment": "customerPayment",
    "credit_note": "creditMemo",
    "refund": "customerRefund",
    "payout": "deposit",
    "journal_entry": "journalEntry",
}
# What another user changes: words only, so that no rule of the ledger is touched.
TOUCHED = {"customer": "comments", "contact": "comments", "product": "salesDescription",
           "price": "salesDescription"}  # fmt: skip


class Provider(Bench):
    """A bench that knows its stand-in."""

    def __init__(self) -> None:
        self.stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
        super().__init__(
            self.stand_in.wsgi,
            self.stand_in.clock,
            error_answer=self.stand_in.error_answer,
            expire_tokens=self.stand_in.access.revoke_tokens,
        )
        self.edits = 0

    @property
    def books(self) -> Any:
        return self.stand_in.books


def owner() -> tuple[str, Any]:
    return "customer", {
        "id": "490", "entityId": "Owner", "companyName": "Owner", "isPerson": False,
        "subsidiary": HOME, "currency": USD,
    }  # fmt: skip


def sold() -> tuple[str, Any]:
    return "serviceSaleItem", {"id": "290", "itemId": "SOLD", "displayName": "Sold"}


def some(entity: str) -> Iterator[tuple[str, Any]]:
    """Seven of them: more than a page of five."""
    for n in range(7):
        yield TYPE[entity], {**body(entity, n), "id": str(1000 + n)}


def body(entity: str, n: int) -> dict[str, Any]:
    document = {"subsidiary": HOME, "currency": USD, "tranDate": "2026-03-01", "tranId": f"T{n}"}
    who, item = {"id": "490"}, {"item": {"items": [{"line": 1, "item": {"id": "290"},
                                                    "amount": 10}]}}  # fmt: skip
    if entity == "customer":
        return {"entityId": f"C{n}", "companyName": f"C{n}", "isPerson": False,
                "subsidiary": HOME, "currency": USD}  # fmt: skip
    if entity == "contact":
        return {"entityId": f"P{n}", "firstName": "P", "lastName": str(n), "company": who}
    if entity in ("product", "price"):
        level = {"priceLevel": {"id": "1", "refName": "Base Price"}, "currencyPage": USD,
                 "quantity": {"id": "0"}, "price": 5}  # fmt: skip
        return {"itemId": f"I{n}", "displayName": f"I{n}", "price": {"items": [level]}}
    if entity in ("invoice", "credit_note"):
        left = {"amountRemaining": 10} if entity == "invoice" else {"unapplied": 10}
        return {**document, **item, **left, "entity": who, "subtotal": 10, "total": 10}
    if entity == "payment":
        return {**document, "customer": who, "payment": 10, "unapplied": 10}
    if entity == "refund":
        return {**document, "customer": who, "total": 10}
    if entity == "payout":
        lines = {"items": [{"account": {"id": "58"}, "amount": 10}]}
        return {**document, "total": 10, "account": {"id": "1"}, "other": lines}
    lines = [{"line": 1, "account": {"id": "2"}, "debit": 1},
             {"line": 2, "account": {"id": "54"}, "credit": 1}]  # fmt: skip
    return {**document, "approved": True, "line": {"items": lines}}


class NetSuiteContract(ConnectorContract):
    connector_class = NetSuite
    timezone = "America/Los_Angeles"
    index_lag_seconds = 60.0
    money: ClassVar[Any] = [
        (
            "invoice",
            {"id": "1", "currencycode": code, "foreigntotal": total, "status": "A"},
            "total_minor",
            minor,
        )
        for code, total, minor in (
            ("USD", "1.10", 110),
            ("JPY", "500", 500),
            ("BHD", "1.234", 1234),
        )
    ]
    unknown_words: ClassVar[Any] = [
        (entity, {"id": "1", "currencycode": "USD", "statusname": f"{label} : Dancing"}, "status")
        for entity, label in (("invoice", "Invoice"), ("payment", "Payment"))
    ]

    def new_bench(self) -> Bench:
        return Provider()

    def keys(self, bench: Any, *names: str) -> dict[str, Any]:
        given = bench.stand_in.credentials()
        settings = {name: given[name] for name in ("account", *names)}
        return {**settings, "base_url": BASE_URL, "page_size": 5}

    def held(self, bench: Any, entity: str) -> set[str]:
        if entity in ("product", "price"):
            types = [type for type in TYPES.values() if type.group == ITEMS]
            items = [one for type in types for one in bench.books.all_of(type).values()]
            if entity == "product":
                return {one.id for one in items}
            return {f"{one.id}-1-1" for one in items if one.lines("price")}
        return set(bench.books.all_of(TYPES[TYPE[entity].lower()]))

    def fill(self, bench: Any, entity: str) -> None:
        bench.stand_in.load([owner(), sold(), *some(entity)])

    def _one(self, bench: Any, entity: str, id: str) -> Any:
        return bench.books.all_of(TYPES[TYPE[entity].lower()])[id]

    def touch(self, bench: Any, entity: str) -> str:
        bench.edits += 1
        id = str(1000 + bench.edits)
        words = {TOUCHED.get(entity, "memo"): f"edit {bench.edits}"}
        saving.update(bench.books, self._one(bench, entity, id), words, ())
        return f"{id}-1-1" if entity == "price" else id

    def remove(self, bench: Any, entity: str) -> str:
        saving.delete(bench.books, self._one(bench, entity, "1003"))
        return "1003"

    def fields(self, bench: Any, entity: str, connector: Connector) -> dict[str, Any]:
        bench.stand_in.load([owner(), sold()])
        line = {"product_id": "290", "amount_minor": 1000}
        sale = {"customer_id": "490", "currency": "USD", "issued_on": date(2026, 3, 1),
                "total_minor": 1000, "lines": [line]}  # fmt: skip
        if entity == "customer":
            return {"name": "Contract Ltd", "email": "c@example.com", "currency": "USD"}
        if entity == "contact":
            return {"customer_id": "490", "first_name": "Ada", "last_name": "Contract"}
        if entity == "product":
            return {"name": "Contract", "sku": "CONTRACT"}
        if entity in ("invoice", "credit_note"):
            return {"number": "K-1", **sale}
        if entity == "payment":
            return {"customer_id": "490", "currency": "USD", "amount_minor": 500,
                    "received_at": datetime(2026, 3, 1, 8, tzinfo=UTC)}  # fmt: skip
        if entity == "refund":
            bench.stand_in.load([("creditMemo", {**body("credit_note", 9), "id": "990"})])
            return {"customer_id": "490", "currency": "USD", "amount_minor": 500,
                    "credit_note_id": "990",
                    "refunded_at": datetime(2026, 3, 1, 8, tzinfo=UTC)}  # fmt: skip
        lines = [
            {"account": "6000", "debit_minor": 1},
            {"account": "4000", "credit_minor": 1},
        ]
        return {"posted_on": date(2026, 3, 1), "currency": "USD", "lines": lines}

    def changed(self, entity: str) -> dict[str, Any]:
        """Documents are never changed, but by overlays."""
        return {"customer": {"name": "Changed"}, "contact": {"first_name": "Changed"},
                "product": {"name": "Changed"}}.get(entity, {})  # fmt: skip


class TestNetSuiteOverRest(NetSuiteContract):
    token_path = "/oauth2/v1/token"

    def settings(self, bench: Bench) -> dict[str, Any]:
        return self.keys(bench, "client_id", "certificate_id", "private_key")


@pytest.mark.skipif(not WSDL.exists(), reason="NetSuite's WSDL is not beside this")
class TestNetSuiteOverSoap(NetSuiteContract):
    def settings(self, bench: Bench) -> dict[str, Any]:
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        return {**self.keys(bench, *names), "transport": "soap", "wsdl": str(WSDL)}
