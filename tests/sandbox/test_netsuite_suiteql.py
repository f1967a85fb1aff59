"""SuiteQL answers as Oracle documents: strings, ledger signs, paging, zones, error texts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from test_netsuite_access import Account, opened, refused, sample

D = Decimal

CUSTOMER = {
    "id": "7",
    "entityId": "Ümlaut & Söhne",
    "companyName": "Ümlaut & Söhne",
    "isPerson": False,
    "email": "u@example.com",
    "subsidiary": {"id": "1", "refName": "Parent Company"},
    "currency": {"id": "4", "refName": "Euro"},
    "custentity_stripe_id": "cus_7",
    "dateCreated": "2025-01-02T03:04:05Z",
    "lastModifiedDate": "2025-01-02T03:04:05Z",
    "addressBook": {
        "items": [
            {
                "id": "1",
                "defaultBilling": True,
                "addressBookAddress": {
                    "addr1": "1 Main St",
                    "city": "Graz",
                    "country": {"id": "AT"},
                },
            }
        ]
    },
}
ITEM = {"id": "9", "itemId": "SEAT", "displayName": "Seat", "incomeAccount": {"id": "54"}}
EURO = {"currency": {"id": "4", "refName": "Euro"}, "exchangeRate": D("1.1")}
INVOICE = {
    "id": "2001",
    "tranId": "INV-1",
    "tranDate": "2026-01-31",
    "dueDate": "2026-03-01",
    "entity": {"id": "7", "refName": "Ümlaut & Söhne"},
    "subsidiary": {"id": "1"},
    **EURO,
    "account": {"id": "2"},
    "subtotal": D("100.00"),
    "taxTotal": D("20.00"),
    "total": D("120.00"),
    "amountPaid": D("50.00"),
    "amountRemaining": D("70.00"),
    "status": {"id": "Open", "refName": "Open"},
    "custbody_stripe_id": "in_1",
    "createdDate": "2026-01-31T20:00:00Z",
    "lastModifiedDate": "2026-02-01T06:30:00Z",
    "item": {
        "items": [
            {"line": 1, "item": {"id": "9"}, "quantity": 3, "rate": D("40"), "amount": D("120.00")},
            {"line": 2, "item": {"id": "9"}, "amount": D("-20.00"), "custcol_note": "discount"},
        ]
    },
}
PAYMENT = {
    "id": "2002",
    "tranId": "P-1",
    "tranDate": "2026-02-05",
    "customer": {"id": "7"},
    **EURO,
    "account": {"id": "1"},
    "arAcct": {"id": "2"},
    "payment": D("60.00"),
    "applied": D("50.00"),
    "unapplied": D("10.00"),
    "status": {"id": "Deposited", "refName": "Deposited"},
    "createdDate": "2026-02-05T12:00:00Z",
    "lastModifiedDate": "2026-02-05T12:00:00Z",
    "apply": {"items": [{"doc": {"id": "2001"}, "apply": True, "amount": D("50.00"), "line": 1}]},
}
CREDIT = {
    "id": "2003",
    "tranId": "CM-1",
    "tranDate": "2026-02-10",
    "entity": {"id": "7"},
    **EURO,
    "account": {"id": "2"},
    "total": D("30.00"),
    "unapplied": D("30.00"),
    "status": {"id": "Open", "refName": "Open"},
    "createdDate": "2026-02-10T12:00:00Z",
    "lastModifiedDate": "2026-02-10T12:00:00Z",
    "item": {"items": [{"line": 1, "item": {"id": "9"}, "amount": D("30.00")}]},
}


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    for one in opened():
        one.stand_in.load([("customer", CUSTOMER), ("serviceSaleItem", ITEM)])
        one.stand_in.load([("invoice", INVOICE), ("customerPayment", PAYMENT)])
        one.stand_in.load([("creditMemo", CREDIT)])
        yield one


def test_values_are_strings_nulls_are_left_out_keys_are_lower_case(account: Account) -> None:
    answer = account.ask("SELECT ID, CompanyName, Phone FROM Customer WHERE id > ?", "0").json()
    assert answer.keys() == sample("rest_suiteql_nulls_omitted.json").keys()
    assert answer["items"] == [{"links": [], "id": "7", "companyname": "Ümlaut & Söhne"}]


def test_transactions_show_codes_letters_and_both_currencies(account: Account) -> None:
    rows = account.rows(
        "SELECT t.id, t.type, t.status, BUILTIN.DF(t.status) AS words, t.foreigntotal, t.total, "
        "t.trandate, t.custbody_stripe_id FROM transaction t ORDER BY t.id"
    )
    assert rows == [
        {
            "id": "2001",
            "type": "CustInvc",
            "status": "A",
            "words": "Invoice : Open",
            "foreigntotal": "120",
            "total": "132",
            "trandate": "1/31/2026",
            "custbody_stripe_id": "in_1",
        },
        {
            "id": "2002",
            "type": "CustPymt",
            "status": "C",
            "words": "Payment : Deposited",
            "foreigntotal": "60",
            "total": "66",
            "trandate": "2/5/2026",
        },
        {
            "id": "2003",
            "type": "CustCred",
            "status": "A",
            "words": "Credit Memo : Open",
            "foreigntotal": "-30",
            "total": "-33",
            "trandate": "2/10/2026",
        },
    ]


def test_lines_have_the_ledger_sign(account: Account) -> None:
    q = (
        "SELECT l.id, l.mainline, l.taxline, l.foreignamount, l.netamount, l.custcol_note "
        "FROM transactionline l WHERE l.transaction = ? ORDER BY l.linesequencenumber"
    )
    assert account.rows(q, "2001") == [
        {
            "id": "0",
            "mainline": "T",
            "taxline": "F",
            "foreignamount": "120",
            "netamount": "132",
        },
        {
            "id": "1",
            "mainline": "F",
            "taxline": "F",
            "foreignamount": "-120",
            "netamount": "-132",
        },
        {
            "id": "2",
            "mainline": "F",
            "taxline": "F",
            "foreignamount": "20",
            "netamount": "22",
            "custcol_note": "discount",
        },
        {"id": "3", "mainline": "F", "taxline": "T", "foreignamount": "-20", "netamount": "-22"},
    ]
    credit = account.rows(q, "2003")
    assert [row["foreignamount"] for row in credit] == ["-30", "30"]


def test_every_transaction_adds_up_to_nothing(account: Account) -> None:
    q = "SELECT transaction, SUM(foreignamount) AS s FROM transactionline GROUP BY transaction"
    assert {row["s"] for row in account.rows(q)} == {"0"}
    books = "SELECT SUM(debit) AS d, SUM(credit) AS c FROM transactionaccountingline"
    # Debits: 132 + 22 (discount) + 66 + 33; credits: 132 + 22 (tax) + 66 + 33.
    assert account.rows(books) == [{"d": "253", "c": "253"}]


def test_applications_are_links(account: Account) -> None:
    q = "SELECT previousdoc, nextdoc, linktype, previoustype, nexttype, foreignamount FROM "
    expected = {
        "previousdoc": "2001",
        "nextdoc": "2002",
        "linktype": "Payment",
        "previoustype": "CustInvc",
        "nexttype": "CustPymt",
        "foreignamount": "50",
    }
    for table in ("PreviousTransactionLineLink", "NextTransactionLineLink"):
        assert account.rows(q + table) == [expected]


def test_datetimes_are_in_the_accounts_zone(account: Account) -> None:
    # 06:30Z on 1 February is 22:30 on 31 January in Los Angeles.
    row = account.rows(
        "SELECT TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS local, "
        "TO_CHAR(SYS_EXTRACT_UTC(CAST(t.lastmodifieddate AS TIMESTAMP WITH TIME ZONE)), "
        "'YYYY-MM-DD\"T\"HH24:MI:SS') AS utc, t.lastmodifieddate AS plain "
        "FROM transaction t WHERE t.id = 2001"
    )[0]
    assert row == {
        "local": "2026-01-31 22:30:00",
        "utc": "2026-02-01T06:30:00",
        "plain": "1/31/2026",
    }
    now = account.rows("SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') AS now FROM dual")
    assert now == [{"now": "2026-03-10 13:00:00"}]


STAMP = "TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS')"
TAX_LINES = "SELECT 1 FROM transactionline l WHERE l.taxline = 'T'"


@pytest.mark.parametrize(
    ("where", "params", "found"),
    [
        (f"t.lastmodifieddate >= {STAMP}", ["2026-01-31 22:30:00"], 3),
        (f"t.lastmodifieddate > {STAMP}", ["2026-01-31 22:30:00"], 2),
        ("t.trandate = '1/31/2026'", [], 1),
        ("t.trandate BETWEEN TO_DATE('2026-02-01', 'YYYY-MM-DD') AND DATE '2026-02-28'", [], 2),
        ("t.trandate > SYSDATE - 30", [], 1),
        ("TRUNC(t.lastmodifieddate) = TO_DATE('2026-02-05', 'YYYY-MM-DD')", [], 1),
        ("t.id IN (?, ?)", ["2001", 2003], 2),
        ("t.foreigntotal > 100", [], 1),
        ("t.foreigntotal > ?", ["9"], 2),
        ("t.foreigntotal = 60.00", [], 1),
        ("ABS(t.foreigntotal) BETWEEN 30 AND 60", [], 2),
        ("t.tranid LIKE 'INV%'", [], 1),
        ("t.tranid LIKE 'inv%'", [], 0),
        ("t.memo IS NULL AND NOT t.type = 'CustInvc'", [], 2),
        ("t.type IN ('CustInvc', 'CustPymt')", [], 2),
        ("t.voided = ?", [False], 3),
        (f"EXISTS ({TAX_LINES} AND l.transaction = t.id)", [], 1),
        ("t.id IN (SELECT nextdoc FROM nexttransactionlinelink)", [], 1),
        ("EXTRACT(MONTH FROM t.trandate) = 2", [], 2),
        ("LENGTH(t.tranid) > 4", [], 1),
    ],
)  # fmt: skip
def test_conditions(account: Account, where: str, params: list[Any], found: int) -> None:
    assert len(account.rows(f"SELECT t.id FROM transaction t WHERE {where}", *params)) == found


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("t.foreigntotal * -1", "-120"),
        ("t.foreigntotal / 8", "15"),
        ("ROUND(10 / 3, 2)", "3.33"),
        ("NVL(t.memo, 'none')", "none"),
        ("DECODE(t.type, 'CustInvc', 'I', 'X')", "I"),
        ("CASE WHEN t.foreigntotal > 100 THEN 'big' ELSE 'small' END", "big"),
        ("t.tranid || '/' || t.memo || t.type", "INV-1/CustInvc"),
        ("UPPER(SUBSTR(t.recordtype, 1, 3))", "INV"),
        ("TO_CHAR(t.trandate, 'DD.MM.YY')", "31.01.26"),
        ("TO_CHAR(t.trandate, 'Mon YYYY')", "Jan 2026"),
        ("TO_CHAR(t.foreigntotal, 'FM9,990.00')", "120.00"),
        ("ADD_MONTHS(t.trandate, 1)", "2/28/2026"),
        ("t.duedate - t.trandate", "29"),
        ("t.trandate + 1", "2/1/2026"),
        ("BUILTIN.DF(t.entity)", "Ümlaut & Söhne"),
        ("BUILTIN.DF(t.currency)", "Euro"),
        ("BUILTIN.DF(t.type)", "Invoice"),
        ("BUILTIN.CF(t.status)", "CustInvc:A"),
        ("COALESCE(t.memo, t.tranid)", "INV-1"),
        ("GREATEST(2, 10)", "10"),
        ("CAST(t.id AS VARCHAR(10))", "2001"),
        ("NVL2(t.memo, 'yes', 'no')", "no"),
        ("UPPER(BUILTIN.DF(t.entity))", "ÜMLAUT & SÖHNE"),
        ("ROUND(MONTHS_BETWEEN(t.duedate, t.trandate), 4)", "1.0323"),  # 2 months less 30/31
        ("MONTHS_BETWEEN(LAST_DAY(ADD_MONTHS(t.trandate, 1)), t.trandate)", "1"),
        ("LPAD(t.id, 6, '0') || RPAD('a', 3, '-')", "002001a--"),
        ("INITCAP('open INVOICE')", "Open Invoice"),
        ("INSTR('INV-1-2', '-', 5)", "6"),
        ("INSTR('INV-1-2', '-', -1)", "6"),
        ("SUBSTR(t.tranid, -1) || SUBSTR(t.tranid, 0, 3)", "1INV"),
        ("REGEXP_SUBSTR(t.tranid, '[[:digit:]]+')", "1"),
        ("REGEXP_REPLACE(t.tranid, '([A-Z]+)-([0-9]+)', '\\2/\\1')", "1/INV"),
        ("POWER(2, 10)", "1024"),
    ],
)
def test_expressions(account: Account, expression: str, value: str) -> None:
    q = f"SELECT {expression} AS v FROM transaction t WHERE t.id = ?"
    assert account.rows(q, "2001") == [{"v": value}]


def test_groups_joins_and_orders(account: Account) -> None:
    q = (
        "SELECT c.entityid, BUILTIN.DF(t.type) AS kind, COUNT(DISTINCT t.id) AS n, "
        "SUM(l.foreignamount) AS amount, MAX(t.trandate) AS latest "
        "FROM transaction t INNER JOIN transactionline l ON l.transaction = t.id "
        "LEFT JOIN customer c ON c.id = t.entity WHERE l.mainline = 'T' "
        "GROUP BY c.entityid, BUILTIN.DF(t.type) HAVING SUM(l.foreignamount) > 0 "
        "ORDER BY SUM(l.foreignamount) DESC"
    )
    who = "Ümlaut & Söhne"
    assert account.rows(q) == [
        {"entityid": who, "kind": "Invoice", "n": "1", "amount": "120", "latest": "1/31/2026"},
        {"entityid": who, "kind": "Payment", "n": "1", "amount": "60", "latest": "2/5/2026"},
    ]
    amounts = account.rows("SELECT foreigntotal FROM transaction ORDER BY foreigntotal")
    assert [row["foreigntotal"] for row in amounts] == ["-30", "60", "120"]
    outer = "SELECT c.id, k.id AS kid FROM customer c, contact k WHERE c.id = k.company(+)"
    assert account.rows(outer) == [{"id": "7"}]
    distinct = "SELECT DISTINCT type, status, BUILTIN.DF(status) FROM transaction"
    assert len(account.rows(distinct)) == 3
    assert account.rows("SELECT COUNT(*) FROM transaction") == [{"expr1": "3"}]
    union = "SELECT id FROM customer UNION ALL SELECT id FROM item ORDER BY 1"
    assert account.rows(union) == [{"id": "7"}, {"id": "9"}]
    with_ = "WITH x AS (SELECT id, foreigntotal f FROM transaction) SELECT id FROM x WHERE f > 100"
    assert account.rows(with_) == [{"id": "2001"}]


def test_rownum_counts_before_the_sort(account: Account) -> None:
    first = account.rows("SELECT id FROM currency WHERE ROWNUM <= 2 ORDER BY id DESC")
    assert first == [{"id": "2"}, {"id": "1"}]
    fetched = account.rows("SELECT id FROM currency ORDER BY id DESC FETCH FIRST 2 ROWS ONLY")
    assert fetched == [{"id": "5"}, {"id": "4"}]
    window = account.rows(
        "SELECT * FROM (SELECT a.*, ROWNUM rn FROM (SELECT id FROM currency ORDER BY id DESC) a "
        "WHERE ROWNUM <= 4) WHERE rn > 2"
    )
    assert window == [{"id": "3", "rn": "3"}, {"id": "2", "rn": "4"}]


def test_top_counts_after_the_sort_and_limit_is_no_suiteql(account: Account) -> None:
    q = "SELECT TOP 2 id FROM transaction ORDER BY id DESC"
    assert account.rows(q) == [{"id": "2003"}, {"id": "2002"}]
    limited = {"q": "SELECT id FROM transaction ORDER BY id LIMIT 2"}
    answer = account.call("POST", "/query/v1/suiteql", limited, Prefer="transient")
    assert refused(answer)[:2] == (400, "INVALID_PARAMETER")


def test_a_list_is_joined_in_its_own_order(account: Account) -> None:
    q = "SELECT LISTAGG(tranid, ',') WITHIN GROUP (ORDER BY %s) AS l FROM transaction"
    assert account.rows(q % "id DESC") == [{"l": "CM-1,P-1,INV-1"}]
    assert account.rows(q % "memo, foreigntotal") == [{"l": "CM-1,P-1,INV-1"}]  # -30, 60, 120


def test_lists_that_every_account_has_can_be_joined_to(account: Account) -> None:
    q = (
        "SELECT l.id, d.name FROM transactionline l LEFT JOIN department d ON d.id = l.department "
        "LEFT JOIN classification c ON c.id = l.class LEFT JOIN location o ON o.id = l.location "
        "WHERE l.transaction = 2002 ORDER BY l.id"
    )
    assert account.rows(q) == [{"id": "0"}, {"id": "1"}]
    assert account.rows("SELECT id FROM vendor UNION SELECT id FROM employee") == []
    assert account.rows("SELECT id FROM accountingbook WHERE isprimary = 'T'") == [{"id": "1"}]


def test_master_tables(account: Account) -> None:
    assert account.rows("SELECT id, symbol, isbasecurrency FROM currency WHERE id <= 2") == [
        {"id": "1", "symbol": "USD", "isbasecurrency": "T"},
        {"id": "2", "symbol": "GBP", "isbasecurrency": "F"},
    ]
    assert account.rows("SELECT itemid, displayname, itemtype, isinactive FROM item") == [
        {"itemid": "SEAT", "displayname": "Seat", "itemtype": "Service", "isinactive": "F"}
    ]
    assert account.rows("SELECT acctnumber, accttype FROM account WHERE id = 2") == [
        {"acctnumber": "1100", "accttype": "AcctRec"}
    ]
    assert account.rows("SELECT name, daysuntilnetdue FROM term WHERE id = 1") == [
        {"name": "Net 15", "daysuntilnetdue": "15"}
    ]
    period = "SELECT periodname, startdate, closed FROM accountingperiod WHERE periodname = ?"
    assert account.rows(period, "Feb 2026") == [
        {"periodname": "Feb 2026", "startdate": "2/1/2026", "closed": "F"}
    ]
    q = "SELECT entity, subsidiary, isprimarysub FROM customersubsidiaryrelationship"
    assert account.rows(q) == [{"entity": "7", "subsidiary": "1", "isprimarysub": "T"}]
    address = (
        "SELECT b.entity, a.addr1, a.country FROM customeraddressbook b "
        "JOIN entityaddress a ON a.nkey = b.addressbookaddress WHERE b.defaultbilling = 'T'"
    )
    assert account.rows(address) == [{"entity": "7", "addr1": "1 Main St", "country": "AT"}]


PREFIX = "Invalid search query. Detailed unprocessed description follows. "


@pytest.mark.parametrize(
    ("q", "said"),
    [
        (
            "SELECT nope FROM transaction",
            "Search error occurred: Unknown identifier 'nope'. Available identifiers are: "
            "{transaction=transaction}.",
        ),
        (
            "SELECT tl.amout FROM transactionline tl",
            "Search error occurred: Field 'amout' for record 'transactionLine' was not found.",
        ),
        ("SELECT id FROM nothing", "Invalid search type: nothing."),
        (
            "SELECT id FROM customer LIMIT 5",
            "Search error occurred: Invalid or unsupported search.",
        ),
        ("DELETE FROM customer", "Search error occurred: Invalid or unsupported search."),
        ("SELECT 1 FROM dual; SELECT 2 FROM dual", "Search error occurred: Invalid or"),
        ("SELECT id FROM", "Search error occurred: Invalid or unsupported search."),
        ("SELECT sqlite_version() FROM dual", "Search error occurred: Invalid or unsupported"),
        ("SELECT name FROM sqlite_master", "Invalid search type: sqlite_master."),
        ("SELECT id FROM transaction WHERE trandate > '2026-01-31'", "Search error occurred: The"),
        ("SELECT id FROM customer WHERE id = ?", "Search error occurred: The query has 1"),
        ("SELECT balance FROM customer", "Search error occurred: Unknown identifier 'balance'."),
    ],
)
def test_refusals_name_the_fault(account: Account, q: str, said: str) -> None:
    answer = account.ask(q)
    status, code, detail = refused(answer)
    assert (status, code) == (400, "INVALID_PARAMETER")
    assert detail.startswith(PREFIX + said)
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == "q"


def test_the_transient_header_is_mandatory(account: Account) -> None:
    answer = account.call("POST", "/query/v1/suiteql", {"q": "SELECT id FROM customer"})
    assert answer.status_code == 400
    assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == "Prefer"


def test_a_bound_value_is_never_read_as_sql(account: Account) -> None:
    assert account.rows("SELECT id FROM customer WHERE entityid = ?", "' OR '1'='1") == []


@pytest.fixture(scope="module")
def large() -> Iterator[Account]:
    for one in opened():
        one.stand_in.load([("customer", CUSTOMER), ("serviceSaleItem", ITEM)])
        one.stand_in.load(
            [
                ("invoice", {**INVOICE, "id": str(10_000 + n), "tranId": f"L-{n}"})
                for n in range(3000)
            ]
        )
        yield one


def test_keyset_paging_reads_every_row_once(large: Account) -> None:
    seen: list[int] = []
    while True:
        rows = large.rows(
            "SELECT t.id FROM transaction t WHERE t.id > ? ORDER BY t.id",
            str(seen[-1] if seen else 0),
            query="?limit=700&offset=0",
        )
        if not rows:
            break
        seen += [int(row["id"]) for row in rows]
    assert seen == list(range(10_000, 13_000))


def test_offset_paging_says_how_much_there_is(large: Account) -> None:
    q = "SELECT id FROM transaction ORDER BY id"
    page = large.ask(q, query="?limit=1000&offset=2000").json()
    assert (page["count"], page["totalResults"], page["hasMore"]) == (1000, 3000, False)
    first = large.ask(q, query="?limit=2").json()
    # A thousand pages of two is all that paging reaches.
    assert (first["totalResults"], first["hasMore"]) == (2000, True)
    assert large.ask(q, query="?limit=1000&offset=500").status_code == 400


def test_writes_show_at_once_and_deletions_are_logged(large: Account) -> None:
    before = large.rows("SELECT COUNT(*) AS n FROM transaction")[0]["n"]
    line = {"item": {"id": "9"}, "amount": 5}
    made = large.make("invoice", {"entity": {"id": "7"}, "item": {"items": [line]}})
    assert large.rows("SELECT COUNT(*) AS n FROM transaction") == [{"n": str(int(before) + 1)}]
    large.call("PATCH", f"/record/v1/invoice/{made}", {"memo": "changed"})
    assert large.rows("SELECT memo FROM transaction WHERE id = ?", made) == [{"memo": "changed"}]
    assert large.call("DELETE", f"/record/v1/invoice/{made}").status_code == 204
    assert large.rows("SELECT id FROM transaction WHERE id = ?", made) == []
    q = (
        "SELECT recordid, type, TO_CHAR(deleteddate, 'YYYY-MM-DD') AS day FROM deletedrecord "
        "WHERE deleteddate >= TO_DATE(?, 'YYYY-MM-DD')"
    )
    assert large.rows(q, "2026-03-10") == [
        {"recordid": made, "type": "Invoice", "day": "2026-03-10"}
    ]


def test_many_callers_at_once_see_whole_records(large: Account) -> None:
    large.stand_in.concurrency = 50
    problems: list[str] = []

    def work(number: int) -> None:
        body = {"companyName": f"Parallel {number}", "subsidiary": {"id": "1"}}
        path = f"/record/v1/customer/eid:parallel-{number}"
        for _ in range(3):
            if large.call("PUT", path, body).status_code != 204:
                problems.append(path)
            large.rows("SELECT COUNT(*) AS n FROM customer WHERE entityid LIKE 'Parallel%'")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = large.rows("SELECT COUNT(*) AS n FROM customer WHERE entityid LIKE 'Parallel%'")
    assert (problems, found) == ([], [{"n": "6"}])
