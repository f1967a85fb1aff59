"""Official and recorded Salesforce objects are taken over and served back as they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from salesforce_stage import Stage, stage

from tieout.sandbox.salesforce.ids import to_18

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "salesforce" / "samples"


def read(file: Path) -> Any:
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return json.loads(content.decode("utf-8-sig"))


def today(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a version that is still live shows it: v30 is gone."""
    about = record["attributes"]
    return record | {"attributes": about | {"url": about["url"].replace("/v30.0/", "/v31.0/")}}


def records(value: Any) -> Iterator[dict[str, Any]]:
    """Every record in a file: what has attributes with a type and an Id."""
    if isinstance(value, dict):
        about = value.get("attributes")
        if isinstance(about, dict) and "url" in about and "Id" in value:
            yield value
        else:
            for each in value.values():
                yield from records(each)
    elif isinstance(value, list):
        for each in value:
            yield from records(each)


def files() -> list[Any]:
    found = []
    for file in sorted([*SAMPLES.glob("*.json"), *SAMPLES.glob("*.json.gz")]):
        found_here = records(read(file))
        own = [today(one) for one in found_here if one["attributes"]["type"] != "Whizbang"]
        if own:
            found.append(pytest.param(own, id=file.name))
    return found or [pytest.param([], id="none")]


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        yield running


@pytest.mark.parametrize("own", files())
def test_a_recorded_record_is_served_back_unchanged(org: Stage, own: list[dict[str, Any]]) -> None:
    if not own:
        pytest.skip(f"no samples at {SAMPLES}")
    org.stand_in.load((one["attributes"]["type"], one) for one in own)
    for one in own[:50]:
        url = one["attributes"]["url"]
        names = ",".join(name for name in one if name != "attributes")
        answer = org.call("GET", url, params={"fields": names})
        assert answer.json() == one
        whole = org.call("GET", url).json()
        assert {name: whole[name] for name in one} == one
    type = own[0]["attributes"]["type"]
    version = own[0]["attributes"]["url"].split("/")[3]
    names = ", ".join(name for name in own[0] if name != "attributes")
    found: dict[str, Any] = {}
    url = f"/services/data/{version}/query?q=SELECT {names} FROM {type}"
    while url:
        page = org.call("GET", url).json()
        found |= {each["Id"]: each for each in page["records"]}
        url = page.get("nextRecordsUrl", "")
    wanted = [one for one in own if list(one) == list(own[0])]
    assert [found[one["Id"]] for one in wanted] == wanted


def test_the_recorded_describe_has_no_field_that_the_org_lacks(org: Stage) -> None:
    file = SAMPLES / "account_describe_v58.json.gz"
    if not file.exists():
        pytest.skip(f"no samples at {SAMPLES}")
    recorded = {one["name"]: one for one in read(file)["fields"]}
    served = org.call("GET", "/sobjects/Account/describe").json()
    fields = {one["name"]: one for one in served["fields"]}
    own = {name for name in recorded if name.endswith("__c") or name.endswith("Code")}
    assert set(recorded) - own <= set(fields)
    same = set(recorded["Id"]) - {"picklistValues"}
    different = [
        (name, key, fields[name][key], recorded[name][key])
        for name in sorted(set(recorded) & set(fields))
        for key in sorted(same)
        if fields[name][key] != recorded[name][key]
    ]
    assert different == []
    assert set(recorded["Name"]) == set(fields["Name"])
    assert set(read(file)) == set(served)


def test_the_recorded_exchanges_can_be_repeated(org: Stage) -> None:
    names = ("create_account", "collection_create", "upsert_by_external_id_created",
             "composite_graph_create", "collection_update_item_error")  # fmt: skip
    files = [SAMPLES / f"exchange_{name}.json" for name in names]
    if not files[0].exists():
        pytest.skip(f"no samples at {SAMPLES}")
    for file in files:
        exchange = read(file)
        sent, expected = exchange["request"], exchange["response"]
        answer = org.call(sent["method"], sent["path"], json=sent["json"])
        assert answer.status_code == expected["status"]
        assert shape(answer.json()) == shape(expected["body"])
        assert headers(answer) >= set(expected["headers"])


def shape(value: Any) -> Any:
    """The same with ids blanked out."""
    if isinstance(value, dict):
        return {
            key: "id" if key in ("id", "Location") else shape(each) for key, each in value.items()
        }
    return [shape(each) for each in value] if isinstance(value, list) else value


def headers(answer: requests.Response) -> set[str]:
    return {name.lower() for name in answer.headers}


def test_the_versions_are_those_that_were_recorded(org: Stage) -> None:
    file = SAMPLES / "services_data_versions.json"
    if not file.exists():
        pytest.skip(f"no samples at {SAMPLES}")
    recorded = read(file)
    assert org.call("GET", "/services/data").json()[: len(recorded)] == recorded


def test_an_unknown_object_or_a_record_without_id_is_not_loaded(org: Stage) -> None:
    with pytest.raises(ValueError, match="Nothing"):
        org.stand_in.load([("Nothing", {"Id": "001dM00003jU9GxQAK"})])
    with pytest.raises(ValueError, match="Account"):
        org.stand_in.load([("Account", {"Name": "x"})])


def test_unknown_custom_objects_and_fields_are_learned(org: Stage) -> None:
    record = {"Id": "a70000000000001AAA", "Name": "x", "Seats__c": 5, "Day__c": "2026-01-01"}
    record |= {"Big__c": "y" * 300, "Flag__c": True, "Rate__c": 0.125}
    org.stand_in.load([("Thing__c", record)])
    shown = org.get("Thing__c", record["Id"])
    assert {name: shown[name] for name in record} == record
    account = {"Id": "001dM00003jU9GxQAK", "Name": "x", "NewStandardField": "z"}
    org.stand_in.load([("Account", account)])
    assert org.names("SELECT NewStandardField FROM Account", "NewStandardField") == ["z"]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001dM00003jU9Gx", "001dM00003jU9GxQAK"),
        ("0014W000027f6V3", "0014W000027f6V3QAI"),
    ],
)
def test_the_last_three_letters_tell_the_capitals(short: str, long: str) -> None:
    assert to_18(short) == to_18(long) == long
