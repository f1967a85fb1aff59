"""The endpoints for invoices and the payments on them. https://docs.stripe.com/api/invoices"""

from __future__ import annotations

from typing import Any

from . import invoices
from .account import Account, Object
from .discounts import redeem
from .errors import ApiError, bad_request
from .invoice_items import bring_in_pending, line_of
from .listing import page
from .money import currency_of
from .params import PAGING
from .routes import Call, Route, merge_metadata, nested_parameters, sub_list, take
from .totals import add_up, line

_FROZEN = frozenset(
    ("collection_method", "days_until_due", "default_tax_rates", "discounts", "number", "issuer",
     "effective_at", "application_fee_amount", "on_behalf_of", "transfer_data", "shipping_cost",
     "automatic_tax", "statement_descriptor", "account_tax_ids")
)  # fmt: skip


# Invoices


def _create(call: Call) -> Object:
    account = call.account
    customer = account.need("customer", _customer_of(call), param="customer")
    currency = currency_of(call.get("currency") or customer.get("currency") or account.currency)
    item = invoices.new(account, customer, currency)
    method = call.get("collection_method", "charge_automatically")
    days, date = call.get("days_until_due"), call.get("due_date")
    if method == "send_invoice" and days is None and date is None:
        raise bad_request(
            "Invoices with collection_method=send_invoice need days_until_due or due_date.",
            param="days_until_due",
        )
    if method != "send_invoice" and (days is not None or date is not None):
        raise bad_request(
            "Only invoices with collection_method=send_invoice have a due date.", param="due_date"
        )
    item |= {"collection_method": method, "due_date": invoices.due_date(account, days, date)}
    item["auto_advance"] = call.get("auto_advance", False)
    _fill(item, call)
    subscription = call.get("subscription")
    if subscription is not None:
        item["parent"] = _subscription_parent(account.need("subscription", subscription,
                                                           param="subscription"))  # fmt: skip
    account.save("invoice", item)
    if call.get("pending_invoice_items_behavior", "exclude") == "include":
        bring_in_pending(account, item, subscription)
    add_up(account, item)
    account.save("invoice", item)
    account.emit_about("invoice.created", item)
    if item["auto_advance"]:
        finalize_later(account, item)
    return item


def _customer_of(call: Call) -> str:
    if call.get("customer") is not None:
        return str(call.params["customer"])
    revised = call.get("from_invoice")
    if revised is not None:
        return str(call.account.need("invoice", revised["invoice"],
                                     param="from_invoice[invoice]")["customer"])  # fmt: skip
    raise bad_request("Missing required param: customer.", code="parameter_missing",
                      param="customer")  # fmt: skip


def _subscription_parent(subscription: Object) -> Object:
    return {
        "quote_details": None,
        "subscription_details": {"metadata": subscription.get("metadata") or {},
                                 "subscription": subscription["id"]},
        "type": "subscription_details",
    }  # fmt: skip


def finalize_later(account: Account, item: Object, seconds: int = 3600) -> None:
    """Drafts that advance on their own are finalized and collected after an hour."""
    item["automatically_finalizes_at"] = account.now() + seconds
    account.save("invoice", item)

    def act() -> None:
        now = account.find("invoice", item["id"])
        if now is not None and now["status"] == "draft" and now["auto_advance"]:
            advance(account, now)

    account.later(item["automatically_finalizes_at"], act)


def advance(account: Account, item: Object) -> Object:
    """Finalize, then charge or send, as `collection_method` says."""
    item = invoices.finalize(account, item)
    if item["status"] != "open":
        return item
    if item["collection_method"] == "send_invoice":
        account.emit_about("invoice.sent", item)
        return item
    if invoices.default_method(account, item) is None:
        return item
    try:
        return invoices.pay(account, item)
    except ApiError:
        return account.need("invoice", item["id"])


def _fill(item: Object, call: Call) -> None:
    account = call.account
    take(
        item,
        call,
        """description footer statement_descriptor default_payment_method
         effective_at custom_fields automatically_finalizes_at on_behalf_of""",
    )
    if "number" in call.params:
        _claim_number(account, item, call.params["number"])
    if "default_tax_rates" in call.params:
        item["default_tax_rates"] = [
            account.need("tax_rate", id, param="default_tax_rates")
            for id in call.params["default_tax_rates"] or []
        ]
    if "discounts" in call.params:
        item["discounts"] = redeem(account, call.params["discounts"], invoice=item["id"])
    for name in ("payment_settings", "automatic_tax", "rendering", "issuer"):
        if name in call.params:
            held = item.get(name) or {}
            item[name] = {**held, **nested_parameters(call.params[name])}
    merge_metadata(item, call)


def _claim_number(account: Account, item: Object, number: str | None) -> None:
    if number is not None and number != item["number"] and number in account.used_numbers:
        raise bad_request(f"The invoice number {number} is already in use.", param="number")
    if item["number"] is not None:
        account.used_numbers.discard(item["number"])
    if number is not None:
        account.used_numbers.add(number)
    item["number"] = number


def _update(call: Call) -> Object:
    item = call.account.need("invoice", call.id)
    frozen = _FROZEN & call.params.keys()
    if item["status"] != "draft" and frozen:
        raise invoices.not_editable(
            item, f"it is finalized, so {', '.join(sorted(frozen))} can no longer be changed."
        )
    take(item, call, "auto_advance collection_method due_date")
    if "days_until_due" in call.params:
        item["due_date"] = invoices.due_date(call.account, call.params["days_until_due"], None)
    _fill(item, call)
    if item["status"] == "draft":
        return invoices.refresh(call.account, item)
    return call.account.save("invoice", item, "invoice.updated")


def _finalize(call: Call) -> Object:
    item = call.account.need("invoice", call.id)
    item["auto_advance"] = call.get("auto_advance", item["auto_advance"])
    if item["status"] == "draft" and item["auto_advance"]:
        return advance(call.account, item)
    return invoices.finalize(call.account, item)


def _pay(call: Call) -> Object:
    return invoices.pay(
        call.account,
        call.account.need("invoice", call.id),
        method=call.get("payment_method"),
        outside=call.get("paid_out_of_band", False),
    )


def _send(call: Call) -> Object:
    account, item = call.account, call.account.need("invoice", call.id)
    if item["collection_method"] != "send_invoice":
        raise bad_request("Only invoices with collection_method=send_invoice can be sent.")
    if item["status"] == "draft":
        item = invoices.finalize(account, item)
    if item["status"] in ("void", "uncollectible"):
        raise bad_request(f"This invoice is {item['status']} and cannot be sent.")
    account.emit_about("invoice.sent", item)
    return item


def _attach(call: Call) -> Object:
    account, item = call.account, call.account.need("invoice", call.id)
    intent = call.get("payment_intent")
    if intent is None:
        raise bad_request("Missing required param: payment_intent.", code="parameter_missing",
                          param="payment_intent")  # fmt: skip
    return invoices.attach(
        account, item, account.need("payment_intent", intent, param="payment_intent")
    )


def _preview(call: Call) -> Object:
    """What an invoice would look like; nothing is kept. https://docs.stripe.com/api/invoices"""
    account = call.account
    customer = account.need("customer", _customer_of(call), param="customer")
    pending = [
        one for one in account.all("invoiceitem", customer=customer["id"])
        if one["invoice"] is None
    ]  # fmt: skip
    currency = call.get("currency") or customer.get("currency") or account.currency
    item = invoices.new(account, customer, currency, id="upcoming_in_" + account.random_text(20))
    item["lines"]["url"] = f"/v1/invoices/{item['id']}/lines"
    made = [line_of(account, one, item["id"])[0] for one in reversed(pending)]
    made += [
        line(account, item["id"], int(sent["amount"]), currency,
             description=sent.get("description"))
        for sent in call.get("invoice_items") or [] if sent.get("amount") is not None
    ]  # fmt: skip
    total = sum(one["amount"] for one in made)
    item["lines"] |= {"data": made[:10], "has_more": len(made) > 10}
    item |= {"subtotal": total, "total": total, "subtotal_excluding_tax": total,
             "total_excluding_tax": total, "billing_reason": "upcoming",
             "amount_due": max(total + int(customer.get("balance") or 0), 0)}  # fmt: skip
    item["amount_remaining"] = item["amount_due"]
    return item


def _act(act: Any) -> Any:
    return lambda call: act(call.account, call.account.need("invoice", call.id))


_INVOICE = """account_tax_ids?:l application_fee_amount:i auto_advance:b automatic_tax:x
    automatically_finalizes_at:i collection_method:charge_automatically/send_invoice
    custom_fields?:[name! value!] days_until_due:i default_payment_method default_source?
    default_tax_rates?:l description? discounts?:[coupon discount promotion_code] due_date:i
    effective_at?:i footer? issuer:x metadata?:m number? on_behalf_of? payment_settings:x
    rendering:x shipping_cost:x shipping_details:x statement_descriptor transfer_data:x expand:l"""
_BASE = "/v1/invoices"
ROUTES = [
    Route("POST", _BASE, _create, _INVOICE + """ currency customer customer_account
          from_invoice:{action! invoice!} pending_invoice_items_behavior:exclude/include
          subscription"""),
    Route("POST", _BASE + "/create_preview", _preview, """customer customer_account subscription
          subscription_details:x schedule schedule_details:x invoice_items:[amount:i currency
          description price quantity:i price_data:x metadata:m] currency discounts:x
          automatic_tax:x customer_details:x issuer:x on_behalf_of preview_mode expand:l"""),
    Route("POST", _BASE + "/{}", _update, _INVOICE),
    Route("DELETE", _BASE + "/{}", _act(invoices.delete), ""),
    Route("POST", _BASE + "/{}/finalize", _finalize, "auto_advance:b expand:l"),
    Route("POST", _BASE + "/{}/pay", _pay, """forgive:b mandate? off_session:b paid_out_of_band:b
          payment_method source expand:l"""),
    Route("POST", _BASE + "/{}/send", _send, "expand:l"),
    Route("POST", _BASE + "/{}/void", _act(invoices.void), "expand:l"),
    Route("POST", _BASE + "/{}/mark_uncollectible", _act(invoices.mark_uncollectible), "expand:l"),
    Route("POST", _BASE + "/{}/attach_payment", _attach, "payment_intent payment_record expand:l"),
    Route("GET", _BASE + "/{}/lines", sub_list("line_item", "invoice", "invoice"), PAGING),
    Route("GET", "/v1/invoice_payments", lambda call: page(
          call.account, "invoice_payment", call.params, url="/v1/invoice_payments"),
          PAGING + """ created:r invoice status:canceled/open/paid
          payment:{type!:payment_intent/payment_record payment_intent payment_record}"""),
]  # fmt: skip
