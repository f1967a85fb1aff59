"""The Chargebee connector: what it can do, and how each call is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from tieout.core.errors import AuthError, ConfigError, InvalidRecord
from tieout.core.ports import Ports
from tieout.rest import Pace, Pool, RestClient, basic

from ..base import Account, Can, Connector, Evidence, Page, Raw, Settings, Touched, Window
from . import finding, webhook
from .complete import completed
from .errors import explain, judge
from .kinds import KINDS, Kind, Source
from .listing import head_of
from .proving import Prover
from .reading import Reader, window
from .resume import ALL, Resume
from .settings import ChargebeeConfig
from .site import Site
from .writing import Writer, read_any


class Chargebee(Connector):
    """Chargebee's API v2. https://apidocs.chargebee.com/docs/api

    Records are the API's own objects and bytes, taken out of the row or answer that names their
    kind, with these exceptions:

        contact       an element of `customer.contacts` with `customer_id` (the record re-encoded)
        invoice, credit_note  with all lines where Chargebee pages them (the record re-encoded)
    """

    name: ClassVar[str] = "chargebee"
    can: ClassVar[Mapping[str, Can]] = {entity: kind.can for entity, kind in KINDS.items()}
    Config: ClassVar[type[Settings]] = ChargebeeConfig

    def __init__(self, settings: ChargebeeConfig, ports: Ports, *, where: str = "") -> None:
        self._settings, self._ports, self._where = settings, ports, where
        self._password = settings.webhook_password.get_secret_value()
        headers = {"Accept": "application/json"}
        if settings.business_entity:
            headers["chargebee-business-entity-id"] = settings.business_entity
        self._rest = RestClient(
            settings.url,
            ports=ports,
            auth=basic(settings.api_key.get_secret_value().strip()),
            pace=_pace(settings, ports),
            explain=explain,
            judge=judge,
            headers=headers,
            where=where,
            timeout=(5.0, 80.0),  # what Chargebee's own clients wait
            secrets=(self._password,) if self._password else (),
        )
        self._site = Site(self._rest, settings.catalog, where=where)
        self._writer = Writer(self._rest, self._site, settings)

    def check(self) -> Account:
        """The site, and what this key may not read or the site does not have."""
        site, live = self._settings.site, self._settings.is_live
        try:
            wrong, catalog = self._wrong_catalog(), self._site.catalog
        except AuthError as error:
            if "answered 403" not in error.message:
                raise
            wrong, catalog = "the key may not read the product catalog (/item_families)", ""
        problems = [wrong] if wrong else []
        refused = 0
        lists = self._lists(catalog if not wrong else "")
        for entity, source in lists:
            try:
                if not self._site.answers(source):
                    problems.append(f"the site has no {source.path} to read {entity} from")
            except AuthError as error:
                refused += 1
                problems.append(f"the key may not read {entity} ({source.path})")
                if refused == len(lists):
                    raise error
        return Account(site, site, live, tuple(problems))

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        """Everything in the order of creation, or what changed since, oldest change first."""
        kind = self._kind(entity)
        if resume:
            start = Resume.read(resume, where=self._where)
        elif since is None or Can.CHANGES not in kind.can:
            start = Resume(ALL)
        else:
            start = window(_second(since), self._now())
        return self._reader(kind).pages(start)

    def get(self, entity: str, id: str) -> bytes | None:
        kind = self._able(entity, Can.GET)
        for source in self._site.sources(kind):
            record = read_any(self._rest, source, id)
            if record is not None:
                return self._whole(kind, source, record)
        return None

    def revision(self, entity: str, record: bytes) -> int | None:
        """`resource_version`, in milliseconds: lists may lag behind by five minutes."""
        try:
            return _versions.decode(record).resource_version
        except msgspec.MsgspecError:
            return None

    def find(self, entity: str, key: str) -> bytes | None:
        kind = self._able(entity, Can.FIND)
        record = self._found(kind, key)
        if record is not None and entity == "payment" and finding.steps_left(record):
            return None  # `create` goes on where it broke off: the payment has an id of ours
        return record

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.CREATE)
        return self._completed(kind, self._writer.create(kind, record, key))

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        return self._writer.update(self._able(entity, Can.UPDATE), id, record, key)

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        """Overlap, null sweep and event feed; after a full pull every id a second time."""
        kind = self._able(entity, Can.PROVE)
        days = self._settings.feed_days
        return Prover(self._rest, kind, self._site, days=days).evidence(window)

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Items and prices are archived, invoices and credit notes voided. Nothing is deleted."""
        kind = self._able(entity, Can.ARCHIVE)
        return self._completed(kind, self._writer.archive(kind, id, key))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Touched]:
        """Basic authentication is checked; only which records to read again is taken from it."""
        webhook.verify(headers, self._settings.webhook_user, self._password, where=self._where)
        return webhook.read(body, where=self._where)

    def _reader(self, kind: Kind) -> Reader:
        def get(id: str) -> bytes | None:
            return self.get(kind.entity, id)

        sources, gone = self._site.sources(kind), self._site.types(kind.gone)
        return Reader(self._rest, kind, sources, gone, get)

    def _whole(self, kind: Kind, source: Source, record: bytes) -> bytes | None:
        """The record, unless it is a transaction of another entity's type."""
        if kind.type and head_of(record).type != kind.type:
            return None
        if source.name in ("invoice", "credit_note"):
            return completed(self._rest, source, record)
        return record

    def _completed(self, kind: Kind, record: bytes) -> bytes:
        source = kind.sources[0]
        if source.name in ("invoice", "credit_note"):
            return completed(self._rest, source, record)
        return record

    def _found(self, kind: Kind, key: str) -> bytes | None:
        source = kind.sources[0]
        if kind.entity in ("payment", "refund"):
            told = {"reference_number": finding.reference(key)}
            return finding.listed(self._rest, source, **told)
        record = read_any(self._rest, source, finding.own_id(source.name, key))
        if record is None and kind.entity == "invoice":
            since = self._now() - self._settings.find_days * 86400
            field = self._settings.key_field
            record = finding.invoice_of(self._rest, source, key, field=field, since=since)
        return None if record is None else self._whole(kind, source, record)

    def _wrong_catalog(self) -> str:
        """The configured Product Catalog against what the site answers to."""
        wanted, asked = self._settings.catalog, self._site.asked_catalog()
        if wanted in ("auto", asked):
            return ""
        return f"the site has Product Catalog {asked}.0, not {wanted}.0: set catalog: {asked}"

    def _lists(self, catalog: str) -> list[tuple[str, Source]]:
        """What `check` looks at: each list once, by the first entity that needs it.

        catalog   "" leaves out what depends on it.
        """
        found: dict[str, tuple[str, Source]] = {}
        for kind in KINDS.values():
            if kind.entity == "dispute":  # read another way where the site has no list of them
                continue
            if kind.entity == "usage" and catalog != "2":  # known to Product Catalog 2.0 only
                continue
            if not kind.older or catalog:
                for source in self._site.sources(kind):
                    found.setdefault(source.path, (kind.entity, source))
        return [*found.values(), ("the event feed", Source("/events", "event"))]

    def _kind(self, entity: str) -> Kind:
        if entity not in KINDS:
            raise ConfigError(
                f"chargebee has no {entity}", where=self._where, hint="it has: " + ", ".join(KINDS)
            )
        return KINDS[entity]

    def _able(self, entity: str, can: Can) -> Kind:
        kind = self._kind(entity)
        if can not in kind.can:
            raise InvalidRecord(f"chargebee: {can.name} is not possible for {entity}")
        return kind

    def _now(self) -> int:
        return _second(self._ports.now())


class _Version(msgspec.Struct):
    resource_version: int | None = None


_versions = msgspec.json.Decoder(_Version)


def _second(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


def _pace(settings: ChargebeeConfig, ports: Ports) -> Pace:
    """Chargebee counts by the minute: an even pace, a small burst, and the minute's pool."""
    calls = settings.calls_per_minute
    return Pace(
        calls / 60,
        max(1, min(10, calls // 30)),
        ports=ports,
        concurrency=settings.concurrency,
        credential=f"chargebee:{settings.site}",
        pools=(Pool("minute", calls, 60),),
    )
