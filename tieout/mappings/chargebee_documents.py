"""The money of Chargebee's documents in canonical terms: see docs/providers/chargebee.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .chargebee_objects import (
    Raw,
    amount,
    code_of,
    extras,
    is_deleted,
    is_key,
    opened,
    our_key,
    rows_of,
    succeeded,
    total_of,
    unit,
    whole,
)
from .choices import listed
from .forms import Context, prepares

_ITEM_LEVEL = ("item_level_coupon", "item_level_discount")
_OLDER = ("plan", "addon", "plan_setup")  # lines of Product Catalog 1.0 name the plan itself


@prepares("chargebee.invoice")
def invoice(raw: Raw, context: Context) -> Raw:
    """https://apidocs.chargebee.com/docs/api/invoices/invoice-object"""
    found = opened(raw, "invoice")
    common = {"deleted": is_deleted(found), "extra": extras(found), "key": our_key(found)}
    if found.get("total") is None and common["deleted"]:
        return {**found, "tieout": common}
    currency = code_of(found, context)
    rounding = whole(found, "round_off_amount")
    total, tax = whole(found, "total") - rounding, _tax(found)
    discount = total_of(rows_of(found, "discounts"))
    lines = rows_of(found, "line_items")
    subtotal = _subtotal(found, lines, currency, discount, tax, total)
    computed = {
        **common,
        "number": _number(found),
        "subscription": _subscription(found, lines),
        "subtotal": subtotal,
        "discount": discount,
        "tax": tax,
        "total": None if found.get("total") is None else total,
        "lines": _lines(found, lines, currency, subtotal, discount),
        "memo": _memo(found),
        "rounded_total": whole(found, "total") if rounding else None,
        **_settled(found, rounding),
    }
    if found.get("status") != "pending":
        computed["issued"] = found.get("date")
    return {**found, "tieout": computed}


def _number(found: Raw) -> Any:
    """An invoice's id is its number; a pending one gets its number when it is closed."""
    id = found.get("id")
    pending = found.get("status") == "pending" and str(id).startswith("draft_")
    return None if pending else id


def _subscription(found: Raw, lines: list[Raw]) -> Any:
    """Consolidated invoices name subscriptions in their lines only."""
    if found.get("subscription_id"):
        return found["subscription_id"]
    named = {line.get("subscription_id") for line in lines}
    return named.pop() if len(named) == 1 else None


def _tax(found: Raw) -> int:
    """Credit notes have no total of their taxes."""
    if found.get("tax") is not None:
        return whole(found, "tax")
    taxes = rows_of(found, "taxes")
    if taxes:
        return total_of(taxes)
    return total_of(rows_of(found, "line_items"), "tax_amount")


def _subtotal(
    found: Raw, lines: list[Raw], currency: str | None, discount: int, tax: int, total: int
) -> int:
    """The subtotal net of tax and before all discounts.

    Chargebee's reference leaves open whether the subtotal of a tax-inclusive document holds its
    tax, and whether discounts of single items are off it already. The first reading under which
    the document adds up is taken; if none does, the first of all, and the break stays visible.
    """
    if found.get("sub_total") is None:
        stated = sum(amount(line, "amount", currency) for line in lines)
    else:
        stated = whole(found, "sub_total")
    readings = list(_readings(found, stated, tax))
    fits = (net for net in readings if net - discount + tax == total)
    return next(fits, readings[0])


def _readings(found: Raw, stated: int, tax: int) -> Iterator[int]:
    item_level = sum(
        whole(row, "amount")
        for row in rows_of(found, "discounts")
        if row.get("entity_type") in _ITEM_LEVEL
    )
    inclusive = listed(found, "price_type", "tax_exclusive", "tax_inclusive") == "tax_inclusive"
    for inside in (tax, 0) if inclusive else (0,):
        yield stated - inside
        if item_level:
            yield stated - inside + item_level


def _lines(
    found: Raw, lines: list[Raw], currency: str | None, subtotal: int, discount: int
) -> list[Raw]:
    """Each line net of inclusive tax, before its discounts."""
    gross = [amount(line, "amount", currency) for line in lines]
    taxes = [whole(line, "tax_amount") for line in lines]
    inclusive = found.get("price_type") == "tax_inclusive" and sum(gross) != subtotal
    # `discount_amount` takes in what was given on the item itself; older documents keep it apart.
    plain = [whole(line, "discount_amount") for line in lines]
    apart = [whole(line, "item_level_discount_amount") for line in lines]
    if sum(plain) != discount and sum(plain) + sum(apart) == discount:
        plain = [one + other for one, other in zip(plain, apart, strict=True)]
    return [
        {
            "of": line,
            **_sold(line),
            "unit": unit(line, "unit_amount", currency),
            "amount": gross[place] - (taxes[place] if inclusive else 0),
            "discount": plain[place],
            "tax": taxes[place],
            "proration": True if line.get("proration_mode") else None,
        }
        for place, line in enumerate(lines)
    ]


def _sold(line: Raw) -> Raw:
    kind, id = line.get("entity_type"), line.get("entity_id")
    known = (*_OLDER, "adhoc", "plan_item_price", "addon_item_price", "charge_item_price")
    listed(line, "entity_type", *known)
    if kind in (None, "adhoc"):
        return {"price": None, "product": None}
    return {"price": id, "product": id if kind in _OLDER else None}


def _memo(found: Raw) -> str | None:
    notes = [row.get("note") for row in found.get("notes") or () if isinstance(row, dict)]
    return "\n".join(note for note in notes if note and not is_key(note)) or None


def _settled(found: Raw, rounding: int) -> Raw:
    """How the total was settled. Write-offs are inside `amount_adjusted`; tax that the customer
    withheld is one more term where it is recorded."""
    paid, written_off = _paid(found), whole(found, "write_off_amount")
    credited = whole(found, "credits_applied") + whole(found, "amount_adjusted") - written_off
    left = whole(found, "total") - paid - credited - written_off
    withheld = total_of(rows_of(found, "linked_taxes_withheld"))
    due = left - withheld if found.get("amount_due") is None else whole(found, "amount_due")
    if withheld and left == due:  # it is a part of what was paid or adjusted
        withheld = 0
    return {
        "paid": paid,
        "written_off": written_off,
        "credited": credited,
        "adjustment": rounding - withheld,
        "balance": 0 if found.get("status") == "voided" else due,
    }


def _paid(found: Raw) -> int:
    """`linked_payments` holds failed attempts, too, each with all that was asked for."""
    if found.get("amount_paid") is not None:
        return whole(found, "amount_paid")
    return total_of(succeeded(found, "linked_payments"), "applied_amount")


@prepares("chargebee.credit_note")
def credit_note(raw: Raw, context: Context) -> Raw:
    """https://apidocs.chargebee.com/docs/api/credit_notes/credit-note-object"""
    found = opened(raw, "credit_note")
    common = {"deleted": is_deleted(found), "extra": extras(found), "key": our_key(found)}
    if found.get("total") is None and common["deleted"]:
        return {**found, "tieout": common}
    currency, tax = code_of(found, context), _tax(found)
    discount = total_of(rows_of(found, "discounts"))
    lines = rows_of(found, "line_items")
    plain = whole(found, "total") - whole(found, "round_off_amount")
    plain -= whole(found, "fractional_correction")
    subtotal = _subtotal(found, lines, currency, discount, tax, plain)
    return {
        **found,
        "tieout": {
            **common,
            "subtotal": subtotal,
            "discount": discount or None,
            "tax": tax,
            "lines": _lines(found, lines, currency, subtotal, discount),
            "memo": "\n".join(note for note in found.get("notes") or () if note) or None,
            **_spent(found),
        },
    }


def _spent(found: Raw) -> Raw:
    """Where a note's money went, and the status that follows from it."""
    rows = [row for row in rows_of(found, "allocations") if whole(row, "allocated_amount")]
    if listed(found, "status", "adjusted", "refunded", "refund_due", "voided") == "voided":
        return {"status": "void", "allocated": 0, "refunded": 0, "balance": 0, "allocations": []}
    allocated = _told(found, "amount_allocated", total_of(rows, "allocated_amount"))
    done = total_of(succeeded(found, "linked_refunds"), "applied_amount")
    refunded = _told(found, "amount_refunded", done)
    balance = _told(found, "amount_available", whole(found, "total") - allocated - refunded)
    status = "issued" if balance > 0 else "refunded" if refunded else "applied"
    return {
        "status": status,
        "allocated": allocated,
        "refunded": refunded,
        "balance": balance,
        "allocations": rows,
    }


def _told(found: Raw, name: str, otherwise: int) -> int:
    return otherwise if found.get(name) is None else whole(found, name)
