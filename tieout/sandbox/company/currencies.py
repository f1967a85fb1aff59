"""The four currencies the company bills in, and exact integer shares of an amount.

Amounts are Stripe's integers; for these four its exponents are those of ISO 4217
(https://docs.stripe.com/currencies). Three-decimal amounts end in 0, hence `step`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache


@dataclass(frozen=True)
class Currency:
    """`step` is the smallest chargeable amount unit; fees are minor units."""

    code: str
    name: str
    sign: str
    places: int
    step: int
    netsuite_id: str
    dollars: Decimal
    price_factor: tuple[int, int]
    fixed_fee: int
    dispute_fee: int

    @property
    def lower(self) -> str:
        return self.code.lower()

    def decimal(self, minor: int) -> Decimal:
        """Minor units as a major-unit decimal with exactly the currency's places."""
        return Decimal(minor).scaleb(-self.places)

    def share(self, amount: int, part: int, whole: int) -> int:
        """`amount * part / whole`, rounded half up (away from zero) to the step."""
        unit = whole * self.step
        rounded = (2 * abs(amount) * part + unit) // (2 * unit) * self.step
        return rounded if amount >= 0 else -rounded

    def price(self, cents: int) -> int:
        """A list price given in US cents, in this currency, on the step."""
        part, whole = self.price_factor
        return max(self.share(cents, part, whole), self.step)

    def show(self, minor: int) -> str:
        return f"{self.sign}{self.decimal(minor):,f}"


_ROWS = [
    Currency("USD", "US Dollar", "$", 2, 1, "1", Decimal("1"), (1, 1), 30, 1500),
    Currency("EUR", "Euro", "€", 2, 1, "2", Decimal("1.0850"), (95, 100), 25, 2000),
    Currency("JPY", "Japanese Yen", "¥", 0, 1, "3", Decimal("0.006710"), (3, 2), 30, 1300),
    Currency("BHD", "Bahraini Dinar", "BD", 3, 10, "4", Decimal("2.6525"), (39, 10), 100, 5650),
]
CURRENCIES: dict[str, Currency] = {row.code: row for row in _ROWS}


@lru_cache(maxsize=1_000)
def exchange_rate(seed: int, currency: Currency, month: str) -> Decimal:
    """Dollars for one unit in a month (`2026-01`); the same for the same seed."""
    if currency.code == "USD":
        return Decimal(1)
    wobble = random.Random(f"{seed}:rate:{currency.code}:{month}").randint(-300, 300)
    if currency.code == "BHD":  # pegged to the dollar
        wobble = 0
    return (currency.dollars * (10_000 + wobble) / 10_000).quantize(Decimal("0.00000001"))
