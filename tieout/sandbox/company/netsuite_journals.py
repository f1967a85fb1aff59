"""Journal entries: invoices settled by hand, Stripe's monthly fees, chargebacks lost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from .cash import Movement
from .currencies import CURRENCIES, Currency
from .facts import Bill
from .moments import DAY, HOUR, at, month_end, month_of, months_between, on
from .netsuite_books import Books, status
from .netsuite_setup import account

Object = dict[str, Any]


def settle_by_journal(
    books: Books, bill: Bill, amount: int, day: date, *, against: str = "bank", id: str = ""
) -> None:
    """Close (a part of) an invoice by hand, without a payment record.

    REST shows nowhere which invoice a journal settles, SuiteQL's link tables do: the stand-in
    fills them from `apply`, as it does for payments.
    """
    value = bill.currency.decimal(amount)
    debit = {"account": account(against), "debit": value, "memo": bill.number}
    credit = {
        "account": account("receivable"),
        "credit": value,
        "entity": books.customer_ref(bill.client),
        "memo": bill.number,
    }
    memo = f"Settles invoice {bill.number}"
    entry = _entry(books, bill.currency, day, memo, [debit, credit], id)
    applied = {
        "doc": {"id": books.invoices[bill.id]["id"], "refName": f"Invoice #{bill.number}"},
        "apply": True,
        "amount": value,
    }
    books.journals[bill.id] = entry | {"apply": {"items": [applied]}}


def fee_journals(books: Books, moved: Iterable[Movement]) -> None:
    """Stripe's fees of each full month and currency, out of the clearing account."""
    fees: dict[tuple[str, str], int] = {}
    for one in moved:
        cost = one.fee - (one.amount if one.category == "fee" else 0)
        key = (one.currency.code, month_of(on(one.created)))
        fees[key] = fees.get(key, 0) + cost
    last_day = on(books.span.cutoff)
    for first in months_between(on(books.span.start), last_day):
        for currency in CURRENCIES.values():
            amount = fees.get((currency.code, month_of(first)), 0)
            if amount > 0 and month_end(first) < last_day:
                memo = f"Stripe fees {first:%b %Y} {currency.code}"
                _from_clearing(books, currency, month_end(first), memo, "fees", amount)


def chargeback_journals(books: Books, bills: Iterable[Bill]) -> None:
    for bill in bills:
        for one in bill.receipts:
            lost = one.dispute
            if lost is not None and lost.status == "lost" and lost.closed is not None:
                memo, day = f"Chargeback {lost.id}", on(lost.closed)
                _from_clearing(books, bill.currency, day, memo, "chargebacks", lost.amount)


def _from_clearing(
    books: Books, currency: Currency, day: date, memo: str, debit: str, amount: int
) -> None:
    value = currency.decimal(amount)
    lines = [
        {"account": account(debit), "debit": value},
        {"account": account("clearing"), "credit": value},
    ]
    books.journals[memo] = _entry(books, currency, day, memo, lines)


def _entry(
    books: Books, currency: Currency, day: date, memo: str, lines: list[Object], id: str = ""
) -> Object:
    """A balanced entry: each line an account and `debit` or `credit`."""
    made = min(at(day) + 2 * DAY, books.span.now - HOUR)
    header = books.header(currency, day, made, "journalEntry", id or books.new_id())
    return header | {
        "approved": True,
        "status": status("Approved for Posting"),
        "memo": memo,
        "line": {"items": [{"line": n, **line} for n, line in enumerate(lines, 1)]},
    }
