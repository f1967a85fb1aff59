"""Object Query, Data Query, AQuA and exports of the Zuora stand-in, as public clients call them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from zuora_session import Stage, stage


@pytest.fixture
def zuora() -> Iterator[Stage]:
    with stage() as made:
        yield made


def invoices(count: int, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            "invoice",
            {
                "id": f"{n:032x}",
                "invoiceNumber": f"INV{n:08d}",
                "status": "Posted",
                "currency": "USD",
                "amount": Decimal(n) / 4,
                "balance": Decimal(n) / 4,
                "reversed": False,
                "invoiceDate": f"2025-{n % 12 + 1:02d}-01",
                "createdDate": "2025-01-01T00:00:00Z",
                "updatedDate": f"2025-01-01T00:{n // 3 % 60:02d}:00Z",
                **more,
            },
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("sort", ["", "updateddate.ASC", "updateddate.DESC", "balance.DESC"])
def test_the_cursor_walks_every_row_once(zuora: Stage, sort: str) -> None:
    zuora.stand_in.load(invoices(25))
    seen: list[str] = []
    params: dict[str, Any] = {"pageSize": 7} | ({"sort[]": sort} if sort else {})
    while True:
        page = zuora.get("/object-query/invoices", **params)
        seen += [row["id"] for row in page["data"]]
        if "nextPage" not in page:
            break
        params["cursor"] = page["nextPage"]
    assert len(seen) == 25 and len(set(seen)) == 25


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["balance.GE:6"], 1),
        (["balance.LT:0.5"], 2),
        (["updateddate.GE:2025-01-01T00:08:00Z"], 1),
        (["currency.EQ:usd", "invoicedate.EQ:2025-01-01"], 3),
        (["invoicenumber.IN:[INV00000001,INV00000002]"], 2),
        (["invoicenumber.SW:inv0000002"], 5),
        (["duedate.EQ:null"], 25),
        (["status.NE:Posted"], 0),
    ],
)
def test_filters_are_joined_by_and(zuora: Stage, filters: list[str], count: int) -> None:
    zuora.stand_in.load(invoices(25))
    page = zuora.get("/object-query/invoices", **{"filter[]": filters, "pageSize": 99})
    assert len(page["data"]) == count


@pytest.mark.parametrize(
    "query",
    [
        "pageSize=100",
        "pageSize=0",
        "filter[]=nope.EQ:1",
        "filter[]=balance.XX:1",
        "filter[]=updateddate.GE:2025-01-01",
        "expand[]=nope",
        "sort[]=balance",
        "cursor=%21",
        "colour=red",
    ],
)
def test_what_the_guide_does_not_know_is_refused(zuora: Stage, query: str) -> None:
    assert zuora.call("GET", f"/object-query/invoices?{query}").status_code == 400


def test_expand_fields_and_the_silent_cut(zuora: Stage) -> None:
    account = zuora.account("Oh Canada")
    zuora.stand_in.load(invoices(12, accountId=account))
    query = "expand[]=billto&expand[]=invoices&account.fields[]=name&billto.fields[]=firstname"
    found = zuora.get(f"/object-query/accounts/A00000001?{query}&invoices.fields[]=id")
    assert found["name"] == "Oh Canada" and found["billTo"] == {"firstName": "Ada"}
    assert len(found["invoices"]) == 10  # the default page size, without any marker


def test_a_fresh_record_may_lag() -> None:
    with stage(object_query_lag=60) as zuora:
        account = zuora.account()
        assert zuora.get("/object-query/accounts") == {"data": []}
        assert zuora.get(f"/v1/accounts/{account}")["success"] is True
        zuora.stand_in.clock.move(61)
        assert len(zuora.get("/object-query/accounts")["data"]) == 1


def test_discovery_as_a_data_query_source_does_it(zuora: Stage) -> None:
    assert {"Table": "invoice"} in zuora.rows("SHOW TABLES")
    types = {row["Column"]: row["Type"] for row in zuora.rows("DESCRIBE invoice")}
    assert types["balance"] == "decimal(22,9)"
    assert types["updateddate"] == "timestamp with time zone"


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("updateddate >= timestamp '2025-01-01 00:08:00 +00:00'", 1),
        ("updateddate >= TIMESTAMP '2025-01-01 01:08:00 +01:00'", 1),
        ("balance > 5.5 or balance = 0", 3),
        ("balance between 1 and 2", 5),
        ("invoicedate = date '2025-01-01' and not reversed", 3),
        ("invoicenumber in ('INV00000003', 'x')", 1),
        ("invoicenumber like 'INV0000002%'", 5),
        ("duedate is null", 25),
        ("reversed = true", 0),
    ],
)
def test_conditions(zuora: Stage, where: str, count: int) -> None:
    zuora.stand_in.load(invoices(25))
    assert len(zuora.rows(f"select id from invoice where {where}")) == count
    assert zuora.rows(f"select count(*) as n from invoice where {where}") == [{"n": count}]


def test_sums_are_exact_and_numbers_sort_as_numbers(zuora: Stage) -> None:
    zuora.stand_in.load(invoices(25))
    assert zuora.rows("select sum(balance) as s from invoice") == [{"s": Decimal("75.00")}]
    rows = zuora.rows("select balance from invoice order by balance desc limit 2")
    assert [row["balance"] for row in rows] == [6, Decimal("5.75")]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from invoise", "Table owl.data.invoise does not exist"),
        ("select region__c from invoice", "cannot be resolved"),
        ("select id from invoice where updateddate > '2025-01-01'", "cannot be applied"),
        ("select frobnicate(id) from invoice", "not registered"),
        ("delete from invoice", "only SELECT"),
    ],
)
def test_a_bad_query_is_a_failed_job(zuora: Stage, query: str, said: str) -> None:
    job = zuora.job(query)
    assert job["queryStatus"] == "failed" and said in job["errorMessage"]


def test_a_malformed_job_is_refused_at_once(zuora: Stage) -> None:
    answer = zuora.call("POST", "/query/jobs", {"query": "select 1"})
    assert answer.status_code == 400 and answer.json()["code"] == 400
    broken = zuora.http.post(zuora.running.url + "/query/jobs", data="{", timeout=10)
    assert broken.json() == {"code": 400, "message": "Unable to process JSON"}


def test_the_file_takes_no_authorization_header(zuora: Stage) -> None:
    job = zuora.job("select id from invoice")
    assert zuora.http.get(job["dataFile"], timeout=10).status_code == 400
    assert requests.get(job["dataFile"], timeout=10).content == b""
    assert requests.get(job["dataFile"].split("?")[0], timeout=10).status_code == 403
    zuora.stand_in.clock.move(86401)
    assert requests.get(job["dataFile"], timeout=10).status_code == 403


def test_deleted_rows_stay_visible_for_thirty_days(zuora: Stage) -> None:
    account = zuora.account()
    draft = zuora.invoice(account, status="Draft")["id"]
    zuora.do("DELETE", f"/v1/invoices/{draft}")
    assert zuora.get("/object-query/invoices") == {"data": []}
    assert zuora.rows("select id from invoice") == []
    assert zuora.rows("select id from invoice", readDeleted=True) == [{"id": draft}]
    both = zuora.rows("select id, deleted from invoice")
    assert both == [{"id": draft, "deleted": True}]
    assert zuora.job("select id from accountingperiod", readDeleted=True)["queryStatus"] == "failed"
    zuora.stand_in.clock.move(30 * 86400 + 1)
    zuora.log_in()
    assert zuora.rows("select id from invoice", readDeleted=True) == []


def test_the_output_cap_fails_the_job() -> None:
    with stage(data_query_cap=10) as zuora:
        zuora.stand_in.load(invoices(11))
        assert zuora.job("select id from invoice")["queryStatus"] == "failed"
        assert len(zuora.rows("select id from invoice limit 10")) == 10


def test_a_gzip_csv_file(zuora: Stage) -> None:
    zuora.stand_in.load(invoices(2))
    job = zuora.job("select id, balance from invoice", outputFormat="CSV", compression="GZIP")
    text = gzip.decompress(requests.get(job["dataFile"], timeout=10).content).decode()
    assert text.splitlines()[0] == "id,balance" and len(text.splitlines()) == 3


def test_a_file_is_given_in_parts_as_an_object_store_does(zuora: Stage) -> None:
    zuora.stand_in.load(invoices(5))
    address = zuora.job("select id, balance from invoice")["dataFile"]
    whole = requests.get(address, timeout=10).content

    def part(span: str) -> requests.Response:
        return requests.get(address, headers={"Range": f"bytes={span}"}, timeout=10)

    first, rest = part("0-9"), part(f"10-{len(whole) + 100}")
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["Content-Range"] == f"bytes 0-9/{len(whole)}"
    assert rest.headers["Content-Range"] == f"bytes 10-{len(whole) - 1}/{len(whole)}"
    assert first.content + rest.content == whole and part("10-").content == rest.content
    assert part(f"{len(whole)}-").status_code == 416


def test_a_hundred_thousand_invoices(zuora: Stage) -> None:
    zuora.stand_in.load(invoices(100_000))
    job = zuora.job("select id, balance, updateddate from invoice")
    assert job["outputRows"] == 100_000
    page = zuora.get("/object-query/invoices", pageSize=99, **{"sort[]": "updateddate.ASC"})
    assert len(page["data"]) == 99


def test_aqua_as_a_singer_tap_does_it(zuora: Stage) -> None:
    zuora.stand_in.load(invoices(3))
    names = ElementTree.fromstring(zuora.call("GET", "/v1/describe").content)
    assert "Invoice" in [one.text for one in names.findall("./object/name")]
    described = ElementTree.fromstring(zuora.call("GET", "/v1/describe/Invoice").content)
    fields = [one.findtext("name") for one in described.findall("fields/field")]
    assert "InvoiceNumber" in fields and "UpdatedDate" in fields
    query = "select Id, InvoiceNumber, Balance, UpdatedDate from Invoice order by UpdatedDate asc"
    sent = {
        "name": "Invoice_1", "partner": "p", "project": "Invoice_1", "format": "csv",
        "version": "1.2", "encrypted": "none", "useQueryLabels": "true", "dateTimeUtc": "true",
        "incrementalTime": "2024-12-31 00:00:00",
        "queries": [{"name": "Invoice_1", "query": query, "type": "zoqlexport"}],
    }  # fmt: skip
    job = zuora.do("POST", "/v1/batch-query/", sent)
    path = f"/v1/batch-query/jobs/{job['id']}"
    while (job := zuora.get(path))["status"] != "completed":
        assert job["status"] in ("submitted", "executing")
    file = zuora.call("GET", f"/v1/file/{job['batches'][0]['fileId']}").text
    rows = list(csv.DictReader(file.splitlines()))
    assert sorted(row["Invoice.Balance"] for row in rows) == ["0", "0.25", "0.5"]


def test_a_refused_aqua_query_answers_200_with_a_message(zuora: Stage) -> None:
    sent = {"queries": [{"name": "x", "query": "select * from Nope limit 1"}]}
    answer = zuora.do("POST", "/v1/batch-query/", sent)
    assert answer["message"].startswith("There is a syntax error")
    assert zuora.get(f"/v1/batch-query/jobs/{answer['id']}")["status"] == "error"


def test_a_rest_export_as_a_singer_tap_does_it(zuora: Stage) -> None:
    zuora.stand_in.load(invoices(3))
    where = "UpdatedDate >= '2025-01-01T00:00:00Z' and UpdatedDate < '2026-01-01T00:00:00Z'"
    sent = {"Format": "csv", "Query": f"select Id, Status from Invoice where {where}"}
    made = zuora.do("POST", "/v1/object/export", sent)
    assert made["Success"] is True
    while (export := zuora.get(f"/v1/object/export/{made['Id']}"))["Status"] != "Completed":
        assert export["Status"] == "Pending"
    lines = zuora.call("GET", f"/v1/files/{export['FileId']}").text.splitlines()
    assert lines[0] == "Invoice.Id,Invoice.Status" and len(lines) == 4


def test_a_left_join_keeps_the_rows_without_a_partner() -> None:
    with stage() as zuora:
        zuora.invoice(zuora.account())
        join = "left join subscription s on s.id = i.subscriptionid"
        rows = zuora.rows(f"select i.chargeamount, s.name from invoiceitem i {join}")
        assert [(row["chargeamount"], row["name"]) for row in rows] == [(100, None)]


def test_a_result_file_is_read_in_parts() -> None:
    with stage() as zuora:
        for number in range(30):
            zuora.account(f"Client {number:02}")
        url = zuora.job("select id, name from account order by name")["dataFile"]
        whole = requests.get(url, timeout=20).content
        parts, start = [], 0
        while start < len(whole):
            wanted = {"Range": f"bytes={start}-{start + 99}"}
            answer = requests.get(url, headers=wanted, timeout=20)
            end = min(start + 99, len(whole) - 1)
            assert answer.status_code == 206
            assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"
            parts.append(answer.content)
            start += 100
        assert b"".join(parts) == whole
        wanted = {"Range": f"bytes={len(whole)}-"}
        assert requests.get(url, headers=wanted, timeout=20).status_code == 416
        back = requests.get(url, headers={"Range": "bytes=5-9"}, timeout=20)
        assert back.content == whole[5:10]
