"""A running Zuora stand-in with a plain HTTP session that is logged in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import requests

from tieout.sandbox import Running, SandboxClock, serve
from tieout.sandbox.zuora import ZuoraStandIn

START = datetime(2026, 1, 31, 20, tzinfo=UTC)  # noon in Los Angeles


@dataclass
class Stage:
    running: Running
    stand_in: ZuoraStandIn
    http: requests.Session

    def token(self) -> requests.Response:
        keys = self.stand_in.credentials()
        form = {name: keys[name] for name in ("client_id", "client_secret")}
        form["grant_type"] = "client_credentials"
        return requests.post(self.running.url + "/oauth/token", data=form, timeout=10)

    def log_in(self) -> None:
        self.http.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def call(self, method: str, path: str, body: Any = None, **rest: Any) -> requests.Response:
        return self.http.request(method, self.running.url + path, json=body, timeout=20, **rest)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.http.get(self.running.url + path, params=params, timeout=20)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A call that must succeed."""
        answer = self.call(method, path, body)
        found = json.loads(answer.text, parse_float=Decimal)
        assert answer.status_code == 200 and found.get("success", True), answer.text
        return found

    def refused(self, method: str, path: str, body: Any = None) -> str:
        """A call that must fail; the last two digits of the code."""
        answer = self.call(method, path, body).json()
        assert answer["success"] is False
        return str(answer["reasons"][0]["code"])[-2:]

    def job(self, query: str, **more: Any) -> dict[str, Any]:
        """A Data Query job, polled until it ends."""
        sent = {"query": query, "outputFormat": "JSON", "compression": "NONE"}
        sent |= {"output": {"target": "S3"}, **more}
        job = self.do("POST", "/query/jobs", sent)["data"]
        while job["queryStatus"] in ("accepted", "in_progress"):
            job = self.get(f"/query/jobs/{job['id']}")["data"]
        return dict(job)

    def rows(self, query: str, **more: Any) -> list[dict[str, Any]]:
        job = self.job(query, **more)
        assert job["queryStatus"] == "completed", job
        text = requests.get(job["dataFile"], timeout=20).text
        found = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
        assert len(found) == job["outputRows"]
        return found

    def account(self, name: str = "Ada Ltd", currency: str = "USD") -> str:
        person = {"firstName": "Ada", "lastName": "Byron", "country": "United Kingdom"}
        sent = {"name": name, "currency": currency, "billToContact": person}
        return str(self.do("POST", "/v1/accounts", sent)["accountId"])

    def invoice(self, account: str, amount: float = 100, status: str = "Posted") -> Any:
        item = {"amount": amount, "serviceStartDate": "2026-01-01"}
        sent = {"accountId": account, "invoiceDate": "2026-01-31", "status": status}
        return self.do("POST", "/v1/invoices", sent | {"invoiceItems": [item]})

    def payment(self, account: str, amount: float, **more: Any) -> Any:
        sent = {"accountId": account, "amount": amount, "currency": "USD", "type": "External"}
        return self.do("POST", "/v1/payments", sent | {"paymentMethodType": "Check"} | more)


@contextmanager
def stage(**settings: Any) -> Iterator[Stage]:
    stand_in = ZuoraStandIn(SandboxClock(START), seed=3, **settings)
    with serve(stand_in) as running, requests.Session() as http:
        made = Stage(running, stand_in, http)
        made.log_in()
        yield made
