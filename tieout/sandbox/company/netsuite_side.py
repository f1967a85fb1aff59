"""Draws NetSuite from the facts: what a nightly import and two bookkeepers made of Stripe.

Everything that Stripe did before the cutoff is there, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import netsuite_records as records
from .billing import Ledger
from .cash import Movement, Payout
from .facts import Bill
from .moments import on
from .netsuite_books import Books
from .netsuite_journals import chargeback_journals, fee_journals, settle_by_journal

_FIRST_CUSTOMER = 1001


def add_customers(books: Books, ledgers: Iterable[Ledger]) -> None:
    """Those that existed at the last import, in the order in which they signed up."""
    known = [
        ledger.client
        for ledger in ledgers
        if books.has(ledger.client.created) and ledger.client.deleted is None
    ]
    known.sort(key=lambda client: (client.created, client.index))
    for count, client in enumerate(known):
        books.customers[client.id] = records.customer(books, client, str(_FIRST_CUSTOMER + count))


def add_transactions(
    books: Books, ledgers: list[Ledger], payouts: list[Payout], moved: list[Movement]
) -> None:
    """Ids first, in the order of the days they were made; then the records that use them."""
    paid = [one for one in payouts if one.arrives <= books.span.now]
    made = [(one.arrives, one.id) for one in paid]
    for ledger in ledgers:
        for bill in ledger.bills:
            made += _happened(books, bill)
    for _, key in sorted(made):
        books.ids[key] = books.new_id()
    for ledger in ledgers:
        for bill in ledger.bills:
            if books.has(bill.finalized):
                _add_bill(books, bill, ledger.bills)
    for payout in paid:
        books.deposits[payout.id] = records.deposit(books, payout)
    fee_journals(books, moved)
    chargeback_journals(books, (bill for ledger in ledgers for bill in ledger.bills))


def _happened(books: Books, bill: Bill) -> list[tuple[int, str]]:
    """What becomes a NetSuite transaction because of one invoice, with its time."""
    found = [(bill.finalized or 0, bill.id)]
    found += [(one.succeeded or books.span.now, one.id) for one in bill.receipts]
    for note in bill.credits:
        found.append((note.created, note.id))
        if note.refund is not None:
            found.append((note.created, note.refund.id))
    known = [(at, key) for at, key in found if books.has(at)] if bill.finalized else []
    if known and bill.out_of_band is not None:  # bookkeepers see the bank statement every day
        known.append((bill.out_of_band, _wire(bill)))
    return known


def _add_bill(books: Books, bill: Bill, siblings: list[Bill]) -> None:
    books.invoices[bill.id] = records.invoice(books, bill, void=bill.voided is not None)
    for receipt in bill.receipts:
        if books.has(receipt.succeeded):
            books.payments[receipt.id] = records.payment(books, receipt)
    for note in bill.credits:
        if books.has(note.created):
            books.memos[note.id] = records.memo(books, note, siblings)
            if note.refund is not None:
                books.refunds[note.refund.id] = records.refund(books, note.refund, note)
    if bill.out_of_band is not None:
        at = bill.out_of_band
        settle_by_journal(books, bill, bill.amount_due(at), on(at), id=books.ids[_wire(bill)])


def _wire(bill: Bill) -> str:
    return f"wire {bill.id}"
