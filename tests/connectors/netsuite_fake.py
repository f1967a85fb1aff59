"""A few of NetSuite's documented answers, enough to drive the connector without a network.

Written from the help pages named in tieout/connectors/netsuite; shares nothing with the
sandbox. It is no SQL engine: it knows the few shapes of query that the connector asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tieout.core.ports import HttpAnswer, HttpRequest, Ports

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
BASE = "https://1234567-sb1.suitetalk.api.netsuite.com"
Row = dict[str, str]
Rule = Callable[[HttpRequest], HttpAnswer | Exception | None]


def reply(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    packed = b"" if body is None else json.dumps(body).encode()
    named = {"content-type": "application/json", **headers}
    return HttpAnswer(status, named, packed)


def refusal(status: int, code: str, detail: str, **more: str) -> HttpAnswer:
    """NetSuite's error envelope: samples/rest_error_*.json."""
    told = {"detail": detail, "o:errorCode": code, **more}
    return reply({"title": "Bad Request", "status": status, "o:errorDetails": [told]}, status)


MISSING = refusal(
    400,
    "USER_ERROR",
    "Error while accessing a resource. Transaction type specified is incorrect.",
)
NO_ENTITY = refusal(404, "NONEXISTENT_ID", "The record instance does not exist.")


class FakeNetSuite:
    """`tables` by name as SuiteQL rows; `records` by (type, key) for the record API.

    `rules` may answer instead, first come, first served. `absent` are columns that don't exist.
    """

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {"currency": [{"id": "1", "symbol": "USD"}]}
        self.by_key: dict[tuple[str, str], str] = {}
        self.writes: list[tuple[str, str, dict[str, list[str]], Any]] = []
        self.rules: list[Rule] = []
        self.absent: set[str] = set()
        self.one_world = True
        self.requests: list[HttpRequest] = []
        self.queries: list[tuple[str, list[str]]] = []
        self.slept: list[float] = []
        self.seconds = 0.0
        self.made = count(5000)
        ids = count(1)
        self.ports = Ports(
            now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=lambda: f"nonce{next(ids):04}",
            send=self.send,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def asked(self, table: str) -> list[tuple[str, list[str]]]:
        return [each for each in self.queries if _table(each[0]) == table]

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        parts = urlsplit(request.url)
        for rule in list(self.rules):
            told = rule(request)
            if isinstance(told, Exception):
                raise told
            if told is not None:
                return told
        if parts.path.endswith("/oauth2/v1/token"):
            return reply({"access_token": "t1", "expires_in": 3600, "token_type": "Bearer"})
        if parts.path.endswith("/suiteql"):
            return self.query(request, parse_qs(parts.query))
        return self.record(request, parts.path, parse_qs(parts.query))

    # SuiteQL

    def query(self, request: HttpRequest, query: dict[str, list[str]]) -> HttpAnswer:
        assert request.method == "POST" and request.headers["Prefer"] == "transient"
        assert query["offset"] == ["0"]
        body = json.loads(request.body or b"")
        text, params = body["q"], list(body.get("params", []))
        assert text.count("?") == len(params), text
        self.queries.append((text, list(params)))
        for name in self.absent:
            if re.search(rf"\b{name}\b", text):
                return refusal(
                    400,
                    "INVALID_PARAMETER",
                    "Invalid search query. Detailed unprocessed description follows. Search "
                    f"error occurred: Field '{name}' for record '{_table(text)}' was not found.",
                    **{"o:errorQueryParam": "q"},
                )
        table = _table(text)
        if table == "subsidiary" and not self.one_world:
            return refusal(400, "INVALID_PARAMETER", "Record 'subsidiary' was not found.")
        rows = self._matching(table, text, params)
        limit = int(query["limit"][0])
        page = [{"links": [], **row} for row in rows[:limit]]
        more = len(rows) > limit
        return reply({"links": [], "count": len(page), "hasMore": more, "items": page,
                      "offset": 0, "totalResults": len(rows)})  # fmt: skip

    def _matching(self, table: str, text: str, params: list[str]) -> list[Row]:
        rows = self.tables.get(table, [])
        where = text.partition(" WHERE ")[2]
        if table == "transaction" and where.startswith("t.type = ?"):
            code = params.pop(0)
            rows = [row for row in rows if row["type"] == code]
        if table in ("transaction", "customer", "item", "contact"):
            return self._headers(rows, where, params)
        if table == "deletedrecord":
            return [row for row in rows if not params or row["_at"] >= params[0]]
        keys = re.findall(r"ORDER BY t\.(\w+), t\.(\w+)", text)
        if " IN (" in where and keys:
            first, second = keys[0]
            owner = re.findall(r"t\.(\w+) IN \(", where)[0]
            marks = where.partition(" IN (")[2].partition(")")[0].count("?")
            wanted, rest = params[:marks], params[marks:]
            if "accountingbook = ?" in where:
                rest = rest[1:]
            rows = sorted(
                (row for row in rows if row[owner] in wanted),
                key=lambda row: (int(row[first]), int(row[second])),
            )
            if rest:
                after = (int(rest[0]), int(rest[2]))
                rows = [row for row in rows if (int(row[first]), int(row[second])) > after]
        return rows

    def _headers(self, rows: list[Row], where: str, params: list[str]) -> list[Row]:
        if "INSTR(t.memo, ?)" in where:
            memo = params.pop(0)
            rows = [row for row in rows if memo in row.get("memo", "")]
        if "nexttransactionlinelink" in where:
            ids = {row["previousdoc"] for row in self.tables.get("nexttransactionlinelink", [])}
            after = int(params[-1])
            rows = [row for row in rows if row["id"] in ids and int(row["id"]) > after]
        elif "t.lastmodifieddate >=" in where:
            since = params[0]
            rows = [row for row in rows if row["lastmodifieddate"] >= since]
            rows = sorted(rows, key=lambda row: (row["lastmodifieddate"], int(row["id"])))
            if len(params) > 1:
                after_pair = (params[1], int(params[3]))
                rows = [r for r in rows if (r["lastmodifieddate"], int(r["id"])) > after_pair]
            return rows
        elif "t.id > ?" in where:
            rows = [row for row in rows if int(row["id"]) > int(params[-1])]
        elif "t.id = ?" in where:
            rows = [row for row in rows if row["id"] == params[-1]]
        elif field := re.findall(r"UPPER\(t\.(\w+)\) = UPPER\(\?\)", where):
            value = params[-1].upper()
            rows = [row for row in rows if row.get(field[0], "").upper() == value]
        descending = "DESC" in where
        return sorted(rows, key=lambda row: int(row["id"]), reverse=descending)

    # records

    def record(self, request: HttpRequest, path: str, query: dict[str, list[str]]) -> HttpAnswer:
        type, _, key = path.partition("/record/v1/")[2].partition("/")
        body = json.loads(request.body) if request.body else None
        if request.method == "GET":
            return self.read(type, key, query)
        assert request.headers["X-NetSuite-PropertyNameValidation"] == "error"
        self.writes.append((request.method, f"{type}/{key}".rstrip("/"), query, body))
        if request.method == "PATCH":
            return reply(None, 204)
        made = self.save(type, key.removeprefix("eid:"), body)
        return reply(None, 204, location=f"{BASE}/services/rest/record/v1/{type}/{made}")

    def read(self, type: str, key: str, query: dict[str, list[str]]) -> HttpAnswer:
        missing = NO_ENTITY if type in ("customer", "contact") else MISSING
        if key.startswith("eid:"):
            id = self.by_key.get((type, key.removeprefix("eid:").lower()))
            return reply({"links": [], "id": id}) if id else missing
        if query.get("fields") == ["lastModifiedDate"]:
            return reply({"id": key, "lastModifiedDate": self.utc_of(key)})
        return missing

    def utc_of(self, id: str) -> str:
        """REST's time of a customer whose SuiteQL time is Pacific, in winter."""
        row = next(row for row in self.tables["customer"] if row["id"] == id)
        local = datetime.fromisoformat(row["lastmodifieddate"])
        return (local + timedelta(hours=8)).isoformat() + "Z"

    def save(self, type: str, key: str, body: Any) -> str:
        """A new record, which SuiteQL then shows."""
        made = str(next(self.made))
        if key:
            self.by_key[(type, key.lower())] = made
        row = {"id": made, "lastmodifieddate": "2026-02-01 04:00:00"}
        row |= {name: value for name, value in body.items() if name.startswith("cust")}
        codes = {"invoice": "CustInvc", "customerPayment": "CustPymt", "creditMemo": "CustCred"}
        if type in codes:
            table, row["type"] = "transaction", codes[type]
            row |= {"tranid": body.get("tranId", "1"), "status": "A", "entity": "1"}
        else:
            table = "item" if type.endswith("Item") else type
        self.tables.setdefault(table, []).append({**row, "externalid": key})
        return made


def _table(text: str) -> str:
    return re.findall(r"FROM (\w+)", text)[0].lower()


def invoices(numbers: range, **more: str) -> list[Row]:
    """Invoices of 100.00 USD with these ids, modified a second after each other."""
    start = datetime(2026, 1, 31, 20, 0)
    return [
        {
            "id": str(id),
            "type": "CustInvc",
            "tranid": f"INV{id}",
            "entity": "1",
            "status": "A",
            "statusname": "Invoice : Open",
            "currency": "1",
            "currencycode": "USD",
            "trandate": "2026-01-31",
            "foreigntotal": "100",
            "foreignamountunpaid": "100",
            "lastmodifieddate": (start + timedelta(seconds=id)).strftime("%Y-%m-%d %H:%M:%S"),
            **more,
        }
        for id in numbers
    ]
