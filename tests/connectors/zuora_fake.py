"""A few of Zuora's documented answers, enough to drive the connector without a network.

Object Query with filters, sorting and cursors; Data Query over SQLite, its result files on
another host; v1 creates with idempotency keys that also keep failures. Written from
https://developer.zuora.com ; shares nothing with the sandbox.
"""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tieout.core.ports import HttpAnswer, HttpRequest, Ports

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
Row = dict[str, Any]
Rule = Callable[[HttpRequest], HttpAnswer | Exception | None]
TABLES = {
    "accounts": "account",
    "contacts": "contact",
    "products": "product",
    "product-rate-plans": "productrateplan",
    "product-rate-plan-charges": "productrateplancharge",
    "product-rate-plan-charge-tiers": "productrateplanchargetier",
    "subscriptions": "subscription",
    "rate-plans": "rateplan",
    "rate-plan-charges": "rateplancharge",
    "rate-plan-charge-tiers": "rateplanchargetier",
    "orders": "orders",
    "invoices": "invoice",
    "invoice-items": "invoiceitem",
    "debit-memos": "debitmemo",
    "debit-memo-items": "debitmemoitem",
    "credit-memos": "creditmemo",
    "credit-memo-items": "creditmemoitem",
    "credit-memo-parts": "creditmemopart",
    "credit-memo-applications": "creditmemoapplication",
    "payments": "payment",
    "payment-parts": "paymentpart",
    "payment-applications": "paymentapplication",
    "payment-methods": "paymentmethod",
    "refunds": "refund",
    "refund-applications": "refundapplication",
    "usages": "usage",
    "order-actions": "orderaction",
    "order-line-items": "orderlineitem",
}
EXPANDS = {
    "account": ("accountId", "accounts", "account"),
    "billto": ("billToId", "contacts", "billTo"),
    "soldto": ("soldToId", "contacts", "soldTo"),
    "paymentmethod": ("paymentMethodId", "payment-methods", "paymentMethod"),
    "productrateplan": ("productRatePlanId", "product-rate-plans", "productRatePlan"),
}
COLUMNS = [
    "id", "accountid", "updateddate", "createddate", "currency", "name", "number", "type",
    "status", "invoiceid", "paymentid", "subscriptionid", "rateplanid", "rateplanchargeid",
    "productrateplanid", "productrateplanchargeid", "refundid", "creditmemoid", "debitmemoid",
    "productid", "effectiveenddate", "paymentmethodid", "chargenumber", "comment", "comments",
    "notes", "description", "ordernumber", "orderid", "invoicepaymentid",
]  # fmt: skip


def reply(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    packed = body if isinstance(body, bytes) else json.dumps(body, indent=1).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, {"content-type": "application/json", **named}, packed)


def refused(code: int, message: str, status: int = 200) -> HttpAnswer:
    reasons = [{"code": code, "message": message}]
    return reply({"success": False, "processId": "P1", "reasons": reasons}, status)


class FakeZuora:
    """`rows` by Object Query resource; `tables` are known to Data Query only."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self.tables: dict[str, list[Row]] = {}
        self.deleted: dict[str, list[Row]] = {}
        self.rules: list[Rule] = []
        self.requests: list[HttpRequest] = []
        self.jobs: dict[str, Row] = {}
        self.files: dict[str, bytes] = {}
        self.queries: list[str] = []
        self.failing: dict[str, str] = {}
        self.absent: set[str] = set()
        self.most_rows = 10**6
        self.kept: dict[str, HttpAnswer] = {}
        self.tokens = 0
        self.slept: list[float] = []
        self.seconds = 0.0
        self.lock = threading.RLock()
        ids = count(1)
        self.new_id = lambda: f"{next(ids):032x}"
        self.ports = Ports(
            now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=self.new_id,
            send=self.send,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def put(self, resource: str, **fields: Any) -> Row:
        row = {"id": self.new_id(), **fields}
        row.setdefault("createdDate", "2026-01-01T00:00:00Z")
        row.setdefault("updatedDate", "2026-01-10T00:00:00Z")
        self.rows[resource].append(row)
        return row

    def paths(self, method: str = "GET") -> list[str]:
        return [urlsplit(r.url).path for r in self.requests if r.method == method]

    def send(self, request: HttpRequest) -> HttpAnswer:
        with self.lock:
            self.requests.append(request)
            parts = urlsplit(request.url)
            for rule in list(self.rules):
                told = rule(request)
                if isinstance(told, Exception):
                    raise told
                if told is not None:
                    return told
            if parts.hostname == "files.example":
                assert "Authorization" not in request.headers
                return self.file(parts.path, request)
            if parts.path == "/oauth/token":
                assert "Authorization" not in request.headers
                form = parse_qs((request.body or b"").decode())
                assert form["client_secret"] == ["s+/=x"]
                self.tokens += 1
                return reply(
                    {
                        "access_token": f"token-{self.tokens}",
                        "token_type": "bearer",
                        "expires_in": 3599,
                        "scope": "entity.e1 tenant.19",
                    }
                )
            if request.headers.get("Authorization") != f"Bearer token-{self.tokens}":
                return reply({"message": "Authentication error"}, 401)
            assert request.headers["Zuora-Version"] == "2025-08-12"
            return self.answer(request, parts.path, parse_qs(parts.query))

    def answer(self, request: HttpRequest, path: str, query: dict[str, list[str]]) -> HttpAnswer:
        if path.startswith("/object-query/"):
            resource, _, id = path.removeprefix("/object-query/").partition("/")
            if resource in self.absent or resource not in self.rows:
                return refused(50000010, f"no permission for {resource}", 403)
            return self.one(resource, id, query) if id else self.list(resource, query)
        if path == "/query/jobs":
            return self.submit(json.loads(request.body or b"{}"))
        if path.startswith("/query/jobs/"):
            return reply({"data": self.jobs[path.rpartition("/")[2]]})
        if request.method == "POST":
            key = request.headers["Idempotency-Key"]
            assert len(key) <= 255
            if key not in self.kept:
                self.kept[key] = self.write(path, json.loads(request.body or b"{}"))
            return self.kept[key]
        assert "Idempotency-Key" not in request.headers
        if request.method == "PUT":
            return self.change(path, json.loads(request.body or b"{}"))
        return refused(50000040, f"nothing at {path}", 404)

    # Object Query

    def list(self, resource: str, query: dict[str, list[str]]) -> HttpAnswer:
        rows = self.rows[resource]
        for clause in query.get("filter[]", []):
            field, operator, value = re.fullmatch(r"(\w+)\.([A-Z]+):(.*)", clause).groups()  # type: ignore[union-attr]
            rows = [row for row in rows if holds(low(row).get(field), operator, value)]
        order = (query.get("sort[]") or ["id.ASC"])[0].partition(".")[0]
        rows = sorted(rows, key=lambda row: (str(low(row).get(order) or ""), row["id"]))
        if "cursor" in query:
            after = tuple(json.loads(base64.b64decode(query["cursor"][0])))
            rows = [r for r in rows if (str(low(r).get(order) or ""), r["id"]) > after]
        size = int(query["pageSize"][0])
        page = [self.expanded(row, query) for row in rows[:size]]
        if len(rows) <= size:
            return reply({"data": page})
        last = [str(low(page[-1]).get(order) or ""), page[-1]["id"]]
        return reply(
            {"nextPage": base64.b64encode(json.dumps(last).encode()).decode(), "data": page}
        )

    def one(self, resource: str, id: str, query: dict[str, list[str]]) -> HttpAnswer:
        for row in self.rows[resource]:
            if row["id"] == id:
                return reply(self.expanded(row, query))
        return refused(50000040, f"no {id}", 404)

    def expanded(self, row: Row, query: dict[str, list[str]]) -> Row:
        found = dict(row)
        for name in query.get("expand[]", []):
            by, resource, key = EXPANDS[name]
            inner = [each for each in self.rows[resource] if each["id"] == row.get(by)]
            found[key] = inner[0] if inner else None
        return found

    # Data Query

    def submit(self, body: Row) -> HttpAnswer:
        sql, id = body["query"], self.new_id()
        self.queries.append(sql)
        assert body["outputFormat"] == "JSON" and body["output"] == {"target": "S3"}
        table = re.search(r"from (\w+)", sql).group(1)  # type: ignore[union-attr]
        job: Row = {"id": id, "query": sql, "queryStatus": "completed"}
        if table in self.failing:
            job |= {"queryStatus": "failed", "errorMessage": self.failing[table]}
        else:
            source = self.deleted if body["readDeleted"] else None
            lines = run_sql(sql, source if source is not None else self.everything())
            lines = lines[: self.most_rows]
            self.files[id] = b"".join(json.dumps(row).encode() + b"\n" for row in lines)
            job |= {
                "dataFile": f"https://files.example/{id}?X-Amz-Signature=secret1234",
                "outputRows": len(lines),
            }
        self.jobs[id] = job
        return reply({"data": {**job, "queryStatus": "accepted", "dataFile": None}})

    def everything(self) -> dict[str, list[Row]]:
        found = {TABLES[name]: rows for name, rows in self.rows.items()}
        return {**found, **self.tables}

    def file(self, path: str, request: HttpRequest) -> HttpAnswer:
        body = self.files[path.strip("/")]
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        if first >= len(body):
            return HttpAnswer(416, {}, b"")
        part = body[first : last + 1]
        spread = f"bytes {first}-{first + len(part) - 1}/{len(body)}"
        return HttpAnswer(206, {"content-range": spread}, part)

    # v1

    def write(self, path: str, body: Row) -> HttpAnswer:
        if path == "/v1/accounts":
            if any(r["accountNumber"] == body["accountNumber"] for r in self.rows["accounts"]):
                return refused(53200020, "The account number already exists")
            row = self.put(
                "accounts",
                accountNumber=body["accountNumber"],
                name=body["name"],
                currency=body["currency"],
                status="Active",
                updatedDate="2026-01-31T11:59:00Z",
            )
            return reply({"success": True, "accountId": row["id"]})
        if path == "/v1/payments":
            assert body["type"] == "External"
            row = self.put(
                "payments",
                comment=body["comment"],
                amount=body["amount"],
                status="Processed",
                updatedDate="2026-01-31T11:59:00Z",
                accountId=body["accountId"],
                appliedAmount=0,
                currency=body["currency"],
            )
            return reply({"success": True, "id": row["id"], "accountId": body["accountId"]})
        if path == "/v1/orders":
            action = body["subscriptions"][0]["orderActions"][0]
            assert body["processingOptions"] == {"runBilling": False, "collectPayment": False}
            if action["type"] == "CreateSubscription":
                number = action["createSubscription"]["subscriptionNumber"]
                self.put(
                    "subscriptions", name=number, version=1, isLatestVersion=True, status="Active"
                )
            return reply({"success": True, "orderNumber": body.get("orderNumber", "O-1")})
        if path == "/v1/action/update":
            for fields in body["objects"]:
                for rows in self.rows.values():
                    for row in rows:
                        if row["id"] == fields["Id"]:
                            row["status"] = fields["Status"]
            return reply([{"Success": True, "Id": body["objects"][0]["Id"]}])
        return refused(50000045, f"no POST {path}", 405)

    def change(self, path: str, body: Row) -> HttpAnswer:
        for rows in self.rows.values():
            for row in rows:
                if row["id"] == path.split("/")[3]:
                    row |= body
                    return reply({"success": True})
        return refused(50000040, "no such record")


def holds(have: Any, operator: str, value: str) -> bool:
    text = "" if have is None else str(have)
    if operator == "IN":
        return text in value.strip("[]").split(",")
    if operator == "EQ":
        return have is None if value == "null" else text == value
    assert operator == "GE", operator
    return have is not None and text >= value


def low(row: Row) -> Row:
    return {name.lower(): value for name, value in row.items()}


def run_sql(sql: str, tables: dict[str, list[Row]]) -> list[Row]:
    """The rows of a query, with column names in lower case."""
    base = sqlite3.connect(":memory:")
    sql = re.sub(r"timestamp '(\S+) (\S+) \+00:00'", r"'\1T\2Z'", sql)
    for table in set(re.findall(r"(?:from|join) (\w+)", sql)):
        rows = [low(row) for row in tables.get(table, [])]
        names = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
        base.execute(f"create table {table} ({', '.join(names)})")
        for row in rows:
            values = [row.get(name) for name in names]
            plain = [v if not isinstance(v, dict | list) else json.dumps(v) for v in values]
            marks = ", ".join("?" for _ in names)
            base.execute(f"insert into {table} values ({marks})", plain)
    found = base.execute(sql)
    heads = [head[0].lower() for head in found.description]
    rows = [{k: v for k, v in zip(heads, row, strict=True) if v is not None} for row in found]
    base.close()
    return rows
