"""The lives of Chargebee's objects: what a write does to its neighbours, and the sums that hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from chargebee_session import DAY, NOW, Stage, balanced_invoice, balanced_note, stage

OFFLINE = {"transaction[payment_method]": "bank_transfer", "transaction[date]": NOW}


@pytest.fixture
def cb() -> Iterator[Stage]:
    with stage() as running:
        running.catalogue()
        running.customer()
        yield running


def pay(cb: Stage, id: str, amount: int | None = None, **more: Any) -> Any:
    sent = {**OFFLINE, **more}
    if amount is not None:
        sent["transaction[amount]"] = amount
    return cb.post(f"invoices/{id}/record_payment", sent)


# Subscriptions


def test_a_subscription_bills_its_first_term_and_renews(cb: Stage) -> None:
    made = cb.subscription()
    subscription, invoice = made["subscription"], made["invoice"]
    assert (subscription["status"], subscription["mrr"]) == ("active", 3000)
    # One month from 31 January is 28 February.
    assert subscription["current_term_end"] - NOW == 28 * DAY
    assert (invoice["total"], invoice["first_invoice"], invoice["recurring"]) == (3000, True, True)
    line = invoice["line_items"][0]
    assert (line["entity_type"], line["entity_id"]) == ("plan_item_price", "seat-monthly")
    assert (line["date_from"], line["date_to"]) == (NOW, subscription["current_term_end"])
    assert subscription["total_dues"] == 3000
    cb.clock.move(28 * DAY)
    invoices = cb.rows("invoice", "invoices", {"subscription_id[is]": "sub"})
    assert [one["total"] for one in invoices] == [3000, 3000]
    assert invoices[1]["date"] == subscription["current_term_end"]
    again = cb.get("subscriptions/sub")["subscription"]
    assert again["current_term_start"] == subscription["current_term_end"]
    assert (again["due_invoices_count"], again["total_dues"]) == (2, 6000)
    assert "subscription_renewed" in cb.events()


def test_dues_move_without_the_timestamp(cb: Stage) -> None:
    made = cb.subscription()
    cb.clock.move(60)
    pay(cb, made["invoice"]["id"])
    after = cb.get("subscriptions/sub")["subscription"]
    assert "total_dues" not in after
    assert after["updated_at"] == made["subscription"]["updated_at"]


def test_a_charge_is_billed_once(cb: Stage) -> None:
    sent = {"subscription_items[item_price_id][1]": "setup-once"}
    made = cb.subscription(**sent)
    assert made["invoice"]["total"] == 5000
    assert made["subscription"]["mrr"] == 3000
    cb.clock.move(28 * DAY)
    assert cb.rows("invoice", "invoices")[-1]["total"] == 3000


def test_a_trial_ends_in_a_first_term(cb: Stage) -> None:
    made = cb.subscription(trial_end=NOW + 5 * DAY)
    assert made["subscription"]["status"] == "in_trial"
    assert made["subscription"]["mrr"] == 0
    assert "invoice" not in made
    cb.clock.move(5 * DAY)
    after = cb.get("subscriptions/sub")["subscription"]
    assert (after["status"], after["activated_at"]) == ("active", NOW + 5 * DAY)
    assert cb.rows("invoice", "invoices")[0]["total"] == 3000


def test_a_future_subscription_starts(cb: Stage) -> None:
    made = cb.subscription(start_date=NOW + DAY)
    assert made["subscription"]["status"] == "future"
    cb.clock.move(DAY)
    assert cb.get("subscriptions/sub")["subscription"]["status"] == "active"


def test_a_change_charges_and_credits_the_rest_of_the_term(cb: Stage) -> None:
    first = cb.subscription()["invoice"]
    pay(cb, first["id"])
    cb.clock.move(14 * DAY)  # half of the 28 days
    made = cb.post(
        "subscriptions/sub/update_for_items",
        {
            "subscription_items[item_price_id][0]": "seat-monthly",
            "subscription_items[quantity][0]": 5,
        },
    )
    assert made["subscription"]["mrr"] == 5000
    # Half of 50.00 is charged; half of 30.00 is credited, and pays a part of it.
    invoice = made["invoice"]
    assert (invoice["total"], invoice["credits_applied"], invoice["amount_due"]) == (
        2500,
        1500,
        1000,
    )
    note = cb.rows("credit_note", "credit_notes")[0]
    assert (note["type"], note["total"], note["reason_code"]) == (
        "refundable",
        1500,
        "subscription_change",
    )
    assert note["allocations"][0]["invoice_id"] == invoice["id"]
    assert note["status"] == "refunded"


def test_a_change_at_the_end_of_the_term_waits(cb: Stage) -> None:
    cb.subscription()
    answer = cb.ask("subscriptions/sub/retrieve_with_scheduled_changes")
    assert answer.status_code == 400
    made = cb.post(
        "subscriptions/sub/update_for_items",
        {
            "subscription_items[item_price_id][0]": "seat-monthly",
            "subscription_items[quantity][0]": 1,
            "end_of_term": "true",
        },
    )
    assert made["subscription"]["has_scheduled_changes"] is True
    assert made["subscription"]["mrr"] == 3000
    seen = cb.rows("subscription", "subscriptions", {"has_scheduled_changes[is]": "true"})
    assert [one["id"] for one in seen] == ["sub"]
    preview = cb.get("subscriptions/sub/retrieve_with_scheduled_changes")["subscription"]
    assert preview["subscription_items"][0]["quantity"] == 1
    cb.clock.move(28 * DAY)
    after = cb.get("subscriptions/sub")["subscription"]
    assert (after["mrr"], after["has_scheduled_changes"]) == (1000, False)
    assert cb.rows("invoice", "invoices")[-1]["total"] == 1000


def test_a_cancellation_at_the_end_of_the_term_lies_in_the_future(cb: Stage) -> None:
    end = cb.subscription()["subscription"]["current_term_end"]
    made = cb.post("subscriptions/sub/cancel_for_items", {"end_of_term": "true"})["subscription"]
    assert (made["status"], made["cancelled_at"]) == ("non_renewing", end)
    assert end > NOW
    assert "next_billing_at" not in made
    cb.post("subscriptions/sub/remove_scheduled_cancellation")
    assert cb.get("subscriptions/sub")["subscription"]["status"] == "active"
    cb.post("subscriptions/sub/cancel_for_items", {"end_of_term": "true"})
    cb.clock.move(28 * DAY)
    after = cb.get("subscriptions/sub")["subscription"]
    assert (after["status"], after["mrr"]) == ("cancelled", 0)
    assert len(cb.rows("invoice", "invoices")) == 1


def test_a_cancelled_subscription_takes_no_changes(cb: Stage) -> None:
    cb.subscription()
    cb.post("subscriptions/sub/cancel_for_items")
    for action in ("cancel_for_items", "update_for_items"):
        assert cb.refused(f"subscriptions/sub/{action}", {"subscription_items[item_price_id][0]":
                          "seat-monthly"} if action == "update_for_items" else {})[:2] == (
            409, "invalid_state_for_request")  # fmt: skip
    back = cb.post("subscriptions/sub/reactivate")
    assert back["subscription"]["status"] == "active"
    assert back["invoice"]["total"] == 3000


def test_a_prorated_cancellation_adjusts_what_is_due(cb: Stage) -> None:
    invoice = cb.subscription()["invoice"]
    cb.clock.move(14 * DAY)
    cb.post(
        "subscriptions/sub/cancel_for_items",
        {"credit_option_for_current_term_charges": "prorate"},
    )
    after = cb.get(f"invoices/{invoice['id']}")["invoice"]
    assert (after["amount_adjusted"], after["amount_due"]) == (1500, 1500)
    assert after["adjustment_credit_notes"][0]["cn_reason_code"] == "subscription_cancellation"


def test_an_import_charges_nothing(cb: Stage) -> None:
    made = cb.post(
        "customers/acme/import_for_items",
        {
            "id": "old",
            "status": "active",
            "subscription_items[item_price_id][0]": "seat-monthly",
            "subscription_items[quantity][0]": 2,
            "started_at": NOW - 400 * DAY,
            "current_term_start": NOW - 10 * DAY,
            "current_term_end": NOW + 20 * DAY,
        },
    )
    assert "invoice" not in made
    assert made["subscription"]["mrr"] == 2000
    assert made["subscription"]["started_at"] == NOW - 400 * DAY
    cb.clock.move(20 * DAY)
    assert cb.rows("invoice", "invoices")[0]["total"] == 2000


def test_paused_and_resumed(cb: Stage) -> None:
    cb.subscription()
    paused = cb.post("subscriptions/sub/pause")["subscription"]
    assert (paused["status"], paused["mrr"]) == ("paused", 0)
    cb.clock.move(40 * DAY)
    assert len(cb.rows("invoice", "invoices")) == 1
    resumed = cb.post("subscriptions/sub/resume")
    assert resumed["subscription"]["status"] == "active"
    assert resumed["invoice"]["total"] == 3000


def test_the_price_in_use_keeps_its_period(cb: Stage) -> None:
    cb.subscription()
    assert cb.refused("item_prices/seat-monthly", {"period_unit": "year"}) == (
        409,
        "invalid_state_for_request",
        "period_unit",
    )
    assert cb.post("item_prices/seat-monthly/delete")["item_price"]["status"] == "archived"
    assert cb.post("item_prices/more-monthly/delete")["item_price"]["status"] == "deleted"


@pytest.mark.parametrize(
    ("model", "quantity", "amount"),
    [
        # Tiers: 1-10 at 100, from 11 on at 80.
        ("tiered", 15, 10 * 100 + 5 * 80),
        ("volume", 15, 15 * 80),
        ("stairstep", 15, 80),
        ("tiered", 10, 1000),
        ("volume", 10, 1000),
        ("stairstep", 10, 100),
    ],
)
def test_pricing_models(cb: Stage, model: str, quantity: int, amount: int) -> None:
    cb.post(
        "item_prices",
        {
            "id": "t", "name": "T", "item_id": "seat", "pricing_model": model, "period": 1,
            "period_unit": "year", "tiers[starting_unit][0]": 1, "tiers[ending_unit][0]": 10,
            "tiers[price][0]": 100, "tiers[starting_unit][1]": 11, "tiers[price][1]": 80,
        },
    )  # fmt: skip
    made = cb.subscription(
        **{
            "subscription_items[item_price_id][0]": "t",
            "subscription_items[quantity][0]": quantity,
        }
    )
    assert made["invoice"]["total"] == amount


def test_metered_use_is_billed_when_the_term_ends(cb: Stage) -> None:
    cb.post(
        "items",
        {"id": "use", "name": "Use", "type": "addon", "item_family_id": "fam", "metered": "true"},
    )
    cb.post(
        "item_prices",
        {
            "id": "use-monthly", "name": "Use monthly", "item_id": "use", "price": 7,
            "pricing_model": "per_unit", "period": 1, "period_unit": "month",
        },
    )  # fmt: skip
    made = cb.subscription(**{"subscription_items[item_price_id][1]": "use-monthly"})
    assert (made["invoice"]["total"], made["subscription"]["mrr"]) == (3000, 3000)
    cb.clock.move(DAY)
    usage = {"item_price_id": "use-monthly", "quantity": "11", "usage_date": NOW + DAY}
    made = cb.post("subscriptions/sub/usages", {"id": "u1", **usage})["usage"]
    assert made["quantity"] == "11"
    assert cb.refused("subscriptions/sub/usages", {"id": "u1", **usage})[1] == "duplicate_entry"
    assert cb.get("subscriptions/sub/usages", {"id": "u1"})["usage"] == made
    assert cb.rows("usage", "usages", {"subscription_id[is]": "sub"}) == [made]
    cb.clock.move(27 * DAY)
    assert cb.rows("invoice", "invoices")[-1]["total"] == 3000 + 77


# Invoices and money


def test_a_payment_in_parts_and_an_excess(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    assert (invoice["status"], invoice["amount_due"]) == ("payment_due", 1000)
    cb.clock.move(60)
    part = pay(cb, invoice["id"], 400, **{"transaction[reference_number]": "wire-7"})
    assert part["invoice"]["status"] == "payment_due"
    assert part["invoice"]["updated_at"] == NOW + 60
    assert part["transaction"]["linked_invoices"][0]["applied_amount"] == 400
    rest = pay(cb, invoice["id"], 900)
    assert (rest["invoice"]["status"], rest["invoice"]["amount_due"]) == ("paid", 0)
    assert rest["transaction"]["amount_unused"] == 300
    assert cb.get("customers/acme")["customer"]["excess_payments"] == 300
    found = cb.rows("transaction", "transactions", {"reference_number[is]": "wire-7"})
    assert [one["amount"] for one in found] == [400]
    assert len(cb.rows("transaction", f"invoices/{invoice['id']}/payments")) == 2
    following = cb.invoice(1000)
    assert (following["amount_paid"], following["amount_due"]) == (300, 700)
    assert cb.get("customers/acme")["customer"]["excess_payments"] == 0
    refused = cb.refused(f"invoices/{invoice['id']}/record_payment", OFFLINE)
    assert refused[:2] == (409, "invalid_state_for_request")


def test_a_failed_payment_is_linked_and_does_not_count(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    made = pay(cb, invoice["id"], 1000, **{"transaction[status]": "failure"})
    link = made["invoice"]["linked_payments"][0]
    assert (link["applied_amount"], link["txn_status"]) == (1000, "failure")
    assert (made["invoice"]["amount_paid"], made["invoice"]["amount_due"]) == (0, 1000)


def test_a_write_off_counts_as_paid(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    pay(cb, invoice["id"], 250)
    made = cb.post(f"invoices/{invoice['id']}/write_off")
    after, note = made["invoice"], made["credit_note"]
    assert (after["status"], after["amount_paid"]) == ("paid", 250)
    assert (after["amount_adjusted"], after["write_off_amount"]) == (750, 750)
    assert (note["type"], note["reason_code"], note["status"]) == (
        "adjustment",
        "write_off",
        "adjusted",
    )
    assert (note["amount_allocated"], note["amount_available"]) == (750, 0)


def test_a_voided_invoice_frees_its_payments(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    payment = pay(cb, invoice["id"])["transaction"]
    after = cb.post(f"invoices/{invoice['id']}/void")["invoice"]
    assert (after["status"], after["voided_at"], after["amount_paid"]) == ("voided", NOW, 0)
    assert cb.get("customers/acme")["customer"]["excess_payments"] == 1000
    freed = cb.get(f"transactions/{payment['id']}")["transaction"]
    assert (freed["amount_unused"], freed["linked_invoices"]) == (1000, [])
    assert cb.refused(f"invoices/{invoice['id']}/void")[0] == 409
    assert cb.events()[-1] == "invoice_updated"


def test_terms_of_payment(cb: Stage) -> None:
    invoice = cb.invoice(1000, net_term_days=30)
    assert (invoice["status"], invoice["due_date"]) == ("posted", NOW + 30 * DAY)
    cb.clock.move(30 * DAY)
    after = cb.get(f"invoices/{invoice['id']}")["invoice"]
    assert (after["status"], after["updated_at"]) == ("payment_due", NOW + 30 * DAY)


def test_a_refund_makes_a_credit_note_and_leaves_what_was_paid(cb: Stage) -> None:
    invoice = cb.invoice(900)
    payment = pay(cb, invoice["id"])["transaction"]
    made = cb.post(
        f"invoices/{invoice['id']}/record_refund",
        {
            **OFFLINE,
            "transaction[amount]": 200,
            "transaction[reference_number]": "back-1",
            "credit_note[reason_code]": "waiver",
        },
    )
    after, refund, note = made["invoice"], made["transaction"], made["credit_note"]
    assert (after["amount_paid"], after["status"]) == (900, "paid")
    assert after["issued_credit_notes"][0]["cn_status"] == "refunded"
    assert (refund["type"], refund["amount"]) == ("refund", 200)
    assert refund["refunded_txn_id"] == payment["id"]
    assert refund["reference_number"] == "back-1"
    assert (note["amount_refunded"], note["reason_code"]) == (200, "waiver")
    source = cb.get(f"transactions/{payment['id']}")["transaction"]
    assert source["linked_refunds"][0]["txn_amount"] == 200
    too_much = cb.refused(
        f"invoices/{invoice['id']}/record_refund", {**OFFLINE, "transaction[amount]": 701}
    )
    assert too_much[0] == 400


def test_credit_notes_are_applied_and_given_back(cb: Stage) -> None:
    paid = cb.invoice(1000)
    pay(cb, paid["id"])
    note = cb.post(
        "credit_notes",
        {"reference_invoice_id": paid["id"], "type": "refundable", "total": 600,
         "reason_code": "product_unsatisfactory"},
    )["credit_note"]  # fmt: skip
    assert (note["status"], note["amount_available"]) == ("refund_due", 600)
    assert cb.get("customers/acme")["customer"]["refundable_credits"] == 600
    following = cb.invoice(500)
    assert (following["credits_applied"], following["status"]) == (500, "paid")
    assert following["applied_credits"][0]["cn_id"] == note["id"]
    after = cb.get(f"credit_notes/{note['id']}")["credit_note"]
    assert (after["amount_allocated"], after["amount_available"]) == (500, 100)
    assert cb.refused(f"credit_notes/{note['id']}/void")[0] == 409
    cb.post(f"invoices/{following['id']}/remove_credit_note", {"credit_note[id]": note["id"]})
    freed = cb.get(f"invoices/{following['id']}")["invoice"]
    assert (freed["status"], freed["amount_due"]) == ("payment_due", 500)
    cb.post(f"credit_notes/{note['id']}/record_refund", {**OFFLINE, "transaction[amount]": 600})
    done = cb.get(f"credit_notes/{note['id']}")["credit_note"]
    assert (done["status"], done["amount_refunded"]) == ("refunded", 600)
    assert cb.get("customers/acme")["customer"]["refundable_credits"] == 0


def test_an_adjustment_takes_off_what_is_due(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    sent = {"reference_invoice_id": invoice["id"], "type": "adjustment"}
    assert cb.refused("credit_notes", {**sent, "total": 1001})[2] == "total"
    made = cb.post("credit_notes", {**sent, "total": 300})
    assert made["invoice"]["amount_due"] == 700
    id = made["credit_note"]["id"]
    voided = cb.post(f"credit_notes/{id}/void")["credit_note"]
    assert (voided["status"], voided["amount_allocated"]) == ("voided", 0)
    after = cb.get(f"invoices/{invoice['id']}")["invoice"]
    assert (after["amount_due"], after["amount_adjusted"]) == (1000, 0)
    assert after["adjustment_credit_notes"][0]["cn_status"] == "voided"


def test_promotional_credits_are_a_discount(cb: Stage) -> None:
    made = cb.post(
        "promotional_credits/add", {"customer_id": "acme", "amount": 300, "description": "Sorry"}
    )
    assert made["promotional_credit"]["closing_balance"] == 300
    invoice = cb.invoice(1000)
    assert (invoice["total"], invoice["sub_total"]) == (700, 1000)
    assert invoice["discounts"][0]["entity_type"] == "promotional_credits"
    movements = cb.rows("promotional_credit", "promotional_credits", {"customer_id[is]": "acme"})
    assert [(one["type"], one["closing_balance"]) for one in movements] == [
        ("increment", 300),
        ("decrement", 0),
    ]
    assert (
        cb.refused(
            "promotional_credits/deduct",
            {"customer_id": "acme", "amount": 1, "description": "x"},
        )[0]
        == 400
    )


def test_a_pending_invoice_gets_its_number_when_closed(cb: Stage) -> None:
    draft = cb.invoice(1000, create_pending_invoice="true")
    assert (draft["status"], draft["id"].startswith("draft_inv_")) == ("pending", True)
    assert cb.refused(f"invoices/{draft['id']}/record_payment", OFFLINE)[0] == 409
    closed = cb.post(f"invoices/{draft['id']}/close")["invoice"]
    assert (closed["id"], closed["status"]) == ("1", "payment_due")
    assert cb.ask(f"invoices/{draft['id']}").status_code == 404
    assert [one["id"] for one in cb.rows("invoice", "invoices")] == ["1"]


def test_an_imported_invoice_must_add_up(cb: Stage) -> None:
    sent = {
        "id": "old-1",
        "customer_id": "acme",
        "date": NOW - 100 * DAY,
        "total": 1080,
        "line_items[description][0]": "Work",
        "line_items[unit_amount][0]": 500,
        "line_items[quantity][0]": 2,
        "line_items[amount][0]": 1000,
        "line_items[tax1_name][0]": "VAT",
        "line_items[tax1_amount][0]": 80,
        "taxes[name][0]": "VAT",
        "taxes[rate][0]": "8",
    }
    assert cb.refused("invoices/import_invoice", {**sent, "total": 1081})[2] == "total"
    made = cb.post("invoices/import_invoice", {**sent, "payments[amount][0]": 80,
                   "payments[payment_method][0]": "cash"})["invoice"]  # fmt: skip
    assert (made["sub_total"], made["tax"], made["total"]) == (1000, 80, 1080)
    assert (made["amount_paid"], made["amount_due"], made["status"]) == (80, 1000, "payment_due")
    assert made["taxes"] == [{"object": "tax", "name": "VAT", "description": "VAT", "amount": 80}]
    assert cb.refused("invoices/import_invoice", sent) == (400, "duplicate_entry", "id")
    note = cb.post(
        "credit_notes/import_credit_note",
        {
            "id": "old-cn",
            "reference_invoice_id": "old-1",
            "type": "adjustment",
            "create_reason_code": "Waiver",
            "date": NOW - 50 * DAY,
            "total": 400,
            "allocations[invoice_id][0]": "old-1",
            "allocations[allocated_amount][0]": 400,
            "allocations[allocated_at][0]": NOW - 50 * DAY,
        },
    )["credit_note"]
    assert (note["status"], note["amount_allocated"]) == ("adjusted", 400)
    assert cb.get("invoices/old-1")["invoice"]["amount_due"] == 600


def test_unbilled_charges_become_an_invoice(cb: Stage) -> None:
    cb.subscription()
    cb.post(
        "unbilled_charges",
        {"subscription_id": "sub", "charges[amount][0]": 250, "charges[description][0]": "Extra"},
    )
    assert cb.get("customers/acme")["customer"]["unbilled_charges"] == 250
    assert [one["amount"] for one in cb.rows("unbilled_charge", "unbilled_charges")] == [250]
    made = cb.post("unbilled_charges/invoice_unbilled_charges", {"subscription_id": "sub"})
    assert made["invoices"][0]["total"] == 250
    assert cb.rows("unbilled_charge", "unbilled_charges") == []
    assert cb.get("customers/acme")["customer"]["unbilled_charges"] == 0


def test_tax_withheld_is_one_more_term(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    made = cb.post(f"invoices/{invoice['id']}/record_tax_withheld", {"tax_withheld[amount]": 100})
    assert made["invoice"]["amount_due"] == 900
    assert balanced_invoice(made["invoice"])
    assert made["invoice"]["amount_paid"] == 0


# Cards


def test_a_card_is_charged_at_once(cb: Stage) -> None:
    cb.customer("card", auto_collection="on", **{"card[number]": "4111111111111111",
                "card[expiry_month]": 12, "card[expiry_year]": 2030})  # fmt: skip
    made = cb.subscription("card")
    invoice = made["invoice"]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 3000)
    payment = cb.get(f"transactions/{invoice['linked_payments'][0]['txn_id']}")["transaction"]
    assert (payment["gateway"], payment["masked_card_number"]) == ("chargebee", "************1111")
    assert made["card"]["last4"] == "1111"
    refund = cb.post(f"invoices/{invoice['id']}/refund", {"refund_amount": 1000})
    assert refund["transaction"]["payment_method"] == "card"


def test_a_refused_card_creates_nothing(cb: Stage) -> None:
    cb.customer("poor", auto_collection="on", **{"card[number]": "4119862760338320"})
    answer = cb.send(
        "customers/poor/subscription_for_items",
        {"id": "no", "subscription_items[item_price_id][0]": "seat-monthly"},
    )
    body = answer.json()
    assert (answer.status_code, body["type"]) == (400, "payment")
    assert body["api_error_code"] == "payment_processing_failed"
    assert cb.ask("subscriptions/no").status_code == 404
    assert cb.rows("invoice", "invoices") == []
    cb.customer("none", auto_collection="on")
    assert (
        cb.refused(
            "customers/none/subscription_for_items",
            {"subscription_items[item_price_id][0]": "seat-monthly"},
        )[1]
        == "payment_method_not_present"
    )


def test_a_change_that_cannot_be_paid_changes_nothing(cb: Stage) -> None:
    cb.customer("poor", **{"card[number]": "4119862760338320"})
    first = cb.subscription("poor")["invoice"]
    pay(cb, first["id"])
    cb.post("customers/poor", {"auto_collection": "on"})
    cb.clock.move(14 * DAY)
    change = {
        "subscription_items[item_price_id][0]": "seat-monthly",
        "subscription_items[quantity][0]": 9,
    }
    answer = cb.send("subscriptions/sub/update_for_items", change)
    assert (answer.status_code, answer.json()["type"]) == (400, "payment")
    assert cb.rows("credit_note", "credit_notes") == []
    assert cb.get("subscriptions/sub")["subscription"]["mrr"] == 3000
    fewer = {**change, "subscription_items[quantity][0]": 1}
    assert cb.post("subscriptions/sub/update_for_items", fewer)["subscription"]["mrr"] == 1000


def test_dunning_gives_up_in_the_end(cb: Stage) -> None:
    cb.customer("poor", auto_collection="off", **{"card[number]": "4119862760338320"})
    cb.subscription("poor")
    cb.post("customers/poor", {"auto_collection": "on"})
    cb.clock.move(28 * DAY)
    invoice = cb.rows("invoice", "invoices")[-1]
    assert (invoice["status"], invoice["dunning_status"]) == ("payment_due", "in_progress")
    assert invoice["linked_payments"][0]["txn_status"] == "failure"
    for _ in range(3):
        cb.clock.move(DAY)
        cb.get("customers")
    after = cb.get(f"invoices/{invoice['id']}")["invoice"]
    assert (after["status"], after["dunning_status"]) == ("not_paid", "exhausted")
    assert len(after["linked_payments"]) == 4
    assert after["amount_due"] == 3000


# Deletions


def test_deleted_things(cb: Stage) -> None:
    cb.subscription()
    assert cb.refused("customers/acme/delete")[0] == 409
    cb.post("subscriptions/sub/cancel_for_items")
    cb.post("subscriptions/sub/delete")
    cb.post("customers/acme/delete")
    assert cb.ask("customers/acme").status_code == 404
    assert cb.ask("customers/acme/contacts").status_code == 404
    gone = cb.rows("customer", "customers", {"include_deleted": "true"})
    assert [(one["id"], one["deleted"]) for one in gone] == [("acme", True)]
    assert cb.events()[-2:] == ["subscription_deleted", "customer_deleted"]


def test_contacts_live_inside_the_customer(cb: Stage) -> None:
    made = cb.post(
        "customers/acme/add_contact", {"contact[id]": "k1", "contact[email]": "a@example.com"}
    )
    assert made["customer"]["contacts"][0]["email"] == "a@example.com"
    cb.post("customers/acme/update_contact", {"contact[id]": "k1", "contact[label]": "Books"})
    listed = cb.get("customers/acme/contacts")["list"]
    assert listed[0]["contact"]["label"] == "Books"
    cb.post("customers/acme/delete_contact", {"contact[id]": "k1"})
    assert cb.get("customers/acme/contacts")["list"] == []


def test_plans_and_addons_of_the_older_catalogue() -> None:
    with stage(catalog=1) as cb:
        cb.customer()
        cb.post("plans", {"id": "basic", "name": "Basic", "price": 900})
        cb.post("addons", {"id": "data", "name": "Data", "price": 95, "charge_type": "recurring",
                           "period": 1, "period_unit": "month"})  # fmt: skip
        made = cb.post(
            "customers/acme/subscriptions",
            {"id": "s", "plan_id": "basic", "plan_quantity": 1, "addons[id][0]": "data"},
        )
        subscription, invoice = made["subscription"], made["invoice"]
        assert (subscription["plan_id"], subscription["plan_unit_price"]) == ("basic", 900)
        assert (invoice["total"], subscription["mrr"]) == (995, 995)
        assert {one["entity_type"] for one in invoice["line_items"]} == {"plan", "addon"}
        assert cb.post("plans/basic/delete")["plan"]["status"] == "archived"
        assert cb.post("addons/data/delete")["addon"]["status"] == "deleted"
        assert cb.rows("addon", "addons") == []
        assert len(cb.rows("addon", "addons", {"include_deleted": "true"})) == 1


# The sums hold whatever happens


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_hold_after_anything(cb: Stage, seed: int) -> None:
    chance = random.Random(seed)
    invoices = [cb.invoice(chance.randrange(100, 5000)) for _ in range(6)]
    done = 0
    for _ in range(80):
        id = chance.choice(invoices)["id"]
        amount = chance.randrange(1, 2000)
        action, sent = chance.choice(
            [
                ("record_payment", {**OFFLINE, "transaction[amount]": amount}),
                ("record_refund", {**OFFLINE, "transaction[amount]": amount}),
                ("record_tax_withheld", {"tax_withheld[amount]": amount}),
                ("apply_credits", {}),
                ("apply_payments", {}),
                ("write_off", {}) if chance.random() < 0.2 else ("void", {}),
            ]
        )
        answers = [cb.send(f"invoices/{id}/{action}", sent)]
        kind = chance.choice(["refundable", "adjustment"])
        note = {"reference_invoice_id": id, "type": kind, "total": amount}
        answers.append(cb.send("credit_notes", note))
        if answers[-1].ok and chance.random() < 0.4:
            made = answers[-1].json()["credit_note"]["id"]
            answers.append(cb.send(f"credit_notes/{made}/void"))
        assert {one.status_code for one in answers} <= {200, 400, 409}
        done += sum(one.ok for one in answers)
        for invoice in cb.rows("invoice", "invoices", {"limit": 100}):
            assert balanced_invoice(invoice), invoice
            assert (invoice["amount_due"] == 0) == (invoice["status"] == "paid") or (
                invoice["status"] == "voided"
            )
        for one in cb.rows("credit_note", "credit_notes", {"limit": 100}):
            assert balanced_note(one), one
    assert done > 20
    customer = cb.get("customers/acme")["customer"]
    payments = cb.rows("transaction", "transactions", {"type[is]": "payment", "limit": 100})
    assert customer["excess_payments"] == sum(one["amount_unused"] for one in payments)
    notes = cb.rows("credit_note", "credit_notes", {"status[is]": "refund_due", "limit": 100})
    assert customer["refundable_credits"] == sum(one["amount_available"] for one in notes)


# Disputes


def test_a_chargeback_shows_in_three_places(cb: Stage) -> None:
    invoice = cb.invoice(1000)
    payment = pay(cb, invoice["id"])["transaction"]
    id = cb.stand_in.open_dispute(payment["id"], 400)
    dispute = cb.rows("dispute", "disputes", {"transaction_id[is]": payment["id"]})[0]
    assert (dispute["id"], dispute["status"], dispute["amount"]) == (id, "funds_withdrawn", 400)
    assert dispute["is_partial_dispute"] is True
    reversal = cb.rows("transaction", "transactions", {"type[is]": "payment_reversal"})[0]
    note = cb.rows("credit_note", "credit_notes", {"reason_code[is]": "chargeback"})[0]
    assert (note["amount_refunded"], note["reference_invoice_id"]) == (400, invoice["id"])
    assert note["linked_refunds"][0]["txn_id"] == reversal["id"]
    assert balanced_note(note)
    after = cb.get(f"invoices/{invoice['id']}")["invoice"]
    assert balanced_invoice(after)
    assert after["issued_credit_notes"][0]["cn_reason_code"] == "chargeback"
    cb.stand_in.end_dispute(id, "lost")
    assert cb.get(f"disputes/{id}")["dispute"]["status"] == "lost"
    with pytest.raises(ValueError, match="not an open dispute"):
        cb.stand_in.end_dispute(id, "won")


# What was loaded lives on


def test_loaded_objects_can_be_changed(cb: Stage) -> None:
    cb.stand_in.load(
        [
            ("customer", {"id": "old", "auto_collection": "off", "cf_tier": "gold"}),
            (
                "invoice",
                {"id": "907", "customer_id": "old", "status": "payment_due", "date": NOW - DAY,
                 "total": 500, "amount_due": 500, "currency_code": "EUR", "object": "invoice"},
            ),
        ]
    )  # fmt: skip
    made = pay(cb, "907", 500)
    assert (made["invoice"]["status"], made["transaction"]["currency_code"]) == ("paid", "EUR")
    assert balanced_invoice(made["invoice"])
    assert cb.post("customers/old", {"phone": "1"})["customer"]["cf_tier"] == "gold"
    assert cb.invoice(100, "old")["id"] == "1"
    cb.stand_in.load([("invoice", {"id": "2", "date": NOW, "object": "invoice"})])
    assert cb.invoice(100)["id"] == "3"


# All or nothing


def test_a_refused_request_leaves_nothing_behind() -> None:
    with stage(catalog=1) as cb:
        cb.post("plans", {"id": "basic", "name": "Basic", "price": 900})
        sent = {"plan_id": "basic", "customer[id]": "new", "card[number]": "4119862760338320"}
        assert cb.refused("subscriptions", sent)[1] == "payment_processing_failed"
        assert cb.ask("customers/new").status_code == 404
        assert cb.get("customers") == {"list": []}
        assert cb.get("payment_sources") == {"list": []}
        assert cb.events() == ["plan_created"]
        cb.post("subscriptions", {**sent, "card[number]": "4111111111111111"})
        assert [one["id"] for one in cb.rows("customer", "customers")] == ["new"]
        assert len(cb.rows("invoice", "invoices")) == 1
