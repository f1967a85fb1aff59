"""Chargebee's objects in the forms that chargebee.yaml reads: what no path can express, computed.

Every form is the object itself (taken out of its answer, row or event) with one more key, `tieout`,
that holds what had to be worked out, in Chargebee's own units. The reasoning on money stands in
docs/providers/chargebee.md. Amounts are never adjusted to make a document add up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import plain, to_decimal

from . import chargebee_bodies, chargebee_documents, chargebee_transactions
from .chargebee_objects import (
    TABLE,
    Raw,
    code_of,
    extras,
    is_deleted,
    opened,
    our_key,
    rows_of,
    total_of,
    unit,
    whole,
)
from .choices import listed
from .exponents import factors
from .forms import Context, prepares

# imported so that their forms are registered
__all__ = ["chargebee_bodies", "chargebee_documents", "chargebee_transactions"]

_TIERED = ("tiered", "volume", "stairstep")
_MONTHS = {"month": 1, "year": 12}
_CREDITS = ("promotional_credits", "refundable_credits", "excess_payments")
_OVER = ("cancelled", "transferred")


def _common(found: Raw) -> Raw:
    return {"deleted": is_deleted(found), "extra": extras(found), "key": our_key(found)}


@prepares("chargebee.customer")
def customer(raw: Raw, context: Context) -> Raw:
    """https://apidocs.chargebee.com/docs/api/customers"""
    found = opened(raw, "customer")
    person = " ".join(str(found[k]) for k in ("first_name", "last_name") if found.get(k))
    currency = found.get("preferred_currency_code") or _only_currency(found)
    address = found.get("billing_address")
    return {
        **found,
        "tieout": {
            **_common(found),
            "name": found.get("company") or person or None,
            "currency": currency,
            "credit": _credit(found, currency),
            "credits": _credits(found),
            "address": _address(address) if isinstance(address, dict) else None,
        },
    }


def _only_currency(found: Raw) -> Any:
    codes = {_balance_in(row) for row in rows_of(found, "balances")}
    return codes.pop() if len(codes) == 1 else None


def _balance_in(row: Raw) -> Any:
    """A balance's own currency, by its present name or the one before."""
    return row.get("balance_currency_code") or row.get("currency_code")


def _credit(found: Raw, currency: Any) -> int | None:
    """Unused credit in the customer's own currency. With several currencies the totals beside
    `balances` are of one of them only."""
    balances = rows_of(found, "balances")
    if balances and currency is None and all(_balance_in(row) for row in balances):
        return None  # several currencies, none of them the customer's: see _credits
    if balances:
        return sum(_unused(row) for row in balances if _balance_in(row) in (currency, None))
    if all(found.get(name) is None for name in _CREDITS) and is_deleted(found):
        return None
    return _unused(found)


def _unused(row: Raw) -> int:
    return sum(whole(row, name) for name in _CREDITS)


def _credits(found: Raw) -> str | None:
    """Unused credit by currency where there are several: `EUR:600,USD:0`, in ISO minor units."""
    held: dict[str, int] = {}
    for row in rows_of(found, "balances"):
        code = str(_balance_in(row) or "?").upper()
        times, by = factors(TABLE).get(code, (1, 1))
        held[code] = held.get(code, 0) + _unused(row) * times // by
    if len(held) < 2:
        return None
    return ",".join(f"{code}:{unused}" for code, unused in sorted(held.items()))


def _address(address: Raw) -> Raw:
    """The state's code where there is one."""
    return {**address, "state_code": address.get("state_code") or address.get("state")}


@prepares("chargebee.contact")
def contact(raw: Raw, context: Context) -> Raw:
    """An element of `customer.contacts`; a customer with a single contact is that contact's."""
    if raw.get("object") != "contact" and isinstance(raw.get("customer"), dict):
        raw = raw["customer"]
    if raw.get("object") == "customer":
        rows = rows_of(raw, "contacts")
        if len(rows) != 1:
            raise InvalidRecord(f"is a customer with {len(rows)} contacts, not a contact")
        raw = {**rows[0], "customer_id": raw.get("id")}
    found = opened(raw, "contact")
    billing = found.get("send_billing_email")
    role = None if billing is None else "billing" if billing is True else "other"
    return {**found, "tieout": {**_common(found), "role": role}}


@prepares("chargebee.product")
def product(raw: Raw, context: Context) -> Raw:
    """An item; a plan or an addon of Product Catalog 1.0 is product and price at once."""
    found = opened(raw, "item", "plan", "addon")
    active = listed(found, "status", "active", "archived", "deleted")
    known = {"active": None if active is None else active == "active"}
    return {**found, "tieout": {**_common(found), **known}}


@prepares("chargebee.price")
def price(raw: Raw, context: Context) -> Raw:
    """https://apidocs.chargebee.com/docs/api/item_prices , /plans and /addons"""
    found = opened(raw, "item_price", "plan", "addon")
    active = listed(found, "status", "active", "archived", "deleted")
    scheme, tiers = _scheme(found), rows_of(found, "tiers")
    tiered = scheme in _TIERED or (scheme == "package" and tiers)
    every, code = found.get("period_unit"), code_of(found, context)
    once = found.get("charge_type") == "non_recurring" or every in (None, "not_applicable")
    return {
        **found,
        "tieout": {
            **_common(found),
            "active": None if active is None else active == "active",
            "product": found.get("item_id") or (None if _is_item_price(found) else found.get("id")),
            "scheme": scheme,
            "unit": None if tiered else unit(found, "price", code),
            "tiers": [_tier(tier, scheme, code) for tier in tiers] if tiers else None,
            "interval": None if once else every,
            "interval_count": None if once else found.get("period"),
        },
    }


def _is_item_price(found: Raw) -> bool:
    return found.get("object") == "item_price" or "item_type" in found


def _scheme(found: Raw) -> Any:
    """Addons of before pricing models have a type; tiers may be sold by the package."""
    scheme = found.get("pricing_model") or found.get("charge_model")
    if scheme is None and found.get("object") == "addon":
        scheme = found.get("type")
    tiers = rows_of(found, "tiers")
    if tiers and all(tier.get("pricing_type") == "package" for tier in tiers):
        return "package"
    return scheme


def _tier(tier: Raw, scheme: Any, currency: str | None) -> Raw:
    """A stairstep's price, and a flat fee's, is for the whole tier."""
    kind = listed(tier, "pricing_type", "per_unit", "flat_fee", "package")
    flat = scheme == "stairstep" or kind == "flat_fee"
    name = "flat" if flat else "unit"
    end = tier.get("ending_unit_in_decimal")
    return {
        "up_to": tier.get("ending_unit") if end in (None, "") else end,
        name: unit(tier, "price", currency),
    }


@prepares("chargebee.subscription")
def subscription(raw: Raw, context: Context) -> Raw:
    """https://apidocs.chargebee.com/docs/api/subscriptions , both Product Catalogs."""
    found = opened(raw, "subscription")
    status, ends = found.get("status"), found.get("cancelled_at")
    over = status in _OVER
    if not over and ends is None and found.get("trial_end_action") == "cancel_subscription":
        ends = found.get("trial_end") if status == "in_trial" else None
    if not over and ends is None and status == "non_renewing":
        ends = found.get("current_term_end")
    whole_offs = [row for row in rows_of(found, "discounts") if not row.get("item_price_id")]
    rows = _items(found, code_of(found, context))
    off = total_of([row for row in whole_offs if row.get("type") == "fixed_amount"])
    coupons = [row.get("coupon_id") for row in rows_of(found, "coupons")]
    return {
        **found,
        "tieout": {
            **_common(found),
            "cancel_at": None if over else ends,
            "ended_at": ends if over else None,
            "auto_renew": None if status is None else not over and ends is None,
            "items": [_discounted(row, found, off if len(rows) == 1 else 0) for row in rows],
            "discount": off if off and len(rows) != 1 else None,
            "coupons": ",".join(str(c) for c in coupons if c) or found.get("coupon"),
            "term_months": _term_months(found),
        },
    }


def _items(found: Raw, currency: str | None) -> list[Raw]:
    """Subscription items, or the plan and its addons of Product Catalog 1.0."""
    if found.get("subscription_items"):
        tiered = [row.get("item_price_id") for row in rows_of(found, "item_tiers")]
        rows = rows_of(found, "subscription_items")
        return [_item(row, found, tiered, currency) for row in rows]
    every = {
        "interval": found.get("billing_period_unit"),
        "interval_count": found.get("billing_period"),
    }
    rows = []
    if found.get("plan_id"):
        plan = {
            "id": found["plan_id"],
            "product": found["plan_id"],
            "quantity": found.get("plan_quantity"),
            "quantity_decimal": found.get("plan_quantity_in_decimal"),
            "unit": unit(found, "plan_unit_price", currency),
        }
        rows.append({**plan, **every})
    for addon in rows_of(found, "addons"):
        sold = _sold(addon, str(addon.get("id")), currency)
        rows.append({**sold, "product": addon.get("id"), **every})
    return rows


def _sold(row: Raw, id: str, currency: str | None) -> Raw:
    return {
        "id": id,
        "quantity": row.get("quantity"),
        "quantity_decimal": row.get("quantity_in_decimal"),
        "unit": unit(row, "unit_price", currency),
    }


def _item(row: Raw, found: Raw, tiered: list[Any], currency: str | None) -> Raw:
    id = row.get("item_price_id")
    item = _sold(row, str(id), currency)
    if id in tiered:
        item["unit"] = None
    if listed(row, "item_type", "plan", "addon", "charge") != "charge":
        own = "billing_period_unit" in row
        holder = row if own else found
        item["interval"] = holder.get("billing_period_unit")
        item["interval_count"] = holder.get("billing_period")
    item["usage"] = "metered" if row.get("metered_quantity") is not None else None
    return item


def _discounted(item: Raw, found: Raw, off: int) -> Raw:
    """An item with the discounts that bear on it; several percentages apply one after another."""
    left = Decimal(1)
    for row in rows_of(found, "discounts"):
        kind = listed(row, "type", "fixed_amount", "percentage", "offer_quantity")
        if row.get("item_price_id") not in (None, item["id"]):
            continue
        if kind == "percentage" and row.get("percentage") is not None:
            left *= 1 - to_decimal(row["percentage"]) / 100
        elif kind == "fixed_amount" and row.get("item_price_id"):
            off += whole(row, "amount")
    percent = None if left == 1 else plain((1 - left) * 100)
    return {**item, "percent": percent, "off": off or None}


def _term_months(found: Raw) -> int | None:
    """The length of the contract, where there is one."""
    term = found.get("contract_term")
    months = _MONTHS.get(str(found.get("billing_period_unit")))
    if not isinstance(term, dict) or not months or not found.get("billing_period"):
        return None
    cycles = term.get("billing_cycle")
    return None if not cycles else int(cycles) * int(found["billing_period"]) * months


@prepares("chargebee.usage")
def usage(raw: Raw, context: Context) -> Raw:
    """https://apidocs.chargebee.com/docs/api/usages"""
    found = opened(raw, "usage")
    return {**found, "tieout": _common(found)}
