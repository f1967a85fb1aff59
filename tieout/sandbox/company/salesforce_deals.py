"""Deals: a won opportunity, its contract and its order for each subscription; open ones beside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .billing import Ledger
from .catalog import Catalog
from .facts import Client, Price, Product, Span, Subscription
from .ids import salesforce_id
from .moments import DAY, add_months, on
from .salesforce_words import OPEN_STAGES, instant

Object = dict[str, Any]
Typed = tuple[str, Object]

MONTHLY, YEARLY = "Standard Price Book", "Annual Price Book"


def book_of(interval: str | None) -> str:
    return YEARLY if interval == "year" else MONTHLY


@dataclass(frozen=True)
class Desk:
    """Ids and stamps of one company's CRM."""

    seed: int
    catalog: Catalog
    span: Span

    def id(self, prefix: str, key: str) -> str:
        return salesforce_id(prefix, f"{self.seed}:{key}")

    def rep(self, number: int) -> str:
        return self.id("005", f"rep:{number}")

    def book(self, name: str) -> str:
        return self.id("01s", f"book:{name}")

    def product(self, product: Product) -> str:
        return self.id("01t", f"product:{product.sku}")

    def entry(self, price: Price) -> str:
        key = f"{price.product.sku}:{price.interval}:{price.currency.code}"
        return self.id("01u", f"entry:{key}")

    def audit(self, created: int, owner: int, changed: int | None = None) -> Object:
        made, last = instant(created), instant(changed or created)
        who = self.rep(owner)
        return {
            "IsDeleted": False,
            "CreatedDate": made,
            "CreatedById": who,
            "LastModifiedDate": last,
            "LastModifiedById": who,
            "SystemModstamp": last,
        }


@dataclass(frozen=True)
class Deal:
    """What was sold, when, in which rhythm; `months` is the contract's term."""

    key: str
    client: Client
    at: int
    interval: str
    items: tuple[tuple[Price, int], ...]
    months: int
    kind: str = "New Customer"

    @property
    def amount(self) -> Decimal:
        minor = sum(price.unit * quantity for price, quantity in self.items)
        return self.client.currency.decimal(minor)


def of_subscription(desk: Desk, one: Subscription) -> Deal:
    """The deal behind a subscription; it is renewed by the year until it ends."""
    until = one.ended or desk.span.now
    years = 1
    while add_months(one.started, 12 * years) <= until:
        years += 1
    items = tuple(
        (item.price, item.quantity) for item in one.items if item.price.product.sku in _sold(desk)
    )
    return Deal(one.id, one.client, one.started, one.interval, items, 12 * years)


def _sold(desk: Desk) -> set[str]:
    """The product launched lately is not in the CRM yet."""
    return {product.sku for product in desk.catalog.products}


def lately(desk: Desk, client: Client, rng: random.Random) -> Deal:
    """A deal that was just won."""
    plan = rng.choice(["ATLAS-START", "ATLAS-TEAM", "ATLAS-BIZ"])
    interval = rng.choice(["month", "year"])
    price = desk.catalog.price(plan, interval, client.currency)
    seats = rng.randint(2, 40) if price.product.per_seat else 1
    key = f"newcomer:{client.index}"
    return Deal(key, client, client.created, interval, ((price, seats),), 12)


def won(desk: Desk, deal: Deal, account: Object, owner: int) -> Iterator[Typed]:
    """Opportunity, contract and order of a deal, each with its lines."""
    yield "Opportunity", _opportunity(desk, deal, account, owner)
    for number, (price, quantity) in enumerate(deal.items):
        line = _line(desk, deal, number, price, quantity)
        name = f"{_title(deal)} {price.product.name}"
        own: Object = {"OpportunityId": desk.id("006", deal.key), "Name": name[:376]}
        own |= {"ProductCode": price.product.sku, "SortOrder": number + 1}
        made = {"Id": desk.id("00k", f"{deal.key}:{number}")} | own | line
        yield "OpportunityLineItem", made | desk.audit(deal.at, owner)
    yield "Contract", _contract(desk, deal, account, owner)
    yield "Order", _order(desk, deal, account, owner)
    for number, (price, quantity) in enumerate(deal.items):
        line = _line(desk, deal, number, price, quantity)
        own = {"OrderId": desk.id("801", deal.key), "AvailableQuantity": quantity}
        made = {"Id": desk.id("802", f"{deal.key}:{number}")} | own | line
        yield "OrderItem", made | desk.audit(deal.at, owner)


def _title(deal: Deal) -> str:
    what = deal.items[0][0].product.name if deal.items else "Atlas"
    return f"{deal.client.name[:80]} - {what}"


def _opportunity(desk: Desk, deal: Deal, account: Object, owner: int) -> Object:
    day = on(deal.at)
    quarter = (day.month + 2) // 3
    return {
        "Id": desk.id("006", deal.key),
        "AccountId": account["Id"],
        "Name": _title(deal),
        "StageName": "Closed Won",
        "Amount": deal.amount,
        "Probability": 100,
        "ExpectedRevenue": deal.amount,
        "CloseDate": day.isoformat(),
        "Type": deal.kind,
        "IsClosed": True,
        "IsWon": True,
        "ForecastCategory": "Closed",
        "ForecastCategoryName": "Closed",
        "HasOpportunityLineItem": bool(deal.items),
        "Pricebook2Id": desk.book(book_of(deal.interval)),
        "ContractId": desk.id("800", deal.key),
        "OwnerId": desk.rep(owner),
        "CurrencyIsoCode": deal.client.currency.code,
        "FiscalYear": day.year,
        "FiscalQuarter": quarter,
        "Fiscal": f"{day.year} {quarter}",
    } | desk.audit(deal.at, owner)


def _line(desk: Desk, deal: Deal, number: int, price: Price, quantity: int) -> Object:
    currency = deal.client.currency
    return {
        "PricebookEntryId": desk.entry(price),
        "Product2Id": desk.product(price.product),
        "Quantity": quantity,
        "UnitPrice": currency.decimal(price.unit),
        "ListPrice": currency.decimal(price.unit),
        "TotalPrice": currency.decimal(price.unit * quantity),
        "ServiceDate": on(deal.at).isoformat(),
        "CurrencyIsoCode": currency.code,
    }


def _contract(desk: Desk, deal: Deal, account: Object, owner: int) -> Object:
    ends = on(add_months(deal.at, deal.months) - DAY)
    return {
        "Id": desk.id("800", deal.key),
        "AccountId": account["Id"],
        "StartDate": on(deal.at).isoformat(),
        "ContractTerm": deal.months,
        "EndDate": ends.isoformat(),
        "Status": "Activated",
        "StatusCode": "Activated",
        "ActivatedDate": instant(deal.at),
        "ActivatedById": desk.rep(owner),
        "Pricebook2Id": desk.book(book_of(deal.interval)),
        "OwnerId": desk.rep(owner),
        "CurrencyIsoCode": deal.client.currency.code,
    } | desk.audit(deal.at, owner)


def _order(desk: Desk, deal: Deal, account: Object, owner: int) -> Object:
    return {
        "Id": desk.id("801", deal.key),
        "AccountId": account["Id"],
        "ContractId": desk.id("800", deal.key),
        "OpportunityId": desk.id("006", deal.key),
        "Pricebook2Id": desk.book(book_of(deal.interval)),
        "EffectiveDate": on(deal.at).isoformat(),
        "Status": "Activated",
        "StatusCode": "Activated",
        "ActivatedDate": instant(deal.at),
        "ActivatedById": desk.rep(owner),
        "TotalAmount": deal.amount,
        "Type": "New",
        "OwnerId": desk.rep(owner),
        "CurrencyIsoCode": deal.client.currency.code,
    } | desk.audit(deal.at, owner)


def pipeline(
    desk: Desk, ledger: Ledger, account: Object, rng: random.Random, owner: int
) -> Iterator[tuple[int, Object]]:
    """(when it was opened, an opportunity that is open or was lost): one client in two has one."""
    client, now = ledger.client, desk.span.now
    if rng.random() < 0.5:
        return
    lost = rng.random() < 0.3
    opened = max(client.created, now - rng.randint(5, 90) * DAY)
    closes = on(opened if lost else now + rng.randint(5, 80) * DAY)
    stage = "Closed Lost" if lost else rng.choice(list(OPEN_STAGES))
    chance, forecast = (0, "Omitted") if lost else OPEN_STAGES[stage]
    amount = client.currency.decimal(client.currency.price(rng.randint(20, 900) * 100))
    quarter = (closes.month + 2) // 3
    expected = (amount * chance / 100).quantize(Decimal(1).scaleb(-client.currency.places))
    yield (
        opened,
        {
            "Id": desk.id("006", f"open:{client.index}"),
            "AccountId": account["Id"],
            "Name": f"{client.name[:80]} - Expansion",
            "StageName": stage,
            "Amount": amount,
            "Probability": chance,
            "ExpectedRevenue": expected,
            "CloseDate": closes.isoformat(),
            "Type": "Existing Customer - Upgrade",
            "IsClosed": lost,
            "IsWon": False,
            "ForecastCategory": forecast,
            "ForecastCategoryName": forecast,
            "HasOpportunityLineItem": False,
            "OwnerId": desk.rep(owner),
            "CurrencyIsoCode": client.currency.code,
            "FiscalYear": closes.year,
            "FiscalQuarter": quarter,
            "Fiscal": f"{closes.year} {quarter}",
        }
        | desk.audit(opened, owner, max(opened, now - rng.randint(1, 20) * DAY)),
    )
