"""A few of Chargebee's documented answers, enough to drive the connector without a network.

Written from https://apidocs.chargebee.com/docs/api ; shares nothing with the sandbox.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tieout.core.ports import HttpAnswer, HttpRequest, Ports

NOW = 1769860800  # 2026-01-31 12:00:00 UTC
KEY = "test_canary123456"
Object = dict[str, Any]
Query = dict[str, str]
Rule = Callable[[str, str, Query], HttpAnswer | Exception | None]

NAMES = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "credit_notes": "credit_note",
    "transactions": "transaction",
    "items": "item",
    "item_prices": "item_price",
    "item_families": "item_family",
    "plans": "plan",
    "addons": "addon",
    "disputes": "dispute",
    "usages": "usage",
    "events": "event",
}
WITH_DELETED = {
    "customers", "subscriptions", "invoices", "credit_notes", "transactions", "plans", "addons"
}  # fmt: skip
SORTS = {
    "customers": ("created_at", "updated_at"),
    "subscriptions": ("created_at", "updated_at"),
    "transactions": ("date", "updated_at"),
    "invoices": ("date", "updated_at"),
    "credit_notes": ("date",),
    "items": ("name", "id", "updated_at"),
    "item_prices": ("name", "id", "updated_at"),
    "events": ("occurred_at",),
    "usages": ("usage_date", "updated_at"),
}
CATALOG = {"1": ("plans", "addons"), "2": ("items", "item_prices", "item_families", "usages")}


def reply(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    named = {"content-type": "application/json;charset=utf-8"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, named, json.dumps(body, indent=1).encode())


def refusal(status: int, code: str, message: str = "no", **more: Any) -> HttpAnswer:
    told = {"message": message, "type": "invalid_request", "api_error_code": code}
    return reply({**told, "http_status_code": status, **more}, status)


class FakeChargebee:
    """Collections by name, oldest first; `rules` may answer instead, first come, first served."""

    def __init__(self, catalog: str = "2", *, disputes: bool = True) -> None:
        self.objects: dict[str, list[Object]] = {name: [] for name in NAMES}
        self.closed = set(CATALOG["1" if catalog == "2" else "2"])
        self.closed |= set() if disputes else {"disputes"}
        self.rules: list[Rule] = []
        self.calls: list[tuple[str, str, Query]] = []
        self.requests: list[HttpRequest] = []
        self.kept: dict[str, tuple[bytes | None, HttpAnswer]] = {}
        self.seconds = 0.0
        self.page_limit = 100
        self.lines_a_page = 10**6
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

    @property
    def now(self) -> int:
        return NOW + int(self.seconds)

    def put(self, collection: str, *objects: Object) -> None:
        for each in objects:
            each.setdefault("object", NAMES[collection])
        self.objects[collection] += objects

    def event(self, type: str, at: int, **content: Object) -> None:
        told = {
            "id": f"ev_{self.new_id()}",
            "event_type": type,
            "occurred_at": at,
            "object": "event",
        }
        self.objects["events"].append({**told, "api_version": "v2", "content": content})

    def asked(self, path: str, method: str = "GET") -> list[Query]:
        return [query for how, called, query in self.calls if (how, called) == (method, path)]

    def send(self, request: HttpRequest) -> HttpAnswer:
        login = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        assert login.decode() == f"{KEY}:"
        parts = urlsplit(request.url)
        assert parts.path.startswith("/api/v2/")
        path = unquote(parts.path.removeprefix("/api/v2"))
        text = parts.query if request.method == "GET" else (request.body or b"").decode()
        query = dict(parse_qsl(text, keep_blank_values=True))
        self.calls.append((request.method, path, query))
        self.requests.append(request)
        for rule in list(self.rules):
            told = rule(request.method, path, query)
            if isinstance(told, Exception):
                raise told
            if told is not None:
                return told
        if request.method == "GET":
            return self.read(path, query)
        key = request.headers["chargebee-idempotency-key"]
        assert len(key) <= 100
        if key in self.kept:
            body, answer = self.kept[key]
            if body != request.body:
                return refusal(422, "unable_to_process_request")
            return HttpAnswer(
                answer.status,
                {**answer.headers, "chargebee-idempotency-replayed": "true"},
                answer.body,
            )
        answer = self.write(path, query)
        if answer.status < 500:
            self.kept[key] = (request.body, answer)
        return answer

    def read(self, path: str, query: Query) -> HttpAnswer:
        collection, _, id = path.strip("/").partition("/")
        if collection not in NAMES:
            return refusal(404, "resource_not_found")
        if collection in self.closed:
            text = "This API operation is not enabled for this site."
            return refusal(400, "configuration_incompatible", text)
        if not id:
            return self.list(collection, query)
        row = self.found(collection, id)
        if row is None or collection == "usages":
            return refusal(404, "resource_not_found", f"{id} not found")
        return reply({NAMES[collection]: self.cut(row, query.get("line_items_offset", ""))})

    def found(self, collection: str, id: str) -> Object | None:
        return next((row for row in self.objects[collection] if row["id"] == id), None)

    def cut(self, row: Object, offset: str = "") -> Object:
        """Big documents show some lines only, with the mark that there are more."""
        lines, start = row.get("line_items"), int(offset or 0)
        if lines is None or len(lines) <= self.lines_a_page:
            return row
        shown = {**row, "line_items": lines[start : start + self.lines_a_page]}
        end = start + self.lines_a_page
        return {**shown, "line_items_next_offset": str(end)} if end < len(lines) else shown

    def list(self, collection: str, query: Query) -> HttpAnswer:
        rows = [row for row in self.objects[collection]]
        known = {"limit", "offset", "include_deleted"}
        if query.get("include_deleted") == "true":
            assert collection in WITH_DELETED, f"{collection} has no include_deleted"
        else:
            rows = [row for row in rows if row.get("deleted") is not True]
        for name, value in query.items():
            if name in known:
                continue
            if sort := re.fullmatch(r"sort_by\[(asc|desc)\]", name):
                assert value in SORTS.get(collection, ()), f"{collection} can't sort by {value}"
                rows.sort(key=lambda row, v=value: row.get(v) or 0, reverse=sort[1] == "desc")  # type: ignore[misc]
                continue
            rows = self.filtered(rows, name, value)
        size = min(self.page_limit, int(query.get("limit", "10")))
        start = 0
        if "offset" in query:
            asked = {k: v for k, v in query.items() if k != "offset"}
            start, made_for = json.loads(query["offset"])
            if made_for != sorted(asked.items()) and made_for != [
                list(i) for i in sorted(asked.items())
            ]:
                return refusal(400, "param_wrong_value", "offset : invalid", param="offset")
        page = rows[start : start + size]
        answer: Object = {"list": [self.row(collection, each) for each in page]}
        if start + size < len(rows):
            asked = {k: v for k, v in query.items() if k != "offset"}
            answer["next_offset"] = json.dumps([start + size, sorted(asked.items())])
        return reply(answer)

    def row(self, collection: str, each: Object) -> Object:
        row = {NAMES[collection]: self.cut(each)}
        if collection == "subscriptions":
            row["customer"] = {"id": each.get("customer_id"), "object": "customer"}
        return row

    def filtered(self, rows: list[Object], name: str, value: str) -> list[Object]:
        told = re.fullmatch(r"(\w+)\[(\w+)\]", name)
        assert told, f"{name} is no filter"
        field, how = told.groups()
        match how:
            case "is":
                return [row for row in rows if str(row.get(field)) == value]
            case "in":
                return [row for row in rows if row.get(field) in json.loads(value)]
            case "after":
                return [row for row in rows if field in row and row[field] > int(value)]
            case "before":
                return [row for row in rows if field in row and row[field] < int(value)]
            case "between":
                first, last = json.loads(value)
                return [row for row in rows if field in row and first <= row[field] <= last]
            case "is_present":
                return [row for row in rows if (field in row) is (value == "true")]
        raise AssertionError(f"{how} is no operator")

    def write(self, path: str, form: Query) -> HttpAnswer:
        steps = path.strip("/").split("/")
        match steps:
            case ["customers" | "items" | "item_prices" as name]:
                return self.made(name, form)
            case ["invoices", "import_invoice"]:
                return self.made("invoices", {**form, "amount_due": form["total"]})
            case ["credit_notes", "import_credit_note"]:
                return self.made("credit_notes", form)
            case ["customers", id, "import_for_items"]:
                return self.made("subscriptions", {**form, "customer_id": id})
            case ["subscriptions", id, "usages"]:
                return self.made("usages", {**form, "subscription_id": id})
            case ["invoices", id, "record_payment"]:
                return self.paid(form, invoice=id)
            case ["customers", id, "record_excess_payment"]:
                return self.paid(form, customer_id=id)
            case ["credit_notes" | "transactions", _, "record_refund"]:
                return self.paid(form, type="refund")
            case ["invoices", id, "apply_payments"]:
                row = self.found("transactions", form["transactions[id][0]"])
                assert row is not None
                share = int(form["transactions[amount][0]"])
                row["linked_invoices"].append({"invoice_id": id, "applied_amount": share})
                return reply({"invoice": {"id": id, "object": "invoice"}})
            case [name, id, "void"]:
                return self.voided(name, id)
            case [name, id] | [name, id, "update_billing_info"]:
                return self.changed(name, id, form)
        return refusal(404, "resource_not_found", path)

    def made(self, collection: str, form: Query) -> HttpAnswer:
        id = form.get("id") or self.new_id()
        if self.found(collection, id):
            return refusal(
                400, "duplicate_entry", f"The value {id} is already present.", param="id"
            )
        taken = collection in ("items", "item_prices") and form.get("name") in [
            row.get("name") for row in self.objects[collection]
        ]
        if taken:
            return refusal(400, "duplicate_entry", "The name is already present.", param="name")
        row = {"id": id, "created_at": self.now, "updated_at": self.now, "deleted": False}
        self.put(collection, {**row, **self.fields(form)})
        return reply({NAMES[collection]: self.objects[collection][-1]})

    def fields(self, form: Query) -> Object:
        found: Object = {}
        for name, value in form.items():
            if name in ("meta_data", "metadata"):
                found[name] = json.loads(value)
            elif told := re.fullmatch(r"notes\[note\]\[(\d+)\]", name):
                found.setdefault("notes", []).append({"note": value})
            elif told := re.fullmatch(r"(\w+)\[(\w+)\]", name):
                found.setdefault(told[1], {})[told[2]] = value
            elif "[" not in name:
                found[name] = value
        return found

    def paid(self, form: Query, *, invoice: str = "", **more: str) -> HttpAnswer:
        given = {re.sub(r"^transaction\[(\w+)\]$", r"\1", name): v for name, v in form.items()}
        id = given.get("id") or f"txn_{self.new_id()}"
        if self.found("transactions", id):
            return refusal(
                400, "duplicate_entry", f"The value {id} is already present.", param="id"
            )
        row = {
            "id": id, "type": "payment", "status": "success", "amount": int(given["amount"]),
            "reference_number": given.get("reference_number"), "updated_at": self.now,
            "payment_method": given["payment_method"], "linked_invoices": [], **more,
        }  # fmt: skip
        if invoice:
            row["linked_invoices"] = [{"invoice_id": invoice, "applied_amount": row["amount"]}]
        self.put("transactions", row)
        return reply({"invoice": {"id": invoice, "object": "invoice"}, "transaction": row})

    def voided(self, name: str, id: str) -> HttpAnswer:
        row = self.found(name, id)
        if row is None:
            return refusal(404, "resource_not_found")
        if row.get("status") == "voided":
            return refusal(409, "invalid_state_for_request", "already voided")
        row["status"] = "voided"
        return reply({NAMES[name]: row})

    def changed(self, name: str, id: str, form: Query) -> HttpAnswer:
        row = self.found(name, id)
        if row is None:
            return refusal(404, "resource_not_found")
        row |= {**self.fields(form), "updated_at": self.now}
        return reply({NAMES[name]: row})


def once(method: str, path: str, told: HttpAnswer | Exception, *, after: int = 0) -> Rule:
    """A rule that answers one call to a path (the `after`+1st) and no other."""
    left = [after]

    def rule(called: str, where: str, query: Query) -> HttpAnswer | Exception | None:
        if (called, where) != (method, path):
            return None
        left[0] -= 1
        return told if left[0] == -1 else None

    return rule
