"""A transaction's ledger lines: the header first, then what stands against it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import applying
from .books import Body, Books, Record, decimal, ref_id
from .catalog import TYPES
from .money import base_currency, places_of, rate_of, rounded

Row = dict[str, Any]

# The header's ledger side: money owed to us or received is a debit.
HEADER_SIGN = {"creditMemo": -1, "customerRefund": -1, "cashRefund": -1}
SEGMENTS = ("department", "class", "location")


class Money:
    """A transaction's rate into the base currency."""

    def __init__(self, books: Books, record: Record) -> None:
        self.rate = rate_of(books, record.body)
        base = base_currency(books)
        self.places = places_of(books, base.id) if base is not None else 2

    def base(self, amount: Decimal) -> Decimal:
        return amount if self.rate == 1 else rounded(amount * self.rate, self.places)


def ledger_lines(books: Books, record: Record) -> list[Row]:
    """The ledger lines, header first: debits positive, credits negative; they sum to zero."""
    body, name = record.body, record.type.name
    if name == "journalEntry":
        return [_journal_line(line, number) for number, line in enumerate(record.lines("line"))]
    sign = HEADER_SIGN.get(name, 1)
    header: Row = {
        "line": 0,
        "foreignamount": applying.gross(record) * sign,
        "account": ref_id(body.get("account")) or _undeposited(books, name),
        "memo": body.get("memo"),
    }
    if name in ("invoice", "creditMemo", "cashRefund"):
        return [header, *_sale_lines(books, record, sign)]
    if name == "deposit":
        return [header, *_deposit_lines(books, record)]
    receivable = ref_id(body.get("arAcct") or body.get("aracct"))
    return [header, {"line": 1, "foreignamount": -header["foreignamount"], "account": receivable}]


def _journal_line(line: Body, number: int) -> Row:
    amount = decimal(line.get("debit")) - decimal(line.get("credit"))
    return {
        **{name: line.get(name) for name in ("entity", "memo", *SEGMENTS)},
        "line": int(line["line"]) - 1 if line.get("line") is not None else number,
        "account": ref_id(line.get("account")),
        "foreignamount": amount,
        "source": line,
    }


def _undeposited(books: Books, name: str) -> str:
    if name != "customerPayment":
        return ""
    for account in books.all_of(TYPES["account"]).values():
        if "undeposited" in str(account.body.get("acctName") or "").lower():
            return account.id
    return ""


def _sale_lines(books: Books, record: Record, sign: int) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(record.lines("item"), 1):
        item = books.find("item", ref_id(line.get("item")))
        quantity = line.get("quantity")
        rows.append(
            {
                **{name: line.get(name) for name in ("item", *SEGMENTS)},
                "line": int(line.get("line") or number),
                "foreignamount": -sign * decimal(line.get("amount")),
                "quantity": None if quantity is None else -sign * decimal(quantity),
                "rate": line.get("rate"),
                "memo": line.get("description"),
                "itemtype": item.type.code if item is not None else None,
                "account": ref_id(item.body.get("incomeAccount")) if item is not None else "",
                "source": line,
            }
        )
    last = max((row["line"] for row in rows), default=0)
    for name, extra in (
        ("discountTotal", {"transactiondiscount": True}),
        ("shippingCost", {"itemtype": "ShipItem"}),
        ("taxTotal", {"taxline": True}),
    ):
        if amount := decimal(record.body.get(name)):
            last += 1
            item_ref = record.body.get("discountItem") if name == "discountTotal" else None
            rows.append({"line": last, "foreignamount": -sign * amount, "item": item_ref, **extra})
    return rows


def _deposit_lines(books: Books, record: Record) -> list[Row]:
    rows: list[Row] = []
    for line in record.lines("payment"):
        payment = books.find("transaction", ref_id(line.get("id")))
        if payment is not None and line.get("deposit") is not False:
            amount = -applying.gross(payment)
            rows.append({"foreignamount": amount, "account": "", "entity": line.get("entity")})
    for name, sign in (("other", -1), ("cashBack", 1)):
        rows += [
            {
                "foreignamount": sign * decimal(line.get("amount")),
                "account": ref_id(line.get("account")),
                "entity": line.get("entity"),
                "memo": line.get("memo"),
                "source": line,
            }
            for line in record.lines(name)
        ]
    return [{"line": number, **row} for number, row in enumerate(rows, 1)]
