"""NetSuite's records are sound books: applications, journals, periods and references hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from company_books import PLACES, by_type

from tieout.sandbox.company import Company, build_company

Record = dict[str, Any]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TRANSACTIONS = (
    "invoice", "customerPayment", "creditMemo", "customerRefund", "deposit", "journalEntry",
)  # fmt: skip


@cache
def company() -> Company:
    return build_company(seed=1, size=120, now=NOW)


@cache
def records() -> dict[str, list[Record]]:
    return by_type(company().netsuite)


def transactions() -> list[Record]:
    return [one for type in TRANSACTIONS for one in records()[type]]


def test_internal_ids_are_unique_in_their_group_and_grow() -> None:
    ids = [int(record["id"]) for type, record in company().netsuite if type in TRANSACTIONS]
    assert ids == sorted(ids) and len(ids) == len(set(ids))
    for group in ("customer", "currency", "account", "term", "accountingPeriod"):
        found = [one["id"] for one in records()[group]]
        assert len(found) == len(set(found))


def test_references_exist() -> None:
    known = {type: {one["id"] for one in found} for type, found in records().items()}
    items = known["serviceSaleItem"] | known["discountItem"] | known["otherChargeSaleItem"]
    documents = set().union(*(known[type] for type in TRANSACTIONS))
    for one in transactions():
        owner = one.get("entity") or one.get("customer")
        assert owner is None or owner["id"] in known["customer"]
        assert one["currency"]["id"] in known["currency"]
        assert one["postingPeriod"]["id"] in known["accountingPeriod"]
        assert one["subsidiary"]["id"] in known["subsidiary"]
        for field in ("account", "arAcct"):
            assert field not in one or one[field]["id"] in known["account"]
        for line in one.get("item", {}).get("items", []):
            assert line["item"]["id"] in items
        for line in one.get("apply", {}).get("items", []):
            assert line["doc"]["id"] in documents


def test_amounts_have_their_currencys_places_and_documents_add_up() -> None:
    symbols = {one["id"]: one["symbol"] for one in records()["currency"]}
    for one in [*records()["invoice"], *records()["creditMemo"]]:
        places = PLACES[symbols[one["currency"]["id"]]]
        if one.get("memo") != "VOID" and one["tranId"] not in _typed_in_the_wrong_currency():
            assert one["total"] == one["total"].quantize(Decimal(1).scaleb(-places))
        assert one["subtotal"] == sum(line["amount"] for line in one["item"]["items"])
        assert one["total"] == one["subtotal"] + one["taxTotal"]
        for line in one["item"]["items"]:
            assert line["amount"] == line["rate"] * line["quantity"]


def _typed_in_the_wrong_currency() -> set[str]:
    wrong = {p.right_id for p in company().planted if p.right_currency is not None}
    return {one["tranId"] for one in records()["invoice"] if one["id"] in wrong}


def test_what_is_applied_is_what_invoices_show_as_paid() -> None:
    """By payments, credit memos and journals together; nothing else closes an invoice."""
    applied: dict[str, Decimal] = defaultdict(Decimal)
    for type in ("customerPayment", "creditMemo", "journalEntry"):
        for one in records()[type]:
            for line in one.get("apply", {}).get("items", []):
                applied[line["doc"]["id"]] += line["amount"]
    for one in records()["invoice"]:
        assert one["amountPaid"] + one["amountRemaining"] == one["total"]
        assert one["amountPaid"] == applied[one["id"]], one["tranId"]
        words = one["status"]["refName"]
        if words == "Voided":
            assert one["total"] == 0
        else:
            assert words == ("Open" if one["amountRemaining"] else "Paid In Full")


def test_payments_and_credit_memos_know_what_is_left_of_them() -> None:
    refunded: dict[str, Decimal] = defaultdict(Decimal)
    for one in records()["customerRefund"]:
        lines = one["apply"]["items"]
        assert one["total"] == sum(line["amount"] for line in lines)
        for line in lines:
            refunded[line["doc"]["id"]] += line["amount"]
    for one in [*records()["customerPayment"], *records()["creditMemo"]]:
        total = one.get("payment", one["total"])
        used = sum((line["amount"] for line in one["apply"]["items"]), refunded[one["id"]])
        assert one["applied"] == used
        assert one["unapplied"] == total - used >= 0


def test_journals_balance() -> None:
    assert records()["journalEntry"]
    for one in records()["journalEntry"]:
        lines = one["line"]["items"]
        debits = sum((line.get("debit", Decimal(0)) for line in lines), Decimal(0))
        credits = sum((line.get("credit", Decimal(0)) for line in lines), Decimal(0))
        assert debits == credits > 0


def test_customers_owe_what_is_open() -> None:
    owed: Counter[str] = Counter()
    for one in records()["invoice"]:
        owed[one["entity"]["id"]] += one["amountRemaining"]
    for one in records()["creditMemo"]:
        owed[one["entity"]["id"]] -= one["unapplied"]
    for one in records()["customerPayment"]:
        owed[one["customer"]["id"]] -= one["unapplied"]
    for one in records()["customer"]:
        assert one["balance"] == owed[one["id"]]


def test_periods_cover_all_dates_and_old_ones_are_closed() -> None:
    periods = {one["id"]: one for one in records()["accountingPeriod"]}
    for one in transactions():
        period = periods[one["postingPeriod"]["id"]]
        inside = period["startDate"] <= one["tranDate"] <= period["endDate"]
        first = min(each["startDate"] for each in periods.values())
        assert inside or one["tranDate"] < first
    shut = {one["periodName"]: one["closed"] for one in periods.values()}
    assert shut["Jul 2026"] and not shut["Aug 2026"] and not shut["Nov 2026"]


def test_foreign_documents_carry_a_rate_and_times_do_not_lie() -> None:
    now = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    for one in transactions():
        home = one["currency"]["id"] == "1"
        assert (one["exchangeRate"] == 1) == home
        assert one["createdDate"] <= one["lastModifiedDate"] <= now
        date.fromisoformat(one["tranDate"])
    for one in records()["customer"]:
        assert one["dateCreated"] <= now


def test_settings_name_records_that_exist() -> None:
    known = {record["id"] for _, record in company().netsuite}
    assert set(company().settings.values()) <= known
