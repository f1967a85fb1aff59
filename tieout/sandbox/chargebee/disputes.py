"""Disputes: the bank takes a payment back, and perhaps returns it.

No client can make one: `ChargebeeStandIn.open_dispute` plays the bank. A chargeback shows in three
places: the dispute, a transaction `payment_reversal`, a credit note with reason `chargeback`.
https://apidocs.chargebee.com/docs/api/disputes
"""

from __future__ import annotations

from .credits import new_note
from .customers import add_to_balance
from .documents import restate, show_note, use_note
from .payments import credit_link, new_transaction
from .shelf import Object
from .site import Site

_OPEN = ("initiated", "funds_withdrawn", "in_review")


def open_dispute(site: Site, payment_id: str, amount: int | None, reason: str, type: str) -> str:
    """The new dispute's id. ValueError for something that is no successful payment."""
    payment = site.get("transaction", payment_id)
    if payment is None or payment["type"] != "payment" or payment["status"] != "success":
        raise ValueError(f"{payment_id} is not a successful payment")
    amount = payment["amount"] if amount is None else amount
    dispute = {
        "id": site.new_id("dp_"),
        "customer_id": payment.get("customer_id"),
        "transaction_id": payment_id,
        "gateway_account_id": payment.get("gateway_account_id"),
        "id_at_gateway": payment.get("id_at_gateway"),
        "currency_code": payment["currency_code"],
        "amount": amount,
        "reason": reason,
        "status": "initiated" if type == "inquiry" else "funds_withdrawn",
        "type": type,
        "is_partial_dispute": amount < payment["amount"],
        "created_at": site.now(),
    }
    site.save("dispute", dispute)
    if type == "chargeback":
        _take_back(site, payment, amount)
    return str(dispute["id"])


def _take_back(site: Site, payment: Object, amount: int) -> None:
    reversal = new_transaction(
        site,
        "payment_reversal",
        amount,
        payment["currency_code"],
        customer_id=payment.get("customer_id"),
        method="chargeback",
        date=site.now(),
        subscription_id=payment.get("subscription_id"),
    )
    reversal |= {"reference_transaction_id": payment["id"], "linked_credit_notes": []}
    payment["reversal_transaction_id"] = reversal["id"]
    site.save("transaction", payment)
    for one in payment.get("linked_invoices") or []:
        part = min(amount, one["applied_amount"])
        invoice = site.get("invoice", one["invoice_id"])
        if part <= 0 or invoice is None:
            continue
        amount -= part
        reversal["linked_credit_notes"].append(_credit(site, invoice, part, reversal))
    site.save("transaction", reversal)
    site.tell("transaction_created", transaction=reversal)


def _credit(site: Site, invoice: Object, amount: int, reversal: Object) -> Object:
    note = new_note(
        site,
        "refundable",
        amount,
        customer=invoice["customer_id"],
        currency=invoice["currency_code"],
        invoice=invoice,
        reason="chargeback",
    )
    restate(site, invoice)
    use_note(site, note, "amount_refunded", amount)
    note["linked_refunds"].append(
        {
            "txn_id": reversal["id"],
            "applied_amount": amount,
            "applied_at": site.now(),
            "txn_status": "success",
            "txn_date": reversal["date"],
            "txn_amount": reversal["amount"],
        }
    )
    site.save("credit_note", note)
    show_note(site, note)
    return credit_link(site, note, amount)


def end_dispute(site: Site, id: str, status: str) -> None:
    """Close a dispute. ValueError for one that is closed, or a status that closes none."""
    dispute = site.get("dispute", id)
    if dispute is None or dispute["status"] not in _OPEN:
        raise ValueError(f"{id} is not an open dispute")
    if status not in ("won", "lost", "cancelled"):
        raise ValueError(f"{status} does not end a dispute")
    dispute["status"] = status
    site.save("dispute", dispute)
    if status == "won" and dispute["type"] == "chargeback":
        back = new_transaction(
            site,
            "payment",
            dispute["amount"],
            dispute["currency_code"],
            customer_id=dispute.get("customer_id"),
            method="chargeback",
            date=site.now(),
        )
        back["amount_unused"] = dispute["amount"]
        site.save("transaction", back)
        owner, currency = dispute.get("customer_id"), dispute["currency_code"]
        add_to_balance(site, owner, currency, "excess_payments", dispute["amount"])
        site.tell("transaction_created", transaction=back)
