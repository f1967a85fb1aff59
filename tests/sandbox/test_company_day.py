"""A day of business after the company was built, and both stand-ins that hold the company."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from company_books import by_type
from werkzeug.test import Client

from tieout.sandbox import SandboxClock
from tieout.sandbox.company import build_company, changes
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.stripe import StripeStandIn

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def days(seed: int, *counts: int) -> list[list[tuple[str, dict[str, Any]]]]:
    one, rng = build_company(seed=2, size=40, now=NOW), random.Random(seed)
    return [changes(one, rng, count) for count in counts]


def test_the_same_chance_gives_the_same_days() -> None:
    assert json.dumps(days(5, 4, 9), default=str) == json.dumps(days(5, 4, 9), default=str)
    assert json.dumps(days(5, 4, 9), default=str) != json.dumps(days(6, 4, 9), default=str)


def test_changes_are_objects_and_the_events_about_them() -> None:
    (day,) = days(1, 12)
    begin = int(NOW.timestamp())
    found = by_type(day)
    changed = {item["id"]: item for type, item in day if type != "event"}
    assert found["event"]
    for event in found["event"]:
        assert begin < event["created"] <= begin + 86_400
        assert event["data"]["object"]["id"] in changed
    told = {event["data"]["object"]["id"] for event in found["event"]}
    for type in ("customer", "subscription", "invoice", "charge", "refund", "credit_note"):
        assert {one["id"] for one in found[type]} <= told, type


def test_the_company_moves_on() -> None:
    one, rng = build_company(seed=2, size=40, now=NOW), random.Random(3)
    for count in range(1, 4):
        day = changes(one, rng, 20)
        assert one.now == NOW + timedelta(days=count)
        held = {item["id"]: item for _, item in one.stripe}
        assert all(held[item["id"]] == item for _, item in day)
    ids = Counter(item["id"] for _, item in one.stripe)
    assert max(ids.values()) == 1
    for invoice in by_type(one.stripe)["invoice"]:
        assert invoice["amount_remaining"] == invoice["amount_due"] - invoice["amount_paid"] >= 0
        paid_out = invoice["status"] in ("draft", "void")
        assert paid_out or (invoice["amount_remaining"] == 0) == (invoice["status"] == "paid")


def test_a_chosen_moment_bounds_the_changes() -> None:
    one = build_company(seed=2, size=20, now=NOW)
    start = int(NOW.timestamp()) + 7_200
    events = by_type(changes(one, random.Random(1), 3, start=start, seconds=600))["event"]
    assert events
    assert all(start < event["created"] <= start + 600 for event in events)


def test_both_stand_ins_take_the_company() -> None:
    one = build_company(seed=1, size=60, now=NOW)
    clock = SandboxClock(NOW)
    stripe, netsuite = StripeStandIn(clock), NetSuiteStandIn(clock)
    try:
        stripe.load(one.stripe)
        netsuite.load(one.netsuite)
        for payout, lines in one.payout_lines.items():
            stripe.assign_payout(payout, lines)
        login = {"Authorization": f"Bearer {stripe.credentials()['api_key']}"}
        client = Client(stripe.wsgi)

        def get(path: str) -> Any:
            return client.get(path, headers=login).get_json()

        found = by_type(one.stripe)
        long = next(item for item in found["invoice"] if item["lines"]["has_more"])
        assert get(f"/v1/invoices/{long['id']}") == long
        lines = get(f"/v1/invoices/{long['id']}/lines?limit=100")["data"]
        assert sum(line["amount"] for line in lines) == long["subtotal"]
        paid = found["payout"][0]
        rows = get(f"/v1/balance_transactions?payout={paid['id']}&limit=100")["data"]
        assert sum(row["net"] for row in rows if row["type"] != "payout") == paid["amount"]
    finally:
        stripe.close()
        netsuite.close()
