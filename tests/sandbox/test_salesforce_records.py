"""Records in the Salesforce stand-in: what is taken, what is refused, and with which words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from salesforce_stage import Stage, stage

DAY = 86_400


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        yield running


def refusal(org: Stage, type: str, **fields: Any) -> dict[str, Any]:
    answer = org.call("POST", f"/sobjects/{type}", json=fields)
    assert answer.status_code == 400, answer.text
    problem: dict[str, Any] = answer.json()[0]
    return problem


def test_a_record_lives_from_creation_to_the_recycle_bin(org: Stage) -> None:
    made = org.call("POST", "/sobjects/Account/", json={"name": "Ada", "annualrevenue": 12})
    id = made.json()["id"]
    assert made.status_code == 201
    assert made.json() == {"id": id, "success": True, "errors": []}
    assert made.headers["Location"] == f"/services/data/v66.0/sobjects/Account/{id}"
    assert len(id) == 18 and id.startswith("001")
    org.clock.move(60)
    changed = org.call("PATCH", f"/sobjects/Account/{id[:15]}", json={"AnnualRevenue": None})
    assert (changed.status_code, changed.content) == (204, b"")
    now = org.get("Account", id)
    assert now["AnnualRevenue"] is None and now["OwnerId"].startswith("005")
    assert now["CreatedDate"] == "2026-05-06T12:00:00.000+0000"
    assert now["SystemModstamp"] == now["LastModifiedDate"] == "2026-05-06T12:01:00.000+0000"
    assert org.call("DELETE", f"/sobjects/Account/{id}").status_code == 204
    gone = org.call("GET", f"/sobjects/Account/{id}")
    assert org.refused(gone) == (404, "ENTITY_IS_DELETED")
    assert org.query("SELECT Id FROM Account")["totalSize"] == 0
    binned = org.query("SELECT IsDeleted FROM Account WHERE IsDeleted = true", everything=True)
    assert binned["totalSize"] == 1
    org.clock.move(15 * DAY + HOUR)
    org.log_in()
    assert org.query("SELECT Id FROM Account", everything=True)["totalSize"] == 0


HOUR = 3600


@pytest.mark.parametrize(
    ("type", "fields", "code", "words", "named"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        ("Account", {"Name": " "}, "REQUIRED_FIELD_MISSING", "[Name]", ["Name"]),
        ("Contact", {"FirstName": "x"}, "REQUIRED_FIELD_MISSING", "[LastName]", ["LastName"]),
        ("Opportunity", {"Name": "x"}, "REQUIRED_FIELD_MISSING", "[StageName, CloseDate]",
         ["StageName", "CloseDate"]),
        ("Account", {"Name": "x", "foo": 1}, "INVALID_FIELD",
         "No such column 'foo' on sobject of type Account", None),
        ("Account", {"Name": "x" * 256}, "STRING_TOO_LONG", "(max length=255)", ["Name"]),
        ("Account", {"Name": "x", "CleanStatus": "Dirty"},
         "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "bad value for restricted picklist field: Dirty", ["CleanStatus"]),
        ("Account", {"Name": "x", "CurrencyIsoCode": "XXX"},
         "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "XXX", ["CurrencyIsoCode"]),
        ("Account", {"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"},
         "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate", ["CreatedDate"]),
        ("Account", {"Name": "x", "SystemModstamp": None},
         "INVALID_FIELD_FOR_INSERT_UPDATE", "SystemModstamp", ["SystemModstamp"]),
        ("Account", {"Name": "x", "AnnualRevenue": "much"}, "JSON_PARSER_ERROR", "currency", None),
        ("Account", {"Name": 5}, "JSON_PARSER_ERROR", "VALUE_NUMBER_INT", None),
        ("Account", {"Name": "x", "AnnualRevenue": 10**18}, "NUMBER_OUTSIDE_VALID_RANGE",
         "value outside of valid range", ["AnnualRevenue"]),
        ("Account", {"Name": "x", "ParentId": "003000000000000AAA"}, "MALFORMED_ID",
         "id value of incorrect type", ["ParentId"]),
        ("Account", {"Name": "x", "ParentId": "001000000000000AAA"},
         "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
        ("Contact", {"LastName": "x", "Email": "no-mail"}, "INVALID_EMAIL_ADDRESS",
         "invalid email address: no-mail", ["Email"]),
        ("Contact", {"LastName": "x", "Account": {"TieOut_Id__c": "nobody"}}, "INVALID_FIELD",
         "Foreign key external ID: nobody not found for field TieOut_Id__c in entity Account", []),
        ("Opportunity", {"Name": "x", "StageName": "y", "CloseDate": "06.05.2026"},
         "JSON_PARSER_ERROR", "date", None),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused(
    org: Stage, type: str, fields: dict[str, Any], code: str, words: str, named: list[str] | None
) -> None:
    problem = refusal(org, type, **fields)
    assert problem["errorCode"] == code
    assert words in problem["message"]
    assert problem.get("fields") == named
    assert org.query(f"SELECT COUNT() FROM {type}")["totalSize"] == 0


def test_an_unrestricted_picklist_takes_any_word(org: Stage) -> None:
    assert org.create("Account", Name="x", Industry="Technology of Tomorrow")


def test_unknown_places_and_methods(org: Stage) -> None:
    assert org.refused(org.call("GET", "/sobjects/Nothing/describe")) == (404, "NOT_FOUND")
    assert org.refused(org.call("GET", "/nothing")) == (404, "NOT_FOUND")
    assert org.refused(org.call("GET", "/sobjects/Account/001000000000000AAA")) == (
        404,
        "NOT_FOUND",
    )
    assert org.refused(org.call("PUT", "/sobjects/Account", json={})) == (405, "METHOD_NOT_ALLOWED")
    broken = org.call(
        "POST", "/sobjects/Account", data="{", headers={"Content-Type": "application/json"}
    )
    assert org.refused(broken) == (400, "JSON_PARSER_ERROR")
    wrong = org.call(
        "POST", "/sobjects/Account", data="a=1", headers={"Content-Type": "text/plain"}
    )
    assert org.refused(wrong) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_upsert_creates_then_updates_then_finds_many(org: Stage) -> None:
    path = "/sobjects/Account/TieOut_Id__c/cus%2F1"
    made = org.call("PATCH", path, json={"Name": "Ada"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    id = made.json()["id"]
    assert org.get("Account", id)["TieOut_Id__c"] == "cus/1"
    again = org.call("PATCH", path, json={"Name": "Ada Ltd"})
    assert again.status_code == 200
    assert again.json() == {"id": id, "success": True, "errors": [], "created": False}
    old = org.call("PATCH", f"/services/data/v45.0{path}", json={"Name": "Ada"})
    assert (old.status_code, old.content) == (204, b"")
    repeated = org.call("PATCH", path, json={"Name": "Ada", "TieOut_Id__c": "cus/1"})
    assert org.refused(repeated) == (400, "INVALID_FIELD")
    unknown = org.call("PATCH", "/sobjects/Account/Namez/x", json={"Name": "x"})
    assert unknown.status_code == 404
    assert unknown.json() == [
        {
            "message": "Provided external ID field does not exist or is not accessible: Namez",
            "errorCode": "NOT_FOUND",
        }
    ]
    only = org.call("PATCH", "/sobjects/Account/TieOut_Id__c/new?updateOnly=true", json={})
    assert org.refused(only) == (404, "NOT_FOUND")
    ids = [org.create("Account", Name="x", Billing_Id__c="c_9") for _ in range(2)]
    many = org.call("PATCH", "/sobjects/Account/Billing_Id__c/c_9", json={"Name": "y"})
    assert many.status_code == 300
    assert many.json() == [f"/services/data/v66.0/sobjects/Account/{id}" for id in ids]


def test_a_unique_value_stays_unique_and_its_case_counts(org: Stage) -> None:
    first = org.create("Account", Name="a", TieOut_Id__c="cus_A")
    problem = refusal(org, "Account", Name="b", TieOut_Id__c="cus_A")
    assert problem["errorCode"] == "DUPLICATE_VALUE"
    assert problem["message"] == (
        f"duplicate value found: TieOut_Id__c duplicates value on record with id: {first[:15]}"
    )
    assert org.create("Account", Name="c", TieOut_Id__c="cus_a") != first
    org.call("DELETE", f"/sobjects/Account/{first}")
    assert org.create("Account", Name="d", TieOut_Id__c="cus_A")


def test_some_fields_only_on_request(org: Stage) -> None:
    id = org.create("Account", Name="Ada", Phone="1")
    shown = org.call("GET", f"/sobjects/Account/{id}", params={"fields": "Name,Phone"}).json()
    assert set(shown) == {"attributes", "Id", "Name", "Phone"}
    bad = org.call("GET", f"/sobjects/Account/{id}", params={"fields": "Nix"})
    assert org.refused(bad) == (400, "INVALID_FIELD")


def test_a_change_since_is_noticed(org: Stage) -> None:
    id = org.create("Account", Name="Ada")
    early = {"If-Unmodified-Since": "Wed, 06 May 2026 11:00:00 GMT"}
    late = {"If-Unmodified-Since": "Wed, 06 May 2026 13:00:00 GMT"}
    path = f"/sobjects/Account/{id}"
    assert org.call("PATCH", path, json={"Name": "x"}, headers=early).status_code == 412
    assert org.call("PATCH", path, json={"Name": "x"}, headers=late).status_code == 204


def test_what_was_updated_and_deleted_in_a_window(org: Stage) -> None:
    kept = org.create("Account", Name="a")
    gone = org.create("Account", Name="b")
    org.clock.move(120)
    org.call("DELETE", f"/sobjects/Account/{gone}")
    org.clock.move(120)
    window = {"start": "2026-05-06T11:59:00+00:00", "end": "2026-05-06T12:03:30+00:00"}
    updated = org.call("GET", "/sobjects/Account/updated/", params=window).json()
    assert updated == {"ids": [kept], "latestDateCovered": "2026-05-06T12:03:00.000+0000"}
    deleted = org.call("GET", "/sobjects/Account/deleted/", params=window).json()
    assert deleted["deletedRecords"] == [
        {"id": gone, "deletedDate": "2026-05-06T12:02:00.000+0000"}
    ]
    assert deleted["earliestDateAvailable"] == "2026-04-06T12:04:00.000+0000"
    assert deleted["latestDateCovered"] == "2026-05-06T12:03:00.000+0000"
    for wrong in (
        window | {"end": window["start"]},
        {"start": "2026-04-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"},
    ):
        answer = org.call("GET", "/sobjects/Account/deleted/", params=wrong)
        assert org.refused(answer) == (400, "INVALID_REPLICATION_DATE")
    org.stand_in.lose_deletions(org.clock.now())
    lost = org.call("GET", "/sobjects/Account/deleted/", params=window).json()
    assert lost["deletedRecords"] == []
    assert lost["earliestDateAvailable"] == "2026-05-06T12:04:00.000+0000"


def test_a_merge_moves_the_children_and_leaves_a_trace(org: Stage) -> None:
    winner, loser = (org.create("Account", Name=name) for name in ("w", "l"))
    contact = org.create("Contact", LastName="c", AccountId=loser)
    invoice = org.create("TieOut_Invoice__c", Account__c=loser, Total__c="10.5")
    org.clock.move(60)
    org.stand_in.merge("Account", winner, loser)
    assert org.get("Contact", contact)["AccountId"] == winner
    assert org.get("TieOut_Invoice__c", invoice)["Account__c"] == winner
    soql = "SELECT Id, MasterRecordId, SystemModstamp FROM Account WHERE IsDeleted = true"
    trace = org.query(soql, everything=True)["records"][0]
    assert (trace["Id"], trace["MasterRecordId"]) == (loser, winner)
    assert trace["SystemModstamp"] == "2026-05-06T12:01:00.000+0000"


def test_a_late_commit_appears_with_an_old_stamp(org: Stage) -> None:
    late = org.stand_in.write_late("Account", {"Name": "late"}, seconds=300)
    org.clock.move(120)
    org.create("Account", Name="quick")
    assert org.names("SELECT Name FROM Account") == ["quick"]
    org.clock.move(200)
    assert org.names("SELECT Name FROM Account ORDER BY SystemModstamp") == ["late", "quick"]
    assert org.get("Account", late)["SystemModstamp"] == "2026-05-06T12:00:00.000+0000"


def test_a_deleted_account_takes_its_contacts_along_and_frees_its_invoices(org: Stage) -> None:
    account = org.create("Account", Name="a")
    contact = org.create("Contact", LastName="c", AccountId=account)
    invoice = org.create("TieOut_Invoice__c", Account__c=account)
    assert org.call("DELETE", f"/sobjects/Account/{account}").status_code == 204
    assert org.refused(org.call("GET", f"/sobjects/Contact/{contact}")) == (
        404,
        "ENTITY_IS_DELETED",
    )
    assert org.get("TieOut_Invoice__c", invoice)["Account__c"] is None


def test_an_account_with_won_business_stays(org: Stage) -> None:
    account = org.create("Account", Name="a")
    org.create(
        "Opportunity", Name="o", StageName="Closed Won", CloseDate="2026-01-01", AccountId=account
    )
    answer = org.call("DELETE", f"/sobjects/Account/{account}")
    assert org.refused(answer) == (400, "DELETE_FAILED")


def test_the_tieout_objects_are_ready_to_be_written(org: Stage) -> None:
    account = org.create("Account", Name="a", TieOut_Id__c="cus_1", Billing_System__c="stripe")
    made = org.call(
        "PATCH",
        "/sobjects/TieOut_Invoice__c/TieOut_Id__c/in_1",
        json={
            "Name": "A-1",
            "Account__r": {"TieOut_Id__c": "cus_1"},
            "Total__c": "119.005",
            "Status__c": "open",
            "Issued_On__c": "2026-05-01",
        },
    )
    assert made.status_code == 201
    shown = org.query("SELECT Name, Total__c, Account__c, Account__r.Name FROM TieOut_Invoice__c")
    record = shown["records"][0]
    assert record["Account__c"] == account and record["Account__r"]["Name"] == "a"
    assert record["Total__c"] == 119.005 and record["Name"] == "A-1"
    payment = org.create("TieOut_Payment__c", Amount__c=1)
    assert org.get("TieOut_Payment__c", payment)["Name"] == "TP-000100"
    children = org.query("SELECT Id, (SELECT Name FROM TieOut_Invoices__r) FROM Account")
    assert children["records"][0]["TieOut_Invoices__r"]["records"][0]["Name"] == "A-1"


def test_a_user_s_own_fields_and_objects() -> None:
    extra = {"Account": "Tier__c picklist in:Gold|Silver restricted"}
    lookup = "Account__c reference to:Account.Account__r/Plans__r"
    objects = {"Plan__c": f"Seats__c double(4,0) required\n{lookup}"}
    with stage(custom_fields=extra, custom_objects=objects) as org:
        assert org.create("Account", Name="a", Tier__c="gold")
        assert org.names("SELECT Tier__c FROM Account", "Tier__c") == ["Gold"]
        assert refusal(org, "Plan__c")["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert org.create("Plan__c", Seats__c=3)
        assert "TieOut_Id__c" not in str(org.call("GET", "/sobjects/Account/describe").json())


def test_describe_tells_what_may_be_written(org: Stage) -> None:
    answer = org.call("GET", "/sobjects/Account/describe")
    fields = {one["name"]: one for one in answer.json()["fields"]}
    name, key, stamp = fields["Name"], fields["TieOut_Id__c"], fields["SystemModstamp"]
    assert (name["length"], name["nillable"], name["createable"]) == (255, False, True)
    assert (key["externalId"], key["unique"], key["idLookup"], key["custom"]) == (True,) * 4
    assert (stamp["type"], stamp["createable"], stamp["updateable"]) == ("datetime", False, False)
    assert (fields["AnnualRevenue"]["precision"], fields["AnnualRevenue"]["scale"]) == (18, 0)
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert fields["BillingCity"]["compoundFieldName"] == "BillingAddress"
    assert [one["value"] for one in fields["Rating"]["picklistValues"]] == ["Hot", "Warm", "Cold"]
    assert "TieOut_Invoices__r" in [
        one["relationshipName"] for one in answer.json()["childRelationships"]
    ]
    unchanged = org.call(
        "GET",
        "/sobjects/Account/describe",
        headers={"If-Modified-Since": answer.headers["Last-Modified"]},
    )
    assert unchanged.status_code == 304
    org.clock.move(60)
    org.stand_in.hide_field("Account", "Site")
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    assert org.call("GET", "/sobjects/Account/describe", headers=since).status_code == 200
    listed = {one["name"]: one for one in org.call("GET", "/sobjects").json()["sobjects"]}
    assert listed["Account"]["keyPrefix"] == "001"
    assert listed["OpportunityStage"]["createable"] is False


def test_the_bin_gives_back_within_fifteen_days(org: Stage) -> None:
    id = org.create("Account", Name="a")
    org.call("DELETE", f"/sobjects/Account/{id}")
    org.clock.move(timedelta(days=14).total_seconds())
    org.stand_in.undelete("Account", id)
    org.log_in()
    assert org.get("Account", id)["IsDeleted"] is False


def test_a_locked_row_refuses_a_few_times(org: Stage) -> None:
    id = org.create("Account", Name="a")
    org.stand_in.refuse_writes(id, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 2)
    child = org.call("POST", "/sobjects/Contact", json={"LastName": "c", "AccountId": id})
    assert org.refused(child) == (400, "UNABLE_TO_LOCK_ROW")
    path = f"/sobjects/Account/{id}"
    assert org.refused(org.call("PATCH", path, json={})) == (400, "UNABLE_TO_LOCK_ROW")
    assert org.call("PATCH", path, json={}).status_code == 204


def test_a_hidden_field_is_not_there(org: Stage) -> None:
    org.stand_in.hide_field("Account", "MRR__c")
    assert org.query("SELECT MRR__c FROM Account")[0]["errorCode"] == "INVALID_FIELD"
    assert refusal(org, "Account", Name="a", MRR__c=1)["errorCode"] == "INVALID_FIELD"
    assert "MRR__c" not in org.get("Account", org.create("Account", Name="a"))


def test_the_administrator_s_own_rules(org: Stage) -> None:
    def needs_phone(record: dict[str, Any]) -> str:
        return "" if record["Phone"] else "A phone number, please."

    org.stand_in.add_validation_rule("Account", needs_phone)
    org.stand_in.add_duplicate_rule("Account", "Name")
    problem = refusal(org, "Account", Name="a")
    assert problem["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert problem["message"] == "A phone number, please."
    org.create("Account", Name="a", Phone="1")
    assert refusal(org, "Account", Name="A", Phone="2")["errorCode"] == "DUPLICATES_DETECTED"
    allowed = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    body = {"Name": "A", "Phone": "2"}
    assert org.call("POST", "/sobjects/Account", json=body, headers=allowed).status_code == 201


def test_a_query_may_time_out_now_and_then(org: Stage) -> None:
    org.stand_in.refuse_queries("QUERY_TIMEOUT", "Your query request was running for too long.")
    answer = org.call("GET", "/query", params={"q": "SELECT Id FROM Account"})
    assert org.refused(answer) == (400, "QUERY_TIMEOUT")
    assert org.query("SELECT Id FROM Account")["totalSize"] == 0


def test_ids_are_never_written(org: Stage) -> None:
    problem = refusal(org, "Account", Name="a", Id="001dM00003jU9GxQAK")
    assert problem["message"] == "cannot specify Id in an insert call"
    id = org.create("Account", Name="a")
    answer = org.call("PATCH", f"/sobjects/Account/{id}", json={"id": id})
    assert org.refused(answer) == (400, "INVALID_FIELD")


def test_relationships_are_followed_by_name(org: Stage) -> None:
    account = org.create("Account", Name="a")
    contact = org.create("Contact", LastName="c", AccountId=account)
    path = f"/sobjects/Contact/{contact}/Account"
    assert org.call("GET", path, params={"fields": "Name"}).json()["Name"] == "a"
    children = org.call("GET", f"/sobjects/Account/{account}/Contacts").json()
    assert [one["LastName"] for one in children["records"]] == ["c"]
    assert org.call("GET", f"/sobjects/Account/{account}/Nothing").status_code == 404


def test_the_system_moves_its_own_stamp(org: Stage) -> None:
    id = org.create("Account", Name="a")
    org.clock.move(60)
    org.stand_in.touch("Account", id)
    now = org.get("Account", id)
    assert now["SystemModstamp"] == "2026-05-06T12:01:00.000+0000"
    assert now["LastModifiedDate"] == "2026-05-06T12:00:00.000+0000"
