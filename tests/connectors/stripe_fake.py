"""A few of Stripe's documented answers, enough to drive the connector without a network.

Written from https://docs.stripe.com/api ; shares nothing with the sandbox.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tieout.core.ports import HttpAnswer, HttpRequest, Ports

NOW = 1769860800  # 2026-01-31 12:00:00 UTC
Object = dict[str, Any]
Rule = Callable[[str, str, dict[str, list[str]]], HttpAnswer | Exception | None]


def reply(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    named = {"content-type": "application/json", "request-id": "req_1"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, named, json.dumps(body, indent=2).encode())


def refusal(status: int, code: str, message: str = "no", **more: Any) -> HttpAnswer:
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return reply({"error": {"type": kind, "code": code, "message": message, **more}}, status)


class FakeStripe:
    """Collections by path, newest first; `rules` may answer instead, first come, first served."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {}
        self.rules: list[Rule] = []
        self.calls: list[tuple[str, str, dict[str, list[str]]]] = []
        self.requests: list[HttpRequest] = []
        self.kept: dict[str, HttpAnswer] = {}
        self.seconds = 0.0
        self.page_limit = 100
        ids = count(1)
        self.new_id = lambda: f"{next(ids):04}"
        self.ports = Ports(
            now=lambda: datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=self.new_id,
            send=self.send,
        )

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def put(self, path: str, *objects: Object) -> None:
        """Adds objects in the order in which they were made."""
        self.objects[path] = [*reversed(objects), *self.objects.get(path, [])]

    def asked(self, path: str) -> list[dict[str, list[str]]]:
        return [query for _, called, query in self.calls if called == path]

    def send(self, request: HttpRequest) -> HttpAnswer:
        assert request.headers["Stripe-Version"] == "2026-10-28.endive"
        assert request.headers["Authorization"].startswith("Bearer ")
        parts = urlsplit(request.url)
        body = (request.body or b"").decode()
        query = parse_qs(parts.query if request.method == "GET" else body, keep_blank_values=True)
        self.calls.append((request.method, parts.path, query))
        self.requests.append(request)
        for rule in list(self.rules):
            told = rule(request.method, parts.path, query)
            if isinstance(told, Exception):
                raise told
            if told is not None:
                return told
        if request.method == "POST":
            key = request.headers["Idempotency-Key"]
            if key not in self.kept:
                self.kept[key] = self.write(parts.path, dict(parse_qsl(body)))
            return self.kept[key]
        return self.read(parts.path, query)

    def read(self, path: str, query: dict[str, list[str]]) -> HttpAnswer:
        if path.endswith("/search"):
            key = re.findall(r"metadata\['tieout_id'\]:'(.*)'", query["query"][0])[0]
            rows = self.objects.get(path.removesuffix("/search"), [])
            hits = [row for row in rows if row.get("metadata", {}).get("tieout_id") == key]
            return reply({"object": "search_result", "data": hits, "has_more": False})
        if path in self.objects or path == "/v1/invoiceitems":
            return self.list(path, query)
        collection, _, id = path.rpartition("/")
        for row in self.objects.get(collection, []):
            if row["id"] == id:
                return reply(row)
        return refusal(404, "resource_missing", f"No such record: '{id}'", param="id")

    def list(self, path: str, query: dict[str, list[str]]) -> HttpAnswer:
        rows = self.objects.get(path, [])
        for name, test in [("created[lte]", int.__le__), ("created[gte]", int.__ge__)]:
            if name in query:
                limit = int(query[name][0])
                rows = [row for row in rows if test(row["created"], limit)]
        if "types[]" in query:
            assert len(query["types[]"]) <= 20
            rows = [row for row in rows if row["type"] in query["types[]"]]
        if path == "/v1/invoice_payments" and "payment[charge]" in query:
            return refusal(400, "parameter_unknown", param="payment[charge]")
        if "payment[payment_intent]" in query:
            wanted = query["payment[payment_intent]"][0]
            rows = [row for row in rows if row["payment"].get("payment_intent") == wanted]
        for name in ("customer", "invoice"):
            if name in query:
                rows = [row for row in rows if row.get(name) == query[name][0]]
        if "payout" in query:
            rows = [row for row in rows if row["_payout"] == query["payout"][0]]
        if after := query.get("starting_after"):
            ids = [row["id"] for row in rows]
            if after[0] not in ids:
                return refusal(400, "resource_missing", "No such record", param="starting_after")
            rows = rows[ids.index(after[0]) + 1 :]
        size = min(self.page_limit, int(query.get("limit", ["10"])[0]))
        more = len(rows) > size
        return reply({"object": "list", "url": path, "has_more": more, "data": rows[:size]})

    def write(self, path: str, form: dict[str, str]) -> HttpAnswer:
        parts = path.split("/")
        prefix = {"customers": "cus_", "products": "prod_", "prices": "price_"}
        if len(parts) > 4 and parts[4] in ("finalize", "void"):
            row = self.find(parts[2], parts[3])
            row["status"] = {"finalize": "open", "void": "void"}[parts[4]]
            return reply(row)
        if len(parts) > 3:
            row = self.find(parts[2], parts[3])
        else:
            id = form.get("id") or prefix.get(parts[2], parts[2][:2] + "_") + self.new_id()
            row = {"id": id, "object": parts[2][:-1], "created": NOW, "metadata": {}}
            if parts[2] == "invoices":
                lines = {
                    "object": "list",
                    "has_more": False,
                    "data": [],
                    "url": f"{path}/{id}/lines",
                }
                row |= {"status": "draft", "lines": lines}
            if parts[2] == "invoiceitems":
                owner = self.find("invoices", form["invoice"])
                owner["lines"]["data"].append({"id": "il_" + self.new_id()})
            self.put(path, row)
        for name, value in form.items():
            if name.startswith("metadata["):
                row["metadata"][name[9:-1]] = value
            elif "[" not in name:
                row[name] = value
        return reply(row)

    def find(self, collection: str, id: str) -> Object:
        return next(row for row in self.objects[f"/v1/{collection}"] if row["id"] == id)


def once(method: str, path: str, told: HttpAnswer | Exception, *, after: int = 0) -> Rule:
    """A rule that answers one call to a path (the `after`+1st) and no other."""
    left = [after]

    def rule(called: str, where: str, query: dict[str, list[str]]) -> HttpAnswer | Exception | None:
        if (called, where) != (method, path):
            return None
        left[0] -= 1
        return told if left[0] == -1 else None

    return rule
