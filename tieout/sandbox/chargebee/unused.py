"""What Chargebee has and this site does not use: lists that are empty until something is loaded.

A line of OTHER_KINDS is: the object's kind, its path, then the list's filters as in kinds.py.
https://apidocs.chargebee.com/docs/api (one page per kind)
"""

from __future__ import annotations

OTHER_KINDS = """
coupon_code coupon_codes code:s coupon_id:s coupon_set_name:s status:e
coupon_set coupon_sets id:s name:s coupon_id:s total_count:n redeemed_count:n archived_count:n
feature features name:s id:s status:e type:e metered:b
entitlement entitlements feature_id:s entity_type:e entity_id:s
business_entity business_entities id:s status:e
business_entity_transfer business_entities/transfers resource_type:e resource_id:s \
active_resource_id:s created_at:t
omnichannel_subscription omnichannel_subscriptions source:e customer_id:s id:s id_at_source:s \
updated_at:t purchased_at:t
omnichannel_one_time_order omnichannel_one_time_orders source:e customer_id:s
payment_schedule_scheme payment_schedule_schemes id:s updated_at:t
payment_voucher payment_vouchers id:s status:e
alert alerts id:s
einvoice einvoices id:s
"""

# A list below one object -> the kind of that object, its parameters, the page's key.
BELOW: dict[str, tuple[str, str]] = {
    "customers/{}/customer_entitlements": ("customer", "limit:i offset"),
    "customers/{}/payment_vouchers": ("customer", "limit:i offset status:x sort_by:x"),
    "subscriptions/{}/discounts": ("subscription", "limit:i offset"),
    "subscriptions/{}/subscription_entitlements": (
        "subscription",
        "limit:i offset include_drafts:b embed include_scheduled_overrides:b",
    ),
    "subscriptions/{}/entitlement_overrides": (
        "subscription",
        "limit:i offset embed include_drafts:b include_scheduled_overrides:b",
    ),
    "subscriptions/{}/usage_charges": ("subscription", "limit:i offset feature_id:x"),
    "invoices/{}/payment_vouchers": ("invoice", "limit:i offset status:x sort_by:x"),
    "items/{}/item_entitlements": ("item", "limit:i offset include_drafts:b embed"),
    "item_prices/{}/applicable_items": ("item_price", "limit:i offset sort_by:x"),
    "item_prices/{}/applicable_item_prices": ("item_price", "limit:i offset item_id:x sort_by:x"),
    "quotes/{}/quote_line_groups": ("quote", "limit:i offset"),
}
