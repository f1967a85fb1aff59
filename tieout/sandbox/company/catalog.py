"""What the company sells: products, prices in four currencies, coupons and tax rates."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .currencies import CURRENCIES, Currency
from .facts import Coupon, Price, Product, Span, Tax, new_id
from .moments import DAY

# sku, name, description, unit, cents a month (or once), sold by the seat
_PRODUCTS = [
    ("ATLAS-START", "Atlas Starter", "One workspace, three projects", None, 2_900, False),
    ("ATLAS-TEAM", "Atlas Team", "Shared workspaces for growing teams", "seat", 1_250, True),
    ("ATLAS-BIZ", "Atlas Business", "Roles, audit log and SSO", "seat", 2_475, True),
    ("ATLAS-ENT", "Atlas Enterprise", "Dedicated cluster with SLA", None, 149_900, False),
    ("SUPPORT-247", "Premium Support – 24×7 & <4 h", "Named engineers", None, 39_900, False),
    ("DATA-RES", "Data Residency Add-on", "Storage in a region of choice", None, 14_950, False),
]
_ONE_TIME = [
    ("USAGE-OVER", "Metered Overage", "Usage beyond the plan's allowance", None, 35, False),
    ("SVC-DAY", "Implementation Day", "A day of an Atlas engineer", "day", 128_000, False),
]
_LAUNCHED = ("AUDIT-TRAIL", "Audit Trail", "Tamper-evident change log", None, 9_900, False)

_TAXES = [
    ("US", "CA", "Sales Tax", "sales_tax", 8_500),
    ("US", "NY", "Sales Tax", "sales_tax", 8_875),
    ("US", "TX", "Sales Tax", "sales_tax", 6_250),
    ("US", "WA", "Sales Tax", "sales_tax", 10_100),
    ("DE", None, "MwSt.", "vat", 19_000),
    ("FR", None, "TVA", "vat", 20_000),
    ("NL", None, "BTW", "vat", 21_000),
    ("ES", None, "IVA", "vat", 21_000),
    ("IT", None, "IVA", "vat", 22_000),
    ("IE", None, "VAT", "vat", 23_000),
    ("GR", None, "ΦΠΑ", "vat", 24_000),
    ("JP", None, "消費税", "jct", 10_000),
    ("BH", None, "VAT", "vat", 10_000),
]
_COUPONS = [("PARTNER10", "Partner programme", 10), ("EARLYBIRD25", "Early bird", 25)]


@dataclass(frozen=True)
class Catalog:
    """`prices` by (sku, interval or None, currency code); `taxes` by (country, state)."""

    products: list[Product]
    launched: Product
    prices: dict[tuple[str, str | None, str], Price]
    coupons: list[Coupon]
    taxes: dict[tuple[str, str | None], Tax]
    no_tax: Tax

    def price(self, sku: str, interval: str | None, currency: Currency) -> Price:
        return self.prices[sku, interval, currency.code]

    def product(self, sku: str) -> Product:
        return next(one for one in [*self.products, self.launched] if one.sku == sku)


def build_catalog(seed: int, span: Span) -> Catalog:
    rng = random.Random(f"{seed}:catalog")
    born = span.start
    products = [_product(rng, row, born) for row in _PRODUCTS]
    once = [_product(rng, row, born, one_time=True) for row in _ONE_TIME]
    launched = _product(rng, _LAUNCHED, span.now - 12 * DAY)
    prices: dict[tuple[str, str | None, str], Price] = {}
    for product in [*products, *once, launched]:
        for currency in CURRENCIES.values():
            for interval in (None,) if product.one_time else ("month", "year"):
                months = 10 if interval == "year" else 1
                unit = currency.price(product.cents) * months
                key = (product.sku, interval, currency.code)
                prices[key] = Price(new_id(rng, "price_1"), product, currency, interval, unit)
    taxes = {
        (country, state): Tax(new_id(rng, "txr_1"), name, kind, country, state, rate, born)
        for country, state, name, kind, rate in _TAXES
    }
    return Catalog(
        products=[*products, *once],
        launched=launched,
        prices=prices,
        coupons=[Coupon(id, name, percent, born) for id, name, percent in _COUPONS],
        taxes=taxes,
        no_tax=Tax(new_id(rng, "txr_1"), "VAT (reverse charge)", "vat", "EU", None, 0, born),
    )


def _product(
    rng: random.Random,
    row: tuple[str, str, str, str | None, int, bool],
    created: int,
    *,
    one_time: bool = False,
) -> Product:
    sku, name, text, unit, cents, seats = row
    return Product(new_id(rng, "prod_", 14), sku, name, text, unit, created, cents, seats, one_time)
