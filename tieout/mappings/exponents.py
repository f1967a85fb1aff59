"""How many decimal places a provider's minor units have, where it does not follow ISO 4217."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tieout.core.money import EXPONENTS

# https://docs.stripe.com/currencies: without decimals, with three, and (ISK, UGX) sent as if
# they had two. Everything else has two there, HUF and TWD included.
_WITHOUT = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_WITH_THREE = "BHD JOD KWD OMR TND"
_STRIPE = dict.fromkeys(_WITHOUT.split(), 0) | dict.fromkeys(_WITH_THREE.split(), 3)


def _iso(currency: str) -> int:
    return EXPONENTS[currency]


def _stripe(currency: str) -> int:
    return _STRIPE.get(currency, 2)


def _chargebee(currency: str) -> int:
    """Two places for all that have any, KWD and the like included; none for JPY and the like.

    https://apidocs.chargebee.com/docs/api/currencies
    """
    return 2 if EXPONENTS[currency] else 0


def _hundredths(currency: str) -> int:
    return 2


# `exponents:` of the codecs money_minor and unit_minor.
TABLES: dict[str, Callable[[str], int]] = {
    "iso": _iso,
    "stripe": _stripe,
    "chargebee": _chargebee,
    "hundredths": _hundredths,
}


@cache
def factors(table: str) -> dict[str, tuple[int, int]]:
    """Per ISO code (multiply by, then divide by) from provider units to ISO 4217 minor units."""
    places = TABLES[table]
    found: dict[str, tuple[int, int]] = {}
    for code, iso in EXPONENTS.items():
        theirs = places(code)
        found[code] = (10 ** max(iso - theirs, 0), 10 ** max(theirs - iso, 0))
    return found


def provider_places(table: str, currency: str) -> int:
    """Decimal places of the provider's minor units of a known ISO code."""
    return TABLES[table](currency)
