"""Writes to Chargebee: form-encoded POSTs with an idempotency key and ids of our own.

The key is honoured for 30 minutes at least; after that the id (or the reference number) tells that
a record is there already. Nothing here charges a customer: what happened elsewhere is recorded or
imported. https://apidocs.chargebee.com/docs/api/idempotency
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from tieout.core.errors import Conflict, InvalidRecord
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, json, segment

from ..base import Raw
from .errors import BadState, Duplicate, Replayed
from .finding import STEPS, carries, listed, own_id, read, reference
from .kinds import API, INVOICES, ITEMS, Kind, Source
from .listing import head_of, is_gone, single
from .settings import ChargebeeConfig
from .site import Site

_BILLING = ("billing_address", "vat_number")  # changed by a call of their own
_METADATA = {"customer": "meta_data", "subscription": "meta_data"}
_CATALOG = ("product", "price")


class Writer:
    """Writes the records of one site."""

    def __init__(self, rest: RestClient, site: Site, settings: ChargebeeConfig) -> None:
        self._rest, self._site, self._settings = rest, site, settings
        self._headers = _side_effects(settings)

    def create(self, kind: Kind, record: Raw, key: str) -> bytes:
        """Makes the record once and answers it. `record` holds Chargebee's own parameters.

        What says where it belongs (`customer_id` of a subscription, `allocations` of a payment,
        `credit_note_id` or `payment_id` of a refund) becomes a part of the path.
        """
        form = {name: value for name, value in record.items() if value is not None}
        match kind.entity:
            case "payment":
                return self._record_payment(kind, form, key)
            case "refund":
                return self._record_refund(kind, form, key)
        source = kind.sources[0]
        path = self._place(kind, form)
        form = self._marked(kind, form, key)
        return self._make(kind, source, path, form, key, id=str(form["id"]))

    def update(self, kind: Kind, id: str, record: Raw, key: str) -> bytes:
        """Changes the given fields; None empties one. Metadata is merged with what is there."""
        if kind.entity in _CATALOG:
            self._site.needs_items(kind.entity)
        source = kind.sources[0]
        form = {name: value for name, value in record.items() if name not in ("id", "customer_id")}
        self._merge_metadata(kind, source, id, form)
        path = f"{source.path}/{segment(id)}"
        if kind.entity != "customer":
            return self._post(source.name, path, form, _step(kind, f"update {id}", key))
        billing = {name: form.pop(name) for name in _BILLING if name in form}
        if billing and form:
            self._post(source.name, path, form, _step(kind, f"update {id}", key))
        if billing:
            form, path = billing, f"{path}/update_billing_info"
        return self._post(source.name, path, form, _step(kind, f"update {path}", key))

    def archive(self, kind: Kind, id: str, key: str) -> bytes:
        """Items and their prices are archived; invoices and credit notes are voided."""
        source, form = kind.sources[0], {}
        path = f"{source.path}/{segment(id)}"
        if kind.entity in _CATALOG:
            self._site.needs_items(kind.entity)
            form = {"status": "archived"}
        else:
            path += "/void"
        try:
            return self._post(source.name, path, form, _step(kind, f"archive {id}", key))
        except BadState:
            found = read(self._rest, source, id)
            if found is None or head_of(found).status != "voided":
                raise
            return found

    def _place(self, kind: Kind, form: dict[str, Any]) -> str:
        """Where a new record is posted; completes the form by what config.yaml says."""
        match kind.entity:
            case "product":
                self._site.needs_items("product")
                form.setdefault("type", self._settings.item_type)
                if "item_family_id" not in form:
                    form["item_family_id"] = self._family()
            case "price":
                self._site.needs_items("price")
                form["name"] = form.get("name") or self._price_name(form)
            case "subscription":
                self._site.needs_items("subscription")
                form["create_current_term_invoice"] = False
                customer = _needed(form, "customer_id", "a subscription needs a customer")
                return f"/customers/{segment(customer)}/import_for_items"
            case "invoice":
                return "/invoices/import_invoice"
            case "credit_note":
                if not form.get("reference_invoice_id"):
                    raise InvalidRecord(
                        "a credit note that names no invoice cannot be imported",
                        hint="Chargebee imports credit notes against an invoice; link it first",
                    )
                return "/credit_notes/import_credit_note"
            case "usage":
                subscription = _needed(form, "subscription_id", "usage needs a subscription")
                return f"/subscriptions/{segment(subscription)}/usages"
        return kind.sources[0].path

    def _family(self) -> str:
        """The configured item family, or the only one that there is."""
        if self._settings.item_family:
            return self._settings.item_family
        answer = self._rest.send(Request("GET", f"{API}/item_families", {"limit": 2}))
        rows = [row.get("item_family", {}).get("id") for row in answer.get("list", [])]
        if len(rows) != 1:
            raise InvalidRecord(
                "a new product needs an item family",
                hint="set `item_family` of this system to the id of one of the site's families",
            )
        return str(rows[0])

    def _price_name(self, form: dict[str, Any]) -> str:
        """A price must have a name; where there is none, it is called after its item."""
        item = read(self._rest, ITEMS, _needed(dict(form), "item_id", "a price needs a product"))
        about = json.decode(item) if item else {}
        every = (form.get("period"), form.get("period_unit"))
        parts = (str(about.get("name") or form["item_id"])[:60], form.get("currency_code"), *every)
        return " ".join(str(part) for part in parts if part)

    def _marked(self, kind: Kind, form: dict[str, Any], key: str) -> dict[str, Any]:
        """With an id made of our key, and the key itself where there is room for it."""
        form = {"id": own_id(kind.sources[0].name, key), **form}
        match kind.entity:
            case "invoice" if self._settings.key_field:
                form[self._settings.key_field] = key
            case "invoice":
                notes = form.get("notes") or []
                form["notes"] = [*notes, {"note": key}]
            case "usage":
                form.setdefault("note", key)
            case "credit_note":
                pass
            case _:
                name = _METADATA.get(kind.entity, "metadata")
                form[name] = {**(form.get(name) or {}), "tieout_id": key}
        return form

    def _merge_metadata(self, kind: Kind, source: Source, id: str, form: dict[str, Any]) -> None:
        """Chargebee replaces metadata as a whole."""
        name = _METADATA.get(kind.entity, "metadata")
        if name not in form:
            return
        found = read(self._rest, source, id)
        held = json.decode(found).get(name) if found else None
        form[name] = {**(held if isinstance(held, dict) else {}), **(form[name] or {})}

    def _record_payment(self, kind: Kind, form: dict[str, Any], key: str) -> bytes:
        """On one invoice it is recorded there; else for the customer, then applied to each."""
        allocations = [row for row in form.pop("allocations", None) or () if row.get("amount")]
        customer, comment = form.pop("customer_id", None), form.pop("comment", None)
        currency = form.pop("currency_code", None)
        rest = {"comment": comment} if comment else {}
        form["reference_number"] = reference(key)
        if len(allocations) == 1 and allocations[0]["amount"] == form.get("amount"):
            invoice = str(allocations[0]["invoice_id"])
            path, step = f"/invoices/{segment(invoice)}/record_payment", _step(kind, "create", key)

            def recorded() -> bytes | None:
                return self._linked(kind, INVOICES, invoice, "linked_payments", key)

            return self._post("transaction", path, {"transaction": form, **rest}, step, recorded)
        if not customer:
            raise InvalidRecord("a payment needs a customer, or one invoice that it pays")
        end = f"{STEPS}{len(allocations)}" if allocations else ""
        id = own_id("transaction", key, room=len(end)) + end
        form |= {"id": id, **({"currency_code": currency} if currency else {})}
        path = f"/customers/{segment(customer)}/record_excess_payment"
        made = self._make(kind, kind.sources[0], path, {"transaction": form, **rest}, key, id=id)
        return self._applied(kind, made, id, allocations, key) if allocations else made

    def _applied(self, kind: Kind, made: bytes, id: str, allocations: list[Raw], key: str) -> bytes:
        """Applies the payment to what it is not applied to yet."""
        for row in allocations:
            invoice = str(row["invoice_id"])
            if not _is_applied(made, invoice):
                self._apply(kind, id, invoice, row["amount"], key)
        found = read(self._rest, kind.sources[0], id)
        return made if found is None else found

    def _apply(self, kind: Kind, id: str, invoice: str, amount: int, key: str) -> None:
        form = {"transactions": [{"id": id, "amount": amount}]}
        path = f"/invoices/{segment(invoice)}/apply_payments"

        def done() -> bytes | None:
            found = read(self._rest, kind.sources[0], id)
            return found if found is not None and _is_applied(found, invoice) else None

        self._post("invoice", path, form, _step(kind, f"apply {invoice}", key), done)

    def _record_refund(self, kind: Kind, form: dict[str, Any], key: str) -> bytes:
        """Of a credit note where it names one, else of its payment."""
        note, payment = form.pop("credit_note_id", None), form.pop("payment_id", None)
        form["reference_number"] = reference(key)
        if note:
            id = form["id"] = own_id("transaction", key)
            path = f"/credit_notes/{segment(note)}/record_refund"
            return self._make(kind, kind.sources[0], path, {"transaction": form}, key, id=id)
        if payment:
            path, step = (
                f"/transactions/{segment(payment)}/record_refund",
                _step(kind, "create", key),
            )

            def made() -> bytes | None:
                return self._linked(kind, kind.sources[0], str(payment), "linked_refunds", key)

            return self._post("transaction", path, form, step, made)
        raise InvalidRecord(
            "names neither the credit note nor the payment that it pays back",
            hint="Chargebee records a refund on one of them; link it first",
        )

    def _linked(self, kind: Kind, source: Source, id: str, name: str, key: str) -> bytes | None:
        """The transaction with our key that an invoice or payment links to. Read one by one: lists
        may be five minutes behind."""
        found = read(self._rest, source, id)
        for row in reversed((json.decode(found).get(name) or []) if found else []):
            record = read(self._rest, kind.sources[0], str(row.get("txn_id")))
            if record and json.decode(record).get("reference_number") == reference(key):
                return record
        return None

    def _make(
        self, kind: Kind, source: Source, path: str, form: Mapping[str, Any], key: str, *, id: str
    ) -> bytes:
        """Posts; where the id is taken already, answers the record that has it, if it is ours."""
        try:
            return self._post(source.name, path, form, _step(kind, "create", key))
        except Duplicate as error:
            found = self._ours(kind, source, id, key)
            if found is not None:
                return found
            if kind.entity != "price" or form.get("name", "").endswith(key[-10:]):
                raise Conflict(error.message, hint=error.hint) from None
        # Two item prices can't have one name; what people see is their external name.
        named = {**form, "name": f"{form.get('name', '')[:80]} {key[-10:]}"}
        return self._make(kind, source, path, named, key, id=id)

    def _ours(self, kind: Kind, source: Source, id: str, key: str) -> bytes | None:
        found = read_any(self._rest, source, id)
        if found is None or is_gone(head_of(found)):
            return None
        made_of_key = id.partition(STEPS)[0] in (key, own_id(source.name, key)) or STEPS in id
        ours = made_of_key or carries(json.decode(found), key, field=self._settings.key_field)
        return found if ours else None

    def _post(
        self,
        name: str,
        path: str,
        form: Mapping[str, Any],
        step: str,
        made: Callable[[], bytes | None] = lambda: None,
    ) -> bytes:
        """`made`: what an earlier attempt left that failed after its effect, None if nothing.

        Where Chargebee gives the first attempt's failure again, the second has a key of its own.
        """
        try:
            return self._send(name, path, form, step)
        except Replayed:
            return made() or self._send(name, path, form, f"{step}\nagain")

    def _send(self, name: str, path: str, form: Mapping[str, Any], step: str) -> bytes:
        def parsed(answer: HttpAnswer) -> bytes:
            return single(answer, name)

        body = columns(form)
        headers = (*self._headers, ("chargebee-idempotency-key", _key(f"{step}\n{path}", body)))
        asked = Request("POST", API + path, form=body, headers=headers, idempotent=True)
        return self._rest.read(asked, parsed)


def read_any(rest: RestClient, source: Source, id: str) -> bytes | None:
    """One object by its id; usage is only to be had from its list."""
    if source.name == "usage":
        return listed(rest, source, id=id)
    return read(rest, source, id)


def columns(form: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of objects as Chargebee wants them: `items[price][0]`, the position after the name.

    Metadata is sent as JSON text; a list without anything in it has no form, and is left out.
    """
    found: dict[str, Any] = {}
    for name, value in form.items():
        if isinstance(value, list | tuple) and not value:
            continue
        if name in ("meta_data", "metadata"):
            found[name] = json.encode(value or {}).decode()
        elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            found[name] = _columns_of(value)
        elif isinstance(value, Mapping):
            found[name] = columns(value)
        else:
            found[name] = value
    return found


def _columns_of(rows: list[Raw]) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for position, row in enumerate(rows):
        for name, value in row.items():
            if value is not None:
                table.setdefault(name, {})[str(position)] = value
    return table


def _is_applied(payment: bytes, invoice: str) -> bool:
    rows = json.decode(payment).get("linked_invoices") or ()
    return any(str(row.get("invoice_id")) == invoice for row in rows)


def _needed(form: dict[str, Any], name: str, complaint: str) -> str:
    value = form.pop(name, None)
    if not value:
        raise InvalidRecord(complaint)
    return str(value)


def _side_effects(settings: ChargebeeConfig) -> tuple[tuple[str, str], ...]:
    """https://apidocs.chargebee.com/docs/api/advanced-features : what our writes leave undone."""
    wanted = (
        ("chargebee-event-email", settings.suppress_emails),
        ("chargebee-event-webhook", settings.suppress_webhooks),
        ("chargebee-event-actions", settings.suppress_actions),
    )
    found = [(name, "all-disabled") for name, on in wanted if on]
    if settings.origin_user:
        found.append(("chargebee-request-origin-user", settings.origin_user))
    return tuple(found)


def _step(kind: Kind, step: str, key: str) -> str:
    """What tells one step of one write from all others."""
    return f"{kind.entity}\n{step}\n{key}"


def _key(step: str, form: Mapping[str, Any]) -> str:
    """An idempotency key of fixed length (Chargebee allows 100), whatever characters ours has.

    It goes with the very body: a record that was corrected after a refusal is another write.
    """
    digest = hashlib.sha256(step.encode() + b"\n" + json.encode_stable(form)).hexdigest()
    return f"tieout-{digest}"
