"""The Zuora connector against a fake written from Zuora's documentation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from zuora_fake import NOW, FakeZuora, refused, reply

from tieout.connectors.base import Can, Connector, Method, Page, Window
from tieout.connectors.zuora import Zuora, ZuoraConfig
from tieout.connectors.zuora.finding import mark_of, number_of
from tieout.connectors.zuora.limits import learn
from tieout.core.errors import (
    AuthError,
    ConfigError,
    InvalidRecord,
    ProviderDown,
    RateLimited,
    StopRun,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest
from tieout.rest import Learned

KEY = "0123456789abcdef0123456789abcdef"
SETTINGS = {
    "client_id": "c1",
    "client_secret": "s+/=x",
    "base_url": "https://rest.zuora.com",
    "webhook_password": "long-random-password",
}


def connector(fake: FakeZuora, **more: Any) -> Zuora:
    settings = ZuoraConfig.model_validate({**SETTINGS, **more})
    return Zuora(settings, fake.ports, where="billing")


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def pulled(zuora: Zuora, entity: str, **more: Any) -> list[dict[str, Any]]:
    return records(list(zuora.pull(entity, **more)))


def invoices(fake: FakeZuora, many: int) -> None:
    account = fake.put("accounts", currency="USD", accountNumber="A1")
    for n in range(many):
        at = f"2026-01-{1 + n % 28:02}T00:00:00Z"
        bill = fake.put(
            "invoices", invoiceNumber=f"INV{n}", accountId=account["id"], updatedDate=at, amount=10
        )
        for line in range(2):
            fake.put("invoice-items", invoiceId=bill["id"], chargeAmount=5, name=f"{n}.{line}")


# settings and login


def test_a_wrong_address_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"https://rest\.eu\.zuora\.com \(EU production\)"):
        ZuoraConfig.model_validate({**SETTINGS, "base_url": "https://www.zuora.com"})


def test_many_threads_ask_for_one_token() -> None:
    fake = FakeZuora()
    zuora = connector(fake, concurrency=20)
    threads = [threading.Thread(target=lambda: zuora.get("product", "1" * 32)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fake.tokens == 1


def test_a_token_that_is_refused_is_renewed_once() -> None:
    fake = FakeZuora()
    zuora = connector(fake)
    zuora.get("product", "1" * 32)
    fake.tokens += 1  # the old one is not taken any more
    assert zuora.get("product", "1" * 32) is None
    assert fake.tokens == 3


def test_a_token_is_renewed_before_it_ends() -> None:
    fake = FakeZuora()
    zuora = connector(fake)
    zuora.get("product", "1" * 32)
    fake.seconds += 3599 - 60
    zuora.get("product", "1" * 32)
    assert fake.tokens == 2


def test_a_refused_login_names_the_data_centres_and_no_secret() -> None:
    fake = FakeZuora()
    fake.rules.append(lambda r: reply({"message": "bad s+/=x"}, 401) if "/oauth" in r.url else None)
    with pytest.raises(AuthError) as caught:
        connector(fake).get("product", "1" * 32)
    assert "https://rest.ap.zuora.com" in caught.value.hint
    assert "s+/=x" not in caught.value.message + caught.value.hint


# reading


def test_a_pull_brings_each_record_once_with_its_lines() -> None:
    fake = FakeZuora()
    invoices(fake, 7)
    found = pulled(connector(fake, page_size=3), "invoice")
    assert sorted(row["invoiceNumber"] for row in found) == [f"INV{n}" for n in range(7)]
    for row in found:
        assert len(row["invoiceItems"]) == 2
        assert {line["invoiceId"] for line in row["invoiceItems"]} == {row["id"]}
        assert row["account"]["currency"] == "USD"
    assert not any("expand" in r.url and "invoiceitems" in r.url for r in fake.requests)


@pytest.mark.parametrize("bulk", [False, True])
def test_a_pull_goes_on_after_any_page(bulk: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.connectors.zuora.bulk.PAGE", 3)
    fake = FakeZuora()
    invoices(fake, 8)
    zuora = connector(fake, page_size=3, data_query="yes" if bulk else "auto")
    pages = list(zuora.pull("invoice"))
    ids = {row["id"] for row in records(pages)}
    for place, page in enumerate(pages):
        rest = pulled(zuora, "invoice", resume=page.resume)
        before = records(pages[: place + 1])
        assert {row["id"] for row in before} | {row["id"] for row in rest} == ids
        assert len(rest) == len(ids) - len(before)


def test_an_unreadable_position_stops_the_run() -> None:
    with pytest.raises(StopRun) as caught:
        list(connector(FakeZuora()).pull("invoice", resume="{oops"))
    assert "--full" in caught.value.hint


def test_changes_overlap_and_are_taken_from_that_very_second() -> None:
    fake = FakeZuora()
    for name, at in [("old", "11:49:59"), ("tie", "11:50:00"), ("new", "11:59:00")]:
        fake.put("products", name=name, updatedDate=f"2026-01-31T{at}Z")
    found = pulled(connector(fake), "product", since=NOW)
    assert [row["name"] for row in found] == ["tie", "new"]


def test_an_invoice_whose_application_changed_is_read_again() -> None:
    fake = FakeZuora()
    invoices(fake, 2)
    bill = fake.rows["invoices"][0]
    fake.put("payment-applications", invoiceId=bill["id"], updatedDate="2026-01-31T11:59:00Z")
    found = pulled(connector(fake), "invoice", since=NOW)
    assert [row["id"] for row in found] == [bill["id"]]


def test_deleted_ids_come_at_the_end_of_a_window() -> None:
    fake = FakeZuora()
    fake.deleted["product"] = [{"id": "gone1", "updatedDate": "2026-01-31T11:00:00Z"}]
    pages = list(connector(fake).pull("product", since=NOW))
    assert pages[-1].deleted == ("gone1",)


def test_a_subscription_of_which_a_version_is_left_is_not_gone() -> None:
    fake = FakeZuora()
    fake.put("subscriptions", name="S-1", isLatestVersion=True)
    fake.deleted["subscription"] = [
        {"id": "v1", "name": name, "updatedDate": "2026-01-31T11:00:00Z"} for name in ("S-1", "S-2")
    ]
    pages = list(connector(fake).pull("subscription", since=NOW))
    assert pages[-1].deleted == ("S-2",)


def test_much_goes_over_to_data_query_and_nothing_is_lost() -> None:
    fake = FakeZuora()
    invoices(fake, 40)
    zuora = connector(fake, page_size=5, bulk_from=10)
    found = pulled(zuora, "invoice")
    assert {row.get("invoiceNumber") or row["invoicenumber"] for row in found} == {
        f"INV{n}" for n in range(40)
    }
    assert all(len(row["invoiceItems"]) == 2 for row in found)
    assert any("join account" in query for query in fake.queries)
    bulk = [row for row in found if "invoicenumber" in row]
    assert bulk and all(row["account_currency"] == "USD" for row in bulk)


def test_records_are_read_without_joins_where_a_table_lacks_a_column() -> None:
    fake = FakeZuora()
    invoices(fake, 3)

    def refuse_joins(request: HttpRequest) -> HttpAnswer | None:
        if request.method != "POST" or "/query/jobs" not in request.url:
            return None
        if b"a.currency" not in (request.body or b""):
            return None
        return reply({"code": 400, "message": "Column 'a.currency' cannot be resolved"}, 400)

    fake.rules.append(refuse_joins)
    found = pulled(connector(fake, data_query="yes"), "invoice")
    assert len(found) == 3
    assert all(row["account_currency"] == "USD" for row in found)  # looked up instead


def test_a_window_that_reaches_the_limit_is_halved() -> None:
    fake = FakeZuora()
    invoices(fake, 28)
    fake.most_rows = 20  # of rows and of lines: 28 invoices, 56 lines
    zuora = connector(fake, data_query="yes", bulk_rows=20)
    found = pulled(zuora, "invoice")
    assert {row["invoicenumber"] for row in found} == {f"INV{n}" for n in range(28)}
    assert all(len(row["invoiceItems"]) == 2 for row in found)


def test_rows_of_one_second_beyond_the_limit_are_walked_by_id() -> None:
    fake = FakeZuora()
    for _ in range(9):
        fake.put("products", updatedDate="2026-01-10T00:00:00Z")
    fake.most_rows = 4
    found = pulled(connector(fake, data_query="yes", bulk_rows=4), "product")
    assert {row["id"] for row in found} == {row["id"] for row in fake.rows["products"]}


def test_rows_without_a_time_are_in_a_whole_bulk_load() -> None:
    fake = FakeZuora()
    fake.put("products", updatedDate=None)
    found = pulled(connector(fake, data_query="yes"), "product")
    assert len(found) == 1


def test_a_result_file_is_read_in_pieces_without_our_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tieout.connectors.zuora.dataquery.PIECE", 100)
    fake = FakeZuora()
    for n in range(20):
        fake.put("products", name=f"p{n}" * 9)
    assert len(pulled(connector(fake, data_query="yes"), "product")) == 20
    pieces = [r for r in fake.requests if urlsplit(r.url).hostname == "files.example"]
    assert len(pieces) > 10
    assert all("Authorization" not in r.headers for r in pieces)


@pytest.mark.parametrize("file", ["http://files.example/x", "https://127.0.0.1:1/x"])
def test_a_result_file_on_an_untrusted_server_is_not_fetched(file: str) -> None:
    fake = FakeZuora()
    job = {"id": "j", "queryStatus": "completed", "dataFile": file, "outputRows": 1}
    fake.rules.append(lambda r: reply({"data": job}) if "/query/jobs" in r.url else None)
    with pytest.raises(StopRun, match="not to be trusted"):
        pulled(connector(fake, data_query="yes"), "product")


def test_a_file_that_breaks_off_is_no_result() -> None:
    fake = FakeZuora()
    fake.put("products")
    fake.put("products")
    zuora = connector(fake, data_query="yes")

    def cut(request: HttpRequest) -> HttpAnswer | None:
        if "files.example" not in request.url:
            return None
        body = fake.files[urlsplit(request.url).path.strip("/")].splitlines(keepends=True)[0]
        return HttpAnswer(200, {}, body)

    fake.rules.append(cut)
    with pytest.raises(ProviderDown, match="1 rows came of 2"):
        pulled(zuora, "product")


def test_a_table_that_is_never_available_is_not_asked_for_ever() -> None:
    fake = FakeZuora()
    fake.failing["journalentry"] = "Service Temporarily Unavailable (LINK_30000007)"
    zuora = connector(fake)
    for _ in range(3):
        with pytest.raises(ConfigError, match="journalentry"):
            pulled(zuora, "journal_entry")
    assert len(fake.queries) == 2


def test_object_query_goes_on_where_data_query_cannot() -> None:
    fake = FakeZuora()
    for n in range(9):
        fake.put("products", updatedDate=f"2026-01-{n + 1:02}T00:00:00Z")
    fake.failing["product"] = "Service Temporarily Unavailable"
    found = pulled(connector(fake, page_size=2, bulk_from=2), "product")
    assert {row["id"] for row in found} == {row["id"] for row in fake.rows["products"]}


def test_a_resource_that_takes_no_date_is_read_by_data_query() -> None:
    fake = FakeZuora()
    fake.put("products", name="x", updatedDate="2026-01-31T11:59:00Z")
    fake.rules.append(
        lambda r: (
            refused(50000020, "updateddate is not filterable", 400)
            if "/object-query/products?" in r.url and "updateddate" in r.url
            else None
        )
    )
    assert [row["name"] for row in pulled(connector(fake), "product", since=NOW)] == ["x"]


def test_older_versions_are_no_records_and_a_number_finds_the_latest() -> None:
    fake = FakeZuora()
    fake.put("subscriptions", name="S-1", version=1, isLatestVersion=False)
    new = fake.put("subscriptions", name="S-1", version=2, isLatestVersion=True)
    plan = fake.put("rate-plans", subscriptionId=new["id"], productId="p")
    charge = fake.put("rate-plan-charges", ratePlanId=plan["id"], chargeNumber="C-1")
    fake.put("rate-plan-charge-tiers", ratePlanChargeId=charge["id"], price=5, currency="USD")
    zuora = connector(fake)
    (found,) = pulled(zuora, "subscription")
    assert found["id"] == new["id"]
    assert found["ratePlanCharges"][0]["chargeNumber"] == "C-1"
    assert found["ratePlanChargeTiers"][0]["price"] == 5
    again = zuora.get("subscription", "S-1")
    assert again is not None and json.loads(again)["id"] == new["id"]
    assert zuora.get("subscription", "S-9") is None


def test_subscriptions_are_the_same_in_bulk() -> None:
    fake = FakeZuora()
    new = fake.put("subscriptions", name="S-1", isLatestVersion=True, accountId="a1")
    fake.rows["accounts"].append({"id": "a1", "currency": "EUR"})
    plan = fake.put("rate-plans", subscriptionId=new["id"], productId="p")
    charge = fake.put("rate-plan-charges", ratePlanId=plan["id"], chargeNumber="C-1")
    fake.put("rate-plan-charge-tiers", ratePlanChargeId=charge["id"], price=5)
    (found,) = pulled(connector(fake, data_query="yes"), "subscription")
    assert [row["productid"] for row in found["ratePlans"]] == ["p"]
    assert [row["chargenumber"] for row in found["ratePlanCharges"]] == ["C-1"]
    assert [row["price"] for row in found["ratePlanChargeTiers"]] == [5]
    assert found["account_currency"] == "EUR"


def test_a_charge_in_two_currencies_is_two_prices() -> None:
    fake = FakeZuora()
    plan = fake.put("product-rate-plans", productId="p1")
    charge = fake.put("product-rate-plan-charges", productRatePlanId=plan["id"])
    for currency, price in [("USD", 10), ("EUR", 9)]:
        fake.put("product-rate-plan-charge-tiers", productRatePlanChargeId=charge["id"],
                 currency=currency, price=price)  # fmt: skip
    zuora = connector(fake)
    found = pulled(zuora, "price")
    assert [row["tieout_id"] for row in found] == [f"{charge['id']}:EUR", f"{charge['id']}:USD"]
    one = zuora.get("price", f"{charge['id']}:USD")
    assert one is not None
    assert [tier["price"] for tier in json.loads(one)["productRatePlanChargeTiers"]] == [10]


def test_applications_are_read_where_parts_do_not_add_up() -> None:
    fake = FakeZuora()
    short = fake.put("payments", amount=10, appliedAmount=10, currency="USD")
    whole = fake.put("payments", amount=5, appliedAmount=5, currency="USD")
    fake.put("payment-parts", paymentId=whole["id"], invoiceId="i1", amount=5)
    fake.put("payment-applications", paymentId=short["id"], invoiceId="i2", applyAmount=10)
    by_id = {row["id"]: row for row in pulled(connector(fake), "payment")}
    assert by_id[short["id"]]["paymentApplications"][0]["applyAmount"] == 10
    assert "paymentApplications" not in by_id[whole["id"]]


def test_a_currency_that_is_missing_is_the_account_s_and_marked() -> None:
    fake = FakeZuora()
    account = fake.put("accounts", currency="JPY")
    fake.put("refunds", accountId=account["id"], amount=500)
    fake.rules.append(
        lambda r: (
            refused(50000020, "expand is not supported", 400)
            if "/refunds" in r.url and "expand" in r.url
            else None
        )
    )
    (found,) = pulled(connector(fake), "refund")
    assert found["account_currency"] == "JPY"


def test_usage_names_subscription_and_charge_by_number() -> None:
    fake = FakeZuora()
    subscription = fake.put("subscriptions", name="S-1")
    charge = fake.put("rate-plan-charges", chargeNumber="C-1")
    fake.put("usages", subscriptionId=subscription["id"], ratePlanChargeId=charge["id"])
    (found,) = pulled(connector(fake), "usage")
    assert (found["subscription_number"], found["charge_number"]) == ("S-1", "C-1")


def test_without_invoice_settlement_payments_come_from_the_old_tables() -> None:
    fake = FakeZuora()
    fake.absent = {"credit-memos"}
    account = fake.put("accounts", currency="USD")
    paid = fake.put("payments", amount=10, accountId=account["id"])
    fake.tables["invoicepayment"] = [
        {"id": "ip1", "paymentId": paid["id"], "invoiceId": "i1", "amount": 10}
    ]
    fake.tables["invoiceadjustment"] = [
        {"id": f"adj{kind}", "type": kind, "amount": 3, "updatedDate": "2026-01-10T00:00:00Z"}
        for kind in ("Credit", "Charge")
    ]
    zuora = connector(fake)
    (found,) = pulled(zuora, "payment")
    assert found["invoicePayments"][0]["invoiceid"] == "i1"
    assert found["account_currency"] == "USD"
    assert [row["id"] for row in pulled(zuora, "credit_note")] == ["adjCredit"]
    problems = zuora.check().problems
    assert any("Invoice Settlement is off" in text for text in problems)
    with pytest.raises(ConfigError, match="Invoice Settlement only"):
        zuora.create("payment", {"amount": 1}, key=KEY)


def test_journals_are_listed_by_data_query_and_read_in_v1() -> None:
    fake = FakeZuora()
    fake.tables["journalentry"] = [
        {"id": "j1", "number": "JE-1", "updatedDate": "2026-01-10T00:00:00Z"}
    ]
    entry = {"number": "JE-1", "journalEntryItems": [], "success": True}
    fake.rules.append(lambda r: reply(entry) if r.url.endswith("/journal-entries/JE-1") else None)
    (found,) = pulled(connector(fake), "journal_entry")
    assert found["number"] == "JE-1" and found["updateddate"] == "2026-01-10T00:00:00Z"


# refusals


def test_success_false_with_status_200_is_an_error_of_the_record() -> None:
    fake = FakeZuora()
    fake.rules.append(
        lambda r: (
            refused(53100320, "'termType' value should be one of: TERMED, EVERGREEN")
            if r.method == "PUT"
            else None
        )
    )
    row = fake.put("products", name="x")
    with pytest.raises(InvalidRecord, match="answered 200: 53100320: 'termType'"):
        connector(fake).update("product", row["id"], {"Name": "y"}, key=KEY)


@pytest.mark.parametrize(
    "code, expected",
    [(50000010, AuthError), (90000011, AuthError), (50000030, InvalidRecord)],
)
def test_categories_of_reasons(code: int, expected: type[Exception]) -> None:
    fake = FakeZuora()
    fake.rules.append(lambda r: refused(code, "no") if "/object-query" in r.url else None)
    with pytest.raises(expected):
        connector(fake, data_query="no").get("product", "1" * 32)


def test_the_limit_of_a_day_is_not_waited_out() -> None:
    fake = FakeZuora()
    body = {"reasons": [{"code": 70, "message": "exceeded for the day, retry after 600 seconds"}]}
    fake.rules.append(lambda r: reply(body, 429) if "/object-query" in r.url else None)
    with pytest.raises(RateLimited) as caught:
        pulled(connector(fake), "product")
    assert caught.value.wait_seconds == 600
    assert len(fake.paths()) == 1


def test_too_many_calls_at_once_wait_as_they_are_told() -> None:
    fake = FakeZuora()
    answers = [refused(50000070, "too many", 429)]
    answers[0] = HttpAnswer(429, {"retry-after": "120"}, answers[0].body)
    fake.rules.append(lambda r: answers.pop() if answers and "/object-query" in r.url else None)
    assert pulled(connector(fake), "product") == []
    assert fake.seconds >= 120


def test_limit_headers_are_learned() -> None:
    answer = HttpAnswer(
        200,
        {
            "ratelimit-limit": "2250000, 50000;w=60, 2250000;w=3600, 27000000;w=86400",
            "ratelimit-remaining": "2249000",
            "ratelimit-reset": "1200",
            "concurrency-limit-type": "Default",
            "concurrency-limit-limit": "40",
            "concurrency-limit-remaining": "38",
        },
        b"",
    )
    assert list(learn(answer)) == [
        Learned("minute", limit=50000),
        Learned("hour", limit=2250000, remaining=2249000, resets_in_seconds=1200.0),
        Learned("day", limit=27000000),
    ]


# writing

ACCOUNT = {"name": "Ada", "currency": "USD", "billCycleDay": 0}


def test_a_create_is_found_again_by_its_number() -> None:
    fake = FakeZuora()
    zuora = connector(fake)
    made = json.loads(zuora.create("customer", ACCOUNT, key=KEY))
    assert made["accountNumber"] == number_of(KEY)
    found = zuora.find("customer", KEY)
    assert found is not None and json.loads(found)["id"] == made["id"]
    assert zuora.find("customer", "f" * 32) is None


def test_the_same_key_long_after_makes_no_second_record() -> None:
    fake = FakeZuora()
    zuora = connector(fake)
    first = json.loads(zuora.create("customer", ACCOUNT, key=KEY))
    fake.kept.clear()  # Zuora has forgotten the key
    assert json.loads(zuora.create("customer", ACCOUNT, key=KEY))["id"] == first["id"]
    assert len(fake.rows["accounts"]) == 1


class Losing(FakeZuora):
    """Carries the nth POST to v1 out and then fails."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.left = fault, 1

    def answer(self, request: HttpRequest, path: str, query: dict[str, list[str]]) -> HttpAnswer:
        found = super().answer(request, path, query)
        if request.method != "POST" or not path.startswith("/v1/") or not self.left:
            return found
        self.left = 0
        key = request.headers["Idempotency-Key"]
        match self.fault:
            case "lost":
                raise AnswerLost("cut")
            case "torn":
                return HttpAnswer(200, found.headers, found.body[:9])
            case "500 after":
                self.kept[key] = reply({"message": "oops"}, 500)
                return self.kept[key]
        assert self.fault == "html"
        return HttpAnswer(200, {"content-type": "text/html"}, b"<html>busy</html>")


@pytest.mark.parametrize("fault", ["lost", "torn", "500 after", "html"])
@pytest.mark.parametrize("entity", ["customer", "payment"])
def test_a_create_whose_answer_was_lost_makes_one_record(fault: str, entity: str) -> None:
    fake = Losing(fault)
    zuora = connector(fake)
    payment = {"accountId": "a", "amount": 5, "currency": "USD", "type": "External"}
    body = ACCOUNT if entity == "customer" else payment
    made = json.loads(zuora.create(entity, body, key=KEY))
    rows = fake.rows["accounts" if entity == "customer" else "payments"]
    assert [row["id"] for row in rows] == [made["id"]]


def test_a_failure_that_is_kept_gets_another_key_once_nothing_was_made() -> None:
    fake = FakeZuora()
    keys: list[str] = []

    def fail_first(request: HttpRequest) -> HttpAnswer | None:
        if request.method == "POST" and request.url.endswith("/v1/accounts"):
            keys.append(request.headers["Idempotency-Key"])
            if keys[0] == keys[-1]:
                return reply({"message": "down"}, 503)
        return None

    fake.rules.append(fail_first)
    connector(fake).create("customer", ACCOUNT, key=KEY)
    assert len(keys) == 2 and keys[0] != keys[1]
    assert len(fake.rows["accounts"]) == 1


def test_a_locked_record_is_written_with_another_key() -> None:
    fake = FakeZuora()
    answers = [refused(53200050, "lock competition")]
    fake.rules.append(lambda r: answers.pop() if answers and "/v1/accounts" in r.url else None)
    connector(fake).create("customer", ACCOUNT, key=KEY)
    assert len(fake.rows["accounts"]) == 1


def test_a_corrected_record_is_another_request() -> None:
    fake = FakeZuora()
    zuora = connector(fake)
    fake.rules.append(
        lambda r: (
            refused(53200020, "name is too long")
            if "/v1/accounts" in r.url and b"Ada" in (r.body or b"")
            else None
        )
    )
    with pytest.raises(InvalidRecord, match="too long"):
        zuora.create("customer", ACCOUNT, key=KEY)
    assert json.loads(zuora.create("customer", {**ACCOUNT, "name": "Bo"}, key=KEY))["name"] == "Bo"
    keys = {r.headers["Idempotency-Key"] for r in fake.requests if r.method == "POST"
            and "/v1/accounts" in r.url}  # fmt: skip
    assert len(keys) == 2


def test_a_payment_carries_its_mark_and_is_found_long_after() -> None:
    fake = FakeZuora()
    zuora = connector(fake)
    body = {"accountId": "a", "amount": 5, "currency": "USD", "type": "External", "comment": "x"}
    made = json.loads(zuora.create("payment", body, key=KEY))
    assert made["comment"] == f"x {mark_of(KEY)}"
    fake.rows["payments"][0]["updatedDate"] = "2025-01-01T00:00:00Z"
    found = zuora.find("payment", KEY)
    assert found is not None and json.loads(found)["id"] == made["id"]
    assert any("like" in query for query in fake.queries)


def test_what_cannot_be_looked_up_stays_unknown() -> None:
    fake = FakeZuora()
    with pytest.raises(UnknownOutcome, match="cannot be looked up"):
        connector(fake, data_query="no").find("payment", KEY)


def test_an_indexed_custom_field_may_hold_the_key() -> None:
    fake = FakeZuora()
    zuora = connector(fake, key_field="tieoutid__c")
    row = fake.put("accounts", accountNumber="A1", tieoutid__c=KEY)
    found = zuora.find("customer", KEY)
    assert found is not None and json.loads(found)["id"] == row["id"]


def test_a_subscription_is_an_order_that_bills_nothing() -> None:
    fake = FakeZuora()
    account = fake.put("accounts", accountNumber="A1")
    plan = fake.put("product-rate-plans", productId="p")
    charge = fake.put(
        "product-rate-plan-charges", productRatePlanId=plan["id"], chargeType="Recurring",
        chargeModel="Per Unit Pricing",
    )  # fmt: skip
    body = {
        "tieout_account": account["id"],
        "tieout_start": "2026-02-01",
        "tieout_create": {"terms": {"initialTerm": {"termType": "EVERGREEN"}}},
        "tieout_items": {"items": [{"price": charge["id"], "quantity": 3, "amount": 5}]},
    }
    made = json.loads(connector(fake).create("subscription", body, key=KEY))
    assert made["name"] == number_of(KEY)
    (sent,) = [r for r in fake.requests if r.url.endswith("/v1/orders")]
    order = json.loads(sent.body or b"")
    assert order["existingAccountNumber"] == "A1"
    action = order["subscriptions"][0]["orderActions"][0]
    assert action["createSubscription"]["subscribeToRatePlans"] == [
        {
            "productRatePlanId": plan["id"],
            "chargeOverrides": [
                {
                    "productRatePlanChargeId": charge["id"],
                    "pricing": {"recurringPerUnit": {"listPrice": 5, "quantity": 3}},
                }
            ],
        }
    ]


def test_an_account_is_cancelled_not_deleted() -> None:
    fake = FakeZuora()
    row = fake.put("accounts", accountNumber="A1", status="Active")
    left = connector(fake).archive("customer", row["id"], key=KEY)
    assert left is not None and json.loads(left)["status"] == "Canceled"
    assert not fake.paths("DELETE")


def test_posted_invoices_are_reversed_and_drafts_cancelled() -> None:
    fake = FakeZuora()
    draft = fake.put("invoices", status="Draft", currency="USD")
    posted = fake.put("invoices", status="Posted", currency="USD")
    zuora = connector(fake)
    zuora.archive("invoice", draft["id"], key=KEY)
    zuora.archive("invoice", posted["id"], key=KEY)
    assert draft["status"] == "Canceled"
    assert fake.paths("PUT") == [f"/v1/invoices/{posted['id']}/reverse"]


def test_number_of_a_key_fits_an_invoice_number() -> None:
    assert number_of(KEY) == "TO-AERUKZ4JVPG66AJDIVTYTK6N54"
    assert number_of("a longer key of another kind").startswith("TX-")
    assert len(number_of("x" * 200)) <= 32


# callouts

EVENT = {
    "event": "InvoicePosted", "eventId": "e1", "at": "2026-01-31", "objectId": "i1",
    "accountId": "a1",
}  # fmt: skip


def basic(password: str = "long-random-password") -> dict[str, str]:
    packed = base64.b64encode(f"tieout:{password}".encode()).decode()
    return {"Authorization": f"Basic {packed}"}


def test_a_callout_says_what_to_read_again() -> None:
    touched = connector(FakeZuora()).read_webhook(basic(), json.dumps(EVENT).encode())
    assert [(t.entity, t.id) for t in touched] == [("invoice", "i1"), ("customer", "a1")]
    assert touched[0].event_id == "e1-i1"


@pytest.mark.parametrize(
    "event, entity",
    [("1310", "subscription"), ("PaymentRefundProcessed", "refund"), ("OrderProcessed", "contract"),
     ("CreditMemoPosted", "credit_note"), ("PaymentProcessed", "payment"),
     ("SubscriptionCreated", "subscription")],
)  # fmt: skip
def test_events_by_number_and_by_name(event: str, entity: str) -> None:
    body = {**EVENT, "event": event, "subscriptionNumber": "S-1", "orderNumber": "O-1"}
    first = connector(FakeZuora()).read_webhook(basic(), json.dumps(body).encode())[0]
    wanted = {"subscription": "S-1", "contract": "O-1"}.get(entity, "i1")
    assert (first.entity, first.id) == (entity, wanted)


def test_events_that_concern_no_record_are_taken_and_left() -> None:
    body = json.dumps({**EVENT, "event": "BillingRunCompletion"}).encode()
    assert connector(FakeZuora()).read_webhook(basic(), body) == []


@pytest.mark.parametrize("headers", [{}, basic("wrong"), {"Authorization": "Bearer x"}])
def test_a_forged_callout_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(AuthError):
        connector(FakeZuora()).read_webhook(headers, b"{}")


def test_without_a_secret_no_callout_is_taken() -> None:
    with pytest.raises(ConfigError, match="neither"):
        connector(FakeZuora(), webhook_password="").read_webhook(basic(""), b"{}")


def test_an_hmac_is_wanted_where_one_is_configured() -> None:
    zuora = connector(FakeZuora(), webhook_hmac_secret="deep-secret")
    body = json.dumps(EVENT).encode()
    digest = hmac.digest(b"deep-secret", body, hashlib.sha256)
    for given in (digest.hex(), base64.b64encode(digest).decode()):
        assert zuora.read_webhook({**basic(), "x-zuora-signature": given}, body)
    with pytest.raises(AuthError, match="X-Zuora-Signature"):
        zuora.read_webhook(basic(), body)


# proof and declarations


def test_a_proof_has_every_id_and_the_overlap() -> None:
    fake = FakeZuora()
    kept = [fake.put("products")["id"] for _ in range(3)]
    fake.put("products", createdDate="2026-02-02T00:00:00Z")  # after the pull began
    bare = fake.put("products", updatedDate=None)["id"]
    window = Window(since=NOW - timedelta(days=1), began=NOW)
    found = list(connector(fake).prove("product", window))
    ids = [each for each in found if each.method is Method.IDS]
    assert sorted(i for each in ids for i in each.ids) == sorted([*kept, bare])
    assert ids[-1].whole and all(each.bound == NOW for each in ids)
    assert [each.ids for each in found if each.method is Method.SWEEP] == [(bare,)]
    assert [each.seconds for each in found if each.method is Method.OVERLAP] == [600]


def test_a_list_of_ids_longer_than_one_query_gives_is_whole() -> None:
    fake = FakeZuora()
    fake.most_rows = 4
    kept = [fake.put("products")["id"] for _ in range(9)]
    window = Window(since=None, began=NOW)
    found = list(connector(fake, bulk_rows=4).prove("product", window))
    ids = [i for each in found if each.method is Method.IDS for i in each.ids]
    assert ids == sorted(kept)


def test_prices_are_proved_by_currency_as_they_are_pulled() -> None:
    fake = FakeZuora()
    for currencies in (("USD",), ("USD", "EUR")):
        charge = fake.put("product-rate-plan-charges")
        for currency in currencies:
            fake.put("product-rate-plan-charge-tiers", productRatePlanChargeId=charge["id"],
                     currency=currency)  # fmt: skip
    zuora = connector(fake)
    pulled_ids = {row.get("tieout_id") or row["id"] for row in pulled(zuora, "price")}
    found = zuora.prove("price", Window(since=None, began=NOW))
    assert {i for e in found if e.method is Method.IDS for i in e.ids} == pulled_ids


def test_no_list_of_ids_is_better_than_half_of_one() -> None:
    fake = FakeZuora()
    fake.failing["product"] = "Service Temporarily Unavailable"
    found = list(connector(fake).prove("product", Window(since=None, began=NOW)))
    assert not [each for each in found if each.method is Method.IDS]


def test_the_callout_history_is_a_feed_of_what_still_exists() -> None:
    fake = FakeZuora()
    bill = fake.put("invoices", currency="USD")
    history = [
        {"eventContext": {"<Event.Category>": "InvoicePosted", "<Object.ID>": id}}
        for id in (bill["id"], "gone")
    ]
    fake.rules.append(
        lambda r: reply({"calloutHistories": history}) if "notification-history" in r.url else None
    )
    found = list(connector(fake).prove("invoice", Window(since=None, began=NOW)))
    assert [each.ids for each in found if each.method is Method.FEED] == [(bill["id"],)]


def test_check_tells_who_we_are_and_what_is_missing() -> None:
    fake = FakeZuora()
    fake.absent = {"usages"}
    fake.failing["journalentry"] = "Service Temporarily Unavailable"
    account = connector(fake).check()
    assert account.name == "Zuora tenant.19" and account.live is True
    assert any("may not read usages" in text for text in account.problems)
    assert any("no journal_entry" in text for text in account.problems)
    assert len(account.problems) == 2


def test_declares_exactly_what_it_implements() -> None:
    every = Can(0)
    for can in Zuora.can.values():
        every |= can
    for can, method in [
        (Can.FIND, "find"), (Can.CREATE, "create"), (Can.UPDATE, "update"),
        (Can.ARCHIVE, "archive"), (Can.PROVE, "prove"), (Can.EVENTS, "read_webhook"),
        (Can.BATCH, "write_many"),
    ]:  # fmt: skip
        mine = getattr(Zuora, method) is not getattr(Connector, method)
        assert mine == bool(can & every), method


def test_no_secret_is_in_an_error() -> None:
    fake = FakeZuora()
    fake.rules.append(
        lambda r: (
            reply({"message": f"bad {r.headers.get('Authorization')}"}, 400)
            if "/object-query" in r.url
            else None
        )
    )
    with pytest.raises(InvalidRecord) as caught:
        connector(fake, data_query="no").get("product", "1" * 32)
    assert "token-1" not in str(caught.value)
