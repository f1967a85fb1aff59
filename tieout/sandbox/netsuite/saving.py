"""Creating, changing, deleting, voiding: each either happens whole or not at all."""

from __future__ import annotations

import copy
from collections.abc import Collection
from decimal import Decimal

from . import applying, calendar, masters, postings
from .books import Body, Books, Record, applications, decimal, instant, ref_id
from .catalog import TRANSACTIONS, RecordType
from .errors import user_error
from .sublists import merge


def create(books: Books, type: RecordType, fields: Body) -> Record:
    """A new record of clean fields (see body.Reader). Raises Refusal; then nothing was made."""
    body = _overlaid(type, {}, fields, ())
    complete(books, type, body, None)
    now = books.clock.now()
    _refuse_taken(books, type, body, None)
    record = Record(type, books.new_id(type), {"id": "", **body}, now, now)
    record.body["id"] = record.id
    _stamp(record)
    books.put(record)
    books.reindex(record)
    applying.settle(books, {}, postings.settled_by(record))
    _mark_deposited(books, record)
    return record


def update(books: Books, record: Record, fields: Body, replace: Collection[str]) -> Record:
    """Change a record. Raises Refusal; then nothing was changed."""
    _refuse_locked(books, record, fields)
    body = _overlaid(record.type, copy.deepcopy(record.body), fields, replace)
    _refuse_taken(books, record.type, body, record)
    if applying.status_letter(record) == "V" and record.type.is_transaction:
        raise user_error("A voided transaction cannot be edited.")
    if not (record.type.is_transaction and postings.only_words(fields)):
        complete(books, record.type, body, record)
    before = postings.settled_by(record)
    was = record.external_id
    record.body = body
    if was.lower() != record.external_id.lower():
        books.release(record, was)
    _stamp(record)
    books.touch(record)
    books.claim(record, record.external_id)
    books.reindex(record)
    applying.settle(books, before, postings.settled_by(record))
    _mark_deposited(books, record)
    return record


def delete(books: Books, record: Record) -> None:
    """Take a record away and log it in deletedrecord. Raises Refusal if others need it."""
    if record.type.is_transaction:
        calendar.refuse_closed(calendar.period_of(books, record))
        if books.appliers.get(record.id):
            raise user_error(
                "This transaction cannot be deleted because it is linked to by one or more "
                "transactions."
            )
    elif _is_used(books, record):
        raise user_error("This record cannot be deleted because it has dependent records.")
    before = postings.settled_by(record)
    books.remove(record)
    applying.settle(books, before, {})


def void(books: Books, record: Record) -> None:
    """As the Void button does (without reversing journals): amounts to zero, status Voided."""
    if not record.type.is_transaction:
        raise user_error("Only transactions can be voided.")
    calendar.refuse_closed(calendar.period_of(books, record))
    before = postings.settled_by(record)
    for applier in list(books.appliers.get(record.id, {})):
        _unapply(books, applier, record.id)
    body = copy.deepcopy(record.body)
    for name in _AMOUNTS & body.keys():
        body[name] = Decimal(0)
    for sublist in record.type.sublists:
        for line in (body.get(sublist) or {}).get("items") or []:
            line |= {name: Decimal(0) for name in _AMOUNTS & line.keys()}
    if "apply" in body:
        body["apply"] = {"items": [], "totalResults": 0}
    body["memo"] = "VOID"
    applying.set_status(body, record.type, "V")
    record.body = body
    books.touch(record)
    books.reindex(record)
    applying.settle(books, before, {})


_AMOUNTS = {
    "amount",
    "rate",
    "subtotal",
    "total",
    "taxTotal",
    "discountTotal",
    "amountPaid",
    "amountRemaining",
    "applied",
    "unapplied",
    "payment",
    "debit",
    "credit",
    "taxAmount",
}


def complete(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    rules = postings.complete if type.group == TRANSACTIONS else masters.complete
    rules(books, type, body, before)


def _overlaid(type: RecordType, body: Body, fields: Body, replace: Collection[str]) -> Body:
    wanted = {name.lower() for name in replace}
    for name, value in fields.items():
        sublist = type.sublists.get(name)
        if sublist is None:
            if value is None:
                body.pop(name, None)
            else:
                body[name] = value
            continue
        held = (body.get(name) or {}).get("items") or []
        lines = merge(sublist, held, value, replace=name.lower() in wanted)
        body[name] = {"items": lines, "totalResults": len(lines)}
    return body


def _refuse_taken(books: Books, type: RecordType, body: Body, record: Record | None) -> None:
    external = str(body.get("externalId") or "")
    holder = books.by_external(type.group, external) if external else None
    if holder is not None and holder is not record:
        books.claim(Record(type, "", {}, holder.created, holder.modified), external)


def _refuse_locked(books: Books, record: Record, fields: Body) -> None:
    if not record.type.is_transaction:
        return
    period = calendar.period_of(books, record)
    if period is None or not calendar.is_closed(period):
        return
    if period.body.get("allowNonGLChanges") is True and postings.only_words(fields):
        return
    calendar.refuse_closed(period)


def _stamp(record: Record) -> None:
    created = "dateCreated" if record.type.name == "customer" else "createdDate"
    record.body.setdefault(created, instant(record.created))
    record.body["lastModifiedDate"] = instant(record.modified)


def _mark_deposited(books: Books, record: Record) -> None:
    if record.type.name != "deposit":
        return
    for line in record.lines("payment"):
        payment = books.find("transaction", ref_id(line.get("id")))
        if payment is not None and payment.type.name == "customerPayment":
            payment.body = dict(payment.body)
            applying.set_status(payment.body, payment.type, "C")
            books.reindex(payment)


def _is_used(books: Books, record: Record) -> bool:
    if record.type.group == "entities":
        return bool(books.of_entity.get(record.id))
    if record.type.group != "items":
        return False
    return any(
        ref_id(line.get("item")) == record.id
        for transaction in books.transactions()
        for line in transaction.lines("item")
    )


def _unapply(books: Books, applier: str, document: str) -> None:
    record = books.find("transaction", applier)
    if record is None:
        return
    kept = [line for line in record.lines("apply") if ref_id(line.get("doc")) != document]
    freed = sum(
        (amount for doc, amount, _ in applications(record) if doc == document),
        Decimal(0),
    )
    body = dict(record.body)
    if "apply" in body:
        body["apply"] = {**body["apply"], "items": kept, "totalResults": len(kept)}
    if "unapplied" in body:
        body["unapplied"] = decimal(body["unapplied"]) + freed
        body["applied"] = decimal(body.get("applied")) - freed
    record.body = body
    books.touch(record)
    books.reindex(record)
