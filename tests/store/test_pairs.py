"""Two systems side by side: what the SQL hands over, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tieout.core.entities import Customer, Invoice, Record
from tieout.reconcile.rules import FlowRule, usual
from tieout.store import Incoming, Store
from tieout.store.pair_sql import offsets
from tieout.store.pairs import Pairs, Reading

NOW = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


def rule(**changes: Any) -> FlowRule:
    told: dict[str, Any] = {
        "name": "invoice a > b",
        "entity": "invoice",
        "left": "a",
        "right": "b",
        "real": ("open", "paid", "void"),
        "fields": {
            name: usual("invoice", name) for name in ("number", "customer_id", "total_minor")
        },
        "amount": "total_minor",
        "dated": "issued_on",
    }
    return FlowRule(**(told | changes))


def bill(system: str, id: str, minor: int, **fields: Any) -> Invoice:
    told: dict[str, Any] = {"status": "open", "currency": "USD", "number": id[1:]}
    return Invoice(system=system, id=id, total_minor=minor, **(told | fields))


def put(store: Store, *records: Record) -> None:
    for record in records:
        incoming = Incoming(record, b"{}", store.next_seq())
        store.records.put(str(record.__struct_config__.tag), [incoming], run="run")


def link(store: Store, *members: tuple[str, str], entity: str = "invoice") -> str:
    return store.links.make(entity, list(members), "test")


def found(store: Store, asked: FlowRule) -> list[tuple[str | None, str | None]]:
    with Pairs(store.db).reading(asked, NOW) as reading:
        return [
            (pair.left.id if pair.left else None, pair.right.id if pair.right else None)
            for pair in reading.pairs()
        ]


def test_only_what_may_differ_is_handed_over(store: Store) -> None:
    for id, right_minor in (("1", 100), ("2", 101), ("3", 100)):
        put(store, bill("a", f"L{id}", 100), bill("b", f"R{id}", right_minor))
        link(store, ("a", f"L{id}"), ("b", f"R{id}"))
    put(store, bill("a", "L4", 5), bill("b", "R5", 6), bill("c", "X9", 1))
    assert found(store, rule()) == [("L2", "R2"), ("L4", None), (None, "R5")]


def test_a_link_into_a_third_system_is_no_partner(store: Store) -> None:
    put(store, bill("a", "L1", 100), bill("c", "X1", 100))
    link(store, ("a", "L1"), ("c", "X1"))
    assert found(store, rule()) == [("L1", None)]


def test_a_partner_that_the_store_lacks_is_named(store: Store) -> None:
    put(store, bill("a", "L1", 100))
    link(store, ("a", "L1"), ("b", "R1"))
    with Pairs(store.db).reading(rule(), NOW) as reading:
        (pair,) = reading.pairs()
    assert pair.right is None and pair.gone == "R1"


def test_references_come_with_their_links(store: Store) -> None:
    put(store, Customer(system="a", id="c1", name="Ada"), Customer(system="b", id="d1", name="Ada"))
    key = link(store, ("a", "c1"), ("b", "d1"), entity="customer")
    put(store, bill("a", "L1", 1, customer_id="c1"), bill("b", "R1", 1, customer_id="d9"))
    link(store, ("a", "L1"), ("b", "R1"))
    with Pairs(store.db).reading(rule(), NOW) as reading:
        (pair,) = reading.pairs()
    assert pair.left and pair.right
    reference = pair.left.values["customer_id"]
    assert (reference.id, reference.link, reference.counterpart) == ("c1", key, "d1")
    assert pair.right.values["customer_id"].link is None
    assert pair.left.customer == "Ada"


def test_the_left_side_is_read_in_the_order_of_ids(store: Store) -> None:
    put(store, *(bill("a", f"L{n}", 1) for n in (3, 1, 2)))
    assert [left for left, _ in found(store, rule())] == ["L1", "L2", "L3"]


def test_reading_leaves_nothing_behind(store: Store) -> None:
    put(store, bill("a", "L1", 1), bill("a", "L2", 1))
    link(store, ("a", "L1"), ("a", "L2"))
    for _ in range(2):
        with Pairs(store.db).reading(rule(), NOW) as reading:
            reading.totals(), list(reading.pairs())
    with Pairs(store.db).reading(rule(), NOW, as_of=NOW + timedelta(days=1)) as reading:
        list(reading.pairs())
    assert store.db.rows("SELECT name FROM sqlite_temp_master") == []
    assert store.records.count("invoice", "a") == 2


def test_the_walk_uses_indexes_only(store: Store) -> None:
    """Nothing is sorted or scanned as a whole but the one system that is walked."""
    with store.snapshot() as connection:
        reading = Reading(connection, rule(), NOW, past=False)
        reading.prepare()
        asked: list[str] = []
        keep = reading._rows
        reading._rows = lambda sql: asked.append(sql) or keep(sql)  # type: ignore[method-assign, func-returns-value]
        list(reading.pairs())
        for sql in asked:
            rows = connection.execute("EXPLAIN QUERY PLAN " + sql, reading._terms.values)
            steps = [str(row[3]) for row in rows]
            wide = [
                step for step in steps
                if step.startswith("SCAN") and not step.startswith(("SCAN writing", "SCAN refused"))
            ]  # fmt: skip
            assert not wide and not any("TEMP B-TREE" in step for step in steps), steps


@pytest.mark.parametrize(
    "zone", ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
             "Pacific/Apia", "Europe/Dublin"]
)  # fmt: skip
def test_offsets_are_those_of_the_zone(zone: str) -> None:
    """Around each change of the clocks, and in between, to the second."""
    changes = offsets(zone)
    for start, _ in changes[1:]:
        change = datetime.fromisoformat(start + "+00:00")
        for moment in (change - timedelta(seconds=1), change, change + timedelta(days=40)):
            text = moment.strftime("%Y-%m-%dT%H:%M:%S") + "Z"
            held = [seconds for begins, seconds in changes if begins <= text][-1]
            there = moment.astimezone(ZoneInfo(zone)).utcoffset()
            assert there is not None and held == there.total_seconds(), (zone, text)
