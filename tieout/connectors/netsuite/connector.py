"""NetSuite (ERP): reads by SuiteQL, writes by the REST record API.

OAuth 2.0 client credentials, or token-based authentication for integrations that have it. The
account allows few calls at once, shared by all its integrations. No webhooks: what changed is
asked for. https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/book_1559132836.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    ProviderDown,
    TryLater,
)
from tieout.core.ports import Ports
from tieout.rest import Auth, ClientCredentials, Pace, RestClient, TokenBased

from ..base import Account, Can, Connector, Evidence, Page, Raw, Window
from .clock import FORMAT, QueryClock
from .errors import explain, judge
from .kinds import KINDS, Kind
from .pricing import chosen, item_of
from .proving import proofs
from .reading import Reading
from .records import Records, checked
from .resume import END, ROWS, TOUCHED, Resume
from .settings import NetSuiteConfig
from .soap_side import SoapSide
from .suiteql import Row, SuiteQl
from .writing import Directory, completed, told_apart

TOKENS = "/services/rest/auth/oauth2/v1/token"
# A row may show up in SuiteQL some seconds after the record was saved.
PATIENCE_SECONDS = (0.5, 1.5, 3.0)


class NetSuite(Connector):
    """One account. Transactions are never deleted; customers, contacts and items are archived."""

    name: ClassVar[str] = "netsuite"
    can: ClassVar = {entity: kind.can for entity, kind in KINDS.items()}
    Config: ClassVar = NetSuiteConfig

    def __init__(self, settings: NetSuiteConfig, ports: Ports, *, where: str = "") -> None:
        self._settings, self._ports, self._where = settings, ports, where
        pace = Pace(
            settings.calls_per_second,
            max(1, int(settings.calls_per_second)),
            ports=ports,
            concurrency=settings.concurrency,
            credential=f"netsuite:{settings.realm}",
        )
        over_soap = settings.transport == "soap"
        self._soap = SoapSide(settings, ports, pace, where=where) if over_soap else None
        self._rest = RestClient(
            settings.url,
            ports=ports,
            auth=_login(settings, ports, where),
            pace=pace,
            explain=explain,
            judge=judge,
            where=where,
            timeout=(10.0, 300.0),
            total_seconds=900.0,
        )
        self._ql = SuiteQl(self._rest, where=where)
        self._records = Records(self._rest)
        self._directory = Directory(self._ql, where=where)
        self._clock: QueryClock | None = None
        self._zone_is_wrong = False
        self._lock = threading.Lock()

    def check(self) -> Account:
        """Who we are, and per entity what the role may not read or the account does not have."""
        if self._soap:
            return self._soap.check()
        self._ql.run("SELECT t.id FROM currency t ORDER BY t.id", limit=1)
        problems: list[str] = []
        for entity, kind in KINDS.items():
            reading = self._reading(kind)
            try:
                rows = reading.one("0")
                reading.whole(rows or [{"id": "0"}])
            except ConfigError as error:
                told = f"{entity}: {error.message}; give the role {kind.permission}"
                problems.append(f"{told} and Reports > SuiteAnalytics Workbook")
                continue
            problems += self._refused_record(kind)
        problems += self._missing_fields()
        problems += self._other_problems()
        names = self._directory.subsidiaries
        name = next(iter(names.values()), "") if names else ""
        live = None if self._settings.base_url else not self._settings.is_sandbox
        return Account(name or self._settings.realm, self._settings.realm, live, tuple(problems))

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        """Everything by internal id, or what changed since, oldest change first.

        A window of changes also has the documents that changed payments and credits were
        applied to, and at its end the ids that were deleted.
        """
        kind = self._kind(entity)
        if self._soap:
            yield from self._soap.pull(kind, since, resume)
            return
        reading = self._reading(kind)
        start = Resume.read(resume, where=self._where)
        if start.phase == ROWS:
            headers = reading.all(start) if since is None else reading.changed(since, start)
            for rows, after in headers:
                yield Page(reading.whole(rows), after.text())
        if since is None or start.phase == END:
            return
        if reading.kind.touched_by and start.phase in (ROWS, TOUCHED):
            for rows, after in reading.touched(since, start):
                yield Page(reading.whole(rows), after.text())
        gone = reading.gone(since) if Can.DELETIONS in kind.can else ()
        if gone:
            yield Page([], Resume(END).text(), gone)

    def get(self, entity: str, id: str) -> bytes | None:
        kind = self._kind(entity)
        if self._soap:
            return self._soap.get(kind, id)
        reading = self._reading(kind)
        if kind.entity == "price":
            return chosen(reading.whole(reading.one(item_of(id) or "0")), id)
        if not id.removeprefix("-").isdecimal():
            return None
        rows = reading.one(id)
        return reading.whole(rows)[0] if rows else None

    def find(self, entity: str, key: str) -> bytes | None:
        """By external id, asked of the record itself; by custom field through SuiteQL."""
        kind = self._able(entity, Can.FIND)
        if self._soap:
            return self._soap.find(kind, key)
        id = self._id_of(kind, key)
        return None if id is None else self._read_back(kind, self._type(kind, id), id)

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.CREATE)
        if self._soap:
            return self._soap.create(kind, record, key)
        known = self._id_of(kind, key)
        if known is not None:
            return self._read_back(kind, self._type(kind, known), known)
        body = completed(kind, record, self._settings, self._directory, creating=True)
        type = self._new_type(kind)
        try:
            id = self._make(kind, type, body, key)
        except Conflict:
            apart = told_apart(kind, body, key)
            if apart is None:
                raise
            id = self._make(kind, type, apart, key)
        return self._read_back(kind, type, id)

    def _make(self, kind: Kind, type: str, body: Raw, key: str) -> str:
        field = self._settings.key_field
        if field and field.lower().startswith(_FIELDS.get(kind.entity, "custbody")):
            return self._records.post(type, {**body, field.lower(): key}, key)
        return self._records.put(kind, type, key, body)

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.UPDATE)
        if self._soap:
            return self._soap.update(kind, id, record)
        body = completed(kind, record, self._settings, self._directory, creating=False)
        type = self._type(kind, id)
        self._records.patch(kind, type, id, body)
        return self._read_back(kind, type, id)

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Inactive, never deleted."""
        kind = self._able(entity, Can.ARCHIVE)
        if self._soap:
            return self._soap.archive(kind, id)
        type = self._type(kind, id)
        self._records.patch(kind, type, id, {"isInactive": True})
        return self._read_back(kind, type, id)

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        """A count and, after a pull of everything, every id; how far a window reached back."""
        kind = self._able(entity, Can.PROVE)
        if self._soap:
            yield from self._soap.prove(kind, window)
            return
        yield from proofs(self._reading(kind), window)

    # parts

    def _kind(self, entity: str) -> Kind:
        if entity not in KINDS:
            raise ConfigError(
                f"netsuite has no {entity}", where=self._where, hint="it has: " + ", ".join(KINDS)
            )
        return KINDS[entity]

    def _able(self, entity: str, can: Can) -> Kind:
        kind = self._kind(entity)
        if can not in kind.can:
            raise InvalidRecord(f"netsuite: {can.name} is not possible for {entity}")
        return kind

    def _reading(self, kind: Kind) -> Reading:
        return Reading(self._ql, kind, self._settings, self._query_clock())

    def _query_clock(self) -> QueryClock:
        """Checked once, on one record: its time in SuiteQL against its time in REST."""
        with self._lock:
            if self._clock is None:
                clock = QueryClock(ZoneInfo(self._settings.query_timezone))
                told = self._one_time()
                sure = told is not None and clock.agrees(*told)
                self._clock = QueryClock(clock.zone, sure)
                self._zone_is_wrong = told is not None and not sure
            return self._clock

    def _one_time(self) -> tuple[str, datetime] | None:
        query = (
            f"SELECT t.id, TO_CHAR(t.lastmodifieddate, '{FORMAT}') AS lastmodifieddate "
            "FROM customer t WHERE t.lastmodifieddate IS NOT NULL ORDER BY t.id DESC"
        )
        try:
            rows = self._ql.run(query, limit=1).rows
            if not rows or "lastmodifieddate" not in rows[0]:
                return None
            found = self._records.fields("customer", rows[0]["id"], "lastModifiedDate")
            moment = datetime.fromisoformat(str((found or {}).get("lastModifiedDate")))
        except (InvalidRecord, ConfigError, ValueError):
            return None
        return (rows[0]["lastmodifieddate"], moment) if moment.tzinfo else None

    def _id_of(self, kind: Kind, key: str) -> str | None:
        checked(key)
        field = self._settings.key_field
        if field and field.lower().startswith(_FIELDS.get(kind.entity, "custbody")):
            rows = self._rows_by_field(kind, field.lower(), key)
            return rows[0]["id"] if rows else None
        return self._records.id_of(self._new_type(kind), key)

    def _rows_by_field(self, kind: Kind, field: str, key: str) -> list[Row]:
        """Asked again after a while: a record just made may not show in SuiteQL yet."""
        reading = self._reading(kind)
        rows = reading.by_field(field, key)
        if not rows:
            self._ports.sleep(PATIENCE_SECONDS[0])
            rows = reading.by_field(field, key)
        return rows

    def _new_type(self, kind: Kind) -> str:
        return self._settings.product_type if kind.entity == "product" else kind.rest

    def _type(self, kind: Kind, id: str) -> str:
        if kind.entity != "product":
            return kind.rest
        found = self._directory.item_type(id)
        return found or self._settings.product_type

    def _read_back(self, kind: Kind, type: str, id: str) -> bytes:
        """What was written, as a pull would give it; REST's form where SuiteQL stays behind."""
        for seconds in (0.0, *PATIENCE_SECONDS):
            if seconds:
                self._ports.sleep(seconds)
            if (found := self.get(kind.entity, id)) is not None:
                return found
        found = self._records.get(type, id)
        if found is None:
            raise ProviderDown(f"{kind.entity} {id} was written, but cannot be read back")
        return found

    def _refused_record(self, kind: Kind) -> list[str]:
        """Whether the record API shows this type at all, by asking for one that cannot exist."""
        if Can.CREATE not in kind.can:
            return []
        try:
            self._records.fields(self._new_type(kind), "0", "id")
        except AuthError as error:
            return [f"{kind.entity}: {error.message}; give the role {kind.permission}"]
        except (InvalidRecord, TryLater):
            pass
        return []

    def _missing_fields(self) -> list[str]:
        """Configured custom fields that this account (or role) does not have."""
        wanted = {each.lower() for each in self._settings.custom_fields}
        lost = {name for names in self._ql.dropped.values() for name in names} & wanted
        return [
            f"custom field {name} does not exist, or the role may not see it: it is left out"
            for name in sorted(lost)
        ]

    def _other_problems(self) -> list[str]:
        problems = []
        self._query_clock()
        if self._zone_is_wrong:
            problems.append(
                f"query_timezone {self._settings.query_timezone} is not the time zone in which "
                "SuiteQL shows times to this user; windows of changes overlap by a day until it is"
            )
        known = self._directory.subsidiaries
        if known and len(known) > 1 and not self._settings.subsidiary:
            problems.append(
                "several subsidiaries: new customers and journals need `subsidiary`, one of "
                + ", ".join(list(known)[:5])
            )
        try:
            self._ql.run("SELECT t.recordid FROM deletedrecord t ORDER BY t.recordid", limit=1)
        except InvalidRecord:
            problems.append("deletions go unnoticed: give the role Setup > Deleted Records")
        return problems


_FIELDS = {"customer": "custentity", "contact": "custentity", "product": "custitem"}


def _login(settings: NetSuiteConfig, ports: Ports, where: str) -> Auth:
    """OAuth 2.0 where a certificate is configured, else OAuth 1.0a with the account as realm."""
    if settings.has_oauth2:
        return ClientCredentials(
            settings.url.rstrip("/") + TOKENS,
            client_id=settings.client_id.strip(),
            key_id=settings.certificate_id.strip(),
            private_key=settings.private_key.get_secret_value(),
            ports=ports,
            scope=("rest_webservices",),
            where=where,
        )
    return TokenBased(
        realm=settings.realm,
        consumer_key=settings.consumer_key.strip(),
        consumer_secret=settings.consumer_secret.get_secret_value().strip(),
        token_id=settings.token_id.strip(),
        token_secret=settings.token_secret.get_secret_value().strip(),
        ports=ports,
    )
