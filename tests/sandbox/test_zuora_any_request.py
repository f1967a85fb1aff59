"""Whatever a client sends: Zuora's stand-in answers, and its sums hold afterwards."""

from __future__ import annotations

import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.test import Client
from zuora_session import START

from tieout.sandbox import SandboxClock
from tieout.sandbox.zuora import ZuoraStandIn
from tieout.sandbox.zuora.objects import kinds
from tieout.sandbox.zuora.routes import TABLE

STRANGE: list[Any] = [
    None, True, 0, -1, 3, 10**30, 1.5, "", "x", "null", "2026-13-45", "2026-02-01", "NaN", "1e999",
    "é\x00", "'", [], [None], [1], ["x"], [[]], [{}], {}, {"x": 1}, {"a": {"b": []}}, "9" * 400,
    "2026-02-01T00:00:00Z", "Infinity", "Posted", "USD", "Month", 0.001, [{"amount": "x"}],
]  # fmt: skip
ACTIONS = [("POST", "/v1/action/query"), ("POST", "/v1/action/queryMore"),
           ("POST", "/v1/batch-query/"), ("POST", "/v1/object/export"), ("POST", "/query/jobs"),
           ("GET", "/query/jobs"), ("GET", "/v1/notification-history/callout")]  # fmt: skip
QUERIES = [("pageSize", "0"), ("pageSize", "²"), ("page", "-3"), ("page", "٣"), ("cursor", "AAAA"),
           ("cursor", "W10="), ("cursor", "bnVsbA=="), ("filter[]", "updateddate.GE:x"),
           ("filter[]", "id.IN:[]"), ("filter[]", "balance.GT:1e9999"), ("filter[]", "name.SW:'"),
           ("filter[]", "...:"), ("sort[]", ".ASC"), ("sort[]", "name.ASC"), ("expand[]", "a.b.c"),
           ("startTime", "2026"), ("dateFilterOption", "x"), ("account.fields[]", "id,,x"),
           ("pageSize", "9" * 30), ("includeNullFields", "true"),
           ("filter[]", "updateddate.GE:9999-99-99T00:00:00Z")]  # fmt: skip

_PERSON = {"firstName": "Ada", "lastName": "Byron"}
_ITEM = {"amount": 7, "serviceStartDate": "2026-01-01", "serviceEndDate": "2026-01-31",
         "quantity": 1, "unitPrice": 7, "taxItems": [{"taxAmount": 1, "name": "VAT"}]}  # fmt: skip
_ACTION = {
    "type": "CreateSubscription",
    "triggerDates": [{"name": "ContractEffective", "triggerDate": "2026-02-01"}],
    "createSubscription": {
        "terms": {"initialTerm": {"period": 12, "periodType": "Month", "termType": "TERMED"},
                  "renewalTerms": [{"period": 1, "periodType": "Month"}], "autoRenew": True},
        "subscribeToRatePlans": [{
            "productRatePlanId": "ID", "chargeOverrides": [{"productRatePlanChargeId": "ID",
            "pricing": {"recurringPerUnit": {"listPrice": 3, "quantity": 2}}}],
        }],
    },
}  # fmt: skip
_PAY = [{"invoiceId": "ID", "amount": 3}]
# What each call takes; a few of its values are then made strange. "ID" is one of what is there.
GOOD: dict[str, Any] = {
    "POST /v1/accounts": {"name": "A", "currency": "USD", "billToContact": _PERSON,
                          "soldToContact": _PERSON, "paymentTerm": "Net 30", "billCycleDay": 1},
    "POST /v1/contacts": {"accountId": "ID", **_PERSON},
    "POST /v1/invoices": {"accountId": "ID", "invoiceDate": "2026-01-31", "status": "Posted",
                          "invoiceItems": [_ITEM, _ITEM], "dueDate": "2026-02-28"},
    "POST /v1/invoices/batch": {"invoices": [
        {"accountId": "ID", "invoiceDate": "2026-01-31", "invoiceItems": [_ITEM]}]},
    "PUT /v1/invoices/{key}": {"invoiceItems": [_ITEM], "status": "Posted",
                               "dueDate": "2026-03-01"},
    "POST /v1/invoices/{key}/creditmemos": {"items": [{"invoiceItemId": "ID", "amount": 2}],
                                            "autoPost": True, "effectiveDate": "2026-02-01"},
    "POST /v1/payments": {"accountId": "ID", "amount": 50, "currency": "USD", "type": "External",
                          "paymentMethodType": "Cash", "invoices": _PAY,
                          "effectiveDate": "2026-02-01"},
    "PUT /v1/payments/{key}/{apply|unapply|cancel|transfer}": {"invoices": _PAY, "accountId": "ID"},
    "PUT /v1/creditmemos/{key}/{post|unpost|cancel|apply|unapply}": {"invoices": _PAY},
    "POST /v1/payments/{key}/refunds": {"totalAmount": 3, "type": "External", "methodType": "Cash"},
    "POST /v1/creditmemos": {"accountId": "ID", "autoPost": True,
                             "charges": [{"productRatePlanChargeId": "ID", "amount": 9}]},
    "POST /v1/debitmemos": {"accountId": "ID", "autoPost": True, "dueDate": "2026-02-01",
                            "charges": [{"productRatePlanChargeId": "ID", "amount": 9}]},
    "POST /v1/orders": {"orderDate": "2026-02-01", "existingAccountNumber": "A00000001",
                        "subscriptions": [{"orderActions": [_ACTION]}]},
    "POST /v1/journal-entries": {
        "journalEntryDate": "2026-02-01", "accountingPeriodName": "2026", "currency": "USD",
        "journalEntryItems": [{"accountingCodeName": "C", "type": "Debit", "amount": 3},
                              {"accountingCodeName": "D", "type": "Credit", "amount": 3}]},
    "POST /v1/accounting-periods": {"name": "2026", "startDate": "2026-01-01",
                                    "endDate": "2026-12-31", "fiscalYear": 2026},
    "POST /v1/action/{create|update|delete}": {
        "type": "Product", "ids": ["ID"], "objects": [
            {"Id": "ID", "Name": "P", "EffectiveStartDate": "2026-01-01",
             "EffectiveEndDate": "2099-01-01"}]},
    "POST /v1/object/{type}": {
        "Name": "P", "ProductId": "ID", "ProductRatePlanId": "ID",
        "ChargeModel": "Flat Fee Pricing", "ChargeType": "Recurring",
        "BillCycleType": "DefaultFromCustomer", "BillingPeriod": "Month",
        "TriggerEvent": "ContractEffective", "UseDiscountSpecificAccountingCode": False,
        "ProductRatePlanChargeTierData": {"ProductRatePlanChargeTier": [{"Price": 3}]},
        "UOM": "GB", "Quantity": 1, "StartDateTime": "2026-01-01T00:00:00Z", "AccountId": "ID",
        "EffectiveStartDate": "2026-01-01", "EffectiveEndDate": "2099-01-01"},
    "PUT /v1/object/{type}/{key}": {"Name": "Q", "EffectiveEndDate": "2026-01-01"},
    "POST /query/jobs": {"query": "select id from account where balance > 3",
                         "outputFormat": "JSON", "compression": "NONE", "output": {"target": "S3"}},
    "POST /v1/action/query": {"queryString": "select Id, Name from Account where Balance > 3"},
    "POST /v1/batch-query/": {"format": "csv", "version": "1.2", "name": "n", "queries": [
        {"name": "q", "query": "select Account.Id from Account", "type": "zoqlexport"}]},
}  # fmt: skip


def names(good: Any) -> set[str]:
    if isinstance(good, list):
        return set().union(*map(names, good))
    if not isinstance(good, dict):
        return set()
    return set(good).union(*map(names, good.values()))


WORDS = [
    *sorted(names(list(GOOD.values()))), "debitMemos", "comment", "reasonCode", "notes",
    "cancelSubscription", "cancellationPolicy", "cancellationEffectiveDate", "orderNumber",
    "termsAndConditions", "customFields", "x__c", "autoApplyToInvoiceUponPosting", "refundDate",
]  # fmt: skip


class Caller:
    """Makes up requests; the same seed makes up the same ones."""

    def __init__(self, seed: int, *, settlement: bool = True) -> None:
        self.chance = random.Random(seed)
        self.zuora = ZuoraStandIn(
            SandboxClock(START), seed=seed, limits=False, settlement=settlement
        )
        self.http = Client(self.zuora.wsgi)
        keys = self.zuora.credentials()
        form = {"client_id": keys["client_id"], "client_secret": keys["client_secret"]}
        form["grant_type"] = "client_credentials"
        token = json.loads(self.http.post("/oauth/token", data=form).get_data())["access_token"]
        self.login = {"Authorization": f"Bearer {token}"}
        self._begin()

    def _begin(self) -> None:
        for currency in ("USD", "JPY"):
            sent = {"name": "A", "currency": currency, "billToContact": _PERSON}
            account = self.send("POST", "/v1/accounts", sent)[1]["accountId"]
            item = {"amount": 100, "serviceStartDate": "2026-01-01"}
            for _ in range(3):
                self.send("POST", "/v1/invoices", {
                    "accountId": account, "invoiceDate": "2026-01-31", "status": "Posted",
                    "invoiceItems": [item],
                })  # fmt: skip
            if self.zuora.tenant.settlement:
                pay = {"accountId": account, "amount": 500, "currency": currency,
                       "type": "External", "paymentMethodType": "Cash"}  # fmt: skip
                self.send("POST", "/v1/payments", pay)
                charge = {"productRatePlanChargeId": "c", "amount": 70}
                memo = {"accountId": account, "charges": [charge], "autoPost": True}
                self.send("POST", "/v1/creditmemos", memo)
                self.send("POST", "/v1/debitmemos", memo)

    def send(self, method: str, path: str, body: Any, **more: Any) -> tuple[int, Any]:
        told = self.http.open(
            path, method=method, headers={**self.login, "Content-Type": "application/json"},
            data=body if isinstance(body, bytes) else json.dumps(body), **more,
        )  # fmt: skip
        text = told.get_data()
        return told.status_code, json.loads(text) if text[:1] in b"{[" and text else text

    def ids(self) -> list[str]:
        shelves = self.zuora.books.shelves
        found = [id for shelf in shelves.values() for id in list(shelf)[:20]]
        return [*found, "none", "A00000001"]

    def request(self) -> tuple[str, str, Any]:
        """Method, path and body: strange through and through, or right but for a few values."""
        if self.chance.random() < 0.6:
            route = self.chance.choice(list(GOOD))
            method, _, path = route.partition(" ")
            return (*self.path(method, path), self.spoilt(GOOD[route]))
        routes = [(m, p) for m, p, _ in TABLE] + ACTIONS
        return (*self.path(*self.chance.choice(routes)), self.body())

    def spoilt(self, good: Any) -> Any:
        if self.chance.random() < 0.04:
            return self.chance.choice(STRANGE)
        if isinstance(good, dict):
            return {name: self.spoilt(value) for name, value in good.items()}
        if isinstance(good, list):
            return [self.spoilt(value) for value in good]
        return self.chance.choice(self.ids()) if good == "ID" else good

    def path(self, method: str, path: str) -> tuple[str, str]:
        kind = self.chance.choice(list(kinds().values()))
        if self.chance.random() < 0.15:
            return "GET", f"/object-query/{kind.path or 'x'}"
        while "{" in path:
            head, _, rest = path.partition("{")
            name, _, tail = rest.partition("}")
            value = self.chance.choice(name.split("|") if "|" in name else self.ids())
            if name == "type":
                value = self.chance.choice([kind.object, kind.table, "nothing"])
            path = head + value + tail
        return method, path

    def value(self, name: str, depth: int) -> Any:
        if self.chance.random() < 0.25:
            return self.chance.choice(STRANGE)
        if name.lower().endswith(("id", "number", "key")):
            return self.chance.choice(self.ids())
        if name in ("invoices", "items", "subscriptions", "charges", "orderActions", "objects",
                    "invoiceItems", "journalEntryItems", "debitMemos"):  # fmt: skip
            return [self.body(depth + 1) for _ in range(self.chance.randint(0, 3))]
        if name in ("terms", "initialTerm", "createSubscription", "billToContact", "pricing"):
            return self.body(depth + 1)
        return self.chance.choice([5, 10, "2026-02-03", "External", "Month", 12, "Draft", "USD"])

    def body(self, depth: int = 0) -> Any:
        if depth > 3 or self.chance.random() < 0.03:
            return self.chance.choice(STRANGE)
        names = self.chance.sample(WORDS, self.chance.choice([2, 8, 25]))
        return {name: self.value(name, depth) for name in names}


@pytest.mark.parametrize("seed", range(6))
def test_any_request_is_answered_and_leaves_sound_books(seed: int) -> None:
    caller, done = Caller(seed, settlement=seed < 5), Counter[int]()
    for _ in range(700):
        method, path, sent = caller.request()
        if caller.chance.random() < 0.02:
            sent = b"{"
        query = caller.chance.sample(QUERIES, caller.chance.choice([0, 0, 1, 2]))
        status, told = caller.send(method, path, sent, query_string=dict(query))
        assert 200 <= status < 500, (method, path, query, sent, told)
        done[status] += status != 200 or not isinstance(told, dict) or told.get("success", True)
    assert done[200] > 100
    assert caller.zuora.misread == []
    sound(caller.zuora)


def sound(zuora: ZuoraStandIn) -> None:
    shelves = zuora.books.shelves
    for payment in shelves["payment"].values():
        parts = zuora.books.children("paymentpart", "paymentId", payment.id)
        applied = sum((one.amount("amount") for one in parts), Decimal(0))
        assert applied == payment.amount("appliedAmount")
    for memo in shelves["creditmemo"].values():
        used = memo.amount("appliedAmount") + memo.amount("refundAmount")
        assert memo.amount("balance") == memo.amount("totalAmount") - used
        items = zuora.books.children("creditmemoitem", "creditMemoId", memo.id)
        for name, whole in (("appliedAmount",) * 2, ("refundAmount",) * 2):
            assert sum(one.amount(name) for one in items) == memo.amount(whole)
        assert sum(one.amount("unappliedAmount") for one in items) == memo.amount("balance")
    for invoice in shelves["invoice"].values():
        items = zuora.books.children("invoiceitem", "invoiceId", invoice.id)
        taxes = [
            tax
            for one in items
            for tax in zuora.books.children("taxationitem", "invoiceItemId", one.id)
        ]
        left = sum(one.amount("balance") for one in [*items, *taxes])
        assert left == invoice.amount("balance"), invoice.row
    for debit in shelves["debitmemo"].values():
        items = zuora.books.children("debitmemoitem", "debitMemoId", debit.id)
        assert sum(one.amount("balance") for one in items) == debit.amount("balance")


def test_several_rows_are_applied_or_none() -> None:
    caller = Caller(1)
    (account,) = [a for a in caller.zuora.books.shelves["account"].values()
                  if a.row["currency"] == "USD"]  # fmt: skip
    mine = [one for one in caller.zuora.books.shelves["invoice"].values()
            if one.row["accountId"] == account.id]  # fmt: skip
    for table, path in (("payment", "payments"), ("creditmemo", "creditmemos")):
        held = next(
            one for one in caller.zuora.books.shelves[table].values()
            if one.row["accountId"] == account.id
        )  # fmt: skip
        before = [dict(one.row) for one in (account, held, *mine)]
        rows = [{"invoiceId": mine[0].id, "amount": 10}, {"invoiceId": mine[1].id, "amount": 10**6}]
        _, told = caller.send("PUT", f"/v1/{path}/{held.id}/apply", {"invoices": rows})
        assert told["success"] is False
        assert [dict(one.row) for one in (account, held, *mine)] == before
        assert not caller.zuora.books.children(f"{table}part", "invoiceId", mine[0].id)
    rows[1]["amount"] = 5
    _, told = caller.send("PUT", f"/v1/{path}/{held.id}/apply", {"invoices": rows})
    assert told["success"] is True
    assert [one.amount("balance") for one in mine] == [90, 95, 100]
