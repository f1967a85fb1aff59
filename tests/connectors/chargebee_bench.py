"""A Chargebee site in this process: what our connector asks, and what others do there."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from werkzeug.test import Client

from tieout.connectors.chargebee import Chargebee, ChargebeeConfig
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest
from tieout.sandbox import Faults, SandboxClock
from tieout.sandbox.chargebee import ChargebeeStandIn
from tieout.testing import Bench

START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
# entity -> the kinds of Chargebee's objects that are its records
KINDS = {
    "customer": ("customer",), "contact": ("customer",), "product": ("item",),
    "price": ("item_price",), "subscription": ("subscription",), "invoice": ("invoice",),
    "payment": ("transaction",), "refund": ("transaction",), "credit_note": ("credit_note",),
    "dispute": ("dispute",), "usage": ("usage",),
}  # fmt: skip
OLDER = {"product": ("plan", "addon"), "price": ("plan", "addon")}


class ChargebeeBench(Bench):
    """A site with faults, whose limits count our calls only."""

    def __init__(self, now: datetime = START, *, clock: Any = None, **site: Any) -> None:
        self.stand_in = ChargebeeStandIn(clock or SandboxClock(now), seed=5, **site)
        self.catalog = int(site.get("catalog", 2))
        self.faults = Faults()
        super().__init__(
            self.faults.wrap(self.stand_in),
            self.stand_in.clock,
            error_answer=self.stand_in.error_answer,
        )
        self.refused = 0  # answers 429 that nobody ordered

    def _ask(self, request: HttpRequest, parts: Any) -> HttpAnswer:
        ordered = any(rule.kind == "429" for rule in self.faults._rules)
        try:
            answer = super()._ask(request, parts)
        except ConnectionResetError as error:
            raise AnswerLost(str(error)) from None
        if int(answer.headers.get("content-length", len(answer.body))) != len(answer.body):
            raise AnswerLost("the answer broke off")
        self.refused += answer.status == 429 and not ordered
        return answer

    def settings(self, **changes: Any) -> dict[str, Any]:
        return self.stand_in.credentials() | {"base_url": self.base_url} | changes

    def connector(self, **changes: Any) -> Chargebee:
        settings = ChargebeeConfig.model_validate(self.settings(**changes))
        return Chargebee(settings, self.ports, where="chargebee")

    # what another user of the site does; nothing goes wrong there, and no limit counts it

    def post(self, path: str, **form: Any) -> Any:
        key = self.stand_in.credentials()["api_key"]
        login = base64.b64encode(f"{key}:".encode()).decode()
        limits, self.stand_in._limits = self.stand_in._limits, None
        try:
            told = Client(self.stand_in.wsgi).post(
                f"/api/v2/{path}", data=form, headers={"Authorization": f"Basic {login}"}
            )
        finally:
            self.stand_in._limits = limits
        assert told.status_code == 200, told.get_data()
        return json.loads(told.get_data())

    def objects(self, entity: str) -> list[dict[str, Any]]:
        """Every object of an entity, as the site holds it at this moment, deleted ones too."""
        kinds = OLDER.get(entity, KINDS[entity]) if self.catalog == 1 else KINDS[entity]
        found = [json.loads(row.raw) for kind in kinds for row in self.shelf(kind).all()]
        if entity in ("payment", "refund"):
            return [each for each in found if each["type"] == entity]
        if entity == "contact":
            living = [each for each in found if not each["deleted"]]
            return [contact for each in living for contact in each.get("contacts", ())]
        return found

    def shelf(self, kind: str) -> Any:
        return self.stand_in.site.shelf(kind)

    def held(self, entity: str) -> set[str]:
        """Ids of all living records."""
        objects = self.objects(entity)
        return {
            each["id"]
            for each in objects
            if not each.get("deleted") and each.get("status") != "deleted"
        }

    def save(self, entity: str, id: str, **changes: Any) -> None:
        """The site changes an object by itself."""
        kind = next(k for k in self.kinds(entity) if self.shelf(k).get(id) is not None)
        with self.stand_in.site.lock:
            whole = self.stand_in.site.get(kind, id) or {}
            self.stand_in.site.save(kind, {**whole, **changes})

    def kinds(self, entity: str) -> tuple[str, ...]:
        return OLDER.get(entity, KINDS[entity]) if self.catalog == 1 else KINDS[entity]

    # records

    def count_of(self, kind: str) -> int:
        return len(self.shelf(kind))

    def customer(self, **more: Any) -> str:
        made = self.post("customers", company="Payer", auto_collection="off", **more)
        return str(made["customer"]["id"])

    def contact(self) -> str:
        customer = self.customer()
        form = {"contact[email]": "ada@example.com", "contact[first_name]": "Ada"}
        told = self.post(f"customers/{customer}/add_contact", **form)
        return str(told["customer"]["contacts"][0]["id"])

    def owner(self, contact: str) -> str:
        """The customer that a contact belongs to."""
        for each in self.objects("customer"):
            if any(one["id"] == contact for one in each.get("contacts", ())):
                return str(each["id"])
        raise AssertionError(f"nobody has contact {contact}")

    def product(self, *, metered: bool = False) -> str:
        number = self.count_of("item") + self.count_of("plan")
        id = f"item-{number}"
        if self.catalog == 1:
            path = "addons" if number % 2 else "plans"
            more = {"charge_type": "recurring"} if number % 2 else {}
            period = {"period": 1, "period_unit": "month", "price": 1000}
            self.post(path, id=f"{path}-{self.count_of(path[:-1])}", name=f"P {number} {path}",
                      currency_code="USD", **period, **more)  # fmt: skip
            return f"{path}-{self.count_of(path[:-1]) - 1}"
        if not self.count_of("item_family"):
            self.post("item_families", id="family", name="Family")
        more = {"metered": "true"} if metered else {}
        self.post("items", id=id, name=f"Item {number}", type="plan", item_family_id="family",
                  **more)  # fmt: skip
        return id

    def price(self, *, metered: bool = False) -> str:
        if self.catalog == 1:
            return self.product()
        product = self.product(metered=metered)
        self.post("item_prices", id=f"{product}-USD", name=f"{product} monthly", item_id=product,
                  pricing_model="per_unit", price=1000, period=1, period_unit="month",
                  currency_code="USD")  # fmt: skip
        return f"{product}-USD"

    def subscription(self, *, metered: bool = False) -> str:
        customer = self.customer()
        if self.catalog == 1:
            self.post("plans", id=f"p-{customer}", name=f"Plan {customer}", price=500, period=1,
                      period_unit="month", currency_code="USD")  # fmt: skip
            told = self.post(f"customers/{customer}/subscriptions", plan_id=f"p-{customer}")
        else:
            items = {"subscription_items[item_price_id][0]": self.price(metered=metered)}
            told = self.post(f"customers/{customer}/subscription_for_items", **items)
        return str(told["subscription"]["id"])

    def usage(self) -> str:
        subscription = self.subscription(metered=True)
        (item,) = self.stand_in.site.get("subscription", subscription)["subscription_items"]  # type: ignore[index]
        told = self.post(f"subscriptions/{subscription}/usages", quantity="3.5",
                         item_price_id=item["item_price_id"], usage_date=self.now())  # fmt: skip
        return str(told["usage"]["id"])

    def invoice(self, amount: int = 2_000, customer: str = "") -> str:
        path = "invoices" if self.catalog == 1 else "invoices/create_for_charge_items_and_charges"
        charge = {"charges[amount][0]": amount, "charges[description][0]": "Work"}
        told = self.post(path, customer_id=customer or self.customer(), **charge)
        return str(told["invoice"]["id"])

    def paid_invoice(self, amount: int = 2_000) -> tuple[str, str]:
        """The invoice and its payment."""
        invoice = self.invoice(amount)
        told = self.post(f"invoices/{invoice}/record_payment",
                         **{"transaction[amount]": amount, "transaction[date]": self.now(),
                            "transaction[payment_method]": "check"})  # fmt: skip
        return invoice, str(told["transaction"]["id"])

    def payment(self) -> str:
        return self.paid_invoice()[1]

    def credit_note(self) -> str:
        invoice, _ = self.paid_invoice()
        told = self.post("credit_notes", reference_invoice_id=invoice, total=500,
                         type="refundable", reason_code="other")  # fmt: skip
        return str(told["credit_note"]["id"])

    def refund(self) -> str:
        note = self.credit_note()
        told = self.post(f"credit_notes/{note}/record_refund",
                         **{"transaction[amount]": 300, "transaction[payment_method]": "check",
                            "transaction[date]": self.now()})  # fmt: skip
        return str(told["transaction"]["id"])

    def dispute(self) -> str:
        return self.stand_in.open_dispute(self.payment())

    def one(self, entity: str) -> str:
        """A new record of an entity; its id."""
        return str(getattr(self, entity)())

    def now(self) -> int:
        return int(self.clock.now().timestamp())
