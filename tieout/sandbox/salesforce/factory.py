"""What a fresh org holds: itself, its users, the standard price book, its currencies, its lists."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from .access import App
from .ids import IdMaker
from .standard import CONTRACT_STATUSES, ORDER_STATUSES, STAGES

Loaded = tuple[str, dict[str, Any]]

# Units of the currency for one US dollar, and its decimals.
RATES = {
    "USD": ("1", 2),
    "EUR": ("0.92", 2),
    "GBP": ("0.79", 2),
    "CAD": ("1.36", 2),
    "AUD": ("1.52", 2),
    "CHF": ("0.88", 2),
    "SEK": ("10.5", 2),
    "NOK": ("10.6", 2),
    "DKK": ("6.9", 2),
    "SGD": ("1.34", 2),
    "INR": ("83.2", 2),
    "BRL": ("5.1", 2),
    "MXN": ("17.1", 2),
    "JPY": ("151", 0),
    "KRW": ("1340", 0),
    "BHD": ("0.376", 3),
    "KWD": ("0.307", 3),
}


def factory_set(
    app: App, ids: IdMaker, currency: str, codes: list[str], *, multi_currency: bool, now: str
) -> Iterator[Loaded]:
    """(type, object) of each record that comes with the org."""
    common = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
    common |= {"CreatedById": app.user_id, "LastModifiedById": app.user_id}
    for type, body in _people(app, currency, multi_currency=multi_currency):
        yield type, body | common
    book = {"Name": "Standard Price Book", "IsActive": True, "IsStandard": True}
    yield "Pricebook2", {"Id": ids.make("01s"), **book, **common}
    if multi_currency:
        for type, body in _currencies(currency, codes):
            yield type, {"Id": ids.make("01L"), **body, **common}
    for prefix, type, body in _lists():
        yield type, {"Id": ids.make(prefix), **body, **common}


def _people(app: App, currency: str, *, multi_currency: bool) -> Iterator[Loaded]:
    yield (
        "Organization",
        {
            "Id": app.organization_id,
            "Name": "TieOut Sandbox",
            "Country": "US",
            "DefaultLocaleSidKey": "en_US",
            "TimeZoneSidKey": "UTC",
            "OrganizationType": "Enterprise Edition",
            "InstanceName": "SBX1",
            "IsSandbox": False,
            "FiscalYearStartMonth": 1,
        },
    )
    user: dict[str, Any] = {
        "Id": app.user_id,
        "Username": app.username,
        "FirstName": "Integration",
        "LastName": "User",
        "Name": "Integration User",
        "Email": "integration@example.com",
        "Alias": "integr",
        "TimeZoneSidKey": "UTC",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "IsActive": True,
        "UserType": "Standard",
    }
    yield "User", user


def _currencies(currency: str, codes: list[str]) -> Iterator[Loaded]:
    base = Decimal(RATES.get(currency, ("1", 2))[0])
    for code in codes:
        rate, places = RATES.get(code, ("1", 2))
        yield (
            "CurrencyType",
            {
                "IsoCode": code,
                "ConversionRate": (Decimal(rate) / base).quantize(Decimal("0.000001")),
                "DecimalPlaces": places,
                "IsActive": True,
                "IsCorporate": code == currency,
            },
        )


def _lists() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, (order, closed, won, probability, forecast) in STAGES.items():
        yield (
            "01J",
            "OpportunityStage",
            {
                "MasterLabel": name,
                "ApiName": name,
                "IsActive": True,
                "SortOrder": order,
                "IsClosed": closed,
                "IsWon": won,
                "DefaultProbability": probability,
                "ForecastCategory": forecast,
                "ForecastCategoryName": forecast,
            },
        )
    for prefix, type, statuses in (
        ("811", "ContractStatus", CONTRACT_STATUSES),
        ("01K", "OrderStatus", ORDER_STATUSES),
    ):
        for order, (name, code) in enumerate(statuses.items(), 1):
            yield (
                prefix,
                type,
                {
                    "MasterLabel": name,
                    "ApiName": name,
                    "SortOrder": order,
                    "IsDefault": order == 1,
                    "StatusCode": code,
                },
            )
