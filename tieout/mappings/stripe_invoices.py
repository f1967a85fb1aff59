"""The money of Stripe's invoices and credit notes in canonical terms (docs/providers/stripe.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import show

from .choices import listed
from .forms import Context, finishes, prepares
from .stripe_objects import Raw, is_stub, opened, taxes_of, total_of, whole

SHIPPING = "shipping"  # the id of the line that shipping becomes
_REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")


@prepares("stripe.invoice")
def invoice(raw: Raw, context: Context) -> Raw:
    """https://docs.stripe.com/api/invoices/object , old shapes included."""
    found = opened(raw, "invoice")
    if is_stub(found, "total"):
        return found
    total = whole(found, "total")
    lines = found.get("lines")
    rows = [_line(line) for line in (lines.get("data") if lines else None) or ()]
    subtotal, discount, tax, shipping = _composed(found, total, rows, lines)
    if shipping:
        rows.append(shipping)
    computed = {
        "subtotal": subtotal,
        "discount": discount,
        "tax": tax,
        "lines": rows,
        **_settled(found, total),
    }
    if found.get("status") == "draft" or found.get("status") == "deleted":
        return {**found, "tieout": computed}
    transitions = found.get("status_transitions") or {}
    computed["issued"] = found.get("effective_at") or transitions.get("finalized_at")
    return {**found, "tieout": computed}


def _line(line: Raw) -> Raw:
    """A line net of inclusive tax, before its discounts, with its price of either generation."""
    tax, inside = taxes_of(line, "taxes", "tax_amounts")
    pricing = line.get("pricing")
    details = pricing.get("price_details") if pricing else None
    sold = line.get("price") or line.get("plan") or {}
    unit = pricing.get("unit_amount_decimal") if pricing else None
    if unit is None:
        unit = _unit(sold)
    return {
        "of": line,
        "price": details.get("price") if details else sold,
        "product": details.get("product") if details else sold.get("product"),
        "unit": unit,
        "proration": _proration(line),
        "amount": whole(line, "amount") - inside,
        "discount": total_of(line.get("discount_amounts"))
        + _granted(line, "pretax_credit_amounts"),
        "tax": tax,
    }


def _unit(sold: Raw) -> Any:
    for name in ("unit_amount_decimal", "unit_amount", "amount_decimal", "amount"):
        if sold.get(name) is not None:
            return sold[name]
    return None


def _proration(line: Raw) -> Any:
    parent = line.get("parent")
    if parent:
        details = parent.get("subscription_item_details") or parent.get("invoice_item_details")
        if details:
            return details.get("proration")
    return line.get("proration")


def _granted(raw: Raw, name: str) -> int:
    """Billing credits taken off before tax; discounts in the same list are counted elsewhere."""
    rows = raw.get(name)
    if not rows:
        return 0
    return sum(whole(r, "amount") for r in rows if r.get("type") == "credit_balance_transaction")


def _composed(
    found: Raw, total: int, rows: list[Raw], lines: Raw | None
) -> tuple[int, int, int, Raw | None]:
    """(subtotal net of tax, discount, all tax, the shipping line).

    Stripe's documents leave open whether the totals of tax, subtotal and billing credits take
    in shipping tax, item discounts and credit grants. The first reading under which the
    invoice adds up is taken; if none does, the first of all, and the break stays visible.
    """
    tax, inside = taxes_of(found, "total_taxes", "total_tax_amounts")
    if not tax and "total_taxes" not in found and "total_tax_amounts" not in found:
        tax = whole(found, "tax")  # before tax amounts were itemised: always exclusive
    subtotal = whole(found, "subtotal")
    shipping = _shipping(found)
    granted = _granted(found, "total_pretax_credit_amounts")
    if "total_discount_amounts" not in found and found.get("discount"):
        return subtotal - inside, subtotal - inside + tax - total, tax, shipping
    discount = total_of(found.get("total_discount_amounts"))
    if shipping is None and not granted and subtotal - inside - discount + tax == total:
        return subtotal - inside, discount, tax, None
    listed = None
    if lines and lines.get("has_more") is False:
        listed = sum(row["amount"] for row in rows)
    readings = list(_readings(subtotal - inside, discount, tax, granted, shipping, listed))
    for reading in readings:
        if reading[0] - reading[1] + reading[2] == total:
            return (*reading, shipping)
    return (*readings[0], shipping)


def _readings(
    subtotal: int, discount: int, tax: int, granted: int, shipping: Raw | None, listed: int | None
) -> Iterator[tuple[int, int, int]]:
    nets = [subtotal] if listed is None or listed == subtotal else [subtotal, listed]
    for net in nets:
        for less in (discount + granted, discount):
            if shipping is None:
                yield net, less, tax
            else:
                sent, on_it = shipping["amount"], shipping["tax"]
                back = on_it if shipping["inclusive"] else 0
                yield net + back + sent, less, tax
                yield net + sent, less, tax + on_it


def _shipping(found: Raw) -> Raw | None:
    """Shipping as a line of its own, net of its tax; None where nothing is charged for it."""
    cost = found.get("shipping_cost")
    if not cost or found.get("amount_shipping") == 0:
        return None
    gross, tax = whole(cost, "amount_total"), whole(cost, "amount_tax")
    if not gross:
        return None
    return {
        "of": {"id": SHIPPING, "description": "Shipping", "quantity": 1},
        "amount": gross - tax,
        "discount": 0,
        "tax": tax,
        "inclusive": whole(cost, "amount_subtotal") == gross,
    }


def _settled(found: Raw, total: int) -> Raw:
    """How the total was settled: customer balance, credit notes, payments, what is left.

    The customer balance moves from starting_balance to ending_balance (negative is credit) when
    an invoice is finalized; a draft only foretells it in amount_due.
    """
    start, notes = whole(found, "starting_balance"), whole(found, "pre_payment_credit_notes_amount")
    if found.get("ending_balance") is not None:
        moved = whole(found, "ending_balance") - start
    elif found.get("amount_due") is not None:
        moved = total - whole(found, "amount_due") - notes
    else:
        moved = 0
    used = min(max(moved, 0), max(-start, 0))
    adjustment, credited = used - moved, used + notes
    paid, left = _paid(found, total + adjustment - credited)
    excess = paid - (total + adjustment - credited)
    if whole(found, "amount_overpaid") > 0 and excess > 0:  # it went to the customer's balance
        adjustment, left = adjustment + excess, 0
    return {
        "adjustment": adjustment,
        "credited": credited,
        "paid": paid,
        "balance": 0 if found.get("status") == "void" else left,
        "notes_after": whole(found, "post_payment_credit_notes_amount") or None,
    }


def _paid(found: Raw, owed: int) -> tuple[int, int]:
    """(paid, still owed). What was paid outside Stripe counts, wherever Stripe shows it."""
    paid = whole(found, "amount_paid")
    left = whole(found, "amount_remaining")
    if found.get("amount_remaining") is None:
        left = whole(found, "amount_due") - paid
    outside = whole(found, "amount_paid_off_stripe")
    if outside and paid + left != owed and paid + outside + left == owed:
        return paid + outside, left
    if found.get("status") == "paid" and left > 0:
        return paid + left, 0
    return paid, left


@prepares("stripe.credit_note")
def credit_note(raw: Raw, context: Context) -> Raw:
    """https://docs.stripe.com/api/credit_notes/object"""
    found = opened(raw, "credit_note")
    total = whole(found, "total")
    lines = found.get("lines")
    rows = [_note_line(line) for line in (lines.get("data") if lines else None) or ()]
    tax, inside = taxes_of(found, "total_taxes", "tax_amounts")
    subtotal, shipping = whole(found, "subtotal") - inside, _shipping(found)
    if shipping:
        rows.append(shipping)
        discount = whole(found, "discount_amount")
        options = list(_readings(subtotal, discount, tax, 0, shipping, None))
        fits = [(net, all_tax) for net, less, all_tax in options if net - less + all_tax == total]
        subtotal, tax = fits[0] if fits else (options[0][0], options[0][2])
    return {
        **found,
        "tieout": {
            "subtotal": subtotal,
            "tax": tax,
            "lines": rows,
            "issued": found.get("effective_at") or found.get("created"),
            "discount": whole(found, "discount_amount") or None,
            **_spent(found, total),
        },
    }


def _note_line(line: Raw) -> Raw:
    tax, inside = taxes_of(line, "taxes", "tax_amounts")
    discount = line.get("discount_amounts")
    unit = line.get("unit_amount_decimal")
    return {
        "of": line,
        "unit": line.get("unit_amount") if unit is None else unit,
        "amount": whole(line, "amount") - inside,
        "discount": total_of(discount) if discount else whole(line, "discount_amount"),
        "tax": tax,
    }


def _spent(found: Raw, total: int) -> Raw:
    """Where a note's money went. It first lowers what is due on the invoice; the rest is
    refunded, paid outside Stripe or added to the customer's balance, all when it is issued."""
    if listed(found, "status", "issued", "void") == "void":
        return {"status": "void", "allocated": 0, "refunded": 0, "balance": 0, "allocations": []}
    kind = listed(found, "type", "pre_payment", "post_payment", "mixed")
    if kind == "mixed":
        lowered = whole(found, "pre_payment_amount")
    else:
        lowered = 0 if kind == "post_payment" else total
    rest = total - lowered
    refunded = min(rest, _refunded(found, rest))
    allocated = total - refunded
    row = {"invoice": found.get("invoice"), "amount": lowered}
    return {
        "status": "refunded" if refunded else "applied",
        "allocated": allocated,
        "refunded": refunded,
        "balance": total - allocated - refunded,
        "allocations": [row] if lowered and found.get("invoice") else [],
    }


def _refunded(found: Raw, rest: int) -> int:
    outside = whole(found, "out_of_band_amount")
    refunds = found.get("refunds")
    if refunds:
        return outside + sum(whole(row, "amount_refunded") for row in refunds)
    if found.get("refund"):  # before several refunds were possible, its amount was not told
        moved = found.get("customer_balance_transaction")
        return rest - (abs(whole(moved, "amount")) if isinstance(moved, dict) else 0)
    return outside


@finishes("stripe.invoice_body")
def invoice_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """A draft's parameters, the parameters of its `items`, and whether to `finalize` it.

    Stripe works out taxes and discounts by itself, so ours go as lines, and taxes only where the
    option `tax_line` allows it. https://docs.stripe.com/api/invoices/create
    """
    if fields.get("status") not in (None, "draft"):
        body["finalize"] = True
    if not creating:
        body.pop("items", None)
        return body
    rows = body.setdefault("items", [])
    totals = {"line_discount": 0, **body.pop("tieout", {})}
    for row in rows:
        off = row.pop("discount", 0)
        row["amount"] = row.get("amount", 0) - off
        totals["line_discount"] += off
        row.pop("tax", None)
        row["currency"] = body["currency"]
        row["discountable"] = False
    if body.get("due_date") is not None:
        body["collection_method"] = "send_invoice"
    _add_missing(rows, totals, body["currency"], context)
    return body


def _add_missing(rows: list[Raw], totals: Raw, currency: str, context: Context) -> None:
    """What the lines don't say: discounts of the whole invoice, and tax."""
    tax, total = totals.get("tax", 0), totals.get("total")
    if tax and not context.options.get("tax_line"):
        raise InvalidRecord(
            "an invoice with tax can't be written to Stripe as it is",
            where="invoice, field tax_minor",
            hint="set the mapping option tax_line to the text of a line that holds the tax",
        )
    if tax:
        rows.append(_extra(str(context.options["tax_line"]), tax, currency))
    missing = 0 if total is None else total - sum(row["amount"] for row in rows)
    if missing < 0 and missing == -(totals.get("discount", 0) - totals["line_discount"]):
        rows.append(_extra("Discount", missing, currency))
    elif missing:
        raise InvalidRecord(
            f"its lines, discount and tax miss its total by {show(missing, currency.upper())}",
            where="invoice, field total_minor",
        )


def _extra(description: str, amount: int, currency: str) -> Raw:
    return {
        "description": description,
        "amount": amount,
        "currency": currency,
        "discountable": False,
    }


@finishes("stripe.credit_note_body")
def credit_note_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """https://docs.stripe.com/api/credit_notes/create : on a paid invoice Stripe asks where the
    money went; what was refunded elsewhere is `out_of_band_amount`."""
    reason = body.get("reason")
    if reason is not None and reason not in _REASONS:
        body["memo"] = body.get("memo") or body.pop("reason")
        body.pop("reason", None)
    if not body.get("out_of_band_amount"):
        body.pop("out_of_band_amount", None)
    return body
