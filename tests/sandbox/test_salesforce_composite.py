"""Many records or calls in one, against the Salesforce stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from salesforce_stage import Stage, stage

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "salesforce" / "samples"


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        yield running


def rows(type: str, *fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"attributes": {"type": type}, **each} for each in fields]


def send(org: Stage, method: str, path: str, records: list[Any], *, all: bool = False) -> Any:
    body = {"allOrNone": all, "records": records}
    answer = org.call(method, f"/composite/sobjects{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_record_has_its_own_result_in_order(org: Stage) -> None:
    results = send(org, "POST", "", rows("Account", {"Name": "a"}, {"Phone": "1"}, {"Name": "c"}))
    assert [one["success"] for one in results] == [True, False, True]
    assert results[0]["errors"] == [] and results[0]["id"].startswith("001")
    assert results[1] == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    }
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 2


def test_all_or_none_takes_everything_back(org: Stage) -> None:
    results = send(org, "POST", "", rows("Account", {"Name": "a"}, {}), all=True)
    codes = [one["errors"][0]["statusCode"] for one in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_upsert_tells_what_was_created_and_refuses_the_same_key_twice(org: Stage) -> None:
    org.create("Account", Name="old", TieOut_Id__c="1")
    records = rows(
        "Account",
        {"TieOut_Id__c": "1", "Name": "new"},
        {"TieOut_Id__c": "2", "Name": "b"},
        {"TieOut_Id__c": "3", "Name": "c"},
        {"TieOut_Id__c": "3", "Name": "d"},
        {"Name": "e"},
    )
    results = send(org, "PATCH", "/Account/TieOut_Id__c", records)
    assert [one.get("created") for one in results] == [False, True, None, None, None]
    assert [one["errors"][0]["statusCode"] for one in results[2:]] == [
        "DUPLICATE_VALUE",
        "DUPLICATE_VALUE",
        "MISSING_ARGUMENT",
    ]
    assert org.names("SELECT Name FROM Account ORDER BY Name") == ["b", "new"]


def test_update_read_and_delete_together(org: Stage) -> None:
    ids = [org.create("Account", Name=name) for name in "ab"]
    missing = "001xx000003DHP0AAO"
    changes = rows("Account", {"id": ids[0], "Name": "A"}, {"id": missing, "Name": "x"})
    results = send(org, "PATCH", "", changes)
    assert results[0] == {"id": ids[0], "success": True, "errors": []}
    assert results[1]["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    params = {"ids": f"{ids[0]},{missing}", "fields": "Name"}
    read = org.call("GET", "/composite/sobjects/Account", params=params).json()
    assert read[0]["Name"] == "A" and read[1] is None
    body = {"ids": ids, "fields": ["Id", "Name"]}
    posted = org.call("POST", "/composite/sobjects/Account", json=body).json()
    assert [one["Name"] for one in posted] == ["A", "b"]
    params = {"ids": ",".join(ids), "allOrNone": "false"}
    gone = org.call("DELETE", "/composite/sobjects", params=params).json()
    assert [one["success"] for one in gone] == [True, True]
    again = org.call("DELETE", "/composite/sobjects", params=params).json()
    assert again[0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_at_most_200_and_the_attributes_first(org: Stage) -> None:
    many = {"records": rows("Account", *({"Name": str(n)} for n in range(201)))}
    refused = org.call("POST", "/composite/sobjects", json=many)
    assert org.refused(refused) == (400, "EXCEEDED_ID_LIMIT")
    late = {"records": [{"Name": "a", "attributes": {"type": "Account"}}]}
    assert org.refused(org.call("POST", "/composite/sobjects", json=late)) == (
        400,
        "JSON_PARSER_ERROR",
    )


def test_composite_calls_refer_to_earlier_ones(org: Stage) -> None:
    home = "/services/data/v66.0/sobjects"
    calls = [
        {"method": "POST", "url": f"{home}/Account", "referenceId": "acc", "body": {"Name": "a"}},
        {
            "method": "POST",
            "url": f"{home}/Contact",
            "referenceId": "con",
            "body": {"LastName": "c", "AccountId": "@{acc.id}"},
        },
        {"method": "GET", "url": f"{home}/Account/@{{acc.id}}?fields=Name", "referenceId": "get"},
        {"method": "GET", "url": f"{home}/Account/@{{nix.id}}", "referenceId": "bad"},
    ]
    answer = org.call("POST", "/composite", json={"compositeRequest": calls}).json()
    results = answer["compositeResponse"]
    assert [one["httpStatusCode"] for one in results] == [201, 201, 200, 400]
    assert results[0]["httpHeaders"]["Location"].endswith(results[0]["body"]["id"])
    assert results[2]["body"]["Name"] == "a"
    assert results[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    contact = org.query("SELECT Account.Name FROM Contact")["records"][0]
    assert contact["Account"]["Name"] == "a"


def test_a_failing_composite_undoes_what_went_before(org: Stage) -> None:
    home = "/services/data/v66.0/sobjects/Account"
    calls = [
        {"method": "POST", "url": home, "referenceId": "one", "body": {"Name": "a"}},
        {"method": "POST", "url": home, "referenceId": "two", "body": {}},
    ]
    body = {"allOrNone": True, "compositeRequest": calls}
    results = org.call("POST", "/composite", json=body).json()["compositeResponse"]
    assert [one["body"][0]["errorCode"] for one in results] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
    ]
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 0
    graph = {"graphId": "g", "compositeRequest": calls}
    shown = org.call("POST", "/composite/graph", json={"graphs": [graph]}).json()["graphs"][0]
    assert (shown["graphId"], shown["isSuccessful"]) == ("g", False)
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 0
    graph["compositeRequest"] = calls[:1]
    shown = org.call("POST", "/composite/graph", json={"graphs": [graph]}).json()["graphs"][0]
    assert shown["isSuccessful"] is True
    assert shown["graphResponse"]["compositeResponse"][0]["httpStatusCode"] == 201


def test_a_batch_of_describes_counts_as_one_call(org: Stage) -> None:
    names = ("Account", "Contact", "Nothing", "Order")
    body = {
        "batchRequests": [
            {"method": "GET", "url": f"v66.0/sobjects/{name}/describe"} for name in names
        ]
    }
    answer = org.call("POST", "/composite/batch", json=body)
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    shown = answer.json()
    assert shown["hasErrors"] is True
    assert [one["statusCode"] for one in shown["results"]] == [200, 200, 404, 200]
    assert shown["results"][1]["result"]["name"] == "Contact"
    halted = org.call("POST", "/composite/batch", json=body | {"haltOnError": True}).json()
    assert [one["statusCode"] for one in halted["results"]] == [200, 200, 404, 412]


def test_an_official_tree_is_planted(org: Stage) -> None:
    file = SAMPLES / "tree_accounts_contacts.json"
    if not file.exists():
        pytest.skip(f"no samples at {SAMPLES}")
    answer = org.call("POST", "/composite/tree/Account/", json=json.loads(file.read_text()))
    assert answer.status_code == 201
    assert [one["referenceId"] for one in answer.json()["results"]] == [
        "SampleAccountRef",
        "PresidentSmithRef",
        "VPEvansRef",
        "SampleAcct2Ref",
    ]
    found = org.query(
        "SELECT Name, NumberOfEmployees, (SELECT LastName FROM Contacts ORDER BY LastName) "
        "FROM Account ORDER BY Name"
    )["records"]
    assert [one["NumberOfEmployees"] for one in found] == [100, 100]
    assert [each["LastName"] for each in found[0]["Contacts"]["records"]] == ["Evans", "Smith"]


def test_a_tree_with_a_bad_leaf_is_not_planted(org: Stage) -> None:
    leaf = {"attributes": {"type": "Contact", "referenceId": "c"}, "FirstName": "x"}
    root = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "a"}
    body = {"records": [root | {"Contacts": {"records": [leaf]}}]}
    answer = org.call("POST", "/composite/tree/Account", json=body)
    assert answer.status_code == 400
    problem = answer.json()["results"][0]
    assert (problem["referenceId"], problem["errors"][0]["statusCode"]) == (
        "c",
        "REQUIRED_FIELD_MISSING",
    )
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 0
