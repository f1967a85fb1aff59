"""What is done to an invoice that is due: credits, payments, tax withheld, dunning, writing off.

https://apidocs.chargebee.com/docs/api/invoices
"""

from __future__ import annotations

from collections.abc import Callable

from .credits import unlink_credit, unlink_payment, write_off
from .documents import restate
from .errors import wrong_state, wrong_value
from .invoices import due_invoice
from .params import group
from .raising import (
    apply_credit,
    apply_excess,
    charge_again,
    close_draft,
    excess_payments,
    open_notes,
)
from .routes import Action, Answered, Call, post
from .shelf import Object
from .site import Site


def _write_off(call: Call) -> Answered:
    invoice = due_invoice(call.site, call.id)
    note = write_off(call.site, invoice)
    call.site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice, "credit_note": note}


def _close(call: Call) -> Answered:
    site = call.site
    invoice = site.need("invoice", call.id)
    if invoice["status"] != "pending":
        raise wrong_state(f"Invoice {call.id} is {invoice['status']}, not pending.")
    customer = site.need("customer", invoice["customer_id"])
    return {"invoice": close_draft(site, invoice, customer, call.get("invoice_date"))}


def _changed(site: Site, invoice: Object) -> Answered:
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice}


def _apply_credits(call: Call) -> Answered:
    site = call.site
    invoice = due_invoice(site, call.id)
    ids = [one.get("id") for one in call.get("credit_notes", [])]
    notes = [site.need("credit_note", id) for id in ids] if ids else open_notes(site, invoice)
    for note in notes:
        if note["currency_code"] != invoice["currency_code"] or note["status"] != "refund_due":
            raise wrong_state(f"Credit note {note['id']} cannot be applied.")
        apply_credit(site, invoice, note, min(note["amount_available"], invoice["amount_due"]))
    return _changed(site, invoice)


def _apply_payments(call: Call) -> Answered:
    site = call.site
    invoice = due_invoice(site, call.id)
    asked = call.get("transactions", [])
    wanted = {one["id"]: one.get("amount") for one in asked if one.get("id")}
    found = [site.need("transaction", id) for id in wanted]
    for payment in found or excess_payments(site, invoice):
        if payment["currency_code"] != invoice["currency_code"]:
            raise wrong_state(f"Transaction {payment['id']} is in another currency.")
        most = min(int(payment.get("amount_unused") or 0), invoice["amount_due"])
        amount = wanted.get(payment["id"])
        if amount is not None and amount > most:
            raise wrong_value("transactions[amount][0]", f"only {most} can be applied")
        apply_excess(site, invoice, payment, most if amount is None else amount)
    return _changed(site, invoice)


def _remove_payment(call: Call) -> Answered:
    return _unlinked(call, "transaction", unlink_payment)


def _remove_credit(call: Call) -> Answered:
    return _unlinked(call, "credit_note", unlink_credit)


def _unlinked(call: Call, kind: str, unlink: Callable[[Site, Object, str], Object]) -> Answered:
    site = call.site
    sent = group(call.params, kind, "id")
    invoice = site.need("invoice", call.id)
    freed = unlink(site, invoice, sent["id"])
    if invoice["status"] == "paid":
        invoice["status"] = "payment_due"
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice, kind: freed}


def _collect(call: Call) -> Answered:
    site = call.site
    invoice = due_invoice(site, call.id)
    amount = call.get("amount", invoice["amount_due"])
    if not 0 < amount <= invoice["amount_due"]:
        raise wrong_value("amount", f"only {invoice['amount_due']} is due")
    payment = charge_again(site, invoice, amount)
    return {"invoice": invoice, "transaction": payment}


def _dunning(status: str) -> Action:
    def act(call: Call) -> Answered:
        invoice = due_invoice(call.site, call.id)
        if status == "stopped" and invoice.get("dunning_status") != "in_progress":
            raise wrong_state(f"Invoice {call.id} is not in dunning.")
        invoice["dunning_status"] = status
        if status == "stopped":
            invoice["status"] = "not_paid"
            invoice.pop("next_retry_at", None)
        if call.get("expected_payment_date"):
            invoice["expected_payment_date"] = call.get("expected_payment_date")
        return _changed(call.site, invoice)

    return act


def _withhold(call: Call) -> Answered:
    site = call.site
    sent = group(call.params, "tax_withheld", "amount")
    invoice = due_invoice(site, call.id)
    if not 0 < sent["amount"] <= invoice["amount_due"]:
        raise wrong_value("tax_withheld[amount]", f"only {invoice['amount_due']} is due")
    withheld = {
        "id": site.new_id("tax_wh_"),
        "type": "payment",
        "payment_method": "other",
        "date": sent.get("date") or site.now(),
        "amount": sent["amount"],
        "reference_number": sent.get("reference_number"),
        "description": sent.get("description"),
    }
    shown = {name: value for name, value in withheld.items() if value is not None}
    invoice.setdefault("linked_taxes_withheld", []).append(shown)
    invoice["amount_due"] -= sent["amount"]
    _changed(site, invoice)
    return {"invoice": invoice, "tax_withheld": {**shown, "object": "tax_withheld"}}


def _give_back_withheld(call: Call) -> Answered:
    sent = group(call.params, "tax_withheld", "id")
    invoice = call.site.need("invoice", call.id)
    kept = [o for o in invoice.get("linked_taxes_withheld") or [] if o["id"] != sent["id"]]
    gone = [o for o in invoice.get("linked_taxes_withheld") or [] if o["id"] == sent["id"]]
    if not gone:
        raise wrong_value("tax_withheld[id]", "is not on the invoice")
    invoice["linked_taxes_withheld"] = kept
    invoice["amount_due"] += gone[0]["amount"]
    if invoice["status"] == "paid":
        invoice["status"] = "payment_due"
    return _changed(call.site, invoice)


ROUTES = [
    post("invoices/{}/write_off", _write_off, "invoice.write_off"),
    post("invoices/{}/close", _close, "invoice.close"),
    post("invoices/{}/apply_credits", _apply_credits, "invoice.apply_credits"),
    post("invoices/{}/apply_payments", _apply_payments, "invoice.apply_payments"),
    post("invoices/{}/remove_payment", _remove_payment, "invoice.remove_payment"),
    post("invoices/{}/remove_credit_note", _remove_credit, "invoice.remove_credit_note"),
    post("invoices/{}/collect_payment", _collect, "invoice.collect_payment"),
    post("invoices/{}/stop_dunning", _dunning("stopped"), "invoice.stop_dunning"),
    post("invoices/{}/pause_dunning", _dunning("paused"), "invoice.pause_dunning"),
    post("invoices/{}/resume_dunning", _dunning("in_progress"), "invoice.resume_dunning"),
    post("invoices/{}/record_tax_withheld", _withhold, "invoice.record_tax_withheld"),
    post("invoices/{}/remove_tax_withheld", _give_back_withheld, "invoice.remove_tax_withheld"),
]
