"""Codecs of money: exact, in the record's currency, refused where they would need rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, ClassVar

from tieout.core.errors import InvalidRecord
from tieout.core.money import EXPONENTS, exponent, from_minor, plain, to_decimal, to_minor

from .codec import (
    Checks,
    Codec,
    Options,
    Partly,
    is_flag,
    is_text,
    lookup_table,
    one_of,
    register,
    wrong_type,
)
from .exponents import TABLES, factors, provider_places
from .forms import Context
from .shown import shown


def known(currency: str | None) -> str:
    """The currency, or the complaint that an amount has none that is known."""
    if currency is None:
        raise InvalidRecord(
            "there is an amount but no currency",
            hint="give the record's currency, or the system's `currency` (--currency)",
        )
    exponent(currency)  # raises for an unknown code
    return currency


# More minor units than any document holds; sums of such amounts still fit the store's 64 bits.
MOST_MINOR = 10**17


def sensible(minor: int) -> int:
    """The amount, unless it is no amount of money that anybody owes."""
    if not -MOST_MINOR < minor < MOST_MINOR:
        raise InvalidRecord(f"{shown(minor)} minor units are no sensible amount of money")
    return minor


_IS_TABLE = one_of(*TABLES)


@register
class MoneyMinor(Codec):
    """An integer in the provider's minor units, as ISO 4217 minor units.

    `exponents` names the provider's table of decimal places (iso, stripe, chargebee, hundredths);
    `negate: true` turns the sign.
    """

    name = "money_minor"
    gives = int
    options: ClassVar[Checks] = {"exponents": _IS_TABLE, "negate": is_flag}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.factors = factors(options.get("exponents", "iso"))
        self.sign = -1 if options.get("negate") else 1

    def parse(self, value: Any, currency: str | None) -> Any:
        if type(value) is not int:
            value = self._whole(value)
        if value == 0:
            return 0
        factor = self.factors.get(currency or "")
        if factor is None:
            factor = self.factors[known(currency)]
        times, by = factor
        if by != 1 and value % by:
            raise InvalidRecord(f"{value} is not a whole amount of {currency} minor units")
        return self.sign * sensible(value * times // by)

    @staticmethod
    def _whole(value: Any) -> int:
        if isinstance(value, Decimal) and value.is_finite() and value == int(value):
            return int(value)
        raise wrong_type(value, "a whole number of minor units")

    def render(self, value: Any, currency: str | None) -> Any:
        if value == 0:
            return 0
        times, by = self.factors[known(currency)]
        if value % times:
            raise InvalidRecord(f"{value} {currency} minor units can't be sent exactly")
        return self.sign * (value * by // times)


@register
class MoneyDecimal(Codec):
    """An amount in major units, number or text, as ISO 4217 minor units.

    More places than the currency has is refused unless `round: half_even` says otherwise; what
    was rounded is kept as `custom.<field>_unrounded`. `as: text` sends text.
    """

    name = "money_decimal"
    gives = int
    options: ClassVar[Checks] = {
        "negate": is_flag,
        "round": one_of("half_even"),
        "as": one_of("number", "text"),
    }

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.sign = -1 if options.get("negate") else 1
        self.rounds = options.get("round") == "half_even"
        self.as_text = options.get("as") == "text"

    def parse(self, value: Any, currency: str | None) -> Any:
        if value == "":
            return None
        number = to_decimal(value)
        if not number:
            return 0
        code = known(currency)
        if self.rounds:
            rounded = self._rounded(number, code)
            if rounded != number:
                left = {"unrounded": plain(number)}
                return Partly(self.sign * sensible(to_minor(rounded, code)), left)
        return self.sign * sensible(to_minor(number, code))

    @staticmethod
    def _rounded(number: Decimal, currency: str) -> Decimal:
        if abs(number.adjusted()) > 24:
            raise InvalidRecord(f"{shown(number)} is no sensible amount of money")
        return number.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_EVEN)

    def render(self, value: Any, currency: str | None) -> Any:
        if value == 0 and currency is None:
            return "0" if self.as_text else Decimal(0)
        amount = from_minor(self.sign * int(value), known(currency))
        return f"{amount:f}" if self.as_text else amount


@register
class UnitMinor(Codec):
    """A unit price in the provider's minor units, as a decimal string in major units.

    Stripe's `unit_amount_decimal` "1.25" of USD is "0.0125".
    """

    name = "unit_minor"
    gives = str
    options: ClassVar[Checks] = {"exponents": _IS_TABLE}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.table: str = options.get("exponents", "iso")
        self.seen: dict[tuple[Any, str | None], str] = {}  # prices repeat from line to line

    def parse(self, value: Any, currency: str | None) -> Any:
        if value.__class__ is str or value.__class__ is int:
            found = self.seen.get((value, currency))
            if found is not None:
                return found
        if value == "":
            return None
        number = to_decimal(value)
        text = "0" if not number else plain(self._shift(number, known(currency), -1))
        if len(self.seen) < 4096 and not isinstance(value, bool):
            self.seen[(value, currency)] = text
        return text

    def render(self, value: Any, currency: str | None) -> Any:
        number = to_decimal(value)
        return "0" if not number else plain(self._shift(number, known(currency), 1))

    def _shift(self, number: Decimal, currency: str, direction: int) -> Decimal:
        sign, digits, power = number.as_tuple()
        places = provider_places(self.table, currency)
        moved = int(power) + direction * places
        if len(digits) + abs(moved) > 60:
            raise InvalidRecord(f"{shown(number)} is no sensible price")
        return Decimal((sign, digits, moved))


@register
class Currency(Codec):
    """An ISO 4217 code, upper case. An unknown one is kept in `custom` as received.

    `case: lower` sends lower case; `table` names a lookup from the provider's ids to codes.
    """

    name = "currency"
    gives = str
    options: ClassVar[Checks] = {"case": one_of("lower", "upper"), "table": is_text}

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        table = lookup_table(context, options.get("table"))
        codes = {theirs: ours.upper() for theirs, ours in table.items()}
        self.back = {ours: theirs for theirs, ours in reversed(codes.items())}
        self.known = {code: code for code in EXPONENTS}
        self.known |= {code.lower(): code for code in EXPONENTS} | codes

    def parse(self, value: Any, currency: str | None) -> Any:
        if isinstance(value, dict):
            value = value.get("id", value.get("internalId"))
        if type(value) is int:
            value = str(value)
        if type(value) is not str:
            raise wrong_type(value, "a currency code")
        found = self.known.get(value) or self.known.get(value.strip().upper())
        if found or not value:
            return found
        return Partly(None, {"": value})

    def render(self, value: Any, currency: str | None) -> Any:
        if self.back:
            if value not in self.back:
                raise InvalidRecord(f"the lookup table of currencies has no {shown(value)}")
            return self.back[value]
        return value.lower() if self.given.get("case") == "lower" else value
