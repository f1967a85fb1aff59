"""Money is exact or refused, for every currency."""

from __future__ import annotations

from decimal import Decimal

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.errors import InvalidRecord
from tieout.core.money import EXPONENTS, from_minor, plain, show, to_decimal, to_minor


def test_the_exponents_are_those_of_iso_4217() -> None:
    official = {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None}
    ours = {code: places for code, places in EXPONENTS.items() if code in official}
    assert ours == {code: official[code] for code in ours}
    missing = official.keys() - EXPONENTS.keys() - {"XAD"}  # a unit of account, not money
    assert not missing


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.30", "USD", 1230),
        ("12.3", "USD", 1230),
        (Decimal("-0.01"), "EUR", -1),
        (5, "JPY", 5),
        ("5.000", "JPY", 5),
        ("1.234", "BHD", 1234),
        ("0.0001", "CLF", 1),
        ("1e3", "USD", 100000),
        ("-0.00", "USD", 0),
        ("90071992547409.93", "USD", 2**53 + 1),
        ("92233720368547758.08", "USD", 2**63),
    ],
)
def test_major_units_become_minor_units(amount: object, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("12.345", "USD"),
        ("0.5", "JPY"),
        ("1.2345", "BHD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1,5", "USD"),
        ("", "USD"),
        (1.5, "USD"),
        (True, "USD"),
        (None, "USD"),
        ("1e999999", "USD"),
        ("1", "XXZ"),
        ("1", "usd"),
    ],
)
def test_what_is_not_exact_is_refused(amount: object, currency: str) -> None:
    with pytest.raises(InvalidRecord):
        to_minor(amount, currency)


@given(st.integers(-(2**70), 2**70), st.sampled_from(sorted(EXPONENTS)))
def test_there_and_back(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_plain_keeps_the_value_and_has_one_spelling(number: Decimal) -> None:
    text = plain(number)
    assert Decimal(text) == number
    assert "e" not in text.lower()
    assert "." not in text or not text.endswith(("0", "."))
    assert plain(to_decimal(text)) == text


def test_shown_with_thousands_and_the_currency_places() -> None:
    assert show(-1234567, "USD") == "-12,345.67 USD"
    assert show(1234567, "JPY") == "1,234,567 JPY"
    assert show(5, "BHD") == "0.005 BHD"
