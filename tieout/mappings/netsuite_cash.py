"""Payments, refunds and deposits."""

from __future__ import annotations

from decimal import Decimal

from .forms import Context, prepares
from .netsuite_figures import ZERO, line_amount, size, total_of
from .netsuite_links import (
    CREDIT,
    DEPOSIT,
    INVOICE,
    PAYMENT,
    REFUND,
    Applied,
    amount_of,
    applications,
    has_links,
)
from .netsuite_records import common, currency_of, status_of
from .netsuite_shapes import ROW, SOAP, Raw, Shape, day_of, same_word, shape_of

PAYMENT_WORDS = {
    "notdeposited": "succeeded",
    "deposited": "succeeded",
    "undeposited": "succeeded",
    "paymentnotdeposited": "succeeded",
    "voided": "canceled",
    "unapprovedpayment": "pending",
    "pendingapproval": "pending",
    "paymentpending": "pending",
    "rejected": "canceled",
}
PAYMENT_LETTERS = {"A": "pending", "B": "succeeded", "C": "succeeded", "V": "canceled"}
REFUND_WORDS = {
    "issued": "succeeded",
    "open": "succeeded",
    "fullyapplied": "succeeded",
    "notdeposited": "succeeded",
    "deposited": "succeeded",
    "cleared": "succeeded",
    "voided": "canceled",
    "unapproved": "pending",
    "pendingapproval": "pending",
    "rejected": "canceled",
}
REFUND_LETTERS = {"A": "pending", "B": "succeeded", "C": "succeeded", "V": "canceled"}
DEPOSIT_WORDS = {
    "deposited": "paid",
    "cleared": "paid",
    "uncleared": "paid",
    "undeposited": "paid",
    "notdeposited": "paid",
    "open": "paid",
    "voided": "canceled",
    "pendingapproval": "pending",
}
DEPOSIT_LETTERS = {"A": "paid", "B": "paid", "C": "paid", "V": "canceled"}

# Payment methods are the account's own list: these are its usual names.
_METHODS = {
    "card": ("card", "visa", "master", "amex", "americanexpress", "discover", "diners", "jcb"),
    "wallet": ("paypal", "applepay", "googlepay", "wallet", "alipay"),
    "bank_debit": ("ach", "eft", "directdebit", "sepadebit", "bacs"),
    "bank_transfer": ("wire", "banktransfer", "transfer", "sepa"),
    "check": ("check", "cheque"),
    "cash": ("cash",),
}


@prepares("netsuite.payment")
def payment(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, "payment", context)
    amount = size(shape.amount("payment")) if shape.form != ROW else None
    amount = total_of(shape) if amount is None else amount
    applied = applications(shape, found["id"])
    refunded = amount_of(applied, REFUND) if applied is not None and has_links(shape) else None
    return {
        **found,
        "customer": shape.ref("customer", "entity").id,
        "currency": currency_of(shape, context, needed=bool(amount)),
        "amount": amount,
        "status": status_of(shape, PAYMENT_WORDS, PAYMENT_LETTERS, "payments"),
        "method": _method(shape),
        "received_on": day_of(shape.fields.get("trandate"), shape, context),
        "reference": shape.text("checknum", "otherrefnum"),
        "gateway_id": shape.text("pnrefnum"),
        "refunded": refunded,
        "allocations": [
            {"invoice": each.doc, "amount": each.amount}
            for each in applied or ()
            if each.kind in INVOICE or not each.kind
        ],
        "number": shape.text("tranid"),
        "memo": shape.text("memo"),
    }


def _method(shape: Shape) -> str | None:
    ref = shape.ref("paymentmethod", "paymentoption")
    name = same_word(shape.text("paymentmethodname") or ref.name or "")
    if not name:
        return None
    for ours, words in _METHODS.items():
        if any(word in name for word in words):
            return ours
    return "other"


@prepares("netsuite.refund")
def refund(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, "refund", context)
    applied = applications(shape, found["id"]) or []
    amount = total_of(shape)
    if amount is None:
        amount = size(shape.amount("payment")) if shape.form != ROW else None
    if amount is None and applied:
        amount = sum((each.amount for each in applied), ZERO)
    return {
        **found,
        "customer": shape.ref("customer", "entity").id,
        "currency": currency_of(shape, context, needed=bool(amount)),
        "amount": size(amount),
        "payment": _only(applied, PAYMENT | DEPOSIT),
        "credit_note": _only(applied, CREDIT),
        "status": status_of(shape, REFUND_WORDS, REFUND_LETTERS, "customer refunds"),
        "reason": shape.text("memo"),
        "refunded_on": day_of(shape.fields.get("trandate"), shape, context),
        "number": shape.text("tranid"),
    }


def _only(applied: list[Applied], kinds: frozenset[str]) -> str | None:
    """The one document of these kinds; None for none or several."""
    found = [each.doc for each in applied if each.kind in kinds]
    return found[0] if len(found) == 1 else None


@prepares("netsuite.payout")
def payout(raw: Raw, context: Context) -> Raw:
    """A bank deposit that settles a payment provider; which ones do is the connector's setting."""
    shape = shape_of(raw)
    found = common(shape, "payout", context)
    lines = _ledger_lines(shape, found["id"]) if shape.form == ROW else _deposit_lines(shape)
    amount = shape.amount("foreigntotal") if shape.form == ROW else shape.amount("total")
    amount = total_of(shape) if amount is None else amount
    if amount is None and lines:
        amount = sum((row["net"] for row in lines), ZERO)
    return {
        **found,
        "currency": currency_of(shape, context, needed=bool(amount)),
        "amount": amount,
        "status": status_of(shape, DEPOSIT_WORDS, DEPOSIT_LETTERS, "deposits") or "paid",
        "arrives_on": day_of(shape.fields.get("trandate"), shape, context),
        "reference": shape.text("memo"),
        "lines": lines,
        "number": shape.text("tranid"),
    }


def _deposit_lines(shape: Shape) -> list[Raw]:
    """`payment` are receipts out of undeposited funds, `other` adds, `cashBack` takes away."""
    lines = []
    for row in shape.rows("payment", "paymentlist") or ():
        if row.flag("deposit") is not False:
            source = row.ref("id", "doc")
            amount = row.amount("transactionamount", "paymentamount", "amount") or ZERO
            lines.append(_line(row.text("lineid", "line"), source.id, amount, row.text("type")))
    for name, sign in (("other", 1), ("otherlist", 1), ("cashback", -1), ("cashbacklist", -1)):
        for row in shape.rows(name) or ():
            amount = sign * (row.amount("amount") or ZERO)
            lines.append(_line(row.text("line"), None, amount, "fee" if amount < 0 else "other"))
    if shape.form == SOAP:  # whose lines have no numbers, but the order of the ledger
        lines = [{**line, "id": line["id"] or str(place)} for place, line in enumerate(lines, 1)]
    return lines


def _ledger_lines(shape: Shape, id: str | None) -> list[Raw]:
    """What a deposit is made of stands in the ledger with the opposite sign of the bank's.

    A line that comes from a payment or refund is linked to it.
    """
    sources = {
        row.text("nextline"): (row.text("previousdoc"), row.text("previoustype"))
        for row in shape.rows("applications") or ()
        if row.text("nextdoc") == id
    }
    lines = []
    for row in shape.rows("lines") or ():
        amount = None if row.flag("mainline") else line_amount(row, shape)
        if amount:
            source, kind = sources.get(row.text("id"), (None, None))
            kind = kind or ("fee" if amount > 0 else "other")
            lines.append(_line(row.text("id"), source, -amount, kind))
    return lines


def _line(id: str | None, source: str | None, amount: Decimal, told: str | None) -> Raw:
    word = same_word(told or "")
    if word in REFUND or word in ("cashrfnd", "cashrefund"):
        kind = "refund"
    elif word in ("fee", "other", "adjustment"):
        kind = "fee" if amount < 0 else "adjustment"
    else:
        kind = "charge" if amount >= 0 else "adjustment"
    return {"id": id, "kind": kind, "source": source, "amount": amount, "net": amount}
