"""Credit notes: how they come to be, and how invoices, refunds and notes undo each other.

https://apidocs.chargebee.com/docs/api/credit_notes
"""

from __future__ import annotations

from .customers import add_to_balance
from .documents import line, note_ref, restate, settle, show_note, use_note
from .errors import wrong_state
from .payments import rate
from .shelf import Object
from .site import Site


def blank_note(
    site: Site,
    type: str,
    currency: str,
    *,
    id: str | None = None,
    customer_id: str | None,
    invoice: Object | None,
    reason: str,
    create_reason: str | None = None,
    date: int | None = None,
) -> Object:
    """A credit note without lines and amounts; not saved."""
    now = date or site.now()
    return {
        "id": id or site.number("credit_note"),
        "customer_id": customer_id,
        "subscription_id": (invoice or {}).get("subscription_id"),
        "reference_invoice_id": invoice["id"] if invoice else None,
        "type": type,
        "reason_code": reason,
        "create_reason_code": create_reason or reason.replace("_", " ").title(),
        "status": "adjusted" if type == "adjustment" else "refund_due",
        "date": now,
        "price_type": (invoice or {}).get("price_type", "tax_exclusive"),
        "exchange_rate": rate(site, currency),
        "total": 0,
        "sub_total": 0,
        "amount_allocated": 0,
        "amount_refunded": 0,
        "amount_available": 0,
        "generated_at": now,
        "deleted": False,
        "currency_code": currency,
        "base_currency_code": site.settings.currency,
        "round_off_amount": 0,
        "fractional_correction": 0,
        "channel": "web",
        "line_items": [],
        **{name: [] for name in ("taxes", "line_item_taxes", "line_item_discounts",
                                 "linked_refunds", "allocations")},
        "billing_address": (invoice or {}).get("billing_address"),
    }  # fmt: skip


def lines_of(site: Site, invoice: Object | None, amount: int, customer_id: str) -> list[Object]:
    """What a note over part of an invoice credits: told as one line, named as the first one."""
    first: Object = ((invoice or {}).get("line_items") or [{}])[0]
    return [
        line(
            site,
            amount,
            first.get("description") or "Credit",
            entity_type=first.get("entity_type") or "adhoc",
            entity_id=first.get("entity_id"),
            customer_id=customer_id,
            subscription_id=first.get("subscription_id"),
        )
    ]


def new_note(
    site: Site,
    type: str,
    amount: int,
    *,
    customer: str,
    currency: str,
    invoice: Object | None,
    reason: str,
    create_reason: str | None = None,
    date: int | None = None,
    lines: list[Object] | None = None,
) -> Object:
    """A credit note over `amount`, saved, applied where it is an adjustment.

    The invoice is changed but not saved.
    """
    note = blank_note(
        site, type, currency, customer_id=customer, invoice=invoice, reason=reason,
        create_reason=create_reason, date=date,
    )  # fmt: skip
    note["line_items"] = lines or lines_of(site, invoice, amount, customer)
    note |= {"sub_total": amount, "total": amount, "amount_available": amount}
    if type == "adjustment" and invoice is not None:
        adjust(site, note, invoice, amount)
    else:
        site.save("credit_note", note)
        add_to_balance(site, customer, currency, "refundable_credits", amount)
        if invoice is not None:
            invoice.setdefault("issued_credit_notes", []).append(note_ref(note))
    site.tell("credit_note_created", credit_note=note)
    return note


def adjust(site: Site, note: Object, invoice: Object, amount: int, at: int | None = None) -> None:
    """Set an adjustment note off against what is due; the note is saved, the invoice not."""
    settle(invoice, "amount_adjusted", amount)
    note.setdefault("allocations", []).append(
        {
            "invoice_id": invoice["id"],
            "allocated_amount": amount,
            "allocated_at": at or site.now(),
            "invoice_date": invoice["date"],
            "invoice_status": "paid" if not invoice["amount_due"] else invoice["status"],
        }
    )
    use_note(site, note, "amount_allocated", amount)
    invoice.setdefault("adjustment_credit_notes", []).append(note_ref(note))


def write_off(site: Site, invoice: Object, *, date: int | None = None) -> Object:
    """Give up what is due: an adjustment note, and the invoice counts as paid."""
    amount = invoice["amount_due"]
    note = new_note(
        site,
        "adjustment",
        amount,
        customer=invoice["customer_id"],
        currency=invoice["currency_code"],
        invoice=invoice,
        reason="write_off",
        date=date,
    )
    note["refunded_at"] = note["date"]
    site.save("credit_note", note)
    invoice["write_off_amount"] += amount
    invoice["dunning_status"] = "stopped"
    restate(site, invoice)
    return note


def unlink_payment(site: Site, invoice: Object, id: str) -> Object:
    """Take a payment off an invoice: it becomes an excess payment. The invoice is not saved."""
    payment = site.need("transaction", id, param="transaction[id]")
    links = [one for one in invoice.get("linked_payments") or [] if one["txn_id"] == id]
    if not links or payment["status"] != "success":
        raise wrong_state(f"Transaction {id} does not pay invoice {invoice['id']}.")
    if payment.get("linked_refunds"):
        raise wrong_state(f"Transaction {id} has been refunded.")
    amount = sum(one["applied_amount"] for one in links)
    invoice["linked_payments"] = [o for o in invoice["linked_payments"] if o["txn_id"] != id]
    settle(invoice, "amount_paid", -amount)
    payment["linked_invoices"] = [
        one for one in payment["linked_invoices"] if one["invoice_id"] != invoice["id"]
    ]
    payment["amount_unused"] = int(payment.get("amount_unused") or 0) + amount
    site.save("transaction", payment)
    currency = invoice["currency_code"]
    add_to_balance(site, invoice["customer_id"], currency, "excess_payments", amount)
    return payment


def unlink_credit(site: Site, invoice: Object, id: str) -> Object:
    """Take an applied credit note off an invoice. The invoice is not saved."""
    note = site.need("credit_note", id, param="credit_note[id]")
    links = [one for one in invoice.get("applied_credits") or [] if one["cn_id"] == id]
    if not links:
        raise wrong_state(f"Credit note {id} is not applied to invoice {invoice['id']}.")
    amount = sum(one["applied_amount"] for one in links)
    invoice["applied_credits"] = [o for o in invoice["applied_credits"] if o["cn_id"] != id]
    settle(invoice, "credits_applied", -amount)
    note["allocations"] = [o for o in note["allocations"] if o["invoice_id"] != invoice["id"]]
    note.pop("refunded_at", None)
    use_note(site, note, "amount_allocated", -amount)
    return note


def void_note(site: Site, note: Object, *, deleted: bool = False) -> Object:
    """Void or delete a note; what an adjustment covered is due again. Raises ApiError (409)."""
    if note["status"] == "voided":
        raise wrong_state(f"Credit note {note['id']} is voided already.")
    adjustment = note["type"] == "adjustment"
    if note["amount_refunded"] or (note["amount_allocated"] and not adjustment):
        raise wrong_state(f"Credit note {note['id']} has refunds or allocations.")
    if adjustment:
        for one in note.pop("allocations", []):
            _readmit(site, note, one["invoice_id"], one["allocated_amount"])
        note |= {"allocations": [], "amount_allocated": 0, "amount_available": note["total"]}
    else:
        currency = note["currency_code"]
        lost = -note["amount_available"]
        add_to_balance(site, note.get("customer_id"), currency, "refundable_credits", lost)
    if deleted:
        note["deleted"] = True
    note |= {"status": "voided", "voided_at": site.now()}
    site.save("credit_note", note)
    show_note(site, note)
    return note


def _readmit(site: Site, note: Object, invoice_id: str, amount: int) -> None:
    invoice = site.get("invoice", invoice_id)
    if invoice is None:
        return
    settle(invoice, "amount_adjusted", -amount)
    if note.get("reason_code") == "write_off":
        invoice["write_off_amount"] -= amount
    for one in invoice.get("adjustment_credit_notes") or []:
        if one["cn_id"] == note["id"]:
            one["cn_status"] = "voided"
    if invoice["status"] == "paid":
        invoice["status"] = "payment_due"
    restate(site, invoice)
