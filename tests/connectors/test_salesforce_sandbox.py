"""The Salesforce connector against the stand-in, which was written without it, with faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from salesforce_org import BILLING, OBJECTS, START, OrgBench, gone, records, told_ids
from spoiling import settled

from tieout.connectors.base import Method, Page, Window, Write
from tieout.connectors.salesforce import Salesforce
from tieout.core.errors import AuthError, ConfigError, InvalidRecord
from tieout.mappings import Mapper, load_mapping
from tieout.sandbox.salesforce.standard import TIEOUT_FIELDS, TIEOUT_OBJECTS

FAULTS = [
    "401", "429", "500_before", "502", "503", "504", "500_after", "closed", "lost_answer",
    "torn", "html",
]  # fmt: skip
WRITABLE = [
    "customer", "contact", "product", "price", "opportunity", "contract", "invoice", "payment",
    "credit_note",
]  # fmt: skip


@pytest.fixture
def new_org() -> Iterator[Callable[..., OrgBench]]:
    made: list[OrgBench] = []

    def make(**options: Any) -> OrgBench:
        made.append(OrgBench(**options))
        return made[-1]

    yield make
    for each in made:
        each.stand_in.close()


@pytest.fixture
def bench(new_org: Callable[..., OrgBench]) -> OrgBench:
    return new_org(limits=False)


def mapper(currency: str | None = None) -> Mapper:
    return load_mapping("salesforce").compile(system="crm", currency=currency)


def pulled(bench: OrgBench, entity: str, since: datetime | None = None, **more: Any) -> list[Page]:
    return list(bench.connector(**more).pull(entity, since=since))


def as_seen(pages: list[Page]) -> list[tuple[list[bytes], tuple[str, ...]]]:
    return [(page.records, page.deleted) for page in pages]


# --- faults


def fill(bench: OrgBench, entity: str) -> None:
    for _ in range(3):
        bench.one(entity)
    if entity == "customer":
        bench.delete("Account", bench.one("customer"))


@pytest.mark.parametrize("since", [None, START], ids=["whole", "changes"])
@pytest.mark.parametrize("entity", ["customer", "contract", "payment"])
def test_a_fault_at_any_call_changes_nothing_that_is_read(
    bench: OrgBench, entity: str, since: datetime | None
) -> None:
    fill(bench, entity)
    calm = pulled(bench, entity, since)
    assert len(set(told_ids(calm))) == 3
    assert bool(gone(calm)) == (entity == "customer" and since is not None)
    calls = len(bench.calls)
    assert calls >= 3
    for fault in FAULTS:
        # A 401 at the login itself is a wrong configuration.
        for at in range(2 if fault == "401" else 1, calls + 1):
            bench.faults.load(f"{fault}@{at}")
            found = as_seen(pulled(bench, entity, since))
            assert found == as_seen(calm), f"{fault} at call {at}"
            assert bench.faults.log.pop(fault) == 1


@pytest.mark.parametrize("since", [None, START], ids=["whole", "changes"])
def test_a_fault_at_any_call_of_a_bulk_pull_changes_nothing_that_is_read(
    bench: OrgBench, since: datetime | None
) -> None:
    bench.many("Account", [{"Name": f"N{n}"} for n in range(250)])
    calm = pulled(bench, "customer", since, bulk_from=1, bulk_page=100)
    assert set(told_ids(calm)) == bench.ids("Account") and len(calm) >= 4
    assert bench.count(path="/jobs/query") >= 5
    calls = len(bench.calls)
    for fault in FAULTS:
        # A 401 at the login itself is a wrong configuration.
        for at in range(2 if fault == "401" else 1, calls + 1):
            bench.faults.load(f"{fault}@{at}")
            found = pulled(bench, "customer", since, bulk_from=1, bulk_page=100)
            assert set(records_of(found)) == set(records_of(calm)), f"{fault} at call {at}"
            assert bench.faults.log.pop(fault) == 1


def records_of(pages: list[Page]) -> list[bytes]:
    return [record for page in pages for record in page.records]


def body_for(bench: OrgBench, entity: str) -> dict[str, Any]:
    account = bench.account()
    match entity:
        case "customer" | "product":
            return {"Name": "New"}
        case "contact":
            return {"LastName": "New", "AccountId": account}
        case "price":
            return {"Product2Id": bench.one("product"), "UnitPrice": Decimal("9.5"),
                    "IsActive": True}  # fmt: skip
        case "opportunity":
            return {"Name": "New", "StageName": "Prospecting", "CloseDate": "2026-04-01"}
        case "contract":
            line = {"PricebookEntryId": bench.price(bench.one("product")), "Quantity": 2,
                    "UnitPrice": Decimal("9.5")}  # fmt: skip
            return {"attributes": {"type": "Order"}, "AccountId": account, "Status": "Activated",
                    "EffectiveDate": "2026-03-01",
                    "OrderItems": {"records": [line]}}  # fmt: skip
    return {"Account__c": account, "Currency__c": "USD"}


@pytest.mark.parametrize("lasts", [1, 9], ids=["once", "for a while"])
@pytest.mark.parametrize("entity", WRITABLE)
def test_a_fault_at_any_call_of_a_create_makes_one_record(
    bench: OrgBench, entity: str, lasts: int
) -> None:
    crm, object = bench.connector(), OBJECTS[entity]
    bench.calm()
    first = crm.create(entity, body_for(bench, entity), key="first")
    assert json.loads(first)["TieOut_Id__c"] == "first"
    # The same calls without describe, which is asked once: the first one is the upsert's.
    bench.calm()
    crm.create(entity, body_for(bench, entity), key="second")
    calls = len(bench.calls)
    kinds = [fault for fault in FAULTS if fault != "401"]
    for key in [f"{fault}-{at}" for fault in kinds for at in range(1, calls + 1)]:
        record = body_for(bench, entity)
        fault, _, at = key.rpartition("-")
        bench.faults.load(f"{fault}@{at}..{int(at) + lasts - 1}")

        def work(doubtful: bool, record: Any = record, key: str = key) -> bytes | None:
            if doubtful:
                return crm.find(entity, key)
            return crm.create(entity, record, key=key)

        made = json.loads(settled(work))
        bench.faults.clear()
        mine = bench.rows(f"SELECT Id FROM {object} WHERE TieOut_Id__c = '{key}'")
        assert [row["Id"] for row in mine] == [made["Id"]], key
        if entity == "contract":
            whole = bench.rows(f"SELECT Status, TotalAmount FROM Order WHERE Id = '{made['Id']}'")
            assert (whole[0]["Status"], whole[0]["TotalAmount"]) == ("Activated", 19), key


# --- logins


@pytest.mark.parametrize("way", ["secret", "key"])
def test_both_logins_say_who_we_are_and_survive_the_end_of_a_session(
    bench: OrgBench, way: str
) -> None:
    crm = bench.connector(way)
    account = crm.check()
    assert (account.id, account.problems) == (bench.stand_in.app.organization_id, ())
    assert account.live is True and account.name == "TieOut Sandbox"
    bench.many("Account", [{"Name": f"N{n}"} for n in range(450)])
    found: list[Page] = []
    for page in bench.connector(way, page_size=200).pull("customer"):
        found.append(page)
        bench.stand_in.end_sessions()
    assert len(found) == 3 and len(set(told_ids(found))) == 450


def test_a_session_that_nobody_used_is_renewed(bench: OrgBench) -> None:
    crm = bench.connector()
    id = bench.one("customer")
    assert crm.get("customer", id)
    bench.clock.move(8 * 3600)
    assert crm.get("customer", id)
    assert bench.count(path="/oauth2/token") == 2


@pytest.mark.parametrize(
    ("way", "changes", "hint"),
    [
        ("secret", {"client_secret": "wrong"}, "check client_id and client_secret"),
        ("secret", {"client_id": "3MVGwrong"}, "client_id"),
        ("key", {"username": "nobody@example.com"}, "pre-authorized"),
        ("key", {"audience": "https://test.salesforce.com"}, "base_url"),
    ],
)
def test_a_refused_login_says_what_to_do(
    bench: OrgBench, way: str, changes: dict[str, Any], hint: str
) -> None:
    with pytest.raises(AuthError) as told:
        bench.connector(way, **changes).check()
    assert hint in told.value.hint, told.value.message


def test_another_org_is_refused(bench: OrgBench) -> None:
    with pytest.raises(ConfigError, match="belongs to the org"):
        bench.connector(organization_id="00D000000000001").check()


# --- one currency and several


def test_an_org_of_several_currencies_tells_them(bench: OrgBench) -> None:
    for code, amount in (("JPY", 1200), ("BHD", 1.234), ("EUR", 12.5)):
        bench.make("Opportunity", Name=code, StageName="Prospecting", CloseDate="2026-04-01",
                   Amount=amount, CurrencyIsoCode=code)  # fmt: skip
    rules = mapper()
    found: list[Any] = [
        rules.parse_bytes("opportunity", body) for body in records_of(pulled(bench, "opportunity"))
    ]
    # What a field of two decimals keeps of 1.234 is Salesforce's own doing.
    assert {(each.currency, each.amount_minor) for each in found} >= {("JPY", 1200), ("EUR", 1250)}


def test_an_org_of_one_currency_needs_it_named(new_org: Callable[..., OrgBench]) -> None:
    bench = new_org(multi_currency=False, currency="EUR", limits=False)
    crm = bench.connector()
    crm.currency = ""
    (problem,) = crm.check().problems
    assert "single currency" in problem
    crm.currency = "EUR"
    assert crm.check().problems == ()
    rules = mapper("EUR")
    fields = {"name": "Deal", "stage": "Prospecting", "close_on": START.date(), "currency": "EUR",
              "amount_minor": 1250}  # fmt: skip
    body = rules.render("opportunity", fields, creating=True)
    made: Any = rules.parse_bytes("opportunity", crm.create("opportunity", body, key="k"))
    assert (made.currency, made.amount_minor) == ("EUR", 1250)
    # A billing record carries its own currency, also there.
    fields = {"number": "A-1", "currency": "BHD", "total_minor": 12345, "status": "open"}
    body = rules.render("invoice", fields, creating=True)
    bill: Any = rules.parse_bytes("invoice", crm.create("invoice", body, key="i"))
    assert (bill.currency, bill.total_minor) == ("BHD", 12345)
    (whole,) = pulled(bench, "invoice")
    assert rules.parse_bytes("invoice", whole.records[0]) == bill
    with pytest.raises(InvalidRecord):
        rules.render("opportunity", {**fields, "currency": "USD", "amount_minor": 1}, creating=True)


# --- what check tells


def test_check_names_what_is_hidden_or_missing(new_org: Callable[..., OrgBench]) -> None:
    objects = {name: text for name, text in TIEOUT_OBJECTS.items() if "Credit" not in name}
    fields = TIEOUT_FIELDS | {"Product2": "TieOut_Id__c string(255) external"}
    bench = new_org(custom_objects=objects, custom_fields=fields)
    bench.stand_in.hide_field("Opportunity", "Amount")
    bench.stand_in.hide_field("Contact", "TieOut_Id__c")
    problems = bench.connector(fields={"customer": ["Tier__c"]}).check().problems
    for words in (
        "opportunity: Opportunity shows no field Amount",
        "contact: Contact has no field TieOut_Id__c",
        "product: Product2.TieOut_Id__c is not marked Unique",
        "credit_note: Salesforce shows us no object TieOut_Credit_Note__c",
        "customer: Account shows no field Tier__c",
    ):
        assert any(words in each for each in problems), words
    assert len(problems) == 5


def test_check_tells_when_the_days_calls_are_nearly_used_up(
    new_org: Callable[..., OrgBench],
) -> None:
    bench = new_org(daily_limit=1000)
    for _ in range(720):
        bench.ids("Account")
    (problem,) = bench.connector().check().problems
    assert "nearly used up" in problem and "of 1000" in problem


# --- late and equal stamps, deletions, merges


def test_many_changes_of_one_second_are_all_told(bench: OrgBench) -> None:
    bench.many("Account", [{"Name": f"N{n}"} for n in range(450)])
    bench.clock.move(86_400)
    since = bench.clock.now()
    ids = sorted(bench.ids("Account"))[:410]
    for id in ids:
        bench.stand_in.touch("Account", id)
    bench.clock.move(60)
    pages = pulled(bench, "customer", since, page_size=200)
    assert sorted(told_ids(pages)) == ids and len(pages) == 3


def test_a_row_that_was_committed_late_is_in_the_next_window(bench: OrgBench) -> None:
    late = bench.stand_in.write_late("Account", {"Name": "late"}, seconds=300)
    bench.clock.move(120)
    assert told_ids(pulled(bench, "customer", START)) == []
    since = bench.clock.now()
    bench.clock.move(240)
    assert told_ids(pulled(bench, "customer", since)) == [late]


def test_a_merge_tells_the_loser_its_winner_and_what_moved(bench: OrgBench) -> None:
    winner, loser = bench.one("customer"), bench.one("customer")
    contact = bench.make("Contact", LastName="c", AccountId=loser)
    bench.clock.move(86_400)
    since = bench.clock.now()
    bench.stand_in.merge("Account", winner, loser)
    bench.clock.move(60)
    pages = pulled(bench, "customer", since)
    assert gone(pages) == [loser] or gone(pages) == [loser, loser]
    rules = mapper()
    found: Any = {
        each.id: each
        for each in (rules.parse_bytes("customer", body) for body in records_of(pages))
    }
    assert found[loser].deleted and found[loser].custom["merged_into"] == winner
    assert not found[winner].deleted
    (moved,) = records(pulled(bench, "contact", since))
    assert (moved["Id"], moved["AccountId"]) == (contact, winner)


def test_what_was_deleted_for_good_is_told_and_what_came_back_is_not(bench: OrgBench) -> None:
    binned, hard, back = (bench.one("customer") for _ in range(3))
    bench.clock.move(86_400)
    since = bench.clock.now()
    for id in (binned, hard, back):
        bench.delete("Account", id)
    job = bench.ask("POST", "jobs/ingest", {"operation": "hardDelete", "object": "Account"})
    put(bench, f"jobs/ingest/{job['id']}/batches", f"Id\n{hard}\n")
    bench.ask("PATCH", f"jobs/ingest/{job['id']}", {"state": "UploadComplete"})
    bench.clock.move(120)
    bench.ask("GET", f"jobs/ingest/{job['id']}")
    bench.stand_in.undelete("Account", back)
    bench.clock.move(120)
    pages = pulled(bench, "customer", since)
    assert set(gone(pages)) == {binned, hard}
    assert told_ids(pages) == [back]


def put(bench: OrgBench, path: str, text: str) -> None:
    token = bench._token
    told = bench._http.put(
        f"/services/data/v66.0/{path}", data=text, base_url=bench.base_url,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
    )  # fmt: skip
    assert told.status_code == 201, told.get_data()


def test_where_deletions_are_forgotten_the_proof_lists_every_id(bench: OrgBench) -> None:
    kept = bench.one("customer")
    bench.delete("Account", bench.one("customer"))
    since = bench.clock.now()
    bench.clock.move(20 * 86_400)
    bench.stand_in.lose_deletions(bench.clock.now() - timedelta(days=1))
    found = list(bench.connector().prove("customer", Window(since, bench.clock.now())))
    assert {each.method for each in found} == {Method.COUNT, Method.OVERLAP, Method.IDS}
    assert [id for each in found for id in each.ids] == [kept] and found[-1].whole
    short = Window(bench.clock.now() - timedelta(hours=1), bench.clock.now())
    methods = {each.method for each in bench.connector().prove("customer", short)}
    assert methods == {Method.COUNT, Method.OVERLAP, Method.FEED}


def test_an_order_of_which_only_a_line_changed_is_read_again(bench: OrgBench) -> None:
    entry = bench.price(bench.one("product"))
    order = bench.make("Order", AccountId=bench.account(), EffectiveDate="2026-03-01",
                       Status="Draft", Pricebook2Id=bench.book())  # fmt: skip
    line = bench.make("OrderItem", OrderId=order, PricebookEntryId=entry, Quantity=1, UnitPrice=5)
    bench.clock.move(86_400)
    since = bench.clock.now()
    bench.stand_in.touch("OrderItem", line)
    bench.clock.move(60)
    (found,) = records(pulled(bench, "contract", since))
    assert (found["Id"], found["OrderItems"]["records"][0]["Id"]) == (order, line)


# --- bulk


def test_bulk_is_used_from_the_threshold_on_and_tells_the_same_bytes(bench: OrgBench) -> None:
    accounts = [
        {"Name": f"N{n}", "AnnualRevenue": n, "BillingStreet": 'a "b",\nc', "Industry": None}
        for n in range(220)
    ]
    bench.many("Account", accounts)
    by_query = records_of(pulled(bench, "customer", bulk_from=221))
    assert bench.count(path="/jobs/query") == 0
    in_bulk = records_of(pulled(bench, "customer", bulk_from=220, bulk_page=100))
    assert bench.count("POST", "/jobs/query") == 1 and bench.count(path="/results") == 3
    assert sorted(in_bulk) == sorted(by_query) and len(by_query) == 220


@pytest.mark.parametrize("entity", ["contact", "price", "opportunity", "contract", "credit_note"])
def test_every_kind_reads_the_same_in_bulk(bench: OrgBench, entity: str) -> None:
    for _ in range(4):
        bench.one(entity)
    by_query = records_of(pulled(bench, entity))
    in_bulk = records_of(pulled(bench, entity, bulk_from=1))
    assert bench.count("POST", "/jobs/query") == (2 if entity == "contract" else 1)
    assert sorted(in_bulk) == sorted(by_query) and len(by_query) == 4


def test_a_killed_bulk_pull_goes_on_with_the_same_job(bench: OrgBench) -> None:
    bench.many("Account", [{"Name": f"N{n}"} for n in range(350)])
    before: list[Page] = []
    for page in bench.connector(bulk_from=1, bulk_page=100).pull("customer"):
        before.append(page)
        if len(before) == 3:
            break
    after = list(
        bench.connector(bulk_from=1, bulk_page=100).pull("customer", resume=before[-1].resume)
    )
    found = told_ids([*before, *after])
    assert len(found) == 350 and set(found) == bench.ids("Account")
    assert bench.count("POST", "/jobs/query") == 1


def test_where_no_bulk_job_is_left_queries_are_used(new_org: Callable[..., OrgBench]) -> None:
    bench = new_org(daily_query_jobs=0)
    bench.many("Account", [{"Name": f"N{n}"} for n in range(30)])
    assert len(set(told_ids(pulled(bench, "customer", bulk_from=1)))) == 30


def test_a_slow_query_is_asked_in_smaller_ones(bench: OrgBench) -> None:
    bench.many("Account", [{"Name": f"N{n}"} for n in range(450)])
    bench.stand_in.refuse_queries("QUERY_TIMEOUT", "Your query request was running for too long.")
    found = told_ids(pulled(bench, "customer"))
    assert sorted(found) == sorted(bench.ids("Account"))


# --- batches


def test_one_bad_record_of_many_spoils_no_other(bench: OrgBench) -> None:
    crm = bench.connector()
    writes = [Write({"Name": f"N{n}"}, f"k{n}") for n in range(450)]
    writes[333] = Write({"Name": "x" * 300}, "k333")
    bench.calm()
    outcomes = crm.write_many("customer", writes)
    assert bench.count("PATCH", "/composite/sobjects/Account/TieOut_Id__c") == 3
    bad = [n for n, each in enumerate(outcomes) if not isinstance(each, bytes)]
    assert bad == [333] and "STRING_TOO_LONG" in str(outcomes[333])
    for n, each in enumerate(outcomes):
        assert n == 333 or (isinstance(each, bytes) and json.loads(each)["Name"] == f"N{n}")
    assert len(bench.ids("Account")) == 449


def test_a_locked_record_of_a_batch_is_sent_again(bench: OrgBench) -> None:
    ids = [bench.one("customer") for _ in range(3)]
    words = "unable to obtain exclusive access to this record"
    bench.stand_in.refuse_writes(ids[1], "UNABLE_TO_LOCK_ROW", words, times=2)
    writes = [Write({"Name": f"M{n}"}, f"k{n}", id=id) for n, id in enumerate(ids)]
    outcomes = bench.connector().write_many("customer", writes)
    names = [json.loads(each)["Name"] for each in outcomes if isinstance(each, bytes)]
    assert names == ["M0", "M1", "M2"]


def test_a_batch_asked_again_finds_what_has_fields_that_are_set_once(
    new_org: Callable[..., OrgBench],
) -> None:
    """A master-detail field, say, that Salesforce refuses in the upsert's second time."""
    bill = (
        "TieOut_Id__c string(255) external unique exact\n"
        "Account__c reference fixed to:Account.Account__r/Bills__r"
    )
    bench = new_org(custom_objects={"Bill__c": bill})
    crm = bench.connector(
        objects={"invoice": {"object": "Bill__c", "fields": ["Name", "Account__c"]}}
    )
    account = bench.account()
    writes = [Write({"Name": f"B{n}", "Account__c": account}, f"k{n}") for n in range(3)]
    first, second = crm.write_many("invoice", writes), crm.write_many("invoice", writes)
    assert all(isinstance(each, bytes) for each in first) and first == second
    alone = crm.create("invoice", {"Name": "B1", "Account__c": account}, key="k1")
    assert alone == first[1] and len(bench.ids("Bill__c")) == 3


def test_a_rule_of_the_orgs_own_sets_one_record_aside(bench: OrgBench) -> None:
    bench.stand_in.add_validation_rule(
        "Account", lambda row: "No odd ones" if row.get("Name") == "odd" else ""
    )
    with pytest.raises(InvalidRecord, match="No odd ones"):
        bench.connector().create("customer", {"Name": "odd"}, key="k")
    assert bench.ids("Account") == set()


def test_the_connector_is_told_of_nothing_that_it_may_not_see(bench: OrgBench) -> None:
    """A field that is hidden later is left out of what is read, not an error."""
    id = bench.make("Account", Name="a", Phone="1")
    bench.stand_in.hide_field("Account", "Phone")
    (row,) = records(pulled(bench, "customer"))
    assert row["Id"] == id and "Phone" not in row


def test_billing_records_need_their_objects_named(bench: OrgBench) -> None:
    crm: Salesforce = bench.connector(objects={"invoice": BILLING["invoice"]})
    assert list(crm.pull("invoice")) == []
    with pytest.raises(ConfigError, match="no payment records"):
        list(crm.pull("payment"))
