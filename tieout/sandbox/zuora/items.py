"""The balances of a document's items: what is applied to it settles the first items first."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .books import Books, Record

# table -> (what is left of an item, what was taken off it or "", its whole)
_FIELDS = {
    "invoiceitem": ("balance", "", "chargeAmount"),
    "taxationitem": ("balance", "", "taxAmount"),
    "debitmemoitem": ("balance", "beAppliedAmount", "amount"),
    "creditmemoitem": ("unappliedAmount", "appliedAmount", "amount"),
}


def settle(books: Books, document: Record, sum: Decimal, *, refund: bool = False) -> None:
    """Take `sum` off the items of an invoice or memo; a negative one is given back."""
    rest = sum
    items = list(_items(books, document))
    for item in items if sum > 0 else reversed(items):
        left, used, whole = _FIELDS[item.table]
        used = "refundAmount" if refund else used
        taken = item.amount(used) if used else item.amount(whole) - item.amount(left)
        room = max(item.amount(left), Decimal(0)) if sum > 0 else -max(taken, Decimal(0))
        step = min(rest, room) if sum > 0 else max(rest, room)
        if step:
            changed = {left: item.amount(left) - step}
            books.change(item, **changed, **({used: item.amount(used) + step} if used else {}))
            rest -= step


def _items(books: Books, document: Record) -> Iterable[Record]:
    if document.table == "invoice":
        items = books.children("invoiceitem", "invoiceId", document.id)
        taxes = (books.children("taxationitem", "invoiceItemId", one.id) for one in items)
        return [*items, *(tax for each in taxes for tax in each)]
    owner = "creditMemoId" if document.table == "creditmemo" else "debitMemoId"
    return books.children(f"{document.table}item", owner, document.id)
