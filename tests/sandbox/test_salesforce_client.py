"""simple-salesforce, which nobody here wrote, works against the Salesforce stand-in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import simple_salesforce.bulk2
from salesforce_stage import Local, Stage, stage
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(simple_salesforce.bulk2, "sleep", lambda seconds: None)
    with stage(page_size=3) as running:
        yield running


def test_its_own_jwt_login(org: Stage) -> None:
    known = org.stand_in.credentials()
    org.clock.set(datetime.now(UTC))  # the client signs with the machine's clock
    client = Salesforce(
        username=known["username"],
        consumer_key=known["client_id"],
        privatekey=known["private_key"],
        session=Local(org.running.url),
        version="66.0",
    )
    assert client.query("SELECT Name FROM Organization")["totalSize"] == 1


def test_its_own_client_credentials_login(org: Stage) -> None:
    known = org.stand_in.credentials()
    client = Salesforce(
        consumer_key=known["client_id"],
        consumer_secret=known["client_secret"],
        domain="x.my",
        session=Local(org.running.url),
    )
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000


def test_a_password_is_not_enough(org: Stage) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as failed:
        Salesforce(
            username="a@example.com",
            password="p",
            security_token="t",
            session=Local(org.running.url),
        )
    assert failed.value.code == "INVALID_OPERATION"


def test_create_read_change_and_delete(org: Stage) -> None:
    accounts = org.client.Account
    made = accounts.create({"Name": "Ada", "AnnualRevenue": 12})
    assert made["success"] is True
    assert accounts.get(made["id"])["Name"] == "Ada"
    assert accounts.update(made["id"], {"Name": "Ada Ltd"}) == 204
    assert accounts.upsert("TieOut_Id__c/cus_1", {"Name": "Bob"}) == 201
    assert accounts.get_by_custom_id("TieOut_Id__c", "cus_1")["Name"] == "Bob"
    assert accounts.describe()["keyPrefix"] == "001"
    assert accounts.metadata()["recentItems"][0]["Name"] == "Bob"
    assert accounts.delete(made["id"]) == 204
    window = (datetime(2026, 5, 6, tzinfo=UTC), datetime(2026, 5, 6, 13, tzinfo=UTC))
    assert accounts.deleted(*window)["deletedRecords"][0]["id"] == made["id"]
    assert len(accounts.updated(*window)["ids"]) == 1
    assert {one["name"] for one in org.client.describe()["sobjects"]} >= {"Account", "Order"}


def test_queries_page_through_and_money_stays_exact(org: Stage) -> None:
    for number in range(7):
        org.create("Account", Name=f"A{number}", MRR__c=f"{number}.105")
    client = org.client
    first = client.query("SELECT Id, Name FROM Account ORDER BY Name")
    second = client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert [one["Name"] for one in second["records"]] == ["A3", "A4", "A5"]
    exact = Salesforce(
        instance_url="https://x.my.salesforce.com",
        session_id=org.token,
        session=Local(org.running.url),
        parse_float=Decimal,
    )
    everything = exact.query_all("SELECT MRR__c FROM Account ORDER BY Name")
    assert [one["MRR__c"] for one in everything["records"]][-1] == Decimal("6.105")
    assert len(list(client.query_all_iter("SELECT Id FROM Account"))) == 7
    assert client.query_all("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 7


def test_errors_arrive_as_its_exceptions(org: Stage) -> None:
    with pytest.raises(SalesforceMalformedRequest) as bad:
        org.client.Account.create({"Phone": "1"})
    assert bad.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    with pytest.raises(SalesforceResourceNotFound):
        org.client.Account.get("001000000000000AAA")
    for _ in range(2):
        org.create("Account", Name="x", Billing_Id__c="same")
    with pytest.raises(SalesforceMoreThanOneRecord):
        org.client.Account.upsert("Billing_Id__c/same", {"Name": "y"})
    org.stand_in.end_sessions()
    with pytest.raises(SalesforceExpiredSession):
        org.client.query("SELECT Id FROM Account")


def test_the_daily_limit_is_its_refused_request() -> None:
    with stage(daily_limit=0) as org, pytest.raises(SalesforceRefusedRequest) as over:
        org.client.query("SELECT Id FROM Account")
    assert over.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_collections_through_restful(org: Stage) -> None:
    records = [{"attributes": {"type": "Account"}, "TieOut_Id__c": "1", "Name": "a"}]
    results = org.client.restful(
        "composite/sobjects/Account/TieOut_Id__c", method="PATCH", json={"records": records}
    )
    assert results[0]["created"] is True


def table(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_bulk2_loads_and_queries(org: Stage) -> None:
    bulk = org.client.bulk2.Account
    rows = [{"TieOut_Id__c": str(number), "Name": f"A{number}"} for number in range(9)]
    loaded = bulk.upsert(records=rows, external_id_field="TieOut_Id__c")[0]
    assert (loaded["numberRecordsProcessed"], loaded["numberRecordsFailed"]) == (9, 0)
    good = table(bulk.get_successful_records(loaded["job_id"]))
    assert {row["sf__Created"] for row in good} == {"true"}
    pages = list(bulk.query("SELECT Id, Name FROM Account ORDER BY Name", max_records=4))
    assert [len(table(page)) for page in pages] == [4, 4, 1]
    some = [{"Id": row["sf__Id"]} for row in good[:2]]
    assert bulk.delete(records=some)[0]["numberRecordsFailed"] == 0
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 7
    failed = bulk.insert(records=[{"Name": "", "Phone": "1"}])[0]
    assert failed["numberRecordsFailed"] == 1
    assert "REQUIRED_FIELD_MISSING" in bulk.get_failed_records(failed["job_id"])
