"""What is usual for each entity: how records find each other and what is kept in agreement.

A flow in config.yaml overrides `match` and `fields`. Pure data.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Defaults of one entity.

    document    an issued business document: created once, never edited or archived by tieout;
                a difference is a break for a person (a credit note or a void corrects it).
    amount      the field that control totals add up; None where there is no money.
    dated       the field that puts a record into a period.
    statuses    which records are real enough to be written elsewhere; () means all.
    """

    match: tuple[str, ...]
    fields: tuple[str, ...]
    document: bool = False
    amount: str | None = None
    dated: str | None = None
    statuses: tuple[str, ...] = ()


PROFILES: dict[str, Profile] = {
    "customer": Profile(("external_id", "email"), ("name", "email")),
    "contact": Profile(("external_id", "email"), ("first_name", "last_name", "email")),
    "product": Profile(("external_id", "name"), ("name",)),
    "price": Profile(("external_id",), ("product_id", "currency", "unit_amount")),
    "subscription": Profile(("external_id", "number"), ("customer_id", "status", "currency")),
    "opportunity": Profile(("external_id",), ("name", "stage", "currency", "amount_minor")),
    "contract": Profile(("external_id", "number"), ("customer_id", "currency", "total_minor")),
    "invoice": Profile(
        ("external_id", "number"),
        (
            "number",
            "customer_id",
            "currency",
            "issued_on",
            "total_minor",
            "balance_minor",
            "status",
        ),
        document=True,
        amount="total_minor",
        dated="issued_on",
        statuses=("open", "paid", "uncollectible", "void"),
    ),
    "payment": Profile(
        ("external_id", "reference"),
        ("customer_id", "currency", "amount_minor", "received_on", "allocations"),
        document=True,
        amount="amount_minor",
        dated="received_at",
        statuses=("succeeded",),
    ),
    "credit_note": Profile(
        ("external_id", "number"),
        ("customer_id", "currency", "total_minor", "issued_on"),
        document=True,
        amount="total_minor",
        dated="issued_on",
        statuses=("issued", "applied", "refunded"),
    ),
    "refund": Profile(
        ("external_id",),
        ("customer_id", "currency", "amount_minor"),
        document=True,
        amount="amount_minor",
        dated="refunded_at",
        statuses=("succeeded",),
    ),
    "dispute": Profile(
        ("external_id",),
        ("currency", "amount_minor", "status"),
        document=True,
        amount="amount_minor",
        dated="opened_at",
    ),
    "payout": Profile(
        ("external_id", "reference"),
        ("currency", "amount_minor", "arrives_on"),
        document=True,
        amount="amount_minor",
        dated="arrives_on",
        statuses=("paid",),
    ),
    "usage": Profile(("external_id",), ("quantity",), document=True),
    "journal_entry": Profile(
        ("external_id", "number"), ("posted_on", "currency"), document=True, dated="posted_on"
    ),
}

# Statuses in which a document exists but must not be created elsewhere any more.
DEAD = {"void", "canceled"}
