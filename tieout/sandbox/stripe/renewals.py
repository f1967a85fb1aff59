"""How subscriptions are billed: first invoice, renewals as the clock moves, prorations, the end.

https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from __future__ import annotations

from decimal import Decimal

from . import invoices
from .account import Account, Object
from .billing import advance, finalize_later
from .errors import ApiError, bad_request
from .invoice_items import bring_in_pending
from .money import rounded
from .periods import period
from .totals import add_up, line

_DAY = 86_400
ENDED = ("canceled", "incomplete_expired")
_RETRY_DAYS = (3, 5, 7)
_INCOMPLETE_FOR = 23 * 3600


def period_of(account: Account, parent: Object, price: Object) -> tuple[int, int]:
    now, anchor = account.now(), int(parent["billing_cycle_anchor"])
    if anchor > now:
        return max(int(parent["start_date"]), int(parent["trial_start"] or 0)), anchor
    recurring = price["recurring"]
    return period(anchor, recurring["interval"], recurring["interval_count"], now)


def items_of(account: Account, id: str) -> list[Object]:
    return account.in_order("subscription_item", subscription=id)


def bill(account: Account, item: Object, reason: str, *, charge_items: list[Object]) -> Object:
    customer = account.need("customer", item["customer"])
    invoice = invoices.new(
        account, customer, item["currency"], billing_reason=reason, auto_advance=True,
        collection_method=item["collection_method"], discounts=item["discounts"],
        default_tax_rates=item["default_tax_rates"], description=item["description"],
        due_date=invoices.due_date(account, item["days_until_due"], None),
        parent={"quote_details": None, "subscription_details": {
            "metadata": item["metadata"], "subscription": item["id"]},
            "type": "subscription_details"},
    )  # fmt: skip
    account.save("invoice", invoice)
    for one in charge_items:
        _bill(account, item, one, invoice)
    bring_in_pending(account, invoice, item["id"])
    add_up(account, invoice)
    account.save("invoice", invoice)
    account.emit_about("invoice.created", invoice)
    item["latest_invoice"] = invoice["id"]
    account.save("subscription", item)
    return invoice


def _bill(account: Account, parent: Object, one: Object, invoice: Object) -> None:
    price = one["price"]
    quantity = int(one.get("quantity") or 0)
    amount = price_for(account, price, quantity)
    product = account.find("product", str(price["product"])) or {}
    made = line(
        account, invoice["id"], amount, invoice["currency"],
        description=f"{quantity} × {product.get('name', price['id'])}",
        period={"end": one["current_period_end"], "start": one["current_period_start"]},
        quantity=quantity, quantity_decimal=str(quantity),
        subscription=parent["id"],
        pricing={"price_details": {"price": price["id"], "product": price["product"]},
                 "type": "price_details", "unit_amount_decimal": price["unit_amount_decimal"]},
        parent={"invoice_item_details": None, "subscription_item_details": {
            "invoice_item": None, "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": parent["id"], "subscription_item": one["id"]},
            "type": "subscription_item_details"},
    )  # fmt: skip
    rates = [rate["id"] for rate in one["tax_rates"]]
    account.save("line_item", made, hidden={"tax_rates": rates})
    one["billed_until"] = one["current_period_end"]
    account.save("subscription_item", one)


def price_for(account: Account, price: Object, quantity: int) -> int:
    """What this many units cost: per unit, or by tiers."""
    transform = price.get("transform_quantity")
    if transform:
        whole, rest = divmod(quantity, transform["divide_by"])
        quantity = whole + (1 if rest and transform["round"] == "up" else 0)
    if price["billing_scheme"] != "tiered":
        return rounded(Decimal(price["unit_amount_decimal"] or 0) * quantity)
    row = account.shelf("price").get(price["id"])
    tiers = (row.hidden.get("tiers") if row else None) or []
    return rounded(_tiered(tiers, price["tiers_mode"], quantity))


def _tiered(tiers: list[Object], mode: str, quantity: int) -> Decimal:
    total, below = Decimal(0), 0
    for tier in tiers:
        top = tier["up_to"]
        here = quantity if top is None else min(quantity, top)
        last = top is None or quantity <= top
        units = here - below if mode == "graduated" else quantity
        if mode == "graduated" or last:
            total += Decimal(tier["unit_amount_decimal"] or 0) * units
            total += Decimal(tier["flat_amount_decimal"] or 0)
        if last:
            break
        below = top
    return total


def bill_first(account: Account, item: Object, behavior: str) -> None:
    licensed = [one for one in items_of(account, item["id"]) if one.get("quantity") is not None]
    invoice = bill(account, item, "subscription_create", charge_items=licensed)
    if item["collection_method"] == "send_invoice":
        finalize_later(account, invoice)
        return
    if behavior == "default_incomplete" and invoice["total"] > 0:
        invoices.finalize(account, invoice)
    else:
        invoice = advance(account, invoice)
    if account.need("invoice", invoice["id"])["status"] == "paid":
        return
    if behavior == "error_if_incomplete":
        raise bad_request("The first payment failed, so no subscription was made.")
    item = account.need("subscription", item["id"])
    item["status"] = "incomplete"
    account.save("subscription", item)
    account.later(account.now() + _INCOMPLETE_FOR, lambda: _expire(account, item["id"]))


def _expire(account: Account, id: str) -> None:
    item = account.find("subscription", id)
    if item is not None and item["status"] == "incomplete":
        item |= {"status": "incomplete_expired", "ended_at": account.now()}
        account.save("subscription", item, "customer.subscription.updated")


def invoice_paid(account: Account, invoice: Object) -> None:
    """A paid invoice makes an incomplete or past-due subscription active."""
    item = account.find("subscription", invoices.subscription_of(invoice) or "")
    if item is not None and item["status"] in ("incomplete", "past_due", "unpaid"):
        item["status"] = "active"
        account.save("subscription", item, "customer.subscription.updated")


def plan_renewal(account: Account, item: Object) -> None:
    ends = [one["current_period_end"] for one in items_of(account, item["id"])]
    if ends and item["status"] not in ENDED:
        account.later(min(ends), lambda: _renew(account, item["id"]))


def _renew(account: Account, id: str) -> None:
    item = account.find("subscription", id)
    if item is None or item["status"] in (*ENDED, "paused"):
        return
    due = [one for one in items_of(account, id) if one["current_period_end"] <= account.now()]
    if not due:
        return
    if item["cancel_at_period_end"] or (item["cancel_at"] or 2**62) <= account.now():
        end(account, item, reason="cancellation_requested")
        return
    for one in due:
        one["current_period_start"], one["current_period_end"] = period_of(
            account, item, one["price"]
        )
        account.save("subscription_item", one)
    if item["status"] == "trialing":
        item["status"] = "active"
    licensed = [one for one in due if one.get("quantity") is not None]
    account.save("subscription", item, "customer.subscription.updated")
    if item["pause_collection"] is None:
        invoice = bill(account, item, "subscription_cycle", charge_items=licensed)
        finalize_later(account, invoice)
        account.later(account.now() + 3601, lambda: _after_attempt(account, id, invoice["id"], 0))
    plan_renewal(account, account.need("subscription", id))


def _after_attempt(account: Account, id: str, invoice_id: str, attempt: int) -> None:
    item, invoice = account.find("subscription", id), account.find("invoice", invoice_id)
    if item is None or invoice is None or item["status"] in ENDED:
        return
    if invoice["status"] != "open" or invoice["collection_method"] != "charge_automatically":
        return
    if attempt:
        advance_open(account, invoice)
        if account.need("invoice", invoice_id)["status"] == "paid":
            return
    item = account.need("subscription", id)
    if attempt >= len(_RETRY_DAYS):
        end(account, item, reason="payment_failed")
        return
    if item["status"] == "active":
        item["status"] = "past_due"
        account.save("subscription", item, "customer.subscription.updated")
    account.later(account.now() + _RETRY_DAYS[attempt] * _DAY,
                  lambda: _after_attempt(account, id, invoice_id, attempt + 1))  # fmt: skip


def advance_open(account: Account, invoice: Object) -> None:
    """Try to collect an open invoice once more; a decline is left as it is."""
    try:
        invoices.pay(account, invoice)
    except ApiError:
        return


def prorate(
    account: Account, parent: Object, old: Object | None, new: Object | None, behavior: str
) -> None:
    """Pending items: back for the time not used, and the price of the time that is left."""
    if behavior == "none" or parent["status"] == "trialing":
        return
    for one, sign, word in ((old, -1, "Unused"), (new, 1, "Remaining")):
        if one is None or one.get("quantity") is None:
            continue
        whole = one["current_period_end"] - one["current_period_start"]
        left = max(one["current_period_end"] - account.now(), 0)
        cost = price_for(account, one["price"], int(one["quantity"]))
        amount = sign * rounded(Decimal(cost) * left / whole) if whole else 0
        if amount:
            _pend(account, parent, one, amount, f"{word} time on {one['price']['id']}")


def _pend(account: Account, parent: Object, one: Object, amount: int, description: str) -> None:
    now, price = account.now(), one["price"]
    item: Object = {
        "id": account.new_id("invoiceitem"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": parent["currency"],
        "customer": parent["customer"],
        "customer_account": None,
        "date": now,
        "description": description,
        "discountable": False,
        "discounts": [],
        "frozen_fields": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": {"subscription_details": {"subscription": parent["id"],
                                            "subscription_item": one["id"]},
                   "type": "subscription_details"},
        "period": {"end": max(one["current_period_end"], now), "start": now},
        "pricing": {"price_details": {"price": price["id"], "product": price["product"]},
                    "type": "price_details",
                    "unit_amount_decimal": price["unit_amount_decimal"]},
        "proration": True,
        "proration_details": {"discount_amounts": [], "credited_items": None},
        "quantity": one["quantity"],
        "quantity_decimal": str(one["quantity"]),
        "tax_rates": [],
        "test_clock": None,
    }  # fmt: skip
    rates = [rate["id"] for rate in one["tax_rates"]]
    account.save("invoiceitem", item, "invoiceitem.created", hidden={"tax_rates": rates})


def end(account: Account, item: Object, *, reason: str | None = "cancellation_requested") -> Object:
    """Cancel now. https://docs.stripe.com/api/subscriptions/cancel"""
    now = account.now()
    item |= {"status": "canceled", "ended_at": now, "canceled_at": item["canceled_at"] or now}
    item["cancellation_details"] = {**(item.get("cancellation_details") or {}), "reason": reason}
    account.save("subscription", item)
    account.emit_about("customer.subscription.deleted", item)
    return item
