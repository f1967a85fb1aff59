"""One pure decision: a truth table, and a property that nothing is ever written twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.sync.decide import UNLINKED, Action, Policy, decide

FLAG = Policy(frozenset({"name", "email"}), flag_clashes=True)
OWNER = Policy(frozenset({"name", "email"}), flag_clashes=False)
DOCUMENT = Policy(frozenset({"total"}), document=True)
COMPARE = Policy(frozenset({"name"}), creates=False)

A, B, C = {"name": "a"}, {"name": "b"}, {"name": "c"}

TABLE: list[tuple[str, Any, Any, Any, Policy, Action, dict[str, Any], dict[str, Any]]] = [
    # what happened, golden, base, actual, policy -> action, write, contested
    ("new", A, None, None, FLAG, Action.CREATE, A, {}),
    ("new, compare only", A, None, None, COMPARE, Action.SKIP, {}, {}),
    ("first meeting, equal", A, None, A, FLAG, Action.SKIP, {}, {}),
    ("first meeting, differ", A, None, B, OWNER, Action.CONFLICT, {}, {"name": ("a", "b")}),
    ("first meeting, empty there", A, None, {"name": None}, OWNER, Action.UPDATE, A, {}),
    ("first meeting, empty here", {"name": None}, None, B, OWNER, Action.SKIP, {}, {}),
    ("owner changed", B, A, A, FLAG, Action.UPDATE, B, {}),
    ("owner emptied it", {"name": None}, A, A, FLAG, Action.UPDATE, {"name": None}, {}),
    ("they changed, owner wins", A, A, B, FLAG, Action.UPDATE, A, {}),
    ("both changed, flag", B, A, C, FLAG, Action.CONFLICT, {}, {"name": ("b", "c")}),
    ("both changed, owner", B, A, C, OWNER, Action.UPDATE, B, {}),
    ("both changed alike", B, A, B, FLAG, Action.SKIP, {}, {}),
    ("nothing changed", A, A, A, FLAG, Action.SKIP, {}, {}),
    ("not ours to send", {"phone": "1"}, {}, {"phone": "2"}, FLAG, Action.SKIP, {}, {}),
    (
        "a field new to the policy",
        A,
        {"email": "e"},
        B,
        OWNER,
        Action.CONFLICT,
        {},
        {"name": ("a", "b")},
    ),
    ("waits", {"name": UNLINKED}, None, None, FLAG, Action.WAIT, {}, {}),
    ("waits to update", {"name": UNLINKED}, A, A, FLAG, Action.WAIT, {}, {}),
    ("removed there", A, A, None, FLAG, Action.CONFLICT, {}, {}),
    ("gone here", None, A, A, FLAG, Action.ARCHIVE, {}, {}),
    ("gone on both sides", None, A, None, FLAG, Action.SKIP, {}, {}),
    ("document differs", {"total": 1}, None, {"total": 2}, DOCUMENT, Action.SKIP, {}, {}),
    ("document gone here", None, None, {"total": 2}, DOCUMENT, Action.SKIP, {}, {}),
    ("document new", {"total": 1}, None, None, DOCUMENT, Action.CREATE, {"total": 1}, {}),
]


@pytest.mark.parametrize(
    ("golden", "base", "actual", "policy", "action", "write", "contested"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_truth_table(
    golden: Any, base: Any, actual: Any, policy: Policy, action: Action, write: Any, contested: Any
) -> None:
    decision = decide(golden, base, actual, policy)
    assert (decision.action, decision.write, decision.contested) == (action, write, contested)
    assert decision.reason


values = st.sampled_from([None, "x", "y", "z"])
records = st.fixed_dictionaries({"name": values, "email": values})


@given(records, st.none() | records, st.none() | records, st.booleans())
def test_a_second_run_writes_nothing(golden: Any, base: Any, actual: Any, flag: bool) -> None:
    policy = Policy(frozenset({"name", "email"}), flag_clashes=flag)
    first = decide(golden, base, actual, policy)
    after = dict(actual or {}) | dict(first.write)
    agreed = dict(base or {}) | dict(first.agreed) | dict(first.write)
    if first.action in (Action.CREATE, Action.UPDATE):
        second = decide(golden, agreed, after, policy)
        assert second.action is Action.SKIP


@given(records, st.none() | records, records)
def test_only_fields_that_differ_are_ever_written(golden: Any, base: Any, actual: Any) -> None:
    decision = decide(golden, base, actual, FLAG)
    assert all(golden[name] != actual[name] for name in decision.write)
    assert all(golden[name] == actual[name] for name in decision.agreed)
    if decision.action is Action.CONFLICT:
        assert not decision.write
