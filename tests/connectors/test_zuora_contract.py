"""Zuora keeps every promise of a connector, against its stand-in: page by page, in bulk, and
without Invoice Settlement.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar

import pytest
from zuora_bench import ZuoraBench

from tieout.connectors.base import Connector
from tieout.connectors.zuora import Zuora
from tieout.core.entities import Allocation, JournalLine, Line, SubscriptionItem
from tieout.mappings import Mapper, load_mapping
from tieout.testing import Bench, ConnectorContract, Webhook

INVOICE = {"id": "1", "status": "Posted", "accountId": "a", "balance": 0, "amount": 0,
           "updatedDate": "2026-03-10T00:00:00Z"}  # fmt: skip
PUTS = {
    "customer": ("/v1/accounts/{}", "notes"),
    "contact": ("/v1/contacts/{}", "city"),
    "product": ("/v1/object/product/{}", "Description"),
    "price": ("/v1/object/product-rate-plan-charge/{}", "Description"),
    "invoice": ("/v1/invoices/{}", "comments"),
    "payment": ("/v1/payments/{}", "comment"),
    "credit_note": ("/v1/creditmemos/{}", "comment"),
    "refund": ("/v1/refunds/{}", "comment"),
    "usage": ("/v1/object/usage/{}", "Description"),
    "journal_entry": ("/v1/journal-entries/{}/basic-information", "notes"),
}


@cache
def compiled() -> Mapper:
    """Read once: each test asks for it several times."""
    return load_mapping("zuora").compile(system="contract")


class TestZuora(ConnectorContract):
    connector_class = Zuora
    token_path: ClassVar[str] = "/oauth/token"
    webhook_secrets: ClassVar[tuple[str, ...]] = ("webhook_password",)
    several_pages: ClassVar[tuple[str, ...]] = ("customer", "contact", "product")
    # Decimals in major units of every currency.
    money: ClassVar[Any] = [
        ("invoice", INVOICE | {"currency": "USD", "amount": 12.3}, "total_minor", 1230),
        ("invoice", INVOICE | {"currency": "JPY", "amount": 500}, "total_minor", 500),
        ("invoice", INVOICE | {"currency": "BHD", "amount": 1.234}, "total_minor", 1234),
    ]
    unknown_words: ClassVar[Any] = [
        ("invoice", INVOICE | {"currency": "USD", "status": "Pondering"}, "status"),
        ("payment", {"id": "1", "currency": "USD", "status": "Odd"}, "status"),
        ("refund", {"id": "1", "currency": "USD", "status": "Odd"}, "status"),
    ]
    more: ClassVar[Mapping[str, Any]] = {}

    def new_bench(self) -> Bench:
        return ZuoraBench()

    def mapper(self, connector: Connector) -> Mapper:
        return compiled()

    def settings(self, bench: Any) -> dict[str, Any]:
        settings: dict[str, Any] = bench.settings(**self.more)
        return settings

    def held(self, bench: Any, entity: str) -> set[str]:
        found: set[str] = bench.held(entity)
        return found

    def fill(self, bench: Any, entity: str) -> None:
        for _ in range(24 if entity in self.several_pages else 4):
            bench.one(entity)
        if entity == "invoice":
            bench.debit_memo()
        if entity == "price":
            bench.price("USD", "JPY")

    def touch(self, bench: Any, entity: str) -> str:
        known = getattr(bench, "touched", set())
        id = min(self.held(bench, entity) - known)
        bench.touched = {*known, id}
        self.save(bench, entity, str(id))
        return str(id)

    def save(self, bench: Any, entity: str, id: str) -> None:
        if entity == "subscription":  # a further version, whose id is another
            bench.change_order(id)
        elif entity == "contract":  # only Zuora itself changes an order that is carried out
            bench.books.change(bench.record(entity, id), description="seen")
        else:
            path, field = PUTS[entity]
            if bench.record(entity, id).table == "debitmemo":
                path, field = "/v1/debitmemos/{}", "comment"
            bench.do("PUT", path.format(id), {field: "seen"})

    def remove(self, bench: Any, entity: str) -> str:
        match entity:
            case "subscription":  # nothing but Zuora's own pages deletes one
                id = str(bench.one(entity))
                bench.change_order(id)
                for one in bench.books.children("subscription", "name", id):
                    bench.books.delete(one)
                return id
            case "contract":
                id = str(bench.one(entity))
                bench.books.change(bench.record(entity, id), status="Cancelled")
                bench.do("DELETE", f"/v1/orders/{id}")
                return id
            case "invoice":
                id = bench.invoice(status="Draft")
            case "credit_note":
                id = bench.credit_memo(autoPost=False)
            case _:
                id = bench.one(entity)
        path = PUTS[entity][0].format(id)
        if entity == "refund":
            bench.do("PUT", f"{path}/cancel")
        if entity == "journal_entry":
            path = f"/v1/journal-entries/{id}"
            bench.do("PUT", f"{path}/cancel")
        bench.do("DELETE", path)
        return str(id)

    def fields(self, bench: Any, entity: str, connector: Connector) -> dict[str, Any]:
        money = {"currency": "USD", "status": "open"}
        match entity:
            case "customer":
                return {"name": "Ada Ltd", "email": "ada@example.com", "currency": "EUR",
                        "payment_terms_days": 30}  # fmt: skip
            case "product":
                return {"name": "Silver", "sku": "SILVER", "description": "Shines"}
            case "price":
                return {"product_id": bench.product(), "name": "Seat", "currency": "JPY",
                        "unit_amount": "1250", "scheme": "per_unit", "interval": "month",
                        "interval_count": 1, "usage": "licensed"}  # fmt: skip
            case "journal_entry":
                bench.period()
                sides = (JournalLine(account="Cash", debit_minor=1050),
                         JournalLine(account="Sales", credit_minor=1050))  # fmt: skip
                return {"posted_on": date(2026, 3, 9), "currency": "USD", "memo": "Sold",
                        "lines": sides}  # fmt: skip
            case "refund":
                return {"payment_id": bench.payment(), "currency": "USD", "amount_minor": 700,
                        "status": "succeeded",
                        "refunded_at": datetime(2026, 3, 9, tzinfo=UTC)}  # fmt: skip
        customer = {"customer_id": bench.account()}
        match entity:
            case "contact":
                return customer | {"first_name": "Eve", "last_name": "Fox", "email": "e@f.example"}
            case "subscription":
                item = SubscriptionItem(price_id=bench.price(), quantity="3", unit_amount="4.5")
                return customer | {"started_at": datetime(2026, 3, 1, tzinfo=UTC), "items": (item,),
                                   "auto_renew": True, "term_months": 12}  # fmt: skip
            case "invoice":
                line = Line(description="Work", quantity="1", unit_amount="20", amount_minor=2000,
                            period_start_at=datetime(2026, 3, 1, tzinfo=UTC))  # fmt: skip
                return customer | money | {
                    "issued_on": date(2026, 3, 9), "due_on": date(2026, 4, 9), "lines": (line,),
                    "subtotal_minor": 2000, "tax_minor": 0, "total_minor": 2000,
                }  # fmt: skip
            case "payment":
                share = Allocation(invoice_id=bench.invoice(customer["customer_id"]),
                                   amount_minor=2500)  # fmt: skip
                return customer | money | {
                    "status": "succeeded", "amount_minor": 4000, "method": "check",
                    "received_at": datetime(2026, 3, 9, tzinfo=UTC), "allocations": (share,),
                }  # fmt: skip
            case "credit_note":
                line = Line(price_id=bench.price(), quantity="1", amount_minor=900)
                share = Allocation(invoice_id=bench.invoice(customer["customer_id"]),
                                   amount_minor=400)  # fmt: skip
                return customer | money | {
                    "status": "issued", "issued_on": date(2026, 3, 9), "lines": (line,),
                    "subtotal_minor": 900, "tax_minor": 0, "total_minor": 900,
                    "allocations": (share,),
                }  # fmt: skip
        assert entity == "usage"
        return customer | {"metric": "GB", "quantity": "2.5",
                           "starts_at": datetime(2026, 3, 9, 12, tzinfo=UTC)}  # fmt: skip

    def changed(self, entity: str) -> dict[str, Any]:
        if entity == "refund":
            pytest.skip("of a refund nothing canonical can be changed")
        if entity == "credit_note":
            pytest.skip("of a credit note only its comment can be changed")
        usual: dict[str, dict[str, Any]] = {
            "contact": {"last_name": "Hare"}, "invoice": {"memo": "Thank you"},
            "subscription": {"auto_renew": False}, "payment": {"gateway_id": "ch_1"},
            "usage": {"quantity": "3"}, "journal_entry": {"memo": "Corrected"},
        }  # fmt: skip
        return usual.get(entity, {"name": "Other"})

    def webhook(self, bench: Bench) -> Webhook:
        sent = {"event": "InvoicePosted", "eventId": "e1", "at": "2026-03-10T17:00:00Z",
                "objectId": "i1", "accountId": "a1"}  # fmt: skip
        body = json.dumps(sent).encode()
        keys = bench.stand_in.credentials()  # type: ignore[attr-defined]
        good = self.login(keys["webhook_user"], keys["webhook_password"])
        forged = (
            (self.login(keys["webhook_user"], "guess"), body),
            (self.login("guess", keys["webhook_password"]), body),
            ({}, body),
        )
        return Webhook(good, body, frozenset({("invoice", "i1"), ("customer", "a1")}), forged)

    def login(self, user: str, password: str) -> dict[str, str]:
        return {
            "Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        }


class TestZuoraInBulk(TestZuora):
    """What hangs together is read through Data Query; a result has seven rows at most."""

    more: ClassVar[Mapping[str, Any]] = {"data_query": "yes", "bulk_rows": 7}
    excused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("customer", "contact", "product", "contract", "credit_note", "refund", "usage"),
        "read as those that are not excused; tests/connectors/test_zuora_company.py reads them too",
    )

    def new_bench(self) -> Bench:
        return ZuoraBench(data_query_cap=7)
