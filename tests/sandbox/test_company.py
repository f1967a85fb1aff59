"""The company ties out to the cent, except where it was made wrong on purpose."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from company_books import AMOUNT, Found, NetSuite, differences, read_stripe

from tieout.sandbox.company import Company, build_company

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SIZES = [(1, 1), (2, 5), (3, 37), (1, 120), (7, 120)]


@cache
def company(seed: int = 1, size: int = 120) -> Company:
    return build_company(seed=seed, size=size, now=NOW)


def as_bytes(one: Company) -> bytes:
    return json.dumps(
        [one.stripe, one.netsuite, [vars(planted) for planted in one.planted]], default=str
    ).encode()


def read_both(one: Company) -> tuple[Any, Any]:
    stripe = read_stripe(one.stripe)
    emails: dict[str | None, str] = {}
    for id, values in stripe["customer"].items():
        assert values["email"] not in emails or values["email"] is None, "e-mails are unique"
        emails[values["email"]] = id
    return stripe, NetSuite(one.netsuite, emails).rows()


def test_the_same_seed_gives_the_same_bytes() -> None:
    again = build_company(seed=1, size=30, now=NOW)
    assert as_bytes(again) == as_bytes(build_company(seed=1, size=30, now=NOW))
    assert as_bytes(again) != as_bytes(build_company(seed=2, size=30, now=NOW))


@pytest.mark.parametrize(("seed", "size"), SIZES)
def test_exactly_the_planted_differences_are_found(seed: int, size: int) -> None:
    one = company(seed, size)
    stripe, rows = read_both(one)
    found = differences(stripe, rows, not_yet=one.recent, settling=one.settling)
    planted = [
        Found(
            kind=p.kind,
            entity=p.entity,
            left=p.left_id,
            right=p.right_id,
            fields=frozenset(p.fields),
            effects=tuple(sorted(p.effects().items())),
        )
        for p in one.planted
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, planted))


@pytest.mark.parametrize(("seed", "size"), SIZES)
def test_control_totals_differ_by_the_planted_effects_and_what_is_recent(
    seed: int, size: int
) -> None:
    one = company(seed, size)
    stripe, rows = read_both(one)
    for entity, field in AMOUNT.items():
        if field is None:
            continue
        gap: Counter[str] = Counter()
        for id, values in stripe[entity].items():
            gap[values["currency"]] += 0 if id in one.recent else values[field]
        for _, _, values in rows[entity]:
            gap[values["currency"]] -= values[field]
        for planted in one.planted:
            if planted.entity == entity:
                gap.subtract(planted.effects())
        assert not any(gap.values()), (entity, gap)


def test_a_thousand_customers_tie_out_as_well() -> None:
    one = build_company(seed=3, size=1_000, now=NOW)
    stripe, rows = read_both(one)
    found = differences(stripe, rows, not_yet=one.recent, settling=one.settling)
    assert len(found) == len(one.planted) > 80
    assert {(f.left, f.right) for f in found} == {(p.left_id, p.right_id) for p in one.planted}


def test_a_full_company_has_every_kind_of_mistake() -> None:
    one = company()
    kinds = Counter((p.entity, p.kind) for p in one.planted)
    assert len(one.planted) >= 40
    assert kinds == {
        ("customer", "differs"): 5,
        ("invoice", "differs"): 4 + 3 + 2 + 2 + 1,
        ("invoice", "missing"): 3,
        ("invoice", "extra"): 3,
        ("invoice", "duplicate"): 2,
        ("payment", "missing"): 3,
        ("payment", "differs"): 2 + 2 + 1,
        ("payment", "duplicate"): 1,
        ("credit_note", "differs"): 2,
        ("credit_note", "missing"): 1,
        ("credit_note", "extra"): 1,
        ("refund", "missing"): 2,
        ("refund", "differs"): 1,
        ("payout", "differs"): 2,
        ("payout", "missing"): 1,
    }


def test_no_document_is_spoilt_twice_and_nothing_recent_at_all() -> None:
    one = company()
    ids = [id for p in one.planted for id in (p.left_id, p.right_id) if id is not None]
    assert len(ids) == len(set(ids))
    assert not one.recent.intersection(ids)
    assert not one.settling.intersection(ids)


def test_five_to_eight_percent_are_recent_of_several_kinds() -> None:
    one = company()
    stripe, rows = read_both(one)
    there = {stripe_id for listed in rows.values() for _, stripe_id, _ in listed}
    assert not one.recent & there
    kinds = {entity: len(one.recent & records.keys()) for entity, records in stripe.items()}
    documents = sum(len(stripe[entity]) for entity in kinds if entity not in ("product", "payout"))
    assert kinds["payout"] == 0
    assert all(kinds[entity] for entity in kinds if entity != "payout"), kinds
    assert len(one.recent) >= 20
    assert 0.05 <= len(one.recent) / documents <= 0.08


def test_recent_invoices_come_with_and_without_tax_on_creatable_customers() -> None:
    one = company()
    invoices = [item for type, item in one.stripe if type == "invoice" and item["id"] in one.recent]
    taxed = [bool(sum(tax["amount"] for tax in item["total_taxes"])) for item in invoices]
    assert any(taxed) and not all(taxed)
    assert all(item["status"] in ("open", "paid") for item in invoices)
    assert not any(item["starting_balance"] for item in invoices)
    _, rows = read_both(one)
    linked = {stripe_id for _, stripe_id, _ in rows["customer"]}
    assert {item["customer"] for item in invoices} <= linked | one.recent


def test_settling_invoices_agree_once_the_recent_documents_are_there() -> None:
    settling = 0
    for seed in (1, 7, 11):
        one = company(seed)
        stripe, rows = read_both(one)
        later: Counter[str] = Counter()
        for id in one.recent & stripe["payment"].keys():
            later.update(stripe["payment"][id]["allocations"])
        for type, item in one.stripe:
            if type == "credit_note" and item["id"] in one.recent:
                later[item["invoice"]] += item["pre_payment_amount"]
        for _, stripe_id, values in rows["invoice"]:
            if stripe_id in one.settling:
                settling += 1
                left = stripe["invoice"][stripe_id]["balance_minor"]
                assert values["balance_minor"] - later[stripe_id] == left
    assert settling


def test_some_customers_are_found_by_their_email_only() -> None:
    one = company()
    unnamed = [
        record
        for type, record in one.netsuite
        if type == "customer" and "custentity_stripe_id" not in record
    ]
    assert 2 <= len(unnamed) <= 10
    assert all(record["email"] for record in unnamed)


def test_a_larger_company_begins_with_the_smaller_one() -> None:
    small = {item["id"] for type, item in company(1, 37).stripe if type == "invoice"}
    large = {item["id"] for type, item in company(1, 120).stripe if type == "invoice"}
    assert small <= large


def test_the_time_of_day_and_of_year_does_not_matter() -> None:
    for now in (
        datetime(2028, 2, 29, 0, 0, 30, tzinfo=UTC),
        datetime(2026, 1, 1, 23, 59, tzinfo=UTC),
        datetime(2026, 3, 31, 12, tzinfo=UTC) + timedelta(microseconds=5),
    ):
        one = build_company(seed=4, size=30, now=now)
        stripe, rows = read_both(one)
        found = differences(stripe, rows, not_yet=one.recent, settling=one.settling)
        assert len(found) == len(one.planted)


def test_a_naive_now_or_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build_company(now=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="at least one"):
        build_company(size=0, now=NOW)


def test_money_in_netsuite_is_decimal_and_nothing_is_a_float() -> None:
    def walk(value: Any) -> None:
        assert not isinstance(value, float)
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list):
                walk(inner)
            else:
                assert not isinstance(inner, float)

    one = company()
    for _, item in [*one.stripe, *one.netsuite]:
        walk(item)
    totals = [record["total"] for type, record in one.netsuite if type == "invoice"]
    assert all(isinstance(total, Decimal) for total in totals)
