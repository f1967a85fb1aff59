"""Promotional credits, unbilled charges and usage.

https://apidocs.chargebee.com/docs/api/promotional_credits
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from .customers import add_to_balance
from .documents import line
from .errors import blank, invalid_request, wrong_state, wrong_value
from .invoices import item_line
from .pricing import minor
from .raising import Raise, balance, raise_invoice
from .routes import Action, Answered, Call, Route, listed, post
from .shelf import Object
from .site import Site
from .swaps import from_lines

# Promotional credits


def _promote(way: str, *, of_customer: bool) -> Action:
    def act(call: Call) -> Answered:
        site = call.site
        id = call.id if of_customer else call.params["customer_id"]
        customer = site.need("customer", id, param=None if of_customer else "customer_id")
        currency = call.get("currency_code") or customer["preferred_currency_code"]
        amount = _amount(call, currency)
        have = balance(customer, currency, "promotional_credits")
        change = {"add": amount, "deduct": -amount, "set": amount - have}[way]
        if have + change < 0:
            raise invalid_request(f"Only {have} promotional credits are there.", param="amount")
        if change == 0:
            raise invalid_request("The balance is that already.", param="amount")
        add_to_balance(site, id, currency, "promotional_credits", change)
        customer = site.need("customer", id)
        credit = site.save(
            "promotional_credit",
            {
                "id": site.new_id("pc_"),
                "customer_id": id,
                "type": "increment" if change > 0 else "decrement",
                "amount": abs(change),
                "currency_code": currency,
                "description": call.params["description"],
                "credit_type": call.get("credit_type", "general"),
                "reference": call.get("reference"),
                "closing_balance": have + change,
                "created_at": site.now(),
            },
        )
        told = "promotional_credits_added" if change > 0 else "promotional_credits_deducted"
        site.tell(told, customer=customer, promotional_credit=credit)
        return {"customer": customer, "promotional_credit": credit}

    return act


def _amount(call: Call, currency: str) -> int:
    amount = call.get("amount")
    if amount is None and call.get("amount_in_decimal"):
        amount = minor(Decimal(call.get("amount_in_decimal")), currency)
    if amount is None:
        raise blank("amount")
    if amount < 0:
        raise wrong_value("amount", "must not be negative")
    return int(amount)


# Unbilled charges


def _create_unbilled(call: Call) -> Answered:
    site = call.site
    subscription = site.need(
        "subscription", call.params["subscription_id"], param="subscription_id"
    )
    owners = {"customer_id": subscription["customer_id"], "subscription_id": subscription["id"]}
    lines: list[Object] = []
    for at, one in enumerate(call.get("item_prices", [])):
        param = f"item_prices[item_price_id][{at}]"
        price = site.need("item_price", one.get("item_price_id"), param=param)
        quantity, unit = one.get("quantity") or 1, one.get("unit_price")
        lines.append(item_line(site, price, quantity, unit_price=unit, **owners))
    for at, one in enumerate(call.get("addons", [])):
        price = site.need("addon", one.get("id"), param=f"addons[id][{at}]")
        quantity, unit = one.get("quantity") or 1, one.get("unit_price")
        lines.append(item_line(site, price, quantity, unit_price=unit, **owners))
    for at, one in enumerate(call.get("charges", [])):
        if not one.get("amount") or not one.get("description"):
            raise blank(f"charges[amount][{at}]")
        dates = (one.get("date_from") or site.now(), one.get("date_to") or site.now())
        lines.append(line(site, one["amount"], one["description"], dates=dates, **owners))
    if not lines:
        raise invalid_request("There is nothing to charge.")
    made = from_lines(site, subscription, lines)
    site.tell("unbilled_charges_created", unbilled_charges=made)  # type: ignore[arg-type]
    return {"unbilled_charges": made}


def _open_charges(site: Site, by: str, id: str) -> list[Object]:
    rows = site.shelf("unbilled_charge").find(by, id)
    found = [site.need("unbilled_charge", row.id) for row in rows if not row.fields.get("deleted")]
    return [one for one in found if not one["is_voided"]]


def _invoice_unbilled(call: Call) -> Answered:
    site = call.site
    by = "subscription_id" if call.get("subscription_id") else "customer_id"
    if not call.get(by):
        raise blank("subscription_id")
    charges = _open_charges(site, by, call.get(by))
    if not charges:
        raise invalid_request("There are no unbilled charges.", param=by)
    lines, currency = [], charges[0]["currency_code"]
    for one in charges:
        kept = {
            name: value
            for name, value in one.items()
            if name not in ("is_voided", "is_advance_charge", "created_at", "updated_at",
                            "deleted", "currency_code", "resource_version")
        }  # fmt: skip
        blank_line = line(site, one["amount"], one["description"])
        lines.append({**blank_line, **kept, "object": "line_item"})
        one["deleted"] = True
        site.save("unbilled_charge", one)
        owner = one["customer_id"]
        add_to_balance(site, owner, currency, "unbilled_charges", -one["amount"])
    customer = site.need("customer", charges[0]["customer_id"])
    subscription = site.get("subscription", charges[0].get("subscription_id"))
    invoice = raise_invoice(site, Raise(customer, lines, currency, subscription, recurring=True))
    site.tell("unbilled_charges_invoiced", invoice=invoice)
    return {"invoices": [invoice]}


def _delete_unbilled(call: Call) -> Answered:
    site = call.site
    charge = site.need("unbilled_charge", call.id)
    if charge["is_voided"]:
        raise wrong_state(f"Unbilled charge {call.id} is voided already.")
    charge |= {"is_voided": True, "voided_at": site.now()}
    site.save("unbilled_charge", charge)
    currency = charge["currency_code"]
    owner = charge["customer_id"]
    add_to_balance(site, owner, currency, "unbilled_charges", -charge["amount"])
    site.tell("unbilled_charges_voided", unbilled_charge=charge)
    return {"unbilled_charge": charge}


# Usage


def _create_usage(call: Call) -> Answered:
    site = call.site
    subscription = site.need("subscription", call.id)
    price_id = call.params["item_price_id"]
    price = site.need("item_price", price_id, param="item_price_id")
    item = site.get("item", price["item_id"]) or {}
    ids = [one["item_price_id"] for one in subscription.get("subscription_items") or []]
    if price_id not in ids or not item.get("metered"):
        raise invalid_request(
            f"{price_id} is not a metered item price of this subscription.", param="item_price_id"
        )
    _check_quantity(call.params["quantity"])
    if call.params["usage_date"] > site.now():
        raise wrong_value("usage_date", "must not be in the future")
    usage = {
        "id": site.fresh_id("usage", call.get("id")),
        "usage_date": call.params["usage_date"],
        "subscription_id": call.id,
        "item_price_id": price_id,
        "quantity": call.params["quantity"],
        "source": "api",
        "note": call.get("note"),
        "created_at": site.now(),
    }
    return {"usage": site.save("usage", usage)}


def _check_quantity(text: str) -> None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise wrong_value("quantity", "should be a number", error_code="wrong_format")


def _retrieve_usage(call: Call) -> Answered:
    """`GET /subscriptions/{id}/usages?id=...` is one usage; without an id it is a list."""
    if "id" not in call.params or isinstance(call.params["id"], dict):
        call.site.need("subscription", call.id)
        return listed(call, "usage", subscription_id=call.id)
    usage = call.site.need("usage", call.params["id"])
    if usage["subscription_id"] != call.id:
        raise wrong_value("id", "belongs to another subscription")
    return {"usage": usage}


def _delete_usage(call: Call) -> Answered:
    usage = call.site.need("usage", call.params["id"], param="id")
    call.site.forget("usage", usage["id"])
    return {"usage": usage}


ROUTES: list[Route] = [
    *(
        post(f"promotional_credits/{way}", _promote(way, of_customer=False),
             f"promotional_credit.{way}")
        for way in ("add", "deduct", "set")
    ),
    *(
        post(f"customers/{{}}/{way}_promotional_credits", _promote(way, of_customer=True),
             f"customer.{way}_promotional_credits")
        for way in ("add", "deduct", "set")
    ),
    post("unbilled_charges", _create_unbilled, "unbilled_charge.create", 2),
    post("unbilled_charges/create", _create_unbilled, "unbilled_charge.create_unbilled_charge", 1),
    post("unbilled_charges/invoice_unbilled_charges", _invoice_unbilled,
         "unbilled_charge.invoice_unbilled_charges"),
    post("unbilled_charges/{}/delete", _delete_unbilled),
    post("subscriptions/{}/usages", _create_usage, "usage.create", 2),
    Route("GET", "subscriptions/{}/usages", _retrieve_usage, None, 2),
    post("subscriptions/{}/delete_usage", _delete_usage, "usage.delete", 2),
]  # fmt: skip
