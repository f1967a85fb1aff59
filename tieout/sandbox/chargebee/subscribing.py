"""Subscriptions come to be: created with a first term, or imported as they were elsewhere.

https://apidocs.chargebee.com/docs/api/subscriptions
"""

from __future__ import annotations

from . import terms
from .customers import address, new_customer
from .documents import show_dues
from .errors import blank, invalid_request, wrong_value
from .params import Params
from .payments import rate
from .periods import add_periods
from .routes import Answered, Call, post, shown, take
from .shelf import Object
from .site import Site

OWN = (
    "auto_collection po_number offline_payment_method meta_data invoice_notes net_term_days "
    "create_pending_invoices auto_close_invoices setup_fee cancel_reason_code free_period "
    "free_period_unit override_relationship payment_source_id business_entity_id "
    "contract_term_billing_cycle_on_renewal"
)
_LONGEST_AGO = 5 * 366 * 86_400
_ITEM = (
    "quantity",
    "quantity_in_decimal",
    "unit_price",
    "unit_price_in_decimal",
    "billing_cycles",
    "trial_end",
    "service_period_days",
    "charge_on_event",
    "charge_once",
    "charge_on_option",
    "description",
)


def new_items(site: Site, sent: list[Object]) -> list[Object]:
    """Subscription items from parameters. Raises ApiError."""
    found: list[Object] = []
    for at, one in enumerate(sent):
        param = f"subscription_items[item_price_id][{at}]"
        price = site.need("item_price", one["item_price_id"], param=param)
        if price["status"] != "active":
            raise wrong_value(param, f"is {price['status']}")
        if any(other["item_price_id"] == price["id"] for other in found):
            raise wrong_value(param, "comes twice")
        item: Object = {"item_price_id": price["id"], "item_type": price["item_type"]}
        item |= {name: one[name] for name in _ITEM if one.get(name) is not None}
        if price.get("pricing_model") != "flat_fee" or "quantity" not in item:
            item.setdefault("quantity", 1)
        item.setdefault("unit_price", price.get("price"))
        item["free_quantity"] = price.get("free_quantity") or 0
        if item["unit_price"] is None:
            del item["unit_price"]
        if price["item_type"] != "charge":
            item |= {"billing_period": price.get("period")}
            item["billing_period_unit"] = price.get("period_unit")
        kept = {name: value for name, value in item.items() if value is not None}
        found.append({**kept, "object": "subscription_item"})
    return found


def set_items(site: Site, subscription: Object, items: list[Object]) -> None:
    prices = [site.need("item_price", one["item_price_id"]) for one in items]
    plans = [one for one in prices if one["item_type"] == "plan"]
    if len(plans) != 1:
        raise invalid_request(
            "A subscription has exactly one plan.", param="subscription_items[item_price_id][0]"
        )
    for at, one in enumerate(prices):
        if one["currency_code"] != plans[0]["currency_code"]:
            raise invalid_request(
                "All item prices must be in the plan's currency.",
                param=f"subscription_items[item_price_id][{at}]",
            )
    subscription |= {
        "currency_code": plans[0]["currency_code"],
        "billing_period": plans[0]["period"],
        "billing_period_unit": plans[0]["period_unit"],
        "subscription_items": items,
    }
    tiers = [
        {"item_price_id": one["id"], **tier, "object": "item_tier"}
        for one in prices
        for tier in one.get("tiers") or []
    ]
    subscription["item_tiers"] = tiers or None


def set_plan(site: Site, subscription: Object, sent: Params) -> None:
    plan = site.need("plan", sent["plan_id"], param="plan_id")
    if plan["status"] != "active":
        raise wrong_value("plan_id", f"is {plan['status']}")
    own = sent.get("plan_unit_price")
    subscription |= {
        "plan_id": plan["id"],
        "plan_quantity": sent.get("plan_quantity") or 1,
        "plan_unit_price": plan.get("price") if own is None else own,
        "plan_free_quantity": plan.get("free_quantity") or 0,
        "billing_period": plan["period"],
        "billing_period_unit": plan["period_unit"],
        "currency_code": plan["currency_code"],
    }


def new_addons(site: Site, sent: list[Object]) -> list[Object] | None:
    found = []
    for at, one in enumerate(sent):
        addon = site.need("addon", one.get("id"), param=f"addons[id][{at}]")
        own = one.get("unit_price")
        item = {
            "id": addon["id"],
            "quantity": one.get("quantity") or 1,
            "unit_price": addon.get("price") if own is None else own,
            "trial_end": one.get("trial_end"),
            "object": "addon",
        }
        found.append({name: value for name, value in item.items() if value is not None})
    return found or None


def new_coupons(site: Site, sent: Params) -> list[Object] | None:
    ids = list(sent.get("coupon_ids") or [])
    ids += [sent["coupon"]] if sent.get("coupon") else []
    ids += [one["coupon_id"] for one in sent.get("coupons") or [] if one.get("coupon_id")]
    for at, id in enumerate(ids):
        site.need("coupon", id, param=f"coupon_ids[{at}]")
    return [{"coupon_id": id, "applied_count": 0, "object": "coupon"} for id in ids] or None


def _blank(call: Call, customer: Object) -> Object:
    site = call.site
    subscription: Object = {
        "id": site.fresh_id("subscription", call.get("id")),
        "customer_id": customer["id"],
        "status": "active",
        "created_at": site.now(),
        "has_scheduled_changes": False,
        "has_scheduled_advance_invoices": False,
        "channel": "web",
        "deleted": False,
        "due_invoices_count": 0,
        "mrr": 0,
        "exchange_rate": rate(site, customer["preferred_currency_code"]),
        "base_currency_code": site.settings.currency,
    }
    take(subscription, call, OWN)
    subscription["coupons"] = new_coupons(site, call.params)
    if call.get("shipping_address"):
        shipping = address(call.get("shipping_address"), "shipping_address")
        subscription["shipping_address"] = shipping
    return subscription


def _customer(call: Call) -> Object:
    return call.site.need("customer", call.id, param="customer_id")


def _of_items(call: Call) -> Object:
    subscription = _blank(call, _customer(call))
    sent = call.get("subscription_items")
    if not sent:
        raise blank("subscription_items[item_price_id][0]")
    set_items(call.site, subscription, new_items(call.site, sent))
    return subscription


def _of_plan(call: Call, customer: Object) -> Object:
    subscription = _blank(call, customer)
    set_plan(call.site, subscription, call.params)
    subscription["addons"] = new_addons(call.site, call.get("addons", []))
    return subscription


def _create_for_items(call: Call) -> Answered:
    return _begin(call, _of_items(call))


def _create_for_customer(call: Call) -> Answered:
    return _create_of_plan(call, _customer(call))


def _create_of_plan(call: Call, customer: Object) -> Answered:
    return _begin(call, _of_plan(call, customer))


def _create_with_customer(call: Call) -> Answered:
    sent: Params = dict(call.get("customer", {}))
    sent.setdefault("id", call.get("id"))
    for name in ("billing_address", "card"):
        if call.get(name):
            sent[name] = call.get(name)
    customer = call.site.get("customer", sent["id"]) if sent["id"] else None
    return _create_of_plan(call, customer or new_customer(call.site, sent))


def _begin(call: Call, subscription: Object) -> Answered:
    """Let it be future, in trial, or active with a first invoice."""
    site, now = call.site, call.site.now()
    start = call.get("start_date", now)
    if start < now - _LONGEST_AGO:
        raise wrong_value("start_date", "lies too far in the past")
    trial = call.get("trial_end")
    if trial is None:
        trial = _own_trial(site, subscription, start)
    cycles = call.get("billing_cycles")
    subscription["remaining_billing_cycles"] = cycles - 1 if cycles else None
    invoice = None
    if start > now:
        subscription |= {"status": "future", "start_date": start, "trial_end": trial or None}
        subscription["next_billing_at"] = start
    elif trial and trial > now:
        subscription |= {"status": "in_trial", "started_at": start, "trial_start": start}
        subscription |= {"trial_end": trial, "next_billing_at": trial}
    else:
        subscription["started_at"] = start
        invoice = terms.activate(site, subscription, start, must_pay=True)
    terms.show_amounts(site, subscription)
    site.save("subscription", subscription)
    terms.wait_for_start(site, subscription)
    show_dues(site, subscription["id"])
    return answered(site, subscription["id"], "subscription_created", invoice)


def _own_trial(site: Site, subscription: Object, start: int) -> int:
    for price, item in terms.priced_items(site, subscription):
        if item["item_type"] == "plan" and price.get("trial_period"):
            unit = price.get("trial_period_unit") or "day"
            return add_periods(start, price["trial_period"], unit, site.settings.zone)
    return 0


def answered(site: Site, id: str, event: str | None, invoice: Object | None = None) -> Answered:
    subscription = site.need("subscription", id)
    answer = shown(site, "subscription", subscription)
    if invoice is not None:
        answer["invoice"] = site.need("invoice", invoice["id"])
    if event:
        site.tell(event, **answer)
    return answer


def _import_for_items(call: Call) -> Answered:
    return _take_over(call, _of_items(call))


def _import_for_customer(call: Call) -> Answered:
    return _take_over(call, _of_plan(call, _customer(call)))


def _import_with_customer(call: Call) -> Answered:
    sent: Params = dict(call.get("customer", {}))
    customer = call.site.get("customer", sent.get("id")) or new_customer(call.site, sent)
    call.ids = [customer["id"]]
    return _import_for_customer(call)


def _take_over(call: Call, subscription: Object) -> Answered:
    """The state as it was elsewhere: nothing is charged unless it is asked for."""
    site, now, status = call.site, call.site.now(), call.params["status"]
    names = (
        "start_date trial_start trial_end started_at activated_at cancelled_at pause_date "
        "resume_date current_term_start current_term_end"
    )
    take(subscription, call, names)
    subscription |= {"status": status, "remaining_billing_cycles": call.get("billing_cycles")}
    if status in ("active", "non_renewing"):
        end = call.get("current_term_end")
        if end is None:
            raise blank("current_term_end")
        if end <= now:
            raise wrong_value("current_term_end", "must be in the future")
        start = call.get("current_term_start") or subscription.get("started_at") or now
        subscription["current_term_start"] = start
        subscription.setdefault("started_at", start)
        subscription.setdefault("activated_at", subscription["started_at"])
        watch_term(site, subscription, end)
    elif status == "in_trial":
        if call.get("trial_end") is None:
            raise blank("trial_end")
        subscription.setdefault("trial_start", subscription.get("started_at") or now)
        subscription["next_billing_at"] = subscription["trial_end"]
    elif status == "future":
        if call.get("start_date") is None:
            raise blank("start_date")
    elif status == "cancelled":
        subscription.setdefault("cancelled_at", now)
    terms.show_amounts(site, subscription)
    site.save("subscription", subscription)
    terms.wait_for_start(site, subscription)
    invoice = None
    if call.get("create_current_term_invoice") and status in ("active", "non_renewing"):
        invoice = terms.bill_term(site, subscription, first=True, must_pay=False)
        site.save("subscription", subscription)
        show_dues(site, subscription["id"])
    return answered(site, subscription["id"], "subscription_created", invoice)


def watch_term(site: Site, subscription: Object, end: int) -> None:
    subscription["current_term_end"] = end
    subscription.pop("next_billing_at", None)
    if subscription["status"] == "active":
        subscription["next_billing_at"] = end
    else:
        subscription["cancelled_at"] = end
    terms.watch(site, subscription["id"], end)


ROUTES = [
    post("customers/{}/subscription_for_items", _create_for_items,
         "subscription.create_with_items", 2),
    post("customers/{}/import_for_items", _import_for_items, "subscription.import_for_items", 2),
    post("subscriptions", _create_with_customer, "subscription.create", 1),
    post("customers/{}/subscriptions", _create_for_customer, "subscription.create_for_customer", 1),
    post("customers/{}/import_subscription", _import_for_customer,
         "subscription.import_for_customer", 1),
    post("subscriptions/import_subscription", _import_with_customer,
         "subscription.import_subscription", 1),
]  # fmt: skip
