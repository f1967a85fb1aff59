"""How the Chargebee stand-in answers: login, refusals, lists, pages, keys, limits, lag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from chargebee_session import DAY, NOW, Stage, stage


@pytest.fixture
def cb() -> Iterator[Stage]:
    with stage() as running:
        yield running


def filled(cb: Stage, count: int = 25) -> None:
    """Customers c00, c01, ... a minute apart; odd ones have no `updated_at`."""
    cb.stand_in.load(
        (
            "customer",
            {
                "id": f"c{at:02}",
                "object": "customer",
                "first_name": "Ann" if at % 3 else "Bob",
                "created_at": NOW - DAY + at * 60,
                "deleted": at == 4,
                "net_term_days": 0,
                **({} if at % 2 else {"updated_at": NOW - at * 60}),
            },
        )
        for at in range(count)
    )


def ids(rows: list[Any]) -> list[str]:
    return [row["id"] for row in rows]


# Who may ask


@pytest.mark.parametrize("login", [None, ("wrong", ""), ("", "")])
def test_a_wrong_key_is_refused(cb: Stage, login: tuple[str, str] | None) -> None:
    answer = requests.get(cb.url("customers"), auth=login, timeout=10)
    assert answer.status_code == 401
    # https://github.com/singer-io/tap-chargebee, test_json_decoder_error_handling.py
    assert answer.json()["api_error_code"] == "api_authentication_failed"
    assert answer.json()["message"] == "Sorry, authentication failed. Invalid api key"


def test_a_key_that_is_not_encoded_is_refused(cb: Stage) -> None:
    header = {"Authorization": f"Basic {cb.stand_in.credentials()['api_key']}"}
    assert requests.get(cb.url("customers"), headers=header, timeout=10).status_code == 401


def test_unknown_paths_methods_and_resources(cb: Stage) -> None:
    assert cb.ask("nonsense").json()["api_error_code"] == "resource_not_found"
    assert cb.ask("nonsense").status_code == 404
    assert cb.ask("customers/nobody").status_code == 404
    assert cb.ask("customers/nobody").json()["type"] == "invalid_request"
    assert cb.send("disputes").status_code == 405
    assert cb.send("disputes").json()["api_error_code"] == "http_method_not_supported"


@pytest.mark.parametrize(
    ("catalog", "own", "other"),
    [(2, "item_families", "plans"), (1, "plans", "item_families"), (1, "addons", "item_prices")],
)
def test_the_other_catalogue_is_not_enabled(catalog: int, own: str, other: str) -> None:
    with stage(catalog=catalog) as cb:
        assert cb.get(own, {"limit": 1}) == {"list": []}
        answer = cb.ask(other, {"limit": 1})
        assert answer.status_code == 400
        assert answer.json()["api_error_code"] == "configuration_incompatible"
        assert answer.json()["error_code"] == "api_restricted"
        assert "not enabled for this site" in answer.json()["message"]
        site = cb.get("configurations")["configurations"][0]
        assert site["product_catalog_version"] == f"v{catalog}"


# What may be sent


@pytest.mark.parametrize(
    ("path", "data", "param", "code"),
    [
        ("customers", {"email": "no-address"}, "email", "wrong_format"),
        ("customers", {"net_term_days": "ten"}, "net_term_days", "wrong_format"),
        ("customers", {"taxability": "maybe"}, "taxability", "param_wrong_value"),
        ("customers", {"shoe_size": "43"}, "shoe_size", "param_wrong_value"),
        (
            "customers",
            {"billing_address[planet]": "Mars"},
            "billing_address[planet]",
            "param_wrong_value",
        ),
        ("item_families", {"id": "x"}, "name", "param_should_not_be_blank"),
        ("customers", {"net_term_days": "-1"}, "net_term_days", "param_wrong_value"),
        (
            "item_prices",
            {"id": "x", "name": "X", "item_id": "i", "period": "0"},
            "period",
            "param_wrong_value",
        ),
    ],
)
def test_wrong_parameters_are_named(
    cb: Stage, path: str, data: dict[str, str], param: str, code: str
) -> None:
    answer = cb.send(path, data)
    body = answer.json()
    assert (answer.status_code, body["api_error_code"]) == (400, "param_wrong_value")
    assert (body["param"], body["error_param"], body["error_code"]) == (param, param, code)
    assert body["message"].startswith(f"{param} : ")


def test_a_wrong_element_of_a_list_is_named_with_its_index(cb: Stage) -> None:
    cb.catalogue()
    cb.customer()
    sent = {
        "subscription_items[item_price_id][0]": "seat-monthly",
        "subscription_items[item_price_id][1]": "missing",
    }
    answer = cb.send("customers/acme/subscription_for_items", sent)
    assert answer.status_code == 404
    assert answer.json()["param"] == "subscription_items[item_price_id][1]"


def test_json_is_no_form(cb: Stage) -> None:
    answer = cb.http.post(cb.url("customers"), json={"id": "x"}, timeout=10)
    assert answer.status_code == 400


def test_custom_fields_are_those_of_the_site() -> None:
    with stage(custom_fields=["cf_tieout_id"]) as cb:
        assert (
            cb.post("customers", {"id": "a", "cf_tieout_id": "7"})["customer"]["cf_tieout_id"]
            == "7"
        )
        assert cb.refused("customers", {"id": "b", "cf_other": "7"}) == (
            400,
            "param_wrong_value",
            "cf_other",
        )


def test_an_empty_value_removes_an_attribute(cb: Stage) -> None:
    cb.customer(phone="1")
    assert "phone" not in cb.post("customers/acme", {"phone": ""})["customer"]


def test_meta_data_is_json(cb: Stage) -> None:
    assert cb.customer(meta_data='{"a": [1]}')["meta_data"] == {"a": [1]}
    assert cb.refused("customers", {"meta_data": "{"})[2] == "meta_data"


# Lists


def test_pages_follow_the_token_to_the_end(cb: Stage) -> None:
    filled(cb)
    first = cb.get("customers")
    assert len(first["list"]) == 10
    assert re.fullmatch(r'\["\d+","\d+"\]', first["next_offset"])
    found = ids(cb.rows("customer", "customers", {"limit": 7}))
    assert found == [f"c{at:02}" for at in range(25) if at != 4]


def test_a_token_belongs_to_its_parameters(cb: Stage) -> None:
    filled(cb)
    asked = {"limit": 5, "sort_by[asc]": "updated_at", "include_deleted": "true"}
    token = cb.get("customers", asked)["next_offset"]
    cb.get("customers", {**asked, "offset": token})
    for change in (
        {"limit": 6},
        {"sort_by[asc]": "created_at"},
        {"include_deleted": "false"},
        {"updated_at[after]": 1},
    ):
        answer = cb.ask("customers", {**asked, **change, "offset": token})
        assert (answer.status_code, answer.json()["param"]) == (400, "offset")
    assert cb.ask("customers", {"offset": "[1"}).status_code == 400


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_limits_of_a_page(cb: Stage, limit: str) -> None:
    assert cb.ask("customers", {"limit": limit}).json()["param"] == "limit"


def test_deleted_rows_come_when_asked_for(cb: Stage) -> None:
    filled(cb)
    assert "c04" not in ids(cb.rows("customer", "customers"))
    assert "c04" in ids(cb.rows("customer", "customers", {"include_deleted": "True"}))
    assert cb.ask("customers/c04").status_code == 404


def test_rows_without_the_timestamp_are_left_out_by_its_filter(cb: Stage) -> None:
    filled(cb, 6)
    every = {"updated_at[after]": 0, "include_deleted": "true"}
    assert ids(cb.rows("customer", "customers", every)) == ["c00", "c02", "c04"]
    absent = {"updated_at[is_present]": "false"}
    assert ids(cb.rows("customer", "customers", absent)) == ["c01", "c03", "c05"]


@pytest.mark.parametrize("between", ["[{}, {}]", "['{}', '{}']", '["{}","{}"]', "[{},{}]"])
def test_between_is_inclusive_however_clients_write_it(cb: Stage, between: str) -> None:
    filled(cb, 12)
    window = between.format(NOW - 8 * 60, NOW - 2 * 60)
    found = cb.rows("customer", "customers", {"updated_at[between]": window})
    assert ids(found) == ["c02", "c06", "c08"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"updated_at[after]": NOW - 2 * 60}, ["c00"]),
        ({"updated_at[before]": NOW - 8 * 60}, ["c10"]),
        ({"first_name[is]": "Bob"}, ["c00", "c03", "c06", "c09"]),
        ({"first_name[is_not]": "Ann"}, ["c00", "c03", "c06", "c09"]),
        ({"first_name[starts_with]": "B", "id[in]": '["c03","c05","c09"]'}, ["c03", "c09"]),
        ({"id[in]": "['c01', 'c02']"}, ["c01", "c02"]),
        ({"id[not_in]": "[c00,c01,c02,c03,c05,c06,c07,c08,c09,c10]"}, ["c11"]),
        ({"email[is_present]": "true"}, []),
    ],
)
def test_filters(cb: Stage, filter: dict[str, Any], found: list[str]) -> None:
    filled(cb, 12)
    assert ids(cb.rows("customer", "customers", filter)) == found


def test_on_means_a_day_of_the_site() -> None:
    with stage(timezone="America/Los_Angeles") as cb:
        # 2026-01-31 07:59 and 08:00 UTC are midnight's two sides in California.
        for id, moment in (("before", 1769846340), ("after", 1769846400)):
            cb.stand_in.load([("customer", {"id": id, "created_at": moment})])
        rows = cb.rows("customer", "customers", {"created_at[on]": NOW})
        assert ids(rows) == ["after"]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"first_name": "Bob"}, "first_name"),
        ({"first_name[like]": "B"}, "first_name[like]"),
        ({"updated_at[between]": "[1]"}, "updated_at[between]"),
        ({"updated_at[after]": "yesterday"}, "updated_at[after]"),
        ({"auto_collection[is]": "perhaps"}, "auto_collection[is]"),
        ({"sort_by[asc]": "email"}, "sort_by[asc]"),
        ({"shoe_size[is]": "43"}, "shoe_size"),
    ],
)
def test_wrong_list_parameters_are_named(cb: Stage, params: dict[str, str], param: str) -> None:
    answer = cb.ask("customers", params)
    assert (answer.status_code, answer.json()["param"]) == (400, param)


def test_numbers_and_nested_filters(cb: Stage) -> None:
    cb.customer()
    cb.customer("child")
    cb.post("customers/child/relationships", {"parent_id": "acme", "invoice_owner_id": "acme"})
    found = cb.rows("customer", "customers", {"relationship[parent_id][is]": "acme"})
    assert ids(found) == ["child"]
    small, large = cb.invoice(100), cb.invoice(900)
    assert ids(cb.rows("invoice", "invoices", {"total[gte]": 900})) == [large["id"]]
    assert ids(cb.rows("invoice", "invoices", {"total[between]": "[50,100]"})) == [small["id"]]
    assert ids(cb.rows("invoice", "customers/acme/invoices")) == [small["id"], large["id"]]


@pytest.mark.parametrize("way", ["asc", "desc"])
def test_sorting(cb: Stage, way: str) -> None:
    filled(cb, 9)
    asked = {f"sort_by[{way}]": "updated_at", "updated_at[after]": 1, "limit": 2}
    found = ids(cb.rows("customer", "customers", {**asked, "include_deleted": "true"}))
    newest_last = ["c08", "c06", "c04", "c02", "c00"]
    assert found == (newest_last if way == "asc" else newest_last[::-1])


def test_a_changed_row_moves_to_the_end_while_paging(cb: Stage) -> None:
    filled(cb, 9)
    asked = {"sort_by[asc]": "updated_at", "updated_at[after]": 1, "limit": 2}
    first = cb.get("customers", asked)
    cb.post("customers/c08", {"phone": "1"})
    asked["offset"] = first["next_offset"]
    rest = ids(cb.rows("customer", "customers", asked))
    assert ids([row["customer"] for row in first["list"]]) == ["c08", "c06"]
    assert rest[-1] == "c08"


# Eventual consistency


def test_lists_lag_and_reads_do_not() -> None:
    with stage(list_lag_seconds=300) as cb:
        cb.customer(phone="1")
        assert cb.get("customers/acme")["customer"]["phone"] == "1"
        assert cb.get("customers")["list"] == []
        cb.clock.move(299)
        assert cb.get("customers")["list"] == []
        cb.clock.move(1)
        assert cb.get("customers")["list"][0]["customer"]["phone"] == "1"
        cb.post("customers/acme", {"phone": "2"})
        assert cb.get("customers")["list"][0]["customer"]["phone"] == "1"
        stale = {"updated_at[after]": NOW + 299}
        assert cb.get("customers", stale)["list"] == []
        cb.clock.move(300)
        assert cb.get("customers", stale)["list"][0]["customer"]["phone"] == "2"


def test_versions_only_grow(cb: Stage) -> None:
    made = [cb.customer(f"c{at}") for at in range(5)]
    versions = [one["resource_version"] for one in made]
    assert versions == sorted(set(versions))
    assert versions[0] >= NOW * 1000
    assert {one["updated_at"] for one in made} == {NOW}


# Keys and limits


def test_a_key_gives_the_first_answer_again(cb: Stage) -> None:
    sent = {"first_name": "Ann"}
    first = cb.send("customers", sent, chargebee_idempotency_key="k")
    again = cb.send("customers", sent, chargebee_idempotency_key="k")
    assert "chargebee-idempotency-replayed" not in first.headers
    assert again.headers["chargebee-idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert len(cb.get("customers")["list"]) == 1
    other = cb.send("customers", {"first_name": "Bob"}, chargebee_idempotency_key="k")
    assert (other.status_code, other.json()["api_error_code"]) == (422, "unable_to_process_request")
    cb.clock.move(30 * 60 + 1)
    late = cb.send("customers", sent, chargebee_idempotency_key="k")
    assert late.json()["customer"]["id"] != first.json()["customer"]["id"]


def test_a_refused_request_leaves_its_key_free(cb: Stage) -> None:
    wrong = cb.send("customers", {"email": "x"}, chargebee_idempotency_key="k")
    assert wrong.status_code == 400
    right = cb.send("customers", {"email": "x@example.com"}, chargebee_idempotency_key="k")
    assert right.status_code == 200


def test_an_answer_lost_after_the_effect_is_kept_under_its_key(cb: Stage) -> None:
    cb.running.faults.load("lost_answer@1@POST")
    with pytest.raises(requests.ConnectionError):
        cb.send("customers", {"id": "a"}, chargebee_idempotency_key="k")
    again = cb.send("customers", {"id": "a"}, chargebee_idempotency_key="k")
    assert again.headers["chargebee-idempotency-replayed"] == "true"
    assert again.json()["customer"]["id"] == "a"


def test_so_many_requests_a_minute() -> None:
    with stage(limits=True, calls_per_minute=3) as cb:
        for _ in range(3):
            cb.get("customers")
        answer = cb.ask("customers")
        assert answer.status_code == 429
        body = answer.json()
        assert (body["type"], body["api_error_code"]) == (
            "operation_failed",
            "api_request_limit_exceeded",
        )
        cb.clock.move(int(answer.headers["Retry-After"]))
        cb.get("customers")


def test_big_invoices_are_read_in_pages() -> None:
    with stage(lines_per_get=4) as cb:
        cb.customer()
        lines = {f"charges[amount][{at}]": 100 + at for at in range(9)}
        lines |= {f"charges[description][{at}]": f"Line {at}" for at in range(9)}  # type: ignore[misc]
        made = cb.post(
            "invoices/create_for_charge_items_and_charges", {"customer_id": "acme", **lines}
        )["invoice"]
        found, asked = [], {"line_items_limit": "4"}
        while True:
            part = cb.get(f"invoices/{made['id']}", asked)["invoice"]
            found += [one["amount"] for one in part["line_items"]]
            if "line_items_next_offset" not in part:
                break
            asked["line_items_offset"] = part["line_items_next_offset"]
        assert found == [100 + at for at in range(9)]
        assert sum(found) == made["total"]


def test_an_export_is_a_zip_of_csv(cb: Stage) -> None:
    import csv
    import io
    import zipfile

    cb.customer()
    cb.customer("other")
    export = cb.post("exports/customers", {"customer[id][in]": '["other"]'})["export"]
    assert export["status"] == "in_process"
    cb.clock.move(10)
    done = cb.get(f"exports/{export['id']}")["export"]
    assert done["status"] == "completed"
    raw = requests.get(done["download"]["download_url"], timeout=10).content
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        text = archive.read("customers.csv").decode()
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == ["other"]
    cb.clock.move(DAY)
    assert requests.get(done["download"]["download_url"], timeout=10).status_code == 404


def test_a_key_that_only_reads(cb: Stage) -> None:
    login = (cb.stand_in.read_only_key, "")
    assert requests.get(cb.url("customers"), auth=login, timeout=10).status_code == 200
    answer = requests.post(cb.url("customers"), auth=login, timeout=10)
    assert (answer.status_code, answer.json()["api_error_code"]) == (
        403,
        "api_authorization_failed",
    )


def test_the_host_names_the_site(cb: Stage) -> None:
    port = cb.running.port
    own = cb.http.get(cb.url("customers"), headers={"Host": f"acme-test.localhost:{port}"})
    assert own.status_code == 200
    other = cb.http.get(cb.url("customers"), headers={"Host": "other-test.chargebee.com"})
    assert (other.status_code, other.json()["api_error_code"]) == (404, "site_not_found")


def test_maintenance_leaves_a_site_readable(cb: Stage) -> None:
    cb.stand_in.maintenance = True
    cb.get("customers")
    answer = cb.send("customers")
    assert (answer.status_code, answer.json()["api_error_code"]) == (503, "site_read_only_mode")


def test_a_mandatory_attribute_is_not_removed(cb: Stage) -> None:
    cb.catalogue()
    assert cb.refused("items/seat", {"name": ""}) == (400, "param_wrong_value", "name")


def test_loading_after_a_list_was_read(cb: Stage) -> None:
    filled(cb, 3)
    asked = {"sort_by[desc]": "created_at", "limit": 100}
    assert len(cb.get("customers", asked)["list"]) == 3
    filled(cb, 80)
    found = ids(cb.rows("customer", "customers", asked))
    assert found == [f"c{at:02}" for at in range(79, -1, -1) if at != 4]


@pytest.mark.parametrize(
    ("path", "form", "longest"),
    [
        # https://apidocs.chargebee.com/docs/api : "max chars" of each object's id
        ("customers", {}, 50),
        ("item_families", {"name": "F"}, 50),
        ("items", {"name": "I", "type": "plan", "item_family_id": "fam"}, 100),
    ],
)
def test_ids_have_their_documented_lengths(
    cb: Stage, path: str, form: dict[str, Any], longest: int
) -> None:
    cb.post("item_families", {"id": "fam", "name": "Family"})
    cb.post(path, {**form, "id": "x" * longest})
    status, code, param = cb.refused(path, {**form, "id": "y" * (longest + 1)})
    assert (status, code, param) == (400, "param_wrong_value", "id")


def test_a_payments_own_id_has_forty_characters(cb: Stage) -> None:
    cb.customer()
    form = {
        "transaction[amount]": 5,
        "transaction[date]": NOW,
        "transaction[payment_method]": "cash",
    }
    cb.post("customers/acme/record_excess_payment", {**form, "transaction[id]": "x" * 40})
    refused = cb.refused(
        "customers/acme/record_excess_payment", {**form, "transaction[id]": "y" * 41}
    )
    assert refused == (400, "param_wrong_value", "transaction[id]")
