"""The Salesforce connector writes: once, in batches, in steps, and into custom objects."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from salesforce_fake import (
    NOW,
    PREFIX,
    FakeSalesforce,
    once,
    refusal,
    reply,
)
from salesforce_pages import connect, records

from tieout.connectors.base import Window, Write
from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    ProviderDown,
    RateLimited,
    TryLater,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer
from tieout.mappings import load_mapping


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


# Writing


def test_a_create_is_an_upsert_by_our_key(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    made = json.loads(crm.create("customer", {"Name": "ACME"}, key="tieout-customer-1"))
    again = json.loads(crm.create("customer", {"Name": "ACME"}, key="tieout-customer-1"))
    assert made["Id"] == again["Id"] and len(fake.tables["Account"]) == 1
    assert made["TieOut_Id__c"] == "tieout-customer-1"
    patch = next(r for r in fake.requests if r.method == "PATCH")
    assert patch.url.endswith("/sobjects/Account/TieOut_Id__c/tieout-customer-1")
    assert json.loads(patch.body or b"") == {"Name": "ACME"}
    found = crm.find("customer", "tieout-customer-1")
    assert found and json.loads(found)["Id"] == made["Id"]
    assert crm.find("customer", "TIEOUT-CUSTOMER-1") is None  # SOQL would find it
    assert crm.find("customer", "x' OR Name != 'y") is None


def test_amounts_are_sent_exactly(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    body = {"Name": "D", "StageName": "S", "CloseDate": "2026-01-31", "Amount": Decimal("0.10")}
    crm.create("opportunity", body, key="k")
    patch = next(r for r in fake.requests if r.method == "PATCH")
    assert b'"Amount":0.10' in (patch.body or b"")
    with pytest.raises(InvalidRecord, match=r"more decimals than Opportunity\.Amount keeps"):
        crm.create("opportunity", {**body, "Amount": Decimal("0.105")}, key="k2")


def test_an_update_tells_the_record_as_it_is_afterwards(fake: FakeSalesforce) -> None:
    id = fake.put("Account", Name="old", Phone="1")["Id"]
    told = json.loads(connect(fake).update("customer", id, {"Name": "new", "Phone": None}, key="k"))
    assert (told["Name"], told["Phone"]) == ("new", None)


def test_products_are_made_inactive_never_deleted(fake: FakeSalesforce) -> None:
    id = fake.put("Product2", Name="P", IsActive=True)["Id"]
    told = json.loads(connect(fake).archive("product", id, key="k") or b"{}")
    assert told["IsActive"] is False
    with pytest.raises(InvalidRecord, match="ARCHIVE"):
        connect(fake).archive("customer", "0015g0000000001", key="k")


def test_a_lost_answer_makes_one_record(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    crm.find("customer", "warm up")
    before = fake.send
    lost = [True]

    def losing(request: Any) -> HttpAnswer:
        answer = before(request)
        if request.method == "PATCH" and lost.pop():
            lost.append(False)
            raise AnswerLost("cut")
        return answer

    object.__setattr__(fake.ports, "send", losing)
    made = json.loads(crm.create("customer", {"Name": "ACME"}, key="k"))
    assert [row["Id"] for row in fake.tables["Account"]] == [made["Id"]]


def test_an_outcome_that_stays_unknown_is_looked_up(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    crm.find("customer", "warm up")
    before = fake.send

    def deaf(request: Any) -> HttpAnswer:
        answer = before(request)
        if request.method == "PATCH":
            raise AnswerLost("cut")
        return answer

    object.__setattr__(fake.ports, "send", deaf)
    with pytest.raises(UnknownOutcome):
        crm.create("customer", {"Name": "ACME"}, key="k")
    object.__setattr__(fake.ports, "send", before)
    assert json.loads(crm.find("customer", "k") or b"{}")["Name"] == "ACME"
    assert len(fake.tables["Account"]) == 1


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", InvalidRecord),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", InvalidRecord),
        ("STRING_TOO_LONG", "Name: data value too large", InvalidRecord),
        ("DUPLICATES_DETECTED", "Use one of these records?", Conflict),
        ("DUPLICATE_VALUE", "duplicate value found", Conflict),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access", AuthError),
        ("INVALID_FIELD", "No such column 'Foo'", ConfigError),
        ("SOMETHING_NEW", "?", InvalidRecord),
    ],
)
def test_refusals_are_sorted_by_what_happens_next(
    fake: FakeSalesforce, code: str, message: str, error: type[Exception]
) -> None:
    fake.rules.append(
        lambda method, path, query: refusal(400, code, message) if method == "PATCH" else None
    )
    with pytest.raises(error, match=code) as caught:
        connect(fake).create("customer", {"Name": "A"}, key="k")
    assert type(caught.value) is error
    assert sum(method == "PATCH" for method, _, _ in fake.calls) == 1


def test_a_refused_country_says_which_option_to_set(fake: FakeSalesforce) -> None:
    told = "There's a problem with this country, even though it may appear correct."
    fake.rules.append(
        lambda method, path, query: (
            refusal(400, "FIELD_INTEGRITY_EXCEPTION", told) if method == "PATCH" else None
        )
    )
    with pytest.raises(InvalidRecord) as caught:
        connect(fake).create("customer", {"Name": "A", "BillingCountry": "DE"}, key="k")
    assert "address_codes" in caught.value.hint


@pytest.mark.parametrize(
    "told",
    [
        refusal(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
        refusal(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: UNABLE_TO_LOCK_ROW, unable"),
        refusal(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred"),
        refusal(503, "SERVER_UNAVAILABLE", "busy"),
        refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API...) Limit"),
        HttpAnswer(406, {}, b""),
        HttpAnswer(420, {}, b""),
        HttpAnswer(429, {}, b""),
        HttpAnswer(503, {"content-type": "text/html"}, b"<html>busy</html>"),
    ],
)
def test_what_passes_is_tried_again(fake: FakeSalesforce, told: HttpAnswer) -> None:
    fake.rules.append(once("PATCH", "/k", told))
    made = json.loads(connect(fake).create("customer", {"Name": "A"}, key="k"))
    assert made["Name"] == "A" and len(fake.tables["Account"]) == 1


def test_the_days_calls_used_up_is_reported_at_once(fake: FakeSalesforce) -> None:
    fake.rules.append(
        once(
            "GET",
            "/describe",
            refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        )
    )
    with pytest.raises(RateLimited, match="TotalRequests") as caught:
        connect(fake).get("customer", "0015g0000000001")
    assert caught.value.wait_seconds and "System Overview" in caught.value.hint


def test_several_records_with_one_key_are_a_conflict(fake: FakeSalesforce) -> None:
    fake.put("Account", TieOut_Id__c="k")
    fake.put("Account", TieOut_Id__c="k")
    with pytest.raises(Conflict, match="several records"):
        connect(fake).create("customer", {"Name": "A"}, key="k")
    with pytest.raises(InvalidRecord, match="several records"):
        connect(fake).find("customer", "k")


def test_a_missing_key_field_and_a_hidden_field_are_named(fake: FakeSalesforce) -> None:
    del fake.fields["Account"]["TieOut_Id__c"]
    with pytest.raises(ConfigError, match="Account has no field TieOut_Id__c"):
        connect(fake).create("customer", {"Name": "A"}, key="k")
    with pytest.raises(ConfigError, match="Account has no field TieOut_Id__c"):
        connect(fake).find("customer", "k")
    with pytest.raises(ConfigError, match="Contact has no field Mood__c") as caught:
        connect(fake).create("contact", {"LastName": "A", "Mood__c": "x"}, key="k")
    assert "overlay" in caught.value.hint
    assert not any(method == "PATCH" for method, _, _ in fake.calls)


# In collections


def test_many_writes_go_out_two_hundred_a_call_in_order(fake: FakeSalesforce) -> None:
    old = [fake.put("Account", Name=f"old {n}")["Id"] for n in range(3)]
    writes = [Write({"Name": f"new {n}"}, f"k{n}") for n in range(450)]
    writes[1:1] = [Write({"Name": f"changed {n}"}, f"u{n}", id) for n, id in enumerate(old)]
    told = connect(fake).write_many("customer", writes)
    names = [json.loads(each)["Name"] for each in told if isinstance(each, bytes)]
    assert names == ["new 0", "changed 0", "changed 1", "changed 2"] + [
        f"new {n}" for n in range(1, 450)
    ]
    patches = [path for method, path, _ in fake.calls if method == "PATCH"]
    assert len(patches) == 4  # 200 + 200 + 50 upserts, 3 updates
    assert connect(fake).write_many("customer", []) == []


def test_one_bad_record_does_not_spoil_the_others(fake: FakeSalesforce) -> None:
    writes = [
        Write({"Name": "A"}, "a"),
        Write({"Name": ""}, "b"),
        Write({"Name": "C", "Mood__c": "x"}, "c"),
        Write({"Name": "D"}, "d", "0015g0000099999AAA"),
        Write({"Name": "E"}, "e"),
        Write({"Name": "A again"}, "a"),
    ]
    told = connect(fake).write_many("customer", writes)
    assert [type(each) for each in told] == [
        bytes, InvalidRecord, ConfigError, type(told[3]), bytes, bytes,
    ]  # fmt: skip
    assert isinstance(told[3], InvalidRecord) and "ENTITY_IS_DELETED" in told[3].message
    assert [row["TieOut_Id__c"] for row in fake.tables["Account"]] == ["a", "e"]
    assert fake.tables["Account"][0]["Name"] == "A again"


def test_locked_records_alone_are_sent_again(fake: FakeSalesforce) -> None:
    lock = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}
    crm = connect(fake)
    first = crm.write_many("customer", [Write({"Name": "A"}, "a")])[0]
    assert isinstance(first, bytes)
    id = json.loads(first)["Id"]
    answer = [
        {"id": id, "success": True, "errors": [], "created": False},
        {"success": False, "errors": [lock]},
    ]
    fake.rules.append(once("PATCH", "/TieOut_Id__c", reply(answer)))
    told = crm.write_many("customer", [Write({"Name": "A"}, "a"), Write({"Name": "B"}, "b")])
    assert all(isinstance(each, bytes) for each in told)
    sent = [json.loads(r.body or b"") for r in fake.requests if r.method == "PATCH"]
    assert [each["TieOut_Id__c"] for each in sent[-1]["records"]] == ["b"]


def test_a_record_that_stays_locked_can_be_tried_later(fake: FakeSalesforce) -> None:
    lock = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}
    fake.rules.append(
        lambda method, path, query: (
            reply([{"success": False, "errors": [lock]}]) if method == "PATCH" else None
        )
    )
    (told,) = connect(fake).write_many("customer", [Write({"Name": "A"}, "a")])
    assert isinstance(told, TryLater)


def test_after_a_lost_answer_each_outcome_is_unknown(fake: FakeSalesforce) -> None:
    fake.rules.append(lambda method, path, query: AnswerLost("cut") if method == "PATCH" else None)
    told = connect(fake).write_many("customer", [Write({"Name": n}, n) for n in "ab"])
    assert [type(each) for each in told] == [UnknownOutcome, UnknownOutcome]
    assert told[0] is not told[1]


# Contracts, orders, prices


def order_body() -> dict[str, Any]:
    return {
        "attributes": {"type": "Order"},
        "AccountId": "0015g0000000001AAA",
        "EffectiveDate": "2026-02-01",
        "Status": "Activated",
        "OrderItems": {
            "records": [
                {"PricebookEntryId": "", "Quantity": Decimal(2), "UnitPrice": Decimal("9.50")}
            ]
        },
    }


def priced(fake: FakeSalesforce) -> dict[str, Any]:
    book = fake.put("Pricebook2", Name="Standard", IsStandard=True)["Id"]
    entry = fake.put("PricebookEntry", Pricebook2Id=book, UnitPrice=9.5)["Id"]
    body = order_body()
    body["OrderItems"]["records"][0]["PricebookEntryId"] = entry
    return body


def test_an_order_is_made_as_a_draft_then_lines_then_activated(fake: FakeSalesforce) -> None:
    body = priced(fake)
    made = json.loads(connect(fake).create("contract", body, key="k"))
    assert made["StatusCode"] == "Activated" and made["OrderItems"]["totalSize"] == 1
    assert made["Pricebook2Id"] == fake.tables["Pricebook2"][0]["Id"]
    sent = [json.loads(r.body or b"{}") for r in fake.requests if r.method == "PATCH"]
    assert [each["Status"] for each in sent] == ["Draft", "Activated"]


@pytest.mark.parametrize("down_from", range(18))
def test_an_order_that_broke_off_is_finished_by_the_next_attempt(
    fake: FakeSalesforce, down_from: int
) -> None:
    body, calls = priced(fake), [0]

    def down(method: str, path: str, query: Any) -> HttpAnswer | Exception | None:
        calls[0] += 1
        return AnswerLost("cut") if calls[0] > down_from else None

    fake.rules.append(down)
    crm = connect(fake)
    with contextlib.suppress(ProviderDown, UnknownOutcome):
        crm.create("contract", body, key="k")
    fake.rules.clear()
    crm = connect(fake)
    if crm.find("contract", "k") is None:
        crm.create("contract", body, key="k")
    (order,) = fake.tables["Order"]
    assert order["StatusCode"] == "Activated" and len(fake.tables["OrderItem"]) == 1


def test_a_price_of_another_book_needs_a_standard_price_first(fake: FakeSalesforce) -> None:
    standard = fake.put("Pricebook2", Name="Standard", IsStandard=True)["Id"]
    partner = fake.put("Pricebook2", Name="Partners", IsStandard=False)["Id"]
    product = fake.put("Product2", Name="P")["Id"]
    body = {"Product2Id": product, "UnitPrice": Decimal("5"), "IsActive": True}
    crm = connect(fake, pricebook_id=partner)
    made = json.loads(crm.create("price", body, key="k"))
    assert made["Pricebook2Id"] == partner
    assert [row["Pricebook2Id"] for row in fake.tables["PricebookEntry"]] == [standard, partner]
    json.loads(crm.create("price", body, key="k"))
    assert len(fake.tables["PricebookEntry"]) == 2


# Billing records in custom objects


def test_an_invoice_needs_an_object_and_says_so(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    for call in (
        lambda: list(crm.pull("invoice")),
        lambda: crm.create("invoice", {}, key="k"),
        lambda: crm.find("payment", "k"),
        lambda: crm.prove("credit_note", Window(None, NOW)),
    ):
        with pytest.raises(ConfigError, match="no object is configured") as caught:
            call()
        assert "objects:" in caught.value.hint
    with pytest.raises(ConfigError, match="salesforce has no payout"):
        list(crm.pull("payout"))


def test_an_invoice_is_written_into_a_custom_object_and_read_back(fake: FakeSalesforce) -> None:
    crm = connect(fake, objects={"invoice": {"object": "TieOut_Invoice__c"}})
    mapper = load_mapping("salesforce").compile(system="crm")
    fields = {
        "number": "INV-1",
        "customer_id": "0015g0000000001AAA",
        "currency": "BHD",
        "issued_on": "2026-01-31",
        "total_minor": 12345,
        "status": "open",
    }
    body = mapper.render("invoice", fields, creating=True)
    made = mapper.parse_bytes("invoice", crm.create("invoice", body, key="tieout-invoice-1"))
    assert (made.number, made.total_minor, made.currency) == ("INV-1", 12345, "BHD")
    assert made.external_ids == {"tieout": "tieout-invoice-1"}
    assert (made.status, made.customer_id) == ("open", "0015g0000000001AAA")
    (page,) = crm.pull("invoice")
    assert mapper.parse_bytes("invoice", page.records[0]) == made


def test_an_object_of_the_orgs_own_has_its_own_fields_and_key(fake: FakeSalesforce) -> None:
    PREFIX["Bill__c"] = "a01"
    fake.tables["Bill__c"], fake.fields["Bill__c"] = [], {
        **fake.fields["Account"], "Sum__c": "currency", "Ref__c": "string",
    }  # fmt: skip
    told = {"object": "Bill__c", "fields": ["Sum__c"], "key_field": "Ref__c"}
    fake.put("Bill__c", Sum__c=1.5, Ref__c="k")
    (record,) = records(list(connect(fake, objects={"invoice": told}).pull("invoice")))
    assert record["Sum__c"] == 1.5 and "TieOut_Id__c" not in record and "Phone" not in record
    mapper = load_mapping("salesforce").compile(system="crm")
    assert mapper.parse("invoice", record).external_ids == {"tieout": "k"}
