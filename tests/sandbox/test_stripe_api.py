"""The stand-in is as strict as the documentation: parameters, lists, keys, versions, limits."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from stripe_session import NOW, Stage, stage

from tieout.sandbox.stripe.errors import ApiError
from tieout.sandbox.stripe.form import decode
from tieout.sandbox.stripe.params import check
from tieout.sandbox.stripe.periods import period, step
from tieout.sandbox.stripe.search import parse


@pytest.fixture
def api() -> Iterator[Stage]:
    with stage(api_key="sk_test_0123456789abcdef") as running:
        yield running


def error(answer: Any) -> tuple[int, str | None, str | None]:
    body = answer.json()["error"]
    return answer.status_code, body.get("code"), body.get("param")


# Access


def test_the_key_comes_as_bearer_or_as_basic_user(api: Stage) -> None:
    key = api.stand_in.credentials()["api_key"]
    basic = base64.b64encode(f"{key}:".encode()).decode()
    for header in (f"Bearer {key}", f"Basic {basic}"):
        api.http.auth = None
        assert api.http.get(api.running.url + "/v1/account", headers={"Authorization": header},
                            timeout=5).status_code == 200  # fmt: skip


@pytest.mark.parametrize("header", [None, "Bearer sk_test_nope", "Basic ????", "Bearer "])
def test_other_keys_are_refused_and_not_repeated(api: Stage, header: str | None) -> None:
    api.http.auth = None
    answer = api.http.get(api.running.url + "/v1/account", timeout=5,
                          headers={"Authorization": header} if header else {})  # fmt: skip
    assert answer.status_code == 401
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_versions_are_echoed_and_bad_ones_refused(api: Stage) -> None:
    for version, status in (("2026-10-28.endive", 200), ("2020-08-27", 200), ("latest", 400)):
        answer = api.http.get(api.running.url + "/v1/account", timeout=5,
                              headers={"Stripe-Version": version})  # fmt: skip
        assert answer.status_code == status
        assert answer.headers.get("Stripe-Version", version) == version


def test_unknown_addresses_are_404(api: Stage) -> None:
    assert api.get("/v1/customer").status_code == 404
    assert "Unrecognized request URL (GET: /v1/customer)" in api.get("/v1/customer").text
    assert error(api.get("/v1/customers/cus_none")) == (404, "resource_missing", "id")


# Parameters


def test_brackets_make_hashes_and_lists() -> None:
    text = "a[b]=1&a[c][]=x&a[c][]=y&i[1][p]=q&i[0][p]=r&l[][n]=1&l[][v]=2&l[][n]=3&e=&u=%C3%A9"
    assert decode(text) == {
        "a": {"b": "1", "c": ["x", "y"]},
        "i": [{"p": "r"}, {"p": "q"}],
        "l": [{"n": "1", "v": "2"}, {"n": "3"}],
        "e": "",
        "u": "é",
    }


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({"name": "A", "nme": "x"}, "parameter_unknown", "nme"),
        ({"address[zip]": "1"}, "parameter_unknown", "address[zip]"),
        ({"balance": "1.5"}, "parameter_invalid_integer", "balance"),
        ({"payment_method": ""}, "parameter_invalid_empty", "payment_method"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"tax_exempt": "yes"}, None, "tax_exempt"),
        ({"metadata[k]": "x" * 501}, None, "metadata[k]"),
        ({"email": "nobody"}, None, "email"),
    ],
)
def test_a_bad_parameter_is_named(
    api: Stage, sent: dict[str, str], code: str | None, param: str
) -> None:
    assert error(api.post("/v1/customers", sent)) == (400, code, param)
    assert api.get("/v1/customers").json()["data"] == []


def test_what_is_missing_is_named(api: Stage) -> None:
    assert error(api.post("/v1/products")) == (400, "parameter_missing", "name")
    assert error(api.get("/v1/subscription_items")) == (400, "parameter_missing", "subscription")
    assert error(api.post("/v1/invoices")) == (400, "parameter_missing", "customer")


def test_json_bodies_are_refused(api: Stage) -> None:
    answer = api.http.post(api.running.url + "/v1/customers", json={"name": "A"}, timeout=5)
    assert answer.status_code == 400 and "x-www-form-urlencoded" in answer.text


def test_metadata_is_merged_and_unset(api: Stage) -> None:
    made = api.post("/v1/customers", {"metadata[a]": "1", "metadata[b]": "2"}).json()
    path = f"/v1/customers/{made['id']}"
    assert api.post(path, {"metadata[a]": ""}).json()["metadata"] == {"b": "2"}
    assert api.post(path, {"metadata": ""}).json()["metadata"] == {}


def test_specifications_give_types() -> None:
    spec = "n!:i flag:b when:r tags:l m:m h:{x:d} all:[k]"
    sent = decode("n=-3&flag=true&when[gte]=5&tags[]=a&m[0]=z&h[x]=1.50&all[0][k]=v")
    got = check(sent, spec)
    assert got["n"] == -3 and got["flag"] is True and got["when"] == {"gte": 5}
    assert got["m"] == {"0": "z"} and str(got["h"]["x"]) == "1.50" and got["all"] == [{"k": "v"}]
    with pytest.raises(ApiError) as refusal:
        check({"n": "1", "flag": "yes"}, spec)
    assert refusal.value.validation


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [("isk", 550, "invalid_charge_amount_no_decimal_compatible"), ("isk", 500, None),
     ("kwd", 1_005, "parameter_invalid_integer"), ("kwd", 1_000, None), ("jpy", 50, None),
     ("jpy", 49, "amount_too_small"), ("usd", 49, "amount_too_small"),
     ("usd", 100_000_000, "amount_too_large"), ("usd", 0, "parameter_invalid_integer")],
)  # fmt: skip
def test_amounts_follow_the_currencys_rules(
    api: Stage, currency: str, amount: int, code: str | None
) -> None:
    answer = api.post("/v1/payment_intents", {"amount": amount, "currency": currency})
    assert answer.json().get("error", {}).get("code") == code


# Lists


def test_pages_are_bounded_and_cursors_must_exist(api: Stage) -> None:
    for limit in ("0", "101", "-1"):
        assert api.get("/v1/customers", limit=limit).status_code == 400
    answer = api.get("/v1/customers", starting_after="cus_none")
    assert error(answer) == (400, "resource_missing", "starting_after")
    assert error(api.get("/v1/charges", status="succeeded"))[1] == "parameter_unknown"


def test_a_cursor_whose_object_was_deleted_is_refused(api: Stage) -> None:
    ids = [api.post("/v1/customers", {"name": str(n)}).json()["id"] for n in range(3)]
    api.http.delete(f"{api.running.url}/v1/customers/{ids[1]}", timeout=5)
    assert error(api.get("/v1/customers", starting_after=ids[1]))[1] == "resource_missing"
    page = api.get("/v1/customers", starting_after=ids[2]).json()
    assert [one["id"] for one in page["data"]] == [ids[0]]


def test_a_list_has_the_documented_envelope(api: Stage) -> None:
    assert list(api.get("/v1/payouts").json().items()) == [
        ("object", "list"), ("data", []), ("has_more", False), ("url", "/v1/payouts")]  # fmt: skip


def test_large_accounts_page_quickly_and_completely(api: Stage) -> None:
    count = 20_000
    api.stand_in.load(
        ("invoice", {"id": f"in_{n}", "object": "invoice", "created": NOW - (n * 7919) % count,
                     "customer": f"cus_{n % 50}", "status": "open" if n % 100 == 0 else "paid"})
        for n in range(count)
    )  # fmt: skip
    seen, after = [], {}
    while True:
        page = api.get("/v1/invoices", status="open", limit=100, **after).json()
        seen += page["data"]
        if not page["has_more"]:
            break
        after = {"starting_after": page["data"][-1]["id"]}
    assert len(seen) == len({one["id"] for one in seen}) == count // 100
    moments = [one["created"] for one in seen]
    assert moments == sorted(moments, reverse=True)
    day = api.get("/v1/invoices", **{"created[gte]": NOW - 9, "created[lt]": NOW}, limit=100)
    assert len(day.json()["data"]) == 9


# Expansion


def test_ids_are_expanded_four_levels_deep_and_no_further(api: Stage) -> None:
    product = api.post("/v1/products", {"name": "P"}).json()["id"]
    sent = {"currency": "usd", "product": product, "billing_scheme": "tiered",
            "tiers_mode": "graduated", "tiers[0][up_to]": "10", "tiers[0][unit_amount]": "100",
            "tiers[1][up_to]": "inf", "tiers[1][unit_amount_decimal]": "0.5",
            "recurring[interval]": "year"}  # fmt: skip
    price = api.post("/v1/prices", sent).json()
    assert "tiers" not in price and price["unit_amount"] is None
    path = f"/v1/prices/{price['id']}"
    seen = api.get(path, **{"expand[]": ["tiers", "product"]}).json()
    assert seen["product"]["name"] == "P"
    assert seen["tiers"][1] == {"flat_amount": None, "flat_amount_decimal": None, "up_to": None,
                                "unit_amount": None, "unit_amount_decimal": "0.5"}  # fmt: skip
    listed = api.get("/v1/prices", **{"expand[]": "data.product"}).json()
    assert listed["data"][0]["product"]["id"] == product
    assert api.get("/v1/prices", **{"expand[]": "product"}).status_code == 400
    assert api.get(path, **{"expand[]": "nickname"}).status_code == 400
    assert api.get(path, **{"expand[]": "a.b.c.d.e"}).status_code == 400


# Idempotency


def test_a_repeated_key_gets_the_first_answer(api: Stage) -> None:
    first = api.post("/v1/customers", {"name": "A"}, key="k")
    again = api.post("/v1/customers", {"name": "A"}, key="k")
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = api.post("/v1/products", {"name": "A"}, key="k")
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"


def test_a_failed_validation_frees_the_key_and_a_500_does_not(api: Stage) -> None:
    assert api.post("/v1/customers", {"nme": "A"}, key="k").status_code == 400
    assert api.post("/v1/customers", {"name": "A"}, key="k").status_code == 200
    api.running.faults.add("500_after")
    assert api.post("/v1/customers", {"name": "B"}, key="m").status_code == 500
    replayed = api.post("/v1/customers", {"name": "B"}, key="m")
    assert replayed.status_code == 500
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert [c["name"] for c in api.get("/v1/customers").json()["data"]] == ["B", "A"]


def test_a_lost_answer_is_recovered_with_the_same_key(api: Stage) -> None:
    api.running.faults.add("lost_answer")
    with pytest.raises(OSError):
        api.post("/v1/customers", {"name": "A"}, key="k")
    assert api.post("/v1/customers", {"name": "A"}, key="k").status_code == 200
    assert len(api.get("/v1/customers").json()["data"]) == 1


def test_a_key_in_flight_is_a_conflict(api: Stage) -> None:
    answers: list[Any] = []
    with api.stand_in.account.lock:
        first = threading.Thread(
            target=lambda: answers.append(api.stand_in._replays.begin("k", b"x", NOW))
        )
        first.start()
        first.join()
    assert answers == [None]
    with pytest.raises(ApiError) as refusal:
        api.stand_in._replays.begin("k", b"x", NOW)
    assert refusal.value.status == 409
    assert refusal.value.body["error"]["code"] == "idempotency_key_in_use"


# Events


def test_the_feed_filters_by_types_and_forgets_after_thirty_days(api: Stage) -> None:
    api.post("/v1/customers", {"name": "A"})
    api.post("/v1/products", {"name": "P"})
    both = {"types[]": ["customer.created", "product.created"]}
    assert len(api.get("/v1/events", **both).json()["data"]) == 2
    assert api.get("/v1/events", type="x", **both).status_code == 400
    assert api.get("/v1/events", **{"types[]": ["t"] * 21}).status_code == 400
    event = api.get("/v1/events", type="product.*").json()["data"][0]
    assert event["type"] == "product.created" and event["created"] == NOW
    assert event["request"]["id"].startswith("req_")
    api.clock.move(30 * 86_400 + 1)
    assert api.get("/v1/events").json()["data"] == []
    assert api.get(f"/v1/events/{event['id']}").status_code == 404


def test_many_writers_lose_nothing(api: Stage) -> None:
    url, key = api.running.url, api.stand_in.credentials()["api_key"]

    def write(part: int) -> None:
        import requests

        with requests.Session() as http:
            for n in range(10):
                http.post(url + "/v1/customers", {"name": f"{part}-{n}"}, auth=(key, ""),
                          timeout=10)  # fmt: skip

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {one["name"] for one in api.get("/v1/customers", limit=100).json()["data"]}
    assert len(names) == 40


# Cash


def test_automatic_payouts_tie_out_to_their_transactions() -> None:
    with stage(automatic_payouts=True) as api:
        for amount in (10_000, 2_000):
            sent = {"amount": amount, "currency": "usd", "confirm": "true",
                    "payment_method": "pm_card_visa"}  # fmt: skip
            api.post("/v1/payment_intents", sent)
        api.clock.move(5 * 86_400)
        (payout,) = api.get("/v1/payouts").json()["data"]
        rows = api.get("/v1/balance_transactions", payout=payout["id"]).json()["data"]
        paid = sum(row["net"] for row in rows if row["type"] != "payout")
        # Fees: 3.20 on 100.00 and 0.88 on 20.00.
        assert paid == payout["amount"] == 12_000 - 320 - 88
        assert (payout["status"], payout["reconciliation_status"]) == ("paid", "completed")


def test_manual_payouts_cannot_be_listed_by_transaction(api: Stage) -> None:
    sent = {"amount": 10_000, "currency": "usd", "confirm": "true",
            "payment_method": "pm_card_visa"}  # fmt: skip
    api.post("/v1/payment_intents", sent)
    assert error(api.post("/v1/payouts", {"amount": 1, "currency": "usd"}))[1] == (
        "balance_insufficient")  # fmt: skip
    api.clock.move(2 * 86_400)
    made = api.post("/v1/payouts", {"amount": 9_680, "currency": "usd"}).json()
    assert made["automatic"] is False
    assert api.get("/v1/balance_transactions", payout=made["id"]).status_code == 400
    assert api.get("/v1/balance").json()["available"][0]["amount"] == 0


def test_usage_is_metered_and_summed(api: Stage) -> None:
    customer = api.post("/v1/customers", {"name": "A"}).json()["id"]
    meter = api.post("/v1/billing/meters", {"display_name": "Calls", "event_name": "call",
                     "default_aggregation[formula]": "sum"}).json()  # fmt: skip
    event = {"event_name": "call", "payload[stripe_customer_id]": customer, "identifier": "e1"}
    assert api.post("/v1/billing/meter_events", {**event, "payload[value]": "2.5"}).ok
    repeated = api.post("/v1/billing/meter_events", {**event, "payload[value]": "2.5"})
    assert error(repeated)[1] == "duplicate_meter_event"
    event["identifier"] = "e2"
    assert api.post("/v1/billing/meter_events", {**event, "payload[value]": "4"}).ok
    hour = NOW - NOW % 3600
    found = api.get(f"/v1/billing/meters/{meter['id']}/event_summaries", customer=customer,
                    start_time=hour, end_time=hour + 3600).json()["data"]  # fmt: skip
    assert [one["aggregated_value"] for one in found] == [6.5]


def test_limits_are_enforced_on_the_sandbox_clock() -> None:
    with stage(limits=True) as api:
        codes = [api.get("/v1/customers").status_code for _ in range(27)]
        assert codes == [200] * 25 + [429] * 2
        refused = api.get("/v1/customers")
        assert refused.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
        assert error(refused)[1] == "rate_limit"
        api.clock.move(1)
        assert api.get("/v1/customers").status_code == 200


# Pure parts


@pytest.mark.parametrize(
    ("query", "every", "clauses"),
    [("name:'O\\'Neil' AND -email~'test'", True, 2), ("status:'open' OR total>=100", False, 2),
     ('metadata["a b"]:"c"', True, 1)],
)  # fmt: skip
def test_search_queries_are_read(query: str, every: bool, clauses: int) -> None:
    kind = "invoice" if "total" in query else "customer"
    found, all_hold = parse(kind, query)
    assert (len(found), all_hold) == (clauses, every)
    if "Neil" in query:
        assert found[0].value == "O'Neil" and found[1].negated


@pytest.mark.parametrize(
    "query", ["", "name", "name:'a' AND email:'b' OR phone:'c'", "shoe:'1'", "name~'ab'",
              "name>'a'", "metadata:'x'"]
)  # fmt: skip
def test_bad_search_queries_are_refused(query: str) -> None:
    with pytest.raises(ApiError):
        parse("customer", query)


def test_months_end_where_the_calendar_says() -> None:
    january_31 = 1_769_817_600  # 2026-01-31T00:00:00Z
    february_28 = 1_772_236_800
    march_31 = 1_774_915_200
    assert step(january_31, "month", 1, 1) == february_28
    assert step(january_31, "month", 1, 2) == march_31
    assert period(january_31, "month", 1, february_28 + 5) == (february_28, march_31)
    assert period(january_31, "week", 2, january_31) == (january_31, january_31 + 14 * 86_400)
