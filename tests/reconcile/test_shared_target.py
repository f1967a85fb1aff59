"""Several billers, one ledger: each record is told by one flow, and every cent by its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from books_world import World, invoice, rule, told

from tieout.reconcile.rules import FlowRule


def rules() -> list[FlowRule]:
    """Stripe and Chargebee bill, NetSuite keeps the books."""
    stripe = replace(rule(), rivals=("chargebee",), first=True)
    chargebee = replace(
        rule(), name="invoice chargebee > netsuite", left="chargebee",
        rivals=("stripe",), first=False,
    )  # fmt: skip
    return [stripe, chargebee]


def test_what_one_biller_sent_is_not_too_much_for_the_other(world: World) -> None:
    world.pair(invoice("stripe", "L1", 1_000), invoice("netsuite", "R1", 1_000))
    world.pair(invoice("chargebee", "L2", 500), invoice("netsuite", "R2", 500))

    outcome = world.run(*rules())

    assert told(outcome) == [] and outcome.compared == 2
    shown = [(p.flow, p.left_minor, p.right_minor) for p in outcome.proofs]
    assert shown == [
        ("invoice stripe > netsuite", 1_000, 1_000),
        ("invoice chargebee > netsuite", 500, 500),
    ]


def test_what_belongs_to_nobody_is_told_once_by_the_first_flow(world: World) -> None:
    world.pair(invoice("chargebee", "L2", 500), invoice("netsuite", "R2", 500))
    world.put(invoice("netsuite", "R3", 70))

    outcome = world.run(*rules())

    (found,) = outcome.breaks
    assert (found.kind, found.right_id, found.flow) == ("extra", "R3", "invoice stripe > netsuite")
    assert sum(p.right_minor for p in outcome.proofs) == 570


def test_a_second_copy_of_the_other_billers_document_is_a_duplicate(world: World) -> None:
    world.pair(invoice("chargebee", "L2", 500), invoice("netsuite", "R2", 500))
    world.put(invoice("netsuite", "R9", 500, number="N-2"))

    (found,) = world.run(*rules()).breaks

    assert (found.kind, found.right_id) == ("duplicate", "R9")
    assert found.cause.endswith("as R2")


def test_a_partner_that_is_gone_is_its_own_flows_break(world: World) -> None:
    world.pair(invoice("chargebee", "L2", 500, deleted=True), invoice("netsuite", "R2", 500))

    (found,) = world.run(*rules()).breaks

    assert (found.kind, found.right_id) == ("extra", "R2")
    assert found.flow == "invoice chargebee > netsuite"


@pytest.mark.parametrize("number", [0, 1])
def test_a_record_that_contradicts_itself_is_one_break(world: World, number: int) -> None:
    """Whichever flow tells that it differs, the contradiction is told with it."""
    system = ("stripe", "chargebee")[number]
    wrong = invoice("netsuite", "R1", 1_000, balance_minor=400)
    world.pair(invoice(system, "L1", 1_000), wrong)

    (found,) = world.run(*rules()).breaks

    assert found.kind == "differs" and "contradicts itself" in found.cause
