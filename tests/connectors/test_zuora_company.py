"""The company's Zuora side, read by connector and mapping: what happened is what is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cache
from typing import Any

import pytest
from zuora_bench import ZuoraBench

from tieout.connectors.base import Method, Window
from tieout.mappings import Mapper, load_mapping
from tieout.reconcile import books
from tieout.rest import json
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.company.facts import Bill, Client, CreditNote, Receipt, Subscription
from tieout.sandbox.company.ids import zuora_id

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECOND = int(NOW.timestamp())
ENTITIES = ("customer", "contact", "product", "price", "subscription", "invoice", "payment",
            "refund", "credit_note")  # fmt: skip
# Everything is read twice: in pages, and in bulk through windows that are halved.
WAYS: dict[str, dict[str, Any]] = {
    "pages": {"page_size": 50, "data_query": "auto"},
    "bulk": {"page_size": 50, "data_query": "yes", "bulk_rows": 400},
}


@cache
def company() -> Company:
    return build_company(seed=4, size=90, now=NOW, billers=("stripe", "zuora"), crm=True)


@cache
def tenant() -> ZuoraBench:
    bench = ZuoraBench(NOW, data_query_cap=400)
    bench.stand_in.load(company().of("zuora"))
    return bench


@cache
def mapper() -> Mapper:
    return load_mapping("zuora").compile(system="billing")


@cache
def pulled(entity: str, way: str = "pages") -> dict[str, Any]:
    """Every record; one that cannot be mapped fails the test, and so does an unknown field."""
    found = {}
    for page in tenant().connector(**WAYS[way]).pull(entity):
        for body in page.records:
            record = mapper().parse_bytes(entity, body)
            assert mapper().unknown_fields(entity, json.decode(body)) == []
            assert mapper().remarks(entity, json.decode(body)) == []
            assert record.id not in found
            found[record.id] = record
    return found


def ledgers() -> list[Any]:
    return [each for each in company().ledgers if each.client.biller == "zuora"]


def clients() -> list[Client]:
    return [each.client for each in ledgers()]


def bills() -> list[Bill]:
    return [bill for each in ledgers() for bill in each.bills if bill.created <= SECOND]


def receipts() -> Iterator[Receipt]:
    for bill in bills():
        yield from bill.receipts


def notes() -> list[CreditNote]:
    return [note for bill in bills() for note in bill.credits if note.created <= SECOND]


def subscriptions() -> list[Subscription]:
    return [one for each in ledgers() for one in each.subscriptions]


def day(second: int) -> datetime:
    """Zuora tells a date: midnight at its start."""
    return datetime.combine(datetime.fromtimestamp(second, UTC).date(), time(), UTC)


@pytest.mark.parametrize("entity", ENTITIES)
def test_pages_and_bulk_give_as_many_records_as_the_tenant_holds(entity: str) -> None:
    assert set(pulled(entity)) == tenant().held(entity)
    assert len(pulled(entity)) > 2
    assert pulled(entity, "bulk") == pulled(entity)


def test_nothing_contradicts_itself() -> None:
    for entity in ENTITIES:
        findings = {id: books.check(each) for id, each in pulled(entity).items()}
        assert {id: found for id, found in findings.items() if found} == {}


def test_customers_are_the_clients() -> None:
    told = {id: (each.name, each.email, each.currency, each.status, each.receivable_minor)
            for id, each in pulled("customer").items()}  # fmt: skip
    assert told == {
        one.id: (one.name, one.email, one.currency.code, "active", owed(one)) for one in clients()
    }
    assert {currency for _, _, currency, _, _ in told.values()} >= {"USD", "EUR", "JPY", "BHD"}


def owed(client: Client) -> int:
    mine = [bill for bill in bills() if bill.client is client]
    return sum(
        bill.remaining(SECOND) for bill in mine if bill.status(SECOND) in ("open", "uncollectible")
    )


def test_subscriptions_are_those_that_were_sold() -> None:
    told = {id: (each.customer_id, each.currency, each.status, each.started_at,
                 tuple((item.id, item.quantity) for item in each.items))
            for id, each in pulled("subscription").items()}  # fmt: skip
    known = {}
    for one in subscriptions():
        ended = one.ended is not None and one.ended <= SECOND
        status = "canceled" if ended else "non_renewing" if one.cancel_at else "active"
        items = tuple((f"C-{item.id[-8:]}", str(item.quantity)) for item in one.items)
        known[one.id] = (one.client.id, one.client.currency.code, status, day(one.started), items)
    assert {id: (*each[:4], set(each[4])) for id, each in told.items()} == {
        id: (*each[:4], set(each[4])) for id, each in known.items()
    }


def test_invoices_have_the_amounts_and_states_of_the_bills() -> None:
    told = {}
    for id, each in pulled("invoice").items():
        told[id] = (each.status, each.currency, each.total_minor, each.tax_minor,
                    each.discount_minor, each.paid_minor, each.credited_minor, each.balance_minor,
                    each.customer_id, each.subscription_id)  # fmt: skip
    assert told == {bill.id: fact(bill) for bill in bills()}
    assert {bill.status(SECOND) for bill in bills()} == {
        "draft", "open", "paid", "uncollectible"
    }  # fmt: skip


def fact(bill: Bill) -> tuple[Any, ...]:
    """Zuora knows no bad debt: it is owed. What nobody paid and nobody owes, memos took off."""
    status, draft = bill.status(SECOND), bill.status(SECOND) == "draft"
    paid = 0 if draft else bill.amount_paid(SECOND)
    left = bill.total if draft else bill.remaining(SECOND)
    shown = "open" if status == "uncollectible" else status
    subscription = bill.subscription.id if bill.subscription else None
    return (shown, bill.currency.code, bill.total, bill.tax, bill.discounted, paid,
            bill.total - paid - left, left, bill.client.id, subscription)  # fmt: skip


def test_payments_are_the_attempts() -> None:
    told = {id: (each.customer_id, each.currency, each.amount_minor, each.status,
                 each.received_at, [(one.invoice_id, one.amount_minor) for one in each.allocations])
            for id, each in pulled("payment").items()}  # fmt: skip
    known: dict[str, Any] = {}
    for receipt in receipts():
        bill = receipt.bill
        about = (bill.client.id, bill.currency.code, receipt.amount)
        for attempt in receipt.attempts:
            if attempt.failure and attempt.at <= SECOND:
                known[zuora_id(attempt.charge)] = (*about, "failed", None, [])
        at = receipt.succeeded
        if at is not None and at <= SECOND:
            known[receipt.id] = (*about, "succeeded", day(at), [(bill.id, receipt.amount)])
    assert told == known
    assert {each[3] for each in known.values()} == {"succeeded", "failed"}


def test_credit_notes_are_those_of_the_bills() -> None:
    told = {id: (each.status, each.total_minor, each.tax_minor, each.allocated_minor,
                 each.refunded_minor, each.balance_minor, each.invoice_id, each.customer_id)
            for id, each in pulled("credit_note").items()}  # fmt: skip
    known: dict[str, Any] = {}
    for note in notes():
        back = note.refund is not None and note.refund.created <= SECOND
        used = note.total if note.kind == "pre_payment" else 0
        paid_back = note.total if back else 0
        left = note.total - used - paid_back
        status = "issued" if left else "refunded" if back else "applied"
        known[note.id] = (status, note.total, note.tax, used, paid_back, left, note.bill.id,
                          note.bill.client.id)  # fmt: skip
    assert told == known


def test_refunds_are_what_was_paid_back() -> None:
    told = {id: (each.status, each.amount_minor, each.currency, each.credit_note_id,
                 each.refunded_at)
            for id, each in pulled("refund").items()}  # fmt: skip
    back = [(note, note.refund) for note in notes() if note.refund is not None]
    assert told == {
        one.id: ("succeeded", one.amount, note.bill.currency.code, note.id, day(one.created))
        for note, one in back if one.created <= SECOND
    }  # fmt: skip


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_proofs_name_what_was_read(entity: str) -> None:
    whole: set[str] = set()
    for evidence in tenant().connector(bulk_rows=400).prove(entity, Window(None, NOW)):
        assert set(evidence.ids) <= set(pulled(entity)), evidence.note
        whole |= set(evidence.ids) if evidence.method is Method.IDS else set()
    assert whole == set(pulled(entity))


def test_no_limit_was_met() -> None:
    for entity in ENTITIES:
        pulled(entity)
    assert tenant().refused == []
