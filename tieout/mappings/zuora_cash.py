"""Payments and refunds."""

from __future__ import annotations

from .forms import Context, prepares
from .zuora_documents import allocations
from .zuora_shapes import Raw, Shape, comment, common, currency_of, letters, shape_of


@prepares("zuora.payment")
def payment(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    status = letters(shape.text("status"))
    done = status in ("processed", "posted")
    currency, source = currency_of(shape)
    return {
        **common(shape, context, "paymentnumber", "number"),
        "number": shape.text("paymentnumber", "number"),
        "customer": shape.text("accountid"),
        "currency": currency,
        "currency_from": source,
        "amount": shape.number("amount"),
        "status": status,
        "method": _method(shape),
        "received_on": shape.day("effectivedate") if done else None,
        "gateway_id": shape.text("referenceid"),
        "second_reference": shape.text("secondpaymentreferenceid"),
        "refunded": shape.number("refundamount"),
        "failure_code": shape.text("gatewayresponsecode") if status == "error" else None,
        "failure_message": shape.text("gatewayresponse") if status == "error" else None,
        "comment": comment(shape, "comment"),
        "type": shape.text("type"),
        "gateway_state": shape.text("gatewaystate"),
        "payout": shape.text("payoutid"),
        "transferred": shape.text("transferredtoaccounting")
        or shape.inner("financeinformation").text("transferredtoaccounting"),
        "allocations": _allocated(shape, status),
    }


def _method(shape: Shape) -> str | None:
    method = shape.inner("paymentmethod")
    told = method.text("type") or shape.text("paymentmethodtype", "methodtype")
    return letters(told)


def _allocated(shape: Shape, status: str | None) -> list[Raw]:
    """What did not come in, or was cancelled, is on no invoice."""
    if status in ("error", "canceled", "cancelled", "voided"):
        return []
    return allocations(
        shape,
        "paymentapplications",
        "paymentparts",
        "parts",
        "invoicepayments",
        "invoicepaymentdata",
        "invoices",
    )


@prepares("zuora.refund")
def refund(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    currency, source = currency_of(shape)
    return {
        **common(shape, context, "refundnumber", "number"),
        "number": shape.text("refundnumber", "number"),
        "payment": shape.text("paymentid") or _only(shape, "paymentid"),
        "credit_note": shape.text("creditmemoid") or _only(shape, "creditmemoid"),
        "customer": shape.text("accountid"),
        "currency": currency,
        "currency_from": source,
        "amount": shape.number("amount"),
        "status": letters(shape.text("status")),
        "reason": shape.text("reasoncode"),
        "refunded_on": shape.day("refunddate"),
        "comment": comment(shape, "comment"),
        "type": shape.text("type"),
        "method_type": shape.text("methodtype"),
        "reference": shape.text("referenceid"),
        "payout": shape.text("payoutid"),
    }


def _only(shape: Shape, field: str) -> str | None:
    """What the refund pays back, where it is one payment or memo."""
    rows = [*shape.each("refundapplications"), *shape.each("refundinvoicepayments")]
    found = {told for row in rows if (told := row.text(field))}
    return found.pop() if len(found) == 1 else None
