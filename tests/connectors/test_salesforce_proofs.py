"""The Salesforce connector's second looks, and its outbound messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from salesforce_fake import (
    MESSAGE,
    NOW,
    ORG,
    ORG15,
    FakeSalesforce,
    moment,
)
from salesforce_pages import MIDNIGHT, accounts, connect

from tieout.connectors.base import Evidence, Method, Window
from tieout.connectors.salesforce import Salesforce
from tieout.connectors.salesforce.ids import long_id
from tieout.core.errors import (
    AuthError,
    ConfigError,
    InvalidRecord,
)


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


# Proofs


def proofs(fake: FakeSalesforce, entity: str, since: datetime | None) -> list[Evidence]:
    return list(connect(fake).prove(entity, Window(since, NOW)))


def test_a_full_pull_is_proved_by_a_count_and_all_ids(fake: FakeSalesforce) -> None:
    fake.page = 2
    made = accounts(fake, 5)
    fake.put("Account", IsDeleted=True)
    young = fake.put("Account", Name="young", CreatedDate=moment(43229))["Id"]
    count, *lists = proofs(fake, "customer", None)
    bound = datetime(2026, 1, 31, 11, 58, 30, tzinfo=UTC)
    assert (count.method, count.count, count.bound) == (Method.COUNT, 5, bound)
    assert count.note == "SELECT COUNT() of Account"
    assert [each.whole for each in lists] == [False, False, False, True]
    assert [id for each in lists for id in each.ids] == [*made, young]
    began = datetime(2026, 1, 31, 12, 0, 31, tzinfo=UTC)
    assert all(each.method is Method.IDS and each.bound == began for each in lists)


def test_a_window_is_proved_by_salesforces_list_of_changes(fake: FakeSalesforce) -> None:
    fake.put("Account", Name="old")
    new = fake.put("Account", Name="new", SystemModstamp=moment(43000))["Id"]
    fake.put("Account", Name="changed after the pull", SystemModstamp=moment(43229))
    count, overlap, feed = proofs(fake, "customer", MIDNIGHT + timedelta(seconds=42900))
    assert count.count == 3 and overlap.seconds == 600
    assert (feed.method, feed.ids) == (Method.FEED, (new,))


def test_where_deletions_are_listed_no_more_all_ids_are_told(fake: FakeSalesforce) -> None:
    made = accounts(fake, 2)
    fake.earliest = "2026-01-31T00:00:00.000+0000"
    found = proofs(fake, "customer", MIDNIGHT - timedelta(days=3))
    assert [each.method for each in found] == [
        Method.COUNT, Method.OVERLAP, Method.IDS, Method.IDS,
    ]  # fmt: skip
    assert found[2].ids == tuple(made) and found[3].whole


def test_contracts_and_orders_are_counted_together(fake: FakeSalesforce) -> None:
    fake.put("Contract")
    fake.put("Order")
    fake.put("Order")
    count, *_ = proofs(fake, "contract", None)
    assert count.count == 3 and "Contract and Order" in count.note


# Outbound messages


def hooked(fake: FakeSalesforce, **more: Any) -> Salesforce:
    return connect(fake, **{"webhook_token": "a-long-token", "organization_id": ORG, **more})


def test_an_outbound_message_says_what_to_read_again(fake: FakeSalesforce) -> None:
    crm = hooked(fake)
    for org in (ORG15, ORG):
        body = MESSAGE.format(org=org).encode()
        (touched,) = crm.read_webhook({"Tieout-Path-Token": "a-long-token"}, body)
        assert touched.event_id == "04l5g0000000001AAA" and touched.entity == "opportunity"
        assert touched.id == long_id("0065g0000000abC")
    assert not fake.calls
    kept = crm.webhook_kept(MESSAGE.format(org=ORG).encode())
    assert b"a-live-session" not in kept and b"<SessionId></SessionId>" in kept


def test_an_org_that_is_not_configured_is_the_one_that_we_log_in_to(fake: FakeSalesforce) -> None:
    crm = hooked(fake, organization_id="")
    body = MESSAGE.format(org=ORG15).encode()
    assert len(crm.read_webhook({"Tieout-Path-Token": "a-long-token"}, body)) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"Tieout-Path-Token": "wrong"}, {"Tieout-Path-Token": "ä"}]
)
def test_a_message_without_the_token_is_refused(
    fake: FakeSalesforce, headers: dict[str, str]
) -> None:
    with pytest.raises(AuthError, match="token"):
        hooked(fake).read_webhook(headers, MESSAGE.format(org=ORG).encode())
    with pytest.raises(ConfigError, match="no webhook_token"):
        hooked(fake, webhook_token="").read_webhook(headers, b"")


def test_messages_that_are_not_ours_or_not_safe_are_refused(fake: FakeSalesforce) -> None:
    crm, token = hooked(fake), {"Tieout-Path-Token": "a-long-token"}
    with pytest.raises(AuthError, match="another organization"):
        crm.read_webhook(token, MESSAGE.format(org="00D000000000001").encode())
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for body in (b"", b"not xml", bomb, b"<x/>"):
        with pytest.raises(InvalidRecord):
            crm.read_webhook(token, body)
