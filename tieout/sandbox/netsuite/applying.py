"""Payments, credits and refunds against open documents: what is open, and what gets settled."""

from __future__ import annotations

from decimal import Decimal

from .body import name_of
from .books import Body, Books, Record, applications, decimal, entity_of, ref_id
from .catalog import STATUS_LETTERS, RecordType
from .errors import invalid_reference, user_error

# What may be applied to what.
TARGETS = {
    "customerPayment": ("invoice",),
    "creditMemo": ("invoice",),
    "customerRefund": ("creditMemo", "customerPayment", "customerDeposit"),
}


def gross(record: Record) -> Decimal:
    """The document's own amount, in its currency."""
    body = record.body
    own = body.get("payment") if record.type.name == "customerPayment" else None
    value = own if own is not None else body.get("total", body.get("payment"))
    if value is None and record.type.name == "customerRefund":
        return sum((amount for _, amount, _ in applications(record)), Decimal(0))
    return decimal(value)


def open_amount(books: Books, record: Record) -> Decimal:
    """What is still to be paid (invoice), or still to be used (credit, payment, deposit)."""
    body = record.body
    for name in _OPEN_FIELD.get(record.type.name, ()):
        if body.get(name) is not None:
            return decimal(body[name])
    if record.type.name == "invoice" and body.get("amountPaid") is not None:
        return gross(record) - decimal(body["amountPaid"])
    own = sum((amount for _, amount, _ in applications(record)), Decimal(0))
    return gross(record) - own - applied_by_others(books, record.id)


_OPEN_FIELD = {
    "invoice": ("amountRemaining",),
    "creditMemo": ("unapplied", "amountRemaining"),
    "customerPayment": ("unapplied",),
    "customerDeposit": ("unapplied",),
}


def applied_by_others(books: Books, document: str) -> Decimal:
    total = Decimal(0)
    for applier in books.appliers.get(document, {}):
        record = books.find("transaction", applier)
        if record is not None:
            total += sum(
                (amt for doc, amt, _ in applications(record) if doc == document), Decimal()
            )
    return total


def complete_lines(books: Books, type: RecordType, body: Body, before: Record | None) -> Decimal:
    """Check and fill the apply lines; returns their sum. Raises Refusal."""
    already = _sums(before) if before is not None else {}
    kept: list[Body] = []
    total = Decimal(0)
    for index, line in enumerate((body.get("apply") or {}).get("items") or []):
        if line.get("apply") is False or line.get("amount") == 0:
            continue
        path = f"apply.items[{index}]"
        document = _document(books, type, body, line, path)
        available = open_amount(books, document) + already.get(document.id, Decimal(0))
        amount = available if line.get("amount") is None else decimal(line["amount"])
        if amount > available or amount < 0:
            raise user_error(
                f"The amount {amount} to be applied to {name_of(document)} is more than the "
                f"{available} that is open."
            )
        total += amount
        if amount:
            kept.append(_shown(line, document, amount, len(kept) + 1, str(body["tranDate"])))
    body["apply"] = {"items": kept, "totalResults": len(kept)}
    return total


def _document(books: Books, type: RecordType, body: Body, line: Body, path: str) -> Record:
    document_id = ref_id(line.get("doc"))
    document = books.find("transaction", document_id)
    same_owner = document is not None and entity_of(document) == ref_id(
        body.get("customer") or body.get("entity")
    )
    if document is None or document.type.name not in TARGETS[type.name] or not same_owner:
        raise invalid_reference(document_id, "doc", f"{path}.doc")
    if ref_id(document.body.get("currency")) != ref_id(body.get("currency")):
        raise user_error(f"{name_of(document)} is in another currency; it cannot be applied here.")
    return document


def _shown(line: Body, document: Record, amount: Decimal, number: int, day: str) -> Body:
    return {
        **line,
        "doc": {"id": document.id, "refName": name_of(document)},
        "apply": True,
        "amount": amount,
        "line": line.get("line") if line.get("line") is not None else number,
        "applyDate": line.get("applyDate") or day,
        "type": document.type.label,
        "refNum": str(document.body.get("tranId") or ""),
        "total": gross(document),
        "currency": str((document.body.get("currency") or {}).get("refName") or ""),
    }


def _sums(record: Record) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for document, amount, _ in applications(record):
        sums[document] = sums.get(document, Decimal(0)) + amount
    return sums


def settle(books: Books, before: dict[str, Decimal], after: dict[str, Decimal]) -> None:
    """Move the open amounts of documents by what changed between two sets of applications."""
    for document_id in before.keys() | after.keys():
        delta = after.get(document_id, Decimal(0)) - before.get(document_id, Decimal(0))
        document = books.find("transaction", document_id)
        if delta and document is not None:
            _move(books, document, delta)


def sums_of(record: Record | None) -> dict[str, Decimal]:
    """Document id -> amount applied to it by `record`."""
    return _sums(record) if record is not None else {}


def _move(books: Books, document: Record, delta: Decimal) -> None:
    left = open_amount(books, document) - delta
    body = dict(document.body)
    if document.type.name == "invoice":
        body["amountRemaining"] = left
        body["amountPaid"] = gross(document) - left
    else:
        body["unapplied"] = left
        body["applied"] = gross(document) - left
        if document.type.name == "creditMemo":
            body["amountRemaining"], body["amountPaid"] = left, gross(document) - left
    document.body = body
    set_open_status(document, left)
    if books.touch_applied:
        books.touch(document)
    books.reindex(document)


def set_open_status(record: Record, left: Decimal) -> None:
    """Open or settled; a voided document stays so."""
    words = STATUS_LETTERS[record.type.name]
    if record.type.name not in ("invoice", "creditMemo") or status_letter(record) == "V":
        return
    record.body["status"] = _status(words["A" if left else "B"])


def _status(word: str) -> Body:
    return {"id": word, "refName": word}


def set_status(body: Body, type: RecordType, letter: str) -> None:
    body["status"] = _status(STATUS_LETTERS[type.name][letter])


def status_letter(record: Record) -> str:
    """The bare letter that SuiteQL shows for a transaction's status."""
    words = STATUS_LETTERS.get(record.type.name, {})
    status = record.body.get("status")
    given = [status.get("refName"), status.get("id")] if isinstance(status, dict) else [status]
    for value in given:
        text = str(value or "").rsplit(":", 1)[-1]
        plain = _plain(text)
        for letter, word in words.items():
            if plain == _plain(word) or text == letter:
                return letter
    return _DEFAULT_LETTER.get(record.type.name, "A")


_DEFAULT_LETTER = {"journalEntry": "B", "customerRefund": "B", "customerPayment": "B"}


def _plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
