"""What SOAP's records leave out: ISO codes, days of terms, closing days, who settled what.

It is added under SuiteQL's names, so that both transports give one canonical record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord
from tieout.core.money import plain
from tieout.rest.json import encode_stable

from .clock import utc
from .kinds import Kind
from .pricing import prices
from .settings import NetSuiteConfig
from .soap_client import SoapClient
from .soap_directory import SoapDirectory
from .soap_reading import IDS_A_SEARCH, Searches, SoapReading, types_of
from .soap_records import Record, item_type, keep_custom, lines, ref_id

ZERO = Decimal(0)
# How the lines of an apply list name what they are applied to.
_LABELS = {
    "invoice": "CustInvc", "creditmemo": "CustCred", "payment": "CustPymt",
    "customerpayment": "CustPymt", "customerdeposit": "CustDep", "journal": "Journal",
    "journalentry": "Journal", "depositapplication": "DepAppl",
}  # fmt: skip
_CODES = {
    "CustomerPayment": "CustPymt", "CreditMemo": "CustCred", "DepositApplication": "DepAppl",
    "CustomerRefund": "CustRfnd", "JournalEntry": "Journal",
}  # fmt: skip


class Joining:
    """Completes the records of one page."""

    def __init__(
        self,
        client: SoapClient,
        kind: Kind,
        settings: NetSuiteConfig,
        directory: SoapDirectory,
        wanted: frozenset[str],
    ) -> None:
        self._client, self._kind, self._settings = client, kind, settings
        self._directory, self._wanted = directory, wanted
        self._searches = Searches(client, settings.page_size)

    def whole(self, records: Sequence[Record]) -> list[bytes]:
        """The records as stable JSON, in order; of items their prices where those are wanted."""
        if self._kind.entity == "price":
            return [price for record in records for price in self._prices(record)]
        for record in records:
            self._complete(record)
        if self._kind.entity == "invoice":
            self._add_close_dates(records)
        if "applications" in self._kind.lists and self._kind.entity != "payout":
            self._add_applications(records)
        if self._kind.entity == "journal_entry":
            self._add_parties(records)
        return [encode_stable(record) for record in records]

    def _complete(self, record: Record) -> None:
        keep_custom(record, self._wanted)
        if self._settings.app:
            record["app"] = self._settings.app
        if self._kind.entity == "product":
            record["itemType"] = item_type(record["recordType"])
            return
        codes = self._directory.codes if "currency" in record or "currencyName" in record else {}
        held = ref_id(record, "currency") or str(record.get("currencyName") or "")
        if held in codes:
            record["currencyCode"] = codes[held]
        if self._kind.entity == "customer" and (terms := ref_id(record, "terms")):
            days = self._directory.days_of(terms)
            if days is not None:
                record["termDays"] = days

    def _prices(self, record: Record) -> list[bytes]:
        item: Record = {
            "id": str(record["internalId"]),
            "isinactive": "T" if record.get("isInactive") else "F",
        }
        for name in ("lastModifiedDate", "createdDate"):
            if name in record:
                item[name.lower()] = utc(record[name])
        if self._settings.app:
            item["app"] = self._settings.app
        return prices(item, self._entries(record))

    def _entries(self, record: Record) -> Iterator[Record]:
        """The matrix as rows of SuiteQL's table."""
        for entry in lines(record, "pricingMatrix"):
            level, currency = entry.get("priceLevel") or {}, ref_id(entry, "currency")
            for step in lines(entry, "priceList"):
                if "value" in step and level.get("internalId"):
                    yield {
                        "pricelevel": str(level["internalId"]),
                        "levelname": level.get("name"),
                        "currency": currency,
                        "currencycode": self._directory.codes.get(currency) if currency else None,
                        "unitprice": plain(Decimal(step["value"])),
                    }

    def _add_close_dates(self, records: Sequence[Record]) -> None:
        paid = [str(each["internalId"]) for each in records if not each.get("amountRemaining")]
        reading = SoapReading(self._client, self._kind, self._settings)
        for part in _parts(paid):
            try:
                days = reading.close_dates(part)
            except (InvalidRecord, ConfigError):
                return
            for record in records:
                if (day := days.get(str(record["internalId"]))) is not None:
                    record["closeDate"] = day

    # applications

    def _add_applications(self, records: Sequence[Record]) -> None:
        rows: dict[str, list[Record]] = {str(each["internalId"]): [] for each in records}
        for record in records:
            rows[str(record["internalId"])] += _own(record, self._kind.code)
        if self._kind.touched_by:
            for part in _parts(list(rows)):
                self._add_appliers(rows, part, records)
        for record in records:
            record["applications"] = rows[str(record["internalId"])]

    def _add_appliers(
        self, rows: dict[str, list[Record]], ids: list[str], records: Sequence[Record]
    ) -> None:
        journals: list[str] = []
        for applier in self._applied_to(ids, self._kind.touched_by):
            if applier["recordType"] == "JournalEntry":
                journals.append(str(applier["internalId"]))
            code = str(_CODES.get(applier["recordType"], applier["recordType"]))
            for line in _ticked(applier):
                doc = str(line["doc"])
                if doc in rows:
                    rows[doc].append(
                        _link(doc, self._kind.code, str(applier["internalId"]), code, line)
                    )
        by_id = {str(each["internalId"]): each for each in records}
        for journal in journals:
            for id in self._settled_by(journal, ids):
                self._add_journal(rows[id], by_id[id], journal)

    def _applied_to(self, ids: Iterable[str], codes: Iterable[str]) -> Iterator[Record]:
        make = self._client.make
        docs = [make("RecordRef", internalId=id) for id in ids]
        basic = make(
            "TransactionSearchBasic",
            appliedToTransaction=make("SearchMultiSelectField", operator="anyOf", searchValue=docs),
            type=types_of(self._client, codes),
        )
        seen: set[str] = set()
        for record in self._searches.every(make("TransactionSearch", basic=basic)):
            if record["internalId"] not in seen:
                seen.add(str(record["internalId"]))
                yield record

    def _settled_by(self, journal: str, ids: list[str]) -> list[str]:
        """Which of these documents the journal is applied to."""
        make = self._client.make
        by = make("SearchMultiSelectField", operator="anyOf",
                  searchValue=[make("RecordRef", internalId=journal)])  # fmt: skip
        basic = make(
            "TransactionSearchBasic",
            applyingTransaction=by,
            type=types_of(self._client, (self._kind.code,)),
        )
        search = make("TransactionSearch", basic=basic)
        found = {str(each["internalId"]) for each in self._searches.every(search, whole=False)}
        return [id for id in ids if id in found]

    def _add_journal(self, rows: list[Record], record: Record, journal: str) -> None:
        """A journal has no list of what it is applied to: it settled what nothing else did."""
        told = sum((Decimal(row["foreignamount"]) for row in rows), ZERO)
        left = Decimal(record.get("amountPaid") or ZERO) - told
        if left > 0:
            line = {"amount": left}
            id = str(record["internalId"])
            rows.append(_link(id, self._kind.code, journal, "Journal", line))

    # journals

    def _add_parties(self, records: Sequence[Record]) -> None:
        """Accounts by number and name, and which entities are customers."""
        held = [line for record in records for line in lines(record, "lineList")]
        customers = self._directory.customers_among(
            {id for line in held if (id := ref_id(line, "entity"))}
        )
        for line in held:
            row = self._directory.all_accounts.get(ref_id(line, "account"), {})
            if "acctnumber" in row:
                line["acctNumber"] = row["acctnumber"]
            elif row:
                line["accountName"] = row["fullname"]
            if entity := ref_id(line, "entity"):
                line["entityType"] = "CustJob" if entity in customers else "Other"


def _own(record: Record, code: str) -> list[Record]:
    """What this document itself is applied to."""
    id = str(record["internalId"])
    found = [_link(str(line["doc"]), _label(line), id, code, line) for line in _ticked(record)]
    if code == "CustRfnd":  # pays back deposits in a list of their own
        deposits = _ticked(record, "depositList")
        found += [_link(str(line["doc"]), "CustDep", id, code, line) for line in deposits]
    return found


def _ticked(record: Record, sublist: str = "applyList") -> list[Record]:
    return [
        each
        for each in lines(record, sublist)
        if each.get("apply") and each.get("doc") and each.get("amount")
    ]


def _label(line: Record) -> str:
    word = "".join(sign for sign in str(line.get("type") or "").lower() if sign.isalnum())
    return _LABELS.get(word, word)


def _link(doc: str, kind: str, by: str, by_kind: str, line: Record) -> dict[str, Any]:
    return {
        "previousdoc": doc,
        "previoustype": kind,
        "nextdoc": by,
        "nexttype": by_kind,
        "linktype": "Payment",
        "foreignamount": str(line["amount"]),
    }


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), IDS_A_SEARCH):
        yield ids[first : first + IDS_A_SEARCH]
