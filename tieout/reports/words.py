"""Values as people read them, and texts of unknown origin made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tieout.core.errors import InvalidRecord
from tieout.core.money import EXPONENTS, from_minor

# Where records of the providers have their own pages. A leading dot means any name below it.
PROVIDER_HOSTS = frozenset(
    {
        "dashboard.stripe.com",
        ".app.netsuite.com",
        ".chargebee.com",
        ".zuora.com",
        ".salesforce.com",
        ".force.com",
        "qbo.intuit.com",
        ".qbo.intuit.com",
        "app.invoiced.com",
        "app.chaserhq.com",
        "app.chartmogul.com",
        "docs.google.com",
    }
)

# Joiners that scripts and emoji need; every other invisible character is shown as U+FFFD.
_JOINERS = {"\u200c", "\u200d"}
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def clean(value: Any) -> str:
    """A text on one line in which nothing hides: no control or direction characters."""
    text = "" if value is None else str(value)
    spaced = (" " if letter in "\t\r\n\v\f\x85\u2028\u2029" else letter for letter in text)
    shown = (
        "\ufffd"
        if unicodedata.category(letter) in _INVISIBLE and letter not in _JOINERS
        else letter
        for letter in spaced
    )
    return " ".join("".join(shown).split())


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def amount(minor: int, currency: str | None) -> str:
    """`amount(-1234567, "USD") == "-12,345.67"`: thousands separators, the currency's places."""
    try:
        return f"{from_minor(minor, currency or ''):,f}"
    except InvalidRecord:
        return f"{minor:,}"


def money(minor: int, currency: str | None) -> str:
    """The amount with its currency; minor units, and said so, where that is no ISO code."""
    if currency in EXPONENTS:
        return f"{amount(minor, currency)} {currency}"
    return f"{minor:,} minor units of {clean(currency) or 'no currency'}"


def sums(amounts: Iterable[tuple[str | None, int]]) -> list[str]:
    """Money added up by currency, each as text; nothing where it is nothing."""
    found: dict[str, int] = {}
    for currency, minor in amounts:
        found[currency or ""] = found.get(currency or "", 0) + minor
    return [money(minor, currency) for currency, minor in sorted(found.items()) if minor]


def value(name: str, given: Any, currency: str | None) -> str:
    """A differing value: amounts with their currency, allocations as invoice = amount."""
    if given is None or given == "":
        return "(empty)"
    if isinstance(given, list):
        parts = [
            f"{clean(each.get('invoice_id'))} = {amount(each.get('amount_minor') or 0, currency)}"
            for each in given
            if isinstance(each, dict)
        ]
        return ", ".join(parts) or "(none)"
    if name.endswith("_minor") and isinstance(given, int):
        return amount(given, currency)
    if isinstance(given, bool):
        return "yes" if given else "no"
    return clean(given)


def field(name: str) -> str:
    """`total_minor` is "total" to a reader."""
    return clean(
        name.removesuffix("_minor").removesuffix("_id").removeprefix("custom.").replace("_", " ")
    )


def entity(name: str) -> str:
    return name.replace("_", " ")


def plural(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    many = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {many}"


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    every = list(names)
    return " and ".join([", ".join(every[:-1]), every[-1]]) if len(every) > 1 else "".join(every)


def clock(moment: datetime | None, zone: str) -> str:
    """A moment in the reader's time zone, to the minute."""
    if moment is None:
        return "never"
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, coarsely."""
    if moment is None:
        return "never"
    minutes = max(0, int((now - moment).total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} h ago"
    return f"{minutes // (24 * 60)} days ago"


def days(count: int) -> str:
    return "new today" if count == 0 else plural(count, "day")


def safe_url(url: str | None, hosts: Iterable[str] = PROVIDER_HOSTS) -> str:
    """The URL if it leads, over HTTP(S), to a known provider; else ''."""
    if not url or url != clean(url) or " " in url or "\\" in url or len(url) > 2000:
        return ""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    known = any(host == each or (each[0] == "." and host.endswith(each)) for each in hosts)
    plain = parts.username is None and parts.password is None and port in (None, 80, 443)
    return url if parts.scheme in ("http", "https") and known and plain else ""


def width(text: str) -> int:
    """Columns that a text takes in a fixed-width font."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def fitted(text: str, columns: int, *, right: bool = False) -> str:
    """Cut and filled to just so many columns."""
    while width(text) > columns:
        text = text[:-2] + "…" if width(text[:-1]) >= columns else text[:-1]
    fill = " " * (columns - width(text))
    return fill + text if right else text + fill
