"""The official NetSuite payloads, mapped; every expected value was read off the payload by hand."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tieout.core.errors import InvalidRecord
from tieout.mappings import Mapper, load_mapping
from tieout.mappings.netsuite_forms import read_payload

SAMPLES = Path(__file__).parents[2].parent / "shared/providers/netsuite/samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the official samples are not beside the repository"
)
CURRENCIES = {"currency": {"1": "USD", "USA": "USD"}}


def mapper(**more: Any) -> Mapper:
    mapping = load_mapping("netsuite")
    return mapping.compile(system="ns", timezone="America/Los_Angeles", **more)


def mapped(entity: str, name: str, **more: Any) -> Any:
    return mapper(**more).parse(entity, read_payload((SAMPLES / name).read_bytes()))


def rows(name: str) -> list[dict[str, Any]]:
    with (SAMPLES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_soap_invoice() -> None:
    found = mapped("invoice", "soap_get_invoice_response.xml", currency="USD")
    assert found.id == "439" and found.number == "2187" and found.customer_id == "854"
    assert found.external_ids == {"external": "2187"}
    assert found.status == "open"
    # Midnight Pacific is the calendar day; times carry their offset: 16:54:12 -08:00.
    assert found.issued_on == found.due_on == date(2011, 1, 1)
    assert found.created_at == datetime(2011, 12, 16, 0, 54, 12, tzinfo=UTC)
    assert found.updated_at == datetime(2011, 12, 16, 21, 37, 57, tzinfo=UTC)
    assert (found.subtotal_minor, found.discount_minor, found.tax_minor) == (1599360, 0, 0)
    assert (found.total_minor, found.balance_minor) == (1599360, 1599360)
    assert (found.paid_minor, found.credited_minor) == (0, 0)  # amountPaid is 0.0
    assert found.written_off_minor is None and found.adjustment_minor is None
    (line,) = found.lines
    assert (line.id, line.product_id, line.quantity, line.amount_minor) == (
        "1",
        "217",
        "1",
        1599360,
    )
    assert line.unit_amount is None
    assert found.custom == {"custbody_3rd_party": False}


def test_soap_contact() -> None:
    found = mapped("contact", "soap_search_basic_contact.xml")
    assert found.id == "7272" and found.customer_id == "7270"
    assert found.phone == "(123) 555-1234"
    assert found.external_ids == {"external": "customer_contact_3338"}
    assert found.created_at == datetime(2021, 3, 3, 16, 26, 56, tzinfo=UTC)
    assert found.updated_at == datetime(2021, 7, 7, 16, 49, 51, tzinfo=UTC)  # -07:00 in July


def test_soap_custom_fields() -> None:
    found = mapped("credit_note", "soap_custom_fields_multiselect.xml")
    assert found.id == "9948394"
    assert found.created_at == datetime(2021, 7, 14, 19, 45, 42, tzinfo=UTC)
    assert found.custom["custbody_standard_select"] == "2"
    assert found.custom["custbody_string_field"] == "a very nice string"
    assert found.custom["custbody_boolean_field"] is False
    assert found.custom["custbody_multi_select_field"] == "7623"
    assert found.custom["custbody_multi_select_with_multiple"] == "7613, 7614"
    # Nothing but these was sent: not told is null, not zero.
    assert found.total_minor is None and found.status is None and found.currency is None


def test_soap_dict_customer() -> None:
    found = mapped("customer", "soapdict_customers.json", lookups=CURRENCIES)
    assert found.id == "eid:consumerTestApi"  # internalId is null: not saved yet
    assert found.name == "Testing Customer SDK" and found.currency == "USD"
    assert found.status is None and found.receivable_minor is None
    assert found.external_ids == {"external": "consumerTestApi"}


def test_soap_dict_invoice() -> None:
    found = mapped("invoice", "soapdict_invoices.json", currency="USD")
    assert found.id == "eid:1237" and found.customer_id == "14452"
    # 17:32:28Z is still the same day in California.
    assert (found.issued_on, found.due_on) == (date(2022, 7, 21), date(2023, 2, 15))
    (line,) = found.lines
    assert (line.description, line.quantity) == ("Test Invoice item", "10")
    assert line.amount_minor is None and line.product_id is None


def test_soap_dict_credit_memo() -> None:
    found = mapped("credit_note", "soapdict_credit_memo.json")
    assert found.id == "eid:1237" and found.customer_id == "1"
    assert found.reason == "Testing CreditMemos using Fyle SDK"
    assert found.lines == () and found.total_minor is None and found.status is None


def test_soap_dict_journal() -> None:
    found = mapped("journal_entry", "soapdict_journal_entries.json", lookups=CURRENCIES)
    assert found.id == "eid:JE_05" and found.subsidiary == "1" and found.currency == "USD"
    assert found.memo == "JE Testing Fyle SDK 3" and found.posted_on is None
    credit, debit = found.lines
    assert (credit.account, credit.debit_minor, credit.credit_minor) == ("25", None, 50000)
    assert (debit.account, debit.debit_minor, debit.credit_minor) == ("25", 50000, None)
    assert credit.customer_id is None  # the line's entity is a vendor
    named = mapped(
        "journal_entry",
        "soapdict_journal_entries.json",
        lookups={**CURRENCIES, "account": {"25": "6100"}},
    )
    assert [line.account for line in named.lines] == ["6100", "6100"]


def test_rest_customer_with_selected_fields() -> None:
    found = mapped("customer", "rest_customer_get_fields_subset.json", currency="USD")
    assert found.currency is None  # not told, and no amount needs one
    assert found.id == "107"  # told by its own link only
    assert (found.name, found.email) == ("Glenrock General Hospital", "alan.rath@ns.com")
    assert found.url == "https://demo123.app.netsuite.com/app/common/entity/custjob.nl?id=107"
    assert found.status is None


def test_rest_create_requests_map_as_far_as_they_go() -> None:
    found = mapped("customer", "rest_customer_create_request.json")
    assert (found.id, found.name) == ("eid:CID001", "John Smith")
    for entity, name in [
        ("invoice", "rest_invoice_create_request.json"),
        ("payment", "rest_customerPayment_create_request.json"),
        ("payment", "rest_customerPayment_unapply_request.json"),
        ("journal_entry", "rest_journalEntry_create_request.json"),
        ("invoice", "rest_invoice_update_line_request.json"),
        ("invoice", "soap_initialize_invoice_from_customer.xml"),
        ("customer", "soap_search_saved_customer.xml"),
    ]:
        with pytest.raises(InvalidRecord, match="has no internal id"):
            mapped(entity, name, currency="USD")


def test_the_bodies_of_create_requests_map_once_they_have_an_id() -> None:
    use = mapper(currency="USD")
    read = {
        name: read_payload((SAMPLES / f"rest_{name}_request.json").read_bytes())
        for name in ("invoice_create", "customerPayment_create", "journalEntry_create")
    }
    invoice: Any = use.parse("invoice", {"id": "1", **read["invoice_create"]})
    assert invoice.customer_id == "220"
    assert [(line.product_id, line.amount_minor) for line in invoice.lines] == [("144", 100000)]
    payment: Any = use.parse("payment", {"id": "2", **read["customerPayment_create"]})
    assert (payment.customer_id, payment.amount_minor) == ("4", 25000)
    assert [(a.invoice_id, a.amount_minor) for a in payment.allocations] == [("104", 20000)]
    journal: Any = use.parse("journal_entry", {"id": "3", **read["journalEntry_create"]})
    assert [(li.account, li.debit_minor, li.credit_minor) for li in journal.lines] == [
        ("58", 18700, None),
        ("4", None, 18700),
    ]


def test_analytics_customers() -> None:
    use = mapper(lookups=CURRENCIES)
    found: list[Any] = [use.parse("customer", row) for row in rows("suiteanalytics_customer.csv")]
    by_id = {each.id: each for each in found}
    joe = by_id["1409"]
    assert (joe.name, joe.email, joe.currency) == ("Joe Li", "jm@fake.com", "USD")
    assert joe.status == "active" and joe.language == "en-US" and joe.receivable_minor == 0
    # 2017-05-27 8:56:10 in California, in summer: seven hours behind UTC.
    assert joe.created_at == datetime(2017, 5, 27, 15, 56, 10, tzinfo=UTC)
    assert by_id["1376"].phone == "8675309"


def test_analytics_items() -> None:
    found: list[Any] = [mapper().parse("product", row) for row in rows("suiteanalytics_item.csv")]
    assert [(each.id, each.name, each.sku) for each in found[:3]] == [
        ("640", "This", "This"),
        ("976", "That", "That"),
        ("628", "Those", "Those"),
    ]
    assert found[2].description == "How To Optimize Performance Guide"
    assert found[0].active is None  # the column is not there


def test_suiteql_rows_without_nulls() -> None:
    body = (SAMPLES / "rest_suiteql_nulls_omitted.json").read_bytes()
    with pytest.raises(InvalidRecord, match="holds 5 records"):
        read_payload(body)
    import json

    found: list[Any] = [mapper().parse("customer", row) for row in json.loads(body)["items"]]
    assert [(each.id, each.name) for each in found] == [
        ("-3", None),
        ("8", "HMRC"),
        ("7", None),
        ("6", None),
        ("2", None),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rest_error_429_concurrency.json", "error answer"),
        ("rest_error_404_get_missing_entity.json", "error answer"),
        ("soap_fault_concurrent_requests.xml", "SOAP fault"),
        ("soap_upsert_invoice_error.xml", "refusal"),
        ("soap_delete_customer_error.xml", "refusal"),
        ("soap_add_invoice_response.xml", "no records"),
        ("soap_getDeleted_invoices_response.xml", "no records"),
        ("rest_list_journalEntry_page.json", "holds 5 records"),
        ("rest_response_headers_list.json", "no internal id"),
    ],
)
def test_what_holds_no_record_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InvalidRecord, match=reason):
        mapped("customer", name)


def test_an_amount_without_a_currency_says_how_to_give_one() -> None:
    with pytest.raises(InvalidRecord) as caught:
        mapped("invoice", "soap_get_invoice_response.xml")
    assert "currency" in caught.value.message and "--currency" in caught.value.hint
    with pytest.raises(InvalidRecord) as caught:
        mapped("customer", "soapdict_customers.json")
    assert '{"currency": {"1": "USD"}}' in caught.value.hint and "--lookups" in caught.value.hint
