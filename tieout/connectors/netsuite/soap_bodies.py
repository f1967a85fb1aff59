"""Bodies of the record API as SOAP records: the same fields, in the schema's types.

The mapping writes one form of body for both interfaces: `{"entity": {"id": "7"}, "item":
{"items": [...]}, "custbody_x": "..."}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tieout.core.errors import InvalidRecord
from tieout.core.money import plain

from .soap_client import SoapClient

# SOAP sends a calendar date as midnight Pacific:
# https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1521451348.html
PACIFIC = ZoneInfo("America/Los_Angeles")
_CUSTOM = re.compile(r"cust(body|entity|item|col)_?\w", re.I)
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")

# Where the enumeration Country has other words than the English names run together.
_COUNTRIES = {
    "BO": "boliviaPlurinationalStateOf", "BQ": "bonaireSintEustatiusAndSaba",
    "BN": "bruneiDarussalam", "CG": "congo", "CD": "congoTheDemocraticRepublicOfThe",
    "FK": "falklandIslandsMalvinas", "VA": "holySee", "IR": "iranIslamicRepublicOf",
    "KP": "koreaTheDemocraticPeoplesRepublicOf", "KR": "koreaTheRepublicOf",
    "LA": "laoPeoplesDemocraticRepublic", "FM": "micronesiaFederatedStatesOf",
    "MD": "moldovaTheRepublicOf", "MM": "myanmar", "PS": "palestineStateOf", "PN": "pitcairn",
    "RU": "russianFederation", "BL": "saintBarthelemy", "KN": "saintKittsAndNevis",
    "LC": "saintLucia", "MF": "saintMartinFrenchPart", "PM": "saintPierreAndMiquelon",
    "VC": "saintVincentAndTheGrenadines", "SX": "sintMaartenDutchPart",
    "SY": "syrianArabRepublic", "TZ": "tanzaniaTheUnitedRepublicOf",
    "VE": "venezuelaBolivarianRepublicOf", "VG": "virginIslandsBritish", "VI": "virginIslandsUS",
    "WF": "wallisAndFutunaIslands",
}  # fmt: skip


class Bodies:
    """Makes records of one WSDL."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client

    def record(self, type: str, body: Mapping[str, Any], **ids: str) -> Any:
        """A record of this type (`invoice`). InvalidRecord for a field that SOAP does not have."""
        return self._filled(type[0].upper() + type[1:], body, **ids)

    def _filled(self, name: str, body: Mapping[str, Any], **ids: str) -> Any:
        elements = {key.lower(): (key, each) for key, each in self._client.wsdl.type(name).elements}
        fields: dict[str, Any] = {}
        custom, emptied = [], []
        for key, value in body.items():
            if _CUSTOM.match(key) and key.lower() not in elements:
                custom.append(self._custom(key, value))
                continue
            spelled = _spelled(key, value, elements)
            if spelled is None:
                raise InvalidRecord(
                    f"SOAP's {name} has no field {key}",
                    hint="correct the mapping or overlay, or use transport: rest",
                )
            if value is None:
                emptied.append(spelled[0])
            else:
                fields[spelled[0]] = self._value(spelled[1], value)
        if custom:
            fields["customFieldList"] = self._client.make("CustomFieldList", customField=custom)
        if emptied:
            fields["nullFieldList"] = self._client.make("NullField", name=emptied)
        return self._client.make(name, **fields, **ids)

    def _value(self, element: Any, value: Any) -> Any:
        kind = str(element.type.name)
        if isinstance(value, Mapping) and isinstance(value.get("items"), list):
            line, inner = element.type.elements[0]
            made = [self._filled(inner.type.name, each) for each in value["items"]]
            return self._client.make(kind, **{line: made}, replaceAll=True)
        if kind == "RecordRef":
            return self._reference(value)
        if isinstance(value, Mapping) and hasattr(element.type, "elements"):
            return self._filled(kind, value)
        return self._plain(kind, value)

    def _reference(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            id, external = value.get("id"), value.get("externalId")
            if id is None and external is not None:
                return self._client.make("RecordRef", externalId=str(external))
            value = id
        if value in (None, ""):
            raise InvalidRecord("a reference has no id")
        return self._client.make("RecordRef", internalId=str(value))

    def _plain(self, kind: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            value = value.get("id", value.get("refName"))
        if kind == "Country":
            return _country(str(value), self._client.wsdl.words.get("Country", frozenset()))
        if kind == "dateTime":
            return _moment(value)
        if kind in ("long", "int", "short"):
            return int(value)
        if kind == "string":
            return plain(value) if isinstance(value, Decimal | int) else str(value)
        if kind == "decimal" and isinstance(value, str):
            return Decimal(value)
        return value

    def _custom(self, key: str, value: Any) -> Any:
        kind, held = "String", value
        if isinstance(value, bool):
            kind = "Boolean"
        elif isinstance(value, Mapping):
            kind = "Select"
            held = self._client.make("ListOrRecordRef", internalId=str(value.get("id")))
        elif isinstance(value, int):
            kind = "Long"
        elif isinstance(value, Decimal):
            kind = "Double"
        elif isinstance(value, str) and _DAY.match(value):
            kind, held = "Date", _moment(value)
        return self._client.make(f"{kind}CustomFieldRef", scriptId=key.lower(), value=held)


def _spelled(key: str, value: Any, elements: Mapping[str, Any]) -> Any:
    """(name, element): a sublist `item` is `itemList`, every other name only differs in case."""
    low = key.lower()
    is_list = isinstance(value, Mapping) and isinstance(value.get("items"), list)
    if is_list and f"{low}list" in elements:
        return elements[f"{low}list"]
    return elements.get(low)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRecord(f"{text[:40]!r} is not a date") from None
    return found if found.tzinfo else found.replace(tzinfo=PACIFIC)


def _country(code: str, words: frozenset[str]) -> str:
    """`DE` as `_germany`."""
    wanted = _squashed(_COUNTRIES.get(code.upper()) or _names().get(code.upper(), code))
    for word in words:
        if _squashed(word) == wanted:
            return word
    raise InvalidRecord(f"NetSuite's SOAP has no word for the country {code}")


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    from babel import Locale

    return {str(code): str(name) for code, name in Locale("en").territories.items()}


def _squashed(text: str) -> str:
    """Letters only, without "and" or "&": names differ in how they join."""
    low = text.lower().replace("&", "").replace("-", " ")
    return "".join(sign for sign in low if sign.isalpha() and sign.isascii())
