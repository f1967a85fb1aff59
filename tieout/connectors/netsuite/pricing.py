"""Prices out of the pricing matrix of an item: one for each price level and currency.

An entry has no id and no time of its own: its id is made of what it is the price of, its times
are the item's. Prices for one customer only are left out. Where a level has quantity breaks only
the fact is kept: accounts name the column of their quantities differently.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1502207768.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tieout.rest.json import decode, encode_stable

Row = Mapping[str, Any]
_OF_ITEM = ("isinactive", "lastmodifieddate", "createddate", "app")


def prices(item: Row, entries: Iterable[Row]) -> list[bytes]:
    """The prices of an item in the unified form, as stable JSON:

    {"id": "300-1-1", "item": "300", "pricelevel": "1", "levelname": "Base Price",
     "currency": "1", "currencycode": "USD", "isinactive": "F", "lastmodifieddate": "...Z",
     "prices": [{"unitprice": "33.33"}]}
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.get("customer"):
            continue
        level, currency = str(entry["pricelevel"]), str(entry.get("currency") or "")
        id = price_id(str(item["id"]), level, currency)
        if id not in found:
            found[id] = {
                **{name: item[name] for name in _OF_ITEM if name in item},
                **{
                    name: entry[name]
                    for name in ("pricelevel", "levelname", "currency", "currencycode")
                    if entry.get(name)
                },
                "id": id,
                "item": str(item["id"]),
                "prices": [],
            }
        step = {"unitprice": str(entry["unitprice"])}
        if step not in found[id]["prices"]:
            found[id]["prices"].append(step)
    return [encode_stable(each) for each in found.values()]


def price_id(item: str, level: str, currency: str) -> str:
    """`300-1-1`; without multiple currencies `300-1`."""
    return "-".join(part for part in (item, level.replace("-", "m"), currency) if part)


def chosen(found: Iterable[bytes], id: str) -> bytes | None:
    """The price of this id among those of its item."""
    return next((each for each in found if decode(each)["id"] == id), None)


def item_of(price: str) -> str:
    """The item's id in a price's id; "" if it is none."""
    item, _, level = price.partition("-")
    return item if item.isdecimal() and level else ""
