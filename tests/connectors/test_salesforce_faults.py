"""One fault at each call, one kind after another: what is read and made stays the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from salesforce_fake import LOGIN, FakeSalesforce, moment, refusal
from spoiling import FAULTS as COMMON
from spoiling import spoilt

from tieout.connectors.base import Write
from tieout.connectors.salesforce import Salesforce, SalesforceConfig
from tieout.core.ports import HttpAnswer, HttpRequest


class Faulty(FakeSalesforce):
    """Spoils the call with number `at`, before or after it has had its effect."""

    def __init__(self, fault: str, at: int) -> None:
        super().__init__()
        self.fault, self.at, self.count = fault, at, -1

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.count += 1
        if self.count != self.at:
            return super().send(request)
        told = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        said = {
            "429": HttpAnswer(429, {"retry-after": "1"}, b""),
            "busy": refusal(403, "REQUEST_LIMIT_EXCEEDED", told),
            "lock": refusal(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
            "406": HttpAnswer(406, {}, b""),
            "500 before": refusal(500, "UNKNOWN_EXCEPTION"),
            "503 after": refusal(503, "SERVER_UNAVAILABLE"),
        }
        return spoilt(self.fault, lambda: FakeSalesforce.send(self, request), said)


FAULTS = ["busy", "406", *COMMON]


def connector(fake: FakeSalesforce, **more: Any) -> Salesforce:
    settings = SalesforceConfig.model_validate(
        {"client_id": "c", "client_secret": "s", "base_url": LOGIN, **more}
    )
    return Salesforce(settings, fake.ports, where="crm")


def world(fake: FakeSalesforce) -> FakeSalesforce:
    fake.page = 2
    for n in range(5):
        fake.put("Account", Name=f"A{n}", SystemModstamp=moment(43000 + n))
    winner = fake.tables["Account"][0]["Id"]
    fake.put(
        "Account",
        Name="loser",
        IsDeleted=True,
        MasterRecordId=winner,
        SystemModstamp=moment(43010),
    )
    fake.hard_deleted["Account"] = ["0015g0000077777AAA"]
    return fake


def pulled(fake: FakeSalesforce, since: datetime | None, **more: Any) -> tuple[list[Any], set[str]]:
    pages = list(connector(fake, **more).pull("customer", since=since))
    rows = [json.loads(record) for page in pages for record in page.records]
    return rows, {id for page in pages for id in page.deleted}


SINCE = datetime(2026, 1, 31, 11, 0, tzinfo=UTC)
PULLS: list[tuple[datetime | None, dict[str, Any]]] = [
    (None, {}), (SINCE, {}), (None, {"bulk_from": 4}), (SINCE, {"bulk_from": 4}),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("since", "more"), PULLS)
def test_a_pull_reads_the_same_whatever_call_fails(
    fault: str, since: datetime | None, more: dict[str, Any]
) -> None:
    calm = world(Faulty("none", -1))
    expected = pulled(calm, since, **more)
    assert len({row["Id"] for row in expected[0]}) == (5 if since is None else 6)
    assert len(calm.calls) >= 5
    for at in range(len(calm.calls)):
        found = pulled(world(Faulty(fault, at)), since, **more)
        assert found == expected, f"call {at}"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_customer_is_made_once_whatever_call_fails(fault: str) -> None:
    for at in range(5):
        fake = Faulty(fault, at)
        made = json.loads(connector(fake).create("customer", {"Name": "A"}, key="k"))
        (only,) = fake.tables["Account"]
        assert made["Id"] == only["Id"] and made["Name"] == "A", f"call {at}"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_batch_is_written_once_whatever_call_fails(fault: str) -> None:
    writes = [Write({"Name": f"A{n}"}, f"k{n}") for n in range(3)]
    for at in range(5):
        fake = Faulty(fault, at)
        told = connector(fake).write_many("customer", writes)
        assert [json.loads(each)["Name"] for each in told if isinstance(each, bytes)] == [
            "A0", "A1", "A2",
        ], f"call {at}"  # fmt: skip
        assert len(fake.tables["Account"]) == 3, f"call {at}"
