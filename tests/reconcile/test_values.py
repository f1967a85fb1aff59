"""Comparing, explaining and weighing values: tables worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from books_world import NOW, rule

from tieout.core.errors import ConfigError
from tieout.reconcile.breaks import Break, Difference, Life, by_weight, severity_of
from tieout.reconcile.compare import Applied, Pair, Reference, Side, alike, judge
from tieout.reconcile.explain import shifted, transposed
from tieout.reconcile.rules import Comparison, FlowRule, usual

KNOWN, OTHER = Reference("c1", "link-1", "x1"), Reference("x2", "link-2", "c2")
LONELY, LONELIER = Reference("c3", "link-3", None), Reference("x4", None, None)


@pytest.mark.parametrize(
    ("how", "left", "right", "agree"),
    [
        (Comparison(), "a", "a", True),
        (Comparison(), "a", "A", False),
        (Comparison(), None, None, True),
        (Comparison(), None, "", False),
        (Comparison(same=(("open", "uncollectible"),)), "uncollectible", "open", True),
        (Comparison("text"), "  Ada   LTD", "ada ltd", True),
        (Comparison("text"), "Straße", "STRASSE", True),
        (Comparison("text"), "ada", "bob", False),
        (Comparison("money"), None, 0, True),
        (Comparison("money"), 100, 101, False),
        (Comparison("money", tolerance_minor=1), 100, 101, True),
        (Comparison("money", tolerance_minor=1), 100, 102, False),
        (Comparison("date"), "2026-01-31", "2026-01-31T23:00:00Z", True),
        (Comparison("date"), "2026-01-31", "2026-02-01", False),
        (Comparison("date", tolerance_days=3), "2026-01-30", "2026-02-02", True),
        (Comparison("date", tolerance_days=3), "2026-01-30", "2026-02-03", False),
        (Comparison("reference"), KNOWN, Reference("x1", "link-1", "c1"), True),
        (Comparison("reference"), KNOWN, OTHER, False),
        (Comparison("reference"), LONELY, LONELIER, True),
        (Comparison("reference"), KNOWN, LONELIER, False),
        (Comparison("reference"), KNOWN, Reference(None), False),
        (Comparison("reference"), Reference(None), Reference(None), True),
    ],
)
def test_comparisons(how: Comparison, left: Any, right: Any, agree: bool) -> None:
    assert alike(how, left, right, void=(False, False)) is agree
    assert alike(how, right, left, void=(False, False)) is agree


def test_a_void_document_is_worth_nothing() -> None:
    assert alike(Comparison("money"), 500, 0, void=(True, False))
    assert not alike(Comparison("money"), 500, 500, void=(True, False))


def test_allocations_to_unknown_invoices_are_left_out() -> None:
    both = Applied(Reference("i1", "L1", "r1"), 60)
    here = (both, Applied(Reference("i2", "L2", None), 40))
    there = (Applied(Reference("r1", "L1", "i1"), 60),)
    assert alike(Comparison("allocations"), here, there, void=(False, False))
    less = (Applied(Reference("r1", "L1", "i1"), 59),)
    assert not alike(Comparison("allocations"), here, less, void=(False, False))


@pytest.mark.parametrize(
    ("here", "there", "yes"),
    [(54_000, 45_000, True), (1_234, 1_243, True), (1_234, 1_324, True), (1_234, 4_231, False),
     (100, 1, False), (10, 1, True), (90, 9, True), (-54, -45, False), (7, 7, False)],
)  # fmt: skip
def test_transposed_digits(here: int, there: int, yes: bool) -> None:
    assert transposed(here, there) is yes


@pytest.mark.parametrize(
    ("here", "there", "yes"),
    [(1_250, 125, True), (125, 125_000, True), (125, 1_251, False), (0, 0, False)],
)
def test_shifted_decimal_points(here: int, there: int, yes: bool) -> None:
    assert shifted(here, there) is yes


def side(id: str, minor: int, **told: Any) -> Side:
    values = {"number": "N", "customer_id": Reference(None), "currency": "USD",
              "issued_on": "2026-01-15", "total_minor": minor, "balance_minor": 0,
              "status": "paid"}  # fmt: skip
    context = {"status": "paid", "keyed": True} | told.pop("context", {})
    values |= told.pop("values", {})
    return Side(id=id, counts=True, currency=values["currency"], amount_minor=minor,
                values=values, context=context, **told)  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "cause"),
    [
        (side("l", 10_000, context={"fee_minor": 320}), side("r", 9_680), "bank fee"),
        (side("l", 10_000, context={"refunded_minor": 2_500}), side("r", 7_500), "partial refund"),
        (side("l", 10_800, context={"tax_minor": 800}), side("r", 10_000), "tax is missing"),
        (side("l", 5_000), side("r", -5_000), "opposite sign"),
        (side("l", 5_001), side("r", 5_000), "rounding"),
        (side("l", 5), side("r", 5, values={"issued_on": "2026-02-01"}), "timing across month end"),
        (side("l", 5), side("r", 5, values={"issued_on": "2026-01-16"}), "another day"),
        (side("l", 5), side("r", 5, values={"status": "open"}), "its payment is not applied"),
        (side("l", 5), side("r", 5, values={"number": "n"}), "spelt differently"),
        (side("l", 5), side("r", 5, values={"number": None}), "left empty"),
        (side("l", 5), side("r", 5, values={"number": "X"}), "edited on one side"),
        (side("l", 5), side("r", 5, values={"balance_minor": 5}), "not applied in netsuite"),
    ],
)
def test_likely_causes(left: Side, right: Side, cause: str) -> None:
    found = judge(Pair("link", left, right), rule(), NOW).found
    assert found is not None and cause in found.cause


@pytest.mark.parametrize(
    ("kind", "currency", "minor", "severity"),
    [
        ("missing", "USD", 1_000_000, "critical"),  # 10,000.00
        ("missing", "USD", 999_999, "high"),
        ("missing", "JPY", 10_000, "medium"),  # some 65 dollars, not ten thousand
        ("missing", "BHD", 3_000_000, "critical"),  # 3,000.000 dinars
        ("differs", "USD", 1, "low"),
        ("differs", None, 0, "low"),
        ("duplicate", None, 0, "medium"),
    ],
)
def test_severity(kind: Any, currency: str | None, minor: int, severity: str) -> None:
    assert severity_of(kind, currency, minor) == severity


def a_break(**changes: Any) -> Break:
    told: dict[str, Any] = {
        "flow": "f", "kind": "missing", "entity": "invoice", "left_system": "a",
        "right_system": "b", "left_id": "1", "right_id": None,
    }  # fmt: skip
    return Break(**(told | changes))


def test_a_fingerprint_is_of_the_records_and_the_kind_alone() -> None:
    one = a_break()
    later = a_break(
        effect_minor=9, cause="x", severity="high", differences=(Difference("n", 1, 2),)
    )
    assert one.fingerprint == later.fingerprint
    others = [a_break(left_id="2"), a_break(right_id="1"), a_break(kind="extra"), a_break(flow="g"),
              a_break(entity="payment"), a_break(left_id=None, right_id="1")]  # fmt: skip
    assert len({one.fingerprint, *(each.fingerprint for each in others)}) == 7


def test_the_gravest_come_first_whatever_the_currency() -> None:
    yen = a_break(currency="JPY", stake_minor=50_000, severity="medium")
    dollars = a_break(currency="USD", stake_minor=90_000, severity="medium", left_id="2")
    grave = a_break(currency="USD", stake_minor=1, severity="critical", left_id="3")
    assert sorted([yen, dollars, grave], key=by_weight) == [grave, dollars, yen]


def test_ages_are_whole_days() -> None:
    life = Life("open", datetime(2026, 1, 1, 9, tzinfo=UTC), NOW)
    assert life.age_days(datetime(2026, 1, 4, 8, tzinfo=UTC)) == 2
    assert life.age_days(life.first_seen - timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entity": "bill"}, "no entity 'bill'"),
        ({"fields": {"totl": Comparison()}}, "no field 'totl'"),
        ({"amount": "x"}, "no field 'x'"),
        ({"left_where": {'custom.a"b': ("x",)}}, "no field"),
    ],
)
def test_rules_refuse_what_the_model_lacks(changes: dict[str, Any], message: str) -> None:
    told: dict[str, Any] = {"name": "f", "entity": "invoice", "left": "a", "right": "b"}
    with pytest.raises(ConfigError, match=message):
        FlowRule(**(told | changes))


def test_fields_are_compared_as_their_names_say() -> None:
    kinds = {
        "customer_id": "reference", "allocations": "allocations", "total_minor": "money",
        "received_on": "date", "email": "text", "number": "exact", "custom.day_on": "exact",
    }  # fmt: skip
    assert {name: usual("invoice", name).kind for name in kinds} == kinds
