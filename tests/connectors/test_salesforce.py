"""The Salesforce connector against documented answers."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from salesforce_fake import (
    DATA,
    INSTANCE,
    LOGIN,
    MESSAGE,
    NOW,
    ORG,
    ORG15,
    PREFIX,
    FakeSalesforce,
    moment,
    once,
    refusal,
    reply,
)

from tieout.connectors import connector_class
from tieout.connectors.base import Can, Connector, Evidence, Method, Page, Window, Write
from tieout.connectors.salesforce import Salesforce, SalesforceConfig
from tieout.connectors.salesforce.ids import long_id
from tieout.connectors.salesforce.kinds import BILLING, KINDS
from tieout.connectors.salesforce.org import learned
from tieout.connectors.salesforce.soql import quoted
from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    ProviderDown,
    RateLimited,
    StopRun,
    TryLater,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer
from tieout.mappings import load_mapping

CLIENT: dict[str, Any] = {
    "client_id": "3MVG9example",
    "client_secret": "the-secret-of-the-app",
    "base_url": LOGIN,
}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


def connect(fake: FakeSalesforce, **more: Any) -> Salesforce:
    return Salesforce(SalesforceConfig(**{**CLIENT, **more}), fake.ports, where="crm")


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def ids(pages: list[Page]) -> list[str]:
    return [record["Id"] for record in records(pages)]


def gone(pages: list[Page]) -> list[str]:
    return [id for page in pages for id in page.deleted]


def accounts(fake: FakeSalesforce, count: int, **values: Any) -> list[str]:
    return [fake.put("Account", Name=f"A{n}", **values)["Id"] for n in range(count)]


# Settings and login


def test_every_setting_and_every_field_to_create_is_in_the_docs() -> None:
    page = Path(__file__).parents[2] / "docs" / "providers" / "salesforce.md"
    text = page.read_text()
    named = {*SalesforceConfig.model_fields, *KINDS}
    for kind in (KINDS[entity] for entity in BILLING):
        for part in kind.parts:
            named |= {part.object, *(name for name in part.fields if name.endswith("__c"))}
    missing = sorted(name for name in named if not re.search(rf"\b{name}\b", text))
    assert not missing


def test_it_is_a_registered_connector_that_declares_what_it_does() -> None:
    assert connector_class("salesforce") is Salesforce
    methods = {
        Can.CREATE: "create", Can.UPDATE: "update", Can.FIND: "find", Can.ARCHIVE: "archive",
        Can.BATCH: "write_many", Can.PROVE: "prove", Can.EVENTS: "read_webhook",
    }  # fmt: skip
    for can, method in methods.items():
        assert any(can in each for each in Salesforce.can.values())
        assert getattr(Salesforce, method) is not getattr(Connector, method)
    assert Can.ARCHIVE not in Salesforce.can["customer"]
    assert Can.UPDATE not in Salesforce.can["contract"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x", "base_url": LOGIN},
        {"client_id": "x", "username": "a@example.com", "base_url": LOGIN},
        {"client_id": "x", "client_secret": "y"},  # login.salesforce.com refuses this flow
        {**CLIENT, "key_field": "Id FROM User --"},
        {**CLIENT, "fields": {"customer": ["Name FROM User"]}},
        {**CLIENT, "objects": {"invoice": {"object": "X__c WHERE"}}},
        {**CLIENT, "organization_id": "00D"},
        {**CLIENT, "objects": {"payout": {"object": "X__c"}}},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SalesforceConfig(**wrong)


def test_client_credentials_and_the_address_that_the_token_answer_names(
    fake: FakeSalesforce,
) -> None:
    crm = connect(fake)
    crm.get("customer", "0015g0000000001")
    assert fake.logins == [
        {
            "grant_type": "client_credentials",
            "client_id": "3MVG9example",
            "client_secret": "the-secret-of-the-app",
        }
    ]
    assert fake.requests[-1].url.startswith(INSTANCE + DATA)
    assert fake.requests[-1].headers["Authorization"] == "Bearer session-1"


def test_the_jwt_is_signed_as_documented_and_wins_over_a_client_secret(
    fake: FakeSalesforce,
) -> None:
    crm = connect(fake, username="integration@example.com", private_key=PEM)
    crm.get("customer", "0015g0000000001")
    (form,) = fake.logins
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert "client_secret" not in form
    claims = jwt.decode(
        form["assertion"],
        KEY.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert claims["iss"] == "3MVG9example" and claims["sub"] == "integration@example.com"
    assert claims["exp"] == int(NOW.timestamp()) + 180


@pytest.mark.parametrize(
    ("base_url", "audience"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("http://127.0.0.1:5001", "https://login.salesforce.com"),
    ],
)
def test_the_audience_follows_from_the_login_address(base_url: str, audience: str) -> None:
    settings = SalesforceConfig(
        client_id="x", username="u@example.com", private_key=PEM, base_url=base_url
    )
    assert settings.jwt_audience == audience


@pytest.mark.parametrize(
    ("error", "description", "hint"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorized"),
        ("invalid_grant", "audience is invalid", "test.salesforce.com"),
        ("invalid_client_id", "client identifier invalid", "client_id"),
        ("unsupported_grant_type", "grant type not supported", "enable"),
        ("inactive_user", "user is inactive", "inactive"),
        ("invalid_grant", "authentication failure", "check"),
    ],
)
def test_a_refused_login_says_what_to_mend_and_is_not_repeated(
    fake: FakeSalesforce, error: str, description: str, hint: str
) -> None:
    fake.rules.append(
        lambda method, path, query: reply({"error": error, "error_description": description}, 400)
    )
    with pytest.raises(AuthError) as caught:
        connect(fake).check()
    assert description in caught.value.message and hint in caught.value.hint
    assert "the-secret-of-the-app" not in str(caught.value)
    assert len(fake.calls) == 1


def test_an_elliptic_key_is_refused_before_anything_is_sent(fake: FakeSalesforce) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ConfigError, match="not an RSA key"):
        connect(fake, username="u@example.com", private_key=pem.decode()).check()
    assert not fake.calls


def test_a_login_of_another_org_is_refused(fake: FakeSalesforce) -> None:
    connect(fake, organization_id=ORG15).check()
    with pytest.raises(ConfigError, match="belongs to the org"):
        connect(fake, organization_id="00D000000000001").check()


def test_an_ended_session_is_renewed_once_and_the_call_repeated(fake: FakeSalesforce) -> None:
    one = fake.put("Account", Name="A")["Id"]
    crm = connect(fake)
    assert crm.get("customer", one)
    fake.token += 1  # somebody logged the user out
    assert crm.get("customer", one)
    assert len(fake.logins) == 2
    fake.rules.append(
        lambda method, path, query: (
            None if path.endswith("token") else refusal(401, "INVALID_SESSION_ID")
        )
    )
    before = len(fake.calls)
    with pytest.raises(AuthError):
        crm.get("customer", one)
    assert len(fake.calls) - before == 3  # the call, a login, the call again: and no more


def test_the_session_of_a_bulk_job_is_renewed_in_the_middle(fake: FakeSalesforce) -> None:
    made = accounts(fake, 6)
    crm = connect(fake, bulk_from=5)
    pages = crm.pull("customer")
    next(pages)
    fake.token += 1
    assert ids(list(pages)) == made


# Reading


def test_pages_follow_next_records_url_and_resume_after_any_of_them(fake: FakeSalesforce) -> None:
    made, fake.page = accounts(fake, 5), 2
    crm = connect(fake)
    pages = list(crm.pull("customer"))
    assert ids(pages) == made and [len(page.records) for page in pages] == [2, 2, 1]
    assert len(fake.queries("Account")) == 1  # the further pages were asked for by their address
    for place, page in enumerate(pages):
        rest = list(crm.pull("customer", resume=page.resume))
        assert ids(rest) == made[2 * (place + 1) :]
    with pytest.raises(StopRun, match="cannot be read") as caught:
        list(crm.pull("customer", resume="nonsense"))
    assert "--full" in caught.value.hint


def test_a_lost_position_is_asked_for_again_by_our_own(fake: FakeSalesforce) -> None:
    made, fake.page = accounts(fake, 7), 2
    lost = [refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")]
    fake.rules.append(
        lambda method, path, query: lost.pop() if lost and path.endswith("-4") else None
    )
    assert ids(list(connect(fake).pull("customer"))) == made


def test_a_query_that_takes_too_long_is_asked_in_smaller_ones(fake: FakeSalesforce) -> None:
    made = accounts(fake, 5)
    fake.rules.append(
        lambda method, path, query: (
            refusal(400, "QUERY_TIMEOUT", "Your query has timed out")
            if "LIMIT" not in query.get("q", ["LIMIT"])[0]
            else None
        )
    )
    assert ids(list(connect(fake).pull("customer"))) == made


def test_a_page_that_leads_elsewhere_stops_the_run(fake: FakeSalesforce) -> None:
    accounts(fake, 1)
    answer = {
        "totalSize": 9,
        "done": False,
        "records": [],
        "nextRecordsUrl": "https://evil.example",
    }
    fake.rules.append(
        lambda method, path, query: reply(answer) if path.rstrip("/").endswith("query") else None
    )
    with pytest.raises(StopRun, match="next page"):
        list(connect(fake).pull("customer"))


def test_changes_come_oldest_first_with_an_overlap_and_ties(fake: FakeSalesforce) -> None:
    fake.page = 2
    old = fake.put("Account", Name="old", SystemModstamp=moment(0))["Id"]
    late = fake.put("Account", Name="late", SystemModstamp=moment(3000))["Id"]
    ties = [fake.put("Account", Name="t", SystemModstamp=moment(3600))["Id"] for _ in range(5)]
    crm = connect(fake)
    since = MIDNIGHT + timedelta(seconds=3600)
    pages = list(crm.pull("customer", since=since))
    assert old not in ids(pages)
    assert ids(pages) == [late, *ties]  # 3000 is ten minutes before the window began
    for place, page in enumerate(pages):
        assert (
            ids(list(crm.pull("customer", since=since, resume=page.resume)))
            == (ids(pages)[2 * (place + 1) :])
        )


def test_a_row_that_becomes_visible_late_is_in_the_next_window(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    since = fake.ports.now()
    assert ids(list(crm.pull("customer", since=since))) == []
    stamp = (since - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    row = fake.put("Account", Name="committed late", SystemModstamp=stamp)
    assert ids(list(crm.pull("customer", since=since))) == [row["Id"]]


def test_deletions_by_recycle_bin_and_by_salesforces_own_list(fake: FakeSalesforce) -> None:
    alive = fake.put("Account", Name="alive", SystemModstamp=moment(43000))["Id"]
    binned = fake.put("Account", IsDeleted=True, SystemModstamp=moment(43000))["Id"]
    back = fake.put("Account", Name="undeleted", SystemModstamp=moment(0))["Id"]
    fake.hard_deleted["Account"] = ["0015g00000gone1", back]
    pages = list(connect(fake).pull("customer", since=MIDNIGHT + timedelta(seconds=43000)))
    assert ids(pages) == [alive]
    assert set(gone(pages)) == {binned, long_id("0015g00000gone1")}


def test_the_list_of_deletions_is_halved_where_it_is_too_long(fake: FakeSalesforce) -> None:
    calls = [0]

    def too_long(method: str, path: str, query: dict[str, list[str]]) -> HttpAnswer | None:
        if not path.rstrip("/").endswith("deleted"):
            return None
        calls[0] += 1
        if calls[0] == 1:
            return refusal(400, "EXCEEDED_ID_LIMIT", "too many ids")
        id = f"0015g0000000{calls[0]}AAAAAA"
        return reply({"deletedRecords": [{"id": id, "deletedDate": moment(0)}]})

    fake.rules.append(too_long)
    pages = list(connect(fake).pull("customer", since=MIDNIGHT))
    assert len(gone(pages)) == 2 and calls[0] == 3


def test_a_merge_tells_the_loser_with_its_winner_and_the_winner_as_it_is_now(
    fake: FakeSalesforce,
) -> None:
    winner = fake.put("Account", Name="winner", SystemModstamp=moment(0))["Id"]
    loser = fake.put(
        "Account",
        Name="loser",
        IsDeleted=True,
        MasterRecordId=winner,
        SystemModstamp=moment(43000),
    )["Id"]
    pages = list(connect(fake).pull("customer", since=MIDNIGHT + timedelta(seconds=43000)))
    assert set(ids(pages)) == {winner, loser} and set(gone(pages)) == {loser}
    mapper = load_mapping("salesforce").compile(system="crm")
    found = {
        r.id: r for page in pages for b in page.records for r in [mapper.parse_bytes("customer", b)]
    }
    assert found[loser].deleted and found[loser].custom["merged_into"] == winner
    assert not found[winner].deleted and found[winner].name == "winner"


def test_only_fields_that_the_org_has_are_asked_for(fake: FakeSalesforce) -> None:
    fake.put("Account", Name="A")
    list(connect(fake, fields={"customer": ["Tier__c", "NumberOfEmployees"]}).pull("customer"))
    (query,) = fake.queries("Account")
    columns = query.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
    assert "BillingStreet" in columns and "NumberOfEmployees" in columns
    for absent in ("BillingAddress", "CurrencyIsoCode", "BillingCountryCode", "Tier__c"):
        assert absent not in columns


def test_fields_of_related_records_come_alike_by_query_and_in_bulk(fake: FakeSalesforce) -> None:
    product = fake.put("Product2", Name="Plan")["Id"]
    fake.put("OrderItem", Product2Id=product, Quantity=1.0)
    fake.put("OrderItem", Quantity=2.0)
    more = {
        "objects": {"invoice": {"object": "OrderItem", "fields": ["Product2.Name", "Quantity"]}}
    }
    by_query = records(list(connect(fake, **more).pull("invoice")))
    in_bulk = records(list(connect(fake, bulk_from=2, **more).pull("invoice")))
    assert len(fake.jobs) == 1 and in_bulk == by_query
    assert [row["Product2"] for row in in_bulk] == [{"Name": "Plan"}, None]


def test_a_refused_login_is_not_taken_for_a_hidden_object(fake: FakeSalesforce) -> None:
    one = fake.put("Account", Name="A")["Id"]
    crm = connect(fake)
    crm.get("customer", one)
    fake.token += 1
    error = {"error": "inactive_user", "error_description": "user is inactive"}
    fake.rules.append(once("POST", "/token", reply(error, 400)))
    with pytest.raises(AuthError, match="login was refused"):
        list(crm.pull("contact"))


def test_describe_is_asked_once(fake: FakeSalesforce) -> None:
    crm = connect(fake)
    for _ in range(3):
        list(crm.pull("customer"))
    assert sum(path.endswith("/Account/describe") for _, path, _ in fake.calls) == 1


def test_orders_come_with_all_of_their_lines_also_when_only_a_line_changed(
    fake: FakeSalesforce,
) -> None:
    fake.page = 2
    product = fake.put("Product2", Name="Plan")["Id"]
    orders = [fake.put("Order", OrderNumber=str(n))["Id"] for n in range(3)]
    for n in range(5):
        fake.put("OrderItem", OrderId=orders[0], Product2Id=product, Quantity=1.0, UnitPrice=n)
    crm = connect(fake)
    found = {row["Id"]: row for row in records(list(crm.pull("contract")))}
    assert len(found[orders[0]]["OrderItems"]["records"]) == 5
    assert found[orders[0]]["OrderItems"]["records"][0]["Product2"]["Name"] == "Plan"
    assert found[orders[1]]["OrderItems"] is None
    fake.tables["OrderItem"][2]["SystemModstamp"] = moment(43000)
    fake.tables["OrderItem"][3] |= {"SystemModstamp": moment(43000), "IsDeleted": True}
    pages = list(crm.pull("contract", since=MIDNIGHT + timedelta(seconds=43000)))
    (again,) = records(pages)
    assert again["Id"] == orders[0] and len(again["OrderItems"]["records"]) == 4


def test_contracts_and_orders_are_one_entity_and_resume_between_them(fake: FakeSalesforce) -> None:
    contract = fake.put("Contract", ContractNumber="C1")["Id"]
    order = fake.put("Order", OrderNumber="O1")["Id"]
    crm = connect(fake)
    pages = list(crm.pull("contract"))
    assert ids(pages) == [contract, order]
    assert ids(list(crm.pull("contract", resume=pages[0].resume))) == [order]
    assert json.loads(crm.get("contract", order) or b"{}")["OrderNumber"] == "O1"
    assert json.loads(crm.get("contract", contract) or b"{}")["ContractNumber"] == "C1"


def test_one_record_by_its_id_of_15_or_18_characters(fake: FakeSalesforce) -> None:
    row = fake.put("Account", Name="A", Id=long_id("001dM00003jU9Gx"))
    crm = connect(fake)
    assert row["Id"] == "001dM00003jU9GxQAK"
    for id in ("001dM00003jU9Gx", "001dM00003jU9GxQAK"):
        assert json.loads(crm.get("customer", id) or b"{}")["Name"] == "A"
    assert crm.get("customer", "001dM00003jU9Gy") is None
    before = len(fake.calls)
    assert crm.get("customer", "x' OR Name != '") is None and len(fake.calls) == before
    fake.tables["Account"][0]["IsDeleted"] = True
    assert crm.get("customer", row["Id"]) is None


def test_ids_are_lengthened_as_documented() -> None:
    assert long_id("001dM00003jU9Gx") == "001dM00003jU9GxQAK"
    assert long_id("0014W000027f6V3") == "0014W000027f6V3QAI"
    assert long_id("too short") == "too short"


def test_texts_are_quoted() -> None:
    assert quoted("O'Neil \\ 1\n") == "'O\\'Neil \\\\ 1\\n'"


# In bulk


def everything(fake: FakeSalesforce, count: int) -> None:
    for n in range(count):
        fake.put(
            "Opportunity",
            Name=f'Deal, "big"\nnumber {n}',
            Amount=1000.5 + n if n % 3 else None,
            Probability=60.0,
            IsClosed=n % 2 == 0,
            IsWon=False,
            StageName="Prospecting",
            CloseDate="2026-03-31",
            CreatedDate=moment(n),
        )


def test_bulk_rows_are_the_records_that_rest_tells_to_the_byte(fake: FakeSalesforce) -> None:
    everything(fake, 7)
    by_query = [r for page in connect(fake).pull("opportunity") for r in page.records]
    assert not fake.jobs
    in_bulk = [
        r for page in connect(fake, bulk_from=7, bulk_page=100).pull("opportunity")
        for r in page.records
    ]  # fmt: skip
    assert len(fake.jobs) == 1 and in_bulk == by_query
    mapper = load_mapping("salesforce").compile(system="crm", currency="USD")
    assert [mapper.parse_bytes("opportunity", r) for r in in_bulk] == [
        mapper.parse_bytes("opportunity", r) for r in by_query
    ]
    assert mapper.parse_bytes("opportunity", in_bulk[1]).amount_minor == 100150


def test_a_hundred_thousand_accounts_come_in_bulk_in_portions(fake: FakeSalesforce) -> None:
    accounts(fake, 100_000)
    crm = connect(fake)
    sizes, seen = [], 0
    for page in crm.pull("customer"):
        sizes.append(len(page.records))
        seen += len(page.records)
    assert seen == 100_000 and max(sizes) <= 5_000
    assert len(fake.calls) < 40


def test_a_bulk_pull_goes_on_with_the_same_job(fake: FakeSalesforce) -> None:
    made = accounts(fake, 450)
    crm = connect(fake, bulk_from=10, bulk_page=100)
    pages = list(crm.pull("customer"))
    assert [len(page.records) for page in pages] == [0, 100, 100, 100, 100, 50]
    for place, page in enumerate(pages):
        again = connect(fake, bulk_from=10, bulk_page=100)
        assert ids(list(again.pull("customer", resume=page.resume))) == made[100 * place :]
    assert len(fake.jobs) == 1


def test_where_a_bulk_job_is_gone_everything_is_read_again(fake: FakeSalesforce) -> None:
    made = accounts(fake, 450)
    crm = connect(fake, bulk_from=10, bulk_page=100)
    pages = list(crm.pull("customer"))
    fake.jobs.clear()
    assert sorted(ids(list(crm.pull("customer", resume=pages[2].resume)))) == made


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_where_bulk_fails_the_records_are_read_by_query(fake: FakeSalesforce, state: str) -> None:
    made = accounts(fake, 20)
    fake.rules.append(
        lambda method, path, query: (
            reply({"id": "x", "state": state, "errorMessage": "no"})
            if "/jobs/query/" in path
            else None
        )
    )
    assert ids(list(connect(fake, bulk_from=10).pull("customer"))) == made


def test_where_bulk_takes_no_job_the_records_are_read_by_query(fake: FakeSalesforce) -> None:
    made = accounts(fake, 20)
    fake.rules.append(
        lambda method, path, query: (
            refusal(400, "LIMIT_EXCEEDED", "daily jobs") if path.endswith("/jobs/query") else None
        )
    )
    assert ids(list(connect(fake, bulk_from=10).pull("customer"))) == made


def test_changes_in_bulk_tell_deletions_too(fake: FakeSalesforce) -> None:
    alive = accounts(fake, 11, SystemModstamp=moment(43000))
    dead = fake.put("Account", IsDeleted=True, SystemModstamp=moment(43000))["Id"]
    crm = connect(fake, bulk_from=10)
    pages = list(crm.pull("customer", since=MIDNIGHT + timedelta(seconds=43000)))
    assert ids(pages) == alive and dead in gone(pages)


def test_a_bulk_answer_that_breaks_off_is_asked_for_again(fake: FakeSalesforce) -> None:
    made = accounts(fake, 20)
    torn = [1]

    def cut(method: str, path: str, query: dict[str, list[str]]) -> HttpAnswer | None:
        if not path.endswith("/results") or not torn:
            return None
        torn.pop()
        names = b'"Id","Name"\n"0015g0000000001AAA","A"\n'
        headers = {"sforce-numberofrecords": "20", "sforce-locator": "null"}
        return HttpAnswer(200, headers, names)

    fake.rules.append(cut)
    assert ids(list(connect(fake, bulk_from=10).pull("customer"))) == made


def test_a_bulk_job_that_never_ends_can_be_waited_for_again(fake: FakeSalesforce) -> None:
    accounts(fake, 20)
    fake.rules.append(
        lambda method, path, query: (
            reply({"id": "x", "state": "InProgress"})
            if "/jobs/query/" in path and not path.endswith("results")
            else None
        )
    )
    with pytest.raises(ProviderDown, match="was not done after 60 minutes"):
        list(connect(fake, bulk_from=10).pull("customer"))


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


# check


def test_check_tells_who_we_are_and_finds_nothing_missing(fake: FakeSalesforce) -> None:
    account = connect(fake).check()
    assert (account.name, account.id, account.live) == ("Acme", ORG, True)
    assert account.problems == ()


def test_check_names_what_is_missing(fake: FakeSalesforce) -> None:
    del fake.fields["Account"]["TieOut_Id__c"]
    del fake.fields["Opportunity"]["Amount"]
    del fake.tables["Contact"]
    fake.not_unique.add("Product2")
    fake.limits["DailyApiRequests"]["Remaining"] = 3000
    crm = connect(
        fake, fields={"customer": ["Tier__c"]}, objects={"invoice": {"object": "Nope__c"}}
    )
    crm.currency = ""
    problems = crm.check().problems
    for words in (
        "single currency",
        "customer: Account has no field TieOut_Id__c",
        "customer: Account shows no field Tier__c",
        "opportunity: Opportunity shows no field Amount",
        "contact: Salesforce shows us no object Contact",
        "product: Product2.TieOut_Id__c is not marked Unique",
        "invoice: Salesforce shows us no object Nope__c",
        "12000 of 15000",
    ):
        assert any(words in each for each in problems), words
    assert len(problems) == 8


def test_check_goes_on_where_limits_and_organization_are_hidden(fake: FakeSalesforce) -> None:
    fake.rules.append(
        lambda method, path, query: (
            refusal(403, "INSUFFICIENT_ACCESS", "no")
            if "/limits" in path or "Organization" in query.get("q", [""])[0]
            else None
        )
    )
    account = connect(fake).check()
    assert (account.id, account.live, account.problems) == (ORG, None, ())


def test_a_currency_is_not_missed_where_records_name_theirs(fake: FakeSalesforce) -> None:
    fake.fields["Opportunity"]["CurrencyIsoCode"] = "picklist"
    crm = connect(fake)
    crm.currency = ""
    assert crm.check().problems == ()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=22/15000", (22, 12000, 11978)),
        ("api-usage=14000/15000; per-app-api-usage=17/250(appName=a)", (14000, 12000, 0)),
        ("per-app-api-usage=17/250(appName=a); api-usage=5/100", (5, 80, 75)),
        ("nothing", None),
    ],
)
def test_the_orgs_budget_is_learned_from_every_answer(header: str, expected: Any) -> None:
    found = list(learned(HttpAnswer(200, {"sforce-limit-info": header}, b""), 80))
    if expected is None:
        assert found == []
        return
    (told,) = found
    assert told.pool == "day" and (told.used, told.limit, told.remaining) == expected


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
