"""Amounts: how many places a currency has, and what one is worth in the base currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .books import Books, Record, decimal, ref_id
from .catalog import TYPES
from .errors import invalid_content

# Currencies with other than two places, for currency records that do not say so themselves.
_PLACES = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"], 0),
    **dict.fromkeys(["RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def base_currency(books: Books) -> Record | None:
    """The account's own currency: the one marked so, else the one with id 1."""
    held = books.all_of(TYPES["currency"])
    marked = (one for one in held.values() if one.body.get("isBaseCurrency") is True)
    return next(marked, held.get("1"))


def places_of(books: Books, currency_id: str) -> int:
    record = books.find("currency", currency_id)
    if record is None:
        return 2
    stated = record.body.get("currencyPrecision")
    if isinstance(stated, int) and not isinstance(stated, bool):
        return stated
    return _PLACES.get(str(record.body.get("symbol") or "").upper(), 2)


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def check_places(value: Any, places: int, name: str, path: str) -> None:
    """Raises Refusal when an amount is finer than its currency."""
    exponent = decimal(value).normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        raise invalid_content(
            f"Invalid number format for the field '{name}': the currency allows {places} "
            "decimal places.",
            path,
        )


def rate_of(books: Books, body: dict[str, Any]) -> Decimal:
    """Base-currency units for one unit of the document's currency."""
    if given := decimal(body.get("exchangeRate")):
        return given
    base, currency = base_currency(books), books.find("currency", ref_id(body.get("currency")))
    if currency is None or (base is not None and currency.id == base.id):
        return Decimal(1)
    return decimal(currency.body.get("exchangeRate")) or Decimal(1)
