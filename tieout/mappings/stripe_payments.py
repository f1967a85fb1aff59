"""Stripe's payments and payouts: PaymentIntents, charges, and what a payout is made of."""

from __future__ import annotations

from typing import Any

from tieout.core.errors import InvalidRecord

from .exponents import factors
from .forms import Context, prepares
from .stripe_objects import Raw, id_of, opened, whole

_PENDING = {"requires_capture", "requires_action", "requires_confirmation", "processing"}


@prepares("stripe.payment")
def payment(raw: Raw, context: Context) -> Raw:
    """A PaymentIntent with its charge, or a charge. https://docs.stripe.com/api/payment_intents"""
    found = opened(raw, "payment_intent", "charge")
    is_charge = found.get("object") == "charge" or (
        "object" not in found and not str(found.get("id", "")).startswith("pi_")
    )
    computed = _from_charge(found) if is_charge else _from_intent(found)
    computed["allocations"] = _allocations(found, computed)
    computed["before_refunds"] = _before_refunds(found, computed)
    return {**found, "tieout": computed}


def _from_intent(intent: Raw) -> Raw:
    charge = _charge_of(intent)
    status = intent.get("status")
    error = intent.get("last_payment_error") or {}
    if status == "requires_payment_method":
        status = "failed" if error else "pending"
    elif status in _PENDING:
        status = "pending"
    received = whole(intent, "amount_received")
    amount = received if status == "succeeded" and received else whole(intent, "amount")
    failed = status == "failed"
    return {
        "id": intent.get("id"),
        "status": status,
        "amount": amount,
        "gateway_id": id_of(intent.get("latest_charge")) or (charge or {}).get("id"),
        "received": _received(intent, charge) if status == "succeeded" else None,
        "refunded": _refunded(charge) if charge else _none_yet(intent),
        "failure_code": error.get("code") if failed else None,
        "failure_message": error.get("message") if failed else None,
        **_method(intent.get("payment_method"), charge),
        **_fee(intent, charge),
    }


def _charge_of(intent: Raw) -> Raw | None:
    """The expanded latest charge; before 2022-11-15 they came as a list, newest first."""
    latest = intent.get("latest_charge")
    if isinstance(latest, dict):
        return latest
    listed = (intent.get("charges") or {}).get("data")
    if not listed:
        return None
    named = [each for each in listed if each.get("id") == latest]
    return dict((named or listed)[0])


def _none_yet(intent: Raw) -> int | None:
    """Without a charge nothing can have been refunded; with one that we don't see, who knows."""
    return 0 if intent.get("latest_charge") is None else None


def _from_charge(charge: Raw) -> Raw:
    status, captured = charge.get("status"), charge.get("captured") is not False
    amount = whole(charge, "amount")
    if status == "succeeded" and not captured:
        # Only authorised: the money comes with the capture, or never when it is released.
        status = "canceled" if charge.get("refunded") else "pending"
    elif status == "succeeded":
        amount = whole(charge, "amount_captured") or amount
    failed = status == "failed"
    return {
        "id": id_of(charge.get("payment_intent")) or charge.get("id"),
        "status": status,
        "amount": amount,
        "gateway_id": charge.get("id"),
        "received": _received(charge, charge) if status == "succeeded" else None,
        "refunded": _refunded(charge),
        "failure_code": charge.get("failure_code") if failed else None,
        "failure_message": charge.get("failure_message") if failed else None,
        **_method(None, charge),
        **_fee(charge, charge),
    }


def _refunded(charge: Raw) -> int:
    """What went back to the customer. A released authorisation, whole or in part, looks like a

    refund at Stripe but never was one. https://docs.stripe.com/reports/reporting-categories
    """
    refunded = whole(charge, "amount_refunded")
    if charge.get("captured") is False:
        return 0
    captured = whole(charge, "amount_captured")
    released = whole(charge, "amount") - captured if captured else 0
    return refunded - released if 0 < released <= refunded else refunded


def _received(holder: Raw, charge: Raw | None) -> Any:
    """When it succeeded: its balance transaction tells, for slow methods days after the charge."""
    moved = (charge or {}).get("balance_transaction")
    if isinstance(moved, dict) and moved.get("created") is not None:
        return moved["created"]
    if charge and charge.get("created") is not None:
        return charge["created"]
    paid = [
        (row.get("status_transitions") or {}).get("paid_at")
        for row in holder.get("tieout_invoice_payments") or ()
    ]
    times = [each for each in paid if isinstance(each, int)]
    return max(times) if times else holder.get("created")


def _method(expanded: Any, charge: Raw | None) -> Raw:
    """How it was paid, and what a bank statement says about it."""
    details = (charge or {}).get("payment_method_details") or {}
    kind = details.get("type")
    if kind is None and isinstance(expanded, dict):
        kind = expanded.get("type")
    if kind is None and isinstance((charge or {}).get("source"), dict):
        kind = (charge or {})["source"].get("object")
    about = details.get(kind) if isinstance(kind, str) else None
    about = about if isinstance(about, dict) else {}
    return {"method": kind, "reference": about.get("payment_reference") or about.get("reference")}


def _fee(holder: Raw, charge: Raw | None) -> Raw:
    """Stripe's fee, if it is in the payment's own currency; else it is kept as custom fields."""
    moved = (charge or {}).get("balance_transaction")
    if not isinstance(moved, dict):
        return {}
    if moved.get("currency") == holder.get("currency"):
        return {"fee": whole(moved, "fee")}
    currency = str(moved.get("currency")).upper()
    times, by = factors("stripe").get(currency, (1, 1))
    return {"settled_in": currency, "settled_fee": whole(moved, "fee") * times // by}


def _before_refunds(found: Raw, computed: Raw) -> str | None:
    """What was paid on which invoice before anything was refunded: whoever books the payment
    elsewhere needs it whole. `in_1:1500,in_2:200` in ISO 4217 minor units; None: no refund."""
    if not computed["refunded"]:
        return None
    whole_again = _allocations(found, {**computed, "refunded": 0})
    times, by = factors("stripe").get(str(found.get("currency")).upper(), (1, 1))
    pairs = [f"{row['invoice']}:{row['amount'] * times // by}" for row in whole_again]
    return ",".join(pairs) or None


def _allocations(found: Raw, computed: Raw) -> list[Raw]:
    """What was paid on which invoice, never more than was kept: refunds come off the end."""
    if computed["status"] != "succeeded":
        return []
    left = computed["amount"] - (computed["refunded"] or 0)
    rows = [row for row in found.get("tieout_invoice_payments") or () if row["status"] == "paid"]
    rows.sort(key=lambda row: (_paid_at(row), str(row.get("id"))))
    pairs = [(id_of(row.get("invoice")), whole(row, "amount_paid")) for row in rows]
    if "tieout_invoice_payments" not in found:
        pairs = [(id_of(found.get("invoice")), left)]
    kept = []
    for invoice, amount in pairs:
        amount = min(amount, left)
        if invoice and amount > 0:
            kept.append({"invoice": invoice, "amount": amount})
            left -= amount
    return kept


def _paid_at(row: Raw) -> int:
    moment = (row.get("status_transitions") or {}).get("paid_at") or row.get("created")
    return moment if isinstance(moment, int) else 0


@prepares("stripe.payout")
def payout(raw: Raw, context: Context) -> Raw:
    """A payout with the balance transactions in it. https://docs.stripe.com/payouts/reconciliation"""
    found = opened(raw, "payout")
    rows = found.get("tieout_balance_transactions")
    trace = found.get("trace_id") or {}
    reference = trace.get("value") if isinstance(trace, dict) else None
    return {
        **found,
        "tieout": {
            "reference": reference or found.get("statement_descriptor"),
            "lines": [_moved(row, found) for row in rows or () if not _is_own(row, found)],
        },
    }


def _is_own(row: Raw, found: Raw) -> bool:
    """The payout's own row, which takes out what all the others brought."""
    return id_of(row.get("source")) == found.get("id") and row.get("type") in (None, "payout")


def _moved(row: Raw, found: Raw) -> Raw:
    if row.get("currency") not in (None, found.get("currency")):
        raise InvalidRecord(
            f"its balance transaction {row.get('id')} is in another currency than the payout"
        )
    return {**row, "kind": row.get("reporting_category") or f"type {row.get('type')}"}
