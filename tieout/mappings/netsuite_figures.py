"""The money of an invoice or a credit memo: its lines, tax, discount and total.

NetSuite's own sum is subtotal + discountTotal (negative) + shipping + tax = total. In SuiteQL
everything is a line with the ledger's sign: revenue is negative on invoices, positive on credit
memos, and the header's tax, discount and shipping are lines as well.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_161488248489.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import to_decimal

from .forms import Context
from .netsuite_shapes import ROW, Raw, Shape, same_word

ZERO = Decimal(0)
SUBLISTS = ("item", "itemlist", "invoiceitemlist", "creditmemoitemlist", "lines")

# Lines that only repeat or announce the amounts of others.
_REPEATS = frozenset({"subtotal", "endgroup", "group", "endofitemgroup"})
_TAXES = frozenset({"taxitem", "taxgroup"})
_EXTRAS = {"shippingcost": ("shipping", "Shipping"), "handlingcost": ("handling", "Handling")}


@dataclass
class Figures:
    """In major units; None where the payload does not tell. `lines` are as our rules read them."""

    told: bool  # whether the payload had lines at all
    lines: list[Raw] = field(default_factory=list)
    subtotal: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None

    def discount_as_line(self) -> None:
        """For documents that know no discount of their own: one more (negative) line."""
        if self.discount:
            self.lines.append(_extra("discount", "Discount", -self.discount))
            if self.subtotal is not None:
                self.subtotal -= self.discount


def figures_of(shape: Shape, context: Context) -> Figures:
    rows = shape.rows(*SUBLISTS)
    if shape.form == ROW:
        return _from_ledger(shape, rows, context)
    return _from_document(shape, rows, context)


def total_of(shape: Shape) -> Decimal | None:
    """The header's total in its own currency. SuiteQL's `total` is in the base currency."""
    if shape.form != ROW:
        return shape.amount("total")
    found = shape.amount("foreigntotal")
    if found is None and "total" in shape.fields:
        found = _only_base(shape, shape.amount("total"))
    return None if found is None else abs(found)


def line_amount(line: Shape, header: Shape) -> Decimal | None:
    """A row's amount in the transaction's currency, with the ledger's sign."""
    if (found := line.amount("foreignamount")) is not None:
        return found
    debit, credit = line.amount("debitforeignamount"), line.amount("creditforeignamount")
    if debit is not None or credit is not None:
        return (debit or ZERO) - (credit or ZERO)
    found = line.amount("netamount", "amount")
    return None if found is None else _only_base(header, found)


def _only_base(shape: Shape, amount: Decimal | None) -> Decimal | None:
    rate = shape.amount("exchangerate")
    if rate is not None and rate != 1 and amount:
        raise InvalidRecord(
            "has amounts in the base currency only",
            hint="select foreigntotal and foreignamount, which are in the record's currency",
        )
    return amount


# REST and SOAP


def _from_document(shape: Shape, rows: list[Shape] | None, context: Context) -> Figures:
    found = Figures(told=rows is not None, total=shape.amount("total"))
    own_tax, own_discount = ZERO, ZERO
    for row in rows or ():
        if _is_item(row, context, "tax_item"):
            own_tax += row.amount("amount") or ZERO
        elif _is_item(row, context, "discount_item"):
            own_discount -= row.amount("amount") or ZERO
        elif same_word(_item_type(row)) not in _REPEATS:
            found.lines.append(_document_line(row))
    extras = [
        _extra(id, label, amount)
        for name, (id, label) in _EXTRAS.items()
        if (amount := shape.amount(name))
    ]
    found.lines += extras
    shipping = sum((row["amount"] for row in extras), ZERO)
    found.subtotal = _document_subtotal(shape, found, own_tax - own_discount, shipping)
    found.tax = _document_tax(shape, own_tax)
    found.discount = _document_discount(shape, found, own_discount)
    if found.tax is None and found.total is not None and found.subtotal is not None:
        # REST leaves legacy tax out of its fields, but not out of the total.
        left = found.total - found.subtotal + (found.discount or ZERO)
        found.tax = left if left >= 0 else None
    return found


def _document_line(row: Shape) -> Raw:
    return {
        "id": row.text("line"),
        "description": row.text("description"),
        "product": row.ref("item").id,
        "quantity": row.amount("quantity"),
        "rate": _rate(row),
        "amount": row.amount("amount"),
        "tax": row.amount("taxamount", "tax1amt"),
    }


def _rate(row: Shape) -> Any:
    """A price; a percentage, as discounts have, is none."""
    rate = row.fields.get("rate")
    return None if isinstance(rate, str) and rate.strip().endswith("%") else rate


def _item_type(row: Shape) -> str:
    ref = row.ref("itemtype")
    return ref.id or ref.name or ""


def _is_item(row: Shape, context: Context, option: str) -> bool:
    """Whether it is the item that a user keeps for tax or discounts (an option: id or name)."""
    wanted = context.options.get(option)
    item = row.ref("item")
    return wanted not in (None, "") and str(wanted) in (item.id, item.name, row.text("itemname"))


def _extra(id: str, label: str, amount: Decimal) -> Raw:
    return {"id": id, "description": label, "amount": amount}


def _document_subtotal(
    shape: Shape, found: Figures, taken_out: Decimal, shipping: Decimal
) -> Decimal | None:
    """NetSuite's own, without the lines that we read as tax or discount, with shipping."""
    stated = shape.amount("subtotal")
    if stated is not None:
        return stated - taken_out + shipping
    amounts = [row.get("amount") for row in found.lines]
    return sum(filter(None, amounts), ZERO) if found.told and any(amounts) else None


def _document_tax(shape: Shape, own_tax: Decimal) -> Decimal | None:
    """taxTotal, Canada's tax2Total, and lines that are tax by the option `tax_item`."""
    stated = [shape.amount(name) for name in ("taxtotal", "tax2total")]
    if not own_tax and stated == [None, None]:
        return None
    return sum((each for each in stated if each is not None), own_tax)


def _document_discount(shape: Shape, found: Figures, own: Decimal) -> Decimal | None:
    """What the header takes off: discountTotal is negative, a markup positive.

    Where the document's own sum says that the sign was meant the other way, the sum is right.
    """
    stated = shape.amount("discounttotal")
    if stated is None:
        return own if own or found.total is not None else None
    if found.total is not None and found.subtotal is not None and found.tax is not None:
        by_sum = found.subtotal + found.tax - found.total - own
        if abs(by_sum) == abs(stated):
            return by_sum + own
    return own - stated


# SuiteQL


def _from_ledger(shape: Shape, rows: list[Shape] | None, context: Context) -> Figures:
    found = Figures(told=rows is not None, total=total_of(shape))
    if rows is None:
        return found
    lines = [row for row in rows if _is_shown(row)]
    amounts = [line_amount(row, shape) for row in lines]
    # NetSuite refuses negative totals, so the lines' sum says which sign the ledger gave.
    sign = -1 if sum(filter(None, amounts), ZERO) <= 0 else 1
    tax, discount = ZERO, ZERO
    for row, amount in zip(lines, amounts, strict=True):
        ours = None if amount is None else sign * amount or ZERO
        kind = same_word(_item_type(row))
        if row.flag("taxline") or kind in _TAXES or _is_item(row, context, "tax_item"):
            tax += ours or ZERO
        elif row.flag("transactiondiscount") or _is_item(row, context, "discount_item"):
            discount -= ours or ZERO
        elif kind == "shipitem":
            if ours:
                found.lines.append(_extra("shipping", "Shipping", ours))
        elif kind not in _REPEATS:
            found.lines.append(_ledger_line(row, ours, sign))
    found.subtotal = sum((row["amount"] or ZERO for row in found.lines), ZERO)
    found.tax, found.discount = tax, discount
    return found


def _is_shown(row: Shape) -> bool:
    """Real lines: not the header's own, no cost of goods, no component of a kit."""
    hidden = row.flag("mainline") or row.flag("iscogs") or row.text("kitmemberof") is not None
    return not hidden


def _ledger_line(row: Shape, amount: Decimal | None, sign: int) -> Raw:
    quantity = row.amount("quantity")
    return {
        "id": row.text("id", "line"),
        "description": row.text("memo", "description"),
        "product": row.ref("item").id,
        "quantity": None if quantity is None else sign * quantity or ZERO,
        "rate": None if row.text("ratepercent") else _rate(row),
        "amount": amount,
        "tax": None,
    }


def size(amount: Decimal | None) -> Decimal | None:
    """Without the ledger's sign."""
    return None if amount is None else abs(amount)


def exact(value: Any) -> Decimal | None:
    return None if value in (None, "") else to_decimal(value)
