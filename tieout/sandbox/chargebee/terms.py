"""A subscription's items, terms and recurring revenue, and what happens when a term ends.

https://apidocs.chargebee.com/docs/api/subscriptions
"""

from __future__ import annotations

from decimal import Decimal

from .documents import line, show_dues
from .invoices import coupon_discount, item_line
from .periods import add_periods
from .pricing import cost, monthly
from .raising import Raise, raise_invoice
from .routes import shown
from .shelf import Object
from .site import Site

Priced = tuple[Object, Object]  # an item price, plan or addon; the subscription's item


def priced_items(site: Site, subscription: Object) -> list[Priced]:
    """What a subscription is made of, with its prices; prices that are gone are left out."""
    if "plan_id" in subscription:
        return _of_plan(site, subscription)
    found = []
    for item in subscription.get("subscription_items") or []:
        price = site.get("item_price", item["item_price_id"])
        if price is not None:
            found.append((price, item))
    return found


def _of_plan(site: Site, subscription: Object) -> list[Priced]:
    found: list[Priced] = []
    plan = site.get("plan", subscription["plan_id"])
    if plan is not None:
        item = {
            "quantity": subscription.get("plan_quantity") or 1,
            "unit_price": subscription.get("plan_unit_price"),
            "item_type": "plan",
        }
        found.append((plan, item))
    for addon in subscription.get("addons") or []:
        price = site.get("addon", addon["id"])
        if price is not None:
            recurs = price.get("charge_type") != "non_recurring"
            found.append((price, {**addon, "item_type": "addon" if recurs else "charge"}))
    return found


def amount_of(price: Object, item: Object) -> int:
    """What an item costs for one of its own periods."""
    model = price.get("pricing_model") or price.get("charge_model")
    tiered = bool(price.get("tiers")) and model in ("tiered", "volume", "stairstep")
    unit = None if tiered else item.get("unit_price")
    return cost(price, int(item.get("quantity") or 1), unit).amount


def _per_term(price: Object, item: Object, subscription: Object) -> int:
    """What an item costs for one billing period of its subscription."""
    amount = amount_of(price, item)
    if price.get("period") and item.get("item_type") == "addon":
        every = monthly(amount, price["period"], price["period_unit"])
        unit, count = subscription["billing_period_unit"], subscription["billing_period"]
        same = (price["period"], price["period_unit"]) == (count, unit)
        if not same and unit in ("month", "year"):
            return every * int(count) * (12 if unit == "year" else 1)
    return amount


def show_amounts(site: Site, subscription: Object) -> None:
    """Set the items' amounts and the subscription's monthly recurring revenue."""
    mrr = 0
    earns = subscription["status"] in ("active", "non_renewing")
    for price, item in priced_items(site, subscription):
        amount = amount_of(price, item)
        if item.get("item_type") == "plan" and "plan_id" in subscription:
            subscription["plan_amount"] = amount
        elif "plan_id" not in subscription:
            item["amount"] = amount
        if item.get("item_type") != "charge" and not _is_metered(site, price):
            period = price.get("period") or subscription.get("billing_period") or 1
            unit = price.get("period_unit") or subscription.get("billing_period_unit") or "month"
            mrr += monthly(amount, period, unit)
    subscription["mrr"] = mrr if earns else 0


def _is_metered(site: Site, price: Object) -> bool:
    row = site.shelf("item").get(str(price.get("item_id")))
    return row is not None and row.fields.get("metered") is True


def term_end(site: Site, subscription: Object, start: int) -> int:
    """When a term that begins then ends."""
    count, unit = subscription["billing_period"], subscription["billing_period_unit"]
    return add_periods(start, count, unit, site.settings.zone)


def begin_term(site: Site, subscription: Object, start: int) -> None:
    """Set the term that begins at `start`, and what comes after it."""
    end = term_end(site, subscription, start)
    subscription |= {"current_term_start": start, "current_term_end": end}
    subscription["next_billing_at"] = end
    watch(site, subscription["id"], end)


def watch(site: Site, id: str, end: int) -> None:
    """Let the term that ends then be followed by the next, or by the end."""
    site.later(end, lambda: _end_of_term(site, id, end))


def cancel_at(site: Site, id: str, when: int) -> None:
    """Cancel then, unless the cancellation was taken back."""

    def act() -> None:
        subscription = site.get("subscription", id)
        if subscription is None or subscription["status"] == "cancelled":
            return
        if subscription.get("cancelled_at") == when:
            end_now(site, subscription, at=when)

    site.later(when, act)


def bill_term(site: Site, subscription: Object, *, first: bool, must_pay: bool) -> Object | None:
    """Invoice the term that has begun; None where there is nothing to charge."""
    dates = (subscription["current_term_start"], subscription["current_term_end"])
    lines = []
    for price, item in priced_items(site, subscription):
        if _is_metered(site, price) or (item.get("item_type") == "charge" and not first):
            continue
        amount = _per_term(price, item, subscription)
        made = item_line(
            site,
            price,
            int(item.get("quantity") or 1),
            unit_price=None if price.get("tiers") else item.get("unit_price"),
            dates=dates,
            customer_id=subscription["customer_id"],
            subscription_id=subscription["id"],
        )
        if amount != made["amount"]:
            made |= {"amount": amount, "unit_amount": amount // max(made["quantity"], 1)}
        lines.append(made)
    if not first:
        lines += _usage_lines(site, subscription)
    if first and subscription.get("setup_fee"):
        lines.append(_setup_line(site, subscription))
    if not lines or not any(one["amount"] for one in lines):
        return None
    return bill(site, subscription, lines, recurring=True, first=first, must_pay=must_pay)


def _setup_line(site: Site, subscription: Object) -> Object:
    return line(
        site,
        subscription["setup_fee"],
        "Setup Fee",
        entity_type="plan_setup",
        customer_id=subscription["customer_id"],
        subscription_id=subscription["id"],
    )


def bill(
    site: Site,
    subscription: Object,
    lines: list[Object],
    *,
    recurring: bool,
    first: bool = False,
    must_pay: bool = False,
) -> Object:
    """An invoice of the subscription with these lines."""
    total = sum(one["amount"] for one in lines)
    discounts = []
    for used in subscription.get("coupons") or []:
        coupon = site.get("coupon", used["coupon_id"])
        if coupon is not None and (coupon.get("duration_type") != "one_time" or first):
            discounts.append(coupon_discount(coupon, total))
            used["applied_count"] = int(used.get("applied_count") or 0) + 1
    return raise_invoice(
        site,
        Raise(
            site.need("customer", subscription["customer_id"]),
            lines,
            subscription["currency_code"],
            subscription,
            recurring=recurring,
            first=first,
            must_pay=must_pay,
            pending=bool(subscription.get("create_pending_invoices")),
            date=lines[0]["date_from"] if recurring and not first else None,
            net_term_days=subscription.get("net_term_days"),
            auto_collection=subscription.get("auto_collection"),
            discounts=[one for one in discounts if one["amount"]],
            more={"po_number": subscription.get("po_number")},
        ),
    )


def _usage_lines(site: Site, subscription: Object) -> list[Object]:
    """What was used in the term that ended, a line for each metered price."""
    end = subscription["current_term_start"]
    found = []
    for price, item in priced_items(site, subscription):
        if not _is_metered(site, price):
            continue
        since = item.get("last_usage_end") or subscription.get("activated_at") or 0
        used = 0
        for row in site.shelf("usage").find("subscription_id", subscription["id"]):
            fields = row.fields
            if fields["item_price_id"] == price["id"] and since <= fields["usage_date"] < end:
                used += int(Decimal(site.need("usage", row.id)["quantity"]))
        if used:
            made = item_line(
                site, price, used, dates=(since, end),
                customer_id=subscription["customer_id"], subscription_id=subscription["id"],
            )  # fmt: skip
            found.append({**made, "metered": True})
    return found


# What happens when time passes


def _end_of_term(site: Site, id: str, end: int) -> None:
    subscription = site.get("subscription", id)
    if subscription is None or subscription.get("deleted"):
        return
    if subscription.get("current_term_end") != end:
        return
    if subscription["status"] == "non_renewing":
        end_now(site, subscription, at=end)
    elif subscription["status"] == "active":
        renew(site, subscription)


def renew(site: Site, subscription: Object) -> None:
    """The next term begins: scheduled changes apply, an invoice is raised."""
    left = subscription.get("remaining_billing_cycles")
    if left is not None:
        if left <= 0:
            end_now(site, subscription, at=subscription["current_term_end"])
            return
        subscription["remaining_billing_cycles"] = left - 1
    changes = site.scheduled.pop(subscription["id"], None)
    if changes is not None:
        subscription |= changes
        subscription["has_scheduled_changes"] = False
    begin_term(site, subscription, subscription["current_term_end"])
    show_amounts(site, subscription)
    site.save("subscription", subscription)
    invoice = bill_term(site, subscription, first=False, must_pay=False)
    kept = site.need("subscription", subscription["id"])
    site.tell("subscription_renewed", **shown(site, "subscription", kept), invoice=invoice)


def end_now(site: Site, subscription: Object, *, at: int, reason: str | None = None) -> None:
    """The subscription is cancelled."""
    subscription |= {
        "status": "cancelled",
        "cancelled_at": at,
        "current_term_end": min(subscription.get("current_term_end") or at, at),
        "mrr": 0,
        "has_scheduled_changes": False,
    }
    subscription.pop("next_billing_at", None)
    if reason:
        subscription["cancel_reason"] = reason
    site.scheduled.pop(subscription["id"], None)
    site.save("subscription", subscription)
    site.tell("subscription_cancelled", **shown(site, "subscription", subscription))


def activate(site: Site, subscription: Object, at: int, *, must_pay: bool) -> Object | None:
    """The first paid term begins. The invoice, where one was raised."""
    subscription |= {"status": "active", "activated_at": at}
    begin_term(site, subscription, at)
    show_amounts(site, subscription)
    return bill_term(site, subscription, first=True, must_pay=must_pay)


def wait_for_start(site: Site, subscription: Object) -> None:
    """Let a future or trial subscription go on when its time comes."""
    id = subscription["id"]
    if subscription["status"] == "future":
        site.later(subscription["start_date"], lambda: _start(site, id))
    elif subscription["status"] == "in_trial":
        site.later(subscription["trial_end"], lambda: _trial_over(site, id))


def _start(site: Site, id: str) -> None:
    subscription = site.get("subscription", id)
    if subscription is None or subscription["status"] != "future":
        return
    start = subscription["start_date"]
    subscription["started_at"] = start
    if (subscription.get("trial_end") or 0) > start:
        subscription |= {"status": "in_trial", "trial_start": start}
        subscription["next_billing_at"] = subscription["trial_end"]
        site.save("subscription", subscription)
        wait_for_start(site, subscription)
        site.tell("subscription_started", **shown(site, "subscription", subscription))
        return
    _go_live(site, subscription, start)


def _trial_over(site: Site, id: str) -> None:
    subscription = site.get("subscription", id)
    if subscription is None or subscription["status"] != "in_trial":
        return
    if (subscription.get("trial_end") or 0) > site.now():
        wait_for_start(site, subscription)
        return
    customer = site.need("customer", subscription["customer_id"])
    collects = subscription.get("auto_collection") or customer.get("auto_collection")
    if collects == "on" and not customer.get("primary_payment_source_id"):
        end_now(site, subscription, at=subscription["trial_end"], reason="no_card")
        return
    _go_live(site, subscription, subscription["trial_end"])


def _go_live(site: Site, subscription: Object, at: int) -> None:
    site.save("subscription", subscription)
    invoice = activate(site, subscription, at, must_pay=False)
    site.save("subscription", subscription)
    if invoice is not None:
        show_dues(site, subscription["id"])
    kept = site.need("subscription", subscription["id"])
    site.tell("subscription_activated", **shown(site, "subscription", kept), invoice=invoice)
