"""A record as GET shows it: links, references with their names, sublists inline or as links."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import applying
from .body import name_of
from .books import Body, Books, Record, ref_id
from .catalog import Fields
from .money import rate_of

ROOT = "/services/rest/record/v1"


def link(base: str, path: str, rel: str = "self") -> dict[str, str]:
    return {"rel": rel, "href": f"{base}{ROOT}/{path}"}


def shown(
    books: Books,
    record: Record,
    base: str,
    *,
    inline: bool = False,
    fields: str = "",
    asked: str = "",
) -> Body:
    """The answer to GET. `fields` selects body fields; sublists cannot be selected."""
    path = f"{record.type.path}/{record.id}"
    body = {"links": [link(base, asked or path)], **live(books, record)}
    if fields:
        wanted = {name.strip().lower() for name in fields.split(",")}
        return {
            key: value
            for key, value in body.items()
            if key == "links" or (key.lower() in wanted and key not in record.type.sublists)
        }
    if record.made:
        body |= _referenced(books, base, record.type.fields, body)
    for name in record.type.sublists:
        if not inline:
            if name in body or record.made:
                body[name] = {"links": [link(base, f"{path}/{name}")]}
        elif record.made:
            body[name] = subresource(books, record, name, base)
    return body


def subresource(books: Books, record: Record, name: str, base: str) -> Body:
    """One sublist with its lines, as /{type}/{id}/{sublist} or expandSubResources shows it."""
    sublist = record.type.sublists[name]
    if not record.made and isinstance(record.body.get(name), dict):
        return dict(record.body[name])
    lines = record.lines(name)
    if name == "apply":
        lines += _candidates(books, record, {ref_id(line.get("doc")) for line in lines})
    items = [{**line, **_referenced(books, base, sublist.fields, line)} for line in lines]
    return {
        "links": [link(base, f"{record.type.path}/{record.id}/{name}")],
        "items": items,
        "totalResults": len(items),
    }


def _candidates(books: Books, record: Record, present: set[str]) -> list[Body]:
    """Open documents of the same customer: NetSuite lists them too, not applied."""
    found: list[Body] = []
    targets = applying.TARGETS.get(record.type.name, ())
    for document_id in books.of_entity.get(record.indexed[1], {}):
        document = books.find("transaction", document_id)
        if document is None or document.type.name not in targets or document_id in present:
            continue
        same = ref_id(document.body.get("currency")) == ref_id(record.body.get("currency"))
        if not same or not (due := applying.open_amount(books, document)):
            continue
        found.append(
            {
                "doc": {"id": document.id, "refName": name_of(document)},
                "apply": False,
                "due": due,
                "total": applying.gross(document),
                "refNum": str(document.body.get("tranId") or ""),
                "type": document.type.label,
                "line": len(present) + len(found) + 1,
            }
        )
    return found


def live(books: Books, record: Record) -> Body:
    """The body with the balance that a customer has now."""
    if record.type.name != "customer" or not (record.made or record.id in books.moved):
        return record.body
    return {**record.body, "balance": balance(books, record)}


def balance(books: Books, customer: Record) -> Decimal:
    """What the customer owes: open invoices less unused payments and credits."""
    owed = Decimal(0)
    own = ref_id(customer.body.get("currency"))
    for document_id in books.of_entity.get(customer.id, {}):
        document = books.find("transaction", document_id)
        sign = _OWED.get(document.type.name, 0) if document is not None else 0
        if document is None or not sign:
            continue
        amount = sign * applying.open_amount(books, document)
        same = ref_id(document.body.get("currency")) == own
        owed += amount if same else amount * rate_of(books, document.body)
    return owed


_OWED = {"invoice": 1, "creditMemo": -1, "customerPayment": -1}


def _referenced(books: Books, base: str, fields: Fields, values: Body) -> dict[str, Any]:
    """The references among `values`, each with a link to what it means."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        kind = fields.get(name, "")
        if not kind.startswith("ref:") or not isinstance(value, dict) or not ref_id(value):
            continue
        meant = books.find(kind[4:], ref_id(value))
        if meant is not None:
            found[name] = {"links": [link(base, f"{meant.type.path}/{meant.id}")], **value}
    return found
