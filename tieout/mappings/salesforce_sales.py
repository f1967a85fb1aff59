"""Contracts and orders: both are contracts of ours, told apart by their kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tieout.core.errors import InvalidRecord

from .forms import Context, finishes, prepares
from .salesforce_records import Raw, common, id_of, long_id, opened

# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
# sforce_api_objects_contract.htm : Status is the org's own list, StatusCode its category.
_NOT_PER_UNIT = ("tiered", "volume", "stairstep", "package")
_ORDER_FIELDS = ("EffectiveDate", "OrderNumber", "OrderItems", "IsReductionOrder")


@prepares("salesforce.contract")
def contract(raw: Raw, context: Context) -> Raw:
    raw = opened(raw, "Contract", "Order")
    is_order = _is_order(raw)
    own = ("EffectiveDate", "OrderNumber") if is_order else ("StartDate", "ContractNumber")
    return common(
        raw,
        context,
        kind="order" if is_order else "contract",
        customer=id_of(raw, "AccountId"),
        number=raw.get(own[1]),
        status=raw.get("StatusCode") or raw.get("Status"),
        starts_on=raw.get(own[0]),
        lines=_lines(raw),
        contract=id_of(raw, "ContractId"),
        opportunity=id_of(raw, "OpportunityId"),
        original=id_of(raw, "OriginalOrderId"),
    )


def _is_order(raw: Raw) -> bool:
    named = raw.get("attributes")
    if isinstance(named, dict) and named.get("type"):
        return bool(named["type"] == "Order")
    id = raw.get("Id")
    if isinstance(id, str) and id[:3] in ("800", "801"):
        return id[:3] == "801"
    return any(name in raw for name in _ORDER_FIELDS)


def _lines(raw: Raw) -> list[Raw] | None:
    """An order's products: a sub-select's answer. None where they were not told."""
    held = raw.get("OrderItems")
    if held is None:
        return None
    rows = held.get("records") if isinstance(held, dict) else held
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidRecord("has another shape than documented", where="OrderItems")
    if isinstance(held, dict) and held.get("done") is False:
        raise InvalidRecord(
            "holds the first of its order products only", hint="query OrderItem by itself"
        )
    return [_line(row) for row in rows]


def _line(row: Raw) -> Raw:
    product = row.get("Product2")
    return {
        **row,
        "tieout": {
            "id": long_id(row.get("Id")),
            "product": id_of(row, "Product2Id"),
            "price": id_of(row, "PricebookEntryId"),
            "description": row.get("Description")
            or (product.get("Name") if isinstance(product, dict) else None),
        },
    }


@finishes("salesforce.contract_body")
def contract_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """The body of one object or the other. Orders name their start and lines differently."""
    is_order = fields.get("kind") == "order"
    made: Raw = {"attributes": {"type": "Order" if is_order else "Contract"}}
    starts, lines = body.pop("tieout_starts_on", None), body.pop("tieout_lines", None)
    ends, term = body.pop("tieout_ends_on", None), body.pop("tieout_term", None)
    made |= body
    if starts is not None:
        made["EffectiveDate" if is_order else "StartDate"] = starts
    if is_order:
        made.pop("CustomerSignedDate", None)  # orders know who authorized them, not who signed
        made |= {"EndDate": ends} if ends is not None else {}
        made |= {"OrderItems": {"records": [_line_body(row) for row in lines]}} if lines else {}
    elif (term := term or _months(fields)) is not None:
        made["ContractTerm"] = term  # a contract's end follows from its start and term
    made["Status"] = _status(fields.get("status"), is_order, context)
    if not is_order:
        made.pop("tieout_currency", None)  # a contract has no amount
    return _with_currency(made, fields, context, creating)


def _months(fields: Mapping[str, Any]) -> int | None:
    """The term that gives a contract's last day, if whole months do."""
    starts, ends = fields.get("starts_on"), fields.get("ends_on")
    if starts is None or ends is None:
        return None
    after = ends + timedelta(days=1)
    months = (after.year - starts.year) * 12 + after.month - starts.month
    return months if months > 0 and after.day == starts.day else None


def _status(status: Any, is_order: bool, context: Context) -> str:
    if status in (None, "draft"):
        return "Draft"
    if status == "active":
        return str(context.options["order_status" if is_order else "contract_status"])
    raise InvalidRecord(
        f"a new contract or order in Salesforce cannot be {status}",
        where="contract, field status",
        hint="only drafts and active ones are created",
    )


def _line_body(row: Raw) -> Raw:
    if not row.get("PricebookEntryId"):
        raise InvalidRecord(
            "an order's line needs a price",
            where="contract, field lines",
            hint="let prices flow to Salesforce first",
        )
    return {"Quantity": 1, **row}


@finishes("salesforce.opportunity_body")
def opportunity_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """In a single-currency org there is no field for it."""
    return _with_currency(body, fields, context, creating)


@finishes("salesforce.price_body")
def price_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    if fields.get("interval") not in (None, "") and not context.options.get("recurring_prices"):
        raise InvalidRecord(
            "a price book entry has no interval: a recurring price would look like a single one",
            where="price, field interval",
            hint="set the mapping option recurring_prices: true, and keep the interval in a "
            "custom field by an overlay",
        )
    if fields.get("scheme") in _NOT_PER_UNIT:
        raise InvalidRecord(
            f"a price book entry has one price for each unit, this one is {fields['scheme']}",
            where="price, field scheme",
            hint="keep prices of this kind out of the flow to Salesforce",
        )
    return _with_currency(body, fields, context, creating)


def _with_currency(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """A single-currency org (`currency` is set) takes that currency, and does not name it."""
    code = body.pop("tieout_currency", None)
    if code is None:
        return body
    if context.currency is None:
        return {**body, "CurrencyIsoCode": code}
    if code != context.currency:
        raise InvalidRecord(
            f"the org's only currency is {context.currency}, this is in {code}",
            where="field currency",
            hint="take the system's `currency` away if the org has several currencies",
        )
    return body
