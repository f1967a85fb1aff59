"""Faults strike when their spec says, the same each time, and leave the effect they promise."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
from echo_provider import Echo

from tieout.sandbox import Faults, Running, serve
from tieout.sandbox.faults import KINDS, Rule, parse


def struck(faults: Faults, count: int, method: str = "GET", path: str = "/") -> list[list[str]]:
    return [[rule.kind for rule in faults.strike(method, path)] for _ in range(count)]


def test_a_spec_reads_kinds_arguments_and_conditions() -> None:
    rules = parse("stripe:500_before@3,429:7@every:10,slow:0.5@4@POST@/v1/in*@times:2")
    assert rules == [
        Rule("500_before", first=3, last=3),
        Rule("429", argument=7.0, every=10),
        Rule("slow", argument=0.5, first=4, last=4, method="POST", path="/v1/in*", times=2),
    ]


def test_groups_belong_to_one_provider_or_to_all() -> None:
    spec = "stripe:429@1;netsuite:503@2..4;html@5"
    assert [rule.kind for rule in parse(spec, "stripe")] == ["429", "html"]
    assert [rule.kind for rule in parse(spec, "netsuite")] == ["503", "html"]
    assert [rule.kind for rule in parse(spec)] == ["429", "503", "html"]


@pytest.mark.parametrize(
    "spec", ["explode", "stripe:explode@3", "429@", "429@0", "429@p=2", "slow:x", "stripe:"]
)
def test_a_bad_spec_is_refused_with_the_known_kinds(spec: str) -> None:
    with pytest.raises(ValueError, match="known kinds: ") as problem:
        parse(spec)
    assert all(kind in str(problem.value) for kind in KINDS)


def test_conditions_count_matching_requests_only() -> None:
    faults = Faults("429@2@POST@/v1/invoices*,500@every:3")
    assert struck(faults, 2, "GET", "/v1/invoices") == [[], []]
    assert struck(faults, 3, "POST", "/v1/invoices/in_1/pay") == [["500_before"], ["429"], []]
    assert faults.log == {"500_before": 1, "429": 1}


def test_a_probability_is_the_same_for_the_same_seed() -> None:
    first = struck(Faults("503@p=0.3", seed=7), 200)
    assert first == struck(Faults("503@p=0.3", seed=7), 200)
    assert first != struck(Faults("503@p=0.3", seed=8), 200)
    assert 35 < sum(map(bool, first)) < 85


def test_faults_can_be_added_and_cleared() -> None:
    faults = Faults()
    faults.add("timeout", times=2, method="POST")
    assert struck(faults, 1) == [[]]
    assert struck(faults, 3, "POST") == [["504"], ["504"], []]
    faults.add("429", times=None)
    faults.clear()
    assert struck(faults, 1) == [[]]
    with pytest.raises(ValueError, match="known kinds"):
        faults.add("explode")


@pytest.fixture
def running() -> Iterator[Running]:
    with serve(Echo()) as running:
        yield running


def post(running: Running) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    try:
        connection.request("POST", "/v1/things", "x")
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("kind", "status", "effects"),
    [("401", 401, 0), ("429", 429, 0), ("500_before", 500, 0), ("502", 502, 0), ("503", 503, 0),
     ("504", 504, 1), ("500_after", 500, 1), ("html", 200, 0), ("slow", 200, 1)],
)  # fmt: skip
def test_an_answer_is_replaced_before_or_after_the_effect(
    running: Running, kind: str, status: int, effects: int
) -> None:
    running.faults.add(kind, argument=0.0 if kind == "slow" else None)
    got, headers, body = post(running)
    assert got == status
    assert running.stand_in.effects == effects  # type: ignore[attr-defined]
    assert (b"html" in body) is (kind in ("502", "504", "html"))
    assert headers["Content-Type"].startswith("text/html") is (kind in ("502", "504", "html"))
    assert post(running)[0] == 200
    assert running.faults.log == {kind: 1}


@pytest.mark.parametrize(("kind", "effects"), [("closed", 0), ("lost_answer", 1)])
def test_a_connection_breaks_before_or_after_the_effect(
    running: Running, kind: str, effects: int
) -> None:
    running.faults.add(kind)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        post(running)
    assert running.stand_in.effects == effects  # type: ignore[attr-defined]


def test_a_torn_answer_promises_more_than_it_sends(running: Running) -> None:
    running.faults.add("torn")
    with pytest.raises(http.client.IncompleteRead) as problem:
        post(running)
    assert problem.value.partial and problem.value.expected
    assert json.loads(post(running)[2])["body"] == "x"


def test_retry_after_is_sent_when_asked_for(running: Running) -> None:
    running.faults.load("429:7@1,503@2")
    assert post(running)[1]["Retry-After"] == "7"
    assert "Retry-After" not in post(running)[1]


def test_a_stale_read_gives_what_was_read_before() -> None:
    class Counter(Echo):
        def wsgi(self, environ, start_response):  # type: ignore[no-untyped-def]
            self.effects += 1
            start_response("200 OK", [])
            return [str(self.effects).encode()]

    with serve(Counter(), faults=Faults("stale@2")) as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
        seen = []
        for _ in range(3):
            connection.request("GET", "/n")
            seen.append(connection.getresponse().read())
        connection.close()
    assert seen == [b"1", b"1", b"3"]
