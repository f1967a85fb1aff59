"""Draws NetSuite from the facts: what a nightly import and two bookkeepers made of Stripe.

Everything Stripe did before the cutoff is there, to the cent. Money is Decimal with the places
of its currency; encoders write JSON numbers. Field names as in REST record/v1.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from . import cash
from .billing import Ledger
from .catalog import Catalog
from .currencies import CURRENCIES, Currency, exchange_rate
from .facts import Bill, Client, CreditNote, Line, Receipt, Refund, Span
from .moments import DAY, HOUR, midnight, month_end, month_of, months_between, on, stamp
from .netsuite_setup import (
    DISCOUNT_ITEM,
    SUBSIDIARY,
    Periods,
    account,
    currency_ref,
    item_ids,
    term,
)

Object = dict[str, Any]
_FIRST_CUSTOMER, _FIRST_TRANSACTION = 1001, 20001


class Books:
    """NetSuite's records, found by the Stripe object they mirror.

    `journals` settle invoices that no Stripe payment paid: they are found by the invoice's id.
    """

    def __init__(self, seed: int, catalog: Catalog, span: Span) -> None:
        self.seed, self.span = seed, span
        self.periods = Periods(span)
        self.items = item_ids(catalog)
        self.item_names = {one.sku: one.name for one in catalog.products}
        self.customers: dict[str, Object] = {}
        self.invoices: dict[str, Object] = {}
        self.payments: dict[str, Object] = {}
        self.memos: dict[str, Object] = {}
        self.refunds: dict[str, Object] = {}
        self.deposits: dict[str, Object] = {}
        self.journals: dict[str, Object] = {}
        self.others: list[tuple[str, Object]] = []
        self._next = _FIRST_TRANSACTION
        self._ids: dict[str, str] = {}
        self._bills: dict[str, list[Bill]] = {}

    # What is there

    def has(self, at: int | None) -> bool:
        """Whether the last import has seen what happened then."""
        return at is not None and at < self.span.cutoff

    def transactions(self) -> list[tuple[str, Object]]:
        """(record type, record) by internal id."""
        held: list[tuple[str, Object]] = list(self.others)
        for type, records in (
            ("invoice", self.invoices),
            ("customerPayment", self.payments),
            ("creditMemo", self.memos),
            ("customerRefund", self.refunds),
            ("deposit", self.deposits),
            ("journalEntry", self.journals),
        ):
            held += [(type, record) for record in records.values()]
        return sorted(held, key=lambda one: int(one[1]["id"]))

    def new_id(self) -> str:
        self._next += 1
        return str(self._next - 1)

    # Filling them

    def add_customers(self, ledgers: Iterable[Ledger]) -> None:
        known = [ledger.client for ledger in ledgers if self.has(ledger.client.created)]
        known.sort(key=lambda client: (client.created, client.index))
        for count, client in enumerate(one for one in known if one.deleted is None):
            self.customers[client.id] = self._customer(client, str(_FIRST_CUSTOMER + count))

    def add_transactions(
        self, ledgers: list[Ledger], payouts: list[cash.Payout], moved: list[cash.Movement]
    ) -> None:
        """Ids first, in the order of the days they were made; then the records that use them."""
        self._bills = {ledger.client.id: ledger.bills for ledger in ledgers}
        bills = [bill for ledger in ledgers for bill in ledger.bills if self.has(bill.finalized)]
        notes = [
            note
            for ledger in ledgers
            for bill in ledger.bills
            for note in bill.credits
            if self.has(note.created)
        ]
        receipts = [one for bill in bills for one in bill.receipts if self.has(one.succeeded)]
        wired = [bill for bill in bills if bill.out_of_band is not None]
        paid = [one for one in payouts if one.arrives <= self.span.now]
        made: list[tuple[int, str]] = [(bill.finalized or 0, bill.id) for bill in bills]
        made += [(note.created, note.id) for note in notes]
        made += [(one.succeeded or 0, one.id) for one in receipts]
        made += [(note.created, note.refund.id) for note in notes if note.refund]
        made += [(bill.out_of_band or 0, f"wire {bill.id}") for bill in wired]
        made += [(one.arrives, one.id) for one in paid]
        for _, key in sorted(made):
            self._ids[key] = self.new_id()
        for bill in bills:
            self.invoices[bill.id] = self.invoice(bill, void=bill.voided is not None)
        for one in receipts:
            self.payments[one.id] = self._payment(one)
        for note in notes:
            self.memos[note.id] = self._memo(note)
            if note.refund is not None:
                self.refunds[note.refund.id] = self._refund(note.refund, note)
        for payout in paid:
            self.deposits[payout.id] = self._deposit(payout)
        for bill in wired:
            at = bill.out_of_band or 0
            self.settle_by_journal(bill, bill.amount_due(at), at, id=self._ids[f"wire {bill.id}"])
        self._fee_journals(moved)
        self._chargeback_journals(bills)

    # Single records

    def header(self, currency: Currency, day: date, made: int, type: str, id: str) -> Object:
        """The fields that all transactions share."""
        rate = exchange_rate(self.seed, currency, month_of(day))
        prefix = {"customerPayment": "PYMT", "creditMemo": "CM", "customerRefund": "RFND"}
        when = stamp(min(made, self.span.now - 60))
        return {
            "id": id,
            "tranId": f"{prefix.get(type, type[:3].upper())}{id}",
            "tranDate": day.isoformat(),
            "createdDate": when,
            "lastModifiedDate": when,
            "currency": currency_ref(currency),
            "exchangeRate": rate,
            "postingPeriod": self.periods.ref(day),
            "subsidiary": dict(SUBSIDIARY),
        }

    def _customer(self, client: Client, id: str) -> Object:
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
            record["custentity_stripe_id"] = client.id
        record["addressBook"] = {"items": [_address(client)]}
        record["currencyList"] = {"items": [{"currency": currency_ref(client.currency)}]}
        return record

    def customer_ref(self, client: Client) -> Object:
        record = self.customers[client.id]
        return {"id": record["id"], "refName": f"{record['entityId']} {client.name}"}

    def invoice(self, bill: Bill, *, void: bool) -> Object:
        """A voided invoice stays with its number and lines, all amounts 0."""
        currency, made = bill.currency, import_time(bill.finalized or 0)
        day = on(bill.issued)
        zero = currency.decimal(0)
        owed = 0 if void else self.open_amount(bill)
        total = 0 if void else bill.total
        lines = [self._item_line(line, n, bill) for n, line in enumerate(bill.lines, 1)]
        if bill.discounted:
            lines.append(_discount_line(bill, len(lines) + 1))
        if void:
            for line in lines:
                line["amount"] = line["rate"] = zero
        record = self.header(currency, day, made, "invoice", self._ids[bill.id]) | {
            "tranId": bill.number,
            "dueDate": on(bill.due or bill.finalized or 0).isoformat(),
            "entity": self.customer_ref(bill.client),
            "account": account("receivable"),
            "terms": term("net30" if bill.due else "due"),
            "subtotal": zero if void else currency.decimal(bill.subtotal - bill.discounted),
            "taxTotal": zero if void else currency.decimal(bill.tax),
            "total": currency.decimal(total),
            "amountPaid": currency.decimal(total - owed),
            "amountRemaining": currency.decimal(owed),
            "status": _status("Voided" if void else "Open" if owed else "Paid In Full"),
            "memo": "VOID" if void else "Imported from Stripe",
            "custbody_stripe_id": bill.id,
            "item": {"items": lines},
        }
        later = [one.succeeded for one in bill.receipts if self.has(one.succeeded)]
        if last := max((one for one in later if one is not None), default=None):
            record["lastModifiedDate"] = stamp(min(import_time(last), self.span.now - 60))
        return record

    def open_amount(self, bill: Bill) -> int:
        """What NetSuite still has open: what the last import saw, out-of-band wires included."""
        if bill.out_of_band is not None:
            return 0
        return bill.remaining(self.span.cutoff - 1)

    def _item_line(self, line: Line, number: int, bill: Bill) -> Object:
        currency, sku = bill.currency, line.product.sku
        plain = line.unit * line.quantity == line.amount
        amount = currency.decimal(line.amount)
        return {
            "line": number,
            "item": {"id": self.items[sku], "refName": self.item_names[sku]},
            "description": line.description,
            "quantity": line.quantity if plain else 1,
            "rate": currency.decimal(line.unit) if plain else amount,
            "amount": amount,
        }

    def _payment(self, one: Receipt) -> Object:
        bill, at = one.bill, one.succeeded or 0
        currency, amount = bill.currency, bill.currency.decimal(one.amount)
        id = self._ids[one.id]
        banked = at + 12 * DAY < self.span.now
        return self.header(currency, on(at), import_time(at), "customerPayment", id) | {
            "customer": self.customer_ref(bill.client),
            "payment": amount,
            "total": amount,
            "applied": amount,
            "unapplied": currency.decimal(0),
            "account": account("clearing"),
            "arAcct": account("receivable"),
            "undepFunds": False,
            "status": _status("Deposited" if banked else "Not Deposited"),
            "memo": one.attempts[-1].charge,
            "custbody_stripe_id": one.id,
            "apply": {"items": [self.application(bill, one.amount, on(at))]},
        }

    def application(self, bill: Bill, amount: int, day: date) -> Object:
        """One line of an apply sublist: so much of an invoice."""
        currency = bill.currency
        return {
            "line": 0,
            "doc": {"id": self._ids[bill.id], "refName": f"Invoice #{bill.number}"},
            "apply": True,
            "type": "Invoice",
            "refNum": bill.number,
            "applyDate": day.isoformat(),
            "total": currency.decimal(bill.total),
            "amount": currency.decimal(amount),
        }

    def _memo(self, note: CreditNote) -> Object:
        bill, currency, day = note.bill, note.bill.currency, on(note.created)
        lines = [
            self._item_line(line, n, bill) for n, line in enumerate(note.lines or [], 1)
        ] or [self._note_line(note)]
        if note.discount:
            lines.append(_discount_line(bill, len(lines) + 1))
        used = [
            self.application(target, amount, on(target.issued))
            for target, amount in self._uses(note)
        ]
        spent = sum(amount for _, amount in self._uses(note))
        spent += note.refund.amount if note.refund else 0
        id = self._ids[note.id]
        return self.header(currency, day, import_time(note.created), "creditMemo", id) | {
            "tranId": note.number,
            "entity": self.customer_ref(bill.client),
            "account": account("receivable"),
            "subtotal": currency.decimal(note.subtotal - note.discount),
            "taxTotal": currency.decimal(note.tax),
            "total": currency.decimal(note.total),
            "applied": currency.decimal(spent),
            "unapplied": currency.decimal(note.total - spent),
            "status": _status("Fully Applied" if spent == note.total else "Open"),
            "memo": note.memo,
            "custbody_stripe_id": note.id,
            "item": {"items": lines},
            "apply": {"items": used},
        }

    def _uses(self, note: CreditNote) -> list[tuple[Bill, int]]:
        """The invoices that a credit note pays, by how much."""
        if note.kind == "pre_payment":
            return [(note.bill, note.total)]
        if note.kind == "balance":
            return [
                (bill, bill.ending_balance - bill.starting_balance)
                for bill in self._bills[note.bill.client.id]
                if bill.starting_balance and self.has(bill.finalized)
            ]
        return []

    def _note_line(self, note: CreditNote) -> Object:
        product = note.bill.lines[0].product
        amount = note.bill.currency.decimal(note.subtotal)
        return {
            "line": 1,
            "item": {"id": self.items[product.sku], "refName": product.name},
            "description": note.memo,
            "quantity": 1,
            "rate": amount,
            "amount": amount,
        }

    def _refund(self, one: Refund, note: CreditNote) -> Object:
        bill = note.bill
        currency, amount, day = bill.currency, bill.currency.decimal(one.amount), on(one.created)
        memo = self.memos[note.id]
        id = self._ids[one.id]
        return self.header(currency, day, import_time(one.created), "customerRefund", id) | {
            "customer": self.customer_ref(bill.client),
            "account": account("clearing"),
            "arAcct": account("receivable"),
            "total": amount,
            "status": _status("Issued"),
            "memo": one.reason,
            "custbody_stripe_id": one.id,
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

    def _deposit(self, one: cash.Payout) -> Object:
        currency, made = one.currency, one.arrives + DAY + 9 * HOUR
        amount = currency.decimal(one.amount)
        line = {"line": 1, "account": account("clearing"), "amount": amount, "memo": one.id}
        id = self._ids[one.id]
        return self.header(currency, on(one.arrives), made, "deposit", id) | {
            "account": account("bank"),
            "total": amount,
            "status": _status("Cleared"),
            "memo": one.id,
            "custbody_stripe_id": one.id,
            "other": {"items": [line]},
        }

    # Journals

    def journal(
        self, currency: Currency, at: int, memo: str, lines: list[Object], id: str = ""
    ) -> Object:
        """A balanced entry: each line an account and `debit` or `credit`."""
        made = min(at + 2 * DAY, self.span.now - HOUR)
        header = self.header(currency, on(at), made, "journalEntry", id or self.new_id())
        numbered = [{"line": n, **line} for n, line in enumerate(lines, 1)]
        return header | {
            "approved": True,
            "status": _status("Approved for Posting"),
            "memo": memo,
            "line": {"items": numbered},
        }

    def settle_by_journal(
        self, bill: Bill, amount: int, at: int, *, against: str = "bank", id: str = ""
    ) -> None:
        """Close (a part of) an invoice by hand, without a payment record."""
        value = bill.currency.decimal(amount)
        lines = [
            {"account": account(against), "debit": value, "memo": bill.number},
            {
                "account": account("receivable"),
                "credit": value,
                "entity": self.customer_ref(bill.client),
                "memo": bill.number,
            },
        ]
        memo = f"Settles invoice {bill.number}"
        self.journals[bill.id] = self.journal(bill.currency, at, memo, lines, id)

    def _fee_journals(self, moved: list[cash.Movement]) -> None:
        """Stripe's fees of each full month and currency, out of the clearing account."""
        for currency in CURRENCIES.values():
            fees: dict[str, int] = {}
            for one in moved:
                if one.currency is currency:
                    cost = one.fee - (one.amount if one.category == "fee" else 0)
                    month = month_of(on(one.created))
                    fees[month] = fees.get(month, 0) + cost
            for first in months_between(on(self.span.start), on(self.span.cutoff)):
                amount, last = fees.get(month_of(first), 0), month_end(first)
                if amount > 0 and last < on(self.span.cutoff):
                    self._two_lines(
                        currency, last, f"Stripe fees {first:%b %Y}", "fees", "clearing", amount
                    )

    def _chargeback_journals(self, bills: Iterable[Bill]) -> None:
        for bill in bills:
            for one in bill.receipts:
                lost = one.dispute
                if lost is not None and lost.status == "lost" and lost.closed is not None:
                    self._two_lines(
                        bill.currency,
                        on(lost.closed),
                        f"Chargeback {lost.id}",
                        "chargebacks",
                        "clearing",
                        lost.amount,
                    )

    def _two_lines(
        self, currency: Currency, day: date, memo: str, debit: str, credit: str, amount: int
    ) -> None:
        value = currency.decimal(amount)
        lines = [
            {"account": account(debit), "debit": value},
            {"account": account(credit), "credit": value},
        ]
        at = midnight(int(_noon(day)))
        entry = self.journal(currency, at, memo, lines)
        self.journals[f"{memo} {currency.code}"] = entry


def _noon(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY + 12 * HOUR


def import_time(at: int) -> int:
    """The nightly import: 06:10 UTC on the day after."""
    return midnight(at) + DAY + 6 * HOUR + 600


def _status(words: str) -> Object:
    return {"id": words, "refName": words}


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
    return {
        "id": client.index + 1,
        "defaultBilling": True,
        "defaultShipping": True,
        "label": client.city,
        "addressBookAddress": {
            "addressee": client.name,
            "addr1": client.street,
            "city": client.city,
            "state": client.state,
            "zip": client.postal_code,
            "country": {"id": client.country, "refName": client.country},
        },
    }


def balances(books: Books) -> dict[str, Decimal]:
    """Open receivables by customer id: open invoices less unapplied credit memos and payments."""
    found: dict[str, Decimal] = {}
    for type, record in books.transactions():
        owner = (record.get("entity") or record.get("customer") or {}).get("id")
        if type == "invoice":
            change = record["amountRemaining"]
        elif type in ("creditMemo", "customerPayment"):
            change = -record["unapplied"]
        else:
            continue
        found[owner] = found.get(owner, Decimal(0)) + change
    return found
