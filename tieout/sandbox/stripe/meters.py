"""Billing meters and their events. https://docs.stripe.com/billing/subscriptions/usage-based"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from .account import Account, Object
from .errors import ApiError, bad_request
from .params import PAGING
from .routes import Call, Route, take

_DAY = 86_400
_OLDEST = 35 * _DAY
_LATEST = 300
_WINDOWS = {"hour": 3600, "day": _DAY}


def _create(call: Call) -> Object:
    account, name = call.account, call.params["event_name"]
    for other in account.all("billing.meter", status="active"):
        if other["event_name"] == name:
            raise bad_request(f"An active meter with event name {name} already exists.",
                              param="event_name")  # fmt: skip
    mapping = call.get("customer_mapping") or {}
    item: Object = {
        "id": account.new_id("billing.meter"),
        "object": "billing.meter",
        "created": account.now(),
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id", **mapping},
        "default_aggregation": call.params["default_aggregation"],
        "display_name": call.params["display_name"],
        "event_name": name,
        "event_time_window": call.get("event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": account.now(),
        "value_settings": call.get("value_settings") or {"event_payload_key": "value"},
    }
    return account.save("billing.meter", item, "billing.meter.created")


def _update(call: Call) -> Object:
    item = call.account.need("billing.meter", call.id)
    take(item, call, "display_name")
    item["updated"] = call.account.now()
    return call.account.save("billing.meter", item, "billing.meter.updated")


def _switch(to: str, event: str) -> Any:
    def act(call: Call) -> Object:
        account, item = call.account, call.account.need("billing.meter", call.id)
        if item["status"] == to:
            raise bad_request(f"The meter is already {to}.")
        item |= {"status": to, "updated": account.now()}
        item["status_transitions"] = {"deactivated_at": account.now() if to == "inactive" else None}
        account.save("billing.meter", item)
        account.emit_about(event, item)
        return item

    return act


def _meter_for(account: Account, name: str) -> Object:
    for meter in account.all("billing.meter", status="active"):
        if meter["event_name"] == name:
            return meter
    raise ApiError(400, f"No active meter found for the event name {name}.",
                   code="no_meter_found", param="event_name")  # fmt: skip


def _record(call: Call) -> Object:
    account, sent = call.account, call.params["payload"]
    meter = _meter_for(account, call.params["event_name"])
    customer = sent.get(meter["customer_mapping"]["event_payload_key"])
    if not isinstance(customer, str):
        raise bad_request("The payload lacks the customer.", param="payload")
    account.need("customer", customer, param="payload[stripe_customer_id]")
    _value(sent, meter)
    now = account.now()
    moment = call.get("timestamp", now)
    if not now - _OLDEST <= moment <= now + _LATEST:
        raise ApiError(400, "The timestamp must be within the past 35 days or up to 5 minutes in "
                       "the future.", code="timestamp_too_far", param="timestamp")  # fmt: skip
    identifier = call.get("identifier") or account.random_text(32)
    for other in account.all("billing.meter_event", event_name=meter["event_name"]):
        if other["identifier"] == identifier and other["created"] > now - _DAY:
            raise ApiError(400, f"An event already exists with identifier {identifier}.",
                           code="duplicate_meter_event", param="identifier")  # fmt: skip
    item: Object = {
        "object": "billing.meter_event",
        "created": now,
        "event_name": meter["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": sent,
        "timestamp": moment,
    }
    account.load("billing.meter_event", item)
    return item


def _value(payload: Object, meter: Object) -> Decimal:
    if meter["default_aggregation"]["formula"] == "count":
        return Decimal(1)
    try:
        return Decimal(str(payload[meter["value_settings"]["event_payload_key"]]))
    except (KeyError, InvalidOperation):
        raise bad_request("The payload lacks a numeric value.", param="payload") from None


def _summaries(call: Call) -> Object:
    """Totals of a customer's usage; newest first when grouped by hour or day."""
    account, meter = call.account, call.account.need("billing.meter", call.id)
    start, end = call.params["start_time"], call.params["end_time"]
    window = call.get("value_grouping_window")
    size = _WINDOWS[window] if window else end - start
    for name, moment in (("start_time", start), ("end_time", end)):
        if moment % (size if window else 60):
            raise bad_request(f"{name} must be aligned with {window or 'minute'} boundaries.",
                              param=name)  # fmt: skip
    if end <= start:
        raise bad_request("end_time must be after start_time.", param="end_time")
    used = list(_usage(account, meter, call.params["customer"], start, end))
    found: list[Object] = []
    for at in range(start, end, size):
        inside = [value for moment, value in used if at <= moment < at + size]
        if inside or not window:
            found.append(_summary(meter, at, at + size, inside))
    limit = call.get("limit", 10)
    found.reverse()
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit,
            "url": call.path}  # fmt: skip


def _usage(
    account: Account, meter: Object, customer: str, start: int, end: int
) -> Iterator[tuple[int, Decimal]]:
    key = meter["customer_mapping"]["event_payload_key"]
    for event in account.all("billing.meter_event", event_name=meter["event_name"]):
        if event["payload"].get(key) == customer and start <= event["timestamp"] < end:
            yield event["timestamp"], _value(event["payload"], meter)


def _summary(meter: Object, start: int, end: int, values: list[Decimal]) -> Object:
    last = meter["default_aggregation"]["formula"] == "last"
    total = (values[0] if values else Decimal(0)) if last else sum(values, Decimal(0))
    return {
        "id": f"mtrusg_{meter['id'][4:]}_{start}",
        "object": "billing.meter_event_summary",
        "aggregated_value": int(total) if total == total.to_integral_value() else total,
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }


_BASE = "/v1/billing/meters"
ROUTES = [
    Route("POST", _BASE, _create, """customer_mapping:{event_payload_key! type!:by_id}
          default_aggregation!:{formula!:count/last/sum} display_name! event_name!
          event_time_window:day/hour value_settings:{event_payload_key!} expand:l"""),
    Route("POST", _BASE + "/{}", _update, "display_name expand:l"),
    Route("POST", _BASE + "/{}/deactivate", _switch("inactive", "billing.meter.deactivated"),
          "expand:l"),
    Route("POST", _BASE + "/{}/reactivate", _switch("active", "billing.meter.reactivated"),
          "expand:l"),
    Route("GET", _BASE + "/{}/event_summaries", _summaries, PAGING + """ customer!
          start_time!:i end_time!:i value_grouping_window:day/hour"""),
    Route("POST", "/v1/billing/meter_events", _record,
          "event_name! identifier payload!:x timestamp:i expand:l"),
]  # fmt: skip
