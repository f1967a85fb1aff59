"""A tenant without Invoice Settlement: payments, refunds and adjustments come by Data Query."""

from __future__ import annotations

from typing import Any

import pytest
from zuora_bench import ZuoraBench

from tieout.connectors.base import Method, Window
from tieout.core.errors import ConfigError
from tieout.mappings import load_mapping
from tieout.reconcile import books

MAPPER = load_mapping("zuora").compile(system="zuora")
PAY1, PAY2, REF1, ADJ1, ADJ2, ADJ3 = (f"8ad0{number:028x}" for number in range(6))
ENTITIES = ("invoice", "payment", "refund", "credit_note")


@pytest.fixture
def bench() -> ZuoraBench:
    """Three invoices of 100: one paid, one paid twice and partly paid back, one adjusted twice."""
    bench = ZuoraBench(settlement=False)
    account = bench.account()
    invoices = [bench.invoice(account) for _ in range(3)]
    item = bench.books.children("invoiceitem", "invoiceId", invoices[2])[0].id
    payment(bench, account, PAY1, {invoices[0]: 100})
    payment(bench, account, PAY2, {invoices[1]: 70}, back=20)
    refund(bench, account, REF1, PAY2, invoices[1], 20)
    told = {"accountId": account, "invoiceId": invoices[2], "adjustmentDate": "2026-03-09",
            "status": "Processed", "type": "Credit"}  # fmt: skip
    load(bench, "InvoiceAdjustment", id=ADJ1, adjustmentNumber="IA-1", amount=15, **told)
    load(bench, "InvoiceItemAdjustment", id=ADJ2, adjustmentNumber="IIA-1", amount=5,
         sourceId=item, sourceType="InvoiceDetail", **told)  # fmt: skip
    load(bench, "InvoiceItemAdjustment", id=ADJ3, adjustmentNumber="IIA-2", amount=5,
         sourceId=item, sourceType="InvoiceDetail", **{**told, "type": "Charge"})  # fmt: skip
    paid = {invoices[0]: (100, 0, 0), invoices[1]: (70, 20, 0), invoices[2]: (0, 0, 15)}
    for id, (came, back, off) in paid.items():
        record = bench.books.get("invoice", id)
        bench.books.change(record, paymentAmount=came, refundAmount=back, adjustmentAmount=-off,
                           balance=100 - came + back - off, creditMemoAmount=None)  # fmt: skip
    bench.invoices = invoices  # type: ignore[attr-defined]
    return bench


def load(bench: ZuoraBench, kind: str, **fields: Any) -> None:
    now = bench.books.now()
    bench.stand_in.load([(kind, {"createdDate": now, "updatedDate": now, **fields})])


def payment(
    bench: ZuoraBench, account: str, id: str, shares: dict[str, int], back: int = 0
) -> None:
    total = sum(shares.values())
    load(bench, "Payment", id=id, accountId=account, amount=total, status="Processed",
         type="External", effectiveDate="2026-03-09", refundAmount=back, paymentNumber=f"P-{id}",
         currency="USD")  # fmt: skip
    for number, (invoice, amount) in enumerate(shares.items()):
        load(bench, "InvoicePayment", id=f"{id}-{number}", paymentId=id, invoiceId=invoice,
             amount=amount, refundAmount=back, accountId=account)  # fmt: skip


def refund(
    bench: ZuoraBench, account: str, id: str, payment: str, invoice: str, amount: int
) -> None:
    load(bench, "Refund", id=id, accountId=account, amount=amount, status="Processed",
         type="External", refundDate="2026-03-10", refundNumber=f"R-{id}",
         currency="USD")  # fmt: skip
    load(bench, "RefundInvoicePayment", id=f"{id}-0", refundId=id, invoiceId=invoice,
         invoicePaymentId=f"{payment}-0", refundAmount=amount, accountId=account)  # fmt: skip


def pulled(bench: ZuoraBench, entity: str, **how: Any) -> dict[str, Any]:
    pages = bench.connector().pull(entity, **how)
    found = [MAPPER.parse_bytes(entity, body) for page in pages for body in page.records]
    assert len({record.id for record in found}) == len(found)
    return {record.id: record for record in found}


def test_everything_is_read_with_its_links(bench: Any) -> None:
    first, second, third = bench.invoices
    payments = pulled(bench, "payment")
    assert {id: (p.amount_minor, p.refunded_minor, p.status) for id, p in payments.items()} == {
        PAY1: (10_000, 0, "succeeded"), PAY2: (7_000, 2_000, "succeeded"),
    }  # fmt: skip
    (share,) = payments[PAY1].allocations
    assert (share.invoice_id, share.amount_minor) == (first, 10_000)
    (kept,) = payments[PAY2].allocations
    assert (kept.invoice_id, kept.amount_minor) == (second, 5_000)
    (back,) = pulled(bench, "refund").values()
    assert (back.payment_id, back.amount_minor) == (PAY2, 2_000)
    notes = pulled(bench, "credit_note")
    assert {id: (n.status, n.total_minor, n.invoice_id) for id, n in notes.items()} == {
        ADJ1: ("applied", 1_500, third), ADJ2: ("applied", 500, third),
    }  # fmt: skip
    invoices = pulled(bench, "invoice")
    assert {id: (i.paid_minor, i.balance_minor, i.status) for id, i in invoices.items()} == {
        first: (10_000, 0, "paid"), second: (5_000, 5_000, "open"), third: (0, 8_500, "open"),
    }  # fmt: skip
    for entity in ENTITIES:
        for record in pulled(bench, entity).values():
            assert books.check(record) == []


@pytest.mark.parametrize("entity", ENTITIES)
def test_single_reads_changes_and_proofs_agree(bench: Any, entity: str) -> None:
    whole = pulled(bench, entity)
    zuora = bench.connector()
    for id, record in whole.items():
        alone = zuora.get(entity, id)
        assert alone is not None and MAPPER.parse_bytes(entity, alone) == record
    assert zuora.get(entity, "8ad0" + "f" * 28) is None
    assert pulled(bench, entity, since=bench.clock.now()) == whole
    bench.clock.move(86_400)
    assert pulled(bench, entity, since=bench.clock.now()) == {}
    listed: set[str] = set()
    for evidence in zuora.prove(entity, Window(None, bench.clock.now())):
        assert set(evidence.ids) <= set(whole)
        listed |= set(evidence.ids) if evidence.method is Method.IDS else set()
    assert listed == set(whole)


def test_what_is_deleted_is_told(bench: Any) -> None:
    bench.clock.move(86_400)
    since = bench.clock.now()
    for table, id in (("payment", PAY1), ("invoiceadjustment", ADJ1)):
        bench.books.delete(bench.books.get(table, id))
    for entity, id in (("payment", PAY1), ("credit_note", ADJ1)):
        pages = bench.connector().pull(entity, since=since)
        assert [gone for page in pages for gone in page.deleted] == [id]


def test_check_says_what_the_tenant_lacks_and_nothing_is_written(bench: Any) -> None:
    (problem,) = bench.connector().check().problems
    assert "Invoice Settlement is off" in problem and "cannot be written" in problem
    for entity in ("payment", "credit_note", "refund"):
        with pytest.raises(ConfigError, match="Invoice Settlement"):
            bench.connector().create(entity, {}, key="k")
