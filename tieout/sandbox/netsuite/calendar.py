"""Accounting periods, due dates, and what day it is in the account."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from .body import name_of
from .books import Body, Books, Record, ref_id
from .catalog import TYPES
from .errors import user_error

CLOSED = (
    "The accounting period of this transaction is closed. You cannot create, edit or delete a "
    "transaction in a closed period."
)


def today(books: Books) -> date:
    """The calendar day in the account's time zone."""
    return books.clock.now().astimezone(ZoneInfo(books.timezone)).date()


def period_for(books: Books, day: str) -> Record | None:
    """The posting month that holds `day` (ISO); quarters and years do not count."""
    for period in books.all_of(TYPES["accountingperiod"]).values():
        body = period.body
        if body.get("isQuarter") is True or body.get("isYear") is True:
            continue
        if str(body.get("startDate") or "9") <= day <= str(body.get("endDate") or ""):
            return period
    return None


def set_period(books: Books, body: Body) -> None:
    """Choose the posting period by date, unless one is stated. Raises Refusal if it is closed."""
    period = books.find("accountingPeriod", ref_id(body.get("postingPeriod")))
    period = period or period_for(books, str(body["tranDate"]))
    if period is None:
        body.pop("postingPeriod", None)
        return
    body["postingPeriod"] = {"id": period.id, "refName": name_of(period)}
    refuse_closed(period)


def refuse_closed(period: Record | None) -> None:
    if period is not None and is_closed(period):
        raise user_error(CLOSED)


def is_closed(period: Record) -> bool:
    # Receivables are what the stand-in keeps, so the A/R lock closes a period as well.
    return any(period.body.get(name) in (True, "T") for name in ("closed", "arLocked", "allLocked"))


def period_of(books: Books, record: Record) -> Record | None:
    held = books.find("accountingPeriod", ref_id(record.body.get("postingPeriod")))
    return held or period_for(books, str(record.body.get("tranDate") or ""))


def due_date(books: Books, body: Body) -> str | None:
    term = books.find("term", ref_id(body.get("terms")))
    if term is None:
        return None
    days = term.body.get("daysUntilNetDue")
    if not isinstance(days, int):
        return None
    return (date.fromisoformat(str(body["tranDate"])) + timedelta(days=days)).isoformat()
