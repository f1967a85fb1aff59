"""Payment intents. https://docs.stripe.com/payments/paymentintents/lifecycle"""

from __future__ import annotations

from . import charges
from .account import Account, Object
from .errors import ApiError, bad_request
from .money import check_charge, currency_of
from .payment_methods import of_customer, resolve
from .routes import Call, Route, merge_metadata, take


def new(account: Account, amount: int, currency: str, customer: str | None) -> Object:
    """An intent that waits for a payment method; not saved yet."""
    id = account.new_id("payment_intent")
    return {
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{id}_secret_{account.random_text(24)}",
        "confirmation_method": "automatic",
        "created": account.now(),
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def confirm(account: Account, item: Object, method: Object) -> Object:
    """Charge the method. The intent's status says how it went; nothing is raised."""
    capture = item["capture_method"] != "manual"
    charge = charges.make(
        account, item["amount"], item["currency"], method, customer=item["customer"],
        intent=item["id"], capture=capture, description=item["description"],
    )  # fmt: skip
    item["latest_charge"] = charge["id"]
    if charge["status"] == "failed":
        error = charges.refusal(charge).body["error"]
        item |= {"status": "requires_payment_method", "payment_method": None,
                 "last_payment_error": {**error, "payment_method": method}}  # fmt: skip
        account.save("payment_intent", item)
        account.emit_about("payment_intent.payment_failed", item)
        return item
    item |= {"payment_method": method["id"], "last_payment_error": None}
    if not capture:
        item |= {"status": "requires_capture", "amount_capturable": item["amount"]}
        account.save("payment_intent", item)
        account.emit_about("payment_intent.amount_capturable_updated", item)
        return item
    item |= {"status": "succeeded", "amount_received": item["amount"]}
    account.save("payment_intent", item)
    account.emit_about("payment_intent.succeeded", item)
    account.when_paid(item)
    return item


def failure(account: Account, item: Object) -> ApiError:
    """The 402 for an intent whose charge failed."""
    charge = account.need("charge", item["latest_charge"])
    return charges.refusal(charge, payment_intent=item)


def cancel(account: Account, item: Object, reason: str | None) -> Object:
    item |= {"status": "canceled", "canceled_at": account.now(), "cancellation_reason": reason,
             "amount_capturable": 0}  # fmt: skip
    account.save("payment_intent", item)
    account.emit_about("payment_intent.canceled", item)
    return item


def _unexpected(item: Object, doing: str, allowed: str) -> ApiError:
    return ApiError(
        400,
        f"A PaymentIntent that is {item['status']} cannot be {doing}; its status must be one of "
        f"{allowed}.",
        code="payment_intent_unexpected_state",
        payment_intent=item,
    )


def _create(call: Call) -> Object:
    account = call.account
    currency = currency_of(call.params["currency"])
    check_charge(call.params["amount"], currency)
    customer = call.get("customer")
    if customer is not None:
        account.need("customer", customer, param="customer")
    item = new(account, call.params["amount"], currency, customer)
    _fill(item, call)
    if call.get("automatic_payment_methods", {}).get("enabled") == "true":
        item["automatic_payment_methods"] = {"allow_redirects": "always", "enabled": True}
    _set_method(item, call)
    account.save("payment_intent", item, "payment_intent.created")
    return _confirm_now(account, item) if call.get("confirm") else item


def _fill(item: Object, call: Call) -> None:
    take(
        item,
        call,
        """capture_method confirmation_method description receipt_email
         setup_future_usage statement_descriptor statement_descriptor_suffix transfer_group""",
    )
    if "payment_method_types" in call.params:
        item["payment_method_types"] = call.params["payment_method_types"]
    merge_metadata(item, call)


def _set_method(item: Object, call: Call) -> None:
    named = call.get("payment_method")
    if named is None:
        return
    method = resolve(call.account, named)
    if method.get("customer") not in (None, item["customer"]):
        raise bad_request(
            "The payment method belongs to a customer; name that customer in the request.",
            param="payment_method",
        )
    if item["customer"] and item["setup_future_usage"]:
        of_customer(call.account, method["id"], item["customer"])
    item |= {"payment_method": method["id"], "status": "requires_confirmation"}


def _confirm_now(account: Account, item: Object) -> Object:
    if item["status"] != "requires_confirmation":
        if item["status"] == "requires_payment_method":
            raise ApiError(
                400,
                "The PaymentIntent has no payment method to confirm.",
                code="payment_intent_unexpected_state",
                payment_intent=item,
            )
        raise _unexpected(item, "confirmed", "requires_confirmation, requires_action")
    confirm(account, item, account.need("payment_method", item["payment_method"]))
    if item["last_payment_error"]:
        raise failure(account, item)
    return item


def _update(call: Call) -> Object:
    item = call.account.need("payment_intent", call.id)
    fixed = {"amount", "currency", "payment_method"} & call.params.keys()
    if fixed and not item["status"].startswith("requires_"):
        raise _unexpected(item, "updated", "requires_payment_method, requires_confirmation")
    if "currency" in call.params:
        item["currency"] = currency_of(call.params["currency"])
    if "amount" in call.params:
        check_charge(call.params["amount"], item["currency"])
        item["amount"] = call.params["amount"]
    if "customer" in call.params:
        call.account.need("customer", call.params["customer"], param="customer")
        item["customer"] = call.params["customer"]
    _fill(item, call)
    _set_method(item, call)
    return call.account.save("payment_intent", item)


def _confirm(call: Call) -> Object:
    item = call.account.need("payment_intent", call.id)
    if item["status"] in ("succeeded", "canceled", "requires_capture", "processing"):
        raise _unexpected(item, "confirmed", "requires_confirmation, requires_action")
    _fill(item, call)
    _set_method(item, call)
    return _confirm_now(call.account, item)


def _capture(call: Call) -> Object:
    account, item = call.account, call.account.need("payment_intent", call.id)
    if item["status"] != "requires_capture":
        raise _unexpected(item, "captured", "requires_capture")
    amount = call.get("amount_to_capture", item["amount_capturable"])
    if not 1 <= amount <= item["amount_capturable"]:
        raise bad_request("The amount to capture is larger than what was authorised.",
                          code="amount_too_large", param="amount_to_capture")  # fmt: skip
    charges.capture(account, account.need("charge", item["latest_charge"]), amount)
    item |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    account.save("payment_intent", item)
    account.emit_about("payment_intent.succeeded", item)
    account.when_paid(item)
    return item


def _cancel(call: Call) -> Object:
    item = call.account.need("payment_intent", call.id)
    if item["status"] in ("succeeded", "canceled", "processing"):
        raise _unexpected(item, "canceled",
                          "requires_payment_method, requires_capture, requires_confirmation, "
                          "requires_action, processing")  # fmt: skip
    return cancel(call.account, item, call.get("cancellation_reason"))


_WRITE = """amount:i currency customer description metadata?:m payment_method receipt_email?
    setup_future_usage:off_session/on_session statement_descriptor statement_descriptor_suffix
    payment_method_types:l payment_method_options:x payment_method_data:x shipping:x
    capture_method:automatic/automatic_async/manual transfer_group amount_details:x
    payment_details:x expand:l"""
_BASE = "/v1/payment_intents"
ROUTES = [
    Route("POST", _BASE, _create, _WRITE.replace("amount:i", "amount!:i").replace(
          "currency ", "currency! ", 1) + """ automatic_payment_methods:{enabled allow_redirects}
          confirm:b confirmation_method:automatic/manual off_session return_url
          error_on_requires_action:b mandate mandate_data:x radar_options:x
          use_stripe_sdk:b"""),
    Route("POST", _BASE + "/{}", _update, _WRITE),
    Route("POST", _BASE + "/{}/confirm", _confirm, """payment_method receipt_email
          setup_future_usage:off_session/on_session capture_method:automatic/automatic_async/manual
          payment_method_options:x payment_method_types:l payment_method_data:x off_session
          return_url error_on_requires_action:b mandate mandate_data:x shipping:x
          use_stripe_sdk:b radar_options:x expand:l"""),
    Route("POST", _BASE + "/{}/capture", _capture, """amount_to_capture:i metadata?:m
          statement_descriptor statement_descriptor_suffix expand:l"""),
    Route("POST", _BASE + "/{}/cancel", _cancel, """cancellation_reason:duplicate/fraudulent/\
requested_by_customer/abandoned expand:l"""),
]  # fmt: skip
