"""Official Chargebee objects are taken over and served back as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tieout.sandbox import SandboxClock, serve
from tieout.sandbox.chargebee import ChargebeeStandIn
from tieout.sandbox.chargebee.codec import decode
from tieout.sandbox.chargebee.kinds import KINDS
from tieout.sandbox.chargebee.samples import catalog_of, objects_in

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "chargebee" / "samples"


def samples() -> list[Any]:
    found = []
    for path in sorted(SAMPLES.glob("*.json")):
        for at, (kind, item) in enumerate(objects_in(json.loads(path.read_text()))):
            found.append(pytest.param(kind, item, id=f"{path.stem}-{at}-{kind}"))
    return found or [pytest.param("", None, id="none")]


def _shown(site_url: str, http: requests.Session, kind: str, item: dict[str, Any]) -> Any:
    """The object as the API shows it; None where it has no place of its own."""
    known = KINDS[kind]
    if item.get("deleted") or not known.retrieve:
        if not known.listed:
            return None
        params: dict[str, Any] = {"include_deleted": "true"}
        if "id" in known.filters:
            params["id[is]"] = item["id"]
        answer = http.get(f"{site_url}/api/v2/{known.path}", params=params, timeout=10)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["list"]
        assert len(rows) == 1
        return rows[0][kind]
    id = item.get("name") if kind == "time_machine" else item["id"]
    answer = http.get(f"{site_url}/api/v2/{known.path}/{id}", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()[kind]


@pytest.mark.parametrize(("kind", "item"), samples())
def test_an_official_object_is_served_back_unchanged(
    kind: str, item: dict[str, Any] | None
) -> None:
    if item is None:
        pytest.skip(f"no samples at {SAMPLES}")
    catalog = KINDS[kind].catalog or 2
    clock = SandboxClock(datetime(2026, 1, 31, tzinfo=UTC))
    stand_in = ChargebeeStandIn(clock, catalog=catalog)
    stand_in.load([(kind, item)])
    with serve(stand_in) as running, requests.Session() as http:
        http.auth = (stand_in.credentials()["api_key"], "")
        shown = _shown(running.url, http, kind, item)
    if shown is None:
        row = next(stand_in.site.shelf(kind).all())
        shown = json.loads(json.dumps(decode(row.raw), default=float))
    assert shown == item


def test_a_subscription_is_shown_with_its_customer_and_card() -> None:
    if not SAMPLES.exists():
        pytest.skip(f"no samples at {SAMPLES}")
    sample = json.loads((SAMPLES / "subscription_paused.json").read_text())
    stand_in = ChargebeeStandIn(SandboxClock(datetime(2026, 1, 31, tzinfo=UTC)), catalog=1)
    stand_in.load([(kind, sample[kind]) for kind in ("subscription", "customer", "card")])
    with serve(stand_in) as running, requests.Session() as http:
        http.auth = (stand_in.credentials()["api_key"], "")
        id = sample["subscription"]["id"]
        shown = http.get(f"{running.url}/api/v2/subscriptions/{id}", timeout=10).json()
        listed = http.get(f"{running.url}/api/v2/subscriptions", timeout=10).json()["list"]
    assert shown == {kind: sample[kind] for kind in ("subscription", "customer", "card")}
    assert listed == [shown]


def test_objects_are_found_wherever_they_stand() -> None:
    customer = {"object": "customer", "id": "c", "contacts": [{"object": "contact", "id": "k"}]}
    event = {"object": "event", "id": "e", "content": {"customer": customer}}
    assert list(objects_in({"list": [{"customer": customer}], "next_offset": "x"})) == [
        ("customer", customer)
    ]
    assert list(objects_in(event)) == [("event", event), ("customer", customer)]
    assert list(objects_in({"estimate": 1, "message": "no"})) == []


@pytest.mark.parametrize(
    ("value", "catalog"),
    [
        ({"list": [{"plan": {"object": "plan", "id": "p"}}]}, 1),
        ({"subscription": {"object": "subscription", "plan_id": "p"}}, 1),
        ({"item_price": {"object": "item_price"}}, 2),
        ({"customer": {"object": "customer"}}, None),
    ],
)
def test_the_catalogue_of_a_sample(value: object, catalog: int | None) -> None:
    assert catalog_of(value) == catalog
