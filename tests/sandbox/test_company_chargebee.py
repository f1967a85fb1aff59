"""The company's Chargebee side obeys Chargebee's arithmetic, links and shapes."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from chargebee_session import balanced_invoice, balanced_note
from company_books import by_type

from tieout.sandbox.chargebee import ChargebeeStandIn
from tieout.sandbox.chargebee.kinds import KINDS
from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.company import Company, build_company, chargebee_side
from tieout.sandbox.company.billing import Ledger
from tieout.sandbox.company.facts import Bill, Span

Object = dict[str, Any]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECOND = int(NOW.timestamp())
DIGEST = (
    Path(__file__).parents[3]
    / "shared/providers/chargebee/openapi/chargebee-objects-digest-v2.json.gz"
)
# Not in the client's type hints, but in the samples of a test site.
UNLISTED = {"object", "base_currency_code", "exchange_rate"}


@cache
def company() -> Company:
    return build_company(seed=1, size=160, now=NOW, billers=("chargebee",))


def ledgers() -> list[Ledger]:
    return company().ledgers


@cache
def drawn() -> list[tuple[str, Object]]:
    one = company()
    span = Span(SECOND - 730 * 86_400, SECOND, SECOND - 14 * 86_400)
    return chargebee_side.draw(one.seed, one.catalog, one.ledgers, span)


@cache
def objects() -> dict[str, list[Object]]:
    return by_type(drawn())


def minor(bill: Bill, amount: int) -> int:
    """Chargebee's amount in the currency's own minor units: a dinar has three decimals there."""
    return amount * 10 if bill.currency.code == "BHD" else amount


def test_the_same_seed_draws_the_same_side() -> None:
    again = build_company(seed=1, size=160, now=NOW, billers=("chargebee",))
    span = Span(SECOND - 730 * 86_400, SECOND, SECOND - 14 * 86_400)
    assert chargebee_side.draw(1, again.catalog, again.ledgers, span) == drawn()


def test_every_document_adds_up() -> None:
    assert all(map(balanced_invoice, objects()["invoice"]))
    assert all(map(balanced_note, objects()["credit_note"]))
    for one in [*objects()["invoice"], *objects()["credit_note"]]:
        lines = one["line_items"]
        off = sum(part["amount"] for part in one.get("discounts", []))
        assert one["sub_total"] == sum(line["amount"] for line in lines)
        tax = sum(line["tax_amount"] for line in lines)
        assert one.get("tax", tax) == tax == sum(part["amount"] for part in one.get("taxes", []))
        assert one["total"] == one["sub_total"] - off + tax, one["id"]
        assert off == sum(line["discount_amount"] for line in lines)
        parts = one.get("line_item_discounts", [])
        assert off == sum(part["discount_amount"] for part in parts)
        taxed = one.get("line_item_taxes", [])
        assert tax == sum(part["tax_amount"] for part in taxed)
        assert all(line["amount"] >= 0 for line in lines)


def test_the_amounts_are_those_of_the_facts() -> None:
    shown = {one["id"]: one for one in objects()["invoice"]}
    bills = [bill for ledger in ledgers() for bill in ledger.bills]
    assert len(shown) == len(bills)
    for bill in bills:
        one = shown[bill.id]
        assert minor(bill, one["total"]) == bill.total
        if bill.finalized is not None:
            assert minor(bill, one["amount_due"]) == bill.remaining(SECOND)
            assert minor(bill, one["amount_paid"]) == bill.amount_paid(SECOND)
        assert one["currency_code"] == bill.currency.code
    assert {one["currency_code"] for one in shown.values()} == {"USD", "EUR", "JPY", "BHD"}


def test_status_follows_the_money() -> None:
    seen: Counter[str] = Counter()
    for one in objects()["invoice"]:
        seen[one["status"]] += 1
        assert (one["status"] == "paid") == (one["amount_due"] == 0 and "paid_at" in one)
        assert (one["status"] == "voided") == ("voided_at" in one)
        assert (one["status"] == "pending") == one["id"].startswith("draft_")
        if one["status"] == "posted":
            assert one["due_date"] > SECOND
    assert seen.keys() == {"paid", "posted", "payment_due", "not_paid", "voided", "pending"}
    statuses = {one["status"] for one in objects()["subscription"]}
    assert statuses == {"active", "cancelled", "non_renewing", "in_trial"}


def test_links_lead_both_ways() -> None:
    transactions = {one["id"]: one for one in objects()["transaction"]}
    notes = {one["id"]: one for one in objects()["credit_note"]}
    customers = {one["id"] for one in objects()["customer"]}
    prices = {one["id"] for one in objects()["item_price"]}
    for one in objects()["invoice"]:
        assert one["customer_id"] in customers
        paid = 0
        for link in one["linked_payments"]:
            payment = transactions[link["txn_id"]]
            assert payment["status"] == link["txn_status"]
            assert payment["linked_invoices"][0]["invoice_id"] == one["id"]
            paid += link["applied_amount"] if link["txn_status"] == "success" else 0
        assert paid == one["amount_paid"]
        adjusted = sum(link["cn_total"] for link in one["adjustment_credit_notes"])
        assert adjusted == one["amount_adjusted"]
        for link in [*one["adjustment_credit_notes"], *one["issued_credit_notes"]]:
            assert notes[link["cn_id"]]["reference_invoice_id"] == one["id"]
        for line in one["line_items"]:
            assert line["entity_id"] in prices
    for note in notes.values():
        for link in note["linked_refunds"]:
            back = transactions[link["txn_id"]]
            source = transactions[back["refunded_txn_id"]]
            assert source["linked_refunds"][0]["txn_id"] == back["id"]
            assert back["linked_credit_notes"][0]["cn_id"] == note["id"]
    kinds = Counter((one["type"], one["status"]) for one in transactions.values())
    assert kinds.keys() == {
        ("payment", "success"),
        ("payment", "failure"),
        ("refund", "success"),
    }


def test_subscriptions_have_one_plan_and_earn_what_they_say() -> None:
    prices = {one["id"]: one for one in objects()["item_price"]}
    for one in objects()["subscription"]:
        parts = one["subscription_items"]
        assert sum(1 for part in parts if part["item_type"] == "plan") == 1
        months = 12 if one["billing_period_unit"] == "year" else 1
        yearly = sum(part["amount"] for part in parts)
        earns = one["status"] in ("active", "non_renewing")
        assert abs(one["mrr"] * months - yearly * earns) < months
        for part in parts:
            assert part["unit_price"] == prices[part["item_price_id"]]["price"]
        if one["status"] == "non_renewing":
            assert one["cancelled_at"] > SECOND


def test_ids_are_unique_and_times_lie_in_the_past() -> None:
    for kind, items in objects().items():
        if kind != "card":
            assert max(Counter(one["id"] for one in items).values()) == 1, kind
        for one in items:
            assert one.get("updated_at", 0) <= SECOND
    order = [one["occurred_at"] for one in objects()["event"]]
    assert order == sorted(order)
    assert {one["event_type"] for one in objects()["event"]} >= {
        "customer_created", "invoice_generated", "payment_succeeded", "payment_failed",
        "credit_note_created",
    }  # fmt: skip


@pytest.mark.skipif(not DIGEST.exists(), reason="the digest of Chargebee's API is not at hand")
def test_objects_have_only_documented_fields() -> None:
    documented = json.loads(gzip.decompress(DIGEST.read_bytes()))["responses"]
    for kind, items in objects().items():
        if kind not in documented:
            continue
        name = "".join(word.title() for word in kind.split("_")) + "Response"
        fields = set(documented[kind][name]) | UNLISTED
        for one in items:
            extra = {field for field in one if not field.startswith("cf_")} - fields
            assert not extra, (kind, extra)


def test_the_stand_in_takes_it_over_and_goes_on() -> None:
    stand_in = ChargebeeStandIn(SandboxClock(NOW))
    stand_in.load(drawn())
    assert {kind for kind, _ in drawn()} <= KINDS.keys()
    counts = {kind: len(items) for kind, items in objects().items()}
    for kind in ("customer", "invoice", "transaction", "subscription", "item_price"):
        assert len(stand_in.site.shelf(kind)) == counts[kind]
