"""sObject Collections: up to 200 records in one call, each with its own result.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from .errors import Refusal, bad_cross_reference, not_found, not_json, wrong_method
from .fields import SObject
from .records import Records, read_object
from .saving import ManyMatches, Org
from .store import valid_id
from .wire import Answer, Request

MOST = 200
_MOST_RUNS = 10
_MOST_READ = 2000

Step = Callable[[Any], tuple[str, bool | None]]


class _Undo(Exception):
    """Leaves the savepoint of an all-or-none call."""


class Collections:
    """Answers /composite/sobjects/... for one org."""

    def __init__(self, org: Org, records: Records) -> None:
        self.org, self.records = org, records

    def answer(self, request: Request, version: str, parts: list[str]) -> Answer:
        """`parts` are the segments after `composite/sobjects`. Raises Refusal."""
        match request.method, parts:
            case "DELETE", []:
                return self._delete(request)
            case "POST" | "PATCH", []:
                return self._write(request)
            case "GET" | "POST", [name]:
                return self._read(request, version, self.org.type(name))
            case "PATCH", [name, key]:
                return self._upsert(request, self.org.type(name), key)
            case _, [] | [_] | [_, _]:
                raise wrong_method(request.method, "DELETE,GET,PATCH,POST")
        raise not_found()

    def _write(self, request: Request) -> Answer:
        records, all_or_none = _records(request)
        types = [self._type(one) for one in records]
        runs = sum(1 for _ in groupby(types, key=lambda one: one.name))
        if runs > _MOST_RUNS:
            raise Refusal(
                "OPERATION_TOO_LARGE",
                f"Cannot have more than {_MOST_RUNS} chunks in a single operation. Please "
                "rearrange the data to reduce chunking.",
            )

        def create(record: dict[str, Any]) -> tuple[str, bool | None]:
            return self.org.create(self._type(record), record), None

        def update(record: dict[str, Any]) -> tuple[str, bool | None]:
            type = self._type(record)
            name = next((key for key in record if key.lower() == "id"), None)
            if name is None:
                raise Refusal("MISSING_ARGUMENT", "Id not specified in an update call", [])
            body = {key: value for key, value in record.items() if key != name}
            id = self.existing(type, str(record[name]))
            self.org.update(type, id, body)
            return id, None

        step = create if request.method == "POST" else update
        return Answer(200, self.each(records, step, all_or_none))

    def _upsert(self, request: Request, type: SObject, key: str) -> Answer:
        one = self.org.key_field(type, key)
        records, all_or_none = _records(request)
        if any(self._type(record) is not type for record in records):
            raise Refusal("INVALID_TYPE", "The Id or type specified is not of the URL's type")
        values = [str(_key(record, one.name) or "").lower() for record in records]

        def upsert(record: dict[str, Any]) -> tuple[str, bool | None]:
            value = _key(record, one.name)
            if value is not None and values.count(str(value).lower()) > 1:
                raise Refusal(
                    "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [one.name]
                )
            return self.upsert_one(type, one.name, record)

        return Answer(200, self.each(records, upsert, all_or_none))

    def upsert_one(self, type: SObject, key: str, record: dict[str, Any]) -> tuple[str, bool]:
        """By the key that stands in the record; an upsert by Id without one creates."""
        value = _key(record, key)
        body = {name: each for name, each in record.items() if name.lower() != key.lower()}
        if value in (None, ""):
            if key == "Id":
                return self.org.create(type, body), True
            raise Refusal("MISSING_ARGUMENT", f"{key} not specified", [])
        try:
            return self.org.upsert(type, key, str(value), body, may_create=True)
        except ManyMatches as found:
            raise found.refusal from None

    def _delete(self, request: Request) -> Answer:
        ids = [id for id in request.param("ids").split(",") if id]
        _check_number(ids)

        def delete(id: str) -> tuple[str, bool | None]:
            type = self.org.store.of_id(id)
            if type is None:
                raise Refusal("MALFORMED_ID", f"bad id {id}", [])
            key = self.existing(type, id)
            self.org.delete(type, key)
            return key, None

        all_or_none = request.param("allOrNone").lower() == "true"
        return Answer(200, self.each(ids, delete, all_or_none))

    def _read(self, request: Request, version: str, type: SObject) -> Answer:
        if request.method == "GET":
            ids, fields = request.param("ids").split(","), request.param("fields").split(",")
        else:
            body = read_object(request)
            ids, fields = body.get("ids") or [], body.get("fields") or []
        if len(ids) > _MOST_READ:
            raise Refusal("EXCEEDED_ID_LIMIT", f"cannot submit more than {_MOST_READ} ids")
        shown = []
        for id in ids:
            row = self.org.store.row(type, valid_id(id) or "")
            alive = row is not None and not row["_deleted"]
            shown.append(
                self.records.show(type, str(row["Id"]), version, fields)
                if row is not None and alive
                else None
            )
        return Answer(200, shown)

    def each(self, records: Sequence[Any], step: Step, all_or_none: bool) -> list[Any]:
        """One result a record, in order; all or none undoes everything where one fails."""
        results: list[dict[str, Any]] = []
        try:
            with self.org.step():
                results.extend(attempt(record, step) for record in records)
                if all_or_none and not all(one["success"] for one in results):
                    raise _Undo
        except _Undo:
            rolled = Refusal(
                "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "Record rolled back because not all records were valid and the request was using "
                "AllOrNone header",
                [],
            )
            return [one if not one["success"] else _failed(rolled) for one in results]
        return results

    def _type(self, record: dict[str, Any]) -> SObject:
        about = record.get("attributes")
        if next(iter(record), "") != "attributes" or not isinstance(about, dict):
            raise not_json("The attributes of a record must come first, with its type")
        found = self.org.store.find(str(about.get("type")))
        if found is None:
            raise Refusal("INVALID_TYPE", f"sObject type '{about.get('type')}' is not supported.")
        return found

    def existing(self, type: SObject, id: str) -> str:
        key = valid_id(id)
        row = self.org.store.row(type, key) if key else None
        if key is None:
            raise Refusal(
                "MALFORMED_ID", f"{type.label} ID: id value of incorrect type: {id}", ["Id"]
            )
        if row is None:
            raise bad_cross_reference()
        if row["_deleted"]:
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted", [])
        return key


def attempt(record: Any, step: Step) -> dict[str, Any]:
    """The result of one record."""
    try:
        id, was_created = step(record)
    except Refusal as refusal:
        return _failed(refusal)
    shown: dict[str, Any] = {"id": id, "success": True, "errors": []}
    return shown if was_created is None else shown | {"created": was_created}


def _failed(refusal: Refusal) -> dict[str, Any]:
    return {"success": False, "errors": [refusal.as_item()]}


def _key(record: dict[str, Any], name: str) -> Any:
    return next((value for key, value in record.items() if key.lower() == name.lower()), None)


def _records(request: Request) -> tuple[list[dict[str, Any]], bool]:
    body = read_object(request)
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise not_json("records must be a list of objects")
    _check_number(records)
    return records, bool(body.get("allOrNone"))


def _check_number(records: Sequence[Any]) -> None:
    if len(records) > MOST:
        raise Refusal(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {MOST} records into this call",
        )
    if not records:
        raise Refusal("REQUIRED_FIELD_MISSING", "No records were sent")
