"""What must hold inside one record; the figures of each row are worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from books_world import World, invoice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tieout.core.entities import (
    Allocation,
    CreditNote,
    Customer,
    Invoice,
    JournalEntry,
    JournalLine,
    Line,
    Payment,
    Payout,
    PayoutLine,
    Price,
    Record,
    Tier,
)
from tieout.reconcile.books import check
from tieout.store.pairs import Pairs


def of(kind: type[Record], **fields: Any) -> Record:
    return kind(system="s", id="1", **fields)


def bill(**fields: Any) -> Record:
    """100.00 less 10.00 discount plus 18.00 tax = 108.00, of which 8.00 are still owed."""
    told: dict[str, Any] = {
        "status": "open",
        "currency": "USD",
        "subtotal_minor": 10_000,
        "discount_minor": 1_000,
        "tax_minor": 1_800,
        "total_minor": 10_800,
        "paid_minor": 9_000,
        "credited_minor": 1_000,
        "balance_minor": 800,
        "lines": (Line(amount_minor=4_000), Line(amount_minor=6_000)),
    }
    return of(Invoice, **(told | fields))


CASES: list[tuple[str, Record, list[tuple[str, int]]]] = [
    ("a sound invoice", bill(), []),
    ("null amounts are 0", of(Invoice, status="paid"), []),
    ("adjustment counts", bill(adjustment_minor=-800, balance_minor=0, status="paid"), []),
    ("write-off counts", bill(written_off_minor=800, balance_minor=0, status="paid"), []),
    ("wrong total", bill(total_minor=10_900, balance_minor=900), [("total", 100)]),
    ("wrong balance", bill(balance_minor=801), [("balance", 1)]),
    ("lines do not add up", bill(lines=(Line(amount_minor=9_999),)), [("lines", -1)]),
    ("no lines are not checked", bill(lines=()), []),
    ("paid but owing", bill(status="paid"), [("status", 800)]),
    ("open but settled", bill(paid_minor=9_800, balance_minor=0), [("status", 0)]),
    ("void owes nothing", bill(status="void", balance_minor=0), []),
    ("void but owing", bill(status="void"), [("void", 800)]),
    (
        "a payment applied in full",
        of(Payment, status="succeeded", amount_minor=5, allocations=(Allocation(amount_minor=5),)),
        [],
    ),
    (
        "more applied than is left after a refund",
        of(Payment, status="succeeded", amount_minor=500, refunded_minor=200,
           allocations=(Allocation(amount_minor=300), Allocation(amount_minor=1))),
        [("allocations", 1)],
    ),
    (
        "a failed payment applies nothing",
        of(Payment, status="failed", amount_minor=5, allocations=(Allocation(amount_minor=5),)),
        [("allocations", 5)],
    ),
    ("over-refunded", of(Payment, amount_minor=5, refunded_minor=7), [("refunded", 2)]),
    (
        "a sound credit note",
        of(CreditNote, status="issued", subtotal_minor=90, tax_minor=10, total_minor=100,
           allocated_minor=60, refunded_minor=30, balance_minor=10),
        [],
    ),
    (
        "a credit note out of balance",
        of(CreditNote, status="issued", total_minor=100, allocated_minor=60, balance_minor=10),
        [("balance", -30)],
    ),
    (
        "cash: 10.00 + 20.00 - fees 0.59 + 0.88 - refund 5.00 = 23.53",
        of(Payout, automatic=True, amount_minor=2_353, lines=(
            PayoutLine(kind="charge", amount_minor=1_000, fee_minor=59, net_minor=941),
            PayoutLine(kind="charge", amount_minor=2_000, fee_minor=88, net_minor=1_912),
            PayoutLine(kind="refund", amount_minor=-500, fee_minor=0, net_minor=-500))),
        [],
    ),
    (
        "cash is short",
        of(Payout, automatic=True, amount_minor=1_000, lines=(
            PayoutLine(kind="charge", amount_minor=1_000, fee_minor=59, net_minor=941),)),
        [("cash", -59)],
    ),
    (
        "a manual payout lists nothing reliable",
        of(Payout, automatic=False, amount_minor=1, lines=(PayoutLine(net_minor=9),)),
        [],
    ),
    (
        "debits are credits",
        of(JournalEntry, lines=(JournalLine(debit_minor=7), JournalLine(credit_minor=7))),
        [],
    ),
    (
        "debits are not credits",
        of(JournalEntry, lines=(JournalLine(debit_minor=7), JournalLine(credit_minor=6))),
        [("journal", -1)],
    ),
    ("tiers", of(Price, tiers=(Tier(up_to="10"), Tier(up_to="100.5"), Tier())), []),
    ("tiers fall", of(Price, tiers=(Tier(up_to="10"), Tier(up_to="9"), Tier())), [("tiers", 0)]),
    ("tiers end", of(Price, tiers=(Tier(up_to="10"),)), [("tiers", 0)]),
    ("nothing to check", of(Customer, name="Ada"), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "found"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_identities(record: Record, found: list[tuple[str, int]]) -> None:
    assert [(each.rule, each.off_minor) for each in check(record)] == found


def test_the_database_suspects_every_record_that_has_a_finding(world: World) -> None:
    guilty: dict[str, list[str]] = {}
    for number, (_, record, found) in enumerate(CASES):
        entity = str(record.__struct_config__.tag)
        body = {name: getattr(record, name) for name in record.__struct_fields__}
        world.put(type(record)(**(body | {"id": f"{number:03}"})))
        if found:
            guilty.setdefault(entity, []).append(f"{number:03}")
    for entity, ids in guilty.items():
        assert set(ids) <= set(Pairs(world.store.db).contradicting(entity, "s")), entity


SMALL = st.one_of(st.none(), st.integers(-3, 3))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    amounts=st.lists(
        st.tuples(
            st.sampled_from(["draft", "open", "paid", "void", "uncollectible"]),
            *[SMALL] * 9,
            st.lists(SMALL, max_size=3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_sql_and_python_agree_about_invoices(amounts: list[tuple[Any, ...]]) -> None:
    names = ["subtotal", "discount", "tax", "total", "adjustment", "paid", "credited"]
    names += ["written_off", "balance"]
    world = World()
    records = [
        Invoice(
            system="s",
            id=f"{at:03}",
            status=status,
            lines=tuple(Line(amount_minor=line) for line in lines),
            **{f"{name}_minor": value for name, value in zip(names, values, strict=True)},
        )
        for at, (status, *values, lines) in enumerate(amounts)
    ]
    world.put(*records)
    suspected = set(Pairs(world.store.db).contradicting("invoice", "s"))
    world.store.close()
    assert suspected == {record.id for record in records if check(record)}


def test_absurd_amounts_do_not_stop_the_check(world: World) -> None:
    huge = 2**63 - 1
    lines = tuple(Line(amount_minor=huge) for _ in range(3))
    world.put(invoice("s", "1", huge, lines=lines, tax_minor=huge, discount_minor=-huge))
    assert list(Pairs(world.store.db).contradicting("invoice", "s")) == ["1"]
