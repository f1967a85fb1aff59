"""The Salesforce connector reads: by query, in bulk, what changed, what is gone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from salesforce_fake import (
    FakeSalesforce,
    moment,
    once,
    refusal,
    reply,
)
from salesforce_pages import MIDNIGHT, accounts, connect, gone, ids, records

from tieout.connectors.salesforce.ids import long_id
from tieout.connectors.salesforce.soql import quoted
from tieout.core.errors import (
    AuthError,
    ProviderDown,
    StopRun,
)
from tieout.core.ports import HttpAnswer
from tieout.mappings import load_mapping


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


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
    assert found[orders[0]]["OrderItems"]["records"][0]["Product2Id"] == product
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
