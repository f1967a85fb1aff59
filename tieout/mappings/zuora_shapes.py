"""One way to look at Zuora's records, whichever interface they came through.

Taken are Object Query rows (`invoiceId`), v1 objects (`basicInfo: {...}`), CRUD objects
(`InvoiceId`), Data Query rows (`invoiceid`) and a warehouse's columns (`invoice_id`): names are
compared in lower case and without underscores. Custom fields (`__c`, `__NS`, `__QT`) keep theirs,
in lower case.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tieout.core.errors import InvalidRecord
from tieout.core.money import to_decimal

from .forms import Context

Raw = dict[str, Any]
ZERO = Decimal(0)

# v1's account stands in parts; each part's fields are the account's.
_PARTS = ("basicinfo", "billingandpayment", "metrics", "taxinfo")
_DAY = re.compile(r"\d{4}-\d\d-\d\d($|[T ])")
_NAMED_ZONE = re.compile(r"(\d{4}-\d\d-\d\d[ T][\d:.]+) ([A-Z][A-Za-z]+/[A-Za-z_/+-]+)$")
_CUSTOM = re.compile(r"(__c|__ns|__qt|_c)$")
_MARK = re.compile(r"\s*\[tieout:([A-Za-z0-9_.:-]{1,64})\]\s*$")
_NUMBER = re.compile(r"^(?:O-|R-)?TO-([A-Z2-7]{26})$")
_KEY_FIELDS = ("tieoutid__c", "tieout_id__c", "tieoutkey__c")


class Shape:
    """The fields of one object. An absent field and a null one differ (`told`)."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.fields: Raw = {}
        self.custom: Raw = {}
        for name, value in raw.items():
            self._learn(str(name), value)
        for part in _PARTS:
            inner = self.fields.get(part)
            if isinstance(inner, Mapping):
                for name, value in inner.items():
                    self._learn(str(name), value, keep=True)

    def _learn(self, name: str, value: Any, *, keep: bool = False) -> None:
        low = name.lower()
        if _CUSTOM.search(low):
            self.custom[low] = value
        elif low == "customfields" and isinstance(value, Mapping):
            self.custom |= {str(key).lower(): each for key, each in value.items()}
        elif not keep or self.fields.get(_folded(low)) is None:
            self.fields[_folded(low)] = value

    def told(self, *names: str) -> bool:
        """Whether one of the fields is there, be it null."""
        return any(name in self.fields for name in names)

    def get(self, *names: str) -> Any:
        """The first of these fields that holds something; None where none does."""
        for name in names:
            value = self.fields.get(name)
            if value is not None and value != "":
                return value
        return None

    def text(self, *names: str) -> str | None:
        """As text; an object or a list is no text."""
        value = self.get(*names)
        if value is None:
            return None
        if isinstance(value, dict | list):
            raise InvalidRecord("holds an object where text is expected", where=names[0])
        return str(value)

    def number(self, *names: str) -> Decimal | None:
        """An exact number; None where none is told."""
        value = self.get(*names)
        try:
            return None if value is None else to_decimal(value)
        except InvalidRecord as error:
            error.where = error.where or names[0]
            raise

    def whole(self, name: str) -> int | None:
        number = self.number(name)
        if number is not None and number != int(number):
            raise InvalidRecord(f"{number} is not a whole number", where=name)
        return None if number is None else int(number)

    def flag(self, *names: str) -> bool | None:
        """Yes or no, also as the words that a file has."""
        value = self.get(*names)
        if value is None or isinstance(value, bool):
            return value
        low = str(value).lower()
        if low in ("true", "yes", "t", "1"):
            return True
        if low in ("false", "no", "f", "0"):
            return False
        raise InvalidRecord(f"{value!r} is neither true nor false", where=names[0])

    def day(self, *names: str) -> str | None:
        """A calendar date as it stands there: dates are the tenant's and never shifted."""
        told = self.text(*names)
        return told[:10] if told is not None and _DAY.match(told) else told

    def moment(self, *names: str) -> str | None:
        """A time as ISO 8601; without a zone it is the tenant's."""
        told = self.text(*names)
        if told is None:
            return None
        if named := _NAMED_ZONE.match(told):
            return _in_zone(*named.groups())
        return re.sub(r"\s*(UTC|GMT)$", "+00:00", re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", told))

    def inner(self, *names: str) -> Shape:
        """A nested object, empty where there is none."""
        value = self.get(*names)
        if value is not None and not isinstance(value, Mapping | str):
            raise InvalidRecord("holds no object where one is expected", where=names[0])
        return Shape(value) if isinstance(value, Mapping) else Shape({})

    def rows(self, *names: str) -> list[Shape] | None:
        """A list of objects; None where it is not told. What v1 (`{"data": [...]}`) and CRUD
        (`{"InvoicePayment": [...]}`) put around a list is taken off."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, Mapping):
                value = next((each for each in value.values() if isinstance(each, list)), None)
            if value is None or value == "":
                continue
            if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
                raise InvalidRecord("holds something else than a list of objects", where=name)
            return [Shape(row) for row in value]
        return None

    def each(self, *names: str) -> Iterator[Shape]:
        yield from self.rows(*names) or ()


def _in_zone(told: str, zone: str) -> str:
    """Data Query writes a region's name behind a time that it did not turn to UTC."""
    try:
        return datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(zone)).isoformat()
    except (ValueError, KeyError):
        return f"{told} {zone}"  # refused by the codec, as it stands there


def _folded(low: str) -> str:
    return low.replace("_", "")


def shape_of(raw: Raw) -> Shape:
    """The record inside an answer, or the record itself."""
    inner = raw.get("order")
    return Shape(inner if isinstance(inner, Mapping) and "orderNumber" not in raw else raw)


def common(shape: Shape, context: Context, *numbers: str) -> Raw:
    """What every record has. `numbers` are fields that may hold our own number."""
    custom = dict(shape.custom)
    netsuite = custom.pop("integrationid__ns", None)
    return {
        "id": shape.text("tieoutid", "id"),
        "created_at": shape.moment("createddate", "createdon"),
        "updated_at": shape.moment("updateddate", "updatedon"),
        "deleted": shape.flag("deleted", "isdeleted", "fivetrandeleted") or False,
        "our_key": _our_key(shape, custom, context, numbers),
        "netsuite": netsuite or None,
        "custom": {name: value for name, value in custom.items() if value not in (None, "")},
        "header": shape.fields,
    }


def _our_key(shape: Shape, custom: Raw, context: Context, numbers: tuple[str, ...]) -> str | None:
    """Our key: in a custom field, in the number that we gave, or marked in a comment."""
    named = context.options.get("key_field")
    for field in (str(named).lower(),) if named else _KEY_FIELDS:
        if key := custom.pop(field, None):
            return str(key)
    for name in numbers:
        told = shape.get(name)
        found = _NUMBER.match(str(told)) if told is not None else None
        if found:
            return base64.b32decode(found.group(1) + "======").hex()
    for name in ("comment", "comments", "notes", "description", "contactdescription"):
        told = shape.get(name)
        marked = _MARK.search(told) if isinstance(told, str) else None
        if marked:
            return marked.group(1)
    return None


def comment(shape: Shape, *names: str) -> str | None:
    """A comment without our mark."""
    told = shape.text(*names)
    return (_MARK.sub("", told) or None) if told else None


def currency_of(shape: Shape) -> tuple[str | None, str | None]:
    """The currency, and "account" where it is only the account's."""
    own = shape.text("currency", "transactioncurrency")
    if own:
        return own, None
    account = shape.inner("account").text("currency") or shape.text("accountcurrency")
    return account, "account" if account else None


def is_over(shape: Shape, end: str | None) -> bool | None:
    """Whether that day had come when the record was read; None where it is not told when."""
    ended, today = shape.flag("tieoutended"), shape.day("tieouttoday")
    if ended is not None or today is None:
        return ended
    return end is not None and end <= today


def letters(value: str | None) -> str | None:
    """`Flat Fee Pricing`, `FlatFee` and `flat_fee` alike: letters only, in lower case."""
    if value is None:
        return None
    return "".join(sign for sign in value.lower() if sign.isalnum())


PERIODS = {
    "month": ("month", 1),
    "quarter": ("month", 3),
    "semiannual": ("month", 6),
    "annual": ("year", 1),
    "eighteenmonths": ("month", 18),
    "twoyears": ("year", 2),
    "threeyears": ("year", 3),
    "fiveyears": ("year", 5),
    "week": ("week", 1),
    "specificmonths": ("month", 0),
    "specificweeks": ("week", 0),
    "specificdays": ("day", 0),
    "subscriptionterm": (None, None),
}


def interval(shape: Shape) -> tuple[str | None, int | None]:
    """(`month`, 3) for a quarter; (None, None) for what is charged once or per term."""
    told = letters(shape.text("billingperiod"))
    if told is None or charge_type(shape) == "onetime":
        return None, None
    if told not in PERIODS:
        raise InvalidRecord(
            f"{shape.text('billingperiod')!r} is not a billing period that is known",
            where="interval",
            hint="known: " + ", ".join(PERIODS),
        )
    unit, count = PERIODS[told]
    if count == 0:
        count = shape.whole("specificbillingperiod")
    return unit, count


def charge_type(shape: Shape) -> str | None:
    """onetime, recurring or usage, as it stands there."""
    return letters(shape.text("chargetype", "type"))


MODELS = "flatfee perunit tiered volume overage tieredwithoverage"


def charge_model(shape: Shape) -> str | None:
    """`Flat Fee Pricing` and `FlatFee` are flatfee."""
    told = letters(shape.text("chargemodel", "model"))
    return told.replace("pricing", "") or told if told else None
