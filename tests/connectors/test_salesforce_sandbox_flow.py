"""Salesforce beside Stripe over real HTTP: as a source, as a target, in batches, by webhook."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from tieout.hub import Hub
from tieout.jobs import reporting, tasks
from tieout.sandbox import Running, SandboxClock, serve
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.company.facts import Bill
from tieout.sandbox.salesforce import SalesforceStandIn
from tieout.sandbox.stripe import StripeStandIn
from tieout.webhooks import create_app

DOCS = Path(__file__).parents[2] / "docs" / "providers"
CONFIG = """\
systems:
  stripe:
    type: stripe
    base_url: {stripe}
    api_key: '${{STRIPE_KEY}}'
    calls_per_second: 500
    endpoint_calls_per_second: 500
  crm:
    type: salesforce
    base_url: {crm}
    client_id: '${{SF_ID}}'
    username: '${{SF_USER}}'
    private_key: '${{SF_KEY}}'
    organization_id: '${{SF_ORG}}'
    webhook_token: '${{SF_TOKEN}}'
    calls_per_second: 500
{more}
guard: {{max_writes: 100000, max_update_percent: 100}}
reconcile: {{settle_minutes: 0}}
flows:
{flows}
"""
OBJECTS = """\
    objects:
      invoice: {object: TieOut_Invoice__c}
      payment: {object: TieOut_Payment__c}
      credit_note: {object: TieOut_Credit_Note__c}
"""
OVERLAY = "customer: {external_ids: {stripe: Billing_Id__c}}\n"
LINKED = "    fields: {customer: [Billing_Id__c]}\n    mappings: [crm.yaml]\n"
TO_CRM = """\
  - {entity: customer, from: stripe, to: crm, fields: [name]}
"""
BILLING = """\
  - {entity: invoice, from: stripe, to: crm}
  - {entity: payment, from: stripe, to: crm}
  - {entity: credit_note, from: stripe, to: crm}
"""


@dataclass
class World:
    """Both stand-ins, served, and where config.yaml is."""

    stripe: StripeStandIn
    crm: SalesforceStandIn
    urls: dict[str, str]
    folder: Path

    def hub(self, flows: str, more: str = "") -> Any:
        known = self.crm.credentials()
        env = {
            "STRIPE_KEY": self.stripe.credentials()["api_key"],
            "SF_ID": known["client_id"],
            "SF_USER": known["username"],
            "SF_KEY": known["private_key"],
            "SF_ORG": known["organization_id"],
            "SF_TOKEN": known["webhook_token"],
        }
        (self.folder / "crm.yaml").write_text(OVERLAY)
        path = self.folder / "config.yaml"
        path.write_text(CONFIG.format(**self.urls, flows=flows, more=more))
        return Hub.open(path, env)

    def calls(self, name: str) -> Counter[tuple[str, str]]:
        """What was asked of a stand-in since the last time."""
        url = f"{self.urls[name]}/_sandbox/requests"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.load(answer)["requests"]
        forget = urllib.request.Request(url, method="DELETE")
        urllib.request.urlopen(forget, timeout=10).close()
        return Counter((each["method"], each["path"]) for each in told)

    def rows(self, table: str, columns: str = "Id") -> list[tuple[Any, ...]]:
        """Living rows, from the stand-in's own state."""
        with self.crm.lock:
            sql = f'SELECT {columns} FROM "{table}" WHERE _deleted IS NULL'
            return list(self.crm.store.db.execute(sql))


@contextmanager
def world(folder: Path, **options: Any) -> Iterator[World]:
    clock = SandboxClock()
    stripe, crm = StripeStandIn(clock, seed=3), SalesforceStandIn(clock, seed=3, **options)
    with ExitStack() as stack:
        left: Running = stack.enter_context(serve(stripe))
        right: Running = stack.enter_context(serve(crm))
        yield World(stripe, crm, {"stripe": left.url, "crm": right.url}, folder)


def load(here: World, company: Company, *, crm: bool) -> None:
    here.stripe.load(company.stripe)
    for payout, lines in company.payout_lines.items():
        here.stripe.assign_payout(payout, lines)
    if crm:
        here.crm.load(company.salesforce)


# --- Salesforce as a target


@pytest.mark.parametrize("several", [True, False], ids=["several currencies", "one currency"])
def test_a_companys_billing_lands_in_custom_objects_and_ties_out(
    tmp_path: Path, several: bool
) -> None:
    company = build_company(seed=3, size=20, now=SandboxClock().now())
    with world(tmp_path, multi_currency=several) as here:
        load(here, company, crm=False)
        more = OBJECTS + ("" if several else "    currency: USD\n")
        with here.hub(TO_CRM + BILLING, more) as hub:
            done = tasks.sync(hub)
            assert done.failures == [] and done.applied.problems == []
            assert done.applied.confirmed == done.outline.writes > 100
            assert sum(each.quarantined for each in done.pulled) == 0
            check_amounts(here, company)
            tasks.pull_systems(hub)
            assert tasks.plan(hub).writes == 0
            outcome = reporting.reconcile(hub)
            assert outcome.compared > 100 and places(outcome) == credit_at_stripe(company)
            assert all(each.unexplained_minor == 0 for each in outcome.proofs)
            assert all(each.difference_minor == 0 for each in outcome.proofs)


def places(outcome: Any) -> set[tuple[str, str]]:
    return {(each.kind, each.left_id) for each in outcome.breaks}


def credit_at_stripe(company: Company) -> set[tuple[str, str]]:
    """A credit balance, which a CRM has no place for: the only thing that is told."""
    clients = [ledger.client for ledger in company.ledgers]
    return {("receivable", each.id) for each in clients if each.balance and not each.deleted}


def issued(company: Company, now: int) -> list[Bill]:
    """Drafts are nobody's debt yet: no flow sends them."""
    bills = [bill for ledger in company.ledgers for bill in ledger.bills]
    return [bill for bill in bills if bill.status(now) != "draft"]


def check_amounts(here: World, company: Company) -> None:
    """What stands in the org, against the facts."""
    now = int(company.now.timestamp())
    bills = issued(company, now)
    wanted = Counter(
        (bill.status(now), bill.currency.code, float(bill.currency.decimal(bill.total)))
        for bill in bills
    )
    rows = here.rows("TieOut_Invoice__c", "Status__c, Currency__c, Total__c, Balance__c")
    assert Counter((row[0], row[1], float(row[2])) for row in rows) == wanted
    owed = Counter[str]()
    for bill in bills:
        if bill.status(now) in ("open", "uncollectible"):
            owed[bill.currency.code] += bill.remaining(now)
    places = {bill.currency.code: bill.currency.places for bill in bills}
    found = Counter[str]()
    for status, code, _, balance in rows:
        if status in ("open", "uncollectible"):
            found[code] += round(float(balance) * 10 ** places[code])
    assert +found == +owed
    notes = Counter(
        (bill.currency.code, float(bill.currency.decimal(note.total)))
        for bill in bills
        for note in bill.credits
    )
    rows = here.rows("TieOut_Credit_Note__c", "Currency__c, Total__c")
    assert Counter((row[0], float(row[1])) for row in rows) == notes
    paid = Counter(
        (bill.currency.code, float(bill.currency.decimal(one.amount)))
        for bill in bills
        for one in bill.receipts
        if one.succeeded is not None
    )
    rows = here.rows("TieOut_Payment__c", "Status__c, Currency__c, Amount__c")
    assert Counter((row[1], float(row[2])) for row in rows if row[0] == "succeeded") == paid


def test_invoices_land_in_an_object_that_the_org_has_by_the_overlay_of_the_docs(
    tmp_path: Path,
) -> None:
    bill = """
        Billing_Id__c string(255) external unique exact
        Customer__c reference to:Account.Customer__r/Bills__r
        State__c picklist in:Draft|Open|Paid|Cancelled|Written_off restricted
        Currency__c string(3)
        Net__c double(18,3)
        Discount__c double(18,3)
        Tax__c double(18,3)
        Sum__c double(18,3)
        Adjusted__c double(18,3)
        Received__c double(18,3)
        Credited__c double(18,3)
        Open__c double(18,3)
        Billed_On__c date
    """
    more = f"""\
    objects:
      invoice:
        object: Bill__c
        fields: [Name, Customer__c, State__c, Net__c, Discount__c, Tax__c, Sum__c, Adjusted__c,
                 Received__c, Credited__c, Open__c, Billed_On__c, Currency__c]
        key_field: Billing_Id__c
    mappings: ['{DOCS / "salesforce-own-objects.yaml"}']
"""
    flows = TO_CRM + "  - {entity: invoice, from: stripe, to: crm}\n"
    company = build_company(seed=5, size=10, now=SandboxClock().now())
    with world(tmp_path, custom_objects={"Bill__c": bill}) as here:
        load(here, company, crm=False)
        with here.hub(flows, more) as hub:
            done = tasks.sync(hub)
            assert done.applied and done.applied.problems == []
            now = int(company.now.timestamp())
            words = {"open": "Open", "paid": "Paid", "void": "Cancelled",
                     "uncollectible": "Written off"}  # fmt: skip
            wanted = Counter(
                (words[bill.status(now)], float(bill.currency.decimal(bill.total)))
                for bill in issued(company, now)
            )
            rows = here.rows("Bill__c", "State__c, Sum__c")
            assert Counter((row[0], float(row[1])) for row in rows) == wanted
            tasks.pull_systems(hub)
            assert tasks.plan(hub).writes == 0
            assert places(reporting.reconcile(hub)) == credit_at_stripe(company)


def test_one_bad_record_of_450_is_set_aside_and_the_others_go_200_a_call(tmp_path: Path) -> None:
    customers = [
        {"id": f"cus_{n:05}", "object": "customer", "name": f"Client {n:05}", "email": None,
         "created": 1_700_000_000 + n, "livemode": False, "metadata": {}}
        for n in range(450)
    ]  # fmt: skip
    customers[321]["name"] = "x" * 256  # an account's name has 255 characters at most
    with world(tmp_path) as here:
        here.stripe.load(("customer", each) for each in customers)
        with here.hub(TO_CRM) as hub:
            tasks.pull_systems(hub)
            plan = tasks.plan(hub)
            here.calls("crm")
            applied = tasks.apply_plan(hub, plan.id)
            assert (plan.writes, applied.confirmed, applied.rejected) == (450, 449, 1)
            assert "STRING_TOO_LONG" in applied.problems[0]
            calls = here.calls("crm")
            upsert = "/services/data/v66.0/composite/sobjects/Account/TieOut_Id__c"
            assert calls["PATCH", upsert] == 3
            assert sum(number for (method, _), number in calls.items() if method != "GET") <= 4
            assert sum(calls.values()) < 30  # and not one or two for each record
            names = Counter(name for (name,) in here.rows("Account", "Name"))
            assert names == Counter(f"Client {n:05}" for n in range(450) if n != 321)
            fixed = urllib.request.Request(
                f"{here.urls['stripe']}/v1/customers/cus_00321",
                data=b"name=Client+00321",
                headers={"Authorization": f"Bearer {here.stripe.credentials()['api_key']}"},
            )
            urllib.request.urlopen(fixed, timeout=10).close()
            again = tasks.sync(hub)
            assert again.applied and again.applied.confirmed == 1
            assert len(here.rows("Account")) == 450
            tasks.pull_systems(hub)
            assert tasks.plan(hub).writes == 0
            assert reporting.reconcile(hub).breaks == ()


# --- Salesforce as a source


def test_deals_just_won_become_customers_of_the_biller(tmp_path: Path) -> None:
    company = build_company(seed=2, size=60, now=SandboxClock().now(), crm=True)
    flows = "  - {entity: customer, from: crm, to: stripe, fields: [name]}\n"
    with world(tmp_path) as here:
        load(here, company, crm=True)
        with here.hub(flows + BILLING, OBJECTS + LINKED) as hub:
            pulled, failures = tasks.pull_systems(hub)
            assert failures == [] and sum(each.quarantined for each in pulled) == 0
            verdicts = {each.verdict for each in pulled if each.system == "crm"}
            assert verdicts == {"proven"}
            first = tasks.plan(hub)
            applied = tasks.apply_plan(hub, first.id)
            assert applied.problems == [] and applied.confirmed == first.writes
            names = {one["name"] for one in stripe_customers(here)}
            won = {name for id, name in here.rows("Account", "Id, Name") if id in company.newcomers}
            assert won and won <= names
            known = {ledger.client.name for ledger in company.ledgers}
            assert names - known == won - known
            tasks.pull_systems(hub)
            assert tasks.plan(hub).writes == 0
            outcome = reporting.reconcile(hub)
            assert all(each.unexplained_minor == 0 for each in outcome.proofs)
            assert places(outcome) == credit_at_stripe(company)


def stripe_customers(here: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    key = here.stripe.credentials()["api_key"]
    after = ""
    while True:
        asked = urllib.request.Request(
            f"{here.urls['stripe']}/v1/customers?limit=100{after}",
            headers={"Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            page = json.load(answer)
        found += page["data"]
        if not page["has_more"]:
            return found
        after = f"&starting_after={found[-1]['id']}"


# --- webhooks


def test_an_outbound_message_brings_the_record_without_a_pull(tmp_path: Path) -> None:
    flows = "  - {entity: customer, from: crm, to: stripe, fields: [name]}\n"
    with world(tmp_path) as here, here.hub(flows) as hub:
        server = make_server("127.0.0.1", 0, create_app(hub))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            token = here.crm.credentials()["webhook_token"]
            url = f"http://127.0.0.1:{server.server_port}/webhooks/crm/{token}"
            here.crm.send_webhooks_to(url, ("Account",), ("Id", "Name"))
            crm = hub.side("crm").connector
            id = json.loads(crm.create("customer", {"Name": "Ada"}, key="k"))["Id"]
            assert here.crm.wait_for_webhooks()
            (kept,) = hub.store.inbox.list()
            assert id.encode() in kept.body and here.crm.courier.delivered == 1
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
