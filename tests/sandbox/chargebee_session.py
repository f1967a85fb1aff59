"""A running Chargebee stand-in with a plain HTTP session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from tieout.sandbox import Faults, Running, SandboxClock, serve
from tieout.sandbox.chargebee import ChargebeeStandIn

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = int(START.timestamp())
DAY = 86_400


@dataclass
class Stage:
    running: Running
    stand_in: ChargebeeStandIn
    http: requests.Session

    @property
    def clock(self) -> SandboxClock:
        return self.stand_in.clock

    def url(self, path: str) -> str:
        return f"{self.running.url}/api/v2/{path}"

    def ask(self, path: str, params: dict[str, Any] | None = None) -> requests.Response:
        return self.http.get(self.url(path), params=params, timeout=10)

    def send(
        self, path: str, data: dict[str, Any] | None = None, **headers: str
    ) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(self.url(path), data=data, headers=named, timeout=10)

    def get(self, path: str, params: dict[str, Any] | None = None) -> Any:
        answer = self.ask(path, params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, data: dict[str, Any] | None = None) -> Any:
        answer = self.send(path, data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, data: dict[str, Any] | None = None) -> tuple[int, str, str | None]:
        """Status, api_error_code and param of a write that must not succeed."""
        answer = self.send(path, data)
        body = answer.json()
        assert body["http_status_code"] == answer.status_code
        return answer.status_code, body["api_error_code"], body.get("param")

    def rows(self, kind: str, path: str, params: dict[str, Any] | None = None) -> list[Any]:
        """All rows of a list, page by page."""
        found: list[Any] = []
        asked = dict(params or {})
        while True:
            page = self.get(path, asked)
            found += [row[kind] for row in page["list"]]
            if "next_offset" not in page:
                return found
            asked["offset"] = page["next_offset"]

    def events(self) -> list[str]:
        """Types of all events, oldest first."""
        return [one["event_type"] for one in self.rows("event", "events", {"limit": 100})]

    def catalogue(self) -> None:
        """A monthly per-seat plan at 10.00, an addon at 5.00, a charge at 20.00."""
        self.post("item_families", {"id": "fam", "name": "Family"})
        for id, kind in (("seat", "plan"), ("more", "addon"), ("setup", "charge")):
            self.post(
                "items", {"id": id, "name": id.title(), "type": kind, "item_family_id": "fam"}
            )
        monthly = {"period": 1, "period_unit": "month"}
        self.post(
            "item_prices",
            {
                "id": "seat-monthly", "name": "Seat monthly", "item_id": "seat",
                "pricing_model": "per_unit", "price": 1000, **monthly,
            },
        )  # fmt: skip
        self.post(
            "item_prices",
            {
                "id": "more-monthly", "name": "More monthly", "item_id": "more",
                "pricing_model": "flat_fee", "price": 500, **monthly,
            },
        )  # fmt: skip
        self.post(
            "item_prices",
            {
                "id": "setup-once", "name": "Setup once", "item_id": "setup",
                "pricing_model": "flat_fee", "price": 2000,
            },
        )  # fmt: skip

    def customer(self, id: str = "acme", **more: Any) -> Any:
        sent = {"id": id, "company": "Acme", "auto_collection": "off", **more}
        return self.post("customers", sent)["customer"]

    def subscription(self, customer: str = "acme", id: str = "sub", **more: Any) -> Any:
        """Three seats: 30.00 a month."""
        return self.post(
            f"customers/{customer}/subscription_for_items",
            {
                "id": id,
                "subscription_items[item_price_id][0]": "seat-monthly",
                "subscription_items[quantity][0]": 3,
                **more,
            },
        )

    def invoice(self, amount: int = 1000, customer: str = "acme", **more: Any) -> Any:
        """A one-time charge."""
        return self.post(
            "invoices/create_for_charge_items_and_charges",
            {
                "customer_id": customer,
                "charges[amount][0]": amount,
                "charges[description][0]": "Work",
                **more,
            },
        )["invoice"]


@contextmanager
def stage(**settings: Any) -> Iterator[Stage]:
    settings.setdefault("limits", False)
    stand_in = ChargebeeStandIn(SandboxClock(START), seed=3, **settings)
    with serve(stand_in, faults=Faults()) as running, requests.Session() as http:
        http.auth = (stand_in.credentials()["api_key"], "")
        yield Stage(running, stand_in, http)


def balanced_invoice(invoice: dict[str, Any]) -> bool:
    """The sum of section "money" of the API's documentation of invoices."""
    withheld = sum(one["amount"] for one in invoice.get("linked_taxes_withheld", []))
    parts = ("amount_paid", "amount_adjusted", "credits_applied", "amount_due")
    return int(invoice["total"]) == sum(invoice[part] for part in parts) + withheld


def balanced_note(note: dict[str, Any]) -> bool:
    parts = ("amount_allocated", "amount_refunded", "amount_available")
    return int(note["total"]) == sum(note[part] for part in parts)
