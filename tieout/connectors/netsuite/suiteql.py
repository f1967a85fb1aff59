"""SuiteQL over REST: rows of queries whose columns may not all exist in this account.

One call gives at most 1,000 rows, and offsets end at 100,000, so nothing here pages by offset:
callers walk by key. A field that the role can't see makes the whole query fail, therefore
optional columns are dropped when NetSuite names them, and remembered.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tieout.core.errors import ConfigError, InvalidRecord, NotFound
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient
from tieout.rest.json import decode
from tieout.rest.request import as_text

log = logging.getLogger("tieout.netsuite")
Row = dict[str, str]

PATH = "/services/rest/query/v1/suiteql"
MOST_ROWS = 1000
_QUOTED = re.compile(r"(?:field|identifier|column|record|table)\s+['\"]([\w.]+)['\"]", re.I)
_BARE = re.compile(r"(?:unknown identifier|invalid identifier|unknown field):?\s+([\w.]+)", re.I)


@dataclass(frozen=True)
class Column:
    """`name` is how it comes back; `join` the joined table that it needs, by its key."""

    expression: str
    name: str
    needed: bool = False
    join: str = ""

    def is_called(self, name: str) -> bool:
        return re.search(rf"\b{re.escape(name)}\b", self.expression, re.I) is not None


@dataclass(frozen=True)
class Select:
    """A query without its WHERE. `joins`: key -> (table, its JOIN clause)."""

    name: str
    table: str
    columns: tuple[Column, ...]
    joins: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def text(self, where: str, order: str, dropped: frozenset[str] = frozenset()) -> str:
        kept = [each for each in self.columns if each.name not in dropped]
        shown = ", ".join(f"{each.expression} AS {each.name}" for each in kept)
        used = {each.join for each in kept}
        joined = " ".join(clause for key, (_, clause) in self.joins.items() if key in used)
        return f"SELECT {shown} FROM {self.table} {joined} WHERE {where} ORDER BY {order}"

    def blamed(self, message: str, dropped: frozenset[str]) -> frozenset[str]:
        """The optional columns that an error text speaks of."""
        told = [name.rpartition(".")[2].lower() for name in _QUOTED.findall(message)]
        told += [name.rpartition(".")[2].lower() for name in _BARE.findall(message)]
        found: set[str] = set()
        for each in self.columns:
            if each.needed or each.name in dropped:
                continue
            table = self.joins[each.join][0] if each.join else ""
            whole_table = bool(table) and told[:1] == [table]
            if whole_table or any(each.is_called(name) for name in told):
                found.add(each.name)
        return frozenset(found)


@dataclass(frozen=True)
class Listing:
    rows: list[Row]
    has_more: bool


class SuiteQl:
    """Runs queries. `dropped` says per query which optional columns this account lacks."""

    def __init__(self, rest: RestClient, *, where: str) -> None:
        self._rest, self._where = rest, where
        self.dropped: dict[str, frozenset[str]] = {}

    def run(self, query: str, params: Sequence[str] = (), *, limit: int = MOST_ROWS) -> Listing:
        """One answer. InvalidRecord where NetSuite refuses the query."""
        body: dict[str, object] = {"q": query}
        if params:
            body["params"] = list(params)
        asked = Request(
            "POST",
            PATH,
            {"limit": limit, "offset": 0},
            json=body,
            headers={"Prefer": "transient"},
            reads=True,
        )
        return self._rest.read(asked, _listing)

    def ask(
        self, select: Select, where: str, params: Sequence[str], order: str, *, limit: int
    ) -> Listing:
        """Rows of a select, without the columns that don't exist here.

        ConfigError where even the needed columns are refused: a permission is missing.
        """
        probed = False
        while True:
            dropped = self.dropped.get(select.name, frozenset())
            try:
                return self.run(select.text(where, order, dropped), params, limit=limit)
            except NotFound:
                raise
            except InvalidRecord as error:
                more = select.blamed(error.message, dropped)
                if not more and not probed:
                    more, probed = self._probe(select, dropped), True
                if not more:
                    raise ConfigError(
                        f"NetSuite refuses to show {select.name}: {error.message}",
                        where=self._where,
                        hint="give the role SuiteAnalytics Workbook and the list or transaction "
                        "permission (docs/providers/netsuite.md)",
                    ) from None
                loud = any(name.startswith("cust") for name in more)  # a person asked for it
                level = logging.WARNING if loud else logging.INFO
                log.log(level, "%s: no column %s", select.name, ", ".join(sorted(more)))
                self.dropped[select.name] = dropped | more

    def _probe(self, select: Select, dropped: frozenset[str]) -> frozenset[str]:
        """Column by column, where the error named none: which ones spoil the query?"""
        optional = {each.name for each in select.columns if not each.needed} - dropped
        if not self._works(select, dropped | optional):
            return frozenset()
        return frozenset(
            name for name in optional if not self._works(select, dropped | (optional - {name}))
        )

    def _works(self, select: Select, dropped: frozenset[str]) -> bool:
        first = next(each.expression for each in select.columns if each.needed)
        try:
            self.run(select.text("1 = 1", first, dropped), limit=1)
        except InvalidRecord:
            return False
        return True


def _listing(answer: HttpAnswer) -> Listing:
    """Rows with lower-case keys and without nulls. ValueError: the answer is torn."""
    told = decode(answer.body)
    items = told.get("items") if isinstance(told, dict) else None
    if not isinstance(items, list) or not isinstance(told.get("hasMore"), bool):
        raise ValueError("this is no page of rows")
    return Listing([_row(item) for item in items], told["hasMore"])


def _row(item: object) -> Row:
    if not isinstance(item, dict):
        raise ValueError("a row is an object")
    return {
        str(key).lower(): value if isinstance(value, str) else as_text(value)
        for key, value in item.items()
        if value is not None and key != "links"
    }
