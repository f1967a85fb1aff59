"""NetSuite's values in one shape, whichever interface they came through.

REST, SuiteQL and SOAP spell the same record differently (docs/providers/netsuite.md): here keys
become lower case as SuiteQL has them, references and sublists get one form, empty values go.
Nothing in this file knows what a field means to us.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tieout.core.errors import InvalidRecord
from tieout.core.money import plain, to_decimal

from .forms import Context
from .shown import shown

Raw = dict[str, Any]
ROW, REST, SOAP = "row", "rest", "soap"

# SOAP sends a calendar date as midnight Pacific:
# https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1521451348.html
PACIFIC = ZoneInfo("America/Los_Angeles")

_CUSTOM = re.compile(r"cust(omfieldlist$|(body|col|entity|item|record)_?\w)", re.I)
_SELF = re.compile(r"/record/v1/([a-z0-9_]+)/([^/?]+)", re.I)
_BARE_DATE = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})\Z")
_LOOSE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?\Z")
_SIZES = ("replaceall", "totalresults", "count", "hasmore", "offset", "links")


@dataclass(frozen=True)
class Ref:
    """A reference: the internal id, the name that was sent with it, and what kind it says it is."""

    id: str | None = None
    name: str | None = None
    kind: str = ""


NO_REF = Ref()


@dataclass(frozen=True)
class Shape:
    """One record with lower-case keys and without empty values; `form` is row, rest or soap."""

    form: str
    fields: Raw
    custom: dict[str, Any]

    def ref(self, *names: str) -> Ref:
        """The first of these fields that holds a reference."""
        for name in names:
            if name in self.fields:
                return ref_of(self.fields[name])
        return NO_REF

    def text(self, *names: str) -> str | None:
        for name in names:
            if name in self.fields:
                return text_of(self.fields[name])
        return None

    def amount(self, *names: str) -> Decimal | None:
        """The first of these fields as an exact number in major units."""
        for name in names:
            if name in self.fields:
                return _number(self.fields[name], name)
        return None

    def flag(self, name: str) -> bool | None:
        return None if name not in self.fields else flag_of(self.fields[name])

    def rows(self, *names: str) -> list[Shape] | None:
        """A sublist's lines; None if the payload does not tell (absent, or only a link to it)."""
        for name in names:
            found = _lines(self.fields.get(name))
            if found is not None:
                return [shape_of(line, form=self.form) for line in found]
        return None


def shape_of(raw: Raw, *, form: str = "") -> Shape:
    """A decoded payload as a Shape. Raises InvalidRecord for what is no record at all."""
    if "o:errorDetails" in raw:
        raise InvalidRecord("this is NetSuite's error answer, not a record")
    fields: Raw = {}
    custom: dict[str, Any] = {}
    for key, value in raw.items():
        if value is None or value == "" or value == {}:
            continue
        name = key if form == ROW else key.lower()
        if name.startswith("cust") and _CUSTOM.match(name):
            if name == "customfieldlist":
                custom |= _soap_custom(value)
            else:
                custom[name] = custom_value(value)
        elif name != "nullfieldlist":
            fields[name] = value
    return Shape(form or form_of(raw), fields, custom)


def form_of(raw: Raw) -> str:
    """SuiteQL rows have lower-case keys and no objects; SOAP says internalId, REST says id."""
    if _says_internal_id(raw):
        return SOAP
    upper = any(key != key.lower() for key in raw)
    nested = any(isinstance(value, dict) for value in raw.values())
    return REST if upper or nested else ROW


def _says_internal_id(raw: Raw) -> bool:
    if "internalId" in raw or "customFieldList" in raw or "nullFieldList" in raw:
        return True
    for key, value in raw.items():
        if isinstance(value, dict) and "internalId" in value:
            return True
        if key.endswith("List") and (isinstance(value, list) or _is_soap_list(value)):
            return True
    return False


def _is_soap_list(value: Any) -> bool:
    """{item: [...]}; REST has fields of such names, too (billAddressList is a reference)."""
    return isinstance(value, dict) and bool(value) and not value.keys() & {"id", "items", "links"}


def _number(value: Any, name: str) -> Decimal:
    try:
        return to_decimal(value)
    except InvalidRecord as error:
        error.where = error.where or name
        raise


def _lines(value: Any) -> list[Raw] | None:
    """The lines of a sublist: a list, REST's {items: []}, SOAP's {item: [] or one}."""
    if isinstance(value, list):
        if not all(isinstance(line, dict) for line in value):
            raise InvalidRecord("a sublist holds something that is no line")
        return value
    if not isinstance(value, dict):
        return None
    inner = {key: each for key, each in value.items() if key.lower() not in _SIZES}
    if "items" in inner:
        return _lines(inner["items"] or [])
    if len(inner) == 1:
        (only,) = inner.values()
        return [only] if isinstance(only, dict) else _lines(only)
    return None


def ref_of(value: Any) -> Ref:
    """A reference in any form: "220", {"id", "refName"}, {"internalId", "name"}."""
    if value.__class__ is str:
        return Ref(id=value or None)
    if isinstance(value, dict):
        low = {key.lower(): each for key, each in value.items() if each not in (None, "")}
        id = low.get("id", low.get("internalid"))
        name = low.get("refname", low.get("name"))
        kind = str(low.get("type") or _linked_kind(low.get("links")) or "")
        return Ref(None if id is None else text_of(id), text_of(name), kind.lower())
    return Ref(id=text_of(value))


def _linked_kind(links: Any) -> str:
    """The record type in a reference's own link: .../record/v1/invoice/104."""
    for link in links if isinstance(links, list) else ():
        found = _SELF.search(str(link.get("href"))) if isinstance(link, dict) else None
        if found:
            return found.group(1)
    return ""


def self_id(fields: Raw) -> str | None:
    """The internal id in a record's own link, where `fields=` left the id itself out."""
    for link in fields.get("links") or ():
        found = isinstance(link, dict) and _SELF.search(str(link.get("href")))
        if found and str(link.get("rel", "self")) == "self":
            return found.group(2)
    return None


def text_of(value: Any) -> str | None:
    """A scalar as text; None for null and empty. Numbers lose trailing zeros."""
    if value.__class__ is str or value is None:
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return plain(value)
    if isinstance(value, dict):
        found = ref_of(value)
        return found.id if found.id is not None else found.name
    raise InvalidRecord(f"{shown(value)} is not text")


def flag_of(value: Any) -> bool:
    """JSON booleans, SuiteQL's "T" and "F", XML's "true" and "false"."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("t", "true"):
        return True
    if word in ("f", "false"):
        return False
    raise InvalidRecord(f"{shown(value)} is neither T nor F")


def custom_value(value: Any) -> Any:
    """A custom field as a scalar that is the same in all three forms.

    A selected value is its internal id, several are joined by ", " as SuiteQL does it; numbers
    are text, as SuiteQL cannot tell them from text.
    """
    if isinstance(value, dict) and not _is_sublist(value):
        return text_of(value)
    if isinstance(value, list | dict):
        rows = value if isinstance(value, list) else _lines(value) or []
        return ", ".join(str(text_of(row)) for row in rows)
    if value in ("T", "F"):
        return value == "T"
    return value if isinstance(value, bool) else text_of(value)


def _is_sublist(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("items"), list)


def _soap_custom(value: Any) -> dict[str, Any]:
    """customFieldList: a name (scriptId; on old endpoints internalId) and a value each."""
    found: dict[str, Any] = {}
    rows = value if isinstance(value, list) else _lines(value) or []
    for row in rows:
        low = {key.lower(): each for key, each in row.items()}
        name = next(
            (
                str(low[key]).lower()
                for key in ("scriptid", "internalid")
                if low.get(key) and _CUSTOM.match(str(low[key]))
            ),
            None,
        )
        if name and low.get("value") not in (None, ""):
            kind = str(low.get("type") or low.get("xsi:type") or "")
            told = low["value"]
            yes_no = "Boolean" in kind and isinstance(told, str)
            found[name] = flag_of(told) if yes_no else custom_value(told)
    return found


# Dates


def day_of(value: Any, shape: Shape, context: Context) -> str | None:
    """A calendar date as YYYY-MM-DD. Raises InvalidRecord where day and month can't be told."""
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.isoformat()
    text = str(value.isoformat() if isinstance(value, date) else value).strip()
    if bare := _BARE_DATE.match(text):
        return _bare(bare, context)
    if len(text) > 10 and text[10:].strip() in ("0:00:00", "00:00:00", "T00:00:00"):
        return day_of(text[:10], shape, context)
    try:
        moment = datetime.fromisoformat(_padded(text))
    except ValueError:
        raise InvalidRecord(f"{shown(text)} is not a date") from None
    if moment.tzinfo is None or (moment.hour, moment.minute) == (0, 0):
        return moment.date().isoformat()
    zone = PACIFIC if shape.form == SOAP else context.zone
    return moment.astimezone(zone).date().isoformat()


def _bare(found: re.Match[str], context: Context) -> str:
    """Without TO_CHAR, SuiteQL writes dates as the integration user prefers to see them."""
    first, _, second, third = found.groups()
    if len(first) == 4:
        return _day(first, second, third, found.group())
    order = str(context.options.get("date_format") or "").upper()
    if order.startswith("D") or (not order and int(first) > 12):
        return _day(third, second, first, found.group())
    if order.startswith("M") or int(second) > 12 or first == second:
        return _day(third, first, second, found.group())
    raise InvalidRecord(
        f"{shown(found.group())} may be day first or month first",
        hint="select TO_CHAR(..., 'YYYY-MM-DD'), or set the option date_format (MDY or DMY)",
    )


def _day(year: str, month: str, day: str, text: str) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise InvalidRecord(f"{shown(text)} is not a date") from None


def moment_of(value: Any, shape: Shape, context: Context) -> str | None:
    """A date and time as ISO 8601 text; without an offset where SuiteQL gave none."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    text = _padded(str(value).strip())
    return day_of(text, shape, context) if _BARE_DATE.match(text) else text


def _padded(text: str) -> str:
    """`2017-05-27 8:56:10`, as loaders write it, with two digits for the hour."""
    found = _LOOSE_TIME.match(text)
    if not found:
        return text
    day, hour, minute, second, fraction = found.groups()
    return f"{day}T{int(hour):02}:{minute}:{second or '00'}{fraction or ''}"


def same_word(text: str) -> str:
    """Letters and digits only, lower case: "Paid In Full", "paidInFull" and "_paidInFull" alike."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())
