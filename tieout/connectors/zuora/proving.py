"""A second look after a pull: all ids by Data Query, rows without a time, the callout history."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, timedelta

from tieout.core.errors import ConfigError, InvalidRecord
from tieout.rest import Request, RestClient, dig
from tieout.rest.paging import LoopGuard

from ..base import Evidence, Method, Window
from .bulk import literal, quoted
from .kinds import Kind, Source
from .objectquery import UPDATED, Asked
from .reading import Tenant
from .rows import folded, is_current, text
from .webhook import entity_of

log = logging.getLogger("tieout.zuora")

IDS_A_PORTION = 5000
PAGES_OF_HISTORY = 50
ZONE_MARGIN = timedelta(hours=14)


class Proof:
    """What Zuora itself says about a window of one entity."""

    def __init__(
        self, rest: RestClient, tenant: Tenant, kind: Kind, sources: tuple[Source, ...]
    ) -> None:
        self._rest, self._tenant, self._kind, self._sources = rest, tenant, kind, sources

    def all(self, window: Window) -> Iterator[Evidence]:
        if window.since is not None:
            minutes = self._tenant.settings.overlap_minutes
            yield Evidence(
                Method.OVERLAP,
                seconds=minutes * 60,
                note=f"changes are read from {minutes} minutes before the last pull began",
            )
        yield from self._ids(window)
        yield from self._sweep()
        yield from self._feed(window)

    def _ids(self, window: Window) -> Iterator[Evidence]:
        """Every id that there is, sorted, in portions; nothing where it can't be had whole."""
        if self._tenant.settings.data_query == "no":
            return
        note = "Data Query: all ids of " + ", ".join(s.table for s in self._sources)
        portion: list[str] = []
        try:
            for id in self._every_id(int(window.began.timestamp())):
                portion.append(id)
                if len(portion) == IDS_A_PORTION:
                    yield self._portion(window, portion, note)
                    portion = []
        except (InvalidRecord, ConfigError) as error:
            log.warning("%s: no list of ids: %s", self._kind.entity, error.message)
            return
        yield self._portion(window, portion, note, whole=True)

    @staticmethod
    def _portion(window: Window, ids: list[str], note: str, *, whole: bool = False) -> Evidence:
        return Evidence(Method.IDS, bound=window.began, ids=tuple(ids), whole=whole, note=note)

    def _every_id(self, bound: int) -> Iterator[str]:
        for source in self._sources:
            after, most = "", self._tenant.settings.bulk_rows
            while True:
                count = 0
                for id in self._some_ids(source, bound, after):
                    count, after = count + 1, id
                    yield id
                if count < most:
                    break

    def _some_ids(self, source: Source, bound: int, after: str) -> Iterator[str]:
        """In order, beyond `after`; as many as one query gives."""
        if self._kind.entity == "price":
            yield from self._price_ids(source, bound, after)
            return
        field = f"p.{source.id}"
        where = f"p.createddate <= {literal(bound)}"
        if after:
            where += f" and {field} > '{quoted(after)}'"
        if source.where:
            where += f" and {source.where}"
        sql = f"select distinct {field} from {source.table} p where {where} order by {field}"
        for row in self._tenant.data.rows(source.table, sql):
            yield text(row, source.id)

    def _price_ids(self, source: Source, bound: int, after: str) -> Iterator[str]:
        """A charge in several currencies is one price for each."""
        sql = (
            "select p.id, c.currency from productrateplancharge p "
            "left join productrateplanchargetier c on c.productrateplanchargeid = p.id "
            f"where p.createddate <= {literal(bound)}"
            + (f" and p.id > '{quoted(after.partition(':')[0])}'" if after else "")
            + " order by p.id"
        )
        charge, currencies = "", set[str]()
        for row in self._tenant.data.rows(source.table, sql):
            if text(row, "id") != charge:
                yield from _by_currency(charge, currencies)
                charge, currencies = text(row, "id"), set()
            if currency := text(row, "currency"):
                currencies.add(currency)
        yield from _by_currency(charge, currencies)

    def _sweep(self) -> Iterator[Evidence]:
        """Rows that a filter by time of change would never bring."""
        for source in self._sources:
            if not source.resource:
                continue
            asked = Asked(source.resource, (f"{UPDATED}.EQ:null",))
            try:
                rows = [folded(row) for row in self._tenant.query.rows(asked)]
            except (InvalidRecord, ConfigError):
                continue  # not a filter that this resource takes
            ids = tuple(text(row, source.id) for row in rows if is_current(row))
            yield Evidence(Method.SWEEP, ids=ids, note=f"{source.resource} without updatedDate")

    def _feed(self, window: Window) -> Iterator[Evidence]:
        """What Zuora has called out about, delivered or not, as far as it still exists.

        The history's times tell no zone, so what may lie after the pull is left out.
        """
        since = (window.since or window.began - timedelta(days=1)) - ZONE_MARGIN
        asked = Request(
            "GET",
            "/v1/notification-history/callout",
            {
                "startTime": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
                "endTime": f"{window.began.astimezone(UTC) - ZONE_MARGIN:%Y-%m-%dT%H:%M:%S}",
                "failedOnly": False,
                "pageSize": 40,
            },
        )
        try:
            ids = tuple(self._alive(list(dict.fromkeys(self._called(asked)))))
        except (InvalidRecord, ConfigError) as error:
            log.info("no callout history: %s", error.message)
            return
        if ids:
            yield Evidence(Method.FEED, ids=ids, note="the callout history names them")

    def _alive(self, ids: list[str]) -> Iterator[str]:
        for source in self._sources:
            if source.resource and ids:
                rows = self._tenant.query.of(source.resource, source.id, ids)
                yield from dict.fromkeys(text(folded(row), source.id) for row in rows)

    def _called(self, asked: Request) -> Iterator[str]:
        guard, page = LoopGuard(asked), 1
        while page <= PAGES_OF_HISTORY:
            told = self._rest.send(asked.with_params(page=guard.check(str(page))))
            for row in (told or {}).get("calloutHistories") or []:
                if id := self._named(row):
                    yield id
            if not dig(told, "nextPage"):
                return
            page += 1

    def _named(self, row: dict[str, object]) -> str:
        context = row.get("eventContext")
        fields = context if isinstance(context, dict) else {}
        event = str(fields.get("<Event.Category>") or row.get("eventCategory") or "")
        if entity_of(event) != self._kind.entity:
            return ""
        if self._kind.entity == "subscription":
            return str(fields.get("<Subscription.SubscriptionName>") or "")
        if self._kind.entity == "contract":
            return str(fields.get("<Order.OrderNumber>") or "")
        return str(fields.get("<Object.ID>") or "")


def _by_currency(charge: str, currencies: set[str]) -> Iterator[str]:
    if len(currencies) > 1:
        yield from (f"{charge}:{currency}" for currency in sorted(currencies))
    elif charge:
        yield charge
