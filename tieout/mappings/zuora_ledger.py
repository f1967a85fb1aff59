"""Usage records and journal entries."""

from __future__ import annotations

from tieout.core.errors import InvalidRecord

from .forms import Context, prepares
from .zuora_shapes import Raw, Shape, comment, common, currency_of, letters, shape_of


@prepares("zuora.usage")
def usage(raw: Raw, context: Context) -> Raw:
    """A subscription by its number: the id that usage names is one version's, no record's."""
    shape = shape_of(raw)
    return {
        **common(shape, context, "uniquekey"),
        "subscription": shape.text("subscriptionnumber"),
        "item": shape.text("chargenumber"),
        "customer": shape.text("accountid"),
        "metric": shape.text("unitofmeasure", "uom"),
        "quantity": shape.number("quantity"),
        "starts_at": shape.moment("startdatetime"),
        "ends_at": shape.moment("enddatetime"),
        "status": shape.text("status", "rbestatus"),
        "unique_key": shape.text("uniquekey"),
    }


@prepares("zuora.journal_entry")
def journal_entry(raw: Raw, context: Context) -> Raw:
    """A summary journal entry; what was cancelled counts as deleted."""
    shape = shape_of(raw)
    found = common(shape, context)
    number = shape.text("number", "journalentrynumber")
    cancelled = letters(shape.text("status")) in ("cancelled", "canceled")
    currency, source = currency_of(shape)
    return {
        **found,
        "id": number or found["id"],
        "deleted": found["deleted"] or cancelled,
        "number": number,
        "posted_on": shape.day("journalentrydate"),
        "currency": currency,
        "currency_from": source,
        "memo": comment(shape, "notes"),
        "subsidiary": shape.text("organizationlabel"),
        "status": shape.text("status"),
        "period": shape.text("accountingperiodname"),
        "transaction_type": shape.text("transactiontype"),
        "transferred": shape.text("transferredtoaccounting"),
        "lines": [
            _line(position, row)
            for position, row in enumerate(shape.each("journalentryitems"), start=1)
        ],
    }


def _line(position: int, row: Shape) -> Raw:
    """Zuora numbers no lines: they are numbered in their order."""
    side = letters(row.text("type"))
    amount = row.number("amount")
    if side not in ("debit", "credit"):
        raise InvalidRecord(
            f"line {position} is {row.text('type')!r}, neither Debit nor Credit", where="lines"
        )
    return {
        "id": row.text("id") or str(position),
        "account": row.text("accountingcodename"),
        "debit": amount if side == "debit" else None,
        "credit": amount if side == "credit" else None,
    }
