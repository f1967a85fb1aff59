"""Products and price books: the standard price comes first, one price a product and currency.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_pricebookentry.htm
"""

from __future__ import annotations

from .errors import Refusal, integrity
from .rules_sales import NoRules
from .saving import Org
from .store import Row


class ProductRules(NoRules):
    def after(self, org: Org, old: Row | None, new: Row) -> None:
        """Price book entries carry the product's name and code."""
        if old is None or (old["Name"], old["ProductCode"]) == (new["Name"], new["ProductCode"]):
            return
        entries = org.store.objects["PricebookEntry"]
        for row in org.store.rows_where(entries, "Product2Id", new["Id"]):
            shown = {"Name": new["Name"], "ProductCode": new["ProductCode"]}
            org.store.update(entries, row["Id"], shown)

    def deleting(self, org: Org, old: Row) -> None:
        for name in ("OpportunityLineItem", "OrderItem"):
            if org.store.rows_where(org.store.objects[name], "Product2Id", old["Id"], limit=1):
                raise Refusal(
                    "DELETE_FAILED",
                    f"Your attempt to delete {old['Name']} could not be completed because it is "
                    "used by opportunities or orders.",
                    [],
                )


class PricebookEntryRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        product = org.peek("Product2", new["Product2Id"])
        book = org.peek("Pricebook2", new["Pricebook2Id"])
        assert product is not None and book is not None
        new["Name"], new["ProductCode"] = product["Name"], product["ProductCode"]
        twins = [
            row
            for row in org.store.rows_where(
                org.store.objects["PricebookEntry"], "Product2Id", product["Id"]
            )
            if row["Id"] != new["Id"] and row.get("CurrencyIsoCode") == new.get("CurrencyIsoCode")
        ]
        if any(row["Pricebook2Id"] == book["Id"] for row in twins):
            raise Refusal(
                "DUPLICATE_VALUE", "This price definition already exists in this price book", []
            )
        standard = next((row for row in twins if _is_standard(org, row["Pricebook2Id"])), None)
        self._against_standard(book, standard, old, new, given)

    @staticmethod
    def _against_standard(
        book: Row, standard: Row | None, old: Row | None, new: Row, given: set[str]
    ) -> None:
        if book["IsStandard"]:
            if new["UseStandardPrice"]:
                raise integrity(
                    "Use Standard Price: a standard price can't use the standard price",
                    "UseStandardPrice",
                )
        elif standard is None:
            raise Refusal(
                "STANDARD_PRICE_NOT_DEFINED",
                "Before creating a custom price, create a standard price.",
                [],
            )
        elif new["UseStandardPrice"]:
            if "UnitPrice" in given and new["UnitPrice"] not in (None, standard["UnitPrice"]):
                raise integrity(
                    "field integrity exception: UnitPrice, UseStandardPrice (UnitPrice must be "
                    "the standard price)",
                    "UnitPrice",
                )
            new["UnitPrice"] = standard["UnitPrice"]
        if new["UnitPrice"] is None:
            raise Refusal(
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [UnitPrice]",
                ["UnitPrice"],
            )

    def after(self, org: Org, old: Row | None, new: Row) -> None:
        """A new standard price reaches the entries that follow it."""
        if old is None or old["UnitPrice"] == new["UnitPrice"]:
            return
        if not _is_standard(org, new["Pricebook2Id"]):
            return
        entries = org.store.objects["PricebookEntry"]
        for row in org.store.rows_where(entries, "Product2Id", new["Product2Id"]):
            same = row.get("CurrencyIsoCode") == new.get("CurrencyIsoCode")
            if row["UseStandardPrice"] and same:
                org.touch(entries, row["Id"], {"UnitPrice": new["UnitPrice"]})


def _is_standard(org: Org, book: str) -> bool:
    row = org.peek("Pricebook2", book)
    return row is not None and bool(row["IsStandard"])
