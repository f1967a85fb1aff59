"""Chargebee's transactions: payments, refunds, and the chargebacks of sites without disputes."""

from __future__ import annotations

from typing import Any

from tieout.core.errors import InvalidRecord

from .chargebee_objects import (
    TABLE,
    Raw,
    is_deleted,
    is_key,
    opened,
    our_key,
    rows_of,
    succeeded,
    total_of,
    whole,
)
from .chargebee_objects import extras as extras_of
from .exponents import factors
from .forms import Context, prepares
from .shown import shown

_FAILED = ("failure", "timeout", "late_failure")


@prepares("chargebee.payment")
def payment(raw: Raw, context: Context) -> Raw:
    """A payment, or an authorisation: money that was only set aside.

    https://apidocs.chargebee.com/docs/api/transactions
    """
    found = _transaction(raw, "payment", "authorization")
    status = found.get("status")
    if found.get("type") == "authorization" and status == "success":
        status = "authorized"
    refunded = total_of(succeeded(found, "linked_refunds"), "txn_amount")
    received = found.get("settled_at") or found.get("date")
    computed = {
        **_common(found),
        "status": status,
        "refunded": refunded,
        "received": received if status == "success" else None,
        "reference": _reference(found),
        "failure_code": found.get("error_code") if status in _FAILED else None,
        "failure_message": found.get("error_text") if status in _FAILED else None,
        "allocations": _allocations(found, status, refunded),
        "before_refunds": _before_refunds(found, status, refunded),
    }
    return {**found, "tieout": computed}


@prepares("chargebee.refund")
def refund(raw: Raw, context: Context) -> Raw:
    found = _transaction(raw, "refund")
    notes = rows_of(found, "linked_credit_notes")
    note = notes[0] if len(notes) == 1 else {}
    computed = {
        **_common(found),
        "payment": found.get("refunded_txn_id") or _only_payment(found),
        "credit_note": note.get("cn_id"),
        "reason": note.get("cn_reason_code") or note.get("cn_create_reason_code"),
        "reference": _reference(found),
    }
    return {**found, "tieout": computed}


@prepares("chargebee.dispute")
def dispute(raw: Raw, context: Context) -> Raw:
    """A dispute; or the transaction by which the bank took a disputed payment back.

    https://apidocs.chargebee.com/docs/api/disputes
    """
    found = opened(raw, "dispute", "transaction")
    if found.get("object") != "transaction" and "transaction_id" in found:
        status = found.get("status")
        if found.get("type") == "inquiry" and status in ("initiated", "in_review"):
            status = "inquiry"
        computed = {
            "payment": found["transaction_id"],
            "status": status,
            "reason": found.get("reason"),
            "opened": found.get("created_at"),
        }
        return {**found, "tieout": {**_common(found), **computed}}
    found = _transaction(found, "payment_reversal")
    notes = rows_of(found, "linked_credit_notes")
    reason = notes[0].get("cn_reason_code") if notes else None
    computed = {
        "payment": _only_payment(found) or found.get("reference_transaction_id"),
        "status": "reversed" if found.get("status") == "success" else found.get("status"),
        "reason": reason or "chargeback",
        "opened": found.get("date"),
    }
    return {**found, "tieout": {**_common(found), **computed}}


def _transaction(raw: Raw, *types: str) -> Raw:
    """The transaction, if it is of one of these types. Raises InvalidRecord."""
    found = opened(raw, "transaction")
    if found.get("type") not in types and (found.get("type") or not is_deleted(found)):
        raise InvalidRecord(
            f"is a Chargebee transaction of type {shown(found.get('type'))}, "
            f"not {' or '.join(types)}"
        )
    return found


def _common(found: Raw) -> Raw:
    return {"deleted": is_deleted(found), "extra": extras_of(found), "key": our_key(found)}


def _reference(found: Raw) -> Any:
    """What a person wrote; our own key is none of that."""
    told = found.get("reference_number")
    return None if is_key(told) else told


def _only_payment(found: Raw) -> Any:
    rows = rows_of(found, "linked_payments")
    return rows[0].get("id") or rows[0].get("txn_id") if len(rows) == 1 else None


def _allocations(found: Raw, status: Any, refunded: int) -> list[Raw]:
    """What was paid on which invoice, never more than was kept: refunds come off the end.

    A failed transaction is linked to its invoice with all that was asked for.
    """
    if status != "success":
        return []
    left = whole(found, "amount") - refunded
    rows = sorted(rows_of(found, "linked_invoices"), key=_applied_at)
    kept = []
    for row in rows:
        share = min(whole(row, "applied_amount"), left)
        if row.get("invoice_id") and share > 0:
            kept.append({"invoice": row["invoice_id"], "amount": share})
            left -= share
    return kept


def _applied_at(row: Raw) -> int:
    moment = row.get("applied_at")
    return moment if isinstance(moment, int) else 0


def _before_refunds(found: Raw, status: Any, refunded: int) -> str | None:
    """What was paid on which invoice before anything was refunded: whoever books the payment
    elsewhere needs it whole. `1:1500,2:200` in ISO 4217 minor units; None: no refund."""
    if not refunded:
        return None
    times, by = factors(TABLE).get(str(found.get("currency_code")).upper(), (1, 1))
    rows = _allocations(found, status, 0)
    return ",".join(f"{row['invoice']}:{row['amount'] * times // by}" for row in rows) or None
