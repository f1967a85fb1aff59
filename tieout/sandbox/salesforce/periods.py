"""SOQL's date literals: TODAY, LAST_N_DAYS:30, THIS_QUARTER and their like.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

from __future__ import annotations

from datetime import date, timedelta

Days = tuple[date, date]


def period(word: str, number: int, today: date) -> Days:
    """First day, and the day after the last. Raises KeyError for an unknown word."""
    if word in _FIXED:
        unit, offset = _FIXED[word]
        return _whole(unit, today, offset)
    if word in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        word, number = word.replace("90", "N"), 90
    direction, _, rest = word.partition("_N_")
    if rest and direction in ("LAST", "NEXT"):
        return _span(rest.removesuffix("S"), number, today, direction == "LAST")
    unit, _, ago = word.partition("S_AGO")
    if ago == "" and unit.startswith("N_") and word.endswith("S_AGO"):
        return _whole(unit.removeprefix("N_"), today, -number)
    raise KeyError(word)


_UNITS = ("WEEK", "MONTH", "QUARTER", "YEAR")
_FIXED = {"TODAY": ("DAY", 0), "YESTERDAY": ("DAY", -1), "TOMORROW": ("DAY", 1)} | {
    f"{word}_{unit}": (unit, offset)
    for word, offset in (("LAST", -1), ("THIS", 0), ("NEXT", 1))
    for unit in _UNITS
}


def _span(unit: str, number: int, today: date, back: bool) -> Days:
    """LAST_N_DAYS counts today in; the longer units leave the present one out."""
    if unit == "DAY":
        tomorrow = today + timedelta(days=1)
        if back:
            return today - timedelta(days=number), tomorrow
        return tomorrow, tomorrow + timedelta(days=number)
    this = _whole(unit, today, 0)
    if back:
        return _whole(unit, today, -number)[0], this[0]
    return this[1], _whole(unit, today, number)[1]


def _whole(unit: str, today: date, offset: int) -> Days:
    if unit == "DAY":
        day = today + timedelta(days=offset)
        return day, day + timedelta(days=1)
    if unit == "WEEK":  # weeks open on Sunday in the default locale
        sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=offset)
        return sunday, sunday + timedelta(weeks=1)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    index = today.year * 12 + today.month - 1
    first = index - index % months + offset * months
    return _month(first), _month(first + months)


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)
