"""The SOAP operations that list choices: getSelectValue, getSavedSearch, getCustomizationId.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3496923.html
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from .books import Books, Record
from .catalog import TYPES, of_target
from .soap_errors import Problem
from .soap_words import RENAMED
from .soap_write import Writer, children

_A_PAGE = 1000


def told(element: Element, name: str) -> str:
    """The text of a child; empty where there is none."""
    found = next(iter(children(element, name)), None)
    return "" if found is None else (found.text or "").strip()


def choices(books: Books, field: Element) -> list[Record]:
    """The records that a field can refer to; none for one with words. Raises Problem."""
    type = TYPES.get(told(field, "recordType").lower())
    if type is None:
        raise Problem("INVALID_RCRD_TYPE", "The record type is invalid.")
    sublist, name = told(field, "sublist"), told(field, "field")
    if sublist:
        lists = {one.lower(): one for one in type.sublists}
        spelled = lists.get(sublist.lower().removesuffix("list"))
        fields = type.sublists[spelled].fields if spelled else {}
    else:
        fields = type.fields
    kind = fields.get(RENAMED.get(name, name))
    if kind is None:
        raise Problem("INVALID_FLD", f"{name} is not a field of {type.name}.")
    if not kind.startswith("ref:"):
        return []
    return [
        record
        for target in of_target(kind.removeprefix("ref:"))
        for record in books.all_of(target).values()
        if record.body.get("isInactive") is not True
    ]


def write_choices(result: Element, writer: Writer, records: list[Record], page: int) -> None:
    """The getSelectValueResult's children after its status."""
    pages = -(-len(records) // _A_PAGE)
    SubElement(result, writer.tag("core", "totalRecords")).text = str(len(records))
    SubElement(result, writer.tag("core", "totalPages")).text = str(pages)
    held = SubElement(result, writer.tag("core", "baseRefList"))
    for record in records[max(page - 1, 0) * _A_PAGE : max(page, 1) * _A_PAGE]:
        writer.reference(held, writer.tag("core", "baseRef"), record, named=True)


def write_none(result: Element, writer: Writer, list_name: str) -> None:
    """What an account without saved searches and customizations answers."""
    SubElement(result, writer.tag("core", "totalRecords")).text = "0"
    SubElement(result, writer.tag("core", list_name))
