"""Invoices, credit notes and transactions as Chargebee's API shows them, at any moment.

https://apidocs.chargebee.com/docs/api/invoices: an invoice's total is what was paid, adjusted,
credited and is still due; a failed payment is linked, too, and does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import ids
from .chargebee_people import address, cents, source_id, stamped
from .currencies import exchange_rate
from .facts import Attempt, Bill, CreditNote, Line, Receipt, Refund
from .moments import month_of, on

Object = dict[str, Any]
_REASONS = {"product_unsatisfactory": "product_unsatisfactory", "order_change": "order_change"}
_EMPTY = ("applied_credits", "linked_orders")


# Lines


def lines_of(bill: Bill, lines: list[Line]) -> tuple[list[Object], int, int]:
    """Line items; what coupons and unused time take off them.

    Chargebee has no negative lines: the credit for unused time is a discount on the line that
    charges the rest of the period.
    """
    held: dict[str | None, Line] = {}
    made: list[Object] = []
    coupons, unused = 0, 0
    for line in lines:
        if line.amount < 0:
            held[line.item] = line
            continue
        back = held.pop(line.item, None) if line.proration else None
        made.append(_line(bill, line, back))
        coupons += line.discount + (back.discount if back else 0)
        unused -= back.amount if back else 0
    if held:
        raise ValueError(f"{bill.number}: a credit for unused time without its charge")
    currency = bill.currency
    return made, cents(currency, coupons), cents(currency, unused)


def _line(bill: Bill, line: Line, back: Line | None) -> Object:
    currency, client = bill.currency, bill.client
    off = line.discount + (back.discount - back.amount if back else 0)
    tax = line.tax + (back.tax if back else 0)
    amount = cents(currency, line.amount)
    whole = line.unit * line.quantity == line.amount
    kind = "adhoc"
    if line.price is not None:
        product = line.product
        plan = "plan" if product.sku.startswith("ATLAS") else "addon"
        kind = f"{'charge' if product.one_time else plan}_item_price"
    found: Object = {
        "id": line.id,
        "date_from": line.period[0],
        "date_to": line.period[1],
        "unit_amount": cents(currency, line.unit) if whole else amount,
        "quantity": line.quantity if whole else 1,
        "amount": amount,
        "pricing_model": "per_unit",
        "is_taxed": bool(tax),
        "tax_amount": cents(currency, tax),
        "tax_rate": client.tax.percent if client.tax and tax else None,
        "object": "line_item",
        "subscription_id": bill.subscription.id if bill.subscription else None,
        "customer_id": client.id,
        "description": line.description,
        "entity_type": kind,
        "entity_id": ids.chargebee_item_price(line.price) if line.price else None,
        "metered": False,
        "tax_exempt_reason": None if tax else "tax_not_configured",
        "discount_amount": cents(currency, off),
        "item_level_discount_amount": 0,
    }
    return {name: value for name, value in found.items() if value is not None}


def _with_lines(bill: Bill, lines: list[Line]) -> Object:
    """Lines, discounts and taxes of an invoice, or of a credit note over all of it."""
    made, coupons, unused = lines_of(bill, lines)
    found: Object = {"line_items": made, "sub_total": sum(one["amount"] for one in made)}
    discounts: list[Object] = []
    if coupons and bill.discount is not None:
        coupon = bill.discount.coupon
        discounts.append(
            {
                "object": "discount",
                "entity_type": "document_level_coupon",
                "entity_id": coupon.id,
                "description": coupon.name,
                "amount": coupons,
            }
        )
    if unused:
        discounts.append(
            {
                "object": "discount",
                "entity_type": "prorated_credits",
                "description": "Unused time",
                "amount": unused,
            }
        )
    if discounts:
        found["discounts"] = discounts
        found["line_item_discounts"] = list(_line_discounts(bill, lines))
    return found | taxes(bill, made)


def _line_discounts(bill: Bill, lines: list[Line]) -> Iterator[Object]:
    held = {line.item: line for line in lines if line.amount < 0}
    coupon = bill.discount.coupon.id if bill.discount else None
    for line in lines:
        if line.amount < 0:
            continue
        back = held.get(line.item) if line.proration else None
        off = line.discount + (back.discount if back else 0)
        base = {"object": "line_item_discount", "line_item_id": line.id}
        if off and coupon:
            kind = {"discount_type": "document_level_coupon", "coupon_id": coupon}
            yield base | kind | {"discount_amount": cents(bill.currency, off)}
        if back is not None:
            kind = {"discount_type": "prorated_credits"}
            yield base | kind | {"discount_amount": cents(bill.currency, -back.amount)}


def taxes(bill: Bill, made: list[Object]) -> Object:
    """The taxes of those line items, in all and for each."""
    tax, total = bill.client.tax, sum(one["tax_amount"] for one in made)
    if tax is None or not total:
        return {"tax": total}
    where = "state" if tax.state else "country"
    return {
        "tax": total,
        "taxes": [{"object": "tax", "name": tax.name, "description": tax.name, "amount": total}],
        "line_item_taxes": [
            {
                "object": "line_item_tax",
                "line_item_id": one["id"],
                "tax_name": tax.name,
                "tax_rate": tax.percent,
                "tax_juris_type": where,
                "tax_juris_name": tax.state or tax.country,
                "tax_juris_code": tax.state or tax.country,
                "taxable_amount": one["amount"] - one["discount_amount"],
                "is_partial_tax_applied": False,
                "is_non_compliance_tax": False,
                "tax_amount": one["tax_amount"],
            }
            for one in made
            if one["tax_amount"]
        ],
    }


# Invoices


def _attempts(bill: Bill, at: int) -> Iterator[tuple[Receipt, Attempt]]:
    for receipt in bill.receipts:
        for attempt in receipt.attempts:
            if attempt.at <= at:
                yield receipt, attempt


def _txn_id(receipt: Receipt, attempt: Attempt) -> str:
    if attempt.failure is None:
        return receipt.id
    return ids.chargebee_id(attempt.charge, "txn_")


def _status(bill: Bill, at: int) -> str:
    status = bill.status(at)
    if status == "open":
        return "posted" if (bill.due or bill.issued) > at else "payment_due"
    return {"draft": "pending", "void": "voided", "uncollectible": "not_paid"}.get(status, status)


def invoice(bill: Bill, at: int, seed: int) -> Object:
    """The invoice as the API answers at `at`."""
    client, currency, status = bill.client, bill.currency, _status(bill, at)
    draft = status == "pending"
    day = bill.created if draft else bill.issued
    tried = list(_attempts(bill, at))
    failed = [attempt.at for _, attempt in tried if attempt.failure]
    touched = [bill.created, *(attempt.at for _, attempt in tried)]
    touched += [note.created for note in bill.credits]
    touched += [one for one in (bill.finalized, bill.voided, bill.uncollectible) if one]
    found: Object = {
        "id": bill.id,
        "customer_id": client.id,
        "subscription_id": bill.subscription.id if bill.subscription else None,
        "recurring": bill.subscription is not None,
        "status": status,
        "price_type": "tax_exclusive",
        "date": day,
        "due_date": None if draft else (bill.due or day),
        "net_term_days": 30 if client.sends_invoices else 0,
        "exchange_rate": exchange_rate(seed, currency, month_of(on(day))),
        "total": cents(currency, bill.total),
        "amount_paid": 0 if draft else cents(currency, bill.amount_paid(at)),
        "amount_adjusted": 0 if draft else cents(currency, bill.credited(at)),
        "write_off_amount": 0,
        "credits_applied": 0,
        "amount_due": cents(currency, bill.total if draft else bill.remaining(at)),
        "paid_at": bill.paid_at(at),
        "voided_at": bill.voided if status == "voided" else None,
        "dunning_status": _dunning(status, failed),
        "deleted": False,
        "object": "invoice",
        "first_invoice": bill.reason == "subscription_create",
        "amount_to_collect": cents(currency, bill.total if draft else bill.remaining(at)),
        "round_off_amount": 0,
        "has_advance_charges": False,
        "currency_code": currency.code,
        "base_currency_code": "USD",
        "generated_at": bill.finalized if not draft else None,
        "is_gifted": False,
        "term_finalized": True,
        "channel": "web",
        "linked_payments": [_payment_link(receipt, attempt) for receipt, attempt in tried],
        "dunning_attempts": [],
        "adjustment_credit_notes": _notes(bill, at, "pre_payment"),
        "issued_credit_notes": _notes(bill, at, "refund"),
        "billing_address": address(client),
        "notes": [{"note": bill.memo}] if bill.memo else None,
        **{name: [] for name in _EMPTY},
        **_with_lines(bill, bill.lines),
    }
    return stamped(found, max(moment for moment in touched if moment <= at))


def _dunning(status: str, failed: list[int]) -> str | None:
    if status == "not_paid":
        return "exhausted"
    if status == "payment_due" and failed:
        return "in_progress"
    return "success" if status == "paid" and failed else None


def _payment_link(receipt: Receipt, attempt: Attempt) -> Object:
    amount = cents(receipt.bill.currency, receipt.amount)
    return {
        "txn_id": _txn_id(receipt, attempt),
        "applied_amount": amount,
        "applied_at": attempt.at,
        "txn_status": "failure" if attempt.failure else "success",
        "txn_date": attempt.at,
        "txn_amount": amount,
    }


def _notes(bill: Bill, at: int, kind: str) -> list[Object]:
    return [_note_link(one) for one in bill.credits if one.kind == kind and one.created <= at]


def _note_link(note: CreditNote) -> Object:
    return {
        "cn_id": note.id,
        "cn_reason_code": _reason(note),
        "cn_create_reason_code": note.memo,
        "cn_date": note.created,
        "cn_total": cents(note.bill.currency, note.total),
        "cn_status": "adjusted" if note.kind == "pre_payment" else "refunded",
    }


def _reason(note: CreditNote) -> str:
    return _REASONS.get(note.reason or "", "other")


# Transactions


def _transaction(receipt: Receipt, id: str, at: int, seed: int) -> Object:
    bill, client = receipt.bill, receipt.bill.client
    carded = receipt.method == "card"
    return {
        "id": id,
        "customer_id": client.id,
        "subscription_id": bill.subscription.id if bill.subscription else None,
        "gateway_account_id": "gw_atlas" if carded else None,
        "payment_source_id": source_id(client) if carded and not client.sends_invoices else None,
        "payment_method": "card" if carded else "bank_transfer",
        "gateway": "chargebee" if carded else "not_applicable",
        "date": at,
        "exchange_rate": exchange_rate(seed, bill.currency, month_of(on(at))),
        "currency_code": bill.currency.code,
        "base_currency_code": "USD",
        "masked_card_number": f"************{client.card}" if carded else None,
        "deleted": False,
        "object": "transaction",
    }


def payments(bill: Bill, at: int, seed: int) -> Iterator[Object]:
    """Each try to pay the invoice, with what became of it by `at`."""
    for receipt, attempt in _attempts(bill, at):
        amount = cents(bill.currency, receipt.amount)
        back = [one for one in receipt.refunds if one.created <= at and attempt.failure is None]
        found = _transaction(receipt, _txn_id(receipt, attempt), attempt.at, seed) | {
            "type": "payment",
            "amount": amount,
            "status": "failure" if attempt.failure else "success",
            "error_code": attempt.failure,
            "error_text": attempt.failure and attempt.failure.replace("_", " ").capitalize(),
            "amount_unused": 0,
            "linked_invoices": [
                {
                    "invoice_id": bill.id,
                    "applied_amount": amount,
                    "applied_at": attempt.at,
                    "invoice_date": bill.issued,
                    "invoice_total": cents(bill.currency, bill.total),
                    "invoice_status": _status(bill, at),
                }
            ],
            "linked_refunds": [_refund_link(one) for one in back],
        }
        if receipt.method == "card":
            found["id_at_gateway"] = attempt.charge.replace("ch_3", "cb_")
        else:
            found["reference_number"] = attempt.charge.replace("ch_3", "WIRE-").upper()[:21]
        yield stamped(found, max([attempt.at, *(one.created for one in back)]))


def _refund_link(one: Refund) -> Object:
    return {
        "txn_id": one.id,
        "txn_status": "success",
        "txn_date": one.created,
        "txn_amount": cents(one.receipt.bill.currency, one.amount),
    }


def refund(one: Refund, note: CreditNote, seed: int) -> Object:
    amount = cents(note.bill.currency, one.amount)
    found = _transaction(one.receipt, one.id, one.created, seed) | {
        "type": "refund",
        "amount": amount,
        "status": "success",
        "refunded_txn_id": one.receipt.id,
        "linked_credit_notes": [
            _note_link(note)
            | {
                "applied_amount": amount,
                "applied_at": one.created,
                "cn_reference_invoice_id": note.bill.id,
            }
        ],
    }
    if one.receipt.method == "card":
        found["id_at_gateway"] = ids.chargebee_id(one.id, "cb_")
    else:
        found["reference_number"] = f"BACK-{one.id[-8:].upper()}"
    return stamped(found, one.created)


# Credit notes


def credit_note(note: CreditNote, seed: int) -> Object:
    bill, currency = note.bill, note.bill.currency
    total = cents(currency, note.total)
    adjusts = note.kind == "pre_payment"
    found: Object = {
        "id": note.id,
        "customer_id": bill.client.id,
        "subscription_id": bill.subscription.id if bill.subscription else None,
        "reference_invoice_id": bill.id,
        "type": "adjustment" if adjusts else "refundable",
        "reason_code": _reason(note),
        "create_reason_code": note.memo,
        "status": "adjusted" if adjusts else "refunded",
        "date": note.created,
        "price_type": "tax_exclusive",
        "exchange_rate": exchange_rate(seed, currency, month_of(on(note.created))),
        "total": total,
        "amount_allocated": total if adjusts else 0,
        "amount_refunded": 0 if adjusts else total,
        "amount_available": 0,
        "refunded_at": note.created,
        "generated_at": note.created,
        "deleted": False,
        "object": "credit_note",
        "currency_code": currency.code,
        "base_currency_code": "USD",
        "round_off_amount": 0,
        "fractional_correction": 0,
        "channel": "web",
        "linked_refunds": [],
        "allocations": [],
        "billing_address": address(bill.client),
    }
    if adjusts:
        found["allocations"] = [
            {
                "invoice_id": bill.id,
                "allocated_amount": total,
                "allocated_at": note.created,
                "invoice_date": bill.issued,
                "invoice_status": _status(bill, note.created),
            }
        ]
    elif note.refund is not None:
        amount = cents(currency, note.refund.amount)
        made = {"txn_id": note.refund.id, "applied_amount": amount}
        made |= {"applied_at": note.refund.created, "txn_status": "success"}
        made |= {"txn_date": note.refund.created, "txn_amount": amount}
        found["linked_refunds"] = [made]
    if note.lines is None:
        found |= _one_line(note)
    else:
        found |= _renamed(_with_lines(bill, note.lines), note)
    del found["tax"]  # an invoice's; a credit note only lists its taxes
    return stamped(found, note.created)


def _one_line(note: CreditNote) -> Object:
    bill, currency = note.bill, note.bill.currency
    line: Object = {
        "id": ids.chargebee_id(note.line_ids[0], "li_"),
        "date_from": note.created,
        "date_to": note.created,
        "unit_amount": cents(currency, note.subtotal),
        "quantity": 1,
        "amount": cents(currency, note.subtotal),
        "pricing_model": "flat_fee",
        "is_taxed": bool(note.tax),
        "tax_amount": cents(currency, note.tax),
        "object": "line_item",
        "customer_id": bill.client.id,
        "description": note.memo,
        "entity_type": "adhoc",
        "discount_amount": 0,
        "item_level_discount_amount": 0,
    }
    if note.tax and bill.client.tax:
        line["tax_rate"] = bill.client.tax.percent
    else:
        line["tax_exempt_reason"] = "tax_not_configured"
    if bill.subscription:
        line["subscription_id"] = bill.subscription.id
    return {"line_items": [line], "sub_total": line["amount"], **taxes(bill, [line])}


def _renamed(found: Object, note: CreditNote) -> Object:
    """The lines of a note over a whole invoice have ids of their own, and name the invoice's."""
    new = {
        line.id: ids.chargebee_id(id, "li_")
        for line, id in zip(note.lines or [], note.line_ids, strict=True)
    }
    for line in found["line_items"]:
        line["reference_line_item_id"] = line["id"]
        line["id"] = new[line["id"]]
    for name in ("line_item_taxes", "line_item_discounts"):
        for one in found.get(name, []):
            one["line_item_id"] = new[one["line_item_id"]]
    return found
