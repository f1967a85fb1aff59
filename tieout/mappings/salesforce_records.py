"""What all of Salesforce's records have in common: ids, keys, addresses, custom fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord

from .forms import Context
from .salesforce_events import as_record
from .shown import shown

Raw = dict[str, Any]

_SHORT = re.compile(r"[A-Za-z0-9]{15}\Z")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.000(?:\+0000|Z)\Z", re.ASCII)
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
# (our part, the field's ending, the key in a compound address)
_PARTS = (
    ("city", "City", "city"),
    ("postal_code", "PostalCode", "postalCode"),
)


def opened(raw: Raw, *objects: str) -> Raw:
    """The record, taken out of its change event; InvalidRecord where it is none of these."""
    found = as_record(raw) if isinstance(raw.get("ChangeEventHeader"), dict) else raw
    told = found.get("attributes")
    name = told.get("type") if isinstance(told, dict) else None
    if name is not None and name not in objects:
        raise InvalidRecord(f"is a Salesforce {name}, not {' or '.join(objects)}")
    return found


def long_id(value: Any) -> Any:
    """The 18 characters of an id of 15; anything else as it is."""
    if not isinstance(value, str) or not _SHORT.match(value):
        return value
    return value + "".join(_SIGNS[_capitals(value[start : start + 5])] for start in (0, 5, 10))


def _capitals(five: str) -> int:
    return sum(1 << place for place, sign in enumerate(five) if "A" <= sign <= "Z")


def id_of(raw: Raw, name: str) -> Any:
    """A reference in 18 characters; null for none."""
    return long_id(raw.get(name)) or None


def text_of(raw: Raw, name: str) -> str | None:
    """A text field; InvalidRecord where it holds something else."""
    value = raw.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidRecord(f"{shown(value)} is not text", where=name)
    return value


def common(raw: Raw, context: Context, **worked_out: Any) -> Raw:
    """The form of a record: itself, with what had to be worked out under `tieout`."""
    key_field = str(raw.get("tieout_key_field") or context.options.get("key_field") or "")
    id, org = long_id(raw.get("Id")), raw.get("tieout_org_url")
    return {
        **raw,
        **_flags(raw),
        "tieout": {
            "id": id,
            "key": raw.get(key_field) or None,
            "url": f"{org}/{id}" if isinstance(org, str) and isinstance(id, str) else None,
            "currency": raw.get("CurrencyIsoCode") or context.currency,
            "custom": _custom(raw, key_field),
            "owner_id": id_of(raw, "OwnerId"),
            **worked_out,
        },
    }


def _flags(raw: Raw) -> dict[str, bool]:
    """Yes and no of a CSV, where every value is a text."""
    return {
        name: value == "true"
        for name, value in raw.items()
        if value.__class__ is str and value in ("true", "false") and name.startswith(("Is", "Has"))
    }


def _custom(raw: Mapping[str, Any], key_field: str) -> dict[str, Any]:
    """The org's own fields, without the one that holds our key."""
    return {
        name: _plain(value)
        for name, value in raw.items()
        if name.endswith("__c") and name != key_field and value not in (None, "")
    }


def _plain(value: Any) -> Any:
    """2.0 and 2 are one number, but not one text; REST and Bulk API write times differently."""
    if isinstance(value, str) and (found := _TIME.match(value)):
        return f"{found[1]}Z"
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    return value


def address(raw: Raw, prefix: str) -> Raw | None:
    """An address from its single fields, or else from the compound one."""
    held = raw.get(f"{prefix}Address")
    compound: Raw = held if isinstance(held, dict) else {}

    def part(ending: str, key: str) -> Any:
        value = raw.get(prefix + ending) or compound.get(key) or None
        if isinstance(value, list | dict):
            raise InvalidRecord(f"{shown(value)} is not text", where=prefix + ending)
        return value

    lines = str(part("Street", "street") or "").replace("\r\n", "\n").split("\n")
    lines = [line.strip() for line in lines if line.strip()]
    found = {
        "line1": lines[0] if lines else None,
        "line2": ", ".join(lines[1:]) or None,
        **{ours: part(ending, key) for ours, ending, key in _PARTS},
        "state": part("StateCode", "stateCode") or part("State", "state"),
        "country": part("CountryCode", "countryCode") or part("Country", "country"),
    }
    return found if any(found.values()) else None


def address_body(prefix: str, held: Mapping[str, Any] | None, codes: bool) -> Raw:
    """Our address as the single fields of one prefix; all of them null where there is none."""
    told = held or {}
    street = [told.get("line1"), told.get("line2")]
    ending = "Code" if codes else ""
    return {
        f"{prefix}Street": "\n".join(filter(None, street)) or None,
        f"{prefix}City": told.get("city"),
        f"{prefix}PostalCode": told.get("postal_code"),
        f"{prefix}State{ending}": told.get("state"),
        f"{prefix}Country{ending}": told.get("country"),
    }
