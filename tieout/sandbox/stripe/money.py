"""Stripe's rules for amounts: whole minor units, smallest charges, odd currencies.

https://docs.stripe.com/currencies
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from .errors import ApiError, bad_request

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
_IN_HUNDREDS = frozenset(("isk", "ugx"))  # written with two decimals that must be 00
_LARGEST = 99_999_999
_SMALLEST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip


def currency_of(text: str, param: str = "currency") -> str:
    """The lower-case code. Raises ApiError (400) for what cannot be one."""
    code = text.lower()
    if len(code) != 3 or not code.isalpha() or not code.isascii():
        raise bad_request(f"Invalid currency: {text}", param=param)
    return code


def check_digits(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse amounts that the currency has no coins for."""
    if currency in _IN_HUNDREDS and amount % 100:
        raise bad_request(
            f"Amounts in {currency} have no decimals: the amount must be divisible by 100.",
            code="invalid_charge_amount_no_decimal_compatible",
            param=param,
        )
    if currency in THREE_DECIMAL and amount % 10:
        raise bad_request(
            f"Amounts in {currency} must have 0 as their last digit.",
            code="parameter_invalid_integer",
            param=param,
        )


def smallest_charge(currency: str) -> int:
    """The smallest amount that can be charged."""
    return _SMALLEST.get(currency, 1)


def check_charge(amount: int, currency: str) -> None:
    """Refuse what cannot be charged."""
    if amount < 1:
        raise bad_request(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    check_digits(amount, currency)
    if amount < smallest_charge(currency):
        raise ApiError(
            400,
            "The amount is below the smallest amount that can be charged in this currency.",
            code="amount_too_small",
            param="amount",
        )
    if amount > _LARGEST:
        raise ApiError(400, "The amount is too large.", code="amount_too_large", param="amount")


def rounded(amount: Decimal) -> int:
    """To whole minor units, half away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def plain(number: Decimal) -> str:
    """A decimal as Stripe writes it: no exponent, no needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(total: int, parts: list[int]) -> list[int]:
    """`total` split in proportion to `parts`; the parts of the answer add up to it."""
    whole, given, seen = sum(parts), 0, 0
    answer: list[int] = []
    for part in parts:
        seen += part
        upto = rounded(Decimal(total) * seen / whole) if whole else 0
        answer.append(upto - given)
        given = upto
    if answer and not whole:
        answer[-1] = total
    return answer
