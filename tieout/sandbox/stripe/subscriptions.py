"""Subscriptions: created, changed, renewed as the clock moves, canceled.

https://docs.stripe.com/billing/subscriptions/overview
"""

from __future__ import annotations

from typing import Any

from .account import Account, Object
from .billing import advance
from .catalog import PRICE_DATA, as_plan, new_price
from .discounts import redeem
from .errors import bad_request
from .listing import page
from .payment_methods import resolve
from .renewals import ENDED, bill, bill_first, end, items_of, period_of, plan_renewal, prorate
from .routes import Call, Route, merge_metadata, nested_parameters, take

_DAY = 86_400


# Create


def _create(call: Call) -> Object:
    account = call.account
    customer = account.need("customer", call.params["customer"], param="customer")
    sent = call.get("items")
    if not sent:
        raise bad_request("Missing required param: items.", code="parameter_missing",
                          param="items")  # fmt: skip
    method = call.get("collection_method", "charge_automatically")
    if method == "send_invoice" and "days_until_due" not in call.params:
        raise bad_request("Subscriptions with collection_method=send_invoice need days_until_due.",
                          param="days_until_due")  # fmt: skip
    prices = [_price_of(account, one, f"items[{at}]") for at, one in enumerate(sent)]
    currency = _one_currency(prices, customer)
    item = blank(account, customer, currency, method)
    item["days_until_due"] = call.get("days_until_due")
    _set_trial(item, call)
    _fill(item, call)
    trialing = item["trial_end"] is not None and item["trial_end"] > account.now()
    behavior = call.get("payment_behavior", "allow_incomplete")
    free = all(not int(price["unit_amount"] or 0) for price in prices)
    if not trialing and method == "charge_automatically" and behavior != "default_incomplete":
        _need_method(account, item, customer, free)
    start = call.get("backdate_start_date", account.now())
    item["start_date"] = start
    item["billing_cycle_anchor"] = call.get("billing_cycle_anchor") or (
        item["trial_end"] if trialing else start
    )
    account.save("subscription", item)
    for one, price in zip(sent, prices, strict=True):
        add_item(account, item, price, one)
    item["status"] = "trialing" if trialing else "active"
    account.save("subscription", item)
    if not trialing:
        bill_first(account, item, behavior)
        item = account.need("subscription", item["id"])
    account.save("subscription", item)
    account.emit_about("customer.subscription.created", item)
    plan_renewal(account, item)
    return item


def _need_method(account: Account, item: Object, customer: Object, free: bool) -> None:
    settings = customer.get("invoice_settings") or {}
    known = (item["default_payment_method"] or settings.get("default_payment_method")
             or customer.get("default_source"))  # fmt: skip
    if not known and not free:
        raise bad_request(
            "The customer has neither a payment source nor a default payment method.",
            code="resource_missing",
        )


def _price_of(account: Account, sent: dict[str, Any], name: str) -> Object:
    if sent.get("price_data"):
        return new_price(account, sent["price_data"])
    id = sent.get("price") or sent.get("plan")
    if id is None:
        raise bad_request(f"Missing required param: {name}[price].", code="parameter_missing",
                          param=f"{name}[price]")  # fmt: skip
    price = account.need("price", id, param=f"{name}[price]")
    if price["type"] != "recurring":
        raise bad_request(f"The price {id} is one_time; subscriptions take recurring ones.",
                          param=f"{name}[price]")  # fmt: skip
    if not price["active"]:
        raise bad_request(f"The price specified is inactive: {id}", param=f"{name}[price]")
    return price


def _one_currency(prices: list[Object], customer: Object) -> str:
    found = {str(price["currency"]) for price in prices}
    if len(found) > 1:
        raise bad_request("All prices of a subscription must have one currency.", param="items")
    currency = found.pop()
    if customer.get("currency") not in (None, currency):
        raise bad_request(
            f"The customer is billed in {customer['currency']}; one customer has one currency.",
            param="items",
        )
    return currency


def blank(account: Account, customer: Object, currency: str, method: str) -> Object:
    """A subscription without items; not saved."""
    now, id = account.now(), account.new_id("subscription")
    return {
        "id": id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": method,
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "custom_fields": None, "description": None,
                             "footer": None, "issuer": {"type": "self"}},
        "items": {"object": "list", "data": [], "has_more": False,
                  "url": f"/v1/subscription_items?subscription={id}"},
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None,
                             "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "active",
        "status_details": None,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }  # fmt: skip


def _set_trial(item: Object, call: Call) -> None:
    now, end = call.account.now(), call.get("trial_end")
    if end == "now":
        item["trial_end"] = now if item["trial_end"] else None
        return
    if end is not None:
        if not str(end).isdigit():
            raise bad_request(f"Invalid timestamp: {end}", param="trial_end")
        end = int(end)
    elif "trial_period_days" in call.params:
        end = now + call.params["trial_period_days"] * _DAY
    if end is not None and end > now:
        item |= {"trial_start": now, "trial_end": end}


def _fill(item: Object, call: Call) -> None:
    account = call.account
    take(item, call, "description cancel_at_period_end collection_method days_until_due")
    if "default_payment_method" in call.params:
        chosen = resolve(account, call.params["default_payment_method"],
                         param="default_payment_method")  # fmt: skip
        item["default_payment_method"] = chosen["id"]
    if "default_tax_rates" in call.params:
        item["default_tax_rates"] = [
            account.need("tax_rate", id, param="default_tax_rates")
            for id in call.params["default_tax_rates"] or []
        ]
    if "discounts" in call.params:
        item["discounts"] = redeem(account, call.params["discounts"], subscription=item["id"],
                                   customer=item["customer"])  # fmt: skip
    if "cancel_at" in call.params:
        sent = call.params["cancel_at"]
        item["cancel_at"] = None if sent in (None, "") else int(sent)
    if "pause_collection" in call.params:
        sent = call.params["pause_collection"]
        item["pause_collection"] = None if sent is None else {"resumes_at": None, **sent}
    for name in ("payment_settings", "automatic_tax", "invoice_settings", "trial_settings"):
        if name in call.params:
            item[name] = {**(item.get(name) or {}), **nested_parameters(call.params[name])}
    merge_metadata(item, call)


def add_item(account: Account, parent: Object, price: Object, sent: dict[str, Any]) -> Object:
    """A new subscription item with the period that the present moment lies in."""
    metered = price["recurring"]["usage_type"] == "metered"
    start, end = period_of(account, parent, price)
    item: Object = {
        "id": account.new_id("subscription_item"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": account.now(),
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": sent.get("metadata") or {},
        "plan": as_plan(price),
        "price": price,
        "quantity": None if metered else sent.get("quantity", 1),
        "subscription": parent["id"],
        "tax_rates": [account.need("tax_rate", id) for id in sent.get("tax_rates") or []],
    }
    if metered:
        del item["quantity"]
    return account.save("subscription_item", item)


# Change


def _update(call: Call) -> Object:
    account, item = call.account, call.account.need("subscription", call.id)
    if item["status"] in ENDED:
        raise bad_request("A canceled subscription can no longer be changed.")  # fmt: skip
    was_trialing = item["status"] == "trialing"
    _set_trial(item, call)
    _fill(item, call)
    if "cancel_at_period_end" in call.params:
        item["canceled_at"] = account.now() if item["cancel_at_period_end"] else None
        item["cancel_at"] = _end_of(account, call.id) if item["cancel_at_period_end"] else None
        item["cancellation_details"]["reason"] = (
            "cancellation_requested" if item["cancel_at_period_end"] else None
        )
    behavior = call.get("proration_behavior", "create_prorations")
    for at, sent in enumerate(call.get("items") or []):
        _change(account, item, sent, behavior, f"items[{at}]")
    if was_trialing and item["trial_end"] is not None and item["trial_end"] <= account.now():
        item |= {"status": "active", "billing_cycle_anchor": account.now()}
        for one in items_of(account, call.id):
            one["current_period_start"], one["current_period_end"] = period_of(
                account, item, one["price"]
            )
            account.save("subscription_item", one)
        account.save("subscription", item)
        advance(account, bill(account, item, "subscription_update",
                                  charge_items=items_of(account, call.id)))  # fmt: skip
        item = account.need("subscription", call.id)
        plan_renewal(account, item)
    account.save("subscription", item, "customer.subscription.updated")
    if behavior == "always_invoice" and call.get("items"):
        advance(account, bill(account, item, "subscription_update", charge_items=[]))
    return account.need("subscription", call.id)


def _end_of(account: Account, id: str) -> int:
    return max(int(one["current_period_end"]) for one in items_of(account, id))


def _change(
    account: Account, parent: Object, sent: dict[str, Any], behavior: str, name: str
) -> None:
    if "id" not in sent:
        price = _price_of(account, sent, name)
        made = add_item(account, parent, price, sent)
        prorate(account, parent, None, made, behavior)
        return
    old = account.need("subscription_item", sent["id"], param=f"{name}[id]")
    if old["subscription"] != parent["id"]:
        raise bad_request("The item belongs to another subscription.", param=f"{name}[id]")
    if sent.get("deleted"):
        account.drop("subscription_item", old["id"])
        prorate(account, parent, old, None, behavior)
        return
    change_item(account, parent, old, sent, behavior, name)


def change_item(
    account: Account, parent: Object, old: Object, sent: dict[str, Any], behavior: str, name: str
) -> Object:
    """Another price or quantity for an item, prorated for the rest of its period."""
    new = {**old}
    if sent.get("price") or sent.get("plan") or sent.get("price_data"):
        price = _price_of(account, sent, name)
        new |= {"price": price, "plan": as_plan(price)}
        old_pace, new_pace = old["price"]["recurring"], price["recurring"]
        pace = ("interval", "interval_count")
        if any(old_pace[part] != new_pace[part] for part in pace):
            # Another interval starts a new cycle at once.
            parent["billing_cycle_anchor"] = account.now()
            new["current_period_start"], new["current_period_end"] = period_of(
                account, parent, price
            )
    if "quantity" in sent:
        new["quantity"] = sent["quantity"]
    if "tax_rates" in sent:
        new["tax_rates"] = [account.need("tax_rate", id) for id in sent["tax_rates"] or []]
    if "metadata" in sent:
        new["metadata"] = {**old["metadata"], **(sent["metadata"] or {})}
    account.save("subscription_item", new)
    prorate(account, parent, old, new, behavior)
    return new


# End


def _cancel(call: Call) -> Object:
    account, item = call.account, call.account.need("subscription", call.id)
    if item["status"] in ENDED:
        raise bad_request(f"No such subscription: '{call.id}'", code="resource_missing",
                          param="id")  # fmt: skip
    item["cancellation_details"] |= call.get("cancellation_details") or {}
    if call.get("prorate"):
        for one in items_of(account, call.id):
            prorate(account, item, one, None, "create_prorations")
    if call.get("invoice_now"):
        advance(account, bill(account, item, "subscription_update", charge_items=[]))
        item = account.need("subscription", call.id)
    return end(account, item)


def _pause(call: Call) -> Object:
    item = call.account.need("subscription", call.id)
    if item["status"] not in ("active", "trialing", "past_due"):
        raise bad_request(f"A subscription that is {item['status']} cannot be paused.")
    item["status"] = "paused"
    call.account.save("subscription", item)
    call.account.emit_about("customer.subscription.paused", item)
    return item


def _resume(call: Call) -> Object:
    account, item = call.account, call.account.need("subscription", call.id)
    if item["status"] != "paused":
        raise bad_request(f"Only paused subscriptions can be resumed; this one is "
                          f"{item['status']}.")  # fmt: skip
    item["status"] = "active"
    if call.get("billing_cycle_anchor", "now") == "now":
        item["billing_cycle_anchor"] = account.now()
    for one in items_of(account, call.id):
        one["current_period_start"], one["current_period_end"] = period_of(
            account, item, one["price"]
        )
        account.save("subscription_item", one)
    account.save("subscription", item)
    account.emit_about("customer.subscription.resumed", item)
    plan_renewal(account, item)
    return item


def _list(call: Call) -> bytes:
    """Canceled ones are left out unless a status is asked for."""
    status = call.params.pop("status", None)
    equal: dict[str, Any] = {}
    only = None
    if status == "ended":
        only = lambda row: row.fields.get("status") in ENDED  # noqa: E731
    elif status is None:
        only = lambda row: row.fields.get("status") != "canceled"  # noqa: E731
    elif status != "all":
        equal["status"] = status
    if call.ids:
        call.account.need("customer", call.id)
        equal["customer"] = call.id
    return page(call.account, "subscription", call.params, url=call.path, equal=equal, only=only)


# Items


def _create_item(call: Call) -> Object:
    account = call.account
    parent = account.need("subscription", call.params["subscription"], param="subscription")
    price = _price_of(account, call.params, "item")
    made = add_item(account, parent, price, call.params)
    prorate(account, parent, None, made, call.get("proration_behavior", "create_prorations"))
    account.save("subscription", parent, "customer.subscription.updated")
    return made


def _update_item(call: Call) -> Object:
    account, old = call.account, call.account.need("subscription_item", call.id)
    parent = account.need("subscription", old["subscription"])
    made = change_item(account, parent, old, call.params,
                       call.get("proration_behavior", "create_prorations"), "item")  # fmt: skip
    account.save("subscription", parent, "customer.subscription.updated")
    return made


def _delete_item(call: Call) -> Object:
    account, old = call.account, call.account.need("subscription_item", call.id)
    parent = account.need("subscription", old["subscription"])
    if len(items_of(account, parent["id"])) == 1:
        raise bad_request("The last item cannot be deleted; cancel the subscription instead.")
    account.drop("subscription_item", call.id)
    prorate(account, parent, old, None, call.get("proration_behavior", "create_prorations"))
    account.save("subscription", parent, "customer.subscription.updated")
    return {"id": call.id, "object": "subscription_item", "deleted": True}


def _delete_customer(call: Call) -> Object:
    """Permanent; subscriptions end at once. https://docs.stripe.com/api/customers/delete"""
    account, item = call.account, call.account.need("customer", call.id)
    for held in list(account.all("subscription", customer=call.id)):
        if held.get("status") not in ENDED:
            end(account, held)
    account.emit_about("customer.deleted", item)
    return account.tombstone("customer", call.id)


_ITEMS = f"""[id price plan price_data:{PRICE_DATA} quantity:i metadata?:m tax_rates?:l
    discounts?:x deleted:b clear_usage:b billing_thresholds?:x]"""
_PRORATION = "proration_behavior:always_invoice/create_prorations/none proration_date:i"
_WRITE = f"""add_invoice_items:x application_fee_percent?:d automatic_tax:x billing_thresholds?:x
    cancel_at?:x cancel_at_period_end:b
    collection_method:charge_automatically/send_invoice days_until_due:i
    default_payment_method default_source? default_tax_rates?:l description?
    discounts?:[coupon discount promotion_code] invoice_settings:x items:{_ITEMS} metadata?:m
    off_session:b on_behalf_of? payment_settings:x pending_invoice_item_interval?:x
    payment_behavior:allow_incomplete/default_incomplete/error_if_incomplete/pending_if_incomplete
    {_PRORATION} transfer_data?:x trial_end trial_from_plan:b trial_settings:x expand:l"""
_LIST = """limit:i starting_after ending_before expand:l created:r customer customer_account price
    plan collection_method:charge_automatically/send_invoice current_period_start:r
    current_period_end:r test_clock automatic_tax:x status:active/all/canceled/ended/incomplete/\
incomplete_expired/past_due/paused/trialing/unpaid"""
_BASE = "/v1/subscriptions"
_ITEM_BASE = "/v1/subscription_items"
_ITEM = f"""price plan price_data:{PRICE_DATA} quantity:i metadata?:m tax_rates?:l discounts?:x
    payment_behavior off_session:b billing_thresholds?:x {_PRORATION} expand:l"""
ROUTES = [
    Route("GET", _BASE, _list, _LIST),
    Route("GET", "/v1/customers/{}/subscriptions", _list, _LIST.replace(" customer ", " ", 1)),
    Route("POST", _BASE, _create, _WRITE + """ customer! customer_account backdate_start_date:i
          billing_cycle_anchor:i billing_cycle_anchor_config:x billing_mode:x currency
          trial_period_days:i"""),
    Route("POST", _BASE + "/{}", _update, _WRITE + """ pause_collection?:{behavior!:\
keep_as_draft/mark_uncollectible/void resumes_at:i} cancellation_details:{comment? feedback?}
          billing_cycle_anchor:now/unchanged"""),
    Route("DELETE", _BASE + "/{}", _cancel,
          "cancellation_details:{comment? feedback?} invoice_now:b prorate:b expand:l"),
    Route("POST", _BASE + "/{}/pause", _pause, "type bill_for:x invoicing_behavior expand:l"),
    Route("POST", _BASE + "/{}/resume", _resume,
          "billing_cycle_anchor:now/unchanged " + _PRORATION + " expand:l"),
    Route("POST", _ITEM_BASE, _create_item, _ITEM + " subscription!"),
    Route("POST", _ITEM_BASE + "/{}", _update_item, _ITEM),
    Route("DELETE", _ITEM_BASE + "/{}", _delete_item, "clear_usage:b " + _PRORATION),
    Route("DELETE", "/v1/customers/{}", _delete_customer, "expand:l"),
]  # fmt: skip
