"""SOAP answers as the dictionaries that SOAP clients make of them.

Only the one record of an answer is taken; elements keep their names without namespace, an
element with an internalId is a reference, an element that repeats is a list.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3477815.html
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tieout.core.errors import InvalidRecord

from .shown import shown

Raw = dict[str, Any]

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def soap_record(body: bytes) -> Raw:
    """The record in a SOAP answer; InvalidRecord for a fault, an error, none or several."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise InvalidRecord(f"is not XML that can be read ({type(error).__name__})") from None
    _refuse_fault(root)
    found = [each for each in root.iter() if _name(each) in ("record", "searchRow")]
    records = [each for each in found if not _is_reference(each)]
    if len(records) == 1:
        return _row(records[0]) if _name(records[0]) == "searchRow" else _record(records[0])
    _refuse_errors(root)
    raise InvalidRecord(
        f"holds {len(records) or 'no'} records",
        hint="give one record, such as the answer to get or a search with one result",
    )


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_reference(element: Element) -> bool:
    return element.get(_TYPE, "").endswith("Ref")


def _refuse_fault(root: Element) -> None:
    for each in root.iter():
        if _name(each) == "Fault":
            words = " ".join(part.strip() for part in each.itertext() if part.strip())
            raise InvalidRecord(f"is a SOAP fault, not a record: {shown(words)}")


def _refuse_errors(root: Element) -> None:
    for each in root.iter():
        if _name(each) == "status" and each.get("isSuccess") == "false":
            words = " ".join(part.strip() for part in each.itertext() if part.strip())
            raise InvalidRecord(f"is NetSuite's refusal, not a record: {shown(words)}")


def _record(element: Element) -> Raw:
    """The record with its ids; `recordType` is the xsi:type without its prefix."""
    kind = element.get(_TYPE, "").rpartition(":")[2]
    return {
        "internalId": element.get("internalId"),
        "externalId": element.get("externalId"),
        "recordType": kind,
        **_children(element),
    }


def _row(element: Element) -> Raw:
    """A saved search's row: of `basic`, each column's (first) value."""
    basic = next((each for each in element if _name(each) == "basic"), element)
    found: Raw = {"internalId": None, "recordType": element.get(_TYPE, "").rpartition(":")[2]}
    for column in basic:
        value = next((each for each in column if _name(each) == "searchValue"), None)
        if value is not None:
            found[_name(column)] = _value(value)
    found["recordType"] = str(found["recordType"]).removesuffix("SearchRow")
    return found


def _children(element: Element) -> Raw:
    found: Raw = {}
    for child in element:
        name, value = _name(child), _value(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _value(element: Element) -> Any:
    if element.get(_NIL) == "true":
        return None
    ids = {key: element.get(key) for key in ("internalId", "externalId", "type", "scriptId")}
    told = {key: value for key, value in ids.items() if value is not None}
    if kind := element.get(_TYPE):
        told.setdefault("type", kind.rpartition(":")[2])
    if len(element) or told:
        return {**told, **_children(element)}
    return (element.text or "").strip() or None
