"""Billing data in a CRM that has no invoices: from Stripe's stand-in into custom objects."""

from __future__ import annotations

from pathlib import Path

from salesforce_fake import LOGIN, NOW, FakeSalesforce

from tieout.hub import Hub
from tieout.jobs import tasks
from tieout.jobs.reporting import reconcile
from tieout.sandbox import SandboxClock
from tieout.sandbox.company import build_company
from tieout.sandbox.stripe import StripeStandIn
from tieout.testing import Bench

CONFIG = """\
systems:
  billing: {{type: stripe, base_url: "{stripe}", api_key: '${{KEY}}'}}
  crm:
    type: salesforce
    base_url: {salesforce}
    client_id: 3MVG9example
    client_secret: '${{SECRET}}'
    objects:
      invoice: {{object: TieOut_Invoice__c}}
      payment: {{object: TieOut_Payment__c}}
      credit_note: {{object: TieOut_Credit_Note__c}}
guard: {{max_update_percent: 100}}
flows:
  - {{entity: customer, from: billing, to: crm, fields: [name]}}
  - {{entity: invoice, from: billing, to: crm}}
  - {{entity: payment, from: billing, to: crm}}
  - {{entity: credit_note, from: billing, to: crm}}
"""


def test_a_companys_billing_lands_in_the_crm_and_ties_out(tmp_path: Path) -> None:
    clock = SandboxClock(NOW)
    company = build_company(seed=3, size=6, now=NOW)
    stripe = StripeStandIn(clock, seed=3)
    stripe.load(company.stripe)
    bench, fake = Bench(stripe.wsgi, clock), FakeSalesforce()
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(stripe=bench.base_url, salesforce=LOGIN))
    secrets = {"KEY": stripe.credentials()["api_key"], "SECRET": "s3cret-of-the-app"}
    ports = {"billing": bench.ports, "crm": fake.ports}
    with Hub.open(path, secrets, ports=fake.ports, ports_for=ports.__getitem__) as hub:
        done = tasks.sync(hub)
        assert done.applied and done.applied.problems == []
        invoices, payments = fake.tables["TieOut_Invoice__c"], fake.tables["TieOut_Payment__c"]
        assert len(invoices) > 10 and len(payments) > 10 and fake.tables["TieOut_Credit_Note__c"]
        accounts = {row["Id"] for row in fake.tables["Account"]}
        assert {row["Account__c"] for row in invoices} <= accounts
        fake.seconds += 3600
        clock.move(3600)
        again = tasks.sync(hub)
        assert again.applied and again.applied.confirmed == 0
        assert {each.verdict for each in again.pulled if each.system == "crm"} == {"proven"}
        outcome = reconcile(hub)
        assert outcome.breaks == () and outcome.compared > 20
