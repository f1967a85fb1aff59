"""Salesforce through config.yaml and the store: what a pull leaves there, what check is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from salesforce_fake import LOGIN, MESSAGE, ORG, ORG15, FakeSalesforce, moment
from werkzeug.test import Client

from tieout.hub import Hub
from tieout.sync.pull import Pulled, pull
from tieout.webhooks import create_app

CONFIG = f"""\
systems:
  crm:
    type: salesforce
    base_url: {LOGIN}
    client_id: 3MVG9example
    client_secret: '${{SECRET}}'
    objects: {{invoice: {{object: TieOut_Invoice__c}}}}
    fields: {{customer: [Tier__c]}}
    webhook_token: '${{TOKEN}}'
    organization_id: {ORG}
    # currency: USD
"""


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


def opened(tmp_path: Path, fake: FakeSalesforce, text: str = CONFIG) -> Hub:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return Hub.open(
        path,
        {"SECRET": "s3cret-of-the-app", "TOKEN": "long-and-random"},
        ports=fake.ports,
        ports_for=lambda _: fake.ports,
    )


@pytest.fixture
def hub(tmp_path: Path, fake: FakeSalesforce) -> Iterator[Hub]:
    with opened(tmp_path, fake) as made:
        yield made


def pulled(hub: Hub, entity: str, run: str) -> Pulled:
    return pull(hub.store, hub.side("crm"), entity, [], hub.ports, run=run)


def test_a_merged_account_is_deleted_in_the_store_and_says_into_what(
    hub: Hub, fake: FakeSalesforce
) -> None:
    winner, loser = (fake.put("Account", Name=name)["Id"] for name in ("winner", "loser"))
    fake.put("Account", Name="other")
    first = pulled(hub, "customer", "r1")
    assert (first.full, first.new, first.quarantined) == (True, 3, 0)
    fake.seconds += 3600
    fake.row("Account", loser).update(  # type: ignore[union-attr]
        IsDeleted=True, MasterRecordId=winner, SystemModstamp=moment(46000)
    )
    second = pulled(hub, "customer", "r2")
    assert not second.full and second.quarantined == 0
    held = hub.store.records.many("customer", "crm", [winner, loser])
    assert held[loser].deleted and held[loser].custom["merged_into"] == winner
    assert not held[winner].deleted
    fake.seconds += timedelta(hours=1).total_seconds()
    third = pulled(hub, "customer", "r3")
    assert (third.new, third.changed, third.deleted) == (0, 0, 0)


def test_check_misses_a_currency_that_config_does_not_name(
    tmp_path: Path, fake: FakeSalesforce
) -> None:
    with opened(tmp_path, fake) as hub:
        problems = hub.side("crm").connector.check().problems
        assert any("`currency:`" in each for each in problems)
    with opened(tmp_path, fake, CONFIG.replace("# currency", "currency")) as hub:
        problems = hub.side("crm").connector.check().problems
        assert not any("`currency:`" in each for each in problems)


def test_an_outbound_message_is_kept_without_its_session_and_acknowledged(hub: Hub) -> None:
    client, message = Client(create_app(hub)), MESSAGE.format(org=ORG15)
    for wrong in ("/webhooks/crm", "/webhooks/crm/something-else"):
        assert client.post(wrong, data=message).status_code == 400
    told = client.post("/webhooks/crm/long-and-random", data=message)
    assert told.status_code == 200 and told.mimetype == "text/xml"
    assert "<Ack>true</Ack>" in told.text
    (kept,) = hub.store.inbox.list()
    assert kept.event_id == "04l5g0000000001AAA" and b"a-live-session" not in kept.body
