"""Money: integer minor units by ISO 4217 exponents, and exact decimals. Never a float.

Exponents after ISO 4217 (https://www.iso.org/iso-4217-currency-codes.html); a provider's own
habits (Stripe's ISK x100, Chargebee's x100) are undone in the mappings, not here.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from .errors import InvalidRecord

# Only what differs from two places; every other code of CURRENCIES has two.
_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_TWO_PLACES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD"
    " CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL"
    " GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR"
    " LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD"
    " PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC"
    " SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW"
    " ZWG ANG CUC HRK SLL ZWL BYR LTL LVL EEK"
)

EXPONENTS: dict[str, int] = {code: 2 for code in _TWO_PLACES.split()} | {
    code: places for places, codes in _EXPONENTS.items() for code in codes.split()
}

_SCALES = [Decimal(10) ** places for places in range(5)]


def exponent(currency: str) -> int:
    """Decimal places of an upper-case ISO 4217 code; InvalidRecord if there is no such code."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise InvalidRecord(
            f"{currency!r} is not an ISO 4217 currency code",
            hint="correct the currency in the provider's record",
        ) from None


def to_decimal(value: object) -> Decimal:
    """An int, Decimal or numeric string as a finite Decimal; anything else is InvalidRecord."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise InvalidRecord(f"{value!r} is not an exact number")
    try:
        number = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except InvalidOperation:
        raise InvalidRecord(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise InvalidRecord(f"{value!r} is not a finite number")
    return number


def to_minor(amount: object, currency: str) -> int:
    """Major units to integer minor units: `to_minor("12.30", "USD") == 1230`.

    More places than the currency has is an InvalidRecord, never a rounding.
    """
    number = to_decimal(amount)
    places = exponent(currency)
    _, digits, power = number.as_tuple()
    assert isinstance(power, int)  # finite, as checked
    if len(digits) + abs(power) > 60:
        raise InvalidRecord(f"{amount!r} is no sensible amount of money")
    minor = number.scaleb(places) if not number else _exact_scale(number, places)
    if minor != minor.to_integral_value():
        raise InvalidRecord(
            f"{amount} has more decimals than {currency} allows ({places})",
            hint="correct the amount in the provider, or set `round` in a mapping overlay",
        )
    return int(minor)


def _exact_scale(number: Decimal, places: int) -> Decimal:
    sign, digits, power = number.as_tuple()
    return Decimal((sign, digits, int(power) + places))


def from_minor(minor: int, currency: str) -> Decimal:
    """Integer minor units to major units, with just the currency's places."""
    return Decimal((int(minor < 0), tuple(map(int, str(abs(minor)))), -exponent(currency)))


def plain(value: object) -> str:
    """A number as a decimal string without exponent form or trailing zeros: 1.50 -> "1.5"."""
    text = format(to_decimal(value), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def show(minor: int, currency: str) -> str:
    """For people: `show(-1234567, "USD") == "-12,345.67 USD"`."""
    return f"{from_minor(minor, currency):,f} {currency}"
