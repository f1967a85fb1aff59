"""Codecs of instants and calendar dates. Instants come out aware and in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tieout.core.errors import InvalidRecord

from .codec import Checks, Codec, Options, is_count, is_texts, one_of, register, texts, wrong_type
from .forms import Context
from .shown import shown

_START = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def is_zone(value: Any) -> str:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{value!r} is not a time zone such as Europe/Berlin"
    return ""


def _zone(options: Options, context: Context) -> tzinfo:
    return ZoneInfo(str(options["timezone"])) if "timezone" in options else context.zone


def _count(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return int(value)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 20:
        return int(value)
    raise wrong_type(value, "a Unix time")


@register
class Epoch(Codec):
    """Unix time, in seconds (`unit: s`) or milliseconds (`unit: ms`), as an instant."""

    name = "epoch"
    gives = datetime
    options: ClassVar[Checks] = {"unit": one_of("s", "ms")}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.unit = _MILLISECOND if options.get("unit") == "ms" else _SECOND
        self.seconds = self.unit is _SECOND

    def parse(self, value: Any, currency: str | None) -> Any:
        count = value if type(value) is int else _count(value)
        try:
            if self.seconds:
                return datetime.fromtimestamp(count, UTC)
            return _START + count * self.unit
        except (OverflowError, ValueError, OSError):
            raise wrong_type(value, "a sensible Unix time") from None

    def render(self, value: Any, currency: str | None) -> Any:
        return (value - _START) // self.unit


@register
class EpochDate(Codec):
    """Unix seconds as the calendar date in the account's time zone, or in `timezone`."""

    name = "epoch_date"
    gives = date
    options: ClassVar[Checks] = {"timezone": is_zone}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.zone = _zone(options, context)

    def parse(self, value: Any, currency: str | None) -> Any:
        count = value if type(value) is int else _count(value)
        try:
            return datetime.fromtimestamp(count, self.zone).date()
        except (OverflowError, ValueError, OSError):
            raise wrong_type(value, "a sensible Unix time") from None

    def render(self, value: Any, currency: str | None) -> Any:
        return (midnight(value, self.zone) - _START) // _SECOND


def midnight(day: date, zone: tzinfo) -> datetime:
    """The start of a calendar day in a zone, as UTC. Raises InvalidRecord at the ends of time."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise wrong_type(day, "a sensible date") from None


def _moment(value: Any, formats: tuple[str, ...]) -> datetime:
    """A datetime as written, with or without a zone."""
    if not isinstance(value, str):
        raise wrong_type(value, "a date and time")
    text = value.strip()
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRecord(
            f"{shown(value)} is not a date and time that the mapping can read",
            hint="say how it is written with `formats`" if not formats else "",
        ) from None


@register
class Iso8601(Codec):
    """ISO 8601 text as an instant; without a zone it is in the account's, or in `timezone`.

    `formats` lists other spellings in strptime's language; ISO is always tried last.
    """

    name = "iso8601"
    gives = datetime
    options: ClassVar[Checks] = {"timezone": is_zone, "formats": is_texts}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.zone = _zone(options, context)
        self.formats = texts(options.get("formats"))

    def parse(self, value: Any, currency: str | None) -> Any:
        if value == "":
            return None
        moment = _moment(value, self.formats)
        try:
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self.zone)
            return moment.astimezone(UTC)
        except OverflowError:
            raise wrong_type(value, "a sensible date and time") from None

    def render(self, value: Any, currency: str | None) -> Any:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class _Days(Codec):
    """What the codecs of dates as text share: reading a day, and moving it."""

    options: ClassVar[Checks] = {"formats": is_texts, "move_days": is_count, "timezone": is_zone}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.zone = _zone(options, context)
        self.formats = texts(options.get("formats"))
        self.move = timedelta(days=options.get("move_days", 0))

    def day(self, value: Any) -> date:
        if type(value) is str and len(value) == 10 and not self.formats:
            try:
                return date.fromisoformat(value) + self.move
            except (ValueError, OverflowError):
                pass
        moment = _moment(value, self.formats)
        if moment.tzinfo is not None:
            moment = moment.astimezone(self.zone)
        try:
            return moment.date() + self.move
        except OverflowError:
            raise wrong_type(value, "a sensible date") from None

    def text(self, day: date) -> str:
        day -= self.move
        return day.strftime(self.formats[0]) if self.formats else day.isoformat()


@register
class Day(_Days):
    """A calendar date as text (`YYYY-MM-DD`, or by `formats`).

    A date and time with a zone counts in the account's zone or in `timezone`;
    `move_days: 1` turns an inclusive end into ours.
    """

    name = "date"
    gives = date

    def parse(self, value: Any, currency: str | None) -> Any:
        return None if value == "" else self.day(value)

    def render(self, value: Any, currency: str | None) -> Any:
        return self.text(value)


@register
class DateAtMidnight(_Days):
    """A date as text as the instant when that day starts in the account's time zone."""

    name = "date_at_midnight"
    gives = datetime

    def parse(self, value: Any, currency: str | None) -> Any:
        return None if value == "" else midnight(self.day(value), self.zone)

    def render(self, value: Any, currency: str | None) -> Any:
        return self.text(value.astimezone(self.zone).date())
