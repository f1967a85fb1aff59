"""Writes to Stripe: form-encoded POSTs, each with an idempotency key derived from ours.

An invoice takes several steps (a draft, its items, finalizing); each step has its own key, so a
repeat goes through those already taken and does the rest. A step that ended in a 5xx is answered
with that for as long as Stripe keeps the key; what it did is then looked up, and only where it did
nothing is it sent once more, under a second key. https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tieout.core.errors import InvalidRecord
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, dig, json, segment

from ..base import Raw
from .errors import Replayed
from .finding import KEY_FIELD, find
from .kinds import Kind
from .listing import head_of, walk

# How many items a draft is to get and whether it is to be finalized: tells a half-made one.
ITEMS_FIELD, FINALIZE_FIELD = "tieout_items", "tieout_finalize"


def create(
    rest: RestClient, kind: Kind, record: Raw, key: str, *, now: int, begun: str | None = None
) -> bytes:
    """Makes the record and answers it. The same key within 24 hours makes no second one.

    record   Stripe's parameters, nested. An invoice may hold `items`, the parameters of its
             invoice items, and `finalize`: true to leave it open instead of a draft.
    now      in Unix seconds.
    begun    the id of the draft that an earlier attempt left half made.
    """
    form = {name: value for name, value in record.items() if value is not None}
    if kind.entity == "invoice":
        return _create_invoice(rest, kind, form, key, now, begun)
    form["metadata"] = _marked(form, {KEY_FIELD: key})
    return _make(rest, kind, form, key, now)


def update(rest: RestClient, kind: Kind, id: str, record: Raw, key: str) -> bytes:
    """Changes the given fields: None empties one, metadata is merged by Stripe."""
    if kind.entity == "invoice" and record.get("items"):
        raise InvalidRecord(
            "the items of an invoice that exists are not changed",
            hint="void it and make a new one, or make a credit note",
        )
    form = {
        name: value for name, value in record.items() if name not in ("id", "items", "finalize")
    }
    path = f"{kind.path}/{segment(id)}"
    if not form and record.get("finalize"):
        return _finalize(rest, kind, id, _key(kind, f"finalize {id}", key))
    changed = _post(rest, kind, path, form, _key(kind, f"update {id}", key))
    if record.get("finalize"):
        return _finalize(rest, kind, id, _key(kind, f"finalize {id}", key))
    return changed


def archive(rest: RestClient, kind: Kind, id: str, key: str) -> bytes:
    """Inactive where Stripe knows that; an invoice is voided, which only open ones can be."""
    path, form = f"{kind.path}/{segment(id)}", {"active": False}
    made = _nothing
    if kind.entity == "invoice":
        path, form = f"{path}/void", {}
        made = partial(_if_void, rest, kind, id)
    return _post(rest, kind, path, form, _key(kind, f"archive {id}", key), made)


def _if_void(rest: RestClient, kind: Kind, id: str) -> bytes | None:
    invoice = _read(rest, kind, id)
    return invoice if json.decode(invoice).get("status") == "void" else None


def half_made(entity: str, record: bytes) -> bool:
    """Whether this is an invoice whose making broke off before its end."""
    if entity != "invoice":
        return False
    invoice = json.decode(record)
    marks = invoice.get("metadata") or {}
    if invoice.get("status") != "draft" or ITEMS_FIELD not in marks:
        return False
    planned = str(marks[ITEMS_FIELD])
    missing = not planned.isdigit() or len(dig(invoice, "lines.data") or []) < int(planned)
    return missing or marks.get(FINALIZE_FIELD) == "true"


def _create_invoice(
    rest: RestClient, kind: Kind, form: dict[str, Any], key: str, now: int, begun: str | None
) -> bytes:
    """A draft that charges nobody by itself, its items, and only then the number."""
    items = form.pop("items", None) or []
    if not form.get("customer"):
        raise InvalidRecord("an invoice needs a customer")
    finalize = bool(form.pop("finalize", False))
    form.setdefault("auto_advance", False)
    form.setdefault("pending_invoice_items_behavior", "exclude")
    marks = {KEY_FIELD: key, ITEMS_FIELD: str(len(items)), FINALIZE_FIELD: str(finalize).lower()}
    form["metadata"] = _marked(form, marks)
    id = begun or head_of(_make(rest, kind, form, key, now)).id
    there = _items_on(rest, id) if begun else 0
    for position, item in list(enumerate(items))[there:]:
        given = {name: value for name, value in item.items() if value is not None}
        given |= {"invoice": id, "customer": form["customer"]}
        _add_item(rest, id, position, given, _key(kind, f"item {position}", key))
    if finalize:
        return _finalize(rest, kind, id, _key(kind, "finalize", key))
    return _read(rest, kind, id)


def _make(rest: RestClient, kind: Kind, form: Mapping[str, Any], key: str, now: int) -> bytes:
    def made() -> bytes | None:
        id = find(rest, kind, key, now=now)
        return _read(rest, kind, id) if id else None

    return _post(rest, kind, kind.path, form, _key(kind, "create", key), made)


def _add_item(
    rest: RestClient, invoice: str, position: int, form: Mapping[str, Any], key: str
) -> None:
    """Items are added one after the other, so their number tells whether this one is there."""

    def made() -> bytes | None:
        return b"{}" if _items_on(rest, invoice) > position else None

    _post(rest, None, "/v1/invoiceitems", form, key, made)


def _items_on(rest: RestClient, invoice: str) -> int:
    asked = Request("GET", "/v1/invoiceitems", {"invoice": invoice})
    return sum(len(page.records) for page in walk(rest, asked))


def _finalize(rest: RestClient, kind: Kind, id: str, key: str) -> bytes:
    def made() -> bytes | None:
        invoice = _read(rest, kind, id)
        return None if json.decode(invoice).get("status") == "draft" else invoice

    form = {"auto_advance": False}
    return _post(rest, kind, f"{kind.path}/{segment(id)}/finalize", form, key, made)


def _nothing() -> bytes | None:
    """For a write that may be repeated: it sets what it sets."""
    return None


def _post(
    rest: RestClient,
    kind: Kind | None,
    path: str,
    form: Mapping[str, Any],
    key: str,
    made: Callable[[], bytes | None] = _nothing,
) -> bytes:
    """`made`: what an earlier failed attempt left, None if nothing."""
    expand = {"expand": list(kind.expand)} if kind and kind.expand else {}

    def send(key: str) -> bytes:
        named = (("Idempotency-Key", key),)
        asked = Request("POST", path, form={**form, **expand}, headers=named, idempotent=True)
        return rest.read(asked, _record)

    try:
        return send(key)
    except Replayed:
        return made() or send(f"{key}-2")


def _read(rest: RestClient, kind: Kind, id: str) -> bytes:
    asked = Request("GET", f"{kind.path}/{segment(id)}", {"expand[]": list(kind.expand)})
    return rest.read(asked, _record)


def _record(answer: HttpAnswer) -> bytes:
    head_of(answer.body)  # ValueError where the body is torn or is no record
    return answer.body


def _marked(form: Mapping[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
    return {**(form.get("metadata") or {}), **marks}


def _key(kind: Kind, step: str, key: str) -> str:
    """An idempotency key of fixed length (Stripe allows 255), whatever characters ours has."""
    return "tieout-" + hashlib.sha256(f"{kind.entity}\n{step}\n{key}".encode()).hexdigest()
