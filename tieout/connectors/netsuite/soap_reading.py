"""SOAP searches: windows of internal ids, read page by page, and what belongs to the records.

NetSuite keeps a search for 15 minutes under its searchId and carries it out anew for every page:
a pull that was killed goes on at its last page, or reads its window anew where the search is
gone; and where fewer records match than before, a page may have lost some to the one before it.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3523074.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord, ProviderDown

from .clock import OVERLAP_SURE
from .kinds import Kind
from .settings import NetSuiteConfig
from .soap_client import SoapClient
from .soap_errors import SearchRefused, refuse
from .soap_records import Record, plain
from .soap_resume import SoapResume

# The values of the criterion `type`.
WORDS = {
    "CustInvc": "_invoice", "CustPymt": "_customerPayment", "CustCred": "_creditMemo",
    "CustRfnd": "_customerRefund", "DepAppl": "_depositApplication", "Journal": "_journal",
    "Deposit": "_deposit",
}  # fmt: skip
_SEARCHES = {"customer": "CustomerSearch", "contact": "ContactSearch", "product": "ItemSearch",
             "price": "ItemSearch"}  # fmt: skip
# Lines of these kinds carry no product of their own.
_NO_PRODUCT_WORDS = ("_subtotal", "_description")
_NO_PRODUCTS = frozenset({"SubtotalItem", "DescriptionItem", "SalesTaxItem", "TaxGroup"})
IDS_A_SEARCH = 500
_REFUSED = "give the role the permission that it names, or report it with your WSDL's version"
_WIDTH, _WIDEST, _RESTARTS = 2000, 10**9, 3


@dataclass(frozen=True)
class Found:
    """One page of a search."""

    records: list[Record]
    total: int
    page: int
    pages: int
    search: str


class Searches:
    """Searches of any kind, as pages of records."""

    def __init__(self, client: SoapClient, page_size: int) -> None:
        self._client, self._page_size = client, page_size

    def find(self, search: Any, *, whole: bool = True, page_size: int = 0) -> Found:
        """The first page."""
        size = page_size or self._page_size
        answer = self._client.read("search", search, page_size=size, whole=whole)
        accept(answer.searchResult.status)
        return self._found(answer.searchResult, 1)

    def more(self, search: str, page: int) -> Found:
        """Another page of it. SearchRefused where NetSuite no longer knows it."""
        answer = self._client.read("searchMoreWithId", search, page, page_size=self._page_size)
        refuse(answer.searchResult.status)
        return self._found(answer.searchResult, page)

    def every(self, search: Any, *, whole: bool = True) -> Iterator[Record]:
        """All records, page by page; of later pages also their sublists."""
        found = self.find(search, whole=whole)
        while True:
            yield from found.records
            if found.page >= found.pages:
                return
            found = self.more(found.search, found.page + 1)

    def _found(self, result: Any, page: int) -> Found:
        held = (result.recordList.record if result.recordList else None) or []
        if any(each is None for each in held):
            raise ProviderDown("NetSuite's answer holds a record that cannot be read")
        # A transaction may match by several of its lines.
        records = {each["internalId"]: each for each in map(plain, held)}.values()
        kept = [each for each in records if each["recordType"] not in _NO_PRODUCTS]
        total, pages = int(result.totalRecords or 0), int(result.totalPages or 0)
        return Found(kept, total, page, pages, str(result.searchId or ""))


class SoapReading:
    """Searches of one entity."""

    def __init__(self, client: SoapClient, kind: Kind, settings: NetSuiteConfig) -> None:
        self.client, self.kind, self.settings = client, kind, settings
        self.searches = Searches(client, settings.page_size)

    # pages

    def all(self, start: SoapResume) -> Iterator[tuple[list[Record], SoapResume]]:
        """Everything, in windows of internal ids that hold a page or some."""
        at = start
        while True:
            total = 0
            for found, after in self._window(at):
                total = found.total
                if found.records:
                    yield found.records, after
            if not total and not self._beyond(at.high):
                return
            at = SoapResume(low=at.high + 1, high=at.high + self._width(at, total))

    def _width(self, at: SoapResume, total: int) -> int:
        width = at.high - max(at.low, 1) + 1
        if total < self.settings.page_size:
            return min(_WIDEST, width * 4)
        return max(_WIDTH, width // 2) if total > 5 * self.settings.page_size else width

    def changed(
        self, since: datetime, start: SoapResume
    ) -> Iterator[tuple[list[Record], SoapResume]]:
        """What was modified since, as one search."""
        yield from self.pages(self._since(since), start)

    def _window(self, at: SoapResume) -> Iterator[tuple[Found, SoapResume]]:
        make = self.client.make
        span = make("SearchLongField", operator="between", searchValue=at.low, searchValue2=at.high)
        yield from self._results({"internalIdNumber": span}, at)

    def pages(
        self, criteria: Mapping[str, Any], at: SoapResume
    ) -> Iterator[tuple[list[Record], SoapResume]]:
        """The pages of any search that have records, each with where to go on after it."""
        for found, after in self._results(criteria, at):
            if found.records:
                yield found.records, after

    def _results(
        self, criteria: Mapping[str, Any], at: SoapResume
    ) -> Iterator[tuple[Found, SoapResume]]:
        """The pages that follow `at.page`; from the first one where NetSuite forgot the search."""
        if at.search and at.page >= at.pages:
            return
        found = self._continued(at) or self.find(criteria)
        restarts = 0
        while True:
            yield found, replace(at, search=found.search, page=found.page, pages=found.pages)
            if found.page >= found.pages:
                return
            before, found = found, self._next(found) or self.find(criteria)
            if found.total < before.total and restarts < _RESTARTS:
                restarts += 1
                found = self.find(criteria)

    def _next(self, found: Found) -> Found | None:
        try:
            return self.searches.more(found.search, found.page + 1)
        except SearchRefused:
            return None

    def _continued(self, at: SoapResume) -> Found | None:
        if not at.search:
            return None
        try:
            return self.searches.more(at.search, at.page + 1)
        except SearchRefused:
            return None

    def _beyond(self, high: int) -> bool:
        field = self.client.make("SearchLongField", operator="greaterThan", searchValue=high)
        return self.count({"internalIdNumber": field}) > 0

    def _since(self, since: datetime) -> dict[str, Any]:
        return {"lastModifiedDate": on_or_after(self.client, since)}

    # one search

    def find(self, criteria: Mapping[str, Any]) -> Found:
        """The first page of what matches."""
        return self.searches.find(self._search(criteria))

    def every(self, criteria: Mapping[str, Any]) -> Iterator[Record]:
        """All that matches, page by page."""
        return self.searches.every(self._search(criteria))

    def count(self, criteria: Mapping[str, Any]) -> int:
        """How many records match, by NetSuite's own count."""
        return self.searches.find(self._search(criteria), whole=False, page_size=5).total

    def ids(self, criteria: Mapping[str, Any]) -> Iterator[list[str]]:
        """The internal ids of what matches, as rows of one column."""
        answer = self.client.read(
            "search", self._columns(criteria, "internalId"), page_size=self.settings.page_size
        )
        yield from self._rows(answer, lambda row: _column(row, "internalId"))

    def close_dates(self, ids: Iterable[str]) -> dict[str, str]:
        """Id -> day on which a document was closed, where it is."""
        wanted = {"internalId": self.by_ids(ids)}
        answer = self.client.read(
            "search",
            self._columns(wanted, "closeDate", "internalId"),
            page_size=self.settings.page_size,
        )
        pairs: dict[str, str] = {}
        for page in self._rows(
            answer, lambda row: (_column(row, "internalId"), _column(row, "closeDate"))
        ):
            pairs |= {id: day for id, day in page if id and day}
        return pairs

    def by_ids(self, ids: Iterable[str]) -> Any:
        """A criterion: one of these internal ids."""
        make = self.client.make
        values = [make("RecordRef", internalId=id) for id in ids]
        return make("SearchMultiSelectField", operator="anyOf", searchValue=values)

    def _search(self, criteria: Mapping[str, Any]) -> Any:
        name = _SEARCHES.get(self.kind.entity, "TransactionSearch")
        return self.client.make(name, basic=self._basic(name, criteria))

    def _basic(self, name: str, criteria: Mapping[str, Any]) -> Any:
        fields = dict(criteria)
        if self.kind.code:
            fields["type"] = types_of(self.client, (self.kind.code,))
        if self.kind.counts:
            fields["mainLine"] = self.client.make("SearchBooleanField", searchValue=True)
        if self.kind.is_item:
            fields["type"] = self.client.make(
                "SearchEnumMultiSelectField",
                operator="noneOf",
                searchValue=list(_NO_PRODUCT_WORDS),
            )
        return self.client.make(f"{name}Basic", **fields)

    def _columns(self, criteria: Mapping[str, Any], *names: str) -> Any:
        make, name = self.client.make, _SEARCHES.get(self.kind.entity, "TransactionSearch")
        row = f"{name}Row"
        columns = make(f"{row}Basic", **{each: [{}] for each in names})
        return make(
            f"{name}Advanced",
            criteria=make(name, basic=self._basic(name, criteria)),
            columns=make(row, basic=columns),
        )

    def _rows(self, answer: Any, take: Any) -> Iterator[list[Any]]:
        page = 1
        while True:
            result = answer.searchResult
            accept(result.status)
            rows = result.searchRowList.searchRow if result.searchRowList else []
            yield [take(row) for row in rows or ()]
            if page >= int(result.totalPages or 0):
                return
            page += 1
            answer = self.client.read("searchMoreWithId", result.searchId, page)


def accept(status: Any) -> None:
    """Raises AuthError or ConfigError where NetSuite refuses a search: no record is at fault."""
    try:
        refuse(status)
    except InvalidRecord as error:
        raise ConfigError(f"NetSuite refuses a search: {error.message}", hint=_REFUSED) from None


def on_or_after(client: SoapClient, since: datetime) -> Any:
    """A criterion on lastModifiedDate, overlap included; NetSuite compares whole minutes."""
    start = (since.astimezone(UTC) - OVERLAP_SURE).replace(second=0, microsecond=0)
    return client.make("SearchDateField", operator="onOrAfter", searchValue=start)


def types_of(client: SoapClient, codes: Iterable[str]) -> Any:
    """A criterion: one of these transaction types."""
    words = [WORDS[code] for code in codes]
    return client.make("SearchEnumMultiSelectField", operator="anyOf", searchValue=words)


def first_window() -> SoapResume:
    """Where a pull of everything starts: system records have small negative ids."""
    return SoapResume(low=-(10**6), high=_WIDTH)


def _column(row: Any, name: str) -> str:
    """The (first) value of a column, a reference's id."""
    held = getattr(row.basic, name, None) or []
    value = held[0].searchValue if held else None
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(getattr(value, "internalId", None) or value)
