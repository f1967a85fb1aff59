"""A record as SOAP shows it: elements in the order of the schema, dates as midnight Pacific.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3477815.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, SubElement
from zoneinfo import ZoneInfo

from . import applying
from .body import name_of
from .books import Body, Books, Record, decimal, ref_id
from .catalog import STATUS_LETTERS, Fields
from .shown import balance, live
from .soap_words import (
    ADDRESS,
    COUNTRIES,
    LANGUAGES,
    RENAMED,
    SOAP_TYPES,
    TEXTS,
    WORDS,
    XSI,
    SoapList,
    space,
)

PACIFIC = ZoneInfo("America/Los_Angeles")
ACCOUNT_TYPES = {
    "Bank": "_bank", "AcctRec": "_accountsReceivable", "AcctPay": "_accountsPayable",
    "OthCurrAsset": "_otherCurrentAsset", "OthCurrLiab": "_otherCurrentLiability",
    "FixedAsset": "_fixedAsset", "OthAsset": "_otherAsset", "CredCard": "_creditCard",
    "LongTermLiab": "_longTermLiability", "Equity": "_equity", "Income": "_income",
    "COGS": "_costOfGoodsSold", "Expense": "_expense", "OthIncome": "_otherIncome",
    "OthExpense": "_otherExpense", "DeferExpense": "_deferredExpense",
    "DeferRevenue": "_deferredRevenue", "NonPosting": "_nonPosting", "Stat": "_statistical",
}  # fmt: skip


class Writer:
    """Writes for one version of the endpoint."""

    def __init__(self, books: Books, version: str) -> None:
        self.books, self.version = books, version

    def tag(self, prefix: str, name: str) -> str:
        return f"{{{space(prefix, self.version)}}}{name}"

    def kind(self, prefix: str, name: str) -> dict[str, str]:
        """The xsi:type attribute; the prefix is declared where the document is written."""
        return {f"{{{XSI}}}type": f"{prefix}:{name}"}

    def record(self, parent: Element, tag: str, record: Record, *, body_only: bool) -> None:
        """The record as a child of `parent`, without its sublists where `body_only`."""
        spelled = SOAP_TYPES[record.type.name]
        kind = record.type.name[0].upper() + record.type.name[1:]
        ids = {"internalId": record.id}
        if record.external_id:
            ids["externalId"] = record.external_id
        made = SubElement(parent, tag, {**ids, **self.kind(spelled.space, kind)})
        body = _whole(self.books, record)
        for name in spelled.elements:
            if (sublist := spelled.lists.get(name)) is not None:
                if not body_only:
                    self._sublist(made, spelled.space, sublist, record)
            elif name == "pricingMatrix":
                if not body_only:
                    self._prices(made, record)
            elif name == "customFieldList":
                self._custom(made, spelled.space, body, record.type.custom_prefix)
            else:
                value = body.get(RENAMED.get(name, name))
                self._field(made, spelled.space, name, value, record.type.fields)

    def reference(
        self, parent: Element, tag: str, record: Record, *, named: bool = False, typed: bool = True
    ) -> Element:
        """A RecordRef to a record."""
        ids = {"internalId": record.id}
        if record.external_id:
            ids["externalId"] = record.external_id
        if typed:
            ids["type"] = record.type.name
        made = SubElement(parent, tag, {**ids, **self.kind("core", "RecordRef")})
        if named:
            SubElement(made, self.tag("core", "name")).text = name_of(record)
        return made

    def _sublist(self, parent: Element, prefix: str, sublist: SoapList, record: Record) -> None:
        lines = record.lines(sublist.name)
        if not lines:
            return
        fields = record.type.sublists[sublist.name].fields
        held = SubElement(parent, self.tag(prefix, sublist.element), {"replaceAll": "false"})
        for number, line in enumerate(lines, 1):
            made = SubElement(held, self.tag(prefix, sublist.line))
            shown = {"line": number, **line} if "line" in sublist.fields else line
            for name in sublist.fields:
                if name == "customFieldList":
                    self._custom(made, prefix, shown, "custcol")
                elif name == "addressbookAddress":
                    self._address(made, prefix, shown)
                elif name == "internalId":
                    self._text(made, self.tag(prefix, name), ref_id(shown.get("id")) or str(number))
                elif name in ("doc", "id"):
                    self._text(made, self.tag(prefix, name), ref_id(shown.get(name)))
                else:
                    self._field(made, prefix, name, shown.get(RENAMED.get(name, name)), fields)

    def _address(self, parent: Element, prefix: str, line: Body) -> None:
        address = line.get("addressBookAddress") or line.get("addressbookaddress") or {}
        made = SubElement(parent, self.tag(prefix, "addressbookAddress"))
        for name in ADDRESS:
            value = address.get(name)
            if name == "country" and value is not None:
                code = ref_id(value)
                value = COUNTRIES.get(code.upper(), code)
            if isinstance(value, bool):
                value = "true" if value else "false"
            if value not in (None, ""):
                self._text(made, self.tag("common", name), str(value))

    def _prices(self, parent: Element, record: Record) -> None:
        lines = record.lines("price")
        if not lines:
            return
        prefix = "listAcct"
        held = SubElement(parent, self.tag(prefix, "pricingMatrix"), {"replaceAll": "false"})
        groups: dict[tuple[str, str], Element] = {}
        for line in lines:
            key = ref_id(line.get("currencyPage")), ref_id(line.get("priceLevel"))
            if key not in groups:
                made = SubElement(held, self.tag(prefix, "pricing"))
                self._field(made, prefix, "currency", line.get("currencyPage"), {})
                self._field(made, prefix, "priceLevel", line.get("priceLevel"), {})
                groups[key] = SubElement(made, self.tag(prefix, "priceList"))
            price = SubElement(groups[key], self.tag(prefix, "price"))
            self._text(price, self.tag(prefix, "value"), double(decimal(line.get("price"))))
            amount = ref_id(line.get("quantity")) or "0"
            self._text(price, self.tag(prefix, "quantity"), double(decimal(amount)))

    def _custom(self, parent: Element, prefix: str, body: Body, kind: str) -> None:
        given = {key: body[key] for key in sorted(body) if key.lower().startswith(kind)}
        kept = {key: value for key, value in given.items() if value not in (None, "")}
        if not kept:
            return
        held = SubElement(parent, self.tag(prefix, "customFieldList"))
        for key, value in kept.items():
            name = {"scriptId": key.lower()}
            if isinstance(value, bool):
                self._custom_field(held, name, "Boolean", "true" if value else "false")
            elif isinstance(value, dict):
                field = SubElement(
                    held,
                    self.tag("core", "customField"),
                    {**name, **self.kind("core", "SelectCustomFieldRef")},
                )
                chosen = SubElement(field, self.tag("core", "value"), {"internalId": ref_id(value)})
                if value.get("refName"):
                    self._text(chosen, self.tag("core", "name"), str(value["refName"]))
            elif isinstance(value, int):
                self._custom_field(held, name, "Long", str(value))
            elif isinstance(value, Decimal):
                self._custom_field(held, name, "Double", double(value))
            else:
                self._custom_field(held, name, "String", str(value))

    def _custom_field(self, held: Element, name: dict[str, str], kind: str, text: str) -> None:
        attributes = {**name, **self.kind("core", f"{kind}CustomFieldRef")}
        field = SubElement(held, self.tag("core", "customField"), attributes)
        self._text(field, self.tag("core", "value"), text)

    def _field(self, parent: Element, prefix: str, name: str, value: Any, fields: Fields) -> None:
        if value is None or value == "" or value == {}:
            return
        kind = fields.get(RENAMED.get(name, name), "choice" if isinstance(value, dict) else "text")
        tag = self.tag(prefix, name)
        if name in WORDS:
            self._text(parent, tag, _word(name, value))
        elif name in TEXTS:
            self._text(parent, tag, _as_text(name, value))
        elif kind.startswith("ref:") or kind == "choice":
            self._reference(parent, tag, value)
        else:
            self._text(parent, tag, text_of(kind, value))

    def _reference(self, parent: Element, tag: str, value: Any) -> None:
        if not ref_id(value):
            return
        made = SubElement(parent, tag, {"internalId": ref_id(value)})
        if isinstance(value, dict) and value.get("refName"):
            self._text(made, self.tag("core", "name"), str(value["refName"]))

    def _text(self, parent: Element, tag: str, text: str) -> None:
        SubElement(parent, tag).text = text


def text_of(kind: str, value: Any) -> str:
    """A plain value as its schema type is written."""
    if kind == "date":
        return midnight(str(value))
    if kind == "datetime":
        return local(datetime.fromisoformat(str(value)))
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind in ("amount", "number"):
        return double(decimal(value))
    return str(value)


def midnight(text: str) -> str:
    """A calendar date: midnight in NetSuite's own zone, as Oracle's answers have it."""
    if len(text) > 10:
        return local(datetime.fromisoformat(text))
    day = date.fromisoformat(text)
    return local(datetime(day.year, day.month, day.day, tzinfo=PACIFIC))


def local(moment: datetime) -> str:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=PACIFIC)
    whole = moment.astimezone(PACIFIC).replace(microsecond=0)
    return whole.isoformat(timespec="milliseconds")


def double(value: Decimal) -> str:
    """As Java writes a double: one digit after the point at least, an exponent from 10^7 on."""
    if value and abs(value) >= 10**7:
        whole = value.normalize()
        places = whole.adjusted()
        text = format(whole.scaleb(-places), "f")
        return f"{text if '.' in text else text + '.0'}E{places}"
    text = format(value.normalize(), "f") if value else "0"
    return text if "." in text else f"{text}.0"


def _word(name: str, value: Any) -> str:
    word = ref_id(value)
    if name == "language":
        return LANGUAGES.get(word, word)
    if name == "country":
        return COUNTRIES.get(word.upper(), word)
    return word if word.startswith("_") else f"_{word[:1].lower()}{word[1:]}"


def _as_text(name: str, value: Any) -> str:
    if name == "acctType":
        return ACCOUNT_TYPES.get(ref_id(value), "_nonPosting")
    if isinstance(value, dict):
        return str(value.get("refName") or ref_id(value))
    return double(value) if isinstance(value, Decimal) else str(value)


def _whole(books: Books, record: Record) -> Body:
    """The record's fields with those that REST leaves to its own places."""
    body = dict(live(books, record))
    created, modified = record.created.isoformat(), record.modified.isoformat()
    body["createdDate"] = body["dateCreated"] = created
    body["lastModifiedDate"] = modified
    letters = STATUS_LETTERS.get(record.type.name)
    if letters and "status" in SOAP_TYPES[record.type.name].elements:
        body["status"] = letters[applying.status_letter(record)]
    if record.type.name == "customerRefund" and body.get("total") is None:
        body["total"] = applying.gross(record)
    currency = books.find("currency", ref_id(body.get("currency")))
    if currency is not None:
        body.setdefault("currencyName", currency.body.get("name"))
    if record.type.name == "customer" and body.get("balance") is None:
        body["balance"] = balance(books, record)
    if record.type.name == "customer" and not body.get("altName"):
        person = " ".join(str(body[n]) for n in ("firstName", "lastName") if body.get(n))
        body["altName"] = body.get("companyName") or person
    return body


def children(element: Element, *names: str) -> Iterable[Element]:
    """The children whose local name is one of these."""
    return [each for each in element if local_name(each) in names]


def local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
