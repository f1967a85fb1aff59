"""The company's CRM through connector and mapping: every record, and what the facts say of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from salesforce_org import START, OrgBench

from tieout.connectors.base import Page
from tieout.mappings import load_mapping
from tieout.reconcile.books import check
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.company.facts import Subscription

ENTITIES = ("customer", "contact", "product", "price", "opportunity", "contract")
MINOR = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}


@pytest.fixture(scope="module")
def company() -> Company:
    billers = ("stripe", "chargebee", "zuora")
    return build_company(seed=1, size=60, now=START, billers=billers, crm=True)


@pytest.fixture(scope="module")
def bench(company: Company) -> Iterator[OrgBench]:
    made = OrgBench()
    made.stand_in.load(company.of("salesforce"))
    yield made
    made.stand_in.close()


def records(bench: OrgBench, entity: str, **more: Any) -> dict[str, Any]:
    rules = load_mapping("salesforce").compile(system="crm")
    pages: list[Page] = list(bench.connector(**more).pull(entity))
    bodies = [body for page in pages for body in page.records]
    found: dict[str, Any] = {}
    for body in bodies:
        assert rules.unknown_fields(entity, json.loads(body)) == []
        record = rules.parse_bytes(entity, body)
        found[record.id] = record
    assert len(found) == len(bodies)
    return found


@pytest.fixture(scope="module")
def held(bench: OrgBench) -> dict[str, dict[str, Any]]:
    return {entity: records(bench, entity) for entity in ENTITIES}


def test_every_record_comes_and_none_is_set_aside(company: Company, held: Any) -> None:
    counts = Counter(name for name, _ in company.of("salesforce"))
    expected = {
        "customer": counts["Account"],
        "contact": counts["Contact"],
        "product": counts["Product2"],
        "price": counts["PricebookEntry"],
        "opportunity": counts["Opportunity"],
        "contract": counts["Contract"] + counts["Order"],
    }
    assert {entity: len(found) for entity, found in held.items()} == expected
    assert counts["Account"] == len(company.ledgers) + len(company.newcomers)
    assert [each for found in held.values() for record in found.values()
            for each in check(record)] == []  # fmt: skip


def test_in_bulk_the_same_records_come(bench: OrgBench, held: Any) -> None:
    for entity in ENTITIES:
        assert records(bench, entity, bulk_from=1, bulk_page=100) == held[entity]


def test_each_client_is_a_customer_as_the_facts_have_it(company: Company, held: Any) -> None:
    for ledger in company.ledgers:
        client = ledger.client
        found = held["customer"][client.account]
        address = found.billing_address
        assert (found.name, found.phone, found.currency) == (
            client.name, client.phone, client.currency.code,
        )  # fmt: skip
        assert (address.line1, address.city, address.state) == (
            client.street, client.city, client.state,
        )  # fmt: skip
        assert (address.postal_code, address.country) == (client.postal_code, client.country)
        assert found.created_at == datetime.fromtimestamp(client.created, UTC)
    people = {record.customer_id for record in held["contact"].values()}
    assert people == set(held["customer"])


def worth(company: Company, one: Subscription) -> int:
    """What was sold, in minor units: the product launched lately is not in the CRM."""
    return sum(
        item.price.unit * item.quantity
        for item in one.items
        if item.price.product.sku != company.catalog.launched.sku
    )


def test_each_deal_has_the_amount_and_the_state_of_the_facts(company: Company, held: Any) -> None:
    won = Counter[tuple[str, str, int, date]]()
    for ledger in company.ledgers:
        for one in ledger.subscriptions:
            day = datetime.fromtimestamp(one.started, UTC).date()
            client = ledger.client
            won[client.account, client.currency.code, worth(company, one), day] += 1
    deals = held["opportunity"].values()
    found = Counter(
        (each.customer_id, each.currency, each.amount_minor, each.close_on)
        for each in deals
        if each.won and each.customer_id not in company.newcomers
    )
    assert found == won
    fresh = [each for each in deals if each.won and each.customer_id in company.newcomers]
    assert {each.customer_id for each in fresh} == company.newcomers
    assert len(fresh) == len(company.newcomers)
    assert all(each.closed for each in deals if each.won)
    assert {each.stage for each in deals if each.closed} == {"Closed Won", "Closed Lost"}
    assert {each.currency for each in deals} == set(MINOR)


def test_each_order_has_the_lines_of_its_subscription(company: Company, held: Any) -> None:
    orders = Counter[tuple[str, int, tuple[tuple[str, str | None], ...]]]()
    for ledger in company.ledgers:
        for one in ledger.subscriptions:
            lines = tuple(
                (str(item.quantity), minor(item.price.unit, ledger.client.currency.places))
                for item in one.items
                if item.price.product.sku != company.catalog.launched.sku
            )
            orders[ledger.client.account, worth(company, one), tuple(sorted(lines))] += 1
    contracts = held["contract"].values()
    found = Counter(
        (
            each.customer_id,
            each.total_minor,
            tuple(sorted((line.quantity, line.unit_amount) for line in each.lines)),
        )
        for each in contracts
        if each.kind == "order" and each.customer_id not in company.newcomers
    )
    assert found == orders
    assert {each.status for each in contracts} == {"active"}
    for each in contracts:
        prices = {line.price_id for line in each.lines}
        assert prices <= set(held["price"])
        if each.kind == "order":
            assert sum(line.amount_minor for line in each.lines) == each.total_minor
    terms = [each.term_months for each in contracts if each.kind == "contract"]
    assert all(months % 12 == 0 and months > 0 for months in terms)


def minor(unit: int, places: int) -> str:
    """A price in minor units as the plain decimal that it is in major ones."""
    whole, rest = divmod(unit, 10**places)
    text = f"{whole}.{rest:0{places}d}" if places else str(whole)
    return text.rstrip("0").rstrip(".") if "." in text else text


def test_each_price_is_that_of_the_catalog(company: Company, held: Any) -> None:
    products = {each.sku: each for each in held["product"].values()}
    assert set(products) == {product.sku for product in company.catalog.products}
    for each in held["price"].values():
        assert each.product_id in held["product"]
        assert each.scheme == "per_unit" and each.active is True
    catalog = Counter[tuple[str, str, str]]()
    for product in company.catalog.products:
        for interval in (None,) if product.one_time else ("month", "year"):
            for code in MINOR:
                currency = next(
                    ledger.client.currency
                    for ledger in company.ledgers
                    if ledger.client.currency.code == code
                )
                price = company.catalog.price(product.sku, interval, currency)
                amount = minor(price.unit, currency.places)
                catalog[products[product.sku].id, code, amount] += 1
    assert catalog == Counter(
        (each.product_id, each.currency, each.unit_amount) for each in held["price"].values()
    )
