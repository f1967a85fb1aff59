"""The endpoints of credit notes, and of invoices where they deal in credits and refunds.

https://apidocs.chargebee.com/docs/api/credit_notes
"""

from __future__ import annotations

from .credits import (
    adjust,
    blank_note,
    new_note,
    unlink_credit,
    unlink_payment,
    void_note,
    write_off,
)
from .customers import add_to_balance
from .documents import (
    check_total,
    imported_lines,
    note_ref,
    restate,
    show_note,
    total_up,
    use_note,
)
from .errors import blank, duplicate, invalid_request, wrong_state, wrong_value
from .invoices import DUE, due_invoice
from .params import Params, group
from .payments import new_refund, refunded
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


def _create(call: Call) -> Answered:
    site, sent = call.site, call.params
    invoice = None
    if call.get("reference_invoice_id"):
        invoice = site.need(
            "invoice", call.get("reference_invoice_id"), param="reference_invoice_id"
        )
    if sent["type"] == "store" and invoice is None:
        customer = site.need("customer", call.get("customer_id"), param="customer_id")
        owner, currency = customer["id"], call.get("currency_code")
        currency = currency or customer["preferred_currency_code"]
    elif invoice is None:
        raise blank("reference_invoice_id")
    else:
        owner, currency = invoice["customer_id"], invoice["currency_code"]
    amount, lines = _asked(call, invoice)
    _check_room(site, sent["type"], amount, invoice)
    note = new_note(
        site,
        sent["type"],
        amount,
        customer=owner,
        currency=currency,
        invoice=invoice,
        reason=call.get("reason_code", "other"),
        create_reason=call.get("create_reason_code"),
        date=call.get("date"),
        lines=lines,
    )
    if invoice is None:
        return {"credit_note": note}
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"credit_note": note, "invoice": invoice}


def _asked(call: Call, invoice: Object | None) -> tuple[int, list[Object] | None]:
    """The amount, and the lines where they were sent."""
    rows = call.get("line_items")
    if not rows:
        amount = call.get("total")
        if amount is None:
            if invoice is None:
                raise blank("total")
            adjusts = call.params["type"] == "adjustment"
            amount = invoice["amount_due"] if adjusts else invoice["amount_paid"]
        return int(amount), None
    known = {one["id"]: one for one in (invoice or {}).get("line_items") or []}
    made: Object = {"customer_id": (invoice or {}).get("customer_id") or call.get("customer_id")}
    for at, row in enumerate(rows):
        of = known.get(row.get("reference_line_item_id"))
        if of is None and invoice is not None:
            raise wrong_value(f"line_items[reference_line_item_id][{at}]", "is not on the invoice")
        of = of or {}
        row.setdefault("description", of.get("description") or "Credit")
        row["entity_type"] = row.get("entity_type") or of.get("entity_type")
        row["entity_id"] = row.get("entity_id") or of.get("entity_id")
        row["subscription_id"] = of.get("subscription_id")
        if row.get("amount") is None and row.get("unit_amount") is None:
            raise blank(f"line_items[amount][{at}]")
    imported_lines(call.site, rows, made, {"date": call.get("date") or call.site.now()})
    for one, row in zip(made["line_items"], rows, strict=True):
        if row.get("reference_line_item_id"):
            one["reference_line_item_id"] = row["reference_line_item_id"]
    return sum(one["amount"] for one in made["line_items"]), made["line_items"]


def _check_room(site: Site, type: str, amount: int, invoice: Object | None) -> None:
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


def _import(call: Call) -> Answered:
    site, sent = call.site, call.params
    if site.shelf("credit_note").get(sent["id"]) is not None:
        raise duplicate("id", sent["id"])
    invoice = site.need("invoice", sent["reference_invoice_id"], param="reference_invoice_id")
    note = blank_note(
        site,
        sent["type"],
        sent.get("currency_code") or invoice["currency_code"],
        id=sent["id"],
        customer_id=invoice["customer_id"],
        invoice=invoice,
        reason="other",
        create_reason=sent["create_reason_code"],
        date=sent["date"],
    )
    rows = sent.get("line_items")
    if not rows:
        rows = [{"description": "Imported credit note", "amount": sent.get("total") or 0}]
    note["round_off_amount"] = sent.get("round_off_amount") or 0
    imported_lines(site, rows, note, sent)
    total_up(note)
    del note["tax"]
    check_total(note, sent.get("total"))
    note["amount_available"] = note["total"]
    spent = sum(one["allocated_amount"] for one in sent.get("allocations") or [])
    spent += sum(one["amount"] for one in sent.get("linked_refunds") or [])
    if spent > note["total"]:
        raise wrong_value("total", "is less than its allocations and refunds")
    if note["type"] == "adjustment" and spent != note["total"]:
        raise wrong_value("allocations", "must come to the total of an adjustment note")
    site.save("credit_note", note)
    if note["type"] != "adjustment":
        currency = note["currency_code"]
        add_to_balance(site, note["customer_id"], currency, "refundable_credits", note["total"])
        invoice.setdefault("issued_credit_notes", []).append(note_ref(note))
        site.save("invoice", invoice)
    for at, one in enumerate(sent.get("allocations") or []):
        _import_allocation(site, note, one, at)
    for one in sent.get("linked_refunds") or []:
        _refund_note(site, note, one)
    if sent.get("status") == "voided":
        void_note(site, note)
        note["voided_at"] = sent.get("voided_at") or note["voided_at"]
        site.save("credit_note", note)
    show_note(site, note)
    site.tell("credit_note_created", credit_note=note)
    return {"credit_note": note}


def _import_allocation(site: Site, note: Object, one: Object, at: int) -> None:
    param = f"allocations[invoice_id][{at}]"
    target = site.need("invoice", one["invoice_id"], param=param)
    amount = one["allocated_amount"]
    if not 0 < amount <= target["amount_due"]:
        raise wrong_value(
            f"allocations[allocated_amount][{at}]", f"only {target['amount_due']} is due"
        )
    if note["type"] == "adjustment":
        adjust(site, note, target, amount, one["allocated_at"])
    else:
        apply_credit(site, target, note, amount)
    restate(site, target)


# Refunds


def _refund_note(site: Site, note: Object, sent: Object, payment: Object | None = None) -> Object:
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
    refund = _refund_note(site, note, sent)
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
    refund = _refund_note(site, note, sent, payment)
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
    _check_room(site, "refundable", amount, invoice)
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
    refund = _refund_note(site, note, {**sent, "amount": amount}, payment)
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


# Credits and payments on invoices


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
    site = call.site
    sent = group(call.params, "transaction", "id")
    invoice = site.need("invoice", call.id)
    payment = unlink_payment(site, invoice, sent["id"])
    if invoice["status"] == "paid":
        invoice["status"] = "payment_due"
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice, "transaction": payment}


def _remove_credit(call: Call) -> Answered:
    site = call.site
    sent = group(call.params, "credit_note", "id")
    invoice = site.need("invoice", call.id)
    note = unlink_credit(site, invoice, sent["id"])
    if invoice["status"] == "paid":
        invoice["status"] = "payment_due"
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice, "credit_note": note}


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


# Notes


def _void(call: Call) -> Answered:
    site = call.site
    note = void_note(site, site.need("credit_note", call.id))
    site.tell("credit_note_updated", credit_note=note)
    return {"credit_note": note}


def _delete(call: Call) -> Answered:
    site = call.site
    note = void_note(site, site.need("credit_note", call.id), deleted=True)
    site.tell("credit_note_deleted", credit_note=note)
    return {"credit_note": note}


ROUTES = [
    post("credit_notes", _create, "credit_note.create"),
    post("credit_notes/import_credit_note", _import, "credit_note.import_credit_note"),
    post("credit_notes/{}/record_refund", _record_note_refund, "credit_note.record_refund"),
    post("credit_notes/{}/refund", _refund_note_online, "credit_note.refund"),
    post("credit_notes/{}/void", _void, "credit_note.void_credit_note"),
    post("credit_notes/{}/delete", _delete, "credit_note.delete"),
    post("invoices/{}/record_refund", _record_refund, "invoice.record_refund"),
    post("invoices/{}/refund", _refund_online, "invoice.refund"),
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
