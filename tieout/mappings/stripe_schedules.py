"""Subscription schedules as contracts, and metered usage, in the forms that stripe.yaml reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .forms import Context, prepares
from .stripe_objects import Raw, id_of, is_stub, opened


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
            "months": _months(starts, ends),
            "currency": next((each["currency"] for each in phases if each.get("currency")), None),
            "lines": [_line(phase, n, item) for phase in phases
                      for n, item in enumerate(phase.get("items") or [])],
        },
    }  # fmt: skip


def _line(phase: Raw, number: int, item: Raw) -> Raw:
    price = item.get("price") or item.get("plan")
    known = price if isinstance(price, dict) else item.get("plan") or {}
    return {
        "id": f"{phase.get('start_date')}-{number}",
        "price": id_of(price),
        "product": id_of(known.get("product")),
        "quantity": item.get("quantity"),
        "unit": known.get("unit_amount_decimal") or known.get("amount_decimal"),
    }


def _months(starts: Any, ends: Any) -> int | None:
    """Whole months from start to end; None where the term is no number of them."""
    if not isinstance(starts, int) or not isinstance(ends, int):
        return None
    first, last = (datetime.fromtimestamp(each, UTC) for each in (starts, ends))
    months = (last.year - first.year) * 12 + last.month - first.month
    return months if months > 0 and first.day == last.day else None


@prepares("stripe.usage")
def usage(raw: Raw, context: Context) -> Raw:
    """A day's summary of a meter, or one meter event.
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
    return {**found, "tieout": {
        "id": ":".join(str(part) for part in parts if part is not None),
        "customer": told.get("customer"), "metric": told.get("event_name") or found.get("meter"),
        "quantity": found.get("aggregated_value"), "starts": found.get("start_time"),
        "ends": found.get("end_time"),
    }}  # fmt: skip
