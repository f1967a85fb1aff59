"""Runs SOQL for the REST API: pages, query locators, sub-selects, aggregates.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import SandboxClock
from .compiling import Compiler
from .errors import Refusal
from .objects import address_of
from .plan import Node, Select, Shown
from .soql import malformed, parse
from .store import Store
from .wire import Request

LOCATOR_LIFE = timedelta(days=2)
_LONGEST = 100_000


@dataclass
class Locator:
    """A result that is being paged through: which records, in which order, shown how."""

    select: Select
    ids: Sequence[str]
    page: int
    made: datetime
    all_rows: bool


class Queries:
    """One org's queries. A result's records and their order are fixed when it was asked for;
    their values are read when their page is."""

    def __init__(
        self, store: Store, clock: SandboxClock, rng: random.Random, zone: ZoneInfo, page: int
    ) -> None:
        self.store, self.clock, self.rng, self.zone = store, clock, rng, zone
        self.largest_page = page
        self.locators: dict[str, Locator] = {}
        self.refusals: list[tuple[str, str]] = []

    def compiler(self, *, all_rows: bool, bulk: bool = False) -> Compiler:
        return Compiler(self.store, self.clock.now(), self.zone, all_rows, bulk)

    def ask(self, request: Request, version: str, *, all_rows: bool) -> dict[str, Any]:
        """The first page. Raises Refusal."""
        text = request.param("q")
        if not text.strip():
            raise malformed("SOQL statement is empty")
        if len(text) > _LONGEST:
            raise Refusal("QUERY_TOO_COMPLICATED", "SOQL statement is too long")
        return self.run(text, version, all_rows=all_rows, page=self._page(request))

    def run(
        self, text: str, version: str, *, all_rows: bool = False, page: int = 0
    ) -> dict[str, Any]:
        """The first page of a query. Raises Refusal."""
        select = self.compiler(all_rows=all_rows).compile(parse(text))
        if self.refusals:
            raise Refusal(*self.refusals.pop(0))
        if select.count_only:
            return self._count(select)
        if select.aggregate:
            return self._groups(select)
        ids = [row[0] for row in self.store.db.execute(select.ids_sql(), select.params)]
        locator = Locator(select, ids, page or self.largest_page, self.clock.now(), all_rows)
        return self._answer("", locator, 0, version)

    def more(self, key: str, version: str) -> dict[str, Any]:
        """The page that a nextRecordsUrl points at. Raises Refusal (INVALID_QUERY_LOCATOR)."""
        now = self.clock.now()
        self.locators = {
            id: one for id, one in self.locators.items() if now - one.made < LOCATOR_LIFE
        }
        name, _, start = key.partition("-")
        locator = self.locators.get(name)
        if locator is None or not start.isdigit() or not 0 <= int(start) < len(locator.ids):
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._answer(name, locator, int(start), version)

    def _page(self, request: Request) -> int:
        wish = request.header("sforce-query-options").replace(" ", "").lower()
        _, _, size = wish.partition("batchsize=")
        if not size.isdigit():
            return self.largest_page
        return min(max(int(size), min(200, self.largest_page)), self.largest_page)

    def _count(self, select: Select) -> dict[str, Any]:
        total = self.store.db.execute(
            f"SELECT count(*) {select.source} WHERE {select.where}", select.params
        ).fetchone()[0]
        if select.limit is not None:
            total = min(total, select.limit)
        return {"totalSize": total, "done": True, "records": []}

    def _groups(self, select: Select) -> dict[str, Any]:
        sql = f"SELECT 0, {', '.join(select.columns)} {select.source} WHERE {select.where}"
        if select.query.group:
            sql += f" GROUP BY {select.group}"
        if select.order:
            sql += f" ORDER BY {select.order}" if select.query.order else ""
        limit = 2001 if select.limit is None else select.limit
        rows = self.store.db.execute(
            f"{sql} LIMIT {limit} OFFSET {select.offset}", select.params
        ).fetchall()
        if select.limit is None and len(rows) > 2000:
            raise Refusal(
                "EXCEEDED_ID_LIMIT", "Aggregate query does not support queryMore(), use LIMIT"
            )
        records = [
            {"attributes": {"type": "AggregateResult"}}
            | {one.key: one.show(row[one.at]) for one in select.root.shown}
            for row in rows
        ]
        return {"totalSize": len(records), "done": True, "records": records}

    def _answer(self, name: str, locator: Locator, start: int, version: str) -> dict[str, Any]:
        end = start + locator.page
        ids = locator.ids[start:end]
        answer: dict[str, Any] = {"totalSize": len(locator.ids), "done": end >= len(locator.ids)}
        if not answer["done"]:
            name = name or self._keep(locator)
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{name}-{end}"
        records = self.records(locator.select, ids, version, locator.page, locator.all_rows)
        answer["records"] = list(records)
        return answer

    def _keep(self, locator: Locator) -> str:
        letters = string.ascii_letters + string.digits
        name = "0r8" + "".join(self.rng.choices(letters, k=15))
        self.locators[name] = locator
        return name

    def records(
        self, select: Select, ids: Sequence[str], version: str, page: int, all_rows: bool
    ) -> Iterator[dict[str, Any]]:
        """The records of these ids, in this order; one that has gone since is left out."""
        alive = "" if all_rows else " AND t._deleted IS NULL"
        listed = json.dumps(list(ids))
        rows = {row[0]: row for row in self.store.db.execute(select.rows_sql() + alive, (listed,))}
        subs = {
            one.key: self._children(one.sub, listed, version, page, all_rows)
            for one in select.root.shown
            if one.sub is not None
        }
        for id in ids:
            if id in rows:
                yield self._record(select.root, rows[id], version, subs, id)

    def _record(
        self, node: Node, row: Sequence[Any], version: str, subs: dict[str, Any], id: str
    ) -> dict[str, Any]:
        name = node.type.name
        record: dict[str, Any] = {
            "attributes": {
                "type": name,
                "url": f"/services/data/v{version}/sobjects/{name}/{id}",
            }
        }
        for one in node.shown:
            record[one.key] = self._value(one, row, version, subs, id)
        return record

    def _value(
        self, one: Shown, row: Sequence[Any], version: str, subs: dict[str, Any], id: str
    ) -> Any:
        if one.node is not None:
            parent = row[one.node.id_at]
            return None if parent is None else self._record(one.node, row, version, {}, parent)
        if one.sub is not None:
            return subs[one.key].get(id)
        if one.field is not None and one.parts:
            return compound(one, row)
        return one.show(row[one.at])

    def _children(
        self, sub: Select, parents: str, version: str, page: int, all_rows: bool
    ) -> dict[str, Any]:
        """By parent, what a sub-select answers; a parent without children is not in it."""
        assert sub.parent_field is not None
        sql = sub.rows_sql(
            f'({sub.where}) AND t."{sub.parent_field.name}" IN (SELECT value FROM json_each(?)) '
            f"ORDER BY {sub.order}"
        )
        found: dict[str, list[Any]] = {}
        for row in self.store.db.execute(sql, [*sub.params, parents]):
            found.setdefault(row[-1], []).append(row)
        answers = {}
        for parent, rows in found.items():
            end = None if sub.limit is None else sub.offset + sub.limit
            kept = rows[sub.offset : end]
            if kept:
                answers[parent] = self._child_page(sub, kept, version, page, all_rows)
        return answers

    def _child_page(
        self, sub: Select, rows: list[Any], version: str, page: int, all_rows: bool
    ) -> dict[str, Any]:
        shown = [self._record(sub.root, row, version, {}, row[0]) for row in rows[:page]]
        answer: dict[str, Any] = {"totalSize": len(rows), "done": len(rows) <= page}
        if not answer["done"]:
            locator = Locator(sub, [row[0] for row in rows], page, self.clock.now(), all_rows)
            name = self._keep(locator)
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{name}-{page}"
        answer["records"] = shown
        return answer


def compound(one: Shown, row: Sequence[Any]) -> dict[str, Any] | None:
    """A compound address out of its parts."""
    assert one.field is not None
    parts = {name: row[at] for name, at in one.parts.items()}
    return address_of(parts, one.field.name)
