"""Delivers events to the configured URLs, with basic auth and retries, in the background.

https://www.chargebee.com/docs/2.0/webhook_settings.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .. import courier
from ..clock import SandboxClock

# 2 and 6 and 30 minutes, 1 and 5 hours, 1 and 2 days
RETRY_SECONDS = (120, 360, 1800, 3600, 18_000, 86_400, 172_800)


@dataclass(frozen=True)
class Endpoint:
    """Where events go, and with which user and password."""

    id: str
    url: str
    user: str
    password: str
    types: frozenset[str]

    def takes(self, type: str) -> bool:
        return "*" in self.types or type in self.types


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    event: str
    endpoint: Endpoint
    body: bytes
    attempt: int = 0


Settled = Callable[[str, str, str], None]


class Courier(courier.Courier[Delivery]):
    """`settled` is told (event, endpoint, webhook status) after each attempt."""

    name = "chargebee-webhooks"

    def __init__(self, clock: SandboxClock, settled: Settled) -> None:
        super().__init__(clock)
        self._settled = settled

    def send(self, event: str, endpoint: Endpoint, body: bytes) -> None:
        """Queue one delivery."""
        self.queue(Delivery(event, endpoint, body), endpoint.url)

    def deliver(self, parcel: Delivery) -> Iterable[tuple[int, Delivery]]:
        """Only a 2xx counts."""
        endpoint = parcel.endpoint
        login = base64.b64encode(f"{endpoint.user}:{endpoint.password}".encode()).decode()
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "User-Agent": "ChargeBee",
            "Authorization": f"Basic {login}",
        }
        status, _ = courier.post(endpoint.url, parcel.body, headers, self.answer_within)
        delivered = 200 <= status < 300
        last = parcel.attempt >= len(RETRY_SECONDS)
        told = "succeeded" if delivered else "failed" if last else "re_scheduled"
        self._settled(parcel.event, endpoint.id, told)
        if not delivered and not last:
            due = self.clock.timestamp() + RETRY_SECONDS[parcel.attempt]
            yield due, replace(parcel, attempt=parcel.attempt + 1)
