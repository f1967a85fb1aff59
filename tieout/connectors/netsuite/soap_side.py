"""NetSuite over SOAP (SuiteTalk): the same entities as over REST, for accounts that have TBA.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3421458.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    NotFound,
    UnknownOutcome,
)
from tieout.core.ports import Ports
from tieout.rest import Pace

from ..base import Account, Evidence, Method, Page, Raw, Window
from .clock import OVERLAP_SURE
from .kinds import KINDS, Kind, custom_names
from .pricing import chosen, item_of
from .records import checked
from .resume import END, ROWS, TOUCHED
from .settings import NetSuiteConfig
from .soap_bodies import Bodies
from .soap_client import SoapClient
from .soap_directory import SoapDirectory
from .soap_errors import refuse
from .soap_joining import Joining
from .soap_reading import SoapReading, first_window, on_or_after, types_of
from .soap_records import Record, lines, plain, ref_id
from .soap_resume import SoapResume
from .writing import completed, told_apart

log = logging.getLogger("tieout.netsuite")

# What getDeleted calls the types of an entity.
_DELETED = {
    "customer": ("customer",),
    "contact": ("contact",),
    "product": (
        "serviceSaleItem", "serviceResaleItem", "nonInventorySaleItem", "nonInventoryResaleItem",
        "otherChargeSaleItem", "otherChargeResaleItem", "inventoryItem", "assemblyItem", "kitItem",
        "discountItem", "downloadItem", "giftCertificateItem", "markupItem",
    ),
    "invoice": ("invoice",),
    "payment": ("customerPayment",),
    "credit_note": ("creditMemo",),
    "refund": ("customerRefund",),
    "payout": ("deposit",),
    "journal_entry": ("journalEntry",),
}  # fmt: skip
_GONE_RECEIPTS = {
    "CustPymt": "customerPayment", "CustCred": "creditMemo", "CustRfnd": "customerRefund",
    "DepAppl": "depositApplication", "Journal": "journalEntry",
}  # fmt: skip


class SoapSide:
    """The connector's calls, over SOAP."""

    def __init__(
        self, settings: NetSuiteConfig, ports: Ports, pace: Pace, *, where: str = ""
    ) -> None:
        self._settings, self._ports, self._where = settings, ports, where
        self._client = SoapClient(settings, ports, pace, where=where)
        self._bodies = Bodies(self._client)
        self._directory = SoapDirectory(self._client, settings.page_size, where=where)

    def check(self) -> Account:
        """Who we are, and per entity which permission the role lacks."""
        refuse(self._client.read("getServerTime").getServerTimeResult.status)
        problems: list[str] = []
        for entity, kind in KINDS.items():
            try:
                self._reading(kind).count({})
            except (ConfigError, InvalidRecord) as error:
                problems.append(f"{entity}: {error.message}; give the role {kind.permission}")
        problems += self._other_problems()
        names = self._directory.subsidiaries
        name = next(iter(names.values()), "") if names else ""
        live = None if self._settings.base_url else not self._settings.is_sandbox
        realm = self._settings.realm
        return Account(name or realm, realm, live, tuple(problems))

    def pull(self, kind: Kind, since: datetime | None, resume: str) -> Iterator[Page]:
        at = SoapResume.read(resume, where=self._where)
        start = at or (first_window() if since is None else SoapResume())
        reading, joining = self._reading(kind), self._joining(kind)
        if start.phase == ROWS:
            found = reading.all(start) if since is None else reading.changed(since, start)
            for records, after in found:
                yield Page(joining.whole(self._chosen(kind, records)), after.text())
        if since is None or start.phase == END:
            return
        if kind.touched_by and start.phase in (ROWS, TOUCHED):
            begin = start if start.phase == TOUCHED else SoapResume(TOUCHED)
            for records, after in self._touched(kind, since, begin):
                yield Page(joining.whole(records), after.text())
        gone = self._gone(_DELETED.get(kind.entity, ()), since)
        if gone:
            yield Page([], SoapResume(END).text(), gone)

    def get(self, kind: Kind, id: str) -> bytes | None:
        if kind.entity == "price":
            found = self._by_id(kind, [item_of(id) or "0"])
            return chosen(self._joining(kind).whole(found), id)
        if not id.removeprefix("-").isdecimal():
            return None
        if kind.entity == "product":
            records = self._by_id(kind, [id])
        else:
            record = self._got(kind.rest, internalId=id)
            records = [] if record is None else [record]
        kept = self._chosen(kind, records)
        return self._joining(kind).whole(kept)[0] if kept else None

    def find(self, kind: Kind, key: str) -> bytes | None:
        record = self._carrying(kind, key)
        return None if record is None else self._joining(kind).whole([record])[0]

    def create(self, kind: Kind, record: Raw, key: str) -> bytes:
        known = self._carrying(kind, key)
        if known is not None:
            return self._joining(kind).whole([known])[0]
        body = completed(kind, record, self._settings, self._directory, creating=True)
        type = self._settings.product_type if kind.entity == "product" else kind.rest
        try:
            id = self._make(kind, type, body, key)
        except Conflict:
            apart = told_apart(kind, body, key)
            if apart is None:
                raise
            id = self._make(kind, type, apart, key)
        return self._read_back(kind, type, id)

    def update(self, kind: Kind, id: str, record: Raw) -> bytes:
        body = completed(kind, record, self._settings, self._directory, creating=False)
        type = self._type(kind, id)
        self._saved("update", self._bodies.record(type, body, internalId=id))
        return self._read_back(kind, type, id)

    def archive(self, kind: Kind, id: str) -> bytes | None:
        type = self._type(kind, id)
        gone = self._bodies.record(type, {"isInactive": True}, internalId=id)
        self._saved("update", gone)
        return self._read_back(kind, type, id)

    def prove(self, kind: Kind, window: Window) -> Iterator[Evidence]:
        """NetSuite's own count, after a full pull every id as rows of a column, the overlap."""
        reading, bound = self._reading(kind), window.began.replace(microsecond=0)
        until = {_CREATED.get(kind.entity, "dateCreated"): self._until(bound)}
        if window.since is not None:
            seconds = int(OVERLAP_SURE.total_seconds())
            yield Evidence(Method.OVERLAP, seconds=seconds, note="lastModifiedDate, back in time")
        if self._filters(kind):
            return
        if kind.counts or not kind.code:
            count = reading.count(until)
            note = f"totalRecords of a search for {kind.rest}"
            yield Evidence(Method.COUNT, count=count, bound=bound, note=note)
        if window.since is None:
            note = f"the column internalId of every {kind.rest}"
            for ids in reading.ids(until):
                yield Evidence(Method.IDS, bound=bound, ids=tuple(ids), note=note)
            yield Evidence(Method.IDS, bound=bound, whole=True, note=note)

    # reading

    def _reading(self, kind: Kind) -> SoapReading:
        return SoapReading(self._client, kind, self._settings)

    def _joining(self, kind: Kind) -> Joining:
        wanted = frozenset(custom_names(kind, self._settings))
        return Joining(self._client, kind, self._settings, self._directory, wanted)

    def _filters(self, kind: Kind) -> bool:
        deposits = self._settings.payout_deposits
        return kind.entity == "payout" and bool(deposits.field or deposits.memo_contains)

    def _chosen(self, kind: Kind, records: list[Record]) -> list[Record]:
        """Of deposits, those that settle a payment provider."""
        if not self._filters(kind):
            return records
        field, memo = self._settings.payout_deposits.field, self._settings.payout_deposits
        return [
            each
            for each in records
            if memo.memo_contains in str(each.get("memo") or "")
            and (not field or _has_custom(each, field.lower()))
        ]

    def _touched(
        self, kind: Kind, since: datetime, start: SoapResume
    ) -> Iterator[tuple[list[Record], SoapResume]]:
        """Documents that changed receipts are applied to, and open ones of their customers, which
        they may have been taken off; after a deletion all open ones."""
        client, reading = self._client, self._reading(kind)
        receipts = SoapReading(client, replace(kind, entity="receipt", code=""), self._settings)
        changed = {
            "lastModifiedDate": on_or_after(client, since),
            "type": types_of(client, kind.touched_by),
        }
        before = start
        for found, after in receipts.pages(changed, start):
            docs = {str(line["doc"]) for each in found for line in lines(each, "applyList")
                    if line.get("doc")}  # fmt: skip
            parties = {ref_id(each, "customer") or ref_id(each, "entity") for each in found}
            for records in self._affected(reading, docs, parties - {""}):
                yield records, before
            before = after
        if self._gone(tuple(_GONE_RECEIPTS[code] for code in kind.touched_by), since):
            for records, _ in reading.pages({"amountRemaining": self._open()}, SoapResume()):
                yield records, before

    def _affected(
        self, reading: SoapReading, docs: set[str], parties: set[str]
    ) -> Iterator[list[Record]]:
        chosen: list[Mapping[str, Any]] = []
        for part in _parts(sorted(docs)):
            chosen.append({"internalId": reading.by_ids(part)})
        for part in _parts(sorted(parties)):
            chosen.append({"entity": reading.by_ids(part), "amountRemaining": self._open()})
        for criteria in chosen:
            for records, _ in reading.pages(criteria, SoapResume()):
                yield records

    def _open(self) -> Any:
        return self._client.make("SearchDoubleField", operator="notEqualTo", searchValue=0)

    def _until(self, bound: datetime) -> Any:
        at = bound.astimezone(UTC)
        return self._client.make("SearchDateField", operator="onOrBefore", searchValue=at)

    def _gone(self, types: tuple[str, ...], since: datetime) -> tuple[str, ...]:
        """Ids deleted since, where the role may see deleted records."""
        if not types:
            return ()
        make = self._client.make
        wanted = make(
            "GetDeletedFilter",
            deletedDate=on_or_after(self._client, since),
            type=make("SearchEnumMultiSelectField", operator="anyOf", searchValue=list(types)),
        )
        found: set[str] = set()
        page = pages = 1
        while page <= pages:
            result = self._client.read("getDeleted", wanted, page).getDeletedResult
            try:
                refuse(result.status)
            except (AuthError, InvalidRecord) as error:
                log.warning("deletions in NetSuite go unnoticed: %s", error.message)
                return ()
            held = result.deletedRecordList.deletedRecord if result.deletedRecordList else []
            found |= {str(each.record.internalId) for each in held or ()}
            page, pages = page + 1, int(result.totalPages or 1)
        return tuple(sorted(found))

    def _by_id(self, kind: Kind, ids: list[str]) -> list[Record]:
        reading = self._reading(kind)
        return reading.find({"internalId": reading.by_ids(ids)}).records

    def _got(self, type: str, **ids: str) -> Record | None:
        wanted = self._client.make("RecordRef", type=type, **ids)
        response = self._client.read("get", wanted).readResponse
        try:
            refuse(response.status)
        except NotFound:
            return None
        return plain(response.record)

    # writing

    def _carrying(self, kind: Kind, key: str) -> Record | None:
        """The record with our key: by external id, or by the configured custom field."""
        checked(key)
        reading, field = self._reading(kind), key_field(kind, self._settings)
        make = self._client.make
        if field:
            value = make("SearchStringCustomField", scriptId=field, operator="is", searchValue=key)
            criteria = {"customFieldList": make("SearchCustomFieldList", customField=[value])}
        elif kind.entity == "product":
            value = make("RecordRef", externalId=key)
            criteria = {
                "externalId": make("SearchMultiSelectField", operator="anyOf", searchValue=[value])
            }
        else:
            return self._got(kind.rest, externalId=key)
        found = reading.find(criteria).records
        return found[0] if found else None

    def _make(self, kind: Kind, type: str, body: Raw, key: str) -> str:
        if field := key_field(kind, self._settings):
            return self._saved("add", self._bodies.record(type, {**body, field: key}))
        return self._saved("upsert", self._bodies.record(type, body, externalId=key))

    def _saved(self, operation: str, record: Any) -> str:
        return self._client.write(operation, record, settle=_id_saved)

    def _type(self, kind: Kind, id: str) -> str:
        if kind.entity != "product":
            return kind.rest
        return self._directory.item_type(id) or self._settings.product_type

    def _read_back(self, kind: Kind, type: str, id: str) -> bytes:
        record = self._got(type, internalId=id)
        if record is None:
            raise UnknownOutcome(f"{kind.entity} {id} was written, but cannot be read back")
        return self._joining(kind).whole([record])[0]

    def _other_problems(self) -> list[str]:
        problems = []
        try:
            known = self._directory.currency_rows and self._directory.subsidiaries
        except ConfigError as error:
            problems.append(f"{error.message}; {error.hint}")
            known = self._directory.subsidiaries
        if known and len(known) > 1 and not self._settings.subsidiary:
            problems.append(
                "several subsidiaries: new customers and journals need `subsidiary`, one of "
                + ", ".join(list(known)[:5])
            )
        try:
            _ = self._directory.all_accounts
        except ConfigError as error:
            problems.append(f"{error.message}; {error.hint}")
        make = self._client.make
        wanted = make(
            "GetDeletedFilter",
            deletedDate=on_or_after(self._client, self._ports.now()),
            type=make("SearchEnumMultiSelectField", operator="anyOf", searchValue=["customer"]),
        )
        try:
            refuse(self._client.read("getDeleted", wanted, 1).getDeletedResult.status)
        except (AuthError, InvalidRecord):
            problems.append("deletions go unnoticed: give the role Setup > Deleted Records")
        return problems


_CREATED = {"product": "created"}


def key_field(kind: Kind, settings: NetSuiteConfig) -> str:
    """The custom field for our key, where it is one of this entity's; else ""."""
    field = (settings.key_field or "").lower()
    return field if field.startswith(kind.custom_prefix) else ""


def _id_saved(answer: Any) -> str:
    response = answer.writeResponse
    refuse(response.status)
    id = getattr(response.baseRef, "internalId", None)
    if not id:
        raise UnknownOutcome("NetSuite did not say which record it saved")
    return str(id)


def _has_custom(record: Record, field: str) -> bool:
    return any(
        str(each.get("scriptId") or "").lower() == field and each.get("value") not in (None, "")
        for each in lines(record, "customFieldList")
    )


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), 500):
        yield ids[first : first + 500]
