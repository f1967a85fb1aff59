"""Draws Salesforce from the facts: what the sales team knows of every customer, whoever bills it.

Accounts carry the biller's name and customer id, written there when the deal was handed over;
those won in the last days have the name only, because nobody has handed them over yet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from . import salesforce_deals as deals
from .billing import Ledger
from .catalog import Catalog
from .currencies import CURRENCIES
from .facts import Client, Product, Span
from .ids import account_id, salesforce_id
from .moments import DAY
from .salesforce_words import COUNTRIES, INDUSTRIES, REPS

Object = dict[str, Any]
Typed = tuple[str, Object]


def draw(seed: int, catalog: Catalog, ledgers: list[Ledger], span: Span) -> list[Typed]:
    """(object name, record) of all clients, oldest first; a client without a subscription that
    signed up in the last days is a deal just won, which no biller knows.
    """
    desk = deals.Desk(seed, catalog, span)
    found: list[tuple[int, Typed]] = [(span.start, one) for one in _setup(desk, catalog, span)]
    for ledger in ledgers:
        for at, name, record in _client(desk, ledger):
            found.append((at, (name, record)))
    found.sort(key=lambda one: one[0])
    return [one for _, one in found]


def _setup(desk: deals.Desk, catalog: Catalog, span: Span) -> Iterator[Typed]:
    for number, (first, last) in enumerate(REPS):
        record = {
            "Id": desk.rep(number),
            "FirstName": first,
            "LastName": last,
            "Username": f"{first}.{last}@sales.example".lower(),
            "Email": f"{first}.{last}@sales.example".lower(),
            "Alias": last[:8].lower(),
            "IsActive": True,
        }
        stamps = desk.audit(span.start, 0)
        del stamps["IsDeleted"]  # users are deactivated, never deleted
        yield "User", record | stamps
    for name, standard in ((deals.MONTHLY, True), (deals.YEARLY, False)):
        book = {"Id": desk.book(name), "Name": name, "IsActive": True, "IsStandard": standard}
        yield "Pricebook2", book | desk.audit(span.start, 0)
    for product in catalog.products:
        yield "Product2", _product(desk, product)
        yield from _entries(desk, product)


def _product(desk: deals.Desk, product: Product) -> Object:
    return {
        "Id": desk.product(product),
        "Name": product.name,
        "ProductCode": product.sku,
        "Description": product.description,
        "IsActive": True,
        "Family": "Services" if product.one_time else "Subscriptions",
        "QuantityUnitOfMeasure": "Each",
        "StockKeepingUnit": product.sku,
        "CurrencyIsoCode": "USD",
    } | desk.audit(product.created, 0)


def _entries(desk: deals.Desk, product: Product) -> Iterator[Typed]:
    """A price by the month in the standard book, by the year in the other."""
    for currency in CURRENCIES.values():
        intervals = (None,) if product.one_time else ("month", "year")
        for interval in intervals:
            price = desk.catalog.price(product.sku, interval, currency)
            entry = {
                "Id": desk.entry(price),
                "Name": product.name,
                "ProductCode": product.sku,
                "Pricebook2Id": desk.book(deals.book_of(interval)),
                "Product2Id": desk.product(product),
                "UnitPrice": currency.decimal(price.unit),
                "CurrencyIsoCode": currency.code,
                "IsActive": True,
                "UseStandardPrice": False,
            }
            yield "PricebookEntry", entry | desk.audit(product.created, 0)


def _client(desk: deals.Desk, ledger: Ledger) -> Iterator[tuple[int, str, Object]]:
    client = ledger.client
    rng = random.Random(f"{desk.seed}:crm:{client.index}")
    won_lately = not ledger.subscriptions and client.created > desk.span.now - 5 * DAY
    owner = client.index % len(REPS)
    account = _account(desk, client, rng, owner, handed_over=not won_lately)
    yield client.created, "Account", account
    for contact in _contacts(desk, client, account["Id"], rng, owner):
        yield client.created, "Contact", contact
    sold = [deals.of_subscription(desk, one) for one in ledger.subscriptions]
    if won_lately:
        sold.append(deals.lately(desk, client, rng))
    for deal in sold:
        for name, record in deals.won(desk, deal, account, owner):
            yield deal.at, name, record
    if client.deleted is None and not won_lately:
        for at, record in deals.pipeline(desk, ledger, account, rng, owner):
            yield at, "Opportunity", record


def _account(
    desk: deals.Desk, client: Client, rng: random.Random, owner: int, *, handed_over: bool
) -> Object:
    return {
        "Id": client.account or account_id(desk.seed, client.index),
        "Name": client.name,
        "Type": "Customer - Direct",
        "AccountNumber": f"ACC-{client.index:05d}",
        "BillingStreet": client.street,
        "BillingCity": client.city,
        "BillingState": client.state,
        "BillingPostalCode": client.postal_code,
        "BillingCountry": COUNTRIES[client.country],
        "Phone": client.phone,
        "Website": f"https://www.customer-{client.index}.example",
        "Industry": rng.choice(INDUSTRIES),
        "NumberOfEmployees": rng.choice([3, 12, 40, 85, 230, 1_100]),
        "AnnualRevenue": rng.choice([None, 250_000, 4_000_000, 61_000_000]),
        "OwnerId": desk.rep(owner),
        "CurrencyIsoCode": client.currency.code,
        "Billing_System__c": client.biller,
        "Billing_Id__c": client.id if handed_over else None,
    } | desk.audit(client.created, owner)


def _contacts(
    desk: deals.Desk, client: Client, account: str, rng: random.Random, owner: int
) -> Iterator[Object]:
    """The person who buys, and the mailbox that the invoices go to."""
    buyer = (client.first, client.last) if client.is_person else ("Accounts", "Payable")
    common = {
        "AccountId": account,
        "OwnerId": desk.rep(owner),
        "MailingCity": client.city,
        "MailingCountry": COUNTRIES[client.country],
        "CurrencyIsoCode": client.currency.code,
    }
    yield {
        "Id": salesforce_id("003", f"{desk.seed}:contact:{client.index}"),
        "FirstName": buyer[0],
        "LastName": buyer[1],
        "Name": " ".join(buyer),
        "Email": client.email,
        "Phone": client.phone,
        "Title": None if client.is_person else "Accounts Payable",
        **common,
    } | desk.audit(client.created, owner)
    if not client.is_person and rng.random() < 0.4:
        yield {
            "Id": salesforce_id("003", f"{desk.seed}:champion:{client.index}"),
            "FirstName": rng.choice(["Robin", "Kim", "Sascha", "Noor"]),
            "LastName": f"Champion-{client.index}",
            "Email": f"champion@customer-{client.index}.example",
            "Title": rng.choice(["CTO", "Head of IT", "Operations Lead"]),
            **common,
        } | desk.audit(client.created, owner)
