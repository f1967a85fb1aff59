"""Invoice items: charges that wait for an invoice, or become a line of a draft.

https://docs.stripe.com/api/invoiceitems
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import invoices
from .account import Account, Object
from .catalog import PRICE_DATA, new_price
from .errors import bad_request
from .kinds import KINDS
from .listing import list_spec, page
from .money import check_digits, currency_of, plain, rounded
from .routes import Call, Route, merge_metadata, take
from .totals import line, lines_of


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


def line_of(account: Account, item: Object, invoice: str) -> tuple[Object, list[str]]:
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
    made, rates = line_of(account, item, target["id"])
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
        fresh, rates = line_of(account, item, target["id"])
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


_ITEM = f"""amount:i description discountable:b discounts?:x metadata?:m
    period:{{start!:i end!:i}} price_data:{PRICE_DATA} pricing:{{price}} quantity:i
    quantity_decimal:d tax_behavior tax_code? tax_rates?:l unit_amount_decimal:d expand:l"""
ROUTES = [
    Route("GET", "/v1/invoiceitems", _list_items, list_spec(KINDS["invoiceitem"]) + " pending:b"),
    Route("POST", "/v1/invoiceitems", _create_item,
          _ITEM + " currency customer customer_account invoice subscription"),
    Route("POST", "/v1/invoiceitems/{}", _update_item, _ITEM),
    Route("DELETE", "/v1/invoiceitems/{}", _delete_item, ""),
]  # fmt: skip
