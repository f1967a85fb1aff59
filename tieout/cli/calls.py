"""How much of each provider's calls is used, in sentences."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

WINDOWS = {86_400: "today's calls", 3600: "this hour's calls", 60: "this minute's calls"}


def call_lines(budgets: list[dict[str, Any]], zone: ZoneInfo, now: datetime) -> list[str]:
    """`salesforce: 61 % of today's calls used, lasts until 17:40 at this rate (us 41 %, ...)`"""
    return [line for budget in budgets for line in _lines(budget, _Clock(zone, now))]


def _lines(budget: dict[str, Any], clock: _Clock) -> list[str]:
    name = " and ".join(budget["systems"]) or budget["credential"]
    told = [f"{name}: {_pool(pool, clock)}" for pool in budget["pools"]]
    if budget["paused_until"]:
        until = clock.at(budget["paused_until"])
        told.append(f"{name}: paused until {until}: the provider wanted no more calls")
    elif budget["slowed_down"]:
        told.append(f"{name}: slower than usual, after a refusal by the provider")
    elif not told:
        told.append(f"{name}: {_rates(budget)}, not paused")
    return told


def _rates(budget: dict[str, Any]) -> str:
    at_once = budget["calls_at_once"]
    if at_once:
        return f"{budget['calls_under_way']} of {at_once} calls at once under way"
    return f"at most {budget['calls_per_second']} calls a second"


def _pool(pool: dict[str, Any], clock: _Clock) -> str:
    window = WINDOWS.get(pool["seconds"], f"the {pool['pool']} calls")
    used = f"{pool['used_percent']} % of {window} used"
    shares = f"us {pool['by_us_percent']} %, others {pool['by_others_percent']} %"
    if pool["reserved_percent"]:
        shares += f"; {pool['reserved_percent']} % are left to others"
    return f"{used}, {_prospect(pool, clock)} ({shares})"


def _prospect(pool: dict[str, Any], clock: _Clock) -> str:
    if pool["resumes_at"]:
        return f"paused until {clock.at(pool['resumes_at'])}"
    if pool["lasts_until"]:
        return f"lasts until {clock.at(pool['lasts_until'])} at this rate"
    return "lasts at this rate" if pool["per_hour"] else "nobody calls now"


class _Clock:
    """Times as a person in that time zone says them today."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone, self._today = zone, now.astimezone(zone).date()

    def at(self, text: str) -> str:
        moment = datetime.fromisoformat(text).astimezone(self._zone)
        return moment.strftime("%H:%M" if moment.date() == self._today else "%Y-%m-%d %H:%M")
