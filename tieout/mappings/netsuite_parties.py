"""Customers, contacts, items and their prices."""

from __future__ import annotations

import re
from typing import Any

from .forms import Context, prepares
from .netsuite_countries import soap_country, soap_language
from .netsuite_records import common, currency_of, lookup_rows
from .netsuite_shapes import Raw, Shape, shape_of, text_of

_NET_DAYS = re.compile(r"net\s*(\d{1,3})\b|\b(\d{1,3})\s*days?\b", re.I)
# Due a number of days after the month, or on a day of it: no number of days from the invoice.
_BY_MONTH = re.compile(r"\b(eom|prox|end of (the )?month|\d+(st|nd|rd|th))\b", re.I)
_ON_RECEIPT = re.compile(r"(due )?(up)?on receipt|immediate", re.I)
_BOOKS = ("addressbook", "addressbooklist", "addresses")


@prepares("netsuite.customer")
def customer(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    balance = shape.amount("balance", "balancesearch")
    return {
        **common(shape, "customer", context),
        "name": _name(shape),
        "person": shape.flag("isperson"),
        "email": shape.text("email"),
        "phone": shape.text("phone"),
        "inactive": shape.flag("isinactive"),
        "currency": currency_of(shape, context, needed=bool(balance), default=False),
        "tax_id": shape.text("vatregnumber"),
        "language": soap_language(shape.text("language")),
        "billing_address": _address(shape, "defaultbilling"),
        "shipping_address": _address(shape, "defaultshipping"),
        "parent": shape.ref("parent").id,
        "terms_days": _days(shape, context),
        "balance": balance,
    }


def _name(shape: Shape) -> str | None:
    """The company where there is one, else the person, else what NetSuite shows in lists."""
    person = " ".join(filter(None, (shape.text("firstname"), shape.text("lastname"))))
    return shape.text("companyname") or person or shape.text("altname", "entityid")


def _days(shape: Shape, context: Context) -> int | None:
    """Payment terms as days: the joined number, a lookup, or a name such as "Net 30"."""
    joined = shape.amount("termdays")
    if joined is not None:
        return int(joined)
    terms = shape.ref("terms")
    for key, row in lookup_rows(context.lookups.get("term") or context.lookups.get("terms")):
        if terms.id is not None and str(key if key is not None else row.get("id")) == terms.id:
            told = row.get("daysuntilnetdue", row.get("symbol", row.get("name")))
            return int(told) if isinstance(told, int) else _named_days(text_of(told))
    return _named_days(shape.text("termname") or terms.name)


def _named_days(name: str | None) -> int | None:
    if not name or _BY_MONTH.search(name):
        return None
    if _ON_RECEIPT.search(name):
        return 0
    if name.isdigit():
        return int(name)
    found = _NET_DAYS.search(name)
    return int(found.group(1) or found.group(2)) if found else None


def _address(shape: Shape, default: str) -> Raw | None:
    """The address book's entry that is the default for this purpose."""
    for row in shape.rows(*_BOOKS) or ():
        if row.flag(default):
            inner = row.fields.get("addressbookaddress")
            held = shape_of(inner, form=shape.form) if isinstance(inner, dict) else row
            return _parts(held)
    return None


def _parts(held: Shape) -> Raw:
    country = held.fields.get("country")
    return {
        "line1": held.text("addr1"),
        "line2": ", ".join(filter(None, (held.text("addr2"), held.text("addr3")))) or None,
        "city": held.text("city"),
        "state": held.text("state", "dropdownstate"),
        "postal_code": held.text("zip"),
        "country": _country(country),
    }


def _country(value: Any) -> str | None:
    """REST's {id: US}, SuiteQL's US, SOAP's _unitedStates as words that the codec looks up."""
    text = text_of(value)
    if text and text.startswith("_"):
        return soap_country(text)
    return text


@prepares("netsuite.contact")
def contact(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    return {
        **common(shape, "contact", context),
        "customer": shape.ref("company").id,
        "first_name": shape.text("firstname"),
        "last_name": shape.text("lastname"),
        "email": shape.text("email"),
        "phone": shape.text("phone", "officephone", "mobilephone"),
        "role": _role(shape),
    }


def _role(shape: Shape) -> str | None:
    """Roles are the account's own list: only "primary" and "billing" mean something to us."""
    ref = shape.ref("contactrole")
    name = (shape.text("rolename") or ref.name or "").lower()
    if not name:
        return None
    return next((word for word in ("primary", "billing") if word in name), "other")


@prepares("netsuite.product")
def product(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    inactive = shape.flag("isinactive")
    # fullname is the item id after those of its parents: "Plans : Gold".
    sku = shape.text("itemid") or (shape.text("fullname") or "").rpartition(" : ")[2] or None
    return {
        **common(shape, "product", context),
        "name": shape.text("displayname") or sku,
        "sku": sku,
        "description": shape.text("salesdescription", "description"),
        "active": None if inactive is None else not inactive,
        "unit_label": shape.ref("saleunit").name,
        "item_type": shape.text("itemtype"),
    }


@prepares("netsuite.price")
def price(raw: Raw, context: Context) -> Raw:
    """A price of an item at a price level in a currency, as the connector makes it of the matrix.

    Several amounts are quantity breaks, each the price of all units from its quantity on: scheme
    volume. From which quantities is not told.
    """
    shape = shape_of(raw)
    amounts = [row.amount("unitprice") for row in shape.rows("prices") or ()]
    inactive = shape.flag("isinactive")
    found = common(shape, "product", context)
    item = shape.ref("item").id
    return {
        **found,
        "url": str(found["url"]).rpartition("=")[0] + f"={item}" if found["url"] else None,
        "product": item,
        "name": shape.text("levelname"),
        "level": shape.text("pricelevel"),
        "currency": currency_of(shape, context, needed=bool(amounts)),
        "unit_amount": amounts[0] if len(amounts) == 1 else None,
        "scheme": "volume" if len(amounts) > 1 else "per_unit",
        "active": None if inactive is None else not inactive,
    }
