"""Zuora's own sample documents are taken over and served back as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from zuora_session import Stage, stage

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "zuora" / "samples"
PARENT = "f" * 32


@pytest.fixture
def zuora() -> Iterator[Stage]:
    with stage() as made:
        yield made


def sample(name: str) -> Any:
    path = SAMPLES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the official sample {name} is not here")
    return json.loads(path.read_text(), parse_float=Decimal)


@pytest.mark.parametrize(
    ("file", "kind", "path"),
    [
        ("account_get", "account", "/v1/accounts/A00000001"),
        ("contact_get", "contact", "/v1/contacts/402881a2889f2e4301889f30e64e0019"),
        ("contact_create_response", "contact", "/v1/contacts/6b65657020726f6c6c696e672021"),
        ("invoice_get", "invoice", "/v1/invoices/INV00000001"),
        ("payment_create_response", "payment", "/v1/payments/P-00000001"),
        ("refund_get", "refund", "/v1/refunds/R-00000001"),
        ("debitmemo_get", "debitmemo", "/v1/debitmemos/DM00000001"),
        ("subscription_get", "subscription", "/v1/subscriptions/A-S00007412"),
        ("order_get", "order", "/v1/orders/O-00000282"),
        ("journal_entry_get", "journalentry", "/v1/journal-entries/JE-00000001"),
    ],
)
def test_a_document_is_served_back_unchanged(zuora: Stage, file: str, kind: str, path: str) -> None:
    body = sample(file)
    zuora.stand_in.load([(kind, body)])
    assert zuora.get(path) == body


@pytest.mark.parametrize(
    ("file", "kind", "name", "parent", "path"),
    [
        ("payments_page", "payment", "payments", {}, "/v1/payments"),
        ("creditmemos_page", "creditmemo", "creditmemos", {}, "/v1/creditmemos"),
        ("invoice_items_page", "invoiceitem", "invoiceItems", {"invoiceId": PARENT},
         f"/v1/invoices/{PARENT}/items"),
        ("creditmemo_items_page", "creditmemoitem", "items", {"creditMemoId": PARENT},
         f"/v1/creditmemos/{PARENT}/items"),
        ("payment_parts", "paymentpart", "parts", {"paymentId": PARENT},
         f"/v1/payments/{PARENT}/parts"),
        ("catalog_products_page", "product", "products", {}, "/v1/catalog/products"),
        ("product_rate_plans_of_product", "productrateplan", "productRatePlans",
         {"productId": PARENT}, f"/v1/products/{PARENT}/product-rate-plans"),
        ("accounting_codes", "accountingcode", "accountingCodes", {}, "/v1/accounting-codes"),
        ("accounting_periods", "accountingperiod", "accountingPeriods", {},
         "/v1/accounting-periods"),
        ("usage_page", "usage", "usage", {}, "/v1/usage/accounts/8ad096ca865969c801865ccbfcb77adf"),
    ],
)  # fmt: skip
def test_a_page_is_served_back_unchanged(
    zuora: Stage, file: str, kind: str, name: str, parent: dict[str, str], path: str
) -> None:
    """A document does not say what it belongs to, so the parent is told beside it."""
    page = sample(file)
    zuora.stand_in.load(
        [
            ("invoice", {"id": PARENT, "invoiceNumber": "X"}),
            ("creditmemo", {"id": PARENT, "memoNumber": "Y"}),
            ("payment", {"id": "e" * 32 if kind == "payment" else PARENT, "paymentNumber": "Z"}),
            ("account", {"id": "8ad096ca865969c801865ccbfcb77adf", "accountNumber": "A00000113"}),
        ]
    )
    newest_first = name in ("payments", "creditmemos")
    listed = list(reversed(page[name])) if newest_first else page[name]
    zuora.stand_in.load([(kind, {**one, **parent}) for one in listed])
    found = zuora.get(path, pageSize=len(page[name]))
    drop = set(parent)
    assert [without(one, drop) for one in found[name]] == page[name]


def without(one: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key not in names}


def test_object_query_rows_are_served_back_unchanged(zuora: Stage) -> None:
    page = sample("object_query_accounts_last_page")
    zuora.stand_in.load([("account", one) for one in page["data"]])
    assert zuora.get("/object-query/accounts") == page


def test_a_loaded_document_changes_only_where_something_happened(zuora: Stage) -> None:
    account, invoice = sample("account_get"), sample("invoice_get")
    owner = account["basicInfo"]["id"]
    invoice["accountId"] = owner
    zuora.stand_in.load([("account", account), ("invoice", invoice)])
    zuora.payment(owner, 300, invoices=[{"invoiceId": invoice["id"], "amount": 300}])
    shown = zuora.get(f"/v1/invoices/{invoice['id']}")
    changed = {name for name in invoice if shown[name] != invoice[name]}
    assert changed == {"balance", "paymentAmount", "updatedDate", "updatedById"}
    assert shown["balance"] == 400
    row = zuora.get(f"/object-query/invoices/{invoice['id']}")
    # 2022-12-08 19:49:16 in Los Angeles, eight hours behind UTC
    assert datetime.fromisoformat(row["createdDate"]) == datetime(
        2022, 12, 9, 3, 49, 16, tzinfo=UTC
    )


def test_an_unknown_type_is_named(zuora: Stage) -> None:
    with pytest.raises(ValueError, match="wombat"):
        zuora.stand_in.load([("wombat", {"id": "1"})])
