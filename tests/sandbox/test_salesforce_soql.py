"""SOQL as Salesforce documents it. Expected rows are worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from salesforce_stage import Stage, stage

NAMES = ("Ada", "bob", "Carol", "dave", "Eve")
STAMP = "2026-05-01T07:25:37.000+0000"


def account(number: int, name: str, **more: Any) -> tuple[str, dict[str, Any]]:
    made = {"Id": f"001dM00003jU9G{'abcde'[number]}", "Name": name, "SystemModstamp": STAMP}
    return "Account", made | more


@pytest.fixture(scope="module")
def org() -> Iterator[Stage]:
    with stage() as running:
        running.stand_in.load(
            [
                account(0, "Ada", Type="Prospect", AnnualRevenue=100, BillingCity="Paris"),
                account(1, "bob", Type="Other", AnnualRevenue=20, BillingCity="O'Fallon"),
                account(2, "Carol", AnnualRevenue=3, Website="50%_off\\x"),
                account(3, "dave", Type="other", CurrencyIsoCode="EUR"),
                account(4, "Eve", Type="Prospect", SystemModstamp="2026-05-02T00:00:00.000+0000"),
            ]
        )
        ids = running.names("SELECT Id FROM Account ORDER BY Name", "Id")
        running.create("Contact", LastName="A1", AccountId=ids[0], Email="a1@example.com")
        running.create("Contact", LastName="A2", AccountId=ids[0])
        running.create("Contact", LastName="B1", AccountId=ids[1])
        for number, (amount, won) in enumerate(((10, 1), (20, 1), (30, 0), (40, 0))):
            running.create(
                "Opportunity",
                Name=f"Deal {number}",
                StageName="Closed Won" if won else "Prospecting",
                CloseDate=f"2026-0{number + 1}-15",
                AccountId=ids[number % 2],
                Amount=amount,
            )
        yield running


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Name = 'ADA'", ["Ada"]),
        ("Name != 'Ada'", ["bob", "Carol", "dave", "Eve"]),
        ("Type != 'Other'", ["Ada", "Carol", "Eve"]),  # null is not Other either
        ("NOT Type = 'Other'", ["Ada", "Carol", "Eve"]),
        ("Type = null", ["Carol"]),
        ("Type != NULL", ["Ada", "bob", "dave", "Eve"]),
        ("Type IN ('Prospect', 'Other')", ["Ada", "bob", "dave", "Eve"]),
        ("Type NOT IN ('Prospect')", ["bob", "Carol", "dave"]),
        ("Name LIKE '_a%'", ["Carol", "dave"]),
        ("(NOT Name LIKE '%a%') AND Type = 'Other'", ["bob"]),
        ("BillingCity = 'O\\'Fallon'", ["bob"]),
        ("Website LIKE '50\\%\\_%'", ["Carol"]),
        ("Website LIKE '50\\_%'", []),
        ("Website = '50%_off\\\\x'", ["Carol"]),
        ("AnnualRevenue >= 20", ["Ada", "bob"]),
        ("AnnualRevenue < 20.5 AND AnnualRevenue > 3", ["bob"]),
        ("Name = 'Ada' OR Name = 'Eve'", ["Ada", "Eve"]),
        ("(Name = 'Ada' OR Name = 'Eve') AND Type = 'Prospect'", ["Ada", "Eve"]),
        ("SystemModstamp > 2026-05-01T07:25:37Z", ["Eve"]),
        ("SystemModstamp = 2026-05-01T09:25:37+02:00", ["Ada", "bob", "Carol", "dave"]),
        ("SystemModstamp >= 2026-05-01T07:25:37.5Z", ["Eve"]),
        ("SystemModstamp < 2026-05-01T07:25:37.500000Z", ["Ada", "bob", "Carol", "dave"]),
        ("CurrencyIsoCode = 'EUR'", ["dave"]),
        ("IsDeleted = false AND Owner.Name = 'integration user'", list(NAMES)),
        ("Id = '001dM00003jU9Ga'", ["Ada"]),
        ("Id IN (SELECT AccountId FROM Contact)", ["Ada", "bob"]),
        ("Id NOT IN (SELECT AccountId FROM Contact WHERE Email = null)", ["Carol", "dave", "Eve"]),
        ("Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true AND Amount > 15)", ["bob"]),
        ("SystemModstamp = LAST_WEEK", list(NAMES)),  # 26 April to 2 May: weeks open on Sunday
        ("SystemModstamp = THIS_WEEK", []),
        ("SystemModstamp = LAST_N_DAYS:4", ["Eve"]),  # since 2 May 0:00
        ("SystemModstamp < LAST_N_DAYS:4", ["Ada", "bob", "Carol", "dave"]),
    ],
)  # fmt: skip
def test_where(org: Stage, where: str, expected: list[str]) -> None:
    found = org.query(f"SELECT Name FROM Account WHERE {where} ORDER BY Name")
    assert [record["Name"] for record in found["records"]] == expected
    assert found["totalSize"] == len(expected)


def test_order_limit_and_offset(org: Stage) -> None:
    by_type = "SELECT Name FROM Account ORDER BY Type, Name DESC"
    assert org.names(by_type) == ["Carol", "dave", "bob", "Eve", "Ada"]
    last = "SELECT Name FROM Account ORDER BY Type DESC NULLS LAST, Name LIMIT 2 OFFSET 3"
    assert org.names(last) == ["dave", "Carol"]
    assert org.query("SELECT Id FROM Account LIMIT 2")["totalSize"] == 2


def test_numbers_sort_as_numbers(org: Stage) -> None:
    wanted = "SELECT AnnualRevenue FROM Account WHERE AnnualRevenue != null ORDER BY AnnualRevenue"
    assert org.names(wanted, "AnnualRevenue") == [3, 20, 100]


def test_parents_are_nested_records_and_null_where_there_is_none(org: Stage) -> None:
    found = org.query("SELECT Name, Parent.Name, Owner.Profile.Name FROM Account LIMIT 1")
    assert found[0]["errorCode"] == "INVALID_FIELD"  # Profile isn't an object here
    record = org.query("SELECT LastName, Account.Name, Account.Parent.Name FROM Contact LIMIT 1")
    shown = record["records"][0]
    assert shown["Account"]["attributes"]["type"] == "Account"
    assert shown["Account"]["Name"] == "Ada" and shown["Account"]["Parent"] is None


def test_children_come_as_a_result_of_their_own(org: Stage) -> None:
    found = org.query(
        "SELECT Name, (SELECT LastName FROM Contacts WHERE Email != null), "
        "(SELECT Name, Amount FROM Opportunities ORDER BY Amount DESC LIMIT 1) "
        "FROM Account WHERE Name IN ('Ada', 'Carol') ORDER BY Name"
    )
    ada, carol = found["records"]
    assert ada["Contacts"]["totalSize"] == 1 and ada["Contacts"]["done"] is True
    assert ada["Contacts"]["records"][0]["LastName"] == "A1"
    assert [each["Name"] for each in ada["Opportunities"]["records"]] == ["Deal 2"]
    assert carol["Contacts"] is None and carol["Opportunities"] is None


def test_counts_and_groups(org: Stage) -> None:
    assert org.query("SELECT COUNT() FROM Account") == {
        "totalSize": 5,
        "done": True,
        "records": [],
    }
    assert org.query("SELECT COUNT(Id) FROM Account WHERE Type = null")["records"] == [
        {"attributes": {"type": "AggregateResult"}, "expr0": 1}
    ]
    grouped = org.query(
        "SELECT StageName, COUNT(Id) deals, SUM(Amount), AVG(Amount) mean, MAX(CloseDate) "
        "FROM Opportunity GROUP BY StageName ORDER BY StageName"
    )["records"]
    assert [
        (each["StageName"], each["deals"], each["expr0"], each["mean"], each["expr1"])
        for each in grouped
    ] == [("Closed Won", 2, 30, 15, "2026-02-15"), ("Prospecting", 2, 70, 35, "2026-04-15")]
    rich = "SELECT AccountId FROM Opportunity GROUP BY AccountId HAVING SUM(Amount) > 50"
    assert len(org.query(rich)["records"]) == 1
    months = (
        "SELECT CALENDAR_MONTH(CloseDate) m, COUNT(Id) FROM Opportunity "
        "GROUP BY CALENDAR_MONTH(CloseDate) ORDER BY CALENDAR_MONTH(CloseDate)"
    )
    assert org.names(months, "m") == [1, 2, 3, 4]


def test_fields_standard_and_all(org: Stage) -> None:
    standard = org.query("SELECT FIELDS(STANDARD) FROM Account LIMIT 1")["records"][0]
    assert "BillingAddress" in standard and "TieOut_Id__c" not in standard
    everything = org.query("SELECT FIELDS(ALL) FROM Account LIMIT 200")["records"][0]
    assert "TieOut_Id__c" in everything
    unbounded = org.call("GET", "/query", params={"q": "SELECT FIELDS(ALL) FROM Account"})
    assert org.refused(unbounded) == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported."),
        ("SELECT Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'"),
        ("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT Foo.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Foo'"),
        ("SELECT Id, (SELECT Id FROM Foos) FROM Account", "INVALID_TYPE", "relationship 'Foos'"),
        ("SELECT * FROM Account", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("SELECT Id Account", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE Name = '\\q'", "MALFORMED_QUERY", "escape sequence"),
        ("SELECT Id FROM Account WHERE Id='x' OR Id='y' AND Id='z'", "MALFORMED_QUERY", "AND"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD",
         "must be of type dateTime and should not be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "dateTime"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR",
         "invalid ID field: abc"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD",
         "field 'Description' can not be filtered in a query call"),
        ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "id"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("", "MALFORMED_QUERY", "empty"),
    ],
)  # fmt: skip
def test_refusals(org: Stage, soql: str, code: str, words: str) -> None:
    answer = org.call("GET", "/query", params={"q": soql})
    assert org.refused(answer) == (400, code)
    assert words in answer.json()[0]["message"]


def test_the_place_of_an_unknown_column_is_shown(org: Stage) -> None:
    answer = org.query("SELECT Id, Foo FROM Account")
    lines = answer[0]["message"].split("\n")
    assert lines[1:4] == ["SELECT Id, Foo FROM Account", " " * 11 + "^", "ERROR at Row:1:Column:12"]


def test_pages_follow_a_locator_that_dies_after_two_days() -> None:
    with stage(page_size=2) as org:
        for number in range(5):
            org.create("Account", Name=f"A{number}")
        first = org.query("SELECT Name FROM Account ORDER BY Name DESC")
        assert first["totalSize"] == 5 and first["done"] is False
        assert [one["Name"] for one in first["records"]] == ["A4", "A3"]
        middle = org.call("GET", first["nextRecordsUrl"]).json()
        last = org.call("GET", middle["nextRecordsUrl"]).json()
        assert [one["Name"] for one in last["records"]] == ["A0"]
        assert last["done"] is True and "nextRecordsUrl" not in last
        org.clock.move(timedelta(days=2, seconds=1).total_seconds())
        org.log_in()
        lost = org.call("GET", first["nextRecordsUrl"])
        assert org.refused(lost) == (400, "INVALID_QUERY_LOCATOR")
        unknown = org.call("GET", "/query/0r8xx5R2yF2gs3VASQ-2000")
        assert org.refused(unknown) == (400, "INVALID_QUERY_LOCATOR")


def test_a_record_deleted_while_paging_is_missing_on_its_page() -> None:
    with stage(page_size=2) as org:
        ids = [org.create("Account", Name=f"A{number}") for number in range(3)]
        first = org.query("SELECT Name FROM Account ORDER BY Name")
        org.call("DELETE", f"/sobjects/Account/{ids[2]}")
        assert org.call("GET", first["nextRecordsUrl"]).json()["records"] == []


def test_the_batch_size_is_a_hint_between_200_and_2000() -> None:
    with stage() as org:
        org.stand_in.load(
            ("Account", {"Id": org.stand_in.ids.make("001"), "Name": "x"}) for _ in range(2300)
        )

        def size(wish: str) -> int:
            answer = org.call(
                "GET",
                "/query",
                params={"q": "SELECT Id FROM Account"},
                headers={"Sforce-Query-Options": wish},
            )
            return len(answer.json()["records"])

        assert [size(wish) for wish in ("batchSize=500", "batchSize=3", "batchSize=9000", "")] == [
            500,
            200,
            2000,
            2000,
        ]


def test_doubles_are_written_as_java_writes_them() -> None:
    with stage() as org:
        revenue = [0, 5, 139000000, Decimal("-0.5")]
        ids = [org.create("Opportunity", Name="x", StageName="Prospecting", CloseDate="2026-01-01")]
        texts = []
        for amount in revenue:
            org.call("PATCH", f"/sobjects/Opportunity/{ids[0]}", json={"Amount": str(amount)})
            answer = org.call("GET", f"/sobjects/Opportunity/{ids[0]}", params={"fields": "Amount"})
            texts.append(answer.text.partition('"Amount":')[2].partition(",")[0])
        assert texts == ["0.0", "5.0", "1.39E8", "-0.5"]


def test_a_single_currency_org_has_no_currency_field() -> None:
    with stage(multi_currency=False, currency="EUR") as org:
        org.create("Account", Name="Ada")
        asked = org.call("GET", "/query", params={"q": "SELECT CurrencyIsoCode FROM Account"})
        assert org.refused(asked) == (400, "INVALID_FIELD")
        types = {one["name"] for one in org.call("GET", "/sobjects").json()["sobjects"]}
        assert "CurrencyType" not in types and "Account" in types


def test_a_keyset_loop_reads_every_record_once() -> None:
    with stage() as org:
        org.stand_in.load(
            account_like(org, number, f"2026-05-0{1 + number % 3}T00:00:00.000+0000")
            for number in range(25)
        )
        seen: list[str] = []
        where = "SystemModstamp > 2026-01-01T00:00:00Z"
        while True:
            page = org.query(
                f"SELECT Id, SystemModstamp FROM Account WHERE {where} "
                "ORDER BY SystemModstamp ASC, Id ASC LIMIT 4"
            )["records"]
            if not page:
                break
            seen += [one["Id"] for one in page]
            last = datetime.fromisoformat(page[-1]["SystemModstamp"]).astimezone(UTC)
            at = last.strftime("%Y-%m-%dT%H:%M:%SZ")
            where = f"(SystemModstamp = {at} AND Id > '{seen[-1]}') OR SystemModstamp > {at}"
        assert len(seen) == len(set(seen)) == 25


def account_like(org: Stage, number: int, at: str) -> tuple[str, dict[str, Any]]:
    id = org.stand_in.ids.make("001")
    return "Account", {"Id": id, "Name": f"A{number}", "SystemModstamp": at}


def test_several_currencies_meet_in_the_corporate_one() -> None:
    with stage() as org:
        rate = {"IsoCode": "EUR", "ConversionRate": "0.8", "IsActive": True}
        org.stand_in.store.db.execute("DELETE FROM CurrencyType WHERE IsoCode = 'EUR'")
        org.stand_in.load([("CurrencyType", {"Id": org.stand_in.ids.make("01L"), **rate})])
        for amount, code in ((100, "USD"), (200, "EUR"), (9, "USD")):
            org.create(
                "Opportunity",
                Name=f"{amount}",
                StageName="Prospecting",
                CloseDate="2026-01-01",
                Amount=amount,
                CurrencyIsoCode=code,
            )
        total = org.query("SELECT SUM(Amount) total, MAX(Amount) most FROM Opportunity")
        assert total["records"][0]["total"] == 359  # 100 + 200 / 0.8 + 9
        assert total["records"][0]["most"] == 250
        shown = org.query("SELECT Amount FROM Opportunity ORDER BY Amount")
        assert [one["Amount"] for one in shown["records"]] == [9, 100, 200]
        shown = org.query("SELECT convertCurrency(Amount) FROM Opportunity ORDER BY Amount")
        assert [one["Amount"] for one in shown["records"]] == [9, 100, 250]
        assert org.names("SELECT Name FROM Opportunity WHERE Amount >= EUR80 ORDER BY Name") == [
            "100",
            "200",
        ]
        rich = "SELECT Name FROM Opportunity GROUP BY Name HAVING SUM(Amount) > 10 ORDER BY Name"
        assert org.names(rich) == ["100", "200"]


def test_case_is_no_difference_in_any_script() -> None:
    with stage() as org:
        for name in ("Évreux", "ΕΛΛΑΣ", "Łódź"):
            org.create("Account", Name=name)
        assert org.names("SELECT Name FROM Account WHERE Name = 'ÉVREUX'") == ["Évreux"]
        assert org.names("SELECT Name FROM Account WHERE Name LIKE 'łÓ%'") == ["Łódź"]
        both = "SELECT Name FROM Account WHERE Name IN ('ελλας', 'évreux') ORDER BY Name"
        assert sorted(org.names(both)) == ["Évreux", "ΕΛΛΑΣ"]
        assert org.names("SELECT Name FROM Account WHERE Name != 'évreux'") == ["ΕΛΛΑΣ", "Łódź"]


def test_a_longer_address_than_sixteen_kilobytes_is_refused(org: Stage) -> None:
    soql = f"SELECT Id FROM Account WHERE Name = '{'x' * 17_000}'"
    assert org.call("GET", "/query", params={"q": soql}).status_code == 414
