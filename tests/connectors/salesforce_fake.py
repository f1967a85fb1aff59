"""A few of Salesforce's documented answers, enough to drive the connector without a network.

Written from the REST and Bulk API 2.0 guides; shares nothing with the sandbox. Queries are read
by a small parser that knows only what the guides allow, and refuses the rest as Salesforce does.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tieout.core.ports import HttpAnswer, HttpRequest, Ports

LOGIN = "https://acme.my.salesforce.com"
INSTANCE = "https://acme--eu.my.salesforce.com"
NOW = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
ORG15, ORG = "00D5g000004Abcd", "00D5g000004AbcdEAC"
DATA = "/services/data/v66.0"

Row = dict[str, Any]
Rule = Callable[[str, str, dict[str, list[str]]], HttpAnswer | Exception | None]

TEXT, FLAG, MONEY, NUMBER = "string", "boolean", "currency", "double"
TIME, DAY, REF = "datetime", "date", "reference"
_SYSTEM = {
    "Id": "id", "IsDeleted": FLAG, "CreatedDate": TIME, "LastModifiedDate": TIME,
    "LastModifiedById": REF, "SystemModstamp": TIME, "TieOut_Id__c": TEXT,
}  # fmt: skip
OBJECTS: dict[str, dict[str, str]] = {
    "Account": {
        "Name": TEXT, "AccountNumber": TEXT, "Type": "picklist", "ParentId": REF, "OwnerId": REF,
        "Website": "url", "Phone": "phone", "BillingAddress": "address", "AnnualRevenue": MONEY,
        "MasterRecordId": REF, "NumberOfEmployees": "int",
    },
    "Contact": {
        "AccountId": REF, "FirstName": TEXT, "LastName": TEXT, "Email": "email", "Phone": "phone",
        "MasterRecordId": REF,
    },
    "Product2": {"Name": TEXT, "ProductCode": TEXT, "IsActive": FLAG, "Description": TEXT},
    "Pricebook2": {"Name": TEXT, "IsStandard": FLAG},
    "PricebookEntry": {
        "Name": TEXT, "Pricebook2Id": REF, "Product2Id": REF, "UnitPrice": MONEY, "IsActive": FLAG,
    },
    "Opportunity": {
        "AccountId": REF, "Name": TEXT, "StageName": "picklist", "IsClosed": FLAG, "IsWon": FLAG,
        "Amount": MONEY, "Probability": "percent", "CloseDate": DAY, "Type": "picklist",
        "OwnerId": REF,
    },
    "Contract": {
        "AccountId": REF, "ContractNumber": TEXT, "Status": "picklist", "StatusCode": "picklist",
        "StartDate": DAY, "EndDate": DAY, "ContractTerm": "int",
    },
    "Order": {
        "AccountId": REF, "OrderNumber": TEXT, "Status": "picklist", "StatusCode": "picklist",
        "EffectiveDate": DAY, "TotalAmount": MONEY, "Pricebook2Id": REF,
    },
    "OrderItem": {
        "OrderId": REF, "PricebookEntryId": REF, "Product2Id": REF, "Quantity": "double",
        "UnitPrice": MONEY, "TotalPrice": MONEY, "Description": TEXT,
    },
    "TieOut_Invoice__c": {
        "Name": TEXT, "Account__c": REF, "Kind__c": TEXT, "Status__c": TEXT, "Currency__c": TEXT,
        "Issued_On__c": DAY, "Due_On__c": DAY, "Paid_At__c": TIME, "Voided_At__c": TIME,
        "Subtotal__c": NUMBER, "Discount__c": NUMBER, "Tax__c": NUMBER, "Total__c": NUMBER,
        "Adjustment__c": NUMBER, "Paid__c": NUMBER, "Credited__c": NUMBER,
        "Written_Off__c": NUMBER, "Balance__c": NUMBER, "Memo__c": TEXT,
    },
    "TieOut_Payment__c": {
        "Name": TEXT, "Account__c": REF, "Status__c": TEXT, "Method__c": TEXT, "Currency__c": TEXT,
        "Amount__c": NUMBER, "Refunded__c": NUMBER, "Fee__c": NUMBER, "Received_At__c": TIME,
        "Reference__c": TEXT, "Gateway_Id__c": TEXT, "Allocations__c": "textarea",
    },
    "TieOut_Credit_Note__c": {
        "Name": TEXT, "Account__c": REF, "Invoice__c": REF, "Status__c": TEXT, "Currency__c": TEXT,
        "Issued_On__c": DAY, "Subtotal__c": NUMBER, "Tax__c": NUMBER, "Total__c": NUMBER,
        "Allocated__c": NUMBER, "Refunded__c": NUMBER, "Balance__c": NUMBER, "Reason__c": TEXT,
        "Allocations__c": "textarea",
    },
    "Organization": {"Name": TEXT, "IsSandbox": FLAG, "OrganizationType": "picklist"},
}  # fmt: skip
for _prefix in ("Billing", "Shipping"):
    for _part in ("Street", "City", "State", "PostalCode", "Country"):
        OBJECTS["Account"][_prefix + _part] = TEXT
PREFIX = {
    "Account": "001", "Contact": "003", "Opportunity": "006", "Contract": "800", "Order": "801",
    "OrderItem": "802", "Product2": "01t", "PricebookEntry": "01u", "Pricebook2": "01s",
    "TieOut_Invoice__c": "a00", "TieOut_Payment__c": "a01", "TieOut_Credit_Note__c": "a02",
    "Organization": "00D",
}  # fmt: skip
READ_ONLY = {
    "Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
    "StatusCode", "ContractNumber", "OrderNumber", "TotalAmount", "TotalPrice", "IsClosed", "IsWon",
    "BillingAddress", "EndDate", "MasterRecordId",
}  # fmt: skip


def reply(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    named = {"content-type": "application/json;charset=UTF-8"}
    named |= {"sforce-limit-info": "api-usage=22/15000"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, named, json.dumps(body).encode())


def refusal(status: int, code: str, message: str = "no") -> HttpAnswer:
    return reply([{"message": message, "errorCode": code}], status)


def moment(seconds: int) -> str:
    """A time as REST shows it, seconds after 2026-01-31 00:00:00 UTC."""
    at = datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class Refused(Exception):
    def __init__(self, answer: HttpAnswer) -> None:
        self.answer = answer


class FakeSalesforce:
    """Objects by name; `rules` may answer instead, first come, first served."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {name: [] for name in OBJECTS}
        self.fields = {name: {**_SYSTEM, **own} for name, own in OBJECTS.items()}
        self.tables["Organization"] = [
            {
                "Id": ORG,
                "Name": "Acme",
                "IsSandbox": False,
                "OrganizationType": "Enterprise Edition",
            }
        ]
        self.hard_deleted: dict[str, list[str]] = {}
        self.earliest = "2026-01-01T00:00:00.000+0000"
        self.not_unique: set[str] = set()
        self.rules: list[Rule] = []
        self.calls: list[tuple[str, str, dict[str, list[str]]]] = []
        self.requests: list[HttpRequest] = []
        self.logins: list[dict[str, str]] = []
        self.jobs: dict[str, Row] = {}
        self.held: dict[str, list[Row]] = {}
        self.page, self.seconds, self.token, self.made = 2000, 0.0, 0, 0
        numbers = count(1)
        self.limits = {"DailyApiRequests": {"Max": 15000, "Remaining": 14000}}
        self.ports = Ports(
            now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=lambda: f"{next(numbers):012}" + "0" * 20,
            send=self.send,
        )

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def stamp(self) -> str:
        """This second, as Salesforce stamps it."""
        return self.ports.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    def new_id(self, object: str) -> str:
        self.made += 1
        return f"{PREFIX[object]}5g00000{self.made:05}AAA"

    def put(self, object: str, **values: Any) -> Row:
        """A record; what is not given is null, or made up as Salesforce would."""
        row: Row = dict.fromkeys(self.fields[object])
        row |= {"Id": self.new_id(object), "IsDeleted": False}
        row |= {
            "CreatedDate": moment(0),
            "LastModifiedDate": moment(0),
            "SystemModstamp": moment(0),
        }
        row |= values
        self.tables[object].append(row)
        return row

    def row(self, object: str, id: str) -> Row | None:
        return next((row for row in self.tables[object] if row["Id"] == id), None)

    def queries(self, object: str) -> list[str]:
        """The SOQL texts that were asked of one object."""
        asked = [query for _, path, query in self.calls if "/query" in path and "q" in query]
        texts = [query["q"][0] for query in asked]
        return [text for text in texts if f" FROM {object}" in text]

    # the wire

    def send(self, request: HttpRequest) -> HttpAnswer:
        parts = urlsplit(request.url)
        query = parse_qs(parts.query, keep_blank_values=True)
        self.calls.append((request.method, parts.path, query))
        self.requests.append(request)
        for rule in list(self.rules):
            told = rule(request.method, parts.path, query)
            if isinstance(told, Exception):
                raise told
            if told is not None:
                return told
        if parts.path == "/services/oauth2/token":
            assert request.url.startswith(LOGIN + "/")
            return self.login(request)
        assert request.url.startswith(INSTANCE + "/"), request.url
        if request.headers["Authorization"] != f"Bearer session-{self.token}":
            return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        assert parts.path.startswith(DATA + "/")
        body = json.loads(request.body) if request.body else None
        try:
            return self.data(request.method, parts.path[len(DATA) :].strip("/"), query, body)
        except Refused as refused:
            return refused.answer

    def login(self, request: HttpRequest) -> HttpAnswer:
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = {k: v[0] for k, v in parse_qs((request.body or b"").decode()).items()}
        self.logins.append(form)
        self.token += 1
        return reply(
            {
                "access_token": f"session-{self.token}", "instance_url": INSTANCE,
                "id": f"https://login.salesforce.com/id/{ORG15}/005x00000012Q9P",
                "token_type": "Bearer", "issued_at": "1767225600000", "signature": "x",
            }
        )  # fmt: skip

    def data(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> HttpAnswer:
        steps = path.split("/")
        if steps[0] in ("query", "queryAll"):
            return self.query(steps, query)
        if steps[0] == "limits":
            return reply(self.limits)
        if steps[0] == "jobs":
            return self.bulk(method, steps[1:], query, body)
        if steps[:2] == ["composite", "sobjects"]:
            return self.collection(method, steps[2:], body)
        assert steps[0] == "sobjects", path
        object = steps[1]
        if object not in self.tables:
            return refusal(404, "NOT_FOUND", "The requested resource does not exist")
        match steps[2:]:
            case ["describe"]:
                return reply(self.describe(object))
            case ["deleted" | "updated" as which]:
                return self.changes(object, which, query)
            case [id] if method == "PATCH":
                return self.update(object, id, body)
            case [field, key] if method == "PATCH":
                done = self.upsert(object, field, unquote(key), body)
                return reply(done, 201 if done["created"] else 200)
        raise AssertionError(path)

    def describe(self, object: str) -> Row:
        fields = [
            {
                "name": name, "type": kind, "scale": 2 if kind == MONEY else 0,
                "createable": name not in READ_ONLY, "updateable": name not in READ_ONLY,
                "externalId": name == "TieOut_Id__c",
                "unique": name == "TieOut_Id__c" and object not in self.not_unique,
                "relationshipName": name[:-2] if kind == REF and name.endswith("Id") else None,
                "referenceTo": ["Product2"] if name == "Product2Id" else [],
            }
            for name, kind in self.fields[object].items()
        ]  # fmt: skip
        for field in fields:
            if field["type"] == "double":
                field["scale"] = 3
        flags = dict.fromkeys(("createable", "updateable", "replicateable", "queryable"), True)
        return {"name": object, "keyPrefix": PREFIX[object], "fields": fields, **flags}

    # reading

    def query(self, steps: list[str], query: dict[str, list[str]]) -> HttpAnswer:
        if len(steps) > 1:
            rows = self.held.get(steps[1])
            if rows is None:
                return refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
            return self.answer(rows, steps[1])
        text = query["q"][0]
        rows = self.selected(text, deleted=steps[0] == "queryAll")
        if "COUNT()" in text:
            return reply({"totalSize": len(rows), "done": True, "records": []})
        return self.answer(rows, f"0r8x{len(self.held):06}")

    def answer(self, rows: list[Row], locator: str) -> HttpAnswer:
        name, _, start = locator.partition("-")
        self.held[name] = rows
        first = int(start or 0)
        shown = rows[first : first + self.page]
        body: Row = {"totalSize": len(rows), "done": True, "records": shown}
        if first + self.page < len(rows):
            following = f"{name}-{first + self.page}"
            self.held[following] = rows
            body |= {"done": False, "nextRecordsUrl": f"{DATA}/query/{following}"}
        return reply(body)

    def selected(self, text: str, *, deleted: bool) -> list[Row]:
        found = re.fullmatch(
            r"SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY (.+?))?(?: LIMIT (\d+))?", text
        )
        assert found, text
        columns, object, where, order, limit = found.groups()
        if object not in self.tables:
            raise Refused(refusal(400, "INVALID_TYPE", f"sObject type '{object}' is not supported"))
        names = [name.strip() for name in columns.split(",")] if columns != "COUNT()" else []
        for name in [*names, *re.findall(r"\b([A-Z]\w+) (?:[<>=]|IN)", where or "")]:
            if name.split(".")[0] not in self.fields[object] and "." not in name:
                raise Refused(refusal(400, "INVALID_FIELD", f"No such column '{name}'"))
        rows = [row for row in self.tables[object] if deleted or not row.get("IsDeleted")]
        if where:
            test = Condition(where).read()
            rows = [row for row in rows if test(row)]
        for each in reversed((order or "").split(",")):
            if name := each.strip().split(" ")[0]:
                rows = sorted(rows, key=lambda row, name=name: row[name])
        rows = rows[: int(limit)] if limit else rows
        return [self.shown(object, row, names) for row in rows]

    def shown(self, object: str, row: Row, names: list[str]) -> Row:
        url = f"{DATA}/sobjects/{object}/{row['Id']}"
        found: Row = {"attributes": {"type": object, "url": url}}
        for name in names:
            if name == "Product2.Name":
                product = self.row("Product2", row["Product2Id"])
                found["Product2"] = {"Name": product["Name"]} if product else None
            else:
                found[name] = row[name]
        return found

    def changes(self, object: str, which: str, query: dict[str, list[str]]) -> HttpAnswer:
        start, end = (datetime.fromisoformat(query[name][0]) for name in ("start", "end"))
        if start >= end:
            return refusal(400, "INVALID_REPLICATION_DATE", "start must be before end")
        inside = [
            row
            for row in self.tables[object]
            if start <= datetime.fromisoformat(row["SystemModstamp"]) <= end
        ]
        covered = {"latestDateCovered": moment(43200)}
        if which == "updated":
            return reply({"ids": [r["Id"] for r in inside if not r["IsDeleted"]], **covered})
        gone = [row["Id"] for row in inside if row["IsDeleted"]] + self.hard_deleted.get(object, [])
        rows = [{"id": id, "deletedDate": moment(0)} for id in gone]
        return reply({"deletedRecords": rows, "earliestDateAvailable": self.earliest, **covered})

    def bulk(
        self, method: str, steps: list[str], query: dict[str, list[str]], body: Any
    ) -> HttpAnswer:
        assert steps[0] == "query"
        if method == "POST":
            columns = re.findall(r"SELECT (.+?) FROM (\w+)", body["query"])[0]
            types = [self.fields[columns[1]].get(n.strip()) for n in columns[0].split(",")]
            assert "address" not in types and "ORDER BY" not in body["query"]
            rows = self.selected(body["query"], deleted=body["operation"] == "queryAll")
            id = f"7505g0000{len(self.jobs):06}AAA"
            self.jobs[id] = {"rows": rows, "polls": 0, "names": columns[0].split(", ")}
            return reply({"id": id, "state": "UploadComplete", "object": columns[1]})
        job = self.jobs.get(steps[1])
        if job is None:
            return refusal(404, "NOT_FOUND", "The requested resource does not exist")
        if len(steps) == 2:
            job["polls"] += 1
            state = "JobComplete" if job["polls"] > 2 else "InProgress"
            return reply({"id": steps[1], "state": state})
        first = int(base64.b64decode(query.get("locator", ["MA=="])[0]))
        size = int(query["maxRecords"][0])
        rows = job["rows"][first : first + size]
        more = first + size < len(job["rows"])
        following = base64.b64encode(str(first + size).encode()).decode() if more else "null"
        headers = {
            "content-type": "text/csv",
            "sforce-locator": following,
            "sforce-numberofrecords": str(len(rows)),
        }
        return HttpAnswer(200, headers, as_csv(rows, job["names"]))

    # writing

    def upsert(self, object: str, field: str, key: str, body: Row) -> Row:
        if field not in self.fields[object]:
            told = f"Provided external ID field does not exist or is not accessible: {field}"
            raise Refused(refusal(404, "NOT_FOUND", told))
        assert field not in body
        self.check(object, body)
        found = [row for row in self.tables[object] if row[field] == key and not row["IsDeleted"]]
        if len(found) > 1:
            raise Refused(reply([f"{DATA}/sobjects/{object}/{row['Id']}" for row in found], 300))
        row = found[0] if found else self.put(object, **{field: key}, CreatedDate=self.stamp())
        self.change(object, row, body)
        return {"id": row["Id"], "success": True, "errors": [], "created": not found}

    def update(self, object: str, id: str, body: Row) -> HttpAnswer:
        row = self.row(object, id)
        if row is None or row["IsDeleted"]:
            return refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
        self.check(object, body)
        self.change(object, row, body)
        return HttpAnswer(204, {}, b"")

    def check(self, object: str, body: Row) -> None:
        for name in body:
            if name not in self.fields[object]:
                raise Refused(refusal(400, "INVALID_FIELD", f"No such column '{name}'"))
            if name in READ_ONLY:
                told = f"Unable to create/update fields: {name}"
                raise Refused(refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", told))
        if body.get("Name") == "":
            raise Refused(
                refusal(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]")
            )

    def change(self, object: str, row: Row, body: Row) -> None:
        row |= body
        row["SystemModstamp"] = row["LastModifiedDate"] = self.stamp()
        if "Status" in body:
            row["StatusCode"] = body["Status"]

    def collection(self, method: str, steps: list[str], body: Row) -> HttpAnswer:
        records = body["records"]
        assert len(records) <= 200 and all(next(iter(each)) == "attributes" for each in records)
        names = [each.get(steps[1]) if steps else each.get("id") for each in records]
        told = []
        for place, each in enumerate(records):
            object = each["attributes"]["type"]
            values = {k: v for k, v in each.items() if k not in ("attributes", "id")}
            try:
                if method == "POST":
                    row = self.put(object)
                    self.change(object, row, values)
                    told.append({"id": row["Id"], "success": True, "errors": []})
                elif steps:
                    assert steps[0] == object
                    if names.count(names[place]) > 1:
                        raise Refused(refusal(400, "DUPLICATE_VALUE", "duplicate external id"))
                    told.append(self.upsert(object, steps[1], values.pop(steps[1]), values))
                else:
                    answer = self.update(object, each["id"], values)
                    if answer.status != 204:
                        raise Refused(answer)
                    told.append({"id": each["id"], "success": True, "errors": []})
            except Refused as refused:
                fault = json.loads(refused.answer.body)[0]
                error = {
                    "statusCode": fault["errorCode"],
                    "message": fault["message"],
                    "fields": [],
                }
                told.append({"success": False, "errors": [error]})
        return reply(told)


def as_csv(rows: list[Row], names: list[str]) -> bytes:
    """As Bulk API writes them: everything quoted, null empty, times with Z."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([cell(related(row, name)) for name in names])
    return out.getvalue().encode()


def related(row: Row, name: str) -> Any:
    relation, _, field = name.partition(".")
    return (row[relation] or {}).get(field) if field else row[name]


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text.replace("+0000", "Z") if re.fullmatch(r"\d{4}-.*\+0000", text) else text


class Condition:
    """`a >= 1 AND (b = 'x' OR c IN ('y'))` as a test of a row."""

    _TOKENS = re.compile(r"\s*(\(|\)|,|<=|>=|=|<|>|'(?:\\.|[^'\\])*'|[\w.:+-]+)")

    def __init__(self, text: str) -> None:
        self.tokens = self._TOKENS.findall(text)
        assert "".join(self.tokens) == re.sub(
            r"(?:'(?:\\.|[^'\\])*')|\s+", lambda m: m[0].strip(), text
        )
        self.at = 0

    def read(self) -> Callable[[Row], bool]:
        test = self.either()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return test

    def take(self) -> str:
        self.at += 1
        return str(self.tokens[self.at - 1])

    def peek(self) -> str:
        return str(self.tokens[self.at]) if self.at < len(self.tokens) else ""

    def either(self) -> Callable[[Row], bool]:
        tests = [self.both()]
        while self.peek() == "OR":
            self.take()
            tests.append(self.both())
        return lambda row: any(test(row) for test in tests)

    def both(self) -> Callable[[Row], bool]:
        tests = [self.one()]
        while self.peek() == "AND":
            self.take()
            tests.append(self.one())
        return lambda row: all(test(row) for test in tests)

    def one(self) -> Callable[[Row], bool]:
        if self.peek() == "(":
            self.take()
            test = self.either()
            assert self.take() == ")"
            return test
        name, sign = self.take(), self.take()
        if sign == "IN":
            assert self.take() == "("
            wanted = [self.value()]
            while self.take() == ",":
                wanted.append(self.value())
            return lambda row: row[name] in wanted
        value = self.value()
        match sign:
            case "=":
                return lambda row: fold(row[name]) == fold(value)
            case ">":
                return lambda row: comparable(row[name]) > comparable(value)
            case ">=":
                return lambda row: comparable(row[name]) >= comparable(value)
            case "<=":
                return lambda row: comparable(row[name]) <= comparable(value)
        raise AssertionError(sign)

    def value(self) -> Any:
        token = self.take()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        return {"true": True, "false": False, "null": None}.get(token, token)


def comparable(value: Any) -> Any:
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value


def fold(value: Any) -> Any:
    """SOQL compares text without regard to case."""
    value = comparable(value)
    return value.lower() if isinstance(value, str) else value


def once(method: str, path: str, told: HttpAnswer | Exception, *, after: int = 0) -> Rule:
    """A rule that answers one call whose path ends so (the `after`+1st) and no other."""
    left = [after]

    def rule(called: str, where: str, query: dict[str, list[str]]) -> HttpAnswer | Exception | None:
        if called != method or not where.rstrip("/").endswith(path):
            return None
        left[0] -= 1
        return told if left[0] == -1 else None

    return rule


# An outbound message: one record that is ours, one of another object, a deleted one.
MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound">
 <OrganizationId>{org}</OrganizationId><ActionId>04k5g0000000001AAA</ActionId>
 <SessionId>00D5g!a-live-session</SessionId>
 <EnterpriseUrl>https://x</EnterpriseUrl><PartnerUrl>https://x</PartnerUrl>
 <Notification><Id>04l5g0000000001AAA</Id>
  <sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
   <sf:Id>0065g0000000abC</sf:Id><sf:Name>Deal</sf:Name></sObject></Notification>
 <Notification><Id>04l5g0000000002AAA</Id>
  <sObject xsi:type="sf:Case" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
   <sf:Id>5005g0000000001AAA</sf:Id></sObject></Notification>
 <Notification><Id>04l5g0000000003AAA</Id>
  <sObject xsi:type="sf:Account" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"/>
 </Notification>
</notifications></soapenv:Body></soapenv:Envelope>"""
