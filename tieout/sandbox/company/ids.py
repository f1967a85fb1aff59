"""Ids as each provider shapes them, always the same for the same thing.

Facts are born with Stripe's ids. `adopt` gives those of another biller's clients that biller's
own; what all billers share (products, prices) keeps Stripe's and is spelled anew where it is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from .billing import Ledger
from .facts import Price, Product

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(prefix: str, key: str) -> str:
    """An 18-character record id: the object's prefix, and what `key` names.

    The last three letters tell which of the others are capitals.
    https://help.salesforce.com/s/articleView?id=000385585
    """
    short = prefix + "000" + _letters(key, 9)
    return short + "".join(_check(short[start : start + 5]) for start in (0, 5, 10))


def _check(block: str) -> str:
    return _CHECK[sum(1 << at for at, letter in enumerate(block) if letter.isupper())]


def account_id(seed: int, index: int) -> str:
    """The Salesforce Account of a client."""
    return salesforce_id("001", f"{seed}:account:{index}")


def zuora_id(key: str) -> str:
    """32 hexadecimal digits, as Zuora's objects have them."""
    return "8ad0" + hashlib.sha256(key.encode()).hexdigest()[:28]


def chargebee_id(key: str, prefix: str = "") -> str:
    """16 letters and digits, as Chargebee makes them where nobody chose an id."""
    return prefix + _letters(key, 16)


def chargebee_item(product: Product) -> str:
    """The id of a Chargebee item (Product Catalog 2.0)."""
    return product.sku


def chargebee_item_price(price: Price) -> str:
    """The id of a Chargebee item price."""
    every = {"month": "Monthly", "year": "Yearly", None: "Once"}[price.interval]
    return f"{price.product.sku}-{price.currency.code}-{every}"


def adopt(ledger: Ledger) -> None:
    """Give a client of Chargebee or Zuora, and all that it did, that biller's ids."""
    client, biller = ledger.client, ledger.client.biller
    if biller == "stripe":
        return
    spell: Callable[[str], str] = zuora_id if biller == "zuora" else chargebee_id
    client.id = zuora_id(client.id) if biller == "zuora" else f"C{client.index:05d}"
    for subscription in ledger.subscriptions:
        subscription.id = (
            f"A-S{_letters(subscription.id, 9).upper()}"
            if biller == "zuora"
            else chargebee_id(subscription.id)
        )
        for item in subscription.items:
            item.id = spell(item.id)
    for bill in ledger.bills:
        latest = (
            bill.subscription if bill.subscription and bill.subscription.latest == bill.id else None
        )
        bill.id = _document(biller, bill.id, bill.number, "draft_")
        if latest is not None:
            latest.latest = bill.id
        for line in bill.lines:
            line.id = zuora_id(line.id) if biller == "zuora" else chargebee_id(line.id, "li_")
            line.item = spell(line.item) if line.item else None
        for receipt in bill.receipts:
            receipt.id = zuora_id(receipt.id) if biller == "zuora" else _txn(receipt.id)
            for back in receipt.refunds:
                back.id = zuora_id(back.id) if biller == "zuora" else _txn(back.id)
        for note in bill.credits:
            note.id = _document(biller, note.id, note.number, "draft_")


def _document(biller: str, id: str, number: str | None, draft: str) -> str:
    """A Chargebee document's number is its id; Zuora's have ids of their own."""
    if biller == "zuora":
        return zuora_id(id)
    return number or draft + _letters(id, 12)


def _txn(key: str) -> str:
    return chargebee_id(key, "txn_")


def _letters(key: str, count: int) -> str:
    number, found = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"), ""
    while len(found) < count:
        number, rest = divmod(number, 62)
        found += _BASE62[rest]
    return found
