"""The company's Chargebee side, read by connector and mapping: what happened is what is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from chargebee_bench import ChargebeeBench

from tieout.connectors.base import Can, Method, Window
from tieout.mappings import Mapper, load_mapping
from tieout.reconcile import books
from tieout.rest import json
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.company.facts import Attempt, Bill, Client, CreditNote, Receipt

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECOND = int(NOW.timestamp())
ENTITIES = ("customer", "product", "price", "subscription", "invoice", "payment", "refund",
            "credit_note")  # fmt: skip


@cache
def company() -> Company:
    return build_company(seed=4, size=90, now=NOW, billers=("stripe", "chargebee"), crm=True)


@cache
def site() -> ChargebeeBench:
    bench = ChargebeeBench(NOW)
    bench.stand_in.load(company().of("chargebee"))
    return bench


@cache
def mapper() -> Mapper:
    return load_mapping("chargebee").compile(system="billing")


@cache
def pulled(entity: str) -> dict[str, Any]:
    """Every record; one that cannot be mapped fails the test, and so does an unknown field."""
    found = {}
    for page in site().connector().pull(entity):
        for body in page.records:
            record = mapper().parse_bytes(entity, body)
            assert mapper().unknown_fields(entity, json.decode(body)) == []
            assert mapper().remarks(entity, json.decode(body)) == []
            assert record.id not in found
            found[record.id] = record
    return found


def clients() -> list[Client]:
    return [each.client for each in company().ledgers if each.client.biller == "chargebee"]


def bills() -> list[Bill]:
    ledgers = [each for each in company().ledgers if each.client.biller == "chargebee"]
    return [bill for ledger in ledgers for bill in ledger.bills]


def attempts() -> Iterator[tuple[Receipt, Attempt]]:
    for bill in bills():
        for receipt in bill.receipts:
            for attempt in receipt.attempts:
                if attempt.at <= SECOND:
                    yield receipt, attempt


def notes() -> list[CreditNote]:
    return [note for bill in bills() for note in bill.credits if note.created <= SECOND]


def at(second: int | None) -> datetime | None:
    return None if second is None else datetime.fromtimestamp(second, UTC)


def test_as_many_records_are_read_as_the_site_holds() -> None:
    for entity in ENTITIES:
        assert set(pulled(entity)) == site().held(entity)
        assert len(pulled(entity)) > 2, entity


def test_nothing_contradicts_itself() -> None:
    for entity in ENTITIES:
        findings = {id: books.check(each) for id, each in pulled(entity).items()}
        assert {id: found for id, found in findings.items() if found} == {}


def test_customers_are_the_clients() -> None:
    told = {id: (each.name, each.email, each.currency, each.deleted)
            for id, each in pulled("customer").items()}  # fmt: skip
    known = {one.id: (one.name, one.email, one.currency.code, False) for one in clients()}
    assert told == known
    assert {currency for _, _, currency, _ in told.values()} >= {"USD", "EUR", "JPY", "BHD"}


def test_invoices_have_the_amounts_and_states_of_the_bills() -> None:
    told = {}
    for id, each in pulled("invoice").items():
        told[id] = (each.status, each.currency, each.total_minor, each.tax_minor, each.paid_minor,
                    each.credited_minor, each.balance_minor, each.paid_at, each.voided_at,
                    each.customer_id, each.subscription_id)  # fmt: skip
    assert told == {bill.id: fact(bill) for bill in bills()}
    assert {each.status for each in pulled("invoice").values()} == {
        "draft", "open", "paid", "void", "uncollectible"
    }  # fmt: skip


def fact(bill: Bill) -> tuple[Any, ...]:
    status = bill.status(SECOND)
    paid, credited = bill.amount_paid(SECOND), bill.credited(SECOND)
    owed = {"void": 0, "draft": bill.total}.get(status, bill.remaining(SECOND))
    subscription = bill.subscription.id if bill.subscription else None
    return (status, bill.currency.code, bill.total, bill.tax, 0 if status == "draft" else paid,
            0 if status == "draft" else credited, owed, at(bill.paid_at(SECOND)),
            at(bill.voided), bill.client.id, subscription)  # fmt: skip


def test_payments_are_the_attempts() -> None:
    told: Counter[Any] = Counter()
    for each in pulled("payment").values():
        shares = [(one.invoice_id, one.amount_minor) for one in each.allocations]
        told[each.customer_id, each.currency, each.amount_minor, each.status, each.refunded_minor,
             each.received_at, *shares] += 1  # fmt: skip
    assert told == Counter(attempt_fact(receipt, attempt) for receipt, attempt in attempts())
    assert {each.status for each in pulled("payment").values()} == {"succeeded", "failed"}


def attempt_fact(receipt: Receipt, attempt: Attempt) -> tuple[Any, ...]:
    bill = receipt.bill
    about = (bill.client.id, bill.currency.code, receipt.amount)
    if attempt.failure:
        return (*about, "failed", 0, None)
    back = sum(one.amount for one in receipt.refunds if one.created <= SECOND)
    kept = [(bill.id, receipt.amount - back)] if receipt.amount > back else []
    return (*about, "succeeded", back, at(attempt.at), *kept)


def test_credit_notes_and_refunds_are_those_of_the_bills() -> None:
    told = {id: (each.status, each.total_minor, each.tax_minor, each.allocated_minor,
                 each.refunded_minor, each.balance_minor, each.invoice_id, each.customer_id)
            for id, each in pulled("credit_note").items()}  # fmt: skip
    known = {}
    for note in notes():
        applied = note.kind == "pre_payment"
        known[note.id] = ("applied" if applied else "refunded", note.total, note.tax,
                          note.total if applied else 0, 0 if applied else note.total, 0,
                          note.bill.id, note.bill.client.id)  # fmt: skip
    assert told == known
    back = {id: (each.status, each.amount_minor, each.currency, each.payment_id,
                 each.credit_note_id, each.refunded_at)
            for id, each in pulled("refund").items()}  # fmt: skip
    refunds = [(note, note.refund) for note in notes() if note.refund is not None]
    assert back == {
        one.id: ("succeeded", one.amount, note.bill.currency.code, one.receipt.id, note.id,
                 at(one.created))
        for note, one in refunds if one.created <= SECOND
    }  # fmt: skip


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_proofs_name_what_was_read(entity: str) -> None:
    connector = site().connector(feed_days=60)
    assert Can.PROVE in connector.can[entity]
    methods: Counter[Method] = Counter()
    whole: set[str] = set()
    for evidence in connector.prove(entity, Window(None, site().clock.now())):
        assert set(evidence.ids) <= set(pulled(entity)), evidence.note
        methods[evidence.method] += len(evidence.ids)
        whole |= set(evidence.ids) if evidence.method is Method.IDS else set()
    assert whole == set(pulled(entity))
    if entity in ("invoice", "payment", "credit_note", "customer"):
        assert methods[Method.FEED] > 3


def test_no_limit_was_met() -> None:
    for entity in ENTITIES:
        pulled(entity)
    assert site().refused == 0
