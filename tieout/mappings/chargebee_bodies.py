"""The last touch on what is sent to Chargebee: parts that no single rule can write.

Keys under `tieout` carry figures from the rules to here and are never sent. Amounts are integers
in Chargebee's minor units. A document that would not add up there is refused, not sent.
https://apidocs.chargebee.com/docs/api/invoices/import-invoice
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import to_decimal

from .chargebee_objects import TABLE, Raw, places
from .exponents import factors
from .forms import Context, finishes

Fields = Mapping[str, Any]
_OFFLINE = ("cash", "check", "bank_transfer")  # how money that came elsewhere may be recorded
_LONGEST_TEXT = 250
_MOST_ROUNDING = 99


def _with_extras(body: Raw, name: str) -> Raw:
    """Custom fields stand beside all others; what is none of them is metadata."""
    extra = body.get("tieout", {}).pop("extra", None) or {}
    plain = {key: value for key, value in extra.items() if not key.startswith("cf_")}
    body |= {key: value for key, value in extra.items() if key.startswith("cf_")}
    if plain:
        body[name] = plain
    return body


@finishes("chargebee.customer_body")
def customer_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A state that is no code of two or three letters goes by its name."""
    _with_extras(body, "meta_data")
    body.pop("tieout", None)
    address = body.get("billing_address")
    if isinstance(address, dict) and address.get("state_code"):
        code = str(address["state_code"])
        if not (code.isascii() and code.isalnum() and code.isupper() and len(code) <= 3):
            address["state"] = address.pop("state_code")
    return body


@finishes("chargebee.product_body")
def product_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    _with_extras(body, "metadata")
    ours = body.pop("tieout", {})
    if "active" in ours and not creating:
        body["status"] = "active" if ours["active"] else "archived"
    return body


@finishes("chargebee.price_body")
def price_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """https://apidocs.chargebee.com/docs/api/item_prices/create-an-item-price"""
    _with_extras(body, "metadata")
    ours = body.pop("tieout", {})
    if "active" in ours and not creating:
        body["status"] = "active" if ours["active"] else "archived"
    if creating and body.get("external_name"):
        body["name"] = body["external_name"]
    if body.get("pricing_model") == "package":
        raise InvalidRecord(
            "a price by the package cannot be written to Chargebee",
            where="price, field scheme",
            hint="make it there, with tiers of the pricing type package",
        )
    if ours.get("unit") is not None:
        _put_price(body, ours["unit"], _code(fields, context))
    if ours.get("tiers"):
        flat = body.get("pricing_model") == "stairstep"
        body["tiers"] = _tiers(ours["tiers"], flat, _code(fields, context))
        body.pop("price", None)
    return body


def _put_price(row: Raw, minor: str, currency: str | None, name: str = "price") -> None:
    """As an integer, or in major units where it has fractions of a cent."""
    number = to_decimal(minor)
    if number == number.to_integral_value():
        row[name] = int(number)
    else:
        row[f"{name}_in_decimal"] = f"{number.scaleb(-places(currency)):f}"


def _tiers(rows: list[Raw], flat: bool, currency: str | None) -> list[Raw]:
    found, start = [], 1
    for row in rows:
        tier: Raw = {"starting_unit": start}
        minor = row.get("flat") if flat else row.get("unit")
        other = row.get("unit") if flat else row.get("flat")
        if other not in (None, "0") or minor is None:
            raise InvalidRecord(
                "a tier has a flat fee and a price per unit; Chargebee's has one of them",
                where="price, field tiers",
            )
        _put_price(tier, minor, currency)
        if row.get("up_to") is not None:
            tier["ending_unit"] = _last_unit(row["up_to"])
            start = tier["ending_unit"] + 1
        found.append(tier)
    return found


def _last_unit(up_to: Any) -> int:
    """Tiers there begin one unit after the one before, so between units nothing can end."""
    number = to_decimal(up_to)
    if number != number.to_integral_value():
        raise InvalidRecord(
            f"a tier ends at {number:f}, between two whole units",
            where="price, field tiers",
            hint="Chargebee's tiers end at whole units; make this price there by hand",
        )
    return int(number)


@finishes("chargebee.subscription_body")
def subscription_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """Imported as it is, so that nothing is charged. /docs/api/subscriptions#import_for_items"""
    _with_extras(body, "meta_data")
    ours = body.pop("tieout", {})
    if body.get("status") == "future" and "started_at" in body:
        body["start_date"] = body.pop("started_at")
    ends = ours.get("ended_at") or ours.get("cancel_at")
    if ends is not None and body.get("status") in ("cancelled", "non_renewing"):
        body["cancelled_at"] = ends
    rows = []
    for row in ours.get("items") or ():
        if not row.get("item_price_id"):
            raise InvalidRecord("an item names no price", where="subscription, field items")
        item: Raw = {"item_price_id": row["item_price_id"]}
        _put_quantity(item, row.get("quantity"))
        if row.get("unit") is not None:
            _put_price(item, row["unit"], _code(fields, context), "unit_price")
        rows.append(item)
    body["subscription_items"] = rows
    return body


def _put_quantity(row: Raw, quantity: Any) -> None:
    if quantity is None:
        return
    number = to_decimal(quantity)
    if number == number.to_integral_value():
        row["quantity"] = int(number)
    else:
        row["quantity_in_decimal"] = f"{number:f}"


@finishes("chargebee.invoice_body")
def invoice_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A whole invoice as it was issued elsewhere; its payments follow by themselves."""
    ours = body.pop("tieout", {})
    status = fields.get("status")
    if status == "draft":
        raise InvalidRecord("a draft cannot be imported", where="invoice, field status")
    open_as = str(context.options.get("open_invoice"))
    body["status"] = {"void": "voided", "uncollectible": "not_paid"}.get(str(status), open_as)
    body["price_type"] = "tax_exclusive"
    if ours.get("memo"):
        body["notes"] = [{"note": ours["memo"]}]
    if ours.get("written_off"):
        body |= {"is_written_off": True, "write_off_amount": ours["written_off"]}
    _document(body, ours, context)
    if body["total"] == 0 and body["status"] == open_as:
        body["status"] = "paid"  # there is nothing to pay
    _rounded(body, fields, context)
    return body


def _rounded(body: Raw, fields: Fields, context: Context) -> None:
    """Rounding is inside Chargebee's total. A larger adjustment has no place in an import."""
    code = _code(fields, context)
    times, by = factors(TABLE).get(str(code), (1, 1))
    minor = fields.get("adjustment_minor") or 0
    if not minor:
        return
    rounding, rest = divmod(int(minor) * by, times)
    if rest or abs(rounding) > _MOST_ROUNDING:
        raise InvalidRecord(
            f"its adjustment of {minor} {code} minor units is no rounding",
            where="invoice, field adjustment_minor",
            hint="Chargebee imports roundings of up to 99 cents; import this invoice by hand",
        )
    body["round_off"] = rounding
    body["total"] += rounding


@finishes("chargebee.credit_note_body")
def credit_note_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """An imported credit note; what was refunded follows by itself, as refunds of it."""
    ours = body.pop("tieout", {})
    total = ours.get("total", 0)
    held = ours.get("allocations") or ()
    rows = [row for row in held if row.get("amount") and row.get("invoice")]
    spent = sum(row["amount"] for row in rows)
    own = [row for row in rows if row.get("invoice") == body.get("reference_invoice_id")]
    adjusts = bool(rows) and spent == total and len(own) == len(rows)
    status = fields.get("status")
    if status == "draft":
        raise InvalidRecord("a draft cannot be imported", where="credit_note, field status")
    body["type"] = "adjustment" if adjusts else "refundable"
    body["status"] = "adjusted" if adjusts else "refund_due"
    if status == "void":
        body |= {"status": "voided", "voided_at": body.get("date")}
        rows = []  # whatever it paid is owed again
    body.setdefault("create_reason_code", "Other")
    body["allocations"] = [
        {
            "invoice_id": row["invoice"],
            "allocated_amount": row["amount"],
            "allocated_at": body.get("date"),
        }
        for row in rows
    ]
    if not ours.get("lines"):
        net = total - ours.get("tax", 0)
        ours["lines"] = [{"description": str(body["create_reason_code"]), "amount": net}]
    _document(body, ours, context)
    return body


def _document(body: Raw, ours: Raw, context: Context) -> None:
    """Lines, discounts and taxes; refused where they don't give the total."""
    rows = [dict(row) for row in ours.get("lines") or ()]
    given = sum(row.get("discount") or 0 for row in rows)
    net = sum(row.get("amount") or 0 for row in rows)
    stated = ours.get("discount")
    discount, tax = given if stated is None else stated, ours.get("tax") or 0
    total = ours.get("total", net - discount + tax)
    if net - discount + tax != total:
        raise InvalidRecord(
            f"its lines, discount and tax give {net - discount + tax}, its total is {total}",
            hint="correct the source document; Chargebee would add it up",
        )
    name = str(context.options.get("tax_name"))
    rows, off = _below_zero(rows)
    taxes = _line_taxes(rows, tax)
    body["total"] = total
    body["line_items"] = [_line(row, name, on_it) for row, on_it in zip(rows, taxes, strict=True)]
    if discount < 0:
        raise InvalidRecord(
            f"its discount of {discount} is a surcharge; Chargebee has none",
            where="field discount_minor",
            hint="correct the source document: a surcharge is a line",
        )
    if discount:
        # Also those of lines: Chargebee ties a line's own to its coupons, and off the line's
        # amount they would be lost.
        off.append({"description": "Discount", "amount": discount})
    if off:
        body["discounts"] = [{"entity_type": "document_level_discount", **each} for each in off]
    if tax:
        body["taxes"] = [{"name": name, "rate": _rate(tax, net - discount), "amount": tax}]


def _below_zero(rows: list[Raw]) -> tuple[list[Raw], list[Raw]]:
    """Lines as Chargebee has them, and as discounts those below zero, which it does not have."""
    kept = [row for row in rows if (row.get("amount") or 0) >= 0]
    below = [
        {
            "description": str(row.get("description") or "Credit")[:_LONGEST_TEXT],
            "amount": -row["amount"],
        }
        for row in rows
        if (row.get("amount") or 0) < 0
    ]
    return kept, below


def _line_taxes(rows: list[Raw], tax: int) -> list[int]:
    """Each line's tax. Chargebee wants all tax on lines: what they don't tell is the largest's."""
    taxes = [row.get("tax") or 0 for row in rows]
    missing = tax - sum(taxes)
    if missing and rows:
        nets = [(row.get("amount") or 0) - (row.get("discount") or 0) for row in rows]
        taxes[nets.index(max(nets))] += missing
    return taxes


def _line(row: Raw, tax_name: str, tax: int) -> Raw:
    """Quantity and unit price only where they give the amount."""
    about = str(row.get("description") or "Item")[:_LONGEST_TEXT]
    found: Raw = {"description": about, "entity_type": "adhoc"}
    amount = row.get("amount") or 0
    quantity, unit = (_integer(row.get(name)) for name in ("quantity", "unit"))
    if not quantity or unit is None or quantity * unit != amount:
        quantity, unit = 1, amount
    found |= {"quantity": quantity, "unit_amount": unit, "amount": amount}
    found |= {name: row[name] for name in ("date_from", "date_to") if row.get(name) is not None}
    if tax:
        found |= {"tax1_name": tax_name, "tax1_amount": tax}
    return found


def _integer(value: Any) -> int | None:
    if value is None:
        return None
    number = to_decimal(value)
    return int(number) if number == number.to_integral_value() else None


def _rate(tax: int, net: int) -> Decimal:
    """The tax rate in percent, as Chargebee asks for one."""
    if not net:
        return Decimal(0)
    return (Decimal(tax) * 100 / Decimal(net)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


@finishes("chargebee.payment_body")
def payment_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """Money that came elsewhere: recorded, never charged."""
    if fields.get("status") not in (None, "succeeded"):
        raise InvalidRecord(
            "only a payment that succeeded is recorded", where="payment, field status"
        )
    method = body.get("payment_method")
    body["payment_method"] = method if method in _OFFLINE else "other"
    rows = body.get("allocations") or []
    body["allocations"] = [row for row in rows if row.get("invoice_id") and row.get("amount")]
    return body


@finishes("chargebee.refund_body")
def refund_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """Money that went back elsewhere: what did not go is not recorded."""
    if fields.get("status") not in (None, "succeeded"):
        raise InvalidRecord(
            "only a refund that succeeded is recorded",
            where="refund, field status",
            hint="it follows once the other system says that it succeeded",
        )
    body["payment_method"] = str(context.options.get("refund_method"))
    return body


def _code(fields: Fields, context: Context) -> str | None:
    code = fields.get("currency") or context.currency
    return str(code) if code else None
