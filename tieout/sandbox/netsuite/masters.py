"""What must be true of customers, contacts, items and the lists before they are saved."""

from __future__ import annotations

from .books import Body, Books, Record, ref_id
from .catalog import ITEMS, TYPES, RecordType
from .errors import invalid_reference, missing_value, user_error
from .money import base_currency


def complete(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    """Fill in defaults and refuse what NetSuite refuses. Raises Refusal."""
    if type.name == "customer":
        _customer(books, body, before)
    elif type.name == "contact":
        _contact(body)
    elif type.group == ITEMS:
        _item(books, body, before)
    else:
        _listed(type, body)
    if "isInactive" in type.fields:
        body.setdefault("isInactive", False)


def _customer(books: Books, body: Body, before: Record | None) -> None:
    body.setdefault("isPerson", False)
    if body["isPerson"] and not (body.get("firstName") and body.get("lastName")):
        raise missing_value("Name")
    if not body["isPerson"] and not (body.get("companyName") or body.get("entityId")):
        raise missing_value("Company Name")
    person = " ".join(str(body[name]) for name in ("firstName", "lastName") if body.get(name))
    if not body.get("entityId"):
        body["entityId"] = person if body["isPerson"] else body["companyName"]
    _one_name(books, body, before)
    if books.one_world and not ref_id(body.get("subsidiary")):
        raise missing_value("Primary Subsidiary")
    if not body.get("currency"):
        body["currency"] = _home_currency(books, body)
    if before is not None and _trades_in_another(books, before, body):
        raise user_error("The primary currency of a customer with transactions cannot be changed.")
    listed = body.setdefault("currencyList", {"items": []})["items"]
    if ref_id(body["currency"]) not in {ref_id(line.get("currency")) for line in listed}:
        listed.append({"currency": body["currency"]})


def _one_name(books: Books, body: Body, before: Record | None) -> None:
    if books.allow_name_twice:
        return
    wanted = str(body["entityId"]).lower()
    for other in books.all_of(TYPES["customer"]).values():
        if other is not before and str(other.body.get("entityId") or "").lower() == wanted:
            raise user_error(
                "A customer record with this ID already exists. You must enter a unique customer "
                "ID for each record you create."
            )


def _home_currency(books: Books, body: Body) -> Body | None:
    subsidiary = books.find("subsidiary", ref_id(body.get("subsidiary")))
    if subsidiary is not None and subsidiary.body.get("currency"):
        home: Body = subsidiary.body["currency"]
        return home
    base = base_currency(books)
    return {"id": base.id, "refName": str(base.body.get("name") or "")} if base else None


def _trades_in_another(books: Books, before: Record, body: Body) -> bool:
    changed = ref_id(before.body.get("currency")) != ref_id(body.get("currency"))
    return changed and bool(books.of_entity.get(before.id))


def _contact(body: Body) -> None:
    if not body.get("entityId"):
        names = (body.get("firstName"), body.get("lastName"))
        body["entityId"] = " ".join(str(name) for name in names if name)
    if not body["entityId"]:
        raise missing_value("Name")


def _item(books: Books, body: Body, before: Record | None) -> None:
    if not body.get("itemId"):
        raise missing_value("Item Name/Number")
    wanted = str(body["itemId"]).lower()
    for type in TYPES.values():
        if type.group != ITEMS:
            continue
        for other in books.all_of(type).values():
            if other is not before and str(other.body.get("itemId") or "").lower() == wanted:
                raise user_error(
                    "Uniqueness error - there is already an item with that name or external id."
                )


_MUST_HAVE = {
    "currency": ("name", "Name"),
    "subsidiary": ("name", "Name"),
    "account": ("acctName", "Name"),
    "term": ("name", "Terms"),
    "accountingPeriod": ("periodName", "Period Name"),
}


def _listed(type: RecordType, body: Body) -> None:
    name, label = _MUST_HAVE[type.name]
    if not body.get(name):
        raise missing_value(label)


def currencies_of(customer: Record) -> set[str]:
    """Ids of the currencies that a customer may be billed in; empty when none is stated."""
    allowed = {ref_id(line.get("currency")) for line in customer.lines("currencyList")}
    return (allowed | {ref_id(customer.body.get("currency"))}) - {""}


def subsidiaries_of(customer: Record) -> set[str]:
    also = {ref_id(line.get("subsidiary")) for line in customer.lines("subsidiaries")}
    return (also | {ref_id(customer.body.get("subsidiary"))}) - {""}


def owner_of(books: Books, body: Body, name: str) -> Record:
    """The customer of a transaction. Raises Refusal when there is none."""
    reference = body.get(name)
    if not ref_id(reference):
        raise missing_value("Customer")
    found = books.find("customer", ref_id(reference))
    if found is None:
        raise invalid_reference(ref_id(reference), name, name)
    return found
