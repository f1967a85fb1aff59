"""The NetSuite connector and mapping against the stand-in, which was written without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from netsuite_bench import START, Bench, mapper, pay, sell

from tieout.connectors.netsuite.kinds import KINDS
from tieout.core.errors import InvalidRecord, UnknownOutcome
from tieout.core.ports import HttpAnswer, HttpRequest
from tieout.rest import Request


@pytest.fixture(params=["oauth2", "tba"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield Bench(request.param)


@pytest.fixture
def sold(bench: Bench) -> Bench:
    return sell(bench)


def test_what_is_written_comes_back(sold: Any) -> None:
    assert (sold.invoice.total_minor, sold.invoice.balance_minor) == (11000, 11000)
    assert sold.invoice.status == "open" and sold.invoice.number == "A-1"
    assert [line.amount_minor for line in sold.invoice.lines] == [10000, 1000]
    paid = pay(sold, 6000, 5000)
    assert paid.amount_minor == 6000 and paid.status == "succeeded"
    assert [(a.invoice_id, a.amount_minor) for a in paid.allocations] == [(sold.invoice.id, 5000)]
    now = sold.pulled("invoice")[sold.invoice.id]
    assert (now.paid_minor, now.credited_minor, now.balance_minor) == (5000, 0, 6000)
    memo = sold.made(
        "credit_note",
        {
            "customer_id": sold.customer,
            "currency": "USD",
            "issued_on": START.date(),
            "total_minor": 2000,
            "lines": [{"product_id": sold.product, "amount_minor": 2000}],
            "allocations": [{"invoice_id": sold.invoice.id, "amount_minor": 1500}],
        },
        "tieout-cm1",
    )
    assert (memo.allocated_minor, memo.balance_minor, memo.status) == (1500, 500, "issued")
    back = sold.made(
        "refund",
        {
            "customer_id": sold.customer,
            "currency": "USD",
            "amount_minor": 500,
            "credit_note_id": memo.id,
            "refunded_at": sold.clock.now(),
        },
        "tieout-r1",
    )
    assert (back.amount_minor, back.credit_note_id, back.status) == (500, memo.id, "succeeded")
    memo = sold.pulled("credit_note")[memo.id]
    assert (memo.refunded_minor, memo.balance_minor, memo.status) == (500, 0, "refunded")
    now = sold.pulled("invoice")[sold.invoice.id]
    assert (now.paid_minor, now.credited_minor, now.balance_minor) == (5000, 1500, 4500)


def test_the_rest_record_maps_to_the_same_as_the_rows(sold: Any) -> None:
    pay(sold, 6000, 5000)
    lookups = {"currency": {id: code for code, id in sold.ns._directory.currencies.items()}}
    by_rest = mapper(lookups=lookups)
    only_links_tell = {"paid_minor", "credited_minor", "refunded_minor"}
    for entity in ("customer", "invoice", "payment"):
        for id, record in sold.pulled(entity).items():
            rest = by_rest.parse_bytes(entity, sold.ns._records.get(KINDS[entity].rest, id))
            left, right = msgspec.to_builtins(record), msgspec.to_builtins(rest)
            differing = {name for name in left if left[name] != right[name]}
            assert differing <= only_links_tell, entity


def test_a_lost_create_is_found_and_not_made_twice(bench: Bench) -> None:
    bench.lose_next = "PUT"
    with pytest.raises(UnknownOutcome):
        bench.ns.create("customer", {"companyName": "Lost"}, key="tieout-lost")
    found = bench.ns.find("customer", "TIEOUT-LOST")  # external ids ignore case
    assert found is not None
    again = bench.ns.create("customer", {"companyName": "Lost"}, key="tieout-lost")
    assert json.loads(again)["id"] == json.loads(found)["id"]
    names = [record.name for record in bench.pulled("customer").values()]
    assert names.count("Lost") == 1


def test_a_payment_shows_on_its_invoice_although_that_was_not_edited(sold: Any) -> None:
    sold.clock.move(3 * 86400)
    since = sold.clock.now()
    before = sold.pulled("invoice")[sold.invoice.id]
    pay(sold, 11000, 11000)
    changed = sold.pulled("invoice", since)
    now = changed[sold.invoice.id]
    assert now.updated_at == before.updated_at  # as the documentation warns
    assert (now.status, now.paid_minor, now.balance_minor) == ("paid", 11000, 0)


def test_a_payment_taken_off_or_deleted_reopens_its_invoice(sold: Any) -> None:
    paid = pay(sold, 5000, 5000)
    sold.clock.move(3 * 86400)
    since = sold.clock.now()
    off = {"apply": {"items": [{"doc": {"id": sold.invoice.id}, "apply": False}]}}
    sold.ns._records.patch(KINDS["payment"], "customerPayment", paid.id, off)
    now = sold.pulled("invoice", since)[sold.invoice.id]
    assert (now.paid_minor, now.balance_minor) == (0, 11000)
    on = {"items": [{"doc": {"id": sold.invoice.id}, "apply": True, "amount": 50}]}
    sold.ns._records.patch(KINDS["payment"], "customerPayment", paid.id, {"apply": on})
    sold.clock.move(3 * 86400)
    since = sold.clock.now()
    # A person deletes it: the connector itself never would.
    path = f"/services/rest/record/v1/customerPayment/{paid.id}"
    sold.ns._rest.send_raw(Request("DELETE", path))
    sold.pulled("payment", since)
    assert sold.gone == (paid.id,)
    now = sold.pulled("invoice", since)[sold.invoice.id]
    assert (now.paid_minor, now.balance_minor) == (0, 11000)


def test_names_are_changed_and_customers_archived(sold: Any) -> None:
    body = sold.mapper.render("customer", {"name": "New", "email": "n@example.com"}, creating=False)
    changed = sold.mapper.parse_bytes(
        "customer", sold.ns.update("customer", sold.customer, body, key="k")
    )
    assert (changed.name, changed.email, changed.status) == ("New", "n@example.com", "active")
    gone = sold.ns.archive("customer", sold.customer, key="k")
    assert sold.mapper.parse_bytes("customer", gone).status == "archived"


def test_what_netsuite_refuses_is_told_in_its_words(sold: Any) -> None:
    with pytest.raises(InvalidRecord, match="currency"):
        sold.ns.create(
            "invoice",
            {
                "entity": {"id": sold.customer},
                "currency": {"id": "999"},
                "item": {"items": [{"item": {"id": sold.product}, "amount": 1}]},
            },
            key="tieout-x",
        )
    assert sold.ns.get("invoice", sold.customer) is None


def test_nothing_changed_costs_few_calls(sold: Any) -> None:
    sold.clock.move(3 * 86400)
    seen: list[str] = []
    send = sold.send
    object.__setattr__(sold.ports, "send", lambda r: (seen.append(r.url), send(r))[1])
    assert sold.pulled("invoice", sold.clock.now() + timedelta(minutes=20)) == {}
    assert len(seen) <= 6


def test_two_customers_of_one_name_are_both_created() -> None:
    """NetSuite makes entityId of the name and wants it unique; the second one gets an end."""
    ns = Bench().ns
    bodies = [
        ns.create("customer", {"companyName": "Ada Ltd", "isPerson": False}, key=key)
        for key in ("tieout-customer-stripe-1-aaaaaaaaaa", "tieout-customer-stripe-2-bbbbbbbbbb")
    ]
    made = [json.loads(body) for body in bodies]
    assert [each["companyname"] for each in made] == ["Ada Ltd", "Ada Ltd"]
    assert made[0]["id"] != made[1]["id"]


def test_a_gateways_page_is_no_saved_change(sold: Any) -> None:
    """A proxy answers 200 with HTML: the change may be there or not, which has to be looked up."""
    page = HttpAnswer(200, {"content-type": "text/html"}, b"<html>One moment</html>")
    send = sold.send

    def once(request: HttpRequest) -> HttpAnswer:
        object.__setattr__(sold.ports, "send", send)
        return page

    for call in (
        lambda: sold.ns.update("customer", sold.customer, {"companyName": "New"}, key="k"),
        lambda: sold.ns.archive("customer", sold.customer, key="k"),
    ):
        object.__setattr__(sold.ports, "send", once)
        with pytest.raises(UnknownOutcome):
            call()
    assert json.loads(sold.ns.get("customer", sold.customer))["companyname"] == "Böll & Söhne"


def test_an_answer_that_breaks_off_is_no_verdict_on_the_record(sold: Any) -> None:
    """NetSuite says 400 for a transaction that does not exist; half of it says nothing yet."""
    send, torn = sold.send, []

    def broken_once(request: HttpRequest) -> HttpAnswer:
        answer = send(request)
        if "/eid:" in request.url and not torn:
            torn.append(answer.status)
            return HttpAnswer(answer.status, answer.headers, answer.body[:40])
        return answer

    object.__setattr__(sold.ports, "send", broken_once)
    assert sold.ns.find("invoice", "tieout-nobody") is None
    assert torn == [400]


def test_a_refund_taken_back_frees_its_payment_again(sold: Any) -> None:
    """70.00 came in, 50.00 are applied, 20.00 are paid back; then a person deletes the refund."""
    paid = pay(sold, 7000, 5000)
    refund = sold.made(
        "refund",
        {
            "customer_id": sold.customer,
            "currency": "USD",
            "amount_minor": 2000,
            "payment_id": paid.id,
            "refunded_at": sold.clock.now(),
        },
        "tieout-r1",
    )

    def unused(since: datetime) -> str:
        pages = list(sold.ns.pull("payment", since=since))
        found = {each["id"]: each for page in pages for each in map(json.loads, page.records)}
        return str(found[paid.id]["foreignpaymentamountunused"])

    assert unused(sold.clock.now()) == "0"
    sold.clock.move(3 * 86400)
    since = sold.clock.now()
    path = f"/services/rest/record/v1/customerRefund/{refund.id}"
    sold.ns._rest.send_raw(Request("DELETE", path))
    assert unused(since) == "20"
