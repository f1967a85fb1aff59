"""The NetSuite connector against documented answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from netsuite_fake import BASE, NOW, FakeNetSuite, invoices, refusal, reply
from pydantic import ValidationError

from tieout.connectors import connector_class
from tieout.connectors.base import Can, Connector, Page
from tieout.connectors.netsuite import NetSuite, NetSuiteConfig
from tieout.connectors.netsuite.clock import QueryClock
from tieout.connectors.netsuite.kinds import KINDS, TRANSACTIONS
from tieout.connectors.netsuite.resume import Resume
from tieout.connectors.netsuite.writing import told_apart
from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    ProviderDown,
    RateLimited,
    StopRun,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest
from tieout.mappings import load_mapping

TBA: dict[str, Any] = {
    "account": "1234567_SB1",
    "consumer_key": "ck",
    "consumer_secret": "c-secret",
    "token_id": "ti",
    "token_secret": "t-secret",
}


@pytest.fixture
def fake() -> FakeNetSuite:
    made = FakeNetSuite()
    made.tables["customer"] = [
        {"id": "1", "companyname": "ACME", "lastmodifieddate": "2026-01-31 09:00:00"}
    ]
    made.tables["subsidiary"] = [{"id": "1", "name": "Parent"}]
    return made


def connect(fake: FakeNetSuite, **more: Any) -> NetSuite:
    return NetSuite(NetSuiteConfig(**{**TBA, **more}), fake.ports, where="netsuite")


def records(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def ids(pages: list[Page]) -> list[str]:
    return [record["id"] for record in records(pages)]


# Reading


def test_it_is_a_registered_connector_that_declares_what_it_does() -> None:
    assert connector_class("netsuite") is NetSuite
    for can, method in [(Can.CREATE, "create"), (Can.UPDATE, "update"), (Can.FIND, "find")]:
        declared = any(can in kind.can for kind in KINDS.values())
        assert declared == (getattr(NetSuite, method) is not getattr(Connector, method))
    assert Can.CREATE not in NetSuite.can["payout"]
    assert all(Can.ARCHIVE not in NetSuite.can[e] for e in ("invoice", "payment", "refund"))
    assert NetSuite.read_webhook is Connector.read_webhook


def test_pages_are_walked_by_id_and_never_by_offset(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 13))
    pages = list(connect(fake, page_size=5).pull("invoice"))
    assert [len(page.records) for page in pages] == [5, 5, 2]
    assert ids(pages) == [str(id) for id in range(1, 13)]
    starts = [params[1] for _, params in fake.asked("transaction")]
    assert starts[1:] == ["5", "10"]


def test_a_pull_resumes_after_the_page_that_was_saved(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 13))
    ns = connect(fake, page_size=5)
    first = next(ns.pull("invoice"))
    assert ids(list(ns.pull("invoice", resume=first.resume))) == [str(i) for i in range(6, 13)]
    with pytest.raises(StopRun, match="cannot be read"):
        list(ns.pull("invoice", resume="nonsense"))


def test_changes_come_oldest_first_with_an_overlap(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 12))
    # Ids 1 to 11 were modified from 20:00:01 Pacific on, which is 04:00:01 UTC.
    since = datetime(2026, 2, 1, 4, 15, 5, tzinfo=UTC)
    ns = connect(fake, page_size=5)
    pages = list(ns.pull("invoice", since=since))
    asked = [p for q, p in fake.asked("transaction") if "lastmodifieddate >=" in q and p[0] != "x"]
    assert asked[0][1] == "2026-01-31 20:00:05"  # 04:15:05 less a quarter of an hour, in Pacific
    assert ids(pages) == ["5", "6", "7", "8", "9", "10", "11"]
    again = list(ns.pull("invoice", since=since, resume=pages[0].resume))
    assert ids(again) == ["10", "11"]


def test_many_changes_in_one_second_are_all_read(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 24), lastmodifieddate="2026-01-31 20:00:00")
    since = datetime(2026, 2, 1, 4, 0, tzinfo=UTC)
    found = ids(list(connect(fake, page_size=5).pull("invoice", since=since)))
    assert found == [str(id) for id in range(1, 24)]


def test_a_window_that_cannot_be_placed_overlaps_by_a_day(fake: FakeNetSuite) -> None:
    fake.tables["customer"] = []  # nothing to check the time zone on
    fake.tables["transaction"] = invoices(range(1, 3))
    list(connect(fake).pull("invoice", since=datetime(2026, 2, 1, 4, tzinfo=UTC)))
    assert fake.asked("transaction")[0][1][1] == "2026-01-30 20:00:00"


def test_lines_and_applications_are_joined_to_the_unified_form(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 3), foreignamountunpaid="40")
    fake.tables["transactionline"] = [
        {"transaction": "1", "id": "0", "mainline": "T", "foreignamount": "100"},
        {"transaction": "1", "id": "1", "mainline": "F", "item": "7", "foreignamount": "-100"},
        {"transaction": "2", "id": "1", "mainline": "F", "item": "8", "foreignamount": "-100"},
    ]
    fake.tables["nexttransactionlinelink"] = [
        {"previousdoc": "1", "previoustype": "CustInvc", "nextdoc": "9", "nexttype": "CustPymt",
         "foreignamount": "60", "linktype": "Payment"},
    ]  # fmt: skip
    pages = list(connect(fake).pull("invoice"))
    first, second = records(pages)
    assert [line["item"] for line in first["lines"][1:]] == ["7"]
    assert second["applications"] == [] and first["applications"][0]["nextdoc"] == "9"
    assert first["lastmodifieddate"] == "2026-02-01T04:00:01Z"
    assert first["app"] == "https://1234567-sb1.app.netsuite.com"
    assert "links" not in first
    mapper = load_mapping("netsuite").compile(system="ns", timezone="America/Los_Angeles")
    invoice: Any = mapper.parse_bytes("invoice", pages[0].records[0])
    assert (invoice.total_minor, invoice.paid_minor, invoice.balance_minor) == (10000, 6000, 4000)
    assert invoice.url.startswith("https://1234567-sb1.app.netsuite.com/app/accounting/")
    assert invoice.updated_at == datetime(2026, 2, 1, 4, 0, 1, tzinfo=UTC)


def test_more_lines_than_one_answer_holds(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 4))
    fake.tables["transactionline"] = [
        {"transaction": str(t), "id": str(n), "mainline": "F", "foreignamount": "-1"}
        for t in (1, 2, 3)
        for n in range(1, 701)
    ]
    found = records(list(connect(fake).pull("invoice")))
    assert [len(record["lines"]) for record in found] == [700, 700, 700]
    assert len(fake.asked("transactionline")) == 3


def test_the_same_rows_give_the_same_bytes(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 3))
    ns = connect(fake)
    one = [page.records for page in ns.pull("invoice")]
    fake.tables["transaction"] = [dict(reversed(row.items())) for row in invoices(range(1, 3))]
    assert one == [page.records for page in ns.pull("invoice")]


def test_invoices_that_a_changed_payment_touches_are_read_again(fake: FakeNetSuite) -> None:
    old = invoices(range(1, 4), lastmodifieddate="2025-06-01 00:00:00")
    fake.tables["transaction"] = old
    fake.tables["nexttransactionlinelink"] = [
        {"previousdoc": "2", "previoustype": "CustInvc", "nextdoc": "9", "nexttype": "CustPymt",
         "foreignamount": "100", "linktype": "Payment"},
    ]  # fmt: skip
    pages = list(connect(fake).pull("invoice", since=NOW))
    assert ids(pages) == ["2"]
    text, params = next(q for q in fake.asked("transaction") if "nexttransactionlinelink" in q[0])
    assert params[:6] == ["CustInvc", "CustPymt", "CustCred", "DepAppl", "Journal", params[5]]
    assert "t.foreignamountunpaid <> 0 AND t.entity IN" in text  # what it was taken off again
    assert ids(list(connect(fake).pull("invoice", since=NOW, resume=pages[0].resume))) == []


def test_deletions_are_told_by_type(fake: FakeNetSuite) -> None:
    late = "2026-02-01 03:59:00"
    fake.tables["deletedrecord"] = [
        {"recordid": "5", "type": "Invoice", "_at": late},
        {"recordid": "6", "type": "CustInvc", "_at": late},
        {"recordid": "7", "type": "Customer", "_at": late},
        {"recordid": "8", "type": "invoice", "_at": "2025-01-01 00:00:00"},
    ]
    pages = list(connect(fake).pull("invoice", since=NOW))
    assert pages[-1].deleted == ("5", "6") and pages[-1].records == []
    assert list(connect(fake).pull("invoice", since=NOW, resume=pages[-1].resume)) == []
    assert list(connect(fake).pull("customer", since=NOW))[-1].deleted == ("7",)
    assert all(not page.deleted for page in connect(fake).pull("invoice"))


def test_columns_that_do_not_exist_are_dropped_and_remembered(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 13))
    fake.absent = {"custbody_nope", "closedate", "kitmemberof"}
    ns = connect(fake, page_size=5, custom_fields=["custbody_nope", "custbody_stripe_id"])
    assert len(ids(list(ns.pull("invoice")))) == 12
    refused = [q for q, _ in fake.asked("transaction") if "custbody_nope" in q]
    assert len(refused) <= 2  # each name is complained about once, then left out
    assert all("custbody_stripe_id" in q for q, _ in fake.asked("transaction"))
    problems = ns.check().problems
    assert any("custbody_nope" in problem for problem in problems)
    assert not any("closedate" in problem for problem in problems)


def test_an_error_that_names_no_column_is_probed(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 3))

    def vague(request: HttpRequest) -> HttpAnswer | None:
        broken = b"foreignpaymentamountunused" in (request.body or b"")
        return refusal(400, "INVALID_PARAMETER", "Invalid search.") if broken else None

    fake.rules.append(vague)
    ns = connect(fake)
    assert ids(list(ns.pull("invoice"))) == ["1", "2"]
    assert ns._ql.dropped["transactions"] == frozenset({"foreignpaymentamountunused"})


def test_a_table_that_the_role_may_not_see_is_a_setting_to_mend(fake: FakeNetSuite) -> None:
    def no_table(request: HttpRequest) -> HttpAnswer | None:
        if b"FROM transaction t" in (request.body or b""):
            return refusal(400, "INVALID_PARAMETER", "Record 'transaction' was not found.")
        return None

    fake.rules.append(no_table)
    with pytest.raises(ConfigError) as caught:
        list(connect(fake).pull("invoice"))
    assert "transaction" in caught.value.message and "permission" in caught.value.hint
    assert any(each.startswith("invoice:") for each in connect(fake).check().problems)


def test_a_joined_table_goes_with_its_columns() -> None:
    blamed = TRANSACTIONS.blamed("Record 'currency' was not found.", frozenset())
    assert blamed == {"currencycode", "currency"}
    assert TRANSACTIONS.blamed("Field 'tranid' was not found", frozenset()) == frozenset()


def test_a_torn_page_is_asked_again(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 3))
    torn = [
        HttpAnswer(200, {}, b'{"items": [{"id": "1"'),
        reply({"count": 1, "items": []}),
        AnswerLost("gone"),
    ]

    def tear(request: HttpRequest) -> HttpAnswer | Exception | None:
        return torn.pop() if torn and b"FROM transaction t" in (request.body or b"") else None

    fake.rules.append(tear)
    assert ids(list(connect(fake).pull("invoice"))) == ["1", "2"]
    assert len(fake.slept) == 3


def test_the_concurrency_limit_is_waited_out(fake: FakeNetSuite) -> None:
    blocked = [
        refusal(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded."),
        refusal(400, "SSS_REQUEST_LIMIT_EXCEEDED", "Request limit exceeded."),
    ]
    fake.rules.append(lambda request: blocked.pop() if blocked else None)
    assert ids(list(connect(fake).pull("customer"))) == ["1"]
    assert not blocked
    fake.rules.append(lambda request: refusal(429, "CONCURRENCY_LIMIT_EXCEEDED", "Blocked."))
    with pytest.raises(RateLimited) as caught:
        list(connect(fake).pull("customer"))
    assert "concurrency" in caught.value.hint


def test_get_reads_one_and_none(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 3))
    ns = connect(fake)
    found = ns.get("invoice", "2")
    assert found is not None and found == next(iter(ns.pull("invoice"))).records[1]
    assert ns.get("invoice", "99") is None
    assert ns.get("payment", "2") is None  # of another type
    assert ns.get("invoice", "in_1") is None
    with pytest.raises(ConfigError, match="has no usage"):
        ns.get("usage", "1")


def test_only_the_deposits_of_a_payment_provider_are_payouts(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = [
        {"id": "1", "type": "Deposit", "tranid": "1", "status": "A", "memo": "Stripe po_1",
         "lastmodifieddate": "2026-01-31 20:00:00"},
        {"id": "2", "type": "Deposit", "tranid": "2", "status": "A", "memo": "rent",
         "lastmodifieddate": "2026-01-31 20:00:00"},
    ]  # fmt: skip
    assert ids(list(connect(fake).pull("payout"))) == ["1", "2"]
    some = connect(fake, payout_deposits={"memo_contains": "po_"})
    assert ids(list(some.pull("payout"))) == ["1"]
    field = connect(fake, payout_deposits={"field": "custbody_stripe_id"})
    list(field.pull("payout"))
    assert "t.custbody_stripe_id IS NOT NULL" in fake.asked("transaction")[-1][0]


# Writing


def test_create_is_an_upsert_by_our_key_and_happens_once(fake: FakeNetSuite) -> None:
    ns = connect(fake)
    body = {"tranId": "A1", "entity": {"id": "1"}, "item": {"items": [{"item": {"id": "7"}}]}}
    made = ns.create("invoice", body, key="tieout-invoice-stripe-in_1")
    assert json.loads(made)["id"] == "5000"
    assert ns.create("invoice", body, key="tieout-invoice-stripe-in_1") == made
    assert [(method, path) for method, path, _, _ in fake.writes] == [
        ("PUT", "invoice/eid:tieout-invoice-stripe-in_1")
    ]


@pytest.mark.parametrize(
    ("entity", "body", "named"),
    [
        ("customer", {"companyName": "Ada Ltd"}, {"entityId": "Ada Ltd 3456789abc"}),
        ("customer", {"lastName": "Lee", "isPerson": True}, {"entityId": "Lee 3456789abc"}),
        ("customer", {"companyName": "X" * 83}, {"entityId": "X" * 60 + " 3456789abc"}),
        ("customer", {"companyName": "Ada Ltd", "entityId": "C-1"}, None),
        ("product", {"itemId": "SEAT"}, {"itemId": "SEAT 3456789abc"}),
        ("invoice", {"tranId": "A-1"}, None),
    ],
)
def test_a_taken_name_gets_an_end(
    entity: str, body: dict[str, Any], named: dict[str, Any] | None
) -> None:
    apart = told_apart(KINDS[entity], body, "tieout-0123456789abc")
    assert apart == (None if named is None else {**body, **named})


def test_a_record_that_shows_no_id_is_asked_for_whole(fake: FakeNetSuite) -> None:
    """The official answer to `fields=` names the record by its asked URL only."""
    fake.by_key["invoice", "tieout-i-1"] = "77"
    link = {"rel": "self", "href": f"{BASE}/services/rest/record/v1/invoice/eid:tieout-i-1"}

    def shows(request: HttpRequest) -> HttpAnswer | None:
        if "/eid:" not in request.url:
            return None
        return reply({"links": [link]} if "fields=" in request.url else {"id": "77"})

    fake.rules.append(shows)
    fake.tables["transaction"] = invoices([77])
    found = connect(fake).create("invoice", {"entity": {"id": "5"}}, key="tieout-i-1")
    assert json.loads(found)["id"] == "77"
    assert fake.writes == []  # an upsert would have doubled its lines


def test_a_lost_answer_is_settled_by_looking_the_key_up(fake: FakeNetSuite) -> None:
    def lose(request: HttpRequest) -> Exception | None:
        if request.method != "PUT":
            return None
        fake.rules.clear()
        fake.send(request)  # it did take place
        return AnswerLost("no answer")

    ns = connect(fake)
    fake.rules.append(lose)
    with pytest.raises(UnknownOutcome):
        ns.create("invoice", {"tranId": "A1"}, key="tieout-k")
    found = ns.find("invoice", "tieout-k")
    assert found is not None and json.loads(found)["id"] == "5000"
    assert ns.find("invoice", "tieout-other") is None
    assert len(fake.writes) == 1


def test_a_server_error_on_a_write_is_an_unknown_outcome(fake: FakeNetSuite) -> None:
    ns = connect(fake)
    fake.rules.append(
        lambda request: (
            refusal(500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: x1")
            if request.method == "PUT"
            else None
        )
    )
    with pytest.raises(UnknownOutcome, match="Error ID: x1"):
        ns.create("customer", {"companyName": "B"}, key="tieout-k")
    with pytest.raises(ProviderDown, match="Error ID: x2"):
        fake.rules[:] = [lambda r: refusal(500, "UNEXPECTED_ERROR", "Error ID: x2")]
        connect(fake).get("invoice", "1")


def test_an_update_replaces_lines_instead_of_doubling_them(fake: FakeNetSuite) -> None:
    fake.tables["transaction"] = invoices(range(1, 2))
    ns = connect(fake)
    ns.update("invoice", "1", {"memo": "x", "item": {"items": []}}, key="k")
    ns.update("invoice", "1", {"memo": "y"}, key="k")
    assert [(path, query) for _, path, query, _ in fake.writes] == [
        ("invoice/1", {"replace": ["item"]}),
        ("invoice/1", {}),
    ]


def test_what_suiteql_does_not_show_yet_is_waited_for(fake: FakeNetSuite) -> None:
    ns = connect(fake)
    hidden: list[dict[str, str]] = []

    def late(request: HttpRequest) -> None:
        rows = fake.tables.get("transaction", [])
        if request.method == "PUT":
            return
        if rows and not hidden:
            hidden.extend(rows)
            rows.clear()
        elif hidden and len(fake.slept) >= 2:
            rows.extend(hidden)

    fake.rules.append(lambda request: late(request))  # type: ignore[func-returns-value]
    made = ns.create("invoice", {"tranId": "A1"}, key="tieout-k")
    assert json.loads(made)["id"] == "5000" and fake.slept == [0.5, 1.5]


def test_ids_that_only_the_account_knows_are_filled_in(fake: FakeNetSuite) -> None:
    fake.tables["account"] = [
        {"id": "58", "acctnumber": "6010", "fullname": "Fees", "accttype": "Expense"},
        {"id": "4", "acctnumber": "1000", "fullname": "Checking", "accttype": "Bank"},
    ]
    ns = connect(fake, location="3", item="77", class_id="9")
    ns.create("customer", {"companyName": "B", "currency": {"refName": "USD"}}, key="tieout-c")
    body = {"entity": {"id": "1"}, "item": {"items": [{"amount": 5}]}}
    ns.create("invoice", body, key="tieout-i")
    ns.create("payment", {"customer": {"id": "1"}, "payment": 5}, key="tieout-p")
    line = {"items": [{"account": {"refName": "6010"}, "debit": 1}]}
    with pytest.raises(ProviderDown):  # the fake shows no journals
        ns.create("journal_entry", {"line": line}, key="tieout-j")
    customer, invoice, payment, journal = [body for _, _, _, body in fake.writes]
    assert customer["currency"] == {"id": "1"} and customer["subsidiary"] == {"id": "1"}
    assert invoice["item"]["items"] == [{"amount": 5, "item": {"id": "77"}}]
    assert invoice["location"] == {"id": "3"} and invoice["class"] == {"id": "9"}
    assert payment["undepFunds"] is True
    assert journal["line"]["items"][0]["account"] == {"id": "58"}
    assert body["item"] == {"items": [{"amount": 5}]}  # the caller's own is left alone
    with pytest.raises(InvalidRecord, match="no currency GBP"):
        ns.create("customer", {"currency": {"refName": "GBP"}}, key="tieout-d")
    with pytest.raises(InvalidRecord, match="chart of accounts has no '9999'"):
        bad = {"line": {"items": [{"account": {"refName": "9999"}}]}}
        ns.create("journal_entry", bad, key="tieout-e")


def test_subsidiaries(fake: FakeNetSuite) -> None:
    fake.tables["subsidiary"].append({"id": "2", "name": "UK"})
    with pytest.raises(ConfigError) as caught:
        connect(fake).create("customer", {"companyName": "B"}, key="tieout-c")
    assert "1 (Parent), 2 (UK)" in caught.value.hint
    assert any("several subsidiaries" in each for each in connect(fake).check().problems)
    connect(fake, subsidiary="2").create("customer", {"companyName": "B"}, key="tieout-c")
    fake.one_world = False
    connect(fake).create(
        "customer", {"companyName": "C", "subsidiary": {"id": "1"}}, key="tieout-d"
    )
    assert [body.get("subsidiary") for *_, body in fake.writes] == [{"id": "2"}, None]


def test_our_key_in_a_custom_field(fake: FakeNetSuite) -> None:
    ns = connect(fake, key_field="custbody_tieout_id")
    made = ns.create("invoice", {"tranId": "A1"}, key="tieout-k")
    assert ns.create("invoice", {"tranId": "A1"}, key="tieout-k") == made
    ((method, path, _, body),) = fake.writes
    assert (method, path, body["custbody_tieout_id"]) == ("POST", "invoice", "tieout-k")
    assert json.loads(made)["custbody_tieout_id"] == "tieout-k"
    ns.create("customer", {"companyName": "B"}, key="tieout-c")  # has no body field: by external id
    assert fake.writes[-1][:2] == ("PUT", "customer/eid:tieout-c")


def test_archive_makes_inactive(fake: FakeNetSuite) -> None:
    ns = connect(fake)
    assert json.loads(ns.archive("customer", "1", key="k") or b"")["id"] == "1"
    assert fake.writes == [("PATCH", "customer/1", {}, {"isInactive": True})]
    fake.tables["item"] = [
        {"id": "3", "itemid": "X", "itemtype": "NonInvtPart", "subtype": "Sale",
         "lastmodifieddate": "2026-01-31 20:00:00"}
    ]  # fmt: skip
    ns.archive("product", "3", key="k")
    assert fake.writes[-1][1] == "nonInventorySaleItem/3"
    with pytest.raises(InvalidRecord, match="not possible"):
        ns.archive("invoice", "1", key="k")
    with pytest.raises(InvalidRecord, match="not possible"):
        ns.create("payout", {}, key="k")


def test_a_key_that_netsuite_cannot_hold_is_refused_before_it_is_sent(fake: FakeNetSuite) -> None:
    with pytest.raises(InvalidRecord, match="cannot be an external id"):
        connect(fake).create("invoice", {}, key="a|b")
    assert not fake.writes


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            refusal(400, "USER_ERROR", "The accounting period for this date is closed."),
            InvalidRecord,
            "reopen the accounting period",
        ),
        (
            refusal(400, "USER_ERROR", "Please enter value(s) for: Location."),
            InvalidRecord,
            "mandatory",
        ),
        (
            refusal(400, "INVALID_CONTENT", "Invalid Field Value 9999 for: item",
                    **{"o:errorPath": "item.items[0].item"}),
            InvalidRecord,
            "item.items[0].item",
        ),
        (refusal(400, "DUP_RCRD", "A record with this id already exists."), Conflict, "link"),
        (refusal(403, "INSUFFICIENT_PERMISSION", "You need: Invoice"), AuthError, "role"),
        (refusal(401, "INVALID_LOGIN", "Invalid login attempt."), AuthError, "Login Audit Trail"),
    ],
)  # fmt: skip
def test_refusals(
    fake: FakeNetSuite, answer: HttpAnswer, error: type[Exception], words: str
) -> None:
    fake.rules.append(lambda request: answer if request.method == "PUT" else None)
    with pytest.raises(error) as caught:
        connect(fake).create("invoice", {"tranId": "x"}, key="tieout-k")
    told: Any = caught.value
    assert words in f"{told.message} {told.hint}"
    assert "secret" not in f"{told.message} {told.hint} {told.where}"


def test_a_collision_with_another_edit_is_tried_again(fake: FakeNetSuite) -> None:
    once = [refusal(400, "RCRD_HAS_BEEN_CHANGED", "Record has been changed.")]
    fake.rules.append(lambda request: once.pop() if once and request.method == "PATCH" else None)
    connect(fake).update("customer", "1", {"email": "a@example.com"}, key="k")
    assert len(fake.writes) == 1 and not once


# Login and settings


def test_token_based_login_signs_for_the_account(fake: FakeNetSuite) -> None:
    connect(fake, account="1234567-sb1").get("customer", "1")
    header = fake.requests[-1].headers["Authorization"]
    assert header.startswith('OAuth realm="1234567_SB1", oauth_consumer_key="ck"')
    nonces = {r.headers["Authorization"].split("oauth_nonce=")[1][:12] for r in fake.requests}
    assert len(nonces) == len(fake.requests)
    assert all(request.url.startswith(BASE) for request in fake.requests)


def test_oauth2_login_is_renewed_when_the_token_ends(fake: FakeNetSuite) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    settings = NetSuiteConfig(
        account="1234567_SB1",
        client_id="c1",
        certificate_id="cert1",
        private_key=key.decode(),  # type: ignore[arg-type]
    )
    ns = NetSuite(settings, fake.ports)
    ns.get("customer", "1")
    expired = [refusal(401, "INVALID_LOGIN", "Invalid login attempt.")]
    fake.rules.append(
        lambda request: expired.pop() if expired and "suiteql" in request.url else None
    )
    assert ns.get("customer", "1") is not None
    tokens = [request for request in fake.requests if request.url.endswith("/token")]
    assert len(tokens) == 2 and tokens[0].url == f"{BASE}/services/rest/auth/oauth2/v1/token"


@pytest.mark.parametrize(
    "wrong",
    [
        {"token_secret": ""},
        {"client_id": "x"},
        {"account": "https://1234567.app.netsuite.com"},
        {"base_url": "https://1234567.suitetalk.api.netsuite.com"},  # production's, not SB1's
        {"key_field": "externalid; DROP"},
        {"custom_fields": ["custbody_a b"]},
        {"page_size": 2000},
        {"query_timezone": "Pacific"},
        {"surprise": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NetSuiteConfig(**{**TBA, **wrong})


def test_check_names_the_account_and_what_is_wrong(fake: FakeNetSuite) -> None:
    account = connect(fake).check()
    assert (account.name, account.id, account.live) == ("Parent", "1234567_SB1", False)
    assert account.problems == ()
    other = connect(fake, query_timezone="Europe/Berlin").check()
    assert any("query_timezone" in problem for problem in other.problems)
    fake.rules.append(lambda request: refusal(401, "INVALID_LOGIN", "Invalid login attempt."))
    with pytest.raises(AuthError):
        connect(fake).check()


# Times


def test_the_clock_translates_both_ways() -> None:
    pacific = QueryClock(ZoneInfo("America/Los_Angeles"), sure=True)
    assert pacific.utc("2026-07-01 09:00:00") == "2026-07-01T16:00:00Z"
    assert pacific.utc("2026-01-01 09:00:00") == "2026-01-01T17:00:00Z"
    since = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
    assert pacific.literal(since) == "2026-07-01 08:45:00"


def test_the_hour_that_comes_twice_is_not_missed() -> None:
    """On 1 November 2026, 2:00 PDT (09:00 UTC) becomes 1:00 PST."""
    pacific = QueryClock(ZoneInfo("America/Los_Angeles"), sure=True)
    since = datetime(2026, 11, 1, 8, 55, tzinfo=UTC)
    # What changes at 09:05 UTC is shown as 01:05, which is before 01:40, the start in local time.
    assert pacific.literal(since) <= "2026-11-01 01:05:00"
    assert pacific.literal(since + timedelta(hours=3)) == "2026-11-01 03:40:00"


def test_resume_is_plain_text() -> None:
    place = Resume("rows", 7, "2026-01-31 20:00:00")
    assert Resume.read(place.text(), where="ns") == place
    assert Resume.read("", where="ns") == Resume()


def test_with_both_logins_in_full_oauth_2_is_used() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both = {"client_id": "c", "certificate_id": "k", "private_key": pem.decode()}
    assert NetSuiteConfig(**{**TBA, **both}).has_oauth2
    assert not NetSuiteConfig(**TBA).has_oauth2
