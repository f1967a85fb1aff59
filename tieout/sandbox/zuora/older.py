"""Older v1 calls that many scripts still make: summaries, transactions, payment methods.

https://developer.zuora.com/v1-api-reference/older-api/
"""

from __future__ import annotations

from . import times
from .books import Record
from .reading import page, subscriptions_of
from .tenant import Call
from .wire import Body


def connect(call: Call) -> Body:
    """POST /v1/connections: whoever comes this far has shown a good credential."""
    return {}


def _newest_first(call: Call, table: str) -> list[Record]:
    account = call.get("account")
    found = call.books.children(table, "accountId", account.id)
    return sorted(found, key=lambda one: str(one.row.get("updatedDate")), reverse=True)


_LISTED = ("id", "invoiceNumber", "invoiceDate", "dueDate", "amount", "balance", "status")
_TERMS = ("termType", "subscriptionStartDate", "initialTerm", "renewalTerm", "termStartDate",
          "termEndDate", "autoRenew", "status")  # fmt: skip


def account_summary(call: Call) -> Body:
    """GET /v1/accounts/{key}/summary: the account with what belongs to it, in short."""
    shown = call.shown(call.get("account"))
    invoices, payments = (_newest_first(call, table)[:300] for table in ("invoice", "payment"))
    return {
        "basicInfo": shown["basicInfo"] | shown.get("metrics", {}),
        "billToContact": shown.get("billToContact"),
        "soldToContact": shown.get("soldToContact"),
        "subscriptions": [_subscription(one) for one in subscriptions_of(call)["subscriptions"]],
        "invoices": [{name: one.row.get(name) for name in _LISTED} for one in invoices],
        "payments": [_summed(call, one) for one in payments],
        "usage": [],
    }


def _subscription(shown: Body) -> Body:
    plans = [
        {"productName": plan.get("productName"), "ratePlanName": plan.get("ratePlanName")}
        for plan in shown.get("ratePlans") or []
    ]
    named = {name: shown.get(name) for name in ("id", "subscriptionNumber", *_TERMS)}
    return named | {"ratePlans": plans}


def _summed(call: Call, payment: Record) -> Body:
    row = payment.row
    return {
        "id": payment.id,
        "paymentNumber": row.get("paymentNumber"),
        "paymentType": row.get("type"),
        "effectiveDate": row.get("effectiveDate"),
        "status": row.get("status"),
        "paidInvoices": paid_invoices(call, payment),
    }


def invoices(call: Call) -> Body:
    """GET /v1/transactions/invoices/accounts/{key}: with their items."""
    return page(call, "invoices", _newest_first(call, "invoice"), lambda one: _invoice(call, one))


def _invoice(call: Call, invoice: Record) -> Body:
    row = invoice.row
    items = call.books.children("invoiceitem", "invoiceId", invoice.id)
    return {
        "id": invoice.id,
        **_account(call, row.get("accountId")),
        "invoiceDate": row.get("invoiceDate"),
        "invoiceNumber": row.get("invoiceNumber"),
        "dueDate": row.get("dueDate"),
        "invoiceTargetDate": row.get("targetDate"),
        "amount": row.get("amount"),
        "balance": row.get("balance"),
        "createdBy": row.get("createdById"),
        "status": row.get("status"),
        "body": None,
        "invoiceItems": [_item(call, one) for one in items[:300]],
        "invoiceFiles": [],
    }


def _account(call: Call, id: object) -> Body:
    account = call.books.find("account", id)
    row = account.row if account is not None else {}
    return {
        "accountId": id,
        "accountNumber": row.get("accountNumber"),
        "accountName": row.get("name"),
    }


def _item(call: Call, item: Record) -> Body:
    row = item.row
    subscription = call.books.find("subscription", row.get("subscriptionId"))
    return {
        "id": item.id,
        "subscriptionId": row.get("subscriptionId"),
        "subscriptionName": subscription.row.get("name") if subscription else None,
        "serviceStartDate": row.get("serviceStartDate"),
        "serviceEndDate": row.get("serviceEndDate"),
        "chargeId": row.get("ratePlanChargeId"),
        "chargeName": row.get("chargeName"),
        "chargeDescription": row.get("chargeDescription"),
        "productName": row.get("productName"),
        "quantity": row.get("quantity"),
        "unitOfMeasure": row.get("uOM"),
        "chargeAmount": row.get("chargeAmount"),
        "taxAmount": row.get("taxAmount"),
    }


def payments(call: Call) -> Body:
    """GET /v1/transactions/payments/accounts/{key}: with the invoices that they pay."""
    return page(call, "payments", _newest_first(call, "payment"), lambda one: _payment(call, one))


def _payment(call: Call, payment: Record) -> Body:
    row = payment.row
    return {
        "id": payment.id,
        **_account(call, row.get("accountId")),
        "type": row.get("type"),
        "effectiveDate": row.get("effectiveDate"),
        "paymentNumber": row.get("paymentNumber"),
        "paymentMethodId": row.get("paymentMethodId"),
        "amount": row.get("amount"),
        "paidInvoices": paid_invoices(call, payment),
        "gatewayTransactionNumber": row.get("referenceId"),
        "status": row.get("status"),
    }


def invoice_files(call: Call) -> Body:
    """GET /v1/invoices/{key}/files: no document is printed here."""
    call.get("invoice")
    return {"invoiceFiles": []}


def paid_invoices(call: Call, payment: Record) -> list[Body]:
    shown = []
    for table in ("paymentpart", "invoicepayment"):
        for part in call.books.children(table, "paymentId", payment.id):
            invoice = call.books.find("invoice", part.row.get("invoiceId"))
            if invoice is not None:
                shown.append(
                    {
                        "invoiceId": invoice.id,
                        "invoiceNumber": invoice.row.get("invoiceNumber"),
                        "appliedPaymentAmount": part.row.get("amount"),
                    }
                )
    return shown


def payment_method(call: Call) -> Body:
    return _method(call, call.get("paymentmethod"))


def _method(call: Call, method: Record) -> Body:
    row, default = method.row, _default_of(call, method)
    type = row.get("type")
    return {
        "id": method.id,
        "type": type,
        "status": row.get("paymentMethodStatus") or "Active",
        "isDefault": default,
        "accountKey": row.get("accountId"),
        "lastTransactionStatus": row.get("lastTransactionStatus"),
        "useDefaultRetryRule": row.get("useDefaultRetryRule"),
        "createdDate": _at(call, row.get("createdDate")),
        "updatedDate": _at(call, row.get("updatedDate")),
        "createdBy": row.get("createdById"),
        "updatedBy": row.get("updatedById"),
        **(_card(row) if type == "CreditCard" else {}),
    }


def _at(call: Call, moment: object) -> str | None:
    return times.v1(moment, call.books.zone) if isinstance(moment, str) else None


def _card(row: Body) -> Body:
    return {
        "cardNumber": row.get("creditCardMaskNumber"),
        "expirationMonth": row.get("creditCardExpirationMonth"),
        "expirationYear": row.get("creditCardExpirationYear"),
        "creditCardType": row.get("creditCardType"),
    }


def _default_of(call: Call, method: Record) -> bool:
    account = call.books.find("account", method.row.get("accountId"))
    return account is not None and account.row.get("defaultPaymentMethodId") == method.id


def payment_methods(call: Call) -> Body:
    """GET /v1/accounts/{key}/payment-methods: one list for each type, by its lower-cased name."""
    account = call.get("account")
    default = account.row.get("defaultPaymentMethodId")
    body: Body = {"defaultPaymentMethodId": default, "paymentGateway": None}
    for method in call.books.children("paymentmethod", "accountId", account.id):
        kind = str(method.row.get("type")).lower()
        body.setdefault(kind, []).append(_method(call, method))
    return body


def default_payment_method(call: Call) -> Body:
    """GET /v1/accounts/{key}/payment-methods/default."""
    account = call.get("account")
    key = account.row.get("defaultPaymentMethodId") or ""
    return _method(call, call.books.get("paymentmethod", key))
