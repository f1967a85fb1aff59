"""What a quantity costs, by pricing model; integers are hundredths, decimals major units.

https://www.chargebee.com/docs/2.0/plans.html#pricing-models
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Object = dict[str, Any]
# https://support.chargebee.com/support/solutions/articles/254748-what-are-zero-decimal-currencies-
_WHOLE = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
})  # fmt: skip
_MONTHS = {"year": Decimal(12), "month": Decimal(1)}
_DAYS = {"week": Decimal(7), "day": Decimal(1)}


def units_of(currency: str) -> int:
    """How many of the smallest units make one; Chargebee has two decimals or none."""
    return 1 if currency in _WHOLE else 100


def minor(major: Decimal, currency: str) -> int:
    """Major units as the integer that Chargebee shows."""
    return int((major * units_of(currency)).quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True)
class Cost:
    """`unit` and `amount` in the currency's smallest unit; `tiers` as a line shows them."""

    unit: int
    amount: int
    tiers: tuple[Object, ...] = ()


def cost(price: Object, quantity: int, unit_price: int | None = None) -> Cost:
    """What `quantity` of an item price, plan or addon costs in one period."""
    model = price.get("pricing_model") or price.get("charge_model") or "flat_fee"
    billed = max(quantity - int(price.get("free_quantity") or 0), 0)
    unit = unit_price if unit_price is not None else _own_price(price)
    if model == "per_unit":
        return Cost(unit, unit * billed)
    tiers = price.get("tiers") or []
    if unit_price is not None or not tiers:
        return Cost(unit, unit)
    if model == "tiered":
        return _graduated(tiers, billed)
    tier = _tier_of(tiers, billed)
    each = int(tier.get("price") or 0)
    return Cost(each, each * billed) if model == "volume" else Cost(each, each)


def _own_price(price: Object) -> int:
    if price.get("price") is not None:
        return int(price["price"])
    text = price.get("price_in_decimal")
    return minor(Decimal(text), str(price.get("currency_code") or "USD")) if text else 0


def _tier_of(tiers: list[Object], quantity: int) -> Object:
    for tier in tiers:
        if tier.get("ending_unit") is None or quantity <= int(tier["ending_unit"]):
            return tier
    return tiers[-1]


def _graduated(tiers: list[Object], quantity: int) -> Cost:
    total, used = 0, []
    for tier in tiers:
        first = int(tier.get("starting_unit") or 1)
        last = min(quantity, int(tier["ending_unit"]) if tier.get("ending_unit") else quantity)
        count = max(last - first + 1, 0)
        if not count:
            break
        each = int(tier.get("price") or 0)
        total += each * count
        used.append({**tier, "quantity_used": count, "unit_amount": each})
    average = total // quantity if quantity else 0
    return Cost(average, total, tuple(used))


def monthly(amount: int, period: int, unit: str) -> int:
    """An amount per `period` units, as monthly recurring revenue."""
    months = _MONTHS[unit] if unit in _MONTHS else _DAYS[unit] * 12 / Decimal(365)
    months *= period
    return int((Decimal(amount) / months).quantize(Decimal(1), ROUND_HALF_UP))


def prorated(amount: int, left: int, whole: int) -> int:
    """The share of an amount for `left` of `whole` seconds."""
    if whole <= 0:
        return 0
    return int((Decimal(amount) * left / whole).quantize(Decimal(1), ROUND_HALF_UP))
