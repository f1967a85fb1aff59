"""Opportunities, contracts, orders and prices: what Salesforce works out and what it forbids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from salesforce_stage import Stage, stage


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        yield running


def price(org: Stage, unit: str = "50", **more: Any) -> tuple[str, str]:
    """(standard price book, entry) of a new product."""
    book = str(org.names("SELECT Id FROM Pricebook2 WHERE IsStandard = true", "Id")[0])
    product = org.create("Product2", Name="Seat", ProductCode="S-1", IsActive=True)
    fields = {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": unit, "IsActive": True}
    return book, org.create("PricebookEntry", **fields | more)


def draft_order(org: Stage, book: str, **more: Any) -> str:
    account = org.create("Account", Name="Ada")
    fields = {"AccountId": account, "EffectiveDate": "2026-05-01", "Status": "Draft"}
    return org.create("Order", Pricebook2Id=book, **fields | more)


def code(org: Stage, method: str, path: str, **body: Any) -> tuple[int, str]:
    return org.refused(org.call(method, path, json=body))


def test_the_stage_decides_won_and_closed(org: Stage) -> None:
    id = org.create(
        "Opportunity", Name="o", StageName="Qualification", CloseDate="2026-08-31", Amount=1000
    )
    deal = org.get("Opportunity", id)
    assert (deal["IsClosed"], deal["IsWon"], deal["Probability"]) == (False, False, 10)
    assert deal["ExpectedRevenue"] == 100  # 10 % of 1000
    assert (deal["FiscalYear"], deal["FiscalQuarter"], deal["Fiscal"]) == (2026, 3, "2026 3")
    org.call("PATCH", f"/sobjects/Opportunity/{id}", json={"StageName": "Closed Won"})
    won = org.get("Opportunity", id)
    assert (won["IsClosed"], won["IsWon"], won["Probability"]) == (True, True, 100)
    assert won["ForecastCategoryName"] == "Closed"


def test_lines_make_the_amount_and_a_new_one_is_ignored(org: Stage) -> None:
    book, entry = price(org)
    deal = org.create("Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-08-31")
    line = org.create(
        "OpportunityLineItem", OpportunityId=deal, PricebookEntryId=entry, Quantity=3, UnitPrice=40
    )
    assert org.get("OpportunityLineItem", line)["TotalPrice"] == 120
    assert org.get("OpportunityLineItem", line)["ListPrice"] == 50
    shown = org.get("Opportunity", deal)
    assert (shown["Amount"], shown["HasOpportunityLineItem"]) == (120, True)
    assert shown["Pricebook2Id"] == book
    assert org.call("PATCH", f"/sobjects/Opportunity/{deal}", json={"Amount": 1}).status_code == 204
    assert org.get("Opportunity", deal)["Amount"] == 120
    org.call("PATCH", f"/sobjects/OpportunityLineItem/{line}", json={"Discount": 25})
    assert org.get("Opportunity", deal)["Amount"] == 90
    both = {"OpportunityId": deal, "PricebookEntryId": entry, "Quantity": 1}
    both |= {"UnitPrice": 1, "TotalPrice": 1}
    assert code(org, "POST", "/sobjects/OpportunityLineItem", **both) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
    )
    org.call("DELETE", f"/sobjects/OpportunityLineItem/{line}")
    assert org.get("Opportunity", deal)["HasOpportunityLineItem"] is False


def test_a_line_must_be_of_the_same_currency(org: Stage) -> None:
    _, entry = price(org)
    deal = org.create(
        "Opportunity",
        Name="o",
        StageName="Prospecting",
        CloseDate="2026-08-31",
        CurrencyIsoCode="EUR",
    )
    line = {"OpportunityId": deal, "PricebookEntryId": entry, "Quantity": 1, "UnitPrice": 1}
    assert code(org, "POST", "/sobjects/OpportunityLineItem", **line) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
    )


def test_the_standard_price_comes_first_and_each_price_once(org: Stage) -> None:
    product = org.create("Product2", Name="Seat")
    assert org.get("Product2", product)["IsActive"] is False
    own = org.create("Pricebook2", Name="Partners", IsActive=True)
    entry = {"Pricebook2Id": own, "Product2Id": product, "UnitPrice": 9}
    assert code(org, "POST", "/sobjects/PricebookEntry", **entry) == (
        400,
        "STANDARD_PRICE_NOT_DEFINED",
    )
    book = org.names("SELECT Id FROM Pricebook2 WHERE IsStandard = true", "Id")[0]
    standard = org.create("PricebookEntry", **entry | {"Pricebook2Id": book})
    assert code(org, "POST", "/sobjects/PricebookEntry", **entry | {"Pricebook2Id": book}) == (
        400,
        "DUPLICATE_VALUE",
    )
    euros = entry | {"CurrencyIsoCode": "EUR"}
    assert code(org, "POST", "/sobjects/PricebookEntry", **euros) == (
        400,
        "STANDARD_PRICE_NOT_DEFINED",
    )
    follows = org.create(
        "PricebookEntry", Pricebook2Id=own, Product2Id=product, UseStandardPrice=True
    )
    assert org.get("PricebookEntry", follows)["UnitPrice"] == 9
    org.call("PATCH", f"/sobjects/PricebookEntry/{standard}", json={"UnitPrice": 11})
    assert org.get("PricebookEntry", follows)["UnitPrice"] == 11
    assert org.get("PricebookEntry", follows)["Name"] == "Seat"


def test_a_contract_is_a_draft_first_and_stays_activated(org: Stage) -> None:
    account = org.create("Account", Name="Ada")
    fields = {"AccountId": account, "StartDate": "2026-01-31", "ContractTerm": 1}
    assert code(org, "POST", "/sobjects/Contract", Status="Activated", **fields) == (
        400,
        "FAILED_ACTIVATION",
    )
    id = org.create("Contract", **fields)
    shown = org.get("Contract", id)
    assert (shown["Status"], shown["StatusCode"]) == ("Draft", "Draft")
    assert shown["EndDate"] == "2026-02-27"  # a month from 31 January ends before 28 February
    assert shown["ContractNumber"] == "00000100"
    org.call("PATCH", f"/sobjects/Contract/{id}", json={"Status": "Activated"})
    active = org.get("Contract", id)
    assert active["StatusCode"] == "Activated"
    assert active["ActivatedDate"] == "2026-05-06T12:00:00.000+0000"
    assert code(org, "PATCH", f"/sobjects/Contract/{id}", Status="Draft")[0] == 400
    assert org.call("DELETE", f"/sobjects/Contract/{id}").status_code == 400


def test_an_order_needs_products_before_it_is_activated(org: Stage) -> None:
    book, entry = price(org)
    id = draft_order(org, book)
    path = f"/sobjects/Order/{id}"
    empty = org.call("PATCH", path, json={"Status": "Activated"})
    assert empty.json()[0]["message"] == "An order must have at least one product."
    assert org.refused(empty) == (400, "FAILED_ACTIVATION")
    item = {"OrderId": id, "PricebookEntryId": entry, "Quantity": 2, "UnitPrice": "12.50"}
    item_id = org.create("OrderItem", **item)
    assert org.get("Order", id)["TotalAmount"] == 25
    assert org.get("OrderItem", item_id)["AvailableQuantity"] == 2
    fixed = code(org, "PATCH", f"/sobjects/OrderItem/{item_id}", PricebookEntryId=entry)
    assert fixed == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert org.call("PATCH", path, json={"Status": "Activated"}).status_code == 204
    assert code(org, "POST", "/sobjects/OrderItem", **item) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert org.call("DELETE", f"/sobjects/OrderItem/{item_id}").status_code == 400
    assert org.call("DELETE", path).status_code == 400
    assert code(org, "PATCH", path, Pricebook2Id=None) == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_a_reduction_order_takes_from_the_original(org: Stage) -> None:
    book, entry = price(org)
    id = draft_order(org, book)
    item = org.create("OrderItem", OrderId=id, PricebookEntryId=entry, Quantity=5, UnitPrice=10)
    account = org.get("Order", id)["AccountId"]
    reduction = {"AccountId": account, "EffectiveDate": "2026-05-02", "Status": "Draft"}
    reduction |= {"IsReductionOrder": True, "OriginalOrderId": id, "Pricebook2Id": book}
    assert code(org, "POST", "/sobjects/Order", **reduction)[0] == 400  # still a draft
    org.call("PATCH", f"/sobjects/Order/{id}", json={"Status": "Activated"})
    back = org.create("Order", **reduction)
    org.create(
        "OrderItem",
        OrderId=back,
        PricebookEntryId=entry,
        Quantity=2,
        UnitPrice=10,
        OriginalOrderItemId=item,
    )
    org.call("PATCH", f"/sobjects/Order/{back}", json={"Status": "Activated"})
    assert org.get("OrderItem", item)["AvailableQuantity"] == 3


def test_an_order_starts_within_its_contract(org: Stage) -> None:
    account = org.create("Account", Name="Ada")
    contract = org.create("Contract", AccountId=account, StartDate="2026-01-01", ContractTerm=2)
    fields = {"ContractId": contract, "Status": "Draft", "EffectiveDate": "2026-03-01"}
    answer = org.call("POST", "/sobjects/Order", json=fields)
    assert answer.json()[0] == {
        "message": "Order Start Date can't be later than its contract's end date.: "
        "Order Start Date",
        "errorCode": "FIELD_INTEGRITY_EXCEPTION",
        "fields": ["EffectiveDate"],
    }
    id = org.create("Order", **fields | {"EffectiveDate": "2026-02-28"})
    assert org.get("Order", id)["AccountId"] == account
