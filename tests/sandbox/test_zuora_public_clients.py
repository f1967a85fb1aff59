"""The calls of public Zuora clients, in the form in which those make them.

Singer's tap (Export ZOQL by AQuA or by the export object) and small wrappers around older v1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests
from zuora_session import Stage, stage


@pytest.fixture
def api() -> Iterator[Stage]:
    with stage() as running:
        yield running


def payload(query: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "p_1", "partner": "", "project": "p_1", "format": "csv", "version": "1.2",
        "encrypted": "none", "useQueryLabels": "true", "dateTimeUtc": "true",
        "queries": [{"name": "p_1", "query": query, "type": "zoqlexport"}], **more,
    }  # fmt: skip


def with_deleted(sent: dict[str, Any], format: str = "Boolean") -> dict[str, Any]:
    sent["queries"][0]["deleted"] = {"column": "Deleted", "format": format}
    return sent


def finished(api: Stage, sent: dict[str, Any]) -> dict[str, Any]:
    job = api.do("POST", "/v1/batch-query/", sent)
    for _ in range(5):
        job = api.get(f"/v1/batch-query/jobs/{job['id']}")
        if job["status"] == "completed":
            return dict(job)
    raise AssertionError(job)


def rows(api: Stage, sent: dict[str, Any]) -> list[dict[str, str]]:
    file = finished(api, sent)["batches"][0]["fileId"]
    return list(csv.DictReader(api.call("GET", f"/v1/file/{file}").text.splitlines()))


@pytest.mark.parametrize(
    ("query", "deleted", "said"),
    [
        ("select * from Invoice limit 1", True, ""),
        ("select * from Nonsense limit 1", True, "There is a syntax error in one of the queries"),
        ("select * from AccountingPeriod limit 1", True, "do not support the querying of deleted"),
        ("select * from AccountingPeriod limit 1", False, ""),
    ],
)
def test_each_probe_of_a_tap_is_a_job_that_can_be_cancelled(
    api: Stage, query: str, deleted: bool, said: str
) -> None:
    sent = with_deleted(payload(query)) if deleted else payload(query)
    told = api.do("POST", "/v1/batch-query/", sent)
    assert said in told.get("message", "") and ("message" in told) == bool(said)
    path = f"/v1/batch-query/jobs/{told['id']}"
    assert api.do("DELETE", path)["status"] == ("error" if said else "cancelled")


def test_what_was_deleted_is_exported_with_its_mark(api: Stage) -> None:
    account = api.account()
    kept, gone = (api.invoice(account, status="Draft")["id"] for _ in range(2))
    api.do("DELETE", f"/v1/invoices/{gone}")
    query = "select Id, Amount, UpdatedDate from Invoice order by UpdatedDate asc"
    noon = "2026-01-31 11:59:59"  # Pacific; the clock stands at noon there
    found = rows(api, with_deleted(payload(query, incrementalTime=noon)))
    marks = {row["Invoice.Id"]: row["Invoice.Deleted"] for row in found}
    assert marks == {kept: "false", gone: "true"}
    numbered = rows(api, with_deleted(payload(query), "Numeric"))
    assert sorted(row["Invoice.Deleted"] for row in numbered) == ["0", "1"]
    late = with_deleted(payload(query, incrementalTime="2026-01-31 12:00:01"))
    assert rows(api, late) == []


def test_export_zoql_reads_a_related_object_by_its_name(api: Stage) -> None:
    account = api.account("Ada Ltd")
    api.invoice(account, 12)
    (row,) = rows(api, payload("select Id, Amount, Account.Id, Account.Name from Invoice"))
    assert list(row) == ["Invoice.Id", "Invoice.Amount", "Account.Id", "Account.Name"]
    assert (row["Account.Id"], row["Account.Name"]) == (account, "Ada Ltd")


def test_the_last_completed_job_of_a_project(api: Stage) -> None:
    path = "/v1/batch-query/jobs/partner/acme/project/p_1"
    assert api.get(path)["errorCode"] == 90002
    job = finished(api, payload("select Id from Account", partner="acme"))
    assert api.get(path)["id"] == job["id"]


def test_too_many_queries_are_refused(api: Stage) -> None:
    sent = payload("select Id from Account")
    sent["queries"] *= 51
    assert api.do("POST", "/v1/batch-query/", sent)["errorCode"] == 90004


def test_the_export_object_refuses_with_invalid_value(api: Stage) -> None:
    bad = {"Format": "csv", "Query": "select * from Nonsense limit 1"}
    answer = api.call("POST", "/v1/object/export", bad)
    assert answer.status_code == 400
    assert answer.json()["Errors"][0]["Code"] == "INVALID_VALUE"


def test_a_tap_without_oauth_sends_a_name_and_a_password(api: Stage) -> None:
    keys = api.stand_in.credentials()
    user = (keys["client_id"], keys["client_secret"])
    url = api.running.url + "/v1/describe/Account"
    headers = {"apiAccessKeyId": user[0], "apiSecretAccessKey": user[1]}
    by_header = requests.get(url, headers=headers, timeout=10)
    assert ElementTree.fromstring(by_header.content).findtext("name") == "Account"
    assert requests.get(url, auth=user, timeout=10).status_code == 200
    assert requests.get(url, auth=(user[0], "wrong"), timeout=10).status_code == 401
    assert requests.get(url, headers={"Authorization": "Basic ?"}, timeout=10).status_code == 401
    assert requests.post(api.running.url + "/v1/connections", headers=headers, timeout=10).json()[
        "success"
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT Id FROM Account",
        "select * from Account",
        "select Id from Account order by Id",
        "select count(Id) from Account",
        "select Id from Account where Name in ('A', 'B')",
        "select Id, Account.Name from Invoice",
        "select Id from CreditMemo",
        "select Id from DebitMemo",
        "select Id from PaymentApplication",
        "select Id from Orders",
        "select Id from Nonsense",
    ],
)
def test_zoql_is_less_than_sql(api: Stage, query: str) -> None:
    answer = api.call("POST", "/v1/action/query", {"queryString": query})
    assert answer.status_code == 400 and answer.json()["Success"] is False


def test_words_within_a_zoql_text_are_just_text(api: Stage) -> None:
    api.account("Order by (in) Ltd")
    query = "select Id, Name from Account where Name = 'Order by (in) Ltd'"
    found = api.do("POST", "/v1/action/query", {"queryString": query})
    assert (found["size"], found["done"], found["records"][0]["Name"]) == (
        1,
        True,
        "Order by (in) Ltd",
    )


@pytest.mark.parametrize(
    "query",
    [
        "account.fields[]=id,nonsense",
        "expand[]=billto&billto.fields[]=nonsense",
        "nonsense.fields[]=id",
        "nonsense=1",
        "filter[]=nonsense.EQ:1",
        "sort[]=nonsense.ASC",
        "expand[]=nonsense",
    ],
)
def test_object_query_refuses_what_it_does_not_know(api: Stage, query: str) -> None:
    api.account()
    answer = api.call("GET", "/object-query/accounts?" + quote(query, safe="=&[],:."))
    told = answer.json()
    assert (answer.status_code, told["success"]) == (400, False)
    assert set(told["reasons"][0]) == {"code", "message"}


def test_a_wrapper_reads_transactions_and_the_summary(api: Stage) -> None:
    account = api.account("Ada Ltd")
    number = api.get(f"/v1/accounts/{account}")["basicInfo"]["accountNumber"]
    invoice = api.invoice(account, 100)
    paid = {"invoiceId": invoice["id"], "amount": 30}
    payment = api.payment(account, 30, invoices=[paid])
    (shown,) = api.get(f"/v1/transactions/invoices/accounts/{number}")["invoices"]
    assert (shown["id"], shown["accountName"], shown["balance"]) == (invoice["id"], "Ada Ltd", 70)
    assert [item["chargeAmount"] for item in shown["invoiceItems"]] == [100]
    wanted = {
        "invoiceId": invoice["id"],
        "invoiceNumber": invoice["invoiceNumber"],
        "appliedPaymentAmount": 30,
    }
    (shown,) = api.get(f"/v1/transactions/payments/accounts/{account}")["payments"]
    assert (shown["id"], shown["paidInvoices"]) == (payment["id"], [wanted])
    summary = api.get(f"/v1/accounts/{number}/summary")
    assert summary["payments"][0]["paidInvoices"] == [wanted]
    assert api.get(f"/v1/invoices/{invoice['id']}/files")["invoiceFiles"] == []
    pages = api.get(f"/v1/transactions/invoices/accounts/{number}", pageSize=1)
    assert "nextPage" not in pages


def test_payment_methods_are_listed_by_their_type(api: Stage) -> None:
    account = api.account()
    card = {"id": "c" * 32, "type": "CreditCard", "creditCardMaskNumber": "************1111"}
    api.stand_in.load([("paymentmethod", card | {"accountId": account})])
    held = api.get(f"/v1/accounts/{account}/payment-methods")
    assert held["creditcard"][0]["cardNumber"] == "************1111"
    assert api.get(f"/v1/payment-methods/{'c' * 32}")["type"] == "CreditCard"
    missing = api.call("GET", f"/v1/accounts/{account}/payment-methods/default")
    assert missing.status_code == 404


def test_orders_are_listed_by_account_and_by_subscription(api: Stage) -> None:
    account = api.account()
    number = api.get(f"/v1/accounts/{account}")["basicInfo"]["accountNumber"]
    plan = {"id": "d" * 32, "name": "Plan", "productId": "e" * 32}
    api.stand_in.load([("product", {"id": "e" * 32, "name": "Tea"}), ("productrateplan", plan)])
    action = {
        "type": "CreateSubscription",
        "triggerDates": [{"name": "ContractEffective", "triggerDate": "2026-01-31"}],
        "createSubscription": {
            "terms": {"initialTerm": {"period": 12, "periodType": "Month", "termType": "TERMED"}},
            "subscribeToRatePlans": [{"productRatePlanId": plan["id"]}],
        },
    }
    sent = {"orderDate": "2026-01-31", "existingAccountNumber": number}
    made = api.do("POST", "/v1/orders", sent | {"subscriptions": [{"orderActions": [action]}]})
    (shown,) = api.get(f"/v1/subscriptions/accounts/{number}")["subscriptions"]
    for path in (
        f"/v1/orders/invoiceOwner/{number}",
        f"/v1/orders/subscriptionOwner/{number}",
        f"/v1/orders/subscription/{shown['subscriptionNumber']}",
    ):
        assert [one["orderNumber"] for one in api.get(path)["orders"]] == [made["orderNumber"]]
    other = api.account("Bob Ltd")
    assert api.get(f"/v1/orders/invoiceOwner/{other}")["orders"] == []
    plan_id = shown["ratePlans"][0]["id"]
    assert api.get(f"/v1/rateplans/{plan_id}")["productRatePlanId"] == plan["id"]
    (held,) = api.get(f"/v1/accounts/{number}/summary")["subscriptions"]
    assert (held["subscriptionNumber"], held["termType"]) == (
        shown["subscriptionNumber"],
        "TERMED",
    )
    assert held["ratePlans"] == [{"productName": "Tea", "ratePlanName": "Plan"}]
