"""What is asked once a record must be answered by an index, or a big store takes days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlite_utils.migrations import Migrations

from tieout.core.entities import ENTITIES
from tieout.store import Draft, Incoming, Operation, Store
from tieout.store.migrations import TAKEN

Ask = Callable[[Store], object]


def query_plan(store: Store, ask: Ask) -> list[str]:
    """What SQLite says about every statement that the question runs."""
    asked: list[str] = []
    with store.transaction() as connection:
        connection.set_trace_callback(asked.append)
        ask(store)
        connection.set_trace_callback(None)
        return [
            row[3]
            for sql in asked
            if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
            for row in connection.execute("EXPLAIN QUERY PLAN " + sql)
        ]


QUESTIONS: dict[str, tuple[Ask, str]] = {
    "the record with a number": (
        lambda store: store.records.find_by("invoice", "stripe", "number", "INV-1"),
        "invoice_number (system=? AND number=?)",
    ),
    "the record with an e-mail address": (
        lambda store: store.records.find_by("customer", "stripe", "email", "a@x.com"),
        "customer_email (system=? AND <expr>=?)",
    ),
    "who holds an id of ours": (
        lambda store: store.records.external("customer", "stripe", "tieout", "k1"),
        "(system=? AND entity=? AND name=? AND value=?)",
    ),
    "an operation by its key": (
        lambda store: store.outbox.by_key("k1"),
        "(key=?)",
    ),
    "the latest write of a link": (
        lambda store: store.outbox.latest("l1", "invoice", "netsuite"),
        "outbox_link (link=? AND entity=? AND target=?)",
    ),
    "the writes of a link": (
        lambda store: store.outbox.list(entity="invoice", link="l1"),
        "outbox_link (link=? AND entity=?)",
    ),
    "what waits for a target, in order": (
        lambda store: store.outbox.claim("netsuite"),
        "outbox_state (state=? AND target=?)",
    ),
    "an older open write of a claimed one": (
        lambda store: store.outbox.claim("netsuite"),
        "outbox_link (link=? AND entity=? AND target=? AND position<?)",
    ),
    "how many wait for a target": (
        lambda store: store.outbox.counts("netsuite"),
        "COVERING INDEX outbox_state (state=? AND target=?)",
    ),
    "what was written since yesterday": (
        lambda store: store.outbox.confirmed_between(store.db.ports.now(), store.db.ports.now()),
        "outbox_settled (state=? AND settled_at>? AND settled_at<?)",
    ),
    "how many records of a system are linked": (
        lambda store: store.links.count("invoice", "netsuite"),
        "(entity=? AND system=?)",
    ),
    "who belongs to some links": (
        lambda store: store.links.members_many("invoice", ["l1", "l2"]),
        "links_link (entity=? AND link=?)",
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_index_answers(store: Store, question: str) -> None:
    ask, index = QUESTIONS[question]
    told = query_plan(store, ask)
    assert any(index in step for step in told), told


def test_a_claim_reads_in_order_and_stops_at_its_limit(store: Store) -> None:
    told = query_plan(store, lambda store: store.outbox.claim("netsuite", limit=20))
    assert not [step for step in told if "TEMP B-TREE" in step or step.startswith("SCAN o")], told


def test_matches_come_in_order_of_id(store: Store) -> None:
    rows = [
        Incoming(ENTITIES["invoice"](system="stripe", id=id, number="INV-1"), b"{}", 1)  # type: ignore[call-arg]
        for id in ("in_3", "in_1", "in_2")
    ]
    store.records.put("invoice", rows, run="r")
    assert store.records.find_by("invoice", "stripe", "number", "INV-1") == ["in_1", "in_2", "in_3"]


def draft(
    number: int, *, link: str = "l1", target: str = "netsuite", action: str = "update"
) -> Draft:
    return Draft(key=f"k{number}", target=target, entity="invoice", action=action, link=link)


def test_the_latest_write_is_the_last_of_however_many(store: Store) -> None:
    store.outbox.put([draft(number) for number in range(150)])
    store.outbox.put([draft(150, link="l2"), draft(151, target="stripe")])
    latest = store.outbox.latest("l1", "invoice", "netsuite")
    assert latest is not None and latest.key == "k149"
    assert store.outbox.latest("l3", "invoice", "netsuite") is None


def take_place(store: Store) -> Operation:
    (operation,) = store.outbox.claim(limit=1)
    store.outbox.mark_sent(operation)
    store.outbox.confirm(operation, "1")
    return operation


def test_writes_are_counted_by_when_they_took_place(store: Store, clock: Any) -> None:
    store.outbox.put([draft(1, action="create"), draft(2), draft(3), draft(4)])
    start = clock.now()
    take_place(store)  # at 0 h
    clock.advance(3600)
    take_place(store)  # at 1 h
    take_place(store)
    clock.advance(3600)
    (waiting,) = store.outbox.list("pending")
    store.outbox.reject(waiting, "refused")
    hour = timedelta(hours=1)
    assert store.outbox.confirmed_between(start, start + 2 * hour) == {
        ("netsuite", "invoice", "create"): 1,
        ("netsuite", "invoice", "update"): 2,
    }
    later = store.outbox.confirmed_between(start + hour, start + 2 * hour)
    assert later == {("netsuite", "invoice", "update"): 2}


def test_members_of_many_links(store: Store) -> None:
    one = store.links.make("invoice", [("stripe", "in_1"), ("netsuite", "7")], "same number")
    two = store.links.make("invoice", [("stripe", "in_3"), ("stripe", "in_2")], "by hand")
    assert store.links.members_many("invoice", [one, two, "l0"]) == {
        one: {"netsuite": ["7"], "stripe": ["in_1"]},
        two: {"stripe": ["in_2", "in_3"]},
    }
    assert store.links.members_many("customer", [one]) == {}


def test_marks_are_settled_by_place(store: Store) -> None:
    store.marks.add("f", "invoice", ["1", "2"], system="a")
    store.marks.add("f", "invoice", ["1"], system="b")
    store.marks.add("g", "invoice", ["1"], system="a")
    assert store.marks.settle("f", "invoice", [("a", "1"), ("b", "1"), ("b", "9")]) == 2
    assert [(mark.system, mark.id) for mark in store.marks.take("f")] == [("a", "2")]
    assert store.marks.count("g") == 1
    assert store.marks.settle("f", "invoice", []) == 0


def test_the_name_of_the_table_of_steps_is_that_of_sqlite_utils() -> None:
    assert Migrations("tieout").migrations_table == TAKEN  # spelt out to spare an import
