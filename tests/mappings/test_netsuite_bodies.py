"""What is sent to NetSuite's record API, against the bodies in its documentation."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tieout.core.errors import InvalidRecord
from tieout.mappings import Mapper, load_mapping
from tieout.rest.json import encode

LOOKUPS = {"currency": {"1": "USD", "4": "EUR"}}


def mapper(**options: Any) -> Mapper:
    return load_mapping("netsuite").compile(
        system="ns", timezone="America/Los_Angeles", lookups=LOOKUPS, options=options
    )


def body(entity: str, fields: dict[str, Any], *, creating: bool = True, **options: Any) -> Any:
    return mapper(**options).render(entity, fields, creating=creating)


def test_customer() -> None:
    found = body(
        "customer",
        {
            "name": "ACME",
            "email": "a@example.com",
            "currency": "EUR",
            "parent_id": "7",
            "status": "active",
            "billing_address": {"line1": "1 Main", "postal_code": "89073", "country": "DE"},
        },
    )
    assert found == {
        "companyName": "ACME",
        "email": "a@example.com",
        "isPerson": False,
        "currency": {"id": "4"},
        "parent": {"id": "7"},
        "addressBook": {
            "items": [
                {
                    "defaultBilling": True,
                    "addressBookAddress": {
                        "addr1": "1 Main",
                        "zip": "89073",
                        "country": {"id": "DE"},
                    },
                }
            ]
        },
    }
    changed = body("customer", {"name": "B", "status": "archived", "email": None}, creating=False)
    assert changed == {"companyName": "B", "isInactive": True, "email": None}


def test_product() -> None:
    assert body("product", {"name": "Gold", "description": "d", "active": True}) == {
        "displayName": "Gold",
        "itemId": "Gold",
        "salesDescription": "d",
    }
    assert body("product", {"active": False}, creating=False) == {"isInactive": True}


INVOICE: dict[str, Any] = {
    "number": "INV-7",
    "customer_id": "220",
    "currency": "USD",
    "issued_on": date(2026, 1, 31),
    "due_on": date(2026, 3, 2),
    "memo": "January",
    "subtotal_minor": 13000,
    "total_minor": 13000,
    "balance_minor": 13000,
    "status": "open",
    "lines": [
        {
            "id": "il_1",
            "product_id": "7",
            "description": "seats",
            "quantity": "2",
            "unit_amount": "50",
            "amount_minor": 10000,
        },
        # A third of something: quantity x price is not the amount, so no price is sent.
        {"product_id": "8", "quantity": "3", "unit_amount": "10.01", "amount_minor": 3000},
    ],
}


def test_invoice() -> None:
    found = body("invoice", INVOICE)
    assert found == {
        "tranId": "INV-7",
        "entity": {"id": "220"},
        "currency": {"id": "1"},
        "tranDate": "2026-01-31",
        "dueDate": "2026-03-02",
        "memo": "January",
        "item": {
            "items": [
                {
                    "item": {"id": "7"},
                    "description": "seats",
                    "quantity": Decimal(2),
                    "rate": Decimal(50),
                    "amount": Decimal("100.00"),
                },
                {"item": {"id": "8"}, "quantity": Decimal(3), "amount": Decimal("30.00")},
            ]
        },
    }
    sent = json.loads(encode(found), parse_float=Decimal)
    assert sent["item"]["items"][0]["amount"] == Decimal("100.00")  # a JSON number, exact


def test_tax_needs_an_item_and_comes_back_as_tax() -> None:
    taxed = {**INVOICE, "tax_minor": 976, "total_minor": 13976}
    with pytest.raises(InvalidRecord, match=r"tax of 9\.76") as caught:
        body("invoice", taxed)
    assert "tax_item" in caught.value.hint
    found = body("invoice", taxed, tax_item="99")
    assert found["item"]["items"][2] == {
        "item": {"id": "99"},
        "description": "Tax",
        "amount": Decimal("9.76"),
    }
    # NetSuite then has 139.76 as subtotal and total; read with the option it is tax again.
    made = {"id": "1", **found, "subtotal": Decimal("139.76"), "total": Decimal("139.76")}
    back: Any = mapper(tax_item="99").parse("invoice", made)
    assert (back.subtotal_minor, back.tax_minor, back.total_minor) == (13000, 976, 13976)
    assert len(back.lines) == 2
    row = {
        "id": "1",
        "currencycode": "USD",
        "foreigntotal": "139.76",
        "lines": [
            {"id": "1", "item": "7", "foreignamount": "-130"},
            {"id": "2", "item": "99", "foreignamount": "-9.76"},
        ],
    }
    back = mapper(tax_item="99").parse("invoice", row)
    assert (back.subtotal_minor, back.tax_minor, back.total_minor) == (13000, 976, 13976)


def test_a_discount_goes_where_it_was_given_or_into_its_item() -> None:
    lines = [dict(line) for line in INVOICE["lines"]]
    lines[0]["discount_minor"] = 1000
    given = {**INVOICE, "lines": lines, "discount_minor": 1000, "total_minor": 12000}
    first = body("invoice", given)["item"]["items"][0]
    assert first["amount"] == Decimal("90.00") and "rate" not in first
    by_item = body("invoice", given, discount_item="98")["item"]["items"]
    assert [line["amount"] for line in by_item] == [
        Decimal("100.00"),
        Decimal("30.00"),
        Decimal("-10.00"),
    ]
    made = {"id": "1", "currency": {"id": "1"}, "item": {"items": by_item}, "total": Decimal(120)}
    back: Any = mapper(discount_item="98").parse("invoice", made)
    assert (back.subtotal_minor, back.discount_minor, back.total_minor) == (13000, 1000, 12000)
    with pytest.raises(InvalidRecord, match="belongs to no line") as caught:
        body("invoice", {**INVOICE, "discount_minor": 500, "total_minor": 12500})
    assert "discount_item" in caught.value.hint


def test_a_document_that_would_not_add_up_is_not_sent() -> None:
    with pytest.raises(InvalidRecord, match=r"add up to 130.00, its total is 140.00"):
        body("invoice", {**INVOICE, "total_minor": 14000})


def test_payment_as_documented() -> None:
    found = body(
        "payment",
        {
            "customer_id": "4",
            "currency": "USD",
            "amount_minor": 25000,
            "received_at": datetime(2026, 2, 3, 20, tzinfo=UTC),
            "reference": "10045",
            "status": "succeeded",
            "allocations": [
                {"invoice_id": "104", "amount_minor": 20000},
                {"invoice_id": None, "amount_minor": 100},
            ],
        },
    )
    assert found == {
        "customer": {"id": "4"},
        "currency": {"id": "1"},
        "payment": Decimal("250.00"),
        "tranDate": "2026-02-03",
        "checkNum": "10045",
        "apply": {"items": [{"doc": {"id": "104"}, "apply": True, "amount": Decimal("200.00")}]},
    }
    with pytest.raises(InvalidRecord, match="are allocated of a payment"):
        body(
            "payment",
            {
                "currency": "USD",
                "amount_minor": 100,
                "allocations": [{"invoice_id": "1", "amount_minor": 200}],
            },
        )


def test_credit_note_and_refund() -> None:
    memo = body(
        "credit_note",
        {
            "customer_id": "220",
            "currency": "USD",
            "total_minor": 2000,
            "reason": "returned",
            "lines": [{"product_id": "7", "amount_minor": 2000}],
            "allocations": [{"invoice_id": "1234", "amount_minor": 1500}],
        },
    )
    assert memo["memo"] == "returned" and memo["entity"] == {"id": "220"}
    assert memo["apply"]["items"] == [
        {"doc": {"id": "1234"}, "apply": True, "amount": Decimal("15.00")}
    ]
    refund = {"customer_id": "220", "currency": "USD", "amount_minor": 500}
    found = body("refund", {**refund, "credit_note_id": "55", "payment_id": "9"})
    assert found == {
        "customer": {"id": "220"},
        "currency": {"id": "1"},
        "apply": {"items": [{"doc": {"id": "55"}, "apply": True, "amount": Decimal("5.00")}]},
    }
    with pytest.raises(InvalidRecord, match="names neither"):
        body("refund", refund)


def test_journal() -> None:
    found = body(
        "journal_entry",
        {
            "posted_on": date(2026, 1, 31),
            "currency": "USD",
            "subsidiary": "1",
            "lines": [
                {"account": "6010", "debit_minor": 18700},
                {"account": "1000", "credit_minor": 18700, "customer_id": "220"},
            ],
        },
    )
    assert found == {
        "tranDate": "2026-01-31",
        "currency": {"id": "1"},
        "subsidiary": {"id": "1"},
        "line": {
            "items": [
                {"account": {"refName": "6010"}, "debit": Decimal("187.00")},
                {
                    "account": {"refName": "1000"},
                    "credit": Decimal("187.00"),
                    "entity": {"id": "220"},
                },
            ]
        },
    }


def test_without_a_table_the_currency_is_named_for_the_connector() -> None:
    use = load_mapping("netsuite").compile(system="ns")
    assert use.render("customer", {"currency": "USD"}, creating=True)["currency"] == {
        "refName": "USD"
    }
    with pytest.raises(InvalidRecord, match="has no 'GBP'"):
        body("customer", {"currency": "GBP"})


def test_nothing_of_ours_is_sent() -> None:
    """Keys that carry figures between rules and the last touch stay at home."""
    sent = encode(
        [
            body("invoice", {**INVOICE, "tax_minor": 0, "discount_minor": 0}),
            body("customer", {"name": "x", "shipping_address": {"line1": "y"}}),
            body("product", {"name": "x", "active": True}, creating=False),
        ]
    )
    assert b"tieout" not in sent
