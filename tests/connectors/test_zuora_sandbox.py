"""The Zuora connector and mapping against the stand-in, which was written without them."""

from __future__ import annotations

import base64
import random
import tracemalloc
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from spoiling import settled
from werkzeug.test import Client
from zuora_bench import START, ZuoraBench

from tieout.connectors.zuora import Zuora, ZuoraConfig
from tieout.core.entities import Allocation, JournalLine, Line, Record, SubscriptionItem
from tieout.core.errors import InvalidRecord, TryLater, UnknownOutcome
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest
from tieout.mappings import Mapper, load_mapping
from tieout.sandbox import Faults

FAULTS = [
    "429", "500_before", "502", "503", "504", "500_after", "closed", "lost_answer", "torn", "html"
]  # fmt: skip
READ = ["customer", "subscription", "invoice", "payment", "credit_note", "refund", "journal_entry"]
WRITTEN = ["customer", "contact", "product", "price", "subscription", "invoice", "payment",
           "refund", "credit_note", "usage", "journal_entry"]  # fmt: skip


@cache
def mapper() -> Mapper:
    return load_mapping("zuora").compile(system="zuora")


class Faulty(ZuoraBench):
    """With the stand-in's own faults; they don't strike the other user."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.faults = Faults()
        self.http = Client(self.faults.wrap(self.stand_in), use_cookies=False)

    def _ask(self, request: HttpRequest, parts: Any) -> HttpAnswer:
        try:
            told = self.http.open(
                parts.path, base_url=f"{parts.scheme}://{parts.netloc}", query_string=parts.query,
                method=request.method, headers=dict(request.headers), data=request.body,
            )  # fmt: skip
        except ConnectionResetError as error:
            raise AnswerLost(str(error)) from None
        headers = {name.lower(): value for name, value in told.headers.items()}
        body = told.get_data()
        if int(headers.get("content-length", len(body))) != len(body):
            raise AnswerLost("the answer broke off")
        return HttpAnswer(told.status_code, headers, body)


def busy(bench: ZuoraBench) -> None:
    """Something of everything, some of it paid, credited and paid back."""
    account = bench.account()
    for number in range(3):
        invoice = bench.invoice(account, 100 + number)
        share = [{"invoiceId": invoice, "amount": 40}]
        bench.payment(account, 60, invoices=share)
        memo = bench.credit_memo(account, 30)
        bench.do("PUT", f"/v1/creditmemos/{memo}/apply", {"invoices": share[:1] and [
            {"invoiceId": invoice, "amount": 20}
        ]})  # fmt: skip
        bench.refund(bench.payment(account, 9), 4)
        bench.change_order(bench.one("subscription"))
        bench.journal()


def parsed(bench: ZuoraBench, entity: str, since: datetime | None, **more: Any) -> Any:
    """(records by id, deleted ids) of a pull."""
    found: dict[str, Record] = {}
    gone: list[str] = []
    for page in bench.connector(**more).pull(entity, since=since):
        records = [mapper().parse_bytes(entity, body) for body in page.records]
        found |= {record.id: record for record in records}
        gone += page.deleted
    return found, sorted(gone)


# --- faults


WAYS = [(entity, since) for entity in READ for since in (None, START)]
BULK = ["subscription", "invoice"]  # what has lists of lists, and what has two sources


@pytest.mark.parametrize("entity, since, more", [
    *((entity, since, {}) for entity, since in WAYS),
    *((entity, None, {"data_query": "yes"}) for entity in BULK),
])  # fmt: skip
def test_a_fault_at_any_call_changes_nothing_that_is_read(
    entity: str, since: datetime | None, more: dict[str, Any]
) -> None:
    bench = Faulty()
    busy(bench)
    calm = parsed(bench, entity, since, **more)
    assert len(calm[0]) >= 1
    bench.calls.clear()
    parsed(bench, entity, since, **more)
    calls = len(bench.calls)
    assert calls >= 2
    for fault in FAULTS:
        for at in range(1, calls + 1):
            bench.faults.load(f"{fault}@{at}")
            assert parsed(bench, entity, since, **more) == calm, f"{fault} at call {at}"


def fields_for(bench: ZuoraBench, entity: str) -> dict[str, Any]:
    match entity:
        case "customer":
            return {"name": "Ada Ltd", "currency": "USD"}
        case "product":
            return {"name": "Silver"}
        case "price":
            return {"product_id": bench.product(), "name": "Seat", "currency": "USD",
                    "unit_amount": "5", "scheme": "per_unit"}  # fmt: skip
        case "refund":
            return {"payment_id": bench.payment(), "currency": "USD", "amount_minor": 700,
                    "status": "succeeded"}  # fmt: skip
        case "journal_entry":
            bench.period()
            return {"posted_on": date(2026, 3, 9), "currency": "USD",
                    "lines": (JournalLine(account="Cash", debit_minor=1),
                              JournalLine(account="Sales", credit_minor=1))}  # fmt: skip
    known: dict[str, Any] = {"customer_id": bench.account(), "currency": "USD"}
    match entity:
        case "contact":
            return known | {"first_name": "Eve", "last_name": "Fox"}
        case "usage":
            return known | {"metric": "GB", "quantity": "2", "starts_at": START}
        case "subscription":
            item = SubscriptionItem(price_id=bench.price(), quantity="3")
            return known | {"items": (item,), "term_months": 12, "started_at": START}
    shares = (Allocation(invoice_id=bench.invoice(known["customer_id"]), amount_minor=300),)
    match entity:
        case "payment":
            return known | {"amount_minor": 500, "status": "succeeded", "allocations": shares}
        case "credit_note":
            line = Line(price_id=bench.price(), amount_minor=900)
            return known | {"status": "issued", "issued_on": date(2026, 3, 9), "lines": (line,),
                            "total_minor": 900, "allocations": shares}  # fmt: skip
    assert entity == "invoice"
    line = Line(description="Work", quantity="1", amount_minor=2000,
                period_start_at=datetime(2026, 3, 1, tzinfo=UTC))  # fmt: skip
    return known | {"status": "open", "issued_on": date(2026, 3, 9), "lines": (line,),
                    "total_minor": 2000}  # fmt: skip


def settle(zuora: Zuora, entity: str, body: dict[str, Any], key: str) -> bytes:
    return settled(
        lambda doubtful: (
            zuora.find(entity, key) if doubtful else zuora.create(entity, body, key=key)
        )
    )


def calls_of_a_create(entity: str) -> int:
    bench = Faulty()
    body = mapper().render(entity, fields_for(bench, entity), creating=True)
    zuora = bench.connector()
    zuora.create(entity, body, key="k")
    return len(bench.calls)


@pytest.mark.parametrize("spread", [1, 9], ids=["once", "for a while"])
@pytest.mark.parametrize("entity", WRITTEN)
def test_a_fault_at_any_call_of_a_create_makes_one_record(entity: str, spread: int) -> None:
    calls = calls_of_a_create(entity)
    assert 3 <= calls < 20  # a token, a write and a look at least
    bench = Faulty()
    for fault in FAULTS:
        for at in range(1, calls + 1):
            key = f"{fault}-{at}-{spread}"
            body = mapper().render(entity, fields_for(bench, entity), creating=True)
            before = bench.held(entity)
            bench.faults.load(f"{fault}@{at}..{at + spread - 1}")
            made = settle(bench.connector(), entity, body, key)
            bench.faults.clear()
            assert bench.held(entity) - before == {mapper().parse_bytes(entity, made).id}, key


@pytest.mark.parametrize("entity", WRITTEN)
def test_long_after_a_lost_answer_the_record_is_found(entity: str) -> None:
    """Zuora has forgotten the idempotency key."""
    bench = Faulty()
    body = mapper().render(entity, fields_for(bench, entity), creating=True)
    before = bench.held(entity)
    bench.faults.load("lost_answer@POST@/v1/*@times:40")
    with pytest.raises((UnknownOutcome, TryLater)):
        bench.connector().create(entity, body, key="k")
    bench.faults.clear()
    bench.clock.move(3 * 86_400)
    found = bench.connector().find(entity, "k")
    if found is None:  # lost before the last of its parts was made
        found = bench.connector().create(entity, body, key="k")
    assert bench.held(entity) - before == {mapper().parse_bytes(entity, found).id}


@pytest.mark.parametrize(
    "entity",
    ["customer", "subscription", "invoice", "credit_note", "payment", "refund", "journal_entry"],
)
def test_a_fault_at_any_call_of_an_archive_ends_the_record_once(entity: str) -> None:
    bench = Faulty()
    bench.connector().archive(entity, bench.one(entity), key="first")
    calls = len(bench.calls)
    for fault in FAULTS:
        for at in range(1, calls + 1):
            id = bench.one(entity)
            bench.faults.load(f"{fault}@{at}")
            try:
                bench.connector().archive(entity, id, key=f"{fault}-{at}")
            except UnknownOutcome:  # looked up, and sent again
                bench.faults.clear()
                bench.connector().archive(entity, id, key=f"{fault}-{at}")
            bench.faults.clear()
            row = bench.record(entity, id).row
            assert row["status"] in ("Canceled", "Cancelled") or row["reversed"], (fault, at)
            if entity == "invoice":
                memos = bench.books.children("creditmemo", "invoiceId", id)
                assert [memo.amount("totalAmount") for memo in memos] == [100]
            if entity == "subscription":
                assert row["version"] == 2


# --- what Zuora is like


def test_a_subscription_keeps_its_id_while_its_versions_come_and_go() -> None:
    bench = ZuoraBench()
    number = bench.one("subscription")
    first = parsed(bench, "subscription", None)[0][number]
    bench.clock.move(86_400)
    since = bench.clock.now()
    for kind, more in (
        ("RenewSubscription", {}),
        ("CancelSubscription", {"cancelSubscription": {"cancellationPolicy": "EndOfCurrentTerm"}}),
    ):
        bench.change_order(number, kind, **more)
    told, gone = parsed(bench, "subscription", since)
    assert set(told) == {number} and gone == []
    last = told[number]
    # Twelve months, renewed once: until that day it goes on.
    assert (first.status, last.status) == ("active", "non_renewing")
    assert last.cancel_at == datetime(2028, 3, 10, tzinfo=UTC)
    assert last.custom["version"] == 3 and last.custom["version_id"] != first.custom["version_id"]
    assert [item.id for item in last.items] == [item.id for item in first.items]
    whole = parsed(bench, "subscription", None, data_query="yes")[0]
    assert whole == {number: last}


def test_a_version_that_is_deleted_leaves_the_subscription() -> None:
    bench = ZuoraBench()
    number = bench.one("subscription")
    bench.change_order(number)
    old = bench.books.children("subscription", "name", number)[0]
    since = bench.clock.now()
    bench.books.delete(old)
    assert parsed(bench, "subscription", since)[1] == []


def test_refusals_that_are_answered_200_are_refusals() -> None:
    bench = ZuoraBench()
    zuora, account = bench.connector(), bench.account()
    invoice = bench.invoice(account, 10)
    body = {"accountId": account, "amount": 20, "currency": "USD", "type": "External",
            "paymentMethodType": "Cash",
            "invoices": [{"invoiceId": invoice, "amount": 20}]}  # fmt: skip
    with pytest.raises(InvalidRecord, match="exceeds"):
        zuora.create("payment", body, key="k")
    assert bench.calls[-1].status == 200 and bench.held("payment") == set()
    body["invoices"][0]["amount"] = 10  # a corrected record is another request
    zuora.create("payment", body, key="k")
    assert len(bench.held("payment")) == 1


@pytest.mark.parametrize(
    "path, named",
    [
        ("/object-query/refunds", "refund: the user may not read refunds"),
        ("/object-query/credit-memos", "Invoice Settlement is off, or the user may not"),
        ("/object-query/orders", "Orders are off or not permitted"),
        ("/query/jobs", "deletions go unnoticed"),
    ],
)
def test_check_names_what_is_missing(path: str, named: str) -> None:
    assert ZuoraBench().connector().check().problems == ()
    problems = ZuoraBench(forbidden_paths=[path]).connector().check().problems
    assert any(named in each for each in problems), problems


def test_a_row_that_shows_late_is_read_back_and_found() -> None:
    bench = ZuoraBench(object_query_lag=3)
    made = bench.connector().create(
        "product", mapper().render("product", {"name": "Late"}, creating=True), key="k"
    )
    assert mapper().parse_bytes("product", made).name == "Late"


def test_callouts_are_read_as_zuora_sends_them() -> None:
    bench = ZuoraBench()
    account = bench.account()
    invoice = bench.books.get("invoice", bench.invoice(account))
    context = bench.stand_in.callouts._context("InvoicePosted", invoice)
    body = bench.stand_in.callouts.template
    for field, value in context.items():
        body = body.replace(field, str(value))
    keys = bench.stand_in.credentials()
    login = f"{keys['webhook_user']}:{keys['webhook_password']}".encode()
    headers = {"authorization": "Basic " + base64.b64encode(login).decode()}
    told = bench.connector().read_webhook(headers, body.encode())
    assert [(one.entity, one.id) for one in told] == [
        ("invoice", invoice.id), ("customer", account),
    ]  # fmt: skip


def test_the_limits_of_the_tenant_are_never_broken() -> None:
    """An API sandbox's minute, with the connector's own pace."""
    bench = ZuoraBench(rate_limits={"minute": 120, "hour": 5_000, "day": 10_000})
    for _ in range(3):
        for entity in ("customer", "invoice", "subscription"):
            bench.one(entity)
    settings = bench.settings() | {"calls_per_minute": 60, "page_size": 2}
    zuora = Zuora(ZuoraConfig.model_validate(settings), bench.ports, where="zuora")
    for _ in range(9):
        for entity in ("customer", "invoice", "subscription"):
            list(zuora.pull(entity))
    assert len(bench.calls) > 120 and bench.refused == []


def test_memory_stays_flat_however_much_is_read() -> None:
    bench = ZuoraBench(data_query_polls=1)
    now, chance = bench.books.now(), random.Random(1)
    for number in range(12_000):
        row = {"id": f"8ad0{number:028x}", "createdDate": now}
        row["description"] = f"{chance.getrandbits(12_000):03000x}"
        bench.stand_in.load([("Product", {**row, "updatedDate": now})])
    pages = bench.connector(data_query="yes").pull("product")
    count, size = len(next(pages).records), 0
    tracemalloc.start()  # only now: the stand-in, in this process, has made the whole result
    try:
        for page in pages:
            count, size = count + len(page.records), size + sum(map(len, page.records))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 12_000 and size > 36_000_000
    assert peak < size / 2
