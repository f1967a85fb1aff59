"""Salesforce payloads that differ from the samples, with values worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tieout.core.entities import Contact, Contract, Customer, Tier
from tieout.core.errors import InvalidRecord
from tieout.mappings import Mapper, load_mapping
from tieout.mappings.salesforce_forms import read_payload

MAPPING = load_mapping("salesforce")


def mapper(currency: str | None = None) -> Mapper:
    return MAPPING.compile(system="crm", currency=currency)


def event(name: str, id: str, **fields: Any) -> dict[str, Any]:
    header = {"entityName": name, "recordIds": [id], "changeType": "CREATE"}
    return {"ChangeEventHeader": header, **fields}


def test_a_change_event_tells_a_persons_name_in_parts() -> None:
    name = {"Salutation": "Ms.", "FirstName": "Ann", "LastName": "Lee"}
    found = mapper().parse("contact", event("Contact", "003dM00003jU9Gx", Name=name))
    assert isinstance(found, Contact)
    assert (found.first_name, found.last_name) == ("Ann", "Lee")
    person = mapper().parse("customer", event("Account", "001dM00003jU9Gx", Name=name))
    assert isinstance(person, Customer) and person.name == "Ann Lee"


@pytest.mark.parametrize("at", ["2026-01-01T08:30:00.000+0000", "2026-01-01T08:30:00.000Z"])
def test_times_read_the_same_through_rest_and_bulk(at: str) -> None:
    raw = {"Id": "800dM00003jU9Gx", "StatusCode": "Activated", "ActivatedDate": at, "Seen__c": at}
    found = mapper().parse("contract", raw)
    assert found.custom["Seen__c"] == "2026-01-01T08:30:00Z"
    assert found.custom["activated_at"] == "2026-01-01T08:30:00Z"


def test_a_message_in_xml_is_told_to_be_no_record() -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_payload(b'<?xml version="1.0"?><soapenv:Envelope/>')
    assert "outbound message" in caught.value.message and "REST" in caught.value.hint


@pytest.mark.parametrize(
    "answer, told",
    [
        (b'{"id": "001dM00003jU9GxQAK", "success": true, "errors": [], "created": true}', "write"),
        (b'[{"id": "001dM00003jU9GxQAK", "success": false, "errors": [{}]}]', "write"),
        (b'[{"message": "Not here", "errorCode": "NOT_FOUND"}]', "NOT_FOUND"),
    ],
)
def test_an_answer_to_a_write_is_no_record(answer: bytes, told: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_payload(answer)
    assert told in caught.value.message and "not a record" in caught.value.message


@pytest.mark.parametrize(
    "entity, wrong, where",
    [
        ("customer", {"BillingCountry": ["US"]}, "customer 001dM00003jU9Gx, field BillingCountry"),
        ("customer", {"BillingAddress": {"city": {}, "country": {"x": 1}}},
         "customer 001dM00003jU9Gx, field BillingCountry"),
        ("contract", {"OrderItems": {"records": ["x"]}},
         "contract 001dM00003jU9Gx, field OrderItems"),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_named_by_its_field(
    entity: str, wrong: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        mapper("USD").parse(entity, {"Id": "001dM00003jU9Gx", "Name": "A", **wrong})
    assert caught.value.where.startswith(where)


@pytest.mark.parametrize("scheme", ["tiered", "volume", "stairstep", "package"])
def test_only_prices_for_each_unit_are_sent(scheme: str) -> None:
    fields = {"product_id": "01tdM00003jU9GxQAK", "currency": "USD", "scheme": scheme}
    more = {"unit_amount": "12.5"} if scheme == "package" else {"tiers": (Tier(unit_amount="1"),)}
    with pytest.raises(InvalidRecord) as caught:
        mapper().render("price", {**fields, **more}, creating=True)
    assert caught.value.where == "price, field scheme" and scheme in caught.value.message


ORDER: dict[str, Any] = {
    "kind": "order", "customer_id": "001dM00003jU9GxQAK", "status": "draft", "currency": "EUR",
    "starts_on": date(2026, 1, 1),
}  # fmt: skip


def test_an_order_is_sent_in_its_currency() -> None:
    """Its prices must be in the order's currency, or Salesforce refuses its products."""
    body = mapper().render("contract", ORDER, creating=True)
    assert body["CurrencyIsoCode"] == "EUR" and body["EffectiveDate"] == "2026-01-01"
    back = mapper().parse("contract", {"Id": "801dM00003jU9Gx", **body})
    assert isinstance(back, Contract)
    assert (back.kind, back.currency, back.starts_on) == ("order", "EUR", date(2026, 1, 1))
    assert "CurrencyIsoCode" not in mapper("EUR").render("contract", ORDER, creating=True)
    with pytest.raises(InvalidRecord, match="only currency is USD"):
        mapper("USD").render("contract", ORDER, creating=True)


@pytest.mark.parametrize(
    "starts, ends, term, sent",
    [
        (date(2026, 1, 1), date(2026, 12, 31), None, 12),
        (date(2026, 1, 15), date(2027, 7, 14), None, 18),
        (date(2026, 2, 1), date(2026, 2, 28), None, 1),
        (date(2026, 1, 1), date(2026, 12, 30), None, None),  # no whole months
        (date(2026, 1, 1), date(2026, 12, 31), 24, 24),  # what is told goes first
        (date(2026, 1, 1), None, None, None),
    ],
)
def test_a_contract_needs_a_term_that_its_days_may_tell(
    starts: date, ends: date | None, term: int | None, sent: int | None
) -> None:
    fields = {"kind": "contract", "status": "active", "starts_on": starts, "ends_on": ends,
              "term_months": term, "currency": "EUR"}  # fmt: skip
    body = mapper().render("contract", fields, creating=True)
    assert body.get("ContractTerm") == sent
    assert "EndDate" not in body and "CurrencyIsoCode" not in body
