"""The NetSuite stand-in's SOAP endpoint, driven by zeep with NetSuite's own WSDL."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pytest
import requests
from werkzeug.test import Client

from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.netsuite.soap_write import double, midnight

zeep = pytest.importorskip("zeep")

WSDL = (
    Path(__file__)
    .parents[3]
    .joinpath("shared", "providers", "netsuite", "wsdl", "netsuite-wsdl-2023_2.tgz")
)
needs_wsdl = pytest.mark.skipif(not WSDL.exists(), reason="NetSuite's WSDL is not beside this")
PATH = "/services/NetSuitePort_2023_2"
START = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)


class Wire(zeep.Transport):  # type: ignore[misc]
    """zeep's calls as WSGI requests to whichever stand-in a test made."""

    http: Client
    last: bytes = b""
    path = PATH

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> requests.Response:
        told = self.http.post(self.path, base_url="http://ns.test", data=message, headers=headers)
        answer = requests.Response()
        answer.status_code, answer._content = told.status_code, told.get_data()
        answer.headers.update(dict(told.headers))
        self.last = told.get_data()
        return answer


@cache
def loaded() -> Any:
    with TemporaryDirectory() as folder:
        with tarfile.open(WSDL) as archive:
            archive.extractall(folder, filter="data")
        settings = zeep.Settings(strict=False)
        client = zeep.Client(f"{folder}/netsuite.wsdl", transport=Wire(), settings=settings)
        client.wsdl.types.prefix_map  # noqa: B018
        return client


class Soap:
    """A client that signs as NetSuite's documentation says."""

    def __init__(self, stand_in: NetSuiteStandIn) -> None:
        self.stand_in, self.client = stand_in, loaded()
        self.client.transport.http = Client(stand_in.wsgi)
        self.types = {each.name: each for each in self.client.wsdl.types.types}
        self.keys = stand_in.credentials()
        self.count = 0

    def make(self, name: str, /, **fields: Any) -> Any:
        return self.types[name](**fields)

    def ref(self, type: str, id: str = "", external: str = "") -> Any:
        ids = {"externalId": external} if external else {"internalId": id}
        return self.make("RecordRef", type=type, **ids)

    def header(self, **over: str) -> dict[str, Any]:
        self.count += 1
        told = {
            "account": self.keys["account"],
            "consumerKey": self.keys["consumer_key"],
            "token": self.keys["token_id"],
            "nonce": f"nonce{self.count:08}",
            "timestamp": str(int(self.stand_in.clock.now().timestamp())),
        } | {name: value for name, value in over.items() if name not in ("signature", "algorithm")}
        names = ("account", "consumerKey", "token", "nonce", "timestamp")
        base = "&".join(quote(told[name], safe="-._~") for name in names)
        key = f"{self.keys['consumer_secret']}&{self.keys['token_secret']}"
        digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
        signature = over.get("signature") or base64.b64encode(digest).decode()
        signed = self.make(
            "TokenPassportSignature",
            _value_1=signature,
            algorithm=over.get("algorithm", "HMAC-SHA256"),
        )
        return {"tokenPassport": self.make("TokenPassport", **told, signature=signed)}

    def call(self, operation: str, *given: Any, header: Any = None, **headers: Any) -> Any:
        sent = {**(self.header() if header is None else header), **headers}
        return getattr(self.client.service, operation)(*given, _soapheaders=sent).body

    def search(self, search: Any, *, whole: bool = True, size: int = 1000) -> Any:
        wishes = self.make("SearchPreferences", bodyFieldsOnly=not whole, pageSize=size)
        return self.call("search", search, searchPreferences=wishes).searchResult

    def more(self, id: str, page: int, size: int = 1000) -> Any:
        wishes = self.make("SearchPreferences", bodyFieldsOnly=False, pageSize=size)
        return self.call("searchMoreWithId", id, page, searchPreferences=wishes).searchResult

    def by_type(self, word: str, **criteria: Any) -> Any:
        kind = self.make("SearchEnumMultiSelectField", operator="anyOf", searchValue=[word])
        basic = self.make("TransactionSearchBasic", type=kind, **criteria)
        return self.make("TransactionSearch", basic=basic)

    def customer(self, name: str, **more: Any) -> str:
        home = self.make("RecordRef", internalId="1")
        made = self.make("Customer", companyName=name, subsidiary=home, **more)
        return saved(self.call("add", made))


def saved(answer: Any) -> str:
    response = answer.writeResponse
    assert response.status.isSuccess, response.status
    return str(response.baseRef.internalId)


def code(status: Any) -> str:
    assert status.isSuccess is False
    return str(status.statusDetail[0].code)


def faulted(told: Any) -> tuple[str, str]:
    detail = told.value.detail
    if detail is None or not len(detail):
        return "", str(told.value)
    element = detail[0]
    return element.tag.rpartition("}")[2], element[0].text


@pytest.fixture
def soap() -> Iterator[Soap]:
    if not WSDL.exists():
        pytest.skip("NetSuite's WSDL is not beside this")
    yield Soap(NetSuiteStandIn(SandboxClock(START), seed=3))


@pytest.fixture
def shop(soap: Soap) -> Any:
    soap.buyer = soap.customer("Ada", externalId="ada")  # type: ignore[attr-defined]
    item = soap.make("ServiceSaleItem", itemId="SEAT", externalId="seat")
    soap.item = saved(soap.call("upsert", item))  # type: ignore[attr-defined]
    soap.invoice = saved(soap.call("upsert", bill(soap, 2)))  # type: ignore[attr-defined]
    return soap


def bill(soap: Any, quantity: int, **more: Any) -> Any:
    line = {"item": soap.make("RecordRef", internalId=soap.item), "quantity": quantity,
            "rate": "50.00"}  # fmt: skip
    return soap.make(
        "Invoice",
        entity=soap.make("RecordRef", internalId=soap.buyer),
        itemList={"item": [line]},
        **{"externalId": "bill", "tranDate": datetime(2026, 3, 1, 8, tzinfo=UTC), **more},
    )


# Login


@needs_wsdl
def test_the_signature_of_the_documentation() -> None:
    """The worked example of Oracle's page on TBA in SOAP; the digest was computed by hand."""
    clock = SandboxClock(datetime.fromtimestamp(1508242306, UTC))
    stand_in = NetSuiteStandIn(clock, account="123456")
    keys = stand_in.keys
    keys.consumer_key = "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4"
    keys.consumer_secret = "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5"
    keys.token_id = "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc"
    keys.token_secret = "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295"
    soap = Soap(stand_in)
    header = soap.header(
        nonce="fjaLirsIcCGVZWzBX0pg", signature="tIcC5zyKUmycB5Ml/cNxOHDusw03Y5KPQiXVNUHHp4U="
    )
    told = soap.call("getServerTime", header=header).getServerTimeResult
    assert told.serverTime == clock.now()


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": "AAAA"},
        {"algorithm": "HMAC-SHA1"},
        {"account": "tstdrv1234567"},
        {"consumerKey": "x"},
        {"token": "x"},
        {"nonce": "abc"},
        {"timestamp": "1508242306"},
    ],
)
def test_a_wrong_passport_is_refused(soap: Soap, wrong: dict[str, str]) -> None:
    with pytest.raises(zeep.exceptions.Fault) as told:
        soap.call("getServerTime", header=soap.header(**wrong))
    assert faulted(told) == ("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS")


def test_a_nonce_is_good_once_and_a_passport_is_needed(soap: Soap) -> None:
    header = soap.header()
    soap.call("getServerTime", header=header)
    with pytest.raises(zeep.exceptions.Fault, match="Invalid login"):
        soap.call("getServerTime", header=header)
    with pytest.raises(zeep.exceptions.Fault) as told:
        soap.call("getServerTime", header={})
    assert faulted(told)[0] == "invalidSessionFault"


def test_urls_are_told_without_a_login(soap: Soap) -> None:
    told = soap.call("getDataCenterUrls", "TSTDRV1234567", header={}).getDataCenterUrlsResult
    assert told.dataCenterUrls.webservicesDomain == "http://ns.test"
    other = soap.call("getDataCenterUrls", "1", header={}).getDataCenterUrlsResult
    assert code(other.status) == "INVALID_ACCT"


# Records


def test_a_record_is_written_and_read(shop: Any) -> None:
    response = shop.call("get", shop.ref("invoice", shop.invoice)).readResponse
    record = response.record
    assert (record.internalId, record.externalId, record.status) == (shop.invoice, "bill", "Open")
    assert record.entity.internalId == shop.buyer and record.currency.name == "USA"
    assert (record.total, record.amountRemaining, record.amountPaid) == (100.0, 100.0, 0.0)
    line = record.itemList.item[0]
    assert (line.line, line.quantity, line.rate, line.amount) == (1, 2.0, "50.0", 100.0)
    assert b"2026-03-01T00:00:00.000-08:00</tranSales:tranDate>" in shop.client.transport.last
    assert b'xsi:type="tranSales:Invoice"' in shop.client.transport.last


def test_an_upsert_changes_the_record_that_has_the_external_id(shop: Any) -> None:
    assert saved(shop.call("upsert", bill(shop, 3, externalId="BILL"))) == shop.invoice
    record = shop.call("get", shop.ref("invoice", external="bill")).readResponse.record
    # Lists replace those that are there, unless the request says otherwise.
    assert [line.quantity for line in record.itemList.item] == [3.0]
    more = bill(shop, 1)
    more.itemList.replaceAll = False
    saved(shop.call("upsert", more))
    record = shop.call("get", shop.ref("invoice", shop.invoice)).readResponse.record
    assert [line.quantity for line in record.itemList.item] == [3.0, 1.0]


def test_an_update_keeps_what_it_does_not_name_and_empties_what_it_says(shop: Any) -> None:
    change = shop.make("Customer", internalId=shop.buyer, phone="1", comments="c")
    saved(shop.call("update", change))
    gone = shop.make("NullField", name=["comments"])
    saved(shop.call("update", shop.make("Customer", internalId=shop.buyer, nullFieldList=gone)))
    record = shop.call("get", shop.ref("customer", shop.buyer)).readResponse.record
    assert (record.companyName, record.phone, record.comments) == ("Ada", "1", None)


def test_custom_fields_keep_their_types(soap: Soap) -> None:
    fields = [
        soap.make("StringCustomFieldRef", scriptId="custentity_stripe_id", value="cus_1"),
    ]
    listed = soap.make("CustomFieldList", customField=fields)
    id = soap.customer("Ada", customFieldList=listed)
    record = soap.call("get", soap.ref("customer", id)).readResponse.record
    held = record.customFieldList.customField[0]
    assert (held.scriptId, held.value) == ("custentity_stripe_id", "cus_1")


def test_lists_answer_for_each_record(shop: Any) -> None:
    good = shop.make("Customer", companyName="Bob", subsidiary=shop.make("RecordRef",
                     internalId="1"), externalId="bob")  # fmt: skip
    bad = shop.make("Customer", externalId="nobody")
    told = shop.call("upsertList", [good, bad]).writeResponseList.writeResponse
    assert told[0].status.isSuccess and told[0].baseRef.externalId == "bob"
    assert code(told[1].status) == "USER_ERROR" and told[1].baseRef.externalId == "nobody"
    read = shop.call("getList", [shop.ref("customer", shop.buyer), shop.ref("customer", "9")])
    found = read.readResponseList.readResponse
    assert found[0].record.companyName == "Ada" and code(found[1].status) == "RCRD_DSNT_EXIST"
    with pytest.raises(zeep.exceptions.Fault) as fault:
        shop.call("updateList", [good] * 101)
    assert faulted(fault) == ("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED")


def test_a_list_as_the_package_netsuite_sends_it(shop: Any) -> None:
    """Its getList hands the whole request over as the one reference."""
    wrapped = shop.make("GetListRequest", baseRef=[shop.ref("customer", shop.buyer)])
    read = shop.call("getList", wrapped).readResponseList.readResponse
    assert [each.record.companyName for each in read] == ["Ada"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"entity": {"internalId": "99"}}, "INVALID_KEY_OR_REF"),
        ({"currency": {"internalId": "99"}}, "INVALID_KEY_OR_REF"),
        ({"entity": None}, "USER_ERROR"),
    ],
)
def test_refusals_of_one_record(shop: Any, change: dict[str, Any], expected: str) -> None:
    told = shop.call("add", bill(shop, 1, externalId="other"))
    assert told.writeResponse.status.isSuccess
    wrong = bill(shop, 1, externalId="wrong")
    for name, value in change.items():
        setattr(wrong, name, shop.make("RecordRef", **value) if value else None)
    assert code(shop.call("add", wrong).writeResponse.status) == expected


def test_duplicates_have_codes_of_their_own(shop: Any) -> None:
    again = shop.make("Customer", companyName="Ada", subsidiary=shop.make("RecordRef",
                      internalId="1"))  # fmt: skip
    assert code(shop.call("add", again).writeResponse.status) == "UNIQUE_CUST_ID_REQD"
    item = shop.make("ServiceSaleItem", itemId="SEAT")
    assert code(shop.call("add", item).writeResponse.status) == "DUP_ITEM"
    nameless = shop.make("Customer", companyName="New")
    assert code(shop.call("upsert", nameless).writeResponse.status) == "EXTERNALID_REQD"


def test_payments_move_what_is_open_and_deletions_are_listed(shop: Any) -> None:
    line = {"doc": int(shop.invoice), "apply": True, "amount": Decimal("30.5")}
    payment = shop.make(
        "CustomerPayment",
        customer=shop.make("RecordRef", internalId=shop.buyer),
        payment=Decimal(40),
        applyList={"apply": [line]},
    )
    id = saved(shop.call("add", payment))
    invoice = shop.call("get", shop.ref("invoice", shop.invoice)).readResponse.record
    assert (invoice.amountPaid, invoice.amountRemaining) == (30.5, 69.5)
    applied = shop.make("SearchMultiSelectField", operator="anyOf",
                        searchValue=[shop.make("RecordRef", internalId=shop.invoice)])  # fmt: skip
    search = shop.by_type("_customerPayment", appliedToTransaction=applied)
    found = shop.search(search).recordList.record
    assert [each.internalId for each in found] == [id] and found[0].unapplied == 9.5
    assert found[0].applyList.apply[0].type == "Invoice"
    before = shop.stand_in.clock.now() - timedelta(minutes=1)
    assert shop.call("delete", shop.ref("customerPayment", id)).writeResponse.status.isSuccess
    wanted = shop.make(
        "GetDeletedFilter",
        deletedDate=shop.make("SearchDateField", operator="onOrAfter", searchValue=before),
        type=shop.make("SearchEnumMultiSelectField", operator="anyOf",
                       searchValue=["customerPayment"]),
    )  # fmt: skip
    gone = shop.call("getDeleted", wanted, 1).getDeletedResult
    assert [each.record.internalId for each in gone.deletedRecordList.deletedRecord] == [id]
    assert code(shop.call("delete", shop.ref("customer", shop.buyer)).writeResponse.status) == (
        "USER_ERROR"
    )


# Searches


def test_without_preferences_a_search_gives_bodies_only(shop: Any) -> None:
    search = shop.by_type("_invoice")
    bare = shop.call("search", search).searchResult
    assert bare.pageSize == 1000 and bare.recordList.record[0].itemList is None
    assert shop.search(search).recordList.record[0].itemList is not None


def test_pages_are_searched_anew_and_ids_expire(soap: Soap) -> None:
    for number in range(12):
        soap.customer(f"C{number:02}")
    search = soap.make("CustomerSearch", basic=soap.make("CustomerSearchBasic"))
    first = soap.search(search, size=5)
    assert (first.totalRecords, first.totalPages, first.pageIndex) == (12, 3, 1)
    third = soap.more(first.searchId, 3)
    assert [each.companyName for each in third.recordList.record] == ["C10", "C11"]
    assert code(soap.more(first.searchId, 4).status) == "INVALID_SEARCH_PAGE_INDEX"
    first_id = first.recordList.record[0].internalId
    assert soap.call("delete", soap.ref("customer", first_id)).writeResponse.status.isSuccess
    second = soap.more(first.searchId, 2)
    assert second.recordList.record[0].companyName == "C06"  # C05 has moved to the first page
    soap.stand_in.clock.move(16 * 60)
    assert code(soap.more(first.searchId, 2).status) == "INVALID_JOB_ID"


@pytest.mark.parametrize(
    ("field", "kind", "operator", "value", "count"),
    [
        ("entityId", "SearchStringField", "startsWith", "ad", 1),
        ("companyName", "SearchStringField", "is", "Nobody", 0),
        ("internalIdNumber", "SearchLongField", "greaterThan", 499, 1),
        ("internalIdNumber", "SearchLongField", "lessThan", 500, 0),
        ("lastModifiedDate", "SearchDateField", "onOrAfter", START, 1),
        ("lastModifiedDate", "SearchDateField", "after", START, 0),
        ("dateCreated", "SearchDateField", "before", START, 0),
    ],
)
def test_criteria(shop: Any, field: str, kind: str, operator: str, value: Any, count: int) -> None:
    wanted = shop.make(kind, operator=operator, searchValue=value)
    basic = shop.make("CustomerSearchBasic", **{field: wanted})
    assert shop.search(shop.make("CustomerSearch", basic=basic)).totalRecords == count
    assert shop.search(basic).totalRecords == count  # a Basic may be sent by itself


def test_columns_give_a_row_a_line_unless_only_main_lines_are_asked(shop: Any) -> None:
    saved(shop.call("add", bill(shop, 1, externalId="two")))
    columns = shop.make(
        "TransactionSearchRow",
        basic=shop.make("TransactionSearchRowBasic", internalId=[{}], tranDate=[{}]),
    )
    main = shop.make("SearchBooleanField", searchValue=True)
    for criteria, rows in ((shop.by_type("_invoice", mainLine=main), 2),
                           (shop.by_type("_invoice"), 4)):  # fmt: skip
        told = shop.search(
            shop.make("TransactionSearchAdvanced", criteria=criteria, columns=columns)
        )
        assert told.totalRecords == rows and told.recordList is None
        row = told.searchRowList.searchRow[0].basic
        assert row.internalId[0].searchValue.internalId == shop.invoice
        assert row.tranDate[0].searchValue.date().isoformat() == "2026-03-01"


def test_what_cannot_be_searched_is_refused(shop: Any) -> None:
    text = shop.make("SearchStringField", operator="is", searchValue="x")
    basic = shop.make("CustomerSearchBasic", webLead=None, url=text)
    told = shop.search(shop.make("CustomerSearch", basic=basic))
    assert code(told.status) == "INVALID_SEARCH_FIELD_NAME"
    wrong = shop.make("SearchStringField", operator="hasKeywords", searchValue="x")
    basic = shop.make("CustomerSearchBasic", entityId=wrong)
    assert code(shop.search(basic).status) == "INVALID_SEARCH_OPERATOR"
    with pytest.raises(zeep.exceptions.Fault, match="pageSize"):
        shop.search(shop.by_type("_invoice"), size=1001)
    assert code(shop.more("WEBSERVICES_1_x", 1).status) == "INVALID_JOB_ID"


def test_all_currencies(soap: Soap) -> None:
    told = soap.call("getAll", soap.make("GetAllRecord", recordType="currency")).getAllResult
    assert {each.symbol for each in told.recordList.record} >= {"USD", "EUR", "JPY"}
    other = soap.call("getAll", soap.make("GetAllRecord", recordType="leadSource")).getAllResult
    assert (other.status.isSuccess, other.totalRecords) == (True, 0)
    strange = soap.call("getAll", soap.make("GetAllRecord", recordType="invoice")).getAllResult
    assert code(strange.status) == "INVALID_RCRD_TYPE"


@pytest.mark.parametrize("kind", ["Vendor", "Employee", "Department", "Location", "Classification"])
def test_searches_for_what_the_account_has_none_of(soap: Soap, kind: str) -> None:
    found = soap.search(soap.make(f"{kind}SearchBasic"))
    assert (found.status.isSuccess, found.totalRecords, found.totalPages) == (True, 0, 0)
    told = soap.call("get", soap.ref(kind.lower(), "1")).readResponse
    assert code(told.status) == "RCRD_DSNT_EXIST"


def test_what_a_field_can_refer_to(soap: Soap) -> None:
    field = soap.make("GetSelectValueFieldDescription", recordType="customer", field="currency")
    told = soap.call("getSelectValue", field, 1).getSelectValueResult
    assert told.status.isSuccess is True
    assert {each.name for each in told.baseRefList.baseRef} >= {"USA", "Euro"}
    field = soap.make("GetSelectValueFieldDescription", recordType="customer", field="colour")
    told = soap.call("getSelectValue", field, 1).getSelectValueResult
    assert code(told.status) == "INVALID_FLD"


def test_no_saved_searches(soap: Soap) -> None:
    wanted = soap.make("GetSavedSearchRecord", searchType="transaction")
    told = soap.call("getSavedSearch", wanted).getSavedSearchResult
    assert (told.status.isSuccess, told.totalRecords) == (True, 0)


def test_what_the_role_may_not_see(shop: Any) -> None:
    shop.stand_in.soap.hidden = frozenset({"customer"})
    told = shop.call("get", shop.ref("customer", shop.buyer)).readResponse
    assert code(told.status) == "INSUFFICIENT_PERMISSION"
    basic = shop.make("CustomerSearchBasic")
    assert code(shop.search(basic).status) == "INSUFFICIENT_PERMISSION"
    assert shop.search(shop.by_type("_invoice")).totalRecords == 1


# The envelope


ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'


def raw(body: str, path: str = PATH, method: str = "POST") -> tuple[int, str]:
    stand_in = NetSuiteStandIn(SandboxClock(START), seed=3)
    told = Client(stand_in.wsgi).open(path, method=method, data=body.encode())
    assert told.content_type.startswith("text/xml")
    return told.status_code, told.get_data(as_text=True)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no xml",
        "<a/>",
        ENVELOPE.format(""),
        ENVELOPE.format('<get xmlns="urn:messages_2017_1.platform.webservices.netsuite.com"/>'),
        ENVELOPE.format('<fly xmlns="urn:messages_2023_2.platform.webservices.netsuite.com"/>'),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + ENVELOPE.format("&b;"),
    ],
)
def test_what_is_no_request_is_a_fault(body: str) -> None:
    status, text = raw(body)
    assert status == 500 and "<soapenv:Fault>" in text


def test_another_version_speaks_in_its_own_namespaces() -> None:
    body = ENVELOPE.format(
        '<getDataCenterUrls xmlns="urn:messages_2025_2.platform.webservices.netsuite.com">'
        "<account>TSTDRV1234567</account></getDataCenterUrls>"
    )
    status, text = raw(body, "/services/NetSuitePort_2025_2")
    assert status == 200 and "urn:core_2025_2.platform" in text and "2023_2" not in text


def test_an_element_that_no_record_has_is_a_fault(soap: Soap) -> None:
    made = soap.client.create_message(
        soap.client.service,
        "add",
        soap.make("Customer", companyName="Ada"),
        _soapheaders=soap.header(),
    )
    from lxml import etree

    text = etree.tostring(made).decode()
    text = re.sub(r"companyName", "companyNames", text)
    answer = soap.client.transport.http.post(PATH, data=text.encode())
    assert answer.status_code == 500 and "companyNames is not a legal child" in answer.text


def test_too_many_calls_at_once(soap: Soap) -> None:
    stand_in = soap.stand_in
    stand_in.concurrency = 1
    stand_in.lock.acquire()
    waiting = threading.Thread(target=lambda: soap.call("getServerTime"))
    try:
        waiting.start()
        while waiting.is_alive() and not stand_in._flying:
            pass
        told = Client(stand_in.wsgi).post(PATH, data=b"<a/>")
        status, text = told.status_code, told.get_data(as_text=True)
    finally:
        stand_in.lock.release()
        waiting.join()
    assert status == 500
    assert "exceededConcurrentRequestLimitFault" in text and "WS_REQUEST_BLOCKED" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [("100", "100.0"), ("0.10", "0.1"), ("-5", "-5.0"), ("0", "0.0"), ("9999999.99", "9999999.99"),
     ("12345678", "1.2345678E7"), ("10000000", "1.0E7")],
)  # fmt: skip
def test_doubles_are_written_as_java_writes_them(value: str, text: str) -> None:
    assert double(Decimal(value)) == text


def test_a_date_is_midnight_in_pacific_time() -> None:
    assert midnight("2026-01-31") == "2026-01-31T00:00:00.000-08:00"
    assert midnight("2026-07-01") == "2026-07-01T00:00:00.000-07:00"
