"""Two Stripe accounts beside one NetSuite: each system of a type has its own name and key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tieout.cli.demo_config import write_config
from tieout.cli.stand_ins import Started, company_of, start, wall_clock
from tieout.hub import Hub
from tieout.jobs import tasks
from tieout.jobs.queries import plan_items
from tieout.sandbox.company import Company
from tieout.sync.items import Item


@pytest.fixture
def config(tmp_path: Path) -> Iterator[tuple[Path, Company, Company]]:
    """The company of the demo, and a sister company that bills through an account of its own and
    is not in the books yet."""
    clock = wall_clock()
    first = company_of(1, 20, clock)
    with ExitStack() as stack:
        started = start(["stripe", "netsuite"], clock=clock, company=first, large=True)
        sister = company_of(2, 10, clock)
        second = start(["stripe"], clock=clock, company=sister, large=True)["stripe"]
        for each in (*started.values(), second):
            stack.callback(each.stop)
        path = write_config(tmp_path, started, first)
        path.write_text(_with_a_second_account(path, started["stripe"], second))
        yield path, first, sister


def _with_a_second_account(path: Path, first: Started, second: Started) -> str:
    key = path.parent / "secrets" / "stripe_us_api_key"
    key.write_text(second.announced["credentials"]["api_key"])
    key.chmod(0o600)
    head, rest = path.read_text().split("  netsuite:\n", 1)
    settings, flows = rest.split("\nflows:\n", 1)
    flows, guard = flows.split("\nguard:", 1)
    account = head[head.index("  stripe:\n") :].replace("  stripe:\n", "  stripe_us:\n")
    account = account.replace(first.running.url, second.running.url)
    account = account.replace("stripe_api_key", "stripe_us_api_key")
    twice = flows + "\n" + flows.replace("stripe", "stripe_us")
    return f"{head}{account}  netsuite:\n{settings}\nflows:\n{twice}\nguard:{guard}"


def test_both_accounts_are_booked_once_and_their_records_are_told_apart(
    config: tuple[Path, Company, Company],
) -> None:
    path, first, sister = config
    with Hub.open(path, os.environ) as hub:
        pulled, failures = tasks.pull_systems(hub)
        assert not failures
        seen = {(each.system, each.entity): each.seen for each in pulled}
        assert seen["stripe", "customer"] == 20 and seen["stripe_us", "customer"] == 10
        outline = tasks.plan(hub)
        planned = list(plan_items(hub, outline.id))
        applied = tasks.apply_plan(hub, outline.id)
        assert (applied.problems, applied.confirmed) == ([], outline.writes)

        tasks.pull_systems(hub)
        assert tasks.plan(hub).writes == 0

    made = {source: _created(planned, source) for source in ("stripe", "stripe_us")}
    assert made["stripe"] == first.recent
    # Nothing of the sister's is in the books, so besides what is recent come her customers.
    # An address that a customer of the first account has is that customer.
    known = {(each.get("email") or "").lower() for each in _customers(first)} - {""}
    shared = {each["id"] for each in _customers(sister) if (each["email"] or "").lower() in known}
    customers = {each["id"] for each in _customers(sister)}
    assert 0 < len(shared) < 5
    assert made["stripe_us"] & customers == customers - shared
    waiting = {each.source_id for each in planned if each.action == "wait"}
    assert sister.recent <= made["stripe_us"] | waiting | shared
    assert len(made["stripe_us"] & sister.recent) > 5


def _created(planned: list[Item], source: str) -> set[str]:
    return {each.source_id for each in planned if (each.source, each.action) == (source, "create")}


def _customers(company: Company) -> list[dict[str, Any]]:
    return [each for kind, each in company.stripe if kind == "customer"]
