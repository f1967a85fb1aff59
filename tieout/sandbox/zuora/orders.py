"""Orders and the subscriptions that they make: each change makes a new version with a new id.

https://developer.zuora.com/v1-api-reference/api/orders/
"""

from __future__ import annotations

from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from .books import Record, money
from .errors import invalid, missing, rule
from .tenant import Call, custom
from .wire import Body

_MONTHS = {"Month": 1, "Quarter": 3, "Semi-Annual": 6, "Annual": 12}
_ACTIONS = (
    "CreateSubscription|CancelSubscription|RenewSubscription|Suspend|Resume|AddProduct"
    "|RemoveProduct|UpdateProduct|TermsAndConditions|OwnerTransfer|ChangePlan"
)
_SUPPORTED = {"CreateSubscription", "CancelSubscription", "RenewSubscription", "Suspend", "Resume",
              "TermsAndConditions"}  # fmt: skip


def create(call: Call) -> Body:
    body, books = call.body, call.books
    day = call.date("orders", "orderDate")
    key = body.get("existingAccountNumber")
    if not key:
        raise missing("orders", "existingAccountNumber")
    account = books.find("account", key)
    if account is None:
        raise invalid("orders", f"No account is found with account number {key}.")
    wanted = body.get("subscriptions")
    if not isinstance(wanted, list) or not wanted:
        raise missing("orders", "subscriptions")
    number = body.get("orderNumber")
    if number and books.find("orders", number):
        raise invalid("orders", f"The order number {number} already exists.")
    for one in wanted:
        _check(call, one)
    order = books.create(
        "orders", orderNumber=number, orderDate=day, accountId=account.id, status="Completed",
        existingAccountNumber=account.row["accountNumber"], currency=account.row.get("currency"),
        description=body.get("description", ""), subscriptions=[], orderLineItems=[],
        customFields=body.get("customFields") or {}, **custom(body),
    )  # fmt: skip
    made = [_act(call, order, account, one) for one in wanted]
    order.row["subscriptions"] = [
        {**one, "subscriptionNumber": each.row["name"], "newVersion": each.row["version"]}
        for one, each in zip(wanted, made, strict=True)
    ]
    books.put(order)
    call.tenant.emit("OrderProcessed", order)
    listed = [{"subscriptionNumber": s.row["name"], "status": s.row["status"]} for s in made]
    return {
        "orderNumber": order.row["orderNumber"],
        "accountNumber": account.row["accountNumber"],
        "status": "Completed",
        "subscriptions": listed,
    }


def _check(call: Call, one: Body) -> None:
    actions = one.get("orderActions")
    if not isinstance(actions, list) or not actions:
        raise missing("orders", "orderActions")
    for action in actions:
        if action.get("type") not in _ACTIONS.split("|"):
            listed = ", ".join(_ACTIONS.split("|"))
            raise invalid("orders", f"'type' value should be one of: {listed}")
        if action["type"] not in _SUPPORTED:
            raise rule("orders", f"The sandbox does not carry out {action['type']}.")
        if action["type"] != "CreateSubscription":
            call.books.get("subscription", one.get("subscriptionNumber"))
        elif one.get("subscriptionNumber") and call.books.find(
            "subscription", one["subscriptionNumber"]
        ):
            raise invalid("orders", "The subscription number already exists.")
        _check_action(call, one, action)


def _check_action(call: Call, one: Body, action: Body) -> None:
    """What an action needs, before anything is made. Raises Refusal."""
    if action["type"] == "CreateSubscription":
        made = action.get("createSubscription") or {}
        terms = (made.get("terms") or {}).get("initialTerm") or {}
        kind = terms.get("termType", "TERMED")
        if kind not in ("TERMED", "EVERGREEN"):
            raise invalid("subscription", "'termType' value should be one of: TERMED, EVERGREEN")
        if kind == "TERMED" and not isinstance(terms.get("period"), int):
            raise missing("subscription", "period")
        if terms.get("periodType", "Month") not in ("Month", "Year", "Week", "Day"):
            raise invalid("subscription", "'periodType' value should be Month, Year, Week or Day")
        for plan in made.get("subscribeToRatePlans") or []:
            call.books.get("productrateplan", plan.get("productRatePlanId"))
        return
    current = call.books.get("subscription", one.get("subscriptionNumber"))
    if current.row.get("status") in ("Cancelled", "Expired"):
        raise rule("orders", "The subscription is cancelled or expired.")
    if action["type"] == "TermsAndConditions":
        _check_terms(action.get("termsAndConditions"))
    policy = (action.get("cancelSubscription") or {}).get("cancellationPolicy")
    allowed = ("EndOfCurrentTerm", "EndOfLastInvoicePeriod", "SpecificDate")
    if action["type"] == "CancelSubscription" and policy not in allowed:
        raise missing("subscription", "cancellationPolicy")


def _check_terms(sent: Any) -> None:
    if not isinstance(sent, dict) or not sent:
        raise missing("subscription", "termsAndConditions")
    if not isinstance(sent.get("autoRenew", False), bool):
        raise invalid("subscription", "'autoRenew' value should be true or false")


def _act(call: Call, order: Record, account: Record, one: Body) -> Record:
    current: Record | None = None
    if one.get("subscriptionNumber"):
        current = call.books.find("subscription", one["subscriptionNumber"])
    for n, action in enumerate(one["orderActions"]):
        day = _day(action, str(order.row["orderDate"]))
        if action["type"] == "CreateSubscription":
            current = _begin(call, order, account, one, action, day)
        else:
            assert current is not None
            current = _change(call, order, current, action, day)
        call.books.create(
            "orderaction", orderId=order.id, subscriptionId=current.id, type=action["type"],
            sequence=n, contractEffectiveDate=day, subscriptionNumber=current.row["name"],
        )  # fmt: skip
    assert current is not None
    return current


def _day(action: Body, default: str) -> str:
    for one in action.get("triggerDates") or []:
        if one.get("name") == "ContractEffective" and one.get("triggerDate"):
            return str(one["triggerDate"])
    return default


def _begin(call: Call, order: Record, account: Record, one: Body, action: Body, day: str) -> Record:
    made = action.get("createSubscription") or {}
    terms = (made.get("terms") or {}).get("initialTerm") or {}
    kind = terms.get("termType", "TERMED")
    period, unit = terms.get("period"), terms.get("periodType", "Month")
    plans = made.get("subscribeToRatePlans") or []
    end = _end(day, period, unit) if kind == "TERMED" else None
    renewal = ((made.get("terms") or {}).get("renewalTerms") or [{}])[0]
    now = call.books.now()
    subscription = call.books.create(
        "subscription", name=one.get("subscriptionNumber") or made.get("subscriptionNumber"),
        accountId=account.id, invoiceOwnerId=made.get("invoiceOwnerAccountId") or account.id,
        version=1, revision="1.0", isLatestVersion=True, status="Active", termType=kind,
        termStartDate=day, termEndDate=end, contractEffectiveDate=day, serviceActivationDate=day,
        contractAcceptanceDate=day, subscriptionStartDate=day, subscriptionEndDate=end,
        initialTerm=period, initialTermPeriodType=unit, currentTerm=period,
        currentTermPeriodType=unit, renewalTerm=renewal.get("period"),
        renewalTermPeriodType=renewal.get("periodType"), currency=account.row.get("currency"),
        autoRenew=bool((made.get("terms") or {}).get("autoRenew", False)), cMRR=0,
        renewalSetting="RENEW_WITH_SPECIFIC_TERM", originalCreatedDate=now, orderId=order.id,
        notes=made.get("notes", ""), isInvoiceSeparate=False,
        **custom(one.get("customFields") or {}),
    )  # fmt: skip
    subscription.row["originalId"] = subscription.id
    for plan in plans:
        _plan(call, subscription, plan, day, end)
    call.books.put(subscription)
    call.tenant.emit("SubscriptionCreated", subscription)
    return subscription


def _end(day: str, period: Any, unit: str) -> str:
    step = {"Month": "months", "Year": "years", "Week": "weeks", "Day": "days"}[unit]
    steps: Any = {step: int(period)}
    return (date.fromisoformat(day) + relativedelta(**steps)).isoformat()


def _plan(call: Call, subscription: Record, sent: Body, day: str, end: str | None) -> None:
    books = call.books
    origin = books.get("productrateplan", sent["productRatePlanId"])
    plan = books.create(
        "rateplan", subscriptionId=subscription.id, productRatePlanId=origin.id,
        productId=origin.row.get("productId"), name=origin.row.get("name"),
    )  # fmt: skip
    overrides = {
        one.get("productRatePlanChargeId"): one for one in sent.get("chargeOverrides") or []
    }
    for charge in books.children("productrateplancharge", "productRatePlanId", origin.id):
        wish = overrides.get(charge.id, {}).get("pricing") or {}
        inner: Body = next((one for one in wish.values() if isinstance(one, dict)), {})
        tiers = books.children("productrateplanchargetier", "productRatePlanChargeId", charge.id)
        listed = next(
            (t for t in tiers if t.row.get("currency") == subscription.row.get("currency")), None
        )
        price = inner.get("listPrice", listed.row.get("price") if listed else None)
        quantity = inner.get("quantity", charge.row.get("defaultQuantity") or 1)
        mrr = _monthly(charge, price, quantity)
        row = books.create(
            "rateplancharge", ratePlanId=plan.id, subscriptionId=subscription.id,
            productRatePlanChargeId=charge.id, name=charge.row.get("name"), quantity=quantity,
            chargeType=charge.row.get("chargeType"), chargeModel=charge.row.get("chargeModel"),
            billingPeriod=charge.row.get("billingPeriod"), uOM=charge.row.get("uOM"),
            effectiveStartDate=day, effectiveEndDate=end, segment=1, version=1, mRR=mrr,
            isLastSegment=True, price=price, currency=subscription.row.get("currency"),
            triggerEvent=charge.row.get("triggerEvent"),
        )  # fmt: skip
        row.row["originalId"] = row.id
        books.create(
            "rateplanchargetier", ratePlanChargeId=row.id, price=price, tier=1, startingUnit=0,
            currency=subscription.row.get("currency"), priceFormat="Flat Fee",
        )  # fmt: skip
        subscription.row["cMRR"] = subscription.amount("cMRR") + mrr


def _monthly(charge: Record, price: Any, quantity: Any) -> Any:
    if charge.row.get("chargeType") != "Recurring" or price is None:
        return money(0)
    months = _MONTHS.get(str(charge.row.get("billingPeriod")), 1)
    flat = charge.row.get("chargeModel") == "Flat Fee Pricing"
    whole = money(price) * (1 if flat else money(quantity))
    return round(whole / months, 9).normalize() + 0


def _change(call: Call, order: Record, old: Record, action: Body, day: str) -> Record:
    kind = action["type"]
    if old.row.get("status") in ("Cancelled", "Expired"):
        raise rule("orders", "The subscription is cancelled or expired.")
    changes: Body = {}
    if kind == "CancelSubscription":
        sent = action.get("cancelSubscription") or {}
        ends = sent.get("cancellationEffectiveDate") or old.row.get("termEndDate") or day
        changes = {"status": "Cancelled", "cancelledDate": ends, "subscriptionEndDate": ends,
                   "autoRenew": False}  # fmt: skip
    elif kind == "RenewSubscription":
        start = str(old.row.get("termEndDate") or day)
        period = old.row.get("renewalTerm") or old.row.get("initialTerm") or 12
        unit = str(old.row.get("renewalTermPeriodType") or "Month")
        end = _end(start, period, unit)
        changes = {"termStartDate": start, "termEndDate": end, "subscriptionEndDate": end,
                   "currentTerm": period, "currentTermPeriodType": unit}  # fmt: skip
    elif kind == "Suspend":
        changes = {"status": "Suspended"}
    elif kind == "Resume":
        if old.row.get("status") != "Suspended":
            raise rule("orders", "Only suspended subscriptions can be resumed.")
        changes = {"status": "Active"}
    elif kind == "TermsAndConditions":
        sent = action["termsAndConditions"]
        changes = {name: sent[name] for name in ("autoRenew", "renewalSetting") if name in sent}
    return next_version(call, old, orderId=order.id, **changes)


def next_version(call: Call, old: Record, **changes: Any) -> Record:
    """A new row with a new id; the old one stays as history."""
    books = call.books
    kept = {
        name: value
        for name, value in old.row.items()
        if name not in ("id", "createdDate", "createdById", "updatedDate", "updatedById")
    }
    version = int(old.row.get("version") or 1) + 1
    books.change(old, isLatestVersion=False)
    fresh = books.create(
        "subscription", **kept | {"version": version, "previousSubscriptionId": old.id,
        "originalId": old.row.get("originalId") or old.id, "isLatestVersion": True} | changes,
    )  # fmt: skip
    for plan in books.children("rateplan", "subscriptionId", old.id):
        copied = books.create("rateplan", **_copy(plan) | {"subscriptionId": fresh.id})
        for charge in books.children("rateplancharge", "ratePlanId", plan.id):
            row = _copy(charge) | {"ratePlanId": copied.id, "subscriptionId": fresh.id}
            if changes.get("status") == "Cancelled":
                row["effectiveEndDate"] = changes["cancelledDate"]
            books.create("rateplancharge", **row)
    call.tenant.emit("AmendmentProcessed", fresh)
    return fresh


def _copy(record: Record) -> Body:
    audit = ("id", "createdDate", "createdById", "updatedDate", "updatedById")
    return {name: value for name, value in record.row.items() if name not in audit}


def delete(call: Call) -> Body:
    order = call.get("orders")
    if order.row.get("status") not in ("Draft", "Cancelled"):
        raise rule("orders", "Only draft or cancelled orders can be deleted.")
    call.books.delete(order)
    return {}


def cancel_subscription(call: Call) -> Body:
    """PUT /v1/subscriptions/{key}/cancel."""
    old = call.get("subscription")
    call.choice(
        "subscription", "cancellationPolicy",
        "EndOfCurrentTerm|EndOfLastInvoicePeriod|SpecificDate",
    )  # fmt: skip
    if old.row.get("status") == "Cancelled":
        raise rule("subscription", "The subscription is cancelled already.")
    ends = call.body.get("cancellationEffectiveDate") or old.row.get("termEndDate")
    ends = str(ends or call.books.today())
    fresh = next_version(
        call, old, status="Cancelled", cancelledDate=ends, subscriptionEndDate=ends, autoRenew=False
    )
    return {"subscriptionId": fresh.id, "cancelledDate": ends, "totalDeltaMrr": 0}


def update_subscription(call: Call) -> Body:
    """PUT /v1/subscriptions/{key}: notes, renewal and custom fields, without a new version."""
    subscription, body = call.get("subscription"), call.body
    names = ("notes", "autoRenew", "renewalTerm", "renewalSetting")
    changes = {name: body[name] for name in names if name in body}
    call.books.change(subscription, **changes, **custom(body))
    return {"subscriptionId": subscription.id}
