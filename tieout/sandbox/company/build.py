"""Builds the company: facts first, then both systems' records of them, then the mistakes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import cash, chargebee_side, ids, people, salesforce_side, stripe_side, zuora_side
from .billing import Ledger
from .catalog import Catalog, build_catalog
from .currencies import CURRENCIES
from .facts import Bill, Client, Span
from .life import live
from .moments import DAY
from .netsuite_books import Books
from .netsuite_setup import (
    ACCOUNTS,
    DISCOUNT_ITEM,
    SUBSIDIARY,
    TAX_ITEM,
    TERMS,
    item_records,
    setup_records,
)
from .netsuite_side import add_customers, add_transactions
from .planted import Planted
from .planting import Scene, is_settling, plant_customers, plant_payouts
from .planting_invoices import plant_invoices
from .planting_payments import plant_credits, plant_payments

Object = dict[str, Any]
Typed = tuple[str, Object]
_YEARS_DAYS, _RECENT_DAYS = 730, 14


@dataclass
class Company:
    """Each system's objects, as its API serves them, and what is known about the differences.

    stripe   (object type, object), oldest first; lines beyond an invoice's embedded ten follow it
             as `line_item`s
    netsuite (record type, record with its sublists inline); money is Decimal
    chargebee, zuora, salesforce   likewise; empty in a company without them
    newcomers  Salesforce ids of accounts that signed up and that no other system has yet
    recent   billers' ids of the last 14 days that NetSuite does not have yet
    settling billers' ids of older invoices whose balance changed within them: NetSuite's agrees
             once the recent payments and credit notes are there
    payout_lines  payout id -> the balance transactions that it paid out, its own one last
    settings internal ids that a connector to this NetSuite is configured with
    """

    seed: int
    now: datetime
    stripe: list[Typed]
    netsuite: list[Typed]
    planted: list[Planted]
    recent: frozenset[str]
    settling: frozenset[str]
    payout_lines: dict[str, list[str]]
    settings: dict[str, str]
    catalog: Catalog = field(repr=False)
    ledgers: list[Ledger] = field(repr=False)
    chargebee: list[Typed] = field(default_factory=list)
    zuora: list[Typed] = field(default_factory=list)
    salesforce: list[Typed] = field(default_factory=list)
    newcomers: frozenset[str] = frozenset()

    def of(self, provider: str) -> list[Typed]:
        """A provider's objects."""
        found: list[Typed] = getattr(self, provider)
        return found


def build_company(
    *,
    seed: int = 1,
    size: int = 120,
    now: datetime,
    billers: Sequence[str] = ("stripe",),
    crm: bool = False,
) -> Company:
    """`size` customers and what happened in the two years before `now` (aware, UTC).

    billers   who bills them: the first half of them, the others the rest.
    crm       whether each has its Account in Salesforce.

    The same arguments give the same company, to the byte.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry a time zone")
    if size < 1:
        raise ValueError("a company has at least one customer")
    second = int(now.timestamp())
    span = Span(second - _YEARS_DAYS * DAY, second, second - _RECENT_DAYS * DAY)
    catalog = build_catalog(seed, span)
    plot = _Plot(seed, catalog, span, tuple(billers), crm)
    ledgers = [
        plot.client(index, created)
        for index, created in enumerate(people.signup_times(seed, size, span))
    ]
    newcomers = plot.newcomers(size) if crm else []
    bills = [bill for ledger in ledgers for bill in ledger.bills]
    charged = [bill for bill in bills if bill.client.biller == "stripe"]
    moved = cash.movements(charged, span, seed)
    payouts = cash.payouts(moved, span, seed)
    books = Books(seed, catalog, span)
    add_customers(books, ledgers)
    add_transactions(books, ledgers, payouts, moved)
    settling = frozenset(
        bill.id for bill in bills if bill.id in books.invoices and is_settling(bill, books)
    )
    scene = Scene(seed, size, ledgers, payouts, books)
    for plant in (plant_invoices, plant_payments, plant_credits, plant_customers, plant_payouts):
        plant(scene)
    return Company(
        seed=seed,
        now=now,
        stripe=stripe_side.draw(seed, catalog, _of(ledgers, "stripe"), moved, payouts, span),
        netsuite=_netsuite(books, catalog, span),
        planted=scene.planted,
        recent=_recent(ledgers, catalog, span),
        settling=settling,
        payout_lines={
            one.id: [*(line.id for line in one.movements), one.transaction] for one in payouts
        },
        settings=_settings(),
        catalog=catalog,
        ledgers=ledgers,
        newcomers=frozenset(one.client.account for one in newcomers),
        **plot.others(ledgers, newcomers),
    )


def _of(ledgers: list[Ledger], biller: str) -> list[Ledger]:
    return [ledger for ledger in ledgers if ledger.client.biller == biller]


@dataclass(frozen=True)
class _Plot:
    """Where and how the company lives."""

    seed: int
    catalog: Catalog
    span: Span
    billers: tuple[str, ...]
    crm: bool

    def client(self, index: int, created: int) -> Ledger:
        """Each has a chance of its own: a larger company begins with the smaller one's."""
        rng = random.Random(f"{self.seed}:client:{index}")
        client = self._born(rng, index, created)
        if index % 60 == 41 and created < self.span.cutoff - 10 * DAY:
            at = self.span.now - rng.randint(1, 6) * DAY
            # Where a CRM owns the customers, nobody deletes one in the biller.
            client.deleted = at if client.biller == "stripe" and not self.crm else None
        ledger = live(client, self.catalog, self.span, rng)
        ids.adopt(ledger)
        return ledger

    def newcomers(self, size: int) -> list[Ledger]:
        """Accounts won in the last days: only the CRM has them."""
        found = []
        for index in range(size, size + max(3, size // 30)):
            rng = random.Random(f"{self.seed}:newcomer:{index}")
            client = self._born(rng, index, self.span.now - rng.randint(DAY // 8, 4 * DAY))
            client.biller = self.billers[index % len(self.billers)]
            found.append(Ledger(client, self.catalog, self.span, rng))
        return found

    def _born(self, rng: random.Random, index: int, created: int) -> Client:
        client = people.build_client(rng, index, created, self.catalog)
        client.biller = people.biller_of(self.seed, index, self.billers)
        client.account = ids.account_id(self.seed, index) if self.crm else ""
        return client

    def others(self, ledgers: list[Ledger], newcomers: list[Ledger]) -> dict[str, list[Typed]]:
        """The sides of the systems beside Stripe and NetSuite."""
        sides: dict[str, list[Typed]] = {}
        if self.crm:
            everyone = [*ledgers, *newcomers]
            sides["salesforce"] = salesforce_side.draw(self.seed, self.catalog, everyone, self.span)
        if "chargebee" in self.billers:
            own = _of(ledgers, "chargebee")
            sides["chargebee"] = chargebee_side.draw(self.seed, self.catalog, own, self.span)
        if "zuora" in self.billers:
            own = _of(ledgers, "zuora")
            sides["zuora"] = zuora_side.draw(self.seed, self.catalog, own, self.span)
        return sides


def _netsuite(books: Books, catalog: Catalog, span: Span) -> list[Typed]:
    owed = books.balances()
    for record in books.customers.values():
        record["balance"] = owed.get(record["id"], CURRENCIES["USD"].decimal(0))
    found = setup_records(span, books.periods) + item_records(catalog, span)
    found += [("customer", record) for record in books.customers.values()]
    return found + books.transactions()


def _recent(ledgers: list[Ledger], catalog: Catalog, span: Span) -> frozenset[str]:
    """What Stripe made final since the cutoff, drafts and failed payments left out."""
    found = {catalog.launched.id}
    for ledger in ledgers:
        if ledger.client.created >= span.cutoff:
            found.add(ledger.client.id)
        for bill in ledger.bills:
            found |= _recent_of(bill, span.cutoff)
    return frozenset(found)


def _recent_of(bill: Bill, cutoff: int) -> set[str]:
    found = {bill.id} if bill.finalized is not None and bill.finalized >= cutoff else set()
    found |= {one.id for one in bill.receipts if (one.succeeded or 0) >= cutoff}
    for note in bill.credits:
        if note.created >= cutoff:
            found |= {note.id} | ({note.refund.id} if note.refund else set())
    return found


def _settings() -> dict[str, str]:
    return {
        "subsidiary": SUBSIDIARY["id"],
        "discount_item": DISCOUNT_ITEM,
        "tax_item": TAX_ITEM,
        "income_account": ACCOUNTS["revenue"][0],
        "receivable_account": ACCOUNTS["receivable"][0],
        "clearing_account": ACCOUNTS["clearing"][0],
        "bank_account": ACCOUNTS["bank"][0],
        "fee_account": ACCOUNTS["fees"][0],
        "terms_net30": TERMS["net30"][0],
        "terms_due": TERMS["due"][0],
    }
