"""Whatever a client sends: Chargebee's stand-in never fails, and its sums hold afterwards.

Requests are made up from what each endpoint takes, with ids of what is there.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from chargebee_session import DAY, NOW, Stage, balanced_invoice, balanced_note, stage

from tieout.sandbox.chargebee.kinds import KINDS
from tieout.sandbox.chargebee.params import Field, compile_spec
from tieout.sandbox.chargebee.routes import SPECS
from tieout.sandbox.chargebee.words import WORDS

NUMBERS = [0, 1, 3, 100, 1000, 5000, NOW - DAY, NOW, NOW + DAY]
ACTIONS = {
    "customer.create": "customers",
    "customer.record_excess_payment": "customers/{customer}/record_excess_payment",
    "customer.add_promotional_credits": "customers/{customer}/add_promotional_credits",
    "subscription.create_with_items": "customers/{customer}/subscription_for_items",
    "subscription.import_for_items": "customers/{customer}/import_for_items",
    "subscription.update_for_items": "subscriptions/{subscription}/update_for_items",
    "subscription.cancel_for_items": "subscriptions/{subscription}/cancel_for_items",
    "subscription.pause": "subscriptions/{subscription}/pause",
    "subscription.resume": "subscriptions/{subscription}/resume",
    "subscription.reactivate": "subscriptions/{subscription}/reactivate",
    "invoice.create_for_charge_items_and_charges": "invoices/create_for_charge_items_and_charges",
    "invoice.import_invoice": "invoices/import_invoice",
    "invoice.record_payment": "invoices/{invoice}/record_payment",
    "invoice.record_refund": "invoices/{invoice}/record_refund",
    "invoice.apply_credits": "invoices/{invoice}/apply_credits",
    "invoice.apply_payments": "invoices/{invoice}/apply_payments",
    "invoice.remove_payment": "invoices/{invoice}/remove_payment",
    "invoice.write_off": "invoices/{invoice}/write_off",
    "invoice.void_invoice": "invoices/{invoice}/void",
    "invoice.close": "invoices/{invoice}/close",
    "invoice.collect_payment": "invoices/{invoice}/collect_payment",
    "credit_note.create": "credit_notes",
    "credit_note.import_credit_note": "credit_notes/import_credit_note",
    "credit_note.record_refund": "credit_notes/{credit_note}/record_refund",
    "credit_note.void_credit_note": "credit_notes/{credit_note}/void",
    "unbilled_charge.create": "unbilled_charges",
    "unbilled_charge.invoice_unbilled_charges": "unbilled_charges/invoice_unbilled_charges",
}


class Client:
    """Makes up requests; the same seed makes up the same ones."""

    def __init__(self, cb: Stage, seed: int) -> None:
        self.cb, self.chance = cb, random.Random(seed)

    def ids(self, kind: str) -> list[str]:
        return [row.id for row in self.cb.stand_in.site.shelf(kind).all()] or ["none"]

    def request(self) -> tuple[str, dict[str, Any]]:
        takes = self.chance.choice(list(ACTIONS))
        one = {kind: self.chance.choice(self.ids(kind)) for kind in KINDS}
        density = self.chance.choice([0.02, 0.1, 0.4])
        return ACTIONS[takes].format(**one), self.group(compile_spec(SPECS[takes]), "", "", density)

    def group(
        self, fields: dict[str, Field], prefix: str, suffix: str, density: float
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in fields.items():
            if not field.required and self.chance.random() > density:
                continue
            key = f"{prefix}[{name}]" if prefix else name
            if field.type == "{":
                found |= self.group(dict(field.inner), key, suffix, 0.5)
            elif field.type == "[":
                for at in range(self.chance.randint(1, 2)):
                    found |= self.group(dict(field.inner), key, f"[{at}]", 0.6)
            else:
                index = "[0]" if field.type == "l" else ""
                found[key + suffix + index] = self.value(field, name)
        return found

    def value(self, field: Field, name: str) -> Any:
        match field.type:
            case "i":
                return self.chance.choice(NUMBERS)
            case "b":
                return self.chance.choice(["true", "false"])
            case "j":
                return "{}"
            case "d":
                return "10"
            case "s" | "l":
                return self.text(name)
        words = WORDS[field.type[1:]] if field.type.startswith("$") else field.type
        return self.chance.choice(words.split("/"))

    def text(self, name: str) -> str:
        kind = name.removesuffix("_id").removeprefix("reference_")
        if name.endswith("_id") and kind in KINDS:
            return self.chance.choice(self.ids(kind))
        if name == "id":
            made = f"id{self.chance.randrange(10**6)}"
            return self.chance.choice([*self.ids("transaction"), *self.ids("credit_note"), made])
        return "a@example.com" if name == "email" else self.chance.choice(["x", "7", "7", ""])


def held(cb: Stage, kind: str) -> Iterable[dict[str, Any]]:
    site = cb.stand_in.site
    found = [site.get(kind, row.id) for row in site.shelf(kind).all()]
    return [one for one in found if one is not None]


@pytest.mark.parametrize("seed", range(6))
def test_any_request_leaves_sound_books(seed: int) -> None:
    with stage(list_lag_seconds=60 * (seed % 2)) as cb:
        cb.catalogue()
        cb.customer()
        cb.customer("carded", auto_collection="on", **{"card[number]": "4111111111111111"})
        client, carried_out = Client(cb, seed), 0
        for _ in range(400):
            path, sent = client.request()
            answer = cb.send(path, sent)
            assert answer.status_code in (200, 400, 404, 405, 409), (path, sent, answer.text)
            carried_out += answer.ok
            if client.chance.random() < 0.1:
                cb.clock.move(client.chance.choice([60, DAY, 30 * DAY]))
        assert carried_out > 10
        cb.get("customers")
        for invoice in held(cb, "invoice"):
            assert balanced_invoice(invoice) and invoice["amount_due"] >= 0, invoice
        for note in held(cb, "credit_note"):
            assert balanced_note(note), note
        for customer in held(cb, "customer"):
            mine = [p for p in held(cb, "transaction") if p.get("customer_id") == customer["id"]]
            unused = sum(one.get("amount_unused", 0) for one in mine)
            assert customer["excess_payments"] == unused
            open_notes = [
                one["amount_available"]
                for one in held(cb, "credit_note")
                if one["customer_id"] == customer["id"] and one["status"] == "refund_due"
            ]
            assert customer["refundable_credits"] == sum(open_notes)
