"""What happened in the business, before any provider's words for it.

Times are Unix seconds in UTC, amounts integer minor units of the client's one currency.
Every system's side of the company is drawn from these.

Ids are those of the client's biller (`ids.py`): in Chargebee a document's id is its number; a
Zuora subscription's id is its number. Of an invoice, `Bill.lines` carry service periods (from
inclusive, to exclusive), discounts and exclusive taxes; `Bill.receipts` the payments with their
failed attempts; `Bill.credits` credit notes of kind `pre_payment` (takes off what is open, so an
adjustment) or `refund` (paid back through `CreditNote.refund`). `Bill.status(at)`,
`remaining(at)` and `paid_at(at)` tell any moment's state.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal

from .currencies import Currency

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def new_id(rng: random.Random, prefix: str, length: int = 23) -> str:
    """A random id as Stripe shapes them: `in_1` and 23 letters and digits."""
    return prefix + "".join(rng.choices(_LETTERS, k=length))


def new_prefix(rng: random.Random) -> str:
    """A customer's invoice prefix: eight capitals and digits."""
    return "".join(rng.choices(_CAPITALS, k=8))


@dataclass(frozen=True)
class Span:
    """The company's two years. What Stripe did since `cutoff` is not in NetSuite yet."""

    start: int
    now: int
    cutoff: int


@dataclass(frozen=True)
class Tax:
    """An exclusive tax; `rate` in thousandths of a percent (8.875 % is 8875)."""

    id: str
    name: str
    kind: str
    country: str
    state: str | None
    rate: int
    created: int

    @property
    def percent(self) -> int | Decimal:
        whole, rest = divmod(self.rate, 1000)
        return Decimal(self.rate).scaleb(-3).normalize() if rest else whole


@dataclass(frozen=True)
class Product:
    id: str
    sku: str
    name: str
    description: str
    unit: str | None
    created: int
    cents: int
    per_seat: bool = False
    one_time: bool = False


@dataclass(frozen=True)
class Price:
    id: str
    product: Product
    currency: Currency
    interval: str | None
    unit: int


@dataclass(frozen=True)
class Coupon:
    id: str
    name: str
    percent: int
    created: int


@dataclass(slots=True)
class Client:
    """`biller` is the system that bills it: `stripe`, `chargebee` or `zuora`. `account` is the id
    of its Salesforce Account where the company has a CRM, else "".

    What only Stripe knows does not happen to the clients of the others: a credit balance, an
    invoice marked as paid elsewhere, disputes, deletion, the product launched lately.
    """

    index: int
    id: str
    name: str
    first: str
    last: str
    email: str | None
    phone: str | None
    street: str
    city: str
    state: str | None
    postal_code: str
    country: str
    locale: str
    currency: Currency
    created: int
    prefix: str
    tax: Tax | None
    reverse_charge: bool
    sends_invoices: bool
    matched_by_email: bool
    card: str
    sequence: int = 0
    balance: int = 0
    deleted: int | None = None
    biller: str = "stripe"
    account: str = ""

    @property
    def is_person(self) -> bool:
        return bool(self.last)


@dataclass(slots=True)
class Discount:
    id: str
    coupon: Coupon
    start: int


@dataclass(slots=True)
class Item:
    """One item of a subscription."""

    id: str
    price: Price
    quantity: int
    created: int


@dataclass(slots=True)
class Subscription:
    id: str
    client: Client
    items: list[Item]
    interval: str
    started: int
    anchor: int
    discount: Discount | None = None
    trial_end: int | None = None
    period: tuple[int, int] = (0, 0)
    status: str = "active"
    cancel_at: int | None = None
    canceled: int | None = None
    ended: int | None = None
    cancel_reason: str | None = None
    latest: str | None = None


@dataclass(slots=True)
class Line:
    id: str
    description: str
    product: Product
    price: Price | None
    quantity: int
    unit: int
    amount: int
    period: tuple[int, int]
    item: str | None = None
    proration: bool = False
    invoice_item: str | None = None
    added: int = 0
    discount: int = 0
    tax: int = 0


@dataclass(slots=True)
class Refund:
    id: str
    receipt: Receipt
    amount: int
    created: int
    reason: str
    transaction: str


@dataclass(slots=True)
class Dispute:
    id: str
    created: int
    closed: int | None
    status: str
    reason: str
    amount: int
    withdrawn: str
    reinstated: str | None


@dataclass(slots=True)
class Attempt:
    charge: str
    at: int
    failure: str | None


@dataclass(slots=True)
class Receipt:
    """One payment intent: its attempts, and what it brought."""

    id: str
    bill: Bill
    amount: int
    created: int
    method: str
    is_default: bool
    link: str
    attempts: list[Attempt] = field(default_factory=list)
    succeeded: int | None = None
    canceled: int | None = None
    transaction: str = ""
    fee: int = 0
    refunds: list[Refund] = field(default_factory=list)
    dispute: Dispute | None = None


@dataclass(slots=True)
class CreditNote:
    """`kind`: `pre_payment`, `refund` or `balance` (credited to the customer's balance)."""

    id: str
    number: str
    bill: Bill
    kind: str
    created: int
    subtotal: int
    discount: int
    tax: int
    reason: str | None
    memo: str
    lines: list[Line] | None
    line_ids: list[str]
    refund: Refund | None = None
    balance_entry: str | None = None

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.tax


@dataclass(slots=True)
class BalanceEntry:
    """A movement of a customer's credit balance; negative is credit given."""

    id: str
    client: Client
    amount: int
    ending: int
    kind: str
    created: int
    bill: str | None
    credit_note: str | None


@dataclass(slots=True)
class Bill:
    """An invoice. Everything that changes it carries its time, so any past state can be drawn."""

    id: str
    client: Client
    subscription: Subscription | None
    reason: str
    created: int
    lines: list[Line]
    period: tuple[int, int]
    discount: Discount | None
    email: str | None
    subtotal: int
    discounted: int
    tax: int
    number: str | None = None
    finalized: int | None = None
    effective: int | None = None
    due: int | None = None
    memo: str | None = None
    starting_balance: int = 0
    ending_balance: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    credits: list[CreditNote] = field(default_factory=list)
    voided: int | None = None
    uncollectible: int | None = None
    out_of_band: int | None = None

    @property
    def currency(self) -> Currency:
        return self.client.currency

    @property
    def total(self) -> int:
        return self.subtotal - self.discounted + self.tax

    def credited(self, at: int) -> int:
        """What credit notes took off before it was paid."""
        return sum(
            note.total for note in self.credits if note.kind == "pre_payment" and note.created <= at
        )

    def amount_due(self, at: int) -> int:
        return max(self.total + self.starting_balance, 0) - self.credited(at)

    def amount_paid(self, at: int) -> int:
        if self.out_of_band is not None and self.out_of_band <= at:
            return self.amount_due(at)
        return sum(
            receipt.amount
            for receipt in self.receipts
            if receipt.succeeded is not None and receipt.succeeded <= at
        )

    def remaining(self, at: int) -> int:
        return self.amount_due(at) - self.amount_paid(at)

    def status(self, at: int) -> str:
        if self.finalized is None or at < self.finalized:
            return "draft"
        if self.voided is not None and self.voided <= at:
            return "void"
        if self.remaining(at) == 0:
            return "paid"
        if self.uncollectible is not None and self.uncollectible <= at:
            return "uncollectible"
        return "open"

    def paid_at(self, at: int) -> int | None:
        """When nothing was left to pay, None while something is."""
        if self.finalized is None or self.status(at) != "paid":
            return None
        times = [self.finalized]
        times += [note.created for note in self.credits if note.kind == "pre_payment"]
        times += [one.succeeded for one in self.receipts if one.succeeded is not None]
        if self.out_of_band is not None:
            times.append(self.out_of_band)
        return max(time for time in times if time <= at)

    @property
    def issued(self) -> int:
        """The accounting date as an instant: `effective_at`, else when it was finalised."""
        return self.effective or self.finalized or self.created
