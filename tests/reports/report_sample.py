"""An outcome written by hand, for tests of the report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tieout.reconcile.breaks import Break, Difference, Life
from tieout.reconcile.outcome import FlowCount, Kpis, Outcome
from tieout.reconcile.totals import Proof, Total
from tieout.reports.facts import Context, Freshness, Written

NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


def a_break(left_id: str | None = "in_1", **changes: Any) -> Break:
    told: dict[str, Any] = {
        "flow": "invoice stripe > netsuite",
        "kind": "differs",
        "entity": "invoice",
        "left_system": "stripe",
        "right_system": "netsuite",
        "left_id": left_id,
        "right_id": "4711",
        "currency": "USD",
        "effect_minor": 9_000_00,
        "stake_minor": 9_000_00,
        "severity": "high",
        "differences": (Difference("total_minor", 54_000_00, 45_000_00),),
        "cause": "digits transposed when it was typed",
        "label": "INV-7",
        "customer": "Ada Ltd",
        "dated": "2026-01-15",
        "left_url": "https://dashboard.stripe.com/invoices/in_1",
        "right_url": "https://1234567.app.netsuite.com/app/x.nl?id=4711",
    }
    return Break(**(told | changes))


def outcome(*breaks: Break, **changes: Any) -> Outcome:
    found = breaks if breaks or "breaks" in changes else (a_break(),)
    gap = sum(one.effect_minor for one in found if one.currency == "USD")
    seen = NOW - timedelta(days=6)
    told: dict[str, Any] = {
        "at": NOW,
        "as_of": None,
        "totals": (
            Total("invoice stripe > netsuite", "stripe", "invoice", "USD", "2026-01", "open", 9,
                  1_000_000_00 + gap),
            Total("invoice stripe > netsuite", "netsuite", "invoice", "USD", "2026-01", "open", 9,
                  1_000_000_00),
        ),
        "proofs": (
            Proof("invoice stripe > netsuite", "BHD", 1_234, 1_234),
            Proof("invoice stripe > netsuite", "JPY", 99_000, 98_000, in_flight_minor=1_000),
            Proof("invoice stripe > netsuite", "USD", 1_000_000_00 + gap, 1_000_000_00, gap),
        ),
        "flows": (
            FlowCount("invoice stripe > netsuite", "invoice", "stripe", "netsuite", 12, 12, 12, 11,
                      len(found), 1),
        ),
        "breaks": found,
        "waived": (),
        "in_flight": (a_break("in_9", currency="JPY", stake_minor=1_000),),
        "kpis": Kpis(Decimal("91.66"), Decimal("100.00"), Decimal("95.00")),
        "lives": {one.fingerprint: Life("open", seen, NOW) for one in found},
        "new": 1,
    }  # fmt: skip
    return Outcome(**(told | changes))


def context(**changes: Any) -> Context:
    told: dict[str, Any] = {
        "timezone": "America/New_York",
        "freshness": (
            Freshness(
                "stripe",
                "invoice",
                12_345,
                2,
                NOW - timedelta(minutes=20),
                "proven",
                "count: 12,347 there, 12,347 here",
            ),
            Freshness("netsuite", "invoice", 12_340, 0, NOW - timedelta(hours=30)),
        ),
        "written": (Written("netsuite", "invoice", "create", 3, (("USD", 123_456),)),),
    }
    return Context(**(told | changes))
