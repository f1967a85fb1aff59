"""Salesforce keeps every promise of a connector, against its stand-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from salesforce_org import BILLING, OBJECTS, QUICK, OrgBench

from tieout.connectors.base import Connector
from tieout.connectors.salesforce import Salesforce
from tieout.core.entities import Allocation, ContractLine
from tieout.testing import Bench, ConnectorContract, Webhook

MESSAGE = """\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound">
<OrganizationId>{org}</OrganizationId><ActionId>04k5g0000004CXgAAM</ActionId>
<SessionId xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>
<Notification><Id>04l5g0000000001AAA</Id>
<sObject xsi:type="sf:Account" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>0015g00000XyZabAAF</sf:Id></sObject>
</Notification></notifications></soapenv:Body></soapenv:Envelope>"""


class TestSalesforceOnTheStandIn(ConnectorContract):
    connector_class: ClassVar[type[Connector]] = Salesforce
    token_path: ClassVar[str] = "/services/oauth2/token"
    webhook_secrets: ClassVar[tuple[str, ...]] = ("webhook_token",)
    index_lag_seconds: ClassVar[float] = 0.0
    money: ClassVar[Sequence[tuple[str, Mapping[str, Any], str, int]]] = [
        ("opportunity", {"Id": "1", "Amount": 12.0, "CurrencyIsoCode": "JPY"}, "amount_minor", 12),
        ("opportunity", {"Id": "1", "Amount": 12.5, "CurrencyIsoCode": "EUR"},
         "amount_minor", 1250),
        ("opportunity", {"Id": "1", "Amount": 0.125, "CurrencyIsoCode": "KWD"},
         "amount_minor", 125),
        ("credit_note", {"Id": "1", "Total__c": 2.5, "Currency__c": "BHD"}, "total_minor", 2500),
    ]  # fmt: skip
    unknown_words: ClassVar[Sequence[tuple[str, Mapping[str, Any], str]]] = [
        ("contract", {"Id": "1", "StatusCode": "Paused"}, "status"),
        ("opportunity", {"Id": "1", "Type": "Odd"}, "kind"),
        ("payment", {"Id": "1", "Status__c": "lost"}, "status"),
    ]

    def new_bench(self) -> OrgBench:
        return OrgBench(page_size=200)

    def settings(self, bench: Bench) -> dict[str, Any]:
        assert isinstance(bench, OrgBench)
        known = bench.stand_in.credentials()
        return {**known, "base_url": bench.base_url, "objects": BILLING, "page_size": 200, **QUICK}

    def held(self, bench: Bench, entity: str) -> set[str]:
        assert isinstance(bench, OrgBench)
        found = bench.ids(OBJECTS[entity])
        return found | bench.ids("Contract") if entity == "contract" else found

    def fill(self, bench: Bench, entity: str) -> None:
        assert isinstance(bench, OrgBench)
        if entity in ("customer", "product"):  # more than a page
            bench.many(OBJECTS[entity], [{"Name": f"N{n}"} for n in range(230)])
            return
        for _ in range(4):
            bench.one(entity)

    def touch(self, bench: Any, entity: str) -> str:
        known = getattr(bench, "touched", set())
        id = min(self.held(bench, entity) - known)
        bench.touched = {*known, id}
        object = "Contract" if id.startswith("800") else OBJECTS[entity]
        bench.stand_in.touch(object, id)
        return id

    def remove(self, bench: Bench, entity: str) -> str:
        assert isinstance(bench, OrgBench)
        if entity == "contract":  # what is active cannot be deleted
            id = bench.make(
                "Order", AccountId=bench.account(), EffectiveDate="2026-03-01", Status="Draft"
            )
        else:
            id = bench.one(entity)
        bench.delete(OBJECTS[entity], id)
        return id

    def fields(self, bench: Bench, entity: str, connector: Connector) -> dict[str, Any]:
        assert isinstance(bench, OrgBench)
        if entity == "product":
            return {"name": "Gold", "sku": "G1", "active": True}
        if entity == "price":
            return {"product_id": bench.one("product"), "unit_amount": "12.5", "currency": "USD",
                    "active": True}  # fmt: skip
        if entity == "customer":
            return {"name": "Ada Ltd", "phone": "1"}
        money = {"customer_id": bench.account(), "currency": "USD"}
        match entity:
            case "contact":
                return {"customer_id": money["customer_id"], "first_name": "Ada",
                        "last_name": "King", "email": "ada@example.com"}  # fmt: skip
            case "opportunity":
                return {**money, "name": "Deal", "stage": "Prospecting", "amount_minor": 123450,
                        "close_on": date(2026, 3, 31)}  # fmt: skip
            case "contract":
                entry = bench.price(bench.one("product"))
                line = ContractLine(price_id=entry, quantity="2", unit_amount="9.5")
                return {"kind": "order", "customer_id": money["customer_id"], "status": "active",
                        "starts_on": date(2026, 2, 1), "lines": (line,)}  # fmt: skip
            case "invoice":
                return {**money, "number": "INV-1", "status": "open", "total_minor": 1050,
                        "issued_on": date(2026, 1, 31), "balance_minor": 1050}  # fmt: skip
            case "payment":
                paid = Allocation(invoice_id=bench.one("invoice"), amount_minor=1050)
                return {**money, "amount_minor": 1050, "status": "succeeded",
                        "allocations": (paid,)}  # fmt: skip
        return {**money, "number": "CN-1", "status": "issued", "total_minor": 100}

    def changed(self, entity: str) -> dict[str, Any]:
        return {
            "customer": {"name": "New name", "phone": None},
            "contact": {"last_name": "Lovelace"},
            "product": {"name": "New plan", "active": False},
            "price": {"unit_amount": "14.25"},
            "opportunity": {"stage": "Closed Won", "amount_minor": 4200, "currency": "USD"},
            "invoice": {"status": "paid", "balance_minor": 0},
            "payment": {"status": "failed"},
            "credit_note": {"status": "void"},
        }[entity]

    def webhook(self, bench: Bench) -> Webhook:
        assert isinstance(bench, OrgBench)
        known = bench.stand_in.credentials()
        body = MESSAGE.format(org=known["organization_id"][:15]).encode()
        other = MESSAGE.format(org="00D000000000001").encode()
        token = {"Tieout-Path-Token": known["webhook_token"]}
        touched = frozenset({("customer", "0015g00000XyZabAAF")})
        forged = (({}, body), ({"Tieout-Path-Token": "wrong"}, body), (token, other))
        return Webhook(token, body, touched, forged)
