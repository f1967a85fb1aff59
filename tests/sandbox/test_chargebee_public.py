"""The calls that public clients make (singer-io's tap, Airbyte's source, Estuary's connector)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from chargebee_session import DAY, NOW, Stage, stage

# tap_chargebee/streams: path and replication key; the tap sends `include_deleted=True` everywhere.
TAP = [
    ("customers", "customer", "updated_at"), ("subscriptions", "subscription", "updated_at"),
    ("invoices", "invoice", "updated_at"), ("credit_notes", "credit_note", "updated_at"),
    ("transactions", "transaction", "updated_at"), ("items", "item", "updated_at"),
    ("item_prices", "item_price", "updated_at"), ("item_families", "item_family", "updated_at"),
    ("coupons", "coupon", "updated_at"), ("orders", "order", "updated_at"),
    ("events", "event", "occurred_at"), ("promotional_credits", "promotional_credit", "created_at"),
    ("payment_sources", "payment_source", "updated_at"),
    ("virtual_bank_accounts", "virtual_bank_account", "updated_at"),
    ("gifts", "gift", "updated_at"), ("comments", "comment", "created_at"),
    ("unbilled_charges", "unbilled_charge", "updated_at"), ("usages", "usage", "updated_at"),
]  # fmt: skip


@pytest.fixture
def cb() -> Iterator[Stage]:
    with stage() as running:
        running.catalogue()
        running.customer()
        running.subscription()
        yield running


def tap_rows(cb: Stage, path: str, key: str, since: int) -> list[Any]:
    """As tap-chargebee reads a stream: `after`, limit 100, offset until there is none."""
    params: dict[str, Any] = {f"{key}[after]": since, "limit": 100, "include_deleted": True}
    found: list[Any] = []
    while True:
        answer = cb.ask(path, params)
        assert answer.status_code == 200, answer.text
        found += answer.json()["list"]
        params["offset"] = answer.json().get("next_offset")
        if not params["offset"]:
            return found


@pytest.mark.parametrize(("path", "kind", "key"), TAP)
def test_the_taps_streams(cb: Stage, path: str, kind: str, key: str) -> None:
    rows = tap_rows(cb, path, key, NOW - DAY)
    assert all(kind in row and row[kind][key] > NOW - DAY for row in rows)
    if path in ("customers", "subscriptions", "invoices", "items", "item_prices", "events"):
        assert rows
        assert tap_rows(cb, path, key, NOW + DAY) == []


def airbyte_rows(cb: Stage, path: str, kind: str, **more: str) -> list[Any]:
    """As Airbyte's manifest pages: the token passes through `tojson` and Jinja once."""
    params: dict[str, Any] = {"limit": 100, **more}
    found: list[Any] = []
    while True:
        answer = cb.ask(path, params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [row[kind] for row in page["list"]]
        if not page.get("next_offset"):
            return found
        params["offset"] = json.loads(json.dumps(page["next_offset"]))


@pytest.mark.parametrize(
    ("path", "kind", "sort", "filter"),
    [
        ("customers", "customer", "updated_at", "updated_at"),
        ("subscriptions", "subscription", "updated_at", "updated_at"),
        ("invoices", "invoice", "updated_at", "updated_at"),
        ("transactions", "transaction", "updated_at", "updated_at"),
        ("credit_notes", "credit_note", "date", "updated_at"),
        ("quotes", "quote", "date", "updated_at"),
        ("coupons", "coupon", "created_at", "updated_at"),
        ("events", "event", "occurred_at", "occurred_at"),
        ("promotional_credits", "promotional_credit", "created_at", "created_at"),
        ("comments", "comment", "created_at", "created_at"),
        ("hosted_pages", "hosted_page", "updated_at", "updated_at"),
        ("item_families", "item_family", "updated_at", "updated_at"),
        ("differential_prices", "differential_price", "updated_at", "updated_at"),
        ("items/seat/attached_items", "attached_item", "updated_at", "updated_at"),
        ("site_migration_details", "site_migration_detail", "migrated_at", "updated_at"),
    ],
)
def test_airbytes_streams(cb: Stage, path: str, kind: str, sort: str, filter: str) -> None:
    sent = {
        "sort_by[asc]": sort,
        "include_deleted": "true",
        f"{filter}[between]": f"[{NOW - DAY}, {NOW + DAY}]",
    }
    rows = airbyte_rows(cb, path, kind, **sent)
    if kind in ("customer", "subscription", "invoice", "event", "item_family"):
        assert rows


def test_airbyte_skips_the_other_catalogue(cb: Stage) -> None:
    answer = cb.ask("plans", {"sort_by[asc]": "updated_at", "include_deleted": "true"})
    assert "This API operation is not enabled for this site" in answer.json()["message"]


def test_airbyte_reads_the_contacts_of_each_customer(cb: Stage) -> None:
    cb.post("customers/acme/add_contact", {"contact[email]": "k@example.com"})
    assert len(airbyte_rows(cb, "customers/acme/contacts", "contact")) == 1
    assert cb.ask("customers/gone/contacts", {"limit": 100}).status_code == 404


def test_estuarys_check_and_window(cb: Stage) -> None:
    site = cb.get("configurations")["configurations"]
    assert [one["product_catalog_version"] for one in site] == ["v2"]
    assert cb.ask("quotes", {"limit": 1}).status_code == 200
    cb.post("customers/acme", {"phone": "1"})
    window = {"limit": 100, "updated_at[between]": f"[{NOW},{NOW}]", "include_deleted": "true"}
    assert [row["customer"]["phone"] for row in cb.get("customers", window)["list"]] == ["1"]
    waiting = cb.get("subscriptions", {"limit": 100, "has_scheduled_changes[is]": "true"})
    assert waiting == {"list": []}


def test_a_hundred_thousand_records_are_served_in_pages() -> None:
    with stage() as cb:
        began = time.perf_counter()
        cb.stand_in.load(
            (
                "invoice",
                {
                    "id": str(at), "customer_id": f"c{at % 5000}", "status": "paid",
                    "date": NOW - at, "updated_at": NOW - (at * 7919) % 100_000,
                    "resource_version": (NOW - at) * 1000, "total": 100, "amount_paid": 100,
                    "amount_adjusted": 0, "credits_applied": 0, "amount_due": 0,
                    "deleted": False, "object": "invoice",
                },
            )
            for at in range(100_000)
        )  # fmt: skip
        loaded = time.perf_counter() - began
        asked = {"limit": 100, "sort_by[asc]": "updated_at"}
        seen = 0
        began = time.perf_counter()
        for _ in range(100):
            page = cb.get("invoices", asked)
            seen += len(page["list"])
            asked["offset"] = page["next_offset"]
        paged = time.perf_counter() - began
        began = time.perf_counter()
        for at in range(50):
            found = cb.rows("invoice", "invoices", {"customer_id[is]": f"c{at}", "limit": 100})
            assert len(found) == 20
            window = f"[{NOW - at * 100 - 99},{NOW - at * 100}]"
            assert len(cb.get("invoices", {"limit": 100, "updated_at[between]": window})["list"])
        narrow = time.perf_counter() - began
    assert seen == 10_000
    # Generous: a list that looks at all rows for each page would need minutes.
    assert loaded < 20
    assert paged < 10
    assert narrow < 10
