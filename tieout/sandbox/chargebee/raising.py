"""Raises invoices: credits and payments that wait are used up, then the card is charged.

https://www.chargebee.com/docs/2.0/invoices.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .customers import add_to_balance, paying_source
from .documents import discount_lines, note_ref, restate, settle, total_up, use_note
from .errors import payment_failed
from .payments import charge_card, link, rate, show_status
from .shelf import Object
from .site import Site

_DAY = 86_400
_RETRIES = 3


@dataclass
class Raise:
    """What to invoice. `must_pay`: a refused card refuses the request, nothing is made."""

    customer: Object
    lines: list[Object]
    currency: str
    subscription: Object | None = None
    recurring: bool = False
    first: bool = False
    pending: bool = False
    must_pay: bool = False
    date: int | None = None
    net_term_days: int | None = None
    auto_collection: str | None = None
    discounts: list[Object] = field(default_factory=list)
    more: Object = field(default_factory=dict)


def raise_invoice(site: Site, ask: Raise) -> Object:
    """The invoice, saved, with what was paid at once. Raises ApiError (400) for `must_pay`."""
    invoice = _draft(site, ask)
    for one in ask.discounts:
        discount_lines(invoice, one["amount"], one["entity_type"], **_words(one))
    promotional = 0 if ask.pending else _use_promotional(site, ask, invoice)
    total_up(invoice)
    invoice["amount_due"] = invoice["amount_to_collect"] = invoice["total"]
    if ask.pending:
        site.save("invoice", invoice)
        site.tell("pending_invoice_created", invoice=invoice)
        return invoice
    waiting = _waiting(site, invoice) if invoice["total"] else 0
    payment = _collect(site, ask, invoice, max(invoice["total"] - waiting, 0))
    if promotional:
        _deduct(site, ask.customer["id"], promotional, invoice)
    _issue(site, invoice, payment)
    return invoice


def _words(discount: Object) -> dict[str, str]:
    return {name: discount[name] for name in ("entity_id", "description") if discount.get(name)}


def _draft(site: Site, ask: Raise) -> Object:
    now = ask.date or site.now()
    days = ask.net_term_days
    if days is None:
        days = int(ask.customer.get("net_term_days") or 0)
    subscription_id = ask.subscription["id"] if ask.subscription else None
    invoice: Object = {
        "id": site.new_id("draft_inv_") if ask.pending else site.number("invoice"),
        "customer_id": ask.customer["id"],
        "subscription_id": subscription_id,
        "recurring": ask.recurring,
        "status": "pending" if ask.pending else "posted",
        "price_type": "tax_exclusive",
        "date": now,
        "due_date": None if ask.pending else now + days * _DAY,
        "net_term_days": days,
        "exchange_rate": rate(site, ask.currency),
        "amount_paid": 0,
        "amount_adjusted": 0,
        "write_off_amount": 0,
        "credits_applied": 0,
        "deleted": False,
        "first_invoice": ask.first,
        "round_off_amount": 0,
        "has_advance_charges": False,
        "currency_code": ask.currency,
        "base_currency_code": site.settings.currency,
        "generated_at": None if ask.pending else now,
        "is_gifted": False,
        "term_finalized": True,
        "channel": "web",
        "line_items": ask.lines,
        **{name: [] for name in ("linked_payments", "dunning_attempts", "applied_credits",
                                 "adjustment_credit_notes", "issued_credit_notes",
                                 "linked_orders")},
        "billing_address": ask.customer.get("billing_address"),
        **ask.more,
    }  # fmt: skip
    return {name: value for name, value in invoice.items() if value is not None}


def _use_promotional(site: Site, ask: Raise, invoice: Object) -> int:
    have = balance(site.need("customer", ask.customer["id"]), ask.currency, "promotional_credits")
    left = sum(one["amount"] - one["discount_amount"] for one in invoice["line_items"])
    used = min(have, max(left, 0))
    if used:
        words = {"description": "Promotional Credits"}
        discount_lines(invoice, used, "promotional_credits", **words)
    return int(used)


def balance(customer: Object, currency: str, name: str) -> int:
    """One of a customer's balances in one currency."""
    for one in customer.get("balances") or []:
        if one.get("currency_code") == currency:
            return int(one.get(name) or 0)
    return 0


def _deduct(site: Site, customer_id: str, amount: int, invoice: Object) -> None:
    currency = invoice["currency_code"]
    add_to_balance(site, customer_id, currency, "promotional_credits", -amount)
    customer = site.need("customer", customer_id)
    credit = {
        "id": site.new_id("pc_"),
        "customer_id": customer_id,
        "type": "decrement",
        "amount": amount,
        "currency_code": currency,
        "description": f"Applied to invoice {invoice['id']}",
        "credit_type": "general",
        "closing_balance": balance(customer, currency, "promotional_credits"),
        "created_at": site.now(),
    }
    site.save("promotional_credit", credit)
    site.tell("promotional_credits_deducted", customer=customer, promotional_credit=credit)


def _waiting(site: Site, invoice: Object) -> int:
    """What excess payments and refundable credits will pay of it."""
    have = sum(one["amount_unused"] for one in excess_payments(site, invoice))
    have += sum(one["amount_available"] for one in open_notes(site, invoice))
    return int(min(have, invoice["total"]))


def excess_payments(site: Site, invoice: Object) -> list[Object]:
    """The customer's payments with something left, in the invoice's currency, oldest first."""
    return _of_customer(site, invoice, "transaction", "amount_unused")


def open_notes(site: Site, invoice: Object) -> list[Object]:
    """The customer's credit notes with something left, in the invoice's currency."""
    return _of_customer(site, invoice, "credit_note", "amount_available")


def _of_customer(site: Site, invoice: Object, kind: str, left: str) -> list[Object]:
    found = []
    for row in site.shelf(kind).find("customer_id", invoice["customer_id"]):
        if row.fields.get("status") in ("voided", "adjusted") or row.fields.get("deleted"):
            continue
        item = site.need(kind, row.id)
        if item.get(left) and item["currency_code"] == invoice["currency_code"]:
            found.append(item)
    return sorted(found, key=lambda item: (item["date"], item["id"]))


def _collect(site: Site, ask: Raise, invoice: Object, amount: int) -> Object | None:
    collects = ask.auto_collection or ask.customer.get("auto_collection", "on")
    if not amount or collects != "on" or invoice["due_date"] > site.now():
        return None
    if not ask.customer.get("primary_payment_source_id") and not ask.must_pay:
        return None
    payment = charge_card(site, ask.customer, amount, invoice)
    if payment["status"] != "success" and ask.must_pay:
        raise payment_failed(
            f"We are not able to collect {amount} {ask.currency} from your card on file. "
            "Error message: (card_declined) Your card was declined."
        )
    return payment


def check_card(site: Site, customer: Object, subscription: Object) -> None:
    """Refuse a change that would have to be paid at once and cannot be. Raises ApiError (400).

    Asked before anything is credited, for a refused change leaves all as it was.
    """
    collects = subscription.get("auto_collection") or customer.get("auto_collection", "on")
    days = subscription.get("net_term_days") or customer.get("net_term_days")
    if collects == "on" and not days and paying_source(site, customer) in site.refused_cards:
        raise payment_failed("Error message: (card_declined) Your card was declined.")


def _issue(site: Site, invoice: Object, payment: Object | None) -> None:
    """Save a new invoice with all that pays it, and tell of it."""
    apply_waiting(site, invoice)
    if payment is not None:
        _apply_charge(site, invoice, payment)
    restate(site, invoice)
    site.tell("invoice_generated", invoice=invoice)
    if payment is not None:
        show_status(payment, invoice)
        site.save("transaction", payment)
        _tell_payment(site, payment, invoice)
    if invoice["status"] == "posted":
        id = invoice["id"]
        site.later(invoice["due_date"], lambda: _fall_due(site, id))


def apply_waiting(site: Site, invoice: Object) -> None:
    """Use up excess payments and refundable credits for an invoice that is being changed."""
    for payment in excess_payments(site, invoice):
        apply_excess(site, invoice, payment, min(payment["amount_unused"], invoice["amount_due"]))
    for note in open_notes(site, invoice):
        apply_credit(site, invoice, note, min(note["amount_available"], invoice["amount_due"]))


def apply_excess(site: Site, invoice: Object, payment: Object, amount: int) -> None:
    """Pay with what is left of a payment; the payment is saved, the invoice not."""
    if amount <= 0:
        return
    payment["amount_unused"] -= amount
    settle(invoice, "amount_paid", amount)
    link(site, payment, invoice, amount)
    payment["linked_invoices"][-1]["invoice_status"] = (
        invoice["status"] if invoice["amount_due"] else "paid"
    )
    site.save("transaction", payment)
    currency = invoice["currency_code"]
    add_to_balance(site, invoice["customer_id"], currency, "excess_payments", -amount)


def apply_credit(site: Site, invoice: Object, note: Object, amount: int) -> None:
    """Pay with what is left of a credit note; the note is saved, the invoice not."""
    if amount <= 0:
        return
    settle(invoice, "credits_applied", amount)
    note.setdefault("allocations", []).append(
        {
            "invoice_id": invoice["id"],
            "allocated_amount": amount,
            "allocated_at": site.now(),
            "invoice_date": invoice["date"],
            "invoice_status": invoice["status"] if invoice["amount_due"] else "paid",
        }
    )
    use_note(site, note, "amount_allocated", amount)
    reference = note_ref(note)
    reference.pop("cn_total")
    applied = {"applied_amount": amount, "applied_at": site.now(), **reference}
    invoice.setdefault("applied_credits", []).append(applied)
    site.tell("credit_note_updated", credit_note=note)


def _apply_charge(site: Site, invoice: Object, payment: Object) -> None:
    link(site, payment, invoice, payment["amount"])
    if payment["status"] == "success":
        settle(invoice, "amount_paid", payment["amount"])
        return
    attempts = invoice.setdefault("dunning_attempts", [])
    attempts.append(
        {
            "attempt": len(attempts),
            "transaction_id": payment["id"],
            "dunning_type": "auto_collect",
            "created_at": site.now(),
            "txn_status": payment["status"],
            "txn_amount": payment["amount"],
        }
    )
    id = invoice["id"]
    if len(attempts) > _RETRIES:
        invoice |= {"dunning_status": "exhausted", "status": "not_paid"}
        invoice.pop("next_retry_at", None)
        return
    invoice |= {"dunning_status": "in_progress", "next_retry_at": site.now() + _DAY}
    site.later(invoice["next_retry_at"], lambda: _retry(site, id))


def _tell_payment(site: Site, payment: Object, invoice: Object) -> None:
    customer = site.get("customer", invoice["customer_id"])
    subscription = site.get("subscription", invoice.get("subscription_id"))
    site.tell("transaction_created", transaction=payment)
    happened = "payment_succeeded" if payment["status"] == "success" else "payment_failed"
    beside = {"customer": customer, "subscription": subscription}
    site.tell(happened, transaction=payment, invoice=invoice, **beside)


def charge_again(site: Site, invoice: Object, amount: int) -> Object:
    """One more try with the customer's card; both sides saved. Raises ApiError without a card."""
    customer = site.need("customer", invoice["customer_id"])
    payment = charge_card(site, customer, amount, invoice)
    _apply_charge(site, invoice, payment)
    restate(site, invoice)
    show_status(payment, invoice)
    site.save("transaction", payment)
    site.tell("invoice_updated", invoice=invoice)
    _tell_payment(site, payment, invoice)
    return payment


def _retry(site: Site, id: str) -> None:
    invoice = site.get("invoice", id)
    if invoice and invoice["amount_due"] and invoice.get("dunning_status") == "in_progress":
        charge_again(site, invoice, invoice["amount_due"])


def _fall_due(site: Site, id: str) -> None:
    invoice = site.get("invoice", id)
    if invoice is None or invoice["status"] != "posted" or not invoice["amount_due"]:
        return
    customer = site.get("customer", invoice["customer_id"]) or {}
    restate(site, invoice)
    if customer.get("auto_collection") == "on" and customer.get("primary_payment_source_id"):
        charge_again(site, invoice, invoice["amount_due"])
    else:
        site.tell("invoice_updated", invoice=invoice)


def close_draft(site: Site, invoice: Object, customer: Object, date: int | None) -> Object:
    """Issue a pending invoice: it gets its number, and the draft is gone."""
    site.forget("invoice", invoice["id"])
    now = date or site.now()
    invoice |= {
        "id": site.number("invoice"),
        "status": "posted",
        "date": now,
        "generated_at": now,
        "due_date": now + int(invoice.get("net_term_days") or 0) * _DAY,
    }
    ask = Raise(customer, invoice["line_items"], invoice["currency_code"])
    payment = None
    waiting = _waiting(site, invoice)
    if customer.get("primary_payment_source_id"):
        payment = _collect(site, ask, invoice, max(invoice["total"] - waiting, 0))
    _issue(site, invoice, payment)
    return invoice
