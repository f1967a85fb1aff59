"""The last touch on what is sent to NetSuite's record API: parts that no single rule can write.

Keys that begin with `tieout_` carry figures from the rules to here and are never sent. A
document that NetSuite would add up differently is refused, not sent.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_161488248489.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord

from .forms import Context, finishes
from .netsuite_records import currency_id, lookup_rows
from .netsuite_shapes import Raw

Fields = Mapping[str, Any]
ZERO = Decimal(0)

_ADDRESS = {"line1": "addr1", "line2": "addr2", "city": "city", "state": "state"}


@finishes("netsuite.customer_body")
def customer_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A customer is a company unless NetSuite already knows it as a person."""
    _with_currency(body, context)
    if creating:
        body.setdefault("isPerson", False)
    entries = []
    for name, default in (("billing", "defaultBilling"), ("shipping", "defaultShipping")):
        address = body.pop(f"tieout_{name}", None)
        if address:
            entries.append({default: True, "addressBookAddress": _address(address)})
    if entries:
        body["addressBook"] = {"items": entries}
    return body


def _address(parts: Raw) -> Raw:
    found = {theirs: parts[ours] for ours, theirs in _ADDRESS.items() if parts.get(ours)}
    if parts.get("postal_code"):
        found["zip"] = parts["postal_code"]
    if parts.get("country"):
        found["country"] = {"id": parts["country"]}
    return found


@finishes("netsuite.product_body")
def product_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    if creating and "displayName" in body:
        body.setdefault("itemId", body["displayName"])
    if "tieout_active" in body:
        body["isInactive"] = not body.pop("tieout_active")
    return body


@finishes("netsuite.invoice_body")
def invoice_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    return _sale(body, context)


@finishes("netsuite.credit_note_body")
def credit_note_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """With its applications. An allocation that names no invoice stays on account."""
    _sale(body, context)
    return _with_applications(body)


def _sale(body: Raw, context: Context) -> Raw:
    total, tax = body.pop("tieout_total", None), body.pop("tieout_tax", None) or ZERO
    stated = body.pop("tieout_discount", None)
    _with_currency(body, context)
    lines = body.get("item", {}).get("items")
    if lines is None:
        return body
    given = [line.pop("tieout_discount", None) or ZERO for line in lines]
    lines = [_line(line) for line in lines]
    # A credit note knows no discount of its own, only those of its lines.
    discount = sum(given, ZERO) if stated is None else stated
    _take_off(lines, discount, given, context)
    if tax:
        lines.append(_tax_line(tax, context))
    found = sum((line.get("amount", ZERO) for line in lines), ZERO)
    if total is not None and found != total:
        raise InvalidRecord(
            f"its lines add up to {found}, its total is {total}",
            hint="NetSuite's total is what its lines add up to; correct the source document",
        )
    body["item"] = {"items": lines}
    return body


def _line(line: Raw) -> Raw:
    """Quantity and rate only where they give the amount: NetSuite would multiply them again."""
    quantity, rate, amount = (line.get(name) for name in ("quantity", "rate", "amount"))
    found = dict(line)
    if not quantity:
        found.pop("quantity", None)
    if rate is not None and (not quantity or quantity * rate != amount):
        found.pop("rate")
    return found


def _take_off(lines: list[Raw], discount: Decimal, given: list[Decimal], context: Context) -> None:
    """A discount: one line of the item kept for it, else off the lines that it was given on."""
    if not discount:
        return
    item = context.options.get("discount_item")
    if item not in (None, ""):
        lines.append({"item": {"id": str(item)}, "description": "Discount", "amount": -discount})
        return
    if sum(given, ZERO) != discount:
        raise InvalidRecord(
            f"has a discount of {discount} that belongs to no line",
            hint="set the mapping option discount_item to the id of a NetSuite item for discounts",
        )
    for line, off in zip(lines, given, strict=True):
        if off:
            line["amount"] = line.get("amount", ZERO) - off
            line.pop("rate", None)


def _tax_line(tax: Decimal, context: Context) -> Raw:
    item = context.options.get("tax_item")
    if item in (None, ""):
        raise InvalidRecord(
            f"has tax of {tax}, which the record API cannot write as tax",
            hint="set the mapping option tax_item to the id of a NetSuite item for tax collected",
        )
    return {"item": {"id": str(item)}, "description": "Tax", "amount": tax}


@finishes("netsuite.payment_body")
def payment_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    _with_currency(body, context)
    applied = _with_applications(body).get("apply", {}).get("items", [])
    spent = sum((row["amount"] for row in applied), ZERO)
    if "payment" in body and spent > body["payment"]:
        raise InvalidRecord(f"{spent} are allocated of a payment of {body['payment']}")
    return body


def _with_applications(body: Raw) -> Raw:
    rows = body.get("apply", {}).get("items")
    if rows is None:
        return body
    kept = [{**row, "apply": True} for row in rows if row.get("doc") and row.get("amount")]
    if kept:
        body["apply"] = {"items": kept}
    else:
        del body["apply"]
    return body


@finishes("netsuite.refund_body")
def refund_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A refund pays back a credit memo, or what is left of a payment: it must name one."""
    _with_currency(body, context)
    amount = body.pop("tieout_amount", None)
    credit, payment = body.pop("tieout_credit_note", None), body.pop("tieout_payment", None)
    if creating:
        if not (credit or payment) or amount is None:
            raise InvalidRecord(
                "names neither the credit note nor the payment that it pays back",
                hint="NetSuite's customer refund is applied to one of them; link it first",
            )
        body["apply"] = {
            "items": [{"doc": {"id": str(credit or payment)}, "apply": True, "amount": amount}]
        }
    return body


@finishes("netsuite.journal_body")
def journal_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    _with_currency(body, context)
    for row in body.get("line", {}).get("items", ()):
        if "account" in row:
            row["account"] = _account_id(str(row["account"]), context)
    return body


def _account_id(told: str, context: Context) -> Raw:
    """The reference by the lookup table, or by number (or name) for the connector to resolve."""
    for key, row in lookup_rows(context.lookups.get("account")):
        names = (row.get("acctnumber"), row.get("symbol"), row.get("fullname"), row.get("name"))
        id = key if key is not None else row.get("id")
        if id is not None and told in {str(name) for name in names if name is not None}:
            return {"id": str(id)}
    return {"refName": told}


def _with_currency(body: Raw, context: Context) -> None:
    if isinstance(body.get("currency"), str):
        body["currency"] = currency_id(body["currency"], context)
