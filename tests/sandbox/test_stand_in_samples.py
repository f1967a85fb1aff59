"""Official sample objects are taken over and served back as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tieout.sandbox import SandboxClock, serve
from tieout.sandbox.stripe import StripeStandIn
from tieout.sandbox.stripe.codec import decode
from tieout.sandbox.stripe.kinds import KINDS

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "stripe" / "samples"


def objects() -> list[Any]:
    found = []
    for path in sorted(SAMPLES.glob("*.json")):
        content = json.loads(path.read_text())
        if content.get("object") not in (None, "list"):
            found.append(pytest.param(content, id=path.stem))
    return found or [pytest.param(None, id="none")]


@pytest.fixture
def stand_in() -> StripeStandIn:
    return StripeStandIn(SandboxClock(datetime(2026, 1, 31, tzinfo=UTC)))


def address(item: dict[str, Any]) -> str | None:
    """Where the API serves this object; None for those that stand inside others only."""
    kind = KINDS.get(item["object"])
    if item["object"] == "balance":
        return "/v1/balance"
    if item["object"] == "account":
        return f"/v1/accounts/{item['id']}"
    if item["object"] == "customer_balance_transaction":
        return None
    return f"{kind.path}/{item['id']}" if kind and kind.path and "id" in item else None


@pytest.mark.parametrize("item", objects())
def test_an_official_object_is_served_back_unchanged(
    stand_in: StripeStandIn, item: dict[str, Any] | None
) -> None:
    if item is None:
        pytest.skip(f"no samples at {SAMPLES}")
    if item["object"] == "event":  # the API shows events of the past 30 days only
        stand_in.clock.set(datetime.fromtimestamp(item["created"] + 60, UTC))
    stand_in.load([(item["object"], item)])
    path = address(item)
    if path is None:
        row = next(stand_in.account.shelf(item["object"]).newest())
        assert json.loads(row.raw) == item
        return
    with serve(stand_in) as running, requests.Session() as session:
        session.auth = (stand_in.credentials()["api_key"], "")
        answer = session.get(running.url + path, timeout=10)
        assert answer.status_code == 200, answer.text
        assert list(answer.json().items()) == list(item.items())


@pytest.mark.parametrize("item", objects())
def test_an_official_object_is_in_its_list(
    stand_in: StripeStandIn, item: dict[str, Any] | None
) -> None:
    if item is None:
        pytest.skip(f"no samples at {SAMPLES}")
    kind = KINDS.get(item["object"])
    if kind is None or not kind.path or item.get("deleted") or "id" not in item:
        pytest.skip(f"the API has no list of {item['object']} for it")
    if item["object"] == "event":
        stand_in.clock.set(datetime.fromtimestamp(item["created"] + 60, UTC))
    stand_in.load([(item["object"], item)])
    wanted = {"subscription": {"status": "all"},
              "subscription_item": {"subscription": item.get("subscription")}}  # fmt: skip
    with serve(stand_in) as running, requests.Session() as session:
        session.auth = (stand_in.credentials()["api_key"], "")
        answer = session.get(
            running.url + kind.path, params=wanted.get(item["object"], {}), timeout=10
        ).json()
    assert answer["data"] == [item]
    assert answer["has_more"] is False


def test_numbers_keep_their_digits(stand_in: StripeStandIn) -> None:
    raw = b'{"id":"txn_1","object":"balance_transaction","exchange_rate":1.1000000000000000001}'
    stand_in.load([("balance_transaction", decode(raw))])
    row = stand_in.account.shelf("balance_transaction").get("txn_1")
    assert row is not None and row.raw == raw


def test_lists_inside_loaded_objects_have_their_own_pages(stand_in: StripeStandIn) -> None:
    lines = [{"id": f"il_{n:02d}", "object": "line_item", "amount": n} for n in range(12)]
    url = "/v1/invoices/in_1/lines"
    held = {"object": "list", "data": lines[:10], "has_more": True, "url": url}
    stand_in.load(
        [
            ("invoice", {"id": "in_1", "object": "invoice", "created": 5, "lines": held}),
            *(("line_item", {**line, "invoice": "in_1"}) for line in lines[10:]),
        ]
    )
    with serve(stand_in) as running, requests.Session() as session:
        session.auth = (stand_in.credentials()["api_key"], "")
        first = session.get(running.url + url, timeout=10).json()
        after = {"starting_after": first["data"][-1]["id"]}
        rest = session.get(running.url + url, params=after, timeout=10).json()
        invoice = session.get(running.url + "/v1/invoices/in_1", timeout=10).json()
    assert [line["id"] for line in first["data"] + rest["data"]] == [line["id"] for line in lines]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert invoice["lines"] == held
