"""Clients that copy a whole account find the lists that the company does not use: empty, not gone.

The paths are those of singer-io's taps, Airbyte's sources and the official clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import chargebee_session
import pytest
import stripe_session
from test_netsuite_access import Account, opened

STRIPE = """
accounts files tax_codes tax/registrations country_specs exchange_rates invoice_rendering_templates
billing/alerts billing_portal/configurations test_helpers/test_clocks entitlements/features
radar/value_lists payment_method_configurations payment_method_domains apple_pay/domains
reporting/report_runs reporting/report_types sigma/scheduled_query_runs terminal/locations
terminal/readers terminal/configurations identity/verification_sessions
identity/verification_reports financial_connections/accounts forwarding/requests climate/products
climate/orders climate/suppliers issuing/authorizations issuing/cards issuing/cardholders
issuing/transactions issuing/disputes
"""
CHARGEBEE = """
coupon_codes coupon_sets features entitlements business_entities omnichannel_subscriptions
omnichannel_one_time_orders payment_schedule_schemes payment_vouchers alerts
"""
NETSUITE = """
vendor employee department location classification salesOrder cashSale depositApplication
vendorBill vendorPayment expenseReport expenseCategory purchaseOrder estimate opportunity job
task priceLevel salesTaxItem itemFulfillment returnAuthorization subscription
"""
TABLES = """
nexttransactionlink previoustransactionlink currencyrate systemnote pricelevel customercategory
entitystatus job partner paymentmethod salestaxitem subscription transactionbillingaddress file
"""


@pytest.fixture
def stripe_stage() -> Iterator[stripe_session.Stage]:
    with stripe_session.stage() as running:
        yield running


@pytest.fixture
def cb() -> Iterator[chargebee_session.Stage]:
    with chargebee_session.stage() as running:
        yield running


@pytest.fixture
def netsuite() -> Iterator[Account]:
    yield from opened()


# Stripe: https://docs.stripe.com/api/pagination


def emptiness(stage: stripe_session.Stage, path: str, **params: Any) -> None:
    answer = stage.get(path, limit=100, **params)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"object": "list", "data": [], "has_more": False, "url": path}
    assert answer.headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize("name", STRIPE.split())
def test_stripes_other_lists(stripe_stage: stripe_session.Stage, name: str) -> None:
    emptiness(stripe_stage, f"/v1/{name}")


def test_stripes_lists_below_an_object(stripe_stage: stripe_session.Stage) -> None:
    customer = stripe_stage.post("/v1/customers", {"name": "Acme"}).json()["id"]
    account = stripe_stage.get("/v1/account").json()["id"]
    emptiness(stripe_stage, f"/v1/customers/{customer}/sources", object="bank_account")
    emptiness(stripe_stage, f"/v1/customers/{customer}/cash_balance_transactions")
    for name in ("external_accounts", "persons", "capabilities"):
        emptiness(stripe_stage, f"/v1/accounts/{account}/{name}")
        assert stripe_stage.get(f"/v1/accounts/acct_other/{name}").status_code == 404
    assert stripe_stage.get("/v1/customers/cus_none/sources").status_code == 404
    emptiness(stripe_stage, "/v1/entitlements/active_entitlements", customer=customer)


def test_a_list_that_needs_its_parent_says_so(stripe_stage: stripe_session.Stage) -> None:
    refused = stripe_stage.get("/v1/setup_attempts")
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "setup_intent"
    emptiness(stripe_stage, "/v1/setup_attempts", setup_intent="seti_1")


def test_stripes_created_ranges_and_loaded_objects(stripe_stage: stripe_session.Stage) -> None:
    file = {"id": "file_1", "object": "file", "created": 1_700_000_000, "purpose": "tax_document"}
    stripe_stage.stand_in.load([("file", file)])
    found = stripe_stage.get("/v1/files", **{"created[gte]": 1_700_000_000}).json()["data"]
    assert [one["id"] for one in found] == ["file_1"]
    emptiness(stripe_stage, "/v1/files", **{"created[gt]": 1_700_000_000})
    emptiness(stripe_stage, "/v1/files", purpose="dispute_evidence")


def test_stripes_single_answers(stripe_stage: stripe_session.Stage) -> None:
    customer = stripe_stage.client.v1.customers.create({"name": "Acme"})
    cash = stripe_stage.client.v1.customers.cash_balance.retrieve(customer.id)
    assert (cash.object, cash.available, cash.customer) == ("cash_balance", None, customer.id)
    assert stripe_stage.client.v1.tax.settings.retrieve().status == "pending"
    wanted = {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}
    credits = stripe_stage.client.v1.billing.credit_balance_summary.retrieve(
        {"customer": customer.id, "filter": wanted}
    )
    assert credits.balances == []


# Chargebee: https://apidocs.chargebee.com/docs/api/list-ops


@pytest.mark.parametrize("name", CHARGEBEE.split())
def test_chargebees_other_lists(cb: chargebee_session.Stage, name: str) -> None:
    asked = {"limit": 100, "include_deleted": "true", "updated_at[after]": 1_500_000_000}
    assert cb.get(name, asked) == {"list": []}


def test_chargebees_lists_below_an_object(cb: chargebee_session.Stage) -> None:
    cb.catalogue()
    cb.customer()
    cb.subscription()
    invoice = cb.rows("invoice", "invoices")[0]["id"]
    for path in (
        "subscriptions/sub/discounts",
        "subscriptions/sub/subscription_entitlements",
        "customers/acme/payment_vouchers",
        f"invoices/{invoice}/payment_vouchers",
        "items/seat/item_entitlements",
        "item_prices/seat-monthly/applicable_item_prices",
    ):
        assert cb.get(path) == {"list": []}
    assert cb.get(f"invoices/{invoice}/payment_schedules") == {"payment_schedules": []}
    assert cb.ask("subscriptions/none/discounts").status_code == 404


def test_comments(cb: chargebee_session.Stage) -> None:
    cb.customer()
    about = {"entity_type": "customer", "entity_id": "acme"}
    made = cb.post("comments", {**about, "notes": "Pays late"})["comment"]
    assert made["object"] == "comment"
    assert (made["notes"], made["type"], made["created_at"]) == (
        "Pays late",
        "user",
        chargebee_session.NOW,
    )
    assert cb.rows("comment", "comments", about) == [made]
    assert cb.rows("comment", "comments", {**about, "entity_id": "other"}) == []
    assert cb.get(f"comments/{made['id']}")["comment"] == made
    assert cb.post(f"comments/{made['id']}/delete")["comment"] == made
    assert cb.rows("comment", "comments") == []
    unknown = {"entity_type": "customer", "entity_id": "none", "notes": "?"}
    assert cb.refused("comments", unknown) == (404, "resource_not_found", "entity_id")


def test_unbilled_charges_that_are_voided(cb: chargebee_session.Stage) -> None:
    cb.catalogue()
    cb.customer()
    cb.subscription()
    charge = {"charges[amount][0]": 500, "charges[description][0]": "Work"}
    sent = {"subscription_id": "sub", **charge}
    made = cb.post("unbilled_charges", sent)["unbilled_charges"][0]["id"]
    cb.post(f"unbilled_charges/{made}/delete")
    for voided, ids in (("true", [made]), ("false", [])):
        found = cb.rows("unbilled_charge", "unbilled_charges", {"is_voided": voided})
        assert [one["id"] for one in found] == ids


def test_the_tree_of_customers(cb: chargebee_session.Stage) -> None:
    for id in ("root", "left", "leaf"):
        cb.customer(id)
    for child, parent in (("left", "root"), ("leaf", "left")):
        owners = {"parent_id": parent, "payment_owner_id": "root", "invoice_owner_id": "root"}
        cb.post(f"customers/{child}/relationships", owners)

    def ids(of: str, way: str) -> list[str]:
        told = cb.get(f"customers/{of}/hierarchy", {"hierarchy_operation_type": way})
        return [one["customer_id"] for one in told["hierarchies"]]

    assert ids("left", "complete_hierarchy") == ["root", "left", "leaf"]
    assert ids("left", "subordinates") == ["left", "leaf"]
    assert ids("leaf", "path_to_root") == ["leaf", "left", "root"]
    asked = {"hierarchy_operation_type": "subordinates"}
    assert cb.get("customers/left/hierarchy", asked)["hierarchies"][0] == {
        "object": "hierarchy",
        "customer_id": "left",
        "parent_id": "root",
        "payment_owner_id": "root",
        "invoice_owner_id": "root",
        "has_children": True,
        "children_ids": ["leaf"],
    }
    assert cb.ask("customers/left/hierarchy").status_code == 400


def test_a_currency(cb: chargebee_session.Stage) -> None:
    listed = cb.get("currencies/list")["list"][0]["currency"]
    assert listed["currency_code"] == "USD"
    assert cb.get(f"currencies/{listed['id']}")["currency"] == listed
    assert cb.ask("currencies/cur_XXX").status_code == 404


# NetSuite: https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545222128.html


@pytest.mark.parametrize("name", NETSUITE.split())
def test_netsuites_other_record_types(netsuite: Account, name: str) -> None:
    home = f"/record/v1/{name}"
    answer = netsuite.call("GET", f"{home}?limit=5")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.pop("links")[0]["rel"] == "self"
    assert body == {"count": 0, "hasMore": False, "items": [], "offset": 0, "totalResults": 0}
    assert netsuite.call("GET", f"{home}/1").status_code == 404


def test_netsuite_has_no_such_type(netsuite: Account) -> None:
    assert netsuite.call("GET", "/record/v1/sausage").status_code == 404


@pytest.mark.parametrize("table", TABLES.split())
def test_netsuites_other_tables(netsuite: Account, table: str) -> None:
    assert netsuite.rows(f"SELECT * FROM {table}") == []


def test_names_of_statuses_and_account_types(netsuite: Account) -> None:
    asked = "SELECT id, fullname FROM transactionstatus WHERE trantype = 'CustInvc' ORDER BY id"
    told = [(one["id"], one["fullname"]) for one in netsuite.rows(asked)]
    assert told[:2] == [("A", "Invoice : Open"), ("B", "Invoice : Paid In Full")]
    asked = "SELECT longname FROM accounttype WHERE id = 'AcctRec'"
    assert netsuite.rows(asked) == [{"longname": "Accounts Receivable"}]


def test_dates_within(netsuite: Account) -> None:
    made = {"companyName": "Acme", "subsidiary": {"id": "1"}}
    assert netsuite.call("POST", "/record/v1/customer", made).status_code == 204
    today = netsuite.stand_in.clock.now()
    day = f"{today.month}/{today.day}/{today.year}"
    for first, last, count in (("1/1/2020", day, 1), ("1/1/2020", "1/2/2020", 0)):
        asked = f'dateCreated WITHIN ["{first}","{last}"]'
        path = f"/record/v1/customer?q={asked}"
        assert netsuite.call("GET", path).json()["totalResults"] == count


def test_where_the_account_is_and_what_it_has_saved(netsuite: Account) -> None:
    url = netsuite.run.url
    named = netsuite.session.get(
        f"{url}/rest/datacenterurls",
        params={"account": netsuite.keys["account"]},
        headers={"Authorization": ""},
        timeout=10,
    )
    assert named.json()["restDomain"] == url
    for what in ("dataset", "workbook"):
        assert netsuite.call("GET", f"/query/v1/{what}").json()["items"] == []
