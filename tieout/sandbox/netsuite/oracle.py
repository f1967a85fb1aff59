"""Oracle's functions as SuiteQL offers them, over dates tagged as such and exact decimals.

Inside the query engine a date is the text DATE_TAG + 'YYYY-MM-DD HH:MM:SS' in the account's
time zone, so that it sorts as text and is never taken for a string; a decimal is its digits.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cmp_to_key
from typing import Any
from zoneinfo import ZoneInfo

DATE_TAG = "\x01"
PACIFIC = ZoneInfo("America/Los_Angeles")

_STAMP = "%Y-%m-%d %H:%M:%S"
_PIECE = re.compile(
    r'"([^"]*)"|YYYY|RRRR|YY|RR|MONTH|MON|MM|DDD|DD|DAY|DY|D|HH24|HH12|HH|MI|SS|FF\d?|AM|PM|A\.M\.'
    r"|P\.M\.|Q|IW|WW|.",
    re.IGNORECASE | re.DOTALL,
)


class BadValue(Exception):
    """A value that Oracle would refuse; the message is for the caller."""


def tagged(moment: datetime | date) -> str:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return DATE_TAG + moment.strftime(_STAMP)


def is_date(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(DATE_TAG)


def moment_of(value: Any) -> datetime:
    """The naive datetime of a tagged date. Raises BadValue for anything else."""
    if not is_date(value):
        raise BadValue(f"'{value}' is not a date")
    return datetime.strptime(value[1:20], _STAMP)


def number(value: Any) -> Decimal | None:
    """A number out of a column or literal, as Oracle converts implicitly; None if it is none."""
    if value is None or isinstance(value, bytes):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def must_number(value: Any) -> Decimal:
    found = number(value)
    if found is None:
        raise BadValue("Invalid number")
    return found


def digits(value: Decimal) -> str:
    """A decimal's shortest plain digits: 12.5, -0.01, 100."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def user_text(value: Any) -> str:
    """A value as a query answers it: everything a string, dates in the user's format."""
    if is_date(value):
        moment = moment_of(value)
        return f"{moment.month}/{moment.day}/{moment.year}"
    return str(value)


def to_char(value: Any, form: Any = None) -> str | None:
    if value is None:
        return None
    if not is_date(value):
        return _number_text(value, form) if form else user_text(value)
    if form is None:
        return user_text(value)
    moment = moment_of(value)
    pieces = [_piece(match, moment) for match in _PIECE.finditer(str(form).removeprefix("FM"))]
    return "".join(pieces)


def _piece(match: re.Match[str], moment: datetime) -> str:
    if match.group(1) is not None:
        return match.group(1)
    word = match.group(0).upper()
    if word in _SIMPLE:
        return moment.strftime(_SIMPLE[word])
    if word.startswith("FF"):
        return "0" * int(word[2:] or 6)
    special = {
        "MONTH": moment.strftime("%B").upper().ljust(9),
        "MON": moment.strftime("%b").upper(),
        "DAY": moment.strftime("%A").upper().ljust(9),
        "DY": moment.strftime("%a").upper(),
        "D": str(moment.isoweekday() % 7 + 1),
        "Q": str((moment.month + 2) // 3),
        "IW": f"{moment.isocalendar().week:02}",
        "WW": f"{(moment.timetuple().tm_yday - 1) // 7 + 1:02}",
    }
    found = special.get(word)
    if found is None:
        return match.group(0)
    return found.capitalize() if match.group(0).istitle() else found


_SIMPLE = {
    "YYYY": "%Y",
    "RRRR": "%Y",
    "YY": "%y",
    "RR": "%y",
    "MM": "%m",
    "DDD": "%j",
    "DD": "%d",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "AM": "%p",
    "PM": "%p",
    "A.M.": "%p",
    "P.M.": "%p",
}


def _number_text(value: Any, form: Any) -> str:
    found = must_number(value)
    pattern = str(form).upper().removeprefix("FM")
    whole, _, fraction = pattern.partition(".")
    places = len(re.findall("[09]", fraction))
    text = format(found.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), "f")
    if "," in whole:
        sign, plain = ("-", text[1:]) if text.startswith("-") else ("", text)
        head, dot, tail = plain.partition(".")
        text = f"{sign}{int(head):,}{dot}{tail}"
    if "0" not in whole:
        text = re.sub(r"^(-?)0\.", r"\1.", text)
    return text if str(form).upper().startswith("FM") or text.startswith("-") else f" {text}"


def to_date(value: Any, form: Any = None) -> str | None:
    """TO_DATE and TO_TIMESTAMP. Raises BadValue where the text does not fit the format."""
    if value is None or is_date(value):
        return None if value is None else str(value)
    return tagged(_parse(str(value), str(form) if form is not None else "MM/DD/YYYY"))


_PARTS = {
    "YYYY": ("year", r"\d{4}"),
    "RRRR": ("year", r"\d{4}"),
    "YY": ("year2", r"\d{2}"),
    "RR": ("year2", r"\d{2}"),
    "MM": ("month", r"\d{1,2}"),
    "MON": ("word", r"[A-Za-z]{3}"),
    "MONTH": ("word", r"[A-Za-z]{3,9}"),
    "DD": ("day", r"\d{1,2}"),
    "HH24": ("hour", r"\d{1,2}"),
    "HH12": ("hour", r"\d{1,2}"),
    "HH": ("hour", r"\d{1,2}"),
    "MI": ("minute", r"\d{1,2}"),
    "SS": ("second", r"\d{1,2}"),
    "AM": ("half", r"[AaPp]\.?[Mm]\.?"),
    "PM": ("half", r"[AaPp]\.?[Mm]\.?"),
}


def _parse(text: str, form: str) -> datetime:
    names, pattern = [], ""
    for match in _PIECE.finditer(form):
        word = match.group(0).upper()
        if word in _PARTS:
            name, expression = _PARTS[word]
            names.append(name)
            pattern += f"({expression})"
        elif word.startswith("FF"):
            pattern += r"\d{1,9}"
        else:
            literal = match.group(1) if match.group(1) is not None else match.group(0)
            pattern += re.escape(literal)
    # Trailing parts of the format may be missing from the value, as Oracle allows.
    found = re.fullmatch(pattern, text.strip()) or _shorter(pattern, text.strip())
    if found is None:
        raise BadValue(f"The value '{text}' does not match the date format '{form}'")
    return _assembled(dict(zip(names, found.groups(), strict=False)), text)


def _shorter(pattern: str, text: str) -> re.Match[str] | None:
    head = pattern.split(r"\ ", 1)[0]
    return re.fullmatch(head, text) if head != pattern else None


def _assembled(parts: dict[str, str | None], text: str) -> datetime:
    def part(name: str, default: int) -> int:
        return int(parts.get(name) or default)

    month = part("month", 1)
    if word := parts.get("word"):
        names = [calendar.month_abbr[each].lower() for each in range(1, 13)]
        month = names.index(word[:3].lower()) + 1 if word[:3].lower() in names else 0
    year = 2000 + part("year2", 0) if "year2" in parts else part("year", 1970)
    hour = part("hour", 0)
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    try:
        return datetime(year, month, part("day", 1), hour, part("minute", 0), part("second", 0))
    except ValueError:
        raise BadValue(f"'{text}' is not a valid date") from None


def implicit_date(value: Any) -> Any:
    """A string that is compared with a date is read in the user's format, M/D/YYYY."""
    if value is None or is_date(value):
        return value
    text = str(value)
    form = "MM/DD/YYYY HH:MI:SS AM" if re.search("[AaPp][Mm]$", text) else "MM/DD/YYYY"
    return to_date(text, form)


def to_utc(value: Any, zone: ZoneInfo) -> str | None:
    if value is None:
        return None
    local = moment_of(value).replace(tzinfo=zone)
    return tagged(local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None))


def trunc(value: Any, form: Any = None) -> Any:
    if value is None:
        return None
    if not is_date(value):
        places = int(must_number(form)) if form is not None else 0
        unit = Decimal(1).scaleb(-places)
        return digits(must_number(value).quantize(unit, rounding=ROUND_DOWN))
    day = moment_of(value).replace(hour=0, minute=0, second=0)
    unit_name = str(form or "DD").upper()
    if unit_name in ("MM", "MON", "MONTH"):
        day = day.replace(day=1)
    elif unit_name in ("YYYY", "YY", "YEAR", "Y"):
        day = day.replace(month=1, day=1)
    elif unit_name == "Q":
        day = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    elif unit_name in ("IW", "DAY", "DY", "D", "WW"):
        day -= timedelta(days=day.weekday() if unit_name == "IW" else day.isoweekday() % 7)
    return tagged(day)


def add_months(value: Any, months: Any) -> str | None:
    if value is None or months is None:
        return None
    moment = moment_of(value)
    total = moment.year * 12 + moment.month - 1 + int(must_number(months))
    year, month = divmod(total, 12)
    last = calendar.monthrange(year, month + 1)[1]
    at_end = moment.day == calendar.monthrange(moment.year, moment.month)[1]
    return tagged(
        moment.replace(year=year, month=month + 1, day=last if at_end else min(moment.day, last))
    )


def months_between(left: Any, right: Any) -> str | None:
    """Whole months between equal days or two month ends; otherwise parts of 31 days."""
    if left is None or right is None:
        return None
    late, early = moment_of(left), moment_of(right)
    months = Decimal((late.year - early.year) * 12 + late.month - early.month)
    ends = (each.day == calendar.monthrange(each.year, each.month)[1] for each in (late, early))
    if late.day == early.day or all(ends):
        return digits(months)
    seconds = _seconds_of_month(late) - _seconds_of_month(early)
    return digits(months + Decimal(seconds) / (31 * 86400))


def _seconds_of_month(moment: datetime) -> int:
    return ((moment.day * 24 + moment.hour) * 60 + moment.minute) * 60 + moment.second


def power(base: Any, exponent: Any) -> Any:
    if base is None or exponent is None:
        return None
    try:
        return digits(must_number(base) ** must_number(exponent))
    except InvalidOperation:
        raise BadValue("Invalid number") from None


def last_day(value: Any) -> str | None:
    if value is None:
        return None
    moment = moment_of(value)
    return tagged(moment.replace(day=calendar.monthrange(moment.year, moment.month)[1]))


def extract(part: Any, value: Any) -> int | None:
    if value is None:
        return None
    return int(getattr(moment_of(value), str(part).lower()))


def plus(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if is_date(left) or is_date(right):
        day, days = (left, right) if is_date(left) else (right, left)
        return tagged(moment_of(day) + _days(days))
    return digits(must_number(left) + must_number(right))


def minus(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if is_date(left) and is_date(right):
        gap = moment_of(left) - moment_of(right)
        return digits(Decimal(gap.days) + Decimal(gap.seconds) / 86400)
    if is_date(left):
        return tagged(moment_of(left) - _days(right))
    return digits(must_number(left) - must_number(right))


def _days(value: Any) -> timedelta:
    return timedelta(seconds=int((must_number(value) * 86400).to_integral_value()))


def times(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    return digits(must_number(left) * must_number(right))


def divided(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    divisor = must_number(right)
    if not divisor:
        raise BadValue("Divisor is equal to zero")
    return digits(must_number(left) / divisor)


def negated(value: Any) -> Any:
    return None if value is None else digits(-must_number(value))


def compared(left: Any, right: Any) -> int | None:
    """-1, 0, 1; numbers as numbers when either side is one, else text. None with a null."""
    if left is None or right is None:
        return None
    first, second = number(left), number(right)
    if first is not None and second is not None and not (is_date(left) or is_date(right)):
        return (first > second) - (first < second)
    if is_date(left) != is_date(right):
        left, right = implicit_date(left), implicit_date(right)
    return (str(left) > str(right)) - (str(left) < str(right))


def numeric_order(left: str, right: str) -> int:
    """The collation of decimal columns and of expressions."""
    return compared(left, right) or 0


def joined(left: Any, right: Any) -> str:
    # Oracle's || treats null as the empty string.
    return ("" if left is None else user_text(left)) + ("" if right is None else user_text(right))


def rounded(value: Any, places: Any = 0) -> Any:
    if value is None or places is None:
        return None
    if is_date(value):
        return trunc(value)
    unit = Decimal(1).scaleb(-int(must_number(places)))
    return digits(must_number(value).quantize(unit, rounding=ROUND_HALF_UP))


def ceiling(value: Any) -> Any:
    return None if value is None else digits(must_number(value).to_integral_value(ROUND_CEILING))


def floor(value: Any) -> Any:
    return None if value is None else digits(must_number(value).to_integral_value(ROUND_FLOOR))


def absolute(value: Any) -> Any:
    return None if value is None else digits(abs(must_number(value)))


def sign(value: Any) -> Any:
    return None if value is None else compared(value, 0)


def modulo(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    divisor = must_number(right)
    return digits(must_number(left) % divisor if divisor else must_number(left))


def to_number(value: Any, form: Any = None) -> Any:
    if value is None:
        return None
    text = str(value).replace(",", "").replace("$", "") if form else str(value)
    return digits(must_number(text))


def decode(*given: Any) -> Any:
    """DECODE(value, match, result, ..., default): null matches null."""
    value, rest = given[0], list(given[1:])
    while len(rest) >= 2:
        match, result, rest = rest[0], rest[1], rest[2:]
        if (value is None and match is None) or compared(value, match) == 0:
            return result
    return rest[0] if rest else None


def greatest(*given: Any) -> Any:
    return _best(given, 1)


def least(*given: Any) -> Any:
    return _best(given, -1)


def _best(given: tuple[Any, ...], wanted: int) -> Any:
    best = given[0]
    for value in given:
        if value is None:
            return None
        if compared(value, best) == wanted:
            best = value
    return best


class Sum:
    """SUM without a float; also as a window function."""

    def __init__(self) -> None:
        self.total, self.count = Decimal(0), 0

    def step(self, value: Any) -> None:
        if value is not None:
            self.total += must_number(value)
            self.count += 1

    def inverse(self, value: Any) -> None:
        if value is not None:
            self.total -= must_number(value)
            self.count -= 1

    def value(self) -> Any:
        return digits(self.total) if self.count else None

    def finalize(self) -> Any:
        return self.value()


class Average(Sum):
    def value(self) -> Any:
        return digits(self.total / self.count) if self.count else None


class Largest:
    wanted = 1

    def __init__(self) -> None:
        self.best: Any = None

    def step(self, value: Any) -> None:
        if value is not None and (self.best is None or compared(value, self.best) == self.wanted):
            self.best = value

    def finalize(self) -> Any:
        return self.best


class Smallest(Largest):
    wanted = -1


class JoinedList:
    """LISTAGG, in the order of its keys (sign, key, sign, key, ...), nulls after the others."""

    def __init__(self) -> None:
        self.parts: list[tuple[tuple[Any, ...], str]] = []
        self.between = ""

    def step(self, value: Any, between: Any = "", *keys: Any) -> None:
        self.between = str(between or "")
        if value is not None:
            self.parts.append((keys, user_text(value)))

    def finalize(self) -> Any:
        ordered = sorted(self.parts, key=cmp_to_key(_in_order))
        return self.between.join(text for _, text in ordered) if ordered else None


def _in_order(left: tuple[tuple[Any, ...], str], right: tuple[tuple[Any, ...], str]) -> int:
    signs = left[0][::2]
    for sign_, one, other in zip(signs, left[0][1::2], right[0][1::2], strict=True):
        missing = (one is None) - (other is None)
        if found := int(sign_) * (missing or compared(one, other) or 0):
            return found
    return 0
