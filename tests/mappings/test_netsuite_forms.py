"""One NetSuite record in three forms gives one canonical record; the money is done by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tieout.core.errors import InvalidRecord
from tieout.mappings import Mapper, load_mapping
from tieout.mappings.netsuite_forms import read_payload

LOOKUPS = {"currency": {"1": "USD", "2": "JPY"}}


def mapper(**more: Any) -> Mapper:
    return load_mapping("netsuite").compile(
        system="ns", timezone="America/Los_Angeles", **{"lookups": LOOKUPS, **more}
    )


def parse(entity: str, raw: dict[str, Any], **more: Any) -> Any:
    exact = json.loads(json.dumps(raw), parse_float=Decimal)
    return mapper(**more).parse(entity, exact)


# 2 x 50.00 + 30.00, less 13.00 at the foot, plus 5.00 shipping and 9.76 tax:
# 130 + 5 = 135 subtotal, 135 - 13 + 9.76 = 131.76.
REST_INVOICE: dict[str, Any] = {
    "id": "1234",
    "tranId": "INV-7",
    "entity": {"id": "220", "refName": "ACME"},
    "currency": {"id": "1", "refName": "US Dollar"},
    "tranDate": "2026-01-31",
    "dueDate": "2026-03-02",
    "createdDate": "2026-01-31T18:00:00Z",
    "lastModifiedDate": "2026-02-01T09:30:00Z",
    "status": {"id": "Open", "refName": "Open"},
    "memo": "January",
    "subtotal": 130.0,
    "discountTotal": -13.0,
    "shippingCost": 5.0,
    "taxTotal": 9.76,
    "total": 131.76,
    "amountPaid": 0.0,
    "amountRemaining": 131.76,
    "billAddressList": {"id": "9", "refName": "HQ"},
    "custbody_region": {"id": "3", "refName": "West"},
    "item": {
        "items": [
            {
                "line": 1,
                "item": {"id": "7", "refName": "Seat"},
                "quantity": 2.0,
                "rate": 50.0,
                "amount": 100.0,
                "description": "seats",
            },
            {"line": 2, "item": {"id": "8"}, "quantity": 1, "rate": 30.0, "amount": 30.0},
            {"line": 3, "item": {"id": "-2"}, "itemType": {"id": "Subtotal"}, "amount": 130.0},
        ]
    },
}
ROW_INVOICE: dict[str, Any] = {
    "id": "1234",
    "type": "CustInvc",
    "tranid": "INV-7",
    "entity": "220",
    "currency": "1",
    "currencycode": "USD",
    "exchangerate": "1.25",
    "trandate": "2026-01-31",
    "duedate": "3/2/2026",
    "createddate": "2026-01-31 10:00:00",
    "lastmodifieddate": "2026-02-01 1:30:00",
    "status": "A",
    "statusname": "Invoice : Open",
    "memo": "January",
    "foreigntotal": "131.76",
    "foreignamountunpaid": "131.76",
    "custbody_region": "3",
    "applications": [],
    "lines": [
        {"id": "0", "mainline": "T", "taxline": "F", "foreignamount": "131.76"},
        {
            "id": "1",
            "mainline": "F",
            "taxline": "F",
            "item": "7",
            "quantity": "-2",
            "rate": "50",
            "foreignamount": "-100",
            "memo": "seats",
        },
        {
            "id": "2",
            "mainline": "F",
            "item": "8",
            "quantity": "-1",
            "rate": "30",
            "foreignamount": "-30",
        },
        {"id": "3", "mainline": "F", "itemtype": "Subtotal", "foreignamount": "-130"},
        {"id": "4", "mainline": "F", "iscogs": "T", "foreignamount": "12"},
        {"id": "5", "mainline": "F", "itemtype": "Discount", "transactiondiscount": "T",
         "foreignamount": "13"},
        {"id": "6", "mainline": "F", "itemtype": "ShipItem", "foreignamount": "-5"},
        {"id": "7", "mainline": "F", "taxline": "T", "foreignamount": "-9.76"},
    ],
}  # fmt: skip
SOAP_INVOICE: dict[str, Any] = {
    "internalId": "1234",
    "tranId": "INV-7",
    "entity": {"internalId": "220", "name": "ACME", "externalId": None, "type": None},
    "currency": {"internalId": "1", "name": "US Dollar"},
    "tranDate": "2026-01-31T00:00:00.000-08:00",
    "dueDate": "2026-03-02T08:00:00Z",
    "createdDate": "2026-01-31T10:00:00.000-08:00",
    "lastModifiedDate": "2026-02-01T01:30:00.000-08:00",
    "status": "Open",
    "memo": "January",
    "subTotal": 130.0,
    "discountTotal": -13.0,
    "shippingCost": 5.0,
    "taxTotal": 9.76,
    "total": 131.76,
    "amountPaid": 0.0,
    "amountRemaining": 131.76,
    "customFieldList": {
        "customField": [{"scriptId": "custbody_region", "value": {"internalId": "3"}}]
    },
    "itemList": {
        "item": [
            {"line": 1, "item": {"internalId": "7"}, "quantity": 2.0, "rate": "50.00",
             "amount": 100.0, "description": "seats"},
            {"line": 2, "item": {"internalId": "8"}, "quantity": 1.0, "rate": "30.00",
             "amount": 30.0},
        ],
        "replaceAll": True,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "raw", [REST_INVOICE, ROW_INVOICE, SOAP_INVOICE], ids=["rest", "row", "soap"]
)
def test_an_invoice_is_the_same_in_all_forms(raw: dict[str, Any]) -> None:
    # Without TO_CHAR 3/2/2026 could be the 3rd of February: the option says it is not.
    found = parse("invoice", raw, options={"date_format": "MDY"})
    assert (found.id, found.number, found.customer_id, found.status) == (
        "1234",
        "INV-7",
        "220",
        "open",
    )
    assert (found.issued_on, found.due_on) == (date(2026, 1, 31), date(2026, 3, 2))
    assert found.created_at == datetime(2026, 1, 31, 18, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
    money = (found.subtotal_minor, found.discount_minor, found.tax_minor, found.total_minor)
    assert money == (13500, 1300, 976, 13176)
    assert (found.paid_minor, found.credited_minor, found.balance_minor) == (0, 0, 13176)
    told = [
        (li.id, li.product_id, li.quantity, li.unit_amount, li.amount_minor) for li in found.lines
    ]
    assert told == [
        ("1", "7", "2", "50", 10000),
        ("2", "8", "1", "30", 3000),
        ("shipping", None, None, None, 500),
    ]
    assert found.lines[0].description == "seats" and found.memo == "January"
    assert found.custom == {"custbody_region": "3"}


def test_payments_and_credits_are_told_apart_by_their_links() -> None:
    links = [
        {"previousdoc": "1234", "nextdoc": "9", "nexttype": "CustPymt", "linktype": "Payment",
         "foreignamount": "60"},
        {"previousdoc": "1234", "nextdoc": "9", "nexttype": "CustPymt", "linktype": "Payment",
         "foreignamount": "-1.76"},
        {"previousdoc": "1234", "nextdoc": "10", "nexttype": "CustCred", "linktype": "Payment",
         "foreignamount": "30"},
        {"previousdoc": "1234", "nextdoc": "11", "nexttype": "DepAppl", "linktype": "Payment",
         "foreignamount": "15"},
        {"previousdoc": "1234", "nextdoc": "12", "nexttype": "Journal", "linktype": "Payment",
         "foreignamount": "5"},
        {"previousdoc": "44", "nextdoc": "1234", "previoustype": "SalesOrd",
         "nexttype": "CustInvc", "linktype": "OrdBill", "foreignamount": "131.76"},
    ]  # fmt: skip
    raw = {**ROW_INVOICE, "applications": links, "foreignamountunpaid": "20", "duedate": ""}
    found = parse("invoice", raw)
    # Paid: 60 + 1.76 by payment, 15 by deposit; credited: 30 memo, 5 journal; 131.76 - 111.76 = 20.
    assert (found.paid_minor, found.credited_minor, found.balance_minor) == (7676, 3500, 2000)


def test_without_links_a_partly_paid_invoice_says_neither_paid_nor_credited() -> None:
    found = parse("invoice", {**REST_INVOICE, "amountPaid": 31.76, "amountRemaining": 100.0})
    assert (found.paid_minor, found.credited_minor, found.balance_minor) == (None, None, 10000)


def test_a_base_currency_amount_is_not_taken_for_the_documents() -> None:
    row = {name: value for name, value in ROW_INVOICE.items() if name != "foreigntotal"}
    with pytest.raises(InvalidRecord, match="base currency only"):
        parse("invoice", {**row, "total": "105.41", "duedate": ""})


def test_a_day_that_could_be_a_month_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="day first or month first") as caught:
        parse("invoice", ROW_INVOICE)
    assert "TO_CHAR" in caught.value.hint
    assert parse("invoice", {**ROW_INVOICE, "duedate": "2/13/2026"}).due_on == date(2026, 2, 13)
    assert parse("invoice", {**ROW_INVOICE, "duedate": "13.02.2026"}).due_on == date(2026, 2, 13)


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ({"id": "B", "refName": "Paid In Full"}, "paid"),
        ({"id": "paidInFull"}, "paid"),
        ("CustInvc:V", "void"),
        ({"refName": "Pending Approval"}, "draft"),
        ({"id": "A", "refName": "Offen"}, "open"),  # another language: the letter decides
    ],
)
def test_invoice_statuses(status: Any, ours: str) -> None:
    assert parse("invoice", {**REST_INVOICE, "status": status}).status == ours


def test_an_unknown_status_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRecord) as caught:
        parse("invoice", {**REST_INVOICE, "status": {"id": "Frozen"}})
    assert caught.value.where == "invoice 1234, field status"
    assert "paidinfull" in caught.value.hint


def test_a_voided_row_is_void_whatever_its_letter() -> None:
    row = {**ROW_INVOICE, "status": "B", "statusname": "Invoice : Paid In Full", "voided": "T"}
    assert parse("invoice", {**row, "duedate": ""}).status == "void"


def test_credit_memo_forms_and_status_by_money() -> None:
    rest = {
        "id": "55",
        "tranId": "CM-1",
        "entity": {"id": "220"},
        "currency": {"id": "2", "refName": "Yen"},
        "tranDate": "2026-02-10",
        "createdFrom": {"id": "1234", "refName": "Invoice #INV-7"},
        "memo": "returned",
        "status": {"id": "Fully Applied", "refName": "Fully Applied"},
        "subtotal": 1000,
        "taxTotal": 100,
        "total": 1100,
        "applied": 1100,
        "unapplied": 0,
        "item": {"items": [{"line": 1, "item": {"id": "7"}, "quantity": 1, "amount": 1000}]},
        "apply": {"items": [
            {"doc": {"id": "1234"}, "type": "Invoice", "apply": True, "amount": 900},
            {"doc": {"id": "1300"}, "type": "Invoice", "apply": False, "amount": 0},
        ]},
    }  # fmt: skip
    row = {
        "id": "55",
        "type": "CustCred",
        "tranid": "CM-1",
        "entity": "220",
        "currency": "2",
        "trandate": "2026-02-10",
        "memo": "returned",
        "status": "B",
        "statusname": "Credit Memo : Fully Applied",
        "foreigntotal": "-1100",
        "lines": [
            {"id": "0", "mainline": "T", "foreignamount": "-1100", "createdfrom": "1234"},
            {"id": "1", "mainline": "F", "item": "7", "quantity": "1", "foreignamount": "1000"},
            {"id": "2", "mainline": "F", "taxline": "T", "foreignamount": "100"},
        ],
        "applications": [
            {"previousdoc": "1234", "previoustype": "CustInvc", "nextdoc": "55",
             "nexttype": "CustCred", "foreignamount": "900", "linktype": "Payment"},
            {"previousdoc": "55", "previoustype": "CustCred", "nextdoc": "77",
             "nexttype": "CustRfnd", "foreignamount": "200", "linktype": "Payment"},
        ],
    }  # fmt: skip
    for raw in (rest, row):
        found = parse("credit_note", raw)
        assert (found.number, found.invoice_id, found.currency) == ("CM-1", "1234", "JPY")
        # Yen have no decimals: 1000 + 100 tax; 900 on the invoice, the other 200 paid back.
        assert (found.subtotal_minor, found.tax_minor, found.total_minor) == (1000, 100, 1100)
        assert (found.allocated_minor, found.refunded_minor, found.balance_minor) == (900, 200, 0)
        assert found.status == "refunded" and found.reason == "returned"
        assert [(a.invoice_id, a.amount_minor) for a in found.allocations] == [("1234", 900)]
        assert [(li.id, li.quantity, li.amount_minor) for li in found.lines] == [("1", "1", 1000)]


def test_payment_forms() -> None:
    rest = {
        "id": "9",
        "customer": {"id": "220"},
        "payment": 250.0,
        "currency": {"id": "1"},
        "tranDate": "2026-02-03",
        "tranId": "PYMT9",
        "checkNum": "10045",
        "paymentOption": {"id": "2", "refName": "Visa"},
        "status": {"id": "Deposited", "refName": "Deposited"},
        "apply": {"items": [
            {"doc": {"id": "104"}, "type": "Invoice", "apply": True, "amount": 200.0},
            {"doc": {"id": "105"}, "type": "Journal", "apply": True, "amount": 50.0},
        ]},
    }  # fmt: skip
    row = {
        "id": "9",
        "type": "CustPymt",
        "entity": "220",
        "foreigntotal": "-250",
        "currencycode": "USD",
        "trandate": "2026-02-03",
        "tranid": "PYMT9",
        "otherrefnum": "10045",
        "paymentmethodname": "Visa",
        "status": "C",
        "statusname": "Payment : Deposited",
        "applications": [
            {"previousdoc": "104", "previoustype": "CustInvc", "nextdoc": "9",
             "nexttype": "CustPymt", "foreignamount": "200", "linktype": "Payment"},
            {"previousdoc": "105", "previoustype": "Journal", "nextdoc": "9",
             "nexttype": "CustPymt", "foreignamount": "50", "linktype": "Payment"},
        ],
    }  # fmt: skip
    for raw in (rest, row):
        found = parse("payment", raw)
        assert (found.customer_id, found.currency, found.amount_minor) == ("220", "USD", 25000)
        assert (found.status, found.method, found.reference) == ("succeeded", "card", "10045")
        # A date is the midnight at which that day begins in the account's zone.
        assert found.received_at == datetime(2026, 2, 3, 8, tzinfo=UTC)
        assert [(a.invoice_id, a.amount_minor) for a in found.allocations] == [("104", 20000)]
    assert parse("payment", row).refunded_minor == 0
    assert parse("payment", rest).refunded_minor is None


def test_refund_names_what_it_pays_back() -> None:
    rest = {
        "id": "77",
        "customer": {"id": "220"},
        "total": 20.0,
        "currency": {"id": "1"},
        "tranDate": "2026-02-11",
        "memo": "returned",
        "status": {"refName": "Voided"},
        "apply": {
            "items": [{"doc": {"id": "55"}, "type": "Credit Memo", "apply": True, "amount": 20}]
        },
    }
    row = {
        "id": "77", "type": "CustRfnd", "entity": "220", "foreigntotal": "-20",
        "currencycode": "USD", "trandate": "2026-02-11", "memo": "returned", "status": "V",
        "applications": [{"previousdoc": "55", "previoustype": "CustCred", "nextdoc": "77",
                          "nexttype": "CustRfnd", "foreignamount": "20"}],
    }  # fmt: skip
    for raw in (rest, row):
        found = parse("refund", raw)
        assert (found.amount_minor, found.credit_note_id, found.payment_id) == (2000, "55", None)
        assert (found.status, found.reason) == ("canceled", "returned")
        assert found.refunded_at == datetime(2026, 2, 11, 8, tzinfo=UTC)


def test_deposit_is_a_payout_whose_lines_sum_up() -> None:
    rest = {
        "id": "300",
        "total": 95.5,
        "currency": {"id": "1"},
        "tranDate": "2026-02-05",
        "memo": "po_123",
        "payment": {"items": [
            {"id": {"id": "9"}, "deposit": True, "type": "Payment", "transactionAmount": 120.0},
            {"id": {"id": "77"}, "deposit": True, "type": "Customer Refund",
             "transactionAmount": -20.0},
        ]},
        "other": {"items": [{"line": 1, "account": {"id": "6"}, "amount": -4.5}]},
    }  # fmt: skip
    row = {
        "id": "300", "type": "Deposit", "foreigntotal": "95.5", "currencycode": "USD",
        "trandate": "2026-02-05", "memo": "po_123",
        "lines": [
            {"id": "0", "mainline": "T", "foreignamount": "95.5"},
            {"id": "1", "mainline": "F", "foreignamount": "-120"},
            {"id": "2", "mainline": "F", "foreignamount": "20"},
            {"id": "3", "mainline": "F", "foreignamount": "4.5"},
        ],
        "applications": [
            {"previousdoc": "9", "previoustype": "CustPymt", "nextdoc": "300", "nextline": "1"},
            {"previousdoc": "77", "previoustype": "CustRfnd", "nextdoc": "300", "nextline": "2"},
        ],
    }  # fmt: skip
    for raw in (rest, row):
        found = parse("payout", raw)
        assert (found.amount_minor, found.status, found.reference) == (9550, "paid", "po_123")
        assert found.arrives_on == date(2026, 2, 5)
        assert [(li.kind, li.source_id, li.net_minor) for li in found.lines] == [
            ("charge", "9", 12000),
            ("refund", "77", -2000),
            ("fee", None, -450),
        ]


def test_journal_forms() -> None:
    rest = {
        "id": "6",
        "tranId": "JE1",
        "tranDate": "2026-01-31",
        "currency": {"id": "1"},
        "subsidiary": {"id": "1"},
        "memo": "fees",
        "line": {"items": [
            {"line": 1, "account": {"id": "58", "refName": "6000 Bank : 6010 Card Fees"},
             "debit": 187.5, "memo": "January"},
            {"line": 2, "account": {"id": "4", "refName": "Petty Cash"}, "credit": 187.5,
             "entity": {"id": "220", "type": "customer"}},
        ]},
    }  # fmt: skip
    row = {
        "id": "6", "type": "Journal", "tranid": "JE1", "trandate": "2026-01-31",
        "currencycode": "USD", "memo": "fees",
        "lines": [
            {"id": "0", "subsidiary": "1", "account": "58", "acctnumber": "6010",
             "accountname": "Bank : Card Fees", "foreignamount": "187.5", "memo": "January"},
            {"id": "1", "account": "4", "accountname": "Petty Cash", "foreignamount": "-187.5",
             "entity": "220", "entitytype": "CustJob"},
        ],
    }  # fmt: skip
    for raw in (rest, row):
        found = parse("journal_entry", raw)
        assert (found.number, found.posted_on, found.subsidiary) == ("JE1", date(2026, 1, 31), "1")
        told = [
            (li.id, li.account, li.debit_minor, li.credit_minor, li.customer_id)
            for li in found.lines
        ]
        assert told == [
            ("1", "6010", 18750, None, None),
            ("2", "Petty Cash", None, 18750, "220"),
        ]


def test_customer_forms() -> None:
    rest = {
        "id": "220",
        "companyName": "ACME",
        "isPerson": False,
        "email": "a@example.com",
        "currency": {"id": "1"},
        "terms": {"id": "2", "refName": "Net 30"},
        "balance": 12.5,
        "isInactive": True,
        "parent": {"id": "219"},
        "vatRegNumber": "DE1",
        "addressBook": {"items": [{
            "defaultBilling": True, "defaultShipping": False, "internalId": 5,
            "addressBookAddress": {"addr1": "1 Main", "addr2": "Floor 2", "addr3": "Left",
                                   "city": "Ulm", "zip": "89073", "country": {"id": "DE"}}}]},
    }  # fmt: skip
    row = {
        "id": "220", "companyname": "ACME", "isperson": "F", "email": "a@example.com",
        "currency": "1", "terms": "2", "termdays": "30", "balancesearch": "12.5",
        "isinactive": "T", "parent": "219", "vatregnumber": "DE1",
        "addresses": [{"defaultbilling": "T", "defaultshipping": "F", "addr1": "1 Main",
                       "addr2": "Floor 2", "addr3": "Left", "city": "Ulm", "zip": "89073",
                       "country": "DE"}],
    }  # fmt: skip
    soap = {
        "internalId": "220", "companyName": "ACME", "isPerson": False, "email": "a@example.com",
        "currency": {"internalId": "1"}, "terms": {"internalId": "2", "name": "Net 30"},
        "balance": 12.5, "isInactive": True, "parent": {"internalId": "219"},
        "vatRegNumber": "DE1",
        "addressbookList": {"addressbook": [{
            "defaultBilling": True, "defaultShipping": False,
            "addressbookAddress": {"addr1": "1 Main", "addr2": "Floor 2", "addr3": "Left",
                                   "city": "Ulm", "zip": "89073", "country": "_germany"}}]},
    }  # fmt: skip
    for raw in (rest, row, soap):
        found = parse("customer", raw)
        assert (found.name, found.status, found.parent_id) == ("ACME", "archived", "219")
        assert (found.payment_terms_days, found.receivable_minor) == (30, 1250)
        assert found.tax_id == "DE1" and found.shipping_address is None
        address = found.billing_address
        assert (address.line1, address.line2) == ("1 Main", "Floor 2, Left")
        assert (address.city, address.postal_code, address.country) == ("Ulm", "89073", "DE")


@pytest.mark.parametrize(
    "table",
    [
        {"1": "USD"},
        {"1": {"symbol": "USD", "name": "US Dollar"}},
        [{"id": "1", "symbol": "USD"}],
        {"items": [{"id": 1, "symbol": "usd"}]},
    ],
)
def test_lookup_tables_may_be_tables_or_rows(table: Any) -> None:
    row = {"id": "1", "currency": "1", "balancesearch": "3"}
    assert parse("customer", row, lookups={"currency": table}).currency == "USD"


def test_a_currency_that_the_lookups_lack_is_refused_even_with_a_default() -> None:
    with pytest.raises(InvalidRecord, match="NetSuite's own id"):
        parse("customer", {"id": "1", "currency": "9"}, currency="USD")
    assert (
        parse("customer", {"id": "1", "currency": "9"}, currency="EUR", lookups={}).currency
        == "EUR"
    )


def test_more_decimals_than_the_currency_has_are_refused() -> None:
    with pytest.raises(InvalidRecord, match="more decimals"):
        parse("invoice", {**REST_INVOICE, "currency": {"id": "2"}})


def test_an_overlay_reads_custom_and_header_fields(tmp_path: Any) -> None:
    overlay = tmp_path / "own.yaml"
    overlay.write_text(
        "invoice:\n  external_ids: {stripe: custbody_stripe_id}\n"
        "  custom: {po: header.otherrefnum}\n"
    )
    mapping = load_mapping("netsuite", [overlay])
    use = mapping.compile(system="ns", timezone="UTC", lookups=LOOKUPS)
    for raw in (
        {"id": "1", "custbody_stripe_id": "in_1", "otherRefNum": "PO 5", "currency": {"id": "1"}},
        {"id": "1", "custbody_stripe_id": "in_1", "otherrefnum": "PO 5", "currency": "1"},
    ):
        found = use.parse("invoice", raw)
        assert found.external_ids == {"stripe": "in_1"}
        assert found.custom["po"] == "PO 5"


def test_our_key_is_told_from_other_external_ids() -> None:
    ours = parse("customer", {"id": "1", "externalId": "tieout-customer-s-1", "isPerson": False})
    assert ours.external_ids == {"tieout": "tieout-customer-s-1"}
    field = {"id": "1", "externalid": "celigo-5", "custentity_tieout_id": "tieout-customer-s-1"}
    found = parse("customer", field, options={"key_field": "custentity_tieout_id"})
    assert found.external_ids == {"tieout": "tieout-customer-s-1", "external": "celigo-5"}


@pytest.mark.parametrize(
    "body",
    [
        b"<a><b></a>",
        b"not json",
        b"[1]",
        b"[]",
        b'{"items": []}',
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    ],
)
def test_unreadable_payloads_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRecord):
        read_payload(body)


@pytest.mark.parametrize("entity", load_mapping("netsuite").entities)
@pytest.mark.parametrize(
    "raw",
    [{}, {"id": {}}, {"id": "1", "item": {"items": [1, None]}}, {"id": "1", "lines": "x"},
     {"id": ["1"]}, {"id": "1", "total": "NaN"}, {"id": "1", "trandate": 5},
     {"id": "1", "apply": {"items": [{"doc": 1, "amount": "x"}]}}],
)  # fmt: skip
def test_malformed_records_never_crash(entity: str, raw: dict[str, Any]) -> None:
    try:
        parse(entity, raw, currency="USD")
    except InvalidRecord as error:
        assert error.message


def test_the_links_of_a_suiteql_answer_are_not_applications() -> None:
    """Every row of a REST answer has an empty `links`; who paid is then not told."""
    row = {
        "links": [], "id": "5", "type": "CustInvc", "currency": "1", "status": "A",
        "foreigntotal": "110", "foreignamountpaid": "50", "foreignamountunpaid": "60",
    }  # fmt: skip
    record = parse("invoice", row)
    assert (record.total_minor, record.balance_minor) == (11000, 6000)
    assert (record.paid_minor, record.credited_minor) == (None, None)
    payment = parse("payment", {**row, "type": "CustPymt", "statusname": "Payment : Deposited"})
    assert payment.refunded_minor is None


@pytest.mark.parametrize(
    ("terms", "days"),
    [("Net 30", 30), ("2/10 Net 45", 45), ("Net 30 EOM", None), ("2% 10th Prox", None)],
)
def test_terms_that_depend_on_the_month_are_no_number_of_days(terms: str, days: int | None) -> None:
    raw = {"id": "8", "companyName": "X", "terms": {"id": "9", "refName": terms}}
    assert parse("customer", raw).payment_terms_days == days


def test_a_sum_that_no_ledger_holds_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="no sensible amount"):
        parse("invoice", {**REST_INVOICE, "total": 10**30})


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("_unitedKingdom", "GB"),
        ("_koreaTheRepublicOf", "KR"),
        ("_russianFederation", "RU"),
        ("_virginIslandsUS", "VI"),
        ("_canaryIslands", None),  # no country in ISO 3166-1
    ],
)
def test_countries_in_the_words_of_soap(word: str, code: str | None) -> None:
    held = {"defaultBilling": True, "addressbookAddress": {"country": word, "city": "X"}}
    raw = {"internalId": "8", "companyName": "X", "addressbookList": {"addressbook": [held]}}
    assert parse("customer", raw).billing_address.country == code


def test_links_joined_to_a_soap_record_tell_who_paid_and_who_credited() -> None:
    """110.00: 60.00 were paid, 20.00 credited and 10.00 settled by a journal; 20.00 are open."""
    link = {"previousdoc": "1234", "previoustype": "CustInvc", "linktype": "Payment"}
    raw = {
        "recordType": "Invoice",
        "internalId": "1234",
        "currency": {"internalId": "1", "name": "USA"},
        "currencyCode": "USD",
        "status": "Open",
        "total": Decimal("110.0"),
        "amountPaid": Decimal("90.0"),
        "amountRemaining": Decimal("20.0"),
        "applications": [
            {**link, "nextdoc": "1301", "nexttype": "CustPymt", "foreignamount": "60"},
            {**link, "nextdoc": "1302", "nexttype": "CustCred", "foreignamount": "20.0"},
            {**link, "nextdoc": "1303", "nexttype": "Journal", "foreignamount": "1E+1"},
        ],
    }
    found = mapper(lookups={}).parse("invoice", raw)
    assert (found.paid_minor, found.credited_minor, found.balance_minor) == (6000, 3000, 2000)
    payment = {
        "recordType": "CustomerPayment",
        "internalId": "1301",
        "currencyCode": "USD",
        "payment": Decimal(80),
        "applications": [
            {**link, "nextdoc": "1301", "nexttype": "CustPymt", "foreignamount": "60"},
            {"previousdoc": "1301", "previoustype": "CustPymt", "nextdoc": "1400",
             "nexttype": "CustRfnd", "linktype": "Payment", "foreignamount": "15"},
        ],
    }  # fmt: skip
    paid = mapper(lookups={}).parse("payment", payment)
    assert paid.refunded_minor == 1500
    assert [(each.invoice_id, each.amount_minor) for each in paid.allocations] == [("1234", 6000)]


@pytest.mark.parametrize(
    ("told", "language"),
    [
        ("_englishUS", "en-US"),
        ("_portugueseBrazil", "pt-BR"),
        ("_latinAmericanSpanish", "es-AR"),
        ("de_DE", "de-DE"),
    ],
)
def test_languages_in_the_words_of_soap(told: str, language: str) -> None:
    raw = {"internalId": "5", "companyName": "Ada", "language": told}
    assert mapper().parse("customer", raw).language == language


def test_lines_of_a_soap_deposit_are_numbered_in_their_order() -> None:
    raw = {
        "internalId": "9",
        "currencyCode": "USD",
        "total": Decimal("97.10"),
        "tranDate": "2026-02-01T00:00:00-08:00",
        "paymentList": {"depositPayment": [
            {"deposit": True, "id": 1301, "type": "CustPymt", "paymentAmount": Decimal("100.0")}]},
        "cashBackList": {"depositCashBack": [{"amount": Decimal("2.9")}]},
    }  # fmt: skip
    found = mapper().parse("payout", raw)
    assert [(line.id, line.kind, line.source_id, line.net_minor) for line in found.lines] == [
        ("1", "charge", "1301", 10000),
        ("2", "fee", None, -290),
    ]
    assert found.amount_minor == 9710


@pytest.mark.parametrize(
    ("amounts", "scheme", "unit_amount"),
    [
        (["33.333"], "per_unit", "33.333"),
        (["30", "25.5"], "volume", None),
        (["0"], "per_unit", "0"),
    ],
)
def test_a_price_of_the_matrix(amounts: list[str], scheme: str, unit_amount: str | None) -> None:
    raw = {
        "id": "300-1-1",
        "item": "300",
        "pricelevel": "1",
        "levelname": "Base Price",
        "currency": "1",
        "currencycode": "USD",
        "isinactive": "T",
        "lastmodifieddate": "2026-01-31T10:00:00Z",
        "app": "https://1234567.app.netsuite.com",
        "prices": [{"unitprice": amount} for amount in amounts],
    }
    found = mapper().parse("price", raw)
    assert (found.product_id, found.name, found.currency) == ("300", "Base Price", "USD")
    assert (found.scheme, found.unit_amount, found.active) == (scheme, unit_amount, False)
    assert found.url == "https://1234567.app.netsuite.com/app/common/item/item.nl?id=300"
    assert found.custom == {"price_level": "1"}


def test_a_soap_record_of_another_kind_is_refused() -> None:
    invoice = {"recordType": "Invoice", "internalId": "1", "status": "Open"}
    with pytest.raises(InvalidRecord, match="is a NetSuite Invoice, no customer"):
        parse("customer", invoice)


def test_what_is_no_amount_is_named() -> None:
    with pytest.raises(InvalidRecord) as caught:
        parse("invoice", {**SOAP_INVOICE, "total": "abc"})
    assert "field total" in caught.value.where
