"""The standard objects of an org, field by field.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .fields import Field, SObject, read_fields
from .standard import SINGLE_VALUES, STANDARD, TIEOUT_FIELDS, TIEOUT_OBJECTS

_AUDIT = """
CreatedDate datetime ro filled
CreatedById reference ro filled to:User.CreatedBy
LastModifiedDate datetime ro filled
LastModifiedById reference ro filled to:User.LastModifiedBy
SystemModstamp datetime ro filled "System Modstamp"
"""
_VIEWED = """
LastViewedDate datetime ro
LastReferencedDate datetime ro
"""
_ADDRESS = """
{0}Street textarea(255) of:{0}Address
{0}City string(40) of:{0}Address
{0}State string(80) of:{0}Address "{0} State/Province"
{0}PostalCode string(20) of:{0}Address "{0} Zip/Postal Code"
{0}Country string(80) of:{0}Address
{0}Latitude double(18,15) of:{0}Address
{0}Longitude double(18,15) of:{0}Address
{0}GeocodeAccuracy picklist(40) restricted of:{0}Address in:{1}
{0}Address address ro
"""
_PRECISIONS = (
    "Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|Unknown"
)
_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State")

_CODES = """
{0}StateCode string(10) of:{0}Address "{0} State/Province Code"
{0}CountryCode string(10) of:{0}Address "{0} Country Code"
"""


def standard_objects(
    multi_currency: bool, currency: str, codes: list[str], state_codes: bool
) -> dict[str, SObject]:
    """The objects of a fresh org; `codes` are its active currencies (multi-currency only).

    `state_codes`: the org uses state and country picklists, so addresses have codes, too.
    """
    found: dict[str, SObject] = {}
    for name, (prefix, words, text) in STANDARD.items():
        flags = set(words.split())
        if "multi" in flags and not multi_currency:
            continue
        fields = read_fields("Id id ro filled lookup\n" + _expanded(text))
        for parent in [one.name for one in fields.values() if one.type == "address"]:
            fields[parent] = replace(fields[parent], columns=_columns(parent))
            if state_codes:
                fields |= read_fields(_CODES.format(parent.removesuffix("Address")))
        if multi_currency and "money" in flags:
            fields |= {"CurrencyIsoCode": currency_field(currency, codes)}
        found[name] = SObject(
            name,
            prefix,
            fields,
            label=_LABELS.get(name, ("", ""))[0],
            plural=_LABELS.get(name, ("", ""))[1],
            createable="fixed" not in flags,
            updateable="fixed" not in flags,
            deletable="fixed" not in flags and "kept" not in flags,
            undeletable="fixed" not in flags and "kept" not in flags,
            mergeable="merges" in flags,
            replicateable="fixed" not in flags,
            bulk="nobulk" not in flags,
        )
    return found


def custom_object(
    name: str, prefix: str, text: str, multi_currency: bool, currency: str, codes: list[str]
) -> SObject:
    """A custom object: its own fields, and those that every custom object has."""
    own = read_fields(text)
    head = (
        "Id id ro filled lookup\nOwnerId reference to:User.Owner filled =me\nIsDeleted boolean ro"
    )
    if not any(one.name_field for one in own.values()):
        head += "\nName string(80) name lookup"
    fields = read_fields(head) | own
    if multi_currency:
        fields["CurrencyIsoCode"] = currency_field(currency, codes)
    fields |= read_fields(_AUDIT + _VIEWED)
    label = name.removesuffix("__c").replace("_", " ")
    return SObject(name, prefix, fields, label=label, plural=f"{label}s")


def default_custom_fields() -> Mapping[str, str]:
    """What TieOut's metadata package adds to standard objects."""
    return TIEOUT_FIELDS


def default_custom_objects() -> Mapping[str, str]:
    return TIEOUT_OBJECTS


def currency_field(currency: str, codes: list[str]) -> Field:
    """The record's currency: only an org with several has it."""
    return Field(
        "CurrencyIsoCode",
        "picklist",
        label="Currency ISO Code",
        length=255,
        restricted=True,
        nillable=False,
        default=currency,
        values=tuple(codes),
    )


def address_of(record: Mapping[str, object], compound: str) -> dict[str, object] | None:
    """A compound address made of its parts; None where all of them are empty."""
    stem = compound.removesuffix("Address")
    names = [*_PARTS, "Street"]
    names += [more for more in ("StateCode", "CountryCode") if stem + more in record]
    parts = {name[0].lower() + name[1:]: record.get(stem + name) for name in sorted(names)}
    return parts if any(value is not None for value in parts.values()) else None


def _columns(compound: str) -> tuple[str, ...]:
    stem = compound.removesuffix("Address")
    return tuple(stem + part for part in (*_PARTS, "Street"))


def _expanded(text: str) -> str:
    """The macros @audit, @viewed and @address:Stem written out, single values filled in."""
    lines = []
    for line in text.strip().splitlines():
        word = line.strip()
        if word == "@audit":
            lines.append(_AUDIT)
        elif word == "@viewed":
            lines.append(_VIEWED)
        elif word.startswith("@address:"):
            lines.append(_ADDRESS.format(word.partition(":")[2], _PRECISIONS))
        else:
            lines.append(word)
    filled = "\n".join(lines)
    for mark, values in SINGLE_VALUES.items():
        filled = filled.replace(f"in:{mark}", f"in:{values}")
    return filled


_LABELS = {
    "Opportunity": ("Opportunity", "Opportunities"),
    "OpportunityLineItem": ("Opportunity Product", "Opportunity Product"),
    "OrderItem": ("Order Product", "Order Products"),
    "Product2": ("Product", "Products"),
    "Pricebook2": ("Price Book", "Price Books"),
    "PricebookEntry": ("Price Book Entry", "Price Book Entries"),
    "CurrencyType": ("Currency Type", "Currency Type"),
}
