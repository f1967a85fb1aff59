"""Salesforce's records by hand: statuses, currencies, forms of one record, and the way back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieout.core.entities import Address, Allocation, ContractLine
from tieout.core.errors import InvalidRecord
from tieout.mappings import Mapper, load_mapping
from tieout.mappings.salesforce_forms import read_payload

MAPPING = load_mapping("salesforce")


def mapper(currency: str | None = "USD", **options: Any) -> Mapper:
    return MAPPING.compile(system="crm", currency=currency, options=options)


def opportunity(**more: Any) -> dict[str, Any]:
    return {"Id": "0065g00000abcde", "Name": "D", "IsClosed": True, "IsWon": True, **more}


# Reading


def test_ids_and_references_of_15_characters_become_18() -> None:
    raw = opportunity(Id="001dM00003jU9Gx", AccountId="0014W000027f6V3")
    found = mapper().parse("opportunity", raw)
    assert (found.id, found.customer_id) == ("001dM00003jU9GxQAK", "0014W000027f6V3QAI")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (Decimal("60000.0"), "USD", 6_000_000),
        (15000, "USD", 1_500_000),
        ("12.30", "EUR", 1230),
        (Decimal("1500.0"), "JPY", 1500),
        (Decimal("1.234"), "BHD", 1234),
        (0, "USD", 0),
        (None, "USD", None),
    ],
)
def test_amounts_are_major_units_of_the_records_currency(
    amount: Any, currency: str, minor: int | None
) -> None:
    raw = opportunity(Amount=amount, CurrencyIsoCode=currency)
    found = mapper("CHF").parse("opportunity", raw)
    assert (found.amount_minor, found.currency) == (minor, currency)


def test_more_places_than_the_currency_has_are_refused_or_rounded_by_an_overlay(
    tmp_path: Path,
) -> None:
    raw = opportunity(Amount=Decimal("10.125"))
    with pytest.raises(InvalidRecord, match="more decimals than USD allows"):
        mapper().parse("opportunity", raw)
    overlay = tmp_path / "round.yaml"
    overlay.write_text("opportunity:\n  fields:\n    amount_minor: {round: half_even}\n")
    rounding = load_mapping("salesforce", [overlay]).compile(system="crm", currency="USD")
    found = rounding.parse("opportunity", raw)
    assert found.amount_minor == 1012 and found.custom["amount_minor_unrounded"] == "10.125"


def test_an_amount_needs_a_currency() -> None:
    with pytest.raises(InvalidRecord, match="currency"):
        mapper(None).parse("opportunity", opportunity(Amount=Decimal("1.0")))
    assert mapper(None).parse("opportunity", opportunity()).amount_minor is None


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("New Customer", "new"),
        ("Existing Customer - Upgrade", "expansion"),
        ("Existing Customer - Replacement", "other"),
        ("Existing Customer - Downgrade", "other"),
        ("Renewal", "renewal"),
        (None, None),
    ],
)
def test_the_kind_of_an_opportunity(type: str | None, kind: str | None) -> None:
    assert mapper().parse("opportunity", opportunity(Type=type)).kind == kind


def test_a_type_of_the_orgs_own_sets_the_record_aside_until_an_overlay_names_it(
    tmp_path: Path,
) -> None:
    raw = opportunity(Type="Land & Expand")
    with pytest.raises(InvalidRecord, match="Land & Expand") as caught:
        mapper().parse("opportunity", raw)
    assert "field kind" in caught.value.where and "New Customer" in caught.value.hint
    overlay = tmp_path / "kinds.yaml"
    overlay.write_text(
        "opportunity:\n  fields:\n    kind: {values: {Land & Expand: expansion}}\n"
        "    owner: Owner.Email\n  custom:\n    tier: {path: Tier__c, write: always}\n"
    )
    own = load_mapping("salesforce", [overlay]).compile(system="crm")
    found = own.parse("opportunity", {**raw, "Owner": {"Email": "a@b.c"}, "Tier__c": "gold"})
    assert (found.kind, found.owner, found.custom["tier"]) == ("expansion", "a@b.c", "gold")
    body = own.render("opportunity", {"custom": {"tier": "gold"}}, creating=False)
    assert body == {"Tier__c": "gold"}


def test_a_bulk_row_maps_to_the_same_record_as_a_rest_row() -> None:
    rest = opportunity(
        Amount=Decimal("1000.5"), Probability=Decimal("60.0"), CloseDate="2026-03-31",
        IsDeleted=False, SystemModstamp="2026-05-01T07:25:37.000+0000", Type=None,
        Score__c=Decimal("2.0"),
    )  # fmt: skip
    text = (
        "Id,Name,IsClosed,IsWon,Amount,Probability,CloseDate,IsDeleted,SystemModstamp,Type\n"
        "0065g00000abcde,D,true,true,1000.5,60.0,2026-03-31,false,2026-05-01T07:25:37.000Z,\n"
    )
    csv_row = read_payload(text.encode())
    found = mapper().parse("opportunity", {**csv_row, "Score__c": 2})
    assert found == mapper().parse("opportunity", rest)
    assert found.updated_at == datetime(2026, 5, 1, 7, 25, 37, tzinfo=UTC)
    assert found.amount_minor == 100050 and found.won is True and found.deleted is False


def test_payloads_of_one_record_are_opened_and_others_refused() -> None:
    answer = b'{"totalSize": 1, "done": true, "records": [{"Id": "1", "Name": "A"}]}'
    assert read_payload(answer)["Name"] == "A"
    assert read_payload(b'[{"Id": "1"}]') == {"Id": "1"}
    for body in (b'{"records": [], "done": true}', b"[1]", b"", b"Id,Name\n1\n", b"Id\n1\n2\n"):
        with pytest.raises(InvalidRecord):
            read_payload(body)


def test_addresses_of_either_form_are_the_same() -> None:
    single = {
        "Id": "0015g00000abcde", "Name": "A", "BillingStreet": "1 Main St\r\nFloor 2",
        "BillingCity": "Berlin", "BillingPostalCode": "10115", "BillingCountry": "Germany",
        "BillingState": "Berlin",
    }  # fmt: skip
    compound = {
        "Id": "0015g00000abcde", "Name": "A",
        "BillingAddress": {
            "street": "1 Main St\nFloor 2", "city": "Berlin", "postalCode": "10115",
            "country": "Germany", "state": "Berlin",
        },
    }  # fmt: skip
    expected = Address(
        line1="1 Main St", line2="Floor 2", city="Berlin", state="Berlin",
        postal_code="10115", country="DE",
    )  # fmt: skip
    for raw in (single, compound):
        assert mapper().parse("customer", raw).billing_address == expected
    coded = {**single, "BillingCountryCode": "DE", "BillingStateCode": "BE"}
    found = mapper().parse("customer", coded).billing_address
    assert found is not None and (found.state, found.country) == ("BE", "DE")
    odd = mapper().parse("customer", {**single, "BillingCountry": "Narnia"})
    assert odd.custom["billing_address_country"] == "Narnia"


def test_customers_deleted_merged_and_persons() -> None:
    gone = {
        "Id": "0015g00000abcde",
        "Name": "A",
        "IsDeleted": True,
        "MasterRecordId": "001dM00003jU9Gx",
    }
    found = mapper().parse("customer", gone)
    assert (found.deleted, found.status) == (True, "archived")
    assert found.custom["merged_into"] == "001dM00003jU9GxQAK"
    person = {
        "Id": "0015g00000abcde", "Name": None, "FirstName": "Ada", "LastName": "Lovelace",
        "IsPersonAccount": True, "PersonEmail": "ada@example.com", "TieOut_Id__c": "key-1",
        "CurrencyIsoCode": "GBP", "tieout_org_url": "https://acme.my.salesforce.com",
    }  # fmt: skip
    found = mapper().parse("customer", person)
    assert (found.name, found.email, found.currency) == ("Ada Lovelace", "ada@example.com", "GBP")
    assert found.external_ids == {"tieout": "key-1"} and found.custom["is_person"] is True
    assert found.url == f"https://acme.my.salesforce.com/{found.id}" and found.status is None
    own = mapper(key_field="Ref__c").parse("customer", {**person, "Ref__c": "k2"})
    assert own.external_ids == {"tieout": "k2"} and own.custom["TieOut_Id__c"] == "key-1"


@pytest.mark.parametrize(
    ("code", "status", "ours"),
    [
        ("Draft", "In Review", "draft"),
        ("InApproval", "In Approval Process", "draft"),  # ruling
        ("Activated", "Signed", "active"),
        ("Terminated", "Terminated", "canceled"),
        ("Expired", "Expired", "expired"),
        (None, "In Approval Process", "draft"),
        (None, "Activated", "active"),
    ],
)
def test_the_status_of_a_contract_is_its_category(code: str | None, status: str, ours: str) -> None:
    raw = {
        "attributes": {"type": "Contract"}, "Id": "8005g00000abcde", "ContractNumber": "0000100",
        "Status": status, "StatusCode": code, "StartDate": "2026-01-01", "EndDate": "2026-12-31",
        "ContractTerm": 12, "CustomerSignedDate": "2025-12-20", "CompanySignedDate": "2025-12-22",
    }  # fmt: skip
    found = mapper().parse("contract", raw)
    assert (found.kind, found.number, found.status) == ("contract", "0000100", ours)
    assert (found.starts_on, found.ends_on) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (found.term_months, found.signed_on) == (12, date(2025, 12, 20))
    assert (found.total_minor, found.lines) == (None, ())


@pytest.mark.parametrize(
    ("code", "ours"),
    [("Draft", "draft"), ("Activated", "active"), ("Canceled", "canceled"), ("Expired", "expired")],
)
def test_an_order_is_a_contract_with_its_lines(code: str, ours: str) -> None:
    line = {
        "Id": "802D0000000CJtM", "OrderId": "801D0000000Frh8",
        "PricebookEntryId": "01uD0000001cCd1",
        "Product2Id": "01t28000000sB8m", "Quantity": Decimal("2.0"), "UnitPrice": Decimal("9.505"),
        "TotalPrice": Decimal("19.01"), "Product2": {"Name": "Plan"}, "Description": None,
    }  # fmt: skip
    raw = {
        "Id": "801D0000000Frh8", "OrderNumber": "00000100", "StatusCode": code, "Status": "x",
        "EffectiveDate": "2026-02-01", "EndDate": None, "TotalAmount": Decimal("19.01"),
        "ContractId": "8005g00000abcde", "IsReductionOrder": False, "PoNumber": "PO-7",
        "OrderItems": {"totalSize": 1, "done": True, "records": [line]},
    }  # fmt: skip
    found = mapper().parse("contract", raw)
    assert (found.kind, found.number, found.status) == ("order", "00000100", ours)
    assert (found.starts_on, found.total_minor, found.term_months) == (date(2026, 2, 1), 1901, None)
    assert found.lines == (
        ContractLine(
            id="802D0000000CJtMIAW",  # as the API itself writes it
            product_id="01t28000000sB8mAAE",
            price_id=found.lines[0].price_id,
            description="Plan",
            quantity="2",
            unit_amount="9.505",
            amount_minor=1901,
        ),
    )
    assert found.lines[0].price_id is not None and len(found.lines[0].price_id) == 18
    assert found.custom["po_number"] == "PO-7" and found.custom["is_reduction"] is False
    half = {**raw, "OrderItems": {"totalSize": 900, "done": False, "records": [line]}}
    with pytest.raises(InvalidRecord, match="first of its order products"):
        mapper().parse("contract", half)


def test_an_unknown_status_sets_the_record_aside() -> None:
    with pytest.raises(InvalidRecord, match="'Paused'") as caught:
        mapper().parse("contract", {"Id": "8005g00000abcde", "StatusCode": "Paused"})
    assert "field status" in caught.value.where and "InApproval" in caught.value.hint


# Writing


def test_a_customer_and_back() -> None:
    fields = {
        "name": "ACME",
        "phone": "1",
        "email": "a@example.com",  # an account has none
        "billing_address": Address(line1="1 Main St", line2="Floor 2", city="Berlin", country="DE"),
    }
    body = mapper().render("customer", fields, creating=True)
    assert body == {
        "Name": "ACME", "Phone": "1", "BillingStreet": "1 Main St\nFloor 2",
        "BillingCity": "Berlin", "BillingCountry": "DE",
    }  # fmt: skip
    codes = mapper(address_codes=True).render("customer", fields, creating=True)
    assert codes["BillingCountryCode"] == "DE" and "BillingCountry" not in codes
    found = mapper().parse("customer", {"Id": "0015g00000abcde", **body})
    assert (found.name, found.billing_address) == ("ACME", fields["billing_address"])
    cleared = mapper().render("customer", {"billing_address": None, "phone": None}, creating=False)
    assert cleared["BillingStreet"] is None and cleared["Phone"] is None


def test_products_are_made_active_unless_told() -> None:
    assert mapper().render("product", {"name": "P"}, creating=True) == {
        "IsActive": True,
        "Name": "P",
    }
    body = mapper().render("product", {"name": "P", "sku": "S", "active": False}, creating=True)
    assert body == {"IsActive": False, "Name": "P", "ProductCode": "S"}


def test_a_currency_is_named_only_where_the_org_has_several() -> None:
    fields = {"name": "D", "stage": "New", "close_on": "2026-03-31", "currency": "USD"}
    fields |= {"amount_minor": 1230, "customer_id": "001dM00003jU9GxQAK"}  # type: ignore[dict-item]
    several = mapper(None).render("opportunity", fields, creating=True)
    assert several == {
        "Name": "D", "StageName": "New", "CloseDate": "2026-03-31", "Amount": Decimal("12.30"),
        "AccountId": "001dM00003jU9GxQAK", "CurrencyIsoCode": "USD",
    }  # fmt: skip
    single = mapper("USD").render("opportunity", fields, creating=True)
    assert "CurrencyIsoCode" not in single and single["Amount"] == Decimal("12.30")
    with pytest.raises(InvalidRecord, match="only currency is EUR"):
        mapper("EUR").render("opportunity", fields, creating=True)


def test_a_price_that_recurs_needs_a_place_for_its_interval() -> None:
    fields = {"product_id": "01t28000000sB8mAAE", "unit_amount": "0.0125", "interval": "month"}
    with pytest.raises(InvalidRecord, match="no interval"):
        mapper().render("price", fields, creating=True)
    body = mapper(recurring_prices=True).render("price", fields, creating=True)
    assert body == {
        "IsActive": True, "Product2Id": "01t28000000sB8mAAE", "UnitPrice": Decimal("0.0125"),
    }  # fmt: skip


def test_contracts_and_orders_are_told_apart_in_the_body() -> None:
    common = {"customer_id": "001dM00003jU9GxQAK", "starts_on": "2026-02-01", "status": "active"}
    contract = mapper().render(
        "contract", {**common, "kind": "contract", "term_months": 12}, creating=True
    )
    assert contract == {
        "attributes": {"type": "Contract"}, "AccountId": "001dM00003jU9GxQAK",
        "StartDate": "2026-02-01", "ContractTerm": 12, "Status": "Activated",
    }  # fmt: skip
    line = ContractLine(price_id="01uD0000001cCd1AAA", quantity="2", unit_amount="9.5")
    order = mapper(order_status="Approved").render(
        "contract", {**common, "kind": "order", "lines": (line,)}, creating=True
    )
    row = {
        "PricebookEntryId": "01uD0000001cCd1AAA",
        "Quantity": Decimal(2),
        "UnitPrice": Decimal("9.5"),
    }
    assert order == {
        "attributes": {"type": "Order"}, "AccountId": "001dM00003jU9GxQAK",
        "EffectiveDate": "2026-02-01", "OrderItems": {"records": [row]}, "Status": "Approved",
    }  # fmt: skip
    with pytest.raises(InvalidRecord, match="needs a price"):
        mapper().render(
            "contract", {**common, "kind": "order", "lines": (ContractLine(),)}, creating=True
        )
    with pytest.raises(InvalidRecord, match="cannot be expired"):
        mapper().render("contract", {**common, "status": "expired"}, creating=True)


INVOICE = {
    "kind": "invoice", "number": "INV-1", "customer_id": "001dM00003jU9GxQAK", "status": "paid",
    "currency": "BHD", "issued_on": date(2026, 1, 31), "due_on": date(2026, 2, 28),
    "paid_at": datetime(2026, 2, 1, 12, 0, tzinfo=UTC), "subtotal_minor": 10000,
    "discount_minor": 0, "tax_minor": 500, "total_minor": 10500, "adjustment_minor": 0,
    "paid_minor": 10500, "credited_minor": 0, "written_off_minor": None, "balance_minor": 0,
    "memo": "thank you",
}  # fmt: skip


def test_an_invoice_in_a_custom_object_and_back() -> None:
    body = mapper(None).render("invoice", INVOICE, creating=True)
    assert body["Total__c"] == Decimal("10.500") and body["Currency__c"] == "BHD"
    assert body["Account__c"] == "001dM00003jU9GxQAK" and body["Status__c"] == "paid"
    assert body["Name"] == "INV-1" and body["Issued_On__c"] == "2026-01-31"
    assert "Written_Off__c" not in body
    found = mapper(None).parse("invoice", {"Id": "a005g00000abcde", **body})
    assert {name: getattr(found, name) for name in INVOICE} == INVOICE


def test_a_payment_keeps_its_allocations() -> None:
    fields = {
        "customer_id": "001dM00003jU9GxQAK", "currency": "USD", "amount_minor": 1500,
        "status": "succeeded", "method": "card",
        "allocations": (
            Allocation(invoice_id="a005g00000abcdeAAA", amount_minor=1000),
            Allocation(invoice_id="a005g00000abcdfAAA", amount_minor=500),
        ),
    }  # fmt: skip
    body = mapper(None).render("payment", fields, creating=True)
    assert body["Amount__c"] == Decimal("15.00")
    assert body["Allocations__c"] == (
        '[{"invoice":"a005g00000abcdeAAA","amount":"10.00"},'
        '{"invoice":"a005g00000abcdfAAA","amount":"5.00"}]'
    )
    found = mapper(None).parse("payment", {"Id": "a015g00000abcde", **body})
    assert found.allocations == fields["allocations"] and found.amount_minor == 1500
    with pytest.raises(InvalidRecord, match="allocations that tieout writes"):
        mapper().parse("payment", {"Id": "a015g00000abcde", "Allocations__c": "by hand"})


@pytest.mark.parametrize(
    ("refunded", "applied"),
    [
        (0, '[{"invoice":"a","amount":"10.00"},{"invoice":"b","amount":"5.00"}]'),
        (200, '[{"invoice":"a","amount":"10.00"},{"invoice":"b","amount":"3.00"}]'),
        (600, '[{"invoice":"a","amount":"9.00"}]'),
        (1500, None),
    ],
)
def test_what_was_paid_back_is_no_longer_applied(refunded: int, applied: str | None) -> None:
    fields = {
        "currency": "USD", "amount_minor": 1500, "refunded_minor": refunded,
        "allocations": (
            Allocation(invoice_id="a", amount_minor=1000),
            Allocation(invoice_id="b", amount_minor=500),
        ),
    }  # fmt: skip
    body = mapper(None).render("payment", fields, creating=True)
    assert body.get("Allocations__c") == applied


def test_a_credit_note_names_its_invoice() -> None:
    fields = {
        "number": "CN-1", "customer_id": "001dM00003jU9GxQAK", "invoice_id": "a005g00000abcdeAAA",
        "currency": "JPY", "status": "applied", "total_minor": 500, "issued_on": date(2026, 1, 31),
        "allocated_minor": 500, "refunded_minor": 0, "balance_minor": 0,
    }  # fmt: skip
    body = mapper(None).render("credit_note", fields, creating=True)
    assert body["Total__c"] == Decimal(500) and body["Invoice__c"] == "a005g00000abcdeAAA"
    found = mapper(None).parse("credit_note", {"Id": "a025g00000abcde", **body})
    assert {name: getattr(found, name) for name in fields} == fields


def test_an_overlay_takes_billing_records_to_fields_of_the_orgs_own(tmp_path: Path) -> None:
    overlay = tmp_path / "bills.yaml"
    overlay.write_text(
        "invoice:\n  fields:\n    total_minor: {path: Sum__c, write: create}\n"
        "    number: Bill_No__c\n    kind: null\n    memo: null\n"
    )
    own = load_mapping("salesforce", [overlay]).compile(system="crm", currency="EUR")
    fields = {"number": "R-1", "total_minor": 1000, "currency": "EUR", "memo": "x"}
    body = own.render("invoice", fields, creating=True)
    assert body == {"Bill_No__c": "R-1", "Sum__c": Decimal("10.00"), "Currency__c": "EUR"}
    assert own.parse("invoice", {"Id": "a005g00000abcde", **body}).total_minor == 1000


def test_the_example_overlay_of_the_docs_works_both_ways() -> None:
    example = Path(__file__).parents[2] / "docs" / "providers" / "salesforce-own-objects.yaml"
    own = load_mapping("salesforce", [example]).compile(system="crm")
    body = own.render("invoice", INVOICE, creating=True)
    assert body == {
        "Name": "INV-1", "Customer__c": "001dM00003jU9GxQAK", "State__c": "Paid",
        "Currency__c": "BHD", "Billed_On__c": "2026-01-31", "Net__c": Decimal("10.000"),
        "Discount__c": Decimal("0.000"), "Tax__c": Decimal("0.500"), "Sum__c": Decimal("10.500"),
        "Adjusted__c": Decimal("0.000"), "Received__c": Decimal("10.500"),
        "Credited__c": Decimal("0.000"), "Open__c": Decimal("0.000"),
    }  # fmt: skip
    found = own.parse(
        "invoice",
        {
            "Id": "a005g00000abcde",
            "Billing_Id__c": "k",
            "tieout_key_field": "Billing_Id__c",
            **body,
        },
    )
    assert (found.status, found.total_minor, found.balance_minor) == ("paid", 10500, 0)
    assert found.external_ids == {"tieout": "k"} and found.customer_id == "001dM00003jU9GxQAK"
