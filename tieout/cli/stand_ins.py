"""Starts the sandbox's stand-ins, with the believable company or a folder of samples in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.faults import Faults
from tieout.sandbox.server import Running, serve

from .samples import objects_in

# Name -> where its stand-in is; in the order in which the company tells its story.
STAND_INS = {
    "salesforce": "tieout.sandbox.salesforce:SalesforceStandIn",
    "stripe": "tieout.sandbox.stripe:StripeStandIn",
    "chargebee": "tieout.sandbox.chargebee:ChargebeeStandIn",
    "zuora": "tieout.sandbox.zuora:ZuoraStandIn",
    "netsuite": "tieout.sandbox.netsuite:NetSuiteStandIn",
}
PROVIDERS = tuple(STAND_INS)
BILLERS = ("stripe", "chargebee", "zuora")
LARGE: dict[str, dict[str, Any]] = {"chargebee": {"calls_per_minute": 3500}}


@dataclass
class Started:
    """One running stand-in; `announced` is what `tieout sandbox` prints of it."""

    name: str
    running: Running
    stand_in: Any
    faults: Faults

    @property
    def announced(self) -> dict[str, Any]:
        return {"url": self.running.url, "credentials": self.stand_in.credentials()}

    def stop(self) -> None:
        self.running.stop()


def wall_clock() -> SandboxClock:
    """A clock that follows the machine's."""
    return SandboxClock()


def company_of(
    seed: int, size: int, clock: SandboxClock, names: Sequence[str] = ("stripe", "netsuite")
) -> Company:
    """The company that lives in these stand-ins; the same seed gives the same one."""
    billers = [each for each in BILLERS if each in names] or ["stripe"]
    return build_company(
        seed=seed, size=size, now=clock.now(), billers=billers, crm="salesforce" in names
    )


def start(
    names: list[str],
    port_base: int = 0,
    seed: int = 1,
    size: int = 120,
    faults: str = "",
    samples: Path | None = None,
    *,
    clock: SandboxClock | None = None,
    company: Company | None = None,
    large: bool = False,
) -> dict[str, Started]:
    """Start one stand-in a provider; ValueError for an unknown name or a bad fault spec.

    `large`: the providers' largest plans, whose limits take no time of a demo.
    """
    unknown = [name for name in names if name not in PROVIDERS]
    if unknown or not names:
        raise ValueError(f"there is no stand-in for {unknown}; known: {', '.join(PROVIDERS)}")
    clock = clock or wall_clock()
    if company is None and samples is None:
        company = company_of(seed, size, clock, names)
    started: dict[str, Started] = {}
    for offset, name in enumerate(names):
        stand_in = _made(name, clock, seed, **(LARGE.get(name, {}) if large else {}))
        if company is not None:
            _move_in(company, name, stand_in)
        if samples is not None:
            stand_in.load(sample_objects(name, samples))
        switch = Faults(faults, seed=seed, name=name)
        port = port_base + offset if port_base else 0
        started[name] = Started(name, serve(stand_in, port, switch), stand_in, switch)
    return started


def _made(name: str, clock: SandboxClock, seed: int, **plan: Any) -> Any:
    module, _, made = STAND_INS[name].partition(":")
    return getattr(import_module(module), made)(clock, seed=seed, **plan)


def _move_in(company: Company, name: str, stand_in: Any) -> None:
    """The company's records of one provider; which payout paid what is not in the records."""
    stand_in.load(company.of(name))
    if name == "stripe":
        for payout, lines in company.payout_lines.items():
            stand_in.assign_payout(payout, lines)


def sample_objects(provider: str, folder: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    """Each provider object in a folder of JSON files, with its type, as the stand-in tells it.

    Files without an object that the stand-in can hold are passed over.
    """
    for file in sorted(folder.glob("*.json")):
        value = json.loads(file.read_bytes(), parse_float=Decimal)
        yield from objects_in(provider, file.stem, value)
