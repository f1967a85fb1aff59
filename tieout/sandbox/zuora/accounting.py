"""Accounting codes, accounting periods and summary journal entries.

https://developer.zuora.com/v1-api-reference/api/summary-journal-entries/
"""

from __future__ import annotations

from decimal import Decimal

from .errors import invalid, missing, rule
from .tenant import Call, amount, custom
from .wire import Body


def create_code(call: Call) -> Body:
    name, kind = call.text("accountingcode", "name"), call.text("accountingcode", "type")
    if any(one.row["name"] == name for one in call.books.shelves["accountingcode"].values()):
        raise invalid("accountingcode", f"The accounting code {name} already exists.")
    made = call.books.create(
        "accountingcode", name=name, type=kind, status="Active", notes=call.body.get("notes"),
        glAccountName=call.body.get("glAccountName"), category=None,
        glAccountNumber=call.body.get("glAccountNumber"),
    )  # fmt: skip
    return {"id": made.id}


def create_period(call: Call) -> Body:
    name = call.text("accountingperiod", "name")
    first, last = (
        call.date("accountingperiod", "startDate"),
        call.date("accountingperiod", "endDate"),
    )
    if first > last:
        raise invalid("accountingperiod", "'endDate' is before 'startDate'")
    if call.body.get("fiscalYear") is None:
        raise missing("accountingperiod", "fiscalYear")
    year = str(call.body["fiscalYear"])
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        raise invalid("accountingperiod", "'fiscalYear' value should be a year")
    made = call.books.create(
        "accountingperiod", name=name, startDate=first, endDate=last, status="Open",
        fiscalYear=int(year), notes=call.body.get("notes", ""),
        runTrialBalanceStatus="Pending",
    )  # fmt: skip
    return {"id": made.id}


def move_period(call: Call) -> Body:
    """PUT .../close, .../pending-close, .../reopen."""
    period, word = call.get("accountingperiod"), call.request.path.rsplit("/", 1)[1]
    status = {"close": "Closed", "pending-close": "PendingClose", "reopen": "Open"}[word]
    call.books.change(period, status=status)
    return {}


def create_entry(call: Call) -> Body:
    body, books = call.body, call.books
    day = call.date("journalentry", "journalEntryDate")
    name, currency = (
        call.text("journalentry", "accountingPeriodName"),
        call.text("journalentry", "currency"),
    )
    periods = [one for one in books.shelves["accountingperiod"].values() if one.row["name"] == name]
    if not periods:
        raise invalid("journalentry", f"The accounting period {name} does not exist.")
    if periods[0].row.get("status") == "Closed":
        raise rule("journalentry", f"The accounting period {name} is closed.")
    lines = body.get("journalEntryItems")
    if not isinstance(lines, list) or len(lines) < 2:
        raise missing("journalentry", "journalEntryItems")
    sums = {"Debit": Decimal(0), "Credit": Decimal(0)}
    for line in lines:
        if line.get("type") not in sums:
            raise invalid("journalentry", "'type' value should be one of: Debit, Credit")
        if not line.get("accountingCodeName"):
            raise missing("journalentry", "accountingCodeName")
        sums[line["type"]] += amount("journalentry", line, "amount", currency)
    if sums["Debit"] != sums["Credit"]:
        raise rule("journalentry", "The debits and credits of a journal entry must be equal.")
    shown = [
        {"accountingCodeType": line.get("accountingCodeType"), "glAccountName": None,
         "accountingCodeName": line["accountingCodeName"], "glAccountNumber": None,
         "type": line["type"], "amount": line["amount"],
         "homeCurrencyAmount": line.get("homeCurrencyAmount", line["amount"])}
        for line in lines
    ]  # fmt: skip
    entry = books.create(
        "journalentry", status="Created", journalEntryDate=day, currency=currency,
        homeCurrency=currency, aggregateCurrency=False, accountingPeriodName=name,
        accountingPeriodId=periods[0].id, notes=body.get("notes"), transactionType=None,
        transferredToAccounting=body.get("transferredToAccounting", "No"),
        segments=body.get("segments") or [], journalEntryItems=shown, **custom(body),
    )  # fmt: skip
    for line in shown:
        books.create("journalentryitem", journalEntryId=entry.id, currency=currency, **line)
    return {"journalEntryNumber": entry.row["number"]}


def cancel_entry(call: Call) -> Body:
    entry = call.get("journalentry")
    if entry.row.get("status") != "Created":
        raise rule("journalentry", "The journal entry is cancelled already.")
    call.books.change(entry, status="Cancelled")
    return {}


def edit_entry(call: Call) -> Body:
    """PUT .../basic-information: notes and the transfer status, nothing that is booked."""
    entry, body = call.get("journalentry"), call.body
    changes = {name: body[name] for name in ("notes", "transferredToAccounting") if name in body}
    call.books.change(entry, **changes, **custom(body))
    return {}


def delete_entry(call: Call) -> Body:
    entry = call.get("journalentry")
    if entry.row.get("status") != "Cancelled":
        raise rule("journalentry", "Only cancelled journal entries can be deleted.")
    for line in call.books.children("journalentryitem", "journalEntryId", entry.id):
        call.books.delete(line)
    call.books.delete(entry)
    return {}
