"""Stripe's subscription schedules as contracts and its metered usage; reckoned by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

Raw = dict[str, Any]
MAPPING = load_mapping("stripe")


def parse(entity: str, raw: Raw, timezone: str = "UTC") -> Any:
    return MAPPING.compile(system="s", timezone=timezone).parse(entity, raw)


def seconds(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp())  # type: ignore[misc]


def schedule(first: int, last: int, **item: Any) -> Raw:
    phase = {"start_date": first, "end_date": last, "currency": "usd", "items": [item]}
    return {"id": "sub_sched_1", "object": "subscription_schedule", "customer": "cus_1",
            "status": "active", "phases": [phase]}  # fmt: skip


YEAR = (seconds(2026, 1, 1), seconds(2027, 1, 1))


def test_prices_and_plans_as_plain_ids() -> None:
    found = parse("contract", schedule(*YEAR, price="price_1", plan="price_1", quantity=5))
    (line,) = found.lines
    assert (line.price_id, line.product_id, line.unit_amount) == ("price_1", None, None)
    assert (line.quantity, found.term_months) == ("5", 12)
    assert (found.starts_on, found.ends_on) == (date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    "price, unit",
    [
        ({"unit_amount": 1250, "unit_amount_decimal": "1250"}, "12.5"),
        ({"unit_amount": 1250}, "12.5"),
        ({"unit_amount": 0, "unit_amount_decimal": "0"}, "0"),
        ({"unit_amount": None, "unit_amount_decimal": "1.25"}, "0.0125"),
        ({"unit_amount": None, "unit_amount_decimal": None}, None),  # tiered
    ],
)
def test_an_expanded_price_tells_what_a_unit_costs(price: Raw, unit: str | None) -> None:
    full = {"id": "price_1", "product": {"id": "prod_1"}, **price}
    (line,) = parse("contract", schedule(*YEAR, price=full, plan="price_1")).lines
    assert (line.price_id, line.product_id, line.unit_amount) == ("price_1", "prod_1", unit)


@pytest.mark.parametrize(
    "first, last, months",
    [
        ((2026, 1, 31), (2026, 2, 28), 1),  # Stripe bills the 31st on a month's last day
        ((2026, 1, 31), (2026, 2, 27), None),
        ((2026, 1, 15), (2026, 2, 28), None),
        ((2026, 1, 15), (2026, 1, 15), None),
    ],
)
def test_months_of_a_term(first: Any, last: Any, months: int | None) -> None:
    raw = schedule(seconds(*first), seconds(*last), price="p")
    assert parse("contract", raw).term_months == months


def test_months_are_counted_where_the_account_is() -> None:
    """From January 1st to March 1st in Tokyo: the evenings of December 31st and February 28th."""
    raw = schedule(seconds(2025, 12, 31, 15), seconds(2026, 2, 28, 15), price="p")
    assert parse("contract", raw, "Asia/Tokyo").term_months == 2
    assert parse("contract", raw, "Asia/Tokyo").starts_on == date(2026, 1, 1)


@pytest.mark.parametrize("status", [None, "dreamt"])
def test_a_schedule_without_a_known_status_is_refused(status: str | None) -> None:
    with pytest.raises(InvalidRecord) as caught:
        parse("contract", {**schedule(*YEAR, price="p"), "status": status})
    assert "field status" in caught.value.where


def test_a_summary_by_itself_keeps_its_id() -> None:
    raw = {"id": "mtrusg_1", "object": "billing.meter_event_summary", "meter": "mtr_1",
           "aggregated_value": 10, "start_time": YEAR[0], "end_time": YEAR[0] + 86400}  # fmt: skip
    assert parse("usage", raw).id == "mtrusg_1"
    told = {"customer": "cus_1", "event_name": "calls", "subscription": "sub_1",
            "subscription_item": "si_1"}  # fmt: skip
    found = parse("usage", {**raw, "tieout_usage": told})
    assert (found.id, found.metric) == (f"mtr_1:cus_1:{YEAR[0]}", "calls")
    assert (found.quantity, found.ends_at) == ("10", datetime(2026, 1, 2, tzinfo=UTC))
