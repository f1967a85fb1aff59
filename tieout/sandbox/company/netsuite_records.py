"""Single NetSuite records: customers, invoices, payments, credit memos, refunds, deposits.

Fields as REST's `GET .../record/v1/<type>/<id>?expandSubResources=true` shows them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from .cash import Payout
from .facts import Bill, Client, CreditNote, Line, Receipt, Refund
from .moments import DAY, HOUR, on, stamp
from .netsuite_books import Books, import_time, status
from .netsuite_setup import DISCOUNT_ITEM, SUBSIDIARY, account, currency_ref, term

Object = dict[str, Any]


def customer(books: Books, client: Client, id: str) -> Object:
    made = stamp(import_time(client.created))
    record: Object = {
        "id": id,
        "entityId": f"C-{client.index:05d}",
        "isPerson": client.is_person,
        "subsidiary": dict(SUBSIDIARY),
        "currency": currency_ref(client.currency),
        "terms": term("net30" if client.sends_invoices else "due"),
        "isInactive": False,
        "dateCreated": made,
        "lastModifiedDate": made,
    }
    if client.is_person:
        record |= {"firstName": client.first, "lastName": client.last}
    else:
        record["companyName"] = client.name
    if client.email is not None:
        record["email"] = client.email
    if client.phone is not None:
        record["phone"] = client.phone
    if not client.matched_by_email:
        record[f"custentity_{client.biller}_id"] = client.id
    if client.account:
        record["custentity_salesforce_id"] = client.account
    record["addressBook"] = {"items": [_address(client)]}
    record["currencyList"] = {"items": [{"currency": currency_ref(client.currency)}]}
    return record


def _mirrors(bill: Bill) -> str:
    """The field that names the biller's document."""
    return f"custbody_{bill.client.biller}_id"


def invoice(books: Books, bill: Bill, *, void: bool) -> Object:
    """A voided invoice stays with its number and lines, all amounts 0."""
    currency, made = bill.currency, import_time(bill.finalized or 0)
    day = on(bill.issued)
    zero = currency.decimal(0)
    owed = 0 if void else books.open_amount(bill)
    total = 0 if void else bill.total
    lines = [_item_line(books, line, n, bill) for n, line in enumerate(bill.lines, 1)]
    if bill.discounted:
        lines.append(_discount_line(bill, len(lines) + 1))
    if void:
        for line in lines:
            line["amount"] = line["rate"] = zero
    record = books.header(currency, day, made, "invoice", books.ids[bill.id]) | {
        "tranId": bill.number,
        "dueDate": on(bill.due or bill.finalized or 0).isoformat(),
        "entity": books.customer_ref(bill.client),
        "account": account("receivable"),
        "terms": term("net30" if bill.due else "due"),
        "subtotal": zero if void else currency.decimal(bill.subtotal - bill.discounted),
        "taxTotal": zero if void else currency.decimal(bill.tax),
        "total": currency.decimal(total),
        "amountPaid": currency.decimal(total - owed),
        "amountRemaining": currency.decimal(owed),
        "status": status("Voided" if void else "Open" if owed else "Paid In Full"),
        "memo": "VOID" if void else f"Imported from {bill.client.biller.title()}",
        _mirrors(bill): bill.id,
        "item": {"items": lines},
    }
    later = [one.succeeded for one in bill.receipts if books.has(one.succeeded)]
    if last := max((one for one in later if one is not None), default=None):
        record["lastModifiedDate"] = stamp(min(import_time(last), books.span.now - 60))
    return record


def _item_line(books: Books, line: Line, number: int, bill: Bill) -> Object:
    currency, sku = bill.currency, line.product.sku
    plain = line.unit * line.quantity == line.amount
    amount = currency.decimal(line.amount)
    return {
        "line": number,
        "item": {"id": books.items[sku], "refName": line.product.name},
        "description": line.description,
        "quantity": line.quantity if plain else 1,
        "rate": currency.decimal(line.unit) if plain else amount,
        "amount": amount,
    }


def payment(books: Books, one: Receipt) -> Object:
    bill, at = one.bill, one.succeeded or 0
    currency, amount = bill.currency, bill.currency.decimal(one.amount)
    id = books.ids[one.id]
    banked = at + 12 * DAY < books.span.now
    return books.header(currency, on(at), import_time(at), "customerPayment", id) | {
        "customer": books.customer_ref(bill.client),
        "payment": amount,
        "total": amount,
        "applied": amount,
        "unapplied": currency.decimal(0),
        "account": account("clearing"),
        "arAcct": account("receivable"),
        "undepFunds": False,
        "status": status("Deposited" if banked else "Not Deposited"),
        "memo": one.attempts[-1].charge,
        _mirrors(bill): one.id,
        "apply": {"items": [_application(books, bill, one.amount, on(at))]},
    }


def _application(books: Books, bill: Bill, amount: int, day: date) -> Object:
    """One line of an apply sublist: so much of an invoice."""
    currency = bill.currency
    return {
        "line": 0,
        "doc": {"id": books.ids[bill.id], "refName": f"Invoice #{bill.number}"},
        "apply": True,
        "type": "Invoice",
        "refNum": bill.number,
        "applyDate": day.isoformat(),
        "total": currency.decimal(bill.total),
        "amount": currency.decimal(amount),
    }


def memo(books: Books, note: CreditNote, siblings: list[Bill]) -> Object:
    bill, currency, day = note.bill, note.bill.currency, on(note.created)
    lines = [_item_line(books, line, n, bill) for n, line in enumerate(note.lines or [], 1)] or [
        _note_line(books, note)
    ]
    if note.discount:
        lines.append(_discount_line(bill, len(lines) + 1))
    uses = _uses(books, note, siblings)
    used = [_application(books, target, amount, on(target.issued)) for target, amount in uses]
    spent = sum(amount for _, amount in uses)
    spent += note.refund.amount if note.refund else 0
    id = books.ids[note.id]
    return books.header(currency, day, import_time(note.created), "creditMemo", id) | {
        "tranId": note.number,
        "entity": books.customer_ref(bill.client),
        "account": account("receivable"),
        "subtotal": currency.decimal(note.subtotal - note.discount),
        "taxTotal": currency.decimal(note.tax),
        "total": currency.decimal(note.total),
        "applied": currency.decimal(spent),
        "unapplied": currency.decimal(note.total - spent),
        "status": status("Fully Applied" if spent == note.total else "Open"),
        "memo": note.memo,
        _mirrors(bill): note.id,
        "item": {"items": lines},
        "apply": {"items": used},
    }


def _uses(books: Books, note: CreditNote, siblings: list[Bill]) -> list[tuple[Bill, int]]:
    """The invoices that a credit note pays, by how much."""
    if note.kind == "pre_payment":
        return [(note.bill, note.total)]
    if note.kind == "balance":
        return [
            (bill, bill.ending_balance - bill.starting_balance)
            for bill in siblings
            if bill.starting_balance and books.has(bill.finalized)
        ]
    return []


def _note_line(books: Books, note: CreditNote) -> Object:
    product = note.bill.lines[0].product
    amount = note.bill.currency.decimal(note.subtotal)
    return {
        "line": 1,
        "item": {"id": books.items[product.sku], "refName": product.name},
        "description": note.memo,
        "quantity": 1,
        "rate": amount,
        "amount": amount,
    }


def refund(books: Books, one: Refund, note: CreditNote) -> Object:
    bill = note.bill
    currency, amount, day = bill.currency, bill.currency.decimal(one.amount), on(one.created)
    memo = books.memos[note.id]
    id = books.ids[one.id]
    return books.header(currency, day, import_time(one.created), "customerRefund", id) | {
        "customer": books.customer_ref(bill.client),
        "account": account("clearing"),
        "arAcct": account("receivable"),
        "total": amount,
        "status": status("Issued"),
        "memo": one.reason,
        _mirrors(bill): one.id,
        "apply": {
            "items": [
                {
                    "line": 0,
                    "doc": {"id": memo["id"], "refName": f"Credit Memo #{note.number}"},
                    "apply": True,
                    "type": "Credit Memo",
                    "refNum": note.number,
                    "applyDate": day.isoformat(),
                    "total": memo["total"],
                    "amount": amount,
                }
            ]
        },
    }


def deposit(books: Books, one: Payout) -> Object:
    currency, made = one.currency, one.arrives + DAY + 9 * HOUR
    amount = currency.decimal(one.amount)
    line = {"line": 1, "account": account("clearing"), "amount": amount, "memo": one.id}
    id = books.ids[one.id]
    return books.header(currency, on(one.arrives), made, "deposit", id) | {
        "account": account("bank"),
        "total": amount,
        "status": status("Cleared"),
        "memo": one.id,
        "custbody_stripe_id": one.id,
        "other": {"items": [line]},
    }


def _discount_line(bill: Bill, number: int) -> Object:
    amount = bill.currency.decimal(-bill.discounted)
    name = bill.discount.coupon.name if bill.discount else ""
    return {
        "line": number,
        "item": {"id": DISCOUNT_ITEM, "refName": "Stripe Discount"},
        "description": f"Discount: {name}",
        "quantity": 1,
        "rate": amount,
        "amount": amount,
    }


def _address(client: Client) -> Object:
    address = {
        "addressee": client.name,
        "addr1": client.street,
        "city": client.city,
        "state": client.state,
        "zip": client.postal_code,
        "country": {"id": client.country, "refName": client.country},
    }
    return {
        "id": client.index + 1,
        "defaultBilling": True,
        "defaultShipping": True,
        "label": client.city,
        "addressBookAddress": {field: value for field, value in address.items() if value},
    }
