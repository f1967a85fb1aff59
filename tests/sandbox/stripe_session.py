"""A running Stripe stand-in with the official client and a plain HTTP session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import stripe

from tieout.sandbox import Faults, Running, SandboxClock, serve
from tieout.sandbox.stripe import StripeStandIn

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = int(START.timestamp())


@dataclass
class Stage:
    running: Running
    stand_in: StripeStandIn
    client: Any  # stripe.StripeClient: its services take plain dicts
    http: requests.Session

    @property
    def clock(self) -> SandboxClock:
        return self.stand_in.clock

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.http.get(self.running.url + path, params=params, timeout=10)

    def post(self, path: str, data: Any = None, key: str | None = None) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.http.post(self.running.url + path, data=data, headers=headers, timeout=10)

    def events(self, *leave_out: str) -> list[str]:
        """Types of all events, oldest first."""
        found = [event.type for event in self.client.v1.events.list({"limit": 100}).data]
        return [type for type in reversed(found) if type not in leave_out]


@contextmanager
def stage(**settings: Any) -> Iterator[Stage]:
    stand_in = StripeStandIn(SandboxClock(START), seed=3, **settings)
    key = stand_in.credentials()["api_key"]
    with serve(stand_in, faults=Faults()) as running, requests.Session() as http:
        http.auth = (key, "")
        transport = stripe.RequestsClient()
        client = stripe.StripeClient(
            key, base_addresses={"api": running.url}, max_network_retries=0, http_client=transport
        )
        try:
            yield Stage(running, stand_in, client, http)
        finally:
            transport.close()
