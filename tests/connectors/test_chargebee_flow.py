"""Chargebee in flows: its books into NetSuite over HTTP, Stripe's into it while its lists lag."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from chargebee_bench import ChargebeeBench
from werkzeug.serving import make_server
from werkzeug.test import Client

from tieout.cli.demo_config import write_config
from tieout.cli.main import run as command
from tieout.cli.stand_ins import Started, company_of, wall_clock
from tieout.hub import Hub
from tieout.jobs import reporting, tasks
from tieout.sandbox import Faults, serve
from tieout.sandbox.chargebee import ChargebeeStandIn
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.stripe import StripeStandIn
from tieout.store.records import Incoming
from tieout.sync.pull import pull
from tieout.testing import Bench
from tieout.webhooks import create_app

CONFIG = """\
systems:
  billing: {{type: stripe, base_url: "{stripe}", api_key: '${{KEY}}'}}
  site:
    type: chargebee
    base_url: {chargebee}
    site: acme-test
    api_key: '${{SITE_KEY}}'
    item_family: atlas
guard: {{max_update_percent: 100}}
reconcile: {{settle_minutes: 0}}
flows:
"""
BOOKS = ("customer", "invoice", "payment", "credit_note", "refund")
CATALOG = ("customer", "product", "price", "subscription")


# --- Chargebee's books into NetSuite, over HTTP, by the command line


def place(kind: str, entity: str, left: str | None, right: str | None) -> tuple[str | None, ...]:
    """Which record a break is about; of a duplicate only the second one."""
    return (kind, entity, None if kind == "duplicate" else left, right)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[tuple[Company, Path]]:
    clock = wall_clock()
    company = company_of(1, 20, clock, ("chargebee", "netsuite"))
    made = {"chargebee": ChargebeeStandIn(clock, limits=False), "netsuite": NetSuiteStandIn(clock)}
    started = {}
    for name, stand_in in made.items():
        stand_in.load(company.of(name))  # type: ignore[attr-defined]
        faults = Faults(name=name)
        started[name] = Started(name, serve(stand_in, 0, faults), stand_in, faults)  # type: ignore[arg-type]
    config = write_config(tmp_path, started, company)
    yield company, config
    for each in started.values():
        each.stop()


def test_chargebees_books_reach_netsuite_and_tie_out(
    books: tuple[Company, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    company, config = books

    def run(*words: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            command(["--config", str(config), *words])
        out, err = capsys.readouterr()
        assert ended.value.code in (0, None, 3), (words, out, err)
        return json.loads(out) if out.strip().startswith(("{", "[")) else out

    run("check")
    run("sync")
    written = run("ops", "list", "--limit", "1000", "--json")
    assert {each["state"] for each in written} == {"confirmed"}
    assert len(written) > 10
    run("sync", "--full")
    assert len(run("ops", "list", "--limit", "1000", "--json")) == len(written)
    run("reconcile")
    breaks = run("breaks", "list", "--limit", "1000", "--json")
    found = {place(b["kind"], b["entity"], b["left_id"], b["right_id"]) for b in breaks}
    assert found == {place(p.kind, p.entity, p.left_id, p.right_id) for p in company.planted}


# --- Stripe's books into a site whose lists are five minutes behind


class World:
    """A Stripe account and a Chargebee site that share one clock; limits are on."""

    def __init__(self, tmp_path: Path, entities: tuple[str, ...]) -> None:
        self.site = ChargebeeBench(list_lag_seconds=300)
        self.stripe = StripeStandIn(self.site.clock, seed=3)  # type: ignore[arg-type]
        self.billing = Bench(self.stripe.wsgi, self.site.clock)
        family = {"id": "atlas", "name": "Atlas", "status": "active", "object": "item_family"}
        self.site.stand_in.load([("item_family", family)])
        path, ids = tmp_path / "config.yaml", random.Random(7)
        text = CONFIG.format(stripe=self.billing.base_url, chargebee=self.site.base_url)
        flows = "".join(f"  - {{entity: {e}, from: billing, to: site}}\n" for e in entities)
        path.write_text(text + flows)
        self.hub = Hub.open(
            path,
            {
                "KEY": self.stripe.credentials()["api_key"],
                "SITE_KEY": self.site.stand_in.credentials()["api_key"],
            },
            ports=replace(self.site.ports, new_id=lambda: f"{ids.getrandbits(128):032x}"),
            ports_for={"billing": self.billing.ports, "site": self.site.ports}.__getitem__,
        )

    def post(self, path: str, **form: Any) -> Any:
        """What somebody does at Stripe."""
        key = self.stripe.credentials()["api_key"]
        told = Client(self.stripe.wsgi).post(
            f"/v1/{path}", data=form, headers={"Authorization": f"Bearer {key}"}
        )
        assert told.status_code == 200, told.get_data()
        return json.loads(told.get_data())

    def sync(self) -> tuple[int, list[str]]:
        done = tasks.sync(self.hub)
        assert done.failures == []
        return (done.applied.confirmed, done.applied.problems) if done.applied else (0, [])


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(tmp_path, request.param)
    with made.hub:
        yield made
    assert made.site.refused == 0


@pytest.mark.parametrize("world", [BOOKS], indirect=True, ids=["books"])
def test_stripes_books_are_made_once_whatever_the_lists_show(world: World) -> None:
    company = build_company(seed=3, size=8, now=world.site.clock.now())
    world.stripe.load(company.stripe)
    confirmed, problems = world.sync()
    made = {entity: len(world.site.held(entity)) for entity in BOOKS}
    assert confirmed == sum(made.values()) > 80
    for _ in range(3):  # at once, while nothing shows, and later
        assert world.sync()[0] == 0
        world.site.clock.move(290)
    world.site.clock.move(1000)
    assert world.sync() == (0, [])
    tasks.pull_systems(world.hub, full=True)
    assert world.sync()[0] == 0
    assert {entity: len(world.site.held(entity)) for entity in BOOKS} == made
    # What is left is what Stripe settled without a payment: marked as paid elsewhere, or paid from
    # the customer's balance.
    outcome = reporting.reconcile(world.hub)
    bills = {bill.id: bill for ledger in company.ledgers for bill in ledger.bills}
    assert problems == []
    for each in outcome.breaks:
        bill = bills[str(each.left_id)]
        assert each.entity == "invoice"
        assert bill.out_of_band or bill.starting_balance, each
    assert outcome.compared > 90


@pytest.mark.parametrize("world", [CATALOG], indirect=True, ids=["catalog"])
def test_a_catalog_and_its_changes_reach_the_site(world: World) -> None:
    product = world.post("products", name="Gold")["id"]
    recurring = {"recurring[interval]": "month"}
    price = world.post(
        "prices", product=product, currency="eur", unit_amount_decimal="0.5", **recurring
    )["id"]  # fmt: skip
    customer = world.post("customers", name="Ada", payment_method="pm_card_visa")["id"]
    world.post("subscriptions", customer=customer, **{"items[0][price]": price})
    assert world.sync() == (4, [])
    (made,) = world.site.objects("price")
    assert (made["name"], made["price_in_decimal"]) == ("Gold EUR 1 month", "0.005")
    (subscription,) = world.site.objects("subscription")
    assert subscription["status"] == "active" and subscription["currency_code"] == "EUR"
    world.site.clock.move(3600)
    world.post(f"products/{product}", name="Platinum")
    world.post(f"customers/{customer}", email="ada@example.com")
    assert world.sync() == (2, [])
    # Lists still show what was before: it must undo nothing, and be no change of somebody's.
    (old,) = world.site.connector().pull("product")
    assert json.loads(old.records[0])["name"] == "Gold"
    side, store = world.hub.side("site"), world.hub.store
    done = pull(store, side, "product", [], world.site.ports, run="again", full=True)
    assert (done.stale, done.changed) == (1, 0)
    (item,) = world.site.held("product")
    held: Any = store.records.get("product", "site", item)
    assert held.name == "Platinum"
    assert world.sync() == (0, [])
    world.site.clock.move(3600)
    assert world.sync() == (0, [])


TWO = """\
systems:
  old: {{type: chargebee, site: acme-test, base_url: "{0}", api_key: '${{OLD}}'}}
  new: {{type: chargebee, site: acme-test, base_url: "{1}", api_key: '${{NEW}}'}}
guard: {{max_update_percent: 100}}
flows:
  - {{entity: customer, from: old, to: new}}
  - {{entity: product, from: old, to: new}}
  - {{entity: price, from: old, to: new}}
"""


def test_an_amount_that_changes_alone_keeps_its_currency(tmp_path: Path) -> None:
    """From one site to another: what is sent of the price is the amount, in yen as they are."""
    old = ChargebeeBench()
    new = ChargebeeBench(clock=old.clock)
    for site in (old, new):
        site.post("item_families", id="family", name="Family")
    old.post("items", id="gold", name="Gold", type="plan", item_family_id="family")
    form = {"pricing_model": "flat_fee", "period": 1, "period_unit": "year"}
    old.post("item_prices", id="usd", name="Gold USD", item_id="gold", price=1250,
             currency_code="USD", **form)  # fmt: skip
    old.post("item_prices", id="jpy", name="Gold JPY", item_id="gold", price=1500,
             currency_code="JPY", **form)  # fmt: skip
    old.customer()
    path, ids = tmp_path / "config.yaml", random.Random(3)
    path.write_text(TWO.format(old.base_url, new.base_url))
    keys = {name: site.stand_in.credentials()["api_key"]
            for name, site in (("OLD", old), ("NEW", new))}  # fmt: skip
    ports = {"old": old.ports, "new": new.ports}
    own = replace(old.ports, new_id=lambda: f"{ids.getrandbits(128):032x}")

    def amounts() -> dict[str, int]:
        return {each["currency_code"]: each["price"] for each in new.objects("price")}

    with Hub.open(path, keys, ports=own, ports_for=ports.__getitem__) as hub:
        old.clock.move(3600)
        assert tasks.sync(hub).failures == []
        assert amounts() == {"USD": 1250, "JPY": 1500}
        old.clock.move(3600)
        old.post("item_prices/usd", price=1300)
        old.post("item_prices/jpy", price=1700)
        old.clock.move(3600)
        done = tasks.sync(hub)
        assert done.applied is not None and done.applied.problems == []
        assert amounts() == {"USD": 1300, "JPY": 1700}
        old.clock.move(3600)
        again = tasks.sync(hub)
        assert again.applied is None or again.applied.confirmed == 0
        assert reporting.reconcile(hub).breaks == ()


def test_a_read_that_is_fresher_than_the_list_stays(tmp_path: Path) -> None:
    """`resource_version` from connector to store: the list shows an older state, read later."""
    world = World(tmp_path, ("customer",))
    with world.hub:
        store, side = world.hub.store, world.hub.side("site")
        id = world.site.customer(email="old@example.com")
        world.site.clock.move(3600)

        def pulled(**how: Any) -> Any:
            return pull(store, side, "customer", [], world.site.ports, run="r", **how)

        assert pulled(full=True).new == 1
        world.site.post(f"customers/{id}", email="new@example.com")
        body = side.connector.get("customer", id)
        assert body is not None
        before = side.connector.revision("customer", body)
        assert before == json.loads(body)["resource_version"]
        keep(world, body)
        done = pulled(full=True)
        assert (done.seen, done.stale, done.changed, done.deleted) == (1, 1, 0, 0)
        held: Any = store.records.get("customer", "site", id)
        assert held.email == "new@example.com"
        world.site.clock.move(301)
        done = pulled()
        assert (done.seen, done.stale, done.changed) == (1, 0, 0)
        world.site.post(f"customers/{id}", email="newest@example.com")
        world.site.clock.move(601)
        assert pulled().changed == 1


def test_a_contact_that_was_taken_off_is_gone_after_a_full_pull(tmp_path: Path) -> None:
    world = World(tmp_path, ("customer",))
    with world.hub:
        store, side, site = world.hub.store, world.hub.side("site"), world.site
        first, second = site.contact(), site.contact()
        site.clock.move(3600)
        done = pull(store, side, "contact", [], site.ports, run="1", full=True)
        assert (done.new, done.verdict) == (2, "proven")
        site.post(f"customers/{site.owner(first)}/delete_contact", **{"contact[id]": first})
        site.clock.move(3600)
        done = pull(store, side, "contact", [], site.ports, run="2", full=True)
        held = store.records.many("contact", "site", [first, second])
        assert (held[first].deleted, held[second].deleted) == (True, False)


def test_what_the_site_sends_is_taken_by_the_webhook_server(tmp_path: Path) -> None:
    """Its own deliveries over HTTP, with its user and password; and one that is forged."""
    world = World(tmp_path, ("customer",))
    login = world.site.stand_in.credentials()
    text = (tmp_path / "config.yaml").read_text()
    hook = "    webhook_user: chargebee\n    webhook_password: '${HOOK}'\n"
    (tmp_path / "config.yaml").write_text(
        text.replace("    item_family: atlas\n", "    item_family: atlas\n" + hook)
    )
    world.hub.__exit__(None, None, None)
    secrets = {"KEY": "sk_test_1", "SITE_KEY": login["api_key"], "HOOK": login["webhook_password"]}
    with Hub.open(tmp_path / "config.yaml", secrets, ports=world.site.ports,
                  ports_for=lambda _: world.site.ports) as hub:  # fmt: skip
        server = make_server("127.0.0.1", 0, create_app(hub))
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.port}/webhooks/site"
            world.site.stand_in.send_webhooks_to(url)
            id = world.site.customer()
            assert world.site.stand_in.wait_for_webhooks()
        finally:
            world.site.stand_in.close()
            server.shutdown()
            thread.join()
            server.server_close()
        (kept,) = hub.store.inbox.list()
        side = hub.side("site")
        headers = basic(login["webhook_user"], login["webhook_password"])
        (touched,) = side.connector.read_webhook(headers, kept.body)
        assert (touched.entity, touched.id) == ("customer", id)
        forged = Client(create_app(hub)).post(
            "/webhooks/site", data=kept.body, headers=basic(login["webhook_user"], "guess")
        )
        assert forged.status_code in (400, 401, 403)


def basic(user: str, password: str) -> dict[str, str]:
    packed = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {packed}"}


def keep(world: World, body: bytes) -> None:
    """As a webhook's record is kept."""
    store, side = world.hub.store, world.hub.side("site")
    revision = side.connector.revision("customer", body)
    row = Incoming(side.parse("customer", body), body, store.next_seq(), side.mapping_version,
                   revision)  # fmt: skip
    with store.transaction():
        store.records.put("customer", [row], run="webhook")
