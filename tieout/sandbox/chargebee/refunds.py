"""Refunds: of a credit note, or of an invoice, which makes a credit note first.

https://apidocs.chargebee.com/docs/api/credit_notes#record_refund_for_a_credit_note
"""

from __future__ import annotations

from .credits import new_note
from .documents import restate, show_note, use_note
from .errors import invalid_request, wrong_state, wrong_value
from .invoices import DUE
from .params import Params, group
from .payments import new_refund, refunded
from .routes import Answered, Call, post
from .shelf import Object
from .site import Site


def refund_note(site: Site, note: Object, sent: Object, payment: Object | None = None) -> Object:
    amount = sent.get("amount")
    amount = note["amount_available"] if amount is None else amount
    if note["type"] == "adjustment" or note["status"] not in ("refund_due",):
        raise wrong_state(f"Credit note {note['id']} is {note['status']}.")
    if not 0 < amount <= note["amount_available"]:
        raise wrong_value(
            "transaction[amount]", f"only {note['amount_available']} of the note is available"
        )
    use_note(site, note, "amount_refunded", amount)
    refund = new_refund(
        site,
        amount,
        payment,
        note,
        method=sent["payment_method"],
        date=sent["date"],
        reference=sent.get("reference_number"),
        id=sent.get("id"),
    )
    note.setdefault("linked_refunds", []).append(
        {
            "txn_id": refund["id"],
            "applied_amount": amount,
            "applied_at": site.now(),
            "txn_status": refund["status"],
            "txn_date": refund["date"],
            "txn_amount": refund["amount"],
        }
    )
    site.save("credit_note", note)
    return refund


def _record_note_refund(call: Call) -> Answered:
    site = call.site
    sent = group(call.params, "transaction", "payment_method", "date")
    note = site.need("credit_note", call.id)
    refund = refund_note(site, note, sent)
    show_note(site, note)
    site.tell("credit_note_updated", credit_note=note)
    site.tell("payment_refunded", transaction=refund, credit_note=note)
    return {"credit_note": note, "transaction": refund}


def _refund_note_online(call: Call) -> Answered:
    site = call.site
    note = site.need("credit_note", call.id)
    invoice = site.get("invoice", note.get("reference_invoice_id"))
    payment = _refundable(site, invoice, call.get("refund_amount"), online=True)
    sent = {
        "amount": call.get("refund_amount"),
        "payment_method": payment["payment_method"],
        "date": site.now(),
    }
    refund = refund_note(site, note, sent, payment)
    show_note(site, note)
    site.tell("refund_initiated", transaction=refund, credit_note=note)
    site.tell("payment_refunded", transaction=refund, credit_note=note)
    return {"credit_note": note, "transaction": refund}


def _refundable(site: Site, invoice: Object | None, amount: int | None, *, online: bool) -> Object:
    """The payment of the invoice that can bear the refund. Raises ApiError."""
    best: Object | None = None
    for one in (invoice or {}).get("linked_payments") or []:
        payment = site.get("transaction", one["txn_id"])
        if payment is None or one["txn_status"] != "success":
            continue
        if online and payment["gateway"] == "not_applicable":
            continue
        left = one["applied_amount"] - refunded(payment)
        if left > 0 and left >= (amount or 1):
            best = payment
            break
    if best is None:
        what = "paid at a gateway" if online else "paid"
        raise invalid_request(f"That much was not {what}, or it was refunded already.")
    return best


def _refund_invoice(call: Call, sent: Object, *, online: bool) -> Answered:
    site = call.site
    invoice = site.need("invoice", call.id)
    if invoice["status"] in ("voided", "pending"):
        raise wrong_state(f"Invoice {call.id} is {invoice['status']}.")
    payment = _refundable(site, invoice, sent.get("amount"), online=online)
    applied = sum(
        one["applied_amount"]
        for one in invoice["linked_payments"]
        if one["txn_id"] == payment["id"]
    )
    amount = sent.get("amount")
    amount = applied - refunded(payment) if amount is None else amount
    check_room(site, "refundable", amount, invoice)
    reasons: Params = call.get("credit_note", {})
    note = new_note(
        site,
        "refundable",
        amount,
        customer=invoice["customer_id"],
        currency=invoice["currency_code"],
        invoice=invoice,
        reason=reasons.get("reason_code") or "other",
        create_reason=reasons.get("create_reason_code"),
    )
    sent = {"payment_method": payment["payment_method"], "date": site.now(), **sent}
    restate(site, invoice)
    refund = refund_note(site, note, {**sent, "amount": amount}, payment)
    show_note(site, note)
    invoice = site.need("invoice", call.id)
    customer = site.get("customer", invoice["customer_id"])
    site.tell(
        "payment_refunded",
        transaction=refund, invoice=invoice, credit_note=note, customer=customer,
    )  # fmt: skip
    return {"invoice": invoice, "transaction": refund, "credit_note": note}


def _refund_online(call: Call) -> Answered:
    return _refund_invoice(call, {"amount": call.get("refund_amount")}, online=True)


def _record_refund(call: Call) -> Answered:
    sent = group(call.params, "transaction", "payment_method", "date")
    return _refund_invoice(call, sent, online=False)


def check_room(site: Site, type: str, amount: int, invoice: Object | None) -> None:
    if amount <= 0:
        raise wrong_value("total", "must be greater than zero")
    if invoice is None:
        return
    id = invoice["id"]
    if invoice["status"] in ("voided", "pending"):
        raise wrong_state(f"Invoice {id} is {invoice['status']}.")
    if type == "adjustment":
        if invoice["status"] not in DUE:
            raise wrong_state(f"Nothing is due on invoice {id}: it cannot be adjusted.")
        room = invoice["amount_due"]
    else:
        issued = invoice.get("issued_credit_notes") or []
        room = invoice["amount_paid"] + invoice["credits_applied"]
        room -= sum(one["cn_total"] for one in issued if one["cn_status"] != "voided")
    if amount > room:
        raise wrong_value("total", f"is more than the {room} that can be credited")


ROUTES = [
    post("credit_notes/{}/record_refund", _record_note_refund, "credit_note.record_refund"),
    post("credit_notes/{}/refund", _refund_note_online, "credit_note.refund"),
    post("invoices/{}/record_refund", _record_refund, "invoice.record_refund"),
    post("invoices/{}/refund", _refund_online, "invoice.refund"),
]
