"""The canonical model: one vocabulary for all systems, as frozen typed values.

Field names are those of code, store columns, mapping files and every `--json` output.
Amounts (`*_minor`) are integer minor units of the record's `currency`; unit prices and
quantities are plain decimal strings in major units; `*_at` is an aware UTC datetime, `*_on` a
calendar date; `<entity>_id` is the id in the same system; None means "known to be empty or not
told", never a made-up default.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

import msgspec

Scalar = str | int | bool | None


class Address(msgspec.Struct, frozen=True, kw_only=True):
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="entity"):
    """What every record has. `entity` is its tag in JSON; `name` is taken by customers."""

    system: str
    id: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted: bool = False
    url: str | None = None
    external_ids: dict[str, str] = {}
    custom: dict[str, Any] = {}


class Customer(Record, frozen=True, kw_only=True, tag="customer"):
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    status: Literal["active", "archived"] | None = None
    currency: str | None = None
    tax_id: str | None = None
    language: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    parent_id: str | None = None
    payment_terms_days: int | None = None
    credit_minor: int | None = None
    receivable_minor: int | None = None


class Contact(Record, frozen=True, kw_only=True, tag="contact"):
    customer_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    role: Literal["billing", "primary", "other"] | None = None


class Product(Record, frozen=True, kw_only=True, tag="product"):
    name: str | None = None
    description: str | None = None
    sku: str | None = None
    active: bool | None = None
    unit_label: str | None = None


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    up_to: str | None = None
    unit_amount: str | None = None
    flat_amount: str | None = None


class Price(Record, frozen=True, kw_only=True, tag="price"):
    product_id: str | None = None
    name: str | None = None
    currency: str | None = None
    unit_amount: str | None = None
    scheme: Literal["flat", "per_unit", "tiered", "volume", "stairstep", "package"] | None = None
    tiers: tuple[Tier, ...] | None = None
    interval: Literal["day", "week", "month", "year"] | None = None
    interval_count: int | None = None
    usage: Literal["licensed", "metered"] | None = None
    active: bool | None = None


class SubscriptionItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str | None = None
    product_id: str | None = None
    price_id: str | None = None
    name: str | None = None
    quantity: str | None = None
    unit_amount: str | None = None
    interval: Literal["day", "week", "month", "year"] | None = None
    interval_count: int | None = None
    usage: Literal["licensed", "metered"] | None = None
    discount_percent: str | None = None
    discount_minor: int | None = None


class Subscription(Record, frozen=True, kw_only=True, tag="subscription"):
    number: str | None = None
    customer_id: str | None = None
    status: (
        Literal[
            "future",
            "trialing",
            "active",
            "past_due",
            "paused",
            "unpaid",
            "non_renewing",
            "incomplete",
            "canceled",
        ]
        | None
    ) = None
    currency: str | None = None
    started_at: datetime | None = None
    trial_ends_at: datetime | None = None
    current_period_start_at: datetime | None = None
    current_period_end_at: datetime | None = None
    cancel_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    collection: Literal["automatic", "invoice"] | None = None
    auto_renew: bool | None = None
    term_months: int | None = None
    items: tuple[SubscriptionItem, ...] = ()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an invoice or a credit note. Amounts are net of tax."""

    id: str | None = None
    description: str | None = None
    product_id: str | None = None
    price_id: str | None = None
    quantity: str | None = None
    unit_amount: str | None = None
    amount_minor: int | None = None
    discount_minor: int | None = None
    tax_minor: int | None = None
    period_start_at: datetime | None = None
    period_end_at: datetime | None = None
    proration: bool | None = None


class Invoice(Record, frozen=True, kw_only=True, tag="invoice"):
    kind: Literal["invoice", "debit_memo"] = "invoice"
    number: str | None = None
    customer_id: str | None = None
    subscription_id: str | None = None
    status: Literal["draft", "open", "paid", "void", "uncollectible"] | None = None
    currency: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    paid_at: datetime | None = None
    voided_at: datetime | None = None
    subtotal_minor: int | None = None
    discount_minor: int | None = None
    tax_minor: int | None = None
    total_minor: int | None = None
    adjustment_minor: int | None = None
    paid_minor: int | None = None
    credited_minor: int | None = None
    written_off_minor: int | None = None
    balance_minor: int | None = None
    memo: str | None = None
    lines: tuple[Line, ...] = ()


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    invoice_id: str | None = None
    amount_minor: int | None = None


class Payment(Record, frozen=True, kw_only=True, tag="payment"):
    customer_id: str | None = None
    currency: str | None = None
    amount_minor: int | None = None
    status: Literal["pending", "succeeded", "failed", "canceled"] | None = None
    method: (
        Literal["card", "bank_debit", "bank_transfer", "check", "cash", "wallet", "other"] | None
    ) = None
    received_at: datetime | None = None
    reference: str | None = None
    gateway_id: str | None = None
    fee_minor: int | None = None
    refunded_minor: int | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    allocations: tuple[Allocation, ...] = ()


class Refund(Record, frozen=True, kw_only=True, tag="refund"):
    payment_id: str | None = None
    credit_note_id: str | None = None
    customer_id: str | None = None
    currency: str | None = None
    amount_minor: int | None = None
    status: Literal["pending", "succeeded", "failed", "canceled"] | None = None
    reason: str | None = None
    refunded_at: datetime | None = None


class CreditNote(Record, frozen=True, kw_only=True, tag="credit_note"):
    number: str | None = None
    customer_id: str | None = None
    invoice_id: str | None = None
    status: Literal["draft", "issued", "applied", "refunded", "void"] | None = None
    currency: str | None = None
    issued_on: date | None = None
    subtotal_minor: int | None = None
    tax_minor: int | None = None
    total_minor: int | None = None
    allocated_minor: int | None = None
    refunded_minor: int | None = None
    balance_minor: int | None = None
    reason: str | None = None
    lines: tuple[Line, ...] = ()
    allocations: tuple[Allocation, ...] = ()


class Dispute(Record, frozen=True, kw_only=True, tag="dispute"):
    payment_id: str | None = None
    currency: str | None = None
    amount_minor: int | None = None
    status: Literal["warning", "needs_response", "under_review", "won", "lost", "closed"] | None = (
        None
    )
    reason: str | None = None
    opened_at: datetime | None = None
    respond_by_at: datetime | None = None


class PayoutLine(msgspec.Struct, frozen=True, kw_only=True):
    id: str | None = None
    kind: Literal["charge", "refund", "dispute", "fee", "adjustment", "transfer"] | None = None
    source_id: str | None = None
    amount_minor: int | None = None
    fee_minor: int | None = None
    net_minor: int | None = None


class Payout(Record, frozen=True, kw_only=True, tag="payout"):
    currency: str | None = None
    amount_minor: int | None = None
    status: Literal["pending", "in_transit", "paid", "failed", "canceled"] | None = None
    arrives_on: date | None = None
    automatic: bool | None = None
    reference: str | None = None
    lines: tuple[PayoutLine, ...] = ()


class Opportunity(Record, frozen=True, kw_only=True, tag="opportunity"):
    customer_id: str | None = None
    name: str | None = None
    stage: str | None = None
    closed: bool | None = None
    won: bool | None = None
    probability_percent: str | None = None
    currency: str | None = None
    amount_minor: int | None = None
    close_on: date | None = None
    owner: str | None = None
    kind: Literal["new", "renewal", "expansion", "other"] | None = None


class ContractLine(msgspec.Struct, frozen=True, kw_only=True):
    id: str | None = None
    product_id: str | None = None
    price_id: str | None = None
    description: str | None = None
    quantity: str | None = None
    unit_amount: str | None = None
    amount_minor: int | None = None


class Contract(Record, frozen=True, kw_only=True, tag="contract"):
    kind: Literal["contract", "order"] | None = None
    number: str | None = None
    customer_id: str | None = None
    status: Literal["draft", "active", "expired", "canceled"] | None = None
    currency: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    term_months: int | None = None
    signed_on: date | None = None
    total_minor: int | None = None
    lines: tuple[ContractLine, ...] = ()


class Usage(Record, frozen=True, kw_only=True, tag="usage"):
    subscription_id: str | None = None
    item_id: str | None = None
    customer_id: str | None = None
    metric: str | None = None
    quantity: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class JournalLine(msgspec.Struct, frozen=True, kw_only=True):
    id: str | None = None
    account: str | None = None
    debit_minor: int | None = None
    credit_minor: int | None = None
    customer_id: str | None = None
    memo: str | None = None


class JournalEntry(Record, frozen=True, kw_only=True, tag="journal_entry"):
    number: str | None = None
    posted_on: date | None = None
    currency: str | None = None
    memo: str | None = None
    subsidiary: str | None = None
    lines: tuple[JournalLine, ...] = ()


# In the order in which records are moved: what is referred to comes before what refers.
ENTITIES: dict[str, type[Record]] = {
    "customer": Customer,
    "contact": Contact,
    "product": Product,
    "price": Price,
    "subscription": Subscription,
    "opportunity": Opportunity,
    "contract": Contract,
    "invoice": Invoice,
    "payment": Payment,
    "credit_note": CreditNote,
    "refund": Refund,
    "dispute": Dispute,
    "payout": Payout,
    "usage": Usage,
    "journal_entry": JournalEntry,
}

# Which field of an entity points at which other entity of the same system.
REFERENCES: dict[str, str] = {
    "customer_id": "customer",
    "parent_id": "customer",
    "product_id": "product",
    "price_id": "price",
    "subscription_id": "subscription",
    "invoice_id": "invoice",
    "payment_id": "payment",
    "credit_note_id": "credit_note",
}

COMMON_FIELDS: tuple[str, ...] = Record.__struct_fields__


def fields_of(entity: str) -> tuple[str, ...]:
    """An entity's own fields, in the order of the model, without those every record has."""
    return tuple(name for name in ENTITIES[entity].__struct_fields__ if name not in COMMON_FIELDS)
