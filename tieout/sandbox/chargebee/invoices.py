"""Invoices: made, imported, changed, voided, written off.

https://apidocs.chargebee.com/docs/api/invoices
"""

from __future__ import annotations

from . import credits
from .codec import decode
from .customers import add_to_balance, address
from .documents import line, restate, settle
from .errors import blank, invalid_request, not_found, wrong_state, wrong_value
from .params import group, integer
from .payments import link, new_transaction, show_status
from .pricing import cost
from .raising import Raise, raise_invoice
from .routes import Answered, Call, Route, post, take
from .shelf import Object
from .site import Site

_DAY = 86_400
DUE = ("posted", "payment_due", "not_paid")


def whose(call: Call) -> tuple[Object, Object | None]:
    """The customer, and the subscription where one was named. Raises ApiError."""
    site = call.site
    if call.get("subscription_id"):
        subscription = site.need(
            "subscription", call.get("subscription_id"), param="subscription_id"
        )
        return site.need("customer", subscription["customer_id"]), subscription
    if not call.get("customer_id"):
        raise blank("customer_id")
    return site.need("customer", call.get("customer_id"), param="customer_id"), None


def item_line(
    site: Site,
    price: Object,
    quantity: int,
    *,
    unit_price: int | None = None,
    dates: tuple[int, int] | None = None,
    customer_id: str | None = None,
    subscription_id: str | None = None,
    description: str | None = None,
) -> Object:
    """A line that charges an item price, a plan or an addon."""
    found = cost(price, quantity, unit_price)
    kind = price["object"]
    if kind == "item_price":
        kind = f"{price['item_type']}_item_price"
    name = price.get("invoice_name") or price.get("external_name") or price["name"]
    return line(
        site,
        found.amount,
        description or name,
        entity_type=kind,
        entity_id=price["id"],
        quantity=quantity,
        unit=found.unit,
        dates=dates,
        customer_id=customer_id,
        subscription_id=subscription_id,
        model=price.get("pricing_model") or price.get("charge_model") or "flat_fee",
    )


def _lines(call: Call, owners: Object) -> list[Object]:
    """The lines of a create call: item prices or addons, and one-time charges."""
    site, found = call.site, []
    for at, one in enumerate(call.get("item_prices", [])):
        param = f"item_prices[item_price_id][{at}]"
        price = site.need("item_price", one.get("item_price_id"), param=param)
        if price["item_type"] != "charge":
            raise invalid_request("Only charges can be invoiced by themselves.", param=param)
        found.append(_priced(site, price, one, owners))
    for at, one in enumerate(call.get("addons", [])):
        addon = site.need("addon", one.get("id"), param=f"addons[id][{at}]")
        found.append(_priced(site, addon, one, owners))
    for at, one in enumerate(call.get("charges", [])):
        if one.get("amount") is None:
            raise blank(f"charges[amount][{at}]")
        if one["amount"] <= 0:
            raise wrong_value(f"charges[amount][{at}]", "must be greater than zero")
        text = one.get("description")
        if not text:
            raise blank(f"charges[description][{at}]")
        found.append(line(site, one["amount"], text, dates=_dates(one), **owners))
    return found


def _priced(site: Site, price: Object, sent: Object, owners: Object) -> Object:
    return item_line(
        site,
        price,
        sent.get("quantity") or 1,
        unit_price=sent.get("unit_price"),
        dates=_dates(sent),
        description=sent.get("description"),
        customer_id=owners["customer_id"],
        subscription_id=owners["subscription_id"],
    )


def _dates(sent: Object) -> tuple[int, int] | None:
    first, last = sent.get("date_from"), sent.get("date_to")
    return (first, last) if first and last else None


def _create(call: Call) -> Answered:
    customer, subscription = whose(call)
    owners: Object = {
        "customer_id": customer["id"],
        "subscription_id": subscription["id"] if subscription else None,
    }
    lines = _lines(call, owners)
    if not lines:
        raise invalid_request("There is nothing to invoice: give charges or item prices.")
    return _made(call, customer, subscription, lines)


def _made(
    call: Call, customer: Object, subscription: Object | None, lines: list[Object]
) -> Answered:
    currency = call.get("currency_code") or (subscription or {}).get("currency_code")
    notes = [{"note": call.get("invoice_note")}] if call.get("invoice_note") else None
    more: Object = {"po_number": call.get("po_number"), "notes": notes}
    if call.get("shipping_address"):
        more["shipping_address"] = address(call.get("shipping_address"), "shipping_address")
    invoice = raise_invoice(
        call.site,
        Raise(
            customer,
            lines,
            currency or customer["preferred_currency_code"],
            subscription,
            pending=bool(call.get("create_pending_invoice")),
            must_pay=True,
            date=call.get("invoice_date"),
            net_term_days=call.get("net_term_days"),
            auto_collection=call.get("auto_collection"),
            discounts=_discounts(call, lines),
            more=more,
        ),
    )
    return {"invoice": invoice}


def _discounts(call: Call, lines: list[Object]) -> list[Object]:
    total = sum(one["amount"] for one in lines)
    found = []
    for one in call.get("discounts", []):
        amount = one.get("amount")
        if amount is None:
            amount = int(total * (one.get("percentage") or 0) / 100)
        found.append({"amount": min(amount, total), "entity_type": "document_level_discount"})
    for id in [*call.get("coupon_ids", []), *([call.get("coupon")] if call.get("coupon") else [])]:
        coupon = call.site.need("coupon", id, param="coupon_ids")
        found.append(coupon_discount(coupon, total))
    return [one for one in found if one["amount"]]


def coupon_discount(coupon: Object, total: int) -> Object:
    """What a coupon takes off an invoice whose lines come to `total`."""
    if coupon.get("discount_type") == "percentage":
        amount = int(total * coupon["discount_percentage"] / 100)
    else:
        amount = min(int(coupon.get("discount_amount") or 0), total)
    return {
        "amount": amount,
        "entity_type": "document_level_coupon",
        "entity_id": coupon["id"],
        "description": coupon.get("invoice_name") or coupon["name"],
    }


def _create_for_item(call: Call) -> Answered:
    call.params["item_prices"] = [group(call.params, "item_price", "item_price_id")]
    return _create(call)


def _charge(call: Call) -> Answered:
    names = ("amount", "description", "date_from", "date_to")
    call.params["charges"] = [{name: call.get(name) for name in names}]
    return _create(call)


def _charge_addon(call: Call) -> Answered:
    call.params["addons"] = [
        {
            "id": call.get("addon_id"),
            "quantity": call.get("addon_quantity"),
            "unit_price": call.get("addon_unit_price"),
            "date_from": call.get("date_from"),
            "date_to": call.get("date_to"),
        }
    ]
    return _create(call)


# Changes


def due_invoice(site: Site, id: str) -> Object:
    """An invoice that something can still be paid on. Raises ApiError (404, 409)."""
    invoice = site.need("invoice", id)
    if invoice["status"] not in DUE or not invoice["amount_due"]:
        raise wrong_state(f"Invoice {id} is {invoice['status']}; there is nothing due on it.")
    return invoice


def _record_payment(call: Call) -> Answered:
    site = call.site
    sent = group(call.params, "transaction", "payment_method")
    invoice = due_invoice(site, call.id)
    amount = sent.get("amount")
    amount = invoice["amount_due"] if amount is None else amount
    status = sent.get("status") or "success"
    if status not in ("success", "failure", "in_progress", "late_failure", "timeout"):
        raise wrong_value("transaction[status]", "is not a status of a payment")
    date = sent.get("date") or site.now()
    payment = new_transaction(
        site,
        "payment",
        amount,
        invoice["currency_code"],
        customer_id=invoice["customer_id"],
        method=sent["payment_method"],
        date=date,
        status=status,
        subscription_id=invoice.get("subscription_id"),
        reference=sent.get("reference_number"),
    )
    payment["gateway"] = "not_applicable"
    payment["id_at_gateway"] = sent.get("id_at_gateway")
    payment |= {name: sent[name] for name in ("error_code", "error_text") if sent.get(name)}
    used = min(amount, invoice["amount_due"])
    if status == "success":
        settle(invoice, "amount_paid", used)
        payment["amount_unused"] = amount - used
    link(site, payment, invoice, used if status == "success" else amount)
    restate(site, invoice, paid_at=date)
    show_status(payment, invoice)
    site.save("transaction", payment)
    currency = invoice["currency_code"]
    add_to_balance(
        site, invoice["customer_id"], currency, "excess_payments", payment["amount_unused"]
    )
    _tell_paid(site, payment, invoice)
    return {"invoice": invoice, "transaction": payment}


def _tell_paid(site: Site, payment: Object, invoice: Object) -> None:
    customer = site.get("customer", invoice["customer_id"])
    subscription = site.get("subscription", invoice.get("subscription_id"))
    site.tell("transaction_created", transaction=payment)
    site.tell("invoice_updated", invoice=invoice)
    happened = {"success": "payment_succeeded", "in_progress": "payment_initiated"}
    site.tell(
        happened.get(payment["status"], "payment_failed"),
        transaction=payment,
        invoice=invoice,
        customer=customer,
        subscription=subscription,
    )


def _void(call: Call) -> Answered:
    site = call.site
    invoice = site.need("invoice", call.id)
    if invoice["status"] in ("voided", "pending"):
        raise wrong_state(f"Invoice {call.id} is {invoice['status']} and cannot be voided.")
    if invoice.get("issued_credit_notes") or invoice.get("adjustment_credit_notes"):
        open_ones = [
            one
            for name in ("issued_credit_notes", "adjustment_credit_notes")
            for one in invoice.get(name) or []
            if one["cn_status"] != "voided"
        ]
        if open_ones:
            raise wrong_state(f"Invoice {call.id} has credit notes and cannot be voided.")
    for one in list(invoice.get("linked_payments") or []):
        if one["txn_status"] == "success":
            credits.unlink_payment(site, invoice, one["txn_id"])
    for one in list(invoice.get("applied_credits") or []):
        credits.unlink_credit(site, invoice, one["cn_id"])
    invoice |= {"status": "voided", "voided_at": site.now()}
    invoice["void_reason_code"] = call.get("void_reason_code")
    invoice.pop("paid_at", None)
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice}


def _delete(call: Call) -> Answered:
    site = call.site
    invoice = site.need("invoice", call.id)
    if invoice["amount_paid"] or invoice["credits_applied"] or invoice["amount_adjusted"]:
        raise wrong_state(f"Invoice {call.id} has payments or credits and cannot be deleted.")
    invoice["deleted"] = True
    restate(site, invoice)
    site.tell("invoice_deleted", invoice=invoice)
    return {"invoice": invoice}


def _update_details(call: Call) -> Answered:
    site = call.site
    invoice = site.need("invoice", call.id)
    if invoice["status"] == "voided":
        raise wrong_state(f"Invoice {call.id} is voided.")
    take(invoice, call, "po_number vat_number vat_number_prefix")
    for name in ("billing_address", "shipping_address"):
        if name in call.params:
            invoice[name] = address(call.params[name], name)
    site.save("invoice", invoice)
    site.tell("invoice_updated", invoice=invoice)
    return {"invoice": invoice}


def _retrieve(call: Call) -> Answered:
    """One invoice or credit note; of many lines, a page."""
    return _paged(call, "invoice")


def _retrieve_note(call: Call) -> Answered:
    return _paged(call, "credit_note")


def _paged(call: Call, kind: str) -> Answered:
    site = call.site
    row = site.shelf(kind).get(call.id)
    if row is None or row.fields.get("deleted") is True:
        raise not_found(call.id)
    item = decode(row.raw)
    wanted = call.params.get("line_item") or {}
    lines = [one for one in item.get("line_items") or [] if _is_wanted(one, wanted)]
    limit = call.get("line_items_limit") or site.settings.lines_per_get
    start = integer(call.get("line_items_offset") or "0", "line_items_offset")
    if not 1 <= limit <= site.settings.lines_per_get:
        raise wrong_value("line_items_limit", f"must be 1 to {site.settings.lines_per_get}")
    if lines or "line_items" in item:
        item["line_items"] = lines[start : start + limit]
    if start + limit < len(lines):
        item["line_items_next_offset"] = str(start + limit)
    return {kind: item}


def _is_wanted(one: Object, wanted: Object) -> bool:
    for name, test in wanted.items():
        if isinstance(test, dict) and "is" in test and one.get(name) != test["is"]:
            return False
    return True


_LINES = "line_item:x line_items_limit:i line_items_offset"
ROUTES = [
    post("invoices", _create, "invoice.create", 1),
    post(
        "invoices/create_for_charge_items_and_charges",
        _create,
        "invoice.create_for_charge_items_and_charges",
        2,
    ),
    post("invoices/create_for_charge_item", _create_for_item, "invoice.create_for_charge_item", 2),
    post("invoices/charge", _charge, "invoice.charge"),
    post("invoices/charge_addon", _charge_addon, "invoice.charge_addon", 1),
    post("invoices/{}/record_payment", _record_payment, "invoice.record_payment"),
    post("invoices/{}/void", _void, "invoice.void_invoice"),
    post("invoices/{}/delete", _delete, "invoice.delete"),
    post("invoices/{}/update_details", _update_details, "invoice.update_details"),
    Route("GET", "invoices/{}", _retrieve, _LINES),
    Route("GET", "credit_notes/{}", _retrieve_note, _LINES),
]
