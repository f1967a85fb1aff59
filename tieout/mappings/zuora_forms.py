"""Zuora's records in the forms that zuora.yaml reads, whichever interface they came through.

See zuora_shapes.py for the spellings, and `Zuora` (the connector) for what is added to a row.
"""

from __future__ import annotations

from tieout.core.errors import InvalidRecord

from . import (
    zuora_bodies,
    zuora_cash,
    zuora_catalog,
    zuora_documents,
    zuora_ledger,
    zuora_parties,
    zuora_sales,
)
from .payload_text import decode_payload, only_one
from .shown import shown
from .zuora_shapes import Raw

# Imported so that their forms are registered.
__all__ = [
    "read_payload",
    "seen_on",
    "zuora_bodies",
    "zuora_cash",
    "zuora_catalog",
    "zuora_documents",
    "zuora_ledger",
    "zuora_parties",
    "zuora_sales",
]

# The lists of v1 and Object Query pages. An account, too, holds lists, so the page has no id.
_PAGES = (
    "data",
    "records",
    "products",
    "productRatePlans",
    "productRatePlanCharges",
    "subscriptions",
    "orders",
    "invoices",
    "creditmemos",
    "creditMemos",
    "debitmemos",
    "debitMemos",
    "payments",
    "refunds",
    "usage",
    "journalEntries",
)
_WHOLE = ("id", "Id", "number", "orderNumber", "invoiceNumber", "basicInfo", "order")


def seen_on(raw: Raw, day: str) -> Raw:
    """The record with the day (YYYY-MM-DD) it was read: what has an end goes by it."""
    return {**raw, "tieout_today": day}


def _refuse_refusals(found: Raw) -> None:
    """v1 and CRUD say so even where the HTTP status is 200."""
    if found.get("success") is False or found.get("Success") is False:
        said = found.get("reasons") or found.get("Errors")
        rows = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
        words = "; ".join(str(row.get("message") or row.get("Message")) for row in rows)
        raise InvalidRecord(f"is Zuora's refusal, not a record: {shown(words)}")


def read_payload(body: bytes) -> Raw:
    """One record out of a file or an answer. A page is accepted where it holds exactly one."""
    found = only_one(decode_payload(body))
    while True:
        _refuse_refusals(found)
        if any(name in found for name in _WHOLE) and "productRatePlanCharges" not in found:
            return found
        name = next((name for name in _PAGES if isinstance(found.get(name), list)), None)
        if name is None:
            return found
        found = only_one(found[name])
