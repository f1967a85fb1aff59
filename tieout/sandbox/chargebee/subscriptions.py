"""Subscriptions: created, imported, changed, paused, cancelled.

https://apidocs.chargebee.com/docs/api/subscriptions
"""

from __future__ import annotations

from . import terms
from .customers import address, new_customer
from .documents import show_dues
from .errors import blank, invalid_request, wrong_state, wrong_value
from .params import Params
from .payments import rate
from .periods import add_periods
from .routes import Answered, Call, Route, post, shown, take
from .shelf import Object
from .site import Site
from .swaps import charge_difference, credit_rest

_OWN = (
    "auto_collection po_number offline_payment_method meta_data invoice_notes net_term_days "
    "create_pending_invoices auto_close_invoices setup_fee cancel_reason_code free_period "
    "free_period_unit override_relationship payment_source_id business_entity_id "
    "contract_term_billing_cycle_on_renewal"
)
_ITEM = [
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
]
_SCHEDULED = (
    "subscription_items",
    "item_tiers",
    "plan_id",
    "plan_quantity",
    "plan_unit_price",
    "addons",
    "billing_period",
    "billing_period_unit",
    "currency_code",
    "coupons",
)
_LIVE = ("future", "in_trial", "active", "non_renewing", "paused")


# What it is made of


def _items(site: Site, sent: list[Object]) -> list[Object]:
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


def _set_items(site: Site, subscription: Object, items: list[Object]) -> None:
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


def _set_plan(site: Site, subscription: Object, sent: Params) -> None:
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


def _addons(site: Site, sent: list[Object]) -> list[Object] | None:
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


def _coupons(site: Site, sent: Params) -> list[Object] | None:
    ids = list(sent.get("coupon_ids") or [])
    ids += [sent["coupon"]] if sent.get("coupon") else []
    ids += [one["coupon_id"] for one in sent.get("coupons") or [] if one.get("coupon_id")]
    for at, id in enumerate(ids):
        site.need("coupon", id, param=f"coupon_ids[{at}]")
    return [{"coupon_id": id, "applied_count": 0, "object": "coupon"} for id in ids] or None


# Made


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
    take(subscription, call, _OWN)
    subscription["coupons"] = _coupons(site, call.params)
    if call.get("shipping_address"):
        shipping = address(call.get("shipping_address"), "shipping_address")
        subscription["shipping_address"] = shipping
    return subscription


def _customer(call: Call) -> Object:
    return call.site.need("customer", call.id, param="customer_id")


def _create_for_items(call: Call) -> Answered:
    customer = _customer(call)
    subscription = _blank(call, customer)
    sent = call.get("subscription_items")
    if not sent:
        raise blank("subscription_items[item_price_id][0]")
    _set_items(call.site, subscription, _items(call.site, sent))
    return _begin(call, subscription)


def _create_for_customer(call: Call) -> Answered:
    return _create_of_plan(call, _customer(call))


def _create_of_plan(call: Call, customer: Object) -> Answered:
    subscription = _blank(call, customer)
    _set_plan(call.site, subscription, call.params)
    subscription["addons"] = _addons(call.site, call.get("addons", []))
    return _begin(call, subscription)


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
    return _answer(site, subscription["id"], "subscription_created", invoice)


def _own_trial(site: Site, subscription: Object, start: int) -> int:
    for price, item in terms.priced_items(site, subscription):
        if item["item_type"] == "plan" and price.get("trial_period"):
            unit = price.get("trial_period_unit") or "day"
            return add_periods(start, price["trial_period"], unit, site.settings.zone)
    return 0


def _answer(site: Site, id: str, event: str | None, invoice: Object | None = None) -> Answered:
    subscription = site.need("subscription", id)
    answer = shown(site, "subscription", subscription)
    if invoice is not None:
        answer["invoice"] = site.need("invoice", invoice["id"])
    if event:
        site.tell(event, **answer)
    return answer


# Imported


def _import_for_items(call: Call) -> Answered:
    customer = _customer(call)
    subscription = _blank(call, customer)
    sent = call.get("subscription_items")
    if not sent:
        raise blank("subscription_items[item_price_id][0]")
    _set_items(call.site, subscription, _items(call.site, sent))
    return _take_over(call, subscription)


def _import_for_customer(call: Call) -> Answered:
    subscription = _blank(call, _customer(call))
    _set_plan(call.site, subscription, call.params)
    subscription["addons"] = _addons(call.site, call.get("addons", []))
    return _take_over(call, subscription)


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
        _watch_term(site, subscription, end)
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
    return _answer(site, subscription["id"], "subscription_created", invoice)


def _watch_term(site: Site, subscription: Object, end: int) -> None:
    subscription["current_term_end"] = end
    subscription.pop("next_billing_at", None)
    if subscription["status"] == "active":
        subscription["next_billing_at"] = end
    else:
        subscription["cancelled_at"] = end
    terms.watch(site, subscription["id"], end)


# Changed


def _live(call: Call) -> Object:
    subscription = call.site.need("subscription", call.id)
    if subscription["status"] not in _LIVE:
        raise wrong_state(f"Subscription {call.id} is {subscription['status']}.")
    return subscription


def _update(call: Call) -> Answered:
    """Items or plan at once, or at the end of the term."""
    site = call.site
    subscription = _live(call)
    before = {**subscription}
    changed: Object = {**subscription}
    _apply_changes(call, changed)
    at_end = call.get("end_of_term") or call.get("change_option") == "end_of_term"
    if at_end and subscription["status"] == "active":
        return _schedule(site, subscription, changed)
    take(changed, call, _OWN)
    if call.get("billing_cycles") is not None:
        changed["remaining_billing_cycles"] = call.get("billing_cycles") - 1
    if call.get("trial_end") is not None and changed["status"] in ("future", "in_trial"):
        changed |= {"trial_end": call.get("trial_end"), "next_billing_at": call.get("trial_end")}
    invoice = None
    if subscription["status"] in ("active", "non_renewing"):
        invoice = charge_difference(
            site, before, changed,
            prorate=call.get("prorate", True),
            reset=bool(call.get("force_term_reset")),
            at_once=call.get("invoice_immediately", True),
        )  # fmt: skip
    terms.show_amounts(site, changed)
    site.save("subscription", changed)
    terms.wait_for_start(site, changed)
    show_dues(site, call.id)
    return _answer(site, call.id, "subscription_changed", invoice)


def _apply_changes(call: Call, changed: Object) -> None:
    site = call.site
    if call.get("subscription_items"):
        items = _items(site, call.get("subscription_items"))
        if not call.get("replace_items_list"):
            items = _merged(site, changed.get("subscription_items") or [], items)
        _set_items(site, changed, items)
    if call.get("plan_id") or call.get("plan_quantity") or call.get("plan_unit_price"):
        same = call.get("plan_id", changed["plan_id"]) == changed["plan_id"]
        sent = {
            "plan_id": call.get("plan_id", changed["plan_id"]),
            "plan_quantity": call.get("plan_quantity", changed["plan_quantity"]),
            "plan_unit_price": call.get(
                "plan_unit_price", changed.get("plan_unit_price") if same else None
            ),
        }
        _set_plan(site, changed, sent)
    if "addons" in call.params:
        changed["addons"] = _addons(site, call.get("addons", []))
    coupons = _coupons(site, call.params)
    if coupons:
        kept = [] if call.get("replace_coupon_list") else changed.get("coupons") or []
        changed["coupons"] = [*kept, *coupons]


def _merged(site: Site, before: list[Object], sent: list[Object]) -> list[Object]:
    """Items that were sent replace those of the same price; a new plan replaces the old one."""
    ids = {one["item_price_id"] for one in sent}
    new_plan = any(one["item_type"] == "plan" for one in sent)
    kept = [
        one
        for one in before
        if one["item_price_id"] not in ids and not (new_plan and one["item_type"] == "plan")
    ]
    return [*kept, *sent]


def _schedule(site: Site, subscription: Object, changed: Object) -> Answered:
    site.scheduled[subscription["id"]] = {
        name: changed[name] for name in _SCHEDULED if changed.get(name) is not None
    }
    subscription["has_scheduled_changes"] = True
    site.save("subscription", subscription)
    return _answer(site, subscription["id"], "subscription_changes_scheduled")


def _with_changes(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    changes = site.scheduled.get(call.id)
    if changes is None:
        raise invalid_request(f"Subscription {call.id} has no scheduled changes.")
    preview = {**subscription, **changes}
    terms.show_amounts(site, preview)
    return shown(site, "subscription", preview)


def _drop_changes(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    if site.scheduled.pop(call.id, None) is None:
        raise wrong_state(f"Subscription {call.id} has no scheduled changes.")
    subscription["has_scheduled_changes"] = False
    site.save("subscription", subscription)
    return _answer(site, call.id, "subscription_scheduled_changes_removed")


# Ended


def _cancel(call: Call) -> Answered:
    site = call.site
    subscription = _live(call)
    option = call.get("cancel_option")
    take(subscription, call, "cancel_reason_code")
    at_end = call.get("end_of_term") or option in ("end_of_term", "end_of_billing_term")
    when = call.get("cancel_at")
    if at_end and subscription["status"] in ("active", "in_trial"):
        when = subscription.get("current_term_end") or subscription.get("trial_end")
    if when is not None and when > site.now():
        return _cancel_later(site, subscription, when)
    active = subscription["status"] in ("active", "non_renewing")
    notes = []
    credit = call.get("credit_option_for_current_term_charges", "none")
    if active and credit in ("prorate", "full"):
        notes = credit_rest(site, subscription, full=credit == "full")
    terms.end_now(site, subscription, at=site.now())
    show_dues(site, call.id)
    answer = _answer(site, call.id, None)
    if notes and isinstance(answer, dict):
        answer["credit_notes"] = notes
    return answer


def _cancel_later(site: Site, subscription: Object, when: int) -> Answered:
    subscription |= {
        "status": "non_renewing" if subscription["status"] == "active" else subscription["status"],
        "cancelled_at": when,
        "cancel_schedule_created_at": site.now(),
    }
    subscription.pop("next_billing_at", None)
    subscription.pop("remaining_billing_cycles", None)
    site.save("subscription", subscription)
    terms.cancel_at(site, subscription["id"], when)
    return _answer(site, subscription["id"], "subscription_cancellation_scheduled")


def _stay(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    if subscription["status"] != "non_renewing":
        raise wrong_state(f"Subscription {call.id} is {subscription['status']}.")
    subscription |= {"status": "active", "next_billing_at": subscription["current_term_end"]}
    for name in ("cancelled_at", "cancel_schedule_created_at", "cancel_reason_code"):
        subscription.pop(name, None)
    terms.show_amounts(site, subscription)
    site.save("subscription", subscription)
    return _answer(site, call.id, "subscription_scheduled_cancellation_removed")


def _reactivate(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    if subscription["status"] != "cancelled":
        raise wrong_state(f"Subscription {call.id} is {subscription['status']}.")
    for name in ("cancelled_at", "cancel_reason", "cancel_reason_code"):
        subscription.pop(name, None)
    first = subscription.get("activated_at")
    invoice = terms.activate(site, subscription, site.now(), must_pay=True)
    subscription["activated_at"] = first or subscription["activated_at"]
    site.save("subscription", subscription)
    show_dues(site, call.id)
    return _answer(site, call.id, "subscription_reactivated", invoice)


def _pause(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    if subscription["status"] != "active":
        raise wrong_state(f"Subscription {call.id} is {subscription['status']}.")
    when = call.get("pause_date") or site.now()
    if call.get("pause_option") == "end_of_term":
        when = subscription["current_term_end"]
    subscription |= {"pause_date": when, "resume_date": call.get("resume_date")}
    if when <= site.now():
        subscription |= {"status": "paused", "mrr": 0}
        subscription.pop("next_billing_at", None)
    site.save("subscription", subscription)
    if when > site.now():
        return _answer(site, call.id, "subscription_pause_scheduled")
    return _answer(site, call.id, "subscription_paused")


def _resume(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    if subscription["status"] != "paused":
        raise wrong_state(f"Subscription {call.id} is {subscription['status']}.")
    for name in ("pause_date", "resume_date"):
        subscription.pop(name, None)
    subscription["status"] = "active"
    invoice = None
    if subscription["current_term_end"] <= site.now():
        terms.begin_term(site, subscription, site.now())
        invoice = terms.bill_term(site, subscription, first=False, must_pay=False)
    else:
        subscription["next_billing_at"] = subscription["current_term_end"]
    terms.show_amounts(site, subscription)
    site.save("subscription", subscription)
    show_dues(site, call.id)
    return _answer(site, call.id, "subscription_resumed", invoice)


def _change_term_end(call: Call) -> Answered:
    site = call.site
    subscription = _live(call)
    end = call.params["term_ends_at"]
    if subscription["status"] == "in_trial":
        subscription |= {"trial_end": end, "next_billing_at": end}
        site.save("subscription", subscription)
        terms.wait_for_start(site, subscription)
    else:
        _watch_term(site, subscription, end)
        site.save("subscription", subscription)
    return _answer(site, call.id, "subscription_changed")


def _delete(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    subscription["deleted"] = True
    site.save("subscription", subscription)
    answer = shown(site, "subscription", subscription)
    site.tell("subscription_deleted", **answer)
    return answer


ROUTES = [
    post("customers/{}/subscription_for_items", _create_for_items,
         "subscription.create_with_items", 2),
    post("customers/{}/import_for_items", _import_for_items, "subscription.import_for_items", 2),
    post("subscriptions/{}/update_for_items", _update, "subscription.update_for_items", 2),
    post("subscriptions/{}/cancel_for_items", _cancel, "subscription.cancel_for_items", 2),
    post("subscriptions", _create_with_customer, "subscription.create", 1),
    post("customers/{}/subscriptions", _create_for_customer, "subscription.create_for_customer", 1),
    post("customers/{}/import_subscription", _import_for_customer,
         "subscription.import_for_customer", 1),
    post("subscriptions/import_subscription", _import_with_customer,
         "subscription.import_subscription", 1),
    post("subscriptions/{}", _update, "subscription.update", 1),
    post("subscriptions/{}/cancel", _cancel, "subscription.cancel", 1),
    post("subscriptions/{}/pause", _pause, "subscription.pause"),
    post("subscriptions/{}/resume", _resume, "subscription.resume"),
    post("subscriptions/{}/reactivate", _reactivate, "subscription.reactivate"),
    post("subscriptions/{}/change_term_end", _change_term_end, "subscription.change_term_end"),
    post("subscriptions/{}/remove_scheduled_cancellation", _stay,
         "subscription.remove_scheduled_cancellation"),
    post("subscriptions/{}/remove_scheduled_changes", _drop_changes),
    post("subscriptions/{}/delete", _delete),
    Route("GET", "subscriptions/{}/retrieve_with_scheduled_changes", _with_changes),
]  # fmt: skip
