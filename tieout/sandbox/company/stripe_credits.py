"""Credit notes as Stripe's API shows them. They never change once issued.

https://docs.stripe.com/api/credit_notes/object
"""

from __future__ import annotations

from typing import Any

from .facts import CreditNote, Line, Tax
from .stripe_invoices import ACCOUNT_ID, pretax, taxes
from .stripe_people import tax_rate

Object = dict[str, Any]


def credit_note(note: CreditNote) -> Object:
    bill, tax = note.bill, note.bill.client.tax
    pre = note.total if note.kind == "pre_payment" else 0
    discount = bill.discount.id if bill.discount and note.lines else None
    net = note.subtotal - note.discount
    return {
        "id": note.id,
        "object": "credit_note",
        "amount": note.total,
        "amount_shipping": 0,
        "created": note.created,
        "currency": bill.currency.lower,
        "customer": bill.client.id,
        "customer_account": None,
        "customer_balance_transaction": note.balance_entry,
        "discount_amount": note.discount,
        "discount_amounts": [{"amount": note.discount, "discount": discount}] if discount else [],
        "effective_at": note.created,
        "invoice": bill.id,
        "lines": {
            "object": "list",
            "data": _note_lines(note),
            "has_more": False,
            "url": f"/v1/credit_notes/{note.id}/lines",
        },
        "livemode": False,
        "memo": note.memo,
        "metadata": {},
        "number": note.number,
        "out_of_band_amount": None,
        "pdf": f"https://pay.stripe.com/credit_notes/{ACCOUNT_ID}/test_{note.id[3:]}/pdf",
        "post_payment_amount": note.total - pre,
        "pre_payment_amount": pre,
        "pretax_credit_amounts": [pretax(note.discount, discount)] if discount else [],
        "reason": note.reason,
        "refunds": [
            {
                "amount_refunded": note.refund.amount,
                "payment_record_refund": None,
                "refund": note.refund.id,
                "type": "refund",
            }
        ]
        if note.refund
        else [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": note.subtotal,
        "subtotal_excluding_tax": note.subtotal,
        "total": note.total,
        "total_excluding_tax": net,
        "total_taxes": taxes(tax, note.tax, net),
        "type": "pre_payment" if pre else "post_payment",
        "voided_at": None,
    }


def _note_lines(note: CreditNote) -> list[Object]:
    tax, bill = note.bill.client.tax, note.bill
    if note.lines is None:
        return [_note_line(note, note.line_ids[0], None, note.subtotal, 0, note.tax, tax)]
    discounted = bill.discount is not None
    return [
        _note_line(note, id, line, line.amount, line.discount if discounted else 0, line.tax, tax)
        for id, line in zip(note.line_ids, note.lines, strict=True)
    ]


def _note_line(
    note: CreditNote,
    id: str,
    line: Line | None,
    amount: int,
    discount: int,
    taxed: int,
    tax: Tax | None,
) -> Object:
    mark = note.bill.discount
    discounts = [{"amount": discount, "discount": mark.id}] if mark and line else []
    rates = [tax_rate(tax)] if tax and not line else []
    return {
        "id": id,
        "object": "credit_note_line_item",
        "amount": amount,
        "description": line.description if line else note.memo,
        "discount_amount": discount,
        "discount_amounts": discounts,
        "invoice_line_item": line.id if line else None,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [pretax(discount, mark.id)] if mark and line else [],
        "quantity": line.quantity if line else 1,
        "tax_rates": rates,
        "taxes": taxes(tax, taxed, amount - discount),
        "type": "invoice_line_item" if line else "custom_line_item",
        "unit_amount": None if line else amount,
        "unit_amount_decimal": None if line else str(amount),
    }
