"""What a record that is loaded leaves out, filled in as Salesforce would have it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .fields import SObject
from .rules_orders import term_end
from .rules_sales import full_name, set_amounts, set_stage
from .standard import CONTRACT_STATUSES, ORDER_STATUSES
from .store import Row, Store


def filler(store: Store, me: str, now: Callable[[], str], currency: str) -> Callable[..., Row]:
    """A function (type, row) -> the fields that the row lacks."""

    def fill(type: SObject, row: Row) -> Row:
        fields = type.fields
        made: Row = {}
        stamp = row.get("SystemModstamp") or row.get("LastModifiedDate") or now()
        for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            if name in fields and row.get(name) is None:
                made[name] = row.get("CreatedDate") or stamp if name != "CreatedDate" else stamp
        for name in ("CreatedById", "LastModifiedById", "OwnerId"):
            if name in fields and row.get(name) is None:
                made[name] = me
        if "CurrencyIsoCode" in fields and row.get("CurrencyIsoCode") is None:
            made["CurrencyIsoCode"] = currency
        for one in type.stored:
            if one.auto_number and row.get(one.name) is None:
                made[one.name] = store.next_number(type, one)
        special = _SPECIAL.get(type.name)
        if special is not None:
            made |= {
                name: value
                for name, value in special(row).items()
                if row.get(name) is None and value is not None
            }
        return made

    return fill


def _person(row: Row) -> Row:
    return {"Name": full_name(row)} if row.get("Name") is None else {}


def _account(row: Row) -> Row:
    return {"PhotoUrl": f"/services/images/photo/{row['Id']}"}


_DERIVED = ("IsClosed", "IsWon", "ForecastCategory", "ExpectedRevenue", "Fiscal")


def _opportunity(row: Row) -> Row:
    if not row.get("StageName") or not row.get("CloseDate"):
        return {}
    if all(name in row for name in _DERIVED):
        return {}
    names = ("StageName", "CloseDate", "Amount", "Probability", "ForecastCategoryName")
    new: Row = {name: row.get(name) for name in names}
    given = {name for name in names if row.get(name) is not None}
    for name in ("Amount", "Probability"):
        new[name] = None if new[name] is None else Decimal(str(new[name]))
    set_stage(new, True, given)
    set_amounts(new)
    return {name: value for name, value in new.items() if name not in row}


def _contract(row: Row) -> Row:
    status = row.get("Status") or "Draft"
    term = row.get("ContractTerm")
    ends = term_end(row.get("StartDate"), int(term)) if term else None
    return {
        "Status": status,
        "StatusCode": CONTRACT_STATUSES.get(status, "Draft"),
        "EndDate": ends,
    }


def _order(row: Row) -> Row:
    status = row.get("Status") or "Draft"
    return {"Status": status, "StatusCode": ORDER_STATUSES.get(status, "Draft"), "TotalAmount": 0}


def _line(row: Row) -> Row:
    quantity, price = row.get("Quantity"), row.get("UnitPrice")
    if quantity is None or price is None:
        return {}
    return {"TotalPrice": Decimal(str(quantity)) * Decimal(str(price))}


_SPECIAL: dict[str, Callable[[Row], dict[str, Any]]] = {
    "Account": _account,
    "Contact": _person,
    "Lead": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "OpportunityLineItem": _line,
    "Contract": _contract,
    "Order": _order,
    "OrderItem": _line,
}
