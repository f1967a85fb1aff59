"""Recorded Salesforce answers: each record maps, or is listed here with the reason why not.

The expected values were read off the payloads by hand, after domain/entities.md ("ruling").
"""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tieout.core.entities import Address, Record
from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping
from tieout.mappings.payload_text import decode_payload

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "salesforce" / "samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="the recorded samples are not beside the repository"
)
MAPPER = load_mapping("salesforce").compile(system="crm", currency="USD")

ENTITY_OF = {
    "account_full_get_v62.json": "customer",
    "account_query_page1_2000_v59.json.gz": "customer",
    "account_query_page2_last_v59.json": "customer",
    "contact_query_page.json": "contact",
    "opportunity_full.json": "opportunity",
    "opportunity_query_page.json": "opportunity",
    "product2_full.json": "product",
    "pricebook_entry_full.json": "price",
    "cdc_opportunity_create_decoded.json": "opportunity",
}
_ANSWER = "an answer to a write: an id, no record"
NOT_MAPPED = {
    "account_basic_info.json": "a description of the object, with ids and names of recent records",
    "account_describe_v58.json.gz": "a description of the object",
    "bulk2_ingest_comma.csv": "rows to be uploaded, without ids",
    "bulk2_ingest_quoted.csv": "rows to be uploaded, without ids",
    "bulk2_upsert.csv": "rows to be uploaded, without ids",
    "bulk2_ingest_job_sequence.json": "states of a job",
    "bulk2_query_job_created.json": "a job",
    "bulk2_successful_results_insert.csv": "an answer to an upload",
    "cdc_account_update_decoded_bitmap.json": "an update event: what is null was not told",
    "exchange_collection_create.json": _ANSWER,
    "exchange_collection_update_item_error.json": _ANSWER,
    "exchange_composite_graph_create.json": _ANSWER,
    "exchange_create_account.json": _ANSWER,
    "exchange_query_all_limit5.json": "a request with its answer: ids and names only",
    "exchange_update_record_204.json": _ANSWER,
    "exchange_upsert_by_external_id_created.json": _ANSWER,
    "limits_v60.json": "limits of the org",
    "order_with_items_add_request_response.json": "an answer to a write: ids of order products",
    "outbound_message_ack_response.xml": "the answer to a message",
    "outbound_message_contact.wsdl": "a description of a message",
    "outbound_message_fault_response.xml": "the answer to a message",
    "outbound_message_two_contacts.xml": "a message: some fields of two records, to be read again",
    "restforce_auth_error_response.json": "a login",
    "restforce_auth_success_response.json": "a login",
    "restforce_expired_session_response.json": "an error",
    "restforce_get_deleted_success_response.json": "ids of deleted records",
    "restforce_get_updated_success_response.json": "ids of changed records",
    "restforce_list_sobjects_success_response.json": "a list of objects",
    "restforce_query_paginated_first_page_response.json": "an invented object (Whizbang)",
    "restforce_query_paginated_last_page_response.json": "an invented object (Whizbang)",
    "restforce_query_success_response.json": "an invented object (Whizbang)",
    "restforce_refresh_error_response.json": "an error",
    "restforce_sobject_find_success_response.json": "an invented object (Whizbang)",
    "restforce_upsert_error_response.json": "an error",
    "restforce_upsert_multiple_error_response.json": "an error",
    "restforce_write_error_response.json": "an error",
    "services_data_versions.json": "versions of the API",
    "tree_accounts_contacts.json": "a request to create records, without ids",
    "warehouse_opportunity_line_item_data.csv": "a data warehouse's own column names",
    "warehouse_order_data.csv": "a data warehouse's own column names",
}


def payload(name: str) -> Any:
    body = (SAMPLES / name).read_bytes()
    return decode_payload(gzip.decompress(body) if name.endswith(".gz") else body)


def mapped(name: str) -> list[Record]:
    found = payload(name)
    rows = found.get("records", [found])
    return [MAPPER.parse(ENTITY_OF[name], row) for row in rows]


def one(name: str, id: str) -> Any:
    return next(record for record in mapped(name) if record.id == id)


def test_every_sample_is_mapped_or_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    names = {path.name for path in SAMPLES.iterdir()} - {"SOURCES.md"}
    assert names == ENTITY_OF.keys() | NOT_MAPPED.keys()
    counts = {name: len(mapped(name)) for name in ENTITY_OF}
    assert counts["account_query_page1_2000_v59.json.gz"] == 2000
    with capsys.disabled():
        print(f"\nsalesforce: {sum(counts.values())} records of {len(counts)} files map")
        for name, reason in sorted(NOT_MAPPED.items()):
            print(f"  not mapped: {name}: {reason}")


def test_an_account_read_whole() -> None:
    (found,) = mapped("account_full_get_v62.json")
    stamp = datetime(2026, 5, 1, 7, 25, 37, tzinfo=UTC)
    assert found.id == "001dM00003jU9GxQAK"
    assert (found.created_at, found.updated_at, found.deleted) == (stamp, stamp, False)
    assert (found.name, found.phone) == ("Edge Communications", "(512) 757-6000")
    assert (found.status, found.currency, found.parent_id, found.email) == (None,) * 4
    assert found.billing_address == Address(
        line1="312 Constitution Place",
        line2="Austin, TX 78767, USA",
        city="Austin",
        state="TX",
        postal_code=None,
        country="US",
    )
    assert found.shipping_address is not None and found.shipping_address.city is None
    assert found.custom["account_number"] == "CD451796"
    assert found.custom["SLA__c"] == "Silver" and found.custom["NumberofLocations__c"] == 2
    assert "merged_into" not in found.custom and found.external_ids == {}


def test_an_account_of_a_query() -> None:
    found = one("account_query_page1_2000_v59.json.gz", "001dM00003jU9GyQAK")
    assert (found.name, found.phone) == ("Burlington Textiles Corp of America", "(336) 222-7000")
    assert found.billing_address == Address(city="Burlington", state="NC", country="US")
    assert found.custom["type"] == "Customer - Direct" and found.deleted is False


def test_contacts() -> None:
    rose = one("contact_query_page.json", "003dM00001vWOXJQA4")
    assert (rose.first_name, rose.last_name) == ("Rose", "Gonzalez")
    assert (rose.email, rose.phone) == ("rose@edge.com", "(512) 757-6000")
    assert (rose.customer_id, rose.role) == ("001dM00003jU9GxQAK", None)
    assert rose.custom["title"] == "SVP, Procurement"
    assert one("contact_query_page.json", "003dM00001vWOXbQAO").phone is None


def test_opportunities() -> None:
    (whole,) = mapped("opportunity_full.json")
    assert (whole.name, whole.stage) == ("GenePoint Lab Generators", "Id. Decision Makers")
    assert (whole.closed, whole.won, whole.kind) == (False, False, None)
    assert (whole.amount_minor, whole.currency) == (6_000_000, "USD")
    assert (whole.probability_percent, whole.close_on) == ("60", date(2013, 11, 7))
    assert whole.customer_id == "0012800000C3cS9AAJ" and whole.owner == "00528000001eP9OAAU"
    assert whole.updated_at == datetime(2015, 12, 5, 14, 22, 27, tzinfo=UTC)
    row = one("opportunity_query_page.json", "006dM00000Mw7VtQAJ")
    assert (row.amount_minor, row.close_on) == (1_500_000, date(2026, 3, 8))
    assert (row.closed, row.customer_id) == (None, None)  # not asked for in that query


def test_an_opportunity_of_a_change_event() -> None:
    (found,) = mapped("cdc_opportunity_create_decoded.json")
    assert (found.id, found.name) == ("006SM0000001Tb3YAE", "Acme - 400 Widgets")
    assert (found.amount_minor, found.probability_percent) == (4_000_000, "10")
    assert found.close_on == date(2022, 5, 31)  # 1653955200000
    assert (found.customer_id, found.closed) == ("001SM0000000iibYAA", False)
    with pytest.raises(InvalidRecord, match="some fields only"):
        MAPPER.parse("customer", payload("cdc_account_update_decoded_bitmap.json"))


def test_a_product_and_a_price() -> None:
    (product,) = mapped("product2_full.json")
    assert (product.name, product.sku, product.active) == ("SLA: Platinum", "SL9080", False)
    assert product.updated_at == datetime(2015, 12, 5, 13, 9, 45, tzinfo=UTC)
    (price,) = mapped("pricebook_entry_full.json")
    assert (price.unit_amount, price.currency) == ("85000", "USD")
    assert (price.product_id, price.active) == ("01t28000000sB8mAAE", True)
    assert (price.scheme, price.interval) == ("per_unit", None)
    assert price.name == "Installation: Industrial - High"


def test_nothing_in_the_samples_is_unknown() -> None:
    for name, entity in ENTITY_OF.items():
        found = payload(name)
        for row in (found.get("records", [found]))[:50]:
            assert MAPPER.unknown_fields(entity, row) == [], name
    row = {"Id": "0015g00000abcde", "Brand_New": 1, "Ours__c": 2}
    assert MAPPER.unknown_fields("customer", row) == ["Brand_New"]


@pytest.mark.parametrize("entity", ["contact", "product", "price", "opportunity", "contract"])
def test_another_kind_of_object_is_refused(entity: str) -> None:
    with pytest.raises(InvalidRecord, match="is a Salesforce Account"):
        MAPPER.parse(entity, payload("account_full_get_v62.json"))
