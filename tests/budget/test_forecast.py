"""How long a pool lasts, worked out by hand; and how `tieout status` says it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from tieout.cli.calls import call_lines
from tieout.cli.main import cli
from tieout.core.allowance import State, hear
from tieout.core.budget import SECOND, News, Refused, Told
from tieout.core.forecast import standing
from tieout.core.pool import Pool
from tieout.core.ports import real_ports
from tieout.jobs.queries import shown
from tieout.store import open_store

DAY, SLICE = 86_400, 900  # a day is counted in slices of a quarter of an hour
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
CONFIG = """\
timezone: Europe/Berlin
systems:
  salesforce: {type: stripe, api_key: '${KEY}', entities: [customer]}
"""


def at(hours: int, minutes: int = 0) -> int:
    """Microseconds of the budget's clock, which begins at midnight here."""
    return (hours * 60 + minutes) * 60 * SECOND


def busy_day(*, recent: int = 1000, earlier: int = 5083) -> State:
    """At 15:45: so many calls since 14:45, and so many in the morning. 10,000 are allowed."""
    pool = Pool(0, 10_000, DAY, reserve=20)
    pool.slices = {at(8) // SLICE // SECOND: earlier, at(15) // SLICE // SECOND: recent}
    pool.total = recent + earlier
    return State(now=at(15, 45), systems=["salesforce"], pools={"day": pool})


def lines(state: State, now: datetime, zone: str = "UTC") -> list[str]:
    found = standing("salesforce:00D", state, MIDNIGHT + timedelta(microseconds=state.now), now)
    return call_lines([shown(found)], ZoneInfo(zone), now)


def test_it_lasts_until_the_calls_left_are_made_at_this_rate() -> None:
    """6,083 of 10,000 used; 8,000 may be: 1,917 are left, at 1,000 an hour 1 h 55 min 1 s."""
    now = MIDNIGHT + timedelta(hours=15, minutes=45)
    assert lines(busy_day(), now) == [
        "salesforce: 61 % of today's calls used, lasts until 17:40 at this rate"
        " (us 61 %, others 0 %; 20 % are left to others)"
    ]
    assert "until 18:40 at" in lines(busy_day(), now, "Europe/Berlin")[0]


def test_others_count_and_so_does_their_speed() -> None:
    """Told 2,000 at 15:00 and 2,500 at 15:30, of which we made none: 1,000 an hour. 5,500 left."""
    state = State(now=at(15), systems=["salesforce"], pools={"day": Pool(0, 10_000, DAY)})
    hear(state, at(15), News(told=(Told("day", 10_000, 2000),)))
    hear(state, at(15, 30), News(told=(Told("day", 10_000, 2500),)))
    found = standing(
        "c",
        state,
        MIDNIGHT + timedelta(microseconds=state.now),
        MIDNIGHT.replace(hour=15, minute=30),
    )
    (pool,) = found.pools
    assert (pool.by_us, pool.by_others, pool.used_percent, pool.per_hour) == (0, 2500, 25, 1000)
    assert pool.lasts_until == MIDNIGHT.replace(hour=21)


def test_slow_enough_for_the_window() -> None:
    """10 calls an hour, 1,907 left: that is more than a day."""
    now = MIDNIGHT + timedelta(hours=15, minutes=45)
    assert "used, lasts at this rate (" in lines(busy_day(recent=10), now)[0]


def test_nobody_calls() -> None:
    now = MIDNIGHT + timedelta(hours=20)
    assert "used, nobody calls now (" in lines(busy_day(), now)[0]


def test_a_pause_says_until_when() -> None:
    state = busy_day()
    hear(state, at(15, 46), News(refused=(Refused(at(15, 46), 14 * 60 * SECOND),)))
    told = lines(state, MIDNIGHT + timedelta(hours=15, minutes=47))
    assert told[1] == "salesforce: paused until 16:00: the provider wanted no more calls"
    assert "slower than usual" in lines(state, MIDNIGHT + timedelta(hours=16, minutes=1))[1]


def test_a_login_without_pools_has_a_line_too() -> None:
    state = State(systems=["stripe_eu", "stripe_us"], per_second="23")
    assert lines(state, MIDNIGHT) == [
        "stripe_eu and stripe_us: at most 23 calls a second, not paused"
    ]
    state.places, state.leases = 5, {"a": at(1), "b": at(1)}
    told = lines(state, MIDNIGHT)
    assert told == ["stripe_eu and stripe_us: 2 of 5 calls at once under way, not paused"]


def test_a_used_up_pool_says_when_it_goes_on() -> None:
    state = busy_day()
    state.pools["day"].used_up_until = at(18, 5)
    assert "used, paused until 18:05 (" in lines(state, MIDNIGHT.replace(hour=16))[0]


@pytest.mark.parametrize(
    ("used", "percent"), [(0, 0), (49, 0), (50, 1), (5050, 51), (9949, 99), (10_000, 100)]
)
def test_percents_are_rounded_to_the_nearest(used: int, percent: int) -> None:
    state = busy_day(recent=0, earlier=used)
    found = standing("c", state, MIDNIGHT, MIDNIGHT)
    assert found.pools[0].used_percent == percent


def test_status_shows_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    with open_store(tmp_path / "tieout.db", real_ports()) as store:
        store.budgets.tell("salesforce:00D", 0, News())
        state = busy_day()
        sql = "UPDATE budgets SET state = ? WHERE credential = 'salesforce:00D'"
        store.db.write(sql, (msgspec.json.encode(state).decode(),))
    words = ["--config", str(tmp_path / "config.yaml"), "status"]
    shown_text = CliRunner().invoke(cli, words, env={"KEY": "sk_test_1"}, standalone_mode=False)
    assert "calls: salesforce: 61 % of today's calls used, lasts until " in shown_text.output
    as_json = CliRunner().invoke(cli, [*words, "--json"], env={"KEY": "sk_test_1"})
    (budget,) = json.loads(as_json.output)["budgets"]
    assert budget["systems"] == ["salesforce"] and budget["paused_until"] is None
    (pool,) = budget["pools"]
    assert (pool["used"], pool["limit"], pool["usable"]) == (6083, 10_000, 8000)
    assert (pool["by_us"], pool["by_others"], pool["used_percent"]) == (6083, 0, 61)
    assert pool["lasts_until"].endswith("Z")
