"""zeep's values as plain records, as SOAP clients serialise them: names, ids, exact numbers.

The form is the one that tieout/mappings/netsuite_soap.py makes of SOAP XML; it holds no empty
elements. What SOAP leaves out and SuiteQL tells (ISO codes, days of terms, who was applied to
whom) is added under SuiteQL's names.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

Record = dict[str, Any]

# https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1545059731.html
ITEM_TYPES = {
    "service": "Service",
    "nonInventory": "NonInvtPart",
    "otherCharge": "OthCharge",
    "inventory": "InvtPart",
    "lotNumberedInventory": "InvtPart",
    "serializedInventory": "InvtPart",
    "assembly": "Assembly",
    "lotNumberedAssembly": "Assembly",
    "serializedAssembly": "Assembly",
    "kit": "Kit",
    "discount": "Discount",
    "download": "DwnLdItem",
    "giftCertificate": "GiftCert",
    "markup": "Markup",
    "payment": "Payment",
}


def plain(value: Any) -> Record:
    """A record with its ids; `recordType` is its type, such as Invoice."""
    return {"recordType": type_name(value), **_fields(value)}


def type_name(value: Any) -> str:
    """The local name of a value's schema type."""
    return str(value._xsd_type.name)


def _fields(value: Any) -> Record:
    found: Record = {}
    for name in value:
        held = _plain(value[name])
        if held not in (None, "", [], {}):
            found[name] = held
    return found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | Decimal):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if hasattr(value, "_xsd_type"):
        found = _fields(value)
        if type_name(value).endswith("CustomFieldRef"):
            found["type"] = type_name(value)
        return found
    return str(value)


def ref_id(record: Record, name: str) -> str:
    """The internal id in a reference; "" for none."""
    held = record.get(name)
    return str(held.get("internalId") or "") if isinstance(held, dict) else ""


def lines(record: Record, sublist: str) -> list[Record]:
    """The lines of `<sublist><line>...`; [] where there is none."""
    held = record.get(sublist)
    if not isinstance(held, dict):
        return []
    return next((each for each in held.values() if isinstance(each, list)), [])


def keep_custom(record: Record, wanted: frozenset[str]) -> None:
    """Custom fields as configured: without a setting SuiteQL would not read them either."""
    fields = [
        each
        for each in lines(record, "customFieldList")
        if str(each.get("scriptId") or each.get("internalId") or "").lower() in wanted
    ]
    record.pop("customFieldList", None)
    if fields:
        record["customFieldList"] = {"customField": fields}


def item_type(type: str) -> str:
    """ServiceSaleItem is what SuiteQL calls Service."""
    kind = type[0].lower() + type[1:]
    for end in ("SaleItem", "ResaleItem", "PurchaseItem", "Item"):
        if kind.endswith(end):
            return ITEM_TYPES.get(kind.removesuffix(end), kind)
    return kind
