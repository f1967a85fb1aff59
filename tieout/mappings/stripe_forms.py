"""Stripe's objects in the forms that stripe.yaml reads: what no path can express, computed.

Every form is the object itself (taken out of its event envelope) with one more key, `tieout`,
that holds what had to be worked out, in Stripe's own units. The reasoning on money stands in
docs/providers/stripe.md. Amounts are never adjusted to make a document add up: a payload whose
figures contradict each other keeps doing so.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import plain, to_decimal

from . import stripe_invoices, stripe_payments, stripe_schedules
from .choices import listed
from .forms import Context, finishes, prepares
from .stripe_objects import Raw, is_stub, opened

__all__ = [
    "stripe_invoices",
    "stripe_payments",
    "stripe_schedules",
]  # imported so that their forms are registered


@prepares("stripe.customer")
def customer(raw: Raw, context: Context) -> Raw:
    return opened(raw, "customer")


@prepares("stripe.product")
def product(raw: Raw, context: Context) -> Raw:
    return opened(raw, "product")


@prepares("stripe.refund")
def refund(raw: Raw, context: Context) -> Raw:
    return opened(raw, "refund")


@prepares("stripe.dispute")
def dispute(raw: Raw, context: Context) -> Raw:
    return opened(raw, "dispute")


@prepares("stripe.price")
def price(raw: Raw, context: Context) -> Raw:
    """A price, or a plan: the older view of the same object. https://docs.stripe.com/api/prices"""
    found = opened(raw, "price", "plan")
    if is_stub(found, "currency"):
        return found
    tiers = found.get("tiers")
    return {
        **found,
        "tieout": {
            "scheme": _scheme(found),
            "tiers": None if not tiers else [_tier(tier) for tier in tiers],
        },
    }


def _scheme(found: Raw) -> str:
    billing = found.get("billing_scheme", "per_unit")
    if billing == "tiered":
        mode = listed(found, "tiers_mode", "graduated", "volume")
        return "volume" if mode == "volume" else "tiered"
    if billing != "per_unit":
        return str(billing)  # left for the closed list to refuse
    packaged = found.get("transform_quantity") or found.get("transform_usage")
    return "package" if packaged else "per_unit"


def _tier(tier: Raw) -> Raw:
    return {**tier, "up_to": None} if tier.get("up_to") == "inf" else tier


@prepares("stripe.subscription")
def subscription(raw: Raw, context: Context) -> Raw:
    """https://docs.stripe.com/api/subscriptions ; periods moved to the items with basil."""
    found = opened(raw, "subscription")
    if is_stub(found, "status"):
        return found
    items = (found.get("items") or {}).get("data") or []
    start, end = _period(found, items)
    ends_at = found.get("cancel_at")
    if ends_at is None and found.get("cancel_at_period_end"):
        ends_at = end
    over = found.get("status") in ("canceled", "incomplete_expired")
    whole = _discounts(found)
    off = _total_off(whole)
    rows = [_item(item, whole, off if len(items) == 1 else 0) for item in items]
    return {
        **found,
        "tieout": {
            "status": "non_renewing"
            if found.get("status") == "active" and ends_at is not None
            else found.get("status"),
            "auto_renew": ends_at is None and not over,
            "period_start": start,
            "period_end": end,
            "cancel_at": ends_at,
            "currency": found.get("currency") or _currency(found, items),
            "items": rows,
            "discount": off if off and len(items) != 1 else None,
        },
    }


def _period(found: Raw, items: list[Raw]) -> tuple[Any, Any]:
    """The period that ends first: the next renewal. Items may bill at different intervals."""
    if found.get("current_period_end") is not None:
        return found.get("current_period_start"), found["current_period_end"]
    dated = [item for item in items if isinstance(item.get("current_period_end"), int)]
    if not dated:
        return None, None
    first = min(dated, key=lambda item: int(item["current_period_end"]))
    return first.get("current_period_start"), first["current_period_end"]


def _currency(found: Raw, items: list[Raw]) -> Any:
    rows = [item.get("price") or item.get("plan") or {} for item in items]
    return next((row.get("currency") for row in (*rows, found.get("plan") or {}) if row), None)


def _discounts(holder: Raw) -> list[Raw]:
    """The coupons behind a subscription's or item's discounts, where they were expanded."""
    rows = [*(holder.get("discounts") or []), holder.get("discount")]
    found = []
    for row in rows:
        if isinstance(row, dict):
            coupon = (row.get("source") or {}).get("coupon") or row.get("coupon")
            if isinstance(coupon, dict):
                found.append(coupon)
    return found


def _total_off(coupons: list[Raw]) -> int:
    return sum(coupon.get("amount_off") or 0 for coupon in coupons)


def _item(item: Raw, whole: list[Raw], off: int) -> Raw:
    """One item with the discounts that bear on it; several percentages apply one after another."""
    sold = item.get("price") or item.get("plan") or {}
    product = sold.get("product")
    product_id = product.get("id") if isinstance(product, dict) else product
    own = _discounts(item)
    bearing = [*own, *(coupon for coupon in whole if _applies(coupon, product_id))]
    left = Decimal(1)
    for coupon in bearing:
        if coupon.get("percent_off") is not None:
            left *= 1 - to_decimal(coupon["percent_off"]) / 100
    amount = _total_off(own) + off
    return {
        "of": item,
        "price": sold,
        "name": sold.get("nickname")
        or (product.get("name") if isinstance(product, dict) else None),
        "percent": None if left == 1 else plain((1 - left) * 100),
        "off": amount or None,
    }


def _applies(coupon: Raw, product: Any) -> bool:
    products = (coupon.get("applies_to") or {}).get("products")
    return not products or product in products


@finishes("stripe.customer_body")
def customer_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """Shipping is one thing at Stripe: an address with a name. https://docs.stripe.com/api/customers"""
    if "shipping" in body:
        address = body["shipping"].get("address")
        body["shipping"] = address and {"name": fields.get("name") or "-", "address": address}
    if body.get("preferred_locales") == [None]:
        body["preferred_locales"] = []
    return body


@finishes("stripe.price_body")
def price_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """https://docs.stripe.com/api/prices/create : what a price costs can't be changed later."""
    scheme = body.pop("tieout", {}).get("scheme")
    custom = _custom(fields)
    if scheme == "flat":
        raise InvalidRecord(
            "Stripe has no flat price",
            where="price, field scheme",
            hint="sell it with quantity 1 and scheme per_unit",
        )
    if scheme in ("tiered", "volume", "stairstep"):
        body["billing_scheme"] = "tiered"
        body["tiers_mode"] = "graduated" if scheme == "tiered" else "volume"
        body.pop("unit_amount_decimal", None)
        for tier in body.get("tiers") or []:
            tier.setdefault("up_to", "inf")
    if scheme == "package":
        if not custom.get("divide_by"):
            raise InvalidRecord(
                "a package price needs custom.divide_by, the size of a package",
                where="price, field scheme",
            )
        body["transform_quantity"] = {
            "divide_by": custom["divide_by"],
            "round": custom.get("divide_round") or "up",
        }
    recurring = body.get("recurring")
    if recurring is not None and not recurring.get("interval"):
        del body["recurring"]
    elif recurring is not None and custom.get("meter"):
        recurring["meter"] = custom["meter"]
    return body


def _custom(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The custom fields, given together or one by one."""
    found = dict(fields.get("custom") or {})
    found |= {
        name.removeprefix("custom."): value
        for name, value in fields.items()
        if name.startswith("custom.")
    }
    return found
