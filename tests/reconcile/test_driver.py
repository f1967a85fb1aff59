"""Whole reconciliations of small ledgers; every expected figure is added up by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from books_world import (
    LONG_AGO,
    NOW,
    Allocation,
    CreditNote,
    Payment,
    World,
    invoice,
    proof_of,
    rule,
    told,
)

from tieout.reconcile.rules import Comparison


def test_two_ledgers_that_agree_have_no_breaks(world: World) -> None:
    world.pair(invoice("stripe", "L1", 10_000), invoice("netsuite", "R1", 10_000))
    world.pair(
        invoice("stripe", "L2", 500, currency="EUR"), invoice("netsuite", "R2", 500, currency="EUR")
    )

    outcome = world.run()

    assert told(outcome) == [] and outcome.compared == 2
    shown = [(p.currency, p.left_minor, p.right_minor) for p in outcome.proofs]
    assert shown == [("EUR", 500, 500), ("USD", 10_000, 10_000)]
    assert outcome.kpis.accuracy_percent == Decimal("100.00")


def test_each_kind_of_break_is_found_once_and_explains_the_difference(world: World) -> None:
    world.pair(invoice("stripe", "L1", 10_000), invoice("netsuite", "R1", 10_000))
    world.pair(invoice("stripe", "L2", 54_000), invoice("netsuite", "R2", 45_000))  # 9,000 apart
    world.put(invoice("stripe", "L3", 700))  # never arrived
    world.put(invoice("netsuite", "R4", 1_100))  # typed by hand
    world.pair(invoice("stripe", "L5", 2_000), invoice("netsuite", "R5", 2_000))
    world.put(invoice("netsuite", "R6", 2_000, number="N-5"))  # N-5 again

    outcome = world.run()

    assert told(outcome) == [
        ("differs", "L2", "R2"),
        ("duplicate", None, "R6"),
        ("extra", None, "R4"),
        ("missing", "L3", None),
    ]
    proof = proof_of(outcome)
    # left 10000+54000+700+2000, right 10000+45000+1100+2000+2000
    assert (proof.left_minor, proof.right_minor, proof.difference_minor) == (66_700, 60_100, 6_600)
    assert proof.breaks_minor == 9_000 + 700 - 1_100 - 2_000 == 6_600
    by_kind = {one.kind: one for one in outcome.breaks}
    assert by_kind["differs"].cause == "digits transposed when it was typed"
    assert by_kind["extra"].cause == "typed by hand in netsuite"
    assert by_kind["duplicate"].cause.endswith("the same number, currency and total as R5")
    # three pairs, of which two agree, and four breaks
    assert outcome.compared == 3 and outcome.kpis.accuracy_percent == Decimal("33.33")


def test_all_fields_that_differ_are_in_one_break(world: World) -> None:
    world.customers("ada", "bob")
    world.pair(
        invoice("stripe", "L1", 10_000, customer_id="cus_ada"),
        invoice("netsuite", "R1", 10_000, customer_id="ns_bob", status="paid",
                issued_on=date(2026, 2, 1)),
    )  # fmt: skip

    (found,) = world.run().breaks

    assert [(each.name, each.left, each.right) for each in found.differences] == [
        ("customer_id", "cus_ada", "ns_bob"),
        ("issued_on", "2026-01-15", "2026-02-01"),
        ("balance_minor", 10_000, 0),
        ("status", "open", "paid"),
    ]
    assert found.effect_minor == 0 and found.stake_minor == 10_000


def test_a_customer_without_a_counterpart_is_the_customers_break_alone(world: World) -> None:
    world.pair(
        invoice("stripe", "L1", 100, customer_id="cus_lone"),
        invoice("netsuite", "R1", 100, customer_id="ns_lone"),
    )
    assert told(world.run()) == []


def test_void_documents_hold_no_money_and_need_no_partner(world: World) -> None:
    world.put(invoice("stripe", "L1", 900, status="void", balance_minor=0))
    world.pair(
        invoice("stripe", "L2", 300, status="void"), invoice("netsuite", "R2", 300, number="N-2")
    )

    outcome = world.run()

    assert told(outcome) == [("differs", "L2", "R2")]
    assert outcome.breaks[0].cause == "voided in stripe; netsuite still counts it"
    proof = proof_of(outcome)
    assert (proof.left_minor, proof.right_minor, proof.breaks_minor) == (0, 300, -300)


def test_a_currency_mix_up_is_explained_in_both_currencies(world: World) -> None:
    world.pair(invoice("stripe", "L1", 10_000), invoice("netsuite", "R1", 10_000, currency="EUR"))

    outcome = world.run()

    (found,) = outcome.breaks
    assert dict(found.effects()) == {"USD": 10_000, "EUR": -10_000}
    assert found.cause == "currency mix-up: the same figure in USD and EUR"
    assert [(p.currency, p.breaks_minor) for p in outcome.proofs] == [
        ("EUR", -10_000),
        ("USD", 10_000),
    ]


def test_deleted_and_draft_partners(world: World) -> None:
    world.pair(invoice("stripe", "L1", 100), invoice("netsuite", "R1", 100))
    world.store.records.delete("invoice", "netsuite", ["R1"], seq=world.store.next_seq(), run="r")
    world.pair(invoice("stripe", "L2", 200), invoice("netsuite", "R2", 200))
    world.store.records.delete("invoice", "stripe", ["L2"], seq=world.store.next_seq(), run="r")
    world.pair(invoice("stripe", "L3", 400), invoice("netsuite", "R3", 400, status="draft"))
    world.put(invoice("stripe", "L4", 800, status="draft"))

    outcome = world.run()

    assert told(outcome) == [
        ("differs", "L3", "R3"),
        ("extra", "L2", "R2"),
        ("missing", "L1", "R1"),
    ]
    causes = {one.left_id: one.cause for one in outcome.breaks}
    assert causes["L1"] == "deleted in netsuite" and causes["L2"] == "deleted in stripe"
    assert causes["L3"] == "still a draft on one side"
    assert proof_of(outcome).difference_minor == 500 - 200


def test_what_is_in_flight_is_counted_apart(world: World) -> None:
    just_now = NOW - timedelta(minutes=5)
    world.pair(invoice("stripe", "L1", 900, updated_at=just_now), invoice("netsuite", "R1", 100))
    world.put(invoice("stripe", "L2", 50))
    world.write_planned(key="k-2", target="netsuite", entity="invoice", action="create",
                        body={"source": "stripe", "source_id": "L2"})  # fmt: skip
    link = world.pair(invoice("stripe", "L3", 7), invoice("netsuite", "R3", 8))
    world.write_planned(key="k-3", target="netsuite", entity="invoice", action="update", link=link)

    outcome = world.run()

    assert told(outcome) == [] and len(outcome.in_flight) == 3
    proof = proof_of(outcome)
    assert proof.in_flight_minor == 800 + 50 - 1 and proof.breaks_minor == 0


def test_a_write_that_waits_for_days_is_a_break(world: World) -> None:
    world.put(invoice("stripe", "L1", 50))
    world.write_planned(key="k", target="netsuite", entity="invoice", action="create",
                        body={"source": "stripe", "source_id": "L1"})  # fmt: skip
    world.clock.advance(hours=25)

    (found,) = world.run().breaks

    assert (found.kind, found.left_id, found.effect_minor) == ("stale", "L1", 50)


def test_a_refused_write_tells_the_providers_words(world: World) -> None:
    world.put(invoice("stripe", "L1", 50))
    world.write_planned(key="k", target="netsuite", entity="invoice", action="create",
                        body={"source": "stripe", "source_id": "L1"})  # fmt: skip
    (operation,) = world.store.outbox.claim()
    world.store.outbox.mark_sent(operation)
    world.store.outbox.reject(operation, "The posting period Jan 2026 is closed.")

    (found,) = world.run().breaks

    assert found.kind == "missing"
    assert found.cause.startswith("closed period: netsuite refused the write")


def test_what_changed_after_the_other_side_was_read_is_in_flight(world: World) -> None:
    """netsuite was read at 06:00; the invoice was made in stripe at 06:30; it is 08:00."""
    for system, hour in (("stripe", 7), ("netsuite", 6)):
        started = datetime(2026, 2, 1, hour, 0, tzinfo=UTC)
        world.store.cursors.start(system, "invoice", None, started, True)
        world.store.cursors.finish(system, "invoice")
    world.put(invoice("stripe", "L1", 50, updated_at=datetime(2026, 2, 1, 6, 30, tzinfo=UTC)))
    world.put(invoice("stripe", "L2", 60, updated_at=datetime(2026, 2, 1, 5, 30, tzinfo=UTC)))

    outcome = world.run()

    assert told(outcome) == [("missing", "L2", None)]
    assert [one.left_id for one in outcome.in_flight] == ["L1"]


def test_tolerances_are_part_of_the_proof(world: World) -> None:
    world.pair(
        invoice("stripe", "L1", 10_001, balance_minor=10_001), invoice("netsuite", "R1", 10_000)
    )
    world.pair(invoice("stripe", "L2", 10_002), invoice("netsuite", "R2", 10_000))
    lenient = Comparison("money", tolerance_minor=1)
    fields = dict(rule().fields) | {"total_minor": lenient, "balance_minor": lenient}

    outcome = world.run(rule(fields=fields))

    assert told(outcome) == [("differs", "L2", "R2")]
    proof = proof_of(outcome)
    assert (proof.tolerated_minor, proof.breaks_minor, proof.unexplained_minor) == (1, 2, 0)


def test_groups_of_values_count_as_one(world: World) -> None:
    world.pair(invoice("stripe", "L1", 100, status="uncollectible"), invoice("netsuite", "R1", 100))
    same = Comparison(same=(("open", "uncollectible"),))
    assert told(world.run(rule(fields=dict(rule().fields) | {"status": same}))) == []
    assert told(world.run()) == [("differs", "L1", "R1")]


def test_two_records_of_one_link_are_a_duplicate_and_nothing_else(world: World) -> None:
    world.put(invoice("stripe", "L1", 100), invoice("netsuite", "R1", 100))
    world.put(invoice("netsuite", "R2", 100, number="N-1", created_at=LONG_AGO + timedelta(days=1)))
    world.link("invoice", ("stripe", "L1"), ("netsuite", "R1"), ("netsuite", "R2"))

    outcome = world.run()

    assert told(outcome) == [("duplicate", None, "R2")]
    assert proof_of(outcome).breaks_minor == -100


def test_the_same_external_id_makes_a_duplicate(world: World) -> None:
    key = {"stripe": "L1"}
    world.pair(invoice("stripe", "L1", 100), invoice("netsuite", "R1", 100, external_ids=key))
    world.put(invoice("netsuite", "R2", 70, number="other", external_ids=key))

    (found,) = world.run().breaks

    assert (found.kind, found.right_id, found.effect_minor) == ("duplicate", "R2", -70)
    assert "the same external id as R1" in found.cause


def test_a_void_and_reissued_number_is_no_duplicate(world: World) -> None:
    world.put(invoice("netsuite", "R1", 100, number="N-7", status="void"))
    world.pair(
        invoice("stripe", "L2", 100, number="N-7"), invoice("netsuite", "R2", 100, number="N-7")
    )
    assert told(world.run()) == []


def test_where_limits_both_sides_through_the_links(world: World) -> None:
    scope = {"custom.region": ("EU",)}
    eu, us = {"region": "EU"}, {"region": "US"}
    world.pair(invoice("stripe", "L1", 100, custom=eu), invoice("netsuite", "R1", 90))
    world.pair(invoice("stripe", "L2", 200, custom=us), invoice("netsuite", "R2", 1))
    world.put(invoice("netsuite", "R3", 5))

    outcome = world.run(rule(left_where=scope, right_where=scope))

    assert told(outcome) == [("differs", "L1", "R1")]
    proof = proof_of(outcome)
    assert (proof.left_minor, proof.right_minor) == (100, 90)


def test_documents_before_the_start_count_only_where_linked(world: World) -> None:
    old = date(2025, 12, 31)
    world.put(invoice("stripe", "L1", 100, issued_on=old))
    world.pair(
        invoice("stripe", "L2", 200, issued_on=old), invoice("netsuite", "R2", 150, issued_on=old)
    )
    world.put(invoice("stripe", "L3", 400, issued_on=date(2026, 1, 1)))

    outcome = world.run(rule(starts_on=date(2026, 1, 1)))

    assert told(outcome) == [("differs", "L2", "R2"), ("missing", "L3", None)]
    assert proof_of(outcome).left_minor == 600


def payment(system: str, id: str, minor: int, at: datetime, *applied: tuple[str, int]) -> Payment:
    return Payment(
        system=system,
        id=id,
        currency="USD",
        amount_minor=minor,
        status="succeeded",
        received_at=at,
        updated_at=LONG_AGO,
        created_at=LONG_AGO,
        allocations=tuple(Allocation(invoice_id=to, amount_minor=part) for to, part in applied),
    )


def test_allocations_are_compared_through_links(world: World) -> None:
    at = datetime(2026, 1, 20, tzinfo=UTC)
    for number in ("1", "2"):
        world.pair(invoice("stripe", f"L{number}", 100), invoice("netsuite", f"R{number}", 100))
    world.put(invoice("stripe", "L9", 100))  # not in netsuite: its own break
    both = ("L1", 60), ("L2", 40)
    world.pair(
        payment("stripe", "pay1", 100, at, *both),
        payment("netsuite", "cp1", 100, at, ("R2", 40), ("R1", 60)),
    )
    world.pair(
        payment("stripe", "pay2", 50, at, ("L1", 50)),
        payment("netsuite", "cp2", 50, at, ("R2", 50)),
    )
    world.pair(payment("stripe", "pay3", 30, at, ("L9", 30)), payment("netsuite", "cp3", 30, at))

    outcome = world.run(rule("payment"))

    assert told(outcome) == [("differs", "pay2", "cp2")]
    (difference,) = outcome.breaks[0].differences
    assert difference.name == "allocations"
    assert difference.left == [{"invoice_id": "L1", "amount_minor": 50}]


@pytest.mark.parametrize(
    ("left_at", "right_at", "agrees"),
    [
        # 04:30 UTC is 23:30 of the day before in New York; netsuite's midnight there is 05:00 UTC
        (datetime(2026, 1, 21, 4, 30, tzinfo=UTC), datetime(2026, 1, 20, 5, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 21, 5, 30, tzinfo=UTC), datetime(2026, 1, 20, 5, 0, tzinfo=UTC), False),
        # in summer midnight in New York is 04:00 UTC
        (datetime(2026, 7, 21, 3, 59, tzinfo=UTC), datetime(2026, 7, 20, 4, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 21, 4, 0, tzinfo=UTC), datetime(2026, 7, 20, 4, 0, tzinfo=UTC), False),
    ],
)
def test_days_are_those_of_each_accounts_time_zone(
    world: World, left_at: datetime, right_at: datetime, agrees: bool
) -> None:
    world.pair(payment("stripe", "p", 5, left_at), payment("netsuite", "c", 5, right_at))
    new_york = "America/New_York"

    outcome = world.run(rule("payment", left_zone=new_york, right_zone=new_york))

    assert (told(outcome) == []) is agrees


def test_totals_are_per_month_and_status(world: World) -> None:
    world.put(
        invoice("stripe", "L1", 100, issued_on=date(2026, 1, 31)),
        invoice("stripe", "L2", 200, issued_on=date(2026, 2, 1), status="paid"),
        invoice("stripe", "L3", 400, issued_on=date(2026, 1, 1), status="void"),
        invoice("stripe", "L4", 800, issued_on=None),
    )
    totals = [(t.period, t.status, t.count, t.minor) for t in world.run().totals]
    assert totals == [
        ("", "open", 1, 800),
        ("2026-01", "open", 1, 100),
        ("2026-01", "void", 1, 0),
        ("2026-02", "paid", 1, 200),
    ]


def test_amounts_at_the_edge_of_64_bits_stay_exact(world: World) -> None:
    huge = 2**63 - 1
    world.put(*(invoice("stripe", f"L{n}", huge, balance_minor=huge) for n in range(3)))
    world.put(invoice("netsuite", "R0", -huge, number="x"))
    world.pair(invoice("stripe", "L7", huge), invoice("netsuite", "R7", -huge))

    proof = proof_of(world.run())

    assert (proof.left_minor, proof.right_minor) == (4 * huge, -2 * huge)
    assert proof.unexplained_minor == 0


def test_a_record_that_contradicts_itself_is_told_once(world: World) -> None:
    world.pair(
        invoice("stripe", "L1", 100), invoice("netsuite", "R1", 100, tax_minor=8)
    )  # 100 + 8 tax is not 100
    world.pair(invoice("stripe", "L2", 100), invoice("netsuite", "R2", 90, subtotal_minor=100))

    outcome = world.run()

    assert told(outcome) == [("differs", "L2", "R2"), ("unbalanced", None, "R1")]
    unbalanced = next(one for one in outcome.breaks if one.kind == "unbalanced")
    assert unbalanced.stake_minor == 8 and unbalanced.effect_minor == 0
    differs = next(one for one in outcome.breaks if one.kind == "differs")
    assert "netsuite contradicts itself: total is not subtotal - discount + tax" in differs.cause


def test_receivables_are_told_only_where_no_document_explains_them(world: World) -> None:
    world.customers("ada", "bob")
    fields = {name: how for name, how in rule().fields.items() if name != "balance_minor"}
    for name, here, there in (("ada", 100, 40), ("bob", 100, 100)):
        world.pair(
            invoice("stripe", f"L{name}", 100, customer_id=f"cus_{name}", number=name,
                    balance_minor=here),
            invoice("netsuite", f"R{name}", 100, customer_id=f"ns_{name}", number=name,
                    balance_minor=there, paid_minor=100 - there),
        )  # fmt: skip

    outcome = world.run(rule(fields=fields))

    assert told(outcome) == [("receivable", "cus_ada", "ns_ada")]
    assert outcome.breaks[0].stake_minor == 60 and outcome.breaks[0].label == "ada"
    assert told(world.run()) == [("differs", "Lada", "Rada")]


def test_credit_notes_reduce_what_is_owed(world: World) -> None:
    world.customers("ada")
    world.pair(
        invoice("stripe", "L1", 100, customer_id="cus_ada"),
        invoice("netsuite", "R1", 100, customer_id="ns_ada"),
    )
    note = CreditNote(
        system="stripe",
        id="cn",
        customer_id="cus_ada",
        status="issued",
        number="c",
        currency="USD",
        total_minor=30,
        subtotal_minor=30,
        allocated_minor=0,
        balance_minor=30,
        updated_at=LONG_AGO,
        issued_on=date(2026, 1, 9),
    )
    there = {"system": "netsuite", "id": "cm", "customer_id": "ns_ada"}
    world.pair(
        note, CreditNote(**(_fields(note) | there | {"balance_minor": 0, "allocated_minor": 30}))
    )

    outcome = world.run(rule(), rule("credit_note"))

    assert told(outcome) == [("receivable", "cus_ada", "ns_ada")]
    assert [(d.left, d.right) for d in outcome.breaks[0].differences] == [(70, 100)]


def _fields(record: CreditNote) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_as_of_compares_what_was_known_then_and_files_nothing(world: World) -> None:
    world.pair(invoice("stripe", "L1", 100), invoice("netsuite", "R1", 90))
    then = world.clock.now() + timedelta(hours=1)
    world.clock.advance(days=1)
    world.put(invoice("netsuite", "R1", 100, subtotal_minor=100))

    today = world.run()
    assert told(today) == []
    past = world.run(as_of=then)
    assert told(past) == [("differs", "L1", "R1")]
    assert proof_of(past).right_minor == 90
    assert world.store.db.rows("SELECT * FROM breaks") == []
    assert told(world.run()) == []  # the temporary tables are gone


def test_nothing_is_filed_when_a_total_does_not_tie(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tieout.core.errors import StopRun
    from tieout.store.pairs import Reading

    world.put(invoice("stripe", "L1", 100), invoice("stripe", "L2", 1))
    whole = Reading.pairs
    monkeypatch.setattr(Reading, "pairs", lambda self: list(whole(self))[:1])
    with pytest.raises(StopRun):
        world.run()
    assert world.store.db.rows("SELECT * FROM breaks") == []


def test_a_store_in_a_file_is_only_read_while_comparing(tmp_path: Path) -> None:
    world = World(tmp_path / "tieout.db")
    world.pair(invoice("stripe", "L1", 100), invoice("netsuite", "R1", 90))
    world.put(invoice("netsuite", "R2", 3))
    world.link("invoice", ("netsuite", "R2"), ("netsuite", "R9"))
    first, second = world.run(), world.run()
    assert told(first) == told(second) == [("differs", "L1", "R1"), ("extra", None, "R2")]
    assert (first.new, second.new) == (2, 0)
    assert [one.fingerprint for one in first.breaks] == [one.fingerprint for one in second.breaks]
    world.store.close()


def test_names_of_any_kind_are_bound_not_spliced(world: World) -> None:
    evil = "x'; DROP TABLE invoice; --"
    scope = {"custom.a'b": (evil,)}
    world.pair(
        invoice("stripe", "L1", 100, custom={"a'b": evil}, number=evil),
        invoice("netsuite", "R1", 90, number=evil),
    )
    assert told(world.run(rule(left_where=scope))) == [("differs", "L1", "R1")]
    assert told(world.run(replace(rule(), name=evil))) == [("differs", "L1", "R1")]
