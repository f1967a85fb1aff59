"""Invoices, their lines and their payments, as they stood at any moment.

https://docs.stripe.com/api/invoices/object, .../invoice-payment, .../invoiceitems.
An invoice embeds its first 10 lines; the others are objects of their own.
"""

from __future__ import annotations

from typing import Any

from .facts import Bill, Line, Receipt, Tax

Object = dict[str, Any]
EMBEDDED = 10
ACCOUNT_ID = "acct_1AtlasSandbox0001"


def invoice(bill: Bill, at: int) -> Object:
    """The invoice as the API answers at `at`."""
    client, status = bill.client, bill.status(at)
    draft = status == "draft"
    sent = client.sends_invoices
    paid_at = bill.paid_at(at)
    discounts = [bill.discount.id] if bill.discount else []
    net = bill.subtotal - bill.discounted
    rejected = bill.uncollectible if status == "uncollectible" else None
    attempts = sum(1 for one in bill.receipts for attempt in one.attempts if attempt.at <= at)
    address = {
        "city": client.city,
        "country": client.country,
        "line1": client.street,
        "line2": None,
        "postal_code": client.postal_code,
        "state": client.state,
    }
    return {
        "id": bill.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Atlas Software Inc.",
        "account_tax_ids": None,
        "amount_due": bill.total if draft else bill.amount_due(at),
        "amount_overpaid": 0,
        "amount_paid": 0 if draft else bill.amount_paid(at),
        "amount_remaining": bill.total if draft else bill.remaining(at),
        "amount_shipping": 0,
        "application": None,
        "attempt_count": attempts,
        "attempted": attempts > 0 or (paid_at is not None and not sent),
        "auto_advance": status == "open" or (draft and bill.reason != "manual"),
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": bill.created + 3_600 if draft and not sent else None,
        "billing_reason": bill.reason,
        "collection_method": "send_invoice" if sent else "charge_automatically",
        "created": bill.created,
        "currency": bill.currency.lower,
        "custom_fields": None,
        "customer": client.id,
        "customer_account": None,
        "customer_address": address,
        "customer_email": bill.email,
        "customer_name": client.name,
        "customer_phone": client.phone,
        "customer_shipping": None,
        "customer_tax_exempt": "reverse" if client.reverse_charge else "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": bill.memo,
        "discounts": discounts,
        "due_date": None if draft else bill.due,
        "effective_at": None if draft else bill.effective,
        "ending_balance": None if draft else bill.ending_balance,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None if draft else _hosted(bill),
        "invoice_pdf": None if draft else _hosted(bill) + "/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {
            "object": "list",
            "data": [line_item(line, bill) for line in bill.lines[:EMBEDDED]],
            "has_more": len(bill.lines) > EMBEDDED,
            "url": f"/v1/invoices/{bill.id}/lines",
        },
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": _next_attempt(bill, status, at),
        "number": None if draft else bill.number,
        "on_behalf_of": None,
        "parent": _parent(bill),
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": bill.period[1],
        "period_start": bill.period[0],
        "post_payment_credit_notes_amount": sum(
            note.total for note in bill.credits if note.kind != "pre_payment" and note.created <= at
        ),
        "pre_payment_credit_notes_amount": bill.credited(at),
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": bill.starting_balance,
        "statement_descriptor": None,
        "status": status,
        "status_details": {"uncollectible": {"reason": _why_given_up(bill)}} if rejected else None,
        "status_transitions": {
            "finalized_at": None if draft else bill.finalized,
            "marked_uncollectible_at": rejected,
            "paid_at": paid_at,
            "voided_at": bill.voided if status == "void" else None,
        },
        "subtotal": bill.subtotal,
        "subtotal_excluding_tax": bill.subtotal,
        "test_clock": None,
        "threshold_reason": None,
        "total": bill.total,
        "total_discount_amounts": [
            {"amount": bill.discounted, "discount": bill.discount.id}
            for _ in discounts
            if bill.discount
        ],
        "total_excluding_tax": net,
        "total_pretax_credit_amounts": [
            pretax(bill.discounted, bill.discount.id) for _ in discounts if bill.discount
        ],
        "total_taxes": taxes(client.tax, bill.tax, net),
        "webhooks_delivered_at": None if draft else bill.created + 2,
    }


def _hosted(bill: Bill) -> str:
    return f"https://invoice.stripe.com/i/{ACCOUNT_ID}/test_{bill.id[3:]}"


def _next_attempt(bill: Bill, status: str, at: int) -> int | None:
    if status == "draft":
        return None if bill.client.sends_invoices else bill.created + 3_600
    if status != "open" or bill.client.sends_invoices or not bill.receipts:
        return None
    tried = [attempt.at for attempt in bill.receipts[0].attempts if attempt.at <= at]
    later = [attempt.at for attempt in bill.receipts[0].attempts if attempt.at > at]
    return min(later) if later else (tried[-1] + 3 * 86_400 if len(tried) in (1, 2, 3) else None)


def _why_given_up(bill: Bill) -> str:
    return "payment_not_received" if bill.client.sends_invoices else "max_payment_attempts"


def _parent(bill: Bill) -> Object | None:
    if bill.subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {"metadata": {}, "subscription": bill.subscription.id},
        "type": "subscription_details",
    }


def pretax(amount: int, discount: str) -> Object:
    return {"amount": amount, "discount": discount, "type": "discount"}


def taxes(tax: Tax | None, amount: int, taxable: int) -> list[Object]:
    if tax is None:
        return []
    return [
        {
            "amount": amount,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": tax.id},
            "taxability_reason": "standard_rated" if tax.rate else "reverse_charge",
            "taxable_amount": taxable,
            "type": "tax_rate_details",
        }
    ]


def line_item(line: Line, bill: Bill) -> Object:
    discount = bill.discount.id if bill.discount else None
    price = line.price
    return {
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": bill.currency.lower,
        "description": line.description,
        "discount_amounts": [{"amount": line.discount, "discount": discount}] if discount else [],
        "discountable": not line.proration,
        "discounts": [],
        "invoice": bill.id,
        "livemode": False,
        "metadata": {},
        "parent": _line_parent(line, bill),
        "period": {"end": line.period[1], "start": line.period[0]},
        "pretax_credit_amounts": [pretax(line.discount, discount)] if discount else [],
        "pricing": {
            "price_details": {"price": price.id, "product": line.product.id} if price else None,
            "type": "price_details",
            "unit_amount_decimal": str(line.unit),
        },
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": bill.subscription.id if bill.subscription else None,
        "subtotal": line.amount,
        "taxes": taxes(bill.client.tax, line.tax, line.amount - line.discount),
    }


def _line_parent(line: Line, bill: Bill) -> Object:
    owner = bill.subscription.id if bill.subscription else None
    if line.item is None:
        return {
            "invoice_item_details": {
                "invoice_item": line.invoice_item,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": owner,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": line.invoice_item,
            "proration": line.proration,
            "proration_details": {"credited_items": None},
            "subscription": owner,
            "subscription_item": line.item,
        },
        "type": "subscription_item_details",
    }


def invoice_item(line: Line, bill: Bill) -> Object:
    """The pending item that became a line, by now on its invoice."""
    owner = bill.subscription.id if bill.subscription else None
    details = {"subscription": owner, "subscription_item": line.item}
    return {
        "id": line.invoice_item,
        "object": "invoiceitem",
        "amount": line.amount,
        "currency": bill.currency.lower,
        "customer": bill.client.id,
        "customer_account": None,
        "date": line.added,
        "description": line.description,
        "discountable": not line.proration,
        "discounts": [],
        "frozen_fields": None,
        "invoice": bill.id,
        "invoicing_rules": None,
        "livemode": False,
        "metadata": {},
        "net_amount": line.amount,
        "parent": {"subscription_details": details, "type": "subscription_details"}
        if owner
        else None,
        "period": {"end": line.period[1], "start": line.period[0]},
        "pricing": {
            "price_details": {
                "price": line.price.id if line.price else None,
                "product": line.product.id,
            },
            "type": "price_details",
            "unit_amount_decimal": str(line.unit),
        },
        "proration": line.proration,
        "proration_details": {"discount_amounts": []} if line.proration else None,
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [],
        "test_clock": None,
    }


def invoice_payment(one: Receipt, at: int) -> Object:
    paid = one.succeeded if one.succeeded is not None and one.succeeded <= at else None
    canceled = one.canceled if one.canceled is not None and one.canceled <= at else None
    return {
        "id": one.link,
        "object": "invoice_payment",
        "amount_paid": one.amount if paid else None,
        "amount_requested": one.amount,
        "created": one.created,
        "currency": one.bill.currency.lower,
        "invoice": one.bill.id,
        "is_default": one.is_default,
        "livemode": False,
        "payment": {"payment_intent": one.id, "type": "payment_intent"},
        "status": "paid" if paid else "canceled" if canceled else "open",
        "status_transitions": {"canceled_at": canceled, "paid_at": paid},
    }
