"""Calendar arithmetic in the site's time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


def add_periods(moment: int, count: int, unit: str, zone: ZoneInfo) -> int:
    """The same time of day `count` days, weeks, months or years later (seconds since 1970)."""
    start = datetime.fromtimestamp(moment, zone)
    if unit in _DAYS:
        return int((start + timedelta(days=count * _DAYS[unit])).timestamp())
    years, month = divmod(start.year * 12 + start.month - 1 + count * MONTHS[unit], 12)
    day = min(start.day, monthrange(years, month + 1)[1])
    return int(start.replace(year=years, month=month + 1, day=day).timestamp())
