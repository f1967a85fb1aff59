"""Zuora beside Stripe over real HTTP: as a target and as a source, by the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tieout.hub import Hub
from tieout.jobs import reporting, tasks
from tieout.sandbox import Faults, SandboxClock, serve
from tieout.sandbox.company import Company, build_company
from tieout.sandbox.stripe import StripeStandIn
from tieout.sandbox.zuora import ZuoraStandIn

CONFIG = """\
systems:
  stripe:
    type: stripe
    base_url: {stripe}
    api_key: '${{STRIPE_KEY}}'
    calls_per_second: 500
    endpoint_calls_per_second: 500
  zuora:
    type: zuora
    base_url: {zuora}
    client_id: '${{ZUORA_ID}}'
    client_secret: '${{ZUORA_SECRET}}'
    calls_per_minute: 40000
guard: {{max_writes: 100000, max_update_percent: 100}}
reconcile: {{settle_minutes: 0}}
flows:
{flows}
"""


@dataclass
class World:
    """Both stand-ins, served, and where config.yaml is."""

    stripe: StripeStandIn
    zuora: ZuoraStandIn
    faults: Faults
    urls: dict[str, str]
    folder: Path

    def hub(self, flows: str) -> Any:
        keys = self.zuora.credentials()
        env = {
            "STRIPE_KEY": self.stripe.credentials()["api_key"],
            "ZUORA_ID": keys["client_id"],
            "ZUORA_SECRET": keys["client_secret"],
        }
        path = self.folder / "config.yaml"
        path.write_text(CONFIG.format(**self.urls, flows=flows))
        return Hub.open(path, env)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    clock, faults = SandboxClock(), Faults(name="zuora")
    stripe, zuora = StripeStandIn(clock, seed=3), ZuoraStandIn(clock, seed=3, timezone="UTC")
    with ExitStack() as stack:
        left = stack.enter_context(serve(stripe))
        right = stack.enter_context(serve(zuora, faults=faults))
        yield World(stripe, zuora, faults, {"stripe": left.url, "zuora": right.url}, folder)


TO_ZUORA = """\
  - {entity: customer, from: stripe, to: zuora, fields: [name]}
  - {entity: invoice, from: stripe, to: zuora}
  - {entity: payment, from: stripe, to: zuora}
"""
