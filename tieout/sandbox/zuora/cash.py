"""Payments and refunds: what they are applied to, and what comes back.

https://developer.zuora.com/v1-api-reference/api/payments/
"""

from __future__ import annotations

from decimal import Decimal

from .books import Record
from .errors import invalid, missing, rule
from .items import settle
from .tenant import Call, amount, custom, move_account
from .wire import Body

_DOCUMENTS = (("invoices", "invoice", "invoiceId"), ("debitMemos", "debitmemo", "debitMemoId"))
_METHODS = (
    "ACH|Cash|Check|CreditCard|PayPal|WireTransfer|DebitCard|CreditCardReferenceTransaction"
    "|BankTransfer|Other"
)


def create_payment(call: Call) -> Body:
    body, books = call.body, call.books
    kind = call.choice("payment", "type", "External|Electronic")
    currency = call.text("payment", "currency")
    total = amount("payment", body, "amount", currency)
    if total <= 0:
        raise invalid("payment", "'amount' value should be greater than 0")
    account = call.account("payment")
    if account.row.get("currency") not in (None, currency):
        raise rule("payment", "The currency differs from the currency of the account.")
    if not body.get("paymentMethodId") and not body.get("paymentMethodType"):
        raise missing("payment", "paymentMethodId")
    day = call.date("payment", "effectiveDate", books.today())
    _check_parts(call, account, total, currency)
    method = body.get("paymentMethodId") or _system_method(call, body["paymentMethodType"])
    payment = books.create(
        "payment", accountId=account.id, amount=total, appliedAmount=0, unappliedAmount=total,
        refundAmount=0, appliedCreditBalanceAmount=0, currency=currency, effectiveDate=day,
        comment=body.get("comment", ""), type=kind, status="Processed",
        gatewayState="NotSubmitted" if kind == "External" else "Submitted",
        paymentMethodId=method, referenceId=body.get("referenceId"),
        transferredToAccounting="No", source="API", isStandalone=False, **custom(body),
    )  # fmt: skip
    move_account(books, account.id, payments=total)
    _apply(call, payment, 1)
    if kind == "Electronic":
        call.tenant.emit("PaymentProcessed", payment)
    return call.shown(payment)


def _system_method(call: Call, type: str) -> str:
    """The tenant's own method of a type, which stands for what was paid outside of Zuora."""
    methods = call.books.shelves["paymentmethod"].values()
    held = (one for one in methods if one.row.get("isSystem") and one.row.get("type") == type)
    found = next(held, None) or call.books.create(
        "paymentmethod", type=type, name=type, isSystem=True, active=True,
        paymentMethodStatus="Active",
    )  # fmt: skip
    return found.id


def _check_parts(call: Call, account: Record, total: Decimal, currency: str) -> None:
    """What a new payment is to be applied to, before anything is booked. Raises Refusal."""
    rest = total
    for name, table, field in _DOCUMENTS:
        for one in call.body.get(name) or []:
            key = one.get(field) or one.get(field.replace("Id", "Number"))
            document = call.books.get(table, key)
            part = amount("payment", one, "amount", currency)
            rest -= part
            if document.row.get("status") != "Posted":
                raise rule("payment", "Payments can be applied to posted documents only.")
            if document.row.get("accountId") != account.id:
                raise rule("payment", "The document belongs to another account.")
            if part <= 0 or part > document.amount("balance") or rest < 0:
                raise rule("payment", "The amount exceeds the unapplied amount or the balance.")


def act(call: Call) -> Body:
    """PUT .../apply, .../unapply, .../cancel, .../transfer."""
    payment, word = call.get("payment"), call.request.path.rsplit("/", 1)[1]
    if word == "cancel":
        _cancel(call, payment)
    elif word == "transfer":
        target = call.account("payment")
        if payment.amount("appliedAmount"):
            raise rule("payment", "An applied payment cannot be transferred.")
        rest = payment.amount("unappliedAmount")
        move_account(call.books, payment.row.get("accountId"), payments=-rest)
        call.books.change(payment, accountId=target.id)
        move_account(call.books, target.id, payments=rest)
    else:
        if not any(call.body.get(name) for name, _, _ in _DOCUMENTS):
            raise missing("payment", "invoices")
        _apply(call, payment, 1 if word == "apply" else -1)
    return call.shown(payment)


def _cancel(call: Call, payment: Record) -> None:
    if payment.row.get("type") != "External" or payment.row.get("status") == "Canceled":
        raise rule("payment", "Only external payments can be canceled.")
    if payment.amount("appliedAmount") or payment.amount("refundAmount"):
        raise rule("payment", "Unapply the payment before you cancel it.")
    rest = payment.amount("unappliedAmount")
    move_account(call.books, payment.row.get("accountId"), payments=-rest)
    call.books.change(payment, status="Canceled", unappliedAmount=0, cancelledOn=call.books.now())


def _apply(call: Call, payment: Record, sign: int) -> None:
    currency = str(payment.row.get("currency") or "USD")
    for name, table, field in _DOCUMENTS:
        for one in call.body.get(name) or []:
            number = field.replace("Id", "Number")
            document = call.books.get(table, one.get(field) or one.get(number))
            _part(call, payment, document, field, sign * amount("payment", one, "amount", currency))


def _part(call: Call, payment: Record, document: Record, field: str, sum: Decimal) -> None:
    books = call.books
    if payment.row.get("status") not in ("Processed", "Posted"):
        raise rule("payment", "Only processed payments can be applied.")
    if document.row.get("status") != "Posted":
        raise rule("payment", "Payments can be applied to posted documents only.")
    if sum > payment.amount("unappliedAmount") or sum > document.amount("balance"):
        raise rule("payment", "The amount exceeds the unapplied amount or the balance.")
    parts = books.children("paymentpart", "paymentId", payment.id)
    part = next((one for one in parts if one.row.get(field) == document.id), None)
    if sum < 0 and (part is None or -sum > part.amount("amount")):
        raise rule("payment", "The amount exceeds the applied amount.")
    owner = payment.row.get("accountId")
    if part is None:
        link = {field: document.id}
        books.create("paymentpart", paymentId=payment.id, amount=sum, accountId=owner, **link)
    else:
        books.change(part, amount=part.amount("amount") + sum)
    books.create(
        "paymentapplication", paymentId=payment.id, amount=sum, accountId=owner,
        effectiveDate=call.date("payment", "effectiveDate", books.today()),
        **{field: document.id},
    )  # fmt: skip
    books.change(
        payment, appliedAmount=payment.amount("appliedAmount") + sum,
        unappliedAmount=payment.amount("unappliedAmount") - sum,
    )  # fmt: skip
    paid = "paymentAmount" if document.table == "invoice" else "beAppliedAmount"
    changed = {paid: document.amount(paid) + sum, "balance": document.amount("balance") - sum}
    books.change(document, **changed)
    settle(books, document, sum)
    side = "invoices" if document.table == "invoice" else "debits"
    move_account(books, owner, payments=-sum, **{side: -sum})


def update_payment(call: Call) -> Body:
    payment, body = call.get("payment"), call.body
    changes = {name: body[name] for name in ("comment", "referenceId") if name in body}
    call.books.change(payment, **changes, **custom(body))
    return call.shown(payment)


def delete_payment(call: Call) -> Body:
    """External ones that are canceled or not applied."""
    payment = call.get("payment")
    if payment.row.get("type") != "External" or payment.amount("appliedAmount"):
        raise rule("payment", "Only external payments that are not applied can be deleted.")
    rest = payment.amount("unappliedAmount")
    move_account(call.books, payment.row.get("accountId"), payments=-rest)
    call.books.delete(payment)
    return {"id": payment.id}


def create_refund(call: Call) -> Body:
    """Of an unapplied payment or a credit memo."""
    body, books = call.body, call.books
    table = "payment" if "/payments/" in call.request.path else "creditmemo"
    source = call.get(table)
    kind = call.choice("refund", "type", "External|Electronic")
    if kind == "External":
        call.choice("refund", "methodType", _METHODS)
    currency = str(source.row.get("currency") or "USD")
    total = amount("refund", body, "totalAmount", currency)
    rest = "unappliedAmount" if table == "payment" else "balance"
    if total <= 0 or total > source.amount(rest):
        raise rule("refund", "The amount exceeds the unapplied amount.")
    link = "paymentId" if table == "payment" else "creditMemoId"
    refund = books.create(
        "refund", accountId=source.row.get("accountId"), amount=total, type=kind,
        status="Processed", methodType=body.get("methodType"), currency=currency,
        refundDate=call.date("refund", "refundDate", books.today()),
        comment=body.get("comment", ""), reasonCode=body.get("reasonCode", "Standard Refund"),
        referenceID=body.get("referenceId"), gatewayState="NotSubmitted",
        paymentMethodId=source.row.get("paymentMethodId"), transferredToAccounting="No",
        **{link: source.id}, **custom(body),
    )  # fmt: skip
    books.create(
        "refundapplication", refundId=refund.id, applyAmount=total,
        accountId=source.row.get("accountId"), effectiveDate=refund.row["refundDate"],
        **{link: source.id},
    )  # fmt: skip
    _give_back(call, source, total)
    call.tenant.emit("PaymentRefundProcessed", refund)
    return call.shown(refund)


def _give_back(call: Call, source: Record, total: Decimal) -> None:
    rest, side = ("unappliedAmount", "payments")
    if source.table == "creditmemo":
        rest, side = ("balance", "credits")
    changed = {
        rest: source.amount(rest) - total,
        "refundAmount": source.amount("refundAmount") + total,
    }
    call.books.change(source, **changed)
    if source.table == "creditmemo":
        settle(call.books, source, total, refund=True)
    move_account(call.books, source.row.get("accountId"), **{side: -total})


def cancel_refund(call: Call) -> Body:
    refund = call.get("refund")
    if refund.row.get("type") != "External" or refund.row.get("status") != "Processed":
        raise rule("refund", "Only processed external refunds can be canceled.")
    source = call.books.find("payment", refund.row.get("paymentId"))
    source = source or call.books.find("creditmemo", refund.row.get("creditMemoId"))
    if source is not None:
        _give_back(call, source, -refund.amount("amount"))
    call.books.change(refund, status="Canceled", cancelledOn=call.books.now())
    return call.shown(refund)


def update_refund(call: Call) -> Body:
    refund, body = call.get("refund"), call.body
    changes = {name: body[name] for name in ("comment", "reasonCode") if name in body}
    call.books.change(refund, **changes, **custom(body))
    return call.shown(refund)


def delete_refund(call: Call) -> Body:
    refund = call.get("refund")
    if refund.row.get("status") != "Canceled":
        raise rule("refund", "Only canceled refunds can be deleted.")
    call.books.delete(refund)
    return {}
