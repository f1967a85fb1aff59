"""Which function answers which v1 call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import accounting, cash, crud, invoices, memos, older, orders, people, reading

# Only tenants with Invoice Settlement have these families.
SETTLED = re.compile(
    r"/v1/(payments|refunds|creditmemos|debitmemos)\b|.*/(creditmemos|debitmemos)$"
)

_ONE, _PARTS = reading.one, reading.parts
TABLE: list[tuple[str, str, Callable[..., Any]]] = [
    ("POST", "/v1/accounts", people.create_account),
    ("GET", "/v1/accounts/{key}", _ONE("account")),
    ("PUT", "/v1/accounts/{key}", people.update_account),
    ("DELETE", "/v1/accounts/{key}", people.delete_account),
    ("GET", "/v1/accounts/{key}/summary", older.account_summary),
    ("GET", "/v1/accounts/{key}/payment-methods", older.payment_methods),
    ("GET", "/v1/accounts/{key}/payment-methods/default", older.default_payment_method),
    ("GET", "/v1/payment-methods/{key}", older.payment_method),
    ("GET", "/v1/transactions/invoices/accounts/{key}", older.invoices),
    ("GET", "/v1/transactions/payments/accounts/{key}", older.payments),
    ("POST", "/v1/connections", older.connect),
    ("POST", "/v1/contacts", people.create_contact),
    ("GET", "/v1/contacts/{key}", _ONE("contact")),
    ("PUT", "/v1/contacts/{key}", people.update_contact),
    ("DELETE", "/v1/contacts/{key}", people.delete_contact),
    ("PUT", "/v1/contacts/{key}/scrub", people.scrub_contact),
    ("GET", "/v1/catalog/products", reading.products),
    ("GET", "/v1/catalog/products/{key}", reading.product),
    ("GET", "/v1/products/{key}/product-rate-plans", reading.product_plans),
    ("GET", "/v1/product-rate-plans/{key}", reading.product_plan),
    ("GET", "/v1/product-rate-plan-charges/{key}", reading.product_charge),
    ("GET", "/v1/subscriptions/accounts/{key}", reading.subscriptions_of),
    ("GET", "/v1/subscriptions/{key}", reading.subscription),
    ("PUT", "/v1/subscriptions/{key}", orders.update_subscription),
    ("GET", "/v1/subscriptions/{key}/versions/{version}", reading.subscription_version),
    ("PUT", "/v1/subscriptions/{key}/cancel", orders.cancel_subscription),
    ("GET", "/v1/orders", reading.orders),
    ("POST", "/v1/orders", orders.create),
    ("GET", "/v1/orders/{key}", reading.order),
    ("GET", "/v1/orders/invoiceOwner/{key}", reading.orders_of_account),
    ("GET", "/v1/orders/subscriptionOwner/{key}", reading.orders_of_account),
    ("GET", "/v1/orders/subscription/{key}", reading.orders_of_subscription),
    ("GET", "/v1/rateplans/{key}", reading.rate_plan),
    ("DELETE", "/v1/orders/{key}", orders.delete),
    ("POST", "/v1/invoices", invoices.create),
    ("POST", "/v1/invoices/batch", invoices.create_many),
    ("POST", "/v1/invoices/bulk-post", invoices.post_many),
    ("GET", "/v1/invoices/{key}", _ONE("invoice")),
    ("PUT", "/v1/invoices/{key}", invoices.update),
    ("DELETE", "/v1/invoices/{key}", invoices.delete),
    ("PUT", "/v1/invoices/{key}/reverse", invoices.reverse),
    ("PUT", "/v1/invoices/{key}/write-off", invoices.write_off),
    ("GET", "/v1/invoices/{key}/items", reading.items("invoice")),
    ("GET", "/v1/invoices/{key}/items/{item}/taxation-items", reading.taxation_items),
    ("GET", "/v1/invoices/{key}/files", older.invoice_files),
    ("GET", "/v1/invoices/{key}/application-parts", reading.application_parts),
    ("POST", "/v1/invoices/{key}/creditmemos", memos.create_from_invoice),
    ("POST", "/v1/invoices/{key}/debitmemos", memos.create_from_invoice),
    ("GET", "/v1/billing-documents", reading.billing_documents),
    ("GET", "/v1/payments", reading.listed("payment")),
    ("POST", "/v1/payments", cash.create_payment),
    ("GET", "/v1/payments/{key}", _ONE("payment")),
    ("PUT", "/v1/payments/{key}", cash.update_payment),
    ("DELETE", "/v1/payments/{key}", cash.delete_payment),
    ("GET", "/v1/payments/{key}/parts", _PARTS("payment", "paymentpart", "paymentId")),
    ("PUT", "/v1/payments/{key}/{apply|unapply|cancel|transfer}", cash.act),
    ("POST", "/v1/payments/{key}/refunds", cash.create_refund),
    ("POST", "/v1/creditmemos/{key}/refunds", cash.create_refund),
    ("GET", "/v1/refunds", reading.listed("refund")),
    ("GET", "/v1/refunds/{key}", _ONE("refund")),
    ("PUT", "/v1/refunds/{key}", cash.update_refund),
    ("DELETE", "/v1/refunds/{key}", cash.delete_refund),
    ("PUT", "/v1/refunds/{key}/cancel", cash.cancel_refund),
    ("GET", "/v1/refunds/{key}/parts", _PARTS("refund", "refundapplication", "refundId")),
    ("GET", "/v1/creditmemos/{key}/parts", _PARTS("creditmemo", "creditmemopart", "creditMemoId")),
    ("PUT", "/v1/creditmemos/{key}/reverse", memos.reverse),
    ("PUT", "/v1/creditmemos/{key}/{post|unpost|cancel|apply|unapply}", memos.act),
    ("PUT", "/v1/debitmemos/{key}/{post|unpost|cancel}", memos.act),
    ("GET", "/v1/usage/accounts/{key}", reading.usage),
    ("POST", "/v1/accounting-codes", accounting.create_code),
    ("GET", "/v1/accounting-codes", reading.accounting("accountingcode", "accountingCodes")),
    ("GET", "/v1/accounting-codes/{key}", _ONE("accountingcode")),
    ("POST", "/v1/accounting-periods", accounting.create_period),
    ("GET", "/v1/accounting-periods", reading.accounting("accountingperiod", "accountingPeriods")),
    ("GET", "/v1/accounting-periods/{key}", _ONE("accountingperiod")),
    ("PUT", "/v1/accounting-periods/{key}/{close|pending-close|reopen}", accounting.move_period),
    ("POST", "/v1/journal-entries", accounting.create_entry),
    ("GET", "/v1/journal-entries/{key}", _ONE("journalentry")),
    ("DELETE", "/v1/journal-entries/{key}", accounting.delete_entry),
    ("PUT", "/v1/journal-entries/{key}/cancel", accounting.cancel_entry),
    ("PUT", "/v1/journal-entries/{key}/basic-information", accounting.edit_entry),
    ("POST", "/v1/action/{create|update|delete}", crud.actions),
    ("POST", "/v1/object/{type}", crud.create),
    ("GET", "/v1/object/{type}/{key}", crud.read),
    ("PUT", "/v1/object/{type}/{key}", crud.update),
    ("DELETE", "/v1/object/{type}/{key}", crud.delete),
    ("GET", "/v1/describe", crud.describe_all),
    ("GET", "/v1/describe/{type}", crud.describe),
]
for _name, _table in (("creditmemos", "creditmemo"), ("debitmemos", "debitmemo")):
    TABLE += [
        ("GET", f"/v1/{_name}", reading.listed(_table)),
        ("POST", f"/v1/{_name}", memos.create),
        ("GET", f"/v1/{_name}/{{key}}", _ONE(_table)),
        ("PUT", f"/v1/{_name}/{{key}}", memos.update),
        ("DELETE", f"/v1/{_name}/{{key}}", memos.delete),
        ("GET", f"/v1/{_name}/{{key}}/items", reading.items(_table)),
    ]


class Routes:
    """Finds the function of a call; fixed words come before names."""

    def __init__(self, more: list[tuple[str, str, Callable[..., Any]]]) -> None:
        ordered = sorted([*more, *TABLE], key=lambda route: route[1].count("{"))
        self._routes = [(method, _pattern(path), act) for method, path, act in ordered]

    def find(
        self, method: str, path: str
    ) -> tuple[Callable[..., Any] | None, dict[str, str], bool]:
        """(function, names in the path, is the path known at all)."""
        known = False
        for own, pattern, act in self._routes:
            match = pattern.fullmatch(path)
            if match:
                known = True
                if own == method:
                    return act, match.groupdict(), True
        return None, {}, known


def _pattern(path: str) -> re.Pattern[str]:
    def part(match: re.Match[str]) -> str:
        name = match[1]
        return f"(?:{name})" if "|" in name or not name.isidentifier() else f"(?P<{name}>[^/]+)"

    return re.compile(re.sub(r"\{([^}]+)\}", part, path) + "/?")
