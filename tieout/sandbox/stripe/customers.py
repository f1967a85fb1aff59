"""Customers, their tax ids and their credit balance. https://docs.stripe.com/api/customers"""

from __future__ import annotations

from .account import Account, Object
from .errors import bad_request
from .money import currency_of
from .params import PAGING
from .payment_methods import of_customer
from .routes import Call, Route, merge_metadata, sub_list, take

ADDRESS = "{city? country? line1? line2? postal_code? state?}"
SHIPPING = "{address:" + ADDRESS + " name? phone? carrier? tracking_number?}"
_FIELDS = f"""address?:{ADDRESS} balance:i business_name? description? email? individual_name?
    invoice_prefix invoice_settings:{{custom_fields?:[name! value!] default_payment_method? footer?
    rendering_options?:{{amount_tax_display? template?}}}} metadata?:m name? next_invoice_sequence:i
    phone? preferred_locales:l shipping?:{SHIPPING} tax:x tax_exempt?:exempt/none/reverse
    cash_balance:x source validate:b expand:l"""
_PLAIN = """business_name description email individual_name invoice_prefix name
    next_invoice_sequence phone preferred_locales"""
_NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None,
               "state": None}  # fmt: skip


def customer(account: Account) -> Object:
    """A new customer with nothing filled in."""
    return {
        "id": account.new_id("customer"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "business_name": None,
        "created": account.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "individual_name": None,
        "invoice_prefix": account.random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def create(call: Call) -> Object:
    item = customer(call.account)
    method = call.get("payment_method")
    _fill(item, call)
    if method is not None:
        item["invoice_settings"]["default_payment_method"] = _attach(call.account, method, item)
    call.account.save("customer", item, "customer.created")
    for sent in call.get("tax_id_data") or []:
        _add_tax_id(call.account, item["id"], sent["type"], sent["value"])
    return item


def update(call: Call) -> Object:
    item = call.account.need("customer", call.id)
    before = item["balance"] if isinstance(item.get("balance"), int) else 0
    _fill(item, call)
    if item.get("balance", 0) != before:
        after, item["balance"] = item["balance"], before
        change_balance(call.account, item, after - before, "adjustment")
    return call.account.save("customer", item, "customer.updated")


def _fill(item: Object, call: Call) -> None:
    take(item, call, _PLAIN)
    merge_metadata(item, call)
    if "balance" in call.params:
        item["balance"] = call.params["balance"]
    if "tax_exempt" in call.params:
        item["tax_exempt"] = call.params["tax_exempt"] or "none"
    if (email := call.get("email")) is not None and ("@" not in email or len(email) > 512):
        raise bad_request(f"Invalid email address: {email}", param="email")
    if "address" in call.params:
        sent = call.params["address"]
        item["address"] = None if sent is None else {**_NO_ADDRESS, **sent}
    if "shipping" in call.params:
        sent = call.params["shipping"]
        if sent is not None:
            address = {**_NO_ADDRESS, **(sent.get("address") or {})}
            sent = {"phone": None, **sent, "address": address}
        item["shipping"] = sent
    settings = call.get("invoice_settings") or {}
    method = settings.get("default_payment_method")
    if method is not None:
        settings["default_payment_method"] = _owned(call.account, method, item["id"])
    item["invoice_settings"] = {**(item.get("invoice_settings") or {}), **settings}


def _attach(account: Account, id: str, item: Object) -> str:
    return str(of_customer(account, id, item["id"])["id"])


def _owned(account: Account, id: str, customer_id: str) -> str:
    method = account.need("payment_method", id, param="invoice_settings[default_payment_method]")
    if method.get("customer") != customer_id:
        raise bad_request(
            "The payment method must be attached to the customer before it can be the default.",
            param="invoice_settings[default_payment_method]",
        )
    return id


# Credit balance


def change_balance(
    account: Account,
    item: Object,
    amount: int,
    type: str,
    *,
    invoice: str | None = None,
    credit_note: str | None = None,
    currency: str | None = None,
    description: str | None = None,
) -> Object:
    """Write a ledger entry and move `item["balance"]`; negative amounts are in their favour."""
    ending = int(item.get("balance") or 0) + amount
    entry: Object = {
        "id": account.new_id("customer_balance_transaction"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": account.now(),
        "credit_note": credit_note,
        "currency": currency or item.get("currency") or account.currency,
        "customer": item["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": ending,
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "type": type,
    }
    item["balance"] = ending
    return account.save("customer_balance_transaction", entry)


def _adjust(call: Call) -> Object:
    item = call.account.need("customer", call.id)
    currency = currency_of(call.params["currency"])
    if item.get("currency") and item["currency"] != currency:
        raise bad_request(
            f"The customer's currency is {item['currency']}, not {currency}.", param="currency"
        )
    item["currency"] = currency
    entry = change_balance(
        call.account,
        item,
        call.params["amount"],
        "adjustment",
        currency=currency,
        description=call.get("description"),
    )
    merge_metadata(entry, call)
    call.account.save("customer_balance_transaction", entry)
    call.account.save("customer", item, "customer.updated")
    return entry


def _one_adjustment(call: Call) -> Object:
    return call.account.need("customer_balance_transaction", call.ids[1])


# Tax ids


def _add_tax_id(account: Account, customer_id: str, type: str, value: str) -> Object:
    item: Object = {
        "id": account.new_id("tax_id"),
        "object": "tax_id",
        "country": type[:2].upper() if type != "eu_vat" else value[:2].upper(),
        "created": account.now(),
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "owner": {"customer": customer_id, "customer_account": None, "type": "customer"},
        "type": type,
        "value": value,
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }
    return account.save("tax_id", item, "customer.tax_id.created")


def _create_tax_id(call: Call) -> Object:
    call.account.need("customer", call.id)
    return _add_tax_id(call.account, call.id, call.params["type"], call.params["value"])


def _one_tax_id(call: Call) -> Object:
    return call.account.need("tax_id", call.ids[1])


def _delete_tax_id(call: Call) -> Object:
    item = call.account.need("tax_id", call.ids[1])
    call.account.emit_about("customer.tax_id.deleted", item)
    call.account.drop("tax_id", item["id"])
    return {"id": item["id"], "object": "tax_id", "deleted": True}


_BASE = "/v1/customers/{}"
ROUTES = [
    Route("POST", "/v1/customers", create,
          _FIELDS + " payment_method test_clock tax_id_data:[type! value!]"),
    Route("POST", _BASE, update, _FIELDS + " default_source"),
    Route("GET", _BASE + "/balance_transactions",
          sub_list("customer_balance_transaction", "customer", "customer"),
          PAGING + " created:r invoice"),
    Route("POST", _BASE + "/balance_transactions", _adjust,
          "amount!:i currency! description metadata?:m expand:l"),
    Route("GET", _BASE + "/balance_transactions/{}", _one_adjustment, "expand:l"),
    Route("GET", _BASE + "/tax_ids", sub_list("tax_id", "customer", "customer"), PAGING),
    Route("POST", _BASE + "/tax_ids", _create_tax_id, "type! value! expand:l"),
    Route("GET", _BASE + "/tax_ids/{}", _one_tax_id, "expand:l"),
    Route("DELETE", _BASE + "/tax_ids/{}", _delete_tax_id, ""),
    Route("GET", _BASE + "/payment_methods", sub_list("payment_method", "customer", "customer"),
          PAGING + " type"),
]  # fmt: skip
