"""What an invoice's lines add up to: discounts, taxes, totals.

https://docs.stripe.com/api/invoices/object
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .account import Account, Object
from .discounts import coupon_of
from .money import rounded, share


def line(account: Account, invoice: str, amount: int, currency: str, **more: Any) -> Object:
    """A line item, not saved yet. `more` overrides what stands here."""
    now = account.now()
    return {
        "id": account.new_id("line_item"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": now, "start": now},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": 1,
        "quantity_decimal": "1",
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
        **more,
    }


def lines_of(account: Account, invoice: str) -> list[Object]:
    return account.in_order("line_item", invoice=invoice)


def add_up(account: Account, invoice: Object) -> Object:
    """Recompute a draft from its lines; saves the lines, not the invoice."""
    lines = lines_of(account, invoice["id"])
    discounts = [str(id) for id in invoice["discounts"]]
    given = _discounts(account, lines, discounts)
    taxes: dict[tuple[str, str], Object] = {}
    for one in lines:
        _tax_line(account, invoice, one, taxes)
        account.save("line_item", one)
    exclusive = sum(tax["amount"] for tax in taxes.values() if tax["tax_behavior"] == "exclusive")
    inclusive = sum(tax["amount"] for tax in taxes.values() if tax["tax_behavior"] == "inclusive")
    subtotal = sum(int(one["amount"]) for one in lines)
    total = subtotal - sum(given.values()) + exclusive
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "total": total,
        "total_excluding_tax": total - exclusive - inclusive,
        "total_discount_amounts": [{"amount": n, "discount": id} for id, n in given.items()],
        "total_taxes": list(taxes.values()),
        "amount_due": max(total, 0),
        "amount_remaining": max(total, 0),
    }
    return invoice


def _discounts(account: Account, lines: list[Object], discounts: list[str]) -> dict[str, int]:
    """Discount id -> amount; each applies to what the ones before it left."""
    given: dict[str, int] = {}
    open_lines = [one for one in lines if one["discountable"] and one["amount"] > 0]
    left = [int(one["amount"]) for one in open_lines]
    for one in lines:
        one["discount_amounts"] = []
    for id in discounts:
        coupon = coupon_of(account, id)
        if coupon is None:
            continue
        parts = _parts(coupon, left)
        for at, amount in enumerate(parts):
            left[at] -= amount
            open_lines[at]["discount_amounts"].append({"amount": amount, "discount": id})
        given[id] = sum(parts)
    return given


def _parts(coupon: Object, left: list[int]) -> list[int]:
    if coupon.get("amount_off") is not None:
        return share(min(int(coupon["amount_off"]), sum(left)), left)
    percent = Decimal(str(coupon["percent_off"]))
    return [rounded(amount * percent / 100) for amount in left]


def _tax_line(
    account: Account, invoice: Object, one: Object, taxes: dict[tuple[str, str], Object]
) -> None:
    row = account.shelf("line_item").get(one["id"])
    own = (row.hidden.get("tax_rates") if row else None) or []
    ids = own or [rate["id"] for rate in invoice["default_tax_rates"]]
    taxable = int(one["amount"]) - sum(part["amount"] for part in one["discount_amounts"])
    one["taxes"] = []
    for id in ids:
        tax = _tax(account.need("tax_rate", id), taxable)
        one["taxes"].append(tax)
        key = (id, tax["tax_behavior"])
        if key in taxes:
            taxes[key]["amount"] += tax["amount"]
            taxes[key]["taxable_amount"] += tax["taxable_amount"]
        else:
            taxes[key] = {**tax}


def _tax(rate: Object, taxable: int) -> Object:
    percent = Decimal(str(rate["percentage"]))
    if rate["inclusive"]:
        amount = rounded(taxable * percent / (100 + percent))
    else:
        amount = rounded(taxable * percent / 100)
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated" if percent else "zero_rated",
        "taxable_amount": taxable - amount if rate["inclusive"] else taxable,
        "type": "tax_rate_details",
    }
