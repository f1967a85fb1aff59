"""What NetSuite's own counts and ids say about a pull over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from netsuite_bench import START, Bench
from netsuite_fake import BASE, FakeNetSuite, refusal

from tieout.connectors.base import Can, Connector, Method, Window
from tieout.connectors.netsuite import NetSuite, NetSuiteConfig
from tieout.connectors.netsuite.kinds import KINDS
from tieout.core.errors import ConfigError
from tieout.core.ports import HttpRequest


def customers(bench: Bench, *names: str) -> list[str]:
    return [bench.made("customer", {"name": name}, f"tieout-{name}").id for name in names]


def test_every_entity_can_be_proved() -> None:
    # A price has no time of creation by which a count could be bounded.
    assert all((Can.PROVE in NetSuite.can[e]) == (e != "price") for e in KINDS)
    assert NetSuite.prove is not Connector.prove


def test_a_full_pull_is_proved_by_a_count_and_all_ids() -> None:
    bench = Bench(page_size=5)
    made = customers(bench, "a", "b", "c")
    bench.clock.move(60)
    began = bench.clock.now()
    bench.clock.move(60)
    customers(bench, "later")
    found = list(bench.ns.prove("customer", Window(None, began)))
    assert [each.method for each in found] == [Method.COUNT, Method.IDS]
    assert (found[0].count, found[0].bound) == (3, began)
    assert (set(found[1].ids), found[1].whole, found[1].bound) == (set(made), True, began)


def test_a_window_is_proved_by_its_overlap_and_a_count() -> None:
    bench = Bench()
    customers(bench, "a", "b")
    began = bench.clock.now()
    found = list(bench.ns.prove("customer", Window(began - timedelta(days=1), began)))
    assert [each.method for each in found] == [Method.OVERLAP, Method.COUNT]
    assert (found[0].seconds, found[1].count) == (15 * 60, 2)


def test_transactions_are_counted_by_type() -> None:
    bench = Bench()
    (customer,) = customers(bench, "a")
    product = bench.made("product", {"name": "Seat"}, "tieout-p").id
    invoice: Any = {
        "customer_id": customer,
        "currency": "USD",
        "issued_on": START.date(),
        "total_minor": 100,
        "lines": [{"product_id": product, "amount_minor": 100}],
    }
    id = bench.made("invoice", invoice, "tieout-i").id
    for entity, ids in (("invoice", {id}), ("payment", set()), ("product", {product})):
        count, listed = bench.ns.prove(entity, Window(None, bench.clock.now()))
        assert (count.count, set(listed.ids), listed.whole) == (len(ids), ids, True)


def test_without_a_sure_time_zone_nothing_is_claimed() -> None:
    bench = Bench(query_timezone="Europe/Berlin")
    customers(bench, "a")
    now = bench.clock.now()
    assert list(bench.ns.prove("customer", Window(None, now))) == []
    (only,) = bench.ns.prove("customer", Window(now, now))
    assert (only.method, only.seconds) == (Method.OVERLAP, 24 * 3600)


def test_what_may_not_be_counted_names_the_permission() -> None:
    bench = Bench()
    customers(bench, "a")
    bench.ns._query_clock()
    send = bench.send

    def refused(request: HttpRequest) -> Any:
        if request.body and b"COUNT" in request.body:
            return refusal(400, "INVALID_PARAMETER", "Record 'contact' was not found.")
        return send(request)

    object.__setattr__(bench.ports, "send", refused)
    with pytest.raises(ConfigError) as told:
        list(bench.ns.prove("contact", Window(None, bench.clock.now())))
    assert "Lists > Contacts" in told.value.hint


def test_check_names_the_permission_of_each_record_that_is_refused() -> None:
    fake = FakeNetSuite()
    fake.rules.append(_hides_contacts)
    settings: Any = {"consumer_key": "k", "consumer_secret": "s", "token_id": "t"}
    config = NetSuiteConfig(account="1234567_SB1", base_url=BASE, token_secret="u", **settings)
    problems = NetSuite(config, fake.ports).check().problems
    told = [each for each in problems if each.startswith("contact:")]
    assert any("Lists > Contacts" in each for each in told)
    assert not any(each.startswith("invoice:") for each in problems)


def _hides_contacts(request: HttpRequest) -> Any:
    if request.method == "POST" and b"FROM contact" in (request.body or b""):
        return refusal(400, "INVALID_PARAMETER", "Record 'contact' was not found.")
    if request.method == "GET" and "/contact/" in request.url:
        return refusal(403, "INSUFFICIENT_PERMISSION", "You need the 'Contacts' permission.")
    return None
