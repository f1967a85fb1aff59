"""Invoices, debit memos and credit memos: how their figures come about."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product

from tieout.core.errors import InvalidRecord

from .forms import Context, prepares
from .zuora_shapes import ZERO, Raw, Shape, comment, common, currency_of, letters, shape_of

_WRITE_OFF = re.compile(r"write[\s_-]*off", re.I)
# Data Query and AQuA give the number of the processing type.
_PROCESSING = {"0": "charge", "1": "discount", "2": "prepayment", "3": "tax", "4": "rounding"}


@prepares("zuora.invoice")
def invoice(raw: Raw, context: Context) -> Raw:
    """Of an invoice, or of a debit memo, which is an invoice of another kind."""
    shape = shape_of(raw)
    memo = shape.told("memonumber", "memodate", "debitmemodate", "beappliedamount")
    found = common(shape, context, "invoicenumber", "memonumber", "number")
    currency, source = currency_of(shape)
    total, tax = _total(shape), _tax(shape)
    lines, discount = _lines(shape)
    discount = _header_discount(shape, total, tax, lines, discount)
    status = letters(shape.text("status"))
    balance = shape.number("balance")
    if balance is None and status == "draft":
        balance = total  # nothing is settled before it is posted
    settled = _debit_settled(shape, total, balance) if memo else _settled(shape, total, balance)
    if status == "posted":
        status = "postedpaid" if balance == 0 else "postedopen"
    issued = status in ("postedpaid", "postedopen", "canceled", "cancelled")
    return {
        **found,
        "kind": "debit_memo" if memo else "invoice",
        "number": shape.text("invoicenumber", "memonumber", "number"),
        "customer": shape.text("accountid"),
        "subscription": _subscription(shape),
        "status": status,
        "currency": currency,
        "currency_from": source,
        "issued_on": shape.day("invoicedate", "debitmemodate", "memodate") if issued else None,
        "due_on": shape.day("duedate"),
        "voided_on": shape.moment("cancelledon") if status in ("canceled", "cancelled") else None,
        "subtotal": _subtotal(shape, total, tax, discount),
        "discount": discount if discount is not None else (ZERO if not memo else None),
        "tax": tax,
        "total": total,
        **settled,
        "balance": ZERO if status in ("canceled", "cancelled", "split") else balance,
        "memo": comment(shape, "comments", "comment"),
        "lines": _priced(shape, lines, currency),
        "source_type": shape.text("sourcetype"),
        "transferred": shape.text("transferredtoaccounting"),
        "reversed": shape.flag("reversed"),
        "reason": shape.text("reasoncode"),
        "referred": shape.text("referredinvoiceid", "invoiceid") if memo else None,
    }


def _total(shape: Shape) -> Decimal | None:
    return shape.number("amount", "totalamount")


def _tax(shape: Shape) -> Decimal | None:
    told = shape.number("taxamount")
    if told is not None:
        return told
    total, net = _total(shape), shape.number("amountwithouttax", "totalamountwithouttax")
    return total - net if total is not None and net is not None else None


def _subtotal(
    shape: Shape, total: Decimal | None, tax: Decimal | None, discount: Decimal | None
) -> Decimal | None:
    """Before discounts, without tax."""
    net = shape.number("amountwithouttax", "totalamountwithouttax")
    if net is None and total is not None:
        net = total - (tax or ZERO)
    return None if net is None else net + (discount or ZERO)


def _header_discount(
    shape: Shape,
    total: Decimal | None,
    tax: Decimal | None,
    lines: list[Raw],
    discount: Decimal | None,
) -> Decimal | None:
    """What the header says, where no line does and the lines come out before it."""
    header = shape.number("discount", "discountamount")
    if discount or header is None:
        return discount
    before = _subtotal(shape, total, tax, abs(header))
    fits = discount is None or before == sum((line["amount"] for line in lines), ZERO)
    return abs(header) if fits else discount


def _settled(shape: Shape, total: Decimal | None, balance: Decimal | None) -> Raw:
    """What was paid, credited and adjusted. What Zuora leaves out is what is left to explain.

    The signs of invoice adjustments and of moves to the credit balance differ by their kind and
    are not told apart in the header: those are taken under which the balance comes out.
    """
    came, went = shape.number("paymentamount") or ZERO, shape.number("refundamount") or ZERO
    # With Invoice Settlement what was refunded was unapplied before: it is off already.
    told = [_settled_by(shape, total, balance, paid) for paid in (came - went, came)]
    right = [each for each in told if _comes_out(total, balance, each)]
    return min(right or told[:1], key=lambda each: abs(each["credited"] or ZERO))


def _comes_out(total: Decimal | None, balance: Decimal | None, found: Raw) -> bool:
    off = sum((found[name] or ZERO for name in ("paid", "credited", "written_off")), ZERO)
    return (total or ZERO) + (found["adjustment"] or ZERO) - off == (balance or ZERO)


def _settled_by(shape: Shape, total: Decimal | None, balance: Decimal | None, paid: Decimal) -> Raw:
    credited = shape.number("creditmemoamount")
    adjusted = shape.number("adjustmentamount") or ZERO
    moved = shape.number("creditbalanceadjustmentamount") or ZERO
    if total is None or balance is None:
        return _settlement(paid, credited, adjusted, None)
    if credited is None and not moved:
        left = _rest(total, balance, paid, adjusted)
        adjusted, credited = left
    else:
        adjusted, moved = _signed(total - paid - (credited or ZERO), balance, adjusted, moved)
        credited = (credited or ZERO) + moved
    return _settlement(paid, credited, adjusted, _written_off(shape))


def _settlement(
    paid: Decimal, credited: Decimal | None, adjusted: Decimal, off: Decimal | None
) -> Raw:
    if off is not None and credited is not None:
        credited -= off
    return {"paid": paid, "credited": credited, "adjustment": adjusted, "written_off": off}


def _rest(
    total: Decimal, balance: Decimal, paid: Decimal, adjusted: Decimal
) -> tuple[Decimal, Decimal]:
    """(adjustment, credited), where the header does not tell what memos took off."""
    for sign in (1, -1):
        if total + sign * adjusted - paid == balance:
            return sign * adjusted, ZERO
    left = total + adjusted - paid - balance
    return adjusted, max(left, ZERO)


def _signed(
    left: Decimal, balance: Decimal, adjusted: Decimal, moved: Decimal
) -> tuple[Decimal, Decimal]:
    for first, second in product((1, -1), repeat=2):
        if left + first * adjusted - second * moved == balance:
            return first * adjusted, second * moved
    return adjusted, moved


def _written_off(shape: Shape) -> Decimal | None:
    """What credit memos of a write-off took off, where applications tell their memo's reason."""
    rows = shape.rows("creditmemoapplications", "creditmemoparts")
    told = [(row, reason) for row in rows or () if (reason := _reason(row)) is not None]
    if not told:
        return None
    off = [row.number("amount") or ZERO for row, reason in told if _WRITE_OFF.search(reason)]
    return sum(off, ZERO)


def _reason(row: Shape) -> str | None:
    memo = row.inner("creditmemo")
    return memo.text("reasoncode") or row.text("creditmemoreason") or ("" if memo.fields else None)


def _debit_settled(shape: Shape, total: Decimal | None, balance: Decimal | None) -> Raw:
    """A debit memo tells only what is left; its parts tell what took it off. Without them it
    counts as paid: memos are credited rarely, and their parts come with what is pulled."""
    payments, memos = shape.rows("paymentparts"), shape.rows("creditmemoparts")
    paid: Decimal | None
    credited: Decimal | None
    if payments is not None and memos is not None:
        paid = sum((row.number("amount") or ZERO for row in payments), ZERO)
        credited = sum((row.number("amount") or ZERO for row in memos), ZERO)
    elif total is not None and balance is not None:
        paid, credited = total - balance, ZERO if total == balance else None
    else:
        paid = credited = None
    return {"paid": paid, "credited": credited, "adjustment": None, "written_off": None}


def price_of(shape: Shape, charge: str | None, currency: str | None) -> str | None:
    """A price's id: the charge's, with the currency where it is sold in several."""
    several = shape.get("tieoutprices")
    if charge and currency and isinstance(several, list) and charge in several:
        return f"{charge}:{currency}"
    return charge


def _priced(shape: Shape, lines: list[Raw], currency: str | None) -> list[Raw]:
    return [{**line, "price": price_of(shape, line["price"], currency)} for line in lines]


def _lines(shape: Shape) -> tuple[list[Raw], Decimal | None]:
    """Lines with their discounts, and all discounts together; None where no lines are told."""
    rows = shape.rows("invoiceitems", "debitmemoitems", "items")
    if rows is None:
        return [], None
    kinds = [(row, _processing(row)) for row in rows]
    lines = [_line(row) for row, kind in kinds if kind not in ("discount", "tax")]
    by_id = {line["id"]: line for line in lines}
    discount = ZERO
    for row, kind in kinds:
        if kind != "discount":
            continue
        off = -_net(row)
        discount += off
        line = by_id.get(row.text("appliedtoitemid", "appliedtoinvoiceitemid"))
        if line is not None:
            line["discount"] = (line["discount"] or ZERO) + off
    return lines, discount


def _processing(row: Shape) -> str:
    told = letters(row.text("processingtype")) or "charge"
    return _PROCESSING.get(told, told)


def _net(row: Shape) -> Decimal:
    """Without tax. `chargeAmount` never has it, `amount` has it where prices include tax."""
    charge = row.number("chargeamount")
    if charge is not None:
        return charge
    amount, net = row.number("amount"), row.number("amountwithouttax")
    if letters(row.text("taxmode")) == "taxinclusive":
        return net if net is not None else (amount or ZERO) - (row.number("taxamount") or ZERO)
    return amount if amount is not None else net or ZERO


# Before version 239.0 they had another name.
_TAX_ITEMS = (
    "taxationitems", "credittaxationitems", "debittaxationitems", "credittaxitems", "taxitems",
)  # fmt: skip


def _line_tax(row: Shape) -> Decimal | None:
    told = row.number("taxamount")
    items = row.rows(*_TAX_ITEMS)
    if not told and items:
        return sum((item.number("taxamount") or ZERO for item in items), ZERO)
    if told is None and letters(row.text("taxmode")) == "taxinclusive":
        amount, net = row.number("amount"), row.number("amountwithouttax")
        return amount - net if amount is not None and net is not None else None
    return told


def _line(row: Shape) -> Raw:
    return {
        "id": row.text("id"),
        "description": row.text("description", "comment", "chargename", "skuname"),
        "product": row.text("productid"),
        "price": row.text("productrateplanchargeid"),
        "quantity": row.number("quantity"),
        "unit_amount": row.number("unitprice"),
        "amount": _net(row),
        "discount": None,
        "tax": _line_tax(row),
        "start": row.day("servicestartdate"),
        "end": row.day("serviceenddate"),
    }


def _subscription(shape: Shape) -> str | None:
    """The subscription, where all lines are of one."""
    rows = shape.rows("invoiceitems", "debitmemoitems", "items") or []
    found = {
        row.text("subscriptionnumber", "subscriptionname")
        or row.inner("subscription").text("name", "subscriptionnumber")
        for row in rows
    }
    return found.pop() if len(found) == 1 else None


@prepares("zuora.credit_note")
def credit_note(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    if shape.told("adjustmentnumber", "adjustmentdate"):
        return _adjustment(shape, context)
    found = common(shape, context, "memonumber", "number")
    currency, source = currency_of(shape)
    total, tax = _total(shape), _tax(shape)
    applied, refunded = shape.number("appliedamount"), shape.number("refundamount")
    balance = shape.number("unappliedamount", "balance")
    told = letters(shape.text("status"))
    if balance is None and total is not None and (applied is not None or told == "draft"):
        balance = total - (applied or ZERO) - (refunded or ZERO)
    status = _credit_status(told, balance, refunded)
    void = status in ("canceled", "cancelled")
    issued = status is not None and (status.startswith("posted") or void)
    rows = shape.rows("creditmemoitems", "items") or []
    return {
        **found,
        "number": shape.text("memonumber", "number"),
        "customer": shape.text("accountid"),
        "invoice": shape.text("referredinvoiceid", "invoiceid"),
        "status": status,
        "currency": currency,
        "currency_from": source,
        "issued_on": shape.day("creditmemodate", "memodate") if issued else None,
        "subtotal": total - (tax or ZERO) if total is not None else None,
        "tax": tax,
        "total": total,
        "allocated": applied,
        "refunded": refunded,
        "balance": ZERO if void else balance,
        "reason": shape.text("reasoncode"),
        "comment": comment(shape, "comment", "comments"),
        "source_type": shape.text("sourcetype"),
        "reversed": shape.flag("reversed"),
        "transferred": shape.text("transferredtoaccounting"),
        "lines": _priced(
            shape, [_line(row) for row in rows if _processing(row) != "tax"], currency
        ),
        "allocations": allocations(shape, "creditmemoapplications", "creditmemoparts", "parts"),
    }


def _credit_status(
    status: str | None, balance: Decimal | None, refunded: Decimal | None
) -> str | None:
    """A posted memo by what has become of its money."""
    if status != "posted":
        return status
    if balance is None or balance > 0:
        return "posted"
    return "postedrefunded" if refunded else "postedapplied"


def allocations(shape: Shape, *names: str) -> list[Raw]:
    """What of it is on which document, parts and applications alike; unapplied again is gone, and
    so is what an invoice payment has paid back."""
    found: dict[str, Decimal] = {}
    for row in shape.each(*names):
        document = row.text("invoiceid", "debitmemoid")
        amount = row.number("amount", "applyamount", "appliedamount")
        if document and amount:
            kept = amount - (row.number("refundamount") or ZERO)
            found[document] = found.get(document, ZERO) + kept
    return [{"invoice": id, "amount": amount} for id, amount in found.items() if amount]


def _adjustment(shape: Shape, context: Context) -> Raw:
    """Without Invoice Settlement: a credit that was taken off one invoice."""
    if letters(shape.text("type")) == "charge":
        raise InvalidRecord(
            "is an adjustment that adds to its invoice, no credit note",
            where="type",
            hint="it shows in the invoice's adjustment_minor",
        )
    found = common(shape, context, "adjustmentnumber")
    currency, source = currency_of(shape)
    amount, invoice = shape.number("amount"), shape.text("invoiceid")
    void = letters(shape.text("status")) in ("canceled", "cancelled")
    return {
        **found,
        "number": shape.text("adjustmentnumber"),
        "customer": shape.text("accountid"),
        "invoice": invoice,
        "status": "canceled" if void else "postedapplied",
        "currency": currency,
        "currency_from": source,
        "issued_on": shape.day("adjustmentdate"),
        "subtotal": amount,
        "tax": None,
        "total": amount,
        "allocated": ZERO if void else amount,
        "refunded": ZERO,
        "balance": ZERO,
        "reason": shape.text("reasoncode"),
        "comment": comment(shape, "comment", "comments"),
        "source_type": "InvoiceAdjustment",
        "reversed": None,
        "transferred": shape.text("transferredtoaccounting"),
        "lines": [],
        "allocations": [{"invoice": invoice, "amount": amount}] if invoice and not void else [],
    }
