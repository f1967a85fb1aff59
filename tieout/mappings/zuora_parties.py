"""Accounts and contacts."""

from __future__ import annotations

import re
from decimal import Decimal

from .forms import Context, prepares
from .zuora_shapes import Raw, Shape, comment, common, letters, shape_of

_NET = re.compile(r"^\s*net\s*(\d{1,4})\s*$", re.I)
_AT_ONCE = re.compile(r"^\s*due\s+(up)?on\s+receipt\s*$", re.I)


@prepares("zuora.customer")
def customer(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    bill_to = _contact(shape, "billto", "billtoid", "billtocontactid", "billtocontact")
    sold_to = _contact(shape, "soldto", "soldtoid", "soldtocontactid", "soldtocontact")
    currency = shape.text("currency")
    found = common(shape, context, "accountnumber")
    return {
        **found,
        "number": shape.text("accountnumber"),
        "name": shape.text("name"),
        "email": _email(bill_to),
        "phone": _phone(bill_to),
        "status": "canceled" if found["deleted"] else letters(shape.text("status")),
        "account_status": shape.text("status"),
        "currency": currency,
        "tax_id": shape.text("vatid"),
        "billing_address": _address(bill_to),
        "shipping_address": _address(sold_to),
        "parent": shape.text("parentid", "parentaccountid"),
        "terms_days": terms_days(shape.text("paymentterm")),
        "crm": shape.text("crmid"),
        "credit": _credit(shape, currency),
        "balance": shape.number("balance"),
        "payment_term": shape.text("paymentterm"),
        "batch": shape.text("batch"),
        "auto_pay": shape.flag("autopay"),
    }


def _contact(shape: Shape, expanded: str, *names: str) -> Shape:
    """The contact expanded, nested, or found among the account's contacts by its id."""
    for name in (expanded, f"{expanded}contact"):
        inner = shape.inner(name)
        if inner.fields:
            return inner
    id = next((shape.text(name) for name in names if _is_text(shape, name)), None)
    return next((row for row in shape.each("contacts") if id and row.text("id") == id), Shape({}))


def _is_text(shape: Shape, name: str) -> bool:
    return isinstance(shape.get(name), str)


def _credit(shape: Shape, currency: str | None) -> Decimal | None:
    """Credit balance, unapplied payments and unapplied credit memos."""
    in_currency = next(
        (row for row in shape.each("metricsdata") if row.text("currency") == currency), Shape({})
    )
    parts = [
        shape.number("creditbalance"),
        _first(shape, in_currency, "unappliedbalance", "unappliedpaymentamount"),
        _first(shape, in_currency, "unappliedcreditmemoamount"),
    ]
    told = [part for part in parts if part is not None]
    return sum(told, Decimal(0)) if told else None


def _first(shape: Shape, other: Shape, *names: str) -> Decimal | None:
    found = shape.number(*names)
    return other.number(*names) if found is None else found


def terms_days(term: str | None) -> int | None:
    """`Net 30` is 30, `Due Upon Receipt` 0; a term of the tenant's own is not guessed."""
    if term is None:
        return None
    if found := _NET.match(term):
        return int(found.group(1))
    return 0 if _AT_ONCE.match(term) else None


def _email(contact: Shape) -> str | None:
    return contact.text("workemail", "personalemail")


def _phone(contact: Shape) -> str | None:
    return contact.text("workphone", "mobilephone", "homephone", "otherphone")


def _address(contact: Shape) -> Raw | None:
    found = {
        "line1": contact.text("address1"),
        "line2": contact.text("address2"),
        "city": contact.text("city"),
        "state": contact.text("state"),
        "postal_code": contact.text("postalcode", "zipcode"),
        "country": contact.text("country"),
    }
    if found["line1"] is None:
        found["line1"], found["line2"] = found["line2"], None
    return found if any(found.values()) else None


@prepares("zuora.contact")
def contact(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, context)
    address = _address(shape) or {}
    told = {f"address_{part}": value for part, value in address.items() if value is not None}
    return {
        **found,
        "customer": shape.text("accountid"),
        "first_name": shape.text("firstname"),
        "last_name": shape.text("lastname"),
        "email": _email(shape),
        "phone": _phone(shape),
        "role": _role(shape),
        "description": comment(shape, "contactdescription", "description"),
        "custom": {**told, **found["custom"]},
    }


def _role(shape: Shape) -> str | None:
    """Billing where it is a bill-to contact; only Object Query tells what a contact is for."""
    if shape.flag("asbillto"):
        return "billing"
    return "other" if shape.told("asbillto", "assoldto", "asshipto") else None
