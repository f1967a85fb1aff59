"""The kinds of object the stand-in knows: path, id, list filters, lists inside them.

https://docs.stripe.com/api (one page per kind; its "List all" section names the filters)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .unused import OTHER_KINDS


@dataclass(frozen=True)
class Kind:
    """`filters` and `ranges`: list parameter -> where its value stands in the object.

    Several places are separated by a blank, the first that has a value counts (objects made under
    older API versions keep their shape); `*` steps into each element of a list.
    """

    object: str
    path: str = ""  # "" has no endpoints of its own
    prefix: str = ""
    noun: str = ""
    filters: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, str] = field(default_factory=dict)
    booleans: frozenset[str] = frozenset()
    required: str = ""  # a filter without which the list is refused
    created: bool = True  # the list takes `created`
    in_order: bool = False  # listed as they stand in their parent, not newest first
    random: int = 24  # length of an id's random part
    parent: str = ""


@dataclass(frozen=True)
class Inner:
    """A list inside an object: its field, the kind of its elements, where they name the parent."""

    field: str
    kind: str
    parent: str


_ALL = [
    Kind("customer", "/v1/customers", "cus_", filters={"email": "email",
         "test_clock": "test_clock"}, random=14),
    Kind("product", "/v1/products", "prod_", filters={"active": "active", "url": "url",
         "shippable": "shippable", "type": "type"}, booleans=frozenset({"active", "shippable"}),
         random=14),
    Kind("price", "/v1/prices", "price_", filters={"active": "active", "currency": "currency",
         "product": "product", "type": "type", "lookup_key": "lookup_key",
         "recurring[interval]": "recurring.interval", "recurring[usage_type]":
         "recurring.usage_type", "recurring[meter]": "recurring.meter"},
         booleans=frozenset({"active"})),
    Kind("plan", "/v1/plans", "plan_", filters={"active": "active", "product": "product"},
         booleans=frozenset({"active"})),
    Kind("coupon", "/v1/coupons", random=8),
    Kind("promotion_code", "/v1/promotion_codes", "promo_", noun="promotion code", filters={
         "active": "active", "code": "code", "coupon": "promotion.coupon coupon",
         "customer": "customer", "customer_account": "customer_account"},
         booleans=frozenset({"active"})),
    Kind("tax_rate", "/v1/tax_rates", "txr_", noun="tax rate", filters={"active": "active",
         "inclusive": "inclusive"}, booleans=frozenset({"active", "inclusive"})),
    Kind("subscription", "/v1/subscriptions", "sub_", filters={"customer": "customer",
         "status": "status", "collection_method": "collection_method", "test_clock": "test_clock",
         "price": "items.data.*.price", "plan": "items.data.*.plan"}, ranges={
         "current_period_start": "items.data.*.current_period_start current_period_start",
         "current_period_end": "items.data.*.current_period_end current_period_end"}),
    Kind("subscription_item", "/v1/subscription_items", "si_", noun="subscription item",
         filters={"subscription": "subscription"}, required="subscription", created=False,
         in_order=True, random=14),
    Kind("subscription_schedule", "/v1/subscription_schedules", "sub_sched_",
         noun="subscription schedule", filters={"customer": "customer",
         "customer_account": "customer_account"}, ranges={
         "canceled_at": "canceled_at", "completed_at": "completed_at",
         "released_at": "released_at"}),
    Kind("invoice", "/v1/invoices", "in_", filters={"customer": "customer",
         "customer_account": "customer_account", "status": "status",
         "collection_method": "collection_method",
         "subscription": "parent.subscription_details.subscription subscription"},
         ranges={"due_date": "due_date"}),
    Kind("line_item", prefix="il_", noun="invoice line item", filters={"invoice": "invoice"},
         in_order=True),
    Kind("invoiceitem", "/v1/invoiceitems", "ii_", noun="invoiceitem", filters={
         "customer": "customer", "customer_account": "customer_account",
         "invoice": "invoice"}),
    Kind("invoice_payment", "/v1/invoice_payments", "inpay_", noun="invoice payment", filters={
         "invoice": "invoice", "status": "status", "payment[type]": "payment.type",
         "payment[payment_intent]": "payment.payment_intent",
         "payment[payment_record]": "payment.payment_record"}),
    Kind("payment_intent", "/v1/payment_intents", "pi_", noun="payment_intent",
         filters={"customer": "customer", "customer_account": "customer_account"}),
    Kind("payment_method", "/v1/payment_methods", "pm_", noun="PaymentMethod", filters={
         "customer": "customer", "type": "type"}, created=False),
    Kind("charge", "/v1/charges", "ch_", filters={"customer": "customer",
         "payment_intent": "payment_intent", "transfer_group": "transfer_group"}),
    Kind("refund", "/v1/refunds", "re_", filters={"charge": "charge",
         "payment_intent": "payment_intent"}),
    Kind("credit_note", "/v1/credit_notes", "cn_", noun="credit note", filters={
         "customer": "customer", "customer_account": "customer_account",
         "invoice": "invoice"}),
    Kind("credit_note_line_item", prefix="cnli_", noun="credit note line item",
         filters={"credit_note": "credit_note"}, in_order=True),
    Kind("dispute", "/v1/disputes", "dp_", filters={"charge": "charge",
         "payment_intent": "payment_intent"}),
    Kind("balance_transaction", "/v1/balance_transactions", "txn_", noun="balance transaction",
         filters={"currency": "currency", "source": "source", "type": "type"}),
    Kind("payout", "/v1/payouts", "po_", filters={"status": "status",
         "destination": "destination"}, ranges={"arrival_date": "arrival_date"}),
    Kind("quote", "/v1/quotes", "qt_", filters={"customer": "customer",
         "customer_account": "customer_account", "status": "status", "test_clock": "test_clock"},
         created=False),
    Kind("tax_id", "/v1/tax_ids", "txi_", noun="tax ID", filters={"customer": "customer"},
         created=False),
    Kind("customer_balance_transaction", prefix="cbtxn_", noun="customer balance transaction",
         filters={"customer": "customer", "invoice": "invoice"}),
    Kind("event", "/v1/events", "evt_", filters={"type": "type"}),
    Kind("webhook_endpoint", "/v1/webhook_endpoints", "we_", noun="webhook endpoint",
         created=False),
    Kind("billing.meter", "/v1/billing/meters", "mtr_", noun="billing meter",
         filters={"status": "status"}, created=False),
    Kind("billing.meter_event", filters={"event_name": "event_name"}),
    Kind("billing.credit_grant", "/v1/billing/credit_grants", "credgr_", noun="credit grant",
         filters={"customer": "customer", "customer_account": "customer_account"},
         created=False),
    Kind("payment_record", "/v1/payment_records", "pr_", noun="payment record"),
    Kind("account", prefix="acct_"),
    # Nothing here makes these, but they can be loaded, and whoever reads a whole account asks.
    Kind("transfer", "/v1/transfers", "tr_", filters={"destination": "destination",
         "transfer_group": "transfer_group"}),
    Kind("topup", "/v1/topups", "tu_", filters={"status": "status"}),
    Kind("setup_intent", "/v1/setup_intents", "seti_", noun="setupintent", filters={
         "customer": "customer", "payment_method": "payment_method"}),
    Kind("checkout.session", "/v1/checkout/sessions", "cs_test_", noun="checkout.session",
         filters={"customer": "customer", "payment_intent": "payment_intent",
         "subscription": "subscription", "status": "status", "payment_link": "payment_link"}),
    Kind("application_fee", "/v1/application_fees", "fee_", noun="application fee",
         filters={"charge": "charge"}),
    Kind("review", "/v1/reviews", "prv_"),
    Kind("radar.early_fraud_warning", "/v1/radar/early_fraud_warnings", "issfr_",
         noun="early fraud warning", filters={"charge": "charge",
         "payment_intent": "payment_intent"}),
    Kind("payment_link", "/v1/payment_links", "plink_", noun="payment link",
         filters={"active": "active"}, booleans=frozenset({"active"}), created=False),
    Kind("shipping_rate", "/v1/shipping_rates", "shr_", noun="shipping rate",
         filters={"active": "active", "currency": "currency"}, booleans=frozenset({"active"})),
    Kind("file_link", "/v1/file_links", "link_", noun="file link", filters={"file": "file"}),
]  # fmt: skip


def _unused(line: str) -> Kind:
    object, path, prefix, *words = line.split()
    names = {word.rstrip("!"): word.endswith("!") for word in words if word != "created"}
    return Kind(
        object,
        path,
        prefix.strip("-"),
        noun=object.rpartition(".")[2].replace("_", " "),
        filters={name: name for name in names},
        required=next((name for name, must in names.items() if must), ""),
        created="created" in words,
    )


KINDS: dict[str, Kind] = {
    kind.object: kind for kind in (*_ALL, *map(_unused, OTHER_KINDS.strip().splitlines()))
}

INNER: dict[str, tuple[Inner, ...]] = {
    "invoice": (Inner("lines", "line_item", "invoice"),),
    "subscription": (Inner("items", "subscription_item", "subscription"),),
    "credit_note": (Inner("lines", "credit_note_line_item", "credit_note"),),
    "charge": (Inner("refunds", "refund", "charge"),),
    "customer": (Inner("tax_ids", "tax_id", "customer"),),
}


def kind_of(object: str) -> Kind:
    """The kind; one that the stand-in has no endpoints for is kept all the same."""
    return KINDS.get(object) or Kind(object)


def fields_of(kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
    """The values of an object's filters and ranges; several become a tuple."""
    found: dict[str, Any] = {}
    for name, places in (*kind.filters.items(), *kind.ranges.items()):
        for place in places.split():
            value = _value(item, place.split("."))
            if value is not None and value != ():
                found[name] = value
                break
    return found


def _value(item: Any, path: list[str]) -> Any:
    for at, step in enumerate(path):
        if step == "*":
            if not isinstance(item, list):
                return None
            return tuple(v for one in item if (v := _value(one, path[at + 1 :])) is not None)
        item = item.get(step) if isinstance(item, dict) else None
    if isinstance(item, dict):  # expanded: its id is what lists filter by
        item = item.get("id")
    return item if isinstance(item, (str, int, bool)) else None
