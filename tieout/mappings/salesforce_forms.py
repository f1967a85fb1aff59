"""Salesforce's records in the forms that salesforce.yaml reads, whichever API they came through.

Taken are, each as one JSON object (or a CSV of one row, see `read_payload`):

    REST      GET /sobjects/{Object}/{id}, with compound addresses, or a row of a SOQL query
    Bulk API  a row of its CSV: every value a text, times that end with Z

A form is the record itself with one more key, `tieout`, that holds what had to be worked out.
Ids of 15 characters become the 18 that the API itself tells, so that both point at one record.
The forms of one record give one canonical record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from tieout.core.errors import InvalidRecord

from . import salesforce_billing, salesforce_sales
from .forms import Context, finishes, prepares
from .payload_text import decode_payload, only_one
from .salesforce_records import Raw, address, address_body, common, id_of, opened, text_of
from .shown import shown

# Imported so that their forms are registered.
__all__ = ["read_payload", "salesforce_billing", "salesforce_sales"]


@prepares("salesforce.customer")
def customer(raw: Raw, context: Context) -> Raw:
    """An account; a person account is one that is a person."""
    raw = opened(raw, "Account")
    person = " ".join(filter(None, (text_of(raw, "FirstName"), text_of(raw, "LastName"))))
    return common(
        raw,
        context,
        name=text_of(raw, "Name") or person or None,
        parent=id_of(raw, "ParentId"),
        merged_into=id_of(raw, "MasterRecordId"),
        billing=address(raw, "Billing"),
        shipping=address(raw, "Shipping"),
    )


@finishes("salesforce.customer_body")
def customer_body(body: Raw, fields: Mapping[str, Any], context: Context, creating: bool) -> Raw:
    """Addresses as single fields: nobody may write the compound ones."""
    made = {name: value for name, value in body.items() if not name.startswith("tieout_")}
    for prefix in ("Billing", "Shipping"):
        if (name := f"tieout_{prefix.lower()}") in body:
            parts = address_body(prefix, body[name], bool(context.options.get("address_codes")))
            made |= {k: v for k, v in parts.items() if v is not None or not creating}
    return made


@prepares("salesforce.contact")
def contact(raw: Raw, context: Context) -> Raw:
    raw = opened(raw, "Contact")
    return common(
        raw,
        context,
        customer=id_of(raw, "AccountId"),
        merged_into=id_of(raw, "MasterRecordId"),
    )


@prepares("salesforce.product")
def product(raw: Raw, context: Context) -> Raw:
    raw = opened(raw, "Product2")
    return common(raw, context)


@prepares("salesforce.price")
def price(raw: Raw, context: Context) -> Raw:
    raw = opened(raw, "PricebookEntry")
    return common(
        raw,
        context,
        product=id_of(raw, "Product2Id"),
        book=id_of(raw, "Pricebook2Id"),
    )


@prepares("salesforce.opportunity")
def opportunity(raw: Raw, context: Context) -> Raw:
    raw = opened(raw, "Opportunity")
    return common(raw, context, customer=id_of(raw, "AccountId"), owner=id_of(raw, "OwnerId"))


def read_payload(body: bytes) -> Raw:
    """One record out of a file or an answer. Raises InvalidRecord.

    A list, a query's answer or a CSV is accepted where it holds exactly one record.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"<"):
        raise InvalidRecord(
            "is XML, such as an outbound message, which tells chosen fields only",
            hint="give the record itself, as the REST API returns it",
        )
    found = _from_csv(text) if _is_csv(text) else decode_payload(text)
    if isinstance(found, dict) and isinstance(found.get("records"), list) and "Id" not in found:
        found = found["records"]
    record = only_one(found)
    _no_answer(record)
    return record


def _no_answer(found: Raw) -> None:
    """What Salesforce says to a write or a mistake holds no record. Raises InvalidRecord."""
    if "errorCode" in found and "Id" not in found:
        raise InvalidRecord(
            f"is Salesforce's refusal ({shown(found['errorCode'])}), not a record",
            hint="give the record itself, as the REST API returns it",
        )
    if {"success", "errors"} <= found.keys() and "Id" not in found:
        raise InvalidRecord(
            "is Salesforce's answer to a write, not a record",
            hint="give the record itself, as the REST API returns it",
        )


def _is_csv(text: bytes) -> bool:
    first = text.partition(b"\n")[0].replace(b'"', b"").strip()
    return bool(first) and first[:1] not in (b"{", b"[") and b"Id" in first.split(b",")


def _from_csv(text: bytes) -> list[Raw]:
    """Rows as Bulk API gives them; an empty cell is null."""
    try:
        reader = csv.DictReader(io.StringIO(text.decode("utf-8"), newline=""), strict=True)
        rows: list[dict[str, Any]] = list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidRecord(f"is no CSV that can be read: {error}") from None
    if any(None in row or None in row.values() for row in rows):
        raise InvalidRecord("is a CSV with a row that breaks off")
    return [{name: value or None for name, value in row.items()} for row in rows]
