"""Contracts and orders: draft first, then activated; what is in force can't be taken apart.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contract.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_order.htm
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import Decimal

from .errors import Refusal, integrity
from .rules_sales import NoRules, from_entry, round2, same_book, usable_entry
from .saving import Org
from .standard import CONTRACT_STATUSES, ORDER_STATUSES
from .store import Row


def _code(statuses: dict[str, str], status: str, what: str) -> str:
    found = {name.lower(): code for name, code in statuses.items()}.get(str(status).lower())
    if found is None:
        raise _bad_status(what)
    return found


def _bad_status(what: str) -> Refusal:
    return Refusal(
        "FAILED_ACTIVATION",
        f"Choose a valid {what} status and save your changes. Ask your admin for details.",
        ["Status"],
    )


def activate(org: Org, old: Row | None, new: Row, statuses: dict[str, str], what: str) -> bool:
    """Set the status code; whether the record comes into force now. A new one must be a draft."""
    new["StatusCode"] = _code(statuses, new["Status"], what)
    if old is None and new["StatusCode"] != "Draft":
        raise _bad_status(what)
    begins = new["StatusCode"] == "Activated" and (old or {}).get("StatusCode") != "Activated"
    if begins:
        new["ActivatedDate"], new["ActivatedById"] = org.now, org.me
    return begins


class ContractRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        activate(org, old, new, CONTRACT_STATUSES, "contract")
        in_force = old is not None and old["StatusCode"] == "Activated"
        if in_force and new["StatusCode"] != "Activated":
            raise _bad_status("contract")
        term = new["ContractTerm"]
        if term is not None and term <= 0:
            raise integrity("Contract Term: contract term must be positive", "ContractTerm")
        new["EndDate"] = term_end(new["StartDate"], term)

    def deleting(self, org: Org, old: Row) -> None:
        if old["StatusCode"] == "Activated":
            raise Refusal(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", []
            )


def term_end(start: str | None, months: int | None) -> str | None:
    """The last day of a term that opens on `start`."""
    if start is None or months is None:
        return None
    first = date.fromisoformat(start)
    index = first.year * 12 + first.month - 1 + months
    year, month = index // 12, index % 12 + 1
    day = min(first.day, calendar.monthrange(year, month)[1])
    return (date(year, month, day) - timedelta(days=1)).isoformat()


class OrderRules(NoRules):
    _FROZEN = ("AccountId", "Pricebook2Id", "ContractId", "CurrencyIsoCode", "OriginalOrderId")

    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        self._owner(org, new)
        begins = activate(org, old, new, ORDER_STATUSES, "order")
        in_force = old is not None and old["StatusCode"] == "Activated"
        if old is not None and in_force:
            self._stays(old, new)
        if begins:
            self._may_begin(org, new)
        if in_force and new["StatusCode"] == "Draft":
            new["ActivatedDate"] = new["ActivatedById"] = None
        if new["IsReductionOrder"]:
            self._reduces(org, new)
        if old is None:
            new["TotalAmount"] = Decimal(0)

    def _owner(self, org: Org, new: Row) -> None:
        contract = org.peek("Contract", new["ContractId"])
        if contract is not None:
            new["AccountId"] = new["AccountId"] or contract["AccountId"]
            self._inside(new, contract)
        if new["AccountId"] is None:
            raise Refusal(
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [AccountId]",
                ["AccountId"],
            )
        if contract is not None and contract["AccountId"] != new["AccountId"]:
            raise integrity("Contract ID: the contract belongs to another account", "ContractId")
        if new["EndDate"] is not None and new["EndDate"] < new["EffectiveDate"]:
            raise integrity(
                "Order End Date: the order end date can't be before the order start date",
                "EndDate",
            )

    @staticmethod
    def _inside(new: Row, contract: Row) -> None:
        start, end = contract["StartDate"], contract["EndDate"]
        if end is not None and new["EffectiveDate"] > end:
            raise integrity(
                "Order Start Date can't be later than its contract's end date.: Order Start Date",
                "EffectiveDate",
            )
        if start is not None and new["EffectiveDate"] < start:
            raise integrity(
                "Order Start Date can't be earlier than its contract's start date.: "
                "Order Start Date",
                "EffectiveDate",
            )

    def _stays(self, old: Row, new: Row) -> None:
        changed = [name for name in self._FROZEN if name in new and new[name] != old[name]]
        if changed and new["StatusCode"] != "Draft":
            raise integrity(f"{changed[0]}: the order is activated", *changed)

    @staticmethod
    def _may_begin(org: Org, new: Row) -> None:
        items = order_items(org, new["Id"])
        if not items:
            raise Refusal("FAILED_ACTIVATION", "An order must have at least one product.", [])
        if new["IsReductionOrder"]:
            for item in items:
                _reduce(org, item)

    @staticmethod
    def _reduces(org: Org, new: Row) -> None:
        original = org.peek("Order", new["OriginalOrderId"])
        if original is None or original["StatusCode"] != "Activated":
            raise integrity(
                "Original Order ID: a reduction order needs an activated original order",
                "OriginalOrderId",
            )

    def deleting(self, org: Org, old: Row) -> None:
        if old["StatusCode"] == "Activated":
            raise Refusal("DELETE_FAILED", "An activated order can't be deleted.", [])


def order_items(org: Org, id: str) -> list[Row]:
    return org.store.rows_where(org.store.objects["OrderItem"], "OrderId", id)


def _reduce(org: Org, item: Row) -> None:
    """An activated reduction takes its quantity from what the original still has."""
    original = org.peek("OrderItem", item["OriginalOrderItemId"])
    if original is None:
        return
    left = (original["AvailableQuantity"] or Decimal(0)) - abs(item["Quantity"])
    if left < 0:
        raise integrity("Quantity: more than the original order has available", "Quantity")
    org.touch(org.store.objects["OrderItem"], original["Id"], {"AvailableQuantity": left})


class OrderItemRules(NoRules):
    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        order = org.peek("Order", new["OrderId"])
        assert order is not None
        if old is None:
            self._entry(org, order, new)
        if not new["Quantity"]:
            raise integrity("Quantity: quantity should be nonzero", "Quantity")
        new["TotalPrice"] = round2(new["Quantity"] * new["UnitPrice"])
        if not order["IsReductionOrder"] and (old is None or "Quantity" in given):
            new["AvailableQuantity"] = new["Quantity"]
        if org.multi_currency:
            new["CurrencyIsoCode"] = order["CurrencyIsoCode"]

    @staticmethod
    def _entry(org: Org, order: Row, new: Row) -> None:
        if order["StatusCode"] == "Activated":
            raise integrity("Order ID: products can't be added to an activated order", "OrderId")
        entry = usable_entry(org, new["PricebookEntryId"])
        if order["Pricebook2Id"] is None:
            raise integrity(
                "field integrity exception: PricebookEntryId (the order has no price book)",
                "PricebookEntryId",
            )
        same_book(org, "Order", order, entry, "order")
        original = org.peek("OrderItem", new["OriginalOrderItemId"])
        if order["IsReductionOrder"] and original is None:
            raise integrity(
                "Original Order Item ID: a reduction order's product needs its original",
                "OriginalOrderItemId",
            )
        made = from_entry(org, entry)
        listed = new["ListPrice"] if new["ListPrice"] is not None else made["ListPrice"]
        new |= {"Product2Id": made["Product2Id"], "ListPrice": listed}

    def after(self, org: Org, old: Row | None, new: Row) -> None:
        roll_up_order(org, new["OrderId"])

    def deleting(self, org: Org, old: Row) -> None:
        order = org.peek("Order", old["OrderId"])
        if order is not None and order["StatusCode"] == "Activated":
            raise Refusal("DELETE_FAILED", "An activated order's products can't be deleted.", [])

    def deleted(self, org: Org, old: Row) -> None:
        roll_up_order(org, old["OrderId"])


def roll_up_order(org: Org, id: str) -> None:
    if org.peek("Order", id) is not None:
        total = sum((item["TotalPrice"] for item in order_items(org, id)), Decimal(0))
        org.touch(org.store.objects["Order"], id, {"TotalAmount": total})
