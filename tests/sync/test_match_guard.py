"""Keys are stable and safe; the guard says what is too much."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.entities import Customer
from tieout.core.errors import StopRun
from tieout.sync.guard import Limits, Reach, check, objections
from tieout.sync.match import claims_by_id, key_for, same_text


def test_a_key_is_the_same_for_ever() -> None:
    # sha256("invoice\0stripe\0in_1")[:10], worked out with sha256sum
    assert key_for("invoice", "stripe", "in_1", "ns").startswith("tieout-invoice-stripe-in_1-")
    assert key_for("invoice", "stripe", "in_1", "ns") == key_for("invoice", "stripe", "in_1", "ns")


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_keys_fit_every_external_id_field(first: str, second: str) -> None:
    key = key_for("credit_note", "stripe", first, "ns")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key)
    if first != second:
        assert key.casefold() != key_for("credit_note", "stripe", second, "ns").casefold()


def test_records_that_name_each_other_are_claimed() -> None:
    left = Customer(system="stripe", id="cus_1")
    ours = Customer(
        system="ns",
        id="7",
        external_ids={"tieout": key_for("customer", "stripe", "cus_1", "ns").upper()},
    )
    theirs = Customer(system="ns", id="8", external_ids={"stripe": "cus_1"})
    other = Customer(system="ns", id="9", external_ids={"stripe": "cus_2"})
    found = [claims_by_id(left, "customer", ("stripe",), each.id, each) for each in (ours, theirs)]
    assert [claim.reason for claim in found if claim] == ["our key", "ns holds the stripe id"]
    assert claims_by_id(left, "customer", ("stripe",), "9", other) is None


def test_two_empty_texts_are_not_the_same() -> None:
    assert same_text(" Ada@X.com", "ada@x.com")
    assert not same_text(None, None) and not same_text("", "")


LIMITS = Limits(max_writes=100, max_update_percent=20, max_archives=5)


@pytest.mark.parametrize(
    ("reach", "says"),
    [
        (Reach("ns", "customer", linked=1000, creates=101), "101 writes"),
        (Reach("ns", "customer", linked=1000, archives=6), "6 archivals"),
        (Reach("ns", "customer", linked=40, updates=11), "27 %"),
        (Reach("ns", "customer", linked=0, updates=11), "1100 %"),
    ],
)
def test_too_much_is_objected_to(reach: Reach, says: str) -> None:
    assert any(says in each for each in objections([reach], LIMITS))
    with pytest.raises(StopRun) as caught:
        check([reach], LIMITS, plan="p1", accepted=False)
    assert "tieout apply p1 --accept-large" in caught.value.hint
    check([reach], LIMITS, plan="p1", accepted=True)


def test_ordinary_plans_pass() -> None:
    few = [Reach("ns", "customer", linked=3, updates=3), Reach("ns", "invoice", 500, creates=90)]
    assert objections(few, LIMITS) == []
