"""Charges: money taken from a payment method. https://docs.stripe.com/api/charges"""

from __future__ import annotations

from typing import Any

from . import ledger
from .account import Account, Object
from .errors import ApiError, bad_request, declined
from .money import check_charge, currency_of
from .params import PAGING
from .payment_methods import decline_of, last_four, resolve
from .routes import Call, Route, merge_metadata, sub_list, take

_NO_WHERE = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None,
             "state": None}  # fmt: skip
_EVIDENCE_DAYS = 7
_CAPTURING = {"extended_authorization": "disabled", "incremental_authorization": "unavailable",
              "multicapture": "unavailable"}  # fmt: skip
_NOT_OF_THIS_CARD = dict.fromkeys((
    "authorization_code", "installments", "mandate", "network_transaction_id",
    "regulated_status", "three_d_secure", "transaction_link_id",
))  # fmt: skip
_EVIDENCE = """access_activity_log billing_address cancellation_policy
    cancellation_policy_disclosure cancellation_rebuttal customer_communication
    customer_email_address customer_name customer_purchase_ip customer_signature
    duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id
    product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation
    service_date service_documentation shipping_address shipping_carrier shipping_date
    shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"""


def make(
    account: Account,
    amount: int,
    currency: str,
    method: Object,
    *,
    customer: str | None = None,
    intent: str | None = None,
    capture: bool = True,
    description: str | None = None,
) -> Object:
    """Charge the method. The charge's status says whether that worked."""
    decline = decline_of(method)
    item = blank(account, amount, currency, method)
    item |= {"customer": customer, "payment_intent": intent, "description": description}
    if decline is not None:
        item["status"], item["paid"] = "failed", False
        item["failure_code"] = "expired_card" if decline == "expired_card" else "card_declined"
        item["failure_message"] = "Your card was declined."
        item["outcome"] |= {"type": "issuer_declined", "network_status": "declined_by_network",
                            "reason": decline,
                            "seller_message": "The bank did not authorize."}  # fmt: skip
        return account.save("charge", item, "charge.failed")
    account.save("charge", item)
    if capture:
        _settle(account, item, amount)
    account.save("charge", item, None)
    account.emit_about("charge.succeeded", item)
    if capture and last_four(method) == "0259":
        _dispute(account, item)
    return account.need("charge", item["id"])


def refusal(charge: Object, **more: Any) -> ApiError:
    """The 402 that tells of a failed charge."""
    reason = str(charge["outcome"]["reason"])
    return declined(reason, charge=charge["id"], **more)


def capture(account: Account, item: Object, amount: int) -> Object:
    """Take an authorised amount, or a part of it; the rest is released."""
    _settle(account, item, amount)
    item["amount_refunded"] = item["amount"] - amount
    account.save("charge", item)
    account.emit_about("charge.captured", item)
    return item


def _settle(account: Account, item: Object, amount: int) -> None:
    entry = ledger.record(
        account, amount, item["currency"], item["id"], "charge",
        fee=ledger.card_fee(amount), description=item["description"],
    )  # fmt: skip
    item |= {"captured": True, "amount_captured": amount, "balance_transaction": entry["id"]}


def blank(account: Account, amount: int, currency: str, method: Object) -> Object:
    """A charge on this method, as if it went through; not saved."""
    card = method.get("card") or {}
    return {
        "id": account.new_id("charge"),
        "object": "charge",
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method.get("billing_details")
        or {"address": _NO_WHERE, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": account.name.upper(),
        "captured": False,
        "created": account.now(),
        "currency": currency,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": None,
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {name: card.get(name) for name in
                     ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint",
                      "funding", "last4", "wallet")}
            | {"network": card.get("brand"), "amount_authorized": amount,
               "network_token": {"used": False}, **_NOT_OF_THIS_CARD}
            | {name: {"status": status} for name, status in _CAPTURING.items()}
            | {"overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"}},
            "type": "card",
        },
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip


def _dispute(account: Account, charge: Object) -> None:
    """What Stripe's test card for disputes leads to: the money and a fee are taken back."""
    id = account.new_id("dispute")
    entry = ledger.record(
        account, -charge["amount"], charge["currency"], id, "adjustment",
        fee=1500, category="dispute", description=f"Chargeback withdrawal for {charge['id']}",
    )  # fmt: skip
    item: Object = {
        "id": id,
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [entry],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE.split()), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": account.now() + _EVIDENCE_DAYS * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "83",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": "needs_response",
    }
    account.save("dispute", item, "charge.dispute.created")
    account.emit_about("charge.dispute.funds_withdrawn", item)
    charge["disputed"] = True
    account.save("charge", charge, "charge.updated")


def _update_dispute(call: Call) -> Object:
    """Evidence with the documented test words decides the case at once."""
    item = call.account.need("dispute", call.id)
    merge_metadata(item, call)
    evidence = call.get("evidence") or {}
    if evidence and item["status"] not in ("needs_response", "warning_needs_response"):
        raise bad_request("This dispute is already closed or under review.")
    item["evidence"] = {**(item.get("evidence") or {}), **evidence}
    if evidence:
        item["evidence_details"]["has_evidence"] = True
        if call.get("submit", True):
            item["evidence_details"]["submission_count"] += 1
            item["evidence_details"]["submission_method"] = "manual"
            item["status"] = "under_review"
    call.account.save("dispute", item, "charge.dispute.updated")
    word = evidence.get("uncategorized_text")
    if word in ("winning_evidence", "losing_evidence"):
        return _decide_dispute(call.account, item, won=word == "winning_evidence")
    return item


def _close_dispute(call: Call) -> Object:
    item = call.account.need("dispute", call.id)
    if item["status"] in ("won", "lost"):
        raise bad_request("This dispute is already closed.")
    return _decide_dispute(call.account, item, won=False)


def _decide_dispute(account: Account, item: Object, *, won: bool) -> Object:
    item["status"] = "won" if won else "lost"
    if won:
        entry = ledger.record(
            account, item["amount"], item["currency"], item["id"], "adjustment",
            category="dispute_reversal",
            description=f"Chargeback reversal for {item['charge']}",
        )  # fmt: skip
        item["balance_transactions"].append(entry)
        account.save("dispute", item)
        account.emit_about("charge.dispute.funds_reinstated", item)
    account.save("dispute", item)
    account.emit_about("charge.dispute.closed", item)
    return item


def _create(call: Call) -> Object:
    currency = currency_of(call.params["currency"])
    check_charge(call.params["amount"], currency)
    source = call.get("source")
    if source is None:
        raise bad_request("Must provide source or customer.", code="parameter_missing",
                          param="source")  # fmt: skip
    method = resolve(call.account, source.replace("tok_", "pm_card_"), param="source")
    item = make(
        call.account, call.params["amount"], currency, method,
        customer=call.get("customer"), capture=call.get("capture", True),
        description=call.get("description"),
    )  # fmt: skip
    merge_metadata(item, call)
    call.account.save("charge", item)
    if item["status"] == "failed":
        raise refusal(item)
    return item


def _update(call: Call) -> Object:
    item = call.account.need("charge", call.id)
    take(item, call, "description receipt_email transfer_group")
    merge_metadata(item, call)
    return call.account.save("charge", item, "charge.updated")


def _capture(call: Call) -> Object:
    item = call.account.need("charge", call.id)
    if item["captured"] or item["status"] != "succeeded":
        raise ApiError(400, f"Charge {call.id} has already been captured.",
                       code="charge_already_captured")  # fmt: skip
    amount = call.get("amount", item["amount"])
    if not 1 <= amount <= item["amount"]:
        raise bad_request("The amount is larger than what was authorised.",
                          code="amount_too_large", param="amount")  # fmt: skip
    return capture(call.account, item, amount)


ROUTES = [
    Route("POST", "/v1/charges", _create, """amount!:i currency! customer capture:b description
          metadata?:m source receipt_email statement_descriptor statement_descriptor_suffix
          shipping:x transfer_group expand:l"""),
    Route("POST", "/v1/charges/{}", _update, """customer description metadata?:m receipt_email
          transfer_group shipping:x fraud_details:x expand:l"""),
    Route("POST", "/v1/charges/{}/capture", _capture,
          "amount:i receipt_email statement_descriptor statement_descriptor_suffix expand:l"),
    Route("GET", "/v1/charges/{}/refunds", sub_list("refund", "charge", "charge"), PAGING),
    Route("POST", "/v1/disputes/{}", _update_dispute,
          "evidence:x metadata?:m submit:b intended_submission_method expand:l"),
    Route("POST", "/v1/disputes/{}/close", _close_dispute, "expand:l"),
]  # fmt: skip
