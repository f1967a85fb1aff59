"""One fault at each call, one kind after another: what is read and made stays the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from spoiling import FAULTS, spoilt
from zuora_fake import FakeZuora, refused, reply

from tieout.connectors.zuora import Zuora, ZuoraConfig
from tieout.core.errors import TieoutError
from tieout.core.ports import HttpAnswer, HttpRequest


class Faulty(FakeZuora):
    """Spoils the call with number `at`, before or after it has had its effect."""

    def __init__(self, fault: str, at: int) -> None:
        super().__init__()
        self.fault, self.at, self.count = fault, at, -1

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.count += 1
        if self.count != self.at:
            return super().send(request)
        after = reply({"message": "oops"}, 503)
        said = {
            "429": refused(50000070, "too many", 429),
            "lock": refused(53200050, "locked"),
            "500 before": reply({"message": "oops"}, 500),
            "503 after": after,
        }
        answer = spoilt(self.fault, lambda: FakeZuora.send(self, request), said)
        if answer is after and (key := request.headers.get("Idempotency-Key")):
            self.kept[key] = after
        return answer


def connector(fake: FakeZuora, **more: Any) -> Zuora:
    settings = {"client_id": "c1", "client_secret": "s+/=x", "base_url": "https://rest.zuora.com"}
    return Zuora(ZuoraConfig.model_validate({**settings, **more}), fake.ports, where="z")


def filled(fake: FakeZuora) -> FakeZuora:
    for n in range(5):
        bill = fake.put("invoices", currency="USD", updatedDate=f"2026-01-{n + 1:02}T00:00:00Z")
        fake.put("invoice-items", invoiceId=bill["id"], chargeAmount=n)
    return fake


def read(zuora: Zuora) -> list[tuple[str, int]]:
    found = [json.loads(r) for page in zuora.pull("invoice") for r in page.records]
    return sorted((row["id"], len(row["invoiceItems"])) for row in found)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", ["auto", "yes"])
def test_a_pull_survives_a_fault_at_any_call_or_goes_on_after_it(fault: str, mode: str) -> None:
    whole = filled(FakeZuora())
    expected = read(connector(whole, data_query=mode, page_size=2))
    assert len(expected) == 5
    for at in range(len(whole.requests)):
        fake = filled(Faulty(fault, at))
        zuora = connector(fake, data_query=mode, page_size=2)
        try:
            found = read(zuora)
        except TieoutError:  # a file or a login that failed for good: the next run has it all
            found = read(zuora)
        assert found == expected, (fault, at)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("entity", ["customer", "payment"])
def test_a_create_makes_one_record_whatever_fails(fault: str, entity: str) -> None:
    bodies: dict[str, Any] = {
        "customer": {"name": "Ada", "currency": "USD"},
        "payment": {"accountId": "a", "amount": 5, "currency": "USD", "type": "External"},
    }
    whole = FakeZuora()
    connector(whole).create(entity, bodies[entity], key="k-1")
    for at in range(len(whole.requests)):
        fake = Faulty(fault, at)
        zuora = connector(fake)
        try:
            zuora.create(entity, bodies[entity], key="k-1")
        except TieoutError:  # as the engine does: look it up, and only then once more
            if zuora.find(entity, "k-1") is None:
                zuora.create(entity, bodies[entity], key="k-1")
        rows = fake.rows["accounts" if entity == "customer" else "payments"]
        assert len(rows) == 1, (fault, at)
