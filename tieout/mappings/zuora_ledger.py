"""Usage records and journal entries."""

from __future__ import annotations

from tieout.core.errors import InvalidRecord

from .forms import Context, prepares
from .zuora_shapes import Raw, Shape, comment, common, currency_of, letters, shape_of


@prepares("zuora.usage")
def usage(raw: Raw, context: Context) -> Raw:
    """A subscription by its number: the id that usage names is one version's, no record's."""
    shape = shape_of(raw)
    found = common(shape, context, "uniquekey")
    return {
        **found,
        "created_at": found["created_at"] or shape.moment("submissiondatetime"),
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
    """A summary journal entry; what was cancelled counts as deleted.

    An entry that adds up several currencies has no currency of its own: it is in the home one.
    """
    shape = shape_of(raw)
    found = common(shape, context)
    number = shape.text("number", "journalentrynumber")
    status = letters(shape.text("status"))
    if status not in (None, "created", "cancelled", "canceled"):
        raise InvalidRecord(
            f"{shape.text('status')!r} is not a status that is known",
            where="status",
            hint="known: Created, Cancelled",
        )
    cancelled = status in ("cancelled", "canceled")
    currency, source = currency_of(shape)
    home = currency is None and shape.text("homecurrency")
    if home:
        currency, source = home, "home"
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
            _line(position, row, "homecurrencyamount" if home else "amount")
            for position, row in enumerate(shape.each("journalentryitems"), start=1)
        ],
    }


def _line(position: int, row: Shape, amount_in: str) -> Raw:
    """Zuora numbers no lines: they are numbered in their order."""
    side = letters(row.text("type"))
    amount = row.number(amount_in)
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
