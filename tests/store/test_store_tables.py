"""Links, cursors, marks, plans, outbox, runs, audit: the contract every backend keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest

from tieout.core.entities import Customer
from tieout.core.errors import Conflict, NotFound, StopRun
from tieout.store import Draft, Incoming, Planned, Store

T1 = datetime(2026, 1, 1, tzinfo=UTC)
T2 = datetime(2026, 1, 2, tzinfo=UTC)


def customers(store: Store, system: str, *ids: str) -> None:
    rows = [Incoming(Customer(system=system, id=id), b"{}", 1, "m") for id in ids]
    store.records.put("customer", rows, run="r")


# -- links --------------------------------------------------------------------------------------


def test_a_link_is_seen_from_every_side(store: Store) -> None:
    link = store.links.make("customer", [("stripe", "cus_1"), ("netsuite", "7")], "same e-mail")
    assert store.links.of("customer", "stripe", "cus_1") == link
    assert store.links.of("invoice", "stripe", "cus_1") is None
    assert store.links.members("customer", link) == {"netsuite": ["7"], "stripe": ["cus_1"]}
    assert store.links.other("customer", "netsuite", "7", "stripe") == "cus_1"
    assert store.links.other("customer", "netsuite", "7", "crm") is None
    assert store.links.list("customer", "netsuite")[0].reason == "same e-mail"
    assert (store.links.count(), store.links.count(system="stripe")) == (2, 1)


def test_ids_translate_in_bulk(store: Store) -> None:
    for n in range(1200):
        if n % 2:
            store.links.make("customer", [("stripe", f"c{n}"), ("netsuite", str(n))], "r")
    found = store.links.translate("customer", "stripe", [f"c{n}" for n in range(1200)], "netsuite")
    assert len(found) == 600 and found["c7"] == "7"
    many = store.links.of_many("customer", "stripe", [f"c{n}" for n in range(1200)])
    assert len(many) == 600


def test_a_record_has_one_link_only(store: Store) -> None:
    link = store.links.make("customer", [("stripe", "cus_1")], "r")
    store.links.add("customer", link, "stripe", "cus_1", "again")  # twice is once
    with pytest.raises(Conflict, match=link):
        store.links.make("customer", [("netsuite", "7"), ("stripe", "cus_1")], "r")
    assert store.links.of("customer", "netsuite", "7") is None  # nothing half made


def test_unlinking_forgets_what_was_agreed(store: Store) -> None:
    link = store.links.make("customer", [("stripe", "cus_1"), ("netsuite", "7")], "r")
    store.base.put(link, "netsuite", {"name": "Ada"})
    assert store.links.unlink("customer", "netsuite", "7") == link
    assert store.base.get(link, "netsuite") is None
    assert store.links.unlink("customer", "netsuite", "7") is None


def test_merging_moves_all_members(store: Store) -> None:
    kept = store.links.make("customer", [("stripe", "cus_1")], "r")
    gone = store.links.make("customer", [("netsuite", "7"), ("netsuite", "8")], "r")
    store.links.merge("customer", kept, gone, "by hand")
    assert store.links.members("customer", kept) == {"stripe": ["cus_1"], "netsuite": ["7", "8"]}
    assert store.links.members("customer", gone) == {}
    assert store.links.other("customer", "stripe", "cus_1", "netsuite") == "7"


def test_unlinked_records_are_walked_in_order(store: Store) -> None:
    customers(store, "stripe", *(f"c{n:04d}" for n in range(1100)))
    store.links.make("customer", [("stripe", "c0003")], "r")
    store.records.delete("customer", "stripe", ["c0005"], seq=2, run="r")
    ids = list(store.links.unlinked("customer", "stripe"))
    assert len(ids) == 1098 and not {"c0003", "c0005"} & set(ids)
    assert list(store.links.unlinked("customer", "stripe", after="c0001", limit=2)) == [
        "c0002",
        "c0004",
    ]


def test_a_judged_candidate_keeps_its_verdict(store: Store) -> None:
    pair = (("stripe", "cus_1"), ("netsuite", "7"))
    id = store.candidates.put("customer", *pair, "same name", {"score": Decimal("0.8")})
    assert store.candidates.put("customer", *pair, "same name and city") == id
    assert [c.reason for c in store.candidates.list()] == ["same name and city"]
    assert store.candidates.resolve(id, "refused", "ada").left == ("stripe", "cus_1")
    store.candidates.put("customer", *pair, "once more")
    assert store.candidates.count() == 0
    with pytest.raises(NotFound):
        store.candidates.resolve("nope", "linked", "ada")


# -- base, cursors, marks -----------------------------------------------------------------------


def test_base_gives_back_plain_values(store: Store) -> None:
    assert store.base.get("l1", "netsuite") is None
    fields = {"name": "Ada", "total_minor": 10**15, "rate": Decimal("0.10"), "memo": None}
    store.base.put("l1", "netsuite", fields)
    assert store.base.get("l1", "netsuite") == fields
    store.base.put("l1", "netsuite", {"name": "Eve"})
    assert store.base.many(["l1", "l2"], "netsuite") == {"l1": {"name": "Eve"}}


def test_a_pull_goes_on_at_its_page_and_ends_with_its_start(store: Store) -> None:
    store.cursors.start("stripe", "invoice", None, T1, True, seq=5)
    store.cursors.page("stripe", "invoice", "page-2")
    cursor = store.cursors.get("stripe", "invoice")
    assert cursor is not None and cursor.open and cursor.full
    assert (cursor.resume, cursor.pages, cursor.since, cursor.window_seq) == ("page-2", 1, None, 5)
    store.cursors.finish("stripe", "invoice")
    store.cursors.start("stripe", "invoice", T1, T2, False)
    cursor = store.cursors.get("stripe", "invoice")
    assert cursor is not None and (cursor.since, cursor.window_since) == (T1, T1)
    assert (cursor.resume, cursor.full) == ("", False)
    store.cursors.finish("stripe", "invoice")
    cursor = store.cursors.get("stripe", "invoice")
    assert cursor is not None and cursor.since == T2 and not cursor.open


def test_a_page_without_a_pull_is_refused(store: Store) -> None:
    assert store.cursors.get("stripe", "invoice") is None
    with pytest.raises(StopRun, match="no pull"):
        store.cursors.page("stripe", "invoice", "x")


def test_a_mark_set_again_meanwhile_survives(store: Store) -> None:
    store.marks.add("flow", "customer", ["l1", "l2"])
    taken = store.marks.take("flow")
    store.marks.add("flow", "customer", ["l2"])
    store.marks.done(taken)
    assert [mark.id for mark in store.marks.take("flow")] == ["l2"]


def test_a_generation_is_never_used_twice(store: Store) -> None:
    store.marks.add("flow", "customer", ["l1"])
    (old,) = store.marks.take("flow")
    store.marks.done([old])
    store.marks.add("flow", "customer", ["l1"])
    store.marks.done([old])  # a late worker
    assert store.marks.count("flow") == 1


def test_marks_come_in_order_and_in_parts(store: Store) -> None:
    changes = store.records.put(
        "customer", [Incoming(Customer(system="s", id=i), b"", 1, "m") for i in "cab"], run="r"
    )
    assert store.marks.add_for_changed("flow", "customer", "s", changes) == 3
    store.marks.add("flow", "customer", ["link"])
    first = store.marks.take("flow", limit=2)
    rest = store.marks.take("flow", after=first[-1])
    assert [(m.system, m.id) for m in first + rest] == [
        ("", "link"), ("s", "a"), ("s", "b"), ("s", "c"),
    ]  # fmt: skip
    assert store.marks.take("other") == []


# -- plans --------------------------------------------------------------------------------------


def test_a_plan_keeps_its_decisions_in_order(store: Store) -> None:
    made = (
        Planned("f", "customer", "netsuite", "create" if n % 3 else "skip", f"r{n}", body={"n": n})
        for n in range(1201)
    )
    plan = store.plans.save("p1", made, run="run-1", details={"flows": ["f"]})
    assert plan.counts == {"skip": 401, "create": 800} and plan.state == "open"
    decisions = list(store.plans.decisions("p1"))
    assert [d.body["n"] for d in decisions] == list(range(1201))
    assert len(list(store.plans.decisions("p1", action="skip"))) == 401
    assert [d.position for d in store.plans.decisions("p1", after=1199)] == [1200, 1201]


def test_a_newer_plan_supersedes_an_open_one(store: Store, clock) -> None:
    store.plans.save("p1", [])
    clock.advance(1)
    store.plans.save("p2", [])
    assert store.plans.get("p1").state == "superseded"
    store.plans.mark("p2", "applied")
    latest = store.plans.latest()
    assert latest is not None and (latest.id, latest.state) == ("p2", "applied")
    assert latest.applied_at is not None
    assert store.plans.latest("open") is None
    with pytest.raises(NotFound):
        store.plans.get("p9")


def test_a_plan_is_whole_or_not_there(store: Store) -> None:
    def failing():
        yield Planned("f", "customer", "netsuite", "create", "r")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.plans.save("p1", failing())
    assert store.plans.list() == []


# -- outbox -------------------------------------------------------------------------------------


def draft(key: str, link: str | None = None, target: str = "netsuite") -> Draft:
    return Draft(key, target, "customer", "create", {"name": "Ada"}, link=link, plan="p1")


def test_a_write_goes_its_way(store: Store) -> None:
    (id,) = store.outbox.put([draft("k1", "l1")])
    assert store.outbox.put([draft("k1", "l1")]) == [id]  # the key makes it once
    (claimed,) = store.outbox.claim("netsuite")
    assert (claimed.id, claimed.state, claimed.attempt, claimed.body) == (
        id, "pending", 1, {"name": "Ada"},
    )  # fmt: skip
    store.outbox.mark_sent(claimed)
    store.outbox.confirm(claimed, "77")
    done = store.outbox.get(id)
    assert (done.state, done.record_id) == ("confirmed", "77")
    assert done.sent_at is not None and done.settled_at is not None
    assert store.outbox.pending_count() == 0
    assert store.outbox.counts() == {"confirmed": 1}


def test_claims_keep_order_and_one_write_a_record(store: Store) -> None:
    store.outbox.put([draft("k1", "l1"), draft("k2", "l1"), draft("k3", "l2"), draft("k4")])
    first = store.outbox.claim("netsuite")
    assert [op.key for op in first] == ["k1", "k3", "k4"]
    assert store.outbox.claim("netsuite") == []  # leased
    store.outbox.mark_sent(first[0])
    store.outbox.unknown(first[0], "timed out")
    assert store.outbox.claim("netsuite") == []  # k2 waits until k1 is known
    store.outbox.confirm(first[0])
    assert [op.key for op in store.outbox.claim("netsuite")] == ["k2"]


def test_claims_keep_to_their_target_and_plan(store: Store) -> None:
    store.outbox.put([draft("k1"), draft("k2", target="crm")])
    assert store.outbox.claim("crm", plan="p9") == []
    assert [op.key for op in store.outbox.claim("crm", plan="p1")] == ["k2"]
    assert store.outbox.pending_count("crm") == 1


def test_a_holder_whose_lease_ran_out_is_fenced(store: Store, clock) -> None:
    store.outbox.put([draft("k1")])
    (slow,) = store.outbox.claim(lease_seconds=60)
    clock.advance(59)
    assert store.outbox.claim() == []
    clock.advance(1)
    (quick,) = store.outbox.claim()
    with pytest.raises(Conflict, match="attempt 2"):
        store.outbox.mark_sent(slow)
    store.outbox.mark_sent(quick)
    with pytest.raises(Conflict):
        store.outbox.mark_sent(quick)
    store.outbox.reject(quick, "no such subsidiary")
    assert store.outbox.get(quick.id).error == "no such subsidiary"


def test_a_released_write_waits_until_it_is_due(store: Store, clock) -> None:
    store.outbox.put([draft("k1")])
    (op,) = store.outbox.claim()
    store.outbox.release(op, "429", due_at=clock.now() + timedelta(seconds=30))
    assert store.outbox.claim() == []
    clock.advance(30)
    assert [one.attempt for one in store.outbox.claim()] == [2]


def test_after_a_crash_what_was_sent_is_unknown(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.outbox.put([draft("k1"), draft("k2")])
    sent, _ = store.outbox.claim()
    store.outbox.mark_sent(sent)
    store.close()
    store = reopen()
    assert store.outbox.strand() == 1
    assert store.outbox.get(sent.id).state == "unknown"
    assert [op.key for op in store.outbox.claim()] == ["k2"]
    (lost,) = store.outbox.list("unknown")
    store.outbox.confirm(lost, "77")
    assert store.outbox.get(sent.id).state == "confirmed"


def test_a_person_retries_and_discards(store: Store) -> None:
    store.outbox.put([draft("k1"), draft("k2")])
    one, two = store.outbox.claim()
    store.outbox.mark_sent(one)
    store.outbox.reject(one, "no")
    with pytest.raises(Conflict):
        store.outbox.discard(two.id, "held by a worker now")
    store.outbox.retry(one.id)
    assert [op.key for op in store.outbox.claim()] == ["k1"]
    store.outbox.release(two)
    store.outbox.discard(two.id, "typed by hand meanwhile")
    assert store.outbox.get(two.id).state == "discarded"
    with pytest.raises(NotFound):
        store.outbox.retry("nope")
    found = store.outbox.by_key("k2")
    assert found is not None and found.id == two.id
    assert [op.key for op in store.outbox.list(plan="p1", entity="customer")] == ["k1", "k2"]


def test_operations_of_one_link_are_listed(store: Store) -> None:
    store.outbox.put([draft("k1", "l1"), draft("k2", "l2"), draft("k3")])
    assert [op.key for op in store.outbox.list(link="l1")] == ["k1"]
    assert len(store.outbox.list()) == 3


# -- runs, quarantine, audit --------------------------------------------------------------------


def test_a_run_has_its_counts(store: Store, clock) -> None:
    id = store.runs.start("pull", {"system": "stripe"})
    store.runs.progress(id, {"pages": 1})
    clock.advance(5)
    store.runs.finish(id, "done", {"pages": 2})
    run = store.runs.show(id)
    assert (run.state, run.counts, run.details) == ("done", {"pages": 2}, {"system": "stripe"})
    assert run.finished_at is not None and run.finished_at - run.started_at == timedelta(seconds=5)
    crashed = store.runs.start("plan")
    assert store.runs.bury() == 1
    assert [(r.id, r.state) for r in store.runs.list()] == [(crashed, "died"), (id, "done")]
    with pytest.raises(NotFound):
        store.runs.show("nope")


def test_quarantine_counts_refusals(store: Store, clock) -> None:
    put = store.quarantine.put
    put("invoice", "stripe", "in_1", "no currency", b"a", "m1", "r1")
    clock.advance(60)
    put("invoice", "stripe", "in_1", "unknown status", b"b", "m2", "r2")
    put("invoice", "netsuite", "1", "half \ud83d", b"c", "m1", "r1")
    (other, aside) = store.quarantine.list()
    assert (aside.reason, aside.raw, aside.times, aside.run) == ("unknown status", b"b", 2, "r2")
    assert (aside.last_at - aside.first_at).seconds == 60
    assert other.reason == "half \\ud83d"
    assert store.quarantine.list(system="stripe", limit=1)[0].id == "in_1"
    assert store.quarantine.list(after=("netsuite", "invoice", "1"))[0].system == "stripe"
    store.quarantine.clear("invoice", "stripe", "in_1")
    assert (store.quarantine.count(), store.quarantine.count(system="stripe")) == (1, 0)


def trail(store: Store, length: int = 6) -> None:
    for n in range(length):
        store.audit.append("ada", "waive", f"break {n}", {"note": "ok"})


def test_an_honest_trail_verifies(store: Store) -> None:
    assert store.audit.verify() is None
    trail(store, 1203)
    assert store.audit.verify() is None
    assert store.audit.head()[0] == 1203
    newest = store.audit.list(limit=2)
    assert [entry.n for entry in newest] == [1203, 1202]
    assert (newest[0].actor, newest[0].details) == ("ada", {"note": "ok"})
    assert [entry.n for entry in store.audit.list(before=3)] == [2, 1]


@pytest.mark.parametrize("table", ["audit", "versions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET hash = x'00'", "DELETE FROM {}"])
def test_history_cannot_be_changed(store: Store, table: str, change: str) -> None:
    trail(store)
    customers(store, "stripe", "cus_1")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.db.write(change.format(table))


@pytest.mark.parametrize(
    ("tampering", "first_bad"),
    [
        ("UPDATE audit SET details = '{}' WHERE n = 3", 3),
        ("UPDATE audit SET actor = 'eve' WHERE n = 1", 1),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000Z' WHERE n = 6", 6),
        ("DELETE FROM audit WHERE n = 4", 4),
        ("DELETE FROM audit WHERE n = 1", 1),
        ("DELETE FROM audit WHERE n > 4", 5),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET n = CASE n WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE n IN (2, 3)", 2),
    ],
)
def test_tampering_is_found_at_the_first_bad_row(
    store: Store, tampering: str, first_bad: int
) -> None:
    trail(store)
    for trigger in ("audit_no_update", "audit_no_delete"):
        store.db.write("DROP TRIGGER " + trigger)
    store.db.write(tampering)
    store.db.write("UPDATE audit SET n = -n WHERE n < 0")
    assert store.audit.verify() == first_bad


def test_a_trail_sealed_anew_is_betrayed_by_a_head_noted_elsewhere(store: Store) -> None:
    trail(store, 3)
    noted = store.audit.head()
    assert store.audit.verify(noted) is None
    for trigger in ("audit_no_update", "audit_no_delete"):
        store.db.write("DROP TRIGGER " + trigger)
    store.db.write("DELETE FROM audit WHERE n = 3")
    store.db.write("UPDATE sequences SET value = 2 WHERE name = 'audit'")
    assert store.audit.verify() is None
    assert store.audit.verify(noted) == 3
    store.audit.append("eve", "nothing", "happened")
    assert store.audit.verify() is None
    assert store.audit.verify(noted) == 3


def test_a_seal_is_sha256_of_the_previous_and_the_row(store: Store, clock) -> None:
    store.audit.append("ada", "waive", "break 1", {"b": 1, "a": "é"})
    row = '[1,"2026-01-31T08:00:00.000Z","ada","waive","break 1","{\\"a\\":\\"é\\",\\"b\\":1}"]'
    assert store.audit.head() == (1, sha256(bytes(32) + row.encode()).hexdigest())
