"""Zuora's own Python client works against the stand-in."""

from __future__ import annotations

import pytest
from zuora_session import stage

zuora_sdk = pytest.importorskip("zuora_sdk", reason="Zuora's client is not installed")


# The client itself uses what its own dependencies have deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_official_client_reads_and_is_told_the_truth() -> None:
    with stage() as zuora:
        account = zuora.account("Ada Ltd")
        zuora.invoice(account, 12.5)
        token = zuora.token().json()["access_token"]
        settings = zuora_sdk.Configuration(host=zuora.running.url, access_token=token)
        client = zuora_sdk.ApiClient(settings)
        found = zuora_sdk.ObjectQueriesApi(client).query_accounts(
            page_size=5, expand=["billto", "invoices"], filter=["currency.EQ:USD"]
        )
        assert [one.name for one in found.data] == ["Ada Ltd"]
        assert found.data[0].bill_to.first_name == "Ada"
        assert len(found.data[0].invoices) == 1
        shown = zuora_sdk.AccountsApi(client).get_account(account)
        assert shown.basic_info.name == "Ada Ltd"
        invoice = zuora_sdk.InvoicesApi(client).get_invoice("INV00000001")
        assert float(invoice.balance) == 12.5
