"""Subscriptions are written by orders.

https://developer.zuora.com/v1-api-reference/api/orders/
"""

from __future__ import annotations

from collections.abc import Callable

from tieout.core.errors import InvalidRecord

from ..base import Raw
from .calls import Calls
from .finding import number_of
from .reading import Tenant
from .rows import Row, folded, text

NO_BILLING = {"runBilling": False, "collectPayment": False}


class Orders:
    """Creates, changes and cancels subscriptions."""

    def __init__(self, calls: Calls, tenant: Tenant) -> None:
        self._calls, self._tenant = calls, tenant

    def create(self, body: Raw, key: str, found: Callable[[], str | None]) -> str:
        """The new subscription's number."""
        plan = dict(body.pop("tieout_items", {}))
        account = self._account_number(str(body.pop("tieout_account", "")))
        create: Raw = {
            **body.pop("tieout_create", {}),
            "subscribeToRatePlans": self._rate_plans(plan.get("items") or []),
        }
        subscription: Raw = {}
        field = self._tenant.settings.key_field
        number = str(create.get("subscriptionNumber") or "")
        if not field or not number:
            number = number_of(key)
        create["subscriptionNumber"] = number
        if field:
            subscription["customFields"] = {field: key}
        start = body.pop("tieout_start", None) or f"{self._tenant.ports.now():%Y-%m-%d}"
        action = {
            "type": "CreateSubscription",
            "triggerDates": _dates(start),
            "createSubscription": create,
        }
        order = {
            "orderDate": start,
            "orderNumber": f"O-{number_of(key)}",
            "existingAccountNumber": account,
            "subscriptions": [{**subscription, "orderActions": [action]}],
            "processingOptions": NO_BILLING,
            **body,
        }
        self._calls.post("/v1/orders", order, key, "create", found)
        return number

    def _rate_plans(self, items: list[Raw]) -> list[Raw]:
        """Charges to the rate plans that hold them, with what is sold otherwise than listed."""
        ids = [str(item.get("price", "")).partition(":")[0] for item in items]
        if not items or not all(ids):
            raise InvalidRecord("a subscription is written with items that name their prices")
        rows = [folded(r) for r in self._tenant.query.of("product-rate-plan-charges", "id", ids)]
        charges = {text(row, "id"): row for row in rows}
        plans: dict[str, list[Raw]] = {}
        for id, item in zip(ids, items, strict=True):
            if id not in charges:
                raise InvalidRecord(f"Zuora has no product rate plan charge {id}")
            override = _override(charges[id], item)
            plans.setdefault(text(charges[id], "productrateplanid"), []).extend(override)
        return [
            {"productRatePlanId": plan, **({"chargeOverrides": rows} if rows else {})}
            for plan, rows in plans.items()
        ]

    def change_terms(self, number: str, record: Raw, key: str, current: Row) -> None:
        """What a record says of the term; nothing where it says nothing."""
        terms = record.get("tieout_terms")
        if not terms:
            return
        today = f"{self._tenant.ports.now():%Y-%m-%d}"
        action = {
            "type": "TermsAndConditions",
            "triggerDates": _dates(today),
            "termsAndConditions": terms,
        }
        self._order(number, action, key, current, today)

    def cancel(self, number: str, key: str, current: Row, today: str) -> None:
        """By the configured policy."""
        policy = self._tenant.settings.cancel_policy
        cancel: Raw = {"cancellationPolicy": policy}
        if policy == "SpecificDate":
            cancel["cancellationEffectiveDate"] = today
        action = {
            "type": "CancelSubscription",
            "triggerDates": _dates(today),
            "cancelSubscription": cancel,
        }
        self._order(number, action, key, current, today)

    def _order(self, number: str, action: Raw, key: str, current: Row, today: str) -> None:
        order = {
            "orderDate": today,
            "existingAccountNumber": self._account_number(text(current, "accountid")),
            "subscriptions": [{"subscriptionNumber": number, "orderActions": [action]}],
            "processingOptions": NO_BILLING,
        }
        self._calls.post("/v1/orders", order, key, f"{action['type']} {number}", lambda: None)

    def _account_number(self, id: str) -> str:
        found = self._tenant.known.lookup("accounts", [id], "accountnumber")
        if id not in found:
            raise InvalidRecord(f"Zuora has no account {id}")
        return found[id]


def _dates(day: str) -> list[Raw]:
    names = ("ContractEffective", "ServiceActivation", "CustomerAcceptance")
    return [{"name": name, "triggerDate": day} for name in names]


_PRICINGS = {
    ("recurring", "flat"): "recurringFlatFee",
    ("recurring", "per"): "recurringPerUnit",
    ("onetime", "flat"): "oneTimeFlatFee",
    ("onetime", "per"): "oneTimePerUnit",
    ("usage", "per"): "usagePerUnit",
    ("usage", "flat"): "usageFlatFee",
}


def _override(charge: Row, item: Raw) -> list[Raw]:
    """What the subscription's item says beyond the catalogue: quantity and price."""
    kind = text(charge, "chargetype").lower().replace("-", "")
    model = text(charge, "chargemodel").lower()
    name = _PRICINGS.get(
        (kind, "flat" if "flat" in model else "per" if "per unit" in model else "")
    )
    pricing: Raw = {}
    if name and item.get("amount") is not None:
        pricing["listPrice"] = item["amount"]
    if name and name.endswith("PerUnit") and kind != "usage" and item.get("quantity") is not None:
        pricing["quantity"] = item["quantity"]
    if not name or not pricing:
        return []
    return [{"productRatePlanChargeId": text(charge, "id"), "pricing": {name: pricing}}]
