"""The calls of public Salesforce clients beyond records: search, layouts, counts, identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from salesforce_stage import Stage, stage


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        for name, phone in (("Acme Tea", "555"), ("Acme Coffee", "777"), ("Bolt (UK)", "555")):
            running.create("Account", Name=name, Phone=phone)
        running.create("Contact", LastName="Acme", Email="ada@example.com")
        yield running


def found(org: Stage, sosl: str, path: str = "/search") -> list[tuple[str, str]]:
    answer = org.call("GET", path, params={"q": sosl})
    assert answer.status_code == 200, answer.text
    records = answer.json()["searchRecords"]
    return [(one["attributes"]["type"], one.get("Name") or one["Id"][:3]) for one in records]


@pytest.mark.parametrize(
    ("sosl", "names"),
    [
        ("FIND {Acme} RETURNING Account(Name)", ["Acme Tea", "Acme Coffee"]),
        ("FIND {acme tea} RETURNING Account(Id, Name)", ["Acme Tea"]),
        ("FIND {Ac*} IN NAME FIELDS RETURNING Account(Name)", ["Acme Tea", "Acme Coffee"]),
        ("FIND {Tea OR Bolt} RETURNING Account(Name)", ["Acme Tea", "Bolt (UK)"]),
        ('FIND {"Tea Acme"} RETURNING Account(Name)', []),
        ("FIND {Bolt \\(UK\\)} RETURNING Account(Name)", ["Bolt (UK)"]),
        ("FIND {555} IN PHONE FIELDS RETURNING Account(Name)", ["Acme Tea", "Bolt (UK)"]),
        ("FIND {555} IN NAME FIELDS RETURNING Account(Name)", []),
        ("FIND {Acme} RETURNING Account(Name WHERE Phone = '777')", ["Acme Coffee"]),
        ("FIND {Acme} RETURNING Account(Name ORDER BY Name LIMIT 1)", ["Acme Coffee"]),
        ("FIND {Acme} RETURNING Account(Name) LIMIT 1", ["Acme Tea"]),
    ],
)
def test_sosl(org: Stage, sosl: str, names: list[str]) -> None:
    assert [name for _, name in found(org, sosl)] == names


def test_a_search_without_returning_gives_ids_of_every_object(org: Stage) -> None:
    assert sorted(found(org, "FIND {Acme}")) == [
        ("Account", "001"),
        ("Account", "001"),
        ("Contact", "003"),
    ]
    emails = "FIND {ada@example.com} IN EMAIL FIELDS RETURNING Account(Id), Contact(Id)"
    assert found(org, emails) == [("Contact", "003")]


@pytest.mark.parametrize("sosl", ["Acme", "FIND {a}", "FIND {}", "FIND {Acme} RETURNING 1(2"])
def test_a_search_that_cannot_be_read_is_refused(org: Stage, sosl: str) -> None:
    answer = org.call("GET", "/search", params={"q": sosl})
    assert org.refused(answer) == (400, "MALFORMED_SEARCH")


@pytest.mark.parametrize("term", ["Acme", "Nobody"])
def test_a_search_of_an_unknown_field_is_refused(org: Stage, term: str) -> None:
    sosl = f"FIND {{{term}}} RETURNING Account(Nonsense)"
    assert org.refused(org.call("GET", "/search", params={"q": sosl})) == (400, "INVALID_FIELD")


def test_older_versions_answer_a_bare_list(org: Stage) -> None:
    path = "/services/data/v36.0/search"
    answer = org.call("GET", path, params={"q": "FIND {Tea} RETURNING Account(Name)"}).json()
    assert [one["Name"] for one in answer] == ["Acme Tea"]


def test_the_parameterized_search_takes_a_query_or_a_body(org: Stage) -> None:
    asked = {"q": "Acme", "sobject": "Account", "Account.fields": "id,name", "Account.limit": "1"}
    (one,) = org.call("GET", "/parameterizedSearch", params=asked).json()["searchRecords"]
    assert one["Name"] == "Acme Tea"
    body = {"q": "Acme", "fields": ["Id"], "sobjects": [{"name": "Contact"}, {"name": "Account"}]}
    answer = org.call("POST", "/parameterizedSearch", json=body | {"defaultLimit": 1}).json()
    types = [each["attributes"]["type"] for each in answer["searchRecords"]]
    assert types == ["Contact", "Account"]
    assert org.call("POST", "/parameterizedSearch", json={"q": " "}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"q": "Acme", "sobjects": "Account"},
        {"q": "Acme", "sobjects": ["Account"]},
        {"q": "Acme", "sobjects": [{"name": "Account", "limit": "x"}]},
        {"q": "Acme", "fields": "Id", "sobjects": [{"name": "Account", "fields": 3}]},
        {"q": "Acme", "in": " "},
        {"q": "Acme", "overallLimit": []},
    ],
)
def test_a_search_body_of_another_shape_is_refused(org: Stage, body: dict[str, Any]) -> None:
    assert org.call("POST", "/parameterizedSearch", json=body).status_code == 400


def test_simple_salesforce_searches_and_describes_layouts(org: Stage) -> None:
    sf = org.client
    assert len(sf.quick_search("Acme")["searchRecords"]) == 3
    assert sf.search("FIND {Tea} RETURNING Account(Name)")["searchRecords"][0]["Name"] == "Acme Tea"
    layout = sf.Account.describe_layout("012000000000000AAA")
    items = [row["layoutItems"][0] for row in layout["detailLayoutSections"][0]["layoutRows"]]
    assert "Name" in [item["layoutComponents"][0]["value"] for item in items]
    assert set(sf.restful("")) >= {"search", "parameterizedSearch", "recent", "sobjects", "query"}


def test_the_addresses_of_a_describe_answer(org: Stage) -> None:
    urls = org.call("GET", "/sobjects/Account/describe").json()["urls"]
    for name in ("layouts", "compactLayouts", "approvalLayouts", "listviews", "quickActions"):
        assert org.call("GET", urls[name]).status_code == 200, name
    for url in org.call("GET", "/composite").json().values():
        assert url.startswith("/services/data/v66.0/composite/")
    assert org.call("GET", "/sobjects/Account/describe/nonsense").status_code == 404


def test_record_counts_leave_out_what_is_deleted(org: Stage) -> None:
    gone = org.create("Account", Name="Gone")
    org.call("DELETE", f"/sobjects/Account/{gone}")
    counted = org.call("GET", "/limits/recordCount", params={"sObjects": "Account,Contact,Nope"})
    assert counted.json() == {
        "sObjects": [{"count": 3, "name": "Account"}, {"count": 1, "name": "Contact"}]
    }
    every = org.call("GET", "/limits/recordCount").json()["sObjects"]
    assert {"Account", "Contact", "User"} <= {one["name"] for one in every}


def test_a_query_can_be_explained_without_being_run(org: Stage) -> None:
    soql = "SELECT Id FROM Account WHERE Phone = '555'"
    (plan,) = org.call("GET", "/query", params={"explain": soql}).json()["plans"]
    assert (plan["cardinality"], plan["sobjectType"]) == (2, "Account")
    refused = org.call("GET", "/query", params={"explain": "SELECT"})
    assert org.refused(refused) == (400, "MALFORMED_QUERY")


def test_a_token_can_be_introspected(org: Stage) -> None:
    known = org.stand_in.credentials()
    url = org.running.url + "/services/oauth2/introspect"
    client = {name: known[name] for name in ("client_id", "client_secret")}

    def ask(**form: str) -> Any:
        return requests.post(url, data=client | form, timeout=10)

    told = ask(token=org.token, token_type_hint="access_token").json()
    assert (told["active"], told["client_id"]) == (True, known["client_id"])
    assert told["exp"] == org.clock.timestamp() + 7200 and told["username"] == known["username"]
    assert ask(token="nonsense").json() == {"active": False}
    assert ask(token=org.token, client_secret="wrong").status_code == 400


def test_the_identity_address_and_the_user_info_are_two_shapes(org: Stage) -> None:
    known = org.stand_in.credentials()
    info = org.call("GET", "/services/oauth2/userinfo").json()
    headers = {"Authorization": f"Bearer {org.token}"}
    path = info["sub"].split(".com", 1)[1]
    told = requests.get(org.running.url + path, headers=headers, timeout=10).json()
    assert (told["id"], told["username"]) == (info["sub"], known["username"])
    assert told["display_name"] == info["name"] and info["preferred_username"] == known["username"]
    query = info["urls"]["query"].replace("{version}", "66.0")
    rows = requests.get(
        query, params={"q": "SELECT count() FROM Account"}, headers=headers, timeout=10
    )
    assert rows.json()["totalSize"] == 3
