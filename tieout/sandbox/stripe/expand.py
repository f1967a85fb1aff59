"""`expand[]`: ids replaced by their objects, and fields that are served on request only.

https://docs.stripe.com/expand
"""

from __future__ import annotations

from typing import Any

from .account import Account, Object
from .codec import decode
from .errors import bad_request
from .kinds import Inner
from .shelf import Ask

_DEEPEST = 4
_EXPANDABLE = frozenset({
    "account", "account_tax_ids", "application", "application_fee", "balance_transaction",
    "balance_transactions", "charge", "checkout_session", "coupon",
    "credit_balance_transaction", "credit_note", "customer", "customer_balance_transaction",
    "default_payment_method", "default_price", "default_source", "default_tax_rates",
    "destination", "destination_payment", "discount", "discounts",
    "failure_balance_transaction", "feedback_option", "invoice", "invoice_item",
    "latest_charge", "latest_invoice", "latest_revision", "line_items", "on_behalf_of",
    "original_payout", "payment_intent", "payment_method", "payment_record", "payout",
    "pending_setup_intent", "plan", "price", "product", "promotion_code", "quote", "refund",
    "released_subscription", "reversed_by", "review", "rule", "schedule", "shipping_rate",
    "source", "source_transaction", "source_transfer", "source_transfer_reversal",
    "subscription", "subscription_schedule", "tax_code", "tax_id", "tax_rate", "tax_rates",
    "test_clock", "transfer", "transfer_reversal",
})  # fmt: skip
# Gone since 2025-03-31.basil; whoever pins an older version still asks for them.
_RETIRED = frozenset({"tax_amounts", "total_tax_amounts"})
_ON_REQUEST: dict[str, frozenset[str]] = {
    "price": frozenset({"tiers", "currency_options"}),
    "plan": frozenset({"tiers"}),
    "coupon": frozenset({"applies_to", "currency_options"}),
    "invoice": frozenset({"payments", "confirmation_secret"}),
    "charge": frozenset({"refunds"}),
    "customer": frozenset({"subscriptions", "tax_ids", "sources", "tax", "cash_balance",
                           "invoice_credit_balance"}),
}  # fmt: skip
_LISTS = {
    ("invoice", "payments"): Inner("payments", "invoice_payment", "invoice"),
    ("charge", "refunds"): Inner("refunds", "refund", "charge"),
    ("customer", "subscriptions"): Inner("subscriptions", "subscription", "customer"),
    ("customer", "tax_ids"): Inner("tax_ids", "tax_id", "customer"),
}
_URLS = {
    "payments": "/v1/invoice_payments?invoice={}",
    "refunds": "/v1/charges/{}/refunds",
    "subscriptions": "/v1/customers/{}/subscriptions",
    "tax_ids": "/v1/customers/{}/tax_ids",
}


def expand(account: Account, item: Object, paths: list[str]) -> Object:
    """`item` with each path expanded. Raises ApiError (400) for what cannot be."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise bad_request(
                f"You cannot expand more than {_DEEPEST} levels of a property: {path}",
                param="expand",
            )
        _walk(account, item, steps, path)
    return item


def _walk(account: Account, item: Any, steps: list[str], path: str) -> None:
    if isinstance(item, list):
        for one in item:
            _walk(account, one, steps, path)
        return
    if not steps or not isinstance(item, dict):
        return
    name, rest = steps[0], steps[1:]
    kind = str(item.get("object", ""))
    if kind == "list" and name != "data":
        raise _cannot(name, f" You may want to try expanding 'data.{name}' instead.")
    if kind in ("list", "search_result") and name in ("data", "total_count"):
        _walk(account, item.get(name), rest, path)
        return
    if name in _ON_REQUEST.get(kind, ()):
        if name not in item:
            item[name] = _on_request(account, kind, item, name)
    elif name not in _EXPANDABLE | _RETIRED and not isinstance(item.get(name), (dict, list)):
        raise _cannot(path)
    if name in item and name in _EXPANDABLE:
        item[name] = _fetch(account, name, item[name])
    _walk(account, item.get(name), rest, path)


def _cannot(name: str, hint: str = "") -> Exception:
    return bad_request(f"This property cannot be expanded ({name}).{hint}", param="expand")


def _fetch(account: Account, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_fetch(account, name, one) for one in value]
    if not isinstance(value, str):
        return value
    kind = "plan" if name == "plan" else account.kind_of_id(value)
    row = account.shelf(kind).get(value) if kind else None
    return decode(row.raw) if row else value


def _on_request(account: Account, kind: str, item: Object, name: str) -> Any:
    inner = _LISTS.get((kind, name))
    if inner is not None:
        rows, more = account.shelf(inner.kind).page(Ask(equal={inner.parent: item["id"]}))
        return {
            "object": "list",
            "data": [decode(row.raw) for row in rows],
            "has_more": more,
            "url": _URLS[name].format(item["id"]),
        }
    if name == "sources":  # the cards and accounts of before PaymentMethods; none are made here
        return {"object": "list", "data": [], "has_more": False,
                "url": f"/v1/customers/{item['id']}/sources"}  # fmt: skip
    row = account.shelf(kind).get(item["id"])
    return row.hidden.get(name) if row else None
