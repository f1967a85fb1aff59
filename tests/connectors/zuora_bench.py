"""Zuora's stand-in in this process, and what another user of the tenant does there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from werkzeug.test import Client

from tieout.connectors.zuora import Zuora, ZuoraConfig
from tieout.core.ports import HttpAnswer, HttpRequest
from tieout.sandbox import SandboxClock
from tieout.sandbox.zuora import ZuoraStandIn
from tieout.sandbox.zuora.books import Record
from tieout.testing import Bench

START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
TABLES = {
    "customer": "account", "contact": "contact", "product": "product",
    "subscription": "subscription", "contract": "orders", "payment": "payment",
    "credit_note": "creditmemo", "refund": "refund", "usage": "usage",
    "journal_entry": "journalentry",
}  # fmt: skip
NUMBERED = {"subscription": "name", "contract": "orderNumber", "journal_entry": "number"}


class ZuoraBench(Bench):
    """`settlement` is Invoice Settlement; further names are the stand-in's own settings."""

    def __init__(self, start: datetime = START, *, settlement: bool = True, **more: Any) -> None:
        self.stand_in = ZuoraStandIn(SandboxClock(start), seed=9, settlement=settlement, **more)
        self.books = self.stand_in.books
        self.refused: list[str] = []
        self._token = ""
        self._ends = start
        super().__init__(
            self.stand_in.wsgi,
            self.stand_in.clock,
            error_answer=self.stand_in.error_answer,
            expire_tokens=self.stand_in.expire_tokens,
        )

    def _ask(self, request: HttpRequest, parts: Any) -> HttpAnswer:
        answer = super()._ask(request, parts)
        if answer.status == 429:
            self.refused.append(f"{request.method} {parts.path}")
        return answer

    def settings(self, **more: Any) -> dict[str, Any]:
        # So fast that pacing takes no part of the clock.
        quick = {"calls_per_minute": 60_000, "page_size": 10}
        return self.stand_in.credentials() | {"base_url": self.base_url} | quick | more

    def connector(self, **more: Any) -> Zuora:
        return Zuora(ZuoraConfig.model_validate(self.settings(**more)), self.ports, where="zuora")

    # what another user does

    def log_in(self) -> str:
        now = self.clock.now()
        if now >= self._ends:
            keys = self.stand_in.credentials()
            form = {name: keys[name] for name in ("client_id", "client_secret")}
            form["grant_type"] = "client_credentials"
            told = Client(self.stand_in.wsgi).post("/oauth/token", data=form)
            self._token = json.loads(told.get_data())["access_token"]
            self._ends = now + timedelta(minutes=50)
        return self._token

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A call that must succeed."""
        told = Client(self.stand_in.wsgi).open(
            path, method=method, headers={"Authorization": f"Bearer {self.log_in()}"}, json=body
        )
        if told.status_code == 401:  # every token was ended
            self._ends = self.clock.now()
            return self.do(method, path, body)
        found = json.loads(told.get_data(), parse_float=Decimal)
        assert told.status_code == 200, found
        assert isinstance(found, list) or found.get("success", found.get("Success", True)), found
        return found

    def account(self, name: str = "Ada Ltd", currency: str = "USD") -> str:
        person = {"firstName": "Ada", "lastName": "Byron", "country": "United Kingdom"}
        sent = {"name": name, "currency": currency, "billToContact": person}
        return str(self.do("POST", "/v1/accounts", sent)["accountId"])

    def product(self, name: str = "Gold") -> str:
        dates = {"EffectiveStartDate": "2026-01-01", "EffectiveEndDate": "2099-12-31"}
        return str(self.do("POST", "/v1/object/product", {"Name": name, **dates})["Id"])

    def price(self, *currencies: str) -> str:
        """A charge per unit; its tiers are in these currencies."""
        plan = {"Name": "Plan", "ProductId": self.product()}
        tiers = [{"Price": 5, "Currency": each} for each in currencies or ("USD",)]
        charge = {
            "Name": "Seat", "ChargeModel": "Per Unit Pricing", "ChargeType": "Recurring",
            "BillingPeriod": "Month", "BillCycleType": "DefaultFromCustomer", "UOM": "Each",
            "TriggerEvent": "ContractEffective", "UseDiscountSpecificAccountingCode": False,
            "ProductRatePlanId": self.do("POST", "/v1/object/product-rate-plan", plan)["Id"],
            "ProductRatePlanChargeTierData": {"ProductRatePlanChargeTier": tiers},
        }  # fmt: skip
        return str(self.do("POST", "/v1/object/product-rate-plan-charge", charge)["Id"])

    def order(self, account: str | None = None) -> Any:
        charge = self.books.shelves["productrateplancharge"][self.price()]
        number = self.books.shelves["account"][account or self.account()].row["accountNumber"]
        terms = {"initialTerm": {"period": 12, "periodType": "Month", "termType": "TERMED"},
                 "autoRenew": True}  # fmt: skip
        made = {"terms": terms, "subscribeToRatePlans": [
            {"productRatePlanId": charge.row["productRatePlanId"]}
        ]}  # fmt: skip
        action = {"type": "CreateSubscription", "createSubscription": made}
        sent = {"orderDate": self.books.today(), "existingAccountNumber": number,
                "subscriptions": [{"orderActions": [action]}]}  # fmt: skip
        return self.do("POST", "/v1/orders", sent)

    def change_order(self, subscription: str, kind: str = "RenewSubscription", **more: Any) -> Any:
        """A further version of a subscription."""
        record = self.books.get("subscription", subscription)
        account = self.books.get("account", record.row["accountId"])
        action = {"type": kind, **more}
        sent = {
            "orderDate": self.books.today(),
            "existingAccountNumber": account.row["accountNumber"],
            "subscriptions": [{"subscriptionNumber": subscription, "orderActions": [action]}],
        }
        return self.do("POST", "/v1/orders", sent)

    def invoice(self, account: str | None = None, amount: Any = 100, **more: Any) -> str:
        item = {"amount": amount, "serviceStartDate": "2026-03-01", "chargeName": "Work"}
        sent = {"accountId": account or self.account(), "invoiceDate": "2026-03-10",
                "status": "Posted", "invoiceItems": [item], **more}  # fmt: skip
        return str(self.do("POST", "/v1/invoices", sent)["id"])

    def payment(self, account: str | None = None, amount: Any = 40, **more: Any) -> str:
        account = account or self.account()
        currency = self.books.shelves["account"][account].row["currency"]
        sent = {"accountId": account, "amount": amount, "currency": currency,
                "type": "External", "paymentMethodType": "Check", **more}  # fmt: skip
        return str(self.do("POST", "/v1/payments", sent)["id"])

    def credit_memo(self, account: str | None = None, amount: Any = 30, **more: Any) -> str:
        charge = {"productRatePlanChargeId": self.price(), "amount": amount}
        sent = {"accountId": account or self.account(), "charges": [charge], "autoPost": True}
        return str(self.do("POST", "/v1/creditmemos", sent | more)["id"])

    def debit_memo(self, account: str | None = None, amount: Any = 12) -> str:
        charge = {"productRatePlanChargeId": self.price(), "amount": amount}
        sent = {"accountId": account or self.account(), "charges": [charge], "autoPost": True}
        return str(self.do("POST", "/v1/debitmemos", sent)["id"])

    def refund(self, payment: str | None = None, amount: Any = 10) -> str:
        sent = {"totalAmount": amount, "type": "External", "methodType": "Check"}
        path = f"/v1/payments/{payment or self.payment()}/refunds"
        return str(self.do("POST", path, sent)["id"])

    def usage(self, account: str | None = None) -> str:
        sent = {"AccountId": account or self.account(), "UOM": "GB", "Quantity": 1.5,
                "StartDateTime": "2026-03-09T00:00:00Z"}  # fmt: skip
        return str(self.do("POST", "/v1/object/usage", sent)["Id"])

    def period(self) -> str:
        """The accounting period of the whole year."""
        if not self.books.shelves["accountingperiod"]:
            sent = {"name": "2026", "startDate": "2026-01-01", "endDate": "2026-12-31",
                    "fiscalYear": 2026}  # fmt: skip
            self.do("POST", "/v1/accounting-periods", sent)
        return "2026"

    def journal(self) -> str:
        lines = [{"accountingCodeName": name, "type": side, "amount": 10}
                 for name, side in (("Cash", "Debit"), ("Sales", "Credit"))]  # fmt: skip
        sent = {"accountingPeriodName": self.period(), "currency": "USD",
                "journalEntryDate": "2026-03-10", "journalEntryItems": lines}  # fmt: skip
        return str(self.do("POST", "/v1/journal-entries", sent)["journalEntryNumber"])

    def one(self, entity: str) -> str:
        """A new record of an entity, with what it needs; its canonical id."""
        match entity:
            case "subscription":
                return str(self.order()["subscriptions"][0]["subscriptionNumber"])
            case "contract":
                return str(self.order()["orderNumber"])
            case "contact":
                sent = {"accountId": self.account(), "firstName": "Eve", "lastName": "Fox"}
                return str(self.do("POST", "/v1/contacts", sent)["id"])
        makers = {
            "customer": self.account, "product": self.product, "price": self.price,
            "invoice": self.invoice, "payment": self.payment, "credit_note": self.credit_memo,
            "refund": self.refund, "usage": self.usage, "journal_entry": self.journal,
        }  # fmt: skip
        return makers[entity]()

    # what is there

    def records(self, entity: str) -> list[Record]:
        """Living records, of subscriptions the latest versions."""
        shelves = self.books.shelves
        if entity == "invoice":
            return [*shelves["invoice"].values(), *shelves["debitmemo"].values()]
        if entity == "price":
            return list(shelves["productrateplancharge"].values())
        found = shelves[TABLES[entity]].values()
        return [one for one in found if one.row.get("isLatestVersion") is not False]

    def held(self, entity: str) -> set[str]:
        """The canonical ids of all living records."""
        if entity == "price":
            return {id for one in self.records(entity) for id in self._price_ids(one)}
        return {str(one.row[NUMBERED.get(entity, "id")]) for one in self.records(entity)}

    def _price_ids(self, charge: Record) -> list[str]:
        tiers = self.books.children(
            "productrateplanchargetier", "productRatePlanChargeId", charge.id
        )
        currencies = {str(one.row["currency"]) for one in tiers}
        return [f"{charge.id}:{each}" for each in currencies] if len(currencies) > 1 else [
            charge.id
        ]  # fmt: skip

    def record(self, entity: str, id: str) -> Record:
        name = NUMBERED.get(entity, "id")
        bare = id.partition(":")[0]
        return next(one for one in self.records(entity) if one.row[name] == bare)
