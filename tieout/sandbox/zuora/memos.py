"""Credit memos and debit memos: made, posted, applied, unapplied, canceled.

https://developer.zuora.com/v1-api-reference/api/credit-memos/
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .books import Record
from .errors import invalid, missing, not_found, rule
from .items import settle
from .tenant import Call, amount, custom, move_account
from .wire import Body


def create(call: Call) -> Body:
    """POST /v1/creditmemos or /v1/debitmemos: from product charges."""
    table = "debitmemo" if "debitmemos" in call.request.path else "creditmemo"
    account = call.account(table)
    charges = call.body.get("charges")
    if not isinstance(charges, list) or not charges:
        raise missing(table, "charges")
    currency = str(call.body.get("currency") or account.row.get("currency") or "USD")
    total = Decimal(0)
    for charge in charges:
        if not charge.get("productRatePlanChargeId") and not charge.get("chargeId"):
            raise missing(table, "productRatePlanChargeId")
        total += amount(table, charge, "amount", currency)
    memo = _make(call, table, account, currency, total, None)
    for charge in charges:
        _item(call, memo, charge, Decimal(str(charge["amount"])))
    if call.body.get("autoPost"):
        post(call, memo)
    return call.shown(memo)


def create_from_invoice(call: Call) -> Body:
    """POST /v1/invoices/{key}/creditmemos or debitmemos."""
    invoice = call.get("invoice")
    table = "debitmemo" if call.request.path.endswith("debitmemos") else "creditmemo"
    if invoice.row.get("status") != "Posted":
        raise rule(table, "The invoice must be posted.")
    currency = str(invoice.row.get("currency") or "USD")
    listed = call.body.get("items") or [
        {"invoiceItemId": one.id, "amount": one.row["chargeAmount"]}
        for one in call.books.children("invoiceitem", "invoiceId", invoice.id)
    ]
    total = Decimal(0)
    for item in listed:
        found = call.books.find("invoiceitem", item.get("invoiceItemId"))
        if found is None or found.row.get("invoiceId") != invoice.id:
            raise not_found("invoice", str(item.get("invoiceItemId")))
        own = amount(table, item, "amount", currency)
        if own <= 0 or (table == "creditmemo" and own > found.amount("chargeAmount")):
            raise rule(table, "The amount exceeds the amount of the invoice item.")
        total += own
    account = call.books.get("account", invoice.row.get("accountId"))
    memo = _make(call, table, account, currency, total, invoice)
    for item in listed:
        _item(call, memo, item, Decimal(str(item["amount"])))
    apply = bool(call.body.get("autoApplyToInvoiceUponPosting"))
    if call.body.get("autoPost"):
        post(call, memo)
        if apply and table == "creditmemo":
            apply_to_invoice(call, memo, invoice, min(total, invoice.amount("balance")))
    return call.shown(memo)


def memo_from_invoice(
    call: Call, invoice: Record, total: Decimal, reason: str, *, posted: bool
) -> Record:
    """A credit memo over `total`, as reversals and write-offs make it."""
    account = call.books.get("account", invoice.row.get("accountId"))
    currency = str(invoice.row.get("currency") or "USD")
    memo = _make(call, "creditmemo", account, currency, total, invoice, reason)
    _item(call, memo, {"comment": reason}, total)
    if posted:
        post(call, memo)
    return memo


def _make(
    call: Call, table: str, account: Record, currency: str, total: Decimal,
    invoice: Record | None, reason: str | None = None,
) -> Record:  # fmt: skip
    body = call.body
    number = body.get("number") or body.get("memoNumber")
    if number and call.books.find(table, number):
        raise invalid(table, f"The number {number} already exists.")
    row: dict[str, Any] = {
        "accountId": account.id, "currency": currency, "memoNumber": number, "status": "Draft",
        "memoDate": call.date(table, "effectiveDate", call.books.today()), "taxAmount": 0,
        "totalAmount": total, "totalAmountWithoutTax": total, "totalTaxExemptAmount": 0,
        "balance": total, "comments": body.get("comment", ""), "source": "API",
        "reasonCode": reason or body.get("reasonCode"), "transferredToAccounting": "No",
        "sourceType": "Invoice" if invoice else "Standalone", "reversed": False,
        "invoiceId": invoice.id if invoice else None, **custom(body),
    }  # fmt: skip
    if table == "creditmemo":
        row |= {"appliedAmount": 0, "refundAmount": 0, "autoApplyUponPosting": False,
                "excludeFromAutoApplyRules": False}  # fmt: skip
    else:
        row |= {"dueDate": call.date(table, "dueDate", row["memoDate"]), "beAppliedAmount": 0,
                "autoPay": bool(body.get("autoPay", False))}  # fmt: skip
    return call.books.create(table, **row)


def _item(call: Call, memo: Record, sent: Body, own: Decimal) -> None:
    shared = {
        "amount": own, "amountWithoutTax": own, "description": sent.get("comment", ""),
        "processingType": "Charge", "quantity": sent.get("quantity", 1), "unitPrice": own,
        "sku": sent.get("sku"), "skuName": sent.get("skuName"),
        "serviceStartDate": sent.get("serviceStartDate"), "taxMode": "TaxExclusive",
        "serviceEndDate": sent.get("serviceEndDate"), "invoiceItemId": sent.get("invoiceItemId"),
        "productRatePlanChargeId": sent.get("productRatePlanChargeId") or sent.get("chargeId"),
        "sourceItemId": sent.get("invoiceItemId"), "taxAmount": 0, "taxExemptAmount": 0,
    }  # fmt: skip
    if memo.table == "creditmemo":
        call.books.create(
            "creditmemoitem", creditMemoId=memo.id, appliedAmount=0, refundAmount=0,
            unappliedAmount=own, **shared,
        )  # fmt: skip
    else:
        call.books.create(
            "debitmemoitem", debitMemoId=memo.id, balance=own, beAppliedAmount=0, **shared
        )


def post(call: Call, memo: Record) -> None:
    """Draft to Posted. Raises Refusal."""
    if memo.row.get("status") != "Draft":
        raise rule(memo.table, "Only memos with Draft status can be posted.")
    call.books.change(memo, status="Posted", postedOn=call.books.now(), postedById=call.books.user)
    _book(call, memo, memo.amount("balance"))
    name = "CreditMemoPosted" if memo.table == "creditmemo" else "DebitMemoPosted"
    call.tenant.emit(name, memo)


def _book(call: Call, memo: Record, sum: Decimal) -> None:
    if memo.table == "creditmemo":
        move_account(call.books, memo.row.get("accountId"), credits=sum)
    else:
        move_account(call.books, memo.row.get("accountId"), debits=sum)


def act(call: Call) -> Body:
    """PUT .../post, .../unpost, .../cancel, .../apply, .../unapply."""
    table = "debitmemo" if "debitmemos" in call.request.path else "creditmemo"
    memo, word = call.get(table), call.request.path.rsplit("/", 1)[1]
    if word == "post":
        post(call, memo)
    elif word == "unpost":
        untouched = memo.amount("balance") == memo.amount("totalAmount")
        if memo.row.get("status") != "Posted" or not untouched:
            raise rule(table, "Only posted memos that are not applied can be unposted.")
        _book(call, memo, -memo.amount("balance"))
        call.books.change(memo, status="Draft", postedOn=None, postedById=None)
    elif word == "cancel":
        if memo.row.get("status") != "Draft":
            raise rule(table, "Only memos with Draft status can be canceled.")
        call.books.change(
            memo, status="Canceled", cancelledOn=call.books.now(), cancelledById=call.books.user
        )
    else:
        _apply(call, memo, 1 if word == "apply" else -1)
    return call.shown(memo)


def _apply(call: Call, memo: Record, sign: int) -> None:
    if memo.row.get("status") != "Posted":
        raise rule("creditmemo", "The credit memo must be posted.")
    currency = str(memo.row.get("currency") or "USD")
    parts = [(one, "invoice") for one in call.body.get("invoices") or []]
    if not parts:
        raise missing("creditmemo", "invoices")
    for one, table in parts:
        invoice = call.books.get(table, one.get("invoiceId") or one.get("invoiceNumber"))
        apply_to_invoice(call, memo, invoice, sign * amount("creditmemo", one, "amount", currency))


def reverse(call: Call) -> Body:
    """PUT .../reverse: a debit memo over the same, to which the credit memo is applied at once."""
    memo, books = call.get("creditmemo"), call.books
    untouched = memo.amount("balance") == memo.amount("totalAmount")
    if memo.row.get("status") != "Posted" or memo.row.get("reversed") or not untouched:
        raise rule("creditmemo", "Only posted credit memos that are not applied can be reversed.")
    account = books.get("account", memo.row.get("accountId"))
    total, currency = memo.amount("totalAmount"), str(memo.row.get("currency") or "USD")
    debit = _make(call, "debitmemo", account, currency, total, None, "Reversal")
    _item(call, debit, {"comment": "Reversal"}, total)
    post(call, debit)
    link = {"creditMemoId": memo.id, "debitMemoId": debit.id, "accountId": account.id}
    books.create("creditmemopart", amount=total, **link)
    books.create("creditmemoapplication", amount=total, effectiveDate=books.today(), **link)
    books.change(memo, balance=Decimal(0), appliedAmount=total, reversed=True)
    books.change(debit, balance=Decimal(0), beAppliedAmount=total)
    settle(books, memo, total)
    settle(books, debit, total)
    move_account(books, account.id, credits=-total, debits=-total)
    return {"id": memo.id, "debitMemo": {"id": debit.id}}


def apply_to_invoice(call: Call, memo: Record, invoice: Record, sum: Decimal) -> None:
    """Apply (or, negative, take back) part of a memo. Raises Refusal."""
    books = call.books
    if invoice.row.get("status") != "Posted":
        raise rule("creditmemo", "The invoice must be posted.")
    if memo.row.get("accountId") != invoice.row.get("accountId"):
        raise rule("creditmemo", "The invoice belongs to another account.")
    if sum > memo.amount("balance") or sum > invoice.amount("balance"):
        raise rule("creditmemo", "The amount exceeds the unapplied amount or the balance.")
    parts = books.children("creditmemopart", "creditMemoId", memo.id)
    part = next((one for one in parts if one.row.get("invoiceId") == invoice.id), None)
    if sum < 0 and (part is None or -sum > part.amount("amount")):
        raise rule("creditmemo", "The amount exceeds the applied amount.")
    if part is None:
        books.create(
            "creditmemopart", creditMemoId=memo.id, invoiceId=invoice.id, amount=sum,
            accountId=memo.row.get("accountId"),
        )  # fmt: skip
    else:
        books.change(part, amount=part.amount("amount") + sum)
    books.create(
        "creditmemoapplication", creditMemoId=memo.id, invoiceId=invoice.id, amount=sum,
        effectiveDate=call.date("creditmemo", "effectiveDate", books.today()),
        accountId=memo.row.get("accountId"),
    )  # fmt: skip
    books.change(
        memo, balance=memo.amount("balance") - sum, appliedAmount=memo.amount("appliedAmount") + sum
    )
    books.change(
        invoice, balance=invoice.amount("balance") - sum,
        creditMemoAmount=invoice.amount("creditMemoAmount") + sum,
    )  # fmt: skip
    settle(books, memo, sum)
    settle(books, invoice, sum)
    move_account(books, memo.row.get("accountId"), invoices=-sum, credits=-sum)


def update(call: Call) -> Body:
    table = "debitmemo" if "debitmemos" in call.request.path else "creditmemo"
    memo, body = call.get(table), call.body
    if memo.row.get("status") == "Posted" and {"items", "effectiveDate"} & set(body):
        raise rule(table, "A posted memo cannot be edited.")
    names = {"comment": "comments", "reasonCode": "reasonCode", "dueDate": "dueDate",
             "transferredToAccounting": "transferredToAccounting"}  # fmt: skip
    changes = {row: body[name] for name, row in names.items() if name in body}
    call.books.change(memo, **changes, **custom(body))
    return call.shown(memo)


def delete(call: Call) -> Body:
    table = "debitmemo" if "debitmemos" in call.request.path else "creditmemo"
    memo = call.get(table)
    if memo.row.get("status") not in ("Canceled", "Draft"):
        raise rule(table, "Only draft or canceled memos can be deleted.")
    owner = "creditMemoId" if table == "creditmemo" else "debitMemoId"
    for item in call.books.children(f"{table}item", owner, memo.id):
        call.books.delete(item)
    call.books.delete(memo)
    return {"id": memo.id}
