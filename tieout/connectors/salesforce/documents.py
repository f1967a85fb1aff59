"""Creating what takes several calls: contracts and orders are made as drafts, then activated.

Each step looks at what is there, so that a create which broke off is finished by the next one.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_order.htm
"""

from __future__ import annotations

from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord

from ..base import Raw
from . import soql
from .kinds import Part
from .org import Org
from .reading import Reading, one_of
from .rows import Row
from .writing import Writing, lines_of

DRAFT = "Draft"


class Documents:
    """Contracts and orders of one org."""

    def __init__(self, org: Org, part: Part) -> None:
        self.org, self.part = org, part
        self.writing, self.reading = Writing(org, part), Reading(org, part)

    def create(self, record: Raw, key: str) -> str:
        """Draft, lines, activation; the record's id."""
        name = self.part.lines.name if self.part.lines else ""
        body, lines = lines_of(record, name)
        wanted = body.pop("Status", DRAFT)
        held = one_of(self.reading.by_key(key), key)
        if held is None:
            id = self.writing.upsert({**self._defaults(body, lines), "Status": DRAFT}, key)
        else:
            id = str(held["Id"])
        if held is None or is_draft(held):
            self._add_lines(id, lines)
            if wanted != DRAFT:
                self.writing.patch(id, {"Status": wanted})
        return id

    def _defaults(self, body: Raw, lines: list[Row]) -> Raw:
        """An order with lines needs the price book that all of its prices are in."""
        if not lines or "Pricebook2Id" in body:
            return body
        ids = sorted({str(line.get("PricebookEntryId") or "") for line in lines})
        text = soql.select(["Id", "Pricebook2Id"], "PricebookEntry", f"Id IN {soql.listed(ids)}")
        books = {row["Pricebook2Id"] for row in self.org.library.rows(text)}
        if len(books) != 1:
            raise InvalidRecord(
                f"the order's prices are in {len(books)} price books, not in one",
                hint="an order in Salesforce has one price book, and each line a price of it",
            )
        return {**body, "Pricebook2Id": books.pop()}

    def _add_lines(self, id: str, lines: list[Row]) -> None:
        place = self.part.lines
        if not lines or place is None:
            return
        where = f"{place.parent} = {soql.quoted(id)}"
        text = soql.select(["Id"], place.object, where)
        if next(self.org.library.rows(text), None) is None:
            self.writing.add(place.object, [{**line, place.parent: id} for line in lines])


class Prices:
    """Price book entries: of the standard price book, or of another one after it."""

    def __init__(self, org: Org, part: Part) -> None:
        self.org, self.part = org, part
        self.writing = Writing(org, part)

    def create(self, record: Raw, key: str) -> str:
        standard = self._standard()
        book = record.get("Pricebook2Id") or self.org.settings.pricebook_id or standard
        body = {**record, "Pricebook2Id": book}
        held = self.org.schema.object("PricebookEntry").fields
        if "CurrencyIsoCode" not in held:
            body.pop("CurrencyIsoCode", None)
        if book != standard and not self._has_standard(body, standard):
            self.writing.upsert({**body, "Pricebook2Id": standard}, f"{key}-standard")
        return self.writing.upsert(body, key)

    def _standard(self) -> str:
        text = soql.select(["Id"], "Pricebook2", "IsStandard = true")
        found = next(self.org.library.rows(text), None)
        if found is None:
            raise ConfigError(
                "the org shows no standard price book",
                where=self.org.where,
                hint="activate it in Setup > Product Settings, and give the user Read on it",
            )
        return str(found["Id"])

    def _has_standard(self, body: Raw, standard: str) -> bool:
        """Salesforce takes no price in another book before the product has a standard one."""
        where = (
            f"Pricebook2Id = {soql.quoted(standard)} "
            f"AND Product2Id = {soql.quoted(str(body.get('Product2Id') or ''))}"
        )
        if code := body.get("CurrencyIsoCode"):
            where += f" AND CurrencyIsoCode = {soql.quoted(str(code))}"
        text = soql.select(["Id"], "PricebookEntry", where)
        return next(self.org.library.rows(text), None) is not None


def is_draft(row: Row | dict[str, Any]) -> bool:
    """Not yet activated: perhaps not yet finished either."""
    return (row.get("StatusCode") or row.get("Status")) in (DRAFT, "D")
