"""A daily pool that is over, as Salesforce says it: no worker calls, a run says until when."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from virtual_time import VirtualTime

from tieout.core.errors import RateLimited
from tieout.core.ports import HttpAnswer, HttpRequest
from tieout.rest import Again, Learned, Pace, Pool, Refusal, Request, RestClient, Verdict
from tieout.store import SharedBudget, open_store

OVER = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
USAGE = "sforce-limit-info"


def learn(answer: HttpAnswer) -> Iterable[Learned]:
    """`api-usage=22/15000`"""
    used, _, limit = answer.headers.get(USAGE, "").partition("=")[2].partition("/")
    if limit:
        yield Learned("day", int(limit), used=int(used))


def judge(refusal: Refusal) -> Verdict | None:
    if refusal.status == 403 and "REQUEST_LIMIT_EXCEEDED" in str(refusal.body):
        return Verdict(RateLimited("the org's calls of today are used up"), Again.ALWAYS)
    return None


class Org:
    """A provider with one daily pool, of which somebody else used most."""

    def __init__(self, used: int, limit: int) -> None:
        self.used, self.limit, self.asked = used, limit, 0

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.asked += 1
        headers = {"content-type": "application/json", USAGE: f"api-usage={self.used}/{self.limit}"}
        if self.used >= self.limit:
            return HttpAnswer(403, headers, json.dumps(OVER).encode())
        self.used += 1
        headers[USAGE] = f"api-usage={self.used}/{self.limit}"
        return HttpAnswer(200, headers, b"{}")


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


def client(time: VirtualTime, org: Org, path: Path, name: str) -> RestClient:
    ports = time.ports(name)
    store = open_store(path / "tieout.db", ports, alone=False)
    ports = replace(ports, send=org.send, budget=SharedBudget(lambda: store.budgets, name))
    pools = (Pool("day", 15_000, 86_400),)
    pace = Pace(50, 5, ports=ports, credential="salesforce:00D", pools=pools)
    return RestClient(
        "https://org.example.com", ports=ports, pace=pace, learn=learn, judge=judge, where=name
    )


def test_one_worker_hears_of_it_and_all_stop(time: VirtualTime, tmp_path: Path) -> None:
    org = Org(used=15_000, limit=15_000)
    one, two = client(time, org, tmp_path, "one"), client(time, org, tmp_path, "two")
    outcomes: list[RateLimited] = []

    def work(sender: RestClient) -> None:
        with pytest.raises(RateLimited) as caught:
            sender.send(Request("GET", "/services/data"))
        outcomes.append(caught.value)

    time.run(lambda: work(one))
    asked = org.asked
    assert asked == 1
    time.run(lambda: work(two))
    assert org.asked == asked
    assert "used up until 12:15 UTC" in outcomes[1].message  # noon, and a look each 15 minutes
    assert outcomes[1].where.startswith("two")
    org.used = 9000  # calls of yesterday have left the window
    time.run(lambda: time.sleep(901))
    for sender in (two, one, two):
        time.run(lambda s=sender: s.send(Request("GET", "/services/data")))
    assert org.asked == asked + 3


def test_others_keep_their_share(time: VirtualTime, tmp_path: Path) -> None:
    """Of the org's 15,000 3,000 stay with others: used by them or not, we stop at 12,000."""
    org = Org(used=11_900, limit=15_000)
    clients = [client(time, org, tmp_path, name) for name in ("one", "two")]

    def work(sender: RestClient) -> None:
        with pytest.raises(RateLimited):
            while True:
                sender.send(Request("GET", "/services/data"))

    time.run(*(lambda s=sender: work(s) for sender in clients))
    # Incremental pulls leave 2 % of our 12,000 to more urgent work: 11,760 is passed already, so
    # only the calls that were needed to learn it were made.
    assert 1 <= org.used - 11_900 <= 4
