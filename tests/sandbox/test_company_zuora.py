"""The clients that Zuora bills: the facts, told as Zuora tells them, agree with themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from zuora_session import stage

from tieout.sandbox.company import build_company
from tieout.sandbox.company.billing import Ledger
from tieout.sandbox.company.facts import Bill, Span
from tieout.sandbox.company.moments import DAY
from tieout.sandbox.company.zuora_side import draw

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def told() -> tuple[list[Ledger], list[tuple[str, dict[str, Any]]], int]:
    company = build_company(seed=5, size=60, now=NOW, billers=("stripe", "zuora"))
    second = int(NOW.timestamp())
    span = Span(second - 730 * DAY, second, second - 14 * DAY)
    ledgers = [one for one in company.ledgers if one.client.biller == "zuora"]
    assert len(ledgers) > 10
    return ledgers, draw(5, company.catalog, ledgers, span), second


@pytest.fixture(scope="module")
def rows(told: Any) -> Rows:
    found: Rows = defaultdict(list)
    for kind, row in told[1]:
        found[kind].append(row)
    return found


def bills(told: Any) -> list[Bill]:
    return [bill for ledger in told[0] for bill in ledger.bills if bill.created <= told[2]]


def test_every_id_is_there_once_and_looks_like_zuoras(rows: Rows) -> None:
    for kind, held in rows.items():
        ids = Counter(row["id"] for row in held)
        assert max(ids.values()) == 1, kind
        assert all(len(id) == 32 for id in ids)


def test_invoices_say_what_the_facts_say(told: Any, rows: Rows) -> None:
    drawn = {row["id"]: row for row in rows["Invoice"]}
    for bill in bills(told):
        row, status = drawn[bill.id], bill.status(told[2])
        assert row["amount"] == bill.currency.decimal(bill.total)
        left = {"void": 0, "draft": bill.total}.get(status, bill.remaining(told[2]))
        assert row["balance"] == bill.currency.decimal(left)
        assert (row["status"] == "Draft") == (status == "draft")
        assert row["reversed"] == (status == "void")


def test_documents_agree_with_their_parts(rows: Rows) -> None:
    items: dict[str, Decimal] = defaultdict(Decimal)
    applied: dict[str, Decimal] = defaultdict(Decimal)
    for item in rows["InvoiceItem"]:
        items[item["invoiceId"]] += item["chargeAmount"]
    for part in rows["PaymentPart"] + rows["CreditMemoPart"]:
        applied[part["invoiceId"]] += part["amount"]
    for row in rows["Invoice"]:
        assert row["amount"] == row["amountWithoutTax"] + row["taxAmount"]
        assert items[row["id"]] == row["amountWithoutTax"]
        assert row["balance"] == row["amount"] - applied[row["id"]]
    for memo in rows["CreditMemo"]:
        used = memo["appliedAmount"] + memo["refundAmount"]
        assert memo["balance"] == memo["totalAmount"] - used


def test_there_is_something_of_everything(rows: Rows) -> None:
    for kind in ("Account", "Subscription", "Payment", "CreditMemo", "Refund", "TaxationItem"):
        assert rows[kind], kind
    assert {row["status"] for row in rows["Payment"]} == {"Processed", "Error"}
    assert {row["status"] for row in rows["Subscription"]} == {"Active", "Cancelled"}


def test_it_lives_in_the_stand_in(told: Any) -> None:
    with stage() as zuora:
        zuora.stand_in.load(told[1])
        drawn = zuora.rows("select currency, sum(balance) s from invoice group by currency")
        owed: dict[str, Decimal] = defaultdict(Decimal)
        for bill in bills(told):
            status = bill.status(told[2])
            left = {"void": 0, "draft": bill.total}.get(status, bill.remaining(told[2]))
            owed[bill.currency.code] += bill.currency.decimal(left)
        assert {row["currency"]: row["s"] for row in drawn} == dict(owed)
        account = zuora.get("/object-query/accounts", **{"expand[]": "invoices"})["data"][0]
        assert account["invoices"]
        assert zuora.get(f"/v1/accounts/{account['id']}")["basicInfo"]["name"] == account["name"]
