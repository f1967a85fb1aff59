"""Accounts, contacts, opportunities and their lines: what Salesforce works out itself.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitylineitem.htm
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .errors import Refusal, integrity
from .saving import Org
from .standard import STAGES
from .store import Row

_CENT = Decimal("0.01")


class NoRules:
    """A type of record without rules of its own; the base of those that have some."""

    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None: ...

    def after(self, org: Org, old: Row | None, new: Row) -> None: ...

    def deleting(self, org: Org, old: Row) -> None: ...

    def deleted(self, org: Org, old: Row) -> None: ...


class AccountRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        new["PhotoUrl"] = f"/services/images/photo/{new['Id']}"
        if new.get("ParentId") == new["Id"]:
            raise Refusal(
                "CIRCULAR_DEPENDENCY", "attempt to make an account its own parent", ["ParentId"]
            )

    def deleting(self, org: Org, old: Row) -> None:
        """An account with won business, or a contract or order in force, stays."""
        for name, column, value, what in (
            ("Opportunity", "IsWon", True, "opportunities that are closed won"),
            ("Contract", "StatusCode", "Activated", "activated contracts"),
            ("Order", "StatusCode", "Activated", "activated orders"),
        ):
            type = org.store.objects[name]
            rows = org.store.rows_where(type, "AccountId", old["Id"])
            if any(row[column] == value for row in rows):
                raise Refusal(
                    "DELETE_FAILED",
                    f"Your attempt to delete {old['Name']} could not be completed because it is "
                    f"associated with {what}.",
                    [],
                )


class PersonRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        new["Name"] = full_name(new)


def full_name(row: Row) -> str:
    return " ".join(str(row[name]) for name in ("FirstName", "LastName") if row.get(name))


class OpportunityRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        if old is not None and old["HasOpportunityLineItem"]:
            new["Amount"] = old["Amount"]  # with lines, a new amount is ignored and not refused
            if new["Pricebook2Id"] != old["Pricebook2Id"]:
                raise integrity("Price Book ID: the opportunity has products", "Pricebook2Id")
            if new.get("CurrencyIsoCode") != old.get("CurrencyIsoCode"):
                raise integrity("Currency: the opportunity has products", "CurrencyIsoCode")
        moved = old is None or old["StageName"] != new["StageName"]
        set_stage(new, moved, given)
        if moved and old is not None:
            new["LastStageChangeDate"] = org.now
        set_amounts(new)


def set_stage(new: Row, moved: bool, given: set[str]) -> None:
    """What the stage implies: closed, won, probability, forecast."""
    known = {name.lower(): stage for name, stage in STAGES.items()}
    stage = known.get(str(new["StageName"]).lower(), (0, False, False, 0, "Pipeline"))
    _, closed, won, probability, forecast = stage
    if new.get("IsClosed") != closed or new.get("IsWon") != won or moved:
        new["IsClosed"], new["IsWon"] = closed, won
    if moved and ("Probability" not in given or new["Probability"] is None):
        new["Probability"] = Decimal(probability)
    if moved and "ForecastCategoryName" not in given:
        new["ForecastCategoryName"] = forecast
    name = str(new.get("ForecastCategoryName") or forecast)
    codes = {"Best Case": "BestCase", "Commit": "Forecast"}
    new["ForecastCategory"] = codes.get(name, name)


def set_amounts(new: Row) -> None:
    """Expected revenue and the fiscal period; the fiscal year is the calendar's."""
    amount, chance = new.get("Amount"), new.get("Probability")
    expected = None if amount is None or chance is None else amount * chance / 100
    new["ExpectedRevenue"] = None if expected is None else expected.quantize(_CENT, ROUND_HALF_UP)
    year, month = str(new["CloseDate"]).split("-")[:2]
    quarter = (int(month) + 2) // 3
    new["FiscalYear"], new["FiscalQuarter"] = int(year), quarter
    new["Fiscal"] = f"{year} {quarter}"


class OpportunityLineRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        deal = org.peek("Opportunity", new["OpportunityId"])
        assert deal is not None
        if old is None:
            self._entry(org, deal, new)
        self._price(old, new, given)
        if org.multi_currency:
            new["CurrencyIsoCode"] = deal["CurrencyIsoCode"]

    @staticmethod
    def _entry(org: Org, deal: Row, new: Row) -> None:
        if new.get("PricebookEntryId") is None:
            raise Refusal(
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [PricebookEntryId]",
                ["PricebookEntryId"],
            )
        entry = usable_entry(org, new["PricebookEntryId"])
        same_book(org, "Opportunity", deal, entry, "opportunity")
        if deal["Pricebook2Id"] is None:
            book = {"Pricebook2Id": entry["Pricebook2Id"]}
            org.touch(org.store.objects["Opportunity"], deal["Id"], book)
        new |= from_entry(org, entry)
        new["Name"] = f"{deal['Name']} {entry['Name']}"[:376]

    @staticmethod
    def _price(old: Row | None, new: Row, given: set[str]) -> None:
        if {"UnitPrice", "TotalPrice"} <= given and None not in (
            new["UnitPrice"],
            new["TotalPrice"],
        ):
            raise integrity(
                "field integrity exception: TotalPrice (only one of unit price or total price may "
                "be specified)",
                "TotalPrice",
            )
        if not new["Quantity"]:
            raise integrity("Quantity: quantity should be nonzero", "Quantity")
        left = (100 - (new["Discount"] or Decimal(0))) / 100
        if "TotalPrice" in given and new["TotalPrice"] is not None and left:
            new["UnitPrice"] = round2(new["TotalPrice"] / new["Quantity"] / left)
        elif new["UnitPrice"] is None:
            raise Refusal(
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [TotalPrice]",
                ["TotalPrice"],
            )
        else:
            new["TotalPrice"] = round2(new["Quantity"] * new["UnitPrice"] * left)

    def after(self, org: Org, old: Row | None, new: Row) -> None:
        roll_up_opportunity(org, new["OpportunityId"])

    def deleted(self, org: Org, old: Row) -> None:
        roll_up_opportunity(org, old["OpportunityId"])


def roll_up_opportunity(org: Org, id: str) -> None:
    deal = org.peek("Opportunity", id)
    if deal is None:
        return
    lines = org.store.rows_where(org.store.objects["OpportunityLineItem"], "OpportunityId", id)
    deal["HasOpportunityLineItem"] = bool(lines)
    if lines:
        deal["Amount"] = sum((line["TotalPrice"] for line in lines), Decimal(0))
        deal["TotalOpportunityQuantity"] = sum((line["Quantity"] for line in lines), Decimal(0))
    set_amounts(deal)
    names = (
        "HasOpportunityLineItem",
        "Amount",
        "TotalOpportunityQuantity",
        "ExpectedRevenue",
    )
    org.touch(org.store.objects["Opportunity"], id, {name: deal[name] for name in names})


def usable_entry(org: Org, id: str) -> Row:
    entry = org.peek("PricebookEntry", id)
    assert entry is not None
    if not entry["IsActive"]:
        raise integrity(
            "field integrity exception: PricebookEntryId (pricebook entry is inactive)",
            "PricebookEntryId",
        )
    return entry


def same_book(org: Org, type_name: str, owner: Row, entry: Row, what: str) -> None:
    """Lines come from their document's price book, in its currency."""
    if owner["Pricebook2Id"] not in (None, entry["Pricebook2Id"]):
        raise integrity(
            "field integrity exception: PricebookEntryId (pricebook entry is in a different "
            f"pricebook than the one assigned to the {what})",
            "PricebookEntryId",
        )
    if org.multi_currency and owner["CurrencyIsoCode"] != entry["CurrencyIsoCode"]:
        raise integrity(
            "field integrity exception: PricebookEntryId (The pricebook entry currency code does "
            f"not match the {what} currency code)",
            "PricebookEntryId",
        )


def from_entry(org: Org, entry: Row) -> dict[str, Any]:
    return {
        "Product2Id": entry["Product2Id"],
        "ProductCode": entry["ProductCode"],
        "ListPrice": entry["UnitPrice"],
    }


def round2(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
