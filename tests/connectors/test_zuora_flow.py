"""Zuora beside Stripe over real HTTP: as a target and as a source, by the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tieout.cli.demo_config import write_config
from tieout.cli.stand_ins import Started, company_of
from tieout.hub import Hub
from tieout.jobs import reporting, tasks
from tieout.sandbox import Faults, SandboxClock, serve
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.company.facts import Bill
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.stripe import StripeStandIn
from tieout.sandbox.zuora import ZuoraStandIn

CONFIG = """\
systems:
  stripe:
    type: stripe
    base_url: {stripe}
    api_key: '${{STRIPE_KEY}}'
    calls_per_second: 500
    endpoint_calls_per_second: 500
  zuora:
    type: zuora
    base_url: {zuora}
    client_id: '${{ZUORA_ID}}'
    client_secret: '${{ZUORA_SECRET}}'
    calls_per_minute: 40000
guard: {{max_writes: 100000, max_update_percent: 100}}
reconcile: {{settle_minutes: 0}}
flows:
{flows}
"""


@dataclass
class World:
    """Both stand-ins, served, and where config.yaml is."""

    stripe: StripeStandIn
    zuora: ZuoraStandIn
    faults: Faults
    urls: dict[str, str]
    folder: Path

    def hub(self, flows: str) -> Any:
        keys = self.zuora.credentials()
        env = {
            "STRIPE_KEY": self.stripe.credentials()["api_key"],
            "ZUORA_ID": keys["client_id"],
            "ZUORA_SECRET": keys["client_secret"],
        }
        path = self.folder / "config.yaml"
        path.write_text(CONFIG.format(**self.urls, flows=flows))
        return Hub.open(path, env)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    clock, faults = SandboxClock(), Faults(name="zuora")
    stripe, zuora = StripeStandIn(clock, seed=3), ZuoraStandIn(clock, seed=3, timezone="UTC")
    with ExitStack() as stack:
        left = stack.enter_context(serve(stripe))
        right = stack.enter_context(serve(zuora, faults=faults))
        yield World(stripe, zuora, faults, {"stripe": left.url, "zuora": right.url}, folder)


TO_ZUORA = """\
  - {entity: customer, from: stripe, to: zuora, fields: [name]}
  - {entity: invoice, from: stripe, to: zuora}
  - {entity: payment, from: stripe, to: zuora}
"""


def bills(company: Company) -> dict[str, Bill]:
    """What has been issued: no flow sends drafts."""
    now = int(company.now.timestamp())
    found = [bill for each in company.ledgers for bill in each.bills]
    return {bill.id: bill for bill in found if bill.status(now) != "draft"}


def explained(company: Company) -> set[tuple[str, str, str]]:
    """What Zuora cannot take over: a bad debt, and money that is no payment at Stripe."""
    now, found = int(company.now.timestamp()), set()
    for id, bill in bills(company).items():
        received = sum(one.amount for one in bill.receipts if one.succeeded is not None)
        if bill.status(now) == "uncollectible":
            found.add(("missing", "invoice", id))
        elif bill.status(now) == "paid" and received != bill.total:
            found.add(("differs", "invoice", id))
    return found


FIRE = "lost_answer@every:11@POST@/v1/*,500_after@every:13@POST"


@pytest.mark.parametrize("faults", ["", FIRE], ids=["calm", "under fire"])
def test_what_stripe_billed_lands_in_zuora_once_and_ties_out(tmp_path: Path, faults: str) -> None:
    company = build_company(seed=3, size=12, now=SandboxClock().now())
    with world(tmp_path) as here:
        here.stripe.load(company.stripe)
        with here.hub(TO_ZUORA) as hub:
            here.faults.load(faults)
            done = tasks.sync(hub)
            here.faults.clear()
            if faults:  # what became of lost answers is looked up
                tasks.pull_systems(hub)
                tasks.apply_plan(hub, tasks.plan(hub).id)
            assert done.failures == [] and done.outline.writes > 100
            assert all("uncollectible" in told for told in done.applied.problems)
            check_amounts(here, company)
            tasks.pull_systems(hub)
            assert tasks.plan(hub).writes == 0
            outcome = reporting.reconcile(hub)
            places = {(each.kind, each.entity, each.left_id) for each in outcome.breaks}
            receivables = {id for kind, _, id in places if kind == "receivable"}
            clients = [each.client for each in company.ledgers]
            assert receivables <= {one.id for one in clients if one.balance}
            assert {one for one in places if one[0] != "receivable"} == explained(company)
            assert all(each.unexplained_minor == 0 for each in outcome.proofs)


def check_amounts(here: World, company: Company) -> None:
    """What stands in the tenant, against the facts."""
    now = int(company.now.timestamp())
    sent = [one for one in bills(company).values() if one.status(now) != "uncollectible"]
    wanted = Counter((one.number, one.currency.decimal(one.total)) for one in sent)
    rows = [one.row for one in here.zuora.books.shelves["invoice"].values()]
    assert Counter((row["invoiceNumber"], row["amount"]) for row in rows) == wanted
    paid = Counter(
        (one.bill.currency.code, one.bill.currency.decimal(one.amount))
        for bill in sent
        for one in bill.receipts
        if one.succeeded is not None
    )
    rows = [one.row for one in here.zuora.books.shelves["payment"].values()]
    assert Counter((row["currency"], row["amount"]) for row in rows) == paid


def test_what_zuora_billed_lands_in_the_ledger_and_only_what_was_planted_differs(
    tmp_path: Path,
) -> None:
    clock = SandboxClock()
    company = company_of(1, 14, clock, ("zuora", "netsuite"))
    zuora, ledger = ZuoraStandIn(clock), NetSuiteStandIn(clock)
    zuora.load(company.of("zuora"))
    ledger.load(company.of("netsuite"))
    with ExitStack() as stack:
        started = {
            name: Started(name, stack.enter_context(serve(made)), made, Faults(name=name))
            for name, made in (("zuora", zuora), ("netsuite", ledger))
        }
        with Hub.open(write_config(tmp_path, started, company), {}) as hub:
            done = tasks.sync(hub)
            assert done.failures == [] and done.applied.problems == []
            assert sum(each.quarantined for each in done.pulled) == 0
            recent = [id for id in company.recent if not id.startswith("prod_")]  # Stripe's own
            assert done.applied.confirmed == len(recent) > 3
            proven = {each.verdict for each in done.pulled if each.system == "zuora"}
            assert proven == {"proven"}
            tasks.pull_systems(hub)
            assert tasks.plan(hub).writes == 0
            outcome = reporting.reconcile(hub)
            assert all(each.unexplained_minor == 0 for each in outcome.proofs)
            found = {place(b.kind, b.entity, b.left_id, b.right_id) for b in outcome.breaks}
            planted = company.planted
            assert found == {place(p.kind, p.entity, p.left_id, p.right_id) for p in planted}


def place(kind: str, entity: str, left: str | None, right: str | None) -> tuple[str | None, ...]:
    """Which record a break is about; of a duplicate only the second one."""
    return (kind, entity, None if kind == "duplicate" else left, right)
