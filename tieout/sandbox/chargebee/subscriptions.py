"""Subscriptions: created, imported, changed, paused, cancelled.

https://apidocs.chargebee.com/docs/api/subscriptions
"""

from __future__ import annotations

from . import terms
from .documents import show_dues
from .errors import invalid_request, wrong_state
from .routes import Answered, Call, Route, post, shown, take
from .shelf import Object
from .site import Site
from .subscribing import (
    OWN,
    answered,
    new_addons,
    new_coupons,
    new_items,
    set_items,
    set_plan,
    watch_term,
)
from .swaps import charge_difference, credit_rest

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


# Made


# Imported


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
    take(changed, call, OWN)
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
    return answered(site, call.id, "subscription_changed", invoice)


def _apply_changes(call: Call, changed: Object) -> None:
    site = call.site
    if call.get("subscription_items"):
        items = new_items(site, call.get("subscription_items"))
        if not call.get("replace_items_list"):
            items = _merged(site, changed.get("subscription_items") or [], items)
        set_items(site, changed, items)
    if call.get("plan_id") or call.get("plan_quantity") or call.get("plan_unit_price"):
        same = call.get("plan_id", changed["plan_id"]) == changed["plan_id"]
        sent = {
            "plan_id": call.get("plan_id", changed["plan_id"]),
            "plan_quantity": call.get("plan_quantity", changed["plan_quantity"]),
            "plan_unit_price": call.get(
                "plan_unit_price", changed.get("plan_unit_price") if same else None
            ),
        }
        set_plan(site, changed, sent)
    if "addons" in call.params:
        changed["addons"] = new_addons(site, call.get("addons", []))
    coupons = new_coupons(site, call.params)
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
    return answered(site, subscription["id"], "subscription_changes_scheduled")


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
    return answered(site, call.id, "subscription_scheduled_changes_removed")


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
    answer = answered(site, call.id, None)
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
    return answered(site, subscription["id"], "subscription_cancellation_scheduled")


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
    return answered(site, call.id, "subscription_scheduled_cancellation_removed")


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
    return answered(site, call.id, "subscription_reactivated", invoice)


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
        return answered(site, call.id, "subscription_pause_scheduled")
    return answered(site, call.id, "subscription_paused")


def _resume(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    if subscription["status"] != "paused":
        raise wrong_state(f"Subscription {call.id} is {subscription['status']}.")
    for name in ("pause_date", "resume_date"):
        subscription.pop(name, None)
    subscription["status"] = "active"
    invoice = None
    if subscription.get("current_term_end", 0) <= site.now():
        terms.begin_term(site, subscription, site.now())
        invoice = terms.bill_term(site, subscription, first=False, must_pay=False)
    else:
        subscription["next_billing_at"] = subscription["current_term_end"]
    terms.show_amounts(site, subscription)
    site.save("subscription", subscription)
    show_dues(site, call.id)
    return answered(site, call.id, "subscription_resumed", invoice)


def _change_term_end(call: Call) -> Answered:
    site = call.site
    subscription = _live(call)
    end = call.params["term_ends_at"]
    if subscription["status"] == "in_trial":
        subscription |= {"trial_end": end, "next_billing_at": end}
        site.save("subscription", subscription)
        terms.wait_for_start(site, subscription)
    else:
        watch_term(site, subscription, end)
        site.save("subscription", subscription)
    return answered(site, call.id, "subscription_changed")


def _delete(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    subscription["deleted"] = True
    site.save("subscription", subscription)
    answer = shown(site, "subscription", subscription)
    site.tell("subscription_deleted", **answer)
    return answer


ROUTES = [
    post("subscriptions/{}/update_for_items", _update, "subscription.update_for_items", 2),
    post("subscriptions/{}/cancel_for_items", _cancel, "subscription.cancel_for_items", 2),
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
