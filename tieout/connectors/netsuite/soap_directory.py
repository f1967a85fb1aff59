"""Small tables of the account over SOAP, under the names that SuiteQL gives them."""

from __future__ import annotations

from functools import cached_property

from tieout.core.errors import AuthError, ConfigError, InvalidRecord

from .soap_client import SoapClient
from .soap_errors import refuse
from .soap_reading import Searches
from .soap_records import Record, plain, ref_id
from .suiteql import Row
from .writing import Directory

# SOAP's words for types of accounts that writing chooses by.
_ACCOUNT_TYPES = {
    "_bank": "Bank", "_income": "Income", "_accountsReceivable": "AcctRec",
    "_otherCurrentAsset": "OthCurrAsset", "_otherCurrentLiability": "OthCurrLiab",
    "_expense": "Expense",
}  # fmt: skip


class SoapDirectory(Directory):
    """Read when first needed."""

    def __init__(self, client: SoapClient, page_size: int, *, where: str) -> None:
        self._client, self._where = client, where
        self._searches = Searches(client, page_size)
        self._terms: dict[str, str | None] = {}
        self._customers: dict[str, bool] = {}

    @cached_property
    def currency_rows(self) -> list[Record]:
        """The account's currencies. ConfigError where the role may not see them."""
        wanted = self._client.make("GetAllRecord", recordType="currency")
        result = self._client.read("getAll", wanted).getAllResult
        try:
            refuse(result.status)
        except (InvalidRecord, AuthError) as error:
            raise self._denied("currencies", error.message, "Lists > Currency") from None
        held = result.recordList.record if result.recordList else []
        return [plain(each) for each in held or ()]

    @cached_property
    def currencies(self) -> dict[str, str]:
        rows = [row for row in self.currency_rows if "symbol" in row]
        return {str(row["symbol"]).upper(): str(row["internalId"]) for row in reversed(rows)}

    @cached_property
    def codes(self) -> dict[str, str]:
        """Internal id or name -> ISO code."""
        found: dict[str, str] = {}
        for row in self.currency_rows:
            if "symbol" in row:
                found[str(row.get("name", ""))] = found[str(row["internalId"])] = row["symbol"]
        return found

    @cached_property
    def subsidiaries(self) -> dict[str, str] | None:
        try:
            rows = self._all("SubsidiarySearch")
        except (InvalidRecord, ConfigError):
            return None
        living = [row for row in rows if not (row.get("isInactive") or row.get("isElimination"))]
        return {str(row["internalId"]): str(row.get("name", "")) for row in living} or None

    @cached_property
    def all_accounts(self) -> dict[str, Row]:
        """Internal id -> number and full name, also of inactive ones."""
        try:
            rows = {str(row["internalId"]): row for row in self._all("AccountSearch")}
        except (InvalidRecord, ConfigError) as error:
            raise self._denied("accounts", error.message, "Lists > Accounts") from None
        return {id: _account(row, rows) for id, row in rows.items()}

    @cached_property
    def accounts(self) -> list[Row]:
        return [row for row in self.all_accounts.values() if row["inactive"] == "F"]

    def item_type(self, id: str) -> str | None:
        make = self._client.make
        wanted = make("SearchMultiSelectField", operator="anyOf",
                      searchValue=[make("RecordRef", internalId=id)])  # fmt: skip
        basic = make("ItemSearchBasic", internalId=wanted)
        found = self._searches.find(make("ItemSearch", basic=basic), whole=False).records
        return None if not found else found[0]["recordType"][0].lower() + found[0]["recordType"][1:]

    def days_of(self, terms: str) -> str | None:
        """The days of payment terms; None where they have none, or the role may not see them."""
        if terms not in self._terms:
            wanted = self._client.make("RecordRef", internalId=terms, type="term")
            response = self._client.read("get", wanted).readResponse
            try:
                refuse(response.status)
                days = plain(response.record).get("daysUntilNetDue")
            except (InvalidRecord, AuthError):
                days = None
            self._terms[terms] = None if days is None else str(days)
        return self._terms[terms]

    def customers_among(self, ids: set[str]) -> set[str]:
        """Which of these entities are customers: SOAP's references don't say it."""
        new = sorted(ids - self._customers.keys())
        make = self._client.make
        for first in range(0, len(new), 500):
            part = new[first : first + 500]
            values = [make("RecordRef", internalId=id) for id in part]
            wanted = make("SearchMultiSelectField", operator="anyOf", searchValue=values)
            search = make("CustomerSearch", basic=make("CustomerSearchBasic", internalId=wanted))
            found = self._searches.find(search, whole=False, page_size=1000).records
            known = {str(row["internalId"]) for row in found}
            self._customers |= {id: id in known for id in part}
        return {id for id in ids if self._customers[id]}

    def _all(self, search: str) -> list[Record]:
        basic = self._client.make(f"{search}Basic")
        return list(self._searches.every(self._client.make(search, basic=basic)))

    def _denied(self, what: str, told: str, permission: str) -> ConfigError:
        return ConfigError(
            f"NetSuite does not show its {what}: {told}",
            where=self._where,
            hint=f"give the role {permission}",
        )


def _account(row: Record, rows: dict[str, Record]) -> Row:
    names: list[str] = []
    at: Record | None = row
    while at is not None and len(names) < 10:
        names.insert(0, str(at.get("acctName", "")))
        at = rows.get(ref_id(at, "parent"))
    kind = str(row.get("acctType", ""))
    found = {
        "id": str(row["internalId"]),
        "fullname": " : ".join(names),
        "accttype": _ACCOUNT_TYPES.get(kind, kind),
        "inactive": "T" if row.get("isInactive") else "F",
    }
    return found | ({"acctnumber": str(row["acctNumber"])} if row.get("acctNumber") else {})
