"""Invoices, payments and credit notes in custom objects, which no plain org has of its own.

Their fields are named in salesforce.yaml as docs/providers/salesforce.md lists them; an overlay
names other ones. What a custom field can't hold as a value is kept as JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tieout.core.errors import InvalidRecord

from .forms import Context, finishes, prepares
from .salesforce_records import Raw, common, id_of, long_id


@prepares("salesforce.billing")
def billing(raw: Raw, context: Context) -> Raw:
    """Any of the three: references in 18 characters, allocations unpacked."""
    return common(
        raw,
        context,
        customer=id_of(raw, "Account__c"),
        invoice=id_of(raw, "Invoice__c"),
        allocations=_allocations(raw.get("Allocations__c")),
    )


def _allocations(text: Any) -> list[Raw] | None:
    """`[{"invoice": "a00...", "amount": "12.50"}]`"""
    if text in (None, ""):
        return None
    try:
        rows = msgspec.json.decode(text, type=list[dict[str, str]])
    except (msgspec.MsgspecError, TypeError):
        raise InvalidRecord(
            "is not the list of allocations that tieout writes", where="Allocations__c"
        ) from None
    return [{**row, "invoice": long_id(row.get("invoice"))} for row in rows]


@finishes("salesforce.billing_body")
def billing_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    rows = body.pop("tieout_allocations", None)
    if rows:
        body["Allocations__c"] = msgspec.json.encode(rows).decode()
    return body
