"""The Chargebee connector against the stand-in, which was written without it, with faults."""

from __future__ import annotations

import json
import random
import tracemalloc
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from chargebee_bench import START, ChargebeeBench
from spoiling import settled

from tieout.connectors.base import Can, Method, Window
from tieout.connectors.chargebee.kinds import KINDS
from tieout.core.entities import Allocation, Line, SubscriptionItem
from tieout.core.errors import AuthError, Conflict, InvalidRecord
from tieout.core.ports import HttpAnswer, HttpRequest
from tieout.mappings import Mapper, load_mapping

FAULTS = [
    "429", "500_before", "502", "503", "504", "500_after", "closed", "lost_answer", "torn", "html"
]  # fmt: skip
WRITABLE = [entity for entity, kind in KINDS.items() if Can.CREATE in kind.can]


@cache
def mapper() -> Mapper:
    return load_mapping("chargebee").compile(system="billing")


@pytest.fixture
def bench() -> ChargebeeBench:
    return ChargebeeBench()


# --- faults


def busy(bench: ChargebeeBench) -> None:
    """A little of everything; some of it was deleted."""
    for entity in ("refund", "usage", "contact", "dispute"):
        if entity != "usage" or bench.catalog == 2:
            bench.one(entity)
    doomed = bench.product()
    kind = next(k for k in bench.kinds("product") if bench.shelf(k).get(doomed) is not None)
    bench.post(f"{bench.shelf(kind).kind.path}/{doomed}/delete")
    bench.post(f"customers/{bench.customer()}/delete")
    bench.post(f"invoices/{bench.invoice()}/delete")
    bench.clock.move(3600)


def pulled(bench: ChargebeeBench, entity: str, since: datetime | None) -> list[Any]:
    pages = bench.connector().pull(entity, since=since)
    return [(page.records, page.deleted) for page in pages]


@pytest.mark.parametrize("since", [None, START - timedelta(hours=1)], ids=["whole", "changes"])
@pytest.mark.parametrize("entity", list(KINDS))
@pytest.mark.parametrize("catalog", [1, 2])
def test_a_fault_at_any_call_changes_nothing_that_is_read(
    catalog: int, entity: str, since: datetime | None
) -> None:
    bench = ChargebeeBench(catalog=catalog)
    busy(bench)
    bench.calm()
    before = bench.slept
    calm = pulled(bench, entity, since)
    assert before == 0 and bench.refused == 0
    calls = len(bench.calls)
    read = {json.loads(record)["id"] for records, _ in calm for record in records}
    assert bench.held(entity) <= read
    frozen = bench.clock.now()
    for fault in FAULTS:
        for at in range(1, calls + 1):
            bench.clock.set(frozen)
            bench.faults.load(f"{fault}@{at}")
            assert pulled(bench, entity, since) == calm, f"{fault} at call {at}"


@pytest.mark.parametrize("entity", ["customer", "product", "invoice", "contact"])
def test_a_fault_at_any_call_changes_no_proof(bench: ChargebeeBench, entity: str) -> None:
    busy(bench)
    window = Window(None, bench.clock.now())
    bench.calm()
    calm = list(bench.connector().prove(entity, window))
    calls = len(bench.calls)
    assert any(each.method is Method.IDS and each.ids for each in calm)
    for fault in FAULTS:
        for at in range(1, calls + 1):
            bench.faults.load(f"{fault}@{at}")
            assert list(bench.connector().prove(entity, window)) == calm, f"{fault} at call {at}"


def new(bench: ChargebeeBench, entity: str) -> dict[str, Any]:
    """Canonical fields of a new record; what it refers to is there."""
    start = bench.clock.now().replace(day=1, hour=0)
    match entity:
        case "customer":
            address = {"line1": "1 Rue", "city": "Lyon", "country": "FR"}
            return {"name": "Ada Ltd", "currency": "EUR", "custom": {"tier": "gold"},
                    "billing_address": address}  # fmt: skip
        case "product":
            return {"name": f"Gold {bench.count_of('item')}"}
        case "price":
            return {"product_id": bench.product(), "name": "Monthly", "currency": "USD",
                    "unit_amount": "0.0125", "scheme": "per_unit", "interval": "month",
                    "interval_count": 1}  # fmt: skip
        case "subscription":
            item = SubscriptionItem(price_id=bench.price(), quantity="2", unit_amount="9.5")
            end = start + timedelta(days=31)
            return {"customer_id": bench.customer(), "status": "active", "started_at": start,
                    "currency": "USD", "current_period_start_at": start, "items": (item,),
                    "current_period_end_at": end, "collection": "invoice"}  # fmt: skip
        case "invoice":
            lines = (Line(description="Work", quantity="2", unit_amount="10", amount_minor=2000),
                     Line(description="Less", amount_minor=500, discount_minor=100))  # fmt: skip
            return {"number": f"INV-{bench.count_of('invoice')}", "customer_id": bench.customer(),
                    "currency": "USD", "status": "open", "issued_on": date(2026, 3, 1),
                    "due_on": date(2026, 4, 20), "lines": lines, "subtotal_minor": 2500,
                    "discount_minor": 100, "tax_minor": 480, "total_minor": 2880}  # fmt: skip
        case "payment":
            payer = bench.customer()
            bills = [(bench.invoice(share, payer), share) for share in (1500, 500)]
            shares = tuple(Allocation(invoice_id=b, amount_minor=share) for b, share in bills)
            return {"customer_id": payer, "currency": "USD", "amount_minor": 2100,
                    "status": "succeeded", "method": "bank_transfer", "received_at": start,
                    "allocations": shares}  # fmt: skip
        case "credit_note":
            invoice, _ = bench.paid_invoice()
            line = Line(description="Back", amount_minor=100)
            return {"invoice_id": invoice, "currency": "USD", "subtotal_minor": 100,
                    "tax_minor": 19, "total_minor": 119, "issued_on": date(2026, 3, 9),
                    "lines": (line,)}  # fmt: skip
        case "refund":
            return {"credit_note_id": bench.credit_note(), "amount_minor": 200,
                    "currency": "USD", "refunded_at": start}  # fmt: skip
    assert entity == "usage"
    subscription = bench.subscription(metered=True)
    (item,) = bench.stand_in.site.get("subscription", subscription)["subscription_items"]  # type: ignore[index]
    return {"subscription_id": subscription, "item_id": item["item_price_id"],
            "quantity": "3.5", "starts_at": start}  # fmt: skip


@pytest.mark.parametrize("later", [0, 86400], ids=["at once", "a day later"])
@pytest.mark.parametrize("times", [1, 9], ids=["once", "for a while"])
@pytest.mark.parametrize("entity", WRITABLE)
def test_a_fault_at_any_call_of_a_create_makes_one_record(
    entity: str, times: int, later: int
) -> None:
    bench = ChargebeeBench(custom_fields=None)
    bench.post("item_families", id="family", name="Family")
    connector = bench.connector(catalog="2", item_family="family")
    steps = 5 if entity == "payment" else 1
    for fault in FAULTS:
        for at in range(1, steps + 1):
            key = f"tieout-{fault}-{at}"
            body = mapper().render(entity, new(bench, entity), creating=True)
            before = bench.held(entity)
            bench.faults.load(f"{fault}@{at}..{at + times - 1}")

            def work(doubtful: bool, body: Any = body, key: str = key) -> bytes | None:
                if doubtful:
                    bench.faults.clear()
                    bench.clock.move(later)  # the window of Chargebee's idempotency is over
                    return connector.find(entity, key)
                return connector.create(entity, body, key=key)

            made = json.loads(settled(work))
            bench.faults.clear()
            assert bench.held(entity) - before == {made["id"]}, key
            if entity == "payment":
                assert [row["applied_amount"] for row in made["linked_invoices"]] == [1500, 500]
    assert bench.refused == 0


def test_what_is_written_comes_back(bench: ChargebeeBench) -> None:
    """Amounts by hand: 20.00 + 5.00 - 1.00 + 4.80 tax = 28.80."""
    body = mapper().render("invoice", new(bench, "invoice"), creating=True)
    made: Any = mapper().parse_bytes("invoice", bench.connector().create("invoice", body, key="k"))
    assert (made.number, made.status, made.total_minor, made.tax_minor) == (
        "INV-0", "open", 2880, 480
    )  # fmt: skip
    assert (made.balance_minor, made.paid_minor, made.issued_on, made.due_on) == (
        2880, 0, date(2026, 3, 1), date(2026, 4, 20)
    )  # fmt: skip
    assert sum(line.amount_minor for line in made.lines) == made.subtotal_minor == 2500
    assert made.discount_minor == 100
    pay = {"customer_id": made.customer_id, "currency": "USD", "amount_minor": 2880,
           "status": "succeeded", "method": "check", "received_at": bench.clock.now(),
           "allocations": (Allocation(invoice_id=made.id, amount_minor=2880),)}  # fmt: skip
    body = mapper().render("payment", pay, creating=True)
    paid: Any = mapper().parse_bytes("payment", bench.connector().create("payment", body, key="p"))
    assert (paid.amount_minor, paid.method, paid.status) == (2880, "check", "succeeded")
    assert paid.external_ids == {} or "tieout" in paid.external_ids
    now: Any = mapper().parse_bytes("invoice", bench.connector().get("invoice", made.id) or b"")
    assert (now.status, now.paid_minor, now.balance_minor) == ("paid", 2880, 0)


def test_a_line_below_zero_is_a_discount_at_chargebee(bench: ChargebeeBench) -> None:
    """30.00 for the rest of the period, less 10.00 of unused time, and 20 % tax: 24.00."""
    lines = (Line(description="Unused time", amount_minor=-1000, tax_minor=-200),
             Line(description="Rest of the period", amount_minor=3000, tax_minor=600))  # fmt: skip
    usual = new(bench, "invoice")
    amounts = {"subtotal_minor": 2000, "discount_minor": 0, "tax_minor": 400, "total_minor": 2400}
    fields = {**usual, **amounts, "lines": lines}
    body = mapper().render("invoice", fields, creating=True)
    sent = bench.connector().create("invoice", body, key="k")
    made: Any = mapper().parse_bytes("invoice", sent)
    assert (made.subtotal_minor, made.discount_minor, made.tax_minor) == (3000, 1000, 400)
    assert (made.total_minor, made.balance_minor, made.status) == (2400, 2400, "open")
    assert [discount["description"] for discount in json.loads(sent)["discounts"]] == [
        "Unused time"
    ]


@pytest.mark.parametrize("status", ["void", "uncollectible"])
def test_the_state_of_an_invoice_goes_with_it(bench: ChargebeeBench, status: str) -> None:
    fields = {**new(bench, "invoice"), "status": status, "due_on": date(2026, 3, 5)}
    assert "status" in mapper().writable("invoice", creating=True)
    body = mapper().render("invoice", fields, creating=True)
    made: Any = mapper().parse_bytes("invoice", bench.connector().create("invoice", body, key="k"))
    assert made.status == status


def test_a_price_that_has_no_name_is_called_after_its_item(bench: ChargebeeBench) -> None:
    fields = {**new(bench, "price"), "name": None, "unit_amount": "12"}
    body = mapper().render("price", fields, creating=True)
    made = json.loads(bench.connector().create("price", body, key="k"))
    assert made["name"] == "Item 0 USD 1 month" and "external_name" not in made


def test_a_failure_that_is_repeated_is_gone_around_while_lists_lag() -> None:
    """The first attempt took effect and failed; Chargebee repeats that, and no list shows it."""
    bench = ChargebeeBench(list_lag_seconds=300)
    connector, (invoice, _) = bench.connector(), (bench.invoice(1000), None)
    record = {"amount": 1000, "date": bench.now(), "payment_method": "check",
              "allocations": [{"invoice_id": invoice, "amount": 1000}]}  # fmt: skip
    bench.faults.load("500_after@1")
    made = json.loads(connector.create("payment", record, key="tieout-k"))
    assert bench.held("payment") == {made["id"]}
    payment = bench.connector().create("payment", {
        "customer_id": bench.customer(), "amount": 900, "date": bench.now(),
        "payment_method": "check",
    }, key="tieout-advance")  # fmt: skip
    back = {"payment_id": json.loads(payment)["id"], "amount": 200, "date": bench.now(),
            "payment_method": "check"}  # fmt: skip
    bench.faults.load("500_after@1")
    told = json.loads(connector.create("refund", back, key="tieout-r"))
    assert bench.held("refund") == {told["id"]} and told["amount"] == 200


def test_voiding_and_archiving_can_be_said_twice(bench: ChargebeeBench) -> None:
    connector, invoice, price = bench.connector(), bench.invoice(), bench.price()
    for _ in range(2):
        told = connector.archive("invoice", invoice, key="void")
        assert told is not None and json.loads(told)["status"] == "voided"
        bench.clock.move(3600)
    for _ in range(2):
        told = connector.archive("price", price, key="archive")
        assert told is not None and json.loads(told)["status"] == "archived"
        bench.clock.move(3600)


def test_an_id_that_another_record_has_is_a_conflict(bench: ChargebeeBench) -> None:
    body = mapper().render("invoice", new(bench, "invoice"), creating=True)
    taken = bench.invoice()
    with pytest.raises(Conflict):
        bench.connector().create("invoice", {**body, "id": taken}, key="mine")
    assert len(bench.held("invoice")) == 1


# --- check


def refusing(bench: ChargebeeBench, *paths: str, status: int = 403) -> None:
    """A key, or a site, that has no right to some lists."""
    send, codes = bench.ports.send, {403: "api_authorization_failed", 400: "api_restricted"}
    body = json.dumps(
        {"api_error_code": codes[status], "message": "no", "http_status_code": status}
    )

    def guarded(request: HttpRequest) -> HttpAnswer:
        path = request.url.partition("?")[0]
        if any(path.endswith(each) for each in paths):
            return HttpAnswer(status, {"content-type": "application/json"}, body.encode())
        return send(request)

    object.__setattr__(bench.ports, "send", guarded)


@pytest.mark.parametrize("catalog", [1, 2])
def test_check_finds_nothing_wrong_where_nothing_is(catalog: int) -> None:
    bench = ChargebeeBench(catalog=catalog)
    account = bench.connector().check()
    assert (account.name, account.live, account.problems) == ("acme-test", False, ())


def test_check_names_each_list_that_the_key_may_not_read(bench: ChargebeeBench) -> None:
    refusing(bench, "/invoices", "/events")
    assert bench.connector().check().problems == (
        "the key may not read invoice (/invoices)",
        "the key may not read the event feed (/events)",
    )


def test_check_names_the_wrong_catalog() -> None:
    (problem,) = ChargebeeBench(catalog=1).connector(catalog="2").check().problems
    assert "catalog: 1" in problem
    (problem,) = ChargebeeBench(catalog=2).connector(catalog=1).check().problems
    assert "catalog: 2" in problem


def test_a_read_only_key_reads_and_its_writes_are_refused(bench: ChargebeeBench) -> None:
    connector = bench.connector(api_key=bench.stand_in.read_only_key)
    assert connector.check().problems == ()
    with pytest.raises(AuthError, match="privileges"):
        connector.create("customer", {"company": "Ada"}, key="k")
    assert bench.held("customer") == set()


def test_a_site_without_disputes_tells_of_chargebacks_by_reversals(bench: ChargebeeBench) -> None:
    dispute = bench.dispute()
    refusing(bench, "/disputes", status=400)
    (page,) = bench.connector().pull("dispute")
    (record,) = [mapper().parse_bytes("dispute", body) for body in page.records]
    (payment,) = bench.held("payment")
    assert (record.status, record.amount_minor, record.payment_id) == ("lost", 2000, payment)  # type: ignore[attr-defined]
    assert record.id != dispute


def test_a_dispute_is_told_with_its_state(bench: ChargebeeBench) -> None:
    dispute = bench.dispute()

    def told() -> Any:
        (page,) = bench.connector().pull("dispute")
        (record,) = [mapper().parse_bytes("dispute", body) for body in page.records]
        return record.id, record.status  # type: ignore[attr-defined]

    assert told() == (dispute, "needs_response")
    bench.stand_in.end_dispute(dispute, "won")
    assert told() == (dispute, "won")


# --- windows


def test_changes_of_one_second_over_several_pages(bench: ChargebeeBench) -> None:
    ids = [bench.customer() for _ in range(250)]
    bench.clock.move(3600)
    since = bench.clock.now()
    for id in ids[:220]:
        bench.post(f"customers/{id}", phone="1")
    bench.clock.move(301)
    pages = list(bench.connector().pull("customer", since=since))
    found = [json.loads(record)["id"] for page in pages for record in page.records]
    assert sorted(found) == sorted(ids[:220]) and len(pages) == 3


def change(bench: ChargebeeBench, chance: random.Random) -> None:
    """What somebody does in the course of a day."""
    match chance.choice(["new", "new", "change", "change", "change", "delete", "bill", "drop"]):
        case "new":
            bench.contact() if chance.random() < 0.5 else bench.product()
        case "change":
            for entity in ("customer", "product"):
                if held := sorted(bench.held(entity)):
                    bench.save(entity, chance.choice(held))
        case "delete":
            if held := sorted(bench.held("product")):
                id = chance.choice(held)
                kind = next(k for k in bench.kinds("product") if bench.shelf(k).get(id) is not None)
                bench.post(f"{bench.shelf(kind).kind.path}/{id}/delete")
        case "bill":
            bench.credit_note()
        case "drop":
            if held := sorted(bench.held("credit_note")):
                bench.post(f"credit_notes/{chance.choice(held)}/delete")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("catalog", [1, 2])
@pytest.mark.parametrize("lag", [0, 300])
def test_a_day_of_changes_is_followed_window_by_window(catalog: int, lag: int, seed: int) -> None:
    """Whatever happens between, within and during windows: nothing is lost, nothing undone."""
    bench, chance = ChargebeeBench(catalog=catalog, list_lag_seconds=lag), random.Random(seed)
    entities = ("customer", "product", "credit_note", "invoice")
    connector = bench.connector()
    known: dict[str, dict[str, Any]] = {entity: {} for entity in entities}
    began: dict[str, datetime | None] = dict.fromkeys(entities)
    for _ in range(25):
        for _ in range(chance.randrange(4)):
            change(bench, chance)
            bench.clock.move(chance.choice([0, 1, 40, 200, 299, 300, 301]))
        entity = chance.choice(entities)
        began[entity] = follow(bench, connector, entity, began[entity], known[entity], chance)
    bench.clock.move(901)
    for entity in entities:
        follow(bench, connector, entity, began[entity], known[entity])
        living = {id for id, record in known[entity].items() if record is not None}
        assert living == bench.held(entity), entity
        for each in bench.objects(entity):
            if each["id"] in living:
                assert known[entity][each["id"]] == each
    assert bench.refused == 0


def follow(
    bench: ChargebeeBench,
    connector: Any,
    entity: str,
    since: datetime | None,
    known: dict[str, Any],
    chance: random.Random | None = None,
) -> datetime:
    """One pull, kept as the store keeps it; others go on working between its pages."""
    began = bench.clock.now()
    for page in connector.pull(entity, since=since):
        for body in page.records:
            record = json.loads(body)
            old = known.get(record["id"])
            revision = connector.revision(entity, body)
            if old is not None and (old.get("resource_version") or 0) > revision:
                continue
            gone = record.get("deleted") or record.get("status") == "deleted"
            known[record["id"]] = None if gone else record
        for id in page.deleted:
            known[id] = None
        if chance and chance.random() < 0.2:
            change(bench, chance)
    return began


def test_a_big_invoice_comes_with_all_its_lines() -> None:
    bench = ChargebeeBench(lines_per_get=7)
    charges: dict[str, Any] = {}
    for n in range(20):
        charges |= {f"charges[amount][{n}]": 100 + n, f"charges[description][{n}]": f"Line {n}"}
    bench.post("invoices/create_for_charge_items_and_charges", customer_id=bench.customer(),
               **charges)  # fmt: skip
    (id,) = bench.held("invoice")
    single: Any = mapper().parse_bytes("invoice", bench.connector().get("invoice", id) or b"")
    ((records, _),) = pulled(bench, "invoice", None)
    assert [line.amount_minor for line in single.lines] == [100 + n for n in range(20)]
    assert mapper().parse_bytes("invoice", records[0]) == single


def test_memory_is_flat_however_many_there_are(bench: ChargebeeBench) -> None:
    """200 pages of about 100 kB each; a pull holds a few of them at most."""
    row = {"created_at": 1, "updated_at": 1, "deleted": False, "company": "x" * 900}
    bench.stand_in.load(("customer", {"id": f"c{n}", **row}) for n in range(20_000))
    connector = bench.connector(calls_per_minute=100_000)
    bench.stand_in._limits = None
    pages = connector.pull("customer")
    assert len(next(pages).records) == 100
    bench.calls.clear()
    tracemalloc.start()
    count = sum(len(page.records) for page in pages)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 19_900
    assert peak < 4_000_000


def test_a_refusal_names_the_field(bench: ChargebeeBench) -> None:
    with pytest.raises(InvalidRecord, match="net_term_days"):
        bench.connector().create("customer", {"net_term_days": "soon"}, key="k")
