"""Codecs of countries, languages and addresses."""

from __future__ import annotations

from typing import Any, ClassVar

from tieout.core.entities import Address

from .codec import (
    Checks,
    Codec,
    Options,
    Partly,
    is_text,
    is_texts,
    lookup_table,
    register,
    texts,
    wrong_type,
)
from .countries import CODES, country_code, language_tag
from .forms import Context
from .paths import first_getter, put, steps_of

PARTS = Address.__struct_fields__


@register
class Country(Codec):
    """An ISO 3166-1 alpha-2 code, also from alpha-3 codes and CLDR's English names.

    What names no country is kept in `custom` as received.
    """

    name = "country"
    gives = str

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is not str:
            raise wrong_type(value, "a country")
        if not value.strip():
            return None
        return country_code(value) or Partly(None, {"": value})

    def render(self, value: Any, currency: str | None) -> Any:
        return value


@register
class Language(Codec):
    """A BCP 47 tag. What is none is kept in `custom` as received."""

    name = "language"
    gives = str

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is not str:
            raise wrong_type(value, "a language")
        if not value.strip():
            return None
        return language_tag(value) or Partly(None, {"": value})

    def render(self, value: Any, currency: str | None) -> Any:
        return value


def _is_parts(value: Any) -> str:
    if not isinstance(value, dict):
        return "must be a table such as {line1: addr1, postal_code: zip}"
    if unknown := sorted(set(value) - set(PARTS)):
        return f"unknown part {unknown[0]!r}; parts are " + ", ".join(PARTS)
    return next((problem for each in value.values() if (problem := is_texts(each))), "")


@register
class AddressCodec(Codec):
    """An address object. `parts` names the provider's field for each of ours, where different;

    a list of fields is joined by ", ". `country_table` reads country names that are looked up.
    An address with nothing in it is null.
    """

    name = "address"
    gives = Address
    options: ClassVar[Checks] = {"parts": _is_parts, "country_table": is_text}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        paths = {part: texts((options.get("parts") or {}).get(part, part)) for part in PARTS}
        self.steps = {part: steps_of(found[0]) for part, found in paths.items()}
        self.readers = {
            part: [first_getter((path,)) for path in found] for part, found in paths.items()
        }
        self.countries = lookup_table(context, options.get("country_table"))
        self.simple = all(found == (part,) for part, found in paths.items())

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is not dict:
            raise wrong_type(value, "an address")
        if self.simple:
            found = {part: value.get(part) or None for part in PARTS}
        else:
            found = {part: self._joined(part, value) for part in PARTS}
        country = found["country"]
        if type(country) is dict:  # a reference, as NetSuite has it
            country = found["country"] = country.get("id")
        if country is None or country in CODES:
            return _address(found)
        found["country"] = country_code(str(self.countries.get(country, country)))
        if found["country"] is None:
            return Partly(_address(found), {"country": country})
        return _address(found)

    def _joined(self, part: str, value: dict[str, Any]) -> str | None:
        rows = [read(value) for read in self.readers[part]]
        return ", ".join(str(row) for row in rows if row is not None and row != "") or None

    def render(self, value: Any, currency: str | None) -> Any:
        body: dict[str, Any] = {}
        for part, steps in self.steps.items():
            put(body, steps, getattr(value, part))
        return body


def _address(found: dict[str, Any]) -> Address | None:
    if not any(found.values()):
        return None
    for part, value in found.items():
        if value is not None and type(value) is not str:
            raise wrong_type(value, f"text ({part})")
    return Address(**found)
