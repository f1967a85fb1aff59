"""Salesforce (CRM): accounts, contacts, opportunities, contracts, orders, products and prices.

Billing records go into custom objects. REST API 66.0; calls are limited per day and org.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from tieout.core.errors import InvalidRecord, TieoutError
from tieout.core.ports import Ports

from ..base import Account, Can, Connector, Evidence, Page, Raw, Settings, Touched, Window, Write
from . import webhook
from .checking import Checking
from .documents import Documents, Prices, is_draft
from .ids import is_id, long_id
from .kinds import KINDS, Kind, Part, configured, here
from .login import Login
from .org import Org
from .proving import Proving
from .reading import Reading, one_of
from .resume import END, Resume
from .settings import SalesforceConfig
from .writing import Writing, only_object


class Salesforce(Connector):
    """One org. Nothing is ever deleted; products and prices are made inactive.

    Records are rows as REST tells them (also those that came through Bulk API), with

        any        `tieout_org_url`, where people see the org; `tieout_key_field`, the name of
                   the field that holds our key, where it is not the usual one
        contract   of an order: `OrderItems`, complete, in the shape of a sub-select

    A deleted account or contact that was merged into another is told with its MasterRecordId,
    and the record that it was merged into is read again.

    currency   config.yaml's for this system ("" if it names none); set by the hub for `check`.
    """

    name: ClassVar[str] = "salesforce"
    can: ClassVar[Mapping[str, Can]] = {entity: kind.can for entity, kind in KINDS.items()}
    Config: ClassVar[type[Settings]] = SalesforceConfig
    webhook_reply: ClassVar[tuple[str, str]] = webhook.ACK
    currency: str | None = None

    def __init__(self, settings: SalesforceConfig, ports: Ports, *, where: str = "") -> None:
        self._settings, self._ports, self._where = settings, ports, where
        self._login = Login(settings, ports, where=where)
        self._lock = threading.Lock()
        self._made: Org | None = None

    def check(self) -> Account:
        """The organization; missing objects, fields and permissions; calls that are left."""
        return Checking(self._org(), self.currency).account()

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        """Everything by id, or what changed since, oldest change first; above `bulk_from` rows
        in bulk, in no order. A window of changes has deletions and merges, too."""
        kind = self._kind(entity)
        start = Resume.read(resume, kind.objects, where=self._where)
        org, reached = self._org(), False
        for part in kind.parts:
            reached = reached or part.object == start.object
            if reached:
                at = start if part.object == start.object else Resume(part.object)
                if at.phase != END:
                    yield from Reading(org, part).pages(since, at)

    def get(self, entity: str, id: str) -> bytes | None:
        kind = self._kind(entity)
        if not is_id(id):
            return None
        for part in _likely(kind, id):
            reading = Reading(self._org(), part)
            if rows := reading.by_ids([long_id(id)]):
                return reading.whole(rows)[0]
        return None

    def find(self, entity: str, key: str) -> bytes | None:
        """By our external id. A draft contract or order may be half made: it is not found, and
        creating it once more finishes it."""
        for part in self._able(entity, Can.FIND).parts:
            reading = Reading(self._org(), part)
            row = one_of(reading.by_key(key), key)
            if row is not None and not (entity == "contract" and is_draft(row)):
                return reading.whole([row])[0]
        return None

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        """Upsert by our external id: the same key again finds the same record."""
        kind, org = self._able(entity, Can.CREATE), self._org()
        part = only_object(kind.parts, record)
        if entity == "contract":
            id = Documents(org, part).create(record, key)
        elif entity == "price":
            id = Prices(org, part).create(record, key)
        else:
            id = Writing(org, part).upsert(record, key)
        return Writing(org, part).read_back(id)

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        writing = Writing(self._org(), self._able(entity, Can.UPDATE).parts[0])
        writing.patch(id, record)
        return writing.read_back(id)

    def write_many(self, entity: str, writes: Sequence[Write]) -> list[bytes | TieoutError]:
        """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm"""
        kind = self._able(entity, Can.BATCH)
        return Writing(self._org(), kind.parts[0]).many(writes) if writes else []

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Inactive, never deleted."""
        writing = Writing(self._org(), self._able(entity, Can.ARCHIVE).parts[0])
        writing.patch(id, {"IsActive": False})
        return writing.read_back(id)

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        return Proving(self._org(), self._able(entity, Can.PROVE)).evidence(window)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Touched]:
        """An outbound message, whose only proof is the secret end of its address."""
        token = self._settings.webhook_token.get_secret_value().strip()
        webhook.verify_token(headers, token, where=self._where)
        org = self._settings.organization_id or self._org().id
        entities = {
            part.object: kind.entity for kind in here(self._settings) for part in kind.parts
        }
        return webhook.read(body, entities, org, where=self._where)

    def webhook_kept(self, body: bytes) -> bytes:
        """Without the session id of whoever caused it, which would be a login."""
        return webhook.without_session(body)

    # parts

    def _org(self) -> Org:
        with self._lock:
            if self._made is None:
                self._made = Org(self._settings, self._ports, self._login, where=self._where)
            return self._made

    def _kind(self, entity: str) -> Kind:
        return configured(entity, self._settings, where=self._where)

    def _able(self, entity: str, can: Can) -> Kind:
        kind = self._kind(entity)
        if can not in kind.can:
            raise InvalidRecord(f"salesforce: {can.name} is not possible for {entity}")
        return kind


_PREFIXES = {"800": "Contract", "801": "Order"}


def _likely(kind: Kind, id: str) -> list[Part]:
    """The objects that the record can belong to: an id's first characters tell its object."""
    named = _PREFIXES.get(id[:3])
    return [part for part in kind.parts if len(kind.parts) == 1 or part.object == named]
