"""The life of a break: found, handled by a person, gone, back again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tieout.core.errors import ConfigError, NotFound
from tieout.reconcile.breaks import Break, Difference
from tieout.store import Store
from tieout.store.breaks import Breaks, as_break

DAY = 24 * 60 * 60


@pytest.fixture
def breaks(store: Store) -> Breaks:
    return Breaks(store.db)


def one(left_id: str = "L1", **changes: Any) -> Break:
    told: dict[str, Any] = {
        "flow": "invoice a > b",
        "kind": "differs",
        "entity": "invoice",
        "left_system": "a",
        "right_system": "b",
        "left_id": left_id,
        "right_id": "R" + left_id,
        "link": "k1",
        "currency": "USD",
        "effect_minor": -150,
        "stake_minor": 150,
        "severity": "low",
        "differences": (Difference("total_minor", 100, 250), Difference("number", "N'1", None)),
        "cause": "digits transposed",
        "label": "N-1",
        "customer": "Ada",
        "dated": "2026-01-02",
        "left_url": "https://dashboard.stripe.com/invoices/1",
    }
    return Break(**(told | changes))


def file(breaks: Breaks, *found: Break, run: str = "run", **options: Any) -> Any:
    return breaks.record(run, found, flows=["invoice a > b"], **options)


def test_what_is_filed_comes_back_whole(breaks: Breaks) -> None:
    found = one(other_currency="EUR", other_minor=7)
    assert file(breaks, found).new == (found.fingerprint,)
    kept = breaks.get(found.fingerprint)
    assert as_break(kept) == found
    assert kept.fields[0] == {"name": "total_minor", "left": 100, "right": 250}
    assert (kept.state, kept.first_seen) == ("open", "2026-01-31T08:00:00.000Z")


def test_the_first_day_stays(breaks: Breaks, clock: Any) -> None:
    file(breaks, one())
    clock.advance(3 * DAY)
    again = file(breaks, one(effect_minor=-151, cause="rounding"))
    assert again.new == again.reopened == again.resolved == ()
    (kept,) = breaks.list()
    assert (kept.first_seen[:10], kept.last_seen[:10]) == ("2026-01-31", "2026-02-03")
    assert (kept.effect_minor, kept.cause) == (-151, "rounding")
    assert breaks.lives([kept.fingerprint])[kept.fingerprint].age_days(
        datetime(2026, 2, 3, 8, tzinfo=UTC)
    ) == 3  # fmt: skip


def test_what_is_gone_is_resolved_and_may_come_back(breaks: Breaks, clock: Any) -> None:
    file(breaks, one())
    assert file(breaks, run="second").resolved == (one().fingerprint,)
    kept = breaks.get(one().fingerprint)
    assert (kept.state, kept.resolved_by, kept.resolved_at) == (
        "resolved", "second", "2026-01-31T08:00:00.000Z",
    )  # fmt: skip
    assert file(breaks, run="third").resolved == ()
    clock.advance(DAY)
    assert file(breaks, one()).reopened == (one().fingerprint,)
    kept = breaks.get(one().fingerprint)
    assert (kept.state, kept.resolved_at, kept.first_seen[:10]) == ("open", None, "2026-01-31")


def test_other_flows_and_what_is_in_flight_are_left_alone(breaks: Breaks) -> None:
    file(breaks, one("L1"), one("L2"))
    breaks.record("r", [one("L3", flow="other")], flows=["other"])
    assert breaks.counts() == {"open": 3}
    file(breaks, one("L1"), in_flight=[one("L2").fingerprint])
    assert breaks.counts() == {"open": 3}


def test_what_a_person_said_survives_the_next_day(breaks: Breaks) -> None:
    file(breaks, one())
    breaks.change(one().fingerprint, state="acknowledged", note="asked the bank")
    breaks.change(one().fingerprint, assignee="ada@example.com")
    file(breaks, one(cause="another guess"))
    kept = breaks.get(one().fingerprint)
    assert (kept.state, kept.note, kept.assignee) == (
        "acknowledged", "asked the bank", "ada@example.com",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("today", "changes", "state"),
    [
        (date(2026, 2, 5), {}, "waived"),
        (date(2026, 2, 6), {}, "open"),
        (date(2026, 2, 1), {"effect_minor": -151}, "open"),
        (date(2026, 2, 1), {"stake_minor": 9_000}, "open"),
    ],
)
def test_a_waiver_holds_until_its_day_for_its_money(
    breaks: Breaks, today: date, changes: dict[str, Any], state: str
) -> None:
    file(breaks, one())
    breaks.change(one().fingerprint, state="waived", waived_until="2026-02-05", note="bank fee")
    file(breaks, one(**changes), today=today)
    kept = breaks.get(one().fingerprint)
    assert kept.state == state and kept.note == "bank fee"
    assert kept.waived_until == ("2026-02-05" if state == "waived" else None)


def test_a_waiver_needs_a_day_and_states_are_known(breaks: Breaks) -> None:
    file(breaks, one())
    for wrong in ({"state": "waived"}, {"state": "done"}, {"cause": "x"}):
        with pytest.raises(ConfigError):
            breaks.change(one().fingerprint, **wrong)
    with pytest.raises(NotFound):
        breaks.change("0" * 64, state="open")


def test_the_gravest_are_listed_first(breaks: Breaks) -> None:
    file(breaks, one("1", severity="low", stake_minor=9), one("2", severity="critical"),
         one("3", severity="low", stake_minor=10))  # fmt: skip
    assert [kept.left_id for kept in breaks.list()] == ["2", "3", "1"]
    assert [kept.left_id for kept in breaks.list(limit=1)] == ["2"]
    assert breaks.list(state="resolved") == breaks.list(entity="payment") == []


def test_finding_by_the_first_letters(breaks: Breaks) -> None:
    file(breaks, one("1"), one("2"))
    fingerprint = one("1").fingerprint
    assert [kept.left_id for kept in breaks.find(fingerprint[:12])] == ["1"]
    assert breaks.find("") == breaks.find("%") == breaks.find("xyz") == []


def test_breaks_of_a_record(breaks: Breaks) -> None:
    file(breaks, one("1"), one("2"))
    assert [kept.left_id for kept in breaks.of_record("invoice", "a", "1")] == ["1"]
    assert [kept.left_id for kept in breaks.of_record("invoice", "b", "R2")] == ["2"]
    assert breaks.of_record("payment", "a", "1") == []


def test_hostile_texts_are_kept_as_they_are(breaks: Breaks) -> None:
    evil = "x'); DROP TABLE breaks; --\n<b>\u202e"
    file(breaks, one(evil, cause=evil, label=evil, differences=(Difference(evil, evil, evil),)))
    (kept,) = breaks.list()
    assert kept.left_id == kept.cause == kept.details["label"] == evil


def test_amounts_beyond_a_column_stay_exact(breaks: Breaks) -> None:
    file(breaks, one(effect_minor=2**64, stake_minor=2**64))
    assert breaks.list()[0].effect_minor == 2**64
