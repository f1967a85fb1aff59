"""Records, their history and their raw bytes: the contract every backend keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from tieout.core.entities import ENTITIES, Customer, Invoice, Line, Record
from tieout.core.errors import ConfigError
from tieout.store import Incoming, Store
from tieout.store.schema import columns

T1 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
T2 = datetime(2026, 1, 6, 11, 30, 15, 250000, tzinfo=UTC)


def invoice(id: str = "in_1", **fields: Any) -> Invoice:
    told: dict[str, Any] = {
        "system": "stripe",
        "id": id,
        "number": "A-" + id,
        "customer_id": "cus_1",
        "status": "open",
        "currency": "USD",
        "total_minor": 1250,
        "balance_minor": 1250,
    }
    return Invoice(**(told | fields))


def put(store: Store, *records: Record, seq: int = 1, raw: bytes = b"{}", version: str = "m1"):
    entity = str(type(records[0]).__struct_config__.tag)
    rows = [Incoming(record, raw, seq, version) for record in records]
    return store.records.put(entity, rows, run="run-1")


def test_a_new_record_comes_back_as_it_was(store: Store) -> None:
    record = invoice(
        created_at=T1,
        updated_at=T2,
        url="https://dashboard.example/in_1",
        external_ids={"netsuite": "77"},
        custom={"rate": Decimal("0.10"), "seats": 3, "vip": True, "note": None},
        issued_on=date(2026, 1, 5),
        lines=(Line(id="il_1", unit_amount="0.0125", amount_minor=1250, period_start_at=T1),),
    )
    changes = put(store, record, raw=b'{"id": "in_1"}')
    assert (changes.new, changes.changed, changes.unchanged, changes.stale) == (["in_1"], [], 0, 0)
    assert store.records.get("invoice", "stripe", "in_1") == record
    assert store.records.raw("invoice", "stripe", "in_1") == b'{"id": "in_1"}'
    assert store.records.get("invoice", "stripe", "in_2") is None
    assert store.records.get("invoice", "netsuite", "in_1") is None


def test_columns_hold_what_the_documentation_says(store: Store) -> None:
    put(store, invoice(paid_at=T2, issued_on=date(2026, 1, 5), lines=(Line(id="l"),)))
    row = store.db.row("SELECT total_minor, deleted, paid_at, issued_on, memo FROM invoice")
    assert row == (1250, 0, "2026-01-06T11:30:15.250000Z", "2026-01-05", None)
    lines = msgspec.json.decode(store.db.value("SELECT lines FROM invoice"))
    assert [line["id"] for line in lines] == ["l"]


def test_the_same_again_changes_nothing(store: Store) -> None:
    put(store, invoice(), invoice("in_2"))
    changes = put(store, invoice(), invoice("in_2", total_minor=99), seq=2)
    assert (changes.new, changes.changed, changes.unchanged) == ([], ["in_2"], 1)
    assert len(store.records.history("invoice", "stripe", "in_1")) == 1
    assert [v.record.total_minor for v in store.records.history("invoice", "stripe", "in_2")] == [
        1250,
        99,
    ]


def test_order_of_custom_fields_is_no_change(store: Store) -> None:
    put(store, invoice(custom={"a": 1, "b": 2}))
    assert put(store, invoice(custom={"b": 2, "a": 1}), seq=2).unchanged == 1


def test_a_new_clock_or_new_bytes_alone_make_no_version_but_are_kept(store: Store) -> None:
    put(store, invoice(updated_at=T1), raw=b"old")
    changes = put(store, invoice(updated_at=T2), raw=b"new", seq=2)
    assert (changes.changed, changes.unchanged) == ([], 1)
    kept = store.records.get("invoice", "stripe", "in_1")
    assert kept is not None and kept.updated_at == T2
    assert store.records.raw("invoice", "stripe", "in_1") == b"new"
    assert len(store.records.history("invoice", "stripe", "in_1")) == 1


def test_an_older_fetch_never_wins(store: Store) -> None:
    put(store, invoice(status="paid"), seq=20)
    changes = put(store, invoice(status="open"), seq=10)
    assert (changes.changed, changes.stale) == ([], 1)
    kept = store.records.get("invoice", "stripe", "in_1")
    assert isinstance(kept, Invoice) and kept.status == "paid"


def test_an_unchanged_fetch_still_outdates_what_was_asked_before_it(store: Store) -> None:
    put(store, invoice(status="open"), seq=1)
    put(store, invoice(status="open"), seq=30)
    assert put(store, invoice(status="draft"), seq=20).stale == 1


def test_of_an_id_twice_in_a_page_the_latest_counts(store: Store) -> None:
    rows = [
        Incoming(invoice(total_minor=n), b"{}", seq, "m") for n, seq in [(1, 5), (2, 7), (3, 6)]
    ]
    changes = store.records.put("invoice", rows, run="r")
    assert (changes.new, changes.stale) == (["in_1"], 2)
    kept = store.records.get("invoice", "stripe", "in_1")
    assert isinstance(kept, Invoice) and kept.total_minor == 2


def test_an_empty_page_does_nothing(store: Store) -> None:
    assert store.records.put("invoice", [], run="r").new == []


def test_history_says_when_and_by_which_run(store: Store, clock) -> None:
    put(store, invoice())
    clock.advance(3600)
    store.records.put("invoice", [Incoming(invoice(memo="x"), b"{}", 2, "m")], run="run-2")
    first, second = store.records.history("invoice", "stripe", "in_1")
    assert (first.version, first.cause, first.known_at.hour) == (1, "run-1", 8)
    assert (second.version, second.cause, second.known_at.hour) == (2, "run-2", 9)
    assert isinstance(second.record, Invoice) and second.record.memo == "x"
    assert first.hash != second.hash


def test_deleted_records_stay_with_a_version_and_may_come_back(store: Store) -> None:
    put(store, invoice(), invoice("in_2"), raw=b"kept")
    assert store.records.delete("invoice", "stripe", ["in_1", "in_9"], seq=2, run="r") == ["in_1"]
    assert store.records.delete("invoice", "stripe", ["in_1"], seq=3, run="r") == []
    gone = store.records.get("invoice", "stripe", "in_1")
    assert gone is not None and gone.deleted
    assert store.records.raw("invoice", "stripe", "in_1") == b"kept"
    assert store.db.value("SELECT deleted_at FROM invoice WHERE id = 'in_1'").startswith("2026-01")
    assert store.records.find_by("invoice", "stripe", "number", "A-in_1") == []
    assert put(store, invoice(), seq=4).changed == ["in_1"]
    alive = store.records.get("invoice", "stripe", "in_1")
    assert alive is not None and not alive.deleted
    assert store.db.value("SELECT deleted_at FROM invoice WHERE id = 'in_1'") is None
    assert len(store.records.history("invoice", "stripe", "in_1")) == 3


def test_a_slower_older_answer_does_not_bring_the_dead_to_life(store: Store) -> None:
    store.records.delete("invoice", "stripe", ["in_1"], seq=10, run="r")  # never seen before
    assert put(store, invoice(), seq=5).stale == 1
    assert store.records.count("invoice", "stripe", where={"deleted": [False]}) == 0
    assert put(store, invoice(), seq=11).changed == ["in_1"]


def test_after_a_full_pull_the_unseen_are_known(store: Store) -> None:
    put(store, *(invoice(f"in_{n}") for n in range(5)), seq=1)
    put(store, invoice("in_1"), invoice("in_3", memo="new"), seq=8)
    assert store.records.unseen_since("invoice", "stripe", 8) == ["in_0", "in_2", "in_4"]
    assert store.records.unseen_since("invoice", "stripe", 8, after="in_2", limit=1) == ["in_4"]


def test_records_of_another_mapping_version_are_listed_with_their_bytes(store: Store) -> None:
    put(store, invoice("in_1"), invoice("in_2"), raw=b"a", version="m1")
    put(store, invoice("in_2"), raw=b"a", version="m2", seq=2)
    assert store.records.outdated("invoice", "stripe", "m2") == [("in_1", b"a", 1)]
    store.records.delete("invoice", "stripe", ["in_1"], seq=3, run="r")
    assert store.records.outdated("invoice", "stripe", "m2") == []


def test_a_scan_walks_in_order_over_many_pages(store: Store) -> None:
    put(store, *(invoice(f"in_{n:04d}", status="paid" if n % 2 else None) for n in range(1203)))
    ids = [record.id for record in store.records.scan("invoice", "stripe")]
    assert ids == [f"in_{n:04d}" for n in range(1203)]
    assert [r.id for r in store.records.scan("invoice", "stripe", after="in_1200")] == [
        "in_1201",
        "in_1202",
    ]
    assert len(list(store.records.scan("invoice", "stripe", limit=501))) == 501
    paid = store.records.scan("invoice", "stripe", where={"status": ["paid", "void"]})
    assert len(list(paid)) == 601
    assert store.records.count("invoice", "stripe", where={"status": [None]}) == 602
    assert store.records.count("invoice", "stripe", where={"status": []}) == 0
    assert len(store.records.many("invoice", "stripe", ids)) == 1203


def test_a_filter_by_an_unknown_field_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="no field"):
        store.records.count("invoice", "stripe", where={"1=1; --": [1]})
    with pytest.raises(ConfigError, match="cannot be matched"):
        store.records.find_by("invoice", "stripe", "memo", "x")
    with pytest.raises(ConfigError, match="no entity"):
        store.records.unseen_since("sqlite_master", "stripe", 1)


def test_match_fields_find_living_records(store: Store) -> None:
    put(
        store,
        Customer(system="crm", id="1", email="Ada@Example.com", tax_id="DE1", name="Ada"),
        Customer(system="crm", id="2", email="ada@example.COM", name="ada"),
        Customer(system="crm", id="3", email="x@example.com"),
    )
    assert store.records.find_by("customer", "crm", "email", "ADA@example.com") == ["1", "2"]
    assert store.records.find_by("customer", "crm", "name", "Ada") == ["1"]
    assert store.records.find_by("customer", "crm", "tax_id", "DE1") == ["1"]
    assert store.records.find_by("customer", "other", "tax_id", "DE1") == []


def test_lookups_use_an_index(store: Store) -> None:
    from tieout.store.records import _external, _find

    for sql, values in [
        (_find("customer", "email"), ("crm", "a")),
        (_find("invoice", "number"), ("s", "a")),
        (_external("invoice"), ("invoice", "s", "n", "v")),
    ]:
        steps = [row[3] for row in store.db.rows("EXPLAIN QUERY PLAN " + sql, values)]
        assert not any(step.startswith("SCAN") for step in steps), steps


def test_external_ids_are_found_and_follow_changes(store: Store) -> None:
    put(store, invoice(external_ids={"netsuite": "77", "tieout": "k1"}))
    assert store.records.external("invoice", "stripe", "netsuite", "77") == ["in_1"]
    put(store, invoice(external_ids={"netsuite": "78"}), seq=2)
    assert store.records.external("invoice", "stripe", "netsuite", "77") == []
    assert store.records.external("invoice", "stripe", "netsuite", "78") == ["in_1"]
    assert store.records.external("invoice", "stripe", "tieout", "k1") == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"total_minor": 2**63}, "9223372036854775807"),
        ({"memo": "half a \ud83d pair"}, "surrogates"),
        ({"memo": "nul \0 in text"}, "NUL"),
        ({"custom": {"x": Decimal("NaN")}}, "cannot be stored"),
        ({"paid_at": datetime(2026, 1, 1)}, "not given in UTC"),
    ],
)
def test_what_no_column_can_hold_is_set_aside_and_the_page_goes_on(
    store: Store, fields: dict[str, Any], reason: str
) -> None:
    changes = put(store, invoice("bad", **fields), invoice("good"), raw=b"bytes")
    assert (changes.new, changes.refused) == (["good"], ("bad",))
    (aside,) = store.quarantine.list()
    assert (aside.id, aside.raw) == ("bad", b"bytes")
    assert reason in aside.reason
    assert put(store, invoice("bad"), seq=2).new == ["bad"]
    assert store.quarantine.count() == 0


def test_text_that_only_looks_like_a_nul_is_kept(store: Store) -> None:
    put(store, invoice(memo="a literal \\u0000 and \\"))
    kept = store.records.get("invoice", "stripe", "in_1")
    assert isinstance(kept, Invoice) and kept.memo == "a literal \\u0000 and \\"


def test_the_largest_amount_is_exact(store: Store) -> None:
    put(store, invoice(total_minor=2**63 - 1, balance_minor=-(2**53) - 1))
    kept = store.records.get("invoice", "stripe", "in_1")
    assert isinstance(kept, Invoice)
    assert (kept.total_minor, kept.balance_minor) == (2**63 - 1, -(2**53) - 1)


def filled(hint: Any) -> Any:
    """Some value of a field's type, never its default."""
    parts = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    kind = next(part for part in parts if part is not type(None))
    origin = get_origin(kind)
    if origin is Literal:
        return get_args(kind)[-1]
    if origin is tuple:
        return (filled(get_args(kind)[0]),) * 2
    if origin is dict:
        return {"k": "v"}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{name: filled(inner) for name, inner in get_type_hints(kind).items()})
    return {str: "té\"xt'", int: -7, bool: True, datetime: T2, date: date(2026, 2, 28)}[kind]


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_field_of_every_entity_survives(store: Store, entity: str) -> None:
    kind = ENTITIES[entity]
    hints = {k: v for k, v in get_type_hints(kind).items() if not k.startswith("_")}
    full = kind(**{name: filled(hints[name]) for name in kind.__struct_fields__})
    bare = kind(system=full.system, id="bare")
    assert put(store, full, bare).new == [full.id, "bare"]
    assert store.records.get(entity, full.system, full.id) == full
    assert store.records.get(entity, full.system, "bare") == bare
    assert store.records.history(entity, full.system, full.id)[0].record == full
    assert {column.name for column in columns(entity)} == set(kind.__struct_fields__)


def test_an_older_state_read_later_does_not_come_back(store: Store) -> None:
    """A list that lags behind; the provider's own revision tells which state is the newer."""

    def read(total: int, seq: int, revision: int | None) -> int:
        row = Incoming(invoice(total_minor=total), b"{}", seq, "m1", revision)
        return store.records.put("invoice", [row], run="r").stale

    assert read(100, seq=1, revision=1700000000001) == 0
    assert read(200, seq=2, revision=1700000000005) == 0
    assert read(100, seq=3, revision=1700000000001) == 1
    assert read(300, seq=4, revision=1700000000005) == 0  # the same one: read later counts
    assert read(400, seq=5, revision=None) == 0
    assert read(100, seq=6, revision=1700000000004) == 1
    record = store.records.get("invoice", "stripe", "in_1")
    assert isinstance(record, Invoice) and record.total_minor == 400
