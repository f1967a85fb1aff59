"""The Stripe connector against documented answers. https://docs.stripe.com/api"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from stripe_fake import NOW, FakeStripe, once, refusal, reply

from tieout.connectors import connector_class
from tieout.connectors.base import Can, Page, Touched
from tieout.connectors.stripe import Stripe, StripeConfig
from tieout.connectors.stripe.kinds import KINDS
from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    ProviderDown,
    RateLimited,
    StopRun,
    TieoutError,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer

SAMPLES = Path(__file__).parents[2].parent / "shared/providers/stripe/samples"
DAY = 86400


@pytest.fixture
def fake() -> FakeStripe:
    made = FakeStripe()
    for kind in KINDS.values():
        made.objects[kind.path] = []
    for path in ("charges", "events", "invoice_payments", "balance_transactions", "coupons"):
        made.objects[f"/v1/{path}"] = []
    return made


def connector(fake: FakeStripe, **more: Any) -> Stripe:
    settings = {"api_key": "sk_test_canary123456", "webhook_secret": "whsec_test_secret", **more}
    return Stripe(StripeConfig.model_validate(settings), fake.ports, where="stripe_eu")


def ids(pages: Iterable[Page]) -> list[str]:
    return [json.loads(record)["id"] for page in pages for record in page.records]


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def customers(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"cus_{n}", "object": "customer", "created": NOW - 1000 + n} for n in range(count)
    ]


def event(type: str, thing: dict[str, Any], at: int, id: str = "", **more: Any) -> dict[str, Any]:
    id = id or f"evt_{type}_{thing.get('id')}_{at}"
    told = {"id": id, "object": "event", "type": type, "created": at, "data": {"object": thing}}
    return {**told, "livemode": False, **more}


# --- everything


def test_a_full_pull_reads_every_record_once_as_stripe_sent_it(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(250), {"id": "cus_new", "created": NOW + 5})
    pages = list(connector(fake).pull("customer"))
    assert [len(page.records) for page in pages] == [100, 100, 50]
    assert ids(pages) == [f"cus_{n}" for n in reversed(range(250))]
    assert pages[0].records[0] in reply({"data": [fake.objects["/v1/customers"][1]]}).body
    asked = fake.asked("/v1/customers")
    assert [query.get("starting_after") for query in asked] == [None, ["cus_150"], ["cus_50"]]
    assert all(query["limit"] == ["100"] for query in asked)
    assert all(query["created[lte]"] == [str(NOW)] for query in asked)
    assert asked[0]["expand[]"] == ["data.tax_ids"]


@pytest.mark.parametrize("stop", [0, 1, 2])
def test_a_full_pull_goes_on_after_any_page(fake: FakeStripe, stop: int) -> None:
    fake.put("/v1/customers", *customers(250))
    first = list(connector(fake).pull("customer"))[: stop + 1]
    fake.seconds += DAY
    fake.put("/v1/customers", {"id": "cus_later", "created": NOW + 100})
    rest = list(connector(fake).pull("customer", resume=first[-1].resume))
    assert ids([*first, *rest]) == [f"cus_{n}" for n in reversed(range(250))]


def test_a_cursor_that_was_deleted_is_stepped_over(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(250))
    pulled = connector(fake).pull("customer")
    first = next(pulled)
    gone = [row for row in fake.objects["/v1/customers"] if row["id"] != "cus_150"]
    fake.objects["/v1/customers"] = gone
    assert ids([first, *pulled]) == [f"cus_{n}" for n in reversed(range(250))]
    assert fake.asked("/v1/customers")[-2]["starting_after"] == ["cus_151"]


def test_both_cursors_gone_go_on_by_time(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(250))
    pulled = connector(fake).pull("customer")
    first = next(pulled)
    rows = fake.objects["/v1/customers"]
    fake.objects["/v1/customers"] = [r for r in rows if r["id"] not in ("cus_150", "cus_151")]
    assert ids([first, *pulled]) == [f"cus_{n}" for n in reversed(range(250))]


def test_canceled_subscriptions_are_asked_for(fake: FakeStripe) -> None:
    list(connector(fake).pull("subscription"))
    assert fake.asked("/v1/subscriptions")[0]["status"] == ["all"]


def test_a_list_that_repeats_itself_stops_the_run(fake: FakeStripe) -> None:
    same = reply({"object": "list", "has_more": True, "data": customers(1)})
    fake.rules.append(lambda method, path, query: same)
    with pytest.raises(StopRun, match="twice"):
        list(connector(fake).pull("customer"))


def test_a_spoilt_record_passes_through_and_does_not_stop_the_page(fake: FakeStripe) -> None:
    fake.page_limit = 2
    rows = [{"id": "in_1", "created": NOW}, {"id": None, "created": "x"}]
    listed = {"object": "list", "has_more": False, "data": rows}
    fake.rules.append(lambda method, path, query: reply(listed))
    (page,) = connector(fake).pull("invoice")
    assert [json.loads(record)["id"] for record in page.records] == ["in_1", None]


def invoice(id: str, lines: int, **more: Any) -> dict[str, Any]:
    rows = [{"id": f"il_{id}_{n}", "amount": n, "rate": Decimal("0.1")} for n in range(lines)]
    rows = [{**row, "rate": 0.1} for row in rows]
    embedded = {
        "object": "list",
        "data": rows[:10],
        "has_more": lines > 10,
        "url": f"/v1/invoices/{id}/lines",
    }
    return {"id": id, "object": "invoice", "created": NOW, "lines": embedded, "_all": rows, **more}


def test_an_invoice_with_more_than_ten_lines_is_completed(fake: FakeStripe) -> None:
    long, short = invoice("in_long", 230), invoice("in_short", 3)
    fake.put("/v1/invoices/in_long/lines", *reversed(long.pop("_all")))
    short.pop("_all")
    fake.put("/v1/invoices", short, long)
    (page,) = connector(fake).pull("invoice")
    whole, untouched = page.records
    found = json.loads(whole, parse_float=Decimal)
    assert [line["amount"] for line in found["lines"]["data"]] == list(range(230))
    assert found["lines"]["has_more"] is False
    assert found["lines"]["data"][229]["rate"] == Decimal("0.1")
    assert untouched in reply({"data": [short]}).body or json.loads(untouched) == short
    assert len(fake.asked("/v1/invoices/in_long/lines")) == 3
    assert fake.asked("/v1/invoices/in_long/lines")[0]["starting_after"] == ["il_in_long_9"]
    single = connector(fake).get("invoice", "in_long")
    assert single is not None and json.loads(single, parse_float=Decimal) == found


def intent(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "object": "payment_intent", "created": NOW, **more}


def allocation(id: str, invoice: str, payment: dict[str, Any], paid: int) -> dict[str, Any]:
    return {
        "id": id, "object": "invoice_payment", "amount_paid": paid, "amount_requested": paid,
        "created": NOW, "currency": "usd", "invoice": invoice, "is_default": True,
        "livemode": False, "payment": payment, "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": NOW},
    }  # fmt: skip


def by_intent(id: str) -> dict[str, Any]:
    return {"type": "payment_intent", "payment_intent": id}


def test_payments_carry_their_allocations_and_charges_without_intent_follow(
    fake: FakeStripe,
) -> None:
    fake.put("/v1/payment_intents", intent("pi_1"), intent("pi_2"))
    fake.put(
        "/v1/charges",
        {"id": "ch_1", "object": "charge", "created": NOW, "payment_intent": "pi_1"},
        {"id": "ch_old", "object": "charge", "created": NOW, "payment_intent": None},
    )
    fake.put(
        "/v1/invoice_payments",
        allocation("inpay_1", "in_1", by_intent("pi_1"), 700),
        allocation("inpay_2", "in_2", by_intent("pi_1"), 300),
        allocation("inpay_3", "in_3", {"type": "charge", "charge": "ch_old"}, 5),
        allocation("inpay_4", "in_4", {"type": "payment_record", "payment_record": "pr_1"}, 6),
    )
    stripe = connector(fake)
    pages = list(stripe.pull("payment"))
    assert ids(pages) == ["pi_2", "pi_1", "ch_old"]
    second, first, old = [json.loads(record) for page in pages for record in page.records]
    told = [(a["invoice"], a["amount_paid"]) for a in first["tieout_invoice_payments"]]
    assert told == [("in_2", 300), ("in_1", 700)]
    assert second["tieout_invoice_payments"] == []
    assert [a["id"] for a in old["tieout_invoice_payments"]] == ["inpay_3"]
    assert len(fake.asked("/v1/invoice_payments")) == 1  # one listing, not one for each
    expand = fake.asked("/v1/payment_intents")[0]["expand[]"]
    assert expand == ["data.latest_charge.balance_transaction"]
    single = stripe.get("payment", "pi_1")
    assert single is not None and json.loads(single) == first
    assert json.loads(stripe.get("payment", "ch_1") or b"")["id"] == "pi_1"


def test_a_charge_without_intent_finds_its_allocations_in_its_customers_invoices(
    fake: FakeStripe,
) -> None:
    """The list of invoice payments has no filter for charges."""
    old = {"id": "ch_old", "object": "charge", "created": NOW, "payment_intent": None}
    fake.put("/v1/charges", {**old, "customer": "cus_1"}, {**old, "id": "ch_none"})
    paid = [
        allocation("inpay_1", "in_1", {"type": "charge", "charge": "ch_old"}, 5),
        allocation("inpay_2", "in_1", by_intent("pi_1"), 7),
        allocation("inpay_3", "in_2", {"type": "charge", "charge": "ch_old"}, 3),
    ]
    fake.put("/v1/invoice_payments", *paid)
    first = {"object": "list", "data": paid[:2], "has_more": False}
    cut_off = {"object": "list", "data": [], "has_more": True}
    fake.put(
        "/v1/invoices",
        {"id": "in_1", "created": NOW, "customer": "cus_1", "payments": first},
        {"id": "in_2", "created": NOW, "customer": "cus_1", "payments": cut_off},
        {"id": "in_3", "created": NOW, "customer": "cus_2", "payments": first},
    )
    stripe = connector(fake)
    found = json.loads(stripe.get("payment", "ch_old") or b"")["tieout_invoice_payments"]
    assert sorted((each["invoice"], each["amount_paid"]) for each in found) == [
        ("in_1", 5), ("in_2", 3)
    ]  # fmt: skip
    assert fake.asked("/v1/invoices")[0]["expand[]"] == ["data.payments"]
    nobody = json.loads(stripe.get("payment", "ch_none") or b"")
    assert nobody["tieout_invoice_payments"] == []


@pytest.mark.parametrize(
    "spoilt",
    [{"id": "cn_1", "refunds": "no"}, {"id": None}, {"id": "cn_1", "refunds": [None]}],
)
def test_a_spoilt_credit_note_does_not_stop_the_refunds(fake: FakeStripe, spoilt: Any) -> None:
    fake.put("/v1/refunds", {"id": "re_1", "created": NOW})
    named = {"refunds": [{"refund": {"id": "re_1"}}]}
    fake.put("/v1/credit_notes", {**spoilt, "created": NOW}, {"id": "cn_2", "created": NOW} | named)
    (page,) = connector(fake).pull("refund")
    assert json.loads(page.records[0])["tieout_credit_note"] == "cn_2"


def test_a_spoilt_invoice_payment_does_not_stop_the_payments(fake: FakeStripe) -> None:
    fake.put("/v1/payment_intents", intent("pi_1"))
    fake.put("/v1/charges")
    spoilt = [{"id": "a", "created": NOW}, {"id": "b", "created": NOW, "payment": None}]
    fake.put("/v1/invoice_payments", *spoilt, allocation("c", "in_1", by_intent("pi_1"), 9))
    first, _ = connector(fake).pull("payment")
    told = json.loads(first.records[0])["tieout_invoice_payments"]
    assert [each["id"] for each in told] == ["c"]


def test_payments_go_on_in_the_second_collection(fake: FakeStripe) -> None:
    fake.put("/v1/payment_intents", intent("pi_1"))
    fake.put("/v1/charges", {"id": "ch_old", "created": NOW, "payment_intent": None})
    first = next(connector(fake).pull("payment"))
    assert ids(connector(fake).pull("payment", resume=first.resume)) == ["ch_old"]
    *_, last = connector(fake).pull("payment")
    assert list(connector(fake).pull("payment", resume=last.resume)) == []


def test_only_reconciled_automatic_payouts_are_opened(fake: FakeStripe) -> None:
    def payout(id: str, automatic: bool, status: str) -> dict[str, Any]:
        told = {"automatic": automatic, "reconciliation_status": status}
        return {"id": id, "object": "payout", "created": NOW, **told}

    fake.put(
        "/v1/payouts",
        payout("po_auto", True, "completed"),
        payout("po_early", True, "in_progress"),
        payout("po_hand", False, "not_applicable"),
    )
    fake.put(
        "/v1/balance_transactions",
        {"id": "txn_1", "net": 970, "created": NOW, "_payout": "po_auto"},
        {"id": "txn_2", "net": -970, "created": NOW, "_payout": "po_auto"},
    )
    (page,) = connector(fake).pull("payout")
    hand, early, auto = [json.loads(record) for record in page.records]
    assert [row["net"] for row in auto["tieout_balance_transactions"]] == [-970, 970]
    assert "tieout_balance_transactions" not in hand
    assert "tieout_balance_transactions" not in early


def test_subscription_discounts_get_their_coupons(fake: FakeStripe) -> None:
    discount = {"id": "di_1", "source": {"type": "coupon", "coupon": "co_1"}}
    items = {"object": "list", "has_more": False, "data": [{"id": "si_1", "discounts": [discount]}]}
    for n in (1, 2):
        fake.put("/v1/subscriptions", {"id": f"sub_{n}", "created": NOW, "items": items})
    fake.put("/v1/coupons", {"id": "co_1", "percent_off": 12.5})
    (page,) = connector(fake).pull("subscription")
    told = json.loads(page.records[0], parse_float=str)["items"]["data"][0]["discounts"][0]
    assert told["source"]["coupon"] == {"id": "co_1", "percent_off": "12.5"}
    assert len(fake.asked("/v1/coupons/co_1")) == 1


# --- changes


def test_changes_cost_one_call_for_each_changed_record(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(200))
    gone = {"id": "cus_gone", "object": "customer"}
    fake.put(
        "/v1/events",
        event("customer.updated", {"id": "cus_0", "object": "customer"}, NOW - 3000),
        event("customer.updated", {"id": "cus_7", "object": "customer", "name": "stale"}, NOW - 60),
        event(
            "customer.tax_id.created", {"id": "txi", "object": "tax_id", "customer": "cus_9"}, NOW
        ),
        event("customer.updated", {"id": "cus_7", "object": "customer"}, NOW, id="evt_again"),
        event("customer.deleted", gone, NOW),
        event("product.updated", {"id": "prod_1", "object": "product"}, NOW),
    )
    (page,) = connector(fake).pull("customer", since=at(NOW - 100))
    assert ids([page]) == ["cus_9", "cus_7"]
    assert b"stale" not in b"".join(page.records)
    assert page.deleted == ("cus_gone",)
    asked = fake.asked("/v1/events")
    assert len(fake.calls) == 4 and len(asked) == 1
    assert asked[0]["created[gte]"] == [str(NOW - 100 - 600)]
    assert "customer.deleted" in asked[0]["types[]"]


def test_a_deleted_stub_counts_as_gone(fake: FakeStripe) -> None:
    fake.put("/v1/customers", {"id": "cus_1", "object": "customer", "deleted": True})
    assert connector(fake).get("customer", "cus_1") is None
    assert connector(fake).get("customer", "cus_none") is None


def test_changes_go_on_in_the_middle_and_lose_none(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(100))
    feed = [
        # Five records to each second: a page of 25 ends in the middle of one.
        event("customer.updated", {"id": f"cus_{n}", "object": "customer"}, NOW - 500 + n // 7)
        for n in range(100)
    ]
    fake.put("/v1/events", *feed)
    whole = list(connector(fake).pull("customer", since=at(NOW)))
    assert len(whole) == 4 and ids(whole) == [f"cus_{n}" for n in range(100)]
    for stop in range(1, 4):
        rest = connector(fake).pull("customer", since=at(NOW), resume=whole[stop - 1].resume)
        found = ids([*whole[:stop], *rest])
        assert sorted(set(found)) == sorted(f"cus_{n}" for n in range(100))
        assert len(found) < 100 + 7  # at most the shared second comes again


def test_a_pull_after_a_long_pause_reads_everything(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(3))
    found = list(connector(fake).pull("customer", since=at(NOW - 29 * DAY)))
    assert len(ids(found)) == 3 and not fake.asked("/v1/events")


@pytest.mark.parametrize(
    ("entity", "type", "thing", "expected"),
    [
        ("invoice", "invoice_payment.paid", allocation("ip", "in_1", by_intent("pi_1"), 1), "in_1"),
        ("payment", "invoice_payment.paid", allocation("ip", "in_1", by_intent("pi_1"), 1), "pi_1"),
        ("invoice", "invoiceitem.created", {"object": "invoiceitem", "invoice": "in_2"}, "in_2"),
        ("invoice", "invoiceitem.created", {"object": "invoiceitem", "invoice": None}, None),
        (
            "payment",
            "charge.refunded",
            {"object": "charge", "id": "ch", "payment_intent": "pi"},
            "pi",
        ),
        (
            "payment",
            "charge.failed",
            {"object": "charge", "id": "ch", "payment_intent": None},
            "ch",
        ),
        ("payment", "refund.failed", {"object": "refund", "id": "re", "charge": "ch"}, "ch"),
        ("refund", "charge.refund.updated", {"object": "refund", "id": "re"}, "re"),
        ("invoice", "credit_note.voided", {"object": "credit_note", "invoice": "in_3"}, "in_3"),
        ("dispute", "charge.dispute.closed", {"object": "dispute", "id": "dp"}, "dp"),
        (
            "subscription",
            "customer.subscription.deleted",
            {"object": "subscription", "id": "s"},
            "s",
        ),
    ],
)
def test_events_point_at_our_records(
    entity: str, type: str, thing: dict[str, Any], expected: str | None
) -> None:
    from tieout.connectors.stripe.kinds import concerned

    assert dict(concerned(type, thing)).get(entity) == expected


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ({"refunds": [{"refund": "re_1"}, {"refund": {"id": "re_2"}}]}, ["re_1", "re_2"]),
        ({"refunds": [], "refund": None}, []),
        ({"refund": "re_old"}, ["re_old"]),  # as event bodies of older API versions have it
    ],
)
def test_a_credit_notes_event_speaks_of_the_refunds_it_names(
    note: dict[str, Any], expected: list[str]
) -> None:
    from tieout.connectors.stripe.kinds import concerned

    told = concerned("credit_note.created", {"object": "credit_note", "id": "cn_1", **note})
    assert [id for entity, id in told if entity == "refund"] == expected


def test_every_entity_asks_for_at_most_twenty_types() -> None:
    # usage has no events of its own: it is read by customer and day
    assert all(1 <= len(kind.events) <= 20 for kind in KINDS.values() if kind.entity != "usage")
    assert all(len(set(kind.events)) == len(kind.events) for kind in KINDS.values())


# --- writes


def test_a_create_carries_our_key_and_happens_once(fake: FakeStripe) -> None:
    stripe = connector(fake)
    record = {"name": "Ada Ltd", "phone": None, "address": {"city": "Wien"}, "metadata": {"a": "b"}}
    made = json.loads(stripe.create("customer", record, key="k-1"))
    again = json.loads(stripe.create("customer", record, key="k-1"))
    assert made == again and len(fake.objects["/v1/customers"]) == 1
    form = fake.calls[0][2]
    assert form["metadata[tieout_id]"] == ["k-1"] and form["metadata[a]"] == ["b"]
    assert form["address[city]"] == ["Wien"] and "phone" not in form
    first, second = (request.headers["Idempotency-Key"] for request in fake.requests)
    assert first == second and len(first) <= 255
    stripe.create("customer", record, key="k-2")
    assert fake.requests[-1].headers["Idempotency-Key"] != first


def test_a_product_may_bring_its_own_id(fake: FakeStripe) -> None:
    made = connector(fake).create("product", {"id": "gold", "name": "Gold"}, key="k")
    assert json.loads(made)["id"] == "gold"


def test_a_lost_answer_is_repeated_with_the_same_key(fake: FakeStripe) -> None:
    def lose(method: str, path: str, query: dict[str, list[str]]) -> HttpAnswer | Exception | None:
        fake.rules.remove(lose)
        key = fake.requests[-1].headers["Idempotency-Key"]
        fake.kept[key] = fake.write(path, {name: value[0] for name, value in query.items()})
        return AnswerLost("cut")

    fake.rules.append(lose)
    stripe = connector(fake)
    made = json.loads(stripe.create("customer", {"name": "Ada"}, key="k-1"))
    assert [row["id"] for row in fake.objects["/v1/customers"]] == [made["id"]]
    found = stripe.find("customer", "k-1")
    assert found is not None and json.loads(found)["id"] == made["id"]


def test_an_update_unsets_with_an_empty_value_and_leaves_our_key_alone(fake: FakeStripe) -> None:
    stripe = connector(fake)
    made = json.loads(stripe.create("customer", {"name": "Ada", "phone": "1"}, key="k-1"))
    stripe.update("customer", made["id"], {"name": "Ada Ltd", "phone": None}, key="k-2")
    assert fake.calls[-1][2]["phone"] == [""]
    assert fake.objects["/v1/customers"][0]["metadata"] == {"tieout_id": "k-1"}
    assert fake.objects["/v1/customers"][0]["name"] == "Ada Ltd"


DRAFT = {
    "customer": "cus_1",
    "finalize": True,
    "items": [{"amount": 1000, "currency": "usd"}, {"amount": 250, "currency": "usd"}],
}


def test_an_invoice_is_a_draft_then_items_then_a_number(fake: FakeStripe) -> None:
    made = json.loads(connector(fake).create("invoice", DRAFT, key="k-1"))
    assert made["status"] == "open" and len(made["lines"]["data"]) == 2
    paths = [path for _, path, _ in fake.calls]
    id = made["id"]
    assert paths == [
        "/v1/invoices", "/v1/invoiceitems", "/v1/invoiceitems", f"/v1/invoices/{id}/finalize"
    ]  # fmt: skip
    assert fake.calls[0][2]["auto_advance"] == ["false"]
    assert fake.calls[1][2]["invoice"] == [id] and fake.calls[1][2]["customer"] == ["cus_1"]
    assert len({request.headers["Idempotency-Key"] for request in fake.requests}) == 4


def test_an_invoice_broken_off_in_the_middle_is_not_taken_for_made(fake: FakeStripe) -> None:
    stripe = connector(fake)
    fake.rules.append(once("POST", "/v1/invoiceitems", refusal(400, "amount_too_small"), after=1))
    with pytest.raises(InvalidRecord):
        stripe.create("invoice", DRAFT, key="k-1")
    assert stripe.find("invoice", "k-1") is None
    stripe.create("invoice", DRAFT, key="k-1")
    (only,) = fake.objects["/v1/invoices"]
    assert only["status"] == "open" and len(only["lines"]["data"]) == 2
    assert stripe.find("invoice", "k-1") is not None


def test_archiving(fake: FakeStripe) -> None:
    stripe = connector(fake)
    product = json.loads(stripe.create("product", {"name": "Gold"}, key="k"))
    stripe.archive("product", product["id"], key="k2")
    assert fake.objects["/v1/products"][0]["active"] == "false"
    invoice_id = json.loads(stripe.create("invoice", DRAFT, key="k3"))["id"]
    assert json.loads(stripe.archive("invoice", invoice_id, key="k4") or b"")["status"] == "void"
    with pytest.raises(InvalidRecord, match="ARCHIVE"):
        stripe.archive("customer", "cus_1", key="k5")


def test_find_searches_what_is_older_than_the_index_may_lag(fake: FakeStripe) -> None:
    tagged = {"id": "cus_old", "created": NOW - 30 * DAY, "metadata": {"tieout_id": "it's"}}
    fake.rules.append(
        lambda method, path, query: (
            reply({"object": "search_result", "data": [tagged], "has_more": False})
            if path.endswith("/search")
            else None
        )
    )
    fake.put("/v1/customers", tagged)
    assert b"cus_old" in (connector(fake).find("customer", "it's") or b"")
    assert fake.asked("/v1/customers/search")[0]["query"] == [r"metadata['tieout_id']:'it\'s'"]


def test_find_lists_where_there_is_no_search(fake: FakeStripe) -> None:
    note = {"id": "cn_1", "created": NOW - 90 * DAY, "metadata": {"tieout_id": "k"}}
    fake.put("/v1/credit_notes", note)
    assert b"cn_1" in (connector(fake).find("credit_note", "k") or b"")
    assert connector(fake).find("credit_note", "other") is None
    fake.put("/v1/customers", {**note, "id": "cus_1"})
    fake.rules.append(
        lambda method, path, query: (
            refusal(400, "feature_not_available") if path.endswith("/search") else None
        )
    )
    assert b"cus_1" in (connector(fake).find("customer", "k") or b"")


def test_declared_abilities_are_those_implemented() -> None:
    assert connector_class("stripe") is Stripe
    assert Can.ARCHIVE not in Stripe.can["customer"] and "contact" not in Stripe.can
    assert Can.CREATE not in Stripe.can["payment"]
    assert Can.DELETIONS in Stripe.can["invoice"]


# --- refusals


def in_use() -> HttpAnswer:
    return refusal(409, "idempotency_key_in_use")


@pytest.mark.parametrize(
    "first",
    [
        refusal(429, "lock_timeout"),
        refusal(429, "rate_limit"),
        in_use(),
        refusal(500, "api_error"),
        refusal(503, "api_error"),
        AnswerLost("cut"),
        reply({"error": {"type": "card_error"}}, 400, stripe_should_retry="true"),
    ],
    ids=str,
)
def test_a_write_is_repeated_with_the_same_key(fake: FakeStripe, first: Any) -> None:
    fake.rules.append(once("POST", "/v1/customers", first))
    connector(fake).create("customer", {"name": "Ada"}, key="k")
    keys = [request.headers["Idempotency-Key"] for request in fake.requests]
    assert len(keys) == 2 and keys[0] == keys[1]


@pytest.mark.parametrize(
    ("told", "expected", "words"),
    [
        (
            reply({"error": {"type": "api_error"}}, 500, stripe_should_retry="false"),
            UnknownOutcome,
            "api_error",
        ),
        (reply({"error": {"type": "idempotency_error"}}, 400), UnknownOutcome, "answered"),
        (refusal(400, "resource_already_exists"), Conflict, "exists"),
        (refusal(400, "parameter_missing", param="name"), InvalidRecord, r"\(name\)"),
        (refusal(402, "card_declined"), InvalidRecord, "card_declined"),
        (refusal(401, "api_key_expired"), AuthError, "expired"),
        (refusal(403, "", "Having the 'rak_customer_write' permission"), AuthError, "rak_customer"),
        (
            refusal(404, "resource_missing", "a similar object exists in live mode"),
            ConfigError,
            "similar",
        ),
    ],
)
def test_what_a_refusal_becomes(
    fake: FakeStripe, told: HttpAnswer, expected: type[TieoutError], words: str
) -> None:
    fake.rules.append(lambda method, path, query: told)
    with pytest.raises(TieoutError, match=words) as caught:
        connector(fake).create("customer", {"name": "Ada"}, key="k")
    assert type(caught.value) is expected
    assert len(fake.calls) == 1
    assert caught.value.where == "stripe_eu: POST /v1/customers"


def test_the_official_rate_limit_answer_slows_us_down(fake: FakeStripe) -> None:
    sample = SAMPLES / "error-429-rate-limit.json"
    if not sample.exists():
        pytest.skip(f"the official samples are not at {SAMPLES}")
    told = HttpAnswer(429, {"content-type": "application/json"}, sample.read_bytes())
    fake.rules.append(lambda method, path, query: told)
    with pytest.raises(RateLimited, match="rate_limit: Request rate limit exceeded"):
        list(connector(fake).pull("customer"))
    assert len(fake.calls) == 10


def test_a_torn_page_is_read_again(fake: FakeStripe) -> None:
    fake.put("/v1/customers", *customers(3))
    whole = fake.read("/v1/customers", {})
    torn = HttpAnswer(200, whole.headers, whole.body[:-40])
    fake.rules.append(once("GET", "/v1/customers", torn))
    assert len(ids(connector(fake).pull("customer"))) == 3
    fake.rules.append(lambda method, path, query: HttpAnswer(200, {}, b"<html>"))
    with pytest.raises(ProviderDown, match="base_url"):
        list(connector(fake).pull("customer"))


def test_no_secret_is_shown(fake: FakeStripe) -> None:
    stripe = connector(fake)
    said = "Invalid API Key provided: sk_test_canary123456 (whsec_test_secret)"
    fake.rules.append(lambda method, path, query: refusal(401, "x", said))
    with pytest.raises(AuthError) as caught:
        stripe.check()
    shown = f"{caught.value} {caught.value.hint} {vars(caught.value)}"
    assert "canary" not in shown and "test_secret" not in shown
    settings = StripeConfig.model_validate({"api_key": "sk_test_canary123456"})
    assert "canary" not in repr(settings) + str(settings)


# --- pace


@pytest.mark.parametrize(
    ("key", "more", "seconds"),
    [
        # 100 calls of one endpoint: 25 a second are allowed, 92 % of them taken, 2 at once.
        ("sk_test_1", {}, (100 - 2) / 23),
        ("sk_live_1", {}, (100 - 2) / 23),
        ("sk_live_1", {"calls_per_second": 5}, (100 - 1) / 5),
    ],
)
def test_the_pace_follows_the_kind_of_key(
    fake: FakeStripe, key: str, more: dict[str, Any], seconds: float
) -> None:
    stripe = connector(fake, api_key=key, **more)
    for n in range(100):
        stripe.get("customer", f"cus_{n}")
    assert fake.seconds == pytest.approx(seconds, rel=1e-4)


def test_endpoints_are_told_apart() -> None:
    from tieout.connectors.stripe.connector import lane
    from tieout.rest import Request

    lanes = [
        lane(Request(method, path))
        for method, path in [
            ("GET", "/v1/invoices"),
            ("GET", "/v1/invoices/in_1"),
            ("GET", "/v1/invoices/in_2"),
            ("GET", "/v1/invoices/in_2/lines"),
            ("POST", "/v1/invoices"),
            ("GET", "/v1/invoices/search"),
            ("GET", "/v1/customers/search"),
        ]
    ]
    assert lanes[1] == lanes[2] and lanes[5] == lanes[6] == "search" and len(set(lanes)) == 5


# --- who we are


def test_check_tells_the_account(fake: FakeStripe) -> None:
    told = {"id": "acct_1", "settings": {"dashboard": {"display_name": "Ada Ltd"}}}
    fake.rules.append(once("GET", "/v1/account", reply(told)))
    found = connector(fake).check()
    assert (found.name, found.id, found.live, found.problems) == ("Ada Ltd", "acct_1", False, ())


def test_check_names_the_permissions_that_a_restricted_key_lacks(fake: FakeStripe) -> None:
    words = "Having the '{}' permission would allow this request to continue."
    fake.objects["/v1/balance"] = []
    fake.rules += [
        lambda m, path, q: refusal(403, "", "no") if path == "/v1/account" else None,
        lambda m, path, q: (
            refusal(403, "", words.format("rak_dispute_read")) if path == "/v1/disputes" else None
        ),
    ]
    found = connector(fake, api_key="rk_live_abc1234", account="acct_9").check()
    assert found.problems == ("the key may not read dispute (rak_dispute_read)",)
    assert (found.id, found.live) == ("acct_9", True)
    assert fake.requests[0].headers["Stripe-Account"] == "acct_9"


@pytest.mark.parametrize("bad", [{"api_key": "pk_test_1"}, {"account": "x"}, {"base_ur": "x"}])
def test_a_wrong_setting_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        StripeConfig.model_validate({"api_key": "sk_test_1", **bad})


# --- webhooks

SECRET = "whsec_test_secret"
WORKED_BODY = b'{"id":"evt_1","object":"event","type":"invoice.paid"}'
WORKED_V1 = "dfb4777aaaec4ea29ff455dd4df7fe6b2ef71096ad3a93a158db7e100109ea91"


def signed(body: bytes, at: int = NOW, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def test_the_worked_example_of_a_signature(fake: FakeStripe) -> None:
    fake.seconds = 1700000000 - NOW
    header = f"t=1700000000,v1={WORKED_V1},v0={'0' * 64}"
    # Genuine, but without `data` it points at nothing.
    assert connector(fake).read_webhook({"Stripe-Signature": header}, WORKED_BODY) == []
    with pytest.raises(AuthError):
        connector(fake).read_webhook({"Stripe-Signature": header}, WORKED_BODY + b" ")


PAID = json.dumps(
    event("invoice.paid", {"id": "in_1", "object": "invoice"}, NOW, id="evt_1")
).encode()


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_a_genuine_webhook_is_taken(fake: FakeStripe, off: int) -> None:
    found = connector(fake).read_webhook({"STRIPE-SIGNATURE": signed(PAID, NOW + off)}, PAID)
    assert found == [Touched("evt_1", "invoice", "in_1")]


def test_any_signature_may_fit_any_secret(fake: FakeStripe) -> None:
    stripe = connector(fake, webhook_secret=("whsec_old_one", "whsec_new_one"))
    digest = signed(PAID, secret="whsec_new_one").partition("v1=")[2]
    header = f"t={NOW},v1={'0' * 64},v1={digest}"
    assert len(stripe.read_webhook({"stripe-signature": header}, PAID)) == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        f"t={NOW}",
        signed(PAID, NOW - 301),
        signed(PAID, NOW + 301),
        signed(PAID, secret="whsec_another"),
        signed(PAID).replace("v1", "v0"),
        signed(PAID).replace("t=", "t=-"),
        signed(PAID).upper(),
        signed(PAID) + f",t={NOW}",
        f"t={NOW},v1=\udcff\udcfe",
        f"t={NOW},v1=žžž",
        f"t=٣,v1={'0' * 64}",
        signed(PAID)[:-1],
        "t=1,v1=" * 5000,
    ],
)
def test_a_forged_webhook_is_refused(fake: FakeStripe, header: str) -> None:
    with pytest.raises(AuthError):
        connector(fake).read_webhook({"Stripe-Signature": header}, PAID)


def test_without_a_secret_no_webhook_is_taken(fake: FakeStripe) -> None:
    with pytest.raises(ConfigError, match="no webhook_secret"):
        connector(fake, webhook_secret=()).read_webhook({"Stripe-Signature": signed(PAID)}, PAID)


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({"account": "acct_1"}, 1),
        ({"account": "acct_other"}, 0),
        ({"account": "acct_1", "livemode": True}, 0),
    ],
)
def test_events_of_another_account_or_mode_are_not_ours(
    fake: FakeStripe, more: dict[str, Any], count: int
) -> None:
    thing = {"id": "in_1", "object": "invoice"}
    body = json.dumps(event("invoice.paid", thing, NOW, **more)).encode()
    stripe = connector(fake, account="acct_1")
    assert len(stripe.read_webhook({"Stripe-Signature": signed(body)}, body)) == count


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"{", True), (b"[]", False), (b"null", False), (b'{"object":"v2.core.event"}', False)],
)
def test_a_genuine_body_that_is_no_event(fake: FakeStripe, body: bytes, error: bool) -> None:
    stripe, headers = connector(fake), {"Stripe-Signature": signed(body)}
    if error:
        with pytest.raises(InvalidRecord):
            stripe.read_webhook(headers, body)
    else:
        assert stripe.read_webhook(headers, body) == []


# Worked out by reading each payload: what it is about, and the parents that change with it.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("charge_captured", {"payment"}),
        ("charge_dispute_created", {"dispute"}),
        ("credit_note_created", {"credit_note", "invoice"}),
        ("customer_deleted", {"customer"}),
        ("customer_tax_id_created", set()),  # the account's own: no customer
        ("invoice_finalized", {"invoice"}),
        ("invoice_payment_paid", {"invoice", "payment"}),
        ("payment_intent_succeeded", {"payment"}),
        ("price_deleted", {"price"}),
        ("product_updated", {"product"}),
        ("refund_updated", {"refund", "payment"}),
        ("subscription_updated", {"subscription"}),
        ("subscription_schedule_updated", {"contract"}),
        ("payment_method_attached", set()),
        ("checkout_session_completed", set()),
    ],
)
def test_the_official_events(fake: FakeStripe, name: str, expected: set[str]) -> None:
    sample = SAMPLES / f"event-{name}.json"
    if not sample.exists():
        pytest.skip(f"the official samples are not at {SAMPLES}")
    told = json.loads(sample.read_bytes())
    told |= {"livemode": False, "account": None}
    body = json.dumps(told).encode()
    found = connector(fake).read_webhook({"Stripe-Signature": signed(body)}, body)
    assert {item.entity for item in found} == expected
    assert all(item.event_id == told["id"] for item in found)
