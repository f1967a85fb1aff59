"""Chargebee's webhooks: basic auth, the body of an event, retries, and what events say of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from chargebee_session import Stage, stage


class Receiver:
    """Keeps what it is sent; answers `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.url = ""

    @property
    def types(self) -> list[str]:
        return [body["event_type"] for _, body in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers), json.loads(raw)))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/chargebee"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def cb(receiver: Receiver) -> Iterator[Stage]:
    with stage() as running:
        running.stand_in.send_webhooks_to(receiver.url)
        yield running


def delivered(cb: Stage) -> None:
    assert cb.stand_in.wait_for_webhooks()


def event_of(cb: Stage, body: dict[str, Any]) -> Any:
    return cb.get(f"events/{body['id']}")["event"]


def test_an_event_arrives_with_basic_auth(cb: Stage, receiver: Receiver) -> None:
    cb.customer()
    delivered(cb)
    headers, body = receiver.got[0]
    login = cb.stand_in.credentials()
    pair = f"{login['webhook_user']}:{login['webhook_password']}".encode()
    assert headers["Authorization"] == f"Basic {base64.b64encode(pair).decode()}"
    assert (body["event_type"], body["api_version"], body["object"]) == (
        "customer_created",
        "v2",
        "event",
    )
    assert (body["source"], body["webhook_status"]) == ("api", "scheduled")
    assert body["content"]["customer"] == cb.get("customers/acme")["customer"]
    event = event_of(cb, body)
    assert (event["webhook_status"], event["content"]) == ("succeeded", body["content"])


def test_a_delivery_is_tried_again_until_it_arrives(cb: Stage, receiver: Receiver) -> None:
    receiver.statuses = [500, 302]
    cb.customer()
    delivered(cb)
    assert event_of(cb, receiver.got[0][1])["webhook_status"] == "re_scheduled"
    for minutes in (2, 6):
        cb.clock.move(minutes * 60)
        before = len(receiver.got)
        for _ in range(200):
            if len(receiver.got) > before:
                break
            cb.stand_in.wait_for_webhooks(0.05)
            cb.get("customers", {"limit": 1})
        delivered(cb)
    assert receiver.types == ["customer_created"] * 3
    assert event_of(cb, receiver.got[0][1])["webhook_status"] == "succeeded"


def test_a_request_may_silence_its_webhooks(cb: Stage, receiver: Receiver) -> None:
    cb.send("customers", {"id": "a"}, chargebee_event_webhook="all-disabled")
    cb.send("customers", {"id": "b"}, chargebee_event_actions="all-disabled")
    cb.customer("c")
    delivered(cb)
    assert [body["content"]["customer"]["id"] for _, body in receiver.got] == ["c"]
    states = [one["webhook_status"] for one in cb.rows("event", "events")]
    assert states == ["disabled", "disabled", "succeeded"]
    quiet = cb.rows("event", "events", {"webhook_status[in]": '["disabled","failed"]'})
    assert len(quiet) == 2


def test_what_happens_by_itself_comes_from_the_scheduler(cb: Stage, receiver: Receiver) -> None:
    cb.catalogue()
    cb.customer()
    cb.subscription()
    cb.clock.move(29 * 86_400)
    cb.stand_in.catch_up()
    delivered(cb)
    renewed = [body for _, body in receiver.got if body["event_type"] == "subscription_renewed"]
    assert [body["source"] for body in renewed] == ["scheduled_job"]
    assert set(renewed[0]["content"]) == {"subscription", "customer", "invoice"}


@pytest.mark.parametrize(
    ("fault", "seen"),
    [("lost_webhook@1", ["b"]), ("duplicate_webhook@1", ["a", "a", "b"]),
     ("reorder_webhook@1", ["b", "a"])],
)  # fmt: skip
def test_webhooks_go_wrong_on_demand(
    cb: Stage, receiver: Receiver, fault: str, seen: list[str]
) -> None:
    cb.running.faults.load(fault)
    cb.customer("a")
    cb.customer("b")
    delivered(cb)
    assert [body["content"]["customer"]["id"] for _, body in receiver.got] == seen


def test_clients_register_endpoints_of_their_own(receiver: Receiver) -> None:
    with stage() as cb:
        made = cb.post(
            "webhook_endpoints",
            {
                "name": "Books",
                "url": receiver.url,
                "basic_auth_username": "me",
                "basic_auth_password": "pass:word",
                "enabled_events[0]": "customer_deleted",
            },
        )["webhook_endpoint"]
        assert "basic_auth_password" not in made
        cb.customer()
        cb.post("customers/acme/delete")
        delivered(cb)
        assert receiver.types == ["customer_deleted"]
        sent = receiver.got[0][0]["Authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent) == b"me:pass:word"
        states = [one["webhook_status"] for one in cb.rows("event", "events")]
        assert states == ["not_applicable", "succeeded"]
        cb.post(f"webhook_endpoints/{made['id']}/delete")
        assert cb.get("webhook_endpoints") == {"list": []}
