"""The official Chargebee client of Python works against the stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chargebee_session import DAY, NOW, Stage, stage

chargebee = pytest.importorskip("chargebee", reason="the official chargebee client is missing")


@pytest.fixture
def cb() -> Iterator[Stage]:
    with stage() as running:
        running.catalogue()
        yield running


@pytest.fixture
def client(cb: Stage, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The client forces https unless the class says otherwise, and builds its address from names.
    monkeypatch.setattr(chargebee.Chargebee, "verify_ca_certs", False)
    login = cb.stand_in.credentials()
    made = chargebee.Chargebee(api_key=login["api_key"], site=login["site"], protocol="http")
    made.env.api_endpoint = f"{cb.running.url}/api/v2"
    return made


def listed(call: Any, params: dict[str, Any]) -> list[Any]:
    """All rows, as the client's documentation pages."""
    found: list[Any] = []
    while True:
        page = call({**params})
        found += page.list
        if not page.next_offset:
            return found
        params["offset"] = page.next_offset


def test_customers_come_and_go(client: Any) -> None:
    made = client.Customer.create(
        {
            "id": "acme",
            "email": "books@example.com",
            "auto_collection": "off",
            "billing_address": {"city": "Walnut", "country": "US"},
            "meta_data": json.dumps({"tieout": "7"}),
        }
    )
    assert made.customer.id == "acme"
    assert made.customer.billing_address.city == "Walnut"
    assert made.customer.meta_data == {"tieout": "7"}
    client.Customer.add_contact("acme", {"contact": {"id": "k", "email": "k@example.com"}})
    contacts = client.Customer.contacts_for_customer("acme", {}).list
    assert [one.contact.email for one in contacts] == ["k@example.com"]
    client.Customer.update("acme", {"first_name": "Ann"})
    assert client.Customer.retrieve("acme").customer.first_name == "Ann"
    client.Customer.delete("acme")
    with pytest.raises(chargebee.InvalidRequestError) as refusal:
        client.Customer.retrieve("acme")
    assert (refusal.value.http_status_code, refusal.value.api_error_code) == (
        404,
        "resource_not_found",
    )


def test_refusals_are_the_clients_own_errors(client: Any) -> None:
    client.Customer.create({"id": "acme"})
    with pytest.raises(chargebee.InvalidRequestError) as refusal:
        client.Customer.create({"id": "acme"})
    assert (refusal.value.api_error_code, refusal.value.param) == ("duplicate_entry", "id")
    with pytest.raises(chargebee.PaymentError):
        client.Subscription.create_with_items(
            "acme", {"subscription_items": [{"item_price_id": "seat-monthly"}]}
        )
    with pytest.raises(chargebee.APIError) as other:
        client.Plan.list({})
    assert other.value.api_error_code == "configuration_incompatible"


def test_a_wrong_key(cb: Stage, client: Any) -> None:
    client.env.api_key = "wrong"
    with pytest.raises(chargebee.APIError) as refusal:
        client.Customer.list({})
    assert refusal.value.api_error_code == "api_authentication_failed"


def test_lists_with_filters_and_pages(cb: Stage, client: Any) -> None:
    for at in range(12):
        cb.customer(f"c{at:02}", first_name="Ann" if at % 2 else "Bob")
        cb.clock.move(60)
    sort = {"sort_by": {"asc": "updated_at"}, "limit": 5}
    every = listed(client.Customer.list, {**sort})
    assert [one.customer.id for one in every] == [f"c{at:02}" for at in range(12)]
    window = {"updated_at": {"between": [NOW + 60, NOW + 180]}}
    found = listed(client.Customer.list, {**sort, **window})
    assert [one.customer.id for one in found] == ["c01", "c02", "c03"]
    named = listed(
        client.Customer.list, {"id": {"in": ["c03", "c04"]}, "first_name": {"is": "Ann"}}
    )
    assert [one.customer.id for one in named] == ["c03"]
    late = listed(client.Customer.list, {"created_at": {"after": NOW + 10 * 60}})
    assert [one.customer.id for one in late] == ["c11"]
    assert listed(client.Customer.list, {"include_deleted": True, "limit": 100})


def test_subscriptions_invoices_and_credit_notes(client: Any) -> None:
    client.Customer.create({"id": "acme", "auto_collection": "off"})
    made = client.Subscription.create_with_items(
        "acme",
        {
            "id": "sub",
            "subscription_items": [
                {"item_price_id": "seat-monthly", "quantity": 3},
                {"item_price_id": "setup-once"},
            ],
        },
    )
    assert made.subscription.subscription_items[0].quantity == 3
    assert made.customer.id == "acme"
    id = made.invoice.id
    assert made.invoice.total == 5000
    paid = client.Invoice.record_payment(
        id,
        {
            "transaction": {
                "amount": 5000,
                "payment_method": chargebee.PaymentMethod.BANK_TRANSFER,
                "date": NOW,
                "reference_number": "wire-1",
            }
        },
    )
    assert paid.transaction.linked_invoices[0].invoice_id == id
    note = client.CreditNote.create(
        {"reference_invoice_id": id, "type": "refundable", "reason_code": "waiver", "total": 500}
    ).credit_note
    refunded = client.CreditNote.record_refund(
        note.id, {"transaction": {"payment_method": "bank_transfer", "date": NOW}}
    )
    assert refunded.credit_note.status == "refunded"
    assert refunded.transaction.linked_credit_notes[0].cn_id == note.id
    assert client.Invoice.retrieve(id, {"line_items_limit": 1}).invoice.line_items_next_offset
    found = client.Invoice.list({"status": {"in": ["paid", "posted"]}, "total": {"gte": 5000}})
    assert [one.invoice.id for one in found.list] == [id]
    client.Subscription.update_for_items(
        "sub", {"subscription_items": [{"item_price_id": "seat-monthly", "quantity": 4}]}
    )
    gone = client.Subscription.cancel_for_items("sub", {"end_of_term": True}).subscription
    assert gone.status == "non_renewing"
    types = [one.event.event_type for one in listed(client.Event.list, {"limit": 100})]
    assert types[-1] == "subscription_cancellation_scheduled"
    event = client.Event.list({"limit": 1, "sort_by": {"desc": "occurred_at"}}).list[0].event
    assert client.Event.retrieve(event.id).event.content["subscription"]["id"] == "sub"


def test_the_catalogue(client: Any) -> None:
    client.Item.create(
        {"id": "big", "name": "Big", "type": "plan", "item_family_id": "fam",
         "metadata": json.dumps({"a": 1})}
    )  # fmt: skip
    price = client.ItemPrice.create(
        {
            "id": "big-year",
            "name": "Big yearly",
            "item_id": "big",
            "pricing_model": "tiered",
            "period": 1,
            "period_unit": "year",
            "tiers": [
                {"starting_unit": 1, "ending_unit": 5, "price": 100},
                {"starting_unit": 6, "price": 80},
            ],
            "accounting_detail": {"sku": "B-1"},
        }
    ).item_price
    assert [tier.price for tier in price.tiers] == [100, 80]
    assert price.accounting_detail.sku == "B-1"
    names = client.Item.list({"type": {"is": "plan"}, "sort_by": {"asc": "name"}}).list
    assert [one.item.name for one in names] == ["Big", "Seat"]
    client.Item.update("big", {"external_name": "Bigger"})
    assert client.Item.retrieve("big").item.external_name == "Bigger"
    assert client.Configuration.list().configurations[0].product_catalog_version == "v2"


def test_history_is_imported(client: Any) -> None:
    client.Customer.create({"id": "acme"})
    old = client.Subscription.import_for_items(
        "acme",
        {
            "id": "old",
            "status": "active",
            "current_term_start": NOW - DAY,
            "current_term_end": NOW + DAY,
            "subscription_items": [{"item_price_id": "seat-monthly", "quantity": 2}],
        },
    ).subscription
    assert old.mrr == 2000
    invoice = client.Invoice.import_invoice(
        {
            "id": "old-1",
            "customer_id": "acme",
            "date": NOW - DAY,
            "total": 700,
            "line_items": [{"description": "Work", "unit_amount": 700, "quantity": 1}],
            "payments": [{"amount": 700, "payment_method": "cash", "date": NOW - DAY}],
        }
    ).invoice
    assert (invoice.status, invoice.amount_paid) == ("paid", 700)
    payments = client.Transaction.payments_for_invoice("old-1", {}).list
    assert payments[0].transaction.payment_method == "cash"


def test_keys_are_replayed(client: Any) -> None:
    headers = {"chargebee-idempotency-key": "k-1"}
    first = client.Customer.create({"first_name": "Ann"}, headers)
    again = client.Customer.create({"first_name": "Ann"}, headers)
    assert first.customer.id == again.customer.id
    assert (first.is_idempotency_replayed, again.is_idempotency_replayed) == (False, True)


def test_an_export_is_waited_for(cb: Stage, client: Any) -> None:
    cb.customer()
    client.env.export_retry_delay_ms = 1
    export = client.Export.customers({"customer": {"id": {"is": "acme"}}}).export
    done = client.Export.wait_for_export_completion(export).export
    assert done.status == "completed"
    assert done.download.download_url.startswith(cb.running.url)


def test_usage_credits_and_charges(cb: Stage, client: Any) -> None:
    cb.customer()
    client.Item.create(
        {"id": "use", "name": "Use", "type": "addon", "item_family_id": "fam", "metered": True}
    )
    client.ItemPrice.create(
        {
            "id": "use-m", "name": "Use m", "item_id": "use", "price": 7,
            "pricing_model": "per_unit", "period": 1, "period_unit": "month",
        }
    )  # fmt: skip
    items = [{"item_price_id": "seat-monthly"}, {"item_price_id": "use-m"}]
    client.Subscription.create_with_items("acme", {"id": "sub", "subscription_items": items})
    usage = {"id": "u", "item_price_id": "use-m", "quantity": "2", "usage_date": NOW}
    assert client.Usage.create("sub", usage).usage.quantity == "2"
    assert client.Usage.retrieve("sub", {"id": "u"}).usage.item_price_id == "use-m"
    assert len(client.Usage.list({"usage_date": {"after": NOW - 1}}).list) == 1
    client.Usage.delete("sub", {"id": "u"})
    assert client.Usage.list({}).list == []
    added = client.PromotionalCredit.add(
        {"customer_id": "acme", "amount": 50, "description": "Sorry"}
    )
    assert added.customer.promotional_credits == 50
    assert client.PromotionalCredit.list({}).list[0].promotional_credit.amount == 50
    charges = [{"amount": 80, "description": "Extra"}]
    made = client.UnbilledCharge.create({"subscription_id": "sub", "charges": charges})
    assert made.unbilled_charges[0].amount == 80
    invoice = client.UnbilledCharge.invoice_unbilled_charges({"subscription_id": "sub"}).invoices[0]
    assert (invoice.sub_total, invoice.total) == (80, 30)
    coupon = client.Coupon.create_for_items(
        {
            "id": "ten", "name": "Ten", "discount_type": "percentage", "discount_percentage": 10,
            "apply_on": "invoice_amount", "duration_type": "forever",
        }
    ).coupon  # fmt: skip
    assert coupon.discount_percentage == 10
    cut = client.Invoice.create_for_charge_items_and_charges(
        {"customer_id": "acme", "coupon_ids": ["ten"], "charges": charges}
    ).invoice
    assert (cut.total, cut.discounts[0].entity_id) == (72, "ten")
    payment = client.Invoice.record_payment(
        cut.id, {"transaction": {"payment_method": "cash", "date": NOW}}
    ).transaction
    dispute = cb.stand_in.open_dispute(payment.id)
    assert client.Dispute.retrieve(dispute).dispute.transaction_id == payment.id
    back = client.Transaction.list({"type": {"is": "payment_reversal"}}).list[0].transaction
    assert back.amount == 72


def test_webhook_endpoints(client: Any) -> None:
    made = client.WebhookEndpoint.create(
        {"name": "Books", "url": "http://127.0.0.1:1/x", "disabled": True,
         "enabled_events": ["customer_created"]}
    ).webhook_endpoint  # fmt: skip
    assert client.WebhookEndpoint.list({}).list[0].webhook_endpoint.id == made.id
    client.WebhookEndpoint.update(made.id, {"name": "Ledger"})
    assert client.WebhookEndpoint.retrieve(made.id).webhook_endpoint.name == "Ledger"
    client.WebhookEndpoint.delete(made.id)


def test_the_older_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chargebee.Chargebee, "verify_ca_certs", False)
    with stage(catalog=1) as cb:
        key = cb.stand_in.credentials()["api_key"]
        client = chargebee.Chargebee(api_key=key, site="acme-test", protocol="http")
        client.env.api_endpoint = f"{cb.running.url}/api/v2"
        client.Plan.create({"id": "basic", "name": "Basic", "price": 900})
        client.Customer.create({"id": "acme", "auto_collection": "off"})
        made = client.Subscription.create_for_customer(
            "acme", {"id": "s", "plan_id": "basic", "plan_quantity": 2}
        )
        assert (made.subscription.plan_quantity, made.invoice.total) == (2, 900)
        changed = client.Subscription.update("s", {"plan_unit_price": 1200, "prorate": False})
        assert changed.subscription.mrr == 1200
        assert client.Subscription.cancel("s", {}).subscription.status == "cancelled"
        assert client.Plan.list({"status": {"is": "active"}}).list[0].plan.id == "basic"
        with pytest.raises(chargebee.APIError) as refusal:
            client.ItemPrice.list({})
        assert refusal.value.api_error_code == "configuration_incompatible"
