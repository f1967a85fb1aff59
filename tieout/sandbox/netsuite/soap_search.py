"""Searches over SOAP: a search is kept under its searchId and carried out for every page.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3523074.html
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from . import applying
from .books import Books, Record, entity_of, ref_id
from .catalog import TYPES
from .soap_criteria import Criteria
from .soap_errors import Fault, Problem
from .soap_read import type_named
from .soap_words import SEARCHES, SOAP_TYPES
from .soap_write import Writer, children, local, local_name, midnight

KEPT = timedelta(minutes=15)


@dataclass(frozen=True)
class Preferences:
    """The header searchPreferences; without it bodies come without their sublists."""

    body_only: bool = True
    page_size: int = 1000


@dataclass
class Search:
    """A search that is carried out anew for every page; `columns` where rows were asked for."""

    criteria: Criteria
    columns: tuple[str, ...]
    kind: str
    size: int
    body_only: bool
    used: datetime


class Searches:
    """The searches of an account; whoever calls holds the stand-in's lock."""

    def __init__(self, books: Books, rng: random.Random, account: str) -> None:
        self.books, self.rng, self.account = books, rng, account
        self.kept: dict[str, Search] = {}

    def start(self, record: Element, wishes: Preferences) -> tuple[str, Search]:
        """Raises Fault or Problem."""
        kind = type_named(record)
        name = kind.removesuffix("Advanced").removesuffix("Basic").removesuffix("Search")
        if name not in SEARCHES:
            raise Fault.schema(f"{kind} is not a search of this endpoint")
        criteria, columns = _parts(record, kind) if SEARCHES[name] else (None, ())
        now = self.books.clock.now()
        search = Search(
            Criteria(self.books, criteria), columns, name, wishes.page_size, wishes.body_only, now
        )
        id = f"WEBSERVICES_{self.account}_{self.rng.randbytes(16).hex()}"
        live = {key: one for key, one in self.kept.items() if now - one.used <= KEPT}
        self.kept = {**live, id: search}
        return id, search

    def again(self, id: str) -> Search:
        """An id that was not used for a while is forgotten. Raises Problem."""
        search, now = self.kept.get(id), self.books.clock.now()
        if search is None or now - search.used > KEPT:
            raise Problem("INVALID_JOB_ID", "The search ID is invalid or has expired.")
        search.used = now
        return search

    def found(self, search: Search) -> list[Record]:
        """What matches now, once for each row."""
        records = list(self._matching(search.kind, search.criteria))
        by_line = search.kind == "Transaction" and search.criteria.main_line is not True
        if search.columns and by_line:
            return [record for record in records for _ in range(1 + _line_count(record))]
        return records

    def _matching(self, name: str, criteria: Criteria) -> Iterator[Record]:
        for type_name in SEARCHES[name]:
            if criteria.types is not None and type_name not in criteria.types:
                continue
            held = self.books.all_of(TYPES[type_name.lower()])
            if criteria.ids is None:
                candidates = list(held.values())
            else:
                candidates = [held[id] for id in criteria.ids if id in held]
            yield from sorted(filter(criteria.match, candidates), key=lambda one: int(one.id))

    def write(self, parent: Element, writer: Writer, id: str, search: Search, page: int) -> None:
        """The searchResult's children after its status. Raises Problem for a page that isn't."""
        found = self.found(search)
        total, pages = len(found), ceil(len(found) / search.size)
        if page < 1 or page > max(pages, 1):
            raise Problem("INVALID_SEARCH_PAGE_INDEX", f"There is no page {page}.")
        for name, value in (
            ("totalRecords", total),
            ("pageSize", search.size),
            ("totalPages", pages),
            ("pageIndex", page),
            ("searchId", id),
        ):
            SubElement(parent, writer.tag("core", name)).text = str(value)
        cut = found[(page - 1) * search.size : page * search.size]
        if search.columns:
            rows = SubElement(parent, writer.tag("core", "searchRowList"))
            for record in cut:
                self._row(rows, writer, search, record)
        else:
            held = SubElement(parent, writer.tag("core", "recordList"))
            for record in cut:
                tag = writer.tag("core", "record")
                writer.record(held, tag, record, body_only=search.body_only)

    def _row(self, rows: Element, writer: Writer, search: Search, record: Record) -> None:
        prefix = SOAP_TYPES[record.type.name].space
        prefix = "tranSales" if search.kind == "Transaction" else prefix
        row = SubElement(
            rows,
            writer.tag("core", "searchRow"),
            writer.kind(prefix, f"{search.kind}SearchRow"),
        )
        basic = SubElement(row, writer.tag(prefix, "basic"))
        for name in search.columns:
            value = _cell(self.books, record, name)
            if value is None:
                continue
            column = SubElement(basic, writer.tag("common", name))
            ids = {"internalId": value[1]} if value[0] == "ref" else {}
            shown = SubElement(column, writer.tag("core", "searchValue"), ids)
            if value[0] != "ref":
                shown.text = value[1]


def _parts(record: Element, kind: str) -> tuple[Element | None, tuple[str, ...]]:
    """The `basic` criteria and the names of the columns, in the schema's (alphabetical) order."""
    if kind.endswith("SearchBasic"):
        return record, ()
    if not kind.endswith("Advanced"):
        return _basic(record), ()
    if record.get("savedSearchId") or record.get("savedSearchScriptId"):
        raise Problem("INVALID_SEARCH", "There is no such saved search.")
    criteria = next(iter(children(record, "criteria")), None)
    columns = next(iter(children(record, "columns")), None)
    chosen = _basic(columns) if columns is not None else None
    names = [local_name(each) for each in chosen] if chosen is not None else []
    return (_basic(criteria) if criteria is not None else None), tuple(sorted(names, key=str.lower))


def _basic(element: Element) -> Element | None:
    for child in element:
        if local_name(child) != "basic":
            said = f"The stand-in does not join {local_name(child)}."
            raise Problem("INVALID_SEARCH_JOIN_ID", said)
    return next(iter(element), None)


def _line_count(record: Record) -> int:
    return sum(len(record.lines(name)) for name in record.type.sublists)


def _cell(books: Books, record: Record, name: str) -> tuple[str, Any] | None:
    """("ref" or "text", value) of a search column; None where it is empty."""
    body = record.body
    if name == "internalId":
        return "ref", record.id
    if name == "closeDate":
        settled = record.type.name == "invoice" and not applying.open_amount(books, record)
        day = local(record.modified)[:10]
        return ("text", midnight(day)) if settled else None
    if name in ("dateCreated", "created"):
        return "text", local(record.created)
    if name == "lastModifiedDate":
        return "text", local(record.modified)
    if name == "entity":
        return ("ref", entity_of(record)) if entity_of(record) else None
    value = body.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, dict):
        return "ref", ref_id(value)
    if isinstance(value, bool):
        return "text", "true" if value else "false"
    if name in ("tranDate", "dueDate"):
        return "text", midnight(str(value))
    return "text", str(value)
