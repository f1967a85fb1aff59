"""Starts the sandbox's stand-ins, with the believable company or a folder of samples in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieout.sandbox.clock import SandboxClock
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.faults import Faults
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.netsuite.catalog import TYPES as NETSUITE_TYPES
from tieout.sandbox.server import Running, serve
from tieout.sandbox.stripe import StripeStandIn

PROVIDERS = ("stripe", "netsuite")


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


def company_of(seed: int, size: int, clock: SandboxClock) -> Company:
    """The company that lives in all stand-ins; the same seed gives the same one."""
    return build_company(seed=seed, size=size, now=clock.now())


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
) -> dict[str, Started]:
    """Start one stand-in a provider; ValueError for an unknown name or a bad fault spec."""
    unknown = [name for name in names if name not in PROVIDERS]
    if unknown or not names:
        raise ValueError(f"there is no stand-in for {unknown}; known: {', '.join(PROVIDERS)}")
    clock = clock or wall_clock()
    if company is None and samples is None:
        company = company_of(seed, size, clock)
    started: dict[str, Started] = {}
    for offset, name in enumerate(names):
        stand_in: Any = (
            StripeStandIn(clock, seed=seed)
            if name == "stripe"
            else NetSuiteStandIn(clock, seed=seed)
        )
        if company is not None:
            _move_in(company, name, stand_in)
        if samples is not None:
            stand_in.load(sample_objects(name, samples))
        switch = Faults(faults, seed=seed, name=name)
        port = port_base + offset if port_base else 0
        started[name] = Started(name, serve(stand_in, port, switch), stand_in, switch)
    return started


def _move_in(company: Company, name: str, stand_in: Any) -> None:
    """The company's records of one provider; which payout paid what is not in the records."""
    stand_in.load(company.stripe if name == "stripe" else company.netsuite)
    if name == "stripe":
        for payout, lines in company.payout_lines.items():
            stand_in.assign_payout(payout, lines)


def sample_objects(provider: str, folder: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    """Each provider object in a folder of JSON files, with its type.

    Stripe's objects name theirs. Of NetSuite's, the type is a word of the file's name
    (`invoice-1.json`, `rest_list_currency_page.json`); a list gives its items. Files without an
    object that has an id are passed over.
    """
    for file in sorted(folder.glob("*.json")):
        value = json.loads(file.read_bytes(), parse_float=Decimal)
        listed = value.get("items") if isinstance(value, dict) else None
        for each in listed if isinstance(listed, list) and provider != "stripe" else [value]:
            type_name = _type_of(provider, file, each)
            if type_name and isinstance(each, dict) and each.get("id"):
                yield type_name, each


def _type_of(provider: str, file: Path, value: Any) -> str | None:
    if provider == "stripe":
        found = value.get("object") if isinstance(value, dict) else None
        return str(found) if found else None
    known = {name.lower(): name for name in NETSUITE_TYPES}
    words = re.split(r"[^a-z]+", file.stem.lower())
    return next((known[word] for word in words if word in known), None)
