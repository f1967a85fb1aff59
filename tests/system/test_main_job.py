"""The main job on the stand-ins: every planted disagreement is found, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tieout.cli.demo_config import write_config
from tieout.cli.stand_ins import Started, company_of, start, wall_clock
from tieout.hub import Hub
from tieout.jobs import reporting, tasks
from tieout.sandbox.company import Company
from tieout.sync.plan import Outline


@dataclass
class Done:
    """What the main job left behind."""

    company: Company
    started: dict[str, Started]
    hub: Hub
    first: Outline
    applied: Any
    second: Outline
    outcome: Any


NO_SECRETS = {"account", "client_id", "certificate_id", "consumer_key", "token_id", "site",
              "username", "webhook_user", "organization_id"}  # fmt: skip
COMPANIES = {
    "two systems": ["stripe", "netsuite"],
    "five systems": ["salesforce", "stripe", "chargebee", "zuora", "netsuite"],
}


@pytest.fixture(scope="module", params=COMPANIES)
def done(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("demo")
    clock, names = wall_clock(), COMPANIES[request.param]
    company = company_of(1, 120, clock, names)
    started = start(names, clock=clock, company=company, large=True)
    config = write_config(folder, started, company)
    with Hub.open(config, os.environ) as hub:
        pulled, failures = tasks.pull_systems(hub)
        assert not failures
        assert sum(each.quarantined for each in pulled) == 0
        first = tasks.plan(hub)
        applied = tasks.apply_plan(hub, first.id)
        tasks.pull_systems(hub)
        second = tasks.plan(hub)
        outcome = reporting.reconcile(hub)
        yield Done(company, started, hub, first, applied, second, outcome)
    for each in started.values():
        each.stop()


def test_what_is_recent_is_created_once(done: Done) -> None:
    assert len(done.company.recent) >= 20
    assert done.applied.problems == []
    # A deal just won becomes a customer of its biller and one of the ledger.
    expected = len(done.company.recent) + 2 * len(done.company.newcomers)
    assert done.applied.confirmed == done.first.writes == expected


def test_a_second_plan_writes_nothing(done: Done) -> None:
    assert done.second.writes == 0


def test_every_planted_disagreement_is_found_and_nothing_else(done: Done) -> None:
    def place(each: Any) -> tuple[str, ...]:
        # A surplus copy has no partner of its own: the record it copies is told as a difference.
        left = None if each.kind == "duplicate" else each.left_id
        return (each.kind, each.entity, left, each.right_id)

    planted = {place(each) for each in done.company.planted}
    found = {place(each) for each in done.outcome.breaks}
    assert len(planted) >= 40
    assert found - planted == set()
    assert planted - found == set()


def test_each_break_names_just_the_fields_that_differ(done: Done) -> None:
    planted = {
        # `received_at` is compared by its calendar day, for NetSuite keeps no time of day
        (p.entity, p.left_id, p.right_id): {
            f.replace("received_at", "received_on") for f in p.fields
        }
        for p in done.company.planted
        if p.kind == "differs"
    }
    found = {
        (b.entity, b.left_id, b.right_id): {each.name for each in b.differences}
        for b in done.outcome.breaks
        if b.kind == "differs"
    }
    assert found == planted


def test_every_cent_is_explained_by_the_planted_effects(done: Done) -> None:
    proofs = done.outcome.proofs
    assert {"USD", "EUR", "JPY", "BHD"} <= {proof.currency for proof in proofs}
    assert all(proof.unexplained_minor == 0 for proof in proofs)
    expected: dict[tuple[str, str], int] = {}
    for each in done.company.planted:
        for currency, minor in each.effects().items():
            key = (each.entity, currency)
            expected[key] = expected.get(key, 0) + minor
    entity_of = {flow.name: flow.entity for flow in done.hub.flows}
    found: dict[tuple[str, str], int] = {}
    for p in proofs:
        key = (entity_of[p.flow], p.currency)
        found[key] = found.get(key, 0) + p.difference_minor
    assert {key: minor for key, minor in found.items() if minor} == {
        key: minor for key, minor in expected.items() if minor
    }


def test_every_window_is_proven_or_supported(done: Done) -> None:
    verdicts = {
        (each.system, each.entity): each.verdict for each in done.hub.store.certificates.list()
    }
    assert set(verdicts.values()) <= {"proven", "supported"}, verdicts
    assert "proven" in verdicts.values()


def test_the_same_breaks_keep_their_fingerprints(done: Done) -> None:
    again = reporting.reconcile(done.hub)
    assert {each.fingerprint for each in again.breaks} == {
        each.fingerprint for each in done.outcome.breaks
    }
    assert again.new == 0 and again.resolved == 0


def test_the_audit_trail_names_every_write(done: Done) -> None:
    assert done.hub.store.audit.verify() is None
    entries = done.hub.store.audit.list(limit=10_000)
    assert sum(each.actor == "tieout" for each in entries) == done.applied.confirmed


def test_no_secret_reaches_the_store(done: Done) -> None:
    secrets = [
        value
        for each in done.started.values()
        for key, value in each.announced["credentials"].items()
        if key not in NO_SECRETS
    ]
    for file in done.hub.store_path.parent.glob("tieout.db*"):
        body = file.read_bytes()
        assert not [name for name in secrets if name.encode()[:40] in body]
