"""No cent is lost unseen: the proof is made from two independent counts."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from books_world import World, invoice, rule, told
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core.errors import StopRun
from tieout.reconcile.outcome import percent
from tieout.reconcile.totals import Proof, Total, proofs, prove, prove_counts, sums

EFFECTS = st.dictionaries(st.sampled_from(["USD", "EUR", "JPY"]), st.integers(-(10**18), 10**18))


@given(right=EFFECTS, breaks=EFFECTS, flying=EFFECTS, tolerated=EFFECTS,
       lost=st.integers(-5, 5), currency=st.sampled_from(["USD", "EUR", "JPY"]))  # fmt: skip
def test_any_single_lost_cent_stops_the_run(
    right: dict[str, int],
    breaks: dict[str, int],
    flying: dict[str, int],
    tolerated: dict[str, int],
    lost: int,
    currency: str,
) -> None:
    left: Counter[str] = Counter()
    for part in (right, breaks, flying, tolerated):
        for each, minor in part.items():
            left[each] += minor
    left[currency] += lost
    made = proofs("f", left, right, breaks, flying, tolerated)
    assert sum(abs(one.unexplained_minor) for one in made) == abs(lost)
    if lost:
        with pytest.raises(StopRun, match=f"{lost} minor units of {currency} unexplained"):
            prove(made)
    else:
        prove(made)


AMOUNTS = st.one_of(st.none(), st.integers(-500, 500))
SIDE = st.tuples(
    AMOUNTS,
    st.sampled_from(["USD", "EUR"]),
    st.sampled_from(["open", "paid", "void", "draft"]),
    st.booleans(),  # deleted
)
LINK = st.tuples(st.lists(SIDE, max_size=2), st.lists(SIDE, max_size=2), st.booleans())


@settings(max_examples=80, deadline=None)
@given(links=st.lists(LINK, max_size=8))
def test_every_ledger_ties_out_to_its_breaks(links: list[tuple[list, list, bool]]) -> None:  # type: ignore[type-arg]
    """Random ledgers, linked or not, crowded, void, deleted: effects add up to the difference."""
    world = World()
    expected: Counter[str] = Counter()
    for at, (left, right, linked) in enumerate(links):
        members = []
        for system, sides in (("stripe", left), ("netsuite", right)):
            for nth, (minor, currency, status, deleted) in enumerate(sides):
                id = f"{system[0]}{at}-{nth}"
                world.put(
                    invoice(system, id, minor, number=None, currency=currency, status=status,
                            deleted=deleted)
                )  # fmt: skip
                members.append((system, id))
                if status in ("open", "paid") and not deleted:
                    expected[currency] += (minor or 0) * (1 if system == "stripe" else -1)
        if linked and members:
            world.link("invoice", *members)

    outcome = world.run(check_books=False)
    world.store.close()

    assert all(proof.unexplained_minor == 0 for proof in outcome.proofs)
    assert {p.currency: p.difference_minor for p in outcome.proofs if p.difference_minor} == {
        currency: minor for currency, minor in expected.items() if minor
    }
    named = [part for kind, *ids in told(outcome) for part in ids if part]
    assert len(named) == len(set(named)), "a record is in two breaks"


def test_the_proof_says_where_and_what_to_do() -> None:
    with pytest.raises(StopRun) as caught:
        prove([Proof("invoice a > b", "USD", 100, 90, breaks_minor=9)])
    assert "invoice a > b: 1 minor units of USD unexplained" in caught.value.message
    assert "nothing was filed" in caught.value.hint


def test_counts_are_proved_as_well() -> None:
    prove_counts("f", 3, 3)
    with pytest.raises(StopRun, match="3 records of the left side"):
        prove_counts("f", 3, 2)


def test_sums_by_system_and_currency() -> None:
    totals = [
        Total("f", "a", "invoice", "USD", "2026-01", "open", 2, 300),
        Total("f", "a", "invoice", "USD", "2026-02", "paid", 1, 50),
        Total("f", "a", "invoice", "EUR", "2026-02", "paid", 1, 7),
        Total("f", "b", "invoice", "USD", "2026-01", "open", 1, 1),
    ]
    assert sums(totals, "a") == {"USD": 350, "EUR": 7}


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "100.00"), (1, 3, "33.33"), (99_999, 100_000, "99.99"), (199_999, 200_000, "99.99"),
     (5, 5, "100.00"), (0, 5, "0.00")],
)  # fmt: skip
def test_percentages_are_rounded_down(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == Decimal(shown)


def test_walk_memory_is_flat() -> None:
    """100,000 pairs of which 100 differ: what Python holds at once is far less than one each."""
    import tracemalloc

    world = World()
    count = 100_000
    _fill(world, count)
    tracemalloc.start()
    outcome = world.run(rule(settle_minutes=0), check_books=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    world.store.close()
    assert outcome.compared == count and len(outcome.breaks) == count // 1000
    assert peak < 4_000_000, peak


def _fill(world: World, count: int) -> None:
    """Straight into the tables: what is tested is reading."""
    from tieout.store.rows import shape_of

    shape = shape_of("invoice")
    one = {
        system: [*shape.row(shape.encode(invoice(system, "x", 500))), None]
        for system in ("stripe", "netsuite")
    }
    at = {name: position for position, name in enumerate(shape.names)}

    def rows(system: str) -> object:
        for number in range(count):
            row = list(one[system])
            row[at["id"]], row[at["number"]] = f"{system[0]}{number:07}", f"N{number}"
            if system == "stripe" and number % 1000 == 0:
                row[at["total_minor"]] = 501
            yield row

    marks = ",".join("?" * (len(shape.names) + 1))
    with world.store.transaction() as connection:
        for system in ("stripe", "netsuite"):
            connection.executemany(f"INSERT INTO invoice VALUES ({marks})", rows(system))
            connection.executemany(
                "INSERT INTO links VALUES ('invoice', ?, ?, ?, 'test', '2026')",
                ((f"k{n}", system, f"{system[0]}{n:07}") for n in range(count)),
            )
