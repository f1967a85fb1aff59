"""The calls that singer's tap-salesforce and Airbyte's source-salesforce make, one by one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from salesforce_stage import Local, Stage, stage
from simple_salesforce import Salesforce
from simple_salesforce import bulk as simple_bulk

ASYNC = "{http://www.force.com/2009/06/asyncapi/dataload}"


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage(page_size=2, bulk_polls=2) as running:
        for number in range(5):
            running.create("Account", Name=f"A{number}", AnnualRevenue=number)
            running.clock.move(60)
        running.call(
            "DELETE", f"/sobjects/Account/{running.names('SELECT Id FROM Account', 'Id')[0]}"
        )
        yield running


def refreshed(org: Stage) -> dict[str, str]:
    """Both log in with a refresh token."""
    known = org.stand_in.credentials()
    answer = org.ask_token(
        grant_type="refresh_token",
        client_id=known["client_id"],
        client_secret=known["client_secret"],
        refresh_token=org.stand_in.refresh_token,
    ).json()
    assert answer["instance_url"] == org.running.url
    return {"Authorization": f"Bearer {answer['access_token']}"}


def get(org: Stage, path: str, headers: dict[str, str], **params: str) -> requests.Response:
    return requests.get(org.running.url + path, headers=headers, params=params, timeout=10)


def test_tap_salesforce_discovers_and_syncs_by_rest(org: Stage) -> None:
    headers = refreshed(org)
    listed = get(org, "/services/data/v61.0/sobjects", headers)
    assert re.search(r"^api-usage=(\d+)/(\d+)$", listed.headers["Sforce-Limit-Info"])
    assert "Account" in [one["name"] for one in listed.json()["sobjects"]]
    described = get(org, "/services/data/v61.0/sobjects/Account/describe", headers).json()
    known = {"id", "string", "picklist", "textarea", "phone", "url", "reference", "email"}
    known |= {"double", "currency", "percent", "datetime", "date", "boolean", "int", "address"}
    assert {one["type"] for one in described["fields"]} <= known
    names = [one["name"] for one in described["fields"] if one["type"] != "address"]
    soql = (
        f"SELECT {','.join(names)} FROM Account WHERE SystemModstamp >= "
        "2026-05-06T12:01:00.000000Z ORDER BY SystemModstamp ASC"
    )
    url, found = f"/services/data/v61.0/queryAll?q={soql}", []
    while url:
        page = get(org, url, headers).json()
        found += page["records"]
        url = page.get("nextRecordsUrl")
    assert sorted(one["Name"] for one in found) == ["A0", "A1", "A2", "A3", "A4"]
    assert [one["Name"] for one in found if one["IsDeleted"]] == ["A0"]  # deleted at 12:05


def async_call(org: Stage, method: str, path: str, token: str, **more: Any) -> requests.Response:
    headers = {"X-SFDC-Session": token, "Content-Type": more.pop("media", "application/json")}
    url = f"{org.running.url}/services/async/61.0/{path}"
    return requests.request(method, url, headers=headers, timeout=10, **more)


def wait(org: Stage, path: str, token: str) -> ElementTree.Element:
    for _ in range(5):
        info = ElementTree.fromstring(async_call(org, "GET", path, token).text)
        if info.findtext(f"{ASYNC}state") in ("Completed", "Failed"):
            return info
    raise AssertionError("the batch never ends")


def test_tap_salesforce_syncs_by_bulk(org: Stage) -> None:
    token = refreshed(org)["Authorization"].split()[1]
    limits = get(org, "/services/data/v61.0/limits", {"Authorization": f"Bearer {token}"}).json()
    assert limits["DailyBulkApiBatches"] == {"Max": 15000, "Remaining": 15000}
    body = {"operation": "queryAll", "object": "Account", "contentType": "CSV"}
    job = async_call(org, "POST", "job", token, json=body).json()
    soql = "SELECT Id,Name,AnnualRevenue,SystemModstamp FROM Account ORDER BY SystemModstamp ASC"
    added = async_call(org, "POST", f"job/{job['id']}/batch", token, data=soql, media="text/csv")
    assert added.status_code == 201
    batch = ElementTree.fromstring(added.text).findtext(f"{ASYNC}id")
    path = f"job/{job['id']}/batch/{batch}"
    closed = async_call(org, "POST", f"job/{job['id']}", token, json={"state": "Closed"})
    assert closed.json()["state"] == "Closed"
    assert wait(org, path, token).findtext(f"{ASYNC}state") == "Completed"
    results = ElementTree.fromstring(async_call(org, "GET", f"{path}/result", token).text)
    file = async_call(org, "GET", f"{path}/result/{results[0].text}", token).text
    rows = list(csv.DictReader(io.StringIO(file)))
    assert [row["Name"] for row in rows] == ["A1", "A2", "A3", "A4", "A0"]
    assert rows[1]["AnnualRevenue"] == "2.0"
    wrong = async_call(org, "GET", "job/750000000000000AAA", token)
    assert (wrong.status_code, wrong.json()["exceptionCode"]) == (400, "InvalidJob")
    stranger = async_call(org, "GET", f"job/{job['id']}", "no-token")
    assert stranger.json()["exceptionCode"] == "InvalidSessionId"


def test_a_bulk_query_of_another_object_fails_in_its_batch(org: Stage) -> None:
    body = {"operation": "query", "object": "Account", "contentType": "CSV"}
    job = async_call(org, "POST", "job", org.token, json=body).json()
    added = async_call(
        org, "POST", f"job/{job['id']}/batch", org.token, data="SELECT Id FROM Contact"
    )
    batch = ElementTree.fromstring(added.text).findtext(f"{ASYNC}id")
    info = wait(org, f"job/{job['id']}/batch/{batch}", org.token)
    assert info.findtext(f"{ASYNC}state") == "Failed"
    assert "INVALID_TYPE_FOR_OPERATION" in str(info.findtext(f"{ASYNC}stateMessage"))


def test_simple_salesforce_uses_the_older_bulk(org: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple_bulk, "sleep", lambda seconds: None)
    client = Salesforce(
        instance_url="https://x.my.salesforce.com",
        session_id=org.token,
        session=Local(org.running.url),
        version="61.0",
    )
    outcome = client.bulk.Account.insert([{"Name": "B1"}, {"Phone": "1"}])
    assert [one["success"] for one in outcome] == [True, False]
    assert outcome[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    found = client.bulk.Account.query("SELECT Id, Name, CreatedDate, Owner.Name FROM Account")
    made = next(one for one in found if one["Name"] == "B1")
    assert made["CreatedDate"] == 1778069100000  # 12:05, in milliseconds
    assert made["Owner"]["Name"] == "Integration User"


def test_airbyte_reads_by_rest_and_by_bulk(org: Stage) -> None:
    headers = refreshed(org)
    home = "/services/data/v57.0"
    soql = "SELECT Id,Name,BillingAddress FROM Account ORDER BY Id ASC"
    page = get(org, f"{home}/queryAll", headers, q=soql).json()
    following = get(org, page["nextRecordsUrl"], headers).json()
    assert len(page["records"]) == len(following["records"]) == 2
    job = {
        "operation": "queryAll",
        "query": "SELECT Id,Name,SystemModstamp FROM Account WHERE SystemModstamp >= "
        "2026-05-06T12:00:00.000+00:00 AND SystemModstamp < 2026-05-06T12:04:00.000+00:00",
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    url = f"{org.running.url}{home}/jobs/query"
    made = requests.post(url, json=job, headers=headers, timeout=10).json()
    states = [get(org, f"{home}/jobs/query/{made['id']}", headers).json()["state"] for _ in "12"]
    assert states[-1] == "JobComplete"
    results = requests.get(
        f"{url}/{made['id']}/results",
        headers=headers | {"Accept-Encoding": "gzip"},
        params={"maxRecords": "50000"},
        stream=True,
        timeout=10,
    )
    assert results.headers.get("Sforce-Locator", "null") == "null"
    rows = list(csv.DictReader(io.StringIO(results.text)))
    assert [row["Name"] for row in rows] == ["A1", "A2", "A3"]
    assert requests.delete(f"{url}/{made['id']}", headers=headers, timeout=10).status_code == 204
    compound = requests.post(
        url, json=job | {"query": soql.replace("ORDER BY Id ASC", "")}, headers=headers, timeout=10
    )
    assert compound.status_code == 400
    assert compound.json()[0]["message"] == "Selecting compound data not supported in Bulk Query"
