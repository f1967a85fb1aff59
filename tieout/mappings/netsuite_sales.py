"""Invoices and credit memos: what they say, and what has settled them."""

from __future__ import annotations

from decimal import Decimal

from .forms import Context, prepares
from .netsuite_figures import ZERO, Figures, figures_of, size
from .netsuite_links import (
    DEPOSIT,
    INVOICE,
    PAYMENT,
    REFUND,
    Applied,
    amount_of,
    applications,
    has_links,
    to_invoices,
)
from .netsuite_records import common, currency_of, kind_of, status_of
from .netsuite_shapes import ROW, Raw, Shape, day_of, shape_of

# The words are those of the status list; the letters follow its usual order, where D and E exist
# only in accounts with approval routing.
INVOICE_WORDS = {
    "open": "open",
    "paidinfull": "paid",
    "voided": "void",
    "pendingapproval": "draft",
    "rejected": "draft",
}
INVOICE_LETTERS = {"A": "open", "B": "paid", "V": "void", "D": "draft", "E": "draft"}
CREDIT_WORDS = {
    "open": "issued",
    "fullyapplied": "applied",
    "voided": "void",
    "pendingapproval": "draft",
    "rejected": "draft",
}
CREDIT_LETTERS = {"A": "issued", "B": "applied", "V": "void", "D": "draft", "E": "draft"}


@prepares("netsuite.invoice")
def invoice(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, "invoice", context)
    figures = figures_of(shape, context)
    status = status_of(shape, INVOICE_WORDS, INVOICE_LETTERS, "invoices")
    balance = size(shape.amount("amountremaining", "foreignamountunpaid"))
    if balance is None and status in ("paid", "void"):
        balance = ZERO
    applied = applications(shape, found["id"])
    paid, credited = _settled(shape, applied, figures.total, balance)
    if balance is None and None not in (figures.total, paid, credited):
        balance = figures.total - paid - credited  # type: ignore[operator]
    closed = day_of(shape.fields.get("closedate"), shape, context)
    return {
        **found,
        **_document(shape, figures, context),
        "due_on": day_of(shape.fields.get("duedate"), shape, context),
        "status": status,
        "paid_on": closed if status == "paid" else None,
        "discount": figures.discount,
        "paid": paid,
        "credited": credited,
        "balance": balance,
    }


@prepares("netsuite.credit_note")
def credit_note(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, "credit_note", context)
    figures = figures_of(shape, context)
    figures.discount_as_line()
    status = status_of(shape, CREDIT_WORDS, CREDIT_LETTERS, "credit memos")
    balance = size(shape.amount("unapplied", "amountremaining", "foreignpaymentamountunused"))
    if balance is None and status in ("applied", "void"):
        balance = ZERO
    applied = applications(shape, found["id"])
    allocated, refunded = _used(shape, applied, figures.total, balance)
    if balance is None and None not in (figures.total, allocated, refunded):
        balance = figures.total - allocated - refunded  # type: ignore[operator]
    on_invoices = to_invoices(applied or [])
    return {
        **found,
        **_document(shape, figures, context),
        "status": _status_by_money(status, balance, refunded),
        "invoice": _credited_invoice(shape, on_invoices),
        "allocated": allocated,
        "refunded": refunded,
        "balance": balance,
        "allocations": [{"invoice": each.doc, "amount": each.amount} for each in on_invoices],
    }


def _document(shape: Shape, figures: Figures, context: Context) -> Raw:
    """What invoices and credit memos share."""
    money = [figures.total, figures.subtotal, *(row["amount"] for row in figures.lines)]
    return {
        "number": shape.text("tranid"),
        "customer": shape.ref("entity", "customer").id,
        "currency": currency_of(shape, context, needed=any(money)),
        "issued_on": day_of(shape.fields.get("trandate"), shape, context),
        "memo": shape.text("memo"),
        "lines": figures.lines,
        "subtotal": figures.subtotal,
        "tax": figures.tax,
        "total": figures.total,
    }


def _settled(
    shape: Shape, applied: list[Applied] | None, total: Decimal | None, balance: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """(paid, credited) by links; without links only "nothing at all" can be told.

    What settled it without a link that says how (a journal against A/R) counts as paid.
    """
    if applied is not None and has_links(shape) and all(each.kind for each in applied):
        paid = amount_of(applied, PAYMENT, DEPOSIT)
        credited = sum((each.amount for each in applied), ZERO) - paid
        stated = size(shape.amount("amountpaid", "foreignamountpaid"))
        if stated is not None and stated > paid + credited:
            paid = stated - credited
        return paid, credited
    nothing = size(shape.amount("amountpaid", "foreignamountpaid")) == 0
    if nothing or (total is not None and balance == total):
        return ZERO, ZERO
    return None, None


def _used(
    shape: Shape, applied: list[Applied] | None, total: Decimal | None, balance: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """(allocated, refunded). REST's apply sublist shows no refunds: those are what else is used."""
    if applied is not None and has_links(shape):
        refunded = amount_of(applied, REFUND)
        return sum((each.amount for each in applied), ZERO) - refunded, refunded
    used = shape.amount("applied", "amountpaid")
    if used is None and total is not None and balance is not None:
        used = total - balance
    if applied is not None:
        allocated = sum((each.amount for each in applied), ZERO)
        return allocated, None if used is None else max(used - allocated, ZERO)
    return (ZERO, ZERO) if used is not None and not used else (None, None)


def _status_by_money(
    status: str | None, balance: Decimal | None, refunded: Decimal | None
) -> str | None:
    """What is left decides: issued, refunded, or applied."""
    if status in ("draft", "void") or balance is None:
        return status
    if balance > 0:
        return "issued"
    return "refunded" if refunded else "applied"


def _credited_invoice(shape: Shape, on_invoices: list[Applied]) -> str | None:
    """The invoice it was made from, else the only one it is applied to."""
    rows = shape.rows("lines") or [] if shape.form == ROW else []
    for holder in (shape, *rows):
        origin = holder.ref("createdfrom")
        kind = kind_of(origin) or (holder.text("createdfromtype") or "").lower()
        if origin.id and (kind in INVOICE or origin.id in {each.doc for each in on_invoices}):
            return origin.id
    return on_invoices[0].doc if len(on_invoices) == 1 else None
