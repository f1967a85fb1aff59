"""`make bench-engine`: link, plan, apply and reconcile of a big installation, without a provider.

Prints one JSON document: seconds, CPU seconds and peak memory of each step over 20,000 and
100,000 linked pairs (one customer to four invoices), and the ratios of this very run. Every step
is a process of its own over the same store. `--quick` runs a tenth of the records.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tieout.config import Flow
from tieout.connectors.base import Account, Can, Connector, Page, Raw, Settings
from tieout.core.entities import ENTITIES, Customer, Invoice, Record, fields_of
from tieout.core.ports import Ports, real_ports
from tieout.store import Incoming, Store, open_store
from tieout.sync.apply import apply, enqueue
from tieout.sync.flows import FlowSpec
from tieout.sync.plan import make_plan
from tieout.sync.profiles import PROFILES
from tieout.sync.pull import mark
from tieout.sync.reconcile import flow_rules, reconcile
from tieout.sync.side import Side

WORK = Path(__file__).parent.parent / ".bench" / "engine"
CHANGED = 1_000
PAGE = 500
MADE = datetime(2026, 1, 5, tzinfo=UTC)
FLOWS = [
    FlowSpec(
        Flow.model_validate({"entity": entity, "from": "left", "to": "right"}),
        PROFILES[entity],
        (("left", "paper"), ("right", "ledger")),
    )
    for entity in ("customer", "invoice")
]


class Instant(Connector):
    """Answers every write at once, so that only tieout's own work is measured."""

    name = "instant"
    can: Mapping[str, Can] = {  # type: ignore[misc]
        each: Can.CREATE | Can.UPDATE | Can.FIND for each in ENTITIES
    }
    Config = Settings

    def __init__(self, settings: Settings, ports: Ports, *, where: str = "") -> None:
        pass

    def check(self) -> Account:
        return Account("instant", "instant")

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        return iter(())

    def get(self, entity: str, id: str) -> bytes | None:
        return None

    def find(self, entity: str, key: str) -> bytes | None:
        return None

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        return msgspec.json.encode({**record, "id": key, "external_ids": {"tieout": key}})

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        held = msgspec.to_builtins(customer("right", int(id[2:])))
        return msgspec.json.encode({**held, **record})


class Canonical:
    """The canonical model as it is: no mapping is measured here."""

    entities = tuple(ENTITIES)

    def __init__(self, system: str) -> None:
        self.system = system

    def parse_bytes(self, entity: str, body: bytes) -> Record:
        found: Record = msgspec.convert(
            {**msgspec.json.decode(body), "system": self.system}, ENTITIES[entity]
        )
        return found

    def render(self, entity: str, fields: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        rendered: dict[str, Any] = msgspec.to_builtins(dict(fields))
        return rendered

    def project(self, entity: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def writable(self, entity: str, *, creating: bool) -> frozenset[str]:
        return frozenset(fields_of(entity))


def sides(ports: Ports) -> dict[str, Side]:
    connector = Instant(Settings(), ports)
    return {
        name: Side(name, connector, Canonical(name), "b1")  # type: ignore[arg-type]
        for name in ("left", "right")
    }


def customer(system: str, number: int, *, name: str = "Company") -> Record:
    return Customer(
        system=system,
        id=f"{system[0]}c{number:07d}",
        created_at=MADE,
        name=f"{name} {number}",
        email=f"ap{number}@example.com",
        currency="USD",
    )


def invoice(system: str, number: int, *, off_minor: int = 0) -> Record:
    total = 1_000 + number % 9_000 + off_minor
    return Invoice(
        system=system,
        id=f"{system[0]}i{number:07d}",
        created_at=MADE,
        number=f"INV-{number:07d}",
        customer_id=f"{system[0]}c{number // 4:07d}",
        status="open",
        currency="USD",
        issued_on=MADE.date(),
        subtotal_minor=total,
        tax_minor=0,
        total_minor=total,
        balance_minor=total,
    )


def keep(store: Store, entity: str, made: Iterator[Record]) -> None:
    """Store records a page at a time, as a pull does."""
    while page := [each for _, each in zip(range(PAGE), made, strict=False)]:
        with store.transaction():
            rows = [Incoming(each, msgspec.json.encode(each), store.next_seq()) for each in page]
            done = store.records.put(entity, rows, run="bench")
            mark(store, FLOWS, page[0].system, entity, [*done.new, *done.changed])


# -- the steps: each gets the store and the number of pairs, and says what it did -------------


def fill(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """Both systems with the same records, nothing linked; one invoice in 1,000 differs."""
    count = pairs // 5
    for system in ("left", "right"):
        off = 1 if system == "right" else 0
        keep(store, "customer", (customer(system, n) for n in range(count)))
        keep(
            store,
            "invoice",
            (invoice(system, n, off_minor=off * (n % 1_000 == 7)) for n in range(4 * count)),
        )
    return {"records": 10 * count}


def plan(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """Decide about all that is marked."""
    outline = make_plan(store, sides(ports), FLOWS, ports, run="bench")
    return {"looked_at": outline.looked_at, "writes": outline.writes}


def change(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """The owner renames customers and a pull brings them."""
    step = max(1, pairs // 5 // CHANGED)
    some = range(0, min(pairs // 5, CHANGED * step), step)
    keep(store, "customer", (customer("left", n, name="Renamed") for n in some))
    return {"changed": len(some)}


def mark_all(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """As if every rule had changed: the next plan looks at everything."""
    store.meta.set("flow:" + FLOWS[0].name, "")
    store.meta.set("flow:" + FLOWS[1].name, "")
    return {}


def add(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """New customers on the left, planned and put into the outbox."""
    keep(store, "customer", (customer("left", n) for n in range(10**6, 10**6 + CHANGED)))
    outline = make_plan(store, sides(ports), FLOWS, ports, run="bench")
    enqueue(store, outline.id, run="bench")
    return {"writes": outline.writes}


def carry_out(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """Everything in the outbox, against a provider that answers at once."""
    applied = apply(store, sides(ports), FLOWS, run="bench")
    return {"confirmed": applied.confirmed, "rejected": applied.rejected}


def compare(store: Store, ports: Ports, pairs: int) -> dict[str, Any]:
    """Reconcile both flows, books included."""
    zones = {"left": "UTC", "right": "UTC"}
    outcome = reconcile(store, flow_rules(FLOWS, zones), ports, run="bench")
    return {"compared": outcome.compared, "breaks": len(outcome.breaks)}


Step = Callable[[Store, Ports, int], dict[str, Any]]
STEPS: list[tuple[str, Step]] = [
    ("fill", fill),
    ("first link and plan", plan),
    ("plan, nothing changed", plan),
    ("rename 1,000", change),
    ("plan, 1,000 changed", plan),
    ("add 1,000 and plan", add),
    ("apply", carry_out),
    ("mark everything", mark_all),
    ("plan, all links", plan),
    ("reconcile", compare),
    ("reconcile again", compare),
]


def measure(step: Step, folder: Path, pairs: int) -> dict[str, Any]:
    ports = real_ports()
    with open_store(folder / "store.db", ports) as store:
        began, cpu = time.perf_counter(), time.process_time()
        did = step(store, ports, pairs)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = {"seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3)}
    return {**did, **times, "peak_mb": round(peak, 1)}


def run_all(pairs: int) -> dict[str, dict[str, Any]]:
    """Every step in a process of its own; step -> what it cost."""
    folder = WORK / str(pairs)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    found = {}
    for at, (name, _) in enumerate(STEPS):
        command = [sys.executable, __file__, "--step", str(at), str(folder), str(pairs)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[name] = json.loads(done.stdout)
        print(f"  {pairs} pairs, {name}: {found[name]}", file=sys.stderr)
    return found


def verdict(small: dict[str, Any], large: dict[str, Any]) -> dict[str, Any]:
    """Ratios inside this run."""
    few, full = large["plan, 1,000 changed"], large["plan, all links"]
    return {
        "plan_of_1000_changes_over_full_pass_seconds": round(few["seconds"] / full["seconds"], 3),
        "plan_of_1000_changes_large_over_small": round(
            few["seconds"] / small["plan, 1,000 changed"]["seconds"], 2
        ),
        "apply_ms_an_operation": round(
            1000 * large["apply"]["seconds"] / max(1, large["apply"]["confirmed"]), 2
        ),
        "memory_growth_percent": {
            name: round(100 * (large[name]["peak_mb"] / small[name]["peak_mb"] - 1), 1)
            for name, _ in STEPS
        },
    }


def main() -> None:
    if "--step" in sys.argv:
        at, folder, pairs = sys.argv[-3:]
        print(json.dumps(measure(STEPS[int(at)][1], Path(folder), int(pairs))))
        return
    sizes = [2_000, 10_000] if "--quick" in sys.argv else [20_000, 100_000]
    results = {str(size): run_all(size) for size in sizes}
    small, large = (results[str(size)] for size in sizes)
    print(json.dumps({"pairs": results, "verdict": verdict(small, large)}, indent=2))


if __name__ == "__main__":
    main()
