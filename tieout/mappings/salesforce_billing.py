"""Invoices, payments and credit notes in custom objects, which no plain org has of its own.

Their fields are named in salesforce.yaml as docs/providers/salesforce.md lists them; an overlay
names other ones. What a custom field can't hold as a value is kept as JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tieout.core.errors import InvalidRecord
from tieout.core.money import from_minor

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
    """What was paid back is no longer applied: no refund follows here that could tell it apart."""
    rows = body.pop("tieout_allocations", None)
    refunded, amount = fields.get("refunded_minor"), fields.get("amount_minor")
    if rows and refunded and amount is not None:
        code = str(fields.get("currency") or context.currency or "")
        rows = _within(rows, from_minor(int(amount) - int(refunded), code))
    if rows:
        body["Allocations__c"] = msgspec.json.encode(rows).decode()
    return body


def _within(rows: list[Raw], left: Decimal) -> list[Raw]:
    """Allocations of no more than is left; what is too much comes off the last ones."""
    kept = []
    for row in rows:
        applied = min(Decimal(row["amount"]), left)
        if applied <= 0:
            break
        kept.append({**row, "amount": f"{applied:f}"})
        left -= applied
    return kept
