"""The Zuora stand-in behaves as Zuora documents: access, money, immutability, repeats, limits."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from zuora_session import Stage, stage


@pytest.fixture
def zuora() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_a_token_lives_an_hour(zuora: Stage) -> None:
    assert zuora.token().json()["expires_in"] == 3599
    assert zuora.call("GET", "/object-query/accounts").status_code == 200
    zuora.stand_in.clock.move(3601)
    answer = zuora.call("GET", "/object-query/accounts")
    assert answer.status_code == 401
    assert str(answer.json()["reasons"][0]["code"]).startswith("9")


def test_a_wrong_secret_is_refused(zuora: Stage) -> None:
    form = {"client_id": zuora.stand_in.access.client_id, "client_secret": "no"}
    form["grant_type"] = "client_credentials"
    answer = requests.post(zuora.running.url + "/oauth/token", data=form, timeout=10)
    assert answer.status_code == 401


def test_the_token_endpoint_has_a_limit_of_its_own(zuora: Stage) -> None:
    statuses = [zuora.token().status_code for _ in range(101)]  # one was taken to log in
    assert statuses.count(200) == 99
    assert statuses[-1] == 429


def test_money_moves_through_the_account(zuora: Stage) -> None:
    account = zuora.account()
    invoice = zuora.invoice(account, 100.10)
    payment = zuora.payment(account, 60, invoices=[{"invoiceId": invoice["id"], "amount": 50}])
    assert (payment["appliedAmount"], payment["unappliedAmount"]) == (50, 10)
    refund = {"totalAmount": 4, "type": "External", "methodType": "Check"}
    zuora.do("POST", f"/v1/payments/{payment['id']}/refunds", refund)
    memo = {"autoPost": True, "items": [item_of(zuora, invoice["id"], 20)]}
    credit = zuora.do("POST", f"/v1/invoices/{invoice['id']}/creditmemos", memo)
    applied = {"invoices": [{"invoiceId": invoice["id"], "amount": 20}]}
    credit = zuora.do("PUT", f"/v1/creditmemos/{credit['number']}/apply", applied)
    assert (credit["appliedAmount"], credit["unappliedAmount"]) == (20, 0)
    shown = zuora.get(f"/v1/invoices/{invoice['invoiceNumber']}")
    assert shown["balance"] == Decimal("30.10")
    metrics = zuora.get(f"/v1/accounts/{account}")["metrics"]
    assert metrics["totalInvoiceBalance"] == Decimal("30.10")
    assert metrics["unappliedPaymentAmount"] == 6
    assert metrics["balance"] == Decimal("24.10")
    parts = zuora.get(f"/v1/payments/{payment['number']}/parts")["parts"]
    assert [(part["invoiceId"], part["amount"]) for part in parts] == [(invoice["id"], 50)]


def item_of(zuora: Stage, invoice: str, amount: int) -> dict[str, Any]:
    item = zuora.get(f"/v1/invoices/{invoice}/items")["invoiceItems"][0]
    return {"invoiceItemId": item["id"], "amount": amount, "skuName": "Plan"}


def test_unapplying_takes_it_back_and_cancel_needs_it(zuora: Stage) -> None:
    account = zuora.account()
    invoice = zuora.invoice(account)
    part = {"invoices": [{"invoiceId": invoice["id"], "amount": 40}]}
    payment = zuora.payment(account, 40, **part)
    assert zuora.refused("PUT", f"/v1/payments/{payment['id']}/cancel", {}) == "30"
    zuora.do("PUT", f"/v1/payments/{payment['id']}/unapply", part)
    assert zuora.get(f"/v1/invoices/{invoice['id']}")["balance"] == 100
    cancelled = zuora.do("PUT", f"/v1/payments/{payment['id']}/cancel", {})
    assert cancelled["status"] == "Canceled"


def test_a_posted_invoice_cannot_be_edited_or_deleted(zuora: Stage) -> None:
    invoice = zuora.invoice(zuora.account())
    path = f"/v1/invoices/{invoice['id']}"
    assert zuora.refused("PUT", path, {"invoiceDate": "2026-02-01"}) == "30"
    assert zuora.refused("DELETE", path) == "30"
    zuora.do("PUT", path, {"transferredToAccounting": "Yes"})
    assert zuora.get(path)["transferredToAccounting"] == "Yes"


def test_a_reversed_invoice_has_a_credit_memo(zuora: Stage) -> None:
    invoice = zuora.invoice(zuora.account())
    memo = zuora.do("PUT", f"/v1/invoices/{invoice['id']}/reverse", {})["creditMemo"]
    after = zuora.get("/object-query/invoices/" + invoice["id"])
    assert (after["reversed"], after["balance"]) == (True, 0)
    assert zuora.get(f"/v1/creditmemos/{memo['id']}")["appliedAmount"] == 100


def test_validation_errors_come_with_status_200(zuora: Stage) -> None:
    answer = zuora.call("POST", "/v1/accounts", {"currency": "USD"})
    assert answer.status_code == 200
    assert str(answer.json()["reasons"][0]["code"])[-2:] == "20"
    account = zuora.account()
    sent = {"accountId": account, "amount": 1.001, "currency": "USD", "type": "External"}
    assert zuora.refused("POST", "/v1/payments", sent | {"paymentMethodType": "Cash"}) == "20"
    assert zuora.call("GET", "/v1/invoices/nope").status_code == 404
    assert zuora.call("GET", "/v1/nope").status_code == 404


def test_an_idempotency_key_replays_even_failures(zuora: Stage) -> None:
    key = {"Idempotency-Key": "k-1"}
    bad = {"name": "X"}
    first = zuora.call("POST", "/v1/accounts", bad, headers=key)
    again = zuora.call("POST", "/v1/accounts", bad, headers=key)
    assert first.json()["success"] is False and again.content == first.content
    person = {"firstName": "A", "lastName": "B"}
    good = {"name": "X", "currency": "USD", "billToContact": person}
    assert zuora.call("POST", "/v1/accounts", good, headers=key).status_code == 422
    key = {"Idempotency-Key": "k-2"}
    one = zuora.call("POST", "/v1/accounts", good, headers=key).json()["accountId"]
    two = zuora.call("POST", "/v1/accounts", good, headers=key).json()["accountId"]
    assert one == two and len(zuora.get("/object-query/accounts")["data"]) == 1
    zuora.stand_in.clock.move(24 * 3600 + 1)
    zuora.log_in()
    assert zuora.call("POST", "/v1/accounts", good, headers=key).json()["accountId"] != one


def test_our_numbers_are_unique(zuora: Stage) -> None:
    account = zuora.account()
    item = {"amount": 1, "serviceStartDate": "2026-01-01"}
    sent = {"accountId": account, "invoiceDate": "2026-01-31", "invoiceNumber": "T-1"}
    zuora.do("POST", "/v1/invoices", sent | {"invoiceItems": [item]})
    assert zuora.refused("POST", "/v1/invoices", sent | {"invoiceItems": [item]}) == "20"


def test_limits_are_told_and_kept() -> None:
    with stage(rate_limits={"minute": 3, "hour": 100, "day": 1000}) as zuora:
        first = zuora.call("GET", "/v1/payments")
        assert first.headers["RateLimit-Limit"] == "3, 3;w=60, 100;w=3600, 1000;w=86400"
        assert first.headers["RateLimit-Remaining"] == "2"
        assert first.headers["Concurrency-Limit-Limit"] == "40"
        zuora.call("GET", "/v1/payments")
        zuora.call("GET", "/v1/payments")
        refused = zuora.call("GET", "/v1/payments")
        assert refused.status_code == 429
        assert refused.json()["reasons"][0]["code"] == 70
        zuora.stand_in.clock.move(60)
        assert zuora.call("GET", "/v1/payments").status_code == 200


def test_without_invoice_settlement_its_families_are_gone() -> None:
    with stage(settlement=False) as zuora:
        assert zuora.refused("GET", "/v1/payments") == "30"
        job = zuora.job("select id from creditmemo")
        assert job["queryStatus"] == "failed"
        assert "LINK_30000007" in job["errorMessage"]
        assert zuora.rows("select id from invoicepayment") == []


def catalog(zuora: Stage) -> str:
    product = {"Name": "P", "EffectiveStartDate": "2020-01-01", "EffectiveEndDate": "2030-01-01"}
    id = zuora.do("POST", "/v1/object/product", product)["Id"]
    plan = zuora.do("POST", "/v1/object/product-rate-plan", {"Name": "Basic", "ProductId": id})
    charge = {
        "Name": "Fee", "ProductRatePlanId": plan["Id"], "ChargeModel": "Flat Fee Pricing",
        "ChargeType": "Recurring", "BillingPeriod": "Annual", "TriggerEvent": "ContractEffective",
        "BillCycleType": "DefaultFromCustomer", "UseDiscountSpecificAccountingCode": False,
        "ProductRatePlanChargeTierData": {
            "ProductRatePlanChargeTier": [{"Currency": "USD", "Price": 120}]
        },
    }  # fmt: skip
    zuora.do("POST", "/v1/object/product-rate-plan-charge", charge)
    return str(plan["Id"])


def test_each_change_makes_a_new_version_with_a_new_id(zuora: Stage) -> None:
    zuora.account()
    terms = {"initialTerm": {"period": 12, "periodType": "Month", "termType": "TERMED"}}
    made = {"terms": terms, "subscribeToRatePlans": [{"productRatePlanId": catalog(zuora)}]}
    action = {"type": "CreateSubscription", "createSubscription": made}
    order = {"orderDate": "2026-01-31", "existingAccountNumber": "A00000001"}
    order |= {"subscriptions": [{"orderActions": [action]}]}
    number = zuora.do("POST", "/v1/orders", order)["subscriptions"][0]["subscriptionNumber"]
    first = zuora.get(f"/v1/subscriptions/{number}")
    assert (first["version"], first["termEndDate"]) == (1, "2027-01-31")
    assert first["contractedMrr"] == 10
    policy = {"cancellationPolicy": "SpecificDate", "cancellationEffectiveDate": "2026-06-30"}
    zuora.do("PUT", f"/v1/subscriptions/{number}/cancel", policy)
    latest = zuora.get(f"/v1/subscriptions/{number}")
    assert (latest["version"], latest["status"]) == (2, "Cancelled")
    assert latest["id"] != first["id"]
    old = zuora.get(f"/v1/subscriptions/{number}/versions/1")
    assert old["id"] == first["id"]
    rows = zuora.rows("select version, islatestversion from subscription order by version")
    assert rows == [
        {"version": 1, "islatestversion": False},
        {"version": 2, "islatestversion": True},
    ]


def test_journal_entries_balance(zuora: Stage) -> None:
    period = {"name": "Jan 2026", "startDate": "2026-01-01", "endDate": "2026-01-31"}
    id = zuora.do("POST", "/v1/accounting-periods", period | {"fiscalYear": 2026})["id"]
    debit = {"accountingCodeName": "Cash", "type": "Debit", "amount": 5}
    credit = {"accountingCodeName": "Revenue", "type": "Credit", "amount": 4}
    entry = {"journalEntryDate": "2026-01-31", "accountingPeriodName": "Jan 2026"}
    entry |= {"currency": "USD", "journalEntryItems": [debit, credit]}
    assert zuora.refused("POST", "/v1/journal-entries", entry) == "30"
    entry["journalEntryItems"][1]["amount"] = 5
    number = zuora.do("POST", "/v1/journal-entries", entry)["journalEntryNumber"]
    assert zuora.get(f"/v1/journal-entries/{number}")["status"] == "Created"
    zuora.do("PUT", f"/v1/accounting-periods/{id}/close", {})
    assert zuora.refused("POST", "/v1/journal-entries", entry) == "30"


def test_each_api_writes_instants_its_own_way(zuora: Stage) -> None:
    account = zuora.account()
    invoice = zuora.invoice(account)["id"]
    assert zuora.get(f"/v1/invoices/{invoice}")["createdDate"] == "2026-01-31 12:00:00"
    assert zuora.get(f"/object-query/invoices/{invoice}")["createdDate"] == "2026-01-31T20:00:00Z"
    crud = zuora.get(f"/v1/object/invoice/{invoice}")
    assert crud["CreatedDate"] == "2026-01-31T12:00:00.000-08:00"
    query = {"queryString": f"select Id, CreatedDate from Invoice where Id = '{invoice}'"}
    found = zuora.do("POST", "/v1/action/query", query)
    assert found["records"][0]["CreatedDate"] == "2026-01-31T12:00:00.000-08:00"
    assert found["done"] is True


def test_v1_pages_end_without_next_page(zuora: Stage) -> None:
    account = zuora.account()
    for _ in range(5):
        zuora.payment(account, 1)
    first = zuora.get("/v1/payments", pageSize=3)
    assert len(first["payments"]) == 3
    second = json.loads(zuora.http.get(first["nextPage"], timeout=10).text)
    assert len(second["payments"]) == 2 and "nextPage" not in second


class Receiver(BaseHTTPRequestHandler):
    got: list[tuple[str, dict[str, Any]]]
    statuses: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.headers["Authorization"], json.loads(body)))
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        pass


def test_callouts_carry_the_template_with_basic_auth_and_leave_a_history(zuora: Stage) -> None:
    Receiver.got, Receiver.statuses = [], [500]
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        account = zuora.account()
        zuora.stand_in.send_webhooks_to(f"http://127.0.0.1:{server.server_address[1]}/hook")
        invoice = zuora.invoice(account)
        assert zuora.stand_in.callouts.idle()
        zuora.stand_in.callouts.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    keys = zuora.stand_in.credentials()
    login = base64.b64decode(Receiver.got[0][0].removeprefix("Basic ")).decode()
    assert login == f"{keys['webhook_user']}:{keys['webhook_password']}"
    sent = Receiver.got[0][1]
    assert (sent["event"], sent["objectId"]) == ("InvoicePosted", invoice["id"])
    assert sent["accountId"] == account and sent["eventId"]
    history = zuora.get("/v1/notification-history/callout")["calloutHistories"]
    assert [(one["responseCode"], one["attemptedNum"]) for one in history] == [(500, 1)]


@pytest.mark.parametrize(
    "body",
    [
        {"invoiceItems": "x"},
        {"invoiceItems": [1]},
        {"accountId": 5},
        {"invoiceDate": "31.01.2026"},
        {"invoiceItems": [{"amount": "x", "serviceStartDate": "2026-01-01"}]},
        {"invoiceItems": [{"amount": True, "serviceStartDate": "2026-01-01"}]},
        {"status": "Paid"},
    ],
)
def test_a_value_of_another_kind_is_refused(zuora: Stage, body: dict[str, Any]) -> None:
    item = {"amount": 1, "serviceStartDate": "2026-01-01"}
    good = {"accountId": zuora.account(), "invoiceDate": "2026-01-31", "invoiceItems": [item]}
    assert zuora.refused("POST", "/v1/invoices", good | body) == "20"
    assert zuora.get("/object-query/invoices") == {"data": []}


def test_what_is_refused_leaves_nothing_behind(zuora: Stage) -> None:
    account = zuora.account()
    invoice = zuora.invoice(account, 10)
    sent = {"accountId": account, "amount": 50, "currency": "USD", "type": "External"}
    sent |= {"paymentMethodType": "Check"}
    part = {"invoices": [{"invoiceId": invoice["id"], "amount": 11}]}
    assert zuora.refused("POST", "/v1/payments", sent | part) == "30"
    assert zuora.get("/object-query/payments") == {"data": []}
    made = {"terms": {"initialTerm": {"termType": "FOREVER"}}}
    order = {"orderDate": "2026-01-31", "existingAccountNumber": "A00000001"}
    action = {"type": "CreateSubscription", "createSubscription": made}
    order |= {"subscriptions": [{"orderActions": [action]}]}
    assert zuora.refused("POST", "/v1/orders", order) == "20"
    assert zuora.get("/object-query/orders") == {"data": []}
    assert zuora.get("/object-query/subscriptions") == {"data": []}
