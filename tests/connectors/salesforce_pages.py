"""What the tests of the Salesforce connector share: a login, and pages as plain values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from salesforce_fake import LOGIN, FakeSalesforce

from tieout.connectors.base import Page
from tieout.connectors.salesforce import Salesforce, SalesforceConfig

CLIENT: dict[str, Any] = {
    "client_id": "3MVG9example",
    "client_secret": "the-secret-of-the-app",
    "base_url": LOGIN,
}
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)


def connect(fake: FakeSalesforce, **more: Any) -> Salesforce:
    return Salesforce(SalesforceConfig(**{**CLIENT, **more}), fake.ports, where="crm")


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def ids(pages: list[Page]) -> list[str]:
    return [record["Id"] for record in records(pages)]


def gone(pages: list[Page]) -> list[str]:
    return [id for page in pages for id in page.deleted]


def accounts(fake: FakeSalesforce, count: int, **values: Any) -> list[str]:
    return [fake.put("Account", Name=f"A{n}", **values)["Id"] for n in range(count)]
