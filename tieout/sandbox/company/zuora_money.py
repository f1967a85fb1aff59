"""Invoices, payments, credit memos and refunds in Zuora's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from .facts import Bill, CreditNote, Line, Price, Receipt, Refund
from .ids import zuora_id
from .moments import on, stamp

Object = dict[str, Any]
Typed = tuple[str, Object]


class Numbers:
    """Document numbers, one series a kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def next(self, prefix: str) -> str:
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]:08d}"


def made(at: int, **values: Any) -> Object:
    """A row's audit fields with what else it has."""
    user = zuora_id("user")
    return {"createdById": user, "createdDate": stamp(at), "updatedById": user,
            "updatedDate": stamp(at), **values}  # fmt: skip


def plan_id(price: Price) -> str:
    return zuora_id(f"{price.id}:plan")


def charge_id(price: Price) -> str:
    return zuora_id(f"{price.id}:charge")


def _credited(bill: Bill, now: int) -> int:
    """Minor units that credit memos took off, a reversal included."""
    gone = bill.total - bill.amount_paid(now) if bill.status(now) == "void" else 0
    return gone or bill.credited(now)


def _touched(bill: Bill, now: int) -> int:
    times = [bill.created, bill.finalized, bill.voided, bill.uncollectible]
    times += [one.succeeded for one in bill.receipts]
    times += [note.created for note in bill.credits]
    return max(time for time in times if time is not None and time <= now)


def invoice_rows(bill: Bill, now: int) -> Iterator[Typed]:
    """The invoice, its items, the discounts as items of their own, the taxes."""
    money, status = bill.currency.decimal, bill.status(now)
    draft = status == "draft"
    day = on(bill.issued).isoformat()
    rest = 0 if status == "void" else bill.total if draft else bill.remaining(now)
    row = made(
        bill.created, id=bill.id, accountId=bill.client.id, currency=bill.currency.code,
        invoiceNumber=bill.number or f"INV-{bill.id[-8:]}", invoiceDate=day, targetDate=day,
        dueDate=on(bill.due).isoformat() if bill.due else day, amount=money(bill.total),
        amountWithoutTax=money(bill.subtotal - bill.discounted), taxAmount=money(bill.tax),
        balance=money(rest), paymentAmount=money(0 if draft else bill.amount_paid(now)),
        creditMemoAmount=money(0 if draft else _credited(bill, now)), refundAmount=money(0),
        adjustmentAmount=money(0), status="Draft" if draft else "Posted", source="BillRun",
        sourceType="Subscription" if bill.subscription else "Standalone", comments=bill.memo,
        autoPay=not bill.client.sends_invoices, reversed=status == "void",
        postedDate=stamp(bill.finalized) if bill.finalized and not draft else None,
        transferredToAccounting="No", taxExemptAmount=money(0), includesRecurring=True,
    )  # fmt: skip
    yield "Invoice", row | {"updatedDate": stamp(_touched(bill, now))}
    for line in bill.lines:
        yield from _item_rows(bill, line)


def _item_rows(bill: Bill, line: Line) -> Iterator[Typed]:
    money = bill.currency.decimal
    last = max(on(line.period[0]), on(line.period[1]) - timedelta(days=1))
    subscription = bill.subscription
    row = made(
        bill.created, id=line.id, invoiceId=bill.id, accountId=bill.client.id,
        chargeAmount=money(line.amount), taxAmount=money(line.tax), quantity=line.quantity,
        unitPrice=money(line.unit), chargeName=line.product.name, description=line.description,
        serviceStartDate=on(line.period[0]).isoformat(), serviceEndDate=last.isoformat(),
        sKU=line.product.sku, processingType="Charge", taxMode="TaxExclusive",
        productId=zuora_id(line.product.id), ratePlanChargeId=line.item,
        productRatePlanChargeId=charge_id(line.price) if line.price else None,
        subscriptionId=zuora_id(f"{subscription.id}:version") if subscription else None,
        subscriptionNumber=subscription.id if subscription else None, balance=money(0),
        sourceItemType="SubscriptionComponent" if line.item else "InvoiceDetail",
        chargeDate=stamp(bill.created),
    )  # fmt: skip
    yield "InvoiceItem", row
    if line.discount:
        yield "InvoiceItem", row | {
            "id": zuora_id(f"{line.id}:discount"), "chargeAmount": money(-line.discount),
            "taxAmount": money(0), "processingType": "Discount", "quantity": 1,
            "unitPrice": money(-line.discount), "chargeName": "Discount",
            "appliedToInvoiceItemId": line.id, "ratePlanChargeId": None,
        }  # fmt: skip
    if line.tax:
        name = bill.client.tax.name if bill.client.tax else "Tax"
        yield "TaxationItem", made(
            bill.created, id=zuora_id(f"{line.id}:tax"), invoiceItemId=line.id, name=name,
            taxAmount=money(line.tax), taxDate=on(bill.issued).isoformat(),
            taxMode="TaxExclusive", taxRateType="Percentage", exemptAmount=money(0),
            taxRate=Decimal(bill.client.tax.rate).scaleb(-5) if bill.client.tax else None,
        )  # fmt: skip


def payment_rows(receipt: Receipt, now: int, numbers: Numbers) -> Iterator[Typed]:
    """Failed attempts are payments in error; the one that came in is applied to its invoice."""
    bill = receipt.bill
    money, client = bill.currency.decimal, bill.client
    shared: Object = {
        "accountId": client.id, "amount": money(receipt.amount), "currency": bill.currency.code,
        "type": "External" if client.sends_invoices else "Electronic", "refundAmount": money(0),
        "transferredToAccounting": "No", "source": "PaymentRun",
    }  # fmt: skip
    for attempt in receipt.attempts:
        if attempt.failure and attempt.at <= now:
            yield "Payment", made(
                attempt.at, id=zuora_id(attempt.charge), paymentNumber=numbers.next("P-"),
                status="Error", effectiveDate=on(attempt.at).isoformat(), appliedAmount=money(0),
                unappliedAmount=money(0), gatewayState="NotSubmitted",
                gatewayResponseCode=attempt.failure, referenceId=attempt.charge, **shared,
            )  # fmt: skip
    at = receipt.succeeded
    if at is None or at > now:
        return
    charge = next((one.charge for one in receipt.attempts if not one.failure), None)
    yield "Payment", made(
        at, id=receipt.id, paymentNumber=numbers.next("P-"), status="Processed",
        effectiveDate=on(at).isoformat(), appliedAmount=money(receipt.amount),
        unappliedAmount=money(0), gatewayState="Settled", referenceId=charge, **shared,
    )  # fmt: skip
    link = {"paymentId": receipt.id, "invoiceId": bill.id, "accountId": client.id}
    yield from _linked("Payment", at, receipt.id, money(receipt.amount), link)


def _linked(kind: str, at: int, key: str, sum: Decimal, link: Object) -> Iterator[Typed]:
    """The part (what is applied now) and the application (what was done) of it."""
    yield f"{kind}Part", made(at, id=zuora_id(f"{key}:part"), amount=sum, **link)
    day = on(at).isoformat()
    yield (
        f"{kind}Application",
        made(at, id=zuora_id(f"{key}:application"), amount=sum, effectiveDate=day, **link),
    )


def memo_rows(note: CreditNote, now: int, numbers: Numbers) -> Iterator[Typed]:
    """A credit memo, applied to its invoice or paid back."""
    bill, back = note.bill, note.refund
    money, paid_back = bill.currency.decimal, back is not None and back.created <= now
    applied = note.total if note.kind == "pre_payment" else 0
    refunded = note.total if paid_back else 0
    row = _memo(bill, note.id, note.number, note.created, note.total, note.tax)
    row |= {
        "appliedAmount": money(applied), "refundAmount": money(refunded),
        "balance": money(note.total - applied - refunded), "reasonCode": note.reason,
        "comments": note.memo,
    }  # fmt: skip
    yield "CreditMemo", row
    yield "CreditMemoItem", _memo_item(bill, note.id, note.created, note.total, note.tax)
    if applied:
        link = {"creditMemoId": note.id, "invoiceId": bill.id, "accountId": bill.client.id}
        yield from _linked("CreditMemo", note.created, note.id, money(applied), link)
    if back is not None and paid_back:
        yield from _refund(back, note, numbers)


def _refund(back: Refund, note: CreditNote, numbers: Numbers) -> Iterator[Typed]:
    bill, day = note.bill, on(back.created).isoformat()
    sum, external = bill.currency.decimal(back.amount), bill.client.sends_invoices
    yield "Refund", made(
        back.created, id=back.id, refundNumber=numbers.next("R-"), accountId=bill.client.id,
        amount=sum, currency=bill.currency.code, refundDate=day, status="Processed",
        type="External" if external else "Electronic", creditMemoId=note.id,
        methodType="WireTransfer" if external else "CreditCard", reasonCode=back.reason,
        referenceID=back.transaction, transferredToAccounting="No", gatewayState="Settled",
    )  # fmt: skip
    yield "RefundApplication", made(
        back.created, id=zuora_id(f"{back.id}:application"), refundId=back.id, applyAmount=sum,
        creditMemoId=note.id, accountId=bill.client.id, effectiveDate=day,
    )  # fmt: skip


def reversal_rows(bill: Bill, now: int, numbers: Numbers) -> Iterator[Typed]:
    """The credit memo that reversed a voided invoice."""
    at, rest = bill.voided or now, _credited(bill, now)
    own = zuora_id(f"{bill.id}:reversal")
    money = bill.currency.decimal
    row = _memo(bill, own, numbers.next("CM"), at, rest, bill.tax)
    row |= {"appliedAmount": money(rest), "balance": money(0), "reasonCode": "Reversal"}
    yield "CreditMemo", row
    yield "CreditMemoItem", _memo_item(bill, own, at, rest, bill.tax)
    link = {"creditMemoId": own, "invoiceId": bill.id, "accountId": bill.client.id}
    yield from _linked("CreditMemo", at, own, money(rest), link)


def _memo(bill: Bill, id: str, number: str, at: int, total: int, tax: int) -> Object:
    money = bill.currency.decimal
    return made(
        at, id=id, memoNumber=number, accountId=bill.client.id, currency=bill.currency.code,
        memoDate=on(at).isoformat(), status="Posted", totalAmount=money(total),
        totalAmountWithoutTax=money(total - tax), taxAmount=money(tax), invoiceId=bill.id,
        totalTaxExemptAmount=money(0), refundAmount=money(0), source="AdhocFromInvoice",
        sourceType="Invoice", reversed=False, postedOn=stamp(at), transferredToAccounting="No",
    )  # fmt: skip


def _memo_item(bill: Bill, memo: str, at: int, total: int, tax: int) -> Object:
    money = bill.currency.decimal
    return made(
        at, id=zuora_id(f"{memo}:item"), creditMemoId=memo, amount=money(total - tax),
        amountWithoutTax=money(total - tax), taxAmount=money(tax), processingType="Charge",
        description="Credit", quantity=1, unitPrice=money(total - tax), taxMode="TaxExclusive",
    )  # fmt: skip
