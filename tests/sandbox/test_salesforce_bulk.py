"""Bulk API 2.0 of the Salesforce stand-in: query and ingest jobs, their states and files."""

from __future__ import annotations

import csv
import io
import resource
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from salesforce_stage import Stage, stage

FINISHED = {"JobComplete", "Failed", "Aborted"}


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        yield running


def query_job(org: Stage, soql: str, **more: Any) -> str:
    body = {"operation": "query", "query": soql} | more
    answer = org.call("POST", "/jobs/query", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def wait(org: Stage, kind: str, id: str) -> Any:
    for _ in range(10):
        job = org.call("GET", f"/jobs/{kind}/{id}").json()
        if job["state"] in FINISHED:
            return job
    raise AssertionError("the job never ends")


def ingest(org: Stage, content: str, operation: str = "insert", **more: Any) -> Any:
    body = {"object": "Account", "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
    made = org.call("POST", "/jobs/ingest", json=body | more)
    assert made.status_code == 200, made.text
    job = made.json()
    assert job["state"] == "Open"
    assert job["contentUrl"] == f"services/data/v66.0/jobs/ingest/{job['id']}/batches"
    put = org.call(
        "PUT",
        "/" + job["contentUrl"],
        data=content.encode(),
        headers={"Content-Type": "text/csv"},
    )
    assert put.status_code == 201, put.text
    org.call("PATCH", f"/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    return wait(org, "ingest", job["id"])


def table(org: Stage, id: str, which: str) -> list[dict[str, str]]:
    answer = org.call("GET", f"/jobs/ingest/{id}/{which}")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_query_job_goes_through_its_states(org: Stage) -> None:
    org.create("Account", Name='say "hi"', AnnualRevenue=5)
    made = org.call(
        "POST",
        "/jobs/query",
        json={"operation": "query", "query": "SELECT Id, Name, AnnualRevenue FROM Account"},
    ).json()
    assert made["state"] == "UploadComplete" and made["object"] == "Account"
    assert made["apiVersion"] == 66.0 and made["id"].startswith("750")
    early = org.call("GET", f"/jobs/query/{made['id']}/results")
    assert early.status_code == 400
    states = [org.call("GET", f"/jobs/query/{made['id']}").json()["state"] for _ in range(3)]
    assert states == ["UploadComplete", "InProgress", "JobComplete"]
    results = org.call("GET", f"/jobs/query/{made['id']}/results")
    assert results.headers["Sforce-Locator"] == "null"
    assert results.headers["Sforce-NumberOfRecords"] == "1"
    id = org.names("SELECT Id FROM Account", "Id")[0]
    assert results.text == f'"Id","Name","AnnualRevenue"\n"{id}","say ""hi""","5.0"\n'


def test_time_alone_finishes_a_job(org: Stage) -> None:
    id = query_job(org, "SELECT Id FROM Account")
    org.clock.move(60)
    job = org.call("GET", f"/jobs/query/{id}").json()
    assert job["state"] == "JobComplete" and job["numberRecordsProcessed"] == 0
    assert job["jobType"] == "V2Query"
    assert org.call("GET", f"/jobs/query/{id}/results").text == '"Id"\n'
    org.clock.move(timedelta(days=8).total_seconds())
    org.log_in()
    assert org.refused(org.call("GET", f"/jobs/query/{id}")) == (404, "NOT_FOUND")


def test_results_come_in_pages_and_are_fixed(org: Stage) -> None:
    for number in range(5):
        org.create("Account", Name=f"A{number}")
    id = query_job(org, "SELECT Name FROM Account ORDER BY Name", lineEnding="CRLF",
                   columnDelimiter="PIPE")  # fmt: skip
    wait(org, "query", id)
    org.create("Account", Name="A9")
    pages, locator = [], ""
    while locator != "null":
        params = {"maxRecords": "2"} | ({"locator": locator} if locator else {})
        answer = org.call("GET", f"/jobs/query/{id}/results", params=params)
        assert answer.headers["Content-Type"].startswith("text/csv")
        pages.append(answer.text)
        locator = answer.headers["Sforce-Locator"]
    assert pages[0] == '"Name"\r\n"A0"\r\n"A1"\r\n' and pages[-1] == '"Name"\r\n"A4"\r\n'
    bad = org.call("GET", f"/jobs/query/{id}/results", params={"locator": "nonsense"})
    assert org.refused(bad) == (400, "INVALID_QUERY_LOCATOR")


def test_dates_parents_and_deleted_records_in_csv(org: Stage) -> None:
    account = org.create("Account", Name="a")
    org.create("Contact", LastName="c", AccountId=account, HasOptedOutOfEmail=True)
    soql = "SELECT LastName, Account.Name, HasOptedOutOfEmail, CreatedDate, Email FROM Contact"
    org.call("DELETE", f"/sobjects/Account/{account}")
    assert wait(org, "query", query_job(org, soql))["numberRecordsProcessed"] == 0
    id = query_job(org, soql, operation="queryAll")
    wait(org, "query", id)
    assert org.call("GET", f"/jobs/query/{id}/results").text.splitlines() == [
        '"LastName","Account.Name","HasOptedOutOfEmail","CreatedDate","Email"',
        '"c","a","true","2026-05-06T12:00:00.000Z",""',
    ]


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT BillingAddress FROM Account", "API_ERROR",
         "Selecting compound data not supported in Bulk Query"),
        ("SELECT Id, Account.BillingAddress FROM Contact", "API_ERROR", "compound"),
        ("SELECT FIELDS(STANDARD) FROM Account", "API_ERROR", "compound"),
        ("SELECT Id FROM OrderStatus", "INVALIDENTITY", "is not supported by the Bulk API"),
        ("SELECT COUNT() FROM Account", "MALFORMED_QUERY", "Aggregate"),
        ("SELECT Id FROM Account OFFSET 5", "MALFORMED_QUERY", "OFFSET"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "Nested"),
        ("SELECT Nix FROM Account", "INVALID_FIELD", "No such column 'Nix'"),
    ],
)  # fmt: skip
def test_what_bulk_does_not_query(org: Stage, soql: str, code: str, words: str) -> None:
    answer = org.call("POST", "/jobs/query", json={"operation": "query", "query": soql})
    assert org.refused(answer) == (400, code)
    assert words in answer.json()[0]["message"]


def test_a_job_is_aborted_and_deleted(org: Stage) -> None:
    id = query_job(org, "SELECT Id FROM Account")
    assert org.call("DELETE", f"/jobs/query/{id}").status_code == 400
    aborted = org.call("PATCH", f"/jobs/query/{id}", json={"state": "Aborted"}).json()
    assert aborted["state"] == "Aborted"
    assert org.call("DELETE", f"/jobs/query/{id}").status_code == 204
    assert org.call("GET", f"/jobs/query/{id}").status_code == 404


def test_the_daily_number_of_query_jobs_is_limited() -> None:
    with stage(daily_query_jobs=1) as org:
        query_job(org, "SELECT Id FROM Account")
        body = {"operation": "query", "query": "SELECT Id FROM Account"}
        assert org.refused(org.call("POST", "/jobs/query", json=body)) == (400, "LIMIT_EXCEEDED")


def test_an_upsert_job_says_row_by_row_what_became_of_it(org: Stage) -> None:
    parent = org.create("Account", Name="old", TieOut_Id__c="1", Phone="1", Site="s")
    content = (
        "TieOut_Id__c,NAME,Phone,Site,Parent.TieOut_Id__c\n"
        "1,,#N/A,,\n"  # name and site stay, the phone is emptied
        '2,"new, one",,,1\n'
        "3,,,,\n"
        "4,twice,,,\n"
        "4,twice,,,\n"
        "5,orphan,,,nobody\n"
    )
    job = ingest(org, content, "upsert", externalIdFieldName="TieOut_Id__c")
    assert job["state"] == "JobComplete"
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (6, 4)
    good = {row["TieOut_Id__c"]: row for row in table(org, job["id"], "successfulResults")}
    assert {key: row["sf__Created"] for key, row in good.items()} == {"1": "false", "2": "true"}
    assert good["1"]["sf__Id"] == parent
    failed = table(org, job["id"], "failedResults")
    errors = sorted((row["TieOut_Id__c"], row["sf__Error"].split(":")[0]) for row in failed)
    assert errors == [
        ("3", "REQUIRED_FIELD_MISSING"),
        ("4", "DUPLICATE_VALUE"),
        ("4", "DUPLICATE_VALUE"),
        ("5", "INVALID_FIELD"),
    ]
    missing = next(row for row in failed if row["TieOut_Id__c"] == "3")
    assert missing["sf__Error"] == (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name--"
    )
    assert table(org, job["id"], "unprocessedrecords") == []
    old = org.get("Account", parent)
    assert (old["Name"], old["Phone"], old["Site"]) == ("old", None, "s")
    assert org.get("Account", good["2"]["sf__Id"])["ParentId"] == parent


def test_update_and_delete_jobs_take_ids(org: Stage) -> None:
    id = org.create("Account", Name="a")
    job = ingest(org, f"Id,Name\n{id},b\n001000000000000AAA,x\n", "update")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    assert org.get("Account", id)["Name"] == "b"
    assert ingest(org, f"Id\n{id}\n", "delete")["numberRecordsFailed"] == 0
    assert org.query("SELECT COUNT() FROM Account", everything=True)["totalSize"] == 1
    other = org.create("Account", Name="c")
    ingest(org, f"Id\n{other}\n", "hardDelete")
    assert org.query("SELECT COUNT() FROM Account", everything=True)["totalSize"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Name,Nix\na,b\n", "InvalidBatch : Field name not found : Nix"),
        ("Name\r\na\r\n", "ClientInputError : LineEnding is invalid on user data"),
        ("", "InvalidBatch"),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_job(org: Stage, content: str, words: str) -> None:
    job = ingest(org, content)
    assert job["state"] == "Failed" and words in job["errorMessage"]
    unprocessed = org.call("GET", f"/jobs/ingest/{job['id']}/unprocessedrecords")
    assert unprocessed.content.decode() == content


def test_content_is_put_once_and_as_csv(org: Stage) -> None:
    body = {"object": "Account", "operation": "insert"}
    job = org.call("POST", "/jobs/ingest", json=body).json()
    path, kind = "/" + job["contentUrl"], {"Content-Type": "text/csv"}
    assert org.call("PUT", path, json={"Name": "a"}).status_code == 415
    assert org.call("PUT", path, data=b"Name\na\n", headers=kind).status_code == 201
    assert org.call("PUT", path, data=b"Name\nb\n", headers=kind).status_code == 400
    early = org.call("GET", f"/jobs/ingest/{job['id']}/successfulResults")
    assert early.status_code == 400
    upsert = org.call("POST", "/jobs/ingest", json=body | {"operation": "upsert"})
    assert org.refused(upsert) == (400, "INVALIDJOB")


def test_a_hundred_thousand_accounts_go_through_in_flat_memory() -> None:
    with stage(bulk_polls=1) as org:
        made = (
            (
                "Account",
                {
                    "Id": org.stand_in.ids.make("001"),
                    "Name": f"Customer {number}",
                    "TieOut_Id__c": f"cus_{number}",
                    "BillingCity": "Paris",
                    "AnnualRevenue": number,
                    "SystemModstamp": "2026-05-01T07:25:37.000+0000",
                },
            )
            for number in range(100_000)
        )
        org.stand_in.load(made)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        id = query_job(org, "SELECT Id, Name, TieOut_Id__c, AnnualRevenue FROM Account")
        assert wait(org, "query", id)["numberRecordsProcessed"] == 100_000
        rows, locator = 0, ""
        while locator != "null":
            params = {"maxRecords": "10000", "locator": locator}
            answer = org.call("GET", f"/jobs/query/{id}/results", params=params)
            rows += answer.text.count("\n") - 1
            locator = answer.headers["Sforce-Locator"]
        assert rows == 100_000
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 30_000  # kilobytes: the file of results alone is larger than a page
        found = org.query("SELECT Name FROM Account WHERE TieOut_Id__c = 'cus_77777'")
        assert [one["Name"] for one in found["records"]] == ["Customer 77777"]
