"""Makes bills: spreads discounts and taxes over their lines, applies credit."""

from __future__ import annotations

import random
from collections.abc import Iterable

from .catalog import Catalog
from .facts import (
    BalanceEntry,
    Bill,
    Client,
    Discount,
    Item,
    Line,
    Price,
    Receipt,
    Span,
    Subscription,
    new_id,
)
from .moments import DAY, midnight

TERM_DAYS = 30


class Ledger:
    """All that one client did. Only its own methods and `settle.py` add to it."""

    def __init__(self, client: Client, catalog: Catalog, span: Span, rng: random.Random) -> None:
        self.client, self.catalog, self.span, self.rng = client, catalog, span, rng
        self.subscriptions: list[Subscription] = []
        self.bills: list[Bill] = []
        self.entries: list[BalanceEntry] = []

    # Lines

    def line(
        self,
        price: Price,
        quantity: int,
        period: tuple[int, int],
        description: str,
        *,
        item: Item | None = None,
        unit: int | None = None,
    ) -> Line:
        one = price.unit if unit is None else unit
        return Line(
            id=new_id(self.rng, "il_1"),
            description=description,
            product=price.product,
            price=price,
            quantity=quantity,
            unit=one,
            amount=one * quantity,
            period=period,
            item=item.id if item else None,
            invoice_item=None if item else new_id(self.rng, "ii_1"),
            added=period[0],
        )

    def item_lines(self, subscription: Subscription, period: tuple[int, int]) -> list[Line]:
        """One line for each item of the subscription, for the coming period."""
        return [
            self.line(item.price, item.quantity, period, _per_period(item), item=item)
            for item in subscription.items
        ]

    def proration(self, item: Item, more: int, at: int, end: int, start: int) -> list[Line]:
        """Seats added within a period: credit for the unused time, charge for the rest."""
        currency, name = self.client.currency, item.price.product.name
        left, whole = end - at, end - start
        found = []
        for sign, seats, words in (
            (-1, item.quantity, f"Unused time on {item.quantity} × {name}"),
            (1, item.quantity + more, f"Remaining time on {item.quantity + more} × {name}"),
        ):
            amount = sign * currency.share(item.price.unit * seats, left, whole)
            line = self.line(item.price, seats, (at, end), words, item=item)
            line.amount, line.unit, line.proration, line.added = amount, 0, True, at
            line.invoice_item = new_id(self.rng, "ii_1")
            found.append(line)
        return found

    # Bills

    def bill(
        self,
        reason: str,
        created: int,
        lines: list[Line],
        *,
        subscription: Subscription | None = None,
        finalized: int | None,
    ) -> Bill:
        """A new invoice; `finalized` None or in the future leaves a draft."""
        client = self.client
        discount = subscription.discount if subscription else None
        self._spread(lines, discount)
        bill = Bill(
            id=new_id(self.rng, "in_1"),
            client=client,
            subscription=subscription,
            reason=reason,
            created=created,
            lines=lines,
            period=_window(subscription, created, reason),
            discount=discount,
            email=client.email,
            subtotal=sum(line.amount for line in lines),
            discounted=sum(line.discount for line in lines),
            tax=sum(line.tax for line in lines),
        )
        self.bills.append(bill)
        if subscription is not None:
            subscription.latest = bill.id
        if finalized is not None and finalized <= self.span.now:
            self._finalize(bill, finalized)
        return bill

    def _spread(self, lines: Iterable[Line], discount: Discount | None) -> None:
        currency, tax = self.client.currency, self.client.tax
        for line in lines:
            if discount is not None:
                line.discount = currency.share(line.amount, discount.coupon.percent, 100)
            if tax is not None:
                line.tax = currency.share(line.amount - line.discount, tax.rate, 100_000)

    def _finalize(self, bill: Bill, at: int) -> None:
        client = self.client
        bill.finalized = bill.effective = at
        if client.sends_invoices and bill.total > 0:
            bill.due = at + TERM_DAYS * DAY
        if bill.reason == "manual" and self.rng.random() < 0.5:
            bill.effective = midnight(at) - self.rng.randint(1, 4) * DAY
        self._use_credit(bill, at)
        if bill.amount_due(at) > 0:
            self.receipt(bill, bill.amount_due(at), at, is_default=True)

    def _use_credit(self, bill: Bill, at: int) -> None:
        balance = self.client.balance
        if balance >= 0 or bill.total <= 0:
            return
        used = min(-balance, bill.total)
        bill.starting_balance, bill.ending_balance = balance, balance + used
        self.move_balance(used, "applied_to_invoice", at, bill=bill.id)

    def receipt(self, bill: Bill, amount: int, created: int, *, is_default: bool) -> Receipt:
        method = "card"
        if self.client.sends_invoices and self.rng.random() < 0.85:
            method = "customer_balance"
        receipt = Receipt(
            id=new_id(self.rng, "pi_3"),
            bill=bill,
            amount=amount,
            created=created,
            method=method,
            is_default=is_default,
            link=new_id(self.rng, "inpay_1"),
        )
        bill.receipts.append(receipt)
        return receipt

    def move_balance(
        self, amount: int, kind: str, at: int, *, bill: str | None, note: str | None = None
    ) -> BalanceEntry:
        """Change the customer's credit balance; negative `amount` gives credit."""
        self.client.balance += amount
        entry = BalanceEntry(
            new_id(self.rng, "cbtxn_1"),
            self.client,
            amount,
            self.client.balance,
            kind,
            at,
            bill,
            note,
        )
        self.entries.append(entry)
        return entry


def number_bill(bill: Bill) -> None:
    """Give a finalised bill its customer's next number."""
    client = bill.client
    client.sequence += 1
    bill.number = f"{client.prefix}-{client.sequence:04d}"


def number_notes(bill: Bill) -> None:
    """Number a bill's credit notes in the order in which they were issued."""
    for count, note in enumerate(sorted(bill.credits, key=lambda note: note.created), 1):
        note.number = f"{bill.number}-CN-{count:02d}"


def _per_period(item: Item) -> str:
    currency, price = item.price.currency, item.price
    return (
        f"{item.quantity} × {price.product.name} (at {currency.show(price.unit)} / "
        f"{price.interval})"
    )


def _window(subscription: Subscription | None, created: int, reason: str) -> tuple[int, int]:
    """The window in which invoice items are collected: the period before the bill."""
    if subscription is None or reason == "subscription_create":
        return created, created
    length = subscription.period[1] - subscription.period[0]
    return created - length, created
