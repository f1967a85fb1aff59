"""Calendar steps of a billing cycle. https://docs.stripe.com/billing/subscriptions/billing-cycle"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta


def step(anchor: int, interval: str, count: int, times: int) -> int:
    """`anchor` plus `times` intervals; the anchor's day of the month, or the month's last."""
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in ("day", "week"):
        days = count * times * (7 if interval == "week" else 1)
        return int((start + timedelta(days=days)).timestamp())
    months = start.month - 1 + count * times * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period(anchor: int, interval: str, count: int, moment: int) -> tuple[int, int]:
    """Start and end of the period that `moment` lies in."""
    times = _guess(anchor, interval, count, moment)
    while step(anchor, interval, count, times) > moment:
        times -= 1
    while step(anchor, interval, count, times + 1) <= moment:
        times += 1
    return step(anchor, interval, count, times), step(anchor, interval, count, times + 1)


def _guess(anchor: int, interval: str, count: int, moment: int) -> int:
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[interval] * count
    return (moment - anchor) // (days * 86_400)
