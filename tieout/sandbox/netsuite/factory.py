"""What a fresh account comes with: currencies, a subsidiary, accounts, terms, open periods."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

_CURRENCIES = [
    ("1", "USA", "USD", "1", 2),
    ("2", "British pound", "GBP", "1.27", 2),
    ("3", "Canadian dollar", "CAD", "0.73", 2),
    ("4", "Euro", "EUR", "1.08", 2),
    ("5", "Japanese Yen", "JPY", "0.0065", 0),
]
_ACCOUNTS = [
    ("1", "1000", "Checking", "Bank"),
    ("2", "1100", "Accounts Receivable", "AcctRec"),
    ("3", "1200", "Undeposited Funds", "OthCurrAsset"),
    ("4", "2000", "Accrued Expenses", "OthCurrLiab"),
    ("5", "2200", "Sales Taxes Payable", "OthCurrLiab"),
    ("54", "4000", "Sales", "Income"),
    ("58", "6000", "Bank Fees", "Expense"),
]
_TERMS = [("1", "Net 15", 15), ("2", "Net 30", 30), ("3", "Net 60", 60), ("4", "Due on receipt", 0)]


def factory_set(today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """(record type, REST body) of each record; periods from two years back to a year ahead."""
    for id, name, symbol, rate, places in _CURRENCIES:
        yield (
            "currency",
            {
                "id": id,
                "name": name,
                "symbol": symbol,
                "exchangeRate": Decimal(rate),
                "currencyPrecision": places,
                "isBaseCurrency": id == "1",
                "isInactive": False,
            },
        )
    home = {"id": "1", "refName": "USA"}
    yield (
        "subsidiary",
        {"id": "1", "name": "Parent Company", "currency": home, "isInactive": False},
    )
    for account, code, name, kind in _ACCOUNTS:
        yield (
            "account",
            {
                "id": account,
                "acctNumber": code,
                "acctName": name,
                "acctType": {"id": kind, "refName": kind},
                "isInactive": False,
            },
        )
    for term, name, days in _TERMS:
        yield "term", {"id": term, "name": name, "daysUntilNetDue": days, "isInactive": False}
    first = today.year * 12 + today.month - 1 - 24
    for number, month in enumerate(range(first, first + 37), 1):
        year, index = divmod(month, 12)
        last = calendar.monthrange(year, index + 1)[1]
        yield (
            "accountingPeriod",
            {
                "id": str(number),
                "periodName": f"{calendar.month_abbr[index + 1]} {year}",
                "startDate": date(year, index + 1, 1).isoformat(),
                "endDate": date(year, index + 1, last).isoformat(),
                "closed": False,
                "arLocked": False,
                "allLocked": False,
                "isQuarter": False,
                "isYear": False,
            },
        )
