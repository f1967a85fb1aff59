"""SuiteTalk SOAP: one endpoint for all operations, /services/NetSuitePort_2023_2.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3421458.html
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, SubElement

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from . import saving, soap_lists, unused
from .body import Reader
from .books import Books, Record
from .catalog import TYPES
from .errors import Refusal
from .soap_access import Passports
from .soap_envelope import faulted, reply
from .soap_errors import (
    Fault,
    Problem,
    as_problem,
    no_such_record,
    too_many_calls,
    too_many_records,
)
from .soap_read import boolean, moment, read_record, record_type
from .soap_search import Preferences, Search, Searches
from .soap_words import ENVELOPE, SOAP_TYPES, space
from .soap_write import Writer, children, local, local_name
from .wire import Answer, Request

SOAP_PATH = re.compile(r"/services/NetSuitePort_(20(?:1[7-9]|2[0-5])_[12])\Z")
# https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3418637.html
MOST = {
    "addList": 200, "updateList": 100, "upsertList": 100, "getList": 1000, "deleteList": 200,
}  # fmt: skip
_DELETED_A_PAGE = 1000
_REFERENCE = ("internalId", "externalId", "type")


def is_soap(path: str) -> bool:
    return SOAP_PATH.match(path) is not None


class Soap:
    """Answers SOAP requests. Whoever calls holds the stand-in's lock."""

    def __init__(self, books: Books, passports: Passports, rng: random.Random, account: str):
        self.books, self.passports, self.account = books, passports, account
        self.searches = Searches(books, rng, account)
        self.hidden: frozenset[str] = frozenset()

    def answer(self, request: Request) -> Answer:
        found = SOAP_PATH.match(request.path)
        version = found.group(1) if found else "2023_2"
        try:
            return reply(version, _Call(self, version, request).run())
        except Fault as fault:
            return faulted(version, fault)

    def refuse_too_many(self, path: str) -> Answer:
        found = SOAP_PATH.match(path)
        return faulted(found.group(1) if found else "2023_2", too_many_calls())


class _Call:
    def __init__(self, soap: Soap, version: str, request: Request) -> None:
        self.soap, self.books, self.version, self.request = soap, soap.books, version, request
        self.writer = Writer(soap.books, version)
        self.core, self.messages = space("core", version), space("messages", version)

    def run(self) -> Element:
        """The child of the answer's Body. Raises Fault."""
        if self.request.method != "POST":
            raise Fault.schema("only POST is answered here")
        header, operation = self._parts()
        name = local_name(operation)
        if str(operation.tag) != f"{{{self.messages}}}{name}":
            raise Fault.schema(f"{operation.tag} is no operation of {self.messages}")
        if name != "getDataCenterUrls":
            self.soap.passports.check(header, self.version)
        self.wishes = self._preferences(header)
        handler = _OPERATIONS.get(name)
        if handler is None:
            raise Fault.schema(f"No such operation '{name}'")
        answer = Element(f"{{{self.messages}}}{name}Response")
        handler(self, operation, answer)
        return answer

    def _parts(self) -> tuple[Element | None, Element]:
        try:
            root = fromstring(self.request.body)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise Fault.schema(f"the request is not XML ({type(error).__name__})") from None
        if root.tag != f"{{{ENVELOPE}}}Envelope":
            raise Fault.schema("the request is no SOAP envelope")
        header, body = root.find(f"{{{ENVELOPE}}}Header"), root.find(f"{{{ENVELOPE}}}Body")
        if body is None or len(body) != 1:
            raise Fault.schema("the Body holds one operation")
        return header, body[0]

    def _preferences(self, header: Element | None) -> Preferences:
        for each in header if header is not None else ():
            if each.tag == f"{{{self.messages}}}searchPreferences":
                told = {local_name(one): (one.text or "").strip() for one in each}
                size = int(told.get("pageSize") or 1000)
                if not 5 <= size <= 1000:
                    raise Fault("unexpectedErrorFault", "USER_ERROR",
                                "pageSize must be between 5 and 1000.")  # fmt: skip
                return Preferences(boolean(told.get("bodyFieldsOnly", "true")), size)
        return Preferences()

    # reading

    def get(self, operation: Element, answer: Element) -> None:
        reference = _one(operation, "baseRef")
        self._read(answer, reference)

    def get_list(self, operation: Element, answer: Element) -> None:
        held = SubElement(answer, f"{{{self.messages}}}readResponseList")
        self._status(held)
        for reference in self._several(operation, "getList", "baseRef"):
            self._read(held, reference)

    def _read(self, parent: Element, reference: Element) -> None:
        response = SubElement(parent, f"{{{self.messages}}}readResponse")
        try:
            record = self._found(reference)
        except Problem as problem:
            self._status(response, problem)
            return
        self._status(response)
        self.writer.record(response, f"{{{self.messages}}}record", record, body_only=False)

    def _found(self, reference: Element) -> Record:
        """Raises Problem where there is no such record."""
        type = TYPES.get(str(reference.get("type") or "").lower())
        if str(reference.get("type") or "").lower() in unused.RECORDS:
            raise no_such_record()
        if type is None or type.name not in SOAP_TYPES:
            raise Problem("INVALID_RCRD_TYPE", "The record type is invalid.")
        self._may(type.name)
        if (id := reference.get("internalId")) is not None:
            record = self.books.all_of(type).get(id)
        elif external := reference.get("externalId"):
            record = self.books.by_external(type.group, external)
        else:
            raise Problem("INVALID_KEY_OR_REF", "The specified key is invalid.")
        if record is None or record.type is not type:
            raise no_such_record()
        return record

    def _may(self, type_name: str) -> None:
        if type_name in self.soap.hidden:
            label = TYPES[type_name.lower()].label
            raise Problem(
                "INSUFFICIENT_PERMISSION",
                f"Permission Violation: You need the '{label}' permission to access this page. "
                "Please contact your account administrator.",
            )

    def search(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}searchResult")
        record = _one(operation, "searchRecord")
        self._result(result, lambda: self._started(record), 1)

    def _started(self, record: Element) -> tuple[str, Search]:
        id, search = self.soap.searches.start(record, self.wishes)
        for type_name in self.soap.hidden & SOAP_TYPES.keys():
            found = any(one.type.name == type_name for one in self.soap.searches.found(search))
            if found or SOAP_TYPES[type_name].search == search.kind != "Transaction":
                self._may(type_name)
        return id, search

    def search_more(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}searchResult")
        id = (_one(operation, "searchId").text or "").strip()
        page = int((_one(operation, "pageIndex").text or "0").strip())
        self._result(result, lambda: (id, self.soap.searches.again(id)), page)

    def _result(self, result: Element, find: Callable[[], tuple[str, Search]], page: int) -> None:
        try:
            id, search = find()
            self._status(result)
            self.soap.searches.write(result, self.writer, id, search, page)
        except Problem as problem:
            del result[:]
            self._status(result, problem)

    def get_all(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}getAllResult")
        wanted = _one(operation, "record").get("recordType")
        if wanted in unused.ALL:
            self._status(result)
            soap_lists.write_none(result, self.writer, "recordList")
            return
        if wanted != "currency":
            self._status(result, Problem("INVALID_RCRD_TYPE", "The record type is invalid."))
            return
        if "currency" in self.soap.hidden:
            self._status(result, Problem("INSUFFICIENT_PERMISSION", "Permission Violation"))
            return
        self._status(result)
        records = list(self.books.all_of(TYPES["currency"]).values())
        SubElement(result, f"{{{self.core}}}totalRecords").text = str(len(records))
        held = SubElement(result, f"{{{self.core}}}recordList")
        for record in records:
            self.writer.record(held, f"{{{self.core}}}record", record, body_only=False)

    def select_value(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}getSelectValueResult")
        field = _one(operation, "fieldDescription")
        page = soap_lists.told(operation, "pageIndex")
        try:
            found = soap_lists.choices(self.books, field)
        except Problem as problem:
            self._status(result, problem)
            return
        self._status(result)
        number = int(page) if page.isdigit() else 1
        soap_lists.write_choices(result, self.writer, found, number)

    def saved_search(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}getSavedSearchResult")
        _one(operation, "record")
        self._status(result)
        soap_lists.write_none(result, self.writer, "recordRefList")

    def customization_id(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}getCustomizationIdResult")
        _one(operation, "customizationType")
        self._status(result)
        soap_lists.write_none(result, self.writer, "customizationRefList")

    def get_deleted(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}getDeletedResult")
        if "deletedRecord" in self.soap.hidden:
            self._status(result, Problem("INSUFFICIENT_PERMISSION", "Permission Violation: You "
                                         "need the 'Deleted Records' permission."))  # fmt: skip
            return
        given = _one(operation, "getDeletedFilter")
        page = int((_one(operation, "pageIndex").text or "1").strip())
        found = list(self._deletions(given))
        pages = -(-len(found) // _DELETED_A_PAGE)
        self._status(result)
        for name, value in (
            ("totalRecords", len(found)),
            ("pageSize", _DELETED_A_PAGE),
            ("totalPages", pages),
            ("pageIndex", page),
        ):
            SubElement(result, f"{{{self.core}}}{name}").text = str(value)
        held = SubElement(result, f"{{{self.core}}}deletedRecordList")
        for at, record in found[(page - 1) * _DELETED_A_PAGE : page * _DELETED_A_PAGE]:
            one = SubElement(held, f"{{{self.core}}}deletedRecord")
            SubElement(one, f"{{{self.core}}}deletedDate").text = local(at)
            self.writer.reference(one, f"{{{self.core}}}record", record, named=True)

    def _deletions(self, given: Element) -> Iterable[tuple[datetime, Record]]:
        dates, kinds = list(children(given, "deletedDate")), list(children(given, "type"))
        since = None
        if dates:
            value = next(iter(children(dates[0], "searchValue")), None)
            if dates[0].get("operator") not in ("onOrAfter", "after") or value is None:
                raise Fault.schema("deletedDate takes onOrAfter or after here")
            since = moment((value.text or "").strip())
        values = children(kinds[0], "searchValue") if kinds else ()
        names = {(each.text or "").strip() for each in values}
        for deletion in self.books.deletions:
            recent = since is None or deletion.at >= since
            if recent and (not kinds or deletion.record.type.name in names):
                yield deletion.at, deletion.record

    def server_time(self, operation: Element, answer: Element) -> None:
        result = SubElement(answer, f"{{{self.core}}}getServerTimeResult")
        self._status(result)
        now = self.books.clock.now().astimezone(UTC)
        SubElement(result, f"{{{self.core}}}serverTime").text = local(now)

    def data_center_urls(self, operation: Element, answer: Element) -> None:
        """Every account's services are here: at the address that was called."""
        result = SubElement(answer, f"{{{self.core}}}getDataCenterUrlsResult")
        if (_one(operation, "account").text or "").strip() != self.soap.account:
            self._status(result, Problem("INVALID_ACCT", "The account number is invalid."))
            return
        self._status(result)
        held = SubElement(result, f"{{{self.core}}}dataCenterUrls")
        for name in ("restDomain", "webservicesDomain", "systemDomain"):
            SubElement(held, f"{{{self.core}}}{name}").text = self.request.base

    # writing

    def add(self, operation: Element, answer: Element) -> None:
        self._write(answer, _one(operation, "record"), self._added)

    def update(self, operation: Element, answer: Element) -> None:
        self._write(answer, _one(operation, "record"), self._updated)

    def upsert(self, operation: Element, answer: Element) -> None:
        self._write(answer, _one(operation, "record"), self._upserted)

    def add_list(self, operation: Element, answer: Element) -> None:
        self._write_list("addList", operation, answer, self._added)

    def update_list(self, operation: Element, answer: Element) -> None:
        self._write_list("updateList", operation, answer, self._updated)

    def upsert_list(self, operation: Element, answer: Element) -> None:
        self._write_list("upsertList", operation, answer, self._upserted)

    def _write_list(
        self, name: str, operation: Element, answer: Element, save: Callable[[Element], Record]
    ) -> None:
        held = SubElement(answer, f"{{{self.messages}}}writeResponseList")
        records = self._several(operation, name, "record")
        self._status(held)
        for record in records:
            self._write(held, record, save)

    def _write(self, parent: Element, element: Element, save: Callable[[Element], Record]) -> None:
        type = record_type(element)
        response = SubElement(parent, f"{{{self.messages}}}writeResponse")
        try:
            self._may(type.name)
            record = save(element)
        except (Problem, Refusal) as refused:
            self._status(response, as_problem(refused) if isinstance(refused, Refusal) else refused)
            ids = {key: value for key, value in element.attrib.items() if key in _REFERENCE}
            kind = self.writer.kind("core", "RecordRef")
            attributes = {**ids, "type": type.name, **kind}
            SubElement(response, f"{{{self.messages}}}baseRef", attributes)
            return
        self._status(response)
        self.writer.reference(response, f"{{{self.messages}}}baseRef", record)

    def _added(self, element: Element) -> Record:
        if element.get("internalId"):
            raise Problem("INVALID_KEY_OR_REF", "A new record has no internalId.")
        type = record_type(element)
        body, _ = read_record(element, self.version)
        return saving.create(self.books, type, Reader(self.books, type, True).read(body))

    def _updated(self, element: Element) -> Record:
        type = record_type(element)
        record = self._named(element)
        body, replaced = read_record(element, self.version)
        if element.get("internalId") is None:
            body.pop("externalId", None)
        fields = Reader(self.books, type, True).read(body)
        return saving.update(self.books, record, fields, replaced)

    def _upserted(self, element: Element) -> Record:
        external = element.get("externalId")
        if not external:
            raise Problem("EXTERNALID_REQD", "An upsert needs an externalId.")
        type = record_type(element)
        held = self.books.by_external(type.group, external)
        if held is None or held.type is not type:
            return self._added(element)
        body, replaced = read_record(element, self.version)
        fields = Reader(self.books, type, True).read(body)
        return saving.update(self.books, held, fields, replaced)

    def _named(self, element: Element) -> Record:
        attributes = {**element.attrib, "type": record_type(element).name}
        return self._found(Element("baseRef", attributes))

    def delete(self, operation: Element, answer: Element) -> None:
        self._delete(answer, _one(operation, "baseRef"))

    def delete_list(self, operation: Element, answer: Element) -> None:
        held = SubElement(answer, f"{{{self.messages}}}writeResponseList")
        self._status(held)
        for reference in self._several(operation, "deleteList", "baseRef"):
            self._delete(held, reference)

    def _delete(self, parent: Element, reference: Element) -> None:
        response = SubElement(parent, f"{{{self.messages}}}writeResponse")
        try:
            record = self._found(reference)
            saving.delete(self.books, record)
        except (Problem, Refusal) as refused:
            self._status(response, as_problem(refused) if isinstance(refused, Refusal) else refused)
        else:
            self._status(response)
        kept = {k: v for k, v in reference.attrib.items() if k in _REFERENCE}
        kind = self.writer.kind("core", "RecordRef")
        SubElement(response, f"{{{self.messages}}}baseRef", {**kept, **kind})

    # parts

    def _several(self, operation: Element, name: str, tag: str) -> list[Element]:
        # The PyPI package netsuite sends the list as one element that holds the request again.
        outer = children(operation, tag)
        found = [one for each in outer for one in list(children(each, tag)) or [each]]
        if not found:
            raise Fault.schema(f"{name} needs at least one {tag}")
        if len(found) > MOST[name]:
            raise too_many_records(MOST[name])
        return found

    def _status(self, parent: Element, problem: Problem | None = None) -> None:
        told = {"isSuccess": "false" if problem else "true"}
        status = Element(f"{{{self.core}}}status", told)
        parent.insert(0, status)
        if problem is not None:
            detail = SubElement(status, f"{{{self.core}}}statusDetail", {"type": "ERROR"})
            SubElement(detail, f"{{{self.core}}}code").text = problem.code
            SubElement(detail, f"{{{self.core}}}message").text = problem.message


def _one(operation: Element, name: str) -> Element:
    found = list(children(operation, name))
    if len(found) != 1:
        raise Fault.schema(f"{local_name(operation)} needs one {name}")
    return found[0]


_OPERATIONS: dict[str, Callable[[_Call, Element, Element], None]] = {
    "get": _Call.get,
    "getList": _Call.get_list,
    "search": _Call.search,
    "searchMoreWithId": _Call.search_more,
    "getAll": _Call.get_all,
    "getDeleted": _Call.get_deleted,
    "getSelectValue": _Call.select_value,
    "getSavedSearch": _Call.saved_search,
    "getCustomizationId": _Call.customization_id,
    "getServerTime": _Call.server_time,
    "getDataCenterUrls": _Call.data_center_urls,
    "add": _Call.add,
    "update": _Call.update,
    "upsert": _Call.upsert,
    "addList": _Call.add_list,
    "updateList": _Call.update_list,
    "upsertList": _Call.upsert_list,
    "delete": _Call.delete,
    "deleteList": _Call.delete_list,
}
