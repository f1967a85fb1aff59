"""A Salesforce stand-in behind a bench, and what another user of the org does there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from werkzeug.test import Client

from tieout.connectors.base import Page
from tieout.connectors.salesforce import Salesforce, SalesforceConfig
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest
from tieout.sandbox import Faults, SandboxClock
from tieout.sandbox.salesforce import SalesforceStandIn
from tieout.testing import Bench

START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
DATA = "/services/data/v66.0"
OBJECTS = {
    "customer": "Account", "contact": "Contact", "product": "Product2", "price": "PricebookEntry",
    "opportunity": "Opportunity", "contract": "Order", "invoice": "TieOut_Invoice__c",
    "payment": "TieOut_Payment__c", "credit_note": "TieOut_Credit_Note__c",
}  # fmt: skip
BILLING = {name: {"object": OBJECTS[name]} for name in ("invoice", "payment", "credit_note")}
# So fast that pacing takes no part of the clock.
QUICK = {"calls_per_second": 1000}


class OrgBench(Bench):
    """The org, reached without a network."""

    def __init__(self, **options: Any) -> None:
        self.stand_in = SalesforceStandIn(SandboxClock(START), seed=7, **options)
        self.faults = Faults()
        super().__init__(
            self.faults.wrap(self.stand_in),
            self.stand_in.clock,
            error_answer=self.stand_in.error_answer,
            expire_tokens=self.stand_in.end_sessions,
        )
        self._http = Client(self.stand_in.wsgi, use_cookies=False)
        self._token = ""
        self._names = self._documents = 0

    def _ask(self, request: HttpRequest, parts: Any) -> HttpAnswer:
        try:
            answer = super()._ask(request, parts)
        except ConnectionResetError as error:
            raise AnswerLost(str(error)) from None
        if int(answer.headers.get("content-length", len(answer.body))) != len(answer.body):
            raise AnswerLost("the answer broke off")
        return answer

    def login(self, way: str = "secret") -> dict[str, Any]:
        """The settings of one login: `secret` (client credentials) or `key` (JWT bearer)."""
        known = self.stand_in.credentials()
        names = ["client_id", "organization_id"]
        names += ["client_secret"] if way == "secret" else ["username", "private_key"]
        return {name: known[name] for name in names} | {"base_url": self.base_url, **QUICK}

    def connector(self, way: str = "secret", **changes: Any) -> Salesforce:
        settings = {**self.login(way), "objects": BILLING, **changes}
        return Salesforce(SalesforceConfig.model_validate(settings), self.ports, where="crm")

    # what another user does, with nothing but the API

    def _log_in(self) -> str:
        known = self.stand_in.credentials()
        form = {"grant_type": "client_credentials"}
        form |= {name: known[name] for name in ("client_id", "client_secret")}
        told = self._http.post("/services/oauth2/token", data=form, base_url=self.base_url)
        self._token = json.loads(told.get_data())["access_token"]
        return self._token

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Any call below the version's path; None for an empty answer."""
        path, _, query = (path if path.startswith("/") else f"{DATA}/{path}").partition("?")
        for token in (self._token or self._log_in(), ""):
            told = self._http.open(
                path, method=method, query_string=query, base_url=self.base_url,
                headers={"Authorization": f"Bearer {token or self._log_in()}"},
                data=None if body is None else json.dumps(body),
                content_type=None if body is None else "application/json",
            )  # fmt: skip
            if told.status_code != 401:
                break
        assert told.status_code < 300, (method, path, told.get_data())
        return json.loads(told.get_data()) if told.get_data() else None

    def rows(self, soql: str) -> list[dict[str, Any]]:
        found, path = [], f"query?{urlencode({'q': soql})}"
        while path:
            page = self.ask("GET", path)
            found += page["records"]
            path = page.get("nextRecordsUrl") or ""
        return found

    def ids(self, object: str) -> set[str]:
        return {row["Id"] for row in self.rows(f"SELECT Id FROM {object}")}

    def make(self, object: str, **values: Any) -> str:
        return str(self.ask("POST", f"sobjects/{object}", values)["id"])

    def many(self, object: str, rows: list[dict[str, Any]]) -> list[str]:
        """Many records of one kind, 200 a call."""
        found: list[str] = []
        for at in range(0, len(rows), 200):
            some = [{"attributes": {"type": object}, **row} for row in rows[at : at + 200]]
            body = {"allOrNone": True, "records": some}
            told = self.ask("POST", "composite/sobjects", body)
            found += [each["id"] for each in told]
        return found

    def change(self, object: str, id: str, **values: Any) -> None:
        self.ask("PATCH", f"sobjects/{object}/{id}", values)

    def delete(self, object: str, id: str) -> None:
        self.ask("DELETE", f"sobjects/{object}/{id}")

    # a believable record of each kind, with what it needs

    def one(self, entity: str) -> str:
        """A new record of this kind; its id."""
        self._names += 1
        name = f"N{self._names}"
        match entity:
            case "customer":
                return self.make("Account", Name=name)
            case "contact":
                return self.make("Contact", LastName=name, AccountId=self.account())
            case "product":
                return self.make("Product2", Name=name, IsActive=True)
            case "price":
                return self.price(self.one("product"))
            case "opportunity":
                return self.make(
                    "Opportunity", Name=name, StageName="Qualification", CloseDate="2026-04-01",
                    AccountId=self.account(), Amount=10.5,
                )  # fmt: skip
            case "contract":
                self._documents += 1
                return self.order() if self._documents % 2 else self.contract()
        fields = {"Account__c": self.account(), "Status__c": "open", "Currency__c": "USD"}
        if entity == "payment":
            fields["Status__c"] = "succeeded"
        elif entity == "credit_note":
            fields |= {"Status__c": "issued", "Name": name}
        else:
            fields |= {"Name": name}
        return self.make(OBJECTS[entity], **fields)

    def account(self) -> str:
        return self.make("Account", Name="Owner Ltd")

    def book(self) -> str:
        return str(self.rows("SELECT Id FROM Pricebook2 WHERE IsStandard = true")[0]["Id"])

    def price(self, product: str, amount: float = 9.5) -> str:
        return self.make(
            "PricebookEntry", Pricebook2Id=self.book(), Product2Id=product, UnitPrice=amount,
            IsActive=True,
        )  # fmt: skip

    def order(self) -> str:
        """Activated, one line of 19.00."""
        id = self.make(
            "Order", AccountId=self.account(), EffectiveDate="2026-03-01", Status="Draft",
            Pricebook2Id=self.book(),
        )  # fmt: skip
        entry = self.price(self.one("product"))
        self.make("OrderItem", OrderId=id, PricebookEntryId=entry, Quantity=2, UnitPrice=9.5)
        self.change("Order", id, Status="Activated")
        return id

    def contract(self) -> str:
        id = self.make(
            "Contract", AccountId=self.account(), StartDate="2026-03-01", ContractTerm=12,
            Status="Draft",
        )  # fmt: skip
        self.change("Contract", id, Status="Activated")
        return id


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def told_ids(pages: list[Page]) -> list[str]:
    return [row["Id"] for row in records(pages)]


def gone(pages: list[Page]) -> list[str]:
    return [id for page in pages for id in page.deleted]
