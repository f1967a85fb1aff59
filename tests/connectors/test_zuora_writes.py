"""What each create, update and archive sends to Zuora: paths and bodies as its API has them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from zuora_fake import FakeZuora, reply

from tieout.connectors.zuora import Zuora, ZuoraConfig
from tieout.connectors.zuora.finding import mark_of, number_of
from tieout.core.errors import InvalidRecord
from tieout.core.ports import HttpAnswer, HttpRequest

KEY = "0123456789abcdef0123456789abcdef"


class Taking(FakeZuora):
    """Takes every write, answers an id, and shows a record of that id afterwards."""

    def write(self, path: str, body: dict[str, Any]) -> HttpAnswer:
        self.made = getattr(self, "made", 0) + 1
        id = f"{self.made:032x}"
        for resource in ("contacts", "products", "product-rate-plan-charges", "invoices",
                         "refunds", "credit-memos", "usages"):  # fmt: skip
            self.rows[resource].append({"id": id, "currency": "USD", "updatedDate": None})
        if path.startswith("/v1/object/"):
            return reply([{"Success": True, "Id": id}] if "usage" in path else
                         {"Success": True, "Id": id})  # fmt: skip
        if path == "/v1/journal-entries":
            return reply({"success": True, "journalEntryNumber": "JE-1"})
        if path == "/v1/orders":
            return reply({"success": True, "orderNumber": "O-1"})
        return reply({"success": True, "id": id, "accountId": "a"})

    def answer(self, request: HttpRequest, path: str, query: dict[str, list[str]]) -> HttpAnswer:
        if path == "/v1/accounting-periods":
            period = {"name": "Jan 26", "startDate": "2026-01-01", "endDate": "2026-01-31"}
            return reply({"success": True, "accountingPeriods": [period]})
        if request.method == "GET" and path == "/v1/journal-entries/JE-1":
            return reply({"success": True, "number": "JE-1"})
        if request.method == "GET" and path.startswith("/v1/creditmemos/"):
            return reply({"success": True, "id": "m", "appliedAmount": 0})
        return super().answer(request, path, query)

    def change(self, path: str, body: dict[str, Any]) -> HttpAnswer:
        return reply({"success": True})


def connector(fake: FakeZuora, **more: Any) -> Zuora:
    settings = {"client_id": "c1", "client_secret": "s+/=x", "base_url": "https://rest.zuora.com"}
    return Zuora(ZuoraConfig.model_validate({**settings, **more}), fake.ports, where="z")


def written(fake: FakeZuora) -> list[tuple[str, str, Any]]:
    return [
        (r.method, urlsplit(r.url).path, json.loads(r.body or b"null"))
        for r in fake.requests
        if r.method != "GET" and "/v1/" in r.url
    ]


@pytest.mark.parametrize(
    "entity, body, path, more",
    [
        ("contact", {"accountId": "a", "firstName": "A", "lastName": "B"}, "/v1/contacts",
         {"contactDescription": mark_of(KEY)}),
        ("product", {"Name": "P"}, "/v1/object/product",
         {"ProductNumber": number_of(KEY), "EffectiveStartDate": "2026-01-31",
          "EffectiveEndDate": "2099-12-31"}),
        ("usage", {"AccountId": "a", "UOM": "GB", "Quantity": 1}, "/v1/object/usage",
         {"UniqueKey": number_of(KEY)}),
        ("invoice", {"accountId": "a", "invoiceNumber": "X-7", "invoiceDate": "2026-01-05"},
         "/v1/invoices", {"comments": mark_of(KEY)}),
        ("invoice", {"accountId": "a", "comments": "Thanks", "invoiceDate": "2026-01-05"},
         "/v1/invoices", {"invoiceNumber": number_of(KEY)}),
        ("journal_entry", {"journalEntryDate": "2026-01-31", "journalEntryItems": []},
         "/v1/journal-entries", {"accountingPeriodName": "Jan 26", "notes": mark_of(KEY)}),
    ],
)  # fmt: skip
def test_creates_carry_our_key(
    entity: str, body: dict[str, Any], path: str, more: dict[str, Any]
) -> None:
    fake = Taking()
    connector(fake).create(entity, body, key=KEY)
    assert written(fake) == [("POST", path, {**body, **more})]


def test_a_draft_without_a_date_gets_today_s() -> None:
    fake = Taking()
    body = {"accountId": "a", "status": "Draft", "invoiceItems": [
        {"amount": 5, "taxItems": [{"taxAmount": 1}]},
        {"amount": 6, "serviceStartDate": "2026-01-02"},
    ]}  # fmt: skip
    connector(fake).create("invoice", body, key=KEY)
    ((_, _, sent),) = written(fake)
    assert sent["invoiceDate"] == "2026-01-31"  # the fake's clock
    assert sent["invoiceItems"] == [
        {"serviceStartDate": "2026-01-31", "amount": 5,
         "taxItems": [{"taxAmount": 1, "taxDate": "2026-01-31"}]},
        {"serviceStartDate": "2026-01-02", "amount": 6},
    ]  # fmt: skip


def test_with_a_key_field_an_invoice_keeps_its_number() -> None:
    fake = Taking()
    body = {"accountId": "a", "invoiceNumber": "X-7", "invoiceDate": "2026-01-05"}
    connector(fake, key_field="ours__c").create("invoice", body, key=KEY)
    assert written(fake) == [("POST", "/v1/invoices", {**body, "ours__c": KEY})]


def test_a_price_gets_a_rate_plan_of_its_own() -> None:
    fake = Taking()
    body = {"tieout_product": "p1", "Name": "Seat", "ChargeModel": "Flat Fee Pricing"}
    connector(fake).create("price", body, key=KEY)
    (_, first, plan), (_, second, charge) = written(fake)
    assert (first, second) == (
        "/v1/object/product-rate-plan",
        "/v1/object/product-rate-plan-charge",
    )
    assert plan["ProductId"] == "p1" and charge["ProductRatePlanId"] == f"{1:032x}"
    assert charge["ProductRatePlanChargeNumber"] == number_of(KEY)
    assert not any(name.startswith("tieout") for name in charge)


@pytest.mark.parametrize(
    "holder, path",
    [("tieout_payment", "/v1/payments/x/refunds"),
     ("tieout_credit_note", "/v1/creditmemos/x/refunds")],
)  # fmt: skip
def test_a_refund_is_made_of_what_it_pays_back(holder: str, path: str) -> None:
    fake = Taking()
    connector(fake).create("refund", {holder: "x", "totalAmount": 5, "type": "External"}, key=KEY)
    (sent,) = written(fake)
    assert sent[1] == path
    assert sent[2] == {"totalAmount": 5, "type": "External", "comment": mark_of(KEY)}
    with pytest.raises(InvalidRecord, match="names the payment"):
        connector(fake).create("refund", {"totalAmount": 5}, key=KEY)


def test_a_credit_memo_is_made_and_then_applied() -> None:
    fake = Taking()
    body = {"accountId": "a", "charges": [], "autoPost": True,
            "tieout_apply": [{"invoiceId": "i", "amount": 5}]}  # fmt: skip
    connector(fake).create("credit_note", body, key=KEY)
    made, applied = written(fake)
    assert made[1] == "/v1/creditmemos" and "tieout_apply" not in made[2]
    assert applied[:2] == ("PUT", f"/v1/creditmemos/{1:032x}/apply")
    assert applied[2] == {"invoices": [{"invoiceId": "i", "amount": 5}]}


def test_a_new_comment_keeps_the_mark() -> None:
    fake = Taking()
    row = fake.put("payments", currency="USD", comment=f"old {mark_of(KEY)}")
    connector(fake).update("payment", row["id"], {"comment": "new"}, key="k")
    assert written(fake) == [
        ("PUT", f"/v1/payments/{row['id']}", {"comment": f"new {mark_of(KEY)}"})
    ]


def test_a_debit_memo_is_changed_where_debit_memos_are() -> None:
    fake = Taking()
    row = fake.put("debit-memos", memoNumber="DM1", currency="USD")
    connector(fake).update("invoice", row["id"], {"dueDate": "2026-03-01"}, key="k")
    assert written(fake)[0][1] == f"/v1/debitmemos/{row['id']}"


@pytest.mark.parametrize(
    "policy, cancel",
    [
        ("EndOfCurrentTerm", {"cancellationPolicy": "EndOfCurrentTerm"}),
        ("SpecificDate", {"cancellationPolicy": "SpecificDate",
                          "cancellationEffectiveDate": "2026-01-31"}),
    ],
)  # fmt: skip
def test_a_subscription_is_cancelled_and_its_renewal_changed_by_orders(
    policy: str, cancel: dict[str, Any]
) -> None:
    fake = Taking()
    account = fake.put("accounts", accountNumber="A1")
    fake.put("subscriptions", name="S-1", accountId=account["id"], isLatestVersion=True)
    zuora = connector(fake, cancel_policy=policy)
    zuora.archive("subscription", "S-1", key=KEY)
    zuora.update("subscription", "S-1", {"tieout_terms": {"autoRenew": False}}, key=KEY)
    orders = [sent[2] for sent in written(fake)]
    assert [order["existingAccountNumber"] for order in orders] == ["A1", "A1"]
    subscriptions = [order["subscriptions"][0] for order in orders]
    assert [each["subscriptionNumber"] for each in subscriptions] == ["S-1", "S-1"]
    assert subscriptions[0]["orderActions"][0]["cancelSubscription"] == cancel
    assert subscriptions[1]["orderActions"][0]["termsAndConditions"] == {"autoRenew": False}
    assert all(order["processingOptions"]["runBilling"] is False for order in orders)


@pytest.mark.parametrize(
    "entity, resource, row, path",
    [
        ("payment", "payments", {}, "/v1/payments/{}/cancel"),
        ("refund", "refunds", {}, "/v1/refunds/{}/cancel"),
        ("credit_note", "credit-memos", {"status": "Draft"}, "/v1/creditmemos/{}/cancel"),
        ("credit_note", "credit-memos", {"status": "Posted"}, "/v1/creditmemos/{}/reverse"),
        ("invoice", "debit-memos", {"memoNumber": "D", "status": "Draft"},
         "/v1/debitmemos/{}/cancel"),
        ("product", "products", {}, "/v1/object/product/{}"),
    ],
)  # fmt: skip
def test_archiving(entity: str, resource: str, row: dict[str, Any], path: str) -> None:
    fake = Taking()
    made = fake.put(resource, currency="USD", **row)
    connector(fake).archive(entity, made["id"], key=KEY)
    assert [sent[:2] for sent in written(fake)] == [("PUT", path.format(made["id"]))]


def test_what_is_archived_already_is_left() -> None:
    fake = Taking()
    bill = fake.put("invoices", currency="USD", status="Posted", reversed=True)
    paid = fake.put("payments", currency="USD", status="Canceled")
    connector(fake).archive("invoice", bill["id"], key=KEY)
    connector(fake).archive("payment", paid["id"], key=KEY)
    assert written(fake) == []
