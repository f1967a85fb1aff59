"""The shapes of a body: which names hold lists of objects, which an object, which a text or number.

https://developer.zuora.com/v1-api-reference/api/
"""

from __future__ import annotations

from typing import Any

from .errors import invalid

_LISTS = frozenset(
    [
     "invoices", "debitMemos", "items", "invoiceItems", "charges", "taxItems", "subscriptions",
     "journalEntryItems", "orderActions", "triggerDates", "subscribeToRatePlans", "queries",
     "chargeOverrides", "discountItems", "renewalTerms", "orderLineItems",
     "ProductRatePlanChargeTier"]
)  # fmt: skip
_OBJECTS = frozenset(
    [
     "billToContact", "soldToContact", "createSubscription", "cancelSubscription", "terms",
     "initialTerm", "pricing", "customFields", "ProductRatePlanChargeTierData", "output"]
)  # fmt: skip
_TEXTS = frozenset(
    [
     "accountId", "accountNumber", "invoiceId", "invoiceNumber", "debitMemoId", "name", "currency",
     "existingAccountNumber", "subscriptionNumber", "orderNumber", "productRatePlanId", "number",
     "invoiceItemId", "periodType", "termType", "type", "status", "paymentTerm", "memoNumber"]
)  # fmt: skip


def check_shape(body: dict[str, Any]) -> None:
    """Raises Refusal for a name that holds something of another kind; null is let through."""
    for name, value in body.items():
        if value is None:
            continue
        if name in _LISTS and not _is_list_of_objects(value):
            raise invalid("", f"'{name}' value should be a list of objects")
        if name in _OBJECTS and not isinstance(value, dict):
            raise invalid("", f"'{name}' value should be an object")
        if name in _TEXTS and not isinstance(value, str):
            raise invalid("", f"'{name}' value should be a string")
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                check_shape(inner)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)
