"""A CRM owns the customers, two billers bill them, a ledger keeps the books: one link for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sync.paper import Clock, Paper, PaperMapper
from tieout.config import Flow
from tieout.store import open_store
from tieout.sync.apply import Applied, apply, enqueue
from tieout.sync.flows import FlowSpec
from tieout.sync.plan import Outline, make_plan
from tieout.sync.profiles import PROFILES
from tieout.sync.pull import pull
from tieout.sync.side import Side

NAMES = ("crm", "biller", "other", "ledger")


def flow(entity: str, left: str, right: str, **settings: Any) -> FlowSpec:
    made = Flow.model_validate({"entity": entity, "from": left, "to": right, **settings})
    types = ((left, f"type_{left}"), (right, f"type_{right}"))
    return FlowSpec(made, PROFILES[entity], types)


class Company:
    """Four paper systems and one store."""

    def __init__(self, path: Path, flows: list[FlowSpec]) -> None:
        self.flows, self.clock = flows, Clock()
        self.papers = {name: Paper(name, self.clock) for name in NAMES}
        self.store = open_store(path, self.clock.ports())
        self.sides = {
            name: Side(name, paper, PaperMapper(name), "m1")  # type: ignore[arg-type]
            for name, paper in self.papers.items()
        }

    def customer(self, system: str, id: str, name: str, **ids: str) -> None:
        self.papers[system].put("customer", id, name=name, external_ids=ids)

    def invoice(self, system: str, id: str, customer: str) -> None:
        self.papers[system].put(
            "invoice", id, number=id, customer_id=customer, status="open", currency="USD",
            total_minor=100, balance_minor=100, issued_on="2026-01-05",
        )  # fmt: skip

    def pull(self) -> None:
        for side in self.sides.values():
            for entity in ("customer", "invoice"):
                pull(self.store, side, entity, self.flows, self.clock.ports(), run="r")

    def plan(self) -> Outline:
        return make_plan(self.store, self.sides, self.flows, self.clock.ports(), run="r")

    def sync(self) -> tuple[Outline, Applied]:
        self.pull()
        outline = self.plan()
        enqueue(self.store, outline.id, run="r")
        return outline, apply(self.store, self.sides, self.flows, run="r")

    def held(self, system: str, entity: str) -> list[dict[str, Any]]:
        return [r for (kind, _), r in self.papers[system].records.items() if kind == entity]


FLOWS = [
    flow("customer", "crm", "ledger", fields=["name"], match=["external_id"]),
    flow("customer", "crm", "biller", fields=["name"], match=["external_id"]),
    flow("customer", "crm", "other", fields=["name"], match=["external_id"], mode="compare"),
    flow("invoice", "biller", "ledger"),
    flow("invoice", "other", "ledger"),
]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path / "store.db", list(FLOWS))
    yield made
    made.store.close()


def test_an_invoice_finds_the_customer_that_the_crm_brings(company: Company) -> None:
    """One plan creates the ledger's customer from the CRM and its invoice from the biller."""
    company.customer("crm", "acc1", "Ada", biller="cus1")
    company.customer("biller", "cus1", "Ada")
    company.invoice("biller", "inv1", "cus1")

    outline, applied = company.sync()

    assert (outline.writes, applied.confirmed, applied.problems) == (2, 2, [])
    (customer,), (bill,) = company.held("ledger", "customer"), company.held("ledger", "invoice")
    assert bill["customer_id"] == customer["id"] and customer["name"] == "Ada"
    link = company.store.links.of("customer", "crm", "acc1")
    assert link is not None
    assert company.store.links.members("customer", link) == {
        "crm": ["acc1"],
        "biller": ["cus1"],
        "ledger": [customer["id"]],
    }
    assert company.sync()[0].writes == 0


def test_an_invoice_waits_for_a_customer_whom_no_crm_account_names(company: Company) -> None:
    company.customer("biller", "cus1", "Ada")
    company.invoice("biller", "inv1", "cus1")

    outline, _ = company.sync()

    assert outline.writes == 0 and company.held("ledger", "invoice") == []


def test_two_links_of_one_customer_become_one(company: Company) -> None:
    """The CRM meets the biller first, another pair meets apart; then an id joins them."""
    company.customer("crm", "acc1", "Ada", biller="cus1", ledger="77")
    company.customer("biller", "cus1", "Ada")
    company.customer("ledger", "77", "Ada")
    company.customer("other", "o1", "Ada")
    company.pull()
    links = company.store.links
    first = links.make("customer", [("crm", "acc1"), ("biller", "cus1")], "met")
    links.make("customer", [("ledger", "77"), ("other", "o1")], "met")

    assert company.sync()[0].writes == 0

    assert links.members("customer", first) == {
        "biller": ["cus1"],
        "crm": ["acc1"],
        "ledger": ["77"],
        "other": ["o1"],
    }


def test_links_that_name_two_records_of_one_system_are_for_a_person(company: Company) -> None:
    company.customer("crm", "acc1", "Ada", ledger="77")
    for id in ("cus1", "cus2"):
        company.customer("biller", id, "Ada")
    company.customer("ledger", "77", "Ada")
    company.pull()
    links = company.store.links
    links.make("customer", [("crm", "acc1"), ("biller", "cus1")], "met")
    links.make("customer", [("ledger", "77"), ("biller", "cus2")], "met")

    company.sync()

    assert links.of("customer", "crm", "acc1") != links.of("customer", "ledger", "77")
    (asked,) = company.store.candidates.list()
    assert "linked with others already" in asked.reason


def test_a_new_record_has_what_each_flow_owns(company: Company) -> None:
    """The CRM brings the name, the biller the e-mail address, in one write."""
    settings: dict[str, Any] = {"fields": ["email"], "match": ["external_id"]}
    company.flows.append(flow("customer", "biller", "ledger", **settings))
    company.customer("crm", "acc1", "Ada", biller="cus1")
    company.papers["biller"].put("customer", "cus1", name="Ada", email="ada@example.com")

    company.sync()

    (made,) = company.held("ledger", "customer")
    assert (made["name"], made["email"]) == ("Ada", "ada@example.com")
    again, _ = company.sync()
    assert (again.writes, again.conflicts) == (0, 0)
    company.papers["biller"].put("customer", "cus1", email="new@example.com")
    company.sync()
    (made,) = company.held("ledger", "customer")
    assert (made["name"], made["email"]) == ("Ada", "new@example.com")


def test_a_record_that_two_systems_would_bring_is_created_once(company: Company) -> None:
    company.flows.append(
        flow("customer", "biller", "ledger", fields=["name"], match=["external_id"])
    )
    company.customer("crm", "acc1", "Ada", biller="cus1")
    company.customer("biller", "cus1", "Ada")

    company.sync()
    company.sync()

    assert len(company.held("ledger", "customer")) == 1


def test_one_record_is_brought_to_several_systems(company: Company) -> None:
    """A deal just won: the CRM's account becomes the biller's customer and the ledger's."""
    company.customer("crm", "acc1", "Ada")

    outline, applied = company.sync()

    assert (outline.writes, applied.confirmed, applied.problems) == (2, 2, [])
    (billed,), (booked,) = company.held("biller", "customer"), company.held("ledger", "customer")
    link = company.store.links.of("customer", "crm", "acc1")
    assert link is not None
    assert company.store.links.members("customer", link) == {
        "crm": ["acc1"],
        "biller": [billed["id"]],
        "ledger": [booked["id"]],
    }
    assert billed["external_ids"]["tieout"] != booked["external_ids"]["tieout"]
    again, _ = company.sync()
    assert again.writes == 0 and again.conflicts == 0


def two_accounts(company: Company) -> None:
    """One customer in two billing accounts, under two names; both flows own the name."""
    company.flows[:] = [
        flow("customer", "biller", "ledger", fields=["name"], match=["external_id"]),
        flow("customer", "other", "ledger", fields=["name", "email"], match=["external_id"]),
    ]
    company.papers["ledger"].put("customer", "77", name="Ada Ltd", email=None)
    company.customer("biller", "cus1", "Ada Ltd", ledger="77")
    company.customer("other", "o1", "Ada Limited", ledger="77")
    company.papers["other"].put("customer", "o1", email="ada@example.com")


def test_two_systems_that_own_one_field_do_not_undo_each_other(company: Company) -> None:
    two_accounts(company)

    first, _ = company.sync()
    assert first.writes == 1  # the address, which the first flow doesn't send
    assert [company.sync()[0].writes for _ in range(3)] == [0, 0, 0]
    (held,) = company.held("ledger", "customer")
    assert (held["name"], held["email"]) == ("Ada Ltd", "ada@example.com")

    company.papers["biller"].put("customer", "cus1", name="Ada plc")
    company.papers["other"].put("customer", "o1", name="Ada GmbH")
    company.sync()
    assert [company.sync()[0].writes for _ in range(2)] == [0, 0]
    assert company.held("ledger", "customer")[0]["name"] == "Ada plc"


def test_where_the_first_system_has_no_such_record_the_second_has_the_say(company: Company) -> None:
    two_accounts(company)
    company.sync()
    company.papers["biller"].drop("customer", "cus1")
    company.sync()

    company.papers["other"].put("customer", "o1", name="Ada GmbH")
    assert company.sync()[0].writes == 1
    assert company.held("ledger", "customer")[0]["name"] == "Ada GmbH"


def test_what_one_system_dropped_and_another_keeps_is_archived_by_a_person(
    company: Company,
) -> None:
    two_accounts(company)
    company.papers["other"].put("customer", "o1", name="Ada Ltd")
    company.sync()
    company.papers["biller"].drop("customer", "cus1")

    outline, _ = company.sync()

    assert (outline.writes, outline.conflicts) == (0, 1)
    (item,) = company.store.plans.decisions(outline.id)
    assert item.reason == (
        "archived by its owner, but it is still in other: archive it there yourself"
    )
    assert company.held("ledger", "customer")[0].get("active") is not False

    company.papers["other"].drop("customer", "o1")
    outline, _ = company.sync()
    assert outline.writes == 1
