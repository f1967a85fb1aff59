"""The Zuora connector: what it can do, and how each call is made."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from tieout.core.errors import (
    AuthError,
    ConfigError,
    InvalidRecord,
    ProviderDown,
    TieoutError,
)
from tieout.core.ports import Ports
from tieout.rest import Pace, Request, RestClient, segment

from ..base import Account, Can, Connector, Evidence, Page, Raw, Settings, Touched, Window
from . import journals, webhook
from .complete import Known
from .dataquery import DataQuery
from .errors import explain, honest, judge
from .finding import Finder
from .kinds import KINDS, Kind, Source
from .limits import learn, pools
from .login import ClientSecret
from .objectquery import UPDATED, Asked, ObjectQuery
from .objectquery import since as changed_since
from .proving import Proof
from .reading import Reading, Tenant
from .resume import Resume
from .rows import Row, folded, text
from .settings import ZuoraConfig
from .writing import Writer, is_over

log = logging.getLogger("tieout.zuora")

# A row may show up in Object Query some moments after it was written.
PATIENCE_SECONDS = (0.5, 1.5, 3.0)
_HEX = frozenset("0123456789abcdef")


class Zuora(Connector):
    """Zuora Billing. https://developer.zuora.com/v1-api-reference/introduction/

    Records are rows of Object Query or Data Query in Zuora's own bytes, with lists added at their
    end:

        customer      `billTo` and `soldTo` expanded, or `contacts`
        price         `productRatePlan` expanded, `productRatePlanChargeTiers`; a charge sold in
                      several currencies once for each, with `tieout_id` (`<id>:<currency>`)
        subscription  the latest version: `ratePlans`, `ratePlanCharges`, `ratePlanChargeTiers`
        contract      `orderActions`, `orderLineItems`
        invoice       `invoiceItems`; a debit memo its `debitMemoItems` and both kinds of parts
        payment       `paymentParts`, or `paymentApplications` where those don't add up; without
                      Invoice Settlement `invoicePayments`
        credit_note   `creditMemoItems`, `creditMemoParts` or `creditMemoApplications`
        refund        `refundApplications`, or `refundInvoicePayments`
        usage         `subscription_number`, `charge_number`
        journal_entry v1's object with the times of its row

    What has no currency of its own has `account.currency` expanded or `account_currency`.
    """

    name: ClassVar[str] = "zuora"
    can: ClassVar[Mapping[str, Can]] = {entity: kind.can for entity, kind in KINDS.items()}
    Config: ClassVar[type[Settings]] = ZuoraConfig

    def __init__(self, settings: ZuoraConfig, ports: Ports, *, where: str = "") -> None:
        self._settings, self._ports, self._where = settings, ports, where
        secret = settings.client_secret.get_secret_value()
        self._login = ClientSecret(
            settings.base_url, settings.client_id, secret, ports, where=where
        )
        self._rest = RestClient(
            settings.base_url,
            ports=replace(ports, send=honest(ports.send)),
            auth=self._login,
            pace=_pace(settings, ports),
            explain=explain,
            judge=judge,
            learn=learn,
            headers=_headers(settings, ports),
            where=where,
            timeout=(10.0, 120.0),
            total_seconds=600.0,
            secrets=(
                settings.webhook_password.get_secret_value(),
                settings.webhook_hmac_secret.get_secret_value(),
            ),
        )
        query = ObjectQuery(self._rest, page_size=settings.page_size)
        data = DataQuery(self._rest, settings, ports, where=where)
        known = Known(query, ports, self._note_missing)
        self._tenant = Tenant(
            query, data, settings, ports, known, lambda rows: journals.completed(self._rest, rows)
        )
        self._lock = threading.Lock()
        self._settlement: bool | None = None
        self._why_off = ""
        self._missing: dict[str, str] = {}

    def check(self) -> Account:
        """Who we are, which features the tenant shows, and what the user may not read."""
        self._tenant.query.page(Asked("accounts"), size=2)
        settled = self._has_settlement()
        problems = list(self._entity_problems())
        problems += self._feature_problems(settled)
        problems += self._data_query_problems()
        id = next((s for s in self._login.scope.split() if s.startswith("tenant.")), "")
        name = f"Zuora {id}".strip() if id else f"Zuora at {self._settings.host}"
        return Account(name, self._account_id(id), self._settings.live, tuple(problems))

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        """Everything, or what changed since, oldest change first.

        Much is read through Data Query. A window of changes also has the records whose lines or
        applications changed, and at its end the ids that were deleted.
        """
        kind = self._kind(entity)
        start = Resume.read(resume, where=self._where)
        return self._reading(kind).pull(since, start)

    def get(self, entity: str, id: str) -> bytes | None:
        kind = self._kind(entity)
        for source in self._sources(kind):
            found = self._one(kind, source, id)
            if found is not None:
                return found
        return None

    def find(self, entity: str, key: str) -> bytes | None:
        """By our number, by our mark in a comment, or by `key_field`."""
        id = self._id_of(self._able(entity, Can.FIND), key)
        return None if id is None else self.get(entity, id)

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.CREATE)
        id = self._writer(kind).create(record, key, lambda: self._id_of(kind, key))
        return self._read_back(kind, id)

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.UPDATE)
        self._writer(kind).update(id, record, key, self._current(kind, id))
        return self._read_back(kind, id)

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        kind = self._kind(entity)
        return Proof(self._rest, self._tenant, kind, self._sources(kind)).all(window)

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Canceled, ended or reversed; nothing is deleted. docs/providers/zuora.md says how."""
        kind = self._able(entity, Can.ARCHIVE)
        try:
            self._writer(kind).archive(id, key, self._current(kind, id))
        except InvalidRecord:
            # The first of two calls took effect, and its answer was lost.
            if not is_over(self._current(kind, id)):
                raise
        return self.get(entity, id)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Touched]:
        """A callout: only which records to read again is taken from it."""
        webhook.verify(headers, body, self._settings, where=self._where)
        return webhook.read(body, where=self._where)

    # parts

    def _kind(self, entity: str) -> Kind:
        if entity not in KINDS:
            raise ConfigError(
                f"zuora has no {entity}", where=self._where, hint="it has: " + ", ".join(KINDS)
            )
        return KINDS[entity]

    def _able(self, entity: str, can: Can) -> Kind:
        kind = self._kind(entity)
        if can not in kind.can:
            raise InvalidRecord(f"zuora: {can.name} is not possible for {entity}")
        return kind

    def _sources(self, kind: Kind) -> tuple[Source, ...]:
        """Those that this tenant has: Invoice Settlement decides."""
        if all(source.settlement is None for source in kind.sources):
            return kind.sources
        settled = self._has_settlement()
        return tuple(s for s in kind.sources if s.settlement in (None, settled))

    def _has_settlement(self) -> bool:
        """Whether the tenant shows credit memos; asked once."""
        told = self._settings.invoice_settlement
        if told != "auto":
            return told == "yes"
        with self._lock:
            if self._settlement is None:
                self._why_off = self._tenant.query.refused(Asked("credit-memos"))
                self._settlement = not self._why_off
            return self._settlement

    def _reading(self, kind: Kind) -> Reading:
        return Reading(kind, self._sources(kind), self._tenant)

    def _writer(self, kind: Kind) -> Writer:
        if kind.entity in ("payment", "credit_note", "refund") and not self._has_settlement():
            raise ConfigError(
                f"zuora: {kind.entity} can be written with Invoice Settlement only",
                where=self._where,
                hint="turn the feature on in Zuora, or take this flow out of config.yaml",
            )
        return Writer(self._rest, self._tenant, kind)

    def _one(self, kind: Kind, source: Source, id: str) -> bytes | None:
        if source.table == "journalentry":
            return self._journal(id)
        if not source.resource:
            return next(iter(self._reading(kind).single(source, id)), None) if _is_id(id) else None
        row = self._row(source, id)
        if row is None:
            return None
        for record in self._reading(kind).completed(source, [row]):
            fields = folded(record)
            if kind.entity != "price" or ":" not in id or text(fields, "tieout_id") in ("", id):
                return record
        return None

    def _journal(self, number: str) -> bytes | None:
        """v1 shows no times, so that a record is the same as in a pull they are looked up."""
        entry = journals.journal(self._rest, number)
        if entry is None or self._settings.data_query == "no":
            return entry
        try:
            rows = self._tenant.data.rows("journalentry", journals.times_of(number))
            return journals.with_times(entry, next(rows, {}))
        except (InvalidRecord, ConfigError) as error:
            log.info("the times of journal entry %s are not known: %s", number, error.message)
            return entry

    def _row(self, source: Source, id: str) -> bytes | None:
        bare = id.partition(":")[0]
        if source.id == "id" or _is_id(id):
            return self._tenant.query.one(source.resource, bare, source.expands)
        asked = Asked(source.resource, (f"{source.id}.EQ:{id}",), expands=source.expands)
        try:
            rows = [row for page in self._tenant.query.walk(asked) for row in page.rows]
        except InvalidRecord:
            return self._by_number(source, id)
        return _latest(rows)

    def _by_number(self, source: Source, number: str) -> bytes | None:
        """Where Object Query does not filter by the number, v1 tells the id."""
        try:
            told = self._rest.send(Request("GET", f"/v1/{source.resource}/{segment(number)}"))
        except InvalidRecord:
            return None
        id = text(folded(told or {}), "id")
        return self._tenant.query.one(source.resource, id, source.expands) if id else None

    def _id_of(self, kind: Kind, key: str) -> str | None:
        return Finder(self._tenant, kind, self._sources(kind)).find(key)

    def _current(self, kind: Kind, id: str) -> Row:
        found = self.get(kind.entity, id)
        if found is None:
            raise InvalidRecord(f"Zuora has no {kind.entity} {id}", hint="it was deleted there")
        return folded(found)

    def _read_back(self, kind: Kind, id: str) -> bytes:
        """What was written, as a pull would give it."""
        for seconds in (0.0, *PATIENCE_SECONDS):
            if seconds:
                self._ports.sleep(seconds)
            if (found := self.get(kind.entity, id)) is not None:
                return found
        raise ProviderDown(f"{kind.entity} {id} was written, but cannot be read back")

    # what check tells

    def _account_id(self, tenant: str) -> str:
        return f"{self._settings.host}:{tenant}" if tenant else self._settings.host

    def _entity_problems(self) -> Iterator[str]:
        for kind in KINDS.values():
            for source in self._sources(kind):
                if source.resource:
                    yield from self._source_problems(kind, source)

    def _source_problems(self, kind: Kind, source: Source) -> Iterator[str]:
        refused = self._tenant.query.refused(Asked(source.resource))
        if refused:
            yield f"{kind.entity}: the user may not read {source.resource} ({refused})"
            return
        recent = (changed_since(self._ports.now()),)
        by_date = self._tenant.query.refused(Asked(source.resource, recent, UPDATED))
        if by_date:
            yield (
                f"{kind.entity}: {source.resource} cannot be listed by date of change, "
                "Data Query does that"
            )

    def _feature_problems(self, settled: bool) -> Iterator[str]:
        if not settled:
            reason = f" ({self._why_off})" if self._why_off else ""
            yield (
                "Invoice Settlement is off, or the user may not read credit memos"
                f"{reason}: payments, refunds and adjustments are read through Data Query and "
                "cannot be written; there are no credit memos and debit memos"
            )
        if self._settings.orders != "no":
            refused = self._tenant.query.refused(Asked("orders"))
            if refused:
                yield f"Orders are off or not permitted: no subscription can be written ({refused})"
        if self._settings.key_field is None:
            return
        field = self._settings.key_field
        for kind in KINDS.values():
            source = self._sources(kind)[0]
            if Can.FIND in kind.can and source.resource:
                asked = Asked(source.resource, (f"{field.lower()}.EQ:tieout",))
                if self._tenant.query.refused(asked):
                    yield f"{kind.entity}: {field} does not exist there, or is not indexed"

    def _data_query_problems(self) -> Iterator[str]:
        if self._settings.data_query == "no":
            yield "data_query is off: deletions go unnoticed, journals cannot be read"
            return
        for table in ("account", "journalentry"):
            try:
                list(self._tenant.data.rows(table, f"select id from {table} limit 1"))
            except (InvalidRecord, AuthError, ConfigError) as error:
                lost = "deletions go unnoticed" if table == "account" else "no journal_entry"
                yield f"{error.message}: {lost}"
            except TieoutError as error:
                yield f"Data Query did not answer: {error.message}"

    def _note_missing(self, resource: str, reason: str) -> None:
        """Said once: a part of some record cannot be read."""
        if resource not in self._missing:
            self._missing[resource] = reason
            log.warning("%s cannot be read and are left out: %s", resource, reason)


def _pace(settings: ZuoraConfig, ports: Ports) -> Pace:
    rate = settings.minute_calls / 60
    return Pace(
        rate,
        max(1, int(rate)),
        ports=ports,
        concurrency=settings.concurrency,
        credential=f"zuora:{settings.host}:{settings.entity_id or settings.client_id}",
        pools=pools(settings),
    )


def _headers(settings: ZuoraConfig, ports: Ports) -> dict[str, str]:
    found = {
        "Zuora-Version": settings.api_version,
        "Zuora-Track-Id": f"tieout-{ports.new_id()}"[:64],
    }
    if settings.entity_id:
        found["Zuora-Entity-Ids"] = settings.entity_id.strip()
    if settings.org_ids:
        found["Zuora-Org-Ids"] = ",".join(settings.org_ids)
    return found


def _latest(rows: list[bytes]) -> bytes | None:
    """Of several versions the latest."""

    def order(row: bytes) -> tuple[bool, int]:
        fields = folded(row)
        version = text(fields, "version")
        return fields.get("islatestversion") is True, int(version) if version.isdecimal() else 0

    return max(rows, key=order, default=None)


def _is_id(text: str) -> bool:
    """Zuora's ids: 32 hexadecimal digits."""
    return len(text) == 32 and set(text.lower()) <= _HEX
