"""The objects of a tenant: table and field names, types, relations (from objects.json).

The facts come from Zuora's Python package (API of 2025-08-12) and its v1 description.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CUSTOM = ("__c", "__NS", "__QT")

# What a person calls the record by, accepted where the API takes "id or number".
NUMBERS = {
    "account": "accountNumber", "invoice": "invoiceNumber", "payment": "paymentNumber",
    "refund": "refundNumber", "creditmemo": "memoNumber", "debitmemo": "memoNumber",
    "subscription": "name", "orders": "orderNumber", "product": "sKU",
    "journalentry": "number", "productrateplancharge": "productRatePlanChargeNumber",
    "productrateplan": "productRatePlanNumber", "rateplancharge": "chargeNumber",
}  # fmt: skip

SETTLEMENT = frozenset(
    [
        "creditmemo",
        "creditmemoitem",
        "creditmemoapplication",
        "creditmemopart",
        "debitmemo",
        "debitmemoitem",
        "paymentapplication",
        "paymentpart",
        "refundapplication",
        "refundapplicationitem",
    ]
)
NO_SETTLEMENT = frozenset(
    ["invoicepayment", "refundinvoicepayment", "invoiceadjustment", "invoiceitemadjustment"]
)
NOT_DELETABLE = frozenset(
    ["accountingperiod", "contactsnapshot", "processedusage", "callouthistory"]
)


@dataclass(frozen=True)
class Kind:
    """One object. `types` maps each lower-cased field to (spelling, type)."""

    table: str
    object: str
    path: str
    types: dict[str, tuple[str, str]] = field(hash=False)
    relations: dict[str, str] = field(hash=False)
    expands: frozenset[str] = field(hash=False)

    @property
    def number(self) -> str:
        return NUMBERS.get(self.table, "")

    def type_of(self, name: str) -> str:
        """The type of a field by any spelling; custom fields are strings; "" is unknown."""
        found = self.types.get(name.lower())
        if found:
            return found[1]
        return "string" if name.endswith(CUSTOM) else ""


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by table name."""
    raw = json.loads((Path(__file__).parent / "objects.json").read_text())
    return {table: _kind(table, spec) for table, spec in raw.items()}


def _kind(table: str, spec: dict[str, object]) -> Kind:
    groups = spec["fields"]
    assert isinstance(groups, dict)
    types = {name.lower(): (name, type) for type, names in groups.items() for name in names.split()}
    relations = {name.lower(): name for name in str(spec["relations"]).split()}
    expands = frozenset(str(spec["expands"]).split())
    return Kind(table, str(spec["object"]), str(spec["path"]), types, relations, expands)


def find(name: str) -> Kind | None:
    """A kind by table, object, path or singular name; any case, dashes and underscores."""
    word = name.lower().replace("-", "").replace("_", "")
    return _names().get(word)


@cache
def _names() -> dict[str, Kind]:
    known: dict[str, Kind] = {}
    for kind in kinds().values():
        for name in (kind.table, kind.object.lower(), kind.path.replace("-", "")):
            if name:
                known.setdefault(name, kind)
    return known


def visible(table: str, settlement: bool) -> bool:
    """Does a tenant with or without Invoice Settlement have this table?"""
    return table not in (NO_SETTLEMENT if settlement else SETTLEMENT)
