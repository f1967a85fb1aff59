"""Stripe's official and public samples: each maps, or is listed here with the reason why not.

The expected values were read off the payloads by hand, after domain/entities.md ("ruling").
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tieout.core.entities import Allocation
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "stripe" / "samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="the official samples are not beside the repository"
)
MAPPER = load_mapping("stripe").compile(system="stripe")

ENTITY_OF = {
    "customer": "customer",
    "product": "product",
    "price": "price",
    "plan": "price",  # the older view of a price
    "subscription": "subscription",
    "invoice": "invoice",
    "payment_intent": "payment",
    "charge": "payment",
    "refund": "refund",
    "credit_note": "credit_note",
    "dispute": "dispute",
    "payout": "payout",
    "subscription_schedule": "contract",
    "billing.meter_event": "usage",
}
# No canonical entity, by kind of object.
NOT_MAPPED = {
    "account": "the account itself",
    "balance": "a balance, not a record",
    "balance_transaction": "a line of its payout",
    "billing.credit_grant": "not in the model",
    "billing.meter": "what is used of it is usage",
    "coupon": "shows on subscriptions and invoices",
    "customer_balance_transaction": "shows in the customer's credit",
    "discount": "shows on subscriptions and invoices",
    "invoiceitem": "shows as a line of its invoice",
    "checkout.session": "not in the model: its payment is",
    "tax_id": "shows on its customer",
    "invoice_payment": "an allocation of its payment",
    "payment_method": "not in the model",
    "item": "a line of a checkout session",
    "list": "a page, not a record",
    "line_item": "a line of its invoice",
    "tax_rate": "shows in taxes of lines",
    "webhook_endpoint": "a setting",
    "promotion_code": "shows as a discount",
    "quote": "ruling: quotes are not mapped for now",
    "subscription_item": "an item of its subscription",
    None: "an error answer",
}
REFUSED = {
    # dj-stripe's own database form, with the amount in major units as text.
    "old-api-payout_custom_bank_account.json": "'10.00' is not a whole number of minor units",
}


def load(name: str) -> tuple[Any, bytes]:
    """The kind of object in a sample (inside its event envelope, if any), and its bytes."""
    body = (SAMPLES / name).read_bytes()
    raw = json.loads(body)
    inside = raw["data"]["object"] if raw.get("object") == "event" else raw
    return inside.get("object"), body


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


TEST_URL = "https://dashboard.stripe.com/test"

# file -> expected fields; nested ones as "lines.0.amount_minor"
EXPECTED: dict[str, dict[str, Any]] = {
    "customer-openapi-fixture.json": {
        "id": "cus_QXg1o8vcGmoR32", "created_at": at(1234567890), "updated_at": None,
        "deleted": False, "url": f"{TEST_URL}/customers/cus_QXg1o8vcGmoR32", "name": None,
        "status": None,  # ruling: null where the provider has none
        "currency": "USD", "credit_minor": 0, "receivable_minor": None,
        "billing_address": None,  # all of its parts are null
        "shipping_address": None, "custom": {"delinquent": False, "tax_exempt": "none"},
    },
    "deleted_customer-openapi-fixture.json": {
        "id": "cus_QXg1o8vcGmoR32", "deleted": True, "status": "archived",
        "credit_minor": None, "created_at": None, "custom": {}, "url": None,
    },
    "event-customer_deleted.json": {
        "id": "cus_IhGfebO16cMIGN", "deleted": True, "status": "archived",
    },
    "old-api-customer_cus_6lsBvm5rJ0zyHc.json": {
        "name": None, "email": "michael.smith@example.com", "currency": "USD",
        "credit_minor": 0, "tax_id": None, "custom.description": "Michael Smith",
    },
    "product-openapi-fixture.json": {
        "name": "T-shirt", "description": "Comfortable gray cotton t-shirt", "active": True,
        "sku": None, "unit_label": None, "updated_at": at(1234567890),
        "custom.default_price": "price_1PgafmB7WZ01zgkW02Hf9z6c",
    },
    "event-product_updated.json": {
        "id": "prod_IsRLOp58Z7V4XN", "name": "Pro tier", "description": "Test",
        "created_at": at(1612339919), "updated_at": at(1619697430),
    },
    "old-api-product_prod_fake1.json": {"name": "Fake Product", "updated_at": at(1557995176)},
    "price-openapi-fixture.json": {
        "product_id": "prod_QXg1hqf4jFNsqG", "currency": "USD", "unit_amount": "20",
        "scheme": "package",  # transform_quantity: sold by the package
        "tiers": None, "interval": "month", "interval_count": 1, "usage": "licensed",
        "active": True, "name": None, "custom.divide_by": 1592560163,
    },
    "event-openapi-fixture.json": {
        "id": "price_1PgafmB7WZ01zgkW6dKueIc5", "scheme": "per_unit", "unit_amount": "20",
    },
    "event-price_created.json": {
        "unit_amount": "4", "active": False, "deleted": False, "scheme": "per_unit",
    },
    "event-price_deleted.json": {"id": "price_1J02UOJDPojXS6LNDao8fiaO", "deleted": True},
    "old-api-plan_gold21323.json": {
        "id": "gold21323", "name": "New plan name", "unit_amount": "20", "interval": "month",
        "interval_count": 1, "usage": "licensed", "product_id": "prod_fake1", "currency": "USD",
    },
    "subscription-openapi-fixture.json": {
        "status": "non_renewing",  # ruling: active but set to end
        "auto_renew": False, "currency": "USD", "cancel_at": at(1234567890),
        "canceled_at": at(1234567890), "ended_at": at(1234567890),
        "current_period_start_at": at(1896570518), "current_period_end_at": at(976287773),
        "trial_ends_at": at(1234567890), "collection": "automatic", "term_months": None,
        "custom.pause_collection": "mark_uncollectible",  # ruling: goes to custom
        "items.0.price_id": "price_1PgafmB7WZ01zgkW6dKueIc5",
        "items.0.product_id": "prod_QXg1hqf4jFNsqG", "items.0.quantity": "1",
        "items.0.unit_amount": "20", "items.0.discount_percent": None,
    },
    "event-subscription_created.json": {
        "customer_id": "cus_IhGfebO16cMIGN", "status": "active", "auto_renew": True,
        "currency": "USD", "started_at": at(1623148918), "current_period_end_at": at(1625740918),
        "items.0.quantity": "1", "items.1.quantity": None,  # not told
        "items.1.id": "si_JdIzi4Tn5jVaaa", "custom.project_id": "312",
    },
    "event-subscription_updated.json": {
        "id": "sub_JLEPMp81LApOJl", "custom.test": "1", "current_period_start_at": at(1618980344),
    },
    "old-api-subscription_sub_fakefakefakefakefake0001.json": {
        "started_at": at(1559476700), "items.0.unit_amount": "20",
        "items.0.name": "New plan name", "items.0.price_id": "gold21323",
    },
    "invoice-openapi-fixture.json": {
        "kind": "invoice", "status": "draft", "number": None, "subscription_id": "subscription",
        "issued_on": None,  # ruling: null on drafts, though effective_at is set
        "due_on": date(2009, 2, 13), "currency": "USD", "subtotal_minor": 1000,
        "discount_minor": 0, "tax_minor": 0, "total_minor": 1000, "adjustment_minor": 0,
        "paid_minor": 0, "credited_minor": 0, "balance_minor": 1000,
        "written_off_minor": None,  # Stripe books no write-offs
        "lines.0.amount_minor": 1000, "lines.0.quantity": "1", "lines.0.unit_amount": None,
        "lines.0.proration": True, "lines.0.period_start_at": at(1721954054),
    },
    "event-invoice_finalized.json": {
        "status": "open", "number": "B1AB464C-0181", "issued_on": date(2022, 1, 19),
        "subscription_id": "sub_K4J0aB2bmSyb6b", "total_minor": 0, "balance_minor": 0,
        "paid_at": at(1642599192), "lines.0.price_id": "price_1IDQm5JDPojXS6LNM31hxKzp",
        "lines.0.unit_amount": "0", "lines.0.proration": False,
    },
    "event-invoice_paid.json": {
        "status": "paid", "customer_id": "cus_JsuO3bmrj0QlAw", "issued_on": date(2022, 1, 20),
        "balance_minor": 0,
    },
    "event-invoice_deleted.json": {
        "deleted": True, "status": "draft",  # only drafts can be deleted
        "issued_on": None, "due_on": date(2023, 8, 16), "total_minor": 1000,
        "credited_minor": 1000,  # 513.15 of customer credit cover the 10.00
        "balance_minor": 0, "lines.0.product_id": "prod_OHY", "lines.0.unit_amount": "10",
    },
    "old-api-invoice_in_fakefakefakefakefake0004.json": {
        "status": "paid", "issued_on": date(2020, 6, 27),
        "subtotal_minor": 3478,  # ruling: net of tax; 40.00 with 5.22 inside
        "tax_minor": 522, "total_minor": 4000, "paid_minor": 4000, "balance_minor": 0,
        "lines.0.amount_minor": 3478, "lines.0.tax_minor": 522, "lines.0.unit_amount": "40",
        "lines.0.product_id": "prod_fake1", "lines.0.price_id": "silver41294",
    },
    "payment_intent-openapi-fixture.json": {
        "amount_minor": 1099, "status": "failed",  # ruling: with a last error
        "method": None, "received_at": None, "gateway_id": None, "refunded_minor": 0,
        "allocations": (),
    },
    "event-payment_intent_succeeded.json": {
        "status": "pending",  # requires_payment_method without an error, whatever the event says
        "failure_code": None, "amount_minor": 1000,
    },
    "old-api-payment_intent_pi_fakefakefakefakefake0001.json": {
        "status": "succeeded", "gateway_id": "ch_fakefakefakefakefake0001", "method": "card",
        "received_at": at(1562801159),
        "fee_minor": None,  # its balance transaction is only an id
        "refunded_minor": 0,
        "allocations": (Allocation(invoice_id="in_fakefakefakefakefake0001", amount_minor=2000),),
    },
    "charge-openapi-fixture.json": {
        "id": "ch_1PgafuB7WZ01zgkWXYmPNZs8",  # ruling: a charge without intent
        "gateway_id": "ch_1PgafuB7WZ01zgkWXYmPNZs8",
        "status": "pending",  # succeeded but not captured
        "amount_minor": 100, "method": "card",
    },
    "event-charge_captured.json": {
        "id": "pi_3KtoMeJDPojXS6LN0XnGDnI3",  # ruling: maps to the intent it names
        "gateway_id": "ch_3KtoMeJDPojXS6LN0igeffJ6", "status": "failed",
        "failure_code": "card_declined", "received_at": None, "allocations": (),
        "failure_message": "Your card does not support this type of purchase.",
        "url": "https://dashboard.stripe.com/payments/pi_3KtoMeJDPojXS6LN0XnGDnI3",  # live
    },
    "event-charge_refunded.json": {
        "status": "succeeded", "amount_minor": 2500, "refunded_minor": 2500,
        "allocations": (),  # identity: no more than amount - refunded
        "received_at": at(1649129463),
    },
    "event-charge_succeeded.json": {
        "amount_minor": 3000, "status": "succeeded", "customer_id": "cus_J7Mkgr8mvbl1eK",
        "allocations": (Allocation(invoice_id="in_1KJdKkJDPojXS6LNSwSWkZSN", amount_minor=3000),),
    },
    "old-api-charge_ch_fakefakefakefakefake0001.json": {
        "id": "pi_fakefakefakefakefake0001",
        "amount_minor": 2000,  # captured, though amount_captured came as 0 then
        "status": "succeeded", "received_at": at(1557995177),
    },
    "refund-openapi-fixture.json": {
        "payment_id": "ch_1PgafuB7WZ01zgkWXYmPNZs8", "amount_minor": 100, "status": "succeeded",
        "refunded_at": at(1234567890), "reason": None, "customer_id": None,
    },
    "event-refund_created.json": {
        "payment_id": "pi_1GszsK2eZvKYlo2CfhZyoZLp", "amount_minor": 1000, "currency": "USD",
        "custom.charge": "ch_1NirD82eZvKYlo2CIvbtLWuY",
    },
    "subscription_schedule-openapi-fixture.json": {
        "kind": "contract", "customer_id": "cus_QXg1o8vcGmoR32", "status": "active",
        "currency": "USD", "starts_on": date(2024, 8, 2), "ends_on": date(2025, 8, 1),
        "term_months": None,  # from the 2nd to the 1st
        "lines.0.price_id": "price_1PgafmB7WZ01zgkW6dKueIc5", "lines.0.quantity": "1",
        "custom.end_behavior": "release",
    },
    "event-subscription_schedule_updated.json": {
        "id": "sub_sched_1N2DK3JDPojXS6LNG6Coiiir", "status": "expired",  # released
        "starts_on": date(2023, 4, 28), "ends_on": date(2023, 6, 1), "currency": "USD",
        "custom.subscription_id": "sub_1N1sg4JDPojXS6LNGfq3slwm",
        "lines.2.price_id": "price_1IdYPAJDPojXS6LNRVCC1LAV",
        "lines.3.price_id": "price_1KCawmJDPojXS6LNahIn31Mr",
    },
    "billing_meter_event-openapi-fixture.json": {
        "id": "1234-1234", "metric": "api_request", "quantity": "25", "customer_id": "cus_123",
        "starts_at": at(1234567890), "ends_at": at(1234567890),
    },
    "credit_note-openapi-fixture.json": {
        "number": "ABCD-1234-CN-01", "invoice_id": "in_1Pgc75B7WZ01zgkWYv4iMwt7",
        "status": "applied",  # pre_payment: all of it went to the invoice
        "subtotal_minor": 1690, "tax_minor": 0, "total_minor": 1690, "allocated_minor": 1690,
        "refunded_minor": 0, "balance_minor": 0, "issued_on": date(2009, 2, 13),
        "lines.0.amount_minor": 1190, "lines.1.unit_amount": "5", "allocations": (
            Allocation(invoice_id="in_1Pgc75B7WZ01zgkWYv4iMwt7", amount_minor=1690),
        ),
    },
    "event-credit_note_created.json": {
        "total_minor": 1099, "issued_on": date(2023, 4, 17), "lines.0.unit_amount": "10.99",
        "lines.0.description": "T-shirt", "status": "applied",
    },
    "dispute-openapi-fixture.json": {
        "payment_id": "ch_1PgafuB7WZ01zgkWXYmPNZs8", "status": "warning", "reason": "general",
        "opened_at": at(1234567890), "respond_by_at": at(1723679999), "amount_minor": 1000,
    },
    "event-charge_dispute_created.json": {
        "payment_id": "pi_1IqtG9JDPojXS6LNOGnYrIqq", "status": "warning",
    },
    "old-api-dispute_dp_fakefakefakefake01.json": {
        "status": "needs_response", "reason": "fraudulent", "respond_by_at": at(1626566399),
        "payment_id": "pi_1JAyTwJSZQVUcJYgBbsz0NuH",
    },
    "old-api-dispute_dp_funds_reinstated_full.json": {"status": "under_review"},
    "payout-openapi-fixture.json": {
        "amount_minor": 1100, "status": "in_transit", "arrives_on": date(2009, 2, 13),
        "automatic": True, "reference": None, "lines": (),
    },
}  # fmt: skip


def value_at(record: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(record, tuple):
            record = record[int(step)]
        elif isinstance(record, dict):
            record = record.get(step)
        else:
            record = getattr(record, step)
    return record


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample_means_what_was_read_off_it_by_hand(name: str) -> None:
    kind, body = load(name)
    record = MAPPER.parse_bytes(ENTITY_OF[kind], body)
    found = {path: value_at(record, path) for path in EXPECTED[name]}
    assert found == EXPECTED[name]


def test_every_sample_maps_or_has_a_reason_not_to(capsys: pytest.CaptureFixture[str]) -> None:
    mapped, refused, left = [], [], []
    for path in sorted(SAMPLES.glob("*.json")):
        kind, body = load(path.name)
        if kind not in ENTITY_OF:
            assert kind in NOT_MAPPED, f"{path.name}: nobody said why a {kind} is not mapped"
            left.append(path.name)
            continue
        try:
            MAPPER.parse_bytes(ENTITY_OF[kind], body)
            mapped.append(path.name)
        except InvalidRecord as error:
            assert REFUSED.get(path.name, "?") in error.message, path.name
            refused.append(path.name)
    assert set(EXPECTED) <= set(mapped)
    assert len(mapped) + len(refused) + len(left) == len(list(SAMPLES.glob("*.json")))
    with capsys.disabled():
        print(f"\nstripe samples: {len(mapped)} mapped ({len(EXPECTED)} with values by hand), "
              f"{len(refused)} refused, {len(left)} of kinds without an entity")  # fmt: skip


def test_no_sample_has_a_field_that_the_mapping_has_never_heard_of() -> None:
    for path in sorted(SAMPLES.glob("*.json")):
        kind, body = load(path.name)
        if kind in ENTITY_OF and path.name not in REFUSED:
            raw = json.loads(body)
            assert MAPPER.unknown_fields(ENTITY_OF[kind], raw) == [], path.name
    raw = json.loads((SAMPLES / "invoice-openapi-fixture.json").read_text())
    raw["brand_new"] = 1
    raw["lines"]["data"][0]["also_new"] = 1
    assert MAPPER.unknown_fields("invoice", raw) == ["brand_new", "tieout.lines.*.of.also_new"]


@pytest.mark.parametrize("entity", MAPPER.entities)
def test_another_kind_of_object_is_refused(entity: str) -> None:
    for name in ("balance-openapi-fixture.json", "list-invoice_payments.json"):
        with pytest.raises(InvalidRecord, match="is a Stripe"):
            MAPPER.parse_bytes(entity, (SAMPLES / name).read_bytes())
