"""NetSuite over SOAP against the stand-in, with NetSuite's own WSDL; and beside REST."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from netsuite_bench import START, Bench, pay, sell
from pydantic import ValidationError

from tieout.connectors.base import Method, Window
from tieout.connectors.netsuite import NetSuite, NetSuiteConfig
from tieout.connectors.netsuite.kinds import KINDS
from tieout.core.errors import (
    AuthError,
    ConfigError,
    InvalidRecord,
    ProviderDown,
    StopRun,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, NotSent
from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.company import build_company
from tieout.sandbox.netsuite import NetSuiteStandIn

WSDL = (
    Path(__file__)
    .parents[3]
    .joinpath("shared", "providers", "netsuite", "wsdl", "netsuite-wsdl-2023_2.tgz")
)
pytestmark = pytest.mark.skipif(not WSDL.exists(), reason="NetSuite's WSDL is not beside this")

USD = {"id": "1", "refName": "USA"}
JPY = {"id": "5", "refName": "Japanese Yen"}
HOME = {"id": "1", "refName": "Parent Company"}
BASE, ONLINE = {"id": "1", "refName": "Base Price"}, {"id": "5", "refName": "Online Price"}
MATRIX = [
    {"priceLevel": BASE, "currencyPage": USD, "quantity": {"id": "0"}, "price": 33.33},
    {"priceLevel": BASE, "currencyPage": JPY, "quantity": {"id": "0"}, "price": 5000},
    {"priceLevel": ONLINE, "currencyPage": USD, "quantity": {"id": "0"}, "price": 30},
    {"priceLevel": ONLINE, "currencyPage": USD, "quantity": {"id": "10"}, "price": 0.125},
]
CUSTOM = ("custbody_stripe_id", "custentity_stripe_id", "custitem_stripe_id")


def soap(stand_in: NetSuiteStandIn | None = None, **more: Any) -> Bench:
    return Bench("tba", stand_in, **{"transport": "soap", "wsdl": str(WSDL), **more})


@pytest.fixture
def bench() -> Bench:
    return soap()


@pytest.fixture
def sold(bench: Bench) -> Any:
    return sell(bench)


# The same records over both


def odd_company() -> list[tuple[str, Any]]:
    """One of everything that is easily lost on one of the two ways."""
    line = {"line": 1, "item": {"id": "300", "refName": "SEAT"}, "quantity": 3, "rate": 33.33,
            "amount": 99.99, "description": "seats"}  # fmt: skip
    sale = {"subsidiary": HOME, "currency": USD, "tranDate": "2026-03-01", "exchangeRate": 1}
    ada = {"id": "500", "refName": "C-500 Ada"}
    stamp = {"createdDate": "2026-03-01T18:00:00Z", "lastModifiedDate": "2026-03-02T09:30:00Z"}
    return [
        ("customer", {"id": "500", "entityId": "C-500", "companyName": "Ada", "isPerson": False,
                      "email": "a@example.com", "phone": "1", "isInactive": False, "currency": USD,
                      "subsidiary": HOME, "language": {"id": "de_DE", "refName": "German"},
                      "vatRegNumber": "DE1", "terms": {"id": "3", "refName": "Net 60"},
                      "externalId": "tieout-ada", "custentity_stripe_id": "cus_1",
                      "addressBook": {"items": [
                          {"id": "1", "defaultBilling": True, "defaultShipping": False,
                           "addressBookAddress": {"addr1": "Weg 1", "addr2": "Hof",
                                                  "city": "Berlin",
                                                  "zip": "10115", "country": {"id": "DE"}}},
                          {"id": "2", "defaultBilling": False, "defaultShipping": True,
                           "addressBookAddress": {"addr1": "1 Main", "city": "Austin",
                                                  "state": "TX", "zip": "73301",
                                                  "country": {"id": "US"}}}]}, **stamp}),
        ("customer", {"id": "501", "entityId": "Jo Doe", "firstName": "Jo", "lastName": "Doe",
                      "isPerson": True, "isInactive": True, "currency": JPY, "subsidiary": HOME,
                      "parent": ada, "externalId": "else-1", **stamp}),
        ("contact", {"id": "510", "entityId": "Max Muster", "firstName": "Max",
                     "lastName": "Muster", "email": "m@example.com", "officePhone": "2",
                     "company": ada, "isInactive": False, **stamp}),
        ("serviceSaleItem", {"id": "300", "itemId": "SEAT", "displayName": "Seat",
                             "salesDescription": "A seat", "isInactive": False,
                             "custitem_stripe_id": "prod_1",
                             "saleUnit": {"id": "2", "refName": "Each"},
                             "price": {"items": MATRIX},
                             **stamp}),
        ("discountItem", {"id": "301", "itemId": "OFF", "description": "Off", "rate": "-10%",
                          "isInactive": True, **stamp}),
        ("invoice", {"id": "1000", "tranId": "INV-1", "entity": ada, "dueDate": "2026-03-31",
                     "item": {"items": [line]}, "subtotal": 99.99, "discountTotal": -10,
                     "taxTotal": 7.1, "shippingCost": 5, "total": 102.09, "amountPaid": 60,
                     "amountRemaining": 42.09, "status": {"id": "Open", "refName": "Open"},
                     "memo": "March <&> 'x'", "externalId": "tieout-inv-1",
                     "custbody_stripe_id": "in_1", **sale, **stamp}),
        ("invoice", {"id": "1001", "tranId": "INV-2", "entity": {"id": "501"},
                     "item": {"items": [{"line": 1, "item": {"id": "300"}, "amount": 12345678}]},
                     "subtotal": 12345678, "total": 12345678, "amountPaid": 12345678,
                     "amountRemaining": 0,
                     "status": {"id": "Paid In Full", "refName": "Paid In Full"},
                     **sale, "currency": JPY, "exchangeRate": 0.0065, **stamp}),
        ("invoice", {"id": "1002", "tranId": "INV-3", "entity": ada, "item": {"items": [
                        {"line": 1, "item": {"id": "300"}, "amount": 0}]},
                     "subtotal": 0, "total": 0, "amountRemaining": 0, "memo": "VOID",
                     "status": {"id": "Voided", "refName": "Voided"}, **sale, **stamp}),
        ("customerPayment", {"id": "1010", "tranId": "P1", "customer": ada, "payment": 70,
                             "applied": 50, "unapplied": 0, "checkNum": "4711",
                             "paymentMethod": {"id": "5", "refName": "VISA"}, "pnRefNum": "V1",
                             "status": {"id": "Not Deposited", "refName": "Not Deposited"},
                             "apply": {"items": [{"doc": {"id": "1000"},
                                                  "apply": True, "amount": 50, "line": 1,
                                                  "type": "Invoice"}]}, **sale, **stamp}),
        ("customerPayment", {"id": "1011", "tranId": "P2", "customer": {"id": "501"},
                             "payment": 12345678, "applied": 12345678, "unapplied": 0,
                             "status": {"id": "Deposited", "refName": "Deposited"},
                             "apply": {"items": [{"doc": {"id": "1001"}, "apply": True, "line": 1,
                                                  "amount": 12345678, "type": "Invoice"}]},
                             **sale, "currency": JPY, "exchangeRate": 0.0065, **stamp}),
        ("creditMemo", {"id": "1020", "tranId": "CM-1", "entity": ada,
                        "createdFrom": {"id": "1000", "refName": "Invoice #INV-1"},
                        "item": {"items": [{"line": 1, "item": {"id": "300"}, "quantity": 1,
                                            "rate": 15, "amount": 15}]},
                        "subtotal": 15, "total": 15, "applied": 10, "unapplied": 0,
                        "amountRemaining": 0,
                        "status": {"id": "Fully Applied", "refName": "Fully Applied"},
                        "apply": {"items": [{"doc": {"id": "1000"}, "apply": True, "amount": 10,
                                             "line": 1, "type": "Invoice"}]}, **sale, **stamp}),
        ("customerRefund", {"id": "1030", "tranId": "R1", "customer": ada, "total": 5,
                            "status": {"id": "Issued", "refName": "Issued"},
                            "apply": {"items": [{"doc": {"id": "1020"}, "apply": True, "amount": 5,
                                                 "line": 1, "type": "Credit Memo"}]},
                            **sale, **stamp}),
        ("customerRefund", {"id": "1031", "tranId": "R2", "customer": ada, "total": 20,
                            "status": {"id": "Issued", "refName": "Issued"}, "memo": "goodwill",
                            "apply": {"items": [{"doc": {"id": "1010"}, "apply": True, "amount": 20,
                                                 "line": 1, "type": "Payment"}]},
                            **sale, **stamp}),
        ("deposit", {"id": "1040", "tranId": "D1", "account": {"id": "1"}, "total": 12345000,
                     "memo": "po_1", "payment": {"items": [{"id": "1011", "deposit": True,
                                                            "type": "CustPymt",
                                                            "transactionAmount": 12345678,
                                                            "paymentAmount": 12345678}]},
                     "cashBack": {"items": [{"account": {"id": "58"}, "amount": 678}]},
                     **sale, "currency": JPY, "exchangeRate": 0.0065, **stamp}),
        ("journalEntry", {"id": "1050", "tranId": "JE1", "approved": True, "memo": "accrual",
                          "line": {"items": [
                              {"line": 1, "account": {"id": "2", "refName": "1100 A/R"},
                               "debit": 0.1, "entity": ada, "memo": "a"},
                              {"line": 2, "account": {"id": "54"}, "credit": 0.1}]},
                          **sale, **stamp}),
    ]  # fmt: skip


def generated_company() -> list[tuple[str, Any]]:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    return list(build_company(seed=1, size=25, now=now).netsuite)


SETUP = {"account", "accountingPeriod", "currency", "subsidiary", "term"}

# What SOAP's records tell and the columns that are read over REST do not.
EXCEPTIONS = {"payment": {"method", "gateway_id"}, "product": {"unit_label"}}


@pytest.mark.parametrize("company", [odd_company, generated_company])
def test_both_transports_give_the_same_records(
    company: Callable[[], list[tuple[str, Any]]],
) -> None:
    stand_in = NetSuiteStandIn(SandboxClock(datetime(2026, 11, 23, 9, 30, tzinfo=UTC)), seed=3)
    objects = company()
    stand_in.load(objects)
    one = Bench(stand_in=stand_in, custom_fields=CUSTOM)
    other = soap(stand_in, custom_fields=CUSTOM, page_size=50)
    pulled = 0
    for entity in KINDS:
        by_rest, by_soap = one.pulled(entity), other.pulled(entity)
        assert by_rest.keys() == by_soap.keys(), entity
        pulled += len(by_rest)
        for id, record in by_rest.items():
            left, right = msgspec.to_builtins(record), msgspec.to_builtins(by_soap[id])
            differing = {
                name: (left[name], right[name])
                for name in left
                if left[name] != right[name]
                and not (left[name] is None and name in EXCEPTIONS.get(entity, ()))
            }
            assert not differing, (entity, id)
    entries = 3 if company is odd_company else 0
    assert pulled == entries + len([1 for type, _ in objects if type not in SETUP])


def test_hand_worked_figures_come_through_soap() -> None:
    """Invoice 102.09: 50.00 paid, 10.00 credited, 42.09 open; the credit memo of 15.00 paid back
    5.00; 12,345,678 yen are told by the service as 1.2345678E7."""
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    stand_in.load(odd_company())
    ns = soap(stand_in)
    invoices = ns.pulled("invoice")
    first = invoices["1000"]
    assert (first.total_minor, first.paid_minor, first.credited_minor) == (10209, 5000, 1000)
    assert (first.balance_minor, first.discount_minor, first.tax_minor) == (4209, 1000, 710)
    assert first.lines[0].unit_amount == "33.33" or str(first.lines[0].unit_amount) == "33.33"
    assert invoices["1001"].total_minor == 12345678  # yen have no minor unit
    assert invoices["1002"].status == "void"
    memo = ns.pulled("credit_note")["1020"]
    assert (memo.allocated_minor, memo.refunded_minor, memo.invoice_id) == (1000, 500, "1000")
    payments = ns.pulled("payment")
    assert (payments["1010"].refunded_minor, payments["1010"].reference) == (2000, "4711")
    assert (payments["1010"].method, payments["1010"].gateway_id) == ("card", "V1")
    customer = ns.pulled("customer")["500"]
    assert (customer.language, customer.payment_terms_days) == ("de-DE", 60)
    assert customer.billing_address.country == "DE" and customer.shipping_address.state == "TX"


@pytest.mark.parametrize("transport", ["rest", "soap"])
def test_prices_of_an_item_by_level_and_currency(transport: str) -> None:
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    stand_in.load(odd_company())
    bench = soap(stand_in) if transport == "soap" else Bench(stand_in=stand_in)
    found = bench.pulled("price")
    assert set(found) == {"300-1-1", "300-1-5", "300-5-1"}
    base = found["300-1-1"]
    assert (base.product_id, base.currency, str(base.unit_amount)) == ("300", "USD", "33.33")
    assert (base.scheme, base.active, base.interval) == ("per_unit", True, None)
    assert base.updated_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert str(found["300-1-5"].unit_amount) == "5000"
    breaks = found["300-5-1"]  # 30 each, 0.125 each from ten on
    assert (breaks.scheme, breaks.unit_amount, breaks.tiers) == ("volume", None, None)
    one = bench.mapper.parse_bytes("price", bench.ns.get("price", "300-1-1"))
    assert msgspec.to_builtins(one) == msgspec.to_builtins(base)
    for id in ("300-9-9", "300", "999-1-1", "x-1-1", ""):
        assert bench.ns.get("price", id) is None


# Pulls


def test_a_killed_pull_goes_on_after_its_last_page() -> None:
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    stand_in.load(
        ("customer", {"id": str(id), "entityId": f"C{id}", "companyName": f"C{id}"})
        for id in range(500, 540)
    )
    ns = soap(stand_in, page_size=10).ns
    everything = [_ids(page) for page in ns.pull("customer")]
    assert [len(page) for page in everything] == [10, 10, 10, 10]
    pages = ns.pull("customer")
    first = next(pages)
    rest = [_ids(page) for page in ns.pull("customer", resume=first.resume)]
    assert _ids(first) + [id for page in rest for id in page] == [
        id for page in everything for id in page
    ]
    # A day later NetSuite has forgotten the search: its window is read anew, nothing is lost.
    stand_in.clock.move(86400)
    late = [id for page in ns.pull("customer", resume=first.resume) for id in _ids(page)]
    assert set(late) == {id for page in everything for id in page}


def _ids(page: Any) -> list[str]:
    return [json.loads(body)["internalId"] for body in page.records]


def test_a_record_deleted_while_pages_are_read_hides_no_other() -> None:
    """NetSuite searches anew for every page, so what follows moves up by one."""
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    stand_in.load(
        ("customer", {"id": str(id), "entityId": f"C{id}", "companyName": f"C{id}"})
        for id in range(500, 530)
    )
    bench = soap(stand_in, page_size=10)
    pages = bench.ns.pull("customer")
    found = _ids(next(pages))
    stand_in.books.remove(stand_in.books.find("customer", "500"))
    for page in pages:
        found += _ids(page)
    assert set(found) == {str(id) for id in range(500, 530)}


def test_ids_far_apart_are_all_found() -> None:
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    stand_in.load(
        ("customer", {"id": id, "entityId": f"C{id}", "companyName": f"C{id}"})
        for id in ("-5", "7", "2000", "2001", "990000", "80000000")
    )
    found = [id for page in soap(stand_in).ns.pull("customer") for id in _ids(page)]
    assert found == ["-5", "7", "2000", "2001", "990000", "80000000"]


def test_a_position_of_another_transport_is_no_position(bench: Bench) -> None:
    for resume in ('{"phase":"rows","id":5,"shown":""}', "soap:nonsense", "soap:{}x"):
        with pytest.raises(StopRun, match="position"):
            list(bench.ns.pull("customer", resume=resume))


def test_changes_deletions_and_what_a_payment_touches(sold: Any) -> None:
    sold.clock.move(3 * 86400)
    since = sold.clock.now()
    assert sold.pulled("invoice", since) == {}
    paid = pay(sold, 6000, 5000)
    now = sold.pulled("invoice", since)[sold.invoice.id]
    assert (now.status, now.paid_minor, now.balance_minor) == ("open", 5000, 6000)
    sold.clock.move(3 * 86400)
    since = sold.clock.now()
    ref = sold.ns._soap._client.make("RecordRef", internalId=paid.id, type="customerPayment")
    sold.ns._soap._client.write("delete", ref, settle=lambda answer: None)
    sold.pulled("payment", since)
    assert sold.gone == (paid.id,)
    now = sold.pulled("invoice", since)[sold.invoice.id]
    assert (now.paid_minor, now.balance_minor) == (0, 11000)


def test_get_reads_one_and_none(sold: Any) -> None:
    assert json.loads(sold.ns.get("invoice", sold.invoice.id))["tranId"] == "A-1"
    assert json.loads(sold.ns.get("product", sold.product))["itemId"] == "SEAT"
    assert sold.ns.get("invoice", sold.customer) is None
    assert sold.ns.get("invoice", "999999") is None and sold.ns.get("invoice", "x' or 1") is None


# Writes


def test_what_is_written_comes_back(sold: Any) -> None:
    assert (sold.invoice.total_minor, sold.invoice.balance_minor) == (11000, 11000)
    assert [line.amount_minor for line in sold.invoice.lines] == [10000, 1000]
    assert sold.invoice.issued_on == START.date()
    memo = sold.made(
        "credit_note",
        {"customer_id": sold.customer, "currency": "USD", "issued_on": START.date(),
         "total_minor": 2000, "lines": [{"product_id": sold.product, "amount_minor": 2000}],
         "allocations": [{"invoice_id": sold.invoice.id, "amount_minor": 1500}]},
        "tieout-cm1",
    )  # fmt: skip
    assert (memo.allocated_minor, memo.balance_minor, memo.status) == (1500, 500, "issued")
    back = sold.made(
        "refund",
        {"customer_id": sold.customer, "currency": "USD", "amount_minor": 500,
         "credit_note_id": memo.id, "refunded_at": sold.clock.now()},
        "tieout-r1",
    )  # fmt: skip
    assert (back.amount_minor, back.credit_note_id, back.status) == (500, memo.id, "succeeded")
    entry = sold.made(
        "journal_entry",
        {"posted_on": START.date(), "currency": "USD", "lines": [
            {"account": "6000", "debit_minor": 1}, {"account": "4000", "credit_minor": 1}]},
        "tieout-je1",
    )  # fmt: skip
    assert [line.account for line in entry.lines] == ["6000", "4000"]


def test_a_customers_address_and_name_are_written_and_changed(bench: Bench) -> None:
    made = bench.made(
        "customer",
        {"name": "Ada", "billing_address": {"line1": "1 Rue", "city": "Paris", "country": "FR"}},
        "tieout-a1",
    )
    assert (made.billing_address.city, made.billing_address.country) == ("Paris", "FR")
    body = bench.mapper.render("customer", {"name": "New", "email": None}, creating=False)
    changed = bench.mapper.parse_bytes(
        "customer", bench.ns.update("customer", made.id, body, key="k")
    )
    assert changed.name == "New" and changed.billing_address.city == "Paris"
    gone = bench.ns.archive("customer", made.id, key="k")
    assert bench.mapper.parse_bytes("customer", gone).status == "archived"


def test_the_same_key_makes_one_record(bench: Bench) -> None:
    first = bench.ns.create("customer", {"companyName": "Once"}, key="tieout-once")
    again = bench.ns.create("customer", {"companyName": "Once"}, key="TIEOUT-ONCE")
    assert json.loads(first)["internalId"] == json.loads(again)["internalId"]


def test_a_lost_create_is_found_and_not_made_twice(bench: Bench) -> None:
    lose(bench, "upsert")
    with pytest.raises(UnknownOutcome):
        bench.ns.create("customer", {"companyName": "Lost"}, key="tieout-lost")
    found = bench.ns.find("customer", "tieout-lost")
    again = bench.ns.create("customer", {"companyName": "Lost"}, key="tieout-lost")
    assert found is not None
    assert json.loads(again)["internalId"] == json.loads(found)["internalId"]
    assert bench.ns.find("customer", "tieout-never") is None


def lose(bench: Bench, operation: str) -> None:
    """The next call of it is carried out, but its answer breaks off in the middle."""
    send = bench.send

    def once(request: HttpRequest) -> HttpAnswer:
        answer = send(request)
        if operation in request.headers.get("SOAPAction", ""):
            object.__setattr__(bench.ports, "send", send)
            return HttpAnswer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        return answer

    object.__setattr__(bench.ports, "send", once)


def test_a_read_that_breaks_off_is_read_again(sold: Any) -> None:
    lose(sold, "search")
    assert list(sold.pulled("customer")) == [sold.customer]


def test_our_key_in_a_custom_field() -> None:
    ns = soap(key_field="custentity_stripe_id").ns
    made = ns.create("customer", {"companyName": "Ada"}, key="tieout-k1")
    assert "externalId" not in json.loads(made)
    found = ns.find("customer", "tieout-k1")
    assert found is not None and json.loads(found)["internalId"] == json.loads(made)["internalId"]


def test_two_customers_of_one_name_are_both_created(bench: Bench) -> None:
    made = [
        json.loads(bench.ns.create("customer", {"companyName": "Ada Ltd"}, key=key))
        for key in ("tieout-customer-1-aaaaaaaaaa", "tieout-customer-2-bbbbbbbbbb")
    ]
    assert [each["companyName"] for each in made] == ["Ada Ltd", "Ada Ltd"]
    assert made[0]["internalId"] != made[1]["internalId"]


def test_what_netsuite_refuses_is_told_in_its_words(sold: Any) -> None:
    line = {"item": {"id": sold.product}, "amount": 1}
    body = {"entity": {"id": sold.customer}, "currency": {"id": "999"}, "item": {"items": [line]}}
    with pytest.raises(InvalidRecord, match=r"INVALID_KEY_OR_REF: .*currency"):
        sold.ns.create("invoice", body, key="tieout-x")
    with pytest.raises(InvalidRecord, match="no field colour"):
        sold.ns.create("customer", {"companyName": "A", "colour": "red"}, key="tieout-y")


# Faults


def answer_once(bench: Bench, answer: HttpAnswer, times: int = 1) -> list[str]:
    """The next calls get this answer instead of the stand-in's."""
    send, seen = bench.send, []

    def instead(request: HttpRequest) -> HttpAnswer:
        seen.append(request.headers.get("SOAPAction", ""))
        return answer if len(seen) <= times else send(request)

    object.__setattr__(bench.ports, "send", instead)
    return seen


def fault(name: str, code: str, message: str) -> HttpAnswer:
    """As in samples/soap_fault_concurrent_requests.xml of the provider's own."""
    space = "urn:faults_2023_2.platform.webservices.netsuite.com"
    detail = f'<f:{name} xmlns:f="{space}"><f:code>{code}</f:code><f:message>{message}</f:message>'
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        "<soapenv:Body><soapenv:Fault><faultcode>soapenv:Server.userException</faultcode>"
        f"<faultstring>{message}</faultstring><detail>{detail}</f:{name}></detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return HttpAnswer(500, {"content-type": "text/xml; charset=utf-8"}, body.encode())


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS", AuthError),
        ("invalidSessionFault", "SESSION_TIMED_OUT", AuthError),
        ("insufficientPermissionFault", "INSUFFICIENT_PERMISSION", AuthError),
        ("invalidVersionFault", "INVALID_WS_VERSION", ConfigError),
        ("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED", ConfigError),
        ("unexpectedErrorFault", "UNEXPECTED_ERROR", ProviderDown),
    ],
)
def test_faults_of_a_read(bench: Bench, name: str, code: str, error: type[Exception]) -> None:
    answer_once(bench, fault(name, code, "In NetSuite's words."), times=99)
    with pytest.raises(error, match="In NetSuite's words"):
        bench.ns.get("customer", "1")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED"),
        ("exceededRequestLimitFault", "WS_CONCUR_SESSION_DISALLWD"),
    ],
)
def test_the_concurrency_limit_is_waited_out_also_by_writes(
    sold: Any, name: str, code: str
) -> None:
    answer_once(sold, fault(name, code, "Concurrent request limit exceeded."), times=3)
    sold.ns.archive("customer", sold.customer, key="k")
    assert sold.pulled("customer")[sold.customer].status == "archived"


def test_an_unexpected_error_on_a_write_is_an_unknown_outcome(sold: Any) -> None:
    answer_once(sold, fault("unexpectedErrorFault", "UNEXPECTED_ERROR", "Error ID: x"), times=99)
    with pytest.raises(UnknownOutcome):
        sold.ns.update("customer", sold.customer, {"companyName": "New"}, key="k")


def test_a_gateways_page_and_a_doctype_are_no_answers(sold: Any) -> None:
    send = sold.send
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope>&b;</Envelope>'
    for body, kind in ((b"<html>One moment</html>", "text/html"), (bomb, "text/xml")):
        answer_once(sold, HttpAnswer(200, {"content-type": kind}, body), times=99)
        with pytest.raises(UnknownOutcome):
            sold.ns.update("customer", sold.customer, {"companyName": "New"}, key="k")
        with pytest.raises(ProviderDown):
            sold.ns.get("customer", sold.customer)
        object.__setattr__(sold.ports, "send", send)


def test_every_attempt_has_a_passport_of_its_own(bench: Bench) -> None:
    sent: list[bytes] = []
    send = bench.send
    busy = fault("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED", "Busy")

    def record(request: HttpRequest) -> HttpAnswer:
        sent.append(request.body or b"")
        return busy if len(sent) < 3 else send(request)

    object.__setattr__(bench.ports, "send", record)
    assert bench.ns.get("customer", "1") is None
    assert len(sent) == 3 and len(set(sent)) == 3


def test_no_secret_is_in_any_message(bench: Bench) -> None:
    secrets = [bench.stand_in.keys.consumer_secret, bench.stand_in.keys.token_secret]
    answer_once(bench, fault("invalidCredentialsFault", "X", f"bad {secrets[0]}"), times=9)
    with pytest.raises(AuthError) as told:
        bench.ns.check()
    assert not any(secret in f"{told.value} {told.value.hint}" for secret in secrets)


def test_a_refused_search_is_no_bad_record(sold: Any) -> None:
    reading = sold.ns._soap._reading(KINDS["customer"])
    make = sold.ns._soap._client.make
    wrong = make("SearchStringField", operator="is", searchValue="x")
    with pytest.raises(ConfigError, match="INVALID_SEARCH_FIELD_NAME"):
        reading.find({"url": wrong})


def test_each_call_of_a_pull_may_fail_once(sold: Any) -> None:
    """Whichever call is cut off, refused or answered by a gateway: the records are the same."""
    pay(sold, 6000, 5000)
    sold.made(
        "credit_note",
        {"customer_id": sold.customer, "currency": "USD", "total_minor": 100,
         "lines": [{"product_id": sold.product, "amount_minor": 100}]},
        "tieout-cm",
    )  # fmt: skip
    send = sold.send
    calm = {entity: sold.pulled(entity) for entity in ("invoice", "payment", "credit_note")}
    failures: list[Any] = [
        fault("exceededConcurrentRequestLimitFault", "WS_REQUEST_BLOCKED", "Busy"),
        fault("unexpectedErrorFault", "UNEXPECTED_ERROR", "Error ID: x"),
        HttpAnswer(503, {"content-type": "text/html"}, b"<html>Maintenance</html>"),
        HttpAnswer(200, {"content-type": "text/xml"}, b"<soapenv:Envelope xmlns:soapenv="),
        AnswerLost("gone"),
        NotSent("refused"),
    ]
    for failure in failures:
        for failing in range(1, 4):
            calls = 0

            def once(request: HttpRequest, failing: int = failing, failure: Any = failure) -> Any:
                nonlocal calls
                calls += 1
                if calls == failing:
                    if isinstance(failure, Exception):
                        raise failure
                    return failure
                return send(request)

            object.__setattr__(sold.ports, "send", once)
            for entity, expected in calm.items():
                calls = 0
                assert sold.pulled(entity) == expected, (failure, failing)


@pytest.mark.parametrize("failing", range(1, 7))
@pytest.mark.parametrize("how", ["before", "after"])
def test_a_create_that_is_cut_off_at_any_call_makes_one_record(
    sold: Any, failing: int, how: str
) -> None:
    send, calls = sold.send, 0

    def cut(request: HttpRequest) -> HttpAnswer:
        nonlocal calls
        calls += 1
        if calls != failing:
            return send(request)
        if how == "after":
            send(request)
        raise AnswerLost("the connection broke")

    object.__setattr__(sold.ports, "send", cut)
    line = {"item": {"id": sold.product}, "amount": 5}
    body = {"entity": {"id": sold.customer}, "tranId": "ONE", "item": {"items": [line]}}
    made = None
    for _ in range(3):
        try:
            made = sold.ns.create("invoice", body, key="tieout-one")
            break
        except UnknownOutcome:
            found = sold.ns.find("invoice", "tieout-one")
            assert found is None or json.loads(found)["tranId"] == "ONE"
    assert made is not None and json.loads(made)["total"] == 5
    numbers = [record.number for record in sold.pulled("invoice").values()]
    assert sorted(numbers) == ["A-1", "ONE"]


# Check and prove


def test_check_names_each_missing_permission() -> None:
    bench = soap()
    assert bench.ns.check().problems == ()
    bench.clock.move(1)
    bench.stand_in.soap.hidden = frozenset({"customer", "account", "deletedRecord"})
    told = "\n".join(soap(bench.stand_in).ns.check().problems)
    assert "customer: INSUFFICIENT_PERMISSION" in told and "Lists > Customers" in told
    assert "Lists > Accounts" in told and "Setup > Deleted Records" in told


def test_a_wrong_key_is_an_auth_error() -> None:
    with pytest.raises(AuthError, match="Invalid login"):
        soap(token_secret="wrong").ns.check()


def test_proofs_of_a_pull(sold: Any) -> None:
    pay(sold, 100, 100)
    sold.clock.move(60)
    began = sold.clock.now()
    sold.clock.move(60)
    sold.made("customer", {"name": "Later"}, "tieout-later")
    full = list(sold.ns.prove("customer", Window(None, began)))
    count = next(each for each in full if each.method is Method.COUNT)
    assert (count.count, count.bound) == (1, began)
    ids = [each for each in full if each.method is Method.IDS]
    assert {id for each in ids for id in each.ids} == {sold.customer}
    assert [each.whole for each in ids] == [False, True]
    window = list(sold.ns.prove("payment", Window(began - timedelta(days=1), began)))
    assert [each.method for each in window] == [Method.OVERLAP, Method.COUNT]
    assert window[1].count == 1


# The WSDL


@pytest.mark.parametrize("wsdl", ["", "/nowhere/netsuite.wsdl"])
def test_without_a_wsdl_it_says_where_to_get_one(wsdl: str) -> None:
    with pytest.raises((ValidationError, ConfigError)) as told:
        soap(wsdl=wsdl)
    assert "wsdl" in str(told.value) + getattr(told.value, "hint", "")
    assert "docs/providers/netsuite.md" in str(told.value) + getattr(told.value, "hint", "")


def test_a_wsdl_from_a_folder_a_file_and_a_zip(tmp_path: Path) -> None:
    import tarfile
    import zipfile

    with tarfile.open(WSDL) as archive:
        archive.extractall(tmp_path / "wsdl", filter="data")
    with zipfile.ZipFile(tmp_path / "wsdl.zip", "w") as packed:
        for each in sorted((tmp_path / "wsdl").rglob("*.*")):
            packed.write(each, f"2023_2/{each.relative_to(tmp_path / 'wsdl')}")
    for place in ("wsdl", "wsdl/netsuite.wsdl", "wsdl.zip"):
        assert soap(wsdl=str(tmp_path / place)).ns.get("customer", "1") is None


def test_oracles_own_files_import_each_other_by_address(tmp_path: Path) -> None:
    """As downloaded: https addresses in every import, and whatever names the files were given."""
    import re
    import tarfile

    with tarfile.open(WSDL) as archive:
        archive.extractall(tmp_path / "packed", filter="data")
    (tmp_path / "flat").mkdir()
    for number, each in enumerate(sorted((tmp_path / "packed").rglob("*.*sd*"))):
        if each.is_dir():
            continue
        text = re.sub(
            r'schemaLocation="[^"]*?([\w.]+\.xsd)"',
            r'schemaLocation="https://webservices.netsuite.com/xsd/v2023_2_0/\1"',
            each.read_text(),
        )
        name = "netsuite.wsdl" if each.suffix == ".wsdl" else f"{number}.xsd"
        (tmp_path / "flat" / name).write_text(text)
    assert soap(wsdl=str(tmp_path / "flat")).ns.get("customer", "1") is None


def test_a_newer_wsdl_calls_the_newer_endpoint(tmp_path: Path) -> None:
    """2025.2 has the same elements for these records: its files differ in the version's name."""
    import tarfile

    with tarfile.open(WSDL) as archive:
        archive.extractall(tmp_path, filter="data")
    for each in tmp_path.rglob("*.*"):
        if each.is_file():
            each.write_text(each.read_text().replace("2023_2", "2025_2"))
    bench = soap(wsdl=str(tmp_path))
    asked = answer_once(bench, HttpAnswer(500, {}, b""), times=0)
    made = bench.made("customer", {"name": "Ada"}, "tieout-ada")
    assert bench.pulled("customer")[made.id].name == "Ada"
    assert bench.ns._soap._client.wsdl.version == "2025_2" and '"upsert"' in asked


def test_an_amount_is_exact_beyond_what_a_float_holds() -> None:
    """2^53 + 1 cents."""
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    invoice = next(body for type, body in odd_company() if body["id"] == "1002")
    big = Decimal("90071992547409.93")
    lines = {"items": [{"line": 1, "item": {"id": "300"}, "amount": big}]}
    more = {"total": big, "subtotal": big, "item": lines, "amountRemaining": big}
    stand_in.load([("invoice", {**invoice, **more, "status": {"id": "Open"}})])
    found = soap(stand_in).pulled("invoice")["1002"]
    assert (found.total_minor, found.lines[0].amount_minor) == (9007199254740993,) * 2


def test_what_is_no_wsdl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tgz").write_text("no archive")
    (tmp_path / "other.wsdl").write_text("<definitions/>")
    for name in ("empty", "text.tgz", "other.wsdl"):
        with pytest.raises(ConfigError, match="WSDL"):
            soap(wsdl=str(tmp_path / name))


def test_a_wsdl_that_points_to_the_network_is_refused(tmp_path: Path) -> None:
    text = (
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" '
        'targetNamespace="urn:platform_2023_2.webservices.netsuite.com">'
        '<import namespace="x" location="http://127.0.0.1:9/evil.wsdl"/></definitions>'
    )
    (tmp_path / "netsuite.wsdl").write_text(text)
    with pytest.raises(ConfigError):
        soap(wsdl=str(tmp_path))


def test_soap_needs_token_based_authentication() -> None:
    with pytest.raises(ValidationError, match="transport soap needs"):
        NetSuiteConfig(
            account="1234567", transport="soap", client_id="a", certificate_id="b",
            private_key="c", wsdl="x",
        )  # fmt: skip
    assert NetSuite.Config is NetSuiteConfig
