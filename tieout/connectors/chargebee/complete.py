"""Makes documents whole: Chargebee pages the lines of big invoices and credit notes.

`line_items_next_offset` in a document means that its lines go on; they are read with
`line_items_offset` and put together, and the mark is taken away. All other documents keep
Chargebee's own bytes. https://apidocs.chargebee.com/docs/api/invoices#retrieve_an_invoice
"""

from __future__ import annotations

from typing import Any

from tieout.core.errors import StopRun
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, json, segment

from .kinds import API, Source
from .listing import single

MARK = "line_items_next_offset"
_PREFIX = "line_item"  # line_items, line_item_taxes, line_item_discounts, line_item_tiers, ...


def completed(rest: RestClient, source: Source, record: bytes) -> bytes:
    """The document with all of its lines; what cannot be understood is left as it is."""
    if MARK.encode() not in record:
        return record
    try:
        document = json.decode(record)
    except ValueError:
        return record
    if not isinstance(document, dict) or not document.get(MARK):
        return record
    seen = set[str]()
    while offset := document.pop(MARK, None):
        if str(offset) in seen:
            raise StopRun(f"the lines of {source.name} {document.get('id')} run in a circle")
        seen.add(str(offset))
        _take(document, _more(rest, source, str(document.get("id")), str(offset)))
    return json.encode(document)


def _more(rest: RestClient, source: Source, id: str, offset: str) -> dict[str, Any]:
    asked = Request("GET", f"{API}{source.path}/{segment(id)}", {"line_items_offset": offset})

    def parsed(answer: HttpAnswer) -> dict[str, Any]:
        found: dict[str, Any] = json.decode(single(answer, source.name))
        return found

    return rest.read(asked, parsed)


def _take(document: dict[str, Any], page: dict[str, Any]) -> None:
    """The page's lines and what belongs to them. A row that is there already is not doubled."""
    for name, rows in page.items():
        if not name.startswith(_PREFIX) or not isinstance(rows, list):
            continue
        held = document.setdefault(name, [])
        known = {json.encode_stable(row) for row in held}
        held += [row for row in rows if json.encode_stable(row) not in known]
    document[MARK] = page.get(MARK)
