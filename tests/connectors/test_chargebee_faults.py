"""One fault at each call, one kind after another: what is read and made stays the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chargebee_fake import KEY, NOW, FakeChargebee, reply
from spoiling import FAULTS, spoilt

from tieout.connectors.chargebee import Chargebee, ChargebeeConfig
from tieout.core.errors import TieoutError, UnknownOutcome
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest

OUR_KEY = "tieout-payment-crm-4711-0123456789"
PAYMENT = {
    "customer_id": "c1",
    "amount": 500,
    "date": NOW,
    "payment_method": "bank_transfer",
    "allocations": [{"invoice_id": "7", "amount": 300}, {"invoice_id": "8", "amount": 200}],
}
WRITES: dict[str, tuple[dict[str, Any], str]] = {
    "customer": ({"company": "Ada"}, "customers"),
    "price": ({"name": "Gold", "item_id": "gold", "price": 100}, "item_prices"),
    "subscription": ({"customer_id": "c1", "status": "active"}, "subscriptions"),
    "invoice": ({"id": "INV-1", "customer_id": "c1", "date": NOW, "total": 1}, "invoices"),
    "credit_note": ({"reference_invoice_id": "7", "total": 5, "date": NOW}, "credit_notes"),
    "payment": (PAYMENT, "transactions"),
    "refund": ({"credit_note_id": "CN", "amount": 5, "payment_method": "other"}, "transactions"),
    "usage": ({"subscription_id": "s", "quantity": "1", "usage_date": NOW}, "usages"),
}


class Faulty(FakeChargebee):
    """Spoils the call with number `at`, before or after it has had its effect."""

    def __init__(self, fault: str, at: int) -> None:
        super().__init__()
        self.fault, self.at, self.count = fault, at, -1
        self.deaf = False  # every call is carried out, and no answer comes back

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.count += 1
        if self.deaf:
            super().send(request)
            raise AnswerLost("cut")
        if self.count != self.at:
            return super().send(request)
        said = {
            "429": reply({"api_error_code": "api_request_limit_exceeded"}, 429),
            "lock": reply({"api_error_code": "lock_timeout"}, 429),
            "500 before": reply({"api_error_code": "internal_error"}, 500),
            "503 after": reply({"api_error_code": "internal_temporary_error"}, 503),
        }
        return spoilt(self.fault, lambda: FakeChargebee.send(self, request), said)


def connector(fake: FakeChargebee) -> Chargebee:
    settings = ChargebeeConfig.model_validate({"site": "acme-test", "api_key": KEY, "catalog": 2})
    return Chargebee(settings, fake.ports, where="billing")


def invoices(fake: FakeChargebee) -> FakeChargebee:
    fake.page_limit, fake.lines_a_page = 2, 3
    for n in range(5):
        lines = [{"id": f"li_{n}_{k}", "amount": k} for k in range(2 * n)]
        fake.put("invoices", {"id": f"{n}", "updated_at": NOW - 9000 + n, "line_items": lines})
    return fake


def pulled(fake: FakeChargebee) -> list[Any]:
    pages = connector(fake).pull("invoice")
    return [json.loads(record) for page in pages for record in page.records]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pull_reads_the_same_whatever_call_fails(fault: str) -> None:
    calm = invoices(Faulty("none", -1))
    expected = pulled(calm)
    assert [len(invoice["line_items"]) for invoice in expected] == [0, 2, 4, 6, 8]
    for at in range(len(calm.calls)):
        assert pulled(invoices(Faulty(fault, at))) == expected, f"call {at}"


@pytest.mark.parametrize("entity", sorted(WRITES))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_record_is_made_once_whatever_call_fails(fault: str, entity: str) -> None:
    record, collection = WRITES[entity]
    calm = Faulty("none", -1)
    connector(calm).create(entity, record, key=OUR_KEY)
    for at in range(len(calm.calls)):
        fake = Faulty(fault, at)
        made = json.loads(connector(fake).create(entity, record, key=OUR_KEY))
        (only,) = fake.objects[collection]
        assert made["id"] == only["id"], f"call {at}"
        assert only == calm.objects[collection][0] | _times(only), f"call {at}"


def _times(row: dict[str, Any]) -> dict[str, Any]:
    """What a waited-out fault changes, and the ids that the fake itself gives."""
    return {name: row[name] for name in ("created_at", "updated_at") if name in row}


@pytest.mark.parametrize("entity", sorted(WRITES))
@pytest.mark.parametrize("effect", [False, True], ids=["not carried out", "carried out"])
def test_a_lost_answer_is_settled_by_looking_long_after(entity: str, effect: bool) -> None:
    """Every answer is lost, then the window of the idempotency key is over."""
    record, collection = WRITES[entity]
    fake = Faulty("none", -1)
    fake.deaf = effect
    if not effect:
        fake.rules.append(lambda method, path, query: AnswerLost("cut"))
    with pytest.raises(UnknownOutcome):
        connector(fake).create(entity, record, key=OUR_KEY)
    fake.rules.clear()
    fake.kept.clear()
    fake.deaf = False
    fake.seconds += 30 * 86400
    chargebee = connector(fake)
    found = chargebee.find(entity, OUR_KEY)
    if entity != "payment":  # which takes several steps, and the first alone is no payment yet
        assert (found is not None) is effect
    if found is None:
        chargebee.create(entity, record, key=OUR_KEY)
    (only,) = fake.objects[collection]
    if entity == "payment":
        assert [row["invoice_id"] for row in only["linked_invoices"]] == ["7", "8"]


@pytest.mark.parametrize("down_from", range(4))
def test_an_outage_in_the_middle_of_a_payment_is_mended_by_the_next_run(down_from: int) -> None:
    fake = Faulty("none", -1)
    calls = [0]

    def down(method: str, path: str, query: Any) -> HttpAnswer | Exception | None:
        calls[0] += 1
        return AnswerLost("cut") if calls[0] > down_from else None

    fake.rules.append(down)
    with pytest.raises(TieoutError):
        connector(fake).create("payment", PAYMENT, key=OUR_KEY)
    fake.rules.clear()
    chargebee = connector(fake)
    if chargebee.find("payment", OUR_KEY) is None:
        chargebee.create("payment", PAYMENT, key=OUR_KEY)
    (only,) = fake.objects["transactions"]
    shares = [(row["invoice_id"], row["applied_amount"]) for row in only["linked_invoices"]]
    assert shares == [("7", 300), ("8", 200)]
