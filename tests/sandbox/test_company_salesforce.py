"""The company as Salesforce knows it: complete, consistent, and loadable into the stand-in."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from salesforce_stage import stage

from tieout.sandbox.company import Company, build_company
from tieout.sandbox.company.billing import Ledger
from tieout.sandbox.company.facts import Span
from tieout.sandbox.company.moments import DAY
from tieout.sandbox.company.salesforce_side import draw

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
Records = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(
        seed=1, size=60, now=NOW, billers=("stripe", "chargebee", "zuora"), crm=True
    )


def span() -> Span:
    now = int(NOW.timestamp())
    return Span(now - 730 * DAY, now, now - 14 * DAY)


def newcomer(company: Company) -> Ledger:
    """A client who signed up two days ago and whom nobody bills yet."""
    known = company.ledgers[3].client
    client = type(known)(**{name: getattr(known, name) for name in known.__slots__})
    client.index, client.account, client.created = 900, "", span().now - 2 * DAY
    return Ledger(client, company.catalog, span(), company.ledgers[3].rng)


@pytest.fixture(scope="module")
def typed(company: Company) -> list[tuple[str, dict[str, Any]]]:
    return draw(1, company.catalog, [*company.ledgers, newcomer(company)], span())


@pytest.fixture(scope="module")
def records(typed: list[tuple[str, dict[str, Any]]]) -> Records:
    found: Records = {}
    for name, record in typed:
        found.setdefault(name, []).append(record)
    return found


def test_every_client_has_an_account_with_its_biller(company: Company, records: Records) -> None:
    told = {(one["Billing_System__c"], one["Billing_Id__c"]) for one in records["Account"][:]}
    facts = {(ledger.client.biller, ledger.client.id) for ledger in company.ledgers}
    assert told - facts == {(newcomer(company).client.biller, None)}
    assert facts <= told
    assert {one["Id"] for one in records["Account"]} >= {
        ledger.client.account for ledger in company.ledgers
    }
    assert {system for system, _ in facts} == {"stripe", "chargebee", "zuora"}


def test_ids_are_unique_and_references_lead_somewhere(records: Records) -> None:
    ids = [one["Id"] for each in records.values() for one in each]
    assert max(Counter(ids).values()) == 1 and {len(id) for id in ids} == {18}
    known = set(ids)
    for each in records.values():
        for one in each:
            for name, value in one.items():
                if name.endswith("Id") and value is not None:
                    assert value in known, (name, value)


def test_each_subscription_is_a_won_deal_with_its_amount(
    company: Company, records: Records
) -> None:
    won = [one for one in records["Opportunity"] if one["IsWon"]]
    subscriptions = [one for ledger in company.ledgers for one in ledger.subscriptions]
    assert len(won) == len(subscriptions) + 1  # the newcomer's
    lines = Counter[str]()
    for line in records["OpportunityLineItem"]:
        assert line["TotalPrice"] == line["Quantity"] * line["UnitPrice"]
        lines[line["OpportunityId"]] += line["TotalPrice"]
    orders = Counter[str]()
    for item in records["OrderItem"]:
        orders[item["OrderId"]] += item["TotalPrice"]
    for deal in won:
        assert lines[deal["Id"]] == deal["Amount"] > 0
    for order in records["Order"]:
        assert orders[order["Id"]] == order["TotalAmount"]
    assert len(records["Contract"]) == len(records["Order"]) == len(won)
    assert any(not one["IsClosed"] for one in records["Opportunity"])
    assert any(one["StageName"] == "Closed Lost" for one in records["Opportunity"])


def test_amounts_have_no_more_places_than_their_currency(records: Records) -> None:
    places = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}
    for each in records.values():
        for one in each:
            for value in one.values():
                if isinstance(value, Decimal):
                    exponent = int(value.normalize().as_tuple().exponent)
                    assert -exponent <= places[one["CurrencyIsoCode"]]


def test_the_same_seed_draws_the_same_org(
    company: Company, typed: list[tuple[str, dict[str, Any]]]
) -> None:
    again = draw(1, company.catalog, [*company.ledgers, newcomer(company)], span())
    assert again == typed
    stamps = [one["CreatedDate"] for _, one in typed]
    assert stamps == sorted(stamps)


def test_the_stand_in_holds_it(typed: list[tuple[str, dict[str, Any]]], records: Records) -> None:
    with stage() as org:
        before = {
            name: {
                one["name"]
                for one in org.call("GET", f"/sobjects/{name}/describe").json()["fields"]
            }
            for name in records
        }
        org.stand_in.load(typed)
        for name, each in records.items():
            assert {key for one in each for key in one} <= before[name]
            shown = org.get(name, each[0]["Id"])
            assert {key: shown[key] for key in each[0]} == {
                key: float(value) if isinstance(value, Decimal) else value
                for key, value in each[0].items()
            }
        total = org.query("SELECT COUNT() FROM Account")["totalSize"]
        assert total == len(records["Account"])
        books = org.names("SELECT Name FROM Pricebook2 WHERE IsStandard = true")
        assert books == ["Standard Price Book"]
        id = records["Contract"][0]["Id"]
        account = org.get("Contract", id)["AccountId"]
        path = f"/sobjects/Account/{account}"
        assert org.call("PATCH", path, json={"TieOut_Id__c": "cus_1"}).status_code == 204
        owner = org.query(f"SELECT Owner.Name FROM Account WHERE Id = '{account}'")
        assert owner["records"][0]["Owner"]["Name"] in (
            "Morgan Hale",
            "Ines Duarte",
            "Tomasz Zielinski",
        )
