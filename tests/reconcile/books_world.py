"""Two small ledgers in a store, for tests of reconciliation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from tieout.core.entities import (
    Allocation,
    CreditNote,
    Customer,
    Invoice,
    Line,
    Payment,
    Record,
)
from tieout.core.ports import Ports
from tieout.reconcile.outcome import Outcome
from tieout.reconcile.rules import FlowRule, usual
from tieout.store import Draft, Incoming, Store, open_store
from tieout.sync.reconcile import reconcile

NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=10)

INVOICE_FIELDS = ("number", "customer_id", "currency", "issued_on", "total_minor", "balance_minor",
                  "status")  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


def ports_on(clock: Clock) -> Ports:
    numbers = count(1)
    return Ports(
        now=clock.now,
        monotonic=lambda: 0.0,
        sleep=lambda seconds: None,
        random=lambda: 0.5,
        new_id=lambda: f"id-{next(numbers):06d}",
    )


def rule(entity: str = "invoice", **changes: Any) -> FlowRule:
    fields = {
        "invoice": INVOICE_FIELDS,
        "payment": ("customer_id", "currency", "amount_minor", "received_on", "allocations"),
        "credit_note": ("customer_id", "currency", "total_minor", "issued_on"),
        "customer": ("name", "email"),
    }[entity]
    made = FlowRule(
        name=f"{entity} stripe > netsuite",
        entity=entity,
        left="stripe",
        right="netsuite",
        real={
            "invoice": ("open", "paid", "uncollectible", "void"),
            "payment": ("succeeded",),
            "credit_note": ("issued", "applied", "refunded"),
        }.get(entity, ()),
        fields={name: usual(entity, name) for name in fields},
        amount={"invoice": "total_minor", "payment": "amount_minor"}.get(
            entity, "total_minor" if entity == "credit_note" else None
        ),
        dated={"invoice": "issued_on", "payment": "received_at", "credit_note": "issued_on"}.get(
            entity
        ),
    )
    return replace(made, **changes)


def invoice(system: str, id: str, total_minor: int | None, **fields: Any) -> Invoice:
    """An open, balanced invoice unless told otherwise."""
    status = fields.get("status", "open")
    owed = total_minor if status in ("open", "uncollectible", "draft") else 0
    told: dict[str, Any] = {
        "number": f"N-{id.lstrip('LRlr')}",
        "customer_id": None,
        "status": status,
        "currency": "USD",
        "issued_on": date(2026, 1, 15),
        "subtotal_minor": total_minor,
        "total_minor": total_minor,
        "balance_minor": owed,
        "paid_minor": total_minor if status == "paid" else 0,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
    }
    return Invoice(system=system, id=id, **(told | fields))


class World:
    """`stripe` is left, `netsuite` right."""

    def __init__(self, path: Any = ":memory:") -> None:
        self.clock = Clock()
        self.ports = ports_on(self.clock)
        self.store: Store = open_store(path, self.ports)

    def put(self, *records: Record) -> None:
        groups: dict[tuple[str, str], list[Incoming]] = {}
        for record in records:
            entity = str(record.__struct_config__.tag)
            one = Incoming(record, b"{}", self.store.next_seq())
            groups.setdefault((entity, record.system), []).append(one)
        for (entity, _), rows in groups.items():
            for at in range(0, len(rows), 5000):
                self.store.records.put(entity, rows[at : at + 5000], run="run")

    def link(self, entity: str, *members: tuple[str, str]) -> str:
        return self.store.links.make(entity, members, "test")

    def pair(self, left: Record, right: Record) -> str:
        """Both records, linked."""
        self.put(left, right)
        entity = str(left.__struct_config__.tag)
        return self.link(entity, (left.system, left.id), (right.system, right.id))

    def customers(self, *names: str) -> None:
        for name in names:
            self.pair(
                Customer(system="stripe", id=f"cus_{name}", name=name, email=f"{name}@x.example"),
                Customer(system="netsuite", id=f"ns_{name}", name=name, email=f"{name}@x.example"),
            )

    def write_planned(self, **fields: Any) -> None:
        self.store.outbox.put([Draft(**fields)])

    def run(self, *rules: FlowRule, **options: Any) -> Outcome:
        return reconcile(self.store, rules or [rule()], self.ports, **options)


def told(outcome: Outcome) -> list[tuple[str, str | None, str | None]]:
    """(kind, left id, right id) of each break, sorted."""
    return sorted(
        ((one.kind, one.left_id, one.right_id) for one in outcome.breaks),
        key=lambda each: [str(part) for part in each],
    )


def proof_of(outcome: Outcome, currency: str = "USD") -> Any:
    return next(proof for proof in outcome.proofs if proof.currency == currency)


__all__ = [
    "LONG_AGO",
    "NOW",
    "Allocation",
    "Clock",
    "CreditNote",
    "Customer",
    "Invoice",
    "Iterable",
    "Line",
    "Payment",
    "World",
    "invoice",
    "msgspec",
    "ports_on",
    "proof_of",
    "rule",
    "told",
]
