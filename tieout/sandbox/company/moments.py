"""Calendar arithmetic on Unix seconds in UTC."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

HOUR, DAY = 3_600, 86_400


def on(second: int) -> date:
    """The UTC date of an instant."""
    return datetime.fromtimestamp(second, UTC).date()


def midnight(second: int) -> int:
    """The start of the instant's UTC day."""
    return second - second % DAY


def stamp(second: int) -> str:
    """As NetSuite's REST shows a datetime: UTC, whole seconds, Z."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def add_months(second: int, months: int) -> int:
    """The same time of day some months later; the 31st becomes the month's last day."""
    moment = datetime.fromtimestamp(second, UTC)
    count = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(count, 12)
    last = monthrange(year, month + 1)[1]
    return int(moment.replace(year=year, month=month + 1, day=min(moment.day, last)).timestamp())


def month_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def months_between(first: date, last: date) -> list[date]:
    """The first days of all months from `first`'s to `last`'s."""
    found, day = [], first.replace(day=1)
    while day <= last:
        found.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return found
