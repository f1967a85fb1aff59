"""A record of a SOAP request as the body that the REST interface would have been given."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element

from .books import Body
from .catalog import TYPES, Fields, RecordType
from .soap_errors import Fault, Problem
from .soap_words import (
    COUNTRIES,
    LANGUAGES,
    RENAMED,
    SOAP_TYPES,
    TEXTS,
    WORDS,
    XSI,
    SoapList,
    space,
)
from .soap_write import PACIFIC, children, local_name

_LANGUAGE_CODES = {word: code for code, word in LANGUAGES.items()}
_COUNTRY_CODES = {word: code for code, word in COUNTRIES.items()}


def type_named(element: Element) -> str:
    """The local name in xsi:type; a fault without one."""
    told = element.get(f"{{{XSI}}}type", "")
    if not told:
        raise Fault.schema(f"{local_name(element)} needs an xsi:type")
    return told.rpartition(":")[2]


def record_type(element: Element) -> RecordType:
    """The record type of a `record` element. Raises Fault for one that is not known."""
    kind = type_named(element)
    found = TYPES.get(kind.lower())
    if found is None or found.name not in SOAP_TYPES:
        raise Fault.schema(f"{kind} is not a record type of this endpoint")
    return found


def read_record(element: Element, version: str) -> tuple[Body, list[str]]:
    """(REST-like body, sublists to replace as a whole). Raises Fault or Problem."""
    type = record_type(element)
    return _Reading(version, type).record(element)


class _Reading:
    def __init__(self, version: str, type: RecordType) -> None:
        self.version, self.type, self.spelled = version, type, SOAP_TYPES[type.name]

    def record(self, element: Element) -> tuple[Body, list[str]]:
        body: Body = {}
        replaced: list[str] = []
        if (external := element.get("externalId")) is not None:
            body["externalId"] = external
        for child in element:
            if local_name(child) == "nullFieldList":
                self._name(child, "core")
                body |= {RENAMED.get(name, name): None for name in _texts(child)}
                continue
            name = self._name(child, self.spelled.space)
            if name not in self.spelled.elements:
                raise Fault.schema(f"{name} is not a legal child of {type_named(element)}")
            if (sublist := self.spelled.lists.get(name)) is not None:
                body[sublist.name] = {"items": [self._line(sublist, each) for each in child]}
                if child.get("replaceAll", "true") in ("true", "1"):
                    replaced.append(sublist.name)
            elif name == "customFieldList":
                body |= self._custom(child)
            elif name == "pricingMatrix":
                raise Problem("USER_ERROR", "Prices cannot be changed here.")
            else:
                body[RENAMED.get(name, name)] = self._value(name, child, self.type.fields)
        return body, replaced

    def _name(self, element: Element, prefix: str) -> str:
        expected = space(prefix, self.version)
        if not str(element.tag).startswith(f"{{{expected}}}"):
            raise Fault.schema(f"{element.tag} is not of the namespace {expected}")
        return local_name(element)

    def _line(self, sublist: SoapList, element: Element) -> Body:
        if self._name(element, self.spelled.space) != sublist.line:
            raise Fault.schema(f"{local_name(element)} is not a legal child of {sublist.element}")
        fields = self.type.sublists[sublist.name].fields
        line: Body = {}
        for child in element:
            name = self._name(child, self.spelled.space)
            if name not in sublist.fields:
                raise Fault.schema(f"{name} is not a legal child of {sublist.line}")
            if name == "customFieldList":
                line |= self._custom(child)
            elif name == "addressbookAddress":
                line["addressBookAddress"] = self._address(child)
            elif name == "internalId":
                line["id"] = (child.text or "").strip()
            elif name == "doc":
                line["doc"] = {"id": (child.text or "").strip()}
            else:
                line[RENAMED.get(name, name)] = self._value(name, child, fields)
        return line

    def _address(self, element: Element) -> Body:
        found: Body = {}
        for child in element:
            name = self._name(child, "common")
            text = (child.text or "").strip()
            if name == "country":
                found[name] = {"id": _COUNTRY_CODES.get(text, text)}
            elif name == "override":
                found[name] = text == "true"
            else:
                found[name] = text
        return found

    def _custom(self, element: Element) -> Body:
        found: Body = {}
        for field in element:
            kind, name = type_named(field), field.get("scriptId") or field.get("internalId") or ""
            values = children(field, "value")
            first = next(iter(values), None)
            if first is None or not name:
                raise Fault.schema("a customField needs a scriptId and a value")
            text = (first.text or "").strip()
            if kind == "BooleanCustomFieldRef":
                found[name.lower()] = text == "true"
            elif kind == "SelectCustomFieldRef":
                found[name.lower()] = {"id": first.get("internalId")}
            elif kind in ("LongCustomFieldRef", "DoubleCustomFieldRef"):
                found[name.lower()] = number(text)
            else:
                found[name.lower()] = text
        return found

    def _value(self, name: str, element: Element, fields: Fields) -> Any:
        text = (element.text or "").strip()
        kind = fields.get(RENAMED.get(name, name), "choice")
        if name == "language":
            return _LANGUAGE_CODES.get(text, text)
        if name in WORDS or name in TEXTS:
            return number(text) if name == "rate" else text
        if kind.startswith("ref:") or kind == "choice":
            return _reference(element)
        if kind == "bool":
            return boolean(text)
        if kind == "date":
            return day(text)
        if kind == "int":
            return int(text) if text.lstrip("-").isdigit() else text
        return number(text) if kind in ("amount", "number") else element.text or ""


def _reference(element: Element) -> Body:
    if element.get("internalId"):
        return {"id": element.get("internalId")}
    if element.get("externalId"):
        return {"externalId": element.get("externalId")}
    raise Problem("INVALID_KEY_OR_REF", f"Invalid {local_name(element)} reference key.")


def _texts(element: Element) -> list[str]:
    return [(each.text or "").strip() for each in children(element, "name")]


def boolean(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise Fault.schema(f"{text!r} is not a valid value for boolean")
    return text in ("true", "1")


def number(text: str) -> Any:
    """An exact number. Raises Fault for anything else."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise Fault.schema(f"{text!r} is not a valid number") from None
    if not found.is_finite():
        raise Fault.schema(f"{text!r} is not a valid number")
    return int(found) if found == found.to_integral() and "E" not in text.upper() else found


def moment(text: str) -> datetime:
    """A dateTime; without an offset it is Pacific. Raises Fault."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Fault.schema(f"{text!r} is not a valid dateTime") from None
    return found if found.tzinfo else found.replace(tzinfo=PACIFIC)


def day(text: str) -> str:
    """The calendar date that a dateTime means: its day in Pacific time."""
    return moment(text).astimezone(PACIFIC).date().isoformat()
