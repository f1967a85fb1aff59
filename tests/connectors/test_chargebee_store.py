"""Chargebee's records in the store, day by day: proofs agree, whatever lists show, fail or lose."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chargebee_bench import ChargebeeBench

from tieout.connectors.chargebee.kinds import KINDS
from tieout.hub import Hub
from tieout.sync.pull import Pulled, pull

CONFIG = """\
systems:
  site: {{type: chargebee, site: acme-test, base_url: "{0}", api_key: '${{KEY}}'}}
"""


class Day:
    """People work at the site; now and then everything or what changed is pulled."""

    def __init__(self, tmp_path: Path, seed: int, **site: Any) -> None:
        self.bench, self.chance = ChargebeeBench(**site), random.Random(seed)
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(self.bench.base_url))
        key = self.bench.stand_in.credentials()["api_key"]
        ports = self.bench.ports
        self.hub = Hub.open(path, {"KEY": key}, ports=ports, ports_for=lambda _: ports)
        self.told: Counter[str] = Counter()
        self.seen: dict[str, set[str]] = {}

    def work(self) -> None:
        bench, chance = self.bench, self.chance
        entity = chance.choice([e for e in KINDS if e != "usage" or bench.catalog == 2])
        held = sorted(bench.held(entity))
        if held and entity != "contact" and chance.random() < 0.4:
            bench.save(entity, chance.choice(held))
        elif held and chance.random() < 0.3:
            self.delete(entity, chance.choice(held))
        else:
            bench.one(entity)
        bench.clock.move(chance.choice([0, 1, 59, 299, 300, 301, 900]))

    def delete(self, entity: str, id: str) -> None:
        bench = self.bench
        if entity == "contact":
            bench.post(f"customers/{bench.owner(id)}/delete_contact", **{"contact[id]": id})
        elif entity in ("product", "invoice", "credit_note"):
            id = bench.one(entity)  # what nothing else refers to yet
            bench.clock.move(self.chance.choice([0, 200, 2000]))
            kind = next(k for k in bench.kinds(entity) if bench.shelf(k).get(id) is not None)
            bench.post(f"{bench.shelf(kind).kind.path}/{id}/delete")

    def pull(self, entity: str, *, full: bool) -> Pulled:
        store, side = self.hub.store, self.hub.side("site")
        done = pull(store, side, entity, [], self.bench.ports, run="r", full=full)
        assert done.quarantined == 0, done.reasons
        self.told[done.verdict] += 1
        return done

    def living(self, entity: str) -> set[str]:
        """Of all ids that ever were, those that the store holds as living."""
        store, known = self.hub.store, {each["id"] for each in self.bench.objects(entity)}
        known |= self.seen.get(entity, set())
        self.seen[entity] = known
        found = store.records.many(entity, "site", known)
        return {id for id, record in found.items() if not record.deleted}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("catalog", [1, 2])
@pytest.mark.parametrize("lag", [0, 300])
def test_the_store_holds_what_the_site_holds(
    tmp_path: Path, catalog: int, lag: int, seed: int
) -> None:
    day = Day(tmp_path, seed, catalog=catalog, list_lag_seconds=lag)
    bench = day.bench
    entities = [e for e in KINDS if e != "usage" or catalog == 2]
    with day.hub:
        for _ in range(30):
            day.work()
            entity = day.chance.choice(entities)
            bench.faults.load(day.chance.choice(["", "500_before@2", "torn@3", "429@1", "html@2"]))
            day.living(entity)
            day.pull(entity, full=day.chance.random() < 0.3)
        bench.faults.clear()
        bench.clock.move(901)
        for full in (False, True):
            for entity in entities:
                done = day.pull(entity, full=full)
                assert done.verdict in ("proven", "supported"), (entity, done.told)
                if (
                    full or entity != "contact"
                ):  # only a full pull tells that a contact was taken off
                    assert day.living(entity) == bench.held(entity), entity
    assert set(day.told) <= {"proven", "supported"}
    assert bench.refused == 0
