"""Subscriptions and orders."""

from __future__ import annotations

from decimal import Decimal

from .forms import Context, prepares
from .zuora_catalog import TIERED
from .zuora_documents import price_of
from .zuora_shapes import (
    ZERO,
    Raw,
    Shape,
    charge_model,
    charge_type,
    common,
    currency_of,
    interval,
    is_over,
    letters,
    shape_of,
)

_MONTHS = {"month": 1, "year": 12}
_ENDED = {"cancelled", "canceled", "expired", "outofterm"}


@prepares("zuora.subscription")
def subscription(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, context, "name", "subscriptionnumber")
    number = shape.text("subscriptionnumber", "name")
    currency, source = currency_of(shape)
    items = _items(shape)
    if currency is None:
        currency = next((item["currency"] for item in items if item["currency"]), None)
    return {
        **found,
        "id": number or found["id"],
        "version_id": shape.text("id"),
        "created_at": shape.moment("originalcreateddate") or found["created_at"],
        "number": number,
        "customer": shape.text("accountid"),
        "currency": currency,
        "currency_from": source,
        "started_on": shape.day("subscriptionstartdate", "contracteffectivedate", "termstartdate"),
        "charged_through": _charged_through(items),
        **_ending(shape),
        "term_months": _term(shape),
        "term_type": shape.text("termtype"),
        "term_start": shape.day("termstartdate"),
        "term_end": shape.day("termenddate"),
        "version": shape.whole("version"),
        "invoice_owner": shape.text("invoiceownerid", "invoiceowneraccountid"),
        "items": [
            {
                **{k: v for k, v in item.items() if k not in ("currency", "charged_through")},
                "price": price_of(shape, item["price"], currency),
            }
            for item in items
        ],
    }


def _ending(shape: Shape) -> Raw:
    """Status, and when it is to end or has ended. A term that is not renewed ends by itself.

    Zuora calls a subscription cancelled as soon as that is decided; until the day it goes on.
    """
    status = letters(shape.text("status"))
    cancelled, term_end = shape.day("cancelleddate"), shape.day("termenddate")
    last, renews = shape.day("subscriptionenddate"), shape.flag("autorenew")
    if status in ("cancelled", "canceled") and is_over(shape, cancelled) is False:
        status = "active"
    if status in _ENDED:
        by_term = status in ("expired", "outofterm")
        ended = (last or term_end) if by_term else (cancelled or last or term_end)
        return {"status": status, "cancel_on": None, "ended_on": ended, "auto_renew": renews}
    termed = letters(shape.text("termtype")) == "termed"
    runs_out = termed and renews is False
    cancel_on = cancelled or (term_end if runs_out else None)
    if status == "active" and (cancelled or runs_out):
        status, renews = "activeending", False
    return {"status": status, "cancel_on": cancel_on, "ended_on": None, "auto_renew": renews}


def _term(shape: Shape) -> int | None:
    """The current term in months; null for an evergreen one and for days and weeks."""
    if letters(shape.text("termtype")) == "evergreen":
        return None
    for name in ("currentterm", "initialterm"):
        count, unit = shape.whole(name), letters(shape.text(f"{name}periodtype"))
        if count:
            return count * _MONTHS[unit or "month"] if (unit or "month") in _MONTHS else None
    return None


def _charged_through(items: list[Raw]) -> str | None:
    told = [item["charged_through"] for item in items if item["charged_through"]]
    return min(told, default=None)


def _items(shape: Shape) -> list[Raw]:
    """One item a charge, in its last segment; plans that were taken off are left out."""
    plans = [plan for plan in shape.each("rateplans") if not _is_removed(plan)]
    charges = [(plan, charge) for plan in plans for charge in plan.each("rateplancharges")]
    by_id = {plan.text("id"): plan for plan in plans}
    for charge in shape.each("rateplancharges"):
        if plan := by_id.get(charge.text("rateplanid")):
            charges.append((plan, charge))
    last: dict[str, tuple[Shape, Shape]] = {}
    for plan, charge in charges:
        number = charge.text("number", "chargenumber") or charge.text("id") or str(len(last))
        known = last.get(number)
        if known is None or _order(charge) >= _order(known[1]):
            last[number] = (plan, charge)
    tiers: dict[str | None, list[Shape]] = {}
    for tier in shape.each("rateplanchargetiers"):
        tiers.setdefault(tier.text("rateplanchargeid"), []).append(tier)
    through = _through(charges)
    return [
        {
            **_item(number, plan, charge, tiers.get(charge.text("id")) or []),
            "charged_through": through.get(number),
        }
        for number, (plan, charge) in sorted(last.items())
    ]


def _through(charges: list[tuple[Shape, Shape]]) -> dict[str, str]:
    """How far each recurring charge is billed, in whichever of its segments."""
    found: dict[str, str] = {}
    for _, charge in charges:
        number, day = charge.text("number", "chargenumber"), charge.day("chargedthroughdate")
        if number and day and charge_type(charge) == "recurring":
            found[number] = max(day, found.get(number, ""))
    return found


def _is_removed(plan: Shape) -> bool:
    told = letters(plan.text("lastchangetype", "amendmenttype")) or ""
    return told in ("remove", "removeproduct")


def _order(charge: Shape) -> tuple[bool, int, int]:
    return (
        charge.flag("islastsegment") is True,
        charge.whole("segment") or 0,
        charge.whole("version") or 0,
    )


def _item(number: str, plan: Shape, charge: Shape, tiers: list[Shape]) -> Raw:
    tiers = tiers or charge.rows("rateplanchargetiers") or []
    model, kind = charge_model(charge), charge_type(charge)
    alone = tiers[0] if len(tiers) == 1 else Shape({})
    unit, count = interval(charge)
    price = charge.number("price")
    if price is None:
        price = alone.number("price")
    discount = (model or "").startswith("discount")
    percent = charge.number("discountpercentage")
    off = charge.number("discountamount")
    return {
        "id": number,
        "product": plan.text("productid"),
        "price": charge.text("productrateplanchargeid"),
        "name": charge.text("name"),
        "quantity": charge.number("quantity"),
        "unit_amount": None if model in TIERED or discount else price,
        "interval": unit,
        "interval_count": count,
        "usage": kind,
        "percent": (alone.number("discountpercentage") if percent is None else percent)
        if discount
        else None,
        "off": (alone.number("discountamount") if off is None else off) if discount else None,
        "currency": charge.text("currency") or alone.text("currency"),
    }


@prepares("zuora.contract")
def contract(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    found = common(shape, context, "ordernumber")
    currency, source = currency_of(shape)
    lines = [_line(row) for row in shape.each("orderlineitems")]
    if currency is None:
        rows = shape.each("orderlineitems")
        currency = next((told for row in rows if (told := row.text("currency"))), None)
    return {
        **found,
        "id": shape.text("ordernumber") or found["id"],
        "order_id": shape.text("id"),
        "number": shape.text("ordernumber"),
        "customer": shape.text("accountid") or _owner(shape),
        "account_number": shape.text("existingaccountnumber"),
        "status": letters(shape.text("status")),
        "order_status": shape.text("status"),
        "currency": currency,
        "currency_from": source,
        "starts_on": min(_starts(shape), default=shape.day("orderdate")),
        "signed_on": shape.day("orderdate"),
        "term_months": _terms(shape),
        "total": sum((line["amount"] or ZERO for line in lines), ZERO) if lines else None,
        "subscriptions": ", ".join(_subscriptions(shape)) or None,
        "description": shape.text("description"),
        "category": shape.text("category"),
        "lines": [{**line, "price": price_of(shape, line["price"], currency)} for line in lines],
    }


def _owner(shape: Shape) -> str | None:
    """v1 names the account by number; its id may stand in a line."""
    number = shape.text("existingaccountnumber")
    for row in shape.each("orderlineitems"):
        for role in ("owneraccount", "invoiceowneraccount"):
            if number and row.text(f"{role}number") == number:
                return row.text(f"{role}id")
    return None


def _actions(shape: Shape) -> list[Shape]:
    nested = [a for s in shape.each("subscriptions") for a in s.each("orderactions")]
    return [*shape.each("orderactions"), *nested]


def _starts(shape: Shape) -> list[str]:
    """When the order's actions take effect."""
    found = [action.day("contracteffectivedate") for action in _actions(shape)]
    for action in _actions(shape):
        for date in action.each("triggerdates"):
            if date.text("name") == "ContractEffective":
                found.append(date.day("triggerdate"))
    return [day for day in found if day]


def _terms(shape: Shape) -> int | None:
    """The term of the subscription that the order creates, if it creates just one."""
    created = [a for a in _actions(shape) if letters(a.text("type")) == "createsubscription"]
    if len(created) != 1:
        return None
    initial = created[0].inner("createsubscription").inner("terms").inner("initialterm")
    unit = letters(initial.text("periodtype"))
    period = initial.whole("period")
    return period * _MONTHS[unit] if period and unit in _MONTHS else None


def _subscriptions(shape: Shape) -> list[str]:
    rows = [*shape.each("subscriptions"), *shape.each("orderactions")]
    found = [row.text("subscriptionnumber") for row in rows]
    return sorted({number for number in found if number})


def _line(row: Shape) -> Raw:
    amount = row.number("amountwithouttax", "amount")
    unit: Decimal | None = row.number("amountperunit")
    return {
        "id": row.text("id"),
        "price": row.text("productrateplanchargeid"),
        "description": row.text("itemname", "description"),
        "quantity": row.number("quantity"),
        "unit_amount": unit,
        "amount": amount,
    }
