"""What all NetSuite records have in common: ids, clocks, currency, custom fields, their page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.money import EXPONENTS

from .forms import Context
from .netsuite_shapes import ROW, Raw, Ref, Shape, moment_of, same_word, self_id
from .shown import shown

# How a record's page in NetSuite is called, by our entity.
_PAGES = {
    "customer": "common/entity/custjob.nl",
    "contact": "common/entity/contact.nl",
    "product": "common/item/item.nl",
}
_TRANSACTION_PAGE = "accounting/transactions/transaction.nl"

_LINKS, _API = "links", ".suitetalk.api.netsuite.com"
OUR_KEY = "tieout-"  # every key that tieout makes begins so


_ENTITY_OF = {
    "contact": "contact",
    "creditmemo": "credit_note",
    "customer": "customer",
    "customerpayment": "payment",
    "customerrefund": "refund",
    "deposit": "payout",
    "invoice": "invoice",
    "journalentry": "journal_entry",
}


def common(shape: Shape, entity: str, context: Context) -> Raw:
    """The keys that every entity's rules read, and the custom fields under their own names."""
    fields = shape.fields
    _refuse_another_kind(shape, entity)
    id = shape.text("id", "internalid") or self_id(fields) or _by_external_id(shape)
    if id is None:
        raise InvalidRecord(
            "has no internal id",
            where="id",
            hint="a record has one once it is saved; a request body may have an externalId instead",
        )
    key, external = _external_ids(shape, context)
    header = {name: _scalar(value) for name, value in fields.items() if name != _LINKS}
    return {
        **shape.custom,
        "id": id,
        "our_key": key,
        "external_id": external,
        "created_at": moment_of(
            fields.get("createddate", fields.get("datecreated")), shape, context
        ),
        "updated_at": moment_of(fields.get("lastmodifieddate"), shape, context),
        "url": _page(shape, entity, id),
        "custom": shape.custom,
        "header": {name: value for name, value in header.items() if value is not None},
    }


def _refuse_another_kind(shape: Shape, entity: str) -> None:
    """SOAP says what a record is."""
    told = shape.text("recordtype") or ""
    if _ENTITY_OF.get(told.lower(), entity) != entity:
        raise InvalidRecord(f"is a NetSuite {told}, no {entity}", where="recordType")


def _by_external_id(shape: Shape) -> str | None:
    """REST addresses a record by its external id as `eid:...`: all that a request body has."""
    external = shape.text("externalid")
    return f"eid:{external}" if external and shape.form != ROW else None


def _external_ids(shape: Shape, context: Context) -> tuple[str | None, str | None]:
    """(our key, another system's id): `externalId` is ours only if it looks like it."""
    field = str(context.options.get("key_field") or "").lower()
    key = str(shape.custom[field]) if field and field in shape.custom else None
    external = shape.text("externalid")
    if external and external.lower().startswith(OUR_KEY):
        return key or external, None
    return key, external


def _page(shape: Shape, entity: str, id: str | None) -> str | None:
    """https://<account>.app.netsuite.com/...: the account is in `app` or in REST's own links."""
    app = shape.text("app")
    if app is None:
        for link in shape.fields.get(_LINKS) or ():
            host, found, _ = str(link.get("href", "")).partition(_API)
            if found and host.startswith("https://"):
                app = f"{host}.app.netsuite.com"
                break
    if app is None or id is None or id.startswith("eid:"):
        return None
    return f"{app}/app/{_PAGES.get(entity, _TRANSACTION_PAGE)}?id={id}"


def _scalar(value: Any) -> Any:
    """What an overlay may read as `header.<name>`; a reference is its id, a sublist nothing."""
    if isinstance(value, dict):
        found = value.get("id", value.get("internalId"))
        return found if isinstance(found, str | int) else None
    return None if isinstance(value, list) else value


# Currency


def currency_of(
    shape: Shape, context: Context, *, needed: bool, default: bool = True
) -> str | None:
    """The record's ISO code, by the joined code, the lookup table, or a name that is a code.

    `needed` where there are amounts; without `default` one that is neither needed nor told stays
    null. Raises InvalidRecord that says how to supply it.
    """
    for name in ("currencycode", "currencysymbol", "currencyname"):
        if (code := _iso(shape.text(name))) is not None:
            return code
    ref = shape.ref("currency")
    table = dict(_currencies(context.lookups.get("currency")))
    for told in (ref.id, ref.name):
        if told is not None and told.casefold() in table:
            return table[told.casefold()]
    for told in (ref.name, ref.id):
        if (code := _iso(told)) is not None:
            return code
    unknown = ref.id or ref.name
    if unknown is not None and (table or context.currency is None):
        raise InvalidRecord(
            f"the currency {shown(unknown)} is NetSuite's own id, not an ISO code",
            hint=f'give lookups: {{"currency": {{"{unknown}": "USD"}}}} (--lookups), or select '
            "currency.symbol as currencycode",
        )
    if context.currency is None and needed:
        raise InvalidRecord(
            "there are amounts but no currency",
            hint="the system's `currency` (--currency) is for payloads that name none",
        )
    return context.currency if needed or default or unknown is not None else None


def _iso(text: str | None) -> str | None:
    code = (text or "").strip().upper()
    return code if code in EXPONENTS else None


def _currencies(table: Any) -> Iterator[tuple[str, str]]:
    """(id or name, ISO code) of {"1": "USD"}, {"1": {symbol: USD}}, [{id, symbol, name}]."""
    for key, row in lookup_rows(table):
        code = row.get("symbol") or row.get("code") or row.get("iso")
        if (iso := _iso(None if code is None else str(code))) is None:
            continue
        for told in (key, row.get("id"), row.get("name")):
            if told is not None:
                yield str(told).casefold(), iso


def lookup_rows(table: Any) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """A lookup table's entries as (key, lower-case row); a plain value is the row's `symbol`."""
    if isinstance(table, Mapping) and isinstance(table.get("items"), list):
        table = table["items"]
    pairs: Iterable[tuple[Any, Any]]
    pairs = table.items() if isinstance(table, Mapping) else ((None, row) for row in table or ())
    for key, value in pairs:
        row = value if isinstance(value, Mapping) else {"symbol": value}
        low = {str(name).lower(): each for name, each in row.items()}
        yield None if key is None else str(key), low


def currency_id(code: str, context: Context) -> Raw:
    """The reference for a body: by the lookup table, or named by its code for the connector."""
    table = context.lookups.get("currency")
    for key, row in lookup_rows(table):
        told = row.get("symbol") or row.get("code") or row.get("iso")
        id = key if key is not None else row.get("id")
        if told is not None and str(told).upper() == code and id is not None:
            return {"id": str(id)}
    if table:
        raise InvalidRecord(
            f"the lookup table of currencies has no {shown(code)}",
            hint="enable the currency in NetSuite, or add it to the lookups",
        )
    return {"refName": code}


# Status


def status_of(
    shape: Shape, words: Mapping[str, str], letters: Mapping[str, str], what: str
) -> str | None:
    """Ours for NetSuite's status: by its words, else by its letter; InvalidRecord for neither.

    The words come as "Paid In Full", "Invoice : Paid In Full", "paidInFull" or "_paidInFull";
    the letters, which mean something else for each type, as "B" or "CustInvc:B".
    """
    told = [shape.text("statusname")]
    if shape.form == ROW:
        told.append(shape.text("status"))
    else:
        ref = shape.ref("status")
        told += [ref.name, ref.id]
    given = [word for word in told if word]
    if shape.fields.get("voided") is not None and shape.flag("voided"):
        return words["voided"]
    for word in given:
        if (ours := words.get(same_word(word.rpartition(" : ")[2]))) is not None:
            return ours
    for word in given:
        if (ours := letters.get(word.rpartition(":")[2].strip())) is not None:
            return ours
    if given:
        raise InvalidRecord(
            f"{shown(given[0])} is not a status of {what} that the mapping knows",
            where="status",
            hint="known: " + ", ".join(words),
        )
    return None


def kind_of(ref: Ref) -> str:
    """What a reference to a transaction points at, in one word: invoice, creditmemo, ..."""
    return same_word(ref.kind or (ref.name or "").partition("#")[0])
