"""Refunds. https://docs.stripe.com/api/refunds"""

from __future__ import annotations

from . import ledger
from .account import Account, Object
from .codec import encode
from .errors import ApiError, bad_request
from .money import check_digits
from .routes import Call, Route, merge_metadata


def refund(
    account: Account,
    charge: Object,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Object | None = None,
) -> Object:
    """Give back a charge or a part of it. Raises ApiError (400) when that is not possible."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise bad_request(f"Charge {charge['id']} cannot be refunded: it was not captured.")
    if left <= 0:
        raise ApiError(400, f"Charge {charge['id']} has already been refunded.",
                       code="charge_already_refunded")  # fmt: skip
    if charge["disputed"]:
        raise ApiError(400, f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                       code="charge_disputed")  # fmt: skip
    amount = left if amount is None else amount
    if amount < 1:
        raise bad_request("Invalid positive integer", code="parameter_invalid_integer",
                          param="amount")  # fmt: skip
    check_digits(amount, charge["currency"])
    if amount > left:
        raise bad_request(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    item = _write(account, charge, amount, reason, metadata or {})
    before = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.save("charge", charge)
    previous = {name: old for name, old in before.items() if charge[name] != old}
    account.emit("charge.refunded", encode(charge), previous)
    return item


def _write(
    account: Account, charge: Object, amount: int, reason: str | None, metadata: Object
) -> Object:
    id = account.new_id("refund")
    entry = ledger.record(account, -amount, charge["currency"], id, "refund",
                          description=f"REFUND FOR CHARGE {charge['id']}")  # fmt: skip
    item: Object = {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": entry["id"],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    account.save("refund", item, "refund.created")
    return item


def _create(call: Call) -> Object:
    account = call.account
    charge_id, intent_id = call.get("charge"), call.get("payment_intent")
    if charge_id is None and intent_id is None:
        raise bad_request(
            "A refund names the payment_intent or the charge it gives back.",
            code="parameter_missing",
        )
    if intent_id is not None:
        intent = account.need("payment_intent", intent_id, param="payment_intent")
        charge_id = charge_id or intent["latest_charge"]
        if charge_id is None:
            raise bad_request(f"PaymentIntent {intent_id} has no successful charge to refund.",
                              param="payment_intent")  # fmt: skip
    charge = account.need("charge", str(charge_id), param="charge")
    told: Object = {}
    merge_metadata(told, call)
    return refund(account, charge, call.get("amount"), call.get("reason"), told.get("metadata"))


def _update(call: Call) -> Object:
    item = call.account.need("refund", call.id)
    merge_metadata(item, call)
    return call.account.save("refund", item, "refund.updated")


def _cancel(call: Call) -> Object:
    item = call.account.need("refund", call.id)
    raise bad_request(f"Refund {call.id} cannot be canceled: its status is {item['status']}.")


ROUTES = [
    Route("POST", "/v1/refunds", _create, """amount:i charge currency customer instructions_email
          metadata?:m origin payment_intent reason:duplicate/fraudulent/requested_by_customer
          refund_application_fee:b reverse_transfer:b expand:l"""),
    Route("POST", "/v1/refunds/{}", _update, "metadata?:m expand:l"),
    Route("POST", "/v1/refunds/{}/cancel", _cancel, "expand:l"),
]  # fmt: skip
