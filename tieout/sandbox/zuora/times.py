"""The four ways in which Zuora writes an instant, and the one in which the tenant keeps it.

Kept: UTC, `2026-01-31T12:00:00Z` (sorts as text). v1: tenant time without a zone. Actions and
CRUD: tenant time with an offset. Object Query and Data Query: UTC with Z.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def stored(moment: datetime) -> str:
    """The kept form, whole seconds unless there is a fraction."""
    moment = moment.astimezone(UTC)
    if moment.microsecond:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str, zone: ZoneInfo) -> datetime:
    """An instant in any of the spellings; without a zone it is tenant time. Raises ValueError."""
    text = re.sub(r"\s+([+-]\d\d:?\d\d|UTC|Z)$", r"\1", text.strip()).replace("UTC", "+00:00")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def is_date(text: object) -> bool:
    """Is it a calendar date, YYYY-MM-DD?"""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def v1(text: str, zone: ZoneInfo) -> str:
    """`2022-12-08 19:49:16`, in the tenant's zone."""
    return parse(text, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def crud(text: str, zone: ZoneInfo) -> str:
    """`2016-10-20T05:46:14.000+02:00`, in the tenant's zone."""
    return parse(text, zone).astimezone(zone).isoformat(timespec="milliseconds")
