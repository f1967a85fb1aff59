"""Stripe keeps every promise of a connector, against its stand-in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
import stripe as official
from werkzeug.test import Client

from tieout.connectors.base import Connector
from tieout.connectors.stripe import Stripe
from tieout.connectors.stripe.kinds import KINDS
from tieout.core.entities import Line
from tieout.sandbox import SandboxClock
from tieout.sandbox.stripe import StripeStandIn
from tieout.testing import Bench, ConnectorContract, Webhook

START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
PRICE = {"id": "price_1", "object": "price", "product": "prod_1", "billing_scheme": "per_unit"}
INVOICE = {"id": "in_1", "object": "invoice", "status": "open", "customer": "cus_1"}


class TestStripe(ConnectorContract):
    connector_class = Stripe
    excused: ClassVar[Mapping[str, str]] = {
        "dispute": "banks make them; tests/connectors/test_stripe_sandbox.py reads them",
        "payout": "Stripe makes them of themselves while time passes",
        "contract": "the stand-in serves schedules that were loaded, and makes none",
        "usage": "by customer and day: tests/connectors/test_stripe_sandbox.py",
    }
    money: ClassVar[Any] = [
        ("invoice", INVOICE | {"currency": "usd", "total": 1230}, "total_minor", 1230),
        ("invoice", INVOICE | {"currency": "jpy", "total": 500}, "total_minor", 500),
        ("invoice", INVOICE | {"currency": "bhd", "total": 1230}, "total_minor", 1230),
        ("invoice", INVOICE | {"currency": "isk", "total": 500}, "total_minor", 5),
    ]
    unknown_words: ClassVar[Any] = [
        ("invoice", INVOICE | {"currency": "usd", "status": "pondering"}, "status"),
    ]

    def new_bench(self) -> Bench:
        stand_in = StripeStandIn(SandboxClock(START), seed=9, automatic_payouts=False)
        bench = Bench(stand_in.wsgi, stand_in.clock, error_answer=stand_in.error_answer)
        bench.stand_in = stand_in  # type: ignore[attr-defined]
        return bench

    def settings(self, bench: Any) -> dict[str, Any]:
        # So fast that pacing takes no part of the clock.
        quick = {"calls_per_second": 1000, "endpoint_calls_per_second": 1000}
        return bench.stand_in.credentials() | {"base_url": bench.base_url} | quick

    # what another user of the account does, with nothing but the API

    def ask(self, bench: Any, method: str, path: str, **form: Any) -> Any:
        key = bench.stand_in.credentials()["api_key"]
        text = urlencode(form)
        where: Any = {"query_string": text} if method == "GET" else {"data": text}
        kind = None if method == "GET" else "application/x-www-form-urlencoded"
        while True:
            told = Client(bench.stand_in.wsgi).open(
                path, method=method, headers={"Authorization": f"Bearer {key}"},
                content_type=kind, **where,
            )  # fmt: skip
            if told.status_code != 429:
                break
            bench.clock.move(1)
        assert told.status_code == 200, told.get_data()
        return json.loads(told.get_data())

    def post(self, bench: Any, path: str, **form: Any) -> Any:
        return self.ask(bench, "POST", f"/v1/{path}", **form)

    def rows(self, bench: Any, entity: str) -> list[Any]:
        kind, found = KINDS[entity], []
        for path in filter(None, (kind.path, kind.also)):
            after: dict[str, str] = {}
            while True:
                asked = {**dict(kind.params), "limit": 100, **after}
                page = self.ask(bench, "GET", path, **asked)
                found += page["data"]
                if not page["has_more"]:
                    break
                after = {"starting_after": page["data"][-1]["id"]}
        return [one for one in found if not one.get("payment_intent") or entity != "payment"]

    def held(self, bench: Any, entity: str) -> set[str]:
        return {one["id"] for one in self.rows(bench, entity)}

    def fill(self, bench: Any, entity: str) -> None:
        many = 130 if entity in ("customer", "product") else 4
        for number in range(many):
            self.one(bench, entity, number)

    def one(self, bench: Any, entity: str, number: int) -> str:
        match entity:
            case "customer" | "product":
                return str(self.post(bench, f"{entity}s", name=f"N{number}")["id"])
            case "price":
                product = self.one(bench, "product", number)
                made = self.post(bench, "prices", product=product, currency="usd", unit_amount=5)
                return str(made["id"])
        payer = self.post(bench, "customers", name="P", payment_method="pm_card_visa")["id"]
        if entity == "subscription":
            price = self.post(
                bench, "prices", product=self.one(bench, "product", 0), currency="usd",
                unit_amount=5, **{"recurring[interval]": "year"},
            )["id"]  # fmt: skip
            items = {"items[0][price]": price}
            return str(self.post(bench, "subscriptions", customer=payer, **items)["id"])
        invoice = self.post(bench, "invoices", customer=payer)["id"]
        self.post(bench, "invoiceitems", customer=payer, invoice=invoice, amount=2000,
                  currency="usd")  # fmt: skip
        self.post(bench, f"invoices/{invoice}/finalize")
        if entity == "invoice":
            return str(invoice)
        if entity == "credit_note":
            return str(self.post(bench, "credit_notes", invoice=invoice, amount=100)["id"])
        paid = self.post(bench, f"invoices/{invoice}/pay", **{"expand[]": "payments"})
        intent = paid["payments"]["data"][0]["payment"]["payment_intent"]
        if entity == "payment":
            return str(intent)
        return str(self.post(bench, "refunds", payment_intent=intent, amount=50)["id"])

    def touch(self, bench: Any, entity: str) -> str:
        known = getattr(bench, "touched", set())
        id = min(self.held(bench, entity) - known)
        bench.touched = {*known, id}
        if entity == "payment":  # Stripe tells of no change of a PaymentIntent's metadata
            self.post(bench, "refunds", payment_intent=id, amount=10)
            return id
        self.ask(bench, "POST", f"{KINDS[entity].path}/{id}", **{"metadata[seen]": "yes"})
        return id

    def remove(self, bench: Any, entity: str) -> str:
        if entity == "invoice":
            customer = self.one(bench, "customer", 0)
            id = str(self.post(bench, "invoices", customer=customer)["id"])
        elif entity == "price":
            pytest.skip("prices are deleted on Stripe's own pages only")
        else:
            id = self.one(bench, entity, 999)
        self.ask(bench, "DELETE", f"{KINDS[entity].path}/{id}")
        return id

    def fields(self, bench: Any, entity: str, connector: Connector) -> dict[str, Any]:
        match entity:
            case "customer":
                return {"name": "Ada Ltd", "email": "ada@example.com"}
            case "product":
                return {"name": "Gold", "active": True}
            case "price":
                return {"product_id": self.one(bench, "product", 1), "currency": "USD",
                        "unit_amount": "12.5", "scheme": "per_unit", "active": True}  # fmt: skip
            case "invoice":
                line = Line(description="Work", quantity="1", amount_minor=2000)
                return {"customer_id": self.one(bench, "customer", 1), "currency": "USD",
                        "status": "open", "due_on": date(2026, 4, 20), "lines": (line,),
                        "subtotal_minor": 2000, "total_minor": 2000}  # fmt: skip
        assert entity == "credit_note"
        invoice = self.one(bench, "invoice", 1)
        return {"invoice_id": invoice, "currency": "USD", "total_minor": 100,
                "subtotal_minor": 100}  # fmt: skip

    def changed(self, entity: str) -> dict[str, Any]:
        if entity == "credit_note":
            pytest.skip("of a credit note only metadata can be changed")
        usual = {"price": {"active": False}, "invoice": {"memo": "Thank you"}}
        return usual.get(entity, {"name": "Other"})

    def webhook(self, bench: Any) -> Webhook:
        inner = {"id": "in_1", "object": "invoice"}
        event = {"id": "evt_1", "object": "event", "type": "invoice.updated", "livemode": False,
                 "data": {"object": inner}}  # fmt: skip
        body = json.dumps(event).encode()
        secret = bench.stand_in.credentials()["webhook_secret"]
        at = int(bench.clock.now().timestamp())
        headers = {"Stripe-Signature": self.signature(body, secret, at)}
        old = {"Stripe-Signature": self.signature(body, secret, at - 400)}
        other = {"Stripe-Signature": self.signature(body, "whsec_other", at)}
        forged = ((headers, body + b" "), (old, body), (other, body), ({}, body))
        return Webhook(headers, body, frozenset({("invoice", "in_1")}), forged)

    def signature(self, body: bytes, secret: str, at: int) -> str:
        """By Stripe's own client."""
        signed = official.WebhookSignature._compute_signature(f"{at}.{body.decode()}", secret)
        return f"t={at},v1={signed}"
