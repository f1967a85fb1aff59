"""Subscription schedules as contracts, and metered usage, in the forms that stripe.yaml reads."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, tzinfo
from typing import Any

from .forms import Context, prepares
from .stripe_objects import Raw, id_of, is_stub, opened

# Of a price; of a plan.
_UNITS = ("unit_amount_decimal", "unit_amount", "amount_decimal", "amount")


@prepares("stripe.contract")
def contract(raw: Raw, context: Context) -> Raw:
    """https://docs.stripe.com/api/subscription_schedules : agreed phases, one after the other."""
    found = opened(raw, "subscription_schedule")
    phases = found.get("phases") or []
    if is_stub(found, "phases") or not phases:
        return found
    starts, ends = phases[0].get("start_date"), phases[-1].get("end_date")
    return {
        **found,
        "tieout": {
            "starts": starts,
            "ends": ends,
            "months": _months(starts, ends, context.zone),
            "currency": next((each["currency"] for each in phases if each.get("currency")), None),
            "lines": [_line(phase, n, item) for phase in phases
                      for n, item in enumerate(phase.get("items") or [])],
        },
    }  # fmt: skip


def _line(phase: Raw, number: int, item: Raw) -> Raw:
    price = item.get("price") or item.get("plan")
    known = next((each for each in (price, item.get("plan")) if isinstance(each, dict)), {})
    return {
        "id": f"{phase.get('start_date')}-{number}",
        "price": id_of(price),
        "product": id_of(known.get("product")),
        "quantity": item.get("quantity"),
        "unit": next((known[name] for name in _UNITS if known.get(name) is not None), None),
    }


def _months(starts: Any, ends: Any, zone: tzinfo) -> int | None:
    """Whole months from start to end; None where the term is no number of them. What began on
    the 31st ends on the last day of a shorter month."""
    if not isinstance(starts, int) or not isinstance(ends, int):
        return None
    first, last = (datetime.fromtimestamp(each, zone) for each in (starts, ends))
    months = (last.year - first.year) * 12 + last.month - first.month
    day = min(first.day, monthrange(last.year, last.month)[1])
    return months if months > 0 and last.day == day else None


@prepares("stripe.usage")
def usage(raw: Raw, context: Context) -> Raw:
    """A day's summary of a meter, or one meter event. A summary that tells its customer is known
    by meter, customer and start: Stripe does not promise that its own id stays.
    https://docs.stripe.com/api/billing/meter-event"""
    found = opened(raw, "billing.meter_event_summary", "billing.meter_event")
    told = found.get("tieout_usage") or {}
    if found.get("object") == "billing.meter_event":
        payload = found.get("payload") or {}
        at = found.get("timestamp")
        return {**found, "tieout": {
            "id": found.get("identifier"), "customer": payload.get("stripe_customer_id"),
            "metric": found.get("event_name"), "quantity": payload.get("value"),
            "starts": at, "ends": at,
        }}  # fmt: skip
    parts = (found.get("meter"), told.get("customer"), found.get("start_time"))
    named = ":".join(str(part) for part in parts if part is not None)
    return {**found, "tieout": {
        "id": named if told else found.get("id") or named,
        "customer": told.get("customer"), "metric": told.get("event_name") or found.get("meter"),
        "quantity": found.get("aggregated_value"), "starts": found.get("start_time"),
        "ends": found.get("end_time"),
    }}  # fmt: skip
