"""The Stripe connector against the stand-in, which was written without it, with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from spoiling import settled
from werkzeug.test import Client

from tieout.connectors.base import Evidence, Method, Window
from tieout.connectors.stripe import Stripe, StripeConfig
from tieout.connectors.stripe.kinds import KINDS
from tieout.core.errors import UnknownOutcome
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, Ports
from tieout.mappings import load_mapping
from tieout.sandbox import Faults, SandboxClock
from tieout.sandbox.stripe import StripeStandIn

START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
FAULTS = [
    "429", "500_before", "502", "503", "504", "500_after", "closed", "lost_answer", "torn", "html"
]  # fmt: skip
WRITABLE = ["customer", "product", "price", "invoice", "credit_note"]


class Bench:
    """A stand-in with faults; connectors reach it without a network."""

    def __init__(self) -> None:
        self.clock = SandboxClock(START)
        self.stand_in = StripeStandIn(self.clock, seed=5)
        self.faults = Faults()
        self.calm = Client(self.stand_in.wsgi)
        self.http = Client(self.faults.wrap(self.stand_in))
        self.key = self.stand_in.credentials()["api_key"]
        self.calls: list[str] = []
        self.seconds = 0.0
        ids = count(1)
        self.ports = Ports(
            now=self.clock.now,
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_id=lambda: f"{next(ids):032}",
            send=self.send,
        )

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def send(self, request: HttpRequest) -> HttpAnswer:
        parts = urlsplit(request.url)
        self.calls.append(f"{request.method} {parts.path}")
        try:
            told = self.http.open(
                parts.path, query_string=parts.query, method=request.method,
                headers=dict(request.headers), data=request.body,
            )  # fmt: skip
        except ConnectionResetError as error:
            raise AnswerLost(str(error)) from None
        headers = {name.lower(): value for name, value in told.headers.items()}
        body = told.get_data()
        if int(headers.get("content-length", len(body))) != len(body):
            raise AnswerLost("the answer broke off")
        return HttpAnswer(told.status_code, headers, body)

    def connector(self, **changes: Any) -> Stripe:
        settings = StripeConfig.model_validate(
            {"api_key": self.key, "base_url": "http://127.0.0.1:8", **changes}
        )
        return Stripe(settings, self.ports, where="stripe")

    def ask(self, method: str, path: str, **form: Any) -> Any:
        """What another user of the account does; nothing goes wrong there."""
        flat = urlencode(form)
        headers = {"Authorization": f"Bearer {self.key}"}
        where = {"query_string": flat} if method == "GET" else {"data": flat}
        if method != "GET":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        told = self.calm.open(path, method=method, headers=headers, **where)  # type: ignore[arg-type]
        assert told.status_code == 200, told.get_data()
        return json.loads(told.get_data())

    def post(self, path: str, **form: Any) -> Any:
        return self.ask("POST", f"/v1/{path}", **form)

    def rows(self, collection: str) -> list[Any]:
        found: list[Any] = self.ask("GET", f"/v1/{collection}", limit=100)["data"]
        return found

    def open_invoice(self, customer: str, amount: int) -> str:
        invoice = self.post("invoices", customer=customer)["id"]
        self.post("invoiceitems", customer=customer, invoice=invoice, amount=amount, currency="usd")
        self.post(f"invoices/{invoice}/finalize")
        return str(invoice)

    def paid_invoice(self, customer: str, amount: int) -> str:
        invoice = self.open_invoice(customer, amount)
        self.post(f"invoices/{invoice}/pay")
        return invoice


@pytest.fixture
def bench() -> Bench:
    return Bench()


def busy(bench: Bench) -> str:
    """Two payers, two paid invoices, one refund with a credit note, a charge of no intent."""
    payers = [bench.post("customers", name=n, payment_method="pm_card_visa")["id"] for n in "ab"]
    first, _ = [bench.paid_invoice(payer, 2_000) for payer in payers]
    bench.post("credit_notes", invoice=first, amount=100, refund_amount=100)
    bench.post("charges", amount=700, currency="usd", source="tok_visa")
    return str(payers[0])


def pulled(bench: Bench, entity: str, since: datetime | None) -> list[tuple[list[bytes], Any]]:
    pages = bench.connector().pull(entity, since=since)
    return [(page.records, page.deleted) for page in pages]


@pytest.mark.parametrize("since", [None, START], ids=["whole", "changes"])
@pytest.mark.parametrize("entity", ["customer", "invoice", "payment", "refund"])
def test_a_fault_at_any_call_changes_nothing_that_is_read(
    bench: Bench, entity: str, since: datetime | None
) -> None:
    busy(bench)
    calm = pulled(bench, entity, since)
    expected = {"customer": 2, "invoice": 2, "payment": 3, "refund": 1}
    assert sum(len(records) for records, _ in calm) == expected[entity]
    calls = len(bench.calls)
    for fault in FAULTS:
        for at in range(1, calls + 1):
            bench.faults.load(f"{fault}@{at}")
            assert pulled(bench, entity, since) == calm, f"{fault} at call {at}"


def record_for(bench: Bench, entity: str, customer: str) -> dict[str, Any]:
    match entity:
        case "price":
            product = bench.post("products", name="Gold")["id"]
            return {"product": product, "currency": "usd", "unit_amount": 5}
        case "invoice":
            items = [{"amount": 1_000, "currency": "usd"}, {"amount": 250, "currency": "usd"}]
            return {"customer": customer, "finalize": True, "items": items,
                    "collection_method": "send_invoice", "days_until_due": 30}  # fmt: skip
        case "credit_note":
            return {"invoice": bench.open_invoice(customer, 900), "amount": 100}
    return {"name": "New"}


@pytest.mark.parametrize("calls", [1, 9], ids=["once", "for a while"])
@pytest.mark.parametrize("entity", WRITABLE)
def test_a_fault_at_any_call_of_a_create_makes_one_record(
    bench: Bench, entity: str, calls: int
) -> None:
    customer = bench.post("customers", name="a")["id"]
    keys = (f"{fault}-{at}" for fault in FAULTS for at in range(1, 5 if entity == "invoice" else 2))
    for key in keys:
        record = record_for(bench, entity, customer)
        fault, _, at = key.rpartition("-")
        bench.faults.load(f"{fault}@{at}..{int(at) + calls - 1}")
        stripe = bench.connector()

        def work(
            doubtful: bool, stripe: Stripe = stripe, record: Any = record, key: str = key
        ) -> bytes | None:
            if doubtful:
                return stripe.find(entity, key)
            return stripe.create(entity, record, key=key)

        made = json.loads(settled(work))
        bench.faults.clear()
        collection = KINDS[entity].path.removeprefix("/v1/")
        mine = [r for r in bench.rows(collection) if r["metadata"].get("tieout_id") == key]
        assert [row["id"] for row in mine] == [made["id"]], key
        if entity == "invoice":
            assert (mine[0]["status"], mine[0]["total"]) == ("open", 1_250), key


def test_a_write_whose_failure_is_repeated_goes_out_under_a_second_key(bench: Bench) -> None:
    """Stripe failed before it did anything, and gives that answer for as long as the key lives."""
    keys: list[str] = []
    send = bench.ports.send

    def failing(request: HttpRequest) -> HttpAnswer:
        if request.method == "POST":
            keys.append(request.headers["Idempotency-Key"])
            if keys[-1] == keys[0]:
                again = {"idempotent-replayed": "true"} if len(keys) > 1 else {}
                return HttpAnswer(500, again, b'{"error":{"type":"api_error"}}')
        return send(request)

    object.__setattr__(bench.ports, "send", failing)
    made = json.loads(bench.connector().create("customer", {"name": "Ada"}, key="k"))
    assert [row["id"] for row in bench.rows("customers")] == [made["id"]]
    assert len(set(keys)) == 2
    # The next attempt starts with the first key, and finds what the second has made.
    again = json.loads(bench.connector().create("customer", {"name": "Ada"}, key="k"))
    assert again["id"] == made["id"] and len(bench.rows("customers")) == 1


def test_a_half_made_invoice_is_finished_after_stripe_forgot_the_keys(bench: Bench) -> None:
    customer = bench.post("customers", name="a")["id"]
    record = record_for(bench, "invoice", customer)
    bench.faults.load("closed@3..40")
    with pytest.raises(UnknownOutcome):
        bench.connector().create("invoice", record, key="k")
    bench.faults.clear()
    bench.clock.move(25 * 3600)
    stripe = bench.connector()
    assert stripe.find("invoice", "k") is None
    made = json.loads(stripe.create("invoice", record, key="k"))
    (only,) = bench.rows("invoices")
    assert (only["id"], only["status"], only["total"]) == (made["id"], "open", 1_250)


# --- refunds and their credit notes


def refunds(bench: Bench, since: datetime | None) -> Iterator[tuple[str, str | None]]:
    for page in bench.connector().pull("refund", since=since):
        for record in page.records:
            found = json.loads(record)
            yield found["id"], found.get("tieout_credit_note")


def test_a_refund_is_read_again_when_its_credit_note_is_made_later(bench: Bench) -> None:
    payer = bench.post("customers", name="a", payment_method="pm_card_visa")["id"]
    invoice = bench.paid_invoice(payer, 2_000)
    charge = bench.rows("charges")[0]["id"]
    refund = bench.post("refunds", charge=charge, amount=300)["id"]
    other = bench.post("refunds", charge=charge, amount=50)["id"]
    assert dict(refunds(bench, None)) == {refund: None, other: None}
    bench.clock.move(5 * 86_400)
    since = bench.clock.now()
    assert list(refunds(bench, since)) == []
    named = {"refunds[0][refund]": refund, "refunds[0][amount_refunded]": 300}
    note = bench.post("credit_notes", invoice=invoice, amount=300, **named)["id"]
    assert list(refunds(bench, since)) == [(refund, note)]
    assert dict(refunds(bench, None)) == {refund: note, other: None}


def test_a_refund_made_with_a_credit_note_names_it(bench: Bench) -> None:
    payer = busy(bench)
    (note,) = bench.rows("credit_notes")
    assert note["customer"] == payer
    (refund,) = bench.rows("refunds")
    assert list(refunds(bench, None)) == [(refund["id"], note["id"])]
    single = bench.connector().get("refund", refund["id"])
    assert single is not None and json.loads(single)["tieout_credit_note"] == note["id"]


def test_changes_of_one_second_and_deletions_are_all_told(bench: Bench) -> None:
    ids = [bench.post("customers", name=str(number))["id"] for number in range(120)]
    bench.clock.move(3600)
    since = bench.clock.now()
    for id in ids[:110]:
        bench.post(f"customers/{id}", phone="1")
    bench.ask("DELETE", f"/v1/customers/{ids[5]}")
    pages = list(bench.connector().pull("customer", since=since))
    got = [json.loads(record)["id"] for page in pages for record in page.records]
    assert sorted(got) == sorted(set(ids[:110]) - {ids[5]})
    assert [id for page in pages for id in page.deleted] == [ids[5]]


def evidence(bench: Bench, entity: str, since: datetime | None, **settings: Any) -> list[Evidence]:
    window = Window(since, bench.clock.now())
    return list(bench.connector(**settings).prove(entity, window))


def test_after_a_full_pull_the_event_feed_names_what_must_be_there(bench: Bench) -> None:
    customer = busy(bench)
    (feed,) = evidence(bench, "customer", None)
    assert feed.method is Method.FEED and customer in feed.ids and len(feed.ids) == 2


def test_a_second_list_names_every_id_where_a_setting_asks_for_it(bench: Bench) -> None:
    busy(bench)
    found = evidence(bench, "payment", None, prove_by_list=True)
    assert {each.method for each in found} == {Method.IDS} and found[-1].whole
    ids = {id for each in found for id in each.ids}
    assert sorted(id[:3] for id in ids) == ["ch_", "pi_", "pi_"]


def test_after_changes_the_collection_lists_what_was_created_since(bench: Bench) -> None:
    bench.post("customers", name="old")
    bench.clock.move(86_400)
    since = bench.clock.now()
    new = bench.post("customers", name="new")["id"]
    listed, overlap = evidence(bench, "customer", since)
    assert listed.ids == (new,) and not listed.whole
    assert (overlap.method, overlap.seconds) == (Method.OVERLAP, 600)


def test_usage_is_read_by_customer_and_day(bench: Bench) -> None:
    meter = bench.post("billing/meters", display_name="Calls", event_name="calls",
                       **{"default_aggregation[formula]": "sum"})["id"]  # fmt: skip
    product = bench.post("products", name="Gold")["id"]
    price = bench.post("prices", product=product, currency="usd", unit_amount=1,
                       **{"recurring[interval]": "month", "recurring[usage_type]": "metered",
                          "recurring[meter]": meter})["id"]  # fmt: skip
    customer = bench.post("customers", name="a", payment_method="pm_card_visa")["id"]
    subscription = bench.post(
        "subscriptions", customer=customer, **{"items[0][price]": price}
    )["id"]  # fmt: skip
    for day, values in ((0, ("3", "4.5")), (1, ("10",))):
        for value in values:
            at = int(bench.clock.now().timestamp())
            sent = {"payload[stripe_customer_id]": customer, "payload[value]": value}
            bench.post("billing/meter_events", event_name="calls", timestamp=at, **sent)
        bench.clock.move(86_400 * (1 - day))
    mapper = load_mapping("stripe").compile(system="s")
    pages = list(bench.connector().pull("usage"))
    records: list[Any] = [mapper.parse_bytes("usage", b) for p in pages for b in p.records]
    told = {(r.starts_at.date().isoformat(), r.quantity) for r in records}
    assert told == {("2026-03-10", "7.5"), ("2026-03-11", "10")}
    assert {(r.customer_id, r.subscription_id, r.metric) for r in records} == {
        (customer, subscription, "calls")
    }
    assert len({r.id for r in records}) == 2
    again = list(bench.connector().pull("usage", resume=pages[-1].resume))
    assert [page.records for page in again] == []
