"""Stripe's customers, prices and subscriptions; and what is sent back to Stripe."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tieout.core.entities import Address, Customer, Line, Price, Refund, Subscription, Tier
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

MAPPING = load_mapping("stripe")
MAPPER = MAPPING.compile(system="s")
T0 = 1_700_000_000


def customer(**fields: Any) -> Customer:
    record = MAPPER.parse("customer", {"id": "cus_1", "object": "customer", **fields})
    assert isinstance(record, Customer)
    return record


def test_a_customer_with_everything() -> None:
    record = customer(
        name="Ada Lovelace", business_name="Analytical Ltd", currency="gbp", balance=-1250,
        preferred_locales=["en_GB", "fr"], tax_ids={"data": [{"value": "GB123"}]},
        address={"line1": "1 St James", "country": "GB", "postal_code": "SW1"},
        shipping={"name": "Dock", "address": {"line1": "Dock 4", "country": "Deutschland"}},
        metadata={"tieout_id": "k-1", "tier": "gold", "description": "m"}, description="d",
        livemode=True, created=T0,
    )  # fmt: skip
    assert record == Customer(
        system="s",
        id="cus_1",
        created_at=datetime.fromtimestamp(T0, UTC),
        url="https://dashboard.stripe.com/customers/cus_1",
        external_ids={"tieout": "k-1"},
        custom={
            "description": "d",
            "tieout_id": "k-1",
            "tier": "gold",
            "metadata_description": "m",  # ruling: on a clash
            "shipping_address_country": "Deutschland",  # no English name: kept as received
        },
        name="Analytical Ltd",  # ruling: the company where there is one
        currency="GBP",
        tax_id="GB123",
        language="en-GB",
        billing_address=Address(line1="1 St James", postal_code="SW1", country="GB"),
        shipping_address=Address(line1="Dock 4"),
        credit_minor=1250,  # ruling: Stripe's balance is negative in the customer's favour
    )


def test_debt_outside_invoices_is_negative_credit() -> None:
    assert customer(balance=700, currency="eur").credit_minor == -700
    assert customer(balance=0, currency=None).credit_minor == 0
    with pytest.raises(InvalidRecord, match="no currency"):
        customer(balance=5, currency=None)


def price(**fields: Any) -> Price:
    record = MAPPER.parse("price", {"id": "p", "object": "price", "currency": "usd", **fields})
    assert isinstance(record, Price)
    return record


def test_schemes_of_prices() -> None:
    assert price(billing_scheme="per_unit").scheme == "per_unit"
    assert price(billing_scheme="tiered", tiers_mode="graduated").scheme == "tiered"  # ruling
    assert price(billing_scheme="tiered", tiers_mode="volume").scheme == "volume"
    assert price(transform_quantity={"divide_by": 10, "round": "up"}).scheme == "package"
    with pytest.raises(InvalidRecord):
        price(billing_scheme="auction")


def test_tiers_and_fractions_of_a_cent() -> None:
    rows = [
        {"up_to": 100, "unit_amount": None, "unit_amount_decimal": "1.25", "flat_amount": 500},
        {"up_to": None, "unit_amount": 1, "unit_amount_decimal": "1", "flat_amount": None},
    ]
    record = price(billing_scheme="tiered", tiers_mode="graduated", tiers=rows, unit_amount=None)
    assert record.unit_amount is None
    assert record.tiers == (
        Tier(up_to="100", unit_amount="0.0125", flat_amount="5"),
        Tier(up_to=None, unit_amount="0.01", flat_amount=None),
    )
    assert price(unit_amount=None, unit_amount_decimal="0.5").unit_amount == "0.005"
    assert price(unit_amount=None, unit_amount_decimal=Decimal("0.5")).unit_amount == "0.005"
    assert price().interval is None  # one time


def subscription(**fields: Any) -> Subscription:
    item = {
        "id": "si_1", "quantity": 2, "current_period_start": T0, "current_period_end": T0 + 100,
        "price": {"id": "p1", "product": "prod_1", "currency": "usd", "unit_amount": 1000,
                  "recurring": {"interval": "month", "interval_count": 1,
                                "usage_type": "licensed"}},
        **fields.pop("item", {}),
    }  # fmt: skip
    raw = {
        "id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1",
        "currency": "usd", "start_date": T0, "cancel_at_period_end": False,
        "items": {"data": [item, *fields.pop("more", [])]},
    }  # fmt: skip
    record = MAPPER.parse("subscription", {**raw, **fields})
    assert isinstance(record, Subscription)
    return record


@pytest.mark.parametrize(
    ("fields", "status", "auto_renew", "cancel_at"),
    [
        ({}, "active", True, None),
        ({"cancel_at_period_end": True}, "non_renewing", False, T0 + 100),  # ruling: period end
        ({"cancel_at": T0 + 50}, "non_renewing", False, T0 + 50),
        ({"status": "trialing", "cancel_at_period_end": True}, "trialing", False, T0 + 100),
        ({"status": "past_due"}, "past_due", True, None),
        ({"status": "incomplete_expired"}, "canceled", False, None),
        ({"status": "canceled", "ended_at": T0}, "canceled", False, None),
        ({"status": "paused"}, "paused", True, None),
        ({"pause_collection": {"behavior": "void"}}, "active", True, None),  # ruling
    ],
)
def test_states_of_subscriptions(
    fields: dict[str, Any], status: str, auto_renew: bool, cancel_at: int | None
) -> None:
    record = subscription(**fields)
    assert (record.status, record.auto_renew) == (status, auto_renew)
    assert record.cancel_at == (cancel_at and datetime.fromtimestamp(cancel_at, UTC))


def test_the_period_is_that_of_the_next_renewal() -> None:
    yearly = {"id": "si_2", "current_period_start": T0 - 9, "current_period_end": T0 + 9000}
    record = subscription(more=[yearly])
    assert record.current_period_end_at == datetime.fromtimestamp(T0 + 100, UTC)
    old = subscription(current_period_start=T0 + 1, current_period_end=T0 + 2)
    assert old.current_period_end_at == datetime.fromtimestamp(T0 + 2, UTC)


def coupon(**fields: Any) -> dict[str, Any]:
    return {"id": "di", "source": {"type": "coupon", "coupon": {"id": "c", **fields}}}


def test_discounts_of_items_and_of_the_whole() -> None:
    own = subscription(item={"discounts": [coupon(percent_off=Decimal("25.5"))]})
    assert own.items[0].discount_percent == "25.5"
    both = subscription(
        item={"discounts": [coupon(percent_off=50)]}, discounts=[coupon(percent_off=10)]
    )
    assert both.items[0].discount_percent == "55"  # 0.5 * 0.9 is left
    old = subscription(discount={"coupon": {"percent_off": 20}})
    assert old.items[0].discount_percent == "20"
    fixed = subscription(discounts=[coupon(amount_off=300)])
    assert fixed.items[0].discount_minor == 300
    other = {"id": "si_2", "price": {"id": "p2", "currency": "usd"}}
    spread = subscription(discounts=[coupon(amount_off=300)], more=[other])
    assert [each.discount_minor for each in spread.items] == [None, None]
    assert spread.custom["discount_minor"] == 300
    unknown = subscription(discounts=["di_1"])
    assert unknown.items[0].discount_percent is None
    narrow = subscription(discounts=[coupon(percent_off=10, applies_to={"products": ["prod_2"]})])
    assert narrow.items[0].discount_percent is None


def test_a_customer_goes_out_and_comes_back() -> None:
    fields = {
        "name": "Ada", "email": "ada@example.com", "phone": "1", "language": "de",
        "billing_address": Address(line1="Main 1", country="DE"),
        "shipping_address": Address(line1="Dock 4"), "custom.tier": "gold",
        "currency": "EUR", "credit_minor": 5, "status": "active",  # not ours to write
    }  # fmt: skip
    body = MAPPER.render("customer", fields, creating=True)
    assert body == {
        "name": "Ada", "email": "ada@example.com", "phone": "1", "preferred_locales": ["de"],
        "address": {"line1": "Main 1", "country": "DE"},
        "shipping": {"name": "Ada", "address": {"line1": "Dock 4"}}, "metadata": {"tier": "gold"},
    }  # fmt: skip
    back = customer(**body)
    for name in ("name", "email", "phone", "language", "billing_address", "shipping_address"):
        assert getattr(back, name) == fields[name]
    assert MAPPER.writable("customer", creating=True) >= {"name", "billing_address", "custom"}
    cleared = MAPPER.render(
        "customer", {"phone": None, "shipping_address": None, "language": None}, creating=False
    )
    assert cleared == {"phone": None, "shipping": None, "preferred_locales": []}


def test_a_price_goes_out_and_comes_back() -> None:
    fields = {
        "product_id": "prod_1", "name": "Plan", "currency": "ISK", "unit_amount": "500",
        "scheme": "per_unit", "interval": "month", "interval_count": 3, "usage": "licensed",
        "active": True,
    }  # fmt: skip
    body = MAPPER.render("price", fields, creating=True)
    assert body == {
        "product": "prod_1", "nickname": "Plan", "currency": "isk",
        "unit_amount_decimal": "50000", "active": True,  # Stripe's ISK has two places
        "recurring": {"interval": "month", "interval_count": 3, "usage_type": "licensed"},
    }  # fmt: skip
    back = MAPPER.parse("price", {"id": "p", **body})
    assert {name: getattr(back, name) for name in fields} == fields
    assert MAPPER.writable("price", creating=False) == {"name", "active", "custom.lookup_key"}


def test_a_tiered_price_goes_out() -> None:
    fields = {
        "currency": "USD", "scheme": "tiered", "product_id": "prod_1", "unit_amount": None,
        "tiers": [{"up_to": "10", "unit_amount": "1.5"}, {"flat_amount": "3"}],
    }  # fmt: skip
    assert MAPPER.render("price", fields, creating=True) == {
        "product": "prod_1", "currency": "usd", "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [{"up_to": "10", "unit_amount_decimal": "150"},
                  {"flat_amount_decimal": "300", "up_to": "inf"}],
    }  # fmt: skip
    with pytest.raises(InvalidRecord, match="flat"):
        MAPPER.render("price", {"currency": "USD", "scheme": "flat"}, creating=True)
    with pytest.raises(InvalidRecord, match="divide_by"):
        MAPPER.render("price", {"currency": "USD", "scheme": "package"}, creating=True)


def document(**changes: Any) -> dict[str, Any]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [
        Line(description="Seats", amount_minor=900, period_start_at=start, period_end_at=start),
        Line(description="Setup", amount_minor=100),
    ]
    return {"customer_id": "cus_1", "currency": "EUR", "number": "R-1", "memo": "Thanks",
            "issued_on": date(2026, 1, 31), "due_on": date(2026, 2, 28), "status": "open",
            "lines": lines, "total_minor": 1000, "tax_minor": 0, **changes}  # fmt: skip


def test_an_invoice_goes_out_as_a_draft_with_items() -> None:
    midnight = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    due = int(datetime(2026, 2, 28, tzinfo=UTC).timestamp())
    new_year = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    shared = {"currency": "eur", "discountable": False}
    assert MAPPER.render("invoice", document(), creating=True) == {
        "customer": "cus_1", "currency": "eur", "number": "R-1", "description": "Thanks",
        "effective_at": midnight, "due_date": due, "collection_method": "send_invoice",
        "finalize": True,
        "items": [
            {"description": "Seats", "amount": 900, **shared,
             "period": {"start": new_year, "end": new_year}},
            {"description": "Setup", "amount": 100, **shared},
        ],
    }  # fmt: skip
    assert "finalize" not in MAPPER.render("invoice", document(status="draft"), creating=True)
    assert MAPPER.render("invoice", {"memo": "x", "lines": []}, creating=False) == {
        "description": "x"
    }


def test_an_invoice_with_discounts_and_tax() -> None:
    lines = [Line(description="Seats", amount_minor=1000, discount_minor=100, tax_minor=171)]
    fields = document(lines=lines, discount_minor=100, tax_minor=171, total_minor=1071)
    with pytest.raises(InvalidRecord) as caught:
        MAPPER.render("invoice", fields, creating=True)
    assert "tax_line" in caught.value.hint
    lenient = MAPPING.compile(system="s", options={"tax_line": "VAT"})
    items = lenient.render("invoice", fields, creating=True)["items"]
    assert [(item["description"], item["amount"]) for item in items] == [
        ("Seats", 900), ("VAT", 171),
    ]  # fmt: skip
    whole = document(discount_minor=50, total_minor=950)
    items = MAPPER.render("invoice", whole, creating=True)["items"]
    assert (items[-1]["description"], items[-1]["amount"]) == ("Discount", -50)
    both = document(lines=lines, discount_minor=150, tax_minor=0, total_minor=850)
    items = MAPPER.render("invoice", both, creating=True)["items"]
    assert [item["amount"] for item in items] == [900, -50]
    with pytest.raises(InvalidRecord, match=r"miss its total by -0\.01 EUR"):
        MAPPER.render("invoice", document(total_minor=999), creating=True)


def test_a_credit_note_goes_out() -> None:
    fields = {"invoice_id": "in_1", "currency": "EUR", "total_minor": 500, "reason": "duplicate"}
    assert MAPPER.render("credit_note", fields, creating=True) == {
        "invoice": "in_1", "amount": 500, "reason": "duplicate",
    }  # fmt: skip
    told = {**fields, "reason": "Goodwill", "refunded_minor": 500}
    assert MAPPER.render("credit_note", told, creating=True) == {
        "invoice": "in_1", "amount": 500, "memo": "Goodwill", "out_of_band_amount": 500,
    }  # fmt: skip


def test_what_stripe_alone_decides_is_never_written() -> None:
    for entity in ("payment", "refund", "dispute", "payout", "subscription"):
        for creating in (True, False):
            assert MAPPER.writable(entity, creating=creating) == frozenset()


@pytest.mark.parametrize(
    ("entity", "raw", "field"),
    [
        ("price", {"id": "p", "currency": "usd", "billing_scheme": "tiered", "tiers_mode": "x"},
         "tiers_mode"),
        ("credit_note", {"id": "cn", "currency": "usd", "total": 5, "status": "draft"}, "status"),
        ("credit_note", {"id": "cn", "currency": "usd", "total": 5, "status": "issued",
                         "type": "post"}, "type"),
    ],
)  # fmt: skip
def test_an_unknown_choice_that_decides_over_money_is_refused(
    entity: str, raw: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRecord, match="not a value that the mapping knows") as refused:
        MAPPER.parse(entity, raw)
    assert refused.value.where.endswith(f"field {field}")


def test_a_refund_of_a_cash_balance_has_no_payment() -> None:
    raw = {"id": "re_1", "object": "refund", "amount": 500, "currency": "eur", "charge": None,
           "payment_intent": None, "customer": "cus_1", "status": "succeeded"}  # fmt: skip
    record = MAPPER.parse("refund", raw)
    assert isinstance(record, Refund)
    assert (record.payment_id, record.customer_id, record.amount_minor) == (None, "cus_1", 500)


def test_metadata_that_is_no_table_is_refused() -> None:
    assert customer(metadata=None).custom == customer(metadata=[]).custom == {}
    with pytest.raises(InvalidRecord, match="not a table"):
        customer(metadata=["gold"])


@pytest.mark.parametrize("balance", [10**17, -(10**17), 10**400])
def test_an_amount_that_nobody_owes_is_refused(balance: int) -> None:
    with pytest.raises(InvalidRecord, match="no sensible amount"):
        customer(balance=balance, currency="usd")
