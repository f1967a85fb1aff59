"""The catalogue, customers and subscriptions as Chargebee's API shows them (Product Catalog 2.0).

https://apidocs.chargebee.com/docs/api: attributes without a value are left out; amounts have two
decimals or none, so of a Bahraini dinar's three the last, always 0, is dropped.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import ids
from .billing import Ledger
from .currencies import Currency
from .facts import Bill, Client, Coupon, Item, Price, Product, Subscription

Object = dict[str, Any]
FAMILY = "atlas"
_FLAT = frozenset({"ATLAS-START", "ATLAS-ENT", "SUPPORT-247"})
_LEFT = {"payment_failed": "not_paid"}


def cents(currency: Currency, minor: int) -> int:
    """Minor units as Chargebee counts them: hundredths, or whole units of a yen."""
    if currency.places < 3:
        return minor
    whole, rest = divmod(minor, 10)
    if rest:
        raise ValueError(f"{minor} {currency.code} does not fit into two decimals")
    return whole


def stamped(item: Object, at: int) -> Object:
    """With `updated_at` and `resource_version`, without attributes that have no value."""
    item |= {"updated_at": at, "resource_version": at * 1000 + int(item.get("created_at") or 0) % 7}
    return {name: value for name, value in item.items() if value is not None}


# Catalogue


def family(at: int) -> Object:
    return stamped({"id": FAMILY, "name": "Atlas", "status": "active", "object": "item_family"}, at)


def _item_type(product: Product) -> str:
    if product.one_time:
        return "charge"
    return "plan" if product.sku.startswith("ATLAS") else "addon"


def item(product: Product) -> Object:
    kind = _item_type(product)
    found: Object = {
        "id": ids.chargebee_item(product),
        "name": product.name,
        "external_name": product.name,
        "description": product.description,
        "status": "active",
        "item_family_id": FAMILY,
        "type": kind,
        "is_shippable": False,
        "is_giftable": False,
        "enabled_for_checkout": True,
        "enabled_in_portal": True,
        "included_in_mrr": kind != "charge",
        "item_applicability": "all",
        "unit": product.unit,
        "metered": False,
        "channel": "web",
        "metadata": {"sku": product.sku},
        "object": "item",
    }
    return stamped(found, product.created)


def item_price(price: Price) -> Object:
    product, every = price.product, price.interval
    found: Object = {
        "id": ids.chargebee_item_price(price),
        "name": f"{product.name} {price.currency.code} {every or 'once'}",
        "external_name": product.name,
        "item_family_id": FAMILY,
        "item_id": ids.chargebee_item(product),
        "item_type": _item_type(product),
        "status": "active",
        "pricing_model": "flat_fee" if product.sku in _FLAT else "per_unit",
        "price": cents(price.currency, price.unit),
        "currency_code": price.currency.code,
        "period": 1 if every else None,
        "period_unit": every,
        "free_quantity": 0,
        "channel": "web",
        "created_at": product.created,
        "is_taxable": True,
        "accounting_detail": {"sku": product.sku, "object": "accounting_detail"},
        "show_description_in_invoices": False,
        "show_description_in_quotes": False,
        "object": "item_price",
    }
    return stamped(found, product.created)


def coupon(one: Coupon, used: int) -> Object:
    found: Object = {
        "id": one.id,
        "name": one.name,
        "invoice_name": one.name,
        "discount_type": "percentage",
        "discount_percentage": Decimal(one.percent),
        "duration_type": "forever",
        "status": "active",
        "apply_discount_on": "not_applicable",
        "apply_on": "invoice_amount",
        "created_at": one.created,
        "redemptions": used,
        "object": "coupon",
    }
    return stamped(found, one.created)


# Customers


def address(client: Client, kind: str = "billing_address") -> Object:
    found = {
        "first_name": client.first,
        "last_name": client.last,
        "email": client.email,
        "company": None if client.is_person else client.name,
        "phone": client.phone,
        "line1": client.street,
        "city": client.city,
        "state_code": client.state if client.country == "US" else None,
        "state": client.state,
        "country": client.country,
        "zip": client.postal_code,
        "validation_status": "not_validated",
        "object": kind,
    }
    return {name: value for name, value in found.items() if value}


def card(client: Client) -> Object:
    return {
        "status": "valid",
        "gateway": "chargebee",
        "gateway_account_id": "gw_atlas",
        "iin": "424242",
        "last4": client.card,
        "card_type": "visa",
        "funding_type": "credit",
        "expiry_month": client.index % 12 + 1,
        "expiry_year": 2031,
        "object": "card",
        "masked_number": f"************{client.card}",
        "customer_id": client.id,
        "payment_source_id": source_id(client),
    }


def source_id(client: Client) -> str:
    return ids.chargebee_id(f"source:{client.id}", "pm_")


def payment_source(client: Client) -> Object:
    inner = card(client)
    names = ("iin", "last4", "funding_type", "expiry_month", "expiry_year", "masked_number")
    found: Object = {
        "id": source_id(client),
        "customer_id": client.id,
        "type": "card",
        "reference_id": ids.chargebee_id(f"token:{client.id}", "tok_"),
        "status": "valid",
        "gateway": "chargebee",
        "gateway_account_id": "gw_atlas",
        "created_at": client.created,
        "deleted": False,
        "object": "payment_source",
        "card": {name: inner[name] for name in names} | {"brand": "visa", "object": "card"},
    }
    return stamped(found, client.created)


def customer(client: Client) -> Object:
    exempt = client.tax is None or client.reverse_charge
    found: Object = {
        "id": client.id,
        "first_name": client.first or None,
        "last_name": client.last or None,
        "company": None if client.is_person else client.name,
        "email": client.email,
        "phone": client.phone,
        "auto_collection": "off" if client.sends_invoices else "on",
        "net_term_days": 30 if client.sends_invoices else 0,
        "allow_direct_debit": False,
        "created_at": client.created,
        "taxability": "exempt" if exempt else "taxable",
        "locale": client.locale,
        "pii_cleared": "active",
        "channel": "web",
        "deleted": False,
        "object": "customer",
        "billing_address": address(client),
        "card_status": "no_card" if client.sends_invoices else "valid",
        "promotional_credits": 0,
        "refundable_credits": 0,
        "excess_payments": 0,
        "unbilled_charges": 0,
        "preferred_currency_code": client.currency.code,
        "meta_data": {"segment": "smb" if client.index % 3 else "enterprise"},
        "cf_salesforce_id": client.account or None,
    }
    if not client.sends_invoices:
        found["primary_payment_source_id"] = source_id(client)
        found["payment_method"] = {
            "object": "payment_method",
            "type": "card",
            "reference_id": ids.chargebee_id(f"token:{client.id}", "tok_"),
            "gateway": "chargebee",
            "gateway_account_id": "gw_atlas",
            "status": "valid",
        }
    return stamped(found, client.created)


# Subscriptions


def _part(one: Item) -> Object:
    unit = cents(one.price.currency, one.price.unit)
    return {
        "item_price_id": ids.chargebee_item_price(one.price),
        "item_type": _item_type(one.price.product),
        "quantity": one.quantity,
        "unit_price": unit,
        "amount": unit * one.quantity,
        "free_quantity": 0,
        "billing_period": 1,
        "billing_period_unit": one.price.interval,
        "object": "subscription_item",
    }


def _status(one: Subscription, at: int) -> str:
    if one.ended is not None:
        return "cancelled"
    if one.trial_end is not None and one.trial_end > at:
        return "in_trial"
    return "non_renewing" if one.cancel_at is not None else "active"


def _mrr(one: Subscription) -> int:
    total = sum(cents(part.price.currency, part.price.unit) * part.quantity for part in one.items)
    return round(Decimal(total) / (12 if one.interval == "year" else 1))


def subscription(one: Subscription, ledger: Ledger, now: int) -> Object:
    """The subscription as the API answers at `now`."""
    client, status = one.client, _status(one, now)
    live = status in ("active", "non_renewing")
    ended = one.ended if status == "cancelled" else one.cancel_at
    due = [bill for bill in ledger.bills if bill.subscription is one and _is_due(bill, now)]
    touched = [one.started, *(part.created for part in one.items)]
    touched += [moment for moment in (one.canceled, one.ended) if moment]
    if one.period[0] <= now:
        touched.append(one.period[0])
    end = one.period[1]
    found: Object = {
        "id": one.id,
        "currency_code": client.currency.code,
        "billing_period": 1,
        "billing_period_unit": one.interval,
        "trial_end": one.trial_end,
        "auto_collection": "off" if client.sends_invoices else "on",
        "customer_id": client.id,
        "status": status,
        "trial_start": one.started if one.trial_end else None,
        "current_term_start": one.period[0] if status != "in_trial" else None,
        "current_term_end": (min(end, one.ended or end) if status != "in_trial" else None),
        "next_billing_at": end if status in ("active", "in_trial") else None,
        "created_at": one.started,
        "started_at": one.started,
        "activated_at": (one.trial_end or one.started) if status != "in_trial" else None,
        "cancelled_at": ended,
        "cancel_reason": _LEFT.get(one.cancel_reason or "") if one.ended else None,
        "cancel_schedule_created_at": one.canceled if status == "non_renewing" else None,
        "has_scheduled_changes": False,
        "has_scheduled_advance_invoices": False,
        "channel": "web",
        "deleted": False,
        "object": "subscription",
        "subscription_items": [_part(part) for part in one.items],
        "due_invoices_count": len(due),
        "due_since": min((bill.due or bill.issued for bill in due), default=None),
        "total_dues": sum(cents(bill.currency, bill.remaining(now)) for bill in due) or None,
        "mrr": _mrr(one) if live else 0,
        "exchange_rate": Decimal("1.0") if client.currency.code == "USD" else None,
        "base_currency_code": "USD",
    }
    if one.discount is not None:
        used: Object = {"coupon_id": one.discount.coupon.id, "object": "coupon"}
        used["applied_count"] = sum(1 for bill in ledger.bills if bill.subscription is one)
        found["coupons"] = [used]
    return stamped(found, max(moment for moment in touched if moment <= now))


def _is_due(bill: Bill, now: int) -> bool:
    if bill.status(now) not in ("open", "uncollectible"):
        return False
    return (bill.due or bill.issued) <= now
