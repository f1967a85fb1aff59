"""Credit notes: what is taken off a finalized invoice, before or after it was paid.

https://docs.stripe.com/api/credit_notes
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import invoices
from .account import Account, Object
from .customers import change_balance
from .errors import bad_request
from .money import rounded
from .params import PAGING
from .refunds import refund
from .routes import Call, Route, merge_metadata, sub_list, take
from .totals import lines_of


def _build(call: Call) -> tuple[Object, Object, list[Object]]:
    """The note, its invoice and its lines; nothing is kept yet."""
    account = call.account
    invoice = account.need("invoice", call.params["invoice"], param="invoice")
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise bad_request(
            f"You can only create credit notes for finalized invoices; this one is "
            f"{invoice['status']}.",
            param="invoice",
        )
    id = account.new_id("credit_note")
    lines = _lines(account, call, invoice)
    exclusive = sum(t["amount"] for one in lines for t in one["taxes"]
                    if t["tax_behavior"] == "exclusive")  # fmt: skip
    subtotal = sum(one["amount"] for one in lines)
    total = subtotal + exclusive
    if "amount" in call.params and lines and call.get("lines") and call.params["amount"] != total:
        raise bad_request(f"amount ({call.params['amount']}) must equal the total of the lines "
                          f"({total}).", param="amount")  # fmt: skip
    _check_room(account, invoice, total)
    before, after = _split(call, invoice, total)
    now = account.now()
    note: Object = {
        "id": id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": call.get("effective_at", now),
        "invoice": invoice["id"],
        "lines": {"object": "list", "data": lines[:10], "has_more": len(lines) > 10,
                  "url": f"/v1/credit_notes/{id}/lines"},
        "livemode": False,
        "memo": call.get("memo"),
        "metadata": {},
        "number": _number(account, invoice),
        "out_of_band_amount": call.get("out_of_band_amount"),
        "pdf": f"https://pay.stripe.com/credit_notes/{account.id}/{id}/pdf",
        "post_payment_amount": after,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": call.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_excluding_tax": total - exclusive,
        "total_taxes": _sum_taxes(lines),
        "type": "mixed" if before and after else "post_payment" if after else "pre_payment",
        "voided_at": None,
    }  # fmt: skip
    merge_metadata(note, call)
    return note, invoice, lines


def _lines(account: Account, call: Call, invoice: Object) -> list[Object]:
    sent = call.get("lines")
    if not sent:
        if "amount" not in call.params:
            raise bad_request("One of amount, lines or shipping_cost is needed.",
                              code="parameter_missing", param="amount")  # fmt: skip
        sent = [{"type": "custom_line_item", "unit_amount": call.params["amount"],
                 "description": "Credit"}]  # fmt: skip
    of_invoice = {one["id"]: one for one in lines_of(account, invoice["id"])}
    return [_line(account, one, at, of_invoice) for at, one in enumerate(sent)]


def _line(account: Account, sent: dict[str, Any], at: int, of_invoice: dict[str, Object]) -> Object:
    name = f"lines[{at}]"
    if sent["type"] == "invoice_line_item":
        source = of_invoice.get(sent.get("invoice_line_item", ""))
        if source is None:
            raise bad_request(f"No such line on the invoice: {sent.get('invoice_line_item')}",
                              param=f"{name}[invoice_line_item]")  # fmt: skip
        whole = int(source["quantity"] or 1)
        if "amount" in sent:
            amount = int(sent["amount"])
        else:
            amount = rounded(source["amount"] * _fraction(sent.get("quantity", whole), whole))
        if amount > source["amount"]:
            raise bad_request("The line's credit is larger than the line.", param=name)
        taxes = _taxes_of(source, amount)
        description, quantity = source["description"], sent.get("quantity", whole)
        unit = None
    else:
        if "unit_amount" not in sent and "unit_amount_decimal" not in sent:
            raise bad_request("Custom lines need unit_amount.", param=f"{name}[unit_amount]")
        unit = int(sent.get("unit_amount", rounded(sent.get("unit_amount_decimal", Decimal(0)))))
        quantity = sent.get("quantity", 1)
        amount, taxes, description = unit * quantity, [], None
    return {
        "id": account.new_id("credit_note_line_item"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": sent.get("description") or description,
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": sent.get("invoice_line_item"),
        "livemode": False,
        "metadata": sent.get("metadata") or {},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": taxes,
        "type": sent["type"],
        "unit_amount": unit,
        "unit_amount_decimal": None if unit is None else str(unit),
    }


def _fraction(part: int, whole: int) -> Decimal:
    return Decimal(part) / Decimal(whole)


def _taxes_of(source: Object, amount: int) -> list[Object]:
    """The line's taxes in proportion to the part that is credited."""
    whole = int(source["amount"]) or 1
    return [
        {**tax, "amount": rounded(tax["amount"] * _fraction(amount, whole)),
         "taxable_amount": rounded(tax["taxable_amount"] * _fraction(amount, whole))}
        for tax in source["taxes"] or []
    ]  # fmt: skip


def _sum_taxes(lines: list[Object]) -> list[Object]:
    sums: dict[tuple[str, str], Object] = {}
    for one in lines:
        for tax in one["taxes"]:
            key = (str(tax["tax_rate_details"]), tax["tax_behavior"])
            if key in sums:
                sums[key]["amount"] += tax["amount"]
                sums[key]["taxable_amount"] += tax["taxable_amount"]
            else:
                sums[key] = {**tax}
    return list(sums.values())


def _check_room(account: Account, invoice: Object, total: int) -> None:
    credited = sum(
        note["amount"] for note in account.all("credit_note", invoice=invoice["id"])
        if note["status"] == "issued"
    )  # fmt: skip
    if total <= 0:
        raise bad_request("The credit note's total must be above zero.", param="amount")
    if credited + total > invoice["total"]:
        raise bad_request(
            f"The sum of credit notes ({credited + total}) would be more than the invoice's total "
            f"({invoice['total']}).",
            param="amount",
        )


def _split(call: Call, invoice: Object, total: int) -> tuple[int, int]:
    """How much lowers what is due, and how much of what was paid is given back."""
    before = min(total, invoice["amount_remaining"]) if invoice["status"] != "paid" else 0
    after = total - before
    refunds = sum(one.get("amount_refunded", 0) for one in call.get("refunds") or [])
    given = (call.get("refund_amount", 0) + call.get("credit_amount", 0)
             + call.get("out_of_band_amount", 0) + refunds)  # fmt: skip
    if given != after:
        raise bad_request(
            "The sum of refund_amount, credit_amount, out_of_band_amount and refunds "
            f"({given}) must equal the post payment amount ({after}).",
        )
    return before, after


def _number(account: Account, invoice: Object) -> str:
    count = sum(1 for _ in account.all("credit_note", invoice=invoice["id"]))
    return f"{invoice['number']}-CN-{count + 1:02d}"


def _preview(call: Call) -> Object:
    note, _, _ = _build(call)
    return note


def _preview_lines(call: Call) -> Object:
    note, _, lines = _build(call)
    return {"object": "list", "data": lines, "has_more": False, "url": note["lines"]["url"]}


def _create(call: Call) -> Object:
    account = call.account
    note, invoice, lines = _build(call)
    for one in lines:
        account.save("credit_note_line_item", one, fields={"credit_note": note["id"]})
    if call.get("refund_amount"):
        given = refund(account, _charge_of(account, invoice), call.params["refund_amount"])
        note["refunds"].append(_refunded(given["id"], given["amount"]))
    for sent in call.get("refunds") or []:
        account.need("refund", sent["refund"], param="refunds[0][refund]")
        note["refunds"].append(_refunded(sent["refund"], sent.get("amount_refunded", 0)))
    if call.get("credit_amount"):
        customer = account.need("customer", invoice["customer"])
        entry = change_balance(
            account, customer, -call.params["credit_amount"], "credit_note",
            invoice=invoice["id"], credit_note=note["id"], currency=invoice["currency"],
        )  # fmt: skip
        account.save("customer", customer, "customer.updated")
        note["customer_balance_transaction"] = entry["id"]
    account.save("credit_note", note, "credit_note.created")
    invoice = account.need("invoice", invoice["id"])
    invoice["post_payment_credit_notes_amount"] += note["post_payment_amount"]
    if note["pre_payment_amount"]:
        invoices.lower(account, invoice, note["pre_payment_amount"])
    else:
        account.save("invoice", invoice, "invoice.updated")
    return note


def _refunded(id: str, amount: int) -> Object:
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": id,
            "type": "refund"}  # fmt: skip


def _charge_of(account: Account, invoice: Object) -> Object:
    for payment in account.all("invoice_payment", invoice=invoice["id"], status="paid"):
        intent = account.find("payment_intent", payment["payment"].get("payment_intent") or "")
        if intent is not None and intent["latest_charge"]:
            return account.need("charge", intent["latest_charge"])
    raise bad_request("The invoice has no payment to refund: it was paid outside of Stripe or "
                      "from the customer's balance.", param="refund_amount")  # fmt: skip


def _void(call: Call) -> Object:
    account, note = call.account, call.account.need("credit_note", call.id)
    invoice = account.need("invoice", note["invoice"])
    if note["status"] == "void" or invoice["status"] != "open":
        raise bad_request("You can only void issued credit notes of open invoices.")
    note |= {"status": "void", "voided_at": account.now()}
    account.save("credit_note", note)
    account.emit_about("credit_note.voided", note)
    invoices.lower(account, invoice, -note["pre_payment_amount"])
    return note


def _update(call: Call) -> Object:
    note = call.account.need("credit_note", call.id)
    take(note, call, "memo")
    merge_metadata(note, call)
    return call.account.save("credit_note", note, "credit_note.updated")


_CREATE = """invoice! amount:i credit_amount:i effective_at:i email_type:credit_note/none
    lines:[type!:custom_line_item/invoice_line_item amount:i description invoice_line_item
    quantity:i unit_amount:i unit_amount_decimal:d tax_rates?:l tax_amounts?:x metadata:m] memo
    metadata:m out_of_band_amount:i reason:duplicate/fraudulent/order_change/product_unsatisfactory
    refund_amount:i refunds:[refund amount_refunded:i type payment_record_refund:x]
    shipping_cost:x expand:l"""
_BASE = "/v1/credit_notes"
ROUTES = [
    Route("POST", _BASE, _create, _CREATE),
    Route("GET", _BASE + "/preview", _preview, _CREATE),
    Route("GET", _BASE + "/preview/lines", _preview_lines, _CREATE + " limit:i starting_after"),
    Route("POST", _BASE + "/{}", _update, "memo metadata?:m expand:l"),
    Route("POST", _BASE + "/{}/void", _void, "expand:l"),
    Route("GET", _BASE + "/{}/lines",
          sub_list("credit_note_line_item", "credit_note", "credit_note"), PAGING),
]  # fmt: skip
