"""The endpoints of credit notes, and of invoices where they deal in credits and refunds.

https://apidocs.chargebee.com/docs/api/credit_notes
"""

from __future__ import annotations

from .credits import (
    adjust,
    blank_note,
    new_note,
    void_note,
)
from .customers import add_to_balance
from .documents import (
    check_total,
    imported_lines,
    note_ref,
    restate,
    show_note,
    total_up,
)
from .errors import blank, duplicate, wrong_value
from .raising import (
    apply_credit,
)
from .refunds import check_room, refund_note
from .routes import Answered, Call, post
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
    check_room(site, sent["type"], amount, invoice)
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
        refund_note(site, note, one)
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
    post("credit_notes/{}/void", _void, "credit_note.void_credit_note"),
    post("credit_notes/{}/delete", _delete, "credit_note.delete"),
]
