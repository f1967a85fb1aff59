"""The record API: /services/rest/record/v1/{type}[/{id}[/{sublist}]].

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540811107.html
"""

from __future__ import annotations

from typing import Any

from . import saving
from .body import Reader, name_of
from .books import Body, Books, Record, ref_id
from .catalog import TYPES, RecordType
from .errors import (
    invalid_content,
    malformed,
    no_such_path,
    no_such_record,
    user_error,
    wrong_method,
    wrong_transaction_type,
)
from .filters import compile_filter
from .metadata import catalog_answer
from .paging import page, read_window
from .shown import ROOT, link, shown, subresource
from .unused import RECORDS
from .wire import Answer, Request, decode

# A transformation needs no document of its own to be paid.
_TRANSFORMS = {
    ("invoice", "creditMemo"),
    ("invoice", "customerPayment"),
    ("customer", "invoice"),
    ("customer", "customerPayment"),
    ("customer", "creditMemo"),
}


class Records:
    """Routes one record request. Whoever calls holds the stand-in's lock."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def answer(self, request: Request) -> Answer:
        """Raises Refusal."""
        parts = request.path.removeprefix(ROOT).strip("/").split("/")
        if parts[0] == "metadata-catalog":
            return catalog_answer(self.books, request, parts[1:])
        type = TYPES.get(parts[0].lower())
        if type is None:
            return self._without_records(request, parts)
        if len(parts) == 1:
            return self._collection(request, type)
        if len(parts) == 2:
            return self._single(request, type, parts[1])
        if parts[2] == "!transform" and len(parts) == 4:
            return self._transform(request, type, parts[1], parts[3])
        return self._below(request, type, parts[1], parts[2:])

    def _without_records(self, request: Request, parts: list[str]) -> Answer:
        """A type that NetSuite has and of which the account has no record."""
        if parts[0].lower() not in RECORDS:
            raise no_such_path()
        if len(parts) > 1:
            raise no_such_record()
        if request.method != "GET":
            raise user_error(f"{RECORDS[parts[0].lower()]} records cannot be made here.")
        return Answer(200, page(request, read_window(request), [], 0), kind="collection")

    def _collection(self, request: Request, type: RecordType) -> Answer:
        if request.method == "POST":
            record = self._create(request, type, read_body(request))
            return _created(request, record)
        if request.method != "GET":
            raise wrong_method(request.method)
        window = read_window(request)
        records = list(self.books.all_of(type).values())
        if request.param("q"):
            test = compile_filter(request.param("q"), type, self.books.timezone)
            records = [record for record in records if test(record)]
        cut = records[window.offset : min(window.offset + window.limit, window.reachable(10**9))]
        items = [
            {"links": [link(request.base, f"{type.path}/{record.id}")], "id": record.id}
            for record in cut
        ]
        return Answer(200, page(request, window, items, len(records)), kind="collection")

    def _single(self, request: Request, type: RecordType, key: str) -> Answer:
        if request.method == "PUT":
            return self._upsert(request, type, key)
        record = self._find(type, key)
        if request.method == "GET":
            return Answer(200, self._shown(request, record))
        if request.method == "PATCH":
            self._update(request, record, read_body(request))
            return _saved(request, record)
        if request.method == "DELETE":
            saving.delete(self.books, record)
            return Answer(204)
        raise wrong_method(request.method)

    def _shown(self, request: Request, record: Record) -> Body:
        asked = request.raw_path.removeprefix(f"{ROOT}/")
        if fields := request.param("fields"):
            asked += f"?fields={fields.replace(',', '%2C')}"
        inline = request.param("expandSubResources").lower() == "true"
        return shown(self.books, record, request.base, inline=inline, fields=fields, asked=asked)

    def _find(self, type: RecordType, key: str) -> Record:
        found = self.books.find(type.name, key) if type.group not in ("transactions",) else None
        if type.is_transaction:
            found = self.books.find("transaction", key)
            if found is None or found.type is not type:
                raise wrong_transaction_type()
        if found is None or found.type is not type:
            raise no_such_record()
        return found

    def _upsert(self, request: Request, type: RecordType, key: str) -> Answer:
        if not key.startswith("eid:") or not key[4:]:
            raise malformed("PUT needs an external ID in the URL, in the form eid:<external ID>.")
        given = read_body(request)
        external = key[4:]
        if str(given.get("externalId") or external).lower() != external.lower():
            raise invalid_content("The external ID differs from the one in the URL.", "externalId")
        found = self.books.by_external(type.group, external)
        if found is not None and found.type is type:
            self._update(request, found, given)
            return Answer(204)
        return _created(request, self._create(request, type, {**given, "externalId": external}))

    def _create(self, request: Request, type: RecordType, given: Body) -> Record:
        return saving.create(self.books, type, self._reader(request, type).read(given))

    def _update(self, request: Request, record: Record, given: Body) -> None:
        replace = [name.strip() for name in request.param("replace").split(",")]
        fields = self._reader(request, record.type).read(given)
        saving.update(self.books, record, fields, replace)

    def _reader(self, request: Request, type: RecordType) -> Reader:
        strict = request.header("x-netsuite-propertynamevalidation").lower() == "error"
        return Reader(self.books, type, strict)

    def _below(self, request: Request, type: RecordType, key: str, rest: list[str]) -> Answer:
        record = self._find(type, key)
        spelled = {name.lower(): name for name in type.sublists}.get(rest[0].lower())
        if spelled is None or len(rest) > 2:
            raise no_such_path()
        if request.method != "GET":
            raise wrong_method(request.method)
        held = subresource(self.books, record, spelled, request.base)
        if len(rest) == 1:
            return Answer(200, held, kind="collection")
        keys = type.sublists[spelled].keys or ("line",)
        for line in held.get("items") or []:
            if ref_id(line.get(keys[0])) == rest[1]:
                return Answer(200, {"links": [link(request.base, _tail(request))], **line})
        raise no_such_record()

    def _transform(self, request: Request, type: RecordType, key: str, into: str) -> Answer:
        target = TYPES.get(into.lower())
        if target is None or (type.name, target.name) not in _TRANSFORMS:
            raise user_error(f"The record cannot be transformed into {into}.")
        if request.method != "POST":
            raise wrong_method(request.method)
        source = self._find(type, key)
        given = self._reader(request, target).read(read_body(request))
        fields = {**_carried(source, target), **given}
        if target.name == "customerPayment" and type.name == "invoice" and "apply" not in given:
            fields["apply"] = [{"doc": _reference(source), "apply": True}]
        return _created(request, saving.create(self.books, target, fields))


def _carried(source: Record, target: RecordType) -> Body:
    """What a transformation takes over from its source."""
    body = source.body
    owner = "customer" if target.name == "customerPayment" else "entity"
    if source.type.name == "customer":
        return {owner: _reference(source)}
    fields: Body = {owner: body.get("entity")}
    fields |= {
        name: body[name]
        for name in ("subsidiary", "currency", "exchangeRate", "memo", "department", "location")
        if body.get(name) is not None
    }
    if target.name == "creditMemo":
        fields["createdFrom"] = _reference(source)
        fields["item"] = [dict(line) for line in source.lines("item")]
    return fields


def _reference(record: Record) -> Body:
    return {"id": record.id, "refName": name_of(record)}


def read_body(request: Request) -> Body:
    """The JSON object of a request; {} for an empty body. Raises Refusal."""
    if not request.body.strip():
        return {}
    try:
        given: Any = decode(request.body)
    except (ValueError, RecursionError):
        raise invalid_content("Invalid JSON in the request body.", "") from None
    if not isinstance(given, dict):
        raise malformed()
    return given


def _created(request: Request, record: Record) -> Answer:
    return Answer(204, None, {"Location": _home(request, record)})


def _saved(request: Request, record: Record) -> Answer:
    return Answer(204, None, {"Location": _home(request, record)})


def _home(request: Request, record: Record) -> str:
    return link(request.base, f"{record.type.path}/{record.id}")["href"]


def _tail(request: Request) -> str:
    return request.raw_path.removeprefix(f"{ROOT}/")
