"""A second reading of both systems, in plain Python, that shares nothing with the generator.

Stripe's and NetSuite's objects become small tuples of canonical values; `differences` finds where
they disagree. Amounts are ISO 4217 minor units.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Object = dict[str, Any]
PLACES = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}
AMOUNT = {
    "customer": None,
    "product": None,
    "invoice": "total_minor",
    "payment": "amount_minor",
    "credit_note": "total_minor",
    "refund": "amount_minor",
    "payout": "amount_minor",
}


@dataclass(frozen=True)
class Found:
    kind: str
    entity: str
    left: str | None
    right: str | None
    fields: frozenset[str]
    effects: tuple[tuple[str, int], ...]


def day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).date().isoformat()


def by_type(pairs: list[tuple[str, Object]]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = defaultdict(list)
    for type, item in pairs:
        found[type].append(item)
    return found


def read_stripe(pairs: list[tuple[str, Object]]) -> dict[str, dict[str, Object]]:
    """entity -> Stripe id -> canonical values."""
    objects = by_type(pairs)
    charges = {one["id"]: one for one in objects["charge"]}
    paid: dict[str, Counter[str]] = defaultdict(Counter)
    for link in objects["invoice_payment"]:
        if link["status"] == "paid":
            paid[link["payment"]["payment_intent"]][link["invoice"]] += link["amount_paid"]
    return {
        "customer": {
            one["id"]: {"name": one["name"], "email": one["email"]}
            for one in objects["customer"]
            if not one.get("deleted")
        },
        "product": {one["id"]: {"name": one["name"]} for one in objects["product"]},
        "invoice": {one["id"]: _invoice(one) for one in objects["invoice"] if one["number"]},
        "payment": {
            one["id"]: {
                "customer_id": one["customer"],
                "currency": one["currency"].upper(),
                "amount_minor": one["amount_received"],
                "received_at": day(charges[one["latest_charge"]]["created"]),
                "allocations": dict(paid[one["id"]]),
            }
            for one in objects["payment_intent"]
            if one["status"] == "succeeded"
        },
        "credit_note": {
            one["id"]: {
                "customer_id": one["customer"],
                "currency": one["currency"].upper(),
                "total_minor": one["total"],
                "issued_on": day(one["effective_at"]),
            }
            for one in objects["credit_note"]
        },
        "refund": {
            one["id"]: {
                "customer_id": one["customer"],
                "currency": one["currency"].upper(),
                "amount_minor": one["amount"],
                "refunded_at": day(one["created"]),
            }
            for one in objects["refund"]
        },
        "payout": {
            one["id"]: {
                "currency": one["currency"].upper(),
                "amount_minor": one["amount"],
                "arrives_on": day(one["arrival_date"]),
            }
            for one in objects["payout"]
            if one["status"] == "paid"
        },
    }


def _invoice(one: Object) -> Object:
    void = one["status"] == "void"
    return {
        "number": one["number"],
        "customer_id": one["customer"],
        "currency": one["currency"].upper(),
        "issued_on": day(one["effective_at"] or one["status_transitions"]["finalized_at"]),
        "total_minor": 0 if void else one["total"],
        "balance_minor": 0 if void else one["amount_remaining"],
        # A bad debt is still owed: NetSuite has no other word for it than open.
        "status": "open" if one["status"] == "uncollectible" else one["status"],
    }


class NetSuite:
    """NetSuite's records with currency and customers translated."""

    def __init__(self, pairs: list[tuple[str, Object]], emails: dict[str | None, str]) -> None:
        self.records = by_type(pairs)
        self.currencies = {one["id"]: one["symbol"] for one in self.records["currency"]}
        self.customers: dict[str, str | None] = {}
        for one in self.records["customer"]:
            known = one.get("custentity_stripe_id") or emails.get(one.get("email"))
            self.customers[one["id"]] = known
        self.invoices = {
            one["id"]: one.get("custbody_stripe_id") for one in self.records["invoice"]
        }

    def minor(self, value: Decimal, currency: str) -> int:
        assert isinstance(value, Decimal), value
        scaled = value.scaleb(PLACES[currency])
        assert scaled == scaled.to_integral_value(), (value, currency)
        return int(scaled)

    def currency(self, one: Object) -> str:
        return self.currencies[one["currency"]["id"]]

    def rows(self) -> dict[str, list[tuple[str, str | None, Object]]]:
        """entity -> (internal id, Stripe id or None, canonical values), by internal id."""
        reading = {
            "invoice": ("invoice", self._invoice),
            "payment": ("customerPayment", self._payment),
            "credit_note": ("creditMemo", self._memo),
            "refund": ("customerRefund", self._refund),
            "payout": ("deposit", self._deposit),
        }
        found: dict[str, list[tuple[str, str | None, Object]]] = {
            "customer": [
                (one["id"], self.customers[one["id"]], _customer(one))
                for one in self.records["customer"]
            ],
            "product": [
                (one["id"], one["custitem_stripe_id"], {"name": one["displayName"]})
                for one in self.records["serviceSaleItem"]
            ],
        }
        for entity, (type, read) in reading.items():
            found[entity] = [
                (one["id"], one.get("custbody_stripe_id"), read(one)) for one in self.records[type]
            ]
        return found

    def _invoice(self, one: Object) -> Object:
        currency = self.currency(one)
        words = {"Open": "open", "Paid In Full": "paid", "Voided": "void"}
        return {
            "number": one["tranId"],
            "customer_id": self.customers[one["entity"]["id"]],
            "currency": currency,
            "issued_on": one["tranDate"],
            "total_minor": self.minor(one["total"], currency),
            "balance_minor": self.minor(one["amountRemaining"], currency),
            "status": words[one["status"]["refName"]],
        }

    def _payment(self, one: Object) -> Object:
        currency = self.currency(one)
        applied: Counter[str | None] = Counter()
        for line in one["apply"]["items"]:
            applied[self.invoices[line["doc"]["id"]]] += self.minor(line["amount"], currency)
        return {
            "customer_id": self.customers[one["customer"]["id"]],
            "currency": currency,
            "amount_minor": self.minor(one["payment"], currency),
            "received_at": one["tranDate"],
            "allocations": dict(applied),
        }

    def _memo(self, one: Object) -> Object:
        currency = self.currency(one)
        return {
            "customer_id": self.customers[one["entity"]["id"]],
            "currency": currency,
            "total_minor": self.minor(one["total"], currency),
            "issued_on": one["tranDate"],
        }

    def _refund(self, one: Object) -> Object:
        currency = self.currency(one)
        return {
            "customer_id": self.customers[one["customer"]["id"]],
            "currency": currency,
            "amount_minor": self.minor(one["total"], currency),
            "refunded_at": one["tranDate"],
        }

    def _deposit(self, one: Object) -> Object:
        currency = self.currency(one)
        return {
            "currency": currency,
            "amount_minor": self.minor(one["total"], currency),
            "arrives_on": one["tranDate"],
        }


def _customer(one: Object) -> Object:
    person = one["isPerson"]
    name = f"{one['firstName']} {one['lastName']}" if person else one["companyName"]
    return {"name": name, "email": one.get("email")}


def effects(entity: str, left: Object | None, right: Object | None) -> tuple[tuple[str, int], ...]:
    """Left minus right by currency, zeros left out."""
    found: Counter[str] = Counter()
    field = AMOUNT[entity]
    if field is not None:
        for side, sign in ((left, 1), (right, -1)):
            if side is not None:
                found[side["currency"]] += sign * side[field]
    return tuple(sorted((code, minor) for code, minor in found.items() if minor))


def differences(
    stripe: dict[str, dict[str, Object]],
    rows: dict[str, list[tuple[str, str | None, Object]]],
    *,
    not_yet: frozenset[str],
    settling: frozenset[str],
) -> list[Found]:
    """Everything that disagrees, what is not there yet left out."""
    found = []
    for entity, left in stripe.items():
        seen: set[str] = set()
        for internal, stripe_id, values in rows[entity]:
            if stripe_id is None:
                effect = effects(entity, None, values)
                found.append(Found("extra", entity, None, internal, frozenset(), effect))
            elif stripe_id in seen:
                effect = effects(entity, None, values)
                found.append(Found("duplicate", entity, stripe_id, internal, frozenset(), effect))
            else:
                seen.add(stripe_id)
                other = left[stripe_id]
                unlike = {name for name in other if other[name] != values[name]}
                if stripe_id in settling:
                    unlike -= {"balance_minor", "status"}
                if unlike:
                    effect = effects(entity, other, values)
                    found.append(
                        Found("differs", entity, stripe_id, internal, frozenset(unlike), effect)
                    )
        for stripe_id in left.keys() - seen - not_yet:
            effect = effects(entity, left[stripe_id], None)
            found.append(Found("missing", entity, stripe_id, None, frozenset(), effect))
    return found
