"""Makes Stripe's records whole: what the API cuts off or keeps elsewhere is put in.

A record that needs nothing keeps Stripe's own bytes. See `Stripe` for the forms that come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tieout.core.errors import NotFound, StopRun
from tieout.rest import Request, RestClient, dig, json, segment

from .kinds import Kind
from .listing import HAS_MORE, Head, head_of, walk

INVOICE_PAYMENTS = "/v1/invoice_payments"
_DEEPEST = 40
_NEAR = 3600  # seconds before a refund in which its credit note may have been made


class InvoicePayment(msgspec.Struct, omit_defaults=True):
    """The part of an invoice_payment that tells who paid what; the same in every reading."""

    id: str
    invoice: Any = None
    amount_paid: Any = None
    amount_requested: Any = None
    currency: Any = None
    status: Any = None
    payment: dict[str, Any] = {}
    object: str = "invoice_payment"
    is_default: Any = None
    created: Any = None
    status_transitions: Any = None


_allocation = msgspec.json.Decoder(InvoicePayment)
_allocation_out = msgspec.json.Encoder()


class Allocations:
    """Which payment went to which invoices, read once for a whole pull.

    Kept as short JSON per payment: about 300 bytes for each of the account's invoice payments.
    """

    def __init__(self, rest: RestClient) -> None:
        self._of: dict[str, bytes] = {}
        for listing in walk(rest, Request("GET", INVOICE_PAYMENTS)):
            for payment, packed in _packed(listing.records):
                known = self._of.get(payment)
                self._of[payment] = known + b"," + packed if known else packed

    def of(self, payment: str) -> bytes:
        """The payment's invoice_payments as the inside of a JSON array."""
        return self._of.get(payment, b"")


def allocations_of(rest: RestClient, payment: str, customer: str) -> bytes:
    """The same for one payment.

    The list of invoice payments can be asked for a PaymentIntent's, but not for a charge's: those
    stand in the invoices of the charge's customer, and without one no invoice was paid.
    https://docs.stripe.com/api/invoice-payment/list
    """
    if payment.startswith("pi_"):
        asked = Request(
            "GET",
            INVOICE_PAYMENTS,
            {"payment[type]": "payment_intent", "payment[payment_intent]": payment},
        )
        return b",".join(
            packed for page in walk(rest, asked) for _, packed in _packed(page.records)
        )
    found = _of_customer(rest, customer) if customer else ()
    return b",".join(packed for paid_by, packed in found if paid_by == payment)


def _of_customer(rest: RestClient, customer: str) -> Iterator[tuple[str, bytes]]:
    asked = Request("GET", "/v1/invoices", {"customer": customer, "expand[]": ["data.payments"]})
    for page in walk(rest, asked):
        for record in page.records:
            invoice = _invoice.decode(record)
            if not invoice.payments.has_more:
                yield from _packed(bytes(each) for each in invoice.payments.data)
                continue
            of_invoice = Request("GET", INVOICE_PAYMENTS, {"invoice": invoice.id})
            for listing in walk(rest, of_invoice):
                yield from _packed(listing.records)


class _Payments(msgspec.Struct):
    data: list[msgspec.Raw] = []
    has_more: bool = False


class _Invoice(msgspec.Struct):
    id: str
    payments: _Payments = msgspec.field(default_factory=_Payments)


_invoice = msgspec.json.Decoder(_Invoice)


class CreditNoteRefunds(msgspec.Struct):
    """The part of a credit note that tells which refunds it made."""

    id: str
    refund: Any = None
    refunds: list[dict[str, Any]] | None = None

    def of(self) -> Iterator[tuple[str, str]]:
        """(refund id, credit note id) of each."""
        for each in (self.refund, *(each.get("refund") for each in self.refunds or ())):
            if refund := _id(each):
                yield refund, self.id


_credit_note = msgspec.json.Decoder(CreditNoteRefunds)


def refunded_by(rest: RestClient, **asked: Any) -> dict[str, str]:
    """refund id -> the credit note that made it: a refund itself does not say.

    https://docs.stripe.com/api/credit_notes/object#credit_note_object-refunds
    """
    request = Request("GET", "/v1/credit_notes", {k: v for k, v in asked.items() if v is not None})
    return {
        refund: note
        for page in walk(rest, request)
        for record in page.records
        for refund, note in _refunds_of(record)
    }


def _refunds_of(credit_note: bytes) -> Iterator[tuple[str, str]]:
    try:
        yield from _credit_note.decode(credit_note).of()
    except msgspec.DecodeError:
        return  # it is set aside where credit notes are read


def _packed(records: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    for record in records:
        try:
            found = _allocation.decode(record)
        except msgspec.DecodeError:
            continue  # without an id or a payment it tells nothing
        if payment := _id(found.payment.get("payment_intent") or found.payment.get("charge")):
            yield payment, _allocation_out.encode(found)


def _id(reference: Any) -> str:
    """An id, whether the reference is one or has been expanded."""
    return str((reference.get("id") if isinstance(reference, dict) else reference) or "")


class Completer:
    """Completes the records of one pull; keeps what one record can tell about the next."""

    def __init__(self, rest: RestClient, kind: Kind, *, whole: bool) -> None:
        """`whole`: a complete pull, where reading all allocations at once is cheaper."""
        self._rest, self._kind, self._whole = rest, kind, whole
        self._allocations: Allocations | None = None
        self._coupons: dict[str, Any] = {}
        self._notes: dict[str, str] | None = None

    def page(self, records: list[bytes], nested_more: bool) -> list[bytes]:
        """All records of a page."""
        if nested_more or self._kind.entity in ("payment", "payout", "refund", "subscription"):
            return [self.record(record) for record in records]
        return records

    def record(self, record: bytes) -> bytes:
        """One record. What cannot be understood is left as it is, for the mapping to refuse."""
        try:
            head = head_of(record)
        except ValueError:
            return record
        if HAS_MORE.search(record):
            record = self._with_whole_lists(record)
        match self._kind.entity:
            case "payment":
                return spliced(record, "tieout_invoice_payments", self._allocated(head))
            case "payout":
                return self._with_transactions(record, head)
            case "refund":
                return self._with_credit_note(record, head)
            case "subscription":
                return self._with_coupons(record)
        return record

    def _allocated(self, head: Head) -> bytes:
        if not self._whole:
            return allocations_of(self._rest, head.id, _id(head.customer))
        if self._allocations is None:
            self._allocations = Allocations(self._rest)
        return self._allocations.of(head.id)

    def _with_credit_note(self, record: bytes, head: Head) -> bytes:
        """Of one refund, only the credit notes around it are asked for."""
        if self._whole and self._notes is None:
            self._notes = refunded_by(self._rest)
        notes = self._notes
        if notes is None:
            near = {"created[gte]": head.created - _NEAR} if head.created else {}
            notes = refunded_by(self._rest, customer=_id(head.customer) or None, **near)
        note = notes.get(head.id)
        return ending(record, "tieout_credit_note", json.encode(note)) if note else record

    def _with_transactions(self, record: bytes, head: Head) -> bytes:
        """Only a reconciled automatic payout has a complete list of what is in it.

        https://docs.stripe.com/payouts/reconciliation
        """
        if head.automatic is not True or head.reconciliation_status not in (None, "completed"):
            return record
        asked = Request("GET", "/v1/balance_transactions", {"payout": head.id})
        rows = (row for page in walk(self._rest, asked) for row in page.records)
        return spliced(record, "tieout_balance_transactions", b",".join(rows))

    def _with_whole_lists(self, record: bytes) -> bytes:
        value = json.decode(record)
        return json.encode(value) if self._lengthen(value) else record

    def _lengthen(self, value: Any, depth: int = 0) -> bool:
        """Reads on wherever an embedded list says `has_more`; whether there was one."""
        if depth > _DEEPEST or not isinstance(value, dict | list):
            return False
        inner = list(value.values()) if isinstance(value, dict) else value
        changed = [self._lengthen(item, depth + 1) for item in inner]
        if not isinstance(value, dict) or value.get("has_more") is not True:
            return any(changed)
        rows, url = value.get("data"), value.get("url")
        if value.get("object") != "list" or not isinstance(rows, list):
            return any(changed)
        if not isinstance(url, str) or not url.startswith("/v1/"):
            raise StopRun("an embedded list is cut off and does not say where it goes on")
        value["data"] = rows + self._rest_of(url, rows)
        value["has_more"] = False
        return True

    def _rest_of(self, url: str, rows: list[Any]) -> list[Any]:
        last = dig(rows[-1], "id") if rows else None
        request = Request("GET", url).with_params(limit=100)
        found: list[Any] = []
        while True:
            answer = self._rest.send(request.with_params(starting_after=last))
            fresh = answer["data"]
            found += fresh
            if not answer["has_more"]:
                return found
            if not fresh or fresh[-1]["id"] == last:
                raise StopRun(f"{url}: Stripe sent the same page twice")
            last = fresh[-1]["id"]

    def _with_coupons(self, record: bytes) -> bytes:
        """Discounts name their coupon by id (`source.coupon`); the percentage stands there."""
        if b'"coupon"' not in record:
            return record
        value = json.decode(record)
        changed = False
        for holder in (value, *(dig(value, "items.data") or [])):
            for discount in holder.get("discounts") or []:
                source = dig(discount, "source")
                if isinstance(source, dict) and isinstance(source.get("coupon"), str):
                    source["coupon"] = self._coupon(source["coupon"])
                    changed = True
        return json.encode(value) if changed else record

    def _coupon(self, id: str) -> Any:
        if id not in self._coupons:
            self._coupons[id] = coupon_of(self._rest, id)
        return self._coupons[id]


def coupon_of(rest: RestClient, id: str) -> Any:
    """The coupon, or its id where it has been deleted."""
    try:
        return rest.send(Request("GET", f"/v1/coupons/{segment(id)}"))
    except NotFound:
        return id


def spliced(record: bytes, name: str, inside: bytes) -> bytes:
    """The record's own bytes with one more field at its end, an array of `inside`."""
    return ending(record, name, b"[" + inside + b"]")


def ending(record: bytes, name: str, value: bytes) -> bytes:
    """The record's own bytes with one more field at its end; `value` is JSON."""
    return record.rstrip()[:-1].rstrip() + b',"' + name.encode() + b'":' + value + b"}"
