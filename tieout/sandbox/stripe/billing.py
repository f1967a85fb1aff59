"""The endpoints for invoices, their lines and pending invoice items.

https://docs.stripe.com/api/invoices, https://docs.stripe.com/api/invoiceitems
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import invoices
from .account import Account, Object
from .catalog import PRICE_DATA, new_price
from .discounts import redeem
from .errors import ApiError, bad_request
from .kinds import KINDS
from .listing import list_spec, page
from .money import check_digits, currency_of, plain, rounded
from .params import PAGING
from .routes import Call, Route, merge_metadata, nested_parameters, sub_list, take
from .totals import add_up, line, lines_of

_FROZEN = frozenset(
    ("collection_method", "days_until_due", "default_tax_rates", "discounts", "number", "issuer",
     "effective_at", "application_fee_amount", "on_behalf_of", "transfer_data", "shipping_cost",
     "automatic_tax", "statement_descriptor", "account_tax_ids")
)  # fmt: skip


# Invoices


def _create(call: Call) -> Object:
    account = call.account
    customer = account.need("customer", _customer_of(call), param="customer")
    currency = currency_of(
        call.get("currency") or customer.get("currency") or account.currency
    )
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
    take(item, call, """description footer statement_descriptor default_payment_method
         effective_at custom_fields automatically_finalizes_at on_behalf_of""")
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
        raise bad_request("You can only manually send an invoice with "
                          "collection_method=send_invoice.")  # fmt: skip
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
    made = [_line_of(account, one, item["id"])[0] for one in reversed(pending)]
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


# Invoice items


def _create_item(call: Call) -> Object:
    account = call.account
    invoice = call.get("invoice")
    target = account.need("invoice", invoice, param="invoice") if invoice is not None else None
    owner = call.get("customer") or (target or {}).get("customer")
    if owner is None:
        raise bad_request("Missing required param: customer.", code="parameter_missing",
                          param="customer")  # fmt: skip
    customer = account.need("customer", owner, param="customer")
    if target is not None:
        _check_target(target, customer)
    item = new_item(account, customer, call.params, target)
    merge_metadata(item, call)
    account.save("invoiceitem", item, "invoiceitem.created",
                 hidden={"tax_rates": call.get("tax_rates") or []})  # fmt: skip
    if target is not None:
        put_on_invoice(account, item, target)
        invoices.refresh(account, target)
    return item


def _check_target(target: Object, customer: Object) -> None:
    if target["status"] != "draft":
        raise invoices.not_editable(target, "it is finalized, so items can no longer be added.")
    if target["customer"] != customer["id"]:
        raise bad_request("The invoice belongs to another customer.", param="invoice")


def new_item(
    account: Account, customer: Object, sent: dict[str, Any], target: Object | None
) -> Object:
    """An invoice item from its parameters, not saved yet."""
    unit, currency, price = _pricing(account, customer, sent, target)
    quantity = Decimal(sent.get("quantity", sent.get("quantity_decimal") or 1))
    amount = sent["amount"] if "amount" in sent else rounded(unit * quantity)
    check_digits(amount, currency)
    if target is not None and target["currency"] != currency:
        if lines_of(account, target["id"]):
            raise bad_request(
                f"The currency {currency} differs from the invoice's, {target['currency']}.",
                param="currency",
            )
        target["currency"] = currency
    now = account.now()
    period = sent.get("period") or {"start": now, "end": now}
    if period["start"] > period["end"]:
        raise bad_request("The period must not end before it starts.", param="period[end]")
    return {
        "id": account.new_id("invoiceitem"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": now,
        "description": sent.get("description"),
        "discountable": sent.get("discountable", True) and amount > 0,
        "discounts": [],
        "frozen_fields": [],
        "invoice": None if target is None else target["id"],
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": _item_parent(sent.get("subscription")),
        "period": {"end": period["end"], "start": period["start"]},
        "pricing": _pricing_shape(price, unit if "amount" not in sent else Decimal(amount)),
        "proration": False,
        "proration_details": None,
        "quantity": int(quantity),
        "quantity_decimal": plain(quantity),
        "tax_rates": [account.need("tax_rate", id, param="tax_rates")
                      for id in sent.get("tax_rates") or []],
        "test_clock": None,
    }  # fmt: skip


def _pricing(
    account: Account, customer: Object, sent: dict[str, Any], target: Object | None
) -> tuple[Decimal, str, Object | None]:
    """Unit amount, currency, price."""
    named = (sent.get("pricing") or {}).get("price")
    if sent.get("price_data"):
        price = new_price(account, {**sent["price_data"], "active": False})
    elif named:
        price = account.need("price", named, param="pricing[price]")
    else:
        price = None
    if price is not None:
        if price["type"] != "one_time":
            raise bad_request("Invoice items take one-time prices only.", param="pricing[price]")
        return Decimal(price["unit_amount_decimal"] or 0), str(price["currency"]), price
    if "amount" not in sent and "unit_amount_decimal" not in sent:
        raise bad_request("One of amount, unit_amount_decimal, pricing or price_data is needed.",
                          code="parameter_missing", param="amount")  # fmt: skip
    default = (target or {}).get("currency") or customer.get("currency")
    if "currency" not in sent and default is None:
        raise bad_request("Missing required param: currency.", code="parameter_missing",
                          param="currency")  # fmt: skip
    unit = sent.get("unit_amount_decimal", Decimal(sent.get("amount", 0)))
    return unit, currency_of(sent.get("currency") or str(default)), None


def _pricing_shape(price: Object | None, unit: Decimal) -> Object:
    if price is None:
        return {"type": "price_details", "unit_amount_decimal": plain(unit)}
    details = {"price": price["id"], "product": price["product"]}
    return {"price_details": details, "type": "price_details", "unit_amount_decimal": plain(unit)}


def _item_parent(subscription: str | None) -> Object | None:
    if subscription is None:
        return None
    details = {"subscription": subscription, "subscription_item": None}
    return {"subscription_details": details, "type": "subscription_details"}


def _line_of(account: Account, item: Object, invoice: str) -> tuple[Object, list[str]]:
    row = account.shelf("invoiceitem").get(item["id"])
    rates = list(row.hidden.get("tax_rates") or []) if row else []
    details = (item["parent"] or {}).get("subscription_details") or {}
    made = line(
        account, invoice, item["amount"], item["currency"],
        description=item["description"], discountable=item["discountable"],
        metadata=item["metadata"], period=item["period"], pricing=item["pricing"],
        quantity=item["quantity"], quantity_decimal=item["quantity_decimal"],
        parent={
            "invoice_item_details": {
                "invoice_item": item["id"], "proration": item["proration"],
                "proration_details": {"credited_items": None},
                "subscription": details.get("subscription"),
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
    )  # fmt: skip
    return made, rates


def put_on_invoice(account: Account, item: Object, target: Object) -> None:
    """Make the item a line of a draft."""
    made, rates = _line_of(account, item, target["id"])
    account.save("line_item", made, hidden={"tax_rates": rates})
    item["invoice"] = target["id"]
    account.save("invoiceitem", item)


def bring_in_pending(account: Account, target: Object, subscription: str | None) -> None:
    """Put the customer's pending items of the invoice's currency on it, oldest first."""
    pending = [
        item for item in account.all("invoiceitem", customer=target["customer"])
        if item["invoice"] is None and item["currency"] == target["currency"]
        and (subscription is None or (item["parent"] or {}).get("subscription_details", {})
             .get("subscription") in (None, subscription))
    ]  # fmt: skip
    for item in reversed(pending):
        put_on_invoice(account, item, target)


def _line_for(account: Account, item: Object) -> Object | None:
    for one in lines_of(account, str(item["invoice"])):
        details = (one["parent"] or {}).get("invoice_item_details") or {}
        if details.get("invoice_item") == item["id"]:
            return one
    return None


def _draft_of(account: Account, item: Object) -> Object | None:
    """The draft an item stands on. Raises ApiError when the invoice is final."""
    if item["invoice"] is None:
        return None
    target = account.need("invoice", item["invoice"])
    if target["status"] != "draft":
        raise invoices.not_editable(target, "it is finalized, so its items cannot be changed.")
    return target


def _update_item(call: Call) -> Object:
    account, item = call.account, call.account.need("invoiceitem", call.id)
    target = _draft_of(account, item)
    take(item, call, "description discountable period")
    if "quantity" in call.params and "amount" not in call.params:
        unit = Decimal(item["pricing"]["unit_amount_decimal"])
        item["quantity"] = call.params["quantity"]
        item["quantity_decimal"] = str(item["quantity"])
        item["amount"] = rounded(unit * item["quantity"])
    if "amount" in call.params:
        check_digits(call.params["amount"], item["currency"])
        item["amount"] = call.params["amount"]
        item["pricing"]["unit_amount_decimal"] = str(item["amount"])
    item["net_amount"] = item["amount"]
    merge_metadata(item, call)
    account.save("invoiceitem", item)
    if target is not None:
        old = _line_for(account, item)
        fresh, rates = _line_of(account, item, target["id"])
        if old is not None:
            account.save("line_item", {**fresh, "id": old["id"]}, hidden={"tax_rates": rates})
        invoices.refresh(account, target)
    return item


def _delete_item(call: Call) -> Object:
    account, item = call.account, call.account.need("invoiceitem", call.id)
    target = _draft_of(account, item)
    if target is not None:
        one = _line_for(account, item)
        if one is not None:
            account.drop("line_item", one["id"])
        invoices.refresh(account, target)
    account.emit_about("invoiceitem.deleted", item)
    account.drop("invoiceitem", call.id)
    return {"id": call.id, "object": "invoiceitem", "deleted": True}


def _list_items(call: Call) -> bytes:
    pending = call.get("pending")
    only = None
    if pending is not None:
        only = lambda row: (row.fields.get("invoice") is None) is pending  # noqa: E731
    return page(call.account, "invoiceitem", call.params, url="/v1/invoiceitems", only=only)


def _act(act: Any) -> Any:
    return lambda call: act(call.account, call.account.need("invoice", call.id))


_INVOICE = """account_tax_ids?:l application_fee_amount:i auto_advance:b automatic_tax:x
    automatically_finalizes_at:i collection_method:charge_automatically/send_invoice
    custom_fields?:[name! value!] days_until_due:i default_payment_method default_source?
    default_tax_rates?:l description? discounts?:[coupon discount promotion_code] due_date:i
    effective_at?:i footer? issuer:x metadata?:m number? on_behalf_of? payment_settings:x
    rendering:x shipping_cost:x shipping_details:x statement_descriptor transfer_data:x expand:l"""
_ITEM = f"""amount:i description discountable:b discounts?:x metadata?:m
    period:{{start!:i end!:i}} price_data:{PRICE_DATA} pricing:{{price}} quantity:i
    quantity_decimal:d tax_behavior tax_code? tax_rates?:l unit_amount_decimal:d expand:l"""
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
    Route("GET", "/v1/invoiceitems", _list_items, list_spec(KINDS["invoiceitem"]) + " pending:b"),
    Route("POST", "/v1/invoiceitems", _create_item,
          _ITEM + " currency customer customer_account invoice subscription"),
    Route("POST", "/v1/invoiceitems/{}", _update_item, _ITEM),
    Route("DELETE", "/v1/invoiceitems/{}", _delete_item, ""),
    Route("GET", "/v1/invoice_payments", lambda call: page(
          call.account, "invoice_payment", call.params, url="/v1/invoice_payments"),
          PAGING + """ created:r invoice status:canceled/open/paid
          payment:{type!:payment_intent/payment_record payment_intent payment_record}"""),
]  # fmt: skip
