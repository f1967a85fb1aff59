"""The server keeps connections open, ends them cleanly, and its control path stands apart."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from echo_provider import START, Echo

from tieout.sandbox import Running, SandboxClock, serve


@pytest.fixture
def running() -> Iterator[Running]:
    with serve(Echo()) as running:
        yield running


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None
) -> tuple[int, Any]:
    connection.request(method, path, body)
    answer = connection.getresponse()
    content = answer.read()
    return answer.status, json.loads(content) if content else None


@pytest.fixture
def connection(running: Running) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    yield connection
    connection.close()


def test_one_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    ask(connection, "GET", "/a")
    first = connection.sock
    status, answer = ask(connection, "POST", "/b%20c?x=1", "hello")
    assert connection.sock is first
    assert (status, answer) == (200, {"path": "/b c", "query": "x=1", "body": "hello"})


def test_a_chunked_body_is_read_whole(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/c", iter([b"one ", b"two"]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    assert json.loads(connection.getresponse().read())["body"] == "one two"
    assert ask(connection, "GET", "/after")[0] == 200


def test_a_head_request_gets_no_body(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "HEAD", "/a") == (200, None)
    assert ask(connection, "GET", "/a")[0] == 200


def test_it_listens_on_this_machine_only_and_stops(running: Running) -> None:
    assert running.url == f"http://127.0.0.1:{running.port}"
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    ask(connection, "GET", "/a")
    running.stop()
    running.stop()
    connection.close()
    with pytest.raises(OSError):
        ask(http.client.HTTPConnection("127.0.0.1", running.port, timeout=5), "GET", "/a")


def test_the_control_path_lists_requests_and_not_itself(
    connection: http.client.HTTPConnection,
) -> None:
    ask(connection, "GET", "/v1/things?limit=1")
    ask(connection, "POST", "/v1/things", "x")
    _, answer = ask(connection, "GET", "/_sandbox/requests")
    assert [(r["method"], r["path"], r["query"], r["status"]) for r in answer["requests"]] == [
        ("GET", "/v1/things", "limit=1", 200),
        ("POST", "/v1/things", "", 200),
    ]
    ask(connection, "DELETE", "/_sandbox/requests")
    assert ask(connection, "GET", "/_sandbox/requests")[1] == {"requests": []}


def test_the_control_path_moves_the_clock(
    running: Running, connection: http.client.HTTPConnection
) -> None:
    status, answer = ask(connection, "POST", "/_sandbox/clock", '{"advance_seconds": 90.5}')
    assert (status, answer) == (200, {"now": "2026-01-31T12:01:30.500000+00:00"})
    ask(connection, "POST", "/_sandbox/clock", '{"now": "2026-03-01T00:00:00Z"}')
    assert running.stand_in.clock.now() == datetime(2026, 3, 1, tzinfo=UTC)  # type: ignore[attr-defined]


def test_the_control_path_loads_objects_and_explains_its_refusals(
    running: Running, connection: http.client.HTTPConnection
) -> None:
    ask(connection, "POST", "/_sandbox/objects", '{"objects": [["thing", {"id": "t"}]]}')
    assert running.stand_in.loaded == [("thing", {"id": "t"})]  # type: ignore[attr-defined]
    status, answer = ask(connection, "POST", "/_sandbox/faults", '{"spec": "explode"}')
    assert status == 400 and "known kinds: 401, 429" in answer["error"]
    assert ask(connection, "GET", "/_sandbox/nothing")[0] == 404
    assert ask(connection, "POST", "/_sandbox/clock", "[1]")[0] == 400


def test_a_clock_that_was_given_a_start_stands_still() -> None:
    clock = SandboxClock(START)
    assert clock.now() == clock.now() == START
    clock.move(-1)
    assert clock.timestamp() == int(START.timestamp()) - 1
    clock.set(START)
    assert clock.now() == START
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2026, 1, 1))
