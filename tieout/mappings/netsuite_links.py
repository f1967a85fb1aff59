"""Who was applied to whom: SuiteQL's link rows and the `apply` sublists of REST and SOAP.

A payment pays what it is linked to, a credit memo credits it: the amounts that a document
itself shows as paid do not tell these apart.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158513131193.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from .netsuite_records import kind_of
from .netsuite_shapes import ROW, Shape, same_word

INVOICE = frozenset({"custinvc", "invoice"})
PAYMENT = frozenset({"custpymt", "customerpayment", "payment"})
CREDIT = frozenset({"custcred", "creditmemo"})
REFUND = frozenset({"custrfnd", "customerrefund"})
DEPOSIT = frozenset({"custdep", "customerdeposit", "depappl", "depositapplication"})
JOURNAL = frozenset({"journal", "journalentry"})

# What SuiteQL calls the application of money; other links say which order was billed by what.
_APPLIED = frozenset({"payment", "paymentapplication", "refund", "depappl", ""})


@dataclass(frozen=True)
class Applied:
    """An amount between this document and another one; `kind` is the other's, "" if not told."""

    doc: str
    kind: str
    amount: Decimal


def applications(shape: Shape, id: str | None) -> list[Applied] | None:
    """What was applied, one entry a document; None if the payload does not tell."""
    if shape.form == ROW or has_links(shape):
        rows = shape.rows("applications")  # `links` is REST's own, and empty in every row
        return None if rows is None else _merged(_linked(row, id) for row in rows)
    rows = shape.rows("apply", "applylist")
    return None if rows is None else _merged(_ticked(row) for row in rows)


def has_links(shape: Shape) -> bool:
    """Whether all applications are told, from either end: SuiteQL's rows, joined to any form."""
    return "applications" in shape.fields


def _linked(row: Shape, id: str | None) -> Applied | None:
    if same_word(row.text("linktype") or "") not in _APPLIED:
        return None
    here = "previous" if row.text("nextdoc") != id else "next"
    there = "next" if here == "previous" else "previous"
    doc, amount = row.text(f"{there}doc"), row.amount("foreignamount", "amount")
    if doc is None or not amount:
        return None
    return Applied(doc, same_word(row.text(f"{there}type") or ""), abs(amount))


def _ticked(row: Shape) -> Applied | None:
    doc, amount = row.ref("doc"), row.amount("amount")
    if row.flag("apply") is False or doc.id is None or not amount:
        return None
    kind = row.text("trantype", "type")
    return Applied(doc.id, same_word(kind) if kind else kind_of(doc), amount)


def _merged(found: Iterable[Applied | None]) -> list[Applied]:
    """One entry a document: NetSuite links pairs of lines."""
    total: dict[str, Applied] = {}
    for each in found:
        if each is not None:
            before = total.get(each.doc)
            amount = each.amount + (before.amount if before else 0)
            total[each.doc] = Applied(
                each.doc, each.kind or (before.kind if before else ""), amount
            )
    return list(total.values())


def amount_of(applied: Iterable[Applied], *kinds: frozenset[str]) -> Decimal:
    """What was applied by documents of these kinds."""
    wanted = frozenset().union(*kinds)
    return sum((each.amount for each in applied if each.kind in wanted), Decimal(0))


def to_invoices(applied: Iterable[Applied]) -> list[Applied]:
    """Those that lie on invoices; a sublist that names no kinds lists invoices."""
    return [each for each in applied if each.kind in INVOICE or not each.kind]
