"""What must hold inside one record, whatever the other system says. Pure.

The identities are those of the canonical model: totals, balances, lines, allocations. A null
amount counts as 0; a void document's balance is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from tieout.core.entities import (
    CreditNote,
    Invoice,
    JournalEntry,
    Payment,
    Payout,
    Price,
    Record,
)


@dataclass(frozen=True)
class Finding:
    """A record that contradicts itself. `off_minor` is found - expected, in `currency`."""

    rule: str
    message: str
    expected_minor: int | None = None
    found_minor: int | None = None
    currency: str | None = None

    @property
    def off_minor(self) -> int:
        return (self.found_minor or 0) - (self.expected_minor or 0)


def check(record: Record) -> list[Finding]:
    """All identities of the model that a record breaks; [] for entities that have none."""
    for kind, rules in _CHECKS.items():
        if isinstance(record, kind):
            return [finding for rule in rules for finding in rule(record)]
    return []


def _sum(amounts: Iterable[int | None]) -> int:
    return sum(amount or 0 for amount in amounts)


def _equal(rule: str, message: str, expected: int, found: int, record: Record) -> Iterator[Finding]:
    if expected != found:
        yield Finding(rule, message, expected, found, getattr(record, "currency", None))


def _invoice_total(record: Invoice) -> Iterator[Finding]:
    expected = _sum([record.subtotal_minor, record.tax_minor]) - (record.discount_minor or 0)
    message = "total is not subtotal - discount + tax"
    yield from _equal("total", message, expected, record.total_minor or 0, record)


def _invoice_balance(record: Invoice) -> Iterator[Finding]:
    if record.status == "void":
        yield from _equal("void", "a void document owes", 0, record.balance_minor or 0, record)
        return
    expected = _sum([record.total_minor, record.adjustment_minor]) - _sum(
        [record.paid_minor, record.credited_minor, record.written_off_minor]
    )
    message = "balance is not total + adjustment - paid - credited - written off"
    yield from _equal("balance", message, expected, record.balance_minor or 0, record)


def _invoice_status(record: Invoice) -> Iterator[Finding]:
    balance = record.balance_minor or 0
    if record.status == "paid" and balance:
        yield Finding("status", "paid, but a balance is left", 0, balance, record.currency)
    if record.status == "open" and not balance:
        yield Finding("status", "open, but nothing is owed", currency=record.currency)


def _lines(record: Invoice | CreditNote) -> Iterator[Finding]:
    if record.lines:
        found = _sum(line.amount_minor for line in record.lines)
        message = "the lines do not add up to the subtotal"
        yield from _equal("lines", message, record.subtotal_minor or 0, found, record)


def _credit_balance(record: CreditNote) -> Iterator[Finding]:
    if record.status == "void":
        yield from _equal("void", "a void document owes", 0, record.balance_minor or 0, record)
        return
    expected = (record.total_minor or 0) - _sum([record.allocated_minor, record.refunded_minor])
    message = "balance is not total - allocated - refunded"
    yield from _equal("balance", message, expected, record.balance_minor or 0, record)


def _credit_allocations(record: CreditNote) -> Iterator[Finding]:
    applied = _sum(each.amount_minor for each in record.allocations)
    yield from _at_most(applied, record.total_minor or 0, record)


def _payment_allocations(record: Payment) -> Iterator[Finding]:
    applied = _sum(each.amount_minor for each in record.allocations)
    if record.status in ("failed", "canceled"):
        message = f"a {record.status} payment is applied to invoices"
        yield from _equal("allocations", message, 0, applied, record)
        return
    left = (record.amount_minor or 0) - (record.refunded_minor or 0)
    yield from _at_most(applied, left, record)


def _at_most(applied: int, limit: int, record: Record) -> Iterator[Finding]:
    if applied > max(limit, 0):
        message = "more is applied to invoices than there is"
        yield Finding("allocations", message, limit, applied, getattr(record, "currency", None))


def _payment_refunded(record: Payment) -> Iterator[Finding]:
    if (record.refunded_minor or 0) > (record.amount_minor or 0):
        message = "more was refunded than was paid"
        amounts = (record.amount_minor or 0, record.refunded_minor)
        yield Finding("refunded", message, *amounts, record.currency)


def _payout(record: Payout) -> Iterator[Finding]:
    """Cash: charges - fees - refunds = what the bank got. Only automatic payouts list it all."""
    if not record.lines or record.automatic is False:
        return
    found = _sum(line.net_minor for line in record.lines)
    message = "charges - fees - refunds do not add up to the payout"
    yield from _equal("cash", message, record.amount_minor or 0, found, record)
    for line in record.lines:
        if line.amount_minor is not None and line.net_minor is not None:
            net = line.amount_minor - (line.fee_minor or 0)
            message = f"line {line.id}: net is not amount - fee"
            yield from _equal("cash", message, net, line.net_minor, record)


def _journal(record: JournalEntry) -> Iterator[Finding]:
    debits = _sum(line.debit_minor for line in record.lines)
    credits = _sum(line.credit_minor for line in record.lines)
    yield from _equal("journal", "debits and credits differ", debits, credits, record)


def _tiers(record: Price) -> Iterator[Finding]:
    tiers = record.tiers or ()
    bounds = [tier.up_to for tier in tiers]
    if tiers and bounds[-1] is not None:
        yield Finding("tiers", "the last tier has an end")
    try:
        ends = [Decimal(each) for each in bounds[:-1] if each is not None]
    except InvalidOperation:
        yield Finding("tiers", "a tier ends at something that is no number")
        return
    if len(ends) < len(bounds[:-1]) or sorted(set(ends)) != ends:
        yield Finding("tiers", "the tiers do not ascend")


_CHECKS: dict[type[Record], list[Callable[..., Iterator[Finding]]]] = {
    Invoice: [_invoice_total, _invoice_balance, _lines, _invoice_status],
    CreditNote: [_credit_balance, _lines, _credit_allocations],
    Payment: [_payment_allocations, _payment_refunded],
    Payout: [_payout],
    JournalEntry: [_journal],
    Price: [_tiers],
}
