"""CRUD on /v1/object and the actions create, update, delete, query: capitalised names.

https://developer.zuora.com/v1-api-reference/api/actions/
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from . import times
from .books import Books, Record
from .dataquery import shown_row
from .errors import Refusal, crud_errors
from .mirror import Mirror
from .objects import SETTLEMENT, Kind, find, kinds
from .sql import Dialect, SqlProblem, Translator
from .tenant import Call
from .wire import Answer, Body

_REQUIRED = {
    "product": "Name EffectiveStartDate EffectiveEndDate",
    "productrateplan": "Name ProductId",
    "productrateplancharge": "Name ProductRatePlanId ChargeModel ChargeType BillCycleType"
    " BillingPeriod TriggerEvent UseDiscountSpecificAccountingCode ProductRatePlanChargeTierData",
    "usage": "UOM Quantity StartDateTime",
    "account": "Name Currency BillCycleDay",
    "contact": "FirstName LastName AccountId",
    "taxationitem": "InvoiceItemId TaxAmount",
}
_UNKNOWN_TO_ACTIONS = {"orders", "orderaction", "orderlineitem", "creditmemo", "debitmemo"}
_UNKNOWN_TO_QUERY = _UNKNOWN_TO_ACTIONS | SETTLEMENT
_OWN = ("id", "createdDate", "createdById", "updatedDate", "updatedById")  # Zuora's to set
_BATCH = 50
QUERY_PAGE = 2000


def kind_of(name: str) -> Kind:
    found = find(name)
    if found is None:
        raise crud_errors("INVALID_TYPE", f"invalid type {name}", 400)
    return found


def read(call: Call) -> Answer:
    record = _get(call)
    return Answer(200, shown(call.books, record))


def _get(call: Call) -> Record:
    kind = kind_of(call.keys["type"])
    record = call.books.shelves[kind.table].get(call.keys["key"])
    if record is None:
        raise Refusal(Answer(404, {"records": [], "size": 0, "done": True}))
    return record


def shown(books: Books, record: Record) -> Body:
    """A record with capitalised names; null is left out."""
    kind, body = kinds()[record.table], {}
    for name, value in record.row.items():
        if value is None or isinstance(value, list | dict):
            continue
        if kind.type_of(name) == "datetime":
            value = times.crud(str(value), books.zone)
        body[capital(name)] = value
    return body


def capital(name: str) -> str:
    return name if name.endswith(("__c", "__NS", "__QT")) else name[:1].upper() + name[1:]


def create(call: Call) -> Answer:
    kind = kind_of(call.keys["type"])
    strict = call.request.param("rejectUnknownFields").lower() == "true"
    record = make(call, kind, call.body, strict=strict)
    return Answer(200, {"Success": True, "Id": record.id})


def make(call: Call, kind: Kind, sent: Body, *, strict: bool = False) -> Record:
    """One record from capitalised fields. Raises Refusal."""
    if kind.table not in _REQUIRED:
        raise crud_errors("INVALID_TYPE", f"{kind.object} cannot be created by this call.")
    for name in _REQUIRED[kind.table].split():
        if sent.get(name) in (None, ""):
            raise crud_errors("MISSING_REQUIRED_VALUE", f"Missing required value: {name}")
    row = _row(call, kind, sent, strict)
    _references(call, kind, row)
    extra: Body = {}
    if kind.table == "account":
        extra = dict.fromkeys(("balance", "totalInvoiceBalance", "creditBalance"), 0)
        extra |= {"status": "Draft", "batch": "Batch1"}
    elif kind.table == "usage":
        extra = {"rbeStatus": "Pending", "sourceType": "API",
                 "submissionDateTime": call.books.now()}  # fmt: skip
    record = call.books.create(kind.table, **extra | row)
    if kind.table == "productrateplancharge":
        _tiers(call, record, sent["ProductRatePlanChargeTierData"])
    return record


def _tiers(call: Call, charge: Record, sent: Any) -> None:
    held = sent.get("ProductRatePlanChargeTier") if isinstance(sent, dict) else None
    for n, tier in enumerate(held or [], 1):
        kind = kinds()["productrateplanchargetier"]
        row = _row(call, kind, tier, False)
        row = {"tier": n, "startingUnit": 0, "priceFormat": "Flat Fee", "active": True} | row
        row["productRatePlanChargeId"] = charge.id
        call.books.create("productrateplanchargetier", **row)


def _row(call: Call, kind: Kind, sent: Body, strict: bool) -> Body:
    row: Body = {}
    for name, value in sent.items():
        found = kind.types.get(name.lower())
        if found is None and not name.endswith(("__c", "__NS", "__QT")):
            nested = name in ("ProductRatePlanChargeTierData", "AccountNumber", "ActiveCurrencies")
            if strict and not nested:
                raise crud_errors("INVALID_FIELD", f"invalid field {name} for {kind.object}")
            if name == "AccountNumber":
                row["accountNumber"] = value
            continue
        spelled, type = found or (name, "string")
        if type == "datetime" and isinstance(value, str):
            value = _instant(call, name, value)
        if type == "date" and value is not None and not times.is_date(value):
            raise crud_errors("INVALID_VALUE", f"The value of {name} is not a date: {value}")
        row[spelled] = value
    return {name: value for name, value in row.items() if name not in _OWN}


def _instant(call: Call, name: str, value: str) -> str:
    try:
        return times.stored(times.parse(value, call.books.zone))
    except ValueError:
        raise crud_errors("INVALID_VALUE", f"{name} is not a date and time: {value}") from None


def _references(call: Call, kind: Kind, row: Body) -> None:
    if kind.table == "usage":
        account = call.books.find("account", row.get("accountId") or row.get("accountNumber"))
        if account is None:
            raise crud_errors("INVALID_VALUE", "The account does not exist.")
        row |= {"accountId": account.id, "accountNumber": account.row.get("accountNumber")}
    for field, table in (("productId", "product"), ("productRatePlanId", "productrateplan")):
        if row.get(field) and call.books.find(table, row[field]) is None:
            raise crud_errors("INVALID_VALUE", f"{capital(field)} {row[field]} does not exist.")
    number = kind.number
    if number and row.get(number) and call.books.find(kind.table, row[number]):
        raise crud_errors("INVALID_VALUE", f"{capital(number)} {row[number]} exists already.")


def update(call: Call) -> Answer:
    record = _get(call)
    strict = call.request.param("rejectUnknownFields").lower() == "true"
    _change(call, record, call.body, strict)
    return Answer(200, {"Success": True, "Id": record.id})


def _change(call: Call, record: Record, sent: Body, strict: bool) -> None:
    row = _row(call, kinds()[record.table], sent, strict)
    money = {"amount", "balance", "invoiceDate"} & set(row)
    if record.row.get("status") == "Posted" and money:
        raise crud_errors("INVALID_VALUE", "A posted document cannot be changed.")
    call.books.change(record, **row)


def delete(call: Call) -> Answer:
    record = _get(call)
    if not _delete(call, record):
        raise crud_errors("INVALID_VALUE", "The object is in use and cannot be deleted.")
    return Answer(200, {"success": True, "id": record.id})


def _delete(call: Call, record: Record) -> bool:
    if record.row.get("status") == "Posted":
        return False
    used = {"product": ("productrateplan", "productId"), "account": ("invoice", "accountId"),
            "productrateplan": ("rateplan", "productRatePlanId")}.get(record.table)  # fmt: skip
    if used and call.books.children(*used, record.id):
        return False
    call.books.delete(record)
    return True


def actions(call: Call) -> Answer:
    """POST /v1/action/create, update, delete: each row succeeds or fails by itself."""
    word = call.request.path.rsplit("/", 1)[1]
    kind = kind_of(str(call.body.get("type") or ""))
    listed = call.body.get("ids" if word == "delete" else "objects")
    if not isinstance(listed, list) or not listed or len(listed) > _BATCH:
        raise crud_errors("INVALID_VALUE", f"Send 1 to {_BATCH} objects.")
    if kind.table in _UNKNOWN_TO_ACTIONS:
        raise crud_errors("INVALID_TYPE", f"{kind.object} is not supported by this call.")
    return Answer(200, [_action(call, kind, word, one) for one in listed])


def _action(call: Call, kind: Kind, word: str, one: Any) -> Body:
    try:
        with call.books.attempt():
            return _acted(call, kind, word, one)
    except Refusal as refusal:
        return dict(refusal.answer.content)


def _acted(call: Call, kind: Kind, word: str, one: Any) -> Body:
    id = one if word == "delete" else one.get("Id") if isinstance(one, dict) else None
    if word != "delete" and not isinstance(one, dict):
        raise crud_errors("INVALID_VALUE", "Each object must be a JSON object.")
    if word == "create":
        return {"Success": True, "Id": make(call, kind, one).id}
    record = call.books.shelves[kind.table].get(str(id))
    if record is None:
        raise crud_errors("INVALID_ID", "invalid id")
    if word == "update":
        _change(call, record, one, False)
        return {"Success": True, "Id": record.id}
    if not _delete(call, record):
        raise crud_errors("DELETE_FAILED", "The object is in use.")
    return {"success": True, "id": record.id}


class Zoql:
    """ZOQL queries: pages of 2,000 behind a locator that dies after 15 idle minutes."""

    def __init__(self, mirror: Mirror, *, settlement: bool) -> None:
        self.mirror, self.settlement = mirror, settlement
        self._waiting: dict[str, tuple[list[Body], float]] = {}

    def query(self, call: Call) -> Answer:
        text = str(call.body.get("queryString") or "")
        _check_zoql(text)
        names, rows = self.run(call.books, text)
        records = [
            {name: _crud_value(call.books, value) for name, value in zip(names, row, strict=True)
             if value is not None}
            for row in rows
        ]  # fmt: skip
        return self._page(call, records, len(records))

    def more(self, call: Call) -> Answer:
        locator = str(call.body.get("queryLocator") or "")
        rest, until = self._waiting.pop(locator, ([], 0.0))
        if until < call.books.clock.now().timestamp():
            raise crud_errors("INVALID_QUERY_LOCATOR", "The query locator is not valid.")
        return self._page(call, rest, len(rest))

    def _page(self, call: Call, records: list[Body], size: int) -> Answer:
        body: Body = {"records": records[:QUERY_PAGE], "size": size, "done": True}
        if size > QUERY_PAGE:
            locator = f"{call.books.new_id()}-{QUERY_PAGE}"
            until = call.books.clock.now().timestamp() + 15 * 60
            self._waiting[locator] = (records[QUERY_PAGE:], until)
            body |= {"done": False, "queryLocator": locator}
        return Answer(200, body)

    def run(
        self, books: Books, text: str, *, read_deleted: bool = False
    ) -> tuple[list[str], list[list[Any]]]:
        """Columns and rows of a ZOQL or Export ZOQL query. Raises Refusal.

        With `read_deleted` only what was deleted.
        """
        dialect = Dialect(
            books.clock.now(), books.zone, self.settlement, zoql=True, read_deleted=read_deleted
        )
        try:
            made = Translator(self.mirror, dialect).translate(text)
            found = self.mirror.db.execute(made.sql).fetchall()
        except (SqlProblem, sqlite3.Error) as problem:
            raise crud_errors("MALFORMED_QUERY", str(problem)) from None
        return made.columns, [shown_row(row, made.types) for row in found]


def _check_zoql(text: str) -> None:
    """What ZOQL lacks though Export ZOQL has it. Raises Refusal."""
    bare = re.sub(r"'(?:[^'\\]|\\.)*'", "''", text)
    found = re.fullmatch(
        r"\s*select\s+([\w\s,]+?)\s+from\s+(\w+)(?:\s+(?:where|limit)\s.*)?", bare, re.S
    )
    beyond = re.search(r"(?i)\b(?:order|group|in|join)\b|\(", bare)
    if found is None or beyond:
        raise crud_errors("MALFORMED_QUERY", "You have an error in your ZOQL syntax")
    kind = find(found[2])
    if kind is None or kind.table in _UNKNOWN_TO_QUERY:
        raise crud_errors("INVALID_TYPE", f"invalid type {found[2]} for query")


def _crud_value(books: Books, value: Any) -> Any:
    if isinstance(value, str) and len(value) > 19 and value[10:11] == "T" and value[-1:] == "Z":
        return times.crud(value, books.zone)
    return value


def describe_all(call: Call) -> Answer:
    """GET /v1/describe: XML only."""
    listed = "".join(
        f'<object href="{call.request.base}/v1/describe/{kind.object}"><name>{kind.object}</name>'
        f"<label>{kind.object}</label></object>"
        for kind in kinds().values()
    )
    return _xml(f"<objects>{listed}</objects>")


def describe(call: Call) -> Answer:
    kind = find(call.keys["type"])
    if kind is None or kind.object != call.keys["type"]:
        raise crud_errors("INVALID_TYPE", f"invalid type {call.keys['type']}", 404)
    shown_types = {"string": "text", "number": "decimal"}
    fields = "".join(
        f"<field><name>{capital(name)}</name><label>{capital(name)}</label>"
        f"<required>false</required><type>{shown_types.get(type, type)}</type>"
        "<contexts><context>export</context></contexts></field>"
        for name, type in kind.types.values()
    )
    head = f'<object href="{call.request.base}/v1/describe/{kind.object}">'
    names = f"<name>{kind.object}</name><label>{kind.object}</label>"
    related = "<related-objects></related-objects>"
    return _xml(f"{head}{names}<fields>{fields}</fields>{related}</object>")


def _xml(text: str) -> Answer:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return Answer(200, (head + text).encode(), media="text/xml;charset=UTF-8")
