"""NetSuite's records by what they mirror, and what all of its transactions have in common."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from .catalog import Catalog
from .currencies import Currency, exchange_rate
from .facts import Bill, Client, Span
from .moments import DAY, HOUR, midnight, month_of, stamp
from .netsuite_setup import SUBSIDIARY, Periods, currency_ref, item_ids

Object = dict[str, Any]
_FIRST_TRANSACTION = 20001
_NUMBERS = {"customerPayment": "PYMT", "creditMemo": "CM", "customerRefund": "RFND"}
_NUMBERS |= {"deposit": "DEP", "journalEntry": "JE", "invoice": "INV"}


class Books:
    """Each mapping is from a biller's id to the record that mirrors it.

    `journals` settle invoices that no Stripe payment paid: those are found by the invoice's id.
    `others` mirror nothing. Money is Decimal with the places of its currency.
    """

    def __init__(self, seed: int, catalog: Catalog, span: Span) -> None:
        self.seed, self.span = seed, span
        self.periods = Periods(span)
        self.items = item_ids(catalog)
        self.customers: dict[str, Object] = {}
        self.invoices: dict[str, Object] = {}
        self.payments: dict[str, Object] = {}
        self.memos: dict[str, Object] = {}
        self.refunds: dict[str, Object] = {}
        self.deposits: dict[str, Object] = {}
        self.journals: dict[str, Object] = {}
        self.others: list[tuple[str, Object]] = []
        self.ids: dict[str, str] = {}
        self._next = _FIRST_TRANSACTION

    def has(self, at: int | None) -> bool:
        """Whether the last import has seen what happened then."""
        return at is not None and at < self.span.cutoff

    def new_id(self) -> str:
        self._next += 1
        return str(self._next - 1)

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

    def open_amount(self, bill: Bill) -> int:
        """What NetSuite still has open: what the last import saw, out-of-band wires included."""
        if bill.out_of_band is not None:
            return 0
        return bill.remaining(self.span.cutoff - 1)

    def customer_ref(self, client: Client) -> Object:
        record = self.customers[client.id]
        return {"id": record["id"], "refName": f"{record['entityId']} {client.name}"}

    def header(self, currency: Currency, day: date, made: int, type: str, id: str) -> Object:
        """The fields that all transactions share."""
        when = stamp(min(made, self.span.now - 60))
        return {
            "id": id,
            "tranId": f"{_NUMBERS[type]}{id}",
            "tranDate": day.isoformat(),
            "createdDate": when,
            "lastModifiedDate": when,
            "currency": currency_ref(currency),
            "exchangeRate": exchange_rate(self.seed, currency, month_of(day)),
            "postingPeriod": self.periods.ref(day),
            "subsidiary": dict(SUBSIDIARY),
        }

    def balances(self) -> dict[str, Decimal]:
        """Receivables by customer id: open invoices less unapplied credit memos and payments."""
        found: dict[str, Decimal] = {}
        for type, record in self.transactions():
            if type == "invoice":
                owner, change = record["entity"]["id"], record["amountRemaining"]
            elif type == "creditMemo":
                owner, change = record["entity"]["id"], -record["unapplied"]
            elif type == "customerPayment":
                owner, change = record["customer"]["id"], -record["unapplied"]
            else:
                continue
            found[owner] = found.get(owner, Decimal(0)) + change
        return found


def import_time(at: int) -> int:
    """The nightly import: 06:10 UTC on the day after."""
    return midnight(at) + DAY + 6 * HOUR + 600


def status(words: str) -> Object:
    return {"id": words, "refName": words}
