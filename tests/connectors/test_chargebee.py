"""The Chargebee connector against documented answers. https://apidocs.chargebee.com/docs/api"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chargebee_fake import KEY, NOW, FakeChargebee, once, refusal, reply
from pydantic import ValidationError

from tieout.connectors import connector_class
from tieout.connectors.base import Can, Evidence, Method, Page, Touched, Window
from tieout.connectors.chargebee import Chargebee, ChargebeeConfig
from tieout.connectors.chargebee.errors import NotEnabled
from tieout.connectors.chargebee.kinds import KINDS
from tieout.connectors.chargebee.writing import columns
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
from tieout.core.ports import AnswerLost, HttpAnswer

SAMPLES = Path(__file__).parents[2].parent / "shared/providers/chargebee/samples"
DAY = 86400
OUR_KEY = "tieout-customer-crm-4711-0123456789"
LONG_KEY = "tieout-customer-crm-" + "x" * 60 + "-0123456789"


@pytest.fixture
def fake() -> FakeChargebee:
    return FakeChargebee()


def connector(fake: FakeChargebee, **more: Any) -> Chargebee:
    settings = {
        "site": "acme-test",
        "api_key": KEY,
        "webhook_user": "hook",
        "webhook_password": "canary-password",
        **more,
    }
    return Chargebee(ChargebeeConfig.model_validate(settings), fake.ports, where="billing")


def ids(pages: Iterable[Page]) -> list[str]:
    return [json.loads(record)["id"] for page in pages for record in page.records]


def gone(pages: Iterable[Page]) -> list[str]:
    return [id for page in pages for id in page.deleted]


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def customers(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"c{n}", "created_at": NOW - DAY + n, "updated_at": NOW - DAY + n, **more}
        for n in range(count)
    ]


# --- everything


def test_a_full_pull_has_no_filter_and_reads_every_record_as_it_was_sent(
    fake: FakeChargebee,
) -> None:
    fake.put("customers", *customers(230))
    fake.put("customers", {"id": "old", "deleted": False}, {"id": "dead", "deleted": True})
    pages = list(connector(fake).pull("customer"))
    assert [len(page.records) for page in pages] == [100, 100, 32]
    assert ids(pages) == [*(f"c{n}" for n in range(230)), "old", "dead"]
    sent = reply({"list": [{"customer": fake.objects["customers"][0]}]}).body
    assert (
        pages[0].records[0].strip() in sent
        or json.loads(pages[0].records[0]) == (fake.objects["customers"][0])
    )
    asked = fake.asked("/customers")
    assert asked[0] == {"include_deleted": "true", "limit": "100"}
    assert all(query["limit"] == "100" and "updated_at[between]" not in query for query in asked)


@pytest.mark.parametrize("stop", [0, 1, 2])
def test_a_full_pull_goes_on_after_any_page(fake: FakeChargebee, stop: int) -> None:
    fake.put("customers", *customers(230))
    first = list(connector(fake).pull("customer"))[: stop + 1]
    fake.seconds += DAY
    rest = list(connector(fake).pull("customer", resume=first[-1].resume))
    assert ids([*first, *rest]) == [f"c{n}" for n in range(230)]


def test_an_offset_that_is_no_longer_taken_begins_the_list_anew(fake: FakeChargebee) -> None:
    fake.put("customers", *customers(150))
    first = next(connector(fake).pull("customer"))
    fake.rules.append(
        once("GET", "/customers", refusal(400, "param_wrong_value", "offset : bad", param="offset"))
    )
    rest = list(connector(fake).pull("customer", resume=first.resume))
    assert ids(rest) == [f"c{n}" for n in range(150)]


@pytest.mark.parametrize("resume", ["", "x", '{"phase":"other"}', "[]", '{"phase":1}'])
def test_a_position_that_cannot_be_read_stops_the_run(fake: FakeChargebee, resume: str) -> None:
    with pytest.raises(StopRun) as caught:
        list(connector(fake).pull("customer", resume=resume or "\udcff"))
    assert "--full" in caught.value.hint


def test_a_list_that_repeats_itself_stops_the_run(fake: FakeChargebee) -> None:
    same = reply({"list": [{"customer": {"id": "c1"}}], "next_offset": '["1","2"]'})
    fake.rules.append(lambda method, path, query: same)
    with pytest.raises(StopRun, match="twice"):
        list(connector(fake).pull("customer"))


def test_a_spoilt_row_passes_through_and_does_not_stop_the_page(fake: FakeChargebee) -> None:
    rows = [{"invoice": {"id": "1"}}, {"invoice": {"id": None}}, {"other": {"id": "x"}}]
    fake.rules.append(lambda method, path, query: reply({"list": rows}))
    (page,) = connector(fake).pull("invoice")
    assert [json.loads(record) for record in page.records] == [
        {"id": "1"}, {"id": None}, {"other": {"id": "x"}}
    ]  # fmt: skip


def test_transactions_are_told_apart_by_their_type(fake: FakeChargebee) -> None:
    fake.put("transactions", *({"id": t, "type": t} for t in (
        "payment", "refund", "authorization", "payment_reversal"
    )))  # fmt: skip
    chargebee = connector(fake)
    assert ids(chargebee.pull("payment")) == ["payment"]
    assert ids(chargebee.pull("refund")) == ["refund"]
    assert json.loads(chargebee.get("payment", "payment") or b"")["id"] == "payment"
    assert chargebee.get("payment", "refund") is None
    assert chargebee.get("refund", "authorization") is None


def test_long_documents_are_completed(fake: FakeChargebee) -> None:
    fake.lines_a_page = 40
    lines = [{"id": f"li_{n}", "amount": n} for n in range(100)]
    fake.put("invoices", {"id": "1", "line_items": lines[:3]}, {"id": "2", "line_items": lines})
    chargebee = connector(fake)
    (page,) = chargebee.pull("invoice")
    short, long = (json.loads(record) for record in page.records)
    assert [line["id"] for line in short["line_items"]] == ["li_0", "li_1", "li_2"]
    assert [line["id"] for line in long["line_items"]] == [f"li_{n}" for n in range(100)]
    assert not long.get("line_items_next_offset")
    offsets = [query["line_items_offset"] for query in fake.asked("/invoices/2")]
    assert offsets == ["40", "80"]
    assert json.loads(chargebee.get("invoice", "2") or b"")["line_items"] == lines


def test_contacts_come_with_their_customer(fake: FakeChargebee) -> None:
    fake.put(
        "customers",
        {"id": "c1", "contacts": [{"id": "k1", "email": "a@example.com"}, {"id": "k2"}]},
        {"id": "c2"},
        {"id": "c3", "deleted": True, "contacts": [{"id": "k3"}]},
    )
    (page,) = connector(fake).pull("contact")
    assert [json.loads(record) for record in page.records] == [
        {"id": "k1", "email": "a@example.com", "customer_id": "c1"},
        {"id": "k2", "customer_id": "c1"},
    ]


# --- both catalogs


def test_the_older_catalog_reads_plans_and_addons() -> None:
    fake = FakeChargebee("1")
    fake.put("plans", {"id": "basic"})
    fake.put("addons", {"id": "extra"})
    chargebee = connector(fake)
    pages = list(chargebee.pull("product"))
    assert ids(pages) == ["basic", "extra"]
    assert ids(chargebee.pull("price", resume=pages[0].resume)) == ["extra"]
    assert json.loads(chargebee.get("price", "extra") or b"")["object"] == "addon"
    assert len(fake.asked("/item_families")) == 1  # asked once, then known


def test_the_newer_catalog_reads_items_and_their_prices(fake: FakeChargebee) -> None:
    fake.put("items", {"id": "gold"})
    fake.put("item_prices", {"id": "gold-USD"})
    chargebee = connector(fake)
    assert ids(chargebee.pull("product")) == ["gold"]
    assert ids(chargebee.pull("price")) == ["gold-USD"]
    assert not fake.asked("/plans")


def test_a_wrong_catalog_is_refused_and_never_looks_empty() -> None:
    with pytest.raises(NotEnabled) as caught:
        list(connector(FakeChargebee("1"), catalog=2).pull("product"))
    assert "catalog" in caught.value.hint


def test_writing_to_the_older_catalog_is_a_matter_of_configuration() -> None:
    for entity, record in [("product", {"name": "x"}), ("price", {"item_id": "x"}),
                           ("subscription", {"customer_id": "c"})]:  # fmt: skip
        with pytest.raises(ConfigError, match=r"Product Catalog 1\.0"):
            connector(FakeChargebee("1")).create(entity, record, key="k")


# --- changes


def test_changes_are_read_from_a_closed_window_that_ends_five_minutes_ago(
    fake: FakeChargebee,
) -> None:
    began = NOW - 3600
    fake.put(
        "customers",
        {"id": "before", "updated_at": began - 901},
        {"id": "overlap", "updated_at": began - 900},
        {"id": "changed", "updated_at": NOW - 400},
        {"id": "late", "updated_at": NOW - 299},  # it may not be whole yet: the next window's
        {"id": "gone", "updated_at": NOW - 500, "deleted": True},
    )
    pages = list(connector(fake).pull("customer", since=at(began)))
    assert ids(pages) == ["overlap", "gone", "changed"]
    (asked,) = fake.asked("/customers")
    assert asked["updated_at[between]"] == f"[{began - 900},{NOW - 300}]"
    assert asked["include_deleted"] == "true" and asked["sort_by[asc]"] == "updated_at"


@pytest.mark.parametrize("lag", range(0, 3600, 150))
def test_two_windows_in_a_row_leave_out_nothing(fake: FakeChargebee, lag: int) -> None:
    """A row of any moment is in one of two windows, though lists are up to 5 minutes behind."""
    fake.seconds = 3600
    moment = fake.now - lag
    visible_from = moment + 300
    row = {"id": "c1", "updated_at": moment}
    chargebee, found, began = connector(fake), [], fake.now - 3600
    for _ in range(3):
        fake.objects["customers"] = [row] if fake.now >= visible_from else []
        found += ids(chargebee.pull("customer", since=at(began)))
        began = fake.now
        fake.seconds += 360
    assert found and set(found) == {"c1"}


def test_a_window_stays_the_same_when_it_is_gone_on_with(fake: FakeChargebee) -> None:
    fake.page_limit = 2
    rows = [{"id": f"c{n}", "updated_at": NOW - 1000 + n} for n in range(5)]
    fake.put("customers", *rows)
    first = next(connector(fake).pull("customer", since=at(NOW - 3600)))
    fake.seconds += 7200
    rest = list(connector(fake).pull("customer", resume=first.resume))
    assert ids([first, *rest]) == [f"c{n}" for n in range(5)]
    assert len({query["updated_at[between]"] for query in fake.asked("/customers")}) == 1


def test_deleted_items_are_told_by_events_alone(fake: FakeChargebee) -> None:
    fake.put("items", {"id": "again", "updated_at": 1}, {"id": "kept", "updated_at": NOW - 999})
    fake.event("item_deleted", NOW - 800, item={"id": "lost", "object": "item"})
    fake.event("item_deleted", NOW - 700, item={"id": "again", "object": "item"})
    fake.event("item_updated", NOW - 600, item={"id": "kept", "object": "item"})
    pages = list(connector(fake).pull("product", since=at(NOW - 3600)))
    assert gone(pages) == ["lost"]
    assert ids(pages) == ["kept", "again"]  # an id that was used again lives
    (asked,) = fake.asked("/events")
    assert json.loads(asked["event_type[in]"]) == ["item_deleted"]
    assert asked["occurred_at[between]"] == f"[{NOW - 4500},{NOW - 300}]"


def test_deletions_are_gone_on_with_after_a_kill(fake: FakeChargebee) -> None:
    fake.page_limit = 1
    fake.put("items", {"id": "kept", "updated_at": NOW - 999})
    for n in range(3):
        fake.event("item_deleted", NOW - 800 + n, item={"id": f"lost{n}", "object": "item"})
    pages = list(connector(fake).pull("product", since=at(NOW - 3600)))
    for stop in range(1, len(pages)):
        rest = list(connector(fake).pull("product", resume=pages[stop - 1].resume))
        assert gone([*pages[:stop], *rest]) == ["lost0", "lost1", "lost2"]
    assert list(connector(fake).pull("product", resume=pages[-1].resume)) == []


def test_a_deleted_document_is_gone_under_the_id_it_had(fake: FakeChargebee) -> None:
    """https://apidocs.chargebee.com/docs/api/events : a deleted note's number is free again."""
    row = {"updated_at": NOW - 500, "deleted": True}
    fake.put("credit_notes", {"id": "CN-4_171000000014", **row}, {"id": "CN-5_17100000015", **row},
             {"id": "CN-5", "updated_at": NOW - 499})  # fmt: skip
    pages = list(connector(fake).pull("credit_note", since=at(NOW - 3600)))
    assert gone(pages) == ["CN-4"]  # CN-5 was used again
    assert ids(pages) == ["CN-4_171000000014", "CN-5_17100000015", "CN-5"]
    fake.event("credit_note_created", NOW - 900, credit_note={"id": "CN-4"})
    fake.event("credit_note_deleted", NOW - 500, credit_note={"id": "CN-4_171000000014"})
    window = Window(at(NOW - 3600), at(NOW))
    assert told(proof(connector(fake), "credit_note", window)[Method.FEED]) == set()


def test_contacts_of_a_deleted_customer_are_gone(fake: FakeChargebee) -> None:
    fake.put("customers", {"id": "c1", "updated_at": NOW - 500, "deleted": True,
                           "contacts": [{"id": "k1"}]})  # fmt: skip
    assert gone(connector(fake).pull("contact", since=at(NOW - 3600))) == ["k1"]


def test_disputes_have_no_filter_and_are_read_whole(fake: FakeChargebee) -> None:
    fake.put("disputes", {"id": "d1", "created_at": 1})
    assert Can.CHANGES not in Chargebee.can["dispute"]
    assert ids(connector(fake).pull("dispute", since=at(NOW))) == ["d1"]


def test_sites_without_disputes_tell_of_them_by_reversals() -> None:
    fake = FakeChargebee(disputes=False)
    fake.put("transactions", {"id": "t1", "type": "payment_reversal"})
    chargebee = connector(fake)
    assert ids(chargebee.pull("dispute")) == ["t1"]
    assert json.loads(chargebee.get("dispute", "t1") or b"")["id"] == "t1"
    assert len(fake.asked("/disputes")) == 1


# --- one record


def test_a_record_that_is_not_there_is_none(fake: FakeChargebee) -> None:
    chargebee = connector(fake)
    for entity, cans in Chargebee.can.items():
        if Can.GET in cans:
            assert chargebee.get(entity, "none/../x") is None, entity


def test_usage_is_found_in_its_list(fake: FakeChargebee) -> None:
    fake.put("usages", {"id": "u1", "quantity": "3"}, {"id": "u2", "quantity": "4"})
    assert json.loads(connector(fake).get("usage", "u2") or b"")["quantity"] == "4"


# --- check


def test_check_names_the_site(fake: FakeChargebee) -> None:
    account = connector(fake).check()
    assert (account.name, account.live, account.problems) == ("acme-test", False, ())
    assert connector(fake, site="acme").check().live is True


def test_check_is_content_with_the_older_catalog() -> None:
    assert connector(FakeChargebee("1")).check().problems == ()


def test_check_names_a_wrong_catalog() -> None:
    (problem,) = connector(FakeChargebee("1"), catalog="2").check().problems
    assert "Product Catalog 1.0, not 2.0" in problem and "catalog: 1" in problem


def test_check_names_what_the_key_may_not_read(fake: FakeChargebee) -> None:
    fake.rules.append(once("GET", "/credit_notes", refusal(403, "api_authorization_failed")))
    fake.rules.append(once("GET", "/events", refusal(403, "api_authorization_failed")))
    problems = connector(fake).check().problems
    assert problems == (
        "the key may not read credit_note (/credit_notes)",
        "the key may not read the event feed (/events)",
    )


def test_a_key_for_transactional_records_is_named_so(fake: FakeChargebee) -> None:
    def rule(method: str, path: str, query: Any) -> HttpAnswer | None:
        catalog = path.startswith(("/item", "/plan", "/addon"))
        return refusal(403, "api_authorization_failed") if catalog else None

    fake.rules.append(rule)
    (problem,) = connector(fake).check().problems
    assert "product catalog" in problem


def test_a_key_that_may_read_nothing_is_an_error(fake: FakeChargebee) -> None:
    fake.rules.append(lambda method, path, query: refusal(403, "api_authorization_failed"))
    with pytest.raises(AuthError) as caught:
        connector(fake).check()
    assert "publishable" in caught.value.hint


@pytest.mark.parametrize(
    "told, error, words",
    [
        (refusal(401, "api_authentication_failed"), AuthError, "api_key"),
        (refusal(404, "site_not_found"), ConfigError, "`site`"),
    ],
)
def test_a_wrong_login_says_what_to_do(
    fake: FakeChargebee, told: HttpAnswer, error: type[Exception], words: str
) -> None:
    fake.rules.append(lambda method, path, query: told)
    with pytest.raises(error) as caught:
        connector(fake).check()
    assert words in getattr(caught.value, "hint", "")
    assert KEY not in str(caught.value)


# --- refusals


@pytest.mark.parametrize(
    "told, error",
    [
        (refusal(400, "param_wrong_value", param="email"), InvalidRecord),
        (refusal(400, "payment_processing_failed", type="payment"), InvalidRecord),
        (refusal(409, "invalid_state_for_request"), Conflict),
        (refusal(422, "unable_to_process_request"), UnknownOutcome),
        (refusal(503, "site_read_only_mode"), UnknownOutcome),
        (refusal(400, "configuration_incompatible"), NotEnabled),
        (HttpAnswer(502, {"content-type": "text/html"}, b"<html>bad</html>"), UnknownOutcome),
        (AnswerLost("cut"), UnknownOutcome),
    ],
)
def test_what_a_refused_write_becomes(
    fake: FakeChargebee, told: HttpAnswer | Exception, error: type[Exception]
) -> None:
    fake.rules.append(lambda method, path, query: told if method == "POST" else None)
    with pytest.raises(error):
        connector(fake).create("customer", {"company": "Ada"}, key=OUR_KEY)


def test_a_limit_is_waited_out(fake: FakeChargebee) -> None:
    body = {"message": "too many", "api_error_code": "api_request_limit_exceeded"}
    fake.rules.append(once("GET", "/customers", reply(body, 429)))
    fake.rules.append(once("GET", "/customers", reply(body, 429, retry_after="7"), after=0))
    before = fake.seconds
    assert ids(connector(fake).pull("customer")) == []
    assert fake.seconds - before >= 67  # a minute where nothing is told, then as told
    fake.rules.append(lambda method, path, query: reply(body, 429))
    with pytest.raises(RateLimited):
        list(connector(fake).pull("customer"))


def test_a_lock_is_tried_again_at_once(fake: FakeChargebee) -> None:
    fake.rules.append(once("POST", "/customers", refusal(429, "lock_timeout")))
    made = json.loads(connector(fake).create("customer", {"company": "Ada"}, key=OUR_KEY))
    assert made["id"] == OUR_KEY and fake.seconds < 60


def test_a_gateways_page_is_no_answer(fake: FakeChargebee) -> None:
    page = HttpAnswer(404, {"content-type": "text/html"}, b"<html>nothing here</html>")
    fake.rules.append(lambda method, path, query: page)
    with pytest.raises(ProviderDown, match="not JSON"):
        connector(fake).get("customer", "c1")


# --- writing


def created(fake: FakeChargebee, entity: str, record: dict[str, Any], key: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(connector(fake).create(entity, record, key=key))
    return made


def test_a_customer_is_made_under_our_key(fake: FakeChargebee) -> None:
    made = created(
        fake,
        "customer",
        {"company": "Ada Ltd", "meta_data": {"tier": "gold"}, "billing_address": {"city": "Bonn"}},
        OUR_KEY,
    )
    assert made["id"] == OUR_KEY
    assert made["meta_data"] == {"tier": "gold", "tieout_id": OUR_KEY}
    (sent,) = fake.asked("/customers", "POST")
    assert sent["billing_address[city]"] == "Bonn"
    headers = fake.requests[-1].headers
    assert headers["chargebee-event-email"] == "all-disabled"
    assert "chargebee-event-webhook" not in headers
    assert json.loads(connector(fake).find("customer", OUR_KEY) or b"")["id"] == OUR_KEY
    assert connector(fake).find("customer", "tieout-other") is None


def test_a_long_key_becomes_a_short_id_and_is_kept_whole(fake: FakeChargebee) -> None:
    made = created(fake, "customer", {"company": "Ada"}, LONG_KEY)
    assert len(made["id"]) <= 40 and made["meta_data"]["tieout_id"] == LONG_KEY
    assert json.loads(connector(fake).find("customer", LONG_KEY) or b"")["id"] == made["id"]


def test_side_effects_are_a_matter_of_settings(fake: FakeChargebee) -> None:
    chargebee = connector(
        fake, suppress_emails=False, suppress_webhooks=True, suppress_actions=True,
        business_entity="be_1", origin_user="ops@example.com",
    )  # fmt: skip
    chargebee.create("customer", {"company": "Ada"}, key=OUR_KEY)
    headers = fake.requests[-1].headers
    assert "chargebee-event-email" not in headers
    assert headers["chargebee-event-webhook"] == headers["chargebee-event-actions"]
    assert headers["chargebee-business-entity-id"] == "be_1"
    assert headers["chargebee-request-origin-user"] == "ops@example.com"


def test_a_create_long_after_the_keys_window_finds_the_record(fake: FakeChargebee) -> None:
    first = created(fake, "customer", {"company": "Ada"}, OUR_KEY)
    fake.kept.clear()
    fake.seconds += DAY
    again = created(fake, "customer", {"company": "Ada"}, OUR_KEY)
    assert again["id"] == first["id"] and len(fake.objects["customers"]) == 1


def test_an_id_that_was_deleted_is_a_conflict(fake: FakeChargebee) -> None:
    fake.put("customers", {"id": OUR_KEY, "deleted": True})
    with pytest.raises(Conflict):
        created(fake, "customer", {"company": "Ada"}, OUR_KEY)


def test_a_corrected_record_is_another_write(fake: FakeChargebee) -> None:
    wrong = refusal(400, "param_wrong_value", param="email")
    fake.rules.append(lambda m, p, query: wrong if query.get("email") == "bad" else None)
    with pytest.raises(InvalidRecord):
        created(fake, "customer", {"email": "bad"}, OUR_KEY)
    assert created(fake, "customer", {"email": "a@example.com"}, OUR_KEY)["id"] == OUR_KEY


def test_a_customers_billing_details_are_changed_by_a_call_of_their_own(
    fake: FakeChargebee,
) -> None:
    fake.put("customers", {"id": "c1", "meta_data": {"theirs": "1"}})
    changes = {"company": "Bo", "vat_number": None, "meta_data": {"tier": "x"}, "id": "no"}
    made = json.loads(connector(fake).update("customer", "c1", changes, key="k"))
    assert (made["id"], made["company"]) == ("c1", "Bo")
    (first,) = fake.asked("/customers/c1", "POST")
    assert json.loads(first["meta_data"]) == {"theirs": "1", "tier": "x"}
    assert "vat_number" not in first and "id" not in first
    assert fake.asked("/customers/c1/update_billing_info", "POST") == [{"vat_number": ""}]


def test_a_product_takes_the_only_family(fake: FakeChargebee) -> None:
    fake.put("item_families", {"id": "fam"})
    made = created(fake, "product", {"name": "Gold"}, "tieout-product-crm-1-0123456789")
    assert (made["item_family_id"], made["type"]) == ("fam", "plan")
    fake.put("item_families", {"id": "fam2"})
    with pytest.raises(InvalidRecord, match="item family"):
        created(fake, "product", {"name": "Silver"}, "tieout-product-crm-2-0123456789")
    chosen = connector(fake, item_family="fam2", item_type="charge")
    made = json.loads(chosen.create("product", {"name": "Silver"}, key="tieout-p-2"))
    assert (made["item_family_id"], made["type"]) == ("fam2", "charge")


def test_two_prices_of_one_name_are_told_apart(fake: FakeChargebee) -> None:
    for n in (1, 2):
        record = {"name": "Gold", "external_name": "Gold", "item_id": "i", "price": 100}
        created(fake, "price", record, f"tieout-price-crm-{n}-000000000{n}")
    names = [row["name"] for row in fake.objects["item_prices"]]
    assert names == ["Gold", "Gold 0000000002"]
    assert {row["external_name"] for row in fake.objects["item_prices"]} == {"Gold"}


def test_tiers_go_as_columns(fake: FakeChargebee) -> None:
    tiers = [
        {"starting_unit": 1, "ending_unit": 9, "price": 100},
        {"starting_unit": 10, "price": 80},
    ]
    created(fake, "price", {"name": "T", "item_id": "i", "tiers": tiers}, "tieout-price-crm-1-0")
    (sent,) = fake.asked("/item_prices", "POST")
    assert {name: sent[name] for name in sent if name.startswith("tiers")} == {
        "tiers[starting_unit][0]": "1", "tiers[starting_unit][1]": "10",
        "tiers[ending_unit][0]": "9", "tiers[price][0]": "100", "tiers[price][1]": "80",
    }  # fmt: skip


def test_a_subscription_is_imported_and_charges_nothing(fake: FakeChargebee) -> None:
    record = {
        "customer_id": "c1", "status": "active",
        "subscription_items": [{"item_price_id": "gold", "quantity": 2}],
    }  # fmt: skip
    created(fake, "subscription", record, OUR_KEY)
    (sent,) = fake.asked("/customers/c1/import_for_items", "POST")
    assert sent["create_current_term_invoice"] == "false"
    assert sent["subscription_items[item_price_id][0]"] == "gold"
    with pytest.raises(InvalidRecord, match="customer"):
        created(fake, "subscription", {"status": "active"}, "k")


INVOICE = {"id": "INV-7", "customer_id": "c1", "date": NOW, "total": 100}


def test_an_invoice_keeps_its_number_and_is_found_by_a_note(fake: FakeChargebee) -> None:
    made = created(fake, "invoice", {**INVOICE, "notes": [{"note": "thanks"}]}, OUR_KEY)
    assert made["id"] == "INV-7"
    assert made["notes"] == [{"note": "thanks"}, {"note": OUR_KEY}]
    fake.put("invoices", {"id": "INV-8", "updated_at": NOW + 5, "notes": [{"note": "other"}]})
    assert json.loads(connector(fake).find("invoice", OUR_KEY) or b"")["id"] == "INV-7"
    assert connector(fake).find("invoice", "tieout-none") is None
    asked = fake.asked("/invoices")[-1]
    assert asked["sort_by[desc]"] == "updated_at"
    assert asked["updated_at[after]"] == str(NOW - 90 * DAY)


def test_an_invoice_is_marked_in_the_custom_field_that_is_configured(fake: FakeChargebee) -> None:
    chargebee = connector(fake, key_field="cf_tieout_id")
    made = json.loads(chargebee.create("invoice", INVOICE, key=OUR_KEY))
    assert made["cf_tieout_id"] == OUR_KEY and "notes" not in made
    assert json.loads(chargebee.find("invoice", OUR_KEY) or b"")["id"] == "INV-7"


def test_a_number_that_is_taken_is_ours_or_a_conflict(fake: FakeChargebee) -> None:
    created(fake, "invoice", INVOICE, OUR_KEY)
    fake.kept.clear()
    assert created(fake, "invoice", INVOICE, OUR_KEY)["id"] == "INV-7"
    with pytest.raises(Conflict):
        created(fake, "invoice", INVOICE, "tieout-another-key")
    assert len(fake.objects["invoices"]) == 1


def payment(*allocations: tuple[str, int], amount: int = 500) -> dict[str, Any]:
    rows = [{"invoice_id": id, "amount": share} for id, share in allocations]
    return {
        "customer_id": "c1", "currency_code": "USD", "amount": amount, "date": NOW,
        "payment_method": "bank_transfer", "comment": "cheque 12", "allocations": rows,
    }  # fmt: skip


def test_a_payment_of_one_invoice_is_recorded_there(fake: FakeChargebee) -> None:
    made = created(fake, "payment", payment(("7", 500)), OUR_KEY)
    (sent,) = fake.asked("/invoices/7/record_payment", "POST")
    assert sent == {
        "transaction[amount]": "500", "transaction[date]": str(NOW),
        "transaction[payment_method]": "bank_transfer",
        "transaction[reference_number]": OUR_KEY, "comment": "cheque 12",
    }  # fmt: skip
    found = json.loads(connector(fake).find("payment", OUR_KEY) or b"")
    assert found["id"] == made["id"] and connector(fake).find("refund", OUR_KEY) is None


def test_a_payment_of_several_invoices_is_applied_to_each(fake: FakeChargebee) -> None:
    made = created(fake, "payment", payment(("7", 300), ("8", 150)), OUR_KEY)
    assert made["linked_invoices"] == [
        {"invoice_id": "7", "applied_amount": 300}, {"invoice_id": "8", "applied_amount": 150}
    ]  # fmt: skip
    assert len(made["id"]) <= 40
    (sent,) = fake.asked("/customers/c1/record_excess_payment", "POST")
    assert sent["transaction[currency_code]"] == "USD"
    assert fake.asked("/invoices/8/apply_payments", "POST") == [
        {"transactions[id][0]": made["id"], "transactions[amount][0]": "150"}
    ]
    assert json.loads(connector(fake).find("payment", OUR_KEY) or b"")["id"] == made["id"]


def test_a_payment_that_broke_off_is_gone_on_with(fake: FakeChargebee) -> None:
    fake.rules.append(once("POST", "/invoices/8/apply_payments", refusal(400, "invalid_request")))
    record = payment(("7", 300), ("8", 150))
    with pytest.raises(InvalidRecord):
        created(fake, "payment", record, OUR_KEY)
    fake.kept.clear()
    assert connector(fake).find("payment", OUR_KEY) is None  # not whole yet
    made = created(fake, "payment", record, OUR_KEY)
    assert [row["invoice_id"] for row in made["linked_invoices"]] == ["7", "8"]
    assert len(fake.objects["transactions"]) == 1


def test_a_payment_without_an_invoice_is_the_customers(fake: FakeChargebee) -> None:
    made = created(fake, "payment", payment(), OUR_KEY)
    assert made["linked_invoices"] == []
    assert json.loads(connector(fake).find("payment", OUR_KEY) or b"")["id"] == made["id"]


def test_refunds_are_recorded_on_a_credit_note_or_a_payment(fake: FakeChargebee) -> None:
    form = {"amount": 50, "date": NOW, "payment_method": "other"}
    made = created(fake, "refund", {**form, "credit_note_id": "CN-1", "payment_id": "t"}, OUR_KEY)
    assert made["type"] == "refund"
    (sent,) = fake.asked("/credit_notes/CN-1/record_refund", "POST")
    assert sent["transaction[amount]"] == "50" and sent["transaction[id]"] == made["id"]
    other = "tieout-refund-crm-2-0123456789"
    created(fake, "refund", {**form, "payment_id": "txn_1"}, other)
    (sent,) = fake.asked("/transactions/txn_1/record_refund", "POST")
    assert (sent["amount"], sent["reference_number"]) == ("50", other)
    assert json.loads(connector(fake).find("refund", other) or b"")["reference_number"] == other
    with pytest.raises(InvalidRecord, match="neither"):
        created(fake, "refund", form, "k")


def test_a_credit_note_is_imported_against_its_invoice(fake: FakeChargebee) -> None:
    form = {"reference_invoice_id": "7", "total": 5, "type": "refundable", "date": NOW}
    made = created(fake, "credit_note", form, OUR_KEY)
    assert made["id"] == OUR_KEY
    with pytest.raises(InvalidRecord, match="no invoice"):
        created(fake, "credit_note", {"total": 5}, "k")


def test_usage_is_made_on_its_subscription(fake: FakeChargebee) -> None:
    form = {"subscription_id": "s1", "item_price_id": "p", "quantity": "3", "usage_date": NOW}
    made = created(fake, "usage", form, OUR_KEY)
    assert (made["id"], made["note"], made["subscription_id"]) == (OUR_KEY, OUR_KEY, "s1")
    fake.kept.clear()
    assert created(fake, "usage", form, OUR_KEY)["id"] == OUR_KEY
    assert len(fake.objects["usages"]) == 1


def test_archiving_deletes_nothing(fake: FakeChargebee) -> None:
    fake.put("items", {"id": "gold", "status": "active"})
    fake.put("invoices", {"id": "7", "status": "not_paid"})
    chargebee = connector(fake)
    assert json.loads(chargebee.archive("product", "gold", key="k") or b"")["status"] == "archived"
    for attempt in ("k", "k2"):  # the second finds it voided
        found = json.loads(chargebee.archive("invoice", "7", key=attempt) or b"")
        assert found["status"] == "voided"
        fake.kept.clear()
    assert not [path for _, path, _ in fake.calls if path.endswith("/delete")]


def test_no_write_charges_a_customer() -> None:
    source = Path(__file__).parents[2] / "tieout/connectors/chargebee/writing.py"
    for word in ("collect_payment", "create_for_charge", '/refund"', "/cancel", "/delete"):
        assert word not in source.read_text()


def test_what_is_declared_can_be_done_and_nothing_else(fake: FakeChargebee) -> None:
    chargebee = connector(fake)
    for entity, cans in Chargebee.can.items():
        for can, call in [
            (Can.CREATE, lambda e=entity: chargebee.create(e, {}, key="k")),
            (Can.UPDATE, lambda e=entity: chargebee.update(e, "x", {}, key="k")),
            (Can.ARCHIVE, lambda e=entity: chargebee.archive(e, "x", key="k")),
            (Can.FIND, lambda e=entity: chargebee.find(e, "k")),
            (Can.GET, lambda e=entity: chargebee.get(e, "k")),
        ]:
            if can not in cans:
                with pytest.raises(InvalidRecord, match="not possible"):
                    call()
    with pytest.raises(ConfigError, match="has no payout"):
        chargebee.get("payout", "x")
    assert connector_class("chargebee") is Chargebee


# --- proofs


def proof(chargebee: Chargebee, entity: str, window: Window) -> dict[Method, list[Evidence]]:
    found: dict[Method, list[Evidence]] = {}
    for evidence in chargebee.prove(entity, window):
        found.setdefault(evidence.method, []).append(evidence)
    return found


def told(evidences: Iterable[Evidence]) -> set[str]:
    return {id for evidence in evidences for id in evidence.ids}


def test_a_window_is_proved_by_overlap_feed_and_sweep(fake: FakeChargebee) -> None:
    fake.put("customers", {"id": "untouched"}, {"id": "c1", "updated_at": NOW - 900})
    thing = {"id": "c1", "object": "customer"}
    fake.event("customer_changed", NOW - 900, customer=thing)
    fake.event("customer_changed", NOW - 100, customer={"id": "too-new", "object": "customer"})
    fake.event("invoice_updated", NOW - 900, customer={"id": "other", "object": "customer"})
    found = proof(connector(fake), "customer", Window(at(NOW - 3600), at(NOW)))
    assert found[Method.OVERLAP][0].seconds == 900
    assert told(found[Method.FEED]) == {"c1"}
    assert told(found[Method.SWEEP]) == {"untouched"}
    assert Method.IDS not in found


def test_where_absence_cannot_be_asked_for_old_rows_are_looked_through(
    fake: FakeChargebee,
) -> None:
    old = 1400000000
    touched = {"id": "touched", "date": old, "updated_at": 9}
    fake.put("invoices", {"id": "old", "date": old}, touched,
             {"id": "new", "date": NOW, "updated_at": NOW})  # fmt: skip
    fake.put("items", {"id": "bare"}, {"id": "item", "updated_at": 9})
    wrong = refusal(400, "param_wrong_value", param="updated_at[is_present]")
    fake.rules.append(
        lambda method, path, query: wrong if "updated_at[is_present]" in query else None
    )
    chargebee, window = connector(fake), Window(at(NOW - 3600), at(NOW))
    assert told(proof(chargebee, "invoice", window)[Method.SWEEP]) == {"old"}
    assert fake.asked("/invoices")[-1]["date[before]"] == "1475193600"
    assert told(proof(chargebee, "product", window)[Method.SWEEP]) == {"bare"}
    refused = [query for _, _, query in fake.calls if "updated_at[is_present]" in query]
    assert len(refused) == 1  # and then it is known


def test_a_full_pull_is_proved_by_every_id(fake: FakeChargebee) -> None:
    fake.page_limit = 2
    fake.put("customers", *customers(5), {"id": "dead", "deleted": True})
    found = proof(connector(fake), "customer", Window(None, at(NOW)))
    assert [evidence.ids for evidence in found[Method.IDS]] == [("c0", "c1"), ("c2", "c3"), ("c4",)]
    assert [evidence.whole for evidence in found[Method.IDS]] == [False, False, True]
    assert found[Method.IDS][0].bound == at(NOW - 300)  # lists may be five minutes behind
    assert Method.OVERLAP not in found
    feeds = {query["occurred_at[between]"] for query in fake.asked("/events")}
    assert feeds == {f"[{NOW - 300 - 7 * DAY},{NOW - 300}]"}


def test_an_empty_site_is_proved_empty(fake: FakeChargebee) -> None:
    found = proof(connector(fake), "invoice", Window(None, at(NOW)))
    assert [(e.ids, e.whole) for e in found[Method.IDS]] == [((), True)]


@pytest.mark.parametrize("entity", ["payment", "refund", "product"])
def test_what_does_not_say_when_it_was_made_is_never_called_gone(
    fake: FakeChargebee, entity: str
) -> None:
    """A list that is behind would make a new record look like a deleted one."""
    fake.put("transactions", {"id": "t1", "type": "payment"}, {"id": "t2", "type": "refund"})
    fake.put("items", {"id": "i1"})
    found = proof(connector(fake), entity, Window(None, at(NOW)))
    assert len(told(found[Method.IDS])) == 1
    assert not any(evidence.whole for evidence in found[Method.IDS])


def test_the_feed_names_no_other_entitys_records(fake: FakeChargebee) -> None:
    fake.event("payment_refunded", NOW - 900,
               transaction={"id": "r1", "object": "transaction", "type": "refund"},
               invoice={"id": "7", "object": "invoice"})  # fmt: skip
    window = Window(at(NOW - 3600), at(NOW))
    assert told(proof(connector(fake), "payment", window)[Method.FEED]) == set()
    assert told(proof(connector(fake), "refund", window)[Method.FEED]) == {"r1"}


def test_deleted_items_are_not_asked_back_from_the_store(fake: FakeChargebee) -> None:
    for type in ("item_created", "item_deleted"):
        fake.event(type, NOW - 900, item={"id": "brief", "object": "item"})
    fake.event("item_created", NOW - 800, item={"id": "kept", "object": "item"})
    fake.put("items", {"id": "kept", "status": "active"}, {"id": "old", "status": "deleted"})
    found = proof(connector(fake), "product", Window(None, at(NOW)))
    assert told(found[Method.FEED]) == {"kept"}
    assert told(found[Method.IDS]) == {"kept"}


@pytest.mark.parametrize("catalog", ["1", "2"])
@pytest.mark.parametrize("entity", sorted(KINDS))
def test_every_entity_can_be_pulled_and_proved(entity: str, catalog: str) -> None:
    fake = FakeChargebee(catalog)
    chargebee = connector(fake)
    if entity == "usage" and catalog == "1":
        with pytest.raises(NotEnabled):
            list(chargebee.pull(entity))
        return
    for since in (None, at(NOW - 3600)):
        assert ids(chargebee.pull(entity, since=since)) == []
        list(chargebee.prove(entity, Window(since, at(NOW))))


# --- webhooks


def basic(user: str, password: str) -> dict[str, str]:
    packed = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {packed}"}


LOGIN = basic("hook", "canary-password")


def hook(**content: Any) -> bytes:
    told = {"id": "ev_1", "object": "event", "api_version": "v2", "event_type": "x"}
    return json.dumps({**told, "content": content}).encode()


def test_a_webhook_names_every_record_in_it(fake: FakeChargebee) -> None:
    body = hook(
        subscription={"id": "s1", "object": "subscription"},
        customer={"id": "c1", "object": "customer"},
        invoice={"id": "7", "object": "invoice"},
        card={"id": "x", "object": "card"},
        transaction={"id": "t1", "object": "transaction", "type": "payment_reversal"},
    )
    assert connector(fake).read_webhook(LOGIN, body) == [
        Touched("ev_1", "subscription", "s1"),
        Touched("ev_1", "customer", "c1"),
        Touched("ev_1", "invoice", "7"),
        Touched("ev_1", "dispute", "t1"),
    ]


def test_a_plan_is_product_and_price(fake: FakeChargebee) -> None:
    told = connector(fake).read_webhook(LOGIN, hook(plan={"id": "p", "object": "plan"}))
    assert [(each.entity, each.id) for each in told] == [("product", "p"), ("price", "p")]


@pytest.mark.parametrize(
    "headers",
    [
        {}, basic("hook", "wrong"), basic("other", "canary-password"), basic("hook", ""),
        {"Authorization": "Bearer canary-password"}, {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + "A" * 9000},
    ],
)  # fmt: skip
def test_a_forged_webhook_is_refused(fake: FakeChargebee, headers: dict[str, str]) -> None:
    with pytest.raises(AuthError) as caught:
        connector(fake).read_webhook(headers, hook())
    assert "canary" not in str(caught.value)


def test_without_a_configured_password_every_webhook_is_refused(fake: FakeChargebee) -> None:
    bare = connector(fake, webhook_user="", webhook_password="")
    for headers in ({}, basic("", ""), LOGIN):
        with pytest.raises(ConfigError, match="no webhook_user") as caught:
            bare.read_webhook(headers, hook())
        assert not isinstance(caught.value, AuthError)  # the sender is to try again


def test_a_list_without_anything_in_it_is_not_sent() -> None:
    assert columns({"allocations": [], "notes": (), "total": 5}) == {"total": 5}


def test_a_password_may_hold_colons(fake: FakeChargebee) -> None:
    chargebee = connector(fake, webhook_password="a:b:c")
    assert chargebee.read_webhook(basic("hook", "a:b:c"), hook()) == []


def test_webhooks_of_the_old_api_are_named(fake: FakeChargebee) -> None:
    body = json.dumps({"id": "ev", "api_version": "v1", "content": {}}).encode()
    with pytest.raises(InvalidRecord) as caught:
        connector(fake).read_webhook(LOGIN, body)
    assert "V2" in caught.value.hint
    with pytest.raises(InvalidRecord, match="not JSON"):
        connector(fake).read_webhook(LOGIN, b"{")
    assert connector(fake).read_webhook(LOGIN, b"[1]") == []


@pytest.mark.skipif(not SAMPLES.exists(), reason="the official samples are not at hand")
def test_the_official_webhooks_name_records(fake: FakeChargebee) -> None:
    known = {}
    for path in sorted(SAMPLES.glob("webhook-*.json")):
        touched = connector(fake).read_webhook(LOGIN, path.read_bytes())
        known[path.stem.removeprefix("webhook-")] = [each.entity for each in touched]
    assert known["payment_refunded"].count("refund") == 1
    assert known["transaction_created"] == ["payment"]
    assert known["plan_deleted"] == ["product", "price"]
    body = (SAMPLES / "webhook-credit_note_deleted.json").read_bytes()
    touched = [each.id for each in connector(fake).read_webhook(LOGIN, body)]
    assert touched == ["TEST-CN-4_171000000014", "TEST-CN-4"]
    silent = {name for name, entities in known.items() if not entities}
    assert silent == {"coupon_created", "order_created", "unbilled_charges_created"}


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "acme.example.com"}, {"site": ""}, {"api_key": "  "}, {"catalog": 3},
        {"webhook_password": ""}, {"webhook_user": ""}, {"webhook_user": "a:b"},
        {"key_field": "tieout"}, {"calls_per_minute": 0}, {"other": 1},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    right = {"site": "acme", "api_key": "k", "webhook_user": "u", "webhook_password": "p"}
    ChargebeeConfig.model_validate(right)
    with pytest.raises(ValidationError):
        ChargebeeConfig.model_validate({**right, **wrong})


def test_a_host_name_is_taken_for_its_site() -> None:
    settings = ChargebeeConfig.model_validate({"site": "acme.chargebee.com", "api_key": "k"})
    assert settings.url == "https://acme.chargebee.com"
    local = settings.model_copy(update={"base_url": "http://127.0.0.1:8000/api/v2/"})
    assert local.url == "http://127.0.0.1:8000"
    assert "k" not in repr(settings.api_key)


def test_calls_keep_the_minutes_pace(fake: FakeChargebee) -> None:
    chargebee = connector(fake)
    for _ in range(100):
        chargebee.get("customer", "x")
    assert fake.seconds >= (100 - 3) / 1.5 - 1  # 90 a minute, three at once
