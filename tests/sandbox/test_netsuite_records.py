"""The record API answers as Oracle's examples do, refuses as NetSuite does, and keeps its books."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
from test_netsuite_access import STRICT, Account, opened, refused, sample

D = Decimal


@pytest.fixture
def account() -> Iterator[Account]:
    for one in opened():
        one.stand_in.load(
            [
                (
                    "customer",
                    {
                        "id": each,
                        "entityId": f"Customer {each}",
                        "companyName": f"Customer {each}",
                        "isPerson": False,
                        "subsidiary": {"id": "1", "refName": "Parent Company"},
                        "currency": {"id": "1", "refName": "USA"},
                    },
                )
                for each in ("4", "220")
            ]
        )
        one.stand_in.load(
            [
                (
                    "serviceSaleItem",
                    {"id": each, "itemId": f"Item {each}", "incomeAccount": {"id": "54"}},
                )
                for each in ("7", "144")
            ]
        )
        yield one


def invoice(customer: str = "4", amount: Any = "200.00", **more: Any) -> dict[str, Any]:
    line = {"item": {"id": "144"}, "amount": float(amount)}
    return {"entity": {"id": customer}, "item": {"items": [line]}, **more}


def paid(document: str, amount: Any, payment: Any, customer: str = "4") -> dict[str, Any]:
    line = {"doc": {"id": document}, "apply": True, "amount": float(amount)}
    body = {"customer": {"id": customer}, "payment": float(payment)}
    return {**body, "apply": {"items": [line]}}


def money(record: dict[str, Any], *names: str) -> list[Decimal]:
    return [D(record[name]) for name in names]


def test_oracles_examples_are_accepted(account: Account) -> None:
    person = account.make("customer", sample("rest_customer_create_request.json"))
    assert account.get(f"customer/{person}")["entityId"] == "John Smith"
    made = account.make("invoice", sample("rest_invoice_create_request.json"))
    record = account.get(f"invoice/{made}")
    assert money(record, "total", "amountRemaining") == [D("1000"), D("1000")]
    assert record["startDate"] == "2021-03-15"
    # Term 1 is Net 15, and the document is of today, 2026-03-10.
    assert record["dueDate"] == "2026-03-25"
    journal = account.make("journalEntry", sample("rest_journalEntry_create_request.json"))
    lines = account.get(f"journalEntry/{journal}?expandSubResources=true")["line"]["items"]
    assert [(line["line"], line.get("debit"), line.get("credit")) for line in lines] == [
        (1, 187, None),
        (2, None, 187),
    ]


def test_oracles_payment_is_applied_and_unapplied(account: Account) -> None:
    account.stand_in.load([("invoice", loaded_invoice("104", D("200.00")))])
    payment = account.make("customerPayment", sample("rest_customerPayment_create_request.json"))
    record = account.get(f"customerPayment/{payment}")
    assert money(record, "payment", "applied", "unapplied") == [D(250), D(200), D(50)]
    settled = account.get("invoice/104")
    assert money(settled, "amountPaid", "amountRemaining") == [D(200), D(0)]
    assert settled["status"]["refName"] == "Paid In Full"
    body = sample("rest_customerPayment_unapply_request.json")
    assert account.call("PATCH", f"/record/v1/customerPayment/{payment}", body).status_code == 204
    reopened = account.get("invoice/104")
    assert money(reopened, "amountPaid", "amountRemaining") == [D(0), D(200)]
    assert reopened["status"]["refName"] == "Open"
    assert money(account.get(f"customerPayment/{payment}"), "unapplied") == [D(250)]


def loaded_invoice(id: str, total: Decimal, **more: Any) -> dict[str, Any]:
    line = {"line": 1, "item": {"id": "144", "refName": "Item 144"}, "amount": total}
    return {
        "id": id,
        "tranId": f"INV-{id}",
        "tranDate": "2026-02-03",
        "entity": {"id": "4", "refName": "Customer 4"},
        "subsidiary": {"id": "1", "refName": "Parent Company"},
        "currency": {"id": "1", "refName": "USA"},
        "exchangeRate": D("1.0"),
        "subtotal": total,
        "taxTotal": D("0.00"),
        "total": total,
        "amountPaid": D("0.00"),
        "amountRemaining": total,
        "status": {"id": "Open", "refName": "Open"},
        "createdDate": "2026-02-03T09:00:00Z",
        "lastModifiedDate": "2026-02-04T10:00:00Z",
        "custbody_stripe_id": f"in_{id}",
        "item": {"items": [line], "totalResults": 1},
        **more,
    }


def test_a_loaded_record_is_served_unchanged(account: Account) -> None:
    given = loaded_invoice("9001", D("1234567890123456.78"))
    before = json.dumps(given, default=str)
    account.stand_in.load([("invoice", given)])
    served = account.get("invoice/9001?expandSubResources=true")
    assert served.pop("links")[0]["href"].endswith("/record/v1/invoice/9001")
    assert served == given
    assert json.dumps(given, default=str) == before


def test_errors_equal_the_recorded_ones(account: Account) -> None:
    missing = account.call("GET", "/record/v1/invoice/999999")
    assert missing.json() == sample("rest_error_400_get_missing_transaction.json")
    account.stand_in.load([("invoice", loaded_invoice("104", D("1.00")))])
    other_type = account.call("GET", "/record/v1/creditMemo/104")
    assert other_type.json() == sample("rest_error_400_get_missing_transaction.json")
    nobody = account.call("GET", "/record/v1/customer/999999")
    assert (nobody.status_code, nobody.json()) == (
        404,
        sample("rest_error_404_get_missing_entity.json"),
    )
    body = {"entity": {"id": 4}, "item": {"items": [{"item": {"id": 9999}, "amount": 1}]}}
    wrong = account.call("POST", "/record/v1/invoice", body)
    assert wrong.json() == sample("rest_error_400_invalid_content.json")


def test_chosen_fields_only(account: Account) -> None:
    wanted = sample("rest_customer_get_fields_subset.json")
    account.stand_in.load(
        [("customer", {**{k: v for k, v in wanted.items() if k != "links"}, "id": "107"})]
    )
    got = account.get("customer/107?fields=companyName,email,entityId")
    assert got.keys() == wanted.keys()
    path = "/services/rest/record/v1/customer/107?fields=companyName%2Cemail%2CentityId"
    assert got["links"] == [{"rel": "self", "href": account.run.url + path}]


def test_lists_give_ids_in_pages(account: Account) -> None:
    first = account.get("currency?limit=2")
    assert [item["id"] for item in first["items"]] == ["1", "2"]
    assert first["items"][0].keys() == {"links", "id"}
    assert (first["count"], first["hasMore"], first["totalResults"]) == (2, True, 5)
    assert [one["rel"] for one in first["links"]] == ["next", "last", "self"]
    following = requests.get(
        first["links"][0]["href"], headers=account.session.headers, timeout=9
    ).json()
    assert [item["id"] for item in following["items"]] == ["3", "4"]
    assert [one["rel"] for one in following["links"]] == ["next", "last", "prev", "first", "self"]
    last = account.get("currency?limit=2&offset=4")
    assert (last["count"], last["hasMore"]) == (1, False)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=2&offset=3", "offset"),
        ("limit=1001", "limit"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=5&offset=5000", "offset"),
        ("q=nonsense IS 1", "q"),
        ('q=lastModifiedDate ON_OR_AFTER "2026-01-01"', "q"),
        ('q=name IS "open', "q"),
        ("q=name IS", "q"),
    ],
)
def test_a_wrong_page_or_filter_is_refused(account: Account, query: str, parameter: str) -> None:
    answer = account.call("GET", f"/record/v1/currency?{query}")
    assert answer.status_code == 400
    detail = answer.json()["o:errorDetails"][0]
    assert (detail["o:errorCode"], detail["o:errorQueryParam"]) == ("INVALID_PARAMETER", parameter)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("symbol IS usd", ["1"]),
        ("symbol IS_NOT USD", ["2", "3", "4", "5"]),
        ('name START_WITH "British p"', ["2"]),
        ("name CONTAIN dollar", ["3"]),
        ("exchangeRate GREATER 1 AND isBaseCurrency IS false", ["2", "4"]),
        ("exchangeRate LESS 0.01 OR symbol IS USD", ["1", "5"]),
        ("id ANY_OF [2, 4]", ["2", "4"]),
        ("id BETWEEN [2, 3]", ["2", "3"]),
        ("externalId EMPTY_NOT", []),
        ("symbol IS EUR AND (id EQUAL 1 OR id EQUAL 4)", ["4"]),
    ],
)
def test_filters(account: Account, q: str, found: list[str]) -> None:
    assert [item["id"] for item in account.get(f"currency?q={q}")["items"]] == found


def test_date_filters_go_by_the_day_in_the_account(account: Account) -> None:
    # 2026-02-04T07:30Z is still 3 February in Los Angeles.
    late = loaded_invoice("1", D(1), lastModifiedDate="2026-02-04T07:30:00Z")
    account.stand_in.load([("invoice", late), ("invoice", loaded_invoice("2", D(1)))])
    found = account.get('invoice?q=lastModifiedDate ON_OR_AFTER "2/4/2026"')["items"]
    assert [item["id"] for item in found] == ["2"]


def test_an_upsert_twice_makes_one_record(account: Account) -> None:
    path = "/record/v1/customer/eid:tieout-cus-1"
    body = {"companyName": "Ada Ltd", "isPerson": False, "subsidiary": {"id": "1"}}
    first = account.call("PUT", path, body, **STRICT)
    again = account.call("PUT", path, body | {"email": "a@example.com"}, **STRICT)
    assert (first.status_code, again.status_code) == (204, 204)
    assert "/customer/" in first.headers["Location"]
    assert "Location" not in again.headers
    assert account.get("customer/EID:tieout-cus-1".replace("EID", "eid"))["email"] == (
        "a@example.com"
    )
    found = account.get("customer?q=externalId IS tieout-cus-1")
    assert found["totalResults"] == 1
    no_eid = account.call("PUT", "/record/v1/customer/4", body)
    assert refused(no_eid)[:2] == (400, "INVALID_REQUEST")


def test_a_repeated_upsert_doubles_lines_unless_told_to_replace(account: Account) -> None:
    path, body = "/record/v1/invoice/eid:tieout-inv-1", invoice()
    for _ in range(2):
        assert account.call("PUT", path, body, **STRICT).status_code == 204
    doubled = account.get("invoice/eid:tieout-inv-1?expandSubResources=true")
    assert [line["line"] for line in doubled["item"]["items"]] == [1, 2]
    assert D(doubled["total"]) == 400
    assert account.call("PUT", f"{path}?replace=item", body, **STRICT).status_code == 204
    whole = account.get("invoice/eid:tieout-inv-1?expandSubResources=true")
    assert len(whole["item"]["items"]) == 1
    assert D(whole["total"]) == 200


def test_a_line_number_updates_that_line(account: Account) -> None:
    line = {"item": {"id": "144"}, "quantity": 3, "rate": 10.5}
    made = account.make("invoice", {**invoice(), "item": {"items": [line, line]}})
    body = sample("rest_invoice_update_line_request.json")
    assert account.call("PATCH", f"/record/v1/invoice/{made}", body).status_code == 204
    record = account.get(f"invoice/{made}?expandSubResources=true")
    assert record["tranId"] == "Updated Invoice ID"
    # Line 1 now has 1 x 10.50; line 2 still 3 x 10.50.
    amounts = [(each["item"]["id"], D(each["amount"])) for each in record["item"]["items"]]
    assert amounts == [("7", D("10.50")), ("144", D("31.50"))]
    assert D(record["total"]) == D("42.00")


def test_external_ids_are_unique_in_a_group_whatever_their_case(account: Account) -> None:
    account.make("invoice", invoice(externalId="Doc-1"))
    memo = account.call("POST", "/record/v1/creditMemo", invoice(externalId="doc-1"))
    assert refused(memo) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. This record already exists.",
    )
    account.make("customer", {"companyName": "A", "subsidiary": {"id": "1"}, "externalId": "x"})
    contact = account.call("POST", "/record/v1/contact", {"firstName": "B", "externalId": "X"})
    assert refused(contact)[2].endswith("This entity already exists.")
    # Another group, another space.
    account.make("serviceSaleItem", {"itemId": "C", "externalId": "x"})
    pipe = account.call("POST", "/record/v1/invoice", invoice(externalId="a|b"))
    assert pipe.json()["o:errorDetails"][0]["o:errorPath"] == "externalId"


def test_unknown_names_are_refused_only_when_asked_for(account: Account) -> None:
    body = invoice(frobnicate=1)
    assert account.call("POST", "/record/v1/invoice", body).status_code == 204
    strict = account.call("POST", "/record/v1/invoice", body, **STRICT)
    assert refused(strict)[:2] == (400, "INVALID_CONTENT")
    assert strict.json()["o:errorDetails"][0]["o:errorPath"] == "frobnicate"
    unknown = account.call("POST", "/record/v1/invoice", invoice(custbody_nope="x"), **STRICT)
    assert unknown.status_code == 400
    known = account.make("invoice", invoice(custbody_stripe_id="in_1"))
    assert account.get(f"invoice/{known}")["custbody_stripe_id"] == "in_1"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"tranDate": "3/10/2026"}, "tranDate"),
        ({"tranDate": "2026-02-30"}, "tranDate"),
        ({"memo": 10}, "memo"),
        ({"toBeEmailed": "yes"}, "toBeEmailed"),
        ({"entity": "4"}, "entity"),
        ({"entity": {"id": "9999"}}, "entity"),
        ({"currency": {"id": "77"}}, "currency"),
        ({"item": {"items": [{"item": {"id": "7"}, "amount": "1"}]}}, "item.items[0].amount"),
        ({"item": {"items": [{"item": {"id": "7"}, "amount": 1.001}]}}, "item.items[0].amount"),
        ({"item": [1]}, "item"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(
    account: Account, change: dict[str, Any], path: str
) -> None:
    answer = account.call("POST", "/record/v1/invoice", {**invoice(), **change})
    detail = answer.json()["o:errorDetails"][0]
    assert (answer.status_code, detail["o:errorCode"]) == (400, "INVALID_CONTENT")
    assert detail["o:errorPath"] == path


def test_yen_have_no_decimals(account: Account) -> None:
    body = {"companyName": "Tokyo", "subsidiary": {"id": "1"}, "currency": {"id": "5"}}
    customer = account.make("customer", body)
    wrong = account.call("POST", "/record/v1/invoice", invoice(customer, "100.5"))
    assert refused(wrong)[1] == "INVALID_CONTENT"
    made = account.make("invoice", invoice(customer, "100"))
    record = account.get(f"invoice/{made}")
    assert (record["currency"]["id"], D(record["exchangeRate"])) == ("5", D("0.0065"))


@pytest.mark.parametrize(
    ("type", "body", "said"),
    [
        ("customer", {"subsidiary": {"id": "1"}}, "Please enter value(s) for: Company Name."),
        ("customer", {"companyName": "X"}, "Please enter value(s) for: Primary Subsidiary."),
        ("invoice", {"item": {"items": []}}, "Please enter value(s) for: Customer."),
        ("invoice", {"entity": {"id": "4"}}, "at least one line item"),
        ("invoice", invoice(currency={"id": "4"}), "Invalid Field Value 4"),
        ("invoice", invoice("4", "-1"), "may not be negative"),
        ("serviceSaleItem", {}, "Please enter value(s) for: Item Name/Number."),
        ("serviceSaleItem", {"itemId": "item 7"}, "already an item with that name"),
        ("customer", {"companyName": "customer 4", "subsidiary": {"id": "1"}}, "unique customer"),
        ("customerRefund", {"customer": {"id": "4"}}, "Please enter value(s) for: Account."),
    ],
)
def test_business_rules_speak_in_free_text(
    account: Account, type: str, body: dict[str, Any], said: str
) -> None:
    status, code, detail = refused(account.call("POST", f"/record/v1/{type}", body))
    assert (status, code) == (400, "USER_ERROR")
    assert said in detail


def test_a_payment_cannot_exceed_what_is_open(account: Account) -> None:
    document = account.make("invoice", invoice())
    too_much = account.call("POST", "/record/v1/customerPayment", paid(document, 201, 300))
    assert refused(too_much)[:2] == (400, "USER_ERROR")
    more_than_paid = account.call("POST", "/record/v1/customerPayment", paid(document, 200, 100))
    assert refused(more_than_paid)[:2] == (400, "USER_ERROR")
    other = account.call("POST", "/record/v1/customerPayment", paid(document, 1, 1, "220"))
    assert other.json()["o:errorDetails"][0]["o:errorPath"] == "apply.items[0].doc"
    assert D(account.get(f"invoice/{document}")["amountRemaining"]) == 200
    account.make("customerPayment", paid(document, 150, 150))
    account.make("customerPayment", paid(document, 50, 50))
    assert refused(account.call("POST", "/record/v1/customerPayment", paid(document, 1, 1)))
    assert D(account.get("customer/4")["balance"]) == 0


def test_a_credit_memo_from_an_invoice_and_its_refund(account: Account) -> None:
    document = account.make("invoice", invoice())
    body = {"apply": {"items": [{"doc": {"id": document}, "apply": True, "amount": 60.0}]}}
    path = f"/record/v1/invoice/{document}/!transform/creditMemo"
    answer = account.call("POST", path, body)
    assert answer.status_code == 204
    memo = answer.headers["Location"].rsplit("/", 1)[1]
    record = account.get(f"creditMemo/{memo}")
    assert record["createdFrom"]["id"] == document
    assert money(record, "total", "applied", "unapplied") == [D(200), D(60), D(140)]
    assert D(account.get(f"invoice/{document}")["amountRemaining"]) == 140
    refund = {
        "customer": {"id": "4"},
        "account": {"id": "1"},
        "apply": {"items": [{"doc": {"id": memo}, "apply": True, "amount": 140.0}]},
    }
    made = account.make("customerRefund", refund)
    assert D(account.get(f"customerRefund/{made}")["total"]) == 140
    used = account.get(f"creditMemo/{memo}")
    assert money(used, "unapplied") == [D(0)]
    assert used["status"]["refName"] == "Fully Applied"


def test_journals_balance_and_receivables_need_a_name(account: Account) -> None:
    def journal(*lines: dict[str, Any]) -> requests.Response:
        body = {"subsidiary": {"id": "1"}, "line": {"items": list(lines)}}
        return account.call("POST", "/record/v1/journalEntry", body)

    fees, bank, receivable = ({"account": {"id": each}} for each in ("58", "1", "2"))
    assert "out of balance" in refused(journal({**fees, "debit": 5}, {**bank, "credit": 4}))[2]
    nameless = journal({**fees, "debit": 5}, {**receivable, "credit": 5})
    assert "entity" in refused(nameless)[2]
    named = {**receivable, "credit": 5, "entity": {"id": "4"}}
    assert journal({**fees, "debit": 5}, named).status_code == 204


def test_a_closed_period_takes_nothing(account: Account) -> None:
    period = next(
        item["id"] for item in account.get('accountingPeriod?q=periodName IS "Feb 2026"')["items"]
    )
    document = account.make("invoice", invoice(tranDate="2026-02-10"))
    closed = account.call("PATCH", f"/record/v1/accountingPeriod/{period}", {"closed": True})
    assert closed.status_code == 204
    late = account.call("POST", "/record/v1/invoice", invoice(tranDate="2026-02-11"))
    assert refused(late)[:2] == (400, "USER_ERROR")
    assert "closed" in refused(late)[2]
    for method, body in (("PATCH", {"memo": "x"}), ("DELETE", None)):
        assert "closed" in refused(account.call(method, f"/record/v1/invoice/{document}", body))[2]
    # A payment of today may still settle it.
    account.make("customerPayment", paid(document, 200, 200))
    account.call("PATCH", f"/record/v1/accountingPeriod/{period}", {"allowNonGLChanges": True})
    path = f"/record/v1/invoice/{document}"
    assert account.call("PATCH", path, {"memo": "x"}).status_code == 204
    assert account.call("PATCH", path, {"tranDate": "2026-03-01"}).status_code == 400


def test_parties_of_a_saved_transaction_stay(account: Account) -> None:
    document = account.make("invoice", invoice())
    moved = account.call("PATCH", f"/record/v1/invoice/{document}", {"entity": {"id": "220"}})
    assert refused(moved)[:2] == (400, "USER_ERROR")


def test_a_payment_does_not_move_the_invoices_date_unless_so_set(account: Account) -> None:
    document = account.make("invoice", invoice())
    before = account.get(f"invoice/{document}")["lastModifiedDate"]
    account.stand_in.clock.move(60)
    account.make("customerPayment", paid(document, 200, 200))
    assert account.get(f"invoice/{document}")["lastModifiedDate"] == before
    account.call("PATCH", f"/record/v1/invoice/{document}", {"memo": "seen"})
    assert account.get(f"invoice/{document}")["lastModifiedDate"] == "2026-03-10T20:01:00Z"
    account.stand_in.books.touch_applied = True
    other = account.make("invoice", invoice())
    account.stand_in.clock.move(60)
    account.make("customerPayment", paid(other, 200, 200))
    assert account.get(f"invoice/{other}")["lastModifiedDate"] == "2026-03-10T20:02:00Z"


def test_a_void_zeroes_the_invoice_and_frees_its_payment(account: Account) -> None:
    document = account.make("invoice", invoice())
    payment = account.make("customerPayment", paid(document, 200, 200))
    account.stand_in.void("invoice", document)
    record = account.get(f"invoice/{document}")
    assert money(record, "total", "amountRemaining", "amountPaid") == [D(0), D(0), D(0)]
    assert record["status"]["refName"] == "Voided"
    assert money(account.get(f"customerPayment/{payment}"), "unapplied") == [D(200)]


def test_what_is_linked_to_cannot_be_deleted_first(account: Account) -> None:
    document = account.make("invoice", invoice())
    payment = account.make("customerPayment", paid(document, 200, 200))
    assert "linked" in refused(account.call("DELETE", f"/record/v1/invoice/{document}"))[2]
    assert "dependent" in refused(account.call("DELETE", "/record/v1/customer/4"))[2]
    assert account.call("DELETE", f"/record/v1/customerPayment/{payment}").status_code == 204
    assert D(account.get(f"invoice/{document}")["amountRemaining"]) == 200
    assert account.call("DELETE", f"/record/v1/invoice/{document}").status_code == 204


def test_sublists_are_links_or_resources_of_their_own(account: Account) -> None:
    document = account.make("invoice", invoice())
    record = account.get(f"invoice/{document}")
    assert record["item"]["links"][0]["href"].endswith(f"/invoice/{document}/item")
    lines = account.get(f"invoice/{document}/item")
    assert lines["totalResults"] == 1
    assert D(account.get(f"invoice/{document}/item/1")["amount"]) == 200


def test_a_payment_also_lists_open_documents_not_applied(account: Account) -> None:
    first, second = account.make("invoice", invoice()), account.make("invoice", invoice())
    payment = account.make("customerPayment", paid(first, 200, 200))
    lines = account.get(f"customerPayment/{payment}/apply")["items"]
    assert [(line["doc"]["id"], line["apply"]) for line in lines] == [
        (first, True),
        (second, False),
    ]


def test_a_deposit_collects_payments(account: Account) -> None:
    document = account.make("invoice", invoice())
    payment = account.make("customerPayment", paid(document, 200, 200))
    fee = {"account": {"id": "58"}, "amount": 6.1}
    body = {
        "account": {"id": "1"},
        "payment": {"items": [{"id": payment, "deposit": True}]},
        "cashBack": {"items": [fee]},
    }
    made = account.make("deposit", body)
    assert D(account.get(f"deposit/{made}")["total"]) == D("193.90")
    assert account.get(f"customerPayment/{payment}")["status"]["refName"] == "Deposited"


def test_an_account_without_one_world_has_no_subsidiary() -> None:
    for account in opened(one_world=False):
        body = {"companyName": "A", "subsidiary": {"id": "1"}}
        assert refused(account.call("POST", "/record/v1/customer", body))[1] == "INVALID_CONTENT"
        made = account.make("customer", {"companyName": "A"})
        assert "subsidiary" not in account.get(f"customer/{made}")
        missing = account.ask("SELECT t.subsidiary FROM transaction t")
        assert "Field 'subsidiary' for record 'transaction' was not found" in refused(missing)[2]
        assert "Invalid search type" in refused(account.ask("SELECT id FROM subsidiary"))[2]


def test_an_asynchronous_request_and_its_key(account: Account) -> None:
    headers = {"Prefer": "respond-async", "X-NetSuite-idempotency-key": "cac827ea"}
    first = account.call("POST", "/record/v1/invoice", invoice(), **headers)
    assert (first.status_code, first.headers["Preference-Applied"]) == (202, "respond-async")
    again = account.call("POST", "/record/v1/invoice", invoice(), **headers)
    assert refused(again)[:2] == (400, "IDEMPOTENCY_ERROR")
    job = first.headers["Location"]
    assert job.endswith(again.headers["Location"])
    tasks = account.session.get(f"{job}/task", timeout=9).json()
    wanted = sample("rest_async_job_tasks.json")
    assert tasks.keys() == wanted.keys()
    task = tasks["items"][0]["links"][0]["href"]
    assert account.session.get(task, timeout=9).json()["progress"] == "succeeded"
    result = account.session.get(f"{task}/result", timeout=9)
    assert (result.status_code, "/invoice/" in result.headers["Location"]) == (204, True)


def test_a_batch_has_a_result_for_each_record(account: Account) -> None:
    items = [invoice(externalId="b-1"), invoice("9999", externalId="b-2")]
    kind = "application/vnd.oracle.resource+json; type=collection"
    headers = {"Prefer": "respond-async", "Content-Type": kind}
    answer = account.call("PUT", "/record/v1/invoice", {"items": items}, **headers)
    job = answer.headers["Location"]
    statuses = [
        account.session.get(f"{job}/task/{number}/result", timeout=9).status_code
        for number in (1, 2)
    ]
    assert statuses == [204, 400]


def test_the_catalog_knows_fields_and_custom_fields(account: Account) -> None:
    headers = {"Accept": "application/schema+json"}
    schema = account.call("GET", "/record/v1/metadata-catalog/invoice", **headers).json()
    assert schema["properties"]["custbody_stripe_id"]["x-ns-custom-field"] is True
    assert schema["properties"]["item"]["x-ns-sublist-keys"] == ["line"]
    names = [item["name"] for item in account.get("metadata-catalog")["items"]]
    assert "journalEntry" in names
    malformed = account.call("GET", "/record/v1/metadata-catalog/customer, salesOrder")
    assert refused(malformed)[:2] == (400, "INVALID_REQUEST")


def test_type_names_ignore_case_and_unknown_paths_are_not_found(account: Account) -> None:
    assert account.get("JOURNALENTRY")["totalResults"] == 0
    assert account.call("GET", "/record/v1/salad").status_code == 404
    assert account.call("PUT", "/record/v1/currency").status_code == 405
    broken = account.call("POST", "/record/v1/invoice", b"{not json")
    assert refused(broken)[:2] == (400, "INVALID_CONTENT")
