"""One fault at each call, one kind after another: what is read and made stays the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from spoiling import FAULTS, spoilt
from stripe_fake import NOW, FakeStripe, refusal

from tieout.connectors.stripe import Stripe, StripeConfig
from tieout.connectors.stripe.kinds import KINDS
from tieout.core.errors import TieoutError
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest

DRAFT = {
    "customer": "cus_1",
    "finalize": True,
    "items": [{"amount": 1000, "currency": "usd"}, {"amount": 250, "currency": "usd"}],
}


class Faulty(FakeStripe):
    """Spoils the call with number `at`, before or after it has had its effect."""

    def __init__(self, fault: str, at: int) -> None:
        super().__init__()
        self.fault, self.at, self.count = fault, at, -1
        for path in [kind.path for kind in KINDS.values()]:
            self.objects[path] = []
        for name in ("charges", "events", "invoice_payments"):
            self.objects[f"/v1/{name}"] = []

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.count += 1
        if self.count != self.at:
            return super().send(request)
        said = {
            "429": refusal(429, "rate_limit"),
            "lock": refusal(429, "lock_timeout"),
            "500 before": refusal(500, "api_error"),
            "503 after": refusal(503, "api_error"),
        }
        return spoilt(self.fault, lambda: FakeStripe.send(self, request), said)


def connector(fake: FakeStripe) -> Stripe:
    settings = StripeConfig.model_validate({"api_key": "sk_test_1"})
    return Stripe(settings, fake.ports, where="stripe")


def payments(fake: FakeStripe) -> FakeStripe:
    fake.page_limit = 2
    for n in range(5):
        fake.put("/v1/payment_intents", {"id": f"pi_{n}", "created": NOW - 90 + n})
        fake.put(
            "/v1/invoice_payments",
            {
                "id": f"inpay_{n}", "invoice": "in_1", "amount_paid": n, "amount_requested": n,
                "currency": "usd", "status": "paid", "created": NOW,
                "payment": {"type": "payment_intent", "payment_intent": f"pi_{n}"},
            },
        )  # fmt: skip
    fake.put("/v1/charges", {"id": "ch_1", "created": NOW - 9, "payment_intent": None})
    return fake


def pulled(fake: FakeStripe) -> list[Any]:
    pages = connector(fake).pull("payment")
    return [json.loads(record) for page in pages for record in page.records]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pull_reads_the_same_whatever_call_fails(fault: str) -> None:
    calm = payments(Faulty("none", -1))
    expected = pulled(calm)
    assert len(expected) == 6 and len(calm.calls) == 7
    for at in range(len(calm.calls)):
        assert pulled(payments(Faulty(fault, at))) == expected, f"call {at}"


@pytest.mark.parametrize("fault", FAULTS)
def test_an_invoice_is_made_once_whatever_call_fails(fault: str) -> None:
    for at in range(4):
        fake = Faulty(fault, at)
        made = json.loads(connector(fake).create("invoice", DRAFT, key="k"))
        (only,) = fake.objects["/v1/invoices"]
        assert made["id"] == only["id"] and only["status"] == "open", f"call {at}"
        assert len(only["lines"]["data"]) == 2, f"call {at}"


@pytest.mark.parametrize("down_from", range(4))
def test_an_outage_in_the_middle_of_an_invoice_is_mended_by_the_next_run(down_from: int) -> None:
    fake = Faulty("none", -1)
    calls = [0]

    def down(method: str, path: str, query: Any) -> HttpAnswer | Exception | None:
        calls[0] += 1
        return AnswerLost("cut") if calls[0] > down_from else None

    fake.rules.append(down)
    with pytest.raises(TieoutError) as caught:
        connector(fake).create("invoice", DRAFT, key="k")
    assert type(caught.value).__name__ == "UnknownOutcome"
    fake.rules.clear()
    stripe = connector(fake)
    if stripe.find("invoice", "k") is None:
        stripe.create("invoice", DRAFT, key="k")
    (only,) = fake.objects["/v1/invoices"]
    assert only["status"] == "open" and len(only["lines"]["data"]) == 2
