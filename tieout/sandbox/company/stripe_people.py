"""Customers, products, prices, subscriptions as Stripe's API 2026-10-28.endive shows them.

https://docs.stripe.com/api/customers/object, .../products, .../prices, .../subscriptions,
.../coupons, .../tax_rates. What is served only on request (`expand`) is left out.
"""

from __future__ import annotations

from typing import Any

from .catalog import Catalog
from .facts import Client, Coupon, Discount, Item, Price, Product, Subscription, Tax

Object = dict[str, Any]


def customer(client: Client, *, delinquent: bool, balance: int) -> Object:
    country = client.country
    address = {
        "city": client.city,
        "country": country,
        "line1": client.street,
        "line2": None,
        "postal_code": client.postal_code,
        "state": client.state,
    }
    return {
        "id": client.id,
        "object": "customer",
        "address": address,
        "balance": balance,
        "business_name": None if client.is_person else client.name,
        "created": client.created,
        "currency": client.currency.lower,
        "customer_account": None,
        "default_source": None,
        "delinquent": delinquent,
        "description": None,
        "discount": None,
        "email": client.email,
        "individual_name": client.name if client.is_person else None,
        "invoice_prefix": client.prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {"segment": "smb" if client.index % 3 else "enterprise"},
        "name": client.name,
        "next_invoice_sequence": client.sequence + 1,
        "phone": client.phone,
        "preferred_locales": [client.locale],
        "shipping": None,
        "tax_exempt": "reverse" if client.reverse_charge else "none",
        "test_clock": None,
    }


def deleted_customer(client: Client) -> Object:
    return {"id": client.id, "object": "customer", "deleted": True}


def product(one: Product, catalog: Catalog) -> Object:
    default = catalog.prices.get((one.sku, None if one.one_time else "month", "USD"))
    return {
        "id": one.id,
        "object": "product",
        "active": True,
        "created": one.created,
        "default_price": default.id if default else None,
        "description": one.description,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {"sku": one.sku},
        "name": one.name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": "txcd_10103001",
        "tax_details": None,
        "type": "service",
        "unit_label": one.unit,
        "updated": one.created,
        "url": None,
    }


def price(one: Price) -> Object:
    recurring = None
    if one.interval:
        recurring = {
            "interval": one.interval,
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
    code = one.currency.lower
    return {
        "id": one.id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": one.product.created,
        "currency": code,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": f"{one.product.sku.lower()}_{one.interval or 'once'}_{code}",
        "metadata": {},
        "nickname": f"{one.product.name} ({one.interval}ly)" if one.interval else None,
        "product": one.product.id,
        "recurring": recurring,
        "tax_behavior": "exclusive",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if one.interval else "one_time",
        "unit_amount": one.unit,
        "unit_amount_decimal": str(one.unit),
    }


def _plan(one: Price) -> Object:
    return {
        "id": one.id,
        "object": "plan",
        "active": True,
        "amount": one.unit,
        "amount_decimal": str(one.unit),
        "billing_scheme": "per_unit",
        "created": one.product.created,
        "currency": one.currency.lower,
        "interval": one.interval,
        "interval_count": 1,
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": f"{one.product.name} ({one.interval}ly)",
        "product": one.product.id,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def coupon(one: Coupon, used: int) -> Object:
    return {
        "id": one.id,
        "object": "coupon",
        "amount_off": None,
        "created": one.created,
        "currency": None,
        "duration": "forever",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": one.name,
        "percent_off": one.percent,
        "redeem_by": None,
        "times_redeemed": used,
        "valid": True,
    }


def tax_rate(one: Tax) -> Object:
    return {
        "id": one.id,
        "object": "tax_rate",
        "active": True,
        "country": one.country,
        "created": one.created,
        "description": None,
        "display_name": one.name,
        "effective_percentage": one.percent,
        "flat_amount": None,
        "inclusive": False,
        "jurisdiction": one.state or one.country,
        "jurisdiction_level": "state" if one.state else "country",
        "livemode": False,
        "metadata": {},
        "percentage": one.percent,
        "rate_type": "percentage",
        "state": one.state,
        "tax_type": one.kind,
    }


def _item(one: Item, owner: Subscription) -> Object:
    return {
        "id": one.id,
        "object": "subscription_item",
        "billed_until": owner.period[1],
        "billing_thresholds": None,
        "created": one.created,
        "current_period_end": owner.period[1],
        "current_period_start": owner.period[0],
        "discounts": [],
        "metadata": {},
        "plan": _plan(one.price),
        "price": price(one.price),
        "quantity": one.quantity,
        "subscription": owner.id,
        "tax_rates": [],
    }


def discount(one: Discount, owner: Subscription) -> Object:
    """A discount as it appears where it is expanded; other objects name only its id."""
    return {
        "id": one.id,
        "object": "discount",
        "checkout_session": None,
        "customer": owner.client.id,
        "customer_account": None,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": one.coupon.id, "type": "coupon"},
        "start": one.start,
        "subscription": owner.id,
        "subscription_item": None,
    }


def subscription(one: Subscription) -> Object:
    client, tax = one.client, one.client.tax
    status = one.status
    if one.ended is not None:
        status = "canceled"
    leaving = one.cancel_at is not None and one.ended is None
    return {
        "id": one.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": one.anchor,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": one.cancel_at,
        "cancel_at_period_end": leaving,
        "canceled_at": one.canceled,
        "cancellation_details": {"comment": None, "feedback": None, "reason": one.cancel_reason},
        "collection_method": "send_invoice" if client.sends_invoices else "charge_automatically",
        "created": one.started,
        "currency": client.currency.lower,
        "customer": client.id,
        "customer_account": None,
        "days_until_due": 30 if client.sends_invoices else None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [tax_rate(tax)] if tax else [],
        "description": None,
        "discounts": [one.discount.id] if one.discount else [],
        "ended_at": one.ended,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": [_item(item, one) for item in one.items],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={one.id}",
        },
        "latest_invoice": one.latest,
        "livemode": False,
        "managed_payments": None,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "presentment_details": None,
        "schedule": None,
        "start_date": one.started,
        "status": status,
        "status_details": None,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": one.trial_end,
        "trial_settings": {
            "end_behavior": {
                "billing_cycle_anchor": None,
                "missing_payment_method": "create_invoice",
            }
        },
        "trial_start": one.started if one.trial_end else None,
    }
