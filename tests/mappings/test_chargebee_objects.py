"""Chargebee's other objects, both Product Catalogs, and what is written back.

Payloads are written from https://apidocs.chargebee.com/docs/api ; values by hand.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tieout.core.entities import Price, Subscription, Tier
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

MAPPER = load_mapping("chargebee").compile(system="chargebee", timezone="Europe/Berlin")
KEY = "tieout-customer-crm-4711-0123456789"


def parse(entity: str, **raw: Any) -> Any:
    return MAPPER.parse(entity, raw)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# --- envelopes


def test_one_record_is_the_same_in_every_envelope() -> None:
    bare = {"id": "c1", "object": "customer", "company": "Ada"}
    for raw in (
        bare,
        {"customer": bare},
        {"customer": bare, "card": {"object": "card"}},
        {"list": [{"customer": bare}]},
        {"object": "event", "event_type": "customer_changed", "content": {"customer": bare}},
        {"event": {"object": "event", "event_type": "x", "content": {"customer": bare}}},
        {"id": "c1", "company": "Ada"},
    ):
        assert MAPPER.parse("customer", raw) == MAPPER.parse("customer", bare)


def test_a_deletion_event_deletes_its_own_object_only() -> None:
    content = {"customer": {"id": "c1"}, "subscription": {"id": "s1", "status": "active"}}
    event = {"object": "event", "event_type": "customer_deleted", "content": content}
    assert MAPPER.parse("customer", event).deleted is True
    assert MAPPER.parse("subscription", event).deleted is False


@pytest.mark.parametrize(
    "raw, words",
    [
        ({"object": "invoice", "id": "7"}, "is a Chargebee 'invoice'"),
        ({"list": [{"customer": {}}, {"customer": {}}]}, "page of a list"),
        ({"list": []}, "page of a list"),
        ({"invoice": {"id": "7"}}, "holds no customer"),
        ({"object": "event", "event_type": "x", "content": {}}, "event without a customer"),
        ({"object": "event", "event_type": "x", "content": None}, "event without"),
    ],
)
def test_what_is_no_customer_is_refused(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRecord, match=words):
        MAPPER.parse("customer", raw)


# --- customers and contacts


def test_a_customers_credit_is_in_its_own_currency() -> None:
    balances = [
        {"currency_code": "EUR", "promotional_credits": 100, "refundable_credits": 20,
         "excess_payments": 3},
        {"currency_code": "USD", "promotional_credits": 7},
    ]  # fmt: skip
    found = parse("customer", id="c", preferred_currency_code="EUR", balances=balances,
                  promotional_credits=999)  # fmt: skip
    assert (found.currency, found.credit_minor) == ("EUR", 123)
    named = [{"currency_code": "USD", "balance_currency_code": "EUR", "excess_payments": 9}]
    found = parse("customer", id="c", preferred_currency_code="EUR", balances=named)
    assert found.credit_minor == 9
    alone = parse("customer", id="c", balances=balances[1:])
    assert (alone.currency, alone.credit_minor) == ("USD", 7)


def test_a_company_goes_before_a_person() -> None:
    person = {"first_name": "Ada", "last_name": "Byron"}
    assert parse("customer", id="c", company="Ada Ltd", **person).name == "Ada Ltd"
    assert parse("customer", id="c", **person).name == "Ada Byron"
    assert parse("customer", id="c", last_name="Byron").name == "Byron"
    assert parse("customer", id="c").name is None


def test_everything_that_is_not_ours_is_custom() -> None:
    found = parse("customer", id="c", meta_data={"tier": "gold", "n": 3}, cf_region="EMEA",
                  relationship={"parent_id": "p", "invoice_owner_id": "p"})  # fmt: skip
    assert found.parent_id == "p" and found.custom["invoice_owner_id"] == "p"
    assert (found.custom["tier"], found.custom["n"], found.custom["cf_region"]) == (
        "gold", 3, "EMEA"
    )  # fmt: skip


def test_street_lines_are_joined_and_countries_known() -> None:
    address = {"line1": "A", "line2": "B", "line3": "C", "state": "Bayern", "zip": "80331",
               "city": "Munich", "country": "DE"}  # fmt: skip
    found = parse("customer", id="c", billing_address=address).billing_address
    assert (found.line1, found.line2, found.state) == ("A", "B, C", "Bayern")
    odd = parse("customer", id="c", billing_address={**address, "country": "QQ"})
    assert odd.billing_address.country is None
    assert odd.custom["billing_address_country"] == "QQ"


def test_our_key_is_read_wherever_it_was_put() -> None:
    for entity, raw in [
        ("customer", {"meta_data": {"tieout_id": KEY}}),
        ("customer", {"meta_data": f'{{"tieout_id": "{KEY}"}}'}),
        ("product", {"metadata": {"tieout_id": KEY}}),
        ("customer", {"cf_tieout_id": KEY}),
        ("usage", {"note": KEY}),
    ]:
        assert parse(entity, **{"id": "x", **raw}).external_ids == {"tieout": KEY}, raw
    assert parse("usage", id=KEY).external_ids == {"tieout": KEY}
    assert parse("customer", id="x").external_ids == {}


@pytest.mark.parametrize("sent, role", [(True, "billing"), (False, "other"), (None, None)])
def test_the_role_of_a_contact(sent: bool | None, role: str | None) -> None:
    found = parse("contact", id="k", customer_id="c1", send_billing_email=sent, phone="1")
    assert (found.role, found.customer_id, found.phone) == (role, "c1", "1")


# --- products and prices


def test_archived_and_deleted_items() -> None:
    assert parse("product", id="i", status="archived").active is False
    gone = parse("product", id="i", status="deleted")
    assert (gone.active, gone.deleted) == (False, True)
    with pytest.raises(InvalidRecord):
        parse("product", id="i", status="resting")


def price(**more: Any) -> Price:
    raw = {"id": "p", "object": "item_price", "item_id": "i", "currency_code": "USD",
           "pricing_model": "per_unit", "price": 1000, "period": 3, "period_unit": "month",
           **more}  # fmt: skip
    found = MAPPER.parse("price", raw)
    assert isinstance(found, Price)
    return found


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ("flat_fee", "flat"), ("per_unit", "per_unit"), ("tiered", "tiered"),
        ("volume", "volume"), ("stairstep", "stairstep"),
    ],
)  # fmt: skip
def test_every_pricing_model(theirs: str, ours: str) -> None:
    found = price(pricing_model=theirs)
    assert found.scheme == ours
    assert found.unit_amount == ("10" if ours in ("flat", "per_unit") else None)
    assert (found.interval, found.interval_count, found.product_id) == ("month", 3, "i")


def test_an_unknown_pricing_model_is_set_aside() -> None:
    with pytest.raises(InvalidRecord, match="auction"):
        price(pricing_model="auction")


TIERS = [
    {"starting_unit": 1, "ending_unit": 10, "price": 500},
    {"starting_unit": 11, "price": 45, "price_in_decimal": "0.4525"},
]


def test_tiers_ascend_and_the_last_is_open() -> None:
    assert price(pricing_model="tiered", tiers=TIERS).tiers == (
        Tier(up_to="10", unit_amount="5"), Tier(up_to=None, unit_amount="0.4525")
    )  # fmt: skip
    assert price(pricing_model="stairstep", tiers=TIERS[:1]).tiers == (
        Tier(up_to="10", flat_amount="5"),
    )
    flat = [{**TIERS[0], "pricing_type": "flat_fee"}]
    assert price(pricing_model="tiered", tiers=flat).tiers == (Tier(up_to="10", flat_amount="5"),)
    packed = [{**TIERS[0], "pricing_type": "package", "package_size": 5}]
    assert price(pricing_model="tiered", tiers=packed).scheme == "package"


def test_prices_with_fractions_of_a_cent_and_without_decimals() -> None:
    assert price(price=None, price_in_decimal="0.00125").unit_amount == "0.00125"
    assert price(currency_code="JPY").unit_amount == "1000"
    assert price(currency_code="KWD").unit_amount == "10"


def test_an_older_addon_has_a_type_for_a_model() -> None:
    found = price(object="addon", item_id=None, pricing_model=None, type="on_off",
                  charge_type="recurring")  # fmt: skip
    assert (found.scheme, found.product_id, found.interval) == ("flat", "p", "month")


# --- subscriptions


def subscription(**more: Any) -> Subscription:
    raw = {"id": "s", "object": "subscription", "customer_id": "c", "currency_code": "USD",
           "status": "active", "billing_period": 1, "billing_period_unit": "month",
           **more}  # fmt: skip
    found = MAPPER.parse("subscription", raw)
    assert isinstance(found, Subscription)
    return found


@pytest.mark.parametrize(
    "theirs, ours, renews",
    [
        ("future", "future", True), ("in_trial", "trialing", True), ("active", "active", True),
        ("non_renewing", "non_renewing", False), ("paused", "paused", True),
        ("cancelled", "canceled", False), ("transferred", "canceled", False),
    ],
)  # fmt: skip
def test_every_status_of_a_subscription(theirs: str, ours: str, renews: bool) -> None:
    found = subscription(status=theirs, cancelled_at=None if renews else 900)
    assert (found.status, found.auto_renew) == (ours, renews)
    over = ours == "canceled"
    assert found.ended_at == (at(900) if over else None)
    assert found.cancel_at == (at(900) if ours == "non_renewing" else None)


def test_an_unknown_status_of_a_subscription_is_set_aside() -> None:
    with pytest.raises(InvalidRecord) as caught:
        subscription(status="hibernating")
    assert caught.value.where == "subscription s, field status" and "paused" in caught.value.hint


def test_a_trial_that_is_to_end_stays_a_trial() -> None:
    found = subscription(status="in_trial", trial_end=700, trial_end_action="cancel_subscription")
    assert (found.status, found.cancel_at, found.auto_renew) == ("trialing", at(700), False)
    found = subscription(status="in_trial", cancelled_at=800, cancel_schedule_created_at=100)
    assert (found.cancel_at, found.canceled_at, found.ended_at) == (at(800), at(100), None)


def test_discounts_bear_on_the_items_they_are_for() -> None:
    items = [{"item_price_id": "a", "item_type": "plan", "quantity": 1, "unit_price": 100},
             {"item_price_id": "b", "item_type": "addon",
              "quantity_in_decimal": "1.5"}]  # fmt: skip
    discounts = [
        {"type": "percentage", "percentage": 10, "apply_on": "invoice_amount"},
        {"type": "percentage", "percentage": 50, "item_price_id": "a"},
        {"type": "fixed_amount", "amount": 30, "item_price_id": "b"},
        {"type": "fixed_amount", "amount": 7, "apply_on": "invoice_amount"},
    ]
    found = subscription(subscription_items=items, discounts=discounts)
    first, second = found.items
    assert (first.discount_percent, first.discount_minor) == ("55", None)  # 1 - 0.9 * 0.5
    assert (second.discount_percent, second.discount_minor) == ("10", 30)
    assert second.quantity == "1.5" and found.custom["discount_minor"] == 7
    alone = subscription(subscription_items=items[:1], discounts=discounts[3:])
    assert alone.items[0].discount_minor == 7 and "discount_minor" not in alone.custom


def test_an_items_own_period_goes_before_the_subscriptions() -> None:
    item = {"item_price_id": "a", "item_type": "addon", "billing_period": 1,
            "billing_period_unit": "year", "metered_quantity": "3"}  # fmt: skip
    (found,) = subscription(subscription_items=[item]).items
    assert (found.interval, found.interval_count, found.usage) == ("year", 1, "metered")


def test_the_length_of_a_contract() -> None:
    found = subscription(
        billing_period=3, contract_term={"billing_cycle": 4, "total_contract_value": 120000}
    )
    assert found.term_months == 12 and found.custom["contract_value_minor"] == 120000
    assert subscription().term_months is None


# --- disputes and usage


@pytest.mark.parametrize(
    "kind, theirs, ours",
    [
        ("chargeback", "initiated", "needs_response"),
        ("chargeback", "funds_withdrawn", "needs_response"),
        ("chargeback", "in_review", "under_review"),
        ("chargeback", "won", "won"), ("chargeback", "lost", "lost"),
        ("chargeback", "cancelled", "closed"),
        ("inquiry", "initiated", "warning"), ("inquiry", "in_review", "warning"),
        ("inquiry", "won", "won"),
    ],
)  # fmt: skip
def test_every_status_of_a_dispute(kind: str, theirs: str, ours: str) -> None:
    found = parse("dispute", id="d", object="dispute", transaction_id="t", amount=5,
                  currency_code="USD", status=theirs, type=kind, created_at=9,
                  reason="fraud")  # fmt: skip
    assert (found.status, found.payment_id, found.amount_minor) == (ours, "t", 5)
    assert (found.opened_at, found.reason) == (at(9), "fraud")


def test_a_reversal_is_a_lost_dispute() -> None:
    found = parse("dispute", id="t2", object="transaction", type="payment_reversal", amount=5,
                  status="success", currency_code="USD", date=9,
                  linked_payments=[{"id": "t1"}])  # fmt: skip
    assert (found.status, found.payment_id, found.opened_at) == ("lost", "t1", at(9))


def test_usage_counts_in_text() -> None:
    found = parse("usage", id="u", subscription_id="s", item_price_id="p", quantity="3.50",
                  usage_date=9)  # fmt: skip
    assert (found.quantity, found.item_id, found.starts_at) == ("3.5", "p", at(9))


# --- the way back


def render(entity: str, creating: bool = True, **fields: Any) -> dict[str, Any]:
    return MAPPER.render(entity, fields, creating=creating)


def test_a_customer_goes_back_as_it_came() -> None:
    body = render(
        "customer", name="Ada Ltd", email="a@example.com", tax_id="DE123", currency="EUR",
        payment_terms_days=30, language="de-DE",
        billing_address={"line1": "A", "line2": "B", "state": "CA", "country": "US"},
        **{"custom.tier": "gold", "custom.cf_region": "EMEA"},
    )  # fmt: skip
    assert body == {
        "company": "Ada Ltd", "email": "a@example.com", "vat_number": "DE123",
        "preferred_currency_code": "EUR", "net_term_days": 30, "locale": "de-DE",
        "billing_address": {"line1": "A", "line2": "B", "state_code": "CA", "country": "US"},
        "meta_data": {"tier": "gold"}, "cf_region": "EMEA",
    }  # fmt: skip
    back = MAPPER.parse("customer", {"id": "c", **body})
    assert (back.name, back.currency, back.billing_address.state) == ("Ada Ltd", "EUR", "CA")
    assert render("customer", billing_address={"state": "Bayern"})["billing_address"] == {
        "state": "Bayern"
    }
    assert render("customer", creating=False, phone=None) == {"phone": None}


def test_a_product_is_archived_by_its_status() -> None:
    assert render("product", name="Gold", **{"custom.type": "addon"}) == {
        "name": "Gold", "type": "addon"
    }  # fmt: skip
    assert render("product", creating=False, active=False) == {"status": "archived"}


def test_a_price_goes_back_as_it_came() -> None:
    body = render("price", product_id="i", name="Gold", currency="USD", unit_amount="12.5",
                  scheme="per_unit", interval="month", interval_count=1)  # fmt: skip
    assert body == {
        "item_id": "i", "name": "Gold", "external_name": "Gold", "currency_code": "USD",
        "price": 1250, "pricing_model": "per_unit", "period_unit": "month", "period": 1,
    }  # fmt: skip
    assert render("price", currency="USD", unit_amount="0.0125")["price_in_decimal"] == "0.0125"
    tiered = render("price", currency="USD", scheme="volume", tiers=[
        {"up_to": "10", "unit_amount": "5"}, {"up_to": None, "unit_amount": "4"}
    ])  # fmt: skip
    assert tiered["tiers"] == [
        {"starting_unit": 1, "price": 500, "ending_unit": 10}, {"starting_unit": 11, "price": 400}
    ]  # fmt: skip
    steps = render("price", currency="USD", scheme="stairstep", tiers=[{"flat_amount": "9"}])
    assert steps["tiers"] == [{"starting_unit": 1, "price": 900}]
    with pytest.raises(InvalidRecord, match="package"):
        render("price", scheme="package", currency="USD")
    with pytest.raises(InvalidRecord, match="one of them"):
        render("price", currency="USD", scheme="tiered",
               tiers=[{"unit_amount": "5", "flat_amount": "1"}])  # fmt: skip


def test_a_subscription_is_imported_with_its_terms() -> None:
    body = render(
        "subscription", customer_id="c", status="non_renewing", currency="USD",
        started_at="2026-01-01T00:00:00Z", current_period_start_at="2026-01-01T00:00:00Z",
        current_period_end_at="2026-02-01T00:00:00Z", cancel_at="2026-02-01T00:00:00Z",
        collection="invoice",
        items=[{"price_id": "p", "quantity": "2", "unit_amount": "9.5"},
               {"price_id": "q", "quantity": "0.5"}],
    )  # fmt: skip
    assert body == {
        "customer_id": "c", "status": "non_renewing", "started_at": 1767225600,
        "current_term_start": 1767225600, "current_term_end": 1769904000,
        "cancelled_at": 1769904000, "auto_collection": "off",
        "subscription_items": [
            {"item_price_id": "p", "quantity": 2, "unit_price": 950},
            {"item_price_id": "q", "quantity_in_decimal": "0.5"},
        ],
    }  # fmt: skip
    with pytest.raises(InvalidRecord, match="names no price"):
        render("subscription", status="active", items=[{"quantity": "1"}])
    with pytest.raises(InvalidRecord, match="no counterpart"):
        render("subscription", status="past_due")


INVOICE = {
    "number": "INV-7", "customer_id": "c", "status": "open", "currency": "USD",
    "issued_on": date(2026, 1, 31), "due_on": date(2026, 3, 2), "subtotal_minor": 1000,
    "discount_minor": 100, "tax_minor": 171, "total_minor": 1071, "memo": "thanks",
    "lines": [{"description": "Seats", "quantity": "2", "unit_amount": "5",
               "amount_minor": 1000, "discount_minor": 100, "tax_minor": 171}],
}  # fmt: skip


def test_an_invoice_is_imported_whole() -> None:
    body = render("invoice", **INVOICE)
    assert body["id"] == "INV-7" and body["status"] == "payment_due"
    assert body["date"] == 1769814000  # the day begins in Berlin
    assert (body["total"], body["price_type"]) == (1071, "tax_exclusive")
    assert body["notes"] == [{"note": "thanks"}]
    assert body["line_items"] == [{
        "description": "Seats", "entity_type": "adhoc", "quantity": 2, "unit_amount": 500,
        "amount": 1000, "tax1_name": "Tax", "tax1_amount": 171,
    }]  # fmt: skip
    (tax,) = body["taxes"]
    assert (tax["name"], str(tax["rate"]), tax["amount"]) == ("Tax", "19.0000", 171)
    assert body["discounts"] == [
        {"entity_type": "document_level_discount", "description": "Discount", "amount": 100}
    ]
    assert "tieout" not in body


def test_quantities_are_kept_where_they_give_the_amount_and_all_tax_is_on_lines() -> None:
    lines = [{"description": "a", "quantity": "2", "unit_amount": "2", "amount_minor": 400},
             {"description": "b", "amount_minor": 600, "tax_minor": 100}]  # fmt: skip
    body = render("invoice", **{**INVOICE, "discount_minor": 0, "tax_minor": 190,
                                "total_minor": 1190, "lines": lines})  # fmt: skip
    first, second = body["line_items"]
    assert (first["quantity"], first["unit_amount"], first["amount"]) == (2, 200, 400)
    assert "tax1_amount" not in first and second["tax1_amount"] == 190


def test_a_discount_of_no_line_is_the_documents() -> None:
    fields = {**INVOICE, "lines": [{"description": "x", "amount_minor": 1000}]}
    assert render("invoice", **fields)["discounts"] == [
        {"entity_type": "document_level_discount", "description": "Discount", "amount": 100}
    ]


def test_an_invoice_that_does_not_add_up_is_not_sent() -> None:
    with pytest.raises(InvalidRecord, match="its total is 1072"):
        render("invoice", **{**INVOICE, "total_minor": 1072})
    with pytest.raises(InvalidRecord, match="draft"):
        render("invoice", **{**INVOICE, "status": "draft"})


def test_a_bad_debt_is_imported_as_one() -> None:
    body = render("invoice", **{**INVOICE, "status": "uncollectible", "written_off_minor": 71})
    assert body["status"] == "not_paid"
    assert (body["is_written_off"], body["write_off_amount"]) == (True, 71)
    assert render("invoice", **{**INVOICE, "status": "void"})["status"] == "voided"


def test_a_payment_is_recorded_and_never_charged() -> None:
    body = render(
        "payment", customer_id="c", currency="USD", amount_minor=500, status="succeeded",
        method="card", received_at="2026-01-31T12:00:00Z", reference="CHQ 7",
        allocations=[{"invoice_id": "7", "amount_minor": 500}, {"invoice_id": None,
                                                                "amount_minor": 1}],
    )  # fmt: skip
    assert body == {
        "customer_id": "c", "currency_code": "USD", "amount": 500, "date": 1769860800,
        "payment_method": "other",  # a card was charged elsewhere, not here
        "comment": "CHQ 7", "allocations": [{"invoice_id": "7", "amount": 500}],
    }  # fmt: skip
    assert render("payment", currency="USD", method="check")["payment_method"] == "check"
    with pytest.raises(InvalidRecord, match="succeeded"):
        render("payment", currency="USD", status="failed")


def test_a_refund_names_what_it_pays_back() -> None:
    body = render("refund", credit_note_id="CN", payment_id="t", currency="USD", amount_minor=5,
                  refunded_at="2026-01-31T12:00:00Z")  # fmt: skip
    assert body == {
        "credit_note_id": "CN", "payment_id": "t", "amount": 5, "date": 1769860800,
        "payment_method": "other",
    }  # fmt: skip


def test_a_credit_note_is_imported_by_where_it_went() -> None:
    fields = {"invoice_id": "7", "currency": "USD", "issued_on": date(2026, 1, 31),
              "total_minor": 500, "tax_minor": 0, "reason": "order_change"}  # fmt: skip
    spent = render("credit_note", **fields, allocations=[{"invoice_id": "7", "amount_minor": 500}])
    assert (spent["type"], spent["status"], spent["total"]) == ("adjustment", "adjusted", 500)
    assert spent["allocations"] == [
        {"invoice_id": "7", "allocated_amount": 500, "allocated_at": 1769814000}
    ]
    assert spent["create_reason_code"] == "order_change"
    assert [row["amount"] for row in spent["line_items"]] == [500]
    kept = render("credit_note", **fields)
    assert (kept["type"], kept["status"], kept["allocations"]) == ("refundable", "refund_due", [])


def test_usage_goes_back_as_it_came() -> None:
    body = render("usage", subscription_id="s", item_id="p", quantity="3.5",
                  starts_at="2026-01-31T12:00:00Z")  # fmt: skip
    assert body == {
        "subscription_id": "s", "item_price_id": "p", "quantity": "3.5", "usage_date": 1769860800
    }  # fmt: skip


def test_an_overlay_maps_the_sites_own_fields(tmp_path: Path) -> None:
    overlay = tmp_path / "own.yaml"
    overlay.write_text(
        "customer:\n  fields:\n    custom.tier: {path: cf_tier, write: always}\n"
        "    external_ids.netsuite: cf_netsuite_id\n"
        "invoice:\n  fields:\n    status: {values: {disputed: open}}\n"
    )
    mapper = load_mapping("chargebee", [overlay]).compile(
        system="c", options={"open_invoice": "posted"}
    )
    found = mapper.parse("customer", {"id": "c", "cf_tier": "gold", "cf_netsuite_id": 12})
    assert found.custom["tier"] == "gold" and found.external_ids == {"netsuite": "12"}
    assert mapper.render("customer", {"custom.tier": "x"}, creating=False) == {"cf_tier": "x"}
    assert mapper.render("invoice", INVOICE, creating=True)["status"] == "posted"
