"""Transactions: payments, refunds, and what they are applied to.

https://apidocs.chargebee.com/docs/api/transactions
"""

from __future__ import annotations

from decimal import Decimal

from .customers import add_to_balance, paying_source
from .errors import invalid_request, wrong_state, wrong_value
from .params import group
from .routes import Answered, Call, Route, listed, post
from .shelf import Object
from .site import Site

_ONLINE = frozenset({"card", "direct_debit", "paypal_express_checkout", "amazon_payments"})


def rate(site: Site, currency: str) -> Decimal:
    """The exchange rate to the site's base currency."""
    return site.settings.rates.get(currency, Decimal("1.0"))


def new_transaction(
    site: Site,
    type: str,
    amount: int,
    currency: str,
    *,
    customer_id: str | None,
    method: str,
    date: int,
    status: str = "success",
    subscription_id: str | None = None,
    reference: str | None = None,
    id: str | None = None,
    param: str = "transaction[id]",
) -> Object:
    """A transaction that is not applied to anything yet; not saved."""
    if amount <= 0:
        raise wrong_value("transaction[amount]", "must be greater than zero")
    online = method in _ONLINE
    transaction: Object = {
        "id": site.fresh_id("transaction", id, "txn_", param),
        "customer_id": customer_id,
        "subscription_id": subscription_id,
        "payment_method": method,
        "reference_number": reference,
        "gateway": "chargebee" if online else "not_applicable",
        "gateway_account_id": "gw_test" if online else None,
        "type": type,
        "date": date,
        "exchange_rate": rate(site, currency),
        "amount": amount,
        "id_at_gateway": site.new_id("cb_") if online else None,
        "status": status,
        "deleted": False,
        "currency_code": currency,
        "base_currency_code": site.settings.currency,
    }
    if type == "payment":
        transaction |= {"amount_unused": 0, "linked_invoices": [], "linked_refunds": []}
    return transaction


def charge_card(site: Site, customer: Object, amount: int, invoice: Object) -> Object:
    """What the test gateway says to a payment of this invoice; not applied yet."""
    source = paying_source(site, customer)
    refused = source in site.refused_cards
    payment = new_transaction(
        site,
        "payment",
        amount,
        invoice["currency_code"],
        customer_id=customer["id"],
        method="card",
        date=site.now(),
        status="failure" if refused else "success",
        subscription_id=invoice.get("subscription_id"),
    )
    payment["payment_source_id"] = source
    card = site.get("card", customer["id"])
    payment["masked_card_number"] = card.get("masked_number") if card else None
    if refused:
        payment |= {"error_code": "card_declined", "error_text": "Your card was declined."}
    return payment


def link(site: Site, payment: Object, invoice: Object, amount: int) -> None:
    """Note on both sides that `amount` of the payment goes to the invoice."""
    now = site.now()
    invoice.setdefault("linked_payments", []).append(
        {
            "txn_id": payment["id"],
            "applied_amount": amount,
            "applied_at": now,
            "txn_status": payment["status"],
            "txn_date": payment["date"],
            "txn_amount": payment["amount"],
        }
    )
    payment.setdefault("linked_invoices", []).append(
        {
            "invoice_id": invoice["id"],
            "applied_amount": amount,
            "applied_at": now,
            "invoice_date": invoice["date"],
            "invoice_total": invoice["total"],
            "invoice_status": invoice["status"],
        }
    )


def show_status(payment: Object, invoice: Object) -> None:
    """The invoice's status as the payment's link shows it."""
    for one in payment.get("linked_invoices") or []:
        if one["invoice_id"] == invoice["id"]:
            one["invoice_status"] = invoice["status"]


def new_refund(
    site: Site,
    amount: int,
    payment: Object | None,
    credit_note: Object,
    *,
    method: str,
    date: int,
    reference: str | None = None,
    id: str | None = None,
) -> Object:
    """A refund of that credit note, saved; the notes of the payment and credit note are kept."""
    refund = new_transaction(
        site,
        "refund",
        amount,
        credit_note["currency_code"],
        customer_id=credit_note.get("customer_id"),
        method=method,
        date=date,
        subscription_id=credit_note.get("subscription_id"),
        reference=reference,
        id=id,
    )
    if payment is not None:
        refund["refunded_txn_id"] = payment["id"]
        payment.setdefault("linked_refunds", []).append(
            {
                "txn_id": refund["id"],
                "txn_status": refund["status"],
                "txn_date": refund["date"],
                "txn_amount": amount,
            }
        )
        site.save("transaction", payment)
    refund["linked_credit_notes"] = [credit_link(site, credit_note, amount)]
    site.save("transaction", refund)
    site.tell("transaction_created", transaction=refund)
    return refund


def credit_link(site: Site, note: Object, amount: int) -> Object:
    """A credit note as a refund refers to it."""
    return {
        "cn_id": note["id"],
        "applied_amount": amount,
        "applied_at": site.now(),
        "cn_reason_code": note.get("reason_code"),
        "cn_create_reason_code": note.get("create_reason_code"),
        "cn_date": note["date"],
        "cn_total": note["total"],
        "cn_status": note["status"],
        "cn_reference_invoice_id": note.get("reference_invoice_id"),
    }


def refunded(payment: Object) -> int:
    """How much of a payment went back."""
    gone = payment.get("linked_refunds") or []
    return sum(one["txn_amount"] for one in gone if one.get("txn_status") == "success")


# Endpoints


def _record_excess(call: Call) -> Answered:
    site = call.site
    sent = group(call.params, "transaction", "amount", "date", "payment_method")
    customer = site.need("customer", call.id)
    currency = sent.get("currency_code") or customer["preferred_currency_code"]
    payment = new_transaction(
        site,
        "payment",
        sent["amount"],
        currency,
        customer_id=call.id,
        method=sent["payment_method"],
        date=sent["date"],
        reference=sent.get("reference_number"),
        id=sent.get("id"),
    )
    payment["amount_unused"] = sent["amount"]
    site.save("transaction", payment)
    add_to_balance(site, call.id, currency, "excess_payments", sent["amount"])
    customer = site.need("customer", call.id)
    site.tell("transaction_created", transaction=payment)
    site.tell("payment_succeeded", transaction=payment, customer=customer)
    return {"customer": customer, "transaction": payment}


def _unused(site: Site, id: str) -> tuple[Object, int]:
    payment = site.need("transaction", id)
    if payment["type"] != "payment" or payment["status"] != "success":
        raise wrong_state(f"Transaction {id} is not a successful payment.")
    return payment, int(payment.get("amount_unused") or 0)


def _give_back(call: Call, *, method: str, date: int, reference: str | None) -> Answered:
    site = call.site
    payment, unused = _unused(site, call.id)
    amount = int(call.get("amount", unused))
    if not 0 < amount <= unused:
        raise invalid_request(f"Only {unused} of this payment can be refunded.", param="amount")
    refund = new_transaction(
        site,
        "refund",
        amount,
        payment["currency_code"],
        customer_id=payment.get("customer_id"),
        method=method,
        date=date,
        reference=reference,
    )
    refund |= {"refunded_txn_id": payment["id"], "linked_credit_notes": []}
    site.save("transaction", refund)
    payment["amount_unused"] = unused - amount
    payment.setdefault("linked_refunds", []).append(
        {"txn_id": refund["id"], "txn_status": "success", "txn_date": date, "txn_amount": amount}
    )
    site.save("transaction", payment)
    currency = payment["currency_code"]
    add_to_balance(site, payment.get("customer_id"), currency, "excess_payments", -amount)
    site.tell("transaction_created", transaction=refund)
    site.tell("payment_refunded", transaction=refund)
    return {"transaction": refund}


def _record_refund(call: Call) -> Answered:
    return _give_back(
        call,
        method=call.params["payment_method"],
        date=call.params["date"],
        reference=call.get("reference_number"),
    )


def _refund(call: Call) -> Answered:
    payment, _ = _unused(call.site, call.id)
    if payment["gateway"] == "not_applicable":
        raise invalid_request("An offline payment cannot be refunded at a gateway.")
    return _give_back(call, method=payment["payment_method"], date=call.site.now(), reference=None)


def _delete_offline(call: Call) -> Answered:
    site = call.site
    payment = site.need("transaction", call.id)
    if payment["gateway"] != "not_applicable":
        raise wrong_state("Only offline transactions can be deleted.")
    if payment.get("linked_invoices") or payment.get("linked_refunds"):
        raise wrong_state(f"Transaction {call.id} is applied; remove it from its invoices first.")
    unused = int(payment.get("amount_unused") or 0)
    payment["deleted"] = True
    site.save("transaction", payment)
    currency = payment["currency_code"]
    add_to_balance(site, payment.get("customer_id"), currency, "excess_payments", -unused)
    site.tell("transaction_deleted", transaction=payment)
    return {"transaction": payment}


def _payments_of_invoice(call: Call) -> Answered:
    site = call.site
    invoice = site.need("invoice", call.id)
    ids = [one["txn_id"] for one in invoice.get("linked_payments") or []]
    call.params["id"] = {"in": repr(ids)}
    return listed(call, "transaction") if ids else {"list": []}


ROUTES = [
    post("customers/{}/record_excess_payment", _record_excess, "customer.record_excess_payment"),
    post("transactions/{}/record_refund", _record_refund, "transaction.record_refund"),
    post("transactions/{}/refund", _refund, "transaction.refund"),
    post(
        "transactions/{}/delete_offline_transaction",
        _delete_offline,
        "transaction.delete_offline_transaction",
    ),
    Route("GET", "invoices/{}/payments", _payments_of_invoice, None),
]
