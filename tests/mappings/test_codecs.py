"""The laws of codecs: parse(render(x)) == x, and rendering what was parsed keeps its meaning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.entities import Address
from tieout.core.errors import InvalidRecord
from tieout.core.money import EXPONENTS, exponent
from tieout.mappings import Context, Partly
from tieout.mappings.codec import CODECS, Codec
from tieout.mappings.countries import CODES, country_code, language_tag
from tieout.mappings.exponents import TABLES

DOCS = Path(__file__).parents[2] / "docs" / "mappings.md"
BERLIN = ZoneInfo("Europe/Berlin")
CONTEXT = Context("s", zone=BERLIN, lookups={"kinds": {"1": "A", "2": "B"}, "money": {"7": "usd"}})

words = st.text(min_size=1, max_size=20)
currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(-(10**15), 10**15)
instants = st.datetimes(datetime(1975, 1, 1), datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
days = st.dates(date(1975, 1, 1), date(2200, 1, 1))
numbers = st.decimals(-(10**9), 10**9, places=6).map(
    lambda number: format(number.normalize(), "f") if number else "0"
)
midnights = days.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=BERLIN))
parts = st.one_of(st.none(), words)
addresses = st.builds(
    Address,
    line1=words,
    line2=parts,
    city=parts,
    state=parts,
    postal_code=parts,
    country=st.one_of(st.none(), st.sampled_from(sorted(CODES))),
)

# codec, options, canonical values
LAWS: list[tuple[str, dict[str, Any], st.SearchStrategy[Any]]] = [
    ("text", {}, words),
    ("scalar", {}, st.one_of(words, st.integers(), st.booleans())),
    ("boolean", {}, st.booleans()),
    ("boolean", {"true": ["yes", "y"], "false": "no"}, st.booleans()),
    ("boolean_tf", {}, st.booleans()),
    ("integer", {}, st.integers(-(10**18), 10**18)),
    ("decimal", {}, numbers),
    ("decimal", {"as": "number"}, numbers),
    ("epoch", {}, instants),
    ("epoch", {"unit": "ms"}, instants),
    ("epoch_date", {}, days),
    ("epoch_date", {"timezone": "UTC"}, days),
    ("iso8601", {}, instants),
    ("date", {}, days),
    ("date", {"move_days": 1}, days),
    ("date", {"formats": "%d.%m.%Y"}, days),
    ("date_at_midnight", {}, midnights),
    ("date_at_midnight", {"move_days": 1}, midnights),
    ("enum", {"values": {"on": "active", "yes": "active", "off": "archived", "x": None}},
     st.sampled_from(["active", "archived"])),
    ("ref", {}, words),
    ("ref", {"key": ["internalId", "id"], "shape": "object"}, words),
    ("lookup", {"table": "kinds"}, st.sampled_from(["A", "B"])),
    ("country", {}, st.sampled_from(sorted(CODES))),
    ("language", {}, st.sampled_from(["de", "en-US", "zh-Hant-TW", "sr-Latn"])),
    ("currency", {}, currencies),
    ("currency", {"case": "lower"}, currencies),
    ("currency", {"table": "money"}, st.just("USD")),
    ("address", {}, addresses),
    ("address", {"parts": {"line1": "addr.one", "country": "land", "line2": ["l2", "l3"]}},
     addresses),
]  # fmt: skip


def codec(name: str, **options: Any) -> Codec:
    return CODECS[name]({key.rstrip("_"): value for key, value in options.items()}, CONTEXT)


@pytest.mark.parametrize(("name", "options", "canonical"), LAWS, ids=lambda value: str(value)[:30])
@given(data=st.data())
def test_what_was_rendered_reads_back(
    name: str, options: dict[str, Any], canonical: Any, data: st.DataObject
) -> None:
    under_test = CODECS[name](options, CONTEXT)
    value = data.draw(canonical)
    assert under_test.parse(under_test.render(value, None), None) == value


@pytest.mark.parametrize("table", sorted(TABLES))
@given(minor=minors, currency=currencies, negate=st.booleans())
def test_amounts_in_minor_units_go_there_and_back_or_are_refused(
    table: str, minor: int, currency: str, negate: bool
) -> None:
    under_test = codec("money_minor", exponents=table, negate=negate)
    try:
        sent = under_test.render(minor, currency)
    except InvalidRecord:
        assert exponent(currency) > TABLES[table](currency)  # finer than the provider can say
        return
    assert type(sent) is int
    assert under_test.parse(sent, currency) == minor


@given(minor=minors, currency=currencies, form=st.sampled_from(["number", "text"]))
def test_amounts_in_major_units_go_there_and_back(minor: int, currency: str, form: str) -> None:
    under_test = codec("money_decimal", as_=form)
    sent = under_test.render(minor, currency)
    assert type(sent) is (Decimal if form == "number" else str)
    assert under_test.parse(sent, currency) == minor


@given(amount=numbers, currency=currencies)
def test_unit_prices_go_there_and_back(amount: str, currency: str) -> None:
    under_test = codec("unit_minor", exponents="stripe")
    assert under_test.parse(under_test.render(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("name", "options", "theirs", "currency", "ours"),
    [
        # Stripe sends ISK and UGX as if they had two places, MGA without any (ISO: 2).
        ("money_minor", {"exponents": "stripe"}, 500, "ISK", 5),
        ("money_minor", {"exponents": "stripe"}, 100, "UGX", 1),
        ("money_minor", {"exponents": "stripe"}, 7, "MGA", 700),
        ("money_minor", {"exponents": "stripe"}, 500, "JPY", 500),
        ("money_minor", {"exponents": "stripe"}, 1230, "BHD", 1230),
        ("money_minor", {"exponents": "stripe"}, 12300, "HUF", 12300),
        ("money_minor", {"exponents": "hundredths"}, 50000, "JPY", 500),
        ("money_minor", {"exponents": "hundredths"}, 123, "BHD", 1230),
        ("money_minor", {"negate": True}, -250, "EUR", 250),
        ("money_minor", {}, 0, None, 0),
        ("money_minor", {}, Decimal("12"), "EUR", 12),
        ("money_decimal", {}, "1234.50", "USD", 123450),
        ("money_decimal", {}, Decimal("1.234"), "KWD", 1234),
        ("money_decimal", {}, 12, "JPY", 12),
        ("money_decimal", {"negate": True}, "-0.01", "EUR", 1),
        ("money_decimal", {}, "", "EUR", None),
        ("unit_minor", {"exponents": "stripe"}, "1.25", "usd".upper(), "0.0125"),
        ("unit_minor", {"exponents": "stripe"}, "500", "ISK", "5"),
        ("unit_minor", {"exponents": "stripe"}, "0.000000000001", "USD", "0.00000000000001"),
        ("decimal", {}, "3.10", None, "3.1"),
        ("decimal", {}, Decimal("1E+3"), None, "1000"),
        ("integer", {}, "12", None, 12),
        ("integer", {}, Decimal("12.0"), None, 12),
        ("text", {}, "", None, None),
        ("text", {}, 12, None, "12"),
        ("ref", {}, {"id": "cus_1", "name": "x"}, None, "cus_1"),
        ("ref", {}, 5, None, "5"),
        ("boolean_tf", {}, "F", None, False),
        ("epoch", {}, 0, None, datetime(1970, 1, 1, tzinfo=UTC)),
        ("epoch", {"unit": "ms"}, 1500, None, datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=UTC)),
        # 23:30 UTC is the next day in Berlin
        ("epoch_date", {}, 1767223800, None, date(2026, 1, 1)),
        ("epoch_date", {"timezone": "UTC"}, 1767223800, None, date(2025, 12, 31)),
        ("iso8601", {}, "2026-07-01T12:00:00.000+0200", None,
         datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("iso8601", {}, "2026-07-01 12:00:00", None, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("iso8601", {"formats": ["%m/%d/%Y %H:%M"]}, "7/1/2026 12:00", None,
         datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("date", {}, "2026-06-30T23:00:00Z", None, date(2026, 7, 1)),
        ("date", {"move_days": 1}, "2026-12-31", None, date(2027, 1, 1)),
        ("date_at_midnight", {}, "2026-07-01", None, datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("lookup", {"table": "kinds"}, {"id": 2}, None, "B"),
        ("currency", {}, "eur", None, "EUR"),
        ("currency", {"table": "money"}, {"id": "7", "refName": "x"}, None, "USD"),
        ("country", {}, "Germany", None, "DE"),
        ("language", {}, "en_us", None, "en-US"),
    ],
)  # fmt: skip
def test_values_that_were_worked_out_by_hand(
    name: str, options: dict[str, Any], theirs: Any, currency: str | None, ours: Any
) -> None:
    assert CODECS[name](options, CONTEXT).parse(theirs, currency) == ours


@pytest.mark.parametrize(
    ("name", "options", "theirs", "currency"),
    [
        ("money_minor", {"exponents": "stripe"}, 550, "ISK"),  # 5.50 kronur do not exist
        ("money_minor", {"exponents": "hundredths"}, 55, "JPY"),
        ("money_minor", {}, "10", "USD"),
        ("money_minor", {}, 1.0, "USD"),
        ("money_minor", {}, True, "USD"),
        ("money_minor", {}, 5, None),
        ("money_minor", {}, 5, "XYZ"),
        ("money_decimal", {}, "1.005", "USD"),
        ("money_decimal", {}, 1.5, "USD"),
        ("money_decimal", {}, "1,50", "USD"),
        ("money_decimal", {}, "NaN", "USD"),
        ("money_decimal", {"round": "half_even"}, "1E+999999", "USD"),
        ("unit_minor", {}, "1E-400", "USD"),
        ("integer", {}, "1.5", None),
        ("integer", {}, Decimal("1E+400"), None),
        ("boolean", {}, "true", None),
        ("boolean", {}, 1, None),
        ("epoch", {}, 10**20, None),
        ("epoch", {}, "soon", None),
        ("epoch_date", {}, 10**20, None),
        ("iso8601", {}, "yesterday", None),
        ("iso8601", {}, 5, None),
        ("date", {}, "2026-02-30", None),
        ("enum", {"values": {"a": "b"}}, "c", None),
        ("enum", {"values": {"a": "b"}}, ["a"], None),
        ("ref", {}, True, None),
        ("lookup", {"table": "kinds"}, "3", None),
        ("currency", {}, 1.5, None),
        ("address", {}, "nowhere 1", None),
        ("address", {}, {"line1": 5}, None),
    ],
)
def test_what_is_not_exact_or_not_documented_is_refused(
    name: str, options: dict[str, Any], theirs: Any, currency: str | None
) -> None:
    with pytest.raises(InvalidRecord):
        CODECS[name](options, CONTEXT).parse(theirs, currency)


def test_rounding_has_to_be_asked_for_and_leaves_a_trace() -> None:
    found = codec("money_decimal", round="half_even").parse("10.005", "USD")
    assert isinstance(found, Partly)
    assert (found.value, found.left) == (1000, {"unrounded": "10.005"})
    assert codec("money_decimal", round="half_even").parse("10.01", "USD") == 1001


def test_what_has_no_counterpart_is_not_rendered() -> None:
    for name, options, value in (
        ("enum", {"values": {"a": "b"}}, "c"),
        ("lookup", {"table": "kinds"}, "C"),
        ("currency", {"table": "money"}, "EUR"),
        ("money_minor", {"exponents": "stripe"}, 150),
    ):
        with pytest.raises(InvalidRecord):
            CODECS[name](options, CONTEXT).render(value, "MGA")  # 1.50 MGA: Stripe has no cents


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"), ("us", "US"), ("USA", "US"), ("United States", "US"),
        ("_unitedStates", "US"), ("Côte d’Ivoire", "CI"), ("Cote d'Ivoire", "CI"),
        ("UNITED KINGDOM", "GB"), ("UK", "GB"), ("Czechia", "CZ"), ("Türkiye", "TR"),
        ("Bosnia & Herzegovina", "BA"), ("Bosnia and Herzegovina", "BA"), ("DEU", "DE"),
        ("Narnia", None), ("ZZ", None), ("EU", None),
    ],
)  # fmt: skip
def test_countries_by_code_or_english_name(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_languages_by_tag_only() -> None:
    assert language_tag("PT_br") == "pt-BR"
    assert language_tag("zh-hant-tw") == "zh-Hant-TW"
    assert language_tag("English") is None
    assert language_tag("qq") is None


def test_an_address_of_nothing_is_null_and_an_unknown_country_is_kept() -> None:
    assert codec("address").parse({"line1": "", "city": None, "country": None}, None) is None
    found = codec("address").parse({"line1": "Lamp post", "country": "Narnia"}, None)
    assert isinstance(found, Partly)
    assert (found.value, found.left) == (Address(line1="Lamp post"), {"country": "Narnia"})
    alone = codec("address").parse({"country": "Narnia"}, None)
    assert isinstance(alone, Partly) and alone.value is None


def test_midnight_follows_the_clock_change() -> None:
    summer, winter = (codec("date_at_midnight").parse(day, None) for day in
                      ("2026-03-30", "2026-03-29"))  # fmt: skip
    assert summer - winter == timedelta(hours=23)


def test_every_codec_and_each_of_its_options_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, kind in CODECS.items():
        assert f"### {name}\n" in text, f"docs/mappings.md has no section on {name}"
        section = text.split(f"### {name}\n")[1].split("\n#")[0]
        for option in kind.options:
            assert f"`{option}" in section, f"docs/mappings.md: {name} lacks {option}"
        assert "{" in section, f"docs/mappings.md: {name} has no example"
