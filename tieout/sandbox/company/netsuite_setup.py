"""What a NetSuite account has before the first customer: currencies, accounts, terms, periods.

Record and field names: REST API Browser, record/v1
(https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157373386674.html).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from .catalog import Catalog
from .currencies import CURRENCIES, Currency
from .facts import Product, Span
from .moments import month_end, month_of, months_between, on, stamp

Object = dict[str, Any]
Typed = tuple[str, Object]

SUBSIDIARY = {"id": "1", "refName": "Atlas Software Inc."}
ACCOUNTS = {
    "bank": ("101", "1000", "Operating Bank", "Bank"),
    "clearing": ("102", "1010", "Stripe Clearing", "Bank"),
    "undeposited": ("103", "1020", "Undeposited Funds", "OthCurrAsset"),
    "receivable": ("110", "1200", "Accounts Receivable", "AcctRec"),
    "tax": ("120", "2200", "Sales Tax Payable", "OthCurrLiab"),
    "revenue": ("130", "4000", "Subscription Revenue", "Income"),
    "discounts": ("131", "4900", "Discounts Given", "Income"),
    "fees": ("140", "6100", "Merchant and Bank Fees", "Expense"),
    "chargebacks": ("141", "6110", "Chargeback Losses", "Expense"),
}
TERMS = {"due": ("4", "Due on receipt", 0), "net30": ("2", "Net 30", 30)}
DISCOUNT_ITEM, TAX_ITEM = "391", "392"
_FIRST_ITEM, _FIRST_PERIOD, _OPEN_MONTHS = 301, 201, 4


def account(name: str) -> Object:
    """A reference to one of the accounts above."""
    id, number, words, _ = ACCOUNTS[name]
    return {"id": id, "refName": f"{number} {words}"}


def term(name: str) -> Object:
    id, words, _ = TERMS[name]
    return {"id": id, "refName": words}


def currency_ref(one: Currency) -> Object:
    return {"id": one.netsuite_id, "refName": one.name}


class Periods:
    """One accounting period a month; those older than three months are closed."""

    def __init__(self, span: Span) -> None:
        last = months_between(on(span.now), date(on(span.now).year + 1, 1, 1))[1]
        self._months = months_between(on(span.start).replace(day=1), last)
        self._today = on(span.now)
        self._ids = {
            month_of(day): str(_FIRST_PERIOD + count) for count, day in enumerate(self._months)
        }

    def ref(self, day: date) -> Object:
        """The period of a date; a date before the first period falls into the first."""
        month = day.replace(day=1)
        nearest = min(max(month, self._months[0]), self._months[-1])
        return {"id": self._ids[month_of(nearest)], "refName": f"{nearest:%b %Y}"}

    def records(self) -> list[Typed]:
        found = []
        for day in self._months:
            age = (self._today.year - day.year) * 12 + self._today.month - day.month
            shut = age >= _OPEN_MONTHS
            record = {
                "id": self._ids[month_of(day)],
                "periodName": f"{day:%b %Y}",
                "startDate": day.isoformat(),
                "endDate": month_end(day).isoformat(),
                "closed": shut,
                "arLocked": shut,
                "apLocked": shut,
                "allLocked": shut,
                "allowNonGLChanges": False,
                "isAdjust": False,
                "isInactive": False,
                "isQuarter": False,
                "isYear": False,
                "isPosting": True,
            }
            found.append(("accountingPeriod", record))
        return found


def setup_records(span: Span, periods: Periods) -> list[Typed]:
    """Everything but items; their items come from `item_records`."""
    born = stamp(span.start)
    subsidiary = {
        "id": "1",
        "name": SUBSIDIARY["refName"],
        "legalName": SUBSIDIARY["refName"],
        "currency": currency_ref(CURRENCIES["USD"]),
        "country": {"id": "US", "refName": "United States"},
        "isInactive": False,
        "isElimination": False,
        "lastModifiedDate": born,
    }
    found: list[Typed] = [("currency", _currency(one, born)) for one in CURRENCIES.values()]
    found.append(("subsidiary", subsidiary))
    for id, number, name, kind in ACCOUNTS.values():
        record = {
            "id": id,
            "acctNumber": number,
            "acctName": name,
            "acctType": {"id": kind, "refName": kind},
            "isInactive": False,
            "lastModifiedDate": born,
        }
        found.append(("account", record))
    for id, name, days in TERMS.values():
        record = {"id": id, "name": name, "daysUntilNetDue": days, "isInactive": False}
        found.append(("term", record))
    return found + periods.records()


def _currency(one: Currency, born: str) -> Object:
    return {
        "id": one.netsuite_id,
        "name": one.name,
        "symbol": one.code,
        "displaySymbol": one.sign,
        "currencyPrecision": one.places,
        "exchangeRate": one.dollars if one.code != "USD" else Decimal(1),
        "isBaseCurrency": one.code == "USD",
        "isInactive": False,
        "lastModifiedDate": born,
    }


def item_ids(catalog: Catalog) -> dict[str, str]:
    """sku -> internal id of its item."""
    return {one.sku: str(_FIRST_ITEM + n) for n, one in enumerate(catalog.products)}


def item_records(catalog: Catalog, span: Span) -> list[Typed]:
    """A service item for each product, one item for discounts and one for tax that comes along."""
    ids, born = item_ids(catalog), stamp(span.start)
    found: list[Typed] = [
        ("serviceSaleItem", _service(one, ids[one.sku])) for one in catalog.products
    ]
    for id, name, kind, target in (
        (DISCOUNT_ITEM, "Stripe Discount", "discountItem", "discounts"),
        (TAX_ITEM, "Tax collected by Stripe", "otherChargeSaleItem", "tax"),
    ):
        field = "account" if kind == "discountItem" else "incomeAccount"
        record = {
            "id": id,
            "itemId": name.upper().replace(" ", "-"),
            "displayName": name,
            field: account(target),
            "isInactive": False,
            "createdDate": born,
            "lastModifiedDate": born,
        }
        found.append((kind, record))
    return found


def _service(one: Product, id: str) -> Object:
    return {
        "id": id,
        "itemId": one.sku,
        "displayName": one.name,
        "salesDescription": one.description,
        "incomeAccount": account("revenue"),
        "taxSchedule": {"id": "1", "refName": "Default"},
        "isInactive": False,
        "createdDate": stamp(one.created),
        "lastModifiedDate": stamp(one.created),
        "custitem_stripe_id": one.id,
    }
