"""Historic invoices are imported with their lines and payments.

https://apidocs.chargebee.com/docs/api/invoices#import_invoice
"""

from __future__ import annotations

from . import credits
from .customers import address
from .documents import check_total, imported_lines, restate, settle, total_up
from .errors import duplicate, wrong_value
from .invoices import whose
from .payments import link, new_transaction, rate
from .routes import Answered, Call, post
from .shelf import Object
from .site import Site

_DAY = 86_400


def _import(call: Call) -> Answered:
    site, sent = call.site, call.params
    customer, subscription = whose(call)
    if site.shelf("invoice").get(sent["id"]) is not None:
        raise duplicate("id", sent["id"])
    invoice = _imported(site, sent, customer, subscription)
    total_up(invoice)
    check_total(invoice, sent["total"])
    invoice["amount_due"] = invoice["total"]
    payments = sent.get("payments") or []
    if sum(one["amount"] for one in payments) > invoice["total"]:
        raise wrong_value("payments[amount][0]", "comes to more than the invoice's total")
    if sent.get("status") == "paid" and not payments and not sent.get("is_written_off"):
        payments = [{"amount": invoice["total"], "payment_method": "other", "date": None}]
    for one in payments if invoice["total"] else []:
        _import_payment(site, invoice, one, sent)
    if sent.get("status") == "voided":
        invoice |= {"status": "voided", "voided_at": sent.get("voided_at") or site.now()}
        invoice["void_reason_code"] = sent.get("void_reason_code")
    elif sent.get("status") == "not_paid":
        invoice["status"] = "not_paid"
    restate(site, invoice, paid_at=sent.get("paid_at"))
    if sent.get("is_written_off") and invoice["amount_due"]:
        credits.write_off(site, invoice, date=sent.get("write_off_date"))
    site.tell("invoice_generated", invoice=invoice)
    return {"invoice": site.need("invoice", invoice["id"])}


def _imported(site: Site, sent: Object, customer: Object, subscription: Object | None) -> Object:
    days = int(sent.get("net_term_days") or 0)
    currency = sent.get("currency_code") or customer["preferred_currency_code"]
    invoice: Object = {
        "id": sent["id"],
        "customer_id": customer["id"],
        "subscription_id": subscription["id"] if subscription else None,
        "recurring": subscription is not None,
        "status": "posted",
        "price_type": sent.get("price_type") or "tax_exclusive",
        "date": sent["date"],
        "due_date": sent.get("due_date") or sent["date"] + days * _DAY,
        "net_term_days": days,
        "po_number": sent.get("po_number"),
        "vat_number": sent.get("vat_number"),
        "exchange_rate": rate(site, currency),
        "amount_paid": 0,
        "amount_adjusted": 0,
        "write_off_amount": 0,
        "credits_applied": 0,
        "deleted": False,
        "first_invoice": False,
        "round_off_amount": sent.get("round_off") or 0,
        "has_advance_charges": bool(sent.get("has_advance_charges")),
        "currency_code": currency,
        "base_currency_code": site.settings.currency,
        "generated_at": sent["date"],
        "channel": "web",
        **{name: [] for name in ("linked_payments", "applied_credits", "linked_orders",
                                 "adjustment_credit_notes", "issued_credit_notes")},
        "notes": sent.get("notes"),
        "billing_address": customer.get("billing_address"),
    }  # fmt: skip
    for name in ("billing_address", "shipping_address"):
        if sent.get(name):
            invoice[name] = address(sent[name], name)
    rows = sent.get("line_items")
    if not rows:
        rows = [{"description": "Imported invoice", "amount": sent["total"]}]
    imported_lines(site, rows, invoice, sent)
    return invoice


def _import_payment(site: Site, invoice: Object, one: Object, sent: Object) -> None:
    payment = new_transaction(
        site,
        "payment",
        one["amount"],
        invoice["currency_code"],
        customer_id=invoice["customer_id"],
        method=one["payment_method"],
        date=one.get("date") or sent.get("paid_at") or sent["date"],
        subscription_id=invoice.get("subscription_id"),
        reference=one.get("reference_number"),
        id=one.get("id"),
        param="payments[id]",
    )
    settle(invoice, "amount_paid", one["amount"])
    link(site, payment, invoice, one["amount"])
    payment["linked_invoices"][0]["invoice_status"] = (
        "payment_due" if invoice["amount_due"] else "paid"
    )
    site.save("transaction", payment)


ROUTES = [
    post("invoices/import_invoice", _import, "invoice.import_invoice"),
]
