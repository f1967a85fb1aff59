"""Chargebee keeps every promise of a connector, against its stand-in, with either catalog."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar

import pytest
from chargebee_bench import ChargebeeBench

from tieout.connectors.base import Can, Connector
from tieout.connectors.chargebee import Chargebee
from tieout.core.entities import Allocation, Line, SubscriptionItem
from tieout.mappings import Mapper, load_mapping
from tieout.testing import Bench, ConnectorContract, Webhook

INVOICE = {"id": "1", "object": "invoice", "status": "payment_due", "customer_id": "c",
           "price_type": "tax_exclusive"}  # fmt: skip
PAYMENT = {"id": "txn_1", "object": "transaction", "type": "payment", "status": "success",
           "payment_method": "card", "date": 1_700_000_000}  # fmt: skip


@cache
def compiled() -> Mapper:
    """Read once: it is a long file, and each test asks for it several times."""
    return load_mapping("chargebee").compile(system="contract")


class TestChargebee(ConnectorContract):
    connector_class = Chargebee
    several_pages: ClassVar[tuple[str, ...]] = ("customer", "contact", "product")
    webhook_secrets: ClassVar[tuple[str, ...]] = ("webhook_user", "webhook_password")
    index_lag_seconds: ClassVar[float] = 300.0
    # Integers are hundredths of every currency but those without any places.
    money: ClassVar[Any] = [
        ("invoice", INVOICE | {"currency_code": "USD", "total": 1230}, "total_minor", 1230),
        ("invoice", INVOICE | {"currency_code": "JPY", "total": 500}, "total_minor", 500),
        ("invoice", INVOICE | {"currency_code": "BHD", "total": 123}, "total_minor", 1230),
        ("payment", PAYMENT | {"currency_code": "KWD", "amount": 5}, "amount_minor", 50),
    ]
    unknown_words: ClassVar[Any] = [
        ("invoice", INVOICE | {"currency_code": "USD", "total": 1, "status": "odd"}, "status"),
        ("payment", PAYMENT | {"currency_code": "USD", "amount": 1, "status": "odd"}, "status"),
        ("payment", PAYMENT | {"currency_code": "USD", "amount": 1, "payment_method": "odd"},
         "method"),
    ]  # fmt: skip

    def new_bench(self) -> Bench:
        return ChargebeeBench()

    def mapper(self, connector: Connector) -> Mapper:
        return compiled()

    def settings(self, bench: Any) -> dict[str, Any]:
        settings: dict[str, Any] = bench.settings()
        return settings

    def held(self, bench: Any, entity: str) -> set[str]:
        found: set[str] = bench.held(entity)
        return found

    def fill(self, bench: Any, entity: str) -> None:
        for _ in range(130 if entity in self.several_pages else 4):
            bench.one(entity)

    def touch(self, bench: Any, entity: str) -> str:
        if entity == "contact":
            return self._touched_contact(bench)
        known = getattr(bench, "touched", set())
        id = min(self.held(bench, entity) - known)
        bench.touched = {*known, id}
        bench.save(entity, id)
        return str(id)

    def _touched_contact(self, bench: Any) -> str:
        known = getattr(bench, "touched", set())
        for customer in bench.objects("customer"):
            for contact in customer.get("contacts", ()):
                if contact["id"] not in known:
                    bench.touched = {*known, contact["id"]}
                    form = {"contact[id]": contact["id"], "contact[phone]": "1"}
                    bench.post(f"customers/{customer['id']}/update_contact", **form)
                    return str(contact["id"])
        raise AssertionError("no contact is left")

    def remove(self, bench: Any, entity: str) -> str:
        id = bench.customer() if entity == "customer" else bench.one(entity)
        match entity:
            case "contact":
                bench.post(f"customers/{bench.owner(id)}/delete")
            case "payment" | "refund":
                bench.save(entity, id, deleted=True)
            case _:
                kind = next(k for k in bench.kinds(entity) if bench.shelf(k).get(id) is not None)
                path = bench.shelf(kind).kind.path
                if kind == "subscription":
                    verb = "cancel" if bench.catalog == 1 else "cancel_for_items"
                    bench.post(f"{path}/{id}/{verb}")
                bench.post(f"{path}/{id}/delete")
        return str(id)

    def fields(self, bench: Any, entity: str, connector: Connector) -> dict[str, Any]:
        now = datetime(2026, 3, 1, tzinfo=UTC)
        match entity:
            case "customer":
                return {"name": "Ada Ltd", "email": "ada@example.com", "currency": "USD",
                        "payment_terms_days": 30}  # fmt: skip
            case "product":
                if not bench.count_of("item_family"):
                    bench.post("item_families", id="family", name="Family")
                return {"name": "Gold", "description": "All that glitters"}
            case "price":
                return {"product_id": bench.product(), "name": "Gold monthly", "currency": "USD",
                        "unit_amount": "12.5", "scheme": "per_unit", "interval": "month",
                        "interval_count": 1}  # fmt: skip
            case "subscription":
                item = SubscriptionItem(price_id=bench.price(), quantity="2", unit_amount="9.5")
                return {"customer_id": bench.customer(), "currency": "USD",
                        "status": "active", "started_at": now,
                        "current_period_start_at": now, "collection": "invoice",
                        "current_period_end_at": datetime(2026, 4, 1, tzinfo=UTC),
                        "items": (item,)}  # fmt: skip
            case "invoice":
                line = Line(description="Work", quantity="1", amount_minor=2000)
                return {"number": "INV-1", "customer_id": bench.customer(), "currency": "USD",
                        "status": "open", "issued_on": date(2026, 3, 1),
                        "due_on": date(2026, 4, 20), "lines": (line,), "subtotal_minor": 2000,
                        "tax_minor": 400, "total_minor": 2400}  # fmt: skip
            case "payment":
                payer = bench.customer()
                bills = [bench.invoice(amount, payer) for amount in (1500, 500)]
                shares = tuple(
                    Allocation(invoice_id=bill, amount_minor=share)
                    for bill, share in zip(bills, (1500, 500), strict=True)
                )
                return {"customer_id": payer, "currency": "USD", "amount_minor": 2100,
                        "status": "succeeded", "method": "bank_transfer", "received_at": now,
                        "allocations": shares}  # fmt: skip
            case "credit_note":
                invoice, _ = bench.paid_invoice()
                return {"invoice_id": invoice, "currency": "USD", "subtotal_minor": 100,
                        "total_minor": 100, "issued_on": date(2026, 3, 9)}  # fmt: skip
            case "refund":
                return {"credit_note_id": bench.credit_note(), "amount_minor": 200,
                        "currency": "USD", "refunded_at": now}  # fmt: skip
        assert entity == "usage"
        subscription = bench.subscription(metered=True)
        (item,) = bench.stand_in.site.get("subscription", subscription)["subscription_items"]
        return {"subscription_id": subscription, "item_id": item["item_price_id"],
                "quantity": "3.5", "starts_at": now}  # fmt: skip

    def changed(self, entity: str) -> dict[str, Any]:
        usual = {
            "customer": {"name": "Other", "email": "b@example.com", "tax_id": "DE123456789"},
            "price": {"unit_amount": "13", "currency": "USD"},
        }
        return usual.get(entity, {"name": "Other", "active": False})

    def webhook(self, bench: Any) -> Webhook:
        event = {
            "id": "ev_1", "occurred_at": 1_700_000_000, "source": "api", "object": "event",
            "api_version": "v2", "event_type": "payment_succeeded", "webhook_status": "scheduled",
            "content": {
                "transaction": {"id": "txn_1", "object": "transaction", "type": "payment"},
                "invoice": {"id": "7", "object": "invoice"},
                "customer": {"id": "c1", "object": "customer"},
            },
        }  # fmt: skip
        body = json.dumps(event).encode()
        login = bench.stand_in.credentials()
        user, password = login["webhook_user"], login["webhook_password"]
        named = frozenset({("payment", "txn_1"), ("invoice", "7"), ("customer", "c1")})
        forged = (
            ({}, body),
            (self.login(user, password + "x"), body),
            (self.login("other", password), body),
            ({"Authorization": "Basic !"}, body),
        )
        return Webhook(self.login(user, password), body, named, forged)

    def login(self, user: str, password: str) -> dict[str, str]:
        return {
            "Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        }


class OnlyReading(Chargebee):
    """What a site with Product Catalog 1.0 lets us do: its plans, addons and subscriptions are
    read, and nothing is made of them; usage is known to 2.0 only."""

    can: ClassVar[Mapping[str, Can]] = {
        entity: can & ~(Can.FIND | Can.CREATE | Can.UPDATE | Can.ARCHIVE)
        if entity in ("product", "price", "subscription")
        else can
        for entity, can in Chargebee.can.items()
    }


class TestChargebeeWithTheOlderCatalog(TestChargebee):
    connector_class = OnlyReading
    excused: ClassVar[Mapping[str, str]] = {"usage": "belongs to Product Catalog 2.0"}

    def new_bench(self) -> Bench:
        return ChargebeeBench(catalog=1)


class TestChargebeeBehind(TestChargebee):
    """The same where lists are five minutes behind, as much as Chargebee allows itself."""

    several_pages: ClassVar[tuple[str, ...]] = ("customer",)

    def new_bench(self) -> Bench:
        return ChargebeeBench(list_lag_seconds=300)

    def fill(self, bench: Any, entity: str) -> None:
        super().fill(bench, entity)
        bench.clock.move(301)

    def fields(self, bench: Any, entity: str, connector: Connector) -> dict[str, Any]:
        found = super().fields(bench, entity, connector)
        bench.clock.move(301)  # the list of item families shows its only one by now
        return found


@pytest.mark.parametrize("catalog", [1, 2])
def test_the_limit_of_a_site_is_never_met(catalog: int) -> None:
    bench = ChargebeeBench(catalog=catalog)
    for _ in range(1200):
        bench.stand_in.load([("customer", {"id": f"c{_}", "created_at": 1, "updated_at": 1})])
    connector = bench.connector()
    for _ in range(30):
        assert sum(len(page.records) for page in connector.pull("customer")) == 1200
    assert bench.count("GET", "/customers") == 30 * 12
    assert bench.refused == 0
    assert bench.slept > 60  # 360 calls at 90 a minute
