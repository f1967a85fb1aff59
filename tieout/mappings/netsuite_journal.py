"""Journal entries: lines with a debit or a credit."""

from __future__ import annotations

import re
from typing import Any

from .forms import Context, prepares
from .netsuite_figures import line_amount
from .netsuite_records import common, currency_of, lookup_rows
from .netsuite_shapes import ROW, Raw, Ref, Shape, day_of, same_word, shape_of

# An account is shown as "1100 Accounts Receivable", below another one as "1000 Cash : 1010 Till".
_NUMBERED = re.compile(r"(\d{2,}(?:[.-]\d+)*)\s+\S")
_CUSTOMERS = frozenset({"", "customer", "custjob", "job", "project"})


@prepares("netsuite.journal_entry")
def journal_entry(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    rows = shape.rows("line", "linelist", "journalentrylinelist", "lines") or []
    lines = [line for row in rows if (line := _line(row, shape, context))]
    # REST counts a journal's lines from 1, the ledger from 0: their order is what both share.
    lines = [{"id": str(place), **line} for place, line in enumerate(lines, 1)]
    subsidiary = next(
        (ref.id for holder in (shape, *rows) if (ref := holder.ref("subsidiary")).id), None
    )
    return {
        **common(shape, "journal_entry", context),
        "number": shape.text("tranid"),
        "posted_on": day_of(shape.fields.get("trandate"), shape, context),
        "currency": currency_of(shape, context, needed=bool(lines)),
        "memo": shape.text("memo"),
        "subsidiary": subsidiary,
        "lines": lines,
    }


def _line(row: Shape, header: Shape, context: Context) -> Raw | None:
    debit, credit = row.amount("debit"), row.amount("credit")
    if header.form == ROW:
        amount = line_amount(row, header)
        if amount:
            debit, credit = (amount, None) if amount > 0 else (None, -amount)
    if not debit and not credit:
        return None
    entity = row.ref("entity")
    kind = same_word(row.text("entitytype") or entity.kind)
    return {
        "account": _account(row, context),
        "debit": debit or None,
        "credit": credit or None,
        "customer": entity.id if kind in _CUSTOMERS else None,
        "memo": row.text("memo"),
    }


def _account(row: Shape, context: Context) -> str | None:
    """The account's number, else its name, else (if that is all there is) its internal id."""
    if (number := row.text("acctnumber", "accountnumber")) is not None:
        return number
    ref = row.ref("account")
    name = row.text("accountname", "accountfullname") or ref.name
    return _from_lookup(ref, context) or _number_or_name(name) or ref.id


def _number_or_name(name: str | None) -> str | None:
    if not name:
        return None
    last = name.rpartition(" : ")[2]
    found = _NUMBERED.match(last)
    return found.group(1) if found else last


def _from_lookup(ref: Ref, context: Context) -> str | None:
    for key, row in lookup_rows(context.lookups.get("account")):
        if ref.id is not None and str(key if key is not None else row.get("id")) == ref.id:
            told: Any = row.get("acctnumber") or row.get("number") or row.get("symbol")
            told = told or row.get("fullname") or row.get("acctname") or row.get("name")
            return _number_or_name(str(told)) if told else None
    return None
