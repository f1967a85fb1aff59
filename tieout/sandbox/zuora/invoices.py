"""Invoices: standalone ones are made, posted, unposted, reversed, written off, deleted.

https://developer.zuora.com/v1-api-reference/api/invoices/
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .books import Record
from .errors import Refusal, invalid, missing, rule
from .memos import apply_to_invoice, memo_from_invoice
from .tenant import Call, amount, custom, move_account
from .times import is_date
from .wire import Body

_COPIED = [
    "chargeName",
    "description",
    "productRatePlanChargeId",
    "taxCode",
    "taxMode",
    "accountingCode",
]
_TERMS = {"Net 15": 15, "Net 30": 30, "Net 45": 45, "Net 60": 60, "Net 90": 90}


def create(call: Call) -> Body:
    return call.shown(make(call))


def create_many(call: Call) -> Body:
    """POST /v1/invoices/batch: each succeeds or fails by itself."""
    listed = call.body.get("invoices")
    if not isinstance(listed, list) or not listed:
        raise missing("invoice", "invoices")
    if len(listed) > 50:
        raise invalid("invoice", "At most 50 invoices can be created in one call.")
    done: list[Body] = []
    for one in listed:
        try:
            with call.books.attempt():
                made = make(Call(call.tenant, call.request, call.keys, dict(one)))
            done.append({"success": True, **call.shown(made)})
        except Refusal as refusal:
            done.append(dict(refusal.answer.content))
    return {"invoices": done}


def make(call: Call) -> Record:
    """A standalone invoice with its items. Raises Refusal."""
    body, books = call.body, call.books
    account = call.account("invoice")
    day = call.date("invoice", "invoiceDate")
    status = call.choice("invoice", "status", "Draft|Posted", "Draft")
    currency = str(body.get("currency") or account.row.get("currency") or "USD")
    items = body.get("invoiceItems")
    if not isinstance(items, list) or not items:
        raise missing("invoice", "invoiceItems")
    number = body.get("invoiceNumber")
    if number and books.find("invoice", number):
        raise invalid("invoice", f"The invoice number {number} already exists.")
    for item in items:
        _check_item(item, currency)
    term = body.get("paymentTerm") or account.row.get("paymentTerm")
    due = call.date("invoice", "dueDate", _due(day, str(term)))
    invoice = books.create(
        "invoice", accountId=account.id, invoiceNumber=number, invoiceDate=day, dueDate=due,
        status="Draft", currency=currency, comments=body.get("comments", ""),
        autoPay=bool(body.get("autoPay", False)), sourceType="Standalone", source="API",
        transferredToAccounting=body.get("transferredToAccounting", "No"), reversed=False,
        paymentAmount=0, creditMemoAmount=0, refundAmount=0, adjustmentAmount=0,
        creditBalanceAdjustmentAmount=0, taxExemptAmount=0, includesOneTime=True,
        includesRecurring=False, includesUsage=False, paymentTerm=term,
        billToContactId=account.row.get("billToId"), targetDate=day, **custom(body),
    )  # fmt: skip
    add_items(call, invoice, items)
    if status == "Posted":
        post(call, invoice)
    return invoice


def add_items(call: Call, invoice: Record, items: list[Any]) -> None:
    """Items and their taxes; sets the totals of the (draft) invoice."""
    currency = str(invoice.row["currency"])
    net, tax = invoice.amount("amountWithoutTax"), invoice.amount("taxAmount")
    for item in items:
        own = amount("invoice", item, "amount", currency)
        taxes = item.get("taxItems") or []
        taxed = sum((amount("invoice", one, "taxAmount", currency) for one in taxes), Decimal(0))
        row = call.books.create(
            "invoiceitem", invoiceId=invoice.id, accountId=invoice.row["accountId"],
            chargeAmount=own, taxAmount=taxed, balance=own, quantity=item.get("quantity", 1),
            unitPrice=item.get("unitPrice", own), processingType="Charge",
            serviceStartDate=item["serviceStartDate"], serviceEndDate=item.get("serviceEndDate"),
            uOM=item.get("uom"), sKU=item.get("sku"), chargeDate=call.books.now(),
            sourceItemType=item.get("sourceItemType", "InvoiceDetail"),
            subscriptionId=item.get("subscriptionId"), ratePlanChargeId=item.get("chargeId"),
            **{name: item[name] for name in _COPIED if name in item}, **custom(item),
        )  # fmt: skip
        for one in taxes:
            call.books.create(
                "taxationitem", invoiceItemId=row.id, taxAmount=one["taxAmount"],
                balance=one["taxAmount"], paymentAmount=0, creditAmount=0,
                name=one.get("name"), taxCode=one.get("taxCode"), taxRate=one.get("taxRate"),
                taxDate=one.get("taxDate"), exemptAmount=0, jurisdiction=one.get("jurisdiction"),
                locationCode=one.get("locationCode"), taxRateType=one.get("taxRateType"),
            )  # fmt: skip
        off = _discount(call, invoice, row, item.get("discountItems") or [])
        net, tax = net + own + off, tax + taxed
    call.books.change(
        invoice, amountWithoutTax=net, taxAmount=tax, amount=net + tax, balance=net + tax
    )


def _discount(call: Call, invoice: Record, item: Record, discounts: list[Body]) -> Decimal:
    """Items of their own, with negative amounts; their sum."""
    total = Decimal(0)
    for one in discounts:
        own = amount("invoice", one, "amount", str(invoice.row["currency"]))
        call.books.create(
            "invoiceitem", invoiceId=invoice.id, accountId=invoice.row["accountId"],
            chargeAmount=own, taxAmount=0, balance=own, quantity=1, unitPrice=own,
            processingType="Discount", appliedToInvoiceItemId=item.id,
            chargeName=one.get("chargeName"), description=one.get("description"),
            serviceStartDate=item.row["serviceStartDate"], chargeDate=call.books.now(),
            serviceEndDate=item.row.get("serviceEndDate"), sourceItemType="InvoiceDetail",
        )  # fmt: skip
        total += own
    return total


def post(call: Call, invoice: Record) -> None:
    """Draft to Posted: from now on it is owed. Raises Refusal."""
    if invoice.row.get("status") != "Draft":
        raise invalid("invoice", "Only invoices with Draft status can be posted.")
    call.books.change(
        invoice, status="Posted", postedBy=call.books.user, postedDate=call.books.now()
    )
    owed = invoice.amount("balance")
    move_account(call.books, invoice.row.get("accountId"), invoices=owed)
    account = call.books.find("account", invoice.row.get("accountId"))
    if account is not None:
        call.books.change(account, lastInvoiceDate=invoice.row.get("invoiceDate"))
    call.tenant.emit("InvoicePosted", invoice)


def post_many(call: Call) -> Body:
    """POST /v1/invoices/bulk-post."""
    done: list[Body] = []
    for one in call.body.get("invoices") or []:
        key = one.get("id")
        try:
            with call.books.attempt():
                post(call, call.books.get("invoice", key))
            done.append({"id": key, "success": True})
        except Refusal as refusal:
            done.append({**refusal.answer.content, "id": key})
    return {"invoices": done}


def update(call: Call) -> Body:
    invoice, body = call.get("invoice"), call.body
    posted = invoice.row.get("status") == "Posted"
    if posted and {"invoiceItems", "invoiceDate"} & set(body):
        raise rule("invoice", "A posted invoice cannot be edited. Unpost or reverse it first.")
    if body.get("status") == "Posted":
        post(call, invoice)
    elif body.get("status") == "Draft" and posted:
        _unpost(call, invoice)
    changes = {
        name: body[name]
        for name in ("autoPay", "comments", "dueDate", "invoiceDate", "transferredToAccounting")
        if name in body
    }
    if "invoiceItems" in body:
        _replace_items(call, invoice, body["invoiceItems"])
    call.books.change(invoice, **changes, **custom(body))
    return call.shown(invoice)


def _replace_items(call: Call, invoice: Record, items: list[Any]) -> None:
    for item in items:
        _check_item(item, str(invoice.row["currency"]))
    for old in call.books.children("invoiceitem", "invoiceId", invoice.id):
        call.books.delete(old)
    call.books.change(invoice, amountWithoutTax=0, taxAmount=0)
    add_items(call, invoice, items)


def _unpost(call: Call, invoice: Record) -> None:
    if invoice.amount("balance") != invoice.amount("amount"):
        raise rule("invoice", "An invoice with applied payments or credits cannot be unposted.")
    move_account(call.books, invoice.row.get("accountId"), invoices=-invoice.amount("balance"))
    call.books.change(invoice, status="Draft", postedBy=None, postedDate=None)


def delete(call: Call) -> Body:
    """Drafts and canceled ones only; the answer names the job that does it."""
    invoice = call.get("invoice")
    if invoice.row.get("status") not in ("Draft", "Canceled", "Error"):
        raise rule("invoice", "Only draft or canceled invoices can be deleted.")
    for item in call.books.children("invoiceitem", "invoiceId", invoice.id):
        call.books.delete(item)
    call.books.delete(invoice)
    call.tenant.emit("InvoiceDeleted", invoice)
    return {"id": invoice.id, "jobId": None, "jobStatus": "Completed"}


def reverse(call: Call) -> Body:
    """A credit memo for the whole, applied at once."""
    invoice = call.get("invoice")
    if invoice.row.get("status") != "Posted" or invoice.row.get("reversed"):
        raise rule("invoice", "Only posted invoices that are not reversed can be reversed.")
    if invoice.amount("balance") != invoice.amount("amount"):
        raise rule("invoice", "An invoice with applied payments or credits cannot be reversed.")
    memo = _settle(call, invoice, "Reversal")
    call.books.change(invoice, reversed=True)
    return {"id": invoice.id, "creditMemo": {"id": memo.id}, "debitMemo": None}


def write_off(call: Call) -> Body:
    invoice = call.get("invoice")
    if invoice.row.get("status") != "Posted" or invoice.amount("balance") <= 0:
        raise rule("invoice", "Only posted invoices with a balance can be written off.")
    memo = _settle(call, invoice, str(call.body.get("reasonCode") or "Write-off"))
    return {"creditMemo": call.shown(memo)}


def _settle(call: Call, invoice: Record, reason: str) -> Record:
    owed = invoice.amount("balance")
    memo = memo_from_invoice(call, invoice, owed, reason, posted=True)
    apply_to_invoice(call, memo, invoice, owed)
    return memo


def _due(day: str, term: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=_TERMS.get(term, 0))).isoformat()


def _check_item(item: Any, currency: str) -> None:
    if not isinstance(item, dict):
        raise invalid("invoice", "'invoiceItems' value is invalid")
    amount("invoice", item, "amount", currency)
    for one in item.get("taxItems") or []:
        amount("invoice", one, "taxAmount", currency)
    for one in item.get("discountItems") or []:
        if amount("invoice", one, "amount", currency) > 0:
            raise invalid("invoice", "'amount' value of a discount item should be negative")
    if not item.get("serviceStartDate"):
        raise missing("invoice", "serviceStartDate")
    for name in ("serviceStartDate", "serviceEndDate"):
        if item.get(name) is not None and not is_date(item[name]):
            raise invalid("invoice", f"'{name}' value should be in the format yyyy-mm-dd")
