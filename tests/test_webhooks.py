"""A webhook is verified, kept once, and acknowledged only when it is durable."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from tieout.core.errors import StopRun
from tieout.core.ports import real_ports
from tieout.hub import Hub
from tieout.webhooks import LARGEST_BODY, create_app

SECRET = "whsec_canary"
CONFIG = """\
systems:
  stripe: {type: stripe, api_key: '${KEY}', webhook_secret: '${HOOK}'}
"""
BODY = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.paid",
        "data": {"object": {"id": "in_1", "object": "invoice"}},
    }
).encode()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    with Hub.open(config, {"KEY": "sk_test_1234567", "HOOK": SECRET}) as made:
        yield made


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    at = int(real_ports().now().timestamp())
    told = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={told}", "Authorization": "Bearer nothing"}


def test_a_genuine_event_is_kept_once(hub: Hub) -> None:
    client = Client(create_app(hub))
    answers = [client.post("/webhooks/stripe", data=BODY, headers=signed(BODY)) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 200]
    (kept,) = hub.store.inbox.list()
    assert (kept.system, kept.event_id, kept.body, kept.state) == ("stripe", "evt_1", BODY, "new")
    assert "Authorization" not in kept.headers
    assert hub.store.inbox.counts() == {"new": 1}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/webhooks/stripe", BODY, {}, 400),
        ("/webhooks/stripe", BODY, signed(BODY, "whsec_other"), 400),
        ("/webhooks/stripe", BODY + b" ", signed(BODY), 400),
        ("/webhooks/nobody", BODY, signed(BODY), 404),
        ("/webhooks/stripe", b"x" * (LARGEST_BODY + 1), {}, 413),
    ],
)
def test_what_is_not_genuine_is_refused_and_not_kept(
    hub: Hub, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = Client(create_app(hub)).post(path, data=body, headers=headers)
    assert answer.status_code == status
    assert SECRET not in answer.get_data(as_text=True)
    assert hub.store.inbox.list() == []


def test_it_is_not_acknowledged_when_it_cannot_be_kept(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StopRun("the disk is full")

    monkeypatch.setattr(hub.store.inbox, "keep", full)
    answer = Client(create_app(hub)).post("/webhooks/stripe", data=BODY, headers=signed(BODY))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
