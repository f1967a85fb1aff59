"""Payment intents, charges, refunds, disputes and cash as Stripe's API shows them.

https://docs.stripe.com/api/payment_intents/object, .../charges, .../refunds, .../disputes,
.../balance_transactions, .../payouts, .../customer_balance_transactions.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .facts import Attempt, BalanceEntry, Bill, Client, Dispute, Receipt, Refund

Object = dict[str, Any]

_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "do_not_honor": "Your card was declined.",
}


def _mark(text: str, length: int = 16) -> str:
    """A stable made-up reference: the same object always shows the same one."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def payment_intent(one: Receipt, at: int) -> Object:
    done = [attempt for attempt in one.attempts if attempt.at <= at]
    last = done[-1] if done else None
    canceled = one.canceled if one.canceled is not None and one.canceled <= at else None
    succeeded = last is not None and last.failure is None
    status = "succeeded" if succeeded else "canceled" if canceled else "requires_payment_method"
    reason = None
    if canceled:
        reason = "void_invoice" if one.bill.voided else "automatic"
    failed = last if last is not None and last.failure else None
    return {
        "id": one.id,
        "object": "payment_intent",
        "amount": one.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "allowed_payment_method_types": None,
        "amount_received": one.amount if succeeded else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": canceled,
        "cancellation_reason": reason,
        "capture_method": "automatic",
        "client_secret": f"{one.id}_secret_{_mark(one.id, 24)}",
        "confirmation_method": "automatic",
        "created": one.created,
        "currency": one.bill.currency.lower,
        "customer": one.bill.client.id,
        "customer_account": None,
        "description": _purpose(one.bill),
        "excluded_payment_method_types": None,
        "hooks": {"inputs": None},
        "last_payment_error": _payment_error(one, failed) if failed else None,
        "latest_charge": last.charge if last else None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": {"customer_reference": None, "order_reference": one.bill.number},
        "payment_method": _method_id(one) if succeeded else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": [one.method],
        "payment_record": None,
        "presentment_details": None,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None if one.bill.client.sends_invoices else "off_session",
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def _purpose(bill: Bill) -> str:
    reasons = {
        "subscription_create": "Subscription creation",
        "subscription_cycle": "Subscription update",
    }
    return reasons.get(bill.reason, f"Payment for Invoice {bill.number}")


def _method_id(one: Receipt) -> str:
    kind = one.bill.client.id if one.method == "card" else one.id
    return f"pm_1{_mark(kind, 23)}"


def _payment_error(one: Receipt, attempt: Attempt) -> Object:
    code = attempt.failure or ""
    return {
        "charge": attempt.charge,
        "code": "expired_card" if code == "expired_card" else "card_declined",
        "decline_code": code,
        "message": _MESSAGES[code],
        "type": "card_error",
    }


def charge(one: Receipt, attempt: Attempt, at: int) -> Object:
    client, good = one.bill.client, attempt.failure is None
    refunded = sum(back.amount for back in one.refunds if back.created <= at) if good else 0
    disputed = good and one.dispute is not None and one.dispute.created <= at
    code = attempt.failure
    return {
        "id": attempt.charge,
        "object": "charge",
        "amount": one.amount,
        "amount_captured": one.amount if good else 0,
        "amount_refunded": refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": one.transaction if good else None,
        "billing_details": _billing(one.bill),
        "calculated_statement_descriptor": "ATLAS SOFTWARE" if one.method == "card" else None,
        "captured": good,
        "created": attempt.at,
        "currency": one.bill.currency.lower,
        "customer": client.id,
        "description": _purpose(one.bill),
        "disputed": disputed,
        "failure_balance_transaction": None,
        "failure_code": None
        if code is None
        else ("expired_card" if code == "expired_card" else "card_declined"),
        "failure_message": _MESSAGES[code] if code else None,
        "fraud_details": {},
        "level3": None,
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": _outcome(one, code),
        "paid": good,
        "payment_intent": one.id,
        "payment_method": _method_id(one),
        "payment_method_details": _details(one, client),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": one.bill.email,
        "receipt_number": None,
        "receipt_url": f"https://pay.stripe.com/receipts/invoices/{_mark(attempt.charge, 40)}",
        "refunded": refunded == one.amount,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if good else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _billing(bill: Bill) -> Object:
    client = bill.client
    return {
        "address": {
            "city": client.city,
            "country": client.country,
            "line1": client.street,
            "line2": None,
            "postal_code": client.postal_code,
            "state": client.state,
        },
        "email": bill.email,
        "name": client.name,
        "phone": client.phone,
        "tax_id": None,
    }


def _outcome(one: Receipt, code: str | None) -> Object:
    fine = code is None
    return {
        "advice_code": None if fine else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None if fine else "51",
        "network_status": "approved_by_network" if fine else "declined_by_network",
        "reason": code,
        "risk_level": "normal" if one.method == "card" else "not_assessed",
        "seller_message": "Payment complete." if fine else "The bank declined the payment.",
        "type": "authorized" if fine else "issuer_declined",
    }


def _details(one: Receipt, client: Client) -> Object:
    if one.method != "card":
        return {"customer_balance": {}, "type": "customer_balance"}
    brand = {"4242": "visa", "1881": "visa", "0005": "amex"}.get(client.card, "mastercard")
    return {
        "card": {
            "amount_authorized": one.amount,
            "brand": brand,
            "checks": {
                "address_line1_check": "pass",
                "address_postal_code_check": "pass",
                "cvc_check": None,
            },
            "country": client.country,
            "exp_month": 1 + client.index % 12,
            "exp_year": 2031,
            "fingerprint": _mark(client.id),
            "funding": "credit" if client.index % 3 else "debit",
            "installments": None,
            "last4": client.card,
            "mandate": None,
            "network": brand,
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    }


def refund(one: Refund) -> Object:
    receipt = one.receipt
    card = receipt.method == "card"
    details: Object = {"type": receipt.method}
    if card:
        details["card"] = {
            "reference": _mark(one.id, 12),
            "reference_status": "available",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    else:
        details["customer_cash_balance"] = {}
        details["type"] = "customer_cash_balance"
    return {
        "id": one.id,
        "object": "refund",
        "amount": one.amount,
        "balance_transaction": one.transaction,
        "charge": receipt.attempts[-1].charge,
        "created": one.created,
        "currency": receipt.bill.currency.lower,
        "customer": receipt.bill.client.id,
        "customer_account": None,
        "destination_details": details,
        "metadata": {},
        "payment_intent": receipt.id,
        "payment_method": _method_id(receipt),
        "presentment_details": None,
        "reason": one.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


_EVIDENCE = tuple(
    word
    for line in (
        "access_activity_log billing_address cancellation_policy",
        "cancellation_policy_disclosure cancellation_rebuttal customer_communication",
        "customer_email_address customer_name customer_purchase_ip customer_signature",
        "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id",
        "product_description receipt refund_policy refund_policy_disclosure",
        "refund_refusal_explanation service_date service_documentation shipping_address",
        "shipping_carrier shipping_date shipping_documentation shipping_tracking_number",
        "uncategorized_file uncategorized_text",
    )
    for word in line.split()
)


def dispute(receipt: Receipt, one: Dispute, at: int, moved: list[Object]) -> Object:
    """`moved`: its balance transactions, withdrawn and perhaps reinstated."""
    open_still = one.closed is None or one.closed > at
    evidence: Object = dict.fromkeys(_EVIDENCE)
    evidence["enhanced_evidence"] = {}
    return {
        "id": one.id,
        "object": "dispute",
        "amount": one.amount,
        "balance_transactions": [line for line in moved if line["created"] <= at],
        "charge": receipt.attempts[-1].charge,
        "created": one.created,
        "currency": receipt.bill.currency.lower,
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": one.created + 9 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": True,
            "past_due": False,
            "submission_count": 1,
            "submission_method": "manual",
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if one.reason == "fraudulent" else "13.1",
        "payment_intent": receipt.id,
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": one.reason,
        "status": "under_review" if open_still else one.status,
    }


def balance_entry(one: BalanceEntry) -> Object:
    return {
        "id": one.id,
        "object": "customer_balance_transaction",
        "amount": one.amount,
        "checkout_session": None,
        "created": one.created,
        "credit_note": one.credit_note,
        "currency": one.client.currency.lower,
        "customer": one.client.id,
        "customer_account": None,
        "description": None,
        "ending_balance": one.ending,
        "invoice": one.bill,
        "livemode": False,
        "metadata": {},
        "type": one.kind,
    }
