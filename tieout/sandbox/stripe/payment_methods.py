"""Payment methods, among them the documented test ones. https://docs.stripe.com/testing"""

from __future__ import annotations

from .account import Account, Object
from .errors import bad_request, declined
from .routes import Call, Route, merge_metadata

# name -> (brand, last four digits, decline code or None)
_TEST_CARDS: dict[str, tuple[str, str, str | None]] = {
    "pm_card_visa": ("visa", "4242", None),
    "pm_card_visa_debit": ("visa", "5556", None),
    "pm_card_mastercard": ("mastercard", "4444", None),
    "pm_card_amex": ("amex", "8431", None),
    "pm_card_discover": ("discover", "9424", None),
    "pm_card_bypassPending": ("visa", "0077", None),
    "pm_card_createDispute": ("visa", "0259", None),
    "pm_card_chargeCustomerFail": ("visa", "0341", "generic_decline"),
    "pm_card_chargeDeclined": ("visa", "0002", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("visa", "0002", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("visa", "0069", "expired_card"),
    "pm_card_visa_chargeDeclinedLostCard": ("visa", "9987", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("visa", "9979", "stolen_card"),
}
_DECLINES = {card[1]: card[2] for card in _TEST_CARDS.values()}
_REFUSES_ATTACHMENT = frozenset({"0002", "9995", "0069", "9987", "9979"})
_BY_NUMBER = {
    "4242424242424242": "pm_card_visa",
    "5555555555554444": "pm_card_mastercard",
    "4000000000000341": "pm_card_chargeCustomerFail",
    "4000000000000002": "pm_card_chargeDeclined",
    "4000000000009995": "pm_card_chargeDeclinedInsufficientFunds",
    "4000000000000259": "pm_card_createDispute",
    "4000000000000077": "pm_card_bypassPending",
}


def resolve(account: Account, id: str, *, param: str = "payment_method") -> Object:
    """The payment method; naming a test one makes a new object, as in a sandbox account."""
    if id in _TEST_CARDS:
        return _card(account, *_TEST_CARDS[id][:2])
    return account.need("payment_method", id, param=param)


def of_customer(account: Account, id: str, customer: str) -> Object:
    """The payment method, attached to this customer."""
    item = resolve(account, id)
    if item.get("customer") not in (None, customer):
        raise bad_request("The payment method belongs to another customer.", param="payment_method")
    if item.get("customer") is None:
        decline = decline_of(item)
        if last_four(item) in _REFUSES_ATTACHMENT and decline:
            raise declined(decline)
        item["customer"] = customer
        account.save("payment_method", item, "payment_method.attached")
    return item


def last_four(item: Object) -> str:
    return str((item.get("card") or {}).get("last4", ""))


def decline_of(item: Object) -> str | None:
    """Why charging this test card fails, or None."""
    return _DECLINES.get(last_four(item))


def _card(account: Account, brand: str, last4: str) -> Object:
    item: Object = {
        "id": account.new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": {"city": None, "country": None, "line1": None, "line2": None,
                        "postal_code": None, "state": None},
            "email": None, "name": None, "phone": None, "tax_id": None,
        },
        "card": {
            "brand": brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None,
                       "cvc_check": None},
            "country": "US",
            "display_brand": brand,
            "exp_month": 12,
            "exp_year": account.clock.now().year + 3,
            "fingerprint": account.random_text(16),
            "funding": "credit",
            "generated_from": None,
            "last4": last4,
            "networks": {"available": [brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }  # fmt: skip
    return account.save("payment_method", item)


def _create(call: Call) -> Object:
    card = call.get("card") or {}
    token, number = card.get("token"), card.get("number", "")
    name = token.replace("tok_", "pm_card_") if token else _BY_NUMBER.get(number)
    if name not in _TEST_CARDS:
        raise bad_request("The sandbox knows Stripe's test cards only.", param="card[number]")
    item = _card(call.account, *_TEST_CARDS[name][:2])
    item["billing_details"] |= call.get("billing_details") or {}
    merge_metadata(item, call)
    return call.account.save("payment_method", item)


def _update(call: Call) -> Object:
    item = call.account.need("payment_method", call.id)
    item["billing_details"] |= call.get("billing_details") or {}
    merge_metadata(item, call)
    return call.account.save("payment_method", item, "payment_method.updated")


def _attach(call: Call) -> Object:
    call.account.need("customer", call.params["customer"], param="customer")
    return of_customer(call.account, call.id, call.params["customer"])


def _detach(call: Call) -> Object:
    item = call.account.need("payment_method", call.id)
    if item.get("customer") is None:
        raise bad_request("The payment method is not attached to a customer.")
    owner = call.account.find("customer", item["customer"])
    item["customer"] = None
    call.account.save("payment_method", item, "payment_method.detached")
    if owner and owner["invoice_settings"].get("default_payment_method") == call.id:
        owner["invoice_settings"]["default_payment_method"] = None
        call.account.save("customer", owner, "customer.updated")
    return item


_BASE = "/v1/payment_methods"
_WRITE = "billing_details:{address:x email? name? phone? tax_id?} metadata?:m expand:l"
ROUTES = [
    Route("POST", _BASE, _create, _WRITE + """ type!:card allow_redisplay
          card:{number exp_month:i exp_year:i cvc token networks:x}"""),
    Route("POST", _BASE + "/{}", _update, _WRITE + " card:x allow_redisplay"),
    Route("POST", _BASE + "/{}/attach", _attach, "customer! expand:l"),
    Route("POST", _BASE + "/{}/detach", _detach, "expand:l"),
]  # fmt: skip
